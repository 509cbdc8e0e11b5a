//! All that the application puts into a message besides what the core writes: bodies (`body.rs`), header fields (`extra.rs`), final
//! responses (`reply.rs`), requests outside of dialogs (`outgoing.rs`), and what stands in all messages of a sort (`standing.rs`), by the
//! commands of `commands.rs`.

mod body;
mod commands;
mod extra;
mod outgoing;
mod reply;
mod standing;

pub use body::Body;
pub use extra::Extra;
pub(super) use extra::is_owned;
pub use outgoing::Outgoing;
pub use reply::Reply;
pub use standing::Messages;
pub(super) use standing::{Sort, Standing, stand};
