//! The commands that answer requests, and what becomes of their transactions.

use crate::error::CommandError;
use crate::flow::Flow;
use crate::message::{Framing, Request, Response, SharedBytes, StatusCode};
use crate::tag::Tag;
use crate::time::Instant;
use crate::transaction::{ServerTransactionId, Told};

use super::{Arrival, Endpoint, Indication};

/// A request that is held back until the transaction user knows what becomes of it. Its transaction absorbs what comes again, sends a 100 when
/// one is due, and is found by a CANCEL.
#[derive(Clone, Debug)]
pub struct Held {
    arrival: Arrival,
    server: ServerTransactionId,
}

impl Held {
    /// The request.
    pub const fn request(&self) -> &Request {
        &self.arrival.request
    }
}

impl Endpoint {
    /// Holds a request back in a server transaction with this mark, in which nothing is to be said before it is [resumed](Self::resume).
    pub fn hold_back(&mut self, now: Instant, arrival: Arrival, tag: Tag) -> Held {
        let since = arrival.since.or(Some(now));
        Held { server: self.accept(now, arrival.clone(), tag), arrival: Arrival { since, ..arrival } }
    }

    /// The request as it arrived, for the choice that was put off. Of its transaction nothing stays.
    pub fn resume(&mut self, now: Instant, held: Held) -> Arrival {
        self.wire.advance(now);
        self.servers.forget(&mut self.wire, held.server);
        held.arrival
    }

    /// Begins a server transaction. To an INVITE a 100 goes out after 200 ms if nothing else did (RFC 3261 §17.2.1), to
    /// another request when timer E of its sender reaches T2 (RFC 4320 §4.1).
    pub fn accept(&mut self, now: Instant, arrival: Arrival, tag: Tag) -> ServerTransactionId {
        self.wire.advance(now);
        let Arrival { request, since, key, path, room, .. } = arrival;
        let server = self.servers.begin(&mut self.wire, (&request, since), key, path, tag);
        if let Some(room) = room.filter(|room| room.counts_copies) {
            self.servers.bound(server, request.as_bytes().len().saturating_add(room.octets));
        }
        server
    }

    /// Sends a response in its transaction: a provisional, a final one, or a 2xx to INVITE again (RFC 6026 §7.1).
    ///
    /// A 408 to anything but INVITE is not sent, but ends the transaction (RFC 4320 §4.2).
    ///
    /// # Errors
    /// `Gone`; `WrongState` after a final response (but for the 2xx to INVITE), or for a 100 that comes earlier than RFC
    /// 4320 §4.1 allows; `Invalid` for another provisional response to anything but INVITE, and for a response that cannot be
    /// written with the Content-Length that a stream needs.
    pub fn respond(
        &mut self,
        now: Instant,
        server: ServerTransactionId,
        response: Response,
    ) -> Result<(), CommandError> {
        let listener = self.servers.path(server).ok_or(CommandError::Gone)?.listener;
        let bytes = response.octets(self.wire.framing(listener)).map_err(|_| CommandError::Invalid("message"))?;
        self.respond_octets(now, server, response.status(), bytes)
    }

    /// As [`respond`](Self::respond), with a response that is written, has this status, and says its length.
    ///
    /// # Errors
    /// As [`respond`](Self::respond).
    pub(crate) fn respond_octets(
        &mut self,
        now: Instant,
        server: ServerTransactionId,
        status: StatusCode,
        response: SharedBytes,
    ) -> Result<(), CommandError> {
        self.wire.advance(now);
        let told = self.servers.respond(&mut self.wire, server, status, response)?;
        self.server_told(server, told);
        Ok(())
    }

    /// Sends a 2xx to INVITE behind the other final response of its transaction: once, along the path of that, past the machine.
    ///
    /// A proxy must send it on at once (RFC 3261 §16.7 step 5), but the machine discards it (§17.2.1): what the transaction sends again is its own
    /// response. Nothing is sent if the transaction is gone (RFC 6026 §8.3), or its connection.
    pub(crate) fn respond_late(&mut self, now: Instant, server: ServerTransactionId, response: SharedBytes) {
        self.wire.advance(now);
        if let Some(path) = self.servers.path(server) {
            self.send_back(path, response);
        }
    }

    /// How the responses of a transaction end for its sender (RFC 3261 §18.3).
    ///
    /// # Errors
    /// `Gone`.
    pub(crate) fn framing(&self, server: ServerTransactionId) -> Result<Framing, CommandError> {
        let listener = self.servers.path(server).ok_or(CommandError::Gone)?.listener;
        Ok(self.wire.framing(listener))
    }

    /// Answers a request statelessly (RFC 3261 §8.2.7). See [`stateless_tag`](Self::stateless_tag).
    pub fn reply(&mut self, now: Instant, arrival: &Arrival, response: Response) {
        self.wire.advance(now);
        let written = response.octets(self.wire.framing(arrival.path.listener));
        match written {
            Ok(bytes) => self.send_back(arrival.path, bytes),
            Err(_) => self.wire.stats.disconnected += 1,
        }
    }

    /// Sends a response once to where `path` leads, if there is still a way.
    fn send_back(&mut self, path: Flow, response: SharedBytes) {
        match self.wire.way_back(path, &response) {
            Some(way) => self.wire.send(way, response),
            None => self.wire.stats.disconnected += 1,
        }
    }

    /// Tells the transaction user what has become of a server transaction.
    pub(super) fn server_told(&mut self, server: ServerTransactionId, told: Told) {
        let Told { tag, unsent, over } = told;
        if unsent {
            self.indications.tell(Indication::Unsent { server, tag });
        }
        if let Some(acknowledged) = over {
            self.indications.tell(Indication::Completed { server, tag, acknowledged });
        }
    }
}
