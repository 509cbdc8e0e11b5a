//! Header fields and a body besides what the core writes.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::fmt;

use super::body::Body;
use crate::error::CommandError;
use crate::message::{Content, HeaderId, HeaderName, Lines};
use crate::user_agent::description::describes;

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
pub(in crate::user_agent) fn is_owned(id: HeaderId) -> bool {
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

    /// Whether a request can carry this, which has no Warning (RFC 3261 §20.43).
    ///
    /// # Errors
    /// As [`check`](Self::check).
    pub(in crate::user_agent) fn check_request(&self) -> Result<(), CommandError> {
        self.check()?;
        if self.has(HeaderId::Warning) {
            return Err(CommandError::HeaderOwned(HeaderId::Warning.as_str()));
        }
        Ok(())
    }

    /// Whether a CANCEL can carry this, which has no body, and no Proxy-Require (RFC 3261 §9.1).
    ///
    /// # Errors
    /// As [`check`](Self::check); `Invalid("body")`.
    pub(in crate::user_agent) fn check_cancel(&self) -> Result<(), CommandError> {
        self.check_request()?;
        if self.has(HeaderId::ProxyRequire) {
            return Err(CommandError::HeaderOwned(HeaderId::ProxyRequire.as_str()));
        }
        if self.has_body() { Err(CommandError::Invalid("body")) } else { Ok(()) }
    }

    /// Whether there is nothing.
    pub(in crate::user_agent) const fn is_empty(&self) -> bool {
        self.lines.is_none() && self.body.is_none()
    }

    /// Keeps the first error, for the command that takes this.
    pub(in crate::user_agent) fn fail(&mut self, error: CommandError) {
        self.error.get_or_insert(error);
    }

    /// Whether the application has given a field of this header.
    pub(in crate::user_agent) fn contains(&self, id: HeaderId) -> bool {
        self.lines.as_ref().is_some_and(|lines| lines.contains(id))
    }

    /// Adds a field that the core writes.
    #[must_use]
    pub(in crate::user_agent) fn with<'n>(mut self, name: impl Into<HeaderName<'n>>, value: impl AsRef<[u8]>) -> Self {
        self.write(name.into(), value.as_ref());
        self
    }

    /// Adds a Warning, which says more about why, in words for a human being: code 399 (RFC 3261 §20.43). Only responses carry it: a
    /// command that sends a request refuses it.
    ///
    /// ```
    /// # use sansip::user_agent::Extra;
    /// assert!(Extra::new().warning("The line is in use").check().is_ok());
    /// ```
    #[must_use]
    pub fn warning(mut self, text: &str) -> Self {
        let mut value = Vec::from(&b"399 sansip \""[..]);
        for octet in text.bytes() {
            if matches!(octet, b'"' | b'\\') {
                value.push(b'\\');
            }
            value.push(octet);
        }
        value.push(b'"');
        self.write(HeaderId::Warning.into(), &value);
        self
    }

    /// Adds what another one has.
    #[must_use]
    pub(in crate::user_agent) fn and(mut self, other: &Self) -> Self {
        if let Some(lines) = &other.lines {
            self.lines.get_or_insert_with(|| Box::new(Lines::new())).append(lines);
        }
        self.body = other.body.clone().or(self.body);
        self.error = self.error.or(other.error);
        self
    }

    /// Adds those fields of another one whose names are not there yet, and its body if there is none.
    #[must_use]
    pub(in crate::user_agent) fn before(mut self, other: &Self) -> Self {
        other.complete(self.lines.get_or_insert_with(|| Box::new(Lines::new())));
        self.body = self.body.or_else(|| other.body.clone());
        self
    }

    /// Adds a header field that the core writes.
    pub(in crate::user_agent) fn write(&mut self, name: HeaderName<'_>, value: &[u8]) {
        self.lines.get_or_insert_with(|| Box::new(Lines::new())).header(name, value);
    }

    /// Whether there is such a field.
    pub(in crate::user_agent) fn has(&self, id: HeaderId) -> bool {
        self.lines.as_ref().is_some_and(|lines| lines.has(id))
    }

    /// Whether there is a body.
    pub(in crate::user_agent) const fn has_body(&self) -> bool {
        self.body.is_some()
    }

    /// The fields.
    pub(in crate::user_agent) fn lines(&self) -> Option<Box<Lines>> {
        self.lines.clone()
    }

    /// Whether the body describes a session.
    pub(in crate::user_agent) fn describes(&self) -> bool {
        self.body.as_ref().is_some_and(|body| describes(Some(body.content_type.as_bytes()), &body.bytes))
    }

    /// The body, if it describes a session.
    pub(in crate::user_agent) fn description(&self) -> Option<&Body> {
        self.body.as_ref().filter(|_| self.describes())
    }

    /// Appends the fields.
    pub(in crate::user_agent) fn add_to(&self, lines: &mut Lines) {
        if let Some(extra) = &self.lines {
            lines.append(extra);
        }
    }

    /// Completes the fields of a message by those whose names it has not yet.
    pub(super) fn complete(&self, lines: &mut Lines) {
        if let Some(extra) = &self.lines {
            lines.append_missing(extra);
        }
    }

    /// The body, if there is one.
    pub(super) const fn given_body(&self) -> Option<&Body> {
        self.body.as_ref()
    }

    /// The body as a message takes it; without one, nothing.
    pub(in crate::user_agent) fn content(&self) -> Content<'_> {
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

#[cfg(test)]
mod tests {
    use super::*;

    /// The fields by the names that the RFCs give them.
    #[test]
    fn each_field_of_the_core_is_refused_by_its_own_name() {
        let owned = [
            "Via",
            "Max-Forwards",
            "Route",
            "Record-Route",
            "From",
            "To",
            "Call-ID",
            "CSeq",
            "Contact",
            "Content-Type",
            "Content-Length",
            "Allow",
            "Supported",
            "Require",
            "Unsupported",
            "RSeq",
            "RAck",
            "Session-Expires",
            "Min-SE",
            "Authorization",
            "Proxy-Authorization",
            "WWW-Authenticate",
            "Proxy-Authenticate",
            "Authentication-Info",
            "Retry-After",
            "Warning",
        ];
        let refused = |name: &str| Extra::new().header(name, "x").check();
        for name in owned {
            for written in [name.into(), name.to_ascii_lowercase()] {
                assert_eq!(refused(&written), Err(CommandError::HeaderOwned(name)), "{written}");
            }
        }
        assert_eq!(owned.len(), OWNED.len());
        // RFC 3261 §7.3.3, RFC 4028 §4.
        for (short, name) in [
            ("v", "Via"),
            ("f", "From"),
            ("t", "To"),
            ("i", "Call-ID"),
            ("m", "Contact"),
            ("c", "Content-Type"),
            ("l", "Content-Length"),
            ("k", "Supported"),
            ("x", "Session-Expires"),
        ] {
            assert_eq!(refused(short), Err(CommandError::HeaderOwned(name)), "{short}");
        }
        for name in ["Subject", "s", "Reason", "Proxy-Require", "Accept", "X-Thing"] {
            assert_eq!(refused(name), Ok(()), "{name}");
        }
    }
}
