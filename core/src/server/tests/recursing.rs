//! The contacts of a 3xx that are tried (RFC 3261 §16.7 step 4; RFC 5630 §5.3): only where a stranger's request would go.

use super::*;
use crate::server::Route;

const CAROL: &str = "192.0.2.5:5060";

/// Bob and Carol have a phone each, and requests for routed.example go to 192.0.2.9.
fn bench(change: impl FnOnce(&mut Settings)) -> Bench {
    let mut bench = Bench::with(|settings| {
        settings.proxy.recursion = true;
        let next_hop = "192.0.2.9:5060".parse::<SocketAddr>().unwrap().into();
        settings.routes.push(Route { key: "routed.example".parse().unwrap(), next_hop });
        change(settings);
    });
    bench.register(1);
    register(&mut bench, "carol", "Contact: <sip:carol@192.0.2.5>");
    bench
}

fn register(bench: &mut Bench, user: &str, lines: &str) {
    let text = format!(
        "REGISTER sip:biloxi.com SIP/2.0
        Via: SIP/2.0/UDP 192.0.2.5;branch=z9hG4bK{user}
        Max-Forwards: 70
        To: <sip:{user}@biloxi.com>
        From: <sip:{user}@biloxi.com>;tag=1
        Call-ID: {user}
        CSeq: 1 REGISTER
        {lines}
        Content-Length: 0"
    );
    assert_eq!(summaries(&bench.receive(CAROL, &text)), ["200 192.0.2.5:5060"]);
}

/// Bob's phone redirects a call to these contacts; what goes out.
fn redirected(bench: &mut Bench, contacts: &str) -> Vec<Sent> {
    let sent = bench.receive(ALICE, &invite());
    let mut sent = bench.answer_with(&sent[1], 302, &[(HeaderId::Contact, contacts)]);
    assert_eq!(sent.remove(0).summary(), "ACK 192.0.2.4:5060");
    sent
}

/// Where nobody else's request would be led no contact leads, nor from SIP to SIPS, nor to where it came from. Such a one is the caller's to judge.
#[test]
fn contacts_lead_to_our_own_domain_and_along_our_routes_and_nowhere_else() {
    const CONTACTS: &str = "<sip:carol@biloxi.com>, <sip:x@192.0.2.77>, <sip:y@chicago.com>, <sip:z@routed.example>, \
        <sips:carol@biloxi.com>, <sip:bob@biloxi.com>";
    let mut bench = bench(|_| {});
    let sent = redirected(&mut bench, CONTACTS);
    assert_eq!(summaries(&sent), [format!("INVITE {CAROL}"), "INVITE 192.0.2.9:5060".into()]);
    assert_eq!(summaries(&bench.answer(&sent[0], 486)), [format!("ACK {CAROL}")]);
    let told = bench.answer(&sent[1], 404);
    assert_eq!(summaries(&told), ["ACK 192.0.2.9:5060", "302 192.0.2.1:5060"]);
    let left = ["<sip:x@192.0.2.77>", "<sip:y@chicago.com>", "<sips:carol@biloxi.com>", "<sip:bob@biloxi.com>"];
    assert_eq!(told[1].values(HeaderId::Contact), left);
    bench.comes_to_rest();
    // To all that is relayed on wish.
    let mut bench = self::bench(|settings| settings.relay = true);
    let sent = redirected(&mut bench, CONTACTS);
    let relayed = ["INVITE 192.0.2.77:5060", "INVITE 192.0.2.9:5060", "INVITE 192.0.2.50:5060"];
    assert_eq!(summaries(&sent[1..]), relayed);
    // Off by default.
    let mut bench = self::bench(|settings| settings.proxy.recursion = Settings::default().proxy.recursion);
    assert_eq!(summaries(&redirected(&mut bench, CONTACTS)), ["302 192.0.2.1:5060"]);
}

#[test]
fn no_target_is_tried_twice_however_often_a_call_is_redirected() {
    let mut bench = bench(|_| {});
    let sent = redirected(&mut bench, "<sip:carol@biloxi.com>");
    assert_eq!(summaries(&sent), [format!("INVITE {CAROL}")]);
    let told = bench.answer_with(&sent[0], 302, &[(HeaderId::Contact, "<sip:bob@biloxi.com>, <sip:carol@biloxi.com>")]);
    assert_eq!(summaries(&told), [format!("ACK {CAROL}"), "302 192.0.2.1:5060".into()]);
    assert_eq!(told[1].values(HeaderId::Contact), ["<sip:bob@biloxi.com>, <sip:carol@biloxi.com>"]);
    bench.comes_to_rest();
}

/// RFC 5626 §7 ends the binding of the user who was asked for. Who is led to by a 3xx is another one, whose next call will tell.
#[test]
fn a_430_behind_a_contact_of_a_3xx_ends_no_binding() {
    for redirects in [false, true] {
        let mut bench = bench(|_| {});
        let path = "Supported: path\nPath: <sip:192.0.2.60;lr>\nContact: <sip:dave@10.0.0.4>";
        register(&mut bench, "dave", path);
        bench.events.clear();
        let sent = match redirects {
            true => redirected(&mut bench, "<sip:dave@biloxi.com>"),
            false => bench.receive(ALICE, &request("INVITE", "sip:dave@biloxi.com", "")).split_off(1),
        };
        assert_eq!(summaries(&sent), ["INVITE 192.0.2.60:5060"]);
        // The caller never hears of flows (RFC 5626 §11.5).
        assert_eq!(summaries(&bench.answer(&sent[0], 430)), ["ACK 192.0.2.60:5060", "480 192.0.2.1:5060"]);
        assert_eq!(bench.server.bindings("dave@biloxi.com").len(), usize::from(redirects));
        assert_eq!(bench.events.len(), usize::from(!redirects));
        bench.comes_to_rest();
    }
}
