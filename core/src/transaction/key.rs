//! Which transaction a message belongs to (RFC 3261 §17.1.3, §17.2.3).
//!
//! A key is written as octets in one canonical form, so that it is hashed and compared the same way whatever rule made it.
//! Parts of free length carry their length, so that no choice of branch or Call-ID can look like another key.

use alloc::boxed::Box;
use core::net::IpAddr;

use crate::keyed_index::Fingerprint;
use crate::message::header::Via;
use crate::message::{Buffer, Headers, Host, TagParam};
use crate::random::MAGIC_COOKIE;

/// A key in canonical form, as it is looked up. A usual key has room on the stack; one of any length is whole.
pub(crate) type KeyBytes = Buffer<160>;

/// The key of a server transaction, as it is kept.
#[derive(Clone, Debug)]
pub(crate) struct KeptKey {
    pub(crate) fingerprint: Fingerprint,
    pub(crate) rfc2543: Option<Box<Rfc2543>>,
}

/// The INVITE of an RFC 2543 peer, as far as the key of its ACK is made of that.
#[derive(Clone, Debug)]
pub(crate) struct Rfc2543 {
    /// The key of the INVITE.
    invite: Box<[u8]>,
    /// The fingerprint of the key of the ACK, once there is a response with a To tag.
    pub(crate) ack: Option<Fingerprint>,
}

impl KeptKey {
    /// Keeps what is needed of `key`.
    pub(crate) fn of(key: &[u8], fingerprint: Fingerprint) -> Self {
        let rfc2543 = key.starts_with(&[RFC_2543]).then(|| Box::new(Rfc2543 { invite: key.into(), ack: None }));
        Self { fingerprint, rfc2543 }
    }

    /// Whether a request or an ACK with this key belongs to the transaction.
    pub(crate) fn is(&self, fingerprint: Fingerprint) -> bool {
        self.fingerprint == fingerprint || self.rfc2543.as_ref().is_some_and(|peer| peer.ack == Some(fingerprint))
    }
}

impl Rfc2543 {
    /// The key of the ACK for a response with `to_tag`.
    pub(crate) fn ack_key(&self, to_tag: Option<TagParam<'_>>) -> Option<KeyBytes> {
        let (_, rest) = self.invite.split_first()?;
        let (_, rest) = split_part(rest)?;
        let (_, rest) = split_part(rest)?;
        let mut key = KeyBytes::new();
        key.put(&[RFC_2543]);
        tag(&mut key, to_tag);
        part(&mut key, b"ACK");
        key.put(rest);
        Some(key)
    }
}

/// The key of a client transaction (§17.1.3): our branch and the method of CSeq.
pub(crate) fn client(method: &str, branch: &[u8]) -> KeyBytes {
    let mut key = KeyBytes::new();
    part(&mut key, method.as_bytes());
    part(&mut key, branch);
    key
}

/// The identity of the server transaction of a request, but for the method (§17.2.3).
#[derive(Clone, Copy, Debug)]
pub(crate) struct RequestKey<'a>(Rules<'a>);

#[derive(Clone, Copy, Debug)]
enum Rules<'a> {
    /// The branch has the magic cookie: it is unique, but for accidents and malice. It is compared octet for octet: two branches
    /// of one peer that differ in case are two transactions, and nobody on the way has a reason to change its case.
    Rfc3261 { sent_by: SentBy<'a>, branch: &'a [u8] },
    /// It has not: everything that tells transactions of an RFC 2543 peer apart.
    Rfc2543 {
        via: Via<'a>,
        uri: &'a [u8],
        to_tag: Option<TagParam<'a>>,
        from_tag: Option<TagParam<'a>>,
        call_id: &'a str,
        sequence: u32,
    },
}

/// Where the sender is: host and port with its default (§18.1.1).
#[derive(Clone, Copy, Debug)]
struct SentBy<'a> {
    host: Host<'a>,
    port: u16,
}

impl<'a> SentBy<'a> {
    fn of(via: &Via<'a>) -> Self {
        Self { host: via.sent_by.host, port: via.sent_by.port.unwrap_or(via.protocol.default_port()) }
    }
}

const RFC_3261: u8 = 1;
const RFC_2543: u8 = 2;

impl<'a> RequestKey<'a> {
    /// The key of the request with these headers and this Request-URI, as it came in: its topmost Via is not yet stamped.
    /// `None` if a header that it needs is unusable.
    pub(crate) fn of(headers: Headers<'a>, uri: &'a [u8]) -> Option<Self> {
        Self::with_via(&headers.top_via()?, headers, uri)
    }

    /// Makes the key with a topmost Via that was read before.
    pub(crate) fn with_via(via: &Via<'a>, headers: Headers<'a>, uri: &'a [u8]) -> Option<Self> {
        // The cookie alone makes nothing unique: it counts as no branch of RFC 3261.
        let branch = via.branch_octets().filter(|branch| {
            let cookie = branch.get(..MAGIC_COOKIE.len());
            branch.len() > MAGIC_COOKIE.len()
                && cookie.is_some_and(|cookie| cookie.eq_ignore_ascii_case(MAGIC_COOKIE.as_bytes()))
        });
        Some(Self(match branch {
            Some(branch) => Rules::Rfc3261 { sent_by: SentBy::of(via), branch },
            None => Rules::Rfc2543 {
                via: *via,
                uri,
                to_tag: headers.text_of_to()?.tag(),
                from_tag: headers.text_of_from()?.tag(),
                call_id: headers.call_id()?,
                sequence: headers.cseq()?.number,
            },
        }))
    }

    /// The transaction that a request of this method and key begins, or comes again for.
    pub(crate) fn method(&self, method: &str) -> KeyBytes {
        let mut key = KeyBytes::new();
        match self.0 {
            Rules::Rfc3261 { .. } => {
                key.put(&[RFC_3261]);
                part(&mut key, method.as_bytes());
            }
            Rules::Rfc2543 { to_tag, .. } => {
                key.put(&[RFC_2543]);
                tag(&mut key, to_tag);
                part(&mut key, method.as_bytes());
            }
        }
        self.rest(&mut key);
        key
    }

    /// The transaction of the INVITE that an ACK of this key acknowledges: the INVITE's own key, or for an RFC 2543 peer
    /// the key that [`Rfc2543::ack_key`] makes of it.
    pub(crate) fn acknowledged(&self) -> KeyBytes {
        match self.0 {
            Rules::Rfc3261 { .. } => self.method("INVITE"),
            Rules::Rfc2543 { .. } => self.method("ACK"),
        }
    }

    /// Writes the part that a request, its retransmissions, its CANCEL and its ACK for a non-2xx have in common (§16.11).
    pub(crate) fn invariant(&self) -> KeyBytes {
        let mut key = KeyBytes::new();
        self.rest(&mut key);
        key
    }

    fn rest(&self, key: &mut KeyBytes) {
        match self.0 {
            Rules::Rfc3261 { sent_by, branch } => {
                self::sent_by(key, sent_by);
                part(key, branch);
            }
            Rules::Rfc2543 { via, uri, to_tag: _, from_tag, call_id, sequence } => {
                sent_by(key, SentBy::of(&via));
                part(key, via.protocol.as_str().as_bytes());
                part(key, via.parameters.as_bytes());
                part(key, uri);
                tag(key, from_tag);
                part(key, call_id.as_bytes());
                key.put(&sequence.to_le_bytes());
            }
        }
    }
}

/// Host without case, and port.
fn sent_by(key: &mut KeyBytes, sent_by: SentBy<'_>) {
    match sent_by.host {
        Host::Name(name) => {
            let name = name.strip_suffix('.').unwrap_or(name);
            lower_case_part(key, name);
        }
        host => match host.ip() {
            Some(IpAddr::V6(ip)) => part(key, &ip.octets()),
            Some(IpAddr::V4(ip)) => part(key, &ip.octets()),
            None => part(key, &[]),
        },
    }
    key.put(&sent_by.port.to_le_bytes());
}

/// A tag as one part, without case; no tag and an empty one differ.
fn tag(key: &mut KeyBytes, tag: Option<TagParam<'_>>) {
    match tag {
        Some(tag) => {
            length(key, tag.as_bytes().len() + 1);
            key.put(b"=");
            key.put(&tag.to_folded());
        }
        None => length(key, 0),
    }
}

fn part(key: &mut KeyBytes, bytes: &[u8]) {
    length(key, bytes.len());
    key.put(bytes);
}

/// A part that is compared without case: a host, which is nearly always written in lower case.
fn lower_case_part(key: &mut KeyBytes, text: &str) {
    if text.bytes().any(|octet| octet.is_ascii_uppercase()) {
        part(key, text.to_ascii_lowercase().as_bytes());
    } else {
        part(key, text.as_bytes());
    }
}

fn length(key: &mut KeyBytes, length: usize) {
    // No part can be longer than a message's header section, which is at most 65,535 octets.
    key.put(&u32::try_from(length).unwrap_or(u32::MAX).to_le_bytes());
}

fn split_part(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, rest) = bytes.split_first_chunk::<4>()?;
    rest.split_at_checked(u32::from_le_bytes(*length) as usize)
}

#[cfg(test)]
mod tests {
    use super::RequestKey;
    use crate::message::{Limits, MessageView};

    fn key(via: &str) -> alloc::vec::Vec<u8> {
        let text = alloc::format!("BYE sip:b SIP/2.0\r\nVia: {via}\r\n\r\n");
        let view = MessageView::parse(text.as_bytes(), &Limits::default()).unwrap();
        RequestKey::of(view.headers(), view.uri_bytes()).unwrap().method("BYE").to_vec()
    }

    #[test]
    fn a_host_is_compared_without_case_and_a_branch_with_it() {
        let usual = key("SIP/2.0/UDP a.example;branch=z9hG4bKx");
        for same in ["SIP/2.0/UDP A.eXample.;branch=z9hG4bKx", "SIP/2.0/UDP a.example:5060;branch=z9hG4bKx"] {
            assert_eq!(key(same), usual, "{same}");
        }
        for other in [
            "SIP/2.0/UDP a.example;branch=z9hG4bKX",
            "SIP/2.0/UDP b.example;branch=z9hG4bKx",
            "SIP/2.0/UDP a.example:5061;branch=z9hG4bKx",
            "SIP/2.0/TLS a.example;branch=z9hG4bKx",
        ] {
            assert_ne!(key(other), usual, "{other}");
        }
        // A key that has no room on the stack is whole.
        let long = |end: char| key(&alloc::format!("SIP/2.0/UDP a.example;branch=z9hG4bK{}{end}", "x".repeat(400)));
        assert_ne!(long('1'), long('2'));
    }
}
