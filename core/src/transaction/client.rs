//! The non-INVITE client transaction (RFC 3261 §17.1.2).
//!
//! ```text
//!                                   |Request from TU
//!                                   |send request
//!               Timer E             V
//!               send request  +-----------+
//!                   +---------|           |-------------------+
//!                   |         |  Trying   |  Timer F          |
//!                   +-------->|           |  or Transport Err.|
//!                             +-----------+  inform TU        |
//!                200-699         |  |                         |
//!                resp. to TU     |  |1xx                      |
//!                +---------------+  |resp. to TU              |
//!                |                  |                         |
//!                |   Timer E        V       Timer F           |
//!                |   send req +-----------+ or Transport Err. |
//!                |  +---------|           | inform TU         |
//!                |  |         |Proceeding |------------------>|
//!                |  +-------->|           |-----+             |
//!                |            +-----------+     |1xx          |
//!                |              |      ^        |resp to TU   |
//!                | 200-699      |      +--------+             |
//!                | resp. to TU  |                             |
//!                |              |                             |
//!                |              V                             |
//!                |            +-----------+                   |
//!                |            | Completed |                   |
//!                |            +-----------+                   |
//!                |              ^   |                         |
//!                |              |   | Timer K                 |
//!                +--------------+   | -                       |
//!                                   V                         |
//!                             +-----------+                   |
//!                             | Terminated|<------------------+
//!                             +-----------+
//! ```

use super::schedule::{Clock, Due, Pair, doubled};
use super::{ClientActions, ClientSend, ClientTell};
use crate::time::Instant;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum State {
    Trying,
    Proceeding,
    Completed,
    Terminated,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Input {
    TimerE,
    TimerF,
    TimerK,
    /// 1xx.
    Provisional,
    /// 200-699.
    Final,
    TransportError,
}

/// The non-INVITE client transaction.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Client {
    state: State,
    timers: Pair,
}

impl Client {
    /// Trying; the caller sends the request.
    pub(crate) fn new(clock: &Clock<'_>) -> Self {
        let mut timers = Pair::ending(clock.after_64_t1());
        if !clock.reliable {
            timers.again(clock, clock.schedule.t1);
        }
        Self { state: State::Trying, timers }
    }

    /// Timer F fires at that time at the latest.
    pub(crate) fn end_by(&mut self, until: Instant) {
        self.timers.end_by(until);
    }

    pub(crate) const fn state(&self) -> State {
        self.state
    }

    pub(crate) fn deadline(&self) -> Option<Instant> {
        self.timers.deadline()
    }

    /// The timers that are set.
    pub(super) const fn timers(&self) -> Pair {
        self.timers
    }

    /// The timer that is due.
    pub(crate) fn due(&self, now: Instant) -> Option<Input> {
        self.timers.due(now).map(|due| self.fires(due))
    }

    /// The input that a timer of this state is.
    pub(super) const fn fires(&self, due: Due) -> Input {
        match (due, self.state) {
            (Due::Resend, _) => Input::TimerE,
            (Due::End, State::Trying | State::Proceeding) => Input::TimerF,
            (Due::End, State::Completed | State::Terminated) => Input::TimerK,
        }
    }

    pub(crate) fn on(&mut self, input: Input, clock: &Clock<'_>) -> ClientActions {
        use {Input::*, State::*};
        let tell = ClientActions::tell;
        let (next, actions) = match (self.state, input) {
            (state @ (Trying | Proceeding), TimerE) if !clock.reliable => {
                (state, ClientActions::send(ClientSend::Request))
            }
            (Trying | Proceeding, TimerF) => (Terminated, tell(ClientTell::Timeout)),
            (Trying | Proceeding, TransportError) => (Terminated, tell(ClientTell::TransportError)),

            (Trying | Proceeding, Provisional) => (Proceeding, tell(ClientTell::Response)),
            (Trying | Proceeding, Final) => (Completed, tell(ClientTell::Response)),

            (Completed, TimerK) => (Terminated, ClientActions::NONE),

            (state, _) => (state, ClientActions::NONE),
        };
        self.arm(input, next, clock);
        self.state = next;
        actions
    }

    fn arm(&mut self, input: Input, next: State, clock: &Clock<'_>) {
        match (self.state, next) {
            (State::Trying, State::Trying) if input == Input::TimerE && !clock.reliable => {
                let interval = doubled(self.timers.interval(), clock.schedule.t2);
                self.timers.again(clock, interval);
            }
            (State::Proceeding, State::Proceeding) if input == Input::TimerE && !clock.reliable => {
                self.timers.again(clock, clock.schedule.t2);
            }
            (_, State::Completed) if self.state != next => self.timers = Pair::ending(clock.after_t4()),
            (_, State::Terminated) => self.timers = Pair::NONE,
            // Timers E and F run on into Proceeding.
            (_, State::Trying | State::Proceeding | State::Completed) => {}
        }
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::super::schedule::Schedule;
    use super::super::table_test::{self, Armed, NO_TIMER, Row, armed, schedule, table_test, udp};
    use super::*;
    use alloc::vec::Vec;
    use {ClientSend::*, ClientTell as Tell, Input::*, State::*};

    const STATES: [State; 4] = [Trying, Proceeding, Completed, Terminated];
    const INPUTS: [Input; 6] = [TimerE, TimerF, TimerK, Provisional, Final, TransportError];

    /// Armed are timer E, and the timer that ends the state.
    type Transition = Row<State, Input, ClientSend, Tell>;

    /// Timers E and F.
    const BEGIN: (Armed, Armed) = ((Some(500), Some(32_000)), (None, Some(32_000)));
    const PROCEEDING: Option<Armed> = armed(Some(500), Some(32_000));
    const TIMER_F: Option<Armed> = armed(None, Some(32_000));
    const TIMER_K: Option<Armed> = armed(None, Some(6_000));
    const ENDS_NOW: Option<Armed> = armed(None, Some(1_000));

    /// Every pair that does something, at t=1.000 in a state entered at t=0. All others do nothing at all.
    #[rustfmt::skip]
    const TABLE: &[Transition] = &[
        (Trying,     TimerE,         Trying,     (Some(Request), None),              armed(Some(2_000), Some(32_000)), None),
        (Trying,     TimerF,         Terminated, (None, Some(Tell::Timeout)),        NO_TIMER,   NO_TIMER),
        (Trying,     TransportError, Terminated, (None, Some(Tell::TransportError)), NO_TIMER,   NO_TIMER),
        (Trying,     Provisional,    Proceeding, (None, Some(Tell::Response)),       PROCEEDING, TIMER_F),
        (Trying,     Final,          Completed,  (None, Some(Tell::Response)),       TIMER_K,    ENDS_NOW),
        (Proceeding, TimerE,         Proceeding, (Some(Request), None),              armed(Some(5_000), Some(32_000)), None),
        (Proceeding, TimerF,         Terminated, (None, Some(Tell::Timeout)),        NO_TIMER,   NO_TIMER),
        (Proceeding, TransportError, Terminated, (None, Some(Tell::TransportError)), NO_TIMER,   NO_TIMER),
        (Proceeding, Provisional,    Proceeding, (None, Some(Tell::Response)),       PROCEEDING, TIMER_F),
        (Proceeding, Final,          Completed,  (None, Some(Tell::Response)),       TIMER_K,    ENDS_NOW),
        (Completed,  TimerK,         Terminated, (None, None),                       NO_TIMER,   NO_TIMER),
    ];

    fn label(input: Input) -> &'static str {
        match input {
            TimerE => "timer E",
            TimerF => "timer F",
            TimerK => "timer K",
            Provisional => "1xx",
            Final => "200-699",
            TransportError => "transport error",
        }
    }

    fn way(state: State) -> &'static [Input] {
        match state {
            Trying => &[],
            Proceeding => &[Provisional],
            Completed => &[Final],
            Terminated => &[TimerF],
        }
    }

    table_test!(Client);

    /// When timer E fires until timer F does, in milliseconds.
    fn resends(mut machine: Client, schedule: &Schedule) -> Vec<u64> {
        let mut times = Vec::new();
        while let Some(now) = machine.deadline() {
            let input = machine.due(now).expect("a deadline is due when it comes");
            machine.on(input, &udp(schedule, now));
            if input == TimerE {
                times.push(now.as_millis());
            } else {
                assert_eq!((input, now.as_millis()), (TimerF, 32_000));
            }
        }
        times
    }

    #[test]
    fn a_request_is_sent_eleven_times_with_intervals_that_grow_to_t2() {
        let schedule = schedule();
        let clock = udp(&schedule, Instant::ZERO);
        let expected = [500, 1_500, 3_500, 7_500, 11_500, 15_500, 19_500, 23_500, 27_500, 31_500];
        assert_eq!(resends(machine_in(Trying, &clock), &schedule), expected);
    }

    #[test]
    fn after_a_provisional_response_it_is_resent_every_t2() {
        let schedule = schedule();
        let clock = udp(&schedule, Instant::ZERO);
        let expected = [500, 4_500, 8_500, 12_500, 16_500, 20_500, 24_500, 28_500];
        assert_eq!(resends(machine_in(Proceeding, &clock), &schedule), expected);
    }
}
