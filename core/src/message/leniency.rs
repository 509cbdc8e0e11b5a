//! What is taken though RFC 3261 does not allow it: each leniency by its name, and where a message uses one.
//!
//! Why each is there, and where it is off, is decided in `docs/decisions/leniency.md`.

use super::header::{CSeq, Contact, Header, NameAddr, NameAddrText, RecordRoute, Route, Via};
use super::headers::Headers;
use super::host::Host;
use super::method::Method;
use super::name::HeaderId;
use super::read::MessageView;
use super::text;
use super::uri::Uri;
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
    /// A tag has octets that no token has. Not `;`, `,`, `"`, `\`, angle brackets or white space; not `@` without brackets.
    OddTag,
    /// The address of From or To is malformed, and the element does not need it. Not if it is doubtful where a tag stands.
    MalformedAddress,
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
        Self::OddTag,
        Self::MalformedAddress,
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
            Self::OddTag => "odd-tag",
            Self::MalformedAddress => "malformed-address",
            Self::BareUtf8 => "bare-utf-8",
            Self::LargeCSeq => "large-cseq",
            Self::SeveralContacts => "several-contacts",
            Self::OddQ => "odd-q",
        }
    }
}

impl fmt::Display for Leniency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl MessageView<'_> {
    /// The leniencies that this message asks for, each with the octet at which it is first needed, in the order of
    /// [`Leniency::ALL`]. The question of a tool or a test: an element takes the message without asking.
    pub fn leniencies(&self) -> Vec<(Leniency, u32)> {
        let mut asked = Asked { message: self, found: Vec::new() };
        if let Ok(uri) = Uri::parse(self.uri_bytes()) {
            asked.uri(uri);
        }
        asked.headers(self.headers());
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
        for via in headers.all::<Via<'_>>().flatten() {
            self.host(via.sent_by.host);
        }
        for id in [HeaderId::To, HeaderId::From] {
            if let Some(value) = headers.raw(id) {
                self.from_or_to(value);
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
            let Ok(contact) = Contact::parse(value) else { continue };
            let Some(address) = contact.address() else { continue };
            if address.parameters.has("q") && contact.q().is_none() {
                self.note(Leniency::OddQ, value);
            }
            self.address(address);
        }
    }

    fn from_or_to(&mut self, value: &[u8]) {
        match (NameAddr::parse(value), NameAddrText::parse(value)) {
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
        if let Some(host) = uri.host() {
            self.host(host);
        }
    }

    fn host(&mut self, host: Host<'_>) {
        let Host::Name(name) = host else { return };
        let last = name.strip_suffix('.').unwrap_or(name).rsplit('.').next();
        if last.is_some_and(|label| label.starts_with(|first: char| first.is_ascii_digit())) {
            self.note(Leniency::DigitFirst, name.as_bytes());
        }
        if name.contains('_') {
            self.note(Leniency::Underscore, name.as_bytes());
        }
    }
}
