//! Contact (RFC 3261 §20.10).

use super::{Header, NameAddr};
use crate::message::error::ParseError;
use crate::message::name::HeaderId;
use crate::message::scan;
use alloc::vec::Vec;

/// One value of Contact.
#[derive(Clone, Copy, Debug)]
pub enum Contact<'a> {
    /// `*`: all bindings (RFC 3261 §10.2.2).
    Star,
    /// An address.
    Address(NameAddr<'a>),
}

impl<'a> Contact<'a> {
    /// The address, unless this is `*`.
    pub const fn address(self) -> Option<NameAddr<'a>> {
        match self {
            Self::Star => None,
            Self::Address(address) => Some(address),
        }
    }

    /// The `expires` in seconds; `None` if absent or malformed (RFC 3261 §10.3: then as if it were absent).
    pub fn expires(self) -> Option<u32> {
        scan::number(self.address()?.parameters.value("expires")?)
    }

    /// The `q` in thousandths, 0 to 1000; `None` if absent or malformed.
    pub fn q(self) -> Option<u16> {
        thousandths(self.address()?.parameters.value("q")?)
    }
}

/// `qvalue`: 0 to 1 with up to three decimals (RFC 3261 §25.1).
fn thousandths(text: &[u8]) -> Option<u16> {
    let (whole, decimals) = match text {
        [whole] => (whole, &[][..]),
        [whole, b'.', decimals @ ..] if decimals.len() <= 3 => (whole, decimals),
        _ => return None,
    };
    let padded = decimals.iter().chain(b"000").take(3);
    let value = core::iter::once(whole)
        .chain(padded)
        .try_fold(0_u16, |value, digit| digit.is_ascii_digit().then(|| value * 10 + u16::from(digit - b'0')))?;
    (value <= 1000).then_some(value)
}

impl<'a> Header<'a> for Contact<'a> {
    const ID: HeaderId = HeaderId::Contact;
    const LIST: bool = true;

    fn parse(value: &'a [u8]) -> Result<Self, ParseError> {
        if scan::trim(value) == b"*" {
            return Ok(Self::Star);
        }
        NameAddr::parse(value).map(Self::Address)
    }

    fn write(&self, out: &mut Vec<u8>) {
        match self {
            Self::Star => out.push(b'*'),
            Self::Address(address) => address.write(out),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Contact, Header};

    fn read(text: &str) -> Contact<'_> {
        Contact::parse(text.as_bytes()).unwrap_or_else(|error| panic!("{text}: {error}"))
    }

    #[test]
    fn a_star_is_all_bindings() {
        assert!(matches!(read(" * "), Contact::Star));
        assert!(Contact::parse(b"**").is_err());
    }

    #[test]
    fn expires_is_a_number_of_seconds() {
        assert_eq!(read("<sip:a@b.com>;expires=3600").expires(), Some(3600));
        assert_eq!(read("sip:a@b.com;expires=0").expires(), Some(0));
        assert_eq!(read("<sip:a@b.com>;expires=280297596632815").expires(), None);
        assert_eq!(read("<sip:a@b.com;expires=5>").expires(), None);
    }

    #[test]
    fn q_has_three_decimals() {
        let q = |text: &str| read(text).q();
        assert_eq!(q("<sip:a@b.com>;q=0.7"), Some(700));
        assert_eq!(q("<sip:a@b.com>; q = 0.33"), Some(330));
        assert_eq!(q("<sip:a@b.com>;q=1"), Some(1000));
        assert_eq!(q("<sip:a@b.com>;q=1.000"), Some(1000));
        assert_eq!(q("<sip:a@b.com>;q=0."), Some(0));
        for bad in ["1.001", "2", "0.1234", ".5", "a", "0.x", "-1"] {
            assert_eq!(q(&alloc::format!("<sip:a@b.com>;q={bad}")), None, "{bad}");
        }
    }
}
