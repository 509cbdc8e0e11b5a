//! Registering: the bindings that this user agent keeps at registrars (RFC 3261 §10.2).
//!
//! `register.rs` is what the application asks for, `commands.rs` how it asks, `book.rs` the table of registrations, this file what the
//! commands do and the writing of a REGISTER, `heard.rs` what becomes of one, `home.rs` where the next one goes, `keep_alive.rs` how its flow is kept,
//! `seen.rs` what a 2xx says of our own address, and `moved.rs` what follows when that changes.

mod binding;
mod book;
mod commands;
mod heard;
mod home;
mod keep_alive;
mod moved;
mod register;
mod seen;

use alloc::boxed::Box;
use alloc::collections::{BTreeMap, BTreeSet};
use alloc::vec::Vec;

use super::agent::Cx;
use super::client::{Outside, Owner};
use super::compose::Extra;
use super::event::{Cause, Event};
use super::floor::Floor;
use crate::error::CommandError;
use crate::flow::Flow;
use crate::message::{HeaderId, Lines, Method, Scheme, Uri};
use crate::transport::Here;
use crate::user_agent::RegistrationId;
pub use binding::Binding;
use book::{Book, Goal, Registration};
pub(super) use heard::{may_pass, refresh_after};
pub use register::Register;
use register::Terms;

/// Which registrations are removed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ToRemove {
    /// All, those included whose removal has failed.
    All,
    /// Those that are kept.
    Kept,
}

/// The registrations of a user agent.
#[derive(Clone, Debug)]
pub(super) struct Registrations {
    book: Book,
    /// How many requests are out, queries apart.
    out: usize,
    /// Whether the application waits for the end of all registrations.
    ending: bool,
    /// The flows that are kept alive, and for which registrations.
    flows: BTreeMap<Flow, BTreeSet<RegistrationId>>,
}

impl Registrations {
    /// See `KeyedIndex::key_probe`.
    #[cfg(test)]
    pub(in crate::user_agent) fn key_probe(&self) -> u64 {
        self.book.key_probe()
    }

    /// No registration yet. Names are hashed with this key.
    pub(super) const fn new(key: [u8; 16]) -> Self {
        Self { book: Book::new(key), out: 0, ending: false, flows: BTreeMap::new() }
    }

    /// Number of registrations.
    pub(super) const fn len(&self) -> usize {
        self.book.len()
    }

    /// Registrations that there is room for without another allocation.
    pub(super) fn capacity(&self) -> usize {
        self.book.capacity()
    }

    /// Binds contacts at a registrar, changes the bindings, or removes them.
    pub(super) fn register(
        &mut self,
        on: &mut Floor,
        cx: &mut Cx<'_>,
        register: Register,
    ) -> Result<RegistrationId, CommandError> {
        let terms = Terms::of(register, &on.accounts)?;
        let goal = if terms.keeps_any() { Goal::Keep } else { Goal::Remove };
        self.ask_by_name(on, cx, goal, terms)
    }

    /// Removes the bindings of a registration (§10.2.2).
    pub(super) fn unregister(
        &mut self,
        on: &mut Floor,
        cx: &mut Cx<'_>,
        id: RegistrationId,
        extra: &Extra,
    ) -> Result<(), CommandError> {
        let registration = self.book.get(id).filter(|registration| registration.goal != Goal::Query);
        let registration = registration.ok_or(CommandError::Gone)?;
        let mut terms = registration.next.as_ref().map_or(&registration.terms, |next| &next.1).clone();
        terms.say_before(extra)?;
        self.ask(on, cx, id, Goal::Remove, terms)
    }

    /// Removes whatever is bound to an address-of-record at a registrar (§10.2.2).
    pub(super) fn unregister_all(
        &mut self,
        on: &mut Floor,
        cx: &mut Cx<'_>,
        register: Register,
    ) -> Result<RegistrationId, CommandError> {
        let terms = Terms::of(register, &on.accounts)?;
        self.ask_by_name(on, cx, Goal::RemoveAll, terms)
    }

    /// Removes the bindings of every registration, and tells when all that is done.
    pub(super) fn unregister_everywhere(&mut self, on: &mut Floor, cx: &mut Cx<'_>) {
        self.ending = true;
        self.remove_all(on, cx, ToRemove::All);
        self.tell_the_end(cx);
    }

    /// Removes the bindings of those registrations.
    pub(super) fn remove_all(&mut self, on: &mut Floor, cx: &mut Cx<'_>, which: ToRemove) {
        let is_to_end = |registration: &Registration| match &registration.next {
            Some(next) => next.0 == Goal::Keep,
            None => registration.goal == Goal::Keep || registration.pending.is_none() && which == ToRemove::All,
        };
        let all: Vec<RegistrationId> =
            self.book.iter().filter(|(_, registration)| is_to_end(registration)).map(|(id, _)| id).collect();
        for id in all {
            if self.unregister(on, cx, id, &Extra::new()).is_err() {
                cx.emit(Event::RegistrationFailed { registration: id, cause: Cause::Unreachable, again: None });
            }
        }
    }

    /// Asks for the bindings of an address-of-record (§10.2.3).
    pub(super) fn query(
        &mut self,
        on: &mut Floor,
        cx: &mut Cx<'_>,
        register: Register,
    ) -> Result<RegistrationId, CommandError> {
        let terms = Terms::of(register, &on.accounts)?;
        let query = self.begin(on, cx, Goal::Query, terms);
        match self.send(on, cx, query) {
            Ok(()) => Ok(query),
            Err(error) => {
                self.forget(on, cx, query);
                Err(error)
            }
        }
    }

    /// Asks for something for the registration of that name; if there is none, for a new one.
    fn ask_by_name(
        &mut self,
        on: &mut Floor,
        cx: &mut Cx<'_>,
        goal: Goal,
        terms: Terms,
    ) -> Result<RegistrationId, CommandError> {
        let known = self.book.find(&terms);
        let id = known.unwrap_or_else(|| self.begin(on, cx, goal, terms.clone()));
        let asked = self.ask(on, cx, id, goal, terms);
        if asked.is_err() && known.is_none() {
            self.forget(on, cx, id);
        }
        asked.map(|()| id)
    }

    /// Makes a registration for which nothing was sent yet. Its account stays as long as it does.
    fn begin(&mut self, on: &mut Floor, cx: &mut Cx<'_>, goal: Goal, terms: Terms) -> RegistrationId {
        on.accounts.hold(terms.account);
        let random = cx.random();
        let (call_id, tag, number) = (random.call_id(), random.tag(), random.sequence_number());
        self.book.add(Registration::new(goal, terms, call_id, tag, number))
    }

    /// Forgets a registration: its account is not reached by what it has bound any more.
    fn forget(&mut self, on: &mut Floor, cx: &mut Cx<'_>, id: RegistrationId) {
        self.let_die(on, cx, id);
        let Some(Registration { terms, users, .. }) = self.book.remove(id) else { return };
        users.iter().for_each(|user| on.accounts.forget_user(terms.account, user));
        on.accounts.let_go(terms.account);
    }

    /// Asks for something, now or after the answer to the request that is out.
    fn ask(
        &mut self,
        on: &mut Floor,
        cx: &mut Cx<'_>,
        id: RegistrationId,
        goal: Goal,
        terms: Terms,
    ) -> Result<(), CommandError> {
        let registration = self.book.get_mut(id).ok_or(CommandError::Gone)?;
        let pending = registration.pending;
        if let Some(pending) = pending {
            // Not before the answer to the one that is out (§10.2), with which nothing else is tried.
            if !on.requests.settle_for(cx, pending) {
                registration.next = Some(Box::new((goal, terms)));
                return Ok(());
            }
            // It has its answer, and was to go out again.
            self.conclude(id);
        }
        let registration = self.book.get_mut(id).ok_or(CommandError::Gone)?;
        let before = registration.clone();
        registration.take_on(goal, terms);
        self.send(on, cx, id).inspect_err(|_| {
            if let Some(registration) = self.book.get_mut(id) {
                *registration = before;
            }
            if pending.is_some() {
                self.tell_failure(on, cx, id, Cause::Unreachable);
            }
        })
    }

    /// Sends the REGISTER that the goal and the terms of a registration ask for.
    fn send(&mut self, on: &mut Floor, cx: &mut Cx<'_>, id: RegistrationId) -> Result<(), CommandError> {
        let registration = self.book.get(id).ok_or(CommandError::Gone)?;
        let Registration { goal, terms, call_id, tag, number, .. } = registration;
        let outgoing = terms.outgoing();
        let mut path = registration.path(on, &outgoing)?;
        let home = registration.home.as_ref().filter(|_| *goal != Goal::Query);
        let home = home.and_then(|home| home.found_for(&path.next_hop, cx));
        let is_at_home = home.is_some();
        if let Some(home) = home {
            path.next_hop = home;
        }
        // What refreshes or removes a flow goes along it (RFC 5626 §4.2.2).
        if let Some(flow) = registration.outbound_flow().filter(|flow| *goal != Goal::Query && cx.has_flow(*flow)) {
            path.next_hop.flow = Some(flow);
        }
        let from = terms.from.with_tag(tag);
        let outside =
            Outside { account: terms.account, method: Method::Register, from: &from, call_id, number: *number };
        let add_contacts = |lines: &mut Lines| add_contacts(on, cx, registration, lines);
        let (register, here) = on.write_outside_as(&outgoing, &path, &outside, add_contacts, |lines| {
            let expires = match goal {
                Goal::Keep => terms.expires,
                Goal::Remove | Goal::RemoveAll => Some(0),
                Goal::Query => None,
            };
            if let Some(seconds) = expires {
                lines.number(HeaderId::Expires, seconds);
            }
            terms.add_supported(lines);
            on.profile.add_supported(lines);
            on.profile.add_software(lines, HeaderId::UserAgent);
        })?;
        let is_query = *goal == Goal::Query;
        let request = on.send(cx, Owner::Register(id), terms.account, register, here, path.next_hop)?;
        self.out += usize::from(!is_query);
        let registration = self.book.get_mut(id).ok_or(CommandError::Gone)?;
        registration.note_users(&mut on.accounts);
        registration.number = registration.number.saturating_add(1);
        registration.pending = Some(request);
        registration.note_home(is_at_home);
        registration.removed = registration.stale.len();
        if let Some(timer) = registration.timer.take() {
            cx.disarm(timer);
        }
        Ok(())
    }
}

/// Adds the Contacts of a REGISTER; ours stands there as late as it is known from where the request goes.
///
/// # Errors
/// `NoListener`.
fn add_contacts(on: &Floor, cx: &Cx<'_>, registration: &Registration, lines: &mut Lines) -> Result<Here, CommandError> {
    let Registration { goal, terms, seen, stale, .. } = registration;
    match goal {
        Goal::Query => return Ok(Here::Unsaid),
        Goal::RemoveAll => {
            lines.header(HeaderId::Contact, b"*");
            return Ok(Here::Unsaid);
        }
        Goal::Keep | Goal::Remove => {}
    }
    let account = on.accounts.get(terms.account);
    let mut here = Here::Unsaid;
    for binding in &terms.bindings {
        let is_removed = *goal == Goal::Remove;
        let parameters = binding.parameters(is_removed, account.instance.as_ref(), terms.outbound);
        match binding.uri().or(seen.as_ref()) {
            Some(uri) => {
                lines.parts(HeaderId::Contact, &[b"<", uri.as_bytes(), b">", parameters.as_bytes()]);
            }
            None => {
                let secure = terms.likeness().scheme() == Scheme::Sips;
                here = account.add_contact_with(lines, cx, secure, false, &parameters)?;
            }
        }
    }
    let is_bound = |uri: Uri<'_>| match seen {
        Some(seen) => seen.as_uri().equivalent(uri),
        None => account.is_contact(cx, terms.likeness(), uri),
    };
    // A contact of before that is ours again stays.
    for stale in stale.iter().filter(|stale| !is_bound(stale.as_uri())) {
        lines.parts(HeaderId::Contact, &[b"<", stale.as_bytes(), b">;expires=0"]);
    }
    Ok(here)
}
