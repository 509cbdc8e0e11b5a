//! Who proves to be who: users, passwords, realms.

use sansip::auth::{Login, Scope, Secret, Settings, UriRule, Users};
use sansip::{Duration, auth};

use super::Challenges;

/// The passwords of the people, which no message may have.
pub const PASSWORDS: [&str; 3] = ["rabbit-hole", "brown-study", "looking-glass"];

const USERS: [&str; 3] = ["alice", "bob", "carol"];

/// The realms: of Alice's phone, of Bob's, and of the first proxy on Alice's way.
pub(super) const ALICE: &str = "alice.atlanta.com";
pub(super) const BOB: &str = "bob.biloxi.com";
pub(super) const PROXY: &str = "atlanta.com";

/// Everybody who is known anywhere.
pub(super) fn users() -> Users {
    let mut users = Users::new();
    for (user, password) in USERS.into_iter().zip(PASSWORDS) {
        users.insert(user, Secret::password(password));
    }
    users
}

/// The logins of Alice (0), Bob (1) or Carol (2), for every realm that asks.
pub(super) fn logins(who: usize, challenges: Challenges) -> Vec<(Scope, Login)> {
    let realms = [(challenges.alice, ALICE), (challenges.bob, BOB), (challenges.proxy, PROXY)];
    let login = || Login::new(USERS[who], Secret::password(PASSWORDS[who]));
    realms.into_iter().filter(|(asks, _)| *asks).map(|(_, realm)| (Scope::realm(realm), login())).collect()
}

/// The settings of the first proxy, which sees the Request-URI that its users have written.
pub(super) fn proxy(nonce_age: Duration) -> auth::Settings {
    Settings { nonce_age, ..Settings::new(PROXY) }
}

/// The settings of a phone, whose Request-URI is its Contact by then.
pub(super) fn phone(realm: &str, nonce_age: Duration) -> auth::Settings {
    Settings { nonce_age, uri_rule: UriRule::Forwarded, ..Settings::new(realm) }
}
