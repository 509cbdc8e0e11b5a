//! Values of a list, and quoted strings (RFC 3261 §7.3.1, §25.1).

use super::search::{find, trim};

/// The length of the quoted string that the text begins with, quotes included; `None` if it does not end.
pub(crate) fn quoted_len(text: &[u8]) -> Option<usize> {
    let mut rest = text.strip_prefix(b"\"")?;
    loop {
        rest = match rest {
            [b'"', tail @ ..] => return Some(text.len() - tail.len()),
            [b'\\', _, tail @ ..] | [_, tail @ ..] => tail,
            [] => return None,
        }
    }
}

/// The values of a list header: split at commas outside quotes and angle brackets (RFC 3261 §7.3.1), without white space
/// around them. Blank text has no value; between two commas there is an empty one.
#[derive(Clone, Debug, Default)]
pub(crate) struct Values<'a> {
    rest: Option<&'a [u8]>,
}

impl<'a> Values<'a> {
    pub(crate) fn new(text: &'a [u8]) -> Self {
        let text = trim(text);
        Self { rest: (!text.is_empty()).then_some(text) }
    }
}

/// The first value of a list without white space around it; `None` if the text is empty.
pub(crate) fn first_value(text: &[u8]) -> Option<&[u8]> {
    match comma(text).and_then(|at| text.get(..at)) {
        Some(value) => Some(trim(value)),
        None => (!text.is_empty()).then_some(text),
    }
}

impl<'a> Iterator for Values<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        let text = self.rest?;
        let (value, rest) = match comma(text).and_then(|at| text.split_at_checked(at)) {
            Some((value, rest)) => (value, rest.get(1..)),
            None => (text, None),
        };
        self.rest = rest;
        Some(trim(value))
    }
}

/// Where the first comma outside quotes and angle brackets stands.
fn comma(text: &[u8]) -> Option<usize> {
    // Most values have no comma at all.
    find(text, b',')?;
    let mut rest = text;
    loop {
        rest = match rest {
            [b',', ..] => return Some(text.len() - rest.len()),
            [b'"', ..] => rest.get(quoted_len(rest)?..)?,
            [b'<', ..] => rest.get(find(rest, b'>')?..)?,
            [_, tail @ ..] => tail,
            [] => return None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Values, first_value};

    #[test]
    fn the_first_value_is_that_of_the_list() {
        for text in ["", "a", "a,b", "a ,b", "a\t\r\n ,", ",a", "\"a,b\" , c", "<a,b>;c=1 ,d", "\"a, b"] {
            assert_eq!(first_value(text.as_bytes()), Values::new(text.as_bytes()).next(), "{text}");
        }
    }
}
