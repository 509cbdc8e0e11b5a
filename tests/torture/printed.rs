//! Header fields of servers as RFCs print them where they print no whole messages: RFC 5626 §9, RFC 5627 §9 and RFC 5658 §4 and §6.2; RFC 3261
//! §16.12.1 and RFC 6157 §3.1.1 in `routes`, RFC 5393 §5.2 in `breadth`.
//!
//! Tokens, branches and tags of ours are keyed: only their places are compared. Whatever a request needs beside the fields that are printed is added.

mod breadth;
mod routes;

use std::net::SocketAddr;

use sansip::server::{Server, Settings};
use sansip::{Answer, Change, Config, Duration, Input, Instant, Listener, ListenerId, Node, Output, Question, Seed};

/// Who stands where, of the names that the RFCs leave to DNS.
const ADDRESSES: [(&str, &str); 13] = [
    ("ep1.example.com", "192.0.2.15"),
    ("ep2.example.com", "192.0.2.16"),
    ("p1.example.com", "192.0.2.101"),
    ("p2.example.com", "192.0.2.102"),
    ("p3.middle.com", "192.0.2.103"),
    ("p4.domain.com", "192.0.2.104"),
    ("domain.com", "192.0.2.104"),
    ("p2.domain.com", "192.0.2.104"),
    ("u1.example.com", "192.0.2.111"),
    ("u2.domain.com", "192.0.2.112"),
    ("u1.leftprivatespace.com", "10.1.0.11"),
    ("u2.rightprivatespace.com", "10.2.0.22"),
    ("rightprivatespace.com", "10.2.0.22"),
];

struct Bench {
    server: Server,
    listeners: Vec<ListenerId>,
    now: Instant,
    branches: u32,
}

/// A message that was sent: the listener or its connection's, the far end, the text.
struct Sent {
    listener: ListenerId,
    to: String,
    text: String,
}

impl Sent {
    /// The values of a field, one a line.
    fn values(&self, name: &str) -> Vec<&str> {
        let (head, _) = self.text.split_once("\r\n\r\n").expect("an end of headers");
        head.split("\r\n").filter_map(|line| line.strip_prefix(name)?.strip_prefix(": ")).collect()
    }

    fn start(&self) -> &str {
        self.text.split("\r\n").next().expect("a start line")
    }
}

impl Bench {
    fn new(domain: &str, listeners: Vec<Listener>, change: impl FnOnce(&mut Settings)) -> Self {
        let mut settings = Settings { domains: vec![domain.parse().expect("a domain")], ..Settings::default() };
        change(&mut settings);
        let mut server = Server::server(Config::new(Seed::from_u64(1)), settings);
        let listeners = listeners.into_iter().map(|listener| server.listen(listener)).collect();
        Self { server, listeners, now: Instant::ZERO, branches: 0 }
    }

    /// A datagram with these lines arrives from its Via, which is written, and has a Max-Forwards of 70 unless the lines say another, and a
    /// Content-Length.
    fn hear(&mut self, listener: usize, from: &str, lines: &str) -> Vec<Sent> {
        let lines = lines.trim().lines().map(str::trim).collect::<Vec<_>>();
        let (start, fields) = lines.split_first().expect("a start line");
        self.branches += 1;
        let hops = if lines.iter().any(|line| line.starts_with("Max-Forwards:")) { "" } else { "Max-Forwards: 70\r\n" };
        let text = format!(
            "{start}\r\nVia: SIP/2.0/UDP {from};branch=z9hG4bK{}\r\n{hops}{}\r\nContent-Length: 0\r\n\r\n",
            self.branches,
            fields.join("\r\n"),
        );
        self.take(listener, from, &text)
    }

    fn take(&mut self, listener: usize, from: &str, text: &str) -> Vec<Sent> {
        let (listener, bytes) = (self.listeners[listener], text.as_bytes());
        let remote = from.parse().unwrap_or_else(|_| SocketAddr::new(from.parse().expect("an address"), 5060));
        self.server.handle(self.now, Input::Datagram { listener, remote, bytes });
        self.drain()
    }

    /// A request is answered.
    fn answer(&mut self, request: &Sent, status: &str, fields: &str) -> Vec<Sent> {
        let place = self.listeners.iter().position(|listener| *listener == request.listener).expect("a listener");
        let copied = ["Via", "Record-Route", "From", "Call-ID", "CSeq"];
        let copied = copied.map(|name| request.values(name).iter().map(|it| format!("{name}: {it}\r\n")).collect());
        let copied: String = copied.into_iter().collect::<Vec<String>>().concat();
        let to = request.values("To")[0];
        let text = format!("SIP/2.0 {status}\r\n{copied}To: {to};tag=4567\r\n{fields}Content-Length: 0\r\n\r\n");
        self.take(place, &request.to.clone(), &text)
    }

    fn drain(&mut self) -> Vec<Sent> {
        let mut sent = Vec::new();
        while let Some(output) = self.server.poll() {
            match output {
                Output::Send(transmit) => sent.push(Sent {
                    listener: transmit.flow.listener,
                    to: transmit.flow.remote.to_string(),
                    text: String::from_utf8(transmit.bytes.to_vec()).expect("text"),
                }),
                Output::Open { connection, .. } => {
                    let change = Change::Opened { identities: &[] };
                    self.server.handle(self.now, Input::Connection { connection, change });
                }
                Output::Resolve { query, question } => {
                    let address = match &question {
                        Question::Address { name } => ADDRESSES.iter().find(|(known, _)| **name == **known),
                        _ => None,
                    };
                    let address = address.map(|(_, ip)| Answer::Address(ip.parse().expect("an address")));
                    self.server.handle(self.now, Input::Resolved { query, answers: address.as_slice() });
                }
                _ => {}
            }
        }
        sent
    }

    fn wait(&mut self, time: Duration) {
        let end = self.now + time;
        while let Some(next) = self.server.deadline().filter(|next| *next <= end) {
            self.now = next;
            self.server.handle(next, Input::Tick);
            self.drain();
        }
        self.now = end;
    }
}

fn udp(address: &str) -> Listener {
    Listener::udp(address.parse().expect("an address"))
}

/// A listener that our Via and Record-Route name so.
fn named(address: &str, name: &str) -> Listener {
    udp(address).with_sent_by(name.parse().expect("a name"))
}

/// The parameters of a Contact, sorted: their order says nothing.
fn parts(value: &str) -> Vec<&str> {
    let (uri, rest) = value.split_once('>').expect("a URI in brackets");
    let mut parts: Vec<&str> = Vec::new();
    let mut from = 0;
    let mut quoted = false;
    for (at, octet) in rest.bytes().enumerate() {
        quoted ^= octet == b'"';
        if octet == b';' && !quoted {
            parts.push(rest[from..at].trim());
            from = at + 1;
        }
    }
    parts.push(rest[from..].trim());
    parts[0] = uri;
    parts.sort_unstable();
    parts
}

/// The value of a parameter in quotation marks.
fn quoted<'t>(value: &'t str, name: &str) -> &'t str {
    let (_, rest) = value.split_once(&format!(";{name}=\"")).unwrap_or_else(|| panic!("no {name} in {value}"));
    rest.split('"').next().expect("an end")
}

const DEVICE: &str = "+sip.instance=\"<urn:uuid:f81d4fae-7dec-11d0-a765-00a0c91e6bf6>\"";

/// RFC 5627 §9, messages 1, 2, 9, 10, 17 and 18.
#[test]
fn the_gruus_of_rfc_5627_are_given_and_led_to_the_phone() {
    let mut bench = Bench::new("example.com", vec![udp("192.0.2.10:5060")], |_| {});
    let register = |address: &str, tag: &str, call_id: &str| {
        format!(
            "REGISTER sip:example.com SIP/2.0
             From: Callee <sip:callee@example.com>;tag={tag}
             Supported: gruu
             To: Callee <sip:callee@example.com>
             Call-ID: {call_id}
             CSeq: 1 REGISTER
             Contact: <sip:callee@{address}>;{DEVICE}"
        )
    };
    let contact = |address: &str, temporary: &str, expires: u32| {
        format!(
            "<sip:callee@{address}>;pub-gruu=\"sip:callee@example.com;gr=urn:uuid:f81d4fae-7dec-11d0-a765-00a0c91e6bf6\"\
             ;temp-gruu=\"{temporary}\";{DEVICE};expires={expires}"
        )
    };
    let sent = bench.hear(0, "192.0.2.1", &register("192.0.2.1", "a73kszlfl", "1j9FpLxk3uxtm8tn@192.0.2.1"));
    assert_eq!(sent[0].start(), "SIP/2.0 200 OK");
    let first = sent[0].values("Contact")[0];
    let temporary = quoted(first, "temp-gruu");
    assert_eq!(parts(first), parts(&contact("192.0.2.1", temporary, 3600)));
    assert!(temporary.starts_with("sip:tgruu.") && temporary.ends_with("@example.com;gr"), "{temporary}");

    let sent = bench.hear(
        0,
        "192.0.2.20",
        "SUBSCRIBE sip:callee@example.com;gr=urn:uuid:f81d4fae-7dec-11d0-a765-00a0c91e6bf6 SIP/2.0
         From: Caller <sip:caller@example.com>;tag=kkaz-
         To: <sip:callee@example.com;gr=urn:uuid:f81d4fae-7dec-11d0-a765-00a0c91e6bf6>
         Call-ID: faif9a@host.example.com
         CSeq: 2 SUBSCRIBE
         Supported: gruu
         Event: dialog
         Allow: INVITE, OPTIONS, CANCEL, BYE, ACK, NOTIFY
         Contact: <sip:caller@example.com;gr=hdg7777ad7aflzig8sf7>",
    );
    let forwarded = sent.last().expect("a request");
    assert_eq!((forwarded.start(), &*forwarded.to), ("SUBSCRIBE sip:callee@192.0.2.1 SIP/2.0", "192.0.2.1:5060"));
    for (name, value) in [
        ("To", "<sip:callee@example.com;gr=urn:uuid:f81d4fae-7dec-11d0-a765-00a0c91e6bf6>"),
        ("CSeq", "2 SUBSCRIBE"),
        ("Supported", "gruu"),
        ("Event", "dialog"),
        ("Allow", "INVITE, OPTIONS, CANCEL, BYE, ACK, NOTIFY"),
        ("Contact", "<sip:caller@example.com;gr=hdg7777ad7aflzig8sf7>"),
    ] {
        assert_eq!(forwarded.values(name), [value]);
    }
    assert_eq!(forwarded.values("Via").len(), 2);

    // The phone has crashed and has another address; the first binding has 400 s left.
    bench.wait(Duration::from_secs(3_200));
    let sent = bench.hear(0, "192.0.2.2", &register("192.0.2.2", "ha8d777f0", "hf8asxzff8s7f@192.0.2.2"));
    let mut contacts = sent[0].values("Contact");
    // The RFC has the new one on top; the order says nothing.
    contacts.sort_unstable_by(|one, other| other.cmp(one));
    let [new, old] = contacts[..] else { panic!("{contacts:?}") };
    let latest = quoted(new, "temp-gruu");
    assert_ne!(latest, temporary);
    assert_eq!(parts(new), parts(&contact("192.0.2.2", latest, 3_600)));
    assert_eq!(parts(old), parts(&contact("192.0.2.1", latest, 400)));
}

const PHONE: &str = "+sip.instance=\"<urn:uuid:00000000-0000-1000-8000-AABBCCDDEEFF>\"";
const PATHS: [&str; 2] = [
    "<sip:VskztcQ/S8p4WPbOnHbuyh5iJvJIW3ib@ep1.example.com;lr;ob>",
    "<sip:wazHDLdIMtUg6r0I/oRZ15zx3zHE1w1Z@ep2.example.com;lr;ob>",
];

/// RFC 5626 §9.2 and §9.3, messages 10, 11, 14, 15 and 21 to 24: the authoritative proxy. The RFC's phone is on TCP, the proxies among each other
/// may use what they like.
#[test]
fn the_flows_of_rfc_5626_are_registered_and_tried_one_after_the_other() {
    let mut bench = Bench::new("example.com", vec![udp("192.0.2.10:5060")], |_| {});
    let mut bound = Vec::new();
    for (place, (tag, call_id)) in
        [("7F94778B653B", "16CB75F21C70"), ("755285EABDE2", "E05133BD26DD")].into_iter().enumerate()
    {
        let (reg_id, path) = (place + 1, PATHS[place]);
        let register = format!(
            "REGISTER sip:example.com SIP/2.0
             Via: SIP/2.0/TCP 192.0.2.2;branch=z9hG4bKnashds7
             From: Bob <sip:bob@example.com>;tag={tag}
             To: Bob <sip:bob@example.com>
             Call-ID: {call_id}
             CSeq: 1 REGISTER
             Supported: path, outbound
             Path: {path}
             Contact: <sip:bob@192.0.2.2;transport=tcp>;reg-id={reg_id};{PHONE}"
        );
        let sent = bench.hear(0, ["192.0.2.15", "192.0.2.16"][place], &register);
        assert_eq!(sent[0].start(), "SIP/2.0 200 OK");
        assert_eq!(sent[0].values("Require"), ["outbound"]);
        assert_eq!(sent[0].values("Path"), [path], "the Path of this registration alone");
        bound.push(format!("<sip:bob@192.0.2.2;transport=tcp>;reg-id={reg_id};expires=3600;{PHONE}"));
        let contacts = sent[0].values("Contact");
        assert_eq!(
            contacts.into_iter().map(parts).collect::<Vec<_>>(),
            bound.iter().map(|contact| parts(contact)).collect::<Vec<_>>()
        );
    }
    let sent = bench.hear(
        0,
        "192.0.2.20",
        "INVITE sip:bob@example.com SIP/2.0
         To: Bob <sip:bob@example.com>
         From: Alice <sip:alice@a.example>;tag=02935
         Call-ID: klmvCxVWGp6MxJp2T2mb
         CSeq: 1 INVITE
         Contact: <sip:alice@192.0.2.20>",
    );
    // The RFC begins with the older flow; ours with the one that was refreshed last, of which nothing is known that makes it worse.
    let mut tried = Vec::new();
    let mut sent: Vec<Sent> = sent.into_iter().filter(|sent| sent.start().starts_with("INVITE")).collect();
    for _ in 0..2 {
        let [invite] = &sent[..] else { panic!("one flow at a time") };
        assert_eq!(invite.start(), "INVITE sip:bob@192.0.2.2;transport=tcp SIP/2.0");
        tried.push(invite.values("Route").concat());
        sent = bench.answer(invite, "430 Flow Failed", "");
        sent.retain(|sent| !sent.start().starts_with("ACK"));
    }
    tried.sort_unstable();
    assert_eq!(tried, PATHS);
    assert_eq!(sent[0].start(), "SIP/2.0 480 Temporarily Unavailable");
}

/// RFC 5658 §4, Figure 2, F1 to F7: a proxy with an IPv4 and an IPv6 side.
#[test]
fn the_two_sides_of_rfc_5658_record_their_routes() {
    let listeners = vec![udp("192.0.2.254:5060"), udp("[2001:db8::1]:5060")];
    let mut bench = Bench::new("biloxi.example.com", listeners, |settings| settings.proxy.record_route = true);
    let register = "REGISTER sip:biloxi.example.com SIP/2.0
         From: Bob <sip:bob@biloxi.example.com>;tag=1
         To: Bob <sip:bob@biloxi.example.com>
         Call-ID: bind
         CSeq: 1 REGISTER
         Contact: <sip:bob@[2001:db8::33]>";
    bench.hear(1, "[2001:db8::33]:5060", register);
    let sent = bench.hear(
        0,
        "192.0.2.1:5060",
        "INVITE sip:bob@biloxi.example.com SIP/2.0
         Route: <sip:192.0.2.254:5060;lr>
         From: Alice <sip:alice@atlanta.example.com>;tag=1234
         To: Bob <sip:bob@biloxi.example.com>
         Call-ID: 5658
         CSeq: 1 INVITE
         Contact: <sip:alice@192.0.2.1>",
    );
    let invite = sent.last().expect("a request");
    assert_eq!(invite.listener, bench.listeners[1]);
    let routes: Vec<String> = invite.values("Record-Route").into_iter().map(str::to_owned).collect();
    assert_eq!(bare(&routes), ["<sip:[2001:db8::1];lr>", "<sip:192.0.2.254;lr>"]);
    assert_eq!(invite.values("Route"), [""; 0]);
    let sent = bench.answer(invite, "200 OK", "Contact: <sip:bob@[2001:db8::33]>\r\n");
    assert_eq!(sent[0].values("Record-Route"), routes, "F4: nothing is rewritten in responses");

    let within = |start: &str, from: &str, to: &str, routes: [&String; 2]| {
        let method = start.split(' ').next().expect("a method");
        format!(
            "{start}\nRoute: {}\nRoute: {}\nFrom: {from}\nTo: {to}\nCall-ID: 5658\nCSeq: 1 {method}",
            routes[0], routes[1]
        )
    };
    let (alice, bob) = ("Alice <sip:alice@atlanta.example.com>;tag=1234", "Bob <sip:bob@biloxi.example.com>;tag=4567");
    let ack = within("ACK sip:bob@[2001:db8::33] SIP/2.0", alice, bob, [&routes[1], &routes[0]]);
    let bye = within("BYE sip:alice@192.0.2.1 SIP/2.0", bob, alice, [&routes[0], &routes[1]]);
    for (from, side, request, other) in [(0, "192.0.2.1:5060", ack, 1), (1, "[2001:db8::33]:5060", bye, 0)] {
        let sent = bench.hear(from, side, &request);
        let [forwarded] = &sent[..] else { panic!("one request") };
        assert_eq!(forwarded.listener, bench.listeners[other]);
        assert_eq!(forwarded.values("Route"), [""; 0], "both Routes have been removed by the proxy");
        assert_eq!(Some(forwarded.start()), request.lines().next());
    }
}

/// RFC 5658 §6.2: UDP on one side, TCP on the other. "With no transport, or with transport=udp, which basically means the same thing."
#[test]
fn the_two_transports_of_rfc_5658_are_said() {
    let listeners = vec![udp("192.0.2.1:5060"), Listener::tcp("192.0.2.1:5060".parse().expect("an address"))];
    let mut bench = Bench::new("biloxi.example.com", listeners, |settings| {
        settings.proxy.record_route = true;
        settings.relay = true;
    });
    let sent = bench.hear(
        0,
        "192.0.2.20",
        "INVITE sip:bob@192.0.2.33;transport=tcp SIP/2.0
         From: Alice <sip:alice@atlanta.example.com>;tag=1234
         To: Bob <sip:bob@biloxi.example.com>
         Call-ID: 5658
         CSeq: 1 INVITE
         Contact: <sip:alice@192.0.2.20>",
    );
    let invite = sent.last().expect("a request");
    let routes: Vec<String> = invite.values("Record-Route").into_iter().map(str::to_owned).collect();
    assert_eq!(bare(&routes), ["<sip:192.0.2.1;transport=tcp;lr>", "<sip:192.0.2.1;transport=udp;lr>"]);
}

/// Routes without their tokens and without the default port, which says nothing.
fn bare(routes: &[String]) -> Vec<String> {
    let without_token = |route: &String| match route.split_once(";token=") {
        Some((before, token)) => format!("{before}{}", &token[token.find([';', '>']).expect("an end")..]),
        None => route.clone(),
    };
    routes.iter().map(|route| without_token(route).replace(":5060", "")).collect()
}
