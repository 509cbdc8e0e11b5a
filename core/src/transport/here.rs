//! Where a request says how this end is reached.

use alloc::boxed::Box;
use alloc::string::String;

use crate::flow::ListenerId;
use crate::message::HeaderId;

use super::{Listener, Listeners};

/// Where a request says "here". Which listener that is, is known with the way that the request goes: each attempt writes it anew,
/// as it does with our Via.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Here {
    /// Nowhere.
    Unsaid,
    /// In Contact, with this user, a SIPS URI if `secure`, and these header parameters (RFC 3261 §8.1.1.8).
    Contact { user: Option<Box<str>>, secure: bool, parameters: Box<str> },
    /// In Record-Route, beside the value that leads to the listener the request came in by, if another one is meant: each side gets
    /// the URI that leads here on its side (RFC 3261 §16.6 step 4, RFC 5658).
    RecordRoute { inbound: ListenerId, secure: bool },
}

impl Here {
    /// The field that is written when the request goes from this listener.
    pub(super) fn field(&self, listeners: &Listeners, outbound: ListenerId) -> Option<(HeaderId, String)> {
        let listener = listeners.get(outbound)?;
        match self {
            Self::Unsaid => None,
            Self::Contact { user, secure, parameters } => {
                let uri = listener.uri(user.as_deref(), *secure, "");
                Some((HeaderId::Contact, ["<", &uri, ">", parameters].concat()))
            }
            Self::RecordRoute { inbound, .. } if *inbound == outbound => None,
            Self::RecordRoute { inbound, secure } => {
                let value = listener.record_route(*secure);
                let known = listeners.get(*inbound).is_some_and(|inbound| inbound.record_route(*secure) == value);
                (!known).then_some((HeaderId::RecordRoute, value))
            }
        }
    }
}

impl Listener {
    /// The Record-Route value that leads here (RFC 3261 §16.6 step 4).
    pub(crate) fn record_route(&self, secure: bool) -> String {
        ["<", &self.uri(None, secure, ";lr"), ">"].concat()
    }
}
