//! Who is in a scene: phones and domains, with their names, addresses and routes.

use std::net::IpAddr;

use sansip::auth::{self, Login, Scope, Users};
use sansip::dialog::SessionTimerSettings;
use sansip::extension::Extensions;
use sansip::message::HostBuf;
use sansip::message::header::{NameAddrBuf, Protocol};
use sansip::server::{Digest, Route, User};
use sansip::user_agent::Redirects;
use sansip::{Duration, NextHop, Script};

use super::scene::parsed;

/// A phone: who has it, and where it is.
#[derive(Clone, Debug)]
pub struct Phone {
    pub(super) name: String,
    pub(super) identity: NameAddrBuf,
    pub(super) address: IpAddr,
    pub(super) host: Option<String>,
    pub(super) outbound: Option<NextHop>,
    pub(super) behind: Option<String>,
    pub(super) script: Script,
    pub(super) logins: Vec<(Scope, Login)>,
    pub(super) guard: Option<(auth::Settings, Users)>,
    pub(super) extensions: Extensions,
    pub(super) session_timer: SessionTimerSettings,
    pub(super) says_nothing: bool,
    pub(super) methods: Vec<Box<str>>,
    pub(super) redirects: Redirects,
}

/// A domain's server: what it is responsible for, and where it is.
#[derive(Clone, Debug)]
pub struct Domain {
    pub(super) name: String,
    pub(super) addresses: Vec<IpAddr>,
    pub(super) host: Option<String>,
    pub(super) names: Vec<String>,
    pub(super) routes: Vec<Route>,
    pub(super) record_route: bool,
    pub(super) recursion: bool,
    pub(super) tcp: bool,
    pub(super) script: Script,
    pub(super) challenge: Option<(String, auth::Settings, Users)>,
    pub(super) redirect: bool,
    pub(super) users: Vec<User>,
    pub(super) digest: Digest,
}

impl Phone {
    /// A phone of that name in plans, of who is called so in From, at port 5060 of that address.
    ///
    /// # Panics
    /// If `identity` is no name-addr (RFC 3261 §25.1).
    pub fn new(name: &str, identity: &str, address: impl Into<IpAddr>) -> Self {
        Self {
            name: name.to_owned(),
            identity: parsed(identity),
            address: address.into(),
            host: None,
            outbound: None,
            behind: None,
            script: Script::default(),
            logins: Vec::new(),
            guard: None,
            extensions: Extensions::NONE,
            session_timer: SessionTimerSettings::default(),
            says_nothing: false,
            methods: Vec::new(),
            redirects: Redirects::Off,
        }
    }

    /// A host name of its own, which stands in its Via and Contact and is in the zone.
    #[must_use]
    pub fn host(mut self, host: &str) -> Self {
        self.host = Some(host.to_owned());
        self
    }

    /// Where its requests outside of dialogs go.
    ///
    /// # Panics
    /// If `host` is no host.
    #[must_use]
    pub fn outbound(mut self, host: &str) -> Self {
        self.outbound = Some(hop(host));
        self
    }

    /// Is behind that NAT of the scene, and so asks for responses to where its requests come from (RFC 3581).
    #[must_use]
    pub fn behind(mut self, nat: &str) -> Self {
        self.behind = Some(nat.to_owned());
        self
    }

    /// Uses these tokens first.
    #[must_use]
    pub fn script(mut self, script: Script) -> Self {
        self.script = script;
        self
    }

    /// Has this login for challenges of that scope.
    #[must_use]
    pub fn login(mut self, scope: Scope, login: Login) -> Self {
        self.logins.push((scope, login));
        self
    }

    /// Asks everybody for credentials, and serves these users.
    #[must_use]
    pub fn guard(mut self, settings: auth::Settings, users: Users) -> Self {
        self.guard = Some((settings, users));
        self
    }

    /// Uses these extensions of SIP.
    #[must_use]
    pub const fn extensions(mut self, extensions: Extensions) -> Self {
        self.extensions = extensions;
        self
    }

    /// Follows redirections (RFC 3261 §8.1.3.4).
    #[must_use]
    pub const fn follows(mut self) -> Self {
        self.redirects = Redirects::Follow;
        self
    }

    /// Takes REFER and NOTIFY (RFC 3515).
    #[must_use]
    pub fn refers(mut self) -> Self {
        self.methods = ["REFER", "NOTIFY"].map(Into::into).into();
        self
    }

    /// Has these wishes for session timers, if its extensions have [`timer`](sansip::extension::Extension::Timer). `by_invite`: it says nothing
    /// of the methods that it takes, so that the other end refreshes the session by re-INVITEs.
    #[must_use]
    pub const fn session_timer(mut self, settings: SessionTimerSettings, by_invite: bool) -> Self {
        (self.session_timer, self.says_nothing) = (settings, by_invite);
        self
    }
}

impl Domain {
    /// A server of that name in plans, at port 5060 of that address, responsible for nothing.
    pub fn new(name: &str, address: impl Into<IpAddr>) -> Self {
        Self {
            name: name.to_owned(),
            addresses: vec![address.into()],
            host: None,
            names: Vec::new(),
            routes: Vec::new(),
            record_route: false,
            recursion: false,
            tcp: false,
            script: Script::default(),
            challenge: None,
            redirect: false,
            users: Vec::new(),
            digest: Digest::default(),
        }
    }

    /// A host name of its own, which stands in its Via and Record-Route and is in the zone.
    #[must_use]
    pub fn host(mut self, host: &str) -> Self {
        self.host = Some(host.to_owned());
        self
    }

    /// Is at port 5060 of that address, too.
    #[must_use]
    pub fn also_at(mut self, address: impl Into<IpAddr>) -> Self {
        self.addresses.push(address.into());
        self
    }

    /// The host parts that it is responsible for; they are in the zone.
    #[must_use]
    pub fn names(mut self, names: &[&str]) -> Self {
        self.names.extend(names.iter().map(|&name| name.to_owned()));
        self
    }

    /// Sends requests that fit the key (`*`, `host`, `user@host`) to that host, if it is not responsible for them.
    ///
    /// # Panics
    /// If `key` is no key of a route table, or `host` no host.
    #[must_use]
    pub fn route(mut self, key: &str, host: &str) -> Self {
        self.routes.push(Route { key: parsed(key), next_hop: hop(host) });
        self
    }

    /// As above, over TCP, to a server that listens there.
    ///
    /// # Panics
    /// If `key` is no key of a route table, or `host` no host.
    #[must_use]
    pub fn route_over_tcp(mut self, key: &str, host: &str) -> Self {
        let next_hop = NextHop { protocol: Some(Protocol::Tcp), ..hop(host) };
        self.routes.push(Route { key: parsed(key), next_hop });
        self
    }

    /// Listens for TCP as well.
    #[must_use]
    pub fn tcp(mut self) -> Self {
        self.tcp = true;
        self
    }

    /// Whether it stays on the path of dialogs.
    #[must_use]
    pub fn record_route(mut self, record_route: bool) -> Self {
        self.record_route = record_route;
        self
    }

    /// Whether it tries the contacts of a redirection that its settings lead to (RFC 3261 §16.7 step 4).
    #[must_use]
    pub const fn recurses(mut self, recursion: bool) -> Self {
        self.recursion = recursion;
        self
    }

    /// Uses these tokens first.
    #[must_use]
    pub fn script(mut self, script: Script) -> Self {
        self.script = script;
        self
    }

    /// Redirects whoever calls its users (RFC 3261 §8.3).
    #[must_use]
    pub const fn redirects(mut self) -> Self {
        self.redirect = true;
        self
    }

    /// Has these users of its own, who prove who they are when they register (401) or want something forwarded (407).
    #[must_use]
    pub fn users(mut self, users: Vec<User>, nonce_age: Duration) -> Self {
        (self.users, self.digest) = (users, Digest { nonce_age, ..Digest::default() });
        self
    }

    /// Asks those of that domain for credentials as a proxy does, and lets these users through.
    #[must_use]
    pub fn challenge(mut self, domain: &str, settings: auth::Settings, users: Users) -> Self {
        self.challenge = Some((domain.to_owned(), settings, users));
        self
    }
}

fn hop(host: &str) -> NextHop {
    NextHop::from(parsed::<HostBuf>(host))
}
