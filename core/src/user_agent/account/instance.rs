//! The instance of a user agent (RFC 5626 §4.1).

use alloc::boxed::Box;
use core::fmt;
use core::str::FromStr;

use crate::error::CommandError;

/// The name of a device, or of what else is one user agent instance: a UUID as a URN, which stays the same for as long as the device lives,
/// whatever it is restarted for and wherever it moves (RFC 5626 §4.1). Whoever installs the application draws it once and stores it.
///
/// ```
/// # use sansip::CommandError;
/// # use sansip::user_agent::Instance;
/// let instance: Instance = "urn:uuid:00000000-0000-1000-8000-AABBCCDDEEFF".parse()?;
/// assert_eq!(instance.as_str(), "urn:uuid:00000000-0000-1000-8000-AABBCCDDEEFF");
/// assert_eq!("AABBCCDDEEFF".parse::<Instance>(), Err(CommandError::Invalid("instance")));
/// # Ok::<(), CommandError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Instance(Box<str>);

/// How many hexadecimal digits each part of a UUID has (RFC 4122 §3).
const PARTS: [usize; 5] = [8, 4, 4, 4, 12];

impl Instance {
    /// The URN.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Instance {
    type Err = CommandError;

    fn from_str(urn: &str) -> Result<Self, CommandError> {
        let uuid = urn.get(..9).filter(|scheme| scheme.eq_ignore_ascii_case("urn:uuid:")).and_then(|_| urn.get(9..));
        let mut lengths = PARTS.into_iter();
        let is_part =
            |part: &str| lengths.next() == Some(part.len()) && part.bytes().all(|octet| octet.is_ascii_hexdigit());
        let is_uuid = uuid.is_some_and(|uuid| uuid.split('-').all(is_part)) && lengths.next().is_none();
        if is_uuid { Ok(Self(urn.into())) } else { Err(CommandError::Invalid("instance")) }
    }
}

impl fmt::Display for Instance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_instance_is_a_uuid_as_a_urn_and_nothing_else() {
        for urn in ["urn:uuid:f81d4fae-7dec-11d0-a765-00a0c91e6bf6", "URN:UUID:F81D4FAE-7DEC-11D0-A765-00A0C91E6BF6"] {
            assert_eq!(urn.parse::<Instance>().unwrap().as_str(), urn);
        }
        for urn in [
            "",
            "urn:uuid:",
            "f81d4fae-7dec-11d0-a765-00a0c91e6bf6",
            "urn:imei:f81d4fae-7dec-11d0-a765-00a0c91e6bf6",
            "urn:uuid:f81d4fae-7dec-11d0-a765",
            "urn:uuid:f81d4fae-7dec-11d0-a765-00a0c91e6bf6-",
            "urn:uuid:f81d4fae-7dec-11d0-a765-00a0c91e6bfg",
            "urn:uuid:f81d4fae7-dec-11d0-a765-00a0c91e6bf6",
            "<urn:uuid:f81d4fae-7dec-11d0-a765-00a0c91e6bf6>",
            "urn:uuid\u{e9}f81d4fae-7dec-11d0-a765-00a0c91e6bf6",
        ] {
            assert_eq!(urn.parse::<Instance>(), Err(CommandError::Invalid("instance")), "{urn}");
        }
    }
}
