//! Runs made visible.

mod events;
mod figures;
mod label;
mod ladder;
mod messages;

pub use events::{VERSION, events, sent};
pub use figures::Figures;
pub use label::{Label, labels};
pub use ladder::ladder;
pub use messages::messages;
