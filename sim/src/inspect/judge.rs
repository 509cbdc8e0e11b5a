//! One message, judged.

use sansip::message::{Leniency, Limits, Message, MessageView, Method, ParseErrorKind, Request, StatusCode};

use super::role::{Answer, Role};

/// The kind that a message begins as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A request.
    Request,
    /// A response.
    Response,
}

/// The finding about a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The kind; `None` if the first line does not say.
    pub kind: Option<Kind>,
    /// Whether it is well-formed and complete. What only a role minds leaves this true.
    pub valid: bool,
    /// The status of 300 or above that its sender is owed. Nobody is owed one for an ACK or a response.
    pub status: Option<u16>,
    /// The fault, in words.
    pub reason: Option<String>,
    /// Where: an octet of what was judged.
    pub offset: Option<usize>,
    /// Whether what is malformed is of no use to an element, so that the node of the role did not mind (RFC 3261 §8.2, §16.3).
    pub tolerable: bool,
    /// The final response that the node of the role sent.
    pub answer: Option<Answer>,
    /// Whether a line feed stands alone: an editor may have done it, and `--lf` undoes it.
    pub half_line_end: bool,
    /// The leniencies that the message asks for, each with the octet of what was judged at which it is first needed.
    pub leniencies: Vec<(Leniency, usize)>,
}

/// Judges the octets of one message, as they come to an element of this role.
pub fn judge(bytes: &[u8], role: Role) -> Finding {
    let message = match Message::parse(bytes, &Limits::default()) {
        Ok(message) => message,
        Err(error) => {
            let reason = match error.header() {
                Some(header) => format!("{}: {}", header.as_str(), error.kind()),
                None => error.kind().to_string(),
            };
            let mut finding = unread(bytes, error.status(), reason, error.offset() as usize);
            if error.kind() == ParseErrorKind::LineEnd {
                finding = finding.half_line_end(bytes);
            }
            let answer = finding.status.and_then(|_| role.answer(bytes, None));
            return Finding { answer, ..finding };
        }
    };
    // Line ends before the message are no part of it, and its own offsets do not count them.
    let begin = bytes.iter().take_while(|octet| matches!(octet, b'\r' | b'\n')).count();
    let (kind, owed, verdict) = match &message {
        Message::Request(request) => (Kind::Request, request.method() != Method::Ack, request.validate()),
        Message::Response(response) => (Kind::Response, false, response.validate()),
    };
    let mut finding = Finding::good(Some(kind));
    if kind == Kind::Request {
        finding.answer = role.answer(bytes, Some(&message));
    }
    if let Ok(view) = MessageView::parse(bytes, &Limits::default()) {
        let asked = view.leniencies().into_iter();
        finding.leniencies = asked.map(|(leniency, offset)| (leniency, begin + offset as usize)).collect();
    }
    if let Err(rejection) = verdict {
        let offset = rejection.offset.map(|offset| begin + offset as usize);
        return finding.malformed(owed.then(|| rejection.status.get()), rejection.reason.to_string(), offset);
    }
    if let Some(error) = message.headers().first_malformed() {
        let name = error.header().map_or("", |header| header.as_str());
        let reason = format!("{name}: {}", error.kind());
        finding.tolerable = true;
        return finding.malformed(owed.then(|| error.status().get()), reason, Some(begin + error.offset() as usize));
    }
    if let Some(answer) = finding.answer.as_ref().filter(|answer| answer.status >= 300) {
        finding.status = Some(answer.status);
        finding.reason = Some(answer.reason.clone());
    }
    finding
}

impl Finding {
    const fn good(kind: Option<Kind>) -> Self {
        Self {
            kind,
            valid: true,
            status: None,
            reason: None,
            offset: None,
            tolerable: false,
            answer: None,
            half_line_end: false,
            leniencies: Vec::new(),
        }
    }

    /// Only a request whose answer can copy whole lines is owed one.
    pub(super) fn half_line_end(self, bytes: &[u8]) -> Self {
        let owed = Request::salvage(bytes, &Limits::default()).is_some();
        Self { status: self.status.filter(|_| owed), half_line_end: true, ..self }
    }

    fn malformed(self, status: Option<u16>, reason: String, offset: Option<usize>) -> Self {
        Self { valid: false, status, reason: Some(reason), offset, ..self }
    }
}

/// The finding about something that is no message: its first line may say what it was meant to be, and so whether a status is owed.
pub(super) fn unread(bytes: &[u8], status: StatusCode, reason: String, offset: usize) -> Finding {
    let (kind, owed) = first_line(bytes);
    Finding::good(kind).malformed(owed.then(|| status.get()), reason, Some(offset))
}

/// The kind of the first line, if the rest cannot be read; and whether the sender is owed an answer.
fn first_line(bytes: &[u8]) -> (Option<Kind>, bool) {
    let text = bytes.trim_ascii_start();
    let line = text.split(|octet| matches!(octet, b'\r' | b'\n')).next().unwrap_or_default();
    if line.get(..4).is_some_and(|start| start.eq_ignore_ascii_case(b"SIP/")) {
        return (Some(Kind::Response), false);
    }
    let limits = Limits { start_line: usize::MAX, header_section: usize::MAX, ..Limits::default() };
    match MessageView::parse(&[line, b"\r\n\r\n"].concat(), &limits) {
        Ok(view) => (Some(Kind::Request), view.method() != Some(Method::Ack)),
        Err(_) => (None, false),
    }
}
