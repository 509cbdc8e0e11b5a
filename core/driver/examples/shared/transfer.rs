//! A call that the other end of another one has asked for (RFC 3515).

use sansip::message::{Request, StatusCode};
use sansip::user_agent::{Body, Outgoing, ServedId, UserAgent};
use sansip::{CallId, Instant, ReferralId};

use super::Outcome;

/// That call, and by what the asker is told of it.
#[derive(Default)]
pub(crate) struct Transfer(Option<(CallId, ReferralId)>);

impl Transfer {
    /// Makes the call that a REFER asks for.
    pub(crate) fn accept(
        &mut self,
        agent: &mut UserAgent,
        now: Instant,
        (served, request): (ServedId, &Request),
        session: Body,
    ) -> Outcome<CallId> {
        let referral = agent.accept_refer(now, served)?;
        let call = agent.call(now, Outgoing::referred(request)?.body(session))?;
        self.0 = referral.map(|referral| (call, referral));
        Ok(call)
    }

    /// Tells the asker what became of that call.
    pub(crate) fn outcome(&mut self, agent: &mut UserAgent, now: Instant, call: CallId, status: StatusCode) {
        if let Some((_, referral)) = self.0.take_if(|(referred, _)| *referred == call) {
            // The asker may have stopped listening.
            let _ = agent.notify_refer(now, referral, status);
        }
    }
}
