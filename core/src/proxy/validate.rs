//! Request validation (RFC 3261 §16.3). Syntax was the endpoint's part; credentials are the owner's.

use super::loop_check::{self, SecondPart};
use super::{Core, Refusal, breadth};
use crate::error::Limit;
use crate::extension::{Demand, Extensions};
use crate::message::header::{MaxForwards, Route};
use crate::message::{HeaderId, Method, Phrase, Request, Scheme, StatusCode};
use crate::stack::Context;

/// What validation has read.
pub(super) struct Valid {
    /// The second part of the branches to come.
    pub(super) loop_part: SecondPart,
    /// The Incoming Max-Breadth.
    pub(super) breadth: u32,
    /// Whether the request has come through here before.
    pub(super) is_spiral: bool,
}

impl Core {
    /// Applies the checks of §16.3 to a request that will not go on whatever they say: a refusal that they come to takes precedence.
    ///
    /// # Errors
    /// That refusal.
    pub(crate) fn judge<E>(
        &mut self,
        cx: &mut Context<'_, E>,
        received: &Request,
        request: &Request,
    ) -> Result<(), Refusal> {
        self.validate(cx, received, request).map(|_valid| ())
    }

    /// The checks in the order of §16.3, of a request as it was `received` and as it is after preprocessing. A loop is known by what
    /// was received.
    pub(super) fn validate<E>(
        &mut self,
        cx: &mut Context<'_, E>,
        received: &Request,
        request: &Request,
    ) -> Result<Valid, Refusal> {
        let breadth = check(request)?;
        let shared = self.shared_loop_key;
        let key = self.loop_key.get_or_insert_with(|| shared.unwrap_or_else(|| cx.random().hash_key()));
        let loop_part = loop_check::second_part(key, received);
        if loop_check::has_looped(received, &loop_part, |sent_by| cx.is_ours(sent_by)) {
            return Err(Refusal::Status(StatusCode::LOOP_DETECTED));
        }
        proxy_require(request)?;
        let passes = loop_check::passes(key, received, |sent_by| cx.is_ours(sent_by));
        if passes >= self.settings.limits.passes {
            cx.refused(Limit::PASSES);
            return Err(Refusal::Status(StatusCode::LOOP_DETECTED));
        }
        Ok(Valid { loop_part, breadth, is_spiral: passes > 0 })
    }
}

/// The checks before that for a loop: scheme, Max-Forwards, Max-Breadth and the Route that decides. The Incoming Max-Breadth.
pub(super) fn check(request: &Request) -> Result<u32, Refusal> {
    // Preprocessing has read the whole Request-URI.
    if !matches!(Scheme::of(request.uri_bytes()), Some(Scheme::Sip | Scheme::Sips)) {
        return Err(Refusal::Status(StatusCode::UNSUPPORTED_URI_SCHEME));
    }
    if max_forwards(request)? == Some(0) {
        let is_options = request.method() == Method::Options;
        return Err(if is_options { Refusal::Capabilities } else { Refusal::Status(StatusCode::TOO_MANY_HOPS) });
    }
    let breadth = breadth::incoming(request)?;
    if let Some(Err(_)) = request.headers().get::<Route<'_>>() {
        return Err(Refusal::Malformed(Phrase::BAD_PROXIES));
    }
    Ok(breadth)
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
pub(super) fn proxy_require(request: &Request) -> Result<(), Refusal> {
    let demand = Demand::of_proxy_require(request.headers(), Extensions::NONE);
    if demand.malformed.is_some() {
        return Err(Refusal::Malformed(Phrase::BAD_EXTENSIONS));
    }
    if demand.unsupported.is_empty() { Ok(()) } else { Err(Refusal::Unsupported(demand.unsupported)) }
}
