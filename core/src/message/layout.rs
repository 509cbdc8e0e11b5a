//! Where things stand in a message: one pass over the header section (RFC 3261 §7, §25.1).

use super::error::{ParseError, ParseErrorKind};
use super::headers::Headers;
use super::limits::Limits;
use super::method::Method;
use super::name::HeaderId;
use super::scan::{self, TOKEN, Values};
use super::status::StatusCode;
use smallvec::SmallVec;

/// The most octets of start line and headers: offsets into them are 16 bits wide.
pub(crate) const LONGEST_SECTION: usize = 65_535;

/// One field: offsets into the message. It ends where the next field or the empty line begins.
#[derive(Clone, Copy, Debug)]
pub(crate) struct FieldSpan {
    /// Where the line begins.
    pub(crate) line: u16,
    /// Where the value begins and ends, without white space around it.
    pub(crate) start: u16,
    pub(crate) end: u16,
    /// The header, if it is a known one.
    pub(crate) id: Option<HeaderId>,
}

/// The first line.
#[derive(Clone, Copy, Debug)]
pub(crate) enum StartLine {
    /// The method ends at `method`; the Request-URI stands between `uri` and `uri_end`.
    Request { method: u16, uri: u16, uri_end: u16 },
    /// The reason phrase stands between `reason` and `reason_end`.
    Response { status: StatusCode, reason: u16, reason_end: u16 },
}

/// What is wrong with the message as a whole, though it can be represented. The first that matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Defect {
    /// More or less than one space between the parts of the request line, or white space after it.
    StartLine,
    /// The version is not SIP/2.0.
    Version,
    /// The header section does not end with an empty line.
    Unterminated,
    /// Content-Length is malformed, or there are several that differ.
    ContentLength,
    /// The body is shorter than Content-Length.
    ShortBody,
}

/// The spans of one message.
#[derive(Clone, Debug)]
pub(crate) struct Layout {
    pub(crate) start: StartLine,
    pub(crate) fields: SmallVec<[FieldSpan; 32]>,
    /// Where the first field begins.
    pub(crate) first_field: u16,
    /// Where the last field ends.
    pub(crate) fields_end: u16,
    /// Where the body begins.
    pub(crate) body: u32,
    /// Where the message ends.
    pub(crate) end: u32,
    pub(crate) defect: Option<Defect>,
}

impl Layout {
    /// Reads one message that begins at the first octet and ends at or before the last.
    pub(crate) fn read(bytes: &[u8], limits: &Limits) -> Result<Self, ParseError> {
        let mut section = Section::new(bytes, limits);
        let (start, line_defect) = section.start_line(limits)?;
        check_uri(bytes, &start, limits)?;
        let first_field = section.at;
        let mut fields = SmallVec::new();
        let (mut length, mut via_octets) = (Length::Absent, 0);
        while let Some((field, value)) = section.field()? {
            if fields.len() >= limits.headers {
                return Err(ParseError::new(ParseErrorKind::TooManyHeaders, field.line.into()));
            }
            match field.id {
                Some(HeaderId::ContentLength) => length = length.with(value),
                Some(HeaderId::Via) => via_octets += value.len() + 1,
                _ => {}
            }
            // Values of fewer octets cannot have too many.
            if value.len() > limits.parameters {
                check_parameters(&field, value, limits)?;
            }
            fields.push(field);
        }
        // Fewer octets cannot hold too many.
        if via_octets > limits.via_values {
            check_vias(bytes, &fields, limits)?;
        }
        let fields_end = section.at;
        let terminated = section.empty_line();
        let body = section.at;
        let (end, length_defect) = length.end_of_body(body, bytes.len());
        if end - body > limits.body {
            return Err(ParseError::new(ParseErrorKind::BodyTooLong, body));
        }
        let defect = line_defect.or((!terminated).then_some(Defect::Unterminated)).or(length_defect);
        Ok(Self {
            start,
            fields,
            first_field: narrow(first_field),
            fields_end: narrow(fields_end),
            body: wide(body),
            end: wide(end),
            defect,
        })
    }

    pub(crate) fn headers<'a>(&'a self, bytes: &'a [u8]) -> Headers<'a> {
        Headers::new(bytes, &self.fields, self.fields_end)
    }

    pub(crate) fn body<'a>(&self, bytes: &'a [u8]) -> &'a [u8] {
        bytes.get(self.body as usize..self.end as usize).unwrap_or_default()
    }

    pub(crate) const fn is_request(&self) -> bool {
        matches!(self.start, StartLine::Request { .. })
    }

    /// The method; of a response none.
    pub(crate) fn method<'a>(&self, bytes: &'a [u8]) -> Option<Method<'a>> {
        match self.start {
            StartLine::Request { method, .. } => Method::parse(part(bytes, 0, method)),
            StartLine::Response { .. } => None,
        }
    }

    /// The Request-URI; of a response empty.
    pub(crate) fn uri<'a>(&self, bytes: &'a [u8]) -> &'a [u8] {
        match self.start {
            StartLine::Request { uri, uri_end, .. } => part(bytes, uri, uri_end),
            StartLine::Response { .. } => &[],
        }
    }

    /// The reason phrase; of a request empty.
    pub(crate) fn reason<'a>(&self, bytes: &'a [u8]) -> &'a [u8] {
        match self.start {
            StartLine::Request { .. } => &[],
            StartLine::Response { reason, reason_end, .. } => part(bytes, reason, reason_end),
        }
    }

    /// The first line without its end.
    pub(crate) fn start_line<'a>(&self, bytes: &'a [u8]) -> &'a [u8] {
        scan::trim_end(part(bytes, 0, self.first_field))
    }
}

/// The octets between two offsets.
pub(crate) fn part(bytes: &[u8], start: u16, end: u16) -> &[u8] {
    bytes.get(usize::from(start)..usize::from(end)).unwrap_or_default()
}

/// Offsets into the header section; `Section` holds them within [`LONGEST_SECTION`], so that nothing is cut off.
const fn narrow(offset: usize) -> u16 {
    offset as u16
}

fn wide(offset: usize) -> u32 {
    u32::try_from(offset).unwrap_or(u32::MAX)
}

fn check_vias(bytes: &[u8], fields: &[FieldSpan], limits: &Limits) -> Result<(), ParseError> {
    let mut values = 0;
    for field in fields.iter().filter(|field| field.id == Some(HeaderId::Via)) {
        values += count_values(part(bytes, field.start, field.end));
        if values > limits.via_values {
            return Err(ParseError::new(ParseErrorKind::TooManyVias, field.start.into()).within(HeaderId::Via));
        }
    }
    Ok(())
}

/// The values of one field.
fn count_values(value: &[u8]) -> usize {
    if scan::find(value, b',').is_none() { 1 } else { Values::new(value).count() }
}

/// Values that are long enough to have too many parameters have them counted; `;` and `&` of a URI count too.
fn check_parameters(field: &FieldSpan, value: &[u8], limits: &Limits) -> Result<(), ParseError> {
    use HeaderId::{Organization, Server, Subject, UserAgent};
    // What is not known is never typed, and text has no parameters.
    let Some(id) = field.id.filter(|id| !matches!(id, Organization | Server | Subject | UserAgent)) else {
        return Ok(());
    };
    if has_too_many_parameters(value, limits) && Values::new(value).any(|one| has_too_many_parameters(one, limits)) {
        return Err(ParseError::new(ParseErrorKind::TooManyParameters, field.start.into()).within(id));
    }
    Ok(())
}

fn has_too_many_parameters(text: &[u8], limits: &Limits) -> bool {
    // Each has two octets at least.
    text.len() / 2 >= limits.parameters
        && text.iter().filter(|octet| matches!(octet, b';' | b'&')).count() > limits.parameters
}

/// The same for the Request-URI.
fn check_uri(bytes: &[u8], start: &StartLine, limits: &Limits) -> Result<(), ParseError> {
    let StartLine::Request { uri, uri_end, .. } = *start else { return Ok(()) };
    if has_too_many_parameters(part(bytes, uri, uri_end), limits) {
        return Err(ParseError::new(ParseErrorKind::TooManyParameters, uri.into()));
    }
    Ok(())
}

/// The fields of one part of a multipart body (RFC 2046 §5.1).
#[derive(Clone, Debug)]
pub(crate) struct PartLayout {
    pub(crate) fields: SmallVec<[FieldSpan; 4]>,
    /// Where the last field ends.
    pub(crate) fields_end: u16,
    /// Where the body begins.
    pub(crate) body: usize,
}

impl PartLayout {
    /// Reads a part that begins with its first field, or with an empty line if it has none.
    pub(crate) fn read(bytes: &[u8], limits: &Limits) -> Result<Self, ParseError> {
        let mut section = Section::new(bytes, limits);
        let mut fields = SmallVec::new();
        while let Some((field, value)) = section.field()? {
            if fields.len() >= limits.headers {
                return Err(ParseError::new(ParseErrorKind::TooManyHeaders, field.line.into()));
            }
            check_parameters(&field, value, limits)?;
            fields.push(field);
        }
        let fields_end = narrow(section.at);
        section.empty_line();
        Ok(Self { fields, fields_end, body: section.at })
    }
}

/// What the Content-Length fields say together.
#[derive(Clone, Copy)]
enum Length {
    Absent,
    Octets(u32),
    Unusable,
}

impl Length {
    fn with(self, value: &[u8]) -> Self {
        match (self, scan::number(value)) {
            (Self::Absent, Some(octets)) => Self::Octets(octets),
            (Self::Octets(before), Some(octets)) if before == octets => self,
            _ => Self::Unusable,
        }
    }

    /// Where the body ends of which so much is there.
    fn end_of_body(self, body: usize, available: usize) -> (usize, Option<Defect>) {
        match self {
            Self::Absent => (available, None),
            Self::Unusable => (available, Some(Defect::ContentLength)),
            Self::Octets(octets) => match body.checked_add(octets as usize) {
                Some(end) if end <= available => (end, None),
                _ => (available, Some(Defect::ShortBody)),
            },
        }
    }
}

/// Reads the header section line by line.
struct Section<'a> {
    /// No more of the message than its header section may have, and a line end.
    bytes: &'a [u8],
    /// Whether the message goes on behind `bytes`.
    cut: bool,
    at: usize,
}

impl<'a> Section<'a> {
    fn new(message: &'a [u8], limits: &Limits) -> Self {
        let longest = limits.header_section.min(LONGEST_SECTION);
        match message.get(..longest) {
            Some(bytes) => Self { bytes, cut: message.len() > longest, at: 0 },
            None => Self { bytes: message, cut: false, at: 0 },
        }
    }

    fn rest(&self) -> &'a [u8] {
        self.bytes.get(self.at..).unwrap_or_default()
    }

    /// Goes behind the end of the present line; returns its text. The last line may lack its end.
    fn line(&mut self) -> Result<&'a [u8], ParseError> {
        let rest = self.rest();
        let length = scan::find_either(rest, b'\r', b'\n').unwrap_or(rest.len());
        let (text, tail) = rest.split_at_checked(length).unwrap_or((rest, &[]));
        self.at += match tail {
            [b'\n', ..] => length + 1,
            [b'\r', b'\n', ..] => length + 2,
            _ if self.cut && tail.len() < 2 => {
                return Err(ParseError::new(ParseErrorKind::HeaderSectionTooLong, self.at));
            }
            [_, ..] => return Err(ParseError::new(ParseErrorKind::CarriageReturn, self.at + length)),
            [] => length,
        };
        Ok(text)
    }

    /// Goes behind the empty line; says whether there is one.
    fn empty_line(&mut self) -> bool {
        let length = match self.rest() {
            [b'\r', b'\n', ..] => 2,
            [b'\n', ..] => 1,
            _ => return false,
        };
        self.at += length;
        true
    }

    fn start_line(&mut self, limits: &Limits) -> Result<(StartLine, Option<Defect>), ParseError> {
        let line = self.line()?;
        if line.len() > limits.start_line {
            return Err(ParseError::new(ParseErrorKind::StartLineTooLong, limits.start_line));
        }
        match line {
            [b'S' | b's', b'I' | b'i', b'P' | b'p', b'/', ..] => status_line(line),
            _ => request_line(line),
        }
    }

    /// Reads the next field, and its value; `None` at the empty line or the end.
    #[inline(always)]
    fn field(&mut self) -> Result<Option<(FieldSpan, &'a [u8])>, ParseError> {
        match self.usual_field() {
            Some(field) => Ok(Some(field)),
            None => self.any_field(),
        }
    }

    /// Reads a field of a known header whose name is followed by the colon, and whose value stands behind one space in one
    /// line without control characters: what nearly all are. Two searches and one comparison of names do it; that, and what
    /// is left out with it, took a message of 9 fields from 5,100 instructions to 3,200. [`any_field`](Self::any_field) reads
    /// the same from it.
    #[inline(always)]
    fn usual_field(&mut self) -> Option<(FieldSpan, &'a [u8])> {
        let rest @ [b'A'..=b'z', ..] = self.rest() else { return None };
        let (name, [b':', b' ', value @ ..]) = rest.split_at_checked(scan::find(rest, b':')?)? else { return None };
        let id = HeaderId::from_name(name)?;
        let (value, [b'\r', b'\n', next, ..]) = value.split_at_checked(scan::find_control(value)?)? else {
            return None;
        };
        let ([b'!'..=0xff, .., b'!'..=0xff] | [b'!'..=0xff]) = value else { return None };
        if matches!(next, b' ' | b'\t') {
            return None;
        }
        let line = self.at;
        let start = line + name.len() + 2;
        let end = start + value.len();
        self.at = end + 2;
        let field = FieldSpan { line: narrow(line), start: narrow(start), end: narrow(end), id: Some(id) };
        Some((field, value))
    }

    #[cold]
    #[inline(never)]
    fn any_field(&mut self) -> Result<Option<(FieldSpan, &'a [u8])>, ParseError> {
        let start = self.at;
        let rest = self.rest();
        if self.cut && matches!(rest, [] | [_]) && rest != b"\n" {
            return Err(ParseError::new(ParseErrorKind::HeaderSectionTooLong, start));
        }
        if matches!(rest, [] | [b'\r', b'\n', ..] | [b'\n', ..]) {
            return Ok(None);
        }
        let stop = scan::find_either(rest, b':', b'\n').unwrap_or(rest.len());
        let Some((name, [b':', ..])) = rest.split_at_checked(stop) else {
            return Err(ParseError::new(ParseErrorKind::HeaderLine, start));
        };
        let id = header_id(name).ok_or(ParseError::new(ParseErrorKind::HeaderName, start))?;
        self.at += stop + 1;
        let value_start = self.at;
        self.line()?;
        while matches!(self.rest(), [b' ' | b'\t', ..]) {
            self.line()?;
        }
        let value = scan::trim(self.bytes.get(value_start..self.at).unwrap_or_default());
        let value_at = if value.is_empty() { value_start } else { scan::offset_in(self.bytes, value) };
        let end = value_at + value.len();
        Ok(Some((FieldSpan { line: narrow(start), start: narrow(value_at), end: narrow(end), id }, value)))
    }
}

/// Which header this names, if a known one; `None` if it is not a name. White space may stand before the colon (RFC 4475
/// §3.1.1.1).
#[expect(clippy::option_option, reason = "no name, an unknown name and a known one are three answers")]
pub(super) fn header_id(name: &[u8]) -> Option<Option<HeaderId>> {
    let known = HeaderId::from_name(name);
    if known.is_some() {
        return Some(known);
    }
    let end = name.iter().rposition(|octet| !matches!(octet, b' ' | b'\t'))?;
    let name = name.get(..=end)?;
    TOKEN.covers(name).then(|| HeaderId::from_name(name))
}

/// `SIP/2.0 200 OK`.
fn status_line(line: &[u8]) -> Result<(StartLine, Option<Defect>), ParseError> {
    let (version, rest) = scan::split_once(line, b' ').ok_or(ParseError::new(ParseErrorKind::StartLine, 0))?;
    let at = scan::offset_in(line, rest);
    let defect = version_defect(version).ok_or(ParseError::new(ParseErrorKind::StartLine, 0))?;
    let (code, reason) = match rest {
        [a, b, c, b' ', reason @ ..] => ([*a, *b, *c], reason),
        [a, b, c] => ([*a, *b, *c], &[][..]),
        _ => return Err(ParseError::new(ParseErrorKind::Status, at)),
    };
    let status = scan::number(&code)
        .and_then(|code| StatusCode::new(u16::try_from(code).ok()?))
        .ok_or(ParseError::new(ParseErrorKind::Status, at))?;
    let reason = line.len() - reason.len();
    Ok((StartLine::Response { status, reason: narrow(reason), reason_end: narrow(line.len()) }, defect))
}

/// `INVITE sip:bob@biloxi.com SIP/2.0`. The Request-URI is whatever stands between the first and the last space.
pub(super) fn request_line(line: &[u8]) -> Result<(StartLine, Option<Defect>), ParseError> {
    if let Some(usual) = usual_request_line(line) {
        return Ok((usual, None));
    }
    let bad = ParseError::new(ParseErrorKind::StartLine, 0);
    if line.is_empty() {
        return Err(ParseError::new(ParseErrorKind::Empty, 0));
    }
    let (method, rest) = scan::split_once(line, b' ').ok_or(bad)?;
    if scan::token(method).is_none() {
        return Err(ParseError::new(ParseErrorKind::Method, 0));
    }
    let trimmed = scan::trim_end(rest);
    let space = trimmed.iter().rposition(|octet| matches!(octet, b' ' | b'\t')).ok_or(bad)?;
    let (uri, version) = trimmed.split_at_checked(space).ok_or(bad)?;
    let version_defect = version_defect(version.get(1..).ok_or(bad)?).ok_or(bad)?;
    let inner = scan::trim(uri);
    let neat = trimmed.len() == rest.len() && inner.len() == uri.len() && version.first() == Some(&b' ');
    let defect = if neat { version_defect } else { Some(Defect::StartLine) };
    let start = line.len() - rest.len();
    let start_line =
        StartLine::Request { method: narrow(method.len()), uri: narrow(start), uri_end: narrow(start + uri.len()) };
    Ok((start_line, defect))
}

/// One space on each side of a Request-URI that has none, and the version as everybody writes it.
fn usual_request_line(line: &[u8]) -> Option<StartLine> {
    let rest = line.strip_suffix(b" SIP/2.0")?;
    let (method, uri) = scan::split_once(rest, b' ')?;
    let is_usual = TOKEN.covers(method) && !method.is_empty() && scan::find_either(uri, b' ', b'\t').is_none();
    let end = narrow(rest.len());
    is_usual.then_some(StartLine::Request { method: narrow(method.len()), uri: end - narrow(uri.len()), uri_end: end })
}

/// `None` if this is no SIP version at all; else what is wrong with it. Compared without case (RFC 3261 §7.1).
fn version_defect(version: &[u8]) -> Option<Option<Defect>> {
    if version == b"SIP/2.0" {
        return Some(None);
    }
    let (name, number) = scan::split_once(version, b'/')?;
    let (major, minor) = scan::split_once(number, b'.')?;
    let digits = |text: &[u8]| !text.is_empty() && text.iter().all(u8::is_ascii_digit);
    if !name.eq_ignore_ascii_case(b"SIP") || !digits(major) || !digits(minor) {
        return None;
    }
    Some((number != b"2.0").then_some(Defect::Version))
}

#[cfg(test)]
mod tests {
    use super::{Section, part};
    use crate::message::header::{Contact, Route};
    use crate::message::{
        HeaderId, HeaderName, Limits, Message, MessageView, Method, ParseError, ParseErrorKind, StatusCode,
    };
    use alloc::string::String;
    use alloc::vec::Vec;

    fn view(text: &[u8]) -> MessageView<'_> {
        MessageView::parse(text, &Limits::default()).unwrap_or_else(|error| panic!("{error}"))
    }

    fn error(text: &str, limits: &Limits) -> (ParseErrorKind, u32) {
        let error: ParseError = MessageView::parse(text.as_bytes(), limits).map(|view| panic!("{view:?}")).unwrap_err();
        (error.kind(), error.offset())
    }

    fn default_error(text: &str) -> (ParseErrorKind, u32) {
        error(text, &Limits::default())
    }

    #[test]
    fn fields_are_found_with_folds_and_odd_spaces() {
        let text = b"INVITE sip:b SIP/2.0\r\nTO :\r\n sip:b ;\ttag = 1\r\nSubject:\r\ns: \t \r\n two\r\n\r\n lines \r\nX-y\t: z\r\n\r\nbody";
        let read = view(text.as_slice().strip_suffix(b"body").unwrap());
        let fields: Vec<_> = read.headers().iter().map(|field| (field.name, field.value)).collect();
        assert_eq!(fields[0], (HeaderName::Known(HeaderId::To), &b"sip:b ;\ttag = 1"[..]));
        assert_eq!(fields[1], (HeaderName::Known(HeaderId::Subject), &b""[..]));
        assert_eq!(fields[2], (HeaderName::Known(HeaderId::Subject), &b"two"[..]));
        assert_eq!(fields.len(), 3, "an empty line ends the fields");
        assert_eq!(read.body(), b" lines \r\nX-y\t: z\r\n\r\n");
    }

    #[test]
    fn a_usual_line_is_read_as_any_other() {
        for line in [
            "To: x\r\n",
            "to: <sip:a>;tag=1 2\r\n",
            "v: a, b\r\n",
            "P-Preferred-Identity: \u{e4}:\r\n",
            "To:x\r\n",
            "To:  x\r\n",
            "To: x \r\n",
            "To: \r\n",
            "To:\r\n",
            "To : x\r\n",
            "To: x\ty\r\n",
            "To: x\r\n y\r\n",
            "To: x\n",
            "X: y\r\n",
        ] {
            let text = [line, "\r\nbody: text\r\n"].concat();
            let section = || Section::new(text.as_bytes(), &Limits::default());
            let (mut usual, mut any) = (section(), section());
            let any_field = any.any_field().unwrap().unwrap();
            if let Some((span, value)) = usual.usual_field() {
                assert_eq!(
                    (alloc::format!("{span:?}"), value, usual.at),
                    (alloc::format!("{:?}", any_field.0), any_field.1, any.at)
                );
            } else {
                assert_eq!(usual.at, 0, "{line}");
            }
            assert_eq!(part(text.as_bytes(), any_field.0.start, any_field.0.end), any_field.1);
        }
        assert!(Section::new(b"To: x\r\n\r\n", &Limits::default()).usual_field().is_some());
    }

    #[test]
    fn lines_are_whole() {
        let text = b"BYE sip:b SIP/2.0\r\nA: 1\r\n  2\r\nB:3\nC:\r\n\r\n";
        let read = view(text);
        let lines: Vec<_> = read.headers().iter().map(|field| field.line).collect();
        assert_eq!(lines, [&b"A: 1\r\n  2\r\n"[..], b"B:3\n", b"C:\r\n"]);
        assert_eq!(read.headers().raw("b"), Some(&b"3"[..]));
        assert_eq!(read.headers().raw("c"), Some(&b""[..]));
    }

    #[test]
    fn a_bare_line_feed_ends_a_line_and_a_bare_return_is_an_error() {
        assert_eq!(view(b"BYE sip:b SIP/2.0\nA: 1\n 2\n\nx").body(), b"x");
        assert_eq!(default_error("BYE sip:b SIP/2.0\r\nA: 1\r2\r\n\r\n"), (ParseErrorKind::CarriageReturn, 23));
        assert_eq!(default_error("BYE sip:b SIP/2.0\r"), (ParseErrorKind::CarriageReturn, 17));
    }

    #[test]
    fn start_lines_are_of_two_forms() {
        let request = view(b"re%47 sip:a;b SIP/2.0\r\n\r\n");
        assert_eq!(request.method(), Some(Method::Other("re%47")));
        let response = view(b"sip/2.0 183 \xd0\x9f x\r\n\r\n");
        assert_eq!(response.status(), Some(StatusCode::SESSION_PROGRESS));
        assert_eq!(view(b"SIP/2.0 100 \r\n\r\n").status(), Some(StatusCode::TRYING));
        for (text, kind) in [
            ("", ParseErrorKind::Empty),
            ("\r\n\r\n", ParseErrorKind::Empty),
            ("INVITE sip:a\r\n\r\n", ParseErrorKind::StartLine),
            ("INVITE\r\n\r\n", ParseErrorKind::StartLine),
            ("GET / HTTP/1.1\r\n\r\n", ParseErrorKind::StartLine),
            ("IN{VITE sip:a SIP/2.0\r\n\r\n", ParseErrorKind::Method),
            (" sip:a SIP/2.0\r\n\r\n", ParseErrorKind::Method),
            ("SIP/2.0 099 x\r\n\r\n", ParseErrorKind::Status),
            ("SIP/2.0 700 x\r\n\r\n", ParseErrorKind::Status),
            ("SIP/2.0 4294967301 x\r\n\r\n", ParseErrorKind::Status),
            ("SIP/2.0 2x0 x\r\n\r\n", ParseErrorKind::Status),
            ("SIP/2.0  200 x\r\n\r\n", ParseErrorKind::Status),
            ("SIP/a 200 x\r\n\r\n", ParseErrorKind::StartLine),
        ] {
            assert_eq!(default_error(text).0, kind, "{text}");
        }
    }

    #[test]
    fn malformed_header_lines_are_errors_with_their_place() {
        let start = "BYE sip:b SIP/2.0\r\n";
        for (line, kind) in [
            ("no colon\r\n\r\n", ParseErrorKind::HeaderLine),
            ("a b: c\r\n\r\n", ParseErrorKind::HeaderName),
            (": c\r\n\r\n", ParseErrorKind::HeaderName),
            (" : c\r\n\r\n", ParseErrorKind::HeaderName),
            (" continued\r\n\r\n", ParseErrorKind::HeaderLine),
            ("<sip:a>: c\r\n\r\n", ParseErrorKind::HeaderName),
            ("Truncat", ParseErrorKind::HeaderLine),
        ] {
            let (found, offset) = default_error(&[start, line].concat());
            assert_eq!(found, kind, "{line}");
            assert!(offset >= 19, "{line}");
        }
    }

    #[test]
    fn the_body_ends_where_content_length_says() {
        let with = |length: &str| {
            let text = alloc::format!("\r\n\r\nBYE sip:b SIP/2.0\r\n{length}\r\nhello");
            String::from_utf8(Message::parse(text.as_bytes(), &Limits::default()).unwrap().body().to_vec()).unwrap()
        };
        assert_eq!(with(""), "hello");
        assert_eq!(with("Content-Length: 2\r\n"), "he");
        assert_eq!(with("l: 002 \r\nContent-Length: 2\r\n"), "he");
        assert_eq!(with("l: 9\r\n"), "hello");
        assert_eq!(with("l: 4294967295\r\n"), "hello");
        assert_eq!(with("l: -1\r\n"), "hello");
    }

    #[test]
    fn what_is_around_a_datagram_is_not_kept() {
        let read =
            Message::parse(b"\r\n\r\nBYE sip:b SIP/2.0\r\nl: 0\r\n\r\nSIP/2.0 200 OK", &Limits::default()).unwrap();
        assert_eq!(&**read.as_bytes(), b"BYE sip:b SIP/2.0\r\nl: 0\r\n\r\n");
    }

    #[test]
    fn each_limit_is_met() {
        let limits =
            Limits { start_line: 20, header_section: 60, headers: 3, body: 4, via_values: 2, parameters: 2, parts: 1 };
        let read = |text: &str| MessageView::parse(text.as_bytes(), &limits).map(drop).map_err(ParseError::kind);
        let line = "BYE sip:bcd SIP/2.0\r\n";
        assert_eq!(read(&alloc::format!("{line}\r\n1234")), Ok(()));
        assert_eq!(read("BYE sip:bcdef SIP/2.0\r\n\r\n"), Err(ParseErrorKind::StartLineTooLong));
        assert_eq!(read(&alloc::format!("{line}\r\n12345")), Err(ParseErrorKind::BodyTooLong));
        assert_eq!(read(&alloc::format!("{line}A:\r\nB:\r\nC:\r\n\r\n")), Ok(()));
        assert_eq!(read(&alloc::format!("{line}A:\r\nB:\r\nC:\r\nD:\r\n\r\n")), Err(ParseErrorKind::TooManyHeaders));
        assert_eq!(read(&alloc::format!("{line}v:a,b\r\n\r\n")), Ok(()));
        assert_eq!(read(&alloc::format!("{line}v:a,b\r\nv:c\r\n\r\n")), Err(ParseErrorKind::TooManyVias));
        assert_eq!(read(&alloc::format!("{line}v:\",\",b\r\n\r\n")), Ok(()));
        assert_eq!(read(&alloc::format!("{line}m:<a;b;c>,<d;e;f>\r\n\r\n")), Ok(()));
        assert_eq!(read(&alloc::format!("{line}m:<a;b;c;d>\r\n\r\n")), Err(ParseErrorKind::TooManyParameters));
        assert_eq!(read(&alloc::format!("{line}s:a;b;c;d;e\r\n\r\n")), Ok(()), "text has no parameters");
        assert_eq!(read("A a:b;c;d SIP/2.0\r\n\r\n"), Ok(()));
        assert_eq!(read("A a:b?c&d;&e SIP/2.0\r\n\r\n"), Err(ParseErrorKind::TooManyParameters));
        let long = "x".repeat(60 - line.len() - 2 - 2 - 2);
        assert_eq!(read(&alloc::format!("{line}A:{long}\r\n\r\n")), Ok(()));
        let bare = alloc::format!("{line}A:{long}xx\n\n");
        assert_eq!(read(&bare), Ok(()));
        assert_eq!(read(&alloc::format!("{bare}ab")), Ok(()), "the body does not count");
        assert_eq!(read(&alloc::format!("{line}A:{long}x\r\n\r\nab")), Err(ParseErrorKind::HeaderSectionTooLong));
        assert_eq!(read(&alloc::format!("{line}A:{long}{long}{long}")), Err(ParseErrorKind::HeaderSectionTooLong));
    }

    #[test]
    fn values_are_typed_on_demand_over_fields_and_commas() {
        let read = view(
            b"BYE sip:b SIP/2.0\r\nRoute: <sip:a;lr>, <sip:b;lr>\r\nm: *\r\nX: 1\r\nroute: broken\r\nRoute:\r\nROUTE: <sip:c>\r\n\r\n",
        );
        let routes: Vec<_> =
            read.headers().all::<Route<'_>>().map(|route| route.map(|route| route.uri.as_bytes())).collect();
        assert_eq!(routes.len(), 4);
        assert_eq!((routes[0], routes[1], routes[3]), (Ok(&b"sip:a;lr"[..]), Ok(&b"sip:b;lr"[..]), Ok(&b"sip:c"[..])));
        assert_eq!(routes[2].map_err(ParseError::header), Err(Some(HeaderId::Route)));
        assert_eq!(read.headers().count(HeaderId::Route), 4);
        assert!(matches!(read.headers().get::<Contact<'_>>(), Some(Ok(Contact::Star))));
        assert!(read.headers().contact().is_none());
        assert!(read.headers().contains("x") && !read.headers().contains("y"));
        assert!(read.headers().top_via().is_none());
    }

    #[test]
    fn more_than_a_handful_of_fields_are_kept() {
        let mut text = String::from("BYE sip:b SIP/2.0\r\n");
        for index in 0..200 {
            text += &alloc::format!("X-{index}: {index}\r\n");
        }
        text += "\r\n";
        assert_eq!(view(text.as_bytes()).headers().raw("x-199"), Some(&b"199"[..]));
    }
}
