//! How a flow is kept alive, so that NATs on the way keep their mappings and a lost connection is noticed (RFC 5626 §3.5, §4.4).

use crate::flow::Flow;
use crate::random::Random;
use crate::time::Duration;

/// How the flow that a registration came by is kept alive: see [`Register::keep_alive`](super::Register::keep_alive); or a flow
/// without one, see [`UserAgent::keep_flow`](super::UserAgent::keep_flow).
///
/// ```
/// # use sansip::Duration;
/// # use sansip::user_agent::{KeepAlive, Register};
/// // Over UDP, behind a NAT that forgets after half a minute.
/// let registrar = "sip:registrar.biloxi.com".parse()?;
/// let register = Register::at(&registrar).keep_alive(KeepAlive::crlf(Duration::from_secs(29)));
/// # let _ = register;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeepAlive {
    pub(super) way: Way,
    pub(super) interval: Duration,
}

/// The message that keeps a flow alive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way {
    Crlf,
    Options,
}

/// The shortest interval.
const SHORTEST: Duration = Duration::from_secs(1);

impl KeepAlive {
    /// By line ends, at intervals of 80 to 100 % of this one (RFC 5626 §4.4), at least of a second. A connection gets two of them, and has to
    /// answer with one within 10 s (§4.4.1); 120 s is usual. A flow without a connection gets one as a datagram, and nobody answers;
    /// 29 s is usual.
    pub const fn crlf(interval: Duration) -> Self {
        Self { way: Way::Crlf, interval }
    }

    /// By OPTIONS to the registrar, or to the peer, at the same intervals. Any response will do; where none comes, the flow is lost. For those that
    /// discard line ends, and to notice over UDP that they are gone.
    pub const fn options(interval: Duration) -> Self {
        Self { way: Way::Options, interval }
    }

    /// The usual one of a flow that tells where it fails (RFC 5626 §4.4.1, §4.4.2): line ends along a connection; OPTIONS along datagrams, where a
    /// line end has no answer, and STUN is not the core's.
    pub(super) const fn usual(flow: Flow) -> Self {
        match flow.connection {
            Some(_) => Self::crlf(Duration::from_secs(120)),
            None => Self::options(Duration::from_secs(29)),
        }
    }

    /// This one, at least as often as that.
    pub(super) fn within(self, interval: Duration) -> Self {
        Self { interval: self.interval.min(interval), ..self }
    }

    /// How long until the next message.
    pub(super) fn wait(self, random: &mut Random) -> Duration {
        let fifth = self.interval / 5;
        let part = random.below(u64::try_from(fifth.as_millis()).unwrap_or(u64::MAX).saturating_add(1));
        (self.interval.saturating_sub(fifth) + Duration::from_millis(part)).max(SHORTEST)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::{Script, Seed};

    /// RFC 5626 §4.4: between 80 and 100 % of the upper bound.
    #[test]
    fn the_interval_has_a_random_share_and_a_lower_bound() {
        let mut random = Random::new(Seed::from_u64(1), Script::default());
        let mut waits = |seconds| {
            let keep_alive = KeepAlive::crlf(Duration::from_secs(seconds));
            let all: alloc::vec::Vec<_> = (0..200).map(|_| keep_alive.wait(&mut random).as_millis()).collect();
            (*all.iter().min().unwrap(), *all.iter().max().unwrap())
        };
        let (least, most) = waits(120);
        assert!((96_000..97_000).contains(&least) && (119_000..=120_000).contains(&most), "{least} {most}");
        assert_eq!(waits(0), (1_000, 1_000));
        assert!(KeepAlive::options(Duration::MAX).wait(&mut random) > Duration::from_secs(1));
    }
}
