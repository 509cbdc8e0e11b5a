//! Bounds on one message.

/// Bounds on one message. Above a bound nothing of the message is kept: a request is answered with the status that the field
/// names, if so much of it can be read as an answer copies ([`Request::salvage`](super::Request::salvage)); anything else is
/// dropped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(default, deny_unknown_fields))]
pub struct Limits {
    /// Octets of the start line. 8,192; above it 414.
    pub start_line: usize,
    /// Octets of start line and headers together; at most 65,535, which the span table needs. 65,507, which is all of the largest
    /// datagram (RFC 3261 §18.1.1); above it 513.
    pub header_section: usize,
    /// Header fields. 256; above it 513.
    pub headers: usize,
    /// Octets of the body. 65,536; above it 413.
    pub body: usize,
    /// Values of Via, over all fields. 128; above it no answer, which would have them all (RFC 3261 §8.2.6.2).
    pub via_values: usize,
    /// Parameters of one URI or header value, and headers of one URI. 64; above it 400.
    pub parameters: usize,
    /// Parts of one multipart body. 32; whoever asks for more of them gets an error.
    pub parts: usize,
}

impl Limits {
    /// Parentheses of a comment within one another. Nothing grows with them: no user has a reason to choose another bound.
    pub const COMMENT_NESTING: usize = 16;

    /// Octets of one received value that is written again, such as the From of a call or the Contact of a registration: as many
    /// as a start line may have by default. Above it the value counts as malformed: 400 for a request that needs it, as if
    /// absent in a response.
    pub const REWRITTEN_VALUE: usize = 8_192;

    /// No bounds but those of the spans, for what was just written, or read without being kept.
    pub(super) const UNBOUNDED: Self = Self {
        start_line: usize::MAX,
        header_section: usize::MAX,
        headers: usize::MAX,
        body: usize::MAX,
        via_values: usize::MAX,
        parameters: usize::MAX,
        parts: usize::MAX,
    };
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            start_line: 8_192,
            header_section: 65_507,
            headers: 256,
            body: 65_536,
            via_values: 128,
            parameters: 64,
            parts: 32,
        }
    }
}
