//! Requests that a stateful proxy forwards without a transaction: an ACK for a 2xx, and a CANCEL without a context (RFC 3261 §16.10,
//! §16.11).

use super::forward::{Copy, copy_for};
use super::{Core, Refusal, Target, breadth};
use crate::error::CommandError;
use crate::message::{Method, Request, Response, StatusCode};
use crate::stack::Context;

impl Core {
    /// Forwards an ACK or CANCEL, after preprocessing, to one target.
    ///
    /// # Errors
    /// Why it is not forwarded: to be answered, unless it is an ACK.
    pub fn relay<E>(&self, cx: &mut Context<'_, E>, request: &Request, target: &Target) -> Result<(), Refusal> {
        // In a CANCEL a Max-Breadth has no meaning (RFC 5393 §5.4.1).
        let share = match request.method() {
            Method::Cancel => None,
            _ => Some(breadth::incoming(request)?.max(1)),
        };
        if let Some(Copy { edit, next_hop, .. }) = copy_for(cx, request, target, share, None)? {
            // Above a limit it is lost, as it might be on the network.
            if let Err(CommandError::Invalid(_)) = cx.relay_from(&edit, request, next_hop, "") {
                return Err(Refusal::Status(StatusCode::SERVER_INTERNAL_ERROR));
            }
        }
        Ok(())
    }

    /// Passes on the response to a CANCEL that was forwarded so; any other stray is discarded (RFC 6026 §8.9).
    pub fn stray<E>(&self, cx: &mut Context<'_, E>, response: &Response) {
        if response.cseq().is_some_and(|cseq| cseq.method == Method::Cancel) {
            // One that leads nowhere is lost, as it might be on the network.
            let _ = cx.forward_response(response);
        }
    }
}
