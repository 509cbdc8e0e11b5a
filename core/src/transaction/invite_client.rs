//! The INVITE client transaction (RFC 3261 §17.1.1 as RFC 6026 §8.4 has it).
//!
//! ```text
//!                                    |INVITE from TU
//!                  Timer A fires     |INVITE sent      Timer B fires
//!                  Reset A,          V                 or Transport Err.
//!                  INVITE sent +-----------+           inform TU
//!                    +---------|           |--------------------------+
//!                    |         |  Calling  |                          |
//!                    +-------->|           |-----------+              |
//!   300-699                    +-----------+ 2xx       |              |
//!   ACK sent                      |  |       2xx to TU |              |
//!   resp. to TU                   |  |1xx              |              |
//!   +-----------------------------+  |1xx to TU        |              |
//!   |                                |                 |              |
//!   |                1xx             V                 |              |
//!   |                1xx to TU +-----------+           |              |
//!   |                +---------|           |           |              |
//!   |                |         |Proceeding |           |              |
//!   |                +-------->|           |           |              |
//!   |                          +-----------+ 2xx       |              |
//!   |         300-699             |    |     2xx to TU |              |
//!   |         ACK sent,  +--------+    +---------------+              |
//!   |         resp. to TU|                             |              |
//!   |                    |                             |              |
//!   |                    V                             V              |
//!   |              +-----------+                   +----------+       |
//!   +------------->|           |Transport Err.     |          |       |
//!                  | Completed |Inform TU          | Accepted |       |
//!               +--|           |-------+           |          |-+     |
//!       300-699 |  +-----------+       |           +----------+ |     |
//!       ACK sent|    ^  |              |               |  ^     |     |
//!               |    |  |              |               |  |     |     |
//!               +----+  |              |               |  +-----+     |
//!                       |Timer D fires |  Timer M fires|    2xx       |
//!                       |-             |             - |    2xx to TU |
//!                       +--------+     |   +-----------+              |
//!                                V     V   V                          |
//!                               +------------+                        |
//!                               | Terminated |<-----------------------+
//!                               +------------+
//! ```
//!
//! One thing is not in the figure: once the CANCEL is out, Proceeding ends 64·T1 later (§9.1).

use super::schedule::{Clock, Due, Pair};
use super::{ClientActions, ClientSend, ClientTell};
use crate::time::Instant;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum State {
    Calling,
    Proceeding,
    Completed,
    Accepted,
    Terminated,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Input {
    TimerA,
    TimerB,
    TimerD,
    TimerM,
    /// 1xx.
    Provisional,
    /// 2xx.
    Success,
    /// 300-699.
    Failure,
    TransportError,
    /// The CANCEL was sent.
    Cancelled,
    /// 64·T1 after the CANCEL was sent.
    CancelTimeout,
}

/// The INVITE client transaction.
#[derive(Clone, Copy, Debug)]
pub(crate) struct InviteClient {
    state: State,
    timers: Pair,
}

impl InviteClient {
    /// Calling; the caller sends the INVITE.
    pub(crate) fn new(clock: &Clock<'_>) -> Self {
        let mut timers = Pair::ending(clock.after_64_t1());
        if !clock.reliable {
            timers.again(clock, clock.schedule.t1);
        }
        Self { state: State::Calling, timers }
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
            (Due::Resend, _) => Input::TimerA,
            (Due::End, State::Calling) => Input::TimerB,
            (Due::End, State::Proceeding) => Input::CancelTimeout,
            (Due::End, State::Accepted) => Input::TimerM,
            (Due::End, State::Completed | State::Terminated) => Input::TimerD,
        }
    }

    pub(crate) fn on(&mut self, input: Input, clock: &Clock<'_>) -> ClientActions {
        use {Input::*, State::*};
        let tell = ClientActions::tell;
        let acknowledge = ClientActions::send(ClientSend::Ack);
        let (next, actions) = match (self.state, input) {
            (Calling, TimerA) if !clock.reliable => (Calling, ClientActions::send(ClientSend::Request)),
            (Calling, TimerB) => (Terminated, tell(ClientTell::Timeout)),
            (Calling | Completed, TransportError) => (Terminated, tell(ClientTell::TransportError)),

            (Calling | Proceeding, Provisional) => (Proceeding, tell(ClientTell::Response)),
            (Calling | Proceeding, Success) => (Accepted, tell(ClientTell::Response)),
            (Calling | Proceeding, Failure) => {
                (Completed, ClientActions { tell: Some(ClientTell::Response), ..acknowledge })
            }
            (Proceeding, CancelTimeout) => (Terminated, tell(ClientTell::Timeout)),

            (Completed, Failure) => (Completed, acknowledge),
            (Completed, TimerD) => (Terminated, ClientActions::NONE),

            (Accepted, Success) => (Accepted, tell(ClientTell::Response)),
            (Accepted, TimerM) => (Terminated, ClientActions::NONE),

            (state, _) => (state, ClientActions::NONE),
        };
        self.arm(input, next, clock);
        self.state = next;
        actions
    }

    fn arm(&mut self, input: Input, next: State, clock: &Clock<'_>) {
        match (self.state, next) {
            (State::Calling, State::Calling) if input == Input::TimerA && !clock.reliable => {
                let interval = self.timers.interval();
                self.timers.again(clock, interval.saturating_mul(2));
            }
            (State::Proceeding, State::Proceeding) if input == Input::Cancelled => {
                self.timers.set_end(clock.after_64_t1());
            }
            (state, next) if state == next => {}
            (_, State::Completed) => self.timers = Pair::ending(clock.timer_d()),
            (_, State::Accepted) => self.timers = Pair::ending(clock.after_64_t1()),
            (_, State::Calling | State::Proceeding | State::Terminated) => self.timers = Pair::NONE,
        }
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::super::table_test::{self, Armed, NO_TIMER, Row, armed, schedule, table_test, udp};
    use super::*;
    use {ClientSend::*, ClientTell as Tell, Input::*, State::*};

    const STATES: [State; 5] = [Calling, Proceeding, Completed, Accepted, Terminated];
    const INPUTS: [Input; 10] =
        [TimerA, TimerB, TimerD, TimerM, Provisional, Success, Failure, TransportError, Cancelled, CancelTimeout];

    /// Armed are timer A, and the timer that ends the state.
    type Transition = Row<State, Input, ClientSend, Tell>;

    /// Timers A and B.
    const BEGIN: (Armed, Armed) = ((Some(500), Some(32_000)), (None, Some(32_000)));
    const ENDS_AT_32: Option<Armed> = armed(None, Some(32_000));
    const ENDS_AT_33: Option<Armed> = armed(None, Some(33_000));
    const ENDS_NOW: Option<Armed> = armed(None, Some(1_000));

    /// Every pair that does something, at t=1.000 in a state entered at t=0. All others do nothing at all.
    #[rustfmt::skip]
    const TABLE: &[Transition] = &[
        (Calling,    TimerA,         Calling,    (Some(Request), None),              armed(Some(2_000), Some(32_000)), None),
        (Calling,    TimerB,         Terminated, (None, Some(Tell::Timeout)),        NO_TIMER,   NO_TIMER),
        (Calling,    TransportError, Terminated, (None, Some(Tell::TransportError)), NO_TIMER,   NO_TIMER),
        (Calling,    Provisional,    Proceeding, (None, Some(Tell::Response)),       NO_TIMER,   NO_TIMER),
        (Calling,    Success,        Accepted,   (None, Some(Tell::Response)),       ENDS_AT_33, ENDS_AT_33),
        (Calling,    Failure,        Completed,  (Some(Ack), Some(Tell::Response)),  ENDS_AT_33, ENDS_NOW),
        (Proceeding, Provisional,    Proceeding, (None, Some(Tell::Response)),       NO_TIMER,   NO_TIMER),
        (Proceeding, Success,        Accepted,   (None, Some(Tell::Response)),       ENDS_AT_33, ENDS_AT_33),
        (Proceeding, Failure,        Completed,  (Some(Ack), Some(Tell::Response)),  ENDS_AT_33, ENDS_NOW),
        (Proceeding, Cancelled,      Proceeding, (None, None),                       ENDS_AT_33, ENDS_AT_33),
        (Proceeding, CancelTimeout,  Terminated, (None, Some(Tell::Timeout)),        NO_TIMER,   NO_TIMER),
        (Completed,  Failure,        Completed,  (Some(Ack), None),                  ENDS_AT_32, armed(None, Some(0))),
        (Completed,  TransportError, Terminated, (None, Some(Tell::TransportError)), NO_TIMER,   NO_TIMER),
        (Completed,  TimerD,         Terminated, (None, None),                       NO_TIMER,   NO_TIMER),
        (Accepted,   Success,        Accepted,   (None, Some(Tell::Response)),       ENDS_AT_32, ENDS_AT_32),
        (Accepted,   TimerM,         Terminated, (None, None),                       NO_TIMER,   NO_TIMER),
    ];

    fn label(input: Input) -> &'static str {
        match input {
            TimerA => "timer A",
            TimerB => "timer B",
            TimerD => "timer D",
            TimerM => "timer M",
            Provisional => "1xx",
            Success => "2xx",
            Failure => "300-699",
            TransportError => "transport error",
            Cancelled => "CANCEL sent",
            CancelTimeout => "64·T1 after the CANCEL",
        }
    }

    fn way(state: State) -> &'static [Input] {
        match state {
            Calling => &[],
            Proceeding => &[Provisional],
            Completed => &[Failure],
            Accepted => &[Success],
            Terminated => &[TimerB],
        }
    }

    table_test!(InviteClient);

    #[test]
    fn the_invite_is_sent_seven_times_and_given_up_after_64_t1() {
        let schedule = schedule();
        let at = |now| udp(&schedule, now);
        let mut machine = InviteClient::new(&at(Instant::ZERO));
        for millis in [500, 1_500, 3_500, 7_500, 15_500, 31_500] {
            let now = Instant::from_millis(millis);
            assert_eq!(machine.deadline(), Some(now));
            assert_eq!(machine.due(now), Some(TimerA));
            assert_eq!(machine.on(TimerA, &at(now)), ClientActions::send(Request));
        }
        let end = Instant::from_millis(32_000);
        assert_eq!((machine.deadline(), machine.due(end)), (Some(end), Some(TimerB)));
    }

    #[test]
    fn each_states_end_has_its_letter() {
        let schedule = schedule();
        let clock = udp(&schedule, Instant::ZERO);
        let late = Instant::from_millis(100_000);
        let due = |state| machine_in(state, &clock).due(late);
        assert_eq!(due(Calling), Some(TimerB));
        assert_eq!(due(Proceeding), None);
        assert_eq!(due(Completed), Some(TimerD));
        assert_eq!(due(Accepted), Some(TimerM));
        assert_eq!(due(Terminated), None);
        let mut cancelled = machine_in(Proceeding, &clock);
        cancelled.on(Cancelled, &clock);
        assert_eq!(cancelled.due(late), Some(CancelTimeout));
    }
}
