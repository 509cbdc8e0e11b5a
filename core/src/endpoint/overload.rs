//! Refusals, at a limit and while the endpoint drains. Each is counted, and told in one indication for many.

use alloc::collections::VecDeque;
use alloc::vec::Vec;

use crate::error::Limit;
use crate::flow::Flow;
use crate::keyed_index::Fingerprint;
use crate::message::{Phrase, Request, StatusCode};
use crate::time::Instant;

use super::{Endpoint, Indication};

/// The refusals of each limit that was met. There are few limits: a scan is a lookup.
#[derive(Clone, Debug, Default)]
pub(super) struct Refusals(Vec<(Limit, Refused)>);

#[derive(Clone, Copy, Debug, Default)]
struct Refused {
    /// How much was refused since it was told last.
    count: u64,
    /// When it may be told again.
    silent_until: Instant,
}

/// The keys of the requests refused last, for each of which a CANCEL may come. The oldest is forgotten for a new one.
#[derive(Clone, Debug)]
pub(super) struct RefusedBranches {
    most: usize,
    keys: VecDeque<Fingerprint>,
}

impl RefusedBranches {
    pub(super) const fn new(most: usize) -> Self {
        Self { most, keys: VecDeque::new() }
    }

    fn push(&mut self, key: Fingerprint) {
        if self.most == 0 || self.keys.contains(&key) {
            return;
        }
        if self.keys.len() >= self.most {
            self.keys.pop_front();
        }
        self.keys.push_back(key);
    }

    /// Whether a request with this key was refused.
    pub(super) fn contains(&self, key: Fingerprint) -> bool {
        self.keys.contains(&key)
    }
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

    /// Refuses a request that would begin a transaction, if none may be begun. The key of the request is remembered for its CANCEL.
    pub(super) fn refuses(&mut self, request: &Request, key: Fingerprint, path: Flow) -> bool {
        if self.draining {
            self.wire.stats.drained += 1;
        } else if self.servers.is_full_for_dialogs() || self.servers.is_full() && request.to_tag().is_none() {
            self.refused(Limit::SERVER_TRANSACTIONS);
        } else {
            return false;
        }
        let status = StatusCode::SERVICE_UNAVAILABLE;
        let seconds = alloc::format!("{}", self.wire.patience.as_secs().max(1));
        self.answer(request, path, status, Phrase::of(status), Some(&seconds));
        self.refused_branches.push(key);
        true
    }
}
