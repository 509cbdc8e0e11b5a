//! The challenges of a response, as far as they are understood (RFC 3261 §22.3, RFC 8760 §2.4).

use alloc::string::String;
use alloc::vec::Vec;

use super::algorithm::Algorithm;
use super::digest::Qop;
use super::fields::Asker;
use super::limits::Limits;
use crate::message::header::{Challenge, DigestChallenge, Header, ProxyAuthenticate, WwwAuthenticate};
use crate::message::{Quoted, Response};

/// A challenge that can be answered by whoever knows the secret.
#[derive(Clone, Debug)]
pub(super) struct Offer {
    pub(super) asker: Asker,
    pub(super) realm: String,
    pub(super) nonce: String,
    pub(super) opaque: Option<String>,
    pub(super) is_stale: bool,
    pub(super) algorithm: Algorithm,
    /// Whether the challenge named the algorithm: credentials do just if their challenge does.
    pub(super) names_algorithm: bool,
    /// `None` if the challenge offers none (RFC 2069).
    pub(super) qop: Option<Qop>,
    pub(super) hashes_user: bool,
}

impl Offer {
    /// The challenge, if it is understood: otherwise it is to be ignored (RFC 8760 §2.4).
    fn read(asker: Asker, challenge: &DigestChallenge<'_>) -> Option<Self> {
        let algorithm = Algorithm::of_parameter(challenge.algorithm)?;
        let is_offered = challenge.qop.is_some_and(|qop| !qop.is_empty());
        let qop = Qop::chosen(challenge);
        // A session needs a client nonce, and that needs a quality of protection (RFC 3261 §22.4).
        if qop.is_none() && (is_offered || algorithm.is_session) {
            return None;
        }
        let opaque = match challenge.opaque {
            Some(opaque) => Some(text(opaque)?),
            None => None,
        };
        Some(Self {
            asker,
            realm: text(challenge.realm)?,
            nonce: text(challenge.nonce)?,
            opaque,
            is_stale: challenge.stale,
            algorithm,
            names_algorithm: challenge.algorithm.is_some(),
            qop,
            hashes_user: challenge.userhash,
        })
    }
}

/// The text of a quoted string. `None` if it is no UTF-8 or would end its line when it is written again.
pub(super) fn text(quoted: Quoted<'_>) -> Option<String> {
    let text = String::from_utf8(quoted.to_text().into_owned()).ok()?;
    is_line(&text).then_some(text)
}

/// Whether a text can stand in one line.
pub(super) fn is_line(text: &str) -> bool {
    !text.contains(['\r', '\n'])
}

/// The challenges that are understood, of both headers and in their order. A forking proxy has put those of several branches
/// into one response.
pub(super) fn offers(response: &Response, limits: &Limits) -> Vec<Offer> {
    let values = |asker: Asker| response.headers().values(asker.challenge(), false).map(move |value| (asker, value));
    let all = Asker::BOTH.into_iter().flat_map(values).take(limits.challenges);
    let read = |(asker, value): (Asker, _)| {
        let challenge = match asker {
            Asker::Server => WwwAuthenticate::parse(value).ok()?.0,
            Asker::Proxy => ProxyAuthenticate::parse(value).ok()?.0,
        };
        match challenge {
            Challenge::Digest(digest) => Offer::read(asker, &digest),
            Challenge::Other { .. } => None,
        }
    };
    all.filter(|(_, value)| value.len() <= limits.octets).filter_map(read).collect()
}
