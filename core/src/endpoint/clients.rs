//! Client transactions: what their machines decide is carried out here (RFC 3261 §17.1).

use crate::endpoint::DeliveryId;
use crate::flow::Flow;
use crate::id::Arena;
use crate::keyed_index::{Fingerprint, KeyedIndex};
use crate::message::{Method, Request, Response, SharedBytes};
use crate::transaction::derived::{self, reread};
use crate::transaction::senders::Senders;
use crate::transaction::{
    ClientActions, ClientMachine, ClientSend, ClientTell, ClientTransactionId, ClientTransactionKind, Clock, key,
};

use super::timers::{Alarm, TimerKey};
use super::{Endpoint, Failure};

/// A client transaction.
#[derive(Clone, Debug)]
pub(super) struct ClientTransaction {
    /// The delivery whose present attempt this is; `None` of a CANCEL, and of an attempt that another has replaced.
    owner: Option<DeliveryId>,
    key: Fingerprint,
    flow: Flow,
    machine: ClientMachine,
    kept: Kept,
    alarm: Alarm,
}

/// What may have to be sent again.
#[derive(Clone, Debug)]
enum Kept {
    Request(SharedBytes),
    /// For a non-2xx final response to INVITE.
    Ack(SharedBytes),
    Nothing,
}

/// All client transactions.
#[derive(Clone, Debug)]
pub(super) struct Clients {
    transactions: Arena<ClientTransactionKind, ClientTransaction>,
    index: KeyedIndex<ClientTransactionId>,
    senders: Senders<ClientTransactionKind>,
}

impl Clients {
    pub(super) fn new(index_key: [u8; 16], senders_key: [u8; 16]) -> Self {
        Self { transactions: Arena::new(), index: KeyedIndex::new(index_key), senders: Senders::new(senders_key) }
    }

    pub(super) fn len(&self) -> usize {
        self.transactions.len()
    }

    pub(super) fn capacity(&self) -> usize {
        self.transactions.capacity().max(self.index.capacity())
    }

    /// The transaction that a response with this key belongs to.
    pub(super) fn find(&self, key: &[u8]) -> Option<ClientTransactionId> {
        let key = self.index.fingerprint(key);
        self.index.find(key.hash(), |id| self.transactions.get(id).is_some_and(|transaction| transaction.key == key))
    }

    /// Whether it is an INVITE with a provisional response and no final one.
    pub(super) fn is_proceeding_invite(&self, id: ClientTransactionId) -> bool {
        self.transactions.get(id).is_some_and(|transaction| transaction.machine.is_proceeding_invite())
    }

    /// Gives a transaction to a delivery, or takes it away.
    pub(super) fn set_owner(&mut self, id: ClientTransactionId, owner: Option<DeliveryId>) {
        if let Some(transaction) = self.transactions.get_mut(id) {
            transaction.owner = owner;
        }
    }

    fn insert(&mut self, transaction: ClientTransaction) -> ClientTransactionId {
        let hash = transaction.key.hash();
        let id = self.transactions.insert(transaction);
        self.index.insert(hash, id);
        id
    }

    fn remove(&mut self, id: ClientTransactionId) {
        if let Some(transaction) = self.transactions.remove(id) {
            self.index.remove(transaction.key.hash(), id);
            self.senders.remove(transaction.flow, id);
        }
    }
}

impl Endpoint {
    /// Begins a client transaction and sends its request, which has a Via of ours with `branch` on top.
    pub(super) fn start_client(
        &mut self,
        owner: Option<DeliveryId>,
        request: &Request,
        branch: &str,
        flow: Flow,
    ) -> ClientTransactionId {
        let machine = ClientMachine::new(request.method() == Method::Invite, &self.clock(flow.listener));
        self.hold_connection(flow);
        let id = self.clients.insert(ClientTransaction {
            owner,
            key: self.clients.index.fingerprint(&key::client(request.method().as_str(), branch)),
            flow,
            machine,
            kept: Kept::Request(request.as_bytes().clone()),
            alarm: Alarm::default(),
        });
        self.client_sends(id);
        self.client_moved(id);
        id
    }

    /// Sends the CANCEL of an INVITE that has a provisional response: same branch, same hop, a transaction of its own of
    /// which the transaction user hears nothing (§9.1).
    pub(super) fn send_cancel(&mut self, invite: ClientTransactionId) {
        self.renew_client(invite);
        let Some(transaction) = self.clients.transactions.get(invite) else { return };
        let flow = transaction.flow;
        let Kept::Request(bytes) = &transaction.kept else { return };
        if let Some(request) = reread(bytes)
            && let Some(cancel) = derived::cancel(&request)
            && let Some(branch) = request.top_via().and_then(|via| via.branch())
        {
            self.start_client(None, &cancel, branch, flow);
        }
        self.with_client(invite, |machine, clock| {
            machine.cancelled(clock);
            None
        });
        self.client_moved(invite);
    }

    /// A response came for a transaction.
    pub(super) fn responded(&mut self, client: ClientTransactionId, response: Response, flow: Flow) {
        let actions = self.with_client(client, |machine, clock| Some(machine.response(response.status(), clock)));
        if let Some(actions) = actions {
            if actions.tell.is_none() {
                self.stats.absorbed += 1;
            }
            self.client_acts(client, actions, Some((response, flow)));
        }
    }

    pub(super) fn client_timer(&mut self, client: ClientTransactionId) {
        if let Some(transaction) = self.clients.transactions.get_mut(client) {
            transaction.alarm.fired();
        }
        match self.with_client(client, ClientMachine::fire) {
            Some(actions) => self.client_acts(client, actions, None),
            None => {
                self.client_moved(client);
            }
        }
    }

    /// What was sent to `remote` did not arrive (§17.1.4).
    pub(super) fn clients_unreachable(&mut self, flow: Flow) {
        for client in self.clients.senders.take(flow) {
            let sent = self.clients.transactions.get(client).map(|transaction| transaction.flow);
            if sent == Some(flow)
                && let Some(actions) = self.with_client(client, |machine, clock| Some(machine.transport_error(clock)))
            {
                self.client_acts(client, actions, None);
            }
        }
    }

    fn with_client(
        &mut self,
        client: ClientTransactionId,
        step: impl FnOnce(&mut ClientMachine, &Clock<'_>) -> Option<ClientActions>,
    ) -> Option<ClientActions> {
        let listener = self.clients.transactions.get(client)?.flow.listener;
        let clock = Clock { now: self.now, reliable: self.is_reliable(listener), schedule: &self.schedule };
        step(&mut self.clients.transactions.get_mut(client)?.machine, &clock)
    }

    fn client_acts(&mut self, client: ClientTransactionId, actions: ClientActions, response: Option<(Response, Flow)>) {
        match actions.send {
            Some(ClientSend::Request) => {
                self.stats.retransmitted += 1;
                self.client_sends(client);
            }
            Some(ClientSend::Ack) => {
                self.make_ack(client, response.as_ref().map(|(response, _)| response));
                self.client_sends(client);
            }
            None => {}
        }
        let Some(owner) = self.client_moved(client) else { return };
        match (actions.tell, response) {
            (Some(ClientTell::Response), Some((response, flow))) => {
                self.delivery_answered(owner, client, response, flow);
            }
            (Some(ClientTell::Timeout), _) => self.delivery_failed(owner, Failure::Timeout),
            (Some(ClientTell::TransportError), _) => self.delivery_failed(owner, Failure::Transport),
            _ if !self.clients.transactions.contains(client) => self.delivery_finished(owner),
            _ => {}
        }
    }

    /// Puts the ACK for a non-2xx final response in the place of the INVITE, if that is not done yet.
    fn make_ack(&mut self, client: ClientTransactionId, response: Option<&Response>) {
        let Some(transaction) = self.clients.transactions.get_mut(client) else { return };
        match &transaction.kept {
            Kept::Request(bytes) => {
                let ack = reread(bytes).zip(response).and_then(|(invite, response)| derived::ack(&invite, response));
                transaction.kept = ack.map_or(Kept::Nothing, |ack| Kept::Ack(ack.as_bytes().clone()));
            }
            Kept::Ack(_) => self.stats.retransmitted += 1,
            Kept::Nothing => {}
        }
    }

    /// A CANCEL or ACK goes where the INVITE went: if that connection is gone, along another to the same address (RFC 5923
    /// §8.1).
    fn renew_client(&mut self, client: ClientTransactionId) {
        let Some(transaction) = self.clients.transactions.get(client) else { return };
        let flow = transaction.flow;
        let Some(server_name) = transaction.owner.and_then(|owner| self.server_name(owner)) else { return };
        if let Some(renewed) = self.renewed(flow, &server_name).filter(|renewed| *renewed != flow)
            && let Some(transaction) = self.clients.transactions.get_mut(client)
        {
            transaction.flow = renewed;
            self.hold_connection(renewed);
        }
    }

    fn client_sends(&mut self, client: ClientTransactionId) {
        self.renew_client(client);
        let Some(transaction) = self.clients.transactions.get(client) else { return };
        let flow = transaction.flow;
        if let Kept::Request(bytes) | Kept::Ack(bytes) = &transaction.kept {
            let bytes = bytes.clone();
            self.clients.senders.insert(flow, client);
            self.send(flow, bytes);
        }
    }

    /// Follows a machine that may have moved: its alarm, what it keeps, and its end. Its owner.
    fn client_moved(&mut self, client: ClientTransactionId) -> Option<DeliveryId> {
        let transaction = self.clients.transactions.get_mut(client)?;
        let owner = transaction.owner;
        let deadline = transaction.machine.deadline();
        transaction.alarm.set(&mut self.timers, deadline, TimerKey::Client(client));
        if !transaction.machine.repeats() {
            transaction.kept = Kept::Nothing;
        }
        if transaction.machine.is_terminated() {
            let flow = transaction.flow;
            self.clients.remove(client);
            self.release_connection(flow);
        }
        owner
    }
}
