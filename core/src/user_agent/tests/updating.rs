//! UPDATEs of either end, before the answer and after it (RFC 3311).

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use super::lone::{CONTACT, Lone, described, invite, request};
use super::pair::Pair;
use super::pair::Who::{Alice, Bob};
use super::text::Text;
use crate::dialog::DialogId;
use crate::error::CommandError;
use crate::message::StatusCode;
use crate::time::Duration;
use crate::user_agent::{Body, CallId, CallState, Event, Extra};

const OK: Result<(), CommandError> = Ok(());
const WRONG: Result<(), CommandError> = Err(CommandError::WrongState);
const MOVED: &str = "Contact: <sip:carol@192.0.2.9:5070>\r\n";

fn labels(sent: &[Text]) -> Vec<String> {
    sent.iter().map(Text::label).collect()
}

fn sdp(version: u32) -> Body {
    Body::sdp(format!("v=0\r\no=- 1 {version} IN IP4 192.0.2.4\r\n"))
}

/// Carol has called Bob, who rings.
fn ringing() -> (Lone, CallId) {
    let mut bob = Lone::new();
    bob.receive(&described(&invite("i", 10)));
    let call = bob.incoming();
    bob.command(|agent, now| agent.ring(now, call)).unwrap();
    bob.take();
    bob.events.clear();
    (bob, call)
}

/// Carol has called Bob, whose 200 with the answer has not been acknowledged.
fn accepted() -> (Lone, CallId) {
    let (mut bob, call) = ringing();
    bob.command(|agent, now| agent.answer(now, call, sdp(1))).unwrap();
    bob.take();
    (bob, call)
}

/// Carol has called Bob.
fn called() -> (Lone, CallId) {
    let (mut bob, call) = accepted();
    bob.receive(&request("ACK", "a", 10, "bob-tag", ""));
    bob.events.clear();
    (bob, call)
}

/// Bob calls Carol, and branches of a fork ring; the INVITE, and the early dialogs.
fn calling(tags: &[&str]) -> (Lone, CallId, Text, Vec<DialogId>) {
    let mut bob = Lone::new();
    let (call, invite) = bob.call();
    for tag in tags {
        bob.receive(&invite.respond("180 Ringing", tag, CONTACT));
    }
    let dialogs = bob.events.iter().filter_map(|event| match event {
        Event::Progress { dialog, .. } => *dialog,
        _ => None,
    });
    let dialogs = dialogs.collect();
    bob.events.clear();
    (bob, call, invite, dialogs)
}

fn update(branch: &str, number: u32, extra: &str) -> String {
    request("UPDATE", branch, number, "bob-tag", extra)
}

fn hang_up(bob: &mut Lone, call: CallId) -> Text {
    bob.command(|agent, now| agent.hang_up(now, call)).unwrap();
    let bye = bob.take().pop().unwrap();
    assert_eq!(bye.label(), "BYE");
    bob.receive(&bye.respond("200 OK", "", ""));
    bye
}

/// §5.1, §5.3.
#[test]
fn either_end_updates_the_session_as_often_as_wanted() {
    let mut pair = Pair::new();
    let (alice, bob) = pair.establish();
    for (who, call, other, its) in [(Alice, alice, Bob, bob), (Bob, bob, Alice, alice), (Alice, alice, Bob, bob)] {
        pair.events.clear();
        assert_eq!(pair.command(who, |agent, now| agent.update(now, call, sdp(2))), OK);
        assert_eq!(pair.command(who, |agent, now| agent.update(now, call, None)), WRONG);
        pair.run(Duration::from_millis(500));
        assert_eq!(pair.told(other), ["offered"]);
        let update = pair.last(who, "UPDATE");
        assert_eq!(update.body, "v=0\r\no=- 1 2 IN IP4 192.0.2.4\r\n");
        assert_eq!(update.header("contact"), pair.last(who, "UPDATE").header("contact"));
        assert_eq!(pair.command(other, |agent, now| agent.accept_offer(now, its, sdp(3))), OK);
        pair.run(Duration::from_secs(3));
        assert_eq!(
            (pair.told(who), pair.told(other)),
            (["modified 200".to_string()].into(), ["offered".to_string()].into())
        );
        assert_eq!(pair.last(other, "200 UPDATE").body, "v=0\r\no=- 1 3 IN IP4 192.0.2.4\r\n");
        assert!(pair.last(other, "200 UPDATE").find("contact").is_some(), "a target refresh (§12.2.2)");
    }
    // A change by re-INVITE follows an UPDATE, and the other way round.
    pair.command(Alice, |agent, now| agent.update(now, alice, sdp(4))).unwrap();
    assert_eq!(pair.command(Alice, |agent, now| agent.modify(now, alice, sdp(5))), WRONG);
    pair.run(Duration::from_millis(500));
    assert_eq!(pair.command(Bob, |agent, now| agent.modify(now, bob, sdp(5))), WRONG);
    assert_eq!(pair.command(Bob, |agent, now| agent.update(now, bob, sdp(5))), WRONG);
    pair.command(Bob, |agent, now| agent.accept_offer(now, bob, sdp(5))).unwrap();
    pair.run(Duration::from_millis(500));
    pair.command(Alice, |agent, now| agent.modify(now, alice, sdp(6))).unwrap();
    assert_eq!(pair.command(Alice, |agent, now| agent.update(now, alice, sdp(7))), WRONG);
    pair.run(Duration::from_millis(500));
    pair.command(Bob, |agent, now| agent.accept_offer(now, bob, sdp(7))).unwrap();
    pair.run(Duration::from_secs(1));
    pair.hang_up(Bob, bob);
    pair.finish();
}

/// RFC 3261 §12.2.1.2, §12.2.2; RFC 6141 §4.6, §4.7.
#[test]
fn an_update_says_anew_where_its_end_can_be_reached() {
    for (body, status, target) in [
        ("", 200, "sip:carol@192.0.2.9:5070"),
        ("sdp", 200, "sip:carol@192.0.2.9:5070"),
        ("sdp", 488, "sip:carol@192.0.2.9"),
    ] {
        let (mut bob, call) = called();
        let text = update("u", 11, MOVED);
        let sent = bob.exchange(&if body.is_empty() { text } else { described(&text) });
        match (body, status) {
            ("", _) => {
                assert_eq!(labels(&sent), ["200 UPDATE"], "at once");
                assert_eq!((sent[0].body.as_str(), bob.told().len()), ("", 0));
            }
            (_, 200) => bob.command(|agent, now| agent.accept_offer(now, call, sdp(2))).unwrap(),
            _ => bob.command(|agent, now| agent.refuse_offer(now, call, StatusCode::NOT_ACCEPTABLE_HERE)).unwrap(),
        }
        bob.take();
        assert_eq!(hang_up(&mut bob, call).start, format!("BYE {target} SIP/2.0"));
        bob.finish();
    }
    let (mut bob, call) = called();
    bob.command(|agent, now| agent.update(now, call, Extra::new().header("Subject", "moved"))).unwrap();
    let sent = bob.take().remove(0);
    assert_eq!((sent.header("subject"), sent.header("contact")), ("moved", "<sip:bob@192.0.2.4>"));
    bob.receive(&sent.respond("200 OK", "", MOVED));
    assert_eq!(bob.told(), ["modified 200"]);
    assert_eq!(hang_up(&mut bob, call).start, "BYE sip:carol@192.0.2.9:5070 SIP/2.0");
    bob.finish();
}

/// §5.2: 500 with Retry-After while one of the peer's is unanswered, 491 while one of ours is; RFC 3261 §14.2 for INVITEs.
#[test]
fn an_offer_during_an_offer_is_told_to_come_later() {
    let (mut bob, call) = called();
    assert!(bob.exchange(&described(&update("u1", 11, CONTACT))).is_empty());
    let texts = [
        described(&update("u2", 12, CONTACT)),
        update("u3", 13, CONTACT),
        described(&request("INVITE", "re", 14, "bob-tag", CONTACT)),
    ];
    for text in texts {
        let response = bob.ask(&text);
        assert_eq!(response.start, "SIP/2.0 500 Server Internal Error");
        assert!(response.header("retry-after").parse::<u32>().unwrap() <= 10);
    }
    bob.command(|agent, now| agent.accept_offer(now, call, sdp(2))).unwrap();
    assert_eq!(labels(&bob.take()), ["200 UPDATE"]);

    let (mut bob, call) = called();
    bob.command(|agent, now| agent.update(now, call, sdp(2))).unwrap();
    bob.take();
    for text in [described(&update("u", 11, CONTACT)), described(&request("INVITE", "re", 12, "bob-tag", CONTACT))] {
        assert_eq!(bob.ask(&text).start, "SIP/2.0 491 Request Pending");
    }
    // One that offers nothing is in nobody's way.
    assert_eq!(bob.ask(&update("plain", 13, CONTACT)).start, "SIP/2.0 200 OK");

    // Our INVITE's offer is unanswered, and so is the peer's.
    let (mut bob, call) = ringing();
    let response = bob.ask(&described(&update("u", 11, CONTACT)));
    assert_eq!(response.start, "SIP/2.0 500 Server Internal Error");
    assert!(response.find("retry-after").is_some());
    assert_eq!(bob.command(|agent, now| agent.update(now, call, sdp(2))), WRONG);
    assert_eq!(bob.ask(&update("plain", 12, CONTACT)).start, "SIP/2.0 200 OK");
}

/// §5.2: "responded to promptly"; 504 where the user would have to be asked.
#[test]
fn an_update_that_nobody_decides_on_is_refused_in_time() {
    for (decision_time, waits) in [(10, 10_000), (600, 31_500)] {
        let mut bob = Lone::with(|_, profile| profile.decision_time = Duration::from_secs(decision_time));
        bob.receive(&described(&invite("i", 10)));
        let call = bob.incoming();
        bob.command(|agent, now| agent.answer(now, call, sdp(1))).unwrap();
        bob.receive(&request("ACK", "a", 10, "bob-tag", ""));
        bob.events.clear();
        bob.exchange(&described(&update("u", 11, CONTACT)));
        bob.run(Duration::from_millis(waits - 1));
        assert!(bob.take().iter().all(|sent| sent.label() == "100 UPDATE"));
        bob.run(Duration::from_millis(1));
        assert_eq!(bob.take().remove(0).start, "SIP/2.0 504 Server Time-out");
        assert_eq!(bob.told(), ["offered", "offer lapsed 487"]);
        assert_eq!(bob.command(|agent, now| agent.accept_offer(now, call, sdp(3))), WRONG);
        assert_eq!(bob.command(|agent, now| agent.update(now, call, sdp(3))), OK);
    }
}

#[test]
fn an_offer_is_accepted_with_an_answer_and_refused_with_a_status_that_ends_nothing_else() {
    let (mut bob, call) = called();
    bob.receive(&described(&update("u", 11, CONTACT)));
    let none = bob.command(|agent, now| agent.accept_offer(now, call, None));
    assert_eq!(none, Err(CommandError::Invalid("answer")));
    for status in [200, 404, 408, 481] {
        let status = StatusCode::new(status).unwrap();
        let refused = bob.command(|agent, now| agent.refuse_offer(now, call, status));
        assert_eq!(refused, Err(CommandError::Invalid("status")));
    }
    bob.command(|agent, now| agent.refuse_offer(now, call, StatusCode::NOT_ACCEPTABLE_HERE)).unwrap();
    assert_eq!(labels(&bob.take()), ["488 UPDATE"]);
    assert_eq!(bob.ask(&request("CANCEL", "u", 11, "bob-tag", "")).label(), "200 CANCEL");
    assert_eq!(bob.told(), ["offered"], "no CANCEL undoes an UPDATE");
    hang_up(&mut bob, call);
    bob.finish();
}

/// §5.3, RFC 3261 §14.1.
#[test]
fn an_update_that_meets_one_of_the_peers_goes_out_again() {
    let (mut bob, call) = called();
    bob.command(|agent, now| agent.update(now, call, sdp(2))).unwrap();
    let mut bodies = Vec::new();
    for _ in 0..6 {
        let mut sent = bob.take();
        for _ in 0..201 {
            if sent.is_empty() {
                bob.run(Duration::from_millis(10));
                sent = bob.take();
            }
        }
        bodies.push(sent[0].body.clone());
        assert!(bob.told().is_empty());
        bob.exchange(&sent[0].respond("491 Request Pending", "", ""));
    }
    // `Limits::glares` is 5.
    assert_eq!(
        (bodies, bob.told()),
        (alloc::vec!["v=0\r\no=- 1 2 IN IP4 192.0.2.4\r\n".to_string(); 6], ["modify failed 491".to_string()].into())
    );
    // While it waits, the peer's comes first.
    bob.events.clear();
    bob.command(|agent, now| agent.update(now, call, sdp(3))).unwrap();
    let ours = bob.take().remove(0);
    bob.receive(&ours.respond("491 Request Pending", "", ""));
    bob.receive(&described(&update("u", 11, CONTACT)));
    bob.run(Duration::from_secs(5));
    assert!(bob.take().iter().all(|sent| sent.label() == "100 UPDATE"));
    assert_eq!(bob.told(), ["offered"]);
    bob.command(|agent, now| agent.accept_offer(now, call, sdp(4))).unwrap();
    bob.run(Duration::from_secs(3));
    let sent = bob.take();
    assert_eq!(labels(&sent[..2]), ["200 UPDATE", "UPDATE"]);
    bob.receive(&sent[1].respond("488 Not Acceptable Here", "", ""));
    assert_eq!(bob.told(), ["offered", "modify failed 488"]);
    hang_up(&mut bob, call);
    bob.finish();
}

/// §5.3, RFC 5057 §5.1 (405 and 501 leave the session to an UPDATE, note 3).
#[test]
fn the_failure_of_an_update_ends_the_call_where_it_says_that_there_is_none() {
    for (status, ends) in [
        ("481 Call/Transaction Does Not Exist", Some("")),
        ("404 Not Found", Some("")),
        ("408 Request Timeout", Some("BYE")),
        ("405 Method Not Allowed", None),
        ("501 Not Implemented", None),
        ("488 Not Acceptable Here", None),
        ("504 Server Time-out", None),
        ("603 Decline", None),
    ] {
        let (mut bob, call) = called();
        bob.command(|agent, now| agent.update(now, call, sdp(2))).unwrap();
        let update = bob.take().remove(0);
        let sent = labels(&bob.exchange(&update.respond(status, "", "")));
        assert_eq!(sent.join(" "), ends.unwrap_or_default(), "{status}");
        let mut told = Vec::from([format!("modify failed {}", &status[..3])]);
        told.extend(ends.map(|_| "ended Lost".to_string()));
        assert_eq!(bob.told(), told);
        if ends.is_none() {
            assert_eq!(bob.command(|agent, now| agent.update(now, call, sdp(2))), OK, "the session is as it was");
            bob.take();
            hang_up(&mut bob, call);
        }
        bob.finish();
    }
    let (mut bob, call) = called();
    bob.command(|agent, now| agent.update(now, call, None)).unwrap();
    bob.run(Duration::from_secs(33));
    assert_eq!(bob.told(), ["modify failed 408", "ended Lost"]);
    bob.finish();
}

/// The peer may not have heard of the dialog before its ACK comes: a 481 would end the call at this end alone.
#[test]
fn an_update_waits_for_the_ack_of_the_2xx() {
    let (mut bob, call) = accepted();
    let early = bob.command(|agent, now| agent.update(now, call, sdp(2)));
    assert_eq!(early.err(), Some(crate::CommandError::WrongState));
    bob.receive(&request("ACK", "a", 10, "bob-tag", ""));
    bob.command(|agent, now| agent.update(now, call, sdp(2))).unwrap();
    assert_eq!(labels(&bob.take()), ["UPDATE"]);
}

/// §5.3 says that the dialog ends; the INVITE cannot be answered in it any more.
#[test]
fn an_update_that_finds_no_early_dialog_ends_the_invite() {
    // RFC 5057 §5.2: nor does one that nobody answers.
    for status in [Some("481 Call/Transaction Does Not Exist"), Some("408 Request Timeout"), None] {
        let failed = format!("modify failed {}", status.map_or("408", |status| &status[..3]));
        let end = |bob: &mut Lone| {
            let update = bob.take().remove(0);
            match status {
                Some(status) => bob.receive(&update.respond(status, "", "")),
                None => {
                    bob.run(Duration::from_millis(31_999));
                    assert!(bob.take().iter().all(|sent| *sent == update));
                    bob.run(Duration::from_millis(1));
                }
            }
            labels(&bob.take())
        };
        let (mut bob, call) = ringing();
        bob.command(|agent, now| agent.update(now, call, None)).unwrap();
        assert_eq!(end(&mut bob), ["500 INVITE"], "{status:?}");
        assert_eq!(bob.told(), [&failed, "failed 481 (none)"], "{status:?}");
        bob.receive(&request("ACK", "i", 10, "bob-tag", ""));
        bob.finish();

        let (mut bob, call, invite, _) = calling(&["a"]);
        bob.command(|agent, now| agent.update(now, call, None)).unwrap();
        assert_eq!(end(&mut bob), ["CANCEL"], "{status:?}");
        assert_eq!(bob.told(), [&failed, "failed 481 (none)"], "{status:?}");
        // A 2xx that comes all the same.
        assert_eq!(labels(&bob.exchange(&invite.respond("200 OK", "a", CONTACT))), ["ACK", "BYE"]);
        bob.finish();

        // The other branch of a fork may still answer.
        let (mut bob, call, invite, dialogs) = calling(&["a", "b"]);
        bob.command(|agent, now| agent.update(now, (call, dialogs[0]), None)).unwrap();
        assert!(end(&mut bob).is_empty(), "{status:?}");
        bob.receive(&invite.respond("200 OK", "b", CONTACT));
        assert_eq!(bob.told(), [&failed, "answered 200"], "{status:?}");
    }
}

#[test]
fn each_early_dialog_of_a_fork_has_its_updates() {
    let (mut bob, call, invite, dialogs) = calling(&["a", "b"]);
    assert_eq!(bob.command(|agent, now| agent.update(now, call, None)), WRONG, "which one?");
    for (dialog, tag) in dialogs.iter().zip(["a", "b"]) {
        assert_eq!(bob.command(|agent, now| agent.update(now, (call, *dialog), None)), OK);
        let update = bob.take().remove(0);
        assert_eq!((update.tag_of("to"), update.start.as_str()), (tag, "UPDATE sip:carol@192.0.2.9 SIP/2.0"));
        bob.receive(&update.respond("200 OK", "", MOVED));
    }
    let told: Vec<Option<DialogId>> = bob
        .events
        .iter()
        .map(|event| match event {
            Event::Modified { dialog, .. } => Some(*dialog),
            _ => None,
        })
        .collect();
    assert_eq!(told, [Some(dialogs[0]), Some(dialogs[1])]);
    // The peer's, in one of them.
    let theirs = |number: u32, tag: &str| {
        let text = request("UPDATE", &format!("u{number}{tag}"), number, "bob-tag", MOVED);
        text.replace("Call-ID: 1j9FpLxk3uxtm8tn@chicago.com", &format!("Call-ID: {}", invite.header("call-id")))
            .replace(
                "From: Carol <sip:carol@chicago.com>;tag=carol-tag",
                &format!("From: {};tag={tag}", invite.header("to")),
            )
            .replace("To: Bob <sip:bob@biloxi.com>;tag=bob-tag", &format!("To: {}", invite.header("from")))
    };
    assert_eq!(bob.ask(&theirs(1, "a")).start, "SIP/2.0 200 OK");
    assert_eq!(bob.ask(&theirs(1, "c")).start, "SIP/2.0 481 Call/Transaction Does Not Exist");
    bob.receive(&invite.respond("200 OK", "b", CONTACT));
    bob.take();
    // One that has lost is over for good.
    assert_eq!(bob.command(|agent, now| agent.update(now, (call, dialogs[0]), None)), WRONG);
    assert_eq!(bob.command(|agent, now| agent.update(now, call, None)), OK);
    assert_eq!(bob.take()[0].tag_of("to"), "b");
    bob.run(Duration::from_secs(40));
    assert_eq!(bob.command(|agent, now| agent.update(now, (call, dialogs[0]), None)), Err(CommandError::Gone));
}

#[test]
fn an_update_is_for_a_call_with_a_dialog_that_goes_on() {
    let mut bob = Lone::new();
    let (call, invite) = bob.call();
    assert_eq!(bob.command(|agent, now| agent.update(now, call, None)), WRONG, "no dialog yet");
    bob.receive(&invite.respond("180 Ringing", "a", CONTACT));
    let owned = bob.command(|agent, now| agent.update(now, call, Extra::new().header("Contact", "x")));
    assert_eq!(owned, Err(CommandError::HeaderOwned("Contact")));
    assert_eq!(bob.command(|agent, now| agent.accept_offer(now, call, sdp(1))), WRONG);
    assert_eq!(bob.command(|agent, now| agent.refuse_offer(now, call, StatusCode::DECLINE)), WRONG);
    bob.command(|agent, now| agent.cancel(now, call)).unwrap();
    assert_eq!(bob.command(|agent, now| agent.update(now, call, None)), WRONG);

    let (mut bob, call) = accepted();
    bob.command(|agent, now| agent.hang_up(now, call)).unwrap();
    assert_eq!(bob.command(|agent, now| agent.update(now, call, None)), WRONG);
    // RFC 5407 §3.2.3.
    assert_eq!(bob.ask(&update("u", 11, CONTACT)).start, "SIP/2.0 481 Call/Transaction Does Not Exist");
    let (mut bob, _) = called();
    assert_eq!(bob.ask(&update("u", 10, CONTACT)).start, "SIP/2.0 500 Server Internal Error", "out of order");
    let outside = request("UPDATE", "o", 11, "", CONTACT).replace("1j9FpLxk3uxtm8tn", "other");
    assert_eq!(bob.ask(&outside).start, "SIP/2.0 481 Call/Transaction Does Not Exist");
}

/// RFC 3261 §15.1.2.
#[test]
fn the_end_of_the_call_answers_an_update_and_drops_ours() {
    let (mut bob, _) = called();
    bob.receive(&described(&update("u", 11, CONTACT)));
    let mut sent = labels(&bob.exchange(&request("BYE", "b", 12, "bob-tag", "")));
    sent.sort();
    assert_eq!(sent, ["200 BYE", "487 UPDATE"]);
    assert_eq!(bob.told(), ["offered", "ended Remote"]);
    bob.finish();

    let (mut bob, call) = called();
    bob.command(|agent, now| agent.update(now, call, sdp(2))).unwrap();
    let ours = bob.take().remove(0);
    bob.receive(&ours.respond("491 Request Pending", "", ""));
    bob.receive(&request("BYE", "b", 11, "bob-tag", ""));
    bob.run(Duration::from_secs(5));
    assert_eq!(
        (labels(&bob.take()), bob.told()),
        (["200 BYE".to_string()].into(), ["ended Remote".to_string()].into())
    );
    bob.finish();

    // The caller gives up while each end has an UPDATE out.
    let (mut bob, call) = ringing();
    bob.command(|agent, now| agent.update(now, call, None)).unwrap();
    let ours = bob.take().remove(0);
    bob.receive(&request("CANCEL", "i", 10, "", ""));
    bob.receive(&request("ACK", "i", 10, "bob-tag", ""));
    bob.receive(&ours.respond("200 OK", "", MOVED));
    assert_eq!(bob.told(), ["failed 487 (none)"]);
    bob.finish();
}

/// A 401 is answered with credentials and the next number of the dialog; the offer stays the same.
#[test]
fn an_update_that_is_challenged_goes_out_with_credentials() {
    use crate::auth::{Login, Scope, Secret};
    let (mut bob, call) = called();
    bob.agent.login(Scope::Any, Login::new("bob", Secret::password("zanzibar"))).unwrap();
    bob.command(|agent, now| agent.update(now, call, sdp(2))).unwrap();
    let first = bob.take().remove(0);
    let challenge = "WWW-Authenticate: Digest realm=\"biloxi.com\", nonce=\"n\", algorithm=MD5\r\n";
    let again = bob.exchange(&first.respond("401 Unauthorized", "", challenge)).remove(0);
    assert_eq!((again.label().as_str(), again.body.as_str()), ("UPDATE", first.body.as_str()));
    assert!(again.find("authorization").is_some());
    bob.receive(&described(&again.respond("200 OK", "", CONTACT)));
    assert_eq!(bob.told(), ["modified 200"]);
    assert_eq!(bob.agent.calls().map(|info| info.state).collect::<Vec<_>>(), [CallState::Established]);
    hang_up(&mut bob, call);
}
