//! The commands of a user agent that concern REFER (RFC 3515).

use super::Refer;
use crate::error::CommandError;
use crate::stack::Stack;
use crate::time::Instant;
use crate::user_agent::agent::Core;
use crate::user_agent::compose::{Extra, Outgoing, Reply};
use crate::user_agent::{CallId, ReferralId, ServedId, SubscriptionId};

impl Stack<Core> {
    /// Asks the peer of a call to contact somebody: sends a REFER in the dialog of the call (RFC 3515 §2.4.1). The REFER makes a subscription to what
    /// becomes of that: [`Event::Notified`](crate::user_agent::Event::Notified) has the status,
    /// [`Event::SubscriptionEnded`](crate::user_agent::Event::SubscriptionEnded) tells that there is no more, or that the REFER was refused. The
    /// call goes on; the subscription outlives it (RFC 5057 §5.5).
    ///
    /// ```
    /// # use sansip::{CallId, CommandError, Instant};
    /// # use sansip::user_agent::{Event, Refer, UserAgent};
    /// # fn example(bob: &mut UserAgent, now: Instant, call: CallId, event: Event) -> Result<(), Box<dyn std::error::Error>> {
    /// // Bob gives the call to Carol.
    /// let carol = "sip:carol@cleveland.example.org".parse()?;
    /// bob.refer(now, call, Refer::to(&carol).referred_by(&"<sip:bob@biloxi.com>".parse()?))?;
    /// // Later: the peer has reached Carol, and the call with Bob has no use any more.
    /// if let Event::Notified { status: Some(status), .. } = event
    ///     && status.is_success()
    /// {
    ///     bob.hang_up(now, call)?;
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// `Gone`; `WrongState` unless the call is established; `HeaderOwned`; `Invalid`: `extension` if `norefersub` is not used, or what cannot be
    /// carried; `NoListener`; `Limit`: `subscriptions` or `deliveries`.
    pub fn refer(
        &mut self,
        now: Instant,
        call: CallId,
        refer: impl Into<Refer>,
    ) -> Result<SubscriptionId, CommandError> {
        let refer = refer.into();
        self.command(now, |core, cx| core.refer(cx, call, &refer))
    }

    /// Asks somebody to contact somebody else, as [`refer`](Self::refer) does, without a call: the REFER makes a dialog of its own, and may fork (RFC
    /// 3515 §3.9).
    ///
    /// ```
    /// # use sansip::{Config, Instant, Listener, Seed};
    /// # use sansip::user_agent::{Profile, UserAgent};
    /// let mut alice = UserAgent::user_agent(Config::new(Seed::from_u64(1)), Profile::new("<sip:alice@atlanta.com>".parse()?));
    /// alice.listen(Listener::udp("192.0.2.1:5060".parse()?));
    /// // Alice's program asks her desk phone to call Bob.
    /// alice.refer_outside(Instant::ZERO, &"<sip:desk@atlanta.com>".parse()?, &"sip:bob@biloxi.com".parse()?)?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// `NotSip`; otherwise as [`refer`](Self::refer).
    pub fn refer_outside(
        &mut self,
        now: Instant,
        outgoing: impl Into<Outgoing>,
        refer: impl Into<Refer>,
    ) -> Result<SubscriptionId, CommandError> {
        let (outgoing, refer) = (outgoing.into(), refer.into());
        self.command(now, |core, cx| core.refer_outside(cx, outgoing, &refer))
    }

    /// Accepts a REFER of which [`Event::Referred`](crate::user_agent::Event::Referred) has told: 202, and a NOTIFY at once (RFC 3515 §2.4.2, §2.4.4).
    /// From then on the application has to contact the target, and to tell with [`notify_refer`](Self::notify_refer) how that goes. `None`: the
    /// referrer does not want to be told (RFC 4488). [`respond`](Self::respond) refuses a REFER; 603 is the safest status (RFC 5057 §5.6).
    ///
    /// ```
    /// # use sansip::{CallId, Instant, ReferralId};
    /// # use sansip::user_agent::{Body, Event, Outgoing, UserAgent};
    /// # fn example(alice: &mut UserAgent, now: Instant, event: Event) -> Result<(), Box<dyn std::error::Error>> {
    /// if let Event::Referred { served, request, .. } = event {
    ///     let call = Outgoing::referred(&request)?.body(Body::sdp("v=0\r\n"));
    ///     let referral: Option<ReferralId> = alice.accept_refer(now, served)?;
    ///     let call: CallId = alice.call(now, call)?;
    ///     // What becomes of `call` is told to the referrer by `notify_refer(now, referral, status)`.
    /// #   let _ = (referral, call);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// `Gone`: it is answered, its time is over, or its dialog is; `WrongState`: it is no REFER; `NoListener`; `Limit("subscriptions")`.
    pub fn accept_refer(&mut self, now: Instant, served: ServedId) -> Result<Option<ReferralId>, CommandError> {
        self.accept_refer_with(now, served, Extra::new())
    }

    /// As [`accept_refer`](Self::accept_refer), with header fields and a body of the 202, or of the 200 where the referrer does not want to be
    /// told.
    ///
    /// ```
    /// # use sansip::{CommandError, Instant};
    /// # use sansip::user_agent::{Event, Extra, UserAgent};
    /// # fn example(alice: &mut UserAgent, now: Instant, event: Event) -> Result<(), CommandError> {
    /// if let Event::Referred { served, .. } = event {
    ///     alice.accept_refer_with(now, served, Extra::new().header("X-Ticket", "4711"))?;
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As there; `HeaderOwned`: also Expires; `Invalid`: what cannot be carried.
    pub fn accept_refer_with(
        &mut self,
        now: Instant,
        served: ServedId,
        extra: impl Into<Extra>,
    ) -> Result<Option<ReferralId>, CommandError> {
        let extra = extra.into();
        self.command(now, |core, cx| core.accept_refer(cx, served, &extra))
    }

    /// Tells the referrer how its REFER goes: the status of the last response to what it has asked for, or the like (RFC 3515 §2.4.5). A final
    /// status is the outcome, and the handle is gone. A [`Reply`] shows fields and a body of that response too, such as the Contacts of a
    /// redirection or the Warning of a refusal (RFC 3420).
    ///
    /// ```
    /// # use sansip::{CommandError, Instant, ReferralId};
    /// # use sansip::message::StatusCode;
    /// # use sansip::user_agent::{Event, Reply, UserAgent};
    /// # fn example(alice: &mut UserAgent, now: Instant, referral: ReferralId, event: Event) -> Result<(), CommandError> {
    /// match event {
    ///     Event::Progress { response, .. } | Event::Answered { response, .. } => {
    ///         alice.notify_refer(now, referral, response.status())?;
    ///     }
    ///     Event::Failed { cause, .. } => {
    ///         let told = Reply::new(cause.counts_as()).warning("Nobody is at home");
    ///         alice.notify_refer(now, referral, told)?;
    ///     }
    ///     _ => {}
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// `Gone`: the outcome is told, or the referrer is not told any more; `HeaderOwned`; `Invalid`: what cannot be carried.
    pub fn notify_refer(
        &mut self,
        now: Instant,
        referral: ReferralId,
        reply: impl Into<Reply>,
    ) -> Result<(), CommandError> {
        let reply = reply.into();
        self.command(now, |core, cx| core.notify_refer(cx, referral, &reply))
    }
}
