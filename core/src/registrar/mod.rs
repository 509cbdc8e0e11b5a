//! The registrar (RFC 3261 §10.3): a UAS for REGISTER, and the location service that it fills.

mod location;

pub use location::{Binding, Location, address_of_record};

/// What a registrar is willing to bind for how long. Seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Settings {
    /// A requested time below this (and below an hour, RFC 3261 §10.3 step 7) is answered with 423. 60.
    pub min_expires: u32,
    /// The time for a contact that asks for none. 3,600.
    pub default_expires: u32,
    /// A longer requested time is shortened to this. 86,400.
    pub max_expires: u32,
}

impl Default for Settings {
    fn default() -> Self {
        Self { min_expires: 60, default_expires: 3_600, max_expires: 86_400 }
    }
}
