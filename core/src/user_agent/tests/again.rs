//! Retries after a response, and questions to the application (RFC 3261 §8.1.3.4, §8.1.3.5, §22).

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use super::lone::Lone;
use super::text::Text;
use crate::auth::{Algorithm, Ha1, Login, Scope, Secret};
use crate::error::CommandError;
use crate::extension::{Extension, Extensions};
use crate::time::Duration;
use crate::user_agent::{Amend, Body, CallId, Cause, Event, Outgoing, Policy, Redirects, RequestId, Wanted};

const CHALLENGE: &str = "WWW-Authenticate: Digest realm=\"a\", nonce=\"n1\", qop=\"auth\", algorithm=MD5\r\n";
const OF_PROXY: &str = "Proxy-Authenticate: Digest realm=\"p\", nonce=\"n2\", algorithm=SHA-256\r\n";

fn bob_with(policy: Policy) -> Lone {
    let mut bob = Lone::with(|_, profile| profile.policy = policy);
    for realm in ["a", "p"] {
        bob.agent.login(Scope::realm(realm), Login::new("bob", Secret::password("zanzibar"))).unwrap();
    }
    bob
}

fn bob() -> Lone {
    bob_with(Policy::NONE)
}

fn asking() -> Policy {
    Policy { questions: Some(Duration::from_secs(30)), ..Policy::NONE }
}

/// Answers a request of Bob's: the ACK, if the request is an INVITE, and what goes out again, if anything does.
#[track_caller]
fn answer(bob: &mut Lone, request: &Text, status: &str, extra: &str) -> Option<Text> {
    let mut sent = bob.exchange(&request.respond(status, "carol-tag", extra));
    if request.method() == "INVITE" && !status.starts_with('2') && !status.starts_with('1') {
        assert_eq!(sent.remove(0).method(), "ACK");
    }
    assert!(sent.len() <= 1, "{sent:?}");
    sent.pop()
}

/// A parameter of the credentials in a header.
fn parameter(request: &Text, header: &str, name: &str) -> String {
    let text = request.header(header);
    let start = text.find(&format!("{name}=")).unwrap_or_else(|| panic!("no {name}: {text}")) + name.len() + 1;
    text[start..].split(',').next().unwrap().trim_matches('"').to_string()
}

fn branch(request: &Text) -> String {
    request.header("via").rsplit_once("branch=").unwrap().1.to_string()
}

fn number(request: &Text) -> u32 {
    request.header("cseq").split_once(' ').unwrap().0.parse().unwrap()
}

fn wanted(bob: &Lone) -> RequestId {
    let asked = |event: &Event| if let Event::Wanted { request, .. } = event { Some(*request) } else { None };
    bob.events.iter().rev().find_map(asked).expect("a question")
}

/// RFC 3261 §22.2: the retry has the next CSeq and a new branch, and the same Call-ID, From and To, without the tag of the response.
#[test]
fn a_challenged_invite_goes_again_with_credentials() {
    let mut bob = bob();
    let (_, first) = bob.call();
    let again = answer(&mut bob, &first, "401 Unauthorized", CHALLENGE).unwrap();
    assert_eq!(number(&again), number(&first) + 1);
    assert_ne!(branch(&again), branch(&first));
    for same in ["call-id", "from", "to", "contact", "max-forwards"] {
        assert_eq!(again.header(same), first.header(same), "{same}");
    }
    assert_eq!(again.start, first.start);
    let value = |name| parameter(&again, "authorization", name);
    assert_eq!((value("username").as_str(), value("realm").as_str(), value("nonce").as_str()), ("bob", "a", "n1"));
    assert_eq!(
        (value("uri").as_str(), value("nc").as_str(), value("qop").as_str()),
        ("sip:carol@192.0.2.9", "00000001", "auth")
    );
    assert!(bob.told().is_empty(), "the application sees one request");

    let sent = bob.exchange(&again.respond("200 OK", "carol-tag", super::lone::CONTACT));
    assert_eq!(bob.told(), ["answered 200"]);
    // §22.1: the ACK duplicates the credentials of the INVITE.
    assert_eq!(sent[0].method(), "ACK");
    assert_eq!(sent[0].header("authorization"), again.header("authorization"));
    assert_eq!(number(&sent[0]), number(&again));
}

/// §22.3: a proxy first, then the callee; the third INVITE has the credentials of both.
#[test]
fn challenges_of_a_proxy_and_of_the_callee_are_answered_one_after_the_other() {
    let mut bob = bob();
    let (_, first) = bob.call();
    let second = answer(&mut bob, &first, "407 Proxy Authentication Required", OF_PROXY).unwrap();
    assert_eq!(parameter(&second, "proxy-authorization", "algorithm"), Algorithm::parse("SHA-256").unwrap().as_str());
    let third = answer(&mut bob, &second, "401 Unauthorized", CHALLENGE).unwrap();
    assert!(third.find("authorization").is_some() && third.find("proxy-authorization").is_some(), "{third:?}");
    assert_eq!(number(&third), number(&first) + 2);
}

/// The transaction of the attempt that was refused lives on for 32 s (timer D): its end is none of the request.
#[test]
fn the_end_of_an_earlier_attempt_ends_nothing() {
    let mut bob = bob();
    let (_, first) = bob.call();
    let again = answer(&mut bob, &first, "401 Unauthorized", CHALLENGE).unwrap();
    bob.receive(&again.respond("180 Ringing", "carol-tag", super::lone::CONTACT));
    bob.run(Duration::from_secs(60));
    assert_eq!(bob.told(), ["progress 180"]);
    bob.take();
    assert!(answer(&mut bob, &again, "486 Busy Here", "").is_none());
    assert_eq!(bob.told(), ["progress 180", "failed 486"]);
    bob.finish();
}

/// §22.1: credentials that were refused are not sent again, unless only the nonce was stale.
#[test]
fn refused_credentials_are_not_sent_again_unless_the_nonce_was_stale() {
    let mut bob = bob();
    let (_, first) = bob.call();
    let second = answer(&mut bob, &first, "401 Unauthorized", CHALLENGE).unwrap();
    let stale = CHALLENGE.replace("n1", "n3").replace("qop", "stale=true, qop");
    let third = answer(&mut bob, &second, "401 Unauthorized", &stale).unwrap();
    assert_eq!(parameter(&third, "authorization", "nonce"), "n3");
    assert!(answer(&mut bob, &third, "401 Unauthorized", CHALLENGE).is_none());
    assert_eq!(bob.told(), ["failed 401"]);
    bob.finish();
}

#[test]
fn a_server_that_says_stale_for_ever_is_left_at_the_limit() {
    let mut bob = bob();
    let (_, mut invite) = bob.call();
    let mut sent = 1;
    while let Some(again) = {
        let stale = CHALLENGE.replace("n1", &format!("n{sent}")).replace("qop", "stale=true, qop");
        answer(&mut bob, &invite, "401 Unauthorized", &stale)
    } {
        sent += 1;
        invite = again;
    }
    assert_eq!((sent, bob.told()), (1 + 8, Vec::from(["failed 401".into()])));
    // The next request has the last nonce that the server gave, and no more the one that it has refused (§22.1).
    let (_, next) = bob.call();
    let [nonce, count] = ["nonce", "nc"].map(|name| parameter(&next, "authorization", name));
    assert_eq!((nonce.as_str(), count.as_str()), ("n9", "00000001"));
    answer(&mut bob, &next, "486 Busy Here", "");
    bob.finish();
}

/// RFC 7616 §3.4: each use of a nonce has its own count.
#[test]
fn what_a_server_has_asked_for_is_given_unasked_from_then_on() {
    let mut bob = bob();
    let (_, first) = bob.call();
    let again = answer(&mut bob, &first, "401 Unauthorized", CHALLENGE).unwrap();
    answer(&mut bob, &again, "486 Busy Here", "");
    let (_, next) = bob.call();
    assert_eq!(parameter(&next, "authorization", "nc"), "00000002");
    assert_ne!(parameter(&next, "authorization", "response"), parameter(&again, "authorization", "response"));
    let stale = CHALLENGE.replace("n1", "n4").replace("qop", "stale=true, qop");
    let renewed = answer(&mut bob, &next, "401 Unauthorized", &stale).unwrap();
    assert_eq!(parameter(&renewed, "authorization", "nc"), "00000001");
}

fn unknown_challenge(bob: &mut Lone) -> (CallId, Text) {
    let (call, invite) = bob.call();
    let challenge = CHALLENGE.replace("realm=\"a\"", "realm=\"elsewhere\"");
    assert!(answer(bob, &invite, "401 Unauthorized", &challenge).is_none());
    let Some(Event::Wanted { wanted: Wanted::Credentials(realms), .. }) = bob.events.last() else {
        panic!("{:?}", bob.events)
    };
    assert_eq!(realms.iter().map(|wanted| wanted.realm.as_str()).collect::<Vec<_>>(), ["elsewhere"]);
    (call, invite)
}

#[test]
fn the_application_is_asked_for_credentials_that_are_not_known() {
    let mut bob = bob_with(asking());
    let (_, invite) = unknown_challenge(&mut bob);
    let request = wanted(&bob);
    let login = (
        Scope::realm("elsewhere"),
        Login::new(
            "robert",
            Secret::hashes([Ha1::of(Algorithm::parse("MD5").unwrap().function, "robert", "elsewhere", "s3cret")]),
        ),
    );
    bob.command(|agent, now| agent.credentials(now, request, [login])).unwrap();
    let again = bob.take().pop().unwrap();
    assert_eq!((again.method(), number(&again)), ("INVITE", number(&invite) + 1));
    assert_eq!(parameter(&again, "authorization", "username"), "robert");
    for late in [
        bob.command(|agent, now| agent.credentials(now, request, [])),
        bob.command(|agent, now| agent.give_up(now, request)),
        bob.command(|agent, now| agent.amend(now, request, Amend::Body(None))),
    ] {
        assert_eq!(late, Err(CommandError::WrongState));
    }
    answer(&mut bob, &again, "486 Busy Here", "");
    assert_eq!(bob.command(|agent, now| agent.give_up(now, request)), Err(CommandError::Gone));
    bob.finish();
}

#[test]
fn a_question_ends_by_giving_up_by_its_deadline_and_by_hanging_up() {
    for (end, told) in [(0, "failed 401"), (1, "failed 401"), (2, "failed 487 (none)"), (3, "failed 401")] {
        let mut bob = bob_with(asking());
        let (call, _) = unknown_challenge(&mut bob);
        let request = wanted(&bob);
        bob.events.clear();
        match end {
            0 => bob.command(|agent, now| agent.give_up(now, request)).unwrap(),
            1 => {
                bob.run(Duration::from_secs(29));
                assert!(bob.told().is_empty());
                bob.run(Duration::from_secs(2));
            }
            2 => bob.command(|agent, now| agent.hang_up(now, call)).unwrap(),
            // No login: the realm is left out, and no other challenge is left.
            _ => bob.command(|agent, now| agent.credentials(now, request, [])).unwrap(),
        }
        assert_eq!(bob.told(), [told], "{end}");
        assert!(bob.take().is_empty());
        bob.finish();
    }
}

#[test]
fn without_a_policy_nothing_is_asked_and_the_request_ends() {
    let mut bob = Lone::new();
    let (_, invite) = bob.call();
    assert!(answer(&mut bob, &invite, "401 Unauthorized", CHALLENGE).is_none());
    assert_eq!(bob.told(), ["failed 401"]);
    bob.finish();
}

/// §8.1.3.5: 415 and 416 ask for a body or a URI that only the application can give.
#[test]
fn the_application_gives_another_body_or_target() {
    let mut bob = bob_with(asking());
    let carol = "Carol <sip:carol@192.0.2.9>".parse().unwrap();
    bob.command(|agent, now| agent.call(now, Outgoing::to(&carol).body(Body::new("text/odd", "x")))).unwrap();
    let invite = bob.take().remove(0);
    assert!(answer(&mut bob, &invite, "415 Unsupported Media Type", "Accept: application/sdp\r\n").is_none());
    assert!(matches!(bob.events.last(), Some(Event::Wanted { wanted: Wanted::Body, .. })));
    let request = wanted(&bob);
    bob.command(|agent, now| agent.amend(now, request, Amend::Body(Some(Body::sdp("v=0\r\n"))))).unwrap();
    let second = bob.take().pop().unwrap();
    assert_eq!((second.header("content-type"), second.header("content-length")), ("application/sdp", "5"));
    assert_eq!(second.body, "v=0\r\n");
    assert_ne!(branch(&second), branch(&invite));

    assert!(answer(&mut bob, &second, "416 Unsupported URI Scheme", "").is_none());
    let request = wanted(&bob);
    let tel = Amend::Target("tel:+1".parse().unwrap());
    assert_eq!(bob.command(|agent, now| agent.amend(now, request, tel)), Err(CommandError::NotSip));
    let target = Amend::Target("sip:carol@192.0.2.77".parse().unwrap());
    bob.command(|agent, now| agent.amend(now, request, target)).unwrap();
    let third = bob.take().pop().unwrap();
    assert_eq!(third.start, "INVITE sip:carol@192.0.2.77 SIP/2.0");
    assert_eq!(bob.ways.last().unwrap().to_string(), "192.0.2.77:5060");
    assert_eq!(number(&third), number(&invite) + 2);
    assert!(![branch(&invite), branch(&second)].contains(&branch(&third)));
}

#[test]
fn a_request_goes_again_after_the_time_that_the_server_asks_for() {
    for (status, wait, waits) in [
        ("503 Service Unavailable", "5", true),
        ("413 Request Entity Too Large", "10", true),
        ("500 Server Internal Error", "10 (soon)", true),
        ("503 Service Unavailable", "11", false),
        ("486 Busy Here", "5", false),
    ] {
        let mut bob = bob_with(Policy { longest_wait: Some(Duration::from_secs(10)), ..Policy::NONE });
        let (_, invite) = bob.call();
        assert!(answer(&mut bob, &invite, status, &format!("Retry-After: {wait}\r\n")).is_none());
        assert_eq!(bob.told().is_empty(), waits, "{status} {wait}");
        bob.run(Duration::from_secs(4));
        assert!(bob.take().is_empty(), "not yet");
        bob.run(Duration::from_secs(7));
        let again: Vec<_> = bob.take().into_iter().filter(|sent| sent.method() == "INVITE").collect();
        assert_eq!(!again.is_empty(), waits, "{status} {wait}");
        assert!(again.iter().all(|again| number(again) == number(&invite) + 1), "once, and perhaps retransmitted");
        assert!(again.iter().all(|again| branch(again) != branch(&invite)), "{status}: in a new transaction");
        if let Some(again) = again.first() {
            answer(&mut bob, again, "486 Busy Here", "");
        }
        bob.finish();
    }
}

#[test]
fn a_node_with_a_request_that_waits_is_not_idle() {
    let mut bob = bob_with(Policy { longest_wait: Some(Duration::from_secs(100)), ..Policy::NONE });
    let carol = "<sip:carol@192.0.2.9>".parse().unwrap();
    bob.command(|agent, now| agent.ask(now, crate::message::Method::Options, &carol)).unwrap();
    let options = bob.take().pop().unwrap();
    bob.receive(&options.respond("503 Service Unavailable", "c", "Retry-After: 90\r\n"));
    bob.run(Duration::from_secs(60));
    let census = bob.agent.endpoint().census();
    assert_eq!((census.client_transactions, census.deliveries, bob.agent.user().census().pending), (0, 0, 1));
    assert!(!crate::Node::is_idle(&bob.agent));
    bob.run(Duration::from_secs(31));
    let again = bob.take().into_iter().find(|sent| sent.method() == "OPTIONS").unwrap();
    bob.receive(&again.respond("200 OK", "c", ""));
    assert_eq!(bob.told(), ["replied 200"]);
    bob.finish();
}

#[test]
fn who_hangs_up_while_a_request_waits_ends_it() {
    let mut bob = bob_with(Policy { longest_wait: Some(Duration::from_secs(10)), ..Policy::NONE });
    let (call, invite) = bob.call();
    assert!(answer(&mut bob, &invite, "503 Service Unavailable", "Retry-After: 9\r\n").is_none());
    bob.command(|agent, now| agent.hang_up(now, call)).unwrap();
    assert_eq!(bob.told(), ["failed 487 (none)"]);
    assert!(matches!(bob.events.last(), Some(Event::Failed { cause: Cause::Cancelled(None), .. })));
    bob.finish();
}

/// A retry after a cancel is over: the caller does not want the call any more.
#[test]
fn a_challenge_that_crosses_our_cancel_is_not_answered() {
    let mut bob = bob();
    let (call, invite) = bob.call();
    bob.receive(&invite.respond("180 Ringing", "carol-tag", ""));
    bob.command(|agent, now| agent.cancel(now, call)).unwrap();
    bob.take();
    assert!(answer(&mut bob, &invite, "401 Unauthorized", CHALLENGE).is_none());
    assert_eq!(bob.told().last().map(String::as_str), Some("failed 401"));
    bob.finish();
}

#[test]
fn an_early_dialog_of_a_refused_attempt_is_over() {
    let mut bob = bob();
    let (_, invite) = bob.call();
    bob.receive(&invite.respond("180 Ringing", "early", super::lone::CONTACT));
    assert_eq!(bob.agent.user().census().dialogs, 1);
    let again = answer(&mut bob, &invite, "401 Unauthorized", CHALLENGE).unwrap();
    assert_eq!(bob.agent.user().census().dialogs, 0);
    bob.receive(&again.respond("180 Ringing", "early-2", super::lone::CONTACT));
    assert_eq!(bob.agent.user().census().dialogs, 1);
    answer(&mut bob, &again, "486 Busy Here", "");
    bob.finish();
}

fn following() -> Lone {
    bob_with(Policy { redirects: Redirects::Follow, ..Policy::NONE })
}

/// RFC 3261 §8.1.3.4, §21.3: by q, none twice, with the fields that a Contact may ask for.
#[test]
fn a_redirected_call_tries_each_target_once_the_best_first() {
    let mut bob = following();
    let (_, first) = bob.call();
    let contacts = "Contact: <sip:c@192.0.2.31>;q=0.2, <sip:carol@192.0.2.9>\r\n\
        Contact: <sip:a@192.0.2.32;method=BYE?Subject=Moved&Call-ID=x>;q=0.9\r\nContact: <tel:+1>, <sip:b@192.0.2.33>;q=0.5\r\n";
    let second = answer(&mut bob, &first, "302 Moved Temporarily", contacts).unwrap();
    assert_eq!(second.start, "INVITE sip:a@192.0.2.32 SIP/2.0");
    assert_eq!((second.header("subject"), second.header("call-id")), ("Moved", first.header("call-id")));
    assert_eq!(second.header("to"), first.header("to"), "RECOMMENDED by §8.1.3.4");
    assert_eq!(bob.ways.last().unwrap().to_string(), "192.0.2.32:5060");
    // The next redirection adds to what is left, and names one again that was tried.
    let third =
        answer(&mut bob, &second, "301 Moved", "Contact: <sip:d@192.0.2.34>;q=0.3, <sip:a@192.0.2.32>\r\n").unwrap();
    assert_eq!(third.start, "INVITE sip:b@192.0.2.33 SIP/2.0");
    let fourth = answer(&mut bob, &third, "480 Temporarily Unavailable", "").unwrap();
    assert_eq!(fourth.start, "INVITE sip:d@192.0.2.34 SIP/2.0");
    // Nobody answers there.
    bob.run(Duration::from_secs(33));
    let fifth = bob.take().into_iter().rfind(|sent| sent.start.contains("192.0.2.31")).expect("the last target");
    assert!(bob.told().is_empty(), "the application sees one request");
    assert!(answer(&mut bob, &fifth, "486 Busy Here", "").is_none());
    assert_eq!(bob.told(), ["failed 486"]);
    bob.finish();
}

/// §8.1.3.4: a new branch, and all the rest of the request again.
#[test]
fn a_redirected_request_has_a_new_branch_and_all_else_that_it_had() {
    let mut bob = following();
    let outgoing = Outgoing::to(&"Carol <sip:carol@192.0.2.9>".parse().unwrap())
        .header("Subject", "Lunch")
        .header("X-Thing", "1")
        .body(Body::sdp("v=0\r\n"));
    bob.command(|agent, now| agent.call(now, outgoing)).unwrap();
    let first = bob.take().remove(0);
    // An `expires` that cannot be read counts as 3600 (§8.3).
    let second = answer(&mut bob, &first, "302 Moved", "Contact: <sip:a@192.0.2.32>;expires=soon\r\n").unwrap();
    let branch = |sent: &Text| sent.header("via").split_once(";branch=").unwrap().1.to_string();
    assert_ne!(branch(&second), branch(&first));
    assert_eq!(number(&second), number(&first) + 1);
    assert_eq!((second.start.as_str(), second.body.as_str()), ("INVITE sip:a@192.0.2.32 SIP/2.0", "v=0\r\n"));
    let rest = |sent: &Text| {
        let mut headers = sent.headers.clone();
        headers.retain(|name, _| name != "via" && name != "cseq");
        headers
    };
    assert_eq!(rest(&second), rest(&first));
}

/// §8.1.3.5, §21.4.11.
#[test]
fn a_request_that_is_too_large_goes_again_with_a_smaller_body_or_none() {
    let mut bob = bob_with(asking());
    let carol = "Carol <sip:carol@192.0.2.9>".parse().unwrap();
    bob.command(|agent, now| agent.call(now, Outgoing::to(&carol).body(Body::new("text/odd", "x".repeat(300)))))
        .unwrap();
    let mut invite = bob.take().remove(0);
    for (body, length) in [(Some(Body::sdp("v=0\r\n")), "5"), (None, "0")] {
        assert!(answer(&mut bob, &invite, "413 Request Entity Too Large", "").is_none());
        assert!(matches!(bob.events.last(), Some(Event::Wanted { wanted: Wanted::Body, .. })));
        let request = wanted(&bob);
        bob.command(|agent, now| agent.amend(now, request, Amend::Body(body))).unwrap();
        let again = bob.take().pop().unwrap();
        assert_eq!((again.header("content-length"), number(&again)), (length, number(&invite) + 1));
        assert_ne!(branch(&again), branch(&invite));
        invite = again;
    }
    // There is nothing left that could be smaller.
    assert!(answer(&mut bob, &invite, "413 Request Entity Too Large", "").is_none());
    assert_eq!(bob.told().last().map(String::as_str), Some("failed 413"));
}

#[test]
fn a_redirection_is_the_end_where_it_is_not_followed() {
    let contact = "Contact: <sip:a@192.0.2.32>\r\n";
    for (policy, contact) in
        [(Policy::NONE, contact), (following_policy(), ""), (following_policy(), "Contact: <tel:+1>\r\n")]
    {
        let mut bob = bob_with(policy);
        let (_, invite) = bob.call();
        assert!(answer(&mut bob, &invite, "302 Moved Temporarily", contact).is_none());
        assert_eq!(bob.told(), ["failed 302"]);
        bob.finish();
    }
    // A 6xx speaks for all places (§21.6).
    let mut bob = following();
    let (_, first) = bob.call();
    let second = answer(&mut bob, &first, "302 Moved", "Contact: <sip:a@192.0.2.32>, <sip:b@192.0.2.33>\r\n").unwrap();
    assert!(answer(&mut bob, &second, "603 Decline", "").is_none());
    assert_eq!(bob.told(), ["failed 603"]);
    bob.finish();
}

fn following_policy() -> Policy {
    Policy { redirects: Redirects::Follow, ..Policy::NONE }
}

#[test]
fn a_chain_of_redirections_ends_at_the_limits() {
    let mut bob = Lone::with(|_, profile| {
        profile.policy = following_policy();
        profile.limits.targets = 3;
        profile.limits.retries = 20;
    });
    let (_, mut invite) = bob.call();
    let mut targets = 0;
    while let Some(next) = {
        let contact = format!("Contact: <sip:x{targets}@192.0.2.50>, <sip:y{targets}@192.0.2.50>\r\n");
        answer(&mut bob, &invite, "302 Moved", &contact)
    } {
        targets += 1;
        invite = next;
    }
    assert_eq!(targets, 3);
    bob.finish();
}

/// RFC 3261 §8.1.3.5, §20.40; RFC 4028 §7.3.
#[test]
fn an_extension_that_is_not_understood_is_left_out_and_only_if_it_helps() {
    let mut bob = bob();
    let (_, invite) = bob.call();
    assert!(answer(&mut bob, &invite, "420 Bad Extension", "Unsupported: foo\r\n").is_none(), "we asked for none");
    assert_eq!(bob.told(), ["failed 420"]);
    bob.finish();

    let mut bob = Lone::with(|_, profile| profile.extensions = Extensions::of(&[Extension::Reliable]));
    let carol = "Carol <sip:carol@192.0.2.9>".parse().unwrap();
    bob.command(|agent, now| agent.call(now, Outgoing::to(&carol).require(Extension::Reliable))).unwrap();
    let first = bob.take().remove(0);
    assert_eq!((first.header("require"), first.header("supported")), ("100rel", "100rel"));
    let second = answer(&mut bob, &first, "420 Bad Extension", "Unsupported: 100rel\r\n").unwrap();
    assert_eq!((second.start.as_str(), second.find("require"), second.find("supported")), (&*first.start, None, None));
    assert_eq!(number(&second), number(&first) + 1);
    assert_ne!(branch(&second), branch(&first));
    for same in ["call-id", "from", "to"] {
        assert_eq!(second.header(same), first.header(same), "{same}");
    }
    assert!(answer(&mut bob, &second, "420 Bad Extension", "Unsupported: 100rel\r\n").is_none());
    assert_eq!(bob.told(), ["failed 420"]);
    bob.finish();
}

/// §10.2, §22.2: the number of the registration goes on from that of the retry.
#[test]
fn a_challenged_registration_goes_again_and_its_refresh_is_authorised() {
    let mut bob = Lone::with(|_, profile| {
        profile.outbound = Some(core::net::SocketAddr::from(([192, 0, 2, 9], 5060)).into());
    });
    bob.agent.login(Scope::realm("a"), Login::new("bob", Secret::password("zanzibar"))).unwrap();
    let registrar: crate::message::UriBuf = "sip:registrar.biloxi.com".parse().unwrap();
    bob.command(|agent, now| agent.register(now, &registrar)).unwrap();
    let first = bob.take().pop().unwrap();
    let second = answer(&mut bob, &first, "401 Unauthorized", CHALLENGE).unwrap();
    assert_eq!((number(&second), parameter(&second, "authorization", "nc").as_str()), (number(&first) + 1, "00000001"));
    bob.receive(&second.respond("200 OK", "r", "Contact: <sip:bob@192.0.2.4>;expires=3600\r\n"));
    assert_eq!(bob.told(), ["registered"]);
    bob.run(Duration::from_secs(3300));
    let refresh = bob.take().into_iter().find(|sent| sent.method() == "REGISTER").unwrap();
    assert_eq!(
        (number(&refresh), parameter(&refresh, "authorization", "nc").as_str()),
        (number(&first) + 2, "00000002")
    );
}

#[test]
fn a_wrong_proof_of_the_server_is_told() {
    let mut bob = bob();
    let (_, first) = bob.call();
    let again = answer(&mut bob, &first, "401 Unauthorized", CHALLENGE).unwrap();
    let cnonce = parameter(&again, "authorization", "cnonce");
    let wrong = "0".repeat(32);
    let info = format!("Authentication-Info: qop=auth, rspauth=\"{wrong}\", cnonce=\"{cnonce}\", nc=00000001\r\n");
    bob.receive(&again.respond("200 OK", "carol-tag", &format!("{}{info}", super::lone::CONTACT)));
    assert_eq!(bob.told(), ["wrong proof", "answered 200"]);
}

/// RFC 3261 §8.1.3.4: a SIPS URI is left for a SIP URI only where the application agrees, and what was not followed is told.
#[test]
fn a_call_to_a_sips_uri_is_redirected_to_a_sip_uri_only_where_the_application_agrees() {
    use crate::{Change, Config, Input, Instant, Listener, Node, Output, Seed};
    for (redirects, follows) in [(Redirects::Follow, false), (Redirects::FollowFromSipsToSip, true)] {
        let mut profile = crate::user_agent::Profile::new("Bob <sip:bob@biloxi.com>".parse().unwrap());
        profile.policy = Policy { redirects, ..Policy::NONE };
        let mut bob = crate::user_agent::UserAgent::user_agent(Config::new(Seed::from_u64(1)), profile);
        bob.listen(Listener::udp("192.0.2.4:5060".parse().unwrap()));
        bob.listen(Listener::tls("192.0.2.4:5061".parse().unwrap()));
        let carol = "Carol <sips:carol@192.0.2.9>".parse().unwrap();
        bob.call(Instant::ZERO, &carol).unwrap();
        let Some(Output::Open { connection, .. }) = bob.poll() else { panic!("no connection") };
        bob.handle(Instant::ZERO, Input::Connection { connection, change: Change::Opened { identities: &[] } });
        let Some(Output::Send(first)) = bob.poll() else { panic!("no INVITE") };
        let first = Text::of(&first.bytes);
        assert_eq!(first.start, "INVITE sips:carol@192.0.2.9 SIP/2.0");
        let moved = first.respond("302 Moved Temporarily", "carol-tag", "Contact: <sip:carol@192.0.2.8>\r\n");
        bob.handle(Instant::ZERO, Input::Stream { connection, bytes: moved.as_bytes() });
        let (mut sent, mut told) = (Vec::new(), Vec::new());
        while let Some(output) = bob.poll() {
            match output {
                Output::Send(transmit) => {
                    sent.push(format!("{} to {}", Text::of(&transmit.bytes).start, transmit.flow.remote));
                }
                Output::Event(event) => told.push(super::pair::short(&event)),
                other => panic!("{other:?}"),
            }
        }
        let ack = "ACK sips:carol@192.0.2.9 SIP/2.0 to 192.0.2.9:5061";
        let again = "INVITE sip:carol@192.0.2.8 SIP/2.0 to 192.0.2.8:5060";
        let expected =
            if follows { (format!("{ack}, {again}"), String::new()) } else { (ack.into(), "failed 302".into()) };
        assert_eq!((sent.join(", "), told.join(", ")), expected);
    }
}

/// §8.1.3.1, §8.1.3.4: a target that cannot be reached, or has no address, counts as one that says 503, and the next one is tried.
#[test]
fn a_target_that_cannot_be_reached_or_found_gives_way_to_the_next() {
    let mut bob = following();
    let (_, first) = bob.call();
    let contacts = "Contact: <sip:a@192.0.2.32>;q=0.9, <sip:b@nowhere.invalid>;q=0.5, <sip:c@192.0.2.34>;q=0.1\r\n";
    let second = answer(&mut bob, &first, "302 Moved Temporarily", contacts).unwrap();
    assert_eq!(second.start, "INVITE sip:a@192.0.2.32 SIP/2.0");
    bob.take();
    bob.unreachable();
    let starts: Vec<String> = bob.take().into_iter().map(|sent| sent.start).collect();
    assert_eq!(starts, ["INVITE sip:c@192.0.2.34 SIP/2.0"]);
    assert!(bob.told().is_empty(), "the application sees one request");
    bob.unreachable();
    assert_eq!(bob.told(), ["failed 503 (none)"], "no target is left");
    bob.finish();
}
