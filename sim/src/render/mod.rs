//! Runs made visible.

mod events;
mod figures;
mod label;
mod ladder;
mod mermaid;
mod messages;
mod page;
pub mod picture;
mod report;
pub(crate) mod state;
mod svg;

pub use events::{VERSION, events, sent};
pub use figures::Figures;
pub use label::{Label, labels};
pub use ladder::ladder;
pub use mermaid::{MERMAID_ROWS, mermaid};
pub use messages::messages;
pub use page::{EXPLAINED, OPEN_ROWS, PAGE_ROWS, Page, explain};
pub use report::SweepReport;
pub use svg::{SVG_ROWS, svg};
