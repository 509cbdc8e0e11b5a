//! Header names: known ones as one octet, others as text (RFC 3261 §7.3.1, §7.3.3, §20).

use core::fmt;

/// A header that sansip knows by name, in its long or compact form.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
#[non_exhaustive]
pub enum HeaderId {
    /// `Accept`.
    Accept,
    /// `Accept-Contact`, compact form `a`.
    AcceptContact,
    /// `Accept-Encoding`.
    AcceptEncoding,
    /// `Accept-Language`.
    AcceptLanguage,
    /// `Alert-Info`.
    AlertInfo,
    /// `Allow`.
    Allow,
    /// `Allow-Events`, compact form `u`.
    AllowEvents,
    /// `Authentication-Info`.
    AuthenticationInfo,
    /// `Authorization`.
    Authorization,
    /// `Call-ID`, compact form `i`.
    CallId,
    /// `Call-Info`.
    CallInfo,
    /// `Contact`, compact form `m`.
    Contact,
    /// `Content-Disposition`.
    ContentDisposition,
    /// `Content-Encoding`, compact form `e`.
    ContentEncoding,
    /// `Content-Language`.
    ContentLanguage,
    /// `Content-Length`, compact form `l`.
    ContentLength,
    /// `Content-Type`, compact form `c`.
    ContentType,
    /// `CSeq`.
    CSeq,
    /// `Date`.
    Date,
    /// `Error-Info`.
    ErrorInfo,
    /// `Event`, compact form `o`.
    Event,
    /// `Expires`.
    Expires,
    /// `From`, compact form `f`.
    From,
    /// `History-Info`.
    HistoryInfo,
    /// `Identity`, compact form `y`.
    Identity,
    /// `In-Reply-To`.
    InReplyTo,
    /// `Max-Breadth`.
    MaxBreadth,
    /// `Max-Forwards`.
    MaxForwards,
    /// `MIME-Version`.
    MimeVersion,
    /// `Min-Expires`.
    MinExpires,
    /// `Min-SE`.
    MinSe,
    /// `Organization`.
    Organization,
    /// `P-Asserted-Identity`.
    PAssertedIdentity,
    /// `P-Preferred-Identity`.
    PPreferredIdentity,
    /// `Path`.
    Path,
    /// `Priority`.
    Priority,
    /// `Privacy`.
    Privacy,
    /// `Proxy-Authenticate`.
    ProxyAuthenticate,
    /// `Proxy-Authorization`.
    ProxyAuthorization,
    /// `Proxy-Require`.
    ProxyRequire,
    /// `RAck`.
    RAck,
    /// `Reason`.
    Reason,
    /// `Record-Route`.
    RecordRoute,
    /// `Refer-To`, compact form `r`.
    ReferTo,
    /// `Referred-By`, compact form `b`.
    ReferredBy,
    /// `Reject-Contact`, compact form `j`.
    RejectContact,
    /// `Replaces`.
    Replaces,
    /// `Reply-To`.
    ReplyTo,
    /// `Request-Disposition`, compact form `d`.
    RequestDisposition,
    /// `Require`.
    Require,
    /// `Retry-After`.
    RetryAfter,
    /// `Route`.
    Route,
    /// `RSeq`.
    RSeq,
    /// `Server`.
    Server,
    /// `Service-Route`.
    ServiceRoute,
    /// `Session-Expires`, compact form `x`.
    SessionExpires,
    /// `Subject`, compact form `s`.
    Subject,
    /// `Subscription-State`.
    SubscriptionState,
    /// `Supported`, compact form `k`.
    Supported,
    /// `Timestamp`.
    Timestamp,
    /// `To`, compact form `t`.
    To,
    /// `Unsupported`.
    Unsupported,
    /// `User-Agent`.
    UserAgent,
    /// `Via`, compact form `v`.
    Via,
    /// `Warning`.
    Warning,
    /// `WWW-Authenticate`.
    WwwAuthenticate,
}

impl HeaderId {
    /// The name as it is registered, in its long form.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Accept => "Accept",
            Self::AcceptContact => "Accept-Contact",
            Self::AcceptEncoding => "Accept-Encoding",
            Self::AcceptLanguage => "Accept-Language",
            Self::AlertInfo => "Alert-Info",
            Self::Allow => "Allow",
            Self::AllowEvents => "Allow-Events",
            Self::AuthenticationInfo => "Authentication-Info",
            Self::Authorization => "Authorization",
            Self::CallId => "Call-ID",
            Self::CallInfo => "Call-Info",
            Self::Contact => "Contact",
            Self::ContentDisposition => "Content-Disposition",
            Self::ContentEncoding => "Content-Encoding",
            Self::ContentLanguage => "Content-Language",
            Self::ContentLength => "Content-Length",
            Self::ContentType => "Content-Type",
            Self::CSeq => "CSeq",
            Self::Date => "Date",
            Self::ErrorInfo => "Error-Info",
            Self::Event => "Event",
            Self::Expires => "Expires",
            Self::From => "From",
            Self::HistoryInfo => "History-Info",
            Self::Identity => "Identity",
            Self::InReplyTo => "In-Reply-To",
            Self::MaxBreadth => "Max-Breadth",
            Self::MaxForwards => "Max-Forwards",
            Self::MimeVersion => "MIME-Version",
            Self::MinExpires => "Min-Expires",
            Self::MinSe => "Min-SE",
            Self::Organization => "Organization",
            Self::PAssertedIdentity => "P-Asserted-Identity",
            Self::PPreferredIdentity => "P-Preferred-Identity",
            Self::Path => "Path",
            Self::Priority => "Priority",
            Self::Privacy => "Privacy",
            Self::ProxyAuthenticate => "Proxy-Authenticate",
            Self::ProxyAuthorization => "Proxy-Authorization",
            Self::ProxyRequire => "Proxy-Require",
            Self::RAck => "RAck",
            Self::Reason => "Reason",
            Self::RecordRoute => "Record-Route",
            Self::ReferTo => "Refer-To",
            Self::ReferredBy => "Referred-By",
            Self::RejectContact => "Reject-Contact",
            Self::Replaces => "Replaces",
            Self::ReplyTo => "Reply-To",
            Self::RequestDisposition => "Request-Disposition",
            Self::Require => "Require",
            Self::RetryAfter => "Retry-After",
            Self::Route => "Route",
            Self::RSeq => "RSeq",
            Self::Server => "Server",
            Self::ServiceRoute => "Service-Route",
            Self::SessionExpires => "Session-Expires",
            Self::Subject => "Subject",
            Self::SubscriptionState => "Subscription-State",
            Self::Supported => "Supported",
            Self::Timestamp => "Timestamp",
            Self::To => "To",
            Self::Unsupported => "Unsupported",
            Self::UserAgent => "User-Agent",
            Self::Via => "Via",
            Self::Warning => "Warning",
            Self::WwwAuthenticate => "WWW-Authenticate",
        }
    }

    /// The compact form, where there is one (RFC 3261 §7.3.3 and the registry).
    pub const fn compact(self) -> Option<u8> {
        match self {
            Self::AcceptContact => Some(b'a'),
            Self::AllowEvents => Some(b'u'),
            Self::CallId => Some(b'i'),
            Self::Contact => Some(b'm'),
            Self::ContentEncoding => Some(b'e'),
            Self::ContentLength => Some(b'l'),
            Self::ContentType => Some(b'c'),
            Self::Event => Some(b'o'),
            Self::From => Some(b'f'),
            Self::Identity => Some(b'y'),
            Self::ReferTo => Some(b'r'),
            Self::ReferredBy => Some(b'b'),
            Self::RejectContact => Some(b'j'),
            Self::RequestDisposition => Some(b'd'),
            Self::SessionExpires => Some(b'x'),
            Self::Subject => Some(b's'),
            Self::Supported => Some(b'k'),
            Self::To => Some(b't'),
            Self::Via => Some(b'v'),
            _ => None,
        }
    }

    /// The header of this name, long or compact, without regard to case.
    pub fn from_name(name: &[u8]) -> Option<Self> {
        const LONGEST: usize = 20;
        if let [letter] = name {
            return Self::from_compact(letter.to_ascii_lowercase());
        }
        let mut lower = [0; LONGEST];
        let lower = lower.get_mut(..name.len())?;
        for (to, from) in lower.iter_mut().zip(name) {
            *to = from.to_ascii_lowercase();
        }
        Self::from_lower(lower)
    }

    const fn from_compact(letter: u8) -> Option<Self> {
        Some(match letter {
            b'a' => Self::AcceptContact,
            b'u' => Self::AllowEvents,
            b'i' => Self::CallId,
            b'm' => Self::Contact,
            b'e' => Self::ContentEncoding,
            b'l' => Self::ContentLength,
            b'c' => Self::ContentType,
            b'o' => Self::Event,
            b'f' => Self::From,
            b'y' => Self::Identity,
            b'r' => Self::ReferTo,
            b'b' => Self::ReferredBy,
            b'j' => Self::RejectContact,
            b'd' => Self::RequestDisposition,
            b'x' => Self::SessionExpires,
            b's' => Self::Subject,
            b'k' => Self::Supported,
            b't' => Self::To,
            b'v' => Self::Via,
            _ => return None,
        })
    }

    /// By length first: a length has a handful of names at most.
    fn from_lower(name: &[u8]) -> Option<Self> {
        Some(match name.len() {
            2 => match name {
                b"to" => Self::To,
                _ => return None,
            },
            3 => match name {
                b"via" => Self::Via,
                _ => return None,
            },
            4 => match name {
                b"cseq" => Self::CSeq,
                b"date" => Self::Date,
                b"from" => Self::From,
                b"path" => Self::Path,
                b"rack" => Self::RAck,
                b"rseq" => Self::RSeq,
                _ => return None,
            },
            5 => match name {
                b"allow" => Self::Allow,
                b"event" => Self::Event,
                b"route" => Self::Route,
                _ => return None,
            },
            6 => match name {
                b"accept" => Self::Accept,
                b"min-se" => Self::MinSe,
                b"reason" => Self::Reason,
                b"server" => Self::Server,
                _ => return None,
            },
            7 => match name {
                b"call-id" => Self::CallId,
                b"contact" => Self::Contact,
                b"expires" => Self::Expires,
                b"privacy" => Self::Privacy,
                b"require" => Self::Require,
                b"subject" => Self::Subject,
                b"warning" => Self::Warning,
                _ => return None,
            },
            8 => match name {
                b"identity" => Self::Identity,
                b"priority" => Self::Priority,
                b"refer-to" => Self::ReferTo,
                b"replaces" => Self::Replaces,
                b"reply-to" => Self::ReplyTo,
                _ => return None,
            },
            9 => match name {
                b"call-info" => Self::CallInfo,
                b"supported" => Self::Supported,
                b"timestamp" => Self::Timestamp,
                _ => return None,
            },
            10 => match name {
                b"alert-info" => Self::AlertInfo,
                b"error-info" => Self::ErrorInfo,
                b"user-agent" => Self::UserAgent,
                _ => return None,
            },
            11 => match name {
                b"in-reply-to" => Self::InReplyTo,
                b"max-breadth" => Self::MaxBreadth,
                b"min-expires" => Self::MinExpires,
                b"referred-by" => Self::ReferredBy,
                b"retry-after" => Self::RetryAfter,
                b"unsupported" => Self::Unsupported,
                _ => return None,
            },
            12 => match name {
                b"allow-events" => Self::AllowEvents,
                b"content-type" => Self::ContentType,
                b"history-info" => Self::HistoryInfo,
                b"max-forwards" => Self::MaxForwards,
                b"mime-version" => Self::MimeVersion,
                b"organization" => Self::Organization,
                b"record-route" => Self::RecordRoute,
                _ => return None,
            },
            13 => match name {
                b"authorization" => Self::Authorization,
                b"proxy-require" => Self::ProxyRequire,
                b"service-route" => Self::ServiceRoute,
                _ => return None,
            },
            14 => match name {
                b"accept-contact" => Self::AcceptContact,
                b"content-length" => Self::ContentLength,
                b"reject-contact" => Self::RejectContact,
                _ => return None,
            },
            15 => match name {
                b"accept-encoding" => Self::AcceptEncoding,
                b"accept-language" => Self::AcceptLanguage,
                b"session-expires" => Self::SessionExpires,
                _ => return None,
            },
            16 => match name {
                b"content-encoding" => Self::ContentEncoding,
                b"content-language" => Self::ContentLanguage,
                b"www-authenticate" => Self::WwwAuthenticate,
                _ => return None,
            },
            18 => match name {
                b"proxy-authenticate" => Self::ProxyAuthenticate,
                b"subscription-state" => Self::SubscriptionState,
                _ => return None,
            },
            19 => match name {
                b"authentication-info" => Self::AuthenticationInfo,
                b"content-disposition" => Self::ContentDisposition,
                b"p-asserted-identity" => Self::PAssertedIdentity,
                b"proxy-authorization" => Self::ProxyAuthorization,
                b"request-disposition" => Self::RequestDisposition,
                _ => return None,
            },
            20 => match name {
                b"p-preferred-identity" => Self::PPreferredIdentity,
                _ => return None,
            },
            _ => return None,
        })
    }
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
        let all = (b'a'..=b'z').filter_map(|letter| HeaderId::from_name(&[letter]));
        for id in all {
            assert_eq!(HeaderId::from_name(id.as_str().as_bytes()), Some(id));
            assert!(id.compact().is_some());
        }
    }

    #[test]
    fn other_names_are_compared_without_case() {
        assert_eq!(HeaderId::from_name(b"X-Via"), None);
        assert_eq!(HeaderId::from_name(b""), None);
        assert_eq!(HeaderId::from_name(b"An-Extremely-Long-Header-Name"), None);
        assert_eq!(HeaderName::from("x-thing"), HeaderName::Other("X-Thing"));
        assert_ne!(HeaderName::from("x-thing"), HeaderName::from("via"));
    }
}
