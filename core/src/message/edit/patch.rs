//! The patch engine: every copy of a message with changes is made here, and so is the shift of its spans.
//!
//! A patch says which octets of the original are cut and what is put in their place. Octets between patches are copied in runs.
//! Spans are shifted in one walk over patches and fields side by side.

use crate::message::buffer::Buffer;
use crate::message::bytes::{Blank, SharedBytes};
use crate::message::error::BuildError;
use crate::message::layout::{Layout, StartLine};
use crate::message::marks::{Marks, PackedMarks};
use crate::message::name::{HeaderId, HeaderName};
use crate::message::read::Spans;
use crate::message::span::{FieldSpan, LONGEST_SECTION, PackedSpan, part};
use crate::message::text;
use crate::message::write::is_writable;
use smallvec::SmallVec;

/// The rank of the body: behind all that is put in before it.
const BODY: i32 = i32::MAX;

/// The rank of what stands in a line: before the end of that line, should it be missing.
const WITHIN: i32 = i32::MIN;

/// Patches of one message, collected in any order.
pub(super) struct Patches {
    list: SmallVec<[Patch; 8]>,
    /// The texts that the patches put in, one behind the other. The text of a usual change needs no allocation.
    text: Buffer<256>,
    /// How long the new body is, if there is one.
    body: Option<usize>,
}

/// Octets `from..to` of the original are replaced by `text..text_end` of the text.
#[derive(Clone, Copy)]
struct Patch {
    from: usize,
    to: usize,
    text: usize,
    text_end: usize,
    /// The order of what is put in at one place.
    rank: i32,
    /// The field that is put in, if it is one.
    field: Option<NewField>,
}

impl Patch {
    const fn len(&self) -> usize {
        self.text_end - self.text
    }
}

/// Which header a field put in is, and where in it the value begins and ends.
#[derive(Clone, Copy)]
struct NewField {
    id: Option<HeaderId>,
    start: usize,
    end: usize,
}

impl Clone for Patches {
    /// A derived one copies the patches one by one.
    fn clone(&self) -> Self {
        Self { list: SmallVec::from_slice(&self.list), text: self.text.clone(), body: self.body }
    }
}

impl Patches {
    pub(super) fn new() -> Self {
        Self { list: SmallVec::new(), text: Buffer::new(), body: None }
    }

    /// Replaces octets within one line by these parts.
    pub(super) fn replace(&mut self, from: usize, to: usize, parts: &[&[u8]]) {
        self.push(from, to, WITHIN, parts);
    }

    /// Cuts octets.
    pub(super) fn cut(&mut self, from: usize, to: usize) {
        self.push(from, to, 0, &[]);
    }

    /// Puts in a field before all that is put in at this place already.
    pub(super) fn insert_before(&mut self, at: usize, name: HeaderName<'_>, value: &[&[u8]]) -> Result<(), BuildError> {
        self.insert(at, -1 - self.count(), name, value)
    }

    /// Puts in a field after all that is put in at this place already.
    pub(super) fn insert_after(&mut self, at: usize, name: HeaderName<'_>, value: &[&[u8]]) -> Result<(), BuildError> {
        self.insert(at, self.count(), name, value)
    }

    /// Replaces the body; the first counts.
    pub(super) fn body(&mut self, layout: &Layout<'_>, body: &[u8]) {
        if self.body.is_none() {
            self.body = Some(body.len());
            self.push(layout.body as usize, layout.end as usize, BODY, &[body]);
        }
    }

    /// How long the body will be.
    pub(super) fn body_len(&self, layout: &Layout<'_>) -> usize {
        self.body.unwrap_or((layout.end - layout.body) as usize)
    }

    fn count(&self) -> i32 {
        i32::try_from(self.list.len()).unwrap_or(BODY - 2)
    }

    fn insert(&mut self, at: usize, rank: i32, name: HeaderName<'_>, value: &[&[u8]]) -> Result<(), BuildError> {
        if !value.iter().all(|part| is_writable(part)) {
            return Err(BuildError::Control);
        }
        let text = self.text.len();
        self.text.put(name.as_str().as_bytes());
        self.text.put(b": ");
        let start = self.text.len();
        for part in value {
            self.text.put(if self.text.len() == start { text::trim_start(part) } else { part });
        }
        let length = text::trim_end(self.text.as_bytes().get(start..).unwrap_or_default()).len();
        self.text.truncate(start + length);
        self.text.put(b"\r\n");
        let id = if let HeaderName::Known(id) = name { Some(id) } else { None };
        // An empty value stands right behind the colon, as a reader has it.
        let start = start - text - usize::from(length == 0);
        let field = Some(NewField { id, start, end: start + length });
        self.list.push(Patch { from: at, to: at, rank, text, text_end: self.text.len(), field });
        Ok(())
    }

    fn push(&mut self, from: usize, to: usize, rank: i32, parts: &[&[u8]]) {
        let text = self.text.len();
        parts.iter().for_each(|part| self.text.put(part));
        self.list.push(Patch { from, to, rank, text, text_end: self.text.len(), field: None });
    }

    /// The octets of the changed copy.
    ///
    /// # Errors
    /// Its header section is too long.
    pub(super) fn octets(&mut self, bytes: &[u8], layout: &Layout<'_>) -> Result<SharedBytes, BuildError> {
        let length = self.settle(bytes, layout)?;
        Ok(SharedBytes::written(length, |out| self.copy(bytes, out)))
    }

    /// The changed copy, its spans behind it.
    ///
    /// # Errors
    /// As [`octets`](Self::octets).
    pub(super) fn apply(&mut self, bytes: &[u8], layout: &Layout<'_>) -> Result<SharedBytes, BuildError> {
        if layout.defect.is_some() {
            // The change may have mended it.
            let out = self.octets(bytes, layout)?;
            return Ok(SharedBytes::of_message(&out, &Spans::of_written(&out)?));
        }
        let length = self.settle(bytes, layout)?;
        let fields = layout.fields.len() + self.list.iter().filter(|patch| patch.field.is_some()).count();
        Ok(SharedBytes::with_tail(length, Layout::packed_len(fields), |octets, tail| {
            self.copy(bytes, &mut Blank::new(octets));
            self.spans(layout, octets).layout().pack(tail);
        }))
    }

    /// Copies what is kept and what is put in.
    fn copy(&self, bytes: &[u8], out: &mut Blank<'_>) {
        let mut at = 0;
        for patch in &self.list {
            out.put(bytes.get(at..patch.from).unwrap_or_default());
            out.put(self.text.as_bytes().get(patch.text..patch.text_end).unwrap_or_default());
            at = patch.to;
        }
        out.put(bytes.get(at..).unwrap_or_default());
    }

    /// Brings the patches in order; how long the changed copy is.
    fn settle(&mut self, bytes: &[u8], layout: &Layout<'_>) -> Result<usize, BuildError> {
        self.terminate(bytes, layout);
        self.list.sort_by_key(|patch| (patch.from, patch.rank));
        // A patch inside something already replaced is gone with it.
        let mut at = 0;
        self.list.retain(|patch| {
            let kept = patch.from >= at;
            at = if kept { patch.to } else { at };
            kept
        });
        let length = self.list.iter().fold(bytes.len(), |length, patch| length + patch.len() - (patch.to - patch.from));
        if length - self.body_len(layout) > LONGEST_SECTION || u32::try_from(length).is_err() {
            return Err(BuildError::TooLong);
        }
        Ok(length)
    }

    /// Adds the empty line, should it be missing.
    fn terminate(&mut self, bytes: &[u8], layout: &Layout<'_>) {
        let end = usize::from(layout.fields_end);
        if end == layout.body as usize {
            // The last line has no end, unless it goes as a whole.
            let last = layout.fields.last().map_or(0, |packed| usize::from(FieldSpan::unpack(*packed).line));
            let goes = self.list.iter().any(|patch| patch.from == last && patch.to == end);
            if bytes.last() != Some(&b'\n') && !goes {
                self.push(end, end, WITHIN + 1, &[b"\r\n"]);
            }
            self.push(end, end, BODY - 1, &[b"\r\n"]);
        }
    }

    /// The spans of the changed copy, from those of the original.
    fn spans(&self, old: &Layout<'_>, out: &[u8]) -> Spans {
        let body = out.len() - self.body_len(old);
        let empty_line = old.body as usize - usize::from(old.fields_end);
        let fields_end = body - empty_line;
        let mut walk = Walk { rest: &self.list, shift: 0, fields: SmallVec::new() };
        let mut start = old.start;
        if let StartLine::Request { uri_end, .. } = &mut start {
            walk.pass(|patch| patch.to <= usize::from(*uri_end));
            *uri_end = walk.moved(*uri_end);
        }
        let first_field = walk.moved(old.first_field);
        for packed in old.fields {
            // Most fields stand between two patches as a whole.
            if walk.rest.first().is_none_or(|next| usize::from(FieldSpan::end_of(packed)) < next.from) {
                walk.fields.push(FieldSpan::moved(*packed, walk.shift));
                continue;
            }
            let field = FieldSpan::unpack(*packed);
            walk.pass(|patch| patch.to <= usize::from(field.line));
            // A field is replaced from its beginning only if it goes as a whole.
            if walk.pass_one(|patch| patch.from == usize::from(field.line)) {
                continue;
            }
            let (line, start) = (walk.moved(field.line), walk.moved(field.start));
            let untouched = walk.rest.len();
            walk.pass(|patch| patch.to <= usize::from(field.end));
            let mut span = FieldSpan { line, start, end: walk.moved(field.end), id: field.id };
            if walk.rest.len() != untouched {
                span.trim(out);
            }
            walk.fields.push(span.pack());
        }
        walk.pass(|_| true);
        // The whole was found short enough.
        let [body, end] = [body, out.len()].map(|offset| u32::try_from(offset).unwrap_or(u32::MAX));
        Spans {
            start,
            fields: walk.fields,
            first_field,
            fields_end: narrow(fields_end),
            body,
            end,
            defect: None,
            marks: old.marks.and_then(|marks| self.marks(Marks::unpack(marks))),
            user_part: old.user_part,
        }
    }

    /// The marks of the changed copy; `None` if what they mark was touched, or is no longer alone.
    fn marks(&self, old: Marks) -> Option<PackedMarks> {
        let doubles = |patch: &Patch| {
            let id = patch.field.and_then(|field| field.id);
            matches!(id, Some(HeaderId::To | HeaderId::From | HeaderId::CallId | HeaderId::CSeq))
        };
        if self.list.iter().any(doubles) {
            return None;
        }
        // The fields that most changes touch are above all four.
        let last = self.list.last().map_or(0, |patch| patch.to);
        let all = self
            .list
            .iter()
            .fold(0_usize, |by, patch| by.wrapping_add(patch.len()).wrapping_sub(patch.to - patch.from));
        let marks = old.shifted(|mark| {
            let (start, end) = (usize::from(mark.start), usize::from(mark.end));
            if last < start {
                return Some(all as u16);
            }
            // A text put in at either end of a value touches the value, and a field that is cut goes with its value.
            let before = self.list.iter().take_while(|patch| patch.from < start && patch.to < start);
            let (mut count, mut by) = (0, 0_usize);
            for patch in before {
                count += 1;
                by = by.wrapping_add(patch.len()).wrapping_sub(patch.to - patch.from);
            }
            // Offsets are 16 bits wide, and so is what moves them.
            self.list.get(count).is_none_or(|next| next.from > end).then_some(by as u16)
        });
        marks.map(Marks::pack)
    }
}

impl FieldSpan {
    /// Leaves white space out that has come to stand at an end of the value: before an empty first value, say.
    fn trim(&mut self, bytes: &[u8]) {
        let value = text::trim_end(part(bytes, self.start, self.end));
        self.end = self.start + narrow(value.len());
        self.start = self.end - narrow(text::trim_start(value).len());
        if self.start == self.end {
            // An empty value stands right behind the colon.
            let colon = text::find(part(bytes, self.line, self.start), b':').unwrap_or_default();
            (self.start, self.end) = (self.line + narrow(colon + 1), self.line + narrow(colon + 1));
        }
    }
}

/// Goes through patches and fields side by side.
struct Walk<'a> {
    rest: &'a [Patch],
    /// By how much octets behind the patches passed have moved, modulo 2^64.
    shift: usize,
    fields: SmallVec<[PackedSpan; 32]>,
}

impl Walk<'_> {
    fn moved(&self, offset: u16) -> u16 {
        narrow(usize::from(offset).wrapping_add(self.shift))
    }

    fn pass(&mut self, is_before: impl Fn(&Patch) -> bool) {
        while self.pass_one(&is_before) {}
    }

    /// Passes the next patch if it is that; notes the field that it puts in.
    fn pass_one(&mut self, is_it: impl Fn(&Patch) -> bool) -> bool {
        let [patch, rest @ ..] = self.rest else { return false };
        if !is_it(patch) {
            return false;
        }
        self.rest = rest;
        if let Some(NewField { id, start, end }) = patch.field {
            let line = patch.from.wrapping_add(self.shift);
            let [line, start, end] = [line, line + start, line + end].map(narrow);
            self.fields.push(FieldSpan { line, start, end, id }.pack());
        }
        self.shift = self.shift.wrapping_add(patch.len()).wrapping_sub(patch.to - patch.from);
        true
    }
}

/// An offset into a section that was found short enough.
fn narrow(offset: usize) -> u16 {
    u16::try_from(offset).unwrap_or(u16::MAX)
}
