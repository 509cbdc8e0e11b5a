//! Characters and small scanners of RFC 3261 §25.1, shared by all readers.

/// The text as a token, or `None`.
pub(crate) fn token(_text: &[u8]) -> Option<&str> {
    todo!()
}
