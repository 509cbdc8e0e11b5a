//! The user agent: UAC core and UAS core over one endpoint (RFC 3261 §8 to §15).
//!
//! Reading order: [`Profile`], [`Event`], the commands of [`UserAgent`], then the core behind them. `agent.rs` gives each indication
//! to whom it is for, `serve.rs` each request of a peer, and `commands/` each command; the application's side of a command stands beside what it commands
//! (`session/commands.rs` and so on). A usage (`session/`, `registration/`,
//! `subscription/`) sees itself and the floor that all of them stand on (`floor.rs`), never another usage: the requests of ours
//! (`client/`), those of peers (`server/`), the dialogs.

mod account;
mod agent;
mod call_dialog;
mod cause;
mod client;
mod commands;
mod compose;
mod description;
mod event;
mod floor;
mod keep_alive;
mod kept;
mod limits;
mod policy;
mod profile;
mod registration;
mod replace;
mod serve;
mod server;
mod service_route;
mod session;
mod session_timer;
mod subscription;

pub use account::{Account, Instance};
pub use agent::{Census, Core};
pub use call_dialog::CallDialog;
pub use client::Amend;
pub use compose::{Body, Extra, Messages, Outgoing, Reply};
pub use event::{CallInfo, CallState, Cause, EndCause, Event, Wanted};
pub use keep_alive::KeepAlive;
pub use limits::Limits;
pub use policy::{BackOff, Policy, Redirects};
pub use profile::Profile;
pub use registration::{Binding, Register};
pub use replace::Replace;
pub use subscription::{Reason, Refer, ReferralEnd, Resubscription, Subscribe, SubscriptionEnd};

use crate::endpoint::Config;
use crate::error::CommandError;
use crate::flow::ListenerId;
use crate::id::handles;
use crate::stack::Stack;
use crate::time::Instant;
use crate::transport::Listener;

handles! {
    /// A call of a user agent, from the INVITE to the end of its dialogs.
    CallId = Id<CallKind>, "call";
    /// A registration that a user agent keeps, or a query for bindings (RFC 3261 §10.2).
    RegistrationId = Id<RegistrationKind>, "registration";
    /// An account of a user agent.
    AccountId = Id<AccountKind>, "account";
    /// A flow that is kept alive without a registration.
    KeptFlowId = Id<KeptFlowKind>, "kept flow";
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
    ///
    /// ```
    /// # use sansip::{Config, Listener, Seed};
    /// # use sansip::user_agent::{Profile, UserAgent};
    /// let profile = Profile::new("Alice <sip:alice@atlanta.com>".parse()?);
    /// let mut alice = UserAgent::user_agent(Config::new(Seed::from_u64(1)), profile);
    /// alice.listen(Listener::udp("192.0.2.1:5060".parse()?));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn user_agent(config: Config, profile: Profile) -> Self {
        let core = Core::new(profile, config.seed);
        Self::new(config, core)
    }

    /// Says that a listener has moved: the host has another address, and the driver has bound `to` in the place of what it had bound for this
    /// handle. What names the listener is made true again:
    ///
    /// * Via and Contact of all that is sent from now on say the new place. Connections of an IP address that is no more are closed.
    /// * Each registration that was accepted along the listener is made anew at once, and its REGISTER removes the contact of before (RFC 3261
    ///   §10.2.2, §10.2.4).
    /// * The peer of each established call is told by a target refresh (§12.2): an UPDATE without a session description (RFC 3311 §5.1), or, where
    ///   the session timer knows that the peer does not take UPDATE, a re-INVITE with the last description. A call whose session is being changed
    ///   is told as soon as that is done. A call of ours that is not answered yet is told once it is established: no earlier, as the responses to
    ///   its INVITE go to the place that its Via names anyway. For a call of the peer's that is not answered yet the 2xx says the new place. Where a peer cannot be told so,
    ///   [`Event::MoveUntold`] says it: the application [modifies](Self::modify) the session. It has to do that too where the media have moved.
    ///   With [`Policy::tells_moves`] off the application does all of this by its own changes.
    /// * Each subscription is refreshed (RFC 6665 §4.1.2.2).
    ///
    /// An account whose [`contact`](Account::contact) is given names no listener: there, only registrations that are kept alive are made anew.
    ///
    /// ```
    /// # use sansip::{Config, Instant, Listener, Seed};
    /// # use sansip::user_agent::{Profile, UserAgent};
    /// # let mut alice = UserAgent::user_agent(Config::new(Seed::from_u64(1)), Profile::new("<sip:alice@atlanta.com>".parse()?));
    /// let listener = alice.listen(Listener::udp("192.0.2.1:5060".parse()?));
    /// alice.register(Instant::ZERO, &"sip:registrar.atlanta.com".parse()?)?;
    /// // From the Wi-Fi to the mobile network.
    /// alice.listener_moved(Instant::from_millis(60_000), listener, Listener::udp("198.51.100.7:5060".parse()?))?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// `Gone`: there is no such listener; `Invalid("listener")`: `to` has another protocol.
    pub fn listener_moved(&mut self, now: Instant, listener: ListenerId, to: Listener) -> Result<(), CommandError> {
        self.command(now, |core, cx| core.listener_moved(cx, listener, to))
    }

    /// Ends all that this user agent does: hangs up each call by what ends it now, ends all subscriptions, those of REFERs of peers included, and
    /// removes the bindings of all registrations. From now on each request of a peer outside of dialogs gets a 503, and so does each REFER, one
    /// included that waits for the application. Commands that begin something return `Draining`. Each end is told as ever. When no call, no
    /// subscription and no request of ours is left that waits for an answer, [`Event::ShutDown`] says so; that takes 64·T1 for a peer that says nothing.
    /// Asked again it says so again; a removal that has failed is not made a second time.
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

#[cfg(test)]
mod tests;
