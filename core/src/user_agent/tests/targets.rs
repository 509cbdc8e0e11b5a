//! The remote target, the route set and the Contact of a dialog, from its beginning to its end (RFC 3261 §12.1.2, §12.2, §13.2.2.4).

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use super::lone::{CONTACT, Lone, described, invite, request};
use super::text::Text;
use crate::message::Method;
use crate::time::Duration;
use crate::user_agent::{Body, Outgoing};

fn labels(sent: &[Text]) -> Vec<String> {
    sent.iter().map(Text::label).collect()
}

fn sdp(version: u32) -> Body {
    Body::sdp(format!("v=0\r\no=- 1 {version} IN IP4 192.0.2.4\r\n"))
}

/// A request of Carol's in the dialog that Bob has begun.
fn inside(invite: &Text, method: &str, number: u32, extra: &str) -> String {
    request(method, &format!("in{number}"), number, invite.tag_of("from"), extra)
        .replace("1j9FpLxk3uxtm8tn@chicago.com", invite.header("call-id"))
}

/// §12.1.2.
#[test]
fn preloaded_routes_end_with_the_invite_if_nobody_records_a_route() {
    let mut bob = Lone::new();
    let route = "sip:192.0.2.11;lr".parse().unwrap();
    let outgoing = Outgoing::to(&"Carol <sip:carol@192.0.2.9>".parse().unwrap()).route(&route);
    let call = bob.command(|agent, now| agent.call(now, outgoing)).unwrap();
    let invite = bob.take().remove(0);
    assert_eq!(invite.header("route"), "<sip:192.0.2.11;lr>");
    let ack = bob.exchange(&invite.respond("200 OK", "carol-tag", CONTACT)).remove(0);
    assert_eq!((ack.start.as_str(), ack.find("route")), ("ACK sip:carol@192.0.2.9 SIP/2.0", None));
    bob.command(|agent, now| agent.hang_up(now, call)).unwrap();
    let bye = bob.take().remove(0);
    assert_eq!((bye.start.as_str(), bye.find("route")), ("BYE sip:carol@192.0.2.9 SIP/2.0", None));
}

/// §12.2: INVITE and UPDATE are target refresh requests, INFO and OPTIONS are none. No request changes the route set.
#[test]
fn nothing_but_a_target_refresh_moves_the_target_and_nothing_the_route_set() {
    let mut bob = Lone::with(|_, profile| profile.methods.push("INFO".into()));
    let (call, invite) = bob.call();
    let routes = "Record-Route: <sip:192.0.2.9;lr>\r\n";
    bob.receive(&invite.respond("200 OK", "carol-tag", &format!("{CONTACT}{routes}")));
    bob.take();
    let elsewhere = |host: &str| {
        format!("Contact: <sip:carol@{host}>\r\nRecord-Route: <sip:192.0.2.66;lr>\r\nRoute: <sip:192.0.2.4;lr>\r\n")
    };
    // By requests of the peer, and by the response to one of ours.
    bob.receive(&inside(&invite, "OPTIONS", 1, &elsewhere("192.0.2.31")));
    bob.receive(&inside(&invite, "INFO", 2, &elsewhere("192.0.2.32")));
    bob.take();
    let ask = |bob: &mut Lone| {
        bob.command(|agent, now| agent.ask_in(now, call, Method::Info, None)).unwrap();
        let info = bob.take().remove(0);
        bob.receive(&info.respond("200 OK", "", &elsewhere("192.0.2.33")));
        assert_eq!(info.header("route"), "<sip:192.0.2.9;lr>");
        info.start
    };
    assert_eq!(ask(&mut bob), "INFO sip:carol@192.0.2.9 SIP/2.0");
    assert_eq!(ask(&mut bob), "INFO sip:carol@192.0.2.9 SIP/2.0");
    // One that is refused moves nothing.
    let refused = inside(&invite, "UPDATE", 3, &format!("{}Require: x-what\r\n", elsewhere("192.0.2.34")));
    assert_eq!(bob.ask(&refused).label(), "420 UPDATE");
    assert_eq!(ask(&mut bob), "INFO sip:carol@192.0.2.9 SIP/2.0");
    assert_eq!(bob.ask(&inside(&invite, "UPDATE", 4, &elsewhere("192.0.2.35"))).label(), "200 UPDATE");
    assert_eq!(ask(&mut bob), "INFO sip:carol@192.0.2.35 SIP/2.0");
    // And by the 2xx to a re-INVITE of ours.
    bob.command(|agent, now| agent.modify(now, call, sdp(2))).unwrap();
    let re = bob.take().remove(0);
    bob.receive(&described(&re.respond("200 OK", "", &elsewhere("192.0.2.36"))));
    assert_eq!(labels(&bob.take()), ["ACK"]);
    assert_eq!(ask(&mut bob), "INFO sip:carol@192.0.2.36 SIP/2.0");
}

/// §12.2.1.1.
#[test]
fn a_refresh_of_the_target_says_the_contact_that_was_said_before() {
    let mut bob = Lone::new();
    let (call, invite) = bob.call();
    bob.receive(&invite.respond("200 OK", "carol-tag", &format!("{CONTACT}Allow: UPDATE\r\n")));
    bob.take();
    bob.command(|agent, now| agent.modify(now, call, sdp(2))).unwrap();
    let re = bob.take().remove(0);
    assert_eq!((re.label().as_str(), re.header("contact")), ("INVITE", invite.header("contact")));
    bob.receive(&described(&re.respond("200 OK", "", CONTACT)));
    bob.take();
    bob.command(|agent, now| agent.update(now, call, sdp(3))).unwrap();
    let update = bob.take().remove(0);
    assert_eq!((update.label().as_str(), update.header("contact")), ("UPDATE", invite.header("contact")));

    // The callee: that of its 2xx.
    let mut bob = Lone::new();
    bob.receive(&described(&self::invite("i", 10)));
    let call = bob.incoming();
    bob.command(|agent, now| agent.answer(now, call, sdp(1))).unwrap();
    let ok = bob.take().pop().unwrap();
    bob.receive(&request("ACK", "a", 10, "bob-tag", ""));
    bob.command(|agent, now| agent.modify(now, call, sdp(2))).unwrap();
    assert_eq!(bob.take()[0].header("contact"), ok.header("contact"));
}

/// §13.2.2.4: 64·T1 after the first 2xx no other can come; what is early by then is over.
#[test]
fn early_dialogs_end_64_t1_after_the_first_2xx() {
    let mut bob = Lone::new();
    let (_, invite) = bob.call();
    for fork in ["one", "two", "carol-tag"] {
        bob.receive(&invite.respond("180 Ringing", fork, CONTACT));
    }
    assert_eq!(bob.agent.user().census().dialogs, 3);
    bob.run(Duration::from_secs(10));
    assert_eq!(labels(&bob.exchange(&invite.respond("200 OK", "one", CONTACT))), ["ACK"]);
    bob.run(Duration::from_millis(31_999));
    assert_eq!(bob.agent.user().census().dialogs, 3);
    let second = bob.clone().exchange(&invite.respond("200 OK", "two", CONTACT));
    assert_eq!(labels(&second), ["ACK", "BYE"], "in time");
    bob.run(Duration::from_millis(1));
    assert_eq!(bob.agent.user().census().dialogs, 1);
    assert!(bob.exchange(&invite.respond("200 OK", "two", CONTACT)).is_empty(), "the INVITE is done");
    assert_eq!(bob.ask(&inside(&invite, "BYE", 1, "")).label(), "481 BYE", "carol-tag was one that never answered");
}
