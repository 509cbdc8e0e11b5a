//! The transaction user of a back-to-back user agent (RFC 7092): every call that comes in makes one that goes out, and what happens to
//! one leg happens to the other. It stands on a user agent's core, and knows no socket.

use std::collections::{BTreeMap, VecDeque};
use std::fmt::Display;

use sansip::message::header::NameAddrBuf;
use sansip::message::{Request, SharedBytes, StatusCode};
use sansip::user_agent::{self, Body, CallDialog, Event, Extra, Outgoing, Profile, Reply};
use sansip::{CallId, Context, DropCause, Flow, Indication, NextHop, Seed, TransactionUser};

/// The role of the core among the marks of transactions.
const AGENT: u8 = 1;

/// Something that the bridge tells.
#[derive(Clone, Debug)]
pub(crate) enum Told {
    /// A call came in, and the call to that address goes out.
    Begun(NameAddrBuf),
    /// The call that went out is answered.
    Answered,
    /// One leg is over, and the other ends: with this status if it was never answered.
    Over(Option<StatusCode>),
    /// A message of a peer was dropped ([`Config::drops`](sansip::Config)).
    Dropped(DropCause, Flow, SharedBytes),
}

/// Both legs of each call.
#[derive(Clone, Debug)]
pub(crate) struct Bridge {
    agent: user_agent::Core,
    /// Where calls go.
    next_hop: NextHop,
    /// The other leg of each.
    others: BTreeMap<CallId, CallId>,
    /// Offers within a call that wait for the answer of the other leg, by that leg.
    offers: BTreeMap<CallId, CallDialog>,
}

impl Bridge {
    pub(crate) fn new(profile: Profile, next_hop: NextHop, seed: Seed) -> Self {
        // Whoever is called is somebody else.
        let agent = user_agent::Core::new(Profile { any_user: true, ..profile }, seed);
        Self { agent, next_hop, others: BTreeMap::new(), offers: BTreeMap::new() }
    }

    /// Ends all calls.
    pub(crate) fn shut_down(&mut self, cx: &mut Context<'_, Told>) {
        self.run(cx, |bridge, cx| bridge.agent.shut_down(cx));
    }

    /// Lets the core do something, and hears what it says until it says nothing more.
    fn run(&mut self, cx: &mut Context<'_, Told>, act: impl FnOnce(&mut Self, &mut Context<'_, Event>)) {
        let mut events = VecDeque::new();
        act(self, &mut cx.for_owned(AGENT, &mut events));
        while let Some(event) = events.pop_front() {
            if let Some(told) = self.hear(&mut cx.for_owned(AGENT, &mut events), event) {
                cx.emit(told);
            }
        }
    }

    fn hear(&mut self, cx: &mut Context<'_, Event>, event: Event) -> Option<Told> {
        match event {
            Event::Incoming { call, request, .. } => match self.call_out(cx, call, &request) {
                Some(to) => return Some(Told::Begun(to)),
                None => drop(self.agent.reject(cx, call, &Reply::new(StatusCode::SERVER_INTERNAL_ERROR))),
            },
            // The caller may be gone already.
            Event::Progress { call, response, .. } => {
                let (caller, description) = (*self.others.get(&call)?, Body::of_response(&response));
                let _ = self.agent.progress(cx, caller, response.status(), &description.into());
            }
            Event::Answered { call, response } => {
                if self.agent.answer(cx, *self.others.get(&call)?, &Body::of_response(&response).into()).is_err() {
                    self.end(cx, call);
                }
                return Some(Told::Answered);
            }
            // The offer was that of the 2xx, and the answer comes with the ACK.
            Event::Confirmed { call, ack } if Body::of_request(&ack).is_some() => {
                let _ = self.agent.answer_offer(cx, *self.others.get(&call)?, &Body::of_request(&ack).into());
            }
            Event::Offered { call, dialog, request } => {
                let (own, other) = (CallDialog::from((call, dialog)), *self.others.get(&call)?);
                match self.agent.modify(cx, other, &Body::of_request(&request).into()) {
                    Ok(()) => drop(self.offers.insert(other, own)),
                    // Both sides offer at once: the other side's goes first (RFC 3261 §14.2).
                    Err(_) => drop(self.agent.refuse_offer(cx, own, &Reply::new(StatusCode::REQUEST_PENDING))),
                }
            }
            Event::Modified { call, response, .. } => {
                let _ = self.agent.accept_offer(cx, self.offers.remove(&call)?, &Body::of_response(&response).into());
            }
            Event::ModifyFailed { call, cause, .. } => {
                let _ = self.agent.refuse_offer(cx, self.offers.remove(&call)?, &Reply::new(cause.counts_as()));
            }
            Event::Failed { call, cause } => {
                let (other, status) = (self.part(call)?, cause.counts_as());
                if self.agent.reject(cx, other, &Reply::new(status)).is_err() {
                    self.end(cx, other);
                }
                return Some(Told::Over(Some(status)));
            }
            Event::Ended { call, .. } => {
                self.part(call).map(|other| self.end(cx, other))?;
                return Some(Told::Over(None));
            }
            Event::Dropped { why, flow, bytes } => return Some(Told::Dropped(why, flow, bytes)),
            _ => {}
        }
        None
    }

    /// Calls whom the caller has asked for, in the caller's name and with the caller's offer.
    fn call_out(&mut self, cx: &mut Context<'_, Event>, caller: CallId, request: &Request) -> Option<NameAddrBuf> {
        let address = |uri: &dyn Display| format!("<{uri}>").parse::<NameAddrBuf>().ok();
        let (to, from) = (address(&request.uri().ok()?)?, address(&request.headers().from()?.uri)?);
        let outgoing = Outgoing::to(&to).from(&from).next_hop(self.next_hop.clone()).body(Body::of_request(request));
        let callee = self.agent.call(cx, &outgoing).ok()?;
        self.others.extend([(caller, callee), (callee, caller)]);
        Some(to)
    }

    /// Forgets that two calls are legs of one; the other one.
    fn part(&mut self, call: CallId) -> Option<CallId> {
        let other = self.others.remove(&call)?;
        self.others.remove(&other);
        self.offers.retain(|leg, _| *leg != call && *leg != other);
        Some(other)
    }

    /// Ends a leg that the other one has left.
    fn end(&mut self, cx: &mut Context<'_, Event>, call: CallId) {
        let _ = self.agent.hang_up(cx, call, &Extra::new());
    }
}

impl TransactionUser for Bridge {
    type Event = Told;

    fn indicate(&mut self, cx: &mut Context<'_, Told>, indication: Indication) {
        self.run(cx, |bridge, cx| bridge.agent.indicate(cx, indication));
    }

    fn is_idle(&self) -> bool {
        self.agent.is_idle()
    }
}
