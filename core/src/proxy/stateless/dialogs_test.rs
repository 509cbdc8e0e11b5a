//! Dialogs of a farm whose servers name the stateless proxy, each with its owner tag, in Via and Record-Route.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use super::{Core, Farm, Member, Settings};
use crate::endpoint::Indication;
use crate::message::{HostBuf, Uri};
use crate::proxy::{Refusal, Target};
use crate::shard::rendezvous;
use crate::stack::{Context, Stack, TransactionUser};
use crate::{Config, Input, Instant, Listener, ListenerId, NextHop, Node, Output, Seed};

const NAMES: [&str; 3] = ["s1", "s2", "s3"];

#[derive(Clone, Debug)]
struct Front {
    core: Core,
    farm: Farm,
}

impl TransactionUser for Front {
    type Event = ();

    const TAKES_STRAYS: bool = true;

    fn indicate(&mut self, cx: &mut Context<'_, ()>, indication: Indication) {
        let Self { core, farm } = self;
        if let Indication::Stray { response, flow } = &indication {
            return core.stray(cx, response, *flow, farm);
        }
        let now = cx.now();
        let names_us =
            |uri: Uri<'_>| !farm.has_recorded(uri) && uri.host().is_some_and(|host| host.to_string() == "biloxi.com");
        core.indicate(cx, indication, names_us, |preprocessed| -> Result<Target, Refusal> {
            farm.target(now, &preprocessed.request)
        });
    }

    fn is_idle(&self) -> bool {
        true
    }
}

struct Bench {
    node: Stack<Front>,
    listener: ListenerId,
}

impl Bench {
    fn new() -> Self {
        let config = Config::new(Seed::from_u64(1));
        let members = NAMES.iter().zip(1..).map(|(name, number)| {
            let next_hop =
                NextHop { port: Some(5_070 + number), ..NextHop::from("192.0.2.3".parse::<HostBuf>().unwrap()) };
            Member::new(name, next_hop)
        });
        let farm = Farm::new(&config, members.collect());
        let front = Front { core: Core::new(&config, Settings::default()), farm };
        let mut node = Stack::new(config, front);
        let at = Listener::udp("192.0.2.3:5060".parse().unwrap()).with_sent_by("biloxi.com".parse().unwrap());
        let listener = node.listen(at);
        Self { node, listener }
    }

    fn mark(&mut self, millis: u64, name: &str, up: bool) {
        let now = Instant::from_millis(millis);
        assert!(self.node.command(now, |front, _| front.farm.mark(now, name, up)));
    }

    /// Gives the front a message, and returns where each message that it sends goes, with its text.
    fn receive(&mut self, millis: u64, text: &str) -> Vec<(String, String)> {
        let remote = "192.0.2.4:5060".parse().unwrap();
        let input = Input::Datagram { listener: self.listener, remote, bytes: text.as_bytes() };
        self.node.handle(Instant::from_millis(millis), input);
        let mut sent = Vec::new();
        while let Some(output) = self.node.poll() {
            if let Output::Send(transmit) = output {
                let text = String::from_utf8(transmit.bytes.to_vec()).unwrap();
                sent.push((transmit.flow.remote.to_string(), text));
            }
        }
        sent
    }

    /// The port that a request of the dialog goes to, or the status of the refusal.
    fn goes(&mut self, millis: u64, method: &str) -> u16 {
        let [(remote, text)] = &self.receive(millis, &bye(method, "s2."))[..] else { panic!("one message") };
        match text.strip_prefix("SIP/2.0 ") {
            Some(rest) => rest[..3].parse().unwrap(),
            None => remote.rsplit_once(':').unwrap().1.parse().unwrap(),
        }
    }
}

/// A Call-ID whose first choice is `s1`, and its second `s3`: neither is the member that has recorded the route.
fn call_id() -> String {
    let pick = |id: &String, but: &str| {
        let names = NAMES.map(str::as_bytes);
        rendezvous(id.as_bytes(), names, |place| NAMES[place] != but)
    };
    let mut ids = (0..).map(|number| format!("{number}@atlanta.com"));
    ids.find(|id| pick(id, "") == Some(0) && pick(id, "s1") == Some(2)).unwrap()
}

fn bye(method: &str, owner: &str) -> String {
    format!(
        "{method} sip:alice@192.0.2.1 SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.4;branch=z9hG4bKb\r\nMax-Forwards: 70\r\n\
         Route: <sip:biloxi.com;lr;token={owner}0123>\r\nFrom: <sip:bob@biloxi.com>;tag=b\r\n\
         To: <sip:alice@atlanta.com>;tag=a\r\nCall-ID: {}\r\nCSeq: 2 {method}\r\nContent-Length: 0\r\n\r\n",
        call_id()
    )
}

const WINDOW: u64 = 32_000;

#[test]
fn a_request_along_a_recorded_route_goes_to_the_member_that_has_recorded_it_and_the_route_stays() {
    let mut bench = Bench::new();
    let [(remote, text)] = &bench.receive(1, &bye("BYE", "s2."))[..] else { panic!("one message") };
    assert_eq!(remote, "192.0.2.3:5072");
    assert!(text.contains("\r\nRoute: <sip:biloxi.com;lr;token=s2.0123>\r\n"), "{text}");
    // Without the name of a member the Route is the proxy's own, and the Call-ID decides.
    for owner in ["", "s9.", "s2"] {
        let [(remote, text)] = &bench.receive(1, &bye("BYE", owner))[..] else { panic!("one message") };
        assert_eq!(remote, "192.0.2.3:5071", "{owner}");
        assert!(!text.contains("\r\nRoute:"), "{text}");
    }
}

#[test]
fn while_the_member_is_down_another_one_takes_its_dialogs_at_once() {
    let mut bench = Bench::new();
    bench.mark(10, "s2", false);
    for method in ["BYE", "ACK", "CANCEL", "INVITE"] {
        assert_eq!(bench.goes(11, method), 5_071, "{method}");
    }
    bench.mark(12, "s1", false);
    assert_eq!(bench.goes(13, "BYE"), 5_073);
    // The return of the member is a change, which is to be settled first.
    bench.mark(100, "s2", true);
    assert_eq!(bench.goes(101, "BYE"), 5_073);
    assert_eq!(bench.goes(100 + WINDOW, "BYE"), 5_072);
    for name in ["s2", "s3"] {
        bench.mark(200 + WINDOW, name, false);
    }
    assert_eq!(bench.goes(201 + WINDOW, "BYE"), 503);
}

#[test]
fn a_response_goes_as_it_came_to_the_member_that_has_written_its_via_if_that_is_up() {
    let mut bench = Bench::new();
    let response = |sent_by: &str, branch: &str| {
        format!(
            "SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP {sent_by};branch={branch};received=192.0.2.3\r\n\
             Via: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bKa\r\nFrom: <sip:alice@atlanta.com>;tag=a\r\n\
             To: <sip:bob@biloxi.com>;tag=b\r\nCall-ID: 1\r\nCSeq: 1 INVITE\r\nX-Odd:  kept \r\nContent-Length: 0\r\n\r\n"
        )
    };
    let of_s3 = response("biloxi.com", "z9hG4bKs3.1a");
    assert_eq!(bench.receive(1, &of_s3), [("192.0.2.3:5073".to_string(), of_s3.clone())]);
    for (sent_by, branch) in
        [("biloxi.com", "z9hG4bKs9.1a"), ("biloxi.com", "z9hG4bKs3"), ("192.0.2.9", "z9hG4bKs3.1a")]
    {
        assert_eq!(bench.receive(2, &response(sent_by, branch)), [], "{sent_by} {branch}");
    }
    bench.mark(10, "s3", false);
    assert_eq!(bench.receive(11, &of_s3), []);
    let stats = bench.node.endpoint().stats();
    assert_eq!((stats.stray, stats.foreign), (3, 1));
}
