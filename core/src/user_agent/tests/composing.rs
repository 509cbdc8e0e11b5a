//! Fields and bodies that the application puts into requests and responses.

use alloc::string::ToString;

use super::lone::{CONTACT, Lone, described, request};
use crate::error::CommandError;
use crate::message::StatusCode;
use crate::time::Duration;
use crate::user_agent::{Body, Cause, Event, Extra, Outgoing, Reply};

fn carol() -> crate::message::header::NameAddrBuf {
    "Carol <sip:carol@192.0.2.9>".parse().unwrap()
}

#[test]
fn a_call_says_what_the_application_gives() {
    let mut bob = Lone::new();
    let outgoing = Outgoing::to(&carol())
        .from(&"Robert <sip:robert@biloxi.com>".parse().unwrap())
        .request_uri(&"sip:carol@192.0.2.10:5070".parse().unwrap())
        .route(&"sip:192.0.2.11;lr".parse().unwrap())
        .route(&"sip:p2.chicago.com;lr".parse().unwrap())
        .header("Subject", "Lunch")
        .header("X-Thing", "1")
        .body(Body::sdp("v=0\r\n"));
    bob.command(|agent, now| agent.call(now, outgoing)).unwrap();
    let invite = bob.take().remove(0);
    assert_eq!(invite.label(), "INVITE");
    assert_eq!(invite.start, "INVITE sip:carol@192.0.2.10:5070 SIP/2.0");
    assert_eq!(invite.header("route"), "<sip:192.0.2.11;lr>, <sip:p2.chicago.com;lr>");
    assert_eq!(invite.header("to"), "Carol <sip:carol@192.0.2.9>");
    assert!(invite.header("from").starts_with("Robert <sip:robert@biloxi.com>;tag="));
    assert_eq!((invite.header("subject"), invite.header("x-thing")), ("Lunch", "1"));
    assert_eq!(invite.header("content-type"), "application/sdp");
    assert_eq!(bob.ways.last().unwrap().to_string(), "192.0.2.11:5060", "the first route is the next hop");
}

#[test]
fn the_routes_of_the_profile_stand_where_a_call_has_none_of_its_own() {
    let mut bob = Lone::with(|_, profile| profile.routes.push("sip:192.0.2.11;lr".parse().unwrap()));
    bob.command(|agent, now| agent.call(now, &carol())).unwrap();
    bob.command(|agent, now| agent.call(now, Outgoing::to(&carol()).route(&"sip:192.0.2.12;lr".parse().unwrap())))
        .unwrap();
    let routes: alloc::vec::Vec<_> = bob.take().iter().map(|invite| invite.header("route").to_string()).collect();
    assert_eq!(routes, ["<sip:192.0.2.11;lr>", "<sip:192.0.2.12;lr>"]);
}

#[test]
fn what_the_core_writes_is_refused_by_name_and_nothing_is_sent() {
    let mut bob = Lone::new();
    for name in ["Via", "v", "cseq", "Call-ID", "f", "Contact", "Max-Forwards", "Content-Length", "Route", "Require"] {
        let refused = bob.command(|agent, now| agent.call(now, Outgoing::to(&carol()).header(name, "x")));
        assert!(matches!(refused, Err(CommandError::HeaderOwned(_))), "{name}: {refused:?}");
    }
    for (name, value) in [("Subject", "a\r\nEvil: yes"), ("Sub ject", "a"), ("", "a"), ("X-Y", "\0")] {
        let refused = bob.command(|agent, now| agent.call(now, Outgoing::to(&carol()).header(name, value)));
        assert_eq!(refused, Err(CommandError::Invalid("header")), "{name}: {value}");
    }
    let tel = "<tel:+1>".parse().unwrap();
    assert_eq!(bob.command(|agent, now| agent.call(now, &tel)), Err(CommandError::NotSip));
    let route = Outgoing::to(&carol()).route(&"tel:+1".parse().unwrap());
    assert_eq!(bob.command(|agent, now| agent.call(now, route)), Err(CommandError::NotSip));
    assert!(bob.take().is_empty());
    assert_eq!(bob.agent.user().census(), crate::user_agent::Census::default());

    bob.receive(&request("INVITE", "a", 1, "", CONTACT));
    let call = bob.incoming();
    let extra = || Extra::new().header("To", "x");
    let owned = Err(CommandError::HeaderOwned("To"));
    assert_eq!(bob.command(|agent, now| agent.progress(now, call, StatusCode::SESSION_PROGRESS, extra())), owned);
    assert_eq!(bob.command(|agent, now| agent.answer(now, call, extra())), owned);
    assert_eq!(bob.command(|agent, now| agent.hang_up_with(now, call, extra())), owned);
    let reply = Reply::new(StatusCode::BUSY_HERE).header("To", "x");
    assert_eq!(bob.command(|agent, now| agent.reject(now, call, reply)), owned);
    for status in [StatusCode::TRYING, StatusCode::OK] {
        let refused = bob.command(|agent, now| agent.progress(now, call, status, Extra::new()));
        assert_eq!(refused, Err(CommandError::Invalid("status")));
    }
    assert!(bob.take().iter().all(|sent| sent.label() == "100 INVITE"), "nothing but a 100");
}

#[test]
fn early_media_is_offered_by_183_which_is_repeated_every_minute() {
    let mut bob = Lone::new();
    bob.receive(&described(&request("INVITE", "a", 1, "", CONTACT)));
    let call = bob.incoming();
    let media = || Extra::from(Body::sdp("v=0\r\n")).header("P-Early-Media", "sendrecv");
    bob.command(|agent, now| agent.progress(now, call, StatusCode::SESSION_PROGRESS, media())).unwrap();
    bob.run(Duration::from_secs(130));
    let sent = bob.take();
    let progress: alloc::vec::Vec<_> = sent.iter().filter(|sent| sent.label() == "183 INVITE").collect();
    assert_eq!(progress.len(), 3, "at once and after each minute");
    for response in &progress {
        assert_eq!(*response, progress[0]);
        assert_eq!(response.header("p-early-media"), "sendrecv");
        assert_eq!(response.header("content-type"), "application/sdp");
    }
    bob.command(|agent, now| agent.ring(now, call)).unwrap();
    bob.run(Duration::from_secs(61));
    let labels: alloc::vec::Vec<_> = bob.take().iter().map(super::text::Text::label).collect();
    assert_eq!(labels, ["180 INVITE", "180 INVITE"], "the last one is repeated");
}

#[test]
fn a_rejection_says_where_when_and_why() {
    let mut bob = Lone::new();
    bob.receive(&request("INVITE", "a", 1, "", CONTACT));
    let call = bob.incoming();
    let reply = Reply::new(StatusCode::MOVED_TEMPORARILY)
        .contact(&"sip:bob@phone.biloxi.com".parse().unwrap())
        .contact(&"sip:bob@mobile.biloxi.com".parse().unwrap())
        .retry_after(120)
        .warning("The \"line\" is in use")
        .header("Reason", "SIP;cause=302");
    bob.command(|agent, now| agent.reject(now, call, reply)).unwrap();
    let response = bob.take().pop().unwrap();
    assert_eq!(response.label(), "302 INVITE");
    assert_eq!(response.headers["contact"], ["<sip:bob@phone.biloxi.com>", "<sip:bob@mobile.biloxi.com>"]);
    assert_eq!(response.header("retry-after"), "120");
    assert_eq!(response.header("warning"), "399 sansip \"The \\\"line\\\" is in use\"");
    assert_eq!(response.header("reason"), "SIP;cause=302");
}

#[test]
fn a_bye_that_waits_for_the_ack_says_what_was_given_when_the_user_hung_up() {
    let mut bob = Lone::new();
    bob.receive(&request("INVITE", "a", 1, "", CONTACT));
    let call = bob.incoming();
    bob.command(|agent, now| agent.answer(now, call, Extra::new().header("X-Answer", "yes"))).unwrap();
    let ok = bob.take().pop().unwrap();
    assert_eq!(ok.header("x-answer"), "yes");
    bob.command(|agent, now| agent.hang_up_with(now, call, Extra::new().header("Reason", "SIP;cause=200"))).unwrap();
    assert!(bob.take().is_empty());
    let tag = ok.header("to").rsplit_once("tag=").unwrap().1.to_string();
    bob.receive(&request("ACK", "b", 1, &tag, ""));
    let bye = bob.take().pop().unwrap();
    assert_eq!((bye.label().as_str(), bye.header("reason")), ("BYE", "SIP;cause=200"));
}

/// RFC 3326 §3: why the caller does not want the call any more, or the peer hangs up.
#[test]
fn events_show_the_reason_that_the_peer_gives() {
    let reason = "Reason: SIP;cause=200;text=\"Call completed elsewhere\"\r\n";
    let mut bob = Lone::new();
    bob.receive(&request("INVITE", "a", 1, "", CONTACT));
    bob.receive(&request("CANCEL", "a", 1, "", reason));
    let Some(Event::Failed { cause: Cause::Cancelled(Some(cancel)), .. }) = bob.events.last() else {
        panic!("{:?}", bob.events)
    };
    let said = |request: &crate::message::Request| {
        request.headers().raw("Reason").map(|value| value.escape_ascii().to_string())
    };
    assert_eq!(said(cancel).as_deref(), Some("SIP;cause=200;text=\\\"Call completed elsewhere\\\""));

    bob.receive(&request("INVITE", "c", 2, "", CONTACT));
    let call = bob.incoming();
    bob.command(|agent, now| agent.answer(now, call, None)).unwrap();
    let tag = bob.take().pop().unwrap().header("to").rsplit_once("tag=").unwrap().1.to_string();
    bob.receive(&request("ACK", "d", 2, &tag, ""));
    bob.receive(&request("BYE", "e", 3, &tag, reason));
    let Some(Event::Ended { bye: Some(bye), .. }) = bob.events.last() else { panic!("{:?}", bob.events) };
    assert!(said(bye).is_some());
}
