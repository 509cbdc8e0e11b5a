//! Which servers offer a service, and in which order they are tried (RFC 2782).

use alloc::boxed::Box;
use alloc::format;
use alloc::vec::Vec;
use core::net::IpAddr;

use crate::message::header::Protocol;
use crate::node::Answer;
use crate::random::Random;

use super::canonical;

/// The name of the SRV records of `protocol` at `domain` (RFC 3263 §4.1, §4.2); `None` if there is no such service.
pub(super) fn service_name(protocol: Protocol, domain: &str) -> Option<Box<str>> {
    let service = match protocol {
        Protocol::Udp => "_sip._udp",
        Protocol::Tcp => "_sip._tcp",
        Protocol::Tls => "_sips._tcp",
        Protocol::Sctp => "_sip._sctp",
        Protocol::Ws => "_sip._ws",
        Protocol::Wss => "_sips._ws",
        Protocol::Other => return None,
    };
    Some(format!("{service}.{domain}").into())
}

/// One SRV record. Sorted: by priority; within it, records of weight 0 first, the others in an order that is the same each
/// time.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Record {
    priority: u16,
    weight: u16,
    pub(super) target: Box<str>,
    pub(super) port: u16,
}

/// A service, as its domain offers it.
#[derive(Clone, Debug, Default)]
pub(super) struct Offer {
    /// The servers, in no order.
    pub(super) records: Vec<Record>,
    /// It is decidedly not available: the only target is the root.
    pub(super) refused: bool,
    /// Addresses of targets that came along.
    pub(super) additional: Vec<(Box<str>, IpAddr)>,
}

impl Offer {
    /// Reads these answers. A record whose target is no name, or whose port is 0, leads nowhere.
    pub(super) fn of(answers: &[Answer]) -> Self {
        let mut offer = Self::default();
        let mut root = false;
        for answer in answers {
            match answer {
                Answer::Srv { target, .. } if matches!(&**target, "." | "") => root = true,
                Answer::Srv { priority, weight, port, target } if *port != 0 => {
                    let (priority, weight, port) = (*priority, *weight, *port);
                    offer.records.extend(canonical(target).map(|target| Record { priority, weight, target, port }));
                }
                Answer::Additional { name, address } => {
                    offer.additional.extend(canonical(name).map(|name| (name, *address)));
                }
                _ => {}
            }
        }
        offer.refused = root && offer.records.is_empty();
        offer
    }
}

/// Where the choice among records of one priority comes from.
#[derive(Debug)]
pub(super) enum Draw<'a> {
    /// From chance.
    Random(&'a mut Random),
    /// From this number alone.
    Computed(u64),
}

impl Draw<'_> {
    /// A number below `bound`, which is not 0.
    fn below(&mut self, bound: u64) -> u64 {
        match self {
            Self::Random(random) => random.below(bound),
            // SplitMix64: each number is a step further and well mixed.
            Self::Computed(state) => {
                *state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
                let mut bits = *state;
                bits = (bits ^ (bits >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
                bits = (bits ^ (bits >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
                bits ^= bits >> 31;
                ((u128::from(bits) * u128::from(bound)) >> 64) as u64
            }
        }
    }
}

/// The first `count` records in the order of trying: the lowest priority first, and among equals a choice by weight (RFC 2782,
/// "Weight"). The order in which they came has no influence.
pub(super) fn in_order(mut records: Vec<Record>, count: usize, draw: &mut Draw<'_>) -> Vec<Record> {
    records.sort_unstable();
    records.dedup();
    let mut ordered = Vec::new();
    while ordered.len() < count
        && let Some(priority) = records.first().map(|record| record.priority)
    {
        let equals = records.iter().take_while(|record| record.priority == priority);
        let (number, sum) = equals.fold((0, 0), |(number, sum), record| (number + 1, sum + u64::from(record.weight)));
        let chosen = match (number, sum) {
            (1, _) => 0,
            // Nothing to choose by: "in any order".
            (_, 0) => draw.below(number) as usize,
            _ => {
                let drawn = draw.below(sum + 1);
                let mut running = 0;
                let reaches = |record: &Record| {
                    running += u64::from(record.weight);
                    running >= drawn
                };
                records.iter().position(reaches).unwrap_or(0)
            }
        };
        ordered.push(records.remove(chosen));
    }
    ordered
}
