//! The algorithms of Digest and the hash functions behind them (RFC 7616 §3.3, RFC 8760 §2.1).

use core::fmt;

use arrayvec::ArrayString;
use md5::Md5;
use sha2::{Digest, Sha256, Sha512_256};

/// A hash function of Digest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum HashFunction {
    /// MD5. RFC 8760 §3 keeps it for old peers and does not recommend it.
    Md5,
    /// SHA-256.
    Sha256,
    /// SHA-512/256 of FIPS 180-4, which Digest calls SHA-512-256.
    Sha512_256,
}

impl HashFunction {
    /// The hash of these parts, one behind the other, in lower-case hexadecimal digits.
    pub(super) fn of(self, parts: &[&[u8]]) -> Hex {
        match self {
            Self::Md5 => Hex::of::<Md5>(parts),
            Self::Sha256 => Hex::of::<Sha256>(parts),
            Self::Sha512_256 => Hex::of::<Sha512_256>(parts),
        }
    }

    /// Hexadecimal digits of a hash (RFC 8760 §2.2).
    pub const fn digits(self) -> usize {
        match self {
            Self::Md5 => 32,
            Self::Sha256 | Self::Sha512_256 => 64,
        }
    }

    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Md5 => "MD5",
            Self::Sha256 => "SHA-256",
            Self::Sha512_256 => "SHA-512-256",
        }
    }
}

impl fmt::Display for HashFunction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// An algorithm of Digest: a hash function, with or without a session key (RFC 7616 §3.4.2).
///
/// ```
/// use sansip::auth::Algorithm;
/// assert_eq!(Algorithm::parse("sha-256-SESS"), Some(Algorithm::SHA_256.session()));
/// assert_eq!(Algorithm::SHA_512_256.to_string(), "SHA-512-256");
/// assert_eq!(Algorithm::parse("AKAv1-MD5"), None);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Algorithm {
    /// The hash function.
    pub function: HashFunction,
    /// Whether this is the `-sess` variant.
    pub is_session: bool,
}

impl Algorithm {
    /// `MD5`.
    pub const MD5: Self = Self { function: HashFunction::Md5, is_session: false };
    /// `SHA-256`.
    pub const SHA_256: Self = Self { function: HashFunction::Sha256, is_session: false };
    /// `SHA-512-256`.
    pub const SHA_512_256: Self = Self { function: HashFunction::Sha512_256, is_session: false };

    /// The `-sess` variant.
    #[must_use]
    pub const fn session(self) -> Self {
        Self { is_session: true, ..self }
    }

    /// The algorithm of this name, without regard to case. `None` if the name is of no known one.
    pub fn parse(name: &str) -> Option<Self> {
        const ALL: [Algorithm; 6] = [
            Algorithm::MD5,
            Algorithm::MD5.session(),
            Algorithm::SHA_256,
            Algorithm::SHA_256.session(),
            Algorithm::SHA_512_256,
            Algorithm::SHA_512_256.session(),
        ];
        ALL.into_iter().find(|algorithm| algorithm.as_str().eq_ignore_ascii_case(name))
    }

    /// The algorithm that a parameter names: MD5 if there is no parameter (RFC 7616 §3.3).
    pub(super) fn of_parameter(name: Option<&str>) -> Option<Self> {
        name.map_or(Some(Self::MD5), Self::parse)
    }

    /// The name, as registered.
    pub const fn as_str(self) -> &'static str {
        match (self.function, self.is_session) {
            (HashFunction::Md5, true) => "MD5-sess",
            (HashFunction::Sha256, true) => "SHA-256-sess",
            (HashFunction::Sha512_256, true) => "SHA-512-256-sess",
            (function, false) => function.as_str(),
        }
    }
}

impl fmt::Display for Algorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The hexadecimal digits of a hash, in lower case. `Debug` shows none: the hash may be that of a password.
#[derive(Clone)]
pub(super) struct Hex(ArrayString<64>);

impl Hex {
    fn of<D: Digest>(parts: &[&[u8]]) -> Self {
        let mut hasher = D::new();
        for part in parts {
            hasher.update(part);
        }
        let mut digits = ArrayString::new();
        for octet in hasher.finalize() {
            for digit in [octet >> 4, octet & 15] {
                // The longest hash of the three has 32 octets.
                let _ = digits.try_push(char::from_digit(digit.into(), 16).unwrap_or('0'));
            }
        }
        Self(digits)
    }

    /// Reads the digits of a hash of this function, of either case. `None` if they are none, or not as many.
    pub(super) fn parse(function: HashFunction, digits: &str) -> Option<Self> {
        let good = digits.len() == function.digits() && digits.bytes().all(|digit| digit.is_ascii_hexdigit());
        let mut digits = ArrayString::from(digits).ok().filter(|_| good)?;
        digits.make_ascii_lowercase();
        Some(Self(digits))
    }

    pub(super) fn as_str(&self) -> &str {
        &self.0
    }

    pub(super) fn as_bytes(&self) -> &[u8] {
        self.0.as_bytes()
    }
}

impl fmt::Debug for Hex {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("…")
    }
}

/// Compares all octets, wherever the first difference is: the time taken tells nothing of the secret behind one of them.
pub(super) fn same(a: &[u8], b: &[u8]) -> bool {
    let differences = a.iter().zip(b).fold(0, |all, (a, b)| core::hint::black_box(all | (a ^ b)));
    a.len() == b.len() && differences == 0
}

#[cfg(feature = "serde")]
crate::plain::as_text! {
    Algorithm, "an algorithm of Digest", Self::parse, |algorithm: &Self| *algorithm;
}
