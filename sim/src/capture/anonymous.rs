//! Captures that can be shown to others: who calls whom, and from where, is replaced.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use super::reader::Message;

/// Replaces users, numbers, host names, addresses and credentials, and any word that is none of the protocol's, each by another one that stands for it
/// everywhere. Letters stay letters and digits digits, so that what is broken in a message stays broken in the same way; ports, sequence numbers,
/// lengths and times stay.
///
/// ```
/// use sansip_sim::capture::Anonymous;
/// let shown = Anonymous::new(7).octets(b"INVITE sip:bob@biloxi.com SIP/2.0\r\nFrom: Alice <sip:alice@192.0.2.1>;tag=1928\r\n\r\n");
/// let shown = String::from_utf8(shown)?;
/// assert!(shown.starts_with("INVITE sip:") && shown.contains(";tag="), "{shown}");
/// assert!(!["bob", "biloxi", "lice", "192.0.2.1", "1928"].iter().any(|word| shown.contains(word)), "{shown}");
/// # Ok::<(), std::string::FromUtf8Error>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Anonymous {
    key: u64,
}

/// Which words are replaced.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Mode {
    /// All of them, but for the schemes of URIs.
    All,
    /// Those that are none of the protocol's; and numbers, but where a parameter says that a number is one.
    Words,
    /// Those that are none of the protocol's; numbers stay.
    Numbers,
}

/// Words of SIP and SDP that name nobody, in lower case.
const WORDS: &str = " invite ack bye cancel register options prack update info subscribe notify refer message publish \
    sip sips tel udp tcp tls ws wss sctp branch received rport maddr ttl alias keep tag lr ob outbound transport user phone method \
    expires q reg id instance pub gruu temp digest basic username realm nonce cnonce opaque response uri algorithm qop nc auth int stale true false \
    md5 sess sha application sdp sipfrag multipart mixed text plain xml pidf dialog charset utf refresher uac uas early only replaces from to \
    100rel timer path norefersub gin state active pending terminated reason cause q850 audio video image rtp avp avpf savp savpf in ip4 ip6 \
    rtpmap fmtp ptime maxptime sendrecv sendonly recvonly inactive pcmu pcma g729 g722 opus telephone event trying ringing ok accepted \
    session progress moved temporarily permanently bad request unauthorized forbidden not found allowed proxy authentication required timeout \
    busy here everywhere decline terminated acceptable media unsupported type extension interval too small brief server internal error \
    service unavailable call transaction does exist loop detected many hops unwanted jsonp render session-expires gmt mon tue wed thu fri sat sun \
    jan feb mar apr may jun jul aug sep oct nov dec ";
/// Parameters whose values are numbers.
const NUMBERS: [&str; 12] =
    ["algorithm", "expires", "q", "rport", "ttl", "cause", "nc", "id", "rate", "ptime", "maxptime", "version"];
/// Header fields whose numbers say nothing of anybody.
const NUMBERED: [&str; 19] = [
    "cseq",
    "max-forwards",
    "content-length",
    "l",
    "expires",
    "min-expires",
    "session-expires",
    "x",
    "min-se",
    "rseq",
    "rack",
    "retry-after",
    "timestamp",
    "max-breadth",
    "mime-version",
    "date",
    "supported",
    "k",
    "require",
];
/// Header fields whose text is anybody's.
const TEXTS: [&str; 10] =
    ["call-id", "i", "subject", "s", "organization", "user-agent", "server", "warning", "in-reply-to", "call-info"];

impl Anonymous {
    /// Replaces by this key. Whoever has the key can tell what stood there.
    pub const fn new(key: u64) -> Self {
        Self { key }
    }

    /// The message with everything replaced that tells who it is from.
    pub fn message(&self, message: &Message) -> Message {
        Message {
            source: self.address(message.source),
            destination: self.address(message.destination),
            bytes: self.octets(&message.bytes).into(),
            behind: message.behind.map(|(source, destination)| (self.address(source), self.address(destination))),
            names: (None, None),
            ..message.clone()
        }
    }

    /// An address that stands for this one; loopback and the addresses of nobody stay.
    pub fn address(&self, address: SocketAddr) -> SocketAddr {
        let ip = match address.ip() {
            IpAddr::V4(ip) => self.ip4(ip).into(),
            IpAddr::V6(ip) => self.ip6(ip).into(),
        };
        SocketAddr::new(ip, address.port())
    }

    /// The octets of a message, replaced as said. Content-Length is as right or as wrong as it was.
    pub fn octets(&self, message: &[u8]) -> Vec<u8> {
        let (mut out, mut rest, mut kind, mut length) = (Vec::with_capacity(message.len()), message, Vec::new(), None);
        let mut is_start = true;
        while !rest.is_empty() {
            let end = rest.iter().position(|octet| *octet == b'\n').map_or(rest.len(), |feed| feed + 1);
            let (line, behind) = rest.split_at(end);
            rest = behind;
            if matches!(line, b"\r\n" | b"\n") && !is_start {
                out.extend_from_slice(line);
                break;
            }
            let colon = line.iter().position(|octet| *octet == b':').filter(|_| !is_start && !line.starts_with(b" "));
            match colon {
                Some(colon) => {
                    let name = String::from_utf8_lossy(&line[..colon]).trim().to_ascii_lowercase();
                    if matches!(&*name, "content-type" | "c") {
                        kind = line[colon + 1..].to_ascii_lowercase();
                    }
                    if matches!(&*name, "content-length" | "l") {
                        length = Some(out.len()..out.len() + line.len());
                    }
                    out.extend_from_slice(&line[..=colon]);
                    self.field(&name, &line[colon + 1..], &mut out);
                }
                None if is_start && line.starts_with(b"SIP/2.0 ") => {
                    let status = line.len().min(12);
                    out.extend_from_slice(&line[..status]);
                    self.text(&line[status..], Mode::Words, &mut out);
                }
                None => self.text(line, Mode::Words, &mut out),
            }
            is_start &= matches!(line, b"\r\n" | b"\n");
        }
        let body = out.len();
        self.body(&kind, rest, &mut out);
        if let Some(line) = length {
            set_length(&mut out, line, rest.len(), body);
        }
        out
    }

    fn field(&self, name: &str, value: &[u8], out: &mut Vec<u8>) {
        if TEXTS.contains(&name) {
            return self.text(value, Mode::All, out);
        }
        if matches!(name, "via" | "v") {
            // Sent-by is a host, whatever its words are.
            let mut rest = value;
            while let Some(at) = find(rest, b"SIP/2.0/") {
                let sent_by = rest[at..].iter().position(|octet| *octet == b' ').map_or(rest.len(), |space| at + space);
                let end = rest[sent_by..].iter().position(|octet| matches!(octet, b';' | b',' | b'\r' | b'\n'));
                let end = end.map_or(rest.len(), |end| sent_by + end);
                self.text(&rest[..at], Mode::Words, out);
                out.extend_from_slice(&rest[at..sent_by]);
                self.host(&rest[sent_by..end], out);
                rest = &rest[end..];
            }
            return self.text(rest, Mode::Words, out);
        }
        let mode = if NUMBERED.contains(&name) { Mode::Numbers } else { Mode::Words };
        // A display name has any words.
        match value.iter().position(|octet| *octet == b'<') {
            Some(bracket) => {
                self.text(&value[..bracket], Mode::All, out);
                self.text(&value[bracket..], mode, out);
            }
            None => self.text(value, mode, out),
        }
    }

    fn body(&self, kind: &[u8], body: &[u8], out: &mut Vec<u8>) {
        let is = |kind_of: &[u8]| find(kind, kind_of).is_some();
        for line in body.split_inclusive(|octet| *octet == b'\n') {
            let is_sdp = (is(b"sdp") || is(b"multipart")) && line.get(1) == Some(&b'=');
            match line.first() {
                Some(b'o') if is_sdp => {
                    let user = line.iter().position(|octet| *octet == b' ').unwrap_or(line.len());
                    out.extend_from_slice(b"o=");
                    self.text(&line[2..user.max(2)], Mode::All, out);
                    self.text(&line[user.max(2)..], Mode::Numbers, out);
                }
                Some(b's' | b'i' | b'u' | b'e' | b'p' | b'k') if is_sdp => {
                    out.extend_from_slice(&line[..2]);
                    self.text(&line[2..], Mode::All, out);
                }
                Some(letter) if is_sdp => {
                    out.extend_from_slice(&[*letter, b'=']);
                    self.text(&line[2..], Mode::Numbers, out);
                }
                _ if is(b"sipfrag") && line.starts_with(b"SIP/2.0 ") => {
                    out.extend_from_slice(&line[..line.len().min(12)]);
                    self.text(&line[line.len().min(12)..], Mode::Words, out);
                }
                _ => self.text(line, Mode::All, out),
            }
        }
    }

    /// A host and its port: any word may name somebody, and the port does not.
    fn host(&self, text: &[u8], out: &mut Vec<u8>) {
        let digits = text.iter().rev().take_while(|octet| octet.is_ascii_digit()).count();
        let port = text.len() - digits;
        let has_port = digits > 0
            && port > 0
            && text[port - 1] == b':'
            && text[..port - 1].iter().filter(|octet| **octet == b':').count() != 1;
        let host = if has_port { &text[..port] } else { text };
        self.text(host, Mode::All, out);
        out.extend_from_slice(&text[host.len()..]);
    }

    /// Text of words, numbers, addresses, quoted strings and URIs.
    fn text(&self, text: &[u8], mode: Mode, out: &mut Vec<u8>) {
        let mut at = 0;
        // The word before, and the name of the parameter whose value this is.
        let (mut before, mut name) = (String::new(), String::new());
        while at < text.len() {
            let rest = &text[at..];
            let octet = rest[0];
            if let Some((length, ip)) = address(rest).filter(|_| at == 0 || !is_word(text[at - 1])) {
                out.extend_from_slice(self.shown(ip).as_bytes());
                at += length;
            } else if rest.starts_with(b"SIP/2.0") && mode != Mode::All {
                out.extend_from_slice(&rest[..7]);
                at += 7;
            } else if octet == b'"' && mode != Mode::All {
                let mut end = 1;
                while end < rest.len() && rest[end] != b'"' {
                    end += if rest[end] == b'\\' { 2 } else { 1 };
                }
                let end = end.min(rest.len());
                let is_choice = matches!(&*name, "qop" | "algorithm");
                out.push(b'"');
                self.text(&rest[1..end], if is_choice { mode } else { Mode::All }, out);
                at += end;
                if at < text.len() {
                    out.push(b'"');
                    at += 1;
                }
            } else if octet == b'%' && rest.get(1..3).is_some_and(|hex| hex.iter().all(u8::is_ascii_hexdigit)) {
                out.extend_from_slice(self.escaped(&rest[1..3]).as_bytes());
                at += 3;
            } else if is_word(octet) {
                let length = rest.iter().take_while(|octet| is_word(**octet)).count();
                let word = &rest[..length];
                let lower = String::from_utf8_lossy(word).to_ascii_lowercase();
                if matches!(&*lower, "sip" | "sips" | "tel") && rest.get(length) == Some(&b':') {
                    out.extend_from_slice(&rest[..=length]);
                    at += length + 1 + self.uri(&rest[length + 1..], out);
                } else {
                    self.replaced(word, &lower, mode, &name, out);
                    at += length;
                }
                before = lower;
            } else {
                out.push(if octet.is_ascii() { octet } else { b'x' });
                match octet {
                    b'=' => name = std::mem::take(&mut before),
                    b';' | b',' | b' ' | b'<' | b'>' | b'\t' => name.clear(),
                    _ => {}
                }
                at += 1;
            }
        }
    }

    /// User and host of a URI; how long they are.
    fn uri(&self, text: &[u8], out: &mut Vec<u8>) -> usize {
        let end = text
            .iter()
            .position(|octet| matches!(octet, b'>' | b'"' | b' ' | b'\t' | b'\r' | b'\n'))
            .unwrap_or(text.len());
        let user = text[..end].iter().rposition(|octet| *octet == b'@').map_or(0, |at| at + 1);
        self.text(&text[..user], Mode::All, out);
        let host =
            text[user..end].iter().position(|octet| matches!(octet, b';' | b'?' | b',')).map_or(end, |end| user + end);
        self.host(&text[user..host], out);
        host
    }

    fn replaced(&self, word: &[u8], lower: &str, mode: Mode, name: &str, out: &mut Vec<u8>) {
        const COOKIE: &[u8] = b"z9hG4bK";
        let is_number = word.iter().all(u8::is_ascii_digit);
        let is_kept = match mode {
            Mode::All => false,
            Mode::Words if is_number => NUMBERS.contains(&name),
            Mode::Numbers if is_number => true,
            Mode::Words | Mode::Numbers => WORDS.contains(&format!(" {lower} ")),
        };
        if is_kept {
            out.extend_from_slice(word);
        } else if let Some(rest) = word.strip_prefix(COOKIE) {
            out.extend_from_slice(COOKIE);
            out.extend(self.word(rest));
        } else {
            out.extend(self.word(word));
        }
    }

    /// A word of the same letters and digits in other places of their alphabets. What each becomes depends on those before it, so that two words never become one.
    fn word(&self, word: &[u8]) -> Vec<u8> {
        let lower = word.to_ascii_lowercase();
        let turn = |octet: u8, first: u8, of: u8, prefix: &[u8]| {
            first + (octet - first + self.shift(prefix, of.into()) as u8) % of
        };
        let letters = word.iter().zip(0..);
        letters
            .map(|(octet, place): (&u8, usize)| match octet {
                b'0'..=b'9' => turn(*octet, b'0', 10, &lower[..place]),
                b'a'..=b'z' => turn(*octet, b'a', 26, &lower[..place]),
                b'A'..=b'Z' => turn(*octet, b'A', 26, &lower[..place]),
                other => *other,
            })
            .collect()
    }

    /// An escape of a URI, which stays one.
    fn escaped(&self, hex: &[u8]) -> String {
        let value = u64::from_str_radix(&String::from_utf8_lossy(hex), 16).unwrap_or_default();
        format!("%{:02X}", 0x41 + (value + self.shift(b"%", 26)) % 26)
    }

    fn shown(&self, ip: IpAddr) -> String {
        self.address(SocketAddr::new(ip, 0)).ip().to_string()
    }

    fn ip4(&self, ip: Ipv4Addr) -> Ipv4Addr {
        let octets = ip.octets();
        if ip.is_loopback() || ip.is_unspecified() || ip.is_broadcast() {
            return ip;
        }
        let mut shown = octets;
        for place in 0..4 {
            // As many digits as before; the first says that it is neither loopback nor multicast.
            let same: Vec<u8> = match (octets[place], place) {
                (0 | 224..=255, 0) => continue,
                (1..=9, 0) => (1..=9).collect(),
                (100..=223, 0) => (100..=223).filter(|octet| *octet != 127).collect(),
                (0..=9, _) => (0..=9).collect(),
                (10..=99, _) => (10..=99).collect(),
                (100..=255, _) => (100..=255).collect(),
            };
            let at = same.iter().position(|octet| *octet == octets[place]).unwrap_or_default();
            shown[place] = same[(at + self.shift(&octets[..place], same.len() as u64) as usize) % same.len()];
        }
        shown.into()
    }

    fn ip6(&self, ip: Ipv6Addr) -> Ipv6Addr {
        if ip.is_loopback() || ip.is_unspecified() {
            return ip;
        }
        let octets = ip.octets();
        let mut shown = ip.segments();
        for (place, segment) in shown.iter_mut().enumerate() {
            if *segment != 0 && !(place == 0 && ip.is_multicast()) {
                let turned = (u64::from(*segment) - 1 + self.shift(&octets[..2 * place], 0xffff)) % 0xffff;
                *segment = turned as u16 + 1;
            }
        }
        shown.into()
    }

    /// A number from 1 to `of` - 1 that depends on the key and on what stands before.
    fn shift(&self, before: &[u8], of: u64) -> u64 {
        let mut hasher = DefaultHasher::new();
        (self.key, before, of).hash(&mut hasher);
        1 + hasher.finish() % (of - 1)
    }
}

const fn is_word(octet: u8) -> bool {
    octet.is_ascii_alphanumeric()
}

fn find(text: &[u8], part: &[u8]) -> Option<usize> {
    text.windows(part.len()).position(|window| window.eq_ignore_ascii_case(part))
}

/// The IP address that text begins with, and its length.
fn address(text: &[u8]) -> Option<(usize, IpAddr)> {
    let length = text.iter().take_while(|octet| octet.is_ascii_hexdigit() || matches!(octet, b'.' | b':')).count();
    let begin = std::str::from_utf8(&text[..length]).ok()?;
    if begin.bytes().filter(|octet| *octet == b':').count() > 1 {
        return begin.parse().ok().map(|ip| (length, IpAddr::V6(ip)));
    }
    let length = text.iter().take_while(|octet| octet.is_ascii_digit() || **octet == b'.').count();
    let begin = std::str::from_utf8(&text[..length]).ok()?;
    // A sentence may end behind it.
    let begin = begin.trim_end_matches('.');
    let ip = begin.parse().ok()?;
    (!text.get(begin.len()).is_some_and(|octet| is_word(*octet))).then_some((begin.len(), IpAddr::V4(ip)))
}

/// Changes the number in the line of Content-Length by as much as the body's length has changed.
fn set_length(out: &mut Vec<u8>, line: std::ops::Range<usize>, before: usize, body: usize) {
    let now = out.len() - body;
    let text = String::from_utf8_lossy(&out[line.clone()]).into_owned();
    let Some((name, value)) = text.split_once(':') else { return };
    let Ok(said) = value.trim().parse::<usize>() else { return };
    if now != before {
        let end = &value[value.trim_end().len()..];
        let new = format!("{name}: {}{end}", (said + now).saturating_sub(before));
        out.splice(line, new.into_bytes());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::capture::{Capture, Carrier, Limits, Reader, capture, judge};
    use crate::run::{Case, run};
    use sansip::Duration;

    fn read(file: &[u8]) -> Vec<Message> {
        let (mut reader, mut all) = (Reader::new(Limits::default()), Vec::new());
        reader.read(&mut &*file, &mut |message| all.push(message)).unwrap();
        reader.finish(&mut |message| all.push(message));
        assert_eq!((reader.counts().unframed, reader.counts().gaps), (0, 0));
        all
    }

    fn written(messages: &[Message]) -> Vec<u8> {
        let mut capture = Capture::new(Vec::new(), Duration::ZERO).unwrap();
        for message in messages {
            let carrier = if message.stream.is_some() { Carrier::Stream } else { Carrier::Datagram };
            let time = sansip::Instant::from_nanos(message.time);
            capture.packet(time, carrier, message.source, message.destination, &message.bytes, "").unwrap();
        }
        capture.into_inner()
    }

    /// The findings without who they are about.
    fn findings(messages: &[Message]) -> Vec<(String, String)> {
        let end = messages.last().map_or(0, |message| message.time);
        let mut all: Vec<_> = judge(messages, &[], 0, end)
            .iter()
            .map(|finding| (finding.check.to_owned(), format!("{:?}", finding.evidence)))
            .collect();
        all.sort();
        all
    }

    const SECRETS: [&str; 14] = [
        "alice",
        "bob",
        "carol",
        "atlanta",
        "biloxi",
        "chicago",
        "pc33",
        "192.0.2.",
        "198.51.100.",
        "2001:db8",
        "zanzibar",
        "secret",
        "a84b4c76e66710",
        "1928301774",
    ];

    #[test]
    fn nothing_of_users_and_hosts_is_left_and_the_findings_are_the_same() {
        for (line, wrong) in [
            ("--topology trapezoid --plan 'alice>atlanta#1:drop'", ("", "")),
            ("--topology mixed --record-route --challenge alice,bob,proxy", ("Max-Forwards: 70\r\n", "")),
            ("--topology auth --reply reject:1s", ("", "")),
            ("--topology dual --transfer 1s", ("z9hG4bK", "z9hG4b")),
            ("--topology fork:2 --reliable --hold alice:1s --session-expires 90s", ("m=audio", "m=audible")),
        ] {
            let case: Case = format!("sansip-sim call {line} --seed 3").parse().unwrap();
            let mut file = Vec::new();
            capture(run(&case).world.trace(), Duration::ZERO, &mut file).unwrap();
            let mut messages = read(&file);
            if !wrong.0.is_empty() {
                for message in &mut messages {
                    message.bytes =
                        String::from_utf8_lossy(&message.bytes).replacen(wrong.0, wrong.1, 1).into_bytes().into();
                }
            }
            let anonymous = Anonymous::new(0x5eed);
            let shown: Vec<Message> = messages.iter().map(|message| anonymous.message(message)).collect();
            let again = read(&written(&shown));
            assert_eq!(again.len(), messages.len(), "{line}");
            for (message, shown) in messages.iter().zip(&again) {
                let text = String::from_utf8_lossy(&shown.bytes).to_ascii_lowercase();
                // A part of an address, or a word that stands alone: letters of several words may make a name by accident.
                let words: Vec<&str> = text.split(|c: char| !c.is_ascii_alphanumeric()).collect();
                let stands = |secret: &str| {
                    if secret.contains(['.', ':']) { text.contains(secret) } else { words.contains(&secret) }
                };
                let left = SECRETS.iter().find(|secret| stands(secret));
                assert!(left.is_none(), "{line}: {left:?} in {text}");
                assert_ne!(shown.source.ip(), message.source.ip(), "{line}");
                assert_eq!((shown.time, shown.source.port()), (message.time, message.source.port()));
            }
            assert_eq!(findings(&again), findings(&messages), "{line}");
            assert!(wrong.0.is_empty() || wrong.0 == "m=audio" || !findings(&again).is_empty(), "{line}");
        }
    }

    #[test]
    fn what_is_the_same_stays_the_same_and_what_differs_differs() {
        let anonymous = Anonymous::new(1);
        let text = |text: &str| String::from_utf8(anonymous.octets(text.as_bytes())).unwrap();
        let word = |word: &str| String::from_utf8(anonymous.word(word.as_bytes())).unwrap();
        let all: std::collections::BTreeSet<_> = (0..2_000).map(|number| word(&format!("u{number}"))).collect();
        assert_eq!(all.len(), 2_000);
        assert_eq!(word("ALICE"), word("alice").to_ascii_uppercase());
        assert_eq!(word("bob").len(), 3);
        assert_ne!(Anonymous::new(2).word(b"alice"), anonymous.word(b"alice"));
        let ip = |ip: &str| anonymous.shown(ip.parse().unwrap());
        assert_eq!([ip("127.0.0.1"), ip("0.0.0.0"), ip("::1")], ["127.0.0.1", "0.0.0.0", "::1"]);
        assert!(ip("192.0.2.1") != "192.0.2.1" && ip("192.0.2.1") != ip("192.0.2.2"));
        assert_eq!(ip("192.0.2.1").len(), "192.0.2.1".len());
        // Ports, numbers and the words of the protocol stay.
        let via = text(
            "OPTIONS sip:x SIP/2.0\r\nVia: SIP/2.0/UDP pc33.a.com:5066;branch=z9hG4bKnash;rport=5;received=192.0.2.1\r\n\r\n",
        );
        assert!(via.contains("\r\nVia: SIP/2.0/UDP ") && via.contains(":5066;branch=z9hG4bK"), "{via}");
        assert!(via.contains(";rport=5;received=") && !via.contains("nash"), "{via}");
        let contact = text(
            "OPTIONS sip:x SIP/2.0\r\nContact: <sip:+4930123@[2001:db8::1]:5070;transport=tcp>;expires=3600;q=0.7\r\n\r\n",
        );
        assert!(
            contact.contains("]:5070;transport=tcp>;expires=3600;q=0.7") && !contact.contains("4930123"),
            "{contact}"
        );
    }

    #[test]
    fn the_length_of_a_body_is_as_right_as_it_was() {
        let anonymous = Anonymous::new(3);
        let body = "v=0\r\no=alice 1 1 IN IP6 2001:db8::1\r\ns=-\r\nc=IN IP6 2001:db8::1\r\nt=0 0\r\nm=audio 49172 RTP/AVP 0\r\n";
        for wrong in [0, 3] {
            let head = format!(
                "INVITE sip:b SIP/2.0\r\nContent-Type: application/sdp\r\nContent-Length: {}\r\n\r\n",
                body.len() + wrong
            );
            let shown = String::from_utf8(anonymous.octets(format!("{head}{body}").as_bytes())).unwrap();
            let (head, body) = shown.split_once("\r\n\r\n").unwrap();
            assert!(head.ends_with(&format!("Content-Length: {}", body.len() + wrong)), "{shown}");
            assert!(
                body.contains("m=audio 49172 RTP/AVP 0") && !body.contains("alice") && !body.contains("db8::1"),
                "{body}"
            );
        }
    }

    #[test]
    fn any_octets_are_taken() {
        let anonymous = Anonymous::new(4);
        for text in [
            &b""[..],
            b"\r\n\r\n",
            b"\xff\xfe:\xff",
            b"a\nb:\n\"",
            b"sip:",
            b"sip:@",
            b"SIP/2.0 2",
            b"\"\\",
            b"Via: SIP/2.0/",
            b"%4",
            b"o=",
        ] {
            anonymous.octets(text);
            anonymous
                .octets(&[b"OPTIONS sip:a SIP/2.0\r\nContent-Type: application/sdp\r\nl: x\r\n\r\n", text].concat());
        }
    }
}
