//! Where a response goes that could not be sent where its request came from (RFC 3261 §18.2.2, RFC 3263 §5, RFC 6026 §8.8).

use alloc::boxed::Box;

use crate::flow::Flow;
use crate::message::header::Protocol;
use crate::message::{HostBuf, SharedBytes};
use crate::transaction::ServerTransactionId;
use crate::transaction::derived::reread_response;
use crate::transport::{NextHop, Place};

use super::Endpoint;
use super::search::{Asker, Places};

/// The other places where the sender of a request may be: those of its sent-by. They are looked for once in a transaction.
#[derive(Clone, Debug)]
pub(super) struct Backup {
    pub(super) places: Places,
    /// The host of sent-by.
    name: HostBuf,
    /// Where the responses went first, and go again when all else has failed.
    first: Flow,
    /// Whether a response waits for the next place to be known.
    waits: bool,
}

impl Endpoint {
    /// Sends the last response of a transaction to the next place, or has it wait for that to be known; false if there is none.
    pub(super) fn send_to_backup(&mut self, server: ServerTransactionId) -> bool {
        let Some(transaction) = self.servers.get(server) else { return false };
        let Some(response) = transaction.last_response().cloned() else { return false };
        if transaction.backup.is_none() {
            let first = transaction.path;
            // In the place of a connection that is gone first one to `received` (RFC 3261 §18.2.2).
            if first.connection.is_some()
                && let Some(flow) = self.way_back(first, &response).filter(|flow| flow.remote != first.remote)
            {
                self.move_path(server, flow);
                self.server_sends(server, Some(response));
                return true;
            }
            let Some(sender) = self.sender(first, &response) else { return false };
            let places = self.search(Asker::Server(server), &sender, None);
            let backup = Backup { places, name: sender.host, first, waits: false };
            if let Some(transaction) = self.servers.get_mut(server) {
                transaction.backup = Some(Box::new(backup));
            }
        }
        match self.next_backup(server) {
            Some(flow) => {
                self.move_path(server, flow);
                self.server_sends(server, Some(response));
                true
            }
            None => self.backup_of(server).is_some_and(|backup| backup.waits),
        }
    }

    /// More is known of where the sender of a request may be: false if a response waited for it in vain.
    pub(super) fn backup_located(&mut self, server: ServerTransactionId) -> bool {
        !self.backup_of(server).is_some_and(|backup| backup.waits) || self.send_to_backup(server)
    }

    /// The sender of a request that came along `path`, as the sent-by of its response's topmost Via says (RFC 3263 §5). `None` if
    /// nobody can open a connection to it (RFC 7118 §5).
    fn sender(&self, path: Flow, response: &SharedBytes) -> Option<NextHop> {
        // The Via says the same unless its sender is odd.
        let protocol = self.listeners.get(path.listener)?.protocol;
        if matches!(protocol, Protocol::Ws | Protocol::Wss) {
            return None;
        }
        let response = reread_response(response)?;
        let sent_by = response.top_via()?.sent_by;
        Some(NextHop { protocol: Some(protocol), ..NextHop::from(sent_by) })
    }

    /// A way to the next place. Without one: whether it is waited for is noted; and the way is again the first.
    fn next_backup(&mut self, server: ServerTransactionId) -> Option<Flow> {
        loop {
            let backup = self.servers.get_mut(server)?.backup.as_mut()?;
            let first = backup.first;
            let Some(Place { protocol, address }) = backup.places.take(&self.listeners, true) else {
                backup.waits = backup.places.are_searched();
                if !backup.waits {
                    self.move_path(server, first);
                }
                return None;
            };
            backup.waits = false;
            let name = backup.name.clone();
            let Some(listener) = self.listeners.towards(protocol, address).filter(|_| address != first.remote) else {
                continue;
            };
            if let Some(flow) = self.flow_to(listener, address, &name) {
                return Some(flow);
            }
        }
    }

    fn backup_of(&self, server: ServerTransactionId) -> Option<&Backup> {
        self.servers.get(server)?.backup.as_deref()
    }
}
