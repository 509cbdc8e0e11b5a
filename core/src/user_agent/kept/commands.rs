//! The commands of a user agent that concern flows without a registration.

use crate::error::CommandError;
use crate::stack::Stack;
use crate::time::Instant;
use crate::user_agent::KeptFlowId;
use crate::user_agent::agent::Core;
use crate::user_agent::compose::Outgoing;
use crate::user_agent::keep_alive::KeepAlive;

impl Stack<Core> {
    /// Keeps a flow to a peer alive without a registration: to a proxy or a trunk that knows us by our address, behind a NAT that forgets
    /// (RFC 5626 §4.4 without the rest of it). Asks the peer by OPTIONS at once; with any response the flow is there, which
    /// [`Event::FlowKept`](crate::user_agent::Event::FlowKept) tells, and is kept as `keep_alive` says. Where it is lost,
    /// [`Event::KeptFlowLost`](crate::user_agent::Event::KeptFlowLost) says so, and the peer is asked again: at once if a keep-alive had come through, else after a wait that
    /// doubles ([`Policy::registering`](crate::user_agent::Policy::registering), or [`BackOff::default`](crate::user_agent::BackOff::default)). That lasts until
    /// [`leave_flow`](Self::leave_flow).
    ///
    /// ```
    /// # use sansip::{Config, Duration, Instant, Listener, Seed};
    /// # use sansip::user_agent::{KeepAlive, Outgoing, Profile, UserAgent};
    /// # let mut alice = UserAgent::user_agent(Config::new(Seed::from_u64(1)), Profile::new("<sip:alice@atlanta.com>".parse()?));
    /// alice.listen(Listener::udp("192.0.2.1:5060".parse()?));
    /// let trunk = Outgoing::to(&"<sip:trunk.carrier.com>".parse()?);
    /// let kept = alice.keep_flow(Instant::ZERO, trunk, KeepAlive::options(Duration::from_secs(60)))?;
    /// alice.leave_flow(Instant::ZERO, kept)?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// `Gone`: there is no such account; `NotSip`; `HeaderOwned`; `Invalid`: what cannot be carried; `NoListener`; `Draining`;
    /// `Limit("deliveries")`.
    pub fn keep_flow(
        &mut self,
        now: Instant,
        outgoing: impl Into<Outgoing>,
        keep_alive: KeepAlive,
    ) -> Result<KeptFlowId, CommandError> {
        let outgoing = outgoing.into();
        self.command(now, |core, cx| core.keep_flow(cx, outgoing, keep_alive))
    }

    /// Keeps a flow alive no more. The handle is gone. For an example see [`keep_flow`](Self::keep_flow).
    ///
    /// # Errors
    /// `Gone`.
    pub fn leave_flow(&mut self, now: Instant, kept: KeptFlowId) -> Result<(), CommandError> {
        self.command(now, |core, cx| core.leave_flow(cx, kept))
    }
}
