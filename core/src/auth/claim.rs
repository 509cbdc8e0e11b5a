//! The claim of a request's credentials, before anybody has looked up the secret (RFC 7616 §3.4, RFC 3261 §22.4).

use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;

use super::algorithm::{Algorithm, Hex};
use super::challenges::text;
use super::digest::{Digested, Protection, Qop};
use super::nonce::Nonce;
use super::replays::Use;
use crate::message::header::DigestCredentials;
use crate::message::{Quoted, Request, Uri};

/// Why credentials are not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// The request has no credentials for the realm: those for other realms are not ours to look at (RFC 3261 §22.3).
    Absent,
    /// The nonce is too old or not from here: the client may try again with a new one.
    Stale,
    /// The proof is wrong, the user is not known, or the algorithm is none that was offered.
    Wrong,
    /// The nonce count was used by another request.
    Replayed,
    /// A parameter is missing or cannot be, or `uri` names something else than the Request-URI does: 400 (RFC 7616 §3.4,
    /// §3.4.6).
    Malformed,
}

impl Refusal {
    /// Whether the client may try again with a new nonce and without asking its user.
    pub const fn is_stale(self) -> bool {
        matches!(self, Self::Stale | Self::Replayed)
    }
}

/// A user name as credentials have it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum UserName {
    /// The name.
    Clear(Box<str>),
    /// The digits that stand for the name: [`hashed_user`](super::hashed_user) of it, in lower-case hexadecimal digits.
    Hashed(Box<str>),
}

impl UserName {
    /// The name, or the digits that stand for it.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Clear(text) | Self::Hashed(text) => text,
        }
    }
}

/// Which Request-URIs the `uri` of credentials may stand for. Digest protects `uri` and not the Request-URI, which elements on
/// the way may change (RFC 7616 §3.4.6). SIP leaves it to the server what it accepts (RFC 3261 §22.4, RFC 8760 §2.6).
///
/// A URI that has no host of its own, such as a `tel`, is compared as a whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UriRule {
    /// Same user and same host: scheme, port and parameters may differ. For a registrar and for the first proxy, which the client
    /// sends to. Credentials that someone has overheard are then of no use for another user.
    Target,
    /// Same user or same host. For a user agent behind a proxy, whose Request-URI is its Contact.
    Forwarded,
    /// Any URI. For a user agent behind a strict router, which sends to a Request-URI that is not the one of its sender (RFC 3261
    /// §16.12.1.2). Credentials that someone has overheard then serve for any Request-URI, once.
    Any,
}

impl UriRule {
    /// Whether the `uri` of credentials may stand for the Request-URI of this request.
    fn accepts(self, digest_uri: &[u8], request: &Request) -> bool {
        if self == Self::Any || digest_uri == request.uri_bytes() {
            return true;
        }
        let (Ok(claimed), Ok(own)) = (Uri::parse(digest_uri), request.uri()) else { return false };
        let (Some(host), Some(own_host)) = (claimed.host(), own.host()) else {
            return self == Self::Forwarded || claimed.equivalent(own);
        };
        let user = |uri: Uri<'_>| {
            let address = uri.address_of_record()?;
            let (_, rest) = address.as_str().split_once(':')?;
            Some(String::from(rest.rsplit_once('@')?.0))
        };
        let (user, own_user) = (user(claimed), user(own));
        match self {
            Self::Target => host == own_host && user == own_user,
            Self::Forwarded => host == own_host || user.is_some() && user == own_user,
            Self::Any => true,
        }
    }
}

/// The claim of a request: who has sent it. The claim is not proved yet; the owner looks up the [`Ha1`](super::Ha1) of this user, realm and
/// hash function and gives it to [`Gate::verify`](super::Gate::verify).
#[derive(Clone, Debug)]
pub struct Claim {
    pub(super) user: UserName,
    pub(super) realm: Box<str>,
    pub(super) algorithm: Algorithm,
    pub(super) nonce: Nonce,
    pub(super) nonce_text: String,
    pub(super) uri: Vec<u8>,
    pub(super) protection: Option<(Qop, u32, Vec<u8>)>,
    pub(super) method: Box<str>,
    /// H(entity-body), where it is protected.
    pub(super) body: Option<Hex>,
    pub(super) response: Hidden,
    pub(super) this: Use,
}

/// The response of credentials, which no log has a use for.
#[derive(Clone)]
pub(super) struct Hidden(pub(super) Vec<u8>);

impl core::fmt::Debug for Hidden {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("…")
    }
}

impl Claim {
    /// The user.
    pub const fn user(&self) -> &UserName {
        &self.user
    }

    /// The realm: that of the gate.
    pub fn realm(&self) -> &str {
        &self.realm
    }

    /// The algorithm; its function says which hash to look up.
    pub const fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// The parts that the credentials digest.
    pub(super) fn digested(&self) -> Digested<'_> {
        let protection =
            self.protection.as_ref().map(|(qop, count, cnonce)| Protection { qop: *qop, count: *count, cnonce });
        Digested { algorithm: self.algorithm, nonce: self.nonce_text.as_bytes(), uri: &self.uri, protection }
    }

    /// The nonce count; 0 without `qop`, so that a nonce that is not counted is good for one request.
    pub(super) fn count(&self) -> u32 {
        self.protection.as_ref().map_or(0, |(_, count, _)| *count)
    }
}

/// The parts of credentials whose form is right, still without a look at the nonce.
pub(super) struct Parts {
    pub(super) user: UserName,
    pub(super) algorithm: Algorithm,
    pub(super) uri: Vec<u8>,
    pub(super) protection: Option<(Qop, u32, Vec<u8>)>,
}

impl Parts {
    /// Reads credentials for a gate that offers these algorithms, and `auth-int` just if `offers_integrity`.
    pub(super) fn read(
        digest: &DigestCredentials<'_>,
        request: &Request,
        algorithms: &[Algorithm],
        offers_integrity: bool,
        rule: UriRule,
    ) -> Result<Self, Refusal> {
        let uri = digest.uri.ok_or(Refusal::Malformed)?.to_text().into_owned();
        if !rule.accepts(&uri, request) {
            return Err(Refusal::Malformed);
        }
        let protection = match digest.qop.map(Qop::parse) {
            None => None,
            Some(Some(qop)) if qop == Qop::Auth || offers_integrity => {
                let count = digest.nonce_count.filter(|count| *count > 0).ok_or(Refusal::Malformed)?;
                let cnonce = digest.cnonce.ok_or(Refusal::Malformed)?.to_text().into_owned();
                Some((qop, count, cnonce))
            }
            // Neither a known quality nor one that was offered.
            Some(_) => return Err(Refusal::Malformed),
        };
        let user = user_name(digest).ok_or(Refusal::Malformed)?;
        // Who answers with another algorithm has not understood the challenge.
        let algorithm = Algorithm::of_parameter(digest.algorithm).filter(|algorithm| algorithms.contains(algorithm));
        let algorithm = algorithm.ok_or(Refusal::Wrong)?;
        if algorithm.is_session && protection.is_none() {
            return Err(Refusal::Malformed);
        }
        Ok(Self { user, algorithm, uri, protection })
    }
}

/// The user name. `None` if there is none that is text, or a hashed one in the notation of clear names (RFC 7616 §3.4).
fn user_name(digest: &DigestCredentials<'_>) -> Option<UserName> {
    match (digest.username, digest.username_extended) {
        (Some(name), None) => {
            let name = text(name)?;
            Some(match digest.userhash {
                true => UserName::Hashed(name.to_ascii_lowercase().into()),
                false => UserName::Clear(name.into()),
            })
        }
        (None, Some(extended)) if !digest.userhash => Some(UserName::Clear(extended_value(extended)?.into())),
        _ => None,
    }
}

/// The text of an extended value in UTF-8, such as `UTF-8''J%C3%A4s%C3%B8n%20Doe` (RFC 5987 §3.2).
fn extended_value(value: &str) -> Option<String> {
    let mut parts = value.splitn(3, '\'');
    let charset = parts.next()?;
    let _language = parts.next()?;
    let mut rest = parts.next()?.as_bytes();
    if !charset.eq_ignore_ascii_case("UTF-8") {
        return None;
    }
    let mut octets = Vec::with_capacity(rest.len());
    let digit = |octet: &u8| char::from(*octet).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    loop {
        rest = match rest {
            [] => break,
            [b'%', high, low, tail @ ..] => {
                octets.push(digit(high)? << 4 | digit(low)?);
                tail
            }
            [b'%', ..] => return None,
            [octet, tail @ ..] => {
                octets.push(*octet);
                tail
            }
        };
    }
    String::from_utf8(octets).ok().filter(|name| super::challenges::is_line(name))
}

/// Whether a quoted string is empty: credentials of a client that has not been challenged yet (RFC 8760 §2.7).
pub(super) fn is_unchallenged(digest: &DigestCredentials<'_>) -> bool {
    let is_empty = |text: Quoted<'_>| text.is_empty();
    is_empty(digest.nonce) || is_empty(digest.response)
}
