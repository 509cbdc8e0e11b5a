//! Header names: known ones as one octet, others as text (RFC 3261 §7.3.1, §7.3.3, §20).

pub(super) use super::header_id::HeaderId;
use super::text;
use core::fmt;

impl HeaderId {
    /// The header of this name, long or compact, without regard to case.
    pub fn from_name(name: &[u8]) -> Option<Self> {
        if let Some(key) = Key::of(name) {
            return key.known();
        }
        let first = lower(u64::from_le_bytes(*name.first_chunk()?));
        let mut alike = LONG.iter().filter(|(known, _)| *known == first).map(|(_, id)| *id);
        alike.find(|id| id.as_str().as_bytes().eq_ignore_ascii_case(name))
    }

    /// The known header whose name and a colon the text begins with, the length of the name, and what stands behind the
    /// colon. `None` too if the text is too short to be looked at in two words.
    #[inline(always)]
    pub(super) fn at_start_of(text: &[u8]) -> Option<(Self, usize, &[u8])> {
        let (first, rest) = text.split_first_chunk::<8>()?;
        let (second, rest) = rest.split_first_chunk::<8>()?;
        let (first, second) = (u64::from_le_bytes(*first), u64::from_le_bytes(*second));
        let (id, length) = if let Some((name, length)) = text::first_of(first, b':') {
            (Key(first & name, 0).known()?, length)
        } else if let Some((name, length)) = text::first_of(second, b':') {
            (Key(first, second & name).known()?, 8 + length)
        } else {
            let (_, length) = text::first_of(u64::from_le_bytes(*rest.first_chunk()?), b':')?;
            (Self::from_name(text.get(..16 + length)?)?, 16 + length)
        };
        Some((id, length, text.get(length + 1..)?))
    }
}

/// The known names by their keys: each in the slot that its key says, or in the next free one. Most are found at once.
static KNOWN: [Option<(Key, HeaderId)>; SLOTS] = known();

/// About three times as many as there are names, and a power of two.
const SLOTS: usize = 256;

#[expect(clippy::indexing_slicing, reason = "evaluated by the compiler, which would find it")]
const fn known() -> [Option<(Key, HeaderId)>; SLOTS] {
    let mut slots = [None; SLOTS];
    let mut rest = HeaderId::ALL;
    while let [id, others @ ..] = rest {
        rest = others;
        let long = Key::of(id.as_str().as_bytes());
        let compact = match id.compact() {
            Some(letter) => Key::of(&[letter]),
            None => None,
        };
        let mut keys: &[Option<Key>] = &[long, compact];
        while let [key, others @ ..] = keys {
            keys = others;
            let Some(key) = key else { continue };
            let mut slot = key.slot();
            while slots[slot].is_some() {
                slot = (slot + 1) % SLOTS;
            }
            slots[slot] = Some((*key, *id));
        }
    }
    slots
}

/// Those whose names are too long for a key, with their first eight octets.
static LONG: [(u64, HeaderId); LONG_NAMES] = long();

const LONG_NAMES: usize = 11;

#[expect(clippy::indexing_slicing, reason = "evaluated by the compiler, which would find it")]
const fn long() -> [(u64, HeaderId); LONG_NAMES] {
    let mut long = [(0, HeaderId::Via); LONG_NAMES];
    let (mut rest, mut count) = (HeaderId::ALL, 0);
    while let [id, others @ ..] = rest {
        rest = others;
        if let (None, Some(first)) = (Key::of(id.as_str().as_bytes()), id.as_str().as_bytes().first_chunk()) {
            long[count] = (lower(u64::from_le_bytes(*first)), *id);
            count += 1;
        }
    }
    assert!(count == LONG_NAMES);
    long
}

/// A name of at most 15 octets with its colon, as two numbers in lower case, zeros behind it. So two comparisons of numbers
/// compare names without case, and no copy is made in lower case.
#[derive(Clone, Copy)]
struct Key(u64, u64);

const COLON: u64 = b':' as u64;

impl Key {
    const fn of(name: &[u8]) -> Option<Self> {
        if name.is_empty() || name.len() > 15 {
            return None;
        }
        let mut words = if name.len() < 8 { (COLON, 0) } else { (0, COLON) };
        let mut rest = name;
        // From the end, so that the first octet comes to stand lowest.
        while let [others @ .., last] = rest {
            let word = if others.len() < 8 { &mut words.0 } else { &mut words.1 };
            *word = *word << 8 | *last as u64;
            rest = others;
        }
        Some(Self(lower(words.0), lower(words.1)))
    }

    /// Which header has it; its letters may be in any case.
    #[inline(always)]
    fn known(self) -> Option<HeaderId> {
        let key = Self(lower(self.0), lower(self.1));
        let mut slot = key.slot();
        loop {
            let (known, id) = (*KNOWN.get(slot)?)?;
            if known.0 == key.0 && known.1 == key.1 {
                return Some(id);
            }
            slot = (slot + 1) % SLOTS;
        }
    }

    /// Where to look for it.
    const fn slot(self) -> usize {
        // An odd number of no further meaning that spreads the keys.
        const SPREAD: u64 = 0x9e37_79b9_7f4a_7c15;
        (self.0.wrapping_add(self.1.rotate_left(5)).wrapping_mul(SPREAD) >> 56) as usize % SLOTS
    }
}

/// Octets of which all that have the bit 0x40 get the bit 0x20. Known names have only letters of that kind, which become small,
/// and nothing else becomes a small letter.
const fn lower(octets: u64) -> u64 {
    octets | (octets & u64::from_le_bytes([0x40; 8])) >> 1
}

/// A header name: one that is known, or text that is compared without case.
#[derive(Clone, Copy, Debug)]
pub enum HeaderName<'a> {
    /// A known header.
    Known(HeaderId),
    /// Any other, as written.
    Other(&'a str),
}

impl<'a> HeaderName<'a> {
    /// The name: of a known header the registered one.
    pub const fn as_str(self) -> &'a str {
        match self {
            Self::Known(id) => id.as_str(),
            Self::Other(name) => name,
        }
    }
}

impl PartialEq for HeaderName<'_> {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Known(a), Self::Known(b)) => a == b,
            (Self::Other(a), Self::Other(b)) => a.eq_ignore_ascii_case(b),
            _ => false,
        }
    }
}

impl Eq for HeaderName<'_> {}

impl From<HeaderId> for HeaderName<'_> {
    fn from(id: HeaderId) -> Self {
        Self::Known(id)
    }
}

impl<'a> From<&'a str> for HeaderName<'a> {
    fn from(name: &'a str) -> Self {
        HeaderId::from_name(name.as_bytes()).map_or(Self::Other(name), Self::Known)
    }
}

impl fmt::Display for HeaderName<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::{HeaderId, HeaderName};

    #[test]
    fn a_name_whose_ends_are_those_of_a_known_one_is_another() {
        for name in
            ["Content-t-Length", "Max-Foo-Forwards", "Viia", "Froom", "Via\0", "V\0", "Via ", "To:", "Contact\0"]
        {
            assert_eq!(HeaderId::from_name(name.as_bytes()), None, "{name}");
            let line = alloc::format!("{name}: and sixteen more");
            assert!(name == "To:" || HeaderId::at_start_of(line.as_bytes()).is_none(), "{name}");
        }
    }

    #[test]
    fn a_name_is_known_in_every_case_and_by_its_compact_form() {
        for (name, id) in [
            ("Call-ID", HeaderId::CallId),
            ("call-id", HeaderId::CallId),
            ("I", HeaderId::CallId),
            ("v", HeaderId::Via),
            ("VIA", HeaderId::Via),
            ("www-AUTHENTICATE", HeaderId::WwwAuthenticate),
            ("p-preferred-identity", HeaderId::PPreferredIdentity),
            ("k", HeaderId::Supported),
            ("x", HeaderId::SessionExpires),
        ] {
            assert_eq!(HeaderId::from_name(name.as_bytes()), Some(id), "{name}");
        }
    }

    #[test]
    fn every_known_name_is_found_again() {
        for &id in HeaderId::ALL {
            assert_eq!(HeaderId::from_name(id.as_str().as_bytes()), Some(id));
            assert_eq!(HeaderId::from_name(id.as_str().to_ascii_uppercase().as_bytes()), Some(id));
            let line = alloc::format!("{id}: and sixteen more");
            let found = HeaderId::at_start_of(line.as_bytes());
            assert_eq!(found, Some((id, id.as_str().len(), &b" and sixteen more"[..])));
            if let Some(letter) = id.compact() {
                assert_eq!(HeaderId::from_name(&[letter]), Some(id));
            }
        }
    }

    #[test]
    fn other_names_are_compared_without_case() {
        for unknown in [&b"X-Via"[..], b"Call\rID", b"Call_ID", b"Proxy-Authen\xc2\xa4cate", b"P-Asserted_Identity"] {
            assert_eq!(HeaderId::from_name(unknown), None);
        }
        assert_eq!(HeaderId::from_name(b""), None);
        assert_eq!(HeaderId::from_name(b"An-Extremely-Long-Header-Name"), None);
        assert_eq!(HeaderName::from("x-thing"), HeaderName::Other("X-Thing"));
        assert_ne!(HeaderName::from("x-thing"), HeaderName::from("via"));
    }
}
