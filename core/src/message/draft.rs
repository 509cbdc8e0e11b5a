//! A message being written: line by line, Content-Length last.

use super::bytes::SharedBytes;
use super::error::BuildError;
use super::header::Header;
use super::headers::Headers;
use super::layout::{FieldSpan, Layout};
use super::name::{HeaderId, HeaderName};
use super::request::Request;
use super::scan;
use super::start_line::StartLine;
use super::writable::{decimal, field_parts, is_writable, value_span, writable_name};
use alloc::vec::Vec;
use smallvec::SmallVec;

/// What both builders do.
#[derive(Clone)]
pub(super) struct Draft {
    /// The start line and the fields.
    pub(super) lines: Vec<u8>,
    /// Where the fields stand in the lines.
    pub(super) fields: SmallVec<[FieldSpan; 32]>,
    content_type: Vec<u8>,
    body: Vec<u8>,
    error: Option<BuildError>,
}

impl Draft {
    pub(super) fn new(octets: usize) -> Self {
        let lines = Vec::with_capacity(octets);
        Self { lines, fields: SmallVec::new(), content_type: Vec::new(), body: Vec::new(), error: None }
    }

    /// Keeps the first error.
    pub(super) fn fail(&mut self, error: BuildError) {
        self.error.get_or_insert(error);
    }

    pub(super) fn check(&mut self, value: &[u8]) {
        if !is_writable(value) {
            self.fail(BuildError::Control);
        }
    }

    pub(super) fn field(&mut self, name: HeaderName<'_>, value: &[u8]) {
        self.check(value);
        match writable_name(name) {
            Ok(HeaderName::Known(HeaderId::ContentLength)) => {}
            Ok(name) => self.write(name, value),
            Err(error) => self.fail(error),
        }
    }

    fn write(&mut self, name: HeaderName<'_>, value: &[u8]) {
        let value = scan::trim(value);
        let id = if let HeaderName::Known(id) = name { Some(id) } else { None };
        self.span(self.lines.len(), id, value_span(name, value).0, value.len());
        field_parts(name, value).iter().for_each(|part| self.lines.extend_from_slice(part));
    }

    /// Notes the field of the line that begins there, and where in it the value stands.
    fn span(&mut self, line: usize, id: Option<HeaderId>, value: usize, length: usize) {
        match (narrow(line), narrow(line + value), narrow(line + value + length)) {
            (Ok(line), Ok(start), Ok(end)) => self.fields.push(FieldSpan { line, start, end, id }),
            _ => self.fail(BuildError::TooLong),
        }
    }

    /// Appends text to the value of a field.
    pub(super) fn append(&mut self, index: usize, text: &[&[u8]]) {
        let Some(field) = self.fields.get_mut(index) else { return };
        let (at, length) = (usize::from(field.end), text.iter().map(|part| part.len()).sum::<usize>());
        match narrow(at + length) {
            Ok(end) => field.end = end,
            Err(error) => return self.fail(error),
        }
        self.put(at, 0, text, index + 1);
    }

    /// Puts text in the place of so many octets; the fields from this one on stand behind it.
    pub(super) fn put(&mut self, at: usize, old: usize, text: &[&[u8]], behind: usize) {
        let before = self.lines.len();
        text.iter().for_each(|part| self.lines.extend_from_slice(part));
        let added = self.lines.len() - before;
        if narrow(self.lines.len()).is_err() {
            return self.fail(BuildError::TooLong);
        }
        if let Some(tail) = self.lines.get_mut(at..) {
            tail.rotate_right(added);
        }
        self.lines.drain(at + added..at + added + old);
        // Neither goes below the beginning, nor above the length of the lines.
        let moved = |offset: u16| narrow(usize::from(offset) + added - old).unwrap_or(u16::MAX);
        for field in self.fields.iter_mut().skip(behind) {
            *field =
                FieldSpan { line: moved(field.line), start: moved(field.start), end: moved(field.end), id: field.id };
        }
    }

    pub(super) fn typed<'h, H: Header<'h>>(&mut self, header: &H) {
        if H::ID == HeaderId::ContentLength {
            return;
        }
        let [name, colon, ..] = field_parts(H::ID.into(), &[]);
        let line = self.lines.len();
        self.lines.extend_from_slice(name);
        self.lines.extend_from_slice(colon);
        let start = self.lines.len();
        header.write(&mut self.lines);
        let value = self.lines.get(start..).unwrap_or_default();
        let (end, trimmed) = (start + scan::trim_end(value).len(), scan::trim(value).len());
        if !is_writable(value) {
            self.fail(BuildError::Control);
        }
        self.lines.truncate(end);
        self.lines.drain(start..end - trimmed);
        let value = self.lines.get(start..).unwrap_or_default();
        let (value, length) = (value_span(H::ID.into(), value).0, value.len());
        self.span(line, Some(H::ID), value, length);
        self.lines.extend_from_slice(b"\r\n");
    }

    pub(super) fn copy(&mut self, request: &Request, id: HeaderId) {
        let headers = request.headers();
        for (_, field) in headers.known().filter(|(known, _)| *known == id) {
            self.line(headers, &field);
        }
    }

    /// Adds a field of another message.
    pub(super) fn line(&mut self, headers: Headers<'_>, field: &FieldSpan) {
        let text = headers.text(field);
        let (value, length) = (usize::from(field.start - field.line), usize::from(field.end - field.start));
        self.span(self.lines.len(), field.id, value, length);
        self.lines.extend_from_slice(text);
        self.lines.extend_from_slice(b"\r\n");
    }

    pub(super) fn body(&mut self, content_type: &str, body: &[u8]) {
        self.check(content_type.as_bytes());
        self.content_type = content_type.as_bytes().to_vec();
        self.body = body.to_vec();
    }

    pub(super) fn finish(mut self, start: StartLine, first_field: usize) -> Result<(SharedBytes, Layout), BuildError> {
        let content_type = core::mem::take(&mut self.content_type);
        if !content_type.is_empty() {
            self.write(HeaderId::ContentType.into(), &content_type);
        }
        self.write(HeaderId::ContentLength.into(), decimal(self.body.len()).as_bytes());
        if let Some(error) = self.error {
            return Err(error);
        }
        let fields_end = narrow(self.lines.len())?;
        let body = self.lines.len() + b"\r\n".len();
        // The empty line counts: a reader bounds them together.
        narrow(body)?;
        let out = SharedBytes::of_parts(&[&self.lines, b"\r\n", &self.body]);
        let wide = |offset: usize| u32::try_from(offset).map_err(|_| BuildError::TooLong);
        let layout = Layout {
            start,
            fields: self.fields,
            first_field: narrow(first_field)?,
            fields_end,
            body: wide(body)?,
            end: wide(out.len())?,
            defect: None,
        };
        Ok((out, layout))
    }
}

/// An offset as a span has it.
pub(super) fn narrow(offset: usize) -> Result<u16, BuildError> {
    u16::try_from(offset).map_err(|_| BuildError::TooLong)
}
