//! Headers that are tokens: Allow, option tags, Priority.

use super::Header;
use crate::message::error::{ParseError, ParseErrorKind};
use crate::message::method::Method;
use crate::message::name::HeaderId;
use crate::message::text;
use alloc::vec::Vec;

/// One method of Allow (RFC 3261 §20.5).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Allow<'a>(pub Method<'a>);

impl<'a> Header<'a> for Allow<'a> {
    const ID: HeaderId = HeaderId::Allow;
    const LIST: bool = true;

    fn parse(value: &'a [u8]) -> Result<Self, ParseError> {
        Method::parse(text::trim(value)).map(Self).ok_or(ParseError::new(ParseErrorKind::Method, 0))
    }

    fn write(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(self.0.as_str().as_bytes());
    }
}

token_header!(
    /// One option tag of Require (RFC 3261 §20.32).
    Require,
    list: true
);
token_header!(
    /// One option tag of Proxy-Require (RFC 3261 §20.29).
    ProxyRequire,
    list: true
);
token_header!(
    /// One option tag of Supported (RFC 3261 §20.37).
    Supported,
    list: true
);
token_header!(
    /// One option tag of Unsupported (RFC 3261 §20.40).
    Unsupported,
    list: true
);

token_header!(
    /// Priority: `emergency`, `urgent`, `normal`, `non-urgent` or another token (RFC 3261 §20.26).
    Priority,
    list: false
);

#[cfg(test)]
mod tests {
    use super::super::testing::{refused, round_trip};
    use super::{Allow, Header, Priority, ProxyRequire, Require, Supported, Unsupported};
    use crate::message::Method;

    #[test]
    fn each_is_a_token() {
        assert_eq!(Allow::parse(b" INVITE "), Ok(Allow(Method::Invite)));
        assert_eq!(round_trip::<Allow<'_>>("\r\n OPTIONS"), "OPTIONS");
        assert_eq!(round_trip::<Require<'_>>("100rel"), "100rel");
        assert_eq!(round_trip::<ProxyRequire<'_>>("foo"), "foo");
        assert_eq!(round_trip::<Supported<'_>>(" 100rel "), "100rel");
        assert_eq!(round_trip::<Unsupported<'_>>("foo"), "foo");
        assert_eq!(round_trip::<Priority<'_>>("non-urgent"), "non-urgent");
        refused::<Allow<'_>>(&["", "IN VITE", "A;b"]);
        refused::<Require<'_>>(&["", "a b", "a;b", "\"a\"", "a,b"]);
        refused::<Priority<'_>>(&["", "very urgent", "urgent, normal"]);
    }

    #[test]
    fn tokens_are_the_same_in_any_case_and_methods_are_not() {
        assert_eq!(Require::parse(b"100REL"), Ok(Require("100rel")));
        assert_eq!(Priority::parse(b"Emergency"), Ok(Priority("emergency")));
        assert_ne!(Allow::parse(b"invite"), Ok(Allow(Method::Invite)));
    }
}
