//! What is refused: at a limit, and while the endpoint drains. Each refusal is counted, and told in one indication for many.

use alloc::vec::Vec;

use crate::error::Limit;
use crate::flow::Flow;
use crate::message::{Request, StatusCode};
use crate::time::Instant;

use super::{Endpoint, Indication};

/// What the limits that were met have refused. There are few limits: a scan is a lookup.
#[derive(Clone, Debug, Default)]
pub(super) struct Refusals(Vec<(Limit, Refused)>);

#[derive(Clone, Copy, Debug, Default)]
struct Refused {
    /// How much was refused since it was told last.
    count: u64,
    /// When it may be told again.
    silent_until: Instant,
}

impl Refusals {
    /// Counts a refusal; how many are to be told, if they are to be: then no more are told before `until`.
    fn count(&mut self, limit: Limit, now: Instant, until: Instant) -> Option<u64> {
        let place = self.0.iter().position(|(met, _)| *met == limit).unwrap_or(self.0.len());
        if place == self.0.len() {
            self.0.push((limit, Refused::default()));
        }
        let (_, refused) = self.0.get_mut(place)?;
        refused.count += 1;
        if now < refused.silent_until {
            return None;
        }
        refused.silent_until = until;
        Some(core::mem::take(&mut refused.count))
    }
}

impl Endpoint {
    /// Begins nothing new from now on: a request that matches no transaction gets a stateless 503 with Retry-After, and
    /// [`request`](Self::request) fails with [`CommandError::Draining`](crate::CommandError::Draining). What is under way goes
    /// on to its end: retransmissions, ACKs, CANCELs, other addresses. There is no way back.
    pub const fn drain(&mut self) {
        self.draining = true;
    }

    /// Whether [`drain`](Self::drain) was called.
    pub const fn is_draining(&self) -> bool {
        self.draining
    }

    /// Whether it was called and nothing is left: as [`is_idle`](Self::is_idle) says.
    pub fn is_drained(&self) -> bool {
        self.draining && self.is_idle()
    }

    /// Counts a request or dialog that a limit made us refuse. The transaction user hears of it in an
    /// [`Indication::Overload`] at once, and while it goes on every 64·T1.
    pub fn refused(&mut self, limit: Limit) {
        self.wire.stats.refused += 1;
        self.overloaded(limit);
    }

    /// Something was refused at a limit.
    pub(super) fn overloaded(&mut self, limit: Limit) {
        let until = self.wire.now + self.wire.patience;
        if let Some(refused) = self.refusals.count(limit, self.wire.now, until) {
            self.indications.tell(Indication::Overload { limit, refused });
        }
    }

    /// Refuses a request that would begin a transaction, if none may be begun.
    pub(super) fn refuses(&mut self, request: &Request, path: Flow) -> bool {
        if self.draining {
            self.wire.stats.drained += 1;
        } else if self.servers.is_full() {
            self.refused(Limit::SERVER_TRANSACTIONS);
        } else {
            return false;
        }
        let status = StatusCode::SERVICE_UNAVAILABLE;
        let seconds = alloc::format!("{}", self.wire.patience.as_secs().max(1));
        self.answer(request, path, status, status.reason(), Some(&seconds));
        true
    }
}
