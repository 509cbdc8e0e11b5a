//! Parameters of header values and URIs: `;name=value;name`.

use super::error::{ParseError, ParseErrorKind};
use super::quoted::Quoted;
use super::tag_param::{TAG, TagParam};
use super::text::{self, Cursor, PARAMETER_NAME_END, PARAMETER_VALUE, Set, TOKEN, URI_PARAMETER};
use core::fmt;
use core::num::NonZeroU32;

/// The parameters of a header value or URI: checked text. Names are compared without case.
#[derive(Clone, Copy, Default)]
pub struct Parameters<'a> {
    text: &'a [u8],
    /// There is neither white space nor a quoted string in it: each `;` begins a parameter.
    is_plain: bool,
}

/// One parameter.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Parameter<'a> {
    /// The name, as written.
    pub name: &'a str,
    /// The value, quotes included; `None` if there is no `=`.
    pub value: Option<&'a [u8]>,
}

impl<'a> Parameters<'a> {
    /// No parameters.
    pub const NONE: Self = Self { text: &[], is_plain: true };

    /// Reads the parameters of a header value (RFC 3261 §25.1 `generic-param`), each with its `;` before it.
    ///
    /// # Errors
    /// A name is missing or no token; a value is missing, or neither token, host nor quoted string.
    pub fn parse(text: &'a [u8]) -> Result<Self, ParseError> {
        let text = text::trim(text);
        if is_plain(text) {
            return Ok(Self { text, is_plain: true });
        }
        let mut cursor = Cursor::new(text);
        while !cursor.is_done() {
            cursor.separator(b';', ParseErrorKind::Trailing)?;
            let error = cursor.error(ParseErrorKind::Parameter);
            let name = cursor.take_while(&TOKEN);
            if name.is_empty() {
                return Err(error);
            }
            cursor.lws();
            if cursor.eat(b'=') {
                cursor.lws();
                let error = cursor.error(ParseErrorKind::Parameter);
                if cursor.peek() == Some(b'"') {
                    cursor.quoted()?;
                } else if cursor.take_while(value_set(name)).is_empty() {
                    return Err(error);
                }
                cursor.lws();
            }
        }
        Ok(Self { text, is_plain: false })
    }

    /// Reads the parameters of a SIP URI: no white space, no quotes.
    pub(crate) fn parse_uri(text: &'a [u8]) -> Result<Self, ParseError> {
        let mut rest = text;
        while let [b';', tail @ ..] = rest {
            let error = ParseError::new(ParseErrorKind::Parameter, text.len() - tail.len());
            let (one, next) =
                tail.split_at_checked(text::find(tail, b';').unwrap_or(tail.len())).unwrap_or((tail, &[]));
            let (name, value) = match text::split_once(one, b'=') {
                Some((name, value)) => (name, Some(value)),
                None => (one, None),
            };
            let good = |part: &[u8]| !part.is_empty() && URI_PARAMETER.covers_escaped(part);
            if !good(name) || !value.is_none_or(good) {
                return Err(error);
            }
            rest = next;
        }
        if rest.is_empty() {
            Ok(Self { text, is_plain: true })
        } else {
            Err(ParseError::new(ParseErrorKind::Parameter, 0))
        }
    }

    /// Text that was checked elsewhere: each parameter with its `;`, a name, and perhaps `=` and a value without `;`.
    pub(super) fn checked(text: &'a [u8]) -> Self {
        Self { text, is_plain: !text.iter().any(|&octet| octet == b'"' || text::is_lws(octet)) }
    }

    /// Text that was found to have neither white space nor quotes, and to be checked besides.
    pub(super) const fn plain(text: &'a [u8]) -> Self {
        Self { text, is_plain: true }
    }

    /// The first parameter of this name.
    pub fn get(self, name: &str) -> Option<Parameter<'a>> {
        self.find(name).map(Text::read)
    }

    /// Whether there is a parameter of this name.
    pub fn has(self, name: &str) -> bool {
        self.find(name).is_some()
    }

    /// The value of the first parameter of this name, quotes included; `None` if it is absent or has no value.
    pub fn value(self, name: &str) -> Option<&'a [u8]> {
        self.find(name)?.value
    }

    fn find(self, name: &str) -> Option<Text<'a>> {
        self.all(name).next()
    }

    fn all(self, name: &str) -> impl Iterator<Item = Text<'a>> {
        let (mut rest, name) = (Iter { rest: self.text }, name.as_bytes());
        core::iter::from_fn(move || {
            if !self.is_plain {
                return rest.find(|parameter| parameter.name.eq_ignore_ascii_case(name));
            }
            loop {
                let [b';', parameter @ ..] = rest.rest else { return None };
                if let Some((start, behind)) = parameter.split_at_checked(name.len())
                    && matches!(behind, [] | [b'=' | b';', ..])
                    && start.eq_ignore_ascii_case(name)
                {
                    return rest.next();
                }
                rest.rest = parameter.get(text::find(parameter, b';').unwrap_or(parameter.len())..).unwrap_or_default();
            }
        })
    }

    /// The first parameter of this name, and the second, which of most should not be.
    pub(super) fn first_two(self, name: &str) -> [Option<Parameter<'a>>; 2] {
        let mut all = self.all(name).map(Text::read);
        [all.next(), all.next()]
    }

    /// The value of the first parameter of this name if it is a token.
    pub fn token(self, name: &str) -> Option<&'a str> {
        text::token(self.value(name)?)
    }

    /// The value of the first parameter of this name if it can be a tag.
    pub(crate) fn tag(self, name: &str) -> Option<TagParam<'a>> {
        TagParam::parse(self.value(name)?)
    }

    /// The value of the first parameter of this name if it is a quoted string.
    pub fn quoted(self, name: &str) -> Option<Quoted<'a>> {
        Quoted::parse(self.value(name)?)
    }

    /// The parameters in order.
    pub fn iter(self) -> impl Iterator<Item = Parameter<'a>> + Clone {
        Iter { rest: self.text }.map(Text::read)
    }

    /// The parameters in order, with names that were not made `str`.
    pub(super) fn texts(self) -> impl Iterator<Item = Text<'a>> {
        Iter { rest: self.text }
    }

    /// Lists the parameters with names that were not made `str`, and where each stands.
    pub(super) fn places(self) -> impl Iterator<Item = (Place, Text<'a>)> {
        self.texts().filter_map(move |parameter| {
            let start = text::offset_in(self.text, parameter.name);
            let (value, end) = match parameter.value {
                Some(value) => {
                    let at = text::offset_in(self.text, value);
                    (at, at + value.len())
                }
                None => (0, 0),
            };
            Some((Place::new(start, value, end)?, parameter))
        })
    }

    /// The one that stands there and has a name of so many octets.
    pub(super) fn at(self, place: Place, name: usize) -> Option<Text<'a>> {
        let Place { start, value, end } = place;
        let start = start.get() as usize;
        Some(Text {
            name: self.text.get(start..start + name)?,
            value: if value == 0 { None } else { self.text.get(value as usize..end as usize) },
        })
    }

    /// The text, with the leading `;`; empty if there are none.
    pub const fn as_bytes(self) -> &'a [u8] {
        self.text
    }

    /// Whether there are none.
    pub const fn is_empty(self) -> bool {
        self.text.is_empty()
    }
}

/// Says which characters the value of this parameter may have if it is not quoted: tags are carried as they are
/// ([`Leniency::OddTag`](super::Leniency::OddTag)).
fn value_set(name: &[u8]) -> &'static Set {
    let is_tag = ["tag", "to-tag", "from-tag"].iter().any(|tag| name.eq_ignore_ascii_case(tag.as_bytes()));
    if is_tag { &TAG } else { &PARAMETER_VALUE }
}

/// Whether these are parameters with neither white space nor quotes: as nearly all are.
fn is_plain(text: &[u8]) -> bool {
    let mut rest = text;
    while let [b';', parameter @ ..] = rest {
        let behind = skip(parameter, &TOKEN);
        if behind.len() == parameter.len() {
            return false;
        }
        rest = match behind {
            [b'=', value @ ..] => match skip(value, &PARAMETER_VALUE) {
                rest if rest.len() < value.len() => rest,
                _ => return false,
            },
            _ => behind,
        };
    }
    rest.is_empty()
}

/// The text without the octets of the set that it begins with.
fn skip<'a>(text: &'a [u8], set: &Set) -> &'a [u8] {
    let mut rest = text;
    while let [octet, tail @ ..] = rest
        && set.has(*octet)
    {
        rest = tail;
    }
    rest
}

impl fmt::Debug for Parameters<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}

impl fmt::Debug for Parameter<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.value {
            Some(value) => write!(f, "{}={}", self.name, value.escape_ascii()),
            None => f.write_str(self.name),
        }
    }
}

/// Where a parameter stands: where its name begins, behind the `;`, and where its value begins and ends.
#[derive(Clone, Copy)]
pub(super) struct Place {
    start: NonZeroU32,
    /// 0 if there is none.
    value: u32,
    end: u32,
}

impl Place {
    /// The place of these offsets; `value` is 0 if there is none.
    #[inline(always)]
    pub(super) fn new(start: usize, value: usize, end: usize) -> Option<Self> {
        let [start, value, end] = [u32::try_from(start).ok()?, u32::try_from(value).ok()?, u32::try_from(end).ok()?];
        Some(Self { start: NonZeroU32::new(start)?, value, end })
    }
}

/// A parameter whose name was not made a `str`: to find one, that of others need not be.
#[derive(Clone, Copy)]
pub(crate) struct Text<'a> {
    /// As written.
    pub(crate) name: &'a [u8],
    /// As of [`Parameter`].
    pub(crate) value: Option<&'a [u8]>,
}

impl<'a> Text<'a> {
    /// Where it ends in the text that it is part of.
    pub(crate) fn end_in(&self, bytes: &[u8]) -> usize {
        let last = self.value.unwrap_or(self.name);
        text::offset_in(bytes, last) + last.len()
    }

    fn read(self) -> Parameter<'a> {
        Parameter { name: text::ascii(self.name), value: self.value }
    }
}

/// Walks text that was checked.
#[derive(Clone)]
struct Iter<'a> {
    rest: &'a [u8],
}

impl<'a> Iterator for Iter<'a> {
    type Item = Text<'a>;

    fn next(&mut self) -> Option<Text<'a>> {
        let after = text::trim_start(self.rest).strip_prefix(b";")?;
        // As nearly all are written: no white space before the value, and no quotes.
        let stop = after.iter().position(|&octet| PARAMETER_NAME_END.has(octet));
        let (name, behind) = after.split_at_checked(stop.unwrap_or(after.len())).unwrap_or((after, &[]));
        match behind {
            [] | [b';', ..] => {
                self.rest = behind;
                return Some(Text { name, value: None });
            }
            [b'=', value @ ..] if !name.is_empty() && !matches!(value, [b'"' | b' ' | b'\t' | b'\r' | b'\n', ..]) => {
                let end = text::find(value, b';').unwrap_or(value.len());
                let (value, rest) = value.split_at_checked(end).unwrap_or((value, &[]));
                self.rest = rest;
                return Some(Text { name, value: Some(text::trim_end(value)) });
            }
            _ => {}
        }
        let mut cursor = Cursor::new(after);
        cursor.lws();
        let stop = cursor.rest().iter().position(|&octet| PARAMETER_NAME_END.has(octet));
        let name = cursor.take(stop.unwrap_or(cursor.rest().len()));
        cursor.lws();
        let value = cursor.eat(b'=').then(|| {
            cursor.lws();
            if cursor.peek() == Some(b'"') {
                cursor.quoted().unwrap_or_default()
            } else {
                text::trim_end(cursor.take_until(b';'))
            }
        });
        self.rest = cursor.rest();
        Some(Text { name, value })
    }
}

#[cfg(test)]
mod tests {
    use super::{Parameter, Parameters, ParseError};
    use alloc::vec::Vec;

    #[test]
    fn names_are_found_in_any_case_and_values_as_written() {
        let read = Parameters::parse(b";tag=98asjd8;Q = 0.33 ;\r\n  lonely; text=\"a;b\\\"=c\";received=[2001:db8::9]")
            .unwrap();
        assert_eq!(read.value("TAG"), Some(&b"98asjd8"[..]));
        assert_eq!(read.value("q"), Some(&b"0.33"[..]));
        assert_eq!(read.get("lonely"), Some(Parameter { name: "lonely", value: None }));
        assert_eq!(read.value("text"), Some(&br#""a;b\"=c""#[..]));
        assert_eq!(read.value("received"), Some(&b"[2001:db8::9]"[..]));
        assert!(!read.has("b"));
        assert_eq!(read.iter().count(), 5);
    }

    #[test]
    fn plain_ones_are_found_as_others_are() {
        fn parse(text: &str) -> Result<(bool, Parameters<'_>), ParseError> {
            Parameters::parse(text.as_bytes()).map(|read| (read.is_plain, read))
        }
        for text in [";a=1;b;A=2;ab=3", ";ab;a", ";a=[::1]:5;b=c", ";a"] {
            let spaced = text.replace(';', " ; ");
            let ((true, plain), (false, spaced)) = (parse(text).unwrap(), parse(&spaced).unwrap()) else {
                panic!("{text}")
            };
            for name in ["a", "b", "ab", "c", ""] {
                assert_eq!(plain.first_two(name), spaced.first_two(name), "{name} in {text}");
            }
        }
        for text in [";b=a;;c", ";a;a=", ";=1", "a", ";a=b=c", ";a;"] {
            assert!(parse(text).is_err() && parse(&text.replace(';', " ; ")).is_err(), "{text}");
        }
    }

    #[test]
    fn a_tag_is_carried_as_it_is() {
        for name in ["tag", "To-Tag", "from-tag"] {
            for tag in ["a/b+c==", "x@y", "[1]:2", "a?b&c"] {
                let text = alloc::format!(";x=1;{name}={tag} ;y");
                let read = Parameters::parse(text.as_bytes()).unwrap();
                assert_eq!(read.tag(name).map(super::TagParam::as_str), Some(tag));
                assert!(read.has("y") && read.iter().count() == 3);
            }
        }
        for bad in [";x=a/b", ";tag=a,b", ";tag=a<b", ";tag=a\"b", ";tag=", ";tag=\u{e9}", ";tag=a b"] {
            assert!(Parameters::parse(bad.as_bytes()).is_err(), "{bad}");
        }
    }

    #[test]
    fn malformed_ones_are_refused() {
        for bad in [";", ";;", ";a;", ";=b", ";a=", ";a=\"b", ";a=b c", "a=b", ";a=b,c", ";a=\"b\"c"] {
            assert!(Parameters::parse(bad.as_bytes()).is_err(), "{bad}");
        }
    }

    #[test]
    fn parameters_of_a_uri_have_no_white_space() {
        let read = Parameters::parse_uri(b";transport=tcp;lr;maddr=[2001:db8::1];p%61=%22").unwrap();
        let names: Vec<_> = read.iter().map(|parameter| parameter.name).collect();
        assert_eq!(names, ["transport", "lr", "maddr", "p%61"]);
        for bad in ["; lr", ";", ";a=", ";a=\"b\"", ";a=%zz", ";;lr"] {
            assert!(Parameters::parse_uri(bad.as_bytes()).is_err(), "{bad}");
        }
    }
}
