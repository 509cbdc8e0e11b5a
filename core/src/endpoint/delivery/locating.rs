//! Where a request goes (RFC 3263 §4).

use core::mem;

use crate::node::{Answer, QueryId};
use crate::transaction::{DeliveryId, Owner};
use crate::transport::{Asked, Places};

use super::super::Failure;
use super::{Below, Deliveries, Stage};

impl Deliveries {
    /// The resolver has answered a question about where a request goes.
    pub(in crate::endpoint) fn resolved(
        &mut self,
        below: &mut Below<'_>,
        id: DeliveryId,
        question: (QueryId, Asked),
        answers: &[Answer],
    ) {
        let Some(delivery) = self.table.get_mut(id) else { return };
        below.wire.learn(Owner::Delivery(id), &mut delivery.places, question, answers, below.random);
        self.located(below, id);
    }

    /// The resolver has not answered in time.
    pub(in crate::endpoint) fn unresolved(&mut self, below: &mut Below<'_>, id: DeliveryId) {
        let Some(delivery) = self.table.get_mut(id) else { return };
        below.wire.give_up_questions(Owner::Delivery(id), &mut delivery.places, below.random);
        self.located(below, id);
    }

    /// More is known of where a request goes.
    fn located(&mut self, below: &mut Below<'_>, id: DeliveryId) {
        if self.table.get(id).is_some_and(|delivery| matches!(delivery.stage, Stage::Locating)) {
            self.dispatch(below, id);
        }
    }

    /// None of the known places can be tried: waits for those that the resolver still may tell, else gives up.
    pub(super) fn no_destination(&mut self, below: &mut Below<'_>, id: DeliveryId, failure: Failure) {
        let Some(delivery) = self.table.get_mut(id) else { return };
        if delivery.places.are_searched() {
            delivery.stage = Stage::Locating;
        } else {
            self.fail(below, id, failure);
        }
    }

    /// Nothing more will be tried.
    pub(super) fn end_places(&mut self, below: &mut Below<'_>, id: DeliveryId) {
        if let Some(delivery) = self.table.get_mut(id) {
            delivery.fallback = None;
            let places = mem::replace(&mut delivery.places, Places::None);
            below.wire.end_search(places);
        }
    }
}
