//! Trouble that happens at the sockets and is nobody's request: told now and then, never once a packet.

use std::fmt;
use std::io;

use sansip::{Duration, Instant};

/// The step that was tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Attempt {
    /// To accept a connection: mostly the process has no descriptors left. The driver tries again by itself.
    Accept,
    /// To shake hands with a peer that has connected: TLS or WebSocket. The node has not heard of that peer.
    Handshake,
    /// To send a datagram. The node was told that its destination cannot be reached.
    Send,
    /// To open a connection. The node was told.
    Open,
    /// To read or write along a connection, which has broken. The node was told. A connection that the far end has ended or reset is no
    /// trouble.
    Stream,
    /// To get socket buffers of the size that was asked for. Datagrams may be lost under load.
    Buffers,
    /// To ask the resolver: too many questions are open, or it cannot be started. The node was told that there is no answer.
    Resolve,
}

/// An attempt that failed, for a log. Calls in progress go on.
#[derive(Debug)]
pub struct Trouble {
    /// The attempt.
    pub attempt: Attempt,
    /// How often it failed since it was told last, this time included.
    pub count: u64,
    /// Why, the first time.
    pub error: io::Error,
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = match self.attempt {
            Attempt::Accept => "a connection could not be accepted",
            Attempt::Handshake => "a handshake failed",
            Attempt::Send => "a datagram could not be sent",
            Attempt::Open => "a connection could not be opened",
            Attempt::Stream => "a connection has broken",
            Attempt::Buffers => "the system grants no larger socket buffers",
            Attempt::Resolve => "the resolver could not be asked",
        };
        write!(f, "{what}: {}", self.error)?;
        if self.count > 1 { write!(f, " ({} times)", self.count) } else { Ok(()) }
    }
}

/// How long nothing more is told of an attempt that failed.
const QUIET: Duration = Duration::from_secs(30);

/// All that went wrong and is not told yet, at most one of each kind.
#[derive(Debug, Default)]
pub(crate) struct Troubles {
    waiting: Vec<Trouble>,
    told: Vec<(Attempt, Instant)>,
}

impl Troubles {
    pub(crate) fn note(&mut self, attempt: Attempt, error: io::Error) {
        match self.waiting.iter_mut().find(|trouble| trouble.attempt == attempt) {
            Some(trouble) => trouble.count += 1,
            None => self.waiting.push(Trouble { attempt, count: 1, error }),
        }
    }

    /// The oldest that may be told at `now`.
    pub(crate) fn take(&mut self, now: Instant) -> Option<Trouble> {
        if self.waiting.is_empty() {
            return None;
        }
        self.told.retain(|(_, at)| now.since(*at) < QUIET);
        let is_quiet = |attempt| self.told.iter().any(|(told, _)| *told == attempt);
        let next = self.waiting.iter().position(|trouble| !is_quiet(trouble.attempt))?;
        let trouble = self.waiting.remove(next);
        self.told.push((trouble.attempt, now));
        Some(trouble)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_trouble_is_told_at_once_and_then_counted_for_a_while() {
        let mut troubles = Troubles::default();
        let fail = || io::Error::from(io::ErrorKind::NetworkUnreachable);
        troubles.note(Attempt::Send, fail());
        assert_eq!(troubles.take(Instant::ZERO).map(|trouble| trouble.count), Some(1));
        (0..3).for_each(|_| troubles.note(Attempt::Send, fail()));
        troubles.note(Attempt::Accept, fail());
        let other = troubles.take(Instant::from_millis(1)).expect("another kind is not kept back");
        assert_eq!((other.attempt, other.count), (Attempt::Accept, 1));
        assert!(troubles.take(Instant::from_millis(29_999)).is_none());
        let trouble = troubles.take(Instant::from_millis(30_000)).expect("it is time");
        assert_eq!(trouble.to_string(), "a datagram could not be sent: network unreachable (3 times)");
    }
}
