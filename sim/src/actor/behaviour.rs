//! The script of the user of a phone.

use sansip::message::header::NameAddrBuf;
use sansip::message::{StatusCode, UriBuf};
use sansip::user_agent::Body;
use sansip::{Duration, Instant};

/// The acts of the user of a phone, and when.
#[derive(Clone, Debug)]
pub struct Behaviour {
    /// Registers.
    pub register: Option<Register>,
    /// Makes these calls.
    pub calls: Vec<Outgoing>,
    /// Treats every incoming call so.
    pub incoming: Incoming,
    /// Rings by a provisional response that waits for its PRACK (RFC 3262); by 183 with the answer if the call is to be answered.
    pub rings_reliably: bool,
    /// Hangs up so long after a call is there for good: answered, or the ACK for the answer came.
    pub hang_up_after: Option<Duration>,
    /// Lets nothing ring longer: cancels or rejects then.
    pub ring_limit: Duration,
    /// Puts a call on hold so long after it is there for good, and takes it back a [`HOLD`] later.
    pub hold_after: Option<Duration>,
    /// Decides so, and so long after it was asked, about a change of the session that the peer wants; nothing leaves it undecided.
    pub change: Option<(Duration, Consent)>,
    /// Gives a call that it has made to somebody else.
    pub transfer: Option<Transfer>,
    /// From then on ends every call that it has, or gets.
    pub end_calls_from: Option<Instant>,
}

/// How long a call is on hold.
pub const HOLD: Duration = Duration::from_secs(1);

/// How a change of the session that the peer wants is decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Consent {
    /// It is accepted, with an answer that fits.
    Accept,
    /// It is refused: 488.
    Refuse,
}

/// A registration to make.
#[derive(Clone, Debug)]
pub struct Register {
    /// When.
    pub at: Instant,
    /// The Request-URI.
    pub registrar: UriBuf,
    /// In seconds.
    pub expires: u32,
}

/// A call to make.
#[derive(Clone, Debug)]
pub struct Outgoing {
    /// When.
    pub at: Instant,
    /// Whom.
    pub to: NameAddrBuf,
    /// With what description of the session.
    pub body: Option<Body>,
    /// Makes no offer, and answers that of the 2xx with the description so long after it came.
    pub late_offer: Option<Duration>,
    /// Cancels it so long after, if it is not answered by then.
    pub cancel_after: Option<Duration>,
}

/// A transfer of a call: the other end is asked to call somebody else (RFC 3515, RFC 5359 §2.4, §2.5). When that is done, the call is hung up.
#[derive(Clone, Debug)]
pub struct Transfer {
    /// So long after the call is there for good.
    pub after: Duration,
    /// To whom.
    pub to: NameAddrBuf,
    /// Calls who is to have the call first; the other end takes the place of this one in that call then (RFC 3891).
    pub attended: bool,
}

/// The reaction to an incoming call; times count from its arrival.
#[derive(Clone, Debug)]
pub struct Incoming {
    /// Rings.
    pub ring_after: Option<Duration>,
    /// Then does this; nothing lets it ring.
    pub then: Option<(Duration, Reaction)>,
}

/// How an incoming call is decided.
#[derive(Clone, Debug)]
pub enum Reaction {
    /// It is answered, with this body.
    Answer(Option<Body>),
    /// It is refused.
    Reject(StatusCode),
}

impl Default for Behaviour {
    /// Does nothing by itself; rings at once and lets it ring for a minute.
    fn default() -> Self {
        Self {
            register: None,
            calls: Vec::new(),
            incoming: Incoming { ring_after: Some(Duration::ZERO), then: None },
            hang_up_after: None,
            rings_reliably: false,
            hold_after: None,
            change: Some((Duration::ZERO, Consent::Accept)),
            ring_limit: Duration::from_secs(60),
            transfer: None,
            end_calls_from: None,
        }
    }
}
