//! The secret that a user and a server share. No `Debug` of anything here shows it.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::fmt;

use super::algorithm::{HashFunction, Hex};

/// The hash of user, realm and password, from which all else is computed: H(A1) of RFC 7616 §3.4.2 without a session. Whoever
/// knows it can log in with it; `Debug` does not show it.
///
/// ```
/// use sansip::auth::{HashFunction, Ha1};
/// let ha1 = Ha1::of(HashFunction::Md5, "alice", "atlanta.com", "secret");
/// let stored = Ha1::parse(HashFunction::Md5, "4c00389f118405a62dc666c595d7e0d8").unwrap();
/// assert_eq!(format!("{stored:?}"), "Ha1(MD5, …)");
/// # assert!(ha1.is_same(&stored));
/// ```
#[derive(Clone)]
pub struct Ha1 {
    function: HashFunction,
    digits: Hex,
}

impl Ha1 {
    /// The hash for this user, realm and password.
    pub fn of(function: HashFunction, user: &str, realm: &str, password: &str) -> Self {
        Self { function, digits: user_digits(function, user, realm, password) }
    }

    /// A hash that was computed before, in hexadecimal digits of either case. `None` if they are not those of a hash of this
    /// function.
    pub fn parse(function: HashFunction, digits: &str) -> Option<Self> {
        Some(Self { function, digits: Hex::parse(function, digits)? })
    }

    /// The hash function.
    pub const fn function(&self) -> HashFunction {
        self.function
    }

    /// Whether both are the same hash, compared in constant time.
    pub fn is_same(&self, other: &Self) -> bool {
        self.function == other.function && super::algorithm::same(self.digits.as_bytes(), other.digits.as_bytes())
    }

    pub(super) const fn digits(&self) -> &Hex {
        &self.digits
    }
}

impl fmt::Debug for Ha1 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Ha1({}, {:?})", self.function, self.digits)
    }
}

fn user_digits(function: HashFunction, user: &str, realm: &str, password: &str) -> Hex {
    function.of(&[user.as_bytes(), b":", realm.as_bytes(), b":", password.as_bytes()])
}

/// The name that stands for a user in `username` if the server takes hashed names (RFC 7616 §3.4.4): a server looks users up by
/// these hexadecimal digits.
pub fn hashed_user(function: HashFunction, user: &str, realm: &str) -> Box<str> {
    function.of(&[user.as_bytes(), b":", realm.as_bytes()]).as_str().into()
}

/// The secret that a user proves to know: a password, or hashes of it for some hash functions. `Debug` shows neither.
#[derive(Clone)]
pub struct Secret(Kind);

#[derive(Clone)]
enum Kind {
    Password(Box<str>),
    Hashes(Vec<Ha1>),
}

impl Secret {
    /// A password. RFC 7616 §4 wants it in Unicode Normalization Form C; it is taken as it is.
    pub fn password(password: &str) -> Self {
        Self(Kind::Password(password.into()))
    }

    /// The hashes of a password, at most one for each hash function: challenges that ask for another are not understood. They are
    /// good for one user and one realm.
    pub fn hashes(hashes: impl IntoIterator<Item = Ha1>) -> Self {
        Self(Kind::Hashes(hashes.into_iter().collect()))
    }

    /// Whether both are the same password, or the same hashes, compared in constant time.
    pub(super) fn is_same(&self, other: &Self) -> bool {
        match (&self.0, &other.0) {
            (Kind::Password(one), Kind::Password(other)) => super::algorithm::same(one.as_bytes(), other.as_bytes()),
            (Kind::Hashes(one), Kind::Hashes(other)) => {
                one.len() == other.len() && one.iter().all(|ha1| other.iter().any(|other| ha1.is_same(other)))
            }
            (Kind::Password(_), Kind::Hashes(_)) | (Kind::Hashes(_), Kind::Password(_)) => false,
        }
    }

    /// Whether challenges that ask for this hash function can be answered and judged with it.
    ///
    /// ```
    /// use sansip::auth::{Ha1, HashFunction, Secret};
    /// let stored = Secret::hashes([Ha1::of(HashFunction::Md5, "alice", "atlanta.com", "secret")]);
    /// assert!(stored.serves(HashFunction::Md5) && !stored.serves(HashFunction::Sha256));
    /// assert!(Secret::password("secret").serves(HashFunction::Sha256));
    /// ```
    pub fn serves(&self, function: HashFunction) -> bool {
        match &self.0 {
            Kind::Password(_) => true,
            Kind::Hashes(hashes) => hashes.iter().any(|ha1| ha1.function == function),
        }
    }

    /// The hash for this user and realm, if it is known.
    pub(crate) fn ha1(&self, function: HashFunction, user: &str, realm: &str) -> Option<Ha1> {
        match &self.0 {
            Kind::Password(password) => Some(Ha1::of(function, user, realm, password)),
            Kind::Hashes(hashes) => hashes.iter().find(|ha1| ha1.function == function).cloned(),
        }
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}
