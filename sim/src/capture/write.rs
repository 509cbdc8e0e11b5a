//! Packets in the format of Wireshark.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::net::{IpAddr, SocketAddr};

use sansip::{Duration, Instant};

use crate::trace::{Trace, What};

/// The way octets were carried.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Carrier {
    /// A datagram, over UDP.
    Datagram,
    /// A piece of a byte stream, over TCP.
    Stream,
}

/// Streams whose place is remembered, one for each direction; above it all begin anew.
const STREAMS: usize = 65_536;

/// The most octets of a packet: what fits beside the headers of IPv4 and TCP.
const LARGEST: usize = 65_495;

const UDP: u8 = 17;
const TCP: u8 = 6;

/// Writes pcapng (draft-ietf-opsawg-pcapng): one interface whose packets begin with their IP header (LINKTYPE_RAW), times in nanoseconds. Headers
/// of IP, UDP and TCP are made up: checksums are right, streams have no beginning and no end, and nothing is resent.
///
/// ```
/// use sansip_sim::capture::{Capture, Carrier};
/// let mut capture = Capture::new(Vec::new(), std::time::Duration::ZERO)?;
/// let (from, to) = ("192.0.2.1:5060".parse()?, "192.0.2.4:5060".parse()?);
/// capture.packet(sansip::Instant::from_millis(500), Carrier::Datagram, from, to, b"OPTIONS ...", "lost")?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Capture<W> {
    out: W,
    zero: Duration,
    /// The next sequence number of each direction of a stream.
    next: BTreeMap<(SocketAddr, SocketAddr), u32>,
}

impl<W: Write> Capture<W> {
    /// A capture without a packet. `zero` is how long after 1970 [`Instant::ZERO`] is.
    ///
    /// # Errors
    /// Those of `out`.
    pub fn new(mut out: W, zero: Duration) -> io::Result<Self> {
        // The length of the section is not known.
        let mut section = vec![0x4d, 0x3c, 0x2b, 0x1a, 1, 0, 0, 0];
        section.extend([0xff; 8]);
        block(&mut out, 0x0a0d_0d0a, &section)?;
        // LINKTYPE_RAW, no snap length, if_tsresol 9, the end of the options.
        block(&mut out, 1, &[101, 0, 0, 0, 0, 0, 0, 0, 9, 0, 1, 0, 9, 0, 0, 0, 0, 0, 0, 0])?;
        Ok(Self { out, zero, next: BTreeMap::new() })
    }

    /// Writes what was carried from one address to another, and a comment if it is not empty. A long piece of a stream is several
    /// packets. Addresses of two families are none that a packet could have: nothing is written.
    ///
    /// # Errors
    /// Those of `out`.
    pub fn packet(
        &mut self,
        time: Instant,
        carrier: Carrier,
        from: SocketAddr,
        to: SocketAddr,
        bytes: &[u8],
        comment: &str,
    ) -> io::Result<()> {
        if from.is_ipv4() != to.is_ipv4() {
            return Ok(());
        }
        match carrier {
            Carrier::Datagram => {
                let bytes = bytes.get(..LARGEST).unwrap_or(bytes);
                let length = short(bytes.len() + 8).to_be_bytes();
                self.write(time, UDP, from, to, &[length[0], length[1], 0, 0], 2, bytes, comment)
            }
            Carrier::Stream => {
                for piece in bytes.chunks(LARGEST) {
                    let header = self.tcp(from, to, piece);
                    self.write(time, TCP, from, to, &header, 12, piece, comment)?;
                }
                Ok(())
            }
        }
    }

    /// Gives back what was written to.
    pub fn into_inner(self) -> W {
        self.out
    }

    /// Hands on what `out` holds back.
    ///
    /// # Errors
    /// Those of `out`.
    pub fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }

    /// The header of a TCP segment behind its ports: sequence numbers, offset, PSH and ACK, window, no checksum yet.
    fn tcp(&mut self, from: SocketAddr, to: SocketAddr, piece: &[u8]) -> [u8; 16] {
        if self.next.len() >= STREAMS {
            self.next.clear();
        }
        let acknowledged = *self.next.entry((to, from)).or_insert(1);
        let next = self.next.entry((from, to)).or_insert(1);
        let sequence = *next;
        *next = next.wrapping_add(u32::from(short(piece.len())));
        let mut header = [0; 16];
        header[..4].copy_from_slice(&sequence.to_be_bytes());
        header[4..8].copy_from_slice(&acknowledged.to_be_bytes());
        header[8..12].copy_from_slice(&[5 << 4, 0x18, 0xff, 0xff]);
        header
    }

    /// Writes a packet whose transport header has `rest` behind its ports, of which the checksum stands at `sum`.
    #[expect(clippy::too_many_arguments, reason = "the parts of a packet in their order")]
    fn write(
        &mut self,
        time: Instant,
        protocol: u8,
        from: SocketAddr,
        to: SocketAddr,
        rest: &[u8],
        sum: usize,
        bytes: &[u8],
        comment: &str,
    ) -> io::Result<()> {
        let mut segment = [&from.port().to_be_bytes(), &to.port().to_be_bytes(), rest, bytes].concat();
        let length = short(segment.len());
        let (mut packet, addresses) = match (from.ip(), to.ip()) {
            (IpAddr::V4(from), IpAddr::V4(to)) => {
                let total = short(segment.len() + 20).to_be_bytes();
                let addresses = [from.octets(), to.octets()].concat();
                let mut header = vec![0x45, 0, total[0], total[1], 0, 0, 0x40, 0, 64, protocol, 0, 0];
                header.extend(&addresses);
                let checksum = checksum(&[&header]);
                header[10..12].copy_from_slice(&checksum);
                (header, addresses)
            }
            (from, to) => {
                let octets = |ip| match ip {
                    IpAddr::V4(ip) => ip.to_ipv6_mapped().octets(),
                    IpAddr::V6(ip) => ip.octets(),
                };
                let addresses = [octets(from), octets(to)].concat();
                let payload = length.to_be_bytes();
                let mut header = vec![0x60, 0, 0, 0, payload[0], payload[1], protocol, 64];
                header.extend(&addresses);
                (header, addresses)
            }
        };
        let pseudo = [0, protocol, length.to_be_bytes()[0], length.to_be_bytes()[1]];
        let checksum = match checksum(&[&addresses, &pseudo, &segment]) {
            // In UDP none at all means that there is no checksum (RFC 768).
            [0, 0] if protocol == UDP => [0xff, 0xff],
            checksum => checksum,
        };
        segment[4 + sum..6 + sum].copy_from_slice(&checksum);
        packet.extend(segment);
        self.enhanced(time, &packet, comment)
    }

    /// Writes an enhanced packet block.
    fn enhanced(&mut self, time: Instant, packet: &[u8], comment: &str) -> io::Result<()> {
        let nanos = self.zero.as_nanos().saturating_add(u128::from(time.as_nanos()));
        let nanos = u64::try_from(nanos).unwrap_or(u64::MAX);
        let [high, low] =
            [nanos >> 32, nanos & u64::from(u32::MAX)].map(|half| u32::try_from(half).unwrap_or_default());
        let length = u32::from(short(packet.len()));
        let mut body: Vec<u8> = [0, high, low, length, length].into_iter().flat_map(u32::to_le_bytes).collect();
        body.extend(packet);
        pad(&mut body);
        if !comment.is_empty() {
            let comment = comment.as_bytes();
            let comment = comment.get(..LARGEST).unwrap_or(comment);
            body.extend([1, 0]);
            body.extend(short(comment.len()).to_le_bytes());
            body.extend(comment);
            pad(&mut body);
            body.extend([0; 4]);
        }
        block(&mut self.out, 6, &body)
    }
}

/// The number of octets of a packet or of a part of one.
fn short(length: usize) -> u16 {
    u16::try_from(length).unwrap_or(u16::MAX)
}

fn pad(body: &mut Vec<u8>) {
    body.resize(body.len().next_multiple_of(4), 0);
}

fn block(out: &mut impl Write, kind: u32, body: &[u8]) -> io::Result<()> {
    let length = u32::try_from(body.len() + 12).unwrap_or_default().to_le_bytes();
    out.write_all(&[&kind.to_le_bytes()[..], &length, body, &length].concat())
}

/// The checksum of the Internet (RFC 1071) over parts, of which all but the last have an even number of octets.
fn checksum(parts: &[&[u8]]) -> [u8; 2] {
    let words = parts.iter().flat_map(|part| part.chunks(2));
    let mut sum: u32 = words.map(|word| u32::from(word[0]) << 8 | word.get(1).map_or(0, |low| u32::from(*low))).sum();
    while sum > 0xffff {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    [!(sum >> 8) as u8, !sum as u8]
}

/// Writes everything that was sent, at the time when it was sent and as it was sent, with a comment on what became of it if it did
/// not just arrive. `zero` is how long after 1970 the trace begins.
///
/// # Errors
/// Those of `out`.
pub fn capture(trace: &Trace, zero: Duration, out: impl Write) -> io::Result<()> {
    let mut capture = Capture::new(out, zero)?;
    for entry in trace.entries() {
        let What::Sent(sent) = &entry.what else { continue };
        let carrier = if sent.stream.is_some() { Carrier::Stream } else { Carrier::Datagram };
        let faults = sent.fate.faults().map(|fault| fault.to_string());
        let stopped = sent.stopped.map(|stopped| stopped.to_string());
        let comment = faults.chain(stopped).collect::<Vec<_>>().join(", ");
        capture.packet(entry.time, carrier, sent.source, sent.destination, &sent.bytes, &comment)?;
    }
    capture.flush()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run::{Case, run};

    /// The octets of a packet block from its IP header on.
    fn packet(carrier: Carrier, from: &str, to: &str, bytes: &[u8]) -> Vec<u8> {
        let mut capture = Capture::new(Vec::new(), Duration::ZERO).unwrap();
        let head = capture.out.len();
        let [from, to] = [from, to].map(|address| address.parse().unwrap());
        capture.packet(Instant::ZERO, carrier, from, to, bytes, "").unwrap();
        capture.into_inner().split_off(head + 28)
    }

    #[test]
    fn the_headers_have_the_checksums_that_receivers_expect() {
        // The sum over a header with its checksum is zero (RFC 1071 §1).
        for carrier in [Carrier::Datagram, Carrier::Stream] {
            let v4 = packet(carrier, "192.0.2.1:5060", "192.0.2.4:5061", b"odd");
            let length = usize::from(u16::from_be_bytes([v4[2], v4[3]]));
            assert_eq!(checksum(&[&v4[..20]]), [0, 0]);
            let pseudo = [0, v4[9], 0, (length - 20) as u8];
            assert_eq!(checksum(&[&v4[12..20], &pseudo, &v4[20..length]]), [0, 0]);
            let v6 = packet(carrier, "[2001:db8::1]:5060", "[2001:db8::4]:5061", b"odd");
            let pseudo = [0, v6[6], v6[4], v6[5]];
            assert_eq!(checksum(&[&v6[8..40], &pseudo, &v6[40..40 + usize::from(v6[5])]]), [0, 0]);
        }
    }

    #[test]
    fn the_pieces_of_a_stream_follow_one_another_and_acknowledge_the_other_side() {
        let mut capture = Capture::new(Vec::new(), Duration::ZERO).unwrap();
        let [a, b] = ["192.0.2.1:5060", "192.0.2.4:5060"].map(|address| address.parse().unwrap());
        let mut sequence = |from, to, bytes: &[u8]| {
            let header = capture.tcp(from, to, bytes);
            (
                u32::from_be_bytes([header[0], header[1], header[2], header[3]]),
                u32::from_be_bytes([header[4], header[5], header[6], header[7]]),
            )
        };
        assert_eq!([sequence(a, b, b"one"), sequence(a, b, b"two"), sequence(b, a, b"four")], [(1, 1), (4, 1), (1, 7)]);
        assert_eq!(sequence(a, b, b""), (7, 5));
    }

    fn word(file: &[u8], at: usize) -> u32 {
        u32::from_le_bytes(file[at..at + 4].try_into().unwrap())
    }

    /// The types of the blocks, each of which says its length at both ends.
    fn kinds(file: &[u8]) -> Vec<u32> {
        let (mut at, mut kinds) = (0, Vec::new());
        while at < file.len() {
            let length = word(file, at + 4) as usize;
            assert_eq!((word(file, at + length - 4) as usize, length % 4), (length, 0));
            kinds.push(word(file, at));
            at += length;
        }
        kinds
    }

    #[test]
    fn a_long_piece_is_several_packets_and_mixed_families_are_none() {
        let mut capture = Capture::new(Vec::new(), Duration::from_secs(1)).unwrap();
        let [a, b] = ["192.0.2.1:5060", "192.0.2.4:5060"].map(|address| address.parse().unwrap());
        capture.packet(Instant::from_millis(500), Carrier::Datagram, a, b, b"odd", "lost").unwrap();
        capture.packet(Instant::ZERO, Carrier::Stream, a, b, &[b'x'; 70_000], "").unwrap();
        capture.packet(Instant::ZERO, Carrier::Datagram, a, "[::1]:5060".parse().unwrap(), b"mixed", "").unwrap();
        let file = capture.into_inner();
        assert_eq!(kinds(&file), [0x0a0d_0d0a, 1, 6, 6, 6]);
        // 1.5 s in nanoseconds.
        assert_eq!((u64::from(word(&file, 72)) << 32) | u64::from(word(&file, 76)), 1_500_000_000);
    }

    #[test]
    fn a_run_is_as_many_packets_as_were_sent_and_one_that_was_lost_says_so() {
        let case = Case { plan: "alice>atlanta#1:drop".parse().unwrap(), ..Case::default() };
        let (done, mut file) = (run(&case), Vec::new());
        capture(done.world.trace(), Duration::ZERO, &mut file).unwrap();
        assert_eq!(kinds(&file).len(), 2 + done.world.trace().transmissions().count());
        let comment = [&[1, 0, 4, 0], &b"drop"[..]].concat();
        assert_eq!(file.windows(8).filter(|octets| *octets == comment).count(), 1);
    }
}
