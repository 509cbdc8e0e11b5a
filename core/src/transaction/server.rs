//! The non-INVITE server transaction (RFC 3261 §17.2.2 with RFC 4320 and RFC 6026 §8.8).
//!
//! ```text
//!                                  |Request received
//!                                  |pass to TU
//!                                  V
//!                            +-----------+
//!                            | Trying    |-------------+
//!                            +-----------+             |200-699 from TU
//!                                  |                   |send response
//!                                  |1xx from TU        |
//!                                  |send response      |
//!                                  |                   |
//!               Request            V      1xx from TU  |
//!               send response+-----------+send response|
//!                   +--------|           |--------+    |
//!                   |        | Proceeding|        |    |
//!                   +------->|           |<-------+    |
//!                            +-----------+             |
//!                                  |                   |
//!                                  |200-699 from TU    |
//!                                  |send response      |
//!                   Request        V                   |
//!                   send response+-----------+         |
//!                       +--------| Completed |<--------+
//!                       +------->|           |
//!                                +-----------+
//!                                  |Timer J fires
//!                                  |-
//!                                  V
//!                            +-----------+
//!                            | Terminated|
//!                            +-----------+
//! ```
//!
//! Newer than the figure: a transport error is told and changes nothing (RFC 6026 §8.8). The transaction sends a 100 of its
//! own when timer E of the sender is reset to T2, and over an unreliable transport none may be sent earlier (RFC 4320
//! §4.1). A 408 is never sent: the transaction goes silent instead (RFC 4320 §4.2).

use super::schedule::{Clock, Due, Pair};
use super::{ServerActions, ServerSend, ServerTell};
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
    /// The request came again.
    Request,
    /// A 100 from the transaction user.
    Provisional,
    /// 200-699 from the transaction user.
    Final,
    /// A 408 from the transaction user.
    Silence,
    /// Timer E of the sender is reset to T2.
    Trying,
    TimerJ,
    TransportError,
}

/// The non-INVITE server transaction.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Server {
    state: State,
    timers: Pair,
}

impl Server {
    /// Trying.
    pub(crate) fn new(clock: &Clock<'_>) -> Self {
        Self { state: State::Trying, timers: Pair::NONE.sending(clock, clock.schedule.trying) }
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
        self.timers.due(now).map(Self::fires)
    }

    /// The input that a timer of this state is.
    pub(super) const fn fires(due: Due) -> Input {
        match due {
            Due::Resend => Input::Trying,
            Due::End => Input::TimerJ,
        }
    }

    /// A response of the transaction user is refused unless the actions say to send it.
    pub(crate) fn on(&mut self, input: Input, clock: &Clock<'_>) -> ServerActions {
        use {Input::*, State::*};
        let given = ServerActions::send(ServerSend::Given);
        let last = ServerActions::send(ServerSend::Last);
        let (next, actions) = match (self.state, input) {
            (State::Trying, Input::Trying) => (Proceeding, ServerActions::send(ServerSend::Trying)),
            (State::Trying, Provisional) if clock.reliable => (Proceeding, given),
            (Proceeding, Provisional) => (Proceeding, given),
            (Proceeding, Request) => (Proceeding, last),
            (State::Trying | Proceeding, Final) => (Completed, given),
            (State::Trying | Proceeding, Silence) => (Completed, ServerActions::NONE),

            (Completed, Request) => (Completed, last),
            (Completed, TimerJ) => (Terminated, ServerActions::NONE),

            (Proceeding | Completed, TransportError) => (self.state, ServerActions::tell(ServerTell::TransportError)),

            (state, _) => (state, ServerActions::NONE),
        };
        if next != self.state {
            self.timers = match next {
                Completed => Pair::ending(clock.timer_j()),
                State::Trying | Proceeding | Terminated => Pair::NONE,
            };
        }
        self.state = next;
        actions
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::super::table_test::{self, Armed, NO_TIMER, Row, armed, schedule, table_test, udp};
    use super::*;
    use {Input::*, ServerSend as Send, ServerTell as Tell, State::*};

    const STATES: [State; 4] = [State::Trying, Proceeding, Completed, Terminated];
    const INPUTS: [Input; 7] = [Request, Provisional, Final, Silence, Input::Trying, TimerJ, TransportError];

    /// Armed are the 100, and timer J.
    type Transition = Row<State, Input, Send, Tell>;

    /// The 100.
    const BEGIN: (Armed, Armed) = ((Some(3_500), None), (Some(3_500), None));
    const TIMER_J: Option<Armed> = armed(None, Some(33_000));
    const ENDS_NOW: Option<Armed> = armed(None, Some(1_000));
    const COMPLETED: Option<Armed> = armed(None, Some(32_000));
    const ENDED: Option<Armed> = armed(None, Some(0));

    /// Every pair that does something, at t=1.000 in a state entered at t=0. All others do nothing at all.
    #[rustfmt::skip]
    const TABLE: &[Transition] = &[
        (State::Trying, Input::Trying,  Proceeding, (Some(Send::Trying), None),         NO_TIMER,  NO_TIMER),
        (State::Trying, Provisional,    Proceeding, (Some(Send::Given), None),          None,      NO_TIMER),
        (State::Trying, Final,          Completed,  (Some(Send::Given), None),          TIMER_J,   ENDS_NOW),
        (State::Trying, Silence,        Completed,  (None, None),                       TIMER_J,   ENDS_NOW),
        (Proceeding,    Request,        Proceeding, (Some(Send::Last), None),           NO_TIMER,  NO_TIMER),
        (Proceeding,    Provisional,    Proceeding, (Some(Send::Given), None),          NO_TIMER,  NO_TIMER),
        (Proceeding,    Final,          Completed,  (Some(Send::Given), None),          TIMER_J,   ENDS_NOW),
        (Proceeding,    Silence,        Completed,  (None, None),                       TIMER_J,   ENDS_NOW),
        (Proceeding,    TransportError, Proceeding, (None, Some(Tell::TransportError)), NO_TIMER,  NO_TIMER),
        (Completed,     Request,        Completed,  (Some(Send::Last), None),           COMPLETED, ENDED),
        (Completed,     TimerJ,         Terminated, (None, None),                       NO_TIMER,  NO_TIMER),
        (Completed,     TransportError, Completed,  (None, Some(Tell::TransportError)), COMPLETED, ENDED),
    ];

    fn label(input: Input) -> &'static str {
        match input {
            Request => "request again",
            Provisional => "100 of the TU",
            Final => "200-699 of the TU",
            Silence => "408 of the TU",
            Input::Trying => "timer E of the sender reaches T2",
            TimerJ => "timer J",
            TransportError => "transport error",
        }
    }

    fn way(state: State) -> &'static [Input] {
        match state {
            State::Trying => &[],
            Proceeding => &[Input::Trying],
            Completed => &[Final],
            Terminated => &[Final, TimerJ],
        }
    }

    table_test!(Server);

    #[test]
    fn the_100_is_due_when_timer_e_of_the_sender_reaches_t2_and_not_before() {
        let schedule = schedule();
        let clock = udp(&schedule, Instant::ZERO);
        let machine = Server::new(&clock);
        assert_eq!(machine.due(Instant::from_millis(3_499)), None);
        assert_eq!(machine.due(Instant::from_millis(3_500)), Some(Input::Trying));
    }
}
