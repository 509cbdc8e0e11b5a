//! Dialogs: the relation of two user agents over time (RFC 3261 §12).
//!
//! Reading order: [`DialogName`], [`RouteSet`], [`Sequence`], [`Dialog`], which is made of them, and [`Dialogs`], a table of dialogs.

#[expect(clippy::module_inception, reason = "the file of the thing itself")]
mod dialog;
mod name;
mod response_effect;
mod route_set;
mod sequence;
mod table;

pub(crate) use crate::keyed_index::KeyedIndex;
pub use dialog::{Dialog, DialogState};
pub use name::{DialogKey, DialogName};
pub use response_effect::{Again, Ended, Purpose, ResponseEffect};
pub use route_set::{Path, RouteSet};
pub(crate) use route_set::{request_target, request_uri, write_parameter};
pub use sequence::Sequence;
pub use table::{DialogId, DialogKind, Dialogs};
