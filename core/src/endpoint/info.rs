//! Questions about what is alive in an endpoint: transactions and timers, for who draws or watches a node.

use super::Endpoint;
use crate::message::MessageView;
use crate::tag::Tag;
use crate::time::Instant;
use crate::timer::TimerId;
use crate::transaction::key::RequestKey;
use crate::transaction::{Owner, TransactionId, TransactionInfo};

impl Endpoint {
    /// Each transaction that is alive as it stands at this moment: those of clients, then those of servers, each in the order of its slots
    /// (RFC 3261 §17).
    ///
    /// ```
    /// use sansip::transaction::{Timer, TransactionState};
    /// use sansip::{Config, Input, Instant, Listener, Node, Seed, user_agent::{Profile, UserAgent}};
    ///
    /// let profile = Profile::new("<sip:alice@192.0.2.1>".parse()?);
    /// let mut alice = UserAgent::user_agent(Config::new(Seed::from_u64(1)), profile);
    /// alice.listen(Listener::udp("192.0.2.1:5060".parse()?));
    /// alice.call(Instant::ZERO, &"<sip:bob@192.0.2.4>".parse()?)?;
    /// let invite = alice.endpoint().transactions().next().expect("the INVITE");
    /// let timers = [Some((Timer::A, Instant::from_millis(500))), Some((Timer::B, Instant::from_millis(32_000)))];
    /// assert_eq!((invite.state, invite.timers), (TransactionState::Calling, timers));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn transactions(&self) -> impl Iterator<Item = TransactionInfo> {
        self.clients.infos().chain(self.servers.infos())
    }

    /// The transaction that a request belongs to which this node has sent, or which came to it (RFC 3261 §17.1.3, §17.2.3): a client's, or a server's. `None` of
    /// a response, of an ACK, and of a request whose transaction is over.
    pub fn transaction_of(&self, request: &MessageView<'_>, is_sent: bool) -> Option<TransactionId> {
        let (method, headers) = (request.method()?.as_str(), request.headers());
        if is_sent {
            return self.clients.find(method, headers.top_via()?.branch_octets()?).map(TransactionId::Client);
        }
        let key = RequestKey::of(headers, request.uri_bytes())?.method(method);
        self.servers.find(self.servers.fingerprint(&key)).map(TransactionId::Server)
    }

    /// The timers of the transaction user that are set, when they fire, and the marks that it has put on them, in the order of their slots.
    pub fn user_timers(&self) -> impl Iterator<Item = (TimerId, Instant, Tag)> {
        self.wire.timers.iter().filter_map(|(id, at, owner)| match owner {
            Owner::User(tag) => Some((id, at, *tag)),
            _ => None,
        })
    }
}
