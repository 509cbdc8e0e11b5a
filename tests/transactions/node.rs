//! A whole node on a bench: an endpoint with its transaction user, datagrams in, a log of what came out and when.

use sansip::message::header::NameAddrBuf;
use sansip::server::{Server, Settings};
use sansip::user_agent::{Profile, UserAgent};
use sansip::{Config, Input, Instant, Listener, ListenerId, Node, Output, Stack, TransactionUser};

use crate::bench::{HERE, Sent, THERE, address, wire};

/// A node, its clock and its log.
pub(crate) struct Bench<U: TransactionUser> {
    pub(crate) node: Stack<U>,
    listener: ListenerId,
    pub(crate) now: Instant,
    pub(crate) sent: Vec<Sent>,
    pub(crate) events: Vec<(u64, U::Event)>,
}

/// A user agent at [`HERE`].
pub(crate) fn user_agent(config: Config) -> Bench<sansip::user_agent::Core> {
    user_agent_with(config, |_| {})
}

/// As [`user_agent`], with another profile.
pub(crate) fn user_agent_with(config: Config, adapt: impl FnOnce(&mut Profile)) -> Bench<sansip::user_agent::Core> {
    let name: NameAddrBuf = "Alice <sip:alice@atlanta.com>".parse().expect("a name-addr");
    let mut profile = Profile::new(name);
    adapt(&mut profile);
    Bench::new(UserAgent::user_agent(config, profile))
}

/// A server of atlanta.com at [`HERE`] that relays.
pub(crate) fn server(config: Config) -> Bench<sansip::server::Core> {
    server_with(config, |_| {})
}

/// As [`server`], with other settings.
pub(crate) fn server_with(config: Config, adapt: impl FnOnce(&mut Settings)) -> Bench<sansip::server::Core> {
    let domains = vec!["atlanta.com".parse().expect("a host")];
    let mut settings = Settings { domains, relay: true, ..Settings::default() };
    adapt(&mut settings);
    Bench::new(Server::server(config, settings))
}

impl<U: TransactionUser> Bench<U> {
    fn new(mut node: Stack<U>) -> Self {
        let listener = node.listen(Listener::udp(address(HERE)));
        Self { node, listener, now: Instant::ZERO, sent: Vec::new(), events: Vec::new() }
    }

    /// A datagram from the peer.
    pub(crate) fn receive(&mut self, text: &str) {
        self.receive_from(THERE, text);
    }

    pub(crate) fn receive_from(&mut self, remote: &str, text: &str) {
        let bytes = wire(text);
        let input = Input::Datagram { listener: self.listener, remote: address(remote), bytes: &bytes };
        self.node.handle(self.now, input);
        self.drain();
    }

    /// Lets time pass up to this millisecond; every timer fires when it is due.
    pub(crate) fn run_to(&mut self, millis: u64) {
        let end = Instant::from_millis(millis);
        while let Some(deadline) = self.node.deadline().filter(|deadline| *deadline <= end) {
            self.now = self.now.max(deadline);
            self.node.handle(self.now, Input::Tick);
            self.drain();
        }
        self.now = end;
    }

    pub(crate) fn drain(&mut self) {
        let at = self.now.as_millis();
        while let Some(output) = self.node.poll() {
            match output {
                Output::Send(transmit) => self.sent.push(Sent::of(at, &transmit)),
                Output::Event(event) => self.events.push((at, event)),
                other => panic!("an output that nobody asked for: {other:?}"),
            }
        }
    }

    /// When messages with this start of their start line were sent, in milliseconds.
    pub(crate) fn times(&self, start: &str) -> Vec<u64> {
        self.sent.iter().filter(|sent| sent.text.starts_with(start)).map(|sent| sent.at).collect()
    }

    /// The last message sent.
    pub(crate) fn last(&self) -> &Sent {
        self.sent.last().expect("something was sent")
    }
}
