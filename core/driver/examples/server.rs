//! A domain's proxy and registrar on UDP, TCP, TLS and WebSocket.
//!
//! ```text
//! cargo run --release -p sansip-driver --example server -- --listen udp:127.0.0.1:5060 --domain biloxi.com \
//!     --user alice:secret --record-route --route '*=udp:127.0.0.1:5070'
//! ```
//!
//! It says `listening on udp:…` or the like for each address once it is ready (port 0 is a free one), then what is registered and what
//! is gone. A line `status` on standard input is answered with one line: whether it is idle, what is alive, what has happened, each
//! that is not 0. SIGINT or SIGTERM: it begins nothing new, says what it waits for, and ends a second after the last request has its
//! response, or after 32 s.

#[path = "shared/front.rs"]
mod front;
mod shared;

use clap::Parser;
use front::Front;
use sansip::auth::{Algorithm, Secret};
use sansip::message::HostBuf;
use sansip::proxy::Forking;
use sansip::registrar::Change;
use sansip::server::{Alias, Event, Peer, Route, Settings, User};
use sansip::{Instant, Server};
use shared::{Listening, Outcome, Serving, Usual, dropped, say, values};

/// A domain's proxy and registrar on UDP, TCP, TLS and WebSocket.
#[derive(Parser)]
struct Options {
    #[command(flatten)]
    listening: Listening,
    /// Remember nothing: be a stateless proxy (RFC 3261 §16.11) before the servers of --route, of which those with one KEY share the calls
    #[arg(long, conflicts_with_all = ["user", "algorithm", "trust", "redirect", "fork"], requires = "route")]
    stateless: bool,
    /// A host part that means this domain (biloxi.com, registrar.biloxi.com)
    #[arg(long, required = true)]
    domain: Vec<HostBuf>,
    /// Another name of a domain, the first one if none is named: its users are the same
    #[arg(long, value_name = "NAME[=DOMAIN]", value_parser = values::alias)]
    alias: Vec<(HostBuf, Option<HostBuf>)>,
    /// A user of a domain, the first one if none is named. If there is any, registrations and calls need a password, and
    /// strangers reach the domains alone
    #[arg(long, value_name = "NAME[@DOMAIN]:PASSWORD", value_parser = values::user)]
    user: Vec<(String, Option<HostBuf>, String)>,
    /// A Digest algorithm of the challenges, the preferred first: SHA-256 and MD5 by default. Many phones take MD5 alone, and some
    /// of them only if it comes first
    #[arg(long, value_name = "SHA-256|SHA-512-256|MD5", value_parser = values::algorithm)]
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
    #[arg(long, value_name = "parallel|q", value_parser = values::forking)]
    fork: Option<Forking>,
    /// Where requests go whose Request-URI fits KEY: user@host, host[:port] or *; also those in a dialog that carry no Route
    #[arg(long, value_name = "KEY=udp|tcp|tls|ws|wss:HOST[:PORT]", value_parser = values::route)]
    route: Vec<Route>,
    /// Forward anybody's requests anywhere; closed (403) by default
    #[arg(long)]
    relay: bool,
    #[command(flatten)]
    usual: Usual,
}

fn main() {
    shared::run(serve);
}

fn serve(options: &Options) -> Outcome<bool> {
    let (config, settings) = (options.usual.config()?, options.settings());
    let mut running = options.usual.begin(&options.listening.listen, "server")?;
    if options.stateless {
        let mut front = Front::node(config, settings);
        options.listening.open(&mut running, &mut front)?;
        Front::knows_listeners(&mut front);
        return Serving::new(|_, ()| {}, |front, _| front.drain()).run(running, &mut front);
    }
    let mut server = Server::server(config, settings);
    options.listening.open(&mut running, &mut server)?;
    server.check()?;
    Serving::new(tell, |server, _| server.drain()).run(running, &mut server)
}

impl Options {
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
        Event::Dropped { why, flow, bytes } => dropped(now, why, flow, &bytes),
        Event::Overload { limit, refused } => say(format_args!("{now} refused {refused} at the limit {limit:?}")),
        _ => {}
    }
}
