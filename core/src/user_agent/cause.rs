//! Why something came to nothing, or is over.

use crate::endpoint::Failure;
use crate::message::{Request, Response, StatusCode};

/// Why a request of ours, or the call or registration that it was for, came to nothing; or why a peer's INVITE did.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Cause {
    /// The peer said no: its final response, 300 to 699.
    Refused(Response),
    /// No final response came in time.
    TimedOut,
    /// The request could not be sent, or the network said that it did not arrive; or a 2xx said no way by which its ACK could go.
    Unreachable,
    /// The next hop has no address, or the resolver did not say in time (RFC 3263).
    Unresolved,
    /// With our Via the request is larger than a message can be.
    TooLarge,
    /// The caller does not want the call any more. The peer's CANCEL or BYE, if it was the peer, whose Reason may say more, such as
    /// that the call was completed elsewhere (RFC 3326).
    Cancelled(Option<Request>),
    /// The invitation's Expires has passed, the peer's (RFC 3261 §13.3.1) or ours (§13.2.1), or the time for a decision.
    Expired,
    /// No PRACK for a reliable provisional response of ours came in 64·T1 (RFC 3262 §3).
    Unacknowledged,
    /// The dialog is over. The peer does not know the early dialog of the call, or does not answer in it: the end of our UPDATE, of which
    /// [`Event::ModifyFailed`](super::Event::ModifyFailed) has told (RFC 3311 §5.3), or of a PRACK says so. Or the response to a request of
    /// another usage of the subscription's dialog says that the dialog is over (RFC 5057 §5.1). Or the session has ended while a REFER waited to
    /// go out again.
    Lost,
}

impl Cause {
    /// The status that this counts as in every rule: that of the response, or 408, 481, 487, 503, 504 or 513 (RFC 3261 §8.1.3.1, §9.1).
    pub fn counts_as(&self) -> StatusCode {
        match self {
            Self::Refused(response) => response.status(),
            Self::TimedOut => StatusCode::REQUEST_TIMEOUT,
            Self::Unreachable | Self::Unresolved => StatusCode::SERVICE_UNAVAILABLE,
            Self::TooLarge => StatusCode::MESSAGE_TOO_LARGE,
            Self::Cancelled(_) | Self::Expired => StatusCode::REQUEST_TERMINATED,
            Self::Lost => StatusCode::CALL_DOES_NOT_EXIST,
            Self::Unacknowledged => StatusCode::SERVER_TIMEOUT,
        }
    }
}

impl From<Failure> for Cause {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Timeout => Self::TimedOut,
            // A user agent's requests are its own, and may go anywhere.
            Failure::Transport | Failure::Forbidden => Self::Unreachable,
            Failure::Unresolved => Self::Unresolved,
            Failure::TooLarge => Self::TooLarge,
            Failure::Cancelled => Self::Cancelled(None),
        }
    }
}

/// Why an established call is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum EndCause {
    /// The peer sent a BYE.
    Remote,
    /// We hung up, and our BYE is answered or given up; also a call that was answered while we cancelled it.
    Local,
    /// No ACK for our 2xx came in 64·T1: a BYE is on its way (RFC 3261 §13.3.1.4).
    Unacknowledged,
    /// The application has not answered the offer of a 2xx in time: ACK and BYE are on their way
    /// ([`Profile::answer_time`](crate::user_agent::Profile::answer_time)).
    Unanswered,
    /// A request of ours in the call had a response that says that the peer has no such call any more, or timed out; then a BYE is on
    /// its way (RFC 3261 §12.2.1.2, RFC 5057 §5.1, §5.2).
    Lost,
    /// The session was not refreshed in time: a BYE is on its way (RFC 4028 §10).
    Expired,
}
