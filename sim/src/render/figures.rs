//! A run in one line.

use std::fmt;

use sansip::Instant;

use super::labels;
use crate::fault::Fate;
use crate::trace::{Trace, Transmission};

/// How much was sent in a run, and how long it took on the virtual clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Figures {
    /// Messages sent, each counted once.
    pub messages: usize,
    /// Further copies of them that were sent.
    pub retransmissions: usize,
    /// Messages and copies that did not arrive.
    pub lost: usize,
    /// Messages and copies that arrived twice.
    pub duplicated: usize,
    /// From zero to the end of the run.
    pub simulated: Instant,
}

impl Figures {
    /// Counts a trace that ended at `end`.
    pub fn of(trace: &Trace, end: Instant) -> Self {
        let count =
            |wanted: fn(&Transmission) -> bool| trace.transmissions().filter(|(_, _, sent)| wanted(sent)).count();
        let labels = labels(trace);
        let retransmissions = labels.values().filter(|label| label.resent).count();
        Self {
            messages: labels.len() - retransmissions,
            retransmissions,
            lost: count(Transmission::is_lost),
            duplicated: count(|sent| matches!(sent.fate, Fate::Arrives { again: Some(_), .. })),
            simulated: end,
        }
    }
}

impl fmt::Display for Figures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { messages, retransmissions, lost, duplicated, simulated } = self;
        write!(
            f,
            "{messages} messages, {retransmissions} retransmissions, {lost} lost, {duplicated} duplicated, \
             {simulated} s simulated"
        )
    }
}
