//! Responses to requests of ours, and what is done with them (RFC 3261 §8.1.3).

use alloc::vec::Vec;

use super::redirect::{Before, Step, may_follow};
use super::retry::{self, Amendment, Verdict};
use super::{Again, Concluded, Kept, Outcome, Owner, Pending, Stage};
use crate::auth::{self, Login, Scope, ServerProof, Unknown};
use crate::endpoint::{DeliveryId, Failure};
use crate::error::CommandError;
use crate::message::{HeaderId, Request, Response, StatusCode, UriBuf};
use crate::targets::{Target, TargetSet};
use crate::time::Duration;
use crate::transport::{Here, NextHop};
use crate::user_agent::agent::{Cx, Work};
use crate::user_agent::compose::Body;
use crate::user_agent::event::{Event, Wanted};
use crate::user_agent::floor::Floor;
use crate::user_agent::policy::Redirects;
use crate::user_agent::{AccountId, RequestId};

/// The news for the owner of a request.
type Told = Option<(Owner, Outcome)>;

/// Whether the response may have challenges (§22.2, §22.3).
fn is_challenge(status: StatusCode) -> bool {
    matches!(status, StatusCode::UNAUTHORIZED | StatusCode::PROXY_AUTHENTICATION_REQUIRED)
}

impl Floor {
    /// Sends a request outside of dialogs, with the credentials that earlier challenges ask for (§22.1).
    ///
    /// # Errors
    /// As [`Endpoint::request`](crate::Endpoint::request).
    pub(in crate::user_agent) fn send(
        &mut self,
        cx: &mut Cx<'_>,
        owner: Owner,
        account: AccountId,
        request: Request,
        here: Here,
        next_hop: NextHop,
    ) -> Result<RequestId, CommandError> {
        self.send_owned(cx, |_| owner, account, request, here, next_hop)
    }

    /// As [`send`](Self::send), for the application alone.
    ///
    /// # Errors
    /// As there.
    pub(super) fn send_for_itself(
        &mut self,
        cx: &mut Cx<'_>,
        account: AccountId,
        request: Request,
        here: Here,
        next_hop: NextHop,
    ) -> Result<RequestId, CommandError> {
        self.send_owned(cx, Owner::Ask, account, request, here, next_hop)
    }

    fn send_owned(
        &mut self,
        cx: &mut Cx<'_>,
        owner: impl FnOnce(RequestId) -> Owner,
        account: AccountId,
        request: Request,
        here: Here,
        next_hop: NextHop,
    ) -> Result<RequestId, CommandError> {
        let mut request = request;
        if self.keyring.spaces() > 0 {
            let fields = self.keyring.authorize(account, &request);
            if !fields.is_empty() {
                request = fields.edit(request.edit()).finish().map_err(|_| CommandError::Invalid("message"))?;
            }
        }
        let sent = self.requests.send(cx, owner, account, request, here, next_hop)?;
        self.equip_ack(cx, sent);
        Ok(sent)
    }

    /// Takes a response to a request of ours. That to an earlier attempt, whose transaction may still live, says nothing any more.
    pub(in crate::user_agent) fn answered(
        &mut self,
        cx: &mut Cx<'_>,
        id: RequestId,
        delivery: DeliveryId,
        response: Response,
    ) -> Told {
        let pending = self.requests.table.get(id).filter(|pending| pending.is_on(delivery))?;
        let (owner, status) = (pending.owner, response.status());
        if !status.is_final() {
            return (status != StatusCode::TRYING).then_some((owner, Outcome::Provisional(response)));
        }
        self.settle_outlived(id);
        // Whatever cannot be written once more has its end with the response.
        let is_kept = status.is_success() || self.keep_inside(cx, id, &response).is_ok();
        let pending = self.requests.table.get(id).filter(|_| is_kept);
        let Some((pending, kept)) = pending.and_then(|pending| Some((pending, pending.kept.as_ref()?))) else {
            return Some(self.concluded(id, owner, response));
        };
        if response.headers().contains(HeaderId::AuthenticationInfo)
            && self.keyring.hear(kept.account, &kept.request, &response) == ServerProof::Wrong
        {
            cx.emit(Event::WrongProof { response: response.clone() });
        }
        if status.is_success() {
            return Some(self.concluded(id, owner, response));
        }
        let (policy, limit) = (&self.profile.policy, self.profile.limits.retries);
        let was_overtaken = self.was_overtaken(pending, &response);
        let verdict = retry::next(&kept.request, &response, &pending.tried, policy, limit, was_overtaken);
        match verdict {
            Verdict::Over => {
                if is_challenge(status) {
                    self.keyring.learn(kept.account, &kept.request, &response, cx.random());
                }
                self.next_target(cx, id, owner, response)
            }
            Verdict::Again(amendment) => Some(self.again_or(cx, id, owner, amendment, response)),
            Verdict::After(wait) => Some(self.wait(cx, id, owner, wait)),
            Verdict::Authenticate => Some(self.authenticate(cx, id, owner, response, Unknown::Ask)),
            Verdict::Redirect => {
                self.add_targets(id, &response);
                self.next_target(cx, id, owner, response)
            }
            Verdict::Collided => {
                self.requests.remove(id);
                Some((owner, Outcome::Collided(response)))
            }
            Verdict::Ask => {
                let is_target = status == StatusCode::UNSUPPORTED_URI_SCHEME;
                let wanted = if is_target { Wanted::Target } else { Wanted::Body };
                Some(self.ask(cx, id, owner, wanted, response))
            }
        }
    }

    /// Whether a later request of ours went out in the dialog of the one that this is a response to.
    fn was_overtaken(&self, pending: &Pending, response: &Response) -> bool {
        let dialog = pending.inside.as_ref().and_then(|inside| self.dialogs.get(inside.dialog));
        let last = dialog.and_then(|dialog| dialog.sequence.local);
        last.zip(response.cseq()).is_some_and(|(last, cseq)| last > cseq.number)
    }

    /// A request of ours has ended without a final response. The end of an earlier attempt says nothing.
    pub(in crate::user_agent) fn ended(
        &mut self,
        cx: &mut Cx<'_>,
        id: RequestId,
        delivery: DeliveryId,
        how: Concluded,
    ) -> Told {
        let owner = self.requests.table.get(id).filter(|pending| pending.is_on(delivery))?.owner;
        // Another target may do what this one did not (§8.1.3.4).
        if matches!(how, Concluded::Failed(_))
            && let Some(told) = self.step_on(cx, id, owner)
        {
            return Some(told);
        }
        self.requests.end(id).map(|owner| (owner, Outcome::Over(how)))
    }

    /// The timer of a request that waits, or of a question, has fired.
    pub(in crate::user_agent) fn waited(&mut self, cx: &mut Cx<'_>, id: RequestId) -> Told {
        let pending = self.requests.table.get(id)?;
        let owner = pending.owner;
        match &pending.stage {
            Stage::Waiting(_) => match self.send_again(cx, id, &Amendment::None) {
                Ok(again) => Some((owner, Outcome::Again(again))),
                Err(error) => {
                    let is_left = error == CommandError::Gone;
                    let how = if is_left { Concluded::Left } else { Concluded::Failed(Failure::Transport) };
                    self.requests.end(id).map(|owner| (owner, Outcome::Over(how)))
                }
            },
            Stage::Asking { response, .. } => {
                let response = response.clone();
                Some(self.concluded(id, owner, response))
            }
            Stage::Sending | Stage::Sent(_) => None,
        }
    }

    /// The application gives logins for the realms that it was asked for; without one, these realms are left out.
    ///
    /// # Errors
    /// `Gone`; `WrongState` if nothing was asked; as [`Keyring::insert`](auth::Keyring::insert).
    pub(in crate::user_agent) fn credentials(
        &mut self,
        cx: &mut Cx<'_>,
        id: RequestId,
        logins: Vec<(Scope, Login)>,
    ) -> Result<(Owner, Outcome), CommandError> {
        let (owner, response) = self.asked(id)?;
        let account = self.requests.kept(id).map_or(AccountId::DEFAULT, |kept| kept.account);
        let unknown = if logins.is_empty() { Unknown::LeaveOut } else { Unknown::Ask };
        for (scope, login) in logins {
            self.keyring.insert(account, scope, login)?;
        }
        self.stop_asking(cx, id);
        Ok(self.authenticate(cx, id, owner, response, unknown))
    }

    /// The application gives another body or target.
    ///
    /// # Errors
    /// `Gone`; `WrongState` if nothing was asked; `NotSip`; `Invalid`: the request cannot be written so.
    pub(in crate::user_agent) fn amend(
        &mut self,
        cx: &mut Cx<'_>,
        id: RequestId,
        amend: Amend,
    ) -> Result<(Owner, Outcome), CommandError> {
        let (owner, _) = self.asked(id)?;
        let amendment = match amend {
            Amend::Body(body) => Amendment::Body(body),
            Amend::Target(uri) if uri.as_uri().is_sip() => Amendment::Target(Step::to(&Target::new(uri))),
            Amend::Target(_) => return Err(CommandError::NotSip),
        };
        let timer = self.timer_of(id);
        let again = self.send_again(cx, id, &amendment)?;
        timer.into_iter().for_each(|timer| cx.disarm(timer));
        Ok((owner, Outcome::Again(again)))
    }

    /// The application has nothing to say: the request ends with its response.
    ///
    /// # Errors
    /// `Gone`; `WrongState` if nothing was asked.
    pub(in crate::user_agent) fn give_up(
        &mut self,
        cx: &mut Cx<'_>,
        id: RequestId,
    ) -> Result<(Owner, Outcome), CommandError> {
        let (owner, response) = self.asked(id)?;
        self.stop_asking(cx, id);
        Ok(self.concluded(id, owner, response))
    }

    fn asked(&self, id: RequestId) -> Result<(Owner, Response), CommandError> {
        let pending = self.requests.table.get(id).ok_or(CommandError::Gone)?;
        match &pending.stage {
            Stage::Asking { response, .. } => Ok((pending.owner, response.clone())),
            _ => Err(CommandError::WrongState),
        }
    }

    fn timer_of(&self, id: RequestId) -> Option<crate::timer::TimerId> {
        match self.requests.table.get(id)?.stage {
            Stage::Waiting(timer) | Stage::Asking { timer, .. } => Some(timer),
            Stage::Sending | Stage::Sent(_) => None,
        }
    }

    fn stop_asking(&mut self, cx: &mut Cx<'_>, id: RequestId) {
        if let Some(timer) = self.timer_of(id) {
            cx.disarm(timer);
        }
    }

    /// A final response is the end, unless it is a 2xx to INVITE: more than one may come (§13.2.2.4).
    fn concluded(&mut self, id: RequestId, owner: Owner, response: Response) -> (Owner, Outcome) {
        if matches!(owner, Owner::Invite(_) | Owner::Modify(_)) && response.status().is_success() {
            self.requests.note_answer(id);
        } else {
            self.requests.remove(id);
        }
        (owner, Outcome::Final(response))
    }

    /// Answers the challenges of a 401 or 407 (§22.2, §22.3).
    fn authenticate(
        &mut self,
        cx: &mut Cx<'_>,
        id: RequestId,
        owner: Owner,
        response: Response,
        unknown: Unknown,
    ) -> (Owner, Outcome) {
        let Some(Kept { account, request: sent, .. }) = self.requests.kept(id) else {
            return self.concluded(id, owner, response);
        };
        match self.keyring.answer(*account, sent, &response, unknown, cx.random()) {
            auth::Outcome::Again(fields) => self.again_or(cx, id, owner, Amendment::Credentials(fields), response),
            auth::Outcome::Wanted(realms) | auth::Outcome::Rejected(realms) if unknown == Unknown::Ask => {
                self.ask(cx, id, owner, Wanted::Credentials(realms), response)
            }
            _ => self.concluded(id, owner, response),
        }
    }

    /// Asks the application, if it is to be asked; else the response is the end.
    fn ask(
        &mut self,
        cx: &mut Cx<'_>,
        id: RequestId,
        owner: Owner,
        wanted: Wanted,
        response: Response,
    ) -> (Owner, Outcome) {
        let Some(patience) = self.profile.policy.questions else { return self.concluded(id, owner, response) };
        let timer = cx.arm(cx.now() + patience, Work::Wait(id));
        if let Some(pending) = self.requests.table.get_mut(id) {
            pending.stage = Stage::Asking { timer, response: response.clone() };
        }
        cx.emit(Event::Wanted { request: id, wanted, response });
        (owner, Outcome::Paused)
    }

    fn wait(&mut self, cx: &mut Cx<'_>, id: RequestId, owner: Owner, wait: Duration) -> (Owner, Outcome) {
        let timer = cx.arm(cx.now() + wait, Work::Wait(id));
        if let Some(pending) = self.requests.table.get_mut(id) {
            pending.stage = Stage::Waiting(timer);
        }
        (owner, Outcome::Paused)
    }

    /// Adds the targets of a redirection (§8.1.3.4).
    fn add_targets(&mut self, id: RequestId, redirection: &Response) {
        let limit = self.profile.limits.targets;
        let agrees = self.profile.policy.redirects == Redirects::FollowFromSipsToSip;
        let Some(kept) = self.requests.table.get_mut(id).and_then(|pending| pending.kept.as_mut()) else { return };
        let Ok(first) = kept.request.uri() else { return };
        let scheme = first.scheme();
        let targets = kept.targets.get_or_insert_with(|| TargetSet::new(first.to_buf(), limit));
        targets.add_contacts(redirection, |uri| may_follow(scheme, uri, agrees));
    }

    /// Tries the next target after a final response, if one waits and the response leaves it open (§8.1.3.4).
    fn next_target(&mut self, cx: &mut Cx<'_>, id: RequestId, owner: Owner, response: Response) -> Told {
        let is_settled = self.requests.table.get(id).is_none_or(|pending| pending.tried.settled);
        // A 6xx speaks for every place (§21.6).
        if response.status().class() < 6
            && !is_settled
            && let Some(told) = self.step_on(cx, id, owner)
        {
            return Some(told);
        }
        Some(self.concluded(id, owner, response))
    }

    /// Goes to the next target that can be tried.
    fn step_on(&mut self, cx: &mut Cx<'_>, id: RequestId, owner: Owner) -> Told {
        // A target that cannot be written or has no way is passed over; each turn takes one out.
        loop {
            let pending = self.requests.table.get_mut(id)?;
            if pending.tried.settled || pending.tried.is_spent(self.profile.limits.retries) {
                return None;
            }
            let target = pending.kept.as_mut()?.targets.as_mut()?.take()?;
            if let Ok(again) = self.send_again(cx, id, &Amendment::Target(Step::to(&target))) {
                return Some((owner, Outcome::Again(again)));
            }
        }
    }

    /// Sends the request once more with a change; if that cannot be done, the response is the end.
    fn again_or(
        &mut self,
        cx: &mut Cx<'_>,
        id: RequestId,
        owner: Owner,
        amendment: Amendment,
        response: Response,
    ) -> (Owner, Outcome) {
        match self.send_again(cx, id, &amendment) {
            Ok(again) => (owner, Outcome::Again(again)),
            Err(_) => self.concluded(id, owner, response),
        }
    }

    /// Sends a request once more, with a change and the next CSeq number, in a new transaction (§8.1.3.5).
    ///
    /// # Errors
    /// `Gone`: there is no such request, or its dialog is left; as [`Endpoint::request`](crate::Endpoint::request).
    fn send_again(&mut self, cx: &mut Cx<'_>, id: RequestId, amendment: &Amendment) -> Result<Again, CommandError> {
        let pending = self.requests.table.get(id).ok_or(CommandError::Gone)?;
        if self.is_outlived(pending) {
            return Err(CommandError::Gone);
        }
        let Kept { account, request: sent, here, next_hop, before: last, .. } =
            pending.kept.as_deref().ok_or(CommandError::WrongState)?;
        let unwritable = |_| CommandError::Invalid("message");
        let mut next_hop = next_hop.clone();
        let mut before = None;
        let mut request = if let Amendment::Target(step) = amendment {
            next_hop = hop_to(sent, &next_hop, &step.uri).ok_or(CommandError::NotSip)?;
            // The fields that the last target's URI has asked for are none of this one's.
            let plain = last.restored_in(sent).map_err(unwritable)?;
            before = Some(Before::of(step, &plain));
            amendment.applied_to(&plain).map_err(unwritable)?
        } else {
            amendment.applied_to(sent).map_err(unwritable)?
        };
        if !matches!(amendment, Amendment::Credentials(_)) && self.keyring.spaces() > 0 {
            // Each request has a nonce count of its own (RFC 7616 §3.4).
            let fields = self.keyring.authorize(*account, &request);
            request = fields.edit(request.edit()).finish().map_err(|_| CommandError::Invalid("message"))?;
        }
        if pending.inside.is_some() {
            // The dialog counts (§12.2.1.1): another request may have gone out since.
            let number = self.next_number(cx, id)?;
            let cseq = alloc::format!("{number} {}", request.method().as_str());
            let edit = request.edit().replace(HeaderId::CSeq, cseq);
            request = edit.finish().map_err(|_| CommandError::Invalid("message"))?;
        }
        let number = request.cseq().ok_or(CommandError::Invalid("message"))?.number;
        let delivery = cx.request_from(&request, here, next_hop.clone(), Work::Request(id), "")?;
        self.sent_inside(id, number);
        let pending = self.requests.table.get_mut(id).ok_or(CommandError::Gone)?;
        pending.stage = Stage::Sent(delivery);
        if let Some(kept) = &mut pending.kept {
            kept.request = request;
            kept.next_hop = next_hop;
            if let Some(before) = before {
                kept.before = before;
            }
        }
        pending.tried.note(amendment);
        self.equip_ack(cx, id);
        let interval = match amendment {
            Amendment::Interval(seconds) | Amendment::Session(seconds) => Some(*seconds),
            _ => None,
        };
        Ok(Again { number, interval })
    }
}

/// Where a redirected request goes: where it went before if Route or the application said so, else where its new Request-URI says.
fn hop_to(sent: &Request, hop: &NextHop, uri: &UriBuf) -> Option<NextHop> {
    let by_uri = sent.uri().ok().and_then(NextHop::of_uri);
    if sent.headers().contains(HeaderId::Route) || !by_uri.is_some_and(|by_uri| hop.is_found_as(&by_uri)) {
        return Some(hop.clone().for_request_uri(uri.as_uri()));
    }
    NextHop::of_uri(uri.as_uri())
}

/// The answer of the application to a request that waits for it.
#[derive(Clone, Debug)]
pub enum Amend {
    /// Another body, or none, after a 413 or 415 (§8.1.3.5).
    Body(Option<Body>),
    /// Another Request-URI, after a 416 (§8.1.3.5).
    Target(UriBuf),
}
