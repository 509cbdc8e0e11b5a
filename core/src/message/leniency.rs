//! Leniencies: what is taken though RFC 3261 does not allow it, each by its name, and where a message uses one.
//!
//! Why each is there, and where it is off, is decided in `docs/decisions/leniency.md`.

use super::header::{CSeq, Contact, Header, NameAddr, NameAddrText, RecordRoute, Route, Via};
use super::headers::Headers;
use super::host::Host;
use super::method::Method;
use super::name::HeaderId;
use super::read::MessageView;
use super::text;
use super::uri::{Uri, UserPart};
use alloc::vec::Vec;
use core::fmt;

/// One leniency.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Leniency {
    /// The last label of a host name begins with a digit. Not if it is all digits, or `0x` and hexadecimal digits.
    DigitFirst,
    /// A host name has an underscore.
    Underscore,
    /// Three colons in a row in an IPv6 address, which count as two (RFC 5118 §4.10).
    ThreeColons,
    /// The `received` of a Via has an IPv6 address in brackets (RFC 5118 §4.5).
    BracketedReceived,
    /// A tag has octets that no token has. Not `;`, `,`, `"`, `\`, angle brackets or white space; not `@` without brackets.
    OddTag,
    /// The address of From or To is malformed, and the element does not need it. Not if it is doubtful where a tag stands.
    MalformedAddress,
    /// One line of the header section has no colon: it is forwarded as it is, and means nothing. Not if it begins as a known
    /// header does, is folded or has a control character, and not in a multipart body.
    NoColon,
    /// The user part of a URI has `#`: off unless a telephone or server chooses it
    /// ([`UserPart::NumberSign`](super::UserPart::NumberSign)).
    NumberSign,
    /// A display name has UTF-8 outside of quotes.
    BareUtf8,
    /// A CSeq number is 2^31 or more (RFC 3261 §8.1.1.5).
    LargeCSeq,
    /// An INVITE has several Contacts (RFC 3261 §8.1.1.8): the first counts.
    SeveralContacts,
    /// The `q` of a Contact is above 1 or no number: it counts as absent.
    OddQ,
}

impl Leniency {
    /// Every leniency.
    pub const ALL: &'static [Self] = &[
        Self::DigitFirst,
        Self::Underscore,
        Self::ThreeColons,
        Self::BracketedReceived,
        Self::OddTag,
        Self::MalformedAddress,
        Self::NoColon,
        Self::NumberSign,
        Self::BareUtf8,
        Self::LargeCSeq,
        Self::SeveralContacts,
        Self::OddQ,
    ];

    /// A name in lower case, such as `digit-first`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::DigitFirst => "digit-first",
            Self::Underscore => "underscore",
            Self::ThreeColons => "three-colons",
            Self::BracketedReceived => "bracketed-received",
            Self::OddTag => "odd-tag",
            Self::MalformedAddress => "malformed-address",
            Self::NoColon => "no-colon",
            Self::NumberSign => "number-sign",
            Self::BareUtf8 => "bare-utf-8",
            Self::LargeCSeq => "large-cseq",
            Self::SeveralContacts => "several-contacts",
            Self::OddQ => "odd-q",
        }
    }

    /// Whether it is on by default.
    pub const fn is_default(self) -> bool {
        !matches!(self, Self::NumberSign)
    }

    /// Says in words what is taken.
    pub const fn words(self) -> &'static str {
        match self {
            Self::DigitFirst => "the last label of a host name begins with a digit",
            Self::Underscore => "a host name has an underscore",
            Self::ThreeColons => "an IPv6 address has three colons in a row",
            Self::BracketedReceived => "the received of a Via is in brackets",
            Self::OddTag => "a tag has octets that no token has",
            Self::MalformedAddress => "the address of From or To is malformed, though its tag can be read",
            Self::NoColon => "one header line has no colon",
            Self::NumberSign => "the user part of a URI has a number sign",
            Self::BareUtf8 => "a display name has UTF-8 outside of quotes",
            Self::LargeCSeq => "the CSeq number is 2^31 or more",
            Self::SeveralContacts => "an INVITE has several Contacts, of which the first counts",
            Self::OddQ => "the q of a Contact is no number from 0 to 1 and counts as absent",
        }
    }
}

impl fmt::Display for Leniency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl MessageView<'_> {
    /// The leniencies that this message asks for, those that are off by default included, each with the octet at which it is
    /// first needed, in the order of [`Leniency::ALL`]. The question of a tool or a test: an element takes the message without
    /// asking.
    pub fn leniencies(&self) -> Vec<(Leniency, u32)> {
        let message = self.clone().with_user_part(UserPart::NumberSign);
        let mut asked = Asked { message: &message, found: Vec::new() };
        if let Ok(uri) = Uri::parse_with(message.uri_bytes(), UserPart::NumberSign) {
            asked.uri(uri);
        }
        asked.headers(message.headers());
        asked.found.sort_unstable();
        asked.found.dedup_by_key(|(leniency, _)| *leniency);
        asked.found
    }
}

/// The leniencies that were found.
struct Asked<'m, 'a> {
    message: &'m MessageView<'a>,
    found: Vec<(Leniency, u32)>,
}

impl Asked<'_, '_> {
    fn note(&mut self, leniency: Leniency, place: &[u8]) {
        let offset = text::offset_in(self.message.as_bytes(), place);
        self.found.push((leniency, u32::try_from(offset).unwrap_or(u32::MAX)));
    }

    fn headers(&mut self, headers: Headers<'_>) {
        for field in headers.iter().filter(|field| field.name.as_str().is_empty()) {
            self.note(Leniency::NoColon, field.line);
        }
        for value in headers.values(HeaderId::Via, true) {
            let Ok(via) = Via::parse(value) else { continue };
            self.host(via.sent_by.host, value);
            if let Some(received) = via.parameters.value("received").filter(|received| received.starts_with(b"[")) {
                self.note(Leniency::BracketedReceived, received);
            }
        }
        for id in [HeaderId::To, HeaderId::From] {
            if let Some(value) = headers.raw(id) {
                self.address_or_tag(value);
            }
        }
        for route in headers.all::<Route<'_>>().flatten() {
            self.address(route.0);
        }
        for route in headers.all::<RecordRoute<'_>>().flatten() {
            self.address(route.0);
        }
        if let Some(value) = headers.raw(HeaderId::CSeq)
            && CSeq::parse(value).is_ok_and(|cseq| cseq.number > i32::MAX.unsigned_abs())
        {
            self.note(Leniency::LargeCSeq, value);
        }
        self.contacts(headers);
    }

    fn contacts(&mut self, headers: Headers<'_>) {
        for (count, value) in headers.values(HeaderId::Contact, true).enumerate() {
            if count == 1 && self.message.method() == Some(Method::Invite) {
                self.note(Leniency::SeveralContacts, value);
            }
            let Ok(contact) = Contact::parse_with(value, UserPart::NumberSign) else { continue };
            let Some(address) = contact.address() else { continue };
            if address.parameters.has("q") && contact.q().is_none() {
                self.note(Leniency::OddQ, value);
            }
            self.address(address);
        }
    }

    fn address_or_tag(&mut self, value: &[u8]) {
        match (NameAddr::parse_with(value, UserPart::NumberSign), NameAddrText::parse(value)) {
            (Ok(address), _) => self.address(address),
            (Err(_), Ok(_)) => self.note(Leniency::MalformedAddress, value),
            (Err(_), Err(_)) => {}
        }
    }

    fn address(&mut self, address: NameAddr<'_>) {
        if let Some(name) = address.display_name
            && name.first() != Some(&b'"')
            && !name.is_ascii()
        {
            self.note(Leniency::BareUtf8, name);
        }
        if let Some(tag) = address.tag()
            && !text::is_token(tag.as_bytes())
        {
            self.note(Leniency::OddTag, tag.as_bytes());
        }
        self.uri(address.uri);
    }

    fn uri(&mut self, uri: Uri<'_>) {
        if let Some(user) = uri.user().filter(|user| user.contains('#')) {
            self.note(Leniency::NumberSign, user.as_bytes());
        }
        if let Some(host) = uri.host() {
            self.host(host, uri.as_bytes());
        }
    }

    /// A host, which stands in this text.
    fn host(&mut self, host: Host<'_>, text: &[u8]) {
        let Host::Name(name) = host else {
            let address = text.split(|&octet| octet == b'[').nth(1).unwrap_or_default();
            if matches!(host, Host::V6(_)) && address.windows(3).any(|three| three == b":::") {
                self.note(Leniency::ThreeColons, address);
            }
            return;
        };
        let last = name.strip_suffix('.').unwrap_or(name).rsplit('.').next();
        if last.is_some_and(|label| label.starts_with(|first: char| first.is_ascii_digit())) {
            self.note(Leniency::DigitFirst, name.as_bytes());
        }
        if name.contains('_') {
            self.note(Leniency::Underscore, name.as_bytes());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Leniency;
    use crate::message::{Limits, MessageView, UserPart};
    use alloc::vec::Vec;

    const GOOD: &str = "INVITE sip:bob@biloxi.com SIP/2.0\r\n\
        Via: SIP/2.0/UDP pc33.atlanta.com;branch=z9hG4bKnashds10\r\n\
        From: \"Ren\u{e9}\" <sip:alice@atlanta.com>;tag=1928301774\r\n\
        To: Bob <sip:bob@biloxi.com>\r\n\
        Call-ID: a84b4c76e66710\r\n\
        CSeq: 2147483647 INVITE\r\n\
        Contact: <sip:alice@192.0.2.4>;q=1.000\r\n\r\n";

    /// Each leniency that a message asks for, with the text at its place.
    fn asked(text: &str) -> Vec<(Leniency, &str)> {
        let view = MessageView::parse(text.as_bytes(), &Limits::default()).unwrap_or_else(|error| panic!("{error}"));
        let asked = view.leniencies();
        let is_taken = asked.iter().all(|(leniency, _)| leniency.is_default());
        assert_eq!(view.validate().is_ok(), is_taken, "{text}");
        assert!(view.with_user_part(UserPart::NumberSign).validate().is_ok(), "{text}");
        asked
            .into_iter()
            .map(|(leniency, offset)| (leniency, text[offset as usize..].lines().next().unwrap_or_default()))
            .collect()
    }

    #[test]
    fn each_leniency_is_named_where_it_is_asked_for_and_nowhere_else() {
        assert_eq!(asked(GOOD), []);
        let mut named = Vec::new();
        for (from, to, leniency, place) in [
            ("pc33.atlanta.com;", "543dc521b9a2;", Leniency::DigitFirst, "543dc521b9a2;branch=z9hG4bKnashds10"),
            ("bob@biloxi.com SIP", "bob@3com SIP", Leniency::DigitFirst, "3com SIP/2.0"),
            (
                "pc33.atlanta.com;",
                "pc_33.atlanta.com;",
                Leniency::Underscore,
                "pc_33.atlanta.com;branch=z9hG4bKnashds10",
            ),
            (
                "alice@192.0.2.4",
                "alice@[2001:db8:::192.0.2.1]",
                Leniency::ThreeColons,
                "2001:db8:::192.0.2.1]>;q=1.000",
            ),
            (
                "com;branch",
                "com;received=[2001:db8::1];branch",
                Leniency::BracketedReceived,
                "[2001:db8::1];branch=z9hG4bKnashds10",
            ),
            ("tag=1928301774", "tag=a/b+c==", Leniency::OddTag, "a/b+c=="),
            ("Bob <sip:bob@biloxi.com>", "<sip:a|b@c>;tag=1", Leniency::MalformedAddress, "<sip:a|b@c>;tag=1"),
            ("Call-ID", "no colon\r\nCall-ID", Leniency::NoColon, "no colon"),
            ("bob@biloxi.com SIP", "*123#@biloxi.com SIP", Leniency::NumberSign, "*123#@biloxi.com SIP/2.0"),
            ("To: Bob", "To: Ren\u{e9}", Leniency::BareUtf8, "Ren\u{e9} <sip:bob@biloxi.com>"),
            ("2147483647", "2147483648", Leniency::LargeCSeq, "2147483648 INVITE"),
            ("q=1.000", "q=1.000, <sip:b@c>", Leniency::SeveralContacts, "<sip:b@c>"),
            ("q=1.000", "q=1.001", Leniency::OddQ, "<sip:alice@192.0.2.4>;q=1.001"),
        ] {
            assert!(GOOD.contains(from), "{from}");
            assert_eq!(asked(&GOOD.replace(from, to)), [(leniency, place)], "{to}");
            named.push(leniency);
        }
        named.dedup();
        assert_eq!(named, Leniency::ALL);
    }
}
