//! For whom a request is sent, and which special addresses it may be sent to.
//!
//! Whoever has a proxy send a request chooses where the request goes, and a name leads wherever its owner wants. So the question is asked of each
//! address that is about to be tried: a special one, which the requester could not reach, must be vouched for.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::hash::Hasher;
use core::net::IpAddr;

use siphasher::sip::SipHasher24;
use smallvec::SmallVec;

use crate::flow::ListenerId;

use super::Network;
use super::special::{is_special, meant};
use super::wire::{TimerKey, Wire};

/// For whom a request is sent.
#[derive(Clone, Debug)]
pub(crate) struct Requester {
    /// The listener that the request came to.
    pub(crate) listener: ListenerId,
    /// The address that the request came from.
    pub(crate) source: IpAddr,
    /// The addresses that the dialog of the request has been to.
    pub(crate) peers: Option<Peers>,
    /// The address that a REGISTER came from which has bound the target.
    pub(crate) registered: Option<IpAddr>,
    /// Whether the target was bound by a user who has proved who it is.
    pub(crate) is_bound_by_user: bool,
}

/// The key of a dialog, under which its [`Peers`] are written.
pub(crate) type DialogKey = [u8; 16];

/// Addresses that requests of a dialog came from or went to, as keyed hashes that only we can make.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Peers {
    key: DialogKey,
    proofs: SmallVec<[u64; 2]>,
}

impl Peers {
    /// The most that one Record-Route tells: where its request came from, and where it went.
    const MOST: usize = 2;

    /// Reads the value of the parameter for the dialog with this key.
    pub(crate) fn read(key: DialogKey, value: &[u8]) -> Self {
        let number = |digits: &[u8]| u64::from_str_radix(core::str::from_utf8(digits).ok()?, 16).ok();
        let proofs = value.chunks(DIGITS).take(Self::MOST).map_while(number).collect();
        Self { key, proofs }
    }

    fn have(&self, ip: IpAddr) -> bool {
        self.proofs.contains(&proof(&self.key, ip))
    }
}

/// The URI parameter of our Record-Route that tells the peers of a dialog: a proof of 16 hexadecimal digits for each.
pub(crate) const PEERS: &str = "peers";

/// Hexadecimal digits of a proof.
const DIGITS: usize = 16;

/// The parameter that tells these addresses, with its `;`; nothing if there are none.
pub(super) fn tell(key: &DialogKey, addresses: impl Iterator<Item = IpAddr>) -> String {
    let mut text = String::new();
    for ip in addresses {
        if text.is_empty() {
            text = [";", PEERS, "="].concat();
        }
        text.push_str(&format!("{:0DIGITS$x}", proof(key, ip)));
    }
    text
}

/// The proof that a request of the dialog with this key came from an address, or went there.
fn proof(key: &DialogKey, ip: IpAddr) -> u64 {
    let mut hasher = SipHasher24::new_with_key(key);
    match ip {
        IpAddr::V4(ip) => hasher.write(&ip.octets()),
        IpAddr::V6(ip) => hasher.write(&ip.octets()),
    }
    hasher.finish()
}

impl<K: TimerKey> Wire<K> {
    /// Whether a request of this requester may be sent to an address. One that is special, or our own, needs somebody who vouches for it: the
    /// configuration, the REGISTER that has bound the target, the user who has, the dialog, or a network that the requester is in.
    pub(super) fn admits(&self, requester: &Requester, ip: IpAddr) -> bool {
        let ip = meant(ip);
        let is_ours = self.listeners.have_address(ip);
        if !is_ours && !is_special(ip) {
            return true;
        }
        let is_loopback = ip.is_loopback() || ip.is_unspecified();
        self.named.contains(&ip)
            || requester.registered.map(meant) == Some(ip)
            || requester.is_bound_by_user && !is_loopback && !is_ours
            || requester.peers.as_ref().is_some_and(|peers| peers.have(ip))
            || self.listeners.has_inside(requester.listener, [meant(requester.source), ip])
    }

    /// The configuration names these addresses: whoever asks, requests may be sent there. Each of the networks is one hop.
    pub(crate) fn name(&mut self, addresses: Vec<IpAddr>, hops: Vec<Network>) {
        self.named = addresses.into_iter().map(meant).collect();
        self.hops = hops;
    }
}
