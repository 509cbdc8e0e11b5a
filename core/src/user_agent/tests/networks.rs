//! Where a user agent says that it is reached, if it has listeners in several networks and the next hop is a name (RFC 3261
//! §8.1.1.8).

use alloc::format;
use alloc::vec::Vec;

use super::lone::Lone;
use super::text::Text;
use crate::transport::Network;
use crate::{Duration, Listener};

const INSIDE: &str = "10.1.2.3";
const OUTSIDE: &str = "203.0.113.9";

/// Bob, who reaches 10.0.0.0/8 from 10.0.0.1 and all else from 192.0.2.4; every name has these addresses.
fn bob(addresses: &[&str]) -> Lone {
    let mut bob = Lone::new();
    let network = Network { address: [10, 0, 0, 0].into(), prefix: 8 };
    bob.agent.listen(Listener::udp("10.0.0.1:5060".parse().unwrap()).with_networks([network]));
    bob.addresses = addresses.iter().map(|address| address.parse().unwrap()).collect();
    bob
}

/// Via and Contact say that the request comes from `host`.
#[track_caller]
fn assert_from(host: &str, text: &Text) {
    assert!(text.header("via").starts_with(&format!("SIP/2.0/UDP {host};")), "{text:?}");
    assert_eq!(text.headers["contact"], [format!("<sip:bob@{host}>")]);
}

#[test]
fn contact_names_the_listener_that_reaches_the_address_found() {
    for (address, host) in [(INSIDE, "10.0.0.1"), (OUTSIDE, "192.0.2.4")] {
        let mut bob = bob(&[address]);
        let carol = "Carol <sip:carol@chicago.com:5070>".parse().unwrap();
        bob.command(|agent, now| agent.call(now, &carol)).unwrap();
        let sent = bob.take();
        assert_eq!(sent[0].method(), "INVITE");
        assert_from(host, &sent[0]);
    }
}

#[test]
fn an_address_in_another_network_is_told_another_contact() {
    let mut bob = bob(&[INSIDE, OUTSIDE]);
    let carol = "Carol <sip:carol@chicago.com:5070>".parse().unwrap();
    bob.command(|agent, now| agent.call(now, &carol)).unwrap();
    let first = bob.take();
    assert_from("10.0.0.1", &first[0]);
    let again = bob.exchange(&first[0].respond("503 Service Unavailable", "", ""));
    let again: Vec<&Text> = again.iter().filter(|text| text.label() == "INVITE").collect();
    assert_from("192.0.2.4", again[0]);
}

#[test]
fn a_binding_is_known_again_whichever_listener_it_names() {
    for (address, host) in [(INSIDE, "10.0.0.1"), (OUTSIDE, "192.0.2.4")] {
        let mut bob = bob(&[address]);
        let registrar: crate::message::UriBuf = "sip:registrar.biloxi.com:5070".parse().unwrap();
        bob.command(|agent, now| agent.register(now, crate::user_agent::Register::at(&registrar).expires(7200)))
            .unwrap();
        let first = bob.take();
        assert_from(host, &first[0]);
        let bound = format!("Contact: <sip:bob@192.0.2.99>;expires=60, <sip:bob@{host}>;expires=3600\r\n");
        bob.receive(&first[0].respond("200 OK", "r", &bound));
        // A tenth before its end.
        bob.run(Duration::from_secs(3239));
        assert!(bob.take().is_empty());
        bob.run(Duration::from_secs(1));
        assert_from(host, &bob.take()[0]);
    }
}
