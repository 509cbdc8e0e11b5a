//! Messages that are dropped without an answer: counted by the cause, and told if the configuration asks for it.

use crate::flow::Flow;
use crate::message::{FrameError, ParseError, Rejection, Request, Response, SharedBytes};

use super::{Endpoint, Indication};
use crate::trace;

/// Why something that a peer sent was dropped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum DropCause {
    /// It is no SIP message, or one that is malformed or above a limit of [`message::Limits`](crate::message::Limits), and no
    /// request that could be answered. [`Stats::malformed`](crate::transport::Stats::malformed).
    Malformed(ParseError),
    /// A response or an ACK, which nobody answers, lacks what is needed. [`Stats::unusable`](crate::transport::Stats::unusable).
    Incomplete(Rejection),
    /// A request says nowhere that an answer could be sent to, or has more to copy than an answer can hold.
    /// [`Stats::unusable`](crate::transport::Stats::unusable).
    Unanswerable,
    /// An ACK has the branch of an INVITE, and not its Call-ID, From tag and CSeq number, or not the To tag of the rejection that it would acknowledge
    /// (RFC 3261 §17.1.1.3). [`Stats::unusable`](crate::transport::Stats::unusable).
    Mismatched,
    /// The topmost Via of a response is not ours (RFC 3261 §18.1.2). [`Stats::foreign`](crate::transport::Stats::foreign).
    Foreign,
    /// Nobody waits for a response: it is late, or was never asked for (RFC 6026 §8.9).
    /// [`Stats::stray`](crate::transport::Stats::stray).
    Stray,
    /// Too many outputs were queued. [`Stats::overrun`](crate::transport::Stats::overrun).
    Overrun,
    /// It came to a listener that is not known. [`Stats::unlistened`](crate::transport::Stats::unlistened).
    Unlistened,
    /// A stream can be read no further, and what stands there is no request that could be answered (RFC 3261 §18.3).
    /// [`Stats::broken_streams`](crate::transport::Stats::broken_streams), which counts those that were answered as well.
    BrokenStream(FrameError),
}

impl Endpoint {
    /// Drops an ACK that came along `flow` and cannot be forwarded: nobody answers an ACK. It is counted and told as
    /// [`DropCause::Incomplete`].
    pub fn discard(&mut self, flow: Flow, ack: &Request, why: Rejection) {
        self.dropped(DropCause::Incomplete(why), flow, ack.as_bytes());
    }

    /// Drops a response that came along `flow` and is for nobody. It is counted and told as [`DropCause::Stray`].
    pub fn discard_stray(&mut self, flow: Flow, response: &Response) {
        self.dropped(DropCause::Stray, flow, response.as_bytes());
    }

    /// Drops what came along `flow`.
    pub(super) fn dropped(&mut self, why: DropCause, flow: Flow, bytes: &[u8]) {
        trace::dropped(&why, flow, bytes);
        let stats = &mut self.wire.stats;
        match why {
            DropCause::Malformed(_) => stats.malformed += 1,
            DropCause::Incomplete(_) | DropCause::Unanswerable | DropCause::Mismatched => stats.unusable += 1,
            DropCause::Foreign => stats.foreign += 1,
            DropCause::Stray => stats.stray += 1,
            DropCause::Overrun => stats.overrun += 1,
            DropCause::Unlistened => stats.unlistened += 1,
            // Each stream that broke is counted, whether there was an answer or not.
            DropCause::BrokenStream(_) => {}
        }
        let limits = &self.config.limits;
        if self.config.drops && self.indications.drops() < limits.drops {
            let bytes = bytes.get(..limits.drop_octets).unwrap_or(bytes);
            self.indications.tell(Indication::Dropped { why, flow, bytes: SharedBytes::from(bytes) });
        }
    }
}
