//! Response processing (RFC 3261 §16.7), timer C (§16.8) and transport errors (§16.9).

use alloc::boxed::Box;

use super::Core;
use super::response_context::{Branch, BranchState, Candidate, Stage};
use crate::endpoint::{DeliveryId, Failure};
use crate::message::header::{Header, Via};
use crate::message::{HeaderId, Response, StatusCode};
use crate::proxy::ResponseContextId;
use crate::stack::Context;
use crate::timer::TimerId;

impl Branch {
    /// A final response came, or what counts as one. Whether it is the first.
    fn end<E>(&mut self, cx: &mut Context<'_, E>, state: BranchState) -> bool {
        if let Some(timer) = self.timer_c.take() {
            cx.disarm(timer);
        }
        let first = matches!(self.state, BranchState::Calling | BranchState::Proceeding);
        self.state = state;
        first
    }
}

impl Core {
    /// A response from downstream; our Via is still on top.
    pub(super) fn response<E>(
        &mut self,
        cx: &mut Context<'_, E>,
        id: ResponseContextId,
        delivery: DeliveryId,
        response: Response,
    ) {
        // 1. Find context
        let Some(context) = self.contexts.get_mut(id) else { return };
        let Some(branch) = context.branch_of(delivery) else { return };
        let status = response.status();
        if status.is_provisional() {
            // 2. Update timer C for provisional responses
            if branch.state == BranchState::Calling {
                branch.state = BranchState::Proceeding;
            }
            if status == StatusCode::TRYING {
                return;
            }
            if let Some(timer) = branch.timer_c {
                cx.rearm(timer, cx.now() + cx.config().timers.c);
            }
            // 5. To anything but INVITE the endpoint lets no provisional response but 100 out (RFC 4320 §4.1).
            if context.stage == Stage::Forwarding && is_for_others(&response) {
                context.send_provisional(cx, &response);
            }
            return;
        }
        let first = branch.end(cx, BranchState::Final);
        // 3. Via: taken off when the response is sent on.
        let is_for_others = is_for_others(&response);
        // 5. Check response for forwarding
        if status.is_success() && is_for_others {
            if context.invite || context.stage == Stage::Forwarding {
                context.send_on(cx, &response);
            }
        } else if first && context.stage == Stage::Forwarding {
            // 4. Add response to context
            context.candidates.push(if is_for_others {
                Candidate::Received(Box::new(response))
            } else {
                Candidate::Own(StatusCode::BAD_GATEWAY)
            });
            if status.class() == 6 {
                context.cancel_branches(cx);
            }
            // 6. Choosing the best response
            context.choose(cx);
        }
    }

    /// No response came and none will: 408, or 503 when it could not be sent (§16.9).
    pub(super) fn failed<E>(
        &mut self,
        cx: &mut Context<'_, E>,
        id: ResponseContextId,
        delivery: DeliveryId,
        failure: Failure,
    ) {
        let Some(context) = self.contexts.get_mut(id) else { return };
        let Some(branch) = context.branch_of(delivery) else { return };
        if branch.end(cx, BranchState::Over) && context.stage == Stage::Forwarding {
            context.candidates.push(Candidate::Own(failure.status()));
            context.choose(cx);
        }
        self.close(id);
    }

    /// The last transaction of a branch is over.
    pub(super) fn finished(&mut self, id: ResponseContextId, delivery: DeliveryId) {
        if let Some(branch) = self.contexts.get_mut(id).and_then(|context| context.branch_of(delivery)) {
            branch.state = BranchState::Over;
        }
        self.close(id);
    }

    /// Timer C has fired (§16.8): a branch that is ringing is cancelled, a silent one counts as 408. Either way its
    /// transaction ends by the CANCEL or the time after it.
    pub(super) fn timer_c<E>(&mut self, cx: &mut Context<'_, E>, id: ResponseContextId, timer: TimerId) {
        let Some(context) = self.contexts.get_mut(id) else { return };
        let Some(branch) = context.branches.iter_mut().find(|branch| branch.timer_c == Some(timer)) else { return };
        branch.timer_c = None;
        let _ = cx.cancel(branch.delivery);
        if branch.state == BranchState::Calling {
            branch.state = BranchState::Final;
            context.candidates.push(Candidate::Own(StatusCode::REQUEST_TIMEOUT));
            context.choose(cx);
        }
    }
}

/// Whether a Via is left when ours is taken off, as without one the response was meant for us.
fn is_for_others(response: &Response) -> bool {
    response.headers().values(HeaderId::Via, Via::LIST).nth(1).is_some_and(|left| Via::parse(left).is_ok())
}
