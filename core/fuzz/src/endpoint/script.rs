//! How octets become inputs: messages from templates with values that come again, answers to what the node has sent, time.

use super::{Answer, ConnectionId, Duration, Instant, QueryId, Step, address};
use sansip::Output;

/// Where the node listens.
pub(super) const HERE: &str = "192.0.2.1:5060";

const REMOTES: [&str; 4] = ["192.0.2.9:5060", "192.0.2.8:5060", "192.0.2.9:40000", "[2001:db8::9]:5060"];
const METHODS: [&str; 16] = [
    "INVITE",
    "INVITE",
    "INVITE",
    "ACK",
    "ACK",
    "BYE",
    "CANCEL",
    "OPTIONS",
    "REGISTER",
    "MESSAGE",
    "UPDATE",
    "ODD",
    "NOTIFY",
    "NOTIFY",
    "SUBSCRIBE",
    "REFER",
];
const URIS: [&str; 6] = [
    "sip:alice@192.0.2.1",
    "sip:alice@atlanta.com",
    "sip:atlanta.com",
    "sip:bob@192.0.2.9",
    "sip:bob@biloxi.com",
    "tel:+1-201-555-0123",
];
const VIAS: [&str; 8] = [
    "SIP/2.0/UDP 192.0.2.9;branch=z9hG4bKa",
    "SIP/2.0/UDP 192.0.2.9;branch=z9hG4bKb",
    "SIP/2.0/UDP 192.0.2.9;branch=z9hG4bKc",
    "SIP/2.0/UDP 192.0.2.9",
    "SIP/2.0/UDP biloxi.com;branch=z9hG4bKa;rport",
    "SIP/2.0/UDP 192.0.2.9;branch=z9hG4bKa, SIP/2.0/UDP 192.0.2.7;branch=z9hG4bKx",
    "SIP/2.0/TCP 192.0.2.9;branch=z9hG4bKt",
    "SIP/2.0/UDP 192.0.2.9:5070;branch=z9hG4bKa;maddr=192.0.2.8;ttl=3",
];
const EXTRAS: [&str; 16] = [
    "",
    "Contact: <sip:bob@192.0.2.9>\r\n",
    "Contact: <sip:bob@biloxi.com>;expires=60, <sip:bob@192.0.2.8>\r\n",
    "Contact: *\r\nExpires: 0\r\n",
    "Route: <sip:192.0.2.1;lr>\r\nContact: <sip:bob@192.0.2.9>\r\n",
    "Record-Route: <sip:192.0.2.8;lr>\r\nContact: <sip:bob@192.0.2.9>\r\n",
    "Require: 100rel\r\n",
    "Expires: 1\r\nContact: <sip:bob@192.0.2.9>\r\n",
    "Event: presence\r\nSubscription-State: active;expires=60\r\nContact: <sip:bob@192.0.2.9>\r\n",
    "Event: presence\r\nSubscription-State: pending\r\nContact: <sip:bob@192.0.2.9>\r\n",
    "Event: presence\r\nSubscription-State: terminated;reason=deactivated\r\nContact: <sip:bob@192.0.2.9>\r\n",
    "Event: presence\r\nSubscription-State: terminated;reason=probation;retry-after=5\r\nContact: <sip:bob@192.0.2.9>\r\n",
    "Event: refer\r\nSubscription-State: active;expires=60\r\nContact: <sip:bob@192.0.2.9>\r\n",
    "Event: refer\r\nExpires: 0\r\nContact: <sip:bob@192.0.2.9>\r\n",
    "Refer-To: <sip:carol@192.0.2.8>\r\nContact: <sip:bob@192.0.2.9>\r\n",
    "Event: presence;id=1\r\nSubscription-State: active\r\n",
];
const STATUSES: [u16; 16] = [100, 180, 183, 200, 200, 200, 202, 302, 401, 408, 423, 481, 486, 487, 503, 603];

/// The rest of a script; zeroes behind its end.
pub(super) struct Octets<'a>(pub(super) &'a [u8]);

impl Octets<'_> {
    fn next(&mut self) -> u8 {
        let Some((first, rest)) = self.0.split_first() else { return 0 };
        self.0 = rest;
        *first
    }

    fn pick<T: Copy>(&mut self, things: &[T]) -> T {
        things[usize::from(self.next()) % things.len()]
    }

    fn take(&mut self, count: usize) -> Vec<u8> {
        let (taken, rest) = self.0.split_at(count.min(self.0.len()));
        self.0 = rest;
        taken.to_vec()
    }
}

/// The node's outputs that inputs can refer to; the last of each.
#[derive(Default)]
pub(super) struct Known {
    requests: Vec<String>,
    responses: Vec<String>,
    queries: Vec<QueryId>,
    pub(super) connections: Vec<ConnectionId>,
}

impl Known {
    pub(super) fn learn<E>(&mut self, output: &Output<E>) {
        match output {
            Output::Send(transmit) => {
                let text = String::from_utf8_lossy(&transmit.bytes).into_owned();
                let list = if text.starts_with("SIP/2.0") { &mut self.responses } else { &mut self.requests };
                list.push(text);
                if list.len() > 16 {
                    list.remove(0);
                }
                self.connections.extend(transmit.flow.connection);
            }
            Output::Resolve { query, .. } => self.queries.push(*query),
            Output::Open { connection, .. } => self.connections.push(*connection),
            _ => {}
        }
        let surplus = self.connections.len().saturating_sub(16);
        self.connections.drain(..surplus);
    }
}

/// The next input, and when.
pub(super) fn step(octets: &mut Octets<'_>, known: &mut Known, now: &mut Instant, deadline: Option<Instant>) -> Step {
    match octets.next() % 16 {
        0..=3 => Step::Datagram(address(octets.pick(&REMOTES)), request(octets, known)),
        4..=6 => Step::Datagram(address(octets.pick(&REMOTES)), response(octets, known)),
        7 => {
            let count = usize::from(octets.next());
            Step::Datagram(address(REMOTES[0]), octets.take(count))
        }
        8 | 9 => {
            let millis = octets.pick(&[1, 100, 500, 3_500, 32_000, 200_000]);
            *now += Duration::from_millis(millis);
            Step::Tick
        }
        10 => {
            *now = deadline.map_or(*now, |deadline| deadline.max(*now));
            Step::Tick
        }
        11 => {
            let count = usize::from(octets.next() % 4);
            let ips = (0..count).map(|_| Answer::Address(address(octets.pick(&REMOTES)).ip())).collect();
            match known.queries.pop() {
                Some(query) => Step::Resolved(query, ips),
                None => Step::Resolved(QueryId::from_parts(u32::from(octets.next() % 4), 1), ips),
            }
        }
        12 => Step::Unreachable(address(octets.pick(&REMOTES))),
        13 => connection(octets, known),
        _ => Step::Command(octets.next()),
    }
}

fn connection(octets: &mut Octets<'_>, known: &mut Known) -> Step {
    let id = match known.connections.as_slice() {
        [] => ConnectionId::from_parts(u32::from(octets.next() % 4), 0),
        ids => octets.pick(ids),
    };
    match octets.next() % 8 {
        0 | 1 => Step::Accepted(address(octets.pick(&REMOTES))),
        2..=4 => {
            let mut bytes =
                if octets.next().is_multiple_of(2) { request(octets, known) } else { response(octets, known) };
            if octets.next().is_multiple_of(4) {
                bytes.extend(request(octets, known));
            }
            Step::Stream(id, bytes)
        }
        5 => Step::Message(id, request(octets, known)),
        _ => Step::Change(id, octets.next()),
    }
}

fn request(octets: &mut Octets<'_>, known: &Known) -> Vec<u8> {
    let method = octets.pick(&METHODS);
    let (uri, via, extra) = (octets.pick(&URIS), octets.pick(&VIAS), octets.pick(&EXTRAS));
    let number = 1 + u32::from(octets.next() % 4);
    let (from, to, call_id) = ends(octets, known);
    let text = format!(
        "{method} {uri} SIP/2.0\r\nVia: {via}\r\nMax-Forwards: 7\r\n{from}\r\n{to}\r\n{call_id}\r\n{extra}\
         CSeq: {number} {method}\r\nContent-Length: 0\r\n\r\n"
    );
    spoiled(text.into_bytes(), octets)
}

/// From, To and Call-ID of a peer: new ones, or those of a dialog that the node is in.
fn ends(octets: &mut Octets<'_>, known: &Known) -> (String, String, String) {
    let field = |text: &str, name: &str| {
        let line = text.split("\r\n").find(|line| line.starts_with(name));
        line.unwrap_or("X: y").to_string()
    };
    match octets.next() % 4 {
        0 if !known.responses.is_empty() => {
            let text = &known.responses[usize::from(octets.next()) % known.responses.len()];
            (field(text, "From:"), field(text, "To:"), field(text, "Call-ID:"))
        }
        1 if !known.requests.is_empty() => {
            let text = &known.requests[usize::from(octets.next()) % known.requests.len()];
            let (from, to) = (field(text, "From:"), field(text, "To:"));
            let tag = if to.contains("tag=") { "" } else { ";tag=peer" };
            (to.replacen("To:", "From:", 1) + tag, from.replacen("From:", "To:", 1), field(text, "Call-ID:"))
        }
        other => (
            format!("From: <sip:bob@biloxi.com>;tag={other}"),
            "To: <sip:alice@atlanta.com>".to_string(),
            format!("Call-ID: call-{}", octets.next() % 3),
        ),
    }
}

/// An answer to one of the node's requests.
fn response(octets: &mut Octets<'_>, known: &Known) -> Vec<u8> {
    let status = octets.pick(&STATUSES);
    let (place, tag, extra) = (octets.next(), octets.next() % 3, octets.pick(&EXTRAS));
    let Some(request) = known.requests.get(usize::from(place) % known.requests.len().max(1)) else { return Vec::new() };
    let mut text = format!("SIP/2.0 {status} Words\r\n");
    for line in request.split("\r\n") {
        let Some((name, _)) = line.split_once(':') else { continue };
        if !matches!(name, "Via" | "From" | "To" | "Call-ID" | "CSeq" | "Record-Route") {
            continue;
        }
        text.push_str(line);
        if name == "To" && tag > 0 && !line.contains("tag=") {
            text.push_str(&format!(";tag=peer{tag}"));
        }
        text.push_str("\r\n");
    }
    text.push_str(extra);
    text.push_str("Content-Length: 0\r\n\r\n");
    spoiled(text.into_bytes(), octets)
}

/// Mostly as it is; else cut, or with octets put in or changed.
fn spoiled(mut bytes: Vec<u8>, octets: &mut Octets<'_>) -> Vec<u8> {
    let kind = octets.next();
    if kind < 224 || bytes.is_empty() {
        return bytes;
    }
    let at = (usize::from(octets.next()) * 256 + usize::from(octets.next())) % bytes.len();
    match kind % 4 {
        0 => bytes.truncate(at),
        1 => bytes[at] = octets.next(),
        2 => bytes.insert(at, octets.next()),
        _ => {
            let count = usize::from(octets.next() % 32);
            let put = octets.take(count);
            bytes.splice(at..at, put);
        }
    }
    bytes
}
