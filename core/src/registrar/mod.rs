//! The registrar (RFC 3261 §10.3): a UAS for REGISTER, and the location service that it fills.
//!
//! The bindings are kept in memory, or by the registrar's owner in a store that may take its time: [`Store`].
//!
//! Reading order: `asked` (what a REGISTER wants, steps 6 and 7), `register` (the steps, and the response of step 8), `refusal`, then
//! `binding`, `location` (memory) and `store` (the owner's).

mod asked;
mod binding;
mod gruu;
mod limits;
mod location;
mod reach;
mod refusal;
mod register;
mod store;
mod ways;

pub(crate) use asked::HOUR;
pub use binding::{Binding, Plain, Way};
pub use gruu::Named;
pub use limits::Limits;
pub use location::{Location, address_of_record};
pub use reach::leads_nowhere_else;
pub use store::{Answer, Progress, Question, Record, Step, Store};
pub use ways::{in_order_of_calling, leads_to_the_same};

use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;

use gruu::{Instance, Keys};
use refusal::Refusal;

use crate::auth::Fields;
use crate::endpoint::{Arrival, Config, KeyPurpose};
use crate::flow::Flow;
use crate::id::{Arena, handles};
use crate::message::{Request, ResponseBuilder};
use crate::message::{Uri, UriBuf};
use crate::stack::Context;
use crate::tag::{Tag, work};
use crate::time::{Duration, Instant};
use crate::timer::TimerId;

/// How long a registrar is willing to bind, and how much. Times are in seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(default, deny_unknown_fields))]
pub struct Settings {
    /// A requested time below this (and below an hour, RFC 3261 §10.3 step 7) is answered with 423. 60.
    pub min_expires: u32,
    /// The time for a contact that asks for none. 3,600.
    pub default_expires: u32,
    /// A longer requested time is shortened to this. 86,400.
    pub max_expires: u32,
    /// Whether the sender (From) may be another than the user whose contacts it registers (To). No: 403.
    pub third_party: bool,
    /// Where bindings are kept. In memory.
    pub store: Store,
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
            store: Store::Memory,
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
    /// A binding was removed, its time was over, or the flow to it is gone. Of bindings that the owner keeps ([`Store::Owner`]) a flow that another
    /// proxy has said to be gone (430) is told so, too, and the binding is the owner's to remove.
    Unbound {
        /// `user@host`.
        address_of_record: Box<str>,
        /// The contact.
        contact: UriBuf,
    },
}

/// How long a store may take for one REGISTER, in units of T1: well within the 64·T1 that the sender waits.
const ANSWER_WITHIN: u32 = 20;

handles! {
    /// A REGISTER that waits for the store of a registrar's owner.
    RegisterId = Id<RegisterKind>, "register";
}

work! {
    /// The purpose of a transaction or timer. The timer of the memory's own has [`Tag::NONE`](crate::Tag::NONE).
    enum Work {
        /// The server transaction of a REGISTER that waits.
        Register(RegisterId) = 1,
        /// The end of its time.
        Deadline(RegisterId) = 2,
    }
}

/// The outcome of a REGISTER.
#[derive(Clone, Debug, Default)]
pub struct Registered {
    /// The bindings that it made or ended.
    pub changes: Vec<Change>,
    /// Whether it was followed, and its address-of-record has bindings.
    pub is_bound: bool,
    /// Where it came from.
    pub flow: Option<Flow>,
}

impl Registered {
    fn refused(flow: Flow) -> Self {
        Self { flow: Some(flow), ..Self::default() }
    }
}

/// The registrar core.
#[derive(Clone, Debug)]
pub struct Core {
    settings: Settings,
    location: Location,
    gruus: Keys,
    /// When the next binding ends.
    timer: Option<TimerId>,
    /// The REGISTERs that wait for the owner's store.
    waiting: Arena<RegisterKind, store::Waiting>,
}

impl Core {
    /// A registrar with no bindings, for a node of this configuration, from which its keys come.
    pub fn new(config: &Config, settings: Settings) -> Self {
        let key = config.seed.hash_key(KeyPurpose::Location as u64);
        let gruus = [KeyPurpose::Gruu, KeyPurpose::GruuRest, KeyPurpose::GruuProof].map(|it| config.hash_key(it));
        let location = Location::new(key, settings.limits.addresses_of_record);
        Self { settings, location, gruus: Keys::new(gruus), timer: None, waiting: Arena::new() }
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

    /// A name for the timer that has this mark: `Binding` of the first binding to end.
    pub fn timer_name(tag: Tag) -> &'static str {
        Work::try_from(tag).map_or("Binding", Work::name)
    }

    /// REGISTERs that wait for the owner's store.
    pub fn waiting(&self) -> usize {
        self.waiting.len()
    }

    /// Takes a REGISTER for a domain of ours and answers it, a 2xx with these `fields` besides; or asks for its bindings first, if they are the
    /// [owner's](Store::Owner) to keep. `name_of` gives the address-of-record of the domain, as
    /// [`address_of_record`] writes it, that a URI stands for: every URI of a user the same one, whatever name of the domain it has.
    pub fn request<E>(
        &mut self,
        cx: &mut Context<'_, E>,
        arrival: Arrival,
        name_of: impl Fn(&Context<'_, E>, Uri<'_>) -> Option<String>,
        fields: &Fields,
    ) -> Progress {
        let section = cx.config().limits.message.header_section;
        let (request, flow, room) = (arrival.request.clone(), arrival.flow, arrival.room_for_contacts());
        let outcome = match self.judge((&request, flow), |uri| name_of(cx, uri)) {
            Ok(judged) if self.settings.store == Store::Owner => return self.ask(cx, arrival, judged.name, fields),
            Ok(judged) => self.update(cx.now(), section, judged),
            Err(refusal) => Err(refusal),
        };
        let (response, registered) = match outcome {
            Ok((name, changes)) => {
                let bindings = self.location.bindings(&name).unwrap_or_default();
                let registered = Registered { changes, is_bound: !bindings.is_empty(), flow: Some(flow) };
                (self.response(cx, (&request, flow, room), (&name, bindings), fields), registered)
            }
            Err(refusal) => {
                store::note(cx, &refusal);
                (refusal.response(&request), Registered::refused(flow))
            }
        };
        cx.answer(arrival, response);
        self.keep_time(cx);
        Progress::Over(registered)
    }

    /// Steps 6 and 7 in memory: all of a request is done or nothing.
    fn update(
        &mut self,
        now: Instant,
        section: usize,
        judged: register::Judged<'_>,
    ) -> Result<(String, Vec<Change>), Refusal> {
        let before = self.location.bindings(&judged.name).unwrap_or_default();
        let Some(plan) = self.plan(now, section, &judged, before)? else { return Ok((judged.name, Vec::new())) };
        let made = self.location.change(&judged.name, |bindings| plan.make(&judged.name, bindings));
        let changes = made.map_err(|location::Full| Refusal::Full)?;
        Ok((judged.name, changes))
    }

    /// Step 8: the 2xx. A connection that a contact is reached along stays open as long as the contact is bound (RFC 5626 §7).
    fn response<E>(
        &self,
        cx: &mut Context<'_, E>,
        (request, flow, room): (&Request, Flow, Option<usize>),
        bound: (&str, &[Binding]),
        fields: &Fields,
    ) -> ResponseBuilder {
        let (now, date) = (cx.now(), cx.config().date(cx.now()));
        let along = bound.1.iter().filter(|binding| binding.flow() == Some(flow));
        let seconds = along.map(|binding| binding.seconds_left(now)).max();
        cx.keep_flow_until(flow, seconds.map(|seconds| now + Duration::from_secs(seconds)));
        // Chance is asked for only where it is needed.
        let number = self.wants_gruu(request).then(|| cx.random().next_u64());
        fields.add_to_response(self.success((now, date), (request, room), bound, number))
    }

    /// A timer of this core with this mark has fired: what has ended. A REGISTER whose store has not answered in time gets a 500.
    pub fn timer<E>(&mut self, cx: &mut Context<'_, E>, tag: Tag) -> Vec<Change> {
        let mut changes = Vec::new();
        if let Ok(Work::Deadline(id)) = tag.try_into() {
            self.unanswered(cx, id);
            return changes;
        }
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

    /// The flow on the way to a contact behind these proxies is gone, as the last of them has said (430): what ended with it (RFC 5626 §7).
    pub fn way_lost<E>(
        &mut self,
        cx: &mut Context<'_, E>,
        address_of_record: &str,
        contact: &UriBuf,
        path: &[UriBuf],
    ) -> Vec<Change> {
        let gone = self.location.lose(address_of_record, contact, path);
        self.keep_time(cx);
        let name = || Box::from(address_of_record);
        let unbound = |binding: Binding| Change::Unbound { address_of_record: name(), contact: binding.contact };
        gone.into_iter().map(unbound).collect()
    }

    /// The user whose bindings a URI leads to. `name_of` gives the address-of-record that the URI stands for. `None` if there can be no such user,
    /// or the URI is a GRUU that is not valid.
    pub fn named(&self, uri: Uri<'_>, name_of: impl FnOnce(Uri<'_>) -> Option<String>) -> Option<Named> {
        let named = gruu::named(uri);
        let (address_of_record, instance) = match (named, uri.user().and_then(|user| self.gruus.read(user))) {
            (None, _) => (name_of(uri)?, None),
            (Some(gr), Some((name, instance))) if gr.is_empty() => (name, Some(instance)),
            (Some(gr), _) if !gr.is_empty() => (name_of(uri)?, Some(Instance::Named(gr))),
            (Some(_), _) => return None,
        };
        Some(Named { address_of_record, instance })
    }

    /// Among the `bindings` of a user those that are meant: all, or those of one instance if the URI was a GRUU (RFC 5627 §6.1). Among them
    /// may be several flows to one instance: see [`in_order_of_calling`]. `None` if the GRUU is not valid any more.
    pub fn meant<'a>(&self, named: &Named, bindings: &'a [Binding]) -> Option<Vec<&'a Binding>> {
        let instance = named.instance.as_ref();
        let Some(instance) = instance else { return Some(bindings.iter().collect()) };
        let is_latest = |binding: &Binding| latest_of_instance(bindings, binding);
        let found = bindings.iter().filter(|binding| self.gruus.is_of(binding, instance) && is_latest(binding));
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
