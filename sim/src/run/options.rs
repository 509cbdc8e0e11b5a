//! Every part of a [`Case`] as an option of the command line: read, printed and made simpler through one table.

use std::any::Any;
use std::fmt::Display;
use std::num::{IntErrorKind, ParseIntError};
use std::str::FromStr;

use sansip::Duration;

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

/// All parts, in the order in which they are printed; plan and seed last.
pub const OPTIONS: [Opt; 26] = [
    value!("topology", topology),
    Opt {
        name: "record-route",
        is_switch: true,
        get: |case| if case.record_route { "yes" } else { "no" }.to_owned(),
        set: |case, text| {
            case.record_route = text == "yes";
            Ok(())
        },
    },
    value!("hang-up", hang_up),
    value!("hold", hold),
    value!("change-reply", change_reply),
    span_or_never!("late-offer", late_offer),
    Opt {
        name: "reliable",
        is_switch: true,
        get: |case| if case.reliable { "yes" } else { "no" }.to_owned(),
        set: |case, text| {
            case.reliable = text == "yes";
            Ok(())
        },
    },
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
}
