//! The note of a server about where a request came from, and where its responses go (RFC 3261 §18.2, RFC 3581 §4).

use core::net::{IpAddr, SocketAddr};

use crate::flow::Flow;
use crate::message::header::Via;
use crate::message::{MessageView, Request};

use super::wire::{TimerKey, Wire};

/// Where responses to a request with this topmost Via go (§18.2.2, RFC 3581 §4). `follows` says whether a `maddr` counts.
///
/// The `received` of the rule is the address that the request came from: what a peer wrote there itself counts for nothing.
fn response_destination(via: &Via<'_>, remote: SocketAddr, follows: impl Fn(IpAddr) -> bool) -> SocketAddr {
    let port = via.sent_by.port.unwrap_or(via.protocol.default_port());
    let maddr = via.maddr().and_then(|maddr| maddr.ip()).filter(|ip| ip.is_ipv4() == remote.is_ipv4() && follows(*ip));
    match (maddr, via.rport()) {
        (Some(maddr), _) => SocketAddr::new(maddr, port),
        (None, Some(_)) => remote,
        (None, None) => SocketAddr::new(remote.ip(), port),
    }
}

impl<K: TimerKey> Wire<K> {
    /// Where the responses go to a request that came along `flow` with this topmost Via: back along a connection, else where the Via says, from the
    /// listener that the request came to, or if that is a group's, from another. A `maddr` counts only where the listener [follows](super::Listener::maddr)
    /// it, which departs from §18.2.2: a stranger could send a response to anybody with it. Nobody has port 0.
    pub(crate) fn path_back(&self, via: &Via<'_>, flow: Flow) -> Option<Flow> {
        if flow.connection.is_some() {
            return Some(flow);
        }
        let listener = self.listeners.get(flow.listener)?;
        if !listener.follows_any() {
            // Most listeners: nobody but the source is answered.
            let port = match via.rport() {
                Some(_) => flow.remote.port(),
                None => via.sent_by.port.unwrap_or(via.protocol.default_port()),
            };
            let remote = SocketAddr::new(flow.remote.ip(), port);
            return (port != 0).then_some(Flow::datagram(flow.listener, remote));
        }
        let remote = response_destination(via, flow.remote, |maddr| listener.follows(maddr));
        let listener = if listener.local.ip().is_multicast() {
            self.listeners.towards(listener.protocol, remote)?
        } else {
            flow.listener
        };
        (remote.port() != 0).then_some(Flow::datagram(listener, remote))
    }

    /// Where a response goes on whose topmost Via this is, the one before taken off (§16.11, §18.2.2): what was noted there when the
    /// request came says where from. `None` if nothing was and it names no address itself.
    pub(crate) fn path_forward(&self, via: &Via<'_>) -> Option<Flow> {
        let ip = via.received().or_else(|| via.sent_by.host.ip())?;
        let port = via.rport().flatten().or(via.sent_by.port).unwrap_or(via.protocol.default_port());
        // Which listener the request came to is not known any more.
        let follows = |maddr| self.listeners.iter().any(|(_, it)| it.protocol == via.protocol && it.follows(maddr));
        let remote = response_destination(via, SocketAddr::new(ip, port), follows);
        let listener = self.listeners.towards(via.protocol, remote)?;
        (remote.port() != 0).then_some(Flow::datagram(listener, remote))
    }
}

/// An owned copy of the request with `received` and `rport` in its topmost Via, which is this one, where they are due (§18.2.1,
/// RFC 3581 §4); `None` if it cannot grow any more, or is a response.
pub(crate) fn stamped(view: &MessageView<'_>, via: &Via<'_>, remote: SocketAddr) -> Option<Request> {
    match due(via, remote) {
        None => view.to_request(),
        Some((received, rport)) => view.stamped(via, received, rport),
    }
}

/// As [`stamped`], of an owned request, which stays as it is if it cannot grow or its topmost Via cannot be read.
pub(crate) fn stamp(request: Request, remote: SocketAddr) -> Request {
    let Some(via) = request.top_via() else { return request };
    let Some((received, rport)) = due(&via, remote) else { return request };
    let stamped = request.stamped(&via, received, rport);
    stamped.unwrap_or(request)
}

/// The note that is due in the topmost Via for this sender, if any.
fn due(via: &Via<'_>, remote: SocketAddr) -> Option<(IpAddr, Option<u16>)> {
    let asks = via.rport().is_some();
    let differs = via.sent_by.host.ip() != Some(remote.ip());
    let claims = via.received().is_some() || via.has_void_notes();
    (asks || differs || claims).then(|| (remote.ip(), asks.then(|| remote.port())))
}

#[cfg(test)]
mod tests {
    use alloc::format;
    use alloc::string::String;

    use super::stamp;
    use crate::message::{HeaderId, Limits, Message};

    /// The topmost Via of a request that came from 192.0.2.9:5062 with these parameters in it.
    fn stamped(parameters: &str) -> String {
        let text = format!(
            "OPTIONS sip:bob@biloxi.com SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.9{parameters}\r\nTo: <sip:b@c>\r\n\
             From: <sip:a@c>;tag=1\r\nCall-ID: x\r\nCSeq: 1 OPTIONS\r\n\r\n"
        );
        let Ok(Message::Request(request)) = Message::parse(text.as_bytes(), &Limits::default()) else {
            panic!("{text}")
        };
        let stamped = stamp(request, "192.0.2.9:5062".parse().unwrap());
        let via = stamped.headers().raw(HeaderId::Via).unwrap();
        String::from_utf8_lossy(via).strip_prefix("SIP/2.0/UDP 192.0.2.9").unwrap().into()
    }

    #[test]
    fn what_the_sender_has_noted_itself_does_not_go_on() {
        for (parameters, expected) in [
            (";branch=z9hG4bK1", ";branch=z9hG4bK1"),
            (";rport", ";rport=5062;received=192.0.2.9"),
            (";received=1.1.1.1", ";received=192.0.2.9"),
            (";received=nobody;received=1.1.1.1", ";received=192.0.2.9"),
            (";rport;rport=1;received=1.1.1.1;Received=2.2.2.2", ";rport=5062;received=192.0.2.9"),
            (";rport=x;rport=1", ";rport=x;received=192.0.2.9"),
        ] {
            assert_eq!(stamped(parameters), expected, "{parameters}");
        }
    }
}
