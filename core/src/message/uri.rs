//! URIs (RFC 3261 §19).

use super::bytes::SharedBytes;
use super::error::ParseError;
use super::host::{Host, HostPort};
use super::parameters::{Parameter, Parameters};
use alloc::string::String;
use core::fmt;
use core::str::FromStr;

/// The scheme of a URI; without case.
#[derive(Clone, Copy, Debug)]
pub enum Scheme<'a> {
    /// `sip`.
    Sip,
    /// `sips`.
    Sips,
    /// `tel` (RFC 3966).
    Tel,
    /// Any other, as written.
    Other(&'a str),
}

impl PartialEq for Scheme<'_> {
    fn eq(&self, _other: &Self) -> bool {
        todo!()
    }
}
impl Eq for Scheme<'_> {}

/// A URI. There is no `==`: the equality of RFC 3261 §19.1.4 is not transitive; see [`equivalent`](Self::equivalent).
#[derive(Clone, Copy, Debug)]
pub struct Uri<'a> {
    text: &'a [u8],
    scheme: Scheme<'a>,
    user: Option<&'a str>,
    password: Option<&'a str>,
    host: Option<HostPort<'a>>,
    parameters: Parameters<'a>,
    headers: Option<&'a [u8]>,
}

impl<'a> Uri<'a> {
    /// Reads a whole URI, without angle brackets.
    pub fn parse(_text: &'a [u8]) -> Result<Self, ParseError> {
        todo!()
    }
    /// The URI as written.
    pub fn as_bytes(self) -> &'a [u8] {
        self.text
    }
    /// The scheme.
    pub fn scheme(self) -> Scheme<'a> {
        self.scheme
    }
    /// Whether the scheme is `sip` or `sips`.
    pub fn is_sip(self) -> bool {
        matches!(self.scheme, Scheme::Sip | Scheme::Sips)
    }
    /// The user part, escapes kept. `None` unless sip or sips.
    pub fn user(self) -> Option<&'a str> {
        self.user
    }
    /// The password, escapes kept.
    pub fn password(self) -> Option<&'a str> {
        self.password
    }
    /// The host. `None` unless sip or sips.
    pub fn host(self) -> Option<Host<'a>> {
        self.host.map(|host| host.host)
    }
    /// The port, if one is written.
    pub fn port(self) -> Option<u16> {
        self.host?.port
    }
    /// Host and port. `None` unless sip or sips.
    pub fn host_port(self) -> Option<HostPort<'a>> {
        self.host
    }
    /// The parameters.
    pub fn parameters(self) -> Parameters<'a> {
        self.parameters
    }
    /// The first parameter of this name.
    pub fn parameter(self, name: &str) -> Option<Parameter<'a>> {
        self.parameters.get(name)
    }
    /// The headers: what follows the `?`.
    pub fn headers(self) -> Option<&'a [u8]> {
        self.headers
    }
    /// Whether there is an `lr` parameter (RFC 3261 §19.1.1).
    pub fn is_loose_router(self) -> bool {
        self.parameters.has("lr")
    }
    /// Whether both name the same resource by RFC 3261 §19.1.4; other schemes are compared as text.
    pub fn equivalent(self, _other: Uri<'_>) -> bool {
        todo!()
    }
    /// The canonical address-of-record (RFC 3261 §10.3 step 5): no parameters or headers, user unescaped, host in lower case.
    /// `None` unless sip or sips.
    pub fn address_of_record(self) -> Option<String> {
        todo!()
    }
    /// An owned copy, as written.
    pub fn to_buf(self) -> UriBuf {
        UriBuf(self.text.into())
    }
}

impl AsRef<[u8]> for Uri<'_> {
    fn as_ref(&self) -> &[u8] {
        self.text
    }
}

impl fmt::Display for Uri<'_> {
    fn fmt(&self, _f: &mut fmt::Formatter<'_>) -> fmt::Result {
        todo!()
    }
}

/// An owned URI, as it was written. A clone is a pointer.
#[derive(Clone)]
pub struct UriBuf(SharedBytes);

impl UriBuf {
    /// Reads a whole URI, without angle brackets.
    pub fn parse(_text: &[u8]) -> Result<Self, ParseError> {
        todo!()
    }
    /// The URI, borrowed.
    pub fn as_uri(&self) -> Uri<'_> {
        todo!()
    }
    /// The URI as written.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

impl AsRef<[u8]> for UriBuf {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

impl FromStr for UriBuf {
    type Err = ParseError;
    fn from_str(text: &str) -> Result<Self, ParseError> {
        Self::parse(text.as_bytes())
    }
}

impl fmt::Display for UriBuf {
    fn fmt(&self, _f: &mut fmt::Formatter<'_>) -> fmt::Result {
        todo!()
    }
}

impl fmt::Debug for UriBuf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}
