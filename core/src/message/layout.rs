//! Where things stand in a message that was read (RFC 3261 §7, §25.1).

use super::bytes::Blank;
use super::headers::Headers;
use super::marks::PackedMarks;
use super::method::Method;
use super::name::HeaderId;
use super::span::{FieldSpan, PackedSpan, part};
use super::status::StatusCode;
use super::text;
use super::uri::UserPart;

/// Where the parts of the first line stand.
#[derive(Clone, Copy, Debug)]
pub(crate) enum StartLine {
    /// The method ends at `method`; the Request-URI stands between `uri` and `uri_end`.
    Request { method: u16, uri: u16, uri_end: u16 },
    /// The reason phrase stands between `reason` and `reason_end`.
    Response { status: StatusCode, reason: u16, reason_end: u16 },
}

/// The first thing that matters of what is wrong with the message as a whole.
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

impl Defect {
    /// All of them, each at the place that its number says.
    const ALL: [Self; 5] = [Self::StartLine, Self::Version, Self::Unterminated, Self::ContentLength, Self::ShortBody];
}

/// The spans of one message, borrowed from who keeps them.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Layout<'a> {
    pub(crate) start: StartLine,
    /// Where the first field begins.
    pub(crate) first_field: u16,
    /// Where the last field ends.
    pub(crate) fields_end: u16,
    /// Where the body begins.
    pub(crate) body: u32,
    /// Where the message ends.
    pub(crate) end: u32,
    pub(crate) defect: Option<Defect>,
    pub(crate) fields: &'a [PackedSpan],
    /// Where From, To, Call-ID and CSeq stand, if each stands there once and as usual.
    pub(crate) marks: Option<&'a PackedMarks>,
    /// The characters that the user part of a URI may have.
    pub(crate) user_part: UserPart,
}

/// A [`Layout`] as it is kept behind the octets, but for its fields and marks: six offsets of two octets, two of four, how many fields
/// there are, and what the rest is.
type Head = [u8; 24];

impl<'a> Layout<'a> {
    /// No spans.
    const BLANK: Self = Self {
        start: StartLine::Request { method: 0, uri: 0, uri_end: 0 },
        first_field: 0,
        fields_end: 0,
        body: 0,
        end: 0,
        defect: None,
        fields: &[],
        marks: None,
        user_part: UserPart::Strict,
    };

    /// How many octets a layout of so many fields takes.
    pub(super) const fn packed_len(fields: usize) -> usize {
        fields * size_of::<PackedSpan>() + size_of::<PackedMarks>() + size_of::<Head>()
    }

    /// Writes the layout at the ends of this room: fields from the first octet on, marks and head up to the last. False if there is too little.
    pub(super) fn pack(&self, room: &mut [u8]) -> bool {
        let Some(gap) = room.len().checked_sub(Self::packed_len(self.fields.len())) else { return false };
        let (kind, [a, b, c]) = match self.start {
            StartLine::Request { method, uri, uri_end } => (0, [method, uri, uri_end]),
            StartLine::Response { status, reason, reason_end } => (1, [status.get(), reason, reason_end]),
        };
        let marked = if self.marks.is_some() { 2 } else { 0 };
        let chosen = if self.user_part == UserPart::NumberSign { 4 } else { 0 };
        let defect = self.defect.map_or(0, |defect| defect as u8 + 1);
        let mut out = Blank::new(room);
        out.put(self.fields.as_flattened());
        out.skip(gap);
        out.put(self.marks.unwrap_or(&[0; size_of::<PackedMarks>()]));
        for two in [a, b, c, self.first_field, self.fields_end, self.fields.len() as u16] {
            out.put(&two.to_le_bytes());
        }
        out.put(&self.body.to_le_bytes());
        out.put(&self.end.to_le_bytes());
        out.put(&[kind | marked | chosen, defect, 0, 0]);
        true
    }

    /// Reads what [`pack`](Self::pack) has written; a layout without spans if that is none, which is never asked.
    #[inline(always)]
    pub(super) fn unpack(tail: &'a [u8]) -> Self {
        Self::try_unpack(tail).unwrap_or(Self::BLANK)
    }

    #[inline(always)]
    fn try_unpack(tail: &'a [u8]) -> Option<Self> {
        let (rest, head) = tail.split_last_chunk::<{ size_of::<Head>() }>()?;
        let (rest, marks) = rest.split_last_chunk::<{ size_of::<PackedMarks>() }>()?;
        let [a0, a1, b0, b1, c0, c1, d0, d1, e0, e1, f0, f1, g0, g1, g2, g3, h0, h1, h2, h3, kind, defect, _, _] =
            *head;
        let [a, b, c, first_field, fields_end, count] =
            [[a0, a1], [b0, b1], [c0, c1], [d0, d1], [e0, e1], [f0, f1]].map(u16::from_le_bytes);
        let start = match kind & 1 {
            0 => StartLine::Request { method: a, uri: b, uri_end: c },
            _ => StartLine::Response { status: StatusCode::new(a)?, reason: b, reason_end: c },
        };
        Some(Self {
            start,
            first_field,
            fields_end,
            body: u32::from_le_bytes([g0, g1, g2, g3]),
            end: u32::from_le_bytes([h0, h1, h2, h3]),
            defect: Defect::ALL.get(usize::from(defect).wrapping_sub(1)).copied(),
            fields: rest.as_chunks().0.get(..usize::from(count))?,
            marks: (kind & 2 != 0).then_some(marks),
            user_part: if kind & 4 == 0 { UserPart::Strict } else { UserPart::NumberSign },
        })
    }

    pub(crate) const fn headers(&self, bytes: &'a [u8]) -> Headers<'a> {
        Headers::new(bytes, self.fields, self.fields_end, self.marks, self.user_part)
    }

    /// The fields of this name.
    pub(super) fn fields_of(&self, id: HeaderId) -> impl Iterator<Item = FieldSpan> + use<'a> {
        self.fields.iter().filter(move |packed| FieldSpan::is(packed, id)).map(|packed| FieldSpan::unpack(*packed))
    }

    /// Where a new first field of this name stands: before the first; if there is none, Via before all fields, others behind the
    /// Vias.
    pub(super) fn top_of(&self, id: HeaderId) -> usize {
        let behind_vias = || self.fields_of(HeaderId::Via).last().filter(|_| id != HeaderId::Via);
        match self.fields_of(id).next() {
            Some(field) => field.line.into(),
            None => behind_vias().map_or(self.first_field.into(), |via| self.line_end(&via)),
        }
    }

    /// Where the field's line ends: where the next one begins.
    pub(super) fn line_end(&self, field: &FieldSpan) -> usize {
        let line = |packed: &PackedSpan| FieldSpan::unpack(*packed).line;
        let next = self.fields.get(self.fields.partition_point(|other| line(other) <= field.line));
        next.map_or(self.fields_end, line).into()
    }

    pub(crate) fn body<'b>(&self, bytes: &'b [u8]) -> &'b [u8] {
        bytes.get(self.body as usize..self.end as usize).unwrap_or_default()
    }

    pub(crate) const fn is_request(&self) -> bool {
        matches!(self.start, StartLine::Request { .. })
    }

    /// The method; of a response none.
    pub(crate) fn method<'b>(&self, bytes: &'b [u8]) -> Option<Method<'b>> {
        match self.start {
            StartLine::Request { method, .. } => Method::parse(part(bytes, 0, method)),
            StartLine::Response { .. } => None,
        }
    }

    /// The Request-URI; of a response empty.
    pub(crate) fn uri<'b>(&self, bytes: &'b [u8]) -> &'b [u8] {
        match self.start {
            StartLine::Request { uri, uri_end, .. } => part(bytes, uri, uri_end),
            StartLine::Response { .. } => &[],
        }
    }

    /// The reason phrase; of a request empty.
    pub(crate) fn reason<'b>(&self, bytes: &'b [u8]) -> &'b [u8] {
        match self.start {
            StartLine::Request { .. } => &[],
            StartLine::Response { reason, reason_end, .. } => part(bytes, reason, reason_end),
        }
    }

    /// The first line without its end.
    pub(crate) fn start_line<'b>(&self, bytes: &'b [u8]) -> &'b [u8] {
        text::trim_end(part(bytes, 0, self.first_field))
    }
}
