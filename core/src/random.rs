//! The one source of randomness: a seeded generator, or a script in front of it.
//!
//! ```
//! use sansip::{Random, Script, Seed};
//!
//! let mut random = Random::new(Seed::from_u64(7), Script::default());
//! let mut again = Random::new(Seed::from_u64(7), Script::default());
//! assert_eq!(random.tag(), again.tag());
//! assert!(random.branch("").starts_with("z9hG4bK"));
//! ```

use alloc::collections::VecDeque;
use alloc::string::String;
use core::fmt;
use core::hash::Hasher;

use rand_chacha::ChaCha12Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
use siphasher::sip128::{Hasher128, SipHasher24};

use crate::owner_tag::OwnerTag;

/// The start of every branch made under RFC 3261 (§8.1.1.7).
pub const MAGIC_COOKIE: &str = "z9hG4bK";

impl OwnerTag {
    /// The owner that a branch names, as [`named_by`](Self::named_by) behind its magic cookie (RFC 3261 §8.1.1.7).
    pub fn named_by_branch(branch: &str) -> Option<&str> {
        Self::named_by(branch.strip_prefix(MAGIC_COOKIE)?)
    }
}

/// Where a node's randomness starts. A node that restarts needs a new one, else its branches repeat (§8.1.1.7).
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Seed([u8; 32]);

impl Seed {
    /// A seed from the operating system's generator, or any 32 bytes that no one can guess.
    pub const fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// A seed for tests and simulations, easy to print and to repeat; guessable, so not for a network.
    pub fn from_u64(seed: u64) -> Self {
        let mut bytes = [0; 32];
        for (place, byte) in bytes.iter_mut().zip(seed.to_le_bytes()) {
            *place = byte;
        }
        Self(bytes)
    }

    /// The key of a keyed hash for a purpose of its own. Each `purpose` above 0 has a stream of its own, so that no two keys are
    /// alike and the generator of the seed, whose stream is 0, goes on as if none had been asked for.
    pub(crate) fn hash_key(self, purpose: u64) -> [u8; 16] {
        let mut generator = ChaCha12Rng::from_seed(self.0);
        generator.set_stream(purpose);
        let mut key = [0; 16];
        generator.fill_bytes(&mut key);
        key
    }
}

impl fmt::Debug for Seed {
    /// The seed tells every branch, tag and hash key to come: it is not shown.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Seed(..)")
    }
}

/// A secret that the servers of one farm share by configuration. The keys of their tags and tokens come from it, so that each of
/// them knows what another one has made.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Key([u8; 16]);

impl Key {
    /// A key of 16 bytes that no one can guess.
    pub const fn new(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    /// The key of a keyed hash for a purpose of its own, as [`Seed::hash_key`].
    pub(crate) fn hash_key(self, purpose: u64) -> [u8; 16] {
        let mut hasher = SipHasher24::new_with_key(&self.0);
        hasher.write_u64(purpose.to_le());
        hasher.finish128().as_bytes()
    }
}

impl fmt::Debug for Key {
    /// Whoever knows the key can make tags and tokens: it is not shown.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Key(..)")
    }
}

/// Values to use before any random ones, so that a scenario can carry an RFC's own branches and tags.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Script {
    /// Branches, without the magic cookie.
    pub branches: VecDeque<String>,
    /// From and To tags.
    pub tags: VecDeque<String>,
    /// Call-IDs, whole.
    pub call_ids: VecDeque<String>,
    /// First CSeq numbers of dialogs and registrations.
    pub sequence_numbers: VecDeque<u32>,
    /// Client nonces of Digest.
    pub client_nonces: VecDeque<String>,
}

/// Every random value of a node comes from here.
#[derive(Clone)]
pub struct Random {
    generator: ChaCha12Rng,
    script: Script,
    /// What each branch, tag and Call-ID begins with.
    owner: OwnerTag,
}

impl Random {
    /// The generator of `seed`, behind `script`.
    pub fn new(seed: Seed, script: Script) -> Self {
        Self { generator: ChaCha12Rng::from_seed(seed.0), script, owner: OwnerTag::NONE }
    }

    /// This generator, whose branches, tags and Call-IDs begin with `owner`. Scripted ones are taken as they are.
    #[must_use]
    pub fn with_owner(self, owner: OwnerTag) -> Self {
        Self { owner, ..self }
    }

    /// 64 random bits.
    pub fn next_u64(&mut self) -> u64 {
        self.generator.next_u64()
    }

    /// A number below `bound` (0 if `bound` is 0), without the bias of a remainder.
    pub fn below(&mut self, bound: u64) -> u64 {
        ((u128::from(self.next_u64()) * u128::from(bound)) >> 64) as u64
    }

    /// A branch: the magic cookie, the owner tag, then 80 random bits, then `suffix` if it is not empty (the proxy's loop check,
    /// §16.6 step 8). A scripted branch is taken as it is, without the suffix.
    pub fn branch(&mut self, suffix: &str) -> String {
        let mut branch = String::with_capacity(MAGIC_COOKIE.len() + 16 + 1 + suffix.len());
        branch.push_str(MAGIC_COOKIE);
        match self.script.branches.pop_front() {
            Some(scripted) => branch.push_str(&scripted),
            None => {
                self.owner.parts().into_iter().for_each(|part| branch.push_str(part));
                self.push_token(&mut branch, 16);
                if !suffix.is_empty() {
                    branch.push('.');
                    branch.push_str(suffix);
                }
            }
        }
        branch
    }

    /// A tag of 60 random bits (§19.3 asks for at least 32).
    pub fn tag(&mut self) -> String {
        match self.script.tags.pop_front() {
            Some(scripted) => scripted,
            None => self.owned(12),
        }
    }

    /// A Call-ID of 100 random bits and no host (§8.1.1.4).
    pub fn call_id(&mut self) -> String {
        match self.script.call_ids.pop_front() {
            Some(scripted) => scripted,
            None => self.owned(20),
        }
    }

    /// A first CSeq number, below 2^31 (§8.1.1.5); small, so that there is room to count and it reads well.
    pub fn sequence_number(&mut self) -> u32 {
        match self.script.sequence_numbers.pop_front() {
            Some(scripted) => scripted,
            None => 1 + self.below(9_999) as u32,
        }
    }

    /// A client nonce of 120 random bits (RFC 7616 §3.4).
    pub fn client_nonce(&mut self) -> String {
        match self.script.client_nonces.pop_front() {
            Some(scripted) => scripted,
            None => self.token(24),
        }
    }

    /// The key of a keyed hash.
    pub fn hash_key(&mut self) -> [u8; 16] {
        let mut key = [0; 16];
        self.generator.fill_bytes(&mut key);
        key
    }

    /// A token behind the owner tag.
    fn owned(&mut self, length: usize) -> String {
        let [owner, dot] = self.owner.parts();
        let mut token = String::with_capacity(owner.len() + dot.len() + length);
        [owner, dot].into_iter().for_each(|part| token.push_str(part));
        self.push_token(&mut token, length);
        token
    }

    fn token(&mut self, length: usize) -> String {
        let mut token = String::with_capacity(length);
        self.push_token(&mut token, length);
        token
    }

    /// `length` characters, 24 at most, of five random bits each.
    fn push_token(&mut self, out: &mut String, length: usize) {
        let mut text = [[0; 12]; 2];
        for twelve in text.iter_mut().take(length.div_ceil(12)) {
            let bits = self.next_u64();
            let [a, b, c, d, e, f, g, h] = characters(bits);
            let [i, j, k, l, ..] = characters(bits >> 40);
            *twelve = [a, b, c, d, e, f, g, h, i, j, k, l];
        }
        let text = text.as_flattened().get(..length.min(24)).unwrap_or_default();
        // Each octet is an ASCII character.
        out.push_str(core::str::from_utf8(text).unwrap_or_default());
    }
}

/// Eight characters of `0` to `9` and `a` to `v`, the first of the lowest five bits.
const fn characters(bits: u64) -> [u8; 8] {
    const ONES: u64 = u64::from_le_bytes([1; 8]);
    // Halves go apart until each five bits have an octet.
    let twenties = bits & 0xf_ffff | (bits & 0xff_fff0_0000) << 12;
    let tens = twenties & 0x3ff_0000_03ff | (twenties & 0xf_fc00_000f_fc00) << 6;
    let fives = tens & 0x1f_001f_001f_001f | (tens & 0x3e0_03e0_03e0_03e0) << 3;
    // The highest bit of an octet comes up from 10 on.
    let letters = (fives + ONES * (0x80 - 10)) >> 7 & ONES;
    (fives + ONES * b'0' as u64 + letters * (b'a' - b'0' - 10) as u64).to_le_bytes()
}

impl fmt::Debug for Random {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Random").field("script", &self.script).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec::Vec;

    #[test]
    fn the_same_seed_gives_the_same_tokens_and_another_seed_others() {
        let mut one = Random::new(Seed::from_u64(7), Script::default());
        let mut same = Random::new(Seed::from_u64(7), Script::default());
        let mut other = Random::new(Seed::from_u64(8), Script::default());
        let branch = one.branch("");
        assert_eq!(branch, same.branch(""));
        assert_ne!(branch, other.branch(""));
        assert_eq!(branch.len(), MAGIC_COOKIE.len() + 16);
        assert_ne!(branch, one.branch(""));
    }

    #[test]
    fn a_script_comes_first_and_is_taken_as_it_is() {
        let script = Script { branches: ["nashds8".into()].into(), ..Script::default() };
        let mut random = Random::new(Seed::from_u64(7), script);
        assert_eq!(random.branch("loop"), "z9hG4bKnashds8");
        assert!(random.branch("loop").ends_with(".loop"));
    }

    #[test]
    fn branches_tags_and_call_ids_begin_with_the_owner_and_are_else_what_they_were() {
        let plain = &mut Random::new(Seed::from_u64(7), Script::default());
        let mut owned = Random::new(Seed::from_u64(7), Script::default()).with_owner("s1".parse().unwrap());
        assert_eq!(owned.branch("loop"), plain.branch("loop").replace("z9hG4bK", "z9hG4bKs1."));
        assert_eq!(owned.tag(), ["s1.", &plain.tag()].concat());
        assert_eq!(owned.call_id(), ["s1.", &plain.call_id()].concat());
        assert_eq!(owned.client_nonce(), plain.client_nonce());
    }

    #[test]
    fn the_owner_is_read_from_what_begins_with_it() {
        assert_eq!(OwnerTag::named_by_branch("z9hG4bKs1.0123456789abcdef.loop"), Some("s1"));
        for none in ["z9hG4bK0123456789abcdef.loop", "z9hG4bK.x", "z9hG4bKs1", "s1.x"] {
            assert_eq!(OwnerTag::named_by_branch(none), None, "{none}");
        }
    }

    #[test]
    fn a_key_has_another_key_for_each_purpose() {
        let key = Key::new([1; 16]);
        assert_eq!(key.hash_key(1), Key::new([1; 16]).hash_key(1));
        assert_ne!(key.hash_key(1), key.hash_key(2));
        assert_ne!(key.hash_key(1), Key::new([2; 16]).hash_key(1));
    }

    /// The purposes are streams of their own: no key is what the generator of the seed, stream 0, draws first or later.
    #[test]
    fn a_seed_has_another_key_for_each_purpose_and_draws_none_of_them() {
        let seed = Seed::from_u64(7);
        assert_eq!(seed.hash_key(1), Seed::from_u64(7).hash_key(1));
        assert_ne!(seed.hash_key(1), Seed::from_u64(8).hash_key(1));
        let mut random = Random::new(seed, Script::default());
        let drawn = (0..100).map(|_| random.hash_key());
        let mut keys: Vec<[u8; 16]> = drawn.chain((1..=30).map(|purpose| seed.hash_key(purpose))).collect();
        keys.sort_unstable();
        keys.dedup();
        assert_eq!(keys.len(), 130);
    }

    #[test]
    fn five_bits_are_one_character_and_the_lowest_come_first() {
        const DIGITS: [u8; 32] = *b"0123456789abcdefghijklmnopqrstuv";
        for round in 0..1_000_u64 {
            let bits = round.wrapping_mul(0x9e37_79b9_7f4a_7c15);
            let one_by_one = [0, 1, 2, 3, 4, 5, 6, 7].map(|place| DIGITS[(bits >> (5 * place) & 31) as usize]);
            assert_eq!(characters(bits), one_by_one, "{bits:x}");
        }
    }

    #[test]
    fn each_character_of_a_token_is_random() {
        let mut random = Random::new(Seed::from_u64(1), Script::default());
        for place in 0..20 {
            let mut seen: Vec<u8> = (0..400).map(|_| random.call_id().as_bytes()[place]).collect();
            seen.sort_unstable();
            seen.dedup();
            assert_eq!(seen, b"0123456789abcdefghijklmnopqrstuv", "{place}");
        }
    }
}
