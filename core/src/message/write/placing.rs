//! Where everything stands in a message that is being written: known as it is written, so that nobody has to look.

use super::lines::{Content, Lines};
use crate::message::layout::StartLine;
use crate::message::name::HeaderId;
use crate::message::read::Spans;
use crate::message::span::{FieldSpan, narrow};
use crate::message::text::{self, decimal};
use crate::message::uri::UserPart;

/// Collects where the fields stand, one behind the other. Offsets beyond the longest section are cut off: the writer refuses such a
/// message.
pub(super) struct Placing {
    spans: Spans,
    /// Where the next field begins.
    at: usize,
}

impl Placing {
    /// Begins behind a first line that takes so many octets with its end.
    pub(super) fn behind(start: StartLine, octets: usize) -> Self {
        Self { spans: Spans { start, first_field: narrow(octets), ..Spans::blank() }, at: octets }
    }

    /// Adds a field as it stands in another message, with so many octets added behind its value.
    pub(super) fn copied(&mut self, field: FieldSpan, added: usize) {
        let length = usize::from(field.end - field.line) + added;
        let packed = FieldSpan { end: field.end.wrapping_add(narrow(added)), ..field }.pack();
        self.spans.fields.push(FieldSpan::moved(packed, self.at.wrapping_sub(field.line.into())));
        self.at += length + b"\r\n".len();
    }

    /// Adds these lines.
    pub(super) fn lines(&mut self, lines: &Lines) {
        self.spans.fields.extend(lines.fields().iter().map(|packed| FieldSpan::moved(*packed, self.at)));
        self.at += lines.len();
    }

    /// Adds the fields of the content, and the empty line.
    pub(super) fn content(mut self, content: &Content<'_>) -> Spans {
        if !content.content_type.is_empty() {
            self.field(HeaderId::ContentType, text::trim(content.content_type.as_bytes()).len());
        }
        self.field(HeaderId::ContentLength, decimal(content.octets.len()).len());
        let body = self.at + b"\r\n".len();
        let [body, end] = [body, body + content.octets.len()].map(|at| u32::try_from(at).unwrap_or(u32::MAX));
        // Whatever URI is in it was read before, or is the application's to choose.
        Spans { fields_end: narrow(self.at), body, end, user_part: UserPart::NumberSign, ..self.spans }
    }

    fn field(&mut self, id: HeaderId, value: usize) {
        let start = self.at + id.as_str().len() + b": ".len();
        let behind = start + value;
        // An empty value stands right behind the colon.
        let start = start - usize::from(value == 0);
        let [line, start, end] = [self.at, start, start + value].map(narrow);
        self.spans.fields.push(FieldSpan { line, start, end, id: Some(id) }.pack());
        self.at = behind + b"\r\n".len();
    }
}
