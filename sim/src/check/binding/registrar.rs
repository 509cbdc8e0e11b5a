//! The registrar's half: what it acknowledges.

use std::collections::{BTreeMap, BTreeSet};

use sansip::{Duration, Instant};

use super::super::{Part, Seen};
use super::{ROUNDING, Registrar, Wrong, contacts, expires};
use crate::packet::{Packet, uri_of};

/// Every REGISTER that may have changed bindings, by address-of-record.
#[derive(Debug, Default)]
pub(super) struct Ledger<'a>(BTreeMap<String, Vec<Registered<'a>>>);

/// A REGISTER that may have changed bindings: at some time from its coming to its 2xx. Without a 2xx it may do so at any time after it came, or never.
#[derive(Debug)]
pub(super) struct Registered<'a> {
    came: Instant,
    answered: Option<Instant>,
    life: usize,
    request: &'a Packet<'a>,
    /// The contacts that it has, each with the seconds that it is for.
    asked: Vec<(&'a str, Option<u64>)>,
    /// The contacts that its 2xx has.
    said: Vec<(&'a str, Option<u64>)>,
    /// The Path that its contacts are registered by.
    pub(super) path: Vec<&'a str>,
}

/// An address-of-record, and how often its registrar had crashed.
pub(super) type Record<'n> = (&'n str, usize);

/// A time from something to something later.
pub(super) type Window = (Instant, Instant);

impl<'a> Registered<'a> {
    fn takes_all(&self) -> bool {
        self.asked.iter().any(|(contact, _)| *contact == "*")
    }

    fn names(&self, contact: &str) -> bool {
        self.takes_all() || self.asked.iter().any(|(other, _)| *other == contact)
    }

    fn says(&self, contact: &str) -> Option<Option<u64>> {
        self.said.iter().find(|(other, _)| *other == contact).map(|(_, seconds)| *seconds)
    }

    /// When the binding ends that it has made of this contact, or may have.
    fn binds(&self, contact: &str) -> Option<Instant> {
        let after = |seconds: Option<u64>| self.came + Duration::from_secs(seconds.unwrap_or(0));
        match self.answered {
            Some(_) if self.names(contact) => self.says(contact).map(after),
            Some(_) => None,
            None => self.asked.iter().any(|it| it.0 == contact && it.1 != Some(0)).then_some(Instant::NEVER),
        }
    }

    /// Whether this contact is not bound when it has taken effect, or may not be.
    fn drops(&self, contact: &str) -> bool {
        match self.answered {
            Some(_) => self.says(contact).is_none(),
            None => self.takes_all() || self.asked.contains(&(contact, Some(0))),
        }
    }

    /// Whether it has taken effect before the other one can have.
    fn is_before(&self, other: &Self) -> bool {
        self.answered.is_some_and(|answered| answered < other.came)
    }
}

impl<'a> Ledger<'a> {
    /// Reads every REGISTER and the answers of the registrar; gives what is wrong with these.
    pub(super) fn read(&mut self, registrar: &Registrar<'_, 'a>) -> Vec<Wrong<'a>> {
        let mut answers: Vec<Answer<'a>> = Vec::new();
        for part in registrar.registering() {
            self.read_part(registrar, part, &mut answers);
        }
        answers.sort_by_key(|answer| answer.at);
        let mut wrong = Vec::new();
        for Answer { part, seen, request, response, name, place, .. } in &answers {
            let mut tell = |why: String| wrong.push((*part, seen.time, *response, why));
            match place {
                Some(place) => self.judge(name, *place, &mut tell),
                None => judge_brief(request, response, &mut tell),
            }
        }
        wrong
    }

    fn read_part(&mut self, registrar: &Registrar<'_, 'a>, part: &'a Part<'a>, answers: &mut Vec<Answer<'a>>) {
        let mut hops = BTreeSet::new();
        for (came, request, _) in part.received().filter(|(_, packet, _)| packet.is("REGISTER")) {
            let name = registrar.address_of_record(uri_of(request.to)).filter(|_| hops.insert(came.hop));
            let Some(name) = name.filter(|_| !part.forwards(came.hop, "REGISTER")) else { continue };
            let known = self.0.entry(name.clone()).or_default();
            let life = registrar.life(came.time);
            let read = |answered: Option<(Instant, &Packet<'a>)>| Registered {
                came: registrar.time(came),
                answered: answered.map(|(at, _)| at),
                life,
                request,
                asked: contacts(request).collect(),
                said: answered.map(|(_, response)| said(response)).unwrap_or_default(),
                path: request.values("path", "path").collect(),
            };
            let mut statuses = Vec::new();
            for (seen, response, _) in part.of(came.hop).responses_sent("REGISTER") {
                let status = response.status().filter(|status| *status >= 200 && !statuses.contains(status));
                let Some(status) = status else { continue };
                statuses.push(status);
                let at = registrar.time(seen);
                let place = match status {
                    200..300 => {
                        known.push(read(Some((at, response))));
                        Some(known.len() - 1)
                    }
                    423 => None,
                    _ => continue,
                };
                answers.push(Answer { at, part, seen, request, response, name: name.clone(), place });
            }
            // A binding that is stored elsewhere may be there though the server has died, or has given the store up.
            if registrar.is_farm && statuses.iter().all(|status| *status >= 500) {
                known.push(read(None));
            }
        }
    }

    fn of(&self, (name, life): Record<'_>) -> impl Iterator<Item = &Registered<'a>> + Clone {
        self.0.get(name).into_iter().flatten().filter(move |it| it.life == life)
    }

    /// Every REGISTER by which a contact may be bound at some time within the window, with room for rounding.
    pub(super) fn may_ring(&self, record: Record<'_>, (from, to): Window, contact: &str) -> Vec<&Registered<'a>> {
        let is_settled = |by: &Registered<'_>| {
            self.of(record).any(|later| {
                let settles = later.names(contact) || later.drops(contact);
                settles && later.answered.is_some_and(|answered| answered < from) && by.is_before(later)
            })
        };
        let lasts = |by: &Registered<'_>| by.binds(contact).is_some_and(|ends| from < ends + ROUNDING);
        self.of(record).filter(|by| by.came <= to && lasts(by) && !is_settled(by)).collect()
    }

    /// The contacts that are bound all through the window, whatever is rounded and in whatever order things at one moment happen; but for what
    /// `except` does.
    pub(super) fn must_ring(
        &self,
        record: Record<'_>,
        (from, to): Window,
        except: Option<&Registered<'a>>,
    ) -> Vec<&'a str> {
        let all = || self.of(record).filter(|it| !except.is_some_and(|except| std::ptr::eq(*it, except)));
        let mut bound: Vec<&'a str> = Vec::new();
        for by in all().filter(|by| by.answered.is_some_and(|answered| answered < from)) {
            for (contact, _) in &by.said {
                let lasts = |it: &Registered<'_>| it.binds(contact).is_none_or(|ends| to + ROUNDING < ends);
                let stays = by.binds(contact).is_some()
                    && lasts(by)
                    && all().filter(|it| it.came <= to && !it.is_before(by)).all(|it| !it.drops(contact) && lasts(it));
                if stays && !bound.contains(contact) {
                    bound.push(contact);
                }
            }
        }
        bound
    }

    /// The REGISTER that made the binding of a contact, but for `except`, if that is certain.
    fn maker(&self, record: Record<'_>, contact: &str, except: &Registered<'a>) -> Option<&Registered<'a>> {
        let all = || self.of(record).filter(|it| !std::ptr::eq(*it, except) && it.binds(contact).is_some());
        all().find(|by| by.is_before(except) && all().all(|it| std::ptr::eq(it, *by) || it.is_before(by)))
    }

    /// A 2xx: it must be as was asked.
    fn judge(&self, name: &str, place: usize, tell: &mut dyn FnMut(String)) {
        let Some(this) = self.0.get(name).and_then(|known| known.get(place)) else { return };
        let Registered { came, answered: Some(answered), life, request, asked, said, .. } = this else { return };
        let (record, takes_all) = ((name, *life), this.takes_all());
        if takes_all && *asked != [("*", Some(0))] {
            tell("`*` stands alone, with Expires: 0".to_owned());
        }
        for contact in self.must_ring(record, (*came, *answered), Some(this)) {
            let made_by = self.maker(record, contact, this).map(|by| (by.request.call_id, by.request.sequence));
            match made_by {
                Some((call_id, number))
                    if this.names(contact) && call_id == request.call_id && request.sequence <= number =>
                {
                    tell(format!("the number {} is not above {number}, which made the binding", request.sequence));
                }
                _ if !this.names(contact) && this.drops(contact) => {
                    tell(format!("the binding of {contact} is not in it"));
                }
                _ => {}
            }
        }
        for (contact, seconds) in asked {
            match (seconds, this.says(contact)) {
                (Some(0), Some(_)) => tell(format!("{contact} was taken away, and is in it")),
                (Some(1..) | None, None) if *contact != "*" => tell(format!("{contact} was bound, and is not in it")),
                (Some(asked), Some(Some(given))) if given > *asked => {
                    tell(format!("{contact} is bound for {given} s, and {asked} s were asked for"));
                }
                _ => {}
            }
        }
        if takes_all && !said.is_empty() {
            tell("all was taken away, and something is in it".to_owned());
        }
    }
}

/// A 423 has what would do, and is for a time that is too brief.
fn judge_brief(request: &Packet<'_>, response: &Packet<'_>, tell: &mut dyn FnMut(String)) {
    if response.values("min-expires", "min-expires").next().is_none() {
        tell("it has no Min-Expires".to_owned());
    }
    if !contacts(request).any(|(_, seconds)| seconds.is_some_and(|seconds| (1..3_600).contains(&seconds))) {
        tell("no contact is for a time between none and an hour".to_owned());
    }
}

/// The first copy of a 2xx or a 423 to a REGISTER.
struct Answer<'a> {
    at: Instant,
    part: &'a Part<'a>,
    seen: &'a Seen<'a>,
    request: &'a Packet<'a>,
    response: &'a Packet<'a>,
    name: String,
    /// Its place among those of this address-of-record, if it is a 2xx.
    place: Option<usize>,
}

/// The contacts of a 2xx, each with the seconds that it has left.
fn said<'a>(response: &Packet<'a>) -> Vec<(&'a str, Option<u64>)> {
    response.values("contact", "m").map(|value| (uri_of(value), expires(value))).collect()
}
