//! What the unit tests of the four machines share: a table of all that an input does in a state, held against the machine
//! for every input in every state.

use super::Clock;
use super::schedule::Schedule;
use crate::config;
use crate::time::Instant;

/// What is armed, in milliseconds: the timer that sends something, and the timer that ends the state.
pub(super) type Armed = (Option<u64>, Option<u64>);

/// State, input, next state, what is sent and told, and what is armed afterwards.
pub(super) type Row<State, Input, Send, Tell> = (State, Input, State, (Option<Send>, Option<Tell>), Armed);

/// The timers as the RFC has them.
pub(super) fn schedule() -> Schedule {
    Schedule::new(&config::Timers::default())
}

/// So late over UDP.
pub(super) fn udp(schedule: &Schedule, now: Instant) -> Clock<'_> {
    Clock { now, reliable: false, schedule }
}

/// The beginning over a reliable transport.
pub(super) fn reliable(schedule: &Schedule) -> Clock<'_> {
    Clock { now: Instant::ZERO, reliable: true, schedule }
}

/// Makes `machine_in`, which takes a machine to a state, and the test of the whole table. The module that calls it has
/// `STATES` and `INPUTS`, all of them; `way`, the inputs that lead to a state; and `TABLE`, every pair that does something
/// at t=1.000 in a state entered at t=0 over UDP. All other pairs must do nothing at all.
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
            for state in STATES {
                for input in INPUTS {
                    let mut machine = machine_in(state, &udp(&schedule, Instant::ZERO));
                    let before = machine.timers.in_millis();
                    let actions = machine.on(input, &udp(&schedule, Instant::from_millis(1_000)));
                    let row = TABLE.iter().find(|row| row.0 == state && row.1 == input);
                    let expected = row.map_or((state, (None, None), before), |row| (row.2, row.3, row.4));
                    let found = (machine.state, (actions.send, actions.tell), machine.timers.in_millis());
                    assert_eq!(found, expected, "{state:?}, {input:?}");
                }
            }
        }
    };
}
pub(super) use table_test;
