//! The end of a REGISTER, and when the next one goes out by itself (RFC 3261 §10.2.4, §10.2.7, §10.2.8).

use super::Registrations;
use super::binding::Binding;
use super::book::{Goal, Registration};
use crate::message::header::{Contact, Expires, RetryAfter};
use crate::message::{Response, StatusCode, Uri};
use crate::time::{Duration, Instant};
use crate::user_agent::RegistrationId;
use crate::user_agent::agent::{Cx, Work};
use crate::user_agent::client::{Again, Outcome};
use crate::user_agent::event::{Cause, Event};
use crate::user_agent::floor::Floor;
use crate::user_agent::policy::BackOff;

/// How long before its end a binding is refreshed at least, as far as the binding is twice as long: a REGISTER that gets no
/// answer takes 64·T1 to fail.
const REFRESH_MARGIN: u64 = 30;

impl Registrations {
    /// Takes what has become of a REGISTER.
    pub(in crate::user_agent) fn heard(
        &mut self,
        on: &mut Floor,
        cx: &mut Cx<'_>,
        id: RegistrationId,
        outcome: Outcome,
    ) {
        match outcome {
            Outcome::Provisional(_) | Outcome::Paused => {}
            Outcome::Final(response) if response.status().is_success() => self.registered(on, cx, id, response),
            Outcome::Final(response) | Outcome::Collided(response) => {
                self.failed(on, cx, id, Cause::Refused(response));
            }
            Outcome::Over(concluded) => self.failed(on, cx, id, concluded.into()),
            Outcome::Again(Again { number, interval }) => {
                let Some(registration) = self.book.get_mut(id) else { return };
                registration.number = number.saturating_add(1);
                // 423: for as long as the registrar wants at least (§10.2.8).
                if let Some(least) = interval {
                    registration.terms.expires = Some(least);
                }
            }
        }
    }

    /// Takes the request out that has its end. `None` if there is none.
    pub(super) fn conclude(&mut self, id: RegistrationId) -> Option<Goal> {
        let registration = self.book.get_mut(id)?;
        registration.pending.take()?;
        let goal = registration.goal;
        if goal != Goal::Query {
            self.out = self.out.saturating_sub(1);
        }
        Some(goal)
    }

    /// A registration that failed: the binding, if there is one, is left to end by itself.
    fn failed(&mut self, on: &mut Floor, cx: &mut Cx<'_>, id: RegistrationId, cause: Cause) {
        let Some(goal) = self.conclude(id) else { return };
        // Without an answer the flow is as good as lost; an answer that will not change ends it too (RFC 5626 §4.2.2).
        let ends_flow = !matches!(cause, Cause::Refused(_)) || !may_pass(&cause);
        if ends_flow && self.book.get(id).is_some_and(|registration| registration.outbound_flow().is_some()) {
            self.let_die(on, cx, id);
        }
        let Some(registration) = self.book.get_mut(id) else { return };
        // Where the registrar is now (RFC 3263 §4).
        if registration.leave_home(&cause) && registration.next.is_none() && self.send(on, cx, id).is_ok() {
            return;
        }
        let Some(registration) = self.book.get_mut(id) else { return };
        if registration.lengthen(&cause) && registration.next.is_none() && self.send(on, cx, id).is_ok() {
            return;
        }
        let Some(registration) = self.book.get_mut(id) else { return };
        registration.clear_service_route(id, on);
        let is_lacking = cause.counts_as() == StatusCode::FIRST_HOP_LACKS_OUTBOUND_SUPPORT;
        if is_lacking && registration.next.is_none() && core::mem::take(&mut registration.terms.outbound) {
            // Without a flow, then (RFC 5626 §4.2.1).
            if self.send(on, cx, id).is_ok() {
                return;
            }
        }
        self.tell_failure(on, cx, id, cause);
        if goal == Goal::Query {
            self.forget(on, cx, id);
        } else {
            self.send_next(on, cx, id);
            self.tell_the_end(cx);
        }
    }

    /// Time to refresh a binding (§10.2.4).
    pub(in crate::user_agent) fn refresh(&mut self, on: &mut Floor, cx: &mut Cx<'_>, id: RegistrationId) {
        let Some(registration) = self.book.get_mut(id) else { return };
        registration.timer = None;
        registration.is_corrected = false;
        if self.send(on, cx, id).is_err() {
            self.tell_failure(on, cx, id, Cause::Unreachable);
        }
    }

    /// Tells of a failure, and sees to the next attempt if one is made by itself (§10.2.7, RFC 5626 §4.5).
    pub(super) fn tell_failure(&mut self, on: &Floor, cx: &mut Cx<'_>, id: RegistrationId, cause: Cause) {
        let again = self.try_again(on, cx, id, &cause);
        cx.emit(Event::RegistrationFailed { registration: id, cause, again });
    }

    fn try_again(&mut self, on: &Floor, cx: &mut Cx<'_>, id: RegistrationId, cause: &Cause) -> Option<Instant> {
        if may_pass(cause) { self.try_later(on, cx, id, asked_to_wait(cause)) } else { None }
    }

    /// Sees to the next attempt after one more failure, not before `at_least` has passed: when that is. `None`: the next command does it.
    pub(super) fn try_later(
        &mut self,
        on: &Floor,
        cx: &mut Cx<'_>,
        id: RegistrationId,
        at_least: Duration,
    ) -> Option<Instant> {
        let registration = self.book.get_mut(id)?;
        let usual = registration.terms.outbound.then(BackOff::default);
        let back_off = on.profile.policy.registering.or(usual)?;
        if registration.goal != Goal::Keep || registration.next.is_some() {
            return None;
        }
        registration.failures = registration.failures.saturating_add(1);
        let wait = back_off.wait(registration.failures, cx.random())?;
        let at = cx.now() + wait.max(at_least);
        if let Some(refresh) = registration.timer.replace(cx.arm(at, Work::Refresh(id))) {
            cx.disarm(refresh);
        }
        Some(at)
    }

    fn registered(&mut self, on: &mut Floor, cx: &mut Cx<'_>, id: RegistrationId, response: Response) {
        let Some(goal) = self.conclude(id) else { return };
        let Some(registration) = self.book.get_mut(id) else { return };
        if goal == Goal::Query {
            cx.emit(Event::Bindings { query: id, response });
            self.forget(on, cx, id);
            return;
        }
        registration.is_lengthened = false;
        // A flow is a success with the first keep-alive that is answered (RFC 5626 §4.5).
        if registration.alive.as_ref().is_none_or(|alive| alive.is_proved || !alive.is_outbound) {
            registration.failures = 0;
        }
        let mut is_seen_elsewhere = false;
        if goal == Goal::Keep {
            registration.set_service_route(id, on, cx, &response);
            let granted = granted(registration, &response, on, cx);
            registration.terms.forget_removed();
            let removed = registration.removed.min(registration.stale.len());
            registration.stale.drain(..removed);
            if let Some(granted) = granted.filter(|_| registration.next.is_none()) {
                let at = cx.now() + refresh_after(granted);
                registration.timer = Some(cx.arm(at, Work::Refresh(id)));
                is_seen_elsewhere = registration.learn(on, cx, &response);
            }
        } else {
            registration.clear_service_route(id, on);
        }
        let is_over = goal != Goal::Keep && registration.next.is_none();
        cx.emit(Event::Registered { registration: id, response });
        if is_over {
            self.forget(on, cx, id);
        }
        if is_seen_elsewhere && self.send(on, cx, id).is_err() {
            self.tell_failure(on, cx, id, Cause::Unreachable);
        }
        self.send_next(on, cx, id);
        self.tell_the_end(cx);
    }

    /// Sends what the application has asked for while a request was out.
    fn send_next(&mut self, on: &mut Floor, cx: &mut Cx<'_>, id: RegistrationId) {
        let Some(registration) = self.book.get_mut(id) else { return };
        let Some(next) = registration.next.take() else { return };
        let (goal, terms) = *next;
        registration.take_on(goal, terms);
        if self.send(on, cx, id).is_err() {
            self.tell_failure(on, cx, id, Cause::Unreachable);
        }
    }

    /// Tells that no request is out any more, if the application waits for that.
    pub(super) fn tell_the_end(&mut self, cx: &mut Cx<'_>) {
        if self.ending && self.out == 0 {
            self.ending = false;
            cx.emit(Event::Unregistered);
        }
    }
}

/// The seconds for which the registrar keeps that one of our bindings that ends first: by the parameter of its Contact, else by
/// Expires (§10.2.4), else what was asked for. `None` if it keeps none.
fn granted(registration: &Registration, response: &Response, on: &Floor, cx: &Cx<'_>) -> Option<u32> {
    let terms = &registration.terms;
    let headers = response.headers();
    let of_all = headers.get::<Expires>().and_then(Result::ok).map(|Expires(seconds)| seconds);
    let is_of = |binding: &Binding, uri: Uri<'_>| match binding.uri().or(registration.seen.as_ref()) {
        Some(ours) => ours.as_uri().equivalent(uri),
        None => on.accounts.get(terms.account).is_contact(cx, terms.likeness(), uri),
    };
    let granted = |binding: &Binding| {
        let is_it = |value: &Contact<'_>| value.address().is_some_and(|address| is_of(binding, address.uri));
        let by_contact = headers.all::<Contact<'_>>().flatten().find(is_it).and_then(Contact::expires);
        by_contact.or(of_all).unwrap_or_else(|| terms.interval(binding))
    };
    let kept = terms.bindings.iter().filter(|binding| terms.interval(binding) > 0);
    kept.map(granted).filter(|seconds| *seconds > 0).min()
}

/// Whether a registration or subscription that failed so may succeed later, as it is.
pub(in crate::user_agent) fn may_pass(cause: &Cause) -> bool {
    const PASSING: [StatusCode; 6] = [
        StatusCode::REQUEST_TIMEOUT,
        StatusCode::TEMPORARILY_UNAVAILABLE,
        StatusCode::SERVER_INTERNAL_ERROR,
        StatusCode::BAD_GATEWAY,
        StatusCode::SERVICE_UNAVAILABLE,
        StatusCode::SERVER_TIMEOUT,
    ];
    PASSING.contains(&cause.counts_as())
}

/// How long a response asks to wait at least (RFC 3261 §20.33).
fn asked_to_wait(cause: &Cause) -> Duration {
    let Cause::Refused(response) = cause else { return Duration::ZERO };
    let after = response.headers().get::<RetryAfter<'_>>().and_then(Result::ok);
    after.map_or(Duration::ZERO, |after| Duration::from_secs(after.seconds.into()))
}

/// When a binding or subscription of so many seconds is refreshed: a tenth of it before its end, but at least 30 s, and no earlier than
/// half of it; never sooner than a second.
pub(in crate::user_agent) fn refresh_after(granted: u32) -> Duration {
    let granted = u64::from(granted);
    let margin = (granted / 10).max(REFRESH_MARGIN).min(granted / 2);
    Duration::from_secs((granted - margin).max(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_binding_is_refreshed_a_tenth_or_thirty_seconds_before_its_end() {
        let after = |granted| refresh_after(granted).as_secs();
        assert_eq!(after(7200), 6480);
        assert_eq!(after(300), 270);
        assert_eq!(after(120), 90);
        assert_eq!(after(60), 30);
        assert_eq!(after(20), 10);
        assert_eq!(after(1), 1);
        assert_eq!(after(u32::MAX), 3_865_470_566);
    }
}
