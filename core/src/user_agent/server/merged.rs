//! How merged requests are told: by what names a request outside of dialogs (RFC 3261 §8.2.2.2).

use alloc::boxed::Box;
use alloc::vec::Vec;

use crate::message::{Request, TagParam};

/// From tag, Call-ID and CSeq, each ended by a NUL, which none of them can hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct MergeName(Box<[u8]>);

impl MergeName {
    /// The name of a request outside of dialogs.
    pub(super) fn of(request: &Request) -> Self {
        // Most names fit, and then nothing is allocated again.
        let mut name = Vec::with_capacity(128);
        let from_tag = request.headers().text_of_from().and_then(|from| from.tag());
        name.extend(from_tag.into_iter().flat_map(TagParam::folded));
        name.push(0);
        let mut part = |text: &[u8]| {
            name.extend_from_slice(text);
            name.push(0);
        };
        part(request.call_id().unwrap_or_default().as_bytes());
        if let Some(cseq) = request.cseq() {
            part(&cseq.number.to_be_bytes());
            part(cseq.method.as_str().as_bytes());
        }
        Self(name.into())
    }

    pub(super) fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}
