//! The messages on one direction of a connection, by what it carries and not by its ports.

use sansip::message::{Frame, Framer, Limits};

use super::websocket::{self, WebSocket};

/// A start line that is looked for is no longer; so many octets are looked at again with what follows.
const START_LINE: usize = 8_192;
/// The request and the answer that turn a connection into a WebSocket are no longer.
const UPGRADE: usize = 16_384;
const VERSION: &[u8] = b"SIP/2.0";

/// One direction of a connection.
#[derive(Debug)]
pub(super) struct Content {
    limits: Limits,
    state: State,
}

#[derive(Debug)]
enum State {
    /// A start line is looked for. The octets begin where a segment does, or in the midst of something.
    Seeking {
        held: Vec<u8>,
        is_fresh: bool,
    },
    Sip(Box<Framer>),
    /// HTTP, which may ask for a WebSocket or agree to one (RFC 6455 §4).
    Upgrade(Vec<u8>),
    WebSocket(WebSocket),
    Tls,
}

/// Something found on a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Found<'a> {
    Message(&'a [u8]),
    /// From here on it is TLS.
    Tls,
    /// A message whose end cannot be told (RFC 3261 §18.3), or that is too long.
    Unframed,
}

impl Content {
    pub(super) const fn new(limits: Limits) -> Self {
        Self { limits, state: State::Seeking { held: Vec::new(), is_fresh: true } }
    }

    /// Octets that are held.
    pub(super) fn held(&self) -> usize {
        match &self.state {
            State::Seeking { held, .. } | State::Upgrade(held) => held.len(),
            State::Sip(framer) => framer.unfinished(),
            State::WebSocket(it) => it.held(),
            State::Tls => 0,
        }
    }

    /// Whether a message has begun and is not whole.
    pub(super) fn is_within_message(&self) -> bool {
        match &self.state {
            State::Sip(framer) => framer.unfinished() > 0,
            State::WebSocket(it) => it.held() > 0,
            _ => false,
        }
    }

    /// Octets are missing here: what follows is looked at anew.
    pub(super) fn gap(&mut self) {
        if !matches!(self.state, State::Tls) {
            self.state = State::Seeking { held: Vec::new(), is_fresh: true };
        }
    }

    /// Takes what comes next.
    pub(super) fn read(&mut self, octets: &[u8], each: &mut dyn FnMut(Found<'_>)) {
        let mut rest: Vec<u8> = Vec::new();
        let mut input = octets;
        loop {
            let longest = self.limits.header_section + self.limits.body;
            let next = match &mut self.state {
                State::Tls => return,
                State::WebSocket(it) => {
                    let read = it.read(input, &mut |message| each(Found::Message(message)));
                    if read.is_err() {
                        each(Found::Unframed);
                        self.gap();
                    }
                    return;
                }
                State::Sip(framer) => match framed(framer, input, each) {
                    None => return,
                    Some(left) => {
                        rest = left.to_vec();
                        State::Seeking { held: Vec::new(), is_fresh: false }
                    }
                },
                State::Upgrade(held) => {
                    held.extend_from_slice(input);
                    match held.windows(4).position(|four| four == b"\r\n\r\n") {
                        Some(end) if is_websocket(&held[..end]) => {
                            rest = held.split_off(end + 4);
                            State::WebSocket(WebSocket::new(longest))
                        }
                        None if held.len() <= UPGRADE => return,
                        _ => {
                            rest = std::mem::take(held);
                            State::Seeking { held: Vec::new(), is_fresh: false }
                        }
                    }
                }
                State::Seeking { held, is_fresh } => {
                    let is_begin = *is_fresh && held.is_empty();
                    held.extend_from_slice(input);
                    if is_begin && is_tls(held) {
                        each(Found::Tls);
                        State::Tls
                    } else if is_begin && (held.starts_with(b"GET ") || held.starts_with(b"HTTP/1.")) {
                        rest = std::mem::take(held);
                        State::Upgrade(Vec::new())
                    } else if is_begin
                        && let Some(message) = websocket::single(held).filter(|message| is_message(message))
                    {
                        each(Found::Message(&message));
                        State::WebSocket(WebSocket::new(longest))
                    } else if let Some(at) = start_line(held, *is_fresh) {
                        rest = held.split_off(at);
                        State::Sip(Box::new(Framer::new(self.limits)))
                    } else {
                        if held.len() > START_LINE {
                            held.drain(..held.len() - START_LINE);
                            *is_fresh = false;
                        }
                        return;
                    }
                }
            };
            self.state = next;
            input = &rest;
            if input.is_empty() {
                return;
            }
        }
    }
}

/// Takes what comes off the framer; what is left behind the begin of a message that has no end.
fn framed<'i>(framer: &mut Framer, mut input: &'i [u8], each: &mut dyn FnMut(Found<'_>)) -> Option<&'i [u8]> {
    loop {
        let before = input;
        match framer.read(&mut input)? {
            Ok(Frame::Message(message)) => each(Found::Message(message)),
            Ok(Frame::Ping | Frame::Pong) => {}
            Err(_) => {
                each(Found::Unframed);
                // Its own start line is not to be found again.
                return Some(before.get(1..).unwrap_or_default());
            }
        }
    }
}

/// Whether octets begin as a record of TLS does (RFC 8446 §5.1).
fn is_tls(octets: &[u8]) -> bool {
    matches!(octets, [0x14..=0x17, 3, 0..=4, ..])
}

fn is_websocket(head: &[u8]) -> bool {
    let head = head.to_ascii_lowercase();
    let has = |text: &[u8]| head.windows(text.len()).any(|window| window == text);
    has(b"upgrade: websocket") && (head.starts_with(b"get ") || head.starts_with(b"http/1.1 101"))
}

/// Whether octets begin with a start line (RFC 3261 §7.1, §7.2), whatever follows.
pub(super) fn is_message(octets: &[u8]) -> bool {
    let begin = octets.iter().take_while(|octet| matches!(octet, b'\r' | b'\n')).count();
    let octets = &octets[begin..];
    let line = octets.get(..START_LINE).unwrap_or(octets).split(|octet| *octet == b'\n').next().unwrap_or_default();
    is_status_line(line) || is_request_line(line.strip_suffix(b"\r").unwrap_or(line))
}

fn is_status_line(line: &[u8]) -> bool {
    let rest = line.strip_prefix(VERSION).unwrap_or_default();
    matches!(rest, [b' ', a, b, c, ..] if [a, b, c].into_iter().all(u8::is_ascii_digit))
}

fn is_request_line(line: &[u8]) -> bool {
    let Some(line) = line.strip_suffix(VERSION) else { return false };
    let mut words = line.split(|octet| *octet == b' ');
    let is_method = |word: &[u8]| !word.is_empty() && word.iter().all(|octet| octet.is_ascii_graphic());
    words.next().is_some_and(is_method)
        && words.next().is_some_and(is_method)
        && words.next() == Some(b"")
        && words.next().is_none()
}

/// Where the first start line of these octets begins. What begins with them counts as the begin of a line, if they are `fresh`.
fn start_line(octets: &[u8], fresh: bool) -> Option<usize> {
    let mut from = 0;
    while let Some(at) = octets[from..].windows(VERSION.len()).position(|window| window == VERSION) {
        let version = from + at;
        let line = octets[..version].iter().rposition(|octet| *octet == b'\n').map_or(0, |feed| feed + 1);
        let is_begin = line > 0 || fresh;
        let end = version + VERSION.len();
        let is_start = if line == version {
            is_status_line(&octets[line..octets.len().min(end + 4)])
        } else {
            octets[end..].starts_with(b"\r\n") && is_request_line(&octets[line..end])
        };
        if is_begin && is_start {
            return Some(line);
        }
        from = end;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    const OPTIONS: &str = "OPTIONS sip:a@b.com SIP/2.0\r\nVia: SIP/2.0/TCP c.com;branch=z9hG4bKs\r\nl: 2\r\n\r\nab";
    const OK: &str = "SIP/2.0 200 OK\r\nVia: SIP/2.0/TCP c.com;branch=z9hG4bKs\r\nContent-Length: 0\r\n\r\n";

    fn read(pieces: &[&[u8]]) -> Vec<String> {
        let (mut content, mut all) = (Content::new(Limits::default()), Vec::new());
        for piece in pieces {
            if piece.is_empty() {
                content.gap();
            }
            content.read(piece, &mut |found| {
                all.push(match found {
                    Found::Message(message) => String::from_utf8_lossy(message).into_owned(),
                    Found::Tls => "TLS".to_owned(),
                    Found::Unframed => "unframed".to_owned(),
                });
            });
        }
        all
    }

    #[test]
    fn messages_are_found_however_a_stream_is_cut() {
        let stream = format!("\r\n\r\n{OPTIONS}{OK}\r\n\r\n{OPTIONS}");
        for at in 0..stream.len() {
            let (one, other) = stream.as_bytes().split_at(at);
            // A piece without octets is a gap.
            let pieces: Vec<&[u8]> = [one, other].into_iter().filter(|piece| !piece.is_empty()).collect();
            assert_eq!(read(&pieces), [OPTIONS, OK, OPTIONS], "{at}");
        }
    }

    #[test]
    fn behind_a_gap_reading_goes_on_at_the_next_start_line() {
        let stream = format!("{OPTIONS}{OK}");
        let rest = format!("{}\r\n{OK}", &OPTIONS[20..]);
        assert_eq!(read(&[&stream.as_bytes()[..9], b"", rest.as_bytes()]), [OK]);
        assert_eq!(read(&[&stream.as_bytes()[..9], b"", OPTIONS.as_bytes()]), [OPTIONS]);
        // No start line is made of the end of one line and the version.
        assert_eq!(read(&[b"", b"x sip:b SIP/2.0 y\r\n", OK.as_bytes()]), [OK]);
    }

    #[test]
    fn what_has_no_end_is_said_and_passed_over() {
        let endless = OPTIONS.replace("l: 2\r\n", "");
        assert_eq!(read(&[format!("{endless}\r\n{OK}").as_bytes()]), ["unframed", OK]);
        let long = OPTIONS.replace("l: 2", "l: 99999999");
        assert_eq!(read(&[format!("{long}\r\n{OK}").as_bytes()]), ["unframed", OK]);
    }

    #[test]
    fn tls_and_other_protocols_are_no_messages() {
        assert_eq!(read(&[&[0x16, 3, 1, 2, 0, 1], OPTIONS.as_bytes()]), ["TLS"]);
        assert_eq!(read(&[b"GET / HTTP/1.1\r\nHost: a\r\n\r\n", b"more"]), [""; 0]);
        assert_eq!(read(&[&vec![b'x'; 1 << 20]]), [""; 0]);
    }

    #[test]
    fn a_websocket_is_known_by_its_upgrade_or_by_a_frame_with_a_message() {
        let frame = [&[0x82, 0x7e, 0, u8::try_from(OPTIONS.len()).unwrap()][..], OPTIONS.as_bytes()].concat();
        let upgrade = b"GET / HTTP/1.1\r\nUpgrade: websocket\r\nSec-WebSocket-Protocol: sip\r\n\r\n";
        assert_eq!(read(&[&[&upgrade[..], &frame[..7]].concat(), &frame[7..], &frame]), [OPTIONS, OPTIONS]);
        assert_eq!(read(&[&frame, &frame[..9], &frame[9..]]), [OPTIONS, OPTIONS]);
    }

    #[test]
    fn only_a_start_line_begins_a_message() {
        for good in ["INVITE sip:a SIP/2.0\r\n", "\r\nSIP/2.0 200 OK\r\n", "SIP/2.0 200\r\n", "A b SIP/2.0"] {
            assert!(is_message(good.as_bytes()), "{good}");
        }
        for bad in
            ["", "\r\n\r\n", "SIP/2.0 xx", "GET / HTTP/1.1\r\n", "a SIP/2.0\r\n", "a b c SIP/2.0\r\n", "\u{1}x SIP/2.0"]
        {
            assert!(!is_message(bad.as_bytes()), "{bad}");
        }
    }
}
