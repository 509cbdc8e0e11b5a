//! The owner tag: which server of a farm has made a branch, a tag, a Call-ID or a Record-Route.

use arrayvec::ArrayString;
use core::fmt;
use core::str::FromStr;

use crate::error::CommandError;

/// The most characters of an owner tag.
const LONGEST: usize = 8;

/// A short name of a node, which every branch, tag, Call-ID and Record-Route that the node makes begins with, and a `.` behind
/// it. A stateless proxy in front of a farm reads it and knows which server a message belongs to. Empty for a node that stands
/// alone.
///
/// ```
/// use sansip::OwnerTag;
/// let owner: OwnerTag = "s1".parse()?;
/// assert_eq!(OwnerTag::named_by("s1.8f2k"), Some("s1"));
/// assert!(OwnerTag::NONE.is_empty());
/// assert_eq!(owner.as_str(), "s1");
/// # Ok::<_, sansip::CommandError>(())
/// ```
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub struct OwnerTag(ArrayString<LONGEST>);

impl OwnerTag {
    /// The tag of a node that stands alone.
    pub const NONE: Self = Self(ArrayString::new_const());

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether the node stands alone.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The owner that `text`, a tag or a Call-ID, names: all before its first `.`, if that could be an owner tag. Text that no
    /// farm has made can look the same: compare what is found with the owner tags of the farm.
    pub fn named_by(text: &str) -> Option<&str> {
        text.split_once('.').map(|(owner, _)| owner).filter(|owner| is_owner_tag(owner))
    }

    /// What stands before each text that the node makes.
    pub(crate) fn parts(&self) -> [&str; 2] {
        [self.as_str(), if self.is_empty() { "" } else { "." }]
    }
}

fn is_owner_tag(text: &str) -> bool {
    (1..=LONGEST).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_alphanumeric())
}

impl FromStr for OwnerTag {
    type Err = CommandError;

    /// Reads one to eight letters and digits.
    fn from_str(text: &str) -> Result<Self, CommandError> {
        if !is_owner_tag(text) {
            return Err(CommandError::Invalid("owner tag"));
        }
        ArrayString::from(text).map(Self).map_err(|_| CommandError::Invalid("owner tag"))
    }
}

impl fmt::Display for OwnerTag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for OwnerTag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.as_str(), f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_owner_tag_is_one_to_eight_letters_and_digits() {
        for good in ["s", "S1", "12345678"] {
            assert_eq!(good.parse::<OwnerTag>().unwrap().as_str(), good);
        }
        for bad in ["", "123456789", "a.b", "a-b", "\u{e9}"] {
            assert!(bad.parse::<OwnerTag>().is_err(), "{bad}");
        }
    }
}
