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
    /// Whether it stands without a value; its value is `yes` or `no` then.
    pub is_switch: bool,
    /// The present value, as the option's value is written.
    pub get: fn(&Case) -> String,
    /// Reads a value; the error says what would be right.
    pub set: fn(&mut Case, &str) -> Result<(), String>,
}

macro_rules! value {
    ($name:literal, $($field:ident).+) => {
        Opt {
            name: $name,
            is_switch: false,
            get: |case| case.$($field).+.to_string(),
            set: |case, text| read(text).map(|value| case.$($field).+ = value),
        }
    };
}

macro_rules! span {
    ($name:literal, $($field:ident).+) => {
        Opt {
            name: $name,
            is_switch: false,
            get: |case| Span(case.$($field).+).to_string(),
            set: |case, text| read_span(text).map(|value| case.$($field).+ = value),
        }
    };
}

macro_rules! span_or_never {
    ($name:literal, $field:ident) => {
        Opt {
            name: $name,
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
    ($name:literal, $field:ident) => {
        Opt {
            name: $name,
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
    ($name:literal, $field:ident) => {
        Opt {
            name: $name,
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
pub const OPTIONS: [Opt; 32] = [
    value!("topology", topology),
    switch!("record-route", record_route),
    value!("hang-up", hang_up),
    value!("hold", hold),
    value!("change-reply", change_reply),
    span_or_never!("late-offer", late_offer),
    switch!("reliable", reliable),
    interval_or_none!("session-expires", session_expires),
    interval_or_none!("min-se", min_se),
    switch!("bob-refreshes", bob_refreshes),
    switch!("refresh-by-invite", refresh_by_invite),
    span_or_never!("transfer", transfer),
    switch!("attended", attended),
    value!("challenge", challenge),
    span!("nonce-age", nonce_age),
    span_or_never!("cancel-after", cancel_after),
    span_or_never!("ring-after", ring_after),
    value!("reply", reply),
    span!("ring-limit", ring_limit),
    span!("calm-after", calm_after),
    span!("delay", delay),
    value!("loss", conditions.loss),
    value!("duplicate", conditions.duplication),
    value!("reorder", conditions.reordering),
    span!("latest", conditions.latest),
    span!("jitter", conditions.jitter),
    Opt {
        name: "burst",
        is_switch: false,
        get: |case| case.conditions.burst.map_or_else(|| "none".to_owned(), |burst| burst.to_string()),
        set: |case, text| {
            case.conditions.burst = if text == "none" { None } else { Some(read(text)?) };
            Ok(())
        },
    },
    value!("corrupt", conditions.corruption),
    value!("split", conditions.splitting),
    value!("reset", conditions.resetting),
    value!("plan", plan),
    value!("seed", seed),
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
    Span::parse(text).ok_or_else(|| "a span of time is written 700ms or 5s".to_owned())
}

/// An interval of a session timer, in seconds (RFC 4028 §4).
fn read_interval(text: &str) -> Result<u32, String> {
    let seconds = Span::parse(text).filter(|span| span.as_millis() % 1_000 == 0).map(|span| span.as_millis() / 1_000);
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
