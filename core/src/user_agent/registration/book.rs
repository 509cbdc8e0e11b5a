//! The registrations of a user agent, found by their handles and by what they register (RFC 3261 §10.2).

use alloc::boxed::Box;
use alloc::collections::BTreeSet;
use alloc::string::String;
use alloc::vec::Vec;

use super::home::Home;
use super::keep_alive::Alive;
use super::register::Terms;
use crate::dialog::Path;
use crate::error::{CommandError, Limit};
use crate::flow::ListenerId;
use crate::id::Arena;
use crate::keyed_index::KeyedIndex;
use crate::message::header::MinExpires;
use crate::message::{Response, StatusCode, UriBuf};
use crate::timer::TimerId;
use crate::user_agent::account::Accounts;
use crate::user_agent::agent::Cx;
use crate::user_agent::compose::Outgoing;
use crate::user_agent::event::Cause;
use crate::user_agent::floor::Floor;
use crate::user_agent::{RegistrationId, RegistrationKind, RequestId};

/// The purpose of a registration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Goal {
    /// Bindings are kept, and refreshed before they end (§10.2.4).
    Keep,
    /// The bindings are removed (§10.2.2).
    Remove,
    /// Whatever is bound to the address-of-record is removed: `*` (§10.2.2).
    RemoveAll,
    /// The bindings are asked for (§10.2.3). A query stands beside the registration of the same name: it binds nothing, and need not
    /// wait for that one's answer.
    Query,
}

/// Our bindings to one address-of-record at one registrar. All its requests share Call-ID and From tag, and their CSeq numbers rise
/// (§10.2).
#[derive(Clone, Debug)]
pub(super) struct Registration {
    pub(super) goal: Goal,
    pub(super) terms: Terms,
    pub(super) call_id: String,
    /// The tag of From.
    pub(super) tag: String,
    /// The CSeq number of the next request.
    pub(super) number: u32,
    /// The request that is out, for that goal and by these terms.
    pub(super) pending: Option<RequestId>,
    /// The latest wish of the application since. In a box, as few registrations have one.
    pub(super) next: Option<Box<(Goal, Terms)>>,
    /// When the next REGISTER goes out by itself.
    pub(super) timer: Option<TimerId>,
    /// How often it has failed in a row.
    pub(super) failures: u32,
    /// Our contact as the registrar saw it, if that is bound in the place of what we know of ourselves.
    pub(super) seen: Option<UriBuf>,
    /// Our contacts that were bound before the present one, and have to go.
    pub(super) stale: Vec<UriBuf>,
    /// How many of these the request that is out removes.
    pub(super) removed: usize,
    /// The listener that the last 2xx came to: where the binding says that we are.
    pub(super) listener: Option<ListenerId>,
    /// Whether the last REGISTER went out because of what was seen: then the next one waits for its time.
    pub(super) is_corrected: bool,
    /// Whether intervals of single bindings were raised since the last 2xx, because of a 423.
    pub(super) is_lengthened: bool,
    /// The user parts that its account is reached by because of what was bound. What the next REGISTER does not name is bound until it
    /// ends by itself.
    pub(super) users: BTreeSet<Box<str>>,
    /// Where its next hop was found. In a box, as most next hops say themselves where they are.
    pub(super) home: Option<Box<Home>>,
    /// Its flow, if that is kept alive. In a box, as few registrations have one.
    pub(super) alive: Option<Box<Alive>>,
}

/// How many former contacts of ours a REGISTER removes.
const MOST_STALE: usize = 4;

impl Registration {
    /// Raises the intervals that single bindings have of their own to what a 423 asks for, once until the next 2xx (§10.2.8); Expires was raised
    /// by then. Whether any was less.
    pub(super) fn lengthen(&mut self, cause: &Cause) -> bool {
        let Cause::Refused(response) = cause else { return false };
        if response.status() != StatusCode::INTERVAL_TOO_BRIEF || self.is_lengthened {
            return false;
        }
        let Some(Ok(MinExpires(least))) = response.headers().get::<MinExpires>() else { return false };
        self.is_lengthened = self.terms.lengthen(least);
        self.is_lengthened
    }

    /// A registration for which nothing was sent yet.
    pub(super) const fn new(goal: Goal, terms: Terms, call_id: String, tag: String, number: u32) -> Self {
        Self {
            goal,
            terms,
            call_id,
            tag,
            number,
            pending: None,
            next: None,
            timer: None,
            failures: 0,
            seen: None,
            stale: Vec::new(),
            removed: 0,
            listener: None,
            is_corrected: false,
            is_lengthened: false,
            users: BTreeSet::new(),
            home: None,
            alive: None,
        }
    }

    /// How its REGISTER is addressed. A Service-Route is none of a REGISTER (RFC 3608 §6.1).
    ///
    /// # Errors
    /// As [`Outgoing::path`].
    pub(super) fn path(&self, on: &Floor, outgoing: &Outgoing) -> Result<Path, CommandError> {
        let account = on.accounts.get(self.terms.account);
        outgoing.path(&account.routes, account.outbound.as_ref())
    }

    /// Notes the user parts that the account is reached by, now that they are about to be bound.
    pub(super) fn note_users(&mut self, accounts: &mut Accounts) {
        if self.goal != Goal::Keep {
            return;
        }
        for user in self.terms.users() {
            if !self.users.contains(user) {
                self.users.insert(user.into());
                accounts.add_user(self.terms.account, user);
            }
        }
    }

    /// Takes the service route of a 2xx (RFC 3608).
    pub(super) fn set_service_route(&self, id: RegistrationId, on: &mut Floor, cx: &mut Cx<'_>, response: &Response) {
        let limit = on.profile.limits.service_route;
        let routes = on.accounts.service_routes_mut(self.terms.account);
        if routes.set(id, self.terms.to.uri(), response, limit).is_err() {
            cx.refused(Limit::SERVICE_ROUTE);
        }
    }

    /// Forgets the service route of the address-of-record.
    pub(super) fn clear_service_route(&self, id: RegistrationId, on: &mut Floor) {
        on.accounts.service_routes_mut(self.terms.account).clear(id, self.terms.to.uri());
    }

    /// Our contact is another from now on. One more than a REGISTER removes is left to end by itself.
    pub(super) fn add_stale(&mut self, contact: UriBuf) {
        if self.stale.len() < MOST_STALE {
            self.stale.push(contact);
        }
    }

    /// Takes on what the application asks for.
    pub(super) fn take_on(&mut self, goal: Goal, terms: Terms) {
        if !terms.as_seen
            && let Some(seen) = self.seen.take()
        {
            self.add_stale(seen);
        }
        (self.goal, self.terms) = (goal, terms);
        (self.failures, self.is_corrected) = (0, false);
    }
}

/// The table of registrations.
#[derive(Clone, Debug)]
pub(super) struct Book {
    table: Arena<RegistrationKind, Registration>,
    /// By account, registrar and address-of-record. Queries are not in it.
    names: KeyedIndex<RegistrationId>,
}

impl Book {
    pub(super) const fn new(key: [u8; 16]) -> Self {
        Self { table: Arena::new(), names: KeyedIndex::new(key) }
    }

    /// See [`KeyedIndex::key_probe`].
    #[cfg(test)]
    pub(super) fn key_probe(&self) -> u64 {
        self.names.key_probe()
    }

    pub(super) const fn len(&self) -> usize {
        self.table.len()
    }

    pub(super) fn capacity(&self) -> usize {
        self.table.capacity()
    }

    pub(super) fn get(&self, id: RegistrationId) -> Option<&Registration> {
        self.table.get(id)
    }

    pub(super) fn get_mut(&mut self, id: RegistrationId) -> Option<&mut Registration> {
        self.table.get_mut(id)
    }

    /// The registrations and queries in the order of their slots.
    pub(super) fn iter(&self) -> impl Iterator<Item = (RegistrationId, &Registration)> {
        self.table.iter()
    }

    /// The registration of that account, registrar and address-of-record.
    pub(super) fn find(&self, terms: &Terms) -> Option<RegistrationId> {
        self.find_among(terms, |_| {})
    }

    /// Finds a registration, and shows which ones were compared for it.
    fn find_among(&self, terms: &Terms, mut compared: impl FnMut(RegistrationId)) -> Option<RegistrationId> {
        self.names.find(self.hash(terms), |id| {
            compared(id);
            let is_it = |held: &Terms| held.account == terms.account && name(held) == name(terms);
            self.table.get(id).is_some_and(|registration| is_it(&registration.terms))
        })
    }

    pub(super) fn add(&mut self, registration: Registration) -> RegistrationId {
        let hash = (registration.goal != Goal::Query).then(|| self.hash(&registration.terms));
        let id = self.table.insert(registration);
        if let Some(hash) = hash {
            self.names.insert(hash, id);
        }
        id
    }

    pub(super) fn remove(&mut self, id: RegistrationId) -> Option<Registration> {
        let registration = self.table.remove(id)?;
        self.names.remove(self.hash(&registration.terms), id);
        Some(registration)
    }

    fn hash(&self, terms: &Terms) -> u64 {
        let [registrar, address_of_record] = name(terms);
        let (slot, generation) = terms.account.parts();
        self.names.hash(&[registrar, address_of_record, &slot.to_le_bytes(), &generation.to_le_bytes()])
    }
}

/// The key of a registration within an account: registrar and address-of-record, octet for octet.
fn name(terms: &Terms) -> [&[u8]; 2] {
    [terms.registrar.as_bytes(), terms.to.uri().as_bytes()]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::user_agent::{AccountId, Profile, Register};
    use alloc::format;

    fn terms(registrar: usize, user: usize) -> Terms {
        let registrar = format!("sip:r{registrar}.com").parse().unwrap();
        let user = format!("<sip:u{user}@a.com>").parse().unwrap();
        let accounts = Accounts::new(&Profile::new("<sip:u@a.com>".parse().unwrap()), [7; 16]);
        Terms::of(Register::at(&registrar).address_of_record(&user), &accounts).unwrap()
    }

    fn registration(goal: Goal, terms: Terms) -> Registration {
        Registration::new(goal, terms, String::new(), String::new(), 1)
    }

    /// Only the one registration that is meant is looked at among ten thousand, and for a new one none.
    #[test]
    fn however_many_there_are_one_is_compared() {
        let mut book = Book::new([7; 16]);
        let mut ids = alloc::vec::Vec::new();
        for at in 0..10_000 {
            let terms = terms(at % 2, at / 2);
            assert_eq!(book.find_among(&terms, |id| panic!("{id:?} was compared")), None);
            ids.push(book.add(registration(Goal::Keep, terms)));
        }
        for (at, id) in ids.iter().enumerate() {
            let mut compared = 0;
            assert_eq!(book.find_among(&terms(at % 2, at / 2), |_| compared += 1), Some(*id));
            assert_eq!(compared, 1);
        }
        book.remove(ids[0]);
        assert_eq!(book.find(&terms(0, 0)), None);
        assert_eq!((book.len(), book.names.len()), (9_999, 9_999));
    }

    #[test]
    fn each_account_has_a_registration_of_its_own() {
        let mut book = Book::new([7; 16]);
        let mut other = terms(1, 1);
        other.account = AccountId::from_parts(0, 1);
        let one = book.add(registration(Goal::Keep, terms(1, 1)));
        assert_eq!(book.find(&other), None);
        let two = book.add(registration(Goal::Keep, other.clone()));
        assert_eq!((book.find(&terms(1, 1)), book.find(&other)), (Some(one), Some(two)));
    }

    #[test]
    fn a_query_is_not_found_by_its_name() {
        let mut book = Book::new([7; 16]);
        let query = book.add(registration(Goal::Query, terms(1, 1)));
        assert_eq!(book.find(&terms(1, 1)), None);
        let kept = book.add(registration(Goal::Keep, terms(1, 1)));
        book.remove(query);
        assert_eq!(book.find(&terms(1, 1)), Some(kept));
    }
}
