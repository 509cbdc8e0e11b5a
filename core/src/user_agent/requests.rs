//! The requests outside of dialogs that have a server transaction: merged requests are told by them (RFC 3261 §8.2.2.2).

use alloc::boxed::Box;
use alloc::vec::Vec;

use crate::dialog::KeyedIndex;
use crate::id::{Arena, Id, Kind};
use crate::message::{Request, TagParam};
use crate::random::Random;
use crate::user_agent::CallId;

/// What [`RequestId`] names.
#[derive(Clone, Copy, Debug)]
pub(super) enum RequestKind {}

impl Kind for RequestKind {
    const NAME: &'static str = "request";
}

/// A request outside of any dialog, while its server transaction lives.
pub(super) type RequestId = Id<RequestKind>;

/// The requests outside of dialogs whose server transactions live; as many as there are such transactions at most
/// ([`Limits::server_transactions`](crate::transaction::Limits::server_transactions)).
#[derive(Clone, Debug)]
pub(super) struct Requests {
    alive: Arena<RequestKind, Entry>,
    index: KeyedIndex<RequestId>,
}

#[derive(Clone, Debug)]
struct Entry {
    hash: u64,
    /// From tag, Call-ID and CSeq, each ended by a NUL, which none of them can hold.
    name: Box<[u8]>,
    /// Our tag in To, once a response has needed one.
    local_tag: Option<Box<str>>,
    /// The call that an INVITE has begun.
    call: Option<CallId>,
}

impl Requests {
    pub(super) fn new(key: [u8; 16]) -> Self {
        Self { alive: Arena::new(), index: KeyedIndex::new(key) }
    }

    /// Takes in a request without To tag that matches no transaction. `None`: it is a merged request (§8.2.2.2): one with the
    /// same From tag, Call-ID and CSeq came by another way and is still alive.
    pub(super) fn begin(&mut self, request: &Request) -> Option<RequestId> {
        let name = name_of(request);
        let hash = self.index.hash(&[&name]);
        if self.index.find(hash, |id| self.alive.get(id).is_some_and(|entry| *entry.name == *name)).is_some() {
            return None;
        }
        let id = self.alive.insert(Entry { hash, name: name.into(), local_tag: None, call: None });
        self.index.insert(hash, id);
        Some(id)
    }

    /// The INVITE has begun a call.
    pub(super) fn set_call(&mut self, id: RequestId, call: CallId) {
        if let Some(entry) = self.alive.get_mut(id) {
            entry.call = Some(call);
        }
    }

    /// The call that the INVITE has begun.
    pub(super) fn call(&self, id: RequestId) -> Option<CallId> {
        self.alive.get(id)?.call
    }

    /// Our tag in To: the same in all responses to one request (§8.2.6.2), drawn when the first of them needs it. `None` if
    /// the request is over.
    pub(super) fn local_tag(&mut self, id: RequestId, random: &mut Random) -> Option<&str> {
        let entry = self.alive.get_mut(id)?;
        Some(entry.local_tag.get_or_insert_with(|| random.tag().into()))
    }

    /// The server transaction is over.
    pub(super) fn end(&mut self, id: RequestId) {
        if let Some(entry) = self.alive.remove(id) {
            self.index.remove(entry.hash, id);
        }
    }

    /// Number of requests alive.
    pub(super) fn len(&self) -> usize {
        debug_assert_eq!(self.alive.len(), self.index.len());
        self.alive.len()
    }

    /// Requests that there is room for without another allocation.
    pub(super) fn capacity(&self) -> usize {
        self.alive.capacity().max(self.index.capacity())
    }
}

fn name_of(request: &Request) -> Vec<u8> {
    // Most names fit, and then nothing is allocated again.
    let mut name = Vec::with_capacity(128);
    let from_tag = request.headers().text_of_from().and_then(|from| from.tag());
    name.extend(from_tag.into_iter().flat_map(TagParam::folded));
    name.push(0);
    let mut part = |text: &[u8]| {
        name.extend_from_slice(text);
        name.push(0);
    };
    part(request.call_id().unwrap_or_default().as_bytes());
    if let Some(cseq) = request.cseq() {
        part(&cseq.number.to_be_bytes());
        part(cseq.method.as_str().as_bytes());
    }
    name
}
