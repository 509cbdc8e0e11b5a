//! The floor that all usages stand on: who we are, the requests of either side, and the dialogs.

use alloc::boxed::Box;

use super::client::Requests;
use super::compose::Outgoing;
use super::profile::Profile;
use super::server::{Guard, Serving};
use super::service_route::ServiceRoutes;
use crate::auth::Keyring;
use crate::dialog::{DialogId, Dialogs, Path};
use crate::error::CommandError;
use crate::message::Request;
use crate::user_agent::CallId;

/// All that a usage (a session, a registration) sees besides itself: never another usage.
#[derive(Clone, Debug)]
pub(super) struct Floor {
    pub(super) profile: Profile,
    /// The requests that we have sent.
    pub(super) requests: Requests,
    /// The requests that peers have sent.
    pub(super) serving: Serving,
    pub(super) dialogs: Dialogs<Usage>,
    /// The logins that we prove ourselves with, and the challenges that were answered.
    pub(super) keyring: Keyring<()>,
    /// Who has to prove themselves before they are served. In a box, as most user agents serve all.
    pub(super) guard: Option<Box<Guard>>,
    /// The ways that registrars have given to requests outside of dialogs.
    pub(super) service_routes: ServiceRoutes,
}

/// A use of a dialog (RFC 5057).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Usage {
    /// The session that an INVITE has set up.
    Session(CallId),
}

impl Floor {
    /// Takes the CSeq number of a request in a dialog; false if the request is out of order (§12.2.2).
    pub(super) fn is_in_order(&mut self, dialog: DialogId, request: &Request) -> bool {
        let Some(dialog) = self.dialogs.get_mut(dialog) else { return false };
        request.cseq().is_some_and(|cseq| dialog.sequence.accept(cseq.number))
    }

    /// How a request outside of dialogs is addressed (§8.1.2): by a service route in the place of the profile's routes (RFC 3608 §6.1).
    ///
    /// # Errors
    /// `NotSip`: To, Request-URI or a route is no SIP URI.
    pub(super) fn outside_path(&self, outgoing: &Outgoing) -> Result<Path, CommandError> {
        let caller = outgoing.caller_or(&self.profile.identity);
        let routes = self.service_routes.of(caller.uri()).unwrap_or(&self.profile.routes);
        outgoing.path(routes, self.profile.outbound.as_ref())
    }
}
