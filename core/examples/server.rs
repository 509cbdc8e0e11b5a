//! A domain's proxy and registrar on UDP.
//!
//! ```text
//! cargo run --release -p sansip --example server -- --listen udp:127.0.0.1:5060 --domain biloxi.com \
//!     --record-route --route '*=udp:127.0.0.1:5070'
//! ```
//!
//! It says `listening on udp:…` once it is ready (port 0 is a free one), then what is registered and what is gone. A line
//! `status` on standard input is answered with one line: whether it is idle, what is alive, what has happened.

mod common;

use std::fmt::Display;
use std::net::{SocketAddr, UdpSocket};
use std::process::exit;
use std::str::FromStr;

use sansip::message::{HostBuf, HostPortBuf};
use sansip::registrar::Change;
use sansip::server::{Event, Route, Settings};
use sansip::{Config, Listener, NextHop, Node, Server};

const USAGE: &str = "\
usage: server --listen udp:ADDR:PORT [--advertise HOST[:PORT]] --domain D ... [--record-route]
              [--route KEY=udp:ADDR:PORT] ... [--relay]

  --listen      where to bind; may be given several times
  --advertise   what Via and Record-Route say instead of the bound address; one for each --listen, in their order
  --domain      a host part that means this domain (biloxi.com, registrar.biloxi.com)
  --record-route  stay on the path of dialogs
  --route       where requests go whose Request-URI fits KEY: user@host, host[:port] or *; also those in a dialog
                that carry no Route
  --relay       forward requests for any numeric address; closed (403) by default";

#[derive(Default)]
struct Options {
    listen: Vec<SocketAddr>,
    advertise: Vec<HostPortBuf>,
    settings: Settings,
}

fn main() {
    let options = Options::read(std::env::args().skip(1)).unwrap_or_else(|problem| fail(&problem));
    let mut server = Server::server(Config::new(common::seed()), options.settings);
    let mut driver = common::Driver::new();
    let mut advertise = options.advertise.into_iter();
    for address in options.listen {
        let socket = UdpSocket::bind(address).unwrap_or_else(|error| fail(&format!("udp:{address}: {error}")));
        let local = socket.local_addr().unwrap_or(address);
        let listener = match advertise.next() {
            Some(sent_by) => Listener::udp(local).with_sent_by(sent_by),
            None if local.ip().is_unspecified() => fail("--listen on every address needs an --advertise"),
            None => Listener::udp(local),
        };
        let listener = server.listen(listener);
        driver.attach(listener, socket).unwrap_or_else(|error| fail(&format!("udp:{local}: {error}")));
        println!("listening on udp:{local}");
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

impl Options {
    fn read(mut arguments: impl Iterator<Item = String>) -> Result<Self, String> {
        let mut options = Self::default();
        while let Some(option) = arguments.next() {
            let mut value = || arguments.next().ok_or(format!("{option} needs a value"));
            match option.as_str() {
                "--listen" => options.listen.push(udp(&value()?)?),
                "--advertise" => options.advertise.push(parse(&value()?)?),
                "--domain" => options.settings.domains.push(parse::<HostBuf>(&value()?)?),
                "--record-route" => options.settings.record_route = true,
                "--relay" => options.settings.relay = true,
                "--route" => {
                    let value = value()?;
                    let (key, hop) = value.rsplit_once('=').ok_or(format!("{value}: KEY=udp:ADDR:PORT wanted"))?;
                    options.settings.routes.push(Route { key: parse(key)?, next_hop: NextHop::from(udp(hop)?) });
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

/// `udp:ADDR:PORT`.
fn udp(text: &str) -> Result<SocketAddr, String> {
    text.strip_prefix("udp:").and_then(|address| address.parse().ok()).ok_or(format!("{text}: udp:ADDR:PORT wanted"))
}

fn parse<T: FromStr<Err: Display>>(text: &str) -> Result<T, String> {
    text.parse().map_err(|error| format!("{text}: {error}"))
}

fn fail(problem: &str) -> ! {
    eprintln!("{problem}\n{USAGE}");
    exit(2)
}
