//! The commands of a user agent that begin calls, say how they go on, and end them.

use crate::error::CommandError;
use crate::message::StatusCode;
use crate::stack::Stack;
use crate::time::Instant;
use crate::user_agent::agent::Core;
use crate::user_agent::compose::{Extra, Outgoing, Reply};
use crate::user_agent::{CallId, CallInfo};

impl Stack<Core> {
    /// Calls an address, such as `Bob <sip:bob@biloxi.com>`: sends an INVITE (RFC 3261 §13.2.1). A body of type `application/sdp` is
    /// the offer. [`Event`](crate::user_agent::Event)s tell what becomes of the call.
    ///
    /// ```
    /// # use sansip::{Config, Instant, Listener, Seed};
    /// # use sansip::user_agent::{Body, Outgoing, Profile, UserAgent};
    /// let mut alice = UserAgent::user_agent(Config::new(Seed::from_u64(1)), Profile::new("<sip:alice@atlanta.com>".parse()?));
    /// alice.listen(Listener::udp("192.0.2.1:5060".parse()?));
    /// let bob = "Bob <sip:bob@biloxi.com>".parse()?;
    /// alice.call(Instant::ZERO, &bob)?;
    /// alice.call(Instant::ZERO, Outgoing::to(&bob).header("Subject", "Lunch").body(Body::sdp("v=0\r\n")))?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// `NotSip`; `NoListener`; `HeaderOwned`; `Invalid`: a header field or the body cannot be carried; `Limit`: `calls` or
    /// `deliveries`.
    pub fn call(&mut self, now: Instant, outgoing: impl Into<Outgoing>) -> Result<CallId, CommandError> {
        let outgoing = outgoing.into();
        self.command(now, |core, cx| core.call(cx, &outgoing))
    }

    /// Says that the user is being alerted: 180 (RFC 3261 §13.3.1.1), repeated every minute until the decision.
    ///
    /// ```
    /// # use sansip::{CommandError, Instant};
    /// # use sansip::user_agent::{Event, UserAgent};
    /// # fn example(bob: &mut UserAgent, now: Instant, event: Event) -> Result<(), CommandError> {
    /// if let Event::Incoming { call, .. } = event {
    ///     bob.ring(now, call)?;
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// `Gone`; `WrongState` unless the call is incoming and undecided.
    pub fn ring(&mut self, now: Instant, call: CallId) -> Result<(), CommandError> {
        self.progress(now, call, StatusCode::RINGING, Extra::new())
    }

    /// Says how it goes on: a provisional response from 101 to 199, such as 183 with a session description for early media, repeated
    /// every minute until the decision (RFC 3261 §13.3.1.1). The description is a preview of the answer, which must be the same
    /// (§13.2.1).
    ///
    /// ```
    /// # use sansip::{CommandError, Instant};
    /// # use sansip::message::StatusCode;
    /// # use sansip::user_agent::{Body, Event, UserAgent};
    /// # fn example(bob: &mut UserAgent, now: Instant, event: Event) -> Result<(), CommandError> {
    /// if let Event::Incoming { call, .. } = event {
    ///     // An announcement, before anybody answers.
    ///     bob.progress(now, call, StatusCode::SESSION_PROGRESS, Body::sdp("v=0\r\n"))?;
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// `Gone`; `WrongState` unless the call is incoming and undecided; `HeaderOwned`; `Invalid`: the status, a session description
    /// though the INVITE has no offer, or what cannot be carried.
    pub fn progress(
        &mut self,
        now: Instant,
        call: CallId,
        status: StatusCode,
        extra: impl Into<Extra>,
    ) -> Result<(), CommandError> {
        let extra = extra.into();
        self.command(now, |core, cx| core.progress(cx, call, status, &extra))
    }

    /// Says how it goes on, as [`progress`](Self::progress), by a provisional response that is sent again until its PRACK comes (RFC 3262 §3):
    /// [`Event::Acknowledged`](crate::user_agent::Event::Acknowledged) tells of the PRACK. Without one in 64·T1 the INVITE is refused with 504. A further response waits for the
    /// PRACK of the one before. The session description is the answer to the INVITE's offer, or, if the INVITE has none, an offer, which the
    /// PRACK answers; a later one says the same once more. `progress` and `ring` do this by themselves if the INVITE requires it.
    ///
    /// ```
    /// # use sansip::{CommandError, Instant};
    /// # use sansip::message::StatusCode;
    /// # use sansip::user_agent::{Body, Event, UserAgent};
    /// # fn example(bob: &mut UserAgent, now: Instant, event: Event) -> Result<(), CommandError> {
    /// if let Event::Incoming { call, .. } = event {
    ///     // Early media, which the caller is known to hear.
    ///     let progress = bob.progress_reliably(now, call, StatusCode::SESSION_PROGRESS, Body::sdp("v=0\r\n"));
    ///     if progress == Err(CommandError::Invalid("100rel")) {
    ///         bob.progress(now, call, StatusCode::SESSION_PROGRESS, Body::sdp("v=0\r\n"))?;
    ///     }
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// `Gone`; `WrongState` unless the call is incoming and undecided; `Invalid("100rel")`: the caller does not support
    /// [`Extension::Reliable`](crate::extension::Extension::Reliable), or the [`Profile`](crate::user_agent::Profile) has it not among its extensions; `HeaderOwned`;
    /// `Invalid`: the status, no session description though the INVITE has no offer, or what cannot be carried;
    /// `Limit("reliable_responses")`.
    pub fn progress_reliably(
        &mut self,
        now: Instant,
        call: CallId,
        status: StatusCode,
        extra: impl Into<Extra>,
    ) -> Result<(), CommandError> {
        let extra = extra.into();
        self.command(now, |core, cx| core.progress_reliably(cx, call, status, &extra))
    }

    /// Answers: 200 (RFC 3261 §13.3.1.4), sent again until the ACK comes. While a reliable provisional response with a session description
    /// waits for its PRACK, the 200 waits, too (RFC 3262 §3). The session description is the answer to the INVITE's offer, or,
    /// if the INVITE has none, an offer, which the ACK in [`Event::Confirmed`](crate::user_agent::Event::Confirmed) answers. A call that the INVITE replaces ends ([`Event::Incoming`](crate::user_agent::Event::Incoming)).
    ///
    /// ```
    /// # use sansip::{CommandError, Instant};
    /// # use sansip::user_agent::{Body, Event, UserAgent};
    /// # fn example(bob: &mut UserAgent, now: Instant, event: Event) -> Result<(), CommandError> {
    /// if let Event::Incoming { call, request, .. } = event {
    ///     match Body::session_of_request(&request) {
    ///         // The answer to the caller's offer.
    ///         Some(_offer) => bob.answer(now, call, Body::sdp("v=0\r\nm=audio 49170 RTP/AVP 0\r\n"))?,
    ///         // No offer: this is one, and `Event::Confirmed` brings the answer.
    ///         None => bob.answer(now, call, Body::sdp("v=0\r\nm=audio 49170 RTP/AVP 0 8\r\n"))?,
    ///     }
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// `Gone`; `WrongState` unless the call is incoming and undecided; `HeaderOwned`; `Invalid`: the INVITE has an offer and this no
    /// session description to answer it, or what cannot be carried. `WrongState`, too: see [`Event::Incoming`](crate::user_agent::Event::Incoming).
    pub fn answer(&mut self, now: Instant, call: CallId, extra: impl Into<Extra>) -> Result<(), CommandError> {
        let extra = extra.into();
        self.command(now, |core, cx| core.answer(cx, call, &extra))
    }

    /// Rejects with a status of 300 to 699 (RFC 3261 §13.3.1.3). The handle is gone from then on, and no event follows.
    ///
    /// ```
    /// # use sansip::{CommandError, Instant};
    /// # use sansip::message::StatusCode;
    /// # use sansip::user_agent::{Event, Reply, UserAgent};
    /// # fn example(bob: &mut UserAgent, now: Instant, event: Event) -> Result<(), CommandError> {
    /// if let Event::Incoming { call, .. } = event {
    ///     bob.reject(now, call, Reply::new(StatusCode::BUSY_HERE).retry_after(120))?;
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// `Gone`; `WrongState` unless the call is incoming and undecided; `HeaderOwned`; `Invalid`: the status, or what cannot be
    /// carried.
    pub fn reject(&mut self, now: Instant, call: CallId, reply: impl Into<Reply>) -> Result<(), CommandError> {
        let reply = reply.into();
        self.command(now, |core, cx| core.reject(cx, call, &reply))
    }

    /// Cancels our INVITE (RFC 3261 §9.1). A call that is answered nevertheless is ended with BYE.
    ///
    /// ```
    /// # use sansip::{CommandError, Instant};
    /// # use sansip::user_agent::{Outgoing, UserAgent};
    /// # fn example(alice: &mut UserAgent, now: Instant) -> Result<(), Box<dyn std::error::Error>> {
    /// let call = alice.call(now, Outgoing::to(&"<sip:bob@biloxi.com>".parse()?))?;
    /// // The user changes her mind.
    /// alice.cancel(now, call)?;
    /// # Ok(())
    /// # }
    /// ```
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
    /// ```
    /// # use sansip::{CommandError, Instant};
    /// # use sansip::user_agent::{Event, UserAgent};
    /// # fn example(bob: &mut UserAgent, now: Instant, event: Event) -> Result<(), CommandError> {
    /// // Nobody hears a call whose media failed.
    /// if let Event::Confirmed { call, .. } = event {
    ///     bob.hang_up(now, call)?;
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// `Gone`; `WrongState` if the call is ending already; `Limit("deliveries")`.
    pub fn hang_up(&mut self, now: Instant, call: CallId) -> Result<(), CommandError> {
        self.hang_up_with(now, call, Extra::new())
    }

    /// As [`hang_up`](Self::hang_up), with what the BYE, the CANCEL or the rejection carries, such as a Reason (RFC 3326). A CANCEL has no
    /// body.
    ///
    /// ```
    /// # use sansip::{CallId, CommandError, Instant};
    /// # use sansip::user_agent::{Extra, UserAgent};
    /// # fn example(alice: &mut UserAgent, now: Instant, call: CallId) -> Result<(), CommandError> {
    /// alice.hang_up_with(now, call, Extra::new().header("Reason", "Q.850;cause=16;text=\"Terminated\""))?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As there; `HeaderOwned`; `Invalid`: what cannot be carried.
    pub fn hang_up_with(&mut self, now: Instant, call: CallId, extra: impl Into<Extra>) -> Result<(), CommandError> {
        let extra = extra.into();
        self.command(now, |core, cx| core.hang_up(cx, call, &extra))
    }

    /// The calls that are alive, in the order of their slots.
    ///
    /// ```
    /// # use sansip::user_agent::{CallState, UserAgent};
    /// # fn example(alice: &UserAgent) {
    /// let talking = alice.calls().filter(|call| call.state == CallState::Established).count();
    /// # }
    /// ```
    pub fn calls(&self) -> impl Iterator<Item = CallInfo<'_>> {
        self.user().calls()
    }
}
