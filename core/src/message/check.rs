//! Whether every header that is known is well-formed (RFC 3261 §25.1): more than any one element needs.

use super::error::{ParseError, ParseErrorKind};
use super::header::*;
use super::headers::Headers;
use super::name::HeaderId;
use super::text::Values;

impl Headers<'_> {
    /// The first known header that is malformed, or that stands twice though it has but one value (RFC 3261 §7.3.1).
    ///
    /// An element looks only at what it needs: a user agent ignores a malformed header that it has no use for (RFC 3261
    /// §8.2), and a proxy must not refuse it (§16.3). This is the question of a tool or a test.
    pub fn first_malformed(self) -> Option<ParseError> {
        let mut seen = 0_u128;
        self.iter().find_map(|field| {
            let super::HeaderName::Known(id) = field.name else { return None };
            let at = self.offset_of(field.value);
            if is_single(id) {
                let bit = 1_u128.checked_shl(id as u32).unwrap_or_default();
                if seen & bit != 0 {
                    return Some(ParseError::new(ParseErrorKind::Repeated, at).within(id));
                }
                seen |= bit;
            }
            let checked = check(id, field.value);
            checked.err().map(|(value, error)| error.within(id).moved(self.offset_of(value)))
        })
    }
}

/// Whether this header has one value and stands once, and nothing but `first_malformed` sees to it.
const fn is_single(id: HeaderId) -> bool {
    matches!(
        id,
        HeaderId::ContentType
            | HeaderId::ContentDisposition
            | HeaderId::Date
            | HeaderId::Event
            | HeaderId::Expires
            | HeaderId::FlowTimer
            | HeaderId::MaxBreadth
            | HeaderId::MimeVersion
            | HeaderId::MinExpires
            | HeaderId::MinSe
            | HeaderId::Organization
            | HeaderId::Priority
            | HeaderId::RAck
            | HeaderId::RSeq
            | HeaderId::ReferTo
            | HeaderId::Replaces
            | HeaderId::ReplyTo
            | HeaderId::RetryAfter
            | HeaderId::Server
            | HeaderId::SessionExpires
            | HeaderId::Subject
            | HeaderId::SubscriptionState
            | HeaderId::Timestamp
            | HeaderId::UserAgent
    )
}

/// Reads every value of a field; the one that cannot be read, and why.
fn values<'a, H: Header<'a>>(field: &'a [u8]) -> Result<(), (&'a [u8], ParseError)> {
    let read = |value: &'a [u8]| H::parse(value).map(drop).map_err(|error| (value, error));
    if H::LIST { Values::new(field).try_for_each(read) } else { read(field) }
}

/// Reads a field as what it is. Not Content-Disposition: RFC 3261 §23.3 itself prints one without the semicolon before
/// `handling` (erratum 6645), and who reads on finds the rest.
fn check(id: HeaderId, field: &[u8]) -> Result<(), (&[u8], ParseError)> {
    macro_rules! one_of {
        ($($header:ident $(<$life:lifetime>)?),* $(,)?) => {
            match id {
                $(HeaderId::$header => values::<$header>(field),)*
                _ => Ok(()),
            }
        };
    }
    if id == HeaderId::ContentDisposition { Ok(()) } else { crate::typed_headers!(one_of) }
}

#[cfg(test)]
mod tests {
    use crate::message::{HeaderId, Limits, MessageView, ParseErrorKind};

    fn first(headers: &str) -> Option<(Option<HeaderId>, ParseErrorKind, &str)> {
        let text = alloc::format!("OPTIONS sip:a@b.com SIP/2.0\r\n{headers}\r\n\r\n");
        let view = MessageView::parse(text.as_bytes(), &Limits::default()).unwrap_or_else(|error| panic!("{error}"));
        let error = view.headers().first_malformed()?;
        let place = error.offset() as usize - "OPTIONS sip:a@b.com SIP/2.0\r\n".len();
        Some((error.header(), error.kind(), headers[place..].lines().next().unwrap_or_default()))
    }

    #[test]
    fn every_value_of_every_field_is_read() {
        assert_eq!(first("Contact: <sip:a@b.com>, <sip:c@d.com>\r\nExpires: 7\r\nX-Y: \"\r\nSupported:"), None);
        let (header, _, place) = first("m: <sip:a@b.com>\r\nContact: <sip:c@d.com>, <sip:[>;x").unwrap();
        assert_eq!((header, place), (Some(HeaderId::Contact), "[>;x"));
        let expected = Some((Some(HeaderId::Expires), ParseErrorKind::Number, "soon"));
        assert_eq!(first("Expires: soon\r\nMin-Expires: never"), expected);
    }

    #[test]
    fn a_header_of_one_value_stands_once() {
        let expected = Some((Some(HeaderId::ContentType), ParseErrorKind::Repeated, "text/plain"));
        assert_eq!(first("Content-Type: application/sdp\r\nX-Y: 1\r\nc: text/plain"), expected);
        assert_eq!(first("Route: <sip:a>\r\nRoute: <sip:b>"), None);
    }
}
