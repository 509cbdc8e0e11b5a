//! Option tags: which extensions a node supports, and which a request demands (RFC 3261 §19.2).
//!
//! ```
//! use sansip::extension::{Extension, Extensions};
//!
//! let supported = Extensions::of(&[Extension::Reliable, Extension::Replaces]);
//! assert!(supported.contains(Extension::Reliable));
//! assert!(!supported.without(Extension::Reliable).contains(Extension::Reliable));
//! assert_eq!(Extension::of("100rel"), Some(Extension::Reliable));
//! ```

use alloc::string::String;
use core::fmt;

use crate::message::header::{Header, ProxyRequire, Require, Supported};
use crate::message::{HeaderId, Headers, ParseError, ParseErrorKind};

/// Declares the extensions with their option tags, and the list of all.
macro_rules! extensions {
    ($($(#[$doc:meta])* $name:ident = $tag:literal,)*) => {
        /// An extension that has an option tag. To be named here says nothing about support: each core has its own
        /// [`Extensions`].
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[repr(u8)]
        #[non_exhaustive]
        pub enum Extension {
            $($(#[$doc])* $name,)*
        }

        impl Extension {
            /// Every extension, in the order of the option tags.
            pub const ALL: &[Self] = &[$(Self::$name,)*];

            /// The option tag.
            pub const fn tag(self) -> &'static str {
                match self {
                    $(Self::$name => $tag,)*
                }
            }
        }
    };
}

extensions! {
    /// Reliable provisional responses (RFC 3262).
    Reliable = "100rel",
    /// The response that tells of an early dialog's end (RFC 6228).
    EarlyDialogTerminated = "199",
    /// Subscriptions to a list of resources (RFC 4662).
    EventList = "eventlist",
    /// A change of From and To URIs within a dialog (RFC 4916).
    FromChange = "from-change",
    /// Globally routable user agent URIs (RFC 5627).
    Gruu = "gruu",
    /// History-Info (RFC 7044).
    History = "histinfo",
    /// A REFER without its implicit subscription (RFC 4488).
    NoReferSubscription = "norefersub",
    /// Connections that a user agent has opened (RFC 5626).
    Outbound = "outbound",
    /// The way of a REGISTER, for the requests back (RFC 3327).
    Path = "path",
    /// Caller preferences (RFC 3840).
    Preferences = "pref",
    /// Privacy (RFC 3323).
    Privacy = "privacy",
    /// A call that takes the place of another (RFC 3891).
    Replaces = "replaces",
    /// A request that names another dialog (RFC 4538).
    TargetDialog = "tdialog",
    /// Session timers (RFC 4028).
    Timer = "timer",
}

impl Extension {
    /// The extension of this option tag. Option tags are tokens: their case does not count (RFC 3261 §7.3.1).
    pub fn of(tag: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|extension| extension.tag().eq_ignore_ascii_case(tag))
    }

    const fn bit(self) -> u32 {
        1 << self as u8
    }
}

/// A set of extensions. Prints as the value of Supported, Require or Unsupported.
///
/// ```
/// use sansip::extension::{Extension, Extensions};
///
/// let ours = Extensions::of(&[Extension::Timer, Extension::Reliable]);
/// assert!(ours.contains(Extension::Timer) && !ours.contains(Extension::Replaces));
/// assert_eq!(ours.to_string(), "100rel, timer");
/// ```
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct Extensions(u32);

impl Extensions {
    /// No extension.
    pub const NONE: Self = Self(0);

    /// These extensions.
    pub const fn of(extensions: &[Extension]) -> Self {
        let mut bits = 0;
        let mut rest = extensions;
        while let [first, more @ ..] = rest {
            bits |= first.bit();
            rest = more;
        }
        Self(bits)
    }

    /// The known extensions that Supported names (RFC 3261 §20.37). Unknown tags, and values that cannot be read, say
    /// nothing.
    pub fn supported(headers: Headers<'_>) -> Self {
        let mut supported = Self::NONE;
        for Supported(tag) in headers.all::<Supported<'_>>().flatten() {
            supported.insert_tag(tag);
        }
        supported
    }

    /// Whether this set has the extension.
    pub const fn contains(self, extension: Extension) -> bool {
        self.0 & extension.bit() != 0
    }

    /// Whether there is none.
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// This set with that extension.
    #[must_use]
    pub const fn with(self, extension: Extension) -> Self {
        Self(self.0 | extension.bit())
    }

    /// This set without that extension.
    #[must_use]
    pub const fn without(self, extension: Extension) -> Self {
        Self(self.0 & !extension.bit())
    }

    /// The extensions of both sets.
    #[must_use]
    pub const fn and(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    /// Each extension, in the order of the option tags.
    pub fn iter(self) -> impl Iterator<Item = Extension> {
        Extension::ALL.iter().copied().filter(move |extension| self.contains(*extension))
    }

    /// Adds the extension of a tag; false if there is none.
    fn insert_tag(&mut self, tag: &str) -> bool {
        let extension = Extension::of(tag);
        if let Some(extension) = extension {
            *self = self.with(extension);
        }
        extension.is_some()
    }
}

impl fmt::Display for Extensions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, extension) in self.iter().enumerate() {
            f.write_str(if place == 0 { "" } else { ", " })?;
            f.write_str(extension.tag())?;
        }
        Ok(())
    }
}

impl fmt::Debug for Extensions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Extensions({self})")
    }
}

/// The extensions that a request demands of an element, held against those that the element understands.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Demand {
    /// The demanded extensions that are understood.
    pub understood: Extensions,
    /// All other demanded option tags, as a value of the Unsupported of a 420 (§8.2.2.3, §16.3 step 5). Empty if there
    /// is none.
    pub unsupported: String,
    /// Why the first value that cannot be read is malformed, if there is such a value. No option tag is taken from it.
    pub malformed: Option<ParseError>,
}

impl Demand {
    /// Reads what Require demands of the user agent that `understands` these (§8.2.2.3).
    pub fn of_require(headers: Headers<'_>, understands: Extensions) -> Self {
        Self::of(headers.all::<Require<'_>>().map(|value| value.map(|Require(tag)| tag)), understands)
            .unless_blank(headers, Require::ID)
    }

    /// Reads what Proxy-Require demands of the proxy that `understands` these (§16.3 step 5).
    pub fn of_proxy_require(headers: Headers<'_>, understands: Extensions) -> Self {
        Self::of(headers.all::<ProxyRequire<'_>>().map(|value| value.map(|ProxyRequire(tag)| tag)), understands)
            .unless_blank(headers, ProxyRequire::ID)
    }

    /// This demand, which is malformed where a line of the list has no value (§7.3.1).
    fn unless_blank(mut self, headers: Headers<'_>, id: HeaderId) -> Self {
        if headers.has_blank(id) {
            self.malformed.get_or_insert(ParseError::new(ParseErrorKind::Token, 0).within(id));
        }
        self
    }

    fn of<'a>(tags: impl Iterator<Item = Result<&'a str, ParseError>>, understands: Extensions) -> Self {
        let mut demand = Self::default();
        for tag in tags {
            match tag {
                Ok(tag) => match Extension::of(tag).filter(|extension| understands.contains(*extension)) {
                    Some(extension) => demand.understood = demand.understood.with(extension),
                    None => {
                        demand.unsupported.push_str(if demand.unsupported.is_empty() { "" } else { ", " });
                        demand.unsupported.push_str(tag);
                    }
                },
                Err(error) => demand.malformed = demand.malformed.or(Some(error)),
            }
        }
        demand
    }
}

#[cfg(test)]
mod tests {
    use super::{Demand, Extension, Extensions};
    use crate::message::{Limits, Message, Request};
    use alloc::string::ToString;
    use alloc::{format, vec::Vec};

    fn request(headers: &str) -> Request {
        let text = format!(
            "INVITE sip:bob@biloxi.com SIP/2.0\r\n\
             Via: SIP/2.0/UDP pc33.atlanta.com;branch=z9hG4bK776asdhds\r\n\
             {headers}To: <sip:bob@biloxi.com>\r\n\
             From: <sip:alice@atlanta.com>;tag=1928301774\r\n\
             Call-ID: a84b4c76e66710\r\n\
             CSeq: 314159 INVITE\r\n\r\n"
        );
        match Message::parse(text.as_bytes(), &Limits::default()) {
            Ok(Message::Request(request)) => request,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn each_tag_names_its_extension_in_any_case_and_they_are_sorted() {
        // The option tags as IANA has registered them for the RFCs named.
        let tags: Vec<&str> = Extension::ALL.iter().map(|extension| extension.tag()).collect();
        assert_eq!(
            tags.join(" "),
            "100rel 199 eventlist from-change gruu histinfo norefersub outbound path pref privacy replaces tdialog timer"
        );
        for extension in Extension::ALL {
            assert_eq!(Extension::of(&extension.tag().to_ascii_uppercase()), Some(*extension));
            let only = Extensions::NONE.with(*extension);
            assert_eq!(only.iter().collect::<Vec<_>>(), [*extension]);
            assert_eq!(only.without(*extension), Extensions::NONE);
        }
        assert_eq!(Extension::of("timers"), None);
        assert_eq!(Extension::of(""), None);
    }

    #[test]
    fn a_set_prints_as_a_header_value() {
        let set = Extensions::of(&[Extension::Timer, Extension::Gruu, Extension::Reliable]);
        assert_eq!(set.to_string(), "100rel, gruu, timer");
        assert_eq!(set.and(Extensions::of(&[Extension::Gruu, Extension::Path])).to_string(), "gruu");
        assert_eq!(Extensions::NONE.to_string(), "");
        assert!(Extensions::NONE.is_empty() && !set.is_empty());
    }

    #[test]
    fn supported_is_read_over_all_fields_and_what_is_unknown_says_nothing() {
        let request = request("Supported: Timer , x-new\r\nk: 100rel\r\nSupported: a b\r\nSupported:\r\n");
        assert_eq!(Extensions::supported(request.headers()).to_string(), "100rel, timer");
    }

    #[test]
    fn what_is_demanded_and_not_understood_is_listed_for_the_420() {
        let ours = Extensions::of(&[Extension::Reliable, Extension::Timer]);
        let both =
            request("Require: 100REL, foo\r\nProxy-Require: timer\r\nRequire: Replaces\r\nProxy-Require: bar\r\n");
        let demand = Demand::of_require(both.headers(), ours);
        assert_eq!((demand.understood.to_string().as_str(), demand.unsupported.as_str()), ("100rel", "foo, Replaces"));
        assert_eq!(demand.malformed, None);
        let demand = Demand::of_proxy_require(both.headers(), ours);
        assert_eq!((demand.understood.to_string().as_str(), demand.unsupported.as_str()), ("timer", "bar"));
        assert_eq!(Demand::of_require(request("Supported: foo\r\n").headers(), ours), Demand::default());
    }

    #[test]
    fn a_demand_that_cannot_be_read_is_told_apart() {
        let demand = Demand::of_require(request("Require: foo, a b, timer\r\n").headers(), Extensions::NONE);
        assert!(demand.malformed.is_some());
        assert_eq!(demand.unsupported, "foo, timer");
    }
}
