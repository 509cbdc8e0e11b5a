//! Binding: the contacts that a registrar acknowledged are the ones that are rung.

mod registrar;
mod ringing;

use sansip::registrar::Store;
use sansip::server::Settings;
use sansip::{Duration, Instant};

use super::{Part, Reading, Report, Rule, Seen, Serving};
use crate::packet::{Packet, host_port, uri_of};
use crate::trace::NodeId;
use registrar::Ledger;

/// A registrar says what it has bound, and a request for a user goes there and nowhere else.
///
/// * The 2xx to a REGISTER has every binding of the address-of-record, none of those that the request took away, and none for longer than
///   was asked (RFC 3261 §10.3 steps 7 and 8).
/// * A REGISTER is not obeyed if its number is not above that of the one with its Call-ID that made the binding (step 7), and one with `*` only if
///   that stands alone with `Expires: 0` (step 6).
/// * A 423 has a Min-Expires, and is for a time between none and an hour (step 7).
/// * A request for a user goes to contacts whose binding was acknowledged and has not ended (§16.5), along the Path that they were registered
///   by (RFC 3327 §5.4).
/// * An INVITE that is rejected was sent to every one of them first, unless a 2xx or 6xx or a CANCEL came before (§16.5, §16.7).
///
/// The servers of a farm, whose bindings are in a store of their owner, are one registrar. A REGISTER takes effect there at some time between its
/// coming and its 2xx, and one without a 2xx may do so at any time after it came; a request for a user finds what is bound at some time between its
/// own coming and its going on. What is acknowledged before a request comes, and not touched until that is answered, must be rung.
///
/// The users of a server that redirects are not judged.
pub const BINDING: Rule = Rule::new("binding", "RFC 3261 §10.3, §16.5, §16.7; RFC 3327 §5").of_runs(check_run);

fn check_run(run: &Reading<'_>, report: &mut Report<'_>) {
    for registrar in registrars(run) {
        let mut ledger = Ledger::default();
        for (part, time, packet, why) in ledger.read(&registrar) {
            let what = format!("{} sent {} ({}): {why}", part.name, packet.what(), packet.top().branch);
            report.breach(part.node, time, what);
        }
        for (part, time, packet, why) in ringing::judge(&registrar, &ledger) {
            let what = format!("{} sent {} ({}): {why}", part.name, packet.what(), packet.top().branch);
            report.breach(part.node, time, what);
        }
    }
}

/// Something that a server should not have sent, and when.
type Wrong<'a> = (&'a Part<'a>, Instant, &'a Packet<'a>, String);

/// Two nodes that read a time at one moment may differ by so much: the seconds of `expires` are rounded.
const ROUNDING: Duration = Duration::from_secs(1);

/// A server, or all servers of a farm, as the registrar of their domains.
struct Registrar<'r, 'a> {
    run: &'r Reading<'a>,
    settings: &'r Settings,
    nodes: Vec<NodeId>,
    /// Whether the bindings are in a store of the owner.
    is_farm: bool,
    /// When a server crashed, by its own clock: it forgot its bindings then.
    crashes: Vec<Instant>,
    /// Whether it lost a connection.
    loses: bool,
}

/// Each server with its own bindings, and the others by their domains. A farm one of whose clocks has jumped is not judged: who can tell which
/// binding has ended?
fn registrars<'r, 'a>(run: &'r Reading<'a>) -> Vec<Registrar<'r, 'a>> {
    let mut all: Vec<Registrar<'r, 'a>> = Vec::new();
    for Serving { node, settings, .. } in run.servers() {
        let is_farm = settings.registrar.store == Store::Owner;
        let mut farms = all.iter_mut().filter(|other| is_farm && other.is_farm);
        match farms.find(|other| other.settings.domains == settings.domains) {
            Some(farm) => farm.nodes.push(*node),
            None => {
                let nodes = vec![*node];
                all.push(Registrar { run, settings, nodes, is_farm, crashes: Vec::new(), loses: false });
            }
        }
    }
    for registrar in &mut all {
        let loses = registrar.parts().any(|part| !part.lost.is_empty());
        let crashes = registrar.parts().filter(|part| part.crashed && !registrar.is_farm);
        (registrar.crashes, registrar.loses) = (crashes.map(|part| part.until).collect(), loses);
        registrar.crashes.sort_unstable();
        registrar.crashes.dedup();
    }
    all.retain(|registrar| !registrar.is_farm || registrar.registering().all(|part| part.keeps_time));
    all
}

impl<'r, 'a> Registrar<'r, 'a> {
    /// All that its servers saw.
    fn parts(&self) -> impl Iterator<Item = &'a Part<'a>> + use<'_, 'r, 'a> {
        self.run.parts().iter().filter(|part| self.nodes.contains(&part.node))
    }

    /// All parts with answers to REGISTERs of its own. Of a farm, those of servers that have crashed are among them, which are in no list any more.
    fn registering(&self) -> impl Iterator<Item = &'a Part<'a>> + use<'_, 'r, 'a> {
        let others = self.run.servers().iter().map(|serving| serving.node);
        let others: Vec<NodeId> = others.filter(|node| !self.nodes.contains(node)).collect();
        self.run.parts().iter().filter(move |part| match self.is_farm {
            true => !part.is_stateless && !others.contains(&part.node),
            false => self.nodes.contains(&part.node),
        })
    }

    /// When something was seen: by the clock that the bindings of a server end by, or that tells the servers of a farm apart.
    fn time(&self, seen: &Seen<'_>) -> Instant {
        if self.is_farm { seen.world } else { seen.time }
    }

    /// How often it had crashed by then.
    fn life(&self, time: Instant) -> usize {
        self.crashes.partition_point(|crash| *crash < time)
    }

    /// The address-of-record that a URI stands for: `user@host` with the host of the domain; `None` if it is none of this registrar.
    fn address_of_record(&self, uri: &str) -> Option<String> {
        let (user, _) = uri.split_once(':')?.1.split_once('@')?;
        let at = host_port(uri);
        let host = at.split(':').next().unwrap_or(at);
        let settings = self.settings;
        let alias = settings.aliases.iter().find(|alias| alias.name.to_string().eq_ignore_ascii_case(host));
        let host = alias.map_or_else(|| host.to_ascii_lowercase(), |alias| alias.domain.to_string());
        let is_own = settings.domains.iter().any(|domain| domain.to_string().eq_ignore_ascii_case(&host));
        is_own.then(|| format!("{user}@{}", host.to_ascii_lowercase()))
    }
}

/// The contacts of a message, each with the seconds that it is for, if that is said.
fn contacts<'a>(packet: &'a Packet<'a>) -> impl Iterator<Item = (&'a str, Option<u64>)> {
    let usual = packet.values("expires", "expires").next().and_then(|seconds| seconds.parse().ok());
    packet.values("contact", "m").map(move |value| (uri_of(value), expires(value).or(usual)))
}

/// The `expires` of a Contact value, behind its URI.
fn expires(value: &str) -> Option<u64> {
    let parameters = value.rsplit_once('>').map_or(value, |(_, rest)| rest);
    parameters.split(';').find_map(|parameter| parameter.trim().strip_prefix("expires=")?.parse().ok())
}

#[cfg(test)]
mod tests;
