//! What names a dialog (RFC 3261 §12).

use alloc::boxed::Box;

use crate::message::Request;

/// The identity of a dialog at this end: Call-ID, our tag and the peer's.
///
/// A peer of RFC 2543 may have no tag: it is null (§12.1.1, §12.1.2).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DialogId {
    /// The Call-ID.
    pub call_id: Box<str>,
    /// The tag that we chose.
    pub local_tag: Box<str>,
    /// The tag that the peer chose.
    pub remote_tag: Option<Box<str>>,
}

impl DialogId {
    /// The same, borrowed.
    pub fn as_key(&self) -> DialogKey<'_> {
        DialogKey { call_id: &self.call_id, local_tag: &self.local_tag, remote_tag: self.remote_tag.as_deref() }
    }
}

/// A [`DialogId`] as it stands in a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DialogKey<'a> {
    /// The Call-ID.
    pub call_id: &'a str,
    /// Our tag.
    pub local_tag: &'a str,
    /// The peer's tag.
    pub remote_tag: Option<&'a str>,
}

impl<'a> DialogKey<'a> {
    /// The dialog that a request received belongs to: our tag is in To. `None` if To has no tag: the request is outside
    /// of any dialog. The request must be one that can be [processed](Request::validate).
    pub fn of_request(request: &'a Request) -> Option<Self> {
        let headers = request.headers();
        Some(Self {
            call_id: headers.call_id()?,
            local_tag: headers.text_of_to()?.tag()?,
            remote_tag: headers.text_of_from()?.tag(),
        })
    }

    /// An owned copy.
    pub fn to_id(self) -> DialogId {
        DialogId {
            call_id: self.call_id.into(),
            local_tag: self.local_tag.into(),
            remote_tag: self.remote_tag.map(Into::into),
        }
    }

    /// The fields to hash. A null tag and an empty one (which no grammar allows) are the same to the hash, not to `==`.
    pub(crate) fn parts(self) -> [&'a [u8]; 3] {
        [self.call_id.as_bytes(), self.local_tag.as_bytes(), self.remote_tag.unwrap_or_default().as_bytes()]
    }
}
