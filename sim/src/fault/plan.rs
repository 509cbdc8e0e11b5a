//! Plans: faults by directed link and ordinal, with an exact text form.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use sansip::Duration;

use super::{Fate, Span};

/// Faults, each for one datagram: the n-th (from 1) that one node sends to another.
///
/// ```
/// use sansip_sim::fault::Plan;
/// let plan: Plan = "bob>biloxi#1:+700ms, atlanta>biloxi#3:drop, alice>atlanta#2:dup(+20ms)".parse().unwrap();
/// assert_eq!(plan.to_string(), "alice>atlanta#2:dup(+20ms), atlanta>biloxi#3:drop, bob>biloxi#1:+700ms");
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Plan {
    links: BTreeMap<(String, String), BTreeMap<u32, Fate>>,
}

impl Plan {
    /// No faults.
    pub const fn new() -> Self {
        Self { links: BTreeMap::new() }
    }

    /// Whether there is no fault.
    pub fn is_empty(&self) -> bool {
        self.links.is_empty()
    }

    /// Number of datagrams that something happens to.
    pub fn len(&self) -> usize {
        self.links.values().map(BTreeMap::len).sum()
    }

    /// Sets the fate of a datagram, in place of what was said of it before.
    pub fn set(&mut self, from: &str, to: &str, ordinal: u32, fate: Fate) {
        let key = (from.to_owned(), to.to_owned());
        if fate != Fate::FINE {
            self.links.entry(key).or_default().insert(ordinal, fate);
        } else if let Some(link) = self.links.get_mut(&key) {
            link.remove(&ordinal);
            if link.is_empty() {
                self.links.remove(&key);
            }
        }
    }

    /// The fates on one link.
    pub(crate) fn of_link(&self, from: &str, to: &str) -> BTreeMap<u32, Fate> {
        self.links.get(&(from.into(), to.into())).cloned().unwrap_or_default()
    }

    /// The names of nodes that the plan speaks of, each once.
    pub fn nodes(&self) -> impl Iterator<Item = &str> {
        let mut names: Vec<&str> = self.links.keys().flat_map(|(from, to)| [from.as_str(), to.as_str()]).collect();
        names.sort_unstable();
        names.dedup();
        names.into_iter()
    }

    fn add(&mut self, text: &str) -> Result<(), PlanError> {
        let wrong = |why| PlanError { fault: text.to_owned(), why };
        let (selector, effect) = text.split_once(':').ok_or_else(|| wrong("no `:`"))?;
        let (link, ordinal) = selector.split_once('#').ok_or_else(|| wrong("no `#` and number before the `:`"))?;
        let (from, to) = link.split_once('>').ok_or_else(|| wrong("no `>` between two nodes"))?;
        let (from, to) = (from.trim(), to.trim());
        if !is_name(from) || !is_name(to) {
            return Err(wrong("a node's name is letters, digits, `-`, `_` and `.`"));
        }
        let ordinal = match ordinal.trim().parse::<u32>() {
            Ok(0) | Err(_) => return Err(wrong("datagrams are counted from 1")),
            Ok(ordinal) => ordinal,
        };
        let fates = self.links.entry((from.into(), to.into())).or_default();
        let fate = fates.get(&ordinal).copied();
        let effect =
            parse_effect(effect.trim()).ok_or_else(|| wrong("what happens is `drop`, `+700ms` or `dup(+20ms)`"))?;
        fates.insert(
            ordinal,
            merge(fate, effect).ok_or_else(|| wrong("contradicts an earlier fault of the same datagram"))?,
        );
        Ok(())
    }
}

/// Whether `name` can be a node's name in a plan.
pub(crate) fn is_name(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.'))
}

fn parse_effect(text: &str) -> Option<Fate> {
    if text == "drop" {
        return Some(Fate::Lost);
    }
    if let Some(span) = text.strip_prefix("dup(+").and_then(|rest| rest.strip_suffix(')')) {
        return Some(Fate::Arrives { late: Duration::ZERO, again: Some(Span::parse(span)?) });
    }
    let late = Span::parse(text.strip_prefix('+')?)?;
    (!late.is_zero()).then_some(Fate::Arrives { late, again: None })
}

/// A datagram may be late and arrive twice; nothing else goes together.
fn merge(earlier: Option<Fate>, next: Fate) -> Option<Fate> {
    match (earlier, next) {
        (None, next) => Some(next),
        (Some(Fate::Arrives { late, again: None }), Fate::Arrives { late: Duration::ZERO, again })
        | (Some(Fate::Arrives { late: Duration::ZERO, again }), Fate::Arrives { late, again: None }) => {
            Some(Fate::Arrives { late, again })
        }
        _ => None,
    }
}

impl fmt::Display for Plan {
    /// Sorted by link and ordinal, so that equal plans print alike.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut separator = "";
        for ((from, to), fates) in &self.links {
            for (ordinal, fate) in fates {
                for fault in fate.faults() {
                    write!(f, "{separator}{from}>{to}#{ordinal}:{fault}")?;
                    separator = ", ";
                }
            }
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
        for fault in text.split(',') {
            plan.add(fault.trim())?;
        }
        Ok(plan)
    }
}

/// Why a text is no plan. Prints as one line that says where and what would be right.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlanError {
    fault: String,
    why: &'static str,
}

impl fmt::Display for PlanError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` is no fault: {}; a fault reads `atlanta>biloxi#3:drop`", self.fault, self.why)
    }
}

impl std::error::Error for PlanError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_of_fault_is_read_and_printed_exactly() {
        let text =
            "a>b#1:+1500ms, a>b#1:dup(+0ms), a>b#2:+2s, a>b#10:+7us, b>a#1:dup(+20ms), b.c-d_e>a#4294967295:drop";
        assert_eq!(text.parse::<Plan>().unwrap().to_string(), text);
        assert_eq!(" a > b # 1 : drop ".trim().parse::<Plan>().unwrap().to_string(), "a>b#1:drop");
        assert!(" ".parse::<Plan>().unwrap().is_empty());
    }

    #[test]
    fn a_wrong_fault_is_named_with_what_would_be_right() {
        for text in [
            "a>b#0:drop",
            "a>b#1",
            "a>b:drop",
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
        ] {
            let error = text.parse::<Plan>().unwrap_err().to_string();
            assert!(error.contains("reads `atlanta>biloxi#3:drop`") && !error.contains('\n'), "{text}: {error}");
        }
    }

    #[test]
    fn a_fate_set_back_to_fine_leaves_nothing() {
        let mut plan: Plan = "a>b#1:drop".parse().unwrap();
        plan.set("a", "b", 1, Fate::FINE);
        assert_eq!(plan, Plan::new());
    }
}
