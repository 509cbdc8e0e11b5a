//! The uses of nonces that a gate remembers, so that no credentials count for two requests (RFC 7616 §3.4, `nc`).

use alloc::collections::{BTreeMap, VecDeque};

use super::nonce::Nonce;
use crate::time::{Duration, Instant};

/// The marks by which a request is recognised when it comes again with the same nonce count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Use {
    /// Stands for Call-ID, CSeq number and method.
    pub(super) request: u128,
    /// Stands for the response of the credentials.
    pub(super) response: u128,
}

/// How a use of a nonce relates to those before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Seen {
    /// New, or the same request again: a fork that reaches us twice.
    Good,
    /// Another request had this nonce count.
    Replayed,
    /// Too much was forgotten to say: the nonce counts as stale.
    Forgotten,
}

/// A window over the uses of nonces. A use that falls out of it while its nonce could still be used makes all nonces stale that
/// are not younger: no nonce count is ever taken twice.
#[derive(Clone, Debug, Default)]
pub(super) struct Replays {
    /// By the random part of the nonce, which we choose, and the nonce count.
    uses: BTreeMap<(u64, u32), Use>,
    /// In the order in which the uses came.
    order: VecDeque<(Nonce, u32)>,
    /// Nonces made until then are stale.
    stale: Option<Instant>,
}

impl Replays {
    /// Uses of nonces made before `now` may have been forgotten.
    pub(super) fn forget_before(&mut self, now: Instant) {
        self.stale = self.stale.max(now.as_nanos().checked_sub(1).map(Instant::from_nanos));
    }

    /// Whether uses of a nonce may have been forgotten.
    pub(super) fn is_forgotten(&self, nonce: Nonce) -> bool {
        self.stale.is_some_and(|stale| nonce.made <= stale)
    }

    /// Whether this use is in the window.
    pub(super) fn contains(&self, nonce: Nonce, count: u32, this: Use) -> bool {
        self.uses.get(&(nonce.random, count)) == Some(&this)
    }

    /// Takes a use in.
    pub(super) fn take(&mut self, nonce: Nonce, count: u32, this: Use, limit: usize) -> Seen {
        if let Some(before) = self.uses.get(&(nonce.random, count)) {
            return if before.request == this.request { Seen::Good } else { Seen::Replayed };
        }
        if self.is_forgotten(nonce) {
            return Seen::Forgotten;
        }
        self.uses.insert((nonce.random, count), this);
        self.order.push_back((nonce, count));
        while self.order.len() > limit
            && let Some((oldest, _)) = self.forget()
        {
            self.stale = self.stale.max(Some(oldest.made));
        }
        Seen::Good
    }

    /// Forgets the uses, first come first, of nonces older than this: they are stale anyway.
    pub(super) fn prune(&mut self, age: Duration, now: Instant) {
        while self.order.front().is_some_and(|(oldest, _)| oldest.is_older(age, now)) {
            self.forget();
        }
    }

    /// How many uses are held.
    pub(super) fn len(&self) -> usize {
        self.order.len()
    }

    fn forget(&mut self) -> Option<(Nonce, u32)> {
        let (nonce, count) = self.order.pop_front()?;
        self.uses.remove(&(nonce.random, count));
        Some((nonce, count))
    }
}
