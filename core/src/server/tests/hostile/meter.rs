//! The server that is measured, and what is counted of it.

use super::super::*;
use crate::server::{Peer, User};
use crate::{ConnectionId, Key, Limits};
use alloc::collections::BTreeMap;

/// A server of biloxi.com with the users alice and bob, which counts what it sends. Bob is registered.
pub(super) struct Meter {
    pub(super) server: Server,
    pub(super) udp: ListenerId,
    pub(super) tcp: ListenerId,
    pub(super) now: Instant,
    /// Messages and octets, by the address that they went to.
    pub(super) sent: BTreeMap<String, (usize, usize)>,
    /// Octets that were sent to the server's own address, which comes back at once.
    own: Vec<Vec<u8>>,
    pub(super) opened: usize,
    pub(super) closed: Vec<ConnectionId>,
    pub(super) overloads: usize,
    pub(super) statuses: BTreeMap<u16, usize>,
    /// The last request that was sent.
    pub(super) last: Option<Request>,
}

/// The stranger, or whose address he uses.
pub(super) const STRANGER: &str = "203.0.113.7:5060";

/// A row of the table.
pub(super) struct Row {
    pub(super) sends: &'static str,
    pub(super) gets: String,
    pub(super) others: String,
    pub(super) held: String,
    /// The seconds until nothing of it is left.
    pub(super) until: u64,
}

impl Meter {
    pub(super) fn new() -> Self {
        Self::with(|_| {}, |_| {})
    }

    pub(super) fn with(limit: impl FnOnce(&mut Limits), change: impl FnOnce(&mut Settings)) -> Self {
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
    pub(super) fn register(&mut self, user: &str, contacts: &[&str]) {
        self.bind(user, contacts, 1);
    }

    /// As [`register`](Self::register), with this number.
    pub(super) fn bind(&mut self, user: &str, contacts: &[&str], number: u32) {
        let contacts: Vec<String> = contacts.iter().map(|contact| format!("<{contact}>")).collect();
        let text = format!(
            "REGISTER sip:biloxi.com SIP/2.0\nVia: SIP/2.0/UDP 192.0.2.4;branch=z9hG4bKreg{user}x{number}\nMax-Forwards: 70\n\
             To: <sip:{user}@biloxi.com>\nFrom: <sip:{user}@biloxi.com>;tag=1\nCall-ID: {user}\nCSeq: {number} REGISTER\n\
             Contact: {}\nContent-Length: 0\n\n",
            contacts.join(", ")
        );
        self.datagram(BOB, &text);
        self.run_for(Duration::from_secs(40));
        assert_eq!(self.statuses.remove(&200), Some(1), "{:?}", self.statuses);
        self.forget();
    }

    /// Counts from now on.
    pub(super) fn forget(&mut self) {
        (self.opened, self.overloads) = (0, 0);
        self.sent.clear();
        self.statuses.clear();
        self.closed.clear();
    }

    /// A datagram; how many octets it has.
    pub(super) fn datagram(&mut self, from: &str, text: &str) -> usize {
        let bytes = text.replace('\n', "\r\n").into_bytes();
        self.input(Input::Datagram { listener: self.udp, remote: from.parse().unwrap(), bytes: &bytes });
        bytes.len()
    }

    pub(super) fn accept(&mut self, from: &str) -> ConnectionId {
        let connection = self.server.reserve();
        let remote = from.parse().unwrap();
        self.input(Input::Accepted { connection, listener: self.tcp, remote });
        connection
    }

    pub(super) fn input(&mut self, input: Input<'_>) {
        self.server.handle(self.now, input);
        self.drain();
        while let Some(bytes) = self.own.pop() {
            let remote = OUR_ADDRESS.parse().unwrap();
            self.server.handle(self.now, Input::Datagram { listener: self.udp, remote, bytes: &bytes });
            self.drain();
        }
    }

    pub(super) fn drain(&mut self) {
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
    pub(super) fn rest(&mut self) -> u64 {
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
    pub(super) fn alive(&self) -> usize {
        let census = self.server.endpoint().census();
        census.client_transactions + census.server_transactions + census.deliveries + census.connections
    }

    pub(super) fn run_for(&mut self, time: Duration) {
        let end = self.now + time;
        while let Some(deadline) = self.server.deadline().filter(|deadline| *deadline <= end) {
            self.now = deadline;
            self.input(Input::Tick);
        }
        self.now = end;
    }

    /// Messages and octets sent to this address.
    pub(super) fn to(&self, address: &str) -> (usize, usize) {
        self.sent.get(address).copied().unwrap_or_default()
    }

    /// Messages sent to anybody but this address and ourselves.
    pub(super) fn to_others(&self, address: &str) -> usize {
        let others = self.sent.iter().filter(|(to, _)| *to != address && *to != OUR_ADDRESS);
        others.map(|(_, (messages, _))| messages).sum()
    }

    /// Transactions alive.
    pub(super) fn held(&self) -> String {
        let census = self.server.endpoint().census();
        match census.server_transactions + census.client_transactions {
            0 => "nothing".into(),
            1 => "1 transaction".into(),
            transactions => format!("{transactions} transactions"),
        }
    }
}

/// "11 messages, 5.2 octets for each of his".
pub(super) fn gets((messages, octets): (usize, usize), sent: usize) -> String {
    let tenths = (10 * octets).div_ceil(sent);
    match messages {
        0 => "nothing".into(),
        1 => format!("1 message, {}.{} octets for one", tenths / 10, tenths % 10),
        _ => format!("{messages} messages, {}.{} octets for one", tenths / 10, tenths % 10),
    }
}

pub(super) fn others(messages: usize) -> String {
    match messages {
        0 => "nobody".into(),
        1 => "1 message to the phone".into(),
        messages => format!("{messages} messages to the phone"),
    }
}

/// A stranger's request.
pub(super) fn stranger(method: &str, uri: &str, branch: &str) -> String {
    format!(
        "{method} {uri} SIP/2.0\nVia: SIP/2.0/UDP 203.0.113.7;branch=z9hG4bK{branch}\nMax-Forwards: 70\nTo: <{uri}>\n\
         From: <sip:m@chicago.com>;tag=1\nCall-ID: {branch}\nCSeq: 1 {method}\nContact: <sip:m@203.0.113.7>\n\
         Content-Length: 0\n\n"
    )
}

/// One datagram, and then silence.
pub(super) fn one(sends: &'static str, text: &str) -> (Row, Meter) {
    let mut meter = Meter::new();
    let octets = meter.datagram(STRANGER, text);
    let held = meter.held();
    let until = meter.rest();
    let row =
        Row { sends, gets: gets(meter.to(STRANGER), octets), others: others(meter.to_others(STRANGER)), held, until };
    (row, meter)
}
