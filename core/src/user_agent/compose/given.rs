//! Fields and bodies that the application gives beforehand.

use super::body::Body;
use super::extra::Extra;

/// All that the application gives beforehand for messages that may follow an INVITE.
#[derive(Clone, Debug, Default)]
pub(in crate::user_agent) struct Given {
    /// The answer to an offer that nobody wants.
    pub(in crate::user_agent) refusal: Option<Body>,
    /// The fields of the ACKs of 2xx.
    pub(in crate::user_agent) ack: Extra,
    /// The fields and the body of each PRACK.
    pub(in crate::user_agent) prack: Extra,
    /// The fields and the body of each BYE, unless a command gives others.
    pub(in crate::user_agent) farewell: Extra,
}
