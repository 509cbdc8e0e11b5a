//! The end of a header section on a stream, and the Content-Length in it.

use super::frame::{FrameError, FrameErrorKind};
use super::layout::LONGEST_SECTION;
use super::limits::Limits;
use super::name::HeaderId;
use super::scan::{self, TOKEN};
use arrayvec::ArrayVec;

/// A reader of the header section that only looks for its end and for Content-Length.
#[derive(Clone, Debug)]
pub(super) struct Head {
    /// How many octets were looked at, and may be at most.
    pub(super) octets: usize,
    most: usize,
    at: At,
    pub(super) length: Length,
}

/// Where in a line the next octet stands.
#[derive(Clone, Debug)]
enum At {
    /// First in a line. The Content-Length on the lines before ends here, unless this line is a fold.
    LineStart { number: Option<Number>, carriage_return: bool },
    /// In a header name, all of whose octets are here.
    Name(ArrayVec<u8, { LENGTH.len() }>),
    /// In the white space before the colon of Content-Length.
    Colon,
    /// In the value of Content-Length.
    Value(Number),
    /// In text that does not matter.
    Text,
}

/// The longest name of Content-Length.
const LENGTH: &str = HeaderId::ContentLength.as_str();

/// A value of Content-Length as far as it was read.
#[derive(Clone, Copy, Debug)]
enum Number {
    Blank,
    Digits(u32),
    /// White space came after the digits.
    Done(u32),
    Bad,
}

/// What the Content-Length fields say together.
#[derive(Clone, Copy, Debug)]
pub(super) enum Length {
    Absent,
    Octets(u32),
    Unusable,
}

impl Head {
    pub(super) fn new(limits: &Limits) -> Self {
        let most = limits.header_section.min(LONGEST_SECTION);
        Self { octets: 0, most, at: At::Text, length: Length::Absent }
    }

    /// Goes on over this input: how much of it belongs here, and whether the header section ends there.
    pub(super) fn look_at(&mut self, input: &[u8]) -> (usize, Result<bool, FrameError>) {
        let within = input.get(..self.most - self.octets).unwrap_or(input);
        let mut rest = within;
        let mut ended = false;
        while let [octet, tail @ ..] = rest
            && !ended
        {
            rest = tail;
            if matches!(self.at, At::Text) && *octet != b'\n' {
                // Most octets are here: go to the end of the line in strides.
                rest = scan::find(tail, b'\n').and_then(|at| tail.get(at..)).unwrap_or_default();
            } else {
                ended = self.step(*octet);
            }
        }
        let taken = within.len() - rest.len();
        self.octets += taken;
        if !ended && self.octets >= self.most {
            return (taken, Err(FrameError::new(FrameErrorKind::HeaderSectionTooLong, self.octets)));
        }
        (taken, Ok(ended))
    }

    /// Takes one octet; says whether the header section ends with it.
    fn step(&mut self, octet: u8) -> bool {
        if let At::Name(name) = &mut self.at
            && TOKEN.has(octet)
            && name.try_push(octet).is_ok()
        {
            return false;
        }
        let text_or_next_line =
            if octet == b'\n' { At::LineStart { number: None, carriage_return: false } } else { At::Text };
        self.at = match (&mut self.at, octet) {
            (At::LineStart { number, .. }, b'\n') => {
                self.length = self.length.with(*number);
                return true;
            }
            (At::LineStart { number, carriage_return: false }, b'\r') => {
                At::LineStart { number: *number, carriage_return: true }
            }
            (At::LineStart { number, carriage_return: false }, b' ' | b'\t') => {
                number.map_or(At::Text, |number| At::Value(number.with(octet)))
            }
            (At::LineStart { number, carriage_return }, _) => {
                self.length = self.length.with(*number);
                if *carriage_return || !TOKEN.has(octet) { At::Text } else { At::Name(ArrayVec::from_iter([octet])) }
            }
            (At::Name(name), b':') if is_length(name) => At::Value(Number::Blank),
            (At::Name(name), b' ' | b'\t') if is_length(name) => At::Colon,
            (At::Colon, b' ' | b'\t') => At::Colon,
            (At::Colon, b':') => At::Value(Number::Blank),
            (At::Value(number), b'\n') => At::LineStart { number: Some(*number), carriage_return: false },
            (At::Value(number), _) => At::Value(number.with(octet)),
            (At::Name(_) | At::Colon | At::Text, _) => text_or_next_line,
        };
        false
    }
}

fn is_length(name: &[u8]) -> bool {
    HeaderId::from_name(name) == Some(HeaderId::ContentLength)
}

impl Number {
    fn with(self, octet: u8) -> Self {
        match (self, octet) {
            (Self::Blank, _) if scan::is_lws(octet) => Self::Blank,
            (Self::Digits(octets) | Self::Done(octets), _) if scan::is_lws(octet) => Self::Done(octets),
            (Self::Blank, b'0'..=b'9') => Self::Digits((octet - b'0').into()),
            (Self::Digits(octets), b'0'..=b'9') => octets
                .checked_mul(10)
                .and_then(|tens| tens.checked_add((octet - b'0').into()))
                .map_or(Self::Bad, Self::Digits),
            _ => Self::Bad,
        }
    }
}

impl Length {
    /// With one field more, if there is one.
    fn with(self, number: Option<Number>) -> Self {
        match (self, number) {
            (_, None) => self,
            (Self::Absent, Some(Number::Digits(octets) | Number::Done(octets))) => Self::Octets(octets),
            (Self::Octets(before), Some(Number::Digits(octets) | Number::Done(octets))) if before == octets => self,
            _ => Self::Unusable,
        }
    }

    /// The octets of the body.
    pub(super) fn octets(self, most: usize) -> Result<usize, FrameErrorKind> {
        match self {
            Self::Absent => Err(FrameErrorKind::NoContentLength),
            Self::Unusable => Err(FrameErrorKind::ContentLength),
            Self::Octets(octets) => {
                usize::try_from(octets).ok().filter(|&octets| octets <= most).ok_or(FrameErrorKind::BodyTooLong)
            }
        }
    }
}
