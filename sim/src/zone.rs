//! Names of the simulated network.

use std::collections::BTreeMap;
use std::net::IpAddr;

use sansip::{Answer, Duration, Question};

/// The records that the resolver of every node knows, and how long an answer takes.
#[derive(Clone, Debug)]
pub struct Zone {
    /// From a question to its answer; that there is none is known at once.
    pub delay: Duration,
    addresses: BTreeMap<String, Vec<Answer>>,
    services: BTreeMap<String, Vec<Answer>>,
    servers: BTreeMap<String, Vec<Answer>>,
}

impl Zone {
    /// An empty zone that answers within 1 ms.
    pub const fn new() -> Self {
        Self {
            delay: Duration::from_millis(1),
            addresses: BTreeMap::new(),
            services: BTreeMap::new(),
            servers: BTreeMap::new(),
        }
    }

    /// Adds an A or AAAA record; several of one name are answered in the order of adding.
    #[must_use]
    pub fn with(mut self, name: &str, address: IpAddr) -> Self {
        add(&mut self.addresses, name, Answer::Address(address));
        self
    }

    /// Adds an SRV record to a name such as `_sip._udp.example.com` (RFC 2782).
    #[must_use]
    pub fn with_srv(mut self, name: &str, priority: u16, weight: u16, port: u16, target: &str) -> Self {
        add(&mut self.servers, name, Answer::Srv { priority, weight, port, target: target.into() });
        self
    }

    /// Adds the NAPTR record of a service such as `SIP+D2U`, whose SRV records are those of `replacement` (RFC 3263 §4.1).
    #[must_use]
    pub fn with_naptr(mut self, name: &str, order: u16, preference: u16, service: &str, replacement: &str) -> Self {
        let (flags, service, replacement) = ("s".into(), service.into(), replacement.into());
        add(&mut self.services, name, Answer::Naptr { order, preference, flags, service, replacement });
        self
    }

    /// The answer; empty if there is none.
    pub fn answer(&self, question: &Question) -> Vec<Answer> {
        let answers = match question {
            Question::Address { name } => self.addresses.get(&**name),
            Question::Srv { name } => self.servers.get(&**name),
            Question::Naptr { name } => self.services.get(&**name),
            _ => None,
        };
        answers.cloned().unwrap_or_default()
    }
}

fn add(records: &mut BTreeMap<String, Vec<Answer>>, name: &str, record: Answer) {
    records.entry(name.to_ascii_lowercase()).or_default().push(record);
}

impl Default for Zone {
    fn default() -> Self {
        Self::new()
    }
}
