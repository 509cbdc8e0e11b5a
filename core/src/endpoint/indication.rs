//! Indications: the endpoint tells its transaction user what has happened.

use alloc::collections::VecDeque;

use crate::error::Limit;
use crate::flow::Flow;
use crate::message::{Request, Response, SharedBytes, StatusCode};
use crate::tag::Tag;
use crate::timer::TimerId;
use crate::transaction::{DeliveryId, ServerTransactionId};

use super::{Arrival, DropCause};

/// Something that happened below, for the transaction user. Indications are queued and handed over one by one, never
/// re-entrantly.
#[derive(Clone, Debug)]
pub enum Indication {
    /// A valid request that matches no transaction; never an ACK. What to do with it is the core's choice: begin a server
    /// transaction ([`accept`](super::Endpoint::accept)), answer or forward it statelessly, or drop it.
    Request(Arrival),
    /// An ACK for a 2xx, or for nothing that this endpoint knows.
    Ack {
        /// The ACK.
        request: Request,
        /// Where it came in, and where from.
        flow: Flow,
        /// The accepted INVITE transaction it matched: that of an RFC 2543 peer, or of a peer that keeps the branch.
        server: Option<(ServerTransactionId, Tag)>,
    },
    /// A response to our request. Our own Via is still on top. A 503 while other destinations are left is not shown: the
    /// next is tried (RFC 3263 §4.3).
    Response {
        /// The request it answers.
        delivery: DeliveryId,
        /// The user's mark.
        tag: Tag,
        /// The response.
        response: Response,
        /// Where it came in, and where from.
        flow: Flow,
    },
    /// No final response came and none will. Nothing follows.
    Failed {
        /// The request that failed.
        delivery: DeliveryId,
        /// The user's mark.
        tag: Tag,
        /// Why.
        failure: Failure,
    },
    /// After a final response: the transaction is over (timer D, K or M). Nothing follows.
    Finished {
        /// The request that is done with.
        delivery: DeliveryId,
        /// The user's mark.
        tag: Tag,
    },
    /// A response to a request of ours that no transaction waits for, if the [`TransactionUser`](crate::TransactionUser) takes
    /// these: see [`TAKES_STRAYS`](crate::TransactionUser::TAKES_STRAYS).
    /// Our own Via is on top. A stateless proxy passes it on ([`forward_response`](super::Endpoint::forward_response)); anybody
    /// else must discard it (RFC 6026 §8.9).
    Stray {
        /// The response.
        response: Response,
        /// Where it came in, and where from.
        flow: Flow,
    },
    /// A response could not be delivered, nor to any backup that the sent-by of its request names (RFC 3263 §5). The transaction
    /// stays as it is (RFC 6026 §8.8); what it sends next goes where the request came from.
    Unsent {
        /// The transaction that sent it.
        server: ServerTransactionId,
        /// The user's mark.
        tag: Tag,
    },
    /// A server transaction is over.
    Completed {
        /// The transaction that is gone.
        server: ServerTransactionId,
        /// The user's mark.
        tag: Tag,
        /// Whether the ACK for a non-2xx final response to INVITE came (else timer H fired); true of all other
        /// transactions, which wait for none.
        acknowledged: bool,
    },
    /// A limit was met, and something that peers want was refused. Of many refusals one is told, and the next after 64·T1.
    Overload {
        /// The limit.
        limit: Limit,
        /// How often it has refused something since it was told last, this time included.
        refused: u64,
    },
    /// Something that a peer sent was dropped without an answer, if [`Config::drops`](crate::Config::drops) asks for these.
    Dropped {
        /// Why.
        why: DropCause,
        /// Where it came in, and where from.
        flow: Flow,
        /// Its octets, the first [`Limits::drop_octets`](crate::Limits::drop_octets) of them; of a stream those that are at hand of
        /// the message.
        bytes: SharedBytes,
    },
    /// A connection that was open is no more: closed by either side, reset, or no pong came (RFC 5626 §4.4.1). What was sent
    /// along it and has failed is told for itself.
    FlowFailed {
        /// The flow that is no more.
        flow: Flow,
    },
    /// A timer that the user armed has fired and is gone.
    Timer {
        /// The timer.
        timer: TimerId,
        /// The user's mark.
        tag: Tag,
    },
}

/// Why a request got no final response.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failure {
    /// Nobody answered in time: timer B or F, or 64·T1 after a CANCEL (RFC 3261 §9.1).
    Timeout,
    /// It could not be sent: no way there, or the network said so.
    Transport,
    /// The next hop has no address, or the resolver did not say in time.
    Unresolved,
    /// The next hop is nowhere but at addresses that are special (loopback, private ones and the like), and nobody vouches for them: a
    /// [`Server`](crate::Server) sends nothing there for others.
    Forbidden,
    /// With our Via it is larger than a message can be.
    TooLarge,
    /// It was cancelled before it was sent.
    Cancelled,
}

impl Failure {
    /// The status that this counts as (RFC 3261 §8.1.3.1, §16.9).
    pub const fn status(self) -> StatusCode {
        match self {
            Self::Timeout => StatusCode::REQUEST_TIMEOUT,
            Self::Transport | Self::Unresolved => StatusCode::SERVICE_UNAVAILABLE,
            Self::Forbidden => StatusCode::FORBIDDEN,
            Self::TooLarge => StatusCode::MESSAGE_TOO_LARGE,
            Self::Cancelled => StatusCode::REQUEST_TERMINATED,
        }
    }
}

/// The indications that the transaction user has not yet taken.
#[derive(Clone, Debug, Default)]
pub(super) struct Indications {
    queue: VecDeque<Indication>,
    /// How many of them tell of something that was dropped.
    drops: usize,
}

impl Indications {
    pub(super) fn tell(&mut self, indication: Indication) {
        self.drops += usize::from(matches!(indication, Indication::Dropped { .. }));
        self.queue.push_back(indication);
    }

    pub(super) fn next(&mut self) -> Option<Indication> {
        let indication = self.queue.pop_front()?;
        self.drops -= usize::from(matches!(indication, Indication::Dropped { .. }));
        Some(indication)
    }

    /// How many tell of something that was dropped.
    pub(super) const fn drops(&self) -> usize {
        self.drops
    }

    pub(super) fn is_empty(&self) -> bool {
        self.queue.is_empty()
    }
}
