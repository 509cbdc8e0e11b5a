//! The server half: challenges, and the verdict on credentials (RFC 3261 §22.1 to §22.4, RFC 8760 §2.3).

use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;
use core::fmt;
use core::hash::Hasher;

use siphasher::sip128::{Hasher128, SipHasher24};

use super::algorithm::{Algorithm, HashFunction, same};
use super::challenges::is_line;
use super::claim::{Claim, Hidden, Parts, Refusal, UserName, is_unchallenged};
use super::digest::{Key, Qop};
use super::fields::{Asker, Fields};
use super::nonce::Nonce;
use super::replays::{Replays, Seen, Use};
use super::secret::Ha1;
use super::settings::Settings;
use crate::error::CommandError;
use crate::message::header::{
    AuthParameters, AuthenticationInfo, Authorization, Challenge, Credentials, DigestChallenge, DigestCredentials,
    DigestInfo, Header, WwwAuthenticate, realm_of,
};
use crate::message::{Method, Quoted, Request, StatusCode, decimal};
use crate::random::Random;
use crate::time::Instant;

/// The credentials that a request brings to a gate, or the lack of them.
#[derive(Clone, Debug)]
#[must_use]
#[expect(clippy::large_enum_variant, reason = "a box would be an allocation, and the large variant is the usual one")]
pub enum Reading {
    /// An ACK or a CANCEL, which is never challenged (RFC 3261 §22.1). `is_known` if this is an ACK with the credentials of an
    /// INVITE that was let through, and the window still has them. Any other ACK and each CANCEL is to be judged by the call or
    /// the INVITE that it belongs to.
    Exempt {
        /// Whether the INVITE of the ACK was let through with the same credentials.
        is_known: bool,
    },
    /// Someone claims to be a user: their secret is to be looked up.
    Claimed(Claim),
    /// The request is refused.
    Refused(Refusal),
}

/// A request that was let through: who has sent it.
#[derive(Clone, Debug)]
pub struct Pass {
    claim: Claim,
    key: Key,
}

impl Pass {
    /// The user.
    pub const fn user(&self) -> &UserName {
        &self.claim.user
    }

    /// The realm.
    pub fn realm(&self) -> &str {
        &self.claim.realm
    }

    /// The algorithm.
    pub const fn algorithm(&self) -> Algorithm {
        self.claim.algorithm
    }
}

/// Challenges requests and judges credentials. Nonces are not remembered, only their uses, in a bounded window.
#[derive(Clone)]
pub struct Gate {
    asker: Asker,
    settings: Settings,
    key: [u8; 16],
    replays: Replays,
}

impl Gate {
    /// A gate for one realm. `key` proves which nonces are ours: [`Random::hash_key`].
    ///
    /// # Errors
    /// [`CommandError::Invalid`]: realm or opaque have a line end, or there is no algorithm or the same one twice (RFC 8760 §2.3).
    pub fn new(asker: Asker, settings: Settings, key: [u8; 16]) -> Result<Self, CommandError> {
        if !is_line(&settings.realm) {
            return Err(CommandError::Invalid("the realm"));
        }
        if !settings.opaque.as_deref().is_none_or(is_line) {
            return Err(CommandError::Invalid("the opaque"));
        }
        let mut rest = settings.algorithms.as_slice();
        while let [first, others @ ..] = rest {
            if others.contains(first) {
                return Err(CommandError::Invalid("the algorithms"));
            }
            rest = others;
        }
        if settings.algorithms.is_empty() {
            return Err(CommandError::Invalid("the algorithms"));
        }
        Ok(Self { asker, settings, key, replays: Replays::default() })
    }

    /// Whether this is the gate of a server or of a proxy.
    pub const fn asker(&self) -> Asker {
        self.asker
    }

    /// The realm.
    pub fn realm(&self) -> &str {
        &self.settings.realm
    }

    /// How many uses of nonces are remembered; see [`Limits::uses`](super::Limits::uses).
    pub fn uses(&self) -> usize {
        self.replays.len()
    }

    /// Nonces that were made before `now` are stale from now on: their uses may have been seen by a gate that is no more.
    pub fn forget_before(&mut self, now: Instant) {
        self.replays.forget_before(now);
    }

    /// The status and the fields of the answer to a request that is refused: 400 without a field for what is malformed, else 401
    /// or 407 with a challenge for each algorithm.
    pub fn refuse(&self, refusal: Refusal, now: Instant, random: &mut Random) -> (StatusCode, Fields) {
        if refusal == Refusal::Malformed {
            return (StatusCode::BAD_REQUEST, Fields::default());
        }
        let nonce = Nonce::new(now, random).text(&self.key, &self.settings.realm);
        let qop = if self.settings.offers_integrity { "auth,auth-int" } else { "auth" };
        let challenges = self.settings.algorithms.iter().map(|algorithm| {
            let challenge = Challenge::Digest(DigestChallenge {
                realm: Quoted::of(&self.settings.realm),
                nonce: Quoted::of(&nonce),
                domain: None,
                opaque: self.settings.opaque.as_deref().map(Quoted::of),
                stale: refusal.is_stale(),
                algorithm: Some(algorithm.as_str()),
                qop: Some(Quoted::of(qop)),
                // Who knows only MD5 may not know this parameter either.
                charset: (algorithm.function != HashFunction::Md5).then_some("UTF-8"),
                userhash: self.settings.hashes_users,
                parameters: AuthParameters::NONE,
            });
            let mut value = Vec::new();
            // Both headers are written alike.
            WwwAuthenticate(challenge).write(&mut value);
            (self.asker.challenge(), value)
        });
        (self.asker.status(), Fields(challenges.collect()))
    }

    /// Reads what a request claims, and judges all that needs no secret. Credentials without `qop` are those of a client of RFC 2069
    /// and are taken too (RFC 3261 §22.4): as nothing counts the uses of their nonce, it is good for one request.
    pub fn read(&self, request: &Request, now: Instant) -> Reading {
        match request.method() {
            Method::Ack => Reading::Exempt { is_known: self.knows(request) },
            Method::Cancel => Reading::Exempt { is_known: false },
            _ => match self.claim(request, now) {
                Ok(claim) => Reading::Claimed(claim),
                Err(refusal) => Reading::Refused(refusal),
            },
        }
    }

    /// Judges a claim by the hash that the owner of the gate has looked up, `None` if the user is not known. What passes is
    /// remembered: the same credentials pass again only for the same Call-ID, CSeq number and method, as when a fork reaches us twice.
    ///
    /// # Errors
    /// [`Refusal::Wrong`], [`Refusal::Replayed`], or [`Refusal::Stale`] if the nonce has become too old since, or the window had to
    /// forget.
    pub fn verify(&mut self, claim: Claim, secret: Option<&Ha1>, now: Instant) -> Result<Pass, Refusal> {
        let function = claim.algorithm.function;
        let secret = secret.filter(|ha1| ha1.function() == function);
        // A user that is not known takes as long as a wrong password.
        let nobody;
        let ha1 = match secret {
            Some(ha1) => ha1,
            None => {
                nobody = Ha1::of(function, "", "", "");
                &nobody
            }
        };
        let digested = claim.digested();
        let cnonce = digested.protection.map_or(&[][..], |protection| protection.cnonce);
        let key = Key::new(claim.algorithm, ha1, digested.nonce, cnonce);
        let body = || claim.body.clone().unwrap_or_else(|| digested.body(b""));
        let expected = digested.response(&key, &claim.method, body);
        let is_right = same(expected.as_bytes(), &claim.response.0.to_ascii_lowercase());
        if secret.is_none() || !is_right {
            return Err(Refusal::Wrong);
        }
        // The look-up may have taken its time: uses of a nonce that is too old are no longer remembered.
        if claim.nonce.is_older(self.settings.nonce_age, now) {
            return Err(Refusal::Stale);
        }
        self.replays.prune(self.settings.nonce_age, now);
        match self.replays.take(claim.nonce, claim.count(), claim.this, self.settings.limits.uses) {
            Seen::Good => Ok(Pass { claim, key }),
            Seen::Replayed => Err(Refusal::Replayed),
            Seen::Forgotten => Err(Refusal::Stale),
        }
    }

    /// Reads and judges at once, for an owner that has its users at hand.
    ///
    /// # Errors
    /// The refusal. An ACK or a CANCEL gives `Ok(None)`.
    pub fn check(
        &mut self,
        request: &Request,
        now: Instant,
        look_up: impl FnOnce(&Claim) -> Option<Ha1>,
    ) -> Result<Option<Pass>, Refusal> {
        match self.read(request, now) {
            Reading::Exempt { .. } => Ok(None),
            Reading::Claimed(claim) => {
                let secret = look_up(&claim);
                self.verify(claim, secret.as_ref(), now).map(Some)
            }
            Reading::Refused(refusal) => Err(refusal),
        }
    }

    /// Authentication-Info for the 2xx to a request that was let through, whose body is `body`: the proof that we know the secret
    /// too, and a new nonce where the present one is in the last quarter of its age (RFC 7616 §3.5). Not for the `-sess`
    /// variants: whether their session goes on with another nonce is read differently by clients. Empty for a proxy, which SIP
    /// gives no such header, and where there is nothing to say.
    pub fn info(&self, pass: &Pass, body: &[u8], now: Instant, random: &mut Random) -> Fields {
        if self.asker == Asker::Proxy {
            return Fields::default();
        }
        let age = self.settings.nonce_age;
        let is_near = pass.claim.nonce.is_older(age - age / 4, now) && !pass.claim.algorithm.is_session;
        let next = is_near.then(|| Nonce::new(now, random).text(&self.key, &self.settings.realm));
        let digested = pass.claim.digested();
        let protection = digested.protection;
        let rspauth = protection.map(|_| digested.rspauth(&pass.key, body));
        let cnonce = protection.map(|protection| String::from_utf8_lossy(protection.cnonce));
        if next.is_none() && rspauth.is_none() {
            return Fields::default();
        }
        let info = AuthenticationInfo(DigestInfo {
            nextnonce: next.as_deref().map(Quoted::of),
            qop: protection.map(|protection| protection.qop.as_str()),
            rspauth: rspauth.as_ref().map(|rspauth| Quoted::of(rspauth.as_str())),
            cnonce: cnonce.as_deref().map(Quoted::of),
            nonce_count: protection.map(|protection| protection.count),
            parameters: AuthParameters::NONE,
        });
        let mut value = Vec::new();
        info.write(&mut value);
        Fields(vec![(AuthenticationInfo::ID, value)])
    }

    fn claim(&self, request: &Request, now: Instant) -> Result<Claim, Refusal> {
        let digest = self.own(request)?;
        let settings = &self.settings;
        let parts = Parts::read(&digest, request, &settings.algorithms, settings.offers_integrity, settings.uri_rule)?;
        let nonce_text = String::from_utf8(digest.nonce.to_text().into_owned()).map_err(|_| Refusal::Stale)?;
        let nonce = Nonce::parse(nonce_text.as_bytes(), &self.key, &settings.realm).ok_or(Refusal::Stale)?;
        if nonce.is_older(settings.nonce_age, now) || self.replays.is_forgotten(nonce) {
            return Err(Refusal::Stale);
        }
        let is_protected = matches!(parts.protection, Some((Qop::AuthInt, ..)));
        Ok(Claim {
            user: parts.user,
            realm: Box::from(settings.realm.as_str()),
            algorithm: parts.algorithm,
            nonce,
            nonce_text,
            uri: parts.uri,
            protection: parts.protection,
            method: request.method().as_str().into(),
            body: is_protected.then(|| parts.algorithm.function.of(&[request.body()])),
            response: Hidden(digest.response.to_text().into_owned()),
            this: self.use_of(request, &digest).ok_or(Refusal::Malformed)?,
        })
    }

    /// The credentials for our realm.
    fn own<'r>(&self, request: &'r Request) -> Result<DigestCredentials<'r>, Refusal> {
        let mut is_malformed = false;
        let values = request.headers().values(self.asker.credentials(), false).take(self.settings.limits.credentials);
        for value in values.filter(|value| value.len() <= self.settings.limits.octets) {
            // Both headers are read alike.
            match Authorization::parse(value) {
                Ok(Authorization(Credentials::Digest(digest))) if digest.realm == *self.settings.realm => {
                    return if is_unchallenged(&digest) { Err(Refusal::Absent) } else { Ok(digest) };
                }
                Ok(_) => {}
                Err(_) => is_malformed |= realm_of(value).is_some_and(|realm| realm == *self.settings.realm),
            }
        }
        Err(if is_malformed { Refusal::Malformed } else { Refusal::Absent })
    }

    /// Whether an ACK has the credentials of an INVITE that was let through (RFC 3261 §22.1).
    fn knows(&self, ack: &Request) -> bool {
        let known = || {
            let digest = self.own(ack).ok()?;
            let nonce = Nonce::parse(&digest.nonce.to_text(), &self.key, &self.settings.realm)?;
            let count = digest.qop.map_or(Some(0), |_| digest.nonce_count)?;
            Some(self.replays.contains(nonce, count, self.use_of(ack, &digest)?))
        };
        known().unwrap_or_default()
    }

    /// The mark of this use of a nonce. An ACK counts as its INVITE.
    fn use_of(&self, request: &Request, digest: &DigestCredentials<'_>) -> Option<Use> {
        let method = match request.method() {
            Method::Ack => Method::Invite,
            method => method,
        };
        let number = decimal(request.cseq()?.number as usize);
        let request = self.stands_for(&[request.call_id()?.as_bytes(), number.as_bytes(), method.as_str().as_bytes()]);
        Some(Use { request, response: self.stands_for(&[&digest.response.to_text()]) })
    }

    /// A keyed hash of these parts: without the key nobody can look for others that share it.
    fn stands_for(&self, parts: &[&[u8]]) -> u128 {
        let mut hasher = SipHasher24::new_with_key(&self.key);
        hasher.write(b"use");
        for part in parts {
            hasher.write(part);
            // Ends the part.
            hasher.write_u64((part.len() as u64).to_le());
        }
        hasher.finish128().as_u128()
    }
}

/// The key tells which nonces are ours: it is not shown.
impl fmt::Debug for Gate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Gate")
            .field("asker", &self.asker)
            .field("settings", &self.settings)
            .field("uses", &self.replays.len())
            .finish_non_exhaustive()
    }
}
