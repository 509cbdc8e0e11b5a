//! What all usages stand on: who we are, the requests of either side, and the dialogs.

use super::client::Requests;
use super::profile::Profile;
use super::server::Serving;
use crate::dialog::Dialogs;
use crate::message::Uri;
use crate::transport::NextHop;
use crate::user_agent::CallId;

/// What a usage (a session, a registration) sees besides itself: never another usage.
#[derive(Clone, Debug)]
pub(super) struct Floor {
    pub(super) profile: Profile,
    /// The requests that we have sent.
    pub(super) requests: Requests,
    /// The requests that peers have sent.
    pub(super) serving: Serving,
    pub(super) dialogs: Dialogs<Usage>,
}

/// What a dialog is used for (RFC 5057).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Usage {
    /// The session that an INVITE has set up.
    Session(CallId),
}

impl Floor {
    /// Where a request outside of dialogs is sent (§8.1.2).
    pub(super) fn outside_hop(&self, target: Uri<'_>) -> Option<NextHop> {
        match &self.profile.outbound {
            Some(outbound) => Some(outbound.clone().for_request_uri(target)),
            None => NextHop::of_uri(target),
        }
    }
}
