//! Route information preprocessing (RFC 3261 §16.4): what names us is taken off before the request is looked at further.

use alloc::vec::Vec;

use super::Refusal;
use crate::dialog::write_parameter;
use crate::message::header::Route;
use crate::message::{HeaderId, HostPort, Phrase, Request, Uri};
use crate::transport::{Listener, NextHop};

/// Consecutive own Routes taken off at once: a proxy with two addresses records both. More of them are a spiral, which
/// Max-Forwards ends.
const OWN_ROUTES: usize = 2;

/// The port of a SIP URI that names none.
const DEFAULT_PORT: u16 = 5060;

/// A request after preprocessing.
#[derive(Clone, Debug)]
pub struct Preprocessed {
    /// The request as it goes on.
    pub request: Request,
    /// Whether it came along a route that names us: its first Route did, or a strict router had put our Record-Route
    /// value into the Request-URI.
    pub own_route: bool,
}

/// Applies §16.4 to a request that arrived at `listener`; `names_us` says which URIs indicate this proxy.
///
/// # Errors
/// The Request-URI or a Route that decides cannot be read.
pub fn preprocess(
    request: &Request,
    listener: Option<&Listener>,
    names_us: impl Fn(Uri<'_>) -> bool,
) -> Result<Preprocessed, Refusal> {
    const BAD_ROUTE: Refusal = Refusal::Malformed(Phrase::BAD_PROXIES);
    let mut uri = request.uri().map_err(|_| Refusal::Malformed(Phrase::BAD_REQUEST_URI))?;
    let routes = request.headers().all::<Route<'_>>();
    let mut edit = None;

    // From a strict router: what we put into Record-Route, which has no user and an lr.
    let strict = uri.user().is_none() && uri.is_loose_router() && names_us(uri);
    let last = if strict { routes.clone().last() } else { None };
    let left = match &last {
        Some(last) => {
            uri = last.as_ref().map_err(|_| BAD_ROUTE)?.uri;
            edit = Some(request.edit().pop_last(HeaderId::Route).uri(uri));
            routes.clone().count().saturating_sub(1)
        }
        None => usize::MAX,
    };

    if let Some(listener) = listener
        && let Some(stripped) = without_own_maddr(uri, listener, &names_us)
    {
        edit = Some(edit.unwrap_or_else(|| request.edit()).uri(stripped));
    }

    let own =
        routes.take(left.min(OWN_ROUTES)).take_while(|route| route.as_ref().is_ok_and(|route| names_us(route.uri)));
    let own = own.count();
    for _ in 0..own {
        edit = Some(edit.unwrap_or_else(|| request.edit()).pop_first(HeaderId::Route));
    }

    let request = match edit {
        Some(edit) => edit.finish().map_err(|_| BAD_ROUTE)?,
        None => request.clone(),
    };
    Ok(Preprocessed { request, own_route: last.is_some() || own > 0 })
}

/// The Request-URI without `maddr`, port and transport, if the `maddr` is ours and port and transport are those that the
/// request came in by.
fn without_own_maddr(uri: Uri<'_>, listener: &Listener, names_us: impl Fn(Uri<'_>) -> bool) -> Option<Vec<u8>> {
    uri.parameter("maddr")?;
    let hop = NextHop::of_uri(uri)?;
    let port = hop.port.unwrap_or(DEFAULT_PORT);
    let here = port == listener.local.port() || port == listener.sent_by.port.unwrap_or(DEFAULT_PORT);
    if !here || hop.protocol() != listener.protocol {
        return None;
    }
    let mut maddr = Vec::from(b"sip:".as_slice());
    maddr.extend_from_slice(alloc::format!("{}", HostPort { host: hop.target().as_host(), port: hop.port }).as_bytes());
    if !Uri::parse(&maddr).is_ok_and(names_us) {
        return None;
    }
    let text = uri.as_bytes();
    // Everything up to the host: the scheme, and the user part with its password.
    let userinfo = match uri.user() {
        Some(_) => text.iter().position(|&octet| octet == b'@')?,
        None => text.iter().position(|&octet| octet == b':')?,
    };
    let mut out = Vec::from(text.get(..=userinfo)?);
    out.extend_from_slice(alloc::format!("{}", uri.host()?).as_bytes());
    for parameter in uri.parameters().iter() {
        if !["maddr", "transport"].iter().any(|name| parameter.name.eq_ignore_ascii_case(name)) {
            write_parameter(&mut out, parameter);
        }
    }
    Some(out)
}
