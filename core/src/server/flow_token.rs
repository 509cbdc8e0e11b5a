//! Flow tokens: our Record-Route says along which flow a side of the dialog is reached (RFC 5626 §5.2, §5.3).
//!
//! A token is a parameter of our own URI, for whoever is at that side: the caller or the callee. It has the flow in it, and a keyed
//! hash over the flow, the side, the Call-ID and the caller's tag, so that nobody else can write one, nor use one for another dialog.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;
use core::hash::Hasher;
use core::net::{IpAddr, SocketAddr};

use siphasher::sip128::{Hasher128, SipHasher24};

use crate::flow::{ConnectionId, Flow, ListenerId};
use crate::message::{Headers, TagParam, Uri};

/// Octets of the keyed hash: 96 bits.
const PROOF: usize = 12;

/// Octets of the longest flow as it is written.
const LONGEST: usize = 1 + 8 + 8 + 16 + 2;

/// A side of a dialog.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Side {
    Caller,
    Callee,
}

impl Side {
    const BOTH: [Self; 2] = [Self::Caller, Self::Callee];

    const fn parameter(self) -> &'static str {
        match self {
            Self::Caller => "caller-flow",
            Self::Callee => "callee-flow",
        }
    }
}

/// A token of ours is none: it was tampered with, or belongs to another dialog.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Tampered;

/// The key of flow tokens.
#[derive(Clone)]
pub(super) struct FlowTokens([u8; 16]);

impl FlowTokens {
    pub(super) const fn new(key: [u8; 16]) -> Self {
        Self(key)
    }

    /// The URI parameter that says along which flow a side of the dialog of `headers`, a request of the caller's, is reached.
    pub(super) fn parameter(&self, side: Side, flow: Flow, headers: Headers<'_>) -> String {
        let mut octets = written(flow);
        let caller = headers.text_of_from().and_then(|from| from.tag());
        let proof = self.proof(side, &octets, headers, caller);
        octets.extend_from_slice(&proof);
        let mut out = format!(";{}=", side.parameter());
        for octet in octets {
            // A string takes all that it is given.
            let _ = fmt::Write::write_fmt(&mut out, format_args!("{octet:02x}"));
        }
        out
    }

    /// The flow along which a request of a dialog goes on, if one of our own `routes` says so: that of the side which has not sent it.
    pub(super) fn read<'a>(
        &self,
        routes: impl Iterator<Item = Uri<'a>>,
        headers: Headers<'_>,
    ) -> Result<Option<Flow>, Tampered> {
        let [from, to] = [headers.text_of_from(), headers.text_of_to()].map(|address| address.and_then(|it| it.tag()));
        let mut found = None;
        for route in routes {
            for side in Side::BOTH {
                let Some(text) = route.parameters().value(side.parameter()) else { continue };
                let octets = octets(text).ok_or(Tampered)?;
                let (flow, proof) = octets.split_last_chunk::<PROOF>().ok_or(Tampered)?;
                let is_caller = |tag| same(&self.proof(side, flow, headers, tag), proof);
                // The caller's tag is in From of what the caller sends, and in To of what the callee sends.
                let sender = match (is_caller(from), is_caller(to)) {
                    (true, _) => Side::Caller,
                    (false, true) => Side::Callee,
                    (false, false) => return Err(Tampered),
                };
                let flow = read(flow).ok_or(Tampered)?;
                if side != sender {
                    found = Some(flow);
                }
            }
        }
        Ok(found)
    }

    fn proof(&self, side: Side, flow: &[u8], headers: Headers<'_>, caller: Option<TagParam<'_>>) -> [u8; PROOF] {
        let mut hasher = SipHasher24::new_with_key(&self.0);
        hasher.write(side.parameter().as_bytes());
        hasher.write(flow);
        for part in [headers.call_id().unwrap_or_default().as_bytes(), caller.map_or(&[][..], TagParam::as_bytes)] {
            // Begins the part: no header has this octet.
            hasher.write_u8(0);
            hasher.write(part);
        }
        let mut proof = [0; PROOF];
        let hash = hasher.finish128().as_u128().to_be_bytes();
        proof.iter_mut().zip(hash).for_each(|(place, octet)| *place = octet);
        proof
    }
}

impl fmt::Debug for FlowTokens {
    /// Whoever knows the key can write tokens: it is not shown.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("FlowTokens(..)")
    }
}

/// A flow: which parts there are, listener, connection, address, port.
fn written(flow: Flow) -> Vec<u8> {
    let parts = u8::from(flow.connection.is_some()) | u8::from(flow.remote.is_ipv6()) << 1;
    let mut out = Vec::from([parts]);
    let mut handle = |(slot, generation): (u32, u32)| {
        out.extend_from_slice(&slot.to_be_bytes());
        out.extend_from_slice(&generation.to_be_bytes());
    };
    handle(flow.listener.parts());
    flow.connection.into_iter().for_each(|connection| handle(connection.parts()));
    match flow.remote.ip() {
        IpAddr::V4(address) => out.extend_from_slice(&address.octets()),
        IpAddr::V6(address) => out.extend_from_slice(&address.octets()),
    }
    out.extend_from_slice(&flow.remote.port().to_be_bytes());
    out
}

fn read(octets: &[u8]) -> Option<Flow> {
    let (&parts, rest) = octets.split_first()?;
    let handle = |octets: &[u8; 8]| {
        let number = u64::from_be_bytes(*octets);
        ((number >> 32) as u32, number as u32)
    };
    let (listener, mut rest) = rest.split_first_chunk()?;
    let (slot, generation) = handle(listener);
    let listener = ListenerId::from_parts(slot, generation);
    let mut connection = None;
    if parts & 1 != 0 {
        let (id, more) = rest.split_first_chunk()?;
        let (slot, generation) = handle(id);
        (connection, rest) = (Some(ConnectionId::from_parts(slot, generation)), more);
    }
    let (address, port): (IpAddr, &[u8]) = if parts & 2 != 0 {
        let (address, port) = rest.split_first_chunk::<16>()?;
        ((*address).into(), port)
    } else {
        let (address, port) = rest.split_first_chunk::<4>()?;
        ((*address).into(), port)
    };
    let port = u16::from_be_bytes(port.try_into().ok()?);
    Some(Flow { listener, remote: SocketAddr::new(address, port), connection })
}

/// The octets of hexadecimal digits, no more than a token has.
fn octets(digits: &[u8]) -> Option<Vec<u8>> {
    if digits.len() > 2 * (LONGEST + PROOF) || !digits.len().is_multiple_of(2) {
        return None;
    }
    let digit = |digit: &u8| char::from(*digit).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    let octet = |pair: &[u8]| match pair {
        [high, low] => Some(digit(high)? << 4 | digit(low)?),
        _ => None,
    };
    digits.chunks_exact(2).map(octet).collect()
}

/// Compares all octets, wherever the first difference is: the time taken says nothing of the right ones.
fn same(a: &[u8; PROOF], b: &[u8; PROOF]) -> bool {
    a.iter().zip(b).fold(0, |all, (a, b)| core::hint::black_box(all | (a ^ b))) == 0
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::{Message, Request, UriBuf};

    fn request(from: &str, to: &str, call_id: &str) -> Request {
        let text = format!(
            "BYE sip:bob@192.0.2.4 SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK1\r\nFrom: <sip:a@b.com>{from}\r\n\
             To: <sip:c@d.com>{to}\r\nCall-ID: {call_id}\r\nCSeq: 1 BYE\r\n\r\n"
        );
        match Message::parse(text.as_bytes(), &Default::default()).unwrap() {
            Message::Request(request) => request,
            Message::Response(_) => panic!("a request"),
        }
    }

    fn flow(remote: &str, connection: Option<ConnectionId>) -> Flow {
        Flow { listener: ListenerId::from_parts(3, 7), remote: remote.parse().unwrap(), connection }
    }

    #[test]
    fn each_side_is_reached_by_its_own_flow_in_its_own_dialog() {
        let tokens = FlowTokens::new([5; 16]);
        let caller = flow("192.0.2.1:40000", None);
        let callee = flow("[2001:db8::4]:40001", Some(ConnectionId::from_parts(9, 2)));
        let invite = request(";tag=a", "", "c1");
        let route = |parameters: &[&str]| -> UriBuf { format!("sip:p.com;lr{}", parameters.concat()).parse().unwrap() };
        let [of_caller, of_callee] = [(Side::Caller, caller), (Side::Callee, callee)]
            .map(|(side, flow)| tokens.parameter(side, flow, invite.headers()));
        let read =
            |routes: &[UriBuf], request: &Request| tokens.read(routes.iter().map(UriBuf::as_uri), request.headers());
        let both = [route(&[&of_caller, &of_callee])];
        let pair = [route(&[&of_callee]), route(&[&of_caller])];
        let [from_caller, from_callee] = [request(";tag=a", ";tag=b", "c1"), request(";tag=b", ";tag=a", "c1")];
        for routes in [&both[..], &pair] {
            assert_eq!(read(routes, &from_caller), Ok(Some(callee)));
            assert_eq!(read(routes, &from_callee), Ok(Some(caller)));
        }
        assert_eq!(read(&[route(&[])], &from_caller), Ok(None));
        // The sender's own flow says nothing of where the request goes.
        assert_eq!(read(&[route(&[&of_caller])], &from_caller), Ok(None));
        for stranger in [request(";tag=a", ";tag=b", "c2"), request(";tag=x", ";tag=y", "c1")] {
            assert_eq!(read(&both, &stranger), Err(Tampered));
        }
        for place in of_caller.find('=').unwrap() + 1..of_caller.len() {
            let mut forged = of_caller.clone().into_bytes();
            forged[place] = if forged[place] == b'0' { b'1' } else { b'0' };
            let forged = String::from_utf8(forged).unwrap();
            assert_eq!(read(&[route(&[&forged])], &from_callee), Err(Tampered), "{place}");
        }
        for bad in [";caller-flow", ";caller-flow=0", ";caller-flow=zz", ";callee-flow=00"] {
            let expected = if bad.contains('=') { Err(Tampered) } else { Ok(None) };
            assert_eq!(read(&[route(&[bad])], &from_caller), expected, "{bad}");
        }
    }
}
