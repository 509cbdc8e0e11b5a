//! Several accounts of one user agent: whose names, ways and credentials a request has, and for whom a peer's request is.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use super::bindings::one;
use super::lone::{CONTACT, Lone, described, invite, request};
use super::text::Text;
use crate::auth::{Login, Scope, Secret};
use crate::error::CommandError;
use crate::message::Method;
use crate::time::Duration;
use crate::user_agent::{Account, AccountId, Binding, Body, Event, Limits, Outgoing, Register};

fn account(identity: &str) -> Account {
    Account {
        outbound: Some(core::net::SocketAddr::from(([192, 0, 2, 9], 5060)).into()),
        ..Account::new(identity.parse().unwrap())
    }
}

/// Bob, who is Mr Smith at work.
fn bob() -> (Lone, AccountId) {
    let mut bob = Lone::with(|_, profile| {
        profile.outbound = account("<sip:x@y.com>").outbound;
        profile.methods.push("MESSAGE".into());
    });
    let work = bob.agent.add_account(account("Mr Smith <sip:smith@chicago.com>")).unwrap();
    (bob, work)
}

fn to_carol() -> Outgoing {
    Outgoing::to(&"<sip:carol@chicago.com>".parse().unwrap())
}

fn at(registrar: &str) -> Register {
    Register::at(&registrar.parse().unwrap())
}

/// The request for whoever is named in its Request-URI.
fn for_user(text: &str, user: &str) -> String {
    text.replacen("sip:bob@192.0.2.4", &format!("sip:{user}@192.0.2.4"), 1)
}

fn accounts(bob: &Lone) -> Vec<AccountId> {
    let account = |event: &Event| match event {
        Event::Incoming { account, .. } | Event::Asked { account, .. } => Some(*account),
        _ => None,
    };
    bob.events.iter().filter_map(account).collect()
}

#[test]
fn a_request_has_the_names_and_the_way_of_its_account() {
    let (mut bob, _) = bob();
    let other = Account {
        contact: Some("sip:line2@192.0.2.4:5070".parse().unwrap()),
        routes: ["sip:192.0.2.33;lr".parse().unwrap()].into_iter().collect(),
        ..Account::new("Mr Smith <sip:smith@chicago.com>".parse().unwrap())
    };
    let other = bob.agent.add_account(other).unwrap();
    let usual = |sent: &Text| {
        assert!(sent.header("from").starts_with("Bob <sip:bob@biloxi.com>;tag="), "{sent:?}");
        assert_eq!(sent.header("contact"), "<sip:bob@192.0.2.4>");
        assert_eq!(sent.find("route"), None);
    };
    let of_work = |sent: &Text| {
        assert!(sent.header("from").starts_with("Mr Smith <sip:smith@chicago.com>;tag="), "{sent:?}");
        assert_eq!(sent.header("contact"), "<sip:line2@192.0.2.4:5070>");
        assert_eq!(sent.header("route"), "<sip:192.0.2.33;lr>");
    };
    for (outgoing, expected) in [
        (to_carol(), &usual as &dyn Fn(&Text)),
        (to_carol().account(other), &of_work),
        (to_carol().account(AccountId::DEFAULT), &usual),
    ] {
        bob.command(|agent, now| agent.call(now, outgoing.clone())).unwrap();
        expected(&one(&mut bob));
        bob.command(|agent, now| agent.ask(now, Method::Options, outgoing)).unwrap();
        expected(&one(&mut bob));
    }
    bob.command(|agent, now| agent.register(now, at("sip:chicago.com").account(other))).unwrap();
    let register = one(&mut bob);
    of_work(&Text { headers: register.headers.clone(), ..register.clone() });
    assert_eq!(register.header("to"), "Mr Smith <sip:smith@chicago.com>");
    assert_eq!(bob.ways.last().unwrap().ip(), core::net::IpAddr::from([192, 0, 2, 33]));
}

/// §8.2.2.1, and the contact in the dialog (§12.1.1, §12.2.1.1).
#[test]
fn a_call_for_an_account_stays_that_of_the_account() {
    let (mut bob, work) = bob();
    let invite = described(&for_user(&invite("a", 1), "smith"));
    bob.receive(&invite);
    assert_eq!(accounts(&bob), [work]);
    let call = bob.incoming();
    assert_eq!(bob.agent.calls().map(|info| info.account).collect::<Vec<_>>(), [work]);
    bob.command(|agent, now| agent.answer(now, call, Body::sdp("v=0\r\n"))).unwrap();
    let answer = one(&mut bob);
    assert_eq!(answer.header("contact"), "<sip:smith@192.0.2.4>");
    let tag = answer.tag_of("to");
    bob.receive(&for_user(&request("ACK", "b", 1, tag, ""), "smith"));
    // The peer's change, under whatever Request-URI the dialog has.
    bob.receive(&described(&request("INVITE", "c", 2, tag, CONTACT)));
    bob.command(|agent, now| agent.accept_offer(now, call, Body::sdp("v=0\r\n"))).unwrap();
    assert_eq!(one(&mut bob).header("contact"), "<sip:smith@192.0.2.4>");
    bob.receive(&request("ACK", "d", 2, tag, ""));
    bob.command(|agent, now| agent.modify(now, call, Body::sdp("v=0\r\n"))).unwrap();
    let change = one(&mut bob);
    assert_eq!(change.header("contact"), "<sip:smith@192.0.2.4>");
    assert_eq!(bob.agent.remove_account(work), Err(CommandError::WrongState));
    bob.receive(&request("BYE", "e", 3, tag, ""));
    bob.receive(&change.respond("481 Gone", "", ""));
    bob.finish();
    assert_eq!(bob.agent.remove_account(work), Ok(()));
    // Nobody of that name is here any more.
    assert_eq!(bob.ask(&invite.replace("z9hG4bKa", "z9hG4bKz")).label(), "404 INVITE");
}

#[test]
fn a_question_says_for_which_account_it_is() {
    let (mut bob, work) = bob();
    bob.receive(&for_user(&request("MESSAGE", "a", 1, "", ""), "smith"));
    bob.receive(&request("MESSAGE", "b", 2, "", ""));
    assert_eq!(accounts(&bob), [work, AccountId::DEFAULT]);
    bob.finish();
}

/// The credentials of one account are never used for another, wherever they are for (RFC 3261 §22.1).
#[test]
fn no_account_uses_the_login_of_another() {
    let (mut bob, work) = bob();
    let login = |user: &str| Login::new(user, Secret::password("zanzibar"));
    bob.agent.login(Scope::realm("a"), login("bob")).unwrap();
    bob.agent.login_to(work, Scope::realm("p"), login("smith")).unwrap();
    let server = "WWW-Authenticate: Digest realm=\"a\", nonce=\"n\", algorithm=MD5\r\n";
    let proxy = "Proxy-Authenticate: Digest realm=\"p\", nonce=\"n\", algorithm=MD5\r\n";
    let ask = |bob: &mut Lone, account: AccountId| {
        bob.command(|agent, now| agent.ask(now, Method::Message, to_carol().account(account))).unwrap();
        one(bob)
    };
    for (account, status, challenge, user) in [
        (AccountId::DEFAULT, "401 Who", server, Some("bob")),
        (work, "401 Who", server, None),
        (AccountId::DEFAULT, "407 Who", proxy, None),
        (work, "407 Who", proxy, Some("smith")),
    ] {
        let sent = ask(&mut bob, account);
        let again = bob.exchange(&sent.respond(status, "t", challenge));
        let name = again.first().map(|again| {
            let credentials = again.find("proxy-authorization").or_else(|| again.find("authorization")).unwrap();
            assert!(!credentials.contains("zanzibar"));
            String::from(credentials.split('"').nth(1).unwrap())
        });
        assert_eq!(name.as_deref(), user, "{account:?} {status}");
    }
}

/// A call's proxy asks once, and the BYE proves the account again.
#[test]
fn a_call_proves_its_own_account_to_the_end() {
    let (mut bob, work) = bob();
    bob.agent.login_to(work, Scope::realm("p"), Login::new("smith", Secret::password("zanzibar"))).unwrap();
    let call = bob.command(|agent, now| agent.call(now, to_carol().account(work).body(Body::sdp("v=0\r\n")))).unwrap();
    let invite = one(&mut bob);
    let proxy = "Proxy-Authenticate: Digest realm=\"p\", nonce=\"n\", algorithm=MD5, qop=\"auth\"\r\n";
    let sent = bob.exchange(&invite.respond("407 Who", "t", proxy));
    let again = sent.iter().find(|sent| sent.method() == "INVITE").unwrap();
    assert!(again.header("proxy-authorization").contains("smith"));
    let answer = again.respond("200 OK", "t", CONTACT);
    bob.receive(&described(&answer));
    bob.take();
    bob.command(|agent, now| agent.hang_up(now, call)).unwrap();
    let bye = one(&mut bob);
    assert!(bye.header("proxy-authorization").contains("smith"), "{bye:?}");
    bob.receive(&bye.respond("200 OK", "", ""));
    bob.finish();
    // A call of the other account to the same place has nothing of it.
    bob.command(|agent, now| agent.call(now, to_carol())).unwrap();
    assert_eq!(one(&mut bob).find("proxy-authorization"), None);
}

/// RFC 3608 §6.1: two accounts with one address-of-record are two.
#[test]
fn a_service_route_is_that_of_one_account() {
    let (mut bob, _) = bob();
    let twin = bob.agent.add_account(account("Bob <sip:bob@biloxi.com>")).unwrap();
    bob.command(|agent, now| agent.register(now, at("sip:biloxi.com").account(twin))).unwrap();
    let sent = one(&mut bob);
    bob.receive(&sent.respond("200 OK", "r", "Service-Route: <sip:192.0.2.66;lr>\r\n"));
    for (account, route) in [(AccountId::DEFAULT, None), (twin, Some("<sip:192.0.2.66;lr>"))] {
        bob.command(|agent, now| agent.call(now, to_carol().account(account))).unwrap();
        assert_eq!(one(&mut bob).find("route"), route);
    }
    // The same registrar and address-of-record, and still two registrations.
    bob.command(|agent, now| agent.register(now, at("sip:biloxi.com"))).unwrap();
    assert_ne!(one(&mut bob).header("call-id"), sent.header("call-id"));
    assert_eq!(bob.agent.user().census().registrations, 2);
}

#[test]
fn an_account_stays_as_long_as_it_is_registered() {
    let (mut bob, work) = bob();
    let id = bob.command(|agent, now| agent.register(now, at("sip:chicago.com").account(work))).unwrap();
    let sent = one(&mut bob);
    bob.receive(&sent.respond("200 OK", "r", "Contact: <sip:smith@192.0.2.4>;expires=3600\r\n"));
    assert_eq!(bob.agent.remove_account(work), Err(CommandError::WrongState));
    bob.command(|agent, now| agent.unregister(now, id)).unwrap();
    let sent = one(&mut bob);
    bob.receive(&sent.respond("200 OK", "r", ""));
    assert_eq!(bob.agent.remove_account(work), Ok(()));
    for gone in [
        bob.command(|agent, now| agent.register(now, at("sip:chicago.com").account(work))).err(),
        bob.command(|agent, now| agent.call(now, to_carol().account(work))).err(),
        bob.command(|agent, now| agent.ask(now, Method::Message, to_carol().account(work))).err(),
        bob.command(|agent, _| agent.login_to(work, Scope::Any, Login::new("a", Secret::password("b")))).err(),
    ] {
        assert_eq!(gone, Some(CommandError::Gone));
    }
    bob.finish();
}

/// §8.2.2.1: what we have bound leads to us, as long as it is bound.
#[test]
fn what_a_register_has_bound_is_ours_until_it_is_removed() {
    let (mut bob, work) = bob();
    let chief = || for_user(&request("MESSAGE", "a", 1, "", ""), "chief");
    let line3 = |branch: &str| for_user(&request("MESSAGE", branch, 1, "", ""), "line3");
    assert_eq!(bob.ask(&chief()).label(), "404 MESSAGE");
    bob.run(Duration::from_secs(40));
    let binding = Binding::to(&"sip:line3@192.0.2.4".parse().unwrap());
    let register = at("sip:chicago.com")
        .account(work)
        .address_of_record(&"<sip:chief@chicago.com>".parse().unwrap())
        .binding(binding);
    let id = bob.command(|agent, now| agent.register(now, register)).unwrap();
    let sent = one(&mut bob);
    bob.receive(&sent.respond("200 OK", "r", "Contact: <sip:line3@192.0.2.4>;expires=3600\r\n"));
    bob.receive(&chief());
    bob.receive(&line3("b").replace("CSeq: 1", "CSeq: 2"));
    assert_eq!(accounts(&bob), [work, work]);
    bob.run(Duration::from_secs(40));
    bob.take();
    bob.command(|agent, now| agent.unregister(now, id)).unwrap();
    let sent = one(&mut bob);
    bob.receive(&sent.respond("200 OK", "r", ""));
    bob.take();
    assert_eq!(bob.ask(&line3("c")).label(), "404 MESSAGE");
    bob.finish();
}

#[test]
fn whoever_is_meant_with_any_user_it_is_the_account_in_to() {
    let mut bob = Lone::with(|_, profile| {
        profile.any_user = true;
        profile.methods.push("MESSAGE".into());
    });
    let work = bob.agent.add_account(account("<sip:smith@chicago.com>")).unwrap();
    let stranger = for_user(&request("MESSAGE", "a", 1, "", ""), "stranger");
    bob.receive(&stranger);
    let to_work = stranger.replace("Bob <sip:bob@biloxi.com>", "<sip:smith@chicago.com>").replace("4bKa", "4bKb");
    bob.receive(&to_work.replace("CSeq: 1", "CSeq: 2"));
    assert_eq!(accounts(&bob), [AccountId::DEFAULT, work]);
    bob.finish();
}

#[test]
fn accounts_have_a_limit() {
    assert_eq!(Limits::default().accounts, 100_000);
    let mut bob = Lone::with(|_, profile| profile.limits.accounts = 1);
    bob.agent.add_account(account("<sip:smith@chicago.com>")).unwrap();
    assert_eq!(bob.agent.add_account(account("<sip:jones@chicago.com>")), Err(CommandError::Limit("accounts")));
    assert_eq!(bob.agent.add_account(account("<tel:+12015550123>")), Err(CommandError::NotSip));
}

/// RFC 3608 gives no bound; a part of a route leads nowhere, so that a longer one counts as none.
#[test]
fn a_service_route_has_a_limit() {
    assert_eq!(Limits::default().service_route, 16);
    for (count, is_used) in [(16, true), (17, false)] {
        let (mut bob, _) = bob();
        bob.command(|agent, now| agent.register(now, at("sip:biloxi.com"))).unwrap();
        let sent = one(&mut bob);
        bob.receive(&sent.respond("200 OK", "r", &"Service-Route: <sip:192.0.2.66;lr>\r\n".repeat(count)));
        let overload = if is_used { &["registered"][..] } else { &["registered", "overload Limit(service_route)"] };
        let mut told = bob.told();
        told.sort_by_key(|told| core::cmp::Reverse(told.clone()));
        assert_eq!(told, overload);
        bob.command(|agent, now| agent.call(now, to_carol())).unwrap();
        assert_eq!(one(&mut bob).find("route").is_some(), is_used);
    }
}
