//! Shows what stands in nodes of sansip, for the trace.

use sansip::dialog::{self, DialogId, DialogState};
use sansip::message::{Limits, MessageView, TagParam};
use sansip::registrar::Location;
use sansip::transaction::{TransactionId, TransactionInfo};
use sansip::{Endpoint, Stack, TransactionUser};

use crate::trace::{Binding, Dialog, State, Timer, Transaction};

/// The transactions of a node, and the timers of its transaction user.
pub fn states_of<U: TransactionUser>(stack: &Stack<U>) -> Vec<State> {
    let endpoint = stack.endpoint();
    let timers = endpoint.user_timers().map(|(id, at, tag)| {
        State::Timer(Timer { id: id.to_string(), name: stack.user().timer_name(tag).to_owned(), at: Some(at) })
    });
    endpoint.transactions().map(|info| State::Transaction(transaction(info))).chain(timers).collect()
}

fn transaction(TransactionInfo { id, state, flow, timers, .. }: TransactionInfo) -> Transaction {
    Transaction {
        id: id.to_string(),
        is_client: matches!(id, TransactionId::Client(_)),
        request: None,
        remote: flow.remote.to_string(),
        state: state.to_string(),
        timers: timers.into_iter().flatten().map(|(name, at)| (name.to_string(), at)).collect(),
    }
}

/// Dialogs of a user agent.
pub fn dialogs<'a>(dialogs: impl Iterator<Item = (DialogId, &'a dialog::Dialog)>) -> impl Iterator<Item = State> {
    dialogs.map(|(id, dialog)| {
        let name = dialog.name.as_key();
        let text = |tag: TagParam<'_>| tag.as_str().to_owned();
        let state = match dialog.state {
            DialogState::Early => "early",
            DialogState::Confirmed => "confirmed",
        };
        State::Dialog(Dialog {
            id: id.to_string(),
            call_id: name.call_id.to_owned(),
            local_tag: text(name.local_tag),
            remote_tag: name.remote_tag.map(text),
            state: state.to_owned(),
        })
    })
}

/// The bindings of a registrar.
pub fn bindings(location: &Location) -> impl Iterator<Item = State> {
    location.iter().flat_map(|(address_of_record, bindings)| {
        bindings.iter().map(|binding| {
            State::Binding(Binding {
                address_of_record: address_of_record.to_owned(),
                contact: binding.contact.to_string(),
                expires: Some(binding.expires_at),
            })
        })
    })
}

/// The name that [`states_of`] has for the transaction of a request that a node has sent, or that came to it.
pub fn transaction_of(endpoint: &Endpoint, request: &[u8], is_sent: bool) -> Option<String> {
    let view = MessageView::parse(request, &Limits::default()).ok()?;
    endpoint.transaction_of(&view, is_sent).map(|id| id.to_string())
}
