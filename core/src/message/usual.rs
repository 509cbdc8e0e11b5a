//! Values as nearly all are written, read in one pass that keeps places alone: no text is made, no error told.
//!
//! Each function reads a part of what the full reader accepts and finds in it what the full reader finds. `None` says only that the
//! value is not a usual one: then the full reader decides.

use super::host::v4;
use super::text::{self, PARAMETER_VALUE, Set, TOKEN, URI_PARAMETER, USER, WORD};
use core::net::Ipv4Addr;

/// Which sets an octet is in: a bit each, so that one table serves all.
static CLASSES: [u8; 256] = classes();

/// The user part of a URI, without escapes.
const USER_PART: u8 = 1;
/// The parameters of a URI, without escapes.
const PARAMETER_OF_URI: u8 = 1 << 1;
/// A token.
const OF_TOKEN: u8 = 1 << 2;
/// An unquoted parameter value.
const OF_VALUE: u8 = 1 << 3;
/// A word of a Call-ID.
const OF_WORD: u8 = 1 << 4;
/// A quoted string, without a quoted-pair.
const QUOTED: u8 = 1 << 5;
/// A label of a host name, but for hyphens.
const LABEL: u8 = 1 << 6;
/// A display name without quotes: tokens and spaces.
const NAME: u8 = 1 << 7;

#[expect(clippy::indexing_slicing, reason = "evaluated by the compiler, which would find it")]
const fn classes() -> [u8; 256] {
    let sets: [(&Set, u8); 5] = [
        (&USER, USER_PART),
        (&URI_PARAMETER, PARAMETER_OF_URI),
        (&TOKEN, OF_TOKEN),
        (&PARAMETER_VALUE, OF_VALUE),
        (&WORD, OF_WORD),
    ];
    let mut classes = [0; 256];
    let mut octet = 0;
    while octet < 0x80 {
        let mut set = 0;
        while set < sets.len() {
            if sets[set].0.holds(octet as u8) {
                classes[octet] |= sets[set].1;
            }
            set += 1;
        }
        let is_text = octet >= 0x20 && octet < 0x7f;
        if (octet as u8).is_ascii_alphanumeric() || octet == b'_' as usize {
            classes[octet] |= LABEL;
        }
        if classes[octet] & OF_TOKEN != 0 || octet == b' ' as usize {
            classes[octet] |= NAME;
        }
        if is_text && octet != b'"' as usize && octet != b'\\' as usize {
            classes[octet] |= QUOTED;
        }
        octet += 1;
    }
    classes
}

/// Finds where, from there on, the first octet stands that is not of this class.
#[inline(always)]
fn run(text: &[u8], from: usize, class: u8) -> usize {
    let mut rest = text.get(from..).unwrap_or_default();
    // Four at a time: most runs are longer.
    while let [a, b, c, d, tail @ ..] = rest
        && classes_of(*a) & classes_of(*b) & classes_of(*c) & classes_of(*d) & class != 0
    {
        rest = tail;
    }
    while let [octet, tail @ ..] = rest
        && classes_of(*octet) & class != 0
    {
        rest = tail;
    }
    text.len() - rest.len()
}

#[inline(always)]
fn classes_of(octet: u8) -> u8 {
    CLASSES.get(usize::from(octet)).copied().unwrap_or_default()
}

/// Finds where a host ends that begins there: a name without a final dot, or an IPv4 address, which is told.
#[inline(always)]
pub(super) fn host(text: &[u8], from: usize) -> Option<(usize, Option<Ipv4Addr>)> {
    let mut at = from;
    if let Some((end, ip)) = v4(text, from)
        && !text.get(end).is_some_and(|&octet| continues_host(octet))
    {
        return Some((end, Some(ip)));
    }
    loop {
        let label = at;
        at = run(text, label, LABEL);
        if at == label {
            return None;
        }
        while text.get(at) == Some(&b'-') {
            let inner = run(text, at + 1, LABEL);
            // Two hyphens in a row, or one at the end of a label, are for the full reader.
            if inner == at + 1 {
                return None;
            }
            at = inner;
        }
        if text.get(at) == Some(&b'.') {
            at += 1;
        } else if text.get(label).is_some_and(u8::is_ascii_digit) {
            // A last label that begins with a digit is for the full reader.
            return None;
        } else {
            return Some((at, None));
        }
    }
}

/// Whether a host that was read so far goes on with this octet.
fn continues_host(octet: u8) -> bool {
    matches!(octet, b'.' | b'-') || classes_of(octet) & LABEL != 0
}

/// Finds where a port ends, if one stands there with its colon.
#[inline(always)]
pub(super) fn port(text: &[u8], from: usize) -> Option<(usize, Option<u16>)> {
    if text.get(from) != Some(&b':') {
        return Some((from, None));
    }
    let (mut port, mut at) = (0_u32, from + 1);
    while let Some(digit @ b'0'..=b'9') = text.get(at)
        && at <= from + 5
    {
        port = port * 10 + u32::from(digit - b'0');
        at += 1;
    }
    let port = u16::try_from(port).ok()?;
    (at > from + 1).then_some((at, Some(port)))
}

/// Where the parts of a `sip` URI stand.
#[derive(Clone, Copy)]
pub(super) struct UriPlaces {
    /// Where the host begins.
    pub(super) host: usize,
    /// Where the host ends, and the port begins with its colon.
    pub(super) host_end: usize,
    /// The host, if it is an address.
    pub(super) ip: Option<Ipv4Addr>,
    /// The port.
    pub(super) port: Option<u16>,
    /// Where the port ends, and the parameters begin.
    pub(super) parameters: usize,
    /// Where the URI ends.
    pub(super) end: usize,
}

/// Reads a `sip` URI without escapes, password and headers, up to the end of the text or a `>`.
#[inline(always)]
pub(super) fn uri(text: &[u8], from: usize) -> Option<UriPlaces> {
    let start = from + b"sip:".len();
    if text.get(from..start) != Some(b"sip:") {
        return None;
    }
    let user_end = run(text, start, USER_PART);
    let host = match text.get(user_end) {
        Some(b'@') if user_end > start => user_end + 1,
        _ => start,
    };
    let (host_end, ip) = self::host(text, host)?;
    let (parameters, port) = self::port(text, host_end)?;
    let mut end = parameters;
    while text.get(end) == Some(&b';') {
        end = behind_parameter(text, end, PARAMETER_OF_URI, PARAMETER_OF_URI)?.1;
    }
    matches!(text.get(end), None | Some(b'>')).then_some(UriPlaces { host, host_end, ip, port, parameters, end })
}

/// Reads the parameter whose `;` stands there: where its name ends, and where it ends.
#[inline(always)]
fn behind_parameter(text: &[u8], from: usize, name: u8, value: u8) -> Option<(usize, usize)> {
    let name_end = run(text, from + 1, name);
    if name_end == from + 1 {
        return None;
    }
    if text.get(name_end) != Some(&b'=') {
        return Some((name_end, name_end));
    }
    let end = run(text, name_end + 1, value);
    (end > name_end + 1).then_some((name_end, end))
}

/// Reads the parameters of a header value, without white space and quotes, up to the end of the text. `note` is told where each name
/// begins, where it ends, and where the parameter ends.
#[inline(always)]
pub(super) fn parameters(text: &[u8], from: usize, mut note: impl FnMut(usize, usize, usize)) -> Option<()> {
    let mut at = from;
    while text.get(at) == Some(&b';') {
        let (name_end, end) = behind_parameter(text, at, OF_TOKEN, OF_VALUE)?;
        note(at + 1, name_end, end);
        at = end;
    }
    (at == text.len()).then_some(())
}

/// Finds the `<` behind the display name that a value begins with, if it has one.
#[inline(always)]
fn bracket(value: &[u8]) -> Option<usize> {
    let at = match value.first()? {
        b'<' => return Some(0),
        b'"' => {
            let end = run(value, 1, QUOTED);
            if value.get(end) != Some(&b'"') {
                return None;
            }
            end + if value.get(end + 1) == Some(&b' ') { 2 } else { 1 }
        }
        b' ' => return None,
        _ => run(value, 0, NAME),
    };
    (value.get(at) == Some(&b'<')).then_some(at)
}

/// Where the parts of a value in brackets stand (RFC 3261 §20.10).
#[derive(Clone, Copy)]
pub(super) struct AddressPlaces {
    /// Where the `<` stands.
    pub(super) bracket: usize,
    /// The URI; its places count from the beginning of the value.
    pub(super) uri: UriPlaces,
}

/// Reads a value with a usual URI in brackets and usual parameters.
#[inline]
pub(super) fn address(value: &[u8]) -> Option<AddressPlaces> {
    let bracket = bracket(value)?;
    let uri = uri(value, bracket + 1)?;
    if value.get(uri.end) != Some(&b'>') {
        return None;
    }
    parameters(value, uri.end + 1, |_, _, _| {})?;
    Some(AddressPlaces { bracket, uri })
}

/// Where the parameters and the tag of a From or To stand.
#[derive(Clone, Copy)]
pub(super) struct TaggedPlaces {
    /// Where the `<` stands.
    #[cfg(test)]
    bracket: usize,
    /// Where the URI with its brackets ends, and the parameters begin.
    pub(super) parameters: usize,
    /// Where the tag begins and ends; `None` if there is none.
    pub(super) tag: Option<(usize, usize)>,
}

/// Reads a From or To whose URI stands in brackets, whatever it is as long as it is clear where it ends, and whose parameters are
/// usual. A second tag, or one that is no token, is not usual.
#[inline]
pub(super) fn tagged(value: &[u8]) -> Option<TaggedPlaces> {
    let bracket = bracket(value)?;
    let uri = value.get(bracket + 1..)?;
    let length = text::find_unclear(uri).filter(|length| *length > 0)?;
    if uri.get(length) != Some(&b'>') {
        return None;
    }
    let parameters = bracket + length + 2;
    Some(TaggedPlaces {
        #[cfg(test)]
        bracket,
        parameters,
        tag: tag(value, parameters)?,
    })
}

/// Reads usual parameters up to the end of the value: where the tag begins and ends, if there is one.
#[inline(always)]
#[expect(clippy::option_option, reason = "unusual parameters, usual ones without a tag and with one are three answers")]
fn tag(value: &[u8], from: usize) -> Option<Option<(usize, usize)>> {
    const NAME: &[u8] = b";tag=";
    // A tag and nothing else, as in most.
    let start = from + NAME.len();
    if value.get(from..start) == Some(NAME) && start < value.len() && run(value, start, OF_TOKEN) == value.len() {
        return Some(Some((start, value.len())));
    }
    let (mut tag, mut is_odd) = (None, false);
    parameters(value, from, |name, name_end, end| {
        if value.get(name..name_end).is_some_and(|name| name.eq_ignore_ascii_case(b"tag")) {
            is_odd |= tag.is_some() || end == name_end || run(value, name_end + 1, OF_TOKEN) < end;
            tag = Some((name_end + 1, end));
        }
    })?;
    (!is_odd).then_some(tag)
}

/// Whether this is a Call-ID without anything around it (RFC 3261 §20.8).
#[inline]
pub(super) fn is_call_id(value: &[u8]) -> bool {
    let local = run(value, 0, OF_WORD);
    match value.get(local) {
        None => local > 0,
        Some(b'@') => local > 0 && local + 1 < value.len() && run(value, local + 1, OF_WORD) == value.len(),
        Some(_) => false,
    }
}

/// Reads a CSeq with one space in it: the number, and where the method begins (RFC 3261 §20.16).
#[inline]
pub(super) fn cseq(value: &[u8]) -> Option<(u32, usize)> {
    let (mut number, mut at) = (0_u32, 0);
    // Nine digits fit whatever they are.
    while let Some(digit @ b'0'..=b'9') = value.get(at)
        && at < 9
    {
        number = number * 10 + u32::from(digit - b'0');
        at += 1;
    }
    let method = at + 1;
    let is_usual =
        at > 0 && value.get(at) == Some(&b' ') && method < value.len() && run(value, method, OF_TOKEN) == value.len();
    is_usual.then_some((number, method))
}

#[cfg(test)]
mod tests {
    use super::{address, cseq, host, is_call_id, parameters, tagged, uri};
    use crate::message::header::{CSeq, CallId, Header, NameAddr, NameAddrText};
    use crate::message::parameters::Parameters;
    use crate::message::text::first_value;
    use crate::message::{HostPort, Uri, UserPart};
    use alloc::vec::Vec;

    /// Texts made of these pieces, each of up to `count`.
    fn texts<'p>(pieces: &'p [&'p str], count: usize) -> impl Iterator<Item = Vec<u8>> + 'p {
        let total = pieces.len().pow(u32::try_from(count).unwrap());
        (0..total).map(move |mut number| {
            let mut text = Vec::new();
            for _ in 0..count {
                text.extend_from_slice(pieces[number % pieces.len()].as_bytes());
                number /= pieces.len();
            }
            text
        })
    }

    #[test]
    fn a_usual_uri_is_what_the_full_reader_finds() {
        let pieces =
            ["", "sip:", "a", "1", "192.0.2.1", ".", "-", "@", ":", "99999", ";", "=", "%41", "?", "_", "[::1]"];
        let mut usual = 0;
        for text in texts(&pieces, 4).map(|text| [b"sip:", &text[..]].concat()) {
            let Some(places) = uri(&text, 0).filter(|places| places.end == text.len()) else { continue };
            usual += 1;
            let read = Uri::parse_any(&text, UserPart::Strict)
                .unwrap_or_else(|error| panic!("{}: {error}", text.escape_ascii()));
            let host_port = HostPort::parse(&text[places.host..places.parameters]).unwrap();
            assert_eq!(read.host_port(), Some(host_port));
            assert_eq!(read.port(), places.port);
            assert_eq!(read.parameters().as_bytes(), &text[places.parameters..]);
            assert_eq!(read.headers(), None);
            assert_eq!(read.user().is_some(), places.host > 4);
        }
        assert!(usual > 300, "{usual}");
    }

    #[test]
    fn a_usual_address_is_what_the_full_reader_finds() {
        let pieces = ["", "\"", "a", " ", "<", "sip:b", ">", ";", "tag", "=", "TAG=c", "[d]", "\\", "\t", "é", ","];
        let mut usual = 0;
        for text in texts(&pieces, 4) {
            for text in [[&b"<sip:a>"[..], &text].concat(), [&text[..], b"<sip:a@b>;tag=x"].concat(), text] {
                let Some(places) = address(&text) else { continue };
                usual += 1;
                let read = NameAddr::parse_any(&text, UserPart::Strict)
                    .unwrap_or_else(|error| panic!("{}: {error}", text.escape_ascii()));
                assert_eq!(read.uri.as_bytes(), &text[places.bracket + 1..places.uri.end]);
                assert_eq!(read.display_name.is_some(), places.bracket > 0);
                assert_eq!(read.parameters.as_bytes(), &text[places.uri.end + 1..]);
                assert_eq!(first_value(&text), Some(&text[..]), "no list: {}", text.escape_ascii());
            }
        }
        assert!(usual > 300, "{usual}");
    }

    #[test]
    fn a_tagged_address_is_what_the_full_reader_finds() {
        let pieces = ["", "\"", "a", " ", "<", "sip:b", ">", ";", "tag", "=", "TAG=c", "[d]", "\x7f", "?", "é", ","];
        let mut usual = 0;
        for text in texts(&pieces, 4) {
            for text in [[&b"<sip:a>"[..], &text].concat(), [b"a <", &text[..], b">;tag=x"].concat(), text] {
                let Some(places) = tagged(&text) else { continue };
                usual += 1;
                let read =
                    NameAddrText::parse(&text).unwrap_or_else(|error| panic!("{}: {error}", text.escape_ascii()));
                let tags = read.tags().map(|tag| tag.map(|tag| tag.value.unwrap()));
                assert_eq!(tags, [places.tag.map(|(from, to)| &text[from..to]), None], "{}", text.escape_ascii());
                assert_eq!((text[places.bracket], text[places.parameters - 1]), (b'<', b'>'));
                let cut = NameAddrText::of(&text);
                assert_eq!(cut.address().len(), places.parameters, "{}", text.escape_ascii());
            }
        }
        assert!(usual > 300, "{usual}");
    }

    #[test]
    fn an_address_ends_where_the_host_does() {
        let ip = |text: &str| Some((text.len(), text.parse().ok()));
        for (text, expected) in [
            ("192.0.2.1", ip("192.0.2.1")),
            ("0.0.0.0:5060", ip("0.0.0.0")),
            ("255.255.255.255;a", ip("255.255.255.255")),
            ("1.2.3.4.example.com", Some((19, None))),
            ("1.2.3.4a", None),
            ("1.2.3.4-5", None),
            ("1.2.3.256", None),
            ("1.2.3.1000", None),
            ("1.2.3.04", None),
            ("1.2.3", None),
            ("1.2.3.4.", None),
            ("1.2.3.4.5", None),
        ] {
            assert_eq!(host(text.as_bytes(), 0), expected, "{text}");
        }
    }

    #[test]
    fn usual_parameters_a_call_id_and_a_cseq_are_what_the_full_reader_finds() {
        let pieces =
            ["", "1", "4294967295", " ", "INVITE", "x", "@", "<", ";", "=", "\"", "\t", "(", "[", ",", "\r\n "];
        let mut usual = [0; 3];
        for text in texts(&pieces, 4) {
            if is_call_id(&text) {
                assert_eq!(CallId::parse(&text).map(|id| id.0.as_bytes()), Ok(&text[..]));
                usual[0] += 1;
            }
            if let Some((number, method)) = cseq(&text) {
                let read = CSeq::parse(&text).unwrap();
                assert_eq!((read.number, read.method.as_str().as_bytes()), (number, &text[method..]));
                usual[1] += 1;
            }
            let text = [b";", &text[..]].concat();
            let mut found = Vec::new();
            if parameters(&text, 0, |name, name_end, end| found.push((name, name_end, end))).is_some() {
                let read = Parameters::parse(&text).unwrap();
                let read: Vec<_> = read.iter().map(|one| (one.name.as_bytes(), one.value)).collect();
                let value = |name_end, end| (end > name_end).then(|| &text[name_end + 1..end]);
                let found: Vec<_> =
                    found.iter().map(|&(name, name_end, end)| (&text[name..name_end], value(name_end, end))).collect();
                assert_eq!(read, found);
                usual[2] += 1;
            }
        }
        assert!(usual.iter().all(|&count| count > 30), "{usual:?}");
    }
}
