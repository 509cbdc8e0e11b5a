//! Answers of a core itself, each of which goes out even where it cannot be written as it was meant.

use crate::endpoint::Arrival;
use crate::message::{BuildError, Lines, Request, Response, ResponseBuilder, ResponseParts, SharedBytes, StatusCode};
use crate::stack::Context;
use crate::tag::Tag;
use crate::transaction::ServerTransactionId;

impl<E> Context<'_, E> {
    /// Answers a request at once, in a server transaction of its own and with a new tag in To (RFC 3261 §8.2.6). Where `response`
    /// cannot be written, a 500 goes out that has nothing but what every response copies. Whoever cannot be believed to be the sender of an INVITE is
    /// answered statelessly (§8.2.7).
    pub fn answer(&mut self, arrival: Arrival, response: ResponseBuilder) {
        if arrival.is_answered_once() {
            return self.answer_once(&arrival, response);
        }
        // Nothing can be said to a sender that is due no response: the request is dropped, and nothing of it stays.
        let Some((status, octets)) = self.octets_of(&arrival.request, response) else { return };
        let server = self.accept(arrival, Tag::NONE);
        // The first response of a transaction is never out of place.
        let _ = self.respond_octets(server, status, octets);
    }

    /// As [`answer`](Self::answer), in the transaction of a `request` that was accepted before.
    pub(crate) fn answer_in(&mut self, server: ServerTransactionId, request: &Request, response: ResponseBuilder) {
        if let Some((status, octets)) = self.octets_of(request, response) {
            // A transaction that is over needs no response.
            let _ = self.respond_octets(server, status, octets);
        }
    }

    fn octets_of(&mut self, request: &Request, response: ResponseBuilder) -> Option<(StatusCode, SharedBytes)> {
        let tag = self.random().tag();
        let response = response.to_tag(&tag);
        match response.octets() {
            Ok(octets) => Some((response.status(), octets)),
            Err(_) => Some((StatusCode::SERVER_INTERNAL_ERROR, bare_500(request, Some(&tag)).ok()?)),
        }
    }

    /// As [`answer`](Self::answer), but statelessly: once for each time that the request comes, and nothing of it stays.
    pub(crate) fn answer_once(&mut self, arrival: &Arrival, response: ResponseBuilder) {
        let tag = self.stateless_tag(&arrival.request);
        let response = response
            .to_tag(&tag)
            .finish()
            .or_else(|_| Response::to(&arrival.request, StatusCode::SERVER_INTERNAL_ERROR).to_tag(&tag).finish());
        // Nothing was kept, and where not even this can be written nothing can be said.
        let Ok(response) = response else { return };
        self.reply(arrival, response);
    }
}

/// The response to a request in the place of one that cannot be written.
///
/// # Errors
/// `TooLong`: even what every response copies does not fit.
pub(crate) fn bare_500(request: &Request, to_tag: Option<&str>) -> Result<SharedBytes, BuildError> {
    let lines = Lines::new();
    ResponseParts { to_tag, ..ResponseParts::new(request, StatusCode::SERVER_INTERNAL_ERROR, &lines) }.octets()
}
