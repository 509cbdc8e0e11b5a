//! A run as a sequence diagram of Mermaid.

use std::fmt::Write as _;

use super::picture::{Arrival, Message, NAME, Picture, Shown, cut};

/// So many rows are drawn at most, those around the failure: Mermaid reads no more than 50,000 characters (`maxTextSize`).
pub const MERMAID_ROWS: usize = 400;
/// The most characters of a text beside an arrow, so that all rows have room.
const TEXT: usize = 60;

/// Draws a picture as Mermaid's `sequenceDiagram`: a participant for each node, an arrow for each message, a note for what a node says. An arrow that
/// ends in a cross was lost.
pub fn mermaid(picture: &Picture<'_>) -> String {
    let mut out = String::from("sequenceDiagram\n");
    for (place, name) in picture.names.iter().enumerate() {
        let _ = writeln!(out, "    participant n{place} as {}", text(&cut(name, NAME)));
    }
    if picture.names.is_empty() {
        // A diagram without participants is none.
        out.push_str("    participant n0 as nobody\n");
    }
    let window = picture.window(MERMAID_ROWS);
    let last = picture.names.len().saturating_sub(1);
    let over = if last == 0 { "n0".to_owned() } else { format!("n0,n{last}") };
    let left_out = |number: usize, side: &str, out: &mut String| {
        if number > 0 {
            let _ = writeln!(out, "    Note over {over}: {number} rows {side} are left out");
        }
    };
    left_out(window.start, "before", &mut out);
    for row in &picture.rows[window.clone()] {
        let time = row.time;
        match &row.shown {
            Shown::Message(message) => arrow(&time.to_string(), message, &mut out),
            Shown::Arrival(Arrival { of, from, node, is_again }) => {
                let Some(message) = picture.message(*of) else { continue };
                let again = if *is_again { " once more" } else { "" };
                let label = text(&format!("{time} {} arrives{again}", message.label.number));
                let _ = writeln!(out, "    n{from}-->>n{node}: {label}");
            }
            Shown::Note { node, note } => {
                let _ = writeln!(out, "    Note over n{node}: {time} {}", text(&cut(&note.to_string(), TEXT)));
            }
            Shown::Breach(breach) => {
                let words = text(&cut(&breach.what, 2 * TEXT));
                let _ =
                    writeln!(out, "    Note over n{}: {time} rule broken, {}: {words}", breach.node.0, breach.check);
            }
        }
    }
    left_out(picture.rows.len() - window.end, "after", &mut out);
    out
}

fn arrow(time: &str, message: &Message<'_>, out: &mut String) {
    let fate = message.fate().join(", ");
    let fate = if fate.is_empty() { fate } else { format!(" ({fate})") };
    let label = text(&cut(&format!("{time} {}{fate}", message.label), TEXT));
    let from = message.from();
    let Some(to) = message.to() else {
        let _ = writeln!(out, "    Note right of n{from}: {label}");
        return;
    };
    let line = match (message.is_lost(), message.overtaken.is_some()) {
        (true, _) => "-x",
        (false, true) => "-)",
        (false, false) => "->>",
    };
    let _ = writeln!(out, "    n{from}{line}n{to}: {label}");
}

/// A text in which nothing is Mermaid's or HTML's: signs that are stand as their codes.
fn text(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            'a'..='z' | 'A'..='Z' | '0'..='9' | ' ' | '.' | ',' | ':' | '(' | ')' | '@' | '/' | '+' | '…' => {
                out.push(c)
            }
            c if !c.is_ascii() => out.push(c),
            c => {
                let _ = write!(out, "#{};", u32::from(c));
            }
        }
    }
    // A participant without a name is none.
    if out.trim().is_empty() { "nameless".to_owned() } else { out }
}
