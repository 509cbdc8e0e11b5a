//! A domain's server: proxy and registrar over one endpoint.
//!
//! The proxy core asks where a request goes; the answer comes from the route table and the location service at once.

mod settings;

pub use settings::{Route, RouteKey, Settings};

use alloc::boxed::Box;

use crate::config::Config;
use crate::endpoint::Indication;
use crate::message::UriBuf;
use crate::registrar::Binding;
use crate::stack::{Context, Stack, TransactionUser};

/// A domain's proxy and registrar as one node.
pub type Server = Stack<Core>;

/// What a server tells its application.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Event {
    /// A contact was bound to an address-of-record that it was not bound to before.
    Bound {
        /// `user@host`.
        address_of_record: Box<str>,
        /// The contact.
        contact: UriBuf,
    },
    /// A binding was removed, or its time was over.
    Unbound {
        /// `user@host`.
        address_of_record: Box<str>,
        /// The contact.
        contact: UriBuf,
    },
}

/// The transaction user of a [`Server`].
#[derive(Clone, Debug)]
pub struct Core {}

impl Stack<Core> {
    /// A server with no listener yet.
    pub fn server(_config: Config, _settings: Settings) -> Self {
        todo!()
    }

    /// The bindings of `user@host` in the order of registration; none if there is no such user.
    pub fn bindings(&self, _address_of_record: &str) -> &[Binding] {
        todo!()
    }
}

impl TransactionUser for Core {
    type Event = Event;

    fn indicate(&mut self, _cx: &mut Context<'_, Event>, _indication: Indication) {
        todo!()
    }

    fn is_idle(&self) -> bool {
        todo!()
    }
}
