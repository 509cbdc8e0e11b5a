//! Blocks of pcap and pcapng files (draft-ietf-opsawg-pcap, draft-ietf-opsawg-pcapng).

use std::fmt;
use std::io::{self, Read};

use pcap_parser::{Block, LegacyPcapBlock, PcapHeader};
use pcap_parser::{nom, parse_pcap_frame, parse_pcap_frame_be, parse_pcap_header, pcapng};

use super::limits::Limits;

/// Octets that are asked for at once.
const PIECE: usize = 1 << 16;
/// The octets that tell what a file is.
const HEAD: usize = 24;

/// A packet as a file has it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Raw<'a> {
    /// In nanoseconds since 1970.
    pub(super) time: u64,
    /// The type of its link (LINKTYPE).
    pub(super) link: i32,
    pub(super) octets: &'a [u8],
    /// Whether the snap length cut it.
    pub(super) is_cut: bool,
}

/// Why a file could not be read, or not to its end.
#[derive(Debug)]
pub enum Trouble {
    /// There is nothing in it.
    Empty,
    /// It is compressed, by this program.
    Compressed(&'static str),
    /// It is of a version that is not known.
    Version(u16, u16),
    /// It is no capture and no trace.
    Unknown,
    /// It ends within a block or a line.
    CutOff,
    /// A block or line is not what the format says.
    Malformed,
    /// A block or line has more octets than this bound.
    TooLong(usize),
    /// There are more interfaces than this bound.
    Interfaces(usize),
    /// It cannot be read.
    Input(io::Error),
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str("the file is empty; a capture (pcap, pcapng) or a trace (JSON) is meant"),
            Self::Compressed(by) => write!(f, "the file is compressed by {by}: unpack it, or pipe it unpacked to `-`"),
            Self::Version(major, minor) => {
                write!(
                    f,
                    "the file is of version {major}.{minor}; pcap 2.4, pcapng 1 and traces of versions 1 and 2 are read"
                )
            }
            Self::Unknown => f.write_str("the file is no capture; pcap, pcapng or a trace (JSON) is meant"),
            Self::CutOff => f.write_str("the file is cut off; what stands before the cut was read"),
            Self::Malformed => f.write_str("the file is damaged; what stands before the damage was read"),
            Self::TooLong(bound) => write!(f, "a block has more than {bound} octets; what stands before it was read"),
            Self::Interfaces(bound) => {
                write!(f, "the file has more than {bound} interfaces; what stands before was read")
            }
            Self::Input(error) => write!(f, "{error}"),
        }
    }
}

impl std::error::Error for Trouble {}

/// The kind of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Format {
    Pcap,
    Pcapng,
    Events,
}

/// Octets of a file that were read and not yet used.
pub(super) struct Input<'r> {
    source: &'r mut dyn Read,
    octets: Vec<u8>,
    begin: usize,
    is_over: bool,
}

impl<'r> Input<'r> {
    pub(super) fn new(source: &'r mut dyn Read) -> Self {
        Self { source, octets: Vec::new(), begin: 0, is_over: false }
    }

    pub(super) fn octets(&self) -> &[u8] {
        self.octets.get(self.begin..).unwrap_or_default()
    }

    /// Whether nothing more is to come.
    pub(super) const fn is_over(&self) -> bool {
        self.is_over
    }

    pub(super) fn consume(&mut self, octets: usize) {
        self.begin = (self.begin + octets).min(self.octets.len());
    }

    /// Reads on.
    pub(super) fn fill(&mut self) -> Result<(), Trouble> {
        self.octets.drain(..self.begin);
        self.begin = 0;
        let there = self.octets.len();
        self.octets.resize(there + PIECE, 0);
        let read = loop {
            match self.source.read(&mut self.octets[there..]) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                read => break read,
            }
        };
        self.octets.truncate(there + *read.as_ref().unwrap_or(&0));
        self.is_over = read.map_err(Trouble::Input)? == 0;
        Ok(())
    }

    /// Says what the file is by its first octets.
    pub(super) fn format(&mut self) -> Result<Format, Trouble> {
        while !self.is_over && self.octets().len() < HEAD {
            self.fill()?;
        }
        let head = self.octets();
        const PACKED: [(&[u8], &str); 5] = [
            (&[0x1f, 0x8b], "gzip"),
            (&[0x28, 0xb5, 0x2f, 0xfd], "zstd"),
            (&[0xfd, b'7', b'z', b'X', b'Z'], "xz"),
            (b"BZh", "bzip2"),
            (&[0x04, 0x22, 0x4d, 0x18], "lz4"),
        ];
        if let Some((_, by)) = PACKED.iter().find(|(magic, _)| head.starts_with(magic)) {
            return Err(Trouble::Compressed(by));
        }
        match *head {
            [] => Err(Trouble::Empty),
            [0x0a, 0x0d, 0x0d, 0x0a, ..] => Ok(Format::Pcapng),
            [0xa1, 0xb2, 0xc3, 0xd4, ..]
            | [0xa1, 0xb2, 0x3c, 0x4d, ..]
            | [0xd4, 0xc3, 0xb2, 0xa1, ..]
            | [0x4d, 0x3c, 0xb2, 0xa1, ..] => Ok(Format::Pcap),
            [b'{', ..] => Ok(Format::Events),
            _ => Err(Trouble::Unknown),
        }
    }
}

/// Gives each packet of a pcap file to `each`.
pub(super) fn read_pcap(input: &mut Input<'_>, limits: &Limits, each: &mut dyn FnMut(Raw<'_>)) -> Result<(), Trouble> {
    let header = match parse_pcap_header(input.octets()) {
        Ok((_, header)) => header,
        Err(nom::Err::Incomplete(_)) => return Err(Trouble::CutOff),
        Err(_) => return Err(Trouble::Malformed),
    };
    if (header.version_major, header.version_minor) != (2, 4) {
        return Err(Trouble::Version(header.version_major, header.version_minor));
    }
    input.consume(HEAD);
    let parse = if header.is_bigendian() { parse_pcap_frame_be } else { parse_pcap_frame };
    // The upper bits of the field are no part of the type.
    let link = header.network.0 & 0xffff;
    loop {
        let there = input.octets().len();
        let used = match parse(input.octets()) {
            Ok((rest, block)) => {
                let is_cut = block.caplen < block.origlen;
                each(Raw { time: legacy_time(&header, &block), link, octets: block.data, is_cut });
                there - rest.len()
            }
            Err(nom::Err::Incomplete(_)) => {
                if !more(input, limits)? {
                    return Ok(());
                }
                0
            }
            Err(_) => return Err(Trouble::Malformed),
        };
        input.consume(used);
    }
}

fn legacy_time(header: &PcapHeader, block: &LegacyPcapBlock<'_>) -> u64 {
    let unit = if header.is_nanosecond_precision() { 1 } else { 1_000 };
    u64::from(block.ts_sec) * 1_000_000_000 + u64::from(block.ts_usec) * unit
}

/// Reads on, if a file goes on and its block may be longer.
fn more(input: &mut Input<'_>, limits: &Limits) -> Result<bool, Trouble> {
    match input.octets().len() {
        0 if input.is_over() => return Ok(false),
        _ if input.is_over() => return Err(Trouble::CutOff),
        there if there >= limits.block => return Err(Trouble::TooLong(limits.block)),
        _ => {}
    }
    input.fill()?;
    Ok(true)
}

/// An interface of a section.
#[derive(Clone, Copy, Debug)]
struct Interface {
    link: i32,
    snap: u32,
    resolution: u8,
    /// In seconds.
    offset: i64,
}

impl Interface {
    /// In nanoseconds since 1970, of a time in its own units.
    fn time(self, high: u32, low: u32) -> u64 {
        let units = u128::from(high) << 32 | u128::from(low);
        let exponent = u32::from(self.resolution & 0x7f);
        let nanos = if self.resolution & 0x80 != 0 {
            // At most 64 + 30 bits.
            (units * 1_000_000_000).checked_shr(exponent).unwrap_or(0)
        } else if exponent <= 9 {
            units * 10_u128.pow(9 - exponent)
        } else {
            units / 10_u128.checked_pow(exponent - 9).unwrap_or(u128::MAX)
        };
        let nanos = i128::try_from(nanos).unwrap_or(i128::MAX).saturating_add(i128::from(self.offset) * 1_000_000_000);
        u64::try_from(nanos.max(0)).unwrap_or(u64::MAX)
    }
}

/// Gives each packet of a pcapng file to `each`.
pub(super) fn read_pcapng(
    input: &mut Input<'_>,
    limits: &Limits,
    each: &mut dyn FnMut(Raw<'_>),
) -> Result<(), Trouble> {
    let (mut is_big, mut interfaces) = (false, Vec::new());
    loop {
        let there = input.octets().len();
        let parse = if is_big { pcapng::parse_block_be } else { pcapng::parse_block_le };
        let used = match parse(input.octets()) {
            Ok((rest, block)) => {
                match block {
                    Block::SectionHeader(section) => {
                        if section.major_version != 1 {
                            return Err(Trouble::Version(section.major_version, section.minor_version));
                        }
                        is_big = section.big_endian();
                        interfaces.clear();
                    }
                    Block::InterfaceDescription(it) if interfaces.len() < limits.interfaces => {
                        interfaces.push(Interface {
                            link: it.linktype.0,
                            snap: it.snaplen,
                            resolution: it.if_tsresol,
                            offset: it.if_tsoffset,
                        })
                    }
                    Block::InterfaceDescription(_) => return Err(Trouble::Interfaces(limits.interfaces)),
                    Block::EnhancedPacket(it) => {
                        let interface = interfaces.get(it.if_id as usize).ok_or(Trouble::Malformed)?;
                        let octets = it.data.get(..it.caplen as usize).ok_or(Trouble::Malformed)?;
                        let (time, is_cut) = (interface.time(it.ts_high, it.ts_low), it.caplen < it.origlen);
                        each(Raw { time, link: interface.link, octets, is_cut });
                    }
                    Block::SimplePacket(it) => {
                        let interface = interfaces.first().ok_or(Trouble::Malformed)?;
                        let whole = it.origlen as usize;
                        let snap = if interface.snap == 0 { whole } else { whole.min(interface.snap as usize) };
                        let octets = it.data.get(..snap.min(it.data.len())).unwrap_or_default();
                        // There is no time in it.
                        each(Raw { time: 0, link: interface.link, octets, is_cut: octets.len() < whole });
                    }
                    _ => {}
                }
                there - rest.len()
            }
            Err(nom::Err::Incomplete(_)) => {
                if !more(input, limits)? {
                    return Ok(());
                }
                0
            }
            Err(_) => return Err(Trouble::Malformed),
        };
        input.consume(used);
    }
}
