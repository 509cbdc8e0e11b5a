//! The order in which a request is looked at (RFC 3261 §8.2), and bodies of several parts (RFC 5621).

use alloc::format;
use alloc::string::String;

use super::bindings::one;
use super::lone::{CONTACT, Lone, request};
use crate::auth::{Secret, Settings, Users};
use crate::time::Instant;
use crate::user_agent::{Body, Event};

/// A request that nothing is right with: whatever is mended shows the next step of §8.2.
#[derive(Clone, Copy)]
struct Wrong {
    method: &'static str,
    uri: &'static str,
    require: &'static str,
    kind: &'static str,
    accept: &'static str,
}

impl Wrong {
    fn text(self, branch: &str, number: u32) -> String {
        let Self { method, uri, require, kind, accept } = self;
        let extra = format!("{CONTACT}{require}{kind}{accept}");
        request(method, branch, number, "", &extra)
            .replacen("sip:bob@192.0.2.4", uri, 1)
            .replace("Content-Length: 0\r\n\r\n", "Content-Length: 5\r\n\r\nv=0\r\n")
    }
}

#[test]
fn each_step_of_the_order_comes_before_the_next() {
    let mut bob = Lone::new();
    let mut users = Users::new();
    users.insert("alice", Secret::password("s3cret"));
    bob.agent.guard(Instant::ZERO, Some((Settings::new("biloxi.com"), users))).unwrap();
    let mut wrong = Wrong {
        method: "PUBLISH",
        uri: "tel:+12015550123",
        require: "Require: odd\r\n",
        kind: "Content-Type: text/html\r\nContent-Encoding: gzip\r\n",
        accept: "Accept: text/plain\r\n",
    };
    let mut number = 0;
    let mut asked = |bob: &mut Lone, wrong: Wrong| {
        number += 1;
        let sent = bob.ask(&wrong.text(&format!("n{number}"), number));
        if wrong.method == "INVITE" {
            bob.receive(&request("ACK", &format!("n{number}"), number, sent.tag_of("to"), ""));
        }
        sent
    };
    assert_eq!(asked(&mut bob, wrong).label(), "401 PUBLISH");
    bob.agent.guard(Instant::ZERO, None).unwrap();
    let refused = asked(&mut bob, wrong);
    assert_eq!(refused.label(), "405 PUBLISH");
    assert!(refused.header("allow").contains("INVITE"));
    wrong.method = "INVITE";
    assert_eq!(asked(&mut bob, wrong).label(), "416 INVITE");
    wrong.uri = "sip:stranger@192.0.2.4";
    assert_eq!(asked(&mut bob, wrong).label(), "404 INVITE");
    wrong.uri = "sip:bob@192.0.2.4";
    let refused = asked(&mut bob, wrong);
    assert_eq!((refused.label().as_str(), refused.header("unsupported")), ("420 INVITE", "odd"));
    wrong.require = "";
    let refused = asked(&mut bob, wrong);
    assert_eq!(refused.label(), "415 INVITE");
    assert_eq!((refused.header("accept"), refused.header("accept-encoding")), ("application/sdp", "identity"));
    wrong.kind = "Content-Type: application/sdp\r\nContent-Encoding: gzip\r\n";
    let refused = asked(&mut bob, wrong);
    assert_eq!((refused.find("accept"), refused.find("accept-encoding")), (None, Some("identity")));
    wrong.kind = "Content-Type: application/sdp\r\n";
    assert_eq!(asked(&mut bob, wrong).label(), "406 INVITE");
    wrong.accept = "";
    bob.receive(&wrong.text("last", 99));
    assert_eq!(bob.told(), ["incoming"]);
}

/// A merged request is found before its extensions and its body are looked at (§8.2.2.2).
#[test]
fn a_merged_request_is_one_whatever_else_is_wrong() {
    let mut bob = Lone::new();
    bob.receive(&request("INVITE", "a", 1, "", CONTACT));
    let odd = request("INVITE", "b", 1, "", &format!("{CONTACT}Require: odd\r\n"));
    assert_eq!(bob.ask(&odd).label(), "482 INVITE");
}

/// RFC 5621 §4.1: the description is a part beside a signalling object, and is the offer.
#[test]
fn a_part_is_the_offer_and_gets_its_answer() {
    let body = "--b\r\nContent-Type: application/sdp\r\n\r\nv=0\r\n--b\r\nContent-Type: application/ISUP\r\n\
                Content-Disposition: signal;handling=optional\r\n\r\n7\r\n--b--\r\n";
    let kind = "Content-Type: multipart/mixed;boundary=b\r\n";
    let invite = |body: &str| {
        request("INVITE", "a", 1, "", &format!("{CONTACT}{kind}"))
            .replace("Content-Length: 0\r\n\r\n", &format!("Content-Length: {}\r\n\r\n{body}", body.len()))
    };
    let mut bob = Lone::new();
    bob.receive(&invite(body));
    let call = bob.incoming();
    let Some(Event::Incoming { request, .. }) = bob.events.first() else { panic!() };
    assert_eq!(Body::session_of_request(request), Some(Body::sdp("v=0")));
    // Without an answer it would be none.
    assert!(bob.command(|agent, now| agent.answer(now, call, None)).is_err());
    bob.command(|agent, now| agent.answer(now, call, Body::sdp("v=0\r\n"))).unwrap();
    assert_eq!(one(&mut bob).label(), "200 INVITE");
    let mut bob = Lone::new();
    let refused = bob.ask(&invite(&body.replace("handling=optional", "handling=required")));
    assert_eq!((refused.label().as_str(), refused.header("accept")), ("415 INVITE", "application/sdp"));
}
