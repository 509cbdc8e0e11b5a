//! The configuration of a node. Everything that a node does is a function of this, its inputs and its commands.

use core::hash::Hasher;

use siphasher::sip128::{Hasher128, SipHasher24};

use crate::error::Limit;
use crate::message::UserPart;
use crate::message::header::Date;
use crate::owner_tag::OwnerTag;
use crate::random::{Key, Script, Seed};
use crate::time::Instant;
use crate::transaction::Timers;
use crate::{message, transaction, transport};

/// The configuration of a node: a value, never a global.
#[derive(Clone, Debug)]
pub struct Config {
    /// Where randomness starts.
    pub seed: Seed,
    /// Values to use before random ones; empty outside scenarios.
    pub script: Script,
    /// The timer values of RFC 3261 §17, table 4.
    pub timers: Timers,
    /// Bounds on what peers can make this node hold.
    pub limits: Limits,
    /// Whether the Vias of our requests ask for `rport` (RFC 3581 §3). On by default.
    pub rport: bool,
    /// Whether what is dropped without an answer is shown ([`Indication::Dropped`](crate::Indication::Dropped)), for a log or a
    /// trace. Off by default: the counters of [`Stats`](crate::transport::Stats) count it.
    pub drops: bool,
    /// The name of this node in a farm. Branches, tags, Call-IDs and Record-Routes begin with it. Empty by default.
    pub owner: OwnerTag,
    /// The key that the servers of a farm share: from it come the keys of their To tags, of the tokens in their Record-Routes and of
    /// their loop check, so that a server knows what another one of the farm has made. The clocks of the servers must begin at
    /// the same moment, for example that of UNIX, as tokens have an age. Without a key each comes from the seed.
    pub shared_key: Option<Key>,
    /// The characters that the user part of a URI in a message received may have. [`UserPart::Strict`].
    pub user_part: UserPart,
    /// The date at [`Instant::ZERO`] of the node's clock, if it is known: responses to REGISTER then have a Date (RFC 3261 §10.3
    /// step 8). Not known by default.
    pub date_of_zero: Option<Date>,
}

impl Config {
    /// The defaults, with the given seed.
    pub fn new(seed: Seed) -> Self {
        Self {
            seed,
            script: Script::default(),
            timers: Timers::default(),
            limits: Limits::default(),
            rport: true,
            drops: false,
            owner: OwnerTag::NONE,
            shared_key: None,
            user_part: UserPart::Strict,
            date_of_zero: None,
        }
    }

    /// The date at `now`, if [`date_of_zero`](Self::date_of_zero) is known.
    pub fn date(&self, now: Instant) -> Option<Date> {
        let seconds = i64::try_from(now.since(Instant::ZERO).as_secs()).ok()?;
        Date::from_unix(self.date_of_zero?.unix().checked_add(seconds)?)
    }
}

/// The purposes of the keys that come from the seed or from the shared key, each with a number of its own. Those below 16 are the
/// user agent's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u64)]
pub(crate) enum KeyPurpose {
    /// Tags and branches that are computed from a request.
    StatelessTokens = 16,
    /// Tokens in Record-Route.
    RouteTokens = 17,
    /// The second part of a proxy's branches.
    LoopCheck = 18,
    /// The tables of a location service.
    Location = 19,
    /// The encryption of temporary GRUUs, the first half of its key.
    Gruu = 20,
    /// The second half.
    GruuRest = 21,
    /// The proof of temporary GRUUs.
    GruuProof = 22,
    /// Flow tokens.
    FlowTokens = 24,
    /// The key of the keys of nonces.
    Nonces = 23,
}

impl Config {
    /// The key for `purpose`: from the shared key if there is one, else from the seed.
    pub(crate) fn hash_key(&self, purpose: KeyPurpose) -> [u8; 16] {
        self.shared_hash_key(purpose).unwrap_or_else(|| self.seed.hash_key(purpose as u64))
    }

    /// One of many keys for `purpose`: that of a `name`, the same at all nodes with the same shared key.
    pub(crate) fn hash_key_of(&self, purpose: KeyPurpose, name: &[u8]) -> [u8; 16] {
        let mut hasher = SipHasher24::new_with_key(&self.hash_key(purpose));
        hasher.write(name);
        hasher.finish128().as_bytes()
    }

    /// The key for `purpose` from the shared key.
    pub(crate) fn shared_hash_key(&self, purpose: KeyPurpose) -> Option<[u8; 16]> {
        self.shared_key.map(|key| key.hash_key(purpose as u64))
    }
}

/// Bounds on everything that a peer can make the endpoint hold, those of each layer in a value of that layer's own. The cores above
/// have bounds of their own in their settings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(default, deny_unknown_fields))]
pub struct Limits {
    /// Bounds on one message.
    pub message: message::Limits,
    /// Bounds on connections, outputs and the search for a next hop.
    pub transport: transport::Limits,
    /// Bounds on transactions.
    pub transaction: transaction::Limits,
    /// Deliveries (outgoing requests) alive at once; above it a command fails. 1,000,000.
    pub deliveries: usize,
    /// Requests of a stateless proxy that wait for the resolver or for their connection to open; above it one that would have to wait is
    /// refused with a 503, and an ACK lost. 1,000.
    pub waiting_relays: usize,
    /// Requests refused statelessly, at a limit or while the endpoint drains, that are remembered so that their CANCELs end here;
    /// past it the CANCEL of the oldest is treated as one that matches nothing. 1,024.
    pub refused_branches: usize,
    /// Indications of something dropped that are not yet taken ([`Config::drops`]); past it only the counters count. 64.
    pub drops: usize,
    /// Octets of what was dropped that are told, the first ones. 2,048.
    pub drop_octets: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            message: message::Limits::default(),
            transport: transport::Limits::default(),
            transaction: transaction::Limits::default(),
            deliveries: 1_000_000,
            waiting_relays: 1_000,
            refused_branches: 1_024,
            drops: 64,
            drop_octets: 2_048,
        }
    }
}

impl Limit {
    /// [`Limits::waiting_relays`]: 503 with Retry-After.
    pub const WAITING_RELAYS: Self = Self::named("waiting_relays");
}
