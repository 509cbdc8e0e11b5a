//! Bounds on what peers can make a keyring and a gate look at and hold.

/// Bounds on what peers can make a keyring and a gate look at and hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Challenges looked at in one response, over both header fields; further ones are ignored. 16.
    pub challenges: usize,
    /// Credentials looked at in one request; further ones are ignored. 16.
    pub credentials: usize,
    /// Octets of one challenge, of one set of credentials or of one Authentication-Info; a longer one is ignored. 4,096.
    pub octets: usize,
    /// Realms remembered for one destination or call, and answered in one response; the one challenged longest ago is forgotten.
    /// 16.
    pub realms: usize,
    /// Destinations and calls whose realms a keyring remembers, at least 3: one request may touch as many. Above it the one used
    /// longest ago is forgotten: its next request is challenged. 10,000.
    pub spaces: usize,
    /// Uses of nonces that a gate remembers, so that none is taken twice. Above it the oldest use is forgotten, and each nonce not
    /// younger than that of the forgotten use becomes stale. 65,536.
    pub uses: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { challenges: 16, credentials: 16, octets: 4_096, realms: 16, spaces: 10_000, uses: 65_536 }
    }
}
