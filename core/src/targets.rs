//! Where a request can go: targets in the order of preference, each tried once (RFC 3261 §8.1.3.4, §16.5).
//!
//! ```
//! use sansip::targets::{Target, TargetSet};
//!
//! let mut targets = TargetSet::new("sip:bob@biloxi.com".parse()?, 10);
//! assert!(targets.add(Target::new("sip:bob@192.0.2.4".parse()?).with_q(500)));
//! assert!(targets.add(Target::new("sip:bob@192.0.2.5".parse()?).with_q(800)));
//! assert!(!targets.add(Target::new("sip:bob@biloxi.com".parse()?)), "taken already");
//! assert_eq!(targets.take().map(|target| target.q), Some(800));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;
use core::net::IpAddr;

use crate::dialog::request_target;
use crate::message::header::Contact;
use crate::message::{Response, UriBuf};
use crate::transport::NextHop;

/// A place that a request can go to.
#[derive(Clone, Debug)]
pub struct Target {
    /// The Request-URI.
    pub uri: UriBuf,
    /// The proxies on the way there, loose routers, which are put in front of Route (RFC 3261 §16.6 step 6, RFC 3327 §5.3).
    pub routes: Vec<UriBuf>,
    /// Where the request goes instead of to its first Route or its Request-URI; must be a loose router or the end.
    pub next_hop: Option<NextHop>,
    /// How much it is preferred, in thousandths: 0 to 1000.
    pub q: u16,
    /// The URI parameters, each with its `;`, that our Record-Route has for the hop before and for the next hop. If there are any a
    /// Record-Route is written in any case.
    pub recorded: Option<Box<[String; 2]>>,
    /// Another way to the same phone, and behind that perhaps the next: tried in the place of this one if it is answered with 408 or 430,
    /// or cannot be reached along its flow. After any other final response the phone has spoken (RFC 5626 §7).
    pub instead: Option<Box<Target>>,
    /// Who vouches for it, where it leads to special addresses.
    pub voucher: Voucher,
}

/// Who vouches for where a target leads: only so is a request sent to a special address (loopback, a private one, our own and the like) that the
/// asker is not in one network with ([`Listener::inside`](crate::Listener::inside)).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Voucher {
    /// The owner of the proxy: the request goes wherever the target says.
    #[default]
    Owner,
    /// A binding.
    Binding {
        /// Whether its user has proved who it is: then it may lead anywhere but to loopback addresses and to our own.
        is_proved: bool,
        /// The address that its REGISTER came from, if it is special: the binding may lead there, too.
        source: Option<IpAddr>,
    },
    /// Nobody but the dialog that the request is of: a special address is tried if requests of that have come from there or gone there.
    Nobody,
}

impl Target {
    /// The target of this Request-URI, preferred as much as any.
    pub const fn new(uri: UriBuf) -> Self {
        Self {
            uri,
            routes: Vec::new(),
            next_hop: None,
            q: 1_000,
            recorded: None,
            instead: None,
            voucher: Voucher::Owner,
        }
    }

    /// This target, preferred so much: 0 to 1000.
    #[must_use]
    pub fn with_q(self, q: u16) -> Self {
        Self { q, ..self }
    }

    /// This target, for which nobody else vouches.
    #[must_use]
    pub fn vouched_by(self, voucher: Voucher) -> Self {
        Self { voucher, ..self }
    }

    /// This target behind these proxies.
    #[must_use]
    pub fn with_routes(self, routes: Vec<UriBuf>) -> Self {
        Self { routes, ..self }
    }

    /// This target, by way of this hop.
    #[must_use]
    pub fn with_next_hop(self, next_hop: NextHop) -> Self {
        Self { next_hop: Some(next_hop), ..self }
    }

    /// What tells the place of this target from others.
    fn place(&self) -> Place {
        Place { uri: request_target(self.uri.as_uri()), routes: self.routes.clone(), next_hop: self.next_hop.clone() }
    }
}

/// A place that a target leads to.
#[derive(Clone, Debug)]
struct Place {
    uri: UriBuf,
    routes: Vec<UriBuf>,
    next_hop: Option<NextHop>,
}

impl Place {
    /// Whether both lead to the same end by the same way: equivalent URIs (RFC 3261 §19.1.4), routes and next hop. Two Paths to one contact are two
    /// ways (RFC 5626 §7).
    fn is(&self, other: &Self) -> bool {
        self.next_hop == other.next_hop
            && self.uri.as_uri().equivalent(other.uri.as_uri())
            && self.routes.len() == other.routes.len()
            && self.routes.iter().zip(&other.routes).all(|(one, other)| one.as_uri().equivalent(other.as_uri()))
    }
}

/// Targets that wait, the best first, and those that were taken: none is taken twice.
#[derive(Clone, Debug, Default)]
pub struct TargetSet {
    waiting: Vec<Target>,
    taken: Vec<Place>,
    /// How many it takes in all.
    limit: usize,
}

impl TargetSet {
    /// A set that takes so many targets in all. `first` was tried before.
    pub fn new(first: UriBuf, limit: usize) -> Self {
        Self {
            waiting: Vec::new(),
            taken: Vec::from([Place { uri: first, routes: Vec::new(), next_hop: None }]),
            limit: limit.saturating_add(1),
        }
    }

    /// A set that takes so many targets in all, of which none was tried.
    pub const fn of_limit(limit: usize) -> Self {
        Self { waiting: Vec::new(), taken: Vec::new(), limit }
    }

    /// Adds a target behind those that are preferred as much. False, and nothing changes, if an equivalent one (§19.1.4) by the same
    /// way waits or was taken, whatever header fields its URI asks for, or if there is no room.
    pub fn add(&mut self, target: Target) -> bool {
        if self.has(&target) || self.is_full() {
            return false;
        }
        let place = self.waiting.partition_point(|other| other.q >= target.q);
        room_for_one(&mut self.waiting);
        self.waiting.insert(place, target);
        true
    }

    /// Adds a target that is taken next, in the place of one that was preferred so much. False, and nothing changes, where
    /// [`add`](Self::add) says so.
    pub fn add_instead(&mut self, before: u16, target: Target) -> bool {
        if self.has(&target) || self.is_full() {
            return false;
        }
        let q = self.best().map_or(before, |best| best.max(before));
        room_for_one(&mut self.waiting);
        self.waiting.insert(0, target.with_q(q));
        true
    }

    /// Whether as many targets wait and were taken as it takes in all.
    pub const fn is_full(&self) -> bool {
        self.waiting.len() + self.taken.len() >= self.limit
    }

    /// Whether the target, or an equivalent one, waits or was taken.
    pub fn has(&self, target: &Target) -> bool {
        if self.waiting.is_empty() && self.taken.is_empty() {
            return false;
        }
        let place = target.place();
        self.waiting.iter().any(|other| other.place().is(&place)) || self.taken.iter().any(|other| other.is(&place))
    }

    /// Adds the Contacts of a redirection that `may` be followed, by their q; one without q counts as 1 (§8.1.3.4, §20.10).
    pub fn add_contacts(&mut self, redirection: &Response, may: impl Fn(&UriBuf) -> bool) {
        // A response has as many Contacts as fit a message; the set has room for fewer, and each is compared with those there.
        for contact in redirection.headers().all::<Contact<'_>>().flatten() {
            let Some(address) = contact.address() else { continue };
            let (uri, q) = (address.uri.to_buf(), contact.q().unwrap_or(1_000));
            if may(&uri) {
                self.add(Target::new(uri).with_q(q));
            }
        }
    }

    /// Takes the best target that waits.
    pub fn take(&mut self) -> Option<Target> {
        if self.waiting.is_empty() {
            return None;
        }
        let target = self.waiting.remove(0);
        if self.waiting.is_empty() {
            self.clear();
        }
        room_for_one(&mut self.taken);
        self.taken.push(target.place());
        Some(target)
    }

    /// How much the best target that waits is preferred.
    pub fn best(&self) -> Option<u16> {
        self.waiting.first().map(|target| target.q)
    }

    /// Gives up all targets that wait.
    pub fn clear(&mut self) {
        self.waiting = Vec::new();
    }

    /// How many targets wait.
    pub const fn len(&self) -> usize {
        self.waiting.len()
    }

    /// Whether no target waits.
    pub fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }
}

/// Makes room for one entry where there is none. Most requests have one target, and `Vec` begins with room for four, which a request
/// would hold for as long as it rings.
fn room_for_one<T>(entries: &mut Vec<T>) {
    if entries.capacity() == 0 {
        entries.reserve_exact(1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::{String, ToString};

    fn target(uri: &str, q: u16) -> Target {
        Target::new(uri.parse().unwrap()).with_q(q)
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

    #[test]
    fn one_uri_by_two_hops_is_two_targets() {
        let hop = |host: &str| NextHop::from(host.parse::<crate::message::HostBuf>().unwrap());
        let mut set = TargetSet::of_limit(3);
        let bob = || target("sip:bob@biloxi.com", 1_000);
        assert!(set.add(bob()));
        assert!(set.add(bob().with_next_hop(hop("192.0.2.1"))));
        assert!(!set.add(bob().with_next_hop(hop("192.0.2.1"))), "waits");
        assert_eq!(set.best(), Some(1_000));
        assert!(set.add(bob().with_next_hop(hop("192.0.2.2"))));
        assert!(!set.add(target("sip:carol@biloxi.com", 1)), "no room");
        set.clear();
        assert!(set.is_empty() && set.best().is_none());
    }
}
