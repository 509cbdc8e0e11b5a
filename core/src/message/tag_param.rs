//! Tags of From and To (RFC 3261 §19.3).

use super::text::{self, Set, TOKEN};
use core::cmp::Ordering;
use core::fmt;
use core::hash::{Hash, Hasher};
use smallvec::SmallVec;

/// A `tag-param` of From, To or Replaces, as written.
///
/// Two are equal just if their octets are, but for the case of ASCII letters (RFC 3261 §7.3.1): `Eq`, `Ord` and `Hash` agree. A
/// tag is carried as it was written, octets that no token has included.
#[derive(Clone, Copy)]
pub struct TagParam<'a>(&'a [u8]);

/// The octets that a tag may have: those of a token, and others that elements put in and that separate nothing in the value of a header.
pub(super) static TAG: Set = TOKEN.and(b"/=@:[]+&$#^|{}()?");

impl<'a> TagParam<'a> {
    /// Reads the value of a `tag`, `to-tag` or `from-tag`. `None` if it is empty, quoted, or has an octet that separates values.
    pub fn parse(text: &'a [u8]) -> Option<Self> {
        (!text.is_empty() && TAG.covers(text)).then_some(Self(text))
    }

    /// Takes a tag of our own, which is a token.
    pub(crate) const fn of(text: &'a str) -> Self {
        Self(text.as_bytes())
    }

    /// Takes a tag that was read before.
    pub(super) const fn checked(text: &'a [u8]) -> Self {
        Self(text)
    }

    /// The tag as written.
    pub fn as_str(self) -> &'a str {
        text::ascii(self.0)
    }

    /// The octets of the tag as written.
    pub(crate) const fn as_bytes(self) -> &'a [u8] {
        self.0
    }

    /// The octets that count: letters in lower case.
    pub(crate) fn folded(self) -> impl Iterator<Item = u8> + Clone + 'a {
        self.0.iter().map(u8::to_ascii_lowercase)
    }

    /// The octets that count, in one piece.
    pub(crate) fn to_folded(self) -> SmallVec<[u8; 64]> {
        let mut folded = SmallVec::from_slice(self.0);
        Self::fold(&mut folded);
        folded
    }

    /// Makes of the octets of tags those that count.
    pub(crate) fn fold(octets: &mut [u8]) {
        let (words, rest) = octets.as_chunks_mut::<8>();
        for word in words {
            *word = lower_case(u64::from_le_bytes(*word)).to_le_bytes();
        }
        rest.make_ascii_lowercase();
    }
}

/// Eight octets with ASCII letters in lower case.
const fn lower_case(word: u64) -> u64 {
    const ONES: u64 = u64::from_le_bytes([1; 8]);
    // Without its highest bit no octet carries into the next one.
    let low = word & (ONES * 0x7f);
    let from_a = low + ONES * (0x80 - b'A' as u64);
    let behind_z = low + ONES * (0x7f - b'Z' as u64);
    let letters = from_a & !behind_z & !word & (ONES * 0x80);
    word | letters >> 2
}

impl PartialEq for TagParam<'_> {
    fn eq(&self, other: &Self) -> bool {
        // Nearly all come back as they were written.
        self.0 == other.0 || self.0.eq_ignore_ascii_case(other.0)
    }
}

impl Eq for TagParam<'_> {}

impl PartialOrd for TagParam<'_> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for TagParam<'_> {
    fn cmp(&self, other: &Self) -> Ordering {
        self.folded().cmp(other.folded())
    }
}

impl Hash for TagParam<'_> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write(&self.to_folded());
        // Ends the tag, as `str` does: no tag has this octet.
        state.write_u8(0xff);
    }
}

impl fmt::Debug for TagParam<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("TagParam").field(&self.as_str()).finish()
    }
}

impl fmt::Display for TagParam<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::{TagParam, lower_case};
    use core::cmp::Ordering;
    use core::hash::{Hash, Hasher};
    use siphasher::sip::SipHasher13;

    #[test]
    fn eight_octets_are_folded_as_one_is() {
        for octet in 0..=u8::MAX {
            for other in [0, b'@', b'A', b'Z', b'[', b'z', 0x7f, 0x80, 0xff] {
                let octets = [octet, other, octet, octet, other, other, octet, other];
                let folded = lower_case(u64::from_le_bytes(octets)).to_le_bytes();
                assert_eq!(folded, octets.map(|octet| octet.to_ascii_lowercase()));
            }
        }
    }

    fn hash(tag: TagParam<'_>) -> u64 {
        let mut hasher = SipHasher13::new();
        tag.hash(&mut hasher);
        hasher.finish()
    }

    #[test]
    fn eq_ord_and_hash_agree_and_case_alone_does_not_count() {
        let tags = ["a6c85cf", "A6C85CF", "a6c85ce", "a", "A", "ab", "[", "{", "`", "@", "a/b+c==", "A/B+C==", "x@y"];
        for (a, b) in tags.iter().flat_map(|a| tags.iter().map(move |b| (*a, *b))) {
            let [one, other] = [a, b].map(|tag| TagParam::parse(tag.as_bytes()).unwrap());
            let same = a.eq_ignore_ascii_case(b);
            assert_eq!(one == other, same, "{a} {b}");
            assert_eq!(one.cmp(&other) == Ordering::Equal, same, "{a} {b}");
            assert_eq!(one.cmp(&other), other.cmp(&one).reverse(), "{a} {b}");
            assert_eq!(hash(one) == hash(other), same, "{a} {b}");
        }
    }

    #[test]
    fn what_separates_values_is_in_no_tag() {
        assert_eq!(TagParam::parse(b"a/b+c==").map(TagParam::as_str), Some("a/b+c=="));
        for bad in ["", "a;b", "a,b", "\"a\"", "a\"", "a b", "a\tb", "<a", "a>", "a\\b", "a\0", "a\x7f", "\u{e9}"] {
            assert!(TagParam::parse(bad.as_bytes()).is_none(), "{bad:?}");
        }
    }
}
