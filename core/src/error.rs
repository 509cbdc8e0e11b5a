//! The errors of commands, which are the caller's own (what a peer does wrong is never one of these), and the names of limits.
//!
//! ```
//! use sansip::user_agent::{Profile, UserAgent};
//! use sansip::{CommandError, Config, Instant, Seed};
//!
//! let mut alice = UserAgent::user_agent(Config::new(Seed::from_u64(1)), Profile::new("<sip:alice@atlanta.com>".parse()?));
//! let refused = alice.call(Instant::ZERO, &"<sip:bob@biloxi.com>".parse()?);
//! assert_eq!(refused, Err(CommandError::NoListener));
//! assert_eq!(CommandError::NoListener.to_string(), "the node has no listener");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

use core::fmt;

/// Why a command was not carried out. Nothing has changed and nothing was sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum CommandError {
    /// The handle names something that is over.
    Gone,
    /// An argument cannot be used; the word says which.
    Invalid(&'static str),
    /// A limit of [`Limits`](crate::Limits) is reached; the word says which.
    Limit(&'static str),
    /// The endpoint is draining: it begins nothing new.
    Draining,
    /// The thing is alive, but not in a state in which this can be done.
    WrongState,
    /// A header field that the stack writes itself was given; the word is its name.
    HeaderOwned(&'static str),
    /// An address or route is no SIP or SIPS URI.
    NotSip,
    /// There is no listener: the node has no address of its own.
    NoListener,
}

impl fmt::Display for CommandError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Gone => f.write_str("the handle names something that is over"),
            Self::Invalid(what) => write!(f, "{what} cannot be used"),
            Self::Limit(what) => write!(f, "the limit `{what}` is reached"),
            Self::Draining => f.write_str("the endpoint is draining"),
            Self::WrongState => f.write_str("this cannot be done in the present state"),
            Self::HeaderOwned(name) => write!(f, "the stack writes {name} itself"),
            Self::NotSip => f.write_str("an address or route is no SIP or SIPS URI"),
            Self::NoListener => f.write_str("the node has no listener"),
        }
    }
}

impl core::error::Error for CommandError {}

/// The name of a limit at which something that peers want is refused: what
/// [`Indication::Overload`](crate::Indication::Overload) tells. Each layer names its own limits, as constants of this type.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Limit(&'static str);

impl Limit {
    /// The limit of that name: of the field that sets it.
    pub const fn named(name: &'static str) -> Self {
        Self(name)
    }

    /// The name of the field that sets this limit.
    pub const fn name(self) -> &'static str {
        self.0
    }
}

impl fmt::Debug for Limit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Limit({})", self.0)
    }
}

#[cfg(test)]
mod tests {
    use alloc::string::ToString;

    use super::CommandError;

    #[test]
    fn each_error_is_a_plain_sentence() {
        for (error, sentence) in [
            (CommandError::Gone, "the handle names something that is over"),
            (CommandError::Invalid("body"), "body cannot be used"),
            (CommandError::Limit("calls"), "the limit `calls` is reached"),
            (CommandError::Draining, "the endpoint is draining"),
            (CommandError::WrongState, "this cannot be done in the present state"),
            (CommandError::HeaderOwned("Via"), "the stack writes Via itself"),
            (CommandError::NotSip, "an address or route is no SIP or SIPS URI"),
            (CommandError::NoListener, "the node has no listener"),
        ] {
            assert_eq!(error.to_string(), sentence);
        }
    }
}
