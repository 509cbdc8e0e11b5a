//! One user agent of ours among the RFC's messages.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use sansip::auth::{Login, Scope, Secret};
use sansip::extension::Extensions;
use sansip::message::{Limits, Message, Method, Request, StatusCode, UriBuf};
use sansip::user_agent::{Binding, Body, Event, Extra, Outgoing, Policy, Profile, Redirects, Register, UserAgent};
use sansip::{
    CallId, Change, Config, ConnectionId, Duration, Input, Instant, Listener, ListenerId, Node, Output, Script, Seed,
};

use super::compare::{quoted, shown};
use super::texts::{address_of, field, meant, printed, resolved};
use super::{Deed, Part, Step};

pub(crate) struct Stage<'a> {
    flow: PathBuf,
    part: &'a Part,
    agent: UserAgent,
    now: Instant,
    /// UDP, TCP and TLS.
    listeners: [ListenerId; 3],
    /// The connection that was opened or accepted last.
    connection: Option<ConnectionId>,
    sent: VecDeque<String>,
    last_request: Option<String>,
    call: Option<CallId>,
    names_listeners: bool,
}

impl<'a> Stage<'a> {
    pub(crate) fn new(flow: &Path, part: &'a Part) -> Self {
        let mut config = Config::new(Seed::from_u64(1));
        config.rport = false;
        config.script = script(flow, part);
        let mut profile = Profile::new(part.who.identity.parse().expect("an identity"));
        profile.capabilities = false;
        profile.extensions = Extensions::NONE;
        profile.contact = contact(flow, part);
        let names_listeners = profile.contact.is_none();
        profile.policy = Policy { redirects: Redirects::Follow, tells_moves: false, ..Policy::NONE };
        let mut agent = UserAgent::user_agent(config, profile);
        let login = Login::new(&part.who.name.to_lowercase(), Secret::password("zanzibar")).for_outbound_proxy();
        agent.login(Scope::Any, login).expect("a login");
        let at = |port| SocketAddr::from((part.who.address, port));
        let name = |port| format!("{}:{port}", part.who.host).parse().expect("a host");
        let listeners = [Listener::udp(at(5060)), Listener::tcp(at(5060)), Listener::tls(at(5061))].map(|listener| {
            let port = listener.local.port();
            agent.listen(listener.with_sent_by(name(port)))
        });
        Self {
            flow: flow.to_owned(),
            part,
            agent,
            now: Instant::ZERO,
            listeners,
            connection: None,
            sent: VecDeque::new(),
            last_request: None,
            call: None,
            names_listeners,
        }
    }

    pub(crate) fn act(&mut self, deed: Deed) {
        let now = self.now;
        match deed {
            Deed::Learn(file) => self.learn(file),
            Deed::Call(file) => {
                let invite = self.request(file);
                let outgoing = outgoing(&invite);
                self.call = Some(self.agent.call(now, outgoing).expect("a call"));
            }
            Deed::Ring => self.agent.ring(now, self.call()).expect("it rings"),
            Deed::Answer(file) => {
                let body = self.body(file);
                self.agent.answer(now, self.call(), body).expect("an answer");
            }
            Deed::AnswerOffer(file) => {
                let body = self.body(file);
                self.agent.answer_offer(now, self.call(), body).expect("an answer");
            }
            Deed::AcceptOffer(file) => {
                let body = self.body(file);
                self.agent.accept_offer(now, self.call(), body).expect("an answer");
            }
            Deed::Reject(status) => self.agent.reject(now, self.call(), status).expect("a rejection"),
            Deed::HangUp => self.agent.hang_up(now, self.call()).expect("an end"),
            Deed::Move(host) => self.relocate(host),
            Deed::Change(file) => {
                let body = self.body(file);
                self.agent.modify(now, self.call(), body).expect("a change");
            }
            Deed::Register => {
                let register = Register::at(&registrar()).interval_of_registrar();
                self.agent.register(now, register).expect("a registration");
            }
            Deed::Bind(contact) => {
                let contact = contact.parse().expect("a URI");
                let register = Register::at(&registrar()).interval_of_registrar().binding(Binding::to(&contact));
                self.agent.register(now, register).expect("a registration");
            }
            Deed::Query => drop(self.agent.query_bindings(now, &registrar()).expect("a query")),
            Deed::UnregisterAll => drop(self.agent.unregister_all(now, &registrar()).expect("a removal")),
            Deed::Lapse => self.lapse(),
        }
        self.drain();
    }

    pub(crate) fn say(&mut self, file: &str) {
        let flow = self.part.flow;
        let sent = self.sent.pop_front().unwrap_or_else(|| panic!("{flow} {file}: nothing was sent"));
        // A listener's name has the default port, as the Via of the same message has it; the RFC's Contact leaves it out.
        let sent = match sent.split_once("\r\nContact: ") {
            Some((head, rest)) if self.names_listeners => {
                format!("{head}\r\nContact: {}", rest.replacen(":5060", "", 1))
            }
            _ => sent,
        };
        assert_eq!(shown(&sent), shown(&meant(&self.flow, self.part.oddities, file)), "{flow} {file}");
    }

    pub(crate) fn hear(&mut self, file: &str) {
        let text = meant(&self.flow, self.part.oddities, file);
        self.take(&text);
    }

    pub(crate) fn hear_of(&mut self, status: StatusCode, file: &str) {
        let request = self.last_request.clone().expect("a request");
        let to = field(&printed(&self.flow, file), "To").to_owned();
        let response = response_to(&request, status.get(), &to, "");
        self.take(&response);
    }

    pub(crate) fn end(&self) {
        assert!(self.sent.is_empty(), "{}: more was sent: {:#?}", self.part.flow, self.sent);
    }

    /// Sends a request that is challenged for the credentials of the file.
    fn learn(&mut self, file: &str) {
        let text = printed(&self.flow, file);
        let (name, challenge, status) = if text.contains("\r\nProxy-Authorization:") {
            ("Proxy-Authorization", "Proxy-Authenticate", 407)
        } else {
            ("Authorization", "WWW-Authenticate", 401)
        };
        let credentials = field(&text, name);
        let [realm, nonce] = ["realm", "nonce"].map(|parameter| quoted(credentials, parameter));
        let challenge = format!(
            "{challenge}: Digest realm=\"{realm}\", qop=\"auth\", nonce=\"{nonce}\", opaque=\"\", algorithm=MD5\r\n"
        );
        let request = self.request(file);
        if request.method() == Method::Register {
            self.agent.query_bindings(self.now, &registrar()).expect("a query");
        } else {
            self.agent.ask(self.now, Method::Options, outgoing(&request).body(None)).expect("a request");
        }
        self.drain();
        for (status, fields) in [(status, &*challenge), (200, "")] {
            let sent = self.sent.pop_front().expect("a request");
            self.take(&response_to(&sent, status, &format!("{};tag=learn", field(&sent, "To")), fields));
        }
    }

    fn relocate(&mut self, host: &str) {
        let moved = Listener::udp(SocketAddr::new(address_of(host), 5060));
        let moved = moved.with_sent_by(format!("{host}:5060").parse().expect("a host"));
        self.agent.listener_moved(self.now, self.listeners[0], moved).expect("a move");
    }

    fn lapse(&mut self) {
        self.drain();
        let before = self.sent.len();
        let end = self.now + Duration::from_secs(40);
        while let Some(next) = self.agent.deadline().filter(|next| *next < end) {
            self.now = next;
            self.agent.handle(next, Input::Tick);
            self.drain();
        }
        self.sent.truncate(before);
    }

    fn call(&self) -> CallId {
        self.call.expect("a call")
    }

    fn request(&self, file: &str) -> Request {
        let text = meant(&self.flow, self.part.oddities, file);
        let Ok(Message::Request(request)) = Message::parse(text.as_bytes(), &Limits::default()) else {
            panic!("{file} is no request")
        };
        request
    }

    fn body(&self, file: &str) -> Extra {
        let message = Message::parse(printed(&self.flow, file).as_bytes(), &Limits::default()).expect("a message");
        Body::of_message(&message).into()
    }

    /// Takes a message in, over the protocol of its topmost Via.
    fn take(&mut self, text: &str) {
        let via = field(text, "Via");
        let is_request = !text.starts_with("SIP/2.0 ");
        let (protocol, sent_by) = via.split_once(' ').expect("a Via");
        let host = sent_by.split([':', ';']).next().expect("a host");
        let remote = SocketAddr::from((address_of(host), 5060));
        let bytes = text.as_bytes();
        let listener = self.listeners[match protocol {
            "SIP/2.0/UDP" => 0,
            "SIP/2.0/TCP" => 1,
            _ => 2,
        }];
        if listener == self.listeners[0] {
            self.agent.handle(self.now, Input::Datagram { listener, remote, bytes });
        } else {
            let connection = match self.connection.filter(|_| !is_request) {
                Some(connection) => connection,
                None => {
                    let connection = self.agent.reserve();
                    self.agent.handle(self.now, Input::Accepted { listener, connection, remote });
                    connection
                }
            };
            self.agent.handle(self.now, Input::Stream { connection, bytes });
        }
        self.drain();
    }

    /// Does what the user agent wants, and keeps what it sends.
    fn drain(&mut self) {
        while let Some(output) = self.agent.poll() {
            match output {
                Output::Send(transmit) => {
                    let text = String::from_utf8(transmit.bytes.to_vec()).expect("text");
                    if !text.starts_with("SIP/2.0 ") {
                        self.last_request = Some(text.clone());
                    }
                    self.sent.push_back(text);
                }
                Output::Open { connection, .. } => {
                    self.connection = Some(connection);
                    let change = Change::Opened { identities: &[] };
                    self.agent.handle(self.now, Input::Connection { connection, change });
                }
                Output::Resolve { query, question } => {
                    let answers = resolved(self.part.tcp, &question);
                    self.agent.handle(self.now, Input::Resolved { query, answers: &answers });
                }
                Output::Event(Event::Incoming { call, .. }) => self.call = Some(call),
                _ => {}
            }
        }
    }
}

/// The registrar of the flows.
fn registrar() -> UriBuf {
    "sips:ss2.biloxi.example.com".parse().expect("a URI")
}

/// The Contact that this user agent names in all its messages. `None`: it names its listeners, as its host moves or it uses UDP and TCP.
fn contact(flow: &Path, part: &Part) -> Option<UriBuf> {
    let said = part.steps.iter().filter_map(|step| match step {
        Step::Say(file) => Some(meant(flow, part.oddities, file)),
        _ => None,
    });
    let contact = |text: String| Some(text.split_once("\r\nContact: <")?.1.split_once('>')?.0.to_owned());
    let mut contacts: Vec<String> = said.filter_map(contact).collect();
    contacts.dedup();
    match &contacts[..] {
        [contact] => Some(contact.parse().expect("a URI")),
        _ => None,
    }
}

/// The request outside of dialogs that has the address, the routes and the body of this one.
fn outgoing(request: &Request) -> Outgoing {
    let mut outgoing = Outgoing::to(&request.headers().to().expect("To").to_buf()).body(Body::of_request(request));
    for route in request.headers().all::<sansip::message::header::Route<'_>>() {
        outgoing = outgoing.route(&route.expect("a route").0.uri.to_buf());
    }
    outgoing
}

fn response_to(request: &str, status: u16, to: &str, fields: &str) -> String {
    let copied =
        ["Via", "From", "Call-ID", "CSeq"].map(|name| format!("{name}: {}\r\n", field(request, name))).concat();
    format!("SIP/2.0 {status} Left Out\r\n{copied}To: {to}\r\n{fields}Content-Length: 0\r\n\r\n")
}

/// The random values of the messages that the part says.
fn script(flow: &Path, part: &Part) -> Script {
    let mut script = Script::default();
    if part.steps.iter().any(|step| matches!(step, Step::Do(Deed::Learn(_)))) {
        script.branches.extend(["learn.1".to_owned(), "learn.2".to_owned()]);
        script.tags.push_back("learn".to_owned());
        script.call_ids.push_back("learn".to_owned());
        script.sequence_numbers.push_back(1);
    }
    let mut counted = Vec::new();
    for step in part.steps {
        let Step::Say(file) = step else { continue };
        let text = meant(flow, part.oddities, file);
        let tag = |name: &str| field(&text, name).split_once(";tag=").map(|(_, tag)| tag.to_owned());
        let new = |list: &VecDeque<String>, value: &String| !list.contains(value);
        let number =
            field(&text, "CSeq").split(' ').next().and_then(|number| number.parse::<u32>().ok()).expect("a CSeq");
        let call_id = field(&text, "Call-ID").to_owned();
        if text.starts_with("SIP/2.0 ") {
            script.tags.extend(tag("To").filter(|tag| new(&script.tags, tag)));
            continue;
        }
        let (_, branch) = field(&text, "Via").split_once("branch=z9hG4bK").expect("a branch");
        let branch = branch.split([';', '\r']).next().expect("a branch").to_owned();
        if new(&script.branches, &branch) {
            script.branches.push_back(branch);
        }
        if !counted.contains(&call_id) {
            script.sequence_numbers.push_back(number);
            counted.push(call_id.clone());
        }
        if tag("To").is_none() && new(&script.call_ids, &call_id) {
            script.tags.extend(tag("From"));
            script.call_ids.push_back(call_id);
        }
    }
    script
}
