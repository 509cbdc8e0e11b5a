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
        Self { rest: text::split_line(section).map_or(&[], |(_, rest)| rest) }
    }
}

impl<'a> Iterator for Lines<'a> {
    type Item = Line<'a>;

    fn next(&mut self) -> Option<Line<'a>> {
        if matches!(self.rest, [] | [b'\r', b'\n', ..]) {
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
        let (name, value) = text::split_once(self.0, b':')?;
        Some((header_id(name)??, value))
    }

    /// Whether a carriage return or a line feed stands alone in the line.
    pub(super) fn has_half_line_end(self) -> bool {
        let mut rest = self.0;
        while let Some(at) = text::find_either(rest, b'\r', b'\n') {
            let Some([b'\r', b'\n', behind @ ..]) = rest.get(at..) else { return true };
            rest = behind;
        }
        false
    }
}

/// Counts the octets of the line that the text begins with, its folds and its last line end included.
fn line_len(octets: &[u8]) -> usize {
    let mut rest = octets;
    while let Some((_, behind)) = text::split_line(rest) {
        if !matches!(behind, [b' ' | b'\t', ..]) {
            return octets.len() - behind.len();
        }
        rest = behind;
    }
    octets.len()
}
