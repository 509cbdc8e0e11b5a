//! Every part of a [`Case`] as an option of the command line: read, printed and made simpler through one table.

use std::any::Any;
use std::fmt::Display;
use std::num::{IntErrorKind, ParseIntError};
use std::str::FromStr;

use sansip::Duration;
use sansip::dialog::LEAST_SESSION_INTERVAL;

use super::Case;
use crate::fault::Span;

/// One part of a [`Case`].
#[derive(Clone, Copy, Debug)]
pub struct Opt {
    /// Its name, without the dashes.
    pub name: &'static str,
    /// The name of its value in a help.
    pub value: &'static str,
    /// The line that a help has for it.
    pub help: &'static str,
    /// Whether it stands without a value; its value is `yes` or `no` then.
    pub is_switch: bool,
    /// The present value, as the option's value is written.
    pub get: fn(&Case) -> String,
    /// Reads a value; the error says what would be right.
    pub set: fn(&mut Case, &str) -> Result<(), String>,
}

macro_rules! value {
    ($name:literal, $($field:ident).+, $value:literal, $help:literal) => {
        Opt {
            name: $name,
            value: $value,
            help: $help,
            is_switch: false,
            get: |case| case.$($field).+.to_string(),
            set: |case, text| read(text).map(|value| case.$($field).+ = value),
        }
    };
}

macro_rules! span {
    ($name:literal, $($field:ident).+, $help:literal) => {
        Opt {
            name: $name,
            value: "TIME",
            help: $help,
            is_switch: false,
            get: |case| Span(case.$($field).+).to_string(),
            set: |case, text| read_span(text).map(|value| case.$($field).+ = value),
        }
    };
}

macro_rules! span_or_never {
    ($name:literal, $field:ident, $help:literal) => {
        Opt {
            name: $name,
            value: "TIME",
            help: $help,
            is_switch: false,
            get: |case| case.$field.map_or_else(|| "never".to_owned(), |span| Span(span).to_string()),
            set: |case, text| {
                case.$field = if text == "never" { None } else { Some(read_span(text)?) };
                Ok(())
            },
        }
    };
}

macro_rules! switch {
    ($name:literal, $field:ident, $help:literal) => {
        Opt {
            name: $name,
            value: "",
            help: $help,
            is_switch: true,
            get: |case| if case.$field { "yes" } else { "no" }.to_owned(),
            set: |case, text| {
                case.$field = text == "yes";
                Ok(())
            },
        }
    };
}

macro_rules! interval_or_none {
    ($name:literal, $field:ident, $help:literal) => {
        Opt {
            name: $name,
            value: "TIME",
            help: $help,
            is_switch: false,
            get: |case| case.$field.map_or_else(|| "none".to_owned(), |interval| format!("{interval}s")),
            set: |case, text| {
                case.$field = if text == "none" { None } else { Some(read_interval(text)?) };
                Ok(())
            },
        }
    };
}

/// All parts, in the order in which they are printed; plan and seed last.
pub const OPTIONS: [Opt; 33] = [
    value!(
        "topology",
        topology,
        "NAME",
        "direct, one-proxy, trapezoid (the default), nat, mixed, redirect, auth, strict, dual, chain:N (N proxies), fork:N (Bob has N phones), farm:N (N servers) or crowd:N (N pairs)"
    ),
    switch!("record-route", record_route, "the proxies stay on the path of the call"),
    switch!(
        "recurse",
        recurse,
        "the proxies try the contacts of a redirection that are theirs to call (RFC 3261 §16.7 step 4)"
    ),
    value!("hang-up", hang_up, "WHO", "alice, bob (the default), nobody, or with times: alice:3s,bob:500ms"),
    value!(
        "hold",
        hold,
        "WHO",
        "alice or bob puts the call on hold so long after it is there, for a second: alice:3s,bob:500ms"
    ),
    value!(
        "change-reply",
        change_reply,
        "WHAT",
        "what the other does then: answer:TIME (answer:0ms if not given), reject:TIME or nothing"
    ),
    span_or_never!("late-offer", late_offer, "Alice makes no offer, and answers Bob's so long after it came"),
    switch!(
        "reliable",
        reliable,
        "both phones use 100rel, and Bob's rings by a response that waits for its PRACK: 183 if he answers"
    ),
    interval_or_none!(
        "session-expires",
        session_expires,
        "both phones ask for a session timer of 90s or more, and refresh the session at half of it (RFC 4028)"
    ),
    interval_or_none!("min-se", min_se, "Bob's phone takes no session timer below that: 422"),
    switch!("bob-refreshes", bob_refreshes, "Bob refreshes the session; else Alice does"),
    switch!("refresh-by-invite", refresh_by_invite, "the session is refreshed by re-INVITEs; else by UPDATEs"),
    span_or_never!(
        "transfer",
        transfer,
        "Alice gives the call to Carol so long after it is there: a REFER that Bob follows (RFC 3515)"
    ),
    switch!("attended", attended, "she calls Carol before, and Bob takes her place in that call (RFC 3891)"),
    value!(
        "challenge",
        challenge,
        "WHO",
        "alice, bob (401), proxy (407: the first one on Alice's way), or several, ask for credentials"
    ),
    span!("nonce-age", nonce_age, "how long a nonce is good for; 300s if not given"),
    span_or_never!("cancel-after", cancel_after, "Alice cancels, if there is no answer by then"),
    span_or_never!(
        "ring-after",
        ring_after,
        "Bob's phone rings so long after the INVITE came, or `never`; 100ms if not given"
    ),
    value!("reply", reply, "WHAT", "what Bob does: answer:TIME (answer:2s if not given), reject:TIME or nothing"),
    span!("ring-limit", ring_limit, "nothing rings longer; 60s if not given"),
    span!(
        "calm-after",
        calm_after,
        "so long after Alice called, faults are over and every call is ended; 119s if not given"
    ),
    span!("delay", delay, "from sending to arriving; 10ms if not given"),
    value!("loss", conditions.loss, "P", "lose datagrams with probability P, from 0 to 1"),
    value!("duplicate", conditions.duplication, "P", "let datagrams arrive twice"),
    value!("reorder", conditions.reordering, "P", "hold datagrams up, so that others overtake them"),
    span!("latest", conditions.latest, "the most that a duplicate or a held-up datagram is late; 1s if not given"),
    span!(
        "jitter",
        conditions.jitter,
        "the most that any datagram is late, each by another time; nothing if not given"
    ),
    Opt {
        name: "burst",
        value: "B:E:L",
        help: "losses in a row: how often they begin and end, and how often one is lost; 0.01:0.25:0.8",
        is_switch: false,
        get: |case| case.conditions.burst.map_or_else(|| "none".to_owned(), |burst| burst.to_string()),
        set: |case, text| {
            case.conditions.burst = if text == "none" { None } else { Some(read(text)?) };
            Ok(())
        },
    },
    value!("corrupt", conditions.corruption, "P", "invert bits of datagrams: only the checks of safety hold then"),
    value!("split", conditions.splitting, "P", "let streams arrive in pieces"),
    value!("reset", conditions.resetting, "P", "reset streams"),
    value!(
        "plan",
        plan,
        "FAULTS",
        "exact faults: 'atlanta>biloxi#3:drop, bob>biloxi#1:+700ms, alice>atlanta#2:dup(+20ms)'; #3 is the third datagram from atlanta to biloxi; docs/simulation.md has all forms"
    ),
    value!("seed", seed, "N", "which of the possible losses, duplicates and delays; 1 if not given"),
];

fn read<T: FromStr>(text: &str) -> Result<T, String>
where
    T::Err: Display + 'static,
{
    text.parse().map_err(|error: T::Err| why(&error))
}

/// The words of an error; for a number, what would be right.
pub(crate) fn why<E: Display + 'static>(error: &E) -> String {
    let Some(number) = (error as &dyn Any).downcast_ref::<ParseIntError>() else { return error.to_string() };
    match number.kind() {
        IntErrorKind::Zero => "a whole number from 1 on is meant, as in 4".to_owned(),
        IntErrorKind::PosOverflow => format!("too large; a whole number up to {} is meant", u64::MAX),
        _ => "not a whole number, as in 1000".to_owned(),
    }
}

fn read_span(text: &str) -> Result<Duration, String> {
    Span::parse(text)
        .ok_or_else(|| "a span of time is written 700ms or 5s, and is at most 366 days (31622400s)".to_owned())
}

/// An interval of a session timer, in seconds (RFC 4028 §4).
fn read_interval(text: &str) -> Result<u32, String> {
    let seconds =
        Span::parse_any(text).filter(|span| span.as_millis() % 1_000 == 0).map(|span| span.as_millis() / 1_000);
    let seconds = seconds.and_then(|seconds| u32::try_from(seconds).ok());
    let seconds = seconds.filter(|seconds| *seconds >= LEAST_SESSION_INTERVAL);
    seconds
        .ok_or_else(|| format!("an interval of a session timer is {LEAST_SESSION_INTERVAL}s or more, in whole seconds"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_option_reads_what_it_prints_and_nothing_else() {
        let values = [
            "direct",
            "yes",
            "yes",
            "alice:3s,bob",
            "bob:1s",
            "reject:200ms",
            "300ms",
            "yes",
            "90s",
            "120s",
            "yes",
            "yes",
            "1s",
            "yes",
            "alice,proxy",
            "2s",
            "1500ms",
            "never",
            "reject:7ms",
            "1s",
            "90s",
            "0ms",
            "0.25",
            "0.5",
            "1",
            "2300ms",
            "20ms",
            "0.01:0.25:0.8",
            "0.001",
            "0.3",
            "0.005",
            "alice>bob#1:drop, alice>bob#2:+2s",
            "18446744073709551615",
        ];
        let mut case = Case::default();
        for (option, value) in OPTIONS.iter().zip(values) {
            assert_ne!((option.get)(&case), value, "{}: not the usual value", option.name);
            assert_eq!((option.set)(&mut case, value), Ok(()), "{}", option.name);
            assert_eq!((option.get)(&case), value);
            let before = case.clone();
            let error = (option.set)(&mut case, "no such");
            assert!(option.is_switch || error.is_err_and(|error| !error.is_empty()), "{}", option.name);
            assert!(option.is_switch || case == before);
        }
    }

    #[test]
    fn an_interval_of_a_session_timer_is_ninety_whole_seconds_or_more() {
        let mut case = Case::default();
        for name in ["session-expires", "min-se"] {
            let option = OPTIONS.iter().find(|option| option.name == name).expect("the option");
            for wrong in ["89s", "90500ms", "90", "0ms", "4294967296s", "never"] {
                let error = (option.set)(&mut case, wrong).unwrap_err();
                assert_eq!(error, "an interval of a session timer is 90s or more, in whole seconds", "{wrong}");
            }
            for (right, shown) in [("90000ms", "90s"), ("1800s", "1800s"), ("4294967295s", "4294967295s")] {
                assert_eq!((option.set)(&mut case, right), Ok(()), "{right}");
                assert_eq!((option.get)(&case), shown);
            }
        }
    }
}
