//! The result of a driver's turn.

use crate::Trouble;

/// Why a driver gives its thread back to the application.
#[derive(Debug)]
#[non_exhaustive]
#[must_use]
pub enum Turn<E> {
    /// The node has something to say. Commands may follow from it; then the driver goes on.
    Event(E),
    /// Another thread has called [`Waker::wake`](crate::Waker::wake).
    Woken,
    /// The time that the application has named is there.
    Time,
    /// Something failed that is not the application's doing: a line for a log.
    Trouble(Trouble),
    /// The driver was asked to stop, and there is nothing left to be done, or the time for it is over.
    Stopped {
        /// The node is idle and everything that it sent is written.
        clean: bool,
    },
}
