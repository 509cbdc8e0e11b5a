//! The base values of the timers (RFC 3261 §17, table 4), and bounds on how many transactions there are.

use crate::error::Limit;
use crate::time::Duration;

/// The base values of the timers (RFC 3261 §17, table 4); the lettered timers are computed from them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(default, deny_unknown_fields))]
pub struct Timers {
    /// T1, the round-trip estimate: 500 ms. Below 1 ms it counts as 1 ms: what is due again at once is due for ever.
    #[cfg_attr(feature = "serde", serde(with = "crate::plain::duration"))]
    pub t1: Duration,
    /// T2, the longest interval of non-INVITE requests and INVITE responses: 4 s. Below 1 ms it counts as 1 ms.
    #[cfg_attr(feature = "serde", serde(with = "crate::plain::duration"))]
    pub t2: Duration,
    /// T4, how long a message may stay in the network: 5 s.
    #[cfg_attr(feature = "serde", serde(with = "crate::plain::duration"))]
    pub t4: Duration,
    /// Timer C, how long a proxy waits for a final response after a provisional one: more than 3 minutes (§16.6
    /// step 11).
    #[cfg_attr(feature = "serde", serde(with = "crate::plain::duration"))]
    pub c: Duration,
}

impl Timers {
    /// 64·T1: timers B, F, H, L and M, and the wait after a CANCEL (§9.1).
    pub const fn sixty_four_t1(&self) -> Duration {
        self.t1.saturating_mul(64)
    }

    /// These values with intervals that end: T1 and T2 are at least 1 ms.
    pub(crate) fn usable(self) -> Self {
        const LEAST: Duration = Duration::from_millis(1);
        Self { t1: self.t1.max(LEAST), t2: self.t2.max(LEAST), ..self }
    }
}

impl Default for Timers {
    fn default() -> Self {
        Self {
            t1: Duration::from_millis(500),
            t2: Duration::from_secs(4),
            t4: Duration::from_secs(5),
            c: Duration::from_secs(181),
        }
    }
}

/// Bounds on the transactions that peers can make us hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(default, deny_unknown_fields))]
pub struct Limits {
    /// Server transactions alive at once; above it a new request gets a stateless 503. Requests with a To tag have room for an eighth more, so
    /// that calls in progress go on; a domain's server keeps that for dialogs that it has recorded its route for, and for flows of users. 1,000,000.
    pub server_transactions: usize,
    /// Client transactions alive at once, CANCELs and attempts that were given up for another address included; above it a
    /// command fails, and no other address is tried. 2,000,000.
    pub client_transactions: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { server_transactions: 1_000_000, client_transactions: 2_000_000 }
    }
}

impl Limit {
    /// [`Limits::server_transactions`]: 503 with Retry-After.
    pub const SERVER_TRANSACTIONS: Self = Self::named("server_transactions");
}
