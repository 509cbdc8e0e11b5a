//! Gateways that are asked by OPTIONS whether they are there (RFC 3261 §11), and left out of the routes while they are not.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use smallvec::SmallVec;

use super::{Core, Cx, Event, Route, Settings, role};
use crate::endpoint::Indication;
use crate::id::{Arena, Id, Kind};
use crate::message::{BuildError, HeaderId, HostBuf, Method, Request, StatusCode, Uri, UriBuf};
use crate::proxy::Target;
use crate::shard::rendezvous;
use crate::tag::work;
use crate::time::Duration;
use crate::timer::TimerId;
use crate::transport::NextHop;

type GatewayId = Id<GatewayKind>;

#[derive(Clone, Copy, Debug)]
pub(super) enum GatewayKind {}

impl Kind for GatewayKind {
    const NAME: &'static str = "gateway";
}

work! {
    /// The purpose of a delivery or timer.
    pub(super) enum Work {
        /// An OPTIONS to a gateway, or the time for one.
        Ping(GatewayId) = 1,
    }
}

/// A next hop of [routes](Settings::routes) that is watched: while it does not answer OPTIONS, or answers 503, routes to it are passed over.
///
/// Several routes with one key are alternatives: the first that is there is taken, or that of the Call-ID among those that are there
/// ([`Settings::spread`]). If none of them is, a request gets a 503. Targets of the
/// application that lead to one that is not there are left out of their fork alike.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(deny_unknown_fields))]
pub struct Gateway {
    /// The next hop, as the routes have it.
    pub next_hop: NextHop,
    /// The time from one answer, or the lack of one, to the next OPTIONS.
    #[cfg_attr(feature = "serde", serde(with = "crate::plain::duration"))]
    pub interval: Duration,
}

/// A gateway and what is known of it.
#[derive(Clone, Debug)]
struct Watched {
    gateway: Gateway,
    /// The time for the next OPTIONS; `None` while one is on its way.
    timer: Option<TimerId>,
    is_down: bool,
}

/// The gateways that are watched.
#[derive(Clone, Debug)]
pub(super) struct Gateways {
    table: Arena<GatewayKind, Watched>,
    ids: Vec<GatewayId>,
}

impl Gateways {
    pub(super) const fn new() -> Self {
        Self { table: Arena::new(), ids: Vec::new() }
    }

    fn is_down(&self, next_hop: &NextHop) -> bool {
        let watched = self.ids.iter().filter_map(|id| self.table.get(*id));
        watched.into_iter().any(|watched| watched.is_down && watched.gateway.next_hop == *next_hop)
    }

    /// The route for a request among those with the key of `best` whose next hop is there: the first one, or that of its Call-ID.
    pub(super) fn choose<'a>(&self, settings: &'a Settings, best: &'a Route, request: &Request) -> Option<&'a Route> {
        if self.ids.is_empty() && !settings.spread {
            return Some(best);
        }
        let mut up = settings.routes.iter().filter(|route| route.key == best.key && !self.is_down(&route.next_hop));
        if !settings.spread {
            return up.next();
        }
        let up: SmallVec<[&Route; 4]> = up.collect();
        let names: SmallVec<[String; 4]> = up.iter().map(|route| name_of(&route.next_hop)).collect();
        let call_id = request.call_id().unwrap_or_default();
        let place = rendezvous(call_id.as_bytes(), names.iter().map(String::as_bytes), |_| true)?;
        up.get(place).copied()
    }

    /// The targets of a fork but for gateways that are not there.
    pub(super) fn up(&self, targets: &[Target]) -> SmallVec<[Target; 1]> {
        let leads_to_one = |target: &&Target| {
            let hop = || NextHop::of_uri(target.uri.as_uri());
            !self.ids.is_empty() && target.next_hop.clone().or_else(hop).is_some_and(|hop| self.is_down(&hop))
        };
        targets.iter().filter(|target| !leads_to_one(target)).cloned().collect()
    }
}

impl Core {
    /// Watches these gateways from now on. What is known of one that was watched before stays.
    pub(super) fn watch(&mut self, cx: &mut Cx<'_>, gateways: &[Gateway]) {
        let mut cx = cx.for_role(role::GATEWAY);
        let mut before = core::mem::take(&mut self.gateways.ids);
        for gateway in gateways {
            let is_it = |id: &GatewayId| {
                self.gateways.table.get(*id).is_some_and(|watched| watched.gateway.next_hop == gateway.next_hop)
            };
            let id = match before.iter().position(is_it) {
                Some(place) => before.swap_remove(place),
                None => {
                    // A server that was just made gets its listeners first.
                    let soon = cx.now() + cx.config().timers.t1;
                    self.gateways.table.insert_with(|id| Watched {
                        gateway: gateway.clone(),
                        timer: Some(cx.arm(soon, Work::Ping(id))),
                        is_down: false,
                    })
                }
            };
            if let Some(watched) = self.gateways.table.get_mut(id) {
                watched.gateway.interval = gateway.interval;
            }
            self.gateways.ids.push(id);
        }
        for id in before {
            if let Some(timer) = self.gateways.table.remove(id).and_then(|watched| watched.timer) {
                cx.disarm(timer);
            }
        }
    }

    /// Takes what the endpoint says about pings.
    pub(super) fn gateway(&mut self, cx: &mut Cx<'_>, indication: &Indication) {
        let (tag, is_down) = match indication {
            Indication::Timer { tag, .. } => (*tag, None),
            Indication::Response { tag, response, .. } if response.status().is_final() => {
                (*tag, Some(response.status() == StatusCode::SERVICE_UNAVAILABLE))
            }
            Indication::Failed { tag, .. } => (*tag, Some(true)),
            _ => return,
        };
        let Ok(Work::Ping(id)) = tag.try_into() else { return };
        match is_down {
            None => self.ping(cx, id),
            Some(is_down) => self.pinged(cx, id, is_down),
        }
    }

    fn ping(&mut self, cx: &mut Cx<'_>, id: GatewayId) {
        let Some(watched) = self.gateways.table.get_mut(id) else { return };
        watched.timer = None;
        let next_hop = watched.gateway.next_hop.clone();
        let parts = self.settings.domains.first().zip(uri_of(&next_hop));
        let request = parts.map(|(domain, uri)| options(cx, domain, uri.as_uri()));
        let is_sent = match request {
            Some(Ok(request)) => cx.for_role(role::GATEWAY).request(request, next_hop, Work::Ping(id), "").is_ok(),
            // Names of any length fit, and a server without a domain does not work.
            Some(Err(_)) | None => false,
        };
        if !is_sent {
            // A limit of ours was met: that says nothing of the gateway.
            self.ping_later(cx, id);
        }
    }

    fn pinged(&mut self, cx: &mut Cx<'_>, id: GatewayId, is_down: bool) {
        let Some(watched) = self.gateways.table.get_mut(id) else { return };
        if watched.is_down != is_down {
            watched.is_down = is_down;
            cx.emit(Event::Gateway { next_hop: watched.gateway.next_hop.clone(), is_up: !is_down });
        }
        self.ping_later(cx, id);
    }

    fn ping_later(&mut self, cx: &mut Cx<'_>, id: GatewayId) {
        let Some(watched) = self.gateways.table.get_mut(id) else { return };
        let at = cx.now() + watched.gateway.interval;
        watched.timer = Some(cx.for_role(role::GATEWAY).arm(at, Work::Ping(id)));
    }
}

/// An OPTIONS of a domain to a gateway.
fn options(cx: &mut Cx<'_>, domain: &HostBuf, gateway: Uri<'_>) -> Result<Request, BuildError> {
    let (tag, call_id) = (cx.random().tag(), cx.random().call_id());
    Request::builder(Method::Options, gateway)
        .header(HeaderId::MaxForwards, "70")
        .header(HeaderId::From, format!("<sip:{domain}>;tag={tag}"))
        .header(HeaderId::To, format!("<{gateway}>"))
        .header(HeaderId::CallId, call_id)
        .header(HeaderId::CSeq, "1 OPTIONS")
        .finish()
}

/// The name of a next hop, by which it has its share of the Call-IDs.
fn name_of(next_hop: &NextHop) -> String {
    let NextHop { host, port, protocol, .. } = next_hop;
    let protocol = protocol.map_or("", |protocol| protocol.as_str());
    format!("{host}:{}:{protocol}", port.unwrap_or_default())
}

/// The URI of a gateway. A host and a port make one.
fn uri_of(next_hop: &NextHop) -> Option<UriBuf> {
    let host = &next_hop.host;
    let text = next_hop.port.map_or_else(|| format!("sip:{host}"), |port| format!("sip:{host}:{port}"));
    text.parse().ok()
}
