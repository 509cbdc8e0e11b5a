//! The options that say what the server is for.

use clap::Args;
use sansip::auth::{Algorithm, Secret};
use sansip::message::HostBuf;
use sansip::proxy::Forking;
use sansip::server::{Alias, Peer, Route, Settings, User};

use crate::shared::Hop;

/// The domains, their users, and where requests go.
#[derive(Args)]
pub(crate) struct Domain {
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
    /// Forward anybody's requests anywhere; closed (403) by default
    #[arg(long)]
    relay: bool,
}

impl Domain {
    pub(crate) fn settings(&self) -> Settings {
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
