//! A phone on UDP, TCP, TLS and WebSocket, without sound.
//!
//! ```text
//! cargo run --release -p sansip-driver --example phone -- --aor sip:bob@biloxi.com --registrar udp:127.0.0.1:5060 --answer
//! cargo run --release -p sansip-driver --example phone -- --aor sip:alice@biloxi.com --registrar udp:127.0.0.1:5060 \
//!     --call sip:bob@biloxi.com --hang-up-after 5s
//! ```
//!
//! It registers, makes or takes one call, and ends with it: 0 if it went as asked. On standard input `h` holds, `r` resumes, `t URI` asks
//! the other end to call somebody else, `q` hangs up. SIGINT or SIGTERM: it hangs up, takes back its registration, and ends.

mod keys;
mod phone;
#[path = "../shared/mod.rs"]
mod shared;
mod transfer;

use std::hash::{BuildHasher, RandomState};

use clap::{ArgGroup, Parser};
use phone::Phone;
use sansip::Duration;
use sansip::auth::{Login, Scope, Secret};
use sansip::message::HostPortBuf;
use sansip::message::header::NameAddrBuf;
use sansip::message::header::Protocol;
use sansip::user_agent::{Profile, UserAgent};
use shared::{Hop, Outcome, Place, Running, Usual, seconds};

/// A phone on UDP, TCP, TLS and WebSocket, without sound.
#[derive(Parser)]
#[command(group = ArgGroup::new("what").required(true).args(["call", "answer"]))]
struct Options {
    /// Name and address of the user, such as sip:bob@biloxi.com
    #[arg(long)]
    aor: NameAddrBuf,
    /// The registrar, through which calls go, too. An address proves by TLS the domain of the user
    #[arg(long, value_name = Hop::VALUE)]
    registrar: Option<Hop>,
    /// The password of the user at the registrar
    #[arg(long, requires = "registrar")]
    password: Option<String>,
    /// Where to bind; the next free port if that one is taken
    #[arg(long, value_name = Place::VALUE, default_value = "udp:127.0.0.1:5060")]
    listen: Place,
    /// Call somebody
    #[arg(long, value_name = "URI")]
    call: Option<NameAddrBuf>,
    /// Wait for a call and answer it
    #[arg(long)]
    answer: bool,
    /// Hang up so long after the call was answered, such as 5s
    #[arg(long, value_name = "SECONDS", value_parser = seconds)]
    hang_up_after: Option<Duration>,
    #[command(flatten)]
    usual: Usual,
}

fn main() {
    shared::run(phone);
}

fn phone(options: &Options) -> Outcome<bool> {
    let mut profile = Profile::new(options.aor.clone());
    let domain = options.aor.uri().host().map(|host| host.to_buf());
    profile.outbound = options.registrar.clone().map(|hop| hop.of_domain(domain));
    profile.methods = vec!["REFER".into(), "NOTIFY".into()];
    let mut agent = UserAgent::user_agent(options.usual.config()?, profile);
    if let Some(password) = &options.password {
        let user = options.aor.uri().user().unwrap_or_default().to_owned();
        agent.login(Scope::Any, Login::new(&user, Secret::password(password)))?;
    }
    let mut running = options.usual.begin(&[options.listen], "phone")?;
    let at = options.open(&mut running, &mut agent)?;
    let mut phone = Phone::new(options, at.address.ip());
    phone.begin(&mut agent, running.driver.now(), options.registrar.is_some())?;
    running.run(&mut agent, &mut phone)?;
    Ok(phone.went_well)
}

impl Options {
    fn open(&self, running: &mut Running<'_>, agent: &mut UserAgent) -> Outcome<Place> {
        let is_hidden = match self.listen.protocol {
            Protocol::Udp | Protocol::Tcp => false,
            Protocol::Tls => !self.usual.certificates.has_own(),
            _ => true,
        };
        // Nobody can open a connection to it: it is reached along its own (RFC 7118 §5.5).
        let name = is_hidden.then(hidden_name).transpose()?;
        Ok(running.driver.listen(agent, self.listen, name.as_ref(), true)?)
    }
}

/// A name that nobody else has and that leads nowhere (RFC 7118 §5).
fn hidden_name() -> Outcome<HostPortBuf> {
    Ok(format!("{:x}.invalid", RandomState::new().hash_one(())).parse()?)
}
