//! Measures that show how much a stranger can buy of a server: octets sent and to whom, connections, what is held and for how long. Each row of the table in
//! `docs/security.md` is measured here.

mod documented;
mod floods;
mod messages;
mod meter;
mod streams;

use super::*;
use alloc::collections::BTreeMap;
use floods::{contacts, loops, nonces, overload, registrations};
use messages::{
    invite_for_a_silent_phone, invite_for_nobody, invite_to_be_relayed, junk, maddr, malformed, options, query,
    redirected, register, route, vias,
};
use meter::{Meter, Row, STRANGER, gets, one, others, stranger};
use streams::{half_open, slow, torn};

/// Every listed function is a test of its own, too.
macro_rules! rows {
    ($($name:ident,)*) => {
        /// The rows of the table, in its order.
        const ROWS: &[(&str, fn() -> Row)] = &[$((stringify!($name), $name),)*];

        mod each {
            $(
                #[test]
                fn $name() {
                    super::$name();
                }
            )*
        }
    };
}

rows! {
    junk, malformed, options, vias, maddr, register, query, redirected, invite_to_be_relayed, route, invite_for_nobody, invite_for_a_silent_phone, loops,
    contacts, registrations, nonces, overload, half_open, slow, torn,
}

impl Row {
    fn line(&self) -> String {
        let Self { sends, gets, others, held, until } = self;
        let until = match until {
            0 => "at once".into(),
            seconds => format!("{seconds} s"),
        };
        format!("| {sends} | {gets} | {others} | {held} | {until} |\n")
    }
}
