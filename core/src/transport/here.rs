//! Where a request says how this end is reached.

use alloc::boxed::Box;
use alloc::string::String;
use core::net::IpAddr;

use crate::flow::ListenerId;
use crate::message::HeaderId;
use crate::message::header::Protocol;

use super::requester::{DialogKey, tell};
use super::{Listener, Listeners, is_special, meant};

/// Where a request says "here". Which listener that is, is known with the way that the request goes: each attempt writes it anew,
/// as it does with our Via.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Here {
    /// Nowhere.
    Unsaid,
    /// In Contact, with this user, a SIPS URI if `secure`, with `ob` if requests are to come along the flow (RFC 5626 §4.3), and these header
    /// parameters (RFC 3261 §8.1.1.8).
    Contact { user: Option<Box<str>>, secure: bool, ob: bool, parameters: Box<str> },
    /// In Record-Route (RFC 3261 §16.6 step 4).
    RecordRoute(Box<RecordRoute>),
}

/// The Record-Route of a proxy. It is one value if the same URI leads here for both sides; else it is two (RFC 5658 §6.2), the
/// upper one for the next hop, the lower one for the hop before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RecordRoute {
    /// The listener that the request came in by.
    pub(crate) inbound: ListenerId,
    /// Whether SIPS URIs are written for both sides: the Request-URI or the first Route is one.
    pub(crate) secure: bool,
    /// Whether the hop before, and the next one, write `transport=tls` themselves.
    pub(crate) names_tls: [bool; 2],
    /// The last URI parameters of a value that stands alone, of the upper and of the lower one.
    pub(crate) parameters: [Box<str>; 3],
    /// Whether it is written only where the request leaves the address family that it came in by (RFC 6157 §3.1.1).
    pub(crate) between_families: bool,
    /// The dialog, whose [`Peers`] the values tell where these are special.
    pub(crate) dialog: Option<Dialog>,
}

/// The dialog that a Record-Route is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Dialog {
    pub(crate) key: DialogKey,
    /// The address that the request came from.
    pub(crate) source: IpAddr,
}

/// The field that says "here".
#[derive(Debug)]
pub(super) struct Said {
    pub(super) header: HeaderId,
    pub(super) value: String,
    /// The value of a second field below.
    pub(super) below: Option<String>,
}

impl Here {
    /// The field that is written when the request goes from this listener to this address.
    pub(super) fn field(&self, listeners: &Listeners, outbound: ListenerId, remote: IpAddr) -> Option<Said> {
        let listener = listeners.get(outbound)?;
        match self {
            Self::Unsaid => None,
            Self::Contact { user, secure, ob, parameters } => {
                let uri = listener.uri(user.as_deref(), *secure, if *ob { ";ob" } else { "" });
                let value = ["<", &uri, ">", parameters].concat();
                Some(Said { header: HeaderId::Contact, value, below: None })
            }
            Self::RecordRoute(recorded) => {
                let inbound = listeners.get(recorded.inbound)?;
                if recorded.between_families && inbound.local.is_ipv4() == listener.local.is_ipv4() {
                    return None;
                }
                let peers = recorded.dialog.map(|dialog| dialog.peers(listeners, [recorded.inbound, outbound], remote));
                let (value, below) = recorded.values(inbound, listener, &peers.unwrap_or_default());
                Some(Said { header: HeaderId::RecordRoute, value, below })
            }
        }
    }
}

impl Dialog {
    /// The parameter that tells which special addresses a request has to do with: its source, and where it goes. None where a network of both
    /// listeners has both addresses, as then nobody has to vouch for them.
    fn peers(self, listeners: &Listeners, ways: [ListenerId; 2], remote: IpAddr) -> String {
        let addresses = [self.source, remote].map(meant);
        if ways.iter().all(|id| listeners.has_inside(*id, addresses)) {
            return String::new();
        }
        let special = addresses.into_iter().filter(|ip| is_special(*ip) || listeners.have_address(*ip));
        tell(&self.key, special)
    }
}

impl RecordRoute {
    /// The values for a request that came in by `inbound` and goes from `outbound`: the upper one, and the lower one if it is
    /// another.
    /// Each value ends with the parameter that tells the `peers`.
    fn values(&self, inbound: &Listener, outbound: &Listener, peers: &str) -> (String, Option<String>) {
        let [alone, upper, lower] = &self.parameters;
        let (alone, upper, lower) = ([&**alone, peers], [&**upper, peers], [&**lower, peers]);
        let [tls_before, tls_behind] = self.names_tls;
        // RFC 3261 §16.7 step 8 would write a SIPS URI for the hop before into the response; a hop that names TLS itself in SIP
        // URIs gets back what it uses.
        let arrived_secure = inbound.protocol.is_secure() && !outbound.protocol.is_secure() && !tls_before;
        let before = Side { listener: inbound, secure: self.secure || arrived_secure, names_tls: tls_before };
        let behind = Side { listener: outbound, secure: self.secure, names_tls: tls_behind };
        let plain = |side: Side<'_>| Side { names_tls: false, ..side }.uri("", false);
        // A side that is not on TLS must not be told to use it.
        let may_share = inbound.protocol == outbound.protocol || !(tls_before || tls_behind);
        if may_share && plain(before) == plain(behind) {
            // One URI serves both sides: it names TLS if either side does.
            let both = Side { names_tls: tls_before || tls_behind, ..before };
            return (both.value(&alone.concat(), false), None);
        }
        let changes = inbound.protocol != outbound.protocol;
        (behind.value(&upper.concat(), changes), Some(before.value(&lower.concat(), changes)))
    }
}

/// A side of a proxy.
#[derive(Clone, Copy)]
struct Side<'a> {
    listener: &'a Listener,
    secure: bool,
    names_tls: bool,
}

impl Side<'_> {
    /// The URI that leads here. Where the protocol `changes`, each value says its own (RFC 5658 §6.2). `transport=tls` is written
    /// only for a hop that uses it.
    fn uri(self, parameters: &str, changes: bool) -> String {
        let transport = match self.listener.protocol {
            Protocol::Udp if changes && !self.secure => ";transport=udp",
            Protocol::Tls if !self.secure && !self.names_tls => "",
            _ => self.listener.transport_parameter(self.secure),
        };
        self.listener.uri_with(None, self.secure, transport, parameters)
    }

    fn value(self, parameters: &str, changes: bool) -> String {
        ["<", &self.uri(&[";lr", parameters].concat(), changes), ">"].concat()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;
    use core::net::SocketAddr;

    fn values(inbound: &Listener, outbound: &Listener, secure: bool, names_tls: [bool; 2]) -> [String; 2] {
        let parameters = ["", ";u", ";l"].map(Box::from);
        let inbound_id = Listeners::default().add(inbound.clone());
        let recorded =
            RecordRoute { inbound: inbound_id, secure, names_tls, parameters, between_families: false, dialog: None };
        let (upper, lower) = recorded.values(inbound, outbound, "");
        [upper, lower.unwrap_or_default()]
    }

    fn named(listener: fn(SocketAddr) -> Listener, name: &str) -> Listener {
        listener(SocketAddr::from(([192, 0, 2, 3], 5060))).with_sent_by(name.parse().unwrap())
    }

    /// RFC 5658 §6.2.
    #[test]
    fn two_values_say_their_transports_where_they_differ_and_one_serves_where_they_do_not() {
        let udp = named(Listener::udp, "p.example.com");
        let tcp = named(Listener::tcp, "p.example.com");
        let plain = [false; 2];
        assert_eq!(values(&udp, &udp, false, plain), ["<sip:p.example.com;lr>", ""]);
        assert_eq!(values(&tcp, &tcp, false, plain), ["<sip:p.example.com;transport=tcp;lr>", ""]);
        assert_eq!(
            values(&udp, &tcp, false, plain),
            ["<sip:p.example.com;transport=tcp;lr;u>", "<sip:p.example.com;transport=udp;lr;l>"]
        );
        // Two networks: the transport is the same, and is not said.
        let inside = named(Listener::udp, "10.0.0.1");
        assert_eq!(values(&udp, &inside, false, plain), ["<sip:10.0.0.1;lr;u>", "<sip:p.example.com;lr;l>"]);
        // RFC 6157 §3.1.1: one name that leads to both families is one value.
        let v6 = Listener::udp("[2001:db8::3]:5060".parse().unwrap()).with_sent_by(udp.sent_by.clone());
        assert_eq!(values(&udp, &v6, false, plain), ["<sip:p.example.com;lr>".to_string(), String::new()]);
    }

    /// RFC 3261 §16.6 step 4 and §16.7 step 8, RFC 5630 §3.1.4.
    #[test]
    fn sips_stands_where_the_request_is_secure_or_came_over_tls_and_goes_on_without() {
        let udp = named(Listener::udp, "p.example.com");
        let tls = named(Listener::tls, "p.example.com:5061");
        let plain = [false; 2];
        assert_eq!(values(&tls, &tls, true, plain), ["<sips:p.example.com:5061;lr>", ""]);
        assert_eq!(
            values(&tls, &udp, false, plain),
            ["<sip:p.example.com;transport=udp;lr;u>", "<sips:p.example.com:5061;lr;l>"]
        );
        assert_eq!(
            values(&udp, &tls, false, plain),
            ["<sip:p.example.com:5061;lr;u>", "<sip:p.example.com;transport=udp;lr;l>"]
        );
        assert_eq!(values(&udp, &tls, true, plain), ["<sips:p.example.com:5061;lr;u>", "<sips:p.example.com;lr;l>"]);
    }

    #[test]
    fn transport_tls_is_written_for_a_hop_that_uses_it() {
        let udp = named(Listener::udp, "p.example.com");
        let tls = named(Listener::tls, "p.example.com:5061");
        assert_eq!(
            values(&tls, &udp, false, [true, false]),
            ["<sip:p.example.com;transport=udp;lr;u>", "<sip:p.example.com:5061;transport=tls;lr;l>"]
        );
        assert_eq!(values(&udp, &tls, false, [false, true])[0], "<sip:p.example.com:5061;transport=tls;lr;u>");
        assert_eq!(values(&tls, &tls, false, [true, false]), ["<sip:p.example.com:5061;transport=tls;lr>", ""]);
        // At its default port TLS is named as UDP is, and still has a value of its own.
        let tls = named(Listener::tls, "p.example.com");
        assert_eq!(
            values(&udp, &tls, false, [false, true]),
            ["<sip:p.example.com;transport=tls;lr;u>", "<sip:p.example.com;transport=udp;lr;l>"]
        );
    }
}
