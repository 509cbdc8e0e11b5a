//! The location service (RFC 3261 §10): which contacts an address-of-record is bound to.
//!
//! Everything is ordered, so that no answer depends on how a table hashes; a peer that chooses the names cannot make a lookup
//! slower than the logarithm.

use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;

use crate::message::{Uri, UriBuf};
use crate::time::Instant;
use crate::timer::{TimerId, TimerQueue};

/// One contact that an address-of-record is bound to, until some time.
#[derive(Clone, Debug)]
pub struct Binding {
    /// The contact's URI, as it was registered.
    pub contact: UriBuf,
    /// The contact's parameters but `expires`, each with its `;`.
    pub(crate) parameters: Box<[u8]>,
    /// The contact's preference in thousandths (`q`, RFC 3261 §20.10); 1000 if none was given.
    pub q: u16,
    /// The Call-ID of the REGISTER that made or last refreshed it.
    pub(crate) call_id: Box<str>,
    /// The CSeq number of that REGISTER.
    pub(crate) cseq: u32,
    /// When it ends.
    pub expires_at: Instant,
}

impl Binding {
    /// Whole seconds left at `now`, the last one begun counted in full.
    pub fn seconds_left(&self, now: Instant) -> u64 {
        let left = self.expires_at.since(now);
        left.as_secs() + u64::from(left.subsec_nanos() > 0)
    }

    /// Octets of text that it holds.
    pub(crate) fn size(&self) -> usize {
        self.contact.as_bytes().len() + self.parameters.len() + self.call_id.len()
    }
}

#[derive(Clone, Debug)]
struct Record {
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
    records: BTreeMap<Arc<str>, Record>,
    /// When the first binding of a record ends.
    ends: TimerQueue<Arc<str>>,
    /// The records without bindings, the longest vacant first.
    vacant: BTreeMap<u64, Arc<str>>,
    next_vacancy: u64,
    limit: usize,
}

/// The location service is full.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Full;

impl Location {
    /// An empty service for at most `limit` addresses-of-record.
    pub fn new(limit: usize) -> Self {
        Self { records: BTreeMap::new(), ends: TimerQueue::new(), vacant: BTreeMap::new(), next_vacancy: 0, limit }
    }

    /// The bindings of `user@host` in the order of registration; `None` if no such user was ever registered.
    pub fn bindings(&self, address_of_record: &str) -> Option<&[Binding]> {
        self.records.get(address_of_record).map(|record| record.bindings.as_slice())
    }

    /// Addresses-of-record held, those without bindings too.
    pub fn len(&self) -> usize {
        self.records.len()
    }

    /// Whether no address-of-record is held.
    pub fn is_empty(&self) -> bool {
        self.records.is_empty()
    }

    /// Replaces the bindings of an address-of-record as a whole.
    pub(crate) fn store(&mut self, address_of_record: &str, bindings: Vec<Binding>) -> Result<(), Full> {
        let name = match self.records.get_key_value(address_of_record) {
            Some((name, _)) => name.clone(),
            None if bindings.is_empty() => return Ok(()),
            None => {
                self.make_room()?;
                Arc::from(address_of_record)
            }
        };
        self.put(name, bindings);
        Ok(())
    }

    /// When the next binding ends.
    pub(crate) fn deadline(&self) -> Option<Instant> {
        self.ends.next()
    }

    /// Takes out the bindings of one address-of-record that ended by `now`; `None` when there are no more.
    pub(crate) fn expire(&mut self, now: Instant) -> Option<(Arc<str>, Vec<Binding>)> {
        let (_, name) = self.ends.pop_due(now)?;
        let record = self.records.get_mut(&name)?;
        let bindings = core::mem::take(&mut record.bindings);
        let (ended, left) = bindings.into_iter().partition(|binding| binding.expires_at <= now);
        self.put(name.clone(), left);
        Some((name, ended))
    }

    /// One vacant record is forgotten if the service is full.
    fn make_room(&mut self) -> Result<(), Full> {
        if self.records.len() < self.limit {
            return Ok(());
        }
        let (_, name) = self.vacant.pop_first().ok_or(Full)?;
        self.records.remove(&name);
        Ok(())
    }

    fn put(&mut self, name: Arc<str>, bindings: Vec<Binding>) {
        let standing = self.records.get(&name).map(|record| record.standing);
        let first_end = bindings.iter().map(|binding| binding.expires_at).min();
        let standing = match (standing, first_end) {
            (Some(Standing::Vacant(place)), None) => Standing::Vacant(place),
            (before, first_end) => {
                match before {
                    Some(Standing::Bound(timer)) => drop(self.ends.cancel(timer)),
                    Some(Standing::Vacant(place)) => drop(self.vacant.remove(&place)),
                    None => {}
                }
                match first_end {
                    Some(end) => Standing::Bound(self.ends.set(end, name.clone())),
                    None => {
                        self.next_vacancy += 1;
                        self.vacant.insert(self.next_vacancy, name.clone());
                        Standing::Vacant(self.next_vacancy)
                    }
                }
            }
        };
        self.records.insert(name, Record { bindings, standing });
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
    use crate::time::Duration;
    use alloc::format;
    use alloc::vec;

    fn until(seconds: u64) -> Binding {
        Binding {
            contact: format!("sip:bob@192.0.2.4:{seconds}").parse().unwrap(),
            parameters: Box::default(),
            q: 1000,
            call_id: "1".into(),
            cseq: 1,
            expires_at: at(seconds),
        }
    }

    fn at(seconds: u64) -> Instant {
        Instant::ZERO + Duration::from_secs(seconds)
    }

    #[test]
    fn bindings_end_one_by_one_and_the_user_stays_known() {
        let mut location = Location::new(10);
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
        let mut location = Location::new(2);
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
        let mut location = Location::new(2);
        location.store("a@x", vec![]).unwrap();
        assert!(location.is_empty());
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
