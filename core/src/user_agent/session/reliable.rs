//! Reliable provisional responses that we send, and the PRACKs of the peer (RFC 3262 §3, §5).

use alloc::boxed::Box;

use super::super::agent::{Cx, Work};
use super::super::compose::{Extra, Reply};
use super::super::description::request_describes;
use super::super::event::{Cause, Event};
use super::super::floor::Floor;
use super::super::server::{Served, refuse_for_now};
use super::Calls;
use super::call::{Callee, Ringing, Session, Side, Theirs};
use super::exchange::Described;
use crate::dialog::{self, Carrier, DialogId, DialogState, Meaning, ReliableDue, ReliableResponses};
use crate::error::CommandError;
use crate::extension::{Demand, Extension, Extensions};
use crate::message::header::RAck;
use crate::message::{HeaderId, Method, Request, SharedBytes, StatusCode};
use crate::time::Duration;
use crate::timer::TimerId;
use crate::transaction::ServerTransactionId;
use crate::user_agent::CallId;

/// How often a reliable provisional response is followed by another, so that no proxy gives up (§3).
const RINGING_INTERVAL: Duration = Duration::from_secs(150);

/// The reliable provisional responses of an INVITE that we got.
#[derive(Clone, Debug)]
pub(super) struct Reliable {
    server: ServerTransactionId,
    responses: ReliableResponses<(StatusCode, SharedBytes)>,
    /// When something is due among these.
    timer: Option<TimerId>,
    /// The 2xx that waits for PRACKs, or for the application's answer to the offer of one.
    withheld: Option<Extra>,
    /// Each response whose description a 2xx has to wait for is acknowledged.
    is_released: bool,
    /// The number of the response whose PRACK had an offer that was refused: it is acknowledged, and may be once more, without an offer
    /// (RFC 6337 §2.3).
    refused: Option<u32>,
}

impl Reliable {
    /// Sets the timer for what is due next.
    fn set_timer(&mut self, cx: &mut Cx<'_>, dialog: DialogId) {
        self.stop(cx);
        self.timer = self.responses.deadline().map(|at| cx.arm(at, Work::Reliable(dialog)));
    }

    /// Nothing is repeated any more.
    pub(super) fn stop(&mut self, cx: &mut Cx<'_>) {
        if let Some(timer) = self.timer.take() {
            cx.disarm(timer);
        }
    }

    /// The INVITE is refused: nothing is sent again, but the PRACK that may be on its way is taken for a while (§3). False if there is
    /// none to wait for.
    fn outlive(&mut self, cx: &mut Cx<'_>, dialog: DialogId) -> bool {
        self.stop(cx);
        let _ = self.responses.refuse();
        let waits = !self.responses.is_empty();
        if waits {
            let at = cx.now() + cx.config().timers.sixty_four_t1();
            self.timer = Some(cx.arm(at, Work::Reliable(dialog)));
        }
        waits
    }

    /// Keeps a 2xx until its turn has come: true if that is now. One that is held waits for the answer to the offer of a PRACK, too.
    fn accept(&mut self, cx: &mut Cx<'_>, extra: &Extra, is_held: bool) -> Result<bool, CommandError> {
        if self.withheld.is_some() {
            return Err(CommandError::WrongState);
        }
        self.is_released = self.responses.accept()?;
        if self.is_released {
            self.stop(cx);
        }
        let is_now = self.is_released && !is_held;
        if !is_now {
            self.withheld = Some(extra.clone());
        }
        Ok(is_now)
    }
}

impl Session {
    pub(super) fn reliable(&mut self) -> Option<&mut Reliable> {
        self.changes.as_mut()?.reliable.as_deref_mut()
    }

    /// Whether a PRACK of the peer has an offer that the application has not answered.
    fn has_offer_of_prack(&self) -> bool {
        let theirs = self.changes.as_ref().and_then(|changes| changes.theirs.as_ref());
        theirs.is_some_and(|theirs| theirs.served.request.method() == Method::Prack)
    }

    /// Keeps a 2xx to the INVITE until the PRACKs are there that it has to wait for: true if it goes now.
    pub(super) fn accept_in_turn(&mut self, cx: &mut Cx<'_>, extra: &Extra) -> Result<bool, CommandError> {
        let is_held = self.has_offer_of_prack();
        self.reliable().map_or(Ok(true), |reliable| reliable.accept(cx, extra, is_held))
    }
}

/// Whether the caller demands that provisional responses are reliable, and whether it takes them so (§3).
fn wishes(invite: &Request) -> (bool, bool) {
    let all = Extensions::of(&[Extension::Reliable]);
    let demanded = Demand::of_require(invite.headers(), all).understood.contains(Extension::Reliable);
    let supported = Extensions::supported(invite.headers()).contains(Extension::Reliable);
    (demanded, demanded || supported)
}

impl Calls {
    /// Whether the INVITE of an undecided call demands reliable provisional responses.
    pub(super) fn must_be_reliable(on: &Floor, served: &Served) -> bool {
        on.profile.extensions().contains(Extension::Reliable) && wishes(&served.request).0
    }

    /// Sends a provisional response reliably, or keeps it until those before it are acknowledged.
    pub(in crate::user_agent) fn progress_reliably(
        &mut self,
        on: &mut Floor,
        cx: &mut Cx<'_>,
        id: CallId,
        status: StatusCode,
        extra: &Extra,
    ) -> Result<(), CommandError> {
        let served = self.offered(id)?;
        if status.class() != 1 || status == StatusCode::TRYING {
            return Err(CommandError::Invalid("status"));
        }
        if !on.profile.extensions().contains(Extension::Reliable) || !wishes(&served.request).1 {
            return Err(CommandError::Invalid("100rel"));
        }
        extra.check()?;
        let describes = extra.describes();
        let mut offers = self.offers_of(id, &served);
        // The first one has to have an offer if the INVITE has none (§5).
        let meaning = offers.sent(Carrier::Reliable, describes);
        meaning.map_err(|_| CommandError::Invalid("body"))?;
        let dialog = self.offered_dialog(on, cx, id, &served, DialogState::Early)?;
        let number = served.request.cseq().ok_or(CommandError::Invalid("request"))?.number;
        let session = self.session_mut(id, dialog).ok_or(CommandError::Gone)?;
        let mut reliable = session.changes().reliable.take().unwrap_or_else(|| {
            let timers = cx.config().timers;
            let limits = dialog::Limits { reliable_responses: on.profile.limits.reliable_responses };
            let responses = ReliableResponses::new(number, cx.random(), &timers, &limits);
            Box::new(Reliable {
                server: served.server,
                responses,
                timer: None,
                withheld: None,
                is_released: false,
                refused: None,
            })
        });
        let mut extra = extra.clone();
        extra.write(HeaderId::Require.into(), Extension::Reliable.tag().as_bytes());
        if on.profile.capabilities {
            // The caller may send an UPDATE from now on (RFC 3311 §4).
            extra.write(HeaderId::Allow.into(), on.profile.allow().as_bytes());
        }
        let now = cx.now();
        let sent = reliable.responses.send(describes, now, |rseq| {
            extra.write(HeaderId::RSeq.into(), alloc::format!("{rseq}").as_bytes());
            Ok((status, on.dialog_response(cx, &served, status, &extra)?))
        });
        let sent = sent.map(|sent| sent.cloned());
        if let Ok(Some((status, octets))) = &sent {
            // A transaction that is over has nobody who waits.
            let _ = cx.respond_octets(served.server, *status, octets.clone());
            reliable.set_timer(cx, dialog);
        }
        let is_sent = sent.map(|_| ());
        if let Some(session) = self.session_mut(id, dialog) {
            if is_sent.is_ok() {
                session.offers = offers;
            }
            session.changes().reliable = Some(reliable);
        }
        is_sent?;
        self.note_ours(on, id, dialog, meaning, &extra, &served);
        let at = now + RINGING_INTERVAL;
        if let Some(Callee::Offered(offered)) = self.callee(id) {
            let rearmed = offered.ringing.take().filter(|ringing| cx.rearm(ringing.timer, at));
            let timer = rearmed.map_or_else(|| cx.arm(at, Work::Ringing(id)), |ringing| ringing.timer);
            offered.ringing = Some(Ringing { timer, status, response: None });
        }
        Ok(())
    }

    /// An INVITE that we got has a final response other than 2xx: the call is over, and is forgotten once no PRACK can come.
    pub(super) fn refused_invite(&mut self, on: &mut Floor, cx: &mut Cx<'_>, id: CallId) {
        self.drop_all_changes(on, cx, id);
        let Some(call) = self.table.get_mut(id) else { return };
        let waits = call.main_mut().is_some_and(|session| {
            let dialog = session.dialog;
            session.reliable().is_some_and(|reliable| reliable.outlive(cx, dialog))
        });
        call.over = true;
        if !waits {
            self.forget(on, cx, id);
        }
    }

    /// Whether all that is left of a call is the PRACK that its refused INVITE may still get.
    pub(super) fn awaits_only_prack(&self, id: CallId) -> bool {
        self.table.get(id).is_some_and(|call| call.over && matches!(call.side, Side::Callee(Callee::Offered(_))))
    }

    /// Something is due among the reliable responses: one again, or their end (§3).
    pub(in crate::user_agent) fn reliable_due(&mut self, on: &mut Floor, cx: &mut Cx<'_>, dialog: DialogId) {
        let Some(id) = on.call_of(dialog) else { return };
        if self.awaits_only_prack(id) {
            return self.forget(on, cx, id);
        }
        let Some(reliable) = self.session_mut(id, dialog).and_then(Session::reliable) else { return };
        reliable.timer = None;
        let now = cx.now();
        match reliable.responses.due(now) {
            Some(ReliableDue::Again((status, octets))) => {
                let _ = cx.respond_octets(reliable.server, *status, octets.clone());
                reliable.set_timer(cx, dialog);
            }
            Some(ReliableDue::Unacknowledged) => {
                self.terminate(on, cx, id, StatusCode::SERVER_TIMEOUT, Cause::Unacknowledged);
            }
            None => reliable.set_timer(cx, dialog),
        }
    }

    /// A PRACK (§3, §5).
    pub(super) fn prack_received(
        &mut self,
        on: &mut Floor,
        cx: &mut Cx<'_>,
        served: &Served,
        id: CallId,
        dialog: DialogId,
    ) {
        let Some(Ok(rack)) = served.request.headers().get::<RAck<'_>>() else {
            return on.respond_final(cx, served, StatusCode::BAD_REQUEST, |_| {});
        };
        let describes = request_describes(&served.request);
        let matching = self.session_mut(id, dialog).and_then(|session| {
            let reliable = session.reliable()?;
            let is_described = match reliable.responses.matching(rack) {
                None if reliable.refused == Some(rack.rseq) => false,
                matching => matching?,
            };
            Some((session.offers, is_described))
        });
        let Some((mut offers, is_described)) = matching else {
            return on.respond_final(cx, served, StatusCode::CALL_DOES_NOT_EXIST, |_| {});
        };
        if self.awaits_only_prack(id) {
            on.respond_final(cx, served, StatusCode::OK, |_| {});
            return self.forget(on, cx, id);
        }
        // A PRACK that has nothing to do with an offer counts for nothing.
        let counts = describes || is_described;
        let meaning = if counts { offers.received(Carrier::Prack, describes) } else { Ok(Meaning::Nothing) };
        if let Some(session) = self.session_mut(id, dialog) {
            session.note(&on.profile, Described::by_request(meaning, &served.request), None);
        }
        let is_offer = match meaning {
            Err(misplaced) => {
                // The response stays unacknowledged: the next PRACK may be right.
                let status = misplaced.refusal(Carrier::Prack).unwrap_or(StatusCode::BAD_REQUEST);
                return refuse_for_now(on, cx, served, status);
            }
            Ok(meaning) => meaning == Meaning::Offer,
        };
        if is_offer {
            let longest = cx.config().timers.t1.saturating_mul(63);
            let timer = cx.arm(cx.now() + on.profile.decision_time.min(longest), Work::Decision(dialog));
            if let Some(session) = self.session_mut(id, dialog) {
                session.changes().theirs = Some(Theirs { served: served.clone(), timer });
            }
            cx.emit(Event::Offered { call: id, dialog, request: served.request.clone() });
        } else {
            on.respond_final(cx, served, StatusCode::OK, |_| {});
            if counts {
                let _ = offers.sent(Carrier::PrackSuccess, false);
            }
            cx.emit(Event::Acknowledged { call: id, prack: served.request.clone() });
        }
        if let Some(session) = self.session_mut(id, dialog) {
            session.offers = offers;
        }
        self.go_on(on, cx, id, dialog, rack);
    }

    /// The response that a PRACK names is acknowledged: the next one goes out, or the 2xx that has waited.
    fn go_on(&mut self, on: &mut Floor, cx: &mut Cx<'_>, id: CallId, dialog: DialogId, rack: RAck<'_>) {
        let now = cx.now();
        let Some(reliable) = self.session_mut(id, dialog).and_then(Session::reliable) else { return };
        let Some(acknowledged) = reliable.responses.prack(rack, now) else { return };
        if let Some((status, octets)) = acknowledged.next {
            let _ = cx.respond_octets(reliable.server, *status, octets.clone());
        }
        reliable.is_released |= acknowledged.release;
        reliable.set_timer(cx, dialog);
        self.send_withheld(on, cx, id, dialog);
    }

    /// The offer of a PRACK is refused. The response that the PRACK names is acknowledged all the same.
    pub(super) fn refused_prack(&mut self, id: CallId, dialog: DialogId, prack: &Request) {
        let Some(session) = self.session_mut(id, dialog) else { return };
        let _ = session.offers.received(Carrier::Prack, false);
        let _ = session.offers.sent(Carrier::PrackSuccess, false);
        let rack = prack.headers().get::<RAck<'_>>().and_then(Result::ok);
        if let Some(reliable) = session.reliable() {
            reliable.refused = rack.map(|rack| rack.rseq);
        }
    }

    /// Sends the 2xx that has waited, if nothing is left to wait for: neither a PRACK nor the answer to the offer of one (RFC 3262 §5).
    pub(super) fn send_withheld(&mut self, on: &mut Floor, cx: &mut Cx<'_>, id: CallId, dialog: DialogId) {
        let Some(session) = self.session_mut(id, dialog).filter(|session| !session.has_offer_of_prack()) else {
            return;
        };
        let Some(reliable) = session.reliable().filter(|reliable| reliable.is_released) else { return };
        if let Some(extra) = reliable.withheld.take()
            && let Err(error) = self.answer_now(on, cx, id, &extra)
        {
            // The call that this one was to replace while early is answered (RFC 3891 §3).
            let is_too_late = error == CommandError::WrongState;
            let status = if is_too_late { StatusCode::BUSY_HERE } else { StatusCode::SERVER_INTERNAL_ERROR };
            self.terminate(on, cx, id, status, Cause::Unreachable);
        }
    }

    /// Two and a half minutes have passed without a decision: another provisional response, without a body (§3).
    pub(super) fn ring_reliably(&mut self, on: &mut Floor, cx: &mut Cx<'_>, id: CallId, status: StatusCode) {
        // A 2xx that waits for its PRACK, or others that wait for theirs, are signs of life enough.
        let _ = self.progress_reliably(on, cx, id, status, &Extra::new());
    }

    /// Answers the offer of a PRACK: 200.
    pub(super) fn answer_prack(
        on: &mut Floor,
        cx: &mut Cx<'_>,
        served: &Served,
        extra: &Extra,
    ) -> Result<(), CommandError> {
        let response = on.final_response(cx, served, &Reply { status: StatusCode::OK, extra: extra.clone() })?;
        cx.respond_octets(served.server, StatusCode::OK, response)
    }
}
