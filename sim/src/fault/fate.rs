//! The fate of one message.

use std::fmt;
use std::num::{NonZeroU8, NonZeroU32};
use std::str::FromStr;

use sansip::Duration;

use super::span::Span;

/// The fate of one datagram, or of one write to a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It never arrives: `drop`. A write to a stream is sent again by the transport, one second later (RFC 6298 §2).
    Lost,
    /// The stream is reset in its place: `reset`. Nothing happens to a datagram.
    Reset,
    /// It arrives.
    Arrives {
        /// So much later than the link would have it: `+700ms`. What follows on a stream waits for it.
        late: Duration,
        /// If it arrives twice, how long after the first time: `dup(+20ms)`. Nothing happens to a stream.
        again: Option<Duration>,
        /// If an octet is changed on the way, which and how: `flip(17^20)`. Nothing happens to a stream, whose transport would
        /// notice.
        flip: Option<Flip>,
        /// If a stream brings it in pieces, how long each is: `split(17)`. Nothing happens to a datagram.
        split: Option<NonZeroU32>,
    },
}

/// Bits of one octet that are inverted on the way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Flip {
    /// The octet's place, from 0; past the end it is counted on from the beginning.
    pub octet: u32,
    /// Which bits.
    pub mask: NonZeroU8,
}

/// One thing that can happen to a message; a [`Fate`] is several that go together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Effect {
    /// `drop`
    Drop,
    /// `reset`
    Reset,
    /// `+700ms`, never zero.
    Late(Duration),
    /// `dup(+20ms)`
    Again(Duration),
    /// `flip(17^20)`: octet 17 and the bits to invert, as two hexadecimal digits.
    Flip(Flip),
    /// `split(17)`
    Split(NonZeroU32),
}

impl Fate {
    /// Nothing happens to it.
    pub const FINE: Self = Self::Arrives { late: Duration::ZERO, again: None, flip: None, split: None };

    /// It arrives so much later.
    pub const fn late(late: Duration) -> Self {
        Self::Arrives { late, again: None, flip: None, split: None }
    }

    /// The effects that it is made of, in the order of their text form.
    pub fn effects(self) -> impl Iterator<Item = Effect> {
        let effects = match self {
            Self::Lost => [Some(Effect::Drop), None, None, None],
            Self::Reset => [Some(Effect::Reset), None, None, None],
            Self::Arrives { late, again, flip, split } => [
                (!late.is_zero()).then_some(Effect::Late(late)),
                again.map(Effect::Again),
                flip.map(Effect::Flip),
                split.map(Effect::Split),
            ],
        };
        effects.into_iter().flatten()
    }

    /// The effects in their text form, without the message they happen to.
    pub fn faults(self) -> impl Iterator<Item = String> {
        self.effects().map(|effect| effect.to_string())
    }

    /// This fate with one more effect; `None` if they contradict one another.
    #[must_use]
    pub fn with(self, effect: Effect) -> Option<Self> {
        let Self::Arrives { mut late, mut again, mut flip, mut split } = self else { return None };
        match effect {
            Effect::Drop => return (self == Self::FINE).then_some(Self::Lost),
            Effect::Reset => return (self == Self::FINE).then_some(Self::Reset),
            Effect::Late(by) if late.is_zero() => late = by,
            Effect::Again(after) if again.is_none() => again = Some(after),
            Effect::Flip(bits) if flip.is_none() => flip = Some(bits),
            Effect::Split(size) if split.is_none() => split = Some(size),
            _ => return None,
        }
        Some(Self::Arrives { late, again, flip, split })
    }

    /// Both at once: what keeps it from arriving wins, then the longer delay, then what `self` says.
    #[must_use]
    pub(crate) fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::Lost, _) | (_, Self::Lost) => Self::Lost,
            (Self::Reset, _) | (_, Self::Reset) => Self::Reset,
            (Self::Arrives { late, again, flip, split }, Self::Arrives { late: l, again: a, flip: f, split: s }) => {
                Self::Arrives { late: late.max(l), again: again.or(a), flip: flip.or(f), split: split.or(s) }
            }
        }
    }

    /// The part of it that a datagram can meet.
    #[must_use]
    pub fn of_datagram(self) -> Self {
        match self {
            Self::Lost => self,
            Self::Reset => Self::FINE,
            Self::Arrives { late, again, flip, .. } => Self::Arrives { late, again, flip, split: None },
        }
    }

    /// The part of it that a write to a stream can meet.
    #[must_use]
    pub fn of_stream(self) -> Self {
        match self {
            Self::Lost => Self::late(RESENT_AFTER),
            Self::Reset => self,
            Self::Arrives { late, split, .. } => Self::Arrives { late, again: None, flip: None, split },
        }
    }
}

/// After so long a stream's transport sends a lost segment again (RFC 6298 §2.4: the timer is at least one second).
const RESENT_AFTER: Duration = Duration::from_secs(1);

impl Flip {
    /// Inverts the bits.
    pub(crate) fn apply(self, bytes: &mut [u8]) {
        let length = bytes.len().max(1);
        if let Some(octet) = bytes.get_mut(self.octet as usize % length) {
            *octet ^= self.mask.get();
        }
    }
}

impl fmt::Display for Effect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Drop => f.write_str("drop"),
            Self::Reset => f.write_str("reset"),
            Self::Late(by) => write!(f, "+{}", Span(*by)),
            Self::Again(after) => write!(f, "dup(+{})", Span(*after)),
            Self::Flip(Flip { octet, mask }) => write!(f, "flip({octet}^{mask:02x})"),
            Self::Split(size) => write!(f, "split({size})"),
        }
    }
}

impl FromStr for Effect {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        const WHAT: &str =
            "what happens to a message is `drop`, `+700ms`, `dup(+20ms)`, `flip(17^20)`, `split(17)` or `reset`";
        let (name, argument) = match text.split_once('(') {
            Some((name, rest)) => (name, Some(rest.strip_suffix(')').ok_or("a `)` is missing at the end")?)),
            None => (text, None),
        };
        match (name, argument) {
            ("drop", None) => Ok(Self::Drop),
            ("reset", None) => Ok(Self::Reset),
            ("dup", Some(after)) => {
                let after = after.strip_prefix('+').and_then(Span::parse);
                after.map(Self::Again).ok_or("a copy comes some time later, as in `dup(+20ms)`")
            }
            ("flip", Some(bits)) => parse_flip(bits)
                .map(Self::Flip)
                .ok_or("octet and bits are changed as in `flip(17^20)`, the bits not 00"),
            ("split", Some(size)) => {
                let size = size.parse().ok();
                size.map(Self::Split).ok_or("pieces have a size of at least one octet, as in `split(17)`")
            }
            (late, None) if late.starts_with('+') => {
                let by = late.strip_prefix('+').and_then(Span::parse).filter(|by| !by.is_zero());
                by.map(Self::Late)
                    .ok_or("a delay is a whole number of s, ms, us or ns above 0 and up to 366 days, as in `+700ms`")
            }
            _ => Err(WHAT),
        }
    }
}

fn parse_flip(text: &str) -> Option<Flip> {
    let (octet, mask) = text.split_once('^')?;
    let two_digits = mask.len() == 2 && mask.bytes().all(|digit| digit.is_ascii_hexdigit());
    let mask = two_digits.then(|| u8::from_str_radix(mask, 16).ok())??;
    Some(Flip { octet: octet.parse().ok()?, mask: NonZeroU8::new(mask)? })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_effect_is_read_and_printed_exactly() {
        for text in
            ["drop", "reset", "+700ms", "+1us", "dup(+0ms)", "dup(+2s)", "flip(0^01)", "flip(17^a0)", "split(1)"]
        {
            assert_eq!(text.parse::<Effect>().unwrap().to_string(), text);
        }
    }

    #[test]
    fn what_is_no_effect_is_said_with_what_would_be_right() {
        for (text, right) in [
            ("lose", "`drop`, `+700ms`"),
            ("", "`drop`, `+700ms`"),
            ("drop()", "`drop`, `+700ms`"),
            ("+0ms", "above 0"),
            ("+7", "whole number of s, ms, us or ns"),
            ("+31622401s", "up to 366 days"),
            ("dup(+31622401s)", "`dup(+20ms)`"),
            ("+18446744073709551615s", "whole number"),
            ("dup(20ms)", "`dup(+20ms)`"),
            ("dup(+20ms", "a `)` is missing"),
            ("flip(17^00)", "not 00"),
            ("flip(17^2)", "`flip(17^20)`"),
            ("flip(17^+2)", "`flip(17^20)`"),
            ("flip(17)", "`flip(17^20)`"),
            ("split(0)", "at least one octet"),
        ] {
            let error = text.parse::<Effect>().unwrap_err();
            assert!(error.contains(right), "{text}: {error}");
        }
    }

    #[test]
    fn what_keeps_a_message_from_arriving_goes_with_nothing_else() {
        let late = Fate::late(Duration::from_millis(7));
        assert_eq!(late.with(Effect::Drop), None);
        assert_eq!(Fate::Lost.with(Effect::Reset), None);
        assert_eq!(late.with(Effect::Late(Duration::from_millis(8))), None);
        assert_eq!(late.and(Fate::Lost), Fate::Lost);
        assert_eq!(late.and(Fate::late(Duration::from_millis(9))), Fate::late(Duration::from_millis(9)));
    }

    #[test]
    fn a_loss_on_a_stream_is_a_delay_and_its_octets_stay_as_they_are() {
        assert_eq!(Fate::Lost.of_stream(), Fate::late(Duration::from_secs(1)));
        let flip = Fate::FINE.with(Effect::Flip(Flip { octet: 3, mask: NonZeroU8::MIN })).unwrap();
        assert_eq!((flip.of_stream(), flip.of_datagram()), (Fate::FINE, flip));
    }

    #[test]
    fn a_flip_inverts_its_bits_wherever_the_datagram_ends() {
        let mut bytes = *b"abc";
        Flip { octet: 4, mask: NonZeroU8::new(0x20).unwrap() }.apply(&mut bytes);
        assert_eq!(&bytes, b"aBc");
        Flip { octet: 4, mask: NonZeroU8::MIN }.apply(&mut []);
    }
}
