//! Session timers: how long a session lasts without a refresh, and who refreshes it (RFC 4028).

use super::end::End;
use crate::message::StatusCode;
use crate::message::header::Refresher;
use crate::time::{Duration, Instant};

/// The least interval that anything may ask for, in seconds (RFC 4028 §4, §5).
pub const LEAST_SESSION_INTERVAL: u32 = 90;

/// The wishes of this end for session timers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SessionTimerSettings {
    /// The interval asked for, in seconds; `None` asks for no timer, and takes a timer that the peer or a proxy asks
    /// for. RFC 4028 §4 recommends 1,800. An interval below `minimum` counts as `minimum`. `None`.
    pub interval: Option<u32>,
    /// The least interval accepted, in seconds: a request with less gets a 422. A minimum below 90 counts as 90 (RFC
    /// 4028 §5). Our requests say a minimum above 90 in Min-SE. 90.
    pub minimum: u32,
    /// Who refreshes where the choice is ours: in our requests that begin a timer, and in our answers to a peer that
    /// supports timers and leaves the choice. `None` leaves the choice to the peer's answer, and in our own answers
    /// names the peer. `None`.
    pub refresher: Option<End>,
}

impl Default for SessionTimerSettings {
    fn default() -> Self {
        Self { interval: None, minimum: LEAST_SESSION_INTERVAL, refresher: None }
    }
}

impl SessionTimerSettings {
    fn least(&self) -> u32 {
        self.minimum.max(LEAST_SESSION_INTERVAL)
    }

    /// Min-SE of our requests, where it is not what its absence says (RFC 4028 §5, §7.4).
    fn min_se(&self) -> Option<u32> {
        Some(self.minimum).filter(|minimum| *minimum > LEAST_SESSION_INTERVAL)
    }
}

/// The fields of an INVITE or UPDATE that concern the timer (RFC 4028 §7.1, §7.4).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TimerRequest {
    /// Session-Expires: seconds, and who refreshes if that is said.
    pub session_expires: Option<(u32, Option<Refresher>)>,
    /// Min-SE in seconds.
    pub min_se: Option<u32>,
    /// Whether Supported has `timer`. Each of our requests has it.
    pub supported: bool,
}

/// The fields of a 2xx of an INVITE or UPDATE that concern the timer (RFC 4028 §9).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TimerAnswer {
    /// Session-Expires: seconds, and who refreshes.
    pub session_expires: Option<(u32, Refresher)>,
    /// Whether Require has `timer`.
    pub required: bool,
}

/// A 422: the interval is too small.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IntervalTooSmall {
    /// Min-SE of the 422, in seconds.
    pub min_se: u32,
}

/// The event that is due of a session timer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SessionDue {
    /// An UPDATE or re-INVITE is to be sent, with the fields of [`SessionTimer::request`].
    Refresh,
    /// The session has not been refreshed: it is ended with a BYE (RFC 4028 §10).
    Expired,
}

/// The consequence of a refresh that was refused (RFC 4028 §10).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RefreshRefused {
    /// The session lasts until it expires; another refresh falls due before.
    Later,
    /// The session is ended with a BYE.
    End,
}

/// A timer that runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Running {
    interval: u32,
    refresher: End,
    /// When the 2xx was received or sent.
    since: Instant,
    /// When the next refresh is due; [`Instant::NEVER`] while a refresh is under way.
    refresh: Instant,
}

impl Running {
    fn interval(&self) -> Duration {
        Duration::from_secs(self.interval.into())
    }

    /// The end that refreshes has the whole interval. The other ends the session before that: by 32 s or a third of the
    /// interval, whichever is less (RFC 4028 §10).
    fn end(&self) -> Instant {
        let early = match self.refresher {
            End::Ours => Duration::ZERO,
            End::Theirs => Duration::from_secs(32).min(self.interval() / 3),
        };
        self.since + self.interval().saturating_sub(early)
    }
}

/// The session timer of a dialog, at one end.
///
/// It begins with the INVITE, before there is a dialog. An INVITE that makes several dialogs has a copy for each. The
/// timer is negotiated anew with each INVITE and UPDATE, whatever that is sent for (RFC 4028 §7.2).
#[derive(Clone, Copy, Debug)]
pub struct SessionTimer {
    settings: SessionTimerSettings,
    /// The greatest Min-SE of all 422s and requests of the dialog; before there is a dialog, of all 422s of the Call-ID
    /// (§7.4).
    min_se: Option<u32>,
    has_dialog: bool,
    running: Option<Running>,
}

impl SessionTimer {
    /// No timer yet.
    pub const fn new(settings: SessionTimerSettings) -> Self {
        Self { settings, min_se: None, has_dialog: false, running: None }
    }

    /// The interval in seconds and who refreshes, while a timer runs.
    pub fn running(&self) -> Option<(u32, End)> {
        self.running.map(|running| (running.interval, running.refresher))
    }

    /// The fields of our next INVITE or UPDATE (RFC 4028 §7.1, §7.4).
    pub fn request(&self) -> TimerRequest {
        let min_se = self.min_se.max(self.settings.min_se());
        let least = min_se.unwrap_or(LEAST_SESSION_INTERVAL);
        let (interval, refresher) = match self.running {
            // The roles stay as they are.
            Some(running) => (Some(running.interval), Some(running.refresher)),
            None => (self.settings.interval, self.settings.refresher),
        };
        // The request's sender is its UAC.
        let refresher = refresher.map(|end| role(end, End::Ours));
        TimerRequest {
            session_expires: interval.map(|interval| (interval.max(least), refresher)),
            min_se,
            supported: true,
        }
    }

    /// Our INVITE or UPDATE with the fields `sent` has got a 2xx with this Session-Expires at `now` (RFC 4028 §7.2).
    pub fn accepted(&mut self, sent: TimerRequest, answer: Option<(u32, Option<Refresher>)>, now: Instant) {
        self.enter_dialog();
        self.running = match (answer, sent.session_expires) {
            // A 2xx must say who refreshes. Where the answer does not, the request's word holds, and else we refresh:
            // then someone does.
            (Some((interval, refresher)), asked) => {
                let asked = asked.and_then(|(_, refresher)| refresher);
                let refresher = refresher.or(asked).unwrap_or(Refresher::Uac);
                Some(running(interval, end(refresher, End::Ours), now))
            }
            // The peer has no timers, and we want one: we do all of it.
            (None, Some((interval, _))) if self.settings.interval.is_some() => Some(running(interval, End::Ours, now)),
            (None, _) => None,
        };
    }

    /// Our INVITE or UPDATE has got a 422 with this Min-SE, and goes out again with the fields of
    /// [`request`](Self::request) (RFC 4028 §7.3).
    pub fn raised(&mut self, min_se: u32) {
        self.min_se = self.min_se.max(Some(min_se.max(LEAST_SESSION_INTERVAL)));
    }

    /// Our INVITE or UPDATE was refused for good. A time-out counts as 408 (RFC 3261 §8.1.3.1). Only a 2xx prolongs the
    /// session (RFC 4028 §10).
    pub fn refused(&mut self, status: StatusCode, now: Instant) -> RefreshRefused {
        if self.running.is_some() && matches!(status, StatusCode::REQUEST_TIMEOUT | StatusCode::CALL_DOES_NOT_EXIST) {
            return RefreshRefused::End;
        }
        if let Some(running) = &mut self.running
            && running.refresher == End::Ours
        {
            // Half of what is left each time, so that the attempts are few; none where there is no time for a
            // transaction.
            let left = running.end() - now;
            running.refresh = if left > Duration::from_secs(64) { now + left / 2 } else { Instant::NEVER };
        }
        RefreshRefused::Later
    }

    /// A refresh that is due cannot be sent now: it is due again at `at`.
    pub fn postpone(&mut self, at: Instant) {
        if let Some(running) = &mut self.running
            && running.refresher == End::Ours
        {
            running.refresh = at;
        }
    }

    /// Forgets the Min-SE of the time before the dialog: those who gave it need not be on the dialog's way (§7.4).
    fn enter_dialog(&mut self) {
        if !self.has_dialog {
            self.min_se = None;
            self.has_dialog = true;
        }
    }

    /// Takes note of an INVITE or UPDATE of the peer (RFC 4028 §9). The answer of a 2xx is in [`answer`](Self::answer).
    ///
    /// # Errors
    /// The interval is too small, and the peer can mend that: 422.
    pub fn received(&mut self, request: TimerRequest) -> Result<(), IntervalTooSmall> {
        let least = self.settings.least();
        if request.supported && request.session_expires.is_some_and(|(interval, _)| interval < least) {
            return Err(IntervalTooSmall { min_se: least });
        }
        self.enter_dialog();
        if let Some(min_se) = request.min_se {
            self.raised(min_se);
        }
        Ok(())
    }

    /// The fields of the 2xx that is sent at `now` to an INVITE or UPDATE that was [`received`](Self::received) (RFC
    /// 4028 §9).
    pub fn answer(&mut self, request: TimerRequest, now: Instant) -> TimerAnswer {
        let wanted = self.settings.interval.filter(|_| request.supported);
        let asked = request.session_expires.map(|(interval, _)| interval).or(wanted);
        let Some(interval) = asked else {
            self.running = None;
            return TimerAnswer::default();
        };
        // The interval is not raised above what was asked for, unless no interval may be so small. A peer without timers
        // cannot mend an interval below our minimum: it is a proxy that asks, and our refreshes keep its state.
        let floor = if request.session_expires.is_some() { LEAST_SESSION_INTERVAL } else { self.settings.least() };
        let interval = interval.max(request.min_se.unwrap_or(0)).max(floor);
        let refresher = match (request.supported, request.session_expires.and_then(|(_, refresher)| refresher)) {
            (false, _) => Refresher::Uas,
            (true, Some(chosen)) => chosen,
            (true, None) => {
                let present = self.running.map(|running| running.refresher);
                role(present.or(self.settings.refresher).unwrap_or(End::Theirs), End::Theirs)
            }
        };
        self.running = Some(running(interval, end(refresher, End::Theirs), now));
        TimerAnswer { session_expires: Some((interval, refresher)), required: request.supported }
    }

    /// When something is due.
    pub fn deadline(&self) -> Option<Instant> {
        self.running.map(|running| running.refresh.min(running.end()))
    }

    /// Takes out what is due at `now`. A refresh is due once; the end is due until the session is over.
    pub fn due(&mut self, now: Instant) -> Option<SessionDue> {
        let running = self.running.as_mut()?;
        if running.end() <= now {
            return Some(SessionDue::Expired);
        }
        if running.refresh <= now {
            running.refresh = Instant::NEVER;
            return Some(SessionDue::Refresh);
        }
        None
    }
}

/// A timer that begins with the 2xx at `now`. An interval below what RFC 4028 §4 allows counts as 90 s: a peer cannot
/// make us refresh more often.
fn running(interval: u32, refresher: End, now: Instant) -> Running {
    let mut running = Running { interval: interval.max(LEAST_SESSION_INTERVAL), refresher, since: now, refresh: now };
    running.refresh = match refresher {
        End::Ours => now + running.interval() / 2,
        End::Theirs => Instant::NEVER,
    };
    running
}

/// The end that has this role in the transaction of the client `uac`.
const fn end(role: Refresher, uac: End) -> End {
    match role {
        Refresher::Uac => uac,
        Refresher::Uas => uac.other(),
    }
}

/// The role that this end has in the transaction of the client `uac`.
fn role(end: End, uac: End) -> Refresher {
    if end == uac { Refresher::Uac } else { Refresher::Uas }
}

#[cfg(test)]
mod tests {
    use super::*;
    use Refresher::{Uac, Uas};

    const START: Instant = Instant::from_millis(1_000);

    fn after(seconds: u64) -> Instant {
        START + Duration::from_secs(seconds)
    }

    const WANTED: SessionTimerSettings =
        SessionTimerSettings { interval: Some(1_800), minimum: LEAST_SESSION_INTERVAL, refresher: None };

    fn timer() -> SessionTimer {
        SessionTimer::new(WANTED)
    }

    fn quiet() -> SessionTimer {
        SessionTimer::new(SessionTimerSettings::default())
    }

    fn asks(supported: bool, session_expires: Option<(u32, Option<Refresher>)>, min_se: Option<u32>) -> TimerRequest {
        TimerRequest { session_expires, min_se, supported }
    }

    /// The messages 1 to 23 of RFC 4028 §13 at Alice's end.
    #[test]
    fn the_example_flow_at_the_caller() {
        let settings = SessionTimerSettings { interval: Some(50), ..WANTED };
        let mut alice = SessionTimer::new(settings);
        // The example's 50 s are below what is allowed; ours never asks for that.
        let first = alice.request();
        assert_eq!(first, asks(true, Some((90, None)), None));
        alice.raised(5);
        assert_eq!(alice.request(), asks(true, Some((90, None)), Some(90)), "no Min-SE is below 90");
        alice.raised(3_600);
        assert_eq!(alice.request(), asks(true, Some((3_600, None)), Some(3_600)));
        alice.raised(4_000);
        let third = asks(true, Some((4_000, None)), Some(4_000));
        assert_eq!(alice.request(), third);
        alice.accepted(third, Some((4_000, Some(Uac))), START);
        assert_eq!(alice.running(), Some((4_000, End::Ours)));
        assert_eq!(alice.deadline(), Some(after(2_000)), "around 2000 seconds later Alice sends an UPDATE");
        assert_eq!(alice.due(after(1_999)), None);
        assert_eq!(alice.due(after(2_000)), Some(SessionDue::Refresh));
        assert_eq!(alice.due(after(2_000)), None, "once");
        // There is no Min-SE in message 18.
        let refresh = alice.request();
        assert_eq!(refresh, asks(true, Some((4_000, Some(Uac))), None));
        alice.accepted(refresh, Some((4_000, Some(Uac))), after(2_001));
        assert_eq!(alice.deadline(), Some(after(4_001)));
    }

    /// The messages 12 to 22 of RFC 4028 §13 at Bob's end.
    #[test]
    fn the_example_flow_at_the_callee() {
        let mut bob = quiet();
        let invite = asks(true, Some((4_000, None)), Some(4_000));
        assert_eq!(bob.received(invite), Ok(()));
        assert_eq!(bob.answer(invite, START), TimerAnswer { session_expires: Some((4_000, Uac)), required: true });
        let update = asks(true, Some((4_000, Some(Uac))), None);
        assert_eq!(bob.received(update), Ok(()));
        let answer = bob.answer(update, after(2_000));
        assert_eq!(answer, TimerAnswer { session_expires: Some((4_000, Uac)), required: true });
        assert_eq!(bob.deadline(), Some(after(2_000 + 3_968)), "3968 seconds later Bob times out");
        assert_eq!(bob.due(after(5_967)), None);
        assert_eq!(bob.due(after(5_968)), Some(SessionDue::Expired));
    }

    /// RFC 4028 §9, Table 2, row by row. A request that must not be (`NA`) is answered as if the peer had no timers:
    /// only we refresh.
    #[test]
    fn table_2_row_by_row() {
        let ours = Some(End::Ours);
        let rows = [
            (false, None, None, Uas),
            (false, Some(Uac), None, Uas),
            (false, Some(Uas), None, Uas),
            (true, None, None, Uac),
            (true, None, ours, Uas),
            (true, Some(Uac), None, Uac),
            (true, Some(Uac), ours, Uac),
            (true, Some(Uas), None, Uas),
            (true, Some(Uas), Some(End::Theirs), Uas),
        ];
        for (supported, asked, choice, expected) in rows {
            let settings = SessionTimerSettings { refresher: choice, ..WANTED };
            let mut timer = SessionTimer::new(settings);
            let request = asks(supported, Some((1_200, asked)), None);
            assert_eq!(timer.received(request), Ok(()));
            let answer = timer.answer(request, START);
            let row = (supported, asked, choice);
            assert_eq!(answer.session_expires, Some((1_200, expected)), "{row:?}");
            // Where the UAC refreshes this is a MUST, where it could a SHOULD; a UAC without timers could not obey.
            assert_eq!(answer.required, supported, "{row:?}");
            let refresher = if expected == Uas { End::Ours } else { End::Theirs };
            assert_eq!(timer.running(), Some((1_200, refresher)), "{row:?}");
        }
    }

    #[test]
    fn a_small_interval_is_refused_only_where_the_peer_can_mend_it() {
        let settings = SessionTimerSettings { minimum: 600, ..WANTED };
        let mut timer = SessionTimer::new(settings);
        let small = asks(true, Some((599, None)), None);
        assert_eq!(timer.received(small), Err(IntervalTooSmall { min_se: 600 }));
        assert_eq!(timer.received(asks(true, Some((600, None)), None)), Ok(()));
        // A minimum below 90 counts as 90.
        let mut low = SessionTimer::new(SessionTimerSettings { minimum: 5, ..settings });
        assert_eq!(low.received(asks(true, Some((89, None)), None)), Err(IntervalTooSmall { min_se: 90 }));
        // A proxy has asked, and the caller has no timers.
        let request = asks(false, Some((100, None)), None);
        assert_eq!(timer.received(request), Ok(()));
        assert_eq!(timer.answer(request, START).session_expires, Some((100, Uas)), "a UAS must not increase it");
        let tiny = asks(false, Some((5, None)), None);
        assert_eq!(timer.answer(tiny, START).session_expires, Some((90, Uas)));
        // An interval of our own choice is none below the minimum, and our requests say the minimum.
        let wish = SessionTimerSettings { interval: Some(100), ..settings };
        let mut timer = SessionTimer::new(wish);
        assert_eq!(timer.request(), asks(true, Some((600, None)), Some(600)));
        assert_eq!(timer.answer(asks(true, None, None), START).session_expires, Some((600, Uac)));
    }

    #[test]
    fn a_callee_may_ask_for_a_timer_and_heeds_the_least_of_the_way() {
        let mut timer = timer();
        let request = asks(true, None, Some(2_000));
        assert_eq!(timer.received(request), Ok(()));
        assert_eq!(timer.answer(request, START).session_expires, Some((2_000, Uac)));
        // A later request of ours says so too, and keeps the roles.
        assert_eq!(timer.request(), asks(true, Some((2_000, Some(Uas))), Some(2_000)));
        // A peer without timers is asked for nothing.
        let mut other = SessionTimer::new(WANTED);
        assert_eq!(other.answer(asks(false, None, None), START), TimerAnswer::default());
        assert_eq!((other.running(), other.deadline()), (None, None));
    }

    #[test]
    fn a_peer_without_timers_is_refreshed_by_who_wants_one() {
        let mut timer = timer();
        let sent = timer.request();
        assert_eq!(sent, asks(true, Some((1_800, None)), None));
        timer.accepted(sent, None, START);
        assert_eq!(timer.running(), Some((1_800, End::Ours)));
        assert_eq!(timer.deadline(), Some(after(900)));
    }

    #[test]
    fn each_refresh_negotiates_anew_and_may_end_the_timer() {
        let mut timer = quiet();
        assert_eq!(timer.request(), asks(true, None, None));
        // A 2xx may have a timer that no one asked us for (§7.2).
        timer.accepted(timer.request(), Some((300, Some(Uas))), START);
        assert_eq!(timer.running(), Some((300, End::Theirs)));
        assert_eq!(timer.deadline(), Some(after(300 - 32)));
        // The peer refreshes, takes the other role by its own request, and a longer interval.
        let update = asks(true, Some((600, Some(Uas))), None);
        timer.answer(update, after(10));
        assert_eq!(timer.running(), Some((600, End::Ours)));
        assert_eq!(timer.deadline(), Some(after(10 + 300)));
        // The roles are kept where the peer does not choose.
        timer.answer(asks(true, Some((600, None)), None), after(20));
        assert_eq!(timer.running(), Some((600, End::Ours)));
        // A 2xx without Session-Expires: there is no session expiration.
        timer.accepted(timer.request(), None, after(30));
        assert_eq!((timer.running(), timer.deadline()), (None, None));
        timer.accepted(timer.request(), Some((600, Some(Uac))), after(40));
        assert_eq!(timer.answer(asks(true, None, None), after(50)), TimerAnswer::default());
        assert_eq!(timer.running(), None);
    }

    #[test]
    fn the_end_comes_a_third_of_a_short_interval_early() {
        let mut timer = quiet();
        timer.accepted(timer.request(), Some((90, Some(Uas))), START);
        assert_eq!(timer.deadline(), Some(after(60)));
        timer.accepted(timer.request(), Some((96, Some(Uas))), START);
        assert_eq!(timer.deadline(), Some(after(64)));
        timer.accepted(timer.request(), Some((97, Some(Uas))), START);
        assert_eq!(timer.deadline(), Some(after(65)));
    }

    #[test]
    fn an_interval_that_is_not_allowed_does_not_make_us_refresh_for_ever() {
        let mut timer = quiet();
        timer.accepted(timer.request(), Some((0, Some(Uac))), START);
        assert_eq!(timer.running(), Some((90, End::Ours)));
        assert_eq!(timer.deadline(), Some(after(45)));
        // The greatest one does not overflow.
        timer.accepted(timer.request(), Some((u32::MAX, None)), START);
        assert_eq!(timer.deadline(), Some(START + Duration::from_millis(u64::from(u32::MAX) * 500)));
    }

    #[test]
    fn a_refused_refresh_does_not_prolong_the_session() {
        let mut timer = timer();
        timer.accepted(timer.request(), Some((1_000, Some(Uac))), START);
        assert_eq!(timer.due(after(500)), Some(SessionDue::Refresh));
        // A greater interval is asked for, and the session still ends when it would have.
        timer.raised(2_000);
        assert_eq!(timer.request(), asks(true, Some((2_000, Some(Uac))), Some(2_000)));
        assert_eq!(timer.deadline(), Some(after(1_000)));
        // Half of what is left, as long as a transaction fits in twice.
        for (now, next) in [(600, 800), (800, 900), (900, 950), (950, 1_000)] {
            let refused = timer.refused(StatusCode::SERVER_INTERNAL_ERROR, after(now));
            assert_eq!(refused, RefreshRefused::Later);
            assert_eq!(timer.deadline(), Some(after(next)), "{now}");
            if next < 1_000 {
                assert_eq!(timer.due(after(next)), Some(SessionDue::Refresh));
            }
        }
        assert_eq!(timer.due(after(1_000)), Some(SessionDue::Expired));
    }

    #[test]
    fn a_refresh_that_cannot_be_sent_falls_due_again() {
        let mut timer = timer();
        timer.accepted(timer.request(), Some((90, Some(Uac))), START);
        assert_eq!(timer.due(after(45)), Some(SessionDue::Refresh));
        timer.postpone(after(49));
        assert_eq!(timer.due(after(48)), None);
        assert_eq!(timer.due(after(49)), Some(SessionDue::Refresh));
        timer.postpone(after(91));
        assert_eq!(timer.due(after(90)), Some(SessionDue::Expired));
        // The refreshes of the peer are not ours to put off.
        timer.accepted(timer.request(), Some((90, Some(Uas))), START);
        timer.postpone(after(1));
        assert_eq!(timer.deadline(), Some(after(60)));
    }

    #[test]
    fn a_peer_that_is_gone_ends_the_session_but_not_a_call_that_has_not_begun() {
        for status in [StatusCode::REQUEST_TIMEOUT, StatusCode::CALL_DOES_NOT_EXIST] {
            let mut timer = timer();
            let sent = timer.request();
            assert_eq!(timer.refused(status, START), RefreshRefused::Later);
            timer.accepted(sent, Some((1_800, Some(Uas))), START);
            assert_eq!(timer.refused(status, START), RefreshRefused::End);
        }
    }

    #[test]
    fn a_caller_may_choose_who_refreshes_from_the_first() {
        for (end, role) in [(End::Ours, Uac), (End::Theirs, Uas)] {
            let settings = SessionTimerSettings { refresher: Some(end), ..WANTED };
            let mut timer = SessionTimer::new(settings);
            let sent = timer.request();
            assert_eq!(sent, asks(true, Some((1_800, Some(role))), None));
            // A 2xx that does not say who refreshes leaves it at that.
            timer.accepted(sent, Some((1_800, None)), START);
            assert_eq!(timer.running(), Some((1_800, end)));
        }
    }

    #[test]
    fn a_request_of_the_peer_makes_the_dialog_and_its_min_se_is_heeded_from_then_on() {
        let mut timer = timer();
        timer.raised(3_600);
        // An UPDATE in the early dialog: only what is said within the dialog counts (§7.4).
        assert_eq!(timer.received(asks(true, None, Some(2_400))), Ok(()));
        assert_eq!(timer.request(), asks(true, Some((2_400, None)), Some(2_400)));
        timer.accepted(timer.request(), Some((2_400, Some(Uac))), START);
        assert_eq!(timer.received(asks(true, None, Some(1_900))), Ok(()));
        assert_eq!(timer.request().min_se, Some(2_400), "the largest");
    }
}
