//! The policy of what is done again without the application, and what the application is asked.

use crate::random::Random;
use crate::time::Duration;

/// The policy of what a user agent does again by itself after a response, and what it asks the application. Each is bounded by
/// [`Limits::retries`](super::Limits::retries).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Policy {
    /// How long the application has to answer an [`Event::Wanted`](super::Event::Wanted). `None`: nothing is asked, and a request
    /// that needs an answer ends with its response. `None` by default.
    pub questions: Option<Duration>,
    /// The longest wait that the Retry-After of a 413, 500 or 503 may ask for (RFC 3261 §21.4.11, §21.5.1, §21.5.4). `None`: such a
    /// response ends the request. `None` by default.
    pub longest_wait: Option<Duration>,
    /// Whether a redirection (3xx) of a request outside of dialogs is followed (RFC 3261 §8.1.3.4). Off by default.
    pub redirects: Redirects,
    /// When a registration that failed is tried again by itself (RFC 5626 §4.5), and a flow that is lost ([`keep_flow`](super::UserAgent::keep_flow)). `None`:
    /// never, the next command does it; but where a flow is wanted, of a [registration](super::Register::outbound) or without one, as
    /// [`BackOff::default`] says. `None` by default.
    pub registering: Option<BackOff>,
    /// When a subscription that has ended is begun anew by itself where RFC 6665 §4.1.3 leaves that to the subscriber (`timeout`, `giveup`, or
    /// no reason), and where a SUBSCRIBE failed for a reason that may pass. `None`: only where the RFC says that the subscriber should begin
    /// anew, which is after `deactivated` and `probation`. `None` by default.
    pub subscribing: Option<BackOff>,
    /// Whether the peer of each call is told by itself that a listener has moved ([`listener_moved`](super::UserAgent::listener_moved)). If not, the
    /// application offers each session anew at the new place ([`modify`](super::UserAgent::modify)), by which the peer learns both at once. On by
    /// default.
    pub tells_moves: bool,
}

impl Policy {
    /// Nothing is asked, waited for, followed or tried again.
    pub const NONE: Self = Self {
        questions: None,
        longest_wait: None,
        redirects: Redirects::Off,
        registering: None,
        subscribing: None,
        tells_moves: true,
    };
}

impl Default for Policy {
    fn default() -> Self {
        Self::NONE
    }
}

/// Whether redirections are followed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Redirects {
    /// The application is told of the 3xx as of any other refusal.
    Off,
    /// The Contacts are tried one after the other, by their q, but none that is a SIP URI where a SIPS URI was.
    Follow,
    /// As `Follow`, from SIPS to SIP too.
    FollowFromSipsToSip,
}

/// How long a registration that failed waits before it is tried again: a random time between the half and the whole of
/// `base`·2^failures, at most of `longest` (RFC 5626 §4.5). So many clients of one registrar do not all come back at once.
///
/// ```
/// # use core::time::Duration;
/// # use sansip::user_agent::{BackOff, Policy, Profile};
/// let mut profile = Profile::new("<sip:alice@atlanta.com>".parse()?);
/// profile.policy = Policy { registering: Some(BackOff::default()), ..Policy::NONE };
/// assert_eq!(BackOff::default().base, Duration::from_secs(30));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BackOff {
    /// The base time. 30 s by default: the first retry comes after 30 to 60 s.
    pub base: Duration,
    /// The upper bound. 1800 s by default.
    pub longest: Duration,
    /// After how many failures in a row the next command must come. `None`: it is tried until it succeeds. `None` by default.
    pub failures: Option<u32>,
}

impl Default for BackOff {
    fn default() -> Self {
        Self { base: Duration::from_secs(30), longest: Duration::from_secs(1800), failures: None }
    }
}

/// The shortest wait: a registration that timed out is not tried again at once (RFC 3261 §10.2.7).
const SHORTEST: Duration = Duration::from_secs(1);

impl BackOff {
    /// How long to wait after so many failures in a row; `None` if these are too many.
    pub(super) fn wait(&self, failures: u32, random: &mut Random) -> Option<Duration> {
        if self.failures.is_some_and(|most| failures >= most) {
            return None;
        }
        let factor = 2_u32.checked_pow(failures).unwrap_or(u32::MAX);
        let upper = self.base.saturating_mul(factor).min(self.longest);
        let half = upper / 2;
        let part = random.below(u64::try_from(half.as_millis()).unwrap_or(u64::MAX));
        Some((half + Duration::from_millis(part)).max(SHORTEST))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::{Script, Seed};

    /// RFC 5626 §4.5: W = min(max-time, base-time·2^failures), and of it 50 to 100 %.
    #[test]
    fn the_wait_doubles_up_to_its_bound_and_has_a_random_half() {
        let mut random = Random::new(Seed::from_u64(1), Script::default());
        let back_off = BackOff::default();
        for (failures, upper) in
            [(1, 60), (2, 120), (3, 240), (5, 960), (6, 1800), (7, 1800), (40, 1800), (u32::MAX, 1800)]
        {
            let waits: alloc::vec::Vec<Duration> =
                (0..200).filter_map(|_| back_off.wait(failures, &mut random)).collect();
            let (half, whole) = (Duration::from_secs(upper / 2), Duration::from_secs(upper));
            assert_eq!(waits.len(), 200);
            assert!(waits.iter().all(|wait| (half..=whole).contains(wait)), "{failures}: {waits:?}");
            let spread = waits.iter().max().unwrap().saturating_sub(*waits.iter().min().unwrap());
            assert!(spread > half * 8 / 10, "{failures}: {spread:?}");
        }
    }

    #[test]
    fn the_wait_is_never_nothing_and_ends_after_so_many_failures() {
        let mut random = Random::new(Seed::from_u64(1), Script::default());
        let none = BackOff { base: Duration::ZERO, failures: Some(3), ..BackOff::default() };
        assert_eq!(none.wait(1, &mut random), Some(SHORTEST));
        assert_eq!(none.wait(2, &mut random), Some(SHORTEST));
        assert_eq!(none.wait(3, &mut random), None);
        let all = BackOff { base: Duration::MAX, longest: Duration::MAX, failures: None };
        assert!(all.wait(9, &mut random).is_some());
    }
}
