//! The capabilities of a proxy (RFC 3261 §11.2).

use super::Refusal;
use crate::extension::{Demand, Extensions};
use crate::message::{HeaderId, Request, Response, ResponseBuilder, StatusCode};

/// The answer to an OPTIONS for a proxy itself, but for its To tag (RFC 3261 §11.2). It has no Allow, since a proxy forwards any
/// method. No extension is understood: an OPTIONS that requires any gets a 420 (§8.2.2.3).
pub fn capabilities(request: &Request) -> ResponseBuilder {
    let demand = Demand::of_require(request.headers(), Extensions::NONE);
    if !demand.unsupported.is_empty() {
        return Refusal::Unsupported(demand.unsupported).response(request);
    }
    Response::to(request, StatusCode::OK)
        .header(HeaderId::Accept, "")
        .header(HeaderId::AcceptEncoding, "identity")
        .header(HeaderId::AcceptLanguage, "en")
        .header(HeaderId::Supported, "")
}
