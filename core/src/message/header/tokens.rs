//! Headers that list tokens.

use super::Header;
use crate::message::error::{ParseError, ParseErrorKind};
use crate::message::method::Method;
use crate::message::name::HeaderId;
use crate::message::scan;
use alloc::vec::Vec;

/// One method of Allow (RFC 3261 §20.5).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Allow<'a>(pub Method<'a>);

impl<'a> Header<'a> for Allow<'a> {
    const ID: HeaderId = HeaderId::Allow;
    const LIST: bool = true;

    fn parse(value: &'a [u8]) -> Result<Self, ParseError> {
        Method::parse(scan::trim(value)).map(Self).ok_or(ParseError::new(ParseErrorKind::Method, 0))
    }

    fn write(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(self.0.as_str().as_bytes());
    }
}

/// A header that lists option tags (RFC 3261 §19.2); compared without case.
macro_rules! option_tag_header {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub struct $name<'a>(pub &'a str);

        impl<'a> Header<'a> for $name<'a> {
            const ID: HeaderId = HeaderId::$name;
            const LIST: bool = true;

            fn parse(value: &'a [u8]) -> Result<Self, ParseError> {
                scan::token(scan::trim(value)).map(Self).ok_or(ParseError::new(ParseErrorKind::Token, 0))
            }

            fn write(&self, out: &mut Vec<u8>) {
                out.extend_from_slice(self.0.as_bytes());
            }
        }
    };
}

option_tag_header!(
    /// One option tag of Require (RFC 3261 §20.32).
    Require
);
option_tag_header!(
    /// One option tag of Proxy-Require (RFC 3261 §20.29).
    ProxyRequire
);
option_tag_header!(
    /// One option tag of Supported (RFC 3261 §20.37).
    Supported
);
option_tag_header!(
    /// One option tag of Unsupported (RFC 3261 §20.40).
    Unsupported
);

#[cfg(test)]
mod tests {
    use super::{Allow, Header, Require};
    use crate::message::Method;

    #[test]
    fn each_is_a_token() {
        assert_eq!(Allow::parse(b" INVITE "), Ok(Allow(Method::Invite)));
        assert_eq!(Require::parse(b"100rel"), Ok(Require("100rel")));
        assert!(Require::parse(b"").is_err());
        assert!(Require::parse(b"a b").is_err());
    }
}
