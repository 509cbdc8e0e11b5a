//! Which messages a fault is for: `atlanta>biloxi#3`, `*>bob ACK`, `bob>biloxi 200/INVITE#2`.

use std::fmt;
use std::num::NonZeroU32;
use std::str::FromStr;

use crate::packet::{Packet, Start};

/// Messages by directed link, and by ordinal or kind or both.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Selector {
    /// Who sends.
    pub from: End,
    /// Who receives.
    pub to: End,
    /// The kind of message; `None` is any datagram.
    pub kind: Option<Kind>,
    /// Which of those, counted from 1 as they are sent, retransmissions included; `None` is all.
    pub ordinal: Option<NonZeroU32>,
}

/// A node by name, or any: `*`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum End {
    /// `*`
    Any,
    /// `biloxi`
    Node(String),
}

/// A kind of message.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// `ACK`: requests of that method.
    Request(Method),
    /// `200/INVITE`: responses with that status to requests of that method.
    Response(Status, Method),
}

/// A method, or any: `*`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Method {
    /// `*`
    Any,
    /// `INVITE`, exactly so.
    Named(String),
}

/// Status codes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Status {
    /// `*`
    Any,
    /// `2xx`: all with this first digit.
    Class(u8),
    /// `200`
    Code(u16),
}

impl Selector {
    /// One datagram: the n-th from one node to another.
    pub fn nth(from: &str, to: &str, ordinal: NonZeroU32) -> Self {
        Self { from: End::Node(from.into()), to: End::Node(to.into()), kind: None, ordinal: Some(ordinal) }
    }

    /// Whether the selector is for that directed pair of nodes.
    pub fn is_of_link(&self, from: &str, to: &str) -> bool {
        self.from.is(from) && self.to.is(to)
    }

    /// From, to and ordinal, if this is one datagram of one link.
    pub(crate) const fn single(&self) -> Option<(&String, &String, u32)> {
        match self {
            Self { from: End::Node(from), to: End::Node(to), kind: None, ordinal: Some(ordinal) } => {
                Some((from, to, ordinal.get()))
            }
            _ => None,
        }
    }
}

impl End {
    /// Whether that node is meant.
    pub fn is(&self, name: &str) -> bool {
        match self {
            Self::Any => true,
            Self::Node(node) => node == name,
        }
    }

    pub(super) fn renamed(&self, name: &mut dyn FnMut(&str) -> Option<String>) -> Option<Self> {
        match self {
            Self::Any => Some(Self::Any),
            Self::Node(node) => name(node).map(Self::Node),
        }
    }

    /// The name, if it is one node.
    pub fn name(&self) -> Option<&str> {
        match self {
            Self::Any => None,
            Self::Node(node) => Some(node),
        }
    }
}

impl Kind {
    /// Whether a message is of this kind.
    pub fn fits(&self, packet: &Packet<'_>) -> bool {
        match (self, packet.start) {
            (Self::Request(method), Start::Request { .. }) => method.fits(packet.method),
            (Self::Response(wanted, method), Start::Response { status, .. }) => {
                method.fits(packet.method)
                    && match wanted {
                        Status::Any => true,
                        Status::Class(class) => status / 100 == u16::from(*class),
                        Status::Code(code) => status == *code,
                    }
            }
            _ => false,
        }
    }
}

impl Method {
    fn fits(&self, name: &str) -> bool {
        match self {
            Self::Any => true,
            Self::Named(method) => method == name,
        }
    }
}

/// Whether `name` can be a node's name in a plan.
pub(crate) fn is_name(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.'))
}

/// Says what is wrong where a node's name should stand.
pub(super) const NO_NAME: &str = "a node's name is letters, digits, `-`, `_` and `.`";

impl FromStr for Selector {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (messages, ordinal) = match text.split_once('#') {
            Some((messages, number)) => {
                let number =
                    number.trim().parse().map_err(|_| "messages are counted from 1, as in `atlanta>biloxi#3`")?;
                (messages, Some(number))
            }
            None => (text, None),
        };
        let (from, rest) = messages.split_once('>').ok_or("no `>` between two nodes")?;
        let rest = rest.trim();
        let (to, kind) = match rest.split_once(char::is_whitespace) {
            Some((to, kind)) => (to, Some(kind.trim().parse()?)),
            None => (rest, None),
        };
        Ok(Self { from: from.trim().parse()?, to: to.parse()?, kind, ordinal })
    }
}

impl FromStr for End {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "*" => Ok(Self::Any),
            name if is_name(name) => Ok(Self::Node(name.to_owned())),
            _ => Err(NO_NAME),
        }
    }
}

impl FromStr for Kind {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.split_once('/') {
            Some((status, method)) => Ok(Self::Response(status.parse()?, method.parse()?)),
            None if text.bytes().all(|byte| byte.is_ascii_digit()) => {
                Err("a status stands with its method, as in `200/INVITE`")
            }
            None => Ok(Self::Request(text.parse()?)),
        }
    }
}

impl FromStr for Method {
    type Err = &'static str;

    /// RFC 3261 §25.1, `token`.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let token = |byte: u8| byte.is_ascii_alphanumeric() || b"-.!%*_+`'~".contains(&byte);
        match text {
            "*" => Ok(Self::Any),
            name if !name.is_empty() && name.bytes().all(token) => Ok(Self::Named(name.to_owned())),
            _ => Err("a kind of message is a method or a status with its method, as in `ACK` or `200/INVITE`"),
        }
    }
}

impl FromStr for Status {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        const WRONG: &str = "a status is `200`, `2xx` or `*`, from 100 to 699";
        match text.as_bytes() {
            b"*" => Ok(Self::Any),
            [class @ b'1'..=b'6', b'x', b'x'] => Ok(Self::Class(class - b'0')),
            [b'1'..=b'6', b'0'..=b'9', b'0'..=b'9'] => text.parse().map(Self::Code).map_err(|_| WRONG),
            _ => Err(WRONG),
        }
    }
}

impl fmt::Display for Selector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}>{}", self.from, self.to)?;
        if let Some(kind) = &self.kind {
            write!(f, " {kind}")?;
        }
        match self.ordinal {
            Some(ordinal) => write!(f, "#{ordinal}"),
            None => Ok(()),
        }
    }
}

impl fmt::Display for End {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name().unwrap_or("*"))
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Request(method) => write!(f, "{method}"),
            Self::Response(status, method) => write!(f, "{status}/{method}"),
        }
    }
}

impl fmt::Display for Method {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Any => f.write_str("*"),
            Self::Named(method) => f.write_str(method),
        }
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Any => f.write_str("*"),
            Self::Class(class) => write!(f, "{class}xx"),
            Self::Code(code) => write!(f, "{code}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn packet(start: &str, cseq: &str) -> Vec<u8> {
        format!("{start}\r\nVia: SIP/2.0/UDP a;branch=z9hG4bK1\r\nFrom: <sip:a@b>\r\nTo: <sip:c@d>\r\nCall-ID: 1\r\nCSeq: {cseq}\r\n\r\n")
            .into_bytes()
    }

    #[test]
    fn selectors_are_read_and_printed_exactly() {
        for text in
            ["a>b#3", "*>bob ACK", "bob>biloxi 200/INVITE#2", "*>*", "a>b 1xx/*", "a>* */BYE", "a>b *#7", "a>b x-Y!"]
        {
            assert_eq!(text.parse::<Selector>().unwrap().to_string(), text);
        }
        assert_eq!(" a > b  ACK # 1 ".parse::<Selector>().unwrap().to_string(), "a>b ACK#1");
    }

    #[test]
    fn a_kind_is_told_from_start_line_and_cseq() {
        let ack = packet("ACK sip:bob@biloxi.com SIP/2.0", "1 ACK");
        let answer = packet("SIP/2.0 200 OK", "1 INVITE");
        for (kind, fits_ack, fits_answer) in [
            ("ACK", true, false),
            ("*", true, false),
            ("INVITE", false, false),
            ("200/INVITE", false, true),
            ("2xx/INVITE", false, true),
            ("*/*", false, true),
            ("200/BYE", false, false),
            ("202/INVITE", false, false),
            ("3xx/INVITE", false, false),
        ] {
            let kind: Kind = kind.parse().unwrap();
            let fits = |bytes: &[u8]| kind.fits(&Packet::read(bytes).unwrap());
            assert_eq!((fits(&ack), fits(&answer)), (fits_ack, fits_answer), "{kind}");
        }
    }

    #[test]
    fn what_is_no_selector_is_said_with_what_would_be_right() {
        for (text, right) in [
            ("a>b#0", "counted from 1"),
            ("a>b#99999999999", "counted from 1"),
            ("ab#1", "no `>`"),
            ("a b>c#1", "a node's name"),
            (">c#1", "a node's name"),
            ("a>b 200", "`200/INVITE`"),
            ("a>b 700/INVITE", "from 100 to 699"),
            ("a>b 2x/INVITE", "`2xx`"),
            ("a>b ACK BYE", "a kind of message"),
            ("a>b 200/", "a kind of message"),
        ] {
            let error = text.parse::<Selector>().unwrap_err();
            assert!(error.contains(right), "{text}: {error}");
        }
    }
}
