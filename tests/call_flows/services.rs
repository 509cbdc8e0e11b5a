//! Services of RFC 5359, as ladders beside the RFC's figures.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use sansip::server::{Route, Settings};
use sansip::user_agent::{Body, Profile};
use sansip::{CommandError, Config, Instant, Listener, NextHop, Seed, Server};
use sansip_sim::actor::ServerActor;
use sansip_sim::check::{breaches, standard};
use sansip_sim::{Setting, World};

use crate::drawn;
use crate::phone::Phone;

/// Where the proxy listens.
const PROXY: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::new(192, 0, 2, 3)), 5060);

/// A session description of Bob or Alice, of that version and direction (RFC 3264 §8.4).
fn session(version: u32, direction: &str) -> Body {
    Body::sdp(format!(
        "v=0\r\no=user 2890844527 {version} IN IP4 192.0.2.4\r\ns=-\r\nc=IN IP4 192.0.2.4\r\nt=0 0\r\n\
         m=audio 3456 RTP/AVP 0\r\na={direction}\r\n"
    ))
}

/// The directions that the messages' bodies say, in their order.
fn directions(world: &World) -> Vec<String> {
    let bodies = world.trace().transmissions().map(|(_, _, sent)| String::from_utf8_lossy(&sent.bytes).into_owned());
    bodies.filter_map(|text| Some(text.split_once("\r\na=")?.1.trim_end().to_owned())).collect()
}

/// A proxy that stays on the path and hands everything to Bob's phone.
fn add_proxy(world: &mut World) {
    let listener = Listener::udp(PROXY);
    let routes = vec![Route {
        key: "*".parse().expect("a key"),
        next_hop: NextHop::from(SocketAddr::from(([192, 0, 2, 4], 5060))),
    }];
    let proxy = sansip::proxy::Settings { record_route: true, ..Default::default() };
    let settings = Settings { routes, proxy, ..Settings::default() };
    let build = move || {
        let mut server = Server::server(Config { rport: false, ..Config::new(Seed::from_u64(3)) }, settings.clone());
        (server.listen(listener.clone()), server)
    };
    let bound = (build().0, PROXY);
    world.add("proxy", Box::new(ServerActor::server(move |_| build().1)), [bound]);
}

fn finish(world: &mut World) {
    let quiet = world.run_until_quiet(Instant::from_millis(120_000));
    let broken = breaches(&standard(), world);
    assert!(quiet && broken.is_empty(), "{broken:#?}\n{}", drawn(world));
}

fn accept(direction: &'static str) -> impl Fn(&mut Phone) -> Result<(), CommandError> {
    move |phone| phone.agent.accept_offer(phone.now, phone.call(), session(1, direction))
}

/// §2.1: Bob holds the call and takes it back, and Alice hangs up. Each message goes through the proxy.
pub(crate) fn hold() -> World {
    let proxy = NextHop::from(PROXY);
    let alice = Profile::new("Alice <sip:alice@atlanta.com>".parse().expect("an identity"));
    let alice = Phone::with(Profile { outbound: Some(proxy), capabilities: false, ..alice }, [192, 0, 2, 1])
        .at(0, |alice| alice.dial("<sip:bob@biloxi.com>", Some(session(1, "sendrecv"))))
        .at(9_000, |alice| alice.agent.hang_up(alice.now, alice.call()))
        .offered(|alice| {
            let direction = if alice.heard("a=sendonly") { "recvonly" } else { "sendrecv" };
            accept(direction)(alice)
        });
    let bob = Phone::new("Bob <sip:bob@biloxi.com>", [192, 0, 2, 4])
        .at(100, |bob| bob.agent.ring(bob.now, bob.call()))
        .at(1_000, |bob| bob.agent.answer(bob.now, bob.call(), session(1, "sendrecv")))
        .at(3_000, |bob| bob.agent.modify(bob.now, bob.call(), session(2, "sendonly")))
        .at(6_000, |bob| bob.agent.modify(bob.now, bob.call(), session(3, "sendrecv")));
    let mut world = World::new(Setting::default());
    alice.join(&mut world, "alice");
    add_proxy(&mut world);
    bob.join(&mut world, "bob");
    finish(&mut world);
    let each_twice = ["sendrecv", "sendrecv", "sendonly", "recvonly", "sendrecv", "sendrecv"];
    assert_eq!(directions(&world), each_twice.map(|direction| [direction; 2]).concat());
    world
}

#[test]
fn rfc5359_2_1_call_hold() {
    insta::assert_snapshot!(drawn(&hold()));
}
