//! A second, independent reading of datagrams, as much as ladders and checks need.
//!
//! It shares no code with the stack that it judges.

/// A SIP message as a ladder or a check wants to know it, borrowed from the datagram.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Packet<'a> {
    /// The start line.
    pub start: Start<'a>,
    /// Every Via value, topmost first.
    pub vias: Vec<Via<'a>>,
    /// Call-ID.
    pub call_id: &'a str,
    /// From as written.
    pub from: &'a str,
    /// To as written.
    pub to: &'a str,
    /// The tag of From, empty if there is none.
    pub from_tag: &'a str,
    /// The tag of To, empty if there is none.
    pub to_tag: &'a str,
    /// The number in CSeq.
    pub sequence: u32,
    /// The method in CSeq; of a request, the same as in its start line.
    pub method: &'a str,
    /// Name and value of every header field, in order.
    pub fields: Vec<(&'a str, &'a str)>,
    /// Whether there is a body that is a session description.
    pub describes: bool,
    /// The octets that follow the header fields.
    pub body: &'a [u8],
    /// All of it.
    pub text: &'a [u8],
}

/// The start line of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Start<'a> {
    /// A request.
    Request {
        /// The method.
        method: &'a str,
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

/// One Via value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Via<'a> {
    /// The branch parameter, empty if there is none.
    pub branch: &'a str,
    /// Host and port as written.
    pub sent_by: &'a str,
    /// All of it as written.
    pub value: &'a str,
}

impl<'a> Via<'a> {
    /// Who asked, under which branch: what a server adds to the value changes nothing of it.
    pub const fn id(&self) -> (&'a str, &'a str) {
        (self.branch, self.sent_by)
    }

    /// The transport that it came by.
    pub fn protocol(&self) -> &'a str {
        self.value.split('/').nth(2).and_then(|rest| rest.split_whitespace().next()).unwrap_or_default()
    }

    /// Whether it came by a transport that loses nothing: any but UDP.
    pub fn is_reliable(&self) -> bool {
        !self.protocol().eq_ignore_ascii_case("UDP")
    }

    /// Its parameters: name and value, which is `None` without a `=`.
    pub fn parameters(&self) -> impl Iterator<Item = (&'a str, Option<&'a str>)> + use<'a> {
        self.value.split(';').skip(1).map(|parameter| match parameter.split_once('=') {
            Some((name, value)) => (name.trim(), Some(value.trim())),
            None => (parameter.trim(), None),
        })
    }
}

impl<'a> Packet<'a> {
    /// Reads a datagram; `None` if it is not a SIP message with the headers that every message has (RFC 3261 §8.1.1).
    pub fn read(datagram: &'a [u8]) -> Option<Self> {
        let text = match std::str::from_utf8(datagram) {
            Ok(text) => text,
            // A body may be anything.
            Err(error) => std::str::from_utf8(datagram.get(..error.valid_up_to())?).ok()?,
        };
        let (start_line, rest) = text.split_once("\r\n")?;
        let start = read_start(start_line)?;
        let (mut vias, mut fields) = (Vec::with_capacity(4), Vec::with_capacity(16));
        let (mut call_id, mut from, mut to, mut cseq, mut kind) = (None, None, None, None, None);
        let mut lines = Fields(rest);
        for (name, value) in lines.by_ref() {
            fields.push((name, value));
            match name.as_bytes().first().map_or(0, u8::to_ascii_lowercase) {
                b'v' if is(name, "via", "v") => vias.extend(list(value).filter_map(read_via)),
                b'c' if is(name, "cseq", "cseq") => cseq = Some(value),
                b'c' if is(name, "content-type", "c") => kind = Some(value),
                b'c' | b'i' if is(name, "call-id", "i") => call_id = Some(value),
                b'f' if is(name, "from", "f") => from = Some(value),
                b't' if is(name, "to", "t") => to = Some(value),
                _ => {}
            }
        }
        // The rest begins with the empty line that ends the header fields.
        let left = lines.0.strip_prefix("\r\n")?;
        let body = datagram.get(text.len() - left.len()..)?;
        let (sequence, method) = cseq?.split_once([' ', '\t'])?;
        if vias.is_empty() {
            return None;
        }
        let (from, to) = (from?, to?);
        Some(Self {
            start,
            vias,
            call_id: call_id?,
            from,
            to,
            from_tag: parameter(after_uri(from), "tag"),
            to_tag: parameter(after_uri(to), "tag"),
            sequence: sequence.parse().ok()?,
            method: method.trim(),
            fields,
            describes: !body.is_empty() && kind.is_some_and(is_description),
            body,
            text: datagram,
        })
    }

    /// Whether this is a request.
    pub const fn is_request(&self) -> bool {
        matches!(self.start, Start::Request { .. })
    }

    /// Whether this is a request of that method.
    pub fn is(&self, method: &str) -> bool {
        self.is_request() && self.method == method
    }

    /// The Request-URI, of a request.
    pub const fn uri(&self) -> Option<&'a str> {
        match self.start {
            Start::Request { uri, .. } => Some(uri),
            Start::Response { .. } => None,
        }
    }

    /// The status code, of a response.
    pub const fn status(&self) -> Option<u16> {
        match self.start {
            Start::Request { .. } => None,
            Start::Response { status, .. } => Some(status),
        }
    }

    /// Whether this is a response of that class (1 to 6) to a request of that method.
    pub fn answers(&self, class: u16, method: &str) -> bool {
        self.method == method && self.status().is_some_and(|status| status / 100 == class)
    }

    /// Whether this is a response to a request of that method.
    pub fn responds_to(&self, method: &str) -> bool {
        !self.is_request() && self.method == method
    }

    /// Whether this is a final response.
    pub fn is_final(&self) -> bool {
        self.status().is_some_and(|status| status >= 200)
    }

    /// The message in a word or three: `INVITE`, `200 to INVITE`.
    pub fn what(&self) -> String {
        match self.status() {
            Some(status) => format!("{status} to {}", self.method),
            None => self.method.to_owned(),
        }
    }

    /// Whether this is a final response other than 2xx.
    pub fn is_rejection(&self) -> bool {
        self.status().is_some_and(|status| status >= 300)
    }

    /// The topmost Via.
    pub fn top(&self) -> Via<'a> {
        self.vias[0]
    }

    /// The values of a header whose fields are lists, each by itself; `short` is the compact form, or the long one again.
    pub fn values(&self, long: &'static str, short: &'static str) -> impl Iterator<Item = &'a str> + use<'a, '_> {
        let fields = self.fields.iter().filter(move |(name, _)| is(name, long, short));
        fields.flat_map(|(_, value)| list(value)).map(str::trim)
    }

    /// As above, all at once.
    pub fn texts(&self, long: &'static str, short: &'static str) -> Vec<&'a str> {
        self.values(long, short).collect()
    }

    /// The URIs of such values.
    pub fn uris(&self, long: &'static str, short: &'static str) -> Vec<&'a str> {
        self.values(long, short).map(uri_of).collect()
    }
}

/// The URI of a value that is a name-addr or an addr-spec (RFC 3261 §20.10).
pub fn uri_of(value: &str) -> &str {
    match value.rsplit_once('<').and_then(|(_, rest)| rest.split_once('>')) {
        Some((uri, _)) => uri,
        None => value.split(';').next().unwrap_or(value).trim(),
    }
}

/// Whether two values differ at most in how they are written: in white space, quotes, angle brackets and case.
pub fn alike(one: &str, other: &str) -> bool {
    let letters = |text: &'_ str| -> Vec<u8> {
        let is_letter = |octet: &u8| !octet.is_ascii_whitespace() && !matches!(octet, b'"' | b'<' | b'>');
        text.bytes().filter(is_letter).map(|octet| octet.to_ascii_lowercase()).collect()
    };
    one == other || letters(one) == letters(other)
}

/// Host and port of a SIP URI as written.
pub fn host_port(uri: &str) -> &str {
    let rest = uri.split_once(':').map_or(uri, |(_, rest)| rest);
    let rest = rest.rsplit_once('@').map_or(rest, |(_, rest)| rest);
    rest.split([';', '?']).next().unwrap_or(rest)
}

fn read_start(line: &str) -> Option<Start<'_>> {
    if let Some(rest) = line.strip_prefix("SIP/2.0 ") {
        let (status, reason) = rest.split_once(' ').unwrap_or((rest, ""));
        return Some(Start::Response { status: status.parse().ok()?, reason });
    }
    let (method, rest) = line.split_once(' ')?;
    let (uri, version) = rest.split_once(' ')?;
    (version == "SIP/2.0").then_some(Start::Request { method, uri })
}

/// Name and value of every field that is left; a folded value keeps its folds, which are white space like any other. Stops at the
/// empty line.
#[derive(Clone, Debug)]
struct Fields<'a>(&'a str);

impl<'a> Iterator for Fields<'a> {
    type Item = (&'a str, &'a str);

    fn next(&mut self) -> Option<(&'a str, &'a str)> {
        if self.0.starts_with("\r\n") {
            return None;
        }
        let mut end = 0;
        let next = loop {
            let feed = end + self.0.get(end..)?.find('\n')?;
            end = feed + 1;
            if !self.0[end..].starts_with([' ', '\t']) {
                break end;
            }
        };
        let line = self.0[..next].strip_suffix("\r\n")?;
        self.0 = &self.0[next..];
        Some(line.split_once(':').map_or((line, ""), |(name, value)| (name.trim_end(), value.trim())))
    }
}

/// Whether this is the media type of a session description (RFC 4566 §8.2.1).
fn is_description(value: &str) -> bool {
    value.split(';').next().is_some_and(|kind| kind.trim().eq_ignore_ascii_case("application/sdp"))
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
    let value = value.trim();
    // The sent-by is the last word before the parameters: there may be white space around the slashes.
    let (sender, parameters) = value.split_once(';').unwrap_or((value, ""));
    let (_, sent_by) = sender.trim_end().rsplit_once([' ', '\t'])?;
    Some(Via { branch: parameter(parameters, "branch"), sent_by, value })
}

/// The header parameters of a From or To value, which follow its URI.
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
        assert_eq!(packet.top().id(), ("z9hG4bK1", "one.example.com:5080"));
        assert_eq!(packet.vias[1].id(), ("z9hG4bK2", "two"));
        assert_eq!(packet.vias[1].parameters().next(), Some(("received", Some("192.0.2.1"))));
        assert_eq!((packet.from_tag, packet.to_tag, packet.call_id), ("1", "2", "one@two"));
        assert_eq!((packet.sequence, packet.method), (7, "INVITE"));
        assert_eq!((packet.fields.len(), packet.body), (6, &b""[..]));
    }

    #[test]
    fn a_body_may_be_anything_and_lists_and_uris_are_parted() {
        let packet = Packet::read(
            b"INFO sip:b@b SIP/2.0\r\nVia: SIP/2.0/UDP a;branch=1\r\nFrom: <sip:a@a>;tag=1\r\nTo: sip:b@b\r\nCall-ID: c\r\n\
              Route: <sip:one;lr>,\r\n <sip:p@two:5080;lr>\r\nCSeq: 7 INFO\r\n\r\n\xFF\r\n\r\n",
        )
        .unwrap();
        assert_eq!(packet.body, b"\xFF\r\n\r\n");
        let routes: Vec<&str> = packet.values("route", "route").map(|value| host_port(uri_of(value))).collect();
        assert_eq!(routes, ["one", "two:5080"]);
        assert_eq!((packet.uri(), packet.is("INFO")), (Some("sip:b@b"), true));
    }

    #[test]
    fn values_that_are_only_written_otherwise_are_alike() {
        assert!(alike("\"Bob\" <sip:bob@B.com>;tag=1", "Bob  <sip:bob@b.com> ;tag=1"));
        assert!(alike("sip:bob@b.com;tag=1", "<sip:bob@b.com>;tag=1"));
        assert!(!alike("<sip:bob@b.com>;tag=1", "<sip:bob@b.com>;tag=2"));
        assert!(!alike("<sip:bob@b.com>", "<sip:bob@c.com>"));
    }

    #[test]
    fn what_is_no_message_is_none() {
        assert_eq!(Packet::read(b"\r\n\r\n"), None);
        assert_eq!(Packet::read(b"INVITE sip:b SIP/2.0\r\nVia: SIP/2.0/UDP a;branch=z9\r\n\r\n"), None);
        assert_eq!(Packet::read(b"\xFF\xFE\r\n\r\n"), None);
    }
}
