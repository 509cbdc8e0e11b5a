//! REGISTER, step by step (RFC 3261 §10.3). All of a request is done or nothing.

use alloc::boxed::Box;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use super::location::{Binding, Full};
use super::{Change, Core, Settings};
use crate::message::header::{Contact, Expires, NameAddr, Require};
use crate::message::{HeaderId, Phrase, Request, Response, ResponseBuilder, StatusCode, unfolded};
use crate::time::{Duration, Instant};

/// Seconds that a malformed expiration time counts as (RFC 3261 §10.2.1.1), and from which on none is too brief (§10.3 step 7).
const HOUR: u32 = 3_600;

/// Why a REGISTER fails.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Refusal {
    /// 400: what is wrong.
    Invalid(Phrase),
    /// 403: more bindings, or longer ones, than one address-of-record may have.
    TooMany,
    /// 404: no address-of-record of this domain.
    NotFound,
    /// 420: option tags that are not understood.
    Unsupported(String),
    /// 423: seconds that would do.
    TooBrief(u32),
    /// 500: a newer REGISTER of the same Call-ID came first.
    OutOfOrder,
    /// 503: the location service is full.
    Full,
}

impl Refusal {
    pub(super) fn response(&self, request: &Request) -> ResponseBuilder {
        match self {
            Self::Invalid(reason) => Response::to(request, StatusCode::BAD_REQUEST).reason(reason),
            Self::TooMany => Response::to(request, StatusCode::FORBIDDEN).reason(Phrase::TOO_MANY_BINDINGS),
            Self::NotFound => Response::to(request, StatusCode::NOT_FOUND),
            Self::Unsupported(options) => {
                Response::to(request, StatusCode::BAD_EXTENSION).header(HeaderId::Unsupported, options)
            }
            Self::TooBrief(min) => {
                Response::to(request, StatusCode::INTERVAL_TOO_BRIEF).header(HeaderId::MinExpires, format!("{min}"))
            }
            Self::OutOfOrder => Response::to(request, StatusCode::SERVER_INTERNAL_ERROR).reason(Phrase::OUT_OF_ORDER),
            Self::Full => Response::to(request, StatusCode::SERVICE_UNAVAILABLE).header(HeaderId::RetryAfter, "600"),
        }
    }
}

impl Core {
    /// Steps 2 to 7 (the owner did step 1; there is no authentication yet). `name` is the address-of-record, or why the
    /// To is none of this domain; it comes back when its bindings are to be listed. A header section has room for `section` octets.
    pub(super) fn register(
        &mut self,
        now: Instant,
        section: usize,
        request: &Request,
        name: Result<String, Refusal>,
        changes: &mut Vec<Change>,
    ) -> Result<String, Refusal> {
        require(request)?;
        let name = name?;
        let asked = Asked::of(request)?;
        let before = self.location.bindings(&name).unwrap_or_default();
        let after = match asked {
            Asked::List => return Ok(name),
            Asked::RemoveAll => {
                if before.iter().any(|binding| !asked_later(request, binding)) {
                    return Err(Refusal::OutOfOrder);
                }
                Vec::new()
            }
            Asked::Update => self.update(now, section, request, before)?,
        };
        let same = |one: &Binding, other: &Binding| one.contact.as_uri().equivalent(other.contact.as_uri());
        let mut news = Vec::new();
        for gone in before.iter().filter(|binding| !after.iter().any(|other| same(binding, other))) {
            news.push(Change::Unbound { address_of_record: name.as_str().into(), contact: gone.contact.clone() });
        }
        for made in after.iter().filter(|binding| !before.iter().any(|other| same(binding, other))) {
            news.push(Change::Bound { address_of_record: name.as_str().into(), contact: made.contact.clone() });
        }
        self.location.store(&name, after).map_err(|Full| Refusal::Full)?;
        changes.append(&mut news);
        Ok(name)
    }

    /// Step 7: the bindings as they will be, if every contact can be followed.
    fn update(
        &self,
        now: Instant,
        section: usize,
        request: &Request,
        before: &[Binding],
    ) -> Result<Vec<Binding>, Refusal> {
        let expires = match request.headers().get::<Expires>() {
            None => self.settings.default_expires,
            Some(Ok(Expires(seconds))) => seconds,
            Some(Err(_)) => HOUR,
        };
        let mut after = before.to_vec();
        for contact in request.headers().all::<Contact<'_>>() {
            let contact = contact.map_err(|_| MALFORMED_CONTACT)?;
            let address = contact.address().ok_or(STAR_NOT_ALONE)?;
            let asked = match (contact.expires(), address.parameters.has("expires")) {
                (Some(seconds), _) => seconds,
                (None, true) => HOUR,
                (None, false) => expires,
            };
            let seconds = grant(&self.settings, asked)?;
            let old = before.iter().find(|binding| binding.contact.as_uri().equivalent(address.uri));
            if old.is_some_and(|old| !asked_later(request, old)) {
                return Err(Refusal::OutOfOrder);
            }
            let place = after.iter().position(|binding| binding.contact.as_uri().equivalent(address.uri));
            match (place, seconds) {
                (Some(place), 0) => drop(after.remove(place)),
                (None, 0) => {}
                (place, seconds) => {
                    let binding = Binding {
                        contact: address.uri.to_buf(),
                        parameters: other_parameters(address)?,
                        q: contact.q().unwrap_or(1_000),
                        call_id: request.call_id().unwrap_or_default().into(),
                        cseq: request.cseq().map_or(0, |cseq| cseq.number),
                        expires_at: now + Duration::from_secs(seconds.into()),
                    };
                    match place.and_then(|place| after.get_mut(place)) {
                        Some(place) => *place = binding,
                        None => after.push(binding),
                    }
                    if after.len() > self.settings.limits.bindings {
                        return Err(Refusal::TooMany);
                    }
                }
            }
        }
        // All of them must fit into one response.
        let text: usize = after.iter().map(Binding::size).sum();
        if text > section / 2 { Err(Refusal::TooMany) } else { Ok(after) }
    }

    /// Step 8: 200 with every binding and the seconds it has left.
    pub(super) fn success(&self, now: Instant, request: &Request, name: &str) -> ResponseBuilder {
        let mut response = Response::to(request, StatusCode::OK);
        for binding in self.location.bindings(name).unwrap_or_default() {
            let mut value = Vec::from(b"<".as_slice());
            value.extend_from_slice(binding.contact.as_bytes());
            value.push(b'>');
            value.extend_from_slice(&binding.parameters);
            value.extend_from_slice(format!(";expires={}", binding.seconds_left(now)).as_bytes());
            response = response.header(HeaderId::Contact, value);
        }
        response
    }
}

const MALFORMED_CONTACT: Refusal = Refusal::Invalid(Phrase::BAD_BINDING);
const STAR_NOT_ALONE: Refusal = Refusal::Invalid(Phrase::ASTERISK_NOT_ALONE);

/// The wish of a REGISTER (step 6).
enum Asked {
    List,
    RemoveAll,
    Update,
}

impl Asked {
    fn of(request: &Request) -> Result<Self, Refusal> {
        let mut contacts = request.headers().all::<Contact<'_>>();
        match (contacts.next(), contacts.next()) {
            (None, _) => Ok(Self::List),
            (Some(Err(_)), _) => Err(MALFORMED_CONTACT),
            (Some(Ok(Contact::Star)), Some(_)) => Err(STAR_NOT_ALONE),
            (Some(Ok(Contact::Star)), None) => match request.headers().get::<Expires>() {
                Some(Ok(Expires(0))) => Ok(Self::RemoveAll),
                _ => Err(Refusal::Invalid(Phrase::ASTERISK_WITH_LIFETIME)),
            },
            (Some(Ok(Contact::Address(_))), _) => Ok(Self::Update),
        }
    }
}

/// Step 2: no extension is understood.
fn require(request: &Request) -> Result<(), Refusal> {
    let mut options = String::new();
    for option in request.headers().all::<Require<'_>>() {
        let Require(option) = option.map_err(|_| Refusal::Invalid(Phrase::BAD_EXTENSIONS))?;
        if !options.is_empty() {
            options.push_str(", ");
        }
        options.push_str(option);
    }
    if options.is_empty() { Ok(()) } else { Err(Refusal::Unsupported(options)) }
}

/// Whether `request` may change `binding`: another Call-ID always may, the same one only with a higher CSeq.
fn asked_later(request: &Request, binding: &Binding) -> bool {
    request.call_id() != Some(&*binding.call_id) || request.cseq().is_some_and(|cseq| cseq.number > binding.cseq)
}

/// The seconds granted for those asked for.
fn grant(settings: &Settings, asked: u32) -> Result<u32, Refusal> {
    if asked > 0 && asked < HOUR && asked < settings.min_expires {
        return Err(Refusal::TooBrief(settings.min_expires));
    }
    Ok(asked.min(settings.max_expires))
}

/// The parameters of a contact but for `expires`, which is told anew each time, as they may be written again.
fn other_parameters(address: NameAddr<'_>) -> Result<Box<[u8]>, Refusal> {
    let mut out = Vec::new();
    for parameter in address.parameters.iter().filter(|parameter| !parameter.name.eq_ignore_ascii_case("expires")) {
        out.push(b';');
        out.extend_from_slice(parameter.name.as_bytes());
        if let Some(value) = parameter.value {
            out.push(b'=');
            out.extend_from_slice(&unfolded(value).map_err(|_| MALFORMED_CONTACT)?);
        }
    }
    Ok(out.into())
}
