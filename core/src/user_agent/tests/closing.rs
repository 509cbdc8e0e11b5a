//! The end of a user agent: all that it does is ended, and one event says when.

use alloc::string::ToString;
use alloc::vec::Vec;

use super::bindings::{at_biloxi, one, register};
use super::lone::{CONTACT, Lone, described, invite, request};
use super::pair::{Pair, Who::Alice, Who::Bob};
use super::subscribing::presence;
use super::text::Text;
use crate::error::CommandError;
use crate::message::{Method, UriBuf};
use crate::node::Node;
use crate::time::Duration;
use crate::user_agent::{Body, Outgoing, UserAgent};

fn bob() -> Lone {
    Lone::with(|_, profile| {
        profile.outbound = Some(core::net::SocketAddr::from(([192, 0, 2, 9], 5060)).into());
        profile.methods.push("MESSAGE".into());
    })
}

fn shut_down(bob: &mut Lone) -> Vec<Text> {
    bob.command(UserAgent::shut_down);
    bob.take()
}

#[test]
fn where_nothing_is_to_be_ended_the_end_is_told_at_once_and_once() {
    let mut bob = bob();
    assert!(shut_down(&mut bob).is_empty());
    assert_eq!(bob.told(), ["shut down"]);
    bob.finish();
    assert_eq!(bob.told(), ["shut down"]);
    // Asked again it says so again.
    shut_down(&mut bob);
    assert_eq!(bob.told(), ["shut down", "shut down"]);
}

/// Each call by what ends it: BYE, CANCEL and a rejection; and each registration by a removal.
#[test]
fn every_call_and_every_registration_is_ended_and_then_the_end_is_told() {
    let mut bob = bob();
    // One that is up.
    bob.receive(&described(&invite("a", 1)));
    let up = bob.incoming();
    bob.command(|agent, now| agent.answer(now, up, Body::sdp("v=0\r\n"))).unwrap();
    let tag = one(&mut bob).tag_of("to").to_string();
    bob.receive(&request("ACK", "b", 1, &tag, ""));
    // One that rings at the peer's, and one here.
    let (_, outgoing) = bob.call();
    bob.receive(&outgoing.respond("180 Ringing", "t", ""));
    bob.receive(&invite("c", 2).replace("1j9FpLxk3uxtm8tn", "other"));
    let (_, first) = register(&mut bob, at_biloxi());
    bob.receive(&first.respond("200 OK", "r", "Contact: <sip:bob@192.0.2.4>;expires=3600\r\n"));
    let before = bob.told().len();
    let sent = shut_down(&mut bob);
    let mut labels: Vec<_> = sent.iter().map(Text::label).collect();
    labels.sort();
    assert_eq!(labels, ["480 INVITE", "BYE", "CANCEL", "REGISTER"]);
    let find = |label: &str| sent.iter().find(|sent| sent.label() == label).unwrap();
    assert_eq!(find("REGISTER").header("expires"), "0");
    assert_eq!(bob.told().len(), before, "nothing has ended yet");
    bob.receive(&find("BYE").respond("200 OK", "", ""));
    bob.receive(&outgoing.respond("487 Cancelled", "t", ""));
    assert!(!bob.told().contains(&"shut down".into()));
    bob.receive(&find("REGISTER").respond("200 OK", "r", ""));
    let told = bob.told();
    assert_eq!(told[before..], ["ended Local", "failed 487", "registered", "shut down"]);
    assert!(!told.contains(&"unregistered".into()), "only unregister_everywhere asks for that");
}

#[test]
fn peers_that_say_nothing_delay_the_end_by_the_time_of_a_transaction() {
    let mut pair = Pair::new();
    pair.establish();
    pair.lose_all(Alice, "BYE");
    pair.command(Alice, UserAgent::shut_down);
    pair.run(Duration::from_secs(31));
    assert!(!pair.told(Alice).contains(&"shut down".into()));
    pair.run(Duration::from_secs(2));
    assert_eq!(pair.told(Alice).last().map(|told| &**told), Some("shut down"));
    pair.calm();
    let bob = pair.incoming();
    pair.hang_up(Bob, bob);
    pair.finish();
}

/// The INVITE's transaction lives for 64·T1 yet (§13.2.2.4): a 2xx that comes again is acknowledged, but nobody waits for one.
#[test]
fn the_end_does_not_wait_for_a_2xx_that_may_come_again() {
    let mut bob = bob();
    let (_, invite) = bob.call();
    let answer = invite.respond("200 OK", "c", CONTACT);
    bob.receive(&answer);
    bob.take();
    let bye = shut_down(&mut bob).remove(0);
    assert!(!bob.told().contains(&"shut down".into()));
    bob.receive(&bye.respond("200 OK", "", ""));
    assert_eq!(bob.told()[1..], ["ended Local", "shut down"]);
    assert!(!bob.agent.is_idle());
    assert_eq!(bob.ask(&answer).method(), "ACK");
    bob.finish();
    assert_eq!(bob.told().len(), 3);
}

#[test]
fn a_removal_that_has_failed_is_not_made_again() {
    let mut bob = bob();
    let (_, first) = register(&mut bob, at_biloxi());
    bob.receive(&first.respond("200 OK", "r", "Contact: <sip:bob@192.0.2.4>;expires=3600\r\n"));
    let removal = shut_down(&mut bob).remove(0);
    assert_eq!(removal.header("expires"), "0");
    assert!(shut_down(&mut bob).is_empty(), "the removal is out");
    bob.receive(&removal.respond("403 Forbidden", "r", ""));
    assert!(shut_down(&mut bob).is_empty());
    let told = bob.told();
    assert_eq!(told[told.len() - 2..], ["shut down", "shut down"]);
    // The application may ask for the removal itself.
    bob.command(UserAgent::unregister_everywhere);
    assert_eq!(one(&mut bob).header("expires"), "0");
}

/// §15: the BYE of a call whose 2xx is not acknowledged has to wait, and so has the end.
#[test]
fn a_call_without_its_ack_is_ended_when_it_may_be() {
    let mut bob = bob();
    bob.receive(&described(&invite("a", 1)));
    let call = bob.incoming();
    bob.command(|agent, now| agent.answer(now, call, Body::sdp("v=0\r\n"))).unwrap();
    let tag = one(&mut bob).tag_of("to").to_string();
    assert!(shut_down(&mut bob).is_empty());
    let bye = bob.exchange(&request("ACK", "b", 1, &tag, ""));
    assert_eq!(bye[0].method(), "BYE");
    assert!(!bob.told().contains(&"shut down".into()));
    bob.receive(&bye[0].respond("200 OK", "", ""));
    assert_eq!(bob.told().last().map(|told| &**told), Some("shut down"));
    bob.finish();
}

/// §21.5.4, and the commands that begin something.
#[test]
fn nothing_is_begun_any_more() {
    let mut bob = bob();
    shut_down(&mut bob);
    for (number, method) in [(1, "INVITE"), (2, "OPTIONS"), (3, "MESSAGE")] {
        let asked = request(method, method, number, "", CONTACT);
        assert_eq!(bob.ask(&asked).start, "SIP/2.0 503 Service Unavailable");
        if method == "INVITE" {
            bob.receive(&request("ACK", "INVITE", 1, "bob-tag", ""));
        }
    }
    let carol = || Outgoing::to(&"<sip:carol@chicago.com>".parse().unwrap());
    let dave: UriBuf = "sip:dave@192.0.2.5".parse().unwrap();
    for begun in [
        bob.command(|agent, now| agent.call(now, carol())).err(),
        bob.command(|agent, now| agent.ask(now, Method::Message, carol())).err(),
        bob.command(|agent, now| agent.register(now, at_biloxi())).err(),
        bob.command(|agent, now| agent.unregister_all(now, at_biloxi())).err(),
        bob.command(|agent, now| agent.query_bindings(now, at_biloxi())).err(),
        bob.command(|agent, now| agent.subscribe(now, presence())).err(),
        bob.command(|agent, now| agent.refer_outside(now, carol(), &dave)).err(),
    ] {
        assert_eq!(begun, Some(CommandError::Draining));
    }
    bob.finish();
    assert_eq!(bob.told(), ["shut down"]);
}

/// Where no BYE can be sent, the call is over for this end all the same.
#[test]
fn a_limit_does_not_keep_a_call_alive() {
    let mut bob = Lone::with(|config, _| config.limits.deliveries = 1);
    bob.receive(&described(&invite("a", 1)));
    let up = bob.incoming();
    bob.command(|agent, now| agent.answer(now, up, Body::sdp("v=0\r\n"))).unwrap();
    let tag = one(&mut bob).tag_of("to").to_string();
    bob.receive(&request("ACK", "b", 1, &tag, ""));
    let (_, outgoing) = bob.call();
    bob.receive(&outgoing.respond("180 Ringing", "t", ""));
    assert_eq!(shut_down(&mut bob).iter().map(Text::label).collect::<Vec<_>>(), ["CANCEL"]);
    bob.receive(&outgoing.respond("487 Cancelled", "t", ""));
    let told = bob.told();
    assert_eq!(told[told.len() - 3..], ["ended Local", "failed 487", "shut down"]);
}
