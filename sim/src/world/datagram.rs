//! Datagrams on their way.

use std::net::SocketAddr;

use sansip::message::SharedBytes;
use sansip::{Input, ListenerId, Transmit};

use super::wire::Passage;
use super::{Happening, Port, World};
use crate::fault::Fate;
use crate::trace::{NodeId, Stopped, Transmission, What};

/// A datagram that arrives.
#[derive(Clone, Debug)]
pub(super) struct Datagram {
    pub(super) to: NodeId,
    pub(super) listener: ListenerId,
    pub(super) remote: SocketAddr,
    pub(super) bytes: SharedBytes,
    /// The index of its transmission in the trace.
    sent: usize,
    /// Who is told if nobody takes it.
    sender: Option<Box<Sender>>,
}

/// Who sent a datagram, from where to where, and what was in it.
#[derive(Clone, Debug)]
pub(super) struct Sender {
    node: NodeId,
    life: u32,
    listener: ListenerId,
    destination: SocketAddr,
    /// An ICMP message quotes the datagram.
    bytes: SharedBytes,
}

impl World {
    pub(super) fn send_datagram(&mut self, from: NodeId, transmit: Transmit) {
        let Transmit { flow, bytes, .. } = transmit;
        let destination = flow.remote;
        let place = &self.nodes[from.0];
        let source = place.listeners.iter().find(|bound| bound.listener == flow.listener);
        let source = source.expect("a node sends from the listeners that it was added with").address;
        let sender =
            Sender { node: from, life: place.life, listener: flow.listener, destination, bytes: bytes.clone() };
        let route = self.route(from, source, destination);
        let source = route.map_or(source, |route| route.source);
        let port = route.and_then(|route| self.ports.get(&(route.destination, false)).copied().ok_or(Stopped::Nobody));
        let port = match port {
            Ok(port) => port,
            Err(stopped) => return self.stop(sender, source, stopped, bytes),
        };
        let Port { node: to, listener, .. } = port;
        let Passage { link, ordinal, fate } = self.pass(from, to, &bytes);
        let too_large = link.mtu.is_some_and(|mtu| bytes.len() > mtu as usize);
        let stopped = match () {
            () if too_large => Some(Stopped::TooLarge),
            () if self.is_cut(from, to) => Some(Stopped::Cut),
            () => None,
        };
        let fate = if stopped.is_some() { Fate::FINE } else { fate.of_datagram() };
        if fate != Fate::FINE {
            self.met.messages.push((from, to, ordinal, fate));
        }
        let changed = match fate {
            Fate::Arrives { flip: Some(flip), .. } => {
                let mut bytes = bytes.to_vec();
                flip.apply(&mut bytes);
                Some(SharedBytes::from(bytes))
            }
            _ => None,
        };
        let arriving = changed.clone().unwrap_or_else(|| bytes.clone());
        let sent = Transmission {
            from,
            to: Some(to),
            source,
            destination,
            ordinal,
            fate,
            stopped,
            stream: None,
            changed,
            bytes,
        };
        let sent = self.trace.push(self.now, What::Sent(sent));
        if too_large && link.icmp {
            self.queue.add(self.now + link.delay * 2, Happening::Unreachable(Box::new(sender.clone())));
        }
        let (Fate::Arrives { late, again, .. }, None) = (fate, stopped) else { return };
        let sender = link.icmp.then(|| Box::new(sender));
        let datagram = Datagram { to, listener, remote: source, bytes: arriving, sent, sender };
        let first = self.now + link.delay + late;
        if let Some(after) = again {
            self.queue.add(first, Happening::Datagram(datagram.clone()));
            self.queue.add(first + after, Happening::Datagram(datagram));
        } else {
            self.queue.add(first, Happening::Datagram(datagram));
        }
    }

    /// A datagram that comes to nobody.
    fn stop(&mut self, sender: Sender, source: SocketAddr, why: Stopped, bytes: SharedBytes) {
        let (from, destination) = (sender.node, sender.destination);
        let (to, ordinal, fate, stopped, stream, changed) = (None, 0, Fate::FINE, Some(why), None, None);
        let sent = Transmission { from, to, source, destination, ordinal, fate, stopped, stream, changed, bytes };
        self.trace.push(self.now, What::Sent(sent));
        let link = self.setting.links.default;
        // A NAT drops what it does not know without a word (RFC 4787 §5).
        if link.icmp && why != Stopped::Nat {
            self.queue.add(self.now + link.delay * 2, Happening::Unreachable(Box::new(sender)));
        }
    }

    pub(super) fn arrive(&mut self, datagram: &Datagram) {
        let Datagram { to, listener, remote, bytes, sent, sender } = datagram;
        if !self.nodes[to.0].up {
            if let Some(sender) = sender {
                let back = self.link(*to, sender.node).delay;
                self.queue.add(self.now + back, Happening::Unreachable(sender.clone()));
            }
            return;
        }
        self.wake(*to);
        self.trace.push(self.now, What::Arrived { node: *to, sent: *sent });
        self.handle(*to, Input::Datagram { listener: *listener, remote: *remote, bytes });
    }

    /// An ICMP message comes back.
    pub(super) fn unreachable(&mut self, sender: &Sender) {
        let Sender { node, life, listener, destination, ref bytes } = *sender;
        if self.is_alive(node, life) {
            self.wake(node);
            self.handle(node, Input::Unreachable { listener, remote: destination, quoted: bytes });
        }
    }
}
