//! Bounds on what peers can make a registrar hold.

use crate::error::Limit;

/// Bounds on what peers can make a registrar hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(default, deny_unknown_fields))]
pub struct Limits {
    /// Addresses-of-record that the location service holds. 1,000,000.
    pub addresses_of_record: usize,
    /// Bindings of one address-of-record. 16.
    pub bindings: usize,
    /// REGISTERs that wait for the [owner's store](super::Store::Owner). 100,000.
    pub waiting_registers: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { addresses_of_record: 1_000_000, bindings: 16, waiting_registers: 100_000 }
    }
}

impl Limit {
    /// [`Limits::addresses_of_record`]: 503 with Retry-After.
    pub const ADDRESSES_OF_RECORD: Self = Self::named("addresses_of_record");
    /// [`Limits::bindings`]: 403.
    pub const BINDINGS: Self = Self::named("bindings");
    /// [`Limits::waiting_registers`]: 503 with Retry-After.
    pub const WAITING_REGISTERS: Self = Self::named("waiting_registers");
}
