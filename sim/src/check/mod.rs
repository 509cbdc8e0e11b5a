//! What must be true of every run.
//!
//! A check is judged when a run is over: weather, then calm, in which every end that still has a call hangs up, then
//! max(ring limit, timer C) + 64·T1 + the absorbing timers. By then none has a call, every node is idle, and nothing was
//! ever sent beyond the schedule that the RFCs allow. Add your own by implementing [`Check`].

mod agreement;
mod idle;
mod schedule;

pub use agreement::Agreement;
pub use idle::Idle;
pub use schedule::Schedule;

use std::fmt;

use sansip::{Instant, Timers};

use crate::packet::Packet;
use crate::trace::{Entry, NodeId, Note, Trace, What};
use crate::world::World;

/// Something that must be true of every run.
pub trait Check {
    /// What the check is called where it is reported.
    fn name(&self) -> &'static str;

    /// Where it comes from, like "RFC 3261 §17.1.1.2".
    fn source(&self) -> &'static str;

    /// Looks at a world at the end of its run; everything that should not be.
    fn check(&self, world: &World) -> Vec<Breach>;
}

/// Something that should not be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Breach {
    /// The name of the check.
    pub check: &'static str,
    /// When it happened.
    pub time: Instant,
    /// What, in one line.
    pub what: String,
}

impl fmt::Display for Breach {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} at {}: {}", self.check, self.time, self.what)
    }
}

/// The three checks that hold in every world of nodes with the usual timers: [`Agreement`], [`Idle`], [`Schedule`].
pub fn standard() -> Vec<Box<dyn Check>> {
    let timers = Timers::default();
    vec![Box::new(Agreement::new(timers)), Box::new(Idle), Box::new(Schedule::new(timers))]
}

/// Every breach of the given checks, in the order of the checks.
pub fn breaches(checks: &[Box<dyn Check>], world: &World) -> Vec<Breach> {
    checks.iter().flat_map(|check| check.check(world)).collect()
}

/// A trace with its messages read: what one node sees of it, in order.
#[derive(Clone, Debug)]
struct Seen<'a> {
    time: Instant,
    what: Sight<'a>,
}

#[derive(Clone, Debug)]
enum Sight<'a> {
    /// The node sent this.
    Sent { packet: Packet<'a>, bytes: &'a [u8], destination: std::net::SocketAddr },
    /// This came to the node.
    Received(Packet<'a>),
    /// The node said this.
    Noted(&'a Note),
}

impl<'a> Seen<'a> {
    /// What `node` saw, in order. Datagrams that are no SIP messages are left out.
    fn by(trace: &'a Trace, node: NodeId) -> Vec<Self> {
        let sight = |what: &'a What| match what {
            What::Sent(sent) if sent.from == node => Packet::read(&sent.bytes).map(|packet| Sight::Sent {
                packet,
                bytes: &sent.bytes,
                destination: sent.destination,
            }),
            What::Arrived { node: at, sent } if *at == node => {
                Packet::read(trace.sent(*sent)?.arriving()).map(Sight::Received)
            }
            What::Noted { node: by, note } if *by == node => Some(Sight::Noted(note)),
            _ => None,
        };
        let entries = trace.entries().iter();
        // By its own clock: it is that which its timers go by.
        let time = |entry: &Entry| trace.local(node, entry.time);
        entries.filter_map(|entry| Some(Seen { time: time(entry), what: sight(&entry.what)? })).collect()
    }
}
