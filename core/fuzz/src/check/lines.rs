//! A second reading of a header section: slow, plain, and written without a look at the first.

use sansip::message::{HeaderId, HeaderName};

/// A message as lines.
#[derive(Clone, Debug)]
pub(crate) struct Lines {
    /// With its line end.
    pub(crate) start: Vec<u8>,
    pub(crate) fields: Vec<Line>,
    /// The empty line; empty if it is missing.
    pub(crate) empty: Vec<u8>,
    pub(crate) body: Vec<u8>,
}

/// One field, folds and line ends included.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Line(pub(crate) Vec<u8>);

impl Lines {
    /// Reads what was found to be a message, without line ends before it.
    pub(crate) fn of(message: &[u8]) -> Self {
        let mut rest = message;
        let mut next = || {
            let end = rest.windows(2).position(|pair| pair == b"\r\n").map_or(rest.len(), |at| at + 2);
            let (line, tail) = rest.split_at(end);
            rest = tail;
            line.to_vec()
        };
        let start = next();
        let mut fields: Vec<Line> = Vec::new();
        let empty = loop {
            let line = next();
            match (line.as_slice(), fields.last_mut()) {
                ([] | b"\r\n", _) => break line,
                ([b' ' | b'\t', ..], Some(Line(last))) => last.extend_from_slice(&line),
                _ => fields.push(Line(line)),
            }
        };
        Self { start, fields, empty, body: rest.to_vec() }
    }

    pub(crate) fn write(&self) -> Vec<u8> {
        let mut out = self.start.clone();
        for Line(line) in &self.fields {
            out.extend_from_slice(line);
        }
        out.extend_from_slice(&self.empty);
        out.extend_from_slice(&self.body);
        out
    }

    /// Adds the line ends that are missing.
    pub(crate) fn terminate(&mut self) {
        if self.empty.is_empty() {
            let last = self.fields.last_mut().map_or(&mut self.start, |Line(line)| line);
            if !last.ends_with(b"\r\n") {
                last.extend_from_slice(b"\r\n");
            }
            self.empty = b"\r\n".to_vec();
        }
    }

    /// Where the fields of this header are.
    pub(crate) fn places(&self, id: HeaderId) -> Vec<usize> {
        (0..self.fields.len()).filter(|&at| self.fields[at].is(HeaderName::Known(id))).collect()
    }
}

const fn is_space(octet: u8) -> bool {
    matches!(octet, b' ' | b'\t' | b'\r' | b'\n')
}

/// Without linear white space around it.
pub(crate) fn trim(text: &[u8]) -> &[u8] {
    let Some(first) = text.iter().position(|&octet| !is_space(octet)) else { return &[] };
    let last = text.iter().rposition(|&octet| !is_space(octet)).expect("there is one");
    &text[first..=last]
}

impl Line {
    pub(crate) fn new(name: &str, value: &[u8]) -> Self {
        Self([name.as_bytes(), b": ", trim(value), b"\r\n"].concat())
    }

    pub(crate) fn is(&self, name: HeaderName<'_>) -> bool {
        let text = String::from_utf8_lossy(&self.0);
        // A line without a colon has no name.
        let own = text.split_once(':').map_or("", |(own, _)| own);
        HeaderName::from(own.trim_end_matches([' ', '\t'])) == name
    }

    /// Where the value begins and ends: all of a line without a colon.
    pub(crate) fn value(&self) -> (usize, usize) {
        let colon = self.0.iter().position(|&octet| octet == b':').map_or(0, |colon| colon + 1);
        let after = &self.0[colon..];
        let Some(first) = after.iter().position(|&octet| !is_space(octet)) else { return (colon, colon) };
        let last = after.iter().rposition(|&octet| !is_space(octet)).expect("there is one");
        (colon + first, colon + last + 1)
    }

    /// Where the values of a list begin and end: split at commas outside quotes and angle brackets.
    pub(crate) fn values(&self) -> Vec<(usize, usize)> {
        let (start, end) = self.value();
        if start == end {
            return Vec::new();
        }
        let mut cuts = vec![start];
        let (mut quoted, mut escaped, mut angle) = (false, false, false);
        for at in start..end {
            let octet = self.0[at];
            if quoted {
                quoted = escaped || octet != b'"';
                escaped = !escaped && octet == b'\\';
            } else if angle {
                angle = octet != b'>';
            } else {
                match octet {
                    b'"' => (quoted, escaped) = (true, false),
                    b'<' => angle = true,
                    b',' => cuts.push(at + 1),
                    _ => {}
                }
            }
        }
        let ends = cuts.iter().skip(1).map(|cut| cut - 1).chain([end]);
        let trim = |(mut from, mut to): (usize, usize)| {
            while from < to && is_space(self.0[to - 1]) {
                to -= 1;
            }
            while from < to && is_space(self.0[from]) {
                from += 1;
            }
            (from, to)
        };
        cuts.iter().copied().zip(ends).map(trim).collect()
    }

    /// This line with another value in the place of its own.
    pub(crate) fn with_value(&self, value: &[u8]) -> Self {
        let (start, end) = self.value();
        Self([&self.0[..start], trim(value), &self.0[end..]].concat())
    }
}
