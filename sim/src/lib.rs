//! The simulator.
pub mod inspect;
