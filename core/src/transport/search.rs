//! The search for a next hop: questions to the driver's resolver, and what their answers make known (RFC 3263).

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::mem;

use crate::node::{Answer, Asker, Output, QueryId};
use crate::random::Random;
use crate::time::Instant;

use super::alarm::Alarm;
use super::wire::{TimerKey, Wire};
use super::{Asked, Located, Locator, NextHop, Place, Requester, locate};

/// Where a next hop is. Small, as a million requests may wait with one.
#[derive(Clone, Debug)]
pub(crate) enum Places {
    /// Nowhere, or nowhere else.
    None,
    /// Where no request of its requester may go.
    Forbidden,
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
    /// For whom it is, if that decides where it may lead.
    requester: Option<Requester>,
    /// Whether it has led where no request of its requester may go.
    is_forbidden: bool,
}

impl Places {
    /// The best place that was not taken yet; one that `is_silent` only if no other is left. While a better one may still come: none, if that is to
    /// be waited for, else the best that is known. What its requester may not go to is passed over.
    pub(super) fn take<K: TimerKey>(
        &mut self,
        wire: &Wire<K>,
        wait: bool,
        is_silent: impl Fn(Place) -> bool,
    ) -> Option<Place> {
        match self {
            Self::None | Self::Forbidden => None,
            Self::Known(place) => {
                let place = *place;
                *self = Self::None;
                Some(place)
            }
            // Each turn takes one out, and there are no more than `Limits::destinations`.
            Self::Searched(search) => loop {
                let place = search.locator.take(&wire.listeners, wait, &is_silent)?;
                match &search.requester {
                    Some(requester) if !wire.admits(requester, place.address.ip()) => search.is_forbidden = true,
                    _ => return Some(place),
                }
            },
        }
    }

    /// Whether the resolver has yet to say something.
    pub(crate) fn are_searched(&self) -> bool {
        matches!(self, Self::Searched(search) if !search.open.is_empty())
    }

    /// Whether no place is left and none can come.
    pub(crate) fn are_spent(&self) -> bool {
        match self {
            Self::None | Self::Forbidden => true,
            Self::Known(_) => false,
            Self::Searched(search) => search.locator.is_spent(),
        }
    }

    /// Whether they were found where no request of their requester may go.
    pub(crate) fn are_forbidden(&self) -> bool {
        match self {
            Self::None | Self::Known(_) => false,
            Self::Forbidden => true,
            Self::Searched(search) => search.is_forbidden,
        }
    }

    /// Whether a resolver was asked in vain.
    pub(crate) fn are_unknown(&self) -> bool {
        matches!(self, Self::Searched(search) if !search.locator.has_addresses())
    }
}

impl<K: TimerKey> Wire<K> {
    /// Looks for `hop`: at once, or with questions. Answers, and a timer if they do not come, are for `key`. For `computed` see
    /// [`locate`]. Without a `requester` every address is as good as any.
    pub(crate) fn search(
        &mut self,
        key: K,
        hop: &NextHop,
        computed: Option<u64>,
        requester: Option<Requester>,
    ) -> Places {
        match locate(hop, &self.listeners, &self.limits, computed) {
            Located::At(place)
                if requester.as_ref().is_some_and(|requester| !self.admits(requester, place.address.ip())) =>
            {
                Places::Forbidden
            }
            Located::At(place) => Places::Known(place),
            Located::Nowhere => Places::None,
            Located::Search(locator) => {
                let end = self.now + self.patience;
                let (asker, open, alarm) = (self.asker, Vec::new(), Alarm::default());
                let search = Search { locator, asker, open, end, alarm, requester, is_forbidden: false };
                let mut search = Box::new(search);
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
