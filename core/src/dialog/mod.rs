//! Dialogs: the relation of two user agents over time (RFC 3261 §12).
//!
//! Reading order: [`DialogName`], [`RouteSet`], [`Sequence`], [`Dialog`], which is made of them, and [`Dialogs`], a table of dialogs.
//! Beside these is what a session stands on: [`OfferAnswer`], [`ReliableResponses`] and [`ReliableOrder`], [`SessionTimer`], and
//! [`ResponseEffect`].

#[expect(clippy::module_inception, reason = "the file of the thing itself")]
mod dialog;
mod end;
mod name;
mod offer_answer;
mod reliable;
mod response_effect;
mod route_set;
mod sequence;
mod session_timer;
mod table;

pub(crate) use crate::keyed_index::KeyedIndex;
pub(crate) use dialog::Prospect;
pub use dialog::{Dialog, DialogState};
pub use end::End;
pub use name::{DialogKey, DialogName};
pub use offer_answer::{Carrier, InvitePhase, Meaning, Misplaced, OfferAnswer, OfferAnswerState};
pub use reliable::{Acknowledged, Limits, ReliableArrival, ReliableDue, ReliableOrder, ReliableResponses};
pub use response_effect::{Again, Ended, Purpose, ResponseEffect};
pub use route_set::{Path, RouteSet};
pub(crate) use route_set::{request_target, request_uri, write_parameter};
pub use sequence::Sequence;
pub use session_timer::{
    IntervalTooSmall, LEAST_SESSION_INTERVAL, RefreshRefused, SessionDue, SessionTimer, SessionTimerSettings,
    TimerAnswer, TimerRequest,
};
pub use table::{DialogId, DialogKind, Dialogs};
