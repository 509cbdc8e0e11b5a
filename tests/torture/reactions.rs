//! The answer that each message is owed (RFC 4475 §3, RFC 5118 §4), by an element of each role.

use std::collections::BTreeSet;
use std::net::SocketAddr;

use sansip::message::header::{ContentLength, NameAddrBuf};
use sansip::message::{HeaderId, Message, Method};
use sansip::user_agent::{Body, Outgoing, Profile};
use sansip::{Config, Input, Instant, Listener, Node, Output, Seed, UserAgent};
use sansip_sim::inspect::{Kind, Role, judge, with_line_ends};

use crate::samples::{Sample, archived, printed, samples, traps};

const ROLES: [Role; 3] = [Role::UserAgentServer, Role::Proxy, Role::Registrar];

/// Where the archive of RFC 5118 differs from the messages of the text, and what that makes of it.
const ARCHIVED: [(&str, &str); 2] = [
    ("rfc5118/archive/ipv6-bug-abnf-3-colons", "Missing empty line after the headers"),
    ("rfc5118/archive/ipv6-correct-abnf-2-colons", "Missing empty line after the headers"),
];

fn found(sample: &Sample, role: Role) -> (bool, Option<u16>) {
    let finding = judge(&sample.bytes, role);
    (finding.valid, finding.status)
}

#[test]
fn every_trap_has_its_reaction() {
    let printed = printed();
    let mut wrong = Vec::new();
    for trap in traps() {
        let like = printed.iter().map(|printed| &printed.sample).filter(|sample| sample.file == trap.like);
        for sample in like.chain([&trap.own]) {
            for (role, status) in ROLES.into_iter().zip(trap.statuses) {
                let found = found(sample, role);
                if found != (trap.valid, status) {
                    wrong.push(format!("{} at a {}: {found:?}, not {status:?}", sample.file, role.name()));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_trap_of_the_rfcs_is_among_our_own() {
    let traps: BTreeSet<String> = traps().into_iter().map(|trap| trap.like).collect();
    let of_trap = |file: &str| file.starts_with("rfc4475/") || file.starts_with("rfc5118/");
    for printed in printed().iter().filter(|printed| of_trap(&printed.sample.file)) {
        assert!(traps.contains(&printed.sample.file), "{}", printed.sample.file);
    }
    assert_eq!(traps.len(), 62, "49 of RFC 4475 and one more of its archive, 12 of RFC 5118");
}

#[test]
fn the_index_of_the_rfcs_messages_is_followed() {
    let mut wrong = Vec::new();
    for printed in printed() {
        let (file, reaction) = (&printed.sample.file, &printed.reaction);
        let finding = judge(&printed.sample.bytes, Role::UserAgentServer);
        let (is_request, status) = (finding.kind == Some(Kind::Request), finding.status);
        let named = |status: u16| reaction.contains(&status.to_string());
        let names_any = (300..700).any(named);
        let good = match &*printed.expected {
            // Some are printed without their body, or with one that was counted with other line ends: larger than what is
            // there, which the notes say is a 400 if it is read literally (RFC 3261 §18.3). With such a body they are valid.
            "valid-headers-only" => is_valid_but_for_the_body(&printed.sample),
            "valid" if is_counted_too_large(&printed.notes) => is_valid_but_for_the_body(&printed.sample),
            "valid" => finding.valid,
            // A user agent server may have a reason of its own before the one that a proxy or registrar would have.
            "valid-but-application-level-problem" => finding.valid && status.is_none_or(|it| named(it) || it == 405),
            "invalid" => {
                !finding.valid && status.is_some() == is_request && status.is_none_or(|it| named(it) || !names_any)
            }
            // Cut from their context or not described: it is enough that they do no harm.
            "fragment" | "unspecified" => true,
            other => panic!("{file}: {other}"),
        };
        if !good {
            wrong.push(format!("{file}: {} ({reaction}), but {finding:?}", printed.expected));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Whether a note tells of a Content-Length above the octets of the body, such as `(content-length 268 > body 251)`.
fn is_counted_too_large(note: &str) -> bool {
    let numbers = note.split_once("(content-length ").and_then(|(_, rest)| rest.split_once(" > body "));
    numbers.is_some_and(|(length, _)| length.bytes().all(|octet| octet.is_ascii_digit()))
}

/// Whether it is owed a 400 because its body is too short, and nothing else is wrong with it.
fn is_valid_but_for_the_body(sample: &Sample) -> bool {
    let finding = judge(&sample.bytes, Role::UserAgentServer);
    let owed = if finding.kind == Some(Kind::Request) { Some(400) } else { None };
    finding.reason.as_deref() == Some("Body shorter than its length says")
        && finding.status == owed
        && found(&with_a_body(sample), Role::Proxy) == (true, None)
}

/// The message with the body that its Content-Length promises.
fn with_a_body(sample: &Sample) -> Sample {
    let message = sample.read().expect("a message");
    let length = message.headers().get::<ContentLength>().expect("Content-Length").expect("a number");
    Sample { file: sample.file.clone(), bytes: [&*sample.bytes, &vec![b'x'; length.0 as usize]].concat() }
}

#[test]
fn messages_of_a_flow_are_refused_only_for_the_dialog_that_is_not_there() {
    let flow = |file: &str| file.starts_with("rfc3") && !file.contains("/fragments/");
    for printed in printed().iter().filter(|it| flow(&it.sample.file) && it.expected == "valid") {
        let file = &printed.sample.file;
        assert_eq!(found(&printed.sample, Role::Proxy), (true, None), "{file}");
        let Ok(Message::Request(request)) = printed.sample.read() else { continue };
        let in_dialog = request.to_header().unwrap().tag().is_some();
        let status = match request.method() {
            Method::Ack => None,
            Method::Register => Some(405),
            Method::Cancel => Some(481),
            _ if in_dialog => Some(481),
            // §17.1.1.3 prints an INVITE without Contact, which can make no dialog (§8.1.1.8).
            Method::Invite if file.contains("17.1.1.3") => Some(400),
            _ => None,
        };
        assert_eq!(found(&printed.sample, Role::UserAgentServer), (true, status), "{file}");
    }
}

#[test]
fn bare_line_feeds_are_no_line_ends_until_they_are_put_right() {
    let wire = printed();
    for mut sample in archived() {
        let finding = judge(&sample.bytes, Role::UserAgentServer);
        assert_eq!((finding.valid, finding.status, finding.half_line_end), (false, None, true), "{}", sample.file);
        sample.bytes = with_line_ends(&sample.bytes);
        let finding = judge(&sample.bytes, Role::UserAgentServer);
        if let Some((_, reason)) = ARCHIVED.iter().find(|(file, _)| sample.is(file)) {
            assert_eq!((finding.status, finding.reason.as_deref()), (Some(400), Some(*reason)), "{}", sample.file);
            continue;
        }
        let same = sample.file.replace("archive", "wire") + ".sip";
        let wire = wire.iter().find(|printed| printed.sample.file == same).unwrap();
        assert_eq!(
            found(&sample, Role::UserAgentServer),
            found(&wire.sample, Role::UserAgentServer),
            "{}",
            sample.file
        );
    }
}

#[test]
fn what_is_owed_is_what_a_node_sends() {
    for sample in samples() {
        for role in ROLES {
            let finding = judge(&sample.bytes, role);
            let answered = finding.answer.as_ref().map(|answer| answer.status).filter(|status| *status >= 300);
            // The node may ignore what is tolerable, and without a Via nobody knows where an answer goes.
            let goes_nowhere = sample.read().is_ok_and(|message| !message.headers().contains(HeaderId::Via));
            if !finding.tolerable && !goes_nowhere {
                assert_eq!(answered, finding.status, "{}", sample.file);
            }
        }
    }
}

/// Whatever comes, a server and a user agent hold nothing of it when its timers have run out.
#[test]
fn nothing_is_left_behind_by_any_message() {
    fn run<N: Node>(node: &mut N, input: Input<'_>) {
        let end = Instant::from_millis(900_000);
        node.handle(Instant::ZERO, input);
        loop {
            while let Some(output) = node.poll() {
                if let Output::Resolve { query, .. } = output {
                    node.handle(Instant::ZERO, Input::Resolved { query, answers: &[] });
                }
            }
            match node.deadline().filter(|deadline| *deadline <= end) {
                Some(deadline) => node.handle(deadline, Input::Tick),
                None => break,
            }
        }
    }
    let (local, remote) = ("203.0.113.30:5060".parse().unwrap(), "203.0.113.31:5060".parse().unwrap());
    let mut server_settings = sansip::server::Settings::default();
    server_settings.domains.push("203.0.113.30".parse().unwrap());
    for sample in samples() {
        let (config, bytes) = (Config::new(Seed::from_u64(1)), &*sample.bytes);
        let mut server = sansip::Server::server(config.clone(), server_settings.clone());
        let listener = server.listen(Listener::udp(local));
        run(&mut server, Input::Datagram { listener, remote, bytes });
        let mut agent = UserAgent::user_agent(config, Profile::new("<sip:heron@203.0.113.30>".parse().unwrap()));
        let listener = agent.listen(Listener::udp(local));
        run(&mut agent, Input::Datagram { listener, remote, bytes });
        let bound = server.user().census().addresses_of_record;
        assert_eq!((server.user().census().response_contexts, agent.calls().count()), (0, 0), "{}", sample.file);
        for (census, timers) in [(server.endpoint().census(), bound.min(1)), (agent.endpoint().census(), 0)] {
            let expected = sansip::endpoint::Census { timers: census.timers.min(timers), ..Default::default() };
            assert_eq!(census, expected, "{}", sample.file);
        }
    }
}

const CALLER: &str = "198.51.100.1:5060";
const CALLEE: &str = "198.51.100.4:5060";
const STRANGER: &str = "198.51.100.9:5060";

/// A server whose user is being called while something else comes.
struct Ringing {
    server: sansip::Server,
    listener: sansip::ListenerId,
    now: Instant,
    /// The messages that went to the caller and the callee.
    said: Vec<(SocketAddr, String)>,
}

impl Ringing {
    /// The callee has registered, and is ringing.
    fn new() -> Self {
        let mut settings = sansip::server::Settings { relay: true, ..Default::default() };
        settings.proxy.record_route = true;
        settings
            .domains
            .extend(["203.0.113.30", "example.com", "biloxi.com"].map(|name| name.parse().expect("a domain")));
        let mut server = sansip::Server::server(Config::new(Seed::from_u64(1)), settings);
        let listener = server.listen(Listener::udp("203.0.113.30:5060".parse().expect("an address")));
        let mut ringing = Self { server, listener, now: Instant::ZERO, said: Vec::new() };
        let ouzel = "<sip:ouzel@203.0.113.30>";
        ringing.sends(CALLEE, "REGISTER sip:203.0.113.30", 1, &[ouzel, ouzel], "");
        ringing.sends(CALLER, "INVITE sip:ouzel@203.0.113.30", 1, &["<sip:wren@198.51.100.1>", ouzel], "");
        ringing.answers("180 Ringing");
        ringing
    }

    fn receive(&mut self, remote: &str, bytes: &[u8]) {
        let remote = remote.parse().expect("an address");
        self.server.handle(self.now, Input::Datagram { listener: self.listener, remote, bytes });
        self.drain();
    }

    fn drain(&mut self) {
        while let Some(output) = self.server.poll() {
            match output {
                Output::Resolve { query, .. } => {
                    self.server.handle(self.now, Input::Resolved { query, answers: &[] });
                }
                Output::Open { connection, .. } => {
                    let change = sansip::Change::Failed;
                    self.server.handle(self.now, Input::Connection { connection, change });
                }
                Output::Send(transmit) => {
                    let to = transmit.flow.remote;
                    if [CALLER, CALLEE].contains(&&*to.to_string()) {
                        self.said.push((to, String::from_utf8(transmit.bytes.to_vec()).expect("text")));
                    }
                }
                _ => {}
            }
        }
    }

    /// A request of the call, or the registration of its callee.
    fn sends(&mut self, source: &str, start: &str, number: u32, [from, to]: &[&str; 2], more: &str) {
        let (host, method) = (source.trim_end_matches(":5060"), start.split(' ').next().unwrap_or_default());
        let text = format!(
            "{start} SIP/2.0\r\nVia: SIP/2.0/UDP {host};branch=z9hG4bK{method}{number}\r\nMax-Forwards: 70\r\n{more}\
             From: {from};tag=f\r\nTo: {to}\r\nCall-ID: ringing-{host}\r\nCSeq: {number} {method}\r\n\
             Contact: <sip:ouzel@{host}>\r\nContent-Length: 0\r\n\r\n"
        );
        self.receive(source, text.as_bytes());
    }

    /// The callee answers the last request that it got.
    fn answers(&mut self, status: &str) {
        let callee: SocketAddr = CALLEE.parse().expect("an address");
        let mut requests = self.said.iter().rev().filter(|(to, text)| *to == callee && !text.starts_with("SIP/2.0 "));
        let (_, request) = requests.next().expect("a request");
        let names = ["Via:", "From:", "To:", "Call-ID:", "CSeq:", "Record-Route:"];
        let copied = request.lines().filter(|line| names.iter().any(|name| line.starts_with(name)));
        let lines: String = copied.map(|line| format!("{line}\r\n")).collect();
        let lines = lines.replace("ouzel@203.0.113.30>\r", "ouzel@203.0.113.30>;tag=t\r");
        let contact = "Contact: <sip:ouzel@198.51.100.4>\r\nContent-Length: 0\r\n\r\n";
        self.receive(CALLEE, format!("SIP/2.0 {status}\r\n{lines}{contact}").as_bytes());
    }

    /// The call is answered and ended, and all timers run out; the start lines that its ends have got.
    fn goes_on(&mut self) -> Vec<String> {
        let routes = self.said.iter().rev().find_map(|(_, text)| {
            let line = text.lines().find(|line| line.starts_with("Record-Route:"))?;
            Some(format!("{}\r\n", line.trim_start_matches("Record-")))
        });
        let routes = routes.expect("a route");
        let ends = ["<sip:wren@198.51.100.1>", "<sip:ouzel@203.0.113.30>;tag=t"];
        self.answers("200 OK");
        self.sends(CALLER, "ACK sip:ouzel@198.51.100.4", 1, &ends, &routes);
        self.sends(CALLER, "BYE sip:ouzel@198.51.100.4", 2, &ends, &routes);
        self.answers("200 OK");
        while let Some(deadline) = self.server.deadline().filter(|deadline| *deadline <= Instant::from_millis(900_000))
        {
            self.now = deadline;
            self.server.handle(deadline, Input::Tick);
            self.drain();
        }
        let start = |(to, text): &(SocketAddr, String)| format!("{to} {}", text.lines().next().unwrap_or_default());
        self.said.iter().map(start).collect()
    }
}

/// A message of a stranger, however odd, changes nothing for a registration and a call that is ringing.
#[test]
fn what_is_in_flight_notices_no_message_of_others() {
    let mut alone = Ringing::new();
    let before = alone.server.user().census();
    assert_eq!((before.response_contexts, before.addresses_of_record), (1, 1));
    let expected = alone.goes_on();
    // 200 to the REGISTER, 100, INVITE, 180, 200, ACK, BYE, 200.
    assert_eq!(expected.len(), 8, "{expected:#?}");
    let (server, endpoint) = (alone.server.user().census(), alone.server.endpoint().census());
    for sample in samples() {
        let mut ringing = Ringing::new();
        ringing.receive(STRANGER, &sample.bytes);
        let after = ringing.server.user().census();
        // A message that is served may make a response context or a binding of its own, and nothing else.
        let finding = judge(&sample.bytes, Role::Proxy);
        let room = usize::from(finding.valid || finding.tolerable);
        assert!((1..=1 + room).contains(&after.response_contexts), "{}: {after:?}", sample.file);
        assert!((1..=1 + room).contains(&after.addresses_of_record), "{}: {after:?}", sample.file);
        assert_eq!(ringing.goes_on(), expected, "{}", sample.file);
        let left = ringing.server.user().census();
        let own = after.addresses_of_record;
        assert!((1..=own).contains(&left.addresses_of_record), "{}: {left:?}", sample.file);
        let addresses_of_record = left.addresses_of_record;
        assert_eq!(left, sansip::server::Census { addresses_of_record, ..server }, "{}", sample.file);
        assert_eq!(ringing.server.endpoint().census(), endpoint, "{}", sample.file);
    }
}

#[test]
fn the_place_of_the_trouble_is_within_the_message() {
    for sample in samples() {
        let finding = judge(&sample.bytes, Role::UserAgentServer);
        assert!(finding.offset.is_none_or(|offset| offset <= sample.bytes.len()), "{}", sample.file);
        assert!(finding.valid || finding.reason.is_some(), "{}", sample.file);
    }
}

#[test]
fn a_response_for_somebody_else_is_dropped_even_where_its_transaction_is_known() {
    let traps = traps();
    let own = traps.iter().find(|trap| trap.own.is("response-for-somebody-else.sip")).unwrap();
    let bytes = String::from_utf8(own.own.bytes.clone()).unwrap();
    for (bytes, is_taken) in
        [(bytes.replace("Via: SIP/2.0/UDP 255.255.255.255;branch=z9hG4bKelse\r\n", ""), true), (bytes, false)]
    {
        let mut config = Config::new(Seed::from_u64(1));
        config.script.branches.push_back("mine".to_owned());
        let mut agent = UserAgent::user_agent(config, Profile::new("<sip:heron@203.0.113.30>".parse().unwrap()));
        let listener = agent.listen(Listener::udp("203.0.113.30:5060".parse().unwrap()));
        let remote: SocketAddr = "203.0.113.31:5060".parse().unwrap();
        let wren: NameAddrBuf = "<sip:wren@203.0.113.31>".parse().unwrap();
        agent.call(Instant::ZERO, Outgoing::to(&wren).body(Body::sdp("v=0\r\n"))).unwrap();
        while agent.poll().is_some() {}
        agent.handle(
            Instant::ZERO,
            Input::Datagram { listener, remote, bytes: bytes.replace("3 INVITE", "1 INVITE").as_bytes() },
        );
        let sent = std::iter::from_fn(|| agent.poll()).filter(|output| matches!(output, Output::Send(_))).count();
        assert_eq!(sent > 0, is_taken, "an ACK");
    }
}
