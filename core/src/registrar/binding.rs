//! A binding: a contact of an address-of-record, and the way to it (RFC 3261 §10, RFC 3327, RFC 5626 §6).

use alloc::boxed::Box;
use alloc::string::String;
use core::net::IpAddr;

use crate::flow::Flow;
use crate::message::{Parameters, UriBuf};
use crate::time::Instant;

/// One contact that an address-of-record is bound to, until some time.
#[derive(Clone, Debug)]
pub struct Binding {
    /// The contact's URI, as it was registered.
    pub contact: UriBuf,
    /// The contact's preference in thousandths (`q`, RFC 3261 §20.10); 1000 if none was given.
    pub q: u16,
    /// When it ends.
    pub expires_at: Instant,
    /// When it was made or last refreshed.
    pub updated_at: Instant,
    /// The keyed hash of what the binding is compared by.
    pub(super) identity: u64,
    /// The contact's parameters but `expires`, each with its `;`, and behind them the Call-ID of the REGISTER that made or last
    /// refreshed the binding.
    pub(super) text: Box<[u8]>,
    /// Where the Call-ID begins in `text`.
    pub(super) call_id_at: u32,
    /// The CSeq number of that REGISTER.
    pub(super) cseq: u32,
    /// What few bindings have.
    pub(super) way: Option<Box<Way>>,
}

/// The way to a contact, where its URI alone does not say it.
#[derive(Clone, Debug, Default)]
pub struct Way {
    /// The flow that the REGISTER came along. Requests go along it first.
    pub flow: Option<Flow>,
    /// Whether nothing but the flow leads there: the contact is behind a NAT, a WebSocket client, or bound by RFC 5626. The binding
    /// ends with the flow.
    pub only_flow: bool,
    /// The proxies of the Path (RFC 3327), in their order.
    pub path: Box<[UriBuf]>,
    /// The instance and the flow's number (RFC 5626 §6) that the binding is compared by instead of its contact.
    pub outbound: Option<(Box<str>, u32)>,
    /// The address that the REGISTER came from, if it is special (loopback, a private one and the like): the contact may lead there.
    pub source: Option<IpAddr>,
}

/// A [`Binding`] as plain data, for a store that writes it down.
///
/// ```
/// use sansip::Instant;
/// use sansip::registrar::{Binding, Plain};
///
/// let plain = Plain {
///     contact: "sip:bob@192.0.2.4".parse()?,
///     q: 1_000,
///     expires_at: Instant::from_millis(3_600_000),
///     updated_at: Instant::ZERO,
///     parameters: b";+sip.instance=\"<urn:uuid:1>\"".as_slice().into(),
///     call_id: b"a84b4c76e66710".as_slice().into(),
///     cseq: 1826,
///     way: None,
/// };
/// let written = Plain::from(&Binding::from(plain.clone()));
/// assert_eq!((written.call_id, written.parameters), (plain.call_id, plain.parameters));
/// # Ok::<(), Box<dyn core::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct Plain {
    /// The contact's URI, as it was registered.
    pub contact: UriBuf,
    /// The contact's preference in thousandths.
    pub q: u16,
    /// When it ends.
    pub expires_at: Instant,
    /// When it was made or last refreshed.
    pub updated_at: Instant,
    /// The contact's parameters but `expires`, each with its `;`.
    pub parameters: Box<[u8]>,
    /// The Call-ID of the REGISTER that made or last refreshed the binding.
    pub call_id: Box<[u8]>,
    /// The CSeq number of that REGISTER.
    pub cseq: u32,
    /// The way to the contact, if its URI alone does not say it. Its flow is one of the node that has taken the REGISTER: for any other node there
    /// must be none.
    pub way: Option<Way>,
}

impl From<&Binding> for Plain {
    fn from(binding: &Binding) -> Self {
        Self {
            contact: binding.contact.clone(),
            q: binding.q,
            expires_at: binding.expires_at,
            updated_at: binding.updated_at,
            parameters: binding.parameters().into(),
            call_id: binding.call_id().into(),
            cseq: binding.cseq,
            way: binding.way().cloned(),
        }
    }
}

impl From<Plain> for Binding {
    fn from(plain: Plain) -> Self {
        Self {
            contact: plain.contact,
            q: plain.q,
            expires_at: plain.expires_at,
            updated_at: plain.updated_at,
            // Noted when the registrar takes the binding in.
            identity: 0,
            call_id_at: u32::try_from(plain.parameters.len()).unwrap_or(u32::MAX),
            text: [plain.parameters, plain.call_id].concat().into(),
            cseq: plain.cseq,
            way: plain.way.map(Box::new),
        }
    }
}

impl Binding {
    /// Whole seconds left at `now`, the last one begun counted in full.
    pub fn seconds_left(&self, now: Instant) -> u64 {
        let left = self.expires_at.since(now);
        left.as_secs() + u64::from(left.subsec_nanos() > 0)
    }

    /// The way to the contact, if its URI alone does not say it.
    pub fn way(&self) -> Option<&Way> {
        self.way.as_deref()
    }

    /// The contact's parameters but `expires`, each with its `;`.
    pub(super) fn parameters(&self) -> &[u8] {
        self.text.get(..self.call_id_at as usize).unwrap_or_default()
    }

    /// The Call-ID of the REGISTER that made or last refreshed the binding.
    pub(super) fn call_id(&self) -> &[u8] {
        self.text.get(self.call_id_at as usize..).unwrap_or_default()
    }

    /// Octets of text that the binding holds.
    pub(super) fn size(&self) -> usize {
        let path = |way: &Way| way.path.iter().map(|uri| uri.as_bytes().len()).sum::<usize>();
        let way = self.way().map_or(0, |way| path(way) + way.outbound.as_ref().map_or(0, |it| it.0.len()));
        self.contact.as_bytes().len() + self.text.len() + way
    }

    /// The instance that the contact is of (RFC 5626 §4.1), without its angle brackets.
    pub(super) fn instance(&self) -> Option<String> {
        let parameters = Parameters::parse(self.parameters()).ok()?;
        instance(parameters)
    }

    /// The flow that requests go along first.
    pub(super) fn flow(&self) -> Option<Flow> {
        self.way().and_then(|way| way.flow)
    }
}

/// The instance that the parameters of a contact name (RFC 5626 §4.1), without its angle brackets.
pub(super) fn instance(parameters: Parameters<'_>) -> Option<String> {
    let text = parameters.quoted("+sip.instance")?.to_text();
    let text = text.strip_prefix(b"<")?.strip_suffix(b">")?;
    core::str::from_utf8(text).ok().map(String::from)
}
