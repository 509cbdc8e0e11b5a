//! `name-addr` and `addr-spec`, and the headers that are just one (RFC 3261 §20.10, §20.20, §20.30, §20.34, §20.39).

use super::write_unfolded;
use crate::message::bytes::SharedBytes;
use crate::message::error::{ParseError, ParseErrorKind};
use crate::message::marks::{AddressMark, Mark};
use crate::message::parameters::{Parameter, Parameters};
use crate::message::tag_param::TagParam;
use crate::message::text::{self, Cursor, TOKEN};
use crate::message::unfolded;
use crate::message::uri::Uri;
use crate::message::uri::UserPart;
use crate::message::usual::{self, AddressPlaces};
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;
use core::str::FromStr;

/// A `name-addr` or `addr-spec` with parameters.
#[derive(Clone, Copy, Debug)]
pub struct NameAddr<'a> {
    /// The display name as written, quotes included.
    pub display_name: Option<&'a [u8]>,
    /// The URI.
    pub uri: Uri<'a>,
    /// The parameters of the header, not of the URI.
    pub parameters: Parameters<'a>,
}

impl<'a> NameAddr<'a> {
    /// Reads one value. Without angle brackets, `;` begins the header's parameters and `?` and `,` may not stand in the URI
    /// (RFC 3261 §20.10).
    ///
    /// # Errors
    /// The value is malformed.
    pub fn parse(value: &'a [u8]) -> Result<Self, ParseError> {
        Self::parse_with(value, UserPart::Strict)
    }

    /// Reads what [`parse`](Self::parse) reads, with such a user part of the URI.
    ///
    /// # Errors
    /// The value is malformed.
    pub fn parse_with(value: &'a [u8], user_part: UserPart) -> Result<Self, ParseError> {
        match Self::parse_usual(value) {
            Some(usual) => Ok(usual),
            None => Self::parse_any(value, user_part),
        }
    }

    /// Reads one value as nearly all are written, in brackets.
    #[inline]
    pub(in crate::message) fn parse_usual(value: &'a [u8]) -> Option<Self> {
        usual::address(value).and_then(|places| Self::usual(value, &places))
    }

    /// Reads one value however it is written.
    pub(in crate::message) fn parse_any(value: &'a [u8], user_part: UserPart) -> Result<Self, ParseError> {
        let mut cursor = Cursor::new(value);
        cursor.lws();
        let display_name = display_name(&mut cursor)?;
        let is_bracketed = cursor.eat(b'<');
        let before = cursor.offset();
        let uri = if is_bracketed {
            let uri = cursor.take_until(b'>');
            if !cursor.eat(b'>') {
                return Err(cursor.error(ParseErrorKind::Brackets));
            }
            uri
        } else {
            let uri = text::trim_end(cursor.take_until(b';'));
            if let Some(at) = uri.iter().position(|octet| matches!(octet, b'?' | b',')) {
                return Err(ParseError::new(ParseErrorKind::Brackets, before + at));
            }
            uri
        };
        let uri = Uri::parse_with(uri, user_part).map_err(|error| error.moved(before))?;
        Ok(Self { display_name, uri, parameters: parameters(&mut cursor, is_bracketed)? })
    }

    /// Takes a value whose parts were found. The parts are there, so that this is never `None`.
    fn usual(value: &'a [u8], places: &AddressPlaces) -> Option<Self> {
        let name = text::trim_end(value.get(..places.bracket)?);
        Some(Self {
            display_name: (!name.is_empty()).then_some(name),
            uri: Uri::usual(value, places.bracket + 1, &places.uri)?,
            parameters: Parameters::plain(value.get(places.uri.end + 1..)?),
        })
    }

    /// Reads one value whose URI must stand in angle brackets.
    pub(super) fn parse_bracketed(value: &'a [u8], user_part: UserPart) -> Result<Self, ParseError> {
        let mut cursor = Cursor::new(value);
        cursor.lws();
        display_name(&mut cursor)?;
        if cursor.peek() == Some(b'<') {
            Self::parse_with(value, user_part)
        } else {
            Err(cursor.error(ParseErrorKind::Brackets))
        }
    }

    /// The `tag` as written; `None` if absent, empty or quoted. Two are compared as [`TagParam`]s.
    pub fn tag(self) -> Option<&'a str> {
        self.parameters.tag("tag").map(TagParam::as_str)
    }

    /// Writes the value, the URI in angle brackets, each fold as a space (RFC 3261 §25.1).
    pub fn write(&self, out: &mut Vec<u8>) {
        if let Some(name) = self.display_name {
            write_unfolded(out, name);
            out.push(b' ');
        }
        out.push(b'<');
        out.extend_from_slice(self.uri.as_bytes());
        out.push(b'>');
        write_unfolded(out, self.parameters.as_bytes());
    }

    /// An owned copy, each fold replaced by a space (RFC 3261 §25.1).
    pub fn to_buf(self) -> NameAddrBuf {
        let mut out = Vec::new();
        NameAddr { parameters: Parameters::NONE, ..self }.write(&mut out);
        let address = out.len();
        write_unfolded(&mut out, self.parameters.as_bytes());
        NameAddrBuf { bytes: out.into(), address }
    }
}

/// A value that [`NameAddr::parse`] accepts, cut behind its URI and read no further: much less than to read all of it once more
/// for the tag.
#[derive(Clone, Copy)]
pub(crate) struct NameAddrText<'a> {
    value: &'a [u8],
    /// The display name and the URI, in brackets if it has them.
    address: &'a [u8],
    parameters: Parameters<'a>,
    /// The tag, if where it stands is known; empty if there is none.
    tag: Option<&'a [u8]>,
}

impl<'a> NameAddrText<'a> {
    /// Takes a value in whose place the reader of the message left marks.
    pub(crate) fn marked(bytes: &'a [u8], mark: AddressMark) -> Self {
        let Mark { start, end } = mark.value;
        let address = Mark { start, end: mark.parameters };
        let parameters = Mark { start: mark.parameters, end };
        Self {
            value: mark.value.of(bytes),
            address: address.of(bytes),
            parameters: Parameters::plain(parameters.of(bytes)),
            tag: Some(mark.tag.of(bytes)),
        }
    }

    /// Cuts a value that was read before, without white space around it.
    pub(crate) fn of(value: &'a [u8]) -> Self {
        // Outside of quotes a display name has neither of the two.
        let name = if value.first() == Some(&b'"') { text::quoted_len(value).unwrap_or_default() } else { 0 };
        let rest = value.get(name..).unwrap_or_default();
        let end = match text::find_either(rest, b'<', b';') {
            Some(at) if rest.get(at) == Some(&b'<') => text::find(rest, b'>').map(|bracket| bracket + 1),
            end => end,
        };
        let (address, parameters) = value.split_at_checked(name + end.unwrap_or(rest.len())).unwrap_or((value, &[]));
        Self { value, address, parameters: Parameters::checked(text::trim_start(parameters)), tag: None }
    }

    /// The `tag`; `None` if absent, empty or quoted.
    pub(crate) fn tag(self) -> Option<TagParam<'a>> {
        match self.tag {
            Some(tag) => (!tag.is_empty()).then_some(TagParam::checked(tag)),
            None => self.parameters.tag("tag"),
        }
    }

    /// Cuts a value of From or To in which the tag, or that there is none, can be read without doubt
    /// ([`Leniency::MalformedAddress`](crate::message::Leniency::MalformedAddress)): the display name ends, the URI, whatever
    /// is wrong with it, has neither white space nor what could begin or end something else, and the parameters are well-formed.
    ///
    /// # Errors
    /// Where the tag stands is doubtful.
    pub(crate) fn parse(value: &'a [u8]) -> Result<Self, ParseError> {
        let mut cursor = Cursor::new(value);
        display_name(&mut cursor)?;
        let is_bracketed = cursor.eat(b'<');
        let before = cursor.offset();
        let uri = if is_bracketed {
            let uri = cursor.take_until(b'>');
            if !cursor.eat(b'>') {
                return Err(cursor.error(ParseErrorKind::Brackets));
            }
            uri
        } else {
            text::trim_end(cursor.take_until(b';'))
        };
        let is_clear = |octet: &u8| match octet {
            b'"' | b'<' | b'>' => false,
            b',' | b'?' => is_bracketed,
            octet => octet.is_ascii_graphic() || !octet.is_ascii(),
        };
        let doubtful = uri.iter().position(|octet| !is_clear(octet)).or(uri.is_empty().then_some(0));
        if let Some(at) = doubtful {
            return Err(ParseError::new(ParseErrorKind::Uri, before + at));
        }
        let address = value.get(..cursor.offset()).unwrap_or_default();
        let parameters = parameters(&mut cursor, is_bracketed)?;
        Ok(Self { value, address, parameters, tag: None })
    }

    /// Both of the parameters that are called `tag`, of which there should be one.
    pub(crate) fn tags(self) -> [Option<Parameter<'a>>; 2] {
        self.parameters.first_two("tag")
    }

    /// The display name and the URI, as they were cut.
    #[cfg(test)]
    pub(crate) fn address(&self) -> &'a [u8] {
        self.address
    }

    /// Whether the value is well-formed and can be written again: see [`unfolded`].
    pub(crate) fn is_rewritable(&self, user_part: UserPart) -> bool {
        let is_read = || usual::address(self.value).is_some() || NameAddr::parse_with(self.value, user_part).is_ok();
        unfolded(self.value).is_ok() && is_read()
    }

    /// An owned copy, as [`NameAddr::to_buf`] makes it but for white space before the bracket.
    pub(crate) fn to_buf(self) -> NameAddrBuf {
        match self.is_neat() {
            true => NameAddrBuf { bytes: self.value.into(), address: self.address.len() },
            false => self.read().to_buf(),
        }
    }

    /// An owned copy with this `tag` in place of any other; it should be a token.
    pub(crate) fn with_tag(self, tag: &str) -> NameAddrBuf {
        if self.is_neat() { self.retagged(tag) } else { self.read().to_buf().with_tag(tag) }
    }

    fn retagged(self, tag: &str) -> NameAddrBuf {
        let mut others = Vec::new();
        for parameter in self.parameters.iter().filter(|parameter| !parameter.name.eq_ignore_ascii_case("tag")) {
            others.push(b';');
            others.extend_from_slice(parameter.name.as_bytes());
            if let Some(value) = parameter.value {
                others.push(b'=');
                others.extend_from_slice(value);
            }
        }
        let bytes = SharedBytes::of_parts(&[self.address, &others, b";tag=", tag.as_bytes()]);
        NameAddrBuf { bytes, address: self.address.len() }
    }

    /// Whether it can be written as it is: in brackets, without folds.
    fn is_neat(self) -> bool {
        self.address.last() == Some(&b'>') && text::find_either(self.value, b'\r', b'\n').is_none()
    }

    fn read(self) -> NameAddr<'a> {
        // The text was read before; the other arm is never taken.
        NameAddr::parse_with(self.value, UserPart::NumberSign).unwrap_or(NameAddr {
            display_name: None,
            uri: Uri::EMPTY,
            parameters: Parameters::NONE,
        })
    }
}

/// Reads the parameters behind an address up to the end of the value. Without brackets a tag has no `@`: that may be one of the
/// URI's, whose user part may have a `;` (RFC 3261 §20.10).
fn parameters<'a>(cursor: &mut Cursor<'a>, is_bracketed: bool) -> Result<Parameters<'a>, ParseError> {
    let before = cursor.offset();
    let parameters = super::parameters(cursor)?;
    let at = |tag: &'a [u8]| text::find(tag, b'@');
    match parameters.value("tag").filter(|_| !is_bracketed).and_then(at) {
        Some(_) => Err(ParseError::new(ParseErrorKind::Parameter, before)),
        None => Ok(parameters),
    }
}

/// Takes the display name before a `<`, if there is one: a quoted string or tokens.
fn display_name<'a>(cursor: &mut Cursor<'a>) -> Result<Option<&'a [u8]>, ParseError> {
    let name = if cursor.peek() == Some(b'<') {
        return Ok(None);
    } else if cursor.peek() == Some(b'"') {
        cursor.quoted()?
    } else {
        // No token has a colon and each URI has one: whichever comes first tells the form.
        let rest = cursor.rest();
        let bracket = match text::find_either(rest, b'<', b':') {
            Some(at) if rest.get(at) == Some(&b'<') => at,
            _ => return Ok(None),
        };
        // Octets above ASCII belong in quotes, but many leave them out.
        let odd = |octet: &u8| !(TOKEN.has(*octet) || text::is_lws(*octet) || *octet >= 0x80);
        if let Some(at) = rest.iter().take(bracket).position(odd) {
            return Err(ParseError::new(ParseErrorKind::Quotes, cursor.offset() + at));
        }
        text::trim_end(cursor.take(bracket))
    };
    cursor.lws();
    if cursor.peek() != Some(b'<') {
        return Err(cursor.error(ParseErrorKind::Brackets));
    }
    Ok((!name.is_empty()).then_some(name))
}

impl fmt::Display for NameAddr<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut out = Vec::new();
        self.write(&mut out);
        f.write_str(&String::from_utf8_lossy(&out))
    }
}

/// An owned [`NameAddr`] without folds. A clone is a pointer.
#[derive(Clone)]
pub struct NameAddrBuf {
    bytes: SharedBytes,
    /// Where the parameters begin.
    address: usize,
}

impl NameAddrBuf {
    /// Reads one value.
    ///
    /// # Errors
    /// The value is malformed.
    pub fn parse(value: &[u8]) -> Result<Self, ParseError> {
        NameAddr::parse(value).map(NameAddr::to_buf)
    }

    /// Borrowed.
    pub fn as_name_addr(&self) -> NameAddr<'_> {
        self.as_text().read()
    }

    /// The value as it is written.
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The URI.
    pub fn uri(&self) -> Uri<'_> {
        self.as_name_addr().uri
    }

    /// The `tag` as written.
    pub fn tag(&self) -> Option<&str> {
        self.as_text().tag().map(TagParam::as_str)
    }

    /// Drops the header's parameters.
    #[must_use]
    pub fn without_parameters(&self) -> NameAddrBuf {
        if self.address == self.bytes.len() {
            return self.clone();
        }
        NameAddrBuf { bytes: self.as_text().address.into(), address: self.address }
    }

    /// Puts this `tag` in place of any other; the tag should be a token.
    #[must_use]
    pub fn with_tag(&self, tag: &str) -> NameAddrBuf {
        self.as_text().retagged(tag)
    }

    fn as_text(&self) -> NameAddrText<'_> {
        let (address, parameters) = self.bytes.split_at_checked(self.address).unwrap_or((&self.bytes, &[]));
        let parameters = Parameters::checked(text::trim_start(parameters));
        NameAddrText { value: &self.bytes, address, parameters, tag: None }
    }
}

impl AsRef<[u8]> for NameAddrBuf {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

impl FromStr for NameAddrBuf {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        Self::parse(text.as_bytes())
    }
}

impl fmt::Display for NameAddrBuf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&String::from_utf8_lossy(&self.bytes))
    }
}

impl fmt::Debug for NameAddrBuf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.bytes, f)
    }
}

name_addr_header!(
    /// From (RFC 3261 §20.20).
    From,
    list: false,
    parse: NameAddr::parse_with
);
name_addr_header!(
    /// To (RFC 3261 §20.39).
    To,
    list: false,
    parse: NameAddr::parse_with
);
name_addr_header!(
    /// Reply-To (RFC 3261 §20.31).
    ReplyTo,
    list: false,
    parse: NameAddr::parse_with
);
name_addr_header!(
    /// One value of Route (RFC 3261 §20.34).
    Route,
    list: true,
    parse: NameAddr::parse_with
);
name_addr_header!(
    /// One value of Record-Route (RFC 3261 §20.30).
    RecordRoute,
    list: true,
    parse: NameAddr::parse_with
);

#[cfg(test)]
mod tests {
    use super::{NameAddr, NameAddrBuf, NameAddrText, TagParam, UserPart};
    use alloc::string::ToString;

    fn read(text: &str) -> NameAddr<'_> {
        NameAddr::parse(text.as_bytes()).unwrap_or_else(|error| panic!("{text}: {error}"))
    }

    #[test]
    fn without_brackets_parameters_belong_to_the_header() {
        // RFC 3261 §20.10, RFC 4475 §3.3.12 and §3.3.13.
        let bare = read("sip:user@example.com;unknownparam;tag=1");
        assert!(bare.uri.parameters().is_empty());
        assert!(bare.parameters.has("unknownparam"));
        assert_eq!(bare.tag(), Some("1"));
        let bracketed = read("<sip:user@example.com;unknownparam>;tag=1");
        assert!(bracketed.uri.parameters().has("unknownparam"));
        assert!(!bracketed.parameters.has("unknownparam"));
    }

    #[test]
    fn display_names_may_have_what_elsewhere_separates() {
        let quoted = read(r#""J \"<Rosen, >\\\" ;x" <sip:jdrosen@example.com> ;tag=98asjd8"#);
        assert_eq!(quoted.display_name, Some(&br#""J \"<Rosen, >\\\" ;x""#[..]));
        assert_eq!((quoted.uri.user(), quoted.tag()), (Some("jdrosen"), Some("98asjd8")));
        assert_eq!(read("Mr. Watson  <sip:a@b.com>").display_name, Some(&b"Mr. Watson"[..]));
        // RFC 4475 §3.1.1.6: no white space is needed.
        assert_eq!(read("caller<sip:caller@example.com>").display_name, Some(&b"caller"[..]));
        assert_eq!(read("\"\" <sip:a@b.com>").display_name, Some(&b"\"\""[..]));
        assert_eq!(read(" <sip:a@b.com>").display_name, None);
    }

    #[test]
    fn folds_are_white_space() {
        let folded = read("\"A\"\r\n\t<sip:a@b.com>\r\n  ;\r\n  tag = 98asjd8");
        assert_eq!(folded.tag(), Some("98asjd8"));
        assert_eq!(folded.to_buf().to_string(), "\"A\" <sip:a@b.com>; tag = 98asjd8");
    }

    #[test]
    fn a_value_that_was_read_is_cut_where_it_was_cut_then() {
        for text in [
            "<sip:a@b.com>",
            "<sip:a@b.com;tag=no>;tag=1",
            "sip:a@b.com;tag=1",
            "sip:a@b.com",
            "sip:a@b.com ;x=\"<;tag=2>\" ; tag = 1",
            "\"a \\\" <b> ;tag=2\"<sip:a@b.com>;x;tag=1",
            "\"<\" <sip:a@b.com>",
            "Bob Y  <sip:a@b.com> ; tag=1;x=\";tag=3\"",
            "\"A\"\r\n\t<sip:a@b.com>\r\n  ;\r\n  tag = 1",
            "\"A\tB\" <sip:a@b.com>;tag=1",
            "<sip:a@b.com>;tag=\"no token\"",
        ] {
            let (read, cut) = (read(text), NameAddrText::of(text.as_bytes()));
            assert_eq!(cut.tag().map(TagParam::as_str), read.tag(), "{text}");
            let whole = |address: NameAddrBuf| {
                let address = address.as_name_addr();
                alloc::format!("{:?} {:?} {:?}", address.display_name, address.uri, address.parameters)
            };
            assert_eq!(whole(cut.to_buf()), whole(read.to_buf()), "{text}");
            assert_eq!(whole(cut.with_tag("9")), whole(read.to_buf().with_tag("9")), "{text}");
            assert_eq!(cut.with_tag("9").tag(), Some("9"), "{text}");
            let kind = NameAddrText::parse(text.as_bytes()).unwrap();
            assert_eq!((kind.address, kind.tag()), (cut.address, cut.tag()), "{text}");
            assert!(cut.to_buf().without_parameters().as_name_addr().parameters.is_empty(), "{text}");
        }
    }

    #[test]
    fn malformed_ones_are_refused() {
        for bad in [
            "",
            "Bell, Alexander <sip:a.g.bell@example.com>;tag=43",
            "\"Watson, Thomas\" < sip:t.watson@example.org >",
            "\"Mr. J. User <sip:j.user@example.com>",
            "\"A\" sip:a@b.com",
            "<sip:a@b.com",
            "<>",
            "sip:user@example.com?Route=%3Csip:sip.example.com%3E",
            "sip:a,b@example.com",
            "<sip:a@b.com>;;",
            "<sip:a@b.com> x",
            "alan@jasomi.com",
        ] {
            assert!(NameAddr::parse(bad.as_bytes()).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_tag_is_not_quoted_and_need_not_be_a_token() {
        assert_eq!(read("<sip:a@b.com>;tag=\"x\"").tag(), None);
        assert_eq!(read("<sip:a@b.com>;x=\";tag=y\"").tag(), None);
        assert_eq!(read("<sip:a@b.com>;tag=a/b+c==").tag(), Some("a/b+c=="));
        assert_eq!(read("<sip:a@b.com> ; tag = x@y ;z").tag(), Some("x@y"));
        // The URI may as well be `sip:a;tag=x@b.com`.
        assert!(NameAddr::parse(b"sip:a;tag=x@b.com").is_err() && NameAddrText::parse(b"sip:a;tag=x@b.com").is_err());
        assert_eq!(read("sip:a@b.com;tag=a/b+c==").tag(), Some("a/b+c=="));
    }

    #[test]
    fn of_a_malformed_address_the_tag_is_read_without_doubt_or_not_at_all() {
        for (text, tag) in [
            ("<sip:a#b@c.com>;tag=1", Some("1")),
            ("Bob <sip:a@b@c.com;tag=no>;x;tag=1", Some("1")),
            ("\"B, <o>\" <sip:a@-c.com>", None),
            ("<sip:a%zz@c.com:99999>;tag=a/b", Some("a/b")),
            ("<alan@jasomi.com>", None),
            ("alan@jasomi.com;tag=1", Some("1")),
            ("<sip:a,b?c@-d.com>;tag=1", Some("1")),
            ("<sip:\u{e4}@d.com>;tag=1", Some("1")),
        ] {
            assert!(NameAddr::parse(text.as_bytes()).is_err(), "{text}");
            let cut = NameAddrText::parse(text.as_bytes()).unwrap_or_else(|error| panic!("{text}: {error}"));
            assert_eq!(cut.tag().map(TagParam::as_str), tag, "{text}");
            assert!(!cut.is_rewritable(UserPart::Strict));
        }
        for doubtful in [
            "",
            "<>",
            ";tag=1",
            "Bell, Alexander <sip:a.g.bell@example.com>;tag=43",
            "\"Watson, Thomas\" < sip:t.watson@example.org >",
            "\"Mr. J. User <sip:j.user@example.com>;tag=1",
            "\"A\0\" <sip:a@b.com>;tag=1",
            "<sip:a@b.com;tag=1",
            "<sip:a<b@c.com>;tag=1",
            "<sip:a\"b@c.com>;tag=1\"",
            "<sip:a b@c.com>;tag=1",
            "sip:a?b@c.com;tag=1",
            "sip:a@c.com>;tag=1",
            "<sip:a#b@c.com>;;tag=1",
            "<sip:a#b@c.com>;tag=1 x",
            "<sip:a#b@c.com>;tag=\"1",
        ] {
            assert!(NameAddrText::parse(doubtful.as_bytes()).is_err(), "{doubtful}");
        }
    }

    #[test]
    fn a_tag_is_put_in_place_of_another() {
        let owned: NameAddrBuf = "Bob <sip:bob@biloxi.com>;tag=a;x=1".parse().unwrap();
        assert_eq!(owned.with_tag("b").to_string(), "Bob <sip:bob@biloxi.com>;x=1;tag=b");
        assert_eq!(owned.with_tag("b").tag(), Some("b"));
        assert_eq!(owned.without_parameters().to_string(), "Bob <sip:bob@biloxi.com>");
        let bare: NameAddrBuf = "sip:bob@biloxi.com;tag=a".parse().unwrap();
        assert_eq!(bare.to_string(), "<sip:bob@biloxi.com>;tag=a");
    }

    #[test]
    fn each_header_comes_back() {
        use super::super::testing::{refused, round_trip};
        use super::{From, RecordRoute, ReplyTo, Route, To};
        // RFC 3261 §20.20, §20.39, §20.31, §20.30, §20.34.
        let text = "\"A. G. Bell\" <sip:agb@bell-telephone.com>;tag=a48s";
        assert_eq!(round_trip::<From<'_>>("\"A. G. Bell\" <sip:agb@bell-telephone.com> ;tag=a48s"), text);
        assert_eq!(
            round_trip::<From<'_>>("sip:+12125551212@server.phone2net.com;tag=887s"),
            "<sip:+12125551212@server.phone2net.com>;tag=887s"
        );
        let text = "The Operator <sip:operator@cs.columbia.edu>;tag=287447";
        assert_eq!(round_trip::<To<'_>>(text), text);
        assert_eq!(round_trip::<ReplyTo<'_>>("Bob <sip:bob@biloxi.com>"), "Bob <sip:bob@biloxi.com>");
        let text = "<sip:bigbox3.site3.atlanta.com;lr>";
        assert_eq!(round_trip::<RecordRoute<'_>>(text), text);
        assert_eq!(round_trip::<Route<'_>>(" <sip:bigbox3.site3.atlanta.com;lr>\r\n"), text);
        refused::<ReplyTo<'_>>(&["", "Bob", "<sip:bob@biloxi.com", "Bob <sip:bob@biloxi.com> x"]);
    }
}
