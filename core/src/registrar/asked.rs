//! The wishes of a REGISTER (RFC 3261 §10.3 steps 6 and 7, RFC 5626 §6), read before anything is changed.

use alloc::boxed::Box;
use alloc::vec::Vec;

use smallvec::SmallVec;

use super::Settings;
use super::binding::{Way, instance};
use super::reach::leads_nowhere_else;
use super::refusal::Refusal;
use crate::extension::{Extension, Extensions};
use crate::flow::Flow;
use crate::message::header::{Contact, Expires, Header, NameAddr, Path, Via};
use crate::message::{HeaderId, Phrase, Request, UriBuf};
use crate::transport::{is_special, meant};

/// Seconds that a malformed expiration time counts as (RFC 3261 §10.2.1.1), and from which on none is too brief (§10.3 step 7).
pub(crate) const HOUR: u32 = 3_600;

/// The greatest number of a flow (RFC 5626 §4.2).
const GREATEST_REG_ID: u32 = i32::MAX as u32;

/// The wish of a REGISTER.
#[expect(clippy::large_enum_variant, reason = "a box would be an allocation, and the large variant is the usual one")]
pub(super) enum Asked<'r> {
    /// The bindings, unchanged.
    List,
    /// `*`: no binding any more.
    RemoveAll,
    /// These contacts, each for some time or no more.
    Update(SmallVec<[Wish<'r>; 2]>),
}

/// A contact that is to be bound, or no more.
pub(super) struct Wish<'r> {
    /// The contact.
    pub(super) address: NameAddr<'r>,
    /// Its preference in thousandths.
    pub(super) q: u16,
    /// The seconds that are granted; 0: no more.
    pub(super) seconds: u32,
    /// The instance and the flow's number that the binding is compared by (RFC 5626 §6).
    pub(super) outbound: Option<(Box<str>, u32)>,
    /// Whether nothing but the flow of the REGISTER leads there.
    pub(super) only_flow: bool,
    /// Whether the flow of the REGISTER leads there at all.
    pub(super) is_direct: bool,
}

/// A REGISTER, and what it says beside its contacts.
pub(super) struct Registration<'r> {
    pub(super) request: &'r Request,
    pub(super) flow: Flow,
    /// Whether the user agent sent it straight to us.
    is_direct: bool,
    pub(super) supports: Extensions,
    /// The proxies of the Path.
    path: Vec<UriBuf>,
    /// Whether the first element of the Path keeps flows (RFC 5626 §5.1).
    has_edge: bool,
}

impl<'r> Registration<'r> {
    /// Reads the extensions of a REGISTER that came along `flow`.
    ///
    /// # Errors
    /// 400 for a Path that cannot be read; 420 for one that the user agent does not know of (RFC 3327 §5.3).
    pub(super) fn read(request: &'r Request, flow: Flow) -> Result<Self, Refusal> {
        let headers = request.headers();
        let supports = Extensions::supported(headers);
        let is_direct = headers.values(HeaderId::Via, Via::LIST).nth(1).is_none();
        let (mut path, mut has_edge) = (Vec::<UriBuf>::new(), false);
        if headers.has_blank(HeaderId::Path) {
            return Err(Refusal::Invalid(Phrase::BAD_PATH));
        }
        for value in headers.all::<Path<'_>>() {
            let Path(address) = value.map_err(|_| Refusal::Invalid(Phrase::BAD_PATH))?;
            has_edge |= path.is_empty() && address.uri.parameter("ob").is_some();
            path.push(address.uri.to_buf());
        }
        if !path.is_empty() && !supports.contains(Extension::Path) {
            return Err(Refusal::Unsupported(Extension::Path.tag().into()));
        }
        Ok(Self { request, flow, is_direct, supports, path, has_edge })
    }

    /// The wishes, each as long as the settings grant it.
    pub(super) fn asked(&self, settings: &Settings) -> Result<Asked<'r>, Refusal> {
        if self.request.headers().has_blank(HeaderId::Contact) {
            return Err(Refusal::Invalid(Phrase::BAD_BINDING));
        }
        let mut contacts = self.request.headers().all::<Contact<'_>>();
        let first = contacts.next();
        match first {
            None => Ok(Asked::List),
            Some(Err(_)) => Err(Refusal::Invalid(Phrase::BAD_BINDING)),
            Some(Ok(Contact::Star)) if contacts.next().is_some() => Err(Refusal::Invalid(Phrase::ASTERISK_NOT_ALONE)),
            Some(Ok(Contact::Star)) => match self.request.headers().get::<Expires>() {
                Some(Ok(Expires(0))) => Ok(Asked::RemoveAll),
                _ => Err(Refusal::Invalid(Phrase::ASTERISK_WITH_LIFETIME)),
            },
            Some(Ok(first @ Contact::Address(_))) => {
                let all = core::iter::once(Ok(first)).chain(contacts);
                let mut wishes: SmallVec<[_; 2]> = SmallVec::new();
                for contact in all {
                    let contact = contact.map_err(|_| Refusal::Invalid(Phrase::BAD_BINDING))?;
                    wishes.push(self.wish(settings, contact)?);
                }
                let lasting = wishes.iter().filter(|wish| wish.seconds > 0);
                if lasting.clone().any(|wish| wish.outbound.is_some()) && lasting.count() > 1 {
                    return Err(Refusal::Invalid(Phrase::SEVERAL_FLOWS));
                }
                Ok(Asked::Update(wishes))
            }
        }
    }

    fn wish(&self, settings: &Settings, contact: Contact<'r>) -> Result<Wish<'r>, Refusal> {
        let address = contact.address().ok_or(Refusal::Invalid(Phrase::ASTERISK_NOT_ALONE))?;
        let q = match (contact.q(), address.parameters.has("q")) {
            (Some(q), _) => q,
            (None, true) => return Err(Refusal::Invalid(Phrase::BAD_PREFERENCE)),
            (None, false) => 1_000,
        };
        let asked = match (contact.expires(), address.parameters.has("expires")) {
            (Some(seconds), _) => seconds,
            (None, true) => HOUR,
            (None, false) => match self.request.headers().get::<Expires>() {
                None => settings.default_expires,
                Some(Ok(Expires(seconds))) => seconds,
                Some(Err(_)) => HOUR,
            },
        };
        if asked > 0 && asked < HOUR && asked < settings.min_expires {
            return Err(Refusal::TooBrief(settings.min_expires));
        }
        let outbound = self.outbound(address)?;
        let only_flow =
            self.is_direct && (outbound.is_some() || leads_nowhere_else(self.request, self.flow, address.uri));
        Ok(Wish {
            address,
            q,
            seconds: asked.min(settings.max_expires),
            outbound,
            only_flow,
            is_direct: self.is_direct,
        })
    }

    /// The instance and the flow's number of a contact, if they count (RFC 5626 §6).
    fn outbound(&self, address: NameAddr<'_>) -> Result<Option<(Box<str>, u32)>, Refusal> {
        let number = |value: &[u8]| core::str::from_utf8(value).ok()?.parse().ok();
        let reg_id = address.parameters.value("reg-id").and_then(number);
        let Some(reg_id) = reg_id.filter(|number| (1..=GREATEST_REG_ID).contains(number)) else { return Ok(None) };
        if !self.is_direct && !self.has_edge {
            return match self.supports.contains(Extension::Outbound) {
                true => Err(Refusal::FirstHopLacksOutbound),
                false => Ok(None),
            };
        }
        // Without an instance the number is ignored.
        Ok(instance(address.parameters).map(|instance| (instance.into(), reg_id)))
    }

    /// The way to a contact, if there is more to be said than its URI does.
    pub(super) fn way(&self, wish: &Wish<'_>) -> Option<Box<Way>> {
        // A connection leads there as long as it lasts; datagrams go where the contact says unless only their flow leads there.
        let flow = wish.is_direct && (wish.only_flow || self.flow.connection.is_some());
        let source = Some(meant(self.flow.remote.ip())).filter(|ip| is_special(*ip));
        if !flow && self.path.is_empty() && wish.outbound.is_none() && source.is_none() {
            return None;
        }
        Some(Box::new(Way {
            flow: flow.then_some(self.flow),
            only_flow: wish.only_flow,
            path: self.path.as_slice().into(),
            outbound: wish.outbound.clone(),
            source,
        }))
    }
}
