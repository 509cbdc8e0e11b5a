//! The router that the network has besides servers and strict routers: a stateless proxy.

use sansip::message::{HeaderId, StatusCode, Uri, UriBuf};
use sansip::proxy::{Refusal, Target, stateless};
use sansip::{Context, Indication, NextHop, TransactionUser};

/// A stateless proxy with a table of routes.
#[derive(Clone, Debug)]
pub(super) struct Front {
    pub(super) core: stateless::Core,
    /// The host parts that mean it; the first is its domain.
    pub(super) names: Vec<String>,
    /// The target for all that its domain gets.
    pub(super) target: Option<UriBuf>,
    pub(super) routes: Vec<(String, NextHop)>,
    pub(super) default: Option<NextHop>,
}

impl TransactionUser for Front {
    type Event = ();

    const TAKES_STRAYS: bool = true;

    fn indicate(&mut self, cx: &mut Context<'_, ()>, indication: Indication) {
        let Self { core, names, target, routes, default } = self;
        let host = |uri: Uri<'_>| uri.host().map(|host| host.to_string()).unwrap_or_default();
        let is_ours = |uri: Uri<'_>| names.contains(&host(uri));
        core.indicate(cx, indication, is_ours, |preprocessed| {
            let request = &preprocessed.request;
            let uri = request.uri().map_err(|_| Refusal::Status(StatusCode::BAD_REQUEST))?;
            let host = host(uri);
            let is_domain = names.first() == Some(&host);
            let has_route = request.headers().contains(HeaderId::Route);
            let unchanged = || Target::new(uri.to_buf());
            if !is_domain && (has_route || preprocessed.recorded) {
                return Ok(unchanged());
            }
            if is_domain && uri.user().is_none() {
                return Err(Refusal::Status(StatusCode::NOT_FOUND));
            }
            if let Some((_, hop)) = routes.iter().find(|(key, _)| *key == host && !has_route) {
                return Ok(unchanged().with_next_hop(hop.clone()));
            }
            match (target, default) {
                (Some(target), _) if is_domain => Ok(Target::new(target.clone())),
                (_, Some(hop)) if !has_route => Ok(unchanged().with_next_hop(hop.clone())),
                _ if is_domain => Err(Refusal::Status(StatusCode::NOT_FOUND)),
                _ => Ok(unchanged()),
            }
        });
    }

    fn is_idle(&self) -> bool {
        true
    }
}
