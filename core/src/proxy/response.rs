//! Response processing (RFC 3261 §16.7), timer C (§16.8) and transport errors (§16.9).

use alloc::boxed::Box;

use super::best::Candidate;
use super::response_context::{BranchState, Hold, ResponseContext, Stage};
use super::{Core, News, Settings, Work};
use crate::endpoint::{DeliveryId, Failure};
use crate::message::header::{Header, Via};
use crate::message::{HeaderId, Request, Response, StatusCode};
use crate::proxy::ResponseContextId;
use crate::stack::Context;
use crate::timer::TimerId;

impl Core {
    /// A response from downstream; our Via is still on top. The news for the owner, if it redirects or says that a flow is gone.
    pub(super) fn response<E>(
        &mut self,
        cx: &mut Context<'_, E>,
        id: ResponseContextId,
        delivery: DeliveryId,
        response: Response,
    ) -> Option<News> {
        // 1. Find context
        let context = self.contexts.get_mut(id)?;
        let branch = context.branch_of(delivery)?;
        let status = response.status();
        if status.is_provisional() {
            // 2. Update timer C for provisional responses
            if branch.state == BranchState::Calling {
                branch.state = BranchState::Proceeding;
            }
            if status == StatusCode::TRYING {
                return None;
            }
            if let Some(timer) = branch.timer_c {
                cx.rearm(timer, cx.now() + cx.config().timers.c);
            }
            // 5. To anything but INVITE the endpoint lets no provisional response but 100 out (RFC 4320 §4.1).
            if context.stage == Stage::Forwarding && is_for_others(&context.request, &response) {
                context.send_provisional(cx, &response);
            }
            return None;
        }
        let first = branch.end(cx, BranchState::Final);
        let lost = if status == StatusCode::FLOW_FAILED { branch.way.take() } else { None };
        // 3. Via: taken off when the response is sent on.
        let is_for_others = is_for_others(&context.request, &response);
        // 5. Check response for forwarding
        if status.is_success() && is_for_others {
            if context.invite || context.stage == Stage::Forwarding {
                context.send_on(cx, &response);
            }
        } else if first && context.stage == Stage::Forwarding {
            // 4. Add response to context
            if is_for_others && status.class() == 3 && context.fork.recurses {
                let redirection = context.redirected(cx, id, delivery, response);
                if redirection.is_none() {
                    self.advance(cx, id);
                }
                return redirection.map(News::Redirected);
            }
            let candidate = match is_for_others {
                // Who asks for a user never hears of the user's flows (RFC 5626 §11.5).
                true if context.responsible && status == StatusCode::FLOW_FAILED => {
                    Candidate::own(StatusCode::TEMPORARILY_UNAVAILABLE)
                }
                true => Candidate::Received(Box::new(response)),
                false => Candidate::own(StatusCode::BAD_GATEWAY),
            };
            context.fell_through(delivery, status, candidate);
            if status.class() == 6 {
                context.fork.end();
                context.cancel_branches(cx, b"");
            }
            // 6. Choosing the best response, when no target is left
            self.advance(cx, id);
        }
        lost.map(News::Lost)
    }

    /// No response came and none will: 408, or 503 when it could not be sent (§16.9). The news for the owner, if a flow is gone.
    pub(super) fn failed<E>(
        &mut self,
        cx: &mut Context<'_, E>,
        id: ResponseContextId,
        delivery: DeliveryId,
        failure: Failure,
    ) -> Option<News> {
        let context = self.contexts.get_mut(id)?;
        let branch = context.branch_of(delivery)?;
        let lost = branch.way.take().filter(|way| way.flow.is_some() && failure == Failure::Transport);
        if branch.end(cx, BranchState::Over) && context.stage == Stage::Forwarding {
            // A phone whose flow is gone is not there; nothing is wrong with us.
            let status = match failure {
                _ if lost.is_some() => StatusCode::TEMPORARILY_UNAVAILABLE,
                _ => failure.status(),
            };
            if !(lost.is_some() && context.goes_another_way(delivery)) {
                context.fell_through(delivery, status, Candidate::own(status));
            }
            self.advance(cx, id);
        }
        self.close(id);
        lost.map(News::Lost)
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
            context.candidates.push(Candidate::own(StatusCode::REQUEST_TIMEOUT));
            self.advance(cx, id);
        }
    }

    /// Open branches have held the final responses of others back for too long: each counts as 408 (§16.7 step 6), and is cancelled.
    pub(super) fn branch_limit<E>(&mut self, cx: &mut Context<'_, E>, id: ResponseContextId) {
        let Some(context) = self.contexts.get_mut(id) else { return };
        let ResponseContext { hold: Some(hold), branches, candidates, invite, .. } = context else { return };
        hold.timer = None;
        let now = cx.now();
        for branch in branches.iter_mut().filter(|branch| branch.is_open() && hold.end_of(branch) <= now) {
            if *invite {
                let _ = cx.cancel(branch.delivery);
            }
            branch.end(cx, BranchState::Final);
            candidates.push(Candidate::own(StatusCode::REQUEST_TIMEOUT));
        }
        self.advance(cx, id);
    }
}

impl ResponseContext {
    /// A branch has failed with this status: `candidate` may be the best response, unless another way to the same phone takes the place of the branch. After a
    /// final response other than 408 and 430 there is no other way: the phone has given its answer (RFC 5626 §7).
    fn fell_through(&mut self, delivery: DeliveryId, status: StatusCode, candidate: Candidate) {
        let is_unreached = matches!(status, StatusCode::REQUEST_TIMEOUT | StatusCode::FLOW_FAILED);
        if !(is_unreached && self.goes_another_way(delivery)) {
            self.candidates.push(candidate);
        }
    }

    /// Whether another way to the phone of a branch that has failed will be tried.
    fn goes_another_way(&mut self, delivery: DeliveryId) -> bool {
        let Some(branch) = self.branch_of(delivery) else { return false };
        let (before, share) = (branch.q, branch.share);
        let Some(instead) = branch.instead.take() else { return false };
        self.fork.add_instead(before, share, *instead)
    }

    /// Bounds the time for which open branches hold back the final responses that are there: sets the timer for the one whose time is over first.
    pub(super) fn limit_branches<E>(&mut self, cx: &mut Context<'_, E>, settings: &Settings, id: ResponseContextId) {
        if self.stage != Stage::Forwarding || self.candidates.is_empty() {
            return;
        }
        let since = cx.now();
        let begin = || settings.branch_limit.map(|limit| Box::new(Hold { since, limit, timer: None }));
        self.hold = self.hold.take().or_else(begin);
        let Some(hold) = &mut self.hold else { return };
        let open = self.branches.iter().filter(|branch| branch.is_open());
        let next = open.map(|branch| hold.end_of(branch)).min();
        if hold.timer.map(|(_, at)| at) == next {
            return;
        }
        if let Some((timer, _)) = hold.timer.take() {
            cx.disarm(timer);
        }
        hold.timer = next.map(|at| (cx.arm(at, Work::BranchLimit(id)), at));
    }
}

/// Whether a Via is left when ours is taken off, as without one the response was meant for us.
fn is_for_others(request: &Request, response: &Response) -> bool {
    // Nearly all peers copy the lines of Via as they are: then the one below ours is that which was read with the request.
    let below = response.headers().values(HeaderId::Via, false).nth(1);
    (below.is_some() && below == request.headers().raw(HeaderId::Via))
        || response.headers().values(HeaderId::Via, Via::LIST).nth(1).is_some_and(|left| Via::parse(left).is_ok())
}
