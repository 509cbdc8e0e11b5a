//! Telephone numbers as URIs: `tel:` (RFC 3966).

use super::error::{ParseError, ParseErrorKind};
use super::host::Host;
use super::parameters::{Parameter, Parameters};
use super::text::{self, ALPHANUM, Set, URI_PARAMETER, URIC};

/// The octets that stand between the digits of a number, for the eye only.
const SEPARATORS: &[u8] = b"-.()";

/// The parts of a `tel:` URI.
#[derive(Clone, Copy, Debug)]
pub struct Telephone<'a> {
    /// The number as written: with `+` if it is global, with visual separators.
    pub number: &'a str,
    /// The parameters; see [`context`](Self::context).
    pub parameters: Parameters<'a>,
}

impl<'a> Telephone<'a> {
    /// Reads `telephone-subscriber`. A local number should have its `phone-context` and often has none (emergency numbers):
    /// it is read all the same.
    pub(super) fn parse(text: &'a [u8]) -> Result<Self, ParseError> {
        let end = text::find(text, b';').unwrap_or(text.len());
        let (number, parameters) = text.split_at_checked(end).unwrap_or((text, &[]));
        if !is_number(number) {
            return Err(ParseError::new(ParseErrorKind::Uri, 0));
        }
        let mut rest = parameters;
        while let [b';', tail @ ..] = rest {
            let error = ParseError::new(ParseErrorKind::Parameter, text::offset_in(text, tail));
            let (one, next) =
                tail.split_at_checked(text::find(tail, b';').unwrap_or(tail.len())).unwrap_or((tail, &[]));
            if !is_parameter(one) {
                return Err(error);
            }
            rest = next;
        }
        Ok(Self { number: text::ascii(number), parameters: Parameters::checked(parameters) })
    }

    /// Whether the number is global: begins with `+`.
    pub fn is_global(self) -> bool {
        self.number.starts_with('+')
    }

    /// The `phone-context`: within what a local number counts, a domain name or the leading digits of global numbers.
    pub fn context(self) -> Option<&'a str> {
        self.parameters.value("phone-context").map(text::ascii)
    }

    /// The number without visual separators.
    pub fn digits(self) -> impl Iterator<Item = char> + Clone + 'a {
        bare(self.number.as_bytes()).map(char::from)
    }

    /// Whether both are the same number: case, visual separators and the order of parameters do not count, and each must have
    /// the parameters that the other has (RFC 3966 §4).
    pub fn equivalent(self, other: Telephone<'_>) -> bool {
        let lower = |digit: char| digit.to_ascii_lowercase();
        self.digits().map(lower).eq(other.digits().map(lower))
            && each_in(self.parameters, other.parameters)
            && each_in(other.parameters, self.parameters)
    }
}

/// Whether every parameter of `a` has its like in `b`. None should be there twice; if it is, a number is still its own equal.
fn each_in(a: Parameters<'_>, b: Parameters<'_>) -> bool {
    let same = |mine: Parameter<'_>, theirs: Parameter<'_>| match (mine.value, theirs.value) {
        (Some(a), Some(b)) if a.starts_with(b"+") || mine.name.eq_ignore_ascii_case("ext") => bare(a).eq(bare(b)),
        (Some(a), Some(b)) if mine.name.eq_ignore_ascii_case("phone-context") => match (Host::parse(a), Host::parse(b))
        {
            (Some(a), Some(b)) => a == b,
            _ => a.eq_ignore_ascii_case(b),
        },
        (Some(a), Some(b)) => a.eq_ignore_ascii_case(b),
        (a, b) => a == b,
    };
    a.iter().all(|mine| b.iter().any(|theirs| mine.name.eq_ignore_ascii_case(theirs.name) && same(mine, theirs)))
}

/// The text without visual separators.
fn bare(text: &[u8]) -> impl Iterator<Item = u8> + Clone {
    text.iter().copied().filter(|octet| !SEPARATORS.contains(octet))
}

/// `global-number-digits` or `local-number-digits`: at least one digit that is no visual separator.
fn is_number(text: &[u8]) -> bool {
    static LOCAL: Set = Set::of(b"0123456789abcdefABCDEF*#-.()");
    static GLOBAL: Set = Set::of(b"0123456789-.()");
    let (digits, set) = match text {
        [b'+', digits @ ..] => (digits, &GLOBAL),
        digits => (digits, &LOCAL),
    };
    set.covers(digits) && digits.iter().any(|octet| !SEPARATORS.contains(octet))
}

fn is_parameter(text: &[u8]) -> bool {
    static NAME: Set = ALPHANUM.and(b"-");
    static DIGITS: Set = Set::of(b"0123456789-.()");
    let (name, value) = match text::split_once(text, b'=') {
        Some((name, value)) => (name, Some(value)),
        None => (text, None),
    };
    if name.is_empty() || !NAME.covers(name) || value.is_some_and(<[u8]>::is_empty) {
        return false;
    }
    let Some(value) = value else {
        return ![&b"phone-context"[..], b"ext", b"isub"].iter().any(|known| name.eq_ignore_ascii_case(known));
    };
    match name {
        name if name.eq_ignore_ascii_case(b"phone-context") => {
            (value.starts_with(b"+") && is_number(value)) || matches!(Host::parse(value), Some(Host::Name(_)))
        }
        name if name.eq_ignore_ascii_case(b"ext") => DIGITS.covers(value),
        name if name.eq_ignore_ascii_case(b"isub") => URIC.covers_escaped(value),
        _ => URI_PARAMETER.covers_escaped(value),
    }
}

#[cfg(test)]
mod tests {
    use super::Telephone;
    use crate::message::Uri;
    use alloc::string::String;

    fn tel(text: &str) -> Telephone<'_> {
        let uri = Uri::parse(text.as_bytes()).unwrap_or_else(|error| panic!("{text}: {error}"));
        assert_eq!(uri.as_bytes(), text.as_bytes());
        Telephone::of(uri).unwrap()
    }

    #[test]
    fn the_examples_of_the_rfc() {
        // RFC 3966 §6.
        let global = tel("tel:+1-201-555-0123");
        assert!(global.is_global());
        assert_eq!((global.number, global.digits().collect::<String>()), ("+1-201-555-0123", "+12015550123".into()));
        assert_eq!(tel("tel:7042;phone-context=example.com").context(), Some("example.com"));
        assert_eq!(tel("tel:863-1234;phone-context=+1-914-555").context(), Some("+1-914-555"));
    }

    #[test]
    fn unusual_numbers_are_numbers() {
        for text in [
            "TEL:+358-555-1234567;postd=pp22",
            "tel:*#06#;phone-context=example.com",
            "tel:(0)69.1234-5;phone-context=+49",
            "tel:911",
            "tel:+1;isub=a@b:c?d;ext=12-3;x;y-1=%20[]/:&+$",
            "tel:ABC;phone-context=a1.example",
        ] {
            tel(text);
        }
    }

    #[test]
    fn malformed_ones_are_refused() {
        for bad in [
            "tel:",
            "tel:+",
            "tel:-",
            "tel:+1a",
            "tel:12g",
            "tel:+1 2",
            "tel:1+2",
            "tel:%31",
            "tel:+1;",
            "tel:+1;;a",
            "tel:+1;=a",
            "tel:+1;a=",
            "tel:+1;a_b=c",
            "tel:+1;ext=a",
            "tel:+1;ext",
            "tel:1;phone-context=",
            "tel:1;phone-context=+a",
            "tel:1;phone-context=1.2.3.4",
            "tel:+1;a=\"b\"",
            "tel:+1?x=y",
        ] {
            assert!(Uri::parse(bad.as_bytes()).is_err(), "{bad}");
        }
    }

    #[test]
    fn the_same_number_may_be_written_in_many_ways() {
        let same = |a, b| {
            let forth = tel(a).equivalent(tel(b));
            assert_eq!(forth, tel(b).equivalent(tel(a)), "{a} {b}");
            assert_eq!(forth, Uri::parse(str::as_bytes(a)).unwrap().equivalent(Uri::parse(str::as_bytes(b)).unwrap()));
            forth
        };
        assert!(same("tel:+1-201-555-0123", "TEL:+1(201)5550123"));
        // RFC 3261 §19.1.6.
        assert!(same("tel:+358-555-1234567;postd=pp22", "tel:+358-555-1234567;POSTD=PP22"));
        assert!(same("tel:+358-555-1234567;postd=pp22;isub=1411", "tel:+358-555-1234567;isub=1411;postd=pp22"));
        assert!(same("tel:1;phone-context=+1-914", "tel:1;phone-context=+1914"));
        assert!(same("tel:+1;ext=1-2", "tel:+1;ext=12"));
        assert!(!same("tel:+12015550123", "tel:12015550123"));
        assert!(!same("tel:+1201", "tel:+12015"));
        assert!(!same("tel:+1201", "tel:+1202"));
        assert!(!same("tel:+1;x", "tel:+1"));
        assert!(!same("tel:+1;x=1", "tel:+1;x=2"));
        assert!(!same("tel:1;phone-context=a.com", "tel:1;phone-context=b.com"));
    }
}
