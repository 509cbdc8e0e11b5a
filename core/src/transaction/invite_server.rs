//! The INVITE server transaction (RFC 3261 §17.2.1 as RFC 6026 §8.5-8.8 has it).
//!
//! ```text
//!                                      |INVITE
//!                                      |pass INV to TU
//!                   INVITE             V send 100 if TU won't in 200 ms
//!                   send response+------------+
//!                       +--------|            |--------+ 101-199 from TU
//!                       |        |            |        | send response
//!                       +------->|            |<-------+
//!                                | Proceeding |
//!                                |            |--------+ Transport Err.
//!                                |            |        | Inform TU
//!                                |            |<-------+
//!                                +------------+
//!                   300-699 from TU |    |2xx from TU
//!                   send response   |    |send response
//!                    +--------------+    +------------+
//!                    |                                |
//!   INVITE           V          Timer G fires         |
//!   send response +-----------+ send response         |
//!        +--------|           |--------+              |
//!        |        |           |        |              |
//!        +------->| Completed |<-------+      INVITE  |  Transport Err.
//!                 |           |               -       |  Inform TU
//!        +--------|           |----+          +-----+ |  +---+
//!        |        +-----------+    | ACK      |     | v  |   v
//!        |          ^   |          | -        |  +------------+
//!        |          |   |          |          |  |            |---+ ACK
//!        +----------+   |          |          +->|  Accepted  |   | to TU
//!        Transport Err. |          |             |            |<--+
//!        Inform TU      |          V             +------------+
//!                       |      +-----------+        |  ^     |
//!                       |      | Confirmed |        |  +-----+
//!                       |      +-----------+        |  2xx from TU
//!         Timer H fires |          |                |  send response
//!         -             |          | Timer I fires  |
//!                       |          | -              | Timer L fires
//!                       |          V                | -
//!                       |        +------------+     |
//!                       +------->| Terminated |<----+
//!                                +------------+
//! ```
//!
//! The core creates the transaction, so "pass INV to TU" is no action here (erratum 4385). That timer H tells the
//! transaction user is in the text (§17.2.1).

use super::schedule::{Clock, Due, Pair, doubled};
use super::{ServerActions, ServerSend, ServerTell};
use crate::time::Instant;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum State {
    Proceeding,
    Completed,
    Confirmed,
    Accepted,
    Terminated,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Input {
    /// The INVITE came again.
    Invite,
    Ack,
    /// 1xx from the transaction user.
    Provisional,
    /// 2xx from the transaction user.
    Success,
    /// 300-699 from the transaction user.
    Failure,
    /// 200 ms have passed.
    Trying,
    TimerG,
    TimerH,
    TimerI,
    TimerL,
    TransportError,
}

/// The INVITE server transaction.
#[derive(Clone, Copy, Debug)]
pub(crate) struct InviteServer {
    state: State,
    timers: Pair,
}

impl InviteServer {
    /// Proceeding.
    pub(crate) fn new(clock: &Clock<'_>) -> Self {
        Self { state: State::Proceeding, timers: Pair::NONE.sending(clock, clock.schedule.trying_invite) }
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
            (Due::Resend, State::Proceeding) => Input::Trying,
            (Due::Resend, _) => Input::TimerG,
            (Due::End, State::Confirmed) => Input::TimerI,
            (Due::End, State::Accepted) => Input::TimerL,
            (Due::End, State::Proceeding | State::Completed | State::Terminated) => Input::TimerH,
        }
    }

    /// A response of the transaction user is refused unless the actions say to send it.
    pub(crate) fn on(&mut self, input: Input, clock: &Clock<'_>) -> ServerActions {
        use {Input::*, State::*};
        let tell = ServerActions::tell;
        let given = ServerActions::send(ServerSend::Given);
        let last = ServerActions::send(ServerSend::Last);
        let (next, actions) = match (self.state, input) {
            (Proceeding, Trying) => (Proceeding, ServerActions::send(ServerSend::Trying)),
            (Proceeding, Provisional) => (Proceeding, given),
            (Proceeding, Invite) => (Proceeding, last),
            (Proceeding, Failure) => (Completed, given),
            (Proceeding, Success) => (Accepted, given),

            (Completed, Invite) => (Completed, last),
            (Completed, TimerG) if !clock.reliable => (Completed, last),
            (Completed, Ack) => (Confirmed, ServerActions::NONE),
            (Completed, TimerH) => (Terminated, tell(ServerTell::Unacknowledged)),

            (Confirmed, TimerI) => (Terminated, ServerActions::NONE),

            (Accepted, Success) => (Accepted, given),
            (Accepted, Ack) => (Accepted, tell(ServerTell::Ack)),
            (Accepted, TimerL) => (Terminated, ServerActions::NONE),

            (Proceeding | Completed | Accepted, TransportError) => (self.state, tell(ServerTell::TransportError)),

            (state, _) => (state, ServerActions::NONE),
        };
        self.arm(input, next, clock);
        self.state = next;
        actions
    }

    fn arm(&mut self, input: Input, next: State, clock: &Clock<'_>) {
        match (self.state, next) {
            (State::Proceeding, State::Proceeding) if matches!(input, Input::Trying | Input::Provisional) => {
                self.timers = Pair::NONE;
            }
            (State::Completed, State::Completed) if input == Input::TimerG && !clock.reliable => {
                let interval = doubled(self.timers.interval(), clock.schedule.t2);
                self.timers.again(clock, interval);
            }
            (state, next) if state == next => {}
            (_, State::Completed) => {
                self.timers = Pair::ending(clock.after_64_t1());
                if !clock.reliable {
                    self.timers.again(clock, clock.schedule.t1);
                }
            }
            (_, State::Confirmed) => self.timers = Pair::ending(clock.after_t4()),
            (_, State::Accepted) => self.timers = Pair::ending(clock.after_64_t1()),
            (_, State::Proceeding | State::Terminated) => self.timers = Pair::NONE,
        }
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::super::table_test::{self, Armed, NO_TIMER, Row, armed, schedule, table_test, udp};
    use super::*;
    use alloc::vec::Vec;
    use {Input::*, ServerSend as Send, ServerTell as Tell, State::*};

    const STATES: [State; 5] = [Proceeding, Completed, Confirmed, Accepted, Terminated];
    const INPUTS: [Input; 11] =
        [Invite, Ack, Provisional, Success, Failure, Trying, TimerG, TimerH, TimerI, TimerL, TransportError];

    /// Armed are the 100 or timer G, and the timer that ends the state.
    type Transition = Row<State, Input, Send, Tell>;

    /// The 100.
    const BEGIN: (Armed, Armed) = ((Some(200), None), (Some(200), None));
    const TRYING: Option<Armed> = armed(Some(200), None);
    const ENDS_AT_32: Option<Armed> = armed(None, Some(32_000));
    const ENDS_AT_33: Option<Armed> = armed(None, Some(33_000));
    const COMPLETED: Option<Armed> = armed(Some(500), Some(32_000));
    const TIMER_I: Option<Armed> = armed(None, Some(6_000));
    const ENDS_NOW: Option<Armed> = armed(None, Some(1_000));

    /// Every pair that does something, at t=1.000 in a state entered at t=0. All others do nothing at all.
    #[rustfmt::skip]
    const TABLE: &[Transition] = &[
        (Proceeding, Trying,         Proceeding, (Some(Send::Trying), None),         NO_TIMER,   NO_TIMER),
        (Proceeding, Provisional,    Proceeding, (Some(Send::Given), None),          NO_TIMER,   NO_TIMER),
        (Proceeding, Invite,         Proceeding, (Some(Send::Last), None),           TRYING,     TRYING),
        (Proceeding, Failure,        Completed,  (Some(Send::Given), None),          armed(Some(1_500), Some(33_000)), ENDS_AT_33),
        (Proceeding, Success,        Accepted,   (Some(Send::Given), None),          ENDS_AT_33, ENDS_AT_33),
        (Proceeding, TransportError, Proceeding, (None, Some(Tell::TransportError)), TRYING,     TRYING),
        (Completed,  Invite,         Completed,  (Some(Send::Last), None),           COMPLETED,  ENDS_AT_32),
        (Completed,  TimerG,         Completed,  (Some(Send::Last), None),           armed(Some(2_000), Some(32_000)), None),
        (Completed,  Ack,            Confirmed,  (None, None),                       TIMER_I,    ENDS_NOW),
        (Completed,  TimerH,         Terminated, (None, Some(Tell::Unacknowledged)), NO_TIMER,   NO_TIMER),
        (Completed,  TransportError, Completed,  (None, Some(Tell::TransportError)), COMPLETED,  ENDS_AT_32),
        (Confirmed,  TimerI,         Terminated, (None, None),                       NO_TIMER,   NO_TIMER),
        (Accepted,   Success,        Accepted,   (Some(Send::Given), None),          ENDS_AT_32, ENDS_AT_32),
        (Accepted,   Ack,            Accepted,   (None, Some(Tell::Ack)),            ENDS_AT_32, ENDS_AT_32),
        (Accepted,   TimerL,         Terminated, (None, None),                       NO_TIMER,   NO_TIMER),
        (Accepted,   TransportError, Accepted,   (None, Some(Tell::TransportError)), ENDS_AT_32, ENDS_AT_32),
    ];

    fn label(input: Input) -> &'static str {
        match input {
            Invite => "INVITE again",
            Ack => "ACK",
            Provisional => "1xx of the TU",
            Success => "2xx of the TU",
            Failure => "300-699 of the TU",
            Trying => "200 ms",
            TimerG => "timer G",
            TimerH => "timer H",
            TimerI => "timer I",
            TimerL => "timer L",
            TransportError => "transport error",
        }
    }

    fn way(state: State) -> &'static [Input] {
        match state {
            Proceeding => &[],
            Completed => &[Failure],
            Confirmed => &[Failure, Ack],
            Accepted => &[Success],
            Terminated => &[Failure, TimerH],
        }
    }

    table_test!(InviteServer);

    #[test]
    fn a_final_response_is_sent_eleven_times_until_timer_h() {
        let schedule = schedule();
        let at = |now| udp(&schedule, now);
        let mut machine = machine_in(Completed, &at(Instant::ZERO));
        let mut fired = Vec::new();
        while let Some(now) = machine.deadline() {
            let input = machine.due(now).expect("a deadline is due when it comes");
            machine.on(input, &at(now));
            fired.push((input, now.as_millis()));
        }
        let expected = [500, 1_500, 3_500, 7_500, 11_500, 15_500, 19_500, 23_500, 27_500, 31_500];
        let resent: Vec<_> = expected.into_iter().map(|millis| (TimerG, millis)).chain([(TimerH, 32_000)]).collect();
        assert_eq!(fired, resent);
    }

    #[test]
    fn the_100_is_due_after_200_ms_and_only_if_nothing_was_sent() {
        let schedule = schedule();
        let clock = udp(&schedule, Instant::ZERO);
        let mut machine = InviteServer::new(&clock);
        assert_eq!(machine.due(Instant::from_millis(199)), None);
        assert_eq!(machine.due(Instant::from_millis(200)), Some(Trying));
        machine.on(Provisional, &clock);
        assert_eq!(machine.deadline(), None);
    }
}
