//! What can be written, and how: names, values, numbers.

use super::error::BuildError;
use super::layout::Layout;
use super::limits::Limits;
use super::name::HeaderName;
use super::scan;
use arrayvec::{ArrayString, ArrayVec};
use core::fmt::Write;
use core::net::IpAddr;

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
pub(super) fn decimal(number: usize) -> ArrayString<20> {
    let mut digits: ArrayVec<u8, 20> = ArrayVec::new();
    let mut rest = number;
    while rest > 0 || digits.is_empty() {
        digits.push(b'0' + (rest % 10) as u8);
        rest /= 10;
    }
    let mut text = ArrayString::new();
    digits.into_iter().rev().for_each(|digit| text.push(digit.into()));
    text
}

/// An address as `Display` writes it, which takes ten times the instructions for IPv4.
pub(super) fn address(ip: IpAddr) -> ArrayString<45> {
    let mut text = ArrayString::new();
    // The longest has that many characters.
    match ip {
        IpAddr::V4(ip) => {
            for (at, octet) in ip.octets().into_iter().enumerate() {
                if at > 0 {
                    text.push('.');
                }
                let digits = [octet / 100, octet / 10 % 10, octet % 10].map(|digit| char::from(b'0' + digit));
                let leading = if octet < 10 { 2 } else { usize::from(octet < 100) };
                digits.into_iter().skip(leading).for_each(|digit| text.push(digit));
            }
        }
        IpAddr::V6(ip) => drop(write!(text, "{ip}")),
    }
    text
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

#[cfg(test)]
mod tests {
    use super::{address, decimal};
    use alloc::string::ToString;
    use core::net::{IpAddr, Ipv4Addr};

    #[test]
    fn numbers_and_addresses_are_written_as_the_standard_library_writes_them() {
        let each = (0..=255).map(|octet| IpAddr::V4(Ipv4Addr::new(octet, 255 - octet, 0, octet)));
        let others = ["255.255.255.255", "::", "2001:db8::9:1", "ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.255"];
        for number in [0, 9, 10, 5060, usize::MAX] {
            assert_eq!(decimal(number).as_str(), number.to_string());
        }
        for ip in each.chain(others.map(|text| text.parse().unwrap())) {
            assert_eq!(address(ip).as_str(), ip.to_string());
        }
    }
}
