//! A user agent's word of itself over connections (RFC 3261 §8.1.1.8, §12.1.1, §18).

use alloc::string::String;

use crate::message::header::Protocol;
use crate::message::{HeaderId, Message, SharedBytes};
use crate::user_agent::{Body, Outgoing, Profile, UserAgent};
use crate::{Change, Config, Input, Instant, Listener, NextHop, Node, Output, Seed};

/// Over which protocol Alice calls `to` with a body of this size, and her Contact.
fn call(to: &str, outbound: Option<Protocol>, body: usize) -> (Protocol, String) {
    let mut profile = Profile::new("Alice <sip:alice@atlanta.com>".parse().unwrap());
    let proxy = NextHop::from("192.0.2.2:5060".parse::<core::net::SocketAddr>().unwrap());
    profile.outbound = outbound.map(|protocol| NextHop { protocol: Some(protocol), ..proxy });
    let mut alice = UserAgent::user_agent(Config::new(Seed::from_u64(1)), profile);
    let local = "192.0.2.1:5060".parse().unwrap();
    for listener in [Listener::udp(local), Listener::tcp(local), Listener::tls("192.0.2.1:5061".parse().unwrap())] {
        alice.listen(listener.with_sent_by("pc33.atlanta.com".parse().unwrap()));
    }
    let body = Body { content_type: "application/sdp".into(), bytes: SharedBytes::from(&*alloc::vec![b'v'; body]) };
    let to = alloc::format!("<{to}>").parse().unwrap();
    alice.call(Instant::ZERO, Outgoing::to(&to).body(body)).unwrap();
    let mut output = alice.poll().unwrap();
    let mut protocol = Protocol::Udp;
    if let Output::Open { connection, protocol: opened, .. } = output {
        protocol = opened;
        let change = Change::Opened { identities: &[] };
        alice.handle(Instant::ZERO, Input::Connection { connection, change });
        output = alice.poll().unwrap();
    }
    let Output::Send(transmit) = output else { panic!("{output:?}") };
    let Ok(Message::Request(invite)) = Message::parse(&transmit.bytes, &Default::default()) else {
        panic!("no INVITE")
    };
    (protocol, String::from_utf8(invite.headers().raw(HeaderId::Contact).unwrap().into()).unwrap())
}

#[test]
fn contact_names_the_transport_that_leads_here() {
    for (to, outbound, protocol, contact) in [
        ("sip:bob@192.0.2.4", None, Protocol::Udp, "<sip:alice@pc33.atlanta.com>"),
        ("sip:bob@192.0.2.4;transport=tcp", None, Protocol::Tcp, "<sip:alice@pc33.atlanta.com;transport=tcp>"),
        ("sip:bob@biloxi.com", Some(Protocol::Tcp), Protocol::Tcp, "<sip:alice@pc33.atlanta.com;transport=tcp>"),
        ("sips:bob@192.0.2.4", None, Protocol::Tls, "<sips:alice@pc33.atlanta.com>"),
    ] {
        assert_eq!(call(to, outbound, 0), (protocol, String::from(contact)), "{to}");
    }
}

/// RFC 3261 §12.2.1.1: the Contact of a refresh is a SIPS URI in a secure dialog.
#[test]
fn a_refresh_in_a_secure_dialog_says_a_sips_contact() {
    let mut alice = UserAgent::user_agent(
        Config::new(Seed::from_u64(1)),
        Profile::new("Alice <sip:alice@atlanta.com>".parse().unwrap()),
    );
    let local = "192.0.2.1:5061".parse().unwrap();
    alice.listen(Listener::tls(local).with_sent_by("pc33.atlanta.com".parse().unwrap()));
    let to = "<sips:bob@192.0.2.4>".parse().unwrap();
    let call = alice.call(Instant::ZERO, Outgoing::to(&to).body(Body::sdp("v=0\r\n"))).unwrap();
    let Some(Output::Open { connection, .. }) = alice.poll() else { panic!("no connection") };
    alice.handle(Instant::ZERO, Input::Connection { connection, change: Change::Opened { identities: &[] } });
    let sent = |alice: &mut UserAgent| {
        let outputs = core::iter::from_fn(|| alice.poll());
        let sent = outputs.filter_map(|output| match output {
            Output::Send(transmit) => Some(super::text::Text::of(&transmit.bytes)),
            _ => None,
        });
        sent.collect::<alloc::vec::Vec<_>>()
    };
    let invite = sent(&mut alice).remove(0);
    let answer = |request: &super::text::Text| {
        request
            .respond("200 OK", "bob-tag", "Contact: <sips:bob@192.0.2.4>\r\nContent-Type: application/sdp\r\n")
            .replace("Content-Length: 0\r\n\r\n", "Content-Length: 5\r\n\r\nv=0\r\n")
    };
    let ok = answer(&invite);
    alice.handle(Instant::ZERO, Input::Stream { connection, bytes: ok.as_bytes() });
    assert_eq!(sent(&mut alice)[0].start, "ACK sips:bob@192.0.2.4 SIP/2.0");
    alice.modify(Instant::ZERO, call, Body::sdp("v=0\r\no=2\r\n")).unwrap();
    let again = sent(&mut alice).remove(0);
    assert_eq!((again.label().as_str(), again.header("contact")), ("INVITE", "<sips:alice@pc33.atlanta.com>"));
    assert_eq!(again.start, "INVITE sips:bob@192.0.2.4 SIP/2.0");
}

/// RFC 3261 §18.1.1: the size of one request says nothing of those that come back.
#[test]
fn contact_is_not_changed_by_the_size_of_the_request() {
    let (protocol, contact) = call("sip:bob@192.0.2.4", None, 1400);
    assert_eq!((protocol, contact.as_str()), (Protocol::Tcp, "<sip:alice@pc33.atlanta.com>"));
}

/// §10.2.6: user agents may listen to sip.mcast.net, but do not respond.
#[test]
fn a_registration_that_is_sent_to_a_group_is_not_answered() {
    let register = b"REGISTER sip:chicago.com SIP/2.0\r\n\
        Via: SIP/2.0/UDP 192.0.2.9;maddr=224.0.1.75;ttl=1;branch=z9hG4bKnashds7\r\n\
        Max-Forwards: 70\r\n\
        To: Carol <sip:carol@chicago.com>\r\n\
        From: Carol <sip:carol@chicago.com>;tag=456248\r\n\
        Call-ID: 843817637684230@998sdasdh09\r\n\
        CSeq: 1826 REGISTER\r\n\
        Contact: <sip:carol@192.0.2.9>\r\n\
        Content-Length: 0\r\n\r\n";
    let profile = Profile::new("Alice <sip:alice@atlanta.com>".parse().unwrap());
    let mut alice = UserAgent::user_agent(Config::new(Seed::from_u64(1)), profile);
    let own = alice.listen(Listener::udp("192.0.2.1:5060".parse().unwrap()));
    let group = alice.listen(Listener::udp("224.0.1.75:5060".parse().unwrap()));
    let remote = "192.0.2.9:5060".parse().unwrap();
    alice.handle(Instant::ZERO, Input::Datagram { listener: group, remote, bytes: register });
    assert!(alice.poll().is_none() && alice.is_idle());
    alice.handle(Instant::ZERO, Input::Datagram { listener: own, remote, bytes: register });
    assert!(alice.poll().is_some());
}
