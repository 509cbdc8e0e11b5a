//! The networks that have names.

use std::fmt;
use std::str::FromStr;

/// A network that can be asked for by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Topology {
    /// `direct`: Alice calls Bob at his address.
    Direct,
    /// `one-proxy`: Alice's calls go to Bob's domain.
    OneProxy,
    /// `trapezoid`: Alice's calls go to her domain's proxy, from there to Bob's domain: RFC 3261 §24.2.
    Trapezoid,
    /// `nat`: a trapezoid, with Alice behind a NAT, `nat`, of the strict kind.
    Nat,
    /// `mixed`: a trapezoid whose proxies speak TCP with each other and UDP with the phones.
    Mixed,
    /// `redirect`: Bob's domain redirects Alice to his phone (RFC 3261 §8.3), and she follows.
    Redirect,
    /// `auth`: Alice and Bob are users of one domain, which asks for credentials whoever registers or calls there (RFC 3261 §22).
    Auth,
    /// `strict`: a trapezoid with a strict router, `strict`, between the proxies. It stays on the path of dialogs (RFC 3261 §16.12.1.2).
    Strict,
    /// `dual`: a trapezoid of which Alice's side is IPv6 and Bob's is IPv4; `atlanta` is in both, and stays on the path (RFC 6157).
    Dual,
    /// `chain:5`: Alice's calls go through so many proxies, of which the last is Bob's domain; `chain` is `chain:3`.
    Chain(u8),
    /// `fork:3`: Alice's calls go to Bob's domain, where so many phones of his are registered; `fork` is `fork:3`.
    Fork(u8),
    /// `farm:2`: Alice's calls go to Bob's domain, which is a stateless proxy, `biloxi`, before so many servers, `s1`, `s2`, …, with one store of
    /// bindings, `store`; `farm` is `farm:2`.
    Farm(u8),
    /// `crowd:100`: so many pairs on a trapezoid, all calling at once; `crowd` is `crowd:10`.
    Crowd(u32),
}

/// A network of any size: the name, its usual size, the largest one, and the error that says what would be right.
struct Sized {
    name: &'static str,
    usual: u32,
    most: u32,
    of: fn(u32) -> Topology,
    wrong: &'static str,
}

/// Max-Forwards is 70 (RFC 3261 §8.1.1.6), and a request may be in 60 places at once (RFC 5393 §5.3.3).
const SIZED: [Sized; 4] = [
    Sized {
        name: "chain",
        usual: 3,
        most: 69,
        of: |size| Topology::Chain(size as u8),
        wrong: "a chain has 1 to 69 proxies, as in chain:5",
    },
    Sized {
        name: "fork",
        usual: 3,
        most: 20,
        of: |size| Topology::Fork(size as u8),
        wrong: "a fork is 1 to 20 phones, as in fork:3",
    },
    Sized {
        name: "farm",
        usual: 2,
        most: 9,
        of: |size| Topology::Farm(size as u8),
        wrong: "a farm is 1 to 9 servers, as in farm:2",
    },
    Sized {
        name: "crowd",
        usual: 10,
        most: 1_000_000,
        of: Topology::Crowd,
        wrong: "a crowd is 1 to 1000000 pairs, as in crowd:100",
    },
];

impl Topology {
    /// One of each kind, the larger kinds at a size that is quickly run.
    pub const ALL: [Self; 13] = [
        Self::Direct,
        Self::OneProxy,
        Self::Trapezoid,
        Self::Nat,
        Self::Mixed,
        Self::Redirect,
        Self::Auth,
        Self::Strict,
        Self::Dual,
        Self::Chain(3),
        Self::Crowd(3),
        Self::Fork(3),
        Self::Farm(2),
    ];

    /// Those of one size.
    const FIXED: [Self; 9] = [
        Self::Direct,
        Self::OneProxy,
        Self::Trapezoid,
        Self::Nat,
        Self::Mixed,
        Self::Redirect,
        Self::Auth,
        Self::Strict,
        Self::Dual,
    ];

    /// The names, without sizes.
    pub fn names() -> impl Iterator<Item = &'static str> {
        Self::FIXED.into_iter().map(Self::name).chain(SIZED.iter().map(|sized| sized.name))
    }

    const fn name(self) -> &'static str {
        match self {
            Self::Direct => "direct",
            Self::OneProxy => "one-proxy",
            Self::Trapezoid => "trapezoid",
            Self::Nat => "nat",
            Self::Mixed => "mixed",
            Self::Redirect => "redirect",
            Self::Auth => "auth",
            Self::Strict => "strict",
            Self::Dual => "dual",
            Self::Chain(_) => "chain",
            Self::Fork(_) => "fork",
            Self::Farm(_) => "farm",
            Self::Crowd(_) => "crowd",
        }
    }

    const fn size(self) -> Option<u32> {
        match self {
            Self::Chain(size) | Self::Fork(size) | Self::Farm(size) => Some(size as u32),
            Self::Crowd(size) => Some(size),
            _ => None,
        }
    }

    /// The names of its NATs, which can stand in a plan too.
    pub const fn nats(self) -> &'static [&'static str] {
        match self {
            Self::Nat => &["nat"],
            _ => &[],
        }
    }

    /// The names of its nodes, from Alice to Bob.
    pub fn nodes(self) -> Vec<String> {
        let owned = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect();
        let numbered = |name: &'static str, n: u32| (1..=n).map(move |number| format!("{name}{number}"));
        match self {
            Self::Direct => owned(&["alice", "bob"]),
            Self::OneProxy | Self::Redirect | Self::Auth => owned(&["alice", "biloxi", "bob"]),
            Self::Trapezoid | Self::Nat | Self::Mixed | Self::Dual => owned(&["alice", "atlanta", "biloxi", "bob"]),
            Self::Strict => owned(&["alice", "atlanta", "strict", "biloxi", "bob"]),
            Self::Chain(n) => {
                let proxies = numbered("proxy", u32::from(n) - 1).chain(["biloxi".to_owned()]);
                ["alice".to_owned()].into_iter().chain(proxies).chain(["bob".to_owned()]).collect()
            }
            Self::Fork(n) => owned(&["alice", "biloxi"]).into_iter().chain(numbered("bob", n.into())).collect(),
            Self::Farm(n) => {
                let servers = numbered("s", n.into()).chain(["store".to_owned(), "bob".to_owned()]);
                owned(&["alice", "biloxi"]).into_iter().chain(servers).collect()
            }
            Self::Crowd(n) => {
                let proxies = ["atlanta", "biloxi"].map(String::from);
                numbered("alice", n).chain(proxies).chain(numbered("bob", n)).collect()
            }
        }
    }
}

impl fmt::Display for Topology {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())?;
        self.size().map_or(Ok(()), |size| write!(f, ":{size}"))
    }
}

impl FromStr for Topology {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (name, size) = text.split_once(':').map_or((text, None), |(name, size)| (name, Some(size)));
        if let Some(sized) = SIZED.iter().find(|sized| sized.name == name) {
            let Some(size) = size else { return Ok((sized.of)(sized.usual)) };
            let digits = size.bytes().all(|byte| byte.is_ascii_digit());
            let size = size.parse().ok().filter(|size| digits && (1..=sized.most).contains(size));
            return size.map(sized.of).ok_or(sized.wrong);
        }
        let fixed = Self::FIXED.into_iter().find(|fixed| fixed.name() == text);
        fixed.ok_or(
            "a topology is direct, one-proxy, trapezoid, nat, mixed, redirect, auth, strict, dual, or chain:5, fork:3, farm:2 or \
             crowd:100 with another number",
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::topology::Scenario;

    #[test]
    fn every_topology_is_found_by_its_name() {
        for topology in Topology::ALL {
            assert_eq!(topology.to_string().parse(), Ok(topology));
        }
        for (name, same) in [
            ("chain", "chain:3"),
            ("fork", "fork:3"),
            ("farm", "farm:2"),
            ("crowd", "crowd:10"),
            ("chain:07", "chain:7"),
        ] {
            assert_eq!(name.parse::<Topology>().unwrap().to_string(), same);
        }
    }

    #[test]
    fn what_is_no_topology_is_said_in_a_line_with_what_would_be_right() {
        for (name, right) in [
            ("ring", "direct, one-proxy, trapezoid"),
            ("direct:2", "direct, one-proxy, trapezoid"),
            ("", "direct, one-proxy, trapezoid"),
            ("chain:0", "1 to 69"),
            ("chain:70", "1 to 69"),
            ("chain:+5", "1 to 69"),
            ("chain:", "1 to 69"),
            ("fork:0", "1 to 20"),
            ("fork:21", "1 to 20"),
            ("farm:0", "1 to 9"),
            ("farm:10", "1 to 9"),
            ("crowd:x", "1 to 1000000"),
            ("crowd:1000001", "1 to 1000000"),
        ] {
            let error = name.parse::<Topology>().unwrap_err();
            assert!(error.contains(right) && !error.contains('\n'), "{name}: {error}");
        }
    }

    #[test]
    fn a_topology_has_the_nodes_that_it_names() {
        for topology in Topology::ALL {
            let world = Scenario::rfc3261(topology).world();
            let names: Vec<_> = world.trace().nodes().map(|(_, name)| name.to_owned()).collect();
            assert_eq!(names, topology.nodes(), "{topology}");
        }
    }
}
