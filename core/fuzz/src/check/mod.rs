//! The rules of the message layer, which hold whatever the octets. Each check takes any octets and panics if one of its rules is
//! broken. The fuzz targets run them over mutated octets, the property tests over generated messages.

pub(crate) mod auth;
pub(crate) mod build;
pub(crate) mod edit;
pub(crate) mod header;
pub(crate) mod lines;
pub(crate) mod message;
pub(crate) mod stream;
pub(crate) mod uri;

use sansip::message::Limits;

/// Bounds that small inputs meet.
pub(crate) const SMALL: Limits =
    Limits { start_line: 64, header_section: 400, headers: 12, body: 64, via_values: 4, parameters: 4, parts: 2 };

/// Bounds that no input meets.
pub(crate) const WIDE: Limits = Limits {
    start_line: usize::MAX,
    header_section: usize::MAX,
    headers: usize::MAX,
    body: usize::MAX,
    via_values: usize::MAX,
    parameters: usize::MAX,
    parts: usize::MAX,
};

/// The first octet and the rest; zero of nothing.
pub(crate) fn first(data: &[u8]) -> (u8, &[u8]) {
    data.split_first().map_or((0, data), |(first, rest)| (*first, rest))
}

/// The octets that the first octet counts, at most 31, and the rest.
pub(crate) fn script(data: &[u8]) -> (&[u8], &[u8]) {
    let (count, rest) = first(data);
    rest.split_at(usize::from(count % 32).min(rest.len()))
}
