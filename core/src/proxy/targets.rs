//! The targets of a request (RFC 3261 §16.5), as the owner of the core names them.

use crate::message::UriBuf;
use crate::transport::NextHop;

/// Where one branch goes.
#[derive(Clone, Debug)]
pub enum Target {
    /// Where the request says itself: its first Route, else its Request-URI.
    Unchanged,
    /// A contact: becomes the Request-URI. Of an owner that is responsible for the Request-URI.
    Contact(UriBuf),
    /// The Request-URI stays; the request goes to this hop, which must be a loose router or the end (§16.6 step 6).
    NextHop(NextHop),
}
