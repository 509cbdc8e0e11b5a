//! The commands of a user agent that end calls.

use crate::error::CommandError;
use crate::stack::Stack;
use crate::time::Instant;
use crate::user_agent::CallId;
use crate::user_agent::agent::Core;
use crate::user_agent::compose::Extra;

impl Stack<Core> {
    /// Cancels our INVITE (RFC 3261 §9.1). A call that is answered nevertheless is ended with BYE.
    ///
    /// # Errors
    /// `Gone`; `WrongState` unless the call is ours and not answered.
    pub fn cancel(&mut self, now: Instant, call: CallId) -> Result<(), CommandError> {
        self.cancel_with(now, call, Extra::new())
    }

    /// As [`cancel`](Self::cancel), with header fields of the CANCEL, such as a Reason (RFC 3326). The peer has the CANCEL in
    /// [`Cause::Cancelled`](crate::user_agent::Cause::Cancelled).
    ///
    /// ```
    /// # use sansip::{CallId, CommandError, Instant};
    /// # use sansip::user_agent::{Extra, UserAgent};
    /// # fn example(alice: &mut UserAgent, now: Instant, call: CallId) -> Result<(), CommandError> {
    /// let elsewhere = "SIP;cause=200;text=\"Call completed elsewhere\"";
    /// alice.cancel_with(now, call, Extra::new().header("Reason", elsewhere))?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As there; `HeaderOwned`, and Proxy-Require is refused too (RFC 3261 §9.1); `Invalid`: a body, or what cannot be carried.
    pub fn cancel_with(&mut self, now: Instant, call: CallId, extra: impl Into<Extra>) -> Result<(), CommandError> {
        let extra = extra.into();
        self.command(now, |core, cx| core.cancel(cx, call, &extra))
    }

    /// Ends a call by what ends it now: CANCEL, a rejection (480), or BYE. A BYE that must wait for the ACK of our 2xx waits
    /// (RFC 3261 §15).
    ///
    /// # Errors
    /// `Gone`; `WrongState` if the call is ending already; `Limit("deliveries")`.
    pub fn hang_up(&mut self, now: Instant, call: CallId) -> Result<(), CommandError> {
        self.hang_up_with(now, call, Extra::new())
    }

    /// As [`hang_up`](Self::hang_up), with what the BYE, the CANCEL or the rejection carries, such as a Reason (RFC 3326). A CANCEL has no
    /// body.
    ///
    /// # Errors
    /// As there; `HeaderOwned`; `Invalid`: what cannot be carried.
    pub fn hang_up_with(&mut self, now: Instant, call: CallId, extra: impl Into<Extra>) -> Result<(), CommandError> {
        let extra = extra.into();
        self.command(now, |core, cx| core.hang_up(cx, call, &extra))
    }

    /// Ends all that this user agent does: hangs up each call by what ends it now, ends all subscriptions, and removes the bindings of
    /// all registrations. From now
    /// on each request of a peer outside of dialogs gets a 503, and commands that begin something return `Draining`. Each end is told as
    /// ever. When no call, no subscription and no request of ours is left, [`Event::ShutDown`](crate::user_agent::Event::ShutDown) says so; that takes 64·T1 for a peer that says nothing.
    ///
    /// ```
    /// # use sansip::{CommandError, Config, Instant, Node, Output, Seed};
    /// # use sansip::user_agent::{Event, Profile, UserAgent};
    /// # let mut alice = UserAgent::user_agent(Config::new(Seed::from_u64(1)), Profile::new("<sip:alice@atlanta.com>".parse()?));
    /// alice.shut_down(Instant::ZERO);
    /// // There was nothing to end.
    /// assert!(matches!(alice.poll(), Some(Output::Event(Event::ShutDown))));
    /// let bob = "<sip:bob@biloxi.com>".parse()?;
    /// assert_eq!(alice.call(Instant::ZERO, &bob), Err(CommandError::Draining));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn shut_down(&mut self, now: Instant) {
        self.command(now, Core::shut_down);
    }
}
