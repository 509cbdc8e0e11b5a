//! The user agent: UAC core and UAS core over one endpoint (RFC 3261 §8 to §15).
//!
//! Reading order: [`Profile`], [`Event`], the commands of [`UserAgent`], then the core behind them. `agent.rs` gives each indication
//! to whom it is for, and `commands.rs` each command. A usage (`session/`, `registration/`,
//! `subscription/`) sees itself and the floor that all of them stand on (`floor.rs`), never another usage: the requests of ours
//! (`client/`), those of peers (`server/`), the dialogs.

mod account;
mod agent;
mod call_dialog;
mod client;
mod commands;
mod compose;
mod description;
mod event;
mod floor;
mod limits;
mod policy;
mod profile;
mod registration;
mod replace;
mod server;
mod service_route;
mod session;
mod session_timer;
mod subscription;

pub use account::Account;
pub use agent::{Census, Core};
pub use call_dialog::CallDialog;
pub use client::Amend;
pub use compose::{Body, Extra, Outgoing, Reply};
pub use event::{CallInfo, CallState, Cause, EndCause, Event, Wanted};
pub use limits::Limits;
pub use policy::{BackOff, Policy, Redirects};
pub use profile::Profile;
pub use registration::{Binding, KeepAlive, Register};
pub use replace::Replace;
pub use subscription::{Reason, Refer, ReferralEnd, Resubscription, Subscribe, SubscriptionEnd};

use crate::auth::{Login, Scope};
use crate::endpoint::Config;
use crate::error::CommandError;
use crate::id::handles;
use crate::message::{Method, StatusCode};
use crate::stack::Stack;
use crate::time::Instant;

handles! {
    /// A call of a user agent, from the INVITE to the end of its dialogs.
    CallId = Id<CallKind>, "call";
    /// A registration that a user agent keeps, or a query for bindings (RFC 3261 §10.2).
    RegistrationId = Id<RegistrationKind>, "registration";
    /// An account of a user agent.
    AccountId = Id<AccountKind>, "account";
    /// A request of ours, however often it goes out.
    RequestId = Id<RequestKind>, "request";
    /// A subscription of ours: to a state, by SUBSCRIBE, or to what becomes of a REFER (RFC 6665, RFC 3515).
    SubscriptionId = Id<SubscriptionKind>, "subscription";
    /// A REFER of a peer that we have accepted, until its sender is told the outcome (RFC 3515).
    ReferralId = Id<ReferralKind>, "referral";
    /// A request of a peer, while its server transaction lives.
    ServedId = Id<ServedKind>, "served";
}

/// A user agent as a node: feed it, drain it, and command it.
pub type UserAgent = Stack<Core>;

impl Stack<Core> {
    /// A user agent with no listener yet.
    pub fn user_agent(config: Config, profile: Profile) -> Self {
        let core = Core::new(profile, config.seed);
        Self::new(config, core)
    }

    /// Calls an address, such as `Bob <sip:bob@biloxi.com>`: sends an INVITE (RFC 3261 §13.2.1). A body of type `application/sdp` is
    /// the offer. [`Event`]s tell what becomes of the call.
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
    /// # Errors
    /// `Gone`; `WrongState` unless the call is incoming and undecided.
    pub fn ring(&mut self, now: Instant, call: CallId) -> Result<(), CommandError> {
        self.progress(now, call, StatusCode::RINGING, Extra::new())
    }

    /// Says how it goes on: a provisional response from 101 to 199, such as 183 with a session description for early media, repeated
    /// every minute until the decision (RFC 3261 §13.3.1.1). The description is a preview of the answer, which must be the same
    /// (§13.2.1).
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
    /// [`Event::Acknowledged`] tells of the PRACK. Without one in 64·T1 the INVITE is refused with 504. A further response waits for the
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
    /// [`Extension::Reliable`](crate::extension::Extension::Reliable), or the [`Profile`] has it not among its extensions; `HeaderOwned`;
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
    /// if the INVITE has none, an offer, which the ACK in [`Event::Confirmed`] answers. A call that the INVITE replaces ends ([`Event::Incoming`]).
    ///
    /// # Errors
    /// `Gone`; `WrongState` unless the call is incoming and undecided; `HeaderOwned`; `Invalid`: the INVITE has an offer and this no
    /// session description to answer it, or what cannot be carried. `WrongState`, too: see [`Event::Incoming`].
    pub fn answer(&mut self, now: Instant, call: CallId, extra: impl Into<Extra>) -> Result<(), CommandError> {
        let extra = extra.into();
        self.command(now, |core, cx| core.answer(cx, call, &extra))
    }

    /// Answers the offer of a 2xx, of which [`Event::Answered`] or [`Event::Modified`] has told: sends the ACK with this body (RFC 3261
    /// §13.2.2.4). Answers the offer of a reliable provisional response, too, of which [`Event::Progress`] or [`Event::ModifyProgress`] has
    /// told: sends the PRACK with this body (RFC 3262 §5). After [`Profile::answer_time`] the call is ended instead.
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
    /// [`Event::Modified`] or [`Event::ModifyFailed`] tells what has become of the change. A re-INVITE without a session description asks
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

    /// Takes a change back that [`modify`](Self::modify) has asked for: cancels the re-INVITE (RFC 3261 §9.1). [`Event::ModifyFailed`]
    /// follows, or [`Event::Modified`] if the peer has accepted before the CANCEL came.
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
        self.command(now, |core, cx| core.cancel_change(cx, call))
    }

    /// Changes a session, or refreshes the target of its dialog, by an UPDATE (RFC 3311): a session description is an offer, and without one
    /// the peer learns nothing but where this end can be reached. Either end may do so once there is a dialog, also before the INVITE is
    /// answered. [`Event::Modified`] or [`Event::ModifyFailed`] tells what has become of the UPDATE. One that meets a change of the peer's
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

    /// Accepts the change that the peer wants, of which [`Event::Offered`] has told: 200 with this body, to a re-INVITE sent again until
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

    /// Rejects with a status of 300 to 699 (RFC 3261 §13.3.1.3). The handle is gone from then on, and no event follows.
    ///
    /// # Errors
    /// `Gone`; `WrongState` unless the call is incoming and undecided; `HeaderOwned`; `Invalid`: the status, or what cannot be
    /// carried.
    pub fn reject(&mut self, now: Instant, call: CallId, reply: impl Into<Reply>) -> Result<(), CommandError> {
        let reply = reply.into();
        self.command(now, |core, cx| core.reject(cx, call, &reply))
    }

    /// Sends a request of another method outside of dialogs, such as OPTIONS or MESSAGE; [`Event::Replied`] has the final response.
    ///
    /// ```
    /// # use sansip::{Config, Instant, Listener, Seed};
    /// # use sansip::message::Method;
    /// # use sansip::user_agent::{Body, Outgoing, Profile, UserAgent};
    /// let mut alice = UserAgent::user_agent(Config::new(Seed::from_u64(1)), Profile::new("<sip:alice@atlanta.com>".parse()?));
    /// alice.listen(Listener::udp("192.0.2.1:5060".parse()?));
    /// let bob = "<sip:bob@biloxi.com>".parse()?;
    /// alice.ask(Instant::ZERO, Method::Options, &bob)?;
    /// alice.ask(Instant::ZERO, Method::Message, Outgoing::to(&bob).body(Body::new("text/plain", "Watson, come here.")))?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// `Invalid("method")`: there is another command for the method, or it needs a dialog that this does not make; `NotSip`;
    /// `NoListener`; `HeaderOwned`; `Invalid`: what cannot be carried; `Limit("deliveries")`.
    pub fn ask(
        &mut self,
        now: Instant,
        method: Method<'_>,
        outgoing: impl Into<Outgoing>,
    ) -> Result<RequestId, CommandError> {
        let outgoing = outgoing.into();
        self.command(now, |core, cx| core.ask(cx, method, &outgoing))
    }

    /// Sends a request of another method in the dialog of a call, such as INFO (RFC 6086) or MESSAGE; [`Event::Replied`] has the final
    /// response. A response by which the peer says that it knows no such call (481, 404 and others), and none at all, ends the call, too (RFC
    /// 5057 §5.1).
    ///
    /// # Errors
    /// `Gone`; `WrongState` unless the call is established; `Invalid("method")`: there is another command for the method; `HeaderOwned`;
    /// `Invalid`: what cannot be carried; `Limit`: `asks` or `deliveries`.
    pub fn ask_in(
        &mut self,
        now: Instant,
        call: CallId,
        method: Method<'static>,
        extra: impl Into<Extra>,
    ) -> Result<RequestId, CommandError> {
        let extra = extra.into();
        self.command(now, |core, cx| core.ask_in(cx, call, method, &extra))
    }

    /// Answers what [`Event::Asked`] asks, with a final response.
    ///
    /// # Errors
    /// `Gone`: it is answered, or its time is over; `HeaderOwned`; `Invalid`: the status, or what cannot be carried.
    pub fn respond(&mut self, now: Instant, served: ServedId, reply: impl Into<Reply>) -> Result<(), CommandError> {
        let reply = reply.into();
        self.command(now, |core, cx| core.respond(cx, served, &reply))
    }

    /// Gives the logins that [`Event::Wanted`] asks for, and sends the request again if they are all that is wanted. Without a login
    /// the challenges of unknown realms are left out; if no other is left, the request ends with its response.
    ///
    /// # Errors
    /// `Gone`; `WrongState` if nothing was asked; `Invalid`: see [`login`](Self::login).
    pub fn credentials(
        &mut self,
        now: Instant,
        request: RequestId,
        logins: impl IntoIterator<Item = (Scope, Login)>,
    ) -> Result<(), CommandError> {
        let logins = logins.into_iter().collect();
        self.command(now, |core, cx| core.credentials(cx, request, logins))
    }

    /// Gives the other body or Request-URI that [`Event::Wanted`] asks for, and sends the request again.
    ///
    /// # Errors
    /// `Gone`; `WrongState` if nothing was asked; `NotSip`; `Invalid`: the request cannot be written so; `Limit("deliveries")`.
    pub fn amend(&mut self, now: Instant, request: RequestId, amend: Amend) -> Result<(), CommandError> {
        self.command(now, |core, cx| core.amend(cx, request, amend))
    }

    /// Says that the application has nothing to give: the request ends with its response.
    ///
    /// # Errors
    /// `Gone`; `WrongState` if nothing was asked.
    pub fn give_up(&mut self, now: Instant, request: RequestId) -> Result<(), CommandError> {
        self.command(now, |core, cx| core.give_up(cx, request))
    }

    /// The calls that are alive, in the order of their slots.
    pub fn calls(&self) -> impl Iterator<Item = CallInfo<'_>> {
        self.user().calls()
    }
}

#[cfg(test)]
mod tests;
