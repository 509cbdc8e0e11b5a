//! Header fields of authentication, ready to be put into a message.

use alloc::vec::Vec;
use core::fmt;

use crate::message::header::{Authorization, Header, ProxyAuthorization};
use crate::message::{Edit, HeaderId, Request, RequestBuilder, ResponseBuilder, StatusCode, unfolded};

/// Who asks for credentials.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Asker {
    /// A user agent server, registrar or redirect server: 401, WWW-Authenticate, Authorization (RFC 3261 §22.2).
    Server,
    /// A proxy: 407, Proxy-Authenticate, Proxy-Authorization (RFC 3261 §22.3).
    Proxy,
}

impl Asker {
    pub(super) const BOTH: [Self; 2] = [Self::Server, Self::Proxy];

    /// The status code of a challenge.
    pub const fn status(self) -> StatusCode {
        match self {
            Self::Server => StatusCode::UNAUTHORIZED,
            Self::Proxy => StatusCode::PROXY_AUTHENTICATION_REQUIRED,
        }
    }

    /// The header of a challenge.
    pub const fn challenge(self) -> HeaderId {
        match self {
            Self::Server => HeaderId::WwwAuthenticate,
            Self::Proxy => HeaderId::ProxyAuthenticate,
        }
    }

    /// The header of credentials.
    pub const fn credentials(self) -> HeaderId {
        match self {
            Self::Server => HeaderId::Authorization,
            Self::Proxy => HeaderId::ProxyAuthorization,
        }
    }
}

/// Header fields to put into a message, in order. `Debug` shows their names only.
#[derive(Clone, Default)]
pub struct Fields(pub(super) Vec<(HeaderId, Vec<u8>)>);

impl Fields {
    /// The credentials that a request carries. The ACK of a 2xx duplicates those of its INVITE (RFC 3261 §22.1). A field that
    /// cannot be written again is left out.
    pub fn of(request: &Request) -> Self {
        let mut fields = Vec::new();
        for asker in Asker::BOTH {
            let id = asker.credentials();
            for value in request.headers().values(id, false) {
                if let Ok(value) = unfolded(value) {
                    fields.push((id, value.into_owned()));
                }
            }
        }
        Self(fields)
    }

    /// The fields in order.
    pub fn iter(&self) -> impl Iterator<Item = (HeaderId, &[u8])> {
        self.0.iter().map(|(id, value)| (*id, value.as_slice()))
    }

    /// Whether there is no field.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Puts credentials into a copy of a request, in the place of all that the request carries.
    #[must_use]
    pub fn edit<'a>(&self, request: Edit<'a, Request>) -> Edit<'a, Request> {
        let edit = request.remove(Authorization::ID).remove(ProxyAuthorization::ID);
        self.iter().fold(edit, |edit, (id, value)| edit.append(id, value))
    }

    /// Adds the fields to a new request.
    #[must_use]
    pub fn add_to_request(&self, builder: RequestBuilder) -> RequestBuilder {
        self.iter().fold(builder, |builder, (id, value)| builder.header(id, value))
    }

    /// Adds the fields to a response.
    #[must_use]
    pub fn add_to_response(&self, builder: ResponseBuilder) -> ResponseBuilder {
        self.iter().fold(builder, |builder, (id, value)| builder.header(id, value))
    }
}

impl fmt::Debug for Fields {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.0.iter().map(|(id, _)| id.as_str())).finish()
    }
}
