//! A domain's proxy and registrar on UDP, TCP, TLS and WebSocket.
//!
//! ```text
//! cargo run --release -p sansip-driver --example server -- --listen udp:127.0.0.1:5060 --domain biloxi.com \
//!     --user alice:secret --record-route --route '*=udp:127.0.0.1:5070'
//! ```
//!
//! It says `listening on udp:…` or the like for each address once it is ready (port 0 is a free one), then what is registered and what
//! is gone. A line `status` on standard input is answered with one line: whether it is idle, what is alive, what has happened.
//! SIGINT or SIGTERM: it begins nothing new, and ends when what is in progress has ended, or after 32 s.

#[path = "../shared/mod.rs"]
mod shared;
mod stateless;

use clap::Parser;
use sansip::auth::{Algorithm, Secret};
use sansip::message::header::Protocol;
use sansip::message::{HostBuf, HostPortBuf};
use sansip::proxy::Forking;
use sansip::registrar::Change;
use sansip::server::{Alias, Event, Peer, Route, Settings, User};
use sansip::{Config, Duration, Instant, Node, Server, Stack, TransactionUser};
use sansip_driver::Turn;
use shared::{Certificates, Debug, Hop, Place, Records, Said, Sockets, end, fail, hear, parse, say, warn};
use stateless::Front;
use std::io;
use std::net::{SocketAddr, TcpListener, UdpSocket};

/// How long what is in progress may take to end.
const DRAIN: Duration = Duration::from_secs(32);

/// How often a free port is looked for.
const TRIES: u16 = 100;

/// A domain's proxy and registrar on UDP, TCP, TLS and WebSocket.
#[derive(Parser)]
struct Options {
    /// Where to bind; may be given several times. A port of UDP is opened for TCP, too (RFC 3261 §18.2.1)
    #[arg(long, value_name = Place::VALUE, required = true)]
    listen: Vec<Place>,
    /// No TCP but for --listen tcp:...
    #[arg(long)]
    no_tcp: bool,
    /// The name in Via and Record-Route instead of the bound address; one for each --listen, in their order
    #[arg(long, value_name = "HOST[:PORT]")]
    advertise: Vec<HostPortBuf>,
    /// A host part that means this domain (biloxi.com, registrar.biloxi.com)
    #[arg(long, required = true)]
    domain: Vec<HostBuf>,
    /// Another name of a domain, the first one if none is named: its users are the same
    #[arg(long, value_name = "NAME[=DOMAIN]", value_parser = named)]
    alias: Vec<(HostBuf, Option<HostBuf>)>,
    /// A user of a domain, the first one if none is named. If there is any, registrations and calls need a password, and
    /// strangers reach the domains alone
    #[arg(long, value_name = "NAME[@DOMAIN]:PASSWORD", value_parser = user)]
    user: Vec<(String, Option<HostBuf>, String)>,
    /// A Digest algorithm of the challenges, the preferred first: SHA-256 and MD5 by default. Many phones take MD5 alone, and some
    /// of them only if it comes first
    #[arg(long, value_name = "SHA-256|SHA-512-256|MD5", value_parser = algorithm)]
    algorithm: Vec<Algorithm>,
    /// A peer that needs no password and is relayed: an address, a network, or a name that it proves by TLS
    #[arg(long, value_name = "ADDR[/BITS]|NAME")]
    trust: Vec<Peer>,
    /// Tell callers the contacts of a user (302) instead of forwarding
    #[arg(long)]
    redirect: bool,
    /// Stay on the path of dialogs
    #[arg(long)]
    record_route: bool,
    /// How the contacts of a user are called: all at once, or those of the highest q first
    #[arg(long, value_name = "parallel|q", value_parser = forking)]
    fork: Option<Forking>,
    /// Where requests go whose Request-URI fits KEY: user@host, host[:port] or *; also those in a dialog that carry no Route
    #[arg(long, value_name = "KEY=udp|tcp|tls|ws|wss:HOST[:PORT]", value_parser = route)]
    route: Vec<Route>,
    /// Remember nothing: be a stateless proxy (RFC 3261 §16.11) before the servers of --route, of which those with one KEY share the calls
    #[arg(long, conflicts_with_all = ["user", "algorithm", "trust", "redirect", "fork"], requires = "route")]
    stateless: bool,
    /// Forward anybody's requests anywhere; closed (403) by default
    #[arg(long)]
    relay: bool,
    #[command(flatten)]
    certificates: Certificates,
    #[command(flatten)]
    records: Records,
    #[command(flatten)]
    debug: Debug,
}

fn main() {
    let options: Options = parse();
    if let Err(problem) = serve(options) {
        fail(problem);
    }
}

fn serve(options: Options) -> Result<(), Box<dyn std::error::Error>> {
    let mut config = Config::new(sansip_driver::seed()?);
    sansip_driver::fit_descriptors(&mut config.limits.transport);
    config.drops = options.debug.debug;
    let mut driver = Sockets::new(&options.listen, &options.certificates)?;
    options.records.begin(&mut driver, "server")?;
    if options.stateless {
        let mut front = Front::node(config, options.settings());
        options.open(&mut driver, &mut front)?;
        Front::knows_listeners(&mut front);
        return work(&options, driver, front, |_, ()| {});
    }
    let mut server = Server::server(config, options.settings());
    options.open(&mut driver, &mut server)?;
    server.check()?;
    work(&options, driver, server, tell)
}

/// Runs the node until it has ended.
fn work<U: TransactionUser>(
    options: &Options,
    mut driver: Sockets,
    mut node: Stack<U>,
    tell: fn(Instant, U::Event),
) -> Result<(), Box<dyn std::error::Error>> {
    let heard = hear(driver.waker());
    loop {
        match driver.next(&mut node, None)? {
            Turn::Event(event) => tell(driver.now(), event),
            Turn::Woken => {
                for said in heard.try_iter() {
                    match said {
                        Said::Line(line) if line == "status" => {
                            let (now, idle, endpoint) = (driver.now(), node.is_idle(), node.endpoint());
                            say(format_args!(
                                "{now} status idle={idle} {:?} {:?}",
                                endpoint.census(),
                                endpoint.stats()
                            ));
                        }
                        Said::Line(_) => {}
                        Said::Reload => driver.reload(&options.certificates),
                        Said::Stop => {
                            node.drain();
                            driver.stop(DRAIN);
                        }
                    }
                }
            }
            Turn::Stopped { clean } => end(i32::from(!clean)),
            Turn::Trouble(trouble) => warn(trouble),
            _ => {}
        }
    }
}

fn tell(now: Instant, event: Event) {
    match event {
        Event::Binding(Change::Bound { address_of_record, contact }) => {
            say(format_args!("{now} bound {address_of_record} to {contact}"));
        }
        Event::Binding(Change::Unbound { address_of_record, contact }) => {
            say(format_args!("{now} unbound {address_of_record} from {contact}"));
        }
        Event::Redirected { address_of_record, contacts } => {
            let contacts: Vec<String> = contacts.iter().map(ToString::to_string).collect();
            say(format_args!("{now} {address_of_record} will now be redirected to {}", contacts.join(", ")));
        }
        Event::Dropped { why, flow, bytes } => Debug::dropped(now, why, flow, &bytes),
        Event::Overload { limit, refused } => say(format_args!("{now} refused {refused} at the limit {limit:?}")),
        _ => {}
    }
}

impl Options {
    /// Opens all that is to be listened on.
    fn open<U: TransactionUser>(&self, driver: &mut Sockets, node: &mut Stack<U>) -> io::Result<()> {
        let mut advertise = self.advertise.iter().cloned();
        for place in &self.listen {
            let with_tcp = place.protocol == Protocol::Udp && !self.no_tcp;
            let address = if with_tcp { with_port(place.address)? } else { place.address };
            let sent_by = advertise.next();
            let bound = driver.listen(node, Place { address, ..*place }, sent_by.as_ref(), false)?;
            let tcp = Place { protocol: Protocol::Tcp, ..bound };
            if with_tcp && !self.listen.contains(&tcp) {
                driver.listen(node, tcp, sent_by.as_ref(), false)?;
            }
        }
        Ok(())
    }

    fn settings(&self) -> Settings {
        let first = &self.domain[0];
        let or_first = |domain: &Option<HostBuf>| domain.as_ref().unwrap_or(first).clone();
        let mut settings = Settings {
            domains: self.domain.clone(),
            trusted: self.trust.clone(),
            redirect: self.redirect,
            routes: self.route.clone(),
            relay: self.relay,
            ..Settings::default()
        };
        settings.proxy.record_route = self.record_route;
        settings.proxy.forking = self.fork.unwrap_or(settings.proxy.forking);
        settings.users.extend(self.user.iter().map(|(name, domain, password)| User {
            name: name.as_str().into(),
            domain: or_first(domain),
            secret: Secret::password(password),
        }));
        if !self.algorithm.is_empty() {
            settings.digest.algorithms.clone_from(&self.algorithm);
        }
        let aliases = self.alias.iter();
        settings.aliases.extend(aliases.map(|(name, domain)| Alias { name: name.clone(), domain: or_first(domain) }));
        settings
    }
}

/// That address with a port that is free for UDP and TCP, if it has none.
fn with_port(mut address: SocketAddr) -> io::Result<SocketAddr> {
    let mut tries = 0;
    while address.port() == 0 {
        let tcp = TcpListener::bind(address)?.local_addr()?;
        match UdpSocket::bind(tcp) {
            Ok(_) => address = tcp,
            Err(error) if tries == TRIES => return Err(error),
            Err(_) => tries += 1,
        }
    }
    Ok(address)
}

fn named(text: &str) -> Result<(HostBuf, Option<HostBuf>), String> {
    let host = |text: &str| text.parse::<HostBuf>().map_err(|error| error.to_string());
    match text.split_once('=') {
        Some((name, domain)) => Ok((host(name)?, Some(host(domain)?))),
        None => Ok((host(text)?, None)),
    }
}

fn user(text: &str) -> Result<(String, Option<HostBuf>, String), String> {
    let (user, password) = text.split_once(':').ok_or("NAME:PASSWORD wanted")?;
    match user.rsplit_once('@') {
        Some((name, domain)) => {
            let domain = domain.parse::<HostBuf>().map_err(|error| error.to_string())?;
            Ok((name.into(), Some(domain), password.into()))
        }
        None => Ok((user.into(), None, password.into())),
    }
}

fn algorithm(text: &str) -> Result<Algorithm, &'static str> {
    Algorithm::parse(text).ok_or("SHA-256, SHA-512-256 or MD5 wanted")
}

fn forking(text: &str) -> Result<Forking, &'static str> {
    match text {
        "parallel" => Ok(Forking::Parallel),
        "q" => Ok(Forking::Groups),
        _ => Err("parallel or q wanted"),
    }
}

fn route(text: &str) -> Result<Route, String> {
    let (key, hop) = text.rsplit_once('=').ok_or("KEY=udp|tcp|tls|ws|wss:HOST[:PORT] wanted")?;
    let key = key.parse().map_err(|error| format!("{key}: {error}"))?;
    Ok(Route { key, next_hop: hop.parse::<Hop>()?.into() })
}
