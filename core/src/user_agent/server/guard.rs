//! Who may ask: the gate in front of a user agent (RFC 3261 §8.2, §22.2).

use alloc::boxed::Box;

use super::Served;
use crate::auth::{Asker, Claim, Gate, Ha1, Pass, Reading, Refusal, Secret, Settings, UserName, Users};
use crate::error::{CommandError, Limit};
use crate::message::{Lines, Method, ResponseParts, StatusCode};
use crate::time::Duration;
use crate::timer::TimerId;
use crate::user_agent::ServedId;
use crate::user_agent::agent::{Cx, Work};
use crate::user_agent::event::Event;
use crate::user_agent::floor::Floor;

/// A gate, and who knows the users that it lets through.
#[derive(Clone, Debug)]
pub(in crate::user_agent) struct Guard {
    gate: Gate,
    store: Store,
}

/// Who knows the users and their secrets.
#[derive(Clone, Debug)]
pub(in crate::user_agent) enum Store {
    /// The guard itself.
    Held(Users),
    /// The application, which is asked and has so long to answer.
    Asked(Duration),
}

/// A request that waits until the application has said the secret of its user.
#[derive(Clone, Debug)]
pub(super) struct LookUp {
    served: Served,
    /// Whether the request is no merged one (§8.2.2.2).
    is_first: bool,
    claim: Claim,
    timer: TimerId,
}

/// A user who has proved to be one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::user_agent) struct Proved {
    realm: Box<str>,
    user: UserName,
}

impl Floor {
    /// Asks everybody for credentials from now on, or nobody. A request that waits for a secret goes on waiting for it.
    ///
    /// # Errors
    /// As [`Gate::new`].
    pub(in crate::user_agent) fn set_guard(
        &mut self,
        cx: &mut Cx<'_>,
        settings: Option<(Settings, Store)>,
    ) -> Result<(), CommandError> {
        self.guard = match settings {
            None => None,
            Some((settings, store)) => {
                let gate = Gate::new(Asker::Server, settings, cx.random().hash_key())?;
                Some(Box::new(Guard { gate, store }))
            }
        };
        Ok(())
    }

    /// Whether a request may go on; else it is answered, or waits. ACK and CANCEL are never challenged (§22.1).
    pub(super) fn lets_through(&mut self, cx: &mut Cx<'_>, served: &Served, is_first: bool) -> bool {
        let Some(guard) = &self.guard else { return true };
        let claim = match guard.gate.read(&served.request, cx.now()) {
            Reading::Exempt { .. } => return true,
            Reading::Claimed(claim) => claim,
            Reading::Refused(refusal) => {
                self.challenge(cx, served, refusal);
                return false;
            }
        };
        match &guard.store {
            Store::Held(users) => {
                let secret = users.look_up(&claim);
                self.judge(cx, served, claim, secret.as_ref())
            }
            Store::Asked(patience) => {
                let patience = *patience;
                self.look_up(cx, served, is_first, claim, patience);
                false
            }
        }
    }

    /// Whether a claim is proved; else the request is answered.
    fn judge(&mut self, cx: &mut Cx<'_>, served: &Served, claim: Claim, secret: Option<&Ha1>) -> bool {
        // Whoever has taken the guard away meanwhile lets all through.
        let Some(guard) = &mut self.guard else { return true };
        match guard.gate.verify(claim, secret, cx.now()) {
            Ok(pass) => {
                self.serving.set_pass(served.id, pass);
                true
            }
            Err(refusal) => {
                self.challenge(cx, served, refusal);
                false
            }
        }
    }

    /// Asks the application for the secret of a user.
    fn look_up(&mut self, cx: &mut Cx<'_>, served: &Served, is_first: bool, claim: Claim, patience: Duration) {
        if self.serving.looking_up >= self.profile.limits.look_ups {
            cx.refused(Limit::LOOK_UPS);
            return self.respond_final(cx, served, StatusCode::SERVICE_UNAVAILABLE, |_| {});
        }
        let timer = cx.arm(cx.now() + patience, Work::LookUp(served.id));
        cx.emit(Event::SecretWanted {
            served: served.id,
            user: claim.user().clone(),
            realm: claim.realm().into(),
            algorithm: claim.algorithm(),
            request: served.request.clone(),
        });
        self.serving.begin_look_up(served.id, LookUp { served: served.clone(), is_first, claim, timer });
    }

    /// The application says the secret of a user, or that there is no such user. The request, if it may go on.
    ///
    /// # Errors
    /// `Gone`: the request does not wait for that, or not any more.
    pub(in crate::user_agent) fn secret(
        &mut self,
        cx: &mut Cx<'_>,
        id: ServedId,
        user: Option<(&str, Secret)>,
    ) -> Result<Option<Served>, CommandError> {
        let LookUp { served, is_first, claim, timer } = *self.serving.end_look_up(id).ok_or(CommandError::Gone)?;
        cx.disarm(timer);
        let mut users = Users::new();
        if let Some((name, secret)) = user {
            users.insert(name, secret);
        }
        let secret = users.look_up(&claim);
        if !self.judge(cx, &served, claim, secret.as_ref()) {
            return Ok(None);
        }
        Ok(self.check(cx, served, is_first))
    }

    /// The application has not said the secret in time: 504, as for any server that waits for another one (§21.5.5).
    pub(in crate::user_agent) fn look_up_overdue(&mut self, cx: &mut Cx<'_>, id: ServedId) {
        if let Some(look_up) = self.serving.end_look_up(id) {
            self.respond_final(cx, &look_up.served, StatusCode::SERVER_TIMEOUT, |_| {});
        }
    }

    /// A CANCEL for an INVITE that waits for a secret (§9.2).
    pub(in crate::user_agent) fn cancel_look_up(&mut self, cx: &mut Cx<'_>, cancel: &Served) {
        let Some(id) = cancel.cancels.filter(|id| self.serving.looks_up_invite(*id)) else { return };
        if let Some(look_up) = self.serving.end_look_up(id) {
            cx.disarm(look_up.timer);
            self.respond_final(cx, &look_up.served, StatusCode::REQUEST_TERMINATED, |_| {});
        }
    }

    fn challenge(&mut self, cx: &mut Cx<'_>, served: &Served, refusal: Refusal) {
        let Some(guard) = &self.guard else { return };
        let (status, fields) = guard.gate.refuse(refusal, cx.now(), cx.random());
        let mut lines = self.response_lines();
        for (id, value) in fields.iter() {
            lines.header(id, value);
        }
        self.respond_parts(cx, served, ResponseParts::new(&served.request, status, &lines));
    }

    /// The fields of a response with the proof that we know the secret, too, in the 2xx to what was let through (RFC 7616 §3.5). `None`:
    /// there is nothing to prove.
    pub(super) fn proved(&self, cx: &mut Cx<'_>, served: &Served, parts: &ResponseParts<'_>) -> Option<Lines> {
        let guard = self.guard.as_ref()?;
        // The 200 to a CANCEL shares the name of its INVITE, and was not let through by credentials.
        if !parts.status.is_success() || served.request.method() == Method::Cancel {
            return None;
        }
        let pass: &Pass = self.serving.pass(served.id)?;
        let fields = guard.gate.info(pass, parts.content.octets, cx.now(), cx.random());
        if fields.is_empty() {
            return None;
        }
        let mut lines = parts.lines.clone();
        for (id, value) in fields.iter() {
            lines.header(id, value);
        }
        Some(lines)
    }
}

impl super::Serving {
    fn set_pass(&mut self, id: ServedId, pass: Pass) {
        if let Some(entry) = self.table.get_mut(id) {
            entry.pass = Some(Box::new(pass));
        }
    }

    /// The user who has sent a request, if that was proved.
    pub(in crate::user_agent) fn proved_user(&self, id: ServedId) -> Option<Box<Proved>> {
        let pass = self.pass(id)?;
        Some(Box::new(Proved { realm: pass.realm().into(), user: pass.user().clone() }))
    }

    fn pass(&self, id: ServedId) -> Option<&Pass> {
        self.table.get(id)?.pass.as_deref()
    }

    fn begin_look_up(&mut self, id: ServedId, look_up: LookUp) {
        if let Some(entry) = self.table.get_mut(id) {
            entry.look_up = Some(Box::new(look_up));
            self.looking_up += 1;
        }
    }

    fn end_look_up(&mut self, id: ServedId) -> Option<Box<LookUp>> {
        let look_up = self.table.get_mut(id)?.look_up.take()?;
        self.looking_up = self.looking_up.saturating_sub(1);
        Some(look_up)
    }

    fn looks_up_invite(&self, id: ServedId) -> bool {
        let look_up = self.table.get(id).and_then(|entry| entry.look_up.as_ref());
        look_up.is_some_and(|look_up| look_up.served.request.method() == Method::Invite)
    }
}
