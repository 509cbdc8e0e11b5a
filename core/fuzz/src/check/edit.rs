//! Edits: each changes what it says and nothing else. The same changes are made to lines, plainly, and compared.

use super::lines::{Line, Lines};
use sansip::message::header::{Header, Via};
use sansip::message::{BuildError, Edit, HeaderId, HeaderName, Limits, Message};
use std::net::IpAddr;

/// The values that may be put in: good, blank, and such as would end a line.
const VALUES: [&str; 8] = [
    "<sip:p.example;lr>",
    "SIP/2.0/UDP p.example;branch=z9hG4bKx",
    "",
    " 69\t",
    "\"a, b\" <sip:c,d@e.example>, x",
    "1",
    "a\r\nEvil: 1",
    "\0",
];
const IDS: [HeaderId; 8] = [
    HeaderId::Via,
    HeaderId::Route,
    HeaderId::RecordRoute,
    HeaderId::MaxForwards,
    HeaderId::Contact,
    HeaderId::ContentType,
    HeaderId::Subject,
    HeaderId::Supported,
];
const NAMES: [&str; 6] = ["X-New", "s", "Route", "bad name", "l", ""];

/// One change. Of one header's fields there is one change at most, besides what is pushed before them.
#[derive(Clone, Copy, Debug)]
enum Change {
    Push(HeaderId, &'static str),
    Pop(HeaderId, usize, usize),
    Replace(HeaderId, &'static str),
    Remove(HeaderId),
    RemoveName(&'static str),
    Append(&'static str, &'static str),
    Stamp(Option<IpAddr>, Option<u16>),
    Body(&'static str, &'static [u8]),
    Length,
}

/// A script of changes, then a message.
pub(crate) fn edit(data: &[u8]) {
    let (script, message) = super::script(data);
    let changes = changes(script);
    let Ok(message) = Message::parse(message, &Limits::default()) else { return };
    // At the bound of a header section an edit may fail for want of room; that is not meant here.
    if message.as_bytes().len() > 20_000 {
        return;
    }
    let expected = expect(message.as_bytes(), &changes);
    match &message {
        Message::Request(request) => {
            let edited = apply(request.edit(), &changes).finish();
            compare(edited.map(Message::Request), &expected, &changes);
            let uri = request.edit().uri("sip:n@n.example").finish().expect("it can be written");
            assert_eq!(uri.uri_bytes(), b"sip:n@n.example");
            super::message::same_headers(uri.headers(), with_end(&message).headers());
        }
        Message::Response(response) => {
            let edited = apply(response.edit(), &changes).finish();
            compare(edited.map(Message::Response), &expected, &changes);
        }
    }
}

/// The message with the line ends that any edit adds.
fn with_end(message: &Message) -> Message {
    let mut lines = Lines::of(message.as_bytes());
    lines.terminate();
    Message::parse(&lines.write(), &Limits::default()).expect("it is a message still")
}

fn changes(script: &[u8]) -> Vec<Change> {
    let mut changes: Vec<Change> = Vec::new();
    let mut changed: Vec<HeaderId> = Vec::new();
    for &octet in script {
        let (id, value) = (IDS[usize::from(octet % 8)], VALUES[usize::from(octet / 8 % 8)]);
        let (front, back) = (usize::from(octet / 8 % 4), usize::from(octet / 32 % 2));
        let other = octet % 32;
        let change = match octet / 32 {
            0 | 1 => Change::Push(id, value),
            2 if front + back > 0 => Change::Pop(id, front, back),
            3 => Change::Replace(id, value),
            4 => Change::Remove(id),
            5 => Change::Append(NAMES[usize::from(octet % 6)], VALUES[usize::from(other / 4)]),
            6 if other < 8 => {
                Change::Stamp((other & 1 == 1).then_some([192, 0, 2, 1].into()), (other & 2 == 2).then_some(5070))
            }
            6 if other < 16 => Change::Stamp("2001:db8::1".parse().ok(), (other & 1 == 1).then_some(1)),
            6 => Change::RemoveName(["x-odd", "SUBJECT", "t", "l"][usize::from(other % 4)]),
            7 if other < 24 => Change::Body(
                ["text/plain", "", "a\nb"][usize::from(other % 3)],
                [&b"v=0\r\n\r\n"[..], b""][usize::from(other % 2)],
            ),
            _ => Change::Length,
        };
        let touched = match change {
            Change::Pop(id, ..) | Change::Replace(id, _) | Change::Remove(id) => Some(id),
            Change::Stamp(..) => Some(HeaderId::Via),
            Change::Body(..) => Some(HeaderId::ContentType),
            Change::RemoveName(name) => HeaderId::from_name(name.as_bytes()),
            Change::Push(..) | Change::Append(..) | Change::Length => None,
        };
        if let Some(id) = touched {
            if changed.contains(&id) {
                continue;
            }
            changed.push(id);
        }
        changes.push(change);
    }
    changes
}

fn apply<'a, M>(edit: Edit<'a, M>, changes: &[Change]) -> Edit<'a, M> {
    changes.iter().fold(edit, |edit, change| match *change {
        Change::Push(id, value) => edit.push_first(id, value),
        Change::Pop(id, front, back) => {
            let edit = (0..front).fold(edit, |edit, _| edit.pop_first(id));
            (0..back).fold(edit, |edit, _| edit.pop_last(id))
        }
        Change::Replace(id, value) => edit.replace(id, value),
        Change::Remove(id) => edit.remove(id),
        Change::RemoveName(name) => edit.remove(name),
        Change::Append(name, value) => edit.append(name, value),
        Change::Stamp(received, rport) => edit.stamp_via(received, rport),
        Change::Body(content_type, body) => edit.body(content_type, body),
        Change::Length => edit.content_length(),
    })
}

fn compare(edited: Result<Message, BuildError>, expected: &Result<Vec<u8>, BuildError>, changes: &[Change]) {
    let edited = match (edited, expected) {
        (Ok(edited), Ok(_)) => edited,
        (Err(_), Err(_)) => return,
        (edited, expected) => panic!("{changes:?} gave {edited:?}, not {expected:?}"),
    };
    let expected = expected.as_ref().expect("it is there");
    assert!(
        &edited.as_bytes()[..] == expected.as_slice(),
        "{changes:?} gave\n{}\nnot\n{}",
        edited.as_bytes().escape_ascii(),
        expected.escape_ascii()
    );
    // The spans are those that a reader finds.
    let again = Message::parse(expected, &super::WIDE).expect("an edited message is a message");
    assert_eq!(again, edited);
    super::message::same_headers(again.headers(), edited.headers());
    assert_eq!(again.body(), edited.body());
    match (&again, &edited) {
        (Message::Request(a), Message::Request(b)) => {
            assert_eq!((a.method(), a.uri_bytes(), a.validate()), (b.method(), b.uri_bytes(), b.validate()));
        }
        (Message::Response(a), Message::Response(b)) => {
            assert_eq!((a.status(), a.reason(), a.validate()), (b.status(), b.reason(), b.validate()));
        }
        _ => panic!("a request and a response"),
    }
}

/// A message as lines, and what is put between and behind them.
struct Model {
    lines: Lines,
    /// The text that stands now in the place of each field of the original.
    now: Vec<Option<Line>>,
    /// The text before each field, and before the end.
    before: Vec<Vec<Line>>,
    appended: Vec<Line>,
    length: bool,
}

fn expect(message: &[u8], changes: &[Change]) -> Result<Vec<u8>, BuildError> {
    let mut lines = Lines::of(message);
    lines.terminate();
    let mut model = Model {
        now: lines.fields.iter().cloned().map(Some).collect(),
        before: vec![Vec::new(); lines.fields.len() + 1],
        lines,
        appended: Vec::new(),
        length: false,
    };
    for change in changes {
        model.change(*change)?;
    }
    if model.length {
        let length = model.lines.body.len().to_string();
        model.replace(HeaderId::ContentLength, &length);
    }
    let mut fields = Vec::new();
    for (before, now) in model.before.iter().zip(model.now.iter().chain([&None])) {
        fields.extend(before.iter().cloned());
        fields.extend(now.clone());
    }
    fields.extend(model.appended);
    Ok(Lines { fields, ..model.lines }.write())
}

impl Model {
    fn change(&mut self, change: Change) -> Result<(), BuildError> {
        match change {
            Change::Push(_, value) | Change::Replace(_, value) => writable(value)?,
            _ => {}
        }
        match change {
            Change::Push(id, value) => {
                let vias = self.lines.places(HeaderId::Via);
                let at = match self.lines.places(id).first() {
                    Some(&first) => first,
                    None if id == HeaderId::Via => 0,
                    None => vias.last().map_or(0, |last| last + 1),
                };
                self.before[at].insert(0, Line::new(id.as_str(), value.as_bytes()));
            }
            Change::Pop(id, front, back) => self.pop(id, front, back)?,
            Change::Replace(id, value) => self.replace(id, value),
            Change::Remove(id) => self.remove(HeaderName::Known(id)),
            Change::RemoveName(name) => self.remove(HeaderName::from(name)),
            Change::Append(name, value) => match HeaderName::from(name) {
                HeaderName::Known(HeaderId::ContentLength) => self.length = true,
                name if matches!(name.as_str(), "" | "bad name") => return Err(BuildError::HeaderName),
                name => {
                    writable(value)?;
                    self.appended.push(Line::new(name.as_str(), value.as_bytes()));
                }
            },
            Change::Stamp(received, rport) => self.stamp(received, rport)?,
            Change::Body(content_type, body) => {
                writable(content_type)?;
                self.lines.body = body.to_vec();
                self.length = true;
                if content_type.is_empty() {
                    self.remove(HeaderName::Known(HeaderId::ContentType));
                } else {
                    self.replace(HeaderId::ContentType, content_type);
                }
            }
            Change::Length => self.length = true,
        }
        Ok(())
    }

    fn remove(&mut self, name: HeaderName<'_>) {
        if name == HeaderName::Known(HeaderId::ContentLength) {
            return;
        }
        for (now, line) in self.now.iter_mut().zip(&self.lines.fields) {
            if line.is(name) {
                *now = None;
            }
        }
    }

    fn replace(&mut self, id: HeaderId, value: &str) {
        match self.lines.places(id)[..] {
            [] => self.appended.push(Line::new(id.as_str(), value.as_bytes())),
            [first, ref others @ ..] => {
                self.now[first] = Some(self.lines.fields[first].with_value(value.as_bytes()));
                for &other in others {
                    self.now[other] = None;
                }
            }
        }
    }

    fn pop(&mut self, id: HeaderId, front: usize, back: usize) -> Result<(), BuildError> {
        let places = self.lines.places(id);
        let count: usize = places.iter().map(|&at| self.lines.fields[at].values().len()).sum();
        if front + back > count {
            return Err(BuildError::NoSuchValue);
        }
        let mut index = 0;
        for at in places {
            let line = &self.lines.fields[at];
            let values = line.values();
            let kept: Vec<_> = (index..).zip(&values).filter(|(at, _)| (front..count - back).contains(at)).collect();
            let next = index + values.len();
            if let [first, ..] = kept[..]
                && let Some(last) = kept.last()
            {
                let (start, end) = line.value();
                let from = if first.0 == index { start } else { first.1.0 };
                let to = if last.0 + 1 == next { end } else { last.1.1 };
                self.now[at] = Some(Line([&line.0[..start], &line.0[from..to], &line.0[end..]].concat()));
            } else if !values.is_empty() {
                self.now[at] = None;
            }
            index = next;
        }
        Ok(())
    }

    /// Only what the parameters are is taken from the reader; where they stand is looked for here.
    fn stamp(&mut self, received: Option<IpAddr>, rport: Option<u16>) -> Result<(), BuildError> {
        let places = self.lines.places(HeaderId::Via);
        let top = places.into_iter().find_map(|at| Some((at, *self.lines.fields[at].values().first()?)));
        let (at, (start, end)) = top.ok_or(BuildError::NoSuchValue)?;
        let line = &self.lines.fields[at].0;
        let value = &line[start..end];
        let via = Via::parse(value).map_err(|_| BuildError::NoSuchValue)?;
        let mut parts = semicolons(value);
        if let (Some(port), true) = (rport, via.parameters.has("rport")) {
            set(&mut parts, "rport", &port.to_string());
        }
        if let (Some(ip), true) = (received, via.parameters.has("received")) {
            set(&mut parts, "received", &ip.to_string());
        }
        keep_first(&mut parts, "rport");
        keep_first(&mut parts, "received");
        if let (Some(ip), false) = (received, via.parameters.has("received")) {
            parts.push(format!("received={ip}").into_bytes());
        }
        let stamped = [&line[..start], &parts.join(&b';'), &line[end..]].concat();
        self.now[at] = Some(Line(stamped));
        Ok(())
    }
}

fn writable(value: &str) -> Result<(), BuildError> {
    if value.contains(['\r', '\n', '\0']) { Err(BuildError::Control) } else { Ok(()) }
}

/// The value split at semicolons outside quotes.
fn semicolons(value: &[u8]) -> Vec<Vec<u8>> {
    let mut parts = vec![Vec::new()];
    let (mut quoted, mut escaped) = (false, false);
    for &octet in value {
        if octet == b';' && !quoted {
            parts.push(Vec::new());
            continue;
        }
        if quoted {
            quoted = escaped || octet != b'"';
            escaped = !escaped && octet == b'\\';
        } else {
            quoted = octet == b'"';
        }
        parts.last_mut().expect("there is one").push(octet);
    }
    parts
}

fn space(octet: &u8) -> bool {
    b" \t\r\n".contains(octet)
}

/// Where the name of a parameter stands, the white space around it left out.
fn name_of(part: &[u8]) -> (usize, usize) {
    let start = part.iter().position(|octet| !space(octet)).unwrap_or(part.len());
    let end = part[start..].iter().position(|octet| space(octet) || *octet == b'=').map_or(part.len(), |at| start + at);
    (start, end)
}

/// Takes out all parameters of that name but the first. The white space before the semicolon goes with the parameter, that
/// behind the parameter stays.
fn keep_first(parts: &mut Vec<Vec<u8>>, name: &str) {
    let named = |part: &[u8]| {
        let (start, end) = name_of(part);
        part[start..end].eq_ignore_ascii_case(name.as_bytes())
    };
    let Some(first) = parts.iter().skip(1).position(|part| named(part)).map(|at| at + 1) else { return };
    let mut at = first + 1;
    while at < parts.len() {
        if !named(&parts[at]) {
            at += 1;
            continue;
        }
        let void = parts.remove(at);
        let blank = void.iter().rposition(|octet| !space(octet)).map_or(0, |last| last + 1);
        // Empty parameters before the one that is taken out go too.
        while parts[at - 1].iter().all(space) {
            at -= 1;
            parts.remove(at);
        }
        let before = &mut parts[at - 1];
        before.truncate(before.iter().rposition(|octet| !space(octet)).map_or(0, |last| last + 1));
        before.extend(&void[blank..]);
    }
}

/// Gives the first parameter of that name another value, the white space around it kept.
fn set(parts: &mut [Vec<u8>], name: &str, value: &str) {
    for part in parts.iter_mut().skip(1) {
        let (start, end) = name_of(part);
        if !part[start..end].eq_ignore_ascii_case(name.as_bytes()) {
            continue;
        }
        match part.iter().position(|&octet| octet == b'=') {
            None => drop(part.splice(end..end, [b"=", value.as_bytes()].concat())),
            Some(equals) => {
                let from =
                    part[equals + 1..].iter().position(|octet| !space(octet)).map_or(part.len(), |at| equals + 1 + at);
                let to = part.iter().rposition(|octet| !space(octet)).map_or(part.len(), |at| at + 1);
                drop(part.splice(from..to, value.bytes()));
            }
        }
        return;
    }
}
