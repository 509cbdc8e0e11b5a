//! Measures that show how much a stranger can buy of a server: octets sent and to whom, connections, what is held and for how long. Each row of the table in
//! `docs/security.md` is measured here.

use super::*;
use crate::proxy::Forking;
use crate::server::{Peer, User};
use crate::{Change, ConnectionId, Key, Limits};
use alloc::collections::BTreeMap;
extern crate std;

use std::{env, fs, path::Path};

/// A server of biloxi.com with the users alice and bob, which counts what it sends. Bob is registered.
struct Meter {
    server: Server,
    udp: ListenerId,
    tcp: ListenerId,
    now: Instant,
    /// Messages and octets, by the address that they went to.
    sent: BTreeMap<String, (usize, usize)>,
    /// Octets that were sent to the server's own address, which comes back at once.
    own: Vec<Vec<u8>>,
    opened: usize,
    closed: Vec<ConnectionId>,
    overloads: usize,
    statuses: BTreeMap<u16, usize>,
    /// The last request that was sent.
    last: Option<Request>,
}

/// The stranger, or whose address he uses.
const STRANGER: &str = "203.0.113.7:5060";

/// A row of the table.
struct Row {
    sends: &'static str,
    gets: String,
    others: String,
    held: String,
    /// The seconds until nothing of it is left.
    until: u64,
}

impl Meter {
    fn new() -> Self {
        Self::with(|_| {}, |_| {})
    }

    fn with(limit: impl FnOnce(&mut Limits), change: impl FnOnce(&mut Settings)) -> Self {
        let mut config = Config::new(Seed::from_u64(1));
        limit(&mut config.limits);
        config.shared_key = Some(Key::new([3; 16]));
        let user = |name: &str| User {
            name: name.into(),
            domain: "biloxi.com".parse().unwrap(),
            secret: crate::auth::Secret::password(name),
        };
        let mut settings = Settings {
            domains: ["biloxi.com".parse().unwrap()].into(),
            users: [user("alice"), user("bob")].into(),
            trusted: ["192.0.2.4/32".parse::<Peer>().unwrap()].into(),
            ..Settings::default()
        };
        change(&mut settings);
        let mut server = Server::server(config, settings);
        let udp = server.listen(Listener::udp(OUR_ADDRESS.parse().unwrap()));
        let tcp = server.listen(Listener::tcp(OUR_ADDRESS.parse().unwrap()));
        let mut meter = Self {
            server,
            udp,
            tcp,
            now: Instant::ZERO,
            sent: BTreeMap::new(),
            own: Vec::new(),
            opened: 0,
            closed: Vec::new(),
            overloads: 0,
            statuses: BTreeMap::new(),
            last: None,
        };
        meter.register("bob", &["sip:bob@192.0.2.4"]);
        meter
    }

    /// A user is bound to these contacts.
    fn register(&mut self, user: &str, contacts: &[&str]) {
        let contacts: Vec<String> = contacts.iter().map(|contact| format!("<{contact}>")).collect();
        let text = format!(
            "REGISTER sip:biloxi.com SIP/2.0\nVia: SIP/2.0/UDP 192.0.2.4;branch=z9hG4bKreg{user}\nMax-Forwards: 70\n\
             To: <sip:{user}@biloxi.com>\nFrom: <sip:{user}@biloxi.com>;tag=1\nCall-ID: {user}\nCSeq: 1 REGISTER\n\
             Contact: {}\nContent-Length: 0\n\n",
            contacts.join(", ")
        );
        self.datagram(BOB, &text);
        self.run_for(Duration::from_secs(40));
        assert_eq!(self.statuses.remove(&200), Some(1), "{:?}", self.statuses);
        self.forget();
    }

    /// Counts from now on.
    fn forget(&mut self) {
        (self.opened, self.overloads) = (0, 0);
        self.sent.clear();
        self.statuses.clear();
        self.closed.clear();
    }

    /// A datagram; how many octets it has.
    fn datagram(&mut self, from: &str, text: &str) -> usize {
        let bytes = text.replace('\n', "\r\n").into_bytes();
        self.input(Input::Datagram { listener: self.udp, remote: from.parse().unwrap(), bytes: &bytes });
        bytes.len()
    }

    fn accept(&mut self, from: &str) -> ConnectionId {
        let connection = self.server.reserve();
        let remote = from.parse().unwrap();
        self.input(Input::Accepted { connection, listener: self.tcp, remote });
        connection
    }

    fn input(&mut self, input: Input<'_>) {
        self.server.handle(self.now, input);
        self.drain();
        while let Some(bytes) = self.own.pop() {
            let remote = OUR_ADDRESS.parse().unwrap();
            self.server.handle(self.now, Input::Datagram { listener: self.udp, remote, bytes: &bytes });
            self.drain();
        }
    }

    fn drain(&mut self) {
        while let Some(output) = self.server.poll() {
            match output {
                Output::Send(transmit) => {
                    let to = transmit.flow.remote.to_string();
                    match transmit.bytes.strip_prefix(b"SIP/2.0 ") {
                        // What the server sends to itself counts as a message, and not as an answer.
                        Some(_) if to == OUR_ADDRESS => {}
                        Some(rest) => {
                            let status = core::str::from_utf8(&rest[..3]).unwrap().parse().unwrap();
                            *self.statuses.entry(status).or_default() += 1;
                        }
                        None => match Message::parse(&transmit.bytes, &Default::default()).unwrap() {
                            Message::Request(request) => self.last = Some(request),
                            Message::Response(_) => unreachable!(),
                        },
                    }
                    if to == OUR_ADDRESS && transmit.flow.connection.is_none() {
                        self.own.push(transmit.bytes.to_vec());
                    }
                    let (messages, octets) = self.sent.entry(to).or_default();
                    *messages += 1;
                    *octets += transmit.bytes.len();
                }
                Output::Open { remote, .. } => {
                    assert_eq!(remote.to_string(), STRANGER);
                    self.opened += 1;
                }
                Output::Close { connection } => self.closed.push(connection),
                Output::Resolve { query, question } => {
                    let here = [Answer::Address([192, 0, 2, 3].into())];
                    let is_own = matches!(question, Question::Address { name } if &*name == "biloxi.com");
                    let answers = if is_own { &here[..] } else { &[] };
                    self.server.handle(self.now, Input::Resolved { query, answers });
                }
                Output::Event(Event::Overload { .. }) => self.overloads += 1,
                Output::Event(_) => {}
            }
        }
    }

    /// Time passes until nothing is under way: how many seconds.
    fn rest(&mut self) -> u64 {
        let start = self.now;
        while self.alive() > 0 {
            let deadline = self.server.deadline().expect("what is alive has a deadline");
            self.now = deadline;
            self.input(Input::Tick);
        }
        assert!(self.server.is_idle());
        self.now.since(start).as_secs()
    }

    /// Transactions, deliveries and connections alive.
    fn alive(&self) -> usize {
        let census = self.server.endpoint().census();
        census.client_transactions + census.server_transactions + census.deliveries + census.connections
    }

    fn run_for(&mut self, time: Duration) {
        let end = self.now + time;
        while let Some(deadline) = self.server.deadline().filter(|deadline| *deadline <= end) {
            self.now = deadline;
            self.input(Input::Tick);
        }
        self.now = end;
    }

    /// Messages and octets sent to this address.
    fn to(&self, address: &str) -> (usize, usize) {
        self.sent.get(address).copied().unwrap_or_default()
    }

    /// Messages sent to anybody but this address and ourselves.
    fn to_others(&self, address: &str) -> usize {
        let others = self.sent.iter().filter(|(to, _)| *to != address && *to != OUR_ADDRESS);
        others.map(|(_, (messages, _))| messages).sum()
    }

    /// Transactions alive.
    fn held(&self) -> String {
        let census = self.server.endpoint().census();
        match census.server_transactions + census.client_transactions {
            0 => "nothing".into(),
            1 => "1 transaction".into(),
            transactions => format!("{transactions} transactions"),
        }
    }
}

/// "11 messages, 5.2 octets for each of his".
fn gets((messages, octets): (usize, usize), sent: usize) -> String {
    let tenths = (10 * octets).div_ceil(sent);
    match messages {
        0 => "nothing".into(),
        1 => format!("1 message, {}.{} octets for one", tenths / 10, tenths % 10),
        _ => format!("{messages} messages, {}.{} octets for one", tenths / 10, tenths % 10),
    }
}

fn others(messages: usize) -> String {
    match messages {
        0 => "nobody".into(),
        1 => "1 message to the phone".into(),
        messages => format!("{messages} messages to the phone"),
    }
}

/// A stranger's request.
fn stranger(method: &str, uri: &str, branch: &str) -> String {
    format!(
        "{method} {uri} SIP/2.0\nVia: SIP/2.0/UDP 203.0.113.7;branch=z9hG4bK{branch}\nMax-Forwards: 70\nTo: <{uri}>\n\
         From: <sip:m@chicago.com>;tag=1\nCall-ID: {branch}\nCSeq: 1 {method}\nContact: <sip:m@203.0.113.7>\n\
         Content-Length: 0\n\n"
    )
}

/// One datagram, and then silence.
fn one(sends: &'static str, text: &str) -> (Row, Meter) {
    let mut meter = Meter::new();
    let octets = meter.datagram(STRANGER, text);
    let held = meter.held();
    let until = meter.rest();
    let row =
        Row { sends, gets: gets(meter.to(STRANGER), octets), others: others(meter.to_others(STRANGER)), held, until };
    (row, meter)
}

fn junk() -> Row {
    let (row, mut meter) = one("What is no request; a response; an ACK for nothing", "\n\njunk\n\n");
    meter.datagram(STRANGER, &stranger("ACK", "sip:bob@192.0.2.77", "a"));
    let response = "SIP/2.0 200 OK\nVia: SIP/2.0/UDP 192.0.2.3;branch=z9hG4bKx\nVia: SIP/2.0/UDP 192.0.2.9;branch=z9hG4bKy\n\
                    To: <sip:a@b>;tag=1\nFrom: <sip:a@b>;tag=2\nCall-ID: 1\nCSeq: 1 OPTIONS\nContent-Length: 0\n\n";
    meter.datagram(STRANGER, response);
    assert_eq!((meter.sent.len(), meter.alive()), (0, 0));
    row
}

fn malformed() -> Row {
    let text = stranger("OPTIONS", "sip:biloxi.com", "m").replace("CSeq: 1 OPTIONS", "CSeq: x");
    let (row, meter) = one("A request that cannot be read", &text);
    assert_eq!((meter.to(STRANGER).0, row.until), (1, 0));
    row
}

fn options() -> Row {
    let (row, meter) = one("OPTIONS to the server", &stranger("OPTIONS", "sip:biloxi.com", "o"));
    assert_eq!(meter.to(STRANGER).0, 1);
    row
}

fn vias() -> Row {
    let text = stranger("OPTIONS", "sip:biloxi.com", "w");
    let text = text.replace("Max-Forwards", &("v: SIP/2.0/UDP a\n".repeat(1_000) + "Max-Forwards"));
    let (row, meter) = one("OPTIONS with a thousand Vias", &text);
    assert_eq!((meter.to(STRANGER).0, meter.to_others(STRANGER)), (0, 0));
    row
}

/// RFC 3261 §18.2.2 sends the response there.
fn maddr() -> Row {
    let text = stranger("OPTIONS", "sip:biloxi.com", "v").replace("203.0.113.7;", "203.0.113.7;maddr=198.51.100.9;");
    let (mut row, meter) = one("OPTIONS with a `maddr` in its Via", &text);
    assert_eq!((meter.to("198.51.100.9:5060").0, meter.to(STRANGER).0), (1, 0));
    row.others = "1 message to the `maddr`".into();
    row
}

/// RFC 3261 §26.3.2.4: a challenge is sent once, and nothing stays.
fn register() -> Row {
    let text = stranger("REGISTER", "sip:biloxi.com", "r").replace("sip:m@chicago.com", "sip:bob@biloxi.com");
    let text = text.replace("To: <sip:biloxi.com>", "To: <sip:bob@biloxi.com>");
    let (row, meter) = one("REGISTER without credentials", &text);
    assert_eq!((meter.statuses, row.until), (BTreeMap::from([(401, 1)]), 0));
    row
}

fn invite_to_be_relayed() -> Row {
    let (row, meter) = one("INVITE for another domain", &stranger("INVITE", "sip:carol@192.0.2.77", "c"));
    assert_eq!((meter.sent.len(), meter.statuses, row.until), (1, BTreeMap::from([(403, 1)]), 0));
    row
}

fn route() -> Row {
    let text = stranger("INVITE", "sip:bob@biloxi.com", "t");
    let routes = "Route: <sip:192.0.2.3;lr>, <sip:192.0.2.77;lr>, <sip:192.0.2.78;lr>\nMax-Forwards";
    let (row, meter) = one("INVITE with a Route to elsewhere", &text.replace("Max-Forwards", routes));
    assert_eq!((meter.sent.len(), meter.statuses, row.until), (1, BTreeMap::from([(403, 1)]), 0));
    row
}

/// RFC 3261 §17.2.1: ten copies for want of an ACK.
fn invite_for_nobody() -> Row {
    let text = stranger("INVITE", "sip:nobody@biloxi.com", "n");
    let (row, meter) = one("INVITE for a user who is not there, and no ACK", &text);
    assert_eq!(meter.statuses, BTreeMap::from([(100, 1), (404, 11)]));
    row
}

fn invite_for_a_silent_phone() -> Row {
    let text = stranger("INVITE", "sip:bob@biloxi.com", "s");
    let (row, meter) = one("INVITE for a user whose phone says nothing, and no ACK", &text);
    assert_eq!((&meter.statuses, meter.to(BOB).0), (&BTreeMap::from([(100, 1), (408, 11)]), 7));
    row
}

/// RFC 5393 §3: sixteen users, each of whose contacts are all of them.
fn loops() -> Row {
    let mut most = Vec::new();
    for users in [2_usize, 4, 6, 16] {
        for forking in [Forking::Parallel, Forking::Sequential, Forking::Groups] {
            let mut meter = Meter::with(
                |_| {},
                |settings| {
                    settings.users.clear();
                    settings.proxy.forking = forking;
                },
            );
            let names: Vec<String> = (0..users).map(|user| format!("u{user}")).collect();
            let contacts: Vec<String> = names.iter().map(|name| format!("sip:{name}@biloxi.com")).collect();
            let contacts: Vec<&str> = contacts.iter().map(String::as_str).collect();
            for name in &names {
                meter.register(name, &contacts);
            }
            let octets = meter.datagram(STRANGER, &stranger("OPTIONS", "sip:u0@biloxi.com", "l"));
            let held = meter.held();
            let until = meter.rest();
            let own = meter.to(OUR_ADDRESS).0;
            // A request and a response for each of 60 branches and each user; of the first request one branch after the other.
            let first = if forking == Forking::Sequential { users } else { 1 };
            assert!(own <= 2 * 60 * users * first && meter.to_others(STRANGER) == 0, "{users} {forking:?}: {own}");
            let gets = gets(meter.to(STRANGER), octets);
            let others = format!("{own} messages from the server to itself");
            let sends = "OPTIONS for one of sixteen users whose contacts are all sixteen";
            most.push((own, Row { sends, gets, others, held, until }));
        }
    }
    most.into_iter().max_by_key(|(own, _)| *own).unwrap().1
}

/// Whoever may register.
fn contacts() -> Row {
    let mut meter = Meter::new();
    let contacts: Vec<String> = (0..1_000).map(|number| format!("<sip:b@192.0.2.9:{}>", 6_000 + number)).collect();
    let text = stranger("REGISTER", "sip:biloxi.com", "k").replace("sip:m@chicago.com", "sip:bob@biloxi.com");
    let text = text.replace("To: <sip:biloxi.com>", "To: <sip:bob@biloxi.com>");
    let text = text.replace("<sip:m@203.0.113.7>", &contacts.join(", "));
    let octets = meter.datagram(BOB, &text);
    let held = meter.held();
    let until = meter.rest();
    assert_eq!((&meter.statuses, meter.server.bindings("bob@biloxi.com").len()), (&BTreeMap::from([(403, 1)]), 1));
    let gets = gets(meter.to(BOB), octets);
    Row { sends: "REGISTER with a thousand contacts, with credentials", gets, others: others(0), held, until }
}

fn registrations() -> Row {
    let set = |settings: &mut Settings| {
        settings.users.clear();
        settings.registrar.limits.addresses_of_record = 100;
    };
    let mut meter = Meter::with(|_| {}, set);
    let mut octets = 0;
    for user in 0..1_000 {
        let text = stranger("REGISTER", "sip:biloxi.com", &format!("f{user}"));
        let text = text.replace("sip:m@chicago.com", &format!("sip:f{user}@biloxi.com"));
        octets +=
            meter.datagram(STRANGER, &text.replace("To: <sip:biloxi.com>", &format!("To: <sip:f{user}@biloxi.com>")));
    }
    // Bob's is the hundredth.
    assert_eq!(meter.statuses, BTreeMap::from([(200, 99), (503, 901)]));
    let known = meter.server.user().census().addresses_of_record;
    assert_eq!((known, meter.overloads), (100, 1));
    let until = meter.rest();
    let sends = "1,000 REGISTERs for as many users of a domain that asks nobody for credentials, with room for 100";
    let gets = gets(meter.to(STRANGER), octets);
    let held = format!("{known} bindings, and 1,000 transactions");
    Row { sends, gets, others: others(0), held, until }
}

fn nonces() -> Row {
    let mut meter = Meter::new();
    let mut octets = 0;
    for number in 0..10_000 {
        let text = stranger("REGISTER", "sip:biloxi.com", &format!("f{number}"));
        let text = text.replace("sip:m@chicago.com", "sip:bob@biloxi.com");
        octets += meter.datagram(STRANGER, &text.replace("To: <sip:biloxi.com>", "To: <sip:bob@biloxi.com>"));
    }
    assert_eq!((&meter.statuses, meter.alive()), (&BTreeMap::from([(401, 10_000)]), 0));
    assert_eq!(meter.server.user().guards.uses(), 0);
    let gets = gets(meter.to(STRANGER), octets);
    let (held, until) = (meter.held(), meter.rest());
    Row { sends: "10,000 REGISTERs for as many nonces", gets, others: others(0), held, until }
}

/// Above the limits everybody is refused statelessly, but calls in progress go on.
fn overload() -> Row {
    let mut meter = Meter::with(|limits| limits.transaction.server_transactions = 100, |_| {});
    meter.datagram(ALICE, &stranger("INVITE", "sip:bob@biloxi.com", "call").replace("203.0.113.7", "192.0.2.1"));
    let invite = meter.last.take().expect("the call is on its way");
    let mut octets = 0;
    for number in 0..10_000 {
        octets += meter.datagram(STRANGER, &stranger("OPTIONS", "sip:biloxi.com", &format!("f{number}")));
    }
    let refused = BTreeMap::from([(100, 1), (200, 99), (503, 9_901)]);
    assert_eq!((&meter.statuses, meter.overloads), (&refused, 1));
    let held = meter.held();
    let (messages, length) = meter.to(STRANGER);
    let answer = Response::to(&invite, StatusCode::OK).to_tag("b").header(HeaderId::Contact, "<sip:bob@192.0.2.4>");
    meter.input(Input::Datagram {
        listener: meter.udp,
        remote: BOB.parse().unwrap(),
        bytes: answer.finish().unwrap().as_bytes(),
    });
    assert_eq!(meter.statuses[&200], 100, "the answer reaches alice");
    // A To tag that anybody can write makes no call in progress.
    let bye = stranger("BYE", "sip:bob@biloxi.com", "bye");
    meter.datagram(STRANGER, &bye.replace("To: <sip:bob@biloxi.com>", "To: <sip:bob@biloxi.com>;tag=b"));
    assert_eq!(meter.statuses[&503], 9_902, "a stranger's BYE is refused");
    let until = meter.rest();
    let sends = "10,000 OPTIONS in a moment, with room for 100 transactions";
    Row { sends, gets: gets((messages, length), octets), others: others(0), held, until }
}

fn half_open() -> Row {
    let mut meter = Meter::new();
    for port in 0..2_000 {
        meter.accept(&format!("203.0.113.7:{}", 10_000 + port));
    }
    let connections = meter.server.endpoint().census().connections;
    assert_eq!((connections, meter.closed.len()), (1_000, 1_000));
    let until = meter.rest();
    assert_eq!((meter.closed.len(), meter.sent.len()), (2_000, 0));
    let held = format!("{connections} connections");
    Row {
        sends: "2,000 TCP connections, and nothing along them",
        gets: "nothing".into(),
        others: others(0),
        held,
        until,
    }
}

fn slow() -> Row {
    let mut meter = Meter::new();
    let connection = meter.accept("203.0.113.7:10000");
    let text = stranger("INVITE", "sip:bob@biloxi.com", "slow");
    let mut sent = 0;
    for octet in text.bytes() {
        meter.input(Input::Stream { connection, bytes: &[octet] });
        sent += 1;
        meter.run_for(Duration::from_secs(1));
        if !meter.closed.is_empty() {
            break;
        }
    }
    assert_eq!((meter.alive(), meter.sent.len(), meter.opened), (0, 0, 0));
    let held = format!("1 connection, {sent} octets");
    let until = meter.now.since(Instant::from_millis(40_000)).as_secs();
    Row { sends: "A request over TCP, an octet a second", gets: "nothing".into(), others: others(0), held, until }
}

/// RFC 3261 §18.2.2: the response goes by a connection of our own then.
fn torn() -> Row {
    let mut meter = Meter::new();
    let connection = meter.accept("203.0.113.7:10000");
    let text =
        stranger("INVITE", "sip:bob@biloxi.com", "torn").replace("SIP/2.0/UDP", "SIP/2.0/TCP").replace('\n', "\r\n");
    meter.input(Input::Stream { connection, bytes: text.as_bytes() });
    meter.input(Input::Connection { connection, change: Change::Closed });
    let held = meter.held();
    meter.forget();
    let until = meter.rest();
    assert_eq!((meter.opened, meter.to_others(STRANGER)), (2, 6));
    let sends = "INVITE for a user whose phone says nothing, over a TCP connection that is closed then";
    // The second when the first has had its time.
    let gets = "2 attempts to open a connection to him".into();
    Row { sends, gets, others: others(7), held, until }
}

/// Every listed function is a test of its own, too.
macro_rules! rows {
    ($($name:ident,)*) => {
        /// The rows of the table, in its order.
        const ROWS: &[fn() -> Row] = &[$($name,)*];

        mod each {
            $(
                #[test]
                fn $name() {
                    super::$name();
                }
            )*
        }
    };
}

rows! {
    junk, malformed, options, vias, maddr, register, invite_to_be_relayed, route, invite_for_nobody, invite_for_a_silent_phone, loops,
    contacts, registrations, nonces, overload, half_open, slow, torn,
}

impl Row {
    fn line(&self) -> String {
        let Self { sends, gets, others, held, until } = self;
        let until = match until {
            0 => "at once".into(),
            seconds => format!("{seconds} s"),
        };
        format!("| {sends} | {gets} | {others} | {held} | {until} |\n")
    }
}

/// `docs/security.md` has the table as it is measured. With `UPDATE_DOCS=1` it is written anew.
#[test]
fn the_documented_table_is_what_was_measured() {
    const BEGIN: &str = "<!-- begin measured -->\n";
    let path = Path::new(core::env!("CARGO_MANIFEST_DIR")).join("../docs/security.md");
    let written = fs::read_to_string(&path).expect("docs/security.md");
    let head = "| A stranger sends | gets | others get | held meanwhile | gone after |\n|---|---|---|---|---|\n";
    let rows: String = ROWS.iter().map(|row| row().line()).collect();
    let (before, rest) = written.split_once(BEGIN).expect("where the table begins");
    let (_, after) = rest.split_once("<!-- end measured -->").expect("where it ends");
    let expected = format!("{before}{BEGIN}\n{head}{rows}\n<!-- end measured -->{after}");
    if env::var_os("UPDATE_DOCS").is_some_and(|value| value == "1") {
        fs::write(&path, &expected).expect("docs/security.md can be written");
    } else {
        let hint = "docs/security.md is stale: UPDATE_DOCS=1 cargo test -p sansip --lib documented_table";
        assert!(written == expected, "{hint}");
    }
}
