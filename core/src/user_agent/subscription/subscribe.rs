//! The wishes of a SUBSCRIBE of ours (RFC 6665 §4.1.2.1).

use alloc::boxed::Box;
use alloc::vec::Vec;

use super::book::EventName;
use crate::error::CommandError;
use crate::message::HeaderId;
use crate::message::header::{Accept, Event, Header};
use crate::user_agent::compose::{Extra, Outgoing};

/// The interval that is asked for unless something else is said, in seconds.
const EXPIRES: u32 = 3_600;

/// The header fields that the core writes into a SUBSCRIBE besides those of every request.
const OWNED: [HeaderId; 4] = [HeaderId::Event, HeaderId::Expires, HeaderId::Accept, HeaderId::SubscriptionState];

/// The wishes of a subscriber: whose state, of which event package, for how long (RFC 6665 §4.1.2.1).
///
/// ```
/// # use sansip::user_agent::Subscribe;
/// let bob = "<sip:bob@biloxi.com>".parse()?;
/// // Bob's presence, for an hour at a time.
/// let presence = Subscribe::to(&bob, "presence").accept("application/pidf+xml");
/// // Whether there is mail, once.
/// let mail = Subscribe::to(&bob, "message-summary").expires(0);
/// # let _ = (presence, mail);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct Subscribe {
    pub(super) outgoing: Outgoing,
    /// The value of Event.
    pub(super) event: Box<str>,
    pub(super) expires: u32,
    accept: Vec<Box<str>>,
}

impl Subscribe {
    /// A subscription of an hour at a time to the state of that address: of the event package that `event` names, a value of Event such as
    /// `presence` or `dialog;id=7` (RFC 6665 §8.2.1).
    pub fn to(outgoing: impl Into<Outgoing>, event: &str) -> Self {
        Self { outgoing: outgoing.into(), event: event.into(), expires: EXPIRES, accept: Vec::new() }
    }

    /// Sets the interval in seconds that is asked for; 0 asks for the state once (RFC 6665 §4.4.3).
    #[must_use]
    pub const fn expires(mut self, seconds: u32) -> Self {
        self.expires = seconds;
        self
    }

    /// Adds a type that the bodies of NOTIFYs may have, such as `application/pidf+xml`; without any the event package's own types are meant
    /// (RFC 6665 §3.1.3).
    #[must_use]
    pub fn accept(mut self, content_type: &str) -> Self {
        self.accept.push(content_type.into());
        self
    }

    /// The name of what is subscribed to, if all of this can be sent.
    ///
    /// # Errors
    /// `Invalid`: Event or Accept; `HeaderOwned`.
    pub(super) fn check(&self) -> Result<EventName, CommandError> {
        check_owned(&self.outgoing.extra)?;
        if self.accept.iter().any(|value| Accept::parse(value.as_bytes()).is_err()) {
            return Err(CommandError::Invalid("type"));
        }
        Event::parse(self.event.as_bytes()).map(EventName::of).map_err(|_| CommandError::Invalid("event"))
    }

    /// The fields that each SUBSCRIBE has besides those of every request.
    pub(super) fn fields(&self, expires: u32) -> Extra {
        let extra = Extra::new().with(HeaderId::Event, &*self.event);
        let extra = extra.with(HeaderId::Expires, alloc::format!("{expires}"));
        if self.accept.is_empty() { extra } else { extra.with(HeaderId::Accept, self.accept.join(", ")) }
    }
}

/// Whether a SUBSCRIBE can carry this besides what the core writes.
///
/// # Errors
/// `HeaderOwned`: also Event, Expires and Accept; as [`Extra::check`].
pub(super) fn check(extra: &Extra) -> Result<(), CommandError> {
    extra.check_request()?;
    check_owned(extra)
}

fn check_owned(extra: &Extra) -> Result<(), CommandError> {
    let owned = OWNED.into_iter().find(|id| extra.contains(*id));
    owned.map_or(Ok(()), |id| Err(CommandError::HeaderOwned(id.as_str())))
}
