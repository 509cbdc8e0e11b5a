//! Host names of the simulated network.

use std::collections::BTreeMap;
use std::net::IpAddr;

use sansip::{Answer, Duration, Question};

/// What the resolver of every node knows: host names to addresses, and how long an answer takes.
#[derive(Clone, Debug)]
pub struct Zone {
    /// From question to answer.
    pub delay: Duration,
    addresses: BTreeMap<String, Vec<IpAddr>>,
}

impl Zone {
    /// An empty zone that answers within 1 ms.
    pub const fn new() -> Self {
        Self { delay: Duration::from_millis(1), addresses: BTreeMap::new() }
    }

    /// Adds an A or AAAA record; several of one name are answered in the order of adding.
    #[must_use]
    pub fn with(mut self, name: &str, address: IpAddr) -> Self {
        self.addresses.entry(name.to_ascii_lowercase()).or_default().push(address);
        self
    }

    /// The answers, best first; none for an unknown name.
    pub fn answer(&self, question: &Question) -> Vec<Answer> {
        match question {
            Question::Address { name } => {
                self.addresses.get(&**name).into_iter().flatten().map(|address| Answer::Address(*address)).collect()
            }
            _ => Vec::new(),
        }
    }
}

impl Default for Zone {
    fn default() -> Self {
        Self::new()
    }
}
