//! All that the application puts into a message besides what the core writes: bodies (`body.rs`), header fields (`extra.rs`), final
//! responses (`reply.rs`), requests outside of dialogs (`outgoing.rs`), and what is given beforehand for later messages (`given.rs`).

mod body;
mod extra;
mod given;
mod outgoing;
mod reply;

pub use body::Body;
pub use extra::Extra;
pub(super) use extra::is_owned;
pub(super) use given::Given;
pub use outgoing::Outgoing;
pub use reply::Reply;
