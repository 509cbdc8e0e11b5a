//! Rounds over many live transactions of one endpoint, for the benchmarks that time them and count their octets.

pub(crate) mod clients;
pub(crate) mod servers;

use std::net::SocketAddr;
use std::time::Instant as Clock;

use sansip::{Config, Duration, Endpoint, Input, Instant, Listener, ListenerId, Output, Seed};

/// Whether a run only shows that the benchmark still works: the smallest sizes, once.
pub(crate) fn is_test() -> bool {
    std::env::args().any(|argument| argument == "--test")
}

/// How often a round of that size is made: until 200,000 operations of each kind are done.
pub(crate) fn repeats(size: usize) -> usize {
    if is_test() { 1 } else { (200_000 / size).max(1) }
}

/// From one operation to the next on the endpoint's clock: no timer falls due while a round of a million is timed.
const STEP: Duration = Duration::from_nanos(50);

/// Who looks on while a round is made.
pub(crate) trait Watch {
    /// Runs one phase of a round, so many operations of one kind.
    fn phase(&mut self, phase: usize, operations: usize, run: impl FnOnce(&mut Lap));
    /// After a phase a transaction keeps so many octets of messages.
    fn keeps(&mut self, phase: usize, octets: f64);
}

/// Finds the slowest operation of a phase.
pub(crate) struct Lap {
    last: Clock,
    pub(crate) slowest: u128,
}

impl Lap {
    pub(crate) fn new() -> Self {
        Self { last: Clock::now(), slowest: 0 }
    }

    pub(crate) fn done(&mut self) {
        let now = Clock::now();
        self.slowest = self.slowest.max((now - self.last).as_nanos());
        self.last = now;
    }
}

/// In which order the transactions are dealt with after they have begun.
#[derive(Clone, Copy)]
pub(crate) enum Order {
    /// As it mostly is.
    Arrival,
    /// As it never is: no cache can guess what comes next.
    Random,
}

impl Order {
    pub(crate) fn of(self, size: usize) -> Vec<u32> {
        let mut order: Vec<u32> = (0..size as u32).collect();
        if let Self::Random = self {
            let mut state = 0x9E37_79B9_7F4A_7C15_u64;
            for place in (1..size).rev() {
                state ^= state << 13;
                state ^= state >> 7;
                state ^= state << 17;
                order.swap(place, (state % (place as u64 + 1)) as usize);
            }
        }
        order
    }
}

/// An endpoint, its clock, and one address.
pub(crate) struct Bench {
    pub(crate) endpoint: Endpoint,
    listener: ListenerId,
    pub(crate) now: Instant,
}

impl Bench {
    pub(crate) fn new() -> Self {
        let mut config = Config::new(Seed::from_u64(1));
        config.limits.transaction.server_transactions = 2_000_000;
        config.limits.deliveries = 2_000_000;
        let mut endpoint = Endpoint::new(config);
        let listener = endpoint.listen(Listener::udp(SocketAddr::from(([192, 0, 2, 1], 5060))));
        Self { endpoint, listener, now: Instant::ZERO }
    }

    pub(crate) fn receive(&mut self, number: u32, bytes: &[u8]) {
        self.now += STEP;
        while self.endpoint.fire(self.now) {}
        let _ =
            self.endpoint.handle(self.now, Input::Datagram { listener: self.listener, remote: remote(number), bytes });
    }

    /// Takes the one output.
    pub(crate) fn sent(&mut self) -> Option<sansip::message::SharedBytes> {
        match self.endpoint.poll()? {
            Output::Send(transmit) => Some(transmit.bytes),
            _ => None,
        }
    }

    /// Fires all timers up to `until` and takes what comes of it; how many messages were sent.
    pub(crate) fn run(&mut self, until: Duration, lap: &mut Lap) -> usize {
        let end = Instant::ZERO + until;
        let mut sent = 0;
        while let Some(deadline) = self.endpoint.deadline().filter(|deadline| *deadline <= end) {
            self.now = self.now.max(deadline);
            self.endpoint.fire(self.now);
            while self.endpoint.indication().is_some() {}
            while self.sent().is_some() {
                sent += 1;
            }
            lap.done();
        }
        self.now = end;
        sent
    }
}

/// Many peers, each with its address.
pub(crate) fn remote(number: u32) -> SocketAddr {
    SocketAddr::from(([10, 0, (number >> 8) as u8, number as u8], 5060))
}

/// A message with a number in eight digits, written over in place.
pub(crate) struct Template {
    pub(crate) bytes: Vec<u8>,
    places: Vec<usize>,
}

impl Template {
    const MARK: &[u8] = b"########";

    pub(crate) fn new(text: &str) -> Self {
        let bytes = text.replace('\n', "\r\n").into_bytes();
        let places =
            bytes.windows(8).enumerate().filter(|(_, window)| *window == Self::MARK).map(|(at, _)| at).collect();
        Self { bytes, places }
    }

    pub(crate) fn number(&mut self, number: u32) -> &[u8] {
        let mut digits = [b'0'; 8];
        let mut rest = number;
        for digit in digits.iter_mut().rev() {
            *digit = b'0' + (rest % 10) as u8;
            rest /= 10;
        }
        for &place in &self.places {
            self.bytes[place..place + 8].copy_from_slice(&digits);
        }
        &self.bytes
    }
}
