//! Header fields being written, one behind the other.

use super::writable::{is_writable, writable_name};
use crate::message::buffer::Buffer;
use crate::message::error::BuildError;
use crate::message::header::Header;
use crate::message::headers::Headers;
use crate::message::method::Method;
use crate::message::name::{HeaderId, HeaderName};
use crate::message::span::{FieldSpan, LONGEST_SECTION, PackedSpan, narrow, part};
use crate::message::text::{self, decimal};
use alloc::vec::Vec;
use core::fmt;
use smallvec::SmallVec;

/// Appends header fields. Text is checked as it comes: a value cannot end its line. The first error is kept, and
/// [`check`](Lines::check) tells it to whoever writes the message.
///
/// Up to 640 octets are kept without an allocation.
#[derive(Clone)]
pub(crate) struct Lines {
    text: Buffer<640>,
    /// Where in the text each field stands.
    fields: SmallVec<[PackedSpan; 16]>,
    /// Where typed values are written before they are appended.
    scratch: Vec<u8>,
    error: Option<BuildError>,
}

impl fmt::Debug for Lines {
    /// How many fields there are; values may be secrets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Lines({} fields)", self.fields.len())
    }
}

impl Lines {
    /// Begins without a field.
    pub(crate) fn new() -> Self {
        Self { text: Buffer::new(), fields: SmallVec::new(), scratch: Vec::new(), error: None }
    }

    /// Appends a field. Content-Length is left out: the right one is written with the body.
    pub(crate) fn header<'n>(&mut self, name: impl Into<HeaderName<'n>>, value: impl AsRef<[u8]>) -> &mut Self {
        self.parts(name, &[value.as_ref()])
    }

    /// Appends a field whose value is these parts, one behind the other, without white space around it.
    pub(crate) fn parts<'n>(&mut self, name: impl Into<HeaderName<'n>>, value: &[&[u8]]) -> &mut Self {
        match writable_name(name.into()) {
            Ok(HeaderName::Known(HeaderId::ContentLength)) => {
                // The value is left out, but a text that would end its line is an error all the same.
                if !value.iter().all(|part| is_writable(part)) {
                    self.fail(BuildError::Control);
                }
            }
            Ok(name) => self.field(name, value),
            Err(error) => self.fail(error),
        }
        self
    }

    /// Appends a field whose value this stack has made itself, such as a number or an option tag: it needs no check, and has no white space
    /// around it.
    pub(crate) fn made(&mut self, id: HeaderId, value: &[&[u8]]) -> &mut Self {
        debug_assert!(id != HeaderId::ContentLength && value.iter().all(|part| is_writable(part)), "{id:?}");
        let line = self.text.len();
        self.text.put(id.line_start().as_bytes());
        let start = self.text.len();
        for part in value {
            self.text.put(part);
        }
        let end = self.text.len();
        self.text.put(b"\r\n");
        self.note(line, start, end, Some(id));
        self
    }

    /// Appends a field whose value is a number.
    pub(crate) fn number(&mut self, id: HeaderId, number: u32) -> &mut Self {
        self.made(id, &[decimal(number as usize).as_bytes()])
    }

    /// Appends CSeq (RFC 3261 §20.16).
    pub(crate) fn cseq(&mut self, number: u32, method: Method<'_>) -> &mut Self {
        let number = decimal(number as usize);
        let value = [number.as_bytes(), b" ", method.as_str().as_bytes()];
        // Whoever makes another method may have put anything into it.
        if matches!(method, Method::Other(_)) {
            self.parts(HeaderId::CSeq, &value)
        } else {
            self.made(HeaderId::CSeq, &value)
        }
    }

    /// Appends a typed field.
    pub(crate) fn typed<'h, H: Header<'h>>(&mut self, header: &H) -> &mut Self {
        let mut scratch = core::mem::take(&mut self.scratch);
        scratch.clear();
        header.write(&mut scratch);
        self.parts(H::ID, &[&scratch]);
        self.scratch = scratch;
        self
    }

    /// Appends every field of this header byte for byte. Content-Length is left out, as everywhere here.
    pub(crate) fn copy(&mut self, headers: Headers<'_>, id: HeaderId) -> &mut Self {
        if id == HeaderId::ContentLength {
            return self;
        }
        for (_, field) in headers.known().filter(|(known, _)| *known == id) {
            let by = self.text.len().wrapping_sub(field.line.into());
            self.fields.push(FieldSpan::moved(field.pack(), by));
            self.text.put(headers.text(&field));
            self.text.put(b"\r\n");
        }
        self
    }

    /// Appends the fields of other lines, and what was wrong with them.
    pub(crate) fn append(&mut self, other: &Self) {
        let by = self.text.len();
        self.fields.extend(other.fields.iter().map(|field| FieldSpan::moved(*field, by)));
        self.text.put(other.text.as_bytes());
        if let Some(error) = other.error {
            self.fail(error);
        }
    }

    /// Appends those fields of other lines whose names these did not have before, and what was wrong with the other ones.
    pub(crate) fn append_missing(&mut self, other: &Self) {
        let before = self.fields.len();
        for field in other.fields.iter().map(|field| FieldSpan::unpack(*field)) {
            let text = other.text.as_bytes();
            let name = name_of(text, &field);
            let own = self.text.as_bytes();
            let mut had = self.fields.iter().take(before).map(|field| FieldSpan::unpack(*field));
            if had.any(|field| name_of(own, &field).eq_ignore_ascii_case(name)) {
                continue;
            }
            let by = self.text.len().wrapping_sub(field.line.into());
            self.fields.push(FieldSpan::moved(field.pack(), by));
            self.text.put(part(text, field.line, field.end));
            self.text.put(b"\r\n");
        }
        if let Some(error) = other.error {
            self.fail(error);
        }
    }

    /// Whether a field of this header was appended.
    pub(crate) fn contains(&self, id: HeaderId) -> bool {
        self.fields.iter().any(|field| FieldSpan::unpack(*field).id == Some(id))
    }

    fn field(&mut self, name: HeaderName<'_>, value: &[&[u8]]) {
        let line = self.text.len();
        match name {
            HeaderName::Known(id) => self.text.put(id.line_start().as_bytes()),
            HeaderName::Other(name) => {
                self.text.put(name.as_bytes());
                self.text.put(b": ");
            }
        }
        let start = self.text.len();
        for part in value {
            if !is_writable(part) {
                self.fail(BuildError::Control);
            }
            self.text.put(if self.text.len() == start { text::trim_start(part) } else { part });
        }
        let length = text::trim_end(self.text.as_bytes().get(start..).unwrap_or_default()).len();
        self.text.truncate(start + length);
        self.text.put(b"\r\n");
        let id = if let HeaderName::Known(id) = name { Some(id) } else { None };
        self.note(line, start, start + length, id);
    }

    /// Notes where a field stands: its line, and its value.
    fn note(&mut self, line: usize, start: usize, end: usize, id: Option<HeaderId>) {
        // An empty value stands right behind the colon, as a reader has it.
        let behind_colon = usize::from(start == end);
        let [line, start, end] = [line, start - behind_colon, end - behind_colon].map(narrow);
        self.fields.push(FieldSpan { line, start, end, id }.pack());
    }

    /// Whether there is such a field.
    pub(crate) fn has(&self, id: HeaderId) -> bool {
        self.fields.iter().any(|field| FieldSpan::unpack(*field).id == Some(id))
    }

    /// Whether there is no field.
    pub(crate) fn is_empty(&self) -> bool {
        self.fields.is_empty()
    }

    /// Where in the text each field stands.
    pub(super) fn fields(&self) -> &[PackedSpan] {
        &self.fields
    }

    /// How many octets the fields take, each with its line end.
    pub(super) fn len(&self) -> usize {
        self.text.len()
    }

    /// Whether a name or value that was given cannot be written.
    pub(crate) const fn has_failed(&self) -> bool {
        self.error.is_some()
    }

    /// Keeps the first error.
    pub(super) fn fail(&mut self, error: BuildError) {
        self.error.get_or_insert(error);
    }

    /// The fields, each with its line end.
    ///
    /// # Errors
    /// The first name or value that cannot be written.
    pub(in crate::message) fn check(&self) -> Result<&[u8], BuildError> {
        self.error.map_or(Ok(self.text.as_bytes()), Err)
    }
}

/// The name of a field that stands in this text.
fn name_of<'t>(text: &'t [u8], field: &FieldSpan) -> &'t [u8] {
    text::trim_end(part(text, field.line, field.start)).strip_suffix(b":").unwrap_or_default()
}

/// A body and its Content-Type; an empty type writes none.
#[derive(Clone, Copy, Default)]
pub(crate) struct Content<'a> {
    /// The value of Content-Type.
    pub(crate) content_type: &'a str,
    /// The body.
    pub(crate) octets: &'a [u8],
}

impl<'a> Content<'a> {
    /// Content-Type with its name and line end, in parts; all are empty if there is none.
    ///
    /// # Errors
    /// The type cannot be written.
    pub(in crate::message) fn type_parts(self) -> Result<[&'a [u8]; 3], BuildError> {
        match text::trim(self.content_type.as_bytes()) {
            _ if !is_writable(self.content_type.as_bytes()) => Err(BuildError::Control),
            _ if self.content_type.is_empty() => Ok([&[]; 3]),
            value => Ok([b"Content-Type: ", value, b"\r\n"]),
        }
    }
}

/// Fails if a header section of so many octets, the empty line included, cannot be held.
pub(super) const fn check_section(octets: usize) -> Result<(), BuildError> {
    if octets > LONGEST_SECTION { Err(BuildError::TooLong) } else { Ok(()) }
}
