//! TCP put together by sequence numbers (RFC 9293 §3.4).

use std::collections::BTreeMap;
use std::net::SocketAddr;

use super::content::{Content, Found};
use super::limits::Limits;

/// A segment with what of its header matters here.
#[derive(Clone, Copy, Debug)]
pub(super) struct Segment<'a> {
    pub(super) from: SocketAddr,
    pub(super) to: SocketAddr,
    pub(super) sequence: u32,
    pub(super) acknowledged: Option<u32>,
    pub(super) is_first: bool,
    /// FIN or RST: nothing follows.
    pub(super) is_last: bool,
    pub(super) payload: &'a [u8],
}

/// Something that was found in a direction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Event<'a> {
    /// Tells the kind of the octets, and where they are.
    Found(Found<'a>, Way),
    /// Octets are missing.
    Gap(Way),
    /// A message ends before it is whole.
    Unfinished(Way),
}

/// A direction of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Way {
    /// The number of the connection.
    pub(super) connection: u32,
    pub(super) from: SocketAddr,
    pub(super) to: SocketAddr,
}

type Key = (SocketAddr, SocketAddr);

/// The directions of all connections.
#[derive(Debug)]
pub(super) struct Streams {
    limits: Limits,
    all: BTreeMap<Key, Stream>,
    /// Octets that all of them hold.
    held: usize,
    /// Segments so far: the age of what was heard.
    now: u64,
    /// Connections so far.
    connections: u32,
    /// Directions that were let go with something begun, as there were too many.
    pub(super) let_go: u64,
}

#[derive(Debug)]
struct Stream {
    way: Way,
    heard: u64,
    /// The place of the next octet, by a count that does not wrap.
    next: u64,
    /// Segments that came before their turn, by place.
    waiting: BTreeMap<u64, Vec<u8>>,
    waits: usize,
    content: Content,
}

impl Stream {
    fn held(&self) -> usize {
        self.waits + self.content.held()
    }

    /// The place of a sequence number: the nearest to what is next.
    fn place(&self, sequence: u32) -> u64 {
        let ahead = sequence.wrapping_sub(self.next as u32) as i32;
        self.next.saturating_add_signed(ahead.into())
    }

    /// Reads what is next: what of these octets was not there before.
    fn take(&mut self, place: u64, octets: &[u8], each: &mut dyn FnMut(Event<'_>)) {
        let known = usize::try_from(self.next.saturating_sub(place)).unwrap_or(usize::MAX);
        let Some(new) = octets.get(known..).filter(|new| !new.is_empty()) else { return };
        self.next += new.len() as u64;
        let way = self.way;
        self.content.read(new, &mut |found| each(Event::Found(found, way)));
    }

    /// Reads what waits and is next by now.
    fn go_on(&mut self, each: &mut dyn FnMut(Event<'_>)) {
        while let Some(entry) = self.waiting.first_entry().filter(|entry| *entry.key() <= self.next) {
            let (place, octets) = entry.remove_entry();
            self.waits -= octets.len();
            self.take(place, &octets, each);
        }
    }

    /// Gives up what is missing before what waits.
    fn skip(&mut self, each: &mut dyn FnMut(Event<'_>)) {
        if let Some(place) = self.waiting.keys().next() {
            self.next = *place;
            self.content.gap();
            each(Event::Gap(self.way));
            self.go_on(each);
        }
    }

    fn end(&mut self, each: &mut dyn FnMut(Event<'_>)) {
        while !self.waiting.is_empty() {
            self.skip(each);
        }
        if self.content.is_within_message() {
            each(Event::Unfinished(self.way));
        }
        self.content.gap();
    }
}

impl Streams {
    pub(super) const fn new(limits: &Limits) -> Self {
        Self { limits: *limits, all: BTreeMap::new(), held: 0, now: 0, connections: 0, let_go: 0 }
    }

    /// Takes a segment.
    pub(super) fn add(&mut self, segment: Segment<'_>, each: &mut dyn FnMut(Event<'_>)) {
        self.now += 1;
        if let Some(acknowledged) = segment.acknowledged {
            self.change((segment.to, segment.from), |stream, _| {
                // Octets that were acknowledged have come, though nobody captured them.
                while stream.waiting.keys().next().is_some_and(|place| *place < stream.place(acknowledged)) {
                    stream.skip(each);
                }
            });
        }
        let key = (segment.from, segment.to);
        if segment.is_first {
            self.change(key, |stream, _| stream.end(each));
            self.held -= self.all.remove(&key).map_or(0, |stream| stream.held());
        }
        if !segment.payload.is_empty() && !self.all.contains_key(&key) {
            self.begin(key, segment.sequence.wrapping_add(u32::from(segment.is_first)));
        }
        self.change(key, |stream, limits| {
            let place = stream.place(segment.sequence.wrapping_add(u32::from(segment.is_first)));
            if place <= stream.next {
                stream.take(place, segment.payload, each);
                stream.go_on(each);
            } else if !segment.payload.is_empty() {
                let before = stream.waiting.insert(place, segment.payload.to_vec());
                stream.waits = stream.waits + segment.payload.len() - before.map_or(0, |before| before.len());
                while stream.waits > limits.waiting {
                    stream.skip(each);
                }
            }
            if segment.is_last {
                stream.end(each);
            }
        });
        if segment.is_last {
            self.held -= self.all.remove(&key).map_or(0, |stream| stream.held());
        }
        if self.held > self.limits.held {
            self.let_oldest_go();
        }
    }

    /// Changes a direction, if it is there, and keeps count of what is held.
    fn change(&mut self, key: Key, change: impl FnOnce(&mut Stream, &Limits)) {
        if let Some(stream) = self.all.get_mut(&key) {
            let before = stream.held();
            stream.heard = self.now;
            change(stream, &self.limits);
            self.held = self.held + stream.held() - before;
        }
    }

    fn begin(&mut self, key @ (from, to): Key, sequence: u32) {
        if self.all.len() >= self.limits.streams {
            self.let_oldest_go();
        }
        let connection = match self.all.get(&(to, from)) {
            Some(other) => other.way.connection,
            _ => {
                self.connections = self.connections.wrapping_add(1);
                self.connections
            }
        };
        let content = Content::new(sansip::message::Limits::default());
        let stream = Stream {
            way: Way { connection, from, to },
            heard: self.now,
            // There is room for what comes before it.
            next: (1 << 32) + u64::from(sequence),
            waiting: BTreeMap::new(),
            waits: 0,
            content,
        };
        self.all.insert(key, stream);
    }

    /// Lets those go that were not heard of for longest: half of all.
    fn let_oldest_go(&mut self) {
        let mut heard: Vec<u64> = self.all.values().map(|stream| stream.heard).collect();
        let half = heard.len().saturating_sub(1) / 2;
        heard.sort_unstable();
        let median = heard.get(half).copied().unwrap_or_default();
        self.all.retain(|_, stream| {
            let stays = stream.heard > median;
            self.let_go += u64::from(!stays && stream.held() > 0);
            stays
        });
        self.held = self.all.values().map(Stream::held).sum();
    }

    /// Nothing follows.
    pub(super) fn finish(&mut self, each: &mut dyn FnMut(Event<'_>)) {
        for stream in self.all.values_mut() {
            stream.end(each);
        }
        self.all.clear();
        self.held = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OK: &str = "SIP/2.0 200 OK\r\nl: 0\r\n\r\n";

    fn segment(sequence: u32, payload: &[u8]) -> Segment<'_> {
        let [from, to] = [1, 2].map(|host| SocketAddr::from(([192, 0, 2, host], 5060)));
        Segment { from, to, sequence, acknowledged: None, is_first: false, is_last: false, payload }
    }

    /// Writes what comes of segments, in letters: message, gap, unfinished message.
    fn read(limits: Limits, segments: &[Segment<'_>]) -> String {
        let (mut streams, mut all) = (Streams::new(&limits), String::new());
        let mut note = |event: Event<'_>| {
            all.push(match event {
                Event::Found(Found::Message(_), _) => 'm',
                Event::Found(..) => '?',
                Event::Gap(_) => 'g',
                Event::Unfinished(_) => 'u',
            });
        };
        for segment in segments {
            streams.add(*segment, &mut note);
            assert_eq!(streams.held, streams.all.values().map(Stream::held).sum::<usize>());
        }
        streams.finish(&mut note);
        all
    }

    #[test]
    fn segments_are_put_in_order_and_copies_are_passed_over() {
        let text = OK.repeat(3);
        let bytes = text.as_bytes();
        // Sequence numbers wrap.
        let at = |from: usize, to: usize| segment((u32::MAX - 20).wrapping_add(from as u32), &bytes[from..to]);
        let all = Limits::default();
        assert_eq!(read(all, &[at(0, 30), at(30, 60), at(60, 72)]), "mmm");
        assert_eq!(read(all, &[at(0, 30), at(50, 72), at(0, 30), at(20, 50), at(50, 72)]), "mmm");
        assert_eq!(read(all, &[at(0, 10), at(60, 72), at(30, 60), at(5, 40)]), "mmm");
    }

    #[test]
    fn a_gap_is_said_when_it_is_acknowledged_or_too_much_waits_or_nothing_follows() {
        let text = OK.repeat(3);
        let bytes = text.as_bytes();
        let at = |from: usize, to: usize| segment(from as u32, &bytes[from..to]);
        let all = Limits::default();
        let behind = [at(0, 10), at(24, 48)];
        assert_eq!(read(all, &behind), "gm");
        let (from, to) = (behind[0].to, behind[0].from);
        let acknowledged = Segment { from, to, acknowledged: Some(48), ..segment(7, b"") };
        assert_eq!(read(all, &[behind[0], behind[1], acknowledged, at(10, 24), at(48, 72)]), "gmm");
        assert_eq!(
            read(all, &[behind[0], behind[1], Segment { acknowledged: Some(24), ..acknowledged }, at(10, 24)]),
            "mm"
        );
        assert_eq!(read(Limits { waiting: 23, ..all }, &[behind[0], behind[1], at(10, 24)]), "gm");
        assert_eq!(read(all, &[at(0, 48), Segment { is_last: true, ..at(48, 60) }, at(60, 72)]), "mmu");
    }

    #[test]
    fn a_connection_that_begins_anew_has_other_numbers() {
        let all = Limits::default();
        let again = Segment { is_first: true, ..segment(9_000, b"") };
        let text = OK.as_bytes();
        assert_eq!(read(all, &[segment(1, &text[..16]), again, segment(9_001, text)]), "um");
        // Without the begin it is far from what was next.
        assert_eq!(read(all, &[segment(1, &text[..16]), segment(9_001, text)]), "gm");
    }

    #[test]
    fn above_a_limit_those_not_heard_of_for_longest_are_let_go() {
        let text = OK.as_bytes();
        let of = |port: u16, from: usize, to: usize| {
            let mut segment = segment(from as u32, &text[from..to]);
            segment.from.set_port(port);
            segment
        };
        let few = Limits { streams: 2, ..Limits::default() };
        // The first is let go when the third begins.
        assert_eq!(read(few, &[of(1, 0, 9), of(2, 0, 9), of(3, 0, 9), of(2, 9, 24), of(3, 9, 24)]), "mm");
        let little = Limits { held: 17, ..Limits::default() };
        assert_eq!(read(little, &[of(1, 0, 9), of(2, 0, 9), of(1, 9, 24)]), "");
    }
}
