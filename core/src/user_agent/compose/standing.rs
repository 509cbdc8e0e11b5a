//! Header fields and bodies that stand in every message of a sort, whoever sends that: a command, or the core by itself.

use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::vec::Vec;

use super::body::Body;
use super::extra::Extra;
use crate::error::CommandError;
use crate::message::{Lines, Method, StatusCode};
use crate::user_agent::CallId;

/// The messages of ours that [standing](crate::user_agent::UserAgent::standing) header fields are for.
///
/// ```
/// # use sansip::message::{Method, StatusCode};
/// # use sansip::user_agent::Messages;
/// let acks = Messages::Requests(Method::Ack);
/// let all = Messages::responses();
/// let terminated = Messages::responses_of(StatusCode::REQUEST_TERMINATED);
/// let farewells = Messages::Responses { to: Some(Method::Bye), status: Some(StatusCode::OK) };
/// # let _ = (acks, all, terminated, farewells);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Messages {
    /// Requests of this method.
    Requests(Method<'static>),
    /// Responses.
    Responses {
        /// To requests of this method alone, if one is said.
        to: Option<Method<'static>>,
        /// Takes responses of this status alone, if one is said.
        status: Option<StatusCode>,
    },
}

impl Messages {
    /// Every response.
    pub const fn responses() -> Self {
        Self::Responses { to: None, status: None }
    }

    /// The responses to requests of this method.
    pub const fn responses_to(method: Method<'static>) -> Self {
        Self::Responses { to: Some(method), status: None }
    }

    /// The responses of this status.
    pub const fn responses_of(status: StatusCode) -> Self {
        Self::Responses { to: None, status: Some(status) }
    }

    /// Whether these messages can carry this.
    ///
    /// # Errors
    /// `HeaderOwned`: a field that the core writes itself, Warning in a request (RFC 3261 §20.43), or Proxy-Require in a CANCEL (§9.1) or an
    /// ACK (§8.2.2.3); `Invalid`: a name or value that cannot be written, a session description, or a body in a CANCEL or an ACK.
    pub(in crate::user_agent) fn check(&self, extra: &Extra) -> Result<(), CommandError> {
        extra.check()?;
        if extra.describes() {
            // It would be an offer or an answer.
            return Err(CommandError::Invalid("body"));
        }
        match self {
            Self::Requests(method) => {
                if matches!(method, Method::Cancel | Method::Ack) {
                    extra.check_cancel()
                } else {
                    extra.check_request()
                }
            }
            Self::Responses { .. } => Ok(()),
        }
    }

    /// Whether a message of that sort is one of these.
    fn include(&self, sort: Sort<'_>) -> bool {
        match (self, sort) {
            (Self::Requests(method), Sort::Request(sent)) => *method == sent,
            (Self::Responses { to, status }, Sort::Response(asked, said)) => {
                to.is_none_or(|to| to == asked) && status.is_none_or(|status| status == said)
            }
            _ => false,
        }
    }
}

/// The sort of one message of ours.
#[derive(Clone, Copy, Debug)]
pub(in crate::user_agent) enum Sort<'a> {
    /// A request of this method.
    Request(Method<'a>),
    /// A response to a request of this method, and its status.
    Response(Method<'a>, StatusCode),
}

/// All that stands in messages: of the whole user agent, and of single calls. Each list has what was set last behind.
#[derive(Clone, Debug, Default)]
pub(in crate::user_agent) struct Standing {
    everywhere: Vec<(Messages, Extra)>,
    calls: BTreeMap<CallId, Vec<(Messages, Extra)>>,
}

impl Standing {
    /// Sets what stands in these messages, in the place of what stood there; nothing, if `extra` has nothing.
    pub(in crate::user_agent) fn set(&mut self, call: Option<CallId>, messages: Messages, extra: Extra) {
        let list = match call {
            Some(call) => self.calls.entry(call).or_default(),
            None => &mut self.everywhere,
        };
        list.retain(|(before, _)| *before != messages);
        if !extra.is_empty() {
            list.push((messages, extra));
        }
    }

    /// Forgets what stands in the messages of a call, which is over.
    pub(in crate::user_agent) fn forget(&mut self, call: CallId) {
        self.calls.remove(&call);
    }

    /// The fields that stand in a message, if any do.
    pub(in crate::user_agent) fn fields(&self, call: Option<CallId>, sort: Sort<'_>) -> Option<Box<Lines>> {
        let mut lines = Box::new(Lines::new());
        self.complete(call, sort, &mut lines);
        (!lines.is_empty()).then_some(lines)
    }

    /// Completes the fields of a message by those that stand in it, but for those whose name the message has already: the call's first, and of
    /// two those that were set last. The body that stands in it, if any.
    pub(in crate::user_agent) fn complete(
        &self,
        call: Option<CallId>,
        sort: Sort<'_>,
        lines: &mut Lines,
    ) -> Option<&Body> {
        let of_call = call.and_then(|call| self.calls.get(&call)).into_iter().flatten();
        let mut body = None;
        for (messages, extra) in self.everywhere.iter().chain(of_call).rev() {
            if messages.include(sort) {
                extra.complete(lines);
                body = body.or(extra.given_body());
            }
        }
        body
    }
}

/// Sets what stands in messages where nothing may stand yet.
pub(in crate::user_agent) fn stand(
    standing: &mut Option<Box<Standing>>,
    call: Option<CallId>,
    messages: Messages,
    extra: Extra,
) {
    if !extra.is_empty() || standing.is_some() {
        standing.get_or_insert_default().set(call, messages, extra);
    }
}
