//! Requests of any other method, outside of dialogs: OPTIONS, MESSAGE and the like (RFC 3261 §8.1, §11.1; RFC 3428).

use super::Outside;
use crate::error::CommandError;
use crate::message::{HeaderId, Method};
use crate::user_agent::RequestId;
use crate::user_agent::agent::Cx;
use crate::user_agent::compose::Outgoing;
use crate::user_agent::floor::Floor;

impl Floor {
    /// Sends a request of which the application is told the final response.
    ///
    /// # Errors
    /// `Invalid("method")`: the method has a command or a meaning of its own; as
    /// [`UserAgent::ask`](crate::user_agent::UserAgent::ask).
    pub(in crate::user_agent) fn ask_peer(
        &mut self,
        cx: &mut Cx<'_>,
        method: Method<'_>,
        outgoing: &Outgoing,
    ) -> Result<RequestId, CommandError> {
        if is_of_the_core(method) {
            return Err(CommandError::Invalid("method"));
        }
        let account = self.accounts.named(outgoing.account)?;
        let path = self.outside_path(cx, outgoing, account)?;
        let random = cx.random();
        let call_id = random.call_id();
        let from = outgoing.caller_or(&self.accounts.get(account).identity).with_tag(&random.tag());
        let number = random.sequence_number();
        let outside = Outside { account, method, from: &from, call_id: &call_id, number };
        let (request, here) = self.write_outside(cx, outgoing, &path, &outside, |lines| {
            self.profile.add_software(lines, HeaderId::UserAgent);
            self.profile.add_supported(lines);
            if method == Method::Options {
                // The types that the answer may have (§11.1).
                lines.header(HeaderId::Accept, crate::user_agent::profile::ACCEPT);
            }
        })?;
        self.send_for_itself(cx, account, request, here, path.next_hop)
    }
}

/// Whether a method is sent by a command of its own, or makes a dialog or a transaction that the core must know of.
pub(in crate::user_agent) const fn is_of_the_core(method: Method<'_>) -> bool {
    matches!(
        method,
        Method::Invite
            | Method::Ack
            | Method::Bye
            | Method::Cancel
            | Method::Register
            | Method::Prack
            | Method::Update
            | Method::Subscribe
            | Method::Notify
            | Method::Refer
    )
}
