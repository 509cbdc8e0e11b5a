//! The users of a domain, and the peers that need not prove who they are.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::fmt;
use core::net::IpAddr;
use core::str::FromStr;

use crate::auth::{Algorithm, Secret};
use crate::error::CommandError;
use crate::message::{Host, HostBuf};
use crate::time::Duration;
use crate::transport::Network;

/// A user of a domain: `name@domain`. The domain is the realm of the user's credentials (RFC 3261 §22.1).
#[derive(Clone, Debug)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(deny_unknown_fields))]
pub struct User {
    /// The user part of the address-of-record, unescaped; the user name of Digest, too.
    pub name: Box<str>,
    /// The domain, one of [`Settings::domains`](super::Settings::domains).
    pub domain: HostBuf,
    /// The secret. `Debug` does not show it.
    pub secret: Secret,
}

/// The way users are asked for credentials.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(default, deny_unknown_fields))]
pub struct Digest {
    /// The algorithms, the most preferred first; one challenge each (RFC 8760 §2.3). SHA-256 and MD5.
    pub algorithms: Vec<Algorithm>,
    /// How long a nonce is good for. Five minutes.
    #[cfg_attr(feature = "serde", serde(with = "crate::plain::duration"))]
    pub nonce_age: Duration,
    /// How long after it was last authenticated or registered a flow is known: requests in dialogs that come along it are relayed
    /// without credentials, as many phones have none for them. One day.
    #[cfg_attr(feature = "serde", serde(with = "crate::plain::duration"))]
    pub flow_age: Duration,
    /// Flows that are known at once; above it the one that would be forgotten next is forgotten. 100,000.
    pub flows: usize,
}

impl Default for Digest {
    fn default() -> Self {
        Self {
            algorithms: [Algorithm::SHA_256, Algorithm::MD5].into(),
            nonce_age: Duration::from_secs(300),
            flow_age: Duration::from_secs(24 * 60 * 60),
            flows: 100_000,
        }
    }
}

/// A peer that is not asked for credentials, and whose requests are relayed: another proxy, or a gateway.
///
/// Written as an address, as `address/bits` for a network, or as a name that the peer has proved by TLS.
///
/// ```
/// use sansip::server::Peer;
///
/// let network: Peer = "192.0.2.0/28".parse()?;
/// assert_eq!(network, Peer::Network { address: "192.0.2.0".parse()?, bits: 28 });
/// assert!("192.0.2.0/33".parse::<Peer>().is_err());
/// # Ok::<(), Box<dyn core::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Peer {
    /// All hosts whose addresses begin with the same bits as this one. The source of a datagram can be forged: such a network must be one
    /// that nobody else can send from.
    Network {
        /// The address.
        address: IpAddr,
        /// How many bits count, from the first one on.
        bits: u8,
    },
    /// A host of this name, which it has proved by its certificate (RFC 5922).
    Identity(HostBuf),
}

impl Peer {
    /// The address, if it is that of one host.
    pub(super) const fn host(&self) -> Option<IpAddr> {
        match self {
            Self::Network { address: address @ IpAddr::V4(_), bits: 32 }
            | Self::Network { address: address @ IpAddr::V6(_), bits: 128 } => Some(*address),
            Self::Network { .. } | Self::Identity(_) => None,
        }
    }

    /// The network, if the peer is known by its address.
    pub(super) const fn network(&self) -> Option<Network> {
        match self {
            Self::Network { address, bits } => Some(Network { address: *address, prefix: *bits }),
            Self::Identity(_) => None,
        }
    }

    /// Whether this is the peer at `remote`, which has proved these `identities`.
    pub(super) fn is<'a>(&self, remote: IpAddr, mut identities: impl Iterator<Item = Host<'a>>) -> bool {
        match self {
            Self::Network { address, bits } => match (*address, remote) {
                (IpAddr::V4(address), IpAddr::V4(remote)) => {
                    let differ = u128::from(address.to_bits() ^ remote.to_bits()) << 96;
                    differ.leading_zeros() >= u32::from(*bits)
                }
                (IpAddr::V6(address), IpAddr::V6(remote)) => {
                    (address.to_bits() ^ remote.to_bits()).leading_zeros() >= u32::from(*bits)
                }
                _ => false,
            },
            Self::Identity(name) => identities.any(|identity| identity == name.as_host()),
        }
    }
}

impl fmt::Display for Peer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Network { address, bits } => write!(f, "{address}/{bits}"),
            Self::Identity(name) => name.fmt(f),
        }
    }
}

impl FromStr for Peer {
    type Err = CommandError;

    fn from_str(text: &str) -> Result<Self, CommandError> {
        const UNUSABLE: CommandError = CommandError::Invalid("the peer");
        let (address, bits) = match text.split_once('/') {
            Some((address, bits)) => (address, Some(bits.parse().map_err(|_| UNUSABLE)?)),
            None => (text, None),
        };
        match (address.parse::<IpAddr>(), bits) {
            (Ok(address), bits) => {
                let all = if address.is_ipv4() { 32 } else { 128 };
                let bits = bits.unwrap_or(all);
                if bits > all { Err(UNUSABLE) } else { Ok(Self::Network { address, bits }) }
            }
            (Err(_), None) => Ok(Self::Identity(Host::parse(text.as_bytes()).ok_or(UNUSABLE)?.to_buf())),
            (Err(_), Some(_)) => Err(UNUSABLE),
        }
    }
}

#[cfg(feature = "serde")]
crate::plain::as_text! {
    Peer, "an address, address/bits, or a name that TLS has proved", |text| text.parse().ok(), |peer: &Self| peer.clone();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_network_has_the_hosts_that_begin_like_it() {
        let is = |peer: &str, remote: &str| {
            peer.parse::<Peer>().unwrap().is(remote.parse().unwrap(), core::iter::empty::<Host<'_>>())
        };
        assert!(is("192.0.2.1", "192.0.2.1") && !is("192.0.2.1", "192.0.2.3"));
        assert!(is("192.0.2.16/28", "192.0.2.31") && !is("192.0.2.16/28", "192.0.2.32"));
        assert!(is("0.0.0.0/0", "203.0.113.1") && !is("0.0.0.0/0", "2001:db8::1"));
        assert!(is("2001:db8::/32", "2001:db8:ffff::1") && !is("2001:db8::/32", "2001:db9::1"));
        assert!(is("::1", "::1") && !is("::1", "127.0.0.1"));
        for text in ["192.0.2.16/28", "2001:db8::/32", "proxy.biloxi.com"] {
            assert_eq!(alloc::string::ToString::to_string(&text.parse::<Peer>().unwrap()), text);
        }
        for bad in ["", "192.0.2.1/33", "192.0.2.1/", "192.0.2.1/x", "::/129", "biloxi.com/8", "a b"] {
            assert!(bad.parse::<Peer>().is_err(), "{bad}");
        }
    }

    #[test]
    fn an_identity_is_a_name_that_was_proved() {
        let peer: Peer = "Proxy.Biloxi.com".parse().unwrap();
        let proved = |name: &'static str| Host::parse(name.as_bytes());
        assert!(peer.is("192.0.2.1".parse().unwrap(), proved("proxy.biloxi.com").into_iter()));
        assert!(!peer.is("192.0.2.1".parse().unwrap(), proved("biloxi.com").into_iter()));
    }
}
