//! A router of RFC 2543, which works on text alone and shares nothing with the stack.

use std::collections::{BTreeMap, VecDeque};
use std::net::{IpAddr, SocketAddr};

use sansip::message::SharedBytes;
use sansip::{ConnectionId, Flow, Input, Instant, ListenerId, Node, Output, Transmit};

use super::Actor;
use crate::trace::Note;

/// A strict router: it sends to the Request-URI, where it puts the first Route (RFC 2543 §6.29), and remembers nothing.
#[derive(Clone, Debug)]
pub struct StrictRouter {
    local: SocketAddr,
    /// The address of every host part that it can reach.
    hosts: BTreeMap<String, SocketAddr>,
    records: bool,
    out: VecDeque<Transmit>,
}

impl StrictRouter {
    /// Its only listener, for UDP.
    pub const HERE: ListenerId = ListenerId::from_parts(0, 1);

    /// A router at `local` that reaches these host parts, and whether it records its route: without `lr`.
    pub const fn new(local: SocketAddr, hosts: BTreeMap<String, SocketAddr>, records: bool) -> Self {
        Self { local, hosts, records, out: VecDeque::new() }
    }

    fn send(&mut self, remote: SocketAddr, head: &[String], body: &[u8]) {
        let mut bytes = head.join("\r\n").into_bytes();
        bytes.extend_from_slice(b"\r\n\r\n");
        bytes.extend_from_slice(body);
        let flow = Flow::datagram(Self::HERE, remote);
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

/// An address as a URI has it.
fn host(address: IpAddr) -> String {
    match address {
        IpAddr::V4(address) => address.to_string(),
        IpAddr::V6(address) => format!("[{address}]"),
    }
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
    Some((host.trim_matches(['[', ']']).parse::<IpAddr>().ok()?, port).into())
}

impl Node for StrictRouter {
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

impl Actor for StrictRouter {
    fn is_stateless(&self) -> bool {
        true
    }

    fn restarted(&self, _: Instant, _: u32) -> Option<Box<dyn Actor>> {
        Some(Box::new(Self { out: VecDeque::new(), ..self.clone() }))
    }

    fn clone_box(&self) -> Box<dyn Actor> {
        Box::new(self.clone())
    }
}
