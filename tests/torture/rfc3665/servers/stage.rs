//! One server of ours among the RFC's messages.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use sansip::auth::{self, Algorithm, Keyring, Login, Outcome, Scope, Secret, Unknown};
use sansip::message::{Limits, Message, Request, Response};
use sansip::server::{Digest, Server, Settings, User};
use sansip::{
    Change, Config, ConnectionId, Duration, Flow, Input, Instant, Listener, ListenerId, Node, Output, Random, Script,
    Seed,
};

use super::{Part, Step};
use crate::rfc3665::compare::shown;
use crate::rfc3665::texts::{address_of, field, meant, resolved};

const PASSWORD: &str = "zanzibar";

/// Bob's tag, wherever the RFC prints one.
const BOBS_TAG: &str = "314159";

/// Fields that are not compared: two are of RFCs that are younger than RFC 3665 (5393 and 7616), and the servers of RFC 3665 take out the
/// credentials that they have checked, which RFC 3261 does not ask for.
const LEFT_OUT: [&str; 3] = ["Max-Breadth: ", "Authentication-Info: ", "Proxy-Authorization: "];

/// A word that a server wrote, and the word that the RFC prints in its place.
struct Name {
    ours: String,
    printed: String,
}

pub(crate) struct Stage<'a> {
    flow: PathBuf,
    part: &'a Part,
    server: Server,
    now: Instant,
    /// UDP, TCP and TLS.
    listeners: [ListenerId; 3],
    /// The connections that hosts have opened.
    connections: Vec<(SocketAddr, ConnectionId)>,
    sent: Vec<(Flow, String)>,
    /// The branches of the server's requests; the last one was given last.
    branches: Vec<Name>,
    /// The flows of those requests, by branch.
    ways: Vec<(String, Flow)>,
    /// The tags of the server's responses.
    tags: Vec<Name>,
    /// The server's own Record-Route.
    route: Option<Name>,
    last_request: String,
    keyring: Keyring,
    random: Random,
    challenge: Option<Response>,
}

impl<'a> Stage<'a> {
    pub(crate) fn new(flow: &Path, part: &'a Part) -> Self {
        let mut config = Config::new(Seed::from_u64(1));
        config.rport = false;
        let domain: sansip::message::HostBuf = part.domain.parse().expect("a domain");
        let user =
            |name: &&str| User { name: (*name).into(), domain: domain.clone(), secret: Secret::password(PASSWORD) };
        let mut settings = Settings {
            domains: vec![domain.clone(), part.host.parse().expect("a host")],
            users: part.users.iter().map(user).collect(),
            digest: Digest { algorithms: vec![Algorithm::MD5], ..Digest::default() },
            redirect: part.redirects,
            relay: part.users.is_empty(),
            ..Settings::default()
        };
        settings.proxy.record_route = part.stays;
        let mut server = Server::server(config, settings);
        let at = |port| SocketAddr::new(address_of(part.host), port);
        let name = |port| format!("{}:{port}", part.host).parse().expect("a host");
        // Credentials that are computed are longer than those of the RFC, and the flows stay on UDP all the same.
        let udp = Listener::udp(at(5060)).with_mtu(2_000);
        let listeners = [udp, Listener::tcp(at(5060)), Listener::tls(at(5061))].map(|listener| {
            let port = listener.local.port();
            server.listen(listener.with_sent_by(name(port)))
        });
        let mut stage = Self {
            flow: flow.to_owned(),
            part,
            server,
            now: Instant::ZERO,
            listeners,
            connections: Vec::new(),
            sent: Vec::new(),
            branches: Vec::new(),
            ways: Vec::new(),
            tags: Vec::new(),
            route: None,
            last_request: String::new(),
            keyring: Keyring::new(auth::Limits::default()),
            random: Random::new(Seed::from_u64(2), Script::default()),
            challenge: None,
        };
        if !part.bound.is_empty() {
            stage.bind();
        }
        stage
    }

    pub(crate) fn play(&mut self, step: Step) {
        match step {
            Step::Hear(file) => {
                let text = self.heard(file);
                self.enter(&text);
            }
            Step::Forged(file) => {
                let text = self.heard(file);
                self.arrive(&text);
            }
            Step::Say(file) => self.say(file),
            Step::Also(start) => drop(self.take_sent(start)),
            Step::HearOf(status) => {
                let request = self.last_request.replace("\r\n ", " ");
                let copied = ["Via: ", "From: ", "Call-ID: ", "CSeq: "];
                let copied = request.split("\r\n").filter(|line| copied.iter().any(|name| line.starts_with(name)));
                let copied = copied.map(|line| format!("{line}\r\n")).collect::<String>();
                let to = field(&request, "To");
                self.arrive(&format!(
                    "SIP/2.0 {status}\r\n{copied}To: {to};tag={BOBS_TAG}\r\nContent-Length: 0\r\n\r\n"
                ));
            }
            Step::Lapse => self.lapse(),
        }
    }

    pub(crate) fn end(&self) {
        assert!(self.sent.is_empty(), "{}: more was sent: {:#?}", self.part.flow, self.sent);
    }

    /// Registers Bob's contacts as Bob would.
    fn bind(&mut self) {
        let (domain, contacts) = (self.part.domain, self.part.bound.join(">, <"));
        let proof = if self.part.users.is_empty() {
            String::new()
        } else {
            format!("Authorization: Digest username=\"bob\", realm=\"{domain}\"\r\n")
        };
        let registrar = self.part.host;
        let (scheme, protocol, port) = match () {
            () if contacts.starts_with("sips:") => ("sips", "TLS", 5061),
            () if self.part.tcp.is_empty() => ("sip", "UDP", 5060),
            () => ("sip", "TCP", 5060),
        };
        let host = contacts.split(['@', ';', '>']).nth(1).expect("a host");
        let register = format!(
            "REGISTER {scheme}:{registrar} SIP/2.0\r\n\
             Via: SIP/2.0/{protocol} {host}:{port};branch=z9hG4bKbind\r\nMax-Forwards: 70\r\n\
             From: <{scheme}:bob@{domain}>;tag=bind\r\nTo: <{scheme}:bob@{domain}>\r\nCall-ID: bind\r\nCSeq: 1 REGISTER\r\n\
             Contact: <{contacts}>\r\n{proof}Content-Length: 0\r\n\r\n"
        );
        self.enter(&register);
        self.take_sent("SIP/2.0 200 OK");
    }

    /// A message of the RFC as it reaches the server: with the names that the server has given.
    fn heard(&self, file: &str) -> String {
        let mut text = meant(&self.flow, self.part.oddities, file);
        if let Some(branch) = branch_of(&text).map(str::to_owned)
            && let Some(name) = self.branches.iter().rev().find(|name| name.printed == branch)
        {
            text = text.replace(&format!("branch={}", name.printed), &format!("branch={}", name.ours));
        }
        for name in &self.tags {
            text = text.replace(&format!("tag={}\r\n", name.printed), &format!("tag={}\r\n", name.ours));
        }
        if let Some(route) = self.route.as_ref().filter(|_| field(&text, "To").contains(";tag=")) {
            text = text.replace(&route.printed, &route.ours);
        }
        text
    }

    fn say(&mut self, file: &str) {
        let flow = self.part.flow;
        let expected = meant(&self.flow, self.part.oddities, file);
        let (way, mut text) = self.take_sent(expected.split("\r\n").next().expect("a start line"));
        if text.starts_with("SIP/2.0 ") {
            self.learn_tag(&text, &expected);
            if text.starts_with("SIP/2.0 401 ") || text.starts_with("SIP/2.0 407 ") {
                self.challenge = Some(response(&text));
            }
        } else {
            let [ours, printed] = [&text, &expected].map(|text| branch_of(text).expect("a branch").to_owned());
            self.ways.push((ours.clone(), way));
            self.branches.push(Name { ours, printed });
            self.last_request = text.clone();
            if text.contains("\r\nRecord-Route: ") {
                text = self.learn_route(&text);
            }
        }
        for name in self.branches.iter().chain(&self.tags).chain(&self.route) {
            text = text.replace(&name.ours, &name.printed);
        }
        assert_eq!(shown(&compared(&text)), shown(&compared(&expected)), "{} {flow} {file}", self.part.host);
    }

    /// Remembers the tag that the server has put into its own response.
    fn learn_tag(&mut self, text: &str, expected: &str) {
        let [ours, printed] = [text, expected].map(|text| field(text, "To").split_once(";tag=").map(|(_, tag)| tag));
        if let (Some(ours), Some(printed)) = (ours, printed)
            && ours != printed
            && !self.tags.iter().any(|name| name.ours == ours)
        {
            self.tags.push(Name { ours: ours.to_owned(), printed: printed.to_owned() });
        }
    }

    /// Remembers the server's Record-Route; the message without the token in the route, so that the rest of the route is compared.
    fn learn_route(&mut self, text: &str) -> String {
        let value = field(text, "Record-Route").split(',').next().expect("a value").trim();
        let (before, token) = value.split_once(";token=").unwrap_or((value, ">"));
        let after = token.find([';', '>']).map_or("", |end| &token[end..]);
        let printed = format!("<sip:{};lr>", self.part.host);
        let without = text.replace(value, &format!("{before}{after}"));
        self.route = Some(Name { ours: value.to_owned(), printed });
        without
    }

    /// The first message with this start line that was sent and not compared yet.
    fn take_sent(&mut self, start: &str) -> (Flow, String) {
        let place = self.sent.iter().position(|(_, text)| text.starts_with(&format!("{start}\r\n")));
        let place = place.unwrap_or_else(|| panic!("{}: no {start} among {:#?}", self.part.flow, self.sent));
        self.sent.remove(place)
    }

    /// A message arrives, a request with credentials that the server takes. The RFC's are made up.
    fn enter(&mut self, text: &str) {
        let realm = format!("realm=\"{}\"", self.part.domain);
        let (head, body) = text.split_once("\r\n\r\n").expect("an end of headers");
        let head = head.replace("\r\n ", " ");
        let is_proof = |line: &&str| line.contains("uthorization: Digest ") && line.contains(&realm);
        let proof = head.split("\r\n").find(is_proof).filter(|_| !self.part.users.is_empty());
        let Some(proof) = proof else { return self.arrive(text) };
        let (_, user) = proof.split_once("username=\"").expect("a user");
        let login = Login::new(user.split('"').next().expect("a user"), Secret::password(PASSWORD));
        if self.keyring.spaces() == 0 {
            self.keyring.insert((), Scope::Any, login).expect("a login");
        }
        let bare = format!("{}\r\n\r\n{body}", head.replace(&format!("\r\n{proof}"), ""));
        if self.challenge.is_none() && self.keyring.spaces() == 0 {
            // What proves itself at once has been asked before.
            self.arrive(&bare.replacen(";branch=z9hG4bK", ";branch=z9hG4bKbefore", 1));
            let (_, answer) = self.sent.pop().expect("a challenge");
            self.challenge = Some(response(&answer));
        }
        let request = request(&bare);
        let fields = match self.challenge.take() {
            Some(challenge) => match self.keyring.answer((), &request, &challenge, Unknown::Ask, &mut self.random) {
                Outcome::Again(fields) => fields,
                other => panic!("{}: {other:?}", self.part.flow),
            },
            None => self.keyring.authorize((), &request),
        };
        let request = fields.edit(request.edit()).finish().expect("a request");
        self.arrive(core::str::from_utf8(request.as_bytes()).expect("text"));
    }

    /// A message arrives over the protocol of its topmost Via: a request from the host that the Via names, a response from
    /// where the request went.
    fn arrive(&mut self, text: &str) {
        let (protocol, sent_by) = field(text, "Via").split_once(' ').expect("a Via");
        let listener = self.listeners[match protocol {
            "SIP/2.0/UDP" => 0,
            "SIP/2.0/TCP" => 1,
            _ => 2,
        }];
        let bytes = text.as_bytes();
        let way = if text.starts_with("SIP/2.0 ") {
            let branch = branch_of(text).expect("a branch");
            let known = self.ways.iter().find(|(ours, _)| ours == branch);
            known.unwrap_or_else(|| panic!("nobody has sent {branch}")).1
        } else {
            let host = sent_by.split([':', ';']).next().expect("a host");
            let remote = SocketAddr::new(address_of(host), 5060);
            let connection = (listener != self.listeners[0]).then(|| self.connection(listener, remote));
            Flow { listener, remote, connection }
        };
        let input = match way.connection {
            Some(connection) => Input::Stream { connection, bytes },
            None => Input::Datagram { listener: way.listener, remote: way.remote, bytes },
        };
        self.server.handle(self.now, input);
        self.drain();
    }

    /// The connection of a host, which opens one if it has none.
    fn connection(&mut self, listener: ListenerId, remote: SocketAddr) -> ConnectionId {
        if let Some((_, connection)) = self.connections.iter().find(|(host, _)| *host == remote) {
            return *connection;
        }
        let connection = self.server.reserve();
        self.server.handle(self.now, Input::Accepted { listener, connection, remote });
        self.connections.push((remote, connection));
        connection
    }

    fn lapse(&mut self) {
        let end = self.now + Duration::from_secs(40);
        while let Some(next) = self.server.deadline().filter(|next| *next < end) {
            self.now = next;
            self.server.handle(next, Input::Tick);
            self.drain();
        }
        // What is repeated is compared once, and a request was compared when it was sent first.
        let mut seen = vec![self.last_request.clone()];
        self.sent.retain(|(_, text)| {
            let is_new = !seen.contains(text);
            seen.push(text.clone());
            is_new
        });
    }

    /// Does what the server wants, and keeps what it sends.
    fn drain(&mut self) {
        while let Some(output) = self.server.poll() {
            match output {
                Output::Send(transmit) => {
                    let text = String::from_utf8(transmit.bytes.to_vec()).expect("text");
                    self.sent.push((transmit.flow, text));
                }
                Output::Open { connection, .. } => {
                    let change = Change::Opened { identities: &[] };
                    self.server.handle(self.now, Input::Connection { connection, change });
                }
                Output::Resolve { query, question } => {
                    let answers = resolved(self.part.tcp, &question);
                    self.server.handle(self.now, Input::Resolved { query, answers: &answers });
                }
                _ => {}
            }
        }
    }
}

/// A message without the fields that are not compared.
fn compared(text: &str) -> String {
    let (head, body) = text.split_once("\r\n\r\n").expect("an end of headers");
    let head = head.replace("\r\n ", " ");
    let lines = head.split("\r\n").filter(|line| !LEFT_OUT.iter().any(|name| line.starts_with(name)));
    format!("{}\r\n\r\n{body}", lines.collect::<Vec<_>>().join("\r\n"))
}

/// The branch of the topmost Via.
fn branch_of(text: &str) -> Option<&str> {
    let (_, rest) = text.split_once("branch=")?;
    rest.split([';', '\r', ',', ' ']).next()
}

fn request(text: &str) -> Request {
    match Message::parse(text.as_bytes(), &Limits::default()) {
        Ok(Message::Request(request)) => request,
        other => panic!("no request: {other:?}"),
    }
}

fn response(text: &str) -> Response {
    match Message::parse(text.as_bytes(), &Limits::default()) {
        Ok(Message::Response(response)) => response,
        other => panic!("no response: {other:?}"),
    }
}
