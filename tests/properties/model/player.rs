//! A user agent whose user does drawn things at drawn moments, and keeps what the agent tells.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use sansip::message::header::NameAddrBuf;
use sansip::message::{Method, Request, StatusCode, UriBuf};
use sansip::user_agent::{Body, CallState, Event, Outgoing, Refer, Register, ServedId, Subscribe, UserAgent};
use sansip::{CallId, CommandError, ConnectionId, Duration, Input, Instant, Node, Output, ReferralId};
use sansip_sim::actor::{Actor, Call, Census};
use sansip_sim::trace::Note;

use super::heard::Heard;
use super::transfers::{Followed, Shared, change};
use super::watched;

/// Something that the user does if it can be done then; `which` chooses among the calls there are, or whom to call.
#[derive(Clone, Copy, Debug)]
pub(super) struct Act {
    pub(super) at: Instant,
    pub(super) kind: Kind,
    pub(super) which: usize,
    /// The call that it is about, if it is a reaction.
    pub(super) call: Option<CallId>,
}

/// What a user does, and how many milliseconds later, when a call comes in or the peer wants a change: one after the other.
#[derive(Clone, Debug)]
pub(super) struct Reactions {
    pub(super) calls: VecDeque<(Option<Kind>, u64)>,
    pub(super) changes: VecDeque<(Option<Kind>, u64)>,
}

#[derive(Clone, Copy, Debug)]
pub(super) enum Kind {
    Call,
    /// The INVITE has no offer.
    CallWithoutOffer,
    Ring,
    Answer,
    Reject,
    Cancel,
    Modify,
    Update,
    Accept,
    Refuse,
    Ask,
    HangUp,
    /// Sends the peer of a call to somebody else.
    Refer,
    /// Has the peer of a call take our place in another call.
    ReferToReplace,
    /// Subscribes to the state of a user, which nobody tells.
    Subscribe,
    /// Subscribes to a state that is told.
    Watch,
    Refresh,
    Unsubscribe,
}

/// One end of a call, by what its user has done and was told.
#[derive(Clone, Debug, Default)]
pub(super) struct End {
    pub(super) call_id: String,
    pub(super) is_caller: bool,
    /// The caller was told of the answer; the called end, that the ACK came.
    pub(super) is_up: bool,
    /// The user has ended the call, or was told of its end.
    pub(super) is_over: bool,
    /// How often an end was told.
    pub(super) ends: usize,
    /// The numbers of the offers that were answered, in order.
    pub(super) agreed: Vec<u32>,
    /// Anything that contradicts what was told before.
    pub(super) wrong: Option<String>,
    call: Option<CallId>,
    /// The Call-ID of the call that this one takes the place of, once it is answered.
    pub(super) replaces: Option<String>,
    /// Where the callee is, once it has answered.
    peer: Option<UriBuf>,
    answered: bool,
    /// Our offers that wait for an answer, of which one may go out again after a glare; and the peer's.
    ours: Vec<u32>,
    theirs: Option<Option<u32>>,
}

pub(super) type Log = Arc<Mutex<Vec<End>>>;

#[derive(Clone, Debug)]
pub(super) struct Player {
    agent: UserAgent,
    register: Option<UriBuf>,
    peers: Vec<NameAddrBuf>,
    acts: VecDeque<Act>,
    reactions: Reactions,
    /// From then on nothing is begun, and what is undecided is decided: no.
    calm: Instant,
    /// Then every call is hung up.
    end: Instant,
    stage: u8,
    now: Instant,
    /// The number of the next offer; no other end uses it.
    next: u32,
    log: Log,
    /// The part before the host in the URI of this user.
    own: String,
    transfers: Shared,
    followed: Followed,
    heard: Heard,
}

impl Player {
    pub(super) fn new(
        agent: UserAgent,
        register: Option<UriBuf>,
        peers: Vec<NameAddrBuf>,
        (acts, reactions): (Vec<Act>, Reactions),
        [calm, end]: [Instant; 2],
        first: u32,
        name: &str,
    ) -> (Self, Log, Shared) {
        let (log, transfers) = (Log::default(), Shared::default());
        let own = format!("sip:{name}@");
        let acts = acts.into();
        let now = Instant::ZERO;
        (
            Self {
                agent,
                register,
                peers,
                acts,
                reactions,
                calm,
                end,
                stage: 0,
                now,
                next: first,
                log: Arc::clone(&log),
                own,
                transfers: Arc::clone(&transfers),
                followed: Followed::new(),
                heard: Heard::default(),
            },
            log,
            transfers,
        )
    }

    fn change<R>(&self, change: impl FnOnce(&mut Vec<End>) -> R) -> R {
        change(&mut self.log.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Changes the end of a call, if the call is known.
    fn end_of<R: Default>(&self, call: CallId, change: impl FnOnce(&mut End) -> R) -> R {
        self.change(|ends| ends.iter_mut().find(|end| end.call == Some(call)).map(change).unwrap_or_default())
    }

    /// The calls that are not over, in order.
    fn held(&self) -> Vec<(CallId, End)> {
        self.change(|ends| {
            let alive = ends.iter().filter(|end| !end.is_over);
            alive.filter_map(|end| Some((end.call?, end.clone()))).collect()
        })
    }

    fn offer(&mut self) -> (u32, Body) {
        self.next += 1;
        (self.next, described(self.next))
    }

    fn due(&self) -> Option<Instant> {
        match self.stage {
            0 => Some(Instant::ZERO),
            1 => Some(self.acts.front().map_or(self.calm, |act| act.at.min(self.calm))),
            2 => Some(self.end),
            _ => None,
        }
    }

    fn act(&mut self) {
        let now = self.now;
        match self.stage {
            0 => {
                self.stage = 1;
                if let Some(registrar) = self.register.take() {
                    self.agent.register(now, Register::at(&registrar).expires(7_200)).expect("a registration");
                }
            }
            1 => match self.acts.pop_front() {
                Some(act) if act.at < self.calm => match self.run(act) {
                    Ok(()) | Err(CommandError::WrongState | CommandError::Gone | CommandError::Invalid(_)) => {}
                    Err(error) => panic!("{act:?}: {error}"),
                },
                _ => {
                    self.stage = 2;
                    for (call, end) in self.held() {
                        self.decide(call, &end);
                    }
                }
            },
            _ => {
                self.stage = 3;
                for (call, _) in self.held() {
                    if self.agent.hang_up(now, call).is_ok() {
                        self.end_of(call, |end| end.is_over = true);
                    }
                }
                self.agent.unsubscribe_everywhere(now);
            }
        }
    }

    /// Leaves nothing undecided.
    fn decide(&mut self, call: CallId, end: &End) {
        if !end.answered && self.agent.hang_up(self.now, call).is_ok() {
            self.end_of(call, |end| end.is_over = true);
        } else if end.theirs.is_some() {
            let _ = self.agent.refuse_offer(self.now, call, StatusCode::NOT_ACCEPTABLE_HERE);
        }
    }

    fn call(&mut self, outgoing: Outgoing, makes_offer: bool) -> Result<CallId, CommandError> {
        let (number, offer) = self.offer();
        let outgoing = if makes_offer { outgoing.body(offer) } else { outgoing };
        let call = self.agent.call(self.now, outgoing)?;
        let call_id = self.agent.calls().find(|info| info.call == call).map(|info| info.call_id.to_owned());
        let end = End { call_id: call_id.unwrap_or_default(), is_caller: true, call: Some(call), ..End::default() };
        let ours = makes_offer.then_some(number).into_iter().collect();
        self.change(|ends| ends.push(End { ours, ..end }));
        Ok(call)
    }

    fn refer(&mut self, call: CallId, refer: Refer) -> Result<(), CommandError> {
        self.next += 1;
        let number = self.next;
        let subscription = self.agent.refer(self.now, call, refer.header("X-Refer", number.to_string()))?;
        change(&self.transfers, |transfers| transfers.begin(subscription, number));
        Ok(())
    }

    /// Follows a REFER by a call, unless that would be to this user; whether it is followed.
    fn follow(&mut self, served: ServedId, request: &Request) -> Result<(), CommandError> {
        let now = self.now;
        let value = |name: &str| request.headers().raw(name).map(|value| String::from_utf8_lossy(value).into_owned());
        let number = value("X-Refer").and_then(|number| number.parse().ok()).unwrap_or_default();
        if now >= self.calm || value("Refer-To").is_none_or(|target| target.contains(&self.own)) {
            return self.agent.respond(now, served, StatusCode::DECLINE);
        }
        let referral = self.agent.accept_refer(now, served)?;
        match self.call(Outgoing::referred(request)?, true) {
            Ok(call) => {
                let replaces = value("Refer-To").and_then(|target| replaced_by(&target));
                self.end_of(call, |end| end.replaces = replaces);
                self.followed.insert(call, (referral, number));
            }
            Err(_) => self.tell(referral, number, StatusCode::SERVICE_UNAVAILABLE),
        }
        Ok(())
    }

    /// The outcome of a call that was made because of a REFER.
    fn concluded(&mut self, call: CallId, status: StatusCode) {
        if let Some((referral, number)) = self.followed.remove(&call) {
            self.tell(referral, number, status);
        }
    }

    fn tell(&mut self, referral: Option<ReferralId>, number: u32, status: StatusCode) {
        if let Some(referral) = referral
            && self.agent.notify_refer(self.now, referral, status).is_ok()
        {
            change(&self.transfers, |transfers| transfers.told.insert(number, status.get()));
        }
    }

    fn run(&mut self, act: Act) -> Result<(), CommandError> {
        let now = self.now;
        let peer = self.peers[act.which % self.peers.len()].clone();
        match act.kind {
            Kind::Call | Kind::CallWithoutOffer => {
                return self.call(Outgoing::to(&peer), matches!(act.kind, Kind::Call)).map(drop);
            }
            Kind::Subscribe | Kind::Watch => {
                let outgoing = match act.kind {
                    Kind::Watch => watched::address(),
                    _ => Outgoing::to(&peer),
                };
                let subscription = self.agent.subscribe(now, Subscribe::to(outgoing, "presence"))?;
                self.next += 1;
                change(&self.transfers, |transfers| transfers.begin(subscription, self.next));
                return Ok(());
            }
            Kind::Unsubscribe | Kind::Refresh => {
                let alive = change(&self.transfers, |transfers| transfers.alive());
                let Some(subscription) = alive.get(act.which % alive.len().max(1)) else { return Ok(()) };
                return match act.kind {
                    Kind::Refresh => self.agent.refresh_subscription(now, *subscription),
                    _ => self.agent.unsubscribe(now, *subscription),
                };
            }
            _ => {}
        }
        let held = self.held();
        let meant = match act.call {
            Some(call) => held.iter().find(|(held, _)| *held == call),
            None => held.get(act.which % held.len().max(1)),
        };
        let Some((call, end)) = meant.cloned() else { return Ok(()) };
        match act.kind {
            Kind::Call | Kind::CallWithoutOffer => Ok(()),
            Kind::Subscribe | Kind::Watch | Kind::Refresh | Kind::Unsubscribe => Ok(()),
            Kind::Refer => self.refer(call, Refer::to(&peer.uri().to_buf())),
            Kind::ReferToReplace => {
                let Some((other, end)) = held.iter().find(|(other, end)| *other != call && end.answered) else {
                    return Ok(());
                };
                let Some(place) = end.peer.as_ref().filter(|_| end.is_up) else { return Ok(()) };
                let replace = self.agent.replacing(*other)?;
                self.refer(call, Refer::to(place).replaces(&replace))
            }
            Kind::Ring => self.agent.ring(now, call),
            Kind::Answer => {
                let (number, body) = match end.theirs {
                    Some(Some(offer)) => (offer, described(offer)),
                    _ => self.offer(),
                };
                self.agent.answer(now, call, body)?;
                self.end_of(call, |end| {
                    end.answered = true;
                    end.reply(number);
                });
                Ok(())
            }
            Kind::Reject => {
                self.agent.reject(now, call, StatusCode::BUSY_HERE)?;
                self.end_of(call, |end| end.is_over = true);
                Ok(())
            }
            Kind::Cancel => {
                self.agent.cancel(now, call)?;
                self.end_of(call, |end| end.is_over = true);
                Ok(())
            }
            Kind::HangUp => {
                self.agent.hang_up(now, call)?;
                self.end_of(call, |end| end.is_over = true);
                Ok(())
            }
            Kind::Modify | Kind::Update => {
                let (number, offer) = self.offer();
                match act.kind {
                    Kind::Modify => self.agent.modify(now, call, offer)?,
                    _ => self.agent.update(now, call, offer)?,
                }
                self.end_of(call, |end| end.ours.push(number));
                Ok(())
            }
            Kind::Accept => {
                let Some(offered) = end.theirs else { return Ok(()) };
                let (number, body) = match offered {
                    Some(offer) => (offer, described(offer)),
                    None => self.offer(),
                };
                self.agent.accept_offer(now, call, body)?;
                self.end_of(call, |end| end.reply(number));
                Ok(())
            }
            Kind::Refuse => {
                self.agent.refuse_offer(now, call, StatusCode::NOT_ACCEPTABLE_HERE)?;
                self.end_of(call, |end| end.theirs = None);
                Ok(())
            }
            Kind::Ask => self.agent.ask_in(now, call, Method::Info, None).map(drop),
        }
    }

    /// Does the next of these about a call, later.
    fn react(&mut self, call: CallId, next: impl FnOnce(&mut Reactions) -> &mut VecDeque<(Option<Kind>, u64)>) {
        let reactions = next(&mut self.reactions);
        let Some((kind, millis)) = reactions.front().copied() else { return };
        reactions.rotate_left(1);
        if let Some(kind) = kind {
            let at = self.now + Duration::from_millis(millis);
            let place = self.acts.partition_point(|act| act.at <= at);
            self.acts.insert(place, Act { at, kind, which: 0, call: Some(call) });
        }
    }

    fn hear(&mut self, event: Event) {
        self.heard.check(&event);
        let now = self.now;
        match event {
            Event::Incoming { call, request, .. } => {
                let call_id = request.call_id().unwrap_or_default().to_owned();
                let theirs = Some(Body::of_request(&request).map(|body| number(&body)));
                self.change(|ends| ends.push(End { call_id, call: Some(call), theirs, ..End::default() }));
                self.react(call, |reactions| &mut reactions.calls);
            }
            Event::Answered { call, response } => {
                let place = response.contact().map(|contact| contact.uri.to_buf());
                self.end_of(call, |end| end.peer = place);
                self.concluded(call, response.status());
                let body = Body::of_response(&response).map(|body| number(&body));
                let late = self.end_of(call, |end| {
                    end.answered = true;
                    end.note(!end.is_up && !end.is_over, "answered twice, or after the end");
                    end.is_up = true;
                    if end.ours.is_empty() {
                        return body;
                    }
                    end.settle(body);
                    None
                });
                if let Some(offer) = late
                    && self.agent.answer_offer(now, call, described(offer)).is_ok()
                {
                    self.end_of(call, |end| end.agreed.push(offer));
                }
            }
            Event::Confirmed { call, ack } => self.end_of(call, |end| {
                end.is_up = true;
                if let Some(answer) = Body::of_request(&ack) {
                    end.settle(Some(number(&answer)));
                }
            }),
            Event::Modified { call, response, .. } => {
                let body = Body::of_response(&response).map(|body| number(&body));
                self.end_of(call, |end| end.settle(body));
            }
            Event::Offered { call, request, .. } => {
                let offer = Body::of_request(&request).map(|body| number(&body));
                self.end_of(call, |end| end.theirs = Some(offer));
                self.react(call, |reactions| &mut reactions.changes);
            }
            Event::OfferLapsed { call, .. } => self.end_of(call, |end| end.theirs = None),
            Event::Failed { call, .. } | Event::Ended { call, .. } => {
                self.end_of(call, |end| {
                    end.is_over = true;
                    end.ends += 1;
                    end.note(end.ends == 1, "its end was told twice");
                });
                if let Event::Failed { cause, .. } = event {
                    self.concluded(call, cause.counts_as());
                }
            }
            Event::Referred { served, request, .. } => {
                let _ = self.follow(served, &request);
            }
            Event::Notified { subscription, status, request } => {
                change(&self.transfers, |transfers| transfers.notified(subscription, status, &request));
            }
            Event::SubscriptionEnded { subscription, cause, again: None } => {
                change(&self.transfers, |transfers| transfers.ended(subscription, &cause));
            }
            Event::Asked { served, .. } => {
                let _ = self.agent.respond(now, served, StatusCode::OK);
            }
            _ => {}
        }
    }
}

impl End {
    fn note(&mut self, is_right: bool, wrong: &str) {
        if !is_right {
            self.wrong.get_or_insert_with(|| wrong.to_owned());
        }
    }

    /// Our reply is out: the answer to the offer of that number, or an offer.
    fn reply(&mut self, number: u32) {
        match self.theirs.take() {
            Some(Some(_)) => self.agreed.push(number),
            _ => self.ours.push(number),
        }
    }

    /// Our offer was answered with a description of that number.
    fn settle(&mut self, answer: Option<u32>) {
        match self.ours.iter().position(|offer| answer == Some(*offer)) {
            Some(place) => {
                let offer = self.ours.swap_remove(place);
                self.agreed.push(offer);
            }
            None => self.note(answer.is_none(), "the answer is to no offer"),
        }
    }
}

/// The Call-ID that the Replaces of a Refer-To begins with.
fn replaced_by(target: &str) -> Option<String> {
    let value = target.split_once("Replaces=")?.1;
    Some(value.split("%3B").next()?.replace("%40", "@"))
}

/// A description of a session that has a number.
fn described(number: u32) -> Body {
    Body::sdp(format!("v=0\r\no=- {number} 1 IN IP4 192.0.2.1\r\ns=-\r\nt=0 0\r\nm=audio 9 RTP/AVP 0\r\n"))
}

fn number(body: &Body) -> u32 {
    let text = String::from_utf8_lossy(&body.bytes);
    text.split("o=- ").nth(1).and_then(|rest| rest.split(' ').next()?.parse().ok()).unwrap_or_default()
}

impl Node for Player {
    type Event = Note;

    fn handle(&mut self, now: Instant, input: Input<'_>) {
        self.now = self.now.max(now);
        while self.due().is_some_and(|at| at <= self.now) {
            self.act();
        }
        self.heard.note(&input);
        self.agent.handle(now, input);
    }

    fn poll(&mut self) -> Option<Output<Note>> {
        loop {
            match self.agent.poll()?.into_event() {
                Ok(event) => self.hear(event),
                Err(output) => return Some(output),
            }
        }
    }

    fn deadline(&self) -> Option<Instant> {
        [self.due(), self.agent.deadline()].into_iter().flatten().min()
    }

    fn is_idle(&self) -> bool {
        self.stage == 3 && self.agent.is_idle()
    }

    fn reserve(&mut self) -> ConnectionId {
        self.agent.reserve()
    }
}

impl Actor for Player {
    fn calls(&self) -> Vec<Call> {
        use sansip_sim::actor::CallState as State;
        let state = |state| match state {
            CallState::Established => State::Established,
            CallState::Ending => State::Ending,
            _ => State::Trying,
        };
        self.agent.calls().map(|info| Call { call_id: info.call_id.to_owned(), state: state(info.state) }).collect()
    }

    fn census(&self) -> Census {
        let (endpoint, user_agent) = (self.agent.endpoint().census(), self.agent.user().census());
        Census { endpoint, user_agent, ..Census::default() }
    }

    fn clone_box(&self) -> Box<dyn Actor> {
        Box::new(self.clone())
    }
}
