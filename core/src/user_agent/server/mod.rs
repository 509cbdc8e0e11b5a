//! Requests of peers, from their coming to the end of their transactions (RFC 3261 §8.2).
//!
//! [`Serving`] is the table of them; `admission.rs` has the order of §8.2, `respond.rs` writes and sends responses, `asked.rs` lets the
//! application answer.

mod admission;
mod asked;
mod commands;
mod guard;
mod merged;
mod respond;

use alloc::boxed::Box;
use alloc::collections::BTreeMap;

use super::agent::Work;
use crate::auth::Pass;
use crate::dialog::{DialogId, KeyedIndex};
use crate::endpoint::Arrival;
use crate::flow::ListenerId;
use crate::id::Arena;
use crate::message::{Method, Request};
use crate::random::Random;
use crate::stack::Context;
use crate::tag::Tag;
use crate::transaction::ServerTransactionId;
use crate::user_agent::{AccountId, CallId, ServedId, ServedKind};
use asked::Asked;
pub(super) use asked::refuse_for_now;
use guard::LookUp;
pub(super) use guard::{Guard, Proved, Store};
use merged::MergeName;

/// A request that is being served.
#[derive(Clone, Debug)]
pub(super) struct Served {
    pub(super) id: ServedId,
    pub(super) request: Request,
    pub(super) server: ServerTransactionId,
    pub(super) listener: ListenerId,
    /// The request that a CANCEL cancels.
    pub(super) cancels: Option<ServedId>,
    /// The account that it is for.
    pub(super) account: AccountId,
}

/// The requests of peers whose server transactions live; as many as there are such transactions at most
/// ([`Limits::server_transactions`](crate::transaction::Limits::server_transactions)).
#[derive(Clone, Debug)]
pub(super) struct Serving {
    table: Arena<ServedKind, Entry>,
    /// The requests outside of dialogs by their names.
    index: KeyedIndex<ServedId>,
    /// How many wait for the secret of their user.
    looking_up: usize,
    /// How many wait for the application in each dialog, where any does.
    waiting: BTreeMap<DialogId, usize>,
}

#[derive(Clone, Debug, Default)]
struct Entry {
    /// The name of a request outside of dialogs by which a merged one is told, and its hash.
    name: Option<(u64, MergeName)>,
    /// Our tag in To, once a response has needed one.
    local_tag: Option<Box<str>>,
    /// The call that an INVITE has begun.
    call: Option<CallId>,
    /// The request, if it waits for the application.
    asked: Option<Box<Asked>>,
    /// The request, if it waits for the secret of its user.
    look_up: Option<Box<LookUp>>,
    /// Who has sent it, if that was proved.
    pass: Option<Box<Pass>>,
}

impl Serving {
    /// Without a request; names are hashed under `hash_key`.
    pub(super) const fn new(hash_key: [u8; 16]) -> Self {
        Self { table: Arena::new(), index: KeyedIndex::new(hash_key), looking_up: 0, waiting: BTreeMap::new() }
    }

    /// See [`KeyedIndex::key_probe`].
    #[cfg(test)]
    pub(in crate::user_agent) fn key_probe(&self) -> u64 {
        self.index.key_probe()
    }

    /// Takes in a request that matches no transaction. False beside the handle: it is a merged request (§8.2.2.2), because one
    /// with the same From tag, Call-ID and CSeq came by another way and is still alive.
    fn begin(&mut self, request: &Request) -> (ServedId, bool) {
        // A CANCEL shares From tag, Call-ID and CSeq number with what it cancels, on purpose.
        if request.to_tag().is_some() || request.method() == Method::Cancel {
            return (self.table.insert(Entry::default()), true);
        }
        let name = MergeName::of(request);
        let hash = self.index.hash(&[name.as_bytes()]);
        let is_it = |entry: &Entry| entry.name.as_ref().is_some_and(|(_, other)| *other == name);
        if self.index.find(hash, |id| self.table.get(id).is_some_and(is_it)).is_some() {
            return (self.table.insert(Entry::default()), false);
        }
        let id = self.table.insert(Entry { name: Some((hash, name)), ..Entry::default() });
        self.index.insert(hash, id);
        (id, true)
    }

    /// The INVITE has begun a call.
    pub(super) fn set_call(&mut self, id: ServedId, call: CallId) {
        if let Some(entry) = self.table.get_mut(id) {
            entry.call = Some(call);
        }
    }

    /// The call that the INVITE has begun.
    pub(super) fn call(&self, id: ServedId) -> Option<CallId> {
        self.table.get(id)?.call
    }

    /// Our tag in To: the same in all responses to one request (§8.2.6.2), drawn when the first of them needs it. `None` if
    /// the request is over.
    pub(super) fn local_tag(&mut self, id: ServedId, random: &mut Random) -> Option<&str> {
        let entry = self.table.get_mut(id)?;
        Some(entry.local_tag.get_or_insert_with(|| random.tag().into()))
    }

    /// The server transaction is over.
    pub(super) fn end(&mut self, id: ServedId) {
        let Some(entry) = self.table.remove(id) else { return };
        self.looking_up = self.looking_up.saturating_sub(usize::from(entry.look_up.is_some()));
        if let Some(asked) = &entry.asked {
            self.forget_question(asked);
        }
        if let Some((hash, _)) = entry.name {
            self.index.remove(hash, id);
        }
    }

    /// Number of requests alive.
    pub(super) const fn len(&self) -> usize {
        self.table.len()
    }

    /// Requests that there is room for without another allocation.
    pub(super) fn capacity(&self) -> usize {
        self.table.capacity().max(self.index.capacity())
    }
}

/// Begins the server transaction of a request of a peer.
fn accept<E>(cx: &mut Context<'_, E>, arrival: Arrival, id: ServedId) -> Served {
    let (request, listener) = (arrival.request.clone(), arrival.flow.listener);
    let cancels = arrival.cancels.and_then(|(_, tag)| served_of(tag));
    let server = cx.accept(arrival, Work::Served(id));
    Served { id, request, server, listener, cancels, account: AccountId::DEFAULT }
}

/// The request that the tag of a server transaction names.
pub(super) fn served_of(tag: Tag) -> Option<ServedId> {
    match tag.try_into() {
        Ok(Work::Served(id)) => Some(id),
        _ => None,
    }
}
