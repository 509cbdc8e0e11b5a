//! The tests that the four machines share: a table of all that an input does in a state, held against the machine
//! for every input in every state over both kinds of transport, and written down in `docs/transactions.md`.

extern crate std;

use alloc::format;
use alloc::string::String;
use core::fmt::{Debug, Write};
use std::path::Path;
use std::{env, fs};

use super::Clock;
use super::schedule::Schedule;
use super::{client, invite_client, invite_server, server};
use crate::time::Instant;

/// The timers that are armed, in milliseconds: the timer that sends something, and the timer that ends the state.
pub(super) type Armed = (Option<u64>, Option<u64>);

/// State, input, next state, what is sent and told, and what is armed afterwards: over UDP, and over a reliable transport.
/// `None` where the input does nothing at all over that transport.
pub(super) type Row<State, Input, Send, Tell> =
    (State, Input, State, (Option<Send>, Option<Tell>), Option<Armed>, Option<Armed>);

/// The row does something there and leaves this armed.
pub(super) const fn armed(again: Option<u64>, end: Option<u64>) -> Option<Armed> {
    Some((again, end))
}

/// The row does something there and leaves nothing armed.
pub(super) const NO_TIMER: Option<Armed> = armed(None, None);

/// The timers as the RFC has them.
pub(super) fn schedule() -> Schedule {
    Schedule::new(&super::Timers::default())
}

/// So late over UDP.
pub(super) fn udp(schedule: &Schedule, now: Instant) -> Clock<'_> {
    Clock { now, reliable: false, schedule }
}

/// Makes `machine_in`, which takes a machine to a state; the test of the whole table; and `document`, which writes it down.
/// The module that calls it has `STATES` and `INPUTS`, all of them; `way`, the inputs that lead to a state; `label`, what an
/// input is called; `BEGIN`, what is armed at t=0 over UDP and over a reliable transport; and `TABLE`, every pair that does
/// something at t=1.000 in a state entered at t=0. All other pairs must do nothing at all.
macro_rules! table_test {
    ($machine:ident) => {
        fn machine_in(state: State, clock: &Clock<'_>) -> $machine {
            let mut machine = $machine::new(clock);
            for &input in way(state) {
                machine.on(input, clock);
            }
            assert_eq!(machine.state, state);
            machine
        }

        #[test]
        fn every_input_in_every_state() {
            let schedule = schedule();
            for reliable in [false, true] {
                let at = |millis| Clock { now: Instant::from_millis(millis), reliable, schedule: &schedule };
                let begun = $machine::new(&at(0)).timers.in_millis();
                assert_eq!(begun, if reliable { BEGIN.1 } else { BEGIN.0 }, "reliable: {reliable}");
                for (state, input) in STATES.iter().flat_map(|state| INPUTS.map(|input| (*state, input))) {
                    let mut machine = machine_in(state, &at(0));
                    let before = machine.timers.in_millis();
                    let actions = machine.on(input, &at(1_000));
                    let row = TABLE.iter().find(|row| row.0 == state && row.1 == input);
                    let row = row.and_then(|row| Some((row.2, row.3, if reliable { row.5 } else { row.4 }?)));
                    let expected = row.unwrap_or((state, (None, None), before));
                    let found = (machine.state, (actions.send, actions.tell), machine.timers.in_millis());
                    assert_eq!(found, expected, "{state:?}, {input:?}, reliable: {reliable}");
                }
            }
        }

        /// No pair stands in the table twice, and none that cannot do anything.
        #[test]
        fn the_table_has_each_pair_once() {
            for (place, row) in TABLE.iter().enumerate() {
                assert!(TABLE[..place].iter().all(|other| (other.0, other.1) != (row.0, row.1)), "{row:?}");
                assert!(row.4.or(row.5).is_some(), "{row:?}");
            }
        }

        /// Graph and table of this machine in Markdown.
        pub(in crate::transaction) fn document() -> alloc::string::String {
            table_test::document(&STATES, &INPUTS, label, BEGIN, TABLE)
        }
    };
}
pub(super) use table_test;

/// Graph and table of a machine in Markdown.
pub(super) fn document<State, Input, Send, Tell>(
    states: &[State],
    inputs: &[Input],
    label: fn(Input) -> &'static str,
    begin: (Armed, Armed),
    table: &[Row<State, Input, Send, Tell>],
) -> String
where
    State: Copy + Debug + PartialEq,
    Input: Copy + PartialEq,
    Send: Copy + Debug,
    Tell: Copy + Debug,
{
    let mut text = format!("```mermaid\nstateDiagram-v2\n    [*] --> {:?}\n", states[0]);
    for (state, input, next, actions, ..) in table {
        let _ = write!(text, "    {state:?} --> {next:?} : {}", label(*input));
        for action in actions_of(*actions) {
            let _ = write!(text, " / {action}");
        }
        text.push('\n');
    }
    text.push_str("    Terminated --> [*]\n```\n\n");
    text.push_str("| state | input | next state | sent | told | armed over UDP | armed over a reliable transport |\n");
    text.push_str("|---|---|---|---|---|---|---|\n");
    let _ = writeln!(
        text,
        "| | begins at 0 s | {:?} | | | {} | {} |",
        states[0],
        column(Some(begin.0)),
        column(Some(begin.1))
    );
    for (state, input, next, (send, tell), udp, reliable) in table {
        let [send, tell] = [words(*send), words(*tell)];
        let (input, udp, reliable) = (label(*input), column(*udp), column(*reliable));
        let _ = writeln!(text, "| {state:?} | {input} | {next:?} | {send} | {tell} | {udp} | {reliable} |");
    }
    text.push_str("\nNothing at all is done by:\n\n");
    for state in states {
        let idle = inputs.iter().filter(|input| !table.iter().any(|row| row.0 == *state && row.1 == **input));
        let labels: alloc::vec::Vec<&str> = idle.map(|input| label(*input)).collect();
        let _ = writeln!(text, "* in {state:?}: {}", labels.join("; "));
    }
    text
}

fn actions_of<Send: Debug, Tell: Debug>((send, tell): (Option<Send>, Option<Tell>)) -> impl Iterator<Item = String> {
    let send = send.is_some().then(|| format!("send {}", words(send)));
    let tell = tell.is_some().then(|| format!("tell {}", words(tell)));
    send.into_iter().chain(tell)
}

/// `TransportError` as "transport error"; nothing of nothing.
fn words<T: Debug>(thing: Option<T>) -> String {
    let mut words = String::new();
    let Some(thing) = thing else { return words };
    for letter in format!("{thing:?}").chars() {
        if letter.is_uppercase() && !words.is_empty() {
            words.push(' ');
        }
        words.extend(letter.to_lowercase());
    }
    // Two that are names.
    match words.as_str() {
        "ack" => "ACK".into(),
        "trying" => "100".into(),
        _ => words,
    }
}

/// Writes what is armed, in seconds.
fn column(armed: Option<Armed>) -> String {
    let seconds = |millis: u64| format!("{}", millis as f64 / 1_000.0);
    match armed {
        None => "does nothing".into(),
        Some((None, None)) => "none".into(),
        Some((Some(again), None)) => format!("sends at {} s", seconds(again)),
        Some((None, Some(end))) => format!("ends at {} s", seconds(end)),
        Some((Some(again), Some(end))) => format!("sends at {} s, ends at {} s", seconds(again), seconds(end)),
    }
}

/// `docs/transactions.md` says what the tables say. With `UPDATE_DOCS=1` it is written anew.
#[test]
fn the_documented_machines_are_those_that_are_tested() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/transactions.md");
    let written = fs::read_to_string(&path).expect("docs/transactions.md");
    let sections = [
        ("INVITE client", invite_client::tests::document()),
        ("non-INVITE client", client::tests::document()),
        ("INVITE server", invite_server::tests::document()),
        ("non-INVITE server", server::tests::document()),
    ];
    let mut expected = written.clone();
    for (name, section) in sections {
        let (begin, end) = (format!("<!-- begin {name} -->\n"), format!("<!-- end {name} -->"));
        let (before, rest) = expected.split_once(&begin).expect("where the section begins");
        let (_, after) = rest.split_once(&end).expect("where the section ends");
        expected = format!("{before}{begin}\n{section}\n{end}{after}");
    }
    if env::var_os("UPDATE_DOCS").is_some_and(|value| value == "1") {
        fs::write(&path, &expected).expect("docs/transactions.md can be written");
    } else {
        let hint = "docs/transactions.md is stale: UPDATE_DOCS=1 cargo test -p sansip --lib documented_machines";
        assert!(written == expected, "{hint}");
    }
}
