//! Builders: what is written is what was said, or there is an error.

use super::lines::trim;
use sansip::message::header::ContentLength;
use sansip::message::{BuildError, HeaderId, HeaderName, Message, Method, Request, Response, StatusCode, Uri};

/// Parts split at 0xFF: method, Request-URI, body, reason phrase, then names and values by turns.
pub(crate) fn build(data: &[u8]) {
    let mut parts = data.split(|&octet| octet == 0xFF);
    let mut next = || parts.next().unwrap_or_default();
    let (method, uri, body, reason) = (next(), next(), next(), next());
    let method = std::str::from_utf8(method).unwrap_or_default();
    let mut fields = Vec::new();
    while let (Some(name), Some(value)) = (parts.next(), parts.next()) {
        fields.push((std::str::from_utf8(name).unwrap_or_default(), value));
    }
    let uri = Uri::parse(uri).unwrap_or(Uri::parse(b"sip:a.example").expect("a URI"));
    let mut builder = Request::builder(Method::Other(method), uri);
    for (name, value) in &fields {
        builder = builder.header(*name, value);
    }
    let built = builder.body("text/plain", body).finish();
    let good = fields.iter().all(|(name, value)| is_token(name) && is_writable(value));
    let built = match built {
        Ok(built) => built,
        Err(error) => return assert!(error == BuildError::TooLong || !good || !is_token(method), "{error}"),
    };
    assert!(good && is_token(method), "{built:?}");
    is_just(&Message::Request(built.clone()), &fields, body);
    assert_eq!(built.method().as_str(), method);
    assert_eq!(built.uri_bytes(), uri.as_bytes());

    let mut builder = Response::to(&built, StatusCode::OK).reason(reason).to_tag("t1");
    for (name, value) in &fields {
        builder = builder.header(*name, value);
    }
    match builder.body("", body).finish() {
        Ok(response) => {
            assert!(is_writable(reason));
            let again = Message::parse(response.as_bytes(), &super::WIDE);
            assert_eq!(again, Ok(Message::Response(response.clone())));
            assert_eq!((response.reason(), response.body()), (reason, body));
        }
        Err(error) => assert!(error == BuildError::TooLong || !is_writable(reason), "{error}"),
    }
}

/// The message has these fields, Content-Type, Content-Length and the body, and nothing else.
fn is_just(message: &Message, fields: &[(&str, &[u8])], body: &[u8]) {
    let again = Message::parse(message.as_bytes(), &super::WIDE).expect("what is written can be read");
    assert_eq!(&again, message);
    super::message::same_headers(again.headers(), message.headers());
    let length = body.len().to_string();
    let own = [("Content-Type", &b"text/plain"[..]), ("Content-Length", length.as_bytes())];
    let is_length = |name: &str| HeaderName::from(name) == HeaderName::Known(HeaderId::ContentLength);
    let said = fields.iter().filter(|(name, _)| !is_length(name)).chain(&own);
    let expected: Vec<_> = said.map(|(name, value)| (HeaderName::from(*name), trim(value))).collect();
    let found: Vec<_> = again.headers().iter().map(|field| (field.name, field.value)).collect();
    assert_eq!(found, expected);
    assert_eq!(again.body(), body);
    let length = again.headers().get::<ContentLength>();
    assert_eq!(length, Some(Ok(ContentLength(u32::try_from(body.len()).expect("short")))));
}

fn is_token(text: &str) -> bool {
    let good = |octet: u8| octet.is_ascii_alphanumeric() || b"-.!%*_+`'~".contains(&octet);
    !text.is_empty() && text.bytes().all(good)
}

fn is_writable(value: &[u8]) -> bool {
    !value.iter().any(|octet| matches!(octet, b'\r' | b'\n' | 0))
}
