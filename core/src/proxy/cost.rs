//! The branches of one request, over all its forks and all its passes through here.
//!
//! Max-Breadth bounds the branches at one moment (RFC 5393 §5.3.3), not those that follow one another: users whose contacts lead to one another would make
//! many of one request. So all its branches are counted as long as one of its response contexts is alive.

use alloc::collections::BTreeMap;

use super::token::TokenKey;
use crate::message::Request;
use crate::transport::DialogKey;

/// The requests that have forked or come by again.
#[derive(Clone, Debug, Default)]
pub(super) struct Costs(BTreeMap<Name, Cost>);

/// The name of a request wherever it comes by: the key of its Call-ID and From tag, and its CSeq number.
type Name = (DialogKey, u32);

#[derive(Clone, Copy, Debug, Default)]
struct Cost {
    branches: usize,
    /// Response contexts that have counted a branch.
    contexts: usize,
}

/// The name of a request.
pub(super) fn name_of(tokens: &TokenKey, request: &Request) -> Name {
    (tokens.dialog_of(request), request.cseq().map_or(0, |cseq| cseq.number))
}

impl Costs {
    /// Counts a branch, the first one of its context or not, unless there are `most`. Whether it may be opened.
    pub(super) fn count(&mut self, name: Name, is_first: bool, most: usize) -> bool {
        if most == 0 {
            return false;
        }
        let cost = self.0.entry(name).or_default();
        if cost.branches >= most {
            return false;
        }
        cost.branches += 1;
        cost.contexts += usize::from(is_first);
        true
    }

    /// A context that has counted a branch is gone.
    pub(super) fn end(&mut self, name: Name) {
        let Some(cost) = self.0.get_mut(&name) else { return };
        cost.contexts = cost.contexts.saturating_sub(1);
        if cost.contexts == 0 {
            self.0.remove(&name);
        }
    }

    /// How many requests are counted.
    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }
}
