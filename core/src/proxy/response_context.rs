//! The response context (RFC 3261 §16.6, §16.7): a request's server transaction, its branches, and the final responses that
//! wait for the best to be chosen.

use alloc::boxed::Box;
use alloc::vec::Vec;

use smallvec::SmallVec;

use super::loop_check::SecondPart;
use crate::endpoint::DeliveryId;
use crate::flow::ListenerId;
use crate::message::{Framing, HeaderId, HeaderName, Request, Response, StatusCode, unfolded};
use crate::stack::Context;
use crate::timer::TimerId;
use crate::transaction::ServerTransactionId;

/// A request on its way through this proxy.
#[derive(Clone, Debug)]
pub(super) struct ResponseContext {
    /// The request after preprocessing.
    pub(super) request: Request,
    /// Where it came in.
    pub(super) listener: ListenerId,
    pub(super) server: ServerTransactionId,
    /// Whether the server transaction is still there.
    pub(super) serving: bool,
    pub(super) invite: bool,
    /// The second part of its branches (RFC 5393 §4.2).
    pub(super) loop_part: SecondPart,
    pub(super) stage: Stage,
    pub(super) branches: SmallVec<[Branch; 1]>,
    /// The final responses so far, while none was forwarded.
    pub(super) candidates: Vec<Candidate>,
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
    /// Timer C, while no final response came (INVITE only).
    pub(super) timer_c: Option<TimerId>,
    pub(super) state: BranchState,
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

/// A final response that may be the best one.
#[derive(Clone, Debug)]
pub(super) enum Candidate {
    /// From downstream, our Via still on top.
    Received(Box<Response>),
    /// The status that a failure counts as (§16.7 step 6, §16.8, §16.9).
    Own(StatusCode),
}

impl Candidate {
    fn status(&self) -> StatusCode {
        match self {
            Self::Received(response) => response.status(),
            Self::Own(status) => *status,
        }
    }

    /// The order of preference, the best lowest (§16.7 step 6): 6xx, then the lowest class, and within 4xx what helps to ask
    /// again. A 503 says nothing about other targets; a time-out says least of all.
    fn rank(&self) -> (u8, u8) {
        let status = self.status();
        let class = if status.class() == 6 { 0 } else { status.class() };
        let within = match status.get() {
            401 | 407 => 0,
            415 | 420 | 484 => 1,
            408 | 487 | 503 => 3,
            _ => 2,
        };
        (class, within)
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

    /// Whether all its transactions are over.
    pub(super) fn is_over(&self) -> bool {
        !self.serving && self.branches.iter().all(|branch| branch.state == BranchState::Over)
    }

    /// Sends a final response of our own. After a question that was just taken, or as the best response.
    pub(super) fn answer<E>(&mut self, cx: &mut Context<'_, E>, status: StatusCode) {
        let tag = cx.random().tag();
        let written = Response::to(&self.request, status).to_tag(&tag).octets();
        // To whom not even this can be said, nothing can: the sender gives up by itself.
        let Ok(response) = written else { return self.answered(cx) };
        let _ = cx.respond_octets(self.server, status, response);
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
        let Ok(framing) = cx.framing(self.server) else { return self.answered(cx) };
        match response.octets_without_top_via(framing) {
            Ok(octets) => {
                let _ = cx.respond_octets(self.server, response.status(), octets);
                self.answered(cx);
            }
            // It is too long with a Content-Length.
            Err(_) => self.answer(cx, StatusCode::BAD_GATEWAY),
        }
    }

    /// A final response is sent: nothing waits for another, and what is left is cancelled.
    fn answered<E>(&mut self, cx: &mut Context<'_, E>) {
        self.stage = Stage::Answered;
        self.candidates = Vec::new();
        self.cancel_branches(cx);
    }

    /// Once every branch has had its final response and none was forwarded: chooses the best and sends it (§16.7 step 6).
    pub(super) fn choose<E>(&mut self, cx: &mut Context<'_, E>) {
        let open = |branch: &Branch| matches!(branch.state, BranchState::Calling | BranchState::Proceeding);
        if self.stage != Stage::Forwarding || self.branches.iter().any(open) {
            return;
        }
        // Each branch left a candidate; the RFC's 408 is for a context in which none did.
        let best = self.candidates.iter().min_by_key(|candidate| candidate.rank());
        match best.cloned().unwrap_or(Candidate::Own(StatusCode::REQUEST_TIMEOUT)) {
            // That one server is overloaded does not mean that this one is.
            best if best.status() == StatusCode::SERVICE_UNAVAILABLE => {
                self.answer(cx, StatusCode::SERVER_INTERNAL_ERROR);
            }
            Candidate::Own(status) => self.answer(cx, status),
            Candidate::Received(response) if is_challenge(response.status()) => {
                let response = self.with_challenges(&response);
                self.send_on(cx, &response);
            }
            Candidate::Received(response) => self.send_on(cx, &response),
        }
    }

    /// A 401 or 407 with the challenges of all the others (§16.7 step 7).
    fn with_challenges(&self, chosen: &Response) -> Response {
        let passed_on = |response: &Response| response.octets_without_top_via(Framing::Datagram);
        let said = passed_on(chosen);
        let mut edit = chosen.edit();
        for candidate in &self.candidates {
            let Candidate::Received(other) = candidate else { continue };
            if !is_challenge(other.status()) || passed_on(other) == said {
                continue;
            }
            for field in other.headers().iter() {
                // A malformed challenge is as if absent.
                if let HeaderName::Known(id @ (HeaderId::WwwAuthenticate | HeaderId::ProxyAuthenticate)) = field.name
                    && let Ok(challenge) = unfolded(field.value)
                {
                    edit = edit.append(id, challenge);
                }
            }
        }
        match edit.finish() {
            Ok(response) => response,
            // Together they are too long: those of the chosen one do.
            Err(_) => chosen.clone(),
        }
    }
}

/// Whether a response of this status asks for credentials.
const fn is_challenge(status: StatusCode) -> bool {
    matches!(status, StatusCode::UNAUTHORIZED | StatusCode::PROXY_AUTHENTICATION_REQUIRED)
}
