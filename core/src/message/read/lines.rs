//! Lines of a header section that need not be well-formed, each with its folds (RFC 3261 §7.3.1).

use super::section::header_id;
use crate::message::name::HeaderId;
use crate::message::text;

/// The lines of a header section up to the empty line or the end.
#[derive(Clone)]
pub(super) struct Lines<'a> {
    rest: &'a [u8],
}

impl<'a> Lines<'a> {
    /// Begins behind the start line.
    pub(super) fn behind_start_line(section: &'a [u8]) -> Self {
        Self { rest: text::split_once(section, b'\n').map_or(&[], |(_, rest)| rest) }
    }
}

impl<'a> Iterator for Lines<'a> {
    type Item = Line<'a>;

    fn next(&mut self) -> Option<Line<'a>> {
        if matches!(self.rest, [] | [b'\n', ..] | [b'\r', b'\n', ..]) {
            return None;
        }
        let (line, rest) = self.rest.split_at_checked(line_len(self.rest))?;
        self.rest = rest;
        Some(Line(line))
    }
}

/// One line with its folds and its last line end.
#[derive(Clone, Copy)]
pub(super) struct Line<'a>(&'a [u8]);

impl<'a> Line<'a> {
    /// The octets without white space at the end.
    pub(super) fn text(self) -> &'a [u8] {
        text::trim_end(self.0)
    }

    /// The known header that the line is a field of, if any, and what stands behind the colon.
    pub(super) fn known(self) -> Option<(HeaderId, &'a [u8])> {
        let end = text::find_either(self.0, b':', b'\n')?;
        let (name, [b':', value @ ..]) = self.0.split_at_checked(end)? else { return None };
        Some((header_id(name)??, value))
    }
}

/// Counts the octets of the line that the text begins with, its folds and its last line end included.
fn line_len(octets: &[u8]) -> usize {
    let mut length = 0;
    while let Some(rest) = octets.get(length..)
        && let Some(end) = text::find(rest, b'\n')
    {
        length += end + 1;
        if !matches!(octets.get(length), Some(b' ' | b'\t')) {
            return length;
        }
    }
    octets.len()
}
