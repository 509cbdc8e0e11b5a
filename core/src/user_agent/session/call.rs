//! What is kept of one call: the INVITE's side, and a session for each dialog.

use alloc::boxed::Box;

use smallvec::SmallVec;

use super::super::compose::Extra;
use super::super::event::CallState;
use super::super::server::Served;
use super::machine::Phase;
use crate::dialog::DialogId;
use crate::endpoint::DeliveryId;
use crate::message::{SharedBytes, StatusCode};
use crate::time::{Duration, Instant};
use crate::timer::TimerId;
use crate::transaction::ServerTransactionId;
use crate::user_agent::RequestId;

/// A call, from the INVITE until nothing more can come of it. After the application has been told that the call is over, it may
/// stay for a while: to acknowledge repeated 2xx, and until its BYEs are answered.
#[derive(Clone, Debug)]
pub(super) struct Call {
    pub(super) call_id: Box<str>,
    pub(super) side: Side,
    /// A session for each dialog: an INVITE of ours may make several (§13.2.2.4).
    pub(super) sessions: SmallVec<[Session; 1]>,
    /// The application knows that the call is over.
    pub(super) over: bool,
}

/// Who sent the INVITE.
#[derive(Clone, Debug)]
pub(super) enum Side {
    Caller(Caller),
    Callee(Callee),
}

/// What is kept of an INVITE that we sent.
#[derive(Clone, Copy, Debug)]
pub(super) struct Caller {
    /// The INVITE, until its transaction is over.
    pub(super) invite: Option<RequestId>,
    pub(super) progress: Progress,
    /// The call is not wanted any more: each 2xx is acknowledged and ended.
    pub(super) cancelled: bool,
}

/// What has come back for our INVITE.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Progress {
    /// Nothing but perhaps a 100.
    Nothing,
    /// A provisional response above 100.
    Ringing,
    /// A 2xx: no other can be the call.
    Answered,
}

/// What is kept of an INVITE that we got.
#[derive(Clone, Debug)]
pub(super) enum Callee {
    /// No final response is sent yet. In a box, as all that is needed for a while only: most calls are past it.
    Offered(Box<Offered>),
    /// A 2xx is sent, and again and again until its ACK comes (§13.3.1.4).
    Accepted(Box<Accepted>),
    /// The 2xx is not repeated any more.
    Settled,
}

/// An INVITE that waits for its final response.
#[derive(Clone, Debug)]
pub(super) struct Offered {
    pub(super) served: Served,
    /// The last provisional response.
    pub(super) ringing: Option<Ringing>,
    /// When the invitation expires (§13.3.1).
    pub(super) expiry: Option<TimerId>,
}

/// A provisional response that is repeated every minute (§13.3.1.1).
#[derive(Clone, Debug)]
pub(super) struct Ringing {
    pub(super) timer: TimerId,
    pub(super) status: StatusCode,
    pub(super) response: SharedBytes,
}

/// A 2xx of ours that waits for its ACK.
#[derive(Clone, Debug)]
pub(super) struct Accepted {
    pub(super) server: ServerTransactionId,
    pub(super) response: SharedBytes,
    /// The number that the ACK must carry.
    pub(super) number: u32,
    pub(super) timer: TimerId,
    /// Until the next 2xx after the one that `timer` waits for: doubles up to T2.
    pub(super) interval: Duration,
    /// 64·T1 after the first 2xx.
    pub(super) give_up: Instant,
}

/// The session of one dialog of a call.
#[derive(Clone, Debug)]
pub(super) struct Session {
    pub(super) dialog: DialogId,
    pub(super) phase: Phase,
    /// The ACK for its 2xx, kept to be repeated.
    pub(super) ack: Option<DeliveryId>,
    /// Our BYE.
    pub(super) bye: Option<RequestId>,
    /// What the application wants our BYE to carry. In a box, as most calls have nothing here.
    pub(super) farewell: Option<Box<Extra>>,
    /// It is the one that the application knows; the others are forks that answered too.
    pub(super) main: bool,
}

impl Call {
    /// What the application sees.
    pub(super) fn state(&self) -> CallState {
        if self.main().is_some_and(|session| matches!(session.phase, Phase::Leaving | Phase::Ending)) {
            return CallState::Ending;
        }
        match &self.side {
            Side::Caller(Caller { cancelled: true, .. }) => CallState::Ending,
            Side::Caller(Caller { progress, .. }) => match progress {
                Progress::Nothing => CallState::Calling,
                Progress::Ringing => CallState::Ringing,
                Progress::Answered => CallState::Established,
            },
            Side::Callee(Callee::Offered(_)) => CallState::Incoming,
            Side::Callee(_) => CallState::Established,
        }
    }

    /// The session that the application knows.
    pub(super) fn main(&self) -> Option<&Session> {
        self.sessions.iter().find(|session| session.main)
    }

    /// The session of a dialog. At most [`Limits::forks`](crate::user_agent::Limits::forks) and one more are looked at.
    pub(super) fn session_mut(&mut self, dialog: DialogId) -> Option<&mut Session> {
        self.sessions.iter_mut().find(|session| session.dialog == dialog)
    }

    /// Whether nothing can come of the call any more, now that the application knows that it is over.
    pub(super) fn is_done(&self) -> bool {
        self.over
            && !matches!(&self.side, Side::Caller(Caller { invite: Some(_), .. }))
            && !self.sessions.iter().any(|session| session.phase == Phase::Ending)
    }
}
