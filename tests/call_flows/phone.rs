//! A phone whose user acts at given moments, for the flows that need them to the millisecond.

use std::collections::VecDeque;
use std::fmt;
use std::net::{Ipv4Addr, SocketAddr};

use sansip::message::StatusCode;
use sansip::user_agent::{Body, Event, Outgoing, Profile, UserAgent};
use sansip::{
    CallId, CommandError, Config, ConnectionId, Input, Instant, Listener, ListenerId, Node, Output, ReferralId, Seed,
};
use sansip_sim::World;
use sansip_sim::actor::{Actor, Call, CallState};
use sansip_sim::trace::Note;

/// Something that the user does.
pub(crate) type Deed = fn(&mut Phone) -> Result<(), CommandError>;

/// A user agent with its user.
#[derive(Clone)]
pub(crate) struct Phone {
    pub(crate) agent: UserAgent,
    pub(crate) now: Instant,
    /// The calls in the order of their coming, with their Call-IDs.
    pub(crate) calls: Vec<(CallId, String)>,
    /// The last event that asks for something, for deeds that need its message.
    pub(crate) last: Option<Event>,
    /// The REFER that the user follows.
    pub(crate) referral: Option<ReferralId>,
    listener: ListenerId,
    local: SocketAddr,
    deeds: VecDeque<(Instant, Deed)>,
    on_offer: Deed,
    notes: VecDeque<Note>,
    /// The calls that the user has been told to be there.
    told: Vec<CallId>,
}

impl Phone {
    /// The phone of `sip:NAME@DOMAIN` at that address.
    pub(crate) fn new(identity: &str, address: impl Into<Ipv4Addr>) -> Self {
        let profile = Profile { capabilities: false, ..Profile::new(identity.parse().expect("an identity")) };
        Self::with(profile, address)
    }

    pub(crate) fn with(profile: Profile, address: impl Into<Ipv4Addr>) -> Self {
        let address = address.into();
        let seed = Seed::from_u64(u64::from(address.to_bits()));
        let mut agent = UserAgent::user_agent(Config { rport: false, ..Config::new(seed) }, profile);
        let local = SocketAddr::from((address, 5060));
        let listener = agent.listen(Listener::udp(local));
        Self {
            agent,
            now: Instant::ZERO,
            calls: Vec::new(),
            last: None,
            referral: None,
            listener,
            local,
            deeds: VecDeque::new(),
            on_offer: |phone| phone.agent.accept_offer(phone.now, phone.call(), sdp("answer")),
            notes: VecDeque::new(),
            told: Vec::new(),
        }
    }

    /// Does this at that moment, in milliseconds; later deeds are given later.
    pub(crate) fn at(mut self, milliseconds: u64, deed: Deed) -> Self {
        self.deeds.push_back((Instant::from_millis(milliseconds), deed));
        self
    }

    /// Treats each offer within a call so, at once.
    pub(crate) fn offered(mut self, deed: Deed) -> Self {
        self.on_offer = deed;
        self
    }

    /// Calls that address, with an offer or without.
    pub(crate) fn dial(&mut self, to: &str, offer: Option<Body>) -> Result<(), CommandError> {
        self.place(Outgoing::to(&to.parse().expect("an address")).body(offer))
    }

    pub(crate) fn place(&mut self, outgoing: Outgoing) -> Result<(), CommandError> {
        let call = self.agent.call(self.now, outgoing)?;
        let call_id = self.agent.calls().find(|info| info.call == call).map(|info| info.call_id.to_owned());
        self.calls.push((call, call_id.unwrap_or_default()));
        Ok(())
    }

    /// Accepts the REFER that has just come, and calls its target with that description.
    pub(crate) fn follow(&mut self, description: Body) -> Result<(), CommandError> {
        let Some(Event::Referred { served, request, .. }) = self.last.clone() else { return Err(CommandError::Gone) };
        self.referral = self.agent.accept_refer(self.now, served)?;
        self.place(Outgoing::referred(&request)?.body(description))
    }

    /// Tells who has sent the REFER how it has ended.
    pub(crate) fn tell_end(&mut self) -> Result<(), CommandError> {
        let referral = self.referral.ok_or(CommandError::Gone)?;
        self.agent.notify_refer(self.now, referral, StatusCode::OK)
    }

    /// The call that came first.
    pub(crate) fn call(&self) -> CallId {
        self.nth(0)
    }

    pub(crate) fn nth(&self, place: usize) -> CallId {
        self.calls[place].0
    }

    /// Puts the phone into a world.
    pub(crate) fn join(self, world: &mut World, name: &str) {
        let bound = (self.listener, self.local);
        world.add(name, Box::new(self), [bound]);
    }

    fn act(&mut self) {
        let Some((_, deed)) = self.deeds.pop_front() else { return };
        if let Err(error) = deed(self) {
            self.notes.push_back(Note::Said(format!("cannot: {error}")));
        }
    }

    fn call_id(&self, call: CallId) -> String {
        self.calls.iter().find(|(id, _)| *id == call).map(|(_, call_id)| call_id.clone()).unwrap_or_default()
    }

    /// From now on the user has this call; a change of the call is no other call.
    fn begin(&mut self, call: CallId) {
        if !self.told.contains(&call) {
            self.told.push(call);
            self.notes.push_back(Note::CallBegan { call_id: self.call_id(call) });
        }
    }

    fn end(&mut self, call: CallId, why: &str) {
        self.notes.push_back(Note::CallEnded { call_id: self.call_id(call), why: why.into(), session: None });
    }

    /// Whether the body of the peer's last offer has this text.
    pub(crate) fn heard(&self, text: &str) -> bool {
        let Some(Event::Offered { request, .. }) = &self.last else { return false };
        String::from_utf8_lossy(request.body()).contains(text)
    }

    fn hear(&mut self, event: Event) {
        self.last = Some(event.clone());
        match &event {
            Event::Incoming { call, request, .. } => {
                self.calls.push((*call, request.call_id().unwrap_or_default().to_owned()));
            }
            Event::Answered { call, .. } | Event::Confirmed { call, .. } => self.begin(*call),
            Event::Failed { call, .. } => self.end(*call, "failed"),
            Event::Ended { call, .. } => self.end(*call, "over"),
            Event::Offered { .. } => {
                self.deeds.push_front((self.now, self.on_offer));
                self.act();
            }
            _ => {}
        }
    }
}

/// A session description of ours: opaque to the stack.
pub(crate) fn sdp(name: &str) -> Body {
    Body::sdp(format!("v=0\r\ns={name}\r\n"))
}

impl Node for Phone {
    type Event = Note;

    fn handle(&mut self, now: Instant, input: Input<'_>) {
        self.now = self.now.max(now);
        while self.deeds.front().is_some_and(|(at, _)| *at <= self.now) {
            self.act();
        }
        self.agent.handle(now, input);
    }

    fn poll(&mut self) -> Option<Output<Note>> {
        loop {
            if let Some(note) = self.notes.pop_front() {
                return Some(Output::Event(note));
            }
            match self.agent.poll()?.into_event() {
                Ok(event) => self.hear(event),
                Err(output) => return Some(output),
            }
        }
    }

    fn deadline(&self) -> Option<Instant> {
        let deed = self.deeds.front().map(|(at, _)| *at);
        [deed, self.agent.deadline()].into_iter().flatten().min()
    }

    fn is_idle(&self) -> bool {
        self.deeds.is_empty() && self.notes.is_empty() && self.agent.is_idle()
    }

    fn reserve(&mut self) -> ConnectionId {
        self.agent.reserve()
    }
}

impl Actor for Phone {
    fn calls(&self) -> Vec<Call> {
        let state = |state| match state {
            sansip::user_agent::CallState::Established => CallState::Established,
            sansip::user_agent::CallState::Ending => CallState::Ending,
            _ => CallState::Trying,
        };
        self.agent.calls().map(|info| Call { call_id: info.call_id.to_owned(), state: state(info.state) }).collect()
    }

    fn clone_box(&self) -> Box<dyn Actor> {
        Box::new(self.clone())
    }
}

impl fmt::Debug for Phone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Phone({})", self.local)
    }
}
