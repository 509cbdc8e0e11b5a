//! NOTIFYs to referrers, and their SUBSCRIBEs (RFC 3515 §2.4.4 to §2.4.7, RFC 6665 §4.2).

use alloc::boxed::Box;

use super::Subscriptions;
use super::referral::{Referral, ReferralEnd};
use super::referring::PACKAGE;
use crate::dialog::{DialogId, DialogKey, Ended, Purpose, ResponseEffect};
use crate::message::header::{Event as EventHeader, Expires};
use crate::message::{HeaderId, Method, Phrase, StatusCode};
use crate::time::Duration;
use crate::user_agent::agent::Cx;
use crate::user_agent::client::{Inside, Outcome, Owner};
use crate::user_agent::compose::Extra;
use crate::user_agent::event::{Cause, Event};
use crate::user_agent::floor::{Floor, Usage};
use crate::user_agent::server::Served;
use crate::user_agent::{ReferralId, RequestId};

impl Subscriptions {
    /// Tells the referrer how the reference stands, as soon as the NOTIFY before is answered: each NOTIFY says all, so that none but the latest
    /// is missed (RFC 3515 §2.4.5).
    pub(super) fn tell_referrer(&mut self, on: &mut Floor, cx: &mut Cx<'_>, id: ReferralId) {
        let Some(referral) = self.referrals.get_mut(id) else { return };
        if referral.request.is_some() {
            referral.is_due = true;
            return;
        }
        let inside =
            Inside { dialog: referral.dialog, method: Method::Notify, extra: Some(Box::new(fields(referral, cx))) };
        let sent = on.send_inside(cx, Owner::Notify(id), inside);
        referral.is_due = false;
        match sent {
            Ok(request) => {
                referral.request = Some(request);
                referral.is_end_out = referral.end.is_some();
            }
            Err(_) => {
                if referral.end.is_none() {
                    cx.emit(Event::ReferralEnded { referral: id, cause: ReferralEnd::Failed(Cause::Unreachable) });
                }
                self.end_referral(on, cx, id);
            }
        }
    }

    /// Takes what has become of a NOTIFY. The dialog that is over with it for all its usages, if it is.
    pub(in crate::user_agent) fn notify_heard(
        &mut self,
        on: &mut Floor,
        cx: &mut Cx<'_>,
        id: ReferralId,
        request: RequestId,
        outcome: Outcome,
    ) -> Option<DialogId> {
        let referral = self.referrals.get_mut(id).filter(|referral| referral.request == Some(request))?;
        let cause = match outcome {
            Outcome::Provisional(_) | Outcome::Paused | Outcome::Again(_) => return None,
            Outcome::Final(response) if response.status().is_success() => None,
            Outcome::Final(response) | Outcome::Collided(response) => Some(Cause::Refused(response)),
            Outcome::Over(concluded) => Some(concluded.into()),
        };
        referral.request = None;
        let (dialog, is_over, is_due) = (referral.dialog, referral.end.is_some(), referral.is_due);
        let status = cause.as_ref().map_or(StatusCode::OK, Cause::counts_as);
        let retry_after = cause.as_ref().and_then(super::heard::asked_to_wait);
        let retry_after = retry_after.map(|wait| u32::try_from(wait.as_secs()).unwrap_or(u32::MAX));
        let ended = ResponseEffect::of(Method::Notify, Purpose::Continue, status, retry_after).ended;
        if referral.is_end_out {
            self.end_referral(on, cx, id);
        } else if let Some(cause) = cause.filter(|_| ended != Ended::Transaction) {
            if !is_over {
                cx.emit(Event::ReferralEnded { referral: id, cause: ReferralEnd::Failed(cause) });
            }
            self.end_referral(on, cx, id);
        } else if is_due {
            self.tell_referrer(on, cx, id);
        }
        (ended == Ended::Dialog).then_some(dialog)
    }

    /// Takes a SUBSCRIBE: one that refreshes or ends the subscription of a REFER (RFC 3515 §2.4.4). No other subscription is to be had.
    pub(in crate::user_agent) fn resubscribed(&mut self, on: &mut Floor, cx: &mut Cx<'_>, served: &Served) {
        let headers = served.request.headers();
        let Some(Ok(event)) = headers.get::<EventHeader<'_>>() else {
            return on.reject(cx, served, Phrase::BAD_PACKAGE);
        };
        if event.package != PACKAGE {
            return on.respond_final(cx, served, StatusCode::BAD_EVENT, |lines| {
                lines.header(HeaderId::AllowEvents, PACKAGE);
            });
        }
        let dialog = DialogKey::of_request(&served.request).and_then(|name| on.dialogs.find(name));
        if served.request.to_tag().is_some() && dialog.is_none() {
            return on.respond_final(cx, served, StatusCode::CALL_DOES_NOT_EXIST, |_| {});
        }
        let Some((dialog, id)) = dialog.and_then(|dialog| Some((dialog, self.find_referral(on, dialog, event.id())?)))
        else {
            return on.respond_final(cx, served, StatusCode::FORBIDDEN, |_| {});
        };
        if !on.is_in_order(dialog, &served.request) {
            return on.respond_final(cx, served, StatusCode::SERVER_INTERNAL_ERROR, |_| {});
        }
        let most = on.profile.refer_time;
        let asked = headers.get::<Expires>().and_then(Result::ok);
        let granted = asked.map_or(most, |Expires(seconds)| Duration::from_secs(seconds.into()).min(most));
        let extra = Extra::new().with(HeaderId::Expires, alloc::format!("{}", granted.as_secs()));
        let Ok(response) = on.dialog_response(cx, served, StatusCode::OK, &extra) else {
            return on.respond_final(cx, served, StatusCode::SERVER_INTERNAL_ERROR, |_| {});
        };
        let _ = cx.respond_octets(served.server, StatusCode::OK, response);
        if let Some(dialog) = on.dialogs.get_mut(dialog) {
            dialog.refresh(headers.contact());
        }
        if granted.is_zero() {
            if let Some(referral) = self.referrals.get_mut(id) {
                referral.end = Some("timeout");
            }
            cx.emit(Event::ReferralEnded { referral: id, cause: ReferralEnd::Unsubscribed });
        } else {
            self.referral_lasts(cx, id, granted);
        }
        self.tell_referrer(on, cx, id);
    }

    /// The referral in a dialog that a SUBSCRIBE is for: that of the REFER with this number, or without a number the first (§2.4.6).
    fn find_referral(&self, on: &Floor, dialog: DialogId, number: Option<&str>) -> Option<ReferralId> {
        on.dialogs.usages(dialog).iter().find_map(|usage| {
            let Usage::Referral(id) = *usage else { return None };
            let referral = self.referrals.get(id).filter(|referral| referral.end.is_none())?;
            number.is_none_or(|number| number == alloc::format!("{}", referral.number)).then_some(id)
        })
    }
}

/// The fields and the body of a NOTIFY.
fn fields(referral: &Referral, cx: &Cx<'_>) -> Extra {
    let event = if referral.shows_id { alloc::format!("{PACKAGE};id={}", referral.number) } else { PACKAGE.into() };
    let state = match referral.end {
        Some(reason) => alloc::format!("terminated;reason={reason}"),
        None => alloc::format!("active;expires={}", referral.expires.since(cx.now()).as_secs()),
    };
    let extra = Extra::new().with(HeaderId::Event, event).with(HeaderId::SubscriptionState, state);
    extra.body(referral.fragment.clone())
}
