//! The logins that a keyring is given, and its answers.

use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;

use super::fields::{Asker, Fields};
use super::secret::Secret;
use crate::message::{Host, HostBuf};

/// The name of a user, and the secret to prove it with.
#[derive(Clone, Debug)]
pub struct Login {
    pub(super) user: Box<str>,
    pub(super) secret: Secret,
    pub(super) is_everywhere: bool,
}

impl Login {
    /// A user name and the secret that goes with it.
    pub fn new(user: &str, secret: Secret) -> Self {
        Self { user: user.into(), secret, is_everywhere: false }
    }

    /// Whether this is the same user with the same secret, for the same servers.
    pub(super) fn is_same(&self, other: &Self) -> bool {
        self.user == other.user && self.is_everywhere == other.is_everywhere && self.secret.is_same(&other.secret)
    }

    /// Says that this is for the account's outbound proxy: the proxy's challenge counts for every request of the account and not
    /// only for those with the Call-ID that was challenged (RFC 3261 §22.3).
    #[must_use]
    pub fn for_outbound_proxy(self) -> Self {
        Self { is_everywhere: true, ..self }
    }
}

/// Which challenges a login answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Scope {
    /// The challenges of this realm, compared octet by octet.
    Realm(Box<str>),
    /// The challenges of any realm to requests whose topmost Route or whose Request-URI has this host.
    Host(HostBuf),
    /// All challenges. Whoever gets a request of the account can then ask for a proof by which a weak password can be guessed.
    Any,
}

impl Scope {
    /// The challenges of a realm.
    pub fn realm(realm: &str) -> Self {
        Self::Realm(realm.into())
    }

    /// The challenges of requests to a host. `None` if this is no host name or address.
    pub fn host(host: &str) -> Option<Self> {
        Some(Self::Host(Host::parse(host.as_bytes())?.to_buf()))
    }
}

/// A realm whose credentials someone asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wanted {
    /// Whether a server or a proxy asks.
    pub asker: Asker,
    /// The realm, to be shown to the user (RFC 3261 §22.1).
    pub realm: String,
}

/// The way to treat challenges of realms that no login is known for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unknown {
    /// Ask for the logins first: [`Outcome::Wanted`].
    Ask,
    /// Answer the other challenges, if there are any (RFC 8760 §2.4).
    LeaveOut,
}

/// The outcome of a challenged request.
#[derive(Clone, Debug)]
#[must_use]
pub enum Outcome {
    /// The request goes again, with these fields in the place of all its credentials and with the next CSeq (RFC 3261 §22.2).
    Again(Fields),
    /// No login is known for these realms; never empty. Once one is known, or the realms are left out, the same question gives
    /// another outcome.
    Wanted(Vec<Wanted>),
    /// The credentials that the request had for these realms were refused; never empty. They are not sent again (§22.1): the
    /// same question gives another outcome once there is another login.
    Rejected(Vec<Wanted>),
    /// No challenge is understood, or none can be answered with the hashes that are known: the request has failed.
    Unsupported,
}

/// The proof of its server that a response has (RFC 7616 §3.5).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub enum ServerProof {
    /// The response has no proof that belongs to the request.
    Absent,
    /// The server knows the secret.
    Good,
    /// The proof is wrong: the response, or a part of it, is not from a server that knows the secret.
    Wrong,
}
