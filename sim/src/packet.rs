//! A second, independent reading of datagrams, as much as ladders and checks need.
//!
//! It shares no code with the stack that it judges.

/// What a ladder or a check wants to know of a SIP message, borrowed from the datagram.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Packet<'a> {
    /// The start line.
    pub start: Start<'a>,
    /// Every Via value, topmost first.
    pub vias: Vec<Via<'a>>,
    /// Call-ID.
    pub call_id: &'a str,
    /// The tag of From, empty if there is none.
    pub from_tag: &'a str,
    /// The tag of To, empty if there is none.
    pub to_tag: &'a str,
    /// The number in CSeq.
    pub sequence: u32,
    /// The method in CSeq; of a request, the same as in its start line.
    pub method: &'a str,
}

/// The start line of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Start<'a> {
    /// A request.
    Request {
        /// The Request-URI.
        uri: &'a str,
    },
    /// A response.
    Response {
        /// The status code.
        status: u16,
        /// The reason phrase.
        reason: &'a str,
    },
}

/// One Via value: who asked, under which branch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Via<'a> {
    /// The branch parameter, empty if there is none.
    pub branch: &'a str,
    /// Host and port as written.
    pub sent_by: &'a str,
}

impl<'a> Packet<'a> {
    /// Reads a datagram; `None` if it is not a SIP message with the headers that every message has (RFC 3261 §8.1.1).
    pub fn read(datagram: &'a [u8]) -> Option<Self> {
        let end = datagram.windows(4).position(|four| four == b"\r\n\r\n")?;
        let head = std::str::from_utf8(datagram.get(..end)?).ok()?;
        let (start_line, fields) = head.split_once("\r\n")?;
        let start = read_start(start_line)?;
        let mut vias = Vec::with_capacity(4);
        let (mut call_id, mut from, mut to, mut cseq) = (None, None, None, None);
        for (name, value) in fields_of(fields) {
            match () {
                () if is(name, "via", "v") => vias.extend(list(value).filter_map(read_via)),
                () if is(name, "call-id", "i") => call_id = Some(value),
                () if is(name, "from", "f") => from = Some(value),
                () if is(name, "to", "t") => to = Some(value),
                () if is(name, "cseq", "cseq") => cseq = Some(value),
                () => {}
            }
        }
        let (sequence, method) = cseq?.split_once([' ', '\t'])?;
        if vias.is_empty() {
            return None;
        }
        Some(Self {
            start,
            vias,
            call_id: call_id?,
            from_tag: parameter(after_uri(from?), "tag"),
            to_tag: parameter(after_uri(to?), "tag"),
            sequence: sequence.parse().ok()?,
            method: method.trim(),
        })
    }

    /// Whether this is a request.
    pub const fn is_request(&self) -> bool {
        matches!(self.start, Start::Request { .. })
    }

    /// The status code, of a response.
    pub const fn status(&self) -> Option<u16> {
        match self.start {
            Start::Request { .. } => None,
            Start::Response { status, .. } => Some(status),
        }
    }

    /// The topmost Via.
    pub fn top(&self) -> Via<'a> {
        self.vias[0]
    }
}

fn read_start(line: &str) -> Option<Start<'_>> {
    if let Some(rest) = line.strip_prefix("SIP/2.0 ") {
        let (status, reason) = rest.split_once(' ').unwrap_or((rest, ""));
        return Some(Start::Response { status: status.parse().ok()?, reason });
    }
    let (_, rest) = line.split_once(' ')?;
    let (uri, version) = rest.split_once(' ')?;
    (version == "SIP/2.0").then_some(Start::Request { uri })
}

/// Name and value of every field; a folded value keeps its folds, which are white space like any other.
fn fields_of(mut fields: &str) -> impl Iterator<Item = (&str, &str)> {
    std::iter::from_fn(move || {
        if fields.is_empty() {
            return None;
        }
        let mut end = fields.len();
        for (at, _) in fields.match_indices("\r\n") {
            if !fields[at + 2..].starts_with([' ', '\t']) {
                end = at;
                break;
            }
        }
        let line = &fields[..end];
        fields = fields.get(end + 2..).unwrap_or("");
        Some(line.split_once(':').map_or((line, ""), |(name, value)| (name.trim(), value.trim())))
    })
}

fn is(name: &str, long: &str, short: &str) -> bool {
    name.eq_ignore_ascii_case(long) || name.eq_ignore_ascii_case(short)
}

/// The values of a comma-separated list; commas in quotes and angle brackets do not part.
fn list(value: &str) -> impl Iterator<Item = &str> {
    let (mut quoted, mut bracketed) = (false, false);
    value.split(move |c| {
        match c {
            '"' => quoted = !quoted,
            '<' => bracketed = !quoted,
            '>' => bracketed = false,
            _ => {}
        }
        c == ',' && !quoted && !bracketed
    })
}

fn read_via(value: &str) -> Option<Via<'_>> {
    let (_, rest) = value.trim().split_once([' ', '\t'])?;
    let (sent_by, parameters) = rest.split_once(';').unwrap_or((rest, ""));
    Some(Via { branch: parameter(parameters, "branch"), sent_by: sent_by.trim() })
}

/// What follows the URI of a From or To value: its header parameters.
fn after_uri(value: &str) -> &str {
    match value.rsplit_once('>') {
        Some((_, parameters)) => parameters,
        None => value.split_once(';').map_or("", |(_, parameters)| parameters),
    }
}

/// The value of a parameter, empty if it is not there.
fn parameter<'a>(parameters: &'a str, name: &str) -> &'a str {
    parameters
        .split(';')
        .filter_map(|parameter| parameter.split_once('='))
        .find(|(found, _)| found.trim().eq_ignore_ascii_case(name))
        .map_or("", |(_, value)| value.trim())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folds_lists_and_compact_forms_are_read() {
        let packet = Packet::read(
            b"SIP/2.0 180 Ringing\r\nv: SIP/2.0/UDP one.example.com:5080\r\n ;branch=z9hG4bK1, SIP / 2.0 / UDP\r\n\
              \x20two;received=192.0.2.1;branch=z9hG4bK2\r\nVIA: SIP/2.0/UDP three;branch=z9hG4bK3\r\n\
              f: \"A, <B>\" <sip:a@b.c;tag=not>;tag=1\r\nTo: sip:b@b.c;tag=2\r\ni: one@two\r\nCSeq: 7 INVITE\r\n\r\n",
        )
        .unwrap();
        assert_eq!(packet.status(), Some(180));
        assert_eq!(packet.vias.len(), 3);
        assert_eq!(packet.top(), Via { branch: "z9hG4bK1", sent_by: "one.example.com:5080" });
        assert_eq!((packet.from_tag, packet.to_tag, packet.call_id), ("1", "2", "one@two"));
        assert_eq!((packet.sequence, packet.method), (7, "INVITE"));
    }

    #[test]
    fn what_is_no_message_is_none() {
        assert_eq!(Packet::read(b"\r\n\r\n"), None);
        assert_eq!(Packet::read(b"INVITE sip:b SIP/2.0\r\nVia: SIP/2.0/UDP a;branch=z9\r\n\r\n"), None);
        assert_eq!(Packet::read(b"\xFF\xFE\r\n\r\n"), None);
    }
}
