//! The commands of a user agent that say what stands in its messages.

use super::extra::Extra;
use super::standing::Messages;
use crate::error::CommandError;
use crate::message::Method;
use crate::stack::Stack;
use crate::time::Instant;
use crate::user_agent::CallId;
use crate::user_agent::agent::Core;

impl Stack<Core> {
    /// Sets the header fields and the body that stand in each of these messages from now on, whether a command sends them or the core by
    /// itself: the 200 to a BYE or a CANCEL, the 487 of an INVITE that was cancelled, the refusal of an offer that nobody decided on, the
    /// SUBSCRIBE that refreshes a subscription, the ACK of a rejection. What was set for the same messages before is set no more; an empty
    /// [`Extra`] sets nothing in its place.
    ///
    /// A field is left out of a message that has one of that name already, written by the core or given by a command, and the body where there
    /// is one. Where several apply, the call's ([`standing_in`](Self::standing_in)) come first, and of two those that were set last.
    /// The ACK of a rejection has what stood when its INVITE went out.
    /// The 100 to an INVITE, and what is answered without a transaction, has nothing.
    ///
    /// ```
    /// # use sansip::{CommandError, Instant};
    /// # use sansip::message::{Method, StatusCode};
    /// # use sansip::user_agent::{Extra, Messages, UserAgent};
    /// # fn example(bob: &mut UserAgent, now: Instant) -> Result<(), CommandError> {
    /// bob.standing(now, Messages::responses(), Extra::new().header("Organization", "Biloxi"))?;
    /// let terminated = Messages::responses_of(StatusCode::REQUEST_TERMINATED);
    /// bob.standing(now, terminated, Extra::new().header("Reason", "SIP;cause=487"))?;
    /// let busy = Messages::responses_of(StatusCode::BUSY_HERE);
    /// bob.standing(now, busy, Extra::new().warning("All lines are in use"))?;
    /// // No more.
    /// bob.standing(now, Messages::responses(), Extra::new())?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// `HeaderOwned`: a field that the core writes itself, Warning in a request, or Proxy-Require in a CANCEL or an ACK; `Invalid`: what cannot be
    /// carried, a session description, or a body in a CANCEL or an ACK (RFC 3261 §9.1, §17.1.1.3).
    pub fn standing(&mut self, now: Instant, messages: Messages, extra: impl Into<Extra>) -> Result<(), CommandError> {
        let extra = extra.into();
        self.command(now, |core, _| core.standing(messages, extra))
    }

    /// As [`standing`](Self::standing), for the messages of one call: in its dialogs, and the responses to its INVITE.
    ///
    /// ```
    /// # use sansip::{CommandError, Instant};
    /// # use sansip::message::{Method, StatusCode};
    /// # use sansip::user_agent::{Event, Extra, Messages, UserAgent};
    /// # fn example(bob: &mut UserAgent, now: Instant, event: Event) -> Result<(), CommandError> {
    /// if let Event::Incoming { call, .. } = event {
    ///     // The caller's BYE is answered with what the call has cost.
    ///     let answer = Messages::Responses { to: Some(Method::Bye), status: Some(StatusCode::OK) };
    ///     bob.standing_in(now, call, answer, Extra::new().header("X-Charge", "0.05 EUR"))?;
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// `Gone`; as [`standing`](Self::standing).
    pub fn standing_in(
        &mut self,
        now: Instant,
        call: CallId,
        messages: Messages,
        extra: impl Into<Extra>,
    ) -> Result<(), CommandError> {
        let extra = extra.into();
        self.command(now, |core, _| core.standing_in(call, messages, extra))
    }

    /// Sets the header fields and the body of each BYE of a call, as [`Outgoing::farewell`](super::Outgoing::farewell) does, for a call that
    /// has come in, or of which more is known now.
    ///
    /// ```
    /// # use sansip::{CommandError, Instant};
    /// # use sansip::user_agent::{Event, Extra, UserAgent};
    /// # fn example(bob: &mut UserAgent, now: Instant, event: Event) -> Result<(), CommandError> {
    /// if let Event::Incoming { call, .. } = event {
    ///     bob.farewell(now, call, Extra::new().header("Reason", "SIP;cause=408;text=\"Session not refreshed\""))?;
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// `Gone`; `HeaderOwned`; `Invalid`: what cannot be carried.
    pub fn farewell(&mut self, now: Instant, call: CallId, extra: impl Into<Extra>) -> Result<(), CommandError> {
        self.standing_in(now, call, Messages::Requests(Method::Bye), extra)
    }
}
