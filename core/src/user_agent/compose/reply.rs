//! Final responses that the application gives to requests of peers.

use super::body::Body;
use super::extra::Extra;
use crate::extension::Extension;
use crate::message::{HeaderId, HeaderName, StatusCode, UriBuf};

/// A final response that the application gives to a request: its status and what it carries.
///
/// ```
/// # use sansip::message::StatusCode;
/// # use sansip::user_agent::Reply;
/// let busy = Reply::new(StatusCode::BUSY_HERE).retry_after(120).warning("The line is in use");
/// let moved = Reply::new(StatusCode::MOVED_TEMPORARILY).contact(&"sip:bob@phone.biloxi.com".parse().unwrap());
/// # let _ = (busy, moved);
/// ```
#[derive(Clone, Debug)]
pub struct Reply {
    pub(in crate::user_agent) status: StatusCode,
    pub(in crate::user_agent) extra: Extra,
}

impl Reply {
    /// A response of that status.
    pub const fn new(status: StatusCode) -> Self {
        Self { status, extra: Extra::new() }
    }

    /// Adds a header field: see [`Extra::header`].
    #[must_use]
    pub fn header<'n>(mut self, name: impl Into<HeaderName<'n>>, value: impl AsRef<[u8]>) -> Self {
        self.extra = self.extra.header(name, value);
        self
    }

    /// Sets the body.
    #[must_use]
    pub fn body(mut self, body: impl Into<Option<Body>>) -> Self {
        self.extra = self.extra.body(body);
        self
    }

    /// Adds a Contact: where to try instead (3xx, RFC 3261 §21.3), the best first.
    #[must_use]
    pub fn contact(mut self, target: &UriBuf) -> Self {
        self.extra.write(HeaderId::Contact.into(), &[b"<", target.as_bytes(), b">"].concat());
        self
    }

    /// Says after how many seconds to try again (RFC 3261 §20.33).
    #[must_use]
    pub fn retry_after(mut self, seconds: u32) -> Self {
        self.extra.write(HeaderId::RetryAfter.into(), alloc::format!("{seconds}").as_bytes());
        self
    }

    /// Names an extension that the peer's request would need to use: Require of a 421 (RFC 3261 §8.2.4, §21.4.16).
    ///
    /// ```
    /// # use sansip::message::StatusCode;
    /// # use sansip::extension::Extension;
    /// # use sansip::user_agent::Reply;
    /// let reply = Reply::new(StatusCode::EXTENSION_REQUIRED).require(Extension::Reliable);
    /// # let _ = reply;
    /// ```
    #[must_use]
    pub fn require(mut self, extension: Extension) -> Self {
        self.extra.write(HeaderId::Require.into(), extension.tag().as_bytes());
        self
    }

    /// Says more about why, in words for a human being: see [`Extra::warning`].
    #[must_use]
    pub fn warning(mut self, text: &str) -> Self {
        self.extra = self.extra.warning(text);
        self
    }
}

impl From<StatusCode> for Reply {
    fn from(status: StatusCode) -> Self {
        Self::new(status)
    }
}
