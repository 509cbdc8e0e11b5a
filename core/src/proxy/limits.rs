//! Bounds on what peers can make a proxy hold.

use crate::error::Limit;

/// Bounds on what peers can make a proxy hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Response contexts alive at once; above it a new request gets a 503. 1,000,000.
    pub response_contexts: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { response_contexts: 1_000_000 }
    }
}

impl Limit {
    /// [`Limits::response_contexts`]: 503 with Retry-After.
    pub const RESPONSE_CONTEXTS: Self = Self::named("response_contexts");
}
