//! Requests that the application answers itself: MESSAGE, INFO, and whatever else it has named (RFC 3261 §8.2; RFC 3428, 6086).

use alloc::boxed::Box;
use alloc::vec::Vec;

use super::{Served, ServedId};
use crate::dialog::DialogId;
use crate::error::{CommandError, Limit};
use crate::message::{HeaderId, Method, Request, StatusCode};
use crate::timer::TimerId;
use crate::user_agent::agent::{Cx, Work};
use crate::user_agent::compose::Reply;
use crate::user_agent::event::Event;
use crate::user_agent::floor::Floor;
use crate::user_agent::{AccountId, CallId};

/// A request that waits for the application.
#[derive(Clone, Debug)]
pub(super) struct Asked {
    served: Served,
    /// When it gets a 500.
    timer: TimerId,
    /// The dialog that it came in.
    dialog: Option<DialogId>,
}

impl Floor {
    /// Asks the application for the answer to a request of a peer, in that dialog or outside of dialogs.
    pub(in crate::user_agent) fn ask_application(
        &mut self,
        cx: &mut Cx<'_>,
        served: Served,
        dialog: Option<DialogId>,
        call: Option<CallId>,
    ) {
        if let Some((served, account, request)) = self.put_question(cx, served, dialog) {
            cx.emit(Event::Asked { served, account, call, request });
        }
    }

    /// Asks the application whether a REFER of a peer is accepted (RFC 3515 §2.4.2).
    pub(in crate::user_agent) fn ask_about_referral(
        &mut self,
        cx: &mut Cx<'_>,
        served: Served,
        dialog: Option<DialogId>,
        call: Option<CallId>,
    ) {
        if let Some((served, account, request)) = self.put_question(cx, served, dialog) {
            cx.emit(Event::Referred { served, account, call, request });
        }
    }

    /// Keeps a request until the application has answered, or its time is over. `None`: as many wait in the dialog as may, and the request
    /// is refused, to come again later.
    fn put_question(
        &mut self,
        cx: &mut Cx<'_>,
        served: Served,
        dialog: Option<DialogId>,
    ) -> Option<(ServedId, AccountId, Request)> {
        let waiting = dialog.map_or(0, |dialog| self.serving.waiting_in(dialog));
        if waiting >= self.profile.limits.pending_requests {
            cx.refused(Limit::PENDING_REQUESTS);
            refuse_for_now(self, cx, &served, StatusCode::SERVER_INTERNAL_ERROR);
            return None;
        }
        let (id, account, request) = (served.id, served.account, served.request.clone());
        let timer = cx.arm(cx.now() + self.profile.patience, Work::Overdue(id));
        self.serving.begin_question(id, Asked { served, timer, dialog });
        Some((id, account, request))
    }

    /// The request that the application was asked about.
    ///
    /// # Errors
    /// `Gone`: the request is answered, or its time is over.
    pub(in crate::user_agent) fn question(&self, id: ServedId) -> Result<&Served, CommandError> {
        let asked = self.serving.table.get(id).and_then(|entry| entry.asked.as_ref());
        asked.map(|asked| &asked.served).ok_or(CommandError::Gone)
    }

    /// The request is answered: nothing is asked any more.
    pub(in crate::user_agent) fn settle_question(&mut self, cx: &mut Cx<'_>, id: ServedId) {
        if let Some(asked) = self.serving.end_question(id) {
            cx.disarm(asked.timer);
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
        let served = self.question(id)?.clone();
        // A REFER that is accepted makes a subscription.
        let is_refer_accepted = reply.status.is_success() && served.request.method() == Method::Refer;
        if !reply.status.is_final() || is_refer_accepted {
            return Err(CommandError::Invalid("status"));
        }
        let response = self.final_response(cx, &served, reply)?;
        cx.respond_octets(served.server, reply.status, response)?;
        self.settle_question(cx, id);
        Ok(())
    }

    /// This end ends all that it does: REFERs that wait for the application get a 503, as later ones do.
    pub(in crate::user_agent) fn refuse_referrals(&mut self, cx: &mut Cx<'_>) {
        let is_refer = |served: &Served| served.request.method() == Method::Refer;
        let asked = self.serving.table.iter().filter_map(|(_, entry)| Some(&entry.asked.as_ref()?.served));
        for served in asked.filter(|served| is_refer(served)).cloned().collect::<Vec<_>>() {
            self.settle_question(cx, served.id);
            self.respond_final(cx, &served, StatusCode::SERVICE_UNAVAILABLE, |_| {});
        }
    }

    /// The application has not answered in time: 500, as RFC 4320 §4.2 forbids a 408.
    pub(in crate::user_agent) fn overdue(&mut self, cx: &mut Cx<'_>, id: ServedId) {
        let Some(served) = self.question(id).ok().cloned() else { return };
        self.settle_question(cx, id);
        self.respond_final(cx, &served, StatusCode::SERVER_INTERNAL_ERROR, |_| {});
    }
}

impl super::Serving {
    /// How many requests in a dialog wait for the application.
    fn waiting_in(&self, dialog: DialogId) -> usize {
        self.waiting.get(&dialog).copied().unwrap_or_default()
    }

    fn begin_question(&mut self, id: ServedId, asked: Asked) {
        let Some(entry) = self.table.get_mut(id) else { return };
        if let Some(dialog) = asked.dialog {
            *self.waiting.entry(dialog).or_default() += 1;
        }
        entry.asked = Some(Box::new(asked));
    }

    fn end_question(&mut self, id: ServedId) -> Option<Box<Asked>> {
        let asked = self.table.get_mut(id)?.asked.take()?;
        self.forget_question(&asked);
        Some(asked)
    }

    /// A request waits no more.
    pub(super) fn forget_question(&mut self, asked: &Asked) {
        let Some(dialog) = asked.dialog else { return };
        if let Some(waiting) = self.waiting.get_mut(&dialog) {
            *waiting = waiting.saturating_sub(1);
            if *waiting == 0 {
                self.waiting.remove(&dialog);
            }
        }
    }
}

/// Refuses a request that comes while another one, or an offer, is in progress. With a 500 it may come again after 0 to 10 s (RFC 3261 §14.2,
/// RFC 3311 §5.2).
pub(in crate::user_agent) fn refuse_for_now(on: &mut Floor, cx: &mut Cx<'_>, served: &Served, status: StatusCode) {
    let wait = (status == StatusCode::SERVER_INTERNAL_ERROR).then(|| cx.random().below(11));
    on.respond_final(cx, served, status, |lines| {
        if let Some(seconds) = wait {
            lines.header(HeaderId::RetryAfter, alloc::format!("{seconds}"));
        }
    });
}
