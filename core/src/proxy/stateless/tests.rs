//! The core before a farm of three servers.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use super::{Core, Farm, Member, Settings};
use crate::endpoint::Indication;
use crate::message::{HeaderId, HostBuf, Message, Request, Response, StatusCode, Uri};
use crate::proxy::{Refusal, Target};
use crate::random::{Random, Script};
use crate::stack::{Context, Stack, TransactionUser};
use crate::{
    Answer, Change, Config, ConnectionId, Input, Instant, Listener, ListenerId, NextHop, Node, Output, QueryId,
    Question, Seed,
};

const ALICE: &str = "192.0.2.1:5060";
const NAMES: [&str; 3] = ["s1", "s2", "s3"];

#[derive(Clone, Debug)]
struct Front {
    core: Core,
    farm: Farm,
}

impl TransactionUser for Front {
    type Event = Indication;

    const TAKES_STRAYS: bool = true;

    fn indicate(&mut self, cx: &mut Context<'_, Indication>, indication: Indication) {
        let Self { core, farm } = self;
        let now = cx.now();
        let is_ours =
            |uri: Uri<'_>| uri.host().is_some_and(|host| ["biloxi.com", "192.0.2.3"].contains(&&*host.to_string()));
        if matches!(indication, Indication::Overload { .. }) {
            cx.emit(indication.clone());
        }
        core.indicate(cx, indication, is_ours, |preprocessed| {
            let uri = preprocessed.request.uri().unwrap();
            if is_ours(uri) { farm.target(now, &preprocessed.request) } else { Ok(Target::new(uri.to_buf())) }
        });
    }

    fn is_idle(&self) -> bool {
        true
    }
}

fn hop(host: &str) -> NextHop {
    host.parse::<HostBuf>().unwrap().into()
}

fn members() -> Vec<Member> {
    NAMES.iter().zip(11..).map(|(name, number)| Member::new(name, hop(&format!("192.0.2.{number}")))).collect()
}

/// Something that the node wants, in words, and the octets of what is sent.
#[derive(Clone, Debug, PartialEq)]
struct Wanted(String, Vec<u8>);

#[derive(Clone)]
struct Bench {
    node: Stack<Front>,
    listener: ListenerId,
    now: Instant,
    queries: Vec<(QueryId, Question)>,
    /// The connection that is to be opened.
    opening: Option<ConnectionId>,
}

impl Bench {
    fn new() -> Self {
        Self::with(|_| {}, Settings::default(), members())
    }

    fn with(change: impl FnOnce(&mut Config), settings: Settings, members: Vec<Member>) -> Self {
        let mut config = Config::new(Seed::from_u64(1));
        change(&mut config);
        let front = Front { core: Core::new(&config, settings), farm: Farm::new(&config, members) };
        let mut node = Stack::new(config, front);
        let listener = node.listen(Listener::udp("192.0.2.3:5060".parse().unwrap()));
        node.listen(Listener::tcp("192.0.2.3:5060".parse().unwrap()));
        Self { node, listener, now: Instant::from_millis(1), queries: Vec::new(), opening: None }
    }

    fn at(&mut self, millis: u64) -> &mut Self {
        self.now = Instant::from_millis(millis);
        self
    }

    fn receive(&mut self, text: &str) -> Vec<Wanted> {
        let remote = ALICE.parse().unwrap();
        self.node.handle(self.now, Input::Datagram { listener: self.listener, remote, bytes: text.as_bytes() });
        self.drain()
    }

    /// The open question that was asked first.
    fn answer(&mut self, answers: &[Answer]) -> Vec<Wanted> {
        let (query, _) = self.queries.remove(0);
        self.node.handle(self.now, Input::Resolved { query, answers });
        self.drain()
    }

    fn drain(&mut self) -> Vec<Wanted> {
        let mut wanted = Vec::new();
        while let Some(output) = self.node.poll() {
            wanted.push(match output {
                Output::Send(transmit) => Wanted(transmit.flow.remote.to_string(), transmit.bytes.to_vec()),
                Output::Resolve { query, question } => {
                    self.queries.push((query, question.clone()));
                    Wanted(format!("{question:?}"), Vec::new())
                }
                Output::Open { connection, remote, .. } => {
                    self.opening = Some(connection);
                    Wanted(format!("open {remote}"), Vec::new())
                }
                Output::Event(Indication::Overload { limit, .. }) => Wanted(limit.name().into(), Vec::new()),
                _ => continue,
            });
        }
        wanted
    }

    fn is_empty(&self) -> bool {
        self.node.is_idle() && self.node.endpoint().census() == Default::default() && self.node.deadline().is_none()
    }
}

fn text(method: &str, uri: &str, branch: &str, call_id: &str, more: &str) -> String {
    let cseq = if ["ACK", "CANCEL"].contains(&method) { "INVITE" } else { method };
    let number = if cseq == "INVITE" { 1 } else { 2 };
    format!(
        "{method} {uri} SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.1;branch={branch}\r\nMax-Forwards: 70\r\n\
         To: <sip:bob@biloxi.com>\r\nFrom: <sip:alice@atlanta.com>;tag=1\r\nCall-ID: {call_id}\r\n\
         CSeq: {number} {method}\r\n{more}Content-Length: 0\r\n\r\n"
    )
}

fn invite(call_id: &str) -> String {
    text("INVITE", "sip:bob@biloxi.com", "z9hG4bKa", call_id, "")
}

fn request(wanted: &Wanted) -> Request {
    match Message::parse(&wanted.1, &Default::default()) {
        Ok(Message::Request(request)) => request,
        other => panic!("{other:?}"),
    }
}

fn status(wanted: &[Wanted]) -> u16 {
    match Message::parse(&wanted[0].1, &Default::default()) {
        Ok(Message::Response(response)) if wanted.len() == 1 => response.status().get(),
        other => panic!("{other:?}"),
    }
}

fn branch(request: &Request) -> String {
    request.top_via().unwrap().branch().unwrap().into()
}

/// A Call-ID of the member in this place.
fn call_id_of(place: usize) -> String {
    let mut ids = (0..).map(|number| format!("{number}@atlanta.com"));
    let names = NAMES.map(str::as_bytes);
    ids.find(|id| crate::shard::rendezvous(id.as_bytes(), names, |_| true) == Some(place)).unwrap()
}

#[test]
fn a_request_goes_to_one_place_with_one_branch_each_time_and_nothing_is_left() {
    let mut bench = Bench::new();
    let first = bench.receive(&invite("1"));
    let [sent] = &first[..] else { panic!("no 100, and one request: {first:?}") };
    assert!(bench.is_empty());
    let forwarded = request(sent);
    assert_eq!(forwarded.uri_bytes(), b"sip:bob@biloxi.com");
    assert_eq!(forwarded.headers().raw(HeaderId::MaxForwards), Some(&b"69"[..]));
    assert_eq!(forwarded.headers().count(HeaderId::Via), 2);
    // A retransmission, long after.
    assert_eq!(bench.at(60_000).receive(&invite("1")), first);
    // CANCEL and the ACK of a refusal find the transaction of their INVITE.
    for method in ["CANCEL", "ACK"] {
        let sent = bench.receive(&text(method, "sip:bob@biloxi.com", "z9hG4bKa", "1", ""));
        assert_eq!((sent.len(), &sent[0].0), (1, &first[0].0), "{method}");
        assert_eq!(request(&sent[0]).method().as_str(), method);
        assert_eq!(branch(&request(&sent[0])), branch(&forwarded), "{method}");
    }
    let other = bench.receive(&invite("1").replace("z9hG4bKa", "z9hG4bKb"));
    assert_ne!(branch(&request(&other[0])), branch(&forwarded));
    assert!(bench.is_empty());
}

#[test]
fn the_branch_of_an_rfc_2543_request_is_of_what_tells_it_from_others() {
    let mut bench = Bench::new();
    let old = invite("1").replace(";branch=z9hG4bKa", "");
    let branches: Vec<_> = [
        old.clone(),
        old.clone(),
        old.replace("CSeq: 1", "CSeq: 2"),
        old.replace("Call-ID: 1", "Call-ID: 2"),
        old.replace("tag=1", "tag=2"),
        old.replace("sip:bob@biloxi.com SIP", "sip:carol@biloxi.com SIP"),
    ]
    .iter()
    .map(|text| branch(&request(&bench.receive(text)[0])))
    .collect();
    assert_eq!(branches[0], branches[1]);
    for other in &branches[2..] {
        assert_eq!(branches.iter().filter(|branch| *branch == other).count(), 1);
    }
}

#[test]
fn a_record_route_is_the_same_in_a_retransmission() {
    let settings = Settings { record_route: true, ..Settings::default() };
    let mut bench = Bench::with(|_| {}, settings, members());
    let first = bench.receive(&invite("1"));
    assert!(request(&first[0]).headers().raw(HeaderId::RecordRoute).is_some());
    assert_eq!(bench.at(31_000).receive(&invite("1")), first);
}

/// §16.3.
#[test]
fn a_request_is_validated_and_refused_alike_each_time() {
    let bob = "sip:bob@biloxi.com";
    let no_hops = text("INVITE", bob, "z9hG4bKa", "1", "").replace("Forwards: 70", "Forwards: 0");
    let cases = [
        (no_hops.clone(), 483),
        (text("INVITE", bob, "z9hG4bKa", "1", "Proxy-Require: foo\r\n"), 420),
        (text("INVITE", "tel:+1", "z9hG4bKa", "1", ""), 416),
        (text("INVITE", bob, "z9hG4bKa", "1", "Route: <sip:\r\n"), 400),
        (text("INVITE", bob, "z9hG4bKa", "1", "Max-Breadth: 0\r\n"), 440),
        (text("INVITE", bob, "z9hG4bKa", "1", "Max-Breadth: many\r\n"), 400),
        // §16.3 step 3: the last hop answers for the next one.
        (text("OPTIONS", bob, "z9hG4bKa", "1", "").replace("Forwards: 70", "Forwards: 0"), 200),
        // CANCEL is like any other request.
        (text("CANCEL", bob, "z9hG4bKa", "1", "Proxy-Require: foo\r\n"), 420),
    ];
    for (text, expected) in cases {
        let mut bench = Bench::new();
        let answered = bench.receive(&text);
        assert_eq!(status(&answered), expected, "{text}");
        assert_eq!(bench.at(9_000).receive(&text), answered);
        assert!(bench.is_empty());
    }
    let mut bench = Bench::new();
    assert_eq!(bench.receive(&no_hops.replace("INVITE", "ACK")), []);
    assert_eq!(bench.node.endpoint().stats().unusable, 1);
}

fn response(to: &Request, more: &str) -> String {
    let response = Response::to(to, StatusCode::new(200).unwrap()).to_tag("b").header(HeaderId::Server, "x,  y");
    let response = response.body("text/plain", b"body").finish().unwrap();
    String::from_utf8(response.as_bytes().to_vec()).unwrap().replace("Server:", &format!("{more}Server:"))
}

#[test]
fn a_response_goes_back_without_our_via_and_otherwise_as_it_came() {
    let mut bench = Bench::new();
    let sent = bench.receive(&invite("1"));
    let text = response(&request(&sent[0]), "X-Odd:   kept \r\n");
    let back = bench.receive(&text);
    assert_eq!(back.len(), 1);
    assert_eq!(back[0].0, ALICE);
    let ours = text.find("Via:").unwrap();
    let end = ours + text[ours..].find("\r\n").unwrap() + 2;
    let expected = [&text[..ours], &text[end..]].concat();
    assert_eq!(String::from_utf8(back[0].1.clone()).unwrap(), expected);
    // Each copy of it.
    assert_eq!(bench.at(9_000).receive(&text), back);
    assert!(bench.is_empty());
}

#[test]
fn a_response_whose_via_we_have_not_written_is_dropped() {
    let mut bench = Bench::new();
    let forwarded = request(&bench.receive(&invite("1"))[0]);
    let text = response(&forwarded, "");
    let own = branch(&forwarded);
    let (front, mark) = own.rsplit_once('.').unwrap();
    for forged in [format!("{front}x.{mark}"), front.into(), "z9hG4bKx".into()] {
        assert_eq!(bench.receive(&text.replace(&own, &forged)), [], "{forged}");
    }
    assert_eq!(bench.node.endpoint().stats().stray, 3);
    assert_eq!(bench.receive(&text.replacen("192.0.2.3", "192.0.2.9", 1)), []);
    assert_eq!(bench.node.endpoint().stats().foreign, 1);
}

/// A member that the resolver has to be asked for.
fn named() -> Vec<Member> {
    let mut member = Member::new("s1", hop("s1.biloxi.com"));
    member.next_hop.port = Some(5060);
    Vec::from([member])
}

fn addresses(last: [u8; 2]) -> [Answer; 2] {
    last.map(|last| Answer::Address([192, 0, 2, last].into()))
}

#[test]
fn a_retransmission_is_dropped_while_the_resolver_is_asked() {
    let mut bench = Bench::with(|_| {}, Settings::default(), named());
    assert_eq!(bench.receive(&invite("1")).len(), 1);
    assert_eq!(bench.receive(&invite("1")), []);
    // Another request of the same branch is no retransmission.
    assert_eq!(bench.receive(&text("CANCEL", "sip:bob@biloxi.com", "z9hG4bKa", "1", "")).len(), 1);
    let sent = bench.answer(&addresses([21, 22]));
    assert_eq!((sent.len(), sent[0].0.as_str()), (1, "192.0.2.21:5060"));
    assert_eq!(bench.answer(&addresses([21, 22])).len(), 1);
    assert!(bench.is_empty());
    // What comes now is asked for anew, and goes the same way whatever the order of the answers is.
    assert_eq!(bench.receive(&invite("1")).len(), 1);
    assert_eq!(bench.answer(&addresses([22, 21])), sent);
    // Nothing is there: nothing is sent, and nobody is told.
    bench.receive(&invite("1"));
    assert_eq!(bench.answer(&[]), []);
    assert!(bench.is_empty());
}

#[test]
fn few_messages_wait_and_any_more_are_refused() {
    assert_eq!(crate::Limits::default().waiting_relays, 1_000);
    let mut bench = Bench::with(|config| config.limits.waiting_relays = 1, Settings::default(), named());
    assert_eq!(bench.receive(&invite("1")).len(), 1);
    let second = invite("2").replace("z9hG4bKa", "z9hG4bKb");
    let refused = bench.receive(&second);
    assert_eq!((status(&refused[..1]), refused[1].0.as_str()), (503, "waiting_relays"));
    assert_eq!(bench.receive(&text("ACK", "sip:bob@biloxi.com", "z9hG4bKb", "2", "")), []);
    // Without a question there is nothing to wait for.
    assert_eq!(bench.receive(&text("INVITE", "sip:bob@192.0.2.4", "z9hG4bKc", "3", "")).len(), 1);
    assert_eq!(bench.answer(&addresses([21, 22])).len(), 1);
    assert_eq!(bench.receive(&second).len(), 1);
    bench.answer(&[]);
    assert!(bench.is_empty());
}

#[test]
fn a_place_that_cannot_be_reached_has_no_second() {
    let mut members = named();
    members[0].next_hop.protocol = Some(crate::message::header::Protocol::Tcp);
    let mut bench = Bench::with(|config| config.limits.waiting_relays = 1, Settings::default(), members);
    bench.receive(&invite("1"));
    assert_eq!(bench.answer(&addresses([21, 22])), [Wanted("open 192.0.2.21:5060".into(), Vec::new())]);
    // A connection that opens is waited for as the resolver is, by as many.
    assert_eq!(bench.receive(&invite("1")), []);
    let direct = text("INVITE", "sip:bob@192.0.2.21;transport=tcp", "z9hG4bKc", "3", "");
    assert_eq!(status(&bench.receive(&direct)[..1]), 503);
    let mut opening = bench.clone();
    let connection = bench.opening.unwrap();
    opening.node.handle(opening.now, Input::Connection { connection, change: Change::Opened { identities: &[] } });
    assert_eq!(opening.drain().len(), 1);
    bench.node.handle(bench.now, Input::Connection { connection, change: Change::Failed });
    assert_eq!(bench.drain(), []);
    assert!(bench.is_empty());
}

/// RFC 3263 §4.4.
#[test]
fn records_of_one_priority_have_one_order() {
    let mut members = named();
    members[0].next_hop =
        NextHop { port: None, protocol: Some(crate::message::header::Protocol::Udp), ..hop("biloxi.org") };
    let record = |target: &str| Answer::Srv { priority: 1, weight: 1, port: 5060, target: target.into() };
    let mut used = Vec::new();
    for call in 0..16 {
        let invite = invite("1").replace("z9hG4bKa", &format!("z9hG4bK{call}"));
        let mut place = None;
        for (seed, order) in [(1, ["a", "b", "c"]), (2, ["c", "a", "b"]), (3, ["b", "c", "a"])] {
            let key = crate::Key::new([7; 16]);
            let change = |config: &mut Config| {
                config.seed = Seed::from_u64(seed);
                config.shared_key = Some(key);
            };
            let mut bench = Bench::with(change, Settings::default(), members.clone());
            bench.receive(&invite);
            bench.answer(&order.map(record));
            let mut sent = Vec::new();
            while !bench.queries.is_empty() {
                let Question::Address { name } = &bench.queries[0].1 else { panic!() };
                let last = 21 + name.as_bytes()[0] - b'a';
                sent.extend(
                    bench
                        .answer(&[Answer::Address([192, 0, 2, last].into())])
                        .into_iter()
                        .filter(|it| !it.1.is_empty()),
                );
            }
            assert_eq!(*place.get_or_insert_with(|| sent.clone()), sent);
            assert_eq!(sent.len(), 1);
            used.push(sent[0].0.clone());
        }
    }
    assert!(used.iter().any(|place| *place != used[0]), "the load is shared");
}

/// What goes out is a function of the message, the configuration and the answers of the resolver: whatever else a node has seen before.
#[test]
fn what_goes_out_depends_on_nothing_that_came_before() {
    let mut random = Random::new(Seed::from_u64(9), Script::default());
    let mut members = members();
    members.push(named().remove(0));
    members[3].name = "s4".into();
    let settings = Settings { record_route: true, ..Settings::default() };
    let fresh = || Bench::with(|_| {}, settings.clone(), members.clone());
    let mut old = fresh();
    let mut forwarded = Vec::new();
    for step in 0..600 {
        let method = ["INVITE", "ACK", "CANCEL", "BYE", "OPTIONS", "FOO"][random.below(6) as usize];
        let uri =
            ["sip:bob@biloxi.com", "sip:bob@192.0.2.4", "sip:bob@192.0.2.3;lr", "tel:1"][random.below(4) as usize];
        let more = ["", "Route: <sip:192.0.2.3;lr>\r\n", "Route: <sip:192.0.2.9;lr>\r\n", "Proxy-Require: x\r\n"]
            [random.below(4) as usize];
        let branch = ["z9hG4bKa", "z9hG4bKb", "2543"][random.below(3) as usize];
        let message = match forwarded.len() as u64 {
            count @ 1.. if random.below(4) == 0 => response(&forwarded[random.below(count) as usize], ""),
            _ => text(method, uri, branch, &format!("{}", random.below(20)), more),
        };
        let mut alone = fresh();
        let mut outputs = [Vec::new(), Vec::new()];
        for (bench, outputs) in [&mut old, alone.at(77)].into_iter().zip(&mut outputs) {
            *outputs = bench.receive(&message);
            while !bench.queries.is_empty() {
                outputs.extend(bench.answer(&addresses([21, 22])));
            }
            assert!(bench.is_empty(), "{message}");
        }
        let [after_all, alone] = outputs;
        assert_eq!(after_all, alone, "{message}");
        assert!(after_all.iter().filter(|it| !it.1.is_empty()).count() <= 1, "{message}");
        for sent in &after_all {
            if let Ok(Message::Request(request)) = Message::parse(&sent.1, &Default::default()) {
                forwarded.push(request);
            }
        }
        old.at(1_000 * step);
    }
    assert!(forwarded.len() > 100);
}

#[test]
fn a_call_id_keeps_its_member_and_moves_only_if_that_is_down() {
    let mut bench = Bench::new();
    let ids = [0, 1, 2].map(call_id_of);
    let place = |bench: &mut Bench, id: &str| bench.receive(&invite(id))[0].0.clone();
    for (id, number) in ids.iter().zip(11..) {
        assert_eq!(place(&mut bench, id), format!("192.0.2.{number}:5060"));
    }
    let now = bench.now;
    assert!(bench.node.command(now, |front, cx| front.farm.mark(cx.now(), "s2", false)));
    bench.at(32_001);
    assert_eq!(place(&mut bench, &ids[0]), "192.0.2.11:5060");
    assert_ne!(place(&mut bench, &ids[1]), "192.0.2.12:5060");
    assert_eq!(place(&mut bench, &ids[2]), "192.0.2.13:5060");
    for name in ["s1", "s3"] {
        bench.node.command(bench.now, |front, cx| front.farm.mark(cx.now(), name, false));
    }
    bench.at(90_000);
    assert_eq!(status(&bench.receive(&invite("1"))), 503);
}

/// §16.11: requests that a change of the table could affect are not forwarded for an interval of 64·T1.
#[test]
fn what_a_change_could_send_to_two_members_is_refused_until_it_is_settled() {
    let mut farm = Farm::new(&Config::new(Seed::from_u64(1)), members());
    let ids = [0, 1, 2].map(call_id_of);
    let ask = |farm: &Farm, millis: u64, method: &str, place: usize| {
        let text = text(method, "sip:bob@biloxi.com", "z9hG4bKa", &ids[place], "");
        let Ok(Message::Request(request)) = Message::parse(text.as_bytes(), &Default::default()) else { panic!() };
        farm.choose(Instant::from_millis(millis), &request).map(|member| member.name.to_string())
    };
    let s = |name: &str| Ok(String::from(name));
    assert!(farm.mark(Instant::from_millis(1_000), "s2", false));
    for method in ["INVITE", "OPTIONS"] {
        assert_eq!(ask(&farm, 1_000, method, 1), Err(Refusal::Later(32)));
        assert_eq!(ask(&farm, 32_999, method, 1), Err(Refusal::Later(1)));
        assert!(ask(&farm, 33_000, method, 1).is_ok_and(|name| name != "s2"));
        assert_eq!(ask(&farm, 1_000, method, 0), s("s1"), "not affected");
    }
    // These belong to an INVITE that was forwarded before.
    assert_eq!(ask(&farm, 32_999, "CANCEL", 1), s("s2"));
    assert_eq!(ask(&farm, 32_999, "ACK", 1), s("s2"));
    // A second change within the interval: what counts is what was before both.
    assert!(farm.mark(Instant::from_millis(20_000), "s1", false));
    assert_eq!(ask(&farm, 40_000, "INVITE", 1), Err(Refusal::Later(12)));
    assert_eq!(ask(&farm, 40_000, "ACK", 1), s("s2"));
    assert_eq!(ask(&farm, 40_000, "INVITE", 0), Err(Refusal::Later(12)));
    // A change that is taken back concerns nobody.
    assert!(farm.mark(Instant::from_millis(41_000), "s1", true));
    assert_eq!(ask(&farm, 41_000, "INVITE", 0), s("s1"));
    assert!(!farm.is_settled(Instant::from_millis(72_999)));
    assert!(farm.is_settled(Instant::from_millis(73_000)));
    // A member that comes is a change like any other; a list that is the same is none.
    farm.set_members(Instant::from_millis(80_000), farm.members().to_vec());
    assert!(farm.is_settled(Instant::from_millis(80_000)));
    farm.set_members(Instant::from_millis(80_000), members()[..1].to_vec());
    assert_eq!(ask(&farm, 80_000, "INVITE", 0), s("s1"));
    assert_eq!(ask(&farm, 80_000, "INVITE", 2), Err(Refusal::Later(32)));
    assert_eq!(ask(&farm, 112_000, "INVITE", 2), s("s1"));
}

/// §18.1.1: a request that is too large for a datagram goes over TCP, and over nothing else if that fails.
#[test]
fn a_large_request_goes_over_tcp_or_is_lost() {
    let mut bench = Bench::new();
    let large = format!("Subject: {}\r\n", "x".repeat(1_400));
    let opened = bench.receive(&text("INVITE", "sip:bob@192.0.2.4", "z9hG4bKa", "1", &large));
    assert_eq!(opened, [Wanted("open 192.0.2.4:5060".into(), Vec::new())]);
    let connection = bench.opening.unwrap();
    bench.node.handle(bench.now, Input::Connection { connection, change: Change::Failed });
    assert_eq!(bench.drain(), []);
    assert!(bench.is_empty());
}
