//! The search for a next hop: questions to the driver's resolver, and what their answers make known (RFC 3263).

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::mem;

use crate::node::{Answer, Asker, Output, QueryId};
use crate::random::Random;
use crate::time::Instant;

use super::alarm::Alarm;
use super::wire::{TimerKey, Wire};
use super::{Asked, Listeners, Located, Locator, NextHop, Place, locate};

/// Where a next hop is. Small, as a million requests may wait with one.
#[derive(Clone, Debug)]
pub(crate) enum Places {
    /// Nowhere, or nowhere else.
    None,
    /// Where it says itself.
    Known(Place),
    /// Where the resolver says.
    Searched(Box<Search>),
}

/// A search and its open questions.
#[derive(Clone, Debug)]
pub(crate) struct Search {
    locator: Locator,
    asker: Asker,
    open: Vec<(QueryId, Asked)>,
    /// When it is over at the latest.
    end: Instant,
    /// When what is not answered by then counts as unknown.
    alarm: Alarm,
}

impl Places {
    /// The best place that was not taken yet; one that `is_silent` only if no other is left. While a better one may still come: none, if that is to
    /// be waited for, else the best that is known.
    pub(crate) fn take(
        &mut self,
        listeners: &Listeners,
        wait: bool,
        is_silent: impl Fn(Place) -> bool,
    ) -> Option<Place> {
        match self {
            Self::None => None,
            Self::Known(place) => {
                let place = *place;
                *self = Self::None;
                Some(place)
            }
            Self::Searched(search) => search.locator.take(listeners, wait, is_silent),
        }
    }

    /// Whether the resolver has yet to say something.
    pub(crate) fn are_searched(&self) -> bool {
        matches!(self, Self::Searched(search) if !search.open.is_empty())
    }

    /// Whether no place is left and none can come.
    pub(crate) fn are_spent(&self) -> bool {
        match self {
            Self::None => true,
            Self::Known(_) => false,
            Self::Searched(search) => search.locator.is_spent(),
        }
    }

    /// Whether a resolver was asked in vain.
    pub(crate) fn are_unknown(&self) -> bool {
        matches!(self, Self::Searched(search) if !search.locator.has_addresses())
    }
}

impl<K: TimerKey> Wire<K> {
    /// Looks for `hop`: at once, or with questions. Answers, and a timer if they do not come, are for `key`. For `computed` see
    /// [`locate`].
    pub(crate) fn search(&mut self, key: K, hop: &NextHop, computed: Option<u64>) -> Places {
        match locate(hop, &self.listeners, &self.limits, computed) {
            Located::At(place) => Places::Known(place),
            Located::Nowhere => Places::None,
            Located::Search(locator) => {
                let end = self.now + self.patience;
                let mut search =
                    Box::new(Search { locator, asker: self.asker, open: Vec::new(), end, alarm: Alarm::default() });
                self.ask(key, &mut search);
                Places::Searched(search)
            }
        }
    }

    /// Whether the resolver has to be asked where `hop` is.
    pub(crate) fn has_to_ask(&self, hop: &NextHop) -> bool {
        hop.flow.is_none() && matches!(locate(hop, &self.listeners, &self.limits, None), Located::Search(_))
    }

    /// Takes the question `query` out of those that are open: for whom it was asked, and about what. What follows is done for who asked.
    pub(crate) fn answered(&mut self, query: QueryId) -> Option<(K, Asked)> {
        let (key, asked, asker) = self.queries.remove(query)?;
        self.asker = asker;
        Some((key, asked))
    }

    /// Who waits for the answer to a question.
    pub(crate) fn asker_of(&self, query: QueryId) -> Option<Asker> {
        self.queries.get(query).map(|(.., asker)| *asker)
    }

    /// The resolver has answered a question of this search. More may be asked.
    pub(crate) fn learn(
        &mut self,
        key: K,
        places: &mut Places,
        (query, asked): (QueryId, Asked),
        answers: &[Answer],
        random: &mut Random,
    ) {
        let Places::Searched(search) = places else { return };
        search.open.retain(|(open, _)| *open != query);
        search.locator.answer(asked, answers, random);
        self.ask(key, search);
    }

    /// The resolver has not answered in time: what is open counts as unknown. More may be asked.
    pub(crate) fn give_up_questions(&mut self, key: K, places: &mut Places, random: &mut Random) {
        let Places::Searched(search) = places else { return };
        search.alarm.fired();
        for (query, asked) in mem::take(&mut search.open) {
            self.queries.remove(query);
            search.locator.answer(asked, &[], random);
        }
        self.ask(key, search);
    }

    /// Ends a search: nobody wants to know any more.
    pub(crate) fn end_search(&mut self, places: Places) {
        if let Places::Searched(mut search) = places {
            search.open.iter().for_each(|(query, _)| {
                self.queries.remove(*query);
            });
            search.alarm.stop(&mut self.timers);
        }
    }

    /// Asks what there is to ask. NAPTR and SRV have a quarter of the time each, so that a resolver that knows nothing of them
    /// still leads to an address; the addresses have the rest.
    fn ask(&mut self, key: K, search: &mut Search) {
        let mut asks = false;
        while let Some((asked, question)) = search.locator.question() {
            asks = true;
            let query = self.queries.insert((key, asked, search.asker));
            search.open.push((query, asked));
            self.outputs.push_back(Output::Resolve { query, question });
        }
        if search.open.is_empty() {
            search.alarm.stop(&mut self.timers);
        } else if asks {
            let step = if search.locator.asks_for_addresses() { 1 } else { 4 };
            let deadline = self.now + self.patience / step;
            search.alarm.set(&mut self.timers, Some(deadline.min(search.end)), key);
        }
    }
}
