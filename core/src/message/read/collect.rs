//! One pass over a header section, which collects where things stand (RFC 3261 §7, §25.1).

use super::length::Length;
use super::section::Section;
use super::start_line;
use crate::message::bytes::{Blank, SharedBytes};
use crate::message::error::{BuildError, ParseError, ParseErrorKind};
use crate::message::layout::{Defect, Layout, StartLine};
use crate::message::limits::Limits;
use crate::message::marks::{Marking, PackedMarks};
use crate::message::name::HeaderId;
use crate::message::span::{FieldSpan, PackedSpan, narrow, part};
use crate::message::text::{self, Values};
use crate::message::uri::UserPart;
use smallvec::SmallVec;

/// The spans of one message, as they are collected. See [`Layout`].
#[derive(Debug)]
pub(crate) struct Spans {
    pub(crate) start: StartLine,
    pub(crate) fields: SmallVec<[PackedSpan; 32]>,
    pub(crate) first_field: u16,
    pub(crate) fields_end: u16,
    pub(crate) body: u32,
    pub(crate) end: u32,
    pub(crate) defect: Option<Defect>,
    pub(crate) marks: Option<PackedMarks>,
    pub(crate) user_part: UserPart,
}

impl Clone for Spans {
    /// A derived one copies the fields one by one.
    fn clone(&self) -> Self {
        Self { fields: SmallVec::from_slice(&self.fields), ..*self }
    }
}

impl Spans {
    /// No spans yet.
    pub(in crate::message) fn blank() -> Self {
        Self {
            start: StartLine::Request { method: 0, uri: 0, uri_end: 0 },
            fields: SmallVec::new(),
            first_field: 0,
            fields_end: 0,
            body: 0,
            end: 0,
            defect: None,
            marks: None,
            user_part: UserPart::Strict,
        }
    }

    /// Finds the spans of a message that was just written.
    ///
    /// # Errors
    /// Its header section is too long: its lines were checked one by one, so that only their sum can be wrong.
    pub(in crate::message) fn of_written(bytes: &[u8]) -> Result<Self, BuildError> {
        let mut layout = Self::read(bytes, &Limits::UNBOUNDED).map_err(|_| BuildError::TooLong)?;
        // Whatever URI is in it was read before, or is the application's to choose.
        layout.user_part = UserPart::NumberSign;
        Ok(layout)
    }

    /// Whether there are no more header fields, and no more values of Via, than these limits allow.
    pub(super) fn are_within(&self, bytes: &[u8], limits: &Limits) -> bool {
        self.fields.len() <= limits.headers && check_vias(bytes, &self.fields, limits).is_ok()
    }

    /// Reads one message that begins at the first octet and ends at or before the last.
    pub(crate) fn read(bytes: &[u8], limits: &Limits) -> Result<Self, ParseError> {
        let mut spans = Self::blank();
        spans.fill(bytes, limits)?;
        Ok(spans)
    }

    /// Reads one message into a blank table where it stands: the table is large, and each move of it costs some 50 instructions.
    pub(in crate::message) fn fill(&mut self, bytes: &[u8], limits: &Limits) -> Result<(), ParseError> {
        let mut section = Section::new(bytes, limits);
        let (start, line_defect) = start_line::read(section.line()?, limits)?;
        check_uri(bytes, &start, limits)?;
        (self.start, self.first_field) = (start, narrow(section.at));
        let (mut length, mut via_octets) = (Length::Absent, 0);
        let mut marking = Marking::default();
        let mut room = limits.headers;
        while let Some((field, value)) = section.field()? {
            let Some(less) = room.checked_sub(1) else {
                return Err(ParseError::new(ParseErrorKind::TooManyHeaders, field.line.into()));
            };
            room = less;
            match field.id {
                Some(HeaderId::ContentLength) => length = length.with(value),
                Some(HeaderId::Via) => {
                    via_octets += value.len() + 1;
                    marking.via(value);
                }
                Some(id) => marking.note(id, field.start, value),
                None => {}
            }
            // Values of fewer octets cannot have too many.
            if value.len() > limits.parameters {
                check_parameters(&field, value, limits)?;
            }
            self.fields.push(field.pack());
        }
        // Fewer octets cannot hold too many.
        if via_octets > limits.via_values {
            check_vias(bytes, &self.fields, limits)?;
        }
        self.fields_end = narrow(section.at);
        let terminated = section.empty_line();
        let body = section.at;
        let (end, length_defect) = length.end_of_body(body, bytes.len());
        if end - body > limits.body {
            return Err(ParseError::new(ParseErrorKind::BodyTooLong, body));
        }
        (self.body, self.end) = (wide(body), wide(end));
        self.marks = marking.finish();
        self.defect = line_defect.or((!terminated).then_some(Defect::Unterminated)).or(length_defect);
        Ok(())
    }

    /// Finds the marks of a message whose fields are known.
    fn mark(&mut self, bytes: &[u8]) {
        let mut marking = Marking::default();
        for packed in &self.fields {
            let FieldSpan { start, end, id: Some(id), .. } = FieldSpan::unpack(*packed) else { continue };
            marking.note(id, start, part(bytes, start, end));
        }
        self.marks = marking.finish();
    }

    /// The spans, borrowed.
    pub(crate) fn layout(&self) -> Layout<'_> {
        let Self { start, ref fields, first_field, fields_end, body, end, defect, ref marks, user_part } = *self;
        Layout { start, first_field, fields_end, body, end, defect, fields, marks: marks.as_ref(), user_part }
    }
}

impl SharedBytes {
    /// Copies a message, which these are the spans of.
    pub(in crate::message) fn of_message(bytes: &[u8], spans: &Spans) -> Self {
        let layout = spans.layout();
        Self::with_tail(bytes.len(), Layout::packed_len(layout.fields.len()), |octets, tail| {
            Blank::new(octets).put(bytes);
            layout.pack(tail);
        })
    }

    /// Writes a message of these parts, which these are the spans of but for the marks.
    pub(in crate::message) fn of_written(parts: &[&[u8]], mut spans: Spans) -> Self {
        let length = parts.iter().map(|part| part.len()).sum();
        Self::with_tail(length, Layout::packed_len(spans.fields.len()), |octets, tail| {
            let mut blank = Blank::new(octets);
            parts.iter().for_each(|part| blank.put(part));
            spans.mark(octets);
            spans.layout().pack(tail);
        })
    }
}

fn wide(offset: usize) -> u32 {
    u32::try_from(offset).unwrap_or(u32::MAX)
}

fn check_vias(bytes: &[u8], fields: &[PackedSpan], limits: &Limits) -> Result<(), ParseError> {
    let mut values = 0;
    let vias = fields.iter().filter(|packed| FieldSpan::is(packed, HeaderId::Via));
    for field in vias.map(|packed| FieldSpan::unpack(*packed)) {
        values += count_values(part(bytes, field.start, field.end));
        if values > limits.via_values {
            return Err(ParseError::new(ParseErrorKind::TooManyVias, field.start.into()).within(HeaderId::Via));
        }
    }
    Ok(())
}

/// The values of one field.
fn count_values(value: &[u8]) -> usize {
    if text::find(value, b',').is_none() { 1 } else { Values::new(value).count() }
}

/// Values that are long enough to have too many parameters have them counted; `;` and `&` of a URI count too.
fn check_parameters(field: &FieldSpan, value: &[u8], limits: &Limits) -> Result<(), ParseError> {
    use HeaderId::{Organization, Server, Subject, UserAgent};
    // A header that is not known is never typed, and text has no parameters.
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

/// Counts the parameters of the Request-URI.
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
    pub(crate) fields: SmallVec<[PackedSpan; 4]>,
    /// Where the last field ends.
    pub(crate) fields_end: u16,
    /// Where the body begins.
    pub(crate) body: usize,
}

impl PartLayout {
    /// Reads a part that begins with its first field, or with an empty line if it has none.
    pub(crate) fn read(bytes: &[u8], limits: &Limits) -> Result<Self, ParseError> {
        let mut section = Section::new(bytes, limits).strict();
        let mut fields = SmallVec::new();
        while let Some((field, value)) = section.field()? {
            if fields.len() >= limits.headers {
                return Err(ParseError::new(ParseErrorKind::TooManyHeaders, field.line.into()));
            }
            check_parameters(&field, value, limits)?;
            fields.push(field.pack());
        }
        let fields_end = narrow(section.at);
        section.empty_line();
        Ok(Self { fields, fields_end, body: section.at })
    }
}

#[cfg(test)]
mod tests {
    use crate::message::header::{Contact, Route};
    use crate::message::{HeaderId, Limits, Message, MessageView, ParseError, ParseErrorKind};
    use alloc::string::String;
    use alloc::vec::Vec;

    fn view(text: &[u8]) -> MessageView<'_> {
        MessageView::parse(text, &Limits::default()).unwrap_or_else(|error| panic!("{error}"))
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
        assert_eq!(read(&alloc::format!("{line}A:{long}\r\n\r\nab")), Ok(()), "the body does not count");
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
}
