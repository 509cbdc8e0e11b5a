//! Shows what stands in a node: its transactions, timers, dialogs and bindings.

use sansip::Instant;

use super::NodeId;

/// A change of what stands in a node, as a trace has it beside its entries.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StateChange {
    /// When.
    pub time: Instant,
    /// Where.
    pub node: NodeId,
    /// The index that the next entry of the trace has.
    pub next: usize,
    /// Says what it is from now on.
    pub state: State,
}

/// One thing that stands in a node, or that has stood there until now. Times are those of the world.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum State {
    /// A transaction (RFC 3261 §17).
    Transaction(Transaction),
    /// A timer of the transaction user: timer C of a proxy, the refreshing of a registration.
    Timer(Timer),
    /// A dialog of a user agent (RFC 3261 §12).
    Dialog(Dialog),
    /// A binding of a registrar (RFC 3261 §10).
    Binding(Binding),
}

/// A transaction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Transaction {
    /// Its name in its node, which is used again when the node has crashed.
    pub id: String,
    /// Whether it is a client's; else a server's.
    pub is_client: bool,
    /// The request that began it; `None` until a message was seen that says so.
    pub request: Option<RequestName>,
    /// The far end.
    pub remote: String,
    /// The state as RFC 3261 §17 calls it; `Terminated` when it is over.
    pub state: String,
    /// The timers that are set, by their letters, and when they fire.
    pub timers: Vec<(String, Instant)>,
}

/// The request of a transaction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestName {
    /// The method.
    pub method: String,
    /// The branch of the topmost Via.
    pub branch: String,
    /// The Call-ID.
    pub call_id: String,
}

/// A timer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Timer {
    /// Its name in its node.
    pub id: String,
    /// Says what it is for.
    pub name: String,
    /// When it fires; `None` when it has fired or was taken out.
    pub at: Option<Instant>,
}

/// A dialog.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dialog {
    /// Its name in its node.
    pub id: String,
    /// The Call-ID.
    pub call_id: String,
    /// The tag of this end.
    pub local_tag: String,
    /// The tag of the other end; `None` of a peer of RFC 2543.
    pub remote_tag: Option<String>,
    /// `early`, `confirmed`, or `terminated`.
    pub state: String,
}

/// A binding.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Binding {
    /// The address-of-record, `user@host`.
    pub address_of_record: String,
    /// The URI of the contact.
    pub contact: String,
    /// When it ends; `None` when it is gone.
    pub expires: Option<Instant>,
}

/// Says what tells the things of one node apart.
pub(crate) type Key = (u8, String, String);

impl State {
    pub(crate) fn key(&self) -> Key {
        match self {
            Self::Transaction(it) => (0, it.id.clone(), String::new()),
            Self::Timer(it) => (1, it.id.clone(), String::new()),
            Self::Dialog(it) => (2, it.id.clone(), String::new()),
            Self::Binding(it) => (3, it.address_of_record.clone(), it.contact.clone()),
        }
    }

    /// Gives the thing as it is when it stands no more.
    pub(crate) fn over(self) -> Self {
        match self {
            Self::Transaction(it) => {
                Self::Transaction(Transaction { state: "Terminated".to_owned(), timers: Vec::new(), ..it })
            }
            Self::Timer(it) => Self::Timer(Timer { at: None, ..it }),
            Self::Dialog(it) => Self::Dialog(Dialog { state: "terminated".to_owned(), ..it }),
            Self::Binding(it) => Self::Binding(Binding { expires: None, ..it }),
        }
    }

    /// The Call-ID of the call that it belongs to, if it is known to belong to one.
    pub fn call_id(&self) -> Option<&str> {
        match self {
            Self::Transaction(it) => it.request.as_ref().map(|request| request.call_id.as_str()),
            Self::Dialog(it) => Some(&it.call_id),
            Self::Timer(_) | Self::Binding(_) => None,
        }
    }

    /// All the times in it.
    pub(crate) fn times(&mut self) -> impl Iterator<Item = &mut Instant> {
        let (timers, other) = match self {
            Self::Transaction(it) => (it.timers.as_mut_slice(), None),
            Self::Timer(it) => (Default::default(), it.at.as_mut()),
            Self::Binding(it) => (Default::default(), it.expires.as_mut()),
            Self::Dialog(_) => (Default::default(), None),
        };
        timers.iter_mut().map(|(_, at)| at).chain(other)
    }
}
