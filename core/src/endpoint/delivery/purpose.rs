//! The purpose of a delivery, and the source that it is written from.

use crate::message::Recipe;
use crate::time::Instant;
use crate::transport::{Here, NextHop, Requester};

/// The purpose of a delivery.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::endpoint) enum Purpose {
    /// A request with client transactions, of which none begins at `until` or later.
    Transaction { is_invite: bool, until: Instant },
    /// The ACK for a 2xx.
    Acknowledgement,
    /// A request that is forwarded statelessly.
    Relay,
    /// A request of a stateless proxy, which goes to one place and no other; whether that is `chosen`.
    Stateless { chosen: bool },
}

impl Purpose {
    pub(super) const fn has_transactions(self) -> bool {
        matches!(self, Self::Transaction { .. })
    }

    /// Whether no attempt begins any more.
    pub(super) fn is_over_time(self, now: Instant) -> bool {
        matches!(self, Self::Transaction { until, .. } if until <= now)
    }

    /// Whether nobody is told what becomes of it.
    pub(super) const fn is_forgotten(self) -> bool {
        matches!(self, Self::Relay | Self::Stateless { .. })
    }
}

/// Where a request goes, and how its way is found.
pub(in crate::endpoint) struct Aim {
    pub(in crate::endpoint) next_hop: NextHop,
    /// For whom it goes there, if that decides which addresses may be tried.
    pub(in crate::endpoint) requester: Option<Requester>,
    /// See [`locate`](crate::transport::locate).
    pub(in crate::endpoint) computed: Option<u64>,
}

impl Aim {
    /// To a next hop of our own choice.
    pub(in crate::endpoint) const fn at(next_hop: NextHop) -> Self {
        Self { next_hop, requester: None, computed: None }
    }
}

/// The source that an attempt is written from.
#[derive(Clone, Copy)]
pub(in crate::endpoint) struct Source<'a> {
    /// The request, without our Via.
    pub(in crate::endpoint) recipe: &'a dyn Recipe,
    /// Where it says how we are reached.
    pub(in crate::endpoint) here: &'a Here,
    /// The end of each branch (RFC 5393 §4.2); for what is forwarded statelessly all of it.
    pub(in crate::endpoint) branch: &'a str,
}
