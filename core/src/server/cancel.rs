//! CANCEL (RFC 3261 §9.2, §16.10).

use super::known::Known;
use super::policy::{Decision, Sender};
use super::{Core, Cx, role};
use crate::endpoint::Arrival;
use crate::message::StatusCode;
use crate::proxy::{Preprocessed, Refusal};

impl Core {
    /// A CANCEL for something of ours is answered there; any other is forwarded statelessly, or there is nothing to cancel
    /// (481).
    pub(super) fn cancel(&mut self, cx: &mut Cx<'_>, arrival: Arrival, preprocessed: &Preprocessed) {
        match arrival.cancels {
            Some((_, tag)) if tag.role() == role::PROXY => {
                self.proxy.cancel(&mut cx.for_role(role::PROXY), arrival, tag);
                if let Some(id) = self.proxy.context_of(tag) {
                    self.call_goes_on(cx, id, None);
                }
            }
            Some((_, tag)) => {
                self.answer(cx, arrival, StatusCode::OK);
                if tag.role() == role::QUESTION {
                    self.cancel_question(cx, tag);
                }
            }
            None => {
                let Preprocessed { request, recorded, responsible, .. } = preprocessed;
                // A redirect server forwards nothing that could be cancelled.
                if self.settings.redirect && *responsible {
                    return self.answer(cx, arrival, StatusCode::CALL_DOES_NOT_EXIST);
                }
                let allowed = self.may_pass(cx, request, arrival.flow, *recorded);
                let known = Known::default();
                let (flow, recorded) = (arrival.flow, *recorded);
                let sender = |is_allowed| Sender { flow, recorded, is_allowed };
                let decision =
                    allowed.map(|allowed| self.decide(cx, (&arrival.request, request), sender(allowed), &known));
                let refusal = match decision {
                    Ok(Decision::Forward(targets)) => {
                        let Some(target) = targets.first() else { return };
                        self.proxy.relay(cx, preprocessed, target, arrival.flow).err()
                    }
                    // Nobody is asked where a request might have gone that is not here.
                    Ok(Decision::Refuse(_) | Decision::Ask(_)) | Err(_) => {
                        Some(Refusal::Status(StatusCode::CALL_DOES_NOT_EXIST))
                    }
                };
                if let Some(refusal) = refusal {
                    self.proxy.answer(&mut cx.for_role(role::PROXY), arrival, refusal);
                }
            }
        }
    }
}
