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

/// As configuration has it.
#[cfg(feature = "serde")]
mod plain {
    use alloc::vec::Vec;

    use serde::de::Error;
    use serde::ser::SerializeMap;
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    use super::{Ha1, HashFunction, Kind, Secret};
    use crate::plain::Hidden;

    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Written {
        password: Option<Hidden>,
        #[serde(rename = "MD5")]
        md5: Option<Hidden>,
        #[serde(rename = "SHA-256")]
        sha256: Option<Hidden>,
        #[serde(rename = "SHA-512-256")]
        sha512_256: Option<Hidden>,
    }

    impl<'de> Deserialize<'de> for Secret {
        fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
            let Written { password, md5, sha256, sha512_256 } = Written::deserialize(from)?;
            let written =
                [(HashFunction::Md5, md5), (HashFunction::Sha256, sha256), (HashFunction::Sha512_256, sha512_256)];
            let mut hashes = Vec::new();
            for (function, digits) in written {
                if let Some(Hidden(digits)) = digits {
                    let ha1 = Ha1::parse(function, &digits);
                    hashes.push(ha1.ok_or_else(|| Error::custom("a hash has not the digits of its hash function"))?);
                }
            }
            match (password, hashes.is_empty()) {
                (Some(Hidden(password)), true) => Ok(Self::password(&password)),
                (None, false) => Ok(Self::hashes(hashes)),
                (Some(_), false) => Err(Error::custom("a secret is a password or hashes, and not both")),
                (None, true) => Err(Error::custom("a secret is a password or hashes, and neither is there")),
            }
        }
    }

    impl Serialize for Secret {
        /// In clear: a configuration that is written serves to be read again.
        fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
            let mut map = to.serialize_map(None)?;
            match &self.0 {
                Kind::Password(password) => map.serialize_entry("password", password)?,
                Kind::Hashes(hashes) => {
                    for ha1 in hashes {
                        map.serialize_entry(ha1.function().as_str(), ha1.digits().as_str())?;
                    }
                }
            }
            map.end()
        }
    }
}
