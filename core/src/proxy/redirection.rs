//! Recursion on 3xx responses (RFC 3261 §16.7 step 4; RFC 5630 §5.3).

use alloc::boxed::Box;
use alloc::vec::Vec;

use super::best::Candidate;
use super::response_context::ResponseContext;
use super::{ANSWER_WITHIN, Core, Work};
use crate::endpoint::DeliveryId;
use crate::error::CommandError;
use crate::message::header::{Contact, Header};
use crate::message::{HeaderId, Response, Scheme, unfolded};
use crate::proxy::ResponseContextId;
use crate::stack::Context;
use crate::targets::Target;
use crate::timer::TimerId;

/// "Which of these contacts are tried?" A branch was answered with a 3xx. To be answered with [`Core::follow`]; if nobody does, no
/// contact is.
#[derive(Clone, Debug)]
pub struct Redirection {
    /// The context that the answer is for.
    pub id: ResponseContextId,
    /// The branch.
    delivery: DeliveryId,
    /// The contacts that may be tried, with their q: those of the scheme of the Request-URI, SIPS or SIP.
    pub contacts: Vec<Target>,
}

impl Core {
    /// The answer to a redirection: the targets that the owner has for each of its contacts, in the same order. A contact without
    /// any, and one that was tried before, is not followed; it stays in the response.
    ///
    /// # Errors
    /// `Gone` if the request was answered or cancelled, or the redirection given up.
    pub fn follow<E>(
        &mut self,
        cx: &mut Context<'_, E>,
        redirection: &Redirection,
        targets: &[Vec<Target>],
    ) -> Result<(), CommandError> {
        let context = self.contexts.get_mut(redirection.id).ok_or(CommandError::Gone)?;
        let branch = context.branch_of(redirection.delivery).ok_or(CommandError::Gone)?;
        let (response, timer) = *branch.redirected.take().ok_or(CommandError::Gone)?;
        cx.disarm(timer);
        context.fork.has_recursed = true;
        let mut followed = Vec::new();
        for (contact, targets) in redirection.contacts.iter().zip(targets) {
            if context.add(cx, targets) > 0 {
                followed.push(contact);
            }
        }
        if let Some(rest) = without(&response, &followed) {
            context.candidates.push(Candidate::Received(Box::new(rest)));
        }
        self.advance(cx, redirection.id);
        Ok(())
    }

    /// Nobody has said in time which contacts are tried: none.
    pub(super) fn unfollowed<E>(&mut self, cx: &mut Context<'_, E>, id: ResponseContextId, timer: TimerId) {
        let Some(context) = self.contexts.get_mut(id) else { return };
        let mut branches = context.branches.iter_mut();
        let is_it = |redirected: &mut Box<(Response, TimerId)>| redirected.1 == timer;
        let Some(redirected) = branches.find_map(|branch| branch.redirected.take_if(is_it)) else { return };
        context.candidates.push(Candidate::Received(Box::new(redirected.0)));
        self.advance(cx, id);
    }
}

impl ResponseContext {
    /// A branch has redirected. What the owner is asked; if there is nothing to ask, the response is kept as others are.
    pub(super) fn redirected<E>(
        &mut self,
        cx: &mut Context<'_, E>,
        id: ResponseContextId,
        delivery: DeliveryId,
        response: Response,
    ) -> Option<Redirection> {
        let scheme = Scheme::of(self.request.uri_bytes());
        let contacts: Vec<Target> = contacts(&response)
            .filter(|contact| contact.uri.as_uri().is_sip() && Some(contact.uri.as_uri().scheme()) == scheme)
            .collect();
        if contacts.is_empty() {
            self.candidates.push(Candidate::Received(Box::new(response)));
            return None;
        }
        let until = cx.now() + cx.config().timers.t1.saturating_mul(ANSWER_WITHIN);
        let timer = cx.arm(until, Work::Redirection(id));
        self.branch_of(delivery)?.redirected = Some(Box::new((response, timer)));
        Some(Redirection { id, delivery, contacts })
    }
}

/// The contacts of a response that can be read.
fn contacts(response: &Response) -> impl Iterator<Item = Target> {
    response.headers().all::<Contact<'_>>().filter_map(|contact| {
        let contact = contact.ok()?;
        Some(Target::new(contact.address()?.uri.to_buf()).with_q(contact.q().unwrap_or(1_000)))
    })
}

/// The response without the contacts that were followed. `None` if it has no other.
fn without(response: &Response, followed: &[&Target]) -> Option<Response> {
    if followed.is_empty() {
        return Some(response.clone());
    }
    let mut edit = response.edit().remove(HeaderId::Contact);
    let mut left = 0;
    for value in response.headers().values(HeaderId::Contact, Contact::LIST) {
        let contact = Contact::parse(value).ok();
        let uri = contact.as_ref().and_then(|contact| contact.address()).map(|address| address.uri);
        let is_followed =
            uri.is_some_and(|uri| followed.iter().any(|followed| followed.uri.as_bytes() == uri.as_bytes()));
        // A value that cannot be written again is as if absent.
        if !is_followed && let Ok(value) = unfolded(value) {
            edit = edit.append(HeaderId::Contact, value);
            left += 1;
        }
    }
    if left == 0 {
        return None;
    }
    match edit.finish() {
        Ok(rest) => Some(rest),
        // Fields of one value each may be longer than a list: the response then stays as it was.
        Err(_) => Some(response.clone()),
    }
}
