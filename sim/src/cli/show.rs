//! `show`: the calls of a capture or a trace, made visible as those that are simulated.

use std::collections::BTreeSet;
use std::io;

use sansip::{Duration, Instant};

use super::captured::Summary;
use super::line::Show;
use super::print::{Format, Printed, Printing};
use super::{Out, Stop};
use crate::capture::{Call, Message, Remark, Said, trace};
use crate::packet::{Packet, uri_of};

/// There was no call to show.
const NOTHING: u8 = 4;
/// A file could not be read, or not to its end.
const TROUBLE: u8 = 2;

/// Lists the calls, or prints those that are chosen.
pub(super) fn run(asked: &Show, out: &mut Out<'_>) -> Result<u8, Stop> {
    let chooses = asked.call.is_some() || asked.from.is_some() || asked.to.is_some();
    let is_drawn = chooses || asked.output.is_some();
    let format = asked.format.or(is_drawn.then_some(Format::Ladder));
    let (mut number, mut chosen, mut call_ids, mut octets) = (0_u64, Vec::new(), BTreeSet::new(), 0);
    let most = asked.captured.limits().octets;
    let mut is_too_much = false;
    let summary = asked.captured.read(out, &mut |out, call, so_far| {
        if !asked.chooses(&call) {
            return Ok(());
        }
        number += 1;
        if format.is_none() {
            return list(number, &call, so_far.zero, out);
        }
        octets += call.messages.iter().map(|message| message.bytes.len()).sum::<usize>();
        is_too_much |= octets > most;
        if !is_too_much {
            call_ids.insert(call.call_id);
            chosen.extend(call.messages);
        }
        Ok(())
    })?;
    if is_too_much {
        writeln!(out.stderr, "sansip-sim: there is more than can be printed at once; --call, --from and --to choose")?;
    }
    match format {
        None => summary.lines().iter().try_for_each(|line| writeln!(out.stdout, "{line}"))?,
        Some(format) => {
            chosen.sort_by_key(|message: &Message| (message.time, message.place));
            let zero = summary.zero;
            let remarks = asked.remarks(&summary, &call_ids, chooses);
            let (trace, _) = trace(&chosen, &remarks, &asked.captured.names, zero);
            let end = trace.entries().last().map_or(Instant::ZERO, |entry| entry.time);
            let printed = Printed {
                trace: &trace,
                end,
                zero: Duration::from_nanos(zero),
                verdict: None,
                replay: None,
                case: None,
            };
            Printing { format, output: asked.output.clone() }.print(&printed, out)?;
            summary.lines().iter().try_for_each(|line| writeln!(out.stderr, "{line}"))?;
        }
    }
    out.stdout.flush()?;
    Ok(status(number, &summary))
}

fn status(number: u64, summary: &Summary) -> u8 {
    match number {
        _ if summary.has_trouble => TROUBLE,
        0 => NOTHING,
        _ => 0,
    }
}

/// A line about a call: when, what, how it ended, who, how much.
fn list(number: u64, call: &Call, zero: u64, out: &mut Out<'_>) -> io::Result<()> {
    let Some((first, packet)) = call.first() else { return Ok(()) };
    let begins = Instant::from_nanos(first.time.saturating_sub(zero));
    let answers = call.messages.iter().filter_map(|message| Packet::read(&message.bytes)?.status());
    let answer = answers.filter(|status| *status >= 200).find(|status| !matches!(status, 401 | 407));
    let answer = answer.map_or_else(|| "no answer".to_owned(), |status| status.to_string());
    let took = call.messages.last().map_or(0, |last| last.time.saturating_sub(first.time));
    let took = Instant::from_nanos(took);
    let (from, to, messages) = (printable(uri_of(packet.from)), printable(uri_of(packet.to)), call.messages.len());
    let (method, call_id) = (printable(packet.method), printable(&call.call_id));
    writeln!(
        out.stdout,
        "{number} {begins} {method} {answer} {from} > {to}, {messages} messages in {took} s, Call-ID {call_id}"
    )
}

/// Text of strangers, which may hold what moves a terminal's cursor.
pub(super) fn printable(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { '.' } else { c }).collect()
}

impl Show {
    /// What traces say besides messages: of the calls that are chosen, and of none; or all of it, if no call is chosen.
    fn remarks(&self, summary: &Summary, call_ids: &BTreeSet<String>, chooses: bool) -> Vec<Remark> {
        let is_wanted = |remark: &&Remark| match remark.call_id() {
            Some(call_id) => call_ids.contains(call_id),
            None => !chooses || matches!(remark.said, Said::Note(_)),
        };
        summary.remarks.iter().filter(is_wanted).cloned().collect()
    }

    fn chooses(&self, call: &Call) -> bool {
        let Some((_, packet)) = call.first() else { return false };
        let fits = |wanted: &Option<String>, text: &str| wanted.as_ref().is_none_or(|wanted| text.contains(&**wanted));
        self.call.as_ref().is_none_or(|wanted| *wanted == call.call_id)
            && fits(&self.from, packet.from)
            && fits(&self.to, packet.to)
    }
}
