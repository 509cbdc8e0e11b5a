//! What can be wrong with a message that can be represented.

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
    pub(super) const ALL: [Self; 5] =
        [Self::StartLine, Self::Version, Self::Unterminated, Self::ContentLength, Self::ShortBody];
}
