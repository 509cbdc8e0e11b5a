//! A call as a command line describes it.

use std::fmt;
use std::str::FromStr;

use sansip::Duration;
use sansip::dialog::LEAST_SESSION_INTERVAL;
use sansip::message::StatusCode;

use super::OPTIONS;
use crate::actor::{Consent, Reaction};
use crate::fault::{Event, Fault, Plan, Preset, Span, TimedFault, Weather};
use crate::link::{Conditions, Link, Links};
use crate::topology::{CALL_AT, Challenges, Scenario, SessionTimer, Topology};
use crate::trace::Recording;

/// A call from Alice to Bob: the scene, who does what and when, and how bad the network is. A value of which every part is an
/// option of `sansip-sim call`; printed, it is that command, and that command is read again.
///
/// ```
/// use sansip_sim::run::Case;
/// let case = Case { record_route: true, plan: "alice>atlanta#1:drop".parse().unwrap(), ..Case::default() };
/// let line = "sansip-sim call --topology trapezoid --record-route --plan 'alice>atlanta#1:drop' --seed 1";
/// assert_eq!(case.to_string(), line);
/// assert_eq!(line.parse(), Ok(case));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Case {
    /// The network.
    pub topology: Topology,
    /// Whether the proxies stay on the path of dialogs.
    pub record_route: bool,
    /// Whether the proxies try the contacts of a redirection.
    pub recurse: bool,
    /// How long after the INVITE came Bob's phone rings; never, then it does not.
    pub ring_after: Option<Duration>,
    /// The acts of Bob then.
    pub reply: Reply,
    /// How long after calling Alice cancels, if there is no answer by then.
    pub cancel_after: Option<Duration>,
    /// Alice makes no offer, and answers Bob's so long after it came.
    pub late_offer: Option<Duration>,
    /// Both phones use 100rel, and Bob's phone rings by a reliable response.
    pub reliable: bool,
    /// Both phones ask for a session timer of so many seconds (RFC 4028).
    pub session_expires: Option<u32>,
    /// Bob's phone takes no session timer below so many seconds.
    pub min_se: Option<u32>,
    /// Bob refreshes the session; else Alice does.
    pub bob_refreshes: bool,
    /// The session is refreshed by re-INVITEs; else by UPDATEs.
    pub refresh_by_invite: bool,
    /// Alice gives the call to Carol so long after it is there (RFC 3515).
    pub transfer: Option<Duration>,
    /// She calls Carol before, and Bob takes her place in that call (RFC 3891).
    pub attended: bool,
    /// Who puts the call on hold, for a second.
    pub hold: ByWhom,
    /// The reaction of each to a change of the session that the other wants.
    pub change_reply: Reply,
    /// Who asks for credentials.
    pub challenge: Challenges,
    /// How long a nonce is good for.
    pub nonce_age: Duration,
    /// Who hangs up.
    pub hang_up: ByWhom,
    /// Nothing rings longer.
    pub ring_limit: Duration,
    /// How long after calling the weather is over and every call is ended.
    pub calm_after: Duration,
    /// From sending to arriving.
    pub delay: Duration,
    /// The faults that the weather draws.
    pub conditions: Conditions,
    /// Which of the possible faults.
    pub seed: u64,
    /// Exact faults.
    pub plan: Plan,
    /// Whether the trace has what stands in the nodes, too ([`Recording::States`]). The run is the same, and no line says it.
    pub watched: bool,
}

/// A reaction, and how long after what it is about came: of Bob to a call, or of an end to a change of the session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reply {
    /// Yes: he answers the call, or accepts the change.
    Answer(Duration),
    /// No: he is busy, or refuses the change.
    Reject(Duration),
    /// He lets it ring, or does not decide.
    Nothing,
}

/// Who does something, and how long after the call is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ByWhom {
    /// Alice.
    pub alice: Option<Duration>,
    /// Bob.
    pub bob: Option<Duration>,
}

const USUAL: Duration = Duration::from_secs(5);

impl ByWhom {
    /// Bob, after 5 s, as in RFC 3261 §24.2.
    pub const BOB: Self = Self { alice: None, bob: Some(USUAL) };
    /// Alice, after 5 s.
    pub const ALICE: Self = Self { alice: Some(USUAL), bob: None };
    /// Neither, before all calls are ended.
    pub const NOBODY: Self = Self { alice: None, bob: None };
}

impl Default for Case {
    /// RFC 3261 §24.2, in fine weather.
    fn default() -> Self {
        Self {
            topology: Topology::Trapezoid,
            record_route: false,
            recurse: false,
            ring_after: Some(Duration::from_millis(100)),
            reply: Reply::Answer(Duration::from_secs(2)),
            cancel_after: None,
            late_offer: None,
            reliable: false,
            session_expires: None,
            min_se: None,
            bob_refreshes: false,
            refresh_by_invite: false,
            transfer: None,
            attended: false,
            hold: ByWhom::NOBODY,
            change_reply: Reply::Answer(Duration::ZERO),
            challenge: Challenges::default(),
            nonce_age: Duration::from_secs(300),
            hang_up: ByWhom::BOB,
            ring_limit: Duration::from_secs(60),
            calm_after: Duration::from_secs(119),
            delay: Duration::from_millis(10),
            conditions: Conditions::FINE,
            seed: 1,
            plan: Plan::new(),
            watched: false,
        }
    }
}

impl Case {
    /// The scenario that this describes.
    pub fn scenario(&self) -> Scenario {
        let mut scenario = Scenario::rfc3261(self.topology);
        (scenario.record_route, scenario.recurse) = (self.record_route, self.recurse);
        for call in &mut scenario.alice.calls {
            call.cancel_after = self.cancel_after;
            call.late_offer = self.late_offer;
        }
        scenario.bob.incoming.ring_after = self.ring_after;
        let usual = scenario.bob.incoming.then.take();
        scenario.bob.incoming.then = match self.reply {
            Reply::Answer(after) => usual.map(|(_, answer)| (after, answer)),
            Reply::Reject(after) => Some((after, Reaction::Reject(StatusCode::BUSY_HERE))),
            Reply::Nothing => None,
        };
        (scenario.alice.hang_up_after, scenario.bob.hang_up_after) = (self.hang_up.alice, self.hang_up.bob);
        (scenario.alice.hold_after, scenario.bob.hold_after) = (self.hold.alice, self.hold.bob);
        let change = match self.change_reply {
            Reply::Answer(after) => Some((after, Consent::Accept)),
            Reply::Reject(after) => Some((after, Consent::Refuse)),
            Reply::Nothing => None,
        };
        (scenario.alice.change, scenario.bob.change) = (change, change);
        scenario.reliable = self.reliable;
        scenario.session_timer = self.session_expires.map(|interval| SessionTimer {
            interval,
            minimum: self.min_se.unwrap_or(LEAST_SESSION_INTERVAL),
            bob_refreshes: self.bob_refreshes,
            by_invite: self.refresh_by_invite,
        });
        (scenario.challenges, scenario.nonce_age) = (self.challenge, self.nonce_age);
        (scenario.alice.ring_limit, scenario.bob.ring_limit) = (self.ring_limit, self.ring_limit);
        if let Some(after) = self.transfer {
            scenario.transfer_after(after, self.attended);
        }
        scenario.calm_from = CALL_AT + self.calm_after;
        scenario.links = Links::all(Link { delay: self.delay, conditions: self.conditions, ..Link::default() });
        scenario.plan = self.plan.clone();
        scenario.seed = self.has_weather().then_some(self.seed);
        if self.watched {
            scenario.recording = Recording::States;
        }
        scenario
    }

    /// Whether anything is left to chance.
    pub fn has_weather(&self) -> bool {
        Conditions { latest: Conditions::FINE.latest, ..self.conditions } != Conditions::FINE
    }

    /// This run without chance: these faults and no weather.
    #[must_use]
    pub fn planned(&self, met: &Plan) -> Self {
        Self { conditions: Conditions::FINE, plan: met.clone(), ..self.clone() }
    }

    /// Puts into the plan what weather of that name does besides what it does to messages; seed, network and times are what they
    /// are by now.
    pub fn add_events_of(&mut self, preset: Preset) {
        self.add_events_among(preset, &self.topology.nodes());
    }

    /// As above, among these nodes.
    pub(crate) fn add_events_among(&mut self, preset: Preset, nodes: &[String]) {
        let weather = Weather { seed: self.seed, from: CALL_AT, calm_from: CALL_AT + self.calm_after };
        let events: Vec<_> = preset.plan(weather, nodes).faults().collect();
        self.plan.extend(events);
    }

    /// The names of the nodes, from Alice to Bob, and Carol's if she is there.
    pub fn nodes(&self) -> Vec<String> {
        let carol = self.transfer.map(|_| "carol".to_owned());
        self.topology.nodes().into_iter().chain(carol).collect()
    }

    /// Reads the command that a case is printed as, whatever names of nodes its plan has: those of a network of your own, say.
    ///
    /// # Errors
    /// One line that says what is wrong with it and what would be right.
    pub fn read(line: &str) -> Result<Self, String> {
        let options = line.trim().strip_prefix("sansip-sim call").ok_or("a case begins with `sansip-sim call`")?;
        let mut case = Self::default();
        case.set_all(options)?;
        Ok(case)
    }

    /// Sets the parts that options of the command `sansip-sim call` name, written as they are printed.
    ///
    /// # Errors
    /// One line that names the wrong option and what would be right.
    pub fn set_all(&mut self, options: &str) -> Result<(), String> {
        let mut rest = options;
        while let Some(word) = word(&mut rest)? {
            let name = word.strip_prefix("--").ok_or_else(|| format!("`{word}`: an option begins with `--`"))?;
            let option = OPTIONS.iter().find(|option| option.name == name);
            let option = option.ok_or_else(|| format!("there is no option `--{name}` of a case"))?;
            let value = if option.is_switch { Some("yes") } else { self::word(&mut rest)? };
            let value = value.ok_or_else(|| format!("--{name}: a value is missing"))?;
            (option.set)(self, value).map_err(|error| format!("--{name} `{value}`: {error}"))?;
        }
        Ok(())
    }

    /// A plan may only name nodes that are there, and only what can happen to them.
    ///
    /// # Errors
    /// One line that names the wrong node, and the right ones or what could be.
    pub fn check(&self) -> Result<(), String> {
        let (nodes, nats) = (self.nodes(), self.topology.nats());
        let is_nat = |name: &str| nats.contains(&name);
        if let Some(name) = self.plan.nodes().find(|&name| !is_nat(name) && !nodes.iter().any(|node| node == name)) {
            // A line has no room for all of a crowd.
            let shown = match nodes.as_slice() {
                [first, second, .., last] if nodes.len() > 12 => format!("{first}, {second}, …, {last}"),
                few => few.join(", "),
            };
            let topology = self.topology;
            return Err(format!("--plan: there is no node `{name}` in topology {topology}; its nodes are {shown}"));
        }
        for fault in self.plan.faults() {
            let names = fault.nodes();
            let wrong = match (&fault, names.as_slice()) {
                (Fault::Timed(TimedFault { event: Event::Forget { nat }, .. }), _) if !is_nat(nat) => {
                    "only a NAT can `forget`, as in topology nat"
                }
                (Fault::Timed(TimedFault { event: Event::Forget { .. }, .. }), _) => continue,
                (_, names) if names.iter().any(|name| is_nat(name)) => "a NAT can `forget`, and nothing else",
                (_, [from, to]) if from == to => "nothing goes from a node to itself",
                _ => continue,
            };
            return Err(format!("--plan: `{fault}`: {wrong}"));
        }
        Ok(())
    }
}

impl fmt::Display for Case {
    /// The command that runs it: topology, seed, and what differs from the usual.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("sansip-sim call")?;
        let usual = Self::default();
        for option in &OPTIONS {
            let value = (option.get)(self);
            if value == (option.get)(&usual) && !["topology", "seed"].contains(&option.name) {
                continue;
            }
            match value.as_str() {
                "yes" if option.is_switch => write!(f, " --{}", option.name)?,
                plain if plain.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._:,".contains(&byte)) => {
                    write!(f, " --{} {plain}", option.name)?;
                }
                quoted => write!(f, " --{} '{quoted}'", option.name)?,
            }
        }
        Ok(())
    }
}

impl FromStr for Case {
    type Err = String;

    /// Reads the command that it is printed as, with any of its options; quotes are as they are printed, `'…'`.
    fn from_str(line: &str) -> Result<Self, String> {
        let case = Self::read(line)?;
        case.check()?;
        Ok(case)
    }
}

/// Takes the next word of a command line, without its quotes.
fn word<'a>(rest: &mut &'a str) -> Result<Option<&'a str>, &'static str> {
    let line = rest.trim_start();
    let (word, left) = match line.strip_prefix('\'') {
        Some(quoted) => quoted.split_once('\'').ok_or("a quote is not closed")?,
        None => line.split_at(line.find(char::is_whitespace).unwrap_or(line.len())),
    };
    *rest = left;
    Ok((!line.is_empty()).then_some(word))
}

impl fmt::Display for ByWhom {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut separator = "";
        for (who, after) in [("alice", self.alice), ("bob", self.bob)] {
            match after {
                Some(USUAL) => write!(f, "{separator}{who}")?,
                Some(after) => write!(f, "{separator}{who}:{}", Span(after))?,
                None => continue,
            }
            separator = ",";
        }
        if separator.is_empty() { f.write_str("nobody") } else { Ok(()) }
    }
}

impl FromStr for ByWhom {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        const WRONG: &str = "alice or bob does it, or nobody, or both as in alice:3s,bob:500ms";
        let mut found = Self::NOBODY;
        if text == "nobody" {
            return Ok(found);
        }
        for part in text.split(',') {
            let (who, after) = match part.split_once(':') {
                Some((who, after)) => (who, Span::parse(after).ok_or(WRONG)?),
                None => (part, USUAL),
            };
            let place = match who {
                "alice" => &mut found.alice,
                "bob" => &mut found.bob,
                _ => return Err(WRONG),
            };
            if place.replace(after).is_some() {
                return Err(WRONG);
            }
        }
        Ok(found)
    }
}

impl fmt::Display for Reply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Answer(after) => write!(f, "answer:{}", Span(*after)),
            Self::Reject(after) => write!(f, "reject:{}", Span(*after)),
            Self::Nothing => f.write_str("nothing"),
        }
    }
}

impl FromStr for Reply {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let reply = match text.split_once(':') {
            Some(("answer", after)) => Span::parse(after).map(Self::Answer),
            Some(("reject", after)) => Span::parse(after).map(Self::Reject),
            None if text == "nothing" => Some(Self::Nothing),
            _ => None,
        };
        reply.ok_or("a reply is answer:2s, reject:2s or nothing")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sweep::{Scope, draw};

    #[test]
    fn every_case_is_read_as_it_is_printed() {
        for number in 0..500 {
            let case = draw(&Scope::default(), 9, number);
            assert_eq!(case.to_string().parse(), Ok(case));
        }
    }

    #[test]
    fn what_is_no_case_is_said_with_what_would_be_right() {
        for (line, says) in [
            ("call", "begins with `sansip-sim call`"),
            ("sansip-sim call direct", "begins with `--`"),
            ("sansip-sim call --fast", "no option `--fast`"),
            ("sansip-sim call --seed", "--seed: a value is missing"),
            ("sansip-sim call --seed x", "--seed `x`: not a whole number"),
            ("sansip-sim call --plan 'alice>bob#1:drop", "a quote is not closed"),
            ("sansip-sim call --plan 'carol>bob#1:drop'", "its nodes are alice"),
        ] {
            let error = line.parse::<Case>().unwrap_err();
            assert!(error.contains(says) && !error.contains('\n'), "{line}: {error}");
        }
    }
}
