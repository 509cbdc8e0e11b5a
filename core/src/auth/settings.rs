//! The settings of a gate.

use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;

use super::algorithm::Algorithm;
use super::claim::UriRule;
use super::limits::Limits;
use crate::time::Duration;

/// The settings of a gate.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The realm, unique in the world: it should contain a domain name, and is shown to users (RFC 3261 §22.1).
    pub realm: String,
    /// The algorithms, the most preferred first; one challenge each (RFC 8760 §2.3). SHA-256 and MD5.
    pub algorithms: Vec<Algorithm>,
    /// Whether `auth-int` is offered besides `auth`. No.
    pub offers_integrity: bool,
    /// Whether clients are asked to hash user names (RFC 7616 §3.4.4). No.
    pub hashes_users: bool,
    /// The text that clients repeat, or nothing.
    pub opaque: Option<String>,
    /// How long a nonce is good for. Five minutes.
    pub nonce_age: Duration,
    /// Which Request-URIs credentials are taken for. [`UriRule::Target`].
    pub uri_rule: UriRule,
    /// The bounds.
    pub limits: Limits,
}

impl Settings {
    /// The defaults for a realm.
    pub fn new(realm: &str) -> Self {
        Self {
            realm: realm.into(),
            algorithms: vec![Algorithm::SHA_256, Algorithm::MD5],
            offers_integrity: false,
            hashes_users: false,
            opaque: None,
            nonce_age: Duration::from_secs(300),
            uri_rule: UriRule::Target,
            limits: Limits::default(),
        }
    }
}
