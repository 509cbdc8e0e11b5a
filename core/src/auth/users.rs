//! Users that a gate has at hand.

use alloc::boxed::Box;
use alloc::collections::BTreeMap;

use super::claim::{Claim, UserName};
use super::secret::{Ha1, Secret, hashed_user};

/// Users and their secrets, for a gate whose owner has them in memory. `Debug` shows the names alone.
///
/// ```
/// use sansip::auth::{Secret, Users};
///
/// let mut users = Users::new();
/// users.insert("alice", Secret::password("s3cret"));
/// assert!(users.remove("alice") && !users.remove("alice"));
/// ```
#[derive(Clone, Debug, Default)]
pub struct Users(BTreeMap<Box<str>, Secret>);

impl Users {
    /// Nobody.
    pub const fn new() -> Self {
        Self(BTreeMap::new())
    }

    /// Takes in a user, in the place of the one of that name.
    pub fn insert(&mut self, user: &str, secret: Secret) {
        self.0.insert(user.into(), secret);
    }

    /// Takes out a user; whether there was one.
    pub fn remove(&mut self, user: &str) -> bool {
        self.0.remove(user).is_some()
    }

    /// The hash that a claim is judged by; `None` if there is no such user, or none of that hash function is known.
    ///
    /// A hashed name (RFC 7616 §3.4.4) is compared with that of each user.
    pub fn look_up(&self, claim: &Claim) -> Option<Ha1> {
        let (function, realm) = (claim.algorithm().function, claim.realm());
        let (user, secret) = match claim.user() {
            UserName::Clear(name) => self.0.get_key_value(&**name)?,
            UserName::Hashed(digits) => {
                self.0.iter().find(|(user, _)| hashed_user(function, user, realm) == *digits)?
            }
        };
        secret.ha1(function, user, realm)
    }
}
