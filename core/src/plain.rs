//! Configuration as plain data: with the feature `serde` the settings of a server and what they consist of, listeners, timers and limits can be
//! read from a file and written to one.
//!
//! A field that is left out has its default, and one that is not known is refused. Names, addresses and routes are written as everywhere else:
//! hosts, `address/bits`, URIs. A time is a number and a unit: `500ms`, `30s`, `5m`, `24h`, `7d`. A secret is a `password`, or its hashes by their hash
//! functions; where it cannot be read no error repeats it.
//!
//! ```
//! use sansip::server::Settings;
//! use sansip::{Config, Instant, Listener, Seed, Server};
//!
//! #[derive(serde::Deserialize)]
//! struct File {
//!     listeners: Vec<Listener>,
//!     domain: Settings,
//! }
//!
//! let file: File = serde_json::from_str(
//!     r#"{
//!         "listeners": [{ "protocol": "udp", "local": "192.0.2.3:5060", "sent_by": "server10.biloxi.com" }],
//!         "domain": {
//!             "domains": ["biloxi.com"],
//!             "aliases": [{ "name": "biloxi.example", "domain": "biloxi.com" }],
//!             "users": [{ "name": "bob", "domain": "biloxi.com", "secret": { "password": "s3cret" } }],
//!             "routes": [{ "key": "*", "next_hop": "sip:gw.biloxi.com;transport=tcp" }],
//!             "trusted": ["192.0.2.16/28"],
//!             "digest": { "nonce_age": "10m" },
//!             "registrar": { "min_expires": 120 }
//!         }
//!     }"#,
//! )?;
//! assert!(!format!("{:?}", file.domain).contains("s3cret"));
//! let mut server = Server::server(Config::new(Seed::from_u64(1)), file.domain);
//! for listener in file.listeners {
//!     server.listen(listener);
//! }
//! server.check()?;
//!
//! let wrong = serde_json::from_str::<Settings>(r#"{ "domains": ["a b"] }"#).unwrap_err();
//! assert_eq!(wrong.to_string(), r#"invalid value: string "a b", expected a host at line 1 column 19"#);
//! # Ok::<(), Box<dyn core::error::Error>>(())
//! ```

use alloc::format;
use alloc::string::String;
use core::fmt;
use core::marker::PhantomData;
use core::time::Duration;

use serde::de::{Error, Unexpected, Visitor};
use serde::{Deserialize, Deserializer, Serializer};

/// Reads a value that is written as text. `expected` says what the text must be.
pub(crate) fn read<'de, T, D: Deserializer<'de>>(
    from: D,
    expected: &'static str,
    parse: impl Fn(&str) -> Option<T>,
) -> Result<T, D::Error> {
    struct Text<T, P>(&'static str, P, PhantomData<T>);
    impl<T, P: Fn(&str) -> Option<T>> Visitor<'_> for Text<T, P> {
        type Value = T;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str(self.0)
        }

        fn visit_str<E: Error>(self, text: &str) -> Result<T, E> {
            (self.1)(text).ok_or_else(|| E::invalid_value(Unexpected::Str(text), &self))
        }
    }
    from.deserialize_str(Text(expected, parse, PhantomData))
}

/// Implements both directions for types that are written as text.
macro_rules! as_text {
    ($($value:ty, $expected:literal, $parse:expr, $shown:expr;)*) => {$(
        impl serde::Serialize for $value {
            fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
                to.collect_str(&$shown(self))
            }
        }

        impl<'de> serde::Deserialize<'de> for $value {
            fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
                crate::plain::read(from, $expected, $parse)
            }
        }
    )*};
}
pub(crate) use as_text;

/// The units of a time, the longest first.
const UNITS: [(&str, u128); 7] = [
    ("d", 86_400_000_000_000),
    ("h", 3_600_000_000_000),
    ("m", 60_000_000_000),
    ("s", 1_000_000_000),
    ("ms", 1_000_000),
    ("us", 1_000),
    ("ns", 1),
];

fn time(text: &str) -> Option<Duration> {
    let end = text.find(|c: char| !c.is_ascii_digit())?;
    let (number, unit) = text.split_at_checked(end)?;
    let (_, nanos) = UNITS.into_iter().find(|(name, _)| *name == unit)?;
    let nanos = nanos.checked_mul(number.parse().ok()?)?;
    Some(Duration::from_nanos(u64::try_from(nanos).ok()?))
}

fn shown(time: Duration) -> String {
    let nanos = time.as_nanos();
    match UNITS.into_iter().find(|(_, unit)| nanos > 0 && nanos.is_multiple_of(*unit)) {
        Some((name, unit)) => format!("{}{name}", nanos / unit),
        None => "0s".into(),
    }
}

const TIME: &str = "a time, such as 500ms, 30s, 5m, 24h or 7d";

/// Times as text.
pub(crate) mod duration {
    use super::*;

    pub(crate) fn serialize<S: Serializer>(time: &Duration, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(&shown(*time))
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Duration, D::Error> {
        read(from, TIME, time)
    }
}

/// Times that may be left out.
pub(crate) mod optional_duration {
    use super::*;

    pub(crate) fn serialize<S: Serializer>(time: &Option<Duration>, to: S) -> Result<S::Ok, S::Error> {
        match time {
            Some(time) => to.serialize_some(&shown(*time)),
            None => to.serialize_none(),
        }
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Duration>, D::Error> {
        #[derive(Deserialize)]
        struct Time(#[serde(with = "super::duration")] Duration);
        Ok(Option::<Time>::deserialize(from)?.map(|Time(time)| time))
    }
}

/// A text that no error repeats.
pub(crate) struct Hidden(pub(crate) String);

impl<'de> Deserialize<'de> for Hidden {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        // Whatever else is there would be shown by the error.
        let text = String::deserialize(from);
        text.map(Self).map_err(|_| D::Error::custom("a secret is no text"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_written_in_the_longest_unit_that_divides_it() {
        for (text, nanos) in [
            ("7d", 604_800_000_000_000),
            ("1h", 3_600_000_000_000),
            ("90m", 5_400_000_000_000),
            ("30s", 30_000_000_000),
            ("500ms", 500_000_000),
            ("1us", 1_000),
            ("1001ns", 1_001),
            ("0s", 0),
        ] {
            assert_eq!(time(text), Some(Duration::from_nanos(nanos)), "{text}");
            assert_eq!(shown(Duration::from_nanos(nanos)), text);
        }
        for wrong in [
            "",
            "5",
            "s",
            "5 s",
            "-5s",
            "1.5s",
            "5S",
            "5y",
            "99999999999999999999d",
            "99999999999999999999999999999999999999999999s",
        ] {
            assert_eq!(time(wrong), None, "{wrong}");
        }
    }
}
