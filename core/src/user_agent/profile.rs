//! Who a user agent is, and what it says about itself.

use alloc::string::String;
use alloc::vec::Vec;

use super::core::Cx;
use super::limits::Limits;
use crate::error::CommandError;
use crate::message::header::NameAddrBuf;
use crate::message::{HeaderId, Scheme, SharedBytes, Uri, UriBuf};
use crate::transport::{Listener, NextHop};

/// The methods that this user agent takes, as a value of Allow.
pub(super) const ALLOW: &str = "INVITE, ACK, CANCEL, OPTIONS, BYE";

/// The body types that it understands, as a value of Accept.
pub(super) const ACCEPT: &str = "application/sdp";

/// Who a user agent is.
#[derive(Clone, Debug)]
pub struct Profile {
    /// Name and address-of-record: From of our requests, such as `Alice <sip:alice@atlanta.com>`.
    pub identity: NameAddrBuf,
    /// Where this user agent can be reached; if `None`, the user of the identity at the listener's sent-by.
    pub contact: Option<UriBuf>,
    /// Where requests outside of dialogs are sent; if `None`, where their Request-URI says (RFC 3261 §8.1.2).
    pub outbound: Option<NextHop>,
    /// Whether our INVITEs and 2xx carry Allow and Supported (RFC 3261 §13.2.1, §13.3.1.4). On by default.
    pub capabilities: bool,
    /// The value of User-Agent and Server in our messages.
    pub user_agent: Option<String>,
    /// Bounds on what peers can make it hold.
    pub limits: Limits,
}

impl Profile {
    /// The defaults, with the given identity.
    pub fn new(identity: NameAddrBuf) -> Self {
        Self {
            identity,
            contact: None,
            outbound: None,
            capabilities: true,
            user_agent: None,
            limits: Limits::default(),
        }
    }

    /// The value of Contact at `listener`; a SIPS URI if `secure` (§8.1.1.8, §12.1.1).
    pub(super) fn contact_at(&self, listener: Option<&Listener>, secure: bool) -> Result<Vec<u8>, CommandError> {
        if let Some(contact) = &self.contact {
            return Ok([b"<", contact.as_bytes(), b">"].concat());
        }
        let listener = listener.ok_or(CommandError::Invalid("listener"))?;
        let mut value = listener.uri(self.identity.uri().user(), secure, "");
        value.insert(0, '<');
        value.push('>');
        Ok(value.into_bytes())
    }

    /// The value of Contact in a request for `target` that goes to `next_hop`.
    pub(super) fn contact_towards(
        &self,
        cx: &Cx<'_>,
        next_hop: &NextHop,
        target: Uri<'_>,
    ) -> Result<Vec<u8>, CommandError> {
        self.contact_at(cx.listener_towards(next_hop), target.scheme() == Scheme::Sips)
    }
}

/// A message body and its type.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Body {
    /// The value of Content-Type, such as `application/sdp`.
    pub content_type: String,
    /// The octets.
    pub bytes: SharedBytes,
}

/// Header fields that requests and responses can take alike.
pub(super) trait Fields: Sized {
    /// Adds a field.
    fn field(self, id: HeaderId, value: &[u8]) -> Self;
    /// Sets the body.
    fn content(self, body: &Body) -> Self;

    /// Adds Allow and Supported, if the profile says so. There is no extension to name in Supported yet (§20.37).
    fn capabilities(self, profile: &Profile) -> Self {
        if !profile.capabilities {
            return self;
        }
        self.field(HeaderId::Allow, ALLOW.as_bytes()).field(HeaderId::Supported, b"")
    }

    /// Adds the body, if there is one.
    fn maybe_content(self, body: Option<&Body>) -> Self {
        match body {
            Some(body) => self.content(body),
            None => self,
        }
    }

    /// Adds the software's name under `id`, if the profile has one.
    fn software(self, id: HeaderId, profile: &Profile) -> Self {
        match &profile.user_agent {
            Some(name) => self.field(id, name.as_bytes()),
            None => self,
        }
    }
}

macro_rules! fields {
    ($builder:ty) => {
        impl Fields for $builder {
            fn field(self, id: HeaderId, value: &[u8]) -> Self {
                self.header(id, value)
            }
            fn content(self, body: &Body) -> Self {
                self.body(&body.content_type, &body.bytes)
            }
        }
    };
}
fields!(crate::message::RequestBuilder);
fields!(crate::message::ResponseBuilder);
