//! A domain's proxy and registrar on UDP and TCP.
//!
//! ```text
//! cargo run --release -p sansip --example server -- --listen udp:127.0.0.1:5060 --listen tcp:127.0.0.1:5060 \
//!     --domain biloxi.com --record-route --route '*=udp:127.0.0.1:5070'
//! ```
//!
//! It says `listening on udp:…` or `tcp:…` for each address once it is ready (port 0 is a free one), then what is registered and what is gone. A line
//! `status` on standard input is answered with one line: whether it is idle, what is alive, what has happened.

mod common;

use std::fmt::Display;
use std::net::{SocketAddr, TcpListener, UdpSocket};
use std::process::exit;
use std::str::FromStr;

use sansip::message::header::Protocol;
use sansip::message::{HostBuf, HostPortBuf};
use sansip::registrar::Change;
use sansip::server::{Event, Route, Settings};
use sansip::{Config, Listener, NextHop, Node, Server};

const USAGE: &str = "\
usage: server --listen udp|tcp:ADDR:PORT [--advertise HOST[:PORT]] --domain D ... [--record-route]
              [--route KEY=udp|tcp:ADDR:PORT] ... [--relay]

  --listen      where to bind; may be given several times (RFC 3261 §18.2.1: for each UDP port the same of TCP)
  --advertise   what Via and Record-Route say instead of the bound address; one for each --listen, in their order
  --domain      a host part that means this domain (biloxi.com, registrar.biloxi.com)
  --record-route  stay on the path of dialogs
  --route       where requests go whose Request-URI fits KEY: user@host, host[:port] or *; also those in a dialog
                that carry no Route
  --relay       forward requests for any numeric address; closed (403) by default";

/// TCP connections at once.
const CONNECTIONS: usize = 1_000;

#[derive(Default)]
struct Options {
    listen: Vec<(Protocol, SocketAddr)>,
    advertise: Vec<HostPortBuf>,
    settings: Settings,
}

fn main() {
    let options = Options::read(std::env::args().skip(1)).unwrap_or_else(|problem| fail(&problem));
    let mut config = Config::new(common::seed());
    // Each takes two threads.
    config.limits.transport.connections = CONNECTIONS;
    let mut server = Server::server(config, options.settings);
    let mut driver = common::Driver::new();
    let mut advertise = options.advertise.into_iter();
    for (protocol, address) in options.listen {
        bind(&mut driver, &mut server, protocol, address, advertise.next()).unwrap_or_else(|problem| fail(&problem));
    }
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

/// Binds one address and says so.
fn bind(
    driver: &mut common::Driver,
    server: &mut Server,
    protocol: Protocol,
    address: SocketAddr,
    sent_by: Option<HostPortBuf>,
) -> Result<(), String> {
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
    Ok(())
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
