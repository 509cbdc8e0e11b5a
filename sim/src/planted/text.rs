//! Messages as text, to be changed as a mistaken stack would.

use crate::packet::Packet;

/// `INVITE`, `ACK`, `200 INVITE`, …; empty if it is no message.
pub(super) fn kind(text: &str) -> String {
    let Some(packet) = Packet::read(text.as_bytes()) else { return String::new() };
    match packet.status() {
        Some(status) => format!("{status} {}", packet.method),
        None => packet.method.to_owned(),
    }
}

/// The value of the first field of that name; empty if there is none.
pub(super) fn field<'a>(text: &'a str, name: &str) -> &'a str {
    lines(text).find(|line| is(line, name)).map_or("", value)
}

/// The tag of To; empty if there is none.
pub(super) fn to_tag(text: &str) -> &str {
    field(text, "To").split_once(";tag=").map_or("", |(_, tag)| tag)
}

/// The number in CSeq.
pub(super) fn number(text: &str) -> u32 {
    field(text, "CSeq").split(' ').next().and_then(|number| number.parse().ok()).unwrap_or_default()
}

/// The branch of the topmost Via.
pub(super) fn branch(text: &str) -> &str {
    field(text, "Via").split(";branch=").nth(1).and_then(|rest| rest.split([';', ',']).next()).unwrap_or_default()
}

/// The text with another value in the first field of that name.
pub(super) fn with(text: &str, name: &str, change: impl FnOnce(&str) -> String) -> String {
    let mut change = Some(change);
    rebuilt(text, |line, out| match change.take_if(|_| is(line, name)) {
        Some(change) => out.push(format!("{name}: {}", change(value(line)))),
        None => out.push(line.to_owned()),
    })
}

/// The text with another number in CSeq.
pub(super) fn numbered(text: &str, number: u32) -> String {
    with(text, "CSeq", |cseq| format!("{number} {}", cseq.split_once(' ').map_or("", |(_, method)| method)))
}

/// The text without the fields of that name.
pub(super) fn without(text: &str, name: &str) -> String {
    rebuilt(text, |line, out| {
        if !is(line, name) {
            out.push(line.to_owned());
        }
    })
}

/// The text without the first field of that name.
pub(super) fn popped(text: &str, name: &str) -> String {
    let mut found = false;
    rebuilt(text, |line, out| {
        if found || !is(line, name) {
            out.push(line.to_owned());
        } else {
            found = true;
        }
    })
}

/// Takes the topmost Via off.
pub(super) fn popped_via(text: &str) -> String {
    match field(text, "Via").split_once(", ") {
        Some((_, rest)) => {
            let rest = rest.to_owned();
            with(text, "Via", |_| rest)
        }
        None => popped(text, "Via"),
    }
}

/// The text with this field in front of all others.
pub(super) fn pushed(text: &str, name: &str, value: &str) -> String {
    with_start(text, |start| format!("{start}\r\n{name}: {value}"))
}

/// The text with another start line.
pub(super) fn with_start(text: &str, change: impl FnOnce(&str) -> String) -> String {
    let (start, rest) = text.split_once("\r\n").unwrap_or((text, ""));
    format!("{}\r\n{rest}", change(start))
}

/// The text with another description of a session in its body, or with no body.
pub(super) fn with_description(text: &str, description: Option<&str>) -> String {
    let (head, _) = text.split_once("\r\n\r\n").unwrap_or((text, ""));
    let bare = without(&format!("{head}\r\n\r\n"), "Content-Type");
    let bare = without(&without(&bare, "Content-Length"), "c");
    let body = description.unwrap_or_default();
    let kind = if body.is_empty() { "" } else { "Content-Type: application/sdp\r\n" };
    let end = format!("\r\n{kind}Content-Length: {}\r\n\r\n{body}", body.len());
    bare.replacen("\r\n\r\n", &end, 1)
}

fn is(line: &str, name: &str) -> bool {
    line.split_once(':').is_some_and(|(found, _)| found.trim().eq_ignore_ascii_case(name))
}

fn value(line: &str) -> &str {
    line.split_once(':').map_or("", |(_, value)| value.trim())
}

fn lines(text: &str) -> impl Iterator<Item = &str> {
    text.split("\r\n").skip(1).take_while(|line| !line.is_empty())
}

fn rebuilt(text: &str, mut each: impl FnMut(&str, &mut Vec<String>)) -> String {
    let (head, body) = text.split_once("\r\n\r\n").unwrap_or((text, ""));
    let mut out: Vec<String> = head.split("\r\n").take(1).map(str::to_owned).collect();
    for line in lines(text) {
        each(line, &mut out);
    }
    format!("{}\r\n\r\n{body}", out.join("\r\n"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_via_is_taken_off_whether_it_stands_alone_or_in_a_list() {
        let of = |vias: &str| format!("SIP/2.0 100 Trying\r\n{vias}Call-ID: c\r\n\r\n");
        assert_eq!(popped_via(&of("Via: one\r\nVia: two\r\n")), of("Via: two\r\n"));
        assert_eq!(popped_via(&of("Via: one, two\r\n")), of("Via: two\r\n"));
        assert_eq!(kind(&of("")), "");
    }
}
