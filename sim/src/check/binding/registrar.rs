//! The registrar's half: what it acknowledges.

use std::collections::BTreeMap;

use sansip::{Duration, Instant};

use super::super::{Part, Seen};
use super::{ROUNDING, Registrar, Wrong, contacts, expires};
use crate::packet::{Packet, uri_of};

/// Everything that was acknowledged, by address-of-record, in order.
#[derive(Debug, Default)]
pub(super) struct Ledger<'a>(BTreeMap<String, Vec<Acknowledged<'a>>>);

/// The bindings of an address-of-record, as a 2xx to a REGISTER says.
#[derive(Debug)]
struct Acknowledged<'a> {
    at: Instant,
    life: usize,
    bindings: Vec<Bound<'a>>,
}

/// An address-of-record, and how often its registrar had crashed.
pub(super) type Record<'n> = (&'n str, usize);

/// A binding as it was acknowledged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Bound<'a> {
    pub(super) contact: &'a str,
    pub(super) ends: Instant,
    /// The Path that it was registered by.
    pub(super) path: Vec<&'a str>,
    /// The Call-ID and the number of the REGISTER that made it.
    made_by: (&'a str, u32),
}

impl<'a> Ledger<'a> {
    /// Reads every answer of the registrar to a REGISTER; gives what is wrong with them.
    pub(super) fn read(&mut self, registrar: &Registrar<'_, 'a>) -> Vec<Wrong<'a>> {
        let mut answers: Vec<Answer<'a>> = registrar.parts().flat_map(|part| answers_of(registrar, part)).collect();
        answers.sort_by_key(|answer| answer.seen.time);
        let mut wrong = Vec::new();
        for answer in &answers {
            let mut tell = |why: String| wrong.push((answer.part, answer.seen.time, answer.response, why));
            match answer.response.status() {
                Some(200..300) => self.acknowledge(registrar, answer, &mut tell),
                Some(423) => judge_brief(answer, &mut tell),
                _ => {}
            }
        }
        wrong
    }

    /// The last that was acknowledged before a time, or at it if `at_once`: several, if they were at one moment.
    fn last(&self, (name, life): Record<'_>, time: Instant, at_once: bool) -> &[Acknowledged<'a>] {
        let known = self.0.get(name).map_or(&[][..], Vec::as_slice);
        let end = known.partition_point(|it| if at_once { it.at <= time } else { it.at < time });
        let before = known.get(..end).unwrap_or_default();
        let Some(last) = before.last().filter(|last| last.life == life) else { return &[] };
        let start = before.partition_point(|it| it.at < last.at);
        before.get(start..).unwrap_or_default()
    }

    /// The binding of a contact, by what was acknowledged last or at this very moment, with room for rounding.
    pub(super) fn may_ring(&self, record: Record<'_>, time: Instant, contact: &str) -> Option<&Bound<'a>> {
        let known = [true, false].into_iter().flat_map(|at_once| self.last(record, time, at_once));
        let mut bound = known.flat_map(|it| &it.bindings);
        bound.find(|bound| bound.contact == contact && time < bound.ends + ROUNDING)
    }

    /// The bindings that are there whatever is rounded, and whatever happens at this very moment.
    pub(super) fn must_ring(&self, record: Record<'_>, time: Instant) -> Vec<&Bound<'a>> {
        let before = self.last(record, time, false);
        let lasts = |bound: &&Bound<'_>| {
            let all = before.iter().chain(self.last(record, time, true));
            let is_in = |it: &Acknowledged<'_>| it.bindings.iter().any(|other| other.contact == bound.contact);
            time + ROUNDING < bound.ends && all.into_iter().all(is_in)
        };
        before.first().map(|it| it.bindings.iter().filter(lasts).collect()).unwrap_or_default()
    }

    /// A 2xx: it must be as was asked, and counts from now on.
    fn acknowledge(&mut self, registrar: &Registrar<'_, 'a>, answer: &Answer<'a>, tell: &mut dyn FnMut(String)) {
        let Answer { request, response, seen, .. } = answer;
        let Some(name) = registrar.address_of_record(uri_of(request.to)) else { return };
        let life = registrar.life(seen.time);
        let said: Vec<(&str, Option<u64>)> =
            response.values("contact", "m").map(|value| (uri_of(value), expires(value))).collect();
        let asked: Vec<(&str, Option<u64>)> = contacts(request).collect();
        let takes_all = asked.iter().any(|(contact, _)| *contact == "*");
        if takes_all && asked != [("*", Some(0))] {
            tell("`*` stands alone, with Expires: 0".to_owned());
        }
        let before: Vec<Bound<'a>> = self.must_ring((&name, life), seen.time).into_iter().cloned().collect();
        for bound in &before {
            let touched = takes_all || asked.iter().any(|(contact, _)| *contact == bound.contact);
            let (call_id, number) = bound.made_by;
            if touched && call_id == request.call_id && request.sequence <= number {
                tell(format!("the number {} is not above {number}, which made the binding", request.sequence));
            } else if !touched && said.iter().all(|(contact, _)| *contact != bound.contact) {
                tell(format!("the binding of {} is not in it", bound.contact));
            }
        }
        for (contact, seconds) in &asked {
            let listed = said.iter().find(|(other, _)| other == contact);
            match (seconds, listed) {
                (Some(0), Some(_)) => tell(format!("{contact} was taken away, and is in it")),
                (Some(1..) | None, None) if *contact != "*" => tell(format!("{contact} was bound, and is not in it")),
                (Some(asked), Some((_, Some(given)))) if given > asked => {
                    tell(format!("{contact} is bound for {given} s, and {asked} s were asked for"));
                }
                _ => {}
            }
        }
        if takes_all && !said.is_empty() {
            tell("all was taken away, and something is in it".to_owned());
        }
        let path: Vec<&'a str> = request.values("path", "path").collect();
        let made = said.into_iter().map(|(contact, seconds)| {
            let ends = seen.time + Duration::from_secs(seconds.unwrap_or(0));
            let old = before.iter().find(|bound| bound.contact == contact);
            match old.filter(|_| asked.iter().all(|(other, _)| *other != contact)) {
                Some(old) => Bound { ends, ..old.clone() },
                None => Bound { contact, ends, path: path.clone(), made_by: (request.call_id, request.sequence) },
            }
        });
        let bindings = made.collect();
        self.0.entry(name).or_default().push(Acknowledged { at: seen.time, life, bindings });
    }
}

/// A 423 has what would do, and is for a time that is too brief.
fn judge_brief(answer: &Answer<'_>, tell: &mut dyn FnMut(String)) {
    if answer.response.values("min-expires", "min-expires").next().is_none() {
        tell("it has no Min-Expires".to_owned());
    }
    if !contacts(answer.request).any(|(_, seconds)| seconds.is_some_and(|seconds| (1..3_600).contains(&seconds))) {
        tell("no contact is for a time between none and an hour".to_owned());
    }
}

/// The first copy of an answer to a REGISTER.
struct Answer<'a> {
    part: &'a Part<'a>,
    seen: &'a Seen<'a>,
    request: &'a Packet<'a>,
    response: &'a Packet<'a>,
}

/// The answers of the registrar itself.
fn answers_of<'a>(registrar: &Registrar<'_, 'a>, part: &'a Part<'a>) -> Vec<Answer<'a>> {
    let mut answers: Vec<Answer<'a>> = Vec::new();
    for (seen, response, _) in part.sent().filter(|(_, packet, _)| packet.method == "REGISTER") {
        let again =
            answers.iter().any(|answer| answer.seen.hop == seen.hop && answer.response.status() == response.status());
        let Some((_, request, _)) = part.copies(seen.hop, "REGISTER", seen.index).next() else { continue };
        if response.is_request() || again || part.forwards(seen.hop, "REGISTER") {
            continue;
        }
        if registrar.address_of_record(uri_of(request.to)).is_some() {
            answers.push(Answer { part, seen, request, response });
        }
    }
    answers
}
