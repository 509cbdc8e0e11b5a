//! Loop detection (RFC 3261 §16.3 step 4 and §16.6 step 8, both as RFC 5393 §4.2 has them).
//!
//! The second part of a branch is a hash of everything in the request that decides where it goes. A request that comes back with
//! the same values has looped; with other values it is spiraling, which is legitimate.

use core::hash::Hasher;

use arrayvec::ArrayString;
use siphasher::sip::SipHasher13;

use crate::message::header::{Header, Via};
use crate::message::{HeaderId, HostPort, Request, TagParam};

/// Digits of a second part.
const LENGTH: usize = 16;

/// The last of them, which mark a second part as ours: a keyed hash of the others.
const MARK: usize = 5;

/// The second part of a branch.
pub(super) type SecondPart = ArrayString<LENGTH>;

/// The second part of a branch: the same for the same routing, never dependent on the method.
///
/// Call-ID and CSeq number are in it so that a collision does not repeat (RFC 5393 §4.2.4). The hash is keyed, so that no
/// peer can make two requests collide.
pub(super) fn second_part(key: &[u8; 16], request: &Request) -> SecondPart {
    let mut hasher = SipHasher13::new_with_key(key);
    let mut add = |bytes: &[u8]| {
        hasher.write_usize(bytes.len());
        hasher.write(bytes);
    };
    add(request.uri_bytes());
    for id in [HeaderId::Route, HeaderId::ProxyRequire] {
        request.headers().values(id, false).for_each(&mut add);
    }
    add(request.call_id().unwrap_or_default().as_bytes());
    add(&request.cseq().map_or(0, |cseq| cseq.number).to_be_bytes());
    for tag in [request.headers().text_of_from(), request.headers().text_of_to()] {
        add(tag.and_then(|address| address.tag()).map_or(&[][..], TagParam::as_bytes));
    }
    let part = marked(key, hasher.finish());
    let mut text = SecondPart::new();
    for shift in (0..LENGTH).rev() {
        let digit = (part >> (4 * shift) & 0xf) as u32;
        text.push(char::from_digit(digit, 16).unwrap_or('0'));
    }
    text
}

/// The number of a second part: the first digits of the hash, and the mark.
fn marked(key: &[u8; 16], hash: u64) -> u64 {
    let mask = (1 << (4 * MARK)) - 1;
    let hash = hash & !mask;
    let mut hasher = SipHasher13::new_with_key(key);
    hasher.write_u64(hash);
    hash | (hasher.finish() & mask)
}

/// Whether a branch ends with a second part that has our mark.
fn has_mark(key: &[u8; 16], branch: &str) -> bool {
    let Some((_, part)) = branch.rsplit_once('.') else { return false };
    let is_written = part.len() == LENGTH && part.bytes().all(|digit| matches!(digit, b'0'..=b'9' | b'a'..=b'f'));
    is_written && u64::from_str_radix(part, 16).is_ok_and(|number| marked(key, number) == number)
}

/// Whether a Via of our own says that we forwarded this request before with the same routing values.
pub(super) fn has_looped(request: &Request, second_part: &str, is_ours: impl Fn(HostPort<'_>) -> bool) -> bool {
    let headers = request.headers();
    // Hardly any Via has this text in it: the Vias are typed only if one has.
    let has_it = |via: &[u8]| via.split(|&octet| octet == b'.').any(|part| part.starts_with(second_part.as_bytes()));
    headers.values(HeaderId::Via, false).any(has_it)
        && headers.all::<Via<'_>>().flatten().any(|via| {
            via.branch().and_then(|branch| branch.rsplit_once('.')).is_some_and(|(_, part)| part == second_part)
                && is_ours(via.sent_by)
        })
}

/// How often a Via of our own behind the topmost one, which is that of the hop before, says that we forwarded this request, whatever its routing values
/// were. A Via is ours by its sent-by and by the keyed mark of its branch: an element with our name may be another one, and anybody can write the name.
pub(super) fn passes(key: &[u8; 16], request: &Request, is_ours: impl Fn(HostPort<'_>) -> bool) -> usize {
    let others = request.headers().values(HeaderId::Via, Via::LIST).skip(1);
    let is_own = |via: &Via<'_>| is_ours(via.sent_by) && via.branch().is_some_and(|branch| has_mark(key, branch));
    others.filter_map(|via| Via::parse(via).ok()).filter(is_own).count()
}
