//! Where a request goes (RFC 3261 §16.5): the route table, the location service, and what is relayed at all.

use alloc::boxed::Box;
use alloc::format;
use alloc::string::String;

use smallvec::{SmallVec, smallvec};

use super::known::{Ask, Known, Routing};
use super::outbound::target;
use super::question::Step;
use super::{Core, Cx, RouteKey, Settings, has_route};
use crate::flow::Flow;
use crate::message::header::Route;
use crate::message::{Host, Request, Scheme, StatusCode, Uri};
use crate::proxy::{Refusal, Target, Voucher};
use crate::registrar::{Binding, address_of_record, in_order_of_calling, leads_to_the_same};
use crate::transport::NextHop;

/// The answer to the proxy's question.
#[derive(Debug)]
pub(super) enum Decision {
    /// To these targets, at least one.
    Forward(SmallVec<[Target; 1]>),
    /// Nowhere.
    Refuse(Refusal),
    /// Wherever the application says.
    Ask(Ask),
}

/// Who has sent a request, for the decision where it goes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sender {
    /// Where the request came in, and where from.
    pub(super) flow: Flow,
    /// Whether it is of a dialog whose route we have recorded.
    pub(super) recorded: bool,
    /// Whether it may be sent anywhere.
    pub(super) is_allowed: bool,
}

/// Why there is no target.
#[derive(Debug)]
pub(super) enum Nowhere {
    /// There is none.
    Refuse(Refusal),
    /// It is not known yet.
    Ask(Ask),
}

impl From<Nowhere> for Decision {
    fn from(nowhere: Nowhere) -> Self {
        match nowhere {
            Nowhere::Refuse(refusal) => Self::Refuse(refusal),
            Nowhere::Ask(ask) => Self::Ask(ask),
        }
    }
}

impl From<Ask> for Nowhere {
    fn from(ask: Ask) -> Self {
        Self::Ask(ask)
    }
}

impl Decision {
    fn to(target: Target) -> Self {
        Self::Forward(smallvec![target])
    }

    fn refuse(status: StatusCode) -> Self {
        Self::Refuse(status.into())
    }
}

/// Whether a host is the name of the group of all SIP servers, where a user agent registers that knows no registrar (RFC 3261 §10.2).
fn is_group_of_all_servers(host: Host<'_>) -> bool {
    matches!(host, Host::Name(name) if name.strip_suffix('.').unwrap_or(name).eq_ignore_ascii_case("sip.mcast.net"))
}

/// The port of a SIP URI that names none.
const DEFAULT_PORT: u16 = 5060;

impl Settings {
    /// Whether this domain is responsible for `uri`. A name is the domain's at the default port and at those we listen on;
    /// a bare address only where we listen, so that a neighbour on the same machine is not taken for us.
    pub(super) fn owns(&self, cx: &Cx<'_>, uri: Uri<'_>) -> bool {
        let Some(at) = uri.host_port() else { return false };
        if uri.user().is_none() && is_group_of_all_servers(at.host) {
            return cx.listeners().any(|(_, listener)| listener.local.ip().is_multicast());
        }
        if !self.is_domain(at.host) {
            return false;
        }
        match (at.host, at.port) {
            (_, None) | (Host::Name(_), Some(DEFAULT_PORT)) => true,
            (Host::Name(_), Some(port)) => {
                cx.listeners().any(|(_, listener)| listener.local.port() == port || listener.sent_by.port == Some(port))
            }
            (Host::V4(_) | Host::V6(_), Some(_)) => cx.is_ours(at),
        }
    }
}

impl Settings {
    /// The address-of-record that a URI of this domain stands for: that of the user at the domain, where the URI has an alias of it.
    pub(super) fn user_of(&self, cx: &Cx<'_>, uri: Uri<'_>) -> Option<String> {
        if !self.owns(cx, uri) {
            return None;
        }
        let name = address_of_record(uri)?;
        let Some(alias) = self.aliases.iter().find(|alias| uri.host() == Some(alias.name.as_host())) else {
            return Some(name);
        };
        let (user, _) = name.rsplit_once('@')?;
        Some(format!("{user}@{}", alias.domain))
    }
}

/// A part of this server that a URI indicates.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Indicated {
    /// Its domain.
    Domain,
    /// An address that it listens on.
    Address,
}

impl Core {
    /// Whether `uri` indicates this server: its domain, or an address it listens on. One with a `maddr` indicates that.
    pub(super) fn names_us(&self, cx: &Cx<'_>, uri: Uri<'_>) -> bool {
        self.indicated(cx, uri).is_some()
    }

    /// The part of this server that `uri` indicates.
    fn indicated(&self, cx: &Cx<'_>, uri: Uri<'_>) -> Option<Indicated> {
        if uri.parameter("maddr").is_some() {
            None
        } else if self.settings.owns(cx, uri) {
            Some(Indicated::Domain)
        } else {
            uri.host_port().is_some_and(|at| cx.is_ours(at)).then_some(Indicated::Address)
        }
    }

    /// Decides on a request, `received` and after preprocessing: where the application sends it, else along the flow that its route names, else as
    /// [`decide_on`](Self::decide_on). `known` is all that the application has told.
    pub(super) fn decide(
        &self,
        cx: &Cx<'_>,
        (received, request): (&Request, &Request),
        Sender { flow, recorded, is_allowed }: Sender,
        known: &Known,
    ) -> Decision {
        let Ok(uri) = request.uri() else { return Decision::refuse(StatusCode::BAD_REQUEST) };
        if let Some(decision) = self.taken_over(request, uri, (Some(flow), is_allowed), known) {
            return decision;
        }
        match self.along_flow(cx, received, request, known) {
            Ok(Some(target)) => return Decision::to(target),
            Ok(None) => {}
            Err(nowhere) => return nowhere.into(),
        }
        self.decide_on(cx, request, uri, (recorded, is_allowed), known)
    }

    /// Decides on the contact of a 3xx to a request: as on a request of a stranger.
    pub(super) fn follow(&self, cx: &Cx<'_>, request: &Request, contact: Uri<'_>, known: &Known) -> Decision {
        let decision = self.taken_over(request, contact, (None, false), known);
        decision.unwrap_or_else(|| self.decide_on(cx, request, contact, (false, false), known))
    }

    /// Where the application sends a request to `uri` that came along a flow, and whose sender may send anywhere or not; `None` if that is for the
    /// server to say.
    ///
    /// # Errors
    /// The question, if the application was not asked.
    pub(super) fn routing<'k>(
        &self,
        request: &Request,
        uri: Uri<'_>,
        (flow, is_allowed): (Option<Flow>, bool),
        known: &'k Known,
    ) -> Result<Option<&'k Routing>, Ask> {
        if !self.settings.steps.routing {
            return Ok(None);
        }
        let step = || Step::Routing { request: request.clone(), uri: uri.to_buf(), flow, is_allowed };
        known.routing(uri).map(Some).ok_or_else(|| Ask::new(step()))
    }

    /// The decision of the application, if it makes one.
    fn taken_over(
        &self,
        request: &Request,
        uri: Uri<'_>,
        sender: (Option<Flow>, bool),
        known: &Known,
    ) -> Option<Decision> {
        Some(match self.routing(request, uri, sender, known) {
            Ok(None | Some(Routing::Own)) => return None,
            Ok(Some(Routing::Forward(targets))) => match self.gateways.up(targets) {
                up if up.is_empty() && !targets.is_empty() => Decision::refuse(StatusCode::SERVICE_UNAVAILABLE),
                up => Decision::Forward(up),
            },
            Ok(Some(Routing::Refuse(status))) => Decision::refuse(*status),
            // The sender has nobody left to ask.
            Ok(Some(Routing::Redirect(_))) => Decision::refuse(StatusCode::NOT_FOUND),
            Err(ask) => Decision::Ask(ask),
        })
    }

    /// Decides on a request after preprocessing, whose Request-URI is `uri`.
    ///
    /// A request that [may not go](Self::may_go) gets 403. Else the most specific key of the route table comes first; then the location service, for the
    /// domain's own users; then the catch-all `*`; then the Request-URI as it stands. A request of a dialog whose route we have
    /// `recorded` goes to the remote target that its Request-URI is, and so does one of a sender who is `allowed` to send anywhere, if no
    /// route is for it.
    fn decide_on(
        &self,
        cx: &Cx<'_>,
        request: &Request,
        uri: Uri<'_>,
        (recorded, allowed): (bool, bool),
        known: &Known,
    ) -> Decision {
        let indicated = self.indicated(cx, uri);
        let (ours, domain) = (indicated.is_some(), indicated == Some(Indicated::Domain));
        let unchanged = || Target::new(uri.to_buf()).vouched_by(self.voucher(request, uri));
        if !self.may_go(cx, request, uri, recorded || allowed) {
            return Decision::refuse(StatusCode::FORBIDDEN);
        }
        if has_route(request) && !domain {
            return Decision::to(unchanged());
        }
        let bare_address = || NextHop::of_uri(uri).is_some_and(|hop| !matches!(hop.target().as_host(), Host::Name(_)));
        let route = if has_route(request) { None } else { self.settings.route(uri) };
        let (specific, any) = match route {
            Some(route) if route.key == RouteKey::Any => (None, Some(route)),
            route => (route, None),
        };
        let along = |route| match self.gateways.choose(&self.settings, route, request) {
            Some(route) => Decision::to(Target::new(uri.to_buf()).with_next_hop(route.next_hop.clone())),
            None => Decision::refuse(StatusCode::SERVICE_UNAVAILABLE),
        };
        if let Some(route) = specific.filter(|_| ours || !(recorded && bare_address())) {
            return along(route);
        }
        let nowhere = if domain { self.locate(cx, uri, known) } else { Decision::refuse(StatusCode::NOT_FOUND) };
        match (nowhere, any) {
            (found @ (Decision::Forward(_) | Decision::Ask(_)), _) => found,
            _ if recorded && !ours => Decision::to(unchanged()),
            (_, Some(route)) => along(route),
            (refusal, None) if ours => refusal,
            _ => Decision::to(unchanged()),
        }
    }

    /// Whether a request with this Request-URI may go on, so that we are no open relay: its sender `is_known`, or the settings relay for everybody, or
    /// nobody but our settings says where it goes. A Route that is left always says more than they do, even one that leads to us
    /// again: what comes along it would come from ourselves.
    pub(super) fn may_go(&self, cx: &Cx<'_>, request: &Request, uri: Uri<'_>, is_known: bool) -> bool {
        let is_ours_to_say = || self.names_us(cx, uri) || self.settings.route(uri).is_some();
        is_known || self.settings.relay || !has_route(request) && is_ours_to_say()
    }

    /// Who vouches for where a request to `uri` goes by itself: our settings, if the next hop is a domain of ours.
    fn voucher(&self, request: &Request, uri: Uri<'_>) -> Voucher {
        let route = request.headers().get::<Route<'_>>().and_then(Result::ok);
        match self.leads_to_us(route.map_or(uri, |route| route.uri)) {
            true => Voucher::Owner,
            false => Voucher::Nobody,
        }
    }

    /// Who vouches for a binding, behind its Path if it has one.
    fn voucher_of(&self, binding: &Binding) -> Voucher {
        let first = binding.way().and_then(|way| way.path.first());
        if self.leads_to_us(first.unwrap_or(&binding.contact).as_uri()) {
            return Voucher::Owner;
        }
        let is_proved = !self.guards.is_open() || self.settings.steps.admission;
        Voucher::Binding { is_proved, source: binding.way().and_then(|way| way.source) }
    }

    /// Whether what goes by this URI goes to a domain of ours.
    fn leads_to_us(&self, uri: Uri<'_>) -> bool {
        NextHop::of_uri(uri).is_some_and(|hop| self.settings.is_domain(hop.target().as_host()))
    }

    /// The contacts of a user of ours as targets, the most preferred first. If one instance has several flows, the first is a target, and each other
    /// one stands behind it (RFC 5626 §7).
    fn locate(&self, cx: &Cx<'_>, uri: Uri<'_>, known: &Known) -> Decision {
        let bindings = match self.bindings_for(cx, uri, known) {
            Ok(bindings) => bindings,
            Err(nowhere) => return nowhere.into(),
        };
        let mut targets: SmallVec<[Target; 1]> = SmallVec::new();
        for instance in bindings.chunk_by(|one, other| leads_to_the_same(one, other)) {
            let way = |binding: &Binding| target(cx, binding, self.voucher_of(binding));
            let chain = |instead: Option<Target>, binding: &&Binding| match (way(binding), instead) {
                (Some(first), instead) => Some(Target { instead: instead.map(Box::new), ..first }),
                (None, instead) => instead,
            };
            targets.extend(instance.iter().rev().fold(None, chain));
        }
        Decision::Forward(targets)
    }

    /// The bindings of a user of ours as [`in_order_of_calling`] has them; at least one.
    ///
    /// # Errors
    /// 404 for somebody who was never registered and is no user of the settings, 480 for others who have no contact now, with Warning 380 where a
    /// SIPS URI is of a user who has SIP contacts (RFC 5630 §5.3).
    pub(super) fn bindings_for<'a>(
        &'a self,
        cx: &Cx<'_>,
        uri: Uri<'_>,
        known: &'a Known,
    ) -> Result<SmallVec<[&'a Binding; 4]>, Nowhere> {
        let named = self.registrar.named(uri, |uri| self.settings.user_of(cx, uri));
        let bindings = match &named {
            Some(named) => self.bindings_of(&named.address_of_record, known)?,
            None => None,
        };
        let bindings = named.zip(bindings).and_then(|(named, bindings)| self.registrar.meant(&named, bindings));
        if bindings.is_none() && !self.guards.has_user(&self.settings, uri) {
            return Err(Nowhere::Refuse(StatusCode::NOT_FOUND.into()));
        }
        // A request for a SIPS URI goes to SIPS contacts alone (§26.2.2).
        let wants_sips = uri.scheme() == Scheme::Sips;
        let is_usable = |contact: Uri<'_>| contact.is_sip() && (!wants_sips || contact.scheme() == Scheme::Sips);
        let bindings = bindings.unwrap_or_default();
        let has_sip = bindings.iter().any(|binding| binding.contact.as_uri().scheme() == Scheme::Sip);
        let usable = bindings.into_iter().filter(|binding| is_usable(binding.contact.as_uri()));
        let bindings = in_order_of_calling(usable);
        match bindings.is_empty() {
            true if wants_sips && has_sip => Err(Nowhere::Refuse(Refusal::of_scheme(cx, false))),
            true => Err(Nowhere::Refuse(StatusCode::TEMPORARILY_UNAVAILABLE.into())),
            false => Ok(bindings),
        }
    }
}
