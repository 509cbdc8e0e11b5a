//! Session timers: how a session is refreshed, and the end of one that was not (RFC 4028).
//!
//! Our refresh is an UPDATE without a session description, if the peer's Allow names that method; else it is a re-INVITE with the
//! description that this end has sent last, so that nothing changes (RFC 4028 §7.4). The application hears of the refresh only if the
//! answer differs from the one before. A re-INVITE that the application asks for meanwhile is sent after ours.
//!
//! Before there is an answer an UPDATE says nothing of the session timer: the 2xx to the INVITE does.
//!
//! A re-INVITE of the peer whose offer is that of the last exchange, byte for byte, is answered with the answer of that exchange, and the
//! application is not asked: that answer fits, since it was given to this very offer. Any other re-INVITE of the peer is a change, which
//! the application decides. It refreshes the session all the same.

use alloc::boxed::Box;

use super::super::agent::{Cx, Work};
use super::super::compose::Extra;
use super::super::event::{Cause, Event};
use super::super::floor::Floor;
use super::super::profile::Profile;
use super::super::server::Served;
use super::super::session_timer::{add_answer, add_request, answered, asked, is_timed};
use super::Calls;
use super::call::{Call, Ours, Session, Stage};
use super::machine::{Input, Phase};
use super::modify::Change;
use crate::dialog::{DialogId, RefreshRefused, SessionDue, SessionTimer};
use crate::message::header::Allow;
use crate::message::{HeaderId, Headers, Method, Request, Response, StatusCode};
use crate::time::Duration;
use crate::timer::TimerId;
use crate::user_agent::{CallId, RequestId};

/// How long a refresh, or the end of a session, waits for a change of the session that is in progress: as long as a change that has met
/// another waits at most (RFC 3261 §14.1).
const WAIT_FOR_CHANGE: Duration = Duration::from_secs(4);

/// The session timer of a dialog, and what its refreshes need.
#[derive(Clone, Debug)]
pub(super) struct Refresh {
    timer: SessionTimer,
    /// Fires when the timer has something due.
    alarm: Option<TimerId>,
    /// The change that the application has asked for while a refresh was in progress.
    held: Option<Extra>,
    /// The peer takes UPDATE.
    pub(super) has_update: bool,
}

/// A 2xx of ours with the fields of the session timer, and the timer as it is once the 2xx is sent.
pub(super) struct Timed {
    timer: SessionTimer,
    pub(super) extra: Extra,
}

impl Refresh {
    const fn new(profile: &Profile) -> Self {
        Self { timer: SessionTimer::new(profile.session_timer), alarm: None, held: None, has_update: false }
    }

    /// Takes note of whether the peer takes UPDATE, if it says so.
    fn note_allow(&mut self, headers: Headers<'_>) {
        if headers.contains(HeaderId::Allow) {
            self.has_update = headers.all::<Allow<'_>>().flatten().any(|Allow(method)| method == Method::Update);
        }
    }
}

impl Session {
    pub(super) fn refresh(&self) -> Option<&Refresh> {
        self.changes.as_ref()?.refresh.as_deref()
    }

    fn refresh_mut(&mut self) -> Option<&mut Refresh> {
        self.changes.as_mut()?.refresh.as_deref_mut()
    }

    /// Whether our requests say something of the session timer.
    pub(super) fn is_timed(&self) -> bool {
        self.phase != Phase::Early && self.refresh().is_some()
    }

    /// Whether a message with these fields leaves the session without a timer: there is none, and neither end wants one. Then nothing is kept.
    fn stays_untimed(&self, profile: &Profile, headers: Headers<'_>) -> bool {
        self.refresh().is_none() && wants_none(profile, headers)
    }

    /// The session timer, which is kept from now on.
    fn begin_refresh(&mut self, profile: &Profile) -> &mut Refresh {
        self.changes().refresh.get_or_insert_with(|| Box::new(Refresh::new(profile)))
    }

    /// Whether our 2xx waits for its ACK that has answered a refresh, of which the application does not know.
    fn has_answered_refresh(&self) -> bool {
        self.accepted.as_ref().is_some_and(|accepted| accepted.is_refresh)
    }

    /// Whether the application may use the session: it is established, and at most a refresh is in progress.
    pub(super) fn is_usable(&self) -> bool {
        self.phase == Phase::Established || (self.phase == Phase::Accepted && self.has_answered_refresh())
    }

    /// The fields and the body of a re-INVITE or an UPDATE, with the fields of the session timer if there is one (RFC 4028 §7.4).
    pub(super) fn timed_request(&self, extra: &Extra) -> Option<Box<Extra>> {
        let mut extra = extra.clone();
        if let Some(refresh) = self.refresh() {
            add_request(&mut extra, refresh.timer.request());
        }
        (!extra.is_empty()).then(|| Box::new(extra))
    }

    /// Keeps a change that the application asks for until a refresh in progress is done: false if there is none. A refresh of ours that
    /// waits to be sent again is given up for the change, which refreshes the session too.
    pub(super) fn hold_change(&mut self, cx: &mut Cx<'_>, id: CallId, extra: &Extra) -> bool {
        if self.drop_waiting_refresh(cx)
            && let Some(refresh) = self.refresh_mut()
        {
            // Should the change come to nothing, the refresh is due again.
            refresh.timer.postpone(cx.now() + WAIT_FOR_CHANGE);
            set_alarm(cx, id, refresh);
        }
        let is_answering = self.phase == Phase::Accepted && self.has_answered_refresh();
        let Some(changes) = self.changes.as_mut() else { return false };
        let is_out = self.phase == Phase::Established && changes.ours.as_ref().is_some_and(|ours| ours.is_refresh);
        let Some(refresh) = changes.refresh.as_deref_mut() else { return false };
        if !(is_answering || is_out) || refresh.held.is_some() {
            return false;
        }
        refresh.held = Some(extra.clone());
        true
    }

    /// Takes the change out that waits for the end of a refresh.
    pub(super) fn take_held(&mut self) -> Option<Extra> {
        self.refresh_mut()?.held.take()
    }

    /// Gives up a refresh of ours that waits to be sent again: false if there is none.
    fn drop_waiting_refresh(&mut self, cx: &mut Cx<'_>) -> bool {
        let is_waiting = |ours: &mut Ours| ours.is_refresh && matches!(ours.stage, Stage::Waiting(_));
        let waiting = self.changes.as_mut().and_then(|changes| changes.ours.take_if(is_waiting));
        let Some(Ours { stage: Stage::Waiting(timer), .. }) = waiting else { return false };
        cx.disarm(timer);
        true
    }

    /// Takes note of the session timer of a re-INVITE or UPDATE of the peer. An interval that is too small, and that the peer can mend, is
    /// refused: the least interval in seconds (RFC 4028 §9).
    pub(super) fn time_request(&mut self, profile: &Profile, request: &Request) -> Result<(), u32> {
        if !profile.has_session_timers() || self.stays_untimed(profile, request.headers()) {
            return Ok(());
        }
        self.begin_refresh(profile).timer.received(asked(request)).map_err(|small| small.min_se)
    }

    /// A request of ours has got a 422 and goes out again (RFC 4028 §7.4).
    pub(super) fn raise_interval(&mut self, min_se: Option<u32>) {
        if let (Some(refresh), Some(min_se)) = (self.refresh_mut(), min_se) {
            refresh.timer.raised(min_se);
        }
    }

    /// The session is over, or will be: it needs no refresh.
    pub(super) fn end_refresh(&mut self, cx: &mut Cx<'_>) {
        let refresh = self.changes.as_mut().and_then(|changes| changes.refresh.take());
        if let Some(changes) = &mut self.changes {
            changes.exchange = None;
        }
        if let Some(alarm) = refresh.and_then(|refresh| refresh.alarm) {
            cx.disarm(alarm);
        }
    }
}

/// Whether neither this end nor a message with these fields wants a session timer.
fn wants_none(profile: &Profile, headers: Headers<'_>) -> bool {
    profile.session_timer.interval.is_none() && !is_timed(headers)
}

/// The least interval, if an INVITE outside of dialogs asks for less and its sender can mend that (RFC 4028 §9).
pub(super) fn least_interval(profile: &Profile, invite: &Request) -> Result<(), u32> {
    if !profile.has_session_timers() || wants_none(profile, invite.headers()) {
        return Ok(());
    }
    SessionTimer::new(profile.session_timer).received(asked(invite)).map_err(|small| small.min_se)
}

impl Floor {
    /// Refuses a session interval that is too small (RFC 4028 §6).
    pub(super) fn refuse_interval(&mut self, cx: &mut Cx<'_>, served: &Served, least: u32) {
        self.respond_final(cx, served, StatusCode::SESSION_INTERVAL_TOO_SMALL, |lines| {
            lines.number(HeaderId::MinSe, least);
        });
    }
}

impl Calls {
    /// A 2xx to our INVITE came, or to a change of ours by this re-INVITE or UPDATE: the session timer is negotiated anew (RFC 4028 §7.2).
    pub(super) fn timer_accepted(
        &mut self,
        on: &Floor,
        cx: &mut Cx<'_>,
        id: CallId,
        dialog: DialogId,
        change: Option<RequestId>,
        response: &Response,
    ) {
        let Some(session) = self.session_mut(id, dialog).filter(|_| on.profile.has_session_timers()) else { return };
        if session.stays_untimed(&on.profile, response.headers()) {
            return;
        }
        let request = change.or_else(|| self.caller(id)?.invite);
        let kept = request.and_then(|request| on.requests.request(request));
        let Some(session) = self.session_mut(id, dialog) else { return };
        let refresh = session.begin_refresh(&on.profile);
        let sent = kept.map_or_else(|| refresh.timer.request(), asked);
        refresh.timer.accepted(sent, answered(response), cx.now());
        refresh.note_allow(response.headers());
        set_alarm(cx, id, refresh);
    }

    /// Our 2xx to an INVITE, or to an UPDATE in a dialog, with the fields of the session timer (RFC 4028 §9). `None`: there are no session
    /// timers.
    pub(super) fn timed_answer(
        &self,
        on: &Floor,
        cx: &Cx<'_>,
        id: CallId,
        dialog: Option<DialogId>,
        served: &Served,
        extra: &Extra,
    ) -> Option<Box<Timed>> {
        if !on.profile.has_session_timers() {
            return None;
        }
        let call = self.table.get(id)?;
        let session =
            call.sessions.iter().find(|session| dialog.map_or(session.main, |dialog| session.dialog == dialog));
        if served.request.method() == Method::Update && session.is_none_or(|session| session.phase == Phase::Early) {
            return None;
        }
        if session.map_or_else(
            || wants_none(&on.profile, served.request.headers()),
            |session| session.stays_untimed(&on.profile, served.request.headers()),
        ) {
            return None;
        }
        let known = session.and_then(Session::refresh);
        let mut timer = known.map_or(SessionTimer::new(on.profile.session_timer), |refresh| refresh.timer);
        let request = asked(&served.request);
        // An interval that is too small was refused when the request came.
        let _ = timer.received(request);
        let answer = timer.answer(request, cx.now());
        let mut extra = extra.clone();
        add_answer(&mut extra, answer);
        Some(Box::new(Timed { timer, extra }))
    }

    /// That 2xx is sent.
    pub(super) fn timer_answered(
        &mut self,
        on: &Floor,
        cx: &mut Cx<'_>,
        id: CallId,
        dialog: DialogId,
        served: &Served,
        timed: Option<Box<Timed>>,
    ) {
        let Some(timer) = timed.map(|timed| timed.timer) else { return };
        let Some(session) = self.session_mut(id, dialog) else { return };
        let refresh = session.begin_refresh(&on.profile);
        refresh.timer = timer;
        refresh.note_allow(served.request.headers());
        set_alarm(cx, id, refresh);
        // The session is refreshed: a refresh of ours that has met that one has no purpose any more.
        session.drop_waiting_refresh(cx);
    }

    /// A change of ours was refused for good. True if that ends the session, which a BYE tells (RFC 4028 §10).
    pub(super) fn timer_refused(&mut self, cx: &mut Cx<'_>, id: CallId, dialog: DialogId, status: StatusCode) -> bool {
        let refresh = self.session_mut(id, dialog).and_then(Session::refresh_mut);
        let Some(refresh) = refresh else { return false };
        let refused = refresh.timer.refused(status, cx.now());
        set_alarm(cx, id, refresh);
        refused == RefreshRefused::End
    }

    /// The peer does not take UPDATE after all: the refresh goes out as a re-INVITE. False if the status says something else.
    pub(super) fn refresh_without_update(
        &mut self,
        on: &mut Floor,
        cx: &mut Cx<'_>,
        id: CallId,
        dialog: DialogId,
        status: StatusCode,
    ) -> bool {
        let is_unknown = matches!(status, StatusCode::METHOD_NOT_ALLOWED | StatusCode::NOT_IMPLEMENTED);
        let refresh = self.session_mut(id, dialog).and_then(Session::refresh_mut).filter(|_| is_unknown);
        let Some(refresh) = refresh else { return false };
        refresh.has_update = false;
        self.send_refresh(on, cx, id, dialog);
        true
    }

    /// Something is due of a session timer (RFC 4028 §10).
    pub(in crate::user_agent) fn timer_due(&mut self, on: &mut Floor, cx: &mut Cx<'_>, id: CallId) {
        let Some(session) = self.table.get_mut(id).and_then(Call::main_mut) else { return };
        let (dialog, phase) = (session.dialog, session.phase);
        let Some(refresh) = session.refresh_mut() else { return };
        refresh.alarm = None;
        match refresh.timer.due(cx.now()) {
            Some(SessionDue::Expired) if phase == Phase::Established => {
                self.step(on, cx, id, dialog, Input::Expired, None);
            }
            // A BYE has to wait for an ACK, which comes or is given up (§15).
            Some(SessionDue::Expired) => {
                refresh.alarm = Some(cx.arm(cx.now() + WAIT_FOR_CHANGE, Work::SessionTimer(id)));
            }
            Some(SessionDue::Refresh) => self.send_refresh(on, cx, id, dialog),
            None => set_alarm(cx, id, refresh),
        }
    }

    /// Sends a refresh, as soon as no change of the session is in progress.
    fn send_refresh(&mut self, on: &mut Floor, cx: &mut Cx<'_>, id: CallId, dialog: DialogId) {
        let Some(session) = self.session_mut(id, dialog) else { return };
        let may_renew = session.may_renew();
        let Some(refresh) = session.refresh_mut() else { return };
        if !may_renew {
            refresh.timer.postpone(cx.now() + WAIT_FOR_CHANGE);
            return set_alarm(cx, id, refresh);
        }
        set_alarm(cx, id, refresh);
        if self.renew(on, cx, id, dialog).is_err() {
            // There is no way at present (RFC 3261 §8.1.3.1).
            self.timer_refused(cx, id, dialog, StatusCode::SERVICE_UNAVAILABLE);
        }
    }

    /// A refresh is done: the change that has waited for its end is sent.
    pub(super) fn send_held(&mut self, on: &mut Floor, cx: &mut Cx<'_>, id: CallId) {
        let Some(session) = self.table.get_mut(id).and_then(Call::main_mut) else { return };
        let dialog = session.dialog;
        if session.phase != Phase::Established {
            return;
        }
        let Some(extra) = session.take_held() else { return };
        if self.send_change(on, cx, id, dialog, Change { extra, glares: 0, is_refresh: false }).is_err() {
            let cause = Cause::Unreachable;
            cx.emit(Event::ModifyFailed { call: id, dialog, cause, synchronize: false });
        }
    }
}

/// Sets the alarm for what is due next.
fn set_alarm(cx: &mut Cx<'_>, id: CallId, refresh: &mut Refresh) {
    let at = refresh.timer.deadline();
    match (at, refresh.alarm) {
        (Some(at), Some(alarm)) if cx.rearm(alarm, at) => {}
        (Some(at), _) => refresh.alarm = Some(cx.arm(at, Work::SessionTimer(id))),
        (None, Some(alarm)) => {
            cx.disarm(alarm);
            refresh.alarm = None;
        }
        (None, None) => {}
    }
}
