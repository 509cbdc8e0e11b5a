//! Who a user agent is: its accounts, each with an identity, a contact and a way for its requests (RFC 3261 §8.1.1.3, §8.1.1.8).
//!
//! `table.rs` is the table of them and says which account a request is for, by the names of `names.rs`; `flows.rs` is along which flows its
//! requests go, `instance.rs` the name of the device; `commands.rs` has the commands.

mod commands;
mod flows;
mod instance;
mod names;
mod table;

use alloc::borrow::Cow;

use super::agent::Cx;
use super::profile::Profile;
use crate::dialog::RouteSet;
use crate::error::CommandError;
use crate::message::header::NameAddrBuf;
use crate::message::{HeaderId, Lines, Scheme, Uri, UriBuf};
use crate::transport::{Here, Listener, NextHop};
pub use instance::Instance;
pub(super) use table::Accounts;

/// An account of a user agent: an address-of-record, how it is reached, and which way its requests go. A user agent has the account
/// of its [`Profile`], and those that are [added](super::UserAgent::add_account). The logins of an account, and the service route that
/// its registrar gives (RFC 3608), are never used for another account.
///
/// ```
/// # use sansip::user_agent::Account;
/// let work = Account {
///     routes: ["sip:proxy.chicago.com;lr".parse().unwrap()].into_iter().collect(),
///     ..Account::new("Bob <sip:bob@chicago.com>".parse().unwrap())
/// };
/// # let _ = work;
/// ```
#[derive(Clone, Debug)]
pub struct Account {
    /// Name and address-of-record: see [`Profile::identity`].
    pub identity: NameAddrBuf,
    /// Where this account can be reached: see [`Profile::contact`]. Accounts with the same user part that have a registrar each are told
    /// apart by their contacts.
    pub contact: Option<UriBuf>,
    /// The proxies that requests outside of dialogs go through: see [`Profile::routes`].
    pub routes: RouteSet,
    /// Where requests outside of dialogs are sent: see [`Profile::outbound`].
    pub outbound: Option<NextHop>,
    /// The device that this account is used on: see [`Profile::instance`].
    pub instance: Option<Instance>,
}

impl Account {
    /// An account that is reached at the listeners, whose requests go where Route or their Request-URI says.
    pub fn new(identity: NameAddrBuf) -> Self {
        Self { identity, contact: None, routes: RouteSet::default(), outbound: None, instance: None }
    }

    /// The account of a profile.
    fn of(profile: &Profile) -> Self {
        Self {
            identity: profile.identity.clone(),
            contact: profile.contact.clone(),
            routes: profile.routes.clone(),
            outbound: profile.outbound.clone(),
            instance: profile.instance.clone(),
        }
    }

    /// Adds Contact: where this account can be reached at `listener`; a SIPS URI if `secure` (§8.1.1.8, §12.1.1). If `ob`, requests are to come
    /// along the flow of the dialog (RFC 5626 §4.3).
    ///
    /// # Errors
    /// `NoListener`.
    pub(super) fn add_contact(
        &self,
        lines: &mut Lines,
        listener: Option<&Listener>,
        secure: bool,
        ob: bool,
    ) -> Result<(), CommandError> {
        let uri = self.contact_at(listener, secure, ob)?;
        lines.parts(HeaderId::Contact, &[b"<", &uri, b">"]);
        Ok(())
    }

    /// The URI of Contact at `listener`.
    fn contact_at(&self, listener: Option<&Listener>, secure: bool, ob: bool) -> Result<Cow<'_, [u8]>, CommandError> {
        if let Some(contact) = &self.contact {
            return Ok(Cow::Borrowed(contact.as_bytes()));
        }
        let listener = listener.ok_or(CommandError::NoListener)?;
        let parameters = if ob { ";ob" } else { "" };
        Ok(Cow::Owned(listener.uri(self.identity.uri().user(), secure, parameters).into_bytes()))
    }

    /// Adds Contact to a request, a SIPS URI if `secure` and with `ob` if that is said, if it is the same wherever the request goes from; else
    /// says that each attempt adds it.
    ///
    /// # Errors
    /// `NoListener`.
    pub(super) fn add_contact_anywhere(
        &self,
        lines: &mut Lines,
        cx: &Cx<'_>,
        secure: bool,
        ob: bool,
    ) -> Result<Here, CommandError> {
        self.add_contact_with(lines, cx, secure, ob, "")
    }

    /// As [`add_contact_anywhere`](Self::add_contact_anywhere), with these header parameters.
    ///
    /// # Errors
    /// `NoListener`.
    pub(super) fn add_contact_with(
        &self,
        lines: &mut Lines,
        cx: &Cx<'_>,
        secure: bool,
        ob: bool,
        parameters: &str,
    ) -> Result<Here, CommandError> {
        match &self.contact {
            Some(contact) => {
                lines.parts(HeaderId::Contact, &[b"<", contact.as_bytes(), b">", parameters.as_bytes()]);
                Ok(Here::Unsaid)
            }
            None if cx.listeners().next().is_none() => Err(CommandError::NoListener),
            None => {
                let user = self.identity.uri().user().map(Into::into);
                Ok(Here::Contact { user, secure, ob, parameters: parameters.into() })
            }
        }
    }

    /// Whether `uri` is the Contact of a request of ours for `target`, wherever that went from.
    pub(super) fn is_contact(&self, cx: &Cx<'_>, target: Uri<'_>, uri: Uri<'_>) -> bool {
        let is_it = |ours: &[u8]| Uri::parse(ours).is_ok_and(|ours| ours.equivalent(uri));
        let at = |listener| self.contact_at(Some(listener), target.scheme() == Scheme::Sips, false);
        cx.listeners().any(|(_, listener)| at(listener).is_ok_and(|ours| is_it(&ours)))
    }
}
