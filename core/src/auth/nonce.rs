//! Nonces that a server need not remember: each says when it was made, and proves that it was made here.

use alloc::string::String;
use core::fmt::Write;
use core::hash::Hasher;

use siphasher::sip128::{Hasher128, SipHasher24};

use super::algorithm::same;
use crate::random::Random;
use crate::time::{Duration, Instant};

/// The digits of a nonce: when it was made, 64 random bits, and 128 bits of a keyed hash over both and the realm.
const DIGITS: usize = 16 + 16 + 32;

/// A nonce that was made here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Nonce {
    pub(super) made: Instant,
    /// Tells nonces that were made at the same time apart.
    pub(super) random: u64,
}

impl Nonce {
    pub(super) fn new(now: Instant, random: &mut Random) -> Self {
        Self { made: now, random: random.next_u64() }
    }

    /// The text of the nonce: lower-case hexadecimal digits.
    pub(super) fn text(self, key: &[u8; 16], realm: &str) -> String {
        let mut hasher = SipHasher24::new_with_key(key);
        hasher.write(b"nonce");
        hasher.write_u64(self.made.as_nanos().to_le());
        hasher.write_u64(self.random.to_le());
        hasher.write(realm.as_bytes());
        let mut text = String::with_capacity(DIGITS);
        // A string takes all that it is given.
        let _ = write!(text, "{:016x}{:016x}{:032x}", self.made.as_nanos(), self.random, hasher.finish128().as_u128());
        text
    }

    /// Reads a nonce. `None` if it was not made here: with this key, for this realm.
    pub(super) fn parse(text: &[u8], key: &[u8; 16], realm: &str) -> Option<Self> {
        let (made, rest) = text.split_at_checked(16)?;
        let nonce = Self { made: Instant::from_nanos(number(made)?), random: number(rest.get(..16)?)? };
        same(nonce.text(key, realm).as_bytes(), text).then_some(nonce)
    }

    /// Whether the nonce is older than `age`.
    pub(super) fn is_older(self, age: Duration, now: Instant) -> bool {
        now.since(self.made) > age
    }
}

fn number(digits: &[u8]) -> Option<u64> {
    digits.iter().try_fold(0, |number, digit| Some(number << 4 | u64::from(char::from(*digit).to_digit(16)?)))
}
