//! Forwarding of SIPS and SIP (RFC 5630 §5.3): a request for a SIPS URI goes to SIPS URIs alone, one for a SIP URI to SIP URIs.

use alloc::borrow::Cow;
use alloc::string::ToString;

use super::Refusal;
use crate::message::{Request, Scheme, Uri, UriBuf};
use crate::stack::Context;
use crate::targets::Target;
use crate::transport::NextHop;

/// A target of a request in the scheme that it may be forwarded to: one of a SIPS contact takes a SIP request with the scheme
/// replaced, over TLS.
///
/// # Errors
/// 480 with Warning 380 for a SIP target of a SIPS request, and with 381 for a SIPS target of a SIP request where there is no
/// TLS listener.
pub(super) fn allowed<'t, E>(
    cx: &Context<'_, E>,
    request: &Request,
    target: &'t Target,
) -> Result<Cow<'t, Target>, Refusal> {
    let wanted = Scheme::of(request.uri_bytes());
    match (wanted, target.uri.as_uri().scheme()) {
        (Some(Scheme::Sips), Scheme::Sip) => Err(Refusal::of_scheme(cx, false)),
        (Some(Scheme::Sip), Scheme::Sips) => {
            let has_tls = cx.listeners().any(|(_, listener)| listener.protocol.is_secure());
            let next_hop = match &target.next_hop {
                Some(next_hop) => Some(next_hop.clone()),
                None => NextHop::of_uri(target.uri.as_uri()),
            };
            match (as_sip(target.uri.as_uri()), next_hop) {
                (Some(uri), Some(next_hop)) if has_tls => {
                    let next_hop = Some(NextHop { secure: true, ..next_hop });
                    Ok(Cow::Owned(Target { uri, next_hop, ..target.clone() }))
                }
                _ => Err(Refusal::of_scheme(cx, true)),
            }
        }
        _ => Ok(Cow::Borrowed(target)),
    }
}

/// The URI with the scheme SIP, else as it is.
fn as_sip(uri: Uri<'_>) -> Option<UriBuf> {
    let (_, rest) = uri.as_bytes().split_at_checked("sips".len())?;
    UriBuf::parse(&[b"sip".as_slice(), rest].concat()).ok()
}

impl Refusal {
    /// Refuses a request whose targets are of the other scheme, and names a listener as the agent that warns.
    pub(crate) fn of_scheme<E>(cx: &Context<'_, E>, sips_required: bool) -> Self {
        let agent =
            cx.listeners().next().map_or_else(|| "sip".into(), |(_, listener)| listener.sent_by.to_string().into());
        Self::Scheme { sips_required, agent }
    }
}
