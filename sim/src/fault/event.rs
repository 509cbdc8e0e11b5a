//! Events that happen to nodes and to the network at their time: `biloxi@12s:crash`, `alice|biloxi+bob@5s..20s:cut`.

use std::collections::BTreeSet;
use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use sansip::{Duration, Instant};

use super::selector::{End, NO_NAME, is_name};
use super::span::{Span, moment, since_zero};

/// Something that happens once, or that lasts for some time.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct TimedFault {
    /// When it happens or begins.
    pub at: Instant,
    /// The event.
    pub event: Event,
}

/// Something that can happen to nodes and to the network.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Event {
    /// `biloxi@12s:crash`: the node forgets everything and hears nothing; its connections are closed.
    Crash {
        /// Who.
        node: String,
    },
    /// `biloxi@15s:restart`: the node starts anew, with new randomness (RFC 3261 §8.1.1.7); if it is up, it crashes first.
    Restart {
        /// Who.
        node: String,
    },
    /// `alice|biloxi+bob@5s..20s:cut`: nothing passes between the two sides.
    Cut {
        /// One side.
        one: Side,
        /// The other.
        other: Side,
        /// The first moment at which things pass again.
        until: Instant,
    },
    /// `alice@5s..20s:dns(silent)`: the resolver of a node, or of all (`*`), is not what it should be.
    Dns {
        /// The node whose resolver it is.
        node: End,
        /// The first moment at which it is as it should be.
        until: Instant,
        /// How it is.
        how: DnsFault,
    },
    /// `alice>atlanta@5s:reset`: the streams that one node has opened to another are reset.
    Reset {
        /// Who opened them.
        from: End,
        /// To whom.
        to: End,
    },
    /// `alice>atlanta@5s..9s:stall`: the streams between two nodes take nothing from the first and bring nothing to the second.
    Stall {
        /// Who cannot write.
        from: End,
        /// To whom.
        to: End,
        /// The first moment at which what was held comes, in one piece.
        until: Instant,
    },
    /// `nat@12s:forget`: the NAT loses its bindings.
    Forget {
        /// Which.
        nat: String,
    },
    /// `biloxi@5s..15s:flood(400)`: a stranger sends so many datagrams a second to the node.
    Flood {
        /// To whom.
        node: String,
        /// The first moment at which none is sent any more.
        until: Instant,
        /// How many a second, at most [`MOST`](Self::MOST).
        rate: u32,
    },
    /// `bob@0s:clock(+200ppm)`: the clock of a node, or of all, is not the world's.
    Clock {
        /// The node whose clock it is.
        node: End,
        /// The change.
        change: ClockChange,
    },
}

/// One side of a cut network.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Side {
    /// `*`: every node that is not on the other side.
    Rest,
    /// `biloxi+bob`: these; at least one.
    Nodes(BTreeSet<String>),
}

/// How a resolver fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum DnsFault {
    /// `dns(+2s)`: it answers so much later.
    Slow(Duration),
    /// `dns(silent)`: it never answers.
    Silent,
    /// `dns(none)`: it knows no name.
    Empty,
    /// `dns(192.0.2.9)`: it says this address for every name.
    Lie(IpAddr),
}

/// A change of a clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ClockChange {
    /// `clock(+200ppm)`: it runs fast, or slow with `-`, from then on, by so many millionths; less than a tenth.
    Drift(i32),
    /// `clock(+3s)`: it jumps ahead.
    Jump(Duration),
}

impl Event {
    /// The most datagrams of a flood in a second.
    pub const MOST: u32 = 100_000;

    /// The names of nodes that it speaks of.
    pub fn nodes(&self) -> Vec<&str> {
        match self {
            Self::Crash { node } | Self::Restart { node } | Self::Forget { nat: node } | Self::Flood { node, .. } => {
                vec![node.as_str()]
            }
            Self::Cut { one, other, .. } => one.names().chain(other.names()).collect(),
            Self::Dns { node, .. } | Self::Clock { node, .. } => node.name().into_iter().collect(),
            Self::Reset { from, to } | Self::Stall { from, to, .. } => {
                from.name().into_iter().chain(to.name()).collect()
            }
        }
    }

    /// The event where nodes have other names; `None` if one has none.
    pub(super) fn renamed(&self, name: &mut dyn FnMut(&str) -> Option<String>) -> Option<Self> {
        let mut event = self.clone();
        match &mut event {
            Self::Crash { node } | Self::Restart { node } | Self::Forget { nat: node } | Self::Flood { node, .. } => {
                *node = name(node)?;
            }
            Self::Cut { one, other, .. } => (*one, *other) = (one.renamed(name)?, other.renamed(name)?),
            Self::Dns { node, .. } | Self::Clock { node, .. } => *node = node.renamed(name)?,
            Self::Reset { from, to } | Self::Stall { from, to, .. } => {
                (*from, *to) = (from.renamed(name)?, to.renamed(name)?);
            }
        }
        Some(event)
    }

    /// Until when it lasts, if it does.
    const fn until(&self) -> Option<Instant> {
        match self {
            Self::Cut { until, .. }
            | Self::Dns { until, .. }
            | Self::Stall { until, .. }
            | Self::Flood { until, .. } => Some(*until),
            _ => None,
        }
    }

    /// Whether a cut is between these two nodes.
    pub(crate) fn cuts(&self, one_node: &str, other_node: &str) -> bool {
        let Self::Cut { one, other, .. } = self else { return false };
        let is_between = |a: &str, b: &str| one.has(a, other) && other.has(b, one);
        is_between(one_node, other_node) || is_between(other_node, one_node)
    }
}

impl Side {
    fn renamed(&self, name: &mut dyn FnMut(&str) -> Option<String>) -> Option<Self> {
        match self {
            Self::Rest => Some(Self::Rest),
            Self::Nodes(names) => names.iter().map(|node| name(node)).collect::<Option<_>>().map(Self::Nodes),
        }
    }

    fn names(&self) -> impl Iterator<Item = &str> {
        let names = match self {
            Self::Rest => None,
            Self::Nodes(names) => Some(names),
        };
        names.into_iter().flatten().map(String::as_str)
    }

    fn has(&self, node: &str, other: &Self) -> bool {
        match (self, other) {
            (Self::Nodes(names), _) => names.contains(node),
            (Self::Rest, Self::Nodes(others)) => !others.contains(node),
            (Self::Rest, Self::Rest) => false,
        }
    }
}

/// The text before the `:`.
enum When {
    At(Instant),
    During(Instant, Instant),
}

impl FromStr for When {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        const WRONG: &str =
            "a time is a whole number of s, ms, us or ns since the start, up to 366 days, as in `@12s` or `@5s..20s`";
        match text.split_once("..") {
            Some((from, until)) => {
                let from = moment(from.trim()).ok_or(WRONG)?;
                let until = moment(until.trim()).ok_or(WRONG)?;
                if from < until { Ok(Self::During(from, until)) } else { Err("the time ends before it begins") }
            }
            None => moment(text.trim()).map(Self::At).ok_or(WRONG),
        }
    }
}

impl TimedFault {
    /// Reads what stands around the `@` and behind the `:`.
    pub(super) fn parse(subject: &str, when: &str, what: &str) -> Result<Self, &'static str> {
        let (subject, what) = (subject.trim(), what.trim());
        let when: When = when.parse()?;
        let (name, argument) = match what.split_once('(') {
            Some((name, rest)) => (name, Some(rest.strip_suffix(')').ok_or("a `)` is missing at the end")?)),
            None => (what, None),
        };
        let (at, event) = match (name, argument, when) {
            ("crash", None, When::At(at)) => (at, Event::Crash { node: node(subject)? }),
            ("restart", None, When::At(at)) => (at, Event::Restart { node: node(subject)? }),
            ("forget", None, When::At(at)) => (at, Event::Forget { nat: node(subject)? }),
            ("clock", Some(change), When::At(at)) => {
                (at, Event::Clock { node: subject.parse()?, change: change.parse()? })
            }
            ("reset", None, When::At(at)) => {
                let (from, to) = link(subject)?;
                (at, Event::Reset { from, to })
            }
            ("stall", None, When::During(at, until)) => {
                let (from, to) = link(subject)?;
                (at, Event::Stall { from, to, until })
            }
            ("dns", Some(how), When::During(at, until)) => {
                (at, Event::Dns { node: subject.parse()?, until, how: how.parse()? })
            }
            ("flood", Some(rate), When::During(at, until)) => {
                let rate = rate.parse().ok().filter(|rate| (1..=Event::MOST).contains(rate)).ok_or(RATE)?;
                (at, Event::Flood { node: node(subject)?, until, rate })
            }
            ("cut", None, When::During(at, until)) => {
                let (one, other) = sides(subject)?;
                (at, Event::Cut { one, other, until })
            }
            ("crash" | "restart" | "forget" | "clock" | "reset", _, When::During(..)) => {
                return Err("this happens at one moment, as in `biloxi@12s:crash`");
            }
            ("stall" | "dns" | "cut" | "flood", _, When::At(_)) => {
                return Err("this lasts from one moment to another, as in `alice|bob@5s..20s:cut`");
            }
            _ => return Err(WHAT),
        };
        Ok(Self { at, event })
    }
}

const WHAT: &str = "what happens at its time is `crash`, `restart`, `cut`, `dns(+2s)`, `dns(silent)`, `dns(none)`, \
     `dns(192.0.2.9)`, `reset`, `stall`, `forget`, `flood(400)`, `clock(+200ppm)` or `clock(+3s)`";

const RATE: &str = "a flood is 1 to 100000 datagrams a second, as in `biloxi@5s..15s:flood(400)`";

fn node(text: &str) -> Result<String, &'static str> {
    if is_name(text) { Ok(text.to_owned()) } else { Err(NO_NAME) }
}

fn link(text: &str) -> Result<(End, End), &'static str> {
    let (from, to) = text.split_once('>').ok_or("streams have two ends, as in `alice>atlanta@5s:reset`")?;
    Ok((from.trim().parse()?, to.trim().parse()?))
}

fn sides(text: &str) -> Result<(Side, Side), &'static str> {
    let (one, other) = text.split_once('|').ok_or("a cut has two sides, as in `alice|biloxi+bob@5s..20s:cut`")?;
    let (one, other): (Side, Side) = (one.parse()?, other.parse()?);
    match (&one, &other) {
        (Side::Rest, Side::Rest) => Err("one side of a cut must be named"),
        (Side::Nodes(these), Side::Nodes(those)) if !these.is_disjoint(those) => Err("a node is on one side of a cut"),
        _ => Ok((one, other)),
    }
}

impl FromStr for Side {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text.trim() == "*" {
            return Ok(Self::Rest);
        }
        text.split('+').map(|name| node(name.trim())).collect::<Result<_, _>>().map(Self::Nodes)
    }
}

impl FromStr for DnsFault {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        const WRONG: &str =
            "a resolver is slow, `dns(+2s)`, `dns(silent)`, knows no name, `dns(none)`, or lies, `dns(192.0.2.9)`";
        match text {
            "silent" => Ok(Self::Silent),
            "none" => Ok(Self::Empty),
            _ => match text.strip_prefix('+') {
                Some(late) => Span::parse(late).filter(|late| !late.is_zero()).map(Self::Slow).ok_or(WRONG),
                None => text.parse().map(Self::Lie).map_err(|_| WRONG),
            },
        }
    }
}

/// A clock gains or loses less than this many millionths.
const TENTH: i32 = 100_000;

impl FromStr for ClockChange {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        const WRONG: &str = "a clock drifts by less than a tenth, `clock(+200ppm)` or `clock(-200ppm)`, or jumps ahead by up to 366 days, `clock(+3s)`";
        let digit_follows = text.as_bytes().get(1).is_some_and(u8::is_ascii_digit);
        if let Some(millionths) = text.strip_suffix("ppm").filter(|_| text.starts_with(['+', '-']) && digit_follows) {
            let millionths: i32 = millionths.parse().map_err(|_| WRONG)?;
            return if -TENTH < millionths && millionths < TENTH { Ok(Self::Drift(millionths)) } else { Err(WRONG) };
        }
        text.strip_prefix('+').and_then(Span::parse).filter(|by| !by.is_zero()).map(Self::Jump).ok_or(WRONG)
    }
}

impl fmt::Display for TimedFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.event {
            Event::Crash { node }
            | Event::Restart { node }
            | Event::Forget { nat: node }
            | Event::Flood { node, .. } => f.write_str(node)?,
            Event::Cut { one, other, .. } => write!(f, "{one}|{other}")?,
            Event::Dns { node, .. } | Event::Clock { node, .. } => write!(f, "{node}")?,
            Event::Reset { from, to } | Event::Stall { from, to, .. } => write!(f, "{from}>{to}")?,
        }
        write!(f, "@{}", since_zero(self.at))?;
        if let Some(until) = self.event.until() {
            write!(f, "..{}", since_zero(until))?;
        }
        match &self.event {
            Event::Crash { .. } => f.write_str(":crash"),
            Event::Restart { .. } => f.write_str(":restart"),
            Event::Cut { .. } => f.write_str(":cut"),
            Event::Dns { how, .. } => write!(f, ":dns({how})"),
            Event::Reset { .. } => f.write_str(":reset"),
            Event::Stall { .. } => f.write_str(":stall"),
            Event::Forget { .. } => f.write_str(":forget"),
            Event::Flood { rate, .. } => write!(f, ":flood({rate})"),
            Event::Clock { change, .. } => write!(f, ":clock({change})"),
        }
    }
}

impl fmt::Display for Side {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Rest => f.write_str("*"),
            Self::Nodes(names) => {
                for (index, name) in names.iter().enumerate() {
                    write!(f, "{}{name}", if index == 0 { "" } else { "+" })?;
                }
                Ok(())
            }
        }
    }
}

impl fmt::Display for DnsFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Slow(late) => write!(f, "+{}", Span(*late)),
            Self::Silent => f.write_str("silent"),
            Self::Empty => f.write_str("none"),
            Self::Lie(address) => write!(f, "{address}"),
        }
    }
}

impl fmt::Display for ClockChange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Drift(millionths) => write!(f, "{millionths:+}ppm"),
            Self::Jump(by) => write!(f, "+{}", Span(*by)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(text: &str) -> Event {
        let (subject, rest) = text.split_once('@').unwrap();
        let (when, what) = rest.split_once(':').unwrap();
        TimedFault::parse(subject, when, what).unwrap().event
    }

    #[test]
    fn a_cut_is_between_its_sides_and_both_ways() {
        let named = event("alice|biloxi+bob@5s..20s:cut");
        let rest = event("*|bob@5s..20s:cut");
        for (one, other, of_named, of_rest) in [
            ("alice", "bob", true, true),
            ("alice", "biloxi", true, false),
            ("alice", "atlanta", false, false),
            ("biloxi", "bob", false, true),
            ("bob", "bob", false, false),
        ] {
            assert_eq!((named.cuts(one, other), named.cuts(other, one)), (of_named, of_named), "{one} {other}");
            assert_eq!((rest.cuts(one, other), rest.cuts(other, one)), (of_rest, of_rest), "{one} {other}");
        }
    }
}
