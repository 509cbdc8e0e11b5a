//! Request validation (RFC 3261 §16.3). Syntax was the endpoint's part; there are no credentials to check yet.

use alloc::string::String;

use super::loop_check::{self, SecondPart};
use super::{Core, breadth};
use crate::extension::{Demand, Extensions};
use crate::message::header::{MaxForwards, Route};
use crate::message::{HeaderId, Phrase, Request, Response, ResponseBuilder, Scheme, StatusCode};
use crate::stack::Context;

/// Why a request is answered instead of forwarded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// A status that says it all.
    Status(StatusCode),
    /// 400: something that is needed cannot be read.
    Malformed(Phrase),
    /// 420: option tags that are not understood.
    Unsupported(String),
}

impl Refusal {
    /// The status of the response.
    pub const fn status(&self) -> StatusCode {
        match self {
            Self::Status(status) => *status,
            Self::Malformed(_) => StatusCode::BAD_REQUEST,
            Self::Unsupported(_) => StatusCode::BAD_EXTENSION,
        }
    }

    /// The response, but for its To tag.
    pub fn response(&self, request: &Request) -> ResponseBuilder {
        match self {
            Self::Status(status) => Response::to(request, *status),
            Self::Malformed(reason) => Response::to(request, StatusCode::BAD_REQUEST).reason(reason),
            Self::Unsupported(options) => {
                Response::to(request, StatusCode::BAD_EXTENSION).header(HeaderId::Unsupported, options)
            }
        }
    }
}

impl Core {
    /// The checks in the order of §16.3. If all are passed: the second part of the branches to come.
    pub(super) fn validate<E>(&mut self, cx: &mut Context<'_, E>, request: &Request) -> Result<SecondPart, Refusal> {
        // Preprocessing has read the whole Request-URI.
        if !matches!(Scheme::of(request.uri_bytes()), Some(Scheme::Sip | Scheme::Sips)) {
            return Err(Refusal::Status(StatusCode::UNSUPPORTED_URI_SCHEME));
        }
        if max_forwards(request)? == Some(0) {
            return Err(Refusal::Status(StatusCode::TOO_MANY_HOPS));
        }
        breadth::incoming(request)?;
        if let Some(Err(_)) = request.headers().get::<Route<'_>>() {
            return Err(Refusal::Malformed(Phrase::BAD_PROXIES));
        }
        let key = self.loop_key.get_or_insert_with(|| cx.random().hash_key());
        let loop_part = loop_check::second_part(key, request);
        if loop_check::has_looped(request, &loop_part, |sent_by| cx.is_ours(sent_by)) {
            return Err(Refusal::Status(StatusCode::LOOP_DETECTED));
        }
        proxy_require(request)?;
        Ok(loop_part)
    }
}

/// The value of Max-Forwards, if there is one. Nobody but a proxy has to read it.
pub(super) fn max_forwards(request: &Request) -> Result<Option<u8>, Refusal> {
    let headers = request.headers();
    match headers.get::<MaxForwards>() {
        None => Ok(None),
        Some(_) if headers.count(HeaderId::MaxForwards) > 1 => Err(Refusal::Malformed(Phrase::REPEATED_HOP_LIMIT)),
        Some(Ok(MaxForwards(hops))) => Ok(Some(hops)),
        Some(Err(_)) => Err(Refusal::Malformed(Phrase::BAD_HOP_LIMIT)),
    }
}

/// No option is understood, so every one is listed back (§16.3 step 5).
fn proxy_require(request: &Request) -> Result<(), Refusal> {
    let demand = Demand::of_proxy_require(request.headers(), Extensions::NONE);
    if demand.malformed.is_some() {
        return Err(Refusal::Malformed(Phrase::BAD_EXTENSIONS));
    }
    if demand.unsupported.is_empty() { Ok(()) } else { Err(Refusal::Unsupported(demand.unsupported)) }
}
