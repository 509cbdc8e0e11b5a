//! A nonce count is good for one request.

use super::{AGE, Gate, again, gate, in_call, invite, keyring, logged_in, look_up, request, seconds};
use crate::auth::{Asker, Keyring, Refusal, Settings};
use crate::message::{HeaderId, Request};
use alloc::format;
use alloc::vec::Vec;

fn check(gate: &mut Gate, request: &Request) -> Result<(), Refusal> {
    gate.check(request, seconds(0), look_up).map(drop)
}

/// The next request of the call, with the next count.
fn next(keyring: &mut Keyring, cseq: u32) -> Request {
    let request = request("INFO", "sip:bob@biloxi.com", cseq, "", "");
    keyring.authorize((), &request).edit(request.edit()).finish().unwrap()
}

#[test]
fn the_same_request_may_come_twice_and_no_other() {
    let mut gate = gate(Asker::Proxy, |_| ());
    let sent = logged_in(&gate, &mut keyring(&["atlanta.com"]), &invite(1), seconds(0));
    assert_eq!(check(&mut gate, &sent), Ok(()));
    // A fork that reaches us twice has another branch.
    let forked = sent.edit().push_first(HeaderId::Via, "SIP/2.0/UDP 192.0.2.9;branch=z9hG4bK9").finish().unwrap();
    assert_eq!(check(&mut gate, &forked), Ok(()));
    let other_call = sent.edit().replace(HeaderId::CallId, "other").finish().unwrap();
    assert_eq!(check(&mut gate, &other_call), Err(Refusal::Replayed));
    let other_number = sent.edit().replace(HeaderId::CSeq, "9 INVITE").finish().unwrap();
    assert_eq!(check(&mut gate, &other_number), Err(Refusal::Replayed));
    assert_eq!(gate.uses(), 1);
}

/// Digest covers the method: only with a method that digests alike could it come again.
#[test]
fn another_method_is_another_request() {
    let mut gate = gate(Asker::Proxy, |_| ());
    let sent = logged_in(&gate, &mut keyring(&["atlanta.com"]), &invite(1), seconds(0));
    assert_eq!(check(&mut gate, &sent), Ok(()));
    let line = super::lines(&sent, HeaderId::ProxyAuthorization).remove(0);
    let moved = request("MESSAGE", "sip:bob@biloxi.com", 2, &format!("Proxy-Authorization: {line}\r\n"), "v=0\r\n");
    assert_eq!(check(&mut gate, &moved), Err(Refusal::Wrong));
}

#[test]
fn without_counts_a_nonce_is_good_for_one_request() {
    let mut gate = gate(Asker::Proxy, |_| ());
    let mut keyring = keyring(&["atlanta.com"]);
    // A client of RFC 2069 does not see `qop`.
    let (status, fields) = gate.refuse(Refusal::Absent, seconds(0), &mut super::random(1));
    let lines: alloc::string::String = fields
        .iter()
        .map(|(id, value)| format!("{}: {}\r\n", id.as_str(), super::text(value).replace("qop=\"auth\", ", "")))
        .collect();
    let response = super::response(&invite(1), status.get(), &lines);
    let outcome = keyring.answer((), &invite(1), &response, crate::auth::Unknown::Ask, &mut super::random(2));
    let sent = again(&invite(1), &super::fields(outcome));
    assert!(!super::lines(&sent, HeaderId::ProxyAuthorization)[0].contains("qop"));
    assert_eq!([check(&mut gate, &sent), check(&mut gate, &sent)], [Ok(()), Ok(())]);
    assert_eq!(check(&mut gate, &next(&mut keyring, 3)), Err(Refusal::Replayed));
}

#[test]
fn counts_may_come_in_any_order() {
    let mut gate = gate(Asker::Proxy, |_| ());
    let mut keyring = keyring(&["atlanta.com"]);
    let first = logged_in(&gate, &mut keyring, &invite(1), seconds(0));
    let rest: Vec<Request> = (3..8).map(|cseq| next(&mut keyring, cseq)).collect();
    for request in rest.iter().rev().chain([&first]) {
        assert_eq!(check(&mut gate, request), Ok(()));
    }
}

/// At its bound the window forgets the oldest use, and its nonce with it: nothing that was taken is ever taken again.
#[test]
fn at_the_bound_old_nonces_become_stale() {
    let mut gate = gate(Asker::Proxy, |settings: &mut Settings| settings.limits.uses = 4);
    let login = |now| {
        let mut keyring = keyring(&["atlanta.com"]);
        let first = in_call(&format!("call{}", now), "INVITE", "sip:bob@biloxi.com", 1, "", "");
        (logged_in(&gate, &mut keyring, &first, seconds(now)), keyring)
    };
    let (old, _) = login(1);
    let (young, mut keyring) = login(2);
    let (youngest, _) = login(3);
    assert_eq!([check(&mut gate, &old), check(&mut gate, &young)], [Ok(()), Ok(())]);
    let mut later = (2..).map(|cseq| {
        let request = in_call("call2", "INFO", "sip:bob@biloxi.com", cseq + 1, "", "");
        keyring.authorize((), &request).edit(request.edit()).finish().unwrap()
    });
    assert_eq!(check(&mut gate, &later.next().unwrap()), Ok(()));
    assert_eq!(check(&mut gate, &later.next().unwrap()), Ok(()));
    assert_eq!((gate.uses(), check(&mut gate, &old)), (4, Ok(())), "all of the window is used");
    // One more: the use of the oldest nonce is forgotten.
    let replayed = old.edit().replace(HeaderId::CallId, "other").finish().unwrap();
    assert_eq!(check(&mut gate, &replayed), Err(Refusal::Replayed));
    assert_eq!((check(&mut gate, &later.next().unwrap()), gate.uses()), (Ok(()), 4));
    assert_eq!([check(&mut gate, &replayed), check(&mut gate, &old)], [Err(Refusal::Stale); 2]);
    // Younger ones stay good until it is their turn.
    assert_eq!(check(&mut gate, &youngest), Ok(()));
    assert_eq!(check(&mut gate, &later.next().unwrap()), Err(Refusal::Stale));
}

#[test]
fn a_use_is_forgotten_when_its_nonce_is_too_old() {
    let mut gate = gate(Asker::Proxy, |_| ());
    let sent = logged_in(&gate, &mut keyring(&["atlanta.com"]), &invite(1), seconds(0));
    assert_eq!(check(&mut gate, &sent), Ok(()));
    let now = seconds(1) + AGE;
    let later = logged_in(&gate, &mut keyring(&["atlanta.com"]), &invite(5), now);
    assert!(gate.check(&later, now, look_up).is_ok());
    assert_eq!(gate.uses(), 1);
    assert_eq!(gate.check(&sent, now, look_up).unwrap_err(), Refusal::Stale);
}
