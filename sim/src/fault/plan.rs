//! Plans: faults by message and by time, with an exact text form.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::num::NonZeroU32;
use std::str::FromStr;

use sansip::Duration;

use super::{ClockChange, DnsFault, Effect, End, Event, Fate, Selector, TimedFault};

/// A plan: which messages meet which fate, and when something happens to the network.
///
/// ```
/// use sansip_sim::fault::Plan;
/// let plan: Plan = "bob>biloxi#1:+700ms, biloxi@12s:crash, *>bob ACK:drop, atlanta>biloxi#3:drop".parse().unwrap();
/// assert_eq!(plan.to_string(), "*>bob ACK:drop, atlanta>biloxi#3:drop, bob>biloxi#1:+700ms, biloxi@12s:crash");
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Plan {
    messages: BTreeMap<Selector, Fate>,
    timed: BTreeSet<TimedFault>,
}

/// One fault of a plan: what can be taken out of it, or put into it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fault {
    /// `atlanta>biloxi#3:drop`
    Message(Selector, Effect),
    /// `biloxi@12s:crash`
    Timed(TimedFault),
}

impl Plan {
    /// No faults.
    pub const fn new() -> Self {
        Self { messages: BTreeMap::new(), timed: BTreeSet::new() }
    }

    /// Whether there is no fault.
    pub fn is_empty(&self) -> bool {
        self.messages.is_empty() && self.timed.is_empty()
    }

    /// Number of selectors of messages, and of faults that have their time.
    pub fn len(&self) -> usize {
        self.messages.len() + self.timed.len()
    }

    /// All faults, in the order in which they are printed.
    pub fn faults(&self) -> impl Iterator<Item = Fault> {
        let messages = self
            .messages
            .iter()
            .flat_map(|(selector, fate)| fate.effects().map(|effect| Fault::Message(selector.clone(), effect)));
        messages.chain(self.timed.iter().cloned().map(Fault::Timed))
    }

    /// Adds a fault.
    ///
    /// # Errors
    /// If an earlier fault of the same messages contradicts it, such as a second delay.
    pub fn add(&mut self, fault: Fault) -> Result<(), &'static str> {
        match fault {
            Fault::Message(selector, effect) => {
                let fate = self.messages.get(&selector).copied().unwrap_or(Fate::FINE);
                let fate = fate.with(effect).ok_or("it contradicts an earlier fault of the same messages")?;
                self.messages.insert(selector, fate);
            }
            Fault::Timed(timed) => {
                self.timed.insert(timed);
            }
        }
        Ok(())
    }

    /// Sets the fate of one message, the n-th (from 1) from one node to another, in place of what was said of it before.
    pub fn set(&mut self, from: &str, to: &str, ordinal: u32, fate: Fate) {
        let Some(ordinal) = NonZeroU32::new(ordinal) else { return };
        let selector = Selector::nth(from, to, ordinal);
        if fate == Fate::FINE {
            self.messages.remove(&selector);
        } else {
            self.messages.insert(selector, fate);
        }
    }

    /// The fates of messages, by what selects them.
    pub fn messages(&self) -> impl Iterator<Item = (&Selector, Fate)> {
        self.messages.iter().map(|(selector, fate)| (selector, *fate))
    }

    /// The events, in the order of time.
    pub fn timed(&self) -> impl Iterator<Item = &TimedFault> {
        self.timed.iter()
    }

    /// The names of nodes that the plan speaks of, each once.
    pub fn nodes(&self) -> impl Iterator<Item = &str> {
        let ends = self.messages.keys().flat_map(|selector| [&selector.from, &selector.to]);
        let names = ends.filter_map(|end| end.name()).chain(self.timed.iter().flat_map(|timed| timed.event.nodes()));
        let names: BTreeSet<&str> = names.collect();
        names.into_iter()
    }
}

impl Fault {
    /// The names of nodes that it speaks of, in the order in which they stand.
    pub fn nodes(&self) -> Vec<&str> {
        match self {
            Self::Message(Selector { from, to, .. }, _) => [from, to].into_iter().filter_map(End::name).collect(),
            Self::Timed(timed) => timed.event.nodes(),
        }
    }
}

impl Fault {
    /// The fault as it is where nodes have other names; `None` if one of them has none, or two have the same.
    pub fn renamed(&self, name: impl Fn(&str) -> Option<String>) -> Option<Self> {
        let mut names = BTreeSet::new();
        let mut renamed = |old: &str| name(old).filter(|new| names.insert(new.clone()));
        Some(match self {
            Self::Message(selector, effect) => {
                let (from, to) = (selector.from.renamed(&mut renamed)?, selector.to.renamed(&mut renamed)?);
                Self::Message(Selector { from, to, ..selector.clone() }, *effect)
            }
            Self::Timed(TimedFault { at, event }) => {
                Self::Timed(TimedFault { at: *at, event: event.renamed(&mut renamed)? })
            }
        })
    }

    /// So much later, or longer, or ahead something is by it.
    pub(crate) const fn span_mut(&mut self) -> Option<&mut Duration> {
        match self {
            Self::Message(_, Effect::Late(span) | Effect::Again(span))
            | Self::Timed(TimedFault { event: Event::Dns { how: DnsFault::Slow(span), .. }, .. })
            | Self::Timed(TimedFault { event: Event::Clock { change: ClockChange::Jump(span), .. }, .. }) => Some(span),
            _ => None,
        }
    }
}

impl FromIterator<Fault> for Plan {
    /// Where faults contradict one another, the first is taken.
    fn from_iter<I: IntoIterator<Item = Fault>>(faults: I) -> Self {
        let mut plan = Self::new();
        plan.extend(faults);
        plan
    }
}

impl Extend<Fault> for Plan {
    /// Where faults contradict one another, the first is taken.
    fn extend<I: IntoIterator<Item = Fault>>(&mut self, faults: I) {
        for fault in faults {
            let _ = self.add(fault);
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Message(selector, effect) => write!(f, "{selector}:{effect}"),
            Self::Timed(timed) => write!(f, "{timed}"),
        }
    }
}

impl FromStr for Fault {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (subject, what) = text.split_once(':').ok_or("no `:` before what happens")?;
        match subject.split_once('@') {
            Some((subject, when)) => TimedFault::parse(subject, when, what).map(Self::Timed),
            None => Ok(Self::Message(subject.parse()?, what.trim().parse()?)),
        }
    }
}

impl fmt::Display for Plan {
    /// Messages by link, kind and ordinal, then what has its time, so that equal plans print alike.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut separator = "";
        for fault in self.faults() {
            write!(f, "{separator}{fault}")?;
            separator = ", ";
        }
        Ok(())
    }
}

impl FromStr for Plan {
    type Err = PlanError;

    /// Reads the text form; faults in any order, white space around them free, an empty text is a plan without faults.
    fn from_str(text: &str) -> Result<Self, PlanError> {
        let mut plan = Self::new();
        if text.trim().is_empty() {
            return Ok(plan);
        }
        let mut before = 0;
        for (index, part) in text.split(',').enumerate() {
            let fault = part.trim();
            let added = fault.parse::<Fault>().and_then(|fault| plan.add(fault));
            added.map_err(|why| {
                let at = before + part.chars().take_while(|c| c.is_whitespace()).count() + 1;
                PlanError { number: index + 1, at, fault: fault.to_owned(), why }
            })?;
            before += part.chars().count() + 1;
        }
        Ok(plan)
    }
}

/// Why a text is no plan. Prints as one line that says what is wrong, where, and what would be right.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlanError {
    /// Which of the faults, from 1.
    number: usize,
    /// Where it begins: a character of the text, from 1.
    at: usize,
    fault: String,
    why: &'static str,
}

impl fmt::Display for PlanError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { number, at, fault, why } = self;
        let right = if fault.contains('@') { "biloxi@12s:crash" } else { "atlanta>biloxi#3:drop" };
        write!(f, "fault {number}, at character {at}, `{}`: {why}; a fault reads `{right}`", fault.escape_debug())
    }
}

impl std::error::Error for PlanError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_of_fault_is_read_and_printed_exactly() {
        for text in [
            "a>b#1:+1500ms, a>b#1:dup(+0ms), a>b#2:+2s, a>b#10:+7us, b>a#1:dup(+20ms), b.c-d_e>a#4294967295:drop",
            "*>*:drop, *>bob ACK:drop, bob>*#2:reset, bob>biloxi:split(1), bob>biloxi 200/INVITE#2:+700ms",
            "a>b#1:+1ms, a>b#1:dup(+2ms), a>b#1:flip(3^04), a>b#1:split(5)",
            "a|b+c@0ms..5s:cut, *|a@5s..20s:cut, c@12s:crash, c@15s:restart, nat@16s:forget, c@17s..18s:flood(400)",
            "*@1s..2s:dns(+3s), a@1s..2s:dns(silent), a@2s..3s:dns(none), a@3s..4s:dns(192.0.2.9), a@4s..5s:dns(2001:db8::1)",
            "a>b@1s..2500ms:stall, *>b@3s:reset, *@4s:clock(-99999ppm), b@5s:clock(+200ppm), b@6s:clock(+3s)",
        ] {
            assert_eq!(text.parse::<Plan>().unwrap().to_string(), text);
        }
        assert_eq!(" a > b # 1 : drop ".parse::<Plan>().unwrap().to_string(), "a>b#1:drop");
        assert_eq!(" a | c + b @ 1s .. 2s : cut".parse::<Plan>().unwrap().to_string(), "a|b+c@1s..2s:cut");
        assert!(" ".parse::<Plan>().unwrap().is_empty());
    }

    #[test]
    fn a_wrong_fault_is_named_with_its_place_and_what_would_be_right() {
        for text in [
            "a>b#0:drop",
            "a>b#1",
            "ab#1:drop",
            "a>b#1:lose",
            "a>b#1:+7",
            "a>b#1:+0ms",
            "a>b#1:dup(20ms)",
            "a>#1:drop",
            "a>b#1:drop,",
            "a>b#1:drop, a>b#1:+1s",
            "a>b#1:+1s, a>b#1:+2s",
            "a>b#99999999999:drop",
            "a b>c#1:drop",
            "a>b#1:+99999999999999999999s",
            "a>b#1:+18446744073709551615s",
            "a>b\n#1:\ndrip",
        ] {
            let error = text.parse::<Plan>().unwrap_err().to_string();
            assert!(error.contains("reads `atlanta>biloxi#3:drop`") && !error.contains('\n'), "{text}: {error}");
        }
        let error = "a>b#1:drop, a>b#2:lose".parse::<Plan>().unwrap_err().to_string();
        assert!(
            error.starts_with("fault 2, at character 13, `a>b#2:lose`: what happens to a message is `drop`"),
            "{error}"
        );
    }

    #[test]
    fn a_wrong_event_is_named_with_what_would_be_right() {
        for (text, right) in [
            ("a@12s:burn", "`crash`, `restart`"),
            ("a@12:crash", "as in `@12s`"),
            ("a@:crash", "as in `@12s`"),
            ("a@5s..4s:cut", "ends before it begins"),
            ("a|b@5s:cut", "lasts from one moment"),
            ("a@1s..2s:crash", "happens at one moment"),
            ("*@1s:crash", "a node's name"),
            ("a|*+b@1s..2s:cut", "a node's name"),
            ("a@1s..2s:cut", "two sides"),
            ("*|*@1s..2s:cut", "must be named"),
            ("a+b|b@1s..2s:cut", "on one side"),
            ("a@1s..2s:dns(fast)", "`dns(silent)`"),
            ("a@1s..2s:dns(+0s)", "`dns(silent)`"),
            ("a@1s..2s:dns", "`dns(silent)`"),
            ("a@1s:reset", "two ends"),
            ("a@1s:clock(200ppm)", "`clock(+200ppm)`"),
            ("a@1s:clock(+100000ppm)", "less than a tenth"),
            ("a@1s:clock(++2ppm)", "less than a tenth"),
            ("a@1s:clock(-3s)", "jumps ahead"),
            ("a@1s:clock(+31622401s)", "by up to 366 days"),
            ("a@31622401s:crash", "up to 366 days"),
            ("a@1s:clock(+3s", "a `)` is missing"),
        ] {
            let error = text.parse::<Plan>().unwrap_err().to_string();
            assert!(error.contains(right) && error.contains("a fault reads `biloxi@12s:crash`"), "{text}: {error}");
        }
    }

    #[test]
    fn a_plan_is_the_sum_of_its_faults() {
        let plan: Plan = "a>b#1:+1ms, a>b#1:dup(+2ms), *>b ACK:drop, a@1s:crash".parse().unwrap();
        assert_eq!((plan.faults().count(), plan.len()), (4, 3));
        assert_eq!(plan.faults().collect::<Plan>(), plan);
        let less: Plan = plan.faults().filter(|fault| fault.to_string() != "a>b#1:+1ms").collect();
        assert_eq!(less.to_string(), "*>b ACK:drop, a>b#1:dup(+2ms), a@1s:crash");
        assert_eq!(plan.nodes().collect::<Vec<_>>(), ["a", "b"]);
    }

    #[test]
    fn a_fate_set_back_to_fine_leaves_nothing() {
        let mut plan: Plan = "a>b#1:drop".parse().unwrap();
        plan.set("a", "b", 1, Fate::FINE);
        assert_eq!(plan, Plan::new());
    }
}
