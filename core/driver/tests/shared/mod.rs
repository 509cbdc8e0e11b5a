//! The common parts of the tests: either driver, a listener that nobody gets through to, a request as a peer without a stack writes it.

#![allow(dead_code, reason = "each test uses a part of it")]

use std::net::{IpAddr, SocketAddr};

use sansip::user_agent::{Event, UserAgent};
use sansip::{Duration, Instant, Listener, ListenerId};
use sansip_driver::{Resolver, Seen, Turn, blocking, tokio as asynchronous};
use socket2::{Domain, Socket, Type};

pub(crate) fn any_port() -> SocketAddr {
    "127.0.0.1:0".parse().expect("an address")
}

/// Either driver.
#[derive(Debug)]
pub(crate) enum Driver {
    Blocking(blocking::Driver),
    Tokio(tokio::runtime::Runtime, asynchronous::Driver),
}

impl Driver {
    pub(crate) fn blocking(resolver: Resolver) -> Self {
        Self::Blocking(blocking::Driver::with_resolver(resolver).expect("a driver"))
    }

    pub(crate) fn tokio(resolver: Resolver) -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        Self::Tokio(runtime, asynchronous::Driver::new(resolver))
    }

    pub(crate) fn both() -> [Self; 2] {
        [Self::blocking(Resolver::System), Self::tokio(Resolver::System)]
    }

    pub(crate) fn now(&self) -> Instant {
        match self {
            Self::Blocking(driver) => driver.now(),
            Self::Tokio(_, driver) => driver.now(),
        }
    }

    pub(crate) fn listen(&mut self, agent: &mut UserAgent, listener: Listener) -> (ListenerId, Listener) {
        match self {
            Self::Blocking(driver) => driver.listen(agent, listener).expect("a port"),
            Self::Tokio(runtime, driver) => {
                let _within = runtime.enter();
                driver.listen(agent, listener).expect("a port")
            }
        }
    }

    pub(crate) fn next(&mut self, agent: &mut UserAgent, until: Instant) -> Turn<Event> {
        match self {
            Self::Blocking(driver) => driver.next(agent, Some(until)).expect("a driver that waits"),
            Self::Tokio(runtime, driver) => runtime.block_on(driver.next(agent, Some(until))),
        }
    }

    pub(crate) fn observe(&mut self, observe: impl FnMut(&Seen<'_>) + Send + 'static) {
        match self {
            Self::Blocking(driver) => driver.observe(observe),
            Self::Tokio(_, driver) => driver.observe(observe),
        }
    }

    /// Drives for so long.
    pub(crate) fn run(&mut self, agent: &mut UserAgent, time: Duration) {
        let until = self.now() + time;
        while !matches!(self.next(agent, until), Turn::Time) {}
    }

    /// How many listeners and connections it has.
    pub(crate) fn holdings(&self) -> String {
        match self {
            Self::Blocking(driver) => format!("{driver:?}"),
            Self::Tokio(_, driver) => format!("{driver:?}"),
        }
    }
}

/// A listener whose queue is full: the system answers nobody who comes then. It is gone with this.
pub(crate) struct FullQueue {
    pub(crate) address: SocketAddr,
    _sockets: Vec<Socket>,
}

impl FullQueue {
    /// At a port of that address.
    pub(crate) fn at(ip: IpAddr) -> Self {
        let tcp = || Socket::new(Domain::IPV4, Type::STREAM, None).expect("a socket");
        let listener = tcp();
        listener.bind(&SocketAddr::new(ip, 0).into()).and_then(|()| listener.listen(0)).expect("a listener");
        let address = listener.local_addr().expect("an address").as_socket().expect("an address of IP");
        let near = SocketAddr::from(([127, 0, 0, 1], address.port()));
        let waiting = (0..3).map(|_| {
            let socket = tcp();
            socket.set_nonblocking(true).expect("a socket");
            let _ = socket.connect(&near.into());
            socket
        });
        let mut sockets: Vec<_> = waiting.collect();
        sockets.push(listener);
        Self { address, _sockets: sockets }
    }
}

/// An OPTIONS for that URI, with such a Via.
pub(crate) fn options(uri: &str, via: &str, branch: usize) -> String {
    let call = via.replace(' ', "-");
    format!(
        "OPTIONS {uri} SIP/2.0\r\nVia: SIP/2.0/{via};branch=z9hG4bK{branch}\r\nMax-Forwards: 70\r\n\
         From: <sip:a@a.example>;tag=1\r\nTo: <sip:bob@127.0.0.1>\r\nCall-ID: {call}\r\nCSeq: {branch} OPTIONS\r\n\
         Content-Length: 0\r\n\r\n"
    )
}
