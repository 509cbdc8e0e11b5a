//! Bounds on what peers can make a user agent hold.

use crate::auth;
use crate::error::Limit;

/// Bounds on what peers can make a user agent hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Calls alive at once; above it a new INVITE gets 486. 100,000.
    pub calls: usize,
    /// Dialogs that one INVITE of ours may make by forking; the 2xx of more are acknowledged and ended. Also the subscriptions that one
    /// SUBSCRIBE or REFER may make by forking; the NOTIFYs of more get 481. 16.
    pub forks: usize,
    /// How often a request of ours goes out again by itself or by an answer of the application: after challenges, redirections and what
    /// else asks for it. Above it the response is the end. 8.
    pub retries: usize,
    /// Targets that the redirections of one request may name; further ones are passed over. 8.
    pub targets: usize,
    /// How often a change of a session is tried again after it has met one of the peer's (491). 5.
    pub glares: usize,
    /// Requests that wait until the application has said the secret of their user
    /// ([`Event::SecretWanted`](super::Event::SecretWanted)); a further one gets a 503. 10,000.
    pub look_ups: usize,
    /// Accounts besides the default one; a further one is refused. 100,000.
    pub accounts: usize,
    /// Proxies that a registrar's Service-Route may name; a longer route is not used (RFC 3608 §6.1). 16.
    pub service_route: usize,
    /// Requests of the application that wait for their end in the dialog of one call; a further one is refused. 16.
    pub asks: usize,
    /// Requests of a peer in one dialog that wait for the application ([`Event::Asked`](super::Event::Asked),
    /// [`Event::Referred`](super::Event::Referred)); a further one gets a 500 with Retry-After. 16.
    pub pending_requests: usize,
    /// Subscriptions, of ours and those that REFERs of peers have made. Above it a command is refused, and the NOTIFY by which another fork of
    /// a SUBSCRIBE would make one more gets 481. 10,000.
    pub subscriptions: usize,
    /// Reliable provisional responses of one INVITE that wait for their PRACK or for their turn; a further one is refused. As many PRACKs
    /// of ours may wait for their end in a dialog; then a response is discarded, and comes again (RFC 3262 §3, §4). 8.
    pub reliable_responses: usize,
    /// Dialogs of calls that have ended and are remembered, the last ones, if [`Profile::extensions`](field@super::Profile::extensions) has
    /// `replaces`: an INVITE that wants to replace one of them gets 603, and one for a dialog that was forgotten 481 (RFC 3891 §3). 256.
    pub ended_dialogs: usize,
    /// The bounds of the keyring that answers challenges. Those of a guard stand in its [`Settings`](crate::auth::Settings).
    pub auth: auth::Limits,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            calls: 100_000,
            forks: 16,
            retries: 8,
            targets: 8,
            glares: 5,
            look_ups: 10_000,
            accounts: 100_000,
            service_route: 16,
            asks: 16,
            pending_requests: 16,
            subscriptions: 10_000,
            reliable_responses: 8,
            ended_dialogs: 256,
            auth: auth::Limits::default(),
        }
    }
}

impl Limit {
    /// [`Limits::calls`]: 486.
    pub const CALLS: Self = Self::named("calls");
    /// [`Limits::forks`]: the dialog was ended at once.
    pub const FORKS: Self = Self::named("forks");
    /// [`Limits::look_ups`]: 503.
    pub const LOOK_UPS: Self = Self::named("look_ups");
    /// [`Limits::pending_requests`]: 500.
    pub const PENDING_REQUESTS: Self = Self::named("pending_requests");
    /// [`Limits::subscriptions`]: 481.
    pub const SUBSCRIPTIONS: Self = Self::named("subscriptions");
    /// [`Limits::service_route`]: the route was not used.
    pub const SERVICE_ROUTE: Self = Self::named("service_route");
}
