//! Numbers and addresses as text.

use super::ascii;
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

/// The most digits that a number has.
const DIGITS: usize = 20;

/// The digits of a number.
pub(crate) struct Decimal {
    /// The digits stand at the end.
    text: [u8; DIGITS],
    length: usize,
}

impl Decimal {
    /// The digits as octets, which is how messages take them.
    #[inline]
    pub(crate) fn as_bytes(&self) -> &[u8] {
        self.text.last_chunk::<DIGITS>().and_then(|text| text.get(DIGITS - self.length..)).unwrap_or_default()
    }

    /// The digits as text.
    pub(crate) fn as_str(&self) -> &str {
        ascii(self.as_bytes())
    }

    /// How many digits there are.
    pub(crate) const fn len(&self) -> usize {
        self.length
    }
}

/// The digits of a number.
pub(crate) fn decimal(number: usize) -> Decimal {
    let mut decimal = Decimal { text: [0; DIGITS], length: 0 };
    let mut rest = number;
    for place in decimal.text.iter_mut().rev() {
        *place = digit(rest);
        decimal.length += 1;
        rest /= 10;
        if rest == 0 {
            break;
        }
    }
    decimal
}

/// An address as `Display` writes it, which takes ten times the instructions for IPv4.
pub(crate) fn address(ip: IpAddr) -> ArrayVec<u8, 45> {
    let mut text = ArrayVec::new();
    // The longest has that many characters.
    match ip {
        IpAddr::V4(ip) => {
            let [a, b, c, d] = ip.octets();
            push_octet(&mut text, a);
            for octet in [b, c, d] {
                text.push(b'.');
                push_octet(&mut text, octet);
            }
        }
        IpAddr::V6(ip) => {
            let mut written = ArrayString::<45>::new();
            let _ = write!(written, "{ip}");
            text.extend(written.bytes());
        }
    }
    text
}

/// The last digit of a number.
const fn digit(number: usize) -> u8 {
    b'0' + (number % 10) as u8
}

/// Appends the digits of a number below 256.
fn push_octet<const N: usize>(text: &mut ArrayVec<u8, N>, octet: u8) {
    let number = usize::from(octet);
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
    use super::{address, ascii, decimal};
    use alloc::string::ToString;
    use core::net::{IpAddr, Ipv4Addr};

    #[test]
    fn numbers_and_addresses_are_written_as_the_standard_library_writes_them() {
        let each = (0..=255).map(|octet| IpAddr::V4(Ipv4Addr::new(octet, 255 - octet, 0, octet)));
        let others = ["255.255.255.255", "::", "2001:db8::9:1", "ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.255"];
        for number in [0, 9, 10, 99, 100, 999, 1_000, 5060, usize::MAX] {
            assert_eq!(decimal(number).as_str(), number.to_string());
            assert_eq!(decimal(number).len(), number.to_string().len());
        }
        for ip in each.chain(others.map(|text| text.parse().unwrap())) {
            assert_eq!(ascii(&address(ip)), ip.to_string());
        }
    }
}
