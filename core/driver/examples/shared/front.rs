//! The stateless proxy (RFC 3261 §16.11): what comes for the domain goes to the servers that its routes name, and nothing is remembered.

use sansip::message::{HeaderId, HostPortBuf, StatusCode, Uri};
use sansip::proxy::stateless::{self, Core, Farm, Member};
use sansip::proxy::{Preprocessed, Refusal, Target};
use sansip::server::{RouteKey, Settings};
use sansip::{Config, Context, Indication, Instant, Stack, TransactionUser};

/// The port of a SIP URI that names none (RFC 3261 §19.1.2).
const DEFAULT_PORT: u16 = 5060;

/// A stateless proxy before the servers that routes name. Routes of one key are a farm, of which each Call-ID belongs to one server.
#[derive(Clone, Debug)]
pub(crate) struct Front {
    core: Core,
    settings: Settings,
    farms: Vec<(RouteKey, Farm)>,
    /// Where we listen, and the names that stand for that in Via.
    here: Vec<HostPortBuf>,
}

impl Front {
    /// A node with no listener yet, for the domains and routes of these settings.
    pub(crate) fn node(config: Config, settings: Settings) -> Stack<Self> {
        let own = stateless::Settings { record_route: settings.proxy.record_route, ..stateless::Settings::default() };
        let core = Core::new(&config, own);
        let mut farms: Vec<(RouteKey, Farm)> = Vec::new();
        for route in &settings.routes {
            if farms.iter().any(|(key, _)| *key == route.key) {
                continue;
            }
            let hops = settings.routes.iter().filter(|other| other.key == route.key).map(|other| &other.next_hop);
            let members = hops.map(|hop| Member::new(&format!("{}:{:?}", hop.host, hop.port), hop.clone())).collect();
            farms.push((route.key.clone(), Farm::new(&config, members)));
        }
        Stack::new(config, Self { core, settings, farms, here: Vec::new() })
    }

    /// Takes note of the listeners, which do not change any more.
    pub(crate) fn knows_listeners(node: &mut Stack<Self>) {
        node.command(Instant::ZERO, |front, cx| {
            for (_, listener) in cx.listeners() {
                let (at, sent_by) = (listener.local, &listener.sent_by);
                front.here.push(HostPortBuf { host: at.ip().into(), port: Some(at.port()) });
                front.here.push(HostPortBuf { port: sent_by.port.or(Some(DEFAULT_PORT)), ..sent_by.clone() });
            }
        });
    }

    fn names_us(&self, uri: Uri<'_>) -> bool {
        let Some(at) = uri.host_port().filter(|_| uri.parameter("maddr").is_none()) else { return false };
        let port = at.port.unwrap_or(DEFAULT_PORT);
        let mut here = self.here.iter().filter(|here| here.port == Some(port));
        let is_here = here.clone().any(|here| here.host.as_host() == at.host);
        is_here || self.settings.is_domain(at.host) && (at.port.is_none() || here.next().is_some())
    }

    /// Where a request goes. Strangers are led to the servers of our routes and nowhere else.
    fn choose(&self, now: Instant, preprocessed: &Preprocessed) -> Result<Target, Refusal> {
        let request = &preprocessed.request;
        let uri = request.uri().map_err(|_| Refusal::Status(StatusCode::BAD_REQUEST))?;
        let is_ours = self.names_us(uri);
        let is_routed = request.headers().contains(HeaderId::Route) || preprocessed.recorded && !is_ours;
        let route = self.settings.route(uri).filter(|_| !is_routed);
        if let Some((_, farm)) = route.and_then(|route| self.farms.iter().find(|(key, _)| *key == route.key)) {
            return farm.target(now, request);
        }
        match preprocessed.recorded || self.settings.relay {
            true if is_routed || !is_ours => Ok(Target::new(uri.to_buf())),
            _ if is_ours && !is_routed => Err(Refusal::Status(StatusCode::NOT_FOUND)),
            _ => Err(Refusal::Status(StatusCode::FORBIDDEN)),
        }
    }
}

impl TransactionUser for Front {
    type Event = ();

    const TAKES_STRAYS: bool = true;

    fn indicate(&mut self, cx: &mut Context<'_, ()>, indication: Indication) {
        let now = cx.now();
        self.core.indicate(cx, indication, |uri| self.names_us(uri), |preprocessed| self.choose(now, preprocessed));
    }

    fn is_idle(&self) -> bool {
        true
    }
}
