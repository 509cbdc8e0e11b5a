//! One contact of a REGISTER of ours (RFC 3261 §10.2.1).

use alloc::format;
use alloc::string::String;

use crate::message::UriBuf;
use crate::user_agent::account::Instance;

/// One contact of a [`Register`](super::Register), and what is said of it (RFC 3261 §10.2.1).
#[derive(Clone, Debug)]
pub struct Binding {
    /// `None`: where this user agent can be reached.
    pub(super) uri: Option<UriBuf>,
    pub(super) q: Option<u16>,
    pub(super) expires: Option<u32>,
}

impl Binding {
    /// Our own contact: see [`Profile::contact`](crate::user_agent::Profile::contact).
    pub const fn ours() -> Self {
        Self { uri: None, q: None, expires: None }
    }

    /// Any URI, of any scheme.
    pub fn to(contact: &UriBuf) -> Self {
        Self { uri: Some(contact.clone()), q: None, expires: None }
    }

    /// Sets how much it is wanted, in thousandths: 0 to 1000 (RFC 3261 §10.2.1.2).
    #[must_use]
    pub const fn q(mut self, thousandths: u16) -> Self {
        self.q = Some(thousandths);
        self
    }

    /// Sets an interval of its own in seconds; 0 removes this binding alone (RFC 3261 §10.2.1.1). If the registrar
    /// finds it too brief (423), the least that it takes is asked for (§10.2.8).
    #[must_use]
    pub const fn expires(mut self, seconds: u32) -> Self {
        self.expires = Some(seconds);
        self
    }

    /// The URI; `None` if it is ours.
    pub(super) const fn uri(&self) -> Option<&UriBuf> {
        self.uri.as_ref()
    }

    /// The header parameters: those of our own contact name its instance, and the number of the flow if it is one.
    pub(super) fn parameters(&self, is_removed: bool, instance: Option<&Instance>, outbound: bool) -> String {
        let mut out = String::new();
        // Where somebody else is bound, this instance is not the one that is reached (RFC 5626 §4.2.3).
        if let Some(instance) = instance.filter(|_| self.uri.is_none()) {
            out.push_str(&format!(";+sip.instance=\"<{instance}>\"{}", if outbound { ";reg-id=1" } else { "" }));
        }
        if let Some(q) = self.q {
            let decimals = format!("{:03}", q % 1_000);
            let decimals = decimals.trim_end_matches('0');
            out.push_str(&format!(";q={}{}{decimals}", q / 1_000, if decimals.is_empty() { "" } else { "." }));
        }
        // The removal of all is said once, by Expires.
        if let Some(seconds) = self.expires.filter(|_| !is_removed) {
            out.push_str(&format!(";expires={seconds}"));
        }
        out
    }
}
