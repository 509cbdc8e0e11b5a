//! CANCEL processing (RFC 3261 §16.10, §16.7 step 10).

use alloc::boxed::Box;
use alloc::vec::Vec;

use super::response_context::{ResponseContext, Stage};
use super::{Core, Refusal, Work};
use crate::endpoint::Arrival;
use crate::message::{HeaderId, Lines, Request, Response, StatusCode, unfolded};
use crate::stack::Context;
use crate::tag::Tag;

impl Core {
    /// Takes a CANCEL for the request of a response context: 200, and its branches are cancelled, for the same Reason (RFC 3326).
    /// A request whose targets are not known yet is over (487); the answer to its question will be `Gone`. `cancels` is the mark of
    /// the transaction that the CANCEL is for ([`Arrival::cancels`]).
    pub fn cancel<E>(&mut self, cx: &mut Context<'_, E>, arrival: Arrival, cancels: Tag) {
        let response = Response::to(&arrival.request, StatusCode::OK);
        let reason = reason_of(&arrival.request);
        cx.answer(arrival, response);
        // A CANCEL has no effect on anything but an INVITE without a final response (§9.2).
        let Ok(Work::Context(id)) = cancels.try_into() else { return };
        let Some(context) = self.contexts.get_mut(id).filter(|context| context.invite) else { return };
        if context.take_question(cx).is_some() {
            context.answer(cx, &Refusal::Status(StatusCode::REQUEST_TERMINATED));
        } else if context.stage == Stage::Forwarding {
            context.fork.end();
            context.cancel_branches(cx, &reason);
            self.advance(cx, id);
        }
    }
}

/// The Reason of a CANCEL: all its values. One that cannot be written again is as if absent.
fn reason_of(cancel: &Request) -> Vec<u8> {
    let mut reason = Vec::new();
    for value in cancel.headers().values(HeaderId::Reason, true) {
        let Ok(value) = unfolded(value) else { continue };
        if !reason.is_empty() {
            reason.extend_from_slice(b", ");
        }
        reason.extend_from_slice(value.trim_ascii());
    }
    reason
}

impl ResponseContext {
    /// Cancels every branch of an INVITE that has no final response; the endpoint waits for a provisional one (§9.1) and
    /// sends no second CANCEL. `reason` is the value of the CANCEL's Reason, if it is not empty.
    pub(super) fn cancel_branches<E>(&self, cx: &mut Context<'_, E>, reason: &[u8]) {
        if !self.invite {
            return;
        }
        for branch in self.open() {
            let fields = (!reason.is_empty()).then(|| {
                let mut fields = Lines::new();
                fields.header(HeaderId::Reason, reason);
                Box::new(fields)
            });
            let _ = cx.cancel_with(branch.delivery, fields);
        }
    }
}
