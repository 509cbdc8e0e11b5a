//! Where the protocol or the network changes at this proxy (RFC 3261 §16.6 step 4, §18.1.1; RFC 5658).

use super::*;
use crate::message::HostBuf;
use crate::message::header::Protocol;
use crate::server::Route;
use crate::transport::Network;
use crate::{Change, ConnectionId, Flow, NextHop};

/// A server that records routes, and reaches bob over TCP.
fn bench() -> (Bench, ListenerId) {
    let mut bench = Bench::with(|settings| {
        settings.proxy.record_route = true;
        let next_hop = NextHop { protocol: Some(Protocol::Tcp), ..NextHop::from(BOB.parse::<SocketAddr>().unwrap()) };
        settings.routes.push(Route { key: "bob@biloxi.com".parse().unwrap(), next_hop });
    });
    let tcp = Listener::tcp(OUR_ADDRESS.parse().unwrap()).with_sent_by("server10.biloxi.com".parse().unwrap());
    let tcp = bench.server.listen(tcp);
    (bench, tcp)
}

/// Hands over an input; what goes out for it: the messages and their flows, and the connections to be opened.
fn exchange(bench: &mut Bench, input: Input<'_>) -> (Vec<(Flow, Message)>, Vec<ConnectionId>) {
    bench.server.handle(bench.now, input);
    let (mut sent, mut opened) = (Vec::new(), Vec::new());
    while let Some(output) = bench.server.poll() {
        match output {
            Output::Send(transmit) => {
                sent.push((transmit.flow, Message::parse(&transmit.bytes, &Default::default()).unwrap()));
            }
            Output::Open { connection, .. } => opened.push(connection),
            other => panic!("{other:?}"),
        }
    }
    (sent, opened)
}

const INVITE: &str = "INVITE sip:bob@biloxi.com SIP/2.0\r\n\
    Via: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bKnashds8\r\n\
    Max-Forwards: 70\r\n\
    From: Alice <sip:alice@atlanta.com>;tag=1928301774\r\n\
    To: Bob <sip:bob@biloxi.com>\r\n\
    Call-ID: a84b4c76e66710\r\n\
    CSeq: 314159 INVITE\r\n\
    Contact: <sip:alice@192.0.2.1>\r\n\r\n";

#[test]
fn each_side_gets_the_record_route_that_leads_here_over_its_own_protocol() {
    let (mut bench, tcp) = bench();
    let listener = bench.listener;
    let remote = ALICE.parse().unwrap();
    let (sent, opened) = exchange(&mut bench, Input::Datagram { listener, remote, bytes: INVITE.as_bytes() });
    assert_eq!((sent.len(), opened.len()), (1, 1), "100, and a connection");
    let change = Change::Opened { identities: &[] };
    let (sent, _) = exchange(&mut bench, Input::Connection { connection: opened[0], change });
    let (flow, invite) = &sent[0];
    assert_eq!(flow.connection, Some(opened[0]));
    let recorded = values(invite, HeaderId::RecordRoute);
    assert_eq!(
        without_tokens(&recorded),
        ["<sip:server10.biloxi.com;transport=tcp;lr>", "<sip:server10.biloxi.com;transport=udp;lr>"]
    );
    // It came without Content-Length, which a stream needs (§18.3).
    assert_eq!(values(invite, HeaderId::ContentLength), ["0"]);

    // Bob hangs up along both: over TCP to us, over UDP to alice.
    let connection = bench.server.reserve();
    let remote = "192.0.2.4:49152".parse().unwrap();
    let _ = exchange(&mut bench, Input::Accepted { listener: tcp, connection, remote });
    let bye = format!(
        "BYE sip:alice@192.0.2.1 SIP/2.0\r\n\
        Via: SIP/2.0/TCP 192.0.2.4;branch=z9hG4bKnashds9\r\n\
        Max-Forwards: 70\r\n\
        Route: {}\r\n\
        From: Bob <sip:bob@biloxi.com>;tag=a6c85cf\r\n\
        To: Alice <sip:alice@atlanta.com>;tag=1928301774\r\n\
        Call-ID: a84b4c76e66710\r\n\
        CSeq: 1 BYE\r\n\
        Content-Length: 0\r\n\r\n",
        recorded.join(", ")
    );
    let (sent, opened) = exchange(&mut bench, Input::Stream { connection, bytes: bye.as_bytes() });
    let (flow, bye) = &sent[0];
    assert_eq!((flow.connection, flow.remote.to_string().as_str(), opened.len()), (None, ALICE, 0));
    assert_eq!(values(bye, HeaderId::Route), [""; 0]);
}

/// A peer that TLS has proved is trusted as one at an address is; another name at the same address is not.
#[test]
fn a_peer_whose_name_tls_has_proved_is_relayed_without_credentials() {
    let relays = |proved: &[&str]| {
        let (mut bench, _) = bench();
        let settings = bench.server.settings().clone();
        let trusted = ["proxy.atlanta.com".parse().unwrap()].into();
        bench.server.set_settings(bench.now, Settings { trusted, ..settings }).unwrap();
        let tls = bench.server.listen(Listener::tls("192.0.2.3:5061".parse().unwrap()));
        let connection = bench.server.reserve();
        let remote = "192.0.2.1:49152".parse().unwrap();
        let _ = exchange(&mut bench, Input::Accepted { listener: tls, connection, remote });
        let change = Change::Opened { identities: proved };
        let _ = exchange(&mut bench, Input::Connection { connection, change });
        let message = INVITE
            .replace("INVITE", "MESSAGE")
            .replace("/UDP", "/TLS")
            .replace("bob@biloxi.com SIP", "carol@192.0.2.77 SIP");
        let message = message.replace("\r\n\r\n", "\r\nContent-Length: 0\r\n\r\n");
        let (sent, _) = exchange(&mut bench, Input::Stream { connection, bytes: message.as_bytes() });
        let (flow, sent) = &sent[0];
        match sent {
            Message::Request(request) => format!("{} {}", request.method(), flow.remote),
            Message::Response(response) => response.status().get().to_string(),
        }
    };
    assert_eq!(relays(&["proxy.atlanta.com"]), "MESSAGE 192.0.2.77:5060");
    assert_eq!(relays(&["atlanta.com"]), "403");
    assert_eq!(relays(&[]), "403");
}

#[test]
fn where_the_protocol_stays_there_is_one_record_route() {
    let mut bench = Bench::with(|settings| {
        settings.proxy.record_route = true;
        let next_hop = BOB.parse::<SocketAddr>().unwrap().into();
        settings.routes.push(Route { key: "bob@biloxi.com".parse().unwrap(), next_hop });
    });
    let listener = bench.listener;
    let remote = ALICE.parse().unwrap();
    let (sent, _) = exchange(&mut bench, Input::Datagram { listener, remote, bytes: INVITE.as_bytes() });
    let (_, invite) = sent.last().unwrap();
    assert_eq!(without_tokens(&values(invite, HeaderId::RecordRoute)), ["<sip:server10.biloxi.com;lr>"]);
}

#[test]
fn each_side_gets_the_record_route_that_leads_here_in_its_own_network() {
    let outside = "<sip:server10.biloxi.com;lr>";
    for (name, expected) in
        [("inside.biloxi.com", &["<sip:10.0.0.1;lr>", outside][..]), ("outside.biloxi.com", &[outside])]
    {
        let mut bench = Bench::with(|settings| {
            settings.proxy.record_route = true;
            let next_hop = NextHop { port: Some(5060), ..NextHop::from(name.parse::<HostBuf>().unwrap()) };
            settings.routes.push(Route { key: "bob@biloxi.com".parse().unwrap(), next_hop });
        });
        let network = Network { address: [10, 0, 0, 0].into(), prefix: 8 };
        bench.server.listen(Listener::udp("10.0.0.1:5060".parse().unwrap()).with_networks([network]));
        let sent = bench.receive_bytes(ALICE, INVITE.as_bytes());
        assert_eq!(without_tokens(&sent.last().unwrap().values(HeaderId::RecordRoute)), expected, "{name}");
    }
}
