//! How requests of ours outside of dialogs are written (RFC 3261 §8.1.1).

use super::super::agent::Cx;
use super::super::compose::{Outgoing, Sort};
use super::super::floor::Floor;
use super::{Owner, Pending, Stage};
use crate::dialog::Path;
use crate::error::CommandError;
use crate::extension::Extension;
use crate::message::header::NameAddrBuf;
use crate::message::{HeaderId, Lines, Method, Recipe, Request, RequestParts};
use crate::transport::Here;
use crate::user_agent::{AccountId, RequestId};

/// The parts that every request outside of dialogs has.
pub(in crate::user_agent) struct Outside<'a> {
    pub(in crate::user_agent) account: AccountId,
    pub(in crate::user_agent) method: Method<'a>,
    /// From, with our tag.
    pub(in crate::user_agent) from: &'a NameAddrBuf,
    pub(in crate::user_agent) call_id: &'a str,
    /// The CSeq number.
    pub(in crate::user_agent) number: u32,
}

impl Floor {
    /// Writes a request outside of dialogs, with Contact, what `add` says that the method needs, and what the application gives; and
    /// what each attempt says of the listener that it goes from.
    ///
    /// # Errors
    /// `HeaderOwned`, `Invalid`: what the application gives cannot be written; `NoListener`.
    pub(in crate::user_agent) fn write_outside(
        &self,
        cx: &Cx<'_>,
        outgoing: &Outgoing,
        path: &Path,
        outside: &Outside<'_>,
        add: impl FnOnce(&mut Lines),
    ) -> Result<(Request, Here), CommandError> {
        let add_contact = |lines: &mut Lines| match outside.method {
            // A MESSAGE makes no dialog and says nowhere to come back to (RFC 3428 §4).
            Method::Message if cx.listeners().next().is_none() => Err(CommandError::NoListener),
            Method::Message => Ok(Here::Unsaid),
            method => {
                let makes_dialog = matches!(method, Method::Invite | Method::Subscribe | Method::Refer);
                let ob = makes_dialog && path.next_hop.flow.is_some() && self.accounts.flows(outside.account).any(None);
                let account = self.accounts.get(outside.account);
                account.add_contact_anywhere(lines, cx, path.request_uri.is_sips(), ob)
            }
        };
        self.write_outside_as(outgoing, path, outside, add_contact, add)
    }

    /// As [`write_outside`](Self::write_outside), with what `add_contact` says in the place of Contact.
    ///
    /// # Errors
    /// As there, and as `add_contact`.
    pub(in crate::user_agent) fn write_outside_as(
        &self,
        outgoing: &Outgoing,
        path: &Path,
        outside: &Outside<'_>,
        add_contact: impl FnOnce(&mut Lines) -> Result<Here, CommandError>,
        add: impl FnOnce(&mut Lines),
    ) -> Result<(Request, Here), CommandError> {
        outgoing.extra.check()?;
        let is_usable = self.profile.extensions().and(outgoing.require) == outgoing.require;
        if !is_usable || (outgoing.require.contains(Extension::Reliable) && outside.method != Method::Invite) {
            return Err(CommandError::Invalid("require"));
        }
        let mut lines = Lines::new();
        lines.number(HeaderId::MaxForwards, 70);
        if let Some(route) = &path.route {
            lines.header(HeaderId::Route, route);
        }
        lines
            .header(HeaderId::To, outgoing.to.without_parameters())
            .header(HeaderId::From, outside.from)
            .header(HeaderId::CallId, outside.call_id)
            .cseq(outside.number, outside.method);
        let here = add_contact(&mut lines)?;
        add(&mut lines);
        if !outgoing.require.is_empty() {
            lines.header(HeaderId::Require, alloc::format!("{}", outgoing.require));
        }
        outgoing.extra.add_to(&mut lines);
        let mut content = outgoing.extra.content();
        if let Some(standing) = &self.standing {
            content = content.or(standing.complete(None, Sort::Request(outside.method), &mut lines));
        }
        let parts = RequestParts::new(outside.method, path.request_uri.as_bytes(), &lines);
        let request = RequestParts { content, ..parts }.request();
        Ok((request.map_err(|_| CommandError::Invalid("body"))?, here))
    }

    /// Gives an INVITE that was just sent the fields of the ACK that a rejection of it gets (§17.1.1.3).
    pub(super) fn equip_ack(&self, cx: &mut Cx<'_>, id: RequestId) {
        let Some(standing) = &self.standing else { return };
        let Some(Pending { owner: Owner::Invite(call) | Owner::Modify(call), stage: Stage::Sent(delivery), .. }) =
            self.requests.table.get(id)
        else {
            return;
        };
        if let Some(fields) = standing.fields(Some(*call), Sort::Request(Method::Ack)) {
            cx.equip_ack(*delivery, fields);
        }
    }
}
