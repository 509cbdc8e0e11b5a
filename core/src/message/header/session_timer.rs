//! Session timers: Session-Expires, Min-SE (RFC 4028 §4, §5).

use super::numbers::seconds;
use super::{Header, write_others, write_text, write_unfolded};
use crate::message::error::{ParseError, ParseErrorKind};
use crate::message::name::HeaderId;
use crate::message::parameters::Parameters;
use crate::message::text::{self, Cursor};
use alloc::vec::Vec;

/// Who refreshes a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refresher {
    /// The UAC of the transaction that sets the interval.
    Uac,
    /// The UAS of the transaction that sets the interval.
    Uas,
}

impl Refresher {
    /// `uac` or `uas`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Uac => "uac",
            Self::Uas => "uas",
        }
    }
}

/// Session-Expires: the interval within which a session is refreshed (RFC 4028 §4).
#[derive(Clone, Copy, Debug)]
pub struct SessionExpires<'a> {
    /// The interval in seconds; more than fit are as many as fit.
    pub seconds: u32,
    /// Who refreshes, if that is settled.
    pub refresher: Option<Refresher>,
    /// All parameters. When it is written, the fields count, and of these only the others.
    pub parameters: Parameters<'a>,
}

impl<'a> Header<'a> for SessionExpires<'a> {
    const ID: HeaderId = HeaderId::SessionExpires;
    const LIST: bool = false;

    fn parse(value: &'a [u8]) -> Result<Self, ParseError> {
        let (seconds, parameters) = seconds_and_parameters(value)?;
        let bad = || ParseError::new(ParseErrorKind::Parameter, text::offset_in(value, parameters.as_bytes()));
        let refresher = match parameters.get("refresher") {
            None => None,
            Some(parameter) => match parameter.value {
                Some(uac) if uac.eq_ignore_ascii_case(b"uac") => Some(Refresher::Uac),
                Some(uas) if uas.eq_ignore_ascii_case(b"uas") => Some(Refresher::Uas),
                _ => return Err(bad()),
            },
        };
        Ok(Self { seconds, refresher, parameters })
    }

    fn write(&self, out: &mut Vec<u8>) {
        write_text(out, format_args!("{}", self.seconds));
        if let Some(refresher) = self.refresher {
            write_text(out, format_args!(";refresher={}", refresher.as_str()));
        }
        write_others(out, self.parameters, &["refresher"]);
    }
}

/// Min-SE: the least interval that an element of the path accepts (RFC 4028 §5).
#[derive(Clone, Copy, Debug)]
pub struct MinSe<'a> {
    /// The interval in seconds; more than fit are as many as fit.
    pub seconds: u32,
    /// The parameters.
    pub parameters: Parameters<'a>,
}

impl<'a> Header<'a> for MinSe<'a> {
    const ID: HeaderId = HeaderId::MinSe;
    const LIST: bool = false;

    fn parse(value: &'a [u8]) -> Result<Self, ParseError> {
        let (seconds, parameters) = seconds_and_parameters(value)?;
        Ok(Self { seconds, parameters })
    }

    fn write(&self, out: &mut Vec<u8>) {
        write_text(out, format_args!("{}", self.seconds));
        write_unfolded(out, self.parameters.as_bytes());
    }
}

fn seconds_and_parameters(value: &[u8]) -> Result<(u32, Parameters<'_>), ParseError> {
    let mut cursor = Cursor::new(value);
    let error = cursor.error(ParseErrorKind::Number);
    let number = seconds(text::trim(cursor.take_until(b';'))).ok_or(error)?;
    Ok((number, super::parameters(&mut cursor)?))
}

#[cfg(test)]
mod tests {
    use super::super::testing::{refused, round_trip};
    use super::{Header, MinSe, Refresher, SessionExpires};
    use crate::message::Parameters;
    use alloc::string::ToString;

    #[test]
    fn an_interval_and_who_refreshes() {
        // RFC 4028 §4.
        assert_eq!(round_trip::<SessionExpires<'_>>("4000;refresher=uac"), "4000;refresher=uac");
        let read = SessionExpires::parse(b"50 ;\r\n Refresher = UAS;x=1").unwrap();
        assert_eq!((read.seconds, read.refresher), (50, Some(Refresher::Uas)));
        assert_eq!(read.to_string(), "50;refresher=uas;x=1");
        let built = SessionExpires { seconds: 1800, refresher: None, parameters: Parameters::NONE };
        assert_eq!(built.to_string(), "1800");
        refused::<SessionExpires<'_>>(&["", "soon", "90 90", "90;refresher", "90;refresher=me", "-1", "90;"]);
    }

    #[test]
    fn the_least_interval() {
        assert_eq!(round_trip::<MinSe<'_>>("60;lr"), "60;lr");
        assert_eq!(MinSe::parse(b" 99999999999 ").unwrap().seconds, u32::MAX);
        refused::<MinSe<'_>>(&["", "x", "60 s", "60;=", "6,0"]);
    }
}
