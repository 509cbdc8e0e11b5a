//! Settings that cannot work, each told in one sentence.

use alloc::boxed::Box;
use core::fmt;

use super::{RouteKey, Settings, User};
use crate::error::Limit;
use crate::message::{HostBuf, HostPort};
use crate::time::Duration;
use crate::{proxy, registrar};

/// Why the settings of a server cannot work.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Misconfigured {
    /// There is no domain.
    NoDomain,
    /// A domain or an alias stands there twice.
    TwoDomains(HostBuf),
    /// An alias is of no domain of the server.
    AliasOfNothing(HostBuf),
    /// A route leads to the server itself.
    RouteToItself(RouteKey),
    /// A gateway is pinged without a pause.
    PingInterval(HostBuf),
    /// Two users of a domain have one name.
    TwoUsers {
        /// The name.
        name: Box<str>,
        /// The domain.
        domain: HostBuf,
    },
    /// A user is of no domain of the server.
    UserOfNothing {
        /// The name.
        name: Box<str>,
        /// The domain.
        domain: HostBuf,
    },
    /// No algorithm is left to ask for credentials with, or one stands there twice.
    Algorithms,
    /// The secret of a user serves for none of the algorithms: nobody could log in with it.
    UselessSecret {
        /// The name.
        name: Box<str>,
        /// The domain.
        domain: HostBuf,
    },
    /// A nonce is good for no time ([`Digest::nonce_age`](super::Digest::nonce_age)), so that nobody could log in.
    NonceAge,
    /// The shortest time for a binding is above the longest one
    /// ([`registrar::Settings::min_expires`](crate::registrar::Settings::min_expires)).
    BindingTimes,
    /// A contact that asks for no time would be refused, or would be bound for none
    /// ([`registrar::Settings::default_expires`](crate::registrar::Settings::default_expires)).
    DefaultExpires,
    /// The token in a Record-Route is good for no time, so that no request of a dialog would be let through
    /// ([`proxy::Settings::token_age`](crate::proxy::Settings::token_age)).
    TokenAge,
    /// A branch has no time to answer ([`proxy::Settings::branch_limit`](crate::proxy::Settings::branch_limit)).
    BranchLimit,
    /// This limit is 0, so that every request that needs it would be refused.
    NoRoom(Limit),
}

impl fmt::Display for Misconfigured {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoDomain => f.write_str("the server has no domain"),
            Self::TwoDomains(name) => write!(f, "the domain {name} stands there twice"),
            Self::AliasOfNothing(name) => write!(f, "the alias {name} is of no domain of the server"),
            Self::RouteToItself(key) => write!(f, "the route for {key} leads to the server itself"),
            Self::PingInterval(host) => write!(f, "the gateway {host} is pinged without a pause"),
            Self::TwoUsers { name, domain } => write!(f, "two users have the name {name}@{domain}"),
            Self::UserOfNothing { name, domain } => {
                write!(f, "the user {name} is of {domain}, which is no domain here")
            }
            Self::Algorithms => f.write_str("the algorithms of Digest are none, or one of them stands there twice"),
            Self::UselessSecret { name, domain } => {
                write!(f, "the secret of {name}@{domain} serves for no algorithm of Digest")
            }
            Self::NonceAge => f.write_str("a nonce of Digest is good for no time"),
            Self::BindingTimes => f.write_str("the shortest time for a binding is above the longest"),
            Self::DefaultExpires => {
                f.write_str("the time for a contact that asks for none is 0 or below the shortest for a binding")
            }
            Self::TokenAge => f.write_str("the token in a Record-Route is good for no time"),
            Self::BranchLimit => f.write_str("a branch has no time to answer"),
            Self::NoRoom(limit) => write!(f, "the limit {} is 0", limit.name()),
        }
    }
}

impl core::error::Error for Misconfigured {}

impl Settings {
    /// Whether a server with these settings can work. `is_ours` says which addresses the server itself listens on.
    ///
    /// # Errors
    /// The first thing that cannot work.
    pub(super) fn check(&self, is_ours: impl Fn(HostPort<'_>) -> bool) -> Result<(), Misconfigured> {
        if self.domains.is_empty() {
            return Err(Misconfigured::NoDomain);
        }
        let mut names = alloc::collections::BTreeSet::new();
        for name in self.domains.iter().chain(self.aliases.iter().map(|alias| &alias.name)) {
            if !names.insert(alloc::format!("{name}").to_ascii_lowercase()) {
                return Err(Misconfigured::TwoDomains(name.clone()));
            }
        }
        if let Some(alias) = self.aliases.iter().find(|alias| !self.domains.contains(&alias.domain)) {
            return Err(Misconfigured::AliasOfNothing(alias.name.clone()));
        }
        let leads_here = |route: &&super::Route| {
            let hop = &route.next_hop;
            is_ours(HostPort { host: hop.target().as_host(), port: hop.port })
        };
        if let Some(route) = self.routes.iter().find(leads_here) {
            return Err(Misconfigured::RouteToItself(route.key.clone()));
        }
        if let Some(gateway) = self.gateways.iter().find(|gateway| gateway.interval == Duration::ZERO) {
            return Err(Misconfigured::PingInterval(gateway.next_hop.host.clone()));
        }
        let mut users = alloc::collections::BTreeSet::new();
        for user in &self.users {
            let (name, domain) = (user.name.clone(), user.domain.clone());
            if !self.domains.contains(&domain) {
                return Err(Misconfigured::UserOfNothing { name, domain });
            }
            if !users.insert((name.clone(), alloc::format!("{domain}").to_ascii_lowercase())) {
                return Err(Misconfigured::TwoUsers { name, domain });
            }
        }
        let algorithms = &self.digest.algorithms;
        let has_users = self.steps.secrets || !self.users.is_empty();
        let is_twice =
            algorithms.iter().enumerate().any(|(place, it)| algorithms.iter().skip(place + 1).any(|other| other == it));
        if is_twice || algorithms.is_empty() && has_users {
            return Err(Misconfigured::Algorithms);
        }
        let serves = |user: &User| algorithms.iter().any(|algorithm| user.secret.serves(algorithm.function));
        if let Some(User { name, domain, .. }) = self.users.iter().find(|user| !serves(user)) {
            return Err(Misconfigured::UselessSecret { name: name.clone(), domain: domain.clone() });
        }
        if self.digest.nonce_age == Duration::ZERO && has_users {
            return Err(Misconfigured::NonceAge);
        }
        has_room(&[(self.questions, Limit::QUESTIONS)])?;
        check_registrar(&self.registrar)?;
        check_proxy(&self.proxy)
    }
}

fn check_registrar(settings: &registrar::Settings) -> Result<(), Misconfigured> {
    let registrar::Settings { min_expires, default_expires, max_expires, third_party: _, store: _, limits } = settings;
    let registrar::Limits { addresses_of_record, bindings, waiting_registers } = limits;
    if min_expires > max_expires {
        return Err(Misconfigured::BindingTimes);
    }
    // Nobody may be refused for a time that is an hour or more (RFC 3261 §10.3 step 7).
    if *default_expires == 0 || default_expires < min_expires && *default_expires < registrar::HOUR {
        return Err(Misconfigured::DefaultExpires);
    }
    has_room(&[
        (*addresses_of_record, Limit::ADDRESSES_OF_RECORD),
        (*bindings, Limit::BINDINGS),
        (*waiting_registers, Limit::WAITING_REGISTERS),
    ])
}

fn check_proxy(settings: &proxy::Settings) -> Result<(), Misconfigured> {
    if settings.token_age == Duration::ZERO {
        return Err(Misconfigured::TokenAge);
    }
    if settings.branch_limit == Some(Duration::ZERO) {
        return Err(Misconfigured::BranchLimit);
    }
    // The first branch needs no room among the octets.
    let proxy::Limits { response_contexts, targets, passes, stranger_breadth, branches: _, context_octets: _ } =
        settings.limits;
    has_room(&[
        (response_contexts, Limit::RESPONSE_CONTEXTS),
        (targets, Limit::TARGETS),
        (passes, Limit::PASSES),
        (stranger_breadth as usize, Limit::STRANGER_BREADTH),
    ])
}

fn has_room(limits: &[(usize, Limit)]) -> Result<(), Misconfigured> {
    let none = limits.iter().find(|(room, _)| *room == 0);
    none.map_or(Ok(()), |(_, limit)| Err(Misconfigured::NoRoom(*limit)))
}
