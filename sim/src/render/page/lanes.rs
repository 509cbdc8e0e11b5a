//! Shows what lasts at each node, along the time.

use maud::{Markup, html};
use sansip::Instant;

use super::OPEN_ROWS;
use crate::render::picture::{Kind, NAME, Picture, Span, cut, visible};

/// So many things that last are drawn of a node at most.
const SPANS: usize = 200;

/// A time on an axis that is shortened where nothing happens: each step is as long as its time has binary digits.
struct Axis(Vec<(Instant, u64)>);

impl Axis {
    fn new(mut times: Vec<Instant>) -> Self {
        times.sort_unstable();
        times.dedup();
        let (mut place, mut before) = (0, None);
        let steps = times.into_iter().map(|time| {
            let gap = before.map_or(0, |before| time.since(before).as_millis() as u64);
            place += if before.is_some() { 2 + u64::from((gap + 1).ilog2()) } else { 0 };
            before = Some(time);
            (time, place)
        });
        Self(steps.collect())
    }

    /// Where a time stands, in hundredths of the width.
    fn at(&self, time: Instant) -> f64 {
        let whole = self.0.last().map_or(1, |(_, place)| (*place).max(1));
        let place = match self.0.binary_search_by_key(&time, |(time, _)| *time) {
            Ok(found) => self.0[found].1,
            Err(next) => self.0.get(next).map_or(whole, |(_, place)| *place),
        };
        (place * 100_000 / whole) as f64 / 1_000.0
    }
}

/// Draws transactions, timers and dialogs of each node.
pub(super) fn lanes(picture: &Picture<'_>) -> Markup {
    let open = picture.window(OPEN_ROWS);
    let window =
        (open.len() < picture.rows.len()).then(|| (picture.rows[open.start].time, picture.rows[open.end - 1].time));
    let is_seen = |span: &&Span| {
        let (Some(first), Some(last)) = (span.pieces.first(), span.pieces.last()) else { return false };
        window.is_none_or(|(from, until)| first.from <= until && last.until >= from)
    };
    let spans: Vec<&Span> = picture.spans.iter().filter(is_seen).collect();
    if spans.is_empty() {
        return html! {};
    }
    let axis =
        Axis::new(spans.iter().flat_map(|span| &span.pieces).flat_map(|piece| [piece.from, piece.until]).collect());
    html! {
        section #lanes {
            h2 { "What lasts" }
            p.soft.hint {
                @if picture.is_stated { "Transactions, timers, dialogs and bindings as the nodes have them." }
                @else { "Transactions, timers and dialogs as far as messages prove them." }
                " The axis is shortened where nothing happens."
                @if window.is_some() { " These are of the rows that are open at first." }
            }
            @for (node, name) in picture.names.iter().enumerate() {
                @let own: Vec<&&Span> = spans.iter().filter(|span| span.node == node).collect();
                @if !own.is_empty() {
                    h3 { bdi { (cut(name, NAME)) } }
                    div.lanes {
                        @for span in own.iter().take(SPANS) { (lane(span, &axis)) }
                        @if own.len() > SPANS { p.cut { (own.len() - SPANS) " more are not drawn." } }
                    }
                }
            }
        }
    }
}

fn lane(span: &Span, axis: &Axis) -> Markup {
    let name = cut(&span.name, 24);
    let title = match span.kind {
        Kind::Dialog => format!("dialog with tag {name}"),
        Kind::Client => format!("{name} client transaction"),
        Kind::Server => format!("{name} server transaction"),
        Kind::Timer if span.id.is_empty() => format!("timer {}", cut(&span.name, 40)),
        Kind::Timer => format!("timer {name} of {}", cut(&span.id, 40)),
        Kind::Binding => format!("binding {}", cut(&span.name, 60)),
    };
    html! {
        div.lane title=(cut(&span.id, 200)) {
            span.what { (title) }
            svg.bar aria-hidden="true" {
                @for (number, piece) in span.pieces.iter().enumerate() {
                    @let (from, until) = (axis.at(piece.from), axis.at(piece.until));
                    rect class=(format!("s{}", number.min(3))) x=(format!("{from:.3}%")) width=(format!("{:.3}%", (until - from).max(0.4))) y="3" height="12" rx="2" {}
                }
            }
            span.states { @for (number, piece) in span.pieces.iter().enumerate() {
                @if number > 0 { " · " }
                @if span.kind == Kind::Timer { (piece.from) " for " (visible(&piece.state)) }
                @else {
                    (visible(&piece.state)) " " (piece.from)
                    @if number + 1 == span.pieces.len() && piece.until > piece.from { " to " (piece.until) }
                }
            } }
        }
    }
}
