//! Max-Breadth (RFC 5393 §5.3.3): how many branches a request may have at once, over all proxies.

use super::Refusal;
use crate::message::header::MaxBreadth;
use crate::message::{Phrase, Request};

/// The Max-Breadth of a request without the header, and the most that we let pass.
const MAXIMUM: u32 = 60;

/// The Incoming Max-Breadth: what all our branches together may use.
pub(super) fn incoming(request: &Request) -> Result<u32, Refusal> {
    match request.headers().get::<MaxBreadth>() {
        None => Ok(MAXIMUM),
        Some(Ok(MaxBreadth(breadth))) => Ok(breadth.min(MAXIMUM)),
        Some(Err(_)) => Err(Refusal::Malformed(Phrase::BAD_BREADTH_LIMIT)),
    }
}

/// The shares of `branches` parallel branches, all of `incoming` and each at least one; `None` if it is too little.
pub(super) fn shares(incoming: u32, branches: usize) -> Option<impl Iterator<Item = u32>> {
    let branches = u32::try_from(branches).ok()?;
    let (each, rest) = (incoming.checked_div(branches)?, incoming.checked_rem(branches)?);
    (each > 0).then(|| (0..branches).map(move |branch| each + u32::from(branch < rest)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec;
    use alloc::vec::Vec;

    #[test]
    fn the_shares_are_positive_and_add_up() {
        assert_eq!(shares(60, 1).unwrap().collect::<Vec<_>>(), vec![60]);
        assert_eq!(shares(7, 3).unwrap().collect::<Vec<_>>(), vec![3, 2, 2]);
        assert_eq!(shares(3, 3).unwrap().collect::<Vec<_>>(), vec![1, 1, 1]);
        assert!(shares(2, 3).is_none());
        assert!(shares(0, 1).is_none());
    }
}
