//! Reads again what this endpoint has sent, or taken in before.

use crate::message::{Limits, Message, MessageView, Request, Response, SharedBytes, UserPart};

/// No limit: messages that we have sent ourselves are read again.
const OURS: Limits = Limits {
    start_line: usize::MAX,
    header_section: 65_535,
    headers: usize::MAX,
    body: usize::MAX,
    via_values: usize::MAX,
    parameters: usize::MAX,
    parts: usize::MAX,
};

/// Reads a request that this endpoint has sent or taken in before.
pub(crate) fn reread(bytes: &SharedBytes) -> Option<Request> {
    // Its URIs were read before, or are the application's to choose.
    MessageView::parse(bytes, &OURS).ok()?.with_user_part(UserPart::NumberSign).to_request()
}

/// Reads a response that this endpoint has sent.
pub(crate) fn reread_response(bytes: &SharedBytes) -> Option<Response> {
    match Message::parse(bytes, &OURS) {
        Ok(Message::Response(response)) => Some(response),
        _ => None,
    }
}
