//! A request that is written again for the next address of its next hop (RFC 3263 §4.3).

use alloc::string::ToString;
use alloc::vec::Vec;

use super::lone::{Lone, invite, request};
use super::text::Text;
use crate::Duration;

/// Carol, whose Contact is a name with two addresses, called by Bob's phone and hung up on: what Bob sends for it.
fn hang_up_on_two_addresses() -> (Lone, Vec<Text>) {
    let mut bob = Lone::new();
    bob.addresses = ["192.0.2.21".parse().unwrap(), "192.0.2.22".parse().unwrap()].into();
    bob.receive(&invite("1", 1).replace("sip:carol@192.0.2.9", "sip:carol@chicago.com:5070"));
    let call = bob.incoming();
    bob.command(|agent, now| agent.answer(now, call, None)).unwrap();
    bob.receive(&request("ACK", "2", 1, "bob-tag", ""));
    bob.take();
    bob.ways.clear();
    bob.command(|agent, now| agent.hang_up(now, call)).unwrap();
    let sent = bob.take();
    (bob, sent)
}

/// Compares all but the topmost Via, which names the attempt.
#[track_caller]
fn assert_written_again(first: &Text, again: &Text) {
    let without_via = |text: &Text| {
        let mut text = text.clone();
        text.headers.remove("via");
        text
    };
    assert_eq!(without_via(first), without_via(again));
    assert_ne!(first.header("via"), again.header("via"));
}

#[test]
fn a_bye_that_nobody_answers_is_written_again_for_the_next_address() {
    let (mut bob, first) = hang_up_on_two_addresses();
    assert_eq!(first[0].label(), "BYE");
    bob.run(Duration::from_secs(33));
    let second = bob.take();
    let at_the_second: Vec<&Text> = second
        .iter()
        .zip(&bob.ways[1..])
        .filter(|(_, way)| way.to_string() == "192.0.2.22:5070")
        .map(|(it, _)| it)
        .collect();
    assert_eq!(bob.ways[0].to_string(), "192.0.2.21:5070");
    assert_written_again(&first[0], at_the_second[0]);
    bob.receive(&at_the_second[0].respond("200 OK", "", ""));
    assert_eq!(bob.told(), ["incoming", "confirmed", "ended Local"]);
    bob.finish();
}

#[test]
fn a_bye_that_an_overloaded_server_refuses_is_written_again_for_the_next_address() {
    let (mut bob, first) = hang_up_on_two_addresses();
    let second = bob.exchange(&first[0].respond("503 Service Unavailable", "", ""));
    assert_eq!(second.len(), 1);
    assert_eq!(bob.ways.last().unwrap().to_string(), "192.0.2.22:5070");
    assert_written_again(&first[0], &second[0]);
    bob.receive(&second[0].respond("503 Service Unavailable", "", ""));
    assert_eq!(bob.told(), ["incoming", "confirmed", "ended Local"]);
    bob.finish();
}

#[test]
fn an_invite_is_written_again_and_its_dialog_is_the_same() {
    let mut bob = Lone::new();
    bob.addresses = ["192.0.2.21".parse().unwrap(), "192.0.2.22".parse().unwrap()].into();
    let carol = "Carol <sip:carol@chicago.com:5070>".parse().unwrap();
    let call = bob.command(|agent, now| agent.call(now, &carol)).unwrap();
    let first = bob.take();
    let again = bob.exchange(&first[0].respond("503 Service Unavailable", "", ""));
    let again: Vec<&Text> = again.iter().filter(|text| text.label() == "INVITE").collect();
    assert_written_again(&first[0], again[0]);
    let answered = again[0].respond("200 OK", "carol-tag", "Contact: <sip:carol@192.0.2.9>\r\n");
    assert_eq!(bob.ask(&answered).label(), "ACK");
    bob.command(|agent, now| agent.hang_up(now, call)).unwrap();
    let bye = bob.take();
    bob.receive(&bye[0].respond("200 OK", "", ""));
    assert_eq!(bob.told(), ["answered 200", "ended Local"]);
    bob.finish();
}
