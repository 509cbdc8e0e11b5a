//! REFERs of peers, and the subscriptions that they make (RFC 3515 §2.4.2, §2.4.4).

use alloc::vec::Vec;

use super::Subscriptions;
use super::refer::REFER_SUB;
use super::referring::says_no_subscription;
use crate::dialog::{Dialog, DialogId, DialogKey, DialogState};
use crate::error::CommandError;
use crate::extension::Extension;
use crate::message::header::ReferTo;
use crate::message::{HeaderId, Lines, Phrase, StatusCode, StatusLine};
use crate::time::{Duration, Instant};
use crate::timer::TimerId;
use crate::user_agent::agent::{Cx, Work};
use crate::user_agent::compose::{Body, Extra, Reply};
use crate::user_agent::event::{Cause, Event};
use crate::user_agent::floor::{Floor, Usage};
use crate::user_agent::server::Served;
use crate::user_agent::{AccountId, ReferralId, RequestId, ServedId};

/// A REFER of a peer that we have accepted: the peer is told how it goes.
#[derive(Clone, Debug)]
pub(super) struct Referral {
    pub(super) account: AccountId,
    pub(super) dialog: DialogId,
    /// The CSeq number of the REFER.
    pub(super) number: u32,
    /// Whether NOTIFYs say the number: for a REFER that has not made its dialog, as there may have been others in the dialog (§2.4.6).
    pub(super) shows_id: bool,
    /// How the reference stands: the fragment of the next NOTIFY.
    pub(super) fragment: Body,
    pub(super) expires: Instant,
    /// Until the subscription expires.
    pub(super) timer: Option<TimerId>,
    /// The NOTIFY that is out.
    pub(super) request: Option<RequestId>,
    /// Whether another NOTIFY is to follow.
    pub(super) is_due: bool,
    /// The reason of the end, once there is one.
    pub(super) end: Option<&'static str>,
    /// The end is said in the NOTIFY that is out.
    pub(super) is_end_out: bool,
}

/// Why the referrer is not told any more how its REFER goes. What the REFER has asked for is not called off by that (RFC 3515 §2.4.4).
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum ReferralEnd {
    /// The referrer has ended its subscription.
    Unsubscribed,
    /// The subscription was not refreshed ([`Profile::refer_time`](crate::user_agent::Profile::refer_time)).
    Expired,
    /// A NOTIFY was refused for good, or could not be delivered.
    Failed(Cause),
    /// This end has ended all that it does ([`shut_down`](crate::user_agent::UserAgent::shut_down)): a last NOTIFY tells how the reference stood.
    ShutDown,
}

impl Subscriptions {
    /// Takes a REFER, in a dialog or outside of one: a REFER that is well-formed is asked of the application (§2.4.2).
    pub(in crate::user_agent) fn referred(
        &mut self,
        on: &mut Floor,
        cx: &mut Cx<'_>,
        served: Served,
        dialog: Option<DialogId>,
    ) {
        let request = &served.request;
        let mut call = None;
        if let Some(dialog) = dialog {
            if !on.is_in_order(dialog, request) {
                return on.respond_final(cx, &served, StatusCode::SERVER_INTERNAL_ERROR, |_| {});
            }
            call = on.call_of(dialog);
        }
        if let Err(rejection) = Dialog::can_be_made_of(request) {
            return on.reject(cx, &served, rejection.reason);
        }
        let headers = request.headers();
        if headers.count(HeaderId::ReferTo) != 1 || !matches!(headers.get::<ReferTo<'_>>(), Some(Ok(_))) {
            return on.reject(cx, &served, Phrase::BAD_REFERENCE);
        }
        if headers.values(HeaderId::ReferredBy, true).nth(1).is_some() {
            return on.reject(cx, &served, Phrase::BAD_REFERRER);
        }
        on.ask_about_referral(cx, served, dialog, call);
    }

    /// Accepts a REFER with a response that carries this. `None`: the referrer wants no subscription, and there is none (RFC 4488 §4).
    pub(in crate::user_agent) fn accept_refer(
        &mut self,
        on: &mut Floor,
        cx: &mut Cx<'_>,
        id: ServedId,
        extra: &Extra,
    ) -> Result<Option<ReferralId>, CommandError> {
        extra.check()?;
        if extra.contains(HeaderId::Expires) {
            return Err(CommandError::HeaderOwned(HeaderId::Expires.as_str()));
        }
        let served = on.question(id)?.clone();
        let request = &served.request;
        if request.method() != crate::message::Method::Refer {
            return Err(CommandError::WrongState);
        }
        let known = match request.to_tag() {
            None => None,
            Some(_) => match DialogKey::of_request(request).and_then(|name| on.dialogs.find(name)) {
                Some(dialog) => Some(dialog),
                None => {
                    // The dialog has ended since (RFC 3261 §15.1.2).
                    on.respond(cx, id, &Reply::new(StatusCode::REQUEST_TERMINATED))?;
                    return Err(CommandError::Gone);
                }
            },
        };
        let is_wanted = !(on.profile.extensions().contains(Extension::NoReferSubscription)
            && says_no_subscription(request.headers().raw(REFER_SUB)));
        if !is_wanted {
            let extra = Extra::new().with(REFER_SUB, b"false").and(extra);
            let response = on.dialog_response(cx, &served, StatusCode::OK, &extra)?;
            cx.respond_octets(served.server, StatusCode::OK, response)?;
            on.settle_question(cx, id);
            self.refresh_target(on, known, &served);
            return Ok(None);
        }
        self.has_room(on)?;
        let response = on.dialog_response(cx, &served, StatusCode::ACCEPTED, extra)?;
        let number = request.cseq().ok_or(CommandError::Invalid("request"))?.number;
        let fragment = fragment(&Reply::new(StatusCode::TRYING))?;
        let made = match known {
            Some(_) => None,
            None => {
                let tag = on.serving.local_tag(served.id, cx.random()).ok_or(CommandError::Gone)?;
                let dialog = Dialog::of_request(request, tag, DialogState::Confirmed);
                Some(dialog.map_err(|_| CommandError::Invalid("request"))?)
            }
        };
        cx.respond_octets(served.server, StatusCode::ACCEPTED, response)?;
        on.settle_question(cx, id);
        self.refresh_target(on, known, &served);
        Ok(Some(self.begin_referral(on, cx, served.account, known, made, (number, fragment))))
    }

    /// Begins the subscription of a REFER that is accepted, and tells at once how the reference stands (§2.4.4).
    fn begin_referral(
        &mut self,
        on: &mut Floor,
        cx: &mut Cx<'_>,
        account: AccountId,
        known: Option<DialogId>,
        made: Option<Dialog>,
        (number, fragment): (u32, Body),
    ) -> ReferralId {
        on.accounts.hold(account);
        let dialogs = &mut on.dialogs;
        let expires = cx.now() + on.profile.refer_time;
        let shows_id = made.is_none();
        let id = self.referrals.insert_with(|id| {
            let usage = Usage::Referral(id);
            let dialog = match (known, made) {
                (Some(dialog), _) => {
                    dialogs.join(dialog, usage);
                    dialog
                }
                (None, Some(dialog)) => {
                    let dialog = dialogs.begin(dialog, account, usage);
                    dialogs.forget(dialog);
                    dialog
                }
                (None, None) => DialogId::from_parts(u32::MAX, 0),
            };
            Referral {
                account,
                dialog,
                number,
                shows_id,
                fragment,
                expires,
                timer: None,
                request: None,
                is_due: false,
                end: None,
                is_end_out: false,
            }
        });
        if let Some(referral) = self.referrals.get_mut(id) {
            referral.timer = Some(cx.arm(expires, Work::Referral(id)));
        }
        self.tell_referrer(on, cx, id);
        id
    }

    /// A REFER is a target refresh request (RFC 5057 §5.4).
    fn refresh_target(&self, on: &mut Floor, dialog: Option<DialogId>, served: &Served) {
        if let Some(dialog) = dialog.and_then(|dialog| on.dialogs.get_mut(dialog)) {
            dialog.refresh(served.request.headers().contact());
        }
    }

    /// The application says how the reference stands: with a final status that is its outcome (§2.4.5).
    pub(in crate::user_agent) fn notify_refer(
        &mut self,
        on: &mut Floor,
        cx: &mut Cx<'_>,
        id: ReferralId,
        reply: &Reply,
    ) -> Result<(), CommandError> {
        let fragment = fragment(reply)?;
        let referral =
            self.referrals.get_mut(id).filter(|referral| referral.end.is_none()).ok_or(CommandError::Gone)?;
        referral.fragment = fragment;
        if reply.status.is_final() {
            // The outcome is the last that there is to tell (§2.4.7).
            referral.end = Some("noresource");
        }
        self.tell_referrer(on, cx, id);
        Ok(())
    }

    /// Nobody has refreshed the subscription.
    pub(in crate::user_agent) fn referral_expired(&mut self, on: &mut Floor, cx: &mut Cx<'_>, id: ReferralId) {
        let Some(referral) = self.referrals.get_mut(id) else { return };
        referral.timer = None;
        if referral.end.is_none() {
            referral.end = Some("timeout");
            cx.emit(Event::ReferralEnded { referral: id, cause: ReferralEnd::Expired });
            self.tell_referrer(on, cx, id);
        }
    }

    /// This end ends all that it does: each referrer is told how its reference stands, for the last time.
    pub(in crate::user_agent) fn end_referrals(&mut self, on: &mut Floor, cx: &mut Cx<'_>) {
        let alive = self.referrals.iter().filter(|(_, referral)| referral.end.is_none());
        for id in alive.map(|(id, _)| id).collect::<Vec<ReferralId>>() {
            if let Some(referral) = self.referrals.get_mut(id) {
                referral.end = Some("noresource");
            }
            cx.emit(Event::ReferralEnded { referral: id, cause: ReferralEnd::ShutDown });
            self.tell_referrer(on, cx, id);
        }
    }

    /// Forgets a referral.
    pub(super) fn end_referral(&mut self, on: &mut Floor, cx: &mut Cx<'_>, id: ReferralId) {
        let Some(referral) = self.referrals.remove(id) else { return };
        if let Some(timer) = referral.timer {
            cx.disarm(timer);
        }
        on.forget_keys(referral.dialog);
        on.dialogs.end(referral.dialog, Usage::Referral(id));
        on.accounts.let_go(referral.account);
    }

    /// Sets how long a referral lasts from now.
    pub(super) fn referral_lasts(&mut self, cx: &mut Cx<'_>, id: ReferralId, time: Duration) {
        let Some(referral) = self.referrals.get_mut(id) else { return };
        referral.expires = cx.now() + time;
        if let Some(timer) = referral.timer.take() {
            cx.disarm(timer);
        }
        referral.timer = Some(cx.arm(referral.expires, Work::Referral(id)));
    }
}

/// The part of a response that a NOTIFY shows (RFC 3515 §2.4.5).
///
/// # Errors
/// `HeaderOwned`; `Invalid`: what cannot be carried.
fn fragment(reply: &Reply) -> Result<Body, CommandError> {
    reply.extra.check()?;
    let mut lines = Lines::new();
    reply.extra.add_to(&mut lines);
    let octets = StatusLine::fragment(reply.status, &lines, reply.extra.content());
    Ok(Body::new(StatusLine::CONTENT_TYPE, octets.map_err(|_| CommandError::Invalid("body"))?))
}
