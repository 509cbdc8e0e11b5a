//! Bounds on what peers can make a proxy hold.

use crate::error::Limit;

/// Bounds on what peers can make a proxy hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(default, deny_unknown_fields))]
pub struct Limits {
    /// Response contexts alive at once; above it a new request gets a 503. 1,000,000.
    pub response_contexts: usize,
    /// Targets of one request, those that were added later and those of a redirection included; above it a target is left out,
    /// the least preferred ones of those given at once. 60, as many as the branches that Max-Breadth allows at once.
    pub targets: usize,
    /// How often one request passes: with so many Vias of ours behind the topmost one a spiral gets a 482. RFC 5393 §4.2.2 would let it go on until its
    /// Max-Forwards is spent. 8.
    pub passes: usize,
    /// Branches of one request (one Call-ID, From tag and CSeq number), over all its forks and all its passes, as long as one of its response contexts is
    /// alive. Above it no further target is tried: the best response so far goes on, or a 440. The first branch of its first pass is not counted. 200.
    pub branches: usize,
    /// The greatest Max-Breadth of a request whose sender is neither authenticated nor trusted, where there are users to tell from strangers (RFC 5393 §5.3.3:
    /// 60 is only recommended). 20.
    pub stranger_breadth: u32,
    /// Octets that the branches of one request may send, each its request seven times, as timer A does: a branch that would exceed them is not
    /// opened, unless it is the first. 1 MiB.
    pub context_octets: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            response_contexts: 1_000_000,
            targets: 60,
            passes: 8,
            branches: 200,
            stranger_breadth: 20,
            context_octets: 1 << 20,
        }
    }
}

impl Limit {
    /// [`Limits::response_contexts`]: 503 with Retry-After.
    pub const RESPONSE_CONTEXTS: Self = Self::named("response_contexts");
    /// [`Limits::targets`]: a target is left out.
    pub const TARGETS: Self = Self::named("targets");
    /// [`Limits::passes`]: 482.
    pub const PASSES: Self = Self::named("passes");
    /// [`Limits::branches`]: no further target is tried.
    pub const BRANCHES: Self = Self::named("branches");
    /// [`Limits::stranger_breadth`]: targets wait for one another, and a 440 where none may be tried.
    pub const STRANGER_BREADTH: Self = Self::named("stranger_breadth");
    /// [`Limits::context_octets`]: no further target is tried.
    pub const CONTEXT_OCTETS: Self = Self::named("context_octets");
}
