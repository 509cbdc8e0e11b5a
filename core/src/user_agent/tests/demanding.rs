//! Demands that a request or response makes of whom it meets, and what it may not say (RFC 3261 §7.3.2, §8.1.1.9, §8.2, §11.2, §13.2.1).

use alloc::format;
use alloc::string::ToString;
use alloc::vec::Vec;

use super::lone::{CONTACT, Lone, invite, request};
use super::text::Text;
use crate::Node;
use crate::error::CommandError;
use crate::extension::Extension;
use crate::message::StatusCode;
use crate::time::Duration;
use crate::user_agent::{Body, CallId, CallState, Cause, Event, Extra, Outgoing, Reply};

const MEDIA: &str = "v=0\r\nm=audio 0 RTP/AVP 0\r\n";

fn labels(sent: &[Text]) -> Vec<alloc::string::String> {
    sent.iter().map(Text::label).collect()
}

fn call(bob: &mut Lone, adapt: impl FnOnce(Outgoing) -> Outgoing) -> (CallId, Text) {
    let outgoing = adapt(Outgoing::to(&"Carol <sip:carol@192.0.2.9>".parse().unwrap()));
    let call = bob.command(|agent, now| agent.call(now, outgoing)).unwrap();
    (call, bob.take().remove(0))
}

/// §7.3.2: a field that does not belong in this kind of message is as if it were not there.
#[test]
fn fields_that_do_not_belong_in_a_message_say_nothing() {
    let of_responses = "WWW-Authenticate: Digest realm=\"a\", nonce=\"b\"\r\nUnsupported: replaces\r\nRetry-After: 5\r\n\
        Min-Expires: 60\r\nMin-SE: 9000\r\nAuthentication-Info: nextnonce=\"c\"\r\nRSeq: 1\r\nError-Info: <sip:e@b.com>\r\n";
    let of_requests = "Max-Forwards: 0\r\nRequire: x-what\r\nProxy-Require: x-what\r\nRoute: <sip:192.0.2.66;lr>\r\nExpires: 0\r\n\
        Authorization: Digest username=\"u\", realm=\"r\", nonce=\"n\", uri=\"sip:x\", response=\"0\"\r\nReplaces: x;to-tag=1;from-tag=2\r\n\
        RAck: 1 1 INVITE\r\nRefer-To: <sip:x@y>\r\n";
    let mut bob = Lone::new();
    bob.receive(&request("INVITE", "i", 10, "", &format!("{CONTACT}{of_responses}")));
    assert_eq!(bob.told(), ["incoming"]);
    let call = bob.incoming();
    bob.command(|agent, now| agent.answer(now, call, None)).unwrap();
    bob.receive(&request("ACK", "a", 10, "bob-tag", of_responses));
    assert_eq!(bob.ask(&request("BYE", "b", 11, "bob-tag", of_responses)).label(), "200 BYE");

    let mut bob = Lone::new();
    let (call, invite) = self::call(&mut bob, |outgoing| outgoing);
    bob.receive(&invite.respond("180 Ringing", "carol-tag", &format!("{CONTACT}{of_requests}")));
    let ack = bob.exchange(&invite.respond("200 OK", "carol-tag", &format!("{CONTACT}{of_requests}")));
    assert_eq!((labels(&ack), ack[0].find("route")), (["ACK".to_string()].into(), None));
    assert_eq!(bob.told(), ["progress 180", "answered 200"]);
    bob.run(Duration::from_secs(60));
    bob.command(|agent, now| agent.hang_up(now, call)).unwrap();
    let bye = bob.take().remove(0);
    assert_eq!((bye.label().as_str(), bye.find("route"), bye.header("max-forwards")), ("BYE", None, "70"));
}

/// §8.1.1.9, and §8.2.2.3: the ACK of the 2xx demands nothing that the INVITE has not.
#[test]
fn a_caller_may_insist_on_an_extension_at_proxies_and_its_ack_demands_no_more() {
    let mut bob = Lone::new();
    let (_, invite) = call(&mut bob, |outgoing| outgoing.header("Proxy-Require", "privacy"));
    assert_eq!((invite.header("proxy-require"), invite.find("require")), ("privacy", None));
    let ack = bob.exchange(&invite.respond("200 OK", "carol-tag", CONTACT)).remove(0);
    assert_eq!((ack.label().as_str(), ack.find("require")), ("ACK", None));
    assert!(ack.find("proxy-require").is_none_or(|tag| tag == "privacy"));

    let demand = || Extra::new().header("Proxy-Require", "sec-agree");
    let owned = Err(CommandError::HeaderOwned("Proxy-Require"));
    let outgoing = Outgoing::to(&"<sip:carol@192.0.2.9>".parse().unwrap());
    assert_eq!(bob.command(|agent, now| agent.call(now, outgoing.clone().ack(demand()))).map(drop), owned);
    let late = bob.command(|agent, now| agent.call(now, outgoing)).unwrap();
    let invite = bob.take().remove(0);
    bob.receive(&super::lone::described(&invite.respond("200 OK", "carol-tag", CONTACT)));
    assert!(bob.take().is_empty(), "the ACK waits for the answer");
    let answer = demand().body(Body::sdp(MEDIA));
    assert_eq!(bob.command(|agent, now| agent.answer_offer(now, late, answer)), owned);
    bob.command(|agent, now| agent.answer_offer(now, late, Body::sdp(MEDIA))).unwrap();
    assert_eq!(labels(&bob.take()), ["ACK"]);
}

/// §8.2.2.1.
#[test]
fn to_may_name_anybody_in_any_scheme() {
    for to in ["<tel:+1-212-555-1111>", "<sip:somebody-else@example.org>", "<x-unknown:thing>", "<sips:bob@biloxi.com>"]
    {
        let mut bob = Lone::new();
        bob.receive(&invite("i", 1).replace("Bob <sip:bob@biloxi.com>", to));
        assert_eq!(bob.told(), ["incoming"], "{to}");
        let call = bob.incoming();
        bob.take();
        bob.command(|agent, now| agent.answer(now, call, None)).unwrap();
        assert_eq!(bob.take()[0].header("to"), format!("{to};tag=bob-tag"));
    }
}

/// §8.2.4, §21.4.16.
#[test]
fn a_421_names_the_extension_that_the_request_would_need() {
    let mut bob = Lone::new();
    bob.receive(&invite("i", 1));
    let call = bob.incoming();
    bob.take();
    let reply = Reply::new(StatusCode::EXTENSION_REQUIRED).require(Extension::Reliable);
    bob.command(|agent, now| agent.reject(now, call, reply)).unwrap();
    let refusal = bob.take().remove(0);
    assert_eq!((refusal.label().as_str(), refusal.header("require")), ("421 INVITE", "100rel"));
}

/// §11.2, RFC 3264 §9.
#[test]
fn options_are_told_what_we_can_do_with_media_if_they_take_a_description() {
    for (accept, body) in [
        ("", MEDIA),
        ("Accept: application/sdp\r\n", MEDIA),
        ("Accept: text/plain, application/*;q=0.3\r\n", MEDIA),
        ("Accept: text/plain\r\n", ""),
        ("Accept: application/sdp;q=0, */*\r\n", ""),
        ("Accept:\r\n", ""),
    ] {
        let mut bob = Lone::with(|_, profile| profile.description = Some(MEDIA.into()));
        let ok = bob.ask(&request("OPTIONS", "o", 1, "", accept));
        assert_eq!((ok.label().as_str(), ok.body.as_str()), ("200 OPTIONS", body), "{accept}");
        assert_eq!(ok.find("content-type"), (!body.is_empty()).then_some("application/sdp"), "{accept}");
        assert_eq!(ok.header("accept"), "application/sdp");
    }
    let ok = Lone::new().ask(&request("OPTIONS", "o", 1, "", ""));
    assert_eq!((ok.body.as_str(), ok.find("content-type")), ("", None), "nothing is known of the media");
}

/// §13.3.1.3, §20.43.
#[test]
fn an_offer_is_refused_with_488_and_a_warning() {
    let warned = |response: &Text| {
        assert_eq!(response.header("warning"), "399 sansip \"No such codec\"");
        response.label()
    };
    let refusal = || Reply::new(StatusCode::NOT_ACCEPTABLE_HERE).warning("No such codec");
    let mut bob = Lone::new();
    bob.receive(&super::lone::described(&invite("i", 10)));
    let call = bob.incoming();
    bob.take();
    bob.command(|agent, now| agent.reject(now, call, refusal())).unwrap();
    assert_eq!(warned(&bob.take()[0]), "488 INVITE");

    let mut bob = Lone::new();
    bob.receive(&super::lone::described(&invite("i", 10)));
    let call = bob.incoming();
    bob.command(|agent, now| agent.answer(now, call, Body::sdp(MEDIA))).unwrap();
    bob.receive(&request("ACK", "a", 10, "bob-tag", ""));
    bob.receive(&super::lone::described(&request("INVITE", "re", 11, "bob-tag", CONTACT)));
    bob.take();
    bob.command(|agent, now| agent.refuse_offer(now, call, refusal())).unwrap();
    assert_eq!(warned(&bob.take()[0]), "488 INVITE");
}

fn expiring(bob: &mut Lone, value: &str) -> (CallId, Text) {
    call(bob, |outgoing| outgoing.header("Expires", value))
}

/// §13.2.1: the UAC cancels its INVITE when its Expires has passed without a final answer.
#[test]
fn an_invite_is_cancelled_when_its_expires_has_passed() {
    let mut bob = Lone::new();
    let (_, invite) = expiring(&mut bob, "20");
    assert_eq!(invite.header("expires"), "20");
    bob.receive(&invite.respond("180 Ringing", "carol-tag", CONTACT));
    bob.run(Duration::from_millis(19_999));
    assert!(bob.take().is_empty());
    bob.run(Duration::from_millis(1));
    let cancel = bob.take();
    assert_eq!(labels(&cancel), ["CANCEL"]);
    assert_eq!(bob.told(), ["progress 180", "failed 487 (none)"]);
    assert!(matches!(bob.events.last(), Some(Event::Failed { cause: Cause::Expired, .. })));
    assert!(bob.agent.calls().next().is_none());
    bob.receive(&cancel[0].respond("200 OK", "carol-tag", ""));
    assert_eq!(labels(&bob.exchange(&invite.respond("487 Request Terminated", "carol-tag", ""))), ["ACK"]);
    assert_eq!(bob.events.len(), 2, "its end is told once");
    bob.finish();
}

/// §13.2.1, §9.1.
#[test]
fn the_end_of_an_invites_expires_crosses_what_else_may_happen() {
    // Nobody has said anything: the CANCEL waits.
    let mut bob = Lone::new();
    let (_, invite) = expiring(&mut bob, "1");
    bob.run(Duration::from_secs(2));
    assert!(bob.take().iter().all(|sent| sent.label() == "INVITE"));
    assert_eq!(bob.told(), ["failed 487 (none)"]);
    assert_eq!(labels(&bob.exchange(&invite.respond("100 Trying", "", ""))), ["CANCEL"]);
    bob.finish();
    // The answer has crossed the CANCEL.
    let mut bob = Lone::new();
    let (_, invite) = expiring(&mut bob, "1");
    bob.receive(&invite.respond("180 Ringing", "carol-tag", CONTACT));
    bob.run(Duration::from_secs(1));
    bob.take();
    assert_eq!(labels(&bob.exchange(&invite.respond("200 OK", "carol-tag", CONTACT))), ["ACK", "BYE"]);
    bob.finish();
    assert_eq!(bob.told(), ["progress 180", "failed 487 (none)"]);
    // An answer, a refusal and a CANCEL of the user's end the wait.
    for (status, told) in [("200 OK", "answered 200"), ("486 Busy Here", "failed 486")] {
        let mut bob = Lone::new();
        let (call, invite) = expiring(&mut bob, "20");
        bob.receive(&invite.respond(status, "carol-tag", CONTACT));
        let is_up = status == "200 OK";
        bob.run(Duration::from_secs(19));
        bob.take();
        bob.run(Duration::from_secs(60));
        assert!(bob.take().is_empty());
        assert_eq!(bob.told(), [told]);
        assert_eq!(bob.agent.calls().next().map(|call| call.state), is_up.then_some(CallState::Established));
        let mut bob = bob.clone();
        if is_up {
            bob.command(|agent, now| agent.hang_up(now, call)).unwrap();
        }
        bob.finish();
        // Nothing waits for an end that is of no matter any more.
        let mut bob = Lone::new();
        let (_, invite) = expiring(&mut bob, "100000");
        bob.receive(&invite.respond(status, "carol-tag", CONTACT));
        bob.run(Duration::from_secs(60));
        assert_eq!(bob.agent.deadline(), None);
    }
    let mut bob = Lone::new();
    let (call, invite) = expiring(&mut bob, "1");
    bob.receive(&invite.respond("180 Ringing", "carol-tag", CONTACT));
    bob.command(|agent, now| agent.cancel(now, call)).unwrap();
    bob.run(Duration::from_secs(2));
    assert_eq!(bob.take().iter().filter(|sent| sent.label() == "CANCEL").count(), 3, "one, and its retransmissions");
    bob.receive(&invite.respond("487 Request Terminated", "carol-tag", ""));
    assert_eq!(bob.told(), ["progress 180", "failed 487"]);
    bob.finish();
    // What cannot be read is no limit.
    let mut bob = Lone::new();
    let (_, invite) = expiring(&mut bob, "soon");
    bob.receive(&invite.respond("180 Ringing", "carol-tag", CONTACT));
    bob.run(Duration::from_secs(200));
    assert!(bob.take().is_empty());
}
