//! The computation of Digest: A1, A2, the response of a client and that of a server (RFC 7616 §3.4.1 to §3.4.3, §3.5).

use core::fmt::Write;

use arrayvec::ArrayString;

use super::algorithm::{Algorithm, Hex};
use super::secret::Ha1;
use crate::message::header::DigestChallenge;

/// A quality of protection (RFC 7616 §3.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Qop {
    /// `auth`: method and Request-URI are protected.
    Auth,
    /// `auth-int`: so is the body.
    AuthInt,
}

impl Qop {
    /// The quality of this name, without regard to case.
    pub fn parse(name: &str) -> Option<Self> {
        [Self::Auth, Self::AuthInt].into_iter().find(|qop| qop.as_str().eq_ignore_ascii_case(name))
    }

    /// The name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Auth => "auth",
            Self::AuthInt => "auth-int",
        }
    }

    /// The quality to choose of those that a challenge offers: `auth` before `auth-int`, since elements on the way may change a
    /// session description.
    pub(super) fn chosen(challenge: &DigestChallenge<'_>) -> Option<Self> {
        [Self::Auth, Self::AuthInt].into_iter().find(|qop| challenge.offers(qop.as_str()))
    }
}

/// The part that a client adds where a quality of protection is chosen.
#[derive(Clone, Copy)]
pub(super) struct Protection<'a> {
    pub(super) qop: Qop,
    /// `nc`.
    pub(super) count: u32,
    pub(super) cnonce: &'a [u8],
}

/// H(A1), session included.
#[derive(Clone, Debug)]
pub(super) struct Key(Hex);

impl Key {
    /// The key of an algorithm; nonce and cnonce are those that a session began with (RFC 7616 §3.4.2).
    pub(super) fn new(algorithm: Algorithm, ha1: &Ha1, nonce: &[u8], cnonce: &[u8]) -> Self {
        let digits = ha1.digits();
        Self(match algorithm.is_session {
            false => digits.clone(),
            true => algorithm.function.of(&[digits.as_bytes(), b":", nonce, b":", cnonce]),
        })
    }
}

/// The parts that are digested besides the key, the method and the body. All texts are those of the quoted strings, without escapes.
#[derive(Clone, Copy)]
pub(super) struct Digested<'a> {
    pub(super) algorithm: Algorithm,
    pub(super) nonce: &'a [u8],
    pub(super) uri: &'a [u8],
    /// `None` without `qop`, as in RFC 2069.
    pub(super) protection: Option<Protection<'a>>,
}

impl Digested<'_> {
    /// H(entity-body).
    pub(super) fn body(&self, body: &[u8]) -> Hex {
        self.algorithm.function.of(&[body])
    }

    /// `response` of credentials. `body` is H(entity-body), asked for where it is protected.
    pub(super) fn response(&self, key: &Key, method: &str, body: impl FnOnce() -> Hex) -> Hex {
        let function = self.algorithm.function;
        let method = method.as_bytes();
        let a2 = match self.protection {
            Some(Protection { qop: Qop::AuthInt, .. }) => {
                function.of(&[method, b":", self.uri, b":", body().as_bytes()])
            }
            _ => function.of(&[method, b":", self.uri]),
        };
        let (key, a2) = (key.0.as_bytes(), a2.as_bytes());
        match self.protection {
            Some(Protection { qop, count, cnonce }) => {
                let mut nc = ArrayString::<8>::new();
                // Eight digits always suffice.
                let _ = write!(nc, "{count:08x}");
                let qop = qop.as_str().as_bytes();
                function.of(&[key, b":", self.nonce, b":", nc.as_bytes(), b":", cnonce, b":", qop, b":", a2])
            }
            None => function.of(&[key, b":", self.nonce, b":", a2]),
        }
    }

    /// `rspauth` of Authentication-Info: a response without a method (RFC 7616 §3.5).
    pub(super) fn rspauth(&self, key: &Key, body: &[u8]) -> Hex {
        self.response(key, "", || self.body(body))
    }
}
