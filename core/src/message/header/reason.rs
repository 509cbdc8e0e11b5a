//! Reason (RFC 3326).

use crate::message::error::{ParseError, ParseErrorKind};
use crate::message::quoted::Quoted;
use crate::message::text;

token_and_parameters_header!(
    /// One value of Reason (RFC 3326 §2).
    Reason {
        /// The protocol whose cause it is, such as `SIP` or `Q.850`; compare without case.
        protocol
    },
    list: true,
    check: |read: Self| {
        let bad = |kind| Err(ParseError::new(kind, read.protocol.len()));
        if read.parameters.has("cause") && read.cause().is_none() {
            return bad(ParseErrorKind::Number);
        }
        if read.parameters.has("text") && read.text().is_none() {
            return bad(ParseErrorKind::Quotes);
        }
        Ok(read)
    }
);

impl<'a> Reason<'a> {
    /// The `cause`: a status code where the protocol is `SIP`.
    pub fn cause(&self) -> Option<u32> {
        text::number(self.parameters.value("cause")?)
    }

    /// The `text`.
    pub fn text(&self) -> Option<Quoted<'a>> {
        self.parameters.quoted("text")
    }
}

#[cfg(test)]
mod tests {
    use super::super::Header;
    use super::super::testing::{refused, round_trip};
    use super::Reason;

    #[test]
    fn the_examples_of_the_rfc() {
        // RFC 3326 §2.
        for text in [
            "SIP ;cause=200 ;text=\"Call completed elsewhere\"",
            "Q.850 ;cause=16 ;text=\"Terminated\"",
            "SIP ;cause=600 ;text=\"Busy Everywhere\"",
        ] {
            assert_eq!(round_trip::<Reason<'_>>(text), text.replacen(" ;", ";", 1));
        }
        let read = Reason::parse(b"SIP;cause=200;text=\"Call \\\"completed\\\" elsewhere\"").unwrap();
        assert_eq!((read.protocol, read.cause()), ("SIP", Some(200)));
        assert_eq!(read.text().unwrap(), *"Call \"completed\" elsewhere");
    }

    #[test]
    fn malformed_ones_are_refused() {
        refused::<Reason<'_>>(&[
            "",
            ";cause=1",
            "SIP;cause=x",
            "SIP;cause",
            "SIP;text=Busy",
            "SIP;text=\"Busy",
            "SIP 200",
        ]);
    }
}
