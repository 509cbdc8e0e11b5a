//! The flows of users who have proved who they are, or have registered.

use alloc::collections::{BTreeMap, BTreeSet};

use crate::flow::Flow;
use crate::time::{Duration, Instant};

/// Flows that are known for some time each, a bounded number of them.
#[derive(Clone, Debug, Default)]
pub(super) struct KnownFlows {
    until: BTreeMap<Flow, Instant>,
    order: BTreeSet<(Instant, Flow)>,
}

impl KnownFlows {
    /// Knows the flow for `age` from now on. Of more than `limit` the one that ends first is forgotten.
    pub(super) fn insert(&mut self, flow: Flow, now: Instant, age: Duration, limit: usize) {
        self.remove(flow);
        while self.order.first().is_some_and(|(until, _)| *until <= now || self.order.len() >= limit) {
            if let Some((_, gone)) = self.order.pop_first() {
                self.until.remove(&gone);
            }
        }
        if limit > 0 {
            self.until.insert(flow, now + age);
            self.order.insert((now + age, flow));
        }
    }

    /// Whether the flow is known.
    pub(super) fn contains(&self, flow: Flow, now: Instant) -> bool {
        self.until.get(&flow).is_some_and(|until| now < *until)
    }

    /// Forgets a flow.
    pub(super) fn remove(&mut self, flow: Flow) {
        if let Some(until) = self.until.remove(&flow) {
            self.order.remove(&(until, flow));
        }
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.order.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::flow::ListenerId;

    fn flow(port: u16) -> Flow {
        Flow::datagram(ListenerId::from_parts(0, 1), ([192, 0, 2, 1], port).into())
    }

    #[test]
    fn a_flow_is_known_for_its_time_and_of_too_many_the_first_to_end_goes() {
        let (at, age) = (Instant::from_millis, Duration::from_millis(100));
        let mut flows = KnownFlows::default();
        flows.insert(flow(1), at(0), age, 2);
        flows.insert(flow(2), at(10), age, 2);
        // Known anew.
        flows.insert(flow(1), at(20), age, 2);
        assert!(flows.contains(flow(1), at(119)) && !flows.contains(flow(1), at(120)));
        assert!(flows.contains(flow(2), at(109)) && !flows.contains(flow(2), at(110)));
        flows.insert(flow(3), at(30), age, 2);
        assert!(!flows.contains(flow(2), at(30)) && flows.contains(flow(1), at(30)));
        flows.remove(flow(1));
        assert!(!flows.contains(flow(1), at(30)));
        flows.insert(flow(4), at(500), age, 2);
        assert_eq!((flows.len(), flows.until.len()), (1, 1));
        flows.insert(flow(5), at(500), age, 0);
        assert_eq!(flows.len(), 0);
    }
}
