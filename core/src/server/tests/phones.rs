//! User agents of ours behind this server, each along the flow that it has opened (RFC 5626 §4 to §7).

use super::*;
use crate::message::header::Protocol;
use crate::user_agent::{self, Body, CallId, Outgoing, Profile, Register, UserAgent};
use crate::{Change, ConnectionId, NextHop};

const OUTSIDE: &str = "203.0.113.4:40000";

/// Bob's phone behind a NAT, over TCP, and Carol's on the open network, over UDP.
struct Town {
    now: Instant,
    server: Server,
    udp: ListenerId,
    tcp: ListenerId,
    bob: UserAgent,
    carol: UserAgent,
    carols: ListenerId,
    /// The connection that Bob has opened, and the name that it has at the server.
    connection: Option<(ConnectionId, ConnectionId)>,
    opened: u16,
    told: Vec<(&'static str, user_agent::Event)>,
    /// The start lines and Contacts of what Bob has sent and got.
    bobs: Vec<String>,
}

impl Town {
    fn new() -> Self {
        let settings = Settings { domains: ["biloxi.com".parse().unwrap()].into(), ..Settings::default() };
        let mut server = Server::server(Config::new(Seed::from_u64(1)), settings);
        let udp = server.listen(Listener::udp(OUR_ADDRESS.parse().unwrap()));
        let tcp = server.listen(Listener::tcp(OUR_ADDRESS.parse().unwrap()));
        let next_hop = |protocol| NextHop {
            protocol: Some(protocol),
            ..NextHop::from(OUR_ADDRESS.parse::<SocketAddr>().unwrap())
        };
        let phone = |user: &str, seed, protocol| {
            let mut profile = Profile::new(format!("<sip:{user}@biloxi.com>").parse().unwrap());
            profile.outbound = Some(next_hop(protocol));
            profile.instance = Some("urn:uuid:00000000-0000-1000-8000-AABBCCDDEEFF".parse().unwrap());
            UserAgent::user_agent(Config::new(Seed::from_u64(seed)), profile)
        };
        let (mut bob, mut carol) = (phone("bob", 2, Protocol::Tcp), phone("carol", 3, Protocol::Udp));
        bob.listen(Listener::tcp("10.0.0.4:5060".parse().unwrap()));
        let carols = carol.listen(Listener::udp(ALICE.parse().unwrap()));
        let (now, told, bobs) = (Instant::ZERO, Vec::new(), Vec::new());
        let mut town = Self { now, server, udp, tcp, bob, carol, carols, connection: None, opened: 0, told, bobs };
        let register = Register::at(&"sip:biloxi.com".parse().unwrap());
        town.bob.register(now, register.clone().outbound()).unwrap();
        town.settle();
        town.carol.register(now, register).unwrap();
        town.settle();
        town
    }

    /// Hands on all that is sent, at once, until nothing is.
    fn settle(&mut self) {
        while self.bobs_turn() | self.servers_turn() | self.carols_turn() {}
    }

    fn note(&mut self, arrow: &str, bytes: &[u8]) {
        let text = core::str::from_utf8(bytes).unwrap();
        let start = text.lines().next().unwrap_or_default().trim_end_matches(" SIP/2.0");
        let contact = text.lines().find_map(|line| line.strip_prefix("Contact: ")).unwrap_or_default();
        self.bobs.push(format!("{arrow} {start} {contact}").trim_end().to_string());
    }

    fn bobs_turn(&mut self) -> bool {
        let Some(output) = self.bob.poll() else { return false };
        match output {
            Output::Send(transmit) => {
                self.note(">", &transmit.bytes);
                let Some((_, connection)) = self.connection else { return true };
                self.server.handle(self.now, Input::Stream { connection, bytes: &transmit.bytes });
            }
            Output::Open { connection, .. } => {
                self.opened += 1;
                let there = self.server.reserve();
                self.connection = Some((connection, there));
                let mut remote: SocketAddr = OUTSIDE.parse().unwrap();
                remote.set_port(remote.port() + self.opened);
                self.server.handle(self.now, Input::Accepted { listener: self.tcp, connection: there, remote });
                let change = Change::Opened { identities: &[] };
                self.bob.handle(self.now, Input::Connection { connection, change });
            }
            Output::Event(event) => self.told.push(("bob", event)),
            Output::Close { .. } => self.cut(),
            other => panic!("{other:?}"),
        }
        true
    }

    fn servers_turn(&mut self) -> bool {
        let Some(output) = self.server.poll() else { return false };
        match output {
            Output::Send(transmit) if transmit.flow.connection.is_some() => {
                let Some((connection, there)) = self.connection else { return true };
                assert_eq!(transmit.flow.connection, Some(there));
                self.note("<", &transmit.bytes);
                self.bob.handle(self.now, Input::Stream { connection, bytes: &transmit.bytes });
            }
            Output::Send(transmit) => {
                assert_eq!(transmit.flow.remote.to_string(), ALICE);
                let (listener, remote) = (self.carols, OUR_ADDRESS.parse().unwrap());
                self.carol.handle(self.now, Input::Datagram { listener, remote, bytes: &transmit.bytes });
            }
            Output::Event(_) | Output::Close { .. } => {}
            other => panic!("{other:?}"),
        }
        true
    }

    fn carols_turn(&mut self) -> bool {
        let Some(output) = self.carol.poll() else { return false };
        match output {
            Output::Send(transmit) => {
                let (listener, remote) = (self.udp, ALICE.parse().unwrap());
                self.server.handle(self.now, Input::Datagram { listener, remote, bytes: &transmit.bytes });
            }
            Output::Event(event) => self.told.push(("carol", event)),
            other => panic!("{other:?}"),
        }
        true
    }

    /// The NAT forgets: neither end gets anything along the connection any more, and both are told.
    fn cut(&mut self) {
        let Some((connection, there)) = self.connection.take() else { return };
        self.server.handle(self.now, Input::Connection { connection: there, change: Change::Failed });
        self.bob.handle(self.now, Input::Connection { connection, change: Change::Failed });
    }

    fn run(&mut self, seconds: u64) {
        let end = self.now + Duration::from_secs(seconds);
        loop {
            let deadlines = [self.bob.deadline(), self.server.deadline(), self.carol.deadline()];
            let Some(next) = deadlines.into_iter().flatten().min().filter(|at| *at <= end) else { break };
            self.now = self.now.max(next);
            self.bob.handle(self.now, Input::Tick);
            self.server.handle(self.now, Input::Tick);
            self.carol.handle(self.now, Input::Tick);
            self.settle();
        }
        self.now = end;
    }

    /// The last call that a phone was told of.
    fn incoming(&self, who: &str) -> CallId {
        let call = |(name, event): &(&str, user_agent::Event)| match event {
            user_agent::Event::Incoming { call, .. } if *name == who => Some(*call),
            _ => None,
        };
        self.told.iter().rev().find_map(call).expect("a call")
    }

    fn is_established(&self) -> bool {
        let established = |agent: &UserAgent| {
            let mut calls = agent.calls().map(|call| call.state);
            calls.next() == Some(user_agent::CallState::Established) && calls.next().is_none()
        };
        established(&self.bob) && established(&self.carol)
    }
}

/// A call with an offer.
fn call(user: &str) -> Outgoing {
    Outgoing::to(&format!("<sip:{user}@biloxi.com>").parse().unwrap()).body(Body::sdp("v=0\r\n"))
}

/// RFC 5626 §9.5: Bob calls, and both ends can send in the dialog.
#[test]
fn a_phone_behind_a_nat_calls_and_is_hung_up_on_along_its_flow() {
    let mut town = Town::new();
    assert!(town.bobs[0].starts_with("> REGISTER sip:biloxi.com <sip:bob@10.0.0.4;transport=tcp>;+sip.instance="));
    assert!(town.bobs[0].ends_with(";reg-id=1") && town.bobs[1].starts_with("< SIP/2.0 200 OK"), "{:?}", town.bobs);
    town.bobs.clear();
    town.bob.call(town.now, call("carol")).unwrap();
    town.settle();
    let call = town.incoming("carol");
    town.carol.answer(town.now, call, Body::sdp("v=0\r\n")).unwrap();
    town.settle();
    assert!(town.bobs[0].ends_with("<sip:bob@10.0.0.4;transport=tcp;ob>"), "{:?}", town.bobs);
    town.run(1);
    town.bobs.clear();
    town.carol.hang_up(town.now, call).unwrap();
    town.settle();
    assert_eq!(town.bobs, ["< BYE sip:bob@10.0.0.4;transport=tcp;ob", "> SIP/2.0 200 OK"]);
    assert_eq!(town.opened, 1);
}

/// §4.5, §5.3: the flow fails during a call; the next one has the same number, and the dialog goes on along it.
#[test]
fn a_call_outlives_the_flow_that_it_came_by() {
    let mut town = Town::new();
    // The pings of two minutes have made the flow a success.
    town.run(300);
    assert_eq!(town.opened, 1, "{:#?} {:?}", town.bobs, town.told);
    town.carol.call(town.now, call("bob")).unwrap();
    town.settle();
    let call = town.incoming("bob");
    town.bob.answer(town.now, call, Body::sdp("v=0\r\n")).unwrap();
    town.settle();
    town.run(1);
    assert!(town.is_established(), "{:?}", town.told);
    town.bobs.clear();
    town.cut();
    town.settle();
    assert_eq!(town.opened, 2);
    assert!(town.bobs[0].contains(";reg-id=1") && town.bobs[1].starts_with("< SIP/2.0 200 OK"), "{:?}", town.bobs);
    town.bobs.clear();
    let call = town.carol.calls().next().unwrap().call;
    town.carol.hang_up(town.now, call).unwrap();
    town.settle();
    assert_eq!(town.bobs, ["< BYE sip:bob@10.0.0.4;transport=tcp;ob", "> SIP/2.0 200 OK"]);
}

/// §5.3: the phone was the caller, so its flow stands in the Record-Route alone. Each end can end the call along the connection that has come anew.
#[test]
fn a_call_outlives_the_flow_of_its_caller_and_each_end_can_hang_up() {
    for by in ["bob", "carol"] {
        let mut town = Town::new();
        town.run(300);
        town.bob.call(town.now, call("carol")).unwrap();
        town.settle();
        let carols = town.incoming("carol");
        town.carol.answer(town.now, carols, Body::sdp("v=0\r\n")).unwrap();
        town.settle();
        town.run(1);
        assert!(town.is_established(), "{:?}", town.told);
        town.cut();
        town.settle();
        assert_eq!(town.opened, 2);
        town.bobs.clear();
        let bobs = town.bob.calls().next().unwrap().call;
        match by {
            "bob" => town.bob.hang_up(town.now, bobs).unwrap(),
            _ => town.carol.hang_up(town.now, carols).unwrap(),
        }
        town.settle();
        let expected = match by {
            "bob" => ["> BYE sip:carol@192.0.2.1", "< SIP/2.0 200 OK"],
            _ => ["< BYE sip:bob@10.0.0.4;transport=tcp;ob", "> SIP/2.0 200 OK"],
        };
        assert_eq!(town.bobs, expected);
        assert_eq!((town.bob.calls().count(), town.carol.calls().count(), town.opened), (0, 0, 2));
    }
}

/// §7: a connection that nobody is reached along any more is closed as any other that idles.
#[test]
fn a_connection_stays_as_long_as_a_contact_is_bound_to_it() {
    let mut town = Town::new();
    town.run(300);
    assert_eq!(town.server.endpoint().census().connections, 1);
    let registration = town.told.iter().find_map(|(_, event)| match event {
        user_agent::Event::Registered { registration, .. } => Some(*registration),
        _ => None,
    });
    town.bob.unregister(town.now, registration.unwrap()).unwrap();
    town.settle();
    town.run(33);
    assert_eq!(town.server.endpoint().census().connections, 0);
}
