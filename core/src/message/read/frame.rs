//! A stream cut into messages (RFC 3261 §7.5, §18.3).

use super::length::Length;
use super::section_end::{Found, SectionEnd};
use crate::message::limits::Limits;
use crate::message::phrase::Phrase;
use crate::message::span::LONGEST_SECTION;
use crate::message::status::StatusCode;
use alloc::vec::Vec;
use core::fmt;

/// Cuts what a stream brings, in pieces of any size, into messages. The end of a header section is sought octet by octet, each
/// looked at once however slowly it comes; then its Content-Length is read as [`Message::parse`](super::Message::parse) reads it. No more is held than one message within its [`Limits`]. Only line ends and Content-Length are read here: what a
/// frame is worth is for [`Message::parse`](super::Message::parse) to say.
#[derive(Clone)]
pub struct Framer {
    limits: Limits,
    /// The octets that are there of the present message, if it came in more than one piece.
    held: Vec<u8>,
    /// Whether `held` was given out as a whole message.
    spent: bool,
    state: State,
}

/// The next thing on a stream.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Frame<'a> {
    /// A whole message, from its start line to the end of its body.
    Message(&'a [u8]),
    /// One CRLF between messages: the answer to a ping, if one was sent (RFC 5626 §4.4.1). It may be the first half of a
    /// ping as well.
    Pong,
    /// The second CRLF of two between messages: a ping, to be answered with one CRLF (RFC 5626 §4.4.1).
    Ping,
}

/// Why a stream can be read no further: where the next message begins is not known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct FrameError {
    kind: FrameErrorKind,
    offset: u32,
}

/// The subject of a [`FrameError`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum FrameErrorKind {
    /// There is no Content-Length, which a stream needs (RFC 3261 §18.3).
    NoContentLength,
    /// Content-Length is no number, or there are several that differ.
    ContentLength,
    /// A carriage return or a line feed stands alone in the header section: where it ends is not the same to everyone.
    LineEnd,
    /// [`Limits::header_section`] is exceeded.
    HeaderSectionTooLong,
    /// [`Limits::body`] is exceeded.
    BodyTooLong,
}

/// Where on the stream the next octet stands.
#[derive(Clone, Debug)]
enum State {
    /// Before a start line. `pair`: the octets just before are a CRLF that was not yet half of a ping.
    Between { carriage_return: bool, pair: bool },
    /// In the header section.
    Head(SectionEnd),
    /// In a body of which so much is missing.
    Body { missing: usize },
    /// Behind an error.
    Broken,
}

const BETWEEN: State = State::Between { carriage_return: false, pair: false };

/// How far a look at the input came.
enum Progress {
    /// All of it belongs to the present message, which goes on.
    More,
    /// So much of it belongs to the present message, which ends there.
    End(usize),
    /// So much of it belongs to the header section, and no end of the message can be found.
    Error(usize, FrameError),
}

impl Framer {
    /// A stream from its beginning.
    pub const fn new(limits: Limits) -> Self {
        Self { limits, held: Vec::new(), spent: false, state: BETWEEN }
    }

    /// Takes the next frame off the front of what the stream brought. `None`: all of it was taken and more is needed; call
    /// again with what comes next. A message that stands whole in the input is not copied.
    ///
    /// # Errors
    /// Once, when the stream can be read no further; what comes after is thrown away. The connection should be closed, after
    /// an answer to what has [`begun`](Self::begun) if that is a request.
    pub fn read<'f, 'i: 'f>(&'f mut self, input: &mut &'i [u8]) -> Option<Result<Frame<'f>, FrameError>> {
        if self.spent {
            self.spent = false;
            self.held = Vec::new();
        }
        if let Some(frame) = self.line_ends(input) {
            return Some(Ok(frame));
        }
        match self.look_at(input) {
            Progress::More => {
                if !matches!(self.state, State::Broken) {
                    self.held.extend_from_slice(input);
                }
                *input = &[];
                None
            }
            Progress::End(length) => {
                let (last, rest) = input.split_at_checked(length).unwrap_or((input, &[]));
                *input = rest;
                self.state = BETWEEN;
                if self.held.is_empty() {
                    return Some(Ok(Frame::Message(last)));
                }
                self.held.extend_from_slice(last);
                self.spent = true;
                Some(Ok(Frame::Message(&self.held)))
            }
            Progress::Error(head, error) => {
                self.held.extend_from_slice(input.get(..head).unwrap_or_default());
                *input = &[];
                self.state = State::Broken;
                Some(Err(error))
            }
        }
    }

    /// The [`Frame::Pong`] just given out was the answer to a ping of ours, so it is not the first half of a ping.
    pub fn pong_was_awaited(&mut self) {
        if let State::Between { pair, .. } = &mut self.state {
            *pair = false;
        }
    }

    /// How many octets of a message are held that is not yet whole. At the end of a stream there should be none.
    pub fn unfinished(&self) -> usize {
        if self.spent || matches!(self.state, State::Broken) { 0 } else { self.held.len() }
    }

    /// Gives the octets held of a message that is not yet whole; after an error as much of the message that it was about as is at hand, its
    /// header section at most.
    pub fn begun(&self) -> &[u8] {
        if self.spent { &[] } else { &self.held }
    }

    /// Takes line ends before a start line, which mean nothing but as keep-alives. A carriage return alone is skipped too.
    fn line_ends(&mut self, input: &mut &[u8]) -> Option<Frame<'static>> {
        let State::Between { carriage_return, pair } = &mut self.state else { return None };
        while let [octet @ (b'\r' | b'\n'), rest @ ..] = *input {
            *input = rest;
            if *octet == b'\r' {
                *pair &= !*carriage_return;
                *carriage_return = true;
            } else if core::mem::take(carriage_return) {
                *pair = !*pair;
                return Some(if *pair { Frame::Pong } else { Frame::Ping });
            } else {
                *pair = false;
            }
        }
        if !input.is_empty() {
            self.state = State::Head(SectionEnd::new(self.limits.header_section.min(LONGEST_SECTION)));
        }
        None
    }

    /// Reads how long the body is, once the header section ends with these octets. They are held only if others are.
    fn body_len(&mut self, last: &[u8]) -> Result<usize, FrameErrorKind> {
        let held = self.held.len();
        if held > 0 {
            self.held.extend_from_slice(last);
        }
        let length = Length::of_section(if held > 0 { &self.held } else { last });
        self.held.truncate(held);
        match length {
            Length::Absent => Err(FrameErrorKind::NoContentLength),
            Length::Unusable => Err(FrameErrorKind::ContentLength),
            Length::Octets(octets) => {
                let octets = usize::try_from(octets).ok().filter(|&octets| octets <= self.limits.body);
                octets.ok_or(FrameErrorKind::BodyTooLong)
            }
        }
    }

    /// Goes on with the present message over input that was not looked at before.
    fn look_at(&mut self, input: &[u8]) -> Progress {
        let mut before_body = 0;
        if let State::Head(head) = &mut self.state {
            match head.search(input) {
                Found::More => return Progress::More,
                Found::End(end) => before_body = end,
                Found::TooLong(end) => {
                    let error = FrameError::new(FrameErrorKind::HeaderSectionTooLong, head.octets);
                    return Progress::Error(end, error);
                }
            }
            let octets = head.octets;
            if let Some(half) = head.half {
                return Progress::Error(before_body, FrameError::new(FrameErrorKind::LineEnd, half));
            }
            match self.body_len(input.get(..before_body).unwrap_or(input)) {
                Ok(missing) => self.state = State::Body { missing },
                Err(kind) => return Progress::Error(before_body, FrameError::new(kind, octets)),
            }
        }
        match &mut self.state {
            State::Body { missing } => {
                let there = input.len().saturating_sub(before_body);
                if there >= *missing {
                    return Progress::End(before_body + *missing);
                }
                *missing -= there;
                Progress::More
            }
            State::Between { .. } | State::Head(_) | State::Broken => Progress::More,
        }
    }
}

impl FrameError {
    fn new(kind: FrameErrorKind, offset: usize) -> Self {
        Self { kind, offset: u32::try_from(offset).unwrap_or(u32::MAX) }
    }

    /// The subject of the error.
    pub const fn kind(self) -> FrameErrorKind {
        self.kind
    }

    /// The octet of the message, not of the stream, at which it was noticed.
    pub const fn offset(self) -> u32 {
        self.offset
    }

    /// The status owed if the message is a request.
    pub const fn status(self) -> StatusCode {
        match self.kind {
            FrameErrorKind::NoContentLength | FrameErrorKind::ContentLength | FrameErrorKind::LineEnd => {
                StatusCode::BAD_REQUEST
            }
            FrameErrorKind::HeaderSectionTooLong => StatusCode::MESSAGE_TOO_LARGE,
            FrameErrorKind::BodyTooLong => StatusCode::REQUEST_ENTITY_TOO_LARGE,
        }
    }
}

impl FrameError {
    /// The reason phrase of an answer to such a request: of a 400 what is wrong with it (RFC 3261 §21.4.1), else the usual one.
    pub const fn reason(self) -> Phrase {
        match self.kind {
            FrameErrorKind::NoContentLength | FrameErrorKind::ContentLength => Phrase::BAD_LENGTH,
            FrameErrorKind::LineEnd => Phrase::LINE_END,
            FrameErrorKind::HeaderSectionTooLong | FrameErrorKind::BodyTooLong => Phrase::of(self.status()),
        }
    }
}

impl fmt::Display for FrameError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let words = match self.kind {
            FrameErrorKind::NoContentLength => "Content-Length is missing, which a stream needs",
            FrameErrorKind::ContentLength => "Content-Length is not one number",
            FrameErrorKind::LineEnd => "a carriage return or a line feed stands alone",
            FrameErrorKind::HeaderSectionTooLong => "the header section is too long",
            FrameErrorKind::BodyTooLong => "Content-Length is more than a body may have",
        };
        write!(f, "{words} (at octet {})", self.offset)
    }
}

impl core::error::Error for FrameError {}

/// Where it stands; what is held may be a secret.
impl fmt::Debug for Framer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Framer").field("held", &self.held.len()).field("state", &self.state).finish_non_exhaustive()
    }
}

impl fmt::Debug for Frame<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Message(bytes) => write!(f, "Message({} octets)", bytes.len()),
            Self::Pong => f.write_str("Pong"),
            Self::Ping => f.write_str("Ping"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Frame, FrameError, FrameErrorKind, Framer};
    use crate::message::{Limits, Message, StatusCode};
    use alloc::string::{String, ToString};
    use alloc::vec::Vec;
    use alloc::{format, vec};

    /// All that a stream gave: messages as text, keep-alives, and the error at its end.
    #[derive(Debug, PartialEq, Eq)]
    struct Read {
        frames: Vec<String>,
        error: Option<FrameError>,
        unfinished: usize,
        begun: String,
    }

    fn read(limits: Limits, pieces: &[&[u8]]) -> Read {
        let mut framer = Framer::new(limits);
        let (mut frames, mut error) = (Vec::new(), None);
        for piece in pieces {
            let mut input = *piece;
            while let Some(frame) = framer.read(&mut input) {
                match frame {
                    Ok(Frame::Message(bytes)) => frames.push(String::from_utf8(bytes.to_vec()).unwrap()),
                    Ok(other) => frames.push(format!("{other:?}")),
                    Err(new) => assert_eq!(error.replace(new), None, "an error comes once"),
                }
            }
            assert!(input.is_empty());
        }
        let begun = String::from_utf8(framer.begun().to_vec()).unwrap();
        Read { frames, error, unfinished: framer.unfinished(), begun }
    }

    /// Reads the stream whole, octet by octet and in two pieces cut anywhere: always the same.
    fn read_all_ways(limits: Limits, stream: &str) -> Read {
        let bytes = stream.as_bytes();
        let whole = read(limits, &[bytes]);
        let octets: Vec<_> = bytes.chunks(1).collect();
        assert_eq!(read(limits, &octets), whole);
        for cut in 0..=bytes.len() {
            assert_eq!(read(limits, &[&bytes[..cut], &[], &bytes[cut..]]), whole, "cut at {cut}");
        }
        whole
    }

    fn frames(stream: &str) -> Vec<String> {
        let read = read_all_ways(Limits::default(), stream);
        assert_eq!((read.error, read.unfinished), (None, 0));
        read.frames
    }

    fn error(stream: &str) -> FrameErrorKind {
        let read = read_all_ways(Limits::default(), stream);
        assert_eq!(read.frames, Vec::<String>::new());
        read.error.unwrap().kind()
    }

    const BYE: &str = "BYE sip:b SIP/2.0\r\nSubject: l: 9\r\n l: 8\r\nContent-Length: 5\r\n\r\nl: 7\n";

    #[test]
    fn a_pong_that_was_awaited_is_not_half_of_a_ping() {
        let frames = |awaited: bool| {
            let mut framer = Framer::new(Limits::default());
            let mut kinds = Vec::new();
            for _ in 0..2 {
                let mut input = b"\r\n".as_slice();
                while let Some(frame) = framer.read(&mut input) {
                    kinds.push(format!("{:?}", frame.unwrap()));
                    if awaited {
                        framer.pong_was_awaited();
                    }
                }
            }
            kinds
        };
        assert_eq!(frames(true), ["Pong", "Pong"]);
        assert_eq!(frames(false), ["Pong", "Ping"]);
    }

    #[test]
    fn messages_are_cut_by_their_content_length() {
        let ok = "SIP/2.0 200 OK\r\nl:0\r\n\r\n";
        assert_eq!(frames(&format!("{BYE}{ok}{BYE}")), [BYE, ok, BYE]);
    }

    #[test]
    fn line_ends_between_messages_are_skipped_and_told_as_keep_alives() {
        assert_eq!(
            frames(&format!("\r\n\r\n\r\n{BYE}\r\n{BYE}\r\n\r\n")),
            ["Pong", "Ping", "Pong", BYE, "Pong", BYE, "Pong", "Ping"]
        );
        assert_eq!(frames(&format!("\n\n\r\r\n\n\r\n{BYE}")), ["Pong", "Pong", BYE]);
    }

    #[test]
    fn content_length_is_found_however_it_is_written() {
        for line in [
            "content-LENGTH:5",
            "L :\t5",
            "Content-Length \t : 5 \t",
            "l:\r\n 5",
            "l: 5\r\n\t\r\n  ",
            "l: 00005",
            "l: 5\r\nContent-Length: 5",
            "Content-Lengths: 7\r\nl:5",
            "Content-Lengt: 7\r\nl:5",
            "x\r\n l:4\r\nl:5",
        ] {
            let message = BYE.replace("Content-Length: 5", line);
            assert_eq!(frames(&message.repeat(2)), [message.clone(), message.clone()], "{line}");
        }
    }

    #[test]
    fn half_a_line_end_breaks_the_stream_where_its_header_section_ends() {
        let head = BYE.find("\r\n\r\n").unwrap() + 4;
        for at in 1..head {
            for half in ["\r", "\n"] {
                let text = [&BYE[..at], half, &BYE[at..]].concat();
                let bytes = text.as_bytes();
                let end = text.find("\r\n\r\n").map(|end| end + 4);
                let is_half = |at: usize| match bytes[at] {
                    b'\r' => bytes.get(at + 1) != Some(&b'\n'),
                    b'\n' => bytes[at - 1] != b'\r',
                    _ => false,
                };
                let read = read_all_ways(Limits::default(), &text);
                let Some(end) = end else {
                    assert_eq!((read.error, read.unfinished), (None, text.len()), "{text:?}");
                    continue;
                };
                match (1..end).find(|&at| is_half(at)) {
                    Some(half) => {
                        let error = read.error.unwrap();
                        assert_eq!(
                            (error.kind(), error.offset() as usize),
                            (FrameErrorKind::LineEnd, half),
                            "{text:?}"
                        );
                        assert_eq!((error.status(), &*read.begun), (StatusCode::BAD_REQUEST, &text[..end]));
                    }
                    None => assert!(read.error.is_none_or(|error| error.kind() != FrameErrorKind::LineEnd), "{text:?}"),
                }
            }
        }
    }

    #[test]
    fn without_one_usable_content_length_a_stream_breaks() {
        use FrameErrorKind::{ContentLength, NoContentLength};
        for (line, kind) in [
            ("X: 5", NoContentLength),
            ("Content-Length 5", NoContentLength),
            ("Content-Length-: 5", NoContentLength),
            ("l:", ContentLength),
            ("l: -5", ContentLength),
            ("l: 5 5", ContentLength),
            ("l: 5\r\n 5", ContentLength),
            ("l: 5;x", ContentLength),
            ("l: 4294967296", ContentLength),
            ("l: 99999999999999999999999999", ContentLength),
            ("l: 5, 5", ContentLength),
            ("l: 5\r\nContent-Length: 6", ContentLength),
            ("l: 5\r\nContent-Length: x\r\nl: 5", ContentLength),
        ] {
            assert_eq!(error(&BYE.replace("Content-Length: 5", line)), kind, "{line}");
        }
    }

    #[test]
    fn a_message_without_length_can_be_answered_and_nothing_follows_it() {
        let request = BYE.replace("Content-Length: 5\r\n", "");
        let read = read_all_ways(Limits::default(), &format!("{BYE}{request}{BYE}"));
        assert_eq!(read.frames, [BYE]);
        let error = read.error.unwrap();
        assert_eq!((error.status(), error.offset() as usize), (StatusCode::BAD_REQUEST, read.begun.len()));
        assert_eq!(error.to_string(), "Content-Length is missing, which a stream needs (at octet 43)");
        assert_eq!(format!("{}l: 7\n", read.begun), request);
        assert!(Message::parse(read.begun.as_bytes(), &Limits::default()).is_ok());
    }

    #[test]
    fn limits_are_met_exactly() {
        let head = BYE.len() - 5;
        let exact = Limits { header_section: head, body: 5, ..Limits::default() };
        assert_eq!(read_all_ways(exact, BYE).frames, [BYE]);
        let read = read_all_ways(Limits { header_section: head - 1, ..exact }, BYE);
        let error = read.error.unwrap();
        assert_eq!(
            (error.kind(), error.status()),
            (FrameErrorKind::HeaderSectionTooLong, StatusCode::MESSAGE_TOO_LARGE)
        );
        assert_eq!(read.begun, BYE[..head - 1]);
        let read = read_all_ways(Limits { body: 4, ..exact }, BYE);
        let error = read.error.unwrap();
        assert_eq!((error.kind(), error.status()), (FrameErrorKind::BodyTooLong, StatusCode::REQUEST_ENTITY_TOO_LARGE));
        assert_eq!(read.begun, BYE[..head]);
    }

    #[test]
    fn a_header_section_that_never_ends_is_kept_up_to_its_limit() {
        let mut framer = Framer::new(Limits::default());
        let line = vec![b'a'; 1_000];
        let mut errors = 0;
        for _ in 0..100 {
            let mut input = &line[..];
            errors += usize::from(matches!(framer.read(&mut input), Some(Err(_))));
            assert!(framer.held.len() <= Limits::default().header_section);
        }
        assert_eq!((errors, framer.begun().len()), (1, Limits::default().header_section));
    }

    #[test]
    fn a_length_that_is_claimed_takes_no_memory() {
        let mut framer = Framer::new(Limits::default());
        let begun = b"BYE sip:b SIP/2.0\r\nl: 65536\r\n\r\nx";
        assert!(framer.read(&mut begun.as_slice()).is_none());
        assert!(framer.held.capacity() < 1_000);
        assert_eq!(framer.unfinished(), begun.len());
    }

    #[test]
    fn what_is_held_stays_out_of_debug() {
        let mut framer = Framer::new(Limits::default());
        assert!(framer.read(&mut &b"BYE sip:b SIP/2.0\r\nAuthorization: s3cret"[..]).is_none());
        assert!(!format!("{framer:?}").contains("s3cret"));
    }
}
