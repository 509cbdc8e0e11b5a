//! Messages by Call-ID.

use std::collections::{BTreeMap, HashMap};

use super::limits::Limits;
use super::nodes::Listeners;
use super::reader::Message;
use crate::packet::Packet;

/// When nothing was heard of a call for so long, and nothing of it is open, all its transactions are over: 64·T1 and T4 (RFC 3261 §17), and a
/// little more.
const QUIET: u64 = 45_000_000_000;
/// Copies of one packet are captured within so long, in nanoseconds.
const SAME_PACKET: u64 = 5_000_000;
/// As above, if its header has an identification, which comes again for another packet only later (RFC 6864 §4.3).
const SAME_IDENTIFICATION: u64 = 1_000_000_000;
/// A message passes a NAT within so long, and before its sender sends a copy (T1).
const TRANSLATION: u64 = 400_000_000;
/// A copy of a message is looked for among so many before it.
const LOOKED_BACK: usize = 64;
/// After so many messages calls that are over are looked for.
const LOOKED_FOR: u64 = 1_024;

/// Messages of one Call-ID.
#[derive(Clone, Debug)]
pub struct Call {
    /// The Call-ID.
    pub call_id: String,
    /// Its messages in the order of their times, each once.
    pub messages: Vec<Message>,
    octets: usize,
    /// When it was heard of last.
    last: u64,
    /// Whether a dialog or a binding of it goes on.
    is_open: bool,
}

/// Calls in progress.
#[derive(Debug)]
pub struct Calls {
    limits: Limits,
    /// The numbers of calls by Call-ID.
    numbers: HashMap<String, u64>,
    /// In the order in which they began.
    all: BTreeMap<u64, Call>,
    next: u64,
    octets: usize,
    added: u64,
    listeners: Listeners,
    /// Calls that were let go as there were too many, or too much of one.
    pub let_go: u64,
    /// Packets that were captured more than once.
    pub repeated: u64,
    /// Messages that were captured on both sides of a NAT.
    pub translated: u64,
    /// Messages without the headers that every message has; so many are kept as a call may have messages.
    pub unreadable: Vec<Message>,
    /// How many such messages there were.
    pub unread: u64,
}

impl Calls {
    /// No calls yet.
    pub fn new(limits: Limits) -> Self {
        Self {
            limits,
            numbers: HashMap::new(),
            all: BTreeMap::new(),
            next: 0,
            octets: 0,
            added: 0,
            listeners: Listeners::new(limits.hidden),
            let_go: 0,
            repeated: 0,
            translated: 0,
            unreadable: Vec::new(),
            unread: 0,
        }
    }

    /// Takes a message. The calls that are over by now are given to `over`; those that are let go are counted.
    pub fn add(&mut self, message: Message, over: &mut dyn FnMut(Call)) {
        let Some(packet) = Packet::read(&message.bytes) else {
            self.unread += 1;
            if self.unreadable.len() < self.limits.messages {
                self.unreadable.push(message.clone());
            }
            return;
        };
        let now = message.time;
        let listeners = self.listeners.learn(&message, &packet);
        let number = match self.numbers.get(packet.call_id) {
            Some(number) => *number,
            None => self.begin(packet.call_id, now),
        };
        if let Some(call) = self.all.get_mut(&number) {
            call.last = call.last.max(now);
            match call.meets(&message) {
                Meeting::New => {
                    call.note(&packet);
                    let octets = message.bytes.len() + size_of::<Message>();
                    call.octets += octets;
                    self.octets += octets;
                    call.messages.push(Message { listeners, ..message.clone() });
                }
                Meeting::Repeated => self.repeated += 1,
                Meeting::Translated => self.translated += 1,
            }
            if call.messages.len() > self.limits.messages {
                self.remove(number);
                self.let_go += 1;
            }
        }
        while self.octets > self.limits.octets
            && let Some(oldest) = self.all.keys().next().copied()
        {
            self.remove(oldest);
            self.let_go += 1;
        }
        self.added += 1;
        if self.added.is_multiple_of(LOOKED_FOR) {
            let is_over = |call: &Call| !call.is_open && call.last.saturating_add(QUIET) < now;
            let numbers: Vec<u64> =
                self.all.iter().filter(|(_, call)| is_over(call)).map(|(number, _)| *number).collect();
            numbers.into_iter().filter_map(|number| self.remove(number)).for_each(over);
        }
    }

    /// Gives the calls that are left, in the order in which they began.
    pub fn take_rest(&mut self) -> impl Iterator<Item = Call> + use<> {
        self.numbers.clear();
        self.octets = 0;
        std::mem::take(&mut self.all).into_values().map(Call::in_order)
    }

    fn begin(&mut self, call_id: &str, now: u64) -> u64 {
        if self.all.len() >= self.limits.calls
            && let Some(oldest) = self.all.keys().next().copied()
        {
            self.remove(oldest);
            self.let_go += 1;
        }
        let number = self.next;
        self.next += 1;
        self.numbers.insert(call_id.to_owned(), number);
        let call = Call { call_id: call_id.to_owned(), messages: Vec::new(), octets: 0, last: now, is_open: false };
        self.all.insert(number, call);
        number
    }

    fn remove(&mut self, number: u64) -> Option<Call> {
        let call = self.all.remove(&number)?;
        self.numbers.remove(&call.call_id);
        self.octets -= call.octets;
        Some(call.in_order())
    }
}

/// How a message relates to those before it.
enum Meeting {
    New,
    Repeated,
    Translated,
}

impl Call {
    /// A trace has its messages in the order in which they arrive.
    fn in_order(mut self) -> Self {
        self.messages.sort_by_key(|message| (message.time, message.place));
        self
    }

    /// Whether a message was captured before: the same packet again, or on the other side of a NAT.
    fn meets(&mut self, message: &Message) -> Meeting {
        // A trace has each message once, and a stream each octet.
        if message.names != (None, None) {
            return Meeting::New;
        }
        for other in self.messages.iter_mut().rev().take(LOOKED_BACK) {
            let since = message.time.abs_diff(other.time);
            if since > SAME_IDENTIFICATION {
                return Meeting::New;
            }
            if other.bytes != message.bytes {
                continue;
            }
            let ends = (message.source, message.destination);
            let is_same_way = (other.source, other.destination) == ends || other.behind == Some(ends);
            if is_same_way && message.stream.is_some() {
                return Meeting::New;
            }
            let is_same_packet = if message.identification == 0 || other.behind == Some(ends) {
                since <= SAME_PACKET
            } else {
                message.identification == other.identification
            };
            if is_same_way && is_same_packet {
                return Meeting::Repeated;
            }
            // A NAT leaves one end as it is.
            let has_one_end = (other.source == message.source) != (other.destination == message.destination);
            if has_one_end && other.behind.is_none() && since <= TRANSLATION {
                other.behind = Some(ends);
                return Meeting::Translated;
            }
        }
        Meeting::New
    }

    fn note(&mut self, packet: &Packet<'_>) {
        if packet.answers(2, "INVITE") || packet.is("REGISTER") || packet.is("SUBSCRIBE") {
            self.is_open = true;
        } else if packet.is("BYE") {
            self.is_open = false;
        }
    }

    /// The first request, or the first response if there is none.
    pub fn first(&self) -> Option<(&Message, Packet<'_>)> {
        let all = || self.messages.iter().filter_map(|message| Some((message, Packet::read(&message.bytes)?)));
        all().find(|(_, packet)| packet.is_request()).or_else(|| all().next())
    }
}
