//! REGISTER, step by step (RFC 3261 §10.3). All of a request is done or nothing.

use alloc::boxed::Box;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use smallvec::SmallVec;

use super::asked::{Asked, Registration, Wish};
use super::binding::Binding;
use super::location::{Location, address_of_record};
use super::refusal::Refusal;
use super::{Change, Core, Settings, gruu};
use crate::extension::{Demand, Extension, Extensions};
use crate::flow::Flow;
use crate::message::header::{Date, NameAddr};
use crate::message::{
    HeaderId, Parameter, Phrase, Request, Response, ResponseBuilder, Scheme, StatusCode, Uri, decimal, unfolded,
};
use crate::time::{Duration, Instant};

/// The extensions that a registrar understands.
const UNDERSTOOD: Extensions = Extensions::of(&[Extension::Path, Extension::Outbound, Extension::Gruu]);

/// The changes of a request to the bindings of its address-of-record, before any of them is made.
#[derive(Debug, Default)]
pub(super) struct Plan {
    /// The bindings that change, by their places: what they become, or nothing.
    old: SmallVec<[(usize, Option<Binding>); 2]>,
    new: SmallVec<[Binding; 1]>,
}

/// A REGISTER after steps 2 to 5, before any binding is looked at.
pub(super) struct Judged<'r> {
    /// Its address-of-record.
    pub(super) name: String,
    registration: Registration<'r>,
    asked: Asked<'r>,
}

impl<'r> Judged<'r> {
    /// A request that was judged before, for this address-of-record.
    pub(super) fn again(
        settings: &Settings,
        (request, flow): (&'r Request, Flow),
        name: &str,
    ) -> Result<Self, Refusal> {
        let registration = Registration::read(request, flow)?;
        let asked = registration.asked(settings)?;
        Ok(Self { name: name.into(), registration, asked })
    }
}

impl Core {
    /// Steps 2 to 5; the owner did step 1, and let no stranger through. `name_of` gives the address-of-record that a URI of this domain stands
    /// for.
    pub(super) fn judge<'r>(
        &self,
        (request, flow): (&'r Request, Flow),
        name_of: impl Fn(Uri<'_>) -> Option<String>,
    ) -> Result<Judged<'r>, Refusal> {
        // Step 2
        let demand = Demand::of_require(request.headers(), UNDERSTOOD);
        if demand.malformed.is_some() {
            return Err(Refusal::Invalid(Phrase::BAD_EXTENSIONS));
        }
        if !demand.unsupported.is_empty() {
            return Err(Refusal::Unsupported(demand.unsupported));
        }
        // Step 5 before step 4, which needs the name
        let name = match request.to_header().map(|to| to.uri) {
            // An address-of-record is a SIP or SIPS URI (RFC 4475 §3.3.4).
            None => return Err(Refusal::Invalid(Phrase::BAD_RECIPIENT)),
            Some(uri) if !uri.is_sip() => return Err(Refusal::Invalid(Phrase::RECIPIENT_OF_OTHER_SCHEME)),
            Some(uri) => name_of(uri).ok_or(Refusal::NotFound)?,
        };
        // Step 4
        if !self.settings.third_party {
            let from = request.headers().from().map(|from| from.uri);
            let is_same =
                from.is_some_and(|from| name_of(from).or_else(|| address_of_record(from)).is_some_and(|it| it == name));
            if !is_same {
                return Err(Refusal::Forbidden(Phrase::THIRD_PARTY));
            }
        }
        let judged = Judged::again(&self.settings, (request, flow), &name)?;
        if let Asked::Update(wishes) = &judged.asked
            && wishes.iter().any(|wish| leads_back(wish, &name, &name_of))
        {
            return Err(Refusal::Forbidden(Phrase::CONTACT_IS_RECIPIENT));
        }
        Ok(judged)
    }

    /// Steps 6 and 7: what becomes of the bindings that there are `before`; `None` if they are only to be listed. A header section has room for
    /// `section` octets.
    pub(super) fn plan(
        &self,
        now: Instant,
        section: usize,
        judged: &Judged<'_>,
        before: &[Binding],
    ) -> Result<Option<Plan>, Refusal> {
        let Judged { registration, asked, .. } = judged;
        let plan = match asked {
            Asked::List => return Ok(None),
            Asked::RemoveAll => {
                if before.iter().any(|binding| !asked_later(registration.request, binding)) {
                    return Err(Refusal::OutOfOrder);
                }
                Plan { old: (0..before.len()).map(|place| (place, None)).collect(), new: SmallVec::new() }
            }
            Asked::Update(wishes) => plan(now, &self.location, registration, wishes, before)?,
        };
        plan.check(before, &self.settings, section)?;
        Ok(Some(plan))
    }

    /// Whether the user agent wants a GRUU (RFC 5627 §5.2).
    pub(super) fn wants_gruu(&self, request: &Request) -> bool {
        Extensions::supported(request.headers()).contains(Extension::Gruu)
    }

    /// Step 8: 200 with every binding and the seconds it has left. With a random `number` each contact that has an instance gets its GRUUs. Where there is `room`
    /// for so many octets of Contact alone, bindings are left out, those that the request has named last.
    pub(super) fn success(
        &self,
        (now, date): (Instant, Option<Date>),
        (request, room): (&Request, Option<usize>),
        (name, bindings): (&str, &[Binding]),
        number: Option<u64>,
    ) -> ResponseBuilder {
        let mut response = Response::to(request, StatusCode::OK);
        let mut value = Vec::new();
        let is_secure = request.headers().to().is_some_and(|to| to.uri.scheme() == Scheme::Sips);
        let write = |binding: &Binding, value: &mut Vec<u8>| {
            value.clear();
            value.push(b'<');
            value.extend_from_slice(binding.contact.as_bytes());
            value.push(b'>');
            value.extend_from_slice(binding.parameters());
            value.extend_from_slice(b";expires=");
            value.extend_from_slice(decimal(binding.seconds_left(now) as usize).as_bytes());
            if let Some(number) = number {
                self.write_gruus(value, is_secure, (name, bindings), binding, number);
            }
        };
        let mut listed: SmallVec<[&Binding; 4]> = bindings.iter().collect();
        if let Some(room) = room {
            fit(&mut listed, request, room, |binding| {
                write(binding, &mut value);
                CONTACT_LINE.saturating_add(value.len())
            });
        }
        for binding in listed {
            write(binding, &mut value);
            response = response.header(HeaderId::Contact, &value);
        }
        // RFC 3327 §5.3: the values as they came. They were refused unless the user agent knows of them.
        response = response.copy(request, HeaderId::Path);
        let call_id = request.call_id().unwrap_or_default().as_bytes();
        let by_flow =
            |binding: &Binding| binding.call_id() == call_id && binding.way().is_some_and(|way| way.outbound.is_some());
        if Extensions::supported(request.headers()).contains(Extension::Outbound)
            && request.headers().contains(HeaderId::Contact)
            && bindings.iter().any(by_flow)
        {
            // RFC 5626 §6
            response = response.header(HeaderId::Supported, UNDERSTOOD.without(Extension::Gruu).to_string());
            response = response.header(HeaderId::Require, Extension::Outbound.tag());
        }
        match date {
            Some(date) => response.typed(&date),
            None => response,
        }
    }
}

impl Core {
    /// Writes the GRUUs of a binding that has an instance (RFC 5627 §5.2): the temporary one is that of the registration of this instance that was
    /// refreshed last.
    fn write_gruus(
        &self,
        out: &mut Vec<u8>,
        is_secure: bool,
        (name, bindings): (&str, &[Binding]),
        binding: &Binding,
        number: u64,
    ) {
        let Some(instance) = binding.instance() else { return };
        let is_same = |other: &&Binding| other.instance().is_some_and(|it| it.eq_ignore_ascii_case(&instance));
        let latest = bindings.iter().filter(is_same).max_by_key(|other| other.updated_at).unwrap_or(binding);
        let scheme: &[u8] = if is_secure { b"sips:" } else { b"sip:" };
        let mut write = |parameter: &[u8], gruu: &str| {
            out.extend_from_slice(parameter);
            out.extend_from_slice(scheme);
            out.extend_from_slice(gruu.as_bytes());
            out.push(b'"');
        };
        write(b";pub-gruu=\"", &gruu::public(name, &instance));
        if let Some(temporary) = self.gruus.temporary(name, latest, number) {
            write(b";temp-gruu=\"", &temporary);
        }
    }
}

/// Step 7: the changes, if every contact can be followed.
fn plan(
    now: Instant,
    location: &Location,
    registration: &Registration<'_>,
    wishes: &[Wish<'_>],
    before: &[Binding],
) -> Result<Plan, Refusal> {
    let mut plan = Plan::default();
    for wish in wishes {
        let identity = match &wish.outbound {
            Some((instance, reg_id)) => location.identity_of_flow(instance, *reg_id),
            None => location.identity_of_contact(wish.address.uri),
        };
        let is_it = |binding: &Binding| binding.identity == identity && is_same(binding, wish);
        let old = before.iter().position(is_it);
        if old.and_then(|place| before.get(place)).is_some_and(|old| !asked_later(registration.request, old)) {
            return Err(Refusal::OutOfOrder);
        }
        let binding = match wish.seconds {
            0 => None,
            seconds => {
                let expires_at = now + Duration::from_secs(seconds.into());
                Some(binding(registration, wish, identity, (now, expires_at))?)
            }
        };
        // The same contact may stand there twice: the last one counts.
        let new = plan.new.iter().position(is_it);
        match (old, new) {
            (Some(place), _) => {
                plan.old.retain(|(other, _)| *other != place);
                plan.old.push((place, binding));
            }
            (None, Some(place)) => match binding {
                Some(binding) => {
                    if let Some(slot) = plan.new.get_mut(place) {
                        *slot = binding;
                    }
                }
                None => drop(plan.new.remove(place)),
            },
            (None, None) => plan.new.extend(binding),
        }
    }
    Ok(plan)
}

impl Plan {
    /// Whether it changes nothing.
    pub(super) fn is_empty(&self) -> bool {
        self.old.is_empty() && self.new.is_empty()
    }

    /// Whether the bindings will be few enough, and fit into one response.
    fn check(&self, before: &[Binding], settings: &Settings, section: usize) -> Result<(), Refusal> {
        let changed = |place| self.old.iter().find(|(other, _)| *other == place);
        let kept = before.iter().enumerate().filter(|(place, _)| changed(*place).is_none()).map(|(_, binding)| binding);
        let after = kept.chain(self.old.iter().filter_map(|(_, binding)| binding.as_ref())).chain(&self.new);
        let (count, size) = after.fold((0_usize, 0_usize), |(count, size), binding| (count + 1, size + binding.size()));
        // A request that only takes bindings away is never refused: the bounds may have been lowered.
        let grows = self.new.len() + self.old.iter().filter(|(_, binding)| binding.is_some()).count() > 0;
        if grows && (count > settings.limits.bindings || size > section / 2) { Err(Refusal::TooMany) } else { Ok(()) }
    }

    /// Makes the changes to the bindings of an address-of-record: which ones were made, and which are gone.
    pub(super) fn make(self, name: &str, bindings: &mut Vec<Binding>) -> Vec<Change> {
        let mut changes = Vec::new();
        let mut tell = |bound, binding: &Binding| {
            let (address_of_record, contact) = (Box::from(name), binding.contact.clone());
            changes.push(match bound {
                true => Change::Bound { address_of_record, contact },
                false => Change::Unbound { address_of_record, contact },
            });
        };
        let mut gone: SmallVec<[usize; 4]> = SmallVec::new();
        for (place, binding) in self.old {
            match (bindings.get_mut(place), binding) {
                (Some(slot), Some(binding)) => *slot = binding,
                (Some(_), None) => gone.push(place),
                (None, _) => {}
            }
        }
        gone.sort_unstable();
        for place in &gone {
            if let Some(binding) = bindings.get(*place) {
                tell(false, binding);
            }
        }
        for place in gone.into_iter().rev() {
            bindings.remove(place);
        }
        // Most have one, and a list that grows by itself begins with room for four.
        bindings.reserve_exact(self.new.len());
        for binding in self.new {
            tell(true, &binding);
            bindings.push(binding);
        }
        changes
    }
}

/// Octets of a line of Contact beside its value.
const CONTACT_LINE: usize = b"Contact: \r\n".len();

/// Octets that a binding may add to a Contact beside its own text: `expires` and two GRUUs.
const MOST_ADDED: usize = 400;

/// Leaves bindings out of a list until the lines of the others, whose `size` is known, have no more than `room` octets. Those that the request has bound or
/// refreshed stay the longest.
fn fit(listed: &mut SmallVec<[&Binding; 4]>, request: &Request, room: usize, mut size: impl FnMut(&Binding) -> usize) {
    let most: usize = listed.iter().map(|binding| binding.size().saturating_add(CONTACT_LINE + MOST_ADDED)).sum();
    if most <= room || listed.iter().map(|binding| size(binding)).sum::<usize>() <= room {
        return;
    }
    let call_id = request.call_id().unwrap_or_default().as_bytes();
    let number = request.cseq().map(|cseq| cseq.number);
    let is_named = |binding: &&Binding| binding.call_id() == call_id && Some(binding.cseq) == number;
    listed.sort_by_key(|binding| !is_named(binding));
    let mut left = room;
    listed.retain(|binding| match left.checked_sub(size(binding)) {
        Some(rest) => {
            left = rest;
            true
        }
        None => false,
    });
}

/// Whether the contact of an instance is the address-of-record itself or a GRUU of it, or no SIP URI (RFC 5627 §5.1).
fn leads_back(wish: &Wish<'_>, name: &str, name_of: impl Fn(Uri<'_>) -> Option<String>) -> bool {
    let uri = wish.address.uri;
    wish.seconds > 0
        && wish.address.parameters.has("+sip.instance")
        && (!uri.is_sip() || name_of(uri).is_some_and(|own| own == name))
}

/// Whether a binding of the same identity is the one that a wish means.
fn is_same(binding: &Binding, wish: &Wish<'_>) -> bool {
    match (binding.way().and_then(|way| way.outbound.as_ref()), &wish.outbound) {
        (Some(bound), Some(wished)) => bound == wished,
        (None, None) => {
            binding.contact.as_bytes() == wish.address.uri.as_bytes()
                || binding.contact.as_uri().equivalent(wish.address.uri)
        }
        _ => false,
    }
}

fn binding(
    registration: &Registration<'_>,
    wish: &Wish<'_>,
    identity: u64,
    (updated_at, expires_at): (Instant, Instant),
) -> Result<Binding, Refusal> {
    let mut text = other_parameters(wish.address)?;
    let call_id_at = u32::try_from(text.len()).map_err(|_| Refusal::TooMany)?;
    text.extend_from_slice(registration.request.call_id().unwrap_or_default().as_bytes());
    Ok(Binding {
        contact: wish.address.uri.to_buf(),
        q: wish.q,
        expires_at,
        updated_at,
        identity,
        text: text.into(),
        call_id_at,
        cseq: registration.request.cseq().map_or(0, |cseq| cseq.number),
        way: registration.way(wish),
    })
}

/// Whether `request` may change `binding`: another Call-ID always may, the same one only with a higher CSeq.
fn asked_later(request: &Request, binding: &Binding) -> bool {
    request.call_id().map(str::as_bytes) != Some(binding.call_id())
        || request.cseq().is_some_and(|cseq| cseq.number > binding.cseq)
}

/// The parameters of a contact as they may be written again, but for `expires` and those of GRUUs, which are told anew each time.
fn other_parameters(address: NameAddr<'_>) -> Result<Vec<u8>, Refusal> {
    // A user agent cannot give itself a GRUU (RFC 5627 §5.1).
    let is_kept = |parameter: &Parameter<'_>| {
        !["expires", "pub-gruu", "temp-gruu"].iter().any(|name| parameter.name.eq_ignore_ascii_case(name))
    };
    let mut out = Vec::new();
    for parameter in address.parameters.iter().filter(is_kept) {
        out.push(b';');
        out.extend_from_slice(parameter.name.as_bytes());
        if let Some(value) = parameter.value {
            out.push(b'=');
            out.extend_from_slice(&unfolded(value).map_err(|_| Refusal::Invalid(Phrase::BAD_BINDING))?);
        }
    }
    Ok(out)
}
