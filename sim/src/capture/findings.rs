//! Judges a call that was captured.

use std::collections::BTreeSet;
use std::net::{IpAddr, SocketAddr};

use sansip::Instant;
use sansip::message::{Limits, Message as Read};

use super::assemble::trace;
use super::nodes::Names;
use super::reader::{Message, Place};
use crate::check::{
    ACKNOWLEDGED, AFTER_BYE, ANSWERED, Breach, CANCEL, CSEQ, Check, Evidence, FORM, Judge, Library, RESPONSES, ROUTE,
    Rule, SCHEDULE, TRANSPARENCY, VIA,
};
use crate::packet::Packet;
use crate::trace::{NodeId, Trace, Transmission, What};

/// Something that should not be, in a capture.
#[derive(Clone, Debug)]
pub struct Finding {
    /// The message, or what should have been followed by one.
    pub place: Place,
    /// When, since the capture began.
    pub time: Instant,
    /// The name of the node.
    pub node: String,
    /// Whether the node is on loopback, so that the capture was made at it.
    pub is_loopback: bool,
    /// The addresses of the node in this call. Where messages there could not be read ([`Unseen`](super::Unseen)), nothing tells what is missing.
    pub addresses: Vec<IpAddr>,
    /// The Call-ID.
    pub call_id: String,
    /// How it shows.
    pub evidence: Evidence,
    /// The check that finds it.
    pub check: &'static str,
    /// The sections that the check is made of.
    pub source: &'static str,
    /// Says in a sentence what should not be.
    pub what: String,
    /// Says what would have been right.
    pub right: &'static str,
}

/// Says how much of a check can be decided from a capture.
#[derive(Clone, Copy, Debug)]
pub struct Decided {
    /// The name of the check.
    pub check: &'static str,
    /// Says what messages that were seen show, and what has to be seen for that; empty if nothing.
    pub seen: &'static str,
    /// Says what only a capture made at the node shows; empty if nothing.
    pub missing: &'static str,
    /// Says what would be right.
    pub right: &'static str,
}

const fn row(check: &'static str, seen: &'static str, missing: &'static str, right: &'static str) -> Decided {
    Decided { check, seen, missing, right }
}

const NO_STATE: &str = "it needs to know what a node was told, or what it has in the end";

/// Says of each check of simulated runs what can be decided from a capture.
pub const TABLE: [Decided; 24] = [
    row(
        "form",
        "all of it",
        "",
        "Via, From, To, Call-ID, CSeq, in requests Max-Forwards, each but Via once; Content-Length is the length of the body",
    ),
    row(
        "responses",
        "From, To, CSeq and To tag, with the request; a status that is for INVITE alone",
        "an answer to what never came; a To tag that changes",
        "a response has From, Call-ID, CSeq and To of its request, and a To tag if it is no 100",
    ),
    row(
        "via",
        "branch and cookie; the list of hops, with the request, and in a proxy with both sides of it",
        "`received`, `rport`, and where a response goes",
        "each request has a branch of its own, and a response the Via values of its request",
    ),
    row(
        "cseq",
        "a number used twice, or unlike the INVITE's, with the start of the dialog",
        "a number that is left out, or goes back",
        "each request has one more than the last of its side; ACK and CANCEL have that of their INVITE",
    ),
    row(
        "cancel",
        "a CANCEL unlike its INVITE",
        "when it is sent, and what it finds",
        "a CANCEL has Request-URI, From, To, Call-ID and Route of its INVITE, and waits for a provisional response",
    ),
    row(
        "route",
        "Route and Request-URI, with the start of the dialog",
        "loops",
        "a request in a dialog goes to the Contact of the peer, with the Record-Route values of the start as its Route",
    ),
    row(
        "transparency",
        "a body or header field changed or taken away, with both sides of the proxy",
        "the best response, and what does not go on",
        "a proxy passes on what came, but for Via, Route, Record-Route, Max-Forwards and what it adds",
    ),
    row("relay", "", "", NO_STATE),
    row("binding", "", "", NO_STATE),
    row(
        "after-bye",
        "",
        "all of it",
        "once a BYE is answered, no request but ACK and those of subscriptions goes in its dialog",
    ),
    row(
        "schedule",
        "two final responses that differ on one transaction; a copy of a request with other octets",
        "copies after an answer, or too many",
        "a copy has the octets of the first, and goes out until the answer comes; there is one final response but for 2xx",
    ),
    row("traffic", "", "", NO_STATE),
    row("agreement", "", "", NO_STATE),
    row("offer-answer", "", "", NO_STATE),
    row("rseq", "", "", NO_STATE),
    row("session-timer", "", "", NO_STATE),
    row("replaces", "", "", NO_STATE),
    row("digest", "", "", NO_STATE),
    row("capacity", "", "", NO_STATE),
    row("resends", "", "", "T1 is a setting of each node: no interval is a breach"),
    row(
        "acknowledged",
        "an ACK for a rejection that is unlike its INVITE",
        "an ACK, or the BYE in its place, that never comes",
        "each final response to INVITE gets an ACK; that for a rejection has Request-URI, From and Route of the INVITE and \
         the To of the response",
    ),
    row("answered", "", "a request that never gets a final response", "each request but ACK gets a final response"),
    row("idle", "", "", NO_STATE),
    row("census", "", "", NO_STATE),
];

const RULES: [Rule; 11] =
    [FORM, RESPONSES, VIA, CSEQ, CANCEL, ROUTE, TRANSPARENCY, AFTER_BYE, SCHEDULE, ACKNOWLEDGED, ANSWERED];

/// Judges the messages of a call by all checks. Times are counted from `zero`, and nothing was captured after `end`; both as those of the messages.
pub fn judge(messages: &[Message], names: &[Names], zero: u64, end: u64) -> Vec<Finding> {
    let (trace, places) = trace(messages, &[], names, zero);
    let checks: Vec<Box<dyn Check>> = RULES.into_iter().map(|rule| Box::new(rule) as Box<dyn Check>).collect();
    let library = Library::default();
    let end = Instant::from_nanos(end.saturating_sub(zero));
    let breaches = Judge::new(&checks, &library, 0).judge(&trace, None, end, &[]);
    let call_id = messages.iter().find_map(|message| Packet::read(&message.bytes)).map_or("", |packet| packet.call_id);
    let source = |check: &str| RULES.iter().find(|rule| rule.name() == check).map_or("", Rule::source);
    let finding = |breach: Breach| {
        let entry = entry(&trace, &breach);
        let Breach { check, evidence, time, what, node, .. } = breach;
        Finding {
            place: entry.and_then(|entry| places.get(entry)).copied().unwrap_or_default(),
            time,
            node: trace.name(node).to_owned(),
            is_loopback: trace.transmissions().any(|(.., sent)| sent.from == node && sent.source.ip().is_loopback()),
            addresses: addresses(&trace, node),
            call_id: call_id.to_owned(),
            evidence,
            check,
            source: source(check),
            what,
            right: TABLE.iter().find(|row| row.check == check).map_or("", |row| row.right),
        }
    };
    breaches.into_iter().map(finding).collect()
}

fn addresses(trace: &Trace, node: NodeId) -> Vec<IpAddr> {
    let of_one = |sent: &Transmission| {
        let source = (sent.from == node).then_some(sent.source.ip());
        [source, (sent.to == Some(node)).then_some(sent.destination.ip())]
    };
    let all: BTreeSet<IpAddr> = trace.transmissions().flat_map(|(.., sent)| of_one(sent)).flatten().collect();
    all.into_iter().collect()
}

/// The entry that a breach is about: of that node and time, and of several the one whose branch it names.
fn entry(trace: &Trace, breach: &Breach) -> Option<usize> {
    let is_of_node = |what: &What| match what {
        What::Sent(sent) => sent.from == breach.node,
        What::Arrived { node, .. } => *node == breach.node,
        What::Noted { .. } => false,
    };
    let bytes = |what: &What| match what {
        What::Sent(sent) => Some(sent.bytes.clone()),
        What::Arrived { sent, .. } => trace.sent(*sent).map(|sent| sent.bytes.clone()),
        What::Noted { .. } => None,
    };
    let is_named = |what: &What| {
        let bytes = bytes(what).unwrap_or_else(|| b"".as_slice().into());
        Packet::read(&bytes)
            .is_some_and(|packet| breach.what.contains(packet.top().branch) && breach.what.contains(&packet.what()))
    };
    let mut found = None;
    for (index, entry) in trace.entries().iter().enumerate() {
        if entry.time == breach.time && is_of_node(&entry.what) {
            if is_named(&entry.what) {
                return Some(index);
            }
            found = found.or(Some(index));
        }
    }
    found
}

/// Says what is wrong with a message that lacks what every message has; `None` if an element takes it all the same.
pub fn unreadable(message: &Message, names: &[Names], zero: u64) -> Option<Finding> {
    // A 400 says no more than its request had to repeat (RFC 3261 §8.2.6.2).
    let evidence = if message.bytes.starts_with(b"SIP/2.0 400 ") { Evidence::Remark } else { Evidence::Seen };
    let why = match Read::parse(&message.bytes, &Limits::default()) {
        Err(error) => match error.header() {
            Some(header) => format!("{}: {}", header.as_str(), error.kind()),
            None => error.kind().to_string(),
        },
        Ok(Read::Request(request)) => request.validate().err()?.reason.to_string(),
        Ok(Read::Response(response)) => response.validate().err()?.reason.to_string(),
    };
    let node = super::nodes::Nodes::new(names).name(message.source);
    Some(Finding {
        place: message.place,
        time: Instant::from_nanos(message.time.saturating_sub(zero)),
        is_loopback: is_loopback(message.source),
        addresses: vec![message.source.ip()],
        call_id: String::new(),
        evidence,
        check: FORM.name(),
        source: FORM.source(),
        what: format!("{node} sent what is no message: {why}"),
        node,
        right: TABLE[0].right,
    })
}

const fn is_loopback(address: SocketAddr) -> bool {
    address.ip().is_loopback()
}
