//! A file as what came over a connection (RFC 3261 §18.3).

use std::io;

use sansip::message::{Frame, FrameErrorKind, Framer, Limits, StatusCode};

use super::judge::{Finding, judge, unread};
use super::role::Role;

/// Judges message after message and hands each to `report`: the octet at which it begins, its octets, the finding. After
/// an error of framing nobody knows where the next begins, so that one is the last.
///
/// # Errors
/// That of `report`.
pub(super) fn each_message(
    bytes: &[u8],
    role: Role,
    mut report: impl FnMut(usize, &[u8], &Finding) -> io::Result<()>,
) -> io::Result<()> {
    let mut framer = Framer::new(Limits::default());
    let mut input = bytes;
    // Where the next message begins: line ends before it are looked at once.
    let mut rest = behind_line_ends(input);
    loop {
        if input.len() < rest.len() {
            rest = behind_line_ends(input);
        }
        let Some(frame) = framer.read(&mut input) else { break };
        match frame {
            Ok(Frame::Message(message)) => {
                let begin = bytes.len() - input.len() - message.len();
                report(begin, message, &judge(message, role))?;
            }
            Ok(Frame::Ping | Frame::Pong) => {}
            Err(error) => {
                let words = match error.kind() {
                    FrameErrorKind::NoContentLength => "Missing Content-Length header",
                    FrameErrorKind::ContentLength => "Bad Content-Length header",
                    FrameErrorKind::LineEnd => "a carriage return or a line feed stands alone",
                    FrameErrorKind::HeaderSectionTooLong => "Header section too long",
                    _ => "Body too long",
                };
                let mut finding = unread(rest, error.status(), words.to_owned(), error.offset() as usize);
                if error.kind() == FrameErrorKind::LineEnd {
                    finding = finding.half_line_end(framer.begun());
                }
                return report(bytes.len() - rest.len(), rest, &finding);
            }
        }
    }
    if framer.unfinished() == 0 {
        return Ok(());
    }
    // Whoever sent so much may send the rest: nothing is owed yet (RFC 3261 §18.3).
    let words = "The stream ends before the message does".to_owned();
    let finding = Finding { status: None, ..unread(rest, StatusCode::BAD_REQUEST, words, rest.len()) };
    report(bytes.len() - rest.len(), rest, &finding)
}

fn behind_line_ends(mut input: &[u8]) -> &[u8] {
    while let [b'\r' | b'\n', rest @ ..] = input {
        input = rest;
    }
    input
}

#[cfg(test)]
mod tests {
    use super::super::{Kind, Role};
    use super::{Finding, each_message};

    const GOOD: &str = "OPTIONS sip:a@b.com SIP/2.0\r\nVia: SIP/2.0/TCP c.com;branch=z9hG4bKs\r\nTo: <sip:a@b.com>\r\n\
        From: <sip:d@c.com>;tag=1\r\nCall-ID: s\r\nCSeq: 1 OPTIONS\r\nContent-Length: 2\r\n\r\nab";

    fn found(text: &str) -> Vec<(usize, usize, Finding)> {
        let mut found = Vec::new();
        let report = |begin, bytes: &[u8], finding: &Finding| {
            found.push((begin, bytes.len(), finding.clone()));
            Ok(())
        };
        each_message(text.as_bytes(), Role::UserAgentServer, report).unwrap();
        found
    }

    #[test]
    fn messages_are_found_one_behind_the_other() {
        let bad = GOOD.replace("CSeq: 1", "CSeq: x");
        let text = format!("\r\n\r\n{GOOD}{bad}\r\n\r\n{GOOD}\r\n");
        let found = found(&text);
        let places: Vec<_> = found.iter().map(|(begin, length, finding)| (*begin, *length, finding.valid)).collect();
        let length = GOOD.len();
        assert_eq!(places, [(4, length, true), (4 + length, length, false), (8 + 2 * length, length, true)]);
        assert_eq!(&bad[found[1].2.offset.unwrap()..][..9], "x OPTIONS");
        assert!(found_nothing("") && found_nothing("\r\n\r\n\n"));
    }

    /// Each pong is a frame: what follows must not be looked at anew for each.
    #[test]
    fn line_ends_take_time_in_proportion_to_their_number() {
        let text = format!("{}{GOOD}", "\r\n".repeat(2_000_000));
        let found = found(&text);
        assert_eq!((found.len(), found[0].0), (1, 4_000_000));
    }

    fn found_nothing(text: &str) -> bool {
        found(text).is_empty()
    }

    #[test]
    fn a_message_that_is_cut_off_is_owed_nothing() {
        for text in [&GOOD[..GOOD.len() - 1], &GOOD[..60], "O"] {
            let found = found(&format!("{GOOD}{text}"));
            let (begin, _, finding) = found.last().unwrap();
            assert_eq!((found.len(), *begin, finding.valid, finding.status), (2, GOOD.len(), false, None), "{text}");
            assert_eq!(finding.reason.as_deref(), Some("The stream ends before the message does"));
        }
    }

    #[test]
    fn without_a_length_the_rest_is_lost() {
        for (length, reason) in [("X: 2", "Missing Content-Length header"), ("l: -2", "Bad Content-Length header")] {
            let bad = GOOD.replace("Content-Length: 2", length);
            let found = found(&format!("{GOOD}{bad}{GOOD}"));
            let [_, (begin, _, finding)] = &*found else { panic!("{found:?}") };
            assert_eq!((*begin, finding.kind, finding.valid), (GOOD.len(), Some(Kind::Request), false));
            assert_eq!((finding.status, finding.reason.as_deref()), (Some(400), Some(reason)));
        }
    }
}
