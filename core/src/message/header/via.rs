//! Via (RFC 3261 §20.42, RFC 3581).

use super::Header;
use crate::message::error::{ParseError, ParseErrorKind};
use crate::message::host::{Host, HostPort, HostText};
use crate::message::name::HeaderId;
use crate::message::parameters::{Parameters, Place, Text};
use crate::message::text::{self, Cursor, TOKEN};
use crate::message::usual;
use alloc::vec::Vec;
use core::fmt;
use core::net::IpAddr;

/// The transport of a Via's `sent-protocol`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Protocol {
    /// UDP.
    Udp,
    /// TCP.
    Tcp,
    /// TLS over TCP.
    Tls,
    /// SCTP (RFC 4168).
    Sctp,
    /// WebSocket (RFC 7118).
    Ws,
    /// WebSocket over TLS (RFC 7118).
    Wss,
    /// Any other token. It is read and forwarded, but never written anew.
    Other,
}

impl Protocol {
    /// The protocol of this token, without case; [`Other`](Self::Other) if it is not known.
    pub fn from_token(token: &[u8]) -> Self {
        const KNOWN: [Protocol; 6] =
            [Protocol::Udp, Protocol::Tcp, Protocol::Tls, Protocol::Sctp, Protocol::Ws, Protocol::Wss];
        // As nearly all write them.
        match token {
            b"UDP" => return Self::Udp,
            b"TCP" => return Self::Tcp,
            b"TLS" => return Self::Tls,
            _ => {}
        }
        let named = |known: &Self| known.as_str().as_bytes().eq_ignore_ascii_case(token);
        KNOWN.into_iter().find(named).unwrap_or(Self::Other)
    }

    /// The token, such as `UDP`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Udp => "UDP",
            Self::Tcp => "TCP",
            Self::Tls => "TLS",
            Self::Sctp => "SCTP",
            Self::Ws => "WS",
            Self::Wss => "WSS",
            Self::Other => "UNKNOWN",
        }
    }

    /// Whether it delivers or says that it did not: everything but UDP.
    pub const fn is_reliable(self) -> bool {
        !matches!(self, Self::Udp)
    }

    /// Whether the far end has to show who it is: TLS and WSS.
    pub const fn is_secure(self) -> bool {
        matches!(self, Self::Tls | Self::Wss)
    }

    /// 5061 for TLS (RFC 3261 §18.2.2), 80 and 443 for WS and WSS (RFC 7118 §5.5), else 5060.
    pub const fn default_port(self) -> u16 {
        match self {
            Self::Tls => 5061,
            Self::Ws => 80,
            Self::Wss => 443,
            Self::Udp | Self::Tcp | Self::Sctp | Self::Other => 5060,
        }
    }
}

impl fmt::Display for Protocol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// One value of Via.
#[derive(Clone, Copy)]
pub struct Via<'a> {
    /// The transport.
    pub protocol: Protocol,
    /// Host and port that the sender gave.
    pub sent_by: HostPort<'a>,
    /// The parameters.
    pub parameters: Parameters<'a>,
    known: Known,
}

/// The parameters that each hop asks for, some of them several times: found in one walk.
#[derive(Clone, Copy, Default)]
struct Known {
    branch: Option<Place>,
    /// A second `branch`, which should not be.
    other_branch: Option<Place>,
    received: Option<Place>,
    rport: Option<Place>,
    maddr: Option<Place>,
    ttl: Option<Place>,
    /// One of them but `branch` stands there more than once.
    is_repeated: bool,
}

impl Known {
    fn of(parameters: Parameters<'_>) -> Self {
        let mut known = Self::default();
        parameters.places().for_each(|(at, parameter)| known.note(at, parameter.name));
        known
    }

    /// Notes a parameter if it is one of them; of several of one name the first counts.
    #[inline(always)]
    fn note(&mut self, at: Place, name: &[u8]) {
        let is = |known: &str| name.eq_ignore_ascii_case(known.as_bytes());
        let place = match name {
            // As nearly all write them.
            b"branch" if self.branch.is_none() => &mut self.branch,
            b"received" => &mut self.received,
            b"rport" => &mut self.rport,
            [b'b' | b'B', ..] if is("branch") && self.branch.is_some() => &mut self.other_branch,
            [b'b' | b'B', ..] if is("branch") => &mut self.branch,
            [b'r' | b'R', ..] if is("received") => &mut self.received,
            [b'r' | b'R', ..] if is("rport") => &mut self.rport,
            [b'm' | b'M', ..] if is("maddr") => &mut self.maddr,
            [b't' | b'T', ..] if is("ttl") => &mut self.ttl,
            _ => return,
        };
        match place {
            Some(_) => self.is_repeated = true,
            None => *place = Some(at),
        }
    }
}

impl<'a> Via<'a> {
    /// The Via of these parts.
    pub fn new(protocol: Protocol, sent_by: HostPort<'a>, parameters: Parameters<'a>) -> Self {
        Self { protocol, sent_by, parameters, known: Known::of(parameters) }
    }

    /// Reads a value as nearly all are written: without white space but for the one space, and a host that is a name or IPv4.
    #[inline]
    fn usual(value: &'a [u8]) -> Option<Self> {
        const HOST: usize = 12;
        let protocol = match value.first_chunk::<HOST>()? {
            b"SIP/2.0/UDP " => Protocol::Udp,
            b"SIP/2.0/TCP " => Protocol::Tcp,
            b"SIP/2.0/TLS " => Protocol::Tls,
            _ => return None,
        };
        let (host_end, ip) = usual::host(value, HOST)?;
        let (end, port) = usual::port(value, host_end)?;
        let mut known = Known::default();
        usual::parameters(value, end, |name, name_end, stop| {
            let at = if stop > name_end { name_end + 1 - end } else { 0 };
            if let (Some(at), Some(name)) = (Place::new(name - end, at, stop - end), value.get(name..name_end)) {
                known.note(at, name);
            }
        })?;
        let host = HostText::usual(value.get(HOST..host_end)?, ip).read();
        let parameters = Parameters::plain(value.get(end..)?);
        Some(Self { protocol, sent_by: HostPort { host, port }, parameters, known })
    }

    /// Reads the first value of a field; `None` if there is none, or if it is malformed.
    pub(in crate::message) fn first_of(field: &'a [u8]) -> Option<Self> {
        // No usual value has a comma: then the field has no other.
        Self::usual(field).or_else(|| Self::parse_any(text::first_value(field)?).ok())
    }

    /// Reads a value however it is written.
    fn parse_any(value: &'a [u8]) -> Result<Self, ParseError> {
        use ParseErrorKind::Protocol as BadProtocol;
        let mut cursor = Cursor::new(value);
        // As nearly all write it.
        if value.starts_with(b"SIP/2.0/") {
            cursor.take(b"SIP/2.0/".len());
            cursor.lws();
        } else {
            cursor.lws();
            let name = cursor.token()?;
            cursor.separator(b'/', BadProtocol)?;
            let version = cursor.token()?;
            cursor.separator(b'/', BadProtocol)?;
            if !name.eq_ignore_ascii_case("SIP") || version != "2.0" {
                return Err(ParseError::new(BadProtocol, 0));
            }
        }
        let missing = cursor.error(ParseErrorKind::Token);
        let protocol = cursor.take_while(&TOKEN);
        if protocol.is_empty() {
            return Err(missing);
        }
        let protocol = Protocol::from_token(protocol);
        if !cursor.peek().is_some_and(text::is_lws) {
            return Err(cursor.error(ParseErrorKind::Host));
        }
        let before = cursor.offset();
        let sent_by = cursor.take_until(b';');
        let sent_by = HostPort::parse_spaced(sent_by).map_err(|error| ParseError::new(error.kind(), before))?;
        let before = cursor.offset();
        let parameters = Parameters::parse(cursor.rest()).map_err(|error| error.moved(before))?;
        Ok(Self::new(protocol, sent_by, parameters))
    }

    /// The `branch`; `None` if absent or no token.
    pub fn branch(self) -> Option<&'a str> {
        self.branch_octets().map(text::ascii)
    }

    /// The `branch` that [`branch`](Self::branch) gives, where it need not be a `str`.
    pub(crate) fn branch_octets(self) -> Option<&'a [u8]> {
        self.text(self.known.branch, "branch")?.value.filter(|branch| text::is_token(branch))
    }

    /// A second `branch`.
    pub(crate) fn other_branch(&self) -> Option<Text<'a>> {
        self.text(self.known.other_branch, "branch")
    }

    /// The `received` address, with or without brackets (RFC 5118 §4.5).
    pub fn received(self) -> Option<IpAddr> {
        Host::parse_bare(self.received_text()?.value?)?.ip()
    }

    /// The `received` as it stands there.
    pub(crate) fn received_text(&self) -> Option<Text<'a>> {
        self.text(self.known.received, "received")
    }

    /// Whether one of the parameters that hops write stands there more than once.
    pub(crate) const fn has_void_notes(&self) -> bool {
        self.known.is_repeated
    }

    /// Each `received` and each `rport` that an earlier one of its name makes void, and where in the message the text before it ends.
    pub(crate) fn void_notes(&self, bytes: &[u8]) -> impl Iterator<Item = (usize, Text<'a>)> {
        let notes = if self.known.is_repeated { self.parameters } else { Parameters::NONE };
        let (mut end, mut seen) = (text::offset_in(bytes, notes.as_bytes()), [false; 2]);
        notes.texts().filter_map(move |parameter| {
            let before = core::mem::replace(&mut end, parameter.end_in(bytes));
            let is = |name: &&str| parameter.name.eq_ignore_ascii_case(name.as_bytes());
            let kind = ["received", "rport"].iter().position(is)?;
            core::mem::replace(seen.get_mut(kind)?, true).then_some((before, parameter))
        })
    }

    /// The `rport` (RFC 3581): `Some(None)` if it stands there without a value; `None` if absent or no port.
    pub fn rport(self) -> Option<Option<u16>> {
        match self.rport_text()?.value {
            None => Some(None),
            Some(digits) => u16::try_from(text::number(digits)?).ok().map(Some),
        }
    }

    /// The `rport` as it stands there.
    pub(crate) fn rport_text(&self) -> Option<Text<'a>> {
        self.text(self.known.rport, "rport")
    }

    /// The `maddr`.
    pub fn maddr(self) -> Option<Host<'a>> {
        Host::parse_bare(self.text(self.known.maddr, "maddr")?.value?)
    }

    /// The `ttl`.
    pub fn ttl(self) -> Option<u8> {
        u8::try_from(text::number(self.text(self.known.ttl, "ttl")?.value?)?).ok()
    }

    fn text(&self, place: Option<Place>, name: &str) -> Option<Text<'a>> {
        self.parameters.at(place?, name.len())
    }
}

impl fmt::Debug for Via<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Via")
            .field("protocol", &self.protocol)
            .field("sent_by", &self.sent_by)
            .field("parameters", &self.parameters)
            .finish()
    }
}

impl<'a> Header<'a> for Via<'a> {
    const ID: HeaderId = HeaderId::Via;
    const LIST: bool = true;

    fn parse(value: &'a [u8]) -> Result<Self, ParseError> {
        match Self::usual(value) {
            Some(usual) => Ok(usual),
            None => Self::parse_any(value),
        }
    }

    fn write(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(b"SIP/2.0/");
        out.extend_from_slice(self.protocol.as_str().as_bytes());
        out.push(b' ');
        self.sent_by.parts(|part| out.extend_from_slice(part.as_bytes()));
        super::write_unfolded(out, self.parameters.as_bytes());
    }
}

#[cfg(feature = "serde")]
crate::plain::as_text! {
    Protocol, "a transport protocol", |text| {
        Some(Self::from_token(text.as_bytes())).filter(|protocol| *protocol != Self::Other)
    }, |protocol: &Self| *protocol;
}

#[cfg(test)]
mod tests {
    /// Checks that one pass reads what the full reader finds.
    #[test]
    fn a_usual_via_is_what_the_full_reader_finds() {
        let pieces: [&[u8]; 14] = [
            b"",
            b"a",
            b":5060",
            b";branch",
            b"=z9hG4bK1",
            b";rport",
            b";RECEIVED=1.2.3.4",
            b";ttl=1",
            b";maddr=[::1]",
            b".",
            b"-",
            b" ",
            b";Branch=x",
            b"1",
        ];
        let mut usual = 0;
        for number in 0..pieces.len().pow(4) {
            let mut text = b"SIP/2.0/UDP 192.0.2.1".to_vec();
            if number % 2 == 0 {
                text.truncate(12);
            }
            let mut rest = number;
            for _ in 0..4 {
                text.extend_from_slice(pieces[rest % pieces.len()]);
                rest /= pieces.len();
            }
            let Some(read) = Via::usual(&text) else { continue };
            usual += 1;
            let full = Via::parse_any(&text).unwrap_or_else(|error| panic!("{}: {error}", text.escape_ascii()));
            assert_eq!(alloc::format!("{read:?}"), alloc::format!("{full:?}"));
            let all = |via: Via<'_>| {
                let text = via.other_branch().map(|text| text.name.to_vec());
                alloc::format!("{:?}", (via.branch(), via.received(), via.rport(), via.maddr(), via.ttl(), text))
            };
            assert_eq!(all(read), all(full));
        }
        assert!(usual > 1_000, "{usual}");
    }

    use super::{Header, Protocol, Via};
    use crate::message::Host;
    use alloc::string::ToString;
    use alloc::vec::Vec;

    fn via(text: &str) -> Via<'_> {
        Via::parse(text.as_bytes()).unwrap_or_else(|error| panic!("{text}: {error}"))
    }

    #[test]
    fn every_part_is_found() {
        let read = via(
            "SIP/2.0/UDP pc33.atlanta.com:5066;ttl=60;maddr=224.2.0.1;received=192.0.2.1;rport=9988;branch=z9hG4bK77asjd",
        );
        assert_eq!(read.protocol, Protocol::Udp);
        assert_eq!(read.sent_by.to_string(), "pc33.atlanta.com:5066");
        assert_eq!(read.branch(), Some("z9hG4bK77asjd"));
        assert_eq!(read.received(), Some([192, 0, 2, 1].into()));
        assert_eq!(read.rport(), Some(Some(9988)));
        assert_eq!(read.maddr(), Host::parse(b"224.2.0.1"));
        assert_eq!(read.ttl(), Some(60));
    }

    #[test]
    fn white_space_and_folds_may_stand_everywhere() {
        // RFC 3261 §20.42, RFC 4475 §3.1.1.1.
        let read =
            via("SIP / 2.0 / UDP first.example.com: 4000;ttl=16\r\n ;maddr=224.2.0.1 ;branch=\r\n z9hG4bKa7c6a8dlze.1");
        assert_eq!((read.sent_by.port, read.branch()), (Some(4000), Some("z9hG4bKa7c6a8dlze.1")));
        assert_eq!(via("SIP  /   2.0\r\n /UDP\r\n    192.0.2.2;branch=390skdjuw").branch(), Some("390skdjuw"));
    }

    #[test]
    fn ipv6_is_received_with_or_without_brackets() {
        // RFC 5118 §4.5.
        for text in [
            "SIP/2.0/UDP [2001:db8::9:1];received=[2001:db8::9:255];branch=z9hG4bKas3-111",
            "SIP/2.0/UDP [2001:db8::9:1];received=2001:db8::9:255;branch=z9hG4bKas3-111",
        ] {
            assert_eq!(via(text).received(), Some("2001:db8::9:255".parse().unwrap()));
        }
    }

    #[test]
    fn an_empty_rport_is_a_request_for_one() {
        assert_eq!(via("SIP/2.0/UDP a.com;rport;branch=z9hG4bK1").rport(), Some(None));
        assert_eq!(via("SIP/2.0/UDP a.com;branch=z9hG4bK1").rport(), None);
        assert_eq!(via("SIP/2.0/UDP a.com;rport=70000").rport(), None);
    }

    #[test]
    fn unknown_transports_are_read() {
        assert_eq!(via("SIP/2.0/UNKNOWN t4.example.com;branch=z9hG4bKasd0f3en").protocol, Protocol::Other);
        assert_eq!(via("sip/2.0/tls t4.example.com").protocol, Protocol::Tls);
    }

    #[test]
    fn malformed_ones_are_refused() {
        for bad in [
            "",
            "SIP/2.0/UDP",
            "SIP/2.0/UDP ",
            "SIP/2.0/UDP;branch=a",
            "SIP/2.0 UDP a.com",
            "HTTP/2.0/UDP a.com",
            "SIP/3.0/UDP a.com",
            "SIP/2.0/UDP 192.0.2.15;;",
            "SIP/2.0/UDP a.com:x",
            "SIP/2.0/UDP a.com b.com",
            "SIP/2.0/UDP a.com;branch=",
        ] {
            assert!(Via::parse(bad.as_bytes()).is_err(), "{bad}");
        }
    }

    #[test]
    fn it_is_written_as_it_is_read() {
        let text = "SIP/2.0/TCP [2001:db8::1]:5062;branch=z9hG4bK1;rport";
        let mut out = Vec::new();
        via(text).write(&mut out);
        assert_eq!(out, text.as_bytes());
    }

    #[test]
    fn the_example_of_the_rfc_comes_back() {
        let text = "SIP/2.0/UDP erlang.bell-telephone.com:5060;branch=z9hG4bK87asdks7";
        assert_eq!(super::super::testing::round_trip::<Via<'_>>(text), text);
    }
}
