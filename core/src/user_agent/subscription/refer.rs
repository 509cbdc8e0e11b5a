//! The wishes of a REFER of ours (RFC 3515 §2.4.1).

use crate::error::CommandError;
use crate::extension::{Extension, Extensions};
use crate::message::header::NameAddrBuf;
use crate::message::{HeaderId, HeaderName, UriBuf};
use crate::user_agent::compose::{Body, Extra};

/// The header fields that the core writes into a REFER besides those of every request.
const OWNED: [HeaderId; 4] = [HeaderId::ReferTo, HeaderId::ReferredBy, HeaderId::Event, HeaderId::SubscriptionState];

/// The field of RFC 4488 §4.
pub(super) const REFER_SUB: HeaderName<'static> = HeaderName::Other("Refer-Sub");

/// The wishes of a referrer: whom the peer is to contact (RFC 3515 §2.4.1).
///
/// ```
/// # use sansip::user_agent::Refer;
/// let carol = "sip:carol@cleveland.example.org".parse()?;
/// let transfer = Refer::to(&carol).referred_by(&"<sip:bob@biloxi.com>".parse()?);
/// # let _ = transfer;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct Refer {
    pub(in crate::user_agent) target: UriBuf,
    referred_by: Option<NameAddrBuf>,
    pub(super) without_subscription: bool,
    extra: Extra,
}

impl Refer {
    /// The peer is to contact that URI, of any scheme: a SIP URI is called, unless its `method` parameter says another method (RFC 3515 §2.1).
    pub fn to(target: &UriBuf) -> Self {
        Self { target: target.clone(), referred_by: None, without_subscription: false, extra: Extra::new() }
    }

    /// Says in Referred-By who refers: the peer hands it on to whom it contacts (RFC 3892 §2.1).
    #[must_use]
    pub fn referred_by(mut self, referrer: &NameAddrBuf) -> Self {
        self.referred_by = Some(referrer.clone());
        self
    }

    /// Asks for no subscription: `Refer-Sub: false` (RFC 4488 §4). A peer that does not know this makes one all the same. Only where the REFER
    /// cannot fork, which none in a dialog does. [`Extension::NoReferSubscription`] must be among the
    /// [`Profile::extensions`](field@crate::user_agent::Profile::extensions).
    #[must_use]
    pub const fn without_subscription(mut self) -> Self {
        self.without_subscription = true;
        self
    }

    /// Adds a header field: see [`Extra::header`].
    #[must_use]
    pub fn header<'n>(mut self, name: impl Into<HeaderName<'n>>, value: impl AsRef<[u8]>) -> Self {
        self.extra = self.extra.header(name, value);
        self
    }

    /// Sets the body, such as the token that Referred-By names by its `cid` (RFC 3892 §2.1).
    #[must_use]
    pub fn body(mut self, body: impl Into<Option<Body>>) -> Self {
        self.extra = self.extra.body(body);
        self
    }

    /// Keeps the first error, for the command that takes this.
    pub(in crate::user_agent) fn fail(&mut self, error: CommandError) {
        self.extra.fail(error);
    }

    /// The fields and the body of the REFER.
    ///
    /// # Errors
    /// `HeaderOwned`; `Invalid`: `extension`, or what cannot be carried.
    pub(super) fn fields(&self, extensions: Extensions) -> Result<Extra, CommandError> {
        if let Some(id) = OWNED.into_iter().find(|id| self.extra.contains(*id)) {
            return Err(CommandError::HeaderOwned(id.as_str()));
        }
        let refer_to = [b"<", self.target.as_bytes(), b">"].concat();
        let mut extra = Extra::new().with(HeaderId::ReferTo, refer_to);
        if let Some(referrer) = &self.referred_by {
            extra = extra.with(HeaderId::ReferredBy, referrer.as_bytes());
        }
        if self.without_subscription {
            if !extensions.contains(Extension::NoReferSubscription) {
                return Err(CommandError::Invalid("extension"));
            }
            extra = extra.with(REFER_SUB, b"false").with(HeaderId::Supported, alloc::format!("{extensions}"));
        }
        let extra = extra.and(&self.extra);
        extra.check()?;
        Ok(extra)
    }
}

impl From<&UriBuf> for Refer {
    fn from(target: &UriBuf) -> Self {
        Self::to(target)
    }
}
