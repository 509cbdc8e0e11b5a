//! What a proxy does by its owner's choice.

use super::Limits;
use crate::time::Duration;

/// What a proxy does by its owner's choice.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(default, deny_unknown_fields))]
pub struct Settings {
    /// Whether to stay on the path of dialogs (RFC 3261 §16.6 step 4). Off by default: a Record-Route is then written only where
    /// an RFC demands one, because one side of the request is secure and the other is not, or because the two sides are of different address
    /// families (RFC 6157 §3.1.1).
    pub record_route: bool,
    /// How long the token in our Record-Route lets the requests of its dialog through: longer than any call. 7 days.
    #[cfg_attr(feature = "serde", serde(with = "crate::plain::duration"))]
    pub token_age: Duration,
    /// Whether our Record-Route has `transport=tls` towards a hop that writes it itself in SIP URIs. RFC 5630 §3.1.4 and RFC 5658
    /// §6.2 forbid the parameter, but phones that reach us over TLS with SIP URIs find the way back by nothing else. On by default.
    pub tls_parameter: bool,
    /// In which order the targets of a request are tried.
    pub forking: Forking,
    /// Whether a caller may choose otherwise by Request-Disposition (RFC 3841 §9.1), where the Request-URI names us. On by default.
    pub caller_decides: bool,
    /// Whether the contacts of a 3xx are asked for (see [`Redirection`](super::Redirection)) and tried, as far as the owner has
    /// targets for them (RFC 3261 §16.7 step 4). Off by default.
    pub recursion: bool,
    /// How long a branch may hold back the final responses of others, from the first of them or, if that is later, from its own beginning. Then it
    /// counts as answered with a 408 (RFC 3261 §16.7 step 6) and is cancelled. A 2xx that comes after all is forwarded (§16.7 step 5), also behind
    /// another final response, as long as the transaction of the request lives. `None` by default: a branch to a phone that is switched off then
    /// delays the 486 of another one by 64·T1.
    #[cfg_attr(feature = "serde", serde(with = "crate::plain::optional_duration"))]
    pub branch_limit: Option<Duration>,
    /// How much of a request's Max-Breadth (RFC 5393 §5.3.3) is kept for targets that are [added](super::Core::add) while others ring.
    /// The first branches share the rest. 0 by default, as the RFC wants all of it used: a target that is added then waits
    /// until a branch has its final response.
    pub spare_breadth: u32,
    /// Bounds on what peers can make the proxy hold.
    pub limits: Limits,
}

/// The order in which the targets of a request are tried (RFC 3261 §16.6).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "snake_case"))]
pub enum Forking {
    /// All at once.
    #[default]
    Parallel,
    /// One after the other, the most preferred first.
    Sequential,
    /// At once those that are preferred alike; the next group when none of these has succeeded.
    Groups,
}

impl Default for Settings {
    fn default() -> Self {
        const DAY: u64 = 24 * 60 * 60;
        Self {
            record_route: false,
            token_age: Duration::from_secs(7 * DAY),
            tls_parameter: true,
            forking: Forking::Parallel,
            caller_decides: true,
            recursion: false,
            branch_limit: None,
            spare_breadth: 0,
            limits: Limits::default(),
        }
    }
}
