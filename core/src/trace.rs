//! Tells the crate `tracing` what happens (feature `tracing`): a span for each transaction and each dialog, at level debug what happens to them
//! and what is dropped with its reason, at level trace each message. Credentials are masked. Without the feature all of this is empty and
//! costs nothing.
//!
//! | target | what |
//! |---|---|
//! | `sansip::transaction` | spans `client` and `server`, from the first message to the end of the transaction |
//! | `sansip::dialog` | spans `dialog`, from the first message in which both ends have a tag to the end of the last usage |
//! | `sansip::drop` | messages that nobody answers |
//! | `sansip::message` | messages, as they come and go |

#[cfg(not(feature = "tracing"))]
pub(crate) use off::{Span, dropped, message};
#[cfg(feature = "tracing")]
pub(crate) use on::{Span, dropped, message};

/// Which way a message goes.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Way {
    In,
    Out,
}

#[cfg(not(feature = "tracing"))]
mod off {
    use core::fmt::Debug;

    use super::Way;
    use crate::flow::Flow;

    /// Nothing.
    #[derive(Clone, Debug)]
    pub(crate) struct Span;

    impl Span {
        pub(crate) const fn client(_: &str, _: &str, _: Flow) -> Self {
            Self
        }

        pub(crate) fn server<'a>(_: &str, _: impl FnOnce() -> Option<&'a str>, _: Flow) -> Self {
            Self
        }

        pub(crate) fn dialog<'a>(_: impl FnOnce() -> (&'a str, &'a str, Option<&'a str>)) -> Self {
            Self
        }

        pub(crate) const fn sends(&self) {}

        pub(crate) const fn has(&self, _: u16) {}

        pub(crate) const fn repeats(&self) {}

        pub(crate) const fn fails(&self) {}

        pub(crate) const fn ends(&self) {}
    }

    pub(crate) const fn dropped(_: &impl Debug, _: Flow, _: &[u8]) {}

    pub(crate) const fn message(_: Way, _: Flow, _: &[u8]) {}
}

#[cfg(feature = "tracing")]
mod on {
    use core::fmt::Debug;

    use tracing::{Level, debug, debug_span, enabled, trace};

    use super::Way;
    use super::masked::{Masked, StartLine};
    use crate::flow::Flow;

    const TRANSACTION: &str = "sansip::transaction";
    const DIALOG: &str = "sansip::dialog";

    /// The life of a transaction or a dialog.
    #[derive(Clone, Debug)]
    pub(crate) struct Span(tracing::Span);

    impl Span {
        pub(crate) fn client(method: &str, branch: &str, flow: Flow) -> Self {
            Self(debug_span!(target: TRANSACTION, parent: None, "client", method, branch, to = %flow.remote))
        }

        /// The branch is asked for only where it is told, as what names a dialog.
        pub(crate) fn server<'a>(method: &str, branch: impl FnOnce() -> Option<&'a str>, flow: Flow) -> Self {
            let branch = if enabled!(target: TRANSACTION, Level::DEBUG) { branch() } else { None };
            Self(debug_span!(target: TRANSACTION, parent: None, "server", method, branch, from = %flow.remote))
        }

        pub(crate) fn dialog<'a>(name: impl FnOnce() -> (&'a str, &'a str, Option<&'a str>)) -> Self {
            if !enabled!(target: DIALOG, Level::DEBUG) {
                return Self(tracing::Span::none());
            }
            let (call_id, local_tag, remote_tag) = name();
            Self(debug_span!(target: DIALOG, parent: None, "dialog", call_id, local_tag, remote_tag))
        }

        /// It sends its message, for the first time or again.
        pub(crate) fn sends(&self) {
            debug!(target: TRANSACTION, parent: &self.0, "sent");
        }

        /// It has a response.
        pub(crate) fn has(&self, status: u16) {
            debug!(target: TRANSACTION, parent: &self.0, status, "response");
        }

        /// Its request came again.
        pub(crate) fn repeats(&self) {
            debug!(target: TRANSACTION, parent: &self.0, "retransmission");
        }

        /// Tells that a message of the transaction did not arrive.
        pub(crate) fn fails(&self) {
            debug!(target: TRANSACTION, parent: &self.0, "not delivered");
        }

        /// A dialog has no usage any more.
        pub(crate) fn ends(&self) {
            debug!(target: DIALOG, parent: &self.0, "over");
        }
    }

    /// A message was dropped.
    pub(crate) fn dropped(why: &impl Debug, flow: Flow, bytes: &[u8]) {
        debug!(target: "sansip::drop", ?why, from = %flow.remote, start = %StartLine(bytes), "dropped");
    }

    /// A message comes or goes.
    pub(crate) fn message(way: Way, flow: Flow, bytes: &[u8]) {
        trace!(target: "sansip::message", ?way, remote = %flow.remote, "{}", Masked(bytes));
    }
}

#[cfg(feature = "tracing")]
mod masked {
    use alloc::string::String;
    use core::fmt;

    /// The header fields whose values are credentials (RFC 3261 §20.7, §20.28).
    const CREDENTIALS: [&str; 2] = ["authorization", "proxy-authorization"];

    /// The text that stands for a secret.
    const MASK: &str = "***";

    /// Octets of a start line that are shown.
    const LONGEST: usize = 256;

    /// A message, in which the values of credentials and the passwords of URIs (RFC 3261 §19.1.1) are masked.
    pub(super) struct Masked<'a>(pub(super) &'a [u8]);

    impl fmt::Display for Masked<'_> {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            let (mut is_masked, mut is_body) = (false, false);
            for line in self.0.split_inclusive(|octet| *octet == b'\n') {
                let text = String::from_utf8_lossy(line);
                is_body |= text.trim().is_empty();
                let is_folded = text.starts_with([' ', '\t']);
                match text.split_once(':').filter(|_| !is_body && !is_folded) {
                    Some((name, _)) if CREDENTIALS.iter().any(|secret| name.trim().eq_ignore_ascii_case(secret)) => {
                        is_masked = true;
                        write!(f, "{name}: {MASK}\r\n")?;
                    }
                    _ if is_masked && is_folded && !is_body => {}
                    _ => {
                        is_masked = false;
                        without_passwords(f, &text)?;
                    }
                }
            }
            Ok(())
        }
    }

    /// The start line of a message; nothing of what has none.
    pub(super) struct StartLine<'a>(pub(super) &'a [u8]);

    impl fmt::Display for StartLine<'_> {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            let line = self.0.split(|octet| matches!(octet, b'\r' | b'\n')).next().unwrap_or_default();
            let is_start = line.starts_with(b"SIP/2.0 ") || line.ends_with(b" SIP/2.0");
            let shown = line.get(..LONGEST).unwrap_or(line);
            if is_start { without_passwords(f, &String::from_utf8_lossy(shown)) } else { Ok(()) }
        }
    }

    fn without_passwords(f: &mut fmt::Formatter<'_>, text: &str) -> fmt::Result {
        let mut rest = text;
        while let Some((before, scheme, after)) = next_uri(rest) {
            write!(f, "{before}{scheme}")?;
            let end = after.find(|c: char| c.is_whitespace() || "<>\"".contains(c)).unwrap_or(after.len());
            let (uri, behind) = after.split_at(end);
            match uri.rsplit_once('@').and_then(|(user_info, host)| Some((user_info.split_once(':')?.0, host))) {
                Some((user, host)) => write!(f, "{user}:{MASK}@{host}")?,
                None => f.write_str(uri)?,
            }
            rest = behind;
        }
        f.write_str(rest)
    }

    /// The next SIP URI of a text: what is before it, its scheme, what follows.
    fn next_uri(text: &str) -> Option<(&str, &str, &str)> {
        let colon = |from: usize| text.get(from..)?.find(':').map(|at| from + at);
        let mut at = colon(0);
        while let Some(found) = at {
            let scheme = ["sips", "sip"].into_iter().find(|scheme| {
                let begin = found.checked_sub(scheme.len());
                begin.and_then(|begin| text.get(begin..found)).is_some_and(|name| name.eq_ignore_ascii_case(scheme))
            });
            if let Some(scheme) = scheme {
                let (before, after) = (text.get(..found - scheme.len())?, text.get(found + 1..)?);
                return Some((before, text.get(found - scheme.len()..=found)?, after));
            }
            at = colon(found + 1);
        }
        None
    }

    #[cfg(test)]
    mod tests {
        use super::*;
        use alloc::string::ToString;

        #[test]
        fn credentials_and_passwords_of_uris_are_masked_and_nothing_else_is() {
            let message = "REGISTER sip:biloxi.com SIP/2.0\r\nTo: Bob <SIP:bob:secret;x@biloxi.com>;a=\"sip:b:c\"\r\n\
                           AUTHORIZATION : Digest username=\"bob\",\r\n response=\"secret\"\r\n\
                           Proxy-Authorization: Basic secret\r\nContact: sips:bob@192.0.2.4:5061\r\n\r\n\
                           Authorization: of a body\r\n";
            let masked = "REGISTER sip:biloxi.com SIP/2.0\r\nTo: Bob <SIP:bob:***@biloxi.com>;a=\"sip:b:c\"\r\n\
                          AUTHORIZATION : ***\r\n\
                          Proxy-Authorization: ***\r\nContact: sips:bob@192.0.2.4:5061\r\n\r\n\
                          Authorization: of a body\r\n";
            assert_eq!(Masked(message.as_bytes()).to_string(), masked);
            let start = |text: &str| StartLine(text.as_bytes()).to_string();
            assert_eq!(start("OPTIONS sip:a:secret@b.com SIP/2.0\r\nVia: x"), "OPTIONS sip:a:***@b.com SIP/2.0");
            assert_eq!(start("SIP/2.0 200 OK\n"), "SIP/2.0 200 OK");
            assert_eq!(start("response=\"secret\"\r\n"), "", "what is left of a message that was cut");
        }
    }
}
