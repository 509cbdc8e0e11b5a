//! What each hop does to messages: it notes in the sender's Via where a request came from (RFC 3261 §18.2.1, RFC 3581 §4), puts a
//! Via of its own on top (§18.1.1), and takes it off the response (§16.7 step 3).
//!
//! Every message goes through these, so each is one copy of the octets and one shift of the spans behind. An
//! [`Edit`](super::Edit) comes to the same and takes three times as long.

use super::bytes::SharedBytes;
use super::header::Via;
use super::layout::{FieldSpan, Layout, narrow, part};
use super::name::HeaderId;
use super::parameters::Text;
use super::scan;
use super::writable::{address, decimal, is_writable};
use arrayvec::ArrayVec;
use core::net::IpAddr;

/// A copy with `received` in the topmost Via, which is this one, and with `rport` filled in if it stands there; `None` if it
/// becomes too long.
pub(super) fn stamped(
    bytes: &[u8],
    layout: &Layout,
    via: &Via<'_>,
    received: IpAddr,
    rport: Option<u16>,
) -> Option<(SharedBytes, Layout)> {
    let parameters = via.parameters;
    let (ip, port) = (address(received), rport.map(|port| decimal(port.into())));
    let mut patches: ArrayVec<Patch<'_>, 2> = ArrayVec::new();
    if let (Some(port), Some(there)) = (&port, via.rport_text()) {
        patches.push(Patch::value(bytes, there, port));
    }
    patches.push(match via.received_text() {
        Some(there) => Patch::value(bytes, there, &ip),
        None => Patch { from: end_in(bytes, parameters.as_bytes()), old: 0, new: [";received=", &ip] },
    });
    patches.sort_unstable_by_key(|patch| patch.from);
    let mut parts: ArrayVec<&[u8], 7> = ArrayVec::new();
    let (mut at, mut added, mut taken) = (0, 0, 0);
    for patch in &patches {
        parts.push(bytes.get(at..patch.from)?);
        parts.extend(patch.new.map(str::as_bytes));
        at = patch.from + patch.old;
        added += patch.new.map(str::len).iter().sum::<usize>();
        taken += patch.old;
    }
    parts.push(bytes.get(at..)?);
    let layout = layout.shifted(scan::offset_in(bytes, parameters.as_bytes()), added, taken)?;
    Some((SharedBytes::of_parts(&parts), layout))
}

/// Text that takes the place of so many octets.
struct Patch<'a> {
    from: usize,
    old: usize,
    new: [&'a str; 2],
}

impl<'a> Patch<'a> {
    /// Of the value of a parameter, which may not have one yet.
    fn value(bytes: &[u8], parameter: Text<'_>, text: &'a str) -> Self {
        match parameter.value {
            Some(value) => Self { from: scan::offset_in(bytes, value), old: value.len(), new: ["", text] },
            None => Self { from: end_in(bytes, parameter.name), old: 0, new: ["=", text] },
        }
    }
}

fn end_in(bytes: &[u8], part: &[u8]) -> usize {
    scan::offset_in(bytes, part) + part.len()
}

/// A copy with a Via of these parts on top; `None` if they cannot be written or it becomes too long.
pub(super) fn with_via_on_top(bytes: &[u8], layout: &Layout, via: &[&str]) -> Option<(SharedBytes, Layout)> {
    const NAME: &[u8] = b"Via: ";
    const END: &[u8] = b"\r\n";
    if via.iter().any(|part| !is_writable(part.as_bytes())) {
        return None;
    }
    let index = layout.fields.iter().position(|field| field.id == Some(HeaderId::Via));
    let first = index.and_then(|index| layout.fields.get(index));
    let line = first.map_or(layout.first_field, |field| field.line);
    let (before, after) = bytes.split_at_checked(line.into())?;
    let mut parts: ArrayVec<&[u8], 12> = ArrayVec::new();
    parts.extend([before, NAME]);
    for part in via {
        parts.try_push(part.as_bytes()).ok()?;
    }
    parts.extend([END, after]);
    let value: usize = via.iter().map(|part| part.len()).sum();
    let mut layout = layout.shifted(line.into(), NAME.len() + value + END.len(), 0)?;
    let start = usize::from(line) + NAME.len();
    let span = FieldSpan { line, start: narrow(start), end: narrow(start + value), id: Some(HeaderId::Via) };
    layout.fields.insert(index.unwrap_or(0), span);
    layout.first_field = layout.first_field.min(line);
    Some((SharedBytes::of_parts(&parts), layout))
}

/// A copy without the topmost Via; `None` if there is none, or others share its field.
pub(super) fn without_top_via(bytes: &[u8], layout: &Layout) -> Option<(SharedBytes, Layout)> {
    let index = layout.fields.iter().position(|field| field.id == Some(HeaderId::Via))?;
    let field = layout.fields.get(index)?;
    if scan::find(part(bytes, field.start, field.end), b',').is_some() {
        return None;
    }
    let (from, to) = (usize::from(field.line), layout.line_end(field));
    let mut layout = layout.shifted(to, 0, to - from)?;
    layout.fields.remove(index);
    Some((SharedBytes::of_parts(&[bytes.get(..from)?, bytes.get(to..)?]), layout))
}

#[cfg(test)]
mod tests {
    use super::{Layout, SharedBytes, stamped, with_via_on_top, without_top_via};
    use crate::message::{BuildError, HeaderId, Limits, Request};
    use alloc::string::{String, ToString};
    use alloc::vec::Vec;
    use core::net::IpAddr;

    const BEFORE: &str = "INVITE sip:bob@biloxi.com SIP/2.0\r\n\
        Subject: x\r\n\
        VIA: SIP/2.0/UDP pc33.atlanta.com;branch=z9hG4bK776asdhds%% ,SIP/2.0/TCP b.com;rport\r\n\
        v:SIP/2.0/UDP c.com\r\n\
        To: Bob\r\n\t<sip:bob@biloxi.com>\r\n\
        l: 5\r\n\
        \r\n\
        hello";

    const PARAMETERS: [&str; 9] = [
        "",
        ";rport",
        ";rport=1",
        ";received=192.0.2.9",
        ";received",
        ";rport;received=::1",
        ";received=192.0.2.99;x; rport",
        " ; rport = 99999 ;x=\"rport\"",
        ";x;RPORT ;Received=\r\n 1",
    ];

    fn layout(text: &str) -> Layout {
        Layout::read(text.as_bytes(), &Limits::default()).unwrap()
    }

    /// The octets and the spans are those that an edit gives.
    fn assert_same(one: Option<(SharedBytes, Layout)>, other: Result<Request, BuildError>) {
        let told = |(bytes, layout): (SharedBytes, Layout)| {
            (String::from_utf8(bytes.to_vec()).unwrap(), alloc::format!("{layout:?}"))
        };
        let other =
            other.ok().map(|other| (other.as_bytes().clone(), layout(&String::from_utf8_lossy(other.as_bytes()))));
        assert_eq!(one.map(told), other.map(told));
    }

    #[test]
    fn a_stamp_is_what_an_edit_makes_of_it() {
        let ips: [IpAddr; 2] = [[192, 0, 2, 1].into(), "2001:db8::1".parse().unwrap()];
        for (parameters, ip) in PARAMETERS.iter().flat_map(|parameters| ips.map(|ip| (parameters, ip))) {
            for text in [BEFORE.replace("%%", parameters), BEFORE.replace(";branch=z9hG4bK776asdhds%%", parameters)] {
                let spans = layout(&text);
                let request = Request::new(text.as_bytes().into(), spans.clone());
                let via = request.top_via().unwrap();
                for port in [None, Some(5062)] {
                    let edited = request.edit().stamp_via(Some(ip), port).finish();
                    assert_same(stamped(request.as_bytes(), &spans, &via, ip, port), edited);
                }
            }
        }
    }

    #[test]
    fn a_via_on_top_is_what_an_edit_makes_of_it() {
        let without: Vec<&str> =
            BEFORE.split_inclusive('\n').filter(|line| !line.to_lowercase().starts_with('v')).collect();
        for text in [BEFORE.to_string(), BEFORE.replace("Subject: x\r\n", ""), without.concat()] {
            let request = Request::new(text.as_bytes().into(), layout(&text));
            let edited = request.edit().push_first(HeaderId::Via, "SIP/2.0/UDP a;branch=z9hG4bK1").finish();
            let parts = ["SIP/2.0/UDP a;branch=", "z9hG4bK1"];
            assert_same(with_via_on_top(text.as_bytes(), &layout(&text), &parts), edited);
            assert!(with_via_on_top(text.as_bytes(), &layout(&text), &["a\r\nEvil: 1"]).is_none());
        }
    }

    #[test]
    fn without_its_topmost_via_a_message_is_what_an_edit_makes_of_it() {
        let alone = BEFORE.replace(" ,SIP/2.0/TCP b.com;rport", "");
        for text in [alone.replace("Subject: x\r\n", ""), alone.replace("\r\nTo:", "\r\n \r\nTo:"), alone] {
            let request = Request::new(text.as_bytes().into(), layout(&text));
            let edited = request.edit().pop_first(HeaderId::Via).finish();
            assert_same(without_top_via(text.as_bytes(), &layout(&text)), edited);
        }
        assert!(without_top_via(BEFORE.as_bytes(), &layout(BEFORE)).is_none(), "two share a field");
        assert!(without_top_via(b"BYE sip:a SIP/2.0\r\n\r\n", &layout("BYE sip:a SIP/2.0\r\n\r\n")).is_none());
    }

    #[test]
    fn nothing_grows_above_what_spans_can_name() {
        let long = "x".repeat(65_200 - BEFORE.len());
        let text = BEFORE.replace("Subject: x", &alloc::format!("Subject: {long}"));
        let limits = Limits { header_section: 65_535, ..Limits::default() };
        let spans = Layout::read(text.as_bytes(), &limits).unwrap();
        let on_top = |length| with_via_on_top(text.as_bytes(), &spans, &[&"b".repeat(length)]).is_some();
        assert!(on_top(300) && !on_top(400) && !on_top(70_000));
    }
}
