//! Request forwarding (RFC 3261 §16.6): the owner's targets, and the branches to them.

use alloc::boxed::Box;

use super::best::Candidate;
use super::copy::{Copy, Maker};
use super::cost::{self, Costs};
use super::record_route::Tokens;
use super::response_context::{Branch, BranchState, ResponseContext, Stage};
use super::token::TokenKey;
use super::{Core, LostWay, Refusal, Settings, Work, sips};
use crate::endpoint::{DeliveryId, Terms};
use crate::error::{CommandError, Limit};
use crate::message::{Phrase, StatusCode};
use crate::proxy::ResponseContextId;
use crate::stack::Context;
use crate::targets::Target;
use crate::transport::Dialog;

/// How often a branch sends an INVITE that nobody answers: timer A fires six times in 64·T1 (RFC 3261 §17.1.1.2).
const SENDINGS: usize = 7;

impl Core {
    /// The answer to a question: the request goes to these targets, in the order that [`Settings::forking`](super::Settings::forking)
    /// or the caller chooses, among those that are preferred alike the first one first. Without any it is 480 (§16.5).
    ///
    /// # Errors
    /// `Gone` if the question is: it was answered, cancelled or given up.
    pub fn forward<E>(
        &mut self,
        cx: &mut Context<'_, E>,
        id: ResponseContextId,
        targets: &[Target],
    ) -> Result<(), CommandError> {
        let context = self.contexts.get_mut(id).ok_or(CommandError::Gone)?;
        context.take_question(cx).ok_or(CommandError::Gone)?;
        if targets.is_empty() {
            context.answer(cx, &Refusal::Status(StatusCode::TEMPORARILY_UNAVAILABLE));
            return Ok(());
        }
        context.add(cx, targets);
        context.fork.narrow();
        if context.fork.is_too_wide() {
            context.answer(cx, &Refusal::Status(StatusCode::MAX_BREADTH_EXCEEDED));
            return Ok(());
        }
        self.advance(cx, id);
        Ok(())
    }

    /// Adds targets to a request whose first ones are being tried (§16.5): how many of them will be tried. None is tried twice, and
    /// none after a 6xx or a CANCEL. Where the branches hold all of the Max-Breadth a target waits until one has its final response:
    /// see [`Settings::spare_breadth`](super::Settings::spare_breadth). The owner must be responsible for the Request-URI.
    ///
    /// # Errors
    /// `Gone` if the request has its final response; `WrongState` if its question is not answered.
    pub fn add<E>(
        &mut self,
        cx: &mut Context<'_, E>,
        id: ResponseContextId,
        targets: &[Target],
    ) -> Result<usize, CommandError> {
        let context = self.contexts.get_mut(id).ok_or(CommandError::Gone)?;
        match context.stage {
            Stage::Asking(_) => return Err(CommandError::WrongState),
            Stage::Answered => return Err(CommandError::Gone),
            Stage::Forwarding => {}
        }
        context.fork.use_spare_breadth();
        let added = context.add(cx, targets);
        self.advance(cx, id);
        Ok(added)
    }

    /// Tries what is to be tried now; if nothing is left, chooses the best response.
    pub(super) fn advance<E>(&mut self, cx: &mut Context<'_, E>, id: ResponseContextId) {
        let Self { contexts, costs, settings, tokens, .. } = self;
        let Some(context) = contexts.get_mut(id) else { return };
        if cx.now() >= context.until {
            context.fork.end();
        }
        // Each turn takes targets out, of which there are no more than `Limits::targets`.
        while context.stage == Stage::Forwarding {
            let (open, held) = context.open().fold((0, 0), |(open, held), branch| (open + 1, held + branch.share));
            let due = context.fork.due(open, held);
            if due.is_empty() {
                break;
            }
            for (target, share) in due {
                if context.is_spent(settings) {
                    cx.refused(Limit::CONTEXT_OCTETS);
                    context.fork.end();
                    break;
                }
                if !context.may_branch(costs, settings, tokens) {
                    cx.refused(Limit::BRANCHES);
                    context.fork.end();
                    // The best response so far, and if there is none, that the request is too wide.
                    if context.branches.is_empty() {
                        context.candidates.push(Candidate::own(StatusCode::MAX_BREADTH_EXCEEDED));
                    }
                    break;
                }
                match context.branch(cx, settings, tokens, &target, share, Work::Branch(id)) {
                    Ok(delivery) => {
                        let timer_c = context.invite.then(|| {
                            let at = cx.now() + cx.config().timers.c;
                            cx.arm(at, Work::TimerC(id))
                        });
                        let state = BranchState::Calling;
                        // A target that a 3xx named, behind another proxy, is no binding of the user who was asked for.
                        let may_tell = |way: &LostWay| way.flow.is_some() || !context.fork.has_recursed;
                        let way = LostWay::of(id, &target).filter(may_tell).map(Box::new);
                        let Target { q, instead, .. } = target;
                        let began = cx.now();
                        let branch =
                            Branch { delivery, began, timer_c, state, share, way, q, instead, redirected: None };
                        context.branches.push(branch);
                    }
                    Err(refusal) => context.candidates.push(Candidate::Own(refusal)),
                }
            }
        }
        context.choose(cx);
        context.limit_branches(cx, settings, id);
    }
}

impl ResponseContext {
    /// Adds targets; how many of them will be tried.
    pub(super) fn add<E>(&mut self, cx: &mut Context<'_, E>, targets: &[Target]) -> usize {
        let mut added = 0;
        for target in targets {
            match sips::allowed(cx, &self.request, target) {
                Ok(target) if self.fork.has_no_room_for(&target) => cx.refused(Limit::TARGETS),
                Ok(target) => added += usize::from(self.fork.add(target.into_owned())),
                Err(refusal) => self.candidates.push(Candidate::Own(refusal)),
            }
        }
        added
    }

    /// Whether another branch could send more octets than one request may. The first may in any case.
    fn is_spent(&self, settings: &Settings) -> bool {
        let branch = self.request.as_bytes().len().saturating_mul(SENDINGS);
        let all = branch.saturating_mul(self.branches.len().saturating_add(1));
        !self.branches.is_empty() && all > settings.limits.context_octets
    }

    /// Whether the request may have another branch, over all its forks and all its passes through here. The first branch of a request that comes by for the
    /// first time is none of those that are counted.
    fn may_branch(&mut self, costs: &mut Costs, settings: &Settings, tokens: &TokenKey) -> bool {
        if self.branches.is_empty() && !self.fork.is_spiral() {
            return true;
        }
        let is_first = !self.fork.is_counted;
        let may = costs.count(cost::name_of(tokens, &self.request), is_first, settings.limits.branches);
        self.fork.is_counted |= may;
        may
    }

    /// Sends one branch on its way.
    ///
    /// # Errors
    /// What its failure counts as: 400 or 483 where the request is to blame, 500 with a reason for a copy that cannot be written, 503
    /// where a limit is met.
    fn branch<E>(
        &mut self,
        cx: &mut Context<'_, E>,
        settings: &Settings,
        tokens: &TokenKey,
        target: &Target,
        share: u32,
        work: Work,
    ) -> Result<DeliveryId, Refusal> {
        let (inbound, outbound, source) = (self.listener, self.outbound, self.source);
        let peers = self.peers.as_deref();
        let maker = Maker { settings, inbound, source, peers, outbound, share: Some(share) };
        let now = cx.now();
        let tokens = || Tokens {
            parameters: tokens.parameters(&self.request, Some(now)),
            dialog: Some(Dialog { key: tokens.dialog_of(&self.request), source }),
        };
        let Copy { edit, here, next_hop, requester } = maker.copy(cx, &self.request, target, tokens)?;
        let terms = Terms { until: self.until, requester };
        cx.request_for((&edit, &here), next_hop, work, &self.loop_part, terms).map_err(|error| match error {
            CommandError::Invalid(_) => Refusal::Unable(Phrase::TOO_LONG_TO_FORWARD),
            _ => Refusal::Status(StatusCode::SERVICE_UNAVAILABLE),
        })
    }
}
