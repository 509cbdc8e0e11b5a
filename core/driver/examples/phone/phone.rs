//! The phone: reacts to events of its node.

use std::net::IpAddr;

use sansip::message::StatusCode;
use sansip::message::header::NameAddrBuf;
use sansip::user_agent::{Core, Event, Outgoing, Register, UserAgent};
use sansip::{CallId, Duration, Instant};

use crate::Options;
use crate::shared::{Debug, Outcome, Program, Sessions, say};
use crate::transfer::Transfer;

/// How long the phone stays after its last word, to answer what is sent again: the node would stay 64·T1, for a peer whose 200 comes
/// again because our ACK was lost.
const GOODBYE: Duration = Duration::from_secs(1);

pub(crate) struct Phone<'a> {
    pub(crate) options: &'a Options,
    /// Whom it calls, until it does.
    target: Option<&'a NameAddrBuf>,
    pub(crate) sessions: Sessions,
    pub(crate) calls: Vec<CallId>,
    transfer: Transfer,
    hang_up: Option<Instant>,
    /// The registrar has our contact.
    is_bound: bool,
    is_ending: bool,
    pub(crate) went_well: bool,
}

impl<'a> Phone<'a> {
    pub(crate) fn new(options: &'a Options, ip: IpAddr) -> Self {
        let (target, sessions) = (options.call.as_ref(), Sessions::at(ip));
        let (calls, transfer, hang_up) = (Vec::new(), Transfer::default(), None);
        let (is_bound, is_ending, went_well) = (false, false, false);
        Self { options, target, sessions, calls, transfer, hang_up, is_bound, is_ending, went_well }
    }

    /// Registers first if there is a registrar, then calls.
    pub(crate) fn begin(&mut self, agent: &mut UserAgent, now: Instant, registers: bool) -> Outcome<()> {
        if registers {
            agent.register(now, Register::of(&self.options.aor))?;
        } else if let Some(target) = self.target.take() {
            let call = Outgoing::to(target).body(self.sessions.next("sendrecv"));
            self.calls.push(agent.call(now, call)?);
        }
        Ok(())
    }

    fn is_over(&mut self, agent: &mut UserAgent, now: Instant, call: CallId) {
        self.calls.retain(|other| *other != call);
        if self.calls.is_empty() {
            self.stops(agent, now);
        }
    }
}

impl Program<Core> for Phone<'_> {
    fn told(&mut self, agent: &mut UserAgent, now: Instant, event: Event) -> Outcome<()> {
        match event {
            Event::Registered { .. } if self.is_ending => {
                say(format_args!("{now} not registered any more"));
                self.is_bound = false;
            }
            Event::Registered { .. } if !self.is_bound => {
                say(format_args!("{now} registered"));
                self.is_bound = true;
                self.begin(agent, now, false)?;
            }
            Event::RegistrationFailed { cause, .. } => {
                say(format_args!("{now} not registered: {}", cause.counts_as()));
                self.is_bound = false;
                self.stops(agent, now);
            }
            Event::Incoming { call, .. } if self.options.answer && self.calls.is_empty() => {
                say(format_args!("{now} {call} comes in"));
                self.calls.push(call);
                agent.ring(now, call)?;
                agent.answer(now, call, self.sessions.next("sendrecv"))?;
            }
            Event::Incoming { call, .. } => agent.reject(now, call, StatusCode::BUSY_HERE)?,
            Event::Progress { response, .. } => say(format_args!("{now} {}", response.status())),
            Event::Answered { call, .. } | Event::Confirmed { call, .. } => {
                say(format_args!("{now} {call} is established"));
                self.transfer.outcome(agent, now, call, StatusCode::OK);
                self.hang_up = self.options.hang_up_after.map(|time| now + time);
            }
            Event::Offered { call, dialog, request } => {
                agent.accept_offer(now, (call, dialog), self.sessions.answer(request.body()))?;
                say(format_args!("{now} {call} was changed by the other end"));
            }
            Event::Modified { call, .. } => say(format_args!("{now} {call} is changed")),
            Event::Referred { served, request, .. } => {
                let session = self.sessions.next("sendrecv");
                self.calls.push(self.transfer.accept(agent, now, (served, &request), session)?);
            }
            Event::Notified { status: Some(status), .. } => {
                say(format_args!("{now} the transfer: {status}"));
                if let Some(call) = self.calls.first().filter(|_| status.is_success()) {
                    agent.hang_up(now, *call)?;
                }
            }
            Event::Dropped { why, flow, bytes } => Debug::dropped(now, why, flow, &bytes),
            Event::Ended { call, .. } => {
                say(format_args!("{now} {call} is over"));
                self.went_well = true;
                self.is_over(agent, now, call);
            }
            Event::Failed { call, cause } => {
                say(format_args!("{now} {call} came to nothing: {}", cause.counts_as()));
                self.transfer.outcome(agent, now, call, cause.counts_as());
                self.is_over(agent, now, call);
            }
            _ => {}
        }
        Ok(())
    }

    fn typed(&mut self, agent: &mut UserAgent, now: Instant, line: &str) {
        // A command that does not fit now, or is none, is said to be so.
        self.obey(agent, now, line).unwrap_or_else(|problem| say(format_args!("{now} {problem}")));
    }

    fn stops(&mut self, agent: &mut UserAgent, now: Instant) {
        self.hang_up = None;
        if !std::mem::replace(&mut self.is_ending, true) {
            agent.shut_down(now);
        }
    }

    fn until(&self) -> Option<Instant> {
        self.hang_up
    }

    fn turned(&mut self, agent: &mut UserAgent, now: Instant) -> Outcome<Option<Duration>> {
        if self.hang_up.is_some_and(|at| at <= now) {
            self.stops(agent, now);
        }
        let is_over = self.is_ending && self.calls.is_empty() && !self.is_bound;
        Ok(is_over.then_some(GOODBYE))
    }
}
