//! The redirect server (RFC 3261 §8.3): requests for a user are answered with the user's contacts.

use alloc::vec::Vec;

use super::known::{Ask, Known};
use super::policy::Nowhere;
use super::{Core, Cx, Event};
use crate::endpoint::Arrival;
use crate::message::{HeaderId, Request, Response, ResponseBuilder, StatusCode, Uri, UriBuf, decimal};
use crate::proxy::{Disposition, Target};
use crate::registrar::{Binding, leads_to_the_same};

impl Core {
    /// Whether a caller wants to be redirected to the contacts of the user at `uri`, which names us (RFC 3841 §9.1), and may know them. Where there
    /// are users to tell from strangers, strangers may not. Requests of dialogs are forwarded in any case.
    pub(super) fn wants_redirect(&self, request: &Request, uri: Uri<'_>, allowed: bool) -> bool {
        self.settings.proxy.caller_decides
            && (allowed || self.guards.is_open())
            && request.to_tag().is_none()
            && uri.user().is_some()
            && self.settings.route(uri).is_none()
            && Disposition::of(request).redirect == Some(true)
    }

    /// Whether requests for the user at `uri`, which names us, are redirected, whoever has sent them.
    pub(super) fn redirects(&self, uri: Uri<'_>) -> bool {
        self.settings.redirect && uri.user().is_some() && self.settings.route(uri).is_none()
    }

    /// Answers with 302 and the contacts of the user at `uri`, whatever the method and whatever extensions are demanded (§8.3): the contacts
    /// see to those. A contact that is the Request-URI itself, or that only its flow leads to, is left out. Without any: 404 or 480.
    pub(super) fn redirect(&mut self, cx: &mut Cx<'_>, arrival: Arrival, uri: Uri<'_>, known: Known) {
        match self.redirection(cx, (&arrival.request, arrival.room_for_contacts()), uri, &known) {
            Ok((response, event)) => {
                cx.answer(arrival, response);
                event.into_iter().for_each(|event| cx.emit(event));
            }
            Err(ask) => self.ask_about(cx, ask, arrival, known),
        }
    }

    /// As [`redirect`](Self::redirect), to the targets that the application has given for `uri`.
    pub(super) fn redirect_to(&self, cx: &mut Cx<'_>, arrival: Arrival, uri: Uri<'_>, targets: Vec<Target>) {
        if targets.is_empty() {
            return self.answer(cx, arrival, StatusCode::TEMPORARILY_UNAVAILABLE);
        }
        let mut response = Response::to(&arrival.request, StatusCode::MOVED_TEMPORARILY);
        let mut room = arrival.room_for_contacts().unwrap_or(usize::MAX);
        for target in &targets {
            let mut value = Vec::new();
            write_contact(&mut value, &target.uri, target.q.min(1_000));
            if takes(&mut room, &value) {
                response = response.header(HeaderId::Contact, value);
            }
        }
        cx.answer(arrival, response);
        if let Some(told) = self.told_of_redirection(cx, uri, targets.into_iter().map(|target| target.uri)) {
            cx.emit(told);
        }
    }

    fn told_of_redirection(&self, cx: &Cx<'_>, uri: Uri<'_>, contacts: impl Iterator<Item = UriBuf>) -> Option<Event> {
        let address_of_record = self.settings.user_of(cx, uri)?.into();
        Some(Event::Redirected { address_of_record, contacts: contacts.collect() })
    }

    /// The response that redirects a request as it was `received`, and what is told of it.
    pub(super) fn redirection(
        &self,
        cx: &Cx<'_>,
        (received, room): (&Request, Option<usize>),
        uri: Uri<'_>,
        known: &Known,
    ) -> Result<(ResponseBuilder, Option<Event>), Ask> {
        let bindings = match self.bindings_for(cx, uri, known) {
            Ok(bindings) => bindings,
            Err(Nowhere::Refuse(refusal)) => return Ok((refusal.response(received), None)),
            Err(Nowhere::Ask(ask)) => return Err(ask),
        };
        let leads_on = |binding: &&Binding| {
            !binding.contact.as_uri().equivalent(uri) && !binding.way().is_some_and(|way| way.only_flow)
        };
        let mut bindings: Vec<&Binding> = bindings.into_iter().filter(leads_on).collect();
        // Keeps the flow refreshed last where one instance has several.
        bindings.dedup_by(|other, first| leads_to_the_same(other, first));
        if bindings.is_empty() {
            return Ok((Response::to(received, StatusCode::TEMPORARILY_UNAVAILABLE), None));
        }
        let mut response = Response::to(received, StatusCode::MOVED_TEMPORARILY);
        let (mut value, mut room) = (Vec::new(), room.unwrap_or(usize::MAX));
        for binding in &bindings {
            value.clear();
            write_contact(&mut value, &binding.contact, binding.q);
            value.extend_from_slice(b";expires=");
            value.extend_from_slice(decimal(binding.seconds_left(cx.now()) as usize).as_bytes());
            if takes(&mut room, &value) {
                response = response.header(HeaderId::Contact, &value);
            }
        }
        let contacts = bindings.iter().map(|binding| binding.contact.clone());
        Ok((response, self.told_of_redirection(cx, uri, contacts)))
    }
}

/// Takes the octets of a line of Contact from the room that is left, if the line fits.
fn takes(room: &mut usize, value: &[u8]) -> bool {
    let left = room.checked_sub(value.len().saturating_add(b"Contact: \r\n".len()));
    *room = left.unwrap_or(*room);
    left.is_some()
}

fn write_contact(out: &mut Vec<u8>, uri: &UriBuf, q: u16) {
    out.push(b'<');
    out.extend_from_slice(uri.as_bytes());
    out.extend_from_slice(b">;q=");
    write_q(out, q);
}

/// Writes a preference in thousandths as `q` has it (§25.1).
fn write_q(out: &mut Vec<u8>, thousandths: u16) {
    if thousandths >= 1_000 {
        return out.push(b'1');
    }
    let digits = alloc::format!("{thousandths:03}");
    let digits = digits.trim_end_matches('0');
    out.push(b'0');
    if !digits.is_empty() {
        out.push(b'.');
        out.extend_from_slice(digits.as_bytes());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_preference_is_written_as_short_as_it_can_be() {
        for (thousandths, text) in [(1_000, "1"), (0, "0"), (500, "0.5"), (70, "0.07"), (123, "0.123")] {
            let mut out = Vec::new();
            write_q(&mut out, thousandths);
            assert_eq!(out, text.as_bytes());
        }
    }
}
