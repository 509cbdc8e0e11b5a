//! Which status a peer is owed.

use super::status::StatusCode;

/// The answer to a request that cannot be processed; of a response, why it is dropped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rejection {
    /// The status code to answer a request with.
    pub status: StatusCode,
    /// The reason phrase, such as `Missing Call-ID header`.
    pub reason: &'static str,
}
