//! Form: each message has what every message has.

use super::{Evidence, Names, Part, Report, Rule};
use crate::packet::Packet;

/// Each message sent has Via, From (of an own request with a tag), To, Call-ID and CSeq, each but Via once, and a request Max-Forwards (RFC 3261 §8.1.1);
/// Content-Length, if it is there, is the length of the body (§18.3, §20.14).
pub const FORM: Rule = Rule::new("form", "RFC 3261 §8.1.1, §8.2.6, §18.3, §20.14").of_parts(check_part);

fn check_part(part: &Part<'_>, _: &Names<'_>, report: &mut Report<'_>) {
    for (seen, packet, _) in part.sent() {
        if let Some(why) = fault(packet) {
            report.by(Evidence::Seen).sent(part, seen, packet, &why);
        }
    }
}

fn fault(packet: &Packet<'_>) -> Option<String> {
    let mut length = None;
    let mut seen = [0_u8; 5];
    const ONCE: [(&str, &str); 5] =
        [("from", "f"), ("to", "t"), ("call-id", "i"), ("cseq", "cseq"), ("max-forwards", "max-forwards")];
    for &(name, value) in &packet.fields {
        if name.eq_ignore_ascii_case("content-length") || name.eq_ignore_ascii_case("l") {
            length = Some(value);
        }
        for (count, (long, short)) in seen.iter_mut().zip(ONCE) {
            *count +=
                u8::from(name.eq_ignore_ascii_case(long) || name.eq_ignore_ascii_case(short)).min(u8::MAX - *count);
        }
    }
    if let Some(((name, _), count)) = ONCE.iter().zip(seen).find(|(_, count)| *count > 1) {
        return Some(format!("it has {name} {count} times"));
    }
    if packet.is_request() && seen[4] == 0 {
        return Some("it has no Max-Forwards".into());
    }
    if packet.is_request() && packet.vias.len() == 1 && packet.from_tag.is_empty() {
        return Some("its From has no tag".into());
    }
    match length.map(|length| (length, length.parse::<usize>())) {
        Some((_, Ok(length))) if length == packet.body.len() => None,
        Some((written, _)) => Some(format!("Content-Length is {written}, and the body has {}", packet.body.len())),
        None => None,
    }
}

#[cfg(test)]
mod tests {
    use super::super::story::{Story, request, response, with};
    use super::*;

    fn sent(message: &str, why: &str) {
        Story::new().sends(0, message).shows(FORM, why);
    }

    #[test]
    fn a_message_has_what_every_message_has_once() {
        let whole = with("Max-Forwards: 70", &request("OPTIONS", &["1"]));
        sent(&whole, "");
        sent(&request("OPTIONS", &["1"]), "it has no Max-Forwards");
        sent(&with("From: <sip:a@a>;tag=a", &whole), "it has from 2 times");
        sent(&with("f: <sip:a@a>;tag=a", &whole), "it has from 2 times");
        sent(&whole.replace(";tag=a", ""), "its From has no tag");
        sent(&response(200, "OPTIONS", &["1"]), "");
    }

    #[test]
    fn content_length_is_the_length_of_the_body() {
        let whole = with("l: 4", &response(200, "OPTIONS", &["1"]));
        sent(&format!("{whole}four"), "");
        sent(&format!("{whole}three"), "Content-Length is 4, and the body has 5");
        sent(&whole.replace("l: 4", "l: +four"), "Content-Length is +four, and the body has 0");
    }
}
