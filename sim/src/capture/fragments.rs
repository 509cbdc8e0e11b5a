//! Datagrams put together from their fragments (RFC 791 §3.2, RFC 8200 §4.5).

use std::collections::BTreeMap;
use std::net::IpAddr;

use super::limits::Limits;
use super::packet::{Fragment, Ip};

/// So long the fragments of a datagram are waited for, in nanoseconds (RFC 8200 §4.5).
const PATIENCE: u64 = 60_000_000_000;
/// No datagram is longer.
const LONGEST: usize = 65_535;

type Key = (IpAddr, IpAddr, u8, u32);

/// Datagrams of which fragments have come.
#[derive(Debug)]
pub(super) struct Fragments {
    most: usize,
    begun: BTreeMap<Key, Begun>,
    /// How many datagrams were begun so far: the age of each.
    number: u64,
    /// Datagrams that were given up.
    pub(super) given_up: u64,
}

#[derive(Debug)]
struct Begun {
    age: u64,
    time: u64,
    /// By their offsets; they do not overlap.
    parts: BTreeMap<usize, Vec<u8>>,
    /// The octets of all of it, once the last fragment has come.
    length: Option<usize>,
}

impl Fragments {
    pub(super) const fn new(limits: &Limits) -> Self {
        Self { most: limits.datagrams, begun: BTreeMap::new(), number: 0, given_up: 0 }
    }

    /// Takes a fragment; the whole payload, if it is the last that was missing.
    pub(super) fn add(&mut self, time: u64, ip: &Ip<'_>, fragment: Fragment) -> Option<Vec<u8>> {
        let key = (ip.source, ip.destination, ip.protocol, fragment.identification);
        let end = fragment.offset + ip.payload.len();
        if ip.is_cut || ip.payload.is_empty() || end > LONGEST {
            self.give_up(key);
            return None;
        }
        if self.begun.get(&key).is_some_and(|begun| time.saturating_sub(begun.time) > PATIENCE) {
            self.give_up(key);
        }
        if !self.begun.contains_key(&key) {
            if self.begun.len() >= self.most
                && let Some(oldest) = self.begun.iter().min_by_key(|(_, begun)| begun.age).map(|(key, _)| *key)
            {
                self.give_up(oldest);
            }
            self.number += 1;
            self.begun.insert(key, Begun { age: self.number, time, parts: BTreeMap::new(), length: None });
        }
        let begun = self.begun.get_mut(&key)?;
        if !fragment.has_more {
            begun.length = Some(end);
        }
        let before = begun.parts.range(..end).next_back().map(|(offset, part)| (*offset, offset + part.len()));
        match before {
            // The same again.
            Some((from, to)) if (from, to) == (fragment.offset, end) => {}
            // Fragments that overlap are the work of nobody honest (RFC 5722 §3).
            Some((_, to)) if to > fragment.offset => {
                self.give_up(key);
                return None;
            }
            _ => {
                begun.parts.insert(fragment.offset, ip.payload.to_vec());
            }
        }
        let there: usize = begun.parts.values().map(Vec::len).sum();
        if begun.length != Some(there) {
            return None;
        }
        self.begun.remove(&key).map(|begun| begun.parts.into_values().flatten().collect())
    }

    fn give_up(&mut self, key: Key) {
        self.given_up += u64::from(self.begun.remove(&key).is_some());
    }

    /// Datagrams that are not whole yet.
    pub(super) fn unfinished(&self) -> u64 {
        self.begun.len() as u64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn add(fragments: &mut Fragments, id: u32, offset: usize, has_more: bool, payload: &str) -> Option<String> {
        let ip = Ip {
            source: [192, 0, 2, 1].into(),
            destination: [192, 0, 2, 2].into(),
            protocol: 17,
            identification: 0,
            fragment: None,
            payload: payload.as_bytes(),
            is_cut: false,
        };
        let whole = fragments.add(0, &ip, Fragment { identification: id, offset, has_more });
        whole.map(|whole| String::from_utf8(whole).unwrap())
    }

    #[test]
    fn fragments_are_put_together_in_any_order_and_copies_are_passed_over() {
        let mut all = Fragments::new(&Limits::default());
        assert_eq!(add(&mut all, 1, 8, true, "01234567"), None);
        assert_eq!(add(&mut all, 1, 16, false, "end"), None);
        assert_eq!(add(&mut all, 1, 16, false, "end"), None);
        assert_eq!(add(&mut all, 2, 0, true, "other..."), None);
        assert_eq!(add(&mut all, 1, 0, true, "abcdefgh").as_deref(), Some("abcdefgh01234567end"));
        assert_eq!((all.unfinished(), all.given_up), (1, 0));
    }

    #[test]
    fn fragments_that_overlap_or_go_too_far_are_given_up() {
        let mut all = Fragments::new(&Limits::default());
        add(&mut all, 1, 0, true, "0123456789abcdef");
        add(&mut all, 1, 8, false, "xx");
        add(&mut all, 2, 0, true, "01234567");
        add(&mut all, 2, 65_528, false, "01234567");
        assert_eq!((all.unfinished(), all.given_up), (0, 2));
    }

    #[test]
    fn above_the_limit_the_oldest_is_given_up() {
        let mut all = Fragments::new(&Limits { datagrams: 2, ..Limits::default() });
        for id in [3, 1, 2] {
            add(&mut all, id, 0, true, "01234567");
        }
        assert_eq!((all.unfinished(), all.given_up), (2, 1));
        assert_eq!(add(&mut all, 1, 8, false, "end").as_deref(), Some("01234567end"));
        assert_eq!(add(&mut all, 3, 8, false, "end"), None);
    }
}
