//! The keyed token in our Record-Route: the proof that we have recorded the route of a dialog, and when.
//!
//! The token is a keyed hash over the Call-ID, the caller's tag, the time, and the forwarding that it was written for. It lets
//! the requests of that dialog through (RFC 3261 §16.3 leaves to the owner what is forwarded), and it tells which two of our
//! values were written together (RFC 5658 §6.2).

use alloc::format;
use alloc::string::String;
use core::fmt;
use core::hash::Hasher;

use siphasher::sip128::{Hasher128, SipHasher24};

use crate::message::{Headers, Request, TagParam, Uri};
use crate::owner_tag::OwnerTag;
use crate::time::{Duration, Instant};
use crate::transport::{DialogKey, PEERS, Peers};

/// The URI parameter that carries the token.
const NAME: &str = "token";

/// Hexadecimal digits of the time and of the forwarding; then follow the place and the hash.
const NUMBER: usize = 8;

/// Hexadecimal digits of the hash: 96 bits.
const HASH: usize = 24;

/// The place of a Record-Route value among those of one forwarding.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    Alone,
    Upper,
    Lower,
}

impl Place {
    const ALL: [Self; 3] = [Self::Alone, Self::Upper, Self::Lower];

    const fn letter(self) -> char {
        match self {
            Self::Alone => 'a',
            Self::Upper => 'u',
            Self::Lower => 'l',
        }
    }
}

/// What a token says, if it is one of ours for this dialog.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Token {
    /// When the route was recorded, in seconds, rounded up; 0 if the proxy has no clock.
    made: u32,
    /// Which forwarding it was.
    forwarding: u32,
    place: Place,
}

impl Token {
    /// Whether this and the next value were written together for one forwarding.
    pub(super) fn is_pair_with(self, next: Self) -> bool {
        let places = matches!((self.place, next.place), (Place::Upper, Place::Lower) | (Place::Lower, Place::Upper));
        places && self.made == next.made && self.forwarding == next.forwarding
    }

    /// Whether the token lets requests through at `now`: it has a time, which is not longer ago than `age`.
    pub(super) fn is_valid(self, now: Instant, age: Duration) -> bool {
        self.made != 0 && now.since(Instant::from_millis(u64::from(self.made) * 1_000)) <= age
    }
}

/// The key of the tokens, and what each begins with.
#[derive(Clone)]
pub(super) struct TokenKey {
    key: [u8; 16],
    owner: OwnerTag,
}

impl TokenKey {
    pub(super) const fn new(key: [u8; 16], owner: OwnerTag) -> Self {
        Self { key, owner }
    }

    /// The parameters of the values for one forwarding of `request`: that of a value that stands alone, of the upper and of the
    /// lower one. A proxy without a clock gives no time.
    pub(super) fn parameters(&self, request: &Request, now: Option<Instant>) -> [String; 3] {
        let headers = request.headers();
        // A token of the first moment has a time, too.
        let made = now.map_or(0, |now| u32::try_from(now.as_millis() / 1_000 + 1).unwrap_or(u32::MAX));
        let forwarding = self.forwarding(headers);
        let caller = headers.text_of_from().and_then(|from| from.tag());
        Place::ALL.map(|place| {
            let token = Token { made, forwarding, place };
            let [owner, dot] = self.owner.parts();
            format!(";{NAME}={owner}{dot}{}", self.text(token, headers, caller))
        })
    }

    /// Reads the token in one of our Record-Route values that has come back with a request of its dialog. The caller's tag is then
    /// in From or in To.
    pub(super) fn read(&self, uri: Uri<'_>, headers: Headers<'_>) -> Option<Token> {
        self.proved(uri, headers).map(|(token, _)| token)
    }

    /// The token, and the caller's tag.
    fn proved<'h>(&self, uri: Uri<'_>, headers: Headers<'h>) -> Option<(Token, Option<TagParam<'h>>)> {
        let text = core::str::from_utf8(token_of(uri)?).ok()?;
        let text = text.rsplit_once('.').map_or(text, |(_owner, token)| token);
        if !text.is_ascii() || text.len() != 2 * NUMBER + 1 + HASH {
            return None;
        }
        let number = |digits: &str| u32::from_str_radix(digits, 16).ok();
        let (made, rest) = text.split_at_checked(NUMBER)?;
        let (forwarding, rest) = rest.split_at_checked(NUMBER)?;
        let place = Place::ALL.into_iter().find(|place| rest.starts_with(place.letter()))?;
        let token = Token { made: number(made)?, forwarding: number(forwarding)?, place };
        let tags = [headers.text_of_from(), headers.text_of_to()].map(|address| address.and_then(|it| it.tag()));
        let caller = tags.into_iter().find(|caller| same(&self.text(token, headers, *caller), text))?;
        Some((token, caller))
    }

    /// The key of the dialog that a request with these headers begins, or is of, whose caller has this tag.
    pub(super) fn dialog(&self, headers: Headers<'_>, caller: Option<TagParam<'_>>) -> DialogKey {
        let mut hasher = SipHasher24::new_with_key(&self.key);
        for part in [b"dialog", call_id(headers), tag(caller)] {
            hasher.write(part);
            // Ends the part: no header has this octet.
            hasher.write_u8(0);
        }
        hasher.finish128().as_u128().to_le_bytes()
    }

    /// The key of the dialog that `request` begins.
    pub(super) fn dialog_of(&self, request: &Request) -> DialogKey {
        let headers = request.headers();
        self.dialog(headers, headers.text_of_from().and_then(|from| from.tag()))
    }

    /// The peers that one of our Record-Route values tells, which has come back with a request of its dialog.
    pub(super) fn peers(&self, uri: Uri<'_>, headers: Headers<'_>) -> Option<Peers> {
        let told = uri.parameters().value(PEERS)?;
        let (_, caller) = self.proved(uri, headers)?;
        Some(Peers::read(self.dialog(headers, caller), told))
    }

    /// A number that two forwardings of one request do not have in common, as their topmost Vias differ.
    fn forwarding(&self, headers: Headers<'_>) -> u32 {
        let mut hasher = SipHasher24::new_with_key(&self.key);
        hasher.write(b"forwarding");
        hasher.write(headers.top_via().and_then(|via| via.branch()).unwrap_or_default().as_bytes());
        hasher.finish128().as_u128() as u32
    }

    fn text(&self, token: Token, headers: Headers<'_>, caller: Option<TagParam<'_>>) -> String {
        let Token { made, forwarding, place } = token;
        let mut hasher = SipHasher24::new_with_key(&self.key);
        for part in [call_id(headers), tag(caller)] {
            hasher.write(part);
            // Ends the part: no header has this octet.
            hasher.write_u8(0);
        }
        hasher.write_u32(made.to_le());
        hasher.write_u32(forwarding.to_le());
        hasher.write_u8(place.letter() as u8);
        let hash = hasher.finish128().as_u128() >> 32;
        format!("{made:0NUMBER$x}{forwarding:0NUMBER$x}{}{hash:0HASH$x}", place.letter())
    }
}

fn call_id(headers: Headers<'_>) -> &[u8] {
    headers.call_id().unwrap_or_default().as_bytes()
}

fn tag(of: Option<TagParam<'_>>) -> &[u8] {
    of.map_or(&[], TagParam::as_bytes)
}

/// The token in a Record-Route value, of whoever wrote it.
pub(super) fn token_of(uri: Uri<'_>) -> Option<&[u8]> {
    uri.parameters().value(NAME)
}

/// Compares all of both texts, wherever the first difference is: the time taken says nothing of the right one.
fn same(a: &str, b: &str) -> bool {
    let differences = a.bytes().zip(b.bytes()).fold(0, |all, (a, b)| core::hint::black_box(all | (a ^ b)));
    a.len() == b.len() && differences == 0
}

impl fmt::Debug for TokenKey {
    /// Whoever knows the key can make tokens: it is not shown.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TokenKey(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::{Message, UriBuf};

    const NOW: Instant = Instant::from_millis(1_000_000);
    const AGE: Duration = Duration::from_secs(60);

    fn request(branch: &str, call_id: &str, from: &str, to: &str) -> Request {
        let text = format!(
            "BYE sip:bob@192.0.2.4 SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK{branch}\r\n\
             From: <sip:alice@atlanta.com>{from}\r\nTo: <sip:bob@biloxi.com>{to}\r\nCall-ID: {call_id}\r\n\
             CSeq: 1 BYE\r\n\r\n"
        );
        match Message::parse(text.as_bytes(), &Default::default()).unwrap() {
            Message::Request(request) => request,
            Message::Response(_) => panic!("a request"),
        }
    }

    fn invite() -> Request {
        request("1", "c", ";tag=a", "")
    }

    fn key() -> TokenKey {
        TokenKey::new([7; 16], OwnerTag::NONE)
    }

    fn read(key: &TokenKey, parameters: &str, request: &Request) -> Option<Token> {
        let uri: UriBuf = format!("sip:p.example.com;lr{parameters}").parse().unwrap();
        key.read(uri.as_uri(), request.headers())
    }

    #[test]
    fn a_token_is_for_its_call_id_and_the_callers_tag_on_either_side() {
        let [alone, ..] = key().parameters(&invite(), Some(NOW));
        let of = |request| read(&key(), &alone, &request).is_some();
        assert!(of(request("2", "c", ";tag=a", ";tag=b")), "from the caller");
        assert!(of(request("3", "c", ";tag=b", ";tag=a")), "from the callee");
        assert!(!of(request("4", "d", ";tag=a", ";tag=b")), "another call");
        assert!(!of(request("5", "c", ";tag=x", ";tag=b")), "another caller");
        assert!(!of(request("6", "ca", "", ";tag=b")), "the parts are kept apart");
    }

    #[test]
    fn every_digit_of_a_token_counts() {
        let [alone, ..] = key().parameters(&invite(), Some(NOW));
        assert!(read(&key(), &alone, &invite()).is_some());
        for place in ";token=".len()..alone.len() {
            let mut forged = alone.clone().into_bytes();
            forged[place] = if forged[place] == b'0' { b'1' } else { b'0' };
            let forged = String::from_utf8(forged).unwrap();
            assert_eq!(read(&key(), &forged, &invite()), None, "{forged}");
        }
        for forged in ["", ";token", ";token=0", ";token=a.b.c", ";token=%41"] {
            assert_eq!(read(&key(), forged, &invite()), None, "{forged}");
        }
        assert_eq!(read(&TokenKey::new([8; 16], OwnerTag::NONE), &alone, &invite()), None, "another key");
    }

    #[test]
    fn a_token_ages_and_one_without_a_time_lets_nothing_through() {
        let [alone, ..] = key().parameters(&invite(), Some(NOW));
        let token = read(&key(), &alone, &invite()).unwrap();
        assert!(token.is_valid(NOW, AGE));
        assert!(token.is_valid(NOW + AGE, AGE));
        assert!(!token.is_valid(NOW + AGE + Duration::from_secs(2), AGE));
        let [first, ..] = key().parameters(&invite(), Some(Instant::ZERO));
        assert!(read(&key(), &first, &invite()).unwrap().is_valid(Instant::ZERO, AGE));
        let [timeless, ..] = key().parameters(&invite(), None);
        assert!(!read(&key(), &timeless, &invite()).unwrap().is_valid(Instant::ZERO, AGE));
    }

    #[test]
    fn the_upper_and_the_lower_of_one_forwarding_are_a_pair_and_nothing_else_is() {
        let read_all = |request: &Request, now| {
            key().parameters(request, Some(now)).map(|parameters| read(&key(), &parameters, &invite()).unwrap())
        };
        let [alone, upper, lower] = read_all(&invite(), NOW);
        assert!(upper.is_pair_with(lower) && lower.is_pair_with(upper));
        assert!(!upper.is_pair_with(upper) && !alone.is_pair_with(lower) && !upper.is_pair_with(alone));
        // The request came by once more, as a spiral does.
        let [_, _, other] = read_all(&request("2", "c", ";tag=a", ""), NOW);
        assert!(!upper.is_pair_with(other));
        let [_, _, later] = read_all(&invite(), NOW + Duration::from_secs(1));
        assert!(!upper.is_pair_with(later));
    }

    #[test]
    fn the_owner_stands_before_the_token_and_does_not_matter_to_it() {
        let of = |owner: &str| TokenKey::new([7; 16], owner.parse().unwrap());
        let [alone, ..] = of("s1").parameters(&invite(), Some(NOW));
        assert!(alone.starts_with(";token=s1."));
        // Another server of the farm takes the dialog on.
        assert!(read(&of("s2"), &alone, &invite()).is_some());
    }
}
