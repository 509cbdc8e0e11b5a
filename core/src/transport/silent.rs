//! The places that were silent, which are tried last for a while (RFC 4321 §1.3).

use alloc::collections::BTreeMap;

use crate::time::Instant;

use super::{Limits, Place};

/// The places that have not answered a request at all, and until when each is tried last.
///
/// A request other than INVITE has 64·T1 for all its attempts, so that a silent place that is tried first costs the request.
#[derive(Clone, Debug, Default)]
pub(crate) struct SilentPlaces(BTreeMap<Place, Instant>);

impl SilentPlaces {
    /// Whether a place was silent not long ago.
    pub(crate) fn has(&self, place: Place, now: Instant) -> bool {
        self.0.get(&place).is_some_and(|until| *until > now)
    }

    /// A place was asked, and nothing came back. Where there is no room the one that was silent first is forgotten.
    pub(crate) fn add(&mut self, place: Place, now: Instant, limits: &Limits) {
        self.0.remove(&place);
        if limits.silent_places > 0 && self.0.len() >= limits.silent_places {
            self.0.retain(|_, until| *until > now);
        }
        while self.0.len() >= limits.silent_places {
            let Some(first) = self.0.iter().min_by_key(|(_, until)| **until).map(|(place, _)| *place) else { return };
            self.0.remove(&first);
        }
        self.0.insert(place, now + limits.silent_for);
    }

    /// A place has answered.
    pub(crate) fn remove(&mut self, place: Place) {
        self.0.remove(&place);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::header::Protocol;
    use core::net::SocketAddr;

    fn place(number: u8) -> Place {
        Place { address: SocketAddr::from(([192, 0, 2, number], 5060)), protocol: Protocol::Udp }
    }

    #[test]
    fn a_silent_place_is_remembered_for_a_while_and_the_first_makes_room() {
        let limits = Limits { silent_places: 2, ..Limits::default() };
        let mut silent = SilentPlaces::default();
        let at = Instant::from_millis;
        silent.add(place(1), at(0), &limits);
        silent.add(place(2), at(1), &limits);
        assert!(silent.has(place(1), at(299_999)) && !silent.has(place(1), at(300_000)), "five minutes");
        silent.add(place(1), at(2), &limits);
        silent.add(place(3), at(3), &limits);
        let known = |silent: &SilentPlaces| [1, 2, 3].map(|number| silent.has(place(number), at(10)));
        assert_eq!(known(&silent), [true, false, true], "the second was the first to be silent");
        silent.remove(place(1));
        assert_eq!(known(&silent), [false, false, true]);
        silent.add(place(1), at(4), &Limits { silent_places: 0, ..limits });
        assert_eq!(known(&silent), [false; 3], "no room at all");
    }
}
