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

mod domain;
mod serving;
#[path = "../shared/mod.rs"]
mod shared;
mod stateless;

use clap::Parser;
use domain::Domain;
use sansip::message::HostPortBuf;
use sansip::message::header::Protocol;
use sansip::registrar::Change;
use sansip::server::Event;
use sansip::{Instant, Server, Stack, TransactionUser};
use serving::Serving;
use shared::{Debug, Outcome, Place, Running, Usual, say};
use stateless::Front;

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
    /// Remember nothing: be a stateless proxy (RFC 3261 §16.11) before the servers of --route, of which those with one KEY share the calls
    #[arg(long, conflicts_with_all = ["user", "algorithm", "trust", "redirect", "fork"], requires = "route")]
    stateless: bool,
    #[command(flatten)]
    domain: Domain,
    #[command(flatten)]
    usual: Usual,
}

fn main() {
    shared::run(serve);
}

fn serve(options: &Options) -> Outcome<bool> {
    let (config, settings) = (options.usual.config()?, options.domain.settings());
    let mut running = options.usual.begin(&options.listen, "server")?;
    if options.stateless {
        let mut front = Front::node(config, settings);
        options.open(&mut running, &mut front)?;
        Front::knows_listeners(&mut front);
        return Serving::new(|_, ()| {}).run(running, &mut front);
    }
    let mut server = Server::server(config, settings);
    options.open(&mut running, &mut server)?;
    server.check()?;
    Serving::new(tell).run(running, &mut server)
}

impl Options {
    /// Opens all that is to be listened on.
    fn open<U: TransactionUser>(&self, running: &mut Running<'_>, node: &mut Stack<U>) -> Outcome<()> {
        let mut advertise = self.advertise.iter();
        for place in &self.listen {
            let with_tcp = place.protocol == Protocol::Udp && !self.no_tcp;
            let place = if with_tcp { place.free_for_both()? } else { *place };
            let sent_by = advertise.next();
            let bound = running.driver.listen(node, place, sent_by, false)?;
            let tcp = Place { protocol: Protocol::Tcp, ..bound };
            if with_tcp && !self.listen.contains(&tcp) {
                running.driver.listen(node, tcp, sent_by, false)?;
            }
        }
        Ok(())
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
