//! The events of a trace as messages (docs/trace.schema.json).

use std::collections::BTreeMap;
use std::net::SocketAddr;

use serde_json::Value;

use super::file::{Input, Trouble};
use super::limits::Limits;
use super::reader::{Message, Place};
use super::remark::{Remark, Said};
use crate::fault::{Effect, Fate};
use crate::packet::Packet;
use crate::render::VERSION;
use crate::render::state::{self, instant};
use crate::trace::Note;

/// Messages that are on their way at once; above it the oldest counts as lost.
const ON_THEIR_WAY: usize = 65_536;

/// The messages of which it is not yet known whether they arrive.
#[derive(Default)]
struct OnTheirWay {
    all: BTreeMap<u64, Message>,
    /// Whether the trace says what arrives: that of real sockets does not.
    says_arrivals: bool,
}

/// Says what a trace has: a message, when it arrives or the trace ends without that, or something that a node says.
pub(super) enum Item {
    Message(Message),
    /// With the octets of its line.
    Remark(Remark, usize),
}

/// Gives each message of a trace to `each`, in the order in which they arrive, and then those that did not; and what nodes say, as it comes.
pub(super) fn read(
    input: &mut Input<'_>,
    limits: &Limits,
    file: usize,
    each: &mut dyn FnMut(Item),
) -> Result<(), Trouble> {
    let mut place = Place { file, frame: 0 };
    let mut on_their_way = OnTheirWay::default();
    let mut searched = 0;
    let result = loop {
        let octets = input.octets();
        if let Some(feed) = octets[searched..].iter().position(|octet| *octet == b'\n') {
            let end = searched + feed;
            place.frame += 1;
            let taken = match serde_json::from_slice(&octets[..end]) {
                Ok(event) => on_their_way.take(&event, (place, end), each),
                Err(_) => Err(Trouble::Malformed),
            };
            if taken.is_err() {
                break taken;
            }
            input.consume(end + 1);
            searched = 0;
        } else if input.is_over() {
            break if octets.is_empty() { Ok(()) } else { Err(Trouble::CutOff) };
        } else if octets.len() > limits.block {
            break Err(Trouble::TooLong(limits.block));
        } else {
            searched = octets.len();
            if let Err(error) = input.fill() {
                break Err(error);
            }
        }
    };
    on_their_way.give_rest(each);
    result
}

impl OnTheirWay {
    fn take(
        &mut self,
        event: &Value,
        (place, octets): (Place, usize),
        each: &mut dyn FnMut(Item),
    ) -> Result<(), Trouble> {
        match event["event"].as_str().ok_or(Trouble::Unknown)? {
            "trace" if !event["version"].as_u64().is_some_and(|version| (1..=VERSION).contains(&version)) => {
                let version = event["version"].as_u64().and_then(|version| version.try_into().ok()).unwrap_or(u16::MAX);
                return Err(Trouble::Version(version, 0));
            }
            "sent" => {
                let message = sent(event, place).ok_or(Trouble::Malformed)?;
                let id = event["id"].as_u64().ok_or(Trouble::Malformed)?;
                // Octets that are no SIP message are passed over here.
                if Packet::read(&message.bytes).is_some() {
                    self.all.insert(id, message);
                }
                if self.all.len() > ON_THEIR_WAY
                    && let Some((_, oldest)) = self.all.pop_first()
                {
                    each(Item::Message(oldest));
                }
            }
            "arrived" => {
                self.says_arrivals = true;
                let (id, time) = (event["id"].as_u64(), nanos(&event["time"]));
                if let Some(mut message) = id.and_then(|id| self.all.remove(&id)) {
                    message.arrived = Some(time.ok_or(Trouble::Malformed)?);
                    each(Item::Message(message));
                }
            }
            "noted" => each(Item::Remark(noted(event, place).ok_or(Trouble::Malformed)?, octets)),
            "transaction" | "timer" | "dialog" | "binding" => {
                let state = state::read(event).ok_or(Trouble::Malformed)?;
                let remark = remark(event, place, Said::State(state)).ok_or(Trouble::Malformed)?;
                each(Item::Remark(remark, octets));
            }
            _ => {}
        }
        Ok(())
    }

    fn give_rest(self, each: &mut dyn FnMut(Item)) {
        for mut message in self.all.into_values() {
            if !self.says_arrivals {
                message.arrived = Some(message.time);
            }
            each(Item::Message(message));
        }
    }
}

fn sent(event: &Value, place: Place) -> Option<Message> {
    let address = |name: &str| event[name].as_str()?.parse::<SocketAddr>().ok();
    let node = |name: &str| event[name].as_str().map(str::to_owned);
    let bytes = event["bytes"].as_str()?.as_bytes();
    let effects = event["faults"].as_array().into_iter().flatten();
    let effects = effects.filter_map(|fault| fault.as_str()?.parse::<Effect>().ok());
    let is_datagram = Packet::read(bytes).is_some_and(|packet| !packet.top().is_reliable());
    let time = nanos(&event["time"])?;
    Some(Message {
        place,
        time,
        arrived: None,
        source: address("source")?,
        destination: address("destination")?,
        // Which connection that was the trace does not say.
        stream: (!is_datagram).then_some(0),
        bytes: bytes.into(),
        identification: 0,
        behind: None,
        fate: effects.fold(Fate::FINE, |fate, effect| fate.with(effect).unwrap_or(fate)),
        names: (node("from"), node("to")),
        listeners: (None, None),
    })
}

/// The words of a node about itself.
fn noted(event: &Value, place: Place) -> Option<Remark> {
    let (note, call_id) = (event["note"].as_str()?, event["call_id"].as_str().map(str::to_owned));
    let note = match (note, call_id) {
        (_, Some(call_id)) => match note.strip_prefix(Note::OVER) {
            Some(why) => Note::CallEnded { call_id, why: why.to_owned(), session: None },
            None => Note::CallBegan { call_id },
        },
        (Note::CRASHED, None) => Note::Crashed,
        (Note::RESTARTED, None) => Note::Restarted,
        (said, None) => Note::Said(said.to_owned()),
    };
    remark(event, place, Said::Note(note))
}

fn remark(event: &Value, place: Place, said: Said) -> Option<Remark> {
    Some(Remark { place, time: nanos(&event["time"])?, node: event["node"].as_str()?.to_owned(), said })
}

fn nanos(time: &Value) -> Option<u64> {
    instant(time).map(sansip::Instant::as_nanos)
}
