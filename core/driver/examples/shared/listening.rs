//! Where a node listens: all places of a server, or the one of a user agent.

use std::hash::{BuildHasher, RandomState};

use clap::Args;
use sansip::message::HostPortBuf;
use sansip::message::header::Protocol;
use sansip::user_agent::UserAgent;
use sansip::{Stack, TransactionUser};

use super::{Outcome, Place, Running};

/// Where a server listens.
#[derive(Args)]
pub(crate) struct Listening {
    /// Where to bind; may be given several times. A port of UDP is opened for TCP, too (RFC 3261 §18.2.1)
    #[arg(long, value_name = Place::VALUE, required = true)]
    pub(crate) listen: Vec<Place>,
    /// No TCP but for --listen tcp:...
    #[arg(long)]
    no_tcp: bool,
    /// The name in Via and Record-Route instead of the bound address; one for each --listen, in their order
    #[arg(long, value_name = "HOST[:PORT]")]
    advertise: Vec<HostPortBuf>,
}

impl Listening {
    /// Opens all that is to be listened on.
    pub(crate) fn open<U: TransactionUser>(&self, running: &mut Running<'_>, node: &mut Stack<U>) -> Outcome<()> {
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

/// Opens that place for a user agent, or one at the next free port if that port is taken; where that is.
pub(crate) fn listen_or_near(running: &mut Running<'_>, agent: &mut UserAgent, place: Place) -> Outcome<Place> {
    let is_hidden = match place.protocol {
        Protocol::Udp | Protocol::Tcp => false,
        Protocol::Tls => !running.certificates.has_own(),
        _ => true,
    };
    // Nobody can open a connection to it: it is reached along its own (RFC 7118 §5.5).
    let name = is_hidden.then(hidden_name).transpose()?;
    Ok(running.driver.listen(agent, place, name.as_ref(), true)?)
}

/// A name that nobody else has and that leads nowhere (RFC 7118 §5).
fn hidden_name() -> Outcome<HostPortBuf> {
    Ok(format!("{:x}.invalid", RandomState::new().hash_one(())).parse()?)
}
