//! Route information preprocessing (RFC 3261 §16.4): what names us is taken off before the request is looked at further.

use alloc::vec::Vec;

use super::token::{Token, TokenKey};
use super::{Core, Refusal};
use crate::dialog::write_parameter;
use crate::flow::ListenerId;
use crate::message::header::Route;
use crate::message::{Edit, HeaderId, HostPort, Phrase, Request, Uri};
use crate::stack::Context;
use crate::time::{Duration, Instant};
use crate::transport::{Listener, NextHop, Peers};

/// The port of a SIP URI that names none.
const DEFAULT_PORT: u16 = 5060;

const BAD_ROUTE: Refusal = Refusal::Malformed(Phrase::BAD_PROXIES);

/// A request after preprocessing.
#[derive(Clone, Debug)]
pub struct Preprocessed {
    /// The request as it goes on.
    pub request: Request,
    /// Whether it came along a route that names us: its first Route did, or a strict router had put our Record-Route
    /// value into the Request-URI. Anybody can write such a route.
    pub own_route: bool,
    /// Whether it is a request of a dialog whose route we have recorded: it has a To tag, and the own route that it came along has
    /// our token for its Call-ID, not older than [`Settings::token_age`](super::Settings::token_age). Nobody else can write
    /// that.
    pub recorded: bool,
    /// Whether its Request-URI names us, so that it is for us to say where the request goes (RFC 3261 §16.5).
    pub responsible: bool,
    /// The listener that sends it: the second value of a pair that we wrote for one forwarding says so (RFC 5658 §6.2).
    pub listener: Option<ListenerId>,
    /// The special addresses that requests of the dialog came from or went to, where it is one whose route we have recorded.
    pub(super) peers: Option<Peers>,
}

impl Core {
    /// Applies §16.4 to a request that arrived at `listener`; `names_us` says which URIs indicate this proxy.
    ///
    /// Of the Routes that name us the first is taken off, and the next one with it if we wrote the two for one forwarding. Any
    /// other stays: the request comes by again, which is a spiral.
    ///
    /// # Errors
    /// The Request-URI or a Route that decides cannot be read. An ACK is then [discarded](Self::discard), any other request
    /// [answered](Self::answer).
    pub fn preprocess<E>(
        &self,
        cx: &Context<'_, E>,
        request: &Request,
        listener: ListenerId,
        names_us: impl Fn(Uri<'_>) -> bool,
    ) -> Result<Preprocessed, Refusal> {
        let age = Some((cx.now(), self.settings.token_age));
        preprocess(&self.tokens, age, cx, request, listener, names_us)
    }
}

/// See [`Core::preprocess`]. Without an `age` a token is valid however old it is.
pub(super) fn preprocess<E>(
    tokens: &TokenKey,
    age: Option<(Instant, Duration)>,
    cx: &Context<'_, E>,
    request: &Request,
    listener: ListenerId,
    names_us: impl Fn(Uri<'_>) -> bool,
) -> Result<Preprocessed, Refusal> {
    let mut way = Way { request, edit: None, uri: None, token: None, own: 0, listener: None, peers: None };
    if request.headers().has_blank(HeaderId::Route) {
        return Err(BAD_ROUTE);
    }
    let mut uri = request.uri().map_err(|_| Refusal::Malformed(Phrase::BAD_REQUEST_URI))?;
    let routes = request.headers().all::<Route<'_>>();

    // From a strict router: what we put into Record-Route, which has no user and an lr.
    if uri.user().is_none()
        && uri.is_loose_router()
        && names_us(uri)
        && let Some(last) = routes.clone().last()
    {
        let last = last.map_err(|_| BAD_ROUTE)?;
        way.take_request_uri(tokens, uri, last.uri);
        uri = last.uri;
    }
    let left = routes.clone().count().saturating_sub(way.own);
    if let Some(listener) = cx.listener(listener)
        && let Some(stripped) = without_own_maddr(uri, listener, &names_us)
    {
        way.uri = Some(stripped);
    }

    let mut routes = routes.take(left);
    // What is looked at next is read, and what lies behind it is not: it travels unchanged (§16.3).
    let mut read = || routes.next().transpose().map_err(|_| BAD_ROUTE);
    let mut next = read()?;
    if let Some(first) = next.filter(|first| names_us(first.uri)) {
        let completes_pair = way.take(cx, tokens, first.uri);
        next = read()?;
        if !completes_pair
            && let Some(second) = next.filter(|second| names_us(second.uri))
            && way.is_pair_with(tokens, second.uri)
        {
            way.take(cx, tokens, second.uri);
            read()?;
        }
    }
    way.finish(age, names_us)
}

/// A request whose own routes are taken off.
struct Way<'r> {
    request: &'r Request,
    edit: Option<Edit<'r, Request>>,
    /// The new Request-URI.
    uri: Option<Vec<u8>>,
    /// The token of the last route taken off.
    token: Option<Token>,
    /// How many routes that name us were taken off, that in the Request-URI included.
    own: usize,
    listener: Option<ListenerId>,
    peers: Option<Peers>,
}

impl<'r> Way<'r> {
    /// Takes our Record-Route value out of the Request-URI, where the last Route takes its place.
    fn take_request_uri(&mut self, tokens: &TokenKey, ours: Uri<'_>, last: Uri<'_>) {
        self.token = tokens.read(ours, self.request.headers());
        self.peers = tokens.peers(ours, self.request.headers());
        self.edit = Some(self.request.edit().pop_last(HeaderId::Route));
        self.uri = Some(last.as_bytes().into());
        self.own = 1;
    }

    /// Takes off the first Route that is left. Whether it and the one taken off before are a pair: it then says which listener
    /// sends.
    fn take<E>(&mut self, cx: &Context<'_, E>, tokens: &TokenKey, route: Uri<'_>) -> bool {
        let is_pair = self.is_pair_with(tokens, route);
        if is_pair {
            self.listener = cx.listener_named_by(route);
        }
        // A value without a token proves nothing, and takes nothing from what another one has proved.
        self.token = tokens.read(route, self.request.headers()).or(self.token);
        self.peers = self.peers.take().or_else(|| tokens.peers(route, self.request.headers()));
        self.edit = Some(self.edit.take().unwrap_or_else(|| self.request.edit()).pop_first(HeaderId::Route));
        self.own += 1;
        is_pair
    }

    /// Whether we wrote the route taken off last and this one for one forwarding.
    fn is_pair_with(&self, tokens: &TokenKey, route: Uri<'_>) -> bool {
        let next = || tokens.read(route, self.request.headers());
        self.token.is_some_and(|token| next().is_some_and(|next| token.is_pair_with(next)))
    }

    fn finish(
        self,
        age: Option<(Instant, Duration)>,
        names_us: impl Fn(Uri<'_>) -> bool,
    ) -> Result<Preprocessed, Refusal> {
        let request = match (self.edit, self.uri) {
            (Some(edit), Some(uri)) => edit.uri(uri).finish().map_err(|_| BAD_ROUTE)?,
            (Some(edit), None) => edit.finish().map_err(|_| BAD_ROUTE)?,
            (None, Some(uri)) => self.request.edit().uri(uri).finish().map_err(|_| BAD_ROUTE)?,
            (None, None) => self.request.clone(),
        };
        let is_valid = |token: Token| age.is_none_or(|(now, age)| token.is_valid(now, age));
        let recorded = request.to_tag().is_some() && self.token.is_some_and(is_valid);
        let responsible = request.uri().is_ok_and(names_us);
        let Self { own, listener, peers, .. } = self;
        let peers = peers.filter(|_| recorded);
        Ok(Preprocessed { request, own_route: own > 0, recorded, responsible, listener, peers })
    }
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
        Some(_) => text.iter().position(|&byte| byte == b'@')?,
        None => text.iter().position(|&byte| byte == b':')?,
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
