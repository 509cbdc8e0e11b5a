//! A run as a page that explains itself: one file that loads nothing.
//!
//! All of the page reads without its script, which adds stepping, filters and keys. Every text of a message, a node or a note is put in by maud, which
//! escapes what HTML would read.

mod explain;
mod ladder;
mod lanes;
mod message;
mod source;
#[cfg(test)]
mod tests;

pub use explain::{EXPLAINED, explain};
pub(super) use source::sources;

use std::fmt;

use maud::{DOCTYPE, Markup, PreEscaped, html};

use super::Figures;
use super::picture::{NAME, Picture, cut, visible};
use crate::check::standard;
use crate::run::{PANIC, Verdict};
use crate::trace::Trace;

/// So many rows are open at first, those around the failure; the others are a click away.
pub const OPEN_ROWS: usize = 300;
/// So many rows are on a page at most, those around the failure; the page says how many are not.
pub const PAGE_ROWS: usize = 30_000;

/// A trace and what is known of it; printed, it is a page.
#[derive(Clone, Debug)]
pub struct Page<'a> {
    /// Says what happened.
    pub trace: &'a Trace,
    /// How much of it there was.
    pub figures: Figures,
    /// Says what the checks say of it; `None` of a capture.
    pub verdict: Option<&'a Verdict>,
    /// The command that repeats it.
    pub replay: Option<String>,
}

impl fmt::Display for Page<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let picture = Picture::of(self.trace, self.verdict.into_iter().flat_map(Verdict::breaches));
        let title = self.title(&picture);
        let body = html! {
            header { (self.head(&title)) }
            main {
                (ladder::ladder(&picture))
                (lanes::lanes(&picture))
                (footer(&picture))
            }
        };
        f.write_str(&document(&title, &body).into_string())
    }
}

impl Page<'_> {
    /// Says what broke, or what is seen, in a sentence.
    fn title(&self, picture: &Picture<'_>) -> String {
        if let Some(breach) = self.verdict.and_then(|verdict| verdict.breaches().next()) {
            return cut(&capital(&breach.what), 300);
        }
        if self.verdict.is_some() {
            return "All checks hold".to_owned();
        }
        match picture.names.as_slice() {
            [] => "Nothing was sent".to_owned(),
            [one] => format!("{} of {}", messages(self.figures.messages), cut(one, NAME)),
            [one, other] => {
                format!("{} between {} and {}", messages(self.figures.messages), cut(one, NAME), cut(other, NAME))
            }
            many => format!("{} between {} nodes", messages(self.figures.messages), many.len()),
        }
    }

    fn head(&self, title: &str) -> Markup {
        let breaches = || self.verdict.into_iter().flat_map(Verdict::breaches);
        let checks = standard();
        let source = |check: &str| checks.iter().find(|known| known.name() == check).map_or("", |known| known.source());
        html! {
            p.kicker { @if self.verdict.is_some() { "sansip-sim · a simulated run" } @else { "sansip-sim · what was captured" } }
            h1 { (title) }
            @if let Some(first) = breaches().next() {
                p.source {
                    @if first.check == PANIC { "A node panicked at " (first.time) " s." }
                    @else { "The check " strong { (first.check) } " is broken at " (first.time) " s: " (sources(source(first.check))) "." }
                    " " a href="#broken" { "See it in the ladder" }
                }
            }
            @if breaches().count() > 1 {
                details.others {
                    summary { (breaches().count() - 1) " more" }
                    ul { @for breach in breaches().skip(1).take(200) {
                        li { (visible(&breach.what)) " " span.soft { (breach.check) ", " (breach.time) " s, " (sources(source(breach.check))) } }
                    } }
                }
            }
            @if let Some(line) = &self.replay {
                div.replay {
                    code #replay { (visible(line)) }
                    button #copy type="button" hidden { "Copy" }
                }
            }
            p.soft { (self.figures) }
        }
    }
}

fn messages(number: usize) -> String {
    if number == 1 { "1 message".to_owned() } else { format!("{number} messages") }
}

fn capital(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

fn footer(picture: &Picture<'_>) -> Markup {
    let long: Vec<&&str> = picture.names.iter().filter(|name| name.chars().count() > NAME).collect();
    html! {
        footer {
            @if !long.is_empty() { p.soft { "Names longer than " (NAME) " characters are cut; a pointer that rests on one shows more of it." } }
            p.soft { "Control characters stand as their pictures, as in ␀; octets that are no UTF-8, and characters that turn the direction of writing, as \u{fffd}." }
        }
    }
}

/// A page with that title, which loads nothing.
pub(in crate::render) fn document(title: &str, body: &Markup) -> Markup {
    const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; base-uri 'none'; form-action 'none'";
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta http-equiv="Content-Security-Policy" content=(POLICY);
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                meta name="referrer" content="no-referrer";
                title { (title) }
                style { (PreEscaped(include_str!("page.css"))) }
            }
            body {
                (body)
                script { (PreEscaped(include_str!("page.js"))) }
            }
        }
    }
}
