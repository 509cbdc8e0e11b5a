//! Registering: the bindings that this user agent keeps at registrars (RFC 3261 §10.2).

use alloc::string::String;
use alloc::vec::Vec;

use super::core::{Core, Cx, Work};
use super::event::Event;
use crate::endpoint::DeliveryId;
use crate::error::CommandError;
use crate::message::header::{Contact, Expires, MinExpires, NameAddrBuf};
use crate::message::{HeaderId, Lines, Method, RequestParts, Response, Scheme, StatusCode, Uri, UriBuf};
use crate::time::Duration;
use crate::timer::TimerId;
use crate::user_agent::RegistrationId;

/// How long before its end a binding is refreshed at least, as far as the binding is twice as long: a REGISTER that gets no
/// answer takes 64·T1 to fail.
const REFRESH_MARGIN: u64 = 30;

/// Our binding at one registrar. All its requests share Call-ID and From tag, and their CSeq numbers rise (§10.2).
#[derive(Clone, Debug)]
pub(super) struct Registration {
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
    delivery: DeliveryId,
    /// The interval that it asks for, in seconds.
    expires: u32,
    /// It follows a 423.
    again: bool,
}

impl Core {
    /// Binds our contact at a registrar, changes the binding, or removes it.
    pub(super) fn register(
        &mut self,
        cx: &mut Cx<'_>,
        registrar: &UriBuf,
        expires: u32,
    ) -> Result<RegistrationId, CommandError> {
        let registrar = without_user(registrar.as_uri()).ok_or(CommandError::Invalid("registrar"))?;
        let is_it = |registration: &Registration| registration.registrar.as_bytes() == registrar.as_bytes();
        let known = self.registrations.iter().find(|(_, registration)| is_it(registration)).map(|(id, _)| id);
        let id = known.unwrap_or_else(|| {
            let random = cx.random();
            let call_id = random.call_id();
            let from = self.profile.identity.with_tag(&random.tag());
            let number = random.sequence_number();
            self.registrations.insert(Registration {
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
        let Some(registration) = self.registrations.get_mut(id) else { return Err(CommandError::Gone) };
        if registration.pending.is_some() {
            // Not before the answer to the one that is out (§10.2).
            registration.next = Some(expires);
            return Ok(id);
        }
        if let Err(error) = self.send_register(cx, id, expires, false) {
            if known.is_none() {
                self.registrations.remove(id);
            }
            return Err(error);
        }
        if let Some(registration) = self.registrations.get_mut(id) {
            registration.wanted = expires;
        }
        Ok(id)
    }

    /// Sends a REGISTER.
    fn send_register(
        &mut self,
        cx: &mut Cx<'_>,
        id: RegistrationId,
        expires: u32,
        again: bool,
    ) -> Result<(), CommandError> {
        let Some(registration) = self.registrations.get(id) else { return Err(CommandError::Gone) };
        let target = registration.registrar.as_uri();
        let next_hop = self.outside_hop(target).ok_or(CommandError::Invalid("registrar"))?;
        let mut lines = Lines::new();
        lines
            .number(HeaderId::MaxForwards, 70)
            .header(HeaderId::To, self.profile.identity.without_parameters())
            .header(HeaderId::From, &registration.from)
            .header(HeaderId::CallId, &registration.call_id)
            .cseq(registration.number, Method::Register);
        let here = self.profile.add_contact_anywhere(&mut lines, cx, target)?;
        lines.number(HeaderId::Expires, expires);
        self.profile.add_software(&mut lines, HeaderId::UserAgent);
        let register = RequestParts::new(Method::Register, target.as_bytes(), &lines);
        let delivery = cx.request_from(&register, &here, next_hop, Work::Register(id), "")?;
        let Some(registration) = self.registrations.get_mut(id) else { return Err(CommandError::Gone) };
        registration.number = registration.number.saturating_add(1);
        registration.pending = Some(Pending { delivery, expires, again });
        if let Some(timer) = registration.refresh.take() {
            cx.disarm(timer);
        }
        Ok(())
    }

    /// A response to a REGISTER.
    pub(super) fn register_response(&mut self, cx: &mut Cx<'_>, id: RegistrationId, response: Response) {
        let status = response.status();
        if status.is_success() {
            self.registered(cx, id, response);
        } else if status == StatusCode::INTERVAL_TOO_BRIEF {
            self.too_brief(cx, id, response);
        } else if status.is_final() {
            self.register_failed(cx, id, status, Some(response));
        }
    }

    /// A registration that failed: the binding, if there is one, is left to end by itself, and nothing more is tried before
    /// the application says so (§10.2.7).
    pub(super) fn register_failed(
        &mut self,
        cx: &mut Cx<'_>,
        id: RegistrationId,
        status: StatusCode,
        response: Option<Response>,
    ) {
        let Some(registration) = self.registrations.get_mut(id) else { return };
        if registration.pending.take().is_none() {
            return;
        }
        cx.emit(Event::RegistrationFailed { registration: id, status, response });
        self.register_next(cx, id);
    }

    /// The transaction of a REGISTER is over: if no response could be used, so is the attempt.
    pub(super) fn register_finished(&mut self, cx: &mut Cx<'_>, id: RegistrationId, delivery: DeliveryId) {
        let pending = self.registrations.get(id).and_then(|registration| registration.pending);
        if pending.is_some_and(|pending| pending.delivery == delivery) {
            self.register_failed(cx, id, StatusCode::REQUEST_TIMEOUT, None);
        }
    }

    /// Time to refresh a binding (§10.2.4).
    pub(super) fn refresh(&mut self, cx: &mut Cx<'_>, id: RegistrationId) {
        let Some(registration) = self.registrations.get_mut(id) else { return };
        registration.refresh = None;
        let expires = registration.wanted;
        if self.send_register(cx, id, expires, false).is_err() {
            let status = StatusCode::SERVICE_UNAVAILABLE;
            cx.emit(Event::RegistrationFailed { registration: id, status, response: None });
        }
    }

    fn registered(&mut self, cx: &mut Cx<'_>, id: RegistrationId, response: Response) {
        let Some(registration) = self.registrations.get(id) else { return };
        let target = registration.registrar.as_uri();
        let granted = granted(&response, |uri| self.profile.is_contact(cx, target, uri));
        let Some(registration) = self.registrations.get_mut(id) else { return };
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
            self.registrations.remove(id);
        }
        self.register_next(cx, id);
    }

    /// 423: once more, for as long as the registrar wants at least (§10.2.8).
    fn too_brief(&mut self, cx: &mut Cx<'_>, id: RegistrationId, response: Response) {
        let Some(registration) = self.registrations.get_mut(id) else { return };
        let Some(pending) = registration.pending else { return };
        if let Some(Ok(MinExpires(least))) = response.headers().get::<MinExpires>()
            && !pending.again
            && least > pending.expires
            && registration.next.is_none()
        {
            registration.pending = None;
            if self.send_register(cx, id, least, true).is_ok() {
                if let Some(registration) = self.registrations.get_mut(id) {
                    registration.wanted = least;
                }
                return;
            }
            if let Some(registration) = self.registrations.get_mut(id) {
                registration.pending = Some(pending);
            }
        }
        self.register_failed(cx, id, StatusCode::INTERVAL_TOO_BRIEF, Some(response));
    }

    /// Sends what the application has asked for while a request was out.
    fn register_next(&mut self, cx: &mut Cx<'_>, id: RegistrationId) {
        let Some(registration) = self.registrations.get_mut(id) else { return };
        let Some(expires) = registration.next.take() else { return };
        registration.wanted = expires;
        if self.send_register(cx, id, expires, false).is_err() {
            let status = StatusCode::SERVICE_UNAVAILABLE;
            cx.emit(Event::RegistrationFailed { registration: id, status, response: None });
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
