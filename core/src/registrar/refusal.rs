//! Why a REGISTER fails, and the response that says so.

use alloc::format;
use alloc::string::String;

use crate::message::{HeaderId, Phrase, Request, Response, ResponseBuilder, StatusCode};

/// Why a REGISTER fails.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Refusal {
    /// 400: what is wrong.
    Invalid(Phrase),
    /// 403: why not.
    Forbidden(Phrase),
    /// 403: more bindings, or longer ones, than one address-of-record may have.
    TooMany,
    /// 404: no address-of-record of this domain.
    NotFound,
    /// 420: option tags that are not understood.
    Unsupported(String),
    /// 423: seconds that would do.
    TooBrief(u32),
    /// 439: the proxy next to the user agent keeps no flows (RFC 5626 §6).
    FirstHopLacksOutbound,
    /// 500: a newer REGISTER of the same Call-ID came first.
    OutOfOrder,
    /// 500: the store of the registrar's owner did not work (RFC 3261 §10.3 step 7).
    Store,
    /// 503: the location service is full, or too many REGISTERs wait for a store.
    Full,
}

impl Refusal {
    pub(super) fn response(&self, request: &Request) -> ResponseBuilder {
        let forbidden = |reason| Response::to(request, StatusCode::FORBIDDEN).reason(reason);
        match self {
            Self::Invalid(reason) => Response::to(request, StatusCode::BAD_REQUEST).reason(reason),
            Self::Forbidden(reason) => forbidden(reason),
            Self::TooMany => forbidden(&Phrase::TOO_MANY_BINDINGS),
            Self::NotFound => Response::to(request, StatusCode::NOT_FOUND),
            Self::Unsupported(options) => {
                Response::to(request, StatusCode::BAD_EXTENSION).header(HeaderId::Unsupported, options)
            }
            Self::TooBrief(min) => {
                Response::to(request, StatusCode::INTERVAL_TOO_BRIEF).header(HeaderId::MinExpires, format!("{min}"))
            }
            Self::FirstHopLacksOutbound => Response::to(request, StatusCode::FIRST_HOP_LACKS_OUTBOUND_SUPPORT),
            Self::OutOfOrder => Response::to(request, StatusCode::SERVER_INTERNAL_ERROR).reason(Phrase::OUT_OF_ORDER),
            Self::Store => Response::to(request, StatusCode::SERVER_INTERNAL_ERROR),
            Self::Full => Response::to(request, StatusCode::SERVICE_UNAVAILABLE).header(HeaderId::RetryAfter, "600"),
        }
    }
}
