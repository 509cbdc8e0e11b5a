//! Fields and bodies that the application puts into a message besides what the core writes.

use alloc::boxed::Box;
use core::fmt;

use super::body::Body;
use super::description::describes;
use super::given::Given;
use crate::dialog::{Path, RouteSet, request_target};
use crate::error::CommandError;
use crate::extension::{Extension, Extensions};
use crate::message::header::NameAddrBuf;
use crate::message::{Content, HeaderId, HeaderName, Lines, UriBuf};
use crate::transport::NextHop;
use crate::user_agent::AccountId;

/// The header fields that the core writes itself, each with what it knows: nobody else may.
const OWNED: [HeaderId; 26] = [
    HeaderId::Via,
    HeaderId::MaxForwards,
    HeaderId::Route,
    HeaderId::RecordRoute,
    HeaderId::From,
    HeaderId::To,
    HeaderId::CallId,
    HeaderId::CSeq,
    HeaderId::Contact,
    HeaderId::ContentType,
    HeaderId::ContentLength,
    HeaderId::Allow,
    HeaderId::Supported,
    HeaderId::Require,
    HeaderId::Unsupported,
    HeaderId::RSeq,
    HeaderId::RAck,
    HeaderId::SessionExpires,
    HeaderId::MinSe,
    HeaderId::Authorization,
    HeaderId::ProxyAuthorization,
    HeaderId::WwwAuthenticate,
    HeaderId::ProxyAuthenticate,
    HeaderId::AuthenticationInfo,
    HeaderId::RetryAfter,
    HeaderId::Warning,
];

/// Whether the core writes this field itself.
pub(super) fn is_owned(id: HeaderId) -> bool {
    OWNED.contains(&id)
}

/// The part of a request or response of ours that the core does not write: header fields, and a body.
///
/// ```
/// # use sansip::user_agent::{Body, Extra};
/// let extra = Extra::new().header("Reason", "SIP;cause=200;text=\"Call completed elsewhere\"").body(Body::sdp("v=0\r\n"));
/// assert!(extra.check().is_ok());
/// assert_eq!(Extra::new().header("CSeq", "1 BYE").check().unwrap_err().to_string(), "the stack writes CSeq itself");
/// ```
#[derive(Clone, Default)]
pub struct Extra {
    /// In a box, as most messages have nothing here.
    lines: Option<Box<Lines>>,
    body: Option<Body>,
    /// The first error, which the command tells.
    error: Option<CommandError>,
}

impl Extra {
    /// Nothing yet.
    pub const fn new() -> Self {
        Self { lines: None, body: None, error: None }
    }

    /// Adds a header field. The command that takes this refuses a field that the core writes itself, and text that would end its
    /// line.
    #[must_use]
    pub fn header<'n>(mut self, name: impl Into<HeaderName<'n>>, value: impl AsRef<[u8]>) -> Self {
        let name = match name.into() {
            HeaderName::Other(text) => text.into(),
            known @ HeaderName::Known(_) => known,
        };
        match name {
            HeaderName::Known(id) if is_owned(id) => self.fail(CommandError::HeaderOwned(id.as_str())),
            name => self.write(name, value.as_ref()),
        }
        self
    }

    /// Sets the body.
    #[must_use]
    pub fn body(mut self, body: impl Into<Option<Body>>) -> Self {
        self.body = body.into();
        self
    }

    /// Whether a message can carry this.
    ///
    /// # Errors
    /// `HeaderOwned`: the core writes this field itself; `Invalid`: a name or value that cannot be written.
    pub fn check(&self) -> Result<(), CommandError> {
        let unwritable = self.lines.as_ref().is_some_and(|lines| lines.has_failed());
        match self.error {
            Some(error) => Err(error),
            None if unwritable => Err(CommandError::Invalid("header")),
            None => Ok(()),
        }
    }

    /// Whether there is nothing.
    pub(super) const fn is_empty(&self) -> bool {
        self.lines.is_none() && self.body.is_none()
    }

    /// Keeps the first error, for the command that takes this.
    pub(super) fn fail(&mut self, error: CommandError) {
        self.error.get_or_insert(error);
    }

    /// Whether the application has given a field of this header.
    pub(super) fn contains(&self, id: HeaderId) -> bool {
        self.lines.as_ref().is_some_and(|lines| lines.contains(id))
    }

    /// Adds a field that the core writes.
    #[must_use]
    pub(super) fn with<'n>(mut self, name: impl Into<HeaderName<'n>>, value: impl AsRef<[u8]>) -> Self {
        self.write(name.into(), value.as_ref());
        self
    }

    /// Adds what another one has.
    #[must_use]
    pub(super) fn and(mut self, other: &Self) -> Self {
        if let Some(lines) = &other.lines {
            self.lines.get_or_insert_with(|| Box::new(Lines::new())).append(lines);
        }
        self.body = other.body.clone().or(self.body);
        self.error = self.error.or(other.error);
        self
    }

    /// Adds a header field that the core writes.
    pub(super) fn write(&mut self, name: HeaderName<'_>, value: &[u8]) {
        self.lines.get_or_insert_with(|| Box::new(Lines::new())).header(name, value);
    }

    /// Whether there is such a field.
    pub(super) fn has(&self, id: HeaderId) -> bool {
        self.lines.as_ref().is_some_and(|lines| lines.has(id))
    }

    /// Whether there is a body.
    pub(super) const fn has_body(&self) -> bool {
        self.body.is_some()
    }

    /// The fields.
    pub(super) fn lines(&self) -> Option<Box<Lines>> {
        self.lines.clone()
    }

    /// Adds the fields of another one, and its body if that has one.
    pub(super) fn join(&mut self, other: &Self) {
        if let Some(lines) = &other.lines {
            self.lines.get_or_insert_with(|| Box::new(Lines::new())).append(lines);
        }
        if other.body.is_some() {
            self.body.clone_from(&other.body);
        }
    }

    /// Whether the body describes a session.
    pub(super) fn describes(&self) -> bool {
        self.body.as_ref().is_some_and(|body| describes(Some(body.content_type.as_bytes()), &body.bytes))
    }

    /// The body, if it describes a session.
    pub(super) fn description(&self) -> Option<&Body> {
        self.body.as_ref().filter(|_| self.describes())
    }

    /// Appends the fields.
    pub(super) fn add_to(&self, lines: &mut Lines) {
        if let Some(extra) = &self.lines {
            lines.append(extra);
        }
    }

    /// The body as a message takes it; without one, nothing.
    pub(super) fn content(&self) -> Content<'_> {
        self.body.as_ref().map(Body::content).unwrap_or_default()
    }
}

impl fmt::Debug for Extra {
    /// How much there is; values may be secrets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let octets = self.body.as_ref().map_or(0, |body| body.bytes.len());
        write!(f, "Extra(header fields: {}, body: {octets} octets)", self.lines.is_some())
    }
}

impl From<Body> for Extra {
    fn from(body: Body) -> Self {
        Self::new().body(body)
    }
}

impl From<Option<Body>> for Extra {
    fn from(body: Option<Body>) -> Self {
        Self::new().body(body)
    }
}

/// A request of ours outside of dialogs: to whom it goes, and what differs from what the [`Profile`](super::Profile) says.
///
/// ```
/// # use sansip::user_agent::{Body, Outgoing};
/// let bob = "Bob <sip:bob@biloxi.com>".parse().unwrap();
/// let call = Outgoing::to(&bob)
///     .request_uri(&"sip:bob@192.0.2.4:5062".parse().unwrap())
///     .header("Subject", "Lunch")
///     .body(Body::sdp("v=0\r\n"));
/// # let _ = call;
/// ```
#[derive(Clone, Debug)]
pub struct Outgoing {
    pub(super) to: NameAddrBuf,
    from: Option<NameAddrBuf>,
    request_uri: Option<UriBuf>,
    next_hop: Option<NextHop>,
    routes: RouteSet,
    pub(super) account: Option<AccountId>,
    pub(super) extra: Extra,
    pub(super) given: Option<Box<Given>>,
    pub(super) require: Extensions,
}

impl Outgoing {
    /// A request to that address, such as `Bob <sip:bob@biloxi.com>`: To, and if nothing else is said, Request-URI.
    pub fn to(to: &NameAddrBuf) -> Self {
        Self {
            to: to.clone(),
            from: None,
            request_uri: None,
            next_hop: None,
            routes: RouteSet::default(),
            account: None,
            extra: Extra::new(),
            given: None,
            require: Extensions::NONE,
        }
    }

    /// Sends the request for that account, which without this is the default one: with its identity, contact, routes and logins.
    #[must_use]
    pub const fn account(mut self, account: AccountId) -> Self {
        self.account = Some(account);
        self
    }

    /// Sets From; without it the account's identity stands there (RFC 3261 §8.1.1.3).
    #[must_use]
    pub fn from(mut self, from: &NameAddrBuf) -> Self {
        self.from = Some(from.clone());
        self
    }

    /// Sets a Request-URI that is not that of To, such as a path that is known from before (RFC 3261 §8.1.1.1).
    #[must_use]
    pub fn request_uri(mut self, uri: &UriBuf) -> Self {
        self.request_uri = Some(uri.clone());
        self
    }

    /// Sends the request there, whatever Request-URI and Route say (RFC 3261 §8.1.2).
    #[must_use]
    pub fn next_hop(mut self, next_hop: NextHop) -> Self {
        self.next_hop = Some(next_hop);
        self
    }

    /// Adds a proxy that the request goes through, after those that were added before: a preloaded Route (RFC 3261 §8.1.1.1,
    /// §8.1.2). These routes stand in the place of the account's ([`Profile::routes`](super::Profile::routes)).
    #[must_use]
    pub fn route(mut self, proxy: &UriBuf) -> Self {
        self.routes.push(proxy.clone());
        self
    }

    /// Adds a header field: see [`Extra::header`].
    #[must_use]
    pub fn header<'n>(mut self, name: impl Into<HeaderName<'n>>, value: impl AsRef<[u8]>) -> Self {
        self.extra = self.extra.header(name, value);
        self
    }

    /// Sets the body.
    #[must_use]
    pub fn body(mut self, body: impl Into<Option<Body>>) -> Self {
        self.extra = self.extra.body(body);
        self
    }

    /// Sets the answer to an offer that nobody wants, such as one whose streams all have port 0. It has a use for an INVITE without an
    /// offer: each fork that loses, and a call that is not answered in time, has an offer in its 2xx, and its ACK should have an answer
    /// (RFC 3261 §13.2.2.4). Without this the ACK has no body.
    #[must_use]
    pub fn refusal(mut self, body: Body) -> Self {
        self.given.get_or_insert_default().refusal = Some(body);
        self
    }

    /// Sets the header fields of each ACK that acknowledges a 2xx to this INVITE, whichever fork has sent that. The body of such an ACK
    /// is the answer to an offer alone: see [`UserAgent::answer_offer`](super::UserAgent::answer_offer), whose fields stand behind these,
    /// and [`refusal`](Self::refusal).
    ///
    /// ```
    /// # use sansip::user_agent::{Extra, Outgoing};
    /// let call = Outgoing::to(&"<sip:bob@biloxi.com>".parse().unwrap()).ack(Extra::new().header("X-Trace", "7f"));
    /// # let _ = call;
    /// ```
    #[must_use]
    pub fn ack(mut self, extra: Extra) -> Self {
        if extra.has_body() {
            self.extra.fail(CommandError::Invalid("body"));
        } else if let Err(error) = extra.check() {
            self.extra.fail(error);
        }
        self.given.get_or_insert_default().ack = extra;
        self
    }

    /// Insists on an extension: Require (RFC 3261 §8.1.1.9). A peer that does not know the extension refuses with 420. The command that
    /// takes this refuses an extension that is not among [`Profile::extensions`](field@super::Profile::extensions), and 100rel for anything but
    /// a call (RFC 3262 §4).
    #[must_use]
    pub const fn require(mut self, extension: Extension) -> Self {
        self.require = self.require.with(extension);
        self
    }

    /// Sets the header fields, and a body that is no session description, of each PRACK that acknowledges a reliable provisional response
    /// (RFC 3262 §4).
    #[must_use]
    pub fn prack(mut self, extra: impl Into<Extra>) -> Self {
        let extra = extra.into();
        if extra.describes() {
            // It would be an offer (RFC 3262 §5).
            self.extra.fail(CommandError::Invalid("body"));
        } else if let Err(error) = extra.check() {
            self.extra.fail(error);
        }
        self.given.get_or_insert_default().prack = extra;
        self
    }

    /// Sets all that the request carries besides what the core writes.
    pub(super) fn extra(mut self, extra: Extra) -> Self {
        self.extra = extra;
        self
    }

    /// From without a tag: what is said here, or else the identity.
    pub(super) fn caller_or<'a>(&'a self, identity: &'a NameAddrBuf) -> &'a NameAddrBuf {
        self.from.as_ref().unwrap_or(identity)
    }

    /// How the request is addressed (§8.1.2).
    ///
    /// # Errors
    /// `NotSip`: To and Request-URI are no SIP URIs, or a route is none.
    pub(super) fn path(&self, routes: &RouteSet, outbound: Option<&NextHop>) -> Result<Path, CommandError> {
        let to = self.to.uri();
        let target = match &self.request_uri {
            Some(uri) => uri.clone(),
            None => request_target(to),
        };
        if !to.is_sip() || !target.is_sip() {
            return Err(CommandError::NotSip);
        }
        let routes = if self.routes.is_empty() { routes } else { &self.routes };
        let mut path = routes.path(&target).ok_or(CommandError::NotSip)?;
        if let Some(next_hop) = self.next_hop.as_ref().or(outbound) {
            path.next_hop = next_hop.clone().for_request_uri(path.request_uri.as_uri());
        }
        Ok(path)
    }
}

impl From<&NameAddrBuf> for Outgoing {
    fn from(to: &NameAddrBuf) -> Self {
        Self::to(to)
    }
}
