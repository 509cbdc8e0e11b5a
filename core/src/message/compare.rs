//! When two URIs, parameters and addresses are the same, and the key of an address-of-record (RFC 3261 §7.3.1,
//! §19.1.4, §10.3).

use super::header::NameAddr;
use super::host::Host;
use super::parameters::{Parameter, Parameters};
use super::quoted::Quoted;
use super::tel::Telephone;
use super::text::{self, RESERVED, USER};
use super::uri::{Scheme, Uri};
use alloc::borrow::Cow;
use alloc::boxed::Box;
use alloc::string::String;
use core::fmt::{self, Write};
use core::hash::{Hash, Hasher};

impl Uri<'_> {
    /// Whether both name the same resource (RFC 3261 §19.1.4). Two `tel` are compared by
    /// RFC 3966 §4; of other schemes the text is compared.
    pub fn equivalent(self, other: Uri<'_>) -> bool {
        if self.scheme() != other.scheme() {
            return false;
        }
        let (Some(host), Some(other_host)) = (self.host_port(), other.host_port()) else {
            return match (Telephone::of(self), Telephone::of(other)) {
                (Some(number), Some(other)) => number.equivalent(other),
                _ => after_scheme(self) == after_scheme(other),
            };
        };
        same_part(self.user(), other.user())
            && same_part(self.password(), other.password())
            && host == other_host
            && same_parameters(self.parameters(), other.parameters())
            && same_headers(self.headers(), other.headers())
    }

    /// Hashes the parts that two equivalent URIs always share: [`equivalent`](Self::equivalent) URIs have equal hashes. Parameters
    /// that count only if both URIs have them, and header fields, are left to the comparison.
    pub(crate) fn hash_equivalent(self, hasher: &mut impl Hasher) {
        let Some(host) = self.host_port() else {
            // RFC 3966 §4 compares telephones by their digits, and other schemes may differ in the case of the scheme.
            return hasher.write_u8(if Telephone::of(self).is_some() { 1 } else { 0 });
        };
        hasher.write_u8(if self.scheme() == Scheme::Sips { 3 } else { 2 });
        hash_part(self.user(), hasher);
        hash_part(self.password(), hasher);
        match host.host {
            Host::Name(name) => {
                let name = name.strip_suffix('.').unwrap_or(name);
                name.bytes().for_each(|letter| hasher.write_u8(letter.to_ascii_lowercase()));
            }
            Host::V4(address) => address.hash(hasher),
            Host::V6(address) => address.hash(hasher),
        }
        hasher.write_u8(0);
        host.port.hash(hasher);
        for name in NEVER_IGNORED {
            // A parameter that stands twice is equivalent by either value.
            hasher
                .write_u8(u8::from(self.parameters().iter().any(|it| same_text(it.name.as_bytes(), name.as_bytes()))));
        }
    }

    /// The canonical address-of-record. `None` unless sip or sips.
    pub fn address_of_record(self) -> Option<AddressOfRecord> {
        let host = self.host_port()?;
        let mut key = String::with_capacity(self.as_bytes().len());
        key.push_str(if self.scheme() == Scheme::Sips { "sips:" } else { "sip:" });
        if let Some(user) = self.user() {
            write_user(&mut key, user);
            key.push('@');
        }
        match host.host {
            Host::Name(name) => {
                let name = name.strip_suffix('.').unwrap_or(name);
                key.extend(name.chars().map(|letter| letter.to_ascii_lowercase()));
            }
            address => write!(key, "{address}").ok()?,
        }
        if let Some(port) = host.port {
            write!(key, ":{port}").ok()?;
        }
        Some(AddressOfRecord(key.into()))
    }
}

/// A canonical address-of-record (RFC 3261 §10.3 step 5): scheme and host in lower case, no password, parameters or headers,
/// and the user unescaped where the character may stand in a user part as it is. Two are equal just if they name the same
/// address-of-record; unlike that of URIs, this equality is transitive and may be hashed.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct AddressOfRecord(Box<str>);

impl AddressOfRecord {
    /// The canonical URI, such as `sip:alice@atlanta.com`.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl AsRef<str> for AddressOfRecord {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for AddressOfRecord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The canonical user part: unescaped where the character may stand in a user part as it is. Two are equal just if the user parts are the
/// same (RFC 3261 §19.1.4).
pub(crate) fn user_key(user: &str) -> Cow<'_, str> {
    if user.bytes().all(|octet| octet != b'%' && USER.has(octet)) {
        return Cow::Borrowed(user);
    }
    let mut key = String::with_capacity(user.len());
    write_user(&mut key, user);
    Cow::Owned(key)
}

fn write_user(key: &mut String, user: &str) {
    for unit in units(user.as_bytes()) {
        match unit {
            Unit::Plain(octet) | Unit::Escaped(octet) if USER.has(octet) => key.push(char::from(octet)),
            // Writing to a string does not fail.
            Unit::Plain(octet) | Unit::Escaped(octet) => _ = write!(key, "%{octet:02X}"),
        }
    }
}

impl NameAddr<'_> {
    /// Whether two values of From or of To are the same: URIs and tags are, and so is every other parameter that both have.
    /// Display names and angle brackets do not count (RFC 3261 §20.20, §20.39).
    pub fn equivalent(self, other: NameAddr<'_>) -> bool {
        let same = |mine: Parameter<'_>| other.parameters.get(mine.name).is_none_or(|theirs| mine.equivalent(theirs));
        self.parameters.tag("tag") == other.parameters.tag("tag")
            && self.uri.equivalent(other.uri)
            && self.parameters.iter().all(same)
    }
}

impl Parameter<'_> {
    /// Whether both parameters of a header value are the same: names and tokens without case, quoted strings by their text and
    /// with regard to case, hosts as hosts (RFC 3261 §7.3.1).
    pub fn equivalent(self, other: Parameter<'_>) -> bool {
        let (Some(a), Some(b)) = (self.value, other.value) else {
            return self.name.eq_ignore_ascii_case(other.name) && self.value == other.value;
        };
        let values = match (Quoted::parse(a), Quoted::parse(b)) {
            (Some(a), Some(b)) => a == b,
            (None, None) => a.eq_ignore_ascii_case(b) || same_address(a, b),
            _ => false,
        };
        self.name.eq_ignore_ascii_case(other.name) && values
    }
}

/// Whether both are the same IPv6 address.
fn same_address(a: &[u8], b: &[u8]) -> bool {
    matches!((Host::parse(a), Host::parse(b)), (Some(Host::V6(a)), Some(Host::V6(b))) if a == b)
}

fn after_scheme(uri: Uri<'_>) -> Option<&[u8]> {
    Some(text::split_once(uri.as_bytes(), b':')?.1)
}

/// The octets of a part of a URI, escapes resolved (RFC 3261 §19.1.2).
pub(crate) fn unescaped(text: &[u8]) -> impl Iterator<Item = u8> + '_ {
    let mut rest = text;
    core::iter::from_fn(move || {
        let (&first, tail) = rest.split_first()?;
        let digit = |octet: u8| char::from(octet).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
        if let (b'%', [high, low, after @ ..]) = (first, tail)
            && let (Some(high), Some(low)) = (digit(*high), digit(*low))
        {
            rest = after;
            return Some(high << 4 | low);
        }
        rest = tail;
        Some(first)
    })
}

/// A character that stands as it is, or one that was escaped and whose escape matters.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Unit {
    Plain(u8),
    Escaped(u8),
}

impl Unit {
    const fn lower(self) -> Self {
        match self {
            Self::Plain(octet) => Self::Plain(octet.to_ascii_lowercase()),
            escaped @ Self::Escaped(_) => escaped,
        }
    }
}

/// The text with escapes of all but reserved characters taken as the characters.
fn units(text: &[u8]) -> impl Iterator<Item = Unit> + '_ {
    let mut rest = text;
    core::iter::from_fn(move || {
        let (unit, tail) = match rest {
            [b'%', high, low, tail @ ..] => {
                let digit = |octet: &u8| char::from(*octet).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
                let octet = digit(high)? << 4 | digit(low)?;
                (if RESERVED.has(octet) { Unit::Escaped(octet) } else { Unit::Plain(octet) }, tail)
            }
            [octet, tail @ ..] => (Unit::Plain(*octet), tail),
            [] => return None,
        };
        rest = tail;
        Some(unit)
    })
}

fn hash_part(part: Option<&str>, hasher: &mut impl Hasher) {
    for unit in part.into_iter().flat_map(|part| units(part.as_bytes())) {
        match unit {
            Unit::Plain(octet) => hasher.write_u8(octet),
            Unit::Escaped(octet) => hasher.write(&[b'%', octet]),
        }
    }
    // Ends the part: neither octet stands in one.
    hasher.write_u8(if part.is_some() { b'@' } else { 0 });
}

/// User and password: with regard to case.
fn same_part(a: Option<&str>, b: Option<&str>) -> bool {
    match (a, b) {
        (Some(a), Some(b)) => units(a.as_bytes()).eq(units(b.as_bytes())),
        (None, None) => true,
        _ => false,
    }
}

/// Everything else: without case.
fn same_text(a: &[u8], b: &[u8]) -> bool {
    units(a).map(Unit::lower).eq(units(b).map(Unit::lower))
}

fn same_parameters(a: Parameters<'_>, b: Parameters<'_>) -> bool {
    parameters_match(a, b) && parameters_match(b, a)
}

/// The parameters that count even if only one URI has them (§19.1.4).
const NEVER_IGNORED: [&str; 5] = ["transport", "user", "method", "ttl", "maddr"];

/// Whether every parameter of `a` that counts has its like in `b`.
fn parameters_match(a: Parameters<'_>, b: Parameters<'_>) -> bool {
    a.iter().all(|mine| {
        let mut theirs = b.iter().filter(|theirs| same_text(mine.name.as_bytes(), theirs.name.as_bytes())).peekable();
        if theirs.peek().is_none() {
            return !NEVER_IGNORED.iter().any(|name| same_text(mine.name.as_bytes(), name.as_bytes()));
        }
        // None should be there twice; if it is, a URI is still equivalent to itself.
        theirs.any(|theirs| match (theirs.value, mine.value) {
            (None, None) => true,
            (Some(theirs), Some(mine)) => same_text(mine, theirs),
            _ => false,
        })
    })
}

fn same_headers(a: Option<&[u8]>, b: Option<&[u8]>) -> bool {
    let (Some(a), Some(b)) = (a, b) else { return a == b };
    let one_by_one = |text| <[u8]>::split(text, |&octet: &u8| octet == b'&');
    let each_in = |a, b| one_by_one(a).all(|mine| one_by_one(b).any(|theirs| same_text(mine, theirs)));
    one_by_one(a).count() == one_by_one(b).count() && each_in(a, b) && each_in(b, a)
}

#[cfg(test)]
mod tests {
    use super::Uri;
    use crate::message::Parameters;
    use crate::message::header::NameAddr;
    use alloc::string::ToString;
    use core::hash::Hasher;

    fn uri(text: &str) -> Uri<'_> {
        Uri::parse(text.as_bytes()).unwrap_or_else(|error| panic!("{text}: {error}"))
    }

    fn same(a: &str, b: &str) -> bool {
        let forth = uri(a).equivalent(uri(b));
        assert_eq!(forth, uri(b).equivalent(uri(a)), "{a} {b}: depends on the order");
        assert!(!forth || hash(a) == hash(b), "{a} {b}: equivalent, and hashed differently");
        forth
    }

    fn hash(text: &str) -> u64 {
        let mut hasher = siphasher::sip::SipHasher13::new();
        uri(text).hash_equivalent(&mut hasher);
        hasher.finish()
    }

    #[test]
    fn uris_that_differ_in_what_always_counts_are_hashed_differently() {
        let differ = [
            "sip:bob@192.0.2.4",
            "sips:bob@192.0.2.4",
            "sip:Bob@192.0.2.4",
            "sip:bob:x@192.0.2.4",
            "sip:192.0.2.4",
            "sip:bob@192.0.2.4:5060",
            "sip:bob@192.0.2.5",
            "sip:bob@[2001:db8::4]",
            "sip:bob@phone4",
            "sip:bob@192.0.2.4;transport=tcp",
        ];
        for (place, one) in differ.iter().enumerate() {
            assert!(differ.iter().skip(place + 1).all(|other| hash(one) != hash(other)), "{one}");
        }
    }

    #[test]
    fn a_uri_with_a_parameter_twice_is_itself() {
        assert!(same("sip:a.com;x=1;x=2", "sip:a.com;x=1;x=2"));
        assert!(!same("sip:a.com;x=1;x=2", "sip:a.com;x=1"));
    }

    #[test]
    fn the_equivalent_examples_of_the_rfc() {
        for (a, b) in [
            ("sip:%61lice@atlanta.com;transport=TCP", "sip:alice@AtLanTa.CoM;Transport=tcp"),
            ("sip:carol@chicago.com", "sip:carol@chicago.com;newparam=5"),
            ("sip:carol@chicago.com", "sip:carol@chicago.com;security=on"),
            ("sip:carol@chicago.com;newparam=5", "sip:carol@chicago.com;security=on"),
            (
                "sip:biloxi.com;transport=tcp;method=REGISTER?to=sip:bob%40biloxi.com",
                "sip:biloxi.com;method=REGISTER;transport=tcp?to=sip:bob%40biloxi.com",
            ),
            (
                "sip:alice@atlanta.com?subject=project%20x&priority=urgent",
                "sip:alice@atlanta.com?priority=urgent&subject=project%20x",
            ),
            ("sip:carol@chicago.com", "sip:carol@chicago.com;security=off"),
        ] {
            assert!(same(a, b), "{a} {b}");
        }
    }

    #[test]
    fn the_examples_of_the_rfc_that_differ() {
        for (a, b) in [
            ("SIP:ALICE@AtLanTa.CoM;Transport=udp", "sip:alice@AtLanTa.CoM;Transport=UDP"),
            ("sip:bob@biloxi.com", "sip:bob@biloxi.com:5060"),
            ("sip:bob@biloxi.com", "sip:bob@biloxi.com;transport=udp"),
            ("sip:bob@biloxi.com", "sip:bob@biloxi.com:6000;transport=tcp"),
            ("sip:carol@chicago.com", "sip:carol@chicago.com?Subject=next%20meeting"),
            ("sip:bob@phone21.boxesbybob.com", "sip:bob@192.0.2.4"),
            ("sip:carol@chicago.com;security=on", "sip:carol@chicago.com;security=off"),
        ] {
            assert!(!same(a, b), "{a} {b}");
        }
    }

    #[test]
    fn the_rules_that_have_no_example() {
        assert!(!same("sip:a@b.com", "sips:a@b.com"));
        assert!(!same("sip:b.com", "sip:a@b.com"));
        assert!(!same("sip:a:x@b.com", "sip:a@b.com"));
        assert!(!same("sip:a@b.com;user=phone", "sip:a@b.com"));
        assert!(!same("sip:a@b.com;ttl=1", "sip:a@b.com"));
        assert!(!same("sip:a@b.com;method=INVITE", "sip:a@b.com"));
        assert!(!same("sip:a@b.com;maddr=239.255.255.1", "sip:a@b.com"));
        assert!(same("sip:a@b.com;lr", "sip:a@b.com"));
        assert!(!same("sip:a@b.com?x=1&x=1", "sip:a@b.com?x=1"));
        assert!(!same("sip:a@b.com?x=1&x=2", "sip:a@b.com?x=1&x=1"));
    }

    #[test]
    fn an_escaped_reserved_character_is_another() {
        assert!(!same("sip:a;b@c.com", "sip:a%3bb@c.com"));
        assert!(same("sip:a%3Bb@c.com", "sip:a%3bb@c.com"));
        assert!(same("sip:a%2Db@c.com", "sip:a-b@c.com"));
        assert!(!same("sip:null-%00-null@example.com", "sip:null-@example.com"));
    }

    #[test]
    fn addresses_are_the_same_by_value() {
        assert!(same("sip:a@[2001:DB8::1]", "sip:a@[2001:db8:0:0:0:0:0:1]"));
        assert!(same("sip:a@b.com.", "sip:a@B.com"));
    }

    #[test]
    fn equality_is_not_transitive() {
        // RFC 3261 §19.1.4: two that differ in a parameter are both the same as one without it.
        let [on, without, off] =
            ["sip:carol@chicago.com;security=on", "sip:carol@chicago.com", "sip:carol@chicago.com;security=off"];
        assert!(same(on, without) && same(without, off) && !same(on, off));
    }

    #[test]
    fn addresses_of_ipv6_are_the_same_in_every_notation() {
        // RFC 5954 §3.2, §4.2.
        for (a, b) in [
            ("sip:bob@[2001:db8::9:1]", "sip:bob@[2001:db8::9:01]"),
            ("sip:bob@[2001:DB8:0:0:0:0:9:1]", "sip:bob@[2001:db8::9:1]"),
            ("sip:bob@[::ffff:192.0.2.128]", "sip:bob@[::ffff:c000:280]"),
            ("sip:bob@[2001:db8::1]:5060", "sip:bob@[2001:0DB8::0001]:5060"),
            ("sip:bob@[2001:db8::192.0.2.1]", "sip:bob@[2001:db8::c000:201]"),
        ] {
            assert!(same(a, b), "{a} {b}");
        }
        assert!(!same("sip:bob@[::ffff:192.0.2.128]", "sip:bob@192.0.2.128"));
        assert!(!same("sip:bob@[2001:db8::1]", "sip:bob@[2001:db8::1]:5060"));
        assert!(!same("sip:bob@[2001:db8::10:5070]", "sip:bob@[2001:db8::10]:5070"));
    }

    #[test]
    fn other_schemes_are_the_same_as_text() {
        assert!(same("HTTP://a.com/b", "http://a.com/b"));
        assert!(!same("http://a.com/b", "http://A.com/b"));
        assert!(!same("http://a.com/b", "https://a.com/b"));
        assert!(!same("tel:+1201", "sip:a@b.com"));
    }

    #[test]
    fn parameters_of_headers_are_the_same_by_their_kind() {
        let same = |a: &str, b: &str| {
            let one = |text| Parameters::parse(text).unwrap().iter().next().unwrap();
            one(a.as_bytes()).equivalent(one(b.as_bytes()))
        };
        // RFC 3261 §7.3.1.
        assert!(same(";expires=3600", ";ExPiReS=3600"));
        assert!(same(";a=B", ";A=b") && same(";a", "; A"));
        assert!(same(";a=\"B\"", ";a=\"\\B\"") && !same(";a=\"B\"", ";a=\"b\""));
        assert!(!same(";a=b", ";a=\"b\"") && !same(";a", ";a=b") && !same(";a=b", ";c=b"));
        assert!(same(";a=[2001:DB8::0:1]", ";a=[2001:db8::1]"));
    }

    #[test]
    fn addresses_are_the_same_whatever_is_shown() {
        let same = |a: &str, b: &str| {
            let read = |text| NameAddr::parse(text).unwrap();
            let (a, b) = (read(a.as_bytes()), read(b.as_bytes()));
            assert_eq!(a.equivalent(b), b.equivalent(a));
            a.equivalent(b)
        };
        // RFC 3261 §20.20, §20.39.
        assert!(same("\"A. G. Bell\" <sip:agb@bell.com> ;tag=a48s", "sip:agb@BELL.com;tag=A48S"));
        assert!(same("<sip:a@b.com>;tag=1;x=y", "<sip:a@b.com>;tag=1"));
        assert!(!same("<sip:a@b.com>;tag=1;x=y", "<sip:a@b.com>;tag=1;x=z"));
        assert!(!same("<sip:a@b.com>;tag=1", "<sip:a@b.com>"));
        assert!(!same("<sip:a@b.com>;tag=1", "<sip:c@b.com>;tag=1"));
    }

    #[test]
    fn an_address_of_record_is_canonical() {
        let key = |text| uri(text).address_of_record().map(|key| key.to_string());
        assert_eq!(key("SIP:%61lice:pw@AtLanTa.CoM.;transport=tcp?x=y").as_deref(), Some("sip:alice@atlanta.com"));
        assert_eq!(key("sip:a%3bb@c.com"), key("sip:a;b@c.com"));
        assert_eq!(key("sip:a%40b@c.com").as_deref(), Some("sip:a%40b@c.com"));
        assert_ne!(key("sip:null-%00-null@example.com"), key("sip:null-null@example.com"));
        assert_eq!(key("sips:a@[2001:DB8::1]:5061").as_deref(), Some("sips:a@[2001:db8::1]:5061"));
        assert_eq!(key("sip:Bob@c.com").as_deref(), Some("sip:Bob@c.com"));
        assert_eq!(key("tel:+1201"), None);
    }
}
