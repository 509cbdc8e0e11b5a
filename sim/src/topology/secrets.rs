//! Who proves to be who: users, passwords, realms.

use sansip::auth::{Login, Scope, Secret, Settings, UriRule, Users};
use sansip::server::User;
use sansip::{Duration, auth};

use super::scene::parsed;
use super::{Challenges, Topology};

/// The passwords of the people, which no message may have.
pub const PASSWORDS: [&str; 3] = ["rabbit-hole", "brown-study", "looking-glass"];

const USERS: [&str; 3] = ["alice", "bob", "carol"];

/// The realms: of Alice's phone, of Bob's, and of the first proxy on Alice's way.
pub(super) const ALICE: &str = "alice.atlanta.com";
pub(super) const BOB: &str = "bob.biloxi.com";
pub(super) const PROXY: &str = "atlanta.com";
/// The realm of Bob's domain, where it asks.
pub(super) const BILOXI: &str = "biloxi.com";

/// Everybody who is known anywhere.
pub(super) fn users() -> Users {
    let mut users = Users::new();
    for (user, password) in USERS.into_iter().zip(PASSWORDS) {
        users.insert(user, Secret::password(password));
    }
    users
}

/// Everybody as a user of that domain.
pub(super) fn of_domain(domain: &str) -> Vec<User> {
    let users = USERS.into_iter().zip(PASSWORDS);
    let user = |(name, password): (&str, &str)| User {
        name: name.into(),
        domain: parsed(domain),
        secret: Secret::password(password),
    };
    users.map(user).collect()
}

/// The logins of Alice (0), Bob (1) or Carol (2), for every realm that asks; `domain`: Bob's does.
pub(super) fn logins(who: usize, challenges: Challenges, domain: bool) -> Vec<(Scope, Login)> {
    let realms = [(challenges.alice, ALICE), (challenges.bob, BOB), (challenges.proxy, PROXY), (domain, BILOXI)];
    let login = || Login::new(USERS[who], Secret::password(PASSWORDS[who]));
    realms.into_iter().filter(|(asks, _)| *asks).map(|(_, realm)| (Scope::realm(realm), login())).collect()
}

/// The settings of the first proxy, which sees the Request-URI that its users have written.
pub(super) fn proxy(nonce_age: Duration) -> auth::Settings {
    Settings { nonce_age, ..Settings::new(PROXY) }
}

/// The settings of a phone, whose Request-URI is its Contact by then; the other end has written the URI of a strict router.
pub(super) fn phone(realm: &str, nonce_age: Duration, topology: Topology) -> auth::Settings {
    let uri_rule = if topology == Topology::Strict { UriRule::Any } else { UriRule::Forwarded };
    Settings { nonce_age, uri_rule, ..Settings::new(realm) }
}
