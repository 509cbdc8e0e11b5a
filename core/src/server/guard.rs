//! Who may ask (RFC 3261 §22): credentials for registrations, and for whatever own users send or strangers want relayed.

use alloc::boxed::Box;
use alloc::collections::BTreeSet;
use alloc::string::String;
use alloc::vec::Vec;

use super::known::{Admission, Ask, Known};
use super::question::Step;
use super::{Core, Cx, Digest, Settings};
use crate::auth::{self, Asker, Fields, Gate, Pass, Reading, UserName, Users};
use crate::endpoint::{Arrival, Config, KeyPurpose};
use crate::flow::Flow;
use crate::message::{Host, HostBuf, Phrase, Request, Response, ResponseBuilder, StatusCode, Uri, unescaped};
use crate::time::Instant;

/// The gates of all domains that have users, in the settings or with the application.
#[derive(Clone, Debug)]
pub(super) struct Guards {
    guards: Vec<Guard>,
}

/// The two gates of a domain.
#[derive(Clone, Debug)]
struct Guard {
    domain: HostBuf,
    users: Users,
    names: BTreeSet<Box<str>>,
    /// For the registrar (§22.2).
    server: Gate,
    /// For the proxy (§22.3).
    proxy: Gate,
}

impl Guards {
    /// No gate: nobody is asked.
    pub(super) const fn open() -> Self {
        Self { guards: Vec::new() }
    }

    /// Whether nobody is asked.
    pub(super) fn is_open(&self) -> bool {
        self.guards.is_empty()
    }

    /// The gates for `settings` from now on. A domain that has gates keeps them, with the uses of nonces that they remember, unless Digest
    /// itself has `changed`. Nonces made before a change are stale: nobody knows any more how often they were used.
    pub(super) fn set(&mut self, config: &Config, settings: &Settings, changed: Option<Instant>) {
        let mut before = core::mem::take(&mut self.guards);
        for domain in &settings.domains {
            let mut users = Users::new();
            let mut names = BTreeSet::new();
            for user in settings.users.iter().filter(|user| user.domain == *domain) {
                users.insert(&user.name, user.secret.clone());
                names.insert(user.name.clone());
            }
            if names.is_empty() && !settings.steps.secrets {
                continue;
            }
            let kept = before.iter().position(|guard| changed.is_none() && guard.domain == *domain);
            let guard = match kept.map(|place| before.swap_remove(place)) {
                Some(guard) => Some(Guard { users, names, ..guard }),
                None => Self::guard(config, settings, domain, (users, names), changed),
            };
            self.guards.extend(guard);
        }
    }

    /// New gates. `None` if the settings cannot work, which was checked before.
    fn guard(
        config: &Config,
        settings: &Settings,
        domain: &HostBuf,
        (users, names): (Users, BTreeSet<Box<str>>),
        changed: Option<Instant>,
    ) -> Option<Guard> {
        let gate = |asker| {
            // Servers of a farm take the nonces of one another: their keys are the same where their settings are.
            let Digest { algorithms, nonce_age, .. } = &settings.digest;
            let algorithms: Vec<&str> = algorithms.iter().map(|algorithm| algorithm.as_str()).collect();
            let name =
                alloc::format!("{domain} {asker:?} {algorithms:?} {}", nonce_age.as_nanos()).to_ascii_lowercase();
            let digest = auth::Settings {
                algorithms: settings.digest.algorithms.clone(),
                nonce_age: settings.digest.nonce_age,
                ..auth::Settings::new(&alloc::format!("{domain}"))
            };
            let mut gate = Gate::new(asker, digest, config.hash_key_of(KeyPurpose::Nonces, name.as_bytes())).ok()?;
            if let Some(now) = changed {
                gate.forget_before(now);
            }
            Some(gate)
        };
        let (server, proxy) = (gate(Asker::Server)?, gate(Asker::Proxy)?);
        Some(Guard { domain: domain.clone(), users, names, server, proxy })
    }

    /// The gates for a host: those of its domain, else the first ones.
    fn of(&mut self, domain: Option<&HostBuf>) -> Option<&mut Guard> {
        let place = self.guards.iter().position(|guard| Some(&guard.domain) == domain);
        self.guards.get_mut(place.unwrap_or(0))
    }

    /// Whether a URI has the name of a user of its domain.
    pub(super) fn has_user(&self, settings: &Settings, uri: Uri<'_>) -> bool {
        let (domain, Some(written)) = (settings.domain_of(uri.host()), uri.user()) else { return false };
        let Some(guard) = self.guards.iter().find(|guard| Some(&guard.domain) == domain) else { return false };
        String::from_utf8(unescaped(written.as_bytes()).collect()).is_ok_and(|name| guard.names.contains(&*name))
    }

    /// Whether a domain has users.
    fn has(&self, domain: Option<&HostBuf>) -> bool {
        self.guards.iter().any(|guard| Some(&guard.domain) == domain)
    }
}

#[cfg(test)]
impl Guards {
    /// How many uses of nonces are remembered.
    pub(super) fn uses(&self) -> usize {
        self.guards.iter().map(|guard| guard.server.uses() + guard.proxy.uses()).sum()
    }
}

impl Settings {
    /// The domain that a host means, by its name or by an alias.
    fn domain_of(&self, host: Option<Host<'_>>) -> Option<&HostBuf> {
        let host = host?;
        let domain = self.domains.iter().find(|domain| domain.as_host() == host);
        let alias = || self.aliases.iter().find(|alias| alias.name.as_host() == host).map(|alias| &alias.domain);
        domain.or_else(alias)
    }

    /// Whether a URI is the address-of-record of a user of this domain.
    fn is_user(&self, uri: Uri<'_>, user: &UserName, domain: &HostBuf) -> bool {
        self.domain_of(uri.host()) == Some(domain)
            && uri.user().is_some_and(|written| unescaped(written.as_bytes()).eq(user.as_str().bytes()))
    }
}

/// Whether a From hides its user (RFC 3323 §4.1.1.3).
fn is_anonymous(uri: Uri<'_>) -> bool {
    matches!(uri.host(), Some(Host::Name(name)) if name.eq_ignore_ascii_case("anonymous.invalid"))
}

/// Where a request came from, and what it wants, for the decision whether it may.
#[derive(Clone, Copy, Debug)]
pub(super) struct Asking {
    /// Where it came from.
    pub(super) flow: Flow,
    /// Whether it is of a dialog whose route we have recorded.
    pub(super) recorded: bool,
    /// Whether its next hop is for this domain to say, so that nothing is relayed.
    pub(super) is_for_us: bool,
}

impl Core {
    /// Whether a peer need not prove who it is.
    pub(super) fn trusts(&self, cx: &Cx<'_>, flow: Flow) -> bool {
        let identities = || flow.connection.into_iter().flat_map(|connection| cx.identities(connection));
        self.settings.trusted.iter().any(|peer| peer.is(flow.remote.ip(), identities()))
    }

    /// Whether a request without credentials may be relayed: it comes from a peer that is trusted, is of a dialog that we have recorded
    /// our route for, or comes in a dialog along a flow that is known.
    pub(super) fn may_relay(&self, cx: &Cx<'_>, request: &Request, asking: Asking) -> bool {
        asking.recorded
            || request.to_tag().is_some() && self.flows.contains(asking.flow, cx.now())
            || self.trusts(cx, asking.flow)
    }

    /// The question who is let in, if that is the application's to say and it was not asked.
    pub(super) fn admission(&self, arrival: &Arrival, known: &Known) -> Option<Ask> {
        let asks = self.settings.steps.admission && known.admission.is_none();
        asks.then(|| Ask::new(Step::Admission { request: arrival.request.clone(), flow: arrival.flow }))
    }

    /// Decides whether a REGISTER may be followed (§10.3 steps 3 and 4, §22.2); the fields of its 2xx.
    ///
    /// # Errors
    /// A challenge, or 403 where the user is another; or a question.
    pub(super) fn may_register(
        &mut self,
        cx: &mut Cx<'_>,
        request: &Request,
        flow: Flow,
        known: &mut Known,
    ) -> Result<Fields, Denied> {
        if let Some(fields) = &known.proved {
            return Ok(fields.clone());
        }
        match known.admission {
            Some(Admission::Known) => return Ok(Fields::default()),
            Some(Admission::Stranger) => return Err(Response::to(request, StatusCode::FORBIDDEN).into()),
            Some(Admission::Own) | None => {}
        }
        if self.guards.is_open() || self.trusts(cx, flow) {
            return Ok(Fields::default());
        }
        let [to, from] = [request.headers().to(), request.headers().from()].map(|address| address.map(|it| it.uri));
        let domain = self.settings.domain_of(to.and_then(Uri::host));
        // A domain without users lets nobody register: the gate of another one refuses all.
        let Some(Guard { domain, users, server, .. }) = self.guards.of(domain) else { return Ok(Fields::default()) };
        let asks = self.settings.steps.secrets.then_some((&*domain, &*known));
        let Some(pass) = check(cx, server, request, users, asks)? else { return Ok(Fields::default()) };
        let is_user = |uri: Option<Uri<'_>>| uri.is_some_and(|uri| self.settings.is_user(uri, pass.user(), domain));
        if !is_user(from) || !self.settings.registrar.third_party && !is_user(to) {
            return Err(Response::to(request, StatusCode::FORBIDDEN).reason(Phrase::OTHER_USER).into());
        }
        let now = cx.now();
        let fields = server.info(&pass, b"", now, cx.random());
        known.proved = self.settings.steps.registration.then(|| fields.clone());
        Ok(fields)
    }

    /// Decides whether a request that is forwarded may be (§22.3): strangers reach our users, and nobody else through us. Whether the request is relayed
    /// wherever it goes.
    ///
    /// # Errors
    /// A challenge, or 403 where the user is another or nobody of ours; or a question.
    pub(super) fn may_send(
        &mut self,
        cx: &mut Cx<'_>,
        request: &Request,
        asking: Asking,
        known: &mut Known,
    ) -> Result<bool, Denied> {
        if let Some(allowed) = known.allowed {
            return Ok(allowed);
        }
        let allowed = match known.admission {
            Some(Admission::Known) => {
                self.knows(cx, asking.flow);
                true
            }
            Some(Admission::Stranger) => self.may_relay(cx, request, asking),
            Some(Admission::Own) | None => {
                self.may_relay(cx, request, asking) || self.proves(cx, request, asking, known)?
            }
        };
        known.allowed = Some(allowed);
        Ok(allowed)
    }

    /// Whether the sender of a request proves to be a user of ours. Who claims to be none of ours need not, where the request is for us, and cannot
    /// elsewhere.
    fn proves(&mut self, cx: &mut Cx<'_>, request: &Request, asking: Asking, known: &Known) -> Result<bool, Denied> {
        if self.guards.is_open() {
            return Ok(false);
        }
        let from = request.headers().from().map(|from| from.uri);
        let domain = self.settings.domain_of(from.and_then(Uri::host));
        if asking.is_for_us && !self.guards.has(domain) {
            return Ok(false);
        }
        if domain.is_none() && !from.is_some_and(is_anonymous) {
            return Err(Denied::Stranger);
        }
        let Some(Guard { domain, users, proxy, .. }) = self.guards.of(domain) else { return Ok(false) };
        let asks = self.settings.steps.secrets.then_some((&*domain, known));
        let Some(pass) = check(cx, proxy, request, users, asks)? else { return Ok(false) };
        if !from.is_some_and(|from| is_anonymous(from) || self.settings.is_user(from, pass.user(), domain)) {
            return Err(Response::to(request, StatusCode::FORBIDDEN).reason(Phrase::OTHER_USER).into());
        }
        self.knows(cx, asking.flow);
        Ok(true)
    }

    /// A flow was authenticated or registered.
    pub(super) fn knows(&mut self, cx: &Cx<'_>, flow: Flow) {
        let digest = &self.settings.digest;
        self.flows.insert(flow, cx.now(), digest.flow_age, digest.flows);
    }
}

/// Why a request is not served now.
#[derive(Debug)]
pub(super) enum Denied {
    /// It is answered with this.
    Answer(Box<ResponseBuilder>),
    /// Its sender is nobody for whom we relay: 403.
    Stranger,
    /// The application has to say something first.
    Ask(Ask),
}

impl From<ResponseBuilder> for Denied {
    fn from(response: ResponseBuilder) -> Self {
        Self::Answer(Box::new(response))
    }
}

impl From<Ask> for Denied {
    fn from(ask: Ask) -> Self {
        Self::Ask(ask)
    }
}

impl Core {
    /// Answers a request that is not served now, or asks about it.
    pub(super) fn denied(&mut self, cx: &mut Cx<'_>, arrival: Arrival, denied: Denied, known: Known) {
        match denied {
            Denied::Answer(response) => self.deny(cx, arrival, *response),
            // As a challenge, said once: it may go to whoever the sender pretends to be.
            Denied::Stranger => {
                let response = Response::to(&arrival.request, StatusCode::FORBIDDEN);
                cx.answer_once(&arrival, response);
            }
            Denied::Ask(ask) => self.ask_about(cx, ask, arrival, known),
        }
    }

    /// Refuses a request of somebody who has not proved who it is. That is said once, statelessly (RFC 3261 §26.3.2.4): a response that is sent again
    /// until an ACK comes would serve to flood whoever the sender pretends to be. Who has, but as another user, is told as usual.
    pub(super) fn deny(&self, cx: &mut Cx<'_>, arrival: Arrival, response: ResponseBuilder) {
        match response.status() {
            StatusCode::UNAUTHORIZED | StatusCode::PROXY_AUTHENTICATION_REQUIRED | StatusCode::BAD_REQUEST => {
                cx.answer_once(&arrival, response);
            }
            _ => cx.answer(arrival, response),
        }
    }
}

/// Reads credentials and judges them. With the domain and what the application has told, it is asked for the secret of a user who is not among
/// `users`.
fn check(
    cx: &mut Cx<'_>,
    gate: &mut Gate,
    request: &Request,
    users: &Users,
    asks: Option<(&HostBuf, &Known)>,
) -> Result<Option<Pass>, Denied> {
    let now = cx.now();
    let judged = match gate.read(request, now) {
        Reading::Exempt { .. } => return Ok(None),
        Reading::Refused(refusal) => Err(refusal),
        Reading::Claimed(claim) => {
            let secret = match (users.look_up(&claim), asks, claim.user()) {
                (None, Some((domain, known)), UserName::Clear(user)) => match known.secret(user, domain) {
                    None => return Err(Ask::new(Step::Secret { user: user.clone(), domain: domain.clone() }).into()),
                    Some(secret) => {
                        secret.and_then(|secret| secret.ha1(claim.algorithm().function, user, claim.realm()))
                    }
                },
                (secret, ..) => secret,
            };
            gate.verify(claim, secret.as_ref(), now)
        }
    };
    judged.map(Some).map_err(|refusal| {
        let (status, fields) = gate.refuse(refusal, now, cx.random());
        fields.add_to_response(Response::to(request, status)).into()
    })
}
