//! The response context (RFC 3261 §16.6, §16.7): a request's server transaction, its branches, and the final responses that
//! wait for the best to be chosen.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::net::IpAddr;

use smallvec::SmallVec;

use super::best::{self, Candidate};
use super::fork::Fork;
use super::loop_check::SecondPart;
use super::{LostWay, Refusal};
use crate::endpoint::DeliveryId;
use crate::flow::ListenerId;
use crate::message::{Request, Response, StatusCode};
use crate::stack::Context;
use crate::targets::Target;
use crate::time::{Duration, Instant};
use crate::timer::TimerId;
use crate::transaction::ServerTransactionId;
use crate::transport::Peers;

/// The Reason of the CANCELs after a 2xx (RFC 3326 §2).
const COMPLETED_ELSEWHERE: &[u8] = b"SIP ;cause=200 ;text=\"Call completed elsewhere\"";

/// A request on its way through this proxy.
#[derive(Clone, Debug)]
pub(super) struct ResponseContext {
    /// The request after preprocessing.
    pub(super) request: Request,
    /// Where it came in.
    pub(super) listener: ListenerId,
    /// The address that it came from.
    pub(super) source: IpAddr,
    /// The special addresses that its dialog has been to.
    pub(super) peers: Option<Box<Peers>>,
    /// The listener that sends its copies, if a route said so.
    pub(super) outbound: Option<ListenerId>,
    pub(super) server: ServerTransactionId,
    /// Whether the server transaction is still there.
    pub(super) serving: bool,
    pub(super) invite: bool,
    /// When a request other than INVITE ends without a response, as its sender gives up (RFC 4320 §4.2); never for an INVITE.
    pub(super) until: Instant,
    /// Whether the Request-URI is the owner's to lead on.
    pub(super) responsible: bool,
    /// The second part of its branches (RFC 5393 §4.2).
    pub(super) loop_part: SecondPart,
    pub(super) stage: Stage,
    pub(super) fork: Box<Fork>,
    pub(super) branches: SmallVec<[Branch; 1]>,
    /// The final responses so far, while none was forwarded.
    pub(super) candidates: Vec<Candidate>,
    /// The final status that was sent on, or should have been.
    pub(super) told: Option<StatusCode>,
    /// The time for which branches may hold the candidates back, if that is limited and there are any.
    pub(super) hold: Option<Box<Hold>>,
}

/// The time for which open branches may hold back the final responses of others.
#[derive(Clone, Debug)]
pub(super) struct Hold {
    /// When the first candidate came.
    pub(super) since: Instant,
    pub(super) limit: Duration,
    /// The timer for the open branch whose time is over first, and when it fires.
    pub(super) timer: Option<(TimerId, Instant)>,
}

impl Hold {
    /// The end of the time of a branch: each has the whole limit, also one that has begun when candidates were there.
    pub(super) fn end_of(&self, branch: &Branch) -> Instant {
        self.since.max(branch.began) + self.limit
    }
}

/// How far a request has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stage {
    /// The owner was asked for its targets; until when.
    Asking(TimerId),
    /// Its branches are out.
    Forwarding,
    /// A final response was sent: only 2xx to INVITE may still follow.
    Answered,
}

/// One target's client transactions, which the endpoint keeps as one delivery.
#[derive(Clone, Debug)]
pub(super) struct Branch {
    pub(super) delivery: DeliveryId,
    pub(super) began: Instant,
    /// Timer C, while no final response came (INVITE only).
    pub(super) timer_c: Option<TimerId>,
    pub(super) state: BranchState,
    /// Its share of Max-Breadth.
    pub(super) share: u32,
    /// Its way, if the way leads along a flow, ours or another proxy's (RFC 5626 §5.3).
    pub(super) way: Option<Box<LostWay>>,
    /// How much its target is preferred.
    pub(super) q: u16,
    /// The next way to the same phone (RFC 5626 §7).
    pub(super) instead: Option<Box<Target>>,
    /// The 3xx whose contacts the owner was asked about, and until when.
    pub(super) redirected: Option<Box<(Response, TimerId)>>,
}

/// How far a branch has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum BranchState {
    /// Nothing.
    Calling,
    /// A provisional response.
    Proceeding,
    /// A final response, or what counts as one; the transaction lingers.
    Final,
    /// The end of its transaction.
    Over,
}

impl Branch {
    /// Whether a final response is still to come.
    pub(super) const fn is_open(&self) -> bool {
        matches!(self.state, BranchState::Calling | BranchState::Proceeding)
    }

    /// A final response came, or what counts as one. Whether it is the first.
    pub(super) fn end<E>(&mut self, cx: &mut Context<'_, E>, state: BranchState) -> bool {
        if let Some(timer) = self.timer_c.take() {
            cx.disarm(timer);
        }
        let first = self.is_open();
        self.state = state;
        first
    }
}

impl ResponseContext {
    /// Ends the question, if it is still open.
    pub(super) fn take_question<E>(&mut self, cx: &mut Context<'_, E>) -> Option<()> {
        let Stage::Asking(timer) = self.stage else { return None };
        cx.disarm(timer);
        self.stage = Stage::Forwarding;
        Some(())
    }

    /// The branch that `delivery` is.
    pub(super) fn branch_of(&mut self, delivery: DeliveryId) -> Option<&mut Branch> {
        self.branches.iter_mut().find(|branch| branch.delivery == delivery)
    }

    /// The branches that have no final response.
    pub(super) fn open(&self) -> impl Iterator<Item = &Branch> {
        self.branches.iter().filter(|branch| branch.is_open())
    }

    /// Whether all its transactions are over.
    pub(super) fn is_over(&self) -> bool {
        !self.serving && self.branches.iter().all(|branch| branch.state == BranchState::Over)
    }

    /// Whether the owner has yet to say which contacts of a 3xx are tried.
    fn is_redirected(&self) -> bool {
        self.branches.iter().any(|branch| branch.redirected.is_some())
    }

    /// Whether the sender of a request other than INVITE has given up, so that no final response serves it (RFC 4320 §4.2).
    fn is_given_up<E>(&self, cx: &Context<'_, E>) -> bool {
        self.until <= cx.now()
    }

    /// Whether a response of our own could come when the sender of a request other than INVITE has given up: the sender began before the request came, and T1
    /// is the estimate of a round trip.
    fn is_hardly_awaited<E>(&self, cx: &Context<'_, E>) -> bool {
        self.until <= cx.now() + cx.config().timers.t1
    }

    /// Sends a final response of our own. After a question that was just taken, or as the best response.
    pub(super) fn answer<E>(&mut self, cx: &mut Context<'_, E>, refusal: &Refusal) {
        // The endpoint sends none, and ends the transaction (RFC 4320 §4.2).
        let refusal = if self.is_hardly_awaited(cx) { &Refusal::Status(StatusCode::REQUEST_TIMEOUT) } else { refusal };
        let tag = cx.random().tag();
        let response = refusal.response(&self.request).to_tag(&tag);
        self.told = Some(response.status());
        let written = response.octets();
        // To whom not even this can be said, nothing can: the sender gives up by itself.
        let Ok(octets) = written else { return self.answered(cx) };
        let _ = cx.respond_octets(self.server, response.status(), octets);
        self.answered(cx);
    }

    /// Sends a provisional response on.
    pub(super) fn send_provisional<E>(&self, cx: &mut Context<'_, E>, response: &Response) {
        let Ok(framing) = cx.framing(self.server) else { return };
        let written = response.octets_without_top_via(framing);
        // One that is too long with a Content-Length is left out: the final response is what counts.
        let Ok(octets) = written else { return };
        let _ = cx.respond_octets(self.server, response.status(), octets);
    }

    /// Sends a final response, or another 2xx, on and cancels what is left (§16.7 steps 9 and 10). If the server transaction is
    /// gone the response is discarded (RFC 6026 §8.3).
    pub(super) fn send_on<E>(&mut self, cx: &mut Context<'_, E>, response: &Response) {
        if self.is_given_up(cx) {
            return self.answer(cx, &Refusal::Status(StatusCode::REQUEST_TIMEOUT));
        }
        let is_late = self.told.is_some_and(|told| !told.is_success());
        if !is_late {
            self.told = Some(response.status());
        }
        let Ok(framing) = cx.framing(self.server) else { return self.answered(cx) };
        match response.octets_without_top_via(framing) {
            // §16.7 step 5 wants a 2xx sent even behind another final response. One that is too long is left out.
            Ok(octets) if is_late => cx.respond_late(self.server, octets),
            Err(_) if is_late => {}
            Ok(octets) => {
                let _ = cx.respond_octets(self.server, response.status(), octets);
                if response.status().is_success() {
                    self.end_fork(cx);
                    self.cancel_after_success(cx);
                } else {
                    self.answered(cx);
                }
            }
            // It is too long with a Content-Length.
            Err(_) => self.answer(cx, &Refusal::Status(StatusCode::BAD_GATEWAY)),
        }
    }

    /// A 2xx ends the other branches (RFC 3326 §2), unless the caller wants to do that (RFC 3841 §9.1).
    fn cancel_after_success<E>(&self, cx: &mut Context<'_, E>) {
        if self.fork.cancels {
            self.cancel_branches(cx, COMPLETED_ELSEWHERE);
        }
    }

    /// A final response is sent: nothing waits for another, and what is left is cancelled.
    fn answered<E>(&mut self, cx: &mut Context<'_, E>) {
        self.end_fork(cx);
        self.cancel_branches(cx, b"");
    }

    /// A final response is sent: no other target is tried, and none is chosen any more.
    fn end_fork<E>(&mut self, cx: &mut Context<'_, E>) {
        self.stage = Stage::Answered;
        self.candidates = Vec::new();
        self.fork.end();
        if let Some((timer, _)) = self.hold.take().and_then(|hold| hold.timer) {
            cx.disarm(timer);
        }
        for branch in &mut self.branches {
            if let Some(redirected) = branch.redirected.take() {
                cx.disarm(redirected.1);
            }
        }
    }

    /// Once every branch has had its final response, no target waits and none was forwarded: chooses the best and sends it (§16.7
    /// step 6).
    pub(super) fn choose<E>(&mut self, cx: &mut Context<'_, E>) {
        let waits = self.open().next().is_some() || self.is_redirected() || !self.fork.is_spent();
        if self.stage != Stage::Forwarding || waits {
            return;
        }
        // Each branch left a candidate, but for one whose contacts were all tried; the RFC's 408 is for a context without any.
        match best::best(&self.candidates) {
            // That one server is overloaded does not mean that this one is.
            best if best.status() == StatusCode::SERVICE_UNAVAILABLE => {
                self.answer(cx, &Refusal::Status(StatusCode::SERVER_INTERNAL_ERROR));
            }
            Candidate::Own(refusal) => self.answer(cx, &refusal),
            Candidate::Received(response) => self.send_on(cx, &response),
        }
    }
}
