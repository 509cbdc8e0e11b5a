//! The proxy's half: where requests for users go.

use std::collections::BTreeSet;

use super::super::{Part, Seen};
use super::registrar::Ledger;
use super::{Registrar, Wrong};
use crate::check::{cancel::decides, route::is_loose};
use crate::packet::{Packet, uri_of};

/// Everything that was sent to contacts that are not bound, and every rejection though some were not tried.
pub(super) fn judge<'a>(registrar: &Registrar<'_, 'a>, ledger: &Ledger<'a>) -> Vec<Wrong<'a>> {
    let mut wrong = Vec::new();
    for part in registrar.parts() {
        for (seen, packet, _) in part.sent() {
            let why = match packet.status() {
                None => judge_sent(registrar, ledger, part, seen, packet),
                Some(status) if status >= 300 && packet.method == "INVITE" => {
                    judge_rejection(registrar, ledger, part, seen, packet)
                }
                Some(_) => None,
            };
            wrong.extend(why.map(|why| (part, seen.time, packet, why)));
        }
    }
    wrong
}

/// The user that a request is for, whose contacts the location service alone says.
fn user_of(registrar: &Registrar<'_, '_>, came: &Packet<'_>) -> Option<String> {
    let is_new = came.to_tag.is_empty() && !matches!(came.method, "REGISTER" | "CANCEL" | "ACK");
    let uri = came.uri().filter(|_| is_new)?;
    let name = registrar.address_of_record(uri)?;
    let mut routes = registrar.settings.routes.iter().map(|route| route.key.to_string());
    let elsewhere = routes.any(|key| key.eq_ignore_ascii_case(&name) || name.ends_with(&format!("@{key}")));
    let by_instance = uri.contains(";gr") || uri.contains(";opaque=");
    // The Contact of a request decides along which flow those of its dialog go: that is for other checks to say.
    (!elsewhere && !by_instance && !registrar.settings.redirect).then_some(name)
}

fn judge_sent<'a>(
    registrar: &Registrar<'_, 'a>,
    ledger: &Ledger<'a>,
    part: &'a Part<'a>,
    seen: &Seen<'a>,
    sent: &Packet<'a>,
) -> Option<String> {
    let below = seen.below?;
    let target = sent.uri()?;
    let (_, came, _) = part.copies(below, sent.method, seen.index).next()?;
    let name = user_of(registrar, came)?;
    // A copy is sent to whom the first one went to.
    let (first, ..) = part.of(seen.hop).requests_sent(sent.method).next()?;
    let (since, ..) = part.copies(below, sent.method, first.index).next()?;
    let window = (registrar.time(since), registrar.time(first));
    let record = (name.as_str(), registrar.life(first.time));
    let redirected = || {
        let mut answers = part.branches(below).before(seen.index).received();
        answers.any(|(_, it, _)| it.answers(3, sent.method) && it.uris("contact", "m").contains(&target))
    };
    let bound = ledger.may_ring(record, window, target);
    if bound.is_empty() {
        return (!redirected()).then(|| format!("{target} is not bound to {name}"));
    }
    let routes = sent.texts("route", "route");
    let goes_by = |path: &[&str]| routes == path || !path.iter().all(|value| is_loose(uri_of(value)));
    (!bound.iter().any(|by| goes_by(&by.path))).then(|| format!("it does not go by the Path of {target}"))
}

fn judge_rejection<'a>(
    registrar: &Registrar<'_, 'a>,
    ledger: &Ledger<'a>,
    part: &'a Part<'a>,
    seen: &Seen<'a>,
    rejection: &Packet<'a>,
) -> Option<String> {
    let (_, came, _) = part.copies(seen.hop, "INVITE", seen.index).next()?;
    let name = user_of(registrar, came)?;
    let asked = came
        .fields
        .iter()
        .any(|(name, _)| ["request-disposition", "d"].iter().any(|known| name.eq_ignore_ascii_case(known)));
    let branches = part.branches(seen.hop).before(seen.index);
    let rung: BTreeSet<&str> = branches.requests_sent("INVITE").filter_map(|(_, packet, _)| packet.uri()).collect();
    let decided = part.of(seen.hop).before(seen.index).hears("CANCEL")
        || branches.received().any(|(_, packet, _)| decides(packet));
    // A request that is not for us to forward is refused before anybody is rung.
    let nobody = matches!(rejection.status(), Some(404 | 480)) || !rung.is_empty();
    // A connection that is gone takes the bindings along that can be reached by nothing else (RFC 5626 §7).
    if asked || decided || !nobody || registrar.loses {
        return None;
    }
    let (since, ..) = part.copies(seen.hop, "INVITE", seen.index).next()?;
    let window = (registrar.time(since), registrar.time(seen));
    let bound = ledger.must_ring((&name, registrar.life(since.time)), window, None);
    // With less breadth than that one may be left out (RFC 5393 §5.3.3).
    let breadth = came.values("max-breadth", "max-breadth").next().and_then(|breadth| breadth.parse::<usize>().ok());
    if breadth.is_some_and(|breadth| breadth < bound.len()) {
        return None;
    }
    let scheme = came.uri().and_then(|uri| uri.split(':').next());
    let missed = bound.iter().find(|contact| !rung.contains(*contact) && contact.split(':').next() == scheme)?;
    Some(format!("{missed} is bound to {name}, and was not rung"))
}
