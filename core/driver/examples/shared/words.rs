//! Shows what a user agent tells, in words to its user.

use sansip::message::HeaderId;
use sansip::user_agent::Event;
use sansip::{DropCause, Flow, Instant};

use super::{say, warn};

/// Says what has happened to a call or a registration. Nothing is said of other events.
pub(crate) fn tell(now: Instant, event: &Event) {
    match event {
        Event::Incoming { call, .. } => say(format_args!("{now} {call} comes in")),
        Event::Progress { response, .. } => say(format_args!("{now} {}", response.status())),
        Event::Answered { call, .. } | Event::Confirmed { call, .. } => {
            say(format_args!("{now} {call} is established"));
        }
        Event::Offered { call, .. } => say(format_args!("{now} {call} was changed by the other end")),
        Event::Modified { call, .. } => say(format_args!("{now} {call} is changed")),
        Event::ModifyFailed { call, cause, .. } => {
            say(format_args!("{now} {call} stays as it is: {}", cause.counts_as()));
        }
        Event::Notified { status: Some(status), .. } => say(format_args!("{now} the transfer: {status}")),
        Event::Ended { call, .. } => say(format_args!("{now} {call} is over")),
        Event::Failed { call, cause } => say(format_args!("{now} {call} came to nothing: {}", cause.counts_as())),
        Event::Registered { response, .. } => {
            let contacts = response.headers().iter().filter(|field| field.name == HeaderId::Contact.into());
            let contacts: Vec<_> = contacts.map(|field| String::from_utf8_lossy(field.value)).collect();
            match contacts.as_slice() {
                [] => say(format_args!("{now} not registered any more")),
                contacts => say(format_args!("{now} registered: {}", contacts.join(", "))),
            }
        }
        Event::RegistrationFailed { cause, .. } => say(format_args!("{now} not registered: {}", cause.counts_as())),
        Event::Dropped { why, flow, bytes } => dropped(now, *why, *flow, bytes),
        _ => {}
    }
}

/// A line about a message that was dropped.
pub(crate) fn dropped(now: Instant, why: DropCause, flow: Flow, bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let first = text.lines().next().unwrap_or_default();
    warn(format_args!("{now} dropped from {}: {why:?}: {first:?}", flow.remote));
}
