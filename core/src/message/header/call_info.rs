//! URIs with parameters: Alert-Info, Call-Info, Error-Info (RFC 3261 §20.4, §20.9, §20.18).

use super::{Header, write_unfolded};
use crate::message::error::{ParseError, ParseErrorKind};
use crate::message::name::HeaderId;
use crate::message::parameters::Parameters;
use crate::message::text::Cursor;
use crate::message::uri::Uri;
use alloc::vec::Vec;

/// A header whose values are each a URI in angle brackets and parameters.
macro_rules! info_header {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug)]
        pub struct $name<'a> {
            /// The URI, of any scheme.
            pub uri: Uri<'a>,
            /// The parameters.
            pub parameters: Parameters<'a>,
        }

        impl<'a> Header<'a> for $name<'a> {
            const ID: HeaderId = HeaderId::$name;
            const LIST: bool = true;

            fn parse(value: &'a [u8]) -> Result<Self, ParseError> {
                let (uri, parameters) = bracketed(value)?;
                Ok(Self { uri, parameters })
            }

            fn write(&self, out: &mut Vec<u8>) {
                out.push(b'<');
                out.extend_from_slice(self.uri.as_bytes());
                out.push(b'>');
                write_unfolded(out, self.parameters.as_bytes());
            }
        }
    };
}

info_header!(
    /// One value of Alert-Info: what to ring with (RFC 3261 §20.4).
    AlertInfo
);
info_header!(
    /// One value of Call-Info: more about caller or callee (RFC 3261 §20.9).
    CallInfo
);
info_header!(
    /// One value of Error-Info: more about an error (RFC 3261 §20.18).
    ErrorInfo
);

impl<'a> CallInfo<'a> {
    /// The `purpose`, such as `icon`, `info` or `card`; compare without case.
    pub fn purpose(&self) -> Option<&'a str> {
        self.parameters.token("purpose")
    }
}

fn bracketed(value: &[u8]) -> Result<(Uri<'_>, Parameters<'_>), ParseError> {
    let mut cursor = Cursor::new(value);
    cursor.lws();
    if !cursor.eat(b'<') {
        return Err(cursor.error(ParseErrorKind::Brackets));
    }
    let before = cursor.offset();
    let uri = Uri::parse(cursor.take_until(b'>')).map_err(|error| error.moved(before))?;
    if !cursor.eat(b'>') {
        return Err(cursor.error(ParseErrorKind::Brackets));
    }
    Ok((uri, super::parameters(&mut cursor)?))
}

#[cfg(test)]
mod tests {
    use super::super::testing::{refused, round_trip};
    use super::{AlertInfo, CallInfo, ErrorInfo, Header};
    use crate::message::text::Values;
    use alloc::vec::Vec;

    #[test]
    fn the_examples_of_the_rfc() {
        let text = "<http://www.example.com/sounds/moo.wav>";
        assert_eq!(round_trip::<AlertInfo<'_>>(text), text);
        let text = "<sip:not-in-service-recording@atlanta.com>";
        assert_eq!(round_trip::<ErrorInfo<'_>>(text), text);
        let list: Vec<_> = Values::new(
            b"<http://wwww.example.com/alice/photo.jpg> ;purpose=icon,\r\n  <http://www.example.com/alice/> ;purpose=info",
        )
        .map(|value| CallInfo::parse(value).unwrap())
        .collect();
        assert_eq!(list.iter().map(CallInfo::purpose).collect::<Vec<_>>(), [Some("icon"), Some("info")]);
        assert_eq!(
            round_trip::<CallInfo<'_>>("<http://a/b?c,d>\r\n ;purpose = card"),
            "<http://a/b?c,d>;purpose = card"
        );
    }

    #[test]
    fn malformed_ones_are_refused() {
        refused::<CallInfo<'_>>(&[
            "",
            "http://a/b",
            "<http://a/b",
            "<>",
            "<a>",
            "<http://a b>",
            "<http://a>x",
            "<http://a>;",
        ]);
    }
}
