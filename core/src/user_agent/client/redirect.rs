//! One step to another target, as a redirection says (RFC 3261 §8.1.3.4, §19.1.5).

use alloc::string::String;
use alloc::vec::Vec;

use crate::dialog::request_target;
use crate::message::{BuildError, Edit, HeaderId, HeaderName, Request, Scheme, UriBuf};
use crate::targets::Target;
use crate::user_agent::compose::is_owned;

/// Header fields that a URI could use to make us say what is not so about where we are, what we can do, or what the body is; they
/// are passed over, as are the fields that the core writes itself (§19.1.5).
const DANGEROUS: [HeaderId; 11] = [
    HeaderId::Accept,
    HeaderId::AcceptEncoding,
    HeaderId::AcceptLanguage,
    HeaderId::ContentDisposition,
    HeaderId::ContentEncoding,
    HeaderId::ContentLanguage,
    HeaderId::Date,
    HeaderId::MimeVersion,
    HeaderId::Organization,
    HeaderId::Timestamp,
    HeaderId::UserAgent,
];

/// Another target, and the header fields that its URI asks for.
#[derive(Clone, Debug)]
pub(in crate::user_agent) struct Step {
    pub(super) uri: UriBuf,
    fields: Vec<(String, Vec<u8>)>,
}

impl Step {
    /// The step to a target. Its `method` parameter is dropped, and so is a `body`, of which nobody says the type.
    pub(in crate::user_agent) fn to(target: &Target) -> Self {
        let uri = target.uri.as_uri();
        let fields = uri.headers().unwrap_or_default().split(|octet| *octet == b'&').filter_map(field).collect();
        Self { uri: request_target(uri), fields }
    }

    /// The target, and the fields.
    pub(in crate::user_agent) fn into_parts(self) -> (UriBuf, Vec<(String, Vec<u8>)>) {
        (self.uri, self.fields)
    }

    pub(super) fn applied_to<'a>(&self, edit: Edit<'a, Request>) -> Edit<'a, Request> {
        let edit = edit.uri(self.uri.as_bytes());
        self.fields.iter().fold(edit, |edit, (name, value)| match HeaderName::from(name.as_str()) {
            HeaderName::Known(id) => edit.replace(id, value),
            other @ HeaderName::Other(_) => edit.append(other, value),
        })
    }
}

/// The header fields that a step has put into a request, as they were before it: they are those of one target, and the next one has its own
/// (§19.1.5).
#[derive(Clone, Debug, Default)]
pub(super) struct Before(Vec<(String, Vec<Vec<u8>>)>);

impl Before {
    /// The fields of a request that a step is about to change.
    pub(super) fn of(step: &Step, request: &Request) -> Self {
        let values = |name: &str| {
            let fields = request.headers().iter().filter(|field| field.name == HeaderName::from(name));
            fields.map(|field| field.value.to_vec()).collect()
        };
        Self(step.fields.iter().map(|(name, _)| (name.clone(), values(name))).collect())
    }

    /// The request with these fields as they were.
    ///
    /// # Errors
    /// The request cannot be written so.
    pub(super) fn restored_in(&self, request: &Request) -> Result<Request, BuildError> {
        if self.0.is_empty() {
            return Ok(request.clone());
        }
        let removed = self.0.iter().fold(request.edit(), |edit, (name, _)| edit.remove(name.as_str()));
        let values = self.0.iter().flat_map(|(name, values)| values.iter().map(move |value| (name, value)));
        values.fold(removed, |edit, (name, value)| edit.append(name.as_str(), value)).finish()
    }
}

/// Whether a redirection to `uri` may be followed from a request to `from`: a SIP URI, and no SIP URI where a SIPS URI was, unless
/// the application agrees (§8.1.3.4).
pub(super) fn may_follow(from: Scheme, uri: &UriBuf, sips_to_sip: bool) -> bool {
    let to = uri.as_uri().scheme();
    uri.as_uri().is_sip() && (from != Scheme::Sips || to == Scheme::Sips || sips_to_sip)
}

/// A field of a URI's headers that may be honoured.
fn field(text: &[u8]) -> Option<(String, Vec<u8>)> {
    let at = text.iter().position(|octet| *octet == b'=')?;
    let (name, value) = (unescaped(text.get(..at)?), unescaped(text.get(at + 1..)?));
    let name = String::from_utf8(name).ok()?;
    let is_honoured = match HeaderName::from(name.as_str()) {
        HeaderName::Known(id) => !is_owned(id) && !DANGEROUS.contains(&id),
        HeaderName::Other(name) => !name.eq_ignore_ascii_case("body"),
    };
    let is_written = !value.iter().any(|octet| octet.is_ascii_control());
    (is_honoured && is_written && !value.is_empty()).then_some((name, value))
}

fn unescaped(text: &[u8]) -> Vec<u8> {
    let digit = |octet: Option<&u8>| char::from(*octet?).to_digit(16);
    let mut out = Vec::with_capacity(text.len());
    let mut at = 0;
    while let Some(octet) = text.get(at) {
        match (octet, digit(text.get(at + 1)), digit(text.get(at + 2))) {
            (b'%', Some(high), Some(low)) => {
                out.push((high * 16 + low) as u8);
                at += 3;
            }
            _ => {
                out.push(*octet);
                at += 1;
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;

    fn step(uri: &str) -> Step {
        Step::to(&Target::new(uri.parse().unwrap()))
    }

    #[test]
    fn a_contact_asks_for_fields_but_not_for_those_that_lie() {
        let step = step(
            "sip:bob@b.com;method=BYE;transport=tcp?Subject=a%20b&From=x&Call-ID=y&CSeq=1&Via=z&Route=r&Record-Route=q&\
             Contact=c&Accept=a&User-Agent=u&body=v%3D0&X-Thing=1&Priority=%0D%0AEvil&Empty=",
        );
        assert_eq!(step.uri.to_string(), "sip:bob@b.com;transport=tcp");
        let fields: Vec<_> = step.fields.iter().map(|(name, value)| (name.as_str(), value.as_slice())).collect();
        assert_eq!(fields, [("Subject", &b"a b"[..]), ("X-Thing", b"1")]);
    }

    #[test]
    fn a_sips_uri_is_not_left_for_a_sip_uri() {
        let uri = |text: &str| text.parse::<UriBuf>().unwrap();
        for (from, to, agrees, may) in [
            (Scheme::Sip, "sip:b@c", false, true),
            (Scheme::Sip, "sips:b@c", false, true),
            (Scheme::Sips, "sips:b@c", false, true),
            (Scheme::Sips, "sip:b@c", false, false),
            (Scheme::Sips, "sip:b@c", true, true),
            (Scheme::Sip, "tel:+1", true, false),
        ] {
            assert_eq!(may_follow(from, &uri(to), agrees), may, "{from:?} {to} {agrees}");
        }
    }
}
