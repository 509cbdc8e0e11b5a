//! What names a dialog (RFC 3261 §12).

use alloc::boxed::Box;
use core::cmp::Ordering;
use core::fmt;
use core::hash::{Hash, Hasher};

use smallvec::SmallVec;

use super::KeyedIndex;
use crate::message::{Request, Response, TagParam};

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
    /// The same, borrowed.
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
        DialogName {
            text: [call_id, local_tag.as_str(), remote_tag.map_or("", TagParam::as_str)].concat().into(),
            call_id: call_id.len(),
            local_tag: call_id.len() + local_tag.as_str().len(),
            has_remote_tag: remote_tag.is_some(),
        }
    }

    /// The hash under which `index` has it: that of two equal keys is the same.
    pub(crate) fn hash_in<T: Copy + PartialEq>(self, index: &KeyedIndex<T>) -> u64 {
        let [local, remote] =
            [Some(self.local_tag), self.remote_tag].map(|tag| tag.map_or_else(SmallVec::new, TagParam::to_folded));
        index.hash(&[self.call_id.as_bytes(), &local, &remote])
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
        let index = KeyedIndex::<u32>::new([7; 16]);
        let key = |call_id, local_tag, remote_tag: Option<&'static str>| DialogKey {
            call_id,
            local_tag: TagParam::of(local_tag),
            remote_tag: remote_tag.map(TagParam::of),
        };
        let one = key("x", "aB/c", Some("D"));
        for (other, same) in [
            (key("x", "Ab/C", Some("d")), true),
            (key("X", "aB/c", Some("D")), false),
            (key("x", "aB/c", Some("e")), false),
            (key("x", "aB/c", None), false),
            (key("x", "aB/cD", None), false),
        ] {
            assert_eq!(one == other, same, "{other:?}");
            assert_eq!(one.to_name() == other.to_name(), same, "{other:?}");
            assert_eq!(one.hash_in(&index) == other.hash_in(&index), same, "{other:?}");
            assert_eq!(one.to_name().cmp(&other.to_name()) == Ordering::Equal, same, "{other:?}");
            assert_eq!(hashed(&one.to_name()) == hashed(&other.to_name()), same, "{other:?}");
        }
        assert_eq!(one.to_name().as_key().local_tag.as_str(), "aB/c", "carried as written");
    }
}
