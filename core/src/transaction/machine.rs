//! The client machines, and the server machines, as one each.

use super::{Client, ClientActions, Clock, InviteClient, InviteServer, Server, ServerActions};
use super::{client, invite_client, invite_server, server};
use crate::message::StatusCode;
use crate::time::Instant;

/// Either client machine.
#[derive(Clone, Copy, Debug)]
pub(crate) enum ClientMachine {
    Invite(InviteClient),
    Other(Client),
}

impl ClientMachine {
    pub(crate) fn new(is_invite: bool, clock: &Clock<'_>) -> Self {
        if is_invite { Self::Invite(InviteClient::new(clock)) } else { Self::Other(Client::new(clock)) }
    }

    pub(crate) const fn is_invite(&self) -> bool {
        matches!(self, Self::Invite(_))
    }

    /// Timer F fires at that time at the latest; an INVITE has none.
    pub(crate) fn end_by(&mut self, until: Instant) {
        if let Self::Other(machine) = self {
            machine.end_by(until);
        }
    }

    pub(crate) fn deadline(&self) -> Option<Instant> {
        match self {
            Self::Invite(machine) => machine.deadline(),
            Self::Other(machine) => machine.deadline(),
        }
    }

    /// Whether it is to be destroyed.
    pub(crate) fn is_terminated(&self) -> bool {
        match self {
            Self::Invite(machine) => machine.state() == invite_client::State::Terminated,
            Self::Other(machine) => machine.state() == client::State::Terminated,
        }
    }

    /// Whether an INVITE has a provisional response and no final one: then it can be cancelled (§9.1).
    pub(crate) fn is_proceeding_invite(&self) -> bool {
        matches!(self, Self::Invite(machine) if machine.state() == invite_client::State::Proceeding)
    }

    /// Whether it has no final response.
    pub(crate) fn awaits_final(&self) -> bool {
        match self {
            Self::Invite(machine) => {
                matches!(machine.state(), invite_client::State::Calling | invite_client::State::Proceeding)
            }
            Self::Other(machine) => matches!(machine.state(), client::State::Trying | client::State::Proceeding),
        }
    }

    /// Whether its request, or its ACK, may be sent again.
    pub(crate) fn repeats(&self) -> bool {
        match self {
            Self::Invite(machine) => {
                !matches!(machine.state(), invite_client::State::Accepted | invite_client::State::Terminated)
            }
            Self::Other(machine) => matches!(machine.state(), client::State::Trying | client::State::Proceeding),
        }
    }

    /// Fires the timer that is due.
    pub(crate) fn fire(&mut self, clock: &Clock<'_>) -> Option<ClientActions> {
        Some(match self {
            Self::Invite(machine) => machine.on(machine.due(clock.now)?, clock),
            Self::Other(machine) => machine.on(machine.due(clock.now)?, clock),
        })
    }

    pub(crate) fn response(&mut self, status: StatusCode, clock: &Clock<'_>) -> ClientActions {
        match self {
            Self::Invite(machine) => machine.on(
                match status.class() {
                    1 => invite_client::Input::Provisional,
                    2 => invite_client::Input::Success,
                    _ => invite_client::Input::Failure,
                },
                clock,
            ),
            Self::Other(machine) if status.is_provisional() => machine.on(client::Input::Provisional, clock),
            Self::Other(machine) => machine.on(client::Input::Final, clock),
        }
    }

    pub(crate) fn transport_error(&mut self, clock: &Clock<'_>) -> ClientActions {
        match self {
            Self::Invite(machine) => machine.on(invite_client::Input::TransportError, clock),
            Self::Other(machine) => machine.on(client::Input::TransportError, clock),
        }
    }

    /// The CANCEL is out.
    pub(crate) fn cancelled(&mut self, clock: &Clock<'_>) {
        if let Self::Invite(machine) = self {
            machine.on(invite_client::Input::Cancelled, clock);
        }
    }
}

/// Either server machine.
#[derive(Clone, Copy, Debug)]
pub(crate) enum ServerMachine {
    Invite(InviteServer),
    Other(Server),
}

impl ServerMachine {
    pub(crate) fn new(is_invite: bool, clock: &Clock<'_>) -> Self {
        if is_invite { Self::Invite(InviteServer::new(clock)) } else { Self::Other(Server::new(clock)) }
    }

    pub(crate) const fn is_invite(&self) -> bool {
        matches!(self, Self::Invite(_))
    }

    pub(crate) fn deadline(&self) -> Option<Instant> {
        match self {
            Self::Invite(machine) => machine.deadline(),
            Self::Other(machine) => machine.deadline(),
        }
    }

    /// Whether it is to be destroyed.
    pub(crate) fn is_terminated(&self) -> bool {
        match self {
            Self::Invite(machine) => machine.state() == invite_server::State::Terminated,
            Self::Other(machine) => machine.state() == server::State::Terminated,
        }
    }

    /// Whether the transaction user owes a final response.
    pub(crate) fn awaits_final(&self) -> bool {
        match self {
            Self::Invite(machine) => machine.state() == invite_server::State::Proceeding,
            Self::Other(machine) => matches!(machine.state(), server::State::Trying | server::State::Proceeding),
        }
    }

    /// Whether it waits for the ACK of a rejection.
    pub(crate) fn awaits_ack(&self) -> bool {
        matches!(self, Self::Invite(machine) if machine.state() == invite_server::State::Completed)
    }

    /// Whether its last response may have to be sent again: when the request comes again, or to a backup (RFC 6026 §8.8).
    pub(crate) fn keeps_response(&self) -> bool {
        match self {
            Self::Invite(machine) => {
                !matches!(machine.state(), invite_server::State::Confirmed | invite_server::State::Terminated)
            }
            Self::Other(machine) => machine.state() != server::State::Terminated,
        }
    }

    /// Fires the timer that is due.
    pub(crate) fn fire(&mut self, clock: &Clock<'_>) -> Option<ServerActions> {
        Some(match self {
            Self::Invite(machine) => machine.on(machine.due(clock.now)?, clock),
            Self::Other(machine) => machine.on(machine.due(clock.now)?, clock),
        })
    }

    /// The request came again, or its ACK.
    pub(crate) fn request(&mut self, is_ack: bool, clock: &Clock<'_>) -> ServerActions {
        match self {
            Self::Invite(machine) if is_ack => machine.on(invite_server::Input::Ack, clock),
            Self::Invite(machine) => machine.on(invite_server::Input::Invite, clock),
            Self::Other(machine) => machine.on(server::Input::Request, clock),
        }
    }

    /// The transaction user responds.
    pub(crate) fn respond(&mut self, status: StatusCode, clock: &Clock<'_>) -> ServerActions {
        match self {
            Self::Invite(machine) => machine.on(
                match status.class() {
                    1 => invite_server::Input::Provisional,
                    2 => invite_server::Input::Success,
                    _ => invite_server::Input::Failure,
                },
                clock,
            ),
            Self::Other(machine) if status.is_provisional() => machine.on(server::Input::Provisional, clock),
            Self::Other(machine) => machine.on(server::Input::Final, clock),
        }
    }

    /// The transaction user would say 408 to a request other than INVITE (RFC 4320 §4.2).
    pub(crate) fn silence(&mut self, clock: &Clock<'_>) {
        if let Self::Other(machine) = self {
            machine.on(server::Input::Silence, clock);
        }
    }

    pub(crate) fn transport_error(&mut self, clock: &Clock<'_>) -> ServerActions {
        match self {
            Self::Invite(machine) => machine.on(invite_server::Input::TransportError, clock),
            Self::Other(machine) => machine.on(server::Input::TransportError, clock),
        }
    }
}
