//! A domain's proxy and registrar on UDP and TCP.
//!
//! ```text
//! cargo run --release -p sansip --example server -- --listen udp:127.0.0.1:5060 --domain biloxi.com --user alice:secret \
//!     --record-route --route '*=udp:127.0.0.1:5070'
//! ```
//!
//! It says `listening on udp:…` or `tcp:…` for each address once it is ready (port 0 is a free one), then what is registered and what is gone. A line
//! `status` on standard input is answered with one line: whether it is idle, what is alive, what has happened.

mod common;

use std::fmt::Display;
use std::net::{SocketAddr, TcpListener, UdpSocket};
use std::process::exit;
use std::str::FromStr;

use sansip::auth::Secret;
use sansip::message::header::Protocol;
use sansip::message::{HostBuf, HostPortBuf};
use sansip::proxy::Forking;
use sansip::registrar::Change;
use sansip::server::{Alias, Event, Route, Settings, User};
use sansip::{Config, Listener, NextHop, Node, Server};

const USAGE: &str = "\
usage: server --listen udp|tcp:ADDR:PORT [--no-tcp] [--advertise HOST[:PORT]] --domain D ... [--alias NAME[=D]] ...
              [--user NAME[@D]:PASSWORD] ... [--trust ADDR[/BITS]|NAME] ... [--redirect] [--record-route] [--fork parallel|q]
              [--route KEY=udp|tcp:ADDR:PORT] ... [--relay]

  --listen      where to bind; may be given several times. A port of UDP is opened for TCP, too (RFC 3261 §18.2.1)
  --no-tcp      no TCP but for --listen tcp:...
  --advertise   what Via and Record-Route say instead of the bound address; one for each --listen, in their order
  --domain      a host part that means this domain (biloxi.com, registrar.biloxi.com)
  --alias       another name of a domain, the first one if none is named: its users are the same
  --user        a user of a domain, the first one if none is named. If there is any, registrations and calls need a password,
                and strangers reach the domains alone
  --trust       a peer that needs no password and is relayed: an address, a network, or a name that it proves by TLS
  --redirect    tell callers the contacts of a user (302) instead of forwarding
  --fork        how the contacts of a user are called: all at once, or those of the highest q first
  --record-route  stay on the path of dialogs
  --route       where requests go whose Request-URI fits KEY: user@host, host[:port] or *; also those in a dialog
                that carry no Route
  --relay       forward requests for any numeric address; closed (403) by default";

/// TCP connections at once.
const CONNECTIONS: usize = 1_000;

#[derive(Default)]
struct Options {
    listen: Vec<(Protocol, SocketAddr)>,
    no_tcp: bool,
    advertise: Vec<HostPortBuf>,
    /// Users and aliases, each perhaps without its domain.
    users: Vec<(String, Option<HostBuf>, String)>,
    aliases: Vec<(HostBuf, Option<HostBuf>)>,
    settings: Settings,
}

fn main() {
    let options = Options::read(std::env::args().skip(1)).unwrap_or_else(|problem| fail(&problem));
    let mut config = Config::new(common::seed());
    // Each takes two threads.
    config.limits.transport.connections = CONNECTIONS;
    let mut server = Server::server(config, options.settings.clone());
    let mut driver = common::Driver::new();
    let mut advertise = options.advertise.into_iter();
    for (protocol, address) in &options.listen {
        let sent_by = advertise.next();
        let local = bind(&mut driver, &mut server, *protocol, *address, sent_by.clone());
        let local = local.unwrap_or_else(|problem| fail(&problem));
        let is_wanted = *protocol == Protocol::Udp && !options.no_tcp;
        if is_wanted && !options.listen.contains(&(Protocol::Tcp, local)) {
            bind(&mut driver, &mut server, Protocol::Tcp, local, sent_by).unwrap_or_else(|problem| fail(&problem));
        }
    }
    server.check().unwrap_or_else(|problem| fail(&problem.to_string()));
    driver.read_lines();
    driver.run(
        &mut server,
        |_, now, event| match event {
            Event::Binding(Change::Bound { address_of_record, contact }) => {
                println!("{now} bound {address_of_record} to {contact}");
            }
            Event::Binding(Change::Unbound { address_of_record, contact }) => {
                println!("{now} unbound {address_of_record} from {contact}");
            }
            Event::Redirected { address_of_record, contacts } => {
                let contacts: Vec<String> = contacts.iter().map(ToString::to_string).collect();
                println!("{now} {address_of_record} will now be redirected to {}", contacts.join(", "));
            }
            Event::Overload { limit, refused } => println!("{now} refused {refused} at the limit {limit:?}"),
            _ => {}
        },
        |server, now, line| {
            if line == "status" {
                let (idle, endpoint) = (server.is_idle(), server.endpoint());
                println!("{now} status idle={idle} {:?} {:?}", endpoint.census(), endpoint.stats());
            }
        },
    )
}

/// Binds one address and says so; the address as it is bound.
fn bind(
    driver: &mut common::Driver,
    server: &mut Server,
    protocol: Protocol,
    address: SocketAddr,
    sent_by: Option<HostPortBuf>,
) -> Result<SocketAddr, String> {
    let shown = |address: SocketAddr| format!("{}:{address}", protocol.as_str().to_ascii_lowercase());
    let advertised = |listener: Listener| match sent_by {
        Some(sent_by) => Ok(listener.with_sent_by(sent_by)),
        None if listener.local.ip().is_unspecified() => {
            Err("--listen on every address needs an --advertise".to_string())
        }
        None => Ok(listener),
    };
    let bad = |error: std::io::Error| format!("{}: {error}", shown(address));
    let local = if protocol == Protocol::Tcp {
        let socket = TcpListener::bind(address).map_err(bad)?;
        let local = socket.local_addr().map_err(bad)?;
        driver.attach_tcp(server.listen(advertised(Listener::tcp(local))?), socket);
        local
    } else {
        let socket = UdpSocket::bind(address).map_err(bad)?;
        let local = socket.local_addr().map_err(bad)?;
        driver.attach(server.listen(advertised(Listener::udp(local))?), socket).map_err(bad)?;
        local
    };
    println!("listening on {}", shown(local));
    Ok(local)
}

impl Options {
    fn read(mut arguments: impl Iterator<Item = String>) -> Result<Self, String> {
        let mut options = Self::default();
        while let Some(option) = arguments.next() {
            let mut value = || arguments.next().ok_or(format!("{option} needs a value"));
            match option.as_str() {
                "--listen" => options.listen.push(place(&value()?)?),
                "--advertise" => options.advertise.push(parse(&value()?)?),
                "--domain" => options.settings.domains.push(parse::<HostBuf>(&value()?)?),
                "--no-tcp" => options.no_tcp = true,
                "--alias" => {
                    let value = value()?;
                    options.aliases.push(match value.split_once('=') {
                        Some((name, domain)) => (parse(name)?, Some(parse(domain)?)),
                        None => (parse(&value)?, None),
                    });
                }
                "--user" => {
                    let value = value()?;
                    let (user, password) = value.split_once(':').ok_or("--user needs NAME:PASSWORD")?;
                    let (name, domain) = match user.rsplit_once('@') {
                        Some((name, domain)) => (name, Some(parse(domain)?)),
                        None => (user, None),
                    };
                    options.users.push((name.into(), domain, password.into()));
                }
                "--trust" => options.settings.trusted.push(parse(&value()?)?),
                "--redirect" => options.settings.redirect = true,
                "--fork" => {
                    options.settings.proxy.forking = match value()?.as_str() {
                        "parallel" => Forking::Parallel,
                        "q" => Forking::Groups,
                        other => return Err(format!("--fork {other}: parallel or q wanted")),
                    };
                }
                "--record-route" => options.settings.proxy.record_route = true,
                "--relay" => options.settings.relay = true,
                "--route" => {
                    let value = value()?;
                    let (key, hop) = value.rsplit_once('=').ok_or(format!("{value}: KEY=udp|tcp:ADDR:PORT wanted"))?;
                    let (protocol, address) = place(hop)?;
                    let next_hop = NextHop { protocol: Some(protocol), ..NextHop::from(address) };
                    options.settings.routes.push(Route { key: parse(key)?, next_hop });
                }
                _ => return Err(format!("{option}: unknown option")),
            }
        }
        if options.listen.is_empty() || options.settings.domains.is_empty() {
            return Err("--listen and --domain are needed".into());
        }
        let settings = &mut options.settings;
        let first = settings.domains[0].clone();
        let users = options.users.drain(..).map(|(name, domain, password)| User {
            name: name.into(),
            domain: domain.unwrap_or_else(|| first.clone()),
            secret: Secret::password(&password),
        });
        settings.users.extend(users);
        let aliases = options.aliases.drain(..);
        let aliases = aliases.map(|(name, domain)| Alias { name, domain: domain.unwrap_or_else(|| first.clone()) });
        settings.aliases.extend(aliases);
        Ok(options)
    }
}

/// `udp:ADDR:PORT` or `tcp:ADDR:PORT`.
fn place(text: &str) -> Result<(Protocol, SocketAddr), String> {
    let wanted = || format!("{text}: udp:ADDR:PORT or tcp:ADDR:PORT wanted");
    let (protocol, address) = text.split_once(':').ok_or_else(wanted)?;
    let protocol = match protocol {
        "udp" => Protocol::Udp,
        "tcp" => Protocol::Tcp,
        _ => return Err(wanted()),
    };
    Ok((protocol, address.parse().map_err(|_| wanted())?))
}

fn parse<T: FromStr<Err: Display>>(text: &str) -> Result<T, String> {
    text.parse().map_err(|error| format!("{text}: {error}"))
}

fn fail(problem: &str) -> ! {
    eprintln!("{problem}\n{USAGE}");
    exit(2)
}
