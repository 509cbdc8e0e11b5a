//! Which services a domain has (RFC 3263 §4.1, RFC 3403).

use alloc::boxed::Box;
use alloc::vec::Vec;

use crate::message::header::Protocol;
use crate::node::Answer;

use super::canonical;

/// The services that `answers` name and that `protocols` can use, with the names of their SRV records, the preferred one
/// first.
///
/// Only the lowest ORDER with such a service counts; within it the PREFERENCE says which is tried first (RFC 3403 §4.1). Among
/// equals the order is that of `protocols`, so that it is the same each time (RFC 3263 §4.4).
pub(super) fn services(answers: &[Answer], protocols: &[Protocol]) -> Vec<(Protocol, Box<str>)> {
    let mut found = Vec::new();
    for answer in answers {
        let Answer::Naptr { order, preference, flags, service, replacement } = answer else { continue };
        // "s": what follows is an SRV record. Another flag is of another application.
        if !flags.eq_ignore_ascii_case("s") {
            continue;
        }
        if let Some(protocol) = protocol(service)
            && let Some(rank) = protocols.iter().position(|ours| *ours == protocol)
            && let Some(replacement) = canonical(replacement)
        {
            found.push((*order, *preference, rank, replacement, protocol));
        }
    }
    found.sort_unstable();
    let lowest = found.first().map(|(order, ..)| *order);
    let mut services: Vec<(Protocol, Box<str>)> = Vec::new();
    for (order, _, _, replacement, protocol) in found {
        if Some(order) == lowest && !services.iter().any(|(of, name)| *of == protocol && *name == replacement) {
            services.push((protocol, replacement));
        }
    }
    services
}

/// The protocol of a service field (RFC 3263 §9, RFC 4168 §8, RFC 7118 §5.5). TLS over SCTP is none of ours.
fn protocol(service: &str) -> Option<Protocol> {
    const SERVICES: [(&str, Protocol); 6] = [
        ("SIP+D2U", Protocol::Udp),
        ("SIP+D2T", Protocol::Tcp),
        ("SIPS+D2T", Protocol::Tls),
        ("SIP+D2S", Protocol::Sctp),
        ("SIP+D2W", Protocol::Ws),
        ("SIPS+D2W", Protocol::Wss),
    ];
    SERVICES.iter().find(|(name, _)| service.eq_ignore_ascii_case(name)).map(|(_, protocol)| *protocol)
}
