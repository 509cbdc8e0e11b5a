//! Shows what stands in nodes, as events: written, and read again.

use sansip::Instant;
use serde_json::{Value, json};

use crate::trace::{Binding, Dialog, RequestName, State, Timer, Transaction};

/// The event of a thing that stands in a node from now on, stands otherwise, or stands there no more.
pub(super) fn written(time: Instant, node: &str, state: &State) -> Value {
    let mut event = match state {
        State::Transaction(it) => {
            let of_request = |part: fn(&RequestName) -> &String| json!(it.request.as_ref().map(part));
            let timers = it.timers.iter().map(|(name, at)| json!({"name": name, "at": at.to_string()}));
            json!({
                "event": "transaction", "id": it.id, "role": if it.is_client { "client" } else { "server" },
                "method": of_request(|request| &request.method), "branch": of_request(|request| &request.branch),
                "call_id": of_request(|request| &request.call_id),
                "remote": it.remote, "state": it.state, "timers": timers.collect::<Value>(),
            })
        }
        State::Timer(Timer { id, name, at }) => {
            json!({"event": "timer", "id": id, "name": name, "at": at.map(|at| at.to_string())})
        }
        State::Dialog(Dialog { id, call_id, local_tag, remote_tag, state }) => json!({
            "event": "dialog", "id": id, "call_id": call_id,
            "local_tag": local_tag, "remote_tag": remote_tag, "state": state,
        }),
        State::Binding(Binding { address_of_record, contact, expires }) => json!({
            "event": "binding", "address_of_record": address_of_record, "contact": contact,
            "expires": expires.map(|at| at.to_string()),
        }),
    };
    event["time"] = json!(time.to_string());
    event["node"] = json!(node);
    event
}

/// Reads what [`written`] has written; `None` if it is the event of something else, or something in it is not as it must be.
pub(crate) fn read(event: &Value) -> Option<State> {
    let text = |name: &str| event[name].as_str().map(str::to_owned);
    Some(match event["event"].as_str()? {
        "transaction" => {
            let request = (text("method"), text("branch"), text("call_id"));
            let request = match request {
                (Some(method), Some(branch), Some(call_id)) => Some(RequestName { method, branch, call_id }),
                _ => None,
            };
            let timers = event["timers"].as_array()?.iter();
            let timers = timers.map(|timer| Some((timer["name"].as_str()?.to_owned(), instant(&timer["at"])?)));
            State::Transaction(Transaction {
                id: text("id")?,
                is_client: event["role"] == "client",
                request,
                remote: text("remote")?,
                state: text("state")?,
                timers: timers.collect::<Option<_>>()?,
            })
        }
        "timer" => State::Timer(Timer { id: text("id")?, name: text("name")?, at: instant(&event["at"]) }),
        "dialog" => State::Dialog(Dialog {
            id: text("id")?,
            call_id: text("call_id")?,
            local_tag: text("local_tag")?,
            remote_tag: text("remote_tag"),
            state: text("state")?,
        }),
        "binding" => State::Binding(Binding {
            address_of_record: text("address_of_record")?,
            contact: text("contact")?,
            expires: instant(&event["expires"]),
        }),
        _ => return None,
    })
}

/// Reads seconds with a fraction, as events have their times.
pub(crate) fn instant(time: &Value) -> Option<Instant> {
    let (seconds, fraction) = time.as_str()?.split_once('.')?;
    if fraction.is_empty() || fraction.len() > 9 || !fraction.bytes().all(|octet| octet.is_ascii_digit()) {
        return None;
    }
    let fraction: u64 = format!("{fraction:0<9}").parse().ok()?;
    seconds.parse::<u64>().ok()?.checked_mul(1_000_000_000)?.checked_add(fraction).map(Instant::from_nanos)
}
