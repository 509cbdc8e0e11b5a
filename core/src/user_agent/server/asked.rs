//! Requests that the application answers itself: MESSAGE, INFO, and whatever else it has named (RFC 3261 §8.2; RFC 3428, 6086).

use alloc::boxed::Box;

use super::{Served, ServedId};
use crate::error::CommandError;
use crate::message::StatusCode;
use crate::timer::TimerId;
use crate::user_agent::CallId;
use crate::user_agent::agent::{Cx, Work};
use crate::user_agent::compose::Reply;
use crate::user_agent::event::Event;
use crate::user_agent::floor::Floor;

/// A request that waits for the application.
#[derive(Clone, Debug)]
pub(super) struct Asked {
    served: Served,
    /// When it gets a 500.
    timer: TimerId,
}

impl Floor {
    /// Asks the application for the answer to a request of a peer.
    pub(in crate::user_agent) fn ask_application(&mut self, cx: &mut Cx<'_>, served: Served, call: Option<CallId>) {
        let (id, account, request) = (served.id, served.account, served.request.clone());
        let timer = cx.arm(cx.now() + self.profile.patience, Work::Overdue(id));
        if let Some(entry) = self.serving.table.get_mut(id) {
            entry.asked = Some(Box::new(Asked { served, timer }));
            cx.emit(Event::Asked { served: id, account, call, request });
        }
    }

    /// Answers a request that the application was asked about.
    ///
    /// # Errors
    /// `Gone`: the request is answered, or its time is over; `HeaderOwned`; `Invalid`: the status, or what cannot be carried.
    pub(in crate::user_agent) fn respond(
        &mut self,
        cx: &mut Cx<'_>,
        id: ServedId,
        reply: &Reply,
    ) -> Result<(), CommandError> {
        let asked = self.serving.table.get(id).and_then(|entry| entry.asked.as_ref()).ok_or(CommandError::Gone)?;
        let (served, timer) = (asked.served.clone(), asked.timer);
        if !reply.status.is_final() {
            return Err(CommandError::Invalid("status"));
        }
        let response = self.final_response(cx, &served, reply)?;
        cx.respond_octets(served.server, reply.status, response)?;
        cx.disarm(timer);
        self.forget_question(id);
        Ok(())
    }

    /// The application has not answered in time: 500, as RFC 4320 §4.2 forbids a 408.
    pub(in crate::user_agent) fn overdue(&mut self, cx: &mut Cx<'_>, id: ServedId) {
        let asked = self.serving.table.get(id).and_then(|entry| entry.asked.as_ref());
        let Some(served) = asked.map(|asked| asked.served.clone()) else { return };
        self.forget_question(id);
        self.respond_final(cx, &served, StatusCode::SERVER_INTERNAL_ERROR, |_| {});
    }

    fn forget_question(&mut self, id: ServedId) {
        if let Some(entry) = self.serving.table.get_mut(id) {
            entry.asked = None;
        }
    }
}
