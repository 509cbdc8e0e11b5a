//! Requests of one end that overtake each other on the way (RFC 3261 §12.2.2).

use super::lone::Lone;
use super::referring::{established, inside, number, one, referee, served};
use super::text::Text;
use crate::message::StatusCode;
use crate::time::Duration;
use crate::{CallId, ReferralId};

/// Bob in a call in which Carol has sent a REFER, whose first NOTIFY is answered.
fn referred(bob: &mut Lone) -> (CallId, Text, ReferralId) {
    let (call, invite) = established(bob);
    bob.receive(&inside(&invite, "REFER", 5, "Refer-To: <sip:dave@denver.example.org>\r\n", ""));
    let id = served(bob);
    let referral = bob.command(|agent, now| agent.accept_refer(now, id)).unwrap().unwrap();
    let notify = one(bob);
    bob.receive(&notify.respond("200 OK", "", ""));
    (call, invite, referral)
}

fn told(bob: &mut Lone, referral: ReferralId, status: StatusCode) -> Text {
    bob.command(|agent, now| agent.notify_refer(now, referral, status)).unwrap();
    one(bob)
}

#[test]
fn a_bye_that_a_notify_has_overtaken_goes_out_again() {
    let mut bob = referee();
    let (call, _, referral) = referred(&mut bob);
    bob.command(|agent, now| agent.hang_up(now, call)).unwrap();
    let bye = one(&mut bob);
    let notify = told(&mut bob, referral, StatusCode::OK);
    assert_eq!(number(&notify), number(&bye) + 1);
    bob.receive(&notify.respond("200 OK", "", ""));
    bob.receive(&bye.respond("500 Out Of Order", "", ""));
    let again = one(&mut bob);
    assert_eq!((again.label(), number(&again)), ("BYE".into(), number(&notify) + 1));
    assert_ne!(again.header("via"), bye.header("via"));
    assert!(!bob.told().contains(&"ended Local".into()), "the peer has the call yet");
    // Nothing has overtaken this one.
    bob.receive(&again.respond("500 Server Internal Error", "", ""));
    assert!(bob.take().is_empty());
    assert_eq!(bob.told().last().unwrap(), "ended Local");
    bob.finish();
}

#[test]
fn a_bye_that_was_overtaken_does_not_go_out_again_once_the_peer_has_hung_up() {
    let mut bob = referee();
    let (call, invite, referral) = referred(&mut bob);
    bob.command(|agent, now| agent.hang_up(now, call)).unwrap();
    let bye = one(&mut bob);
    let notify = told(&mut bob, referral, StatusCode::OK);
    bob.receive(&notify.respond("200 OK", "", ""));
    bob.receive(&inside(&invite, "BYE", 7, "", ""));
    bob.take();
    bob.receive(&bye.respond("500 Out Of Order", "", ""));
    assert!(bob.take().is_empty());
    bob.finish();
}

#[test]
fn a_notify_that_a_bye_has_overtaken_goes_out_again_with_what_it_says() {
    let mut bob = referee();
    let (call, _, referral) = referred(&mut bob);
    let notify = told(&mut bob, referral, StatusCode::OK);
    bob.command(|agent, now| agent.hang_up(now, call)).unwrap();
    let bye = one(&mut bob);
    bob.receive(&bye.respond("200 OK", "", ""));
    bob.receive(&notify.respond("500 Out Of Order", "", ""));
    let again = one(&mut bob);
    assert_eq!((again.label(), number(&again)), ("NOTIFY".into(), number(&bye) + 1));
    assert!(again.header("subscription-state").starts_with("terminated"));
    bob.receive(&again.respond("200 OK", "", ""));
    bob.run(Duration::from_secs(1));
    assert!(bob.take().is_empty());
    bob.finish();
}
