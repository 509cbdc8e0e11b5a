//! Requests of ours outside of dialogs.

use alloc::boxed::Box;
use alloc::vec::Vec;

use super::body::Body;
use super::extra::Extra;
use super::standing::Messages;
use crate::dialog::{Path, RouteSet, request_target};
use crate::error::CommandError;
use crate::extension::{Extension, Extensions};
use crate::message::header::NameAddrBuf;
use crate::message::{HeaderName, Method, UriBuf};
use crate::transport::NextHop;
use crate::user_agent::AccountId;

/// A request of ours outside of dialogs: to whom it goes, and what differs from what the [`Profile`](crate::user_agent::Profile) says.
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
    pub(in crate::user_agent) to: NameAddrBuf,
    from: Option<NameAddrBuf>,
    request_uri: Option<UriBuf>,
    next_hop: Option<NextHop>,
    routes: RouteSet,
    pub(in crate::user_agent) account: Option<AccountId>,
    pub(in crate::user_agent) extra: Extra,
    /// The answer to an offer that nobody wants. In a box, as most calls have nothing here.
    pub(in crate::user_agent) refusal: Option<Box<Body>>,
    /// Says what stands in the messages of the call.
    pub(in crate::user_agent) standing: Vec<(Messages, Extra)>,
    pub(in crate::user_agent) require: Extensions,
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
            refusal: None,
            standing: Vec::new(),
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
    /// §8.1.2). These routes stand in the place of the account's ([`Profile::routes`](crate::user_agent::Profile::routes)).
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
        self.refusal = Some(Box::new(body));
        self
    }

    /// Sets the header fields and the body that stand in these messages of the call, as [`UserAgent::standing_in`] does, from its first
    /// message on. The INVITE itself has what [`header`](Self::header) and [`body`](Self::body) say. The command that makes the call refuses
    /// what these messages cannot carry; other commands do not look at it.
    ///
    /// [`UserAgent::standing_in`]: crate::user_agent::UserAgent::standing_in
    ///
    /// ```
    /// # use sansip::message::Method;
    /// # use sansip::user_agent::{Extra, Messages, Outgoing};
    /// let call = Outgoing::to(&"<sip:bob@biloxi.com>".parse().unwrap())
    ///     .standing(Messages::Requests(Method::Cancel), Extra::new().header("Reason", "SIP;cause=487"));
    /// # let _ = call;
    /// ```
    #[must_use]
    pub fn standing(mut self, messages: Messages, extra: impl Into<Extra>) -> Self {
        let extra = extra.into();
        if let Err(error) = messages.check(&extra) {
            self.extra.fail(error);
        }
        self.standing.push((messages, extra));
        self
    }

    /// Sets the header fields of each ACK of the call, of 2xx and of rejections, whichever fork has sent that; Proxy-Require is refused, as an
    /// ACK can demand nothing that its INVITE has not (RFC 3261 §8.2.2.3). The body of an ACK
    /// is the answer to an offer alone: see [`UserAgent::answer_offer`](crate::user_agent::UserAgent::answer_offer), whose fields stand before
    /// these, and [`refusal`](Self::refusal).
    ///
    /// ```
    /// # use sansip::user_agent::{Extra, Outgoing};
    /// let call = Outgoing::to(&"<sip:bob@biloxi.com>".parse().unwrap()).ack(Extra::new().header("X-Trace", "7f"));
    /// # let _ = call;
    /// ```
    #[must_use]
    pub fn ack(self, extra: Extra) -> Self {
        self.standing(Messages::Requests(Method::Ack), extra)
    }

    /// Insists on an extension: Require (RFC 3261 §8.1.1.9). A peer that does not know the extension refuses with 420. The command that
    /// takes this refuses an extension that is not among [`Profile::extensions`](field@crate::user_agent::Profile::extensions), and 100rel for anything but
    /// a call (RFC 3262 §4).
    #[must_use]
    pub const fn require(mut self, extension: Extension) -> Self {
        self.require = self.require.with(extension);
        self
    }

    /// Sets the header fields, and a body that is no session description, of each PRACK that acknowledges a reliable provisional response
    /// (RFC 3262 §4).
    #[must_use]
    pub fn prack(self, extra: impl Into<Extra>) -> Self {
        self.standing(Messages::Requests(Method::Prack), extra)
    }

    /// Sets the header fields and the body of each BYE that ends a dialog of this INVITE, such as a Reason (RFC 3326): those that go out by
    /// themselves, to a fork that has lost, or when the session was not refreshed, and those of commands, which may say other fields of the
    /// same name, or another body ([`hang_up_with`](crate::user_agent::UserAgent::hang_up_with)).
    ///
    /// ```
    /// # use sansip::user_agent::{Extra, Outgoing};
    /// let reason = Extra::new().header("Reason", "SIP;cause=200;text=\"Call completed elsewhere\"");
    /// let call = Outgoing::to(&"<sip:bob@biloxi.com>".parse().unwrap()).farewell(reason);
    /// # let _ = call;
    /// ```
    #[must_use]
    pub fn farewell(self, extra: impl Into<Extra>) -> Self {
        self.standing(Messages::Requests(Method::Bye), extra)
    }

    /// Sets all that the request carries besides what the core writes.
    pub(in crate::user_agent) fn extra(mut self, extra: Extra) -> Self {
        self.extra = extra;
        self
    }

    /// From without a tag: what is said here, or else the identity.
    pub(in crate::user_agent) fn caller_or<'a>(&'a self, identity: &'a NameAddrBuf) -> &'a NameAddrBuf {
        self.from.as_ref().unwrap_or(identity)
    }

    /// Whether the request says which way it goes, by a next hop or by routes.
    pub(in crate::user_agent) fn says_way(&self) -> bool {
        self.next_hop.is_some() || !self.routes.is_empty()
    }

    /// How the request is addressed (§8.1.2).
    ///
    /// # Errors
    /// `NotSip`: To and Request-URI are no SIP URIs, or a route is none.
    pub(in crate::user_agent) fn path(
        &self,
        routes: &RouteSet,
        outbound: Option<&NextHop>,
    ) -> Result<Path, CommandError> {
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
