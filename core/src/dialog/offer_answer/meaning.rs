//! Messages that carry session descriptions, and their meaning for a session.

use crate::dialog::end::End;
use crate::message::StatusCode;

/// A message that may carry an offer or an answer, or that ends a transaction which does.
///
/// Only what the transactions and the order of a dialog let through counts: no retransmissions of requests, no
/// responses to a transaction that is over, no requests whose CSeq is out of order. A message that is refused for
/// another reason (a challenge, a malformed body) does not count either, nor does its refusal at the end that refuses.
/// A time-out counts as the failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Carrier {
    /// An INVITE, the first one of the dialog or a re-INVITE.
    Invite,
    /// A provisional response to an INVITE that is not sent reliably.
    Provisional,
    /// A provisional response to an INVITE that is sent reliably (RFC 3262).
    Reliable,
    /// A 2xx to an INVITE.
    InviteSuccess,
    /// Any other final response to an INVITE.
    InviteFailure,
    /// The ACK of a 2xx to the last INVITE of the dialog.
    Ack,
    /// The PRACK of the reliable response that carries the offer or the answer, or a PRACK that has a session
    /// description itself. Its INVITE is the last one of the dialog. Other PRACKs do not count: they may be in progress
    /// beside this PRACK.
    Prack,
    /// A 2xx to such a PRACK.
    PrackSuccess,
    /// Any other final response to such a PRACK.
    PrackFailure,
    /// An UPDATE (RFC 3311).
    Update,
    /// A 2xx to an UPDATE.
    UpdateSuccess,
    /// Any other final response to an UPDATE.
    UpdateFailure,
}

/// The meaning of a message for the session.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Meaning {
    /// Nothing.
    Nothing,
    /// Its description is an offer.
    Offer,
    /// Its description is the answer: the exchange is complete.
    Answer,
    /// Its description is a preview of the answer to the INVITE's offer. The answer must be equal to the preview, and
    /// the caller acts as if the preview were the answer (RFC 3261 §13.2.1, RFC 6337 §3.1.1).
    Preview,
    /// The exchange is complete, and the answer is the description of the first preview: a caller ignores a description
    /// in this message (RFC 3261 §13.2.1, RFC 6337 §3.1.1).
    PreviewedAnswer,
    /// Its description is ignored: the exchange of that description is complete (RFC 6337 §3.1.1, §3.1.2).
    Repeated,
    /// The offer is refused: the session is as it was before (RFC 3261 §14.1, RFC 3311 §5.3).
    Refused,
    /// The re-INVITE failed though an exchange within it was completed, which stays in force. The caller sends a new
    /// offer, so that both ends have one view of the session (RFC 6141 §3.4). Nothing follows where the INVITE
    /// was the first of the dialog.
    Synchronize,
}

/// Why a message does not fit. If the message is ours, nothing is sent and nothing has changed; an ACK alone is sent
/// all the same. If the message is a request of the peer, nothing has changed and the request is
/// [refused](Self::refusal).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Misplaced {
    /// A request, an offer or an exchange of this end is in progress (RFC 6337 §4.3).
    Pending(End),
    /// The message has no session description and must have one: the offer or the answer is due in it. An exchange that
    /// can no longer be completed is over, and the session is as it was before: with an ACK, or with a final response
    /// that is received.
    Missing,
    /// Nobody asked for the session description. A description that is received is ignored.
    Unexpected,
    /// A reliable provisional response with a session description waits for its PRACK, so that there can be no 2xx
    /// (RFC 3262 §3). If the 2xx is received, an offer that was not answered is void.
    Unacknowledged,
}

impl Misplaced {
    /// The status that a request of the peer is refused with. `None` for an ACK and for responses: they cannot be
    /// refused. The 500 has a Retry-After of 0 to 10 seconds, drawn at random (RFC 3261 §14.2, RFC 3311 §5.2).
    pub const fn refusal(self, request: Carrier) -> Option<StatusCode> {
        if !matches!(request, Carrier::Invite | Carrier::Prack | Carrier::Update) {
            return None;
        }
        Some(match self {
            Self::Pending(End::Ours) => StatusCode::REQUEST_PENDING,
            Self::Pending(End::Theirs) => StatusCode::SERVER_INTERNAL_ERROR,
            Self::Missing | Self::Unexpected | Self::Unacknowledged => StatusCode::BAD_REQUEST,
        })
    }
}
