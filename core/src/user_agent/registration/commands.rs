//! The commands of a user agent that concern registrations (RFC 3261 §10.2).

use super::Register;
use crate::error::CommandError;
use crate::stack::Stack;
use crate::time::Instant;
use crate::user_agent::RegistrationId;
use crate::user_agent::agent::Core;
use crate::user_agent::compose::Extra;

impl Stack<Core> {
    /// Binds contacts to an address-of-record at a registrar, our own to the identity if nothing else is said, and refreshes the
    /// bindings before they end (RFC 3261 §10.2). One address-of-record has one registration at one registrar: a second command
    /// changes it, after the answer to the first if that is still out. A binding that the second does not name is left to end by
    /// itself. [`Event::Registered`](crate::user_agent::Event::Registered) or [`Event::RegistrationFailed`](crate::user_agent::Event::RegistrationFailed) follows.
    ///
    /// ```
    /// # use sansip::{Config, Instant, Listener, Seed};
    /// # use sansip::user_agent::{Profile, Register, UserAgent};
    /// let mut alice = UserAgent::user_agent(Config::new(Seed::from_u64(1)), Profile::new("<sip:alice@atlanta.com>".parse()?));
    /// alice.listen(Listener::udp("192.0.2.1:5060".parse()?));
    /// let registrar = "sip:registrar.atlanta.com".parse()?;
    /// let registration = alice.register(Instant::ZERO, &registrar)?;
    /// // The same one, from now on for ten minutes at a time.
    /// assert_eq!(alice.register(Instant::ZERO, Register::at(&registrar).expires(600))?, registration);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// `NotSip`: registrar, address-of-record or a route; `HeaderOwned`; `Invalid`: a `q` above 1000, our contact twice, a
    /// [flow](Register::outbound) without an instance or beside other contacts, or what cannot be carried; `NoListener`; `Limit("deliveries")`.
    pub fn register(&mut self, now: Instant, register: impl Into<Register>) -> Result<RegistrationId, CommandError> {
        let register = register.into();
        self.command(now, |core, cx| core.register(cx, register))
    }

    /// Removes the bindings of a registration (RFC 3261 §10.2.2). With the 2xx, which [`Event::Registered`](crate::user_agent::Event::Registered) tells, the handle is gone.
    ///
    /// ```
    /// # use sansip::{Config, Instant, Listener, Seed};
    /// # use sansip::user_agent::{Profile, UserAgent};
    /// # let mut alice = UserAgent::user_agent(Config::new(Seed::from_u64(1)), Profile::new("<sip:alice@atlanta.com>".parse()?));
    /// # alice.listen(Listener::udp("192.0.2.1:5060".parse()?));
    /// let registration = alice.register(Instant::ZERO, &"sip:registrar.atlanta.com".parse()?)?;
    /// alice.unregister(Instant::ZERO, registration)?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// `Gone`; `NoListener`; `Limit("deliveries")`.
    pub fn unregister(&mut self, now: Instant, registration: RegistrationId) -> Result<(), CommandError> {
        self.unregister_with(now, registration, Extra::new())
    }

    /// As [`unregister`](Self::unregister), with what the REGISTER carries besides: fields that stand before those of [`Register`] and in the
    /// place of those that have the same name there, or another body.
    ///
    /// ```
    /// # use sansip::{CommandError, Instant, RegistrationId};
    /// # use sansip::user_agent::{Extra, UserAgent};
    /// # fn example(alice: &mut UserAgent, now: Instant, registration: RegistrationId) -> Result<(), CommandError> {
    /// alice.unregister_with(now, registration, Extra::new().header("X-Why", "power off"))?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As there; `HeaderOwned`: also Expires; `Invalid`: what cannot be carried.
    pub fn unregister_with(
        &mut self,
        now: Instant,
        registration: RegistrationId,
        extra: impl Into<Extra>,
    ) -> Result<(), CommandError> {
        let extra = extra.into();
        self.command(now, |core, cx| core.unregister(cx, registration, &extra))
    }

    /// Removes whatever is bound to an address-of-record at a registrar, by whomever: `Contact: *` (RFC 3261 §10.2.2). Contacts and
    /// intervals of `register` do not count.
    ///
    /// ```
    /// # use sansip::{Config, Instant, Listener, Seed};
    /// # use sansip::user_agent::{Profile, UserAgent};
    /// # let mut alice = UserAgent::user_agent(Config::new(Seed::from_u64(1)), Profile::new("<sip:alice@atlanta.com>".parse()?));
    /// # alice.listen(Listener::udp("192.0.2.1:5060".parse()?));
    /// alice.unregister_all(Instant::ZERO, &"sip:registrar.atlanta.com".parse()?)?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// As [`register`](Self::register).
    pub fn unregister_all(
        &mut self,
        now: Instant,
        register: impl Into<Register>,
    ) -> Result<RegistrationId, CommandError> {
        let register = register.into();
        self.command(now, |core, cx| core.unregister_all(cx, register))
    }

    /// Removes the bindings of every registration: the end of a user agent's day. When each has its answer, or was given up,
    /// [`Event::Unregistered`](crate::user_agent::Event::Unregistered) says so.
    ///
    /// ```
    /// # use sansip::{Config, Instant, Node, Output, Seed};
    /// # use sansip::user_agent::{Event, Profile, UserAgent};
    /// # let mut alice = UserAgent::user_agent(Config::new(Seed::from_u64(1)), Profile::new("<sip:alice@atlanta.com>".parse()?));
    /// alice.unregister_everywhere(Instant::ZERO);
    /// // There was nothing to remove.
    /// assert!(matches!(alice.poll(), Some(Output::Event(Event::Unregistered))));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn unregister_everywhere(&mut self, now: Instant) {
        self.command(now, Core::unregister_everywhere);
    }

    /// Asks for the bindings of an address-of-record without a change (RFC 3261 §10.2.3). [`Event::Bindings`](crate::user_agent::Event::Bindings) or
    /// [`Event::RegistrationFailed`](crate::user_agent::Event::RegistrationFailed) follows, and with it the handle is gone. Contacts and intervals of `register` do not count.
    ///
    /// ```
    /// # use sansip::{Config, Instant, Listener, Seed};
    /// # use sansip::user_agent::{Profile, UserAgent};
    /// # let mut alice = UserAgent::user_agent(Config::new(Seed::from_u64(1)), Profile::new("<sip:alice@atlanta.com>".parse()?));
    /// # alice.listen(Listener::udp("192.0.2.1:5060".parse()?));
    /// let query = alice.query_bindings(Instant::ZERO, &"sip:registrar.atlanta.com".parse()?)?;
    /// # let _ = query;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// As [`register`](Self::register).
    pub fn query_bindings(
        &mut self,
        now: Instant,
        register: impl Into<Register>,
    ) -> Result<RegistrationId, CommandError> {
        let register = register.into();
        self.command(now, |core, cx| core.query_bindings(cx, register))
    }
}
