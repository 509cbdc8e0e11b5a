//! Answers to STUN binding requests (RFC 5389), which share the socket with SIP as a keep-alive (RFC 5626 §4.4.2, §8).
//!
//! No more of STUN is needed here than the one response: there is no crate for it that does not bring some thirty others.

use std::net::{IpAddr, SocketAddr};

/// The header: type, length, magic cookie, transaction id (RFC 5389 §6).
const HEADER: usize = 20;
const COOKIE: [u8; 4] = [0x21, 0x12, 0xa4, 0x42];

const BINDING_REQUEST: [u8; 2] = [0, 1];
const BINDING_RESPONSE: [u8; 2] = [1, 1];
const BINDING_ERROR: [u8; 2] = [1, 0x11];

const ERROR_CODE: [u8; 2] = [0, 0x09];
const UNKNOWN_ATTRIBUTES: [u8; 2] = [0, 0x0a];
const XOR_MAPPED_ADDRESS: [u8; 2] = [0, 0x20];

/// Unknown attributes that an error names; more of them need not be said twice.
const NAMED: usize = 8;

/// The answer to a datagram from `remote`: a binding request is told where it came from, one that asks for more than we
/// know gets 420 (RFC 5389 §7.3.1), and everything else gets nothing. No SIP message gets an answer: each begins with a letter or a
/// line end (RFC 5626 §8).
pub(crate) fn answer(bytes: &[u8], remote: SocketAddr) -> Option<Vec<u8>> {
    let (header, mut attributes) = bytes.split_at_checked(HEADER)?;
    let is_whole = usize::from(u16::from_be_bytes([header[2], header[3]])) == attributes.len();
    if header[..2] != BINDING_REQUEST || header[4..8] != COOKIE || !is_whole {
        return None;
    }
    let mut unknown = Vec::new();
    while !attributes.is_empty() {
        let (kind, rest) = attributes.split_first_chunk::<2>()?;
        let (length, rest) = rest.split_first_chunk::<2>()?;
        attributes = rest.get(usize::from(u16::from_be_bytes(*length)).next_multiple_of(4)..)?;
        // Those from 0x8000 on may be ignored (RFC 5389 §15). We ask for no credentials, so there are none to look at.
        let is_known = matches!(kind, [0x80..=0xff, _] | [0, 0x06 | 0x08 | 0x14 | 0x15]);
        if !is_known && unknown.len() < 2 * NAMED {
            unknown.extend_from_slice(kind);
        }
    }
    let (kind, body) = if unknown.is_empty() {
        (BINDING_RESPONSE, attribute(XOR_MAPPED_ADDRESS, &masked(remote, &header[4..])))
    } else {
        let error = attribute(ERROR_CODE, b"\0\0\x04\x14Unknown Attribute");
        (BINDING_ERROR, [error, attribute(UNKNOWN_ATTRIBUTES, &unknown)].concat())
    };
    Some([&kind[..], &length(&body), &header[4..], &body].concat())
}

/// A body of ours is short.
fn length(body: &[u8]) -> [u8; 2] {
    u16::try_from(body.len()).unwrap_or_default().to_be_bytes()
}

fn attribute(kind: [u8; 2], value: &[u8]) -> Vec<u8> {
    let mut attribute = [&kind[..], &length(value), value].concat();
    attribute.resize(attribute.len().next_multiple_of(4), 0);
    attribute
}

/// The value of XOR-MAPPED-ADDRESS (RFC 5389 §15.2): `mask` is cookie and transaction id.
fn masked(remote: SocketAddr, mask: &[u8]) -> Vec<u8> {
    let (family, address) = match remote.ip() {
        IpAddr::V4(ip) => (1, ip.octets().to_vec()),
        IpAddr::V6(ip) => (2, ip.octets().to_vec()),
    };
    let port = remote.port().to_be_bytes();
    let exclusive_or = |octets: &[u8]| octets.iter().zip(mask).map(|(octet, mask)| octet ^ mask).collect::<Vec<_>>();
    [&[0, family], &*exclusive_or(&port), &*exclusive_or(&address)].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The transaction id of RFC 5769.
    const ID: [u8; 12] = [0xb7, 0xe7, 0xa7, 0x01, 0xbc, 0x34, 0xd6, 0x86, 0xfa, 0x87, 0xdf, 0xae];

    fn request(attributes: &[u8]) -> Vec<u8> {
        [&BINDING_REQUEST[..], &length(attributes), &COOKIE, &ID, attributes].concat()
    }

    #[test]
    fn a_binding_request_is_told_its_address_as_in_the_vectors_of_rfc_5769() {
        let answer_to = |remote: &str| answer(&request(&[]), remote.parse().unwrap()).unwrap();
        // §2.2: 192.0.2.1 port 32853.
        let expected: &[u8] = &[0, 0x20, 0, 8, 0, 1, 0xa1, 0x47, 0xe1, 0x12, 0xa6, 0x43];
        let response = answer_to("192.0.2.1:32853");
        assert_eq!(response[..8], [1, 1, 0, 12, 0x21, 0x12, 0xa4, 0x42]);
        assert_eq!((&response[8..20], &response[20..]), (&ID[..], expected));
        // §2.3: 2001:db8:1234:5678:11:2233:4455:6677 port 32853.
        let expected: &[u8] = &[
            0, 0x20, 0, 0x14, 0, 2, 0xa1, 0x47, 0x01, 0x13, 0xa9, 0xfa, 0xa5, 0xd3, 0xf1, 0x79, 0xbc, 0x25, 0xf4, 0xb5,
            0xbe, 0xd2, 0xb9, 0xd9,
        ];
        assert_eq!(&answer_to("[2001:db8:1234:5678:11:2233:4455:6677]:32853")[20..], expected);
    }

    #[test]
    fn what_must_be_understood_and_is_not_gets_420_with_its_name() {
        let remote = "192.0.2.1:5060".parse().unwrap();
        // SOFTWARE may be ignored; CHANGE-REQUEST (RFC 5780) must not be.
        let response = answer(&request(&[0x80, 0x22, 0, 1, b'x', 0, 0, 0]), remote).unwrap();
        assert_eq!(response[..2], BINDING_RESPONSE);
        let response = answer(&request(&[0, 3, 0, 4, 0, 0, 0, 6]), remote).unwrap();
        assert_eq!(response[..2], BINDING_ERROR);
        assert_eq!(response[20..28], [0, 9, 0, 21, 0, 0, 4, 20]);
        assert_eq!(response[response.len() - 8..], [0, 10, 0, 2, 0, 3, 0, 0]);
        assert_eq!(usize::from(response[3]), response.len() - HEADER);
    }

    #[test]
    fn everything_else_gets_no_answer() {
        let remote = "192.0.2.1:5060".parse().unwrap();
        let whole = request(&[0x80, 0x22, 0, 4, 1, 2, 3, 4]);
        for end in 0..whole.len() {
            assert_eq!(answer(&whole[..end], remote), None, "cut at {end}");
        }
        for (at, octet) in [(0, 1), (1, 0x11), (4, 0), (23, 8), (3, 0xff)] {
            let mut other = whole.clone();
            other[at] = octet;
            assert_eq!(answer(&other, remote), None, "octet {at} is {octet}");
        }
        for sip in [b"OPTIONS sip:bob@biloxi.com SIP/2.0\r\n".as_slice(), b"\r\n\r\n"] {
            assert_eq!(answer(sip, remote), None);
        }
    }
}
