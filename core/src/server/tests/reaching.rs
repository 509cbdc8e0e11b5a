//! Special addresses (loopback, private, our own): who vouches for them, and that nothing is sent to any other.

use super::*;
use crate::server::{Peer, Route, User};
use crate::transport::Network;

fn network(text: &str) -> Network {
    let (address, prefix) = text.split_once('/').unwrap();
    Network { address: address.parse().unwrap(), prefix: prefix.parse().unwrap() }
}

/// A server that relays for everybody.
fn relaying() -> Bench {
    Bench::with(|settings| settings.relay = true)
}

/// A request whose branch is `number`; what goes out for it.
fn ask(bench: &mut Bench, from: &str, number: usize, text: &str) -> Vec<Sent> {
    bench.receive(from, &text.replace("nashds8", &format!("n{number}x")))
}

/// A user's REGISTER from there.
fn register(bench: &mut Bench, from: &str, contact: &str) {
    let host = from.split(':').next().unwrap();
    let text = format!(
        "REGISTER sip:biloxi.com SIP/2.0
        Via: SIP/2.0/UDP {host};branch=z9hG4bKr{host}{}
        Max-Forwards: 70
        To: <sip:bob@biloxi.com>
        From: <sip:bob@biloxi.com>;tag=1
        Call-ID: r{contact}
        CSeq: 1 REGISTER
        Contact: <{contact}>
        Content-Length: 0",
        contact.len()
    );
    assert_eq!(summaries(&bench.receive(from, &text)), [format!("200 {from}")]);
}

/// The octets of a response, but for the To tag and the branch.
fn octets(sent: &Sent, number: usize) -> String {
    let text = String::from_utf8(sent.message.as_bytes().to_vec()).unwrap();
    let tag = sent.response().to_header().unwrap().tag().unwrap().as_bytes().to_vec();
    text.replace(core::str::from_utf8(&tag).unwrap(), "TAG").replace(&format!("n{number}x"), "BRANCH")
}

#[test]
fn a_special_address_is_refused_at_once_whatever_leads_there_and_nothing_is_opened() {
    let mut bench = relaying();
    bench.server.listen(Listener::tcp(OUR_ADDRESS.parse().unwrap()));
    let mut told = Vec::new();
    for (number, place) in [
        "inside.biloxi.com:5060",
        "10.0.0.9",
        "127.0.0.1:22;transport=tcp",
        "169.254.169.254:80;transport=tcp",
        "100.64.0.1",
        "224.0.1.75",
        "0.0.0.0",
        // Our own, at whatever port.
        "192.0.2.3:22;transport=tcp",
        "chicago.com;maddr=127.0.0.1",
    ]
    .iter()
    .enumerate()
    {
        let to_uri = request("MESSAGE", &format!("sip:x@{place}"), "");
        let sent = ask(&mut bench, ALICE, 2 * number, &to_uri);
        assert_eq!(summaries(&sent), ["403 192.0.2.1:5060"], "{place}");
        told.push(octets(&sent[0], 2 * number));
        let by_route = request("MESSAGE", "sip:x@chicago.com", &format!("Route: <sip:{place};lr>\n"));
        let sent = ask(&mut bench, ALICE, 2 * number + 1, &by_route);
        assert_eq!(summaries(&sent), ["403 192.0.2.1:5060"], "{place}");
        told.push(octets(&sent[0], 2 * number + 1));
    }
    told.dedup();
    assert_eq!(told.len(), 1, "the answer tells no place from another: {told:?}");
    // The far end of a usual address is tried, and no answer tells nothing about another.
    assert_eq!(
        summaries(&ask(&mut bench, ALICE, 99, &request("MESSAGE", "sip:x@chicago.com:5060", ""))),
        ["MESSAGE 192.0.2.50:5060"]
    );
    bench.comes_to_rest();
}

#[test]
fn an_address_of_several_is_tried_only_if_it_is_not_special() {
    let mut bench = relaying();
    let sent = ask(&mut bench, ALICE, 1, &request("INVITE", "sip:x@mixed.example.com:5060", ""));
    assert_eq!(summaries(&sent), ["100 192.0.2.1:5060", "INVITE 203.0.113.9:5060"]);
    // After a 503 the other one would be next (RFC 3263 §4.3).
    let sent = bench.answer(&sent[1], 503);
    assert_eq!(summaries(&sent), ["ACK 203.0.113.9:5060", "500 192.0.2.1:5060"]);
    let ack = request("ACK", "sip:x@10.0.0.9", "");
    assert!(ask(&mut bench, ALICE, 2, &ack).is_empty(), "an ACK is not sent there, either");
}

#[test]
fn configuration_vouches_for_what_it_names() {
    let mut bench = Bench::with(|settings| {
        settings.relay = true;
        let hop = |to: &str| to.parse::<SocketAddr>().unwrap().into();
        settings.routes.push(Route { key: "pbx.biloxi.com".parse().unwrap(), next_hop: hop("10.0.0.8:5060") });
        settings.trusted.push("10.0.0.7".parse::<Peer>().unwrap());
        settings.trusted.push("10.1.0.0/16".parse::<Peer>().unwrap());
        settings.domains.push("inside.biloxi.com".parse().unwrap());
    });
    let sent = |bench: &mut Bench, number, uri: &str, route: &str| {
        summaries(&ask(bench, ALICE, number, &request("MESSAGE", uri, route)))
    };
    assert_eq!(sent(&mut bench, 1, "sip:x@pbx.biloxi.com", ""), ["MESSAGE 10.0.0.8:5060"]);
    assert_eq!(sent(&mut bench, 2, "sip:x@10.0.0.8", ""), ["MESSAGE 10.0.0.8:5060"]);
    assert_eq!(sent(&mut bench, 3, "sip:x@10.0.0.7", ""), ["MESSAGE 10.0.0.7:5060"]);
    assert_eq!(sent(&mut bench, 4, "sip:x@10.1.0.7", ""), ["403 192.0.2.1:5060"], "a network names no host");
    assert_eq!(sent(&mut bench, 5, "sip:x@10.0.0.9", ""), ["403 192.0.2.1:5060"]);
    // A domain of ours, in a Route behind the one that is taken off.
    let routes = "Route: <sip:server10.biloxi.com;lr>, <sip:inside.biloxi.com:5061;lr>\n";
    assert_eq!(sent(&mut bench, 6, "sip:x@chicago.com", routes), ["MESSAGE 10.0.0.9:5061"]);
}

#[test]
fn a_binding_leads_where_its_register_came_from() {
    let mut bench = Bench::new();
    register(&mut bench, "10.0.0.4:5060", "sip:bob@10.0.0.4");
    let sent = ask(&mut bench, ALICE, 1, &request("MESSAGE", "sip:bob@biloxi.com", ""));
    assert_eq!(summaries(&sent), ["MESSAGE 10.0.0.4:5060"]);
    // Nobody in this domain proves who he is.
    let mut bench = Bench::new();
    register(&mut bench, BOB, "sip:bob@10.0.0.4");
    let sent = ask(&mut bench, ALICE, 1, &request("MESSAGE", "sip:bob@biloxi.com", ""));
    assert_eq!(summaries(&sent), ["403 192.0.2.1:5060"]);
}

#[test]
fn a_user_vouches_for_contacts_but_not_for_loopback_or_ourselves() {
    for (contact, sent) in [
        ("sip:bob@10.0.0.4", "MESSAGE 10.0.0.4:5060"),
        ("sip:bob@inside.biloxi.com:5070", "MESSAGE 10.0.0.9:5070"),
        ("sip:bob@127.0.0.1", "403 192.0.2.1:5060"),
        ("sip:bob@0.0.0.0", "403 192.0.2.1:5060"),
        ("sip:bob@192.0.2.3:5070", "403 192.0.2.1:5060"),
    ] {
        let mut bench = Bench::with(|settings| {
            let secret = crate::auth::Secret::password("bob");
            settings.users.push(User { name: "bob".into(), domain: "biloxi.com".parse().unwrap(), secret });
            // As good as a password.
            settings.trusted.push("192.0.2.4".parse().unwrap());
        });
        register(&mut bench, BOB, contact);
        let asked = request("MESSAGE", "sip:bob@biloxi.com", "");
        assert_eq!(summaries(&ask(&mut bench, ALICE, 1, &asked)), [sent], "{contact}");
    }
}

/// Both ways: where the INVITE came from, and where it went.
#[test]
fn a_dialog_goes_on_between_the_addresses_that_it_has_been_to_and_no_others() {
    let mut bench = Bench::with(|settings| settings.proxy.record_route = true);
    register(&mut bench, "10.0.0.4:5060", "sip:bob@10.0.0.4");
    let caller = "10.7.0.7:5060";
    let sent = ask(&mut bench, caller, 1, &invite());
    assert_eq!(summaries(&sent), [format!("100 {caller}"), "INVITE 10.0.0.4:5060".into()]);
    let [route] = &sent[1].values(HeaderId::RecordRoute)[..] else { panic!("one value") };
    let proofs = route.split_once(";peers=").and_then(|(_, rest)| rest.strip_suffix('>')).expect("the peers");
    assert_eq!(proofs.len(), 32, "{route}");
    let more = format!("Route: {route}\n");
    let mut number = 1;
    let mut goes = |from: &str, method: &str, uri: &str, more: &str| {
        number += 1;
        let text = in_dialog(method, uri, more);
        // In what bob sends From and To are the other way round.
        let text = match from {
            "10.0.0.4:5060" => text.replace("From: ", "X: ").replace("To: ", "From: ").replace("X: ", "To: "),
            _ => text,
        };
        summaries(&ask(&mut bench, from, number, &text))
    };
    let outside = "198.51.100.1:5060";
    for from in [caller, outside, "10.0.0.4:5060"] {
        assert_eq!(goes(from, "ACK", "sip:bob@10.0.0.4", &more), ["ACK 10.0.0.4:5060"], "{from}");
        assert_eq!(goes(from, "INFO", "sip:bob@10.0.0.4:5070", &more), ["INFO 10.0.0.4:5070"], "{from}");
        assert_eq!(goes(from, "INFO", "sip:alice@10.7.0.7", &more), ["INFO 10.7.0.7:5060"], "{from}");
        assert_eq!(goes(from, "INFO", "sip:bob@10.0.0.5", &more), [format!("403 {from}")], "{from}");
        assert!(goes(from, "ACK", "sip:bob@10.0.0.5", &more).is_empty(), "{from}");
        assert_eq!(goes(from, "INFO", "sip:bob@127.0.0.1", &more), [format!("403 {from}")], "{from}");
        // Without the proofs, or with others.
        let bare = more.replace(&format!(";peers={proofs}"), "");
        assert_eq!(goes(from, "INFO", "sip:bob@10.0.0.4", &bare), [format!("403 {from}")], "{from}");
        let digit = if proofs.ends_with('0') { "1" } else { "0" };
        let forged = more.replace(proofs, &format!("{}{digit}", &proofs[..31]));
        assert_eq!(goes(from, "INFO", "sip:bob@10.0.0.4", &forged), [format!("403 {from}")], "{from}");
        for broken in ["", "x", "%", &proofs[..5], &proofs.repeat(50)] {
            goes(from, "INFO", "sip:bob@10.0.0.5", &more.replace(proofs, broken));
        }
    }
    // Public addresses need nobody to vouch for them, and nothing is told.
    let mut bench = Bench::with(|settings| settings.proxy.record_route = true);
    bench.register(1);
    let sent = ask(&mut bench, ALICE, 1, &invite());
    assert!(!sent[1].values(HeaderId::RecordRoute)[0].contains("peers"));
}

#[test]
fn who_is_inside_reaches_others_inside_and_nobody_else_does() {
    let goes = |listener: Listener, from: &str, to: &str| {
        let mut bench = relaying();
        bench.listener = bench.server.listen(listener);
        summaries(&ask(&mut bench, from, 1, &request("MESSAGE", &format!("sip:x@{to}"), ""))).remove(0)
    };
    let here = || Listener::udp("10.0.0.1:5060".parse().unwrap());
    assert_eq!(goes(here(), "10.0.0.7:5060", "10.9.9.9"), "MESSAGE 10.9.9.9:5060");
    assert_eq!(goes(here(), "10.0.0.7:5060", "inside.biloxi.com:5060"), "MESSAGE 10.0.0.9:5060");
    assert_eq!(goes(here(), "198.51.100.1:5060", "10.9.9.9"), "403 198.51.100.1:5060", "an asker outside");
    assert_eq!(goes(here(), "10.0.0.7:5060", "192.168.0.1"), "403 10.0.0.7:5060", "another network");
    assert_eq!(goes(here(), "10.0.0.7:5060", "127.0.0.1"), "403 10.0.0.7:5060");
    let narrow = || here().with_inside([network("10.0.0.0/24"), network("192.168.1.0/24")]);
    assert_eq!(goes(narrow(), "10.0.0.7:5060", "10.0.0.8"), "MESSAGE 10.0.0.8:5060");
    assert_eq!(goes(narrow(), "10.0.0.7:5060", "10.0.1.8"), "403 10.0.0.7:5060");
    assert_eq!(goes(narrow(), "10.0.0.7:5060", "192.168.1.8"), "403 10.0.0.7:5060", "not one network");
    assert_eq!(goes(here().with_inside([]), "10.0.0.7:5060", "10.0.0.8"), "403 10.0.0.7:5060");
    let public = || Listener::udp("192.0.2.99:5060".parse().unwrap());
    assert_eq!(goes(public(), "10.0.0.7:5060", "10.0.0.8"), "403 10.0.0.7:5060", "nothing is inside");
}

#[test]
fn the_contact_of_a_redirection_is_judged_like_any_other() {
    let mut bench = Bench::with(|settings| {
        settings.relay = true;
        settings.proxy.recursion = true;
    });
    bench.server.listen(Listener::tcp(OUR_ADDRESS.parse().unwrap()));
    bench.register(1);
    let sent = ask(&mut bench, ALICE, 1, &invite());
    let contact = [(HeaderId::Contact, "<sip:x@127.0.0.1:22;transport=tcp>")];
    let sent = bench.answer_with(&sent[1], 302, &contact);
    assert_eq!(summaries(&sent), ["ACK 192.0.2.4:5060", "403 192.0.2.1:5060"]);
}

/// The proofs of a dialog serve its requests alone: neither one without a To tag, nor one when the token is too old.
#[test]
fn the_peers_of_a_dialog_vouch_only_for_what_is_of_the_dialog() {
    let mut bench = Bench::with(|settings| {
        settings.relay = true;
        settings.proxy.record_route = true;
        settings.proxy.token_age = Duration::from_secs(600);
    });
    register(&mut bench, "10.0.0.4:5060", "sip:bob@10.0.0.4");
    let sent = ask(&mut bench, ALICE, 1, &invite());
    let more = format!("Route: {}\n", sent[1].values(HeaderId::RecordRoute)[0]);
    let outside = request("INFO", "sip:bob@10.0.0.4:5070", &more);
    assert_eq!(summaries(&ask(&mut bench, ALICE, 2, &outside)), ["403 192.0.2.1:5060"]);
    let inside = in_dialog("INFO", "sip:bob@10.0.0.4:5070", &more);
    assert_eq!(summaries(&ask(&mut bench, ALICE, 3, &inside)), ["INFO 10.0.0.4:5070"]);
    bench.wait(Duration::from_secs(602));
    assert_eq!(summaries(&ask(&mut bench, ALICE, 4, &inside)), ["403 192.0.2.1:5060"], "an old token");
}
