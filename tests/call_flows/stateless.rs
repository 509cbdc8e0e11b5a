//! The stateless proxy of the driver's example `server`: which requests it sends where, and which it refuses.

#[path = "../../core/driver/examples/shared/front.rs"]
mod front;

use front::Front;
use sansip::server::{Route, Settings};
use sansip::{Config, Input, Instant, Listener, Node, Output, Seed};

/// Gives the proxy of biloxi.com at 192.0.2.3 a request; where it sends what comes of it, and the first line of that.
fn sent(settings: Settings, uri: &str, more: &str) -> (String, String) {
    let biloxi = "biloxi.com".parse().expect("a domain");
    let mut node = Front::node(Config::new(Seed::from_u64(1)), Settings { domains: vec![biloxi], ..settings });
    let listener = node.listen(Listener::udp("192.0.2.3:5060".parse().expect("an address")));
    Front::knows_listeners(&mut node);
    let request = format!(
        "OPTIONS {uri} SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK1\r\nMax-Forwards: 70\r\n\
         From: <sip:a@a.example>;tag=1\r\nTo: <sip:bob@biloxi.com>\r\nCall-ID: 1\r\nCSeq: 1 OPTIONS\r\n{more}\
         Content-Length: 0\r\n\r\n"
    );
    let remote = "192.0.2.1:5060".parse().expect("an address");
    node.handle(Instant::ZERO, Input::Datagram { listener, remote, bytes: request.as_bytes() });
    let Some(Output::Send(transmit)) = node.poll() else { panic!("nothing is sent for {uri}") };
    assert!(node.poll().is_none() && node.is_idle());
    let text = String::from_utf8_lossy(&transmit.bytes).into_owned();
    (transmit.flow.remote.to_string(), text.lines().next().expect("a line").to_owned())
}

/// Routes with that key to each of these servers.
fn routes(key: &str, servers: &[&str]) -> Settings {
    let key = || key.parse().expect("a key");
    let hop = |server: &&str| server.parse::<sansip::message::HostBuf>().expect("a host").into();
    let routes = servers.iter().map(|server| Route { key: key(), next_hop: hop(server) }).collect();
    Settings { routes, ..Settings::default() }
}

#[test]
fn what_is_for_the_domain_goes_to_the_server_of_its_route_and_what_has_none_is_not_found() {
    let (at, line) = sent(routes("biloxi.com", &["192.0.2.11"]), "sip:bob@biloxi.com", "");
    assert_eq!((&*at, &*line), ("192.0.2.11:5060", "OPTIONS sip:bob@biloxi.com SIP/2.0"));
    // By its own address, which the key does not name.
    let (at, line) = sent(routes("biloxi.com", &["192.0.2.11"]), "sip:bob@192.0.2.3", "");
    assert_eq!((&*at, &*line), ("192.0.2.1:5060", "SIP/2.0 404 Not Found"));
}

#[test]
fn strangers_are_led_elsewhere_only_by_a_relay() {
    let elsewhere = || routes("biloxi.com", &["192.0.2.11"]);
    for (uri, more) in [("sip:carol@192.0.2.66", ""), ("sip:bob@biloxi.com", "Route: <sip:192.0.2.66;lr>\r\n")] {
        let (at, line) = sent(elsewhere(), uri, more);
        assert_eq!((&*at, &*line), ("192.0.2.1:5060", "SIP/2.0 403 Forbidden"), "{uri} {more}");
        let (at, _) = sent(Settings { relay: true, ..elsewhere() }, uri, more);
        assert_eq!(at, "192.0.2.66:5060", "{uri} {more}");
    }
}

#[test]
fn servers_of_one_key_share_the_calls_whatever_their_order() {
    let of = |servers: &[&str]| sent(routes("*", servers), "sip:bob@biloxi.com", "").0;
    let chosen = of(&["192.0.2.11", "192.0.2.12", "192.0.2.13"]);
    assert_eq!(of(&["192.0.2.13", "192.0.2.12", "192.0.2.11"]), chosen);
}
