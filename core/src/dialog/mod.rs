//! Dialogs: the relation of two user agents over time (RFC 3261 §12).
//!
//! Reading order: [`DialogId`], [`RouteSet`], [`Sequence`], then [`Dialog`], which is made of them.

#[expect(clippy::module_inception, reason = "the file of the thing itself")]
mod dialog;
mod id;
mod response_effect;
mod route_set;
mod sequence;

pub(crate) use crate::keyed_index::KeyedIndex;
pub use dialog::{Dialog, DialogState};
pub use id::{DialogId, DialogKey};
pub use response_effect::{Again, Ended, Purpose, ResponseEffect};
pub use route_set::{Path, RouteSet};
pub(crate) use route_set::{request_target, request_uri, write_parameter};
pub use sequence::Sequence;
