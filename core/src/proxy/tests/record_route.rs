//! Record-Route where two listeners reach one place (RFC 3261 §16.6 step 4, RFC 5658).

use super::*;

/// Two UDP listeners that reach everybody; what goes out, and from which.
fn bench() -> (Bench, ListenerId) {
    let mut bench = Bench::with(|settings| settings.record_route = true);
    let second = bench.proxy.listen(Listener::udp("192.0.2.33:5060".parse().unwrap()));
    (bench, second)
}

/// The listener of the last request that goes out.
fn sender(bench: &mut Bench) -> ListenerId {
    let mut last = None;
    while let Some(output) = bench.proxy.poll() {
        if let Output::Send(transmit) = output
            && !transmit.bytes.starts_with(b"SIP/2.0")
        {
            last = Some(transmit.flow.listener);
        }
    }
    last.unwrap()
}

#[test]
fn the_second_of_a_pair_says_which_listener_sends() {
    let (mut bench, second) = bench();
    bench.receive("INVITE");
    let [alone, upper, lower] = bench.proxy.user().0.route_parameters(&bench.questions[0].request.clone(), bench.now);
    let mut sends = |first: &str, then: &str| {
        let text = format!(
            "BYE sip:bob@192.0.2.4 SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK{}\r\n\
             Max-Forwards: 70\r\nRoute: <sip:192.0.2.3;lr{first}>, <sip:{then}>\r\nTo: <sip:bob@biloxi.com>;tag=b\r\n\
             From: <sip:alice@atlanta.com>;tag=1928301774\r\nCall-ID: a84b4c76e66710\r\nCSeq: 2 BYE\r\n\
             Content-Length: 0\r\n\r\n",
            first.len() + then.len()
        );
        let remote = "192.0.2.1:5060".parse().unwrap();
        bench.proxy.handle(bench.now, Input::Datagram { listener: bench.listener, remote, bytes: text.as_bytes() });
        while let Some(output) = bench.proxy.poll() {
            if let Output::Event(Asked::Question(question)) = output {
                assert!(question.recorded);
                let target = Target::new(question.request.uri().unwrap().to_buf());
                let answer =
                    |owner: &mut Owner, cx: &mut Context<'_, Asked>| owner.0.forward(cx, question.id, &[target]);
                bench.proxy.command(bench.now, answer).unwrap();
                return sender(&mut bench);
            }
        }
        panic!("no question");
    };
    assert_eq!(sends(&lower, &format!("192.0.2.33;lr{upper}")), second);
    assert_ne!(sends(&alone, "192.0.2.4;lr"), second);
}

/// Gives the Record-Route, without the tokens, that is written for an INVITE that came with this Contact, over TLS or UDP, and goes to this target.
fn record(change: impl FnOnce(&mut Settings), over_tls: bool, [uri, contact, target]: [&str; 3]) -> Vec<String> {
    record_to(change, over_tls, [uri, contact], Target::new(target.parse().unwrap())).0
}

/// As [`record`], and whether a connection is opened.
fn record_to(
    change: impl FnOnce(&mut Settings),
    over_tls: bool,
    [uri, contact]: [&str; 2],
    target: Target,
) -> (Vec<String>, bool) {
    let mut bench = Bench::with(change);
    let tls = bench.proxy.listen(Listener::tls("192.0.2.3:5061".parse().unwrap()));
    let inbound = if over_tls { tls } else { bench.listener };
    let connection = bench.proxy.reserve();
    let remote = "192.0.2.1:50000".parse().unwrap();
    let text = format!(
        "INVITE {uri} SIP/2.0\r\nVia: SIP/2.0/{} 192.0.2.1;branch=z9hG4bK1\r\nMax-Forwards: 70\r\n\
         To: <sip:bob@biloxi.com>\r\nFrom: <sip:alice@atlanta.com>;tag=1\r\nCall-ID: 1\r\nCSeq: 1 INVITE\r\n\
         Contact: <{contact}>\r\nContent-Length: 0\r\n\r\n",
        if over_tls { "TLS" } else { "UDP" }
    );
    if over_tls {
        bench.proxy.handle(bench.now, Input::Accepted { listener: inbound, connection, remote });
        bench.proxy.handle(bench.now, Input::Stream { connection, bytes: text.as_bytes() });
    } else {
        let bytes = text.as_bytes();
        bench.proxy.handle(bench.now, Input::Datagram { listener: inbound, remote, bytes });
    }
    bench.drain();
    bench.forward(&[target]).unwrap();
    let mut opened = None;
    while let Some(output) = bench.proxy.poll() {
        match output {
            Output::Open { connection, .. } => opened = Some(connection),
            Output::Send(transmit) => {
                if let Ok(Message::Request(request)) = Message::parse(&transmit.bytes, &Default::default()) {
                    bench.requests.push(request);
                }
            }
            _ => {}
        }
    }
    if let Some(connection) = opened {
        let change = crate::Change::Opened { identities: &[] };
        bench.proxy.handle(bench.now, Input::Connection { connection, change });
        bench.drain();
    }
    let invite = bench.requests.pop().unwrap();
    let values = invite.headers().values(HeaderId::RecordRoute, true);
    let bare = |value: &[u8]| String::from_utf8(value.into()).unwrap().split(";token").next().unwrap().to_string();
    (values.map(bare).collect(), opened.is_some())
}

/// §16.6 step 4: a MUST even of a proxy that does not want to stay.
#[test]
fn a_record_route_is_demanded_where_one_side_is_secure_and_the_other_is_not() {
    let record = |uri: &str, over_tls: bool| {
        let target = format!("{}:bob@192.0.2.4", uri.split_once(':').unwrap().0);
        record(|_| {}, over_tls, [uri, "sip:alice@192.0.2.1", &target])
    };
    assert_eq!(record("sip:bob@biloxi.com", false), [""; 0]);
    assert_eq!(record("sip:bob@biloxi.com", true), ["<sip:192.0.2.3;transport=udp;lr", "<sips:192.0.2.3;lr"]);
    assert_eq!(record("sips:bob@biloxi.com", true), [""; 0]);
    // One URI serves both sides.
    assert_eq!(record("sips:bob@biloxi.com", false), ["<sips:192.0.2.3;lr"]);
}

/// §16.6 step 4: a SIPS URI stands where the topmost Route of the copy is one; here the same serves both sides (RFC 5658 §6.2).
#[test]
fn a_sips_route_of_the_target_makes_the_record_route_sips_on_both_sides_and_leads_over_tls() {
    for (scheme, value, is_tls) in [("sips", "<sips:192.0.2.3;lr", true), ("sip", "<sip:192.0.2.3;lr", false)] {
        let route = format!("{scheme}:192.0.2.7;lr").parse().unwrap();
        let target = bob().with_routes([route].into());
        let change = |settings: &mut Settings| settings.record_route = true;
        let recorded = record_to(change, false, ["sip:bob@biloxi.com", "sip:alice@192.0.2.1"], target);
        assert_eq!(recorded, ([value.to_string()].into(), is_tls), "{scheme}");
    }
}

/// RFC 5630 §3.1.4 and RFC 5658 §6.2: the parameter MUST NOT be inserted. We do where a peer has, unless that is off.
#[test]
fn transport_tls_is_written_where_a_peer_writes_it_and_never_if_that_is_off() {
    let record = |tls_parameter: bool, [from_tls, to_tls]: [bool; 2]| {
        let change = |settings: &mut Settings| (settings.record_route, settings.tls_parameter) = (true, tls_parameter);
        let written = |is_tls, user: &str| format!("sip:{user}{}", if is_tls { ";transport=tls" } else { "" });
        let [contact, target] = [written(from_tls, "alice@192.0.2.1"), written(to_tls, "bob@192.0.2.4")];
        record(change, from_tls, ["sip:bob@biloxi.com", &contact, &target])
    };
    let [tls, udp] = ["<sip:192.0.2.3;transport=tls;lr", "<sip:192.0.2.3;transport=udp;lr"];
    // From a phone on TLS to another: one value serves both. Between TLS and UDP each side has its own.
    assert_eq!(record(true, [true, true]), [tls]);
    assert_eq!(record(true, [true, false]), [udp, tls]);
    assert_eq!(record(true, [false, true]), [tls, udp]);
    for sides in [[true, true], [true, false], [false, true]] {
        let values = record(false, sides);
        assert!(!values.is_empty() && values.iter().all(|value| !value.contains("transport=tls")), "{values:?}");
    }
}

/// RFC 6157 §3.1.1: a MUST even of a proxy that does not want to stay.
#[test]
fn a_record_route_is_demanded_where_the_request_leaves_its_family() {
    let record = |method: &str, phone: &str| {
        let mut bench = Bench::new();
        bench.proxy.listen(Listener::udp("[2001:db8::3]:5060".parse().unwrap()));
        bench.receive(method);
        bench.forward(&[Target::new(format!("sip:bob@{phone}").parse().unwrap())]).unwrap();
        bench.drain();
        let request = bench.requests.pop().unwrap();
        let values = request.headers().values(HeaderId::RecordRoute, true);
        values.map(|value| String::from_utf8(value.into()).unwrap()).collect::<Vec<_>>()
    };
    let values = record("INVITE", "[2001:db8::4]");
    let starts = ["<sip:[2001:db8::3];lr;token=", "<sip:192.0.2.3;lr;token="];
    assert!(
        values.len() == 2 && values.iter().zip(starts).all(|(value, start)| value.starts_with(start)),
        "{values:?}"
    );
    assert_eq!(record("INVITE", "192.0.2.4"), [""; 0]);
    assert_eq!(record("MESSAGE", "[2001:db8::4]"), [""; 0], "it has no meaning there");
}
