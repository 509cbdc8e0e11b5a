//! The registrar (RFC 3261 §10.3): a UAS for REGISTER, and the location service that it fills.
//!
//! Reading order: `asked` (what a REGISTER wants, steps 6 and 7), `register` (the steps, and the response of step 8), `refusal`, then
//! `binding` and `location`.

mod asked;
mod binding;
mod gruu;
mod limits;
mod location;
mod reach;
mod refusal;
mod register;
mod ways;

pub(crate) use asked::HOUR;
pub use binding::{Binding, Way};
pub use limits::Limits;
pub use location::{Location, address_of_record};
pub use reach::leads_nowhere_else;
pub use ways::{in_order_of_calling, leads_to_the_same};

use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;

use gruu::{Instance, Keys};
use refusal::Refusal;

use crate::auth::Fields;
use crate::endpoint::{Arrival, Config, KeyPurpose};
use crate::error::Limit;
use crate::flow::Flow;
use crate::message::{Uri, UriBuf};
use crate::stack::Context;
use crate::tag::Tag;
use crate::timer::TimerId;

/// How long a registrar is willing to bind, and how much. Times are in seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Settings {
    /// A requested time below this (and below an hour, RFC 3261 §10.3 step 7) is answered with 423. 60.
    pub min_expires: u32,
    /// The time for a contact that asks for none. 3,600.
    pub default_expires: u32,
    /// A longer requested time is shortened to this. 86,400.
    pub max_expires: u32,
    /// Whether the sender (From) may be another than the user whose contacts it registers (To). No: 403.
    pub third_party: bool,
    /// Bounds on what peers can make it hold.
    pub limits: Limits,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            min_expires: 60,
            default_expires: 3_600,
            max_expires: 86_400,
            third_party: false,
            limits: Limits::default(),
        }
    }
}

/// A binding that was made or is gone. Refreshing one is no change.
#[derive(Clone, Debug)]
pub enum Change {
    /// A contact was bound to an address-of-record that it was not bound to before.
    Bound {
        /// `user@host`.
        address_of_record: Box<str>,
        /// The contact.
        contact: UriBuf,
    },
    /// A binding was removed, or its time was over.
    Unbound {
        /// `user@host`.
        address_of_record: Box<str>,
        /// The contact.
        contact: UriBuf,
    },
}

/// The outcome of a REGISTER.
#[derive(Clone, Debug)]
pub struct Registered {
    /// The bindings that it made or ended.
    pub changes: Vec<Change>,
    /// Whether it was followed, and its address-of-record has bindings.
    pub is_bound: bool,
}

/// The registrar core.
#[derive(Clone, Debug)]
pub struct Core {
    settings: Settings,
    location: Location,
    gruus: Keys,
    /// When the next binding ends.
    timer: Option<TimerId>,
}

impl Core {
    /// A registrar with no bindings, for a node of this configuration, from which its keys come.
    pub fn new(config: &Config, settings: Settings) -> Self {
        let key = config.seed.hash_key(KeyPurpose::Location as u64);
        let gruus = [KeyPurpose::Gruu, KeyPurpose::GruuRest, KeyPurpose::GruuProof].map(|it| config.hash_key(it));
        let location = Location::new(key, settings.limits.addresses_of_record);
        Self { settings, location, gruus: Keys::new(gruus), timer: None }
    }

    /// Changes the settings. Bindings stay as they are.
    pub const fn set_settings(&mut self, settings: Settings) {
        self.settings = settings;
        self.location.set_limit(settings.limits.addresses_of_record);
    }

    /// The bindings.
    pub const fn location(&self) -> &Location {
        &self.location
    }

    /// Takes a REGISTER for a domain of ours and answers it, a 2xx with these `fields` besides. `name_of` gives the address-of-record of the domain, as
    /// [`address_of_record`] writes it, that a URI stands for: every URI of a user the same one, whatever name of the domain it has.
    pub fn request<E>(
        &mut self,
        cx: &mut Context<'_, E>,
        arrival: Arrival,
        name_of: impl Fn(&Context<'_, E>, Uri<'_>) -> Option<String>,
        fields: &Fields,
    ) -> Registered {
        let mut changes = Vec::new();
        let section = cx.config().limits.message.header_section;
        let request = (&arrival.request, arrival.flow);
        let outcome = self.register(cx.now(), section, request, |uri| name_of(cx, uri), &mut changes);
        match outcome {
            Err(Refusal::Full) => cx.refused(Limit::ADDRESSES_OF_RECORD),
            Err(Refusal::TooMany) => cx.refused(Limit::BINDINGS),
            _ => {}
        }
        let mut is_bound = false;
        let response = match outcome {
            Ok(name) => {
                is_bound = self.location.bindings(&name).is_some_and(|bindings| !bindings.is_empty());
                let (now, date) = (cx.now(), cx.config().date(cx.now()));
                // Chance is asked for only where it is needed.
                let number = self.wants_gruu(&arrival.request).then(|| cx.random().next_u64());
                fields.add_to_response(self.success((now, date), &arrival.request, &name, number))
            }
            Err(refusal) => refusal.response(&arrival.request),
        };
        cx.answer(arrival, response);
        self.keep_time(cx);
        Registered { changes, is_bound }
    }

    /// This core's timer has fired: what has ended.
    pub fn timer<E>(&mut self, cx: &mut Context<'_, E>) -> Vec<Change> {
        let mut changes = Vec::new();
        while let Some((name, ended)) = self.location.expire(cx.now()) {
            for binding in ended {
                changes.push(Change::Unbound { address_of_record: name.clone(), contact: binding.contact });
            }
        }
        self.keep_time(cx);
        changes
    }

    /// A flow is gone: what ended with it (RFC 5626 §7).
    pub fn flow_failed<E>(&mut self, cx: &mut Context<'_, E>, flow: Flow) -> Vec<Change> {
        let mut changes = Vec::new();
        while let Some((name, gone)) = self.location.fail(flow) {
            let unbound =
                |binding: Binding| Change::Unbound { address_of_record: name.clone(), contact: binding.contact };
            changes.extend(gone.into_iter().map(unbound));
        }
        self.keep_time(cx);
        changes
    }

    /// The bindings that a URI leads to: all of the user, or those of one instance if the URI is a GRUU (RFC 5627 §6.1). Among them may be
    /// several flows to one instance: see [`in_order_of_calling`]. `name_of` gives the address-of-record that the URI stands for. `None` if there is no such user, or the
    /// GRUU is not valid.
    pub fn find(&self, uri: Uri<'_>, name_of: impl FnOnce(Uri<'_>) -> Option<String>) -> Option<Vec<&Binding>> {
        let named = gruu::named(uri);
        let (name, instance) = match (named, uri.user().and_then(|user| self.gruus.read(user))) {
            (None, _) => (name_of(uri)?, None),
            (Some(gr), Some((name, instance))) if gr.is_empty() => (name, Some(instance)),
            (Some(gr), _) if !gr.is_empty() => (name_of(uri)?, Some(Instance::Named(gr))),
            (Some(_), _) => return None,
        };
        let bindings = self.location.bindings(&name)?;
        let Some(instance) = instance else { return Some(bindings.iter().collect()) };
        let is_latest = |binding: &Binding| latest_of_instance(bindings, binding);
        let found = bindings.iter().filter(|binding| self.gruus.is_of(binding, &instance) && is_latest(binding));
        let mut found: Vec<&Binding> = found.collect();
        // A contact without a flow of its own is that of one registration, and the last registration counts.
        if let Some(latest) = found.iter().copied().max_by_key(|binding| binding.updated_at) {
            found.retain(|binding| core::ptr::eq(*binding, latest) || leads_to_the_same(binding, latest));
        }
        match (found.is_empty(), instance) {
            // A temporary GRUU ends with its registration; a public one is valid as long as the user is (§5.3, §5.4).
            (true, Instance::Registered(_)) => None,
            _ => Some(found),
        }
    }

    /// Keeps the one timer at the end of the next binding.
    fn keep_time<E>(&mut self, cx: &mut Context<'_, E>) {
        match self.location.deadline() {
            Some(at) if self.timer.is_some_and(|timer| cx.rearm(timer, at)) => {}
            Some(at) => self.timer = Some(cx.arm(at, Tag::NONE)),
            None => {
                if let Some(timer) = self.timer.take() {
                    cx.disarm(timer);
                }
            }
        }
    }
}

/// Whether a binding of an instance counts: it is bound by its flow, or no other was refreshed later. An older one belongs to a registration
/// before the user agent was restarted (RFC 5627 §5.1).
fn latest_of_instance(bindings: &[Binding], binding: &Binding) -> bool {
    let by_flow = |binding: &Binding| binding.way().is_some_and(|way| way.outbound.is_some());
    if by_flow(binding) {
        return true;
    }
    let instance = binding.instance();
    let others = bindings.iter().filter(|other| !by_flow(other) && other.instance() == instance);
    others.max_by_key(|other| other.updated_at).is_some_and(|latest| core::ptr::eq(latest, binding))
}
