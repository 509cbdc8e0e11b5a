//! A user agent that keeps many registrations, each for an address-of-record of its own, and the registrar that answers it.

use std::net::SocketAddr;

use sansip::message::{HeaderId, Limits, Message, Response, StatusCode, UriBuf};
use sansip::user_agent::{Profile, Register, UserAgent};
use sansip::{Config, Duration, Input, Instant, Listener, ListenerId, Node, Output, Seed};

/// Says what is granted, in seconds.
const GRANTED: u64 = 3_600;

/// A user agent, and its clock.
pub(crate) struct Holder {
    agent: UserAgent,
    listener: ListenerId,
    registrar: UriBuf,
    now: Instant,
}

impl Holder {
    pub(crate) fn new() -> Self {
        let profile = Profile::new("<sip:trunk@biloxi.com>".parse().expect("an address"));
        let mut agent = UserAgent::user_agent(Config::new(Seed::from_u64(1)), profile);
        let listener = agent.listen(Listener::udp(SocketAddr::from(([192, 0, 2, 4], 5060))));
        Self { agent, listener, registrar: "sip:192.0.2.3".parse().expect("a URI"), now: Instant::ZERO }
    }

    /// Begins a registration, from the command to the octets of the REGISTER.
    pub(crate) fn begin(&mut self, number: usize, sent: &mut Vec<Vec<u8>>) {
        self.now += Duration::from_millis(1);
        let address = format!("<sip:user{number}@biloxi.com>").parse().expect("an address");
        let register = Register::at(&self.registrar).address_of_record(&address);
        self.agent.register(self.now, register).expect("a registration");
        self.drain(sent);
    }

    /// Lets the next refresh become due, from the timer to the octets of the REGISTER.
    pub(crate) fn refresh(&mut self, sent: &mut Vec<Vec<u8>>) {
        self.now = self.now.max(self.agent.deadline().expect("a refresh"));
        self.agent.handle(self.now, Input::Tick);
        self.drain(sent);
    }

    /// Takes the 200 to a REGISTER.
    pub(crate) fn accepted(&mut self, response: &[u8]) {
        let remote = SocketAddr::from(([192, 0, 2, 3], 5060));
        self.agent.handle(self.now, Input::Datagram { listener: self.listener, remote, bytes: response });
        self.drain(&mut Vec::new());
    }

    /// All transactions end.
    pub(crate) fn settle(&mut self) {
        self.now += Duration::from_secs(60);
        self.agent.handle(self.now, Input::Tick);
        self.drain(&mut Vec::new());
    }

    fn drain(&mut self, sent: &mut Vec<Vec<u8>>) {
        while let Some(output) = self.agent.poll() {
            if let Output::Send(transmit) = output {
                sent.push(transmit.bytes.to_vec());
            }
        }
    }
}

/// The 200 to a REGISTER.
pub(crate) fn accept(register: &[u8]) -> Vec<u8> {
    let Ok(Message::Request(request)) = Message::parse(register, &Limits::default()) else { panic!("a REGISTER") };
    let contact = request.headers().raw(HeaderId::Contact).expect("a Contact");
    let contact = [contact, format!(";expires={GRANTED}").as_bytes()].concat();
    let response = Response::to(&request, StatusCode::OK).to_tag("r").header(HeaderId::Contact, contact);
    response.finish().expect("a 200").as_bytes().to_vec()
}
