//! Questions to the driver's resolver, and whom their answers concern (RFC 3263).

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::mem;

use crate::endpoint::DeliveryId;
use crate::node::{Answer, Output, QueryId};
use crate::time::Instant;
use crate::transaction::ServerTransactionId;
use crate::transport::{Asked, Listeners, Located, Locator, NextHop, Place, locate};

use super::Endpoint;
use super::timers::{Alarm, TimerKey};

/// Who wants to know where something goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Asker {
    Delivery(DeliveryId),
    Server(ServerTransactionId),
}

/// Where a next hop is. Small, as a million requests may wait with one.
#[derive(Clone, Debug)]
pub(super) enum Places {
    /// Nowhere, or nowhere else.
    None,
    /// Where it says itself.
    Known(Box<Place>),
    /// Where the resolver says.
    Searched(Box<Search>),
}

/// A search and its open questions.
#[derive(Clone, Debug)]
pub(super) struct Search {
    locator: Locator,
    open: Vec<(QueryId, Asked)>,
    /// When it is over at the latest.
    end: Instant,
    /// When what is not answered by then counts as unknown.
    alarm: Alarm,
}

impl Places {
    /// The best place that was not taken yet. While a better one may still come: none, if that is to be waited for, else the
    /// best that is known.
    pub(super) fn take(&mut self, listeners: &Listeners, wait: bool) -> Option<Place> {
        match self {
            Self::None => None,
            Self::Known(place) => {
                let place = **place;
                *self = Self::None;
                Some(place)
            }
            Self::Searched(search) => search.locator.take(listeners, wait),
        }
    }

    /// Whether the resolver has yet to say something.
    pub(super) fn are_searched(&self) -> bool {
        matches!(self, Self::Searched(search) if !search.open.is_empty())
    }

    /// Whether no place is left and none can come.
    pub(super) fn are_spent(&self) -> bool {
        match self {
            Self::None => true,
            Self::Known(_) => false,
            Self::Searched(search) => search.locator.is_spent(),
        }
    }

    /// Whether a resolver was asked in vain.
    pub(super) fn are_unknown(&self) -> bool {
        matches!(self, Self::Searched(search) if !search.locator.has_addresses())
    }
}

impl Endpoint {
    /// Looks for `hop`: at once, or with questions. For `computed` see [`locate`].
    pub(super) fn search(&mut self, asker: Asker, hop: &NextHop, computed: Option<u64>) -> Places {
        match locate(hop, &self.listeners, &self.config.limits.transport, computed) {
            Located::At(place) => Places::Known(Box::new(place)),
            Located::Nowhere => Places::None,
            Located::Search(locator) => {
                let end = self.now + self.schedule.sixty_four_t1;
                let mut search = Box::new(Search { locator, open: Vec::new(), end, alarm: Alarm::default() });
                self.ask(asker, &mut search);
                Places::Searched(search)
            }
        }
    }

    /// The resolver has answered.
    pub(super) fn resolved(&mut self, query: QueryId, answers: &[Answer]) {
        let Some((asker, asked)) = self.queries.remove(query) else { return };
        self.learn(asker, |endpoint, search| {
            search.open.retain(|(open, _)| *open != query);
            search.locator.answer(asked, answers, &mut endpoint.random);
        });
    }

    /// The resolver has not answered in time: what is open counts as unknown.
    pub(super) fn search_timer(&mut self, asker: Asker) {
        self.learn(asker, |endpoint, search| {
            search.alarm.fired();
            for (query, asked) in mem::take(&mut search.open) {
                endpoint.queries.remove(query);
                search.locator.answer(asked, &[], &mut endpoint.random);
            }
        });
    }

    /// Ends a search: nobody wants to know any more.
    pub(super) fn end_search(&mut self, places: Places) {
        if let Places::Searched(mut search) = places {
            search.open.iter().for_each(|(query, _)| {
                self.queries.remove(*query);
            });
            search.alarm.stop(&mut self.timers);
        }
    }

    fn learn(&mut self, asker: Asker, step: impl FnOnce(&mut Self, &mut Search)) {
        let Some(places) = self.places_of(asker) else { return };
        let Places::Searched(mut search) = mem::replace(places, Places::None) else { return };
        step(self, &mut search);
        self.ask(asker, &mut search);
        if let Some(places) = self.places_of(asker) {
            *places = Places::Searched(search);
        }
        match asker {
            Asker::Delivery(delivery) => self.delivery_located(delivery),
            Asker::Server(server) => self.server_located(server),
        }
    }

    fn places_of(&mut self, asker: Asker) -> Option<&mut Places> {
        match asker {
            Asker::Delivery(delivery) => self.delivery_places(delivery),
            Asker::Server(server) => self.server_places(server),
        }
    }

    /// Asks what there is to ask. NAPTR and SRV have a quarter of the time each, so that a resolver that knows nothing of them
    /// still leads to an address; the addresses have the rest.
    fn ask(&mut self, asker: Asker, search: &mut Search) {
        let mut asks = false;
        while let Some((asked, question)) = search.locator.question() {
            asks = true;
            let query = self.queries.insert((asker, asked));
            search.open.push((query, asked));
            self.outputs.push_back(Output::Resolve { query, question });
        }
        let key = TimerKey::Search(asker);
        if search.open.is_empty() {
            search.alarm.stop(&mut self.timers);
        } else if asks {
            let step = if search.locator.asks_for_addresses() { 1 } else { 4 };
            let deadline = self.now + self.schedule.sixty_four_t1 / step;
            search.alarm.set(&mut self.timers, Some(deadline.min(search.end)), key);
        }
    }
}
