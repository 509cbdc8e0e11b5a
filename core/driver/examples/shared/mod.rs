//! The common parts of the examples: addresses on the command line, lines and signals while they run, words to the user.

use std::fmt::{Arguments, Display};
use std::io::{self, BufRead, Write};
use std::net::SocketAddr;
use std::process::exit;
use std::str::FromStr;
use std::sync::mpsc::{Receiver, channel};
use std::thread;

use sansip::message::HostPortBuf;
use sansip::message::header::Protocol;
use sansip::{Listener, NextHop, Stack, TransactionUser};
use sansip_driver::blocking::{Driver, Waker};

/// How many ports are tried behind one that is taken.
const PORTS: u16 = 100;

/// `udp:ADDR:PORT` or `tcp:ADDR:PORT`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) protocol: Protocol,
    pub(crate) address: SocketAddr,
}

impl FromStr for Place {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let wanted = "udp:ADDR:PORT or tcp:ADDR:PORT wanted";
        let (protocol, address) = text.split_once(':').ok_or(wanted)?;
        let protocol = match protocol {
            "udp" => Protocol::Udp,
            "tcp" => Protocol::Tcp,
            _ => return Err(wanted),
        };
        Ok(Self { protocol, address: address.parse().map_err(|_| wanted)? })
    }
}

impl Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}", self.protocol.as_str().to_ascii_lowercase(), self.address)
    }
}

impl From<Place> for NextHop {
    fn from(place: Place) -> Self {
        Self { protocol: Some(place.protocol), ..Self::from(place.address) }
    }
}

/// Binds that place, or the next port that is free if it is taken and `others` says so; tells the user where.
pub(crate) fn listen<U: TransactionUser>(
    driver: &mut Driver,
    node: &mut Stack<U>,
    place: Place,
    sent_by: Option<HostPortBuf>,
    others: bool,
) -> io::Result<Place> {
    let mut address = place.address;
    loop {
        let listener = if place.protocol == Protocol::Udp { Listener::udp(address) } else { Listener::tcp(address) };
        let listener = match &sent_by {
            Some(sent_by) => listener.with_sent_by(sent_by.clone()),
            None => listener,
        };
        match driver.listen(node, listener) {
            Ok((_, listener)) => {
                let bound = Place { address: listener.local, ..place };
                say(format_args!("listening on {bound}"));
                return Ok(bound);
            }
            Err(error) if others && error.kind() == io::ErrorKind::AddrInUse && address.port() < u16::MAX => {
                address.set_port(address.port() + 1);
                if address.port() >= place.address.port().saturating_add(PORTS) {
                    return Err(error);
                }
            }
            Err(error) => return Err(io::Error::new(error.kind(), format!("{}: {error}", Place { address, ..place }))),
        }
    }
}

/// A line of the user while the program runs.
pub(crate) enum Said {
    /// A line of standard input.
    Line(String),
    /// SIGINT, SIGTERM or SIGHUP.
    Stop,
}

/// Hears what the user says; each time `waker` wakes the driver.
pub(crate) fn hear(waker: Waker) -> Receiver<Said> {
    let (said, heard) = channel();
    let (stop, wake) = (said.clone(), waker.clone());
    let handler = move || {
        let _ = stop.send(Said::Stop);
        wake.wake();
    };
    // Without it the signals end the process at once.
    let _ = ctrlc::set_handler(handler);
    let lines = move || {
        for line in io::stdin().lock().lines().map_while(Result::ok) {
            if said.send(Said::Line(line.trim().to_owned())).is_err() {
                return;
            }
            waker.wake();
        }
    };
    // Without it the program works all the same.
    let _ = thread::Builder::new().spawn(lines);
    heard
}

/// A line on standard output. That nobody reads it ends nothing.
pub(crate) fn say(line: Arguments<'_>) {
    let _ = writeln!(io::stdout(), "{line}");
}

/// A line on standard error, likewise.
pub(crate) fn warn(line: impl Display) {
    let _ = writeln!(io::stderr(), "{line}");
}

/// Ends the program: it cannot do what it was asked for.
pub(crate) fn fail(problem: impl Display) -> ! {
    warn(problem);
    exit(1)
}
