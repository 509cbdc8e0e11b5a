//! Subscriptions: Event, Allow-Events, Subscription-State (RFC 6665 §8.2, §8.4).

use super::numbers::seconds;
use super::{Header, whole_token};
use crate::message::error::{ParseError, ParseErrorKind};
use crate::message::name::HeaderId;
use alloc::vec::Vec;

token_and_parameters_header!(
    /// Event (RFC 6665 §8.2.1).
    Event {
        /// The event package with its templates, such as `presence.winfo`; compare with regard to case.
        package
    },
    list: false,
    check: |read: Self| if is_event_type(read.package) { Ok(read) } else { Err(BAD) }
);

impl<'a> Event<'a> {
    /// The `id`.
    pub fn id(&self) -> Option<&'a str> {
        self.parameters.token("id")
    }
}

/// One event package of Allow-Events (RFC 6665 §8.2.2); compared with regard to case.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AllowEvents<'a>(pub &'a str);

impl<'a> Header<'a> for AllowEvents<'a> {
    const ID: HeaderId = HeaderId::AllowEvents;
    const LIST: bool = true;

    fn parse(value: &'a [u8]) -> Result<Self, ParseError> {
        let package = whole_token(value)?;
        if is_event_type(package) { Ok(Self(package)) } else { Err(BAD) }
    }

    fn write(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(self.0.as_bytes());
    }
}

const BAD: ParseError = ParseError::new(ParseErrorKind::Token, 0);

/// `event-type`: a package and templates, points between them.
fn is_event_type(token: &str) -> bool {
    token.split('.').all(|part| !part.is_empty())
}

token_and_parameters_header!(
    /// Subscription-State (RFC 6665 §8.2.3).
    SubscriptionState {
        /// The state: `active`, `pending`, `terminated` or an extension; compare without case.
        state
    },
    list: false,
    check: |read: Self| {
        let good = |name| !read.parameters.has(name) || read.parameters.value(name).and_then(seconds).is_some();
        if good("expires") && good("retry-after") {
            Ok(read)
        } else {
            Err(ParseError::new(ParseErrorKind::Number, read.state.len()))
        }
    }
);

impl<'a> SubscriptionState<'a> {
    /// Whether the state is `terminated`.
    pub fn is_terminated(&self) -> bool {
        self.state.eq_ignore_ascii_case("terminated")
    }

    /// The `reason`, such as `deactivated`; compare without case.
    pub fn reason(&self) -> Option<&'a str> {
        self.parameters.token("reason")
    }

    /// The `expires` in seconds.
    pub fn expires(&self) -> Option<u32> {
        seconds(self.parameters.value("expires")?)
    }

    /// The `retry-after` in seconds.
    pub fn retry_after(&self) -> Option<u32> {
        seconds(self.parameters.value("retry-after")?)
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{refused, round_trip};
    use super::{AllowEvents, Event, Header, SubscriptionState};

    #[test]
    fn an_event_is_a_package_with_templates() {
        assert_eq!(round_trip::<Event<'_>>(" presence.winfo ;\r\n id=93842"), "presence.winfo; id=93842");
        assert_eq!(Event::parse(b"refer;id=93842").unwrap().id(), Some("93842"));
        refused::<Event<'_>>(&["", ".winfo", "presence.", "a..b", "a b", "a;id=", "a,b"]);
    }

    #[test]
    fn packages_are_listed() {
        assert_eq!(round_trip::<AllowEvents<'_>>(" spirits-INDPs "), "spirits-INDPs");
        assert_ne!(AllowEvents::parse(b"A"), AllowEvents::parse(b"a"));
        refused::<AllowEvents<'_>>(&["", "a;b", "a."]);
    }

    #[test]
    fn a_state_has_a_reason_and_times() {
        let read = SubscriptionState::parse(b"Terminated;reason=probation;retry-after = 30").unwrap();
        assert!(read.is_terminated());
        assert_eq!((read.reason(), read.retry_after(), read.expires()), (Some("probation"), Some(30), None));
        assert_eq!(SubscriptionState::parse(b"active;expires=99999999999").unwrap().expires(), Some(u32::MAX));
        assert_eq!(round_trip::<SubscriptionState<'_>>("active;expires=3600"), "active;expires=3600");
        refused::<SubscriptionState<'_>>(&[
            "",
            "active;expires=soon",
            "active;expires",
            "active;retry-after=-1",
            "a b",
        ]);
    }
}
