//! Errors of bytes that are read, and of values to be written.

use super::header_id::HeaderId;
use super::phrase::Phrase;
use super::status::StatusCode;
use core::fmt;

/// Why bytes could not be read: what, where, and in which header if known. Small and `Copy`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ParseError {
    kind: ParseErrorKind,
    offset: u32,
    header: Option<HeaderId>,
}

/// The subject of a [`ParseError`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ParseErrorKind {
    /// There is nothing but line ends.
    Empty,
    /// The first line is neither a request line nor a status line (RFC 3261 §7.1, §7.2).
    StartLine,
    /// The status code is not a number of 100 to 699.
    Status,
    /// A line of the header section has no colon.
    HeaderLine,
    /// A header name is not a token.
    HeaderName,
    /// A carriage return or a line feed stands alone in the header section: only both together end a line.
    LineEnd,
    /// [`Limits::start_line`](super::Limits::start_line) is exceeded.
    StartLineTooLong,
    /// [`Limits::header_section`](super::Limits::header_section) is exceeded.
    HeaderSectionTooLong,
    /// [`Limits::headers`](super::Limits::headers) is exceeded.
    TooManyHeaders,
    /// [`Limits::body`](super::Limits::body) is exceeded.
    BodyTooLong,
    /// [`Limits::via_values`](super::Limits::via_values) is exceeded.
    TooManyVias,
    /// [`Limits::parameters`](super::Limits::parameters) is exceeded.
    TooManyParameters,
    /// [`Limits::parts`](super::Limits::parts) is exceeded.
    TooManyParts,
    /// [`Limits::COMMENT_NESTING`](super::Limits::COMMENT_NESTING) is exceeded.
    CommentTooDeep,
    /// A method is not a token.
    Method,
    /// A URI, or its scheme.
    Uri,
    /// A host name or address.
    Host,
    /// A port.
    Port,
    /// A parameter.
    Parameter,
    /// A number is missing, has other characters, or is out of range.
    Number,
    /// A token is missing or has other characters.
    Token,
    /// A quoted string does not end, or text stands where it must not.
    Quotes,
    /// An angle bracket is missing.
    Brackets,
    /// A comment does not end, or has a character that it must not have.
    Comment,
    /// A date is not one of RFC 1123, in GMT.
    Date,
    /// A parameter that must be there is not.
    Missing,
    /// Text is no UTF-8 or has a control character.
    Text,
    /// The boundary of a multipart body cannot be used, or does not stand where it must.
    Boundary,
    /// The name or version of a protocol.
    Protocol,
    /// Something follows that does not belong there.
    Trailing,
    /// A header that has one value stands twice.
    Repeated,
    /// A control octet stands where none may: outside of a quoted-pair, and in no fold.
    Control,
    /// [`Limits::REWRITTEN_VALUE`](super::Limits::REWRITTEN_VALUE) is exceeded.
    ValueTooLong,
}

impl ParseError {
    /// An error of this kind at this octet.
    pub const fn new(kind: ParseErrorKind, offset: usize) -> Self {
        let offset = if offset > u32::MAX as usize { u32::MAX } else { offset as u32 };
        Self { kind, offset, header: None }
    }

    /// Places the error in a value of that header.
    #[must_use]
    pub const fn within(self, header: HeaderId) -> Self {
        Self { header: Some(header), ..self }
    }

    /// Moves the error to text that begins this many octets further on.
    #[must_use]
    pub(crate) const fn moved(self, octets: usize) -> Self {
        Self { header: self.header, ..Self::new(self.kind, self.offset as usize + octets) }
    }

    /// The subject of the error.
    pub const fn kind(self) -> ParseErrorKind {
        self.kind
    }

    /// The octet at which it was noticed: of the message, or of the text if a value was read by itself.
    pub const fn offset(self) -> u32 {
        self.offset
    }

    /// The header in whose value it is, if it is in one.
    pub const fn header(self) -> Option<HeaderId> {
        self.header
    }

    /// The status that the sender of such a request is owed (RFC 3261 §21.4, §21.5).
    pub const fn status(self) -> StatusCode {
        match self.kind {
            ParseErrorKind::StartLineTooLong => StatusCode::REQUEST_URI_TOO_LONG,
            ParseErrorKind::BodyTooLong => StatusCode::REQUEST_ENTITY_TOO_LARGE,
            ParseErrorKind::HeaderSectionTooLong | ParseErrorKind::TooManyHeaders | ParseErrorKind::TooManyVias => {
                StatusCode::MESSAGE_TOO_LARGE
            }
            _ => StatusCode::BAD_REQUEST,
        }
    }

    /// The reason phrase of an answer to such a request: of a 400 what is wrong with it (RFC 3261 §21.4.1), else the usual one.
    pub const fn reason(self) -> Phrase {
        let status = self.status();
        if status.get() == StatusCode::BAD_REQUEST.get() { self.kind.phrase() } else { Phrase::of(status) }
    }
}

impl ParseErrorKind {
    const fn phrase(self) -> Phrase {
        match self {
            Self::Empty => Phrase::EMPTY,
            Self::StartLine => Phrase::START_LINE,
            Self::Status => Phrase::STATUS,
            Self::HeaderLine => Phrase::HEADER_LINE,
            Self::HeaderName => Phrase::HEADER_NAME,
            Self::LineEnd => Phrase::LINE_END,
            Self::StartLineTooLong => Phrase::START_LINE_TOO_LONG,
            Self::HeaderSectionTooLong => Phrase::HEADER_SECTION_TOO_LONG,
            Self::TooManyHeaders => Phrase::TOO_MANY_HEADERS,
            Self::BodyTooLong => Phrase::BODY_TOO_LONG,
            Self::TooManyVias => Phrase::TOO_MANY_VIAS,
            Self::TooManyParameters => Phrase::TOO_MANY_PARAMETERS,
            Self::TooManyParts => Phrase::TOO_MANY_PARTS,
            Self::CommentTooDeep => Phrase::COMMENT_TOO_DEEP,
            Self::Method => Phrase::METHOD,
            Self::Uri => Phrase::URI,
            Self::Host => Phrase::HOST,
            Self::Port => Phrase::PORT,
            Self::Parameter => Phrase::PARAMETER,
            Self::Number => Phrase::NUMBER,
            Self::Token => Phrase::TOKEN,
            Self::Quotes => Phrase::QUOTES,
            Self::Brackets => Phrase::BRACKETS,
            Self::Comment => Phrase::COMMENT,
            Self::Date => Phrase::TIME,
            Self::Missing => Phrase::MISSING,
            Self::Text => Phrase::TEXT,
            Self::Boundary => Phrase::BOUNDARY,
            Self::Protocol => Phrase::PROTOCOL,
            Self::Trailing => Phrase::TRAILING,
            Self::Repeated => Phrase::REPEATED,
            Self::Control => Phrase::CONTROL,
            Self::ValueTooLong => Phrase::VALUE_TOO_LONG,
        }
    }
}

impl fmt::Display for ParseErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.phrase().as_str())
    }
}

impl fmt::Display for ParseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(header) = self.header {
            write!(f, "{}: ", header.as_str())?;
        }
        write!(f, "{} (at octet {})", self.kind, self.offset)
    }
}

impl core::error::Error for ParseError {}

/// Why a message was not written. Nothing of it exists.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum BuildError {
    /// A value has a carriage return, a line feed, or a NUL outside of a quoted-pair: it could inject a header.
    Control,
    /// A header name is not a token.
    HeaderName,
    /// The method is not a token.
    Method,
    /// The Request-URI is empty or has white space.
    Uri,
    /// The start line and headers would exceed 65,535 octets.
    TooLong,
    /// An edit takes or changes a value that the message does not have, or that is malformed.
    NoSuchValue,
    /// A tag is not a token.
    Tag,
}

impl fmt::Display for BuildError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Control => "a value has a carriage return, a line feed, or a NUL that is not escaped",
            Self::HeaderName => "a header name is not a token",
            Self::Method => "the method is not a token",
            Self::Uri => "the Request-URI is empty or has white space",
            Self::TooLong => "the header section exceeds 65,535 octets",
            Self::NoSuchValue => "the value to change is absent or malformed",
            Self::Tag => "the tag is not a token",
        })
    }
}

impl core::error::Error for BuildError {}
