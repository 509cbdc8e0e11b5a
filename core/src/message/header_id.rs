//! Headers that are known by name (RFC 3261 §7.3.3, §20, and the registry).

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
            pub(super) const ALL: &'static [Self] = &[$(Self::$id,)*];

            /// The name as it is registered, in its long form.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$id => $name,)*
                }
            }

            /// The name in its long form with colon and space, as a line begins with it.
            pub(super) const fn line_start(self) -> &'static str {
                match self {
                    $(Self::$id => concat!($name, ": "),)*
                }
            }

            /// The compact form, where there is one (RFC 3261 §7.3.3 and the registry).
            pub const fn compact(self) -> Option<u8> {
                match self {
                    $($(Self::$id => Some($compact),)?)*
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
    FlowTimer = "Flow-Timer";
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

impl fmt::Display for HeaderId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
