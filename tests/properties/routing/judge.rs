//! A run of a network, held against the walk and the rules of the road.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};

use sansip_sim::World;
use sansip_sim::packet::{Packet, uri_of};
use sansip_sim::trace::What as Happened;

use super::plan::{Kind, Net, What};
use super::user::{Outcome, Told, answer_to};
use super::{UNKNOWN, body_of, walk};

/// Max-Forwards at the start (RFC 3261 §8.1.1.6).
const HOPS: usize = 70;

/// A message that was sent and, if it came, where.
struct Seen<'w> {
    from: usize,
    arrived: Vec<usize>,
    packet: Packet<'w>,
}

fn place(world: &World, node: sansip_sim::trace::NodeId) -> usize {
    world.trace().name(node)[1..].parse().expect("the place of a node")
}

/// Every message in the order of sending.
fn all(world: &World) -> Vec<Seen<'_>> {
    let mut arrived: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    for entry in world.trace().entries() {
        if let Happened::Arrived { node, sent } = entry.what {
            arrived.entry(sent).or_default().push(place(world, node));
        }
    }
    let sent = world.trace().transmissions().map(|(index, _, sent)| {
        let packet = Packet::read(&sent.bytes).expect("a message");
        Seen { from: place(world, sent.from), arrived: arrived.remove(&index).unwrap_or_default(), packet }
    });
    sent.collect()
}

fn field<'p>(packet: &Packet<'p>, name: &str) -> Option<&'p str> {
    packet.fields.iter().find(|(it, _)| it.eq_ignore_ascii_case(name)).map(|(_, value)| *value)
}

pub(super) fn judge(net: &Net, world: &World, told: &[Arc<Mutex<Told>>]) -> Vec<String> {
    let seen = all(world);
    let told: Vec<Told> = told.iter().map(|it| it.lock().unwrap_or_else(PoisonError::into_inner).clone()).collect();
    let mut wrong: Vec<String> = told.iter().flat_map(|told| told.wrong.clone()).collect();
    for seen in seen.iter().filter(|seen| seen.packet.is_request()) {
        let hops = field(&seen.packet, "Max-Forwards").and_then(|hops| hops.parse::<usize>().ok());
        let vias = seen.packet.vias.len();
        // Whoever forwards a request adds a Via and takes a hop. A CANCEL of a proxy is a new request.
        let is_right = hops
            .is_some_and(|hops| hops + vias - 1 <= HOPS && (seen.packet.method == "CANCEL" || hops + vias == HOPS + 1));
        if !is_right {
            wrong.push(format!("{} with {vias} Vias has {hops:?} hops left", seen.packet.what()));
        }
    }
    for (number, ask) in net.asks.iter().enumerate() {
        let method = if ask.what == What::Message { "MESSAGE" } else { "INVITE" };
        let its = |packet: &Packet<'_>| packet.is(method) && field(packet, "X-Ask") == Some(&number.to_string());
        let came: Vec<&Seen<'_>> = seen.iter().filter(|seen| its(&seen.packet)).collect();
        let is_phone = |place: &usize| net.nodes[*place].kind == Kind::Phone;
        let reached: BTreeSet<usize> =
            came.iter().flat_map(|seen| seen.arrived.iter().copied()).filter(is_phone).collect();
        let expected = walk::reached(net, ask);
        let mut say = |what: String| wrong.push(format!("{number}: {what}"));
        if reached != expected {
            say(format!("it came to {reached:?} and not to {expected:?}"));
        }
        for seen in came.iter().filter(|seen| seen.arrived.iter().any(is_phone)) {
            let unknown = |(name, _): &&(&str, &str)| UNKNOWN.iter().any(|(it, _)| it.eq_ignore_ascii_case(name));
            let fields: Vec<(&str, &str)> = seen.packet.fields.iter().filter(unknown).copied().collect();
            if seen.packet.body != body_of(number) || fields != UNKNOWN {
                say(format!("it was changed on its way: {:?}", String::from_utf8_lossy(seen.packet.text)));
            }
        }
        let outcomes: Vec<&Outcome> = told.iter().filter_map(|told| told.outcomes.get(&number)).flatten().collect();
        let fine = net.loss == 0 && net.late == 0;
        match (ask.what, outcomes.as_slice()) {
            (What::Message, [Outcome::Replied(200, body)])
                if !expected.is_empty() && *body == answer_to(&body_of(number)) => {}
            // RFC 4320: whoever asks may have given up before an answer can come.
            (What::Message, [Outcome::Replied(300.., _) | Outcome::Unanswered]) if !fine || expected.is_empty() => {}
            (What::Call | What::CallEndedThere, [Outcome::Answered(names)]) => {
                wrong.extend(
                    dialog(net, &seen, names, ask.from, ask.what).into_iter().map(|what| format!("{number}: {what}")),
                );
            }
            (What::Call | What::CallEndedThere, [Outcome::Failed(_)]) if expected.is_empty() => {}
            (What::Ringing, [Outcome::Failed(_)]) => {}
            (_, outcomes) => say(format!("it came to {expected:?}, and the user was told {outcomes:?}")),
        }
    }
    wrong
}

/// The requests of a dialog go along the route that its INVITE has recorded.
fn dialog(net: &Net, seen: &[Seen<'_>], names: &[String; 3], caller: usize, what: What) -> Vec<String> {
    let [call_id, ours, theirs] = names;
    let answers = |packet: &Packet<'_>| {
        packet.answers(2, "INVITE") && packet.call_id == call_id && packet.from_tag == ours && packet.to_tag == theirs
    };
    let Some(ok) = seen.iter().find(|seen| answers(&seen.packet)) else {
        return vec!["nobody has sent the 200".into()];
    };
    let callee = ok.from;
    let is_invite = |packet: &Packet<'_>| {
        packet.is("INVITE") && packet.call_id == call_id && packet.top().branch == ok.packet.top().branch
    };
    let Some(invite) = seen.iter().find(|seen| is_invite(&seen.packet) && seen.arrived.contains(&callee)) else {
        return vec!["the callee has no INVITE".into()];
    };
    let mut wrong = Vec::new();
    let host = |uri: &str| {
        let rest = uri.strip_prefix("sip:").unwrap_or(uri).split(';').next().unwrap_or_default();
        let host = rest.rsplit('@').next().unwrap_or_default();
        let host = if host.ends_with(']') { host } else { host.strip_suffix(":5060").unwrap_or(host) };
        net.named(host)
    };
    let routes: Vec<&str> = invite.packet.values("Record-Route", "Record-Route").map(uri_of).collect();
    let mut recorded: Vec<Option<usize>> = routes.iter().map(|uri| host(uri)).collect();
    // A node in two families may have written two values for one forwarding.
    recorded.dedup();
    // Whoever wishes to stays on the way, and who leads from one family to the other must (RFC 6157 §3.1.1).
    let is_v6 = |sent_by: &str| sent_by.starts_with('[');
    let hops = invite.packet.vias.windows(2).map(|via| (host(via[0].sent_by), [via[0].sent_by, via[1].sent_by]));
    let stays = |place: usize, [there, before]: [&str; 2]| net.nodes[place].records || is_v6(there) != is_v6(before);
    let mut expected: Vec<Option<usize>> = hops
        .filter(|(place, families)| place.is_some_and(|place| stays(place, *families)))
        .map(|(place, _)| place)
        .collect();
    expected.dedup();
    if recorded != expected {
        wrong.push(format!("{expected:?} are on the way and stay there, and recorded are {recorded:?}"));
    }
    let (from, from_tag, to, to_tag) = match what {
        What::CallEndedThere => (callee, theirs, caller, ours),
        _ => (caller, ours, callee, theirs),
    };
    let came = |method: &str, from_tag: &str, to_tag: &str, to: usize| {
        let is_it = |packet: &Packet<'_>| {
            packet.is(method) && packet.call_id == call_id && packet.from_tag == from_tag && packet.to_tag == to_tag
        };
        seen.iter().any(|seen| is_it(&seen.packet) && seen.arrived.contains(&to))
    };
    if !came("ACK", ours, theirs, callee) {
        wrong.push(format!("no ACK came to {callee} along {expected:?}"));
    }
    if !came("BYE", from_tag, to_tag, to) {
        wrong.push(format!("no BYE came from {from} to {to} along {expected:?}"));
    }
    wrong
}
