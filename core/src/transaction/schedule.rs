//! When the timers of transactions fire (RFC 3261 §17, table 4).

use super::Timers;
use crate::time::{Duration, Instant};

/// How long a server waits for its user before it answers an INVITE with 100 (§17.2.1).
const TRYING_INVITE: Duration = Duration::from_millis(200);
/// The least value of timer D (§17.1.1.2).
const TIMER_D: Duration = Duration::from_secs(32);

/// The timer values of one endpoint.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Schedule {
    pub(crate) t1: Duration,
    pub(crate) t2: Duration,
    t4: Duration,
    /// Timers B, F, H, L, M, and J where it is not zero.
    pub(crate) sixty_four_t1: Duration,
    /// When an INVITE is answered with 100 if nothing else was sent.
    pub(crate) trying_invite: Duration,
    /// When another request is answered with 100: timer E of its sender is then reset to T2 (RFC 4320 §4.1).
    pub(crate) trying: Duration,
}

impl Schedule {
    pub(crate) fn new(timers: &Timers) -> Self {
        let Timers { t1, t2, t4, .. } = timers.usable();
        let mut trying = t1;
        let mut interval = doubled(t1, t2);
        while interval < t2 {
            trying = trying.saturating_add(interval);
            interval = doubled(interval, t2);
        }
        Self { t1, t2, t4, sixty_four_t1: t1.saturating_mul(64), trying_invite: TRYING_INVITE, trying }
    }

    /// Timer D: as long as the server may stay in Completed, but at least 32 s.
    fn timer_d(&self) -> Duration {
        self.sixty_four_t1.max(TIMER_D)
    }
}

/// Twice the interval, at most `cap`.
pub(crate) fn doubled(interval: Duration, cap: Duration) -> Duration {
    interval.saturating_mul(2).min(cap)
}

/// The present, as a machine sees it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Clock<'a> {
    pub(crate) now: Instant,
    /// Whether the transport is reliable: then nothing is sent again and the absorbing timers are zero.
    pub(crate) reliable: bool,
    pub(crate) schedule: &'a Schedule,
}

impl Clock<'_> {
    pub(crate) fn after(&self, duration: Duration) -> Instant {
        self.now + duration
    }

    /// 64·T1 from now.
    pub(crate) fn after_64_t1(&self) -> Instant {
        self.now + self.schedule.sixty_four_t1
    }

    /// The end of timer D.
    pub(crate) fn timer_d(&self) -> Instant {
        self.unless_reliable(self.schedule.timer_d())
    }

    /// The end of timer J.
    pub(crate) fn timer_j(&self) -> Instant {
        self.unless_reliable(self.schedule.sixty_four_t1)
    }

    /// The end of timers I and K.
    pub(crate) fn after_t4(&self) -> Instant {
        self.unless_reliable(self.schedule.t4)
    }

    fn unless_reliable(&self, duration: Duration) -> Instant {
        if self.reliable { self.now } else { self.now + duration }
    }
}

/// The two timers that a state can have: one that sends something (again), one that ends the state. A timer that is not set
/// is due at [`Instant::NEVER`], and one that would be due then is not set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Pair {
    resend: Instant,
    end: Instant,
    /// The interval that the resending timer was last set to, in nanoseconds.
    interval: u64,
}

/// Which of the two timers is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Due {
    Resend,
    End,
}

impl Pair {
    pub(crate) const NONE: Self = Self::ending(Instant::NEVER);

    pub(crate) const fn ending(end: Instant) -> Self {
        Self { resend: Instant::NEVER, end, interval: 0 }
    }

    /// Ends at that time at the latest.
    pub(crate) fn end_by(&mut self, until: Instant) {
        self.end = self.end.min(until);
    }

    /// Besides, sends something `interval` from now.
    pub(crate) fn sending(self, clock: &Clock<'_>, interval: Duration) -> Self {
        let nanos = u64::try_from(interval.as_nanos()).unwrap_or(u64::MAX);
        Self { resend: clock.after(interval), interval: nanos, ..self }
    }

    /// The resending timer again, `interval` from now: a late one makes no burst.
    pub(crate) fn again(&mut self, clock: &Clock<'_>, interval: Duration) {
        *self = self.sending(clock, interval);
    }

    pub(crate) const fn set_end(&mut self, end: Instant) {
        self.end = end;
    }

    pub(crate) const fn interval(&self) -> Duration {
        Duration::from_nanos(self.interval)
    }

    /// The earlier of the two.
    pub(crate) fn deadline(&self) -> Option<Instant> {
        is_set(self.resend.min(self.end))
    }

    /// When one of the two fires.
    pub(crate) fn at(&self, due: Due) -> Option<Instant> {
        is_set(match due {
            Due::Resend => self.resend,
            Due::End => self.end,
        })
    }

    /// Which timer is due; giving up comes before resending.
    pub(crate) fn due(&self, now: Instant) -> Option<Due> {
        let is_due = |timer: Instant| is_set(timer).is_some_and(|at| at <= now);
        if is_due(self.end) {
            return Some(Due::End);
        }
        is_due(self.resend).then_some(Due::Resend)
    }

    /// Both timers in milliseconds.
    #[cfg(test)]
    pub(crate) fn in_millis(&self) -> (Option<u64>, Option<u64>) {
        (is_set(self.resend).map(Instant::as_millis), is_set(self.end).map(Instant::as_millis))
    }
}

fn is_set(timer: Instant) -> Option<Instant> {
    (timer != Instant::NEVER).then_some(timer)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_100_to_a_non_invite_is_due_when_timer_e_is_reset_to_t2() {
        // 0.5 + 1 + 2 s: then the interval is 4 s, which is T2.
        assert_eq!(Schedule::new(&Timers::default()).trying, Duration::from_millis(3_500));
        let short = Timers { t2: Duration::from_millis(500), ..Timers::default() };
        assert_eq!(Schedule::new(&short).trying, Duration::from_millis(500));
    }

    #[test]
    fn timer_d_is_never_below_32_seconds() {
        let quick = Timers { t1: Duration::from_millis(100), ..Timers::default() };
        assert_eq!(Schedule::new(&quick).timer_d(), Duration::from_secs(32));
        let slow = Timers { t1: Duration::from_secs(1), ..Timers::default() };
        assert_eq!(Schedule::new(&slow).timer_d(), Duration::from_secs(64));
    }

    #[test]
    fn on_a_tie_giving_up_comes_first() {
        let schedule = Schedule::new(&Timers::default());
        let clock = Clock { now: Instant::ZERO, reliable: false, schedule: &schedule };
        let pair = Pair::ending(Instant::from_millis(500)).sending(&clock, schedule.t1);
        assert_eq!(pair.due(Instant::from_millis(499)), None);
        assert_eq!(pair.due(Instant::from_millis(500)), Some(Due::End));
    }
}
