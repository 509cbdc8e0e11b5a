//! A node may move to another thread, and be shared by reference: nothing in one is tied to a thread.

use sansip::message::{Message, Request, Response};
use sansip::{Endpoint, Node, Output, Server, UserAgent, proxy, server, user_agent};

const fn moves_and_is_shared<T: Send + Sync>() {}

/// The outputs and the events of a node go where the node goes.
const fn speaks_across_threads<N: Node + Send + Sync>()
where
    Output<N::Event>: Send + Sync,
{
}

#[test]
fn nodes_messages_and_events_are_send_and_sync() {
    speaks_across_threads::<UserAgent>();
    speaks_across_threads::<Server>();
    moves_and_is_shared::<proxy::Core>();
    moves_and_is_shared::<proxy::stateless::Core>();
    moves_and_is_shared::<Endpoint>();
    moves_and_is_shared::<Message>();
    moves_and_is_shared::<Request>();
    moves_and_is_shared::<Response>();
    moves_and_is_shared::<user_agent::Event>();
    moves_and_is_shared::<server::Event>();
}
