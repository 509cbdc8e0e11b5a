//! Messages as text: what a test sees of them.

use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

/// Start line, header values by name (in lower case, in order) and body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Text {
    pub(super) start: String,
    pub(super) headers: BTreeMap<String, Vec<String>>,
    pub(super) body: String,
}

impl Text {
    pub(super) fn of(bytes: &[u8]) -> Self {
        let text = core::str::from_utf8(bytes).expect("text");
        let (head, body) = text.split_once("\r\n\r\n").expect("an empty line");
        let head = head.replace("\r\n ", "");
        let mut lines = head.split("\r\n");
        let start = lines.next().expect("a start line").to_string();
        let mut headers: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for line in lines {
            let (name, value) = line.split_once(':').expect("a colon");
            headers.entry(name.to_ascii_lowercase()).or_default().push(value.trim().to_string());
        }
        Self { start, headers, body: body.to_string() }
    }

    /// `INVITE` of a request, `180 INVITE` of a response.
    pub(super) fn label(&self) -> String {
        match self.start.strip_prefix("SIP/2.0 ") {
            Some(rest) => format!("{} {}", &rest[..3], self.method()),
            None => self.method().to_string(),
        }
    }

    pub(super) fn method(&self) -> &str {
        self.header("cseq").split_once(' ').expect("CSeq").1
    }

    /// The first value of a header.
    pub(super) fn header(&self, name: &str) -> &str {
        self.find(name).unwrap_or_else(|| panic!("no {name} in {self:?}"))
    }

    pub(super) fn find(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|values| values[0].as_str())
    }

    pub(super) fn tag_of(&self, name: &str) -> &str {
        self.header(name).split_once(";tag=").map_or("", |(_, tag)| tag)
    }

    /// A response to this request; `tag` is put into a To without one, `extra` is whole lines.
    pub(super) fn respond(&self, status: &str, tag: &str, extra: &str) -> String {
        let mut out = format!("SIP/2.0 {status}\r\n");
        for via in &self.headers["via"] {
            out.push_str(&format!("Via: {via}\r\n"));
        }
        let to = self.header("to");
        let to = if tag.is_empty() || to.contains(";tag=") { to.into() } else { format!("{to};tag={tag}") };
        out.push_str(&format!(
            "To: {to}\r\nFrom: {}\r\nCall-ID: {}\r\nCSeq: {}\r\n{extra}Content-Length: 0\r\n\r\n",
            self.header("from"),
            self.header("call-id"),
            self.header("cseq"),
        ));
        out
    }
}

/// The fields of a message as the RFC prints them, with the line ends of the wire; the body is of no matter.
pub(super) fn rfc(text: &str) -> Text {
    Text::of(format!("{}\r\n\r\n", text.trim().replace('\n', "\r\n")).as_bytes())
}

/// Equal but for the body, the order among different headers and folding.
#[track_caller]
pub(super) fn assert_same(message: &Text, expected: &str) {
    let expected = rfc(expected);
    assert_eq!(message.start, expected.start);
    assert_eq!(message.headers, expected.headers);
}
