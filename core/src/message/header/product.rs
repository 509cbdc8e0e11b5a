//! The names of software: Server, User-Agent (RFC 3261 §20.35, §20.41).

use super::{Header, write_unfolded};
use crate::message::error::{ParseError, ParseErrorKind};
use crate::message::name::HeaderId;
use crate::message::quoted::Comment;
use crate::message::text::{self, Cursor};
use alloc::vec::Vec;

/// One piece of Server or User-Agent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Product<'a> {
    /// A product and perhaps its version.
    Named {
        /// The name.
        name: &'a str,
        /// The text behind the slash.
        version: Option<&'a str>,
    },
    /// A comment.
    Comment(Comment<'a>),
}

impl<'a> Product<'a> {
    fn take(cursor: &mut Cursor<'a>) -> Result<Self, ParseError> {
        if cursor.peek() == Some(b'(') {
            return Comment::take(cursor).map(Self::Comment);
        }
        let name = cursor.token()?;
        cursor.lws();
        if !cursor.eat(b'/') {
            return Ok(Self::Named { name, version: None });
        }
        cursor.lws();
        Ok(Self::Named { name, version: Some(cursor.token()?) })
    }
}

/// A header that is products and comments.
macro_rules! product_header {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq)]
        pub struct $name<'a>(&'a [u8]);

        impl<'a> $name<'a> {
            /// The products and comments in order.
            pub fn products(self) -> impl Iterator<Item = Product<'a>> + Clone {
                products(self.0)
            }

            /// The value as written.
            pub const fn as_bytes(self) -> &'a [u8] {
                self.0
            }
        }

        impl<'a> Header<'a> for $name<'a> {
            const ID: HeaderId = HeaderId::$name;
            const LIST: bool = false;

            fn parse(value: &'a [u8]) -> Result<Self, ParseError> {
                check(value).map(Self)
            }

            fn write(&self, out: &mut Vec<u8>) {
                write_unfolded(out, self.0);
            }
        }

        impl core::fmt::Debug for $name<'_> {
            fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                f.debug_list().entries(self.products()).finish()
            }
        }
    };
}

product_header!(
    /// Server: the software of a UAS (RFC 3261 §20.35).
    Server
);
product_header!(
    /// User-Agent: the software of a UAC (RFC 3261 §20.41).
    UserAgent
);

/// The value, trimmed, if it is products and comments. White space before a comment may be missing: many leave it out.
fn check(value: &[u8]) -> Result<&[u8], ParseError> {
    let value = text::trim(value);
    let mut cursor = Cursor::new(value);
    let mut apart = true;
    loop {
        if !apart && cursor.peek() != Some(b'(') {
            return Err(cursor.error(ParseErrorKind::Trailing));
        }
        Product::take(&mut cursor)?;
        cursor.lws();
        if cursor.is_done() {
            return Ok(value);
        }
        // In search of a slash, a name has taken the white space behind it.
        let taken = value.len() - cursor.rest().len();
        apart = value.get(..taken).and_then(<[u8]>::last).copied().is_some_and(text::is_lws);
    }
}

/// The pieces of text that was checked.
fn products(text: &[u8]) -> impl Iterator<Item = Product<'_>> + Clone {
    let mut cursor = Cursor::new(text);
    core::iter::from_fn(move || {
        cursor.lws();
        Product::take(&mut cursor).ok()
    })
}

#[cfg(test)]
mod tests {
    use super::super::testing::{refused, round_trip};
    use super::{Header, Product, Server, UserAgent};
    use crate::message::{Comment, Limits, ParseErrorKind};
    use alloc::vec::Vec;

    #[test]
    fn the_examples_of_the_rfc() {
        assert_eq!(round_trip::<Server<'_>>("HomeServer v2"), "HomeServer v2");
        let read = UserAgent::parse(b"Softphone Beta1.5").unwrap();
        let named = |name| Product::Named { name, version: None };
        assert_eq!(read.products().collect::<Vec<_>>(), [named("Softphone"), named("Beta1.5")]);
    }

    #[test]
    fn versions_and_comments_are_told_apart() {
        let read = UserAgent::parse(b"A / 1.0 (x (y) \\) z)\r\n B(c)").unwrap();
        assert_eq!(
            read.products().collect::<Vec<_>>(),
            [
                Product::Named { name: "A", version: Some("1.0") },
                Product::Comment(Comment::parse(b"(x (y) \\) z)").unwrap()),
                Product::Named { name: "B", version: None },
                Product::Comment(Comment::parse(b"(c)").unwrap()),
            ]
        );
        assert_eq!(round_trip::<UserAgent<'_>>("A/1\r\n\t(b)"), "A/1 (b)");
    }

    #[test]
    fn malformed_ones_are_refused() {
        refused::<Server<'_>>(&["", "/1", "A/", "A//1", "A/1/2", "(", "A (b", "A)", "[x]", "A \"b\"", "(a)b", "A, B"]);
        let deep: &'static str = "(".repeat(Limits::COMMENT_NESTING + 1).leak();
        assert_eq!(Server::parse(deep.as_bytes()).unwrap_err().kind(), ParseErrorKind::CommentTooDeep);
    }
}
