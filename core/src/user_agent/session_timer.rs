//! The header fields of session timers: how they are read and written (RFC 4028 §4, §5, §7, §9).

use alloc::format;
use alloc::string::String;

use super::compose::Extra;
use super::profile::Profile;
use crate::dialog::{SessionTimer, TimerAnswer, TimerRequest};
use crate::extension::{Extension, Extensions};
use crate::message::header::{MinSe, Refresher, SessionExpires};
use crate::message::{HeaderId, Headers, Lines, Request, Response};

impl Profile {
    /// Adds to an INVITE outside of dialogs what it asks for, if session timers are used (RFC 4028 §7.1).
    pub(super) fn add_session_timer(&self, lines: &mut Lines) {
        if self.has_session_timers() {
            let asked = SessionTimer::new(self.session_timer).request();
            fields_of_request(asked, |id, value| {
                lines.header(id, value);
            });
        }
    }
}

/// The fields of an INVITE or UPDATE. A field that cannot be read counts as absent: the request does not need it (RFC 3261 §8.2).
pub(super) fn asked(request: &Request) -> TimerRequest {
    let headers = request.headers();
    TimerRequest {
        session_expires: session_expires(headers),
        min_se: headers.get::<MinSe<'_>>().and_then(Result::ok).map(|least| least.seconds),
        supported: Extensions::supported(headers).contains(Extension::Timer),
    }
}

/// Whether a message says something of a session timer.
pub(super) fn is_timed(headers: Headers<'_>) -> bool {
    headers.contains(HeaderId::SessionExpires) || headers.contains(HeaderId::MinSe)
}

/// Session-Expires of a 2xx.
pub(super) fn answered(response: &Response) -> Option<(u32, Option<Refresher>)> {
    session_expires(response.headers())
}

/// Adds the fields of an INVITE or UPDATE inside a dialog (RFC 4028 §7.4).
pub(super) fn add_request(extra: &mut Extra, request: TimerRequest) {
    fields_of_request(request, |id, value| extra.write(id.into(), value.as_bytes()));
}

/// Adds the fields of a 2xx (RFC 4028 §9).
pub(super) fn add_answer(extra: &mut Extra, answer: TimerAnswer) {
    if let Some((seconds, refresher)) = answer.session_expires {
        extra.write(HeaderId::SessionExpires.into(), value(seconds, Some(refresher)).as_bytes());
    }
    if answer.required {
        extra.write(HeaderId::Require.into(), Extension::Timer.tag().as_bytes());
    }
}

fn fields_of_request(request: TimerRequest, mut add: impl FnMut(HeaderId, String)) {
    if let Some((seconds, refresher)) = request.session_expires {
        add(HeaderId::SessionExpires, value(seconds, refresher));
    }
    if let Some(seconds) = request.min_se {
        add(HeaderId::MinSe, format!("{seconds}"));
    }
}

fn value(seconds: u32, refresher: Option<Refresher>) -> String {
    match refresher {
        Some(refresher) => format!("{seconds};refresher={}", refresher.as_str()),
        None => format!("{seconds}"),
    }
}

fn session_expires(headers: Headers<'_>) -> Option<(u32, Option<Refresher>)> {
    let header = headers.get::<SessionExpires<'_>>()?.ok()?;
    Some((header.seconds, header.refresher))
}
