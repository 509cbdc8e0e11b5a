//! How requests of ours inside a dialog are written and sent (RFC 3261 §12.2.1.1).

use alloc::boxed::Box;

use super::super::agent::{Cx, Work};
use super::super::compose::{Extra, Sort};
use super::super::floor::Floor;
use super::redirect::Before;
use super::{Kept, Owner, Pending, Stage};
use crate::dialog::DialogId;
use crate::error::CommandError;
use crate::message::{HeaderId, Lines, Method, Recipe, RequestParts, Response};
use crate::transport::{Here, NextHop};
use crate::user_agent::{AccountId, RequestId};

/// A request of ours inside a dialog: all that another attempt needs, because the dialog gives the rest.
#[derive(Clone, Debug)]
pub(in crate::user_agent) struct Inside {
    pub(in crate::user_agent) dialog: DialogId,
    pub(in crate::user_agent) method: Method<'static>,
    /// The fields and the body that the application gives.
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
            self.requests.remove(id);
        }
        sent.map(|()| id)
    }

    /// Writes a request inside its dialog anew, with the next CSeq number of the dialog, and sends the request in a new transaction.
    ///
    /// # Errors
    /// As [`send_inside`](Self::send_inside); `WrongState` if the request is none inside a dialog.
    pub(super) fn send_inside_again(&mut self, cx: &mut Cx<'_>, id: RequestId) -> Result<(), CommandError> {
        let number = self.next_number(cx, id)?;
        let delivery = if self.keyring.spaces() > 0 {
            let (request, here, next_hop) = self.write_inside(cx, id, number, |_, parts, here, next_hop| {
                Ok((parts.request().map_err(|_| CommandError::Invalid("message"))?, here, next_hop))
            })?;
            let account = self.account_of(id);
            let fields = self.keyring.authorize(account, &request);
            let request = fields.edit(request.edit()).finish().map_err(|_| CommandError::Invalid("message"))?;
            let delivery = cx.request_from(&request, &here, next_hop.clone(), Work::Request(id), "")?;
            self.keep(id, Kept { account, request, here, next_hop, targets: None, before: Before::default() });
            delivery
        } else {
            self.write_inside(cx, id, number, |cx, parts, here, next_hop| {
                cx.request_from(parts, &here, next_hop, Work::Request(id), "")
            })?
        };
        self.sent_inside(id, number);
        if let Some(pending) = self.requests.table.get_mut(id) {
            pending.stage = Stage::Sent(delivery);
        }
        self.equip_ack(cx, id);
        Ok(())
    }

    /// Writes a request inside a dialog once more as it was sent, so that a response can be answered by sending it with a change. Does
    /// nothing for a request that is kept, or is none inside a dialog.
    ///
    /// # Errors
    /// As [`send_inside`](Self::send_inside).
    pub(super) fn keep_inside(
        &mut self,
        cx: &mut Cx<'_>,
        id: RequestId,
        response: &Response,
    ) -> Result<(), CommandError> {
        let pending = self.requests.table.get(id).ok_or(CommandError::Gone)?;
        if pending.kept.is_some() || pending.inside.is_none() {
            return Ok(());
        }
        let number = response.cseq().ok_or(CommandError::Invalid("message"))?.number;
        let account = self.account_of(id);
        let kept = self.write_inside(cx, id, number, |_, parts, here, next_hop| {
            let request = parts.request().map_err(|_| CommandError::Invalid("message"))?;
            Ok(Kept { account, request, here, next_hop, targets: None, before: Before::default() })
        })?;
        self.keep(id, kept);
        Ok(())
    }

    /// Whether the dialog of a request is left: the request does not go out again.
    pub(super) fn is_outlived(&self, pending: &Pending) -> bool {
        pending.inside.as_ref().is_some_and(|inside| self.is_left(inside.dialog))
    }

    /// Settles a request whose dialog is left.
    pub(super) fn settle_outlived(&mut self, id: RequestId) {
        if self.requests.table.get(id).is_some_and(|pending| self.is_outlived(pending))
            && let Some(pending) = self.requests.table.get_mut(id)
        {
            pending.tried.settled = true;
        }
    }

    /// The CSeq number of the next request inside the dialog of this one.
    pub(super) fn next_number(&self, cx: &mut Cx<'_>, id: RequestId) -> Result<u32, CommandError> {
        let inside = self.requests.table.get(id).and_then(|pending| pending.inside.as_ref());
        let dialog = self.dialogs.get(inside.ok_or(CommandError::WrongState)?.dialog).ok_or(CommandError::Gone)?;
        Ok(dialog.sequence.next_local(|| cx.random().sequence_number()))
    }

    /// Notes that the request has gone out with that number.
    pub(super) fn sent_inside(&mut self, id: RequestId, number: u32) {
        let inside = self.requests.table.get(id).and_then(|pending| pending.inside.as_ref());
        if let Some(dialog) = inside.and_then(|inside| self.dialogs.get_mut(inside.dialog)) {
            dialog.sequence.sent(number);
        }
    }

    /// The account of a request inside a dialog.
    fn account_of(&self, id: RequestId) -> AccountId {
        let inside = self.requests.table.get(id).and_then(|pending| pending.inside.as_ref());
        inside.map_or(AccountId::DEFAULT, |inside| self.account_in(inside.dialog).0)
    }

    fn keep(&mut self, id: RequestId, kept: Kept) {
        if let Some(pending) = self.requests.table.get_mut(id) {
            pending.kept = Some(Box::new(kept));
        }
    }

    /// Writes a request from its dialog, and hands it on with what each attempt says of its listener, and with the next hop.
    fn write_inside<R>(
        &self,
        cx: &mut Cx<'_>,
        id: RequestId,
        number: u32,
        written: impl FnOnce(&mut Cx<'_>, &RequestParts<'_>, Here, NextHop) -> Result<R, CommandError>,
    ) -> Result<R, CommandError> {
        let pending = self.requests.table.get(id).ok_or(CommandError::Gone)?;
        let Inside { dialog, method, extra } = pending.inside.as_ref().ok_or(CommandError::WrongState)?;
        let (account_id, account) = self.account_in(*dialog);
        let standing = self.standing.as_ref().map(|standing| (standing, self.call_of(*dialog)));
        let dialog = self.dialogs.get(*dialog).ok_or(CommandError::Gone)?;
        let path = dialog.path().ok_or(CommandError::Invalid("remote target"))?;
        let mut lines = Lines::new();
        dialog.add_to(&mut lines, *method, number, &path);
        self.profile.add_software(&mut lines, HeaderId::UserAgent);
        let here = if refreshes_target(*method) {
            let ob = self.accounts.flows(account_id).any(None);
            account.add_contact_anywhere(&mut lines, cx, dialog.remote_target.is_sips(), ob)?
        } else {
            Here::Unsaid
        };
        if *method == Method::Invite {
            self.profile.add_capabilities(&mut lines);
        } else {
            self.profile.add_supported(&mut lines);
        }
        if let Some(extra) = extra {
            extra.add_to(&mut lines);
        }
        let mut content = extra.as_ref().map(|extra| extra.content()).unwrap_or_default();
        if let Some((standing, call)) = standing {
            content = content.or(standing.complete(call, Sort::Request(*method), &mut lines));
        }
        let parts = RequestParts::new(*method, path.request_uri.as_bytes(), &lines);
        written(cx, &RequestParts { content, ..parts }, here, path.next_hop)
    }
}

/// Whether a request of this method says anew where we can be reached (§6, §12.2; RFC 3311 §5.1, RFC 3515 §2.2, RFC 6665 §4.1.2.2
/// and §4.2.2).
const fn refreshes_target(method: Method<'_>) -> bool {
    matches!(method, Method::Invite | Method::Update | Method::Subscribe | Method::Notify | Method::Refer)
}
