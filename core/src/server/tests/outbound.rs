//! Phones that nothing but their own flows lead to (RFC 5626 §5 to §7).

use super::*;
use crate::registrar::{self, Binding, Record, Store};
use crate::server::{Answer, Step};
use crate::{Change, ConnectionId};

/// Bob's phone and alice's, as their NATs show them.
const BOB_OUTSIDE: &str = "203.0.113.4:40000";
const ALICE_OUTSIDE: &str = "203.0.113.1:41000";

/// A message of a phone behind a NAT; its Via is completed, and each has a branch of its own.
fn from_inside(protocol: &str, host: &str, number: u32, start: &str, lines: &str) -> String {
    let method = start.split_once(' ').unwrap().0;
    format!(
        "{start} SIP/2.0
        Via: SIP/2.0/{protocol} {host};rport;branch=z9hG4bK{}x{number}
        Max-Forwards: 70
        {lines}
        CSeq: {number} {method}
        Content-Length: 0",
        host.replace('.', "x")
    )
}

fn register(protocol: &str, number: u32, contact: &str) -> String {
    let lines = format!("To: <sip:bob@biloxi.com>\nFrom: <sip:bob@biloxi.com>;tag=1\nCall-ID: r\nContact: <{contact}>");
    from_inside(protocol, "10.0.0.4", number, "REGISTER sip:biloxi.com", &lines)
}

/// A request of alice's, or of bob's, in the dialog.
fn within(number: u32, start: &str, sender: &str, receiver: &str, host: &str, routes: &str) -> String {
    let lines = format!("Route: {routes}\nFrom: {sender}\nTo: {receiver}\nCall-ID: c");
    from_inside("UDP", host, number, start, &lines)
}

const A: &str = "<sip:alice@atlanta.com>;tag=a";
const B: &str = "<sip:bob@biloxi.com>;tag=b";

fn invite(number: u32) -> String {
    let lines =
        "From: <sip:alice@atlanta.com>;tag=a\nTo: <sip:bob@biloxi.com>\nCall-ID: c\nContact: <sip:alice@10.0.0.1>";
    from_inside("UDP", "10.0.0.1", number, "INVITE sip:bob@biloxi.com", lines)
}

/// Alice calls; where the INVITE went, and the Record-Routes of the call.
fn call(bench: &mut Bench) -> (Vec<String>, Vec<String>) {
    let sent = bench.receive(ALICE_OUTSIDE, &invite(1));
    let routes = sent.get(1).map(|invite| invite.values(HeaderId::RecordRoute)).unwrap_or_default();
    (summaries(&sent).split_off(1), routes)
}

/// Topology: both behind NATs, and over UDP. Each request of the dialog goes along the flow of its receiver.
#[test]
fn both_ends_behind_nats_are_reached_along_their_flows() {
    let mut bench = Bench::new();
    bench.receive(BOB_OUTSIDE, &register("UDP", 1, "sip:bob@10.0.0.4"));
    let (invites, routes) = call(&mut bench);
    assert_eq!(invites, [format!("INVITE {BOB_OUTSIDE}")]);
    assert!(routes[0].contains(";caller-flow=") && routes[0].contains(";callee-flow="), "{routes:?}");
    let routes = routes.join(", ");
    let ack = within(5, "ACK sip:bob@10.0.0.4", A, B, "10.0.0.1", &routes);
    assert_eq!(summaries(&bench.receive(ALICE_OUTSIDE, &ack)), [format!("ACK {BOB_OUTSIDE}")]);
    let by_alice = within(2, "BYE sip:bob@10.0.0.4", A, B, "10.0.0.1", &routes);
    assert_eq!(summaries(&bench.receive(ALICE_OUTSIDE, &by_alice)), [format!("BYE {BOB_OUTSIDE}")]);
    let by_bob = within(3, "BYE sip:alice@10.0.0.1", B, A, "10.0.0.4", &routes);
    assert_eq!(summaries(&bench.receive(BOB_OUTSIDE, &by_bob)), [format!("BYE {ALICE_OUTSIDE}")]);
    // A re-INVITE too, and it records no flow again: routes do not change within a dialog (RFC 3261 §12.2).
    let again = within(4, "INVITE sip:bob@10.0.0.4", A, B, "10.0.0.1", &routes)
        .replace("Call-ID", "Contact: <sip:alice@10.0.0.1>\nCall-ID");
    let sent = bench.receive(ALICE_OUTSIDE, &again);
    assert_eq!(summaries(&sent)[1], format!("INVITE {BOB_OUTSIDE}"));
    assert!(!sent[1].values(HeaderId::RecordRoute).iter().any(|route| route.contains("flow")));
}

/// The transport of a phone that is hidden, and how the server takes a message of it.
struct Hidden {
    protocol: &'static str,
    host: &'static str,
    contact: &'static str,
    connection: Option<ConnectionId>,
}

impl Hidden {
    fn new(bench: &mut Bench, protocol: &'static str) -> Self {
        let local = OUR_ADDRESS.parse().unwrap();
        let (listener, host, contact) = match protocol {
            "UDP" => return Self { protocol, host: "10.0.0.4", contact: "sip:bob@10.0.0.4", connection: None },
            "TCP" => (Listener::tcp(local), "10.0.0.4", "sip:bob@10.0.0.4;transport=tcp"),
            _ => (Listener::ws(local), "df7jal23ls0d.invalid", "sip:bob@df7jal23ls0d.invalid;transport=ws"),
        };
        let listener = bench.server.listen(listener.with_sent_by("server10.biloxi.com".parse().unwrap()));
        Self { protocol, host, contact, connection: Some(connect(bench, listener)) }
    }

    fn sends(&self, bench: &mut Bench, number: u32, start: &str, lines: &str) -> Vec<Sent> {
        let lines = format!("{lines}\nContact: <{}>", self.contact);
        let text = from_inside(self.protocol, self.host, number, start, &lines);
        match self.connection {
            None => bench.receive(BOB_OUTSIDE, &text),
            Some(connection) if self.protocol == "TCP" => along(bench, connection, &text),
            Some(connection) => {
                let lines: Vec<&str> = text.lines().map(str::trim).collect();
                let bytes = lines.join("\r\n") + "\r\n\r\n";
                bench.server.handle(bench.now, Input::Message { connection, bytes: bytes.as_bytes() });
                bench.drain()
            }
        }
    }
}

/// Topology: one end is hidden, the other on the open network and over UDP. Whatever its dialog has for the hidden one goes along its flow.
#[test]
fn every_later_request_of_a_dialog_goes_along_the_flow_of_the_end_that_is_hidden() {
    for (protocol, is_caller) in ["UDP", "TCP", "WS"].into_iter().flat_map(|it| [(it, true), (it, false)]) {
        let mut bench = Bench::new();
        let bob = Hidden::new(&mut bench, protocol);
        let alice = |bench: &mut Bench, number, start: &str, lines: &str| {
            let lines = format!("{lines}\nContact: <sip:alice@192.0.2.1>");
            bench.receive(ALICE, &from_inside("UDP", "192.0.2.1", number, start, &lines))
        };
        let of =
            |name: &str| format!("To: <sip:{name}@biloxi.com>\nFrom: <sip:{name}@biloxi.com>;tag=1\nCall-ID: {name}");
        let invited = match is_caller {
            true => {
                alice(&mut bench, 1, "REGISTER sip:biloxi.com", &of("alice"));
                let lines = "From: <sip:bob@biloxi.com>;tag=b\nTo: <sip:alice@biloxi.com>\nCall-ID: c";
                bob.sends(&mut bench, 2, "INVITE sip:alice@biloxi.com", lines)
            }
            false => {
                bob.sends(&mut bench, 1, "REGISTER sip:biloxi.com", &of("bob"));
                let lines = "From: <sip:alice@biloxi.com>;tag=a\nTo: <sip:bob@biloxi.com>\nCall-ID: c";
                alice(&mut bench, 2, "INVITE sip:bob@biloxi.com", lines)
            }
        };
        let invite = invited.last().unwrap();
        let to = if is_caller { ALICE } else { BOB_OUTSIDE };
        assert_eq!(invite.summary(), format!("INVITE {to}"), "{protocol}");
        let mut routes = invite.values(HeaderId::RecordRoute).join(", ");
        if !is_caller {
            let mut values: Vec<&str> = routes.split(", ").collect();
            values.reverse();
            routes = values.join(", ");
        }
        let lines = format!("Route: {routes}\nFrom: <sip:alice@biloxi.com>;tag=a\nTo: {B}\nCall-ID: c");
        for (number, method) in (10..).zip(["ACK", "INVITE", "NOTIFY", "INFO", "BYE"]) {
            let sent = alice(&mut bench, number, &format!("{method} {}", bob.contact), &lines);
            let mut requests = sent.iter().filter(|sent| matches!(sent.message, Message::Request(_)));
            let request = requests.next().unwrap_or_else(|| panic!("{protocol} {is_caller} {method}: {sent:?}"));
            assert_eq!(request.summary(), format!("{method} {BOB_OUTSIDE}"), "{protocol} {is_caller}");
            assert_eq!(request.flow.connection, bob.connection, "{protocol} {is_caller} {method}");
            assert!(requests.next().is_none(), "{sent:?}");
        }
    }
}

#[test]
fn a_token_that_was_tampered_with_is_403_and_an_ack_with_one_is_dropped() {
    let mut bench = Bench::new();
    bench.receive(BOB_OUTSIDE, &register("UDP", 1, "sip:bob@10.0.0.4"));
    let (_, routes) = call(&mut bench);
    // Another flow, with the proof of this one.
    let at = routes[0].find("callee-flow=").unwrap() + "callee-flow=".len() + 20;
    let mut forged = routes[0].clone().into_bytes();
    forged[at] = if forged[at] == b'0' { b'1' } else { b'0' };
    let forged = String::from_utf8(forged).unwrap();
    let bye = within(2, "BYE sip:bob@10.0.0.4", A, B, "10.0.0.1", &forged);
    assert_eq!(summaries(&bench.receive(ALICE_OUTSIDE, &bye)), [format!("403 {ALICE_OUTSIDE}")]);
    let ack = within(3, "ACK sip:bob@10.0.0.4", A, B, "10.0.0.1", &forged);
    assert!(bench.receive(ALICE_OUTSIDE, &ack).is_empty());
    // The token of one call is no good for another.
    let stolen = within(4, "BYE sip:bob@10.0.0.4", A, B, "10.0.0.1", &routes[0]).replace("Call-ID: c", "Call-ID: d");
    assert_eq!(summaries(&bench.receive(ALICE_OUTSIDE, &stolen)), [format!("403 {ALICE_OUTSIDE}")]);
}

/// Bob's connection, and how the server takes a message along it.
fn connect(bench: &mut Bench, tcp: ListenerId) -> ConnectionId {
    let connection = bench.server.reserve();
    let remote = BOB_OUTSIDE.parse().unwrap();
    bench.server.handle(bench.now, Input::Accepted { listener: tcp, connection, remote });
    assert!(bench.drain().is_empty());
    connection
}

fn along(bench: &mut Bench, connection: ConnectionId, text: &str) -> Vec<Sent> {
    let lines: Vec<&str> = text.trim().lines().map(str::trim).collect();
    let bytes = lines.join("\r\n") + "\r\n\r\n";
    bench.server.handle(bench.now, Input::Stream { connection, bytes: bytes.as_bytes() });
    bench.drain()
}

/// The connection that each message goes out along.
fn connections(sent: &[Sent]) -> Vec<Option<ConnectionId>> {
    sent.iter().map(|sent| sent.flow.connection).collect()
}

fn close(bench: &mut Bench, connection: ConnectionId) {
    bench.server.handle(bench.now, Input::Connection { connection, change: Change::Closed });
    bench.drain();
}

fn with_tcp() -> (Bench, ListenerId) {
    with_tcp_and(|_| {})
}

fn with_tcp_and(change: impl FnOnce(&mut Settings)) -> (Bench, ListenerId) {
    let mut bench = Bench::with(change);
    let tcp = Listener::tcp(OUR_ADDRESS.parse().unwrap()).with_sent_by("server10.biloxi.com".parse().unwrap());
    let tcp = bench.server.listen(tcp);
    (bench, tcp)
}

#[test]
fn a_binding_ends_with_the_connection_that_alone_led_to_it_and_a_call_is_480() {
    let (mut bench, tcp) = with_tcp();
    let connection = connect(&mut bench, tcp);
    let sent = along(&mut bench, connection, &register("TCP", 1, "sip:bob@10.0.0.4;transport=tcp"));
    assert_eq!(summaries(&sent), [format!("200 {BOB_OUTSIDE}")]);
    assert_eq!(bench.receive(ALICE_OUTSIDE, &invite(1))[1].flow.connection, Some(connection));
    close(&mut bench, connection);
    assert!(bench.server.bindings("bob@biloxi.com").is_empty());
    let unbound =
        bench.events.iter().filter(|event| matches!(event, Event::Binding(crate::registrar::Change::Unbound { .. })));
    assert_eq!(unbound.count(), 1);
    let sent = bench.receive(ALICE_OUTSIDE, &invite(2).replace("Call-ID: c", "Call-ID: d"));
    assert_eq!(summaries(&sent)[1], format!("480 {ALICE_OUTSIDE}"));
}

/// RFC 7118 §5.3: what a browser says of itself leads nowhere (`.invalid`).
#[test]
fn a_browser_is_called_and_hung_up_on_along_its_websocket_alone() {
    let mut bench = Bench::new();
    let ws = bench.server.listen(Listener::ws(OUR_ADDRESS.parse().unwrap()));
    let connection = connect(&mut bench, ws);
    let contact = "sip:bob@df7jal23ls0d.invalid;transport=ws";
    let text = register("WS", 1, contact).replace("WS 10.0.0.4", "WS df7jal23ls0d.invalid");
    let bytes = text.lines().map(str::trim).collect::<Vec<_>>().join("\r\n") + "\r\n\r\n";
    bench.server.handle(bench.now, Input::Message { connection, bytes: bytes.as_bytes() });
    let sent = bench.drain();
    assert_eq!(summaries(&sent), [format!("200 {BOB_OUTSIDE}")]);
    let (invites, routes) = call(&mut bench);
    assert_eq!(invites, [format!("INVITE {BOB_OUTSIDE}")]);
    let routes = routes.join(", ");
    let ack = within(2, &format!("ACK {contact}"), A, B, "10.0.0.1", &routes);
    let bye = within(3, &format!("BYE {contact}"), A, B, "10.0.0.1", &routes);
    for text in [&ack, &bye] {
        assert_eq!(connections(&bench.receive(ALICE_OUTSIDE, text)), [Some(connection)]);
    }
    close(&mut bench, connection);
    assert!(bench.server.bindings("bob@biloxi.com").is_empty());
    let late = within(4, &format!("INFO {contact}"), A, B, "10.0.0.1", &routes);
    assert_eq!(summaries(&bench.receive(ALICE_OUTSIDE, &late)), [format!("430 {ALICE_OUTSIDE}")]);
    let again = invite(5).replace("Call-ID: c", "Call-ID: d");
    assert_eq!(summaries(&bench.receive(ALICE_OUTSIDE, &again))[1], format!("480 {ALICE_OUTSIDE}"));
}

/// The connection breaks while the INVITE is on its way: the phone is not there, and nothing is wrong with the server.
#[test]
fn a_call_whose_flow_fails_under_it_is_480() {
    let (mut bench, tcp) = with_tcp();
    let connection = connect(&mut bench, tcp);
    along(&mut bench, connection, &register("TCP", 1, "sip:bob@10.0.0.4;transport=tcp"));
    let sent = bench.receive(ALICE_OUTSIDE, &invite(1));
    assert_eq!(summaries(&sent)[1], format!("INVITE {BOB_OUTSIDE}"));
    bench.server.handle(bench.now, Input::Connection { connection, change: Change::Closed });
    let mut sent = bench.drain();
    sent.append(&mut bench.wait(Duration::from_secs(40)));
    assert_eq!(summaries(&sent)[0], format!("480 {ALICE_OUTSIDE}"));
}

#[test]
fn a_contact_that_can_be_reached_outlives_its_connection() {
    let (mut bench, tcp) = with_tcp();
    let connection = connect(&mut bench, tcp);
    let contact = "sip:bob@203.0.113.4:5070;transport=tcp";
    along(&mut bench, connection, &register("TCP", 1, contact));
    let sent = bench.receive(ALICE_OUTSIDE, &invite(1));
    assert_eq!(sent[1].flow.connection, Some(connection));
    // Later requests go to the contact.
    assert!(!sent[1].values(HeaderId::RecordRoute).iter().any(|route| route.contains("callee-flow")));
    close(&mut bench, connection);
    assert_eq!(bench.server.bindings("bob@biloxi.com").len(), 1);
    bench.server.handle(bench.now, Input::Tick);
    let text: Vec<String> =
        invite(2).replace("Call-ID: c", "Call-ID: d").lines().map(|line| line.trim().into()).collect();
    let bytes = text.join("\r\n") + "\r\n\r\n";
    let (listener, remote) = (bench.listener, ALICE_OUTSIDE.parse().unwrap());
    bench.server.handle(bench.now, Input::Datagram { listener, remote, bytes: bytes.as_bytes() });
    let opened = core::iter::from_fn(|| bench.server.poll()).find_map(|output| match output {
        Output::Open { remote, .. } => Some(remote.to_string()),
        _ => None,
    });
    assert_eq!(opened.as_deref(), Some("203.0.113.4:5070"));
}

#[test]
fn a_dialog_goes_on_along_the_new_connection_of_a_phone_that_has_come_back() {
    let (mut bench, tcp) = with_tcp();
    let first = connect(&mut bench, tcp);
    let contact = "sip:bob@10.0.0.4;transport=tcp";
    along(&mut bench, first, &register("TCP", 1, contact));
    let (_, routes) = call(&mut bench);
    let routes = routes.join(", ");
    let bye = |number| within(number, &format!("BYE {contact}"), A, B, "10.0.0.1", &routes);
    close(&mut bench, first);
    // RFC 5626 §5.3: the flow is gone.
    assert_eq!(summaries(&bench.receive(ALICE_OUTSIDE, &bye(2))), [format!("430 {ALICE_OUTSIDE}")]);
    let second = connect(&mut bench, tcp);
    along(&mut bench, second, &register("TCP", 2, contact));
    assert_eq!(connections(&bench.receive(ALICE_OUTSIDE, &bye(3))), [Some(second)]);
}

/// Bob's phone has registered along three flows, the last one last; Alice has called, and the INVITE went out along that.
fn called_by_flows(change: impl FnOnce(&mut Settings)) -> (Bench, Sent) {
    let mut bench = Bench::with(change);
    let instance = "+sip.instance=\"<urn:uuid:00000000-0000-1000-8000-AABBCCDDEEFF>\"";
    for (number, source) in [(1, "203.0.113.4:40001"), (2, "203.0.113.4:40002"), (3, "203.0.113.4:40003")] {
        let text = register("UDP", number, "sip:bob@10.0.0.4")
            .replace("10.0.0.4>", &format!("10.0.0.4>;reg-id={number};{instance}\nSupported: outbound, path"));
        assert_eq!(summaries(&bench.receive(source, &text)), [format!("200 {source}")]);
        bench.wait(Duration::from_secs(1));
    }
    assert_eq!(bench.server.bindings("bob@biloxi.com").len(), 3);
    let mut sent = bench.receive(ALICE_OUTSIDE, &invite(1));
    assert_eq!(summaries(&sent).split_off(1), ["INVITE 203.0.113.4:40003"]);
    (bench, sent.remove(1))
}

/// RFC 5626 §7: a request goes along one flow at a time, and along another one only after 408 and 430.
#[test]
fn of_several_flows_of_an_instance_the_one_refreshed_last_is_used_and_after_430_and_408_another() {
    let (mut bench, invite) = called_by_flows(|_| {});
    let sent = bench.answer(&invite, 430);
    assert_eq!(summaries(&sent), ["ACK 203.0.113.4:40003", "INVITE 203.0.113.4:40002"]);
    assert!(sent[1].values(HeaderId::RecordRoute)[0].contains(";callee-flow="));
    let sent = bench.answer(&sent[1], 408);
    assert_eq!(summaries(&sent), ["ACK 203.0.113.4:40002", "INVITE 203.0.113.4:40001"]);
    // There is no other flow left.
    let sent = bench.answer(&sent[1], 430);
    assert_eq!(summaries(&sent), ["ACK 203.0.113.4:40001".into(), format!("480 {ALICE_OUTSIDE}")]);
    bench.receive(ALICE_OUTSIDE, &super::invite().replace("INVITE", "ACK"));
    bench.wait(Duration::from_secs(64));
    assert_eq!(bench.server.user().census().response_contexts, 0);
}

#[test]
fn a_phone_that_says_nothing_along_one_flow_is_called_along_the_next() {
    let (mut bench, _) = called_by_flows(|_| {});
    let sent = bench.wait(Duration::from_secs(32));
    assert_eq!(sent.last().unwrap().summary(), "INVITE 203.0.113.4:40002");
    let sent = bench.answer(sent.last().unwrap(), 200);
    assert_eq!(summaries(&sent), [format!("200 {ALICE_OUTSIDE}")]);
}

#[test]
fn a_phone_that_has_given_its_answer_is_not_called_along_another_flow() {
    for status in [486, 480, 503, 603] {
        let (mut bench, invite) = called_by_flows(|_| {});
        let sent = bench.answer(&invite, status);
        let told = if status == 503 { 500 } else { status };
        assert_eq!(summaries(&sent), ["ACK 203.0.113.4:40003".into(), format!("{told} {ALICE_OUTSIDE}")]);
    }
}

#[test]
fn after_a_cancel_no_other_flow_is_tried() {
    let (mut bench, invite) = called_by_flows(|_| {});
    bench.answer(&invite, 180);
    let cancel = from_inside(
        "UDP",
        "10.0.0.1",
        1,
        "CANCEL sip:bob@biloxi.com",
        "From: <sip:alice@atlanta.com>;tag=a\nTo: <sip:bob@biloxi.com>\nCall-ID: c",
    );
    assert_eq!(summaries(&bench.receive(ALICE_OUTSIDE, &cancel)).last().unwrap(), "CANCEL 203.0.113.4:40003");
    let sent = bench.answer(&invite, 408);
    assert_eq!(summaries(&sent), ["ACK 203.0.113.4:40003".into(), format!("408 {ALICE_OUTSIDE}")]);
}

#[test]
fn the_limit_of_targets_counts_other_flows_too() {
    let (mut bench, invite) = called_by_flows(|settings| settings.proxy.limits.targets = 1);
    let sent = bench.answer(&invite, 430);
    assert_eq!(summaries(&sent), ["ACK 203.0.113.4:40003".into(), format!("480 {ALICE_OUTSIDE}")]);
}

fn contacts(bench: &Bench) -> Vec<String> {
    bench.server.bindings("bob@biloxi.com").iter().map(|binding| binding.contact.to_string()).collect()
}

/// The contacts that the application was told to be no more since this was called last.
fn unbound(bench: &mut Bench) -> Vec<String> {
    let contact = |event: Event| match event {
        Event::Binding(registrar::Change::Unbound { contact, .. }) => Some(contact.to_string()),
        _ => None,
    };
    core::mem::take(&mut bench.events).into_iter().filter_map(contact).collect()
}

/// RFC 5626 §5.3, §7: the edge proxy has lost the flow, so nobody is called there again.
#[test]
fn a_430_ends_the_binding_whose_path_it_came_along_and_no_other() {
    for store in [Store::Memory, Store::Owner] {
        let mut bench = Bench::with(|settings| settings.registrar.store = store);
        let mut shelf = Vec::new();
        for (number, edge) in [(1, "192.0.2.60"), (2, "192.0.2.61")] {
            let path = format!("Supported: path\nPath: <sip:{edge};lr>\nContact");
            let text = register("UDP", number, &format!("sip:bob@10.0.0.4:{number}")).replace("Contact", &path);
            bench.receive(BOB, &text);
            serve(&mut bench, &mut shelf);
        }
        bench.events.clear();
        let mut sent = bench.receive(ALICE, &super::invite());
        sent.append(&mut serve(&mut bench, &mut shelf));
        let called = sent.iter().rfind(|sent| sent.to == "192.0.2.61:5060").cloned();
        let called = called.unwrap_or_else(|| panic!("{sent:?}"));
        bench.answer(&called, 486);
        assert_eq!(unbound(&mut bench), [""; 0], "{store:?}");
        let called = sent.iter().find(|sent| sent.to == "192.0.2.60:5060").unwrap();
        bench.answer(called, 430);
        assert_eq!(unbound(&mut bench), ["sip:bob@10.0.0.4:1"], "{store:?}");
        if store == Store::Memory {
            assert_eq!(contacts(&bench), ["sip:bob@10.0.0.4:2"]);
        }
    }
    // A contact that is reached by itself has no flow to lose.
    let mut bench = Bench::new();
    bench.register(1);
    let sent = bench.receive(ALICE, &super::invite());
    bench.answer(&sent[1], 430);
    assert_eq!((contacts(&bench).len(), unbound(&mut bench).len()), (1, 0));
}

/// RFC 5626 §7: an ICMP error ends all that is bound to a flow of datagrams, whoever it is bound to.
#[test]
fn datagrams_that_do_not_arrive_end_the_bindings_of_their_flow() {
    let mut bench = Bench::new();
    bench.receive(BOB_OUTSIDE, &register("UDP", 1, "sip:bob@10.0.0.4"));
    let carol = register("UDP", 2, "sip:carol@10.0.0.4").replace("sip:bob@biloxi", "sip:carol@biloxi");
    bench.receive(BOB_OUTSIDE, &carol);
    let unreachable = |bench: &mut Bench| {
        let (listener, remote) = (bench.listener, BOB_OUTSIDE.parse().unwrap());
        bench.server.handle(bench.now, Input::Unreachable { listener, remote, quoted: b"INVITE sip:" });
        summaries(&bench.drain())
    };
    // Nothing was sent there: nobody knows what this is about.
    assert!(unreachable(&mut bench).is_empty());
    assert_eq!(contacts(&bench).len(), 1);
    call(&mut bench);
    bench.events.clear();
    assert_eq!(unreachable(&mut bench), [format!("480 {ALICE_OUTSIDE}")]);
    assert_eq!(unbound(&mut bench), ["sip:bob@10.0.0.4", "sip:carol@10.0.0.4"]);
    assert!(contacts(&bench).is_empty() && bench.server.bindings("carol@biloxi.com").is_empty());
}

/// A store with one record answers all that it is asked; what goes out for it.
fn serve(bench: &mut Bench, shelf: &mut Vec<Binding>) -> Vec<Sent> {
    let mut sent = bench.drain();
    loop {
        let questions = bench.questions();
        if questions.is_empty() {
            return sent;
        }
        for question in questions {
            let Step::Bindings { step, .. } = question.step else { panic!("{question:?}") };
            let answer = match step {
                registrar::Step::Fetch => {
                    registrar::Answer::Found(Record { version: shelf.len() as u64, bindings: shelf.clone() })
                }
                registrar::Step::Store(record) => {
                    *shelf = record.bindings;
                    registrar::Answer::Stored
                }
            };
            bench.server.answer(bench.now, question.id, Answer::Bindings(answer)).unwrap();
            sent.append(&mut bench.drain());
        }
    }
}

/// RFC 5626 §5.3: where the flow of a dialog is gone, the store knows whether its phone has come back.
#[test]
fn an_in_dialog_request_whose_flow_is_gone_asks_the_store() {
    let (mut bench, tcp) = with_tcp_and(|settings| settings.registrar.store = Store::Owner);
    let (contact, mut shelf) = ("sip:bob@10.0.0.4;transport=tcp", Vec::new());
    let first = connect(&mut bench, tcp);
    along(&mut bench, first, &register("TCP", 1, contact));
    serve(&mut bench, &mut shelf);
    bench.receive(ALICE_OUTSIDE, &invite(1));
    let sent = serve(&mut bench, &mut shelf);
    let routes = sent[0].values(HeaderId::RecordRoute).join(", ");
    let bye = |number| within(number, &format!("BYE {contact}"), A, B, "10.0.0.1", &routes);
    // As long as the flow is there nobody is asked.
    assert_eq!(bench.receive(ALICE_OUTSIDE, &bye(2))[0].flow.connection, Some(first));
    close(&mut bench, first);
    assert!(bench.receive(ALICE_OUTSIDE, &bye(3)).is_empty());
    assert_eq!(summaries(&serve(&mut bench, &mut shelf)), [format!("430 {ALICE_OUTSIDE}")]);
    let second = connect(&mut bench, tcp);
    along(&mut bench, second, &register("TCP", 2, contact));
    serve(&mut bench, &mut shelf);
    assert!(bench.receive(ALICE_OUTSIDE, &bye(4)).is_empty());
    assert_eq!(summaries(&serve(&mut bench, &mut shelf)), [format!("BYE {BOB_OUTSIDE}")]);
}

/// The store of an owner does not know that a connection has ended; the server does not call along it.
#[test]
fn a_binding_of_the_owners_store_whose_connection_has_ended_is_480() {
    let (mut bench, tcp) = with_tcp_and(|settings| settings.registrar.store = Store::Owner);
    let (contact, mut shelf) = ("sip:bob@10.0.0.4;transport=tcp", Vec::new());
    let connection = connect(&mut bench, tcp);
    along(&mut bench, connection, &register("TCP", 1, contact));
    serve(&mut bench, &mut shelf);
    assert_eq!(shelf.len(), 1);
    bench.receive(ALICE_OUTSIDE, &invite(1));
    let sent = serve(&mut bench, &mut shelf);
    assert_eq!(
        (summaries(&sent), connections(&sent)),
        ([format!("INVITE {BOB_OUTSIDE}")].into(), [Some(connection)].into())
    );
    bench.answer(&sent[0], 486);
    close(&mut bench, connection);
    let sent = bench.receive(ALICE_OUTSIDE, &invite(2).replace("Call-ID: c", "Call-ID: d"));
    assert_eq!(summaries(&sent), [format!("100 {ALICE_OUTSIDE}")]);
    assert_eq!(summaries(&serve(&mut bench, &mut shelf)), [format!("480 {ALICE_OUTSIDE}")]);
    assert_eq!(shelf.len(), 1);
}

/// RFC 3327 §5.4.
#[test]
fn a_contact_behind_a_path_is_called_along_it() {
    let mut bench = Bench::new();
    let path = "Supported: path\nPath: <sip:192.0.2.60;lr>, <sip:192.0.2.61;lr>\nContact";
    bench.receive(BOB, &register("UDP", 1, "sip:bob@192.0.2.4").replace("Contact", path));
    let sent = bench.receive(ALICE, &super::invite());
    assert_eq!(summaries(&sent)[1], "INVITE 192.0.2.60:5060");
    assert_eq!(sent[1].values(HeaderId::Route), ["<sip:192.0.2.60;lr>, <sip:192.0.2.61;lr>"]);
    assert_eq!(sent[1].request().uri_bytes(), b"sip:bob@192.0.2.4");
}
