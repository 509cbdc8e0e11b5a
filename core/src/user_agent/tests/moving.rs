//! A listener that moves: registrations are made anew, and peers are told.

use alloc::string::{String, ToString};
use alloc::vec::Vec;

use super::bindings::{at_biloxi, bob, one, register};
use super::lone::{CONTACT, Lone, described, invite, request};
use super::session_timers::{OFF, with_timers};
use super::text::Text;
use crate::error::CommandError;
use crate::message::StatusCode;
use crate::message::header::Protocol;
use crate::time::Duration;
use crate::transport::NextHop;
use crate::user_agent::{Account, Binding, Body, CallId, KeepAlive, Profile, Register, Subscribe, UserAgent};
use crate::{Change, Config, ConnectionId, Input, Instant, Listener, ListenerId, Node, Output, Seed};

const HERE: &str = "<sip:bob@192.0.2.4>";
const THERE: &str = "<sip:bob@198.51.100.7>";
const OK: Result<(), CommandError> = Ok(());

fn there() -> Listener {
    Listener::udp("198.51.100.7:5060".parse().unwrap())
}

/// Bob's host gets another address.
fn moves(bob: &mut Lone) {
    moves_to(bob, there());
}

fn moves_to(bob: &mut Lone, to: Listener) {
    let listener = bob.listener;
    assert_eq!(bob.command(|agent, now| agent.listener_moved(now, listener, to)), OK);
}

fn contacts(text: &Text) -> Vec<&str> {
    text.headers.get("contact").into_iter().flatten().map(String::as_str).collect()
}

fn labels(bob: &mut Lone) -> Vec<String> {
    bob.take().iter().map(Text::label).collect()
}

/// Lets the longest wait of a call that cannot be told pass.
fn wait(bob: &mut Lone) {
    bob.run(Duration::from_secs(4));
}

/// RFC 3261 §10.2.2, §10.2.4.
#[test]
fn a_registration_is_made_anew_and_removes_the_contact_of_before() {
    let mut bob = bob();
    let (id, first) = register(&mut bob, at_biloxi().binding(Binding::ours().q(500)));
    bob.receive(&first.respond("200 OK", "r", "Contact: <sip:bob@192.0.2.4>;expires=3600\r\n"));
    moves(&mut bob);
    let second = one(&mut bob);
    assert_eq!(contacts(&second), ["<sip:bob@198.51.100.7>;q=0.5", "<sip:bob@192.0.2.4>;expires=0"]);
    assert_eq!((second.header("call-id"), second.header("from")), (first.header("call-id"), first.header("from")));
    assert!(second.header("via").starts_with("SIP/2.0/UDP 198.51.100.7;"), "{second:?}");
    bob.receive(&second.respond("200 OK", "r", "Contact: <sip:bob@198.51.100.7>;expires=1000\r\n"));
    // The refresh has nothing to remove any more.
    bob.run(Duration::from_secs(899));
    assert!(bob.take().is_empty());
    bob.run(Duration::from_secs(1));
    let refresh = one(&mut bob);
    assert_eq!(contacts(&refresh), ["<sip:bob@198.51.100.7>;q=0.5"]);
    bob.receive(&refresh.respond("200 OK", "r", ""));
    // There and back, before the registrar has said anything.
    moves_to(&mut bob, Listener::udp("203.0.113.9:5060".parse().unwrap()));
    let away = one(&mut bob);
    moves(&mut bob);
    assert!(bob.take().is_empty(), "not before the answer (§10.2)");
    bob.receive(&away.respond("200 OK", "r", ""));
    let back = one(&mut bob);
    assert_eq!(contacts(&back), ["<sip:bob@198.51.100.7>;q=0.5", "<sip:bob@203.0.113.9>;expires=0"]);
    bob.receive(&back.respond("200 OK", "r", ""));
    bob.command(|agent, now| agent.unregister(now, id)).unwrap();
    let last = one(&mut bob);
    assert_eq!(contacts(&last), ["<sip:bob@198.51.100.7>;q=0.5"]);
    bob.receive(&last.respond("200 OK", "r", ""));
    bob.finish();
}

/// However often it moves while the registrar says nothing, a REGISTER stays a message of a bounded size.
#[test]
fn no_more_than_four_contacts_of_before_are_removed() {
    let mut bob = bob();
    let (_, mut sent) = register(&mut bob, at_biloxi());
    for place in 1..=6_u8 {
        bob.receive(&sent.respond("500 Server Internal Error", "r", ""));
        moves_to(&mut bob, Listener::udp((([203, 0, 113, place]), 5060).into()));
        sent = one(&mut bob);
    }
    assert_eq!(contacts(&sent).len(), 5, "{sent:?}");
    bob.receive(&sent.respond("200 OK", "r", ""));
    moves(&mut bob);
    assert_eq!(contacts(&one(&mut bob)), [THERE, "<sip:bob@203.0.113.6>;expires=0"]);
}

/// A contact that was seen from outside ends with the place that it was seen from.
#[test]
fn a_contact_that_was_seen_is_removed_and_what_is_seen_now_is_learnt_anew() {
    let mut bob = bob();
    let (_, first) = register(&mut bob, at_biloxi().as_seen());
    let seen = |request: &Text, at: &str| {
        let via = request.header("via");
        request.respond("200 OK", "r", "").replace(via, &[via, at].concat())
    };
    bob.receive(&seen(&first, ";received=203.0.113.1;rport=40000"));
    let second = one(&mut bob);
    bob.receive(&seen(&second, ";received=203.0.113.1;rport=40000"));
    moves(&mut bob);
    let third = one(&mut bob);
    assert_eq!(contacts(&third), [THERE, "<sip:bob@203.0.113.1:40000>;expires=0"]);
    bob.receive(&seen(&third, ";received=203.0.113.2;rport=40000"));
    let fourth = one(&mut bob);
    assert_eq!(contacts(&fourth), ["<sip:bob@203.0.113.2:40000>", "<sip:bob@198.51.100.7>;expires=0"]);
}

#[test]
fn a_register_that_is_out_is_followed_by_one_that_names_the_new_place() {
    let mut bob = bob();
    let (_, first) = register(&mut bob, at_biloxi());
    moves(&mut bob);
    assert!(bob.take().is_empty());
    // It was sent with the Via of before.
    bob.receive(&first.respond("200 OK", "r", ""));
    let second = one(&mut bob);
    assert_eq!(contacts(&second), [THERE, "<sip:bob@192.0.2.4>;expires=0"]);
    bob.receive(&second.respond("200 OK", "r", ""));
    assert!(bob.take().is_empty());
    assert_eq!(bob.told(), ["registered", "registered"]);
}

#[test]
fn what_names_no_listener_or_another_one_is_left_alone() {
    let mut bob = bob();
    let other = bob.agent.listen(Listener::udp("[2001:db8::4]:5060".parse().unwrap()));
    let account = Account {
        contact: Some("sip:b.smith@pc.biloxi.com".parse().unwrap()),
        ..Account::new("<sip:b.smith@biloxi.com>".parse().unwrap())
    };
    let work = bob.agent.add_account(account).unwrap();
    let (_, first) = register(&mut bob, at_biloxi().account(work).next_hop(peer()));
    bob.receive(&first.respond("200 OK", "r", ""));
    let elsewhere = Binding::to(&"sip:bob@192.0.2.99".parse().unwrap());
    let (_, second) = register(&mut bob, at_biloxi().binding(elsewhere));
    bob.receive(&second.respond("200 OK", "r", ""));
    moves(&mut bob);
    assert!(bob.take().is_empty());
    // A registration that was accepted at the first listener does not name the second.
    let (_, third) = register(&mut bob, Register::at(&"sip:chicago.com".parse().unwrap()));
    bob.receive(&third.respond("200 OK", "r", ""));
    let to = Listener::udp("[2001:db8::5]:5060".parse().unwrap());
    assert_eq!(bob.command(|agent, now| agent.listener_moved(now, other, to)), OK);
    assert!(bob.take().is_empty());
}

fn peer() -> NextHop {
    core::net::SocketAddr::from(([192, 0, 2, 9], 5060)).into()
}

#[test]
fn what_is_no_listener_or_of_another_protocol_is_refused_and_nothing_changes() {
    let mut bob = bob();
    let (_, first) = register(&mut bob, at_biloxi());
    bob.receive(&first.respond("200 OK", "r", ""));
    let (listener, tcp) = (bob.listener, Listener::tcp("198.51.100.7:5060".parse().unwrap()));
    let moved = |bob: &mut Lone, id, to| bob.command(|agent, now| agent.listener_moved(now, id, to));
    assert_eq!(moved(&mut bob, ListenerId::from_parts(9, 1), there()), Err(CommandError::Gone));
    assert_eq!(moved(&mut bob, listener, tcp), Err(CommandError::Invalid("listener")));
    assert!(bob.take().is_empty());
    assert_eq!(bob.agent.endpoint().listener(listener).unwrap().sent_by.to_string(), "192.0.2.4");
}

/// Carol has called Bob, and the call is established.
fn called() -> (Lone, CallId) {
    called_with(|_| {})
}

fn called_with(adapt: impl FnOnce(&mut Profile)) -> (Lone, CallId) {
    let (mut bob, call) = accepted_with(adapt);
    bob.receive(&request("ACK", "a", 10, "bob-tag", ""));
    bob.take();
    bob.events.clear();
    (bob, call)
}

/// Carol has called Bob, whose 200 is not acknowledged.
fn accepted() -> (Lone, CallId) {
    accepted_with(|_| {})
}

fn accepted_with(adapt: impl FnOnce(&mut Profile)) -> (Lone, CallId) {
    let mut bob = Lone::with(|_, profile| adapt(profile));
    bob.receive(&described(&invite("i", 10)));
    let call = bob.incoming();
    bob.command(|agent, now| agent.answer(now, call, Body::sdp("v=0\r\n"))).unwrap();
    bob.take();
    bob.events.clear();
    (bob, call)
}

/// RFC 3261 §12.2, RFC 3311 §5.1.
#[test]
fn the_peer_of_an_established_call_is_told_by_an_update() {
    let (mut bob, call) = called();
    moves(&mut bob);
    let update = one(&mut bob);
    assert_eq!((update.label().as_str(), contacts(&update).as_slice()), ("UPDATE", &[THERE][..]));
    assert_eq!((update.body.as_str(), update.start.as_str()), ("", "UPDATE sip:carol@192.0.2.9 SIP/2.0"));
    bob.receive(&update.respond("200 OK", "", "Contact: <sip:carol@192.0.2.10>\r\n"));
    wait(&mut bob);
    assert!(bob.take().is_empty() && bob.told().is_empty());
    // The peer's own target is refreshed by the 200.
    bob.command(|agent, now| agent.hang_up(now, call)).unwrap();
    let bye = one(&mut bob);
    assert_eq!(bye.start, "BYE sip:carol@192.0.2.10 SIP/2.0");
    bob.receive(&bye.respond("200 OK", "", ""));
    bob.finish();
}

/// RFC 3665 §3.7: the host moves, and the media with it: one re-INVITE tells both.
#[test]
fn an_application_that_tells_the_peer_itself_does_it_by_one_change() {
    let (mut bob, call) = called_with(|profile| profile.policy.tells_moves = false);
    moves(&mut bob);
    wait(&mut bob);
    assert!(bob.take().is_empty());
    bob.command(|agent, now| agent.modify(now, call, Body::sdp("v=0\r\n"))).unwrap();
    let change = one(&mut bob);
    assert_eq!((change.label().as_str(), contacts(&change).as_slice()), ("INVITE", &[THERE][..]));
    bob.receive(&described(&change.respond("200 OK", "", "Contact: <sip:carol@192.0.2.9>\r\n")));
    assert_eq!(one(&mut bob).label(), "ACK");
    wait(&mut bob);
    assert!(bob.take().is_empty(), "nothing else tells it");
}

#[test]
fn a_peer_that_refuses_the_update_is_the_applications_matter() {
    for (status, told) in [("405 Method Not Allowed", "move untold 405"), ("500 Oops", "move untold 500")] {
        let (mut bob, call) = called();
        moves(&mut bob);
        let update = one(&mut bob);
        bob.receive(&update.respond(status, "", ""));
        wait(&mut bob);
        assert!(bob.take().is_empty());
        assert_eq!(bob.told(), [told]);
        bob.command(|agent, now| agent.modify(now, call, Body::sdp("v=1\r\n"))).unwrap();
        assert_eq!(contacts(&one(&mut bob)), [THERE]);
    }
    // A peer that does not know the dialog ends the call, as it does by any response (RFC 5057 §5.1).
    let (mut bob, _) = called();
    moves(&mut bob);
    let update = one(&mut bob);
    bob.receive(&update.respond("481 Call Does Not Exist", "", ""));
    assert_eq!(bob.told(), ["ended Lost"]);
    wait(&mut bob);
    assert!(bob.take().is_empty());
}

#[test]
fn an_update_that_meets_a_change_of_the_peer_goes_again() {
    let (mut bob, _) = called();
    moves(&mut bob);
    let update = one(&mut bob);
    bob.receive(&update.respond("491 Request Pending", "", ""));
    bob.run(Duration::from_secs(5));
    let again = bob.take().pop().unwrap();
    assert_eq!((again.label().as_str(), contacts(&again).as_slice()), ("UPDATE", &[THERE][..]));
    assert_ne!(again.header("cseq"), update.header("cseq"));
    bob.receive(&again.respond("200 OK", "", ""));
    wait(&mut bob);
    assert!(bob.take().is_empty() && bob.told().is_empty());
}

#[test]
fn a_call_of_ours_is_told_once_it_is_established() {
    let mut bob = Lone::new();
    let (call, invite) = bob.call();
    moves(&mut bob);
    bob.receive(&invite.respond("180 Ringing", "c", CONTACT));
    wait(&mut bob);
    let again = bob.take();
    assert!(again.iter().all(|sent| sent.method() == "INVITE"), "{again:?}");
    bob.receive(&invite.respond("200 OK", "c", CONTACT));
    assert_eq!(labels(&mut bob), ["ACK"]);
    wait(&mut bob);
    let update = one(&mut bob);
    assert_eq!((update.label().as_str(), contacts(&update).as_slice()), ("UPDATE", &[THERE][..]));
    bob.receive(&update.respond("200 OK", "", ""));
    bob.command(|agent, now| agent.hang_up(now, call)).unwrap();
    let bye = one(&mut bob);
    bob.receive(&bye.respond("200 OK", "", ""));
    bob.finish();
}

#[test]
fn the_2xx_of_a_call_that_is_not_answered_yet_names_the_new_place_by_itself() {
    let mut bob = Lone::new();
    bob.receive(&described(&invite("i", 10)));
    let call = bob.incoming();
    bob.command(|agent, now| agent.ring(now, call)).unwrap();
    assert_eq!(contacts(&one(&mut bob)), [HERE]);
    moves(&mut bob);
    assert!(bob.take().is_empty());
    bob.command(|agent, now| agent.answer(now, call, Body::sdp("v=0\r\n"))).unwrap();
    assert_eq!(contacts(&one(&mut bob)), [THERE]);
    bob.receive(&request("ACK", "a", 10, "bob-tag", ""));
    wait(&mut bob);
    assert!(bob.take().is_empty());
}

#[test]
fn a_call_whose_ack_has_not_come_is_told_when_it_has() {
    let (mut bob, _) = accepted();
    moves(&mut bob);
    bob.run(Duration::from_secs(1));
    assert!(labels(&mut bob).iter().all(|label| label == "200 INVITE"));
    bob.receive(&request("ACK", "a", 10, "bob-tag", ""));
    wait(&mut bob);
    assert_eq!(labels(&mut bob).last().map(String::as_str), Some("UPDATE"));
}

#[test]
fn a_call_that_is_being_changed_is_told_after_the_change() {
    // By the peer, whose change waits for a decision.
    let (mut bob, call) = called();
    bob.receive(&described(&request("INVITE", "r", 11, "bob-tag", CONTACT)));
    moves(&mut bob);
    wait(&mut bob);
    assert!(!labels(&mut bob).contains(&"UPDATE".into()));
    bob.command(|agent, now| agent.refuse_offer(now, call, StatusCode::NOT_ACCEPTABLE_HERE)).unwrap();
    bob.receive(&request("ACK", "r", 11, "bob-tag", ""));
    bob.take();
    wait(&mut bob);
    assert_eq!(labels(&mut bob)[0], "UPDATE");
    // By us, before the move.
    let (mut bob, call) = called();
    bob.command(|agent, now| agent.modify(now, call, Body::sdp("v=1\r\n"))).unwrap();
    let change = one(&mut bob);
    assert_eq!(contacts(&change), [HERE]);
    moves(&mut bob);
    assert!(bob.take().is_empty());
    bob.receive(&described(&change.respond("200 OK", "", CONTACT)));
    bob.take();
    wait(&mut bob);
    assert_eq!(labels(&mut bob)[0], "UPDATE");
}

#[test]
fn a_call_that_ends_or_whose_contact_is_the_applications_own_is_not_told() {
    let (mut bob, call) = called();
    bob.command(|agent, now| agent.hang_up(now, call)).unwrap();
    bob.take();
    moves(&mut bob);
    assert!(bob.take().is_empty());
    let mut bob = Lone::with(|_, profile| profile.contact = Some("sip:bob@pc.biloxi.com".parse().unwrap()));
    let (_, invite) = bob.call();
    bob.receive(&invite.respond("200 OK", "c", CONTACT));
    bob.take();
    moves(&mut bob);
    wait(&mut bob);
    assert!(bob.take().is_empty());
    // Nor one whose way begins at another listener.
    let (mut bob, _) = called();
    let other = bob.agent.listen(Listener::udp("[2001:db8::4]:5060".parse().unwrap()));
    let to = Listener::udp("[2001:db8::5]:5060".parse().unwrap());
    assert_eq!(bob.command(|agent, now| agent.listener_moved(now, other, to)), OK);
    wait(&mut bob);
    assert!(bob.take().is_empty());
}

/// The session timer keeps the descriptions, and knows whether the peer takes UPDATE.
#[test]
fn a_peer_that_takes_no_update_is_told_by_a_reinvite_with_the_last_description() {
    for (allow, methods) in [("INVITE", &["INVITE"][..]), ("INVITE, UPDATE", &["UPDATE", "INVITE"])] {
        let mut bob = Lone::with(|_, profile| with_timers(profile, OFF));
        let more =
            [CONTACT, "Allow: ", allow, "\r\nSupported: timer\r\nSession-Expires: 1200;refresher=uac\r\n"].concat();
        bob.receive(&described(&request("INVITE", "i", 10, "", &more)));
        let call = bob.incoming();
        bob.command(|agent, now| agent.answer(now, call, Body::sdp("v=7\r\n"))).unwrap();
        bob.receive(&request("ACK", "a", 10, "bob-tag", ""));
        bob.take();
        bob.events.clear();
        moves(&mut bob);
        for (at, method) in methods.iter().enumerate() {
            let sent = one(&mut bob);
            assert_eq!((sent.label().as_str(), contacts(&sent).as_slice()), (*method, &[THERE][..]));
            if at + 1 < methods.len() {
                bob.receive(&sent.respond("501 Not Implemented", "", ""));
            } else {
                assert_eq!(sent.body, "v=7\r\n");
                bob.receive(&described(&sent.respond("200 OK", "", CONTACT)));
            }
        }
        assert_eq!(labels(&mut bob), ["ACK"]);
        wait(&mut bob);
        assert!(bob.take().is_empty() && bob.told().is_empty(), "{:?}", bob.told());
    }
}

/// RFC 6665 §4.1.2.2.
#[test]
fn a_subscription_tells_its_notifier_by_a_refresh() {
    let mut bob = Lone::new();
    let carol: crate::message::header::NameAddrBuf = "Carol <sip:carol@192.0.2.9>".parse().unwrap();
    bob.command(|agent, now| agent.subscribe(now, Subscribe::to(&carol, "presence"))).unwrap();
    let sent = one(&mut bob);
    bob.receive(&sent.respond("200 OK", "c", "Contact: <sip:carol@192.0.2.9>\r\nExpires: 600\r\n"));
    let notify = request(
        "NOTIFY",
        "n",
        1,
        "",
        "Contact: <sip:carol@192.0.2.9>\r\nEvent: presence\r\nSubscription-State: active;expires=600\r\n",
    )
    .replace("To: Bob <sip:bob@biloxi.com>", &["To: ", sent.header("from")].concat())
    .replace("Carol <sip:carol@chicago.com>;tag=carol-tag", "Carol <sip:carol@192.0.2.9>;tag=c")
    .replace("1j9FpLxk3uxtm8tn@chicago.com", sent.header("call-id"));
    bob.receive(&notify);
    bob.take();
    moves(&mut bob);
    let refresh = one(&mut bob);
    assert_eq!((refresh.label().as_str(), contacts(&refresh).as_slice()), ("SUBSCRIBE", &[THERE][..]));
}

/// A user agent over TCP moves, too.
fn drained(agent: &mut UserAgent, now: Instant) -> Vec<String> {
    let mut told = Vec::new();
    while let Some(output) = agent.poll() {
        match output {
            Output::Send(transmit) => {
                let text = Text::of(&transmit.bytes);
                told.push([text.method(), " ", &contacts(&text).join(", ")].concat());
                if text.method() == "REGISTER" {
                    let ok = text.respond("200 OK", "r", "");
                    let connection = transmit.flow.connection.unwrap();
                    agent.handle(now, Input::Stream { connection, bytes: ok.as_bytes() });
                }
            }
            Output::Open { connection, listener, .. } => {
                let local = agent.endpoint().listener(listener).unwrap().local;
                told.push(["open from ", &local.to_string()].concat());
                let change = Change::Opened { identities: &[] };
                agent.handle(now, Input::Connection { connection, change });
            }
            Output::Close { .. } => told.push("close".into()),
            Output::Event(event) => told.push(super::pair::short(&event)),
            other => panic!("{other:?}"),
        }
    }
    told
}

#[test]
fn the_connections_of_an_address_that_is_no_more_are_closed_and_others_stay() {
    let mut profile = Profile::new("Bob <sip:bob@biloxi.com>".parse().unwrap());
    profile.outbound = Some(NextHop { protocol: Some(Protocol::Tcp), ..peer() });
    let mut agent = UserAgent::user_agent(Config::new(Seed::from_u64(1)), profile);
    let now = Instant::from_millis(1_000);
    let listener = agent.listen(Listener::tcp("192.0.2.4:5060".parse().unwrap()));
    agent.register(now, at_biloxi().keep_alive(KeepAlive::crlf(Duration::from_secs(120)))).unwrap();
    let before = drained(&mut agent, now);
    assert_eq!(before, ["open from 192.0.2.4:5060", "REGISTER <sip:bob@192.0.2.4;transport=tcp>", "registered"]);
    // Somebody else has connected to us.
    let connection: ConnectionId = agent.reserve();
    agent.handle(now, Input::Accepted { listener, connection, remote: "203.0.113.1:40000".parse().unwrap() });
    let port = Listener::tcp("192.0.2.4:5070".parse().unwrap());
    assert_eq!(agent.listener_moved(now, listener, port), OK);
    let there = "<sip:bob@192.0.2.4:5070;transport=tcp>";
    let moved = ["REGISTER ", there, ", <sip:bob@192.0.2.4;transport=tcp>;expires=0"].concat();
    assert_eq!(drained(&mut agent, now), [&moved, "registered"]);
    assert_eq!(agent.endpoint().census().connections, 2);
    let host = Listener::tcp("198.51.100.7:5070".parse().unwrap());
    assert_eq!(agent.listener_moved(now, listener, host), OK);
    let moved = ["REGISTER <sip:bob@198.51.100.7:5070;transport=tcp>, ", there, ";expires=0"].concat();
    assert_eq!(
        drained(&mut agent, now),
        ["close", "close", "open from 198.51.100.7:5070", &moved, "registered"],
        "the application knows why the flow is lost"
    );
    assert_eq!(agent.endpoint().census().connections, 1);
}
