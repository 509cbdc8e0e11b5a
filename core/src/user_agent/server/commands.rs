//! The commands of a user agent that say who is served, and answer requests of peers.

use crate::auth::{Secret, Settings, Users};
use crate::error::CommandError;
use crate::stack::Stack;
use crate::time::{Duration, Instant};
use crate::user_agent::ServedId;
use crate::user_agent::agent::Core;
use crate::user_agent::compose::Reply;

impl Stack<Core> {
    /// Asks everybody who sends a request for credentials (401, RFC 3261 §22.2) and serves the users who prove themselves; with `None`
    /// it serves all, as at first. Calls that are up go on: what is asked next in their dialogs has to be proved too.
    ///
    /// A caller proves itself for the Request-URI that it has sent, and a proxy on the way puts our Contact in its place. So a user agent
    /// behind a proxy needs [`UriRule::Forwarded`](crate::auth::UriRule::Forwarded), as here; with the default rule it refuses every such
    /// request. One that is called directly, by its Contact, needs no more than `Settings::new`.
    ///
    /// ```
    /// # use sansip::{Config, Instant, Seed};
    /// # use sansip::auth::{Secret, Settings, UriRule, Users};
    /// # use sansip::user_agent::{Profile, UserAgent};
    /// let mut bob = UserAgent::user_agent(Config::new(Seed::from_u64(1)), Profile::new("<sip:bob@biloxi.com>".parse()?));
    /// let mut users = Users::new();
    /// users.insert("alice", Secret::password("s3cret"));
    /// let settings = Settings { uri_rule: UriRule::Forwarded, ..Settings::new("biloxi.com") };
    /// bob.guard(Instant::ZERO, Some((settings, users)))?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// `Invalid`: a setting that no challenge can say.
    pub fn guard(&mut self, now: Instant, settings: Option<(Settings, Users)>) -> Result<(), CommandError> {
        self.command(now, |core, cx| core.guard(cx, settings))
    }

    /// As [`guard`](Self::guard), with users that the application looks up elsewhere, such as in a database:
    /// [`Event::SecretWanted`](crate::user_agent::Event::SecretWanted) asks for each user, and [`secret`](Self::secret) answers. Meanwhile
    /// the request waits, and all else goes on. After `patience` it gets a 504; keep that well below the 32 s that its sender waits.
    ///
    /// ```
    /// # use sansip::auth::{Secret, Settings};
    /// # use sansip::user_agent::{Event, UserAgent};
    /// # use sansip::{CommandError, Duration, Instant};
    /// # fn stored(_: &str) -> Option<String> { None }
    /// # fn example(bob: &mut UserAgent, now: Instant, event: Event) -> Result<(), CommandError> {
    /// bob.guard_with_look_up(now, Settings::new("biloxi.com"), Duration::from_secs(5))?;
    /// // Later:
    /// if let Event::SecretWanted { served, user, .. } = event {
    ///     let password = stored(user.as_str());
    ///     bob.secret(now, served, password.map(|password| (user.as_str(), Secret::password(&password))))?;
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As there.
    pub fn guard_with_look_up(
        &mut self,
        now: Instant,
        settings: Settings,
        patience: Duration,
    ) -> Result<(), CommandError> {
        self.command(now, |core, cx| core.guard_with_look_up(cx, settings, patience))
    }

    /// Answers [`Event::SecretWanted`](crate::user_agent::Event::SecretWanted): the user's name, in clear, and the secret; `None` if there is
    /// no such user, who is then challenged anew as one with a wrong password is. A request that proves itself goes on as if it had just
    /// come. For an example see [`guard_with_look_up`](Self::guard_with_look_up).
    ///
    /// # Errors
    /// `Gone`: the secret was said, or the time for it is over, or the request was cancelled.
    pub fn secret(&mut self, now: Instant, served: ServedId, user: Option<(&str, Secret)>) -> Result<(), CommandError> {
        self.command(now, |core, cx| core.secret(cx, served, user))
    }

    /// Answers what [`Event::Asked`](crate::user_agent::Event::Asked) asks, with a final response.
    ///
    /// ```
    /// # use sansip::{CommandError, Instant};
    /// # use sansip::message::StatusCode;
    /// # use sansip::user_agent::{Body, Event, UserAgent};
    /// # fn example(bob: &mut UserAgent, now: Instant, event: Event) -> Result<(), CommandError> {
    /// // `MESSAGE` is among the methods of the profile.
    /// if let Event::Asked { served, request, .. } = event {
    ///     let known = Body::of_request(&request).is_some_and(|body| body.content_type == "text/plain");
    ///     let status = if known { StatusCode::OK } else { StatusCode::UNSUPPORTED_MEDIA_TYPE };
    ///     bob.respond(now, served, status)?;
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// `Gone`: it is answered, or its time is over; `HeaderOwned`; `Invalid`: the status, or what cannot be carried.
    pub fn respond(&mut self, now: Instant, served: ServedId, reply: impl Into<Reply>) -> Result<(), CommandError> {
        let reply = reply.into();
        self.command(now, |core, cx| core.respond(cx, served, &reply))
    }
}
