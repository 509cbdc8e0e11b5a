//! The choices for a datagram.

use sansip::{Duration, Instant, Timers};

use crate::fault::{Effect, Fate};
use crate::packet::Packet;
use crate::trace::{Trace, Transmission};

/// A copy comes so much later: the receiver has done by then what the first one made it do.
const AGAIN: Duration = Duration::from_millis(15);
/// A datagram that is late past some moment is late by so much more.
const PAST: Duration = Duration::from_millis(5);

/// The faults of a datagram, the `index`-th entry of the trace: it is lost, it arrives twice, it is late past the next copy
/// that its sender sends, it is late past 64·T1.
pub(super) fn fates(trace: &Trace, index: usize, sent: &Transmission) -> [Fate; 4] {
    let timers = Timers::default();
    let copies = trace.entries()[..index].iter().filter(|entry| is_copy(&entry.what, sent)).count();
    let doubled = timers.t1 * (1 << copies.min(7));
    let is_invite = Packet::read(&sent.bytes).is_some_and(|packet| packet.is_request() && packet.method == "INVITE");
    let next_copy = if is_invite { doubled } else { doubled.min(timers.t2) };
    let again = Fate::FINE.with(Effect::Again(AGAIN)).unwrap_or(Fate::FINE);
    [Fate::Lost, again, Fate::late(next_copy + PAST), Fate::late(timers.sixty_four_t1() + PAST)]
}

fn is_copy(what: &crate::trace::What, sent: &Transmission) -> bool {
    let crate::trace::What::Sent(earlier) = what else { return false };
    earlier.from == sent.from && earlier.destination == sent.destination && earlier.bytes == sent.bytes
}

/// Whether a datagram sent at that time belongs to the call; Bob's registration comes before.
pub(super) fn is_of_call(time: Instant) -> bool {
    time >= crate::topology::CALL_AT
}
