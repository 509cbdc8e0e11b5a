//! A domain's server: proxy and registrar over one endpoint.
//!
//! The proxy core asks where a request goes; the answer comes at once from the route table and the location service.
//! Requests that are addressed to the server itself are answered here. Each step can be the application's: `question` and `asking`.

mod accounting;
mod asking;
mod cancel;
mod census;
mod check;
mod flow_token;
mod flows;
mod forwarding;
mod gateways;
mod guard;
mod info;
mod known;
mod local;
mod outbound;
mod policy;
mod question;
mod redirect;
mod settings;
#[cfg(test)]
mod tests;
mod users;

use accounting::Calls;
pub use accounting::{CallEnd, CallEvent, CallNumber};
pub use census::Census;
pub use check::Misconfigured;
pub use gateways::Gateway;
pub use question::{Answer, Question, QuestionId, QuestionKind, Step, Steps};
pub use settings::{Alias, Route, RouteKey, Settings};
pub use users::{Digest, Peer, User};

use alloc::boxed::Box;
use alloc::vec::Vec;

use crate::endpoint::{Arrival, Config, DropCause, Indication, KeyPurpose};
use crate::error::Limit;
use crate::flow::{Flow, ListenerId};
use crate::message::{HeaderId, Method, Phrase, Request, SharedBytes, StatusCode, UriBuf};
use crate::proxy::{self, News, Preprocessed, Redirection, Refusal, Target, reply_unavailable};
use crate::registrar;
use crate::stack::{Context, Stack, TransactionUser};
use crate::tag::Tag;
use crate::time::Instant;
use crate::transport::NextHop;
use asking::{Purpose, Questions};
use flow_token::FlowTokens;
use flows::KnownFlows;
use forwarding::Forwarding;
use gateways::Gateways;
use guard::{Asking, Denied, Guards};
use known::{Known, Routing};
use policy::{Decision, Sender};

/// A domain's proxy and registrar as one node.
pub type Server = Stack<Core>;

/// An event that a server tells its application.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Event {
    /// A binding was made or is gone.
    Binding(registrar::Change),
    /// A limit was met, and something that peers want was refused. Of many refusals one is told, and the next after 64·T1.
    Overload {
        /// The limit.
        limit: Limit,
        /// How often it has refused something since it was told last, this time included.
        refused: u64,
    },
    /// A call has begun, was answered, or is over, if [`Settings::accounting`] asks for these.
    Call(CallEvent),
    /// A request for a user was redirected to the user's contacts (RFC 3261 §8.3).
    Redirected {
        /// `user@host`.
        address_of_record: Box<str>,
        /// The contacts, the most preferred first.
        contacts: Vec<UriBuf>,
    },
    /// A gateway that was there does not answer any more, or one that was not does again ([`Settings::gateways`]).
    Gateway {
        /// The gateway.
        next_hop: NextHop,
        /// Whether it answers.
        is_up: bool,
    },
    /// The application is asked about a step that it has taken over ([`Settings::steps`], [`registrar::Settings::store`]).
    Question(Question),
    /// Something that a peer sent was dropped without an answer, if [`Config::drops`](crate::Config::drops) asks for these.
    Dropped {
        /// Why.
        why: DropCause,
        /// Where it came in, and where from.
        flow: Flow,
        /// Its first octets.
        bytes: SharedBytes,
    },
}

/// The context of the server's functions.
type Cx<'a> = Context<'a, Event>;

/// Which of the server's parts a mark belongs to ([`Tag::role`](crate::Tag::role)); what the server answers itself has
/// [`Tag::NONE`](crate::Tag::NONE).
mod role {
    pub(super) const PROXY: u8 = 1;
    pub(super) const REGISTRAR: u8 = 2;
    pub(super) const QUESTION: u8 = 3;
    pub(super) const GATEWAY: u8 = 4;
}

/// The transaction user of a [`Server`].
#[derive(Clone, Debug)]
pub struct Core {
    settings: Settings,
    proxy: proxy::Core,
    registrar: registrar::Core,
    guards: Guards,
    /// The flows of users who have registered or proved who they are.
    flows: KnownFlows,
    flow_tokens: FlowTokens,
    calls: Calls,
    questions: Questions,
    gateways: Gateways,
}

impl Stack<Core> {
    /// A server with no listener yet. When it has its listeners, [`check`](Self::check) says whether it can work.
    pub fn server(config: Config, settings: Settings) -> Self {
        let proxy = proxy::Core::new(&config, settings.proxy.clone());
        let registrar = registrar::Core::new(&config, settings.registrar);
        let mut guards = Guards::open();
        guards.set(&config, &settings, None);
        let flow_tokens = FlowTokens::new(config.hash_key(KeyPurpose::FlowTokens));
        let flows = KnownFlows::default();
        let (calls, questions, gateways) = (Calls::default(), Questions::new(), Gateways::new());
        let watched = settings.gateways.clone();
        let core = Core { settings, proxy, registrar, guards, flows, flow_tokens, calls, questions, gateways };
        let mut server = Self::new(config, core);
        server.command(Instant::ZERO, |core, cx| {
            cx.name(core.settings.named(), core.settings.hops());
            core.watch(cx, &watched);
        });
        server
    }

    /// Whether the server can work with its settings and its listeners.
    ///
    /// ```
    /// use sansip::server::{Misconfigured, Settings};
    /// use sansip::{Config, Seed, Server};
    ///
    /// let server = Server::server(Config::new(Seed::from_u64(1)), Settings::default());
    /// assert_eq!(server.check(), Err(Misconfigured::NoDomain));
    /// assert_eq!(server.check().unwrap_err().to_string(), "the server has no domain");
    /// ```
    ///
    /// # Errors
    /// The first thing that cannot work.
    pub fn check(&self) -> Result<(), Misconfigured> {
        self.user().settings.check(|address| self.endpoint().is_ours(address))
    }

    /// The settings.
    pub fn settings(&self) -> &Settings {
        &self.user().settings
    }

    /// Changes the settings from now on. Calls and registrations in progress go on; a binding stays until it ends.
    ///
    /// ```
    /// use sansip::server::Settings;
    /// use sansip::{Config, Instant, Seed, Server};
    ///
    /// let settings = Settings { domains: vec!["biloxi.com".parse()?], ..Settings::default() };
    /// let mut server = Server::server(Config::new(Seed::from_u64(1)), settings.clone());
    /// server.set_settings(Instant::ZERO, Settings { redirect: true, ..settings })?;
    /// assert!(server.settings().redirect);
    /// # Ok::<(), Box<dyn core::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// The first thing that cannot work. Nothing has changed then.
    pub fn set_settings(&mut self, now: Instant, settings: Settings) -> Result<(), Misconfigured> {
        settings.check(|address| self.endpoint().is_ours(address))?;
        self.command(now, |core, cx| {
            let changed = (core.settings.digest != settings.digest).then_some(cx.now());
            core.guards.set(cx.config(), &settings, changed);
            core.registrar.set_settings(settings.registrar);
            core.proxy.set_settings(settings.proxy.clone());
            core.watch(cx, &settings.gateways);
            core.settings = settings;
            cx.name(core.settings.named(), core.settings.hops());
        });
        Ok(())
    }
}

impl TransactionUser for Core {
    type Event = Event;

    fn indicate(&mut self, cx: &mut Cx<'_>, indication: Indication) {
        match indication {
            Indication::Request(arrival) => self.request(cx, arrival, Known::default()),
            Indication::Overload { limit, refused } => cx.emit(Event::Overload { limit, refused }),
            Indication::Dropped { why, flow, bytes } => cx.emit(Event::Dropped { why, flow, bytes }),
            Indication::Ack { request, flow, .. } => self.ack(cx, &request, flow, Known::default()),
            Indication::Response { tag, .. }
            | Indication::Failed { tag, .. }
            | Indication::Finished { tag, .. }
            | Indication::Unsent { tag, .. }
            | Indication::Completed { tag, .. }
            | Indication::Timer { tag, .. } => match (tag.role(), indication) {
                (role::PROXY, indication) => {
                    let id = self.proxy.context_of(tag);
                    let answer = match &indication {
                        Indication::Response { response, .. } => Some(response.clone()),
                        _ => None,
                    };
                    match self.proxy.indicate(&mut cx.for_role(role::PROXY), indication) {
                        Some(News::Redirected(redirection)) => self.redirected(cx, redirection, Known::default()),
                        Some(News::Lost(way)) => self.way_lost(cx, &way),
                        None => {}
                    }
                    if let Some(id) = id {
                        self.call_goes_on(cx, id, answer.as_ref());
                    }
                }
                (role::REGISTRAR, Indication::Timer { .. }) => {
                    let changes = self.registrar.timer(&mut cx.for_role(role::REGISTRAR), tag);
                    changes.into_iter().for_each(|change| cx.emit(Event::Binding(change)));
                }
                (role::QUESTION, Indication::Timer { .. }) => self.question_timer(cx, tag),
                (role::GATEWAY, indication) => self.gateway(cx, &indication),
                _ => {}
            },
            Indication::FlowFailed { flow } => {
                self.flows.remove(flow);
                self.flow_lost(cx, flow);
            }
            // Strays are not asked for: a stateful proxy drops them (RFC 6026 §8.9).
            Indication::Stray { .. } => {}
        }
    }

    fn is_idle(&self) -> bool {
        self.proxy.is_idle() && self.registrar.waiting() == 0 && self.questions.len() == 0
    }

    fn timer_name(&self, tag: Tag) -> &'static str {
        info::timer_name(tag)
    }
}

impl Core {
    /// Takes a request, with the answers that the application has given about it before.
    fn request(&mut self, cx: &mut Cx<'_>, mut arrival: Arrival, known: Known) {
        let is_trusted = self.trusts(cx, arrival.flow);
        if !is_trusted {
            // Where nobody can be known, nobody has responses that are lost.
            arrival.bound(self.settings.answer_octets, !self.guards.is_open());
        }
        let preprocessed = match self.preprocess(cx, &arrival.request, arrival.flow.listener) {
            Ok(preprocessed) => preprocessed,
            Err(refusal) => return self.proxy.answer(&mut cx.for_role(role::PROXY), arrival, refusal),
        };
        if preprocessed.recorded {
            arrival.unbound();
        }
        if arrival.is_beyond_limit() && arrival.cancels.is_none() {
            // A To tag proves nothing, nor does a flow along which anybody may register.
            let (flow, recorded) = (arrival.flow, preprocessed.recorded);
            let is_known = || self.may_relay(cx, &arrival.request, Asking { flow, recorded, is_for_us: false });
            if !(recorded || is_trusted || !self.guards.is_open() && is_known()) {
                cx.refused(Limit::SERVER_TRANSACTIONS);
                return reply_unavailable(&mut cx.for_role(role::PROXY), &arrival);
            }
        }
        if arrival.request.method() == Method::Cancel {
            return self.cancel(cx, arrival, &preprocessed);
        }
        let request = preprocessed.request.clone();
        let Ok(uri) = request.uri() else {
            return self.proxy.answer(
                &mut cx.for_role(role::PROXY),
                arrival,
                Refusal::Malformed(Phrase::BAD_REQUEST_URI),
            );
        };
        if let Some(ask) = self.admission(&arrival, &known) {
            return self.ask_about(cx, ask, arrival, known);
        }
        let is_for_us = preprocessed.responsible && !has_route(&request);
        let Some((mut arrival, mut known)) = self.serve(cx, (arrival, known), (uri, is_for_us)) else { return };
        let (flow, recorded) = (arrival.flow, preprocessed.recorded);
        let redirects = is_for_us && self.redirects(uri);
        let asking = Asking { flow, recorded, is_for_us };
        let allowed = match redirects {
            true => false,
            false => match self.may_send(cx, &arrival.request, asking, &mut known) {
                Ok(allowed) => allowed,
                Err(denied) => return self.denied(cx, arrival, denied, known),
            },
        };
        if allowed {
            arrival.unbound();
        }
        let is_sent = match self.routing(&request, uri, (Some(flow), allowed), &known) {
            Ok(None | Some(Routing::Own)) => false,
            Ok(Some(Routing::Forward(_))) => true,
            Ok(Some(Routing::Redirect(targets))) => return self.redirect_to(cx, arrival, uri, targets.clone()),
            Ok(Some(Routing::Refuse(status))) => return self.answer(cx, arrival, *status),
            Err(ask) => return self.ask_about(cx, ask, arrival, known),
        };
        if !is_sent && (redirects || is_for_us && self.wants_redirect(&request, uri, allowed)) {
            return self.redirect(cx, arrival, uri, known);
        }
        // A request that nobody will relay costs no transaction and no question. A scheme that nobody knows gets its 416 all the same (§16.3 step 2).
        let is_closed = !is_sent && uri.is_sip() && !self.may_go(cx, &request, uri, recorded || allowed);
        if is_closed && matches!(self.along_flow(cx, &arrival.request, &request, &known), Ok(None)) {
            return self.denied(cx, arrival, Denied::Stranger, known);
        }
        let received = arrival.request.clone();
        let sender = Sender { flow, recorded, is_allowed: allowed };
        let decision = self.decide(cx, (&received, &request), sender, &known);
        if let Decision::Refuse(refusal) = &decision
            && arrival.is_answered_once()
        {
            let judged = self.proxy.judge(&mut cx.for_role(role::PROXY), &received, &request);
            let refusal = judged.err().unwrap_or_else(|| refusal.clone());
            return self.proxy.answer(&mut cx.for_role(role::PROXY), arrival, refusal);
        }
        let Some(question) = self.proxy.request(&mut cx.for_role(role::PROXY), arrival, preprocessed) else {
            return;
        };
        self.call_begins(cx, question.id, &request, allowed);
        let forwarding = Forwarding { id: question.id, received, request, flow, recorded, is_allowed: allowed };
        self.go_where(cx, decision, forwarding, known);
    }

    /// An ACK for a 2xx goes on like any request, but nothing is ever said about it.
    fn ack(&mut self, cx: &mut Cx<'_>, ack: &Request, flow: Flow, known: Known) {
        let decided = self.preprocess(cx, ack, flow.listener).and_then(|preprocessed| {
            let Preprocessed { request, recorded, .. } = &preprocessed;
            let allowed = self.may_pass(cx, request, flow, *recorded)?;
            let sender = Sender { flow, recorded: *recorded, is_allowed: allowed };
            Ok((self.decide(cx, (ack, request), sender, &known), preprocessed))
        });
        let relayed = match decided {
            Ok((Decision::Forward(targets), preprocessed)) => match targets.first() {
                Some(target) => self.proxy.relay(cx, &preprocessed, target, flow),
                None => Ok(()),
            },
            Ok((Decision::Ask(ask), ..)) => {
                let purpose = Purpose::Acknowledge { ack: ack.clone(), flow };
                return self.ask(cx, ask, purpose, known);
            }
            Ok((Decision::Refuse(refusal), ..)) | Err(refusal) => Err(refusal),
        };
        if let Err(refusal) = relayed {
            self.proxy.discard(cx, ack, flow, &refusal);
        }
    }

    /// A branch was redirected: its contacts are tried where a request of the same sender to them would be forwarded.
    fn redirected(&mut self, cx: &mut Cx<'_>, redirection: Redirection, known: Known) {
        let Some(request) = self.proxy.request_of(redirection.id).cloned() else { return };
        let mut targets: Vec<Vec<Target>> = Vec::new();
        for contact in &redirection.contacts {
            match self.follow(cx, &request, contact.uri.as_uri(), &known) {
                Decision::Forward(of_contact) => targets.push(of_contact.into_vec()),
                Decision::Refuse(_) => targets.push(Vec::new()),
                Decision::Ask(ask) => return self.ask(cx, ask, Purpose::Follow(redirection), known),
            }
        }
        // One that comes too late follows nothing.
        let _ = self.proxy.follow(&mut cx.for_role(role::PROXY), &redirection, &targets);
    }

    /// Whether an ACK or a CANCEL, for which nobody is asked for credentials, goes on; if so, whether it is relayed wherever it goes.
    fn may_pass(&self, cx: &Cx<'_>, request: &Request, flow: Flow, recorded: bool) -> Result<bool, Refusal> {
        let is_for_us = self.is_for_us(cx, request);
        let allowed = self.may_relay(cx, request, Asking { flow, recorded, is_for_us });
        let passes = allowed || is_for_us || self.guards.is_open();
        if passes { Ok(allowed) } else { Err(Refusal::Status(StatusCode::FORBIDDEN)) }
    }

    /// Whether a request is for this domain to settle.
    fn is_for_us(&self, cx: &Cx<'_>, request: &Request) -> bool {
        !has_route(request) && request.uri().is_ok_and(|uri| self.names_us(cx, uri))
    }

    fn preprocess(&self, cx: &Cx<'_>, request: &Request, listener: ListenerId) -> Result<Preprocessed, Refusal> {
        self.proxy.preprocess(cx, request, listener, |uri| self.names_us(cx, uri))
    }
}

/// Whether a Route is left, so that the request is not for us to settle.
fn has_route(request: &Request) -> bool {
    request.headers().contains(HeaderId::Route)
}
