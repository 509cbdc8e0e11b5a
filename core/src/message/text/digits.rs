//! Numbers and addresses as text.

use arrayvec::{ArrayString, ArrayVec};
use core::fmt::Write;
use core::net::IpAddr;

/// A number of decimal digits only; `None` if empty, with other characters, or above `u32`.
pub(crate) fn number(text: &[u8]) -> Option<u32> {
    if text.is_empty() {
        return None;
    }
    text.iter().try_fold(0_u32, |value, octet| {
        let digit = octet.is_ascii_digit().then(|| u32::from(octet - b'0'))?;
        value.checked_mul(10)?.checked_add(digit)
    })
}

/// The digits of a number.
pub(crate) fn decimal(number: usize) -> ArrayString<20> {
    let mut text = ArrayString::new();
    if number < 1_000 {
        push_small(&mut text, number);
        return text;
    }
    let mut digits: ArrayVec<u8, 20> = ArrayVec::new();
    let mut rest = number;
    while rest > 0 {
        digits.push(b'0' + (rest % 10) as u8);
        rest /= 10;
    }
    digits.into_iter().rev().for_each(|digit| text.push(digit.into()));
    text
}

/// An address as `Display` writes it, which takes ten times the instructions for IPv4.
pub(crate) fn address(ip: IpAddr) -> ArrayString<45> {
    let mut text = ArrayString::new();
    // The longest has that many characters.
    match ip {
        IpAddr::V4(ip) => {
            let [a, b, c, d] = ip.octets();
            push_small(&mut text, a.into());
            for octet in [b, c, d] {
                text.push('.');
                push_small(&mut text, octet.into());
            }
        }
        IpAddr::V6(ip) => drop(write!(text, "{ip}")),
    }
    text
}

/// Appends the digits of a number below 1,000.
fn push_small<const N: usize>(text: &mut ArrayString<N>, number: usize) {
    let digit = |number: usize| char::from(b'0' + (number % 10) as u8);
    if number >= 100 {
        text.push(digit(number / 100));
    }
    if number >= 10 {
        text.push(digit(number / 10));
    }
    text.push(digit(number));
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
        for number in [0, 9, 10, 99, 100, 999, 1_000, 5060, usize::MAX] {
            assert_eq!(decimal(number).as_str(), number.to_string());
        }
        for ip in each.chain(others.map(|text| text.parse().unwrap())) {
            assert_eq!(address(ip).as_str(), ip.to_string());
        }
    }
}
