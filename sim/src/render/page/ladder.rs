//! The ladder of a page: a row for each thing that is seen, which opens.

use maud::{Markup, html};

use super::{OPEN_ROWS, PAGE_ROWS, message};
use crate::render::picture::{Arrival, Message, NAME, Picture, Row, Shown, cut, visible};
use crate::trace::Note;

/// So many rows are behind one click.
const CHUNK: usize = 500;
/// Pixels of a second, where times are to scale.
const SECOND: u64 = 48;
/// The longest pause that is drawn to scale, in milliseconds.
const PAUSE: u64 = 5_000;
/// So many choices has a filter at most.
const CHOICES: usize = 500;

/// Draws the ladder with its filters.
pub(super) fn ladder(picture: &Picture<'_>) -> Markup {
    let page = picture.window(PAGE_ROWS);
    let open = picture.window(OPEN_ROWS);
    let columns = picture.names.len().max(1);
    html! {
        section #ladder {
            h2 { "Ladder" }
            (tools(picture))
            input #scale type="checkbox";
            label for="scale" { "Times to scale" span.soft { ", " (SECOND) " px a second; a pause of more than " (PAUSE / 1_000) " s is cut" } }
            p.soft.hint { "Each message opens. In it a bar marks the lines that the last hop has changed." }
            // Heads of arrows, for all rows.
            svg.heads width="0" height="0" aria-hidden="true" {
                defs {
                    marker id="head" viewBox="0 0 10 10" refX="9" refY="5" markerWidth="8" markerHeight="8" orient="auto" { path d="M0 1L10 5L0 9z" {} }
                    marker id="cross" viewBox="0 0 10 10" refX="5" refY="5" markerWidth="10" markerHeight="10" orient="auto" { path d="M1 1L9 9M9 1L1 9" {} }
                }
            }
            div.scroll tabindex="0" role="group" aria-label="Ladder" {
                div.ladder style=(format!("--columns:{columns}")) {
                    div.names {
                        span.time { "s" }
                        span.strip { @for (node, name) in picture.names.iter().enumerate() {
                            bdi.name style=(format!("left:{}%;max-width:{}%", at(node, columns), 100.0 / columns as f64)) title=(cut(name, 200)) { (cut(name, NAME)) }
                        } }
                    }
                    div.rows {
                        @if page.start > 0 { p.cut { (page.start) " rows before these are not on this page." } }
                        @if picture.rows.is_empty() { p.cut { "Nothing was sent, and nothing was said." } }
                        (chunks(picture, page.start, open.start, "earlier"))
                        (rows(picture, open.start, open.end))
                        (chunks(picture, open.end, page.end, "later"))
                        @if page.end < picture.rows.len() { p.cut { (picture.rows.len() - page.end) " rows after these are not on this page." } }
                    }
                }
            }
        }
    }
}

/// Where the lifeline of a node stands, in hundredths of the width.
fn at(node: usize, columns: usize) -> f64 {
    // Whole thousandths are the same text on every machine.
    ((2 * node + 1) * 50_000 / columns) as f64 / 1_000.0
}

fn chunks(picture: &Picture<'_>, from: usize, until: usize, when: &str) -> Markup {
    html! {
        @for start in (from..until).step_by(CHUNK) {
            @let end = (start + CHUNK).min(until);
            details.more {
                summary { (end - start) " " (when) " rows, " (picture.rows[start].time) " to " (picture.rows[end - 1].time) " s" }
                (rows(picture, start, end))
            }
        }
    }
}

fn rows(picture: &Picture<'_>, from: usize, until: usize) -> Markup {
    html! {
        @for place in from..until {
            @let row = &picture.rows[place];
            @let before = place.checked_sub(1).map_or(row.time, |before| picture.rows[before].time);
            (one(picture, place, row, row.time.since(before.min(row.time)).as_millis() as u64))
        }
    }
}

fn one(picture: &Picture<'_>, place: usize, row: &Row<'_>, gap: u64) -> Markup {
    let columns = picture.names.len().max(1);
    let style = match gap.min(PAUSE) * SECOND / 1_000 {
        0 => None,
        gap => Some(format!("--gap:{gap}px")),
    };
    let pause = html! { @if gap > PAUSE { span.pause { "⋮ " (gap / 1_000) "." (gap % 1_000 / 100) " s" } } };
    match &row.shown {
        Shown::Message(message) => {
            let mut class = String::from("row message");
            for (word, is_so) in [("wrong", !message.fate().is_empty()), ("copy", message.label.resent)] {
                if is_so {
                    class.push(' ');
                    class.push_str(word);
                }
            }
            let nodes = std::iter::once(message.from()).chain(message.to()).map(|node| node.to_string());
            let (nodes, call) = (nodes.collect::<Vec<_>>().join(" "), message.call.map(|call| call.to_string()));
            html! {
                details class=(class) id=(format!("r{place}")) style=[style] data-n=(nodes) data-c=[call] data-m=(visible(message.method())) {
                    summary { (pause) span.time { (row.time) } span.strip { (arrow(message, columns)) } }
                    (message::panel(picture, row, message))
                }
            }
        }
        Shown::Arrival(arrival) => {
            let Some(message) = picture.message(arrival.of) else { return html! {} };
            let call = message.call.map(|call| call.to_string());
            let words = if arrival.is_again { " arrives once more" } else { " arrives" };
            html! {
                div.row.arrival style=[style] data-n=(format!("{} {}", arrival.from, arrival.node)) data-c=[call] data-m=(visible(message.method())) {
                    (pause) span.time { (row.time) }
                    span.strip { (half(*arrival, columns)) (said(arrival.node, columns, &html! { a href=(format!("#r{}", arrival.of)) { (message.label.number) } (words) })) }
                }
            }
        }
        Shown::Note { node, note } => {
            let call = match note {
                Note::CallBegan { call_id } | Note::CallEnded { call_id, .. } => {
                    picture.calls.iter().position(|call| call == call_id)
                }
                _ => None,
            };
            html! {
                div.row.note style=[style] data-n=(node) data-c=[call] {
                    (pause) span.time { (row.time) }
                    span.strip { span.dot style=(format!("left:{}%", at(*node, columns))) {} (said(*node, columns, &html! { (cut(&note.to_string(), 200)) })) }
                }
            }
        }
        Shown::Breach(breach) => html! {
            div.row.breach id=[(picture.broken() == Some(place)).then_some("broken")] style=[style] data-n=(breach.node.0) {
                (pause) span.time { (row.time) }
                span.words { strong { "Rule broken, " (breach.check) ": " } (cut(&breach.what, 600)) }
            }
        },
    }
}

fn arrow(message: &Message<'_>, columns: usize) -> Markup {
    let from = at(message.from(), columns);
    let is_last = message.from() + 1 == columns && columns > 1;
    let step = 100.0 / columns as f64;
    let to = match message.to() {
        Some(to) => at(to, columns),
        // Nobody is there: a short arrow to the side where there is room.
        None if is_last => from - 0.7 * step,
        None => from + 0.7 * step,
    };
    let fate = message.fate();
    let label = html! {
        b { (message.label.number) } " " (visible(&message.label.kind))
        @if !message.label.reason.is_empty() { span.reason { " " (cut(&message.label.reason, 60)) } }
        @if message.label.resent { span.again { " resent" } }
        @if !fate.is_empty() { span.fate { " " (fate.join(", ")) } }
    };
    if message.to() == Some(message.from()) {
        return html! { span.dot style=(format!("left:{from}%")) {} (said(message.from(), columns, &label)) };
    }
    let (end, head) = if message.is_lost() && message.to().is_some() {
        (from + (to - from) * 0.75, "url(#cross)")
    } else if message.is_lost() {
        (to, "url(#cross)")
    } else {
        (to, "url(#head)")
    };
    let middle = (from + to) / 2.0;
    let most = 2.0 * middle.min(100.0 - middle);
    // An arrow that is overtaken ends on its way; a row below says when it arrives.
    let end = if message.overtaken.is_some() && !message.is_lost() { middle } else { end };
    let class = if message.overtaken.is_some() { "late" } else { "" };
    let percent = |place: f64| format!("{place:.3}%");
    html! {
        svg aria-hidden="true" class=(class) { line x1=(percent(from)) x2=(percent(end)) y1="30" y2="30" marker-end=[(message.overtaken.is_none() || message.is_lost()).then_some(head)] {} }
        span.label style=(format!("left:{middle:.3}%;max-width:{most:.3}%")) { (label) }
    }
}

/// The last half of an arrow that arrives by itself.
fn half(arrival: Arrival, columns: usize) -> Markup {
    let (from, to) = (at(arrival.from, columns), at(arrival.node, columns));
    let middle = (from + to) / 2.0;
    html! {
        svg.late aria-hidden="true" { line x1=(format!("{middle:.3}%")) x2=(format!("{to:.3}%")) y1="30" y2="30" marker-end="url(#head)" {} }
    }
}

/// Words beside a lifeline, on the side where there is room.
fn said(node: usize, columns: usize, words: &Markup) -> Markup {
    let at = at(node, columns);
    let style = if at > 50.0 {
        format!("right:{:.3}%;max-width:{at:.3}%", 100.0 - at)
    } else {
        format!("left:{at:.3}%;max-width:{:.3}%", 100.0 - at)
    };
    let class = if at > 50.0 { "said leftward" } else { "said" };
    html! { span class=(class) style=(style) { bdi { (words) } } }
}

/// Filters and steps, which need the script.
fn tools(picture: &Picture<'_>) -> Markup {
    let mut methods: Vec<&str> =
        picture.messages().map(|(_, _, message)| message.method()).filter(|method| !method.is_empty()).collect();
    methods.sort_unstable();
    methods.dedup();
    let choice = |name: &str, every: &str, choices: Vec<(String, String)>| {
        html! {
            label { span { (name) }
                select data-by=(name.to_ascii_lowercase()) {
                    option value="" { (every) }
                    @for (value, words) in choices.iter().take(CHOICES) { option value=(value) { (words) } }
                }
            }
        }
    };
    let numbered = |texts: &[&str], most| {
        texts.iter().enumerate().map(|(number, text)| (number.to_string(), cut(text, most))).collect()
    };
    html! {
        form.tools #tools hidden {
            (choice("Call", "all calls", numbered(&picture.calls, 40)))
            (choice("Node", "all nodes", numbered(&picture.names, NAME)))
            (choice("Method", "all methods", methods.iter().map(|method| (visible(method), cut(method, 24))).collect()))
            div.steps {
                button type="button" #back title="Key: k" { "Back" }
                button type="button" #step title="Key: j" { "Step" }
                output #count aria-live="polite" {}
            }
            p.soft.keys { kbd { "j" } " " kbd { "k" } " step, " kbd { "Enter" } " opens, " kbd { "b" } " what broke, " kbd { "Esc" } " closes all" }
        }
    }
}
