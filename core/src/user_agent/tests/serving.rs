//! The UAS core against words on the wire (RFC 3261 §8.2, §9.2, §11, §12, §13.3, §14.2, §15.1.2).

use alloc::format;

use super::lone::{CONTACT, Lone, invite, request};
use crate::Duration;

/// Bob is called and answers; confirmed.
fn established() -> Lone {
    let mut bob = Lone::new();
    bob.receive(&invite("i", 10));
    let call = bob.incoming();
    bob.command(|agent, now| agent.ring(now, call)).unwrap();
    bob.command(|agent, now| agent.answer(now, call, None)).unwrap();
    bob.receive(&request("ACK", "a", 10, "bob-tag", ""));
    assert_eq!(bob.told(), ["incoming", "confirmed"]);
    bob.take();
    bob
}

fn end(mut bob: Lone, number: u32) {
    assert_eq!(bob.ask(&request("BYE", "end", number, "bob-tag", "")).start, "SIP/2.0 200 OK");
    assert_eq!(bob.told().last().unwrap(), "ended Remote");
    bob.finish();
}

#[test]
fn a_known_method_that_is_not_taken_gets_405_and_an_unknown_one_501() {
    let mut bob = Lone::new();
    for (method, status) in [("SUBSCRIBE", "405 Method Not Allowed"), ("DANCE", "501 Not Implemented")] {
        let response = bob.ask(&request(method, method, 1, "", ""));
        assert_eq!(response.start, format!("SIP/2.0 {status}"));
        assert_eq!(response.header("allow"), "INVITE, ACK, CANCEL, OPTIONS, BYE, UPDATE");
        assert!(!response.tag_of("to").is_empty());
    }
    bob.finish();
}

#[test]
fn an_unknown_extension_is_refused_by_name() {
    let mut bob = Lone::new();
    let extra = format!("{CONTACT}Require: 100rel, nothingSIPevent\r\nRequire: timer\r\n");
    let response = bob.ask(&request("INVITE", "r", 1, "", &extra));
    assert_eq!(response.start, "SIP/2.0 420 Bad Extension");
    assert_eq!(response.header("unsupported"), "100rel, nothingSIPevent, timer");
    bob.finish();
    assert!(bob.told().is_empty());
}

#[test]
fn an_unknown_body_is_refused_unless_it_is_optional() {
    let with_body = |branch: &str, extra: &str| {
        request("INVITE", branch, 1, "", &format!("{CONTACT}{extra}"))
            .replace("Content-Length: 0\r\n\r\n", "Content-Length: 2\r\n\r\nhi")
    };
    let mut bob = Lone::new();
    let response = bob.ask(&with_body("b1", "Content-Type: text/plain\r\n"));
    assert_eq!(response.start, "SIP/2.0 415 Unsupported Media Type");
    assert_eq!(response.header("accept"), "application/sdp");
    let mut bob = Lone::new();
    let response = bob.ask(&with_body("b2", "Content-Type: application/sdp\r\nContent-Encoding: gzip\r\n"));
    assert_eq!(response.start, "SIP/2.0 415 Unsupported Media Type");
    assert_eq!(response.header("accept-encoding"), "identity");
    let mut bob = Lone::new();
    bob.receive(&with_body("b3", "Content-Type: text/plain\r\nContent-Disposition: render; Handling = optional\r\n"));
    assert_eq!(bob.told(), ["incoming"]);
    let mut bob = Lone::new();
    bob.receive(&with_body("b4", "c: Application/SDP;charset=utf-8\r\n"));
    assert_eq!(bob.told(), ["incoming"]);
}

#[test]
fn an_invite_that_can_make_no_dialog_is_refused() {
    for extra in ["", "Contact: *\r\n", "Contact: <mailto:carol@chicago.com>\r\n"] {
        let mut bob = Lone::new();
        let response = bob.ask(&request("INVITE", "c", 1, "", extra));
        assert_eq!(response.start, "SIP/2.0 400 Missing or unusable remote target");
        assert!(bob.told().is_empty());
    }
}

#[test]
fn a_peer_of_rfc_2543_needs_no_contact() {
    let mut bob = Lone::new();
    bob.receive(&request("INVITE", "old", 1, "", "").replace(";tag=carol-tag", "").replace(";branch=z9hG4bKold", ""));
    assert_eq!(bob.told(), ["incoming"]);
}

#[test]
fn only_sip_uris_are_served() {
    for method in ["INVITE", "OPTIONS"] {
        let mut bob = Lone::new();
        let asked = request(method, "s", 1, "", CONTACT).replace("sip:bob@192.0.2.4", "soap.beep://192.0.2.103:3002");
        assert_eq!(bob.ask(&asked).start, "SIP/2.0 416 Unsupported URI Scheme");
        assert!(bob.told().is_empty());
    }
    // The method comes first (§8.2.1).
    let mut bob = Lone::new();
    let asked = request("SUBSCRIBE", "s", 1, "", "").replace("sip:bob@192.0.2.4", "soap.beep://192.0.2.103:3002");
    assert_eq!(bob.ask(&asked).start, "SIP/2.0 405 Method Not Allowed");
}

#[test]
fn an_invite_that_takes_no_sdp_gets_406() {
    for accept in [
        "text/plain",
        "text/plain, application/json",
        "application/sdp;q=0",
        "*/*;q=0.0",
        "*/*, application/sdp;q=0",
        "",
    ] {
        let mut bob = Lone::new();
        let response = bob.ask(&request("INVITE", "a", 1, "", &format!("{CONTACT}Accept: {accept}\r\n")));
        assert_eq!(response.start, "SIP/2.0 406 Not Acceptable", "{accept}");
        assert!(response.header("warning").starts_with("399 "));
    }
    for accept in [
        "application/sdp",
        "text/plain, Application/SDP;q=0.1",
        "application/*",
        "*/*",
        "*/*;q=0, application/sdp",
        "???",
    ] {
        let mut bob = Lone::new();
        bob.receive(&request("INVITE", "a", 1, "", &format!("{CONTACT}Accept: {accept}\r\n")));
        assert_eq!(bob.told(), ["incoming"], "{accept}");
    }
    let mut bob = Lone::new();
    let response = bob.ask(&request("OPTIONS", "a", 1, "", "Accept: text/plain\r\n"));
    assert_eq!(response.start, "SIP/2.0 200 OK");
}

/// RFC 3261 §7.3.1, §20.8: case does not count in tags, and it does in a Call-ID.
#[test]
fn a_dialog_is_found_whatever_the_case_of_its_tags() {
    let mut bob = established();
    let bye = request("BYE", "other", 11, "bob-tag", "");
    assert_eq!(bob.ask(&bye.replace("1j9Fp", "1J9FP")).start, "SIP/2.0 481 Call/Transaction Does Not Exist");
    assert_eq!(bob.ask(&bye.replace("bob-tag", "bob-tagg")).start, "SIP/2.0 481 Call/Transaction Does Not Exist");
    let bye = request("BYE", "case", 12, "BOB-tag", "").replace("carol-tag", "Carol-TAG");
    let ok = bob.ask(&bye);
    assert_eq!((ok.start.as_str(), ok.tag_of("from")), ("SIP/2.0 200 OK", "Carol-TAG"));
    assert_eq!(bob.told().last().unwrap(), "ended Remote");
    bob.finish();
}

/// A tag that is no token is that of a dialog like any other, and goes back as it came.
#[test]
fn a_dialog_carries_a_tag_that_is_no_token() {
    let odd = |text: alloc::string::String| text.replace("tag=carol-tag", "tag=a/b+C==");
    let mut bob = Lone::new();
    bob.receive(&odd(invite("i", 10)));
    let call = bob.incoming();
    bob.command(|agent, now| agent.answer(now, call, None)).unwrap();
    bob.receive(&odd(request("ACK", "a", 10, "bob-tag", "")));
    bob.take();
    bob.command(|agent, now| agent.hang_up(now, call)).unwrap();
    let bye = bob.take().into_iter().next().unwrap();
    assert!(bye.start.starts_with("BYE "), "{bye:?}");
    assert_eq!(bye.tag_of("to"), "a/b+C==");
    assert_eq!(bob.ask(&odd(request("BYE", "end", 11, "bob-tag", ""))).start, "SIP/2.0 200 OK");
    bob.run(Duration::from_secs(400));
}

#[test]
fn a_merged_request_is_known_whatever_the_case_of_its_from_tag() {
    let mut bob = Lone::new();
    bob.receive(&invite("i1", 10));
    bob.take();
    let response = bob.ask(&invite("i2", 10).replace("carol-tag", "CAROL-tag"));
    assert_eq!(response.start, "SIP/2.0 482 Loop Detected");
}

#[test]
fn a_from_that_a_dialog_cannot_write_again_is_answered_with_400() {
    for from in ["<sip:carol@-chicago.com>", "<sip:a|b@chicago.com>", "\"\u{1}\" <sip:carol@chicago.com>"] {
        let mut bob = Lone::new();
        let response = bob.ask(&invite("i", 10).replace("Carol <sip:carol@chicago.com>", from));
        assert!(response.start.starts_with("SIP/2.0 400 "), "{from}: {}", response.start);
        bob.finish();
    }
}

#[test]
fn a_merged_request_gets_482() {
    let mut bob = Lone::new();
    bob.receive(&invite("one", 1));
    let response = bob.ask(&invite("two", 1));
    assert_eq!(response.start, "SIP/2.0 482 Loop Detected");
    // Another number is another request, and so is another From tag.
    bob.receive(&invite("three", 2));
    bob.receive(&invite("four", 1).replace("carol-tag", "other-tag"));
    assert_eq!(bob.told(), ["incoming", "incoming", "incoming"]);
}

#[test]
fn a_request_that_came_before_but_is_over_is_not_merged() {
    let mut bob = Lone::new();
    assert_eq!(bob.ask(&request("OPTIONS", "one", 1, "", "")).start, "SIP/2.0 200 OK");
    assert_eq!(bob.ask(&request("OPTIONS", "two", 1, "", "")).start, "SIP/2.0 482 Loop Detected");
    bob.run(Duration::from_secs(33));
    assert_eq!(bob.ask(&request("OPTIONS", "three", 1, "", "")).start, "SIP/2.0 200 OK");
    bob.finish();
}

#[test]
fn options_are_answered_with_what_can_be_done() {
    let mut bob = Lone::new();
    let response = bob.ask(&request("OPTIONS", "o", 1, "", "").replace("Max-Forwards: 70", "Max-Forwards: 0"));
    assert_eq!(response.start, "SIP/2.0 200 OK");
    assert_eq!(response.header("allow"), "INVITE, ACK, CANCEL, OPTIONS, BYE, UPDATE");
    assert_eq!(response.header("accept"), "application/sdp");
    for name in ["accept-encoding", "accept-language", "supported"] {
        assert!(response.find(name).is_some());
    }
    bob.finish();
}

/// RFC 3261 §8.2, §16.3: who does not forward has no use for Max-Forwards.
#[test]
fn a_malformed_max_forwards_costs_no_request_here() {
    for odd in ["Max-Forwards: 256", "Max-Forwards:", "Max-Forwards: 70\nMax-Forwards: 9"] {
        let mut bob = Lone::new();
        let response = bob.ask(&request("OPTIONS", "o", 1, "", "").replace("Max-Forwards: 70", odd));
        assert_eq!(response.start, "SIP/2.0 200 OK", "{odd}");
        bob.finish();
    }
}

#[test]
fn options_where_an_invite_would_be_busy_say_so() {
    let mut bob = Lone::with(|_, profile| profile.limits.calls = 1);
    bob.receive(&invite("i", 1));
    let other = request("OPTIONS", "o", 1, "", "").replace("carol-tag", "another");
    assert_eq!(bob.ask(&other).start, "SIP/2.0 486 Busy Here");
}

#[test]
fn options_in_a_dialog_leave_it_alone() {
    let mut bob = established();
    assert_eq!(bob.ask(&request("OPTIONS", "o", 11, "bob-tag", "")).start, "SIP/2.0 200 OK");
    end(bob, 12);
}

#[test]
fn what_names_no_dialog_gets_481() {
    let mut bob = Lone::new();
    for (method, tag) in [("BYE", "stale"), ("INVITE", "stale"), ("OPTIONS", "stale"), ("BYE", ""), ("CANCEL", "")] {
        let branch = format!("{method}{tag}");
        let response = bob.ask(&request(method, &branch, 1, tag, CONTACT));
        assert!(response.start.starts_with("SIP/2.0 481 "), "{method}: {response:?}");
    }
    bob.receive(&request("ACK", "ack", 1, "stale", ""));
    assert!(bob.take().is_empty());
    bob.finish();
}

#[test]
fn a_second_invite_before_the_first_is_answered_is_told_to_come_again() {
    let mut bob = Lone::new();
    bob.receive(&invite("i", 10));
    let call = bob.incoming();
    bob.command(|agent, now| agent.ring(now, call)).unwrap();
    bob.take();
    let response = bob.ask(&request("INVITE", "second", 11, "bob-tag", CONTACT));
    assert!(response.start.starts_with("SIP/2.0 500 "));
    assert!(response.header("retry-after").parse::<u32>().unwrap() <= 10);
}

#[test]
fn an_invite_in_an_early_dialog_of_ours_is_told_that_one_is_pending() {
    let mut bob = Lone::new();
    let (_, invite) = bob.call();
    bob.receive(&invite.respond("180 Ringing", "carol-tag", CONTACT));
    let ours = invite.tag_of("from");
    let request =
        request("INVITE", "re", 1, ours, CONTACT).replace("1j9FpLxk3uxtm8tn@chicago.com", invite.header("call-id"));
    assert_eq!(bob.ask(&request).start, "SIP/2.0 491 Request Pending");
}

#[test]
fn a_request_out_of_order_gets_500_and_a_gap_is_no_error() {
    let mut bob = established();
    assert_eq!(bob.ask(&request("OPTIONS", "o1", 100, "bob-tag", "")).start, "SIP/2.0 200 OK");
    for number in [99, 100] {
        let response = bob.ask(&request("BYE", &format!("b{number}"), number, "bob-tag", ""));
        assert!(response.start.starts_with("SIP/2.0 500 "));
    }
    end(bob, 101);
}

#[test]
fn a_bye_before_the_answer_ends_the_invite_with_487() {
    let mut bob = Lone::new();
    bob.receive(&invite("i", 10));
    let call = bob.incoming();
    bob.command(|agent, now| agent.ring(now, call)).unwrap();
    bob.take();
    let sent = bob.exchange(&request("BYE", "b", 11, "bob-tag", ""));
    let starts: alloc::vec::Vec<_> = sent.iter().map(|text| text.label()).collect();
    assert_eq!(starts, ["200 BYE", "487 INVITE"]);
    assert_eq!(bob.told(), ["incoming", "failed 487 (none)"]);
    bob.finish();
}

#[test]
fn a_bye_instead_of_the_ack_ends_the_call_and_the_200s() {
    let mut bob = Lone::new();
    bob.receive(&invite("i", 10));
    let call = bob.incoming();
    bob.command(|agent, now| agent.answer(now, call, None)).unwrap();
    bob.take();
    assert_eq!(bob.ask(&request("BYE", "b", 11, "bob-tag", "")).start, "SIP/2.0 200 OK");
    assert_eq!(bob.told(), ["incoming", "ended Remote"]);
    bob.finish();
    assert!(bob.take().is_empty());
}

#[test]
fn an_ack_with_another_number_confirms_nothing() {
    let mut bob = Lone::new();
    bob.receive(&invite("i", 10));
    let call = bob.incoming();
    bob.command(|agent, now| agent.answer(now, call, None)).unwrap();
    bob.receive(&request("ACK", "a", 9, "bob-tag", ""));
    assert_eq!(bob.told(), ["incoming"]);
    bob.receive(&request("ACK", "a", 10, "bob-tag", ""));
    bob.receive(&request("ACK", "a", 10, "bob-tag", ""));
    assert_eq!(bob.told(), ["incoming", "confirmed"]);
}

#[test]
fn an_ack_on_the_branch_of_the_invite_confirms_no_dialog_that_it_does_not_name() {
    let mut bob = Lone::new();
    bob.receive(&invite("i", 10));
    let call = bob.incoming();
    bob.command(|agent, now| agent.answer(now, call, None)).unwrap();
    bob.receive(&request("ACK", "i", 10, "tag-of-a-rejection", ""));
    assert_eq!(bob.told(), ["incoming"]);
    // RFC 2543 peers may leave the tag out.
    bob.receive(&request("ACK", "i", 10, "", ""));
    assert_eq!(bob.told(), ["incoming", "confirmed"]);
}

#[test]
fn a_cancel_after_the_200_has_no_effect() {
    let mut bob = established();
    let cancel = request("CANCEL", "i", 10, "", "");
    assert_eq!(bob.ask(&cancel).start, "SIP/2.0 200 OK");
    assert_eq!(bob.told(), ["incoming", "confirmed"]);
    end(bob, 11);
}

#[test]
fn a_cancel_ignores_require() {
    let mut bob = Lone::new();
    bob.receive(&invite("i", 10));
    let sent = bob.exchange(&request("CANCEL", "i", 10, "", "Require: 100rel\r\n"));
    let labels: alloc::vec::Vec<_> = sent.iter().map(|text| text.label()).collect();
    assert_eq!(labels, ["200 CANCEL", "487 INVITE"]);
    assert_eq!((sent[0].tag_of("to"), sent[1].tag_of("to")), ("bob-tag", "bob-tag"));
}

#[test]
fn an_invitation_expires() {
    let mut bob = Lone::new();
    bob.receive(&request("INVITE", "i", 10, "", &format!("{CONTACT}Expires: 20\r\n")));
    bob.run(Duration::from_secs(19));
    assert_eq!(bob.told(), ["incoming"]);
    bob.take();
    bob.run(Duration::from_secs(1));
    assert_eq!(bob.take()[0].label(), "487 INVITE");
    assert_eq!(bob.told(), ["incoming", "failed 487 (none)"]);
    bob.finish();
}

#[test]
fn an_answered_invitation_does_not_expire() {
    let mut bob = Lone::new();
    bob.receive(&request("INVITE", "i", 10, "", &format!("{CONTACT}Expires: 20\r\n")));
    let call = bob.incoming();
    bob.command(|agent, now| agent.answer(now, call, None)).unwrap();
    bob.receive(&request("ACK", "a", 10, "bob-tag", ""));
    bob.run(Duration::from_secs(100));
    assert_eq!(bob.told(), ["incoming", "confirmed"]);
    end(bob, 11);
}

/// §12.1.1, §12.2.1.1: in order, and through loose routers by Route.
#[test]
fn the_callee_follows_record_route_in_order() {
    let mut bob = Lone::new();
    let routes =
        "Record-Route: <sip:192.0.2.7;lr;x=%41>, <sip:p2.example.com;lr>\r\nRecord-Route: <sip:p1.example.com;lr>\r\n";
    bob.receive(&request("INVITE", "i", 10, "", &format!("{CONTACT}{routes}")));
    let call = bob.incoming();
    bob.command(|agent, now| agent.ring(now, call)).unwrap();
    bob.command(|agent, now| agent.answer(now, call, None)).unwrap();
    for response in bob.take() {
        assert_eq!(
            response.headers["record-route"],
            ["<sip:192.0.2.7;lr;x=%41>, <sip:p2.example.com;lr>", "<sip:p1.example.com;lr>"]
        );
        assert_eq!(response.header("contact"), "<sip:bob@192.0.2.4>");
    }
    bob.receive(&request("ACK", "a", 10, "bob-tag", ""));
    bob.command(|agent, now| agent.hang_up(now, call)).unwrap();
    let bye = &bob.take()[0];
    assert_eq!(bye.start, "BYE sip:carol@192.0.2.9 SIP/2.0");
    assert_eq!(bye.header("route"), "<sip:192.0.2.7;lr;x=%41>, <sip:p2.example.com;lr>, <sip:p1.example.com;lr>");
    assert_eq!((bye.header("from"), bye.tag_of("to")), ("Bob <sip:bob@biloxi.com>;tag=bob-tag", "carol-tag"));
}

#[test]
fn a_record_route_that_cannot_be_followed_is_refused() {
    let mut bob = Lone::new();
    let response = bob.ask(&request("INVITE", "i", 10, "", &format!("{CONTACT}Record-Route: <tel:1>\r\n")));
    assert_eq!(response.start, "SIP/2.0 400 Bad list of recorded proxies");
}

/// §12.1.1: the tag is null, and omitted in what we send (§12.2.1.1).
#[test]
fn a_caller_of_rfc_2543_has_no_tag() {
    let plain = |text: alloc::string::String| text.replace(";tag=carol-tag", "");
    let mut bob = Lone::new();
    bob.receive(&plain(invite("i", 10)));
    let call = bob.incoming();
    bob.command(|agent, now| agent.answer(now, call, None)).unwrap();
    bob.receive(&plain(request("ACK", "a", 10, "bob-tag", "")));
    assert_eq!(bob.told(), ["incoming", "confirmed"]);
    bob.take();
    bob.command(|agent, now| agent.hang_up(now, call)).unwrap();
    let bye = &bob.take()[0];
    assert_eq!(bye.header("to"), "Carol <sip:carol@chicago.com>");
    bob.receive(&bye.respond("200 OK", "", ""));
    assert_eq!(bob.told().last().unwrap(), "ended Local");
    bob.finish();
}

#[test]
fn a_software_name_is_told_in_server_and_user_agent() {
    let mut bob = Lone::with(|_, profile| profile.user_agent = Some("sansip".into()));
    assert_eq!(bob.ask(&request("OPTIONS", "o", 1, "", "")).header("server"), "sansip");
    assert_eq!(bob.call().1.header("user-agent"), "sansip");
}
