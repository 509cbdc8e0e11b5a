//! Hosts and ports (RFC 3261 §25.1 `host`, `hostport`; RFC 5954).

use super::error::{ParseError, ParseErrorKind};
use super::text;
use super::text::{address, decimal};
use alloc::boxed::Box;
use core::fmt;
use core::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use core::str::FromStr;

/// A host: a name (compared without case and without a final dot) or an address (compared by value, RFC 5954).
#[derive(Clone, Copy, Debug)]
pub enum Host<'a> {
    /// A host name, as written.
    Name(&'a str),
    /// An IPv4 address.
    V4(Ipv4Addr),
    /// An IPv6 address; in text between brackets.
    V6(Ipv6Addr),
}

impl<'a> Host<'a> {
    /// Reads a host name, an IPv4 address or an IPv6 address in brackets.
    pub fn parse(text: &'a [u8]) -> Option<Self> {
        HostText::parse(text).map(HostText::read)
    }

    /// Reads what [`parse`](Self::parse) reads, and an IPv6 address without brackets: `received` (RFC 5118 §4.5).
    pub(crate) fn parse_bare(text: &'a [u8]) -> Option<Self> {
        parse_v6(text).map(Self::V6).or_else(|| Self::parse(text))
    }

    /// The address, if this is one.
    pub const fn ip(self) -> Option<IpAddr> {
        match self {
            Self::Name(_) => None,
            Self::V4(ip) => Some(IpAddr::V4(ip)),
            Self::V6(ip) => Some(IpAddr::V6(ip)),
        }
    }

    /// Gives the text, part by part.
    fn parts(self, mut put: impl FnMut(&str)) {
        match self {
            Self::Name(name) => put(name),
            Self::V4(ip) => put(text::ascii(&address(ip.into()))),
            Self::V6(ip) => ["[", text::ascii(&address(ip.into())), "]"].into_iter().for_each(put),
        }
    }

    /// An owned copy, in canonical form.
    pub fn to_buf(self) -> HostBuf {
        match self {
            Self::Name(name) => HostBuf::Name(without_final_dot(name).to_ascii_lowercase().into()),
            Self::V4(ip) => HostBuf::V4(ip),
            Self::V6(ip) => HostBuf::V6(ip),
        }
    }
}

/// A host whose text was checked, and not made a `str` yet: that costs some 100 instructions, and of most URIs nobody asks.
#[derive(Clone, Copy)]
pub(super) enum HostText<'a> {
    Name(&'a [u8]),
    V4(Ipv4Addr),
    V6(Ipv6Addr),
}

impl<'a> HostText<'a> {
    fn parse(text: &'a [u8]) -> Option<Self> {
        if let [b'[', inner @ .., b']'] = text {
            return parse_v6(inner).map(Self::V6);
        }
        // No text is both: the last label of a name is no number.
        let address = text.first().filter(|first| first.is_ascii_digit()).and_then(|_| parse_v4(text));
        address.map(Self::V4).or_else(|| is_name(text).then_some(Self::Name(text)))
    }

    /// Takes text that was checked elsewhere, and the address that it is, if it is one.
    pub(super) fn usual(text: &'a [u8], ip: Option<Ipv4Addr>) -> Self {
        ip.map_or(Self::Name(text), Self::V4)
    }

    pub(super) fn read(self) -> Host<'a> {
        match self {
            Self::Name(name) => Host::Name(text::ascii(name)),
            Self::V4(ip) => Host::V4(ip),
            Self::V6(ip) => Host::V6(ip),
        }
    }
}

/// A [`HostText`] with a port.
#[derive(Clone, Copy)]
pub(super) struct HostPortText<'a> {
    host: HostText<'a>,
    port: Option<u16>,
}

impl<'a> HostPortText<'a> {
    pub(super) const fn new(host: HostText<'a>, port: Option<u16>) -> Self {
        Self { host, port }
    }

    pub(super) fn parse(text: &'a [u8]) -> Result<Self, ParseError> {
        let (host, port) = HostPort::split(text);
        Self::of(text, host, port)
    }

    fn of(text: &[u8], host: &'a [u8], port: Option<&'a [u8]>) -> Result<Self, ParseError> {
        let bad_host = ParseError::new(ParseErrorKind::Host, text::offset_in(text, host));
        let host = HostText::parse(host).ok_or(bad_host)?;
        let port = match port {
            None => None,
            Some(digits) => {
                let bad_port = ParseError::new(ParseErrorKind::Port, text::offset_in(text, digits));
                Some(text::number(digits).and_then(|port| u16::try_from(port).ok()).ok_or(bad_port)?)
            }
        };
        Ok(Self { host, port })
    }

    pub(super) fn read(self) -> HostPort<'a> {
        HostPort { host: self.host.read(), port: self.port }
    }

    pub(super) const fn port(self) -> Option<u16> {
        self.port
    }
}

/// Reads an address; three colons in a row count as two (RFC 5118 §4.10).
fn parse_v6(text: &[u8]) -> Option<Ipv6Addr> {
    const LONGEST: usize = 46;
    if let Ok(ip) = core::str::from_utf8(text).ok()?.parse() {
        return Some(ip);
    }
    let at = text.windows(3).position(|window| window == b":::")?;
    let (before, after) = text.split_at_checked(at)?;
    let after = after.get(1..)?;
    let mut copy = [0; LONGEST];
    let copy = copy.get_mut(..text.len() - 1)?;
    for (to, from) in copy.iter_mut().zip(before.iter().chain(after)) {
        *to = *from;
    }
    core::str::from_utf8(copy).ok()?.parse().ok()
}

/// Reads four numbers without leading zeros, as `Ipv4Addr::from_str` does in five times the instructions: addresses stand in most
/// URIs and Vias.
fn parse_v4(text: &[u8]) -> Option<Ipv4Addr> {
    v4(text, 0).filter(|(end, _)| *end == text.len()).map(|(_, ip)| ip)
}

/// Reads the address that begins there: where it ends, whatever comes behind, and the address.
#[inline(always)]
pub(super) fn v4(text: &[u8], from: usize) -> Option<(usize, Ipv4Addr)> {
    let mut rest = text.get(from..)?;
    let mut bits = 0_u32;
    for place in 0..4 {
        if place > 0 {
            rest = rest.strip_prefix(b".")?;
        }
        let [first @ b'0'..=b'9', behind @ ..] = rest else { return None };
        let mut number = u32::from(first - b'0');
        rest = behind;
        // No digit follows a leading zero, and none a number that it would lift above 255.
        while let [digit @ b'0'..=b'9', behind @ ..] = rest {
            let more = number * 10 + u32::from(digit - b'0');
            if number == 0 || more > 255 {
                return None;
            }
            (number, rest) = (more, behind);
        }
        bits = bits << 8 | number;
    }
    Some((text.len() - rest.len(), Ipv4Addr::from_bits(bits)))
}

/// Whether this is a `hostname`; the underscore, which DNS carries though host names must not have it, is let through
/// ([`Leniency::Underscore`](super::Leniency::Underscore)).
fn is_name(text: &[u8]) -> bool {
    let labels = text.strip_suffix(b".").unwrap_or(text);
    // One look at a table for each octet and one at the pair that it makes with that before it.
    let mut before = DOT;
    for &octet in labels {
        let kind = KINDS.get(usize::from(octet)).copied().unwrap_or_default();
        if PAIRS >> (before * 4 + kind) & 1 == 0 {
            return false;
        }
        before = kind;
    }
    before == INNER && !labels.rsplit(|&octet| octet == b'.').next().is_some_and(is_number)
}

/// Whether some reader may take this last label for a number, and the whole for an address with an octet too many or too large:
/// all digits, or `0x` and hexadecimal digits. RFC 3261 §25.1 wants a letter first; names that machines were given
/// (`543dc521b9a2`) often begin with a digit ([`Leniency::DigitFirst`](super::Leniency::DigitFirst)).
fn is_number(label: &[u8]) -> bool {
    match label {
        [b'0', b'x' | b'X', hex @ ..] => hex.iter().all(u8::is_ascii_hexdigit),
        [b'0'..=b'9', ..] => label.iter().all(u8::is_ascii_digit),
        _ => false,
    }
}

/// Kinds of octets of a host name; 0 is none of it.
const INNER: u8 = 1;
const HYPHEN: u8 = 2;
const DOT: u8 = 3;

/// Which kind may follow which: a label neither begins nor ends with a hyphen, and is not empty.
const PAIRS: u16 = pair(DOT, INNER)
    | pair(INNER, INNER)
    | pair(INNER, HYPHEN)
    | pair(INNER, DOT)
    | pair(HYPHEN, INNER)
    | pair(HYPHEN, HYPHEN);

const fn pair(before: u8, kind: u8) -> u16 {
    1 << (before * 4 + kind)
}

/// The kind of each octet.
static KINDS: [u8; 256] = kinds();

#[expect(clippy::indexing_slicing, reason = "evaluated by the compiler, which would find it")]
const fn kinds() -> [u8; 256] {
    let mut kinds = [0; 256];
    let mut octet = 0;
    while octet < 128 {
        kinds[octet as usize] = match octet {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'_' => INNER,
            b'-' => HYPHEN,
            b'.' => DOT,
            _ => 0,
        };
        octet += 1;
    }
    kinds
}

fn without_final_dot(name: &str) -> &str {
    name.strip_suffix('.').unwrap_or(name)
}

impl PartialEq for Host<'_> {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Name(a), Self::Name(b)) => without_final_dot(a).eq_ignore_ascii_case(without_final_dot(b)),
            (Self::V4(a), Self::V4(b)) => a == b,
            (Self::V6(a), Self::V6(b)) => a == b,
            _ => false,
        }
    }
}

impl Eq for Host<'_> {}

impl From<IpAddr> for Host<'_> {
    fn from(ip: IpAddr) -> Self {
        match ip {
            IpAddr::V4(ip) => Self::V4(ip),
            IpAddr::V6(ip) => Self::V6(ip),
        }
    }
}

impl fmt::Display for Host<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        written(f, |put| self.parts(put))
    }
}

/// Writes what is given part by part.
fn written(f: &mut fmt::Formatter<'_>, parts: impl FnOnce(&mut dyn FnMut(&str))) -> fmt::Result {
    let mut result = Ok(());
    parts(&mut |part| result = result.and_then(|()| f.write_str(part)));
    result
}

/// An owned [`Host`] in canonical form.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum HostBuf {
    /// A host name: lower case, no final dot.
    Name(Box<str>),
    /// An IPv4 address.
    V4(Ipv4Addr),
    /// An IPv6 address.
    V6(Ipv6Addr),
}

impl HostBuf {
    /// The host, borrowed.
    pub fn as_host(&self) -> Host<'_> {
        match self {
            Self::Name(name) => Host::Name(name),
            Self::V4(ip) => Host::V4(*ip),
            Self::V6(ip) => Host::V6(*ip),
        }
    }
}

impl From<IpAddr> for HostBuf {
    fn from(ip: IpAddr) -> Self {
        match ip {
            IpAddr::V4(ip) => Self::V4(ip),
            IpAddr::V6(ip) => Self::V6(ip),
        }
    }
}

impl FromStr for HostBuf {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        Host::parse(text.as_bytes()).map(Host::to_buf).ok_or(ParseError::new(ParseErrorKind::Host, 0))
    }
}

impl fmt::Display for HostBuf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.as_host().fmt(f)
    }
}

/// A host and perhaps a port: `sent-by` of a Via, `hostport` of a URI.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HostPort<'a> {
    /// The host.
    pub host: Host<'a>,
    /// The port, if one is written.
    pub port: Option<u16>,
}

impl<'a> HostPort<'a> {
    /// Reads `host` or `host:port`, without white space.
    ///
    /// # Errors
    /// The host or the port is malformed.
    pub fn parse(text: &'a [u8]) -> Result<Self, ParseError> {
        HostPortText::parse(text).map(HostPortText::read)
    }

    /// Reads `host` or `host:port` with white space around the colon, as in Via.
    pub(crate) fn parse_spaced(text: &'a [u8]) -> Result<Self, ParseError> {
        let (host, port) = Self::split(text::trim(text));
        HostPortText::of(text, text::trim(host), port.map(text::trim)).map(HostPortText::read)
    }

    /// Gives the text, part by part: some of it is written with each request, and formatting is slow.
    pub(crate) fn parts(self, mut put: impl FnMut(&str)) {
        self.host.parts(&mut put);
        if let Some(port) = self.port {
            put(":");
            put(decimal(port.into()).as_str());
        }
    }

    /// The text before and after the colon of the port.
    fn split(text: &'a [u8]) -> (&'a [u8], Option<&'a [u8]>) {
        let address = if text.starts_with(b"[") { text::find(text, b']').unwrap_or(0) } else { 0 };
        let colon = text.get(address..).and_then(|tail| text::find(tail, b':'));
        match colon.and_then(|colon| text.split_at_checked(address + colon)) {
            Some((host, port)) => (host, port.get(1..)),
            None => (text, None),
        }
    }

    /// An owned copy, in canonical form.
    pub fn to_buf(self) -> HostPortBuf {
        HostPortBuf { host: self.host.to_buf(), port: self.port }
    }
}

impl From<SocketAddr> for HostPort<'_> {
    fn from(address: SocketAddr) -> Self {
        Self { host: address.ip().into(), port: Some(address.port()) }
    }
}

impl fmt::Display for HostPort<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        written(f, |put| self.parts(put))
    }
}

/// An owned [`HostPort`] in canonical form.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct HostPortBuf {
    /// The host.
    pub host: HostBuf,
    /// The port, if one is written.
    pub port: Option<u16>,
}

impl HostPortBuf {
    /// The host and port, borrowed.
    pub fn as_host_port(&self) -> HostPort<'_> {
        HostPort { host: self.host.as_host(), port: self.port }
    }
}

impl From<SocketAddr> for HostPortBuf {
    fn from(address: SocketAddr) -> Self {
        HostPort::from(address).to_buf()
    }
}

impl FromStr for HostPortBuf {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        HostPort::parse(text.as_bytes()).map(HostPort::to_buf)
    }
}

impl fmt::Display for HostPortBuf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.as_host_port().fmt(f)
    }
}

#[cfg(feature = "serde")]
crate::plain::as_text! {
    HostBuf, "a host", |text| text.parse().ok(), |host: &Self| host.clone();
    HostPortBuf, "a host, and perhaps a port", |text| text.parse().ok(), |at: &Self| at.clone();
}

#[cfg(test)]
mod tests {
    use super::{Host, HostPort, HostPortBuf};
    use alloc::string::ToString;
    use core::net::{Ipv4Addr, Ipv6Addr};

    #[test]
    fn hosts_are_names_or_addresses() {
        assert!(matches!(Host::parse(b"chair-dnrc.example.com"), Some(Host::Name("chair-dnrc.example.com"))));
        assert_eq!(Host::parse(b"192.0.2.1"), Some(Host::V4(Ipv4Addr::new(192, 0, 2, 1))));
        assert_eq!(Host::parse(b"[2001:db8::9]"), Some(Host::V6("2001:db8::9".parse().unwrap())));
        assert!(matches!(Host::parse(b"a1"), Some(Host::Name("a1"))));
    }

    #[test]
    fn a_last_label_may_begin_with_a_digit_but_be_no_number() {
        for name in
            ["543dc521b9a2", "3com", "sip.1e5", "a.3com.", "0y1", "0xg", "00x1", "1-2", "1_2", "0x1.com", "999.9x"]
        {
            assert!(matches!(Host::parse(name.as_bytes()), Some(Host::Name(_))), "{name}");
        }
        for bad in ["5060", "a.5", "0x7f", "0X7F000001", "a.0x1f", "a.0x", "1.2.3.0x4", "a.5.", "1.2.3.256", "3com-"] {
            assert_eq!(Host::parse(bad.as_bytes()), None, "{bad}");
        }
        assert_eq!(HostPort::parse_spaced(b"543dc521b9a2 : 5070").unwrap().port, Some(5070));
    }

    #[test]
    fn ipv4_is_read_as_the_standard_library_reads_it() {
        let part =
            ["", "0", "00", "01", "1", "9", "25", "26", "99", "100", "199", "249", "250", "255", "256", "260", "999"];
        for (a, b) in part.iter().flat_map(|a| part.iter().map(move |b| (a, b))) {
            for text in [
                alloc::format!("{a}.{b}.2.1"),
                alloc::format!("1.2.{a}.{b}"),
                alloc::format!("{a}.{b}"),
                alloc::format!("{a}.1.{b}.1.1"),
                alloc::format!("{a}.1.1.{b} "),
                alloc::format!("{a}1..{b}.1"),
            ] {
                assert_eq!(super::parse_v4(text.as_bytes()), text.parse().ok(), "{text}");
            }
        }
    }

    #[test]
    fn what_is_neither_is_refused() {
        for bad in [
            "",
            ".",
            "..",
            "a..b",
            "-a.com",
            "a-.com",
            "192.0.2.256",
            "192.0.2",
            "1.2.3.4.5",
            "2001:db8::9",
            "[1.2.3.4]",
            "[::1",
            "a b",
            "ä.de",
            "[fe80::1%eth0]",
        ] {
            assert_eq!(Host::parse(bad.as_bytes()), None, "{bad}");
        }
    }

    #[test]
    fn names_are_equal_without_case_and_final_dot() {
        assert_eq!(Host::parse(b"AtLanTa.CoM."), Host::parse(b"atlanta.com"));
        assert_eq!(Host::parse(b"AtLanTa.CoM.").unwrap().to_buf().to_string(), "atlanta.com");
    }

    #[test]
    fn ipv6_addresses_are_equal_by_value() {
        // RFC 5954 §4.2; the three colons: RFC 5118 §4.10.
        assert_eq!(Host::parse(b"[2001:DB8:0:0:0:0:0:1]"), Host::parse(b"[2001:db8::1]"));
        assert_eq!(Host::parse(b"[2001:db8:::192.0.2.1]"), Host::parse(b"[2001:db8::192.0.2.1]"));
        assert_eq!(Host::parse_bare(b"2001:db8::9:255"), Host::parse_bare(b"[2001:db8::9:255]"));
    }

    #[test]
    fn a_port_follows_the_bracket() {
        let both = HostPort::parse(b"[2001:db8::10]:5070").unwrap();
        assert_eq!((both.host.ip(), both.port), (Some("2001:db8::10".parse().unwrap()), Some(5070)));
        let ambiguous = HostPort::parse(b"[2001:db8::10:5070]").unwrap();
        assert_eq!(ambiguous.host, Host::V6("2001:db8::10:5070".parse::<Ipv6Addr>().unwrap()));
        assert_eq!(ambiguous.port, None);
    }

    #[test]
    fn bad_ports_are_refused() {
        for bad in ["a.com:", "a.com:65536", "a.com:x", "a.com:5060:1", "a.com :5060", "[::1]5060"] {
            assert!(HostPort::parse(bad.as_bytes()).is_err(), "{bad}");
        }
        assert!(HostPort::parse_spaced(b" a.com : 5060 ").is_ok());
    }

    #[test]
    fn what_is_written_reads_the_same() {
        for text in ["a.com", "a.com:5060", "[2001:db8::1]:5061", "192.0.2.1"] {
            assert_eq!(text.parse::<HostPortBuf>().unwrap().to_string(), text);
        }
    }
}
