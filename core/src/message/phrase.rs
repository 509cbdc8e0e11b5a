//! The reason phrases of our own, beside those of the registry ([`StatusCode::reason`]).
//!
//! None has the name of a header field as a word, long or compact: some readers look for a name in the whole message and not at the
//! beginnings of its lines alone. sipp 3.6 takes the method of a response from what follows the first `CSeq`, wherever that stands.

use super::status::StatusCode;
use core::fmt;

/// A reason phrase of our own: what is wrong, as a sender is told it (RFC 3261 §21.4.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Phrase(&'static str);

macro_rules! phrases {
    ($($name:ident = $text:literal;)*) => {
        impl Phrase {
            $(pub(crate) const $name: Self = Self($text);)*

            #[cfg(test)]
            const ALL: &[Self] = &[$(Self::$name),*];
        }
    };
}

// The phrases for bytes that cannot be read.
phrases! {
    EMPTY = "the message is empty";
    START_LINE = "the first line is neither request line nor status line";
    STATUS = "the status code is no number between 100 and 699";
    HEADER_LINE = "one header line has no colon";
    HEADER_NAME = "one header name is no token";
    LINE_END = "carriage return or line feed stands alone";
    START_LINE_TOO_LONG = "the start line is too long";
    HEADER_SECTION_TOO_LONG = "the header section is too long";
    TOO_MANY_HEADERS = "there are too many header fields";
    BODY_TOO_LONG = "the body is too long";
    TOO_MANY_VIAS = "there are too many return addresses";
    TOO_MANY_PARAMETERS = "there are too many parameters";
    TOO_MANY_PARTS = "the body has too many parts";
    COMMENT_TOO_DEEP = "too many comments stand within one another";
    METHOD = "the method is no token";
    URI = "the URI cannot be used";
    HOST = "the host cannot be used";
    PORT = "the port cannot be used";
    PARAMETER = "one parameter cannot be used";
    NUMBER = "one number is missing or out of range";
    TOKEN = "one token is missing";
    QUOTES = "one quoted string does not end or stands where it must not";
    BRACKETS = "one angle bracket is missing";
    COMMENT = "one comment does not end or has forbidden characters";
    TIME = "the time is not one of RFC 1123 in GMT";
    MISSING = "one required parameter is missing";
    TEXT = "the text is not UTF-8 or has control characters";
    BOUNDARY = "one boundary of the multipart body is missing or malformed";
    PROTOCOL = "the protocol or its version cannot be used";
    TRAILING = "something follows that does not belong there";
    REPEATED = "the header may stand only once";
    CONTROL = "one control character stands where none may";
    VALUE_TOO_LONG = "the value is too long for another message";

    // These are for a request line, and for the message as a whole.
    BAD_START_LINE = "Bad start line";
    BAD_REQUEST_LINE = "Bad Request-Line";
    BAD_REQUEST_URI = "Bad Request-URI";
    HEADERS_IN_REQUEST_URI = "Headers in the Request-URI";
    NO_EMPTY_LINE = "Missing empty line after the headers";
    // Content-Length.
    BAD_LENGTH = "Missing or malformed body length";
    SHORT_BODY = "Body shorter than its length says";
    // To.
    NO_RECIPIENT = "Missing recipient";
    REPEATED_RECIPIENT = "Repeated recipient";
    BAD_RECIPIENT = "Bad recipient";
    RECIPIENT_OF_OTHER_SCHEME = "Recipient is no SIP URI";
    // From.
    NO_SENDER = "Missing sender";
    REPEATED_SENDER = "Repeated sender";
    BAD_SENDER = "Bad sender";
    // Call-ID.
    NO_CALL_IDENTIFIER = "Missing call identifier";
    REPEATED_CALL_IDENTIFIER = "Repeated call identifier";
    BAD_CALL_IDENTIFIER = "Bad call identifier";
    // CSeq.
    NO_SEQUENCE_NUMBER = "Missing sequence number";
    REPEATED_SEQUENCE_NUMBER = "Repeated sequence number";
    BAD_SEQUENCE_NUMBER = "Bad sequence number";
    OTHER_METHOD = "Sequence number of another method";
    OUT_OF_ORDER = "Sequence number out of order";
    // Via.
    NO_RETURN_ADDRESS = "Missing return address";
    REPEATED_RETURN_ADDRESS = "Repeated return address";
    BAD_RETURN_ADDRESS = "Bad return address";
    // Max-Forwards and Max-Breadth.
    REPEATED_HOP_LIMIT = "Repeated hop limit";
    BAD_HOP_LIMIT = "Bad hop limit";
    BAD_BREADTH_LIMIT = "Bad breadth limit";
    // Route and Record-Route.
    BAD_PROXIES = "Bad list of proxies";
    TOO_LONG_TO_FORWARD = "Request too long for forwarding";
    NO_WAY = "Next hop cannot be reached";
    BAD_RECORDED_PROXIES = "Bad list of recorded proxies";
    // Require and Proxy-Require.
    BAD_EXTENSIONS = "Bad list of extensions";
    // Contact, where it makes a dialog, and where it makes a binding.
    BAD_REMOTE_TARGET = "Missing or unusable remote target";
    BAD_BINDING = "Bad binding";
    BAD_PREFERENCE = "Preference out of range";
    SEVERAL_FLOWS = "Several bindings with one flow";
    BAD_PATH = "Bad way back";
    OTHER_USER = "Credentials of another user";
    THIRD_PARTY = "Sender and recipient differ";
    CONTACT_IS_RECIPIENT = "Binding leads back here";
    TOO_MANY_BINDINGS = "Too many bindings";
    ASTERISK_NOT_ALONE = "Asterisk not alone";
    ASTERISK_WITH_LIFETIME = "Asterisk without zero lifetime";
    // Event, Subscription-State, Refer-To and Referred-By.
    BAD_PACKAGE = "Missing or unusable package";
    BAD_REFERENCE = "Exactly one usable reference is needed";
    BAD_REFERRER = "More than one referrer";
    BAD_SUBSCRIPTION = "Missing or unusable status of the subscription";
}

impl Phrase {
    /// The usual phrase of this status.
    pub(crate) const fn of(status: StatusCode) -> Self {
        Self(status.reason())
    }

    /// The text.
    pub const fn as_str(self) -> &'static str {
        self.0
    }
}

impl AsRef<[u8]> for Phrase {
    fn as_ref(&self) -> &[u8] {
        self.0.as_bytes()
    }
}

impl fmt::Display for Phrase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::Phrase;
    use crate::message::HeaderId;

    /// The header fields whose names stand in this text as words.
    fn named(text: &str) -> impl Iterator<Item = HeaderId> {
        let words = text.split(|octet: char| !octet.is_ascii_alphanumeric() && octet != '-');
        words.filter_map(|word| HeaderId::from_name(word.as_bytes()))
    }

    #[test]
    fn no_phrase_names_a_header_field() {
        assert!(named("CSeq Out Of Order").eq([HeaderId::CSeq]));
        assert!(named("send it to a record-route").eq([HeaderId::To, HeaderId::AcceptContact, HeaderId::RecordRoute]));
        for phrase in Phrase::ALL {
            assert_eq!(named(phrase.as_str()).next(), None, "{phrase}");
        }
    }

    #[test]
    fn each_phrase_can_be_told_from_the_others() {
        for (place, phrase) in Phrase::ALL.iter().enumerate() {
            assert!(!Phrase::ALL[..place].contains(phrase), "{phrase}");
        }
    }
}
