//! What names a dialog (RFC 3261 §12).

use alloc::boxed::Box;
use core::fmt;

use crate::message::{Request, Response};

/// The identity of a dialog at this end: Call-ID, our tag and the peer's.
///
/// A peer of RFC 2543 may have no tag: it is null (§12.1.1, §12.1.2).
#[derive(Clone, PartialEq, Eq)]
pub struct DialogId {
    /// Call-ID, our tag and the peer's, one behind the other: one allocation for what lives as long as the call.
    text: Box<str>,
    /// Where the Call-ID ends.
    call_id: usize,
    /// Where our tag ends.
    local_tag: usize,
    has_remote_tag: bool,
}

impl DialogId {
    /// The same, borrowed.
    pub fn as_key(&self) -> DialogKey<'_> {
        let part = |from, to| self.text.get(from..to).unwrap_or_default();
        DialogKey {
            call_id: part(0, self.call_id),
            local_tag: part(self.call_id, self.local_tag),
            remote_tag: self.has_remote_tag.then(|| part(self.local_tag, self.text.len())),
        }
    }
}

impl fmt::Debug for DialogId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.as_key().fmt(f)
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

    /// The dialog that a response to our INVITE belongs to, or would make: our tag is in From. `None` if they lack what
    /// names a dialog. Both must be such as can be [processed](Response::validate).
    pub(crate) fn of_response(invite: &'a Request, response: &'a Response) -> Option<Self> {
        Some(Self {
            call_id: invite.headers().call_id()?,
            local_tag: invite.headers().text_of_from()?.tag()?,
            remote_tag: response.headers().text_of_to()?.tag(),
        })
    }

    /// An owned copy.
    pub fn to_id(self) -> DialogId {
        let Self { call_id, local_tag, remote_tag } = self;
        DialogId {
            text: [call_id, local_tag, remote_tag.unwrap_or_default()].concat().into(),
            call_id: call_id.len(),
            local_tag: call_id.len() + local_tag.len(),
            has_remote_tag: remote_tag.is_some(),
        }
    }

    /// The fields to hash. A null tag and an empty one (which no grammar allows) are the same to the hash, not to `==`.
    pub(crate) fn parts(self) -> [&'a [u8]; 3] {
        [self.call_id.as_bytes(), self.local_tag.as_bytes(), self.remote_tag.unwrap_or_default().as_bytes()]
    }
}
