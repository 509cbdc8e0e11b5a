//! A place in a message, shown.

use std::io::{self, Write};

/// Columns of a message line that are shown at most.
const WIDTH: usize = 96;

/// Where the first line of the message begins and ends.
pub(super) fn first_line(bytes: &[u8]) -> &[u8] {
    let text = bytes.trim_ascii_start();
    text.split(|octet| matches!(octet, b'\r' | b'\n')).next().unwrap_or_default()
}

/// Text as one column an octet: what is not printable ASCII is a dot.
pub(super) fn columns(text: &[u8]) -> String {
    text.iter().map(|&octet| if octet.is_ascii_graphic() || octet == b' ' { char::from(octet) } else { '.' }).collect()
}

/// Writes the line in which the octet stands, and a caret below it.
pub(super) fn write_caret(out: &mut dyn Write, bytes: &[u8], offset: usize) -> io::Result<()> {
    let offset = offset.min(bytes.len());
    let (before, after) = bytes.split_at(offset);
    let mut start = before.iter().rposition(|&octet| octet == b'\n').map_or(0, |at| at + 1);
    // At the very end there is nothing to show but what was last.
    if start == bytes.len() && start > 0 {
        let whole = before.trim_ascii_end();
        start = whole.iter().rposition(|&octet| octet == b'\n').map_or(0, |at| at + 1);
    }
    let end = after.iter().position(|octet| matches!(octet, b'\r' | b'\n')).map_or(bytes.len(), |at| offset + at);
    let line = &bytes[start..end.max(start)];
    let line = if offset == bytes.len() { line.trim_ascii_end() } else { line };
    let caret = (offset - start).min(line.len());
    let (left, cut) = if caret > WIDTH - 16 { (caret - (WIDTH - 16), "...") } else { (0, "") };
    let right = line.len().min(left + WIDTH);
    let more = if right < line.len() { "..." } else { "" };
    writeln!(out, "    | {cut}{}{more}", columns(&line[left..right]))?;
    writeln!(out, "    | {}^", " ".repeat(cut.len() + caret - left))
}

#[cfg(test)]
mod tests {
    use super::{WIDTH, write_caret};

    fn shown(text: &[u8], offset: usize) -> (String, String) {
        let mut out = Vec::new();
        write_caret(&mut out, text, offset).unwrap();
        let out = String::from_utf8(out).unwrap();
        let mut lines = out.lines().map(|line| line.strip_prefix("    | ").unwrap().to_owned());
        (lines.next().unwrap(), lines.next().unwrap())
    }

    #[test]
    fn the_caret_is_below_the_octet() {
        let text = b"one\r\ntw\xc3\xb6 x\r\n\r\n";
        for offset in 0..text.len() {
            let (line, caret) = shown(text, offset);
            let at = caret.len() - 1;
            if !text[offset].is_ascii_graphic() {
                continue;
            }
            assert_eq!(line.as_bytes()[at], text[offset]);
        }
        assert_eq!(shown(text, 7), ("tw.. x".into(), "  ^".into()));
    }

    #[test]
    fn behind_the_last_line_the_caret_is_at_its_end() {
        assert_eq!(shown(b"a: b\r\n\r\n", 8), ("a: b".into(), "    ^".into()));
        assert_eq!(shown(b"a: b", 99), ("a: b".into(), "    ^".into()));
        assert_eq!(shown(b"", 0), ("".into(), "^".into()));
    }

    #[test]
    fn of_a_long_line_the_part_around_the_caret_is_shown() {
        let text = [b"x".repeat(5_000), b"!".to_vec(), b"y".repeat(5_000)].concat();
        let (line, caret) = shown(&text, 5_000);
        assert_eq!(line.as_bytes()[caret.len() - 1], b'!');
        assert!(line.starts_with("...x") && line.ends_with("y...") && line.len() <= WIDTH + 6);
    }
}
