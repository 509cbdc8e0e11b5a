//! URIs (RFC 3261 §19).

use super::bytes::SharedBytes;
use super::error::{ParseError, ParseErrorKind};
use super::host::{Host, HostPort, HostPortText, HostText};
use super::parameters::{Parameter, Parameters};
use super::tel::Telephone;
use super::text;
use super::usual::{self, UriPlaces};
use core::fmt;
use core::str::FromStr;

/// The scheme of a URI; compared without case.
#[derive(Clone, Copy, Debug)]
pub enum Scheme<'a> {
    /// `sip`.
    Sip,
    /// `sips`.
    Sips,
    /// `tel` (RFC 3966).
    Tel,
    /// Any other, as written.
    Other(&'a str),
}

impl<'a> Scheme<'a> {
    /// The scheme that a URI begins with, whatever follows.
    pub(crate) fn of(uri: &'a [u8]) -> Option<Self> {
        Self::parse(text::split_once(uri, b':')?.0)
    }

    fn parse(text: &'a [u8]) -> Option<Self> {
        if !text.first().is_some_and(u8::is_ascii_alphabetic) || !text::SCHEME.covers(text) {
            return None;
        }
        Some(match text {
            sip if sip.eq_ignore_ascii_case(b"sip") => Self::Sip,
            sips if sips.eq_ignore_ascii_case(b"sips") => Self::Sips,
            tel if tel.eq_ignore_ascii_case(b"tel") => Self::Tel,
            other => Self::Other(text::ascii(other)),
        })
    }
}

impl PartialEq for Scheme<'_> {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Sip, Self::Sip) | (Self::Sips, Self::Sips) | (Self::Tel, Self::Tel) => true,
            (Self::Other(a), Self::Other(b)) => a.eq_ignore_ascii_case(b),
            _ => false,
        }
    }
}

impl Eq for Scheme<'_> {}

/// The characters that the user part of a SIP URI may have.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum UserPart {
    /// The characters that RFC 3261 §25.1 allows.
    #[default]
    Strict,
    /// A `#` too, as telephones write feature codes (`*123#`) that should have `%23`: a choice of telephones and servers
    /// ([`Leniency::NumberSign`](super::Leniency::NumberSign)).
    NumberSign,
}

/// A URI. There is no `==`: the equality of RFC 3261 §19.1.4 is not transitive; see [`equivalent`](Self::equivalent).
/// `Debug` does not show the password.
#[derive(Clone, Copy)]
pub struct Uri<'a> {
    text: &'a [u8],
    scheme: Scheme<'a>,
    user: Option<&'a [u8]>,
    password: Option<&'a [u8]>,
    host: Option<HostPortText<'a>>,
    parameters: Parameters<'a>,
    headers: Option<&'a [u8]>,
}

impl<'a> Uri<'a> {
    /// Reads a whole URI, without angle brackets. A `tel` is checked too (RFC 3966); of other
    /// schemes only the characters are.
    ///
    /// # Errors
    /// The URI is malformed.
    pub fn parse(text: &'a [u8]) -> Result<Self, ParseError> {
        Self::parse_with(text, UserPart::Strict)
    }

    /// Reads what [`parse`](Self::parse) reads, with such a user part.
    ///
    /// # Errors
    /// The URI is malformed.
    pub fn parse_with(text: &'a [u8], user_part: UserPart) -> Result<Self, ParseError> {
        if let Some(usual) = usual::uri(text, 0).filter(|places| places.end == text.len()) {
            return Self::usual(text, 0, &usual).ok_or(ParseError::new(ParseErrorKind::Uri, 0));
        }
        Self::parse_any(text, user_part)
    }

    /// Reads a URI however it is written.
    pub(super) fn parse_any(text: &'a [u8], user_part: UserPart) -> Result<Self, ParseError> {
        if let [b's', b'i', b'p', b':', rest @ ..] = text {
            return Self::parse_sip(text, Scheme::Sip, rest, user_part);
        }
        let bad = ParseError::new(ParseErrorKind::Uri, 0);
        let (scheme, rest) = text::split_once(text, b':').ok_or(bad)?;
        let scheme = Scheme::parse(scheme).ok_or(bad)?;
        if matches!(scheme, Scheme::Sip | Scheme::Sips) {
            return Self::parse_sip(text, scheme, rest, user_part);
        }
        if scheme == Scheme::Tel {
            let before = text::offset_in(text, rest);
            return Telephone::parse(rest).map(|_| Self::opaque(text, scheme)).map_err(|error| error.moved(before));
        }
        if rest.is_empty() || !text::URIC.covers_escaped(rest) {
            return Err(ParseError::new(ParseErrorKind::Uri, text::offset_in(text, rest)));
        }
        Ok(Self::opaque(text, scheme))
    }

    /// No URI at all: what stands where text that was read once cannot be read again, which is never.
    pub(crate) const EMPTY: Self = Self::opaque(&[], Scheme::Other(""));

    const fn opaque(text: &'a [u8], scheme: Scheme<'a>) -> Self {
        let parameters = Parameters::NONE;
        Self { text, scheme, user: None, password: None, host: None, parameters, headers: None }
    }

    /// Takes a `sip` URI whose parts were found in a text in which it begins at `from`. The parts are there, so that this is never `None`.
    pub(super) fn usual(whole: &'a [u8], from: usize, places: &UriPlaces) -> Option<Self> {
        let user = from + b"sip:".len();
        let host = HostText::usual(whole.get(places.host..places.host_end)?, places.ip);
        Some(Self {
            text: whole.get(from..places.end)?,
            scheme: Scheme::Sip,
            user: if places.host > user { Some(whole.get(user..places.host - 1)?) } else { None },
            password: None,
            host: Some(HostPortText::new(host, places.port)),
            parameters: Parameters::plain(whole.get(places.parameters..places.end)?),
            headers: None,
        })
    }

    fn parse_sip(text: &'a [u8], scheme: Scheme<'a>, rest: &'a [u8], user_part: UserPart) -> Result<Self, ParseError> {
        let at = |kind, part| ParseError::new(kind, text::offset_in(text, part));
        let (user_info, rest) = match text::split_once(rest, b'@') {
            Some((user_info, rest)) => (Some(user_info), rest),
            None => (None, rest),
        };
        let (user, password) = match user_info {
            Some(user_info) => {
                let set = match user_part {
                    UserPart::Strict => &text::USER,
                    UserPart::NumberSign => &text::USER_NUMBER_SIGN,
                };
                let end = set.escaped_len(user_info);
                let (user, password) = match user_info.split_at_checked(end) {
                    Some((user, [])) => (user, None),
                    Some((user, [b':', password @ ..])) => (user, Some(password)),
                    _ => return Err(at(ParseErrorKind::Uri, user_info)),
                };
                if user.is_empty() || !password.is_none_or(|password| text::PASSWORD.covers_escaped(password)) {
                    return Err(at(ParseErrorKind::Uri, user_info));
                }
                (Some(user), password)
            }
            None => (None, None),
        };
        let (host, behind) =
            rest.split_at_checked(text::find_either(rest, b';', b'?').unwrap_or(rest.len())).unwrap_or((rest, &[]));
        let host = HostPortText::parse(host).map_err(|error| at(error.kind(), host))?;
        let (parameters, headers) = match text::split_once(behind, b'?') {
            Some((parameters, headers)) => (parameters, Some(headers)),
            None => (behind, None),
        };
        let parameters = Parameters::parse_uri(parameters).map_err(|error| at(error.kind(), parameters))?;
        if let Some(headers) = headers
            && !good_headers(headers)
        {
            return Err(at(ParseErrorKind::Uri, headers));
        }
        Ok(Self { text, scheme, user, password, host: Some(host), parameters, headers })
    }

    /// The URI as written.
    pub const fn as_bytes(self) -> &'a [u8] {
        self.text
    }

    /// The scheme.
    pub const fn scheme(self) -> Scheme<'a> {
        self.scheme
    }

    /// Whether the scheme is `sip` or `sips`.
    pub const fn is_sip(self) -> bool {
        matches!(self.scheme, Scheme::Sip | Scheme::Sips)
    }

    /// The user part, escapes kept. `None` unless sip or sips.
    pub fn user(self) -> Option<&'a str> {
        self.user.map(text::ascii)
    }

    /// The password, escapes kept.
    pub fn password(self) -> Option<&'a str> {
        self.password.map(text::ascii)
    }

    /// The host. `None` unless sip or sips.
    pub fn host(self) -> Option<Host<'a>> {
        Some(self.host?.read().host)
    }

    /// The port, if one is written.
    pub fn port(self) -> Option<u16> {
        self.host?.port()
    }

    /// Host and port. `None` unless sip or sips.
    pub fn host_port(self) -> Option<HostPort<'a>> {
        self.host.map(HostPortText::read)
    }

    /// The parameters; of a URI that is neither sip nor sips none.
    pub const fn parameters(self) -> Parameters<'a> {
        self.parameters
    }

    /// The first parameter of this name.
    pub fn parameter(self, name: &str) -> Option<Parameter<'a>> {
        self.parameters.get(name)
    }

    /// The headers: what follows the `?`.
    pub const fn headers(self) -> Option<&'a [u8]> {
        self.headers
    }

    /// Whether there is an `lr` parameter (RFC 3261 §19.1.1).
    pub fn is_loose_router(self) -> bool {
        self.parameters.has("lr")
    }

    /// An owned copy, as written.
    pub fn to_buf(self) -> UriBuf {
        UriBuf(self.text.into())
    }
}

impl<'a> Telephone<'a> {
    /// The parts of this URI. `None` if it is no `tel:`.
    pub fn of(uri: Uri<'a>) -> Option<Self> {
        if uri.scheme() != Scheme::Tel {
            return None;
        }
        Self::parse(text::split_once(uri.as_bytes(), b':')?.1).ok()
    }
}

/// `headers` after the `?`: each a name, `=` and perhaps a value.
fn good_headers(text: &[u8]) -> bool {
    text.split(|&octet| octet == b'&').all(|header| {
        text::split_once(header, b'=').is_some_and(|(name, value)| {
            !name.is_empty() && text::URI_HEADER.covers_escaped(name) && text::URI_HEADER.covers_escaped(value)
        })
    })
}

impl AsRef<[u8]> for Uri<'_> {
    fn as_ref(&self) -> &[u8] {
        self.text
    }
}

impl fmt::Display for Uri<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(text::ascii(self.text))
    }
}

impl fmt::Debug for Uri<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let secret = self.password.filter(|password| !password.is_empty());
        let split = secret.and_then(|password| {
            let at = text::offset_in(self.text, password);
            Some((self.text.get(..at)?, self.text.get(at + password.len()..)?))
        });
        match split {
            Some((before, after)) => write!(f, "\"{}…{}\"", before.escape_ascii(), after.escape_ascii()),
            None => write!(f, "\"{}\"", self.text.escape_ascii()),
        }
    }
}

/// An owned URI, as it was written. A clone is a pointer.
#[derive(Clone)]
pub struct UriBuf(SharedBytes);

impl UriBuf {
    /// Reads a whole URI, without angle brackets.
    ///
    /// # Errors
    /// The URI is malformed.
    pub fn parse(text: &[u8]) -> Result<Self, ParseError> {
        Uri::parse(text).map(Uri::to_buf)
    }

    /// Reads what [`parse`](Self::parse) reads, with such a user part.
    ///
    /// # Errors
    /// The URI is malformed.
    pub fn parse_with(text: &[u8], user_part: UserPart) -> Result<Self, ParseError> {
        Uri::parse_with(text, user_part).map(Uri::to_buf)
    }

    /// The URI, borrowed.
    pub fn as_uri(&self) -> Uri<'_> {
        // The text was read before; the other arm is never taken.
        Uri::parse_with(&self.0, UserPart::NumberSign).unwrap_or(Uri::EMPTY)
    }

    /// Whether the scheme is `sip` or `sips`. The rest is not read.
    pub fn is_sip(&self) -> bool {
        matches!(Scheme::of(&self.0), Some(Scheme::Sip | Scheme::Sips))
    }

    /// Whether the scheme is `sips`. The rest is not read.
    pub fn is_sips(&self) -> bool {
        Scheme::of(&self.0) == Some(Scheme::Sips)
    }

    /// The URI as written.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

impl AsRef<[u8]> for UriBuf {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

impl FromStr for UriBuf {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        Self::parse(text.as_bytes())
    }
}

impl fmt::Display for UriBuf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(text::ascii(&self.0))
    }
}

impl fmt::Debug for UriBuf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.as_uri(), f)
    }
}

#[cfg(test)]
mod tests {
    use super::{Scheme, Uri, UriBuf, UserPart};
    use alloc::string::ToString;

    fn uri(text: &str) -> Uri<'_> {
        Uri::parse(text.as_bytes()).unwrap_or_else(|error| panic!("{text}: {error}"))
    }

    #[test]
    fn every_part_is_found() {
        let all = uri("sips:alice:secretword@[2001:db8::9]:5061;transport=tcp;lr?subject=project%20x&priority=urgent");
        assert_eq!(all.scheme(), Scheme::Sips);
        assert_eq!((all.user(), all.password()), (Some("alice"), Some("secretword")));
        assert_eq!(all.host_port().unwrap().to_string(), "[2001:db8::9]:5061");
        assert_eq!(all.parameters().value("transport"), Some(&b"tcp"[..]));
        assert!(all.is_loose_router());
        assert_eq!(all.headers(), Some(&b"subject=project%20x&priority=urgent"[..]));
    }

    #[test]
    fn the_user_may_have_what_elsewhere_separates() {
        // RFC 4475 §3.1.1.9 and §3.1.1.2.
        let semicolon = uri("sip:user;par=u%40example.net@example.com");
        assert_eq!(semicolon.user(), Some("user;par=u%40example.net"));
        assert!(semicolon.parameters().is_empty());
        let odd = uri(
            "sip:1_unusual.URI~(to-be!sure)&isn't+it$/crazy?,/;;*:&it+has=1,weird!*pas$wo~d_too.(doesn't-it)@example.com",
        );
        assert_eq!(odd.user(), Some("1_unusual.URI~(to-be!sure)&isn't+it$/crazy?,/;;*"));
        assert_eq!(odd.password(), Some("&it+has=1,weird!*pas$wo~d_too.(doesn't-it)"));
    }

    #[test]
    fn other_schemes_are_kept_as_they_are() {
        assert_eq!(uri("tel:+1-201-555-0123;phone-context=example.com").scheme(), Scheme::Tel);
        assert_eq!(uri("soap.beep://192.0.2.103:3002").scheme(), Scheme::Other("SOAP.BEEP"));
        assert!(uri("http://www.example.com").host().is_none());
    }

    #[test]
    fn malformed_ones_are_refused() {
        for bad in [
            "",
            "sip",
            "sip:",
            ":a",
            "1sip:a",
            "sip:@a.com",
            "sip:a@",
            "sip:a b@c.com",
            "<sip:a@b.com>",
            "sip:a@b.com; lr",
            "sip:a%4@b.com",
            "sip:a%zz@b.com",
            "sip:a@b@c.com",
            "sip:2001:db8::10",
            "sip:a@b.com:",
            "sip:a@b.com?",
            "sip:a@b.com?x",
            "sip:a@b.com?=y",
            "sip:a\"b@c.com",
            "sip:a@b.com;x=\"y\"",
            "tel:",
            "tel:+1 2",
            "sip:b.com\r\nVia: x",
            "sip:ä@b.com",
        ] {
            assert!(Uri::parse(bad.as_bytes()).is_err(), "{bad}");
        }
    }

    #[test]
    fn the_user_may_be_a_telephone_number() {
        // RFC 3261 §19.1.3, §19.1.6.
        let read = uri("sip:+1-212-555-1212:1234@gateway.com;user=phone");
        assert_eq!((read.user(), read.password()), (Some("+1-212-555-1212"), Some("1234")));
        assert_eq!(read.parameters().value("user"), Some(&b"phone"[..]));
        assert_eq!(
            uri("sip:+358-555-1234567;postd=pp22@foo.com;user=phone").user(),
            Some("+358-555-1234567;postd=pp22")
        );
        // An octet that a SIP URI's user must not have is escaped, though telephone-subscriber has it (RFC 3261 §25.1).
        assert!(Uri::parse(b"sip:*#06#@a.com;user=phone").is_err());
        assert_eq!(uri("sip:*%2306%23@a.com;user=phone").user(), Some("*%2306%23"));
        let chosen = Uri::parse_with(b"sip:*#06#@a.com;user=phone", UserPart::NumberSign).unwrap();
        assert_eq!(chosen.user(), Some("*#06#"));
        assert!(chosen.equivalent(uri("sip:*%2306%23@a.com;user=phone")));
        assert_eq!(chosen.address_of_record(), uri("sip:*%2306%23@a.com").address_of_record());
        assert_eq!(chosen.to_buf().as_uri().user(), Some("*#06#"));
        for bad in ["sip:a:#@b.com", "sip:#", "sip:a@b#c.com", "sip:a@b.com;x=#", "sip:a@b.com?x=#", "tel:#;x=#"] {
            assert!(Uri::parse_with(bad.as_bytes(), UserPart::NumberSign).is_err(), "{bad}");
        }
    }

    #[test]
    fn the_examples_of_the_rfc_are_read() {
        // RFC 3261 §19.1.3.
        for text in [
            "sip:alice@atlanta.com",
            "sip:alice:secretword@atlanta.com;transport=tcp",
            "sips:alice@atlanta.com?subject=project%20x&priority=urgent",
            "sip:+1-212-555-1212:1234@gateway.com;user=phone",
            "sips:1212@gateway.com",
            "sip:alice@192.0.2.4",
            "sip:atlanta.com;method=REGISTER?to=alice%40atlanta.com",
            "sip:alice;day=tuesday@atlanta.com",
        ] {
            assert_eq!(uri(text).to_string(), text);
        }
    }

    #[test]
    fn unknown_but_legal_parts_are_kept() {
        let read = uri("sip:a:@b.com;x-1=[]/:&+$-_.!~*'();y?a=&b=[]/?:+$%41");
        assert_eq!((read.password(), read.parameters().iter().count()), (Some(""), 2));
        assert_eq!(read.headers(), Some(&b"a=&b=[]/?:+$%41"[..]));
        for bad in
            ["sip:a@b.com;x=a=b", "sip:a@b.com;x=@", "sip:a@b.com?a=b&", "sip:a@b.com?a=b=c", "sip:a@[fe80::1%25eth0]"]
        {
            assert!(Uri::parse(bad.as_bytes()).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_password_is_no_text_for_a_log() {
        assert_eq!(alloc::format!("{:?}", uri("sip:alice:secretword@a.com;x=y")), "\"sip:alice:…@a.com;x=y\"");
        assert_eq!(alloc::format!("{:?}", UriBuf::parse(b"sip:a:b@c").unwrap()), "\"sip:a:…@c\"");
    }

    #[test]
    fn an_owned_uri_is_as_it_was_written() {
        let text = "SIP:%61lice@AtLanTa.CoM;Transport=tcp";
        let owned: UriBuf = text.parse().unwrap();
        assert_eq!(owned.to_string(), text);
        assert_eq!(owned.as_uri().user(), Some("%61lice"));
    }
}
