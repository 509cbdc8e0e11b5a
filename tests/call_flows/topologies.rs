//! The call in the networks that have more to them than proxies in a row, as ladders.

use sansip_sim::topology::{Scenario, Topology};

use crate::{drawn, fields, numbered, planned, run};

/// RFC 3261 §8.3: Bob's domain redirects Alice, who acknowledges the 302 and calls his phone.
#[test]
fn a_call_that_is_redirected_as_a_ladder() {
    let world = run(&Scenario::rfc3261(Topology::Redirect));
    let messages = numbered(&world);
    let (moved, follows) = (fields(&messages["F2"].bytes), fields(&messages["F4"].bytes));
    assert_eq!(moved.1["contact"], ["<sip:bob@192.0.2.4>;q=1;expires=7199"]);
    assert_eq!(follows.0, "INVITE sip:bob@192.0.2.4 SIP/2.0");
    // §8.1.3.4: the same To, From and Call-ID, and the next CSeq.
    let called = fields(&messages["F1"].bytes);
    assert_eq!(
        ["to", "from", "call-id"].map(|name| &called.1[name]),
        ["to", "from", "call-id"].map(|name| &follows.1[name])
    );
    assert_eq!([&called.1["cseq"][0], &follows.1["cseq"][0]], ["314159 INVITE", "314160 INVITE"]);
    insta::assert_snapshot!(drawn(&world));
}

/// RFC 3261 §22: the domain asks whoever registers, and whoever calls.
#[test]
fn a_call_in_a_domain_that_asks_for_credentials_as_a_ladder() {
    let world = run(&Scenario { record_route: true, ..Scenario::rfc3261(Topology::Auth) });
    let messages = numbered(&world);
    let has = |number: &str, name: &str| fields(&messages[number].bytes).1.contains_key(name);
    assert!(has("R2", "www-authenticate") && has("R3", "authorization"));
    assert!(has("F2", "proxy-authenticate") && has("F4", "proxy-authorization"));
    insta::assert_snapshot!(drawn(&world));
}

/// RFC 3261 §16.12.1.2: what goes through a strict router has its URI in the Request-URI, and the target as the last Route.
#[test]
fn a_call_through_a_strict_router_as_a_ladder() {
    let world = run(&Scenario { record_route: true, ..Scenario::rfc3261(Topology::Strict) });
    let bye = |from: &str, to: &str| {
        let named = |node, name: &str| world.trace().name(node) == name;
        let mut sent = world.trace().transmissions().map(|(_, _, sent)| sent);
        let sent = sent.find(|sent| {
            sent.bytes.starts_with(b"BYE ") && named(sent.from, from) && sent.to.is_some_and(|node| named(node, to))
        });
        let (start, fields) = fields(&sent.expect("a BYE").bytes);
        let routes = fields.get("route").cloned().unwrap_or_default();
        // The token in a proxy's own Record-Route is the proxy's business.
        let plain = |route: String| route.split_once(";token=").map_or(route.clone(), |(host, _)| format!("{host}>"));
        (start.split(' ').nth(1).expect("a Request-URI").to_owned(), routes.into_iter().map(plain).collect::<Vec<_>>())
    };
    let uri = |text: &str, routes: &[&str]| (text.to_owned(), routes.iter().map(|route| (*route).to_owned()).collect());
    let (alice, atlanta) = ("sip:alice@pc33.atlanta.com", "<sip:bigbox3.site3.atlanta.com;lr>");
    assert_eq!(bye("bob", "biloxi"), uri(alice, &["<sip:server10.biloxi.com;lr>", "<sip:192.0.2.6>", atlanta]));
    assert_eq!(bye("biloxi", "strict"), uri("sip:192.0.2.6", &[atlanta, "<sip:alice@pc33.atlanta.com>"]));
    let (start, routes) = bye("strict", "atlanta");
    assert!(start.starts_with("sip:bigbox3.site3.atlanta.com;lr;token="), "{start}");
    assert_eq!(routes, ["<sip:alice@pc33.atlanta.com>"]);
    assert_eq!(bye("atlanta", "alice"), uri(alice, &[]));
    insta::assert_snapshot!(drawn(&world));
}

/// RFC 6157: Alice has no IPv4 and Bob no IPv6; all that they send goes by way of the proxy that has both.
#[test]
fn a_call_between_the_families_as_a_ladder() {
    let world = run(&Scenario::rfc3261(Topology::Dual));
    let is_v6 = |name: &str| name == "alice";
    for (_, _, sent) in world.trace().transmissions() {
        let to = sent.to.expect("somebody listens");
        let ends = [sent.from, to].map(|node| world.trace().name(node));
        assert_eq!(sent.destination.is_ipv6(), ends.into_iter().any(is_v6), "{ends:?}");
        assert_eq!(sent.source.is_ipv6(), sent.destination.is_ipv6(), "{ends:?}");
    }
    insta::assert_snapshot!(drawn(&world));
}

/// The server that has recorded the route of a call dies while the call is there. Bob's BYE names the farm, and the other server, which has never
/// heard of the call, knows the token.
#[test]
fn a_call_whose_server_dies_as_a_ladder() {
    let world = run(&planned(Topology::Farm(2), "s2@5s:crash"));
    let messages = numbered(&world);
    let route = |number: &str| fields(&messages[number].bytes).1["route"][0].clone();
    assert!(route("F17").starts_with("<sip:server10.biloxi.com;lr;token=s2."), "{}", route("F17"));
    let via = |number: &str| fields(&messages[number].bytes).1["via"][0].clone();
    assert!(via("F5").starts_with("SIP/2.0/UDP server10.biloxi.com;branch=z9hG4bKs2."), "{}", via("F5"));
    assert!(via("F20").starts_with("SIP/2.0/UDP server10.biloxi.com;branch=z9hG4bKs1."), "{}", via("F20"));
    // No phone addresses a server.
    let servers = [world.node("s1"), world.node("s2")];
    for (_, _, sent) in world.trace().transmissions().filter(|(.., sent)| servers.contains(&sent.to)) {
        assert!(["biloxi", "store"].contains(&world.trace().name(sent.from)));
    }
    insta::assert_snapshot!(drawn(&world));
}
