//! Requests that a stateful proxy forwards without a transaction: an ACK for a 2xx, and a CANCEL without a context (RFC 3261 §16.10,
//! §16.11).

use super::copy::{Copy, Maker};
use super::{Core, Preprocessed, Refusal, breadth, sips};
use crate::error::CommandError;
use crate::flow::Flow;
use crate::message::{Method, Phrase, Rejection, Request};
use crate::stack::Context;
use crate::targets::Target;

impl Core {
    /// Forwards an ACK or CANCEL that came along `flow`, after preprocessing, to one target.
    ///
    /// # Errors
    /// Why it is not forwarded: to be [answered](Self::answer), or [discarded](Self::discard) if it is an ACK.
    pub fn relay<E>(
        &self,
        cx: &mut Context<'_, E>,
        preprocessed: &Preprocessed,
        target: &Target,
        flow: Flow,
    ) -> Result<(), Refusal> {
        let Preprocessed { request, listener: outbound, peers, .. } = preprocessed;
        // A CANCEL has the Request-URI of its INVITE (§9.1), which has the scheme that RFC 5630 §5.3 allows.
        let target = sips::allowed(cx, request, target)?;
        // In a CANCEL a Max-Breadth has no meaning (RFC 5393 §5.4.1).
        let share = match request.method() {
            Method::Cancel => None,
            _ => Some(breadth::incoming(request)?.max(1)),
        };
        let (inbound, source) = (flow.listener, flow.remote.ip());
        let maker =
            Maker { settings: &self.settings, inbound, source, peers: peers.as_ref(), outbound: *outbound, share };
        // Neither an ACK nor a CANCEL has a Record-Route.
        let Copy { edit, next_hop, requester, .. } = maker.copy(cx, request, &target, Default::default)?;
        // Above a limit it is lost, as it might be on the network.
        if let Err(CommandError::Invalid(_)) = cx.relay_from(&edit, request, (next_hop, requester), "") {
            return Err(Refusal::Unable(Phrase::TOO_LONG_TO_FORWARD));
        }
        Ok(())
    }

    /// Drops an ACK that cannot be forwarded, as nobody answers one. It is counted as unusable.
    pub fn discard<E>(&self, cx: &mut Context<'_, E>, ack: &Request, flow: Flow, refusal: &Refusal) {
        discard(cx, ack, flow, refusal);
    }
}

/// See [`Core::discard`].
pub(super) fn discard<E>(cx: &mut Context<'_, E>, ack: &Request, flow: Flow, refusal: &Refusal) {
    let reason = match refusal {
        Refusal::Malformed(reason) | Refusal::Unable(reason) => *reason,
        other => Phrase::of(other.status()),
    };
    cx.discard(flow, ack, Rejection { status: refusal.status(), reason, offset: None });
}
