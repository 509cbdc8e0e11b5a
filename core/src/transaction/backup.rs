//! Where a response goes that could not be sent where its request came from (RFC 3261 §18.2.2, RFC 3263 §5, RFC 6026 §8.8).

use alloc::boxed::Box;

use crate::flow::Flow;
use crate::message::header::Protocol;
use crate::message::{HostBuf, SharedBytes};
use crate::node::{Answer, QueryId};
use crate::random::Random;
use crate::transport::{Asked, NextHop, Place, Places, reread_response, source_of};

use super::server_transactions::{ServerTransactions, Told};
use super::{Owner, ServerTransactionId, Wire};

/// The other places where the sender of a request may be: its address at the port of sent-by; for peers that are known, all places of sent-by. They are looked
/// for once in a transaction.
#[derive(Clone, Debug)]
pub(super) struct Backup {
    pub(super) places: Places,
    /// The host of sent-by.
    name: HostBuf,
    /// Where the responses went first, and go again when all else has failed.
    pub(super) first: Flow,
    /// Whether a response waits for the next place to be known.
    waits: bool,
}

impl ServerTransactions {
    /// Sends the last response of a transaction to the next place, or has it wait for that to be known; false if there is none.
    ///
    /// Each place is tried once, and there are at most [`Limits::destinations`](crate::transport::Limits::destinations).
    pub(super) fn send_to_backup(&mut self, wire: &mut Wire, server: ServerTransactionId) -> bool {
        let Some(transaction) = self.table.get(server) else { return false };
        let Some(response) = transaction.last_response().cloned() else { return false };
        if transaction.backup.is_none() {
            let first = transaction.path;
            let Some((source, sender)) = senders(wire, first, &response) else { return false };
            // In the place of a connection that is gone first one to `received` (RFC 3261 §18.2.2).
            if wire.is_lost(first)
                && source.address != first.remote
                && let Some(flow) = wire.flow_to(first.listener, source.address, &sender.host)
            {
                self.send_along(wire, server, flow, response);
                return true;
            }
            let places = match wire.follows_sent_by(first) {
                true => wire.search(Owner::Backup(server), &sender, None, None),
                false => Places::Known(source),
            };
            let backup = Backup { places, name: sender.host, first, waits: false };
            if let Some(transaction) = self.table.get_mut(server) {
                transaction.backup = Some(Box::new(backup));
            }
        }
        match self.next_backup(wire, server) {
            Some(flow) => {
                self.send_along(wire, server, flow, response);
                true
            }
            None => self.waits_for_backup(server),
        }
    }

    /// The resolver has answered a question about where the sender of a request may be.
    pub(crate) fn backup_answered(
        &mut self,
        wire: &mut Wire,
        server: ServerTransactionId,
        question: (QueryId, Asked),
        answers: &[Answer],
        random: &mut Random,
    ) -> Told {
        let Some(backup) = self.table.get_mut(server).and_then(|found| found.backup.as_mut()) else {
            return Told::default();
        };
        wire.learn(Owner::Backup(server), &mut backup.places, question, answers, random);
        self.backup_located(wire, server)
    }

    /// The resolver has not answered in time.
    pub(crate) fn backup_unanswered(
        &mut self,
        wire: &mut Wire,
        server: ServerTransactionId,
        random: &mut Random,
    ) -> Told {
        let Some(backup) = self.table.get_mut(server).and_then(|found| found.backup.as_mut()) else {
            return Told::default();
        };
        wire.give_up_questions(Owner::Backup(server), &mut backup.places, random);
        self.backup_located(wire, server)
    }

    /// More is known of where the sender of a request may be: a response that waits for it goes on.
    fn backup_located(&mut self, wire: &mut Wire, server: ServerTransactionId) -> Told {
        if self.waits_for_backup(server) && !self.send_to_backup(wire, server) {
            return self.undeliverable(wire, server);
        }
        Told::default()
    }

    /// A way to the next place. Without one: whether it is waited for is noted; and the way is again the first.
    fn next_backup(&mut self, wire: &mut Wire, server: ServerTransactionId) -> Option<Flow> {
        let backup = self.table.get_mut(server)?.backup.as_mut()?;
        while let Some(Place { protocol, address }) = wire.take_next_place(&mut backup.places, true) {
            backup.waits = false;
            if address != backup.first.remote
                && let Some(listener) = wire.listeners.towards(protocol, address)
                && let Some(flow) = wire.flow_to(listener, address, &backup.name)
            {
                return Some(flow);
            }
        }
        backup.waits = backup.places.are_searched();
        if !backup.waits {
            let first = backup.first;
            self.move_path(wire, server, first);
        }
        None
    }

    fn waits_for_backup(&self, server: ServerTransactionId) -> bool {
        let backup = self.table.get(server).and_then(|transaction| transaction.backup.as_ref());
        backup.is_some_and(|backup| backup.waits)
    }
}

/// The sender of a request that came along `path`, as the topmost Via of its response says: the address that the request came from, at the port of
/// sent-by (§18.2.2), and whoever sent-by names (RFC 3263 §5). `None` if nobody can open a connection to it (RFC 7118 §5).
fn senders(wire: &Wire, path: Flow, response: &SharedBytes) -> Option<(Place, NextHop)> {
    // The Via says the same unless its sender is odd.
    let protocol = wire.listeners.get(path.listener)?.protocol;
    if matches!(protocol, Protocol::Ws | Protocol::Wss) {
        return None;
    }
    let response = reread_response(response)?;
    let (address, _) = source_of(&response, protocol)?;
    let sent_by = response.top_via()?.sent_by;
    Some((Place { protocol, address }, NextHop { protocol: Some(protocol), ..NextHop::from(sent_by) }))
}
