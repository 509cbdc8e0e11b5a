//! The client half: answers to challenges, and credentials for requests that follow (RFC 3261 §22.1 to §22.3).

use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::vec::Vec;

use super::challenges::{self, Offer, is_line, offers};
use super::digest::Qop;
use super::fields::{Asker, Fields};
use super::limits::Limits;
use super::login::{Login, Outcome, Scope, ServerProof, Unknown, Wanted};
use super::session::{Session, Sessions, Space};
use crate::error::CommandError;
use crate::message::header::{
    AuthenticationInfo, Authorization, Credentials, DigestCredentials, Header, ProxyAuthorization, Route,
};
use crate::message::{Host, HostBuf, Method, Request, Response};
use crate::random::Random;

/// Logins by account and realm, and the sessions that challenges have begun. `A` names an account; `()` if there is only one.
///
/// The keyring bounds what one response can make it do, not how often a server may say `stale`: whoever sends again counts.
#[derive(Clone, Debug)]
pub struct Keyring<A = ()> {
    limits: Limits,
    logins: BTreeMap<A, Vec<Held>>,
    sessions: Sessions<A>,
    /// Counts the logins ever given.
    given: u64,
}

#[derive(Clone, Debug)]
struct Held {
    scope: Scope,
    login: Login,
    number: u64,
}

impl<A: Copy + Ord> Keyring<A> {
    /// A keyring without a login.
    pub const fn new(limits: Limits) -> Self {
        Self { limits, logins: BTreeMap::new(), sessions: Sessions::new(), given: 0 }
    }

    /// Takes in a login of an account, in the place of the one with the same scope. If the account has it already, whatever its scope, a
    /// server that has just refused it is not asked with it again.
    ///
    /// # Errors
    /// [`CommandError::Invalid`]: the user name or the realm has a line end, or the user name a colon (RFC 7616 §4).
    pub fn insert(&mut self, account: A, scope: Scope, login: Login) -> Result<(), CommandError> {
        if !is_line(&login.user) || login.user.contains(':') {
            return Err(CommandError::Invalid("the user name"));
        }
        if matches!(&scope, Scope::Realm(realm) if !is_line(realm)) {
            return Err(CommandError::Invalid("the realm"));
        }
        let held = self.logins.entry(account).or_default();
        // A login that is given again is the one that it was: what was refused stays refused (RFC 3261 §22.1).
        let known = held.iter().find(|old| old.login.is_same(&login)).map(|old| old.number);
        let number = known.unwrap_or_else(|| {
            self.given += 1;
            self.given
        });
        held.retain(|old| old.scope != scope);
        held.push(Held { scope, login, number });
        Ok(())
    }

    /// Takes out the login of an account with this scope; whether there was one.
    pub fn remove(&mut self, account: A, scope: &Scope) -> bool {
        let Some(held) = self.logins.get_mut(&account) else { return false };
        let before = held.len();
        held.retain(|old| old.scope != *scope);
        before != held.len()
    }

    /// Forgets an account: its logins and its sessions.
    pub fn forget_account(&mut self, account: A) {
        self.logins.remove(&account);
        self.sessions.forget_account(account);
    }

    /// Forgets what the proxies of a call have asked for: the call is over (RFC 3261 §22.3).
    pub fn forget_call(&mut self, account: A, call_id: &str) {
        self.sessions.forget(account, Space::Call(call_id.into()));
    }

    /// Destinations and calls whose realms are remembered; see [`Limits::spaces`].
    pub fn spaces(&self) -> usize {
        self.sessions.len()
    }

    /// Says what a 401 or 407 to the request that was sent comes to. All challenges count, those of several realms and those
    /// that a forking proxy has collected: each realm is answered once, by the topmost challenge that is understood (RFC 8760
    /// §2.4).
    ///
    /// A challenge without `stale` refuses the credentials that the request had for that realm. One exception: a nonce that was
    /// taken before may be used up without `stale`, as after a restart of the server. Another nonce is then answered, once.
    pub fn answer(
        &mut self,
        account: A,
        sent: &Request,
        response: &Response,
        unknown: Unknown,
        random: &mut Random,
    ) -> Outcome {
        match self.take(account, sent, response, unknown, random) {
            Ok(()) => Outcome::Again(self.authorize(account, sent)),
            Err(outcome) => outcome,
        }
    }

    /// Learns from a 401 or 407 to a request that will not go again: what is sent next is proved with the nonce of this response, not
    /// with the one that the response has refused (RFC 3261 §22.1).
    pub fn learn(&mut self, account: A, sent: &Request, response: &Response, random: &mut Random) {
        // Whoever has no answer to these challenges has none for the next request either.
        let _ = self.take(account, sent, response, Unknown::LeaveOut, random);
    }

    /// Takes the challenges in that can be answered.
    ///
    /// # Errors
    /// The outcome, if there is no answer.
    fn take(
        &mut self,
        account: A,
        sent: &Request,
        response: &Response,
        unknown: Unknown,
        random: &mut Random,
    ) -> Result<(), Outcome> {
        let offers = offers(response, &self.limits);
        let mut realms: Vec<Wanted> = Vec::new();
        for Offer { asker, realm, .. } in &offers {
            let known = |other: &Wanted| other.asker == *asker && other.realm == *realm;
            if realms.len() < self.limits.realms.max(1) && !realms.iter().any(known) {
                realms.push(Wanted { asker: *asker, realm: realm.clone() });
            }
        }
        let (mut chosen, mut wanted, mut rejected) = (Vec::new(), Vec::new(), Vec::new());
        for realm in realms {
            let Some(held) = self.login(account, sent, &realm) else {
                wanted.push(realm);
                continue;
            };
            let of_realm = offers.iter().filter(|offer| offer.asker == realm.asker && offer.realm == realm.realm);
            let with_secret = |offer: &Offer| {
                let ha1 = held.login.secret.ha1(offer.algorithm.function, &held.login.user, &offer.realm)?;
                Some((offer.clone(), ha1))
            };
            let Some((offer, ha1)) = of_realm.clone().find_map(with_secret) else { continue };
            let space = self.space(&held.login, sent, realm.asker);
            if self.is_rejected(account, &space, sent, &offer, &held) {
                rejected.push(realm);
            } else {
                let session = Session::new(offer, held.number, &held.login.user, &ha1, random.client_nonce());
                chosen.push((space, session));
            }
        }
        if !rejected.is_empty() {
            return Err(Outcome::Rejected(rejected));
        }
        if !wanted.is_empty() && (unknown == Unknown::Ask || chosen.is_empty()) {
            return Err(Outcome::Wanted(wanted));
        }
        if chosen.is_empty() {
            return Err(Outcome::Unsupported);
        }
        for (space, session) in chosen {
            self.sessions.put(account, space, session, self.limits.realms, self.limits.spaces.max(3));
        }
        Ok(())
    }

    /// The credentials for a request: those of the sessions that it belongs to, each with its next nonce count, in the place of
    /// all Digest credentials of the account. Others that the request carries are kept. ACK and CANCEL get none: an ACK for a 2xx
    /// takes those of its INVITE ([`Fields::of`]), and a CANCEL is never challenged (RFC 3261 §22.1).
    pub fn authorize(&mut self, account: A, request: &Request) -> Fields {
        let mut fields = Vec::new();
        if matches!(request.method(), Method::Ack | Method::Cancel) {
            return Fields(fields);
        }
        let own = self.logins.get(&account).map_or(&[][..], Vec::as_slice);
        let mut answered = Vec::new();
        let hosts = hosts(request);
        for space in spaces(request) {
            for session in self.sessions.of(account, space) {
                let is_current = match find(own, &session.realm, &hosts) {
                    Some(held) => held.number == session.login,
                    // A request in a dialog may go to another host than the one that was challenged.
                    None => own.iter().any(|held| held.number == session.login),
                };
                let realm = (session.asker, session.realm.clone());
                if is_current
                    && !session.is_rejected
                    && !answered.contains(&realm)
                    && let Some(value) = session.credentials(request)
                {
                    fields.push((session.asker.credentials(), value));
                    answered.push(realm);
                }
            }
        }
        for asker in Asker::BOTH {
            for credentials in credentials(request, asker) {
                let is_own = |digest: &DigestCredentials<'_>| {
                    let is_realm = |(of, realm): &(Asker, String)| *of == asker && digest.realm == **realm;
                    answered.iter().any(is_realm)
                        || challenges::text(digest.realm).is_none_or(|realm| find(own, &realm, &hosts).is_some())
                };
                if !matches!(&credentials, Credentials::Digest(digest) if is_own(digest)) {
                    let mut value = Vec::new();
                    Authorization(credentials).write(&mut value);
                    fields.push((asker.credentials(), value));
                }
            }
        }
        Fields(fields)
    }

    /// Reads Authentication-Info of a response to the request that was sent: whether the server has proved itself, and which nonce
    /// it wishes next (RFC 7616 §3.5). A wrong proof changes nothing. The header says nothing of its realm: it belongs to the
    /// credentials whose client nonce it repeats, or to the only ones.
    pub fn hear(&mut self, account: A, sent: &Request, response: &Response) -> ServerProof {
        let mut values = response.headers().values(AuthenticationInfo::ID, false);
        let Some(value) = values.next().filter(|value| value.len() <= self.limits.octets) else {
            return ServerProof::Absent;
        };
        let Ok(AuthenticationInfo(info)) = AuthenticationInfo::parse(value) else { return ServerProof::Absent };
        let mut all: Vec<_> = digests(sent, Asker::Server).collect();
        if let Some(cnonce) = info.cnonce {
            all.retain(|digest| digest.cnonce == Some(cnonce));
        }
        let [digest] = all.as_slice() else { return ServerProof::Absent };
        let Some(realm) = challenges::text(digest.realm) else { return ServerProof::Absent };
        let Some(space) = destination(sent) else { return ServerProof::Absent };
        let Some(session) = self.sessions.find(account, space, Asker::Server, &realm) else {
            return ServerProof::Absent;
        };
        // The session has gone on with another nonce since: nothing can be said.
        if digest.nonce != *session.nonce {
            return ServerProof::Absent;
        }
        let count = digest.nonce_count.unwrap_or_default();
        let proof = match info.rspauth {
            None => ServerProof::Absent,
            Some(rspauth) => {
                let repeats = match session.protection() {
                    None => true,
                    Some((qop, cnonce)) => {
                        info.qop.is_none_or(|name| Qop::parse(name) == Some(qop))
                            && info.cnonce.is_none_or(|text| text == *cnonce)
                            && info.nonce_count.is_none_or(|nc| nc == count)
                    }
                };
                let is_good = challenges::text(rspauth)
                    .is_some_and(|rspauth| session.proves(sent.uri_bytes(), count, response.body(), &rspauth));
                if repeats && is_good { ServerProof::Good } else { ServerProof::Wrong }
            }
        };
        if proof != ServerProof::Wrong
            && let Some(nonce) = info.nextnonce.and_then(challenges::text)
        {
            session.go_on(nonce);
        }
        proof
    }

    /// The login for a realm: by the realm, else by the host, else any; and else the one that has answered this realm before.
    fn login(&mut self, account: A, sent: &Request, wanted: &Wanted) -> Option<Held> {
        let held = self.logins.get(&account)?;
        if let Some(found) = find(held, &wanted.realm, &hosts(sent)) {
            return Some(found.clone());
        }
        for space in spaces(sent) {
            if let Some(session) = self.sessions.find(account, space, wanted.asker, &wanted.realm) {
                return held.iter().find(|held| held.number == session.login).cloned();
            }
        }
        None
    }

    /// Where the sessions of an asker are kept.
    fn space(&self, login: &Login, request: &Request, asker: Asker) -> Space {
        match asker {
            Asker::Proxy if login.is_everywhere => Space::Everywhere,
            Asker::Proxy => call(request),
            // A request without a To is never sent; its space matters to nobody.
            Asker::Server => destination(request).unwrap_or(Space::Everywhere),
        }
    }

    /// Whether the request had this login's credentials for the realm and was refused with them.
    fn is_rejected(&mut self, account: A, space: &Space, sent: &Request, offer: &Offer, held: &Held) -> bool {
        if offer.is_stale {
            return false;
        }
        let mut all = digests(sent, offer.asker);
        let Some(tried) = all.find(|digest| digest.realm == *offer.realm) else { return false };
        match self.sessions.find(account, space.clone(), offer.asker, &offer.realm) {
            Some(session) if session.login != held.number => false,
            Some(session) => {
                let is_of_session = tried.nonce == *session.nonce;
                let was_taken = tried.nonce_count.is_some_and(|count| count > 1)
                    || is_of_session && (session.is_accepted || session.count > 1);
                let is_used_up = was_taken && !session.is_rejected && tried.nonce != *offer.nonce;
                session.is_rejected = !is_used_up;
                session.is_rejected
            }
            None => tried.userhash || tried.username.is_some_and(|user| user == *held.login.user),
        }
    }
}

/// The login for a realm, or for one of these hosts.
fn find<'h>(held: &'h [Held], realm: &str, hosts: &[Option<Host<'_>>]) -> Option<&'h Held> {
    let by_realm = || held.iter().find(|held| matches!(&held.scope, Scope::Realm(of) if **of == *realm));
    let is_host = |host: &HostBuf| hosts.iter().flatten().any(|other| *other == host.as_host());
    let by_host = || held.iter().find(|held| matches!(&held.scope, Scope::Host(host) if is_host(host)));
    let any = || held.iter().find(|held| held.scope == Scope::Any);
    by_realm().or_else(by_host).or_else(any)
}

/// The hosts that a request goes to: that of its topmost Route and that of its Request-URI.
fn hosts(request: &Request) -> [Option<Host<'_>>; 2] {
    let route = request.headers().get::<Route<'_>>().and_then(|route| route.ok()?.uri.host());
    let Ok(uri) = request.uri() else { return [route, None] };
    [route, uri.host()]
}

/// The credentials that a request carries for an asker, as far as they can be read.
fn credentials(request: &Request, asker: Asker) -> impl Iterator<Item = Credentials<'_>> {
    let read = move |value| match asker {
        Asker::Server => Some(Authorization::parse(value).ok()?.0),
        Asker::Proxy => Some(ProxyAuthorization::parse(value).ok()?.0),
    };
    request.headers().values(asker.credentials(), false).filter_map(read)
}

/// Those of the scheme Digest.
fn digests(request: &Request, asker: Asker) -> impl Iterator<Item = DigestCredentials<'_>> {
    credentials(request, asker).filter_map(|credentials| match credentials {
        Credentials::Digest(digest) => Some(digest),
        Credentials::Other { .. } => None,
    })
}

/// The spaces that a request belongs to.
fn spaces(request: &Request) -> impl Iterator<Item = Space> {
    [destination(request), Some(call(request)), Some(Space::Everywhere)].into_iter().flatten()
}

/// The space of servers: the address of To.
fn destination(request: &Request) -> Option<Space> {
    let uri = request.to_header()?.uri;
    Some(Space::Destination(match uri.address_of_record() {
        Some(address) => address.as_str().into(),
        None => String::from_utf8_lossy(uri.as_bytes()).into(),
    }))
}

/// The space of proxies: the call.
fn call(request: &Request) -> Space {
    Space::Call(request.call_id().unwrap_or_default().into())
}
