//! The messages of a part, grouped by hop once.

use super::{Carried, Seen};
use crate::packet::Packet;

/// A message that a node sent or received: when, what, and how it went.
pub type Message<'p, 'a> = (&'p Seen<'a>, &'a Packet<'a>, Carried);

/// Some of what a node saw, in order. Of one hop that is a request with its copies, its CANCEL, the ACK of a rejection, and the responses to
/// all of them.
#[derive(Clone, Copy, Debug)]
pub struct Exchange<'p, 'a> {
    seen: &'p [Seen<'a>],
    places: Places<'p>,
}

#[derive(Clone, Copy, Debug)]
enum Places<'p> {
    /// From one place to another.
    Range(usize, usize),
    /// Those of a group.
    Group(&'p [(usize, usize)]),
}

/// The places of everything that was seen, by hop and by the hop below, with that number in front.
#[derive(Debug, Default)]
pub(super) struct Groups {
    hops: Vec<(usize, usize)>,
    below: Vec<(usize, usize)>,
}

impl Groups {
    pub(super) fn of(seen: &[Seen<'_>]) -> Self {
        let messages = || seen.iter().filter(|seen| seen.message().is_some());
        let mut hops: Vec<_> = messages().map(|seen| (seen.hop, seen.index)).collect();
        let mut below: Vec<_> = messages().filter_map(|seen| Some((seen.below?, seen.index))).collect();
        hops.sort_unstable();
        below.sort_unstable();
        Self { hops, below }
    }

    pub(super) fn hop(&self, hop: usize) -> &[(usize, usize)] {
        group(&self.hops, hop)
    }

    pub(super) fn below(&self, hop: usize) -> &[(usize, usize)] {
        group(&self.below, hop)
    }
}

fn group(places: &[(usize, usize)], number: usize) -> &[(usize, usize)] {
    let (from, to) =
        (places.partition_point(|(hop, _)| *hop < number), places.partition_point(|(hop, _)| *hop <= number));
    &places[from..to]
}

/// Right, if one is; else what is wrong with the last, or `none` if there is none.
pub(super) fn any_fits<E>(none: Result<(), E>, verdicts: impl Iterator<Item = Result<(), E>>) -> Result<(), E> {
    let mut last = none;
    for verdict in verdicts {
        if verdict.is_ok() {
            return verdict;
        }
        last = verdict;
    }
    last
}

impl<'p, 'a> Exchange<'p, 'a> {
    pub(super) const fn all(seen: &'p [Seen<'a>]) -> Self {
        Self { seen, places: Places::Range(0, seen.len()) }
    }

    pub(super) const fn group(seen: &'p [Seen<'a>], places: &'p [(usize, usize)]) -> Self {
        Self { seen, places: Places::Group(places) }
    }

    /// Keeps the messages before that place in the part.
    #[must_use]
    pub fn before(self, index: usize) -> Self {
        let places = match self.places {
            Places::Range(from, to) => Places::Range(from.min(index), to.min(index)),
            Places::Group(places) => Places::Group(&places[..places.partition_point(|(_, at)| *at < index)]),
        };
        Self { places, ..self }
    }

    /// Keeps the messages after that place in the part.
    #[must_use]
    pub fn after(self, index: usize) -> Self {
        let places = match self.places {
            Places::Range(from, to) => Places::Range(from.max(index + 1), to.max(index + 1)),
            Places::Group(places) => Places::Group(&places[places.partition_point(|(_, at)| *at <= index)..]),
        };
        Self { places, ..self }
    }

    fn iter(self) -> impl Iterator<Item = &'p Seen<'a>> + Clone + use<'p, 'a> {
        let (range, group) = match self.places {
            Places::Range(from, to) => (self.seen.get(from..to).unwrap_or_default(), &[][..]),
            Places::Group(places) => (&[][..], places),
        };
        range.iter().chain(group.iter().map(move |(_, at)| &self.seen[*at]))
    }

    /// Every message, whoever sent it.
    pub fn messages(self) -> impl Iterator<Item = Message<'p, 'a>> + Clone + use<'p, 'a> {
        self.iter().filter_map(|seen| seen.message().map(|(packet, carried)| (seen, packet, carried)))
    }

    /// The messages that the node sent.
    pub fn sent(self) -> impl Iterator<Item = Message<'p, 'a>> + Clone + use<'p, 'a> {
        self.messages().filter(|(seen, ..)| seen.is_sent())
    }

    /// The messages that came to the node.
    pub fn received(self) -> impl Iterator<Item = Message<'p, 'a>> + Clone + use<'p, 'a> {
        self.messages().filter(|(seen, ..)| !seen.is_sent())
    }

    /// The requests of that method that the node sent.
    pub fn requests_sent<'m>(self, method: &'m str) -> impl Iterator<Item = Message<'p, 'a>> + Clone + use<'p, 'a, 'm> {
        self.sent().filter(move |(_, packet, _)| packet.is(method))
    }

    /// The requests of that method that came to the node.
    pub fn requests_received<'m>(
        self,
        method: &'m str,
    ) -> impl Iterator<Item = Message<'p, 'a>> + Clone + use<'p, 'a, 'm> {
        self.received().filter(move |(_, packet, _)| packet.is(method))
    }

    /// The responses to requests of that method that the node sent.
    pub fn responses_sent<'m>(
        self,
        method: &'m str,
    ) -> impl Iterator<Item = Message<'p, 'a>> + Clone + use<'p, 'a, 'm> {
        self.sent().filter(move |(_, packet, _)| packet.responds_to(method))
    }

    /// The responses to requests of that method that came to the node.
    pub fn responses_received<'m>(
        self,
        method: &'m str,
    ) -> impl Iterator<Item = Message<'p, 'a>> + Clone + use<'p, 'a, 'm> {
        self.received().filter(move |(_, packet, _)| packet.responds_to(method))
    }

    /// Whether the node sent a request of that method.
    pub fn sends(self, method: &str) -> bool {
        self.requests_sent(method).next().is_some()
    }

    /// Whether a request of that method came to the node.
    pub fn hears(self, method: &str) -> bool {
        self.requests_received(method).next().is_some()
    }
}
