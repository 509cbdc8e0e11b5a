//! A run as a ladder of text, as RFC 3665 draws call flows.

use std::fmt::Write as _;

use sansip::Instant;

use super::Label;
use super::picture::{Picture, Shown};
use crate::trace::{Note, Stopped, Trace, Transmission};

/// Where the first node's line stands.
const FIRST: usize = 10;
/// From one node's line to the next.
const SPACING: usize = 28;

/// Draws a trace: a column for every node, time running down, an arrow for everything sent, a line for every note.
///
/// An arrow stands at the time of sending. One that ends in `x` was lost; what was done to it stands at the right, as a plan
/// would say it.
pub fn ladder(trace: &Trace) -> String {
    let picture = Picture::of(trace, []);
    let columns = picture.names.len();
    let mut out = String::new();
    let mut names = Row::blank(columns);
    for (node, name) in picture.names.iter().enumerate() {
        names.write((position(node) + 1).saturating_sub(name.len().div_ceil(2)), name);
    }
    names.end(&mut out);
    for seen in &picture.rows {
        let mut row = Row::lines(columns);
        match &seen.shown {
            Shown::Message(message) => {
                row.time(seen.time);
                row.arrow(message.sent, &message.label, columns);
            }
            Shown::Note { node, note } => {
                row.time(seen.time);
                row.note(position(*node), note);
            }
            // An arrow stands at the time of sending alone.
            Shown::Arrival(_) | Shown::Breach(_) => continue,
        }
        row.end(&mut out);
    }
    out
}

const fn position(column: usize) -> usize {
    FIRST + column * SPACING
}

/// The label, without the reason phrase if that is too long for `room` characters.
fn text(label: &Label, room: usize) -> String {
    let full = label.to_string();
    if full.chars().count() <= room { full } else { label.short() }
}

/// A line of the ladder: single-width characters, written over one another.
struct Row(Vec<char>);

impl Row {
    fn blank(columns: usize) -> Self {
        Self(vec![' '; position(columns.saturating_sub(1)) + 1])
    }

    fn lines(columns: usize) -> Self {
        let mut row = Self::blank(columns);
        for column in 0..columns {
            row.0[position(column)] = '|';
        }
        row
    }

    fn write(&mut self, at: usize, text: &str) {
        for (offset, c) in text.chars().enumerate() {
            if self.0.len() <= at + offset {
                self.0.resize(at + offset + 1, ' ');
            }
            self.0[at + offset] = c;
        }
    }

    fn time(&mut self, time: Instant) {
        let time = time.to_string();
        self.write((FIRST - 2).saturating_sub(time.len()), &time);
    }

    fn note(&mut self, at: usize, note: &Note) {
        self.write(at, &format!("* {note} "));
    }

    /// A message on its way; `@` begins one of a node to itself.
    fn arrow(&mut self, sent: &Transmission, label: &Label, columns: usize) {
        let from = position(sent.from.0);
        let to = match sent.to {
            Some(to) => position(to.0),
            // Nobody is there: a short arrow to the side where there is room.
            None if sent.from.0 + 1 == columns && columns > 1 => from - SPACING,
            None => from + SPACING,
        };
        if from == to {
            self.write(from, &format!("@ {} ", text(label, SPACING - 4)));
            return self.remark(sent, columns);
        }
        let lost = sent.is_lost();
        let rightward = from < to;
        // A lost one ends a little before its goal.
        let short = if lost { 3 } else { 0 };
        let (left, right) = if rightward { (from + 1, to - short) } else { (to + 1 + short, from) };
        for place in left..right {
            self.write(place, "-");
        }
        let head = match (lost, rightward) {
            (true, _) => "x",
            (false, true) => ">",
            (false, false) => "<",
        };
        self.write(if rightward { right - 1 } else { left }, head);
        if lost {
            self.write(if rightward { right } else { left - short }, &" ".repeat(short));
        }
        let text = text(label, right - left - 5);
        // After three dashes, or fewer if the text needs their room.
        let shaft = if rightward { 4 } else { 3 };
        let start = (left + 3).min(right - shaft - text.chars().count());
        self.write(start, &format!(" {text} "));
        self.remark(sent, columns);
    }

    /// At the right, what happened to the datagram.
    fn remark(&mut self, sent: &Transmission, columns: usize) {
        let at = position(columns.saturating_sub(1)) + 3;
        match sent.stopped {
            Some(Stopped::Nobody) => return self.write(at, &format!("nobody at {}", sent.destination)),
            Some(stopped @ (Stopped::Nat | Stopped::Closed)) => return self.write(at, &stopped.to_string()),
            Some(stopped) => return self.write(at, &format!("#{} {stopped}", sent.ordinal)),
            None => {}
        }
        let faults: Vec<_> = sent.fate.faults().collect();
        if !faults.is_empty() {
            self.write(at, &format!("#{}:{}", sent.ordinal, faults.join(" ")));
        }
    }

    fn end(self, out: &mut String) {
        let line: String = self.0.into_iter().collect();
        let _ = writeln!(out, "{}", line.trim_end());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fault::{Effect, Fate};
    use sansip::Duration;

    fn row(from: usize, to: Option<usize>, fate: Fate) -> String {
        let mut row = Row::lines(3);
        let label =
            Label { number: "F6".into(), kind: "180".into(), reason: "Ringing".into(), resent: fate == Fate::Lost };
        let address = "192.0.2.9:5060".parse().unwrap();
        let sent = Transmission {
            from: crate::trace::NodeId(from),
            to: to.map(crate::trace::NodeId),
            source: address,
            destination: address,
            ordinal: 4,
            fate,
            stopped: to.is_none().then_some(Stopped::Nobody),
            stream: None,
            changed: None,
            bytes: b"".as_slice().into(),
        };
        row.arrow(&sent, &label, 3);
        let mut out = String::new();
        row.end(&mut out);
        out.trim().to_owned()
    }

    #[test]
    fn arrows_go_both_ways_across_columns_and_end_in_x_when_lost() {
        let late = Fate::late(Duration::from_millis(700)).with(Effect::Again(Duration::from_millis(20))).unwrap();
        let drawn = [
            row(0, Some(1), Fate::FINE),
            row(1, Some(0), Fate::FINE),
            row(0, Some(2), late),
            row(2, Some(0), Fate::FINE),
            row(0, Some(1), Fate::Lost),
            row(2, Some(1), Fate::Lost),
            row(2, Some(0), Fate::Lost),
            row(0, None, Fate::Lost),
            row(2, None, Fate::Lost),
            row(1, Some(1), Fate::FINE),
        ];
        let expected = [
            "|--- F6 180 Ringing ------->|                           |",
            "|<-- F6 180 Ringing --------|                           |",
            "|--- F6 180 Ringing ----------------------------------->|  #4:+700ms dup(+20ms)",
            "|<-- F6 180 Ringing ------------------------------------|",
            "|--- F6 180 (resent) ---x   |                           |  #4:drop",
            "|                           |   x-- F6 180 (resent) ----|  #4:drop",
            "|   x-- F6 180 Ringing (resent) ------------------------|  #4:drop",
            "|--- F6 180 (resent) ---x   |                           |  nobody at 192.0.2.9:5060",
            "|                           |   x-- F6 180 (resent) ----|  nobody at 192.0.2.9:5060",
            "|                           @ F6 180 Ringing            |",
        ];
        assert_eq!(drawn, expected, "\n{}\n", drawn.join("\n"));
    }
}
