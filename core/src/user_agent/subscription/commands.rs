//! The commands of a user agent that concern subscriptions (RFC 6665 §4.1).

use super::Subscribe;
use crate::error::CommandError;
use crate::stack::Stack;
use crate::time::Instant;
use crate::user_agent::SubscriptionId;
use crate::user_agent::agent::Core;
use crate::user_agent::compose::Extra;

impl Stack<Core> {
    /// Subscribes to a state of somebody (RFC 6665 §4.1.2.1), and refreshes the subscription before it ends. Each NOTIFY is told by
    /// [`Event::Notified`](crate::user_agent::Event::Notified), and answered by the core. A SUBSCRIBE that forks makes several subscriptions:
    /// [`Event::SubscriptionForked`](crate::user_agent::Event::SubscriptionForked). [`Event::SubscriptionEnded`](crate::user_agent::Event::SubscriptionEnded)
    /// tells of the end.
    ///
    /// ```
    /// # use sansip::{Config, Instant, Listener, Seed};
    /// # use sansip::user_agent::{Profile, Subscribe, UserAgent};
    /// let mut alice = UserAgent::user_agent(Config::new(Seed::from_u64(1)), Profile::new("<sip:alice@atlanta.com>".parse()?));
    /// alice.listen(Listener::udp("192.0.2.1:5060".parse()?));
    /// let bob = "<sip:bob@biloxi.com>".parse()?;
    /// let presence = alice.subscribe(Instant::ZERO, Subscribe::to(&bob, "presence").expires(600))?;
    /// // The state once, without a subscription that lasts (RFC 6665 §4.4.3).
    /// let once = alice.subscribe(Instant::ZERO, Subscribe::to(&bob, "dialog").expires(0))?;
    /// # assert_ne!(presence, once);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// `NotSip`; `NoListener`; `HeaderOwned`: also Event, Expires and Accept; `Invalid`: event package, type, or what cannot be carried;
    /// `Limit`: `subscriptions` or `deliveries`.
    pub fn subscribe(&mut self, now: Instant, subscribe: Subscribe) -> Result<SubscriptionId, CommandError> {
        self.command(now, |core, cx| core.subscribe(cx, subscribe))
    }

    /// Ends a subscription (RFC 6665 §4.1.2.3). One that is not made yet ends as soon as it is made. One last NOTIFY may tell the state;
    /// [`Event::SubscriptionEnded`](crate::user_agent::Event::SubscriptionEnded) follows.
    ///
    /// ```
    /// # use sansip::{Config, Instant, Listener, Seed};
    /// # use sansip::user_agent::{Profile, Subscribe, UserAgent};
    /// # let mut alice = UserAgent::user_agent(Config::new(Seed::from_u64(1)), Profile::new("<sip:alice@atlanta.com>".parse()?));
    /// # alice.listen(Listener::udp("192.0.2.1:5060".parse()?));
    /// let presence = alice.subscribe(Instant::ZERO, Subscribe::to(&"<sip:bob@biloxi.com>".parse()?, "presence"))?;
    /// alice.unsubscribe(Instant::ZERO, presence)?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// `Gone`; `WrongState` if its end is asked for already, or it was to be told once; `NoListener`; `Invalid`: the dialog leads nowhere;
    /// `Limit("deliveries")`.
    pub fn unsubscribe(&mut self, now: Instant, subscription: SubscriptionId) -> Result<(), CommandError> {
        self.unsubscribe_with(now, subscription, Extra::new())
    }

    /// As [`unsubscribe`](Self::unsubscribe), with what the SUBSCRIBE carries besides: fields that stand before those of [`Subscribe`] and in the
    /// place of those that have the same name there, or another body. Where the end needs no SUBSCRIBE nothing is carried.
    ///
    /// ```
    /// # use sansip::{CommandError, Instant, SubscriptionId};
    /// # use sansip::user_agent::{Extra, UserAgent};
    /// # fn example(alice: &mut UserAgent, now: Instant, presence: SubscriptionId) -> Result<(), CommandError> {
    /// alice.unsubscribe_with(now, presence, Extra::new().header("X-Why", "window closed"))?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As there; `HeaderOwned`: also Event, Expires and Accept; `Invalid`: what cannot be carried.
    pub fn unsubscribe_with(
        &mut self,
        now: Instant,
        subscription: SubscriptionId,
        extra: impl Into<Extra>,
    ) -> Result<(), CommandError> {
        let extra = extra.into();
        self.command(now, |core, cx| core.unsubscribe(cx, subscription, &extra))
    }

    /// Ends every subscription, as [`unsubscribe`](Self::unsubscribe) does. Each end is told by an event of its own.
    ///
    /// ```
    /// # use sansip::{Config, Instant, Listener, Seed};
    /// # use sansip::user_agent::{Profile, Subscribe, UserAgent};
    /// # let mut alice = UserAgent::user_agent(Config::new(Seed::from_u64(1)), Profile::new("<sip:alice@atlanta.com>".parse()?));
    /// alice.unsubscribe_everywhere(Instant::ZERO);
    /// assert_eq!(alice.subscriptions().count(), 0);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn unsubscribe_everywhere(&mut self, now: Instant) {
        self.command(now, Core::unsubscribe_everywhere);
    }

    /// Refreshes a subscription now, so that its notifier tells the state again (RFC 6665 §4.4.3). Nobody need do this to keep it.
    ///
    /// ```
    /// # use sansip::{CommandError, Instant, SubscriptionId};
    /// # use sansip::user_agent::UserAgent;
    /// # fn example(alice: &mut UserAgent, now: Instant, presence: SubscriptionId) -> Result<(), CommandError> {
    /// alice.refresh_subscription(now, presence)?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// `Gone`; `WrongState` before its first NOTIFY, while a SUBSCRIBE of it is out, or once its end is asked for; `NoListener`; `Invalid`: the
    /// dialog leads nowhere; `Limit("deliveries")`.
    pub fn refresh_subscription(&mut self, now: Instant, subscription: SubscriptionId) -> Result<(), CommandError> {
        self.command(now, |core, cx| core.refresh_subscription(cx, subscription))
    }

    /// The subscriptions that are alive, in the order of their slots.
    pub fn subscriptions(&self) -> impl Iterator<Item = SubscriptionId> {
        self.user().subscriptions()
    }
}
