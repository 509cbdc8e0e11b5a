//! Registering: the bindings that this user agent keeps at registrars (RFC 3261 §10.2).

use alloc::string::String;
use alloc::vec::Vec;

use super::agent::{Cx, Work};
use super::client::{Again, Outcome, Outside, Owner};
use super::compose::Outgoing;
use super::event::{Cause, Event};
use super::floor::Floor;
use crate::error::CommandError;
use crate::id::Arena;
use crate::message::header::{Contact, Expires, NameAddrBuf};
use crate::message::{HeaderId, Method, Response, Scheme, Uri, UriBuf};
use crate::time::Duration;
use crate::timer::TimerId;
use crate::user_agent::{RegistrationId, RegistrationKind, RequestId};

/// How long before its end a binding is refreshed at least, as far as the binding is twice as long: a REGISTER that gets no
/// answer takes 64·T1 to fail.
const REFRESH_MARGIN: u64 = 30;

/// Our binding at one registrar. All its requests share Call-ID and From tag, and their CSeq numbers rise (§10.2).
#[derive(Clone, Debug)]
struct Registration {
    /// The Request-URI: without a user.
    registrar: UriBuf,
    call_id: String,
    from: NameAddrBuf,
    /// The CSeq number of the next request.
    number: u32,
    /// The interval that the application wants, in seconds.
    wanted: u32,
    /// The request that is out.
    pending: Option<Pending>,
    /// What the application has asked for since.
    next: Option<u32>,
    /// When the binding is refreshed.
    refresh: Option<TimerId>,
}

#[derive(Clone, Copy, Debug)]
struct Pending {
    request: RequestId,
    /// The interval that it asks for, in seconds.
    expires: u32,
}

/// The registrations of a user agent.
#[derive(Clone, Debug)]
pub(super) struct Registrations {
    table: Arena<RegistrationKind, Registration>,
}

impl Registrations {
    pub(super) const fn new() -> Self {
        Self { table: Arena::new() }
    }

    /// Number of registrations.
    pub(super) const fn len(&self) -> usize {
        self.table.len()
    }

    /// Registrations that there is room for without another allocation.
    pub(super) fn capacity(&self) -> usize {
        self.table.capacity()
    }

    /// Binds our contact at a registrar, changes the binding, or removes it.
    pub(super) fn register(
        &mut self,
        on: &mut Floor,
        cx: &mut Cx<'_>,
        registrar: &UriBuf,
        expires: u32,
    ) -> Result<RegistrationId, CommandError> {
        let registrar = without_user(registrar.as_uri()).ok_or(CommandError::NotSip)?;
        let is_it = |registration: &Registration| registration.registrar.as_bytes() == registrar.as_bytes();
        let known = self.table.iter().find(|(_, registration)| is_it(registration)).map(|(id, _)| id);
        let id = known.unwrap_or_else(|| {
            let random = cx.random();
            let call_id = random.call_id();
            let from = on.profile.identity.with_tag(&random.tag());
            let number = random.sequence_number();
            self.table.insert(Registration {
                registrar,
                call_id,
                from,
                number,
                wanted: expires,
                pending: None,
                next: None,
                refresh: None,
            })
        });
        let Some(registration) = self.table.get_mut(id) else { return Err(CommandError::Gone) };
        if let Some(pending) = registration.pending {
            // Not before the answer to the one that is out (§10.2), with which nothing else is tried.
            on.requests.settle_for(pending.request);
            registration.next = Some(expires);
            return Ok(id);
        }
        if let Err(error) = self.send_register(on, cx, id, expires) {
            if known.is_none() {
                self.table.remove(id);
            }
            return Err(error);
        }
        if let Some(registration) = self.table.get_mut(id) {
            registration.wanted = expires;
        }
        Ok(id)
    }

    /// Sends a REGISTER.
    fn send_register(
        &mut self,
        on: &mut Floor,
        cx: &mut Cx<'_>,
        id: RegistrationId,
        expires: u32,
    ) -> Result<(), CommandError> {
        let Some(registration) = self.table.get(id) else { return Err(CommandError::Gone) };
        let outgoing = Outgoing::to(&on.profile.identity).request_uri(&registration.registrar);
        let path = on.outside_path(&outgoing)?;
        let Registration { from, call_id, number, .. } = registration;
        let outside = Outside { method: Method::Register, from, call_id, number: *number };
        let (register, here) = on.write_outside(cx, &outgoing, &path, &outside, |lines| {
            lines.number(HeaderId::Expires, expires);
            on.profile.add_software(lines, HeaderId::UserAgent);
        })?;
        let request = on.send(cx, Owner::Register(id), register, here, path.next_hop)?;
        let Some(registration) = self.table.get_mut(id) else { return Err(CommandError::Gone) };
        registration.number = registration.number.saturating_add(1);
        registration.pending = Some(Pending { request, expires });
        if let Some(timer) = registration.refresh.take() {
            cx.disarm(timer);
        }
        Ok(())
    }

    /// What has become of a REGISTER.
    pub(super) fn heard(&mut self, on: &mut Floor, cx: &mut Cx<'_>, id: RegistrationId, outcome: Outcome) {
        match outcome {
            Outcome::Provisional(_) | Outcome::Paused => {}
            Outcome::Final(response) if response.status().is_success() => self.registered(on, cx, id, response),
            Outcome::Final(response) => self.failed(on, cx, id, Cause::Refused(response)),
            Outcome::Over(concluded) => self.failed(on, cx, id, concluded.into()),
            Outcome::Again(Again { number, interval }) => {
                let Some(registration) = self.table.get_mut(id) else { return };
                registration.number = number.saturating_add(1);
                // 423: for as long as the registrar wants at least (§10.2.8).
                if let (Some(pending), Some(least)) = (&mut registration.pending, interval) {
                    pending.expires = least;
                    registration.wanted = least;
                }
            }
        }
    }

    /// A registration that failed: the binding, if there is one, is left to end by itself, and nothing more is tried before
    /// the application says so (§10.2.7).
    fn failed(&mut self, on: &mut Floor, cx: &mut Cx<'_>, id: RegistrationId, cause: Cause) {
        let Some(registration) = self.table.get_mut(id) else { return };
        if registration.pending.take().is_none() {
            return;
        }
        cx.emit(Event::RegistrationFailed { registration: id, cause });
        self.register_next(on, cx, id);
    }

    /// Time to refresh a binding (§10.2.4).
    pub(super) fn refresh(&mut self, on: &mut Floor, cx: &mut Cx<'_>, id: RegistrationId) {
        let Some(registration) = self.table.get_mut(id) else { return };
        registration.refresh = None;
        let expires = registration.wanted;
        if self.send_register(on, cx, id, expires).is_err() {
            cx.emit(Event::RegistrationFailed { registration: id, cause: Cause::Unreachable });
        }
    }

    fn registered(&mut self, on: &mut Floor, cx: &mut Cx<'_>, id: RegistrationId, response: Response) {
        let Some(registration) = self.table.get(id) else { return };
        let target = registration.registrar.as_uri();
        let granted = granted(&response, |uri| on.profile.is_contact(cx, target, uri));
        let Some(registration) = self.table.get_mut(id) else { return };
        let Some(pending) = registration.pending.take() else { return };
        let granted = granted.unwrap_or(pending.expires);
        let removed = pending.expires == 0;
        if !removed && granted > 0 && registration.next.is_none() {
            let at = cx.now() + refresh_after(granted);
            registration.refresh = Some(cx.arm(at, Work::Refresh(id)));
        }
        let forget = removed && registration.next.is_none();
        cx.emit(Event::Registered { registration: id, response });
        if forget {
            self.table.remove(id);
        }
        self.register_next(on, cx, id);
    }

    /// Sends what the application has asked for while a request was out.
    fn register_next(&mut self, on: &mut Floor, cx: &mut Cx<'_>, id: RegistrationId) {
        let Some(registration) = self.table.get_mut(id) else { return };
        let Some(expires) = registration.next.take() else { return };
        registration.wanted = expires;
        if self.send_register(on, cx, id, expires).is_err() {
            cx.emit(Event::RegistrationFailed { registration: id, cause: Cause::Unreachable });
        }
    }
}

/// A registrar's URI as the Request-URI of a REGISTER: user and password are left out, and so are headers (§10.2). `None`
/// unless it is a SIP URI.
fn without_user(registrar: Uri<'_>) -> Option<UriBuf> {
    let scheme = if registrar.scheme() == Scheme::Sips { "sips" } else { "sip" };
    let mut text: Vec<u8> = alloc::format!("{scheme}:{}", registrar.host_port()?).into_bytes();
    text.extend_from_slice(registrar.parameters().as_bytes());
    UriBuf::parse(&text).ok()
}

/// The seconds for which the registrar has bound the URI that `is_ours`: by the parameter of its Contact, else by Expires
/// (§10.2.4). `None` if the response does not say.
fn granted(response: &Response, is_ours: impl Fn(Uri<'_>) -> bool) -> Option<u32> {
    let headers = response.headers();
    let is_bound = |value: &Contact<'_>| value.address().is_some_and(|address| is_ours(address.uri));
    let by_contact = headers.all::<Contact<'_>>().flatten().find(is_bound).and_then(Contact::expires);
    by_contact.or_else(|| Some(headers.get::<Expires>()?.ok()?.0))
}

/// When a binding of so many seconds is refreshed: a tenth of it before its end, but at least 30 s, and no earlier than
/// half of it; never sooner than a second.
fn refresh_after(granted: u32) -> Duration {
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
