//! The state of one call: the INVITE's side, and a session for each dialog.

use alloc::boxed::Box;
use alloc::vec::Vec;

use smallvec::SmallVec;

use super::super::compose::{Body, Extra};
use super::super::event::CallState;
use super::super::server::{Proved, Served};
use super::exchange::Exchange;
use super::machine::Phase;
use super::refresh::Refresh;
use super::reliable::Reliable;
use crate::dialog::{DialogId, OfferAnswer, Prospect, ReliableOrder};
use crate::endpoint::DeliveryId;
use crate::message::header::RAck;
use crate::message::{SharedBytes, StatusCode};
use crate::time::{Duration, Instant};
use crate::timer::TimerId;
use crate::transaction::ServerTransactionId;
use crate::user_agent::{AccountId, CallId, RequestId};

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
    pub(super) account: AccountId,
    /// The user who has called, if a guard has had that proved.
    pub(super) user: Option<Box<Proved>>,
    /// The answer to an offer that nobody wants. In a box, as most calls have nothing here.
    pub(super) refusal: Option<Box<Body>>,
}

/// Who sent the INVITE.
#[derive(Clone, Debug)]
pub(super) enum Side {
    Caller(Caller),
    Callee(Callee),
}

/// The state of an INVITE that we sent.
#[derive(Clone, Copy, Debug)]
pub(super) struct Caller {
    /// The INVITE, until its transaction is over.
    pub(super) invite: Option<RequestId>,
    pub(super) progress: Progress,
    /// The call is not wanted any more: each 2xx is acknowledged and ended.
    pub(super) cancelled: bool,
    /// The timer of its Expires, until there is an answer.
    pub(super) expiry: Option<TimerId>,
}

/// The best answer so far to our INVITE.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Progress {
    /// Nothing but perhaps a 100.
    Nothing,
    /// A provisional response above 100.
    Ringing,
    /// A 2xx: no other can be the call.
    Answered,
}

/// The state of an INVITE that we got.
#[derive(Clone, Debug)]
pub(super) enum Callee {
    /// No final response is sent yet. In a box, as all that is needed for a while only: most calls are past it.
    Offered(Box<Offered>),
    /// A 2xx is sent.
    Answered,
}

/// An INVITE that waits for its final response.
#[derive(Clone, Debug)]
pub(super) struct Offered {
    pub(super) served: Served,
    /// The dialog that the first response with a tag makes; `None` once it is made.
    pub(super) prospect: Option<Prospect>,
    /// The last provisional response.
    pub(super) ringing: Option<Ringing>,
    /// When the invitation expires (§13.3.1).
    pub(super) expiry: Option<TimerId>,
    /// The call that the INVITE wants to take the place of (RFC 3891).
    pub(super) replaces: Option<CallId>,
}

/// A provisional response that is repeated every minute (§13.3.1.1).
#[derive(Clone, Debug)]
pub(super) struct Ringing {
    pub(super) timer: TimerId,
    pub(super) status: StatusCode,
    /// `None`: a reliable one, which is not repeated but followed by another.
    pub(super) response: Option<SharedBytes>,
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
    /// It answers a refresh, of which the application does not know.
    pub(super) is_refresh: bool,
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
    /// The fields and the body that the application wants our BYE to carry. In a box, as most calls have nothing here.
    pub(super) farewell: Option<Box<Extra>>,
    /// It is the one that the application knows; the others are forks that answered too.
    pub(super) main: bool,
    /// Which session description is what.
    pub(super) offers: OfferAnswer,
    /// Our 2xx, which is sent again and again until its ACK comes (§13.3.1.4). In a box, as what follows: most sessions have neither.
    pub(super) accepted: Option<Box<Accepted>>,
    pub(super) changes: Option<Box<Changes>>,
}

/// The state of the changes of a session (§14), and of the ACK that waits for its answer.
#[derive(Clone, Debug, Default)]
pub(super) struct Changes {
    /// The change that we want by a re-INVITE.
    pub(super) ours: Option<Ours>,
    /// The change, or the target refresh, that we want by an UPDATE.
    pub(super) update: Option<Ours>,
    /// The change that the peer wants, until the application has decided.
    pub(super) theirs: Option<Theirs>,
    /// The order of the peer's reliable provisional responses to the INVITE of this number.
    pub(super) order: Option<(u32, ReliableOrder)>,
    /// PRACKs of ours that wait for their end.
    pub(super) pracks: Vec<RequestId>,
    /// Requests of the application that wait for their end.
    pub(super) asks: Vec<RequestId>,
    /// The reliable provisional response whose offer waits for the application's answer.
    pub(super) unacknowledged: Option<Unacknowledged>,
    /// Our reliable provisional responses to the call's INVITE. In a box, as most changes have none.
    pub(super) reliable: Option<Box<Reliable>>,
    /// The 2xx whose offer waits for the application's answer.
    pub(super) owed: Option<Owed>,
    /// The last answer that an ACK carried, and the number of its INVITE: another ACK for that INVITE carries the answer again.
    pub(super) answer: Option<(u32, Extra)>,
    /// The ACKs of our re-INVITEs, kept to be repeated until the transactions are over.
    pub(super) acks: Vec<Ack>,
    /// The session timer, if session timers are used. In a box, as most sessions have none.
    pub(super) refresh: Option<Box<Refresh>>,
    /// The last session descriptions, for the refreshes of that timer.
    pub(super) exchange: Option<Box<Exchange>>,
}

/// A change of the session that we want.
#[derive(Clone, Debug)]
pub(super) struct Ours {
    pub(super) stage: Stage,
    /// The fields and the body of the request.
    pub(super) extra: Extra,
    /// How often the change has met one of the peer's.
    pub(super) glares: usize,
    /// The session timer asks for it.
    pub(super) is_refresh: bool,
    /// The application knows of it: it has asked for it, or the refresh has turned out to change the session.
    pub(super) is_told: bool,
    /// The request that is out says something of the session timer, so that its 2xx does, too.
    pub(super) is_timed: bool,
}

/// How far our change has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stage {
    /// The request is out.
    Sent(RequestId),
    /// The request met a change of the peer's, and goes out again later (§14.1, RFC 3311 §5.3).
    Waiting(TimerId),
}

/// A change of the session that the peer wants: its re-INVITE, or its UPDATE with an offer.
#[derive(Clone, Debug)]
pub(super) struct Theirs {
    pub(super) served: Served,
    /// Until the application must have decided.
    pub(super) timer: TimerId,
}

/// An ACK that waits for the answer to the offer of its 2xx.
#[derive(Clone, Copy, Debug)]
pub(super) struct Owed {
    /// The re-INVITE; `None`: the INVITE of the call.
    pub(super) request: Option<RequestId>,
    /// The number of that INVITE.
    pub(super) number: u32,
    /// Until the application must have answered.
    pub(super) timer: TimerId,
}

/// A reliable provisional response whose PRACK waits for the answer to its offer.
#[derive(Clone, Copy, Debug)]
pub(super) struct Unacknowledged {
    pub(super) rack: RAck<'static>,
    /// Until the application must have answered.
    pub(super) timer: TimerId,
}

/// The ACK for the 2xx of a re-INVITE of ours.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ack {
    pub(super) request: RequestId,
    /// `None`: the ACK could not be sent, and the next 2xx gets a new one.
    pub(super) delivery: Option<DeliveryId>,
}

impl Changes {
    /// Whether a transaction of ours is still alive, whose 2xx want their ACK.
    fn is_live(&self) -> bool {
        matches!(self.ours, Some(Ours { stage: Stage::Sent(_), .. })) || !self.acks.is_empty()
    }
}

impl Session {
    /// A session whose dialog has just begun, with what the INVITE has offered.
    pub(super) fn new(dialog: DialogId, main: bool, offers: OfferAnswer) -> Self {
        let (phase, ack, bye) = (Phase::Early, None, None);
        Self { dialog, phase, ack, bye, farewell: None, main, offers, accepted: None, changes: None }
    }

    /// The state of changes, which is kept from now on.
    pub(super) fn changes(&mut self) -> &mut Changes {
        self.changes.get_or_insert_with(Box::default)
    }

    /// Whether the ACK of the 2xx to the call's INVITE waits for an answer.
    pub(super) fn awaits_answer(&self) -> bool {
        let owed = self.changes.as_ref().and_then(|changes| changes.owed.as_ref());
        owed.is_some_and(|owed| owed.request.is_none())
    }

    /// Whether a re-INVITE of ours is still alive.
    pub(super) fn has_changes(&self) -> bool {
        self.changes.as_ref().is_some_and(|changes| changes.is_live())
    }
}

impl Call {
    /// The state that the application sees.
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

    /// The session that the application knows, to be changed.
    pub(super) fn main_mut(&mut self) -> Option<&mut Session> {
        self.sessions.iter_mut().find(|session| session.main)
    }

    /// The session of a dialog. At most [`Limits::forks`](crate::user_agent::Limits::forks) and one more are looked at.
    pub(super) fn session_mut(&mut self, dialog: DialogId) -> Option<&mut Session> {
        self.sessions.iter_mut().find(|session| session.dialog == dialog)
    }

    /// Whether the peer of a session is yet to be told of the end, or has not answered that.
    pub(super) fn is_ending(&self) -> bool {
        self.sessions.iter().any(|session| matches!(session.phase, Phase::Leaving | Phase::Ending))
    }

    /// Whether nothing can come of the call any more, now that the application knows that it is over.
    pub(super) fn is_done(&self) -> bool {
        self.over
            && !matches!(&self.side, Side::Caller(Caller { invite: Some(_), .. }))
            && !self.is_ending()
            && !self.sessions.iter().any(Session::has_changes)
    }
}
