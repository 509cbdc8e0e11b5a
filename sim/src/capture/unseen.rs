//! Remembers between which addresses messages went that could not be read.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::net::{IpAddr, SocketAddr};
use std::rc::Rc;

/// Addresses between which messages went that could not be read: within TLS, cut by the snap length, or in octets that were not captured. What is
/// missing there may be one of those.
///
/// This is a handle: the [`Reader`](super::Reader) that gave it goes on to add to it.
#[derive(Clone, Debug)]
pub struct Unseen(Rc<RefCell<Ends>>);

#[derive(Debug)]
struct Ends {
    all: BTreeSet<IpAddr>,
    /// So many are told apart. Above that every address counts as one of them.
    most: usize,
}

impl Unseen {
    pub(super) fn new(most: usize) -> Self {
        Self(Rc::new(RefCell::new(Ends { all: BTreeSet::new(), most })))
    }

    pub(super) fn note(&self, (source, destination): (SocketAddr, SocketAddr)) {
        let mut ends = self.0.borrow_mut();
        for ip in [source.ip(), destination.ip()] {
            if ends.all.len() <= ends.most {
                ends.all.insert(ip);
            }
        }
    }

    /// Makes every address count as one of them, as it is not known where the messages went.
    pub(super) fn note_everywhere(&self) {
        self.0.borrow_mut().most = 0;
        self.note((SocketAddr::from(([0; 4], 0)), SocketAddr::from(([0; 4], 0))));
    }

    /// Whether messages that went to or from an address could not be read.
    pub fn covers(&self, ip: IpAddr) -> bool {
        let ends = self.0.borrow();
        ends.all.len() > ends.most || ends.all.contains(&ip)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn above_the_limit_and_where_nothing_is_known_every_address_counts() {
        let at = |host: u8| SocketAddr::from(([192, 0, 2, host], 5060));
        let unseen = Unseen::new(2);
        let other = unseen.clone();
        unseen.note((at(1), at(2)));
        let covered = [1, 2, 3].map(|host| other.covers(at(host).ip()));
        assert_eq!(covered, [true, true, false]);
        unseen.note((at(4), at(5)));
        assert!(other.covers(at(3).ip()));
        let unseen = Unseen::new(2);
        unseen.note_everywhere();
        assert!(unseen.covers(at(3).ip()));
    }
}
