//! The commands of a user agent that offer and answer: changes of a session (RFC 3264, RFC 3261 §14, RFC 3311).

use crate::error::CommandError;
use crate::stack::Stack;
use crate::time::Instant;
use crate::user_agent::agent::Core;
use crate::user_agent::compose::{Extra, Reply};
use crate::user_agent::{CallDialog, CallId};

impl Stack<Core> {
    /// Answers the offer of a 2xx, of which [`Event::Answered`](crate::user_agent::Event::Answered) or [`Event::Modified`](crate::user_agent::Event::Modified) has told: sends the ACK with this body (RFC 3261
    /// §13.2.2.4). Answers the offer of a reliable provisional response, too, of which [`Event::Progress`](crate::user_agent::Event::Progress) or [`Event::ModifyProgress`](crate::user_agent::Event::ModifyProgress) has
    /// told: sends the PRACK with this body (RFC 3262 §5). After [`Profile::answer_time`](crate::user_agent::Profile::answer_time) the call is ended instead.
    ///
    /// ```
    /// # use sansip::{CallId, CommandError, Instant};
    /// # use sansip::user_agent::{Body, Event, Outgoing, UserAgent};
    /// # fn example(alice: &mut UserAgent, now: Instant, event: Event) -> Result<(), Box<dyn std::error::Error>> {
    /// // A call without an offer, as a B2BUA makes one to learn what the other end can do.
    /// let refusal = Body::sdp("v=0\r\nm=audio 0 RTP/AVP 0\r\n");
    /// alice.call(now, Outgoing::to(&"<sip:bob@biloxi.com>".parse()?).refusal(refusal))?;
    /// // Later:
    /// if let Event::Answered { call, response } = event {
    ///     let offer = Body::of_response(&response);
    ///     alice.answer_offer(now, call, Body::sdp("v=0\r\nm=audio 49170 RTP/AVP 0\r\n"))?;
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// `Gone`; `WrongState` unless the ACK of a 2xx or a PRACK waits; `HeaderOwned`; `Invalid`: there is no session description, or what cannot be
    /// carried; `Limit("deliveries")`.
    pub fn answer_offer(
        &mut self,
        now: Instant,
        of: impl Into<CallDialog>,
        extra: impl Into<Extra>,
    ) -> Result<(), CommandError> {
        let (of, extra) = (of.into(), extra.into());
        self.command(now, |core, cx| core.answer_offer(cx, of, &extra))
    }

    /// Asks the peer for a change of the session: sends a re-INVITE, whose session description is a new offer (RFC 3261 §14.1).
    /// [`Event::Modified`](crate::user_agent::Event::Modified) or [`Event::ModifyFailed`](crate::user_agent::Event::ModifyFailed) tells what has become of the change. A re-INVITE without a session description asks
    /// the peer for its offer. One that meets a change of the peer's (491) goes out again by itself.
    ///
    /// Hold is such a change: the stack does not look into descriptions, so that the application writes the direction and counts the
    /// version in `o=` up (RFC 3264 §8, §8.4).
    ///
    /// ```
    /// # use sansip::{CallId, CommandError, Instant};
    /// # use sansip::user_agent::{Body, UserAgent};
    /// # fn example(alice: &mut UserAgent, now: Instant, call: CallId) -> Result<(), CommandError> {
    /// let session = |version: u32, direction: &str| {
    ///     Body::sdp(format!(
    ///         "v=0\r\no=alice 2890844526 {version} IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\n\
    ///          m=audio 49170 RTP/AVP 0\r\na={direction}\r\n"
    ///     ))
    /// };
    /// // The call was made with version 2890844526. On hold:
    /// alice.modify(now, call, session(2_890_844_527, "sendonly"))?;
    /// // After `Event::Modified`, back again:
    /// alice.modify(now, call, session(2_890_844_528, "sendrecv"))?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// `Gone`; `WrongState` unless the call is established and no other change, of either end, is in progress; `HeaderOwned`; `Invalid`:
    /// what cannot be carried; `Limit("deliveries")`.
    pub fn modify(&mut self, now: Instant, call: CallId, extra: impl Into<Extra>) -> Result<(), CommandError> {
        let extra = extra.into();
        self.command(now, |core, cx| core.modify(cx, call, &extra))
    }

    /// Takes a change back that [`modify`](Self::modify) has asked for: cancels the re-INVITE (RFC 3261 §9.1). [`Event::ModifyFailed`](crate::user_agent::Event::ModifyFailed)
    /// follows, or [`Event::Modified`](crate::user_agent::Event::Modified) if the peer has accepted before the CANCEL came.
    ///
    /// ```
    /// # use sansip::{CallId, CommandError, Instant};
    /// # use sansip::user_agent::{Event, UserAgent};
    /// # fn example(alice: &mut UserAgent, now: Instant, event: Event) -> Result<(), CommandError> {
    /// // The peer's user is asked, which takes too long.
    /// if let Event::ModifyProgress { call, .. } = event {
    ///     alice.cancel_change(now, call)?;
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// `Gone`; `WrongState` unless a re-INVITE of ours is in progress, or waits to be sent again.
    pub fn cancel_change(&mut self, now: Instant, call: CallId) -> Result<(), CommandError> {
        self.cancel_change_with(now, call, Extra::new())
    }

    /// As [`cancel_change`](Self::cancel_change), with header fields of the CANCEL, such as a Reason (RFC 3326).
    ///
    /// ```
    /// # use sansip::{CallId, CommandError, Instant};
    /// # use sansip::user_agent::{Extra, UserAgent};
    /// # fn example(alice: &mut UserAgent, now: Instant, call: CallId) -> Result<(), CommandError> {
    /// alice.cancel_change_with(now, call, Extra::new().header("Reason", "SIP;cause=487"))?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As there; `HeaderOwned`, and Proxy-Require is refused too (RFC 3261 §9.1); `Invalid`: a body, or what cannot be carried.
    pub fn cancel_change_with(
        &mut self,
        now: Instant,
        call: CallId,
        extra: impl Into<Extra>,
    ) -> Result<(), CommandError> {
        let extra = extra.into();
        self.command(now, |core, cx| core.cancel_change(cx, call, &extra))
    }

    /// Changes a session, or refreshes the target of its dialog, by an UPDATE (RFC 3311): a session description is an offer, and without one
    /// the peer learns nothing but where this end can be reached. Either end may do so once there is a dialog, also before the INVITE is
    /// answered. [`Event::Modified`](crate::user_agent::Event::Modified) or [`Event::ModifyFailed`](crate::user_agent::Event::ModifyFailed) tells what has become of the UPDATE. One that meets a change of the peer's
    /// (491) goes out again by itself.
    ///
    /// The peer must answer an UPDATE at once, without asking a user: where there is an answer to the INVITE,
    /// [`modify`](Self::modify) is the better way (RFC 3311 §5.1). Before it, an offer may be sent only when the INVITE's own offer has
    /// been answered reliably. A peer whose Allow does not name UPDATE refuses with 405, which leaves the session as it is.
    ///
    /// ```
    /// # use sansip::{CallId, CommandError, Instant};
    /// # use sansip::user_agent::{Body, Event, UserAgent};
    /// # fn example(alice: &mut UserAgent, now: Instant, call: CallId, event: Event) -> Result<(), CommandError> {
    /// // This end has moved: tells where it is now.
    /// alice.update(now, call, None)?;
    /// // The branch of a fork that has just rung gets another offer.
    /// if let Event::Progress { call, dialog: Some(dialog), .. } = event {
    ///     alice.update(now, (call, dialog), Body::sdp("v=0\r\n"))?;
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// `Gone`; `WrongState`: there is no dialog, or several and none is named, an UPDATE of ours is in progress, or an offer in the way;
    /// `HeaderOwned`; `Invalid`: what cannot be carried; `Limit("deliveries")`.
    pub fn update(
        &mut self,
        now: Instant,
        of: impl Into<CallDialog>,
        extra: impl Into<Extra>,
    ) -> Result<(), CommandError> {
        let (of, extra) = (of.into(), extra.into());
        self.command(now, |core, cx| core.update(cx, of, &extra))
    }

    /// Accepts the change that the peer wants, of which [`Event::Offered`](crate::user_agent::Event::Offered) has told: 200 with this body, to a re-INVITE sent again until
    /// the ACK comes (RFC 3261 §14.2, RFC 3311 §5.2). The body is the answer, or the offer if the re-INVITE had none.
    ///
    /// ```
    /// # use sansip::{CommandError, Instant};
    /// # use sansip::message::StatusCode;
    /// # use sansip::user_agent::{Body, Event, UserAgent};
    /// # fn example(bob: &mut UserAgent, now: Instant, event: Event) -> Result<(), CommandError> {
    /// if let Event::Offered { call, dialog, request } = event {
    ///     match Body::of_request(&request) {
    ///         Some(offer) if offer.bytes.len() < 4_096 => {
    ///             bob.accept_offer(now, (call, dialog), Body::sdp("v=0\r\n"))?;
    ///         }
    ///         _ => bob.refuse_offer(now, (call, dialog), StatusCode::NOT_ACCEPTABLE_HERE)?,
    ///     }
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// `Gone`; `WrongState` unless a change waits for a decision; `HeaderOwned`; `Invalid`: there is no session description, or what
    /// cannot be carried.
    pub fn accept_offer(
        &mut self,
        now: Instant,
        of: impl Into<CallDialog>,
        extra: impl Into<Extra>,
    ) -> Result<(), CommandError> {
        let (of, extra) = (of.into(), extra.into());
        self.command(now, |core, cx| core.accept_offer(cx, of, &extra))
    }

    /// Refuses the change that the peer wants with a status of 300 to 699, such as 488: the session goes on as it was (RFC 3261 §14.2, RFC
    /// 3311 §5.2).
    ///
    /// ```
    /// # use sansip::{CommandError, Instant};
    /// # use sansip::message::StatusCode;
    /// # use sansip::user_agent::{Event, Reply, UserAgent};
    /// # fn example(bob: &mut UserAgent, now: Instant, event: Event) -> Result<(), CommandError> {
    /// if let Event::Offered { call, dialog, .. } = event {
    ///     let reply = Reply::new(StatusCode::NOT_ACCEPTABLE_HERE).warning("No video here");
    ///     bob.refuse_offer(now, (call, dialog), reply)?;
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// `Gone`; `WrongState` unless a change waits for a decision; `HeaderOwned`; `Invalid`: what cannot be carried, or the status, which
    /// must not be one that ends the call, such as 481 (RFC 5057 §5.1).
    pub fn refuse_offer(
        &mut self,
        now: Instant,
        of: impl Into<CallDialog>,
        reply: impl Into<Reply>,
    ) -> Result<(), CommandError> {
        let (of, reply) = (of.into(), reply.into());
        self.command(now, |core, cx| core.refuse_offer(cx, of, &reply))
    }
}
