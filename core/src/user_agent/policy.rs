//! What is done again without the application, and what the application is asked.

use crate::time::Duration;

/// What a user agent does again by itself after a response, and what it asks the application. Each is bounded by
/// [`Limits::retries`](super::Limits::retries).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Policy {
    /// How long the application has to answer an [`Event::Wanted`](super::Event::Wanted). `None`: nothing is asked, and a request
    /// that needs an answer ends with its response. `None` by default.
    pub questions: Option<Duration>,
    /// The longest wait that the Retry-After of a 413, 500 or 503 may ask for (RFC 3261 §21.4.11, §21.5.1, §21.5.4). `None`: such a
    /// response ends the request. `None` by default.
    pub longest_wait: Option<Duration>,
    /// Whether a redirection (3xx) of a request outside of dialogs is followed (RFC 3261 §8.1.3.4). Off by default.
    pub redirects: Redirects,
}

impl Policy {
    /// Nothing is asked, waited for or followed.
    pub const NONE: Self = Self { questions: None, longest_wait: None, redirects: Redirects::Off };
}

impl Default for Policy {
    fn default() -> Self {
        Self::NONE
    }
}

/// Whether redirections are followed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Redirects {
    /// The application is told of the 3xx as of any other refusal.
    Off,
    /// The Contacts are tried one after the other, by their q, but none that is a SIP URI where a SIPS URI was.
    Follow,
    /// As `Follow`, from SIPS to SIP too.
    FollowFromSipsToSip,
}
