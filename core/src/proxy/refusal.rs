//! Answers of the proxy itself, in the place of forwarding (RFC 3261 §16.3, §16.5, §16.6).

use alloc::boxed::Box;
use alloc::string::String;

use super::options::capabilities;
use crate::message::{HeaderId, Phrase, Request, Response, ResponseBuilder, StatusCode, decimal};

/// Why a request is answered instead of forwarded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// A status that says it all.
    Status(StatusCode),
    /// 400: something that is needed cannot be read.
    Malformed(Phrase),
    /// 420: option tags that are not understood.
    Unsupported(String),
    /// 500: the request cannot be forwarded, and it is not the request's fault.
    Unable(Phrase),
    /// 480: the targets are of the other of the schemes SIP and SIPS (RFC 5630 §5.3).
    Scheme {
        /// Whether the request is for a SIP URI, and a SIPS URI is required: Warning 381; else 380.
        sips_required: bool,
        /// Who warns: a host, and perhaps a port.
        agent: Box<str>,
    },
    /// 503: the request can be sent again after so many seconds.
    Later(u32),
    /// 200: an OPTIONS whose last hop this is (RFC 3261 §11, §16.3 step 3).
    Capabilities,
}

impl From<StatusCode> for Refusal {
    fn from(status: StatusCode) -> Self {
        Self::Status(status)
    }
}

impl Refusal {
    /// The status of the response; 200 of [`Capabilities`](Self::Capabilities) where its extensions are understood.
    pub const fn status(&self) -> StatusCode {
        match self {
            Self::Status(status) => *status,
            Self::Malformed(_) => StatusCode::BAD_REQUEST,
            Self::Unsupported(_) => StatusCode::BAD_EXTENSION,
            Self::Unable(_) => StatusCode::SERVER_INTERNAL_ERROR,
            Self::Scheme { .. } => StatusCode::TEMPORARILY_UNAVAILABLE,
            Self::Later(_) => StatusCode::SERVICE_UNAVAILABLE,
            Self::Capabilities => StatusCode::OK,
        }
    }

    /// The response, but for its To tag.
    pub fn response(&self, request: &Request) -> ResponseBuilder {
        let response = Response::to(request, self.status());
        match self {
            Self::Status(_) => response,
            Self::Malformed(reason) | Self::Unable(reason) => response.reason(reason),
            Self::Unsupported(options) => response.header(HeaderId::Unsupported, options),
            Self::Scheme { sips_required, agent } => {
                let (code, text) = if *sips_required { (381, "SIPS Required") } else { (380, "SIPS Not Allowed") };
                response.header(HeaderId::Warning, alloc::format!("{code} {agent} \"{text}\""))
            }
            Self::Later(seconds) => response.header(HeaderId::RetryAfter, decimal(*seconds as usize).as_bytes()),
            Self::Capabilities => capabilities(request),
        }
    }
}
