//! The proxies that want to see the requests of a dialog, and the way through them (RFC 3261 §12.1, §12.2.1.1).

use alloc::borrow::Cow;
use alloc::vec::Vec;

use crate::message::header::RecordRoute;
use crate::message::{Headers, Parameter, Uri, UriBuf, UserPart};
use crate::transport::NextHop;

/// The route set: URIs in the order in which our requests visit them.
#[derive(Clone, Debug, Default)]
pub struct RouteSet(Vec<UriBuf>);

/// How a request in a dialog is addressed.
#[derive(Clone, Debug)]
pub struct Path {
    /// The Request-URI.
    pub request_uri: UriBuf,
    /// The value of the Route header; `None` if there is no Route.
    pub route: Option<Vec<u8>>,
    /// Where the request is sent.
    pub next_hop: NextHop,
}

impl RouteSet {
    /// For the called side: the Record-Route values of the request in order (§12.1.1). `None` if one cannot be used.
    pub fn of_request(headers: Headers<'_>) -> Option<Self> {
        headers
            .all::<RecordRoute<'_>>()
            .map(|value| Some(sip(value.ok()?.uri)?.to_buf()))
            .collect::<Option<_>>()
            .map(Self)
    }

    /// For the calling side: the Record-Route values of the response in reverse order (§12.1.2). Values that cannot be
    /// used are passed over: nobody else could be asked.
    pub fn of_response(headers: Headers<'_>) -> Self {
        let mut routes: Vec<UriBuf> =
            headers.all::<RecordRoute<'_>>().flatten().filter_map(|value| Some(sip(value.uri)?.to_buf())).collect();
        routes.reverse();
        Self(routes)
    }

    /// Adds a proxy behind the others, where a route is set before there is a dialog (§8.1.2).
    pub fn push(&mut self, proxy: UriBuf) {
        self.0.push(proxy);
    }

    /// Number of proxies.
    pub const fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is no proxy.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The URIs, in the order in which our requests visit them.
    pub fn iter(&self) -> impl Iterator<Item = Uri<'_>> {
        self.0.iter().map(UriBuf::as_uri)
    }

    /// The way to `remote_target` (§12.2.1.1): through loose routers by Route; if the first router is a strict one, it
    /// stands in the Request-URI and the target comes last in Route. `None` if the first hop is no SIP URI.
    pub fn path(&self, remote_target: &UriBuf) -> Option<Path> {
        let Some((first, rest)) = self.0.split_first() else {
            let next_hop = NextHop::of_uri(remote_target.as_uri())?;
            return Some(Path { request_uri: remote_target.clone(), route: None, next_hop });
        };
        let next_hop = NextHop::of_uri(first.as_uri())?;
        let (request_uri, route) = if first.as_uri().is_loose_router() {
            (remote_target.clone(), route_value(self.0.iter()))
        } else {
            (request_target(first.as_uri()), route_value(rest.iter().chain([remote_target])))
        };
        let next_hop = next_hop.for_request_uri(request_uri.as_uri());
        Some(Path { request_uri, route: Some(route), next_hop })
    }
}

impl FromIterator<UriBuf> for RouteSet {
    fn from_iter<I: IntoIterator<Item = UriBuf>>(proxies: I) -> Self {
        Self(proxies.into_iter().collect())
    }
}

/// A URI as it may stand in a Request-URI: without headers and the `method` parameter (§19.1.1, table 1).
pub(crate) fn request_uri(uri: Uri<'_>) -> Cow<'_, [u8]> {
    let text = uri.as_bytes();
    let tail = uri.headers().map_or(0, |headers| headers.len() + 1);
    let parameters = uri.parameters();
    if !uri.is_sip() || (tail == 0 && !parameters.has("method")) {
        return Cow::Borrowed(text);
    }
    let mut out: Vec<u8> =
        text.get(..text.len().saturating_sub(tail + parameters.as_bytes().len())).unwrap_or(text).into();
    for parameter in parameters.iter().filter(|parameter| !parameter.name.eq_ignore_ascii_case("method")) {
        write_parameter(&mut out, parameter);
    }
    Cow::Owned(out)
}

/// As [`request_uri`], owned.
pub(crate) fn request_target(uri: Uri<'_>) -> UriBuf {
    match request_uri(uri) {
        Cow::Borrowed(_) => uri.to_buf(),
        Cow::Owned(text) => UriBuf::parse_with(&text, UserPart::NumberSign).unwrap_or_else(|_| uri.to_buf()),
    }
}

/// Writes `;name=value`.
pub(crate) fn write_parameter(out: &mut Vec<u8>, parameter: Parameter<'_>) {
    out.push(b';');
    out.extend_from_slice(parameter.name.as_bytes());
    if let Some(value) = parameter.value {
        out.push(b'=');
        out.extend_from_slice(value);
    }
}

fn sip(uri: Uri<'_>) -> Option<Uri<'_>> {
    uri.is_sip().then_some(uri)
}

fn route_value<'a>(routes: impl Iterator<Item = &'a UriBuf>) -> Vec<u8> {
    let mut value = Vec::new();
    for route in routes {
        if !value.is_empty() {
            value.extend_from_slice(b", ");
        }
        value.push(b'<');
        value.extend_from_slice(route.as_bytes());
        value.push(b'>');
    }
    value
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::{String, ToString};

    fn uri(text: &str) -> UriBuf {
        text.parse().unwrap()
    }

    fn path(routes: &[&str], target: &str) -> (String, Option<String>, NextHop) {
        let path = RouteSet(routes.iter().map(|route| uri(route)).collect()).path(&uri(target)).unwrap();
        (path.request_uri.to_string(), path.route.map(|route| String::from_utf8(route).unwrap()), path.next_hop)
    }

    fn hop(text: &str) -> NextHop {
        NextHop::of_uri(uri(text).as_uri()).unwrap()
    }

    #[test]
    fn without_routes_a_request_goes_to_the_remote_target() {
        assert_eq!(
            path(&[], "sip:user@remoteua:5070"),
            ("sip:user@remoteua:5070".into(), None, hop("sip:remoteua:5070"))
        );
    }

    #[test]
    fn a_loose_router_is_visited_by_route() {
        let (request_uri, route, next_hop) = path(&["sip:p1;lr", "sip:p2;lr"], "sip:user@remoteua");
        assert_eq!((request_uri.as_str(), route.as_deref()), ("sip:user@remoteua", Some("<sip:p1;lr>, <sip:p2;lr>")));
        assert_eq!(next_hop, hop("sip:p1"));
    }

    /// The example of RFC 3261 §12.2.1.1.
    #[test]
    fn a_strict_router_is_visited_by_request_uri() {
        let routes = ["sip:proxy1", "sip:proxy2", "sip:proxy3;lr", "sip:proxy4"];
        let (request_uri, route, next_hop) = path(&routes, "sip:user@remoteua");
        assert_eq!(request_uri, "sip:proxy1");
        assert_eq!(route.unwrap(), "<sip:proxy2>, <sip:proxy3;lr>, <sip:proxy4>, <sip:user@remoteua>");
        assert_eq!(next_hop, hop("sip:proxy1"));
    }

    #[test]
    fn a_request_uri_has_no_headers_and_no_method() {
        let target = |text: &str| request_target(uri(text).as_uri()).to_string();
        assert_eq!(target("sip:a?b@c;transport=udp"), "sip:a?b@c;transport=udp");
        assert_eq!(target("sip:a@c;transport=udp?Subject=x&Priority=urgent"), "sip:a@c;transport=udp");
        assert_eq!(target("sip:a@c;Method=INVITE;user=phone;lr"), "sip:a@c;user=phone;lr");
        assert_eq!(target("sip:a@c;method=INVITE?x=y"), "sip:a@c");
        assert_eq!(target("tel:+1;method=x"), "tel:+1;method=x");
    }
}
