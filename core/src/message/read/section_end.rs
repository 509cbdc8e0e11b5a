//! The end of a header section on a stream.

use crate::message::text;

/// A search for the empty line, over pieces of any size. Only a carriage return and a line feed together end a line; one that
/// stands alone is noted.
#[derive(Clone, Debug)]
pub(super) struct SectionEnd {
    /// How many octets were looked at, and may be at most.
    pub(super) octets: usize,
    most: usize,
    at: At,
    /// The first octet that is half a line end.
    pub(super) half: Option<usize>,
}

/// Where in a line the next octet stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum At {
    /// First in a line.
    LineStart,
    /// Behind a carriage return that is first in a line.
    EmptyLine,
    /// Behind any other carriage return.
    LineEnd,
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
        Self { octets: 0, most, at: At::Text, half: None }
    }

    /// Goes on over this input.
    pub(super) fn search(&mut self, input: &[u8]) -> Found {
        let within = input.get(..self.most - self.octets).unwrap_or(input);
        let mut rest = within;
        let mut ended = false;
        while let [octet, tail @ ..] = rest
            && !ended
        {
            let here = self.octets + within.len() - rest.len();
            rest = tail;
            // A carriage return is half a line end if no line feed follows it, a line feed if none comes before it.
            match (self.at, octet) {
                (At::LineEnd | At::EmptyLine, b'\n') => {}
                (At::LineEnd | At::EmptyLine, _) => self.note(here - 1),
                (At::LineStart | At::Text, b'\n') => self.note(here),
                (At::LineStart | At::Text, _) => {}
            }
            (self.at, ended) = match (self.at, octet) {
                (At::EmptyLine, b'\n') => (At::LineStart, true),
                (At::LineEnd, b'\n') => (At::LineStart, false),
                (At::LineStart, b'\r') => (At::EmptyLine, false),
                (_, b'\r') => (At::LineEnd, false),
                _ => {
                    // Most octets are here: go to the end of the line in strides.
                    rest = text::find_either(tail, b'\r', b'\n').and_then(|at| tail.get(at..)).unwrap_or_default();
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

    fn note(&mut self, half: usize) {
        self.half.get_or_insert(half);
    }
}
