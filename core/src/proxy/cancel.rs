//! CANCEL processing (RFC 3261 §16.10, §16.7 step 10).

use super::response_context::{BranchState, ResponseContext, Stage};
use super::{Core, Work};
use crate::endpoint::Arrival;
use crate::message::{Response, StatusCode};
use crate::stack::Context;
use crate::tag::Tag;

impl Core {
    /// Takes a CANCEL for the request of a response context: 200, and its branches are cancelled. A request whose targets are
    /// not known yet is over (487); the answer to its question will be `Gone`. `cancels` is the mark of the transaction that the
    /// CANCEL is for ([`Arrival::cancels`]).
    pub fn cancel<E>(&mut self, cx: &mut Context<'_, E>, arrival: Arrival, cancels: Tag) {
        let response = Response::to(&arrival.request, StatusCode::OK);
        cx.answer(arrival, response);
        // A CANCEL has no effect on anything but an INVITE without a final response (§9.2).
        let Ok(Work::Context(id)) = cancels.try_into() else { return };
        let Some(context) = self.contexts.get_mut(id).filter(|context| context.invite) else { return };
        if context.take_question(cx).is_some() {
            context.answer(cx, StatusCode::REQUEST_TERMINATED);
        } else if context.stage == Stage::Forwarding {
            context.cancel_branches(cx);
        }
    }
}

impl ResponseContext {
    /// Cancels every branch of an INVITE that has no final response; the endpoint waits for a provisional one (§9.1) and
    /// sends no second CANCEL.
    pub(super) fn cancel_branches<E>(&mut self, cx: &mut Context<'_, E>) {
        if !self.invite {
            return;
        }
        for branch in &self.branches {
            if matches!(branch.state, BranchState::Calling | BranchState::Proceeding) {
                let _ = cx.cancel(branch.delivery);
            }
        }
    }
}
