//! The UAC core against words on the wire (RFC 3261 §8.1.3, §12.1.2, §12.2.1.1, §13.2.2).

use alloc::format;
use alloc::vec::Vec;

use super::lone::{CONTACT, Lone, request};
use super::text::Text;
use crate::Duration;
use crate::user_agent::CallState;

fn labels(sent: &[Text]) -> Vec<alloc::string::String> {
    sent.iter().map(Text::label).collect()
}

#[test]
fn every_fork_that_answers_is_acknowledged_and_the_extra_ones_ended() {
    let mut bob = Lone::new();
    let (call, invite) = bob.call();
    for fork in ["one", "two", "three"] {
        bob.receive(&invite.respond("180 Ringing", fork, CONTACT));
    }
    let one = bob.exchange(&invite.respond("200 OK", "one", CONTACT));
    assert_eq!(labels(&one), ["ACK"]);
    let two = bob.exchange(&invite.respond("200 OK", "two", CONTACT));
    assert_eq!(labels(&two), ["ACK", "BYE"]);
    assert_eq!((two[0].tag_of("to"), two[1].tag_of("to")), ("two", "two"));
    // One that never rang.
    let four = bob.exchange(&invite.respond("200 OK", "four", CONTACT));
    assert_eq!(labels(&four), ["ACK", "BYE"]);
    // Each is acknowledged again when it comes again, and ended once.
    assert_eq!(bob.exchange(&invite.respond("200 OK", "one", CONTACT)), one);
    assert_eq!(bob.exchange(&invite.respond("200 OK", "two", CONTACT)), two[..1]);
    for bye in [&two[1], &four[1]] {
        bob.receive(&bye.respond("200 OK", "", ""));
    }
    assert_eq!(bob.exchange(&invite.respond("200 OK", "two", CONTACT)), two[..1]);
    assert_eq!(bob.told(), ["progress 180", "progress 180", "progress 180", "answered 200"]);
    bob.run(Duration::from_secs(40));
    assert_eq!(bob.agent.calls().map(|info| info.state).collect::<Vec<_>>(), [CallState::Established]);
    bob.take();
    bob.command(|agent, now| agent.hang_up(now, call)).unwrap();
    let bye = bob.take();
    assert_eq!((bye[0].tag_of("to"), bye.len()), ("one", 1));
    bob.receive(&bye[0].respond("200 OK", "", ""));
    assert_eq!(bob.told().last().unwrap(), "ended Local");
    bob.finish();
}

#[test]
fn forks_above_the_limit_are_acknowledged_and_ended_too() {
    let mut bob = Lone::with(|_, profile| profile.limits.forks = 2);
    let (call, invite) = bob.call();
    for fork in ["one", "two", "three"] {
        bob.receive(&invite.respond("180 Ringing", fork, CONTACT));
    }
    // The first answer is the call, even if its fork was one too many to be remembered.
    let three = bob.exchange(&invite.respond("200 OK", "three", CONTACT));
    assert_eq!(labels(&three), ["ACK"]);
    for _ in 0..2 {
        let four = bob.exchange(&invite.respond("200 OK", "four", CONTACT));
        assert_eq!(labels(&four), ["ACK", "BYE"]);
        assert_eq!(four[0].header("cseq").split(' ').next(), invite.header("cseq").split(' ').next());
        assert_eq!((four[0].tag_of("to"), four[1].tag_of("to")), ("four", "four"));
    }
    assert!(bob.told().iter().any(|told| told.contains("forks")), "{:?}", bob.told());
    bob.command(|agent, now| agent.hang_up(now, call)).unwrap();
    assert_eq!(bob.take()[0].tag_of("to"), "three");
    bob.finish();
}

#[test]
fn a_fork_that_answers_after_the_call_is_over_is_ended_too() {
    let mut bob = Lone::new();
    let (call, invite) = bob.call();
    let one = bob.exchange(&invite.respond("200 OK", "one", CONTACT));
    bob.command(|agent, now| agent.hang_up(now, call)).unwrap();
    let bye = bob.take();
    bob.receive(&bye[0].respond("200 OK", "", ""));
    assert_eq!(bob.told(), ["answered 200", "ended Local"]);
    assert_eq!(bob.agent.calls().count(), 0);
    assert_eq!(bob.exchange(&invite.respond("200 OK", "one", CONTACT)), one);
    let two = bob.exchange(&invite.respond("200 OK", "two", CONTACT));
    assert_eq!(labels(&two), ["ACK", "BYE"]);
    bob.receive(&two[1].respond("481 Call/Transaction Does Not Exist", "", ""));
    assert_eq!(bob.told(), ["answered 200", "ended Local"]);
    bob.finish();
}

#[test]
fn a_bye_answered_with_481_ends_the_call() {
    let mut bob = Lone::new();
    let (call, invite) = bob.call();
    bob.receive(&invite.respond("200 OK", "one", CONTACT));
    bob.take();
    bob.command(|agent, now| agent.hang_up(now, call)).unwrap();
    let bye = bob.take();
    bob.receive(&bye[0].respond("481 Call/Transaction Does Not Exist", "", ""));
    assert_eq!(bob.told(), ["answered 200", "ended Local"]);
    bob.finish();
}

/// §12.1.2: in reverse order.
#[test]
fn the_caller_follows_record_route_in_reverse() {
    let mut bob = Lone::new();
    let (call, invite) = bob.call();
    let routes = "Record-Route: <sip:p2.example.com;lr>, <sip:192.0.2.9;lr>\r\n";
    let contact = "Contact: <sip:carol@192.0.2.77:5070>\r\n";
    bob.receive(&invite.respond("180 Ringing", "one", &format!("{contact}{routes}")));
    let ack = bob.exchange(&invite.respond("200 OK", "one", &format!("{contact}{routes}")));
    assert_eq!(ack[0].start, "ACK sip:carol@192.0.2.77:5070 SIP/2.0");
    assert_eq!(ack[0].header("route"), "<sip:192.0.2.9;lr>, <sip:p2.example.com;lr>");
    bob.command(|agent, now| agent.hang_up(now, call)).unwrap();
    let bye = bob.take();
    assert_eq!(bye[0].header("route"), "<sip:192.0.2.9;lr>, <sip:p2.example.com;lr>");
}

/// §13.2.2.4, erratum 4084: RFC 2543 peers mirrored Record-Route in the 2xx only.
#[test]
fn the_route_set_is_made_anew_from_the_2xx() {
    let mut bob = Lone::new();
    let (_, invite) = bob.call();
    bob.receive(&invite.respond(
        "180 Ringing",
        "one",
        "Contact: <sip:early@192.0.2.66>\r\nRecord-Route: <sip:192.0.2.55;lr>\r\n",
    ));
    let ack = bob.exchange(&invite.respond("200 OK", "one", &format!("{CONTACT}Record-Route: <sip:192.0.2.9;lr>\r\n")));
    assert_eq!(ack[0].start, "ACK sip:carol@192.0.2.9 SIP/2.0");
    assert_eq!(ack[0].headers["route"], ["<sip:192.0.2.9;lr>"]);
}

/// The example of §12.2.1.1.
#[test]
fn a_strict_router_stands_in_the_request_uri() {
    let mut bob = Lone::new();
    let (_, invite) = bob.call();
    let routes = "Record-Route: <sip:proxy4>, <sip:proxy3;lr>, <sip:proxy2>, <sip:192.0.2.9;method=INVITE>\r\n";
    let ack =
        bob.exchange(&invite.respond("200 OK", "one", &format!("Contact: <sip:user@remoteua?Subject=x>\r\n{routes}")));
    assert_eq!(ack[0].start, "ACK sip:192.0.2.9 SIP/2.0");
    assert_eq!(ack[0].header("route"), "<sip:proxy2>, <sip:proxy3;lr>, <sip:proxy4>, <sip:user@remoteua>");
}

#[test]
fn a_2xx_without_contact_or_tag_is_acknowledged_where_the_invite_went() {
    let mut bob = Lone::new();
    let (call, invite) = bob.call();
    let ack = bob.exchange(&invite.respond("200 OK", "", ""));
    assert_eq!(ack[0].start, "ACK sip:carol@192.0.2.9 SIP/2.0");
    assert_eq!(ack[0].header("to"), "Carol <sip:carol@192.0.2.9>");
    assert_eq!(bob.told(), ["answered 200"]);
    bob.command(|agent, now| agent.hang_up(now, call)).unwrap();
    assert_eq!(bob.take()[0].header("to"), "Carol <sip:carol@192.0.2.9>");
}

/// §8.1.3.2: 183 for an unknown provisional response, x00 for an unknown final one.
#[test]
fn unknown_status_codes_count_by_their_class() {
    let mut bob = Lone::new();
    let (_, invite) = bob.call();
    bob.receive(&invite.respond("199 Strange", "one", CONTACT));
    assert_eq!(bob.agent.calls().next().unwrap().state, CallState::Ringing);
    bob.receive(&invite.respond("489 Stranger", "one", ""));
    assert_eq!(bob.told(), ["progress 199", "failed 489"]);
    bob.finish();

    let mut bob = Lone::new();
    let (_, invite) = bob.call();
    let ack = bob.exchange(&invite.respond("299 Strangest", "one", CONTACT));
    assert_eq!(labels(&ack), ["ACK"]);
    assert_eq!(bob.told(), ["answered 299"]);
}

#[test]
fn a_100_is_not_progress() {
    let mut bob = Lone::new();
    let (_, invite) = bob.call();
    bob.receive(&invite.respond("100 Trying", "", ""));
    assert!(bob.told().is_empty());
    assert_eq!(bob.agent.calls().next().unwrap().state, CallState::Calling);
}

/// §8.1.3.3.
#[test]
fn a_response_with_two_vias_is_discarded() {
    let two_vias =
        |text: alloc::string::String| text.replace("To:", "Via: SIP/2.0/UDP 192.0.2.99;branch=z9hG4bKx\r\nTo:");
    let mut bob = Lone::new();
    let (_, invite) = bob.call();
    bob.receive(&two_vias(invite.respond("180 Ringing", "one", CONTACT)));
    assert!(bob.told().is_empty());
    // The second value may stand in the first field.
    let in_one_field =
        |text: alloc::string::String| text.replacen("\r\nTo:", ", SIP/2.0/UDP 192.0.2.99;branch=z9hG4bKx\r\nTo:", 1);
    let response = in_one_field(invite.respond("180 Ringing", "one", CONTACT));
    assert!(response.lines().any(|line| line.starts_with("Via:") && line.contains(", SIP")), "{response}");
    bob.receive(&response);
    assert!(bob.told().is_empty());
    bob.receive(&two_vias(invite.respond("404 Not Found", "one", "")));
    assert!(bob.told().is_empty());
    // Nothing better can come of that transaction.
    bob.finish();
    assert_eq!(bob.told(), ["failed 408 (none)"]);
}

#[test]
fn a_final_response_ends_all_early_dialogs() {
    let mut bob = Lone::new();
    let (_, invite) = bob.call();
    bob.receive(&invite.respond("180 Ringing", "carol-tag", CONTACT));
    bob.receive(&invite.respond("603 Decline", "carol-tag", ""));
    assert_eq!(bob.told(), ["progress 180", "failed 603"]);
    assert_eq!(bob.agent.user().census().dialogs, 0);
    let bye = request("BYE", "b", 1, invite.tag_of("from"), "")
        .replace("1j9FpLxk3uxtm8tn@chicago.com", invite.header("call-id"));
    assert_eq!(bob.ask(&bye).label(), "481 BYE");
    bob.finish();
}

#[test]
fn a_fork_that_hangs_up_early_leaves_the_answered_call_alone() {
    let mut bob = Lone::new();
    let (_, invite) = bob.call();
    bob.receive(&invite.respond("180 Ringing", "carol-tag", CONTACT));
    bob.receive(&invite.respond("200 OK", "one", CONTACT));
    bob.take();
    let bye = request("BYE", "b", 1, invite.tag_of("from"), "")
        .replace("1j9FpLxk3uxtm8tn@chicago.com", invite.header("call-id"));
    assert_eq!(bob.ask(&bye).label(), "200 BYE");
    assert_eq!(bob.told(), ["progress 180", "answered 200"]);
    assert_eq!(bob.agent.calls().next().unwrap().state, CallState::Established);
}
