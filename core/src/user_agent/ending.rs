//! The end of calls: hanging up, and BYE from either side (RFC 3261 §15).

use super::call::{Call, Callee, Caller, LegState, Side};
use super::core::{Core, Cx, Work};
use super::event::{EndCause, Event};
use super::uas::Served;
use crate::endpoint::DeliveryId;
use crate::error::CommandError;
use crate::message::{HeaderId, Method, RequestParts, StatusCode};
use crate::transport::Here;
use crate::user_agent::CallId;

impl Core {
    /// Ends a call by what ends it now.
    pub(super) fn hang_up(&mut self, cx: &mut Cx<'_>, id: CallId) -> Result<(), CommandError> {
        let call = self.alive(id)?;
        let main = call.main_leg();
        match (&mut call.side, main) {
            (Side::Callee(Callee::Offered(_)), _) => self.reject(cx, id, StatusCode::TEMPORARILY_UNAVAILABLE),
            (Side::Callee(Callee::Accepted(accepted)), _) if accepted.hung_up => Err(CommandError::WrongState),
            (Side::Callee(Callee::Accepted(accepted)), _) => {
                accepted.hung_up = true;
                Ok(())
            }
            (_, Some(index)) => match self.send_bye(cx, id, index) {
                // No BYE can be written, or there is no way for one: the call is over all the same.
                Err(CommandError::Invalid(_)) => {
                    self.leg_ended(cx, id, index);
                    Ok(())
                }
                sent => sent,
            },
            (_, None) => self.cancel(cx, id),
        }
    }

    /// Sends a BYE in the dialog of a leg (§15.1.1).
    pub(super) fn send_bye(&mut self, cx: &mut Cx<'_>, id: CallId, index: usize) -> Result<(), CommandError> {
        let leg = self.calls.get_mut(id).and_then(|call| call.legs.get_mut(index)).ok_or(CommandError::Gone)?;
        if leg.state != LegState::Established {
            return Err(CommandError::WrongState);
        }
        let path = leg.dialog.path().ok_or(CommandError::Invalid("remote target"))?;
        let number = leg.dialog.sequence.next_local(|| cx.random().sequence_number());
        let mut lines = leg.dialog.lines(Method::Bye, number, &path);
        self.profile.add_software(&mut lines, HeaderId::UserAgent);
        let bye = RequestParts::new(Method::Bye, path.request_uri.as_bytes(), &lines);
        let delivery = cx.request_from(&bye, &Here::Unsaid, path.next_hop, Work::Bye(id), "")?;
        leg.dialog.sequence.sent(number);
        leg.state = LegState::Ending(delivery);
        Ok(())
    }

    /// A BYE of ours has its final response, or will have none: the dialog is over whatever it says (§15.1.1).
    pub(super) fn bye_done(&mut self, cx: &mut Cx<'_>, id: CallId, delivery: DeliveryId) {
        let ending = LegState::Ending(delivery);
        let Some(call) = self.calls.get(id) else { return };
        if let Some(index) = call.legs.iter().position(|leg| leg.state == ending) {
            self.leg_ended(cx, id, index);
        }
    }

    /// A dialog that we have ended is over; with it the call, if it is the one that the application knows.
    pub(super) fn leg_ended(&mut self, cx: &mut Cx<'_>, id: CallId, index: usize) {
        self.end_leg(id, index);
        if self.calls.get(id).and_then(Call::main_leg) == Some(index) {
            self.over(cx, id, EndCause::Local);
        }
        self.settle(id);
    }

    /// A BYE in a dialog (§15.1.2).
    pub(super) fn bye_received(&mut self, cx: &mut Cx<'_>, served: &Served, id: CallId, index: usize) {
        self.respond_final(cx, served, StatusCode::OK, |_| {});
        let Some(call) = self.calls.get_mut(id) else { return };
        let Some(leg) = call.legs.get_mut(index) else { return };
        match (&mut call.side, leg.state) {
            // The resolver still looks for the way of our own BYE: there is nobody left to send it to.
            (_, LegState::Ending(bye)) if cx.withdraw(bye) => self.leg_ended(cx, id, index),
            // Our own BYE is on its way: its answer, whatever it is, ends the call.
            (_, LegState::Ending(_) | LegState::Over) => {}
            (Side::Callee(Callee::Offered(_)), _) => self.terminate(cx, id),
            (Side::Caller(caller), LegState::Early) if !caller.answered => self.left_early(cx, id, index),
            (side, _) => {
                if let Side::Callee(callee @ Callee::Accepted(_)) = side
                    && let Callee::Accepted(accepted) = core::mem::replace(callee, Callee::Confirmed)
                {
                    cx.disarm(accepted.timer);
                }
                let main = leg.main;
                self.end_leg(id, index);
                if main {
                    self.over(cx, id, EndCause::Remote);
                }
                self.settle(id);
            }
        }
    }

    /// The peer ends a dialog of ours that is still early: it has answered and given up, and each of its 2xx was lost
    /// (§13.3.1.4). Nobody else can take the call any more: it is cancelled.
    fn left_early(&mut self, cx: &mut Cx<'_>, id: CallId, index: usize) {
        self.end_leg(id, index);
        let Some(Caller { invite: Some(invite), cancelled, .. }) = self.caller(id) else { return };
        if core::mem::replace(cancelled, true) {
            // The user has hung up already; what comes of that ends the call.
            return;
        }
        let delivery = invite.delivery;
        // A response is there, so it is no more than sent.
        let _ = cx.cancel(delivery);
        if let Some(call) = self.calls.get_mut(id) {
            call.over = true;
            cx.emit(Event::Failed { call: id, status: StatusCode::REQUEST_TERMINATED, response: None });
        }
    }

    /// Tells the application, once, that an established call is over.
    pub(super) fn over(&mut self, cx: &mut Cx<'_>, id: CallId, cause: EndCause) {
        let Some(call) = self.calls.get_mut(id) else { return };
        if !core::mem::replace(&mut call.over, true) {
            cx.emit(Event::Ended { call: id, cause });
        }
    }
}
