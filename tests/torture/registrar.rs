//! The bindings that odd contacts make (RFC 4475 §3.1.1.4, §3.3.12 to §3.3.14).

use std::net::SocketAddr;

use sansip::message::header::{Contact, NameAddrBuf};
use sansip::message::{Limits, Message, StatusCode};
use sansip::{Config, Input, Instant, Listener, Node, Output, Seed, Server, server};

use crate::samples::{printed, traps};

/// The contacts that the 200 lists after the trap that is like this one; of our own message, and of the RFC's where it is.
fn bound(like: &str) -> Vec<Vec<NameAddrBuf>> {
    let own = traps().into_iter().filter(|trap| trap.like == like).map(|trap| trap.own);
    let printed = printed().into_iter().map(|printed| printed.sample).filter(|sample| sample.file == like);
    own.chain(printed).map(|sample| contacts(&sample.bytes)).collect()
}

fn contacts(register: &[u8]) -> Vec<NameAddrBuf> {
    let message = Message::parse(register, &Limits::default()).expect("a message");
    let to = message.headers().to().expect("To").uri;
    let settings =
        server::Settings { domains: vec![to.host().expect("a host").to_buf()], ..server::Settings::default() };
    let mut server = Server::server(Config::new(Seed::from_u64(1)), settings);
    let address = |last| SocketAddr::from(([198, 18, 0, last], 5060));
    let listener = server.listen(Listener::udp(address(1)));
    server.handle(Instant::ZERO, Input::Datagram { listener, remote: address(2), bytes: register });
    let sent = std::iter::from_fn(|| server.poll()).find_map(|output| match output {
        Output::Send(transmit) => Some(transmit.bytes),
        _ => None,
    });
    let response = Message::parse(&sent.expect("an answer"), &Limits::default());
    let Ok(Message::Response(response)) = response else { panic!("no response: {response:?}") };
    assert_eq!(response.status(), StatusCode::OK);
    let contacts = response.headers().all::<Contact<'_>>().map(|contact| contact.ok().and_then(Contact::address));
    contacts.map(|contact| contact.expect("an address").to_buf()).collect()
}

#[test]
fn a_parameter_without_brackets_is_no_part_of_the_contact() {
    for bound in bound("rfc4475/cparam01.dat") {
        let [contact] = &*bound else { panic!("{bound:?}") };
        assert!(contact.uri().parameters().is_empty(), "{contact}");
        assert_eq!(names(contact).len(), 2, "{contact}");
        assert_eq!(names(contact)[1], "expires", "{contact}");
    }
}

#[test]
fn a_parameter_within_brackets_stays_with_the_contact() {
    for bound in bound("rfc4475/cparam02.dat") {
        let [contact] = &*bound else { panic!("{bound:?}") };
        assert_eq!(contact.uri().parameters().iter().count(), 1, "{contact}");
        assert_eq!(names(contact), ["expires"], "{contact}");
    }
}

#[test]
fn an_escaped_header_stays_with_the_contact() {
    for bound in bound("rfc4475/regescrt.dat") {
        let [contact] = &*bound else { panic!("{bound:?}") };
        assert!(contact.uri().headers().unwrap().starts_with(b"Route=%3Csip:"), "{contact}");
    }
}

#[test]
fn an_escaped_nul_ends_no_user() {
    for bound in bound("rfc4475/escnull.dat") {
        let users: Vec<_> = bound.iter().map(|contact| contact.uri().user()).collect();
        assert_eq!(users, [Some("%00"), Some("%00%00")]);
    }
}

/// The names of the header parameters.
fn names(contact: &NameAddrBuf) -> Vec<&str> {
    contact.as_name_addr().parameters.iter().map(|parameter| parameter.name).collect()
}
