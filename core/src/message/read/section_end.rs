//! The end of a header section on a stream.

use crate::message::text;

/// A search for the empty line, over pieces of any size.
#[derive(Clone, Debug)]
pub(super) struct SectionEnd {
    /// How many octets were looked at, and may be at most.
    pub(super) octets: usize,
    most: usize,
    at: At,
}

/// Where in a line the next octet stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum At {
    /// First in a line.
    LineStart,
    /// Behind a carriage return that is first in a line.
    CarriageReturn,
    /// Anywhere else.
    Text,
}

/// How a search came out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Found {
    /// The section goes on.
    More,
    /// It ends behind so many octets of this input.
    End(usize),
    /// It is longer than it may be: so many octets of this input are within the bound.
    TooLong(usize),
}

impl SectionEnd {
    /// Begins at the start line of a section of at most so many octets.
    pub(super) const fn new(most: usize) -> Self {
        Self { octets: 0, most, at: At::Text }
    }

    /// Goes on over this input.
    pub(super) fn search(&mut self, input: &[u8]) -> Found {
        let within = input.get(..self.most - self.octets).unwrap_or(input);
        let mut rest = within;
        let mut ended = false;
        while let [octet, tail @ ..] = rest
            && !ended
        {
            rest = tail;
            (self.at, ended) = match (self.at, octet) {
                (At::LineStart | At::CarriageReturn, b'\n') => (At::LineStart, true),
                (At::Text, b'\n') => (At::LineStart, false),
                (At::LineStart, b'\r') => (At::CarriageReturn, false),
                _ => {
                    // Most octets are here: go to the end of the line in strides.
                    rest = text::find(tail, b'\n').and_then(|at| tail.get(at..)).unwrap_or_default();
                    (At::Text, false)
                }
            };
        }
        let taken = within.len() - rest.len();
        self.octets += taken;
        match ended {
            true => Found::End(taken),
            false if self.octets >= self.most => Found::TooLong(taken),
            false => Found::More,
        }
    }
}
