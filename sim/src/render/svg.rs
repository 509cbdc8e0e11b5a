//! A run as one picture that loads nothing.

use maud::{Markup, PreEscaped, html};

use super::picture::{Arrival, Message, NAME, Picture, Shown, cut, width};

/// So many rows are drawn at most, those around the failure.
pub const SVG_ROWS: usize = 1_000;

/// Where the first lifeline stands.
const LEFT: usize = 150;
/// From one lifeline to the next.
const COLUMN: usize = 236;
/// From one row to the next.
const ROW: usize = 30;
/// Where the first row stands.
const TOP: usize = 72;
/// The width of a letter.
const LETTER: usize = 7;

/// Colours that differ from what is behind them by 4.5 to 1 (WCAG 2.2 §1.4.3), in the light and in the dark.
const STYLE: &str = "\
svg{--ink:#1b1d21;--soft:#5a616b;--line:#c5cad2;--paper:#fff;--accent:#b3261e;background:var(--paper);font:13px system-ui,sans-serif}\
@media(prefers-color-scheme:dark){svg{--ink:#e7e9ec;--soft:#a0a7b1;--line:#434a54;--paper:#14161a;--accent:#ff8a7a}}\
text{fill:var(--ink);paint-order:stroke;stroke:var(--paper);stroke-width:4px;stroke-linejoin:round}\
.time,.note{fill:var(--soft)}.time{font-variant-numeric:tabular-nums;text-anchor:end}.name{font-weight:600}.name,.label{text-anchor:middle}\
.life{stroke:var(--line)}.arrow{stroke:var(--ink);stroke-width:1.25;fill:none}.head{fill:var(--ink)}\
.copy{stroke-dasharray:5 4}.wrong{stroke:var(--accent)}.wrong-head{stroke:var(--accent);stroke-width:1.75;fill:none}.fault{fill:var(--accent)}\
.dot{fill:var(--soft)}.paper{fill:var(--paper)}";

/// Draws a picture as SVG: a lifeline for each node, time running down, an arrow for each message. An arrow that ends in a cross was lost; a dashed one is
/// a copy; one that runs down was overtaken.
pub fn svg(picture: &Picture<'_>, title: &str) -> String {
    let window = picture.window(SVG_ROWS);
    let columns = picture.names.len().max(1);
    let wide = LEFT + (columns - 1) * COLUMN + LEFT - 40;
    // Each row stands at its place, and below it what it says in more lines than one.
    let mut places = Vec::with_capacity(window.len());
    let mut next = TOP + if window.start > 0 { ROW } else { 0 };
    for row in &picture.rows[window.clone()] {
        places.push(next);
        next += match &row.shown {
            Shown::Breach(breach) => 14 + 18 * wrapped(&broken(breach), wide).len(),
            _ => ROW,
        };
    }
    let (after, tall) = (picture.rows.len() - window.end, next + ROW);
    let place = |row: usize| row.checked_sub(window.start).and_then(|row| places.get(row)).copied();
    let markup = html! {
        svg xmlns="http://www.w3.org/2000/svg" width=(wide) height=(tall) viewBox=(format!("0 0 {wide} {tall}")) role="img" {
            title { (cut(title, 300)) }
            style { (PreEscaped(STYLE)) }
            defs {
                marker id="head" viewBox="0 0 10 10" refX="9" refY="5" markerWidth="8" markerHeight="8" orient="auto" {
                    path class="head" d="M0 1L10 5L0 9z" {}
                }
                marker id="cross" viewBox="0 0 10 10" refX="5" refY="5" markerWidth="10" markerHeight="10" orient="auto" {
                    path class="wrong-head" d="M1 1L9 9M9 1L1 9" {}
                }
            }
            rect class="paper" width="100%" height="100%" {}
            @for (node, name) in picture.names.iter().enumerate() {
                line class="life" x1=(x(node)) x2=(x(node)) y1="44" y2=(tall - 14) {}
                text class="name" x=(x(node)) y="32" direction="ltr" { (cut(name, NAME)) }
            }
            @if picture.rows.is_empty() { text class="note" x="20" y=(TOP) { "Nothing was sent." } }
            @if window.start > 0 { text class="note" x="20" y=(TOP) { (window.start) " rows before these are left out." } }
            @for (row, y) in picture.rows[window.clone()].iter().zip(&places) {
                @let time = html! { text class="time" x="66" y=(y + 4) { (row.time) } };
                @match &row.shown {
                    Shown::Message(message) => { (time) (arrow(picture, message, *y, &place)) }
                    Shown::Arrival(arrival) => { (time) (arrival_mark(picture, *arrival, *y)) }
                    Shown::Note { node, note } => { (time) (note_mark(picture, *node, &note.to_string(), *y)) }
                    Shown::Breach(breach) => @for (number, line) in wrapped(&broken(breach), wide).iter().enumerate() {
                        text class="fault" x="20" y=(y + 4 + 18 * number) { (line) }
                    },
                }
            }
            @if after > 0 { text class="note" x="20" y=(next) { (after) " rows after these are left out." } }
        }
    };
    markup.into_string() + "\n"
}

const fn x(node: usize) -> usize {
    LEFT + node * COLUMN
}

fn broken(breach: &crate::check::Breach) -> String {
    format!("{} rule broken, {}: {}", breach.time, breach.check, breach.what)
}

/// The lines of a text that is as wide as the picture.
fn wrapped(text: &str, wide: usize) -> Vec<String> {
    let room = (wide - 40) / LETTER;
    let mut lines = vec![String::new()];
    for word in cut(text, 600).split(' ') {
        let line = lines.last().map_or(0, |line| width(line));
        if line > 0 && line + 1 + width(word) > room {
            lines.push(String::new());
        }
        if let Some(line) = lines.last_mut() {
            if !line.is_empty() {
                line.push(' ');
            }
            line.push_str(&cut(word, room));
        }
    }
    lines
}

fn arrow(picture: &Picture<'_>, message: &Message<'_>, y: usize, place: &dyn Fn(usize) -> Option<usize>) -> Markup {
    let from = x(message.from());
    let to = match message.to() {
        Some(to) => x(to),
        // Nobody is there: a short arrow to the side where there is room.
        None if message.from() + 1 == picture.names.len() && picture.names.len() > 1 => from - COLUMN,
        None => from + COLUMN,
    };
    let (fate, is_lost) = (message.fate().join(", "), message.is_lost());
    let label = label(message, &fate, from.abs_diff(to).max(COLUMN));
    let class = match (is_lost, message.label.resent) {
        (true, _) => "arrow wrong",
        (false, true) => "arrow copy",
        (false, false) => "arrow",
    };
    let text_class = if fate.is_empty() { "label" } else { "label fault" };
    if from == to {
        return html! {
            path class=(class) d=(format!("M{from} {}h22v10h-20", y - 5)) marker-end="url(#head)" {}
            text class=(if fate.is_empty() { "note" } else { "fault" }) x=(from + 30) y=(y + 4) { (label) }
        };
    }
    let down = message.overtaken.and_then(place).unwrap_or(y);
    let (end, down) = if is_lost { (from + 3 * to / 4 - 3 * from / 4, y) } else { (to, down) };
    let end = if is_lost && to < from { from - 3 * (from - to) / 4 } else { end };
    html! {
        line class=(class) x1=(from) y1=(y + 2) x2=(end) y2=(down + 2) marker-end=(if is_lost { "url(#cross)" } else { "url(#head)" }) {}
        text class=(text_class) x=((from + to) / 2) y=(y - 4) { (label) }
    }
}

/// Says what stands above an arrow that is so wide.
fn label(message: &Message<'_>, fate: &str, wide: usize) -> String {
    let room = (wide - 16) / LETTER;
    let fate = if fate.is_empty() { String::new() } else { format!(", {fate}") };
    let full = format!("{}{fate}", message.label);
    if width(&full) <= room { cut(&full, room) } else { cut(&format!("{}{fate}", message.label.short()), room) }
}

fn arrival_mark(picture: &Picture<'_>, arrival: Arrival, y: usize) -> Markup {
    let Some(message) = picture.message(arrival.of) else { return html! {} };
    let again = if arrival.is_again { " once more" } else { "" };
    let words = format!("{} arrives{again}", message.label.number);
    let (from, to) = (x(arrival.from), x(arrival.node));
    let is_rightward = from < to;
    // Half of the way is enough to see where it comes from.
    let start = if is_rightward { to - COLUMN / 2 } else { to + COLUMN / 2 };
    // Above its own arrow, or below the end of one that runs down.
    let (class, y_of_words) = if arrival.is_again { ("note", y - 4) } else { ("note", y + 13) };
    let (at, anchor) = if is_rightward { (to - 8, "end") } else { (to + 8, "start") };
    html! {
        @if arrival.is_again { line class="arrow copy" x1=(start) y1=(y + 2) x2=(to) y2=(y + 2) marker-end="url(#head)" {} }
        text class=(class) x=(at) y=(y_of_words) text-anchor=(anchor) { (words) }
    }
}

fn note_mark(picture: &Picture<'_>, node: usize, words: &str, y: usize) -> Markup {
    let is_last = node + 1 == picture.names.len() && picture.names.len() > 1;
    let words = cut(words, (COLUMN + LEFT) / LETTER - 4);
    html! {
        circle class="dot" cx=(x(node)) cy=(y) r="3.5" {}
        @if is_last { text class="note" x=(x(node) - 10) y=(y + 4) text-anchor="end" { (words) } }
        @else { text class="note" x=(x(node) + 10) y=(y + 4) { (words) } }
    }
}
