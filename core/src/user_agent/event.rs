//! What the application is told, and what it can ask.

use crate::endpoint::DropCause;
use crate::error::Limit;
use crate::flow::Flow;
use crate::message::{Request, Response, SharedBytes, StatusCode};
use crate::user_agent::{CallId, RegistrationId};

/// Something the application wants to know.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Event {
    /// Somebody calls. Ring, answer or reject.
    Incoming {
        /// The new call.
        call: CallId,
        /// The INVITE.
        request: Request,
    },
    /// A provisional response (101 to 199) to our INVITE.
    Progress {
        /// The call.
        call: CallId,
        /// The response.
        response: Response,
    },
    /// A 2xx to our INVITE; the ACK is out. At most once in a call: other forks that answer are ended by themselves
    /// (RFC 3261 §13.2.2.4). Not said of a call that we have cancelled.
    Answered {
        /// The call.
        call: CallId,
        /// The 2xx.
        response: Response,
    },
    /// The ACK for our 2xx arrived.
    Confirmed {
        /// The call.
        call: CallId,
    },
    /// The call was never established and is over; the handle is gone.
    Failed {
        /// The call.
        call: CallId,
        /// Why: of our INVITE the final response, or 408 for a time-out, 503 for a transport error (RFC 3261 §8.1.3.1) and
        /// 487 when our cancelling is all that happened; of the peer's INVITE 487, because it cancelled it or it expired.
        status: StatusCode,
        /// The final response, if one came.
        response: Option<Response>,
    },
    /// An established call is over; the handle is gone.
    Ended {
        /// The call.
        call: CallId,
        /// Why.
        cause: EndCause,
    },
    /// A limit was met, and something that peers want was refused. Of many refusals one is told, and the next after 64·T1.
    Overload {
        /// The limit.
        limit: Limit,
        /// How often it has refused something since it was told last, this time included.
        refused: u64,
    },
    /// What a peer sent was dropped without an answer, if [`Config::drops`](crate::Config::drops) asks for these.
    Dropped {
        /// Why.
        why: DropCause,
        /// Where it came in, and where from.
        flow: Flow,
        /// Its first octets.
        bytes: SharedBytes,
    },
    /// The registrar has taken a registration, refreshed it, or removed it.
    Registered {
        /// The registration.
        registration: RegistrationId,
        /// The 2xx; its Contacts are the bindings (RFC 3261 §10.2.4).
        response: Response,
    },
    /// The registrar has refused a registration or did not answer. Nothing more is tried before the next command.
    RegistrationFailed {
        /// The registration.
        registration: RegistrationId,
        /// The final response's, or 408 for a time-out and 503 for a transport error.
        status: StatusCode,
        /// The final response, if one came.
        response: Option<Response>,
    },
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
}

/// How far a call has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum CallState {
    /// We have sent an INVITE and heard nothing but perhaps a 100.
    Calling,
    /// We have sent an INVITE and a provisional response came.
    Ringing,
    /// We have got an INVITE and not decided yet.
    Incoming,
    /// A 2xx was sent or received.
    Established,
    /// We are hanging up: CANCEL or BYE is on its way, or waits until it may be sent.
    Ending,
}

/// A call that is alive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CallInfo<'a> {
    /// Its handle.
    pub call: CallId,
    /// The Call-ID of its messages.
    pub call_id: &'a str,
    /// How far it has come.
    pub state: CallState,
}
