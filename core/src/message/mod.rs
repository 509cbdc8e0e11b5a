//! Messages: bytes to requests and responses and back (RFC 3261 §7, §19, §20, §25). Knows no protocol state.

mod bytes;
mod limits;

pub use bytes::SharedBytes;
pub use limits::Limits;
