//! A stranger who probes what is inside by way of a server: the answers say nothing of what is there.

use std::collections::VecDeque;
use std::net::SocketAddr;

use sansip::server::{Server, Settings};
use sansip::{
    Config, ConnectionId, Duration, Flow, Input, Instant, Listener, ListenerId, Node, Output, Seed, Transmit,
};
use sansip_sim::actor::{Actor, NodeActor};
use sansip_sim::trace::Note;
use sansip_sim::world::{Bound, Setting, World};

const HERE: ListenerId = ListenerId::from_parts(0, 0);
const SERVER: ([u8; 4], u16) = ([192, 0, 2, 3], 5060);

/// Sends one request, and notes when an answer comes and its octets.
#[derive(Clone, Debug)]
struct Prober {
    request: Option<String>,
    out: VecDeque<Output<Note>>,
}

impl Node for Prober {
    type Event = Note;

    fn handle(&mut self, now: Instant, input: Input<'_>) {
        if let Some(request) = self.request.take() {
            let flow = Flow::datagram(HERE, SERVER.into());
            self.out.push_back(Output::Send(Transmit { flow, ttl: None, bytes: request.into_bytes().into() }));
        }
        if let Input::Datagram { bytes, .. } = input {
            let text = String::from_utf8_lossy(bytes).into_owned();
            self.out.push_back(Output::Event(Note::Said(format!("{now} {text}"))));
        }
    }

    fn poll(&mut self) -> Option<Output<Note>> {
        self.out.pop_front()
    }

    fn deadline(&self) -> Option<Instant> {
        self.request.is_some().then_some(Instant::from_millis(10))
    }

    fn is_idle(&self) -> bool {
        self.request.is_none() && self.out.is_empty()
    }

    fn reserve(&mut self) -> ConnectionId {
        // Nothing connects to a UDP port.
        ConnectionId::from_parts(0, 0)
    }
}

impl Actor for Prober {
    fn clone_box(&self) -> Box<dyn Actor> {
        Box::new(self.clone())
    }
}

/// A server that relays for everybody, and whatever a host at `inside` has: an open port 22, a closed one 23, and another host, to which nothing
/// arrives. What the prober hears who has the server connect to `probed`, and whether anything came to either host.
fn probe(inside: [u8; 4], probed: &str) -> (Vec<String>, usize) {
    let silent = [inside[0], inside[1], inside[2], inside[3] + 1];
    let mut world =
        World::new(Setting { plan: "silent|*@0s..900s:cut".parse().expect("a plan"), ..Setting::default() });
    let build = |_| {
        let settings =
            Settings { domains: vec!["biloxi.com".parse().expect("a domain")], relay: true, ..Settings::default() };
        let mut server = Server::server(Config::new(Seed::from_u64(1)), settings);
        server.listen(Listener::udp(SERVER.into()));
        server.listen(Listener::tcp(SERVER.into()));
        server
    };
    let bounds: Vec<Bound> = build(0).endpoint().listeners().map(Bound::from).collect();
    world.add("biloxi", Box::new(NodeActor::server(build)), bounds);
    for (name, address) in [("open", inside), ("silent", silent)] {
        let mut server = Server::server(Config::new(Seed::from_u64(2)), Settings::default());
        let listener = Listener::tcp((address, 22).into());
        let bound = Bound::from((server.listen(listener.clone()), &listener));
        world.add(name, Box::new(NodeActor::of_stack(server, |_, _, _| None)), [bound]);
    }
    let request = format!(
        "MESSAGE sip:x@chicago.com SIP/2.0\r\nVia: SIP/2.0/UDP 203.0.113.7;branch=z9hG4bKprobe\r\nMax-Forwards: 70\r\n\
         Route: <sip:{probed};transport=tcp;lr>\r\nFrom: <sip:m@chicago.com>;tag=1\r\nTo: <sip:x@chicago.com>\r\n\
         Call-ID: probe\r\nCSeq: 1 MESSAGE\r\nContent-Length: 0\r\n\r\n"
    );
    let prober = Prober { request: Some(request), out: VecDeque::new() };
    let at: SocketAddr = ([203, 0, 113, 7], 5060).into();
    let prober = world.add("prober", Box::new(prober), [(HERE, at)]);
    world.run_until(Instant::ZERO + Duration::from_secs(600));
    let heard = world.trace().entries().iter().filter_map(|entry| match &entry.what {
        sansip_sim::trace::What::Noted { node, note: Note::Said(said) } if *node == prober => Some(said.clone()),
        _ => None,
    });
    let hosts = ["open", "silent"].map(|name| world.peak(world.node(name).expect("a host")).endpoint.connections);
    (heard.collect(), hosts.iter().sum())
}

/// Refusals for an open, a closed and a silent port are the same octets at the same instant. They have one tag, too, as what differs
/// in the requests has no part in the tag.
#[test]
fn an_open_a_closed_and_a_silent_port_inside_cannot_be_told_apart() {
    let [open, closed, silent] =
        ["10.0.0.8:22", "10.0.0.8:23", "10.0.0.9:22"].map(|probed| probe([10, 0, 0, 8], probed));
    assert!(open.0.len() == 1 && open.0[0].contains(" SIP/2.0 403 Forbidden\r\n"), "{:?}", open.0);
    assert_eq!(open, closed);
    assert_eq!(open, silent);
    assert_eq!(open.1, 0, "no connection came to them");
}

/// Asks the three ports where everybody may be led: they are told apart by when the answer comes, so that the test above can fail.
#[test]
fn an_open_a_closed_and_a_silent_port_outside_are_told_apart() {
    let [open, closed, silent] =
        ["198.51.100.8:22", "198.51.100.8:23", "198.51.100.9:22"].map(|probed| probe([198, 51, 100, 8], probed));
    assert_eq!(open.1, 1);
    assert!(open.0 != closed.0 && closed.0 != silent.0, "{:?} {:?} {:?}", open.0, closed.0, silent.0);
}
