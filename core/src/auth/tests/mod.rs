//! The two halves against the RFCs, against a malicious peer, and against each other.

mod answering;
mod flows;
mod following;
mod gate;
mod halves;
mod malformed;
mod replay;
mod secrets;
mod vectors;

use super::{Asker, Claim, Fields, Gate, Ha1, Keyring, Limits, Login, Outcome, Scope, Secret, Settings, Unknown};
use crate::message::{HeaderId, Limits as MessageLimits, Message, Request, Response};
use crate::random::{Random, Script, Seed};
use crate::time::{Duration, Instant};
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

/// The login of alice.
pub(super) const PASSWORD: &str = "s3cret";

pub(super) fn random(seed: u64) -> Random {
    Random::new(Seed::from_u64(seed), Script::default())
}

/// The octets as text.
pub(super) fn text(octets: &[u8]) -> String {
    String::from_utf8_lossy(octets).into_owned()
}

/// A request of alice, with these further lines and this body.
pub(super) fn request(method: &str, uri: &str, cseq: u32, lines: &str, body: &str) -> Request {
    in_call("call@1", method, uri, cseq, lines, body)
}

pub(super) fn in_call(call_id: &str, method: &str, uri: &str, cseq: u32, lines: &str, body: &str) -> Request {
    let text = format!(
        "{method} {uri} SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK1\r\nMax-Forwards: 70\r\n\
         From: <sip:alice@atlanta.com>;tag=1\r\nTo: <sip:bob@biloxi.com>\r\nCall-ID: {call_id}\r\n\
         CSeq: {cseq} {method}\r\n{lines}Content-Length: {}\r\n\r\n{body}",
        body.len()
    );
    match Message::parse(text.as_bytes(), &MessageLimits::default()).unwrap() {
        Message::Request(request) => request,
        Message::Response(_) => panic!("a response"),
    }
}

pub(super) fn invite(cseq: u32) -> Request {
    request("INVITE", "sip:bob@biloxi.com", cseq, "", "v=0\r\n")
}

/// A response to a request, with these lines.
pub(super) fn response(request: &Request, status: u16, lines: &str) -> Response {
    response_with(request, status, lines, "")
}

pub(super) fn response_with(request: &Request, status: u16, lines: &str, body: &str) -> Response {
    let copied = [HeaderId::Via, HeaderId::From, HeaderId::To, HeaderId::CallId, HeaderId::CSeq];
    let copied: String = copied
        .into_iter()
        .map(|id| format!("{}: {}\r\n", id.as_str(), text(request.headers().raw(id).unwrap())))
        .collect();
    let text = format!("SIP/2.0 {status} Whatever\r\n{copied}{lines}Content-Length: {}\r\n\r\n{body}", body.len());
    match Message::parse(text.as_bytes(), &MessageLimits::default()).unwrap() {
        Message::Response(response) => response,
        Message::Request(_) => panic!("a request"),
    }
}

/// A response with the challenges of one header.
pub(super) fn challenged(request: &Request, status: u16, challenges: &[&str]) -> Response {
    let name = if status == 401 { "WWW-Authenticate" } else { "Proxy-Authenticate" };
    let lines: String = challenges.iter().map(|challenge| format!("{name}: Digest {challenge}\r\n")).collect();
    response(request, status, &lines)
}

/// The request with these fields and the next CSeq.
pub(super) fn again(request: &Request, fields: &Fields) -> Request {
    let cseq = request.cseq().unwrap();
    let cseq = format!("{} {}", cseq.number + 1, cseq.method);
    fields.edit(request.edit().replace(HeaderId::CSeq, cseq)).finish().unwrap()
}

pub(super) fn lines(request: &Request, id: HeaderId) -> Vec<String> {
    request.headers().iter().filter(|field| field.name == id.into()).map(|field| text(field.value)).collect()
}

pub(super) fn alice() -> Login {
    Login::new("alice", Secret::password(PASSWORD))
}

/// A keyring with alice's login for these realms.
pub(super) fn keyring(realms: &[&str]) -> Keyring {
    let mut keyring = Keyring::new(Limits::default());
    for realm in realms {
        keyring.insert((), Scope::realm(realm), alice()).unwrap();
    }
    keyring
}

pub(super) fn gate(asker: Asker, change: impl FnOnce(&mut Settings)) -> Gate {
    let mut settings = Settings::new("atlanta.com");
    change(&mut settings);
    Gate::new(asker, settings, *b"0123456789abcdef").unwrap()
}

/// Looks alice up.
pub(super) fn look_up(claim: &Claim) -> Option<Ha1> {
    let is_alice = claim.user().as_str() == "alice";
    is_alice.then(|| Ha1::of(claim.algorithm().function, "alice", claim.realm(), PASSWORD))
}

pub(super) fn fields(outcome: Outcome) -> Fields {
    match outcome {
        Outcome::Again(fields) => fields,
        other => panic!("{other:?}"),
    }
}

/// The value of a parameter of a challenge or of credentials, without quotes.
pub(super) fn parameter(value: &str, name: &str) -> Option<String> {
    let start =
        [", ", " "].iter().find_map(|before| value.find(&format!("{before}{name}=")).map(|at| at + before.len()));
    let rest = &value[start? + name.len() + 1..];
    Some(match rest.strip_prefix('"') {
        Some(quoted) => quoted.split('"').next().unwrap().to_string(),
        None => rest.split(',').next().unwrap().to_string(),
    })
}

/// A challenge by the gate and the answer to it; what was sent second.
pub(super) fn logged_in(gate: &Gate, keyring: &mut Keyring, request: &Request, now: Instant) -> Request {
    let mut random = random(now.as_nanos() + 1);
    let (status, challenge) = gate.refuse(super::Refusal::Absent, now, &mut random);
    let response = challenge.add_to_response(Response::to(request, status)).finish().unwrap();
    let outcome = keyring.answer((), request, &response, Unknown::Ask, &mut random);
    again(request, &fields(outcome))
}

pub(super) const fn seconds(seconds: u64) -> Instant {
    Instant::from_millis(1000 * seconds)
}

pub(super) const AGE: Duration = Duration::from_secs(300);
