//! Transactions to look at: the state and the timers of each (RFC 3261 §17).

use core::fmt;

use super::schedule::{Due, Pair};
use super::{ClientMachine, ClientTransactionId, Server, ServerMachine, ServerTransactionId};
use super::{client, invite_client, invite_server, server};
use crate::flow::Flow;
use crate::time::Instant;

/// A transaction as it stands at this moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TransactionInfo {
    /// The handle of the transaction.
    pub id: TransactionId,
    /// Whether its request is an INVITE.
    pub is_invite: bool,
    /// The state of its machine.
    pub state: TransactionState,
    /// The flow along which its messages go.
    pub flow: Flow,
    /// The timers that are set, and when they fire: the one that sends something, and the one that ends the state.
    pub timers: [Option<(Timer, Instant)>; 2],
}

/// The handle of a transaction of either side.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum TransactionId {
    /// A client transaction (RFC 3261 §17.1).
    Client(ClientTransactionId),
    /// A server transaction (RFC 3261 §17.2).
    Server(ServerTransactionId),
}

impl fmt::Display for TransactionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Client(id) => id.fmt(f),
            Self::Server(id) => id.fmt(f),
        }
    }
}

/// A state of a transaction, printed as the RFCs write it. Terminated is not among them: such a transaction is gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum TransactionState {
    /// An INVITE without any response (RFC 3261 §17.1.1).
    Calling,
    /// A request other than INVITE without any response (RFC 3261 §17.1.2, §17.2.2).
    Trying,
    /// There is no final response yet, and a provisional one if the state before was another.
    Proceeding,
    /// There is a final response; of an INVITE, none of 2xx.
    Completed,
    /// The ACK has come (RFC 3261 §17.2.1).
    Confirmed,
    /// The INVITE has a 2xx (RFC 6026 §7).
    Accepted,
}

impl fmt::Display for TransactionState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, f)
    }
}

/// A timer of a transaction, printed by its letter (RFC 3261 §17, table 4, and RFC 6026 §7).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Timer {
    /// Sends the INVITE again.
    A,
    /// Ends the wait for a response to the INVITE.
    B,
    /// Ends the wait for copies of a rejection.
    D,
    /// Sends a request other than INVITE again.
    E,
    /// Ends the wait for the final response to a request other than INVITE.
    F,
    /// Sends a rejection of the INVITE again.
    G,
    /// Ends the wait for the ACK.
    H,
    /// Ends the wait for copies of the ACK.
    I,
    /// Ends the wait for copies of a request other than INVITE.
    J,
    /// Ends the wait for copies of the final response.
    K,
    /// Ends the wait for copies of an accepted INVITE.
    L,
    /// Ends the wait for more 2xx.
    M,
    /// Sends a 100 if nothing else was sent (RFC 3261 §17.2.1, RFC 4320 §4.1); printed as `100`.
    Trying,
    /// Ends the wait for the final response to a cancelled INVITE (RFC 3261 §9.1); printed as `CANCEL`.
    Cancel,
}

impl fmt::Display for Timer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Trying => f.write_str("100"),
            Self::Cancel => f.write_str("CANCEL"),
            letter => fmt::Debug::fmt(letter, f),
        }
    }
}

/// The two timers of a machine, by their names.
type Set = [Option<(Timer, Instant)>; 2];

impl ClientMachine {
    /// The state; `None` of a transaction that is over.
    pub(super) fn info(&self) -> Option<(TransactionState, Set)> {
        use {TransactionState as State, invite_client as invite};
        Some(match self {
            Self::Invite(machine) => {
                let state = match machine.state() {
                    invite::State::Calling => State::Calling,
                    invite::State::Proceeding => State::Proceeding,
                    invite::State::Completed => State::Completed,
                    invite::State::Accepted => State::Accepted,
                    invite::State::Terminated => return None,
                };
                let named = |due| match machine.fires(due) {
                    invite::Input::TimerA => Some(Timer::A),
                    invite::Input::TimerB => Some(Timer::B),
                    invite::Input::TimerD => Some(Timer::D),
                    invite::Input::TimerM => Some(Timer::M),
                    invite::Input::CancelTimeout => Some(Timer::Cancel),
                    _ => None,
                };
                (state, set(machine.timers(), named))
            }
            Self::Other(machine) => {
                let state = match machine.state() {
                    client::State::Trying => State::Trying,
                    client::State::Proceeding => State::Proceeding,
                    client::State::Completed => State::Completed,
                    client::State::Terminated => return None,
                };
                let named = |due| match machine.fires(due) {
                    client::Input::TimerE => Some(Timer::E),
                    client::Input::TimerF => Some(Timer::F),
                    client::Input::TimerK => Some(Timer::K),
                    _ => None,
                };
                (state, set(machine.timers(), named))
            }
        })
    }
}

impl ServerMachine {
    /// The state; `None` of a transaction that is over.
    pub(super) fn info(&self) -> Option<(TransactionState, Set)> {
        use {TransactionState as State, invite_server as invite};
        Some(match self {
            Self::Invite(machine) => {
                let state = match machine.state() {
                    invite::State::Proceeding => State::Proceeding,
                    invite::State::Completed => State::Completed,
                    invite::State::Confirmed => State::Confirmed,
                    invite::State::Accepted => State::Accepted,
                    invite::State::Terminated => return None,
                };
                let named = |due| match machine.fires(due) {
                    invite::Input::Trying => Some(Timer::Trying),
                    invite::Input::TimerG => Some(Timer::G),
                    invite::Input::TimerH => Some(Timer::H),
                    invite::Input::TimerI => Some(Timer::I),
                    invite::Input::TimerL => Some(Timer::L),
                    _ => None,
                };
                (state, set(machine.timers(), named))
            }
            Self::Other(machine) => {
                let state = match machine.state() {
                    server::State::Trying => State::Trying,
                    server::State::Proceeding => State::Proceeding,
                    server::State::Completed => State::Completed,
                    server::State::Terminated => return None,
                };
                let named = |due| match Server::fires(due) {
                    server::Input::Trying => Some(Timer::Trying),
                    server::Input::TimerJ => Some(Timer::J),
                    _ => None,
                };
                (state, set(machine.timers(), named))
            }
        })
    }
}

fn set(timers: Pair, named: impl Fn(Due) -> Option<Timer>) -> Set {
    [Due::Resend, Due::End].map(|due| named(due).zip(timers.at(due)))
}

#[cfg(test)]
mod tests {
    use super::super::table_test::{schedule, udp};
    use super::*;
    use crate::message::StatusCode;
    use alloc::string::{String, ToString};
    use alloc::vec::Vec;

    /// The state and the timers in milliseconds, as `Calling A 500 B 32000`.
    fn shown(info: Option<(TransactionState, Set)>) -> String {
        let Some((state, timers)) = info else { return "over".into() };
        let timers =
            timers.into_iter().flatten().flat_map(|(timer, at)| [timer.to_string(), at.as_millis().to_string()]);
        [state.to_string()].into_iter().chain(timers).collect::<Vec<_>>().join(" ")
    }

    /// RFC 3261 §17, table 4, and RFC 6026 §8.4.
    #[test]
    fn a_client_transaction_tells_its_state_and_its_timers_by_their_letters() {
        let schedule = schedule();
        let clock = udp(&schedule, Instant::ZERO);
        let after = |is_invite: bool, statuses: &[u16]| {
            let mut machine = ClientMachine::new(is_invite, &clock);
            for status in statuses {
                machine.response(StatusCode::new(*status).unwrap(), &clock);
            }
            machine
        };
        assert_eq!(shown(after(true, &[]).info()), "Calling A 500 B 32000");
        assert_eq!(shown(after(true, &[180]).info()), "Proceeding");
        assert_eq!(shown(after(true, &[180, 486]).info()), "Completed D 32000");
        assert_eq!(shown(after(true, &[200]).info()), "Accepted M 32000");
        assert_eq!(shown(after(false, &[]).info()), "Trying E 500 F 32000");
        assert_eq!(shown(after(false, &[100]).info()), "Proceeding E 500 F 32000");
        assert_eq!(shown(after(false, &[200]).info()), "Completed K 5000");
        let mut cancelled = after(true, &[180]);
        cancelled.cancelled(&clock);
        assert_eq!(shown(cancelled.info()), "Proceeding CANCEL 32000");
        let mut lost = after(true, &[]);
        lost.transport_error(&clock);
        assert_eq!(shown(lost.info()), "over");
    }

    /// RFC 3261 §17, table 4, RFC 6026 §8.5 to §8.8, and RFC 4320 §4.1.
    #[test]
    fn a_server_transaction_tells_its_state_and_its_timers_by_their_letters() {
        let schedule = schedule();
        let clock = udp(&schedule, Instant::ZERO);
        let after = |is_invite: bool, statuses: &[u16]| {
            let mut machine = ServerMachine::new(is_invite, &clock);
            for status in statuses {
                machine.respond(StatusCode::new(*status).unwrap(), &clock);
            }
            machine
        };
        assert_eq!(shown(after(true, &[]).info()), "Proceeding 100 200");
        assert_eq!(shown(after(true, &[180]).info()), "Proceeding");
        assert_eq!(shown(after(true, &[486]).info()), "Completed G 500 H 32000");
        assert_eq!(shown(after(true, &[200]).info()), "Accepted L 32000");
        assert_eq!(shown(after(false, &[]).info()), "Trying 100 3500");
        assert_eq!(shown(after(false, &[200]).info()), "Completed J 32000");
        let mut confirmed = after(true, &[486]);
        confirmed.request(true, &clock);
        assert_eq!(shown(confirmed.info()), "Confirmed I 5000");
    }
}
