//! Races that a user agent of ours does not begin (RFC 5407). The others are call flows of the simulator.

use alloc::vec::Vec;

use super::lone::{Lone, invite, request};

/// RFC 5407 §3.1.3: the caller ends its early dialog with BYE while our 200 is on its way. The BYE counts, though the dialog is
/// confirmed by then; the ACK that follows changes nothing, and our 200 is not sent again.
#[test]
fn a_bye_in_the_early_dialog_meets_our_200() {
    let mut bob = Lone::new();
    bob.receive(&invite("i", 10));
    let call = bob.incoming();
    bob.command(|agent, now| agent.ring(now, call)).unwrap();
    bob.command(|agent, now| agent.answer(now, call, None)).unwrap();
    bob.take();
    assert_eq!(bob.ask(&request("BYE", "b", 11, "bob-tag", "")).label(), "200 BYE");
    assert_eq!(bob.told(), ["incoming", "ended Remote"]);
    bob.receive(&request("ACK", "a", 10, "bob-tag", ""));
    assert_eq!(bob.told(), ["incoming", "ended Remote"]);
    bob.finish();
    assert!(bob.take().is_empty());
}

/// RFC 3261 §15.1.2: a BYE that comes before any final response ends the call, and the INVITE gets a 487.
#[test]
fn a_bye_in_the_early_dialog_ends_the_invitation() {
    let mut bob = Lone::new();
    bob.receive(&invite("i", 10));
    let call = bob.incoming();
    bob.command(|agent, now| agent.ring(now, call)).unwrap();
    bob.take();
    let sent = bob.exchange(&request("BYE", "b", 11, "bob-tag", ""));
    let labels: Vec<_> = sent.iter().map(super::text::Text::label).collect();
    assert_eq!(labels, ["200 BYE", "487 INVITE"]);
    bob.receive(&request("ACK", "i", 10, "bob-tag", ""));
    bob.finish();
}
