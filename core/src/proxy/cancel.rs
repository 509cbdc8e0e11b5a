//! CANCEL processing (RFC 3261 §16.10, §16.7 step 10).

use super::Core;
use super::response_context::{BranchState, ResponseContext, Stage};
use crate::endpoint::{Arrival, Endpoint};
use crate::message::{Response, StatusCode};
use crate::proxy::ResponseContextId;
use crate::time::Instant;

impl Core {
    /// Takes a CANCEL for the request of a response context: 200, and its branches are cancelled. A request whose targets are
    /// not known yet is over (487); the answer to its question will be `Gone`.
    pub fn cancel(&mut self, now: Instant, endpoint: &mut Endpoint, arrival: Arrival, id: ResponseContextId) {
        let tag = endpoint.random().tag();
        let response = Response::to(&arrival.request, StatusCode::OK).to_tag(&tag).finish();
        let server = endpoint.accept(now, arrival, self.answered());
        if let Ok(response) = response {
            let _ = endpoint.respond(now, server, response);
        }
        // A CANCEL has no effect on anything but an INVITE without a final response (§9.2).
        let Some(context) = self.contexts.get_mut(id).filter(|context| context.invite) else { return };
        if context.take_question(endpoint).is_some() {
            context.answer(now, endpoint, StatusCode::REQUEST_TERMINATED);
        } else if context.stage == Stage::Forwarding {
            context.cancel_branches(now, endpoint);
        }
    }
}

impl ResponseContext {
    /// Cancels every branch of an INVITE that has no final response; the endpoint waits for a provisional one (§9.1) and
    /// sends no second CANCEL.
    pub(super) fn cancel_branches(&mut self, now: Instant, endpoint: &mut Endpoint) {
        if !self.invite {
            return;
        }
        for branch in &self.branches {
            if matches!(branch.state, BranchState::Calling | BranchState::Proceeding) {
                let _ = endpoint.cancel(now, branch.delivery);
            }
        }
    }
}
