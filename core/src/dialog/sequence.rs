//! The two sequence numbers of a dialog (RFC 3261 §12.2).

/// The local and the remote sequence number of a dialog. Each is empty until its side has sent a request.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sequence {
    /// The CSeq number of our last request (ACK and CANCEL do not count).
    pub local: Option<u32>,
    /// The highest CSeq number that the peer has used.
    pub remote: Option<u32>,
}

impl Sequence {
    /// The number of our next request: one more than the last, or `first` if there was none (§12.2.1.1). It becomes the
    /// last one when the request is [`sent`](Self::sent).
    pub fn next_local(&self, first: impl FnOnce() -> u32) -> u32 {
        match self.local {
            // Begun below 2^31 and counted by one, the number never comes near its end.
            Some(last) => last.saturating_add(1),
            None => first(),
        }
    }

    /// Records the number of a request of ours.
    pub fn sent(&mut self, number: u32) {
        self.local = Some(number);
    }

    /// Takes the number of a request of the peer (§12.2.2); false if it is out of order, which asks for a 500. Gaps are no
    /// error. An equal number is out of order too: what reaches a core is no retransmission, and two requests in one dialog
    /// never share a number.
    pub fn accept(&mut self, number: u32) -> bool {
        if self.remote.is_some_and(|last| number <= last) {
            return false;
        }
        self.remote = Some(number);
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn our_numbers_start_when_needed_and_rise_by_one() {
        let mut sequence = Sequence::default();
        assert_eq!(sequence.next_local(|| 231), 231);
        sequence.sent(231);
        assert_eq!(sequence.next_local(|| 1), 232);
    }

    #[test]
    fn the_peers_numbers_may_leap_but_not_fall_or_stay() {
        let mut sequence = Sequence::default();
        assert!(sequence.accept(4_294_967_290));
        assert!(!sequence.accept(4_294_967_290));
        assert!(!sequence.accept(7));
        assert!(sequence.accept(4_294_967_295));
        assert_eq!(sequence.remote, Some(4_294_967_295));
    }
}
