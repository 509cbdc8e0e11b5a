//! Where a request goes: addresses, and questions to the driver's resolver (RFC 3263 §4).

use core::net::IpAddr;

use crate::id::{DeliveryId, QueryId};
use crate::message::HostBuf;
use crate::node::{Answer, Output, Question};
use crate::transport::NextHop;

use super::super::timers::{Alarm, TimerKey};
use super::super::{Endpoint, Failure};
use super::{Delivery, Destination, Stage};

impl Endpoint {
    /// Goes on at once if the next hop is an address; asks the resolver if it is a name.
    pub(super) fn locate(&mut self, id: DeliveryId, next_hop: NextHop) {
        let Some(delivery) = self.deliveries.get_mut(id) else { return };
        match (&next_hop.host, next_hop.host.as_host().ip()) {
            (_, Some(ip)) => {
                delivery.destinations.push(destination(&next_hop, ip));
                self.dispatch(id);
            }
            (HostBuf::Name(name), None) => {
                let query = self.queries.insert(id);
                let mut alarm = Alarm::default();
                let deadline = self.now + self.schedule.sixty_four_t1;
                alarm.set(&mut self.timers, Some(deadline), TimerKey::Delivery(id));
                let question = Question::Address { name: name.clone() };
                self.outputs.push_back(Output::Resolve { query, question });
                delivery.stage = Stage::Resolving { query, next_hop, alarm };
            }
            (_, None) => self.fail_delivery(id, Failure::Unresolved),
        }
    }

    /// The resolver has answered.
    pub(in crate::endpoint) fn resolved(&mut self, query: QueryId, answers: &[Answer]) {
        let Some(id) = self.queries.remove(query) else { return };
        let Some(delivery) = self.deliveries.get_mut(id) else { return };
        let Stage::Resolving { next_hop, alarm, .. } = &mut delivery.stage else { return };
        alarm.stop(&mut self.timers);
        for Answer::Address(ip) in answers {
            let destination = destination(next_hop, *ip);
            if delivery.destinations.len() < self.config.limits.destinations
                && !delivery.destinations.contains(&destination)
                && self.listeners.towards(next_hop.protocol(), next_hop.at(*ip)).is_some()
            {
                delivery.destinations.push(destination);
            }
        }
        delivery.destinations.reverse();
        delivery.stage = Stage::Located;
        if answers.is_empty() {
            self.fail_delivery(id, Failure::Unresolved);
        } else {
            self.dispatch(id);
        }
    }

    /// The resolver has not answered in time.
    pub(in crate::endpoint) fn delivery_timer(&mut self, id: DeliveryId) {
        if let Some(Delivery { stage: Stage::Resolving { alarm, .. }, .. }) = self.deliveries.get_mut(id) {
            alarm.fired();
            self.fail_delivery(id, Failure::Unresolved);
        }
    }
}

fn destination(next_hop: &NextHop, ip: IpAddr) -> Destination {
    Destination::At { protocol: next_hop.protocol(), address: next_hop.at(ip) }
}
