//! Search in octets, eight at a time, and white space at the ends of a text.

/// Whether this is part of linear white space. Folds were checked when the header section was read.
pub(crate) const fn is_lws(octet: u8) -> bool {
    matches!(octet, b' ' | b'\t' | b'\r' | b'\n')
}

/// The text without linear white space around it.
pub(crate) fn trim(text: &[u8]) -> &[u8] {
    trim_start(trim_end(text))
}

pub(crate) fn trim_start(mut text: &[u8]) -> &[u8] {
    while let [first, rest @ ..] = text
        && is_lws(*first)
    {
        text = rest;
    }
    text
}

pub(crate) fn trim_end(mut text: &[u8]) -> &[u8] {
    while let [rest @ .., last] = text
        && is_lws(*last)
    {
        text = rest;
    }
    text
}

/// Where this octet first stands.
pub(crate) fn find(text: &[u8], octet: u8) -> Option<usize> {
    let sought = ONES * u64::from(octet);
    find_by(text, |word| zeros(word ^ sought), |other| other == octet)
}

/// Where one of two octets first stands.
pub(crate) fn find_either(text: &[u8], a: u8, b: u8) -> Option<usize> {
    let (a_word, b_word) = (ONES * u64::from(a), ONES * u64::from(b));
    find_by(text, |word| zeros(word ^ a_word) | zeros(word ^ b_word), |octet| octet == a || octet == b)
}

/// Where the first octet stands that may end a line or needs a second look: a control character up to carriage return. Values
/// are long enough that sixteen octets at a time pay.
pub(crate) fn find_control(text: &[u8]) -> Option<usize> {
    const FIRST_OTHERS: u64 = ONES * (b'\r' as u64 + 1);
    let hits = |word: u64| word.wrapping_sub(FIRST_OTHERS) & !word & HIGHS;
    let mut rest = text;
    while let Some((pair, behind)) = rest.split_first_chunk::<16>() {
        let ([first, second], _) = pair.as_chunks::<8>() else { break };
        let (first, second) = (hits(u64::from_le_bytes(*first)), hits(u64::from_le_bytes(*second)));
        if first | second != 0 {
            let at = if first == 0 { 8 + second.trailing_zeros() / 8 } else { first.trailing_zeros() / 8 };
            return Some(text.len() - rest.len() + at as usize);
        }
        rest = behind;
    }
    let at = find_by(rest, hits, |octet| octet <= b'\r')?;
    Some(text.len() - rest.len() + at)
}

/// Where the first octet stands that may end a URI in brackets or throws doubt on where it ends: `<`, `>`, a quote, white space or
/// another control character.
pub(crate) fn find_unclear(text: &[u8]) -> Option<usize> {
    const FIRST_CLEAR: u64 = ONES * (b' ' as u64 + 1);
    // `<` and `>` differ in one bit.
    const BIT: u64 = ONES * 2;
    let [quote, bracket, delete] = [b'"', b'>', 0x7f].map(|octet| ONES * u64::from(octet));
    let hits = |word: u64| {
        word.wrapping_sub(FIRST_CLEAR) & !word & HIGHS
            | zeros(word ^ quote)
            | zeros((word | BIT) ^ bracket)
            | zeros(word ^ delete)
    };
    find_by(text, hits, |octet| matches!(octet, 0..=b' ' | b'"' | b'<' | b'>' | 0x7f))
}

/// Finds an octet among eight, the first lowest: which bits stand up to the first such octet, and how many octets before it.
pub(crate) const fn first_of(word: u64, octet: u8) -> Option<(u64, usize)> {
    let hits = zeros(word ^ (ONES * octet as u64));
    // The highest bit of that octet, moved to its lowest.
    let first = (hits & hits.wrapping_neg()) >> 7;
    if hits == 0 { None } else { Some(((first << 8).wrapping_sub(1), first.trailing_zeros() as usize / 8)) }
}

/// One in each octet.
const ONES: u64 = u64::from_le_bytes([1; 8]);
/// The highest bit of each octet.
const HIGHS: u64 = ONES << 7;

/// Sets the highest bit of the first octet that is zero; perhaps those of later ones that are not.
const fn zeros(word: u64) -> u64 {
    word.wrapping_sub(ONES) & !word & HIGHS
}

/// Where the first octet stands that is sought, eight at a time: some 11 instructions a word. `hits` sets the highest bit of
/// the first octet of a word that is sought, `is_hit` says of a single octet whether it is.
///
/// Blocks of 16, which become vector instructions, were no better: what is searched here is a name or a part of a value.
#[inline(always)]
fn find_by(text: &[u8], hits: impl Fn(u64) -> u64, is_hit: impl Fn(u8) -> bool) -> Option<usize> {
    let mut rest = text;
    while let Some((word, behind)) = rest.split_first_chunk() {
        let hits = hits(u64::from_le_bytes(*word));
        if hits != 0 {
            return Some(text.len() - rest.len() + hits.trailing_zeros() as usize / 8);
        }
        rest = behind;
    }
    let at = rest.iter().position(|&octet| is_hit(octet))?;
    Some(text.len() - rest.len() + at)
}

/// Text before and after the first such octet, without it.
pub(crate) fn split_once(text: &[u8], octet: u8) -> Option<(&[u8], &[u8])> {
    let (before, after) = text.split_at_checked(find(text, octet)?)?;
    Some((before, after.get(1..)?))
}

/// Text before and after the first line end, without it.
pub(crate) fn split_line(text: &[u8]) -> Option<(&[u8], &[u8])> {
    let mut from = 0;
    loop {
        let at = from + find(text.get(from..)?, b'\r')?;
        match text.split_at_checked(at)? {
            (line, [b'\r', b'\n', behind @ ..]) => return Some((line, behind)),
            _ => from = at + 1,
        }
    }
}

/// How far into `whole` its part `part` begins.
pub(crate) fn offset_in(whole: &[u8], part: &[u8]) -> usize {
    (part.as_ptr() as usize).saturating_sub(whole.as_ptr() as usize)
}
