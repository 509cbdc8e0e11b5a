//! Accounting: when calls begin, are answered and end.

use alloc::boxed::Box;
use alloc::collections::BTreeMap;

use super::{Core, Cx, Event};
use crate::message::{Method, Request, Response, StatusCode, TagParam, UriBuf};
use crate::proxy::ResponseContextId;

/// The number of a call of a server: each call has another.
pub type CallNumber = u64;

/// An event of a call, for accounting: see [`Settings::accounting`](super::Settings::accounting).
#[derive(Clone, Debug)]
pub enum CallEvent {
    /// An INVITE that begins a call is to be forwarded.
    Begun {
        /// The call.
        call: CallNumber,
        /// The caller, as From has it.
        caller: UriBuf,
        /// The callee: the Request-URI.
        callee: UriBuf,
        /// The Call-ID.
        call_id: Box<str>,
        /// Whether the caller has proved who they are, or comes from a trusted peer.
        is_known: bool,
    },
    /// The first 2xx was forwarded.
    Answered {
        /// The call.
        call: CallNumber,
    },
    /// The call is over. Of a call that was answered this is told only if the server stays on its path
    /// ([`proxy::Settings::record_route`](crate::proxy::Settings::record_route)).
    Ended {
        /// The call.
        call: CallNumber,
        /// Why.
        why: CallEnd,
    },
}

/// Why a call is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CallEnd {
    /// The caller was told this status.
    Refused(StatusCode),
    /// One side has hung up.
    HungUp,
    /// No end was seen, and newer calls needed the room ([`Settings::accounted_calls`](super::Settings::accounted_calls)).
    Forgotten,
}

/// The dialog of an answered call: Call-ID and the tags of both sides.
type Dialog = (Box<str>, Box<[u8]>, Box<[u8]>);

/// The calls that accounting knows of.
#[derive(Clone, Debug, Default)]
pub(super) struct Calls {
    next: CallNumber,
    /// Those that are being set up.
    early: BTreeMap<ResponseContextId, CallNumber>,
    /// Those that were answered.
    answered: BTreeMap<Dialog, CallNumber>,
    /// The same, the oldest first.
    order: BTreeMap<CallNumber, Dialog>,
}

impl Core {
    /// An INVITE is to be forwarded: a call begins, if no dialog is there yet.
    pub(super) fn call_begins(&mut self, cx: &mut Cx<'_>, id: ResponseContextId, request: &Request, is_known: bool) {
        if !self.settings.accounting || request.method() != Method::Invite || request.to_tag().is_some() {
            return;
        }
        let (Some(from), Ok(uri)) = (request.headers().from(), request.uri()) else { return };
        self.calls.next += 1;
        let call = self.calls.next;
        self.calls.early.insert(id, call);
        let (caller, callee) = (from.uri.to_buf(), uri.to_buf());
        let call_id = request.call_id().unwrap_or_default().into();
        cx.emit(Event::Call(CallEvent::Begun { call, caller, callee, call_id, is_known }));
    }

    /// Something has happened to a request: a call may be answered, by `answer`, or refused.
    pub(super) fn call_goes_on(&mut self, cx: &mut Cx<'_>, id: ResponseContextId, answer: Option<&Response>) {
        let Some(call) = self.calls.early.get(&id).copied() else { return };
        let Some(status) = self.proxy.final_status(id) else { return };
        self.calls.early.remove(&id);
        if !status.is_success() {
            return cx.emit(Event::Call(CallEvent::Ended { call, why: CallEnd::Refused(status) }));
        }
        cx.emit(Event::Call(CallEvent::Answered { call }));
        let Some(answer) = answer.filter(|_| self.settings.proxy.record_route) else { return };
        let headers = answer.headers();
        let [from, to] = [headers.text_of_from(), headers.text_of_to()].map(|address| address.and_then(|it| it.tag()));
        let dialog = dialog(headers.call_id().unwrap_or_default(), from, to);
        while self.calls.order.len() >= self.settings.accounted_calls
            && let Some((forgotten, dialog)) = self.calls.order.pop_first()
        {
            self.calls.answered.remove(&dialog);
            cx.emit(Event::Call(CallEvent::Ended { call: forgotten, why: CallEnd::Forgotten }));
        }
        if self.settings.accounted_calls > 0 && self.calls.answered.insert(dialog.clone(), call).is_none() {
            self.calls.order.insert(call, dialog);
        }
    }

    /// A request of a dialog is forwarded: a BYE ends the call.
    pub(super) fn call_ends(&mut self, cx: &mut Cx<'_>, request: &Request) {
        if request.method() != Method::Bye || self.calls.answered.is_empty() {
            return;
        }
        let headers = request.headers();
        let [from, to] = [headers.text_of_from(), headers.text_of_to()].map(|address| address.and_then(|it| it.tag()));
        let call_id = headers.call_id().unwrap_or_default();
        let ended = self.calls.answered.remove(&dialog(call_id, from, to));
        let ended = ended.or_else(|| self.calls.answered.remove(&dialog(call_id, to, from)));
        if let Some(call) = ended {
            self.calls.order.remove(&call);
            cx.emit(Event::Call(CallEvent::Ended { call, why: CallEnd::HungUp }));
        }
    }
}

#[cfg(test)]
impl Core {
    /// How many calls are held: early ones, and answered ones.
    pub(super) fn calls_held(&self) -> [usize; 2] {
        assert_eq!(self.calls.answered.len(), self.calls.order.len());
        [self.calls.early.len(), self.calls.answered.len()]
    }
}

fn dialog(call_id: &str, caller: Option<TagParam<'_>>, callee: Option<TagParam<'_>>) -> Dialog {
    let tag = |tag: Option<TagParam<'_>>| tag.map_or(&[][..], TagParam::as_bytes).to_ascii_lowercase().into();
    (call_id.into(), tag(caller), tag(callee))
}
