//! The one list of all typed headers.

/// Hands the types of all typed headers to a macro: `typed_headers!(show)` is `show! { Accept<'_>, AcceptEncoding<'_>, … }`.
/// Each is named as its variant of [`HeaderId`](crate::message::HeaderId); a lifetime stands where the type borrows.
///
/// This list says what every header has: its `Display`, its place in
/// [`first_malformed`](crate::message::Headers::first_malformed), its fuzz target.
///
/// ```
/// use sansip::message::header::*;
///
/// macro_rules! count {
///     ($($header:ident $(<$life:lifetime>)?),* $(,)?) => { [$(<$header>::ID),*].len() };
/// }
/// assert!(sansip::typed_headers!(count) > 60);
/// ```
#[macro_export]
macro_rules! typed_headers {
    ($callback:ident) => {
        $callback! {
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
            FlowTimer,
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
        }
    };
}
