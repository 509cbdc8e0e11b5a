//! Faults are data.
//!
//! A [`Plan`] says what happens to which message, and what happens to the network when: `atlanta>biloxi#3:drop, bob>biloxi#1:+700ms,
//! biloxi@12s:crash`. [`Weather`] draws faults from a seed; a world records the faults that it met as a plan, and that plan alone
//! gives the same run again. docs/simulation.md has the grammar.

mod dice;
mod event;
mod fate;
mod plan;
mod preset;
mod selector;
mod span;
#[cfg(feature = "proptest")]
mod strategy;
mod weather;

pub(crate) use dice::Dice;
pub use event::{ClockChange, DnsFault, Event, Side, TimedFault};
pub use fate::{Effect, Fate, Flip};
pub use plan::{Fault, Plan, PlanError};
pub use preset::Preset;
pub(crate) use selector::is_name;
pub use selector::{End, Kind, Method, Selector, Status};
pub(crate) use span::Span;
#[cfg(feature = "proptest")]
pub use strategy::strategy;
pub(crate) use weather::LinkDice;
pub use weather::Weather;
