//! Contact (RFC 3261 §20.10).

use super::numbers::seconds;
use super::{Header, NameAddr, quality};
use crate::message::error::ParseError;
use crate::message::name::HeaderId;
use crate::message::text;
use crate::message::uri::UserPart;
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

    /// The `expires` in seconds, more than fit as many as fit; `None` if absent or malformed, which are not the same: a
    /// malformed one stands for 3600 (RFC 3261 §10.2.1.1).
    pub fn expires(self) -> Option<u32> {
        seconds(self.address()?.parameters.value("expires")?)
    }

    /// The `q` in thousandths, 0 to 1000; `None` if absent or malformed.
    pub fn q(self) -> Option<u16> {
        quality::q(self.address()?.parameters)
    }
}

impl<'a> Header<'a> for Contact<'a> {
    const ID: HeaderId = HeaderId::Contact;
    const LIST: bool = true;

    fn parse(value: &'a [u8]) -> Result<Self, ParseError> {
        Self::parse_with(value, UserPart::Strict)
    }

    fn parse_with(value: &'a [u8], user_part: UserPart) -> Result<Self, ParseError> {
        if text::trim(value) == b"*" {
            return Ok(Self::Star);
        }
        NameAddr::parse_with(value, user_part).map(Self::Address)
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
        assert_eq!(read("<sip:a@b.com>;expires=280297596632815").expires(), Some(u32::MAX));
        assert_eq!(read("<sip:a@b.com>;expires=soon").expires(), None);
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

    #[test]
    fn the_example_of_the_rfc_comes_back() {
        let text = "\"Mr. Watson\" <sip:watson@worcester.bell-telephone.com>;q=0.7; expires=3600";
        assert_eq!(super::super::testing::round_trip::<Contact<'_>>(text), text);
    }
}
