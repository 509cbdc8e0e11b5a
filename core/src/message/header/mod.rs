//! Typed headers: each borrows from the message it was read from.

mod address;
mod call_id;
mod contact;
mod content_type;
mod cseq;
mod numbers;
mod tokens;
mod via;

pub use address::{From, NameAddr, NameAddrBuf, RecordRoute, Route, To};
pub use call_id::CallId;
pub use contact::Contact;
pub use content_type::ContentType;
pub use cseq::CSeq;
pub use numbers::{ContentLength, Expires, MaxBreadth, MaxForwards, MinExpires, RetryAfter};
pub use tokens::{Allow, ProxyRequire, Require, Supported, Unsupported};
pub use via::{Protocol, Via};

use super::error::ParseError;
use super::name::HeaderId;
use alloc::vec::Vec;
use core::fmt;

/// A header whose values can be read and written.
pub trait Header<'a>: Sized {
    /// Which header.
    const ID: HeaderId;
    /// Whether several values may stand in one field, split by commas (RFC 3261 §7.3.1).
    const LIST: bool;
    /// Reads one value, without the commas around it.
    ///
    /// # Errors
    /// The value is malformed.
    fn parse(value: &'a [u8]) -> Result<Self, ParseError>;
    /// Writes one value, without name and line end.
    fn write(&self, out: &mut Vec<u8>);
}

/// Appends formatted text.
pub(super) fn write_text(out: &mut Vec<u8>, text: fmt::Arguments<'_>) {
    struct Text<'v>(&'v mut Vec<u8>);
    impl fmt::Write for Text<'_> {
        fn write_str(&mut self, text: &str) -> fmt::Result {
            self.0.extend_from_slice(text.as_bytes());
            Ok(())
        }
    }
    // A vector takes all that it is given.
    let _ = fmt::write(&mut Text(out), text);
}
