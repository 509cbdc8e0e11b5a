//! Where a request goes (RFC 3263 §4).

use alloc::vec::Vec;
use core::mem;

use crate::endpoint::DeliveryId;
use crate::transport::{NextHop, Place};

use super::super::search::{Asker, Places};
use super::super::{Endpoint, Failure};
use super::{Destination, Purpose, Stage};

impl Endpoint {
    /// Looks for the next hop, and goes on at once if there is nothing to ask.
    pub(super) fn locate(&mut self, id: DeliveryId, next_hop: &NextHop) {
        // The same choice for each retransmission of what is forwarded statelessly, for its CANCEL and its ACK (RFC 3263 §4.4).
        let computed = match self.deliveries.get(id).map(|delivery| &delivery.purpose) {
            Some(Purpose::Relay { branch }) => Some(self.stateless_number(branch)),
            _ => None,
        };
        let places = self.search(Asker::Delivery(id), next_hop, computed);
        if let Some(delivery) = self.deliveries.get_mut(id) {
            delivery.places = places;
        }
        self.dispatch(id);
    }

    /// More is known of where a request goes.
    pub(in crate::endpoint) fn delivery_located(&mut self, id: DeliveryId) {
        if self.deliveries.get(id).is_some_and(|delivery| matches!(delivery.stage, Stage::Locating)) {
            self.dispatch(id);
        }
    }

    /// The places of a delivery.
    pub(in crate::endpoint) fn delivery_places(&mut self, id: DeliveryId) -> Option<&mut Places> {
        self.deliveries.get_mut(id).map(|delivery| &mut delivery.places)
    }

    /// The next place to try. While nothing was tried, a better one that may come is waited for.
    pub(super) fn next_destination(&mut self, id: DeliveryId) -> Option<Destination> {
        let delivery = self.deliveries.get_mut(id)?;
        if let Some(destination) = delivery.destinations.pop() {
            return Some(destination);
        }
        let wait = matches!(delivery.stage, Stage::Locating);
        let Place { protocol, address } = delivery.places.take(&self.listeners, wait)?;
        Some(Destination::At { protocol, address })
    }

    /// None of the known places can be tried: waits for those that the resolver still may tell, else gives up.
    pub(super) fn no_destination(&mut self, id: DeliveryId, failure: Failure) {
        let Some(delivery) = self.deliveries.get_mut(id) else { return };
        if delivery.places.are_searched() {
            delivery.stage = Stage::Locating;
        } else {
            self.fail_delivery(id, failure);
        }
    }

    /// Nothing more will be tried.
    pub(super) fn end_places(&mut self, id: DeliveryId) {
        if let Some(delivery) = self.deliveries.get_mut(id) {
            delivery.destinations = Vec::new();
            let places = mem::replace(&mut delivery.places, Places::None);
            self.end_search(places);
        }
    }
}
