//! The flows to registrars that the requests of an account go along (RFC 5626 §4.3).

use alloc::collections::BTreeMap;
use alloc::vec::Vec;

use crate::flow::{Flow, ListenerId};
use crate::message::Uri;
use crate::message::header::NameAddrBuf;
use crate::user_agent::RegistrationId;

/// The flow that each address-of-record of an account is registered by, if it is: no more of them than registrations.
#[derive(Clone, Debug, Default)]
pub(in crate::user_agent) struct OutboundFlows(BTreeMap<Vec<u8>, (RegistrationId, Flow)>);

impl OutboundFlows {
    /// Requests of this address-of-record go along the flow of that registration from now on.
    pub(in crate::user_agent) fn set(&mut self, registration: RegistrationId, address_of_record: Uri<'_>, flow: Flow) {
        self.0.insert(address_of_record.as_bytes().into(), (registration, flow));
    }

    /// Forgets the flow of a registration.
    pub(in crate::user_agent) fn clear(&mut self, registration: RegistrationId, address_of_record: Uri<'_>) {
        if self.0.get(address_of_record.as_bytes()).is_some_and(|(by, _)| *by == registration) {
            self.0.remove(address_of_record.as_bytes());
        }
    }

    /// Whether there is one; if a listener is named, one that begins there.
    pub(in crate::user_agent) fn any(&self, listener: Option<ListenerId>) -> bool {
        self.0.values().any(|(_, flow)| listener.is_none_or(|listener| flow.listener == listener))
    }

    /// The flow of the address-of-record of this caller.
    pub(in crate::user_agent) fn of(&self, caller: &NameAddrBuf) -> Option<Flow> {
        // Most have none, and then nothing is read.
        if self.0.is_empty() {
            return None;
        }
        self.0.get(caller.uri().as_bytes()).map(|(_, flow)| *flow)
    }
}
