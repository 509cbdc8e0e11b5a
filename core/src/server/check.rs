//! Settings that cannot work, each told in one sentence.

use alloc::boxed::Box;
use core::fmt;

use super::{RouteKey, Settings};
use crate::message::{HostBuf, HostPort};

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
}

impl fmt::Display for Misconfigured {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoDomain => f.write_str("the server has no domain"),
            Self::TwoDomains(name) => write!(f, "the domain {name} stands there twice"),
            Self::AliasOfNothing(name) => write!(f, "the alias {name} is of no domain of the server"),
            Self::RouteToItself(key) => write!(f, "the route for {key} leads to the server itself"),
            Self::TwoUsers { name, domain } => write!(f, "two users have the name {name}@{domain}"),
            Self::UserOfNothing { name, domain } => {
                write!(f, "the user {name} is of {domain}, which is no domain here")
            }
            Self::Algorithms => f.write_str("the algorithms of Digest are none, or one of them stands there twice"),
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
        let is_twice =
            algorithms.iter().enumerate().any(|(place, it)| algorithms.iter().skip(place + 1).any(|other| other == it));
        if is_twice || algorithms.is_empty() && !self.users.is_empty() {
            return Err(Misconfigured::Algorithms);
        }
        Ok(())
    }
}
