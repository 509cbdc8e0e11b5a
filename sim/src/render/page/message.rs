//! A message of a page, line by line.

use maud::{Markup, html};

use super::explain::{explain, start};
use crate::packet::Packet;
use crate::render::picture::{Message, NAME, Picture, Row, cut, visible};

/// So many octets of a message are shown at most.
const SHOWN: usize = 16_384;
/// So many lines are compared with those that came, of each message.
const COMPARED: usize = 256;

/// Says what a message says, and what became of it.
pub(super) fn panel(picture: &Picture<'_>, row: &Row<'_>, message: &Message<'_>) -> Markup {
    let name = |node: usize| cut(picture.names.get(node).copied().unwrap_or("?"), NAME);
    let sent = message.sent;
    let number = |row: usize| picture.message(row).map_or("?", |message| &*message.label.number);
    let by = if sent.stream.is_some() { "a stream" } else { "a datagram" };
    let faults: Vec<String> = sent.fate.faults().collect();
    html! {
        div.panel {
            p.facts {
                "From " bdi { (name(message.from())) } " to "
                @match message.to() { Some(to) => bdi { (name(to)) }, None => "nobody" }
                ", sent at " (row.time)
                @for (times, time) in message.arrived.iter().enumerate() {
                    @if times == 0 { ", arrived at " } @else { " and at " } (time)
                    " (+" (time.since(row.time.min(*time)).as_millis()) " ms)"
                }
                ". " span.soft { (sent.source) " to " (sent.destination) " by " (by) ", number " (sent.ordinal) " of this way, " (sent.bytes.len()) " octets." }
                @for words in message.fate() { " " strong.fate { (super::capital(&words)) "." } }
                @if !faults.is_empty() { " " code { (faults.join(" ")) } }
            }
            @if let Some(first) = message.first {
                p.facts { "The same octets as " a href=(format!("#r{first}")) { (number(first)) } "." }
            } @else {
                @if let Some(came) = message.passed_on { p.facts { "Passes on " a href=(format!("#r{came}")) { (number(came)) } "." } }
                (lines(message, message.passed_on.and_then(|came| picture.message(came)).and_then(|came| came.packet.as_ref())))
            }
        }
    }
}

/// A line with what became of it at the last hop.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Change {
    None,
    Added,
    Changed,
}

fn lines(message: &Message<'_>, came: Option<&Packet<'_>>) -> Markup {
    let Some(packet) = &message.packet else { return raw(&message.sent.bytes) };
    let start_line = |packet: &Packet<'_>| {
        text(packet.text.split(|octet| *octet == b'\n').next().unwrap_or_default()).trim_end_matches('␍').to_owned()
    };
    let first = start_line(packet);
    let kind = packet.status().map_or_else(|| packet.method.to_owned(), |status| status.to_string());
    let is_other = came.is_some_and(|came| start_line(came) != first);
    let (changes, gone) =
        came.map_or_else(|| (vec![Change::None; packet.fields.len()], Vec::new()), |came| compare(packet, came));
    html! {
        div.lines {
            (line(&html! { (first) }, start(&kind), if is_other { Change::Changed } else { Change::None }))
            @for ((name, value), change) in packet.fields.iter().zip(changes) {
                (line(&html! { b { (visible(name)) } ": " (cut(value, SHOWN)) }, explain(name), change))
            }
            @for (name, value) in gone {
                div.line.gone { code { del { b { (visible(name)) } ": " (cut(value, SHOWN)) } } small { em { "taken off. " } (explain(name)) } }
            }
            @if !packet.body.is_empty() { (raw(packet.body)) }
        }
    }
}

fn line(words: &Markup, explained: &str, change: Change) -> Markup {
    let (class, how) = match change {
        Change::None => ("line", ""),
        Change::Added => ("line new", "added. "),
        Change::Changed => ("line new", "changed. "),
    };
    html! { div class=(class) { code { (words) } small { @if !how.is_empty() { em { (how) } } (explained) } } }
}

/// Which fields of a message are others than those that came, and which of those that came are gone. Each field that came answers for one.
fn compare<'p>(packet: &Packet<'p>, came: &Packet<'p>) -> (Vec<Change>, Vec<(&'p str, &'p str)>) {
    let mut left: Vec<(&str, &str)> = came.fields.iter().copied().take(COMPARED).collect();
    let mut changes = Vec::with_capacity(packet.fields.len());
    let mut take =
        |fits: &dyn Fn(&(&str, &str)) -> bool| left.iter().rposition(fits).map(|at| left.remove(at)).is_some();
    for (number, field) in packet.fields.iter().enumerate() {
        let is_same = number >= COMPARED || take(&|other| other == field);
        changes.push(if is_same { Change::None } else { Change::Added });
    }
    // From the last one up: a Via or Record-Route that is added stands first.
    for (field, change) in packet.fields.iter().zip(&mut changes).rev() {
        if *change == Change::Added && take(&|(name, _)| name.eq_ignore_ascii_case(field.0)) {
            *change = Change::Changed;
        }
    }
    (changes, left)
}

/// Octets as text, as they are.
fn raw(octets: &[u8]) -> Markup {
    let shown = &octets[..octets.len().min(SHOWN)];
    let lines: Vec<String> =
        shown.split(|octet| *octet == b'\n').map(|line| text(line).trim_end_matches('␍').to_owned()).collect();
    let others = String::from_utf8_lossy(shown).matches('\u{fffd}').count();
    html! {
        pre { (lines.join("\n")) }
        @if others > 0 { p.facts { (others) " places are no UTF-8, or are U+FFFD as they were sent." } }
        @if shown.len() < octets.len() { p.facts { (octets.len() - shown.len()) " octets more are cut." } }
    }
}

fn text(octets: &[u8]) -> String {
    visible(&String::from_utf8_lossy(octets))
}
