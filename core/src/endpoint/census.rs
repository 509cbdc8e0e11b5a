//! How much is alive, and how much there is room for.

/// How many there are: of what is alive, or of what there is room for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Census {
    /// Client transactions.
    pub client_transactions: usize,
    /// Server transactions.
    pub server_transactions: usize,
    /// Deliveries: requests on their way, and kept ACKs.
    pub deliveries: usize,
    /// Deliveries that wait for a connection to open.
    pub waiting: usize,
    /// Questions to the resolver without an answer.
    pub queries: usize,
    /// Connections, those included that are still being opened.
    pub connections: usize,
    /// Timers set, those of the transaction user included.
    pub timers: usize,
    /// Outputs that the driver has not taken.
    pub outputs: usize,
}
