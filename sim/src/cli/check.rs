//! `check`: the calls of a capture or a trace, judged.

use std::collections::BTreeMap;
use std::io;

use serde_json::json;

use super::line::Check;
use super::show::printable;
use super::{Out, Stop};
use crate::capture::{Finding, judge, unreadable};
use crate::check::Evidence;

/// A message breaks a rule.
const SEEN: u8 = 1;
/// A file could not be read, or not to its end.
const TROUBLE: u8 = 2;
/// Something is missing at a node that the capture was made at.
const MISSING: u8 = 3;
/// There was no call.
const NOTHING: u8 = 4;

/// Findings so far.
#[derive(Default)]
struct Found {
    calls: u64,
    seen: u64,
    missing: u64,
    remarks: u64,
    /// Counts, by check, what was not seen where nobody can tell whether it was there.
    elsewhere: BTreeMap<&'static str, u64>,
}

/// Judges each call, and prints what was found.
pub(super) fn run(asked: &Check, out: &mut Out<'_>) -> Result<u8, Stop> {
    let mut found = Found::default();
    let names = &asked.captured.names;
    let summary = asked.captured.read(out, &mut |out, call, so_far| {
        found.calls += 1;
        for finding in judge(&call.messages, names, so_far.zero, so_far.end) {
            let is_hidden = finding.addresses.iter().any(|ip| so_far.unseen.covers(*ip));
            found.tell(asked, &finding, is_hidden, out)?;
        }
        Ok(())
    })?;
    for finding in summary.calls.unreadable.iter().filter_map(|it| unreadable(it, names, summary.zero)) {
        found.tell(asked, &finding, false, out)?;
    }
    found.sum(asked, out)?;
    for line in summary.lines() {
        if asked.json { writeln!(out.stderr, "{line}")? } else { writeln!(out.stdout, "{line}")? }
    }
    out.stdout.flush()?;
    Ok(match found {
        _ if summary.has_trouble => TROUBLE,
        Found { seen: 1.., .. } => SEEN,
        Found { missing: 1.., .. } => MISSING,
        Found { calls: 0, .. } => NOTHING,
        Found { .. } => 0,
    })
}

impl Found {
    /// Prints a finding. Where messages of the node could not be read (`is_hidden`), what is missing may be one of them.
    fn tell(&mut self, asked: &Check, finding: &Finding, is_hidden: bool, out: &mut Out<'_>) -> io::Result<()> {
        let is_here = !is_hidden && (finding.is_loopback || asked.at.contains(&finding.node));
        match finding.evidence {
            Evidence::Seen => self.seen += 1,
            Evidence::Missing if is_here => self.missing += 1,
            Evidence::Missing => {
                *self.elsewhere.entry(finding.check).or_default() += 1;
                return Ok(());
            }
            Evidence::Remark => {
                self.remarks += 1;
                if !asked.advice {
                    return Ok(());
                }
            }
        }
        print(asked, finding, out)
    }

    fn sum(&self, asked: &Check, out: &mut Out<'_>) -> io::Result<()> {
        if asked.json {
            return Ok(());
        }
        let Self { calls, seen, missing, remarks, elsewhere } = self;
        if !elsewhere.is_empty() {
            let each: Vec<String> = elsewhere.iter().map(|(check, number)| format!("{check} {number}")).collect();
            writeln!(out.stdout, "not seen here: {}; --at NODE says where the capture was made", each.join(", "))?;
        }
        if *remarks > 0 && !asked.advice {
            writeln!(out.stdout, "{remarks} remarks; --advice shows them")?;
        }
        writeln!(out.stdout, "{calls} calls judged: {seen} messages break a rule, {missing} are missing")
    }
}

fn print(asked: &Check, finding: &Finding, out: &mut Out<'_>) -> io::Result<()> {
    let Finding { place, time, node, call_id, evidence, check, source, what, right, .. } = finding;
    let (node, call_id, what) = (printable(node), printable(call_id), printable(what));
    let file = asked.captured.file(place.file);
    let evidence = match evidence {
        Evidence::Seen => "seen",
        Evidence::Missing => "missing",
        Evidence::Remark => "remark",
    };
    if asked.json {
        let finding = json!({
            "file": file, "frame": place.frame, "time": time.to_string(), "node": node, "call_id": call_id,
            "evidence": evidence, "check": check, "source": source, "what": what, "right": right,
        });
        return writeln!(out.stdout, "{finding}");
    }
    let file = if asked.captured.is_one() { String::new() } else { format!("{file} ") };
    let evidence = if evidence == "seen" { String::new() } else { format!("{evidence}: ") };
    // A node in the midst may have changed it.
    writeln!(out.stdout, "{file}frame {}, {time}: {evidence}{what}, as it passed here", place.frame)?;
    writeln!(out.stdout, "  {check} ({source})\n  right: {right}\n  Call-ID {call_id}")
}
