//! The location service (RFC 3261 §10): which contacts an address-of-record is bound to.
//!
//! Addresses-of-record are found by a keyed hash, so that a peer that chooses the names cannot make a lookup slow. Nothing is done in the order
//! of a table: what ends and what is forgotten have orders of their own.

use alloc::boxed::Box;
use alloc::collections::{BTreeMap, BTreeSet};
use alloc::string::String;
use alloc::vec::Vec;
use core::hash::{Hash, Hasher};

use siphasher::sip::SipHasher13;

use super::binding::{Binding, Way};
use crate::flow::Flow;
use crate::id::{Arena, Id, Kind};
use crate::keyed_index::KeyedIndex;
use crate::message::{Uri, UriBuf};
use crate::time::Instant;
use crate::timer::{TimerId, TimerQueue};

/// The bindings of an address-of-record.
type RecordId = Id<RecordKind>;

#[derive(Clone, Copy, Debug)]
enum RecordKind {}

impl Kind for RecordKind {
    const NAME: &'static str = "record";
}

#[derive(Clone, Debug)]
struct Record {
    name: Box<str>,
    bindings: Vec<Binding>,
    standing: Standing,
}

/// A record either has bindings, and an entry for the first to end; or has none, and a place in the order of those that may be
/// forgotten.
#[derive(Clone, Copy, Debug)]
enum Standing {
    Bound(TimerId),
    Vacant(u64),
}

/// The bindings of all addresses-of-record.
///
/// A user who was registered once stays known (480 rather than 404, RFC 3261 §16.5) until the room is needed.
#[derive(Clone, Debug)]
pub struct Location {
    records: Arena<RecordKind, Record>,
    names: KeyedIndex<RecordId>,
    key: [u8; 16],
    /// When the first binding of a record ends.
    ends: TimerQueue<RecordId>,
    /// The records without bindings, the longest vacant first.
    vacant: BTreeMap<u64, RecordId>,
    next_vacancy: u64,
    /// The records that have a binding along a flow.
    flows: BTreeSet<(Flow, RecordId)>,
    limit: usize,
}

/// The location service is full.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Full;

impl Location {
    /// An empty service for at most `limit` addresses-of-record. `key` must be one that no peer can guess.
    pub fn new(key: [u8; 16], limit: usize) -> Self {
        Self {
            records: Arena::new(),
            names: KeyedIndex::new(key),
            key,
            ends: TimerQueue::new(),
            vacant: BTreeMap::new(),
            next_vacancy: 0,
            flows: BTreeSet::new(),
            limit,
        }
    }

    /// Changes the bound on addresses-of-record. Those that are there stay.
    pub(super) const fn set_limit(&mut self, limit: usize) {
        self.limit = limit;
    }

    /// The bindings of `user@host` in the order of registration; `None` if no such user was ever registered.
    pub fn bindings(&self, address_of_record: &str) -> Option<&[Binding]> {
        let record = self.records.get(self.find(address_of_record)?)?;
        Some(&record.bindings)
    }

    /// All addresses-of-record that have bindings, with these, in the order of their slots.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &[Binding])> {
        let bound = self.records.iter().filter(|(_, record)| !record.bindings.is_empty());
        bound.map(|(_, record)| (&*record.name, &*record.bindings))
    }

    /// Addresses-of-record held, those without bindings too.
    pub fn len(&self) -> usize {
        self.records.len()
    }

    /// Whether no address-of-record is held.
    pub fn is_empty(&self) -> bool {
        self.records.is_empty()
    }

    /// Addresses-of-record that there is room for without another allocation.
    pub fn capacity(&self) -> usize {
        self.records.capacity()
    }

    /// The keyed hash of a contact: contacts that are equivalent have the same.
    pub(super) fn identity_of_contact(&self, contact: Uri<'_>) -> u64 {
        let mut hasher = SipHasher13::new_with_key(&self.key);
        contact.hash_equivalent(&mut hasher);
        hasher.finish()
    }

    /// The keyed hash of an instance and its flow (RFC 5626 §6).
    pub(super) fn identity_of_flow(&self, instance: &str, reg_id: u32) -> u64 {
        let mut hasher = SipHasher13::new_with_key(&self.key);
        instance.hash(&mut hasher);
        reg_id.hash(&mut hasher);
        hasher.finish()
    }

    /// Notes in a binding that was kept elsewhere what it is compared by.
    pub(super) fn identify(&self, binding: &mut Binding) {
        binding.identity = match binding.way.as_ref().and_then(|way| way.outbound.as_ref()) {
            Some((instance, reg_id)) => self.identity_of_flow(instance, *reg_id),
            None => self.identity_of_contact(binding.contact.as_uri()),
        };
    }

    /// Makes `change` to the bindings of an address-of-record, all at once, and gives back what it says. Where there are none, `change` is given an empty list;
    /// an address-of-record that then still has none is not kept.
    pub(super) fn change<R: Default>(
        &mut self,
        address_of_record: &str,
        change: impl FnOnce(&mut Vec<Binding>) -> R,
    ) -> Result<R, Full> {
        if let Some(id) = self.find(address_of_record) {
            return Ok(self.settle(id, change));
        }
        let mut bindings = Vec::new();
        let said = change(&mut bindings);
        if !bindings.is_empty() {
            self.make_room()?;
            let id = self.insert(address_of_record);
            self.settle(id, |old| *old = bindings);
        }
        Ok(said)
    }

    /// When the next binding ends.
    pub(super) fn deadline(&self) -> Option<Instant> {
        self.ends.next()
    }

    /// Takes out the bindings of one address-of-record that ended by `now`; `None` when there are no more.
    pub(super) fn expire(&mut self, now: Instant) -> Option<(Box<str>, Vec<Binding>)> {
        let (_, id) = self.ends.pop_due(now)?;
        Some(self.take(id, |binding| binding.expires_at <= now))
    }

    /// The flow is gone. Bindings that it alone led to are taken out, those of one address-of-record at a time; the others
    /// are reached by their contacts from now on. `None` when there are no more.
    pub(super) fn fail(&mut self, flow: Flow) -> Option<(Box<str>, Vec<Binding>)> {
        let first = (flow, RecordId::from_parts(0, 0));
        let (_, id) = *self.flows.range(first..).next().filter(|(other, _)| *other == flow)?;
        let is_along = |binding: &Binding| binding.flow() == Some(flow);
        let gone = self.take(id, |binding| is_along(binding) && binding.way().is_some_and(|way| way.only_flow));
        self.settle(id, |bindings| {
            for binding in bindings.iter_mut().filter(|binding| is_along(binding)) {
                if let Some(way) = &mut binding.way {
                    way.flow = None;
                }
            }
        });
        // The loop over the flow's records comes to its end whatever the records hold.
        self.flows.remove(&(flow, id));
        Some(gone)
    }

    /// The way to a contact behind these proxies is gone: the bindings of the address-of-record that have it are taken out.
    pub(super) fn lose(&mut self, address_of_record: &str, contact: &UriBuf, path: &[UriBuf]) -> Vec<Binding> {
        let Some(id) = self.find(address_of_record) else { return Vec::new() };
        let is_it = |one: &UriBuf, other: &UriBuf| one.as_bytes() == other.as_bytes();
        let is_lost = |binding: &Binding| {
            let behind = |way: &Way| {
                way.path.len() == path.len() && way.path.iter().zip(path).all(|(one, other)| is_it(one, other))
            };
            is_it(&binding.contact, contact) && binding.way().is_some_and(behind)
        };
        self.take(id, is_lost).1
    }

    fn find(&self, name: &str) -> Option<RecordId> {
        let hash = self.names.fingerprint(name.as_bytes()).hash();
        self.names.find(hash, |id| self.records.get(id).is_some_and(|record| &*record.name == name))
    }

    fn insert(&mut self, name: &str) -> RecordId {
        self.next_vacancy += 1;
        let standing = Standing::Vacant(self.next_vacancy);
        let id = self.records.insert(Record { name: name.into(), bindings: Vec::new(), standing });
        self.vacant.insert(self.next_vacancy, id);
        self.names.insert(self.names.fingerprint(name.as_bytes()).hash(), id);
        id
    }

    /// One vacant record is forgotten if the service is full.
    fn make_room(&mut self) -> Result<(), Full> {
        if self.records.len() < self.limit {
            return Ok(());
        }
        let (_, id) = self.vacant.pop_first().ok_or(Full)?;
        if let Some(record) = self.records.remove(id) {
            self.names.remove(self.names.fingerprint(record.name.as_bytes()).hash(), id);
        }
        Ok(())
    }

    /// Takes out the bindings that `goes` is true of.
    fn take(&mut self, id: RecordId, goes: impl Fn(&Binding) -> bool) -> (Box<str>, Vec<Binding>) {
        let mut gone = Vec::new();
        self.settle(id, |bindings| gone.extend(bindings.extract_if(.., |binding| goes(binding))));
        let name = self.records.get(id).map(|record| record.name.clone());
        (name.unwrap_or_default(), gone)
    }

    /// Makes a change to the bindings of a record, and files the record by what they are then.
    fn settle<R: Default>(&mut self, id: RecordId, change: impl FnOnce(&mut Vec<Binding>) -> R) -> R {
        let Some(record) = self.records.get_mut(id) else { return R::default() };
        for flow in record.bindings.iter().filter_map(Binding::flow) {
            self.flows.remove(&(flow, id));
        }
        let said = change(&mut record.bindings);
        for flow in record.bindings.iter().filter_map(Binding::flow) {
            self.flows.insert((flow, id));
        }
        let first_end = record.bindings.iter().map(|binding| binding.expires_at).min();
        record.standing = match (record.standing, first_end) {
            (Standing::Bound(timer), Some(end)) if self.ends.reset(timer, end) => Standing::Bound(timer),
            (Standing::Vacant(place), None) => Standing::Vacant(place),
            (before, first_end) => {
                match before {
                    Standing::Bound(timer) => drop(self.ends.cancel(timer)),
                    Standing::Vacant(place) => drop(self.vacant.remove(&place)),
                }
                match first_end {
                    Some(end) => Standing::Bound(self.ends.set(end, id)),
                    None => {
                        self.next_vacancy += 1;
                        self.vacant.insert(self.next_vacancy, id);
                        Standing::Vacant(self.next_vacancy)
                    }
                }
            }
        };
        said
    }
}

/// The key under which the location service knows a URI: its canonical form (RFC 3261 §10.3 step 5) without scheme and port,
/// `user@host`. `None` without a user, or unless sip or sips.
pub fn address_of_record(uri: Uri<'_>) -> Option<String> {
    uri.user()?;
    let canonical = uri.address_of_record()?;
    let (_, rest) = canonical.as_str().split_once(':')?;
    let rest = match uri.port() {
        Some(_) => rest.rsplit_once(':').map_or(rest, |(rest, _)| rest),
        None => rest,
    };
    Some(String::from(rest))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::flow::{ConnectionId, ListenerId};
    use crate::time::Duration;
    use alloc::format;
    use alloc::vec;

    fn until(seconds: u64) -> Binding {
        Binding {
            contact: format!("sip:bob@192.0.2.4:{seconds}").parse().unwrap(),
            q: 1000,
            expires_at: at(seconds),
            updated_at: at(0),
            identity: seconds,
            text: (*b"1").into(),
            call_id_at: 0,
            cseq: 1,
            way: None,
        }
    }

    fn at(seconds: u64) -> Instant {
        Instant::ZERO + Duration::from_secs(seconds)
    }

    fn location(limit: usize) -> Location {
        Location::new([1; 16], limit)
    }

    impl Location {
        fn store(&mut self, name: &str, bindings: Vec<Binding>) -> Result<(), Full> {
            self.change(name, |old| *old = bindings)
        }
    }

    #[test]
    fn bindings_end_one_by_one_and_the_user_stays_known() {
        let mut location = location(10);
        location.store("bob@biloxi.com", vec![until(30), until(10), until(20)]).unwrap();
        assert_eq!(location.deadline(), Some(at(10)));
        assert!(location.expire(at(9)).is_none());
        let (name, ended) = location.expire(at(20)).unwrap();
        assert_eq!((&*name, ended.len()), ("bob@biloxi.com", 2));
        assert_eq!(location.deadline(), Some(at(30)));
        assert_eq!(location.expire(at(30)).unwrap().1.len(), 1);
        assert_eq!(location.bindings("bob@biloxi.com").map(<[_]>::len), Some(0));
        assert!(location.bindings("carol@chicago.com").is_none());
        assert_eq!(location.deadline(), None);
    }

    #[test]
    fn a_full_service_forgets_the_longest_vacant_and_never_a_bound_one() {
        let mut location = location(2);
        location.store("a@x", vec![until(10)]).unwrap();
        location.store("b@x", vec![until(20)]).unwrap();
        assert_eq!(location.store("c@x", vec![until(20)]), Err(Full));
        location.store("a@x", vec![]).unwrap();
        location.store("c@x", vec![until(20)]).unwrap();
        assert!(location.bindings("a@x").is_none());
        assert_eq!(location.bindings("b@x").map(<[_]>::len), Some(1));
        assert_eq!(location.len(), 2);
    }

    #[test]
    fn removing_what_was_never_there_keeps_no_record() {
        let mut location = location(2);
        location.store("a@x", vec![]).unwrap();
        assert!(location.is_empty());
    }

    #[test]
    fn a_dead_connection_ends_what_it_alone_led_to() {
        let along = |seconds, connection, only_flow| {
            let flow = Flow {
                listener: ListenerId::from_parts(0, 1),
                remote: "192.0.2.1:5060".parse().unwrap(),
                connection: Some(ConnectionId::from_parts(connection, 1)),
            };
            let way = Way { flow: Some(flow), only_flow, ..Way::default() };
            (Binding { way: Some(Box::new(way)), ..until(seconds) }, flow)
        };
        let mut location = location(10);
        let ((alone, dead), (also, _), (other, alive)) = (along(10, 7, true), along(20, 7, false), along(30, 8, true));
        location.store("a@x", vec![alone, also, other]).unwrap();
        let (on_its_own, _) = along(40, 7, true);
        location.store("b@x", vec![on_its_own]).unwrap();
        let gone: Vec<_> = core::iter::from_fn(|| location.fail(dead)).collect();
        let ended = |(name, bindings): &(Box<str>, Vec<Binding>)| (name.clone(), bindings.len());
        assert_eq!(gone.iter().map(ended).collect::<Vec<_>>(), [("a@x".into(), 1), ("b@x".into(), 1)]);
        let left: Vec<_> = location.bindings("a@x").unwrap().iter().map(Binding::flow).collect();
        assert_eq!(left, [None, Some(alive)]);
        assert_eq!(location.deadline(), Some(at(20)));
        assert_eq!(location.flows.len(), 1);
    }

    #[test]
    fn seconds_left_are_whole_and_never_zero_before_the_end() {
        assert_eq!(until(10).seconds_left(at(0)), 10);
        assert_eq!(until(10).seconds_left(Instant::from_millis(9_001)), 1);
        assert_eq!(until(10).seconds_left(at(10)), 0);
    }

    #[test]
    fn the_key_is_user_and_host_alone() {
        let key = |text: &str| address_of_record(Uri::parse(text.as_bytes()).unwrap());
        for text in ["sip:bob@biloxi.com", "sips:%62ob@BILOXI.com;user=phone", "sip:bob:secret@biloxi.com:5060?a=b"] {
            assert_eq!(key(text).as_deref(), Some("bob@biloxi.com"), "{text}");
        }
        assert_eq!(key("sip:biloxi.com"), None);
        assert_eq!(key("tel:+1-201-555-0123"), None);
    }
}
