//! The wires between nodes: how long they take and how bad they are in bad weather.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use sansip::{Duration, Random};

/// A probability in millionths, so that equal text means equal dice.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Probability(u32);

impl Probability {
    /// Never.
    pub const NEVER: Self = Self(0);
    const ONE: u32 = 1_000_000;

    /// `n` in a hundred; at most always.
    pub const fn percent(n: u32) -> Self {
        Self(if n > 100 { Self::ONE } else { n * (Self::ONE / 100) })
    }

    /// `n` in a thousand; at most always.
    pub const fn per_mille(n: u32) -> Self {
        Self(if n > 1_000 { Self::ONE } else { n * (Self::ONE / 1_000) })
    }

    /// Whether it is zero.
    pub const fn is_never(self) -> bool {
        self.0 == 0
    }

    /// One throw of the dice. Always takes one value from `random`, so that streams keep step.
    pub fn throw(self, random: &mut Random) -> bool {
        random.below(u64::from(Self::ONE)) < u64::from(self.0)
    }
}

impl FromStr for Probability {
    type Err = &'static str;

    /// Reads `0`, `1`, `0.3`, `.25`: a decimal number from 0 to 1 with up to six decimals.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        const WRONG: &str = "a probability is a number from 0 to 1 with up to six decimals, as in 0.3";
        let (whole, decimals) = text.split_once('.').unwrap_or((text, "0"));
        let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        let whole = if text.starts_with('.') { "0" } else { whole };
        if !digits(whole) || !digits(decimals) || decimals.len() > 6 {
            return Err(WRONG);
        }
        let whole: u32 = whole.parse().map_err(|_| WRONG)?;
        let millionths: u32 = format!("{decimals:0<6}").parse().map_err(|_| WRONG)?;
        match whole.checked_mul(Self::ONE).and_then(|whole| whole.checked_add(millionths)) {
            Some(all) if all <= Self::ONE => Ok(Self(all)),
            _ => Err(WRONG),
        }
    }
}

impl fmt::Display for Probability {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = format!("{}.{:06}", self.0 / Self::ONE, self.0 % Self::ONE);
        f.write_str(text.trim_end_matches('0').trim_end_matches('.'))
    }
}

/// One direction between two nodes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Link {
    /// From sending to arriving.
    pub delay: Duration,
    /// The octets that a datagram can have; larger ones are lost. `None`: any size passes.
    pub mtu: Option<u32>,
    /// Whether the sender of a datagram that nobody takes, or that is too large, is told (ICMP, RFC 3261 §18.4).
    pub icmp: bool,
    /// The conditions that messages meet while there is [`Weather`](crate::fault::Weather).
    pub conditions: Conditions,
}

/// How bad a link is in bad weather.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Conditions {
    /// How often a datagram is lost.
    pub loss: Probability,
    /// Losses that come in a row, besides.
    pub burst: Option<Burst>,
    /// How often a datagram that is not lost arrives twice.
    pub duplication: Probability,
    /// How often a datagram that is not lost is held up, so that later ones overtake it.
    pub reordering: Probability,
    /// The most that a duplicate or a held-up datagram is late, in whole milliseconds of at least one.
    pub latest: Duration,
    /// The most that any datagram is late, each by another whole number of milliseconds; nothing if zero.
    pub jitter: Duration,
    /// How often bits of a datagram are inverted.
    pub corruption: Probability,
    /// How often a write to a stream arrives in pieces.
    pub splitting: Probability,
    /// How often a stream is reset in place of a write to it.
    pub resetting: Probability,
}

/// The model of Gilbert and Elliott: a link is well or unwell, changes between the two from datagram to datagram, and loses by
/// its state. While it is well, it loses as [`Conditions::loss`] says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Burst {
    /// How often it becomes unwell.
    pub begin: Probability,
    /// How often it becomes well again.
    pub end: Probability,
    /// How often it loses a datagram while unwell.
    pub loss: Probability,
}

impl fmt::Display for Burst {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}", self.begin, self.end, self.loss)
    }
}

impl FromStr for Burst {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        const WRONG: &str =
            "bursts have three probabilities, how often they begin, end, and lose a datagram, as in 0.01:0.25:0.8";
        let mut parts = text.split(':').map(str::parse);
        match (parts.next(), parts.next(), parts.next(), parts.next()) {
            (Some(Ok(begin)), Some(Ok(end)), Some(Ok(loss)), None) => Ok(Self { begin, end, loss }),
            _ => Err(WRONG),
        }
    }
}

impl Conditions {
    /// Nothing ever happens to a message.
    pub const FINE: Self = Self {
        loss: Probability::NEVER,
        burst: None,
        duplication: Probability::NEVER,
        reordering: Probability::NEVER,
        latest: Duration::from_millis(1_000),
        jitter: Duration::ZERO,
        corruption: Probability::NEVER,
        splitting: Probability::NEVER,
        resetting: Probability::NEVER,
    };
}

impl Link {
    /// 10 ms, any size, no ICMP, and fine in any weather.
    pub const FINE: Self =
        Self { delay: Duration::from_millis(10), mtu: None, icmp: false, conditions: Conditions::FINE };
}

impl Default for Link {
    fn default() -> Self {
        Self::FINE
    }
}

/// The links of a world: a default, and what differs for directed pairs of nodes.
#[derive(Clone, Debug, Default)]
pub struct Links {
    /// Between any two nodes that no pair below names.
    pub default: Link,
    pairs: BTreeMap<(String, String), Link>,
}

impl Links {
    /// One link everywhere.
    pub const fn all(default: Link) -> Self {
        Self { default, pairs: BTreeMap::new() }
    }

    /// Says what the ways between two nodes are like, there and back.
    #[must_use]
    pub fn with_pair(self, one: &str, other: &str, link: Link) -> Self {
        self.with(one, other, link).with(other, one, link)
    }

    /// Says what the way from one node to another is like; the way back is another link.
    #[must_use]
    pub fn with(mut self, from: &str, to: &str, link: Link) -> Self {
        self.pairs.insert((from.into(), to.into()), link);
        self
    }

    /// The link from one node to another.
    pub fn between(&self, from: &str, to: &str) -> Link {
        self.pairs.get(&(from.into(), to.into())).copied().unwrap_or(self.default)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn probabilities_are_read_and_printed_exactly() {
        for text in ["0", "1", "0.3", "0.000001", "0.25"] {
            assert_eq!(text.parse::<Probability>().unwrap().to_string(), text);
        }
        assert_eq!(".5".parse(), Ok(Probability::percent(50)));
        for text in ["", "1.1", "-0.1", "0.0000001", "30%", "nan", ".", "1.", "99999999999"] {
            assert!(text.parse::<Probability>().is_err(), "{text}");
        }
    }

    #[test]
    fn bursts_are_read_and_printed_exactly() {
        assert_eq!("0.01:0.25:1".parse::<Burst>().unwrap().to_string(), "0.01:0.25:1");
        for text in ["", "0.1:0.2", "0.1:0.2:0.3:0.4", "0.1:0.2:30%"] {
            assert!(text.parse::<Burst>().is_err(), "{text}");
        }
    }
}
