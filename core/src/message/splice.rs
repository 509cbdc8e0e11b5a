//! Replacing parts of a message: what an edit comes down to. Octets between the parts are copied in runs.

use super::bytes::SharedBytes;
use super::error::BuildError;
use super::layout::{FieldSpan, LONGEST_SECTION, Layout, part};
use super::name::{HeaderId, HeaderName};
use super::scan;
use super::start_line::StartLine;
use super::writable::{field_parts, is_writable, layout_of, value_span};
use smallvec::SmallVec;

/// The rank of the body: behind all that is put in before it.
const BODY: i32 = i32::MAX;

/// The rank of what stands in a line: before the end of that line, should it be missing.
const WITHIN: i32 = i32::MIN;

/// Parts of a message and what stands in their place.
#[derive(Clone)]
pub(super) struct Splices {
    list: SmallVec<[Splice; 8]>,
    /// What the splices put in.
    text: Text,
    /// How long the new body is, if there is one.
    body: Option<usize>,
}

/// Octets to be put in. Those of a usual change need no allocation.
#[derive(Clone)]
pub(super) struct Text(SmallVec<[u8; 256]>);

impl Text {
    pub(super) fn put(&mut self, octets: &[u8]) {
        self.0.extend_from_slice(octets);
    }
}

/// Octets `from..to` of the original are replaced by `text..text_end` of the text.
#[derive(Clone, Copy)]
struct Splice {
    from: usize,
    to: usize,
    /// The order of what is put in at one place.
    rank: i32,
    text: usize,
    text_end: usize,
    /// What is put in is a field: which, and where in it the value begins and ends.
    field: Option<(Option<HeaderId>, (usize, usize))>,
}

impl Splice {
    const fn len(&self) -> usize {
        self.text_end - self.text
    }
}

impl Splices {
    pub(super) fn new() -> Self {
        Self { list: SmallVec::new(), text: Text(SmallVec::new()), body: None }
    }

    /// Replaces octets within one line by what `write` appends.
    pub(super) fn replace(&mut self, from: usize, to: usize, write: impl FnOnce(&mut Text)) {
        self.push(from, to, WITHIN, write);
    }

    /// Takes octets out.
    pub(super) fn cut(&mut self, from: usize, to: usize) {
        self.push(from, to, 0, |_| {});
    }

    /// Puts in a field before all that is put in at this place already.
    pub(super) fn insert_before(&mut self, at: usize, name: HeaderName<'_>, value: &[u8]) -> Result<(), BuildError> {
        self.insert(at, -1 - self.count(), name, value)
    }

    /// Puts in a field after all that is put in at this place already.
    pub(super) fn insert_after(&mut self, at: usize, name: HeaderName<'_>, value: &[u8]) -> Result<(), BuildError> {
        self.insert(at, self.count(), name, value)
    }

    /// Replaces the body.
    pub(super) fn body(&mut self, layout: &Layout, body: &[u8]) {
        if self.body.is_none() {
            self.body = Some(body.len());
            self.push(layout.body as usize, layout.end as usize, BODY, |out| out.put(body));
        }
    }

    /// How long the body will be.
    pub(super) fn body_len(&self, layout: &Layout) -> usize {
        self.body.unwrap_or((layout.end - layout.body) as usize)
    }

    fn count(&self) -> i32 {
        i32::try_from(self.list.len()).unwrap_or(BODY - 2)
    }

    fn insert(&mut self, at: usize, rank: i32, name: HeaderName<'_>, value: &[u8]) -> Result<(), BuildError> {
        if !is_writable(value) {
            return Err(BuildError::Control);
        }
        let value = scan::trim(value);
        self.push(at, at, rank, |out| field_parts(name, value).iter().for_each(|part| out.put(part)));
        let id = if let HeaderName::Known(id) = name { Some(id) } else { None };
        if let Some(splice) = self.list.last_mut() {
            splice.field = Some((id, value_span(name, value)));
        }
        Ok(())
    }

    fn push(&mut self, from: usize, to: usize, rank: i32, write: impl FnOnce(&mut Text)) {
        let text = self.text.0.len();
        write(&mut self.text);
        self.list.push(Splice { from, to, rank, text, text_end: self.text.0.len(), field: None });
    }

    /// The changed copy and its spans.
    pub(super) fn apply(mut self, bytes: &[u8], layout: &Layout) -> Result<(SharedBytes, Layout), BuildError> {
        self.terminate(bytes, layout);
        self.list.sort_by_key(|splice| (splice.from, splice.rank));
        // What is inside something already replaced is gone with it.
        let mut at = 0;
        self.list.retain(|splice| {
            let kept = splice.from >= at;
            at = if kept { splice.to } else { at };
            kept
        });
        let length =
            self.list.iter().fold(bytes.len(), |length, splice| length + splice.len() - (splice.to - splice.from));
        let out = SharedBytes::written(length, |out| {
            let mut at = 0;
            for splice in &self.list {
                out.put(bytes.get(at..splice.from).unwrap_or_default());
                out.put(self.text.0.get(splice.text..splice.text_end).unwrap_or_default());
                at = splice.to;
            }
            out.put(bytes.get(at..).unwrap_or_default());
        });
        let layout = self.layout(layout, &out)?;
        Ok((out, layout))
    }

    /// Adds the empty line, should it be missing.
    fn terminate(&mut self, bytes: &[u8], layout: &Layout) {
        let end = usize::from(layout.fields_end);
        if end == layout.body as usize {
            // The last line has no end, unless it goes as a whole.
            let last = layout.fields.last().map_or(0, |field| usize::from(field.line));
            let goes = self.list.iter().any(|splice| splice.from == last && splice.to == end);
            if bytes.last() != Some(&b'\n') && !goes {
                self.push(end, end, WITHIN + 1, |out| out.put(b"\r\n"));
            }
            self.push(end, end, BODY - 1, |out| out.put(b"\r\n"));
        }
    }

    /// The spans of the changed copy, from those of the original.
    fn layout(&self, old: &Layout, out: &[u8]) -> Result<Layout, BuildError> {
        if old.defect.is_some() {
            // The change may have mended it.
            return layout_of(out);
        }
        let body = out.len() - self.body_len(old);
        let empty_line = old.body as usize - usize::from(old.fields_end);
        let fields_end = body - empty_line;
        if body > LONGEST_SECTION {
            return Err(BuildError::TooLong);
        }
        let mut walk = Walk { rest: &self.list, shift: 0, fields: SmallVec::new() };
        let mut start = old.start;
        if let StartLine::Request { uri_end, .. } = &mut start {
            walk.pass(|splice| splice.to <= usize::from(*uri_end));
            *uri_end = walk.moved(*uri_end);
        }
        let first_field = walk.moved(old.first_field);
        for field in &old.fields {
            walk.pass(|splice| splice.to <= usize::from(field.line));
            // A field is replaced from its beginning only if it goes as a whole.
            if walk.pass_one(|splice| splice.from == usize::from(field.line)) {
                continue;
            }
            let (line, start) = (walk.moved(field.line), walk.moved(field.start));
            let untouched = walk.rest.len();
            walk.pass(|splice| splice.to <= usize::from(field.end));
            let mut span = FieldSpan { line, start, end: walk.moved(field.end), id: field.id };
            if walk.rest.len() != untouched {
                span.trim(out);
            }
            walk.fields.push(span);
        }
        walk.pass(|_| true);
        let wide = |offset: usize| u32::try_from(offset).map_err(|_| BuildError::TooLong);
        Ok(Layout {
            start,
            fields: walk.fields,
            first_field,
            fields_end: narrow(fields_end),
            body: wide(body)?,
            end: wide(out.len())?,
            defect: None,
        })
    }
}

impl FieldSpan {
    /// Leaves white space out that has come to stand at an end of the value: before an empty first value, say.
    fn trim(&mut self, bytes: &[u8]) {
        let value = scan::trim_end(part(bytes, self.start, self.end));
        self.end = self.start + narrow(value.len());
        self.start = self.end - narrow(scan::trim_start(value).len());
        if self.start == self.end {
            // An empty value stands right behind the colon.
            let colon = scan::find(part(bytes, self.line, self.start), b':').unwrap_or_default();
            (self.start, self.end) = (self.line + narrow(colon + 1), self.line + narrow(colon + 1));
        }
    }
}

/// Goes through splices and fields side by side.
struct Walk<'a> {
    rest: &'a [Splice],
    /// By how much octets behind the splices passed have moved, modulo 2^64.
    shift: usize,
    fields: SmallVec<[FieldSpan; 32]>,
}

impl Walk<'_> {
    fn moved(&self, offset: u16) -> u16 {
        narrow(usize::from(offset).wrapping_add(self.shift))
    }

    fn pass(&mut self, is_before: impl Fn(&Splice) -> bool) {
        while self.pass_one(&is_before) {}
    }

    /// Passes the next splice if it is that; notes the field that it puts in.
    fn pass_one(&mut self, is_it: impl Fn(&Splice) -> bool) -> bool {
        let [splice, rest @ ..] = self.rest else { return false };
        if !is_it(splice) {
            return false;
        }
        self.rest = rest;
        if let Some((id, value)) = splice.field {
            let line = splice.from.wrapping_add(self.shift);
            let [line, start, end] = [line, line + value.0, line + value.1].map(narrow);
            self.fields.push(FieldSpan { line, start, end, id });
        }
        self.shift = self.shift.wrapping_add(splice.len()).wrapping_sub(splice.to - splice.from);
        true
    }
}

/// The section was found short enough.
fn narrow(offset: usize) -> u16 {
    u16::try_from(offset).unwrap_or(u16::MAX)
}
