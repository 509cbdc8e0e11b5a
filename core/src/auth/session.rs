//! Authentication sessions: what a client remembers of a challenge that it has answered (RFC 7616 §3.6).

use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use super::algorithm::Algorithm;
use super::challenges::Offer;
use super::digest::{Digested, Key, Protection, Qop};
use super::fields::Asker;
use super::secret::{Ha1, hashed_user};
use crate::message::header::{AuthParameters, Credentials, DigestCredentials, Header};
use crate::message::header::{Authorization, ProxyAuthorization};
use crate::message::{Quoted, Request};

/// A challenge and what was made of it. It lasts until the next challenge of the same realm.
#[derive(Clone)]
pub(super) struct Session {
    pub(super) asker: Asker,
    pub(super) realm: String,
    /// The number of the login: [`super::keyring`] numbers what it is given.
    pub(super) login: u64,
    /// The user name as it is sent, hashed if the server takes hashed ones.
    user: Box<str>,
    hashes_user: bool,
    algorithm: Algorithm,
    names_algorithm: bool,
    pub(super) nonce: String,
    opaque: Option<String>,
    qop: Option<Qop>,
    /// The client nonce: the same for the whole session, since `-sess` needs the first (RFC 7616 §3.4.2).
    cnonce: String,
    key: Key,
    /// How often the nonce was used.
    pub(super) count: u32,
    /// Whether the server took these credentials: it gave a nonce for the next request.
    pub(super) is_accepted: bool,
    /// Whether the server refused these credentials.
    pub(super) is_rejected: bool,
}

impl Session {
    /// The session that a challenge begins.
    pub(super) fn new(offer: Offer, login: u64, user: &str, ha1: &Ha1, cnonce: String) -> Self {
        let Offer { asker, realm, nonce, opaque, algorithm, names_algorithm, qop, hashes_user, .. } = offer;
        let key = Key::new(algorithm, ha1, nonce.as_bytes(), cnonce.as_bytes());
        let user = if hashes_user { hashed_user(algorithm.function, user, &realm) } else { user.into() };
        Self {
            asker,
            realm,
            login,
            user,
            hashes_user,
            algorithm,
            names_algorithm,
            nonce,
            opaque,
            qop,
            cnonce,
            key,
            count: 0,
            is_accepted: false,
            is_rejected: false,
        }
    }

    /// The parts that the credentials with this nonce count digest.
    fn digested<'a>(&'a self, uri: &'a [u8], count: u32) -> Digested<'a> {
        let cnonce = self.cnonce.as_bytes();
        let protection = self.qop.map(|qop| Protection { qop, count, cnonce });
        Digested { algorithm: self.algorithm, nonce: self.nonce.as_bytes(), uri, protection }
    }

    /// The credentials of a request, with the next nonce count. `None` if the nonce was used 2^32 - 1 times, or the Request-URI
    /// is no text.
    pub(super) fn credentials(&mut self, request: &Request) -> Option<Vec<u8>> {
        let uri = core::str::from_utf8(request.uri_bytes()).ok()?;
        self.count = self.count.checked_add(1)?;
        let digested = self.digested(uri.as_bytes(), self.count);
        let method = request.method();
        let response = digested.response(&self.key, method.as_str(), || digested.body(request.body()));
        let is_protected = self.qop.is_some();
        let credentials = Credentials::Digest(DigestCredentials {
            username: Some(Quoted::of(&self.user)),
            username_extended: None,
            realm: Quoted::of(&self.realm),
            nonce: Quoted::of(&self.nonce),
            uri: Some(Quoted::of(uri)),
            response: Quoted::of(response.as_str()),
            algorithm: self.names_algorithm.then(|| self.algorithm.as_str()),
            cnonce: is_protected.then(|| Quoted::of(&self.cnonce)),
            opaque: self.opaque.as_deref().map(Quoted::of),
            qop: self.qop.map(Qop::as_str),
            nonce_count: is_protected.then_some(self.count),
            userhash: self.hashes_user,
            parameters: AuthParameters::NONE,
        });
        let mut out = Vec::new();
        match self.asker {
            Asker::Server => Authorization(credentials).write(&mut out),
            Asker::Proxy => ProxyAuthorization(credentials).write(&mut out),
        }
        Some(out)
    }

    /// Whether a server's proof is that of this session, for credentials with this nonce count.
    pub(super) fn proves(&self, uri: &[u8], count: u32, body: &[u8], rspauth: &str) -> bool {
        let expected = self.digested(uri, count).rspauth(&self.key, body);
        super::algorithm::same(expected.as_bytes(), rspauth.to_ascii_lowercase().as_bytes())
    }

    /// The quality of protection and the client nonce that the credentials have.
    pub(super) fn protection(&self) -> Option<(Qop, &str)> {
        Some((self.qop?, &self.cnonce))
    }

    /// Goes on with the nonce that the server wishes next. The key stays: the session is the same (RFC 7616 §3.4.2, §3.6).
    pub(super) fn go_on(&mut self, nonce: String) {
        self.nonce = nonce;
        self.count = 0;
        self.is_accepted = true;
    }
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session")
            .field("asker", &self.asker)
            .field("realm", &self.realm)
            .field("algorithm", &self.algorithm)
            .field("qop", &self.qop)
            .field("count", &self.count)
            .field("is_rejected", &self.is_rejected)
            .finish_non_exhaustive()
    }
}

/// Which requests a session is for.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Space {
    /// Those to this To address: credentials for a server (RFC 3261 §22.2).
    Destination(Box<str>),
    /// Those with this Call-ID: credentials for a proxy (§22.3).
    Call(Box<str>),
    /// All of an account: credentials for its outbound proxy (§22.3).
    Everywhere,
}

/// The sessions of all accounts, in a bounded number of spaces.
#[derive(Clone, Debug)]
pub(super) struct Sessions<A> {
    spaces: BTreeMap<(A, Space), Used>,
    /// The spaces by when they were used, the longest ago first.
    order: BTreeMap<u64, (A, Space)>,
    /// Counts the uses.
    clock: u64,
}

#[derive(Clone, Debug)]
struct Used {
    at: u64,
    /// At most one for each asker and realm, the one challenged longest ago first.
    sessions: Vec<Session>,
}

impl<A: Copy + Ord> Sessions<A> {
    pub(super) const fn new() -> Self {
        Self { spaces: BTreeMap::new(), order: BTreeMap::new(), clock: 0 }
    }

    /// The sessions of a space, which count as used.
    pub(super) fn of(&mut self, account: A, space: Space) -> &mut [Session] {
        let key = (account, space);
        let Some(used) = self.spaces.get_mut(&key) else { return &mut [] };
        self.order.remove(&used.at);
        self.clock += 1;
        used.at = self.clock;
        self.order.insert(self.clock, key);
        &mut used.sessions
    }

    /// The session with this realm.
    pub(super) fn find(&mut self, account: A, space: Space, asker: Asker, realm: &str) -> Option<&mut Session> {
        self.of(account, space).iter_mut().find(|session| session.asker == asker && session.realm == realm)
    }

    /// Takes a session in, in the place of the one with the same realm.
    pub(super) fn put(&mut self, account: A, space: Space, session: Session, realms: usize, spaces: usize) {
        let key = (account, space);
        if !self.spaces.contains_key(&key) {
            self.clock += 1;
            self.spaces.insert(key.clone(), Used { at: self.clock, sessions: Vec::new() });
            self.order.insert(self.clock, key.clone());
        }
        if let Some(used) = self.spaces.get_mut(&key) {
            used.sessions.retain(|old| (old.asker, &old.realm) != (session.asker, &session.realm));
            used.sessions.push(session);
            let surplus = used.sessions.len().saturating_sub(realms.max(1));
            used.sessions.drain(..surplus);
        }
        while self.spaces.len() > spaces
            && let Some((_, oldest)) = self.order.pop_first()
        {
            self.spaces.remove(&oldest);
        }
    }

    /// Forgets the sessions of one space.
    pub(super) fn forget(&mut self, account: A, space: Space) {
        if let Some(used) = self.spaces.remove(&(account, space)) {
            self.order.remove(&used.at);
        }
    }

    /// Forgets the sessions of an account.
    pub(super) fn forget_account(&mut self, account: A) {
        self.spaces.retain(|(owner, _), _| *owner != account);
        self.order.retain(|_, (owner, _)| *owner != account);
    }

    /// How many spaces are held.
    pub(super) fn len(&self) -> usize {
        self.spaces.len()
    }
}
