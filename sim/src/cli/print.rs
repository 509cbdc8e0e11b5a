//! How `call` and `show` print a trace, and where.

use std::io;
use std::path::PathBuf;
use std::str::FromStr;

use clap::Args;
use clap::builder::{OsStringValueParser, TypedValueParser};
use sansip::{Duration, Instant};

use super::line::{output_file, value};
use super::{Out, Stop};
use crate::capture::capture;
use crate::render::picture::Picture;
use crate::render::{Figures, Page, events, ladder, mermaid, messages, svg};
use crate::run::{Case, Verdict};
use crate::shrink::write_whole;
use crate::trace::Trace;

/// A form that a trace is printed in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Format {
    Ladder,
    Messages,
    Json,
    Pcap,
    Mermaid,
    Svg,
    Html,
}

impl FromStr for Format {
    type Err = &'static str;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        match name {
            "ladder" => Ok(Self::Ladder),
            "messages" => Ok(Self::Messages),
            "json" => Ok(Self::Json),
            "pcap" => Ok(Self::Pcap),
            "mermaid" => Ok(Self::Mermaid),
            "svg" => Ok(Self::Svg),
            "html" => Ok(Self::Html),
            _ => Err("a format is ladder, messages, json, pcap, mermaid, svg or html"),
        }
    }
}

/// The form of what is printed, and where it goes.
#[derive(Debug, Args)]
pub(super) struct Printing {
    /// ladder (the default), messages (in full), json (one event a line), pcap (pcapng, for Wireshark), mermaid, svg or html (a page that explains the
    /// run and loads nothing)
    #[arg(long, default_value = "ladder", hide_default_value = true, value_parser = value::<Format>)]
    pub(super) format: Format,
    /// Write to FILE, and not to standard output
    #[arg(short, long, value_name = "FILE", value_parser = OsStringValueParser::new().try_map(output_file))]
    pub(super) output: Option<PathBuf>,
}

/// A trace with all that is known of it.
pub(super) struct Printed<'a> {
    pub(super) trace: &'a Trace,
    /// When it was over.
    pub(super) end: Instant,
    /// From which time its times count, since 1970.
    pub(super) zero: Duration,
    /// What the checks say; nothing of a capture.
    pub(super) verdict: Option<&'a Verdict>,
    /// What repeats the faults that were met, if there were any.
    pub(super) replay: Option<&'a Case>,
    /// What was run.
    pub(super) case: Option<&'a Case>,
}

impl Printing {
    /// Whether what is printed has what stands in the nodes.
    pub(super) const fn has_states(&self) -> bool {
        matches!(self.format, Format::Json | Format::Html)
    }

    /// Prints a trace. A file is written beside its place and moved there when it is whole.
    pub(super) fn print(&self, printed: &Printed<'_>, out: &mut Out<'_>) -> Result<(), Stop> {
        let Some(path) = &self.output else {
            printed.write(self.format, &mut *out.stdout)?;
            return Ok(out.stdout.flush()?);
        };
        let mut content = Vec::new();
        printed.write(self.format, &mut content)?;
        write_whole(path, content).map_err(|error| Stop::Usage(format!("--output `{}`: {error}", path.display())))
    }
}

impl Printed<'_> {
    fn write(&self, format: Format, out: &mut (impl io::Write + ?Sized)) -> io::Result<()> {
        let Self { trace, end, verdict, replay, .. } = *self;
        let figures = Figures::of(trace, end);
        let breaches = || verdict.into_iter().flat_map(Verdict::breaches);
        match format {
            Format::Json => {
                let mut events = events(trace, &figures, verdict, replay).into_iter();
                return events.try_for_each(|event| writeln!(out, "{event}"));
            }
            Format::Pcap => return capture(trace, self.zero, out),
            Format::Mermaid => return out.write_all(mermaid(&Picture::of(trace, breaches())).as_bytes()),
            Format::Svg => {
                let title = self.case.map_or_else(|| figures.to_string(), ToString::to_string);
                return out.write_all(svg(&Picture::of(trace, breaches()), &title).as_bytes());
            }
            Format::Html => {
                let page = Page { trace, figures, verdict, replay: replay.or(self.case).map(ToString::to_string) };
                return out.write_all(page.to_string().as_bytes());
            }
            Format::Ladder => out.write_all(ladder(trace).as_bytes())?,
            Format::Messages => out.write_all(messages(trace).as_bytes())?,
        }
        // Of a capture the figures are said by itself, and nothing else is known.
        let Some(verdict) = verdict else { return Ok(()) };
        writeln!(out, "\n{figures}")?;
        for breach in verdict.breaches() {
            writeln!(out, "rule broken: {breach}")?;
        }
        match replay {
            Some(replay) => writeln!(out, "replay: {replay}"),
            None => Ok(()),
        }
    }
}
