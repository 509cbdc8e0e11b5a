//! Fields that the application adds to CANCEL and ACK (RFC 3261 §9.1, §13.2.2.4; RFC 3326).

use super::bindings::one;
use super::lone::{CONTACT, Lone, described};
use super::pair::{Pair, Who::Alice, Who::Bob};
use crate::error::CommandError;
use crate::time::Duration;
use crate::user_agent::{Body, Cause, Event, Extra, Outgoing};

const ELSEWHERE: &str = "SIP;cause=200;text=\"Call completed elsewhere\"";

fn reason() -> Extra {
    Extra::new().header("Reason", ELSEWHERE)
}

/// RFC 3326 §2: the CANCEL says why, to whomever it cancels.
#[test]
fn a_cancel_carries_a_reason_to_the_called_user() {
    for hangs_up in [false, true] {
        let mut pair = Pair::new();
        let alice = pair.call();
        let bob = pair.incoming();
        pair.command(Bob, |agent, now| agent.ring(now, bob)).unwrap();
        pair.run(Duration::from_secs(1));
        pair.command(Alice, |agent, now| {
            if hangs_up { agent.hang_up_with(now, alice, reason()) } else { agent.cancel_with(now, alice, reason()) }
        })
        .unwrap();
        pair.run(Duration::from_secs(1));
        let cancel = pair.last(Alice, "CANCEL");
        assert_eq!(cancel.header("reason"), ELSEWHERE);
        assert_eq!(cancel.header("content-length"), "0");
        let shown = pair.events.iter().find_map(|(_, who, event)| match event {
            Event::Failed { cause: Cause::Cancelled(Some(cancel)), .. } if *who == Bob => {
                Some(cancel.headers().raw(crate::message::HeaderId::Reason).unwrap().to_vec())
            }
            _ => None,
        });
        assert_eq!(shown.as_deref(), Some(ELSEWHERE.as_bytes()));
        pair.finish();
    }
}

/// §9.1: without a provisional response the CANCEL waits for one, and what it carries waits with it.
#[test]
fn a_cancel_that_waits_carries_its_fields_too() {
    let mut bob = Lone::new();
    let (call, invite) = bob.call();
    bob.command(|agent, now| agent.cancel_with(now, call, reason())).unwrap();
    assert!(bob.take().is_empty());
    let sent = bob.exchange(&invite.respond("180 Ringing", "t", ""));
    assert_eq!((sent[0].method(), sent[0].header("reason")), ("CANCEL", ELSEWHERE));
    let again = bob.command(|agent, now| agent.cancel_with(now, call, Extra::new()));
    assert_eq!(again, Err(CommandError::WrongState));
    bob.receive(&sent[0].respond("200 OK", "t", ""));
    bob.receive(&invite.respond("487 Cancelled", "t", ""));
    bob.finish();
}

/// §9.1: a CANCEL has no Require or Proxy-Require.
#[test]
fn a_cancel_takes_no_body_and_no_demand() {
    let mut bob = Lone::new();
    let (call, invite) = bob.call();
    bob.receive(&invite.respond("180 Ringing", "t", ""));
    for (extra, error) in [
        (Extra::new().body(Body::sdp("v=0\r\n")), CommandError::Invalid("body")),
        (Extra::new().header("Require", "x"), CommandError::HeaderOwned("Require")),
        (Extra::new().header("Proxy-Require", "x"), CommandError::HeaderOwned("Proxy-Require")),
        (Extra::new().header("Reason", "a\r\nb"), CommandError::Invalid("header")),
    ] {
        assert_eq!(bob.command(|agent, now| agent.cancel_with(now, call, extra)), Err(error));
    }
    assert!(bob.take().is_empty());
    bob.command(|agent, now| agent.cancel(now, call)).unwrap();
    assert_eq!(one(&mut bob).find("reason"), None);
    bob.receive(&invite.respond("487 Cancelled", "t", ""));
    bob.run(Duration::from_secs(400));
}

/// The ACK of each fork, of a 2xx that comes again, the one that carries an answer, and that of a re-INVITE.
#[test]
fn each_ack_of_a_2xx_carries_what_was_given_for_it() {
    let traced = || Outgoing::to(&"<sip:carol@192.0.2.9>".parse().unwrap()).ack(Extra::new().header("X-Trace", "7f"));
    for is_late in [false, true] {
        let mut bob = Lone::with(|_, profile| profile.limits.forks = 2);
        let outgoing = if is_late { traced() } else { traced().body(Body::sdp("v=0\r\n")) };
        let call = bob.command(|agent, now| agent.call(now, outgoing)).unwrap();
        let invite = one(&mut bob);
        let answer = |tag: &str| described(&invite.respond("200 OK", tag, CONTACT));
        let mut sent = bob.exchange(&answer("a"));
        if is_late {
            assert!(sent.is_empty());
            let extra = Extra::from(Body::sdp("v=0\r\n")).header("X-Other", "1");
            bob.command(|agent, now| agent.answer_offer(now, call, extra)).unwrap();
            sent = bob.take();
            assert_eq!(sent[0].header("x-other"), "1");
        }
        assert_eq!((sent[0].method(), sent[0].header("x-trace")), ("ACK", "7f"));
        // The same again, a fork that is known, and one more than are kept.
        for tag in ["a", "b", "c"] {
            let sent = bob.exchange(&answer(tag));
            assert_eq!((sent[0].method(), sent[0].header("x-trace")), ("ACK", "7f"), "{tag}");
            for bye in &sent[1..] {
                assert_eq!((bye.method(), bye.find("x-trace")), ("BYE", None));
                bob.receive(&bye.respond("200 OK", "", ""));
            }
        }
        bob.command(|agent, now| agent.modify(now, call, Body::sdp("v=0\r\n"))).unwrap();
        let change = one(&mut bob);
        let sent = bob.exchange(&described(&change.respond("200 OK", "", CONTACT)));
        assert_eq!((sent[0].method(), sent[0].header("x-trace")), ("ACK", "7f"));
        bob.command(|agent, now| agent.hang_up(now, call)).unwrap();
        let bye = one(&mut bob);
        bob.receive(&bye.respond("200 OK", "", ""));
        bob.finish();
    }
}

#[test]
fn an_ack_takes_no_body_and_no_field_of_the_stack() {
    let mut bob = Lone::new();
    let to = || Outgoing::to(&"<sip:carol@192.0.2.9>".parse().unwrap());
    for (extra, error) in [
        (Extra::from(Body::sdp("v=0\r\n")), CommandError::Invalid("body")),
        (Extra::new().header("CSeq", "1 ACK"), CommandError::HeaderOwned("CSeq")),
        (Extra::new().header("X-A", "a\r\nb"), CommandError::Invalid("header")),
    ] {
        assert_eq!(bob.command(|agent, now| agent.call(now, to().ack(extra))).err(), Some(error));
    }
    bob.finish();
}
