//! What can be written, and how: names, values, numbers.

use super::error::BuildError;
use super::layout::Layout;
use super::limits::Limits;
use super::name::HeaderName;
use super::scan;
use arrayvec::ArrayVec;

/// `name: value` and a line end.
pub(super) fn field_parts<'a>(name: HeaderName<'a>, value: &'a [u8]) -> [&'a [u8]; 4] {
    [name.as_str().as_bytes(), b": ", value, b"\r\n"]
}

/// Where in a field so written the value begins and ends. An empty one stands right behind the colon, as a reader has it.
pub(super) fn value_span(name: HeaderName<'_>, value: &[u8]) -> (usize, usize) {
    let start = name.as_str().len() + if value.is_empty() { 1 } else { 2 };
    (start, start + value.len())
}

/// Whether a value can be written without ending its line.
pub(super) fn is_writable(value: &[u8]) -> bool {
    scan::find_control(value).is_none() || !value.iter().any(|octet| matches!(octet, b'\r' | b'\n' | 0))
}

/// The name resolved, if it is a token.
pub(super) fn writable_name(name: HeaderName<'_>) -> Result<HeaderName<'_>, BuildError> {
    match name {
        HeaderName::Known(_) => Ok(name),
        HeaderName::Other(text) if scan::token(text.as_bytes()).is_some() => Ok(text.into()),
        HeaderName::Other(_) => Err(BuildError::HeaderName),
    }
}

/// Whether this can stand between two spaces.
pub(super) fn is_request_uri(uri: &[u8]) -> bool {
    !uri.is_empty() && uri.iter().all(u8::is_ascii_graphic)
}

/// The digits of a number.
pub(super) fn decimal(number: usize) -> ArrayVec<u8, 20> {
    let mut digits = ArrayVec::new();
    let mut rest = number;
    while rest > 0 || digits.is_empty() {
        digits.push(b"0123456789".get(rest % 10).copied().unwrap_or_default());
        rest /= 10;
    }
    digits.reverse();
    digits
}

/// The spans of a message that was just written.
pub(super) fn layout_of(bytes: &[u8]) -> Result<Layout, BuildError> {
    const ANY: usize = usize::MAX;
    const NONE: Limits = Limits {
        start_line: ANY,
        header_section: ANY,
        headers: ANY,
        body: ANY,
        via_values: ANY,
        parameters: ANY,
        parts: ANY,
    };
    // Lines were checked one by one: only their sum can be wrong.
    Layout::read(bytes, &NONE).map_err(|_| BuildError::TooLong)
}
