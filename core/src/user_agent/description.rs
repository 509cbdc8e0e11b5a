//! Bodies: which of them describe a session (RFC 3264), and which are understood at all (RFC 5621). What a description says stays opaque.

use alloc::vec::Vec;

use crate::message::header::{ContentDisposition, ContentType, Header};
use crate::message::{HeaderId, Headers, Limits, Multipart, Part, Request, Response};

/// Parts within parts that are looked into: a `multipart/alternative` in a `multipart/mixed`, and one more (RFC 5621 §4.1). What lies
/// deeper is not understood.
const DEPTH: usize = 3;

/// Whether a request describes a session.
pub(super) fn request_describes(request: &Request) -> bool {
    !request.body().is_empty() && describes(request.headers().raw(HeaderId::ContentType), request.body())
}

/// Whether a response describes a session.
pub(super) fn response_describes(response: &Response) -> bool {
    !response.body().is_empty() && describes(response.headers().raw(HeaderId::ContentType), response.body())
}

/// Whether a body of that type describes a session: is SDP, or has a part that is (RFC 5621 §3.1).
pub(super) fn describes(content_type: Option<&[u8]>, body: &[u8]) -> bool {
    description(content_type, body).is_some()
}

/// The session description that a body of that type is, or has as a part: the first one, and of a `multipart/alternative` the last (RFC
/// 5621 §6.1).
pub(super) fn description<'a>(content_type: Option<&[u8]>, body: &'a [u8]) -> Option<&'a [u8]> {
    if body.is_empty() {
        return None;
    }
    // Nearly every description says no more than that.
    if content_type.is_some_and(|value| value.eq_ignore_ascii_case(b"application/sdp")) {
        return Some(body);
    }
    let content = ContentType::parse(content_type?).ok()?;
    if content.is("application", "sdp") {
        return Some(body);
    }
    described_by_part(content, body, DEPTH)
}

fn described_by_part<'a>(content: ContentType<'_>, body: &'a [u8], depth: usize) -> Option<&'a [u8]> {
    if !content.kind.eq_ignore_ascii_case("multipart") || depth == 0 {
        return None;
    }
    let of_part = |part: Part<'a>| {
        let content = part.headers().get::<ContentType<'_>>()?.ok()?;
        if content.is("application", "sdp") {
            return Some(part.body());
        }
        described_by_part(content, part.body(), depth - 1)
    };
    let mut parts = Multipart::new(content, body, &Limits::default()).ok()?.flatten();
    if content.subtype.eq_ignore_ascii_case("alternative") {
        parts.filter_map(of_part).last()
    } else {
        parts.find_map(of_part)
    }
}

/// The reasons why a body is not understood.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Lacking {
    /// Its type is none that is known.
    pub(super) kind: bool,
    /// It is encoded.
    pub(super) encoding: bool,
}

impl Lacking {
    const NOTHING: Self = Self { kind: false, encoding: false };
    const KIND: Self = Self { kind: true, encoding: false };

    const fn and(self, other: Self) -> Self {
        Self { kind: self.kind || other.kind, encoding: self.encoding || other.encoding }
    }
}

/// The reasons why a body that has to be understood is not; `None` if it is, or need not be (RFC 3261 §8.2.3, RFC 5621 §8.4).
///
/// SDP is understood, and so is a `multipart` whose parts are, each by its own `handling`; of a `multipart/alternative` one part is enough,
/// whatever their `handling` (RFC 5621 §8.3).
pub(super) fn lacking(headers: Headers<'_>, body: &[u8]) -> Option<Lacking> {
    let lacking = lacking_within(headers, body, DEPTH);
    (lacking != Lacking::NOTHING).then_some(lacking)
}

fn lacking_within(headers: Headers<'_>, body: &[u8], depth: usize) -> Lacking {
    if is_optional(headers) { Lacking::NOTHING } else { lacking_of(headers, body, depth) }
}

/// As [`lacking_within`], whatever `handling` says.
fn lacking_of(headers: Headers<'_>, body: &[u8], depth: usize) -> Lacking {
    let is_identity = |value: &[u8]| value.eq_ignore_ascii_case(b"identity");
    let encoding = headers.raw(HeaderId::ContentEncoding).is_some_and(|value| !is_identity(value));
    let encoded = Lacking { kind: false, encoding };
    let Some(Ok(content)) = headers.get::<ContentType<'_>>() else { return encoded.and(Lacking::KIND) };
    if content.is("application", "sdp") {
        return encoded;
    }
    if !content.kind.eq_ignore_ascii_case("multipart") || depth == 0 {
        return encoded.and(Lacking::KIND);
    }
    if encoding {
        // Nothing can be said of what is inside.
        return encoded;
    }
    let Ok(parts) = Multipart::new(content, body, &Limits::default()) else { return Lacking::KIND };
    // A body that is cut off, or has too many parts, is not understood.
    let Ok(parts) = parts.collect::<Result<Vec<Part<'_>>, _>>() else { return Lacking::KIND };
    if content.subtype.eq_ignore_ascii_case("alternative") {
        let each = parts.iter().map(|part| lacking_of(part.headers(), part.body(), depth - 1));
        let mut all = Lacking::NOTHING;
        for lacking in each {
            if lacking == Lacking::NOTHING {
                return Lacking::NOTHING;
            }
            all = all.and(lacking);
        }
        return all;
    }
    let each = parts.iter().map(|part| lacking_within(part.headers(), part.body(), depth - 1));
    each.fold(Lacking::NOTHING, Lacking::and)
}

/// Content-Disposition says `handling=optional`; without a word `required` holds (RFC 3261 §20.11, erratum 4567).
fn is_optional(headers: Headers<'_>) -> bool {
    matches!(headers.get::<ContentDisposition<'_>>(), Some(Ok(disposition)) if !disposition.is_required())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::Message;
    use alloc::format;
    use alloc::string::String;

    fn invite(fields: &str, body: &str) -> Request {
        let text = format!(
            "INVITE sip:bob@biloxi.com SIP/2.0\r\nVia: SIP/2.0/UDP a.com;branch=z9hG4bKa\r\nFrom: <sip:a@a.com>;tag=1\r\n\
             To: <sip:bob@biloxi.com>\r\nCall-ID: x\r\nCSeq: 1 INVITE\r\n{fields}Content-Length: {}\r\n\r\n{body}",
            body.len()
        );
        let Ok(Message::Request(request)) = Message::parse(text.as_bytes(), &Limits::default()) else {
            panic!("{text}")
        };
        request
    }

    /// A body of that type with these parts, each its header fields and its body.
    fn multipart(subtype: &str, boundary: &str, parts: &[(&str, &str)]) -> (String, String) {
        let mut body = String::new();
        for (fields, text) in parts {
            body.push_str(&format!("--{boundary}\r\n{fields}\r\n{text}\r\n"));
        }
        body.push_str(&format!("--{boundary}--\r\n"));
        (format!("Content-Type: multipart/{subtype};boundary={boundary}\r\n"), body)
    }

    const SDP: &str = "Content-Type: application/sdp\r\n";
    const ISUP: &str = "Content-Type: application/ISUP;version=nxv3\r\n";

    fn judged(subtype: &str, parts: &[(&str, &str)]) -> Option<Lacking> {
        let (fields, body) = multipart(subtype, "b", parts);
        lacking(invite(&fields, &body).headers(), body.as_bytes())
    }

    const ENCODED: Lacking = Lacking { kind: false, encoding: true };

    /// RFC 3261 §8.2.3, §20.11.
    #[test]
    fn a_body_of_one_part_is_understood_or_need_not_be() {
        let judged = |fields: &str| lacking(invite(fields, "v=0\r\n").headers(), b"v=0\r\n");
        assert_eq!(judged(SDP), None);
        assert_eq!(judged("Content-Type: Application/SDP;charset=utf-8\r\nContent-Encoding: Identity\r\n"), None);
        assert_eq!(judged(ISUP), Some(Lacking::KIND));
        assert_eq!(judged(""), Some(Lacking::KIND));
        assert_eq!(judged(&format!("{SDP}Content-Encoding: gzip\r\n")), Some(ENCODED));
        let both = Lacking { kind: true, encoding: true };
        assert_eq!(judged(&format!("{ISUP}Content-Encoding: gzip\r\n")), Some(both));
        assert_eq!(judged(&format!("{ISUP}Content-Disposition: signal;handling=optional\r\n")), None);
        assert_eq!(judged(&format!("{ISUP}Content-Disposition: signal;handling=required\r\n")), Some(Lacking::KIND));
        assert_eq!(
            judged(&format!("{SDP}Content-Encoding: gzip\r\nContent-Disposition: x;handling=optional\r\n")),
            None
        );
    }

    /// RFC 5621 §8.2, with the ISUP of RFC 3204.
    #[test]
    fn each_part_of_a_mixed_body_has_its_own_handling() {
        let optional = format!("{ISUP}Content-Disposition: signal;handling=optional\r\n");
        let gzip = format!("{SDP}Content-Encoding: gzip\r\n");
        let sdp = (SDP, "v=0");
        assert_eq!(judged("mixed", &[sdp, (&optional, "7")]), None);
        assert_eq!(judged("mixed", &[(ISUP, "7"), sdp]), Some(Lacking::KIND));
        assert_eq!(judged("mixed", &[sdp, (&gzip, "7")]), Some(ENCODED));
        // An unknown subtype is taken as mixed (RFC 2046 §5.1.3); a part without a type is text.
        assert_eq!(judged("related", &[sdp, (&optional, "7")]), None);
        assert_eq!(judged("mixed", &[("", "7")]), Some(Lacking::KIND));
    }

    /// RFC 5621 §6.1, §8.3.
    #[test]
    fn one_part_of_an_alternative_is_enough() {
        assert_eq!(judged("alternative", &[(SDP, "v=0"), (ISUP, "7")]), None);
        assert_eq!(judged("alternative", &[(ISUP, "7"), (SDP, "v=0")]), None);
        let optional = format!("{ISUP}Content-Disposition: signal;handling=optional\r\n");
        assert_eq!(judged("alternative", &[(&optional, "7")]), Some(Lacking::KIND));
    }

    #[test]
    fn parts_within_parts_are_looked_into_as_deep_as_the_bound() {
        let (mut fields, mut body) = (String::from(SDP), String::from("v=0"));
        for depth in 1..=DEPTH + 1 {
            let subtype = if depth == 1 { "alternative" } else { "mixed" };
            let (outer, nested) = multipart(subtype, &format!("b{depth}"), &[(&fields, &body)]);
            (fields, body) = (outer, nested);
            let content = fields.trim_start_matches("Content-Type: ").trim_end();
            let expected = (depth <= DEPTH).then_some(&b"v=0"[..]);
            assert_eq!(description(Some(content.as_bytes()), body.as_bytes()), expected, "{depth}");
            let judged = lacking(invite(&fields, &body).headers(), body.as_bytes());
            assert_eq!(judged, (depth > DEPTH).then_some(Lacking::KIND), "{depth}");
        }
    }

    #[test]
    fn a_body_that_is_cut_off_is_not_understood() {
        let (fields, body) = multipart("mixed", "b", &[(SDP, "v=0")]);
        let cut = &body[..body.len() - 6];
        assert_eq!(lacking(invite(&fields, cut).headers(), cut.as_bytes()), Some(Lacking::KIND));
        let no_boundary = "Content-Type: multipart/mixed\r\n";
        assert_eq!(lacking(invite(no_boundary, &body).headers(), body.as_bytes()), Some(Lacking::KIND));
    }

    #[test]
    fn the_description_is_the_first_part_that_is_one_and_the_last_alternative() {
        let found = |subtype: &str, parts: &[(&str, &str)]| {
            let (fields, body) = multipart(subtype, "b", parts);
            let content = fields.trim_start_matches("Content-Type: ").trim_end();
            description(Some(content.as_bytes()), body.as_bytes()).map(<[u8]>::to_vec)
        };
        assert_eq!(found("mixed", &[(ISUP, "7"), (SDP, "v=0"), (SDP, "v=1")]).as_deref(), Some(&b"v=0"[..]));
        assert_eq!(found("alternative", &[(SDP, "v=0"), (SDP, "v=1"), (ISUP, "7")]).as_deref(), Some(&b"v=1"[..]));
        assert_eq!(found("mixed", &[(ISUP, "7")]), None);
    }
}
