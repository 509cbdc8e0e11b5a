//! Bounds on what peers can make a proxy hold.

use crate::error::Limit;

/// Bounds on what peers can make a proxy hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Response contexts alive at once; above it a new request gets a 503. 1,000,000.
    pub response_contexts: usize,
    /// Targets of one request, those that were added later and those of a redirection included; above it a target is left out,
    /// the least preferred ones of those given at once. 60, as many as the branches that Max-Breadth allows at once.
    pub targets: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { response_contexts: 1_000_000, targets: 60 }
    }
}

impl Limit {
    /// [`Limits::response_contexts`]: 503 with Retry-After.
    pub const RESPONSE_CONTEXTS: Self = Self::named("response_contexts");
    /// [`Limits::targets`]: a target is left out.
    pub const TARGETS: Self = Self::named("targets");
}
