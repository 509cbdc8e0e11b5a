//! Request forwarding (RFC 3261 §16.6).

use alloc::borrow::Cow;

use super::response_context::{Branch, BranchState, Candidate, ResponseContext, Stage};
use super::validate::max_forwards;
use super::{Core, Refusal, Target, Work, breadth};
use crate::dialog::request_uri;
use crate::endpoint::DeliveryId;
use crate::error::CommandError;
use crate::flow::ListenerId;
use crate::message::header::{MaxBreadth, Route};
use crate::message::{Edit, HeaderId, Method, Phrase, Request, Scheme, StatusCode, decimal};
use crate::proxy::ResponseContextId;
use crate::stack::Context;
use crate::transport::{Here, NextHop};

/// Max-Forwards of a request that came without one (step 3).
const MAX_FORWARDS: u8 = 70;

impl Core {
    /// The answer to a question: the request goes to these targets, in parallel, the first one first. Without any it is 480
    /// (§16.5).
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
        let refusal = match breadth::incoming(&context.request).map(|incoming| breadth::shares(incoming, targets.len()))
        {
            Ok(Some(shares)) => {
                context.stage = Stage::Forwarding;
                for (target, share) in targets.iter().zip(shares) {
                    let recorded = self.record_route && records(context.request.method());
                    match context.branch(cx, target, share, recorded, Work::Branch(id)) {
                        Ok(delivery) => {
                            let timer_c = context.invite.then(|| {
                                let at = cx.now() + cx.config().timers.c;
                                cx.arm(at, Work::TimerC(id))
                            });
                            context.branches.push(Branch { delivery, timer_c, state: BranchState::Calling });
                        }
                        Err(status) => context.candidates.push(Candidate::Own(status)),
                    }
                }
                context.choose(cx);
                return Ok(());
            }
            Ok(None) if targets.is_empty() => StatusCode::TEMPORARILY_UNAVAILABLE,
            Ok(None) => StatusCode::MAX_BREADTH_EXCEEDED,
            Err(_) => StatusCode::BAD_REQUEST,
        };
        context.answer(cx, refusal);
        Ok(())
    }
}

impl ResponseContext {
    /// Sends one branch on its way.
    ///
    /// # Errors
    /// The status that its failure counts as: 500 for a copy that cannot be written, 503 where there is no way or a limit is met.
    fn branch<E>(
        &mut self,
        cx: &mut Context<'_, E>,
        target: &Target,
        share: u32,
        recorded: bool,
        work: Work,
    ) -> Result<DeliveryId, StatusCode> {
        let recorded = recorded.then_some(self.listener);
        let copy = copy_for(cx, &self.request, target, Some(share), recorded).map_err(|refusal| refusal.status())?;
        let Copy { edit, here, next_hop } = copy.ok_or(StatusCode::SERVICE_UNAVAILABLE)?;
        cx.request_from(&edit, &here, next_hop, work, &self.loop_part).map_err(|error| match error {
            CommandError::Invalid(_) => StatusCode::SERVER_INTERNAL_ERROR,
            _ => StatusCode::SERVICE_UNAVAILABLE,
        })
    }
}

/// Whether a request of this method may begin a dialog or refresh one, so that a Record-Route has a meaning; a method that
/// we do not know may (step 4).
fn records(method: Method<'_>) -> bool {
    !matches!(
        method,
        Method::Ack
            | Method::Bye
            | Method::Cancel
            | Method::Register
            | Method::Options
            | Method::Prack
            | Method::Info
            | Method::Message
            | Method::Publish
    )
}

/// The copy of a request for one target.
pub(super) struct Copy<'r> {
    /// The changes to the request.
    pub(super) edit: Edit<'r, Request>,
    /// Whether it has a Record-Route of ours.
    pub(super) here: Here,
    /// Where it goes.
    pub(super) next_hop: NextHop,
}

/// The copy of `request` for one target: steps 1 to 7. The Via is pushed by the endpoint (step 8). `Ok(None)`: there is no next hop
/// that could be found.
pub(super) fn copy_for<'r, E>(
    cx: &Context<'_, E>,
    request: &'r Request,
    target: &Target,
    share: Option<u32>,
    recorded: Option<ListenerId>,
) -> Result<Option<Copy<'r>>, Refusal> {
    let mut edit = request.edit();

    // 2. Request-URI
    let contact = match target {
        Target::Contact(contact) => Some(contact.as_uri()),
        Target::Unchanged | Target::NextHop(_) => None,
    };
    let target_uri = contact.map_or(Cow::Borrowed(request.uri_bytes()), request_uri);
    if contact.is_some() {
        edit = edit.uri(&target_uri);
    }

    // 3. Max-Forwards
    let hops = match max_forwards(request)? {
        Some(hops) => hops.checked_sub(1).ok_or(Refusal::Status(StatusCode::TOO_MANY_HOPS))?,
        None => MAX_FORWARDS,
    };
    edit = edit.replace(HeaderId::MaxForwards, decimal(hops.into()).as_bytes());

    // 4. Record-Route is written last, and what it says of the way on by each attempt.

    // 5. Max-Breadth (RFC 5393 §5.3.3): one value; if it says the same it is left as it was written
    if let Some(share) = share {
        let written = request.headers().get::<MaxBreadth>();
        let same = matches!(written, Some(Ok(MaxBreadth(written))) if written == share);
        if !same || request.headers().count(HeaderId::MaxBreadth) != 1 {
            edit = edit.replace(HeaderId::MaxBreadth, decimal(share as usize).as_bytes());
        }
    }

    // 6. Postprocess routing information, 7. Determine next hop
    let first = match request.headers().get::<Route<'_>>() {
        Some(route) => Some(route.map_err(|_| Refusal::Malformed(Phrase::BAD_PROXIES))?.uri),
        None => None,
    };
    let next_hop = match (target, first, contact) {
        (Target::NextHop(next_hop), ..) => Some(next_hop.clone()),
        (_, Some(route), _) => {
            if !route.is_loose_router() {
                let last = [b"<".as_slice(), &target_uri, b">"].concat();
                edit = edit.pop_first(HeaderId::Route).append(HeaderId::Route, last).uri(request_uri(route));
            }
            NextHop::of_uri(route)
        }
        (_, None, Some(contact)) => NextHop::of_uri(contact),
        (_, None, None) => request.uri().ok().and_then(NextHop::of_uri),
    };
    let Some(next_hop) = next_hop else { return Ok(None) };
    let secure = next_hop.secure || Scheme::of(&target_uri) == Some(Scheme::Sips);
    let next_hop = NextHop { secure, ..next_hop };
    let here = match recorded.and_then(|inbound| Some((inbound, cx.listener(inbound)?))) {
        Some((inbound, listener)) => {
            let secure = Scheme::of(request.uri_bytes()) == Some(Scheme::Sips);
            edit = edit.push_first(HeaderId::RecordRoute, listener.record_route(secure));
            Here::RecordRoute { inbound, secure }
        }
        None => Here::Unsaid,
    };
    Ok(Some(Copy { edit, here, next_hop }))
}
