//! Registering anew when a listener has moved (RFC 3261 §10.2.4).

use alloc::boxed::Box;
use alloc::vec::Vec;

use super::Registrations;
use super::book::{Goal, Registration};
use crate::flow::ListenerId;
use crate::message::{Scheme, UriBuf};
use crate::transport::Listener;
use crate::user_agent::RegistrationId;
use crate::user_agent::agent::Cx;
use crate::user_agent::event::Cause;
use crate::user_agent::floor::Floor;

impl Registrations {
    /// A listener has moved: each registration that is kept, and that names it or was accepted along it, is made anew. The REGISTER
    /// removes the contact of before, too.
    pub(in crate::user_agent) fn listener_moved(
        &mut self,
        on: &mut Floor,
        cx: &mut Cx<'_>,
        listener: ListenerId,
        before: &Listener,
    ) {
        let is_there = |it: &Registration| it.is_kept() && it.may_be_at(on, listener);
        let there: Vec<RegistrationId> = self.book.iter().filter(|(_, it)| is_there(it)).map(|(id, _)| id).collect();
        for id in there {
            // A flow is replaced by the next one of the same number (RFC 5626 §4.5).
            let is_flow = self.book.get(id).is_some_and(|registration| registration.outbound_flow().is_some());
            self.let_die(on, cx, id);
            let Some(registration) = self.book.get_mut(id) else { continue };
            if let Some(contact) = registration.contact_at(on, before).filter(|_| !is_flow) {
                registration.add_stale(contact);
            }
            registration.seen = None;
            (registration.failures, registration.is_corrected) = (0, false);
            if registration.pending.is_some() {
                // The one that is out may have named the old place.
                let again = (Goal::Keep, registration.terms.clone());
                registration.next.get_or_insert(Box::new(again));
            } else if self.send(on, cx, id).is_err() {
                self.tell_failure(on, cx, id, Cause::Unreachable);
            }
        }
    }
}

impl Registration {
    /// Whether its bindings are to stay.
    fn is_kept(&self) -> bool {
        self.next.as_ref().map_or(self.goal, |next| next.0) == Goal::Keep
    }

    /// Whether our contact is bound as the place of that listener, or the flow of the registration begins there.
    fn may_be_at(&self, on: &Floor, listener: ListenerId) -> bool {
        let names_ours = self.names_ours() && on.accounts.get(self.terms.account).contact.is_none();
        let is_elsewhere = self.listener.is_some_and(|last| last != listener);
        (names_ours || self.alive.is_some()) && !is_elsewhere
    }

    /// Our contact as it is bound, if we are reached at that listener and the contact is written by that.
    fn contact_at(&self, on: &Floor, listener: &Listener) -> Option<UriBuf> {
        let account = on.accounts.get(self.terms.account);
        if !self.names_ours() || account.contact.is_some() {
            return None;
        }
        let is_secure = self.terms.likeness().scheme() == Scheme::Sips;
        let uri = || UriBuf::parse(listener.uri(account.identity.uri().user(), is_secure, "").as_bytes()).ok();
        self.seen.clone().or_else(uri)
    }
}
