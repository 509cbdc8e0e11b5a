//! The names of dialogs (RFC 3261 §12).

use alloc::boxed::Box;
use core::cmp::Ordering;
use core::fmt;
use core::hash::{Hash, Hasher};

use smallvec::SmallVec;

use super::KeyedIndex;
use crate::message::{Request, Response, TagParam};

/// How long a text may be that a dialog is filed under in one piece. A longer one takes three pieces.
const JOINED: usize = 192;

/// The identity of a dialog at this end: Call-ID, our tag and the peer's.
///
/// A peer of RFC 2543 may have no tag: it is null (§12.1.1, §12.1.2).
#[derive(Clone)]
pub struct DialogName {
    /// Call-ID, our tag and the peer's, one behind the other: one allocation for what lives as long as the call.
    text: Box<str>,
    /// Where the Call-ID ends.
    call_id: usize,
    /// Where our tag ends.
    local_tag: usize,
    has_remote_tag: bool,
}

impl DialogName {
    /// This name, borrowed.
    pub fn as_key(&self) -> DialogKey<'_> {
        let part = |from, to| self.text.get(from..to).unwrap_or_default();
        DialogKey {
            call_id: part(0, self.call_id),
            local_tag: TagParam::of(part(self.call_id, self.local_tag)),
            remote_tag: self.has_remote_tag.then(|| TagParam::of(part(self.local_tag, self.text.len()))),
        }
    }
}

impl PartialEq for DialogName {
    fn eq(&self, other: &Self) -> bool {
        self.as_key() == other.as_key()
    }
}

impl Eq for DialogName {}

impl PartialOrd for DialogName {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for DialogName {
    fn cmp(&self, other: &Self) -> Ordering {
        self.as_key().cmp(&other.as_key())
    }
}

impl Hash for DialogName {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.as_key().hash(state);
    }
}

impl fmt::Debug for DialogName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.as_key().fmt(f)
    }
}

/// A [`DialogName`] as it stands in a message. The Call-ID is compared with case, the tags without (RFC 3261 §20.8, §7.3.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DialogKey<'a> {
    /// The Call-ID.
    pub call_id: &'a str,
    /// Our tag.
    pub local_tag: TagParam<'a>,
    /// The peer's tag.
    pub remote_tag: Option<TagParam<'a>>,
}

impl<'a> DialogKey<'a> {
    /// The dialog that a request received belongs to: our tag is in To. `None` if To has no tag: the request is outside
    /// of any dialog. The request must be one that can be [processed](Request::validate).
    pub fn of_request(request: &'a Request) -> Option<Self> {
        let headers = request.headers();
        Some(Self {
            call_id: headers.call_id()?,
            local_tag: headers.text_of_to()?.tag()?,
            remote_tag: headers.text_of_from()?.tag(),
        })
    }

    /// The dialog that a response to our INVITE belongs to, or would make: our tag is in From. `None` if they lack what
    /// names a dialog. Both must be such as can be [processed](Response::validate).
    pub(crate) fn of_response(invite: &'a Request, response: &'a Response) -> Option<Self> {
        Some(Self {
            call_id: invite.headers().call_id()?,
            local_tag: invite.headers().text_of_from()?.tag()?,
            remote_tag: response.headers().text_of_to()?.tag(),
        })
    }

    /// An owned copy.
    pub fn to_name(self) -> DialogName {
        let Self { call_id, local_tag, remote_tag } = self;
        let own_tag = local_tag.as_str();
        DialogName {
            text: [call_id, own_tag, remote_tag.map_or("", TagParam::as_str)].concat().into(),
            call_id: call_id.len(),
            local_tag: call_id.len() + own_tag.len(),
            has_remote_tag: remote_tag.is_some(),
        }
    }

    /// The hash under which `index` has it: that of two equal keys is the same.
    pub(crate) fn hash_in<T: Copy + PartialEq>(self, index: &KeyedIndex<T>) -> u64 {
        let mut room = [0; JOINED];
        match self.join(&mut room) {
            Some(text) => index.hash(&[text]),
            None => {
                let remote = self.remote_tag.map_or_else(SmallVec::new, TagParam::to_folded);
                index.hash(&[self.call_id.as_bytes(), &self.local_tag.to_folded(), &remote])
            }
        }
    }

    /// Puts what counts into one text, which is hashed sooner than three: the tags, the Call-ID and, at the end, how long the tags are, so
    /// that each part ends somewhere. `None` if that is too long.
    fn join(self, room: &mut [u8; JOINED]) -> Option<&[u8]> {
        let Self { call_id, local_tag, remote_tag } = self;
        let [local, remote] = [local_tag.as_bytes(), remote_tag.map_or(&[], TagParam::as_bytes)];
        let tags = local.len() + remote.len();
        let end = tags + call_id.len();
        room.get_mut(..local.len())?.copy_from_slice(local);
        room.get_mut(local.len()..tags)?.copy_from_slice(remote);
        // Whole words; what stands there yet are zeros.
        TagParam::fold(room.get_mut(..tags.next_multiple_of(8))?);
        room.get_mut(tags..end)?.copy_from_slice(call_id.as_bytes());
        let lengths = (local.len() as u64) << 32 | remote.len() as u64;
        *room.get_mut(end..)?.first_chunk_mut()? = lengths.to_le_bytes();
        room.get(..end + size_of::<u64>())
    }
}

#[cfg(test)]
mod tests {
    extern crate std;

    use super::{DialogKey, DialogName, KeyedIndex, TagParam};
    use core::cmp::Ordering;
    use core::hash::{BuildHasher, BuildHasherDefault};

    fn hashed(name: &DialogName) -> u64 {
        BuildHasherDefault::<std::hash::DefaultHasher>::default().hash_one(name)
    }

    #[test]
    fn equal_keys_have_one_hash_and_case_counts_in_the_call_id_alone() {
        fn key<'k>(call_id: &'k str, local_tag: &'k str, remote_tag: Option<&'k str>) -> DialogKey<'k> {
            DialogKey { call_id, local_tag: TagParam::of(local_tag), remote_tag: remote_tag.map(TagParam::of) }
        }
        let index = KeyedIndex::<u32>::new([7; 16]);
        let one = key("x", "aB/c", Some("D"));
        for (other, same) in [
            (key("x", "Ab/C", Some("d")), true),
            (key("X", "aB/c", Some("D")), false),
            (key("x", "aB/c", Some("e")), false),
            (key("x", "aB/c", None), false),
            (key("x", "aB/cD", None), false),
            (key("x", "aB/", Some("cD")), false),
            (key("Dx", "aB/c", None), false),
        ] {
            assert_eq!(one == other, same, "{other:?}");
            assert_eq!(one.to_name() == other.to_name(), same, "{other:?}");
            assert_eq!(one.hash_in(&index) == other.hash_in(&index), same, "{other:?}");
            assert_eq!(one.to_name().cmp(&other.to_name()) == Ordering::Equal, same, "{other:?}");
            assert_eq!(hashed(&one.to_name()) == hashed(&other.to_name()), same, "{other:?}");
        }
        assert_eq!(one.to_name().as_key().local_tag.as_str(), "aB/c", "carried as written");
        // With any length up to those that have no room in one piece.
        let (long, other) = ("x".repeat(200), "y".repeat(200));
        for length in 0..=200 {
            let one = key(&long[..length], "aB/cDeFgH", Some("D"));
            assert_eq!(one.hash_in(&index), key(&long[..length], "Ab/CdEfGh", Some("d")).hash_in(&index), "{length}");
            assert_ne!(one.hash_in(&index), key(&long[..length], "aB/cDeFgH", None).hash_in(&index), "{length}");
            assert!(
                length == 0 || one.hash_in(&index) != key(&other[..length], "aB/cDeFgH", Some("D")).hash_in(&index)
            );
        }
    }
}
