//! The target of a REFER of a peer (RFC 3515 §2.4.3).

use crate::error::CommandError;
use crate::message::header::{NameAddrBuf, ReferTo};
use crate::message::{HeaderId, Request, unfolded};
use crate::targets::Target;
use crate::user_agent::client::Step;
use crate::user_agent::compose::Outgoing;

impl Outgoing {
    /// A request to the target of a REFER, of which [`Event::Referred`](crate::user_agent::Event::Referred) has told: Refer-To, with those header fields of its URI
    /// that may be honoured (RFC 3261 §19.1.5), and Referred-By as it came (RFC 3892 §2.2). A token that Referred-By names by its `cid` is a part
    /// of the REFER's body, and the application's to put into the body.
    ///
    /// # Errors
    /// `Invalid`: there is no Refer-To; `NotSip`: its URI is none.
    pub fn referred(refer: &Request) -> Result<Self, CommandError> {
        let headers = refer.headers();
        let Some(Ok(refer_to)) = headers.get::<ReferTo<'_>>() else { return Err(CommandError::Invalid("request")) };
        if !refer_to.uri.is_sip() {
            return Err(CommandError::NotSip);
        }
        let (uri, fields) = Step::to(&Target::new(refer_to.uri.to_buf())).into_parts();
        let to = [b"<", uri.as_bytes(), b">"].concat();
        let to = NameAddrBuf::parse(&to).map_err(|_| CommandError::Invalid("request"))?;
        let mut outgoing = Self::to(&to);
        for (name, value) in fields {
            outgoing = outgoing.header(name.as_str(), value);
        }
        if let Some(referrer) = headers.raw(HeaderId::ReferredBy) {
            outgoing.extra = outgoing
                .extra
                .with(HeaderId::ReferredBy, &*unfolded(referrer).map_err(|_| CommandError::Invalid("request"))?);
        }
        Ok(outgoing)
    }
}
