//! Requests of other methods, either way (RFC 3261 §8.2, §11; RFC 3428, 6086), and whom a request is for (§8.2.2.1).

use alloc::format;
use alloc::string::ToString;
use alloc::vec::Vec;

use super::lone::{CONTACT, Lone, request};
use super::text::Text;
use crate::auth::{Login, Scope, Secret};
use crate::error::CommandError;
use crate::message::{Method, StatusCode};
use crate::time::Duration;
use crate::user_agent::{Body, Event, Extra, Outgoing, Reply, ServedId};

fn carol() -> crate::message::header::NameAddrBuf {
    "Carol <sip:carol@192.0.2.9>".parse().unwrap()
}

fn answering() -> Lone {
    Lone::with(|_, profile| profile.methods = ["MESSAGE", "INFO", "KICK"].map(Into::into).into())
}

fn asked(bob: &Lone) -> ServedId {
    let served = |event: &Event| if let Event::Asked { served, .. } = event { Some(*served) } else { None };
    bob.events.iter().rev().find_map(served).expect("a question")
}

#[test]
fn a_message_is_sent_without_contact_and_its_answer_is_told() {
    let mut bob = Lone::new();
    let text = || Outgoing::to(&carol()).body(Body::new("text/plain", "Watson, come here."));
    bob.command(|agent, now| agent.ask(now, Method::Message, text())).unwrap();
    let message = bob.take().pop().unwrap();
    assert_eq!(
        (message.start.as_str(), message.body.as_str()),
        ("MESSAGE sip:carol@192.0.2.9 SIP/2.0", "Watson, come here.")
    );
    assert!(message.find("contact").is_none());
    bob.receive(&message.respond("200 OK", "c", ""));
    assert_eq!(bob.told(), ["replied 200"]);
    bob.command(|agent, now| agent.ask(now, Method::Options, &carol())).unwrap();
    let options = bob.take().pop().unwrap();
    assert_eq!((options.method(), options.header("accept")), ("OPTIONS", "application/sdp"));
    bob.run(Duration::from_secs(33));
    assert_eq!(bob.told(), ["replied 200", "unanswered 408"]);
    bob.finish();
}

#[test]
fn a_challenged_request_of_any_method_goes_again() {
    let mut bob = Lone::new();
    bob.agent.login(Scope::realm("a"), Login::new("bob", Secret::password("x"))).unwrap();
    bob.command(|agent, now| agent.ask(now, Method::Other("KICK"), &carol())).unwrap();
    let kick = bob.take().pop().unwrap();
    let again =
        bob.ask(&kick.respond("401 Unauthorized", "c", "WWW-Authenticate: Digest realm=\"a\", nonce=\"n\"\r\n"));
    assert!(again.method() == "KICK" && again.find("authorization").is_some());
    bob.receive(&again.respond("202 Accepted", "c", ""));
    assert_eq!(bob.told(), ["replied 202"]);
}

#[test]
fn a_method_that_has_a_command_of_its_own_is_refused() {
    let mut bob = Lone::new();
    for method in [
        Method::Invite,
        Method::Ack,
        Method::Bye,
        Method::Cancel,
        Method::Register,
        Method::Prack,
        Method::Update,
        Method::Subscribe,
        Method::Notify,
        Method::Refer,
    ] {
        let refused = bob.command(|agent, now| agent.ask(now, method, &carol()));
        assert_eq!(refused, Err(CommandError::Invalid("method")), "{method:?}");
    }
    let bad = bob.command(|agent, now| agent.ask(now, Method::Other("a b"), &carol()));
    assert!(matches!(bad, Err(CommandError::Invalid(_))), "{bad:?}");
    assert!(bob.take().is_empty());
    bob.finish();
}

#[test]
fn the_application_answers_what_it_has_named_once_and_in_time() {
    let mut bob = answering();
    bob.receive(&request("MESSAGE", "a", 1, "", "Content-Type: text/plain\r\n"));
    assert_eq!((bob.told(), bob.take().len()), (Vec::from(["asked MESSAGE".into()]), 0));
    let served = asked(&bob);
    let provisional = bob.command(|agent, now| agent.respond(now, served, StatusCode::TRYING));
    assert_eq!(provisional, Err(CommandError::Invalid("status")));
    let owned = bob.command(|agent, now| agent.respond(now, served, Reply::new(StatusCode::OK).header("Via", "x")));
    assert_eq!(owned, Err(CommandError::HeaderOwned("Via")));
    let reply = Reply::new(StatusCode::ACCEPTED).header("X-Thing", "1").body(Body::new("text/plain", "soon"));
    bob.command(|agent, now| agent.respond(now, served, reply)).unwrap();
    let response = bob.take().pop().unwrap();
    assert_eq!(
        (response.label().as_str(), response.header("x-thing"), response.body.as_str()),
        ("202 MESSAGE", "1", "soon")
    );
    assert_eq!(bob.command(|agent, now| agent.respond(now, served, StatusCode::OK)), Err(CommandError::Gone));
    // A retransmission gets the response that was given.
    assert_eq!(bob.ask(&request("MESSAGE", "a", 1, "", "Content-Type: text/plain\r\n")), response);

    bob.receive(&request("KICK", "b", 2, "", ""));
    bob.take();
    bob.run(Duration::from_secs(19));
    let final_ones = |sent: Vec<Text>| {
        sent.into_iter().map(|sent| sent.label()).filter(|label| !label.starts_with('1')).collect::<Vec<_>>()
    };
    assert!(final_ones(bob.take()).is_empty());
    bob.run(Duration::from_secs(2));
    assert_eq!(final_ones(bob.take()), ["500 KICK"]);
    let late = asked(&bob);
    assert_eq!(bob.command(|agent, now| agent.respond(now, late, StatusCode::OK)), Err(CommandError::Gone));
    bob.finish();
}

#[test]
fn a_request_in_the_dialog_of_a_call_names_the_call_and_keeps_the_order() {
    let mut bob = answering();
    bob.receive(&request("INVITE", "a", 1, "", CONTACT));
    let call = bob.incoming();
    bob.command(|agent, now| agent.answer(now, call, None)).unwrap();
    let tag = bob.take().pop().unwrap().tag_of("to").to_string();
    bob.receive(&request("ACK", "b", 1, &tag, ""));
    bob.receive(&request("INFO", "c", 5, &tag, ""));
    assert!(matches!(bob.events.last(), Some(Event::Asked { call: Some(of), .. }) if *of == call));
    let served = asked(&bob);
    bob.command(|agent, now| agent.respond(now, served, StatusCode::OK)).unwrap();
    assert_eq!(bob.take().pop().unwrap().label(), "200 INFO");
    assert_eq!(bob.ask(&request("INFO", "d", 4, &tag, "")).label(), "500 INFO");
    assert_eq!(bob.ask(&request("INFO", "e", 6, "nobody", "")).label(), "481 INFO");
}

#[test]
fn other_methods_are_refused_and_allow_says_which_are_taken() {
    let mut bob = answering();
    let options = bob.ask(&request("OPTIONS", "a", 1, "", ""));
    assert_eq!(options.header("allow"), "INVITE, ACK, CANCEL, OPTIONS, BYE, UPDATE, MESSAGE, INFO, KICK");
    let refused = bob.ask(&request("PUBLISH", "b", 2, "", ""));
    assert_eq!((refused.label().as_str(), refused.header("allow")), ("405 PUBLISH", options.header("allow")));
    assert_eq!(bob.ask(&request("HUG", "c", 3, "", "")).label(), "501 HUG");
    // A method that makes dialogs is not for the application alone.
    let mut bob = Lone::with(|_, profile| profile.methods = ["SUBSCRIBE", "REGISTER"].map(Into::into).into());
    assert_eq!(bob.ask(&request("SUBSCRIBE", "d", 1, "", "")).label(), "405 SUBSCRIBE");
}

/// §8.2.2.1: SHOULD be 404.
#[test]
fn a_request_for_somebody_else_gets_a_404_and_for_us_by_whatever_host_it_is_taken() {
    for (uri, any_user, status) in [
        ("sip:bob@192.0.2.4", false, "200"),
        ("sip:b%6Fb@10.0.0.1:9999", false, "200"),
        ("sip:bobby@somewhere.else", false, "200"),
        ("sip:192.0.2.4", false, "200"),
        ("sip:Bob@192.0.2.4", false, "404"),
        ("sip:carol@192.0.2.4", false, "404"),
        ("sip:carol@192.0.2.4", true, "200"),
    ] {
        let mut bob = Lone::with(|_, profile| {
            profile.any_user = any_user;
            profile.contact = Some("sip:bobby@192.0.2.4".parse().unwrap());
        });
        let text = request("OPTIONS", "a", 1, "", "").replace("sip:bob@192.0.2.4", uri);
        assert_eq!(bob.ask(&text).label(), alloc::format!("{status} OPTIONS"), "{uri}");
    }
}

fn established(bob: &mut Lone) -> (crate::user_agent::CallId, Text) {
    let (call, invite) = bob.call();
    bob.receive(&invite.respond("200 OK", "c", CONTACT));
    bob.take();
    (call, invite)
}

/// RFC 6086 §4.2.1: an INFO in the dialog, with the dialog's next number.
#[test]
fn the_application_asks_in_the_dialog_of_a_call() {
    let mut bob = Lone::new();
    let (ringing, invite) = bob.call();
    let early = bob.command(|agent, now| agent.ask_in(now, ringing, Method::Info, None));
    assert_eq!(early, Err(CommandError::WrongState));
    bob.receive(&invite.respond("486 Busy Here", "b", ""));
    bob.take();
    let (call, invite) = established(&mut bob);
    let number = |text: &Text| text.header("cseq").split_once(' ').unwrap().0.parse::<u32>().unwrap();
    let digit = || Body::new("application/dtmf-relay", "Signal=5\r\n");
    bob.command(|agent, now| agent.ask_in(now, call, Method::Info, digit())).unwrap();
    let info = bob.take().pop().unwrap();
    assert_eq!((info.method(), number(&info), info.tag_of("to")), ("INFO", number(&invite) + 1, "c"));
    assert_eq!((info.body.as_str(), info.find("contact")), ("Signal=5\r\n", None));
    bob.receive(&info.respond("200 OK", "", ""));
    assert_eq!(bob.told().last().unwrap(), "replied 200");
    assert_eq!(
        bob.command(|agent, now| agent.ask_in(now, call, Method::Bye, None)),
        Err(CommandError::Invalid("method"))
    );
    let owned = bob.command(|agent, now| agent.ask_in(now, call, Method::Info, Extra::new().header("From", "x")));
    assert_eq!(owned, Err(CommandError::HeaderOwned("From")));
}

/// RFC 5057 §5.1: 481 says that there is no such session; a time-out ends it with a BYE; other refusals end nothing.
#[test]
fn an_answer_that_knows_no_call_ends_the_call() {
    for (status, told, bye) in [
        ("404 Not Found", "ended Lost", false),
        ("481 Call/Transaction Does Not Exist", "ended Lost", false),
        ("501 Not Implemented", "replied 501", false),
        ("", "ended Lost", true),
    ] {
        let mut bob = Lone::new();
        let (call, _) = established(&mut bob);
        bob.command(|agent, now| agent.ask_in(now, call, Method::Info, None)).unwrap();
        let info = bob.take().pop().unwrap();
        if status.is_empty() {
            bob.run(Duration::from_secs(33));
        } else {
            bob.receive(&info.respond(status, "", ""));
        }
        assert_eq!(bob.told().last().unwrap(), told, "{status}");
        assert_eq!(bob.take().iter().any(|sent| sent.method() == "BYE"), bye, "{status}");
        if status.starts_with("501") {
            bob.command(|agent, now| agent.hang_up(now, call)).unwrap();
        }
        bob.finish();
    }
}

/// RFC 5407 §3.3.3: after our BYE there is nothing that a request in the dialog could be for.
#[test]
fn nothing_is_asked_about_a_call_that_we_have_ended() {
    let mut bob = Lone::with(|_, profile| profile.methods = ["INFO", "REFER"].map(Into::into).into());
    let (call, invite) = established(&mut bob);
    bob.command(|agent, now| agent.hang_up(now, call)).unwrap();
    let bye = bob.take().pop().unwrap();
    bob.events.clear();
    for (method, number) in [("INFO", 1), ("REFER", 2)] {
        let late =
            request(method, method, number, invite.tag_of("from"), &format!("{CONTACT}Refer-To: <sip:x@y.com>\r\n"));
        let late = late.replace("1j9FpLxk3uxtm8tn@chicago.com", invite.header("call-id")).replace("carol-tag", "c");
        assert_eq!(bob.ask(&late).label(), format!("481 {method}"));
    }
    bob.receive(&bye.respond("200 OK", "", ""));
    assert_eq!(bob.told(), ["ended Local"]);
    bob.finish();
}

#[test]
fn no_more_is_asked_in_one_dialog_than_the_limit_says() {
    let mut bob = Lone::with(|_, profile| profile.limits.asks = 2);
    let (call, _) = established(&mut bob);
    let ask = |bob: &mut Lone| bob.command(|agent, now| agent.ask_in(now, call, Method::Info, None));
    ask(&mut bob).unwrap();
    let first = bob.take().pop().unwrap();
    ask(&mut bob).unwrap();
    assert_eq!(ask(&mut bob), Err(CommandError::Limit("asks")));
    bob.receive(&first.respond("200 OK", "", ""));
    ask(&mut bob).unwrap();
}
