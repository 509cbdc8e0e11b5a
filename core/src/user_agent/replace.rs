//! The name of a call of ours, for an INVITE that is to take its place (RFC 3891 §4).

use alloc::string::String;
use alloc::vec::Vec;

use super::agent::Core;
use super::call_dialog::CallDialog;
use super::compose::Outgoing;
use super::subscription::Refer;
use crate::dialog::DialogName;
use crate::error::CommandError;
use crate::message::header::{Header, Replaces};
use crate::message::{HeaderId, Parameters, TagParam, UriBuf};
use crate::stack::Stack;

/// A call of ours, as the peer of that call knows it: a value of Replaces (RFC 3891 §6.1) for an INVITE that goes to that peer.
/// [`UserAgent::replacing`](super::UserAgent::replacing) makes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Replace {
    name: DialogName,
    early_only: bool,
}

impl Replace {
    pub(super) const fn of(name: DialogName) -> Self {
        Self { name, early_only: false }
    }

    /// Asks that the call be replaced only as long as it is not answered; else the INVITE gets 486 (RFC 3891 §3).
    #[must_use]
    pub const fn early_only(mut self) -> Self {
        self.early_only = true;
        self
    }

    /// The value of Replaces: to-tag is the tag of the recipient, from-tag ours (RFC 3891 §3).
    fn value(&self) -> Vec<u8> {
        let name = self.name.as_key();
        // A tag of zero stands for none (§6.1).
        let to_tag = name.remote_tag.unwrap_or(TagParam::of("0"));
        let (call_id, early_only, parameters) = (name.call_id, self.early_only, Parameters::NONE);
        let mut value = Vec::new();
        Replaces { call_id, to_tag, from_tag: name.local_tag, early_only, parameters }.write(&mut value);
        value
    }

    /// A URI whose header says that a request to it takes the place of the call (RFC 3261 §19.1.1, RFC 3891 §4).
    ///
    /// # Errors
    /// `NotSip`: another URI has no headers.
    pub(super) fn in_uri(&self, target: &UriBuf) -> Result<UriBuf, CommandError> {
        if !target.is_sip() {
            return Err(CommandError::NotSip);
        }
        let headers = target.as_uri().headers();
        let mut names = headers.unwrap_or_default().split(|octet| *octet == b'&');
        if names.any(|header| header.to_ascii_lowercase().starts_with(b"replaces=")) {
            return Err(CommandError::Invalid("replaces"));
        }
        let mut text = String::from_utf8_lossy(target.as_bytes()).into_owned();
        text.push_str(if headers.is_some() { "&Replaces=" } else { "?Replaces=" });
        for octet in self.value() {
            if octet.is_ascii_alphanumeric() || b"-_.!~*'()".contains(&octet) {
                text.push(char::from(octet));
            } else {
                text.push_str(&alloc::format!("%{octet:02X}"));
            }
        }
        UriBuf::parse(text.as_bytes()).map_err(|_| CommandError::Invalid("replaces"))
    }
}

impl Outgoing {
    /// Asks the recipient, the peer of a call of ours, to let this call take the place of that (RFC 3891 §4).
    ///
    /// ```
    /// # use sansip::{CallId, Instant};
    /// # use sansip::user_agent::{Body, Outgoing, UserAgent};
    /// # fn example(desk: &UserAgent, mobile: &mut UserAgent, now: Instant, call: CallId) -> Result<(), Box<dyn std::error::Error>> {
    /// // Takes over, on another phone of the same user, a call that the desk phone has with Carol.
    /// let replace = desk.replacing(call)?;
    /// let carol = "<sip:carol@client.chicago.example.com>".parse()?;
    /// mobile.call(now, Outgoing::to(&carol).replaces(&replace).body(Body::sdp("v=0\r\n")))?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// The command that takes this refuses a second Replaces, with `Invalid("replaces")`.
    #[must_use]
    pub fn replaces(mut self, replace: &Replace) -> Self {
        if self.extra.has(HeaderId::Replaces) {
            self.extra.fail(CommandError::Invalid("replaces"));
        }
        self.extra = self.extra.with(HeaderId::Replaces, replace.value());
        self
    }
}

impl Refer {
    /// Asks that the call to the target take the place of a call of ours with the target: an attended transfer (RFC 5359 §2.5). The
    /// command that takes this refuses a target that is no SIP URI.
    ///
    /// ```
    /// # use sansip::{CallId, Instant};
    /// # use sansip::user_agent::{Refer, UserAgent};
    /// # fn example(alice: &mut UserAgent, now: Instant, with_bob: CallId, with_carol: CallId) -> Result<(), Box<dyn std::error::Error>> {
    /// // Bob and Carol are to talk to each other. Carol's contact, so that no other phone of hers is called.
    /// let carol = "sip:carol@client.chicago.example.com".parse()?;
    /// let replace = alice.replacing(with_carol)?;
    /// alice.refer(now, with_bob, Refer::to(&carol).replaces(&replace))?;
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn replaces(mut self, replace: &Replace) -> Self {
        match replace.in_uri(&self.target) {
            Ok(target) => self.target = target,
            Err(error) => self.fail(error),
        }
        self
    }
}

impl Stack<Core> {
    /// The name of a call, or of one dialog of a call, for an INVITE to the peer that is to take the call's place: of this user agent
    /// ([`Outgoing::replaces`]) or of somebody who is referred there ([`Refer::replaces`]). For an example see there.
    ///
    /// # Errors
    /// `Invalid("extension")` unless [`Profile::extensions`](field@super::Profile::extensions) has `replaces`; `Gone`; `WrongState`: there is no
    /// dialog, the call is ending, or it is early and the peer has not called (RFC 3891 §4).
    pub fn replacing(&self, of: impl Into<CallDialog>) -> Result<Replace, CommandError> {
        self.user().replacing(of)
    }
}
