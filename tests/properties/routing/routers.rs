//! The routers that the network has besides servers: a stateless proxy, and one of RFC 2543 that works on text alone.

use std::collections::{BTreeMap, VecDeque};
use std::net::SocketAddr;

use sansip::message::{HeaderId, SharedBytes, StatusCode, Uri, UriBuf};
use sansip::proxy::{Refusal, Target, stateless};
use sansip::{
    ConnectionId, Context, Flow, Indication, Input, Instant, ListenerId, NextHop, Node, Output, TransactionUser,
    Transmit,
};
use sansip_sim::actor::Actor;
use sansip_sim::trace::Note;

use super::plan::host;

/// A stateless proxy with a table of routes.
#[derive(Clone, Debug)]
pub(super) struct Front {
    pub(super) core: stateless::Core,
    /// The host parts that mean it; the first is its domain.
    pub(super) names: Vec<String>,
    /// The target for all that its domain gets.
    pub(super) target: Option<UriBuf>,
    pub(super) routes: Vec<(String, NextHop)>,
    pub(super) default: Option<NextHop>,
}

impl TransactionUser for Front {
    type Event = ();

    const TAKES_STRAYS: bool = true;

    fn indicate(&mut self, cx: &mut Context<'_, ()>, indication: Indication) {
        let Self { core, names, target, routes, default } = self;
        let host = |uri: Uri<'_>| uri.host().map(|host| host.to_string()).unwrap_or_default();
        let is_ours = |uri: Uri<'_>| names.contains(&host(uri));
        core.indicate(cx, indication, is_ours, |preprocessed| {
            let request = &preprocessed.request;
            let uri = request.uri().map_err(|_| Refusal::Status(StatusCode::BAD_REQUEST))?;
            let host = host(uri);
            let is_domain = names.first() == Some(&host);
            let has_route = request.headers().contains(HeaderId::Route);
            let unchanged = || Target::new(uri.to_buf());
            if !is_domain && (has_route || preprocessed.recorded) {
                return Ok(unchanged());
            }
            if is_domain && uri.user().is_none() {
                return Err(Refusal::Status(StatusCode::NOT_FOUND));
            }
            if let Some((_, hop)) = routes.iter().find(|(key, _)| *key == host && !has_route) {
                return Ok(unchanged().with_next_hop(hop.clone()));
            }
            match (target, default) {
                (Some(target), _) if is_domain => Ok(Target::new(target.clone())),
                (_, Some(hop)) if !has_route => Ok(unchanged().with_next_hop(hop.clone())),
                _ if is_domain => Err(Refusal::Status(StatusCode::NOT_FOUND)),
                _ => Ok(unchanged()),
            }
        });
    }

    fn is_idle(&self) -> bool {
        true
    }
}

/// A strict router: it sends to the Request-URI, where it puts the first Route (RFC 2543 §6.29), and remembers nothing.
#[derive(Clone, Debug)]
pub(super) struct Strict {
    pub(super) local: SocketAddr,
    /// The address of every host part that it can reach.
    pub(super) hosts: BTreeMap<String, SocketAddr>,
    pub(super) records: bool,
    out: VecDeque<Transmit>,
}

/// The only listener of a strict router.
pub(super) const HERE: ListenerId = ListenerId::from_parts(0, 1);

impl Strict {
    pub(super) const fn new(local: SocketAddr, hosts: BTreeMap<String, SocketAddr>, records: bool) -> Self {
        Self { local, hosts, records, out: VecDeque::new() }
    }

    fn send(&mut self, remote: SocketAddr, head: &[String], body: &[u8]) {
        let mut bytes = head.join("\r\n").into_bytes();
        bytes.extend_from_slice(b"\r\n\r\n");
        bytes.extend_from_slice(body);
        let flow = Flow::datagram(HERE, remote);
        self.out.push_back(Transmit { flow, ttl: None, bytes: SharedBytes::from(bytes) });
    }

    fn receive(&mut self, remote: SocketAddr, bytes: &[u8]) -> Option<()> {
        let end = bytes.windows(4).position(|window| window == b"\r\n\r\n")?;
        let head = std::str::from_utf8(&bytes[..end]).ok()?;
        let body = bytes[end + 4..].to_vec();
        let mut lines: Vec<String> = head.split("\r\n").map(str::to_owned).collect();
        if lines[0].starts_with("SIP/2.0 ") {
            let (own, next) = (take(&mut lines, "via")?, values(&lines, "via").into_iter().next()?);
            own.contains(&self.local.to_string()).then_some(())?;
            self.send(answer_to(&next)?, &lines, &body);
            return Some(());
        }
        let hops: u32 = values(&lines, "max-forwards").first()?.parse().ok()?;
        let hops = hops.checked_sub(1)?;
        let method = lines[0].split(' ').next()?.to_owned();
        let routed = take(&mut lines, "route");
        let uri = match routed {
            Some(route) => route.split_once('<')?.1.split_once('>')?.0.to_owned(),
            None => lines[0].split(' ').nth(1)?.to_owned(),
        };
        let name = uri.strip_prefix("sip:")?.split(';').next()?.rsplit('@').next()?.to_owned();
        let to = *self.hosts.get(&name)?;
        let top = take(&mut lines, "via")?;
        let branch: u64 = top.bytes().fold(5, |hash, octet| (hash ^ u64::from(octet)).wrapping_mul(0x100_0000_01b3));
        let stamp = if top.contains(";rport") {
            format!("{};received={}", top.replacen(";rport", &format!(";rport={}", remote.port()), 1), remote.ip())
        } else {
            format!("{top};received={}", remote.ip())
        };
        lines[0] = format!("{method} {uri} SIP/2.0");
        lines.insert(1, format!("Via: SIP/2.0/UDP {};branch=z9hG4bK{branch:x}", self.local));
        lines.insert(2, format!("Via: {stamp}"));
        lines.retain(|line| !name_is(line, "max-forwards"));
        lines.push(format!("Max-Forwards: {hops}"));
        if self.records && method == "INVITE" {
            lines.insert(3, format!("Record-Route: <sip:{}>", host(self.local.ip())));
        }
        self.send(to, &lines, &body);
        Some(())
    }
}

fn name_is(line: &str, name: &str) -> bool {
    line.split(':').next().is_some_and(|it| it.trim().eq_ignore_ascii_case(name))
}

fn values(lines: &[String], name: &str) -> Vec<String> {
    let fields = lines.iter().skip(1).filter(|line| name_is(line, name)).filter_map(|line| line.split_once(':'));
    fields.flat_map(|(_, value)| value.split(',').map(|value| value.trim().to_owned())).collect()
}

/// Takes the first value of a list away.
fn take(lines: &mut Vec<String>, name: &str) -> Option<String> {
    let place = lines.iter().skip(1).position(|line| name_is(line, name))? + 1;
    let (key, value) = lines[place].split_once(':')?;
    let (first, rest) = match value.split_once(',') {
        Some((first, rest)) => (first.trim().to_owned(), Some(format!("{key}:{rest}"))),
        None => (value.trim().to_owned(), None),
    };
    match rest {
        Some(rest) => lines[place] = rest,
        None => drop(lines.remove(place)),
    }
    Some(first)
}

/// Where a response goes by the Via of who has sent the request (RFC 3261 §18.2.2, RFC 3581 §4).
fn answer_to(via: &str) -> Option<SocketAddr> {
    let mut parts = via.split(';');
    let sent_by = parts.next()?.rsplit(' ').next()?;
    let (mut host, mut port) = match sent_by.rsplit_once(':') {
        Some((host, port)) if !port.contains(']') && port.parse::<u16>().is_ok() => {
            (host.to_owned(), port.parse().ok()?)
        }
        _ => (sent_by.to_owned(), 5060),
    };
    for parameter in parts {
        match parameter.split_once('=') {
            Some(("received", value)) => host = value.to_owned(),
            Some(("rport", value)) => port = value.parse().ok()?,
            _ => {}
        }
    }
    Some((host.trim_matches(['[', ']']).parse::<std::net::IpAddr>().ok()?, port).into())
}

impl Node for Strict {
    type Event = Note;

    fn handle(&mut self, _: Instant, input: Input<'_>) {
        if let Input::Datagram { remote, bytes, .. } = input {
            // What it cannot send on it drops.
            let _ = self.receive(remote, bytes);
        }
    }

    fn poll(&mut self) -> Option<Output<Note>> {
        self.out.pop_front().map(Output::Send)
    }

    fn deadline(&self) -> Option<Instant> {
        None
    }

    fn is_idle(&self) -> bool {
        self.out.is_empty()
    }

    fn reserve(&mut self) -> ConnectionId {
        unreachable!("nobody connects to it")
    }
}

impl Actor for Strict {
    fn clone_box(&self) -> Box<dyn Actor> {
        Box::new(self.clone())
    }
}
