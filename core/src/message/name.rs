//! Header names: known ones as one octet, others as text (RFC 3261 §7.3.1, §7.3.3, §20).

use core::fmt;

/// Makes [`HeaderId`] from one line a header: its name, and its compact form if it has one. A new header needs no more.
macro_rules! header_ids {
    ($($id:ident = $name:literal $(or $compact:literal)?;)*) => {
        /// A header that sansip knows by name, in its long or compact form.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[repr(u8)]
        #[non_exhaustive]
        pub enum HeaderId {
            $(#[doc = concat!("`", $name, "`.")] $id,)*
        }

        impl HeaderId {
            const ALL: &'static [Self] = &[$(Self::$id,)*];

            /// The name as it is registered, in its long form.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$id => $name,)*
                }
            }

            /// The compact form, where there is one (RFC 3261 §7.3.3 and the registry).
            pub const fn compact(self) -> Option<u8> {
                match self {
                    $($(Self::$id => Some($compact),)?)*
                    _ => None,
                }
            }

            const fn from_compact(letter: u8) -> Option<Self> {
                match letter {
                    $($($compact => Some(Self::$id),)?)*
                    _ => None,
                }
            }
        }
    };
}

header_ids! {
    Accept = "Accept";
    AcceptContact = "Accept-Contact" or b'a';
    AcceptEncoding = "Accept-Encoding";
    AcceptLanguage = "Accept-Language";
    AlertInfo = "Alert-Info";
    Allow = "Allow";
    AllowEvents = "Allow-Events" or b'u';
    AuthenticationInfo = "Authentication-Info";
    Authorization = "Authorization";
    CallId = "Call-ID" or b'i';
    CallInfo = "Call-Info";
    Contact = "Contact" or b'm';
    ContentDisposition = "Content-Disposition";
    ContentEncoding = "Content-Encoding" or b'e';
    ContentLanguage = "Content-Language";
    ContentLength = "Content-Length" or b'l';
    ContentType = "Content-Type" or b'c';
    CSeq = "CSeq";
    Date = "Date";
    ErrorInfo = "Error-Info";
    Event = "Event" or b'o';
    Expires = "Expires";
    From = "From" or b'f';
    HistoryInfo = "History-Info";
    Identity = "Identity" or b'y';
    InReplyTo = "In-Reply-To";
    MaxBreadth = "Max-Breadth";
    MaxForwards = "Max-Forwards";
    MimeVersion = "MIME-Version";
    MinExpires = "Min-Expires";
    MinSe = "Min-SE";
    Organization = "Organization";
    PAssertedIdentity = "P-Asserted-Identity";
    PPreferredIdentity = "P-Preferred-Identity";
    Path = "Path";
    Priority = "Priority";
    Privacy = "Privacy";
    ProxyAuthenticate = "Proxy-Authenticate";
    ProxyAuthorization = "Proxy-Authorization";
    ProxyRequire = "Proxy-Require";
    RAck = "RAck";
    Reason = "Reason";
    RecordRoute = "Record-Route";
    ReferTo = "Refer-To" or b'r';
    ReferredBy = "Referred-By" or b'b';
    RejectContact = "Reject-Contact" or b'j';
    Replaces = "Replaces";
    ReplyTo = "Reply-To";
    RequestDisposition = "Request-Disposition" or b'd';
    Require = "Require";
    RetryAfter = "Retry-After";
    Route = "Route";
    RSeq = "RSeq";
    Server = "Server";
    ServiceRoute = "Service-Route";
    SessionExpires = "Session-Expires" or b'x';
    Subject = "Subject" or b's';
    SubscriptionState = "Subscription-State";
    Supported = "Supported" or b'k';
    Timestamp = "Timestamp";
    To = "To" or b't';
    Unsupported = "Unsupported";
    UserAgent = "User-Agent";
    Via = "Via" or b'v';
    Warning = "Warning";
    WwwAuthenticate = "WWW-Authenticate";
}

impl HeaderId {
    /// The header of this name, long or compact, without regard to case.
    pub fn from_name(name: &[u8]) -> Option<Self> {
        if let [letter] = name {
            return Self::from_compact(letter.to_ascii_lowercase());
        }
        let key = Key::of(name)?;
        let mut slot = key.slot();
        loop {
            let (known, id) = (*KNOWN.get(slot)?)?;
            // The ends of a name overlap: those of "Content-t-Length" are those of "Content-Length".
            if known == key && id.as_str().len() == name.len() {
                // Of the longest names a key leaves out the middle.
                let is_it = name.len() <= 16 || id.as_str().as_bytes().eq_ignore_ascii_case(name);
                return is_it.then_some(id);
            }
            slot = (slot + 1) % SLOTS;
        }
    }
}

/// The known names by their keys: each in the slot that its key says, or in the next free one. Most are found at once; a
/// search among those of the same length took 10 instructions a name more.
static KNOWN: [Option<(Key, HeaderId)>; SLOTS] = known();

/// About four times as many as there are names, and a power of two.
const SLOTS: usize = 256;

#[expect(clippy::indexing_slicing, reason = "evaluated by the compiler, which would find it")]
const fn known() -> [Option<(Key, HeaderId)>; SLOTS] {
    let mut slots = [None; SLOTS];
    let mut rest = HeaderId::ALL;
    while let [id, others @ ..] = rest {
        rest = others;
        let Some(key) = Key::of(id.as_str().as_bytes()) else { continue };
        let mut slot = key.slot();
        while slots[slot].is_some() {
            slot = (slot + 1) % SLOTS;
        }
        slots[slot] = Some((key, *id));
    }
    slots
}

/// The first and the last octets of a name as numbers, which overlap in a short one, in lower case. So two comparisons of
/// numbers compare names without case, and no copy is made in lower case.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Key(u64, u64);

impl Key {
    const fn of(name: &[u8]) -> Option<Self> {
        let (first, last) = match name.len() {
            2..=3 => match (name.first_chunk(), name.last_chunk()) {
                (Some(first), Some(last)) => (u16::from_le_bytes(*first) as u64, u16::from_le_bytes(*last) as u64),
                _ => return None,
            },
            4..=7 => match (name.first_chunk(), name.last_chunk()) {
                (Some(first), Some(last)) => (u32::from_le_bytes(*first) as u64, u32::from_le_bytes(*last) as u64),
                _ => return None,
            },
            8..=20 => match (name.first_chunk(), name.last_chunk()) {
                (Some(first), Some(last)) => (u64::from_le_bytes(*first), u64::from_le_bytes(*last)),
                _ => return None,
            },
            _ => return None,
        };
        Some(Self(lower(first), lower(last)))
    }

    /// Where to look for it.
    const fn slot(self) -> usize {
        // An odd number of no further meaning that spreads the keys.
        const SPREAD: u64 = 0x9e37_79b9_7f4a_7c15;
        (self.0.wrapping_add(self.1.rotate_left(5)).wrapping_mul(SPREAD) >> 56) as usize % SLOTS
    }
}

/// Octets of which all that have the bit 0x40 get the bit 0x20. Known names have only letters of that kind, which become small,
/// and nothing else becomes a small letter.
const fn lower(octets: u64) -> u64 {
    octets | (octets & u64::from_le_bytes([0x40; 8])) >> 1
}

impl fmt::Display for HeaderId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A header name: one that is known, or text that is compared without case.
#[derive(Clone, Copy, Debug)]
pub enum HeaderName<'a> {
    /// A known header.
    Known(HeaderId),
    /// Any other, as written.
    Other(&'a str),
}

impl<'a> HeaderName<'a> {
    /// The name: of a known header the registered one.
    pub const fn as_str(self) -> &'a str {
        match self {
            Self::Known(id) => id.as_str(),
            Self::Other(name) => name,
        }
    }
}

impl PartialEq for HeaderName<'_> {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Known(a), Self::Known(b)) => a == b,
            (Self::Other(a), Self::Other(b)) => a.eq_ignore_ascii_case(b),
            _ => false,
        }
    }
}

impl Eq for HeaderName<'_> {}

impl From<HeaderId> for HeaderName<'_> {
    fn from(id: HeaderId) -> Self {
        Self::Known(id)
    }
}

impl<'a> From<&'a str> for HeaderName<'a> {
    fn from(name: &'a str) -> Self {
        HeaderId::from_name(name.as_bytes()).map_or(Self::Other(name), Self::Known)
    }
}

impl fmt::Display for HeaderName<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::{HeaderId, HeaderName};

    #[test]
    fn a_name_whose_ends_are_those_of_a_known_one_is_another() {
        for name in ["Content-t-Length", "Max-Foo-Forwards", "Viia", "Froom", "Call-l-ID"] {
            assert_eq!(HeaderId::from_name(name.as_bytes()), None, "{name}");
        }
    }

    #[test]
    fn a_name_is_known_in_every_case_and_by_its_compact_form() {
        for (name, id) in [
            ("Call-ID", HeaderId::CallId),
            ("call-id", HeaderId::CallId),
            ("I", HeaderId::CallId),
            ("v", HeaderId::Via),
            ("VIA", HeaderId::Via),
            ("www-AUTHENTICATE", HeaderId::WwwAuthenticate),
            ("p-preferred-identity", HeaderId::PPreferredIdentity),
            ("k", HeaderId::Supported),
            ("x", HeaderId::SessionExpires),
        ] {
            assert_eq!(HeaderId::from_name(name.as_bytes()), Some(id), "{name}");
        }
    }

    #[test]
    fn every_known_name_is_found_again() {
        for &id in HeaderId::ALL {
            assert_eq!(HeaderId::from_name(id.as_str().as_bytes()), Some(id));
            assert_eq!(HeaderId::from_name(id.as_str().to_ascii_uppercase().as_bytes()), Some(id));
            if let Some(letter) = id.compact() {
                assert_eq!(HeaderId::from_name(&[letter]), Some(id));
            }
        }
    }

    #[test]
    fn other_names_are_compared_without_case() {
        for unknown in [&b"X-Via"[..], b"Call\rID", b"Call_ID", b"Proxy-Authen\xc2\xa4cate", b"P-Asserted_Identity"] {
            assert_eq!(HeaderId::from_name(unknown), None);
        }
        assert_eq!(HeaderId::from_name(b""), None);
        assert_eq!(HeaderId::from_name(b"An-Extremely-Long-Header-Name"), None);
        assert_eq!(HeaderName::from("x-thing"), HeaderName::Other("X-Thing"));
        assert_ne!(HeaderName::from("x-thing"), HeaderName::from("via"));
    }
}
