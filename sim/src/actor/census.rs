//! How many things a node holds.

use sansip::{endpoint, server, user_agent};

/// How many things there are in a node: of what is alive, or of what there is room for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Census {
    /// Transport and transactions.
    pub endpoint: endpoint::Census,
    /// The census of a user agent.
    pub user_agent: user_agent::Census,
    /// The census of a domain's server.
    pub server: server::Census,
}

/// Where the holdings begin among the numbers of a census.
const HOLDINGS: usize = 12;

impl Census {
    /// Every number, with its name.
    pub const fn all(&self) -> [(&'static str, usize); 15] {
        let Self { endpoint, user_agent, server } = self;
        [
            ("client transactions", endpoint.client_transactions),
            ("server transactions", endpoint.server_transactions),
            ("deliveries", endpoint.deliveries),
            ("queries", endpoint.queries),
            ("timers", endpoint.timers),
            ("outputs", endpoint.outputs),
            ("calls", user_agent.calls),
            ("dialogs", user_agent.dialogs),
            ("requests", user_agent.requests),
            ("pending requests", user_agent.pending),
            ("subscriptions", user_agent.subscriptions),
            ("response contexts", server.response_contexts),
            ("registrations", user_agent.registrations),
            ("addresses-of-record", server.addresses_of_record),
            ("connections", endpoint.connections),
        ]
    }

    /// The numbers of [`all`](Self::all) without holdings, which are kept on purpose and may have a timer each.
    pub fn left_over(&self) -> impl Iterator<Item = (&'static str, usize)> {
        let flows = self.user_agent.registrations + self.user_agent.kept_flows;
        let holdings = flows + self.server.addresses_of_record + self.endpoint.connections;
        let mut numbers = self.all();
        numbers[4].1 = self.endpoint.timers.saturating_sub(holdings);
        numbers.into_iter().take(HOLDINGS).filter(|(_, number)| *number > 0)
    }

    /// The higher of each number.
    #[must_use]
    pub fn max(self, other: Self) -> Self {
        let Self { endpoint, user_agent, server } = self;
        Self {
            endpoint: endpoint::Census {
                client_transactions: endpoint.client_transactions.max(other.endpoint.client_transactions),
                server_transactions: endpoint.server_transactions.max(other.endpoint.server_transactions),
                deliveries: endpoint.deliveries.max(other.endpoint.deliveries),
                waiting: endpoint.waiting.max(other.endpoint.waiting),
                queries: endpoint.queries.max(other.endpoint.queries),
                connections: endpoint.connections.max(other.endpoint.connections),
                timers: endpoint.timers.max(other.endpoint.timers),
                outputs: endpoint.outputs.max(other.endpoint.outputs),
            },
            user_agent: user_agent::Census {
                calls: user_agent.calls.max(other.user_agent.calls),
                dialogs: user_agent.dialogs.max(other.user_agent.dialogs),
                requests: user_agent.requests.max(other.user_agent.requests),
                pending: user_agent.pending.max(other.user_agent.pending),
                registrations: user_agent.registrations.max(other.user_agent.registrations),
                subscriptions: user_agent.subscriptions.max(other.user_agent.subscriptions),
                kept_flows: user_agent.kept_flows.max(other.user_agent.kept_flows),
            },
            server: server::Census {
                response_contexts: server.response_contexts.max(other.server.response_contexts),
                addresses_of_record: server.addresses_of_record.max(other.server.addresses_of_record),
                questions: server.questions.max(other.server.questions),
            },
        }
    }
}
