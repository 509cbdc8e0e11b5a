//! Values of options that are more than one word, as clap's `value_parser` wants them.

use sansip::Duration;
use sansip::auth::Algorithm;
use sansip::message::HostBuf;
use sansip::proxy::Forking;
use sansip::server::Route;

use super::Hop;

/// Seconds: `5s`, or `5`.
pub(crate) fn seconds(text: &str) -> Result<Duration, &'static str> {
    let seconds = text.strip_suffix('s').unwrap_or(text).parse();
    seconds.map(Duration::from_secs).map_err(|_| "seconds wanted, such as 5s")
}

fn host(text: &str) -> Result<HostBuf, String> {
    text.parse::<HostBuf>().map_err(|error| error.to_string())
}

/// Another name of a domain, and which: `NAME[=DOMAIN]`.
pub(crate) fn alias(text: &str) -> Result<(HostBuf, Option<HostBuf>), String> {
    match text.split_once('=') {
        Some((name, domain)) => Ok((host(name)?, Some(host(domain)?))),
        None => Ok((host(text)?, None)),
    }
}

/// A user, the domain, and the password: `NAME[@DOMAIN]:PASSWORD`.
pub(crate) fn user(text: &str) -> Result<(String, Option<HostBuf>, String), String> {
    let (user, password) = text.split_once(':').ok_or("NAME:PASSWORD wanted")?;
    match user.rsplit_once('@') {
        Some((name, domain)) => Ok((name.into(), Some(host(domain)?), password.into())),
        None => Ok((user.into(), None, password.into())),
    }
}

/// The algorithm of Digest that has this name.
pub(crate) fn algorithm(text: &str) -> Result<Algorithm, &'static str> {
    Algorithm::parse(text).ok_or("SHA-256, SHA-512-256 or MD5 wanted")
}

/// An order in which contacts are called.
pub(crate) fn forking(text: &str) -> Result<Forking, &'static str> {
    match text {
        "parallel" => Ok(Forking::Parallel),
        "q" => Ok(Forking::Groups),
        _ => Err("parallel or q wanted"),
    }
}

/// Where which requests go: `KEY=udp|tcp|tls|ws|wss:HOST[:PORT]`.
pub(crate) fn route(text: &str) -> Result<Route, String> {
    let (key, hop) = text.rsplit_once('=').ok_or("KEY=udp|tcp|tls|ws|wss:HOST[:PORT] wanted")?;
    let key = key.parse().map_err(|error| format!("{key}: {error}"))?;
    Ok(Route { key, next_hop: hop.parse::<Hop>()?.into() })
}
