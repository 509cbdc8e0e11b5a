//! Characters and small scanners of RFC 3261 §25.1, shared by all readers.

use super::error::{ParseError, ParseErrorKind};

/// A set of ASCII characters.
pub(crate) struct Set([bool; 256]);

impl Set {
    pub(crate) const fn of(members: &[u8]) -> Self {
        Self([false; 256]).and(members)
    }

    #[expect(clippy::indexing_slicing, reason = "evaluated by the compiler; a `u8` is below 256")]
    pub(crate) const fn and(&self, members: &[u8]) -> Self {
        let mut all = self.0;
        let mut rest = members;
        while let [first, tail @ ..] = rest {
            all[*first as usize] = true;
            rest = tail;
        }
        Self(all)
    }

    pub(crate) fn has(&self, octet: u8) -> bool {
        self.0.get(usize::from(octet)) == Some(&true)
    }

    /// Whether the text has only these characters. True of the empty text.
    pub(crate) fn covers(&self, text: &[u8]) -> bool {
        text.iter().all(|&octet| self.has(octet))
    }

    /// Whether the text has only these characters and `%` escapes. True of the empty text.
    pub(crate) fn covers_escaped(&self, text: &[u8]) -> bool {
        self.escaped_len(text) == text.len()
    }

    /// How many octets at the beginning of the text are these characters and `%` escapes.
    pub(crate) fn escaped_len(&self, text: &[u8]) -> usize {
        let mut rest = text;
        loop {
            rest = match rest {
                [octet, tail @ ..] if self.has(*octet) => tail,
                [b'%', high, low, tail @ ..] if high.is_ascii_hexdigit() && low.is_ascii_hexdigit() => tail,
                _ => return text.len() - rest.len(),
            }
        }
    }
}

pub(crate) static ALPHANUM: Set = Set::of(b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789");
pub(crate) static TOKEN: Set = ALPHANUM.and(b"-.!%*_+`'~");
pub(crate) static WORD: Set = TOKEN.and(b"()<>:\\\"/[]?{}");
pub(crate) static UNRESERVED: Set = ALPHANUM.and(b"-_.!~*'()");
pub(crate) static RESERVED: Set = Set::of(b";/?:@&=+$,");
pub(crate) static USER: Set = UNRESERVED.and(b"&=+$,;?/");
pub(crate) static PASSWORD: Set = UNRESERVED.and(b"&=+$,");
pub(crate) static URI_PARAMETER: Set = UNRESERVED.and(b"[]/:&+$");
pub(crate) static URI_HEADER: Set = UNRESERVED.and(b"[]/?:+$");
pub(crate) static URIC: Set = UNRESERVED.and(b";/?:@&=+$,[]");
pub(crate) static SCHEME: Set = ALPHANUM.and(b"+-.");
/// What ends the name of a parameter that was read before.
pub(crate) static PARAMETER_NAME_END: Set = Set::of(b"=; \t\r\n");
/// What an unquoted parameter value may have: a token or a host.
pub(crate) static PARAMETER_VALUE: Set = TOKEN.and(b"[]:");

/// Whether this is part of linear white space. Folds were checked when the header section was read.
pub(crate) const fn is_lws(octet: u8) -> bool {
    matches!(octet, b' ' | b'\t' | b'\r' | b'\n')
}

/// The text without linear white space around it.
pub(crate) fn trim(text: &[u8]) -> &[u8] {
    trim_start(trim_end(text))
}

pub(crate) fn trim_start(mut text: &[u8]) -> &[u8] {
    while let [first, rest @ ..] = text
        && is_lws(*first)
    {
        text = rest;
    }
    text
}

pub(crate) fn trim_end(mut text: &[u8]) -> &[u8] {
    while let [rest @ .., last] = text
        && is_lws(*last)
    {
        text = rest;
    }
    text
}

/// Text whose characters were found to be ASCII.
pub(crate) fn ascii(text: &[u8]) -> &str {
    core::str::from_utf8(text).unwrap_or_default()
}

/// Whether the text is a token.
pub(crate) fn is_token(text: &[u8]) -> bool {
    !text.is_empty() && TOKEN.covers(text)
}

/// The text as a token, or `None`.
pub(crate) fn token(text: &[u8]) -> Option<&str> {
    is_token(text).then(|| ascii(text))
}

/// A number of decimal digits only; `None` if empty, with other characters, or above `u32`.
pub(crate) fn number(text: &[u8]) -> Option<u32> {
    if text.is_empty() {
        return None;
    }
    text.iter().try_fold(0_u32, |value, octet| {
        let digit = octet.is_ascii_digit().then(|| u32::from(octet - b'0'))?;
        value.checked_mul(10)?.checked_add(digit)
    })
}

/// Where this octet first stands.
pub(crate) fn find(text: &[u8], octet: u8) -> Option<usize> {
    let sought = ONES * u64::from(octet);
    find_by(text, |word| zeros(word ^ sought), |other| other == octet)
}

/// Where one of two octets first stands.
pub(crate) fn find_either(text: &[u8], a: u8, b: u8) -> Option<usize> {
    let (a_word, b_word) = (ONES * u64::from(a), ONES * u64::from(b));
    find_by(text, |word| zeros(word ^ a_word) | zeros(word ^ b_word), |octet| octet == a || octet == b)
}

/// Where the first octet stands that may end a line or needs a second look: a control character up to carriage return. Values
/// are long enough that sixteen octets at a time pay.
pub(crate) fn find_control(text: &[u8]) -> Option<usize> {
    const FIRST_OTHERS: u64 = ONES * (b'\r' as u64 + 1);
    let hits = |word: u64| word.wrapping_sub(FIRST_OTHERS) & !word & HIGHS;
    let mut rest = text;
    while let Some((pair, behind)) = rest.split_first_chunk::<16>() {
        let ([first, second], _) = pair.as_chunks::<8>() else { break };
        let (first, second) = (hits(u64::from_le_bytes(*first)), hits(u64::from_le_bytes(*second)));
        if first | second != 0 {
            let at = if first == 0 { 8 + second.trailing_zeros() / 8 } else { first.trailing_zeros() / 8 };
            return Some(text.len() - rest.len() + at as usize);
        }
        rest = behind;
    }
    let at = find_by(rest, hits, |octet| octet <= b'\r')?;
    Some(text.len() - rest.len() + at)
}

/// Of eight octets, the first lowest: which bits stand up to the first such octet, and how many octets before it.
pub(crate) const fn first_of(word: u64, octet: u8) -> Option<(u64, usize)> {
    let hits = zeros(word ^ (ONES * octet as u64));
    // The highest bit of that octet, moved to its lowest.
    let first = (hits & hits.wrapping_neg()) >> 7;
    if hits == 0 { None } else { Some(((first << 8).wrapping_sub(1), first.trailing_zeros() as usize / 8)) }
}

/// One in each octet.
const ONES: u64 = u64::from_le_bytes([1; 8]);
/// The highest bit of each octet.
const HIGHS: u64 = ONES << 7;

/// Sets the highest bit of the first octet that is zero; perhaps those of later ones that are not.
const fn zeros(word: u64) -> u64 {
    word.wrapping_sub(ONES) & !word & HIGHS
}

/// Where the first octet stands that is sought, eight at a time: some 11 instructions a word. `hits` sets the highest bit of
/// the first octet of a word that is sought, `is_hit` says of a single octet whether it is.
///
/// Blocks of 16, which become vector instructions, were no better: what is searched here is a name or a part of a value.
#[inline(always)]
fn find_by(text: &[u8], hits: impl Fn(u64) -> u64, is_hit: impl Fn(u8) -> bool) -> Option<usize> {
    let mut rest = text;
    while let Some((word, behind)) = rest.split_first_chunk() {
        let hits = hits(u64::from_le_bytes(*word));
        if hits != 0 {
            return Some(text.len() - rest.len() + hits.trailing_zeros() as usize / 8);
        }
        rest = behind;
    }
    let at = rest.iter().position(|&octet| is_hit(octet))?;
    Some(text.len() - rest.len() + at)
}

/// Text before and after the first such octet, without it.
pub(crate) fn split_once(text: &[u8], octet: u8) -> Option<(&[u8], &[u8])> {
    let (before, after) = text.split_at_checked(find(text, octet)?)?;
    Some((before, after.get(1..)?))
}

/// How far into `whole` its part `part` begins.
pub(crate) fn offset_in(whole: &[u8], part: &[u8]) -> usize {
    (part.as_ptr() as usize).saturating_sub(whole.as_ptr() as usize)
}

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

/// A place in a text that is read from left to right.
#[derive(Clone, Debug)]
pub(crate) struct Cursor<'a> {
    text: &'a [u8],
    rest: &'a [u8],
}

impl<'a> Cursor<'a> {
    pub(crate) const fn new(text: &'a [u8]) -> Self {
        Self { text, rest: text }
    }

    pub(crate) const fn offset(&self) -> usize {
        self.text.len() - self.rest.len()
    }

    pub(crate) const fn error(&self, kind: ParseErrorKind) -> ParseError {
        ParseError::new(kind, self.offset())
    }

    pub(crate) const fn rest(&self) -> &'a [u8] {
        self.rest
    }

    pub(crate) const fn peek(&self) -> Option<u8> {
        self.rest.first().copied()
    }

    pub(crate) const fn is_done(&self) -> bool {
        self.rest.is_empty()
    }

    /// Skips linear white space.
    pub(crate) fn lws(&mut self) {
        self.rest = trim_start(self.rest);
    }

    /// Takes this octet if it is next.
    pub(crate) fn eat(&mut self, octet: u8) -> bool {
        match self.rest {
            [first, rest @ ..] if *first == octet => {
                self.rest = rest;
                true
            }
            _ => false,
        }
    }

    /// Takes this octet and the white space around it.
    pub(crate) fn separator(&mut self, octet: u8, kind: ParseErrorKind) -> Result<(), ParseError> {
        self.lws();
        if !self.eat(octet) {
            return Err(self.error(kind));
        }
        self.lws();
        Ok(())
    }

    /// Takes this many octets, or what is left.
    pub(crate) fn take(&mut self, count: usize) -> &'a [u8] {
        let (taken, rest) = self.rest.split_at_checked(count).unwrap_or((self.rest, &[]));
        self.rest = rest;
        taken
    }

    /// Takes octets as long as they are in the set.
    pub(crate) fn take_while(&mut self, set: &Set) -> &'a [u8] {
        let count = self.rest.iter().position(|&octet| !set.has(octet)).unwrap_or(self.rest.len());
        self.take(count)
    }

    /// Takes octets up to this one, or what is left.
    pub(crate) fn take_until(&mut self, octet: u8) -> &'a [u8] {
        self.take(find(self.rest, octet).unwrap_or(self.rest.len()))
    }

    pub(crate) fn token(&mut self) -> Result<&'a str, ParseError> {
        let error = self.error(ParseErrorKind::Token);
        let text = self.take_while(&TOKEN);
        if text.is_empty() { Err(error) } else { Ok(ascii(text)) }
    }

    /// Takes a quoted string, quotes included.
    pub(crate) fn quoted(&mut self) -> Result<&'a [u8], ParseError> {
        let length = quoted_len(self.rest).ok_or(self.error(ParseErrorKind::Quotes))?;
        Ok(self.take(length))
    }
}

#[cfg(test)]
mod tests {
    use super::{Values, find, find_control, find_either, number, quoted_len, token, trim};
    use alloc::vec::Vec;

    #[test]
    fn commas_in_quotes_and_brackets_do_not_split() {
        let text = br#""Bell, \", Alexander" <sip:a,b@example.com>;x="1,2" , sip:c@example.com,<sip:d@e,f>"#;
        let values: Vec<_> = Values::new(text).collect();
        assert_eq!(
            values,
            [&br#""Bell, \", Alexander" <sip:a,b@example.com>;x="1,2""#[..], b"sip:c@example.com", b"<sip:d@e,f>"]
        );
    }

    #[test]
    fn blank_text_has_no_values_and_commas_have_empty_ones() {
        assert_eq!(Values::new(b" \r\n ").count(), 0);
        assert_eq!(Values::new(b",").collect::<Vec<_>>(), [b"", b""]);
        assert_eq!(Values::new(b"a, ,b").collect::<Vec<_>>(), [&b"a"[..], b"", b"b"]);
    }

    #[test]
    fn what_is_not_closed_is_one_value() {
        assert_eq!(Values::new(b"\"a, b").count(), 1);
        assert_eq!(Values::new(b"<a, b").count(), 1);
    }

    #[test]
    fn octets_are_found_at_every_place() {
        for length in 0..40 {
            for at in 0..length {
                let mut text: Vec<u8> = core::iter::repeat_n(b'\x0b', length).collect();
                text[at] = b'\n';
                assert_eq!(find(&text, b'\n'), Some(at));
                assert_eq!(find_either(&text, b'\r', b'\n'), Some(at));
                assert_eq!(find_either(&text, b'\r', b'x'), None);
                for (octet, before) in [(b'\r', b'\x0e'), (b'\0', b' '), (b'\n', 0xff)] {
                    let mut text: Vec<u8> = core::iter::repeat_n(before, length).collect();
                    assert_eq!(find_control(&text), None);
                    text[at] = octet;
                    assert_eq!(find_control(&text), Some(at));
                }
            }
        }
    }

    #[test]
    fn numbers_have_only_digits_and_fit() {
        assert_eq!(number(b"0068"), Some(68));
        assert_eq!(number(b"4294967295"), Some(u32::MAX));
        for bad in [&b"4294967296"[..], b"", b"-1", b"+1", b"1 ", b"36893488147419103232"] {
            assert_eq!(number(bad), None);
        }
    }

    #[test]
    fn quoted_strings_end_at_the_first_unescaped_quote() {
        assert_eq!(quoted_len(br#""a\"b" c"#), Some(6));
        assert_eq!(quoted_len(br#""a\"#), None);
        assert_eq!(quoted_len(br#"a"#), None);
    }

    #[test]
    fn tokens_and_white_space() {
        assert_eq!(token(b"a%b"), Some("a%b"));
        assert_eq!(token(b"a b"), None);
        assert_eq!(trim(b"\r\n  a \t"), b"a");
    }
}
