//! All client transactions: what their machines decide is carried out here (RFC 3261 §17.1).

use alloc::vec::Vec;

use crate::flow::Flow;
use crate::id::Arena;
use crate::keyed_index::{Fingerprint, KeyedIndex};
use crate::message::{HostBuf, Lines, Response, SharedBytes};
use crate::time::Instant;
use crate::trace::Span;
use crate::transport::{Alarm, reread};

use super::derived;
use super::senders::Senders;
use super::{
    ClientActions, ClientMachine, ClientSend, ClientTell, ClientTransactionId, ClientTransactionKind, Clock,
    DeliveryId, Owner, Schedule, TransactionId, TransactionInfo, Wire, key,
};

/// A client transaction.
#[derive(Clone, Debug)]
struct ClientTransaction {
    /// The delivery whose present attempt this is; `None` for a CANCEL, and for an attempt that another has replaced.
    owner: Option<DeliveryId>,
    key: Fingerprint,
    flow: Flow,
    machine: ClientMachine,
    kept: Kept,
    alarm: Alarm,
    span: Span,
}

/// A message that may have to be sent again.
#[derive(Clone, Debug)]
enum Kept {
    Request(SharedBytes),
    /// The ACK for a non-2xx final response to INVITE.
    Ack(SharedBytes),
    Nothing,
}

/// The news of a transaction that its delivery hears.
#[derive(Clone, Copy, Debug)]
#[must_use = "the delivery has to hear of it"]
pub(crate) struct Heard {
    /// The delivery whose attempt this transaction is, if it is one's.
    pub(crate) owner: Option<DeliveryId>,
    /// The way of the transaction.
    pub(crate) flow: Flow,
    /// The news that the machine tells.
    pub(crate) tell: Option<ClientTell>,
    /// Whether the transaction is over and gone.
    pub(crate) over: bool,
}

/// All client transactions.
#[derive(Clone, Debug)]
pub(crate) struct ClientTransactions {
    schedule: Schedule,
    /// How many there may be.
    most: usize,
    table: Arena<ClientTransactionKind, ClientTransaction>,
    index: KeyedIndex<ClientTransactionId>,
    senders: Senders<ClientTransactionKind>,
}

impl ClientTransactions {
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

    /// Those without a final response.
    pub(crate) fn in_progress(&self) -> usize {
        self.table.iter().filter(|(_, transaction)| transaction.machine.awaits_final()).count()
    }

    /// Each one as it stands.
    pub(crate) fn infos(&self) -> impl Iterator<Item = TransactionInfo> {
        self.table.iter().filter_map(|(id, transaction)| {
            let (state, timers) = transaction.machine.info()?;
            let (id, is_invite) = (TransactionId::Client(id), transaction.machine.is_invite());
            Some(TransactionInfo { id, is_invite, state, flow: transaction.flow, timers })
        })
    }

    /// Whether there are as many as there may be.
    pub(crate) const fn is_full(&self) -> bool {
        self.table.len() >= self.most
    }

    pub(crate) fn capacity(&self) -> usize {
        self.table.capacity().max(self.index.capacity())
    }

    /// The transaction that a response belongs to whose CSeq has this method, and whose topmost Via this branch.
    pub(crate) fn find(&self, method: &str, branch: &[u8]) -> Option<ClientTransactionId> {
        let key = self.index.fingerprint(&key::client(method, branch));
        self.index.find(key.hash(), |id| self.table.get(id).is_some_and(|transaction| transaction.key == key))
    }

    /// The flow along which the transaction sends.
    pub(crate) fn flow(&self, id: ClientTransactionId) -> Option<Flow> {
        self.table.get(id).map(|transaction| transaction.flow)
    }

    /// Whether the transaction is that of an INVITE with a provisional response and no final one.
    pub(crate) fn is_proceeding_invite(&self, id: ClientTransactionId) -> bool {
        self.table.get(id).is_some_and(|transaction| transaction.machine.is_proceeding_invite())
    }

    /// Gives a transaction to a delivery, or takes it away.
    pub(crate) fn set_owner(&mut self, id: ClientTransactionId, owner: Option<DeliveryId>) {
        if let Some(transaction) = self.table.get_mut(id) {
            transaction.owner = owner;
        }
    }

    /// Begins a client transaction and sends its request: these bytes, with a Via of ours on top that has `branch`.
    pub(crate) fn start(
        &mut self,
        wire: &mut Wire,
        owner: Option<DeliveryId>,
        method: &str,
        branch: &str,
        flow: Flow,
        request: SharedBytes,
    ) -> ClientTransactionId {
        let machine = ClientMachine::new(method == "INVITE", &clock(wire, flow, &self.schedule));
        wire.hold(flow);
        let key = self.index.fingerprint(&key::client(method, branch.as_bytes()));
        let kept = Kept::Request(request);
        let span = Span::client(method, branch, flow);
        let transaction = ClientTransaction { owner, key, flow, machine, kept, alarm: Alarm::default(), span };
        let id = self.table.insert(transaction);
        self.index.insert(key.hash(), id);
        self.send(wire, id);
        self.follow(wire, id);
        id
    }

    /// A transaction that was just begun ends at that time at the latest, if nothing has come by then.
    pub(crate) fn end_by(&mut self, wire: &mut Wire, id: ClientTransactionId, until: Instant) {
        if let Some(transaction) = self.table.get_mut(id) {
            transaction.machine.end_by(until);
            self.follow(wire, id);
        }
    }

    /// Sends the CANCEL of an INVITE that has a provisional response: same branch, same hop, a transaction of its own of which
    /// the transaction user hears nothing (§9.1). If the connection of that hop is gone the CANCEL goes along another, to a
    /// server of that name. The CANCEL has these fields besides those of the INVITE.
    pub(crate) fn cancel(
        &mut self,
        wire: &mut Wire,
        invite: ClientTransactionId,
        fields: Option<&Lines>,
        server_name: impl FnOnce(DeliveryId) -> Option<HostBuf>,
    ) {
        self.renew(wire, invite, server_name);
        let Some(transaction) = self.table.get(invite) else { return };
        let flow = transaction.flow;
        let Kept::Request(bytes) = &transaction.kept else { return };
        if let Some(request) = reread(bytes)
            && let Some(cancel) = derived::cancel(&request, fields)
            && let Some(branch) = request.top_via().and_then(|via| via.branch())
        {
            self.start(wire, None, "CANCEL", branch, flow, cancel.as_bytes().clone());
        }
        if let Some(transaction) = self.table.get_mut(invite) {
            transaction.machine.cancelled(&clock(wire, transaction.flow, &self.schedule));
        }
        self.follow(wire, invite);
    }

    /// Takes a response. For `server_name` see [`cancel`](Self::cancel): an ACK goes where its INVITE went, and has these `fields` besides.
    pub(crate) fn respond<'f>(
        &mut self,
        wire: &mut Wire,
        client: ClientTransactionId,
        response: &Response,
        server_name: impl FnOnce(DeliveryId) -> Option<HostBuf>,
        fields: impl FnOnce(DeliveryId) -> Option<&'f Lines>,
    ) -> Option<Heard> {
        let status = response.status();
        if let Some(transaction) = self.table.get(client) {
            transaction.span.has(status.get());
        }
        let actions = self.step(wire, client, |machine, clock| Some(machine.response(status, clock)))?;
        if actions.tell.is_none() {
            wire.stats.absorbed += 1;
        }
        if actions.send == Some(ClientSend::Ack) {
            self.make_ack(wire, client, response, fields);
            self.renew(wire, client, server_name);
        }
        self.act(wire, client, actions)
    }

    /// Fires the timer that is due.
    pub(crate) fn fire(&mut self, wire: &mut Wire, client: ClientTransactionId) -> Option<Heard> {
        self.table.get_mut(client)?.alarm.fired();
        match self.step(wire, client, ClientMachine::fire) {
            Some(actions) => self.act(wire, client, actions),
            None => {
                self.follow(wire, client);
                None
            }
        }
    }

    /// Whether there are transactions that have sent along `flow` since they last heard that nothing arrives there.
    pub(crate) fn have_sent(&self, flow: Flow) -> bool {
        self.senders.contains(flow)
    }

    /// The transactions that have sent along `flow` since they last heard that nothing arrives there.
    pub(crate) fn take_senders(&mut self, flow: Flow) -> Vec<ClientTransactionId> {
        self.senders.take(flow)
    }

    /// Tells a transaction that what it sent along `flow` did not arrive (§17.1.4).
    pub(crate) fn unsent(&mut self, wire: &mut Wire, client: ClientTransactionId, flow: Flow) -> Option<Heard> {
        self.table.get(client).filter(|transaction| transaction.flow == flow)?.span.fails();
        let actions = self.step(wire, client, |machine, clock| Some(machine.transport_error(clock)))?;
        self.act(wire, client, actions)
    }

    fn step(
        &mut self,
        wire: &Wire,
        client: ClientTransactionId,
        step: impl FnOnce(&mut ClientMachine, &Clock<'_>) -> Option<ClientActions>,
    ) -> Option<ClientActions> {
        let transaction = self.table.get_mut(client)?;
        step(&mut transaction.machine, &clock(wire, transaction.flow, &self.schedule))
    }

    fn act(&mut self, wire: &mut Wire, client: ClientTransactionId, actions: ClientActions) -> Option<Heard> {
        let flow = self.table.get(client)?.flow;
        if let Some(send) = actions.send {
            wire.stats.retransmitted += u64::from(send == ClientSend::Request);
            self.send(wire, client);
        }
        let owner = self.follow(wire, client);
        Some(Heard { owner, flow, tell: actions.tell, over: !self.table.contains(client) })
    }

    /// Puts the ACK for a non-2xx final response in the place of the INVITE, if that is not done yet.
    fn make_ack<'f>(
        &mut self,
        wire: &mut Wire,
        client: ClientTransactionId,
        response: &Response,
        fields: impl FnOnce(DeliveryId) -> Option<&'f Lines>,
    ) {
        let Some(transaction) = self.table.get_mut(client) else { return };
        match &transaction.kept {
            Kept::Request(bytes) => {
                let fields = transaction.owner.and_then(fields);
                let ack = reread(bytes).and_then(|invite| derived::ack(&invite, response, fields));
                transaction.kept = ack.map_or(Kept::Nothing, |ack| Kept::Ack(ack.as_bytes().clone()));
            }
            Kept::Ack(_) => wire.stats.retransmitted += 1,
            Kept::Nothing => {}
        }
    }

    /// A CANCEL or ACK goes where the INVITE went: if that connection is gone, along another to the same address (RFC 5923
    /// §8.1).
    fn renew(
        &mut self,
        wire: &mut Wire,
        client: ClientTransactionId,
        server_name: impl FnOnce(DeliveryId) -> Option<HostBuf>,
    ) {
        let Some(transaction) = self.table.get_mut(client) else { return };
        if !wire.is_lost(transaction.flow) {
            return;
        }
        if let Some(server_name) = transaction.owner.and_then(server_name)
            && let Some(renewed) = wire.flow_to(transaction.flow.listener, transaction.flow.remote, &server_name)
        {
            transaction.flow = renewed;
            wire.hold(renewed);
        }
    }

    fn send(&mut self, wire: &mut Wire, client: ClientTransactionId) {
        let Some(transaction) = self.table.get(client) else { return };
        if let Kept::Request(bytes) | Kept::Ack(bytes) = &transaction.kept {
            transaction.span.sends();
            self.senders.insert(transaction.flow, client);
            wire.send(transaction.flow, bytes.clone());
        }
    }

    /// Follows a machine that may have moved: its alarm, what it keeps, and its end. The delivery that owns the transaction.
    fn follow(&mut self, wire: &mut Wire, client: ClientTransactionId) -> Option<DeliveryId> {
        let transaction = self.table.get_mut(client)?;
        let (owner, flow) = (transaction.owner, transaction.flow);
        transaction.alarm.set(&mut wire.timers, transaction.machine.deadline(), Owner::Client(client));
        if !transaction.machine.repeats() {
            transaction.kept = Kept::Nothing;
        }
        if transaction.machine.is_terminated()
            && let Some(transaction) = self.table.remove(client)
        {
            self.index.remove(transaction.key.hash(), client);
            self.senders.remove(flow, client);
            wire.release(flow);
        }
        owner
    }
}

/// The present, for a machine whose messages go along `flow`.
fn clock<'a>(wire: &Wire, flow: Flow, schedule: &'a Schedule) -> Clock<'a> {
    Clock { now: wire.now, reliable: wire.is_reliable(flow.listener), schedule }
}
