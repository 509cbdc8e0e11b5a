//! The part of a node that a transaction user works with.

use alloc::boxed::Box;
use alloc::collections::VecDeque;
use alloc::string::String;

use crate::endpoint::{Arrival, Config, DeliveryId, Endpoint, Held};
use crate::error::{CommandError, Limit};
use crate::flow::{ConnectionId, Flow, ListenerId};
use crate::message::{
    Framing, Host, HostPort, Lines, Recipe, Rejection, Request, Response, SharedBytes, StatusCode, Uri,
};
use crate::random::Random;
use crate::tag::Tag;
use crate::time::Instant;
use crate::timer::TimerId;
use crate::transaction::ServerTransactionId;
use crate::transport::{Here, Listener, NextHop};

/// All that a transaction user can use while it handles an indication or a command: the present, the endpoint's verbs for requests,
/// responses and timers, and a way to tell the application.
///
/// [`Stack`](crate::Stack) makes a context for each indication and command. Whoever drives an [`Endpoint`] without a `Stack`
/// makes one: each [`Output::Event`](crate::Output::Event) that the endpoint gives then stands for the oldest event of the queue.
///
/// ```
/// use std::collections::VecDeque;
/// use sansip::{Config, Context, Endpoint, Indication, Input, Instant, Listener, Output, Seed, TransactionUser};
/// use sansip::proxy::{self, Question};
///
/// let config = Config::new(Seed::from_u64(1));
/// let mut proxy = proxy::Core::new(&config, proxy::Settings::default());
/// let mut endpoint = Endpoint::new(config);
/// let listener = endpoint.listen(Listener::udp("192.0.2.3:5060".parse().unwrap()));
/// let mut questions: VecDeque<Question> = VecDeque::new();
///
/// let now = Instant::from_millis(1);
/// let request = b"OPTIONS sip:bob@biloxi.com SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK1\r\n\
///     Max-Forwards: 70\r\nTo: <sip:bob@biloxi.com>\r\nFrom: <sip:alice@atlanta.com>;tag=1\r\nCall-ID: 1\r\n\
///     CSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n";
/// let remote = "192.0.2.1:5060".parse().unwrap();
/// while endpoint.fire(now) {}
/// let left = endpoint.handle(now, Input::Datagram { listener, remote, bytes: request });
/// assert!(left.is_none());
/// while let Some(indication) = endpoint.indication() {
///     let mut cx = Context::new(now, &mut endpoint, &mut questions);
///     match indication {
///         Indication::Request(arrival) => {
///             let preprocessed = proxy.preprocess(&cx, &arrival.request, listener, |_| false).unwrap();
///             if let Some(question) = proxy.request(&mut cx, arrival, preprocessed) {
///                 cx.emit(question);
///             }
///         }
///         indication => drop(proxy.indicate(&mut cx, indication)),
///     }
/// }
/// assert!(matches!(endpoint.poll(), Some(Output::Event(()))));
/// assert_eq!(questions.pop_front().unwrap().request.uri_bytes(), b"sip:bob@biloxi.com");
/// ```
#[derive(Debug)]
pub struct Context<'a, E> {
    pub(super) now: Instant,
    pub(super) endpoint: &'a mut Endpoint,
    events: &'a mut VecDeque<E>,
    /// The role in the marks of what is begun by this context.
    role: u8,
    /// Whether an event gets its place in the order of outputs at once.
    places: bool,
}

impl<'a, E> Context<'a, E> {
    /// A context at `now`, over `endpoint`, whose events are appended to `events`.
    pub const fn new(now: Instant, endpoint: &'a mut Endpoint, events: &'a mut VecDeque<E>) -> Self {
        Self { now, endpoint, events, role: 0, places: true }
    }

    /// This context for one of several cores: every [`Tag`] that passes through it gets `role`, by which the owner of the cores
    /// knows whose an indication is ([`Tag::role`]).
    pub const fn for_role(&mut self, role: u8) -> Context<'_, E> {
        Context { role, ..self.reborrow() }
    }

    const fn reborrow(&mut self) -> Context<'_, E> {
        Context { now: self.now, endpoint: self.endpoint, events: self.events, role: self.role, places: self.places }
    }

    /// A context for a core that this transaction user owns and whose events it takes itself: they are appended to `events`, and
    /// have no place in the order of outputs before the owner [emits](Self::emit) something of its own for them. Marks get `role`
    /// as by [`for_role`](Self::for_role). See [`user_agent::Core`](crate::user_agent::Core) for an example.
    pub const fn for_owned<'b, F>(&'b mut self, role: u8, events: &'b mut VecDeque<F>) -> Context<'b, F> {
        Context { now: self.now, endpoint: self.endpoint, events, role, places: false }
    }

    /// The present.
    pub const fn now(&self) -> Instant {
        self.now
    }

    /// The configuration of the node.
    pub fn config(&self) -> &Config {
        self.endpoint.config()
    }

    /// The one source of randomness.
    pub fn random(&mut self) -> &mut Random {
        self.endpoint.random()
    }

    /// The local address of that name.
    pub fn listener(&self, id: ListenerId) -> Option<&Listener> {
        self.endpoint.listener(id)
    }

    /// All local addresses, in the order of adding.
    pub fn listeners(&self) -> impl Iterator<Item = (ListenerId, &Listener)> {
        self.endpoint.listeners()
    }

    /// A local address has changed: see [`Endpoint::move_listener`].
    ///
    /// # Errors
    /// As there.
    pub fn move_listener(&mut self, id: ListenerId, to: Listener) -> Result<Listener, CommandError> {
        self.endpoint.move_listener(self.now, id, to)
    }

    /// The local address from which a request to `next_hop` will go: see [`Endpoint::listener_towards`].
    pub fn listener_towards(&self, next_hop: &NextHop) -> Option<&Listener> {
        self.endpoint.listener_towards(next_hop)
    }

    /// Whether this names one of our local addresses, by sent-by or by bound address.
    pub fn is_ours(&self, host_port: HostPort<'_>) -> bool {
        self.endpoint.is_ours(host_port)
    }

    /// The flow along which a request was sent: see [`Endpoint::sent_along`].
    pub fn sent_along(&self, delivery: DeliveryId) -> Option<Flow> {
        self.endpoint.sent_along(delivery)
    }

    /// Whether messages can go along a flow: see [`Endpoint::has_flow`].
    pub fn has_flow(&self, flow: Flow) -> bool {
        self.endpoint.has_flow(flow)
    }

    /// The names that the far end of a connection has proved to have (RFC 5922): see [`Change::Opened`](crate::Change::Opened).
    pub fn identities(&self, connection: ConnectionId) -> impl Iterator<Item = Host<'_>> {
        self.endpoint.identities(connection)
    }

    /// Sends a request: see [`Endpoint::request`].
    ///
    /// # Errors
    /// As [`Endpoint::request`].
    pub fn request(
        &mut self,
        request: Request,
        next_hop: NextHop,
        tag: impl Into<Tag>,
        branch_suffix: &str,
    ) -> Result<DeliveryId, CommandError> {
        let tag = self.marked(tag);
        self.endpoint.request(self.now, request, next_hop, tag, branch_suffix)
    }

    /// Sends a request that is written as often as it is sent: see [`Endpoint::request_from`].
    ///
    /// # Errors
    /// As [`Endpoint::request_from`].
    pub(crate) fn request_from(
        &mut self,
        recipe: &dyn Recipe,
        here: &Here,
        next_hop: NextHop,
        tag: impl Into<Tag>,
        branch_suffix: &str,
    ) -> Result<DeliveryId, CommandError> {
        let tag = self.marked(tag);
        self.endpoint.request_from(self.now, recipe, here, next_hop, tag, branch_suffix)
    }

    /// Takes a request back that is not on its way: see [`Endpoint::withdraw`].
    pub fn withdraw(&mut self, delivery: DeliveryId) -> bool {
        self.endpoint.withdraw(delivery)
    }

    /// Cancels an INVITE of ours: see [`Endpoint::cancel`].
    ///
    /// # Errors
    /// As [`Endpoint::cancel`].
    pub fn cancel(&mut self, delivery: DeliveryId) -> Result<(), CommandError> {
        self.endpoint.cancel(self.now, delivery)
    }

    /// As [`cancel`](Self::cancel), with what the CANCEL says besides.
    ///
    /// # Errors
    /// As there.
    pub(crate) fn cancel_with(&mut self, delivery: DeliveryId, fields: Option<Box<Lines>>) -> Result<(), CommandError> {
        self.endpoint.cancel_with(self.now, delivery, fields)
    }

    /// Gives an INVITE of ours the fields of the ACK for a final response that is no 2xx: see [`Endpoint::equip_ack`].
    pub(crate) fn equip_ack(&mut self, invite: DeliveryId, fields: Box<Lines>) {
        self.endpoint.equip_ack(invite, fields);
    }

    /// Sends the ACK for a 2xx: see [`Endpoint::acknowledge`].
    ///
    /// # Errors
    /// As [`Endpoint::acknowledge`].
    pub fn acknowledge(
        &mut self,
        ack: Request,
        next_hop: NextHop,
        tag: impl Into<Tag>,
    ) -> Result<DeliveryId, CommandError> {
        let tag = self.marked(tag);
        self.endpoint.acknowledge(self.now, ack, next_hop, tag)
    }

    /// Sends the ACK for a 2xx, written when its way is known: see [`Endpoint::acknowledge_from`].
    ///
    /// # Errors
    /// As [`Endpoint::acknowledge_from`].
    pub(crate) fn acknowledge_from(
        &mut self,
        recipe: &dyn Recipe,
        next_hop: NextHop,
        tag: impl Into<Tag>,
    ) -> Result<DeliveryId, CommandError> {
        let tag = self.marked(tag);
        self.endpoint.acknowledge_from(self.now, recipe, next_hop, tag)
    }

    /// Sends a kept ACK again: see [`Endpoint::repeat`].
    ///
    /// # Errors
    /// As [`Endpoint::repeat`].
    pub fn repeat(&mut self, ack: DeliveryId) -> Result<(), CommandError> {
        self.endpoint.repeat(self.now, ack)
    }

    /// Forgets a kept ACK: see [`Endpoint::release`].
    pub fn release(&mut self, ack: DeliveryId) {
        self.endpoint.release(ack);
    }

    /// Forwards a request statelessly: see [`Endpoint::relay`].
    ///
    /// # Errors
    /// As [`Endpoint::relay`].
    pub fn relay(&mut self, request: Request, next_hop: NextHop, branch_suffix: &str) -> Result<(), CommandError> {
        self.endpoint.relay(self.now, request, next_hop, branch_suffix)
    }

    /// Whether we have marked the topmost Via of a response: see [`Endpoint::has_marked`].
    pub fn has_marked(&self, response: &Response) -> bool {
        self.endpoint.has_marked(response)
    }

    /// The local address that a URI names, by sent-by and transport.
    pub(crate) fn listener_named_by(&self, uri: Uri<'_>) -> Option<ListenerId> {
        self.endpoint.listener_named_by(uri)
    }

    /// Drops a message that nobody is answered for: see [`Endpoint::discard`].
    pub fn discard(&mut self, flow: Flow, message: &Request, why: Rejection) {
        self.endpoint.discard(flow, message, why);
    }

    /// Drops a response that is for nobody: see [`Endpoint::discard_stray`].
    pub fn discard_stray(&mut self, flow: Flow, response: &Response) {
        self.endpoint.discard_stray(flow, response);
    }

    /// Forwards a response statelessly: see [`Endpoint::forward_response`].
    ///
    /// # Errors
    /// As [`Endpoint::forward_response`].
    pub fn forward_response(&mut self, response: &Response) -> Result<(), CommandError> {
        self.endpoint.forward_response(self.now, response)
    }

    /// Gives a response to the one who has written its topmost Via: see [`Endpoint::hand_over`].
    pub(crate) fn hand_over(&mut self, response: &Response, next_hop: &NextHop) -> Result<(), CommandError> {
        self.endpoint.hand_over(self.now, response, next_hop)
    }

    /// Begins a server transaction: see [`Endpoint::accept`].
    pub fn accept(&mut self, arrival: Arrival, tag: impl Into<Tag>) -> ServerTransactionId {
        let tag = self.marked(tag);
        self.endpoint.accept(self.now, arrival, tag)
    }

    /// Holds a request back: see [`Endpoint::hold_back`].
    pub fn hold_back(&mut self, arrival: Arrival, tag: impl Into<Tag>) -> Held {
        let tag = self.marked(tag);
        self.endpoint.hold_back(self.now, arrival, tag)
    }

    /// The request that was held back: see [`Endpoint::resume`].
    pub fn resume(&mut self, held: Held) -> Arrival {
        self.endpoint.resume(self.now, held)
    }

    /// Sends a response in its transaction: see [`Endpoint::respond`].
    ///
    /// # Errors
    /// As [`Endpoint::respond`].
    pub fn respond(&mut self, server: ServerTransactionId, response: Response) -> Result<(), CommandError> {
        self.endpoint.respond(self.now, server, response)
    }

    /// Sends a response that is written in its transaction: see [`Endpoint::respond_octets`].
    ///
    /// # Errors
    /// As [`Endpoint::respond`].
    pub(crate) fn respond_octets(
        &mut self,
        server: ServerTransactionId,
        status: StatusCode,
        response: SharedBytes,
    ) -> Result<(), CommandError> {
        self.endpoint.respond_octets(self.now, server, status, response)
    }

    /// Sends a 2xx to INVITE behind the other final response of its transaction: see [`Endpoint::respond_late`].
    pub(crate) fn respond_late(&mut self, server: ServerTransactionId, response: SharedBytes) {
        self.endpoint.respond_late(self.now, server, response);
    }

    /// How the responses of a transaction end for its sender (RFC 3261 §18.3).
    ///
    /// # Errors
    /// `Gone`.
    pub(crate) fn framing(&self, server: ServerTransactionId) -> Result<Framing, CommandError> {
        self.endpoint.framing(server)
    }

    /// Answers a request statelessly: see [`Endpoint::reply`].
    pub fn reply(&mut self, arrival: &Arrival, response: Response) {
        self.endpoint.reply(self.now, arrival, response);
    }

    /// A To tag that is the same each time the same request arrives: see [`Endpoint::stateless_tag`].
    pub fn stateless_tag(&self, request: &Request) -> String {
        self.endpoint.stateless_tag(request)
    }

    /// Counts a request or dialog that a limit made the transaction user refuse: see [`Endpoint::refused`].
    pub fn refused(&mut self, limit: Limit) {
        self.endpoint.refused(limit);
    }

    /// Arms a timer, which fires as [`Indication::Timer`](crate::Indication::Timer).
    pub fn arm(&mut self, at: Instant, tag: impl Into<Tag>) -> TimerId {
        let tag = self.marked(tag);
        self.endpoint.arm(at, tag)
    }

    /// Moves a timer; false if it has fired or was disarmed.
    pub fn rearm(&mut self, timer: TimerId, at: Instant) -> bool {
        self.endpoint.rearm(timer, at)
    }

    /// Keeps the connection of a flow open: see [`Endpoint::hold_flow`].
    pub(crate) fn hold_flow(&mut self, flow: Flow) {
        self.endpoint.hold_flow(flow);
    }

    /// Keeps the connection of a flow open until then: see [`Endpoint::keep_flow_until`].
    pub(crate) fn keep_flow_until(&mut self, flow: Flow, until: Option<Instant>) {
        self.endpoint.keep_flow_until(flow, until);
    }

    /// Ends one [`hold_flow`](Self::hold_flow).
    pub(crate) fn release_flow(&mut self, flow: Flow) {
        self.endpoint.release_flow(flow);
    }

    /// Keeps a flow alive: see [`Endpoint::keep_alive`].
    ///
    /// # Errors
    /// As [`Endpoint::keep_alive`].
    pub fn keep_alive(&mut self, flow: Flow) -> Result<(), CommandError> {
        self.endpoint.keep_alive(self.now, flow)
    }

    /// Takes a timer out.
    pub fn disarm(&mut self, timer: TimerId) {
        self.endpoint.disarm(timer);
    }

    /// Tells the application, after everything that was sent before.
    pub fn emit(&mut self, event: E) {
        if self.places {
            self.endpoint.mark_event();
        }
        if self.events.capacity() == 0 {
            // A queue that grows by itself begins with room for four, and most nodes never hold two events.
            self.events.reserve_exact(1);
        }
        self.events.push_back(event);
    }

    pub(super) fn marked(&self, tag: impl Into<Tag>) -> Tag {
        tag.into().in_role(self.role)
    }
}
