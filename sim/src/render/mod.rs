//! Runs made visible.

mod figures;
mod label;
mod ladder;

pub use figures::Figures;
pub use label::{Label, labels};
pub use ladder::ladder;
