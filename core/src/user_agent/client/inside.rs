//! How requests of ours inside a dialog are written and sent (RFC 3261 §12.2.1.1).

use alloc::boxed::Box;

use super::super::agent::{Cx, Work};
use super::super::compose::Extra;
use super::super::floor::Floor;
use super::{Owner, Pending, Stage};
use crate::dialog::DialogId;
use crate::error::CommandError;
use crate::message::{HeaderId, Method, RequestParts};
use crate::transport::Here;
use crate::user_agent::RequestId;

/// A request of ours inside a dialog: all that another attempt needs, because the dialog gives the rest.
#[derive(Clone, Debug)]
pub(in crate::user_agent) struct Inside {
    pub(in crate::user_agent) dialog: DialogId,
    pub(in crate::user_agent) method: Method<'static>,
    /// What the application gives.
    pub(in crate::user_agent) extra: Option<Box<Extra>>,
}

impl Floor {
    /// Sends a request inside a dialog.
    ///
    /// # Errors
    /// `Gone`: there is no such dialog; `Invalid`: the remote target or what the application gives cannot be written;
    /// `NoListener`; `Limit("deliveries")`.
    pub(in crate::user_agent) fn send_inside(
        &mut self,
        cx: &mut Cx<'_>,
        owner: Owner,
        inside: Inside,
    ) -> Result<RequestId, CommandError> {
        let id = self.requests.table.insert(Pending { inside: Some(inside), ..Pending::of(owner) });
        let sent = self.send_inside_again(cx, id);
        if sent.is_err() {
            self.requests.table.remove(id);
        }
        sent.map(|()| id)
    }

    /// Writes a request inside its dialog anew, with the next CSeq number of the dialog, and sends the request in a new transaction.
    ///
    /// # Errors
    /// As [`send_inside`](Self::send_inside); `WrongState` if the request is none inside a dialog.
    pub(super) fn send_inside_again(&mut self, cx: &mut Cx<'_>, id: RequestId) -> Result<(), CommandError> {
        let pending = self.requests.table.get_mut(id).ok_or(CommandError::Gone)?;
        let Inside { dialog, method, extra } = pending.inside.as_ref().ok_or(CommandError::WrongState)?;
        let dialog = self.dialogs.get_mut(*dialog).ok_or(CommandError::Gone)?;
        let path = dialog.path().ok_or(CommandError::Invalid("remote target"))?;
        let number = dialog.sequence.next_local(|| cx.random().sequence_number());
        let mut lines = dialog.lines(*method, number, &path);
        self.profile.add_software(&mut lines, HeaderId::UserAgent);
        let here = if refreshes_target(*method) {
            self.profile.add_contact_anywhere(&mut lines, cx, dialog.remote_target.as_uri())?
        } else {
            Here::Unsaid
        };
        if *method == Method::Invite {
            self.profile.add_capabilities(&mut lines);
        }
        if let Some(extra) = extra {
            extra.add_to(&mut lines);
        }
        let parts = RequestParts::new(*method, path.request_uri.as_bytes(), &lines);
        let content = extra.as_ref().map(|extra| extra.content()).unwrap_or_default();
        let parts = RequestParts { content, ..parts };
        let delivery = cx.request_from(&parts, &here, path.next_hop, Work::Request(id), "")?;
        dialog.sequence.sent(number);
        pending.stage = Stage::Sent(delivery);
        Ok(())
    }
}

/// Whether a request of this method says anew where we can be reached (§6, §12.2; RFC 3311 §5.1, RFC 3515 §2.2, RFC 6665 §4.1.2.2
/// and §4.2.2).
const fn refreshes_target(method: Method<'_>) -> bool {
    matches!(method, Method::Invite | Method::Update | Method::Subscribe | Method::Notify | Method::Refer)
}
