//! What is kept of one call: the INVITE's side, and a leg for each dialog.

use alloc::boxed::Box;

use smallvec::SmallVec;

use super::event::CallState;
use super::uas::Served;
use crate::dialog::{Dialog, DialogKey};
use crate::endpoint::DeliveryId;
use crate::message::{Request, SharedBytes};
use crate::time::{Duration, Instant};
use crate::timer::TimerId;
use crate::transaction::ServerTransactionId;

/// A call, from the INVITE until nothing more can come of it. After the application has been told that it is over, it may
/// stay for a while: to acknowledge repeated 2xx, and until its BYEs are answered.
#[derive(Clone, Debug)]
pub(super) struct Call {
    pub(super) call_id: Box<str>,
    pub(super) side: Side,
    /// One for each dialog: of an INVITE of ours there may be several (§13.2.2.4).
    pub(super) legs: SmallVec<[Leg; 1]>,
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
#[derive(Clone, Debug)]
pub(super) struct Caller {
    /// The INVITE, until its transaction is over. In a box, as all that is needed for a while only: most calls are past it.
    pub(super) invite: Option<Box<Invite>>,
    /// A provisional response above 100 has come.
    pub(super) ringing: bool,
    /// A 2xx has come: no other can be the call.
    pub(super) answered: bool,
    /// The call is not wanted any more: each 2xx is acknowledged and ended.
    pub(super) cancelled: bool,
}

/// An INVITE that we sent.
#[derive(Clone, Debug)]
pub(super) struct Invite {
    pub(super) delivery: DeliveryId,
    pub(super) request: Request,
}

/// What is kept of an INVITE that we got.
#[derive(Clone, Debug)]
pub(super) enum Callee {
    /// No final response is sent yet.
    Offered(Box<Offered>),
    /// A 2xx is sent, and again and again until its ACK comes (§13.3.1.4).
    Accepted(Box<Accepted>),
    /// The ACK for the 2xx has come.
    Confirmed,
}

/// An INVITE that waits for its final response.
#[derive(Clone, Debug)]
pub(super) struct Offered {
    pub(super) served: Served,
    /// Repeats the 180 every minute (§13.3.1.1).
    pub(super) ringing: Option<TimerId>,
    /// When the invitation expires (§13.3.1).
    pub(super) expiry: Option<TimerId>,
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
    /// The user has hung up; the BYE must wait for the ACK (§15).
    pub(super) hung_up: bool,
}

/// One dialog of a call.
#[derive(Clone, Debug)]
pub(super) struct Leg {
    pub(super) dialog: Dialog,
    /// Where the index of dialogs has it.
    pub(super) hash: u64,
    pub(super) state: LegState,
    /// The ACK for its 2xx, kept to be repeated.
    pub(super) ack: Option<DeliveryId>,
    /// It is the one that the application knows; the others are forks that answered too.
    pub(super) main: bool,
}

/// How far a leg has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum LegState {
    Early,
    Established,
    /// Our BYE is on its way.
    Ending(DeliveryId),
    /// Ended; kept to acknowledge repeated 2xx.
    Over,
}

impl Call {
    /// What the application sees.
    pub(super) fn state(&self) -> CallState {
        if self.legs.iter().any(|leg| leg.main && matches!(leg.state, LegState::Ending(_))) {
            return CallState::Ending;
        }
        match &self.side {
            Side::Caller(Caller { cancelled: true, .. }) => CallState::Ending,
            Side::Caller(Caller { answered: true, .. }) => CallState::Established,
            Side::Caller(Caller { ringing: true, .. }) => CallState::Ringing,
            Side::Caller(_) => CallState::Calling,
            Side::Callee(Callee::Offered(_)) => CallState::Incoming,
            Side::Callee(Callee::Accepted(accepted)) if accepted.hung_up => CallState::Ending,
            Side::Callee(_) => CallState::Established,
        }
    }

    /// The leg of that dialog. At most [`Limits::forks`](super::Limits::forks) and one more are looked at.
    pub(super) fn leg(&self, key: DialogKey<'_>) -> Option<usize> {
        self.legs.iter().position(|leg| leg.dialog.id.as_key() == key)
    }

    /// The leg that the application knows.
    pub(super) fn main_leg(&self) -> Option<usize> {
        self.legs.iter().position(|leg| leg.main)
    }

    /// Whether anything can still come of it after it is over.
    pub(super) fn is_done(&self) -> bool {
        self.over
            && !matches!(&self.side, Side::Caller(Caller { invite: Some(_), .. }))
            && !self.legs.iter().any(|leg| matches!(leg.state, LegState::Ending(_)))
    }
}
