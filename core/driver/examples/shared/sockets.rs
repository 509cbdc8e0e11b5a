//! The driver of an example: the blocking one as long as UDP and TCP will do, that for tokio where TLS or WebSocket is asked for.

use std::io;

use sansip::message::HostPortBuf;
use sansip::message::header::Protocol;
use sansip::{Duration, Instant, Node, Stack, TransactionUser};
use sansip_driver::{Dns, Resolver, Seen, Turn, Waker, blocking, tokio as asynchronous};
use tokio::runtime::Runtime;

use super::{Certificates, Place, named, say, warn};

/// How many ports are tried behind one that is taken.
const PORTS: u16 = 100;

/// Sockets, clock and resolver.
pub(crate) enum Sockets {
    Blocking(blocking::Driver),
    Tokio(Runtime, asynchronous::Driver),
}

impl Sockets {
    /// Chooses the driver that `places` need.
    pub(crate) fn new(places: &[Place], certificates: &Certificates) -> io::Result<Self> {
        let resolver = Resolver::Dns(Dns::default());
        if places.iter().all(|place| matches!(place.protocol, Protocol::Udp | Protocol::Tcp)) {
            return Ok(Self::Blocking(blocking::Driver::with_resolver(resolver)?));
        }
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let mut sockets = Self::Tokio(runtime, asynchronous::Driver::new(resolver));
        sockets.set_certificates(certificates)?;
        Ok(sockets)
    }

    /// Reads the certificates anew, for connections from now on. The old ones stay where the new ones cannot be read.
    pub(crate) fn reload(&mut self, certificates: &Certificates) {
        match self.set_certificates(certificates) {
            Ok(()) => say(format_args!("certificates are read")),
            Err(problem) => warn(problem),
        }
    }

    fn set_certificates(&mut self, certificates: &Certificates) -> io::Result<()> {
        if let Self::Tokio(_, driver) = self {
            driver.set_tls(certificates.read()?);
        }
        Ok(())
    }

    pub(crate) fn now(&self) -> Instant {
        match self {
            Self::Blocking(driver) => driver.now(),
            Self::Tokio(_, driver) => driver.now(),
        }
    }

    /// Makes `next` return `Turn::Woken`, from any thread.
    pub(crate) fn waker(&self) -> Waker {
        match self {
            Self::Blocking(driver) => driver.waker(),
            Self::Tokio(_, driver) => driver.waker(),
        }
    }

    pub(crate) fn next<N: Node>(&mut self, node: &mut N, until: Option<Instant>) -> io::Result<Turn<N::Event>> {
        match self {
            Self::Blocking(driver) => driver.next(node, until),
            Self::Tokio(runtime, driver) => Ok(runtime.block_on(driver.next(node, until))),
        }
    }

    pub(crate) fn observe(&mut self, observe: impl FnMut(&Seen<'_>) + Send + 'static) {
        match self {
            Self::Blocking(driver) => driver.observe(observe),
            Self::Tokio(_, driver) => driver.observe(observe),
        }
    }

    pub(crate) fn stop(&mut self, within: Duration) {
        match self {
            Self::Blocking(driver) => driver.stop(within),
            Self::Tokio(_, driver) => driver.stop(within),
        }
    }

    /// Binds that place, or the next port that is free if it is taken and `others` says so; tells the user where.
    pub(crate) fn listen<U: TransactionUser>(
        &mut self,
        node: &mut Stack<U>,
        mut place: Place,
        sent_by: Option<&HostPortBuf>,
        others: bool,
    ) -> io::Result<Place> {
        let last = place.address.port().saturating_add(PORTS);
        loop {
            let listener = place.listener(sent_by);
            let bound = match self {
                Self::Blocking(driver) => driver.listen(node, listener),
                Self::Tokio(runtime, driver) => {
                    let _within = runtime.enter();
                    driver.listen(node, listener)
                }
            };
            match bound {
                Ok((_, listener)) => {
                    place.address = listener.local;
                    say(format_args!("listening on {place}"));
                    return Ok(place);
                }
                Err(error)
                    if others && error.kind() == io::ErrorKind::AddrInUse && place.address.port() < last.max(1) =>
                {
                    place.address.set_port(place.address.port() + 1);
                }
                Err(error) => return Err(named(place, error)),
            }
        }
    }
}
