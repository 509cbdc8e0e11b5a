//! What a response asks to be done again, as one pure table (RFC 3261 §8.1.3.5, §10.2.8).

use crate::message::header::{CSeq, Expires, Header, MinExpires};
use crate::message::{BuildError, HeaderId, Method, Request, Response, StatusCode};
use alloc::vec::Vec;

/// What was done again before.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Tried {
    /// A longer interval was asked for after a 423.
    interval: bool,
    /// The owner wants nothing done again.
    pub(super) settled: bool,
}

impl Tried {
    /// Notes that the request went out again with this change.
    pub(super) const fn note(&mut self, amendment: Amendment) {
        match amendment {
            Amendment::Interval(_) => self.interval = true,
        }
    }
}

/// What becomes of a request after a final response.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// The response is the end.
    Over,
    /// The request is sent once more with this change.
    Again(Amendment),
}

/// A change of a request that is sent once more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::user_agent) enum Amendment {
    /// This Expires, in seconds (§10.2.8).
    Interval(u32),
}

impl Amendment {
    /// The request with this change and the next CSeq number; Call-ID, From with its tag, and To stay (§8.1.3.5).
    ///
    /// # Errors
    /// The request cannot be written so, or its CSeq cannot be read.
    pub(super) fn applied_to(self, request: &Request) -> Result<Request, BuildError> {
        let CSeq { number, method } = request.cseq().ok_or(BuildError::NoSuchValue)?;
        let edit = request.edit().replace(HeaderId::CSeq, written(&CSeq { number: number.saturating_add(1), method }));
        match self {
            Self::Interval(seconds) => edit.replace(HeaderId::Expires, written(&Expires(seconds))),
        }
        .finish()
    }
}

fn written<'h, H: Header<'h>>(header: &H) -> Vec<u8> {
    let mut value = Vec::new();
    header.write(&mut value);
    value
}

/// What becomes of `sent` after this final response.
pub(super) fn next(sent: &Request, response: &Response, tried: &Tried) -> Verdict {
    if tried.settled {
        return Verdict::Over;
    }
    match response.status() {
        StatusCode::INTERVAL_TOO_BRIEF if sent.method() == Method::Register && !tried.interval => {
            longer(sent, response).map_or(Verdict::Over, Verdict::Again)
        }
        _ => Verdict::Over,
    }
}

/// 423: as long as the registrar wants at least, if that is more than was asked for (§10.2.8).
fn longer(sent: &Request, response: &Response) -> Option<Amendment> {
    let MinExpires(least) = response.headers().get::<MinExpires>()?.ok()?;
    let Expires(asked) = sent.headers().get::<Expires>()?.ok()?;
    (least > asked).then_some(Amendment::Interval(least))
}
