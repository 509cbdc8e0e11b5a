//! From files to messages.

use std::io::Read;
use std::net::SocketAddr;

use etherparse::{TcpHeaderSlice, UdpHeaderSlice};
use sansip::message::SharedBytes;

use super::content::{Found, is_message};
use super::events::{self, Item};
use super::file::{Format, Input, Raw, Trouble, read_pcap, read_pcapng};
use super::fragments::Fragments;
use super::limits::Limits;
use super::packet::{self, Ip};
use super::remark::Remark;
use super::tcp::{Event, Segment, Streams, Way};
use super::unseen::Unseen;
use crate::fault::Fate;

const UDP: u8 = 17;
const TCP: u8 = 6;
const UDP_HEADER: usize = 8;

/// A SIP message as it was captured.
#[derive(Clone, Debug)]
pub struct Message {
    /// Where it stands: where it became whole.
    pub place: Place,
    /// When, in nanoseconds since 1970; of a trace, since its start.
    pub time: u64,
    /// When it arrived, likewise: as it was captured; `None` if a trace says that it was lost.
    pub arrived: Option<u64>,
    /// Where it came from.
    pub source: SocketAddr,
    /// Where it went.
    pub destination: SocketAddr,
    /// The number of the connection that it came along; `None` if it is a datagram.
    pub stream: Option<u32>,
    /// Its octets.
    pub bytes: SharedBytes,
    /// The identification of the IP packet that it is; 0 if there is none.
    pub identification: u16,
    /// The addresses of the same message behind a NAT.
    pub behind: Option<(SocketAddr, SocketAddr)>,
    /// The fate that a trace says it had.
    pub fate: Fate,
    /// The names of the nodes that sent it and that it was for, if a trace says them.
    pub names: (Option<String>, Option<String>),
    /// Where its source and its destination listen, if a connection's port is not that, as requests along connections have said before.
    pub listeners: (Option<SocketAddr>, Option<SocketAddr>),
}

/// A place in the files.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// Which file, from 0.
    pub file: usize,
    /// The number of the packet in it, from 1, as Wireshark counts; of a trace, of the line.
    pub frame: u64,
}

/// Counts what the files had besides messages.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Packets, or lines of a trace.
    pub packets: u64,
    /// SIP messages.
    pub messages: u64,
    /// Packets of a type of link that is not read, and the last such type.
    pub links: (u64, i32),
    /// Packets with SIP in them that the snap length cut.
    pub cut: u64,
    /// Gaps in streams: octets that were not captured.
    pub gaps: u64,
    /// Messages on streams that end before they are whole.
    pub unfinished: u64,
    /// Messages on streams whose end cannot be told.
    pub unframed: u64,
    /// Directions of connections with TLS, whose plaintext is not there.
    pub tls: u64,
    /// Datagrams of which fragments are missing.
    pub fragments: u64,
    /// Directions of connections that were let go as there were too many.
    pub let_go: u64,
    /// Remarks of traces that were not kept as there were too many.
    pub remarks: u64,
}

/// Reads captures and traces, one after the other as tcpdump rotates them: what begins in one may go on in the next.
///
/// ```
/// use sansip_sim::capture::{Limits, Reader};
/// let mut reader = Reader::new(Limits::default());
/// let mut messages = Vec::new();
/// let trouble = reader.read(&mut &b"GIF89a"[..], &mut |message| messages.push(message)).unwrap_err();
/// assert!(trouble.to_string().starts_with("the file is no capture"));
/// reader.finish(&mut |message| messages.push(message));
/// assert_eq!(messages.len(), 0);
/// ```
#[derive(Debug)]
pub struct Reader {
    limits: Limits,
    fragments: Fragments,
    streams: Streams,
    counts: Counts,
    place: Place,
    files: usize,
    time: u64,
    unseen: Unseen,
    remarks: Vec<Remark>,
    /// The octets of their lines.
    remarked: usize,
}

impl Reader {
    /// A reader that has read nothing.
    pub fn new(limits: Limits) -> Self {
        Self {
            limits,
            fragments: Fragments::new(&limits),
            streams: Streams::new(&limits),
            counts: Counts {
                packets: 0,
                messages: 0,
                links: (0, 0),
                cut: 0,
                gaps: 0,
                unfinished: 0,
                unframed: 0,
                tls: 0,
                fragments: 0,
                let_go: 0,
                remarks: 0,
            },
            place: Place { file: 0, frame: 0 },
            files: 0,
            time: 0,
            unseen: Unseen::new(limits.hidden),
            remarks: Vec::new(),
            remarked: 0,
        }
    }

    /// Reads a file, and gives each message to `each`.
    ///
    /// # Errors
    /// If it cannot be read to its end. What could be read was given to `each`.
    pub fn read(&mut self, source: &mut dyn Read, each: &mut dyn FnMut(Message)) -> Result<(), Trouble> {
        self.place = Place { file: self.files, frame: 0 };
        self.files += 1;
        let limits = self.limits;
        let mut input = Input::new(source);
        match input.format()? {
            Format::Pcap => read_pcap(&mut input, &limits, &mut |raw| self.packet(raw, each)),
            Format::Pcapng => read_pcapng(&mut input, &limits, &mut |raw| self.packet(raw, each)),
            Format::Events => events::read(&mut input, &limits, self.place.file, &mut |item| match item {
                Item::Message(message) => {
                    self.counts.packets += 1;
                    self.counts.messages += 1;
                    each(message);
                }
                Item::Remark(remark, octets) if self.remarked + octets <= limits.remarks => {
                    self.remarked += octets;
                    self.remarks.push(remark);
                }
                Item::Remark(..) => self.counts.remarks += 1,
            }),
        }
    }

    /// Nothing follows: what waits for octets that were not captured is read.
    pub fn finish(&mut self, each: &mut dyn FnMut(Message)) {
        let (counts, unseen, at) = (&mut self.counts, &self.unseen, (self.place, self.time));
        self.streams.finish(&mut |event| on_stream((counts, unseen), event, at, each));
        self.counts.let_go = self.streams.let_go;
        self.counts.fragments += self.fragments.given_up + self.fragments.unfinished();
        self.fragments = Fragments::new(&self.limits);
    }

    /// The addresses between which messages went that could not be read, so far and from now on.
    pub fn unseen(&self) -> Unseen {
        self.unseen.clone()
    }

    /// Counts so far; complete after [`finish`](Self::finish).
    pub const fn counts(&self) -> Counts {
        self.counts
    }

    /// Says what traces had besides messages so far, in order.
    pub fn take_remarks(&mut self) -> Vec<Remark> {
        self.remarked = 0;
        std::mem::take(&mut self.remarks)
    }

    fn packet(&mut self, raw: Raw<'_>, each: &mut dyn FnMut(Message)) {
        self.counts.packets += 1;
        self.place.frame += 1;
        // A packet may be said to have come without a time.
        self.time = if raw.time == 0 { self.time } else { raw.time };
        if !packet::is_link_known(raw.link) {
            self.counts.links = (self.counts.links.0 + 1, raw.link);
            return;
        }
        let Some(ip) = packet::read(raw.link, raw.octets) else { return };
        let is_cut = raw.is_cut || ip.is_cut;
        match ip.fragment {
            None => self.transport(&ip, ip.payload, is_cut, each),
            Some(fragment) => {
                if let Some(whole) = self.fragments.add(self.time, &ip, fragment) {
                    self.transport(&ip, &whole, false, each);
                }
            }
        }
    }

    fn transport(&mut self, ip: &Ip<'_>, payload: &[u8], is_cut: bool, each: &mut dyn FnMut(Message)) {
        if ip.protocol == UDP {
            let Ok(header) = UdpHeaderSlice::from_slice(payload) else { return };
            let ends = (
                SocketAddr::new(ip.source, header.source_port()),
                SocketAddr::new(ip.destination, header.destination_port()),
            );
            let length = usize::from(header.length());
            // A length of 0 is that of a jumbogram, or of a machine that leaves it to its network card.
            let end = if length < UDP_HEADER { payload.len() } else { length };
            let bytes = payload.get(UDP_HEADER..end.min(payload.len())).unwrap_or_default();
            if !is_message(bytes) {
                return;
            }
            if is_cut || end > payload.len() {
                self.counts.cut += 1;
                self.unseen.note(ends);
                return;
            }
            self.counts.messages += 1;
            each(captured((self.place, self.time), ends, None, ip.identification, bytes));
        } else if ip.protocol == TCP {
            let Ok(header) = TcpHeaderSlice::from_slice(payload) else { return };
            let from = SocketAddr::new(ip.source, header.source_port());
            let to = SocketAddr::new(ip.destination, header.destination_port());
            let segment = Segment {
                from,
                to,
                sequence: header.sequence_number(),
                acknowledged: header.ack().then(|| header.acknowledgment_number()),
                is_first: header.syn(),
                is_last: header.fin() || header.rst(),
                payload: payload.get(header.slice().len()..).unwrap_or_default(),
            };
            let (counts, unseen, at) = (&mut self.counts, &self.unseen, (self.place, self.time));
            self.streams.add(segment, &mut |event| on_stream((counts, unseen), event, at, each));
            if self.streams.let_go > 0 {
                unseen.note_everywhere();
            }
        }
    }
}

fn on_stream(
    (counts, unseen): (&mut Counts, &Unseen),
    event: Event<'_>,
    at: (Place, u64),
    each: &mut dyn FnMut(Message),
) {
    let count = |number: &mut u64, way: Way| {
        *number += 1;
        unseen.note((way.from, way.to));
    };
    match event {
        Event::Found(Found::Message(bytes), way) => {
            if is_message(bytes) {
                counts.messages += 1;
                each(captured(at, (way.from, way.to), Some(way.connection), 0, bytes));
            }
        }
        Event::Found(Found::Tls, way) => count(&mut counts.tls, way),
        Event::Found(Found::Unframed, way) => count(&mut counts.unframed, way),
        Event::Gap(way) => count(&mut counts.gaps, way),
        Event::Unfinished(way) => count(&mut counts.unfinished, way),
    }
}

fn captured(
    (place, time): (Place, u64),
    (source, destination): (SocketAddr, SocketAddr),
    stream: Option<u32>,
    identification: u16,
    bytes: &[u8],
) -> Message {
    Message {
        place,
        time,
        arrived: Some(time),
        source,
        destination,
        stream,
        bytes: bytes.into(),
        identification,
        behind: None,
        fate: Fate::FINE,
        names: (None, None),
        listeners: (None, None),
    }
}
