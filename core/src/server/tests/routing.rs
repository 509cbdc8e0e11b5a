//! Route preprocessing (RFC 3261 §16.4), targets (§16.5) and what is relayed.

use super::*;
use crate::server::Route;

fn route(key: &str, to: &str) -> Route {
    Route { key: key.parse().unwrap(), next_hop: to.parse::<SocketAddr>().unwrap().into() }
}

/// A server that relays for everybody.
fn relaying() -> Bench {
    Bench::with(|settings| settings.relay = true)
}

/// Where it goes, with which Request-URI and Route; or the answer.
fn forwarded(bench: &mut Bench, text: &str) -> Vec<String> {
    let sent = bench.receive(ALICE, text);
    let last = sent.last().expect("nothing was sent");
    match &last.message {
        Message::Request(request) => {
            let mut all = [last.to.clone(), String::from_utf8(request.uri_bytes().into()).unwrap()].to_vec();
            all.append(&mut last.values(HeaderId::Route));
            all
        }
        Message::Response(response) => [response.status().get().to_string()].to_vec(),
    }
}

#[test]
fn our_own_first_route_is_taken_off_and_the_next_one_is_followed() {
    let mut bench = relaying();
    let more = "Route: <sip:server10.biloxi.com;lr>, <sip:carol.chicago.com;lr>, <sip:third.example.com;lr>\n";
    assert_eq!(
        forwarded(&mut bench, &in_dialog("BYE", "sip:alice@pc33.atlanta.com", more)),
        ["192.0.2.51:5060", "sip:alice@pc33.atlanta.com", "<sip:carol.chicago.com;lr>, <sip:third.example.com;lr>"]
    );
}

#[test]
fn a_bye_whose_last_route_was_ours_goes_to_its_request_uri() {
    let mut bench = Bench::with(|settings| settings.routes.push(route("*", "192.0.2.99:5060")));
    for (uri, to) in [("sip:bob@192.0.2.44:5070", "192.0.2.44:5070"), ("sip:alice@pc33.atlanta.com", "192.0.2.1:5060")]
    {
        let route = format!("Route: {}\n", bench.own_route("sip:server10.biloxi.com"));
        let text = in_dialog("BYE", uri, &route).replace("nashds8", &uri[4..7]);
        assert_eq!(forwarded(&mut bench, &text), [to, uri]);
    }
}

#[test]
fn the_pair_that_was_written_for_one_forwarding_is_taken_off_together() {
    let mut bench = Bench::new();
    let [_, upper, lower] = bench.route_parameters();
    let more = format!("Route: <sip:server10.biloxi.com;lr{upper}>\nRoute: <sip:192.0.2.3;lr{lower}>\n");
    let sent = forwarded(&mut bench, &in_dialog("BYE", "sip:bob@192.0.2.44", &more));
    assert_eq!(sent, ["192.0.2.44:5060", "sip:bob@192.0.2.44"]);
}

/// §16.4: the two that were written for one forwarding are taken off, and no more.
#[test]
fn a_third_own_route_behind_a_pair_stays() {
    // Nobody else vouches for our own address.
    let mut bench = Bench::with(|settings| {
        settings.relay = true;
        settings.trusted.push("192.0.2.3".parse().unwrap());
    });
    let [alone, upper, lower] = bench.route_parameters();
    let third = format!("<sip:192.0.2.3;lr{alone}>");
    let more = format!("Route: <sip:server10.biloxi.com;lr{upper}>, <sip:192.0.2.3;lr{lower}>, {third}\n");
    let sent = forwarded(&mut bench, &in_dialog("BYE", "sip:bob@192.0.2.44", &more));
    assert_eq!(sent, ["192.0.2.3:5060", "sip:bob@192.0.2.44", &third]);
}

/// §16.4 takes one off; what is left comes by again, which is a spiral.
#[test]
fn of_two_own_routes_that_are_no_pair_one_is_taken_off() {
    // Nobody else vouches for our own address.
    let mut bench = Bench::with(|settings| {
        settings.relay = true;
        settings.trusted.push("192.0.2.3".parse().unwrap());
    });
    let [alone, upper, lower] = bench.route_parameters();
    for (number, (first, second)) in
        [("", ""), (alone.as_str(), alone.as_str()), (&upper, &upper), (&alone, &lower)].into_iter().enumerate()
    {
        let more = format!("Route: <sip:server10.biloxi.com;lr{first}>, <sip:192.0.2.3;lr{second}>\n");
        let text = in_dialog("BYE", "sip:bob@192.0.2.44", &more).replace("nashds8", &format!("b{number}"));
        let left = format!("<sip:192.0.2.3;lr{second}>");
        assert_eq!(forwarded(&mut bench, &text), ["192.0.2.3:5060", "sip:bob@192.0.2.44", &left]);
    }
}

/// §16.3: what a proxy does not act on it forwards unchanged.
#[test]
fn a_route_that_decides_must_be_readable_and_a_later_one_travels_unchanged() {
    let mut bench = Bench::new();
    let mut number = 0;
    let mut to = |bench: &mut Bench, method: &str, routes: &str| {
        number += 1;
        let more = format!("Route: {routes}\n");
        let text = in_dialog(method, "sip:bob@192.0.2.44", &more).replace("nashds8", &format!("b{number}"));
        bench.receive(ALICE, &text)
    };
    let own = bench.own_route("sip:server10.biloxi.com");
    for routes in ["<sip:bad".to_string(), format!("{own}, <sip:bad")] {
        let sent = to(&mut bench, "BYE", &routes);
        assert_eq!(summaries(&sent), ["400 192.0.2.1:5060"], "{routes}");
        assert_eq!(sent[0].response().reason(), b"Bad list of proxies");
        // Nobody answers an ACK: it is dropped and counted.
        let unusable = bench.server.endpoint().stats().unusable;
        assert_eq!(summaries(&to(&mut bench, "ACK", &routes)), [""; 0], "{routes}");
        assert_eq!(bench.server.endpoint().stats().unusable, unusable + 1);
    }
    let sent = to(&mut bench, "BYE", &format!("{own}, <sip:carol.chicago.com;lr>\nRoute: <sip:bad"));
    assert_eq!(sent[0].values(HeaderId::Route), ["<sip:carol.chicago.com;lr>", "<sip:bad"]);
}

/// Nobody is led along a list of Routes by us, however long, and no Route but the first is looked at for more than that there is one.
#[test]
fn a_list_of_a_thousand_routes_buys_a_stranger_one_refusal() {
    let lists = ["<sip:192.0.2.3;lr>", "<sip:192.0.2.77;lr>", "<sip:server10.biloxi.com;lr>"];
    for (route, branch) in lists.into_iter().zip(["a", "b", "c"]) {
        let mut bench = Bench::new();
        bench.register(1);
        let more = format!("Route: {}\n", [route; 1_000].join(", "));
        let text = request("INVITE", "sip:bob@biloxi.com", &more).replace("nashds8", branch);
        assert_eq!(summaries(&bench.receive(ALICE, &text)), ["403 192.0.2.1:5060"], "{route}");
        assert_eq!(bench.server.endpoint().census().server_transactions, 1, "that of the REGISTER");
        bench.comes_to_rest();
    }
}

/// RFC 3261 §16.3 leaves to policy what is relayed: only what we have recorded ourselves is.
#[test]
fn our_route_lets_only_the_requests_of_its_dialog_through_and_not_for_ever() {
    let mut bench = Bench::with(|settings| settings.proxy.token_age = Duration::from_secs(60));
    let own = bench.own_route("sip:server10.biloxi.com");
    let more = format!("Route: {own}\n");
    let mut number = 0;
    let mut to = |bench: &mut Bench, text: String| {
        number += 1;
        forwarded(bench, &text.replace("nashds8", &format!("b{number}")))
    };
    let bye = || in_dialog("BYE", "sip:bob@192.0.2.44", &more);
    assert_eq!(to(&mut bench, bye()), ["192.0.2.44:5060", "sip:bob@192.0.2.44"]);
    assert_eq!(to(&mut bench, bye().replace("a84b4c76e66710", "another")), ["403"]);
    assert_eq!(to(&mut bench, bye().replace(";tag=1928301774", ";tag=another")), ["403"]);
    assert_eq!(to(&mut bench, bye().replace(";token=", ";nekot=")), ["403"]);
    // No request that could begin a dialog: no To tag.
    assert_eq!(to(&mut bench, request("INVITE", "sip:bob@192.0.2.44", &more)), ["403"]);
    bench.wait(Duration::from_secs(62));
    assert_eq!(to(&mut bench, bye()), ["403"]);
}

/// §16.12.1.2: P4 before the strict router P3.
#[test]
fn a_strict_next_hop_gets_its_own_uri_and_the_request_uri_as_the_last_route() {
    let mut bench = relaying();
    let more = "Route: <sip:server10.biloxi.com;lr>\nRoute: <sip:carol.chicago.com>\nRoute: <sip:p2.example.com;lr>\n";
    assert_eq!(
        forwarded(&mut bench, &in_dialog("BYE", "sip:caller@u1.example.com", more)),
        ["192.0.2.51:5060", "sip:carol.chicago.com", "<sip:p2.example.com;lr>", "<sip:caller@u1.example.com>"]
    );
}

/// §16.12.1.2: P2 after the strict router P3.
#[test]
fn from_a_strict_router_the_last_route_becomes_the_request_uri_again() {
    let mut bench = relaying();
    let more = "Route: <sip:carol.chicago.com;lr>\nRoute: <sip:caller@u1.example.com>\n";
    assert_eq!(
        forwarded(&mut bench, &in_dialog("BYE", "sip:server10.biloxi.com;lr", more)),
        ["192.0.2.51:5060", "sip:caller@u1.example.com", "<sip:carol.chicago.com;lr>"]
    );
    let more = "Route: <sip:caller@192.0.2.44>\n";
    let [alone, ..] = bench.route_parameters();
    let uri = format!("sip:server10.biloxi.com;lr{alone}");
    let text = in_dialog("BYE", &uri, more).replace("nashds8", "b");
    assert_eq!(forwarded(&mut bench, &text), ["192.0.2.44:5060", "sip:caller@192.0.2.44"]);
}

#[test]
fn our_own_maddr_is_taken_off_with_port_and_transport() {
    let mut bench = Bench::new();
    bench.register(1);
    let text = invite().replace("sip:bob@biloxi.com SIP", "sip:bob@biloxi.com:5060;maddr=192.0.2.3;transport=udp SIP");
    assert_eq!(forwarded(&mut bench, &text), ["192.0.2.4:5060", "sip:bob@192.0.2.4"]);
}

#[test]
fn somebody_elses_maddr_is_a_bare_address_and_not_relayed() {
    let mut bench = Bench::new();
    bench.register(1);
    let text = invite().replace("sip:bob@biloxi.com SIP", "sip:bob@biloxi.com;maddr=192.0.2.77 SIP");
    assert_eq!(forwarded(&mut bench, &text), ["403"]);
}

#[test]
fn an_unknown_user_is_404_and_a_known_one_without_bindings_480() {
    let mut bench = Bench::new();
    bench.register(1);
    assert_eq!(forwarded(&mut bench, &request("INVITE", "sip:carol@biloxi.com", "")), ["404"]);
    bench.wait(Duration::from_secs(7_201));
    assert_eq!(forwarded(&mut bench, &invite()), ["480"]);
}

/// RFC 5630 §5.3: the caller learns that a SIP URI would do.
#[test]
fn a_sips_uri_of_a_user_with_sip_contacts_alone_is_480_with_a_warning() {
    use crate::auth::Secret;
    let secure = invite().replace("INVITE sip:", "INVITE sips:");
    let not_allowed = ["380 server10.biloxi.com \"SIPS Not Allowed\""];
    let mut bench = Bench::new();
    bench.register(2);
    let sent = bench.receive(ALICE, &secure);
    assert_eq!(summaries(&sent), ["100 192.0.2.1:5060", "480 192.0.2.1:5060"]);
    assert_eq!(sent[1].values(HeaderId::Warning), not_allowed);
    // A user without any contact is not there for either scheme.
    bench.wait(Duration::from_secs(7_201));
    let sent = bench.receive(ALICE, &secure.replace("nashds8", "b"));
    assert_eq!(sent[1].response().status(), StatusCode::TEMPORARILY_UNAVAILABLE);
    assert_eq!(sent[1].values(HeaderId::Warning), [""; 0]);
    bench.comes_to_rest();

    // To a stranger, whom nothing is kept for.
    let mut bench = Bench::new();
    bench.register(1);
    let secret = Secret::password("zanzibar");
    let bob = crate::server::User { name: "bob".into(), domain: "biloxi.com".parse().unwrap(), secret };
    let settings = Settings { users: [bob].into(), ..bench.server.settings().clone() };
    bench.server.set_settings(bench.now, settings).unwrap();
    bench.wait(Duration::from_secs(40));
    let sent = bench.receive(ALICE, &secure);
    assert_eq!(summaries(&sent), ["480 192.0.2.1:5060"]);
    assert_eq!(sent[0].values(HeaderId::Warning), not_allowed);
    assert_eq!(bench.server.endpoint().census().server_transactions, 0);
}

/// §16.5 with §10.3 step 5: parameters are taken off, escapes are undone, and the host is compared without case.
#[test]
fn a_user_is_found_however_the_request_uri_is_written() {
    for uri in [
        "sip:bob@biloxi.com",
        "sip:%62o%62@BILOXI.com",
        "sip:bob@biloxi.com:5060",
        "sip:bob@biloxi.com;transport=udp;user=phone",
        "sip:bob:secret@biloxi.com",
    ] {
        let mut bench = Bench::new();
        bench.register(1);
        let sent = bench.receive(ALICE, &request("INVITE", uri, ""));
        assert_eq!(summaries(&sent).last().unwrap(), &format!("INVITE {BOB}"), "{uri}");
        assert_eq!(sent.last().unwrap().request().uri_bytes(), b"sip:bob@192.0.2.4", "{uri}");
    }
    let mut bench = Bench::new();
    bench.register(1);
    // The user part is compared with case (§19.1.4).
    assert_eq!(
        summaries(&bench.receive(ALICE, &request("INVITE", "sip:Bob@biloxi.com", ""))).last().unwrap(),
        "404 192.0.2.1:5060"
    );
}

/// RFC 3262 §3: a proxy has sent no reliable response of its own, so each PRACK is somebody else's.
#[test]
fn a_prack_is_forwarded_like_any_request_of_a_dialog() {
    let mut bench = Bench::new();
    let route = format!("Route: {}\n        RAck: 1 314158 INVITE\n        ", bench.own_route("sip:192.0.2.3"));
    let sent = bench.receive(ALICE, &in_dialog("PRACK", "sip:bob@192.0.2.4", &route));
    assert_eq!(summaries(&sent), [format!("PRACK {BOB}")]);
    let told = bench.answer(&sent[0], 200);
    assert_eq!(summaries(&told), ["200 192.0.2.1:5060"]);
}

#[test]
fn a_user_at_our_bare_address_is_nobody() {
    let mut bench = Bench::new();
    assert_eq!(forwarded(&mut bench, &request("INVITE", "sip:bob@192.0.2.3", "")), ["404"]);
}

/// Request-URIs and Routes that lead elsewhere: a Request-URI, a Route of somebody else, or a second Route of ours.
const ELSEWHERE: [(&str, &str); 6] = [
    ("sip:carol@chicago.com", ""),
    ("sip:bob@192.0.2.44", ""),
    ("sip:bob@biloxi.com;maddr=192.0.2.44", ""),
    ("sip:bob@biloxi.com", "Route: <sip:carol.chicago.com;lr>\n"),
    ("sip:bob@biloxi.com", "Route: <sip:server10.biloxi.com;lr>, <sip:192.0.2.44;lr>\n"),
    ("sip:bob@biloxi.com", "Route: <sip:server10.biloxi.com;lr>, <sip:192.0.2.3;lr>, <sip:192.0.2.44;lr>\n"),
];

/// Nothing is looked up and nothing is held for what is not relayed: no 100 comes before the 403, and no copy of it behind.
#[test]
fn nothing_is_relayed_for_a_stranger() {
    let mut bench = Bench::new();
    bench.register(1);
    let mut number = 0;
    let mut to = |bench: &mut Bench, text: String| {
        number += 1;
        summaries(&bench.receive(ALICE, &text.replace("nashds8", &format!("b{number}"))))
    };
    for (uri, more) in ELSEWHERE {
        for method in ["INVITE", "MESSAGE"] {
            assert_eq!(to(&mut bench, request(method, uri, more)), ["403 192.0.2.1:5060"], "{uri} {more}");
        }
        // A To tag alone is not enough: it must have come along our route.
        assert_eq!(to(&mut bench, in_dialog("BYE", uri, more)), ["403 192.0.2.1:5060"], "{uri} {more}");
        assert_eq!(to(&mut bench, in_dialog("ACK", uri, more)), [""; 0], "{uri} {more}");
        assert_eq!(to(&mut bench, request("CANCEL", uri, more)), ["481 192.0.2.1:5060"], "{uri} {more}");
    }
    // Nor is our route alone.
    let route = format!("Route: {}\n", bench.own_route("sip:server10.biloxi.com"));
    assert_eq!(to(&mut bench, request("INVITE", "sip:bob@192.0.2.44", &route)), ["403 192.0.2.1:5060"]);
    // A scheme that nobody knows is told as such.
    assert_eq!(to(&mut bench, request("INVITE", "tel:+1", "")), ["416 192.0.2.1:5060"]);
    let options = request("OPTIONS", "sip:biloxi.com", "Route: <sip:192.0.2.44;lr>\n");
    assert_eq!(to(&mut bench, options), ["403 192.0.2.1:5060"]);
    assert_eq!(to(&mut bench, request("INVITE", "sip:bob@biloxi.com", "")).len(), 2);
    bench.comes_to_rest();
}

#[test]
fn what_leads_elsewhere_goes_there_on_wish_or_along_what_was_recorded() {
    for recorded in [false, true] {
        for (number, (uri, more)) in ELSEWHERE.into_iter().enumerate() {
            let mut bench = Bench::with(|settings| {
                settings.relay = !recorded;
                // Nobody else vouches for our own address, which is in one of the Routes.
                settings.trusted.push("192.0.2.3".parse().unwrap());
            });
            bench.register(1);
            let ours = bench.own_route("sip:server10.biloxi.com");
            // Our own Route comes first in any case.
            let more = match (recorded, more.contains("<sip:server10.biloxi.com;lr>")) {
                (true, true) => more.replace("<sip:server10.biloxi.com;lr>", &ours),
                (true, false) => format!("Route: {ours}\n{more}"),
                (false, _) => more.into(),
            };
            let text = in_dialog("BYE", uri, &more).replace("nashds8", &format!("b{number}"));
            let sent = bench.receive(ALICE, &text);
            assert!(sent.len() == 1 && sent[0].summary().starts_with("BYE "), "{uri} {more}: {:?}", summaries(&sent));
            let at_home = uri == "sip:bob@biloxi.com";
            let target = if at_home { "sip:bob@192.0.2.4" } else { uri };
            assert_eq!(sent[0].request().uri_bytes(), target.as_bytes(), "{more}");
        }
    }
}

#[test]
fn a_neighbour_on_the_domains_own_address_is_not_taken_for_us() {
    let mut bench = Bench::with(|settings| settings.domains.push("192.0.2.3".parse().unwrap()));
    let to_tag = format!("Route: {}\n", bench.own_route("sip:server10.biloxi.com"));
    assert_eq!(forwarded(&mut bench, &request("INVITE", "sip:bob@192.0.2.3:5060", "")), ["404"]);
    let neighbour = in_dialog("BYE", "sip:bob@192.0.2.3:5070", &to_tag).replace("nashds8", "b");
    assert_eq!(forwarded(&mut bench, &neighbour), ["192.0.2.3:5070", "sip:bob@192.0.2.3:5070"]);
}

#[test]
fn the_route_table_serves_calls_and_what_in_a_dialog_carries_no_route() {
    let mut bench = Bench::with(|settings| {
        settings.routes = [
            route("bob@biloxi.com", "192.0.2.10:5070"),
            route("192.0.2.44", "192.0.2.11:5060"),
            route("*", "192.0.2.12:5060"),
        ]
        .into();
    });
    let mut number = 0;
    let own = format!("Route: {}\n", bench.own_route("sip:server10.biloxi.com"));
    let mut to = |text: String| {
        number += 1;
        forwarded(&mut bench, &text.replace("nashds8", &format!("b{number}")))
    };
    assert_eq!(to(invite()), ["192.0.2.10:5070", "sip:bob@biloxi.com"]);
    assert_eq!(to(in_dialog("BYE", "sip:bob@192.0.2.44", "")), ["192.0.2.11:5060", "sip:bob@192.0.2.44"]);
    assert_eq!(to(in_dialog("BYE", "sip:bob@192.0.2.45", "")), ["192.0.2.12:5060", "sip:bob@192.0.2.45"]);
    assert_eq!(to(request("INVITE", "sip:carol@chicago.com", "")), ["192.0.2.12:5060", "sip:carol@chicago.com"]);
    assert_eq!(to(request("INVITE", "sip:service@192.0.2.3", "")), ["192.0.2.12:5060", "sip:service@192.0.2.3"]);
    // A request that came along our recorded route goes to the address it names, which the table is not asked for.
    assert_eq!(to(in_dialog("BYE", "sip:bob@192.0.2.44:5070", &own)), ["192.0.2.44:5070", "sip:bob@192.0.2.44:5070"]);
    // Nobody else's Route is overruled by the table.
    let more = format!("{own}Route: <sip:carol.chicago.com;lr>\n");
    assert_eq!(
        to(in_dialog("BYE", "sip:bob@192.0.2.45", &more)),
        ["192.0.2.51:5060", "sip:bob@192.0.2.45", "<sip:carol.chicago.com;lr>"]
    );
}

#[test]
fn a_registered_user_comes_before_the_catch_all() {
    let mut bench = Bench::with(|settings| settings.routes.push(route("*", "192.0.2.12:5060")));
    bench.register(1);
    assert_eq!(forwarded(&mut bench, &invite()), ["192.0.2.4:5060", "sip:bob@192.0.2.4"]);
    let other = request("INVITE", "sip:carol@biloxi.com", "").replace("nashds8", "b");
    assert_eq!(forwarded(&mut bench, &other), ["192.0.2.12:5060", "sip:carol@biloxi.com"]);
}

#[test]
fn a_contact_as_a_request_uri_loses_what_is_not_allowed_there() {
    let mut bench = Bench::new();
    bench.bind("<sip:bob@192.0.2.4:5070;x=y;method=INVITE;ob?Subject=hello>");
    assert_eq!(forwarded(&mut bench, &invite()), ["192.0.2.4:5070", "sip:bob@192.0.2.4:5070;x=y;ob"]);
}

#[test]
fn an_ack_follows_its_route_statelessly() {
    let mut bench = Bench::new();
    let route = format!("Route: {}\n", bench.own_route("sip:server10.biloxi.com"));
    let ack = in_dialog("ACK", "sip:bob@192.0.2.4", &route);
    let sent = bench.receive(ALICE, &ack);
    assert_eq!(summaries(&sent), ["ACK 192.0.2.4:5060"]);
    assert_eq!(sent[0].values(HeaderId::MaxForwards), ["69"]);
    assert_eq!(sent[0].values(HeaderId::MaxBreadth), ["60"]);
    assert_eq!(sent[0].values(HeaderId::Via).len(), 2);
    assert_eq!(sent[0].values(HeaderId::Route), [""; 0]);
    // A copy of the ACK takes its way again with its branch (§16.11).
    let again = bench.receive(ALICE, &ack);
    assert_eq!(again[0].message.as_bytes(), sent[0].message.as_bytes());
    assert!(bench.server.is_idle());
}

#[test]
fn an_ack_is_never_answered() {
    let mut bench = Bench::new();
    let ours = "Route: <sip:server10.biloxi.com;lr>\n";
    for (uri, more) in
        [("sip:bob@192.0.2.44", ""), ("sip:carol@biloxi.com", ""), ("sip:biloxi.com", ""), ("tel:+1", "")]
    {
        assert_eq!(summaries(&bench.receive(ALICE, &in_dialog("ACK", uri, more))), [""; 0], "{uri}");
    }
    let last_hop = in_dialog("ACK", "sip:bob@192.0.2.4", ours).replace("Max-Forwards: 70", "Max-Forwards: 0");
    assert_eq!(summaries(&bench.receive(ALICE, &last_hop)), [""; 0]);
    assert!(bench.server.is_idle());
}
