//! A finding in words, or as JSON.

use std::fmt::Write as _;
use std::io::{self, Write};

use super::excerpt::{columns, first_line, write_caret};
use super::judge::{Finding, Kind};
use super::role::Role;

/// One message of a file.
pub(super) struct Inspected<'a> {
    /// The name of the file, for people.
    pub(super) file: &'a str,
    /// All that was judged.
    pub(super) bytes: &'a [u8],
    /// The octet of the file at which it begins.
    pub(super) begin: usize,
    pub(super) finding: &'a Finding,
}

/// Writes one line with one object.
pub(super) fn write_json(out: &mut dyn Write, message: &Inspected<'_>) -> io::Result<()> {
    let finding = message.finding;
    let kind = match finding.kind {
        Some(Kind::Request) => "\"request\"",
        Some(Kind::Response) => "\"response\"",
        None => "null",
    };
    let verdict = if finding.valid { "valid" } else { "invalid" };
    let number = |value: Option<usize>| value.map_or("null".to_owned(), |value| value.to_string());
    let leniencies = match finding.leniencies.as_slice() {
        [] => String::new(),
        asked => {
            let names: Vec<_> = asked.iter().map(|(leniency, _)| string(leniency.name())).collect();
            format!(",\"leniencies\":[{}]", names.join(","))
        }
    };
    writeln!(
        out,
        "{{\"file\":{},\"kind\":{kind},\"verdict\":\"{verdict}\",\"status\":{},\"reason\":{},\"offset\":{},\"answer\":{}{leniencies}}}",
        string(message.file),
        number(finding.status.map(usize::from)),
        finding.reason.as_deref().map_or("null".to_owned(), string),
        number(finding.offset.map(|offset| message.begin + offset)),
        number(finding.answer.as_ref().map(|answer| answer.status.into())),
    )
}

/// A JSON string (RFC 8259 §7).
fn string(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for character in text.chars() {
        match character {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            control if control < ' ' || control == '\u{7f}' => {
                let _ = write!(out, "\\u{:04x}", u32::from(control));
            }
            other => out.push(other),
        }
    }
    out.push('"');
    out
}

/// Writes what it is, the verdict, and which leniencies it asks for.
pub(super) fn write_text(out: &mut dyn Write, message: &Inspected<'_>, role: Role) -> io::Result<()> {
    let finding = message.finding;
    let place = if message.begin > 0 { format!(" at octet {}", message.begin) } else { String::new() };
    writeln!(out, "{}{place}: {}", printable(message.file), columns(shortened(first_line(message.bytes))))?;
    write_verdict(out, message, role)?;
    for (leniency, offset) in &finding.leniencies {
        let (name, offset) = (leniency.name(), message.begin + offset);
        let off = if leniency.is_default() { "" } else { ", off by default" };
        writeln!(out, "  lenient: {} ({name}, octet {offset}{off})", leniency.words())?;
    }
    Ok(())
}

/// Writes the verdict, and where the trouble is.
fn write_verdict(out: &mut dyn Write, message: &Inspected<'_>, role: Role) -> io::Result<()> {
    let finding = message.finding;
    let reason = printable(finding.reason.as_deref().unwrap_or_default());
    match (finding.valid, finding.status) {
        (true, None) => writeln!(out, "  valid"),
        (true, Some(status)) => writeln!(out, "  valid; a {} answers {status} {reason}", role.name()),
        (false, status) => {
            let owed = match (finding.kind, status) {
                (_, Some(status)) => status.to_string(),
                (Some(Kind::Response), None) => "dropped".to_owned(),
                (_, None) => "no answer".to_owned(),
            };
            let place = finding.offset.map_or(String::new(), |offset| format!(" (octet {})", message.begin + offset));
            writeln!(out, "  invalid, {owed}: {reason}{place}")?;
            if let Some(offset) = finding.offset {
                write_caret(out, message.bytes, offset)?;
            }
            if finding.half_line_end {
                writeln!(out, "    if an editor has taken the carriage returns, --lf puts them back")?;
            }
            match &finding.answer {
                Some(answer) if finding.tolerable => {
                    writeln!(out, "    a {} answers {} {}", role.name(), answer.status, printable(&answer.reason))
                }
                None if finding.tolerable && status.is_some() => {
                    writeln!(out, "    a {} needs no such header and takes the request", role.name())
                }
                _ => Ok(()),
            }
        }
    }
}

/// The start of a line that may be long.
fn shortened(line: &[u8]) -> &[u8] {
    line.get(..120).unwrap_or(line)
}

/// Names and reason phrases are strangers' text: nothing in them may steer a terminal.
pub(super) fn printable(text: &str) -> String {
    text.chars().map(|character| if character.is_control() { '.' } else { character }).collect()
}

#[cfg(test)]
mod tests {
    use super::string;

    #[test]
    fn a_json_string_has_no_raw_control_quote_or_backslash() {
        assert_eq!(string("a\"b\\c\r\n\t\u{1}\u{7f}é"), r#""a\"b\\c\r\n\t\u0001\u007fé""#);
    }
}
