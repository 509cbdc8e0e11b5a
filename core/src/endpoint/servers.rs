//! Server transactions: what their machines decide is carried out here (RFC 3261 §17.2).

use alloc::boxed::Box;

use crate::error::CommandError;
use crate::flow::{Flow, ListenerId};
use crate::id::Arena;
use crate::keyed_index::KeyedIndex;
use crate::message::{HeaderId, Method, Request, Response, SharedBytes, StatusCode};
use crate::tag::Tag;
use crate::time::Instant;
use crate::transaction::derived::reread;
use crate::transaction::key::KeptKey;
use crate::transaction::senders::Senders;
use crate::transaction::{
    Clock, ServerActions, ServerMachine, ServerSend, ServerTell, ServerTransactionId, ServerTransactionKind,
};

use super::response_path::Backup;
use super::search::Places;
use super::timers::{Alarm, TimerKey};
use super::{Arrival, Endpoint, Indication};

/// A server transaction. After the final response it is little more than its key, that response and the way back.
#[derive(Clone, Debug)]
pub(super) struct ServerTransaction {
    pub(super) tag: Tag,
    key: KeptKey,
    pub(super) path: Flow,
    machine: ServerMachine,
    kept: Kept,
    /// Where else its responses may go, once one could not be sent.
    pub(super) backup: Option<Box<Backup>>,
    alarm: Alarm,
}

/// What a message may have to be made of, or sent again.
#[derive(Clone, Debug)]
enum Kept {
    /// Until the first response: a 100 may have to be made of it.
    Request(SharedBytes),
    /// The last one, as long as it may have to be sent again.
    Response(SharedBytes),
    Nothing,
}

impl ServerTransaction {
    /// The response that was sent last, as long as it may have to be sent again.
    pub(super) fn last_response(&self) -> Option<&SharedBytes> {
        match &self.kept {
            Kept::Response(bytes) => Some(bytes),
            Kept::Request(_) | Kept::Nothing => None,
        }
    }
}

/// All server transactions.
#[derive(Clone, Debug)]
pub(super) struct Servers {
    transactions: Arena<ServerTransactionKind, ServerTransaction>,
    index: KeyedIndex<ServerTransactionId>,
    senders: Senders<ServerTransactionKind>,
}

impl Servers {
    pub(super) fn new(index_key: [u8; 16], senders_key: [u8; 16]) -> Self {
        Self { transactions: Arena::new(), index: KeyedIndex::new(index_key), senders: Senders::new(senders_key) }
    }

    pub(super) fn len(&self) -> usize {
        self.transactions.len()
    }

    pub(super) fn capacity(&self) -> usize {
        self.transactions.capacity().max(self.index.capacity())
    }

    pub(super) fn get(&self, id: ServerTransactionId) -> Option<&ServerTransaction> {
        self.transactions.get(id)
    }

    pub(super) fn get_mut(&mut self, id: ServerTransactionId) -> Option<&mut ServerTransaction> {
        self.transactions.get_mut(id)
    }

    /// The transaction that a request or ACK with this key belongs to.
    pub(super) fn find(&self, key: &[u8]) -> Option<ServerTransactionId> {
        let key = self.index.fingerprint(key);
        self.index.find(key.hash(), |id| self.transactions.get(id).is_some_and(|transaction| transaction.key.is(key)))
    }

    /// What a transaction with this key keeps of it.
    pub(super) fn kept_key(&self, key: &[u8]) -> KeptKey {
        KeptKey::of(key, self.index.fingerprint(key))
    }

    fn insert(&mut self, transaction: ServerTransaction) -> ServerTransactionId {
        let hash = transaction.key.fingerprint.hash();
        let id = self.transactions.insert(transaction);
        self.index.insert(hash, id);
        id
    }

    fn remove(&mut self, id: ServerTransactionId) -> Option<ServerTransaction> {
        let transaction = self.transactions.remove(id)?;
        self.index.remove(transaction.key.fingerprint.hash(), id);
        if let Some(ack) = transaction.key.rfc2543.as_ref().and_then(|peer| peer.ack) {
            self.index.remove(ack.hash(), id);
        }
        self.senders.remove(transaction.path, id);
        Some(transaction)
    }

    /// Takes note of the To tag that the ACK of an RFC 2543 peer will have (§17.2.3).
    fn expect_ack(&mut self, id: ServerTransactionId, response: &Response) {
        let Some(transaction) = self.transactions.get_mut(id) else { return };
        if !transaction.machine.is_invite() {
            return;
        }
        let Some(peer) = &mut transaction.key.rfc2543 else { return };
        let tag = response.to_header().and_then(|to| to.tag());
        let Some(key) = peer.ack_key(tag) else { return };
        let ack = self.index.fingerprint(&key);
        if let Some(old) = peer.ack.replace(ack) {
            self.index.remove(old.hash(), id);
        }
        self.index.insert(ack.hash(), id);
    }
}

impl Endpoint {
    /// Begins a server transaction. To an INVITE a 100 goes out after 200 ms if nothing else did (RFC 3261 §17.2.1), to
    /// another request when timer E of its sender reaches T2 (RFC 4320 §4.1).
    pub fn accept(&mut self, now: Instant, arrival: Arrival, tag: Tag) -> ServerTransactionId {
        self.advance(now);
        let is_invite = arrival.request.method() == Method::Invite;
        let clock = self.clock(arrival.path.listener);
        let machine = ServerMachine::new(is_invite, &clock);
        self.hold_connection(arrival.path);
        let id = self.servers.insert(ServerTransaction {
            tag,
            key: arrival.key,
            path: arrival.path,
            machine,
            kept: Kept::Request(arrival.request.as_bytes().clone()),
            backup: None,
            alarm: Alarm::default(),
        });
        self.server_moved(id, true);
        id
    }

    /// Sends a response in its transaction: a provisional, a final one, or a 2xx to INVITE again (RFC 6026 §7.1).
    ///
    /// A 408 to anything but INVITE is not sent, but ends the transaction (RFC 4320 §4.2).
    ///
    /// # Errors
    /// `Gone`; `WrongState` after a final response (but for the 2xx to INVITE), or for a 100 that comes earlier than RFC
    /// 4320 §4.1 allows; `Invalid` for another provisional response to anything but INVITE.
    pub fn respond(
        &mut self,
        now: Instant,
        server: ServerTransactionId,
        response: Response,
    ) -> Result<(), CommandError> {
        self.advance(now);
        let listener = self.servers.get(server).ok_or(CommandError::Gone)?.path.listener;
        let clock = Clock { now: self.now, reliable: self.is_reliable(listener), schedule: &self.schedule };
        let transaction = self.servers.transactions.get_mut(server).ok_or(CommandError::Gone)?;
        let status = response.status();
        if !transaction.machine.is_invite() {
            if status.is_provisional() && status != StatusCode::TRYING {
                return Err(CommandError::Invalid("status"));
            }
            if status == StatusCode::REQUEST_TIMEOUT && transaction.machine.awaits_final() {
                transaction.machine.silence(&clock);
                transaction.kept = Kept::Nothing;
                self.server_moved(server, true);
                return Ok(());
            }
        }
        let actions = transaction.machine.respond(status, &clock);
        if actions.send != Some(ServerSend::Given) {
            return Err(CommandError::WrongState);
        }
        let response = self.framed(listener, response);
        self.server_acts(server, actions, Some(&response));
        Ok(())
    }

    /// Answers a request statelessly (RFC 3261 §8.2.7). See [`stateless_tag`](Self::stateless_tag).
    pub fn reply(&mut self, now: Instant, arrival: &Arrival, response: Response) {
        self.advance(now);
        let response = self.framed(arrival.path.listener, response);
        let bytes = response.as_bytes();
        match self.way_back(arrival.path, bytes) {
            Some(path) => self.send(path, bytes.clone()),
            None => self.stats.disconnected += 1,
        }
    }

    /// The response with a Content-Length where a stream needs one (§18.3): one that is passed on may lack it.
    pub(super) fn framed(&self, listener: ListenerId, response: Response) -> Response {
        if response.headers().contains(HeaderId::ContentLength) || !self.needs_content_length(listener) {
            return response;
        }
        response.edit().content_length().finish().unwrap_or(response)
    }

    /// The request of a transaction came again.
    pub(super) fn repeated(&mut self, server: ServerTransactionId) {
        self.stats.absorbed += 1;
        if let Some(actions) = self.with_server(server, |machine, clock| Some(machine.request(false, clock))) {
            self.server_acts(server, actions, None);
        }
    }

    /// The ACK of an INVITE transaction came.
    pub(super) fn acknowledged(&mut self, server: ServerTransactionId, request: Request, flow: Flow) {
        let Some(actions) = self.with_server(server, |machine, clock| Some(machine.request(true, clock))) else {
            return;
        };
        let tag = self.servers.get(server).map_or(Tag::NONE, |transaction| transaction.tag);
        if actions.tell == Some(ServerTell::Ack) {
            self.tell(Indication::Ack { request, flow, server: Some((server, tag)) });
        } else {
            self.stats.absorbed += 1;
        }
        self.server_acts(server, actions, None);
    }

    pub(super) fn server_timer(&mut self, server: ServerTransactionId) {
        let Some(transaction) = self.servers.transactions.get_mut(server) else { return };
        transaction.alarm.fired();
        // It is not over while its response waits for a connection that may yet fail: then a backup is due.
        if let Some(until) = transaction.path.connection.and_then(|id| self.connections.opening_until(id)) {
            return transaction.alarm.set(&mut self.timers, Some(until), TimerKey::Server(server));
        }
        match self.with_server(server, ServerMachine::fire) {
            Some(actions) => self.server_acts(server, actions, None),
            None => self.server_moved(server, true),
        }
    }

    /// What was sent to `remote` did not arrive: the transactions stay (RFC 6026 §8.8).
    pub(super) fn servers_unreachable(&mut self, flow: Flow) {
        for server in self.servers.senders.take(flow) {
            let path = self.servers.get(server).map(|transaction| transaction.path);
            if path == Some(flow) {
                self.server_unsent(server);
            }
        }
    }

    /// The connection of `flow` is gone, and what was sent along it may have arrived: their next responses go another way.
    pub(super) fn servers_disconnected(&mut self, flow: Flow) {
        self.servers.senders.take(flow);
    }

    fn with_server(
        &mut self,
        server: ServerTransactionId,
        step: impl FnOnce(&mut ServerMachine, &Clock<'_>) -> Option<ServerActions>,
    ) -> Option<ServerActions> {
        let listener = self.servers.get(server)?.path.listener;
        let clock = Clock { now: self.now, reliable: self.is_reliable(listener), schedule: &self.schedule };
        step(&mut self.servers.transactions.get_mut(server)?.machine, &clock)
    }

    fn server_acts(&mut self, server: ServerTransactionId, actions: ServerActions, given: Option<&Response>) {
        match actions.send {
            Some(ServerSend::Given) => {
                if let Some(response) = given {
                    self.servers.expect_ack(server, response);
                    self.server_sends(server, Some(response.as_bytes().clone()));
                }
            }
            Some(ServerSend::Trying) => {
                let trying = self.trying(server);
                self.server_sends(server, trying);
            }
            Some(ServerSend::Last) => {
                let last = self.servers.get(server).and_then(|transaction| transaction.last_response().cloned());
                self.stats.retransmitted += u64::from(last.is_some());
                self.server_sends(server, last);
            }
            None => {}
        }
        if actions.tell == Some(ServerTell::TransportError)
            && let Some(transaction) = self.servers.get(server)
        {
            self.tell(Indication::Unsent { server, tag: transaction.tag });
        }
        self.server_moved(server, actions.tell != Some(ServerTell::Unacknowledged));
    }

    /// A 100 for the request of a transaction, without a tag of ours (§17.2.1).
    fn trying(&self, server: ServerTransactionId) -> Option<SharedBytes> {
        let Kept::Request(bytes) = &self.servers.get(server)?.kept else { return None };
        let request = reread(bytes)?;
        let response = Response::to(&request, StatusCode::TRYING).finish().ok()?;
        Some(response.as_bytes().clone())
    }

    pub(super) fn server_sends(&mut self, server: ServerTransactionId, bytes: Option<SharedBytes>) {
        let Some(path) = self.servers.get(server).map(|transaction| transaction.path) else { return };
        let Some(bytes) = bytes else { return };
        let way = self.way_back(path, &bytes);
        let Some(transaction) = self.servers.transactions.get_mut(server) else { return };
        let keeps = transaction.machine.keeps_response();
        transaction.kept = if keeps { Kept::Response(bytes.clone()) } else { Kept::Nothing };
        let Some(way) = way else {
            self.stats.disconnected += 1;
            return self.server_unsent(server);
        };
        self.move_path(server, way);
        self.servers.senders.insert(way, server);
        self.send(way, bytes);
    }

    /// The responses of a transaction go another way from now on.
    pub(super) fn move_path(&mut self, server: ServerTransactionId, way: Flow) {
        let Some(transaction) = self.servers.transactions.get_mut(server) else { return };
        let old = transaction.path;
        if old != way {
            transaction.path = way;
            self.servers.senders.remove(old, server);
            self.hold_connection(way);
            self.release_connection(old);
        }
    }

    /// A response could not be sent: it goes to a backup, or if there is none left, the transaction user is told and the
    /// transaction stays (RFC 6026 §8.8).
    fn server_unsent(&mut self, server: ServerTransactionId) {
        if !self.send_to_backup(server) {
            self.server_undeliverable(server);
        }
    }

    /// The places that the sender of a request may be at.
    pub(super) fn server_places(&mut self, server: ServerTransactionId) -> Option<&mut Places> {
        self.servers.get_mut(server)?.backup.as_mut().map(|backup| &mut backup.places)
    }

    /// More is known of them.
    pub(super) fn server_located(&mut self, server: ServerTransactionId) {
        if !self.backup_located(server) {
            self.server_undeliverable(server);
        }
    }

    fn server_undeliverable(&mut self, server: ServerTransactionId) {
        if let Some(actions) = self.with_server(server, |machine, clock| Some(machine.transport_error(clock))) {
            self.server_acts(server, actions, None);
        }
    }

    /// Follows a machine that may have moved: its alarm, and its end.
    fn server_moved(&mut self, server: ServerTransactionId, acknowledged: bool) {
        let Some(transaction) = self.servers.transactions.get_mut(server) else { return };
        let deadline = transaction.machine.deadline();
        transaction.alarm.set(&mut self.timers, deadline, TimerKey::Server(server));
        if !transaction.machine.keeps_response() {
            transaction.kept = Kept::Nothing;
        }
        if transaction.machine.is_terminated()
            && let Some(transaction) = self.servers.remove(server)
        {
            self.release_connection(transaction.path);
            if let Some(backup) = transaction.backup {
                self.end_search(backup.places);
            }
            self.tell(Indication::Completed { server, tag: transaction.tag, acknowledged });
        }
    }
}
