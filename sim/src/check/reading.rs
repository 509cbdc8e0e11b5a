//! A run as checks see it.

use std::cell::OnceCell;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use sansip::server::Settings;
use sansip::{Answer, Duration, Instant, Question, Timers};

use super::exchange::{Exchange, Groups, Message};
use crate::actor::{Actor, Census, Session};
use crate::packet::Packet;
use crate::trace::{NodeId, Trace};
use crate::world::World;
use crate::zone::Zone;

/// A run that is over, as checks see it: what each node saw of each call, and the nodes as they are at the end.
#[derive(Debug)]
pub struct Reading<'a> {
    now: Instant,
    trace: &'a Trace,
    world: Option<&'a World>,
    parts: &'a [Part<'a>],
    servers: &'a [Serving<'a>],
    corrupted: bool,
}

/// A domain's server.
#[derive(Clone, Debug)]
pub struct Serving<'a> {
    /// Who.
    pub node: NodeId,
    /// Its name.
    pub name: &'a str,
    /// Its settings.
    pub settings: Arc<Settings>,
}

/// A node's part in what goes by one Call-ID: what it sent and received of it, and what it said of it, in order. Datagrams that are
/// no SIP messages belong nowhere. A node that has crashed and come up again knows nothing of before: that is another part.
#[derive(Debug)]
pub struct Part<'a> {
    /// Who.
    pub node: NodeId,
    /// Its name.
    pub name: &'a str,
    /// The Call-ID.
    pub call_id: &'a str,
    /// The messages it saw.
    pub seen: Vec<Seen<'a>>,
    /// When that was over, by its own clock: when it crashed, or the run was over.
    pub until: Instant,
    /// Whether it crashed.
    pub crashed: bool,
    /// Whether it keeps no transactions: each message goes on as often as it comes (RFC 3261 §16.11).
    pub is_stateless: bool,
    /// Whether its clock never jumped; it may run fast or slow.
    pub keeps_time: bool,
    /// Its timers.
    pub timers: Timers,
    /// So long may pass before what is to be done at once: nothing in a simulated run; T1 in a capture, as real nodes take time to compute.
    pub haste: Duration,
    /// Its messages by hop, when they were asked for.
    pub(super) groups: OnceCell<Groups>,
    /// The connections that it came to have no more, by the numbers of [`Carried::stream`], each with how many things it had seen by
    /// then.
    pub lost: Vec<(u32, usize)>,
}

/// Something that a node saw, and when.
#[derive(Clone, Copy, Debug)]
pub struct Seen<'a> {
    /// When, by the node's own clock.
    pub time: Instant,
    /// When, by the clock of the world, which tells what different nodes saw apart.
    pub world: Instant,
    /// Its place in the part.
    pub index: usize,
    /// A number for the topmost Via (branch and sent-by), the same in all parts: who asked. 0 of a note.
    pub hop: usize,
    /// The branch of the Via below it: on whose behalf.
    pub below: Option<usize>,
    /// The thing seen.
    pub what: Sight<'a>,
}

/// Something that a node can see.
#[derive(Clone, Copy, Debug)]
pub enum Sight<'a> {
    /// The node sent this.
    Sent(&'a Packet<'a>, Carried),
    /// This came to the node.
    Received(&'a Packet<'a>, Carried),
    /// From now on the node has the call.
    Began,
    /// From now on the node does not have the call any more, or has given up making it. The session is what it had by then.
    Ended(Option<&'a Session>),
}

/// How a message went, as who sends it and who receives it see that.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Carried {
    /// Where it came from, as who receives it sees it.
    pub source: SocketAddr,
    /// Where it went.
    pub destination: SocketAddr,
    /// The connection that it was written to, by a number of the world's; `None` if it was a datagram.
    pub stream: Option<u32>,
}

impl<'a> Seen<'a> {
    /// The message that it is, and how that went.
    pub const fn message(&self) -> Option<(&'a Packet<'a>, Carried)> {
        match self.what {
            Sight::Sent(packet, carried) | Sight::Received(packet, carried) => Some((packet, carried)),
            Sight::Began | Sight::Ended(_) => None,
        }
    }

    /// The message that the node sent, with where it went.
    pub fn sent(&self) -> Option<(&'a Packet<'a>, SocketAddr)> {
        self.message().filter(|_| self.is_sent()).map(|(packet, carried)| (packet, carried.destination))
    }

    /// Whether it is a message that the node sent.
    pub const fn is_sent(&self) -> bool {
        matches!(self.what, Sight::Sent(..))
    }
}

impl<'a> Part<'a> {
    /// The messages that the node sent, in order.
    pub fn sent(&self) -> impl Iterator<Item = Message<'_, 'a>> + Clone {
        Exchange::all(&self.seen).sent()
    }

    /// The messages that came to the node, in order.
    pub fn received(&self) -> impl Iterator<Item = Message<'_, 'a>> + Clone {
        Exchange::all(&self.seen).received()
    }

    /// All messages, in order.
    pub fn messages(&self) -> impl Iterator<Item = Message<'_, 'a>> + Clone {
        Exchange::all(&self.seen).messages()
    }

    /// Gives the messages before that place.
    pub fn before(&self, index: usize) -> Exchange<'_, 'a> {
        Exchange::all(&self.seen).before(index)
    }

    /// Gives the messages after that place.
    pub fn after(&self, index: usize) -> Exchange<'_, 'a> {
        Exchange::all(&self.seen).after(index)
    }

    /// Everything under this hop.
    pub fn of(&self, hop: usize) -> Exchange<'_, 'a> {
        Exchange::group(&self.seen, self.groups().hop(hop))
    }

    /// Everything on behalf of this hop: what a proxy has forwarded, and what came of it.
    pub fn branches(&self, hop: usize) -> Exchange<'_, 'a> {
        Exchange::group(&self.seen, self.groups().below(hop))
    }

    fn groups(&self) -> &Groups {
        self.groups.get_or_init(|| Groups::of(&self.seen))
    }

    /// Every copy of a request that came from this hop before `index`. They differ only if their sender is mistaken.
    pub fn copies<'p>(
        &'p self,
        hop: usize,
        method: &'p str,
        index: usize,
    ) -> impl Iterator<Item = Message<'p, 'a>> + Clone + use<'p, 'a> {
        self.of(hop).before(index).requests_received(method)
    }

    /// By when the transaction in which the node answered finally with this To tag is over (timers H, I, J, L; RFC 3261 §17.2,
    /// RFC 6026 §7.1): a copy of the request that comes then is a new request.
    pub fn served_until(&self, hop: usize, method: &str, tag: &str) -> Option<Instant> {
        let mut answers = self.of(hop).responses_sent(method);
        let (last, answer, _) = answers.find(|(_, packet, _)| packet.to_tag == tag && packet.is_final())?;
        let rejected = method == "INVITE" && answer.is_rejection();
        let mut acks = self.of(hop).requests_received("ACK");
        let ack = acks.find(|(_, ack, _)| rejected && ack.to_tag == tag).map(|(seen, ..)| seen.time + self.timers.t4);
        // Timer J is zero where nothing is resent.
        if method != "INVITE" && answer.top().is_reliable() {
            return Some(last.time);
        }
        let unacknowledged = last.time + self.timers.sixty_four_t1();
        Some(ack.map_or(unacknowledged, |ack| unacknowledged.min(ack)))
    }

    /// The first final response to the INVITE that the node sent under this hop, if the INVITE was still waiting for one when it came
    /// (RFC 3261 §9.1, §17.1.1.2).
    pub fn first_final(&self, hop: usize) -> Option<(&Seen<'a>, &'a Packet<'a>)> {
        let (invite, _, carried) = self.of(hop).requests_sent("INVITE").next()?;
        // A connection that is lost before anything was heard ends its INVITE (§17.1.4), and what comes by another one is a stray.
        let lost = self.lost_after(invite.index, carried.stream).unwrap_or(usize::MAX);
        // Giving up comes before what arrives at the same moment.
        let given_up = invite.time + self.timers.sixty_four_t1();
        let is_waiting = |seen: &Seen<'_>| seen.time < given_up && seen.index < lost;
        let (seen, packet, _) = self.of(hop).responses_received("INVITE").find(|(_, packet, _)| packet.is_final())?;
        let heard = self.of(hop).before(seen.index).responses_received("INVITE").any(|(seen, ..)| is_waiting(seen));
        let over = |cancel: &Seen<'_>| cancel.time + self.timers.sixty_four_t1() <= seen.time;
        let cancelled = self.of(hop).requests_sent("CANCEL").any(|(cancel, ..)| over(cancel));
        (!cancelled && (heard || is_waiting(seen))).then_some((seen, packet))
    }

    /// From which place on the node has this connection no more, if it lost it after that place.
    pub fn lost_after(&self, index: usize, stream: Option<u32>) -> Option<usize> {
        let mut lost = self.lost.iter().filter(|(lost, by)| Some(*lost) == stream && *by > index);
        lost.next().map(|(_, by)| *by)
    }

    /// Whether the node sent a request of that method on behalf of this hop: it is a proxy of it.
    pub fn forwards(&self, hop: usize, method: &str) -> bool {
        self.branches(hop).sends(method)
    }
}

impl<'a> Reading<'a> {
    /// The reading of a run that was over at `now`, and its world.
    pub(super) const fn of(
        trace: &'a Trace,
        world: Option<&'a World>,
        now: Instant,
        parts: &'a [Part<'a>],
        servers: &'a [Serving<'a>],
        corrupted: bool,
    ) -> Self {
        Self { now, trace, world, parts, servers, corrupted }
    }

    /// Whether messages were changed on their way: then only checks of safety are judged.
    pub const fn is_corrupted(&self) -> bool {
        self.corrupted
    }

    /// When the run was over.
    pub const fn now(&self) -> Instant {
        self.now
    }

    /// All that happened.
    pub const fn trace(&self) -> &'a Trace {
        self.trace
    }

    /// The parts of each call as each node saw them, in the order in which the first of each was seen. A call of which a message was
    /// changed on its way is left out: who can tell what such a message obliges anybody to?
    pub const fn parts(&self) -> &'a [Part<'a>] {
        self.parts
    }

    /// The domains' servers.
    pub const fn servers(&self) -> &'a [Serving<'a>] {
        self.servers
    }

    /// The host names of the world.
    pub fn names(&self) -> Names<'a> {
        Names(self.world.map(|world| &world.setting().zone))
    }

    /// The most of each thing that was ever alive in a node.
    pub fn peak(&self, node: NodeId) -> Census {
        self.world.map_or_else(Census::default, |world| world.peak(node))
    }

    /// The nodes with their names, as they are now.
    pub fn actors(&self) -> impl Iterator<Item = (NodeId, &'a str, &'a dyn Actor)> {
        self.world.into_iter().flat_map(World::actors)
    }
}

/// The host names of a world.
#[derive(Clone, Copy, Debug)]
pub struct Names<'a>(pub(super) Option<&'a Zone>);

impl Names<'_> {
    /// The addresses of a host name, if names are known; of an unknown name there are none.
    pub fn addresses(&self, name: &str) -> Option<Vec<IpAddr>> {
        let question = Question::Address { name: name.to_ascii_lowercase().trim_end_matches('.').into() };
        let answers = self.0?.answer(&question);
        Some(
            answers
                .into_iter()
                .filter_map(|answer| if let Answer::Address(ip) = answer { Some(ip) } else { None })
                .collect(),
        )
    }
}
