//! What the application gives beforehand.

use super::body::Body;
use super::compose::Extra;

/// All that the application gives beforehand for messages that may follow an INVITE.
#[derive(Clone, Debug, Default)]
pub(super) struct Given {
    /// The answer to an offer that nobody wants.
    pub(super) refusal: Option<Body>,
    /// The fields of the ACKs of 2xx.
    pub(super) ack: Extra,
    /// The fields and the body of each PRACK.
    pub(super) prack: Extra,
}
