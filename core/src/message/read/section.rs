//! The header section, line by line (RFC 3261 §7.3, §25.1).

use crate::message::error::{ParseError, ParseErrorKind};
use crate::message::limits::Limits;
use crate::message::name::HeaderId;
use crate::message::span::{FieldSpan, LONGEST_SECTION, narrow};
use crate::message::text::{self, TOKEN};

/// Reads the header section line by line.
pub(in crate::message) struct Section<'a> {
    /// No more of the message than its header section may have, and a line end.
    bytes: &'a [u8],
    /// Whether the message goes on behind `bytes`.
    cut: bool,
    /// How far it was read.
    pub(super) at: usize,
    /// Whether a line without a colon may come, which is kept as a field without a name.
    may_lack_colon: bool,
}

impl<'a> Section<'a> {
    pub(in crate::message) fn new(message: &'a [u8], limits: &Limits) -> Self {
        let longest = limits.header_section.min(LONGEST_SECTION);
        match message.get(..longest) {
            Some(bytes) => Self { bytes, cut: message.len() > longest, at: 0, may_lack_colon: true },
            None => Self { bytes: message, cut: false, at: 0, may_lack_colon: true },
        }
    }

    /// Takes no line without a colon.
    pub(super) fn strict(self) -> Self {
        Self { may_lack_colon: false, ..self }
    }

    fn rest(&self) -> &'a [u8] {
        self.bytes.get(self.at..).unwrap_or_default()
    }

    /// Goes behind the end of the present line; returns its text. The last line may lack its end. A carriage return or a line feed
    /// alone ends no line: whoever takes it for an end sees another message than whoever does not.
    pub(in crate::message) fn line(&mut self) -> Result<&'a [u8], ParseError> {
        let rest = self.rest();
        let length = text::find_either(rest, b'\r', b'\n').unwrap_or(rest.len());
        let (text, tail) = rest.split_at_checked(length).unwrap_or((rest, &[]));
        self.at += match tail {
            [b'\r', b'\n', ..] => length + 2,
            [] | [b'\r'] if self.cut => {
                return Err(ParseError::new(ParseErrorKind::HeaderSectionTooLong, self.at));
            }
            [_, ..] => return Err(ParseError::new(ParseErrorKind::LineEnd, self.at + length)),
            [] => length,
        };
        Ok(text)
    }

    /// Goes behind the empty line; says whether there is one.
    pub(in crate::message) fn empty_line(&mut self) -> bool {
        let is_there = matches!(self.rest(), [b'\r', b'\n', ..]);
        self.at += if is_there { 2 } else { 0 };
        is_there
    }

    /// Reads the next field, and its value; `None` at the empty line or the end.
    #[inline(always)]
    pub(in crate::message) fn field(&mut self) -> Result<Option<(FieldSpan, &'a [u8])>, ParseError> {
        match self.usual_field() {
            Some(field) => Ok(Some(field)),
            None => self.any_field(),
        }
    }

    /// Reads a field of a known header whose name is followed by the colon, and whose value stands behind one space in one
    /// line without control characters: what nearly all are. [`any_field`](Self::any_field) reads the same from it.
    #[inline(always)]
    fn usual_field(&mut self) -> Option<(FieldSpan, &'a [u8])> {
        let (id, length, behind) = HeaderId::at_start_of(self.rest())?;
        let [b' ', value @ ..] = behind else { return None };
        let (value, [b'\r', b'\n', next, ..]) = value.split_at_checked(text::find_control(value)?)? else {
            return None;
        };
        let ([b'!'..=0xff, .., b'!'..=0xff] | [b'!'..=0xff]) = value else { return None };
        if matches!(next, b' ' | b'\t') {
            return None;
        }
        let line = self.at;
        let start = line + length + b": ".len();
        let end = start + value.len();
        self.at = end + b"\r\n".len();
        let field = FieldSpan { line: narrow(line), start: narrow(start), end: narrow(end), id: Some(id) };
        Some((field, value))
    }

    #[cold]
    #[inline(never)]
    fn any_field(&mut self) -> Result<Option<(FieldSpan, &'a [u8])>, ParseError> {
        let start = self.at;
        let rest = self.rest();
        if self.cut && matches!(rest, [] | [_]) {
            return Err(ParseError::new(ParseErrorKind::HeaderSectionTooLong, start));
        }
        if matches!(rest, [] | [b'\r', b'\n', ..]) {
            return Ok(None);
        }
        let stop = rest.iter().position(|octet| matches!(octet, b':' | b'\r' | b'\n')).unwrap_or(rest.len());
        let (name, behind) = rest.split_at_checked(stop).unwrap_or((rest, &[]));
        match behind {
            [b':', ..] => {}
            [b'\r', b'\n', ..] => return self.line_without_colon().map(Some),
            [] => return Err(ParseError::new(ParseErrorKind::HeaderLine, start)),
            _ => return Err(ParseError::new(ParseErrorKind::LineEnd, start + stop)),
        }
        let id = header_id(name).ok_or(ParseError::new(ParseErrorKind::HeaderName, start))?;
        self.at += stop + 1;
        let value_start = self.at;
        self.line()?;
        while matches!(self.rest(), [b' ' | b'\t', ..]) {
            self.line()?;
        }
        let value = text::trim(self.bytes.get(value_start..self.at).unwrap_or_default());
        let value_at = if value.is_empty() { value_start } else { text::offset_in(self.bytes, value) };
        let end = value_at + value.len();
        Ok(Some((FieldSpan { line: narrow(start), start: narrow(value_at), end: narrow(end), id }, value)))
    }

    /// Takes the one line of a message that may lack a colon as a field without a name: its value begins where the line does. A
    /// second one, and one that some reader could take for something else, is an error.
    fn line_without_colon(&mut self) -> Result<(FieldSpan, &'a [u8]), ParseError> {
        let start = self.at;
        let error = ParseError::new(ParseErrorKind::HeaderLine, start);
        let line = self.line()?;
        let is_whole = self.at > start + line.len();
        let is_folded = matches!(self.rest(), [b' ' | b'\t', ..]);
        if !self.may_lack_colon || !is_whole || is_folded || !is_harmless(line) {
            return Err(error);
        }
        self.may_lack_colon = false;
        let value = text::trim_end(line);
        let end = narrow(start + value.len());
        Ok((FieldSpan { line: narrow(start), start: narrow(start), end, id: None }, value))
    }
}

/// Whether a line without a colon can be taken for nothing else ([`Leniency::NoColon`](crate::message::Leniency::NoColon)): it
/// does not begin as a known header does, is no fold, and has no control character.
fn is_harmless(line: &[u8]) -> bool {
    let word = line.iter().position(|&octet| !TOKEN.has(octet)).and_then(|end| line.get(..end)).unwrap_or(line);
    let is_visible = |octet: &u8| *octet >= b' ' && *octet != 0x7f;
    !line.first().is_none_or(|&first| text::is_lws(first))
        && line.iter().all(is_visible)
        && HeaderId::from_name(word).is_none()
}

/// Which header this names, if a known one; `None` if it is not a name. White space may stand before the colon (RFC 4475
/// §3.1.1.1).
#[expect(clippy::option_option, reason = "no name, an unknown name and a known one are three answers")]
pub(super) fn header_id(name: &[u8]) -> Option<Option<HeaderId>> {
    let known = HeaderId::from_name(name);
    if known.is_some() || (!name.is_empty() && TOKEN.covers(name)) {
        return Some(known);
    }
    let end = name.iter().rposition(|octet| !matches!(octet, b' ' | b'\t'))?;
    let name = name.get(..=end)?;
    TOKEN.covers(name).then(|| HeaderId::from_name(name))
}

#[cfg(test)]
mod tests {
    use super::Section;
    use crate::message::span::part;
    use crate::message::{HeaderId, HeaderName, Limits, MessageView, ParseError, ParseErrorKind};
    use alloc::string::String;
    use alloc::vec::Vec;

    fn view(text: &[u8]) -> MessageView<'_> {
        MessageView::parse(text, &Limits::default()).unwrap_or_else(|error| panic!("{error}"))
    }

    fn error(text: &str) -> (ParseErrorKind, u32) {
        let read = MessageView::parse(text.as_bytes(), &Limits::default()).map(|view| panic!("{view:?}"));
        let error: ParseError = read.unwrap_err();
        (error.kind(), error.offset())
    }

    #[test]
    fn fields_are_found_with_folds_and_odd_spaces() {
        let text = b"INVITE sip:b SIP/2.0\r\nTO :\r\n sip:b ;\ttag = 1\r\nSubject:\r\ns: \t \r\n two\r\n\r\n lines \r\nX-y\t: z\r\n\r\nbody";
        let read = view(text.as_slice().strip_suffix(b"body").unwrap());
        let fields: Vec<_> = read.headers().iter().map(|field| (field.name, field.value)).collect();
        assert_eq!(fields[0], (HeaderName::Known(HeaderId::To), &b"sip:b ;\ttag = 1"[..]));
        assert_eq!(fields[1], (HeaderName::Known(HeaderId::Subject), &b""[..]));
        assert_eq!(fields[2], (HeaderName::Known(HeaderId::Subject), &b"two"[..]));
        assert_eq!(fields.len(), 3, "an empty line ends the fields");
        assert_eq!(read.body(), b" lines \r\nX-y\t: z\r\n\r\n");
    }

    #[test]
    fn a_usual_line_is_read_as_any_other() {
        for line in [
            "To: x\r\n",
            "to: <sip:a>;tag=1 2\r\n",
            "v: a, b\r\n",
            "P-Preferred-Identity: \u{e4}:\r\n",
            "To:x\r\n",
            "To:  x\r\n",
            "To: x \r\n",
            "To: \r\n",
            "To:\r\n",
            "To : x\r\n",
            "To: x\ty\r\n",
            "To: x\r\n y\r\n",
            "X: y\r\n",
        ] {
            let text = [line, "\r\nbody: text\r\n"].concat();
            let section = || Section::new(text.as_bytes(), &Limits::default());
            let (mut usual, mut any) = (section(), section());
            let any_field = any.any_field().unwrap().unwrap();
            if let Some((span, value)) = usual.usual_field() {
                assert_eq!(
                    (alloc::format!("{span:?}"), value, usual.at),
                    (alloc::format!("{:?}", any_field.0), any_field.1, any.at)
                );
            } else {
                assert_eq!(usual.at, 0, "{line}");
            }
            assert_eq!(part(text.as_bytes(), any_field.0.start, any_field.0.end), any_field.1);
        }
        assert!(Section::new(b"To: <sip:a>;tag=1\r\n\r\n", &Limits::default()).usual_field().is_some());
    }

    #[test]
    fn lines_are_whole() {
        let text = b"BYE sip:b SIP/2.0\r\nA: 1\r\n  2\r\nB:3\r\nC:\r\n\r\n";
        let read = view(text);
        let lines: Vec<_> = read.headers().iter().map(|field| field.line).collect();
        assert_eq!(lines, [&b"A: 1\r\n  2\r\n"[..], b"B:3\r\n", b"C:\r\n"]);
        assert_eq!(read.headers().raw("b"), Some(&b"3"[..]));
        assert_eq!(read.headers().raw("c"), Some(&b""[..]));
    }

    #[test]
    fn half_a_line_end_ends_nothing_wherever_it_stands() {
        let good = "BYE sip:b SIP/2.0\r\nA: 1\r\n 2\r\nB: 3\r\n\r\n";
        assert_eq!(view([good, "x\ny\rz\n\n"].concat().as_bytes()).body(), b"x\ny\rz\n\n", "a body has no lines");
        for at in 1..good.len() {
            for half in ["\r", "\n", "\n\n", "\r\r", "\n\r"] {
                let text = [&good[..at], half, &good[at..]].concat();
                // A whole line end may come of it: then the text says something else, but nothing half.
                let bytes = text.as_bytes();
                let head = text.find("\r\n\r\n").map_or(bytes.len(), |end| end + 4);
                let is_half = |at: usize| match bytes[at] {
                    b'\r' => bytes.get(at + 1) != Some(&b'\n'),
                    b'\n' => at == 0 || bytes[at - 1] != b'\r',
                    _ => false,
                };
                let half = (0..head).find(|&at| is_half(at));
                let read = MessageView::parse(bytes, &Limits::default());
                match half {
                    Some(half) => {
                        let error = read.map(|view| panic!("{view:?}")).unwrap_err();
                        let found = (error.kind(), error.offset() as usize);
                        let is_name = matches!(error.kind(), ParseErrorKind::HeaderLine | ParseErrorKind::HeaderName);
                        assert!(
                            found == (ParseErrorKind::LineEnd, half) || is_name && found.1 < half,
                            "{text:?}: {error}"
                        );
                    }
                    None => assert!(read.is_err() || read.is_ok_and(|view| view.as_bytes() == bytes), "{text:?}"),
                }
            }
        }
        assert_eq!(error("BYE sip:b SIP/2.0\nA: 1\n\n"), (ParseErrorKind::LineEnd, 17));
        assert_eq!(error("BYE sip:b SIP/2.0\r"), (ParseErrorKind::LineEnd, 17));
        assert_eq!(error("BYE sip:b SIP/2.0\r\nA\n: 1\r\n\r\n"), (ParseErrorKind::LineEnd, 20));
    }

    #[test]
    fn one_line_may_lack_its_colon_and_has_no_name() {
        let start = "BYE sip:b SIP/2.0\r\n";
        let text = alloc::format!("{start}X-A: 1\r\nno colon, 2 \r\nX-B: 3\r\n\r\n");
        let read = view(text.as_bytes());
        let fields: Vec<_> =
            read.headers().iter().map(|field| (field.name.as_str(), field.value, field.line)).collect();
        assert_eq!(
            fields,
            [
                ("X-A", &b"1"[..], &b"X-A: 1\r\n"[..]),
                ("", b"no colon, 2", b"no colon, 2 \r\n"),
                ("X-B", b"3", b"X-B: 3\r\n")
            ]
        );
        assert_eq!((read.headers().raw("no"), read.headers().raw("x-b")), (None, Some(&b"3"[..])));
        for harmful in [
            "no colon\r\nA: 1\r\nnor here",
            "no colon\r\n folded",
            " no colon",
            "Via SIP/2.0/UDP a",
            "Content-Length 5",
            "l 5",
            "l\t5",
            "route",
            "no\0colon",
            "no colon \x7f",
        ] {
            assert_eq!(error(&alloc::format!("{start}{harmful}\r\n\r\n")).0, ParseErrorKind::HeaderLine, "{harmful}");
        }
        assert_eq!(error(&alloc::format!("{start}A: 1\r\nno end")).0, ParseErrorKind::HeaderLine);
    }

    #[test]
    fn malformed_header_lines_are_errors_with_their_place() {
        let start = "BYE sip:b SIP/2.0\r\n";
        for (line, kind) in [
            ("no colon\r\nnor here\r\n\r\n", ParseErrorKind::HeaderLine),
            ("a b: c\r\n\r\n", ParseErrorKind::HeaderName),
            (": c\r\n\r\n", ParseErrorKind::HeaderName),
            (" : c\r\n\r\n", ParseErrorKind::HeaderName),
            (" continued\r\n\r\n", ParseErrorKind::HeaderLine),
            ("<sip:a>: c\r\n\r\n", ParseErrorKind::HeaderName),
            ("Truncat", ParseErrorKind::HeaderLine),
        ] {
            let (found, offset) = error(&[start, line].concat());
            assert_eq!(found, kind, "{line}");
            assert!(offset >= 19, "{line}");
        }
    }

    #[test]
    fn more_than_a_handful_of_fields_are_kept() {
        let mut text = String::from("BYE sip:b SIP/2.0\r\n");
        for index in 0..200 {
            text += &alloc::format!("X-{index}: {index}\r\n");
        }
        text += "\r\n";
        assert_eq!(view(text.as_bytes()).headers().raw("x-199"), Some(&b"199"[..]));
    }
}
