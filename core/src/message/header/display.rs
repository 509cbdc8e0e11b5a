//! Each header as text: the value as it is written, octets that are no UTF-8 replaced.

use super::*;
use alloc::string::String;

macro_rules! display {
    ($($header:ty),* $(,)?) => {$(
        impl fmt::Display for $header {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                let mut out = Vec::new();
                self.write(&mut out);
                f.write_str(&String::from_utf8_lossy(&out))
            }
        }
    )*};
}

display!(
    Accept<'_>,
    AcceptEncoding<'_>,
    AcceptLanguage<'_>,
    AlertInfo<'_>,
    Allow<'_>,
    AllowEvents<'_>,
    AuthenticationInfo<'_>,
    Authorization<'_>,
    CSeq<'_>,
    CallId<'_>,
    CallInfo<'_>,
    Contact<'_>,
    ContentDisposition<'_>,
    ContentEncoding<'_>,
    ContentLanguage<'_>,
    ContentLength,
    ContentType<'_>,
    Date,
    ErrorInfo<'_>,
    Event<'_>,
    Expires,
    From<'_>,
    HistoryInfo<'_>,
    InReplyTo<'_>,
    MaxBreadth,
    MaxForwards,
    MimeVersion,
    MinExpires,
    MinSe<'_>,
    Organization<'_>,
    PAssertedIdentity<'_>,
    PPreferredIdentity<'_>,
    Path<'_>,
    Priority<'_>,
    Privacy<'_>,
    ProxyAuthenticate<'_>,
    ProxyAuthorization<'_>,
    ProxyRequire<'_>,
    RAck<'_>,
    RSeq,
    Reason<'_>,
    RecordRoute<'_>,
    ReferTo<'_>,
    ReferredBy<'_>,
    Replaces<'_>,
    ReplyTo<'_>,
    Require<'_>,
    RetryAfter<'_>,
    Route<'_>,
    Server<'_>,
    ServiceRoute<'_>,
    SessionExpires<'_>,
    Subject<'_>,
    SubscriptionState<'_>,
    Supported<'_>,
    Timestamp<'_>,
    To<'_>,
    Unsupported<'_>,
    UserAgent<'_>,
    Via<'_>,
    Warning<'_>,
    WwwAuthenticate<'_>,
);
