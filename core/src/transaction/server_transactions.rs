//! All server transactions: what their machines decide is carried out here (RFC 3261 §17.2).

use alloc::boxed::Box;
use alloc::format;
use alloc::vec::Vec;

use crate::error::CommandError;
use crate::flow::Flow;
use crate::id::Arena;
use crate::keyed_index::{Fingerprint, KeyedIndex};
use crate::message::{Lines, Method, Request, ResponseParts, SharedBytes, StatusCode};

use crate::tag::Tag;
use crate::time::Instant;
use crate::trace::Span;
use crate::transport::{Alarm, reread_response};

use super::backup::Backup;
use super::key::KeptKey;
use super::senders::Senders;
use super::{
    Clock, Owner, Schedule, ServerActions, ServerMachine, ServerSend, ServerTell, ServerTransactionId,
    ServerTransactionKind, TransactionId, TransactionInfo, Wire,
};

/// A server transaction. After the final response it is little more than its key, that response and the way back.
#[derive(Clone, Debug)]
pub(super) struct ServerTransaction {
    tag: Tag,
    key: KeptKey,
    /// The keyed hash of what the CANCEL and the ACK of an INVITE share with it. Zero for any other request.
    pub(super) identity: u64,
    /// Where its responses go.
    pub(super) path: Flow,
    pub(super) machine: ServerMachine,
    kept: Kept,
    /// How many octets may still be sent again; [`UNBOUNDED`] without a bound.
    credit: u32,
    /// Where else its responses may go, once one could not be sent.
    pub(super) backup: Option<Box<Backup>>,
    alarm: Alarm,
    span: Span,
}

/// The credit of a transaction whose responses are sent as often as its machine says.
const UNBOUNDED: u32 = u32::MAX;

/// A message of which another may have to be made, or that may have to be sent again.
#[derive(Clone, Debug)]
enum Kept {
    /// The request until the first response: a 100 may have to be made of it.
    Request {
        request: Request,
        since: Instant,
    },
    /// The last response, as long as it may have to be sent again.
    Response(SharedBytes),
    Nothing,
}

impl ServerTransaction {
    /// The response that was sent last, as long as it may have to be sent again.
    pub(super) fn last_response(&self) -> Option<&SharedBytes> {
        match &self.kept {
            Kept::Response(bytes) => Some(bytes),
            Kept::Request { .. } | Kept::Nothing => None,
        }
    }

    /// As [`last_response`](Self::last_response), if there is credit for another copy.
    fn copy(&self) -> Option<&SharedBytes> {
        self.last_response().filter(|last| self.credit == UNBOUNDED || last.len() <= self.credit as usize)
    }
}

/// The news of a server transaction that the transaction user hears.
#[derive(Clone, Copy, Debug, Default)]
#[must_use = "the transaction user has to hear of it"]
pub(crate) struct Told {
    pub(crate) tag: Tag,
    /// A response could not be sent, nor to any backup.
    pub(crate) unsent: bool,
    /// The transaction is over and gone; whether the ACK that it waited for came, if it waited for one.
    pub(crate) over: Option<bool>,
}

/// All server transactions.
#[derive(Clone, Debug)]
pub(crate) struct ServerTransactions {
    schedule: Schedule,
    /// How many there may be.
    most: usize,
    pub(super) table: Arena<ServerTransactionKind, ServerTransaction>,
    pub(super) index: KeyedIndex<ServerTransactionId>,
    senders: Senders<ServerTransactionKind>,
}

impl ServerTransactions {
    /// No transaction, and room for `most`; the two keys are those of hashes that peers must not guess.
    pub(crate) fn new(schedule: Schedule, most: usize, index_key: [u8; 16], senders_key: [u8; 16]) -> Self {
        Self {
            schedule,
            most,
            table: Arena::new(),
            index: KeyedIndex::new(index_key),
            senders: Senders::new(senders_key),
        }
    }

    pub(crate) const fn len(&self) -> usize {
        self.table.len()
    }

    /// Those without a final response, and rejected INVITEs without their ACK.
    pub(crate) fn in_progress(&self) -> usize {
        let machines = self.table.iter().map(|(_, transaction)| transaction.machine);
        machines.filter(|machine| machine.awaits_final() || machine.awaits_ack()).count()
    }

    /// Each one as it stands.
    pub(crate) fn infos(&self) -> impl Iterator<Item = TransactionInfo> {
        self.table.iter().filter_map(|(id, transaction)| {
            let (state, timers) = transaction.machine.info()?;
            let (id, is_invite) = (TransactionId::Server(id), transaction.machine.is_invite());
            Some(TransactionInfo { id, is_invite, state, flow: transaction.path, timers })
        })
    }

    /// Whether there are as many as there may be.
    pub(crate) const fn is_full(&self) -> bool {
        self.table.len() >= self.most
    }

    /// Whether there are as many as there may be with those for requests in dialogs, of which there may be an eighth more.
    pub(crate) const fn is_full_for_dialogs(&self) -> bool {
        self.table.len() >= self.most.saturating_add(self.most / 8)
    }

    pub(crate) fn capacity(&self) -> usize {
        self.table.capacity().max(self.index.capacity())
    }

    /// Computes what stands for a key: a transaction is found by that, and keeps that.
    pub(crate) fn fingerprint(&self, key: &[u8]) -> Fingerprint {
        self.index.fingerprint(key)
    }

    /// The transaction that a request or ACK belongs to whose key has this fingerprint.
    pub(crate) fn find(&self, key: Fingerprint) -> Option<ServerTransactionId> {
        self.index.find(key.hash(), |id| self.table.get(id).is_some_and(|transaction| transaction.key.is(key)))
    }

    /// The transaction user's mark on a transaction.
    pub(crate) fn tag(&self, id: ServerTransactionId) -> Option<Tag> {
        self.table.get(id).map(|transaction| transaction.tag)
    }

    /// Where the responses of a transaction go.
    pub(crate) fn path(&self, id: ServerTransactionId) -> Option<Flow> {
        self.table.get(id).map(|transaction| transaction.path)
    }

    /// Where the responses of a transaction went first.
    pub(crate) fn first_path(&self, id: ServerTransactionId) -> Option<Flow> {
        let transaction = self.table.get(id)?;
        Some(transaction.backup.as_ref().map_or(transaction.path, |backup| backup.first))
    }

    /// Begins a server transaction of this key, whose responses go along `path`. If the request had one `since` then, in which nothing but a 100
    /// was said, this one goes on from there.
    pub(crate) fn begin(
        &mut self,
        wire: &mut Wire,
        (request, since): (&Request, Option<Instant>),
        key: KeptKey,
        path: Flow,
        tag: Tag,
    ) -> ServerTransactionId {
        let present = clock(wire, path, &self.schedule);
        let began = Clock { now: since.unwrap_or(wire.now), ..present };
        let mut machine = ServerMachine::new(request.method() == Method::Invite, &began);
        if since.is_some() {
            // A 100 that was due by now was sent.
            let _sent = machine.fire(&present);
        }
        wire.hold(path);
        let hash = key.fingerprint.hash();
        let identity = if machine.is_invite() { self.identity(request.headers()).unwrap_or_default() } else { 0 };
        let kept = Kept::Request { request: request.clone(), since: began.now };
        let alarm = Alarm::default();
        let span = Span::server(request.method().as_str(), || request.top_via().and_then(|via| via.branch()), path);
        let (credit, backup) = (UNBOUNDED, None);
        let transaction = ServerTransaction { tag, key, identity, path, machine, kept, credit, backup, alarm, span };
        let id = self.table.insert(transaction);
        self.index.insert(hash, id);
        let _begun = self.follow(wire, id, true);
        id
    }

    /// Bounds the octets of all responses of a transaction: what would exceed them is not sent again. What the transaction user says goes out in any case.
    pub(crate) fn bound(&mut self, server: ServerTransactionId, octets: usize) {
        if let Some(transaction) = self.table.get_mut(server) {
            transaction.credit = u32::try_from(octets).unwrap_or(UNBOUNDED);
        }
    }

    /// Sends a response of the transaction user: these bytes, which have that status.
    ///
    /// # Errors
    /// As [`Endpoint::respond`](crate::Endpoint::respond).
    pub(crate) fn respond(
        &mut self,
        wire: &mut Wire,
        server: ServerTransactionId,
        status: StatusCode,
        response: SharedBytes,
    ) -> Result<Told, CommandError> {
        let transaction = self.table.get_mut(server).ok_or(CommandError::Gone)?;
        transaction.span.has(status.get());
        let clock = clock(wire, transaction.path, &self.schedule);
        if !transaction.machine.is_invite() {
            if status.is_provisional() && status != StatusCode::TRYING {
                return Err(CommandError::Invalid("status"));
            }
            if status == StatusCode::REQUEST_TIMEOUT && transaction.machine.awaits_final() {
                transaction.machine.silence(&clock);
                transaction.kept = Kept::Nothing;
                return Ok(self.follow(wire, server, true));
            }
        }
        let actions = transaction.machine.respond(status, &clock);
        if actions.send != Some(ServerSend::Given) {
            return Err(CommandError::WrongState);
        }
        self.expect_ack(server, &response);
        Ok(self.act(wire, server, actions, Some(response)))
    }

    /// The request of a transaction came again, with so many octets, which earn it as many of another copy of the response.
    pub(crate) fn repeated(&mut self, wire: &mut Wire, server: ServerTransactionId, octets: usize) -> Told {
        wire.stats.absorbed += 1;
        if let Some(transaction) = self.table.get_mut(server) {
            transaction.span.repeats();
            transaction.credit = transaction.credit.saturating_add(u32::try_from(octets).unwrap_or(UNBOUNDED));
        }
        match self.step(wire, server, |machine, clock| Some(machine.request(false, clock))) {
            Some(actions) => self.act(wire, server, actions, None),
            None => Told::default(),
        }
    }

    /// The ACK of an INVITE transaction came: whether that is for the transaction user, too.
    pub(crate) fn acknowledged(&mut self, wire: &mut Wire, server: ServerTransactionId) -> (bool, Told) {
        let Some(actions) = self.step(wire, server, |machine, clock| Some(machine.request(true, clock))) else {
            return (false, Told::default());
        };
        let for_user = actions.tell == Some(ServerTell::Ack);
        wire.stats.absorbed += u64::from(!for_user);
        (for_user, self.act(wire, server, actions, None))
    }

    /// Fires the timer that is due.
    pub(crate) fn fire(&mut self, wire: &mut Wire, server: ServerTransactionId) -> Told {
        let Some(transaction) = self.table.get_mut(server) else { return Told::default() };
        transaction.alarm.fired();
        // It is not over while its response waits for a connection that may yet fail: then a backup is due.
        if let Some(until) = transaction.path.connection.and_then(|id| wire.connections.opening_until(id)) {
            transaction.alarm.set(&mut wire.timers, Some(until), Owner::Server(server));
            return Told::default();
        }
        match self.step(wire, server, ServerMachine::fire) {
            Some(actions) => self.act(wire, server, actions, None),
            None => self.follow(wire, server, true),
        }
    }

    /// Whether there are transactions that have sent along `flow` since they last heard that nothing arrives there.
    pub(crate) fn have_sent(&self, flow: Flow) -> bool {
        self.senders.contains(flow)
    }

    /// The transactions that have sent along `flow` since they last heard that nothing arrives there.
    pub(crate) fn take_senders(&mut self, flow: Flow) -> Vec<ServerTransactionId> {
        self.senders.take(flow)
    }

    /// Tells a transaction that what it sent along `flow` did not arrive: its response goes to a backup, and the transaction stays
    /// (RFC 6026 §8.8).
    pub(crate) fn unsent(&mut self, wire: &mut Wire, server: ServerTransactionId, flow: Flow) -> Told {
        match self.path(server) {
            Some(path) if path == flow && !self.send_to_backup(wire, server) => self.undeliverable(wire, server),
            _ => Told::default(),
        }
    }

    /// Nowhere that a response may go to could be reached.
    pub(super) fn undeliverable(&mut self, wire: &mut Wire, server: ServerTransactionId) -> Told {
        if let Some(transaction) = self.table.get(server) {
            transaction.span.fails();
        }
        match self.step(wire, server, |machine, clock| Some(machine.transport_error(clock))) {
            Some(actions) => {
                let unsent = actions.tell == Some(ServerTell::TransportError);
                Told { unsent, ..self.follow(wire, server, true) }
            }
            None => Told::default(),
        }
    }

    fn step(
        &mut self,
        wire: &Wire,
        server: ServerTransactionId,
        step: impl FnOnce(&mut ServerMachine, &Clock<'_>) -> Option<ServerActions>,
    ) -> Option<ServerActions> {
        let transaction = self.table.get_mut(server)?;
        step(&mut transaction.machine, &clock(wire, transaction.path, &self.schedule))
    }

    fn act(
        &mut self,
        wire: &mut Wire,
        server: ServerTransactionId,
        actions: ServerActions,
        given: Option<SharedBytes>,
    ) -> Told {
        let response = match actions.send {
            Some(ServerSend::Given) => given,
            Some(ServerSend::Trying) => self.trying(wire.now, server),
            Some(ServerSend::Last) => {
                let last = self.table.get(server).and_then(ServerTransaction::copy).cloned();
                wire.stats.retransmitted += u64::from(last.is_some());
                last
            }
            None => None,
        };
        let sent = response.is_none_or(|response| self.send(wire, server, response));
        let unsent = !sent && self.undeliverable(wire, server).unsent;
        Told { unsent, ..self.follow(wire, server, actions.tell != Some(ServerTell::Unacknowledged)) }
    }

    /// A 100 for the request of a transaction, without a tag of ours (§17.2.1). Its Timestamp says how late the 100 is (§8.2.6.1).
    fn trying(&self, now: Instant, server: ServerTransactionId) -> Option<SharedBytes> {
        let Kept::Request { request, since } = &self.table.get(server)?.kept else { return None };
        let late = now.since(*since);
        let delay = format!("{}.{:03}", late.as_secs(), late.subsec_millis());
        let lines = Lines::new();
        let trying =
            ResponseParts { delay: Some(&delay), ..ResponseParts::new(request, StatusCode::TRYING, &lines) }.octets();
        // A request whose 100 cannot be written gets none: the final response is what it is owed.
        let Ok(trying) = trying else { return None };
        Some(trying)
    }

    /// Takes note of the To tag that the ACK of an RFC 2543 peer will have (§17.2.3).
    fn expect_ack(&mut self, id: ServerTransactionId, response: &SharedBytes) {
        let Some(transaction) = self.table.get_mut(id) else { return };
        if !transaction.machine.is_invite() {
            return;
        }
        let Some(peer) = &mut transaction.key.rfc2543 else { return };
        let Some(response) = reread_response(response) else { return };
        let Some(key) = peer.ack_key(response.to_tag()) else { return };
        let ack = self.index.fingerprint(&key);
        if let Some(old) = peer.ack.replace(ack) {
            self.index.remove(old.hash(), id);
        }
        self.index.insert(ack.hash(), id);
    }

    /// Sends a response back, or if there is no way back, to a backup; false if none of these is left.
    fn send(&mut self, wire: &mut Wire, server: ServerTransactionId, response: SharedBytes) -> bool {
        let Some(transaction) = self.table.get_mut(server) else { return true };
        let way = wire.way_back(transaction.path, &response);
        let keeps = transaction.machine.keeps_response();
        if transaction.credit != UNBOUNDED {
            transaction.credit = transaction.credit.saturating_sub(u32::try_from(response.len()).unwrap_or(UNBOUNDED));
        }
        transaction.kept = if keeps { Kept::Response(response.without_tail()) } else { Kept::Nothing };
        match way {
            Some(way) => {
                self.send_along(wire, server, way, response);
                true
            }
            None => {
                wire.stats.disconnected += 1;
                self.send_to_backup(wire, server)
            }
        }
    }

    /// Sends a response along `way`, as all that come after it.
    pub(super) fn send_along(
        &mut self,
        wire: &mut Wire,
        server: ServerTransactionId,
        way: Flow,
        response: SharedBytes,
    ) {
        self.move_path(wire, server, way);
        self.senders.insert(way, server);
        wire.send(way, response);
    }

    /// Has the responses of a transaction go another way from now on.
    pub(super) fn move_path(&mut self, wire: &mut Wire, server: ServerTransactionId, way: Flow) {
        let Some(transaction) = self.table.get_mut(server) else { return };
        let old = core::mem::replace(&mut transaction.path, way);
        if old != way {
            self.senders.remove(old, server);
            wire.hold(way);
            wire.release(old);
        }
    }

    /// Follows a machine that may have moved: its alarm, what it keeps, and its end.
    fn follow(&mut self, wire: &mut Wire, server: ServerTransactionId, acknowledged: bool) -> Told {
        let Some(transaction) = self.table.get_mut(server) else { return Told::default() };
        let tag = transaction.tag;
        transaction.alarm.set(&mut wire.timers, transaction.machine.deadline(), Owner::Server(server));
        if !transaction.machine.keeps_response() {
            transaction.kept = Kept::Nothing;
        }
        let is_over = transaction.machine.is_terminated();
        if is_over {
            self.forget(wire, server);
        }
        Told { tag, unsent: false, over: is_over.then_some(acknowledged) }
    }

    /// Forgets a transaction, and says nothing of it to anybody.
    pub(crate) fn forget(&mut self, wire: &mut Wire, id: ServerTransactionId) {
        let Some(mut transaction) = self.table.remove(id) else { return };
        transaction.alarm.stop(&mut wire.timers);
        self.index.remove(transaction.key.fingerprint.hash(), id);
        if let Some(ack) = transaction.key.rfc2543.as_ref().and_then(|peer| peer.ack) {
            self.index.remove(ack.hash(), id);
        }
        self.senders.remove(transaction.path, id);
        wire.release(transaction.path);
        if let Some(backup) = transaction.backup {
            wire.end_search(backup.places);
        }
    }
}

/// The present, for a machine whose messages go along `flow`.
fn clock<'a>(wire: &Wire, flow: Flow, schedule: &'a Schedule) -> Clock<'a> {
    Clock { now: wire.now, reliable: wire.is_reliable(flow.listener), schedule }
}
