//! Who a user agent is, and what it says about itself.

use alloc::borrow::Cow;
use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;

use arrayvec::ArrayVec;

use super::account::Instance;
use super::client::is_of_the_core;
use super::limits::Limits;
use super::policy::Policy;
use crate::dialog::{RouteSet, SessionTimerSettings};
use crate::extension::{Extension, Extensions};
use crate::message::header::NameAddrBuf;
use crate::message::{HeaderId, Lines, Method, Request, UriBuf};
use crate::time::Duration;
use crate::transport::NextHop;

/// The methods that this user agent takes, as a value of Allow.
pub(super) const ALLOW: &str = "INVITE, ACK, CANCEL, OPTIONS, BYE, UPDATE";

/// The body types that it understands, as a value of Accept.
pub(super) const ACCEPT: &str = "application/sdp";

/// The extensions that this user agent can be told to use.
const SUPPORTED: Extensions = Extensions::of(&[
    Extension::NoReferSubscription,
    Extension::Outbound,
    Extension::Reliable,
    Extension::Replaces,
    Extension::Timer,
]);

/// The extensions that are used unless the application says otherwise: those that take no decision of the application.
/// Replaces is none of them, since whoever answers a call with it ends another.
const DEFAULT: Extensions = Extensions::of(&[Extension::NoReferSubscription, Extension::Reliable, Extension::Timer]);

/// Who a user agent is. Identity, contact, routes and outbound next hop are those of its default account
/// ([`AccountId::DEFAULT`](crate::user_agent::AccountId::DEFAULT)); further accounts are [added](super::UserAgent::add_account).
#[derive(Clone, Debug)]
pub struct Profile {
    /// Name and address-of-record: From of our requests, such as `Alice <sip:alice@atlanta.com>`.
    pub identity: NameAddrBuf,
    /// Where this user agent can be reached; if `None`, the user of the identity at the listener's sent-by.
    pub contact: Option<UriBuf>,
    /// The proxies that requests outside of dialogs go through: a preloaded Route set, such as that of an outbound proxy (RFC 3261
    /// §8.1.1.1, §8.1.2). Empty by default. A Service-Route that the registrar gives with a 2xx stands in their place (RFC 3608).
    pub routes: RouteSet,
    /// Where requests outside of dialogs are sent, without a Route; if `None`, where Route or their Request-URI says (RFC 3261 §8.1.2).
    pub outbound: Option<NextHop>,
    /// The device, or what else is one user agent for its registrars (RFC 5626 §4.1). The bindings of our own contact name it, and
    /// [`Register::outbound`](super::Register::outbound) needs it. `None` by default.
    pub instance: Option<Instance>,
    /// Whether our INVITEs and 2xx carry Allow and Supported (RFC 3261 §13.2.1, §13.3.1.4). On by default.
    pub capabilities: bool,
    /// The extensions that are used: Supported names them, and a request may require them (RFC 3261 §8.2.2.3, §20.37). An extension that
    /// the stack does not know how to use counts as not given. By default these are 100rel (RFC 3262), timer (RFC 4028) and norefersub (RFC
    /// 4488), which run by themselves: a provisional response of a peer is acknowledged, a session that the peer wants refreshed is refreshed.
    /// [`Extension::Outbound`] is to be asked for where registrations are [flows](super::Register::outbound): then every request says so (RFC 5626
    /// §4.3). [`Extension::Replaces`] is to be asked for, since a call that is answered may then end another one
    /// ([`Event::Incoming`](super::Event::Incoming)).
    pub extensions: Extensions,
    /// The description of what this user agent can do with media: the body of its 200 to OPTIONS, unless the Accept of that request wants no
    /// `application/sdp` (RFC 3261 §11.2, RFC 3264 §9). None by default.
    ///
    /// ```
    /// # use sansip::user_agent::Profile;
    /// let mut profile = Profile::new("<sip:alice@atlanta.com>".parse()?);
    /// let offers = "v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\nm=audio 0 RTP/AVP 0\r\n";
    /// profile.description = Some(offers.into());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub description: Option<Box<str>>,
    /// The wishes for session timers, if [`extensions`](field@Self::extensions) has [`Extension::Timer`] (RFC 4028). Without that
    /// extension there are none. With it a session that either end, or a proxy, wants a timer for is refreshed by the end that was
    /// agreed on, and ends with [`EndCause::Expired`](super::EndCause::Expired) if it was not refreshed in time.
    ///
    /// Our refresh is an UPDATE without a session description if the peer's Allow names that method, else a re-INVITE with the description
    /// that we have sent last; the application hears of it only if the answer differs from the last one ([`Event::Modified`](super::Event::Modified)). A re-INVITE of the peer with the offer of the last
    /// exchange, byte for byte, gets the answer of that exchange; any other is [`Event::Offered`](super::Event::Offered). The two
    /// descriptions of the last exchange are kept for that while a timer runs, or may come to run with the answer.
    ///
    /// ```
    /// # use sansip::user_agent::Profile;
    /// let mut profile = Profile::new("<sip:alice@atlanta.com>".parse()?);
    /// profile.session_timer.interval = Some(1_800);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub session_timer: SessionTimerSettings,
    /// How long the ACK of a 2xx with an offer waits for the application's answer; never longer than 2xx are repeated, 64·T1 (RFC 3261
    /// §13.2.2.4). 10 s.
    pub answer_time: Duration,
    /// How long a peer's re-INVITE, or its UPDATE with an offer, waits for the application's decision. Then the change is refused, with 488
    /// (RFC 3261 §14.2) or 504 (RFC 3311 §5.2); an UPDATE never waits longer than its sender, 64·T1. 10 s.
    pub decision_time: Duration,
    /// The value of User-Agent and Server in our messages.
    pub user_agent: Option<String>,
    /// Methods besides those that the core serves itself whose requests the application answers ([`Event::Asked`](super::Event::Asked)),
    /// such as `MESSAGE` and `INFO`. Any other gets 405, or 501 if it is not known. Empty by default.
    ///
    /// `REFER` lets peers ask us to contact somebody ([`Event::Referred`](super::Event::Referred), RFC 3515). `NOTIFY` is taken for subscriptions of
    /// ours without being named here; named, it stands in Allow, as that of a user agent should that subscribes or refers.
    pub methods: Vec<Box<str>>,
    /// How long the subscription of a peer's REFER lasts that is accepted, unless the peer refreshes it; longer than what the REFER asks for takes
    /// (RFC 3515 §3.4). 180 s.
    pub refer_time: Duration,
    /// How long the application has to answer such a request; then it gets a 500. 20 s, below the 32 s that its sender waits.
    pub patience: Duration,
    /// Whether requests outside of dialogs are taken whatever the user part of their Request-URI is; else one that is neither that of an
    /// account's identity or contact, nor that of what a REGISTER of ours has bound, gets a 404 (RFC 3261 §8.2.2.1). Off by default.
    pub any_user: bool,
    /// The policy of what is done again by itself, and what the application is asked.
    pub policy: Policy,
    /// Bounds on what peers can make it hold.
    pub limits: Limits,
}

impl Profile {
    /// The defaults, with the given identity.
    pub fn new(identity: NameAddrBuf) -> Self {
        Self {
            identity,
            contact: None,
            routes: RouteSet::default(),
            outbound: None,
            instance: None,
            capabilities: true,
            extensions: DEFAULT,
            description: None,
            session_timer: SessionTimerSettings::default(),
            answer_time: Duration::from_secs(10),
            decision_time: Duration::from_secs(10),
            user_agent: None,
            methods: Vec::new(),
            refer_time: Duration::from_secs(180),
            patience: Duration::from_secs(20),
            any_user: false,
            policy: Policy::default(),
            limits: Limits::default(),
        }
    }
}

impl Profile {
    /// Whether a request is taken besides those of the methods that every user agent takes: the application answers it, it is a REFER and these are
    /// taken, or it is about a subscription.
    pub(super) fn takes(&self, request: &Request) -> bool {
        match request.method() {
            Method::Notify => request.to_tag().is_some(),
            Method::Refer | Method::Subscribe => self.names(Method::Refer),
            method => self.answers(method),
        }
    }

    fn names(&self, method: Method<'_>) -> bool {
        self.methods.iter().any(|name| **name == *method.as_str())
    }

    /// Whether the application answers requests of this method.
    pub(super) fn answers(&self, method: Method<'_>) -> bool {
        !is_of_the_core(method) && method != Method::Options && self.names(method)
    }

    /// The methods that are taken, as a value of Allow (§20.5).
    pub(super) fn allow(&self) -> Cow<'static, str> {
        let mut allow = Cow::Borrowed(ALLOW);
        if self.extensions().contains(Extension::Reliable) {
            allow.to_mut().push_str(", PRACK");
        }
        for name in &self.methods {
            let is_taken = |method| self.answers(method) || matches!(method, Method::Refer | Method::Notify);
            if Method::parse(name.as_bytes()).is_some_and(is_taken) {
                let allow = allow.to_mut();
                allow.push_str(", ");
                allow.push_str(name);
            }
        }
        allow
    }

    /// The extensions that are used.
    pub(super) const fn extensions(&self) -> Extensions {
        self.extensions.and(SUPPORTED)
    }

    /// Whether session timers are used (RFC 4028).
    pub(super) const fn has_session_timers(&self) -> bool {
        self.extensions().contains(Extension::Timer)
    }

    /// Whether calls may take the place of others (RFC 3891).
    pub(super) const fn has_replaces(&self) -> bool {
        self.extensions().contains(Extension::Replaces)
    }

    /// Adds Allow and Supported, if the profile says so (§13.2.1, §20.5, §20.37).
    pub(super) fn add_capabilities(&self, lines: &mut Lines) {
        if self.capabilities {
            lines.made(HeaderId::Allow, &[self.allow().as_bytes()]);
            self.write_supported(lines);
        } else if self.has_replaces() {
            // RFC 3891 §6.2.
            self.write_supported(lines);
        } else {
            self.add_supported(lines);
        }
    }

    /// Adds Supported to a request that says nothing else of what we can do, if an extension asks for it in every request: session
    /// timers do (RFC 4028 §7.1), and flows (RFC 5626 §4.3).
    pub(super) fn add_supported(&self, lines: &mut Lines) {
        if self.has_session_timers() || self.extensions().contains(Extension::Outbound) {
            self.write_supported(lines);
        }
    }

    fn write_supported(&self, lines: &mut Lines) {
        let mut value = ArrayVec::<&[u8], { 2 * Extension::ALL.len() }>::new();
        for extension in self.extensions().iter() {
            if !value.is_empty() {
                value.push(b", ");
            }
            value.push(extension.tag().as_bytes());
        }
        lines.made(HeaderId::Supported, &value);
    }

    /// Adds the software's name as `id`, User-Agent or Server, if the profile has one.
    pub(super) fn add_software(&self, lines: &mut Lines, id: HeaderId) {
        if let Some(name) = &self.user_agent {
            lines.header(id, name);
        }
    }
}
