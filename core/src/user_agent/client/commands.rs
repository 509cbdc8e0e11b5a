//! The commands of a user agent that send requests of other methods, and give what a request of ours needs to go on.

use crate::auth::{Login, Scope};
use crate::error::CommandError;
use crate::message::Method;
use crate::stack::Stack;
use crate::time::Instant;
use crate::user_agent::agent::Core;
use crate::user_agent::client::Amend;
use crate::user_agent::compose::{Extra, Outgoing};
use crate::user_agent::{CallId, RequestId};

impl Stack<Core> {
    /// Sends a request of another method outside of dialogs, such as OPTIONS or MESSAGE; [`Event::Replied`](crate::user_agent::Event::Replied) has the final response.
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

    /// Sends a request of another method in the dialog of a call, such as INFO (RFC 6086) or MESSAGE; [`Event::Replied`](crate::user_agent::Event::Replied) has the final
    /// response. A response by which the peer says that it knows no such call (481, 404 and others), and none at all, ends the call, too (RFC
    /// 5057 §5.1).
    ///
    /// ```
    /// # use sansip::{CallId, CommandError, Instant};
    /// # use sansip::message::Method;
    /// # use sansip::user_agent::{Body, UserAgent};
    /// # fn example(alice: &mut UserAgent, now: Instant, call: CallId) -> Result<(), CommandError> {
    /// let tone = Body::new("application/dtmf-relay", "Signal=5\r\nDuration=160\r\n");
    /// alice.ask_in(now, call, Method::Info, tone)?;
    /// # Ok(())
    /// # }
    /// ```
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

    /// Gives the logins that [`Event::Wanted`](crate::user_agent::Event::Wanted) asks for, and sends the request again if they are all that is wanted. Without a login
    /// the challenges of unknown realms are left out; if no other is left, the request ends with its response.
    ///
    /// ```
    /// # use sansip::{CommandError, Instant};
    /// # use sansip::auth::{Login, Scope, Secret};
    /// # use sansip::user_agent::{Event, UserAgent, Wanted};
    /// # fn example(alice: &mut UserAgent, now: Instant, event: Event) -> Result<(), CommandError> {
    /// if let Event::Wanted { request, wanted: Wanted::Credentials(realms), .. } = event {
    ///     // The user is asked for the password of each realm.
    ///     let logins = realms.iter().map(|wanted| {
    ///         let login = Login::new("alice", Secret::password("s3cret"));
    ///         (Scope::realm(&wanted.realm), login)
    ///     });
    ///     alice.credentials(now, request, logins)?;
    /// }
    /// # Ok(())
    /// # }
    /// ```
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

    /// Gives the other body or Request-URI that [`Event::Wanted`](crate::user_agent::Event::Wanted) asks for, and sends the request again.
    ///
    /// ```
    /// # use sansip::{CommandError, Instant};
    /// # use sansip::user_agent::{Amend, Event, UserAgent, Wanted};
    /// # fn example(alice: &mut UserAgent, now: Instant, event: Event) -> Result<(), Box<dyn std::error::Error>> {
    /// match event {
    ///     // The peer does not understand this body: the request goes without one.
    ///     Event::Wanted { request, wanted: Wanted::Body, .. } => alice.amend(now, request, Amend::Body(None))?,
    ///     Event::Wanted { request, wanted: Wanted::Target, .. } => {
    ///         alice.amend(now, request, Amend::Target("sip:bob@biloxi.com".parse()?))?;
    ///     }
    ///     // There is nothing else to give.
    ///     Event::Wanted { request, .. } => alice.give_up(now, request)?,
    ///     _ => {}
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// `Gone`; `WrongState` if nothing was asked; `NotSip`; `Invalid`: the request cannot be written so; `Limit("deliveries")`.
    pub fn amend(&mut self, now: Instant, request: RequestId, amend: Amend) -> Result<(), CommandError> {
        self.command(now, |core, cx| core.amend(cx, request, amend))
    }

    /// Says that the application has nothing to give: the request ends with its response. For an example see
    /// [`amend`](Self::amend).
    ///
    /// # Errors
    /// `Gone`; `WrongState` if nothing was asked.
    pub fn give_up(&mut self, now: Instant, request: RequestId) -> Result<(), CommandError> {
        self.command(now, |core, cx| core.give_up(cx, request))
    }
}
