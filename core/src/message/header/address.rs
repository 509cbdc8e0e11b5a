//! `name-addr` and `addr-spec`, and the headers that are just one (RFC 3261 §20.10, §20.20, §20.30, §20.34, §20.39).

use super::write_unfolded;
use crate::message::bytes::SharedBytes;
use crate::message::error::{ParseError, ParseErrorKind};
use crate::message::parameters::Parameters;
use crate::message::scan::{self, Cursor, TOKEN};
use crate::message::uri::Uri;
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
        let mut cursor = Cursor::new(value);
        cursor.lws();
        let display_name = display_name(&mut cursor)?;
        let before;
        let uri = if cursor.eat(b'<') {
            before = cursor.offset();
            let uri = cursor.take_until(b'>');
            if !cursor.eat(b'>') {
                return Err(cursor.error(ParseErrorKind::Brackets));
            }
            uri
        } else {
            before = cursor.offset();
            let uri = scan::trim_end(cursor.take_until(b';'));
            if let Some(at) = uri.iter().position(|octet| matches!(octet, b'?' | b',')) {
                return Err(ParseError::new(ParseErrorKind::Brackets, before + at));
            }
            uri
        };
        let uri = Uri::parse(uri).map_err(|error| error.moved(before))?;
        let before = cursor.offset();
        let parameters = Parameters::parse(cursor.rest()).map_err(|error| error.moved(before))?;
        Ok(Self { display_name, uri, parameters })
    }

    /// Reads one value whose URI must stand in angle brackets.
    pub(super) fn parse_bracketed(value: &'a [u8]) -> Result<Self, ParseError> {
        let mut cursor = Cursor::new(value);
        cursor.lws();
        display_name(&mut cursor)?;
        if cursor.peek() == Some(b'<') { Self::parse(value) } else { Err(cursor.error(ParseErrorKind::Brackets)) }
    }

    /// The `tag`; `None` if absent or no token.
    pub fn tag(self) -> Option<&'a str> {
        self.parameters.token("tag")
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
        self.write(&mut out);
        NameAddrBuf(out.into())
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
        let bracket = match scan::find_either(rest, b'<', b':') {
            Some(at) if rest.get(at) == Some(&b'<') => at,
            _ => return Ok(None),
        };
        // Octets above ASCII belong in quotes, but many leave them out.
        let odd = |octet: &u8| !(TOKEN.has(*octet) || scan::is_lws(*octet) || *octet >= 0x80);
        if let Some(at) = rest.iter().take(bracket).position(odd) {
            return Err(ParseError::new(ParseErrorKind::Quotes, cursor.offset() + at));
        }
        scan::trim_end(cursor.take(bracket))
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
pub struct NameAddrBuf(SharedBytes);

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
        // The text was read before; the other arm is never taken.
        NameAddr::parse(&self.0).unwrap_or(NameAddr {
            display_name: None,
            uri: Uri::EMPTY,
            parameters: Parameters::NONE,
        })
    }

    /// The value as it is written.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// The URI.
    pub fn uri(&self) -> Uri<'_> {
        self.as_name_addr().uri
    }

    /// The `tag`.
    pub fn tag(&self) -> Option<&str> {
        self.as_name_addr().tag()
    }

    /// The same without the header's parameters.
    #[must_use]
    pub fn without_parameters(&self) -> NameAddrBuf {
        NameAddr { parameters: Parameters::NONE, ..self.as_name_addr() }.to_buf()
    }

    /// The same with this `tag` in place of any other; it should be a token.
    #[must_use]
    pub fn with_tag(&self, tag: &str) -> NameAddrBuf {
        let all = self.as_name_addr();
        let mut out = Vec::with_capacity(self.0.len() + tag.len() + 5);
        NameAddr { parameters: Parameters::NONE, ..all }.write(&mut out);
        for parameter in all.parameters.iter().filter(|parameter| !parameter.name.eq_ignore_ascii_case("tag")) {
            out.push(b';');
            out.extend_from_slice(parameter.name.as_bytes());
            if let Some(value) = parameter.value {
                out.push(b'=');
                out.extend_from_slice(value);
            }
        }
        out.extend_from_slice(b";tag=");
        out.extend_from_slice(tag.as_bytes());
        NameAddrBuf(out.into())
    }
}

impl AsRef<[u8]> for NameAddrBuf {
    fn as_ref(&self) -> &[u8] {
        &self.0
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
        f.write_str(&String::from_utf8_lossy(&self.0))
    }
}

impl fmt::Debug for NameAddrBuf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

name_addr_header!(
    /// From (RFC 3261 §20.20).
    From,
    list: false,
    parse: NameAddr::parse
);
name_addr_header!(
    /// To (RFC 3261 §20.39).
    To,
    list: false,
    parse: NameAddr::parse
);
name_addr_header!(
    /// Reply-To (RFC 3261 §20.31).
    ReplyTo,
    list: false,
    parse: NameAddr::parse
);
name_addr_header!(
    /// One value of Route (RFC 3261 §20.34).
    Route,
    list: true,
    parse: NameAddr::parse
);
name_addr_header!(
    /// One value of Record-Route (RFC 3261 §20.30).
    RecordRoute,
    list: true,
    parse: NameAddr::parse
);

#[cfg(test)]
mod tests {
    use super::{NameAddr, NameAddrBuf};
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
    fn a_tag_is_a_token() {
        assert_eq!(read("<sip:a@b.com>;tag=\"x\"").tag(), None);
        assert_eq!(read("<sip:a@b.com>;x=\";tag=y\"").tag(), None);
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
