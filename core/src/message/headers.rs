//! The header fields of one message, typed on demand.

use super::error::ParseError;
use super::header::{CSeq, CallId, Contact, From, Header, NameAddr, NameAddrText, To, Via};
use super::marks::{Marks, PackedMarks};
use super::name::{HeaderId, HeaderName};
use super::span::{FieldSpan, PackedSpan, part};
use super::text::{self, TOKEN, Values};
use super::uri::UserPart;
use core::fmt;

/// The header fields of one message. `Copy`; typed on demand: absent, malformed and present are three answers.
#[derive(Clone, Copy)]
pub struct Headers<'a> {
    bytes: &'a [u8],
    fields: &'a [PackedSpan],
    /// Where the last field ends.
    end: u16,
    /// Where From, To, Call-ID and CSeq stand, if each stands there once and as usual.
    marks: Option<&'a PackedMarks>,
    user_part: UserPart,
}

/// One header field.
#[derive(Clone, Copy, Debug)]
pub struct Field<'a> {
    /// The name; empty where the line has no colon, and the value is all of it ([`Leniency::NoColon`](super::Leniency::NoColon)).
    pub name: HeaderName<'a>,
    /// The value without white space around it; folding inside is kept.
    pub value: &'a [u8],
    /// The whole field as it stands, line end included.
    pub line: &'a [u8],
}

impl<'a> Headers<'a> {
    pub(super) const fn new(
        bytes: &'a [u8],
        fields: &'a [PackedSpan],
        end: u16,
        marks: Option<&'a PackedMarks>,
        user_part: UserPart,
    ) -> Self {
        Self { bytes, fields, end, marks, user_part }
    }

    /// Says which characters the user part of a URI may have in this message.
    pub(crate) const fn user_part(self) -> UserPart {
        self.user_part
    }

    /// The first value of this header: `None` if absent.
    pub fn get<H: Header<'a>>(self) -> Option<Result<H, ParseError>> {
        // Not `all().next()`, which carries what further values would need: some 100 instructions.
        let value = self.of(H::ID).find_map(|value| if H::LIST { text::first_value(value) } else { Some(value) })?;
        Some(self.read(value))
    }

    fn marks(self) -> Option<Marks> {
        self.marks.map(Marks::unpack)
    }

    pub(super) fn read<H: Header<'a>>(self, value: &'a [u8]) -> Result<H, ParseError> {
        H::parse_with(value, self.user_part).map_err(|error| error.within(H::ID).moved(self.offset_of(value)))
    }

    /// Every value of this header, over fields and commas, in order. A field of a list without any value gives none.
    pub fn all<H: Header<'a>>(self) -> impl Iterator<Item = Result<H, ParseError>> + Clone {
        self.values(H::ID, H::LIST).map(move |value| self.read(value))
    }

    /// Where in the message this part of a field begins.
    pub(super) fn offset_of(self, part: &[u8]) -> usize {
        text::offset_in(self.bytes, part)
    }

    /// Every value of this header as text.
    pub(crate) fn values(self, id: HeaderId, list: bool) -> impl Iterator<Item = &'a [u8]> + Clone {
        self.of(id).flat_map(move |value| {
            let (whole, split) = if list { (None, Values::new(value)) } else { (Some(value), Values::default()) };
            whole.into_iter().chain(split)
        })
    }

    /// The values of the fields of this name.
    pub(super) fn of(self, id: HeaderId) -> impl Iterator<Item = &'a [u8]> + Clone {
        self.fields.iter().filter(move |packed| FieldSpan::is(packed, id)).map(move |packed| {
            let field = FieldSpan::unpack(*packed);
            part(self.bytes, field.start, field.end)
        })
    }

    /// Whether a line of this list has no value, so that the list of all its lines is malformed (RFC 3261 §7.3.1): of the lists that RFC 3261
    /// §25.1 lets be empty (Accept, Accept-Encoding, Accept-Language, Allow and Supported) this is no fault.
    pub fn has_blank(self, id: HeaderId) -> bool {
        self.of(id).any(|value| text::trim(value).is_empty())
    }

    /// Whether there is a field of this name.
    pub fn contains<'n>(self, name: impl Into<HeaderName<'n>>) -> bool {
        self.raw(name).is_some()
    }

    /// How many fields of this name there are; not values.
    pub fn count(self, id: HeaderId) -> usize {
        self.of(id).count()
    }

    /// The value of the first field of this name, without white space around it; folding inside is kept.
    pub fn raw<'n>(self, name: impl Into<HeaderName<'n>>) -> Option<&'a [u8]> {
        match name.into() {
            HeaderName::Known(id) => self.of(id).next(),
            name @ HeaderName::Other(_) => Some(self.iter().find(|field| field.name == name)?.value),
        }
    }

    /// Every field in order.
    pub fn iter(self) -> impl Iterator<Item = Field<'a>> + Clone {
        let ends = self.fields.iter().skip(1).map(|packed| FieldSpan::unpack(*packed).line).chain([self.end]);
        self.fields.iter().zip(ends).map(move |(packed, end)| {
            let field = FieldSpan::unpack(*packed);
            let line = part(self.bytes, field.line, end);
            let name = match field.id {
                Some(id) => HeaderName::Known(id),
                // A line without a colon.
                None if field.start == field.line => HeaderName::Other(""),
                None => HeaderName::Other(name_of(line)),
            };
            Field { name, value: part(self.bytes, field.start, field.end), line }
        })
    }

    /// The fields of known headers in order: which, and where it stands.
    pub(super) fn known(self) -> impl Iterator<Item = (HeaderId, FieldSpan)> {
        self.fields.iter().filter_map(|packed| {
            let field = FieldSpan::unpack(*packed);
            Some((field.id?, field))
        })
    }

    /// The octets from the beginning of a field's line to the end of its value.
    pub(super) fn text(self, field: &FieldSpan) -> &'a [u8] {
        part(self.bytes, field.line, field.end)
    }

    /// The topmost Via; `None` if absent or malformed.
    pub fn top_via(self) -> Option<Via<'a>> {
        self.get::<Via<'a>>()?.ok()
    }

    /// From; `None` if absent or malformed.
    pub fn from(self) -> Option<NameAddr<'a>> {
        Some(self.get::<From<'a>>()?.ok()?.0)
    }

    /// To; `None` if absent or malformed.
    pub fn to(self) -> Option<NameAddr<'a>> {
        Some(self.get::<To<'a>>()?.ok()?.0)
    }

    /// From of a message that was found to be processable, without reading it once more.
    pub(crate) fn text_of_from(self) -> Option<NameAddrText<'a>> {
        match self.marks() {
            Some(marks) => Some(NameAddrText::marked(self.bytes, marks.from)),
            None => self.of(HeaderId::From).next().map(NameAddrText::of),
        }
    }

    /// To, if there is one alone and its tag, or that it has none, was found when the message was read.
    pub(super) fn marked_to(self) -> Option<NameAddrText<'a>> {
        self.marks().map(|marks| NameAddrText::marked(self.bytes, marks.to))
    }

    /// To of a message that was found to be processable, without reading it once more.
    pub(crate) fn text_of_to(self) -> Option<NameAddrText<'a>> {
        self.marked_to().or_else(|| self.of(HeaderId::To).next().map(NameAddrText::of))
    }

    /// Call-ID; `None` if absent or malformed.
    pub fn call_id(self) -> Option<&'a str> {
        match self.marks() {
            Some(marks) => Some(marks.call_id(self.bytes)),
            None => Some(self.get::<CallId<'a>>()?.ok()?.0),
        }
    }

    /// CSeq; `None` if absent or malformed.
    pub fn cseq(self) -> Option<CSeq<'a>> {
        match self.marks() {
            Some(marks) => Some(CSeq { number: marks.number, method: marks.method(self.bytes)? }),
            None => self.get::<CSeq<'a>>()?.ok(),
        }
    }

    /// The first Contact; `None` if absent, malformed or `*`.
    pub fn contact(self) -> Option<NameAddr<'a>> {
        // A usual value has no comma but in quotes or brackets, so that it is the only one of its field.
        match self.of(HeaderId::Contact).next().and_then(NameAddr::parse_usual) {
            Some(usual) => Some(usual),
            None => self.get::<Contact<'a>>()?.ok()?.address(),
        }
    }
}

/// The name that a field begins with.
fn name_of(line: &[u8]) -> &str {
    let end = line.iter().position(|&octet| !TOKEN.has(octet)).unwrap_or(line.len());
    text::ascii(line.get(..end).unwrap_or_default())
}

/// The names; values may be secrets.
impl fmt::Debug for Headers<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter().map(|field| field.name)).finish()
    }
}
