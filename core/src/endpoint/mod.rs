//! Transport and transactions as one: the layer that a transaction user sits on.

mod arrival;
mod indication;
mod stats;

pub use arrival::Arrival;
pub use indication::{Failure, Indication};
pub use stats::{Census, Stats};

use alloc::string::String;

use crate::config::Config;
use crate::error::CommandError;
use crate::id::{DeliveryId, ListenerId, ServerTransactionId, TimerId};
use crate::message::{HostPort, Request, Response};
use crate::node::{Input, Output};
use crate::random::Random;
use crate::tag::Tag;
use crate::time::Instant;
use crate::transport::{Listener, NextHop};

/// Transport and transactions as one. Takes datagrams, answers of the resolver and time; gives messages to send and
/// [`Indication`]s for its transaction user.
///
/// [`Stack`](crate::Stack) joins it with a transaction user; without one, call [`fire`](Self::fire) until it returns false
/// before each [`handle`](Self::handle) or command, and take the indications after each.
#[derive(Clone, Debug)]
pub struct Endpoint {
    config: Config,
}

impl Endpoint {
    /// An endpoint with no listener yet.
    pub fn new(_config: Config) -> Self {
        todo!()
    }

    /// Adds a local address.
    pub fn listen(&mut self, _listener: Listener) -> ListenerId {
        todo!()
    }

    /// The local address of that name.
    pub fn listener(&self, _id: ListenerId) -> Option<&Listener> {
        todo!()
    }

    /// All local addresses, in the order of adding.
    pub fn listeners(&self) -> impl Iterator<Item = (ListenerId, &Listener)> {
        core::iter::empty()
    }

    /// Whether this names one of our listeners, by sent-by or by bound address.
    pub fn is_ours(&self, _host_port: HostPort<'_>) -> bool {
        todo!()
    }

    /// The configuration.
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// The one source of randomness.
    pub fn random(&mut self) -> &mut Random {
        todo!()
    }

    /// What has happened.
    pub fn stats(&self) -> &Stats {
        todo!()
    }

    /// What is alive.
    pub fn census(&self) -> Census {
        todo!()
    }

    /// Applies one input. Fires no timer: see [`fire`](Self::fire).
    pub fn handle(&mut self, _now: Instant, _input: Input<'_>) {
        todo!()
    }

    /// Fires the earliest timer if it is due; false when none is.
    pub fn fire(&mut self, _now: Instant) -> bool {
        todo!()
    }

    /// The oldest indication not yet taken.
    pub fn indication(&mut self) -> Option<Indication> {
        todo!()
    }

    /// The oldest output not yet taken. [`Output::Event`] is a place kept by [`mark_event`](Self::mark_event).
    pub fn poll(&mut self) -> Option<Output<()>> {
        todo!()
    }

    /// When the earliest timer is due.
    pub fn deadline(&self) -> Option<Instant> {
        todo!()
    }

    /// No transaction, delivery, question, indication or undrained output is left. Timers of the transaction user are its own
    /// business.
    pub fn is_idle(&self) -> bool {
        todo!()
    }

    /// Keeps one place in the order of outputs for an event of the transaction user.
    pub fn mark_event(&mut self) {
        todo!()
    }

    /// Sends a request (any method but ACK) to its next hop, in one client transaction per address tried.
    ///
    /// `request` carries no Via of ours: one is pushed when the way is known. `branch_suffix` is appended to each branch
    /// (the proxy's loop check, RFC 3261 §16.6 step 8; RFC 5393 §4.2), or empty.
    ///
    /// # Errors
    /// `Limit("deliveries")`; `Invalid` for an ACK.
    pub fn request(
        &mut self,
        _now: Instant,
        _request: Request,
        _next_hop: NextHop,
        _tag: Tag,
        _branch_suffix: &str,
    ) -> Result<DeliveryId, CommandError> {
        todo!()
    }

    /// Sends the ACK for a 2xx: no transaction; the same bytes are kept for [`repeat`](Self::repeat) until
    /// [`release`](Self::release).
    ///
    /// # Errors
    /// `Limit("deliveries")`; `Invalid` for anything but an ACK.
    pub fn acknowledge(
        &mut self,
        _now: Instant,
        _ack: Request,
        _next_hop: NextHop,
        _tag: Tag,
    ) -> Result<DeliveryId, CommandError> {
        todo!()
    }

    /// Sends a kept ACK again: the same bytes, the same way. While its next hop is still being resolved there is nothing
    /// to do: it goes out then.
    ///
    /// # Errors
    /// `Gone`; `WrongState` if this is no ACK.
    pub fn repeat(&mut self, _now: Instant, _delivery: DeliveryId) -> Result<(), CommandError> {
        todo!()
    }

    /// Forgets a kept ACK.
    pub fn release(&mut self, _delivery: DeliveryId) {
        todo!()
    }

    /// Forwards a request statelessly (RFC 3261 §16.11): an ACK through a proxy, or a CANCEL without a context. No
    /// transaction, and nothing kept. The topmost Via must still be that of the previous hop: the branch is computed from
    /// it, so that retransmissions, ACK and CANCEL get the branch of their INVITE.
    ///
    /// # Errors
    /// `Limit("deliveries")`; `Invalid` for a request without a usable Via.
    pub fn relay(
        &mut self,
        _now: Instant,
        _request: Request,
        _next_hop: NextHop,
        _branch_suffix: &str,
    ) -> Result<(), CommandError> {
        todo!()
    }

    /// Cancels an INVITE (RFC 3261 §9.1): before it was sent it just ends ([`Failure::Cancelled`]); without a provisional
    /// response the CANCEL waits for one; 64·T1 after the CANCEL the INVITE is given up ([`Failure::Timeout`]). A second
    /// cancel changes nothing.
    ///
    /// # Errors
    /// `Gone`; `WrongState` after a final response, or if this is no INVITE.
    pub fn cancel(&mut self, _now: Instant, _delivery: DeliveryId) -> Result<(), CommandError> {
        todo!()
    }

    /// Begins a server transaction. To an INVITE a 100 goes out after 200 ms if nothing else did (RFC 3261 §17.2.1), to
    /// another request when timer E of its sender reaches T2 (RFC 4320 §4.1).
    pub fn accept(&mut self, _now: Instant, _arrival: Arrival, _tag: Tag) -> ServerTransactionId {
        todo!()
    }

    /// Sends a response in its transaction: a provisional, a final one, or a 2xx to INVITE again (RFC 6026 §7.1).
    ///
    /// A 408 to anything but INVITE is not sent, but ends the transaction (RFC 4320 §4.2).
    ///
    /// # Errors
    /// `Gone`; `WrongState` after a final response (but for the 2xx to INVITE); `Invalid` for a provisional response that
    /// RFC 4320 §4.1 forbids.
    pub fn respond(
        &mut self,
        _now: Instant,
        _server: ServerTransactionId,
        _response: Response,
    ) -> Result<(), CommandError> {
        todo!()
    }

    /// Answers a request statelessly (RFC 3261 §8.2.7). See [`stateless_tag`](Self::stateless_tag).
    pub fn reply(&mut self, _now: Instant, _arrival: &Arrival, _response: Response) {
        todo!()
    }

    /// A To tag that is the same each time the same request arrives (RFC 3261 §8.2.7), and that nobody else can compute.
    pub fn stateless_tag(&self, _request: &Request) -> String {
        todo!()
    }

    /// Arms a timer of the transaction user.
    pub fn arm(&mut self, _at: Instant, _tag: Tag) -> TimerId {
        todo!()
    }

    /// Moves a timer; false if it has fired or was disarmed.
    pub fn rearm(&mut self, _timer: TimerId, _at: Instant) -> bool {
        todo!()
    }

    /// Takes a timer out.
    pub fn disarm(&mut self, _timer: TimerId) {
        todo!()
    }
}
