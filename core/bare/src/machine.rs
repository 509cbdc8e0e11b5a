//! A node of sansip with its buffer, as the exports see it.

use alloc::boxed::Box;
use alloc::{format, vec};
use core::net::{Ipv4Addr, SocketAddr};

use sansip::message::header::NameAddrBuf;
use sansip::server::{Route, Settings};
use sansip::user_agent::{Body, Event, Outgoing, Profile};
use sansip::{CallId, Config, Input, Instant, Listener, ListenerId, NextHop, Node, Output, Seed, Server, UserAgent};

const ALICE: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 1);
const ATLANTA: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 2);
const BILOXI: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 3);
const BOB: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 4);

/// One of the four nodes.
#[derive(Debug)]
pub struct Machine {
    role: Role,
    listener: ListenerId,
    address: Ipv4Addr,
    /// The datagram that came or goes.
    pub(crate) octets: Box<[u8]>,
    /// Where it goes.
    pub(crate) destination: u32,
}

#[derive(Debug)]
enum Role {
    Phone(Box<UserAgent>, Option<CallId>),
    Server(Box<Server>),
}

impl Machine {
    pub(crate) fn new(address: u32, seed: u64) -> Option<Self> {
        let address = Ipv4Addr::from(address);
        let mut secret = [0; 32];
        secret[..8].copy_from_slice(&seed.to_be_bytes());
        let config = Config::new(Seed::new(secret));
        let mut role = match address {
            ALICE => phone(config, "Alice <sip:alice@atlanta.com>", ATLANTA)?,
            ATLANTA => server(config, "atlanta.com", "biloxi.com", BILOXI)?,
            BILOXI => server(config, "biloxi.com", "bob@biloxi.com", BOB)?,
            BOB => phone(config, "Bob <sip:bob@biloxi.com>", BILOXI)?,
            _ => return None,
        };
        let listener = Listener::udp(at(address));
        let listener = match &mut role {
            Role::Phone(phone, _) => phone.listen(listener),
            Role::Server(server) => server.listen(listener),
        };
        Some(Self { role, listener, address, octets: vec![0; usize::from(u16::MAX)].into(), destination: 0 })
    }

    pub(crate) fn receive(&mut self, now: Instant, remote: u32, length: usize) {
        let Some(bytes) = self.octets.get(..length) else { return };
        let input = Input::Datagram { listener: self.listener, remote: at(remote.into()), bytes };
        match &mut self.role {
            Role::Phone(phone, _) => phone.handle(now, input),
            Role::Server(server) => server.handle(now, input),
        }
    }

    pub(crate) fn tick(&mut self, now: Instant) {
        match &mut self.role {
            Role::Phone(phone, _) => phone.handle(now, Input::Tick),
            Role::Server(server) => server.handle(now, Input::Tick),
        }
    }

    pub(crate) fn deadline(&self) -> Option<Instant> {
        match &self.role {
            Role::Phone(phone, _) => phone.deadline(),
            Role::Server(server) => server.deadline(),
        }
    }

    pub(crate) fn is_idle(&self) -> bool {
        match &self.role {
            Role::Phone(phone, _) => phone.is_idle(),
            Role::Server(server) => server.is_idle(),
        }
    }

    /// The length of the next datagram; all addresses are numbers and all listeners UDP, so that nothing else goes out.
    pub(crate) fn poll(&mut self) -> u32 {
        let transmit = match &mut self.role {
            Role::Phone(phone, call) => loop {
                match phone.poll() {
                    Some(Output::Send(transmit)) => break transmit,
                    Some(Output::Event(Event::Incoming { call: incoming, .. })) => *call = Some(incoming),
                    Some(_) => {}
                    None => return 0,
                }
            },
            Role::Server(server) => loop {
                match server.poll() {
                    Some(Output::Send(transmit)) => break transmit,
                    Some(_) => {}
                    None => return 0,
                }
            },
        };
        let SocketAddr::V4(remote) = transmit.flow.remote else { return 0 };
        self.destination = remote.ip().to_bits();
        let length = transmit.bytes.len().min(self.octets.len());
        self.octets[..length].copy_from_slice(&transmit.bytes[..length]);
        length as u32
    }

    pub(crate) fn call(&mut self, now: Instant) -> Option<()> {
        let (target, offer) = ("Bob <sip:bob@biloxi.com>".parse::<NameAddrBuf>().ok()?, self.session());
        let Role::Phone(phone, call) = &mut self.role else { return None };
        *call = Some(phone.call(now, Outgoing::to(&target).body(offer)).ok()?);
        Some(())
    }

    pub(crate) fn ring(&mut self, now: Instant) -> Option<()> {
        let Role::Phone(phone, Some(call)) = &mut self.role else { return None };
        phone.ring(now, *call).ok()
    }

    pub(crate) fn answer(&mut self, now: Instant) -> Option<()> {
        let session = self.session();
        let Role::Phone(phone, Some(call)) = &mut self.role else { return None };
        phone.answer(now, *call, session).ok()
    }

    pub(crate) fn hang_up(&mut self, now: Instant) -> Option<()> {
        let Role::Phone(phone, Some(call)) = &mut self.role else { return None };
        phone.hang_up(now, *call).ok()
    }

    fn session(&self) -> Body {
        let ip = self.address;
        Body::sdp(format!("v=0\r\no=- 1 1 IN IP4 {ip}\r\ns=-\r\nc=IN IP4 {ip}\r\nt=0 0\r\nm=audio 9 RTP/AVP 0\r\n"))
    }
}

fn at(address: Ipv4Addr) -> SocketAddr {
    (address, 5060).into()
}

fn phone(config: Config, user: &str, outbound: Ipv4Addr) -> Option<Role> {
    let mut profile = Profile::new(user.parse().ok()?);
    profile.outbound = Some(NextHop::from(at(outbound)));
    Some(Role::Phone(Box::new(UserAgent::user_agent(config, profile)), None))
}

fn server(config: Config, domain: &str, key: &str, next_hop: Ipv4Addr) -> Option<Role> {
    let route = Route { key: key.parse().ok()?, next_hop: at(next_hop).into() };
    let settings = Settings { domains: vec![domain.parse().ok()?], routes: vec![route], ..Settings::default() };
    Some(Role::Server(Box::new(Server::server(config, settings))))
}
