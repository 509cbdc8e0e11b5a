//! Whether a contact can be reached by its URI, or by nothing but the flow that its owner has opened (RFC 5626 §3).

use crate::flow::Flow;
use crate::message::header::Protocol;
use crate::message::{Host, Request, Uri};

/// The port of a URI or a Via that names none.
const DEFAULT_PORT: u16 = 5_060;

/// Whether a contact of the sender of `request`, which came straight from there along `flow`, is reached along that flow and by nothing else: that
/// of a WebSocket client, a host that nobody can find, or an address on the other side of
/// a NAT.
///
/// A NAT is known by the Via: the sender names itself there as it does in the contact, and the request came from elsewhere. A contact of another
/// host is none of these.
pub fn leads_nowhere_else(request: &Request, flow: Flow, contact: Uri<'_>) -> bool {
    let (Some(via), Some(contact)) = (request.top_via(), contact.host_port()) else { return false };
    if matches!(via.protocol, Protocol::Ws | Protocol::Wss) {
        return true;
    }
    let literal = match contact.host {
        Host::Name(name) => return is_invalid(name),
        Host::V4(address) => core::net::IpAddr::from(address),
        Host::V6(address) => core::net::IpAddr::from(address),
    };
    // A sender that asks for `rport` receives where it sends from (RFC 3581 §4).
    let other_port = flow.connection.is_none()
        && via.rport().is_some()
        && contact.port.unwrap_or(DEFAULT_PORT) != flow.remote.port();
    contact.host == via.sent_by.host && (literal != flow.remote.ip() || other_port)
}

/// Whether a host name is one that nobody can find (RFC 2606 §2, RFC 7118 §5.2).
fn is_invalid(name: &str) -> bool {
    let name = name.strip_suffix('.').unwrap_or(name);
    name.rsplit('.').next().is_some_and(|last| last.eq_ignore_ascii_case("invalid"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::flow::{ConnectionId, ListenerId};
    use crate::message::Message;
    use alloc::format;

    #[test]
    fn a_contact_is_reached_by_its_flow_alone_if_it_is_hidden() {
        let (udp, tcp) = (None, Some(ConnectionId::from_parts(0, 1)));
        for (via, contact, remote, connection, only) in [
            // The contact is where the request came from.
            ("UDP 192.0.2.4", "sip:bob@192.0.2.4", "192.0.2.4:5060", udp, false),
            // Behind a NAT, by address or by port.
            ("UDP 10.0.0.4", "sip:bob@10.0.0.4", "192.0.2.4:5060", udp, true),
            ("UDP 192.0.2.4;rport=40000", "sip:bob@192.0.2.4", "192.0.2.4:40000", udp, true),
            ("TCP 10.0.0.4", "sip:bob@10.0.0.4;transport=tcp", "192.0.2.4:40000", tcp, true),
            // Sent from another port than it is received at.
            ("UDP 192.0.2.4", "sip:bob@192.0.2.4", "192.0.2.4:40000", udp, false),
            ("TCP 192.0.2.4", "sip:bob@192.0.2.4;transport=tcp", "192.0.2.4:40000", tcp, false),
            // Another host than the sender.
            ("UDP 192.0.2.4", "sip:bob@192.0.2.5", "192.0.2.4:5060", udp, false),
            ("UDP pc.biloxi.com", "sip:bob@192.0.2.5", "192.0.2.4:5060", udp, false),
            ("UDP 10.0.0.4", "sip:bob@phone.biloxi.com", "192.0.2.4:5060", udp, false),
            // RFC 7118 §5.2.
            ("WSS df7jal23ls0d.invalid", "sip:bob@df7jal23ls0d.invalid;transport=ws", "192.0.2.4:40000", tcp, true),
            ("WS 192.0.2.4", "sip:bob@192.0.2.4;transport=ws", "192.0.2.4:40000", tcp, true),
            ("TCP 192.0.2.4", "sip:bob@a.INVALID.", "192.0.2.4:40000", tcp, true),
        ] {
            let text = format!(
                "REGISTER sip:biloxi.com SIP/2.0\r\nVia: SIP/2.0/{via};branch=z9hG4bK1\r\nTo: <sip:bob@biloxi.com>\r\n\
                 From: <sip:bob@biloxi.com>;tag=1\r\nCall-ID: 1\r\nCSeq: 1 REGISTER\r\n\r\n"
            );
            let Message::Request(request) = Message::parse(text.as_bytes(), &Default::default()).unwrap() else {
                panic!("a request");
            };
            let flow = Flow { listener: ListenerId::from_parts(0, 1), remote: remote.parse().unwrap(), connection };
            let uri = Uri::parse(contact.as_bytes()).unwrap();
            assert_eq!(leads_nowhere_else(&request, flow, uri), only, "{via} {contact} {remote}");
        }
    }
}
