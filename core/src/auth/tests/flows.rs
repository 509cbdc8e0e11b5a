//! Calls through a proxy that asks and to a server that asks, from the first INVITE to the BYE.

use super::{again, fields, gate, invite, keyring, lines, look_up, parameter, random, request, seconds};
use crate::auth::{Asker, Fields, Gate, Keyring, Outcome, Reading, Refusal, Unknown};
use crate::message::{HeaderId, Request, Response};
use crate::time::Instant;
use alloc::string::String;
use alloc::vec::Vec;

/// Atlanta's proxy, then Biloxi's server: each asks when the one before has let the request through.
struct Path {
    atlanta: Gate,
    biloxi: Gate,
}

impl Path {
    fn new() -> Self {
        let biloxi = |settings: &mut crate::auth::Settings| settings.realm = "biloxi.com".into();
        Self { atlanta: gate(Asker::Proxy, |_| ()), biloxi: gate(Asker::Server, biloxi) }
    }

    /// The refusal of the first that refuses.
    fn send(&mut self, request: &Request, now: Instant) -> Result<(), (Refusal, Response)> {
        for gate in [&mut self.atlanta, &mut self.biloxi] {
            if let Err(refusal) = gate.check(request, now, look_up) {
                let (status, fields) = gate.refuse(refusal, now, &mut random(now.as_nanos() + 7));
                let response = fields.add_to_response(Response::to(request, status)).finish().unwrap();
                return Err((refusal, response));
            }
        }
        Ok(())
    }

    /// Sends until nobody refuses; what was refused, and the last request.
    fn send_all(&mut self, keyring: &mut Keyring, request: Request, now: Instant) -> (Vec<(u16, Refusal)>, Request) {
        let (mut request, mut refused) = (request, Vec::new());
        while let Err((refusal, response)) = self.send(&request, now) {
            refused.push((response.status().get(), refusal));
            let outcome = keyring.answer((), &request, &response, Unknown::Ask, &mut random(now.as_nanos() + 8));
            request = again(&request, &fields(outcome));
        }
        (refused, request)
    }
}

fn counts(request: &Request) -> [Option<String>; 2] {
    [HeaderId::ProxyAuthorization, HeaderId::Authorization]
        .map(|id| lines(request, id).first().and_then(|line| parameter(line, "nc")))
}

fn some(counts: [&str; 2]) -> [Option<String>; 2] {
    counts.map(|count| Some(count.into()))
}

/// RFC 3261 §22.1 to §22.3, as in RFC 3665 §3.3.
#[test]
fn a_call_is_challenged_twice_and_then_no_more() {
    let (mut path, mut keyring) = (Path::new(), keyring(&["atlanta.com", "biloxi.com"]));
    let (refused, sent) = path.send_all(&mut keyring, invite(1), seconds(1));
    assert_eq!(refused, [(407, Refusal::Absent), (401, Refusal::Absent)]);
    assert_eq!((sent.cseq().unwrap().number, counts(&sent)), (3, some(["00000002", "00000001"])));
    // The ACK has the credentials of the INVITE, counts included, and both know them.
    let ack = request("ACK", "sip:bob@biloxi.com", 3, "", "");
    let ack = Fields::of(&sent).edit(ack.edit()).finish().unwrap();
    assert_eq!(counts(&ack), counts(&sent));
    for gate in [&path.atlanta, &path.biloxi] {
        assert!(matches!(gate.read(&ack, seconds(60)), Reading::Exempt { is_known: true }));
    }
    let bye = request("BYE", "sip:bob@biloxi.com", 4, "", "");
    let bye = keyring.authorize((), &bye).edit(bye.edit()).finish().unwrap();
    assert_eq!(counts(&bye), some(["00000003", "00000002"]));
    assert!(path.send(&bye, seconds(200)).is_ok());
}

#[test]
fn a_call_that_outlives_its_nonces_goes_on() {
    let (mut path, mut keyring) = (Path::new(), keyring(&["atlanta.com", "biloxi.com"]));
    let (_, _) = path.send_all(&mut keyring, invite(1), seconds(1));
    let bye = request("BYE", "sip:bob@biloxi.com", 4, "", "");
    let bye = keyring.authorize((), &bye).edit(bye.edit()).finish().unwrap();
    let (refused, sent) = path.send_all(&mut keyring, bye, seconds(1_000));
    assert_eq!(refused, [(407, Refusal::Stale), (401, Refusal::Stale)]);
    assert_eq!(counts(&sent), some(["00000002", "00000001"]));
}

/// Two branches of a fork refuse, and the proxy between puts both challenges into one response (RFC 3261 §16.7 step 7).
#[test]
fn a_fork_is_answered_at_once() {
    let (mut path, mut keyring) = (Path::new(), keyring(&["atlanta.com", "biloxi.com"]));
    let first = invite(1);
    let (_, of_atlanta) = path.atlanta.refuse(Refusal::Absent, seconds(1), &mut random(1));
    let (status, of_biloxi) = path.biloxi.refuse(Refusal::Absent, seconds(1), &mut random(2));
    let builder = of_biloxi.add_to_response(of_atlanta.add_to_response(Response::to(&first, status)));
    let outcome = keyring.answer((), &first, &builder.finish().unwrap(), Unknown::Ask, &mut random(3));
    let second = again(&first, &fields(outcome));
    assert_eq!(counts(&second), some(["00000001", "00000001"]));
    assert!(path.send(&second, seconds(2)).is_ok());
}

#[test]
fn a_wrong_password_ends_after_one_try() {
    let (mut path, mut keyring) = (Path::new(), keyring(&["atlanta.com"]));
    let login = crate::auth::Login::new("alice", crate::auth::Secret::password("wrong"));
    keyring.insert((), crate::auth::Scope::realm("atlanta.com"), login).unwrap();
    let first = invite(1);
    let Err((Refusal::Absent, response)) = path.send(&first, seconds(1)) else { panic!("not challenged") };
    let second = again(&first, &fields(keyring.answer((), &first, &response, Unknown::Ask, &mut random(3))));
    let Err((Refusal::Wrong, response)) = path.send(&second, seconds(1)) else { panic!("not refused") };
    let outcome = keyring.answer((), &second, &response, Unknown::Ask, &mut random(4));
    assert!(matches!(outcome, Outcome::Rejected(_)));
}
