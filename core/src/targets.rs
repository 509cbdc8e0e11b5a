//! Where a request can go: targets in the order of preference, each tried once (RFC 3261 §8.1.3.4, §16.5).

use alloc::vec::Vec;

use crate::dialog::request_target;
use crate::message::header::Contact;
use crate::message::{Response, UriBuf};

/// A place that a request can go to.
#[derive(Clone, Debug)]
pub struct Target {
    /// The Request-URI.
    pub uri: UriBuf,
    /// How much it is preferred, in thousandths: 0 to 1000.
    pub q: u16,
}

/// Targets that wait, the best first, and those that were taken: none is taken twice.
#[derive(Clone, Debug, Default)]
pub struct TargetSet {
    waiting: Vec<Target>,
    taken: Vec<UriBuf>,
    /// How many it takes in all.
    limit: usize,
}

impl TargetSet {
    /// A set that takes so many targets in all. `first` was tried before.
    pub fn new(first: UriBuf, limit: usize) -> Self {
        Self { waiting: Vec::new(), taken: Vec::from([first]), limit }
    }

    /// Adds a target behind those that are preferred as much. False, and nothing changes, if an equivalent one (§19.1.4) waits or was
    /// taken, whatever header fields its URI asks for, or if there is no room.
    pub fn add(&mut self, target: Target) -> bool {
        let place = request_target(target.uri.as_uri());
        let is_it = |other: &UriBuf| other.as_uri().equivalent(place.as_uri());
        let is_known =
            self.waiting.iter().any(|other| is_it(&request_target(other.uri.as_uri()))) || self.taken.iter().any(is_it);
        if is_known || self.waiting.len() + self.taken.len() > self.limit {
            return false;
        }
        let place = self.waiting.partition_point(|other| other.q >= target.q);
        self.waiting.insert(place, target);
        true
    }

    /// Adds the Contacts of a redirection that `may` be followed, by their q; one without q counts as 1 (§8.1.3.4, §20.10).
    pub fn add_contacts(&mut self, redirection: &Response, may: impl Fn(&UriBuf) -> bool) {
        // A response has as many Contacts as fit a message; the set has room for fewer, and each is compared with those there.
        for contact in redirection.headers().all::<Contact<'_>>().flatten() {
            let Some(address) = contact.address() else { continue };
            let (uri, q) = (address.uri.to_buf(), contact.q().unwrap_or(1_000));
            if may(&uri) {
                self.add(Target { uri, q });
            }
        }
    }

    /// Takes the best target that waits.
    pub fn take(&mut self) -> Option<Target> {
        if self.waiting.is_empty() {
            return None;
        }
        let target = self.waiting.remove(0);
        self.taken.push(request_target(target.uri.as_uri()));
        Some(target)
    }

    /// Whether none waits.
    pub fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::{String, ToString};

    fn target(uri: &str, q: u16) -> Target {
        Target { uri: uri.parse().unwrap(), q }
    }

    #[test]
    fn the_best_comes_first_equals_in_their_order_and_none_twice() {
        let mut set = TargetSet::new("sip:bob@biloxi.com".parse().unwrap(), 4);
        assert!(!set.add(target("sip:bob@BILOXI.com", 1_000)), "the first was tried");
        assert!(set.add(target("sip:c@biloxi.com", 500)));
        assert!(set.add(target("sip:a@biloxi.com", 900)));
        assert!(!set.add(target("sip:%63@biloxi.com", 700)), "waits");
        assert!(set.add(target("sip:b@biloxi.com", 900)));
        assert!(!set.add(target("sip:b@biloxi.com;method=BYE?Subject=x", 950)), "waits");
        assert!(set.add(target("sip:d@biloxi.com", 0)));
        assert!(!set.add(target("sip:e@biloxi.com", 1_000)), "no room");
        let order: Vec<String> = core::iter::from_fn(|| set.take()).map(|target| target.uri.to_string()).collect();
        assert_eq!(order, ["sip:a@biloxi.com", "sip:b@biloxi.com", "sip:c@biloxi.com", "sip:d@biloxi.com"]);
        assert!(set.is_empty() && !set.add(target("sip:a@biloxi.com", 1_000)), "was taken");
    }
}
