//! The news that a proxy tells its owner.

use alloc::boxed::Box;
use alloc::vec::Vec;

use super::{Redirection, ResponseContextId};
use crate::flow::Flow;
use crate::message::UriBuf;
use crate::targets::Target;

/// Something that happened to a branch, and that the owner of a proxy may have something to do about.
#[derive(Clone, Debug)]
pub enum News {
    /// A 3xx has come, if [`Settings::recursion`](super::Settings::recursion) is on: which of its contacts are tried?
    Redirected(Redirection),
    /// A flow is gone: whoever is bound to the way can no longer be reached by it (RFC 5626 §7).
    Lost(Box<LostWay>),
}

/// A way that a branch took, and that leads nowhere any more: another proxy has said 430 for its flow, or a message could not be sent along ours. A
/// contact of a 3xx is told only if it is a flow of ours: who is bound behind another proxy is not the user who was asked for.
#[derive(Clone, Debug)]
pub struct LostWay {
    /// The context of the branch.
    pub id: ResponseContextId,
    /// The contact.
    pub contact: UriBuf,
    /// The proxies of its Path.
    pub routes: Vec<UriBuf>,
    /// Our flow, if the way leads along one and behind no other proxy.
    pub flow: Option<Flow>,
}

impl LostWay {
    /// The way to a target, if there is a flow on it.
    pub(super) fn of(id: ResponseContextId, target: &Target) -> Option<Self> {
        let flow = target.next_hop.as_ref().and_then(|hop| hop.flow);
        let is_along = flow.is_some() || !target.routes.is_empty();
        is_along.then(|| Self { id, contact: target.uri.clone(), routes: target.routes.clone(), flow })
    }
}
