//! Flows that a user agent opens and registers by (RFC 5626 §4).

use alloc::string::{String, ToString};
use alloc::vec::Vec;

use super::bindings::{at_biloxi, bob as alone, one, register};
use super::keeping_alive::{Connected, proxy};
use super::lone::{CONTACT, Lone, described, request};
use super::text::Text;
use crate::error::CommandError;
use crate::extension::{Extension, Extensions};
use crate::time::Duration;
use crate::user_agent::{
    Account, BackOff, Binding, Body, Event, Instance, KeepAlive, Outgoing, Policy, Profile, Register,
};
use crate::{Change, Input, Listener, NextHop, Node};

const URN: &str = "urn:uuid:00000000-0000-1000-8000-AABBCCDDEEFF";

fn instance() -> Option<Instance> {
    Some(URN.parse().unwrap())
}

/// Bob, whose REGISTER goes to the proxy; the rest of what he sends would go where it says.
fn connected(register: Register) -> Connected {
    Connected::with(register.next_hop(proxy()), |profile| {
        profile.instance = instance();
        profile.extensions = Extensions::NONE;
    })
}

fn taken(bob: &mut Connected) -> Vec<Text> {
    let sent = core::mem::take(&mut bob.sent);
    sent.iter().filter(|sent| !sent.trim_ascii().is_empty()).map(|sent| Text::of(sent)).collect()
}

/// The one request that Bob has sent.
#[track_caller]
fn sent(bob: &mut Connected) -> Text {
    let mut sent = taken(bob);
    assert_eq!(sent.len(), 1, "{sent:?}");
    sent.remove(0)
}

/// Takes Bob's REGISTER with a 200.
#[track_caller]
fn accept(bob: &mut Connected, more: &str) -> Text {
    let register = sent(bob);
    assert_eq!(register.method(), "REGISTER");
    bob.receive(register.respond("200 OK", "r", &["Expires: 3600\r\n", more].concat()).as_bytes());
    register
}

const REQUIRED: &str = "Require: outbound\r\n";

/// Bob's flow is kept by the registrar.
fn flow(more: &str) -> Connected {
    let mut bob = connected(at_biloxi().outbound());
    accept(&mut bob, &[REQUIRED, more].concat());
    assert_eq!((bob.told.as_slice(), bob.opened), (&["registered".into()][..], 1));
    bob
}

/// Lets pings go out, each answered, for so long; how many they were.
fn pings(bob: &mut Connected, seconds: u64) -> usize {
    let mut pings = 0;
    for _ in 0..seconds {
        bob.run(Duration::from_secs(1));
        let sent = core::mem::take(&mut bob.sent);
        assert!(sent.iter().all(|sent| sent == b"\r\n\r\n"), "{sent:?}");
        pings += sent.len();
        (0..sent.len()).for_each(|_| bob.receive(b"\r\n"));
    }
    pings
}

/// Lets at most so many seconds pass, until something is sent.
fn wait(bob: &mut Connected, seconds: u64) {
    for _ in 0..seconds {
        if bob.sent.is_empty() {
            bob.run(Duration::from_secs(1));
        }
    }
}

fn close(bob: &mut Connected) {
    let change = Change::Closed;
    bob.agent.handle(bob.now, Input::Connection { connection: bob.connection, change });
    bob.drain();
}

/// RFC 5626 §4.2.1, §9.2 message 1; §4.2.2.
#[test]
fn the_register_names_the_instance_and_the_flow() {
    let mut bob = connected(at_biloxi().outbound().binding(Binding::ours().q(500)));
    let flow = "<sip:bob@192.0.2.4;transport=tcp>;+sip.instance=\"<urn:uuid:00000000-0000-1000-8000-AABBCCDDEEFF>\";reg-id=1;q=0.5";
    let first = accept(&mut bob, REQUIRED);
    assert_eq!((first.header("contact"), first.header("supported")), (flow, "outbound, path"));
    bob.run(Duration::from_secs(3_230));
    bob.sent.clear();
    // Each ping has its pong, so that the flow stays; what refreshes and what removes has the same names.
    let mut bob = self::flow("");
    pings(&mut bob, 3_239);
    bob.run(Duration::from_secs(1));
    let flow = flow.replace(";q=0.5", "");
    assert_eq!(accept(&mut bob, REQUIRED).header("contact"), flow);
    let Some(Event::Registered { registration, .. }) = bob.events.last().cloned() else { panic!() };
    bob.agent.unregister(bob.now, registration).unwrap();
    bob.drain();
    let last = sent(&mut bob);
    assert_eq!((last.header("contact"), last.header("expires")), (&*flow, "0"));
    assert_eq!(bob.opened, 1, "all along one flow");
}

/// §4.2.3: `*` is nobody's instance, and neither is a contact that is another's.
#[test]
fn an_instance_stands_with_our_own_contact_alone() {
    let mut bob = Lone::with(|_, profile| {
        profile.outbound = Some(core::net::SocketAddr::from(([192, 0, 2, 9], 5060)).into());
        profile.instance = instance();
    });
    let elsewhere = Binding::to(&"sip:bob@192.0.2.99".parse().unwrap());
    let (_, sent) = register(&mut bob, at_biloxi().binding(Binding::ours()).binding(elsewhere));
    let ours = ["<sip:bob@192.0.2.4>;+sip.instance=\"<", URN, ">\""].concat();
    let mut contacts = sent.headers["contact"].clone();
    contacts.sort();
    assert_eq!(contacts, [ours, "<sip:bob@192.0.2.99>".into()]);
    bob.receive(&sent.respond("200 OK", "r", ""));
    bob.command(|agent, now| agent.unregister_all(now, at_biloxi())).unwrap();
    assert_eq!(one(&mut bob).header("contact"), "*");
}

#[test]
fn a_flow_without_an_instance_or_beside_other_contacts_is_refused() {
    let mut bob = alone();
    let elsewhere = || Binding::to(&"sip:bob@192.0.2.99".parse().unwrap());
    let asked = |bob: &mut Lone, register: Register| bob.command(|agent, now| agent.register(now, register));
    assert_eq!(asked(&mut bob, at_biloxi().outbound()), Err(CommandError::Invalid("instance")));
    let with = Account { instance: instance(), ..Account::new("<sip:b.smith@biloxi.com>".parse().unwrap()) };
    let work = bob.agent.add_account(with).unwrap();
    let flow = || at_biloxi().account(work).next_hop(proxy()).outbound();
    for wrong in [flow().binding(elsewhere()), flow().binding(Binding::ours()).binding(elsewhere())] {
        assert_eq!(asked(&mut bob, wrong), Err(CommandError::Invalid("binding")));
    }
    assert_eq!(bob.agent.user().census().registrations, 0);
}

/// §4.4, §4.4.1.
#[test]
fn a_flow_is_kept_alive_as_often_as_its_server_says_or_else_as_usual() {
    let mut bob = flow("");
    assert!((10..=12).contains(&pings(&mut bob, 1_200)));
    let mut bob = flow("Flow-Timer: 50\r\n");
    assert!((24..=30).contains(&pings(&mut bob, 1_200)));
    // At least as often as the server wants, and as the application.
    for (wanted, least) in [(30, 40), (300, 24)] {
        let wanted = KeepAlive::crlf(Duration::from_secs(wanted));
        let mut bob = connected(at_biloxi().outbound().keep_alive(wanted));
        accept(&mut bob, "Require: outbound\r\nFlow-Timer: 50\r\n");
        assert!((least..=least + 10).contains(&pings(&mut bob, 1_200)));
    }
    // The registrar has not taken it as a flow: the contact is bound as any other.
    let mut bob = connected(at_biloxi().outbound());
    accept(&mut bob, "Flow-Timer: 50\r\n");
    assert_eq!(pings(&mut bob, 1_200), 0);
}

/// §4.4.2: STUN is the driver's.
#[test]
fn a_flow_of_datagrams_is_kept_alive_by_options() {
    let mut bob = Lone::with(|_, profile| {
        profile.outbound = Some(core::net::SocketAddr::from(([192, 0, 2, 9], 5060)).into());
        profile.instance = instance();
    });
    let (_, sent) = register(&mut bob, at_biloxi().outbound());
    bob.receive(&sent.respond("200 OK", "r", "Require: outbound\r\n"));
    bob.run(Duration::from_secs(23));
    assert!(bob.take().is_empty());
    bob.run(Duration::from_secs(6));
    let options = bob.take();
    assert!(!options.is_empty() && options.iter().all(|sent| sent.method() == "OPTIONS"));
    assert!(bob.pings.is_empty());
}

/// §4.3.
#[test]
fn requests_outside_of_dialogs_go_along_the_flow_and_contact_asks_for_the_way_back() {
    let mut bob = flow("");
    let carol = "Carol <sip:carol@192.0.2.99>".parse().unwrap();
    bob.agent.call(bob.now, &carol).unwrap();
    bob.drain();
    let invite = sent(&mut bob);
    assert_eq!((invite.header("contact"), bob.opened), ("<sip:bob@192.0.2.4;transport=tcp;ob>", 1));
    // Within the dialog it stays the same.
    let ok = invite.respond("200 OK", "c", "Contact: <sip:carol@192.0.2.9;transport=tcp>\r\n");
    bob.receive(ok.as_bytes());
    assert_eq!(sent(&mut bob).method(), "ACK");
    let Some(Event::Answered { call, .. }) = bob.events.last().cloned() else { panic!("{:?}", bob.told) };
    bob.agent.modify(bob.now, call, Body::sdp("v=0\r\n")).unwrap();
    bob.drain();
    assert_eq!(sent(&mut bob).header("contact"), "<sip:bob@192.0.2.4;transport=tcp;ob>");
    // What makes no dialog needs no way back, and goes along the flow too.
    let ask = |bob: &mut Connected, outgoing: Outgoing| {
        bob.agent.ask(bob.now, crate::message::Method::Options, outgoing).unwrap();
        bob.drain();
    };
    ask(&mut bob, Outgoing::to(&carol));
    assert_eq!(sent(&mut bob).header("contact"), "<sip:bob@192.0.2.4;transport=tcp>");
    assert_eq!(bob.opened, 1);
    // A request that says its own way goes that way, and so does one of another address-of-record.
    ask(&mut bob, Outgoing::to(&carol).from(&"<sip:sales@biloxi.com>".parse().unwrap()).next_hop(other()));
    ask(&mut bob, Outgoing::to(&carol).next_hop(other()));
    assert_eq!(bob.opened, 2, "one more connection for both");
}

/// §4.3: the flow is that of one address-of-record of one account.
#[test]
fn another_caller_and_another_account_do_not_go_along_the_flow() {
    let carol = "Carol <sip:carol@192.0.2.77;transport=tcp>".parse().unwrap();
    for is_account in [false, true] {
        let mut bob = flow("");
        let work = bob.agent.add_account(Account::new("Bob <sip:bob@biloxi.com>".parse().unwrap())).unwrap();
        let outgoing = || match is_account {
            true => Outgoing::to(&carol).account(work),
            false => Outgoing::to(&carol).from(&"<sip:sales@biloxi.com>".parse().unwrap()),
        };
        bob.agent.call(bob.now, outgoing()).unwrap();
        bob.drain();
        assert_eq!(sent(&mut bob).header("contact"), "<sip:bob@192.0.2.4;transport=tcp>", "{is_account}");
        bob.agent.ask(bob.now, crate::message::Method::Options, outgoing()).unwrap();
        bob.drain();
        assert_eq!(sent(&mut bob).header("contact"), "<sip:bob@192.0.2.4;transport=tcp>", "{is_account}");
        assert_eq!(bob.opened, 2, "{is_account}: one more connection for both");
    }
}

fn other() -> NextHop {
    let address: core::net::SocketAddr = "192.0.2.77:5060".parse().unwrap();
    NextHop { protocol: Some(crate::message::header::Protocol::Tcp), ..address.into() }
}

#[test]
fn whoever_is_called_along_the_flow_asks_for_the_way_back_too() {
    let mut bob = flow("");
    let invite = described(&request("INVITE", "i", 10, "", CONTACT)).replace("SIP/2.0/UDP", "SIP/2.0/TCP");
    bob.receive(invite.as_bytes());
    let Some(Event::Incoming { call, .. }) = bob.events.last().cloned() else { panic!("{:?}", bob.told) };
    bob.sent.clear();
    bob.agent.answer(bob.now, call, Body::sdp("v=0\r\n")).unwrap();
    bob.drain();
    assert_eq!(sent(&mut bob).header("contact"), "<sip:bob@192.0.2.4;transport=tcp;ob>");
}

/// §4.3: SHOULD in every request.
#[test]
fn supported_says_outbound_where_the_profile_does() {
    let mut bob = Lone::with(|_, profile| profile.extensions = Extensions::of(&[Extension::Outbound]));
    let (_, invite) = bob.call();
    assert_eq!(invite.header("supported"), "outbound");
    let carol = "Carol <sip:carol@192.0.2.9>".parse().unwrap();
    bob.command(|agent, now| agent.ask(now, crate::message::Method::Options, Outgoing::to(&carol))).unwrap();
    let options = bob.take().pop().unwrap();
    assert_eq!(options.header("supported"), "outbound");
}

/// §4.2.1, §11.6.
#[test]
fn where_the_first_hop_keeps_no_flows_the_contact_is_bound_without_one() {
    let mut bob = connected(at_biloxi().outbound());
    let first = sent(&mut bob);
    bob.receive(first.respond("439 First Hop Lacks Outbound Support", "r", "").as_bytes());
    let second = accept(&mut bob, "");
    assert_eq!(second.header("contact"), ["<sip:bob@192.0.2.4;transport=tcp>;+sip.instance=\"<", URN, ">\""].concat());
    assert_eq!(second.find("supported"), None);
    assert_eq!(bob.told, ["registered"]);
    assert_eq!(pings(&mut bob, 600), 0);
    // 439 to what asks for no flow is a refusal like any other.
    let mut bob = connected(at_biloxi());
    let first = sent(&mut bob);
    bob.receive(first.respond("439 First Hop Lacks Outbound Support", "r", "").as_bytes());
    assert!(bob.sent.is_empty());
    assert_eq!(bob.told, ["registration failed 439"]);
}

/// §4.5: a flow that was a success is replaced at once.
#[test]
fn a_flow_that_fails_after_a_pong_is_replaced_at_once() {
    let mut bob = flow("Flow-Timer: 50\r\n");
    assert!(pings(&mut bob, 110) >= 2);
    close(&mut bob);
    assert_eq!((bob.told.last().map(String::as_str), bob.opened), (Some("flow lost"), 2));
    let again = accept(&mut bob, REQUIRED);
    assert!(again.header("contact").contains(";reg-id=1"));
}

/// §4.5: and one that was none is a failure, each of which doubles the wait, so that no registrar is flooded that takes a REGISTER and
/// closes the connection.
#[test]
fn a_flow_that_fails_before_a_pong_is_replaced_after_a_wait_that_doubles() {
    let mut bob = flow("");
    for (least, most) in [(30, 60), (60, 120), (120, 240)] {
        close(&mut bob);
        assert_eq!(bob.told.last().map(String::as_str), Some("flow lost"));
        bob.run(Duration::from_secs(least));
        assert!(bob.sent.is_empty(), "{least}");
        wait(&mut bob, most - least);
        accept(&mut bob, REQUIRED);
    }
    // The policy of the application wins.
    let base = Duration::from_secs(2);
    let mut bob = Connected::with(at_biloxi().outbound().next_hop(proxy()), |profile: &mut Profile| {
        profile.instance = instance();
        profile.policy = Policy { registering: Some(BackOff { base, ..BackOff::default() }), ..Policy::NONE };
    });
    accept(&mut bob, REQUIRED);
    close(&mut bob);
    wait(&mut bob, 4);
    accept(&mut bob, REQUIRED);
}

/// §4.5: a REGISTER that finds nobody is tried again, though the profile says nothing of it.
#[test]
fn a_flow_that_cannot_be_formed_is_tried_again_later() {
    let mut bob = connected(at_biloxi().outbound());
    let first = sent(&mut bob);
    bob.receive(first.respond("503 Service Unavailable", "r", "Retry-After: 100\r\n").as_bytes());
    let Some(Event::RegistrationFailed { again: Some(again), .. }) = bob.events.last() else { panic!() };
    assert_eq!(again.since(bob.now), Duration::from_secs(100));
    bob.run(Duration::from_secs(100));
    accept(&mut bob, REQUIRED);
}

/// §4.2.2: along the flow, which stays for an error that may pass, and is left where there is no answer.
#[test]
fn a_refresh_that_gets_no_answer_leaves_its_flow() {
    let mut bob = flow("");
    pings(&mut bob, 3_239);
    bob.run(Duration::from_secs(1));
    let refresh = sent(&mut bob);
    bob.receive(refresh.respond("503 Service Unavailable", "r", "").as_bytes());
    let again = loop {
        bob.run(Duration::from_secs(1));
        if !bob.sent.is_empty() {
            let sent = taken(&mut bob);
            if let Some(again) = sent.into_iter().next() {
                break again;
            }
            bob.receive(b"\r\n");
        }
    };
    assert_eq!(again.method(), "REGISTER");
    assert_eq!(bob.opened, 1);
    // No answer, though the connection has pongs.
    for _ in 0..33 {
        bob.run(Duration::from_secs(1));
        bob.receive(b"\r\n");
    }
    assert_eq!(bob.told.last().map(String::as_str), Some("registration failed 408"));
    let before = bob.told.len();
    // Whatever goes out now does not ask for a way along that flow any more.
    bob.sent.clear();
    let carol = "Carol <sip:carol@192.0.2.9;transport=tcp>".parse().unwrap();
    bob.agent.call(bob.now, &carol).unwrap();
    bob.drain();
    let invite = taken(&mut bob).into_iter().find(|sent| sent.method() == "INVITE").unwrap();
    assert_eq!(invite.header("contact"), "<sip:bob@192.0.2.4;transport=tcp>");
    assert_eq!(bob.told.len(), before);
}

/// The next flow of the same number replaces the binding, so that nothing is to be removed (§4.5).
#[test]
fn a_flow_whose_listener_moves_is_formed_anew() {
    let mut bob = flow("");
    let listener = bob.agent.endpoint().listeners().next().unwrap().0;
    let to = Listener::tcp("198.51.100.7:5060".parse().unwrap());
    bob.agent.listener_moved(bob.now, listener, to).unwrap();
    bob.drain();
    let register = accept(&mut bob, REQUIRED);
    assert_eq!(register.headers["contact"].len(), 1, "{register:?}");
    assert!(register.header("contact").starts_with("<sip:bob@198.51.100.7;transport=tcp>;+sip.instance="));
    assert_eq!(bob.opened, 2);
}

/// RFC 5626 §4.2.2, RFC 3261 §10.2.4: whatever the resolver says by then.
#[test]
fn a_refresh_goes_where_the_flow_was_formed() {
    let mut bob = Lone::with(|_, profile| profile.instance = instance());
    bob.addresses = ["192.0.2.9".parse().unwrap()].into();
    let (_, sent) = register(&mut bob, at_biloxi().outbound().keep_alive(KeepAlive::crlf(Duration::from_secs(29))));
    bob.receive(&sent.respond("200 OK", "r", "Require: outbound\r\nExpires: 100\r\n"));
    bob.addresses = ["192.0.2.10".parse().unwrap()].into();
    bob.run(Duration::from_secs(70));
    let refresh = one(&mut bob);
    assert_eq!((refresh.method(), bob.ways.last().unwrap().to_string()), ("REGISTER", "192.0.2.9:5060".to_string()));
}
