//! SIPS and SIP (RFC 5630 §5.3).

use super::*;
use crate::flow::Flow;
use crate::proxy::Refusal;

fn warning(bench: &Bench) -> Option<&[u8]> {
    bench.responses.last().unwrap().headers().raw(HeaderId::Warning)
}

fn target(uri: &str) -> Target {
    Target::new(uri.parse().unwrap())
}

#[test]
fn a_request_for_a_sips_uri_goes_to_no_sip_contact() {
    let mut bench = Bench::new();
    bench.receive_request("INVITE", "sips:bob@biloxi.com", "");
    bench.forward(&[bob()]).unwrap();
    assert_eq!(bench.drain(), ["480 INVITE"]);
    assert_eq!(warning(&bench), Some(&b"380 192.0.2.3 \"SIPS Not Allowed\""[..]));
    bench.comes_to_rest();
}

#[test]
fn a_request_for_a_sip_uri_reaches_a_sips_contact_over_tls_by_a_sip_uri() {
    let mut bench = Bench::new();
    bench.receive("INVITE");
    bench.forward(&[target("sips:bob@192.0.2.4")]).unwrap();
    assert_eq!(bench.drain(), ["480 INVITE"]);
    assert_eq!(warning(&bench), Some(&b"381 192.0.2.3 \"SIPS Required\""[..]), "there is no TLS");

    let mut bench = Bench::new();
    let tls = bench.proxy.listen(Listener::tls("192.0.2.3:5061".parse().unwrap()));
    bench.receive("INVITE");
    bench.forward(&[target("sips:bob@192.0.2.4;x=y")]).unwrap();
    let mut opened = None;
    while let Some(output) = bench.proxy.poll() {
        if let Output::Open { listener, connection, remote, .. } = output {
            assert_eq!((listener, remote.to_string().as_str()), (tls, "192.0.2.4:5061"));
            opened = Some(connection);
        }
    }
    let connection = opened.unwrap();
    let change = crate::Change::Opened { identities: &[] };
    bench.proxy.handle(bench.now, Input::Connection { connection, change });
    let sent = bench.drain();
    // The phone need not prove a name to be called at an address: what matters is the Request-URI.
    assert_eq!(sent, ["INVITE"]);
    assert_eq!(bench.requests[0].uri_bytes(), b"sip:bob@192.0.2.4;x=y");
}

#[test]
fn one_target_of_the_right_scheme_is_enough() {
    let mut bench = Bench::new();
    bench.receive("INVITE");
    bench.forward(&[target("sips:bob@192.0.2.5"), bob()]).unwrap();
    assert_eq!(bench.drain(), ["INVITE"]);
    let invite = bench.requests.remove(0);
    assert_eq!(bench.answer(&invite, 404, &[]), ["ACK", "404 INVITE"]);
}

/// §5.3 with RFC 3261 §16.10.
#[test]
fn a_cancel_without_a_context_has_the_request_uri_that_its_invite_would_have() {
    let relay = |bench: &mut Bench, uri: &str, contact: &str| {
        let text = Bench::text("CANCEL", uri, "");
        let Ok(Message::Request(cancel)) = Message::parse(text.as_bytes(), &Default::default()) else { panic!() };
        let flow = Flow::datagram(bench.listener, "192.0.2.1:5060".parse().unwrap());
        bench.proxy.command(bench.now, |owner, cx| {
            let preprocessed = owner.0.preprocess(cx, &cancel, flow.listener, |_| true)?;
            owner.0.relay(cx, &preprocessed, &target(contact), flow)
        })
    };
    let mut bench = Bench::new();
    let refused = relay(&mut bench, "sip:bob@biloxi.com", "sips:bob@192.0.2.4");
    assert!(matches!(refused, Err(Refusal::Scheme { sips_required: true, .. })), "there is no TLS: {refused:?}");
    let refused = relay(&mut bench, "sips:bob@biloxi.com", "sip:bob@192.0.2.4");
    assert!(matches!(refused, Err(Refusal::Scheme { sips_required: false, .. })), "{refused:?}");

    let tls = bench.proxy.listen(Listener::tls("192.0.2.3:5061".parse().unwrap()));
    relay(&mut bench, "sip:bob@biloxi.com", "sips:bob@192.0.2.4;x=y").unwrap();
    let mut opened = None;
    while let Some(output) = bench.proxy.poll() {
        if let Output::Open { listener, connection, .. } = output {
            assert_eq!(listener, tls);
            opened = Some(connection);
        }
    }
    let change = crate::Change::Opened { identities: &[] };
    bench.proxy.handle(bench.now, Input::Connection { connection: opened.unwrap(), change });
    assert_eq!(bench.drain(), ["CANCEL"]);
    assert_eq!(bench.requests[0].uri_bytes(), b"sip:bob@192.0.2.4;x=y");
}
