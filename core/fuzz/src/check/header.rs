//! Typed headers: what is read and written again is the same, and one value stays one.

use super::auth;
use super::message::is_plain;
use sansip::message::header::*;
use sansip::message::{
    BuildError, HeaderId, HeaderName, Headers, Message, Method, Parameters, Request, Response, StatusCode, Uri,
};

/// The headers of Digest.
const AUTHENTICATION: [HeaderId; 5] = [
    HeaderId::AuthenticationInfo,
    HeaderId::Authorization,
    HeaderId::ProxyAuthenticate,
    HeaderId::ProxyAuthorization,
    HeaderId::WwwAuthenticate,
];

/// The questions to one typed header.
struct Check {
    id: HeaderId,
    /// One value, by itself.
    value: fn(&[u8]),
    /// All values in a message.
    all: fn(Headers<'_>),
}

/// A check of each of these types.
macro_rules! checks {
    ($($header:ident $(<$life:lifetime>)?),* $(,)?) => {
        [$(Check {
            id: <$header>::ID,
            value: |value| match <$header>::parse(value) {
                Err(error) => is_plain(error, value),
                Ok(header) => {
                    let mut out = Vec::new();
                    header.write(&mut out);
                    if !can_stand_in_a_message(value) {
                        return;
                    }
                    let show = || format!("{} became {}", value.escape_ascii(), out.escape_ascii());
                    let again = <$header>::parse(&out).unwrap_or_else(|error| panic!("{}: {error}", show()));
                    assert!(value.contains(&b'\n') || words(&again) == words(&header), "{}: {header:?}, {again:?}", show());
                    let mut twice = Vec::new();
                    again.write(&mut twice);
                    assert_eq!(twice, out, "{}", show());
                    let built = base().typed(&header).finish();
                    if let Some(built) = in_a_message(<$header>::ID, built, value, &out) {
                        let values: Vec<_> = built.headers().all::<$header>().collect();
                        assert_eq!(values.len(), 1, "{}", show());
                        let read = values[0].as_ref().unwrap_or_else(|error| panic!("{}: {error}", show()));
                        assert_eq!(format!("{read:?}"), format!("{again:?}"), "{}", show());
                    }
                }
            },
            all: |headers| {
                let mut count = 0;
                for value in headers.all::<$header>() {
                    count += 1;
                    if let Err(error) = &value {
                        assert_eq!(error.header(), Some(<$header>::ID));
                    }
                }
                let first = headers.get::<$header>().map(|value| value.map(drop));
                assert_eq!(first, headers.all::<$header>().next().map(|value| value.map(drop)));
                assert!(<$header>::LIST || count == headers.count(<$header>::ID));
            },
        }),*]
    };
}

fn table() -> impl AsRef<[Check]> {
    sansip::typed_headers!(checks)
}

/// The first octet says which header, the rest is a value.
pub(crate) fn header(data: &[u8]) {
    let (which, value) = super::first(data);
    let table = table();
    let table = table.as_ref();
    let check = &table[usize::from(which) % table.len()];
    (check.value)(value);
    if AUTHENTICATION.contains(&check.id)
        && let Ok(request) = base().header(check.id, value).finish()
    {
        auth::of_message(&Message::Request(request.clone()));
        if let Ok(response) = Response::to(&request, StatusCode::UNAUTHORIZED).header(check.id, value).finish() {
            auth::of_message(&Message::Response(response));
        }
    }
}

/// Every typed header of a message.
pub(crate) fn of_message(headers: Headers<'_>) {
    let ids: Vec<_> = headers.iter().map(|field| field.name).collect();
    for check in table().as_ref() {
        // All fields of one header are looked at together.
        if ids.contains(&HeaderName::Known(check.id)) {
            (check.all)(headers);
        }
    }
}

/// Parameters are found by their names.
pub(crate) fn parameters(parameters: Parameters<'_>) {
    for parameter in parameters.iter() {
        assert!(!parameter.name.is_empty());
        assert!(parameters.has(parameter.name));
        let first = parameters.get(parameter.name).expect("it is there");
        assert!(first.name.eq_ignore_ascii_case(parameter.name));
        assert_eq!(parameters.value(parameter.name), first.value);
    }
    assert_eq!(parameters.is_empty(), parameters.iter().next().is_none());
}

/// Whether a reader of messages can have found this value: its line ends are those of folds.
fn can_stand_in_a_message(value: &[u8]) -> bool {
    let mut rest = value;
    loop {
        rest = match rest {
            [] => return true,
            [b'\r', b'\n', b' ' | b'\t', tail @ ..] | [b'\n', b' ' | b'\t', tail @ ..] => tail,
            [b'\r' | b'\n', ..] => return false,
            [_, tail @ ..] => tail,
        }
    }
}

/// The words of a header, in whatever order.
fn words(header: &impl std::fmt::Debug) -> Vec<String> {
    let text = format!("{header:?}");
    let mut words: Vec<_> = text.split(|letter: char| !letter.is_alphanumeric()).map(str::to_owned).collect();
    words.retain(|word| !word.is_empty());
    words.sort();
    words
}

fn base() -> sansip::message::RequestBuilder {
    Request::builder(Method::Options, Uri::parse(b"sip:a.example").expect("a URI"))
}

/// A message with that value, read again; `None` if the value cannot be written because it has a fold or a NUL.
fn in_a_message(header: HeaderId, built: Result<Request, BuildError>, value: &[u8], written: &[u8]) -> Option<Request> {
    let control = written.iter().any(|octet| matches!(octet, b'\r' | b'\n' | 0));
    if header == HeaderId::ContentLength {
        // A builder writes the right one, whatever it is told.
        return None;
    }
    let built = match built {
        Err(error) => {
            assert!(control && error == BuildError::Control, "{}: {error}", value.escape_ascii());
            return None;
        }
        Ok(built) => built,
    };
    assert!(!control, "{} was written", value.escape_ascii());
    match Message::parse(built.as_bytes(), &super::WIDE) {
        Ok(Message::Request(again)) => {
            assert_eq!(again, built);
            super::message::same_headers(again.headers(), built.headers());
            Some(again)
        }
        other => panic!("{other:?} of {}", written.escape_ascii()),
    }
}
