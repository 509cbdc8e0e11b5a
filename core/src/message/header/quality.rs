//! `qvalue`: how much something is wanted (RFC 3261 §25.1).

use crate::message::error::{ParseError, ParseErrorKind};
use crate::message::parameters::Parameters;

/// `qvalue` in thousandths: 0 to 1 with up to three decimals.
pub(super) fn thousandths(text: &[u8]) -> Option<u16> {
    let (whole, decimals) = match text {
        [whole] => (whole, &[][..]),
        [whole, b'.', decimals @ ..] if decimals.len() <= 3 => (whole, decimals),
        _ => return None,
    };
    let padded = decimals.iter().chain(b"000").take(3);
    let value = core::iter::once(whole)
        .chain(padded)
        .try_fold(0_u16, |value, digit| digit.is_ascii_digit().then(|| value * 10 + u16::from(digit - b'0')))?;
    (value <= 1000).then_some(value)
}

/// The `q` of these parameters.
pub(super) fn q(parameters: Parameters<'_>) -> Option<u16> {
    thousandths(parameters.value("q")?)
}

/// That `q` is absent or a `qvalue`.
pub(super) fn check(parameters: Parameters<'_>, at: usize) -> Result<(), ParseError> {
    if parameters.has("q") && q(parameters).is_none() {
        return Err(ParseError::new(ParseErrorKind::Number, at));
    }
    Ok(())
}
