//! The one location store of a farm: a node that answers questions about addresses-of-record, each in a datagram of text.
//!
//! ```text
//! FETCH s1.0.7 bob@biloxi.com          FOUND s1.0.7 3            and a line for each binding
//!                                      UNKNOWN s1.0.7
//! STORE s1.0.8 bob@biloxi.com 3        STORED s1.0.8
//!   and a line for each binding        CHANGED s1.0.8            the record has another version by now
//! ```

use std::collections::{BTreeMap, VecDeque};
use std::net::SocketAddr;

use sansip::message::SharedBytes;
use sansip::registrar::{Answer, Binding, Plain, Record, Step};
use sansip::{ConnectionId, Flow, Input, Instant, ListenerId, Node, Output, Transmit};

use super::Actor;
use crate::trace::Note;

/// The first words of questions and answers.
pub(crate) const VERBS: [&str; 6] = ["FETCH", "FOUND", "UNKNOWN", "STORE", "STORED", "CHANGED"];

/// The question of a server, named by `id`.
pub(super) fn question(id: &str, address_of_record: &str, step: &Step) -> String {
    match step {
        Step::Fetch => format!("FETCH {id} {address_of_record}\n"),
        Step::Store(record) => {
            let lines: String = record.bindings.iter().map(line).collect();
            format!("STORE {id} {address_of_record} {}\n{lines}", record.version)
        }
    }
}

/// The name of a question, and the answer to it.
pub(super) fn answer(text: &str) -> Option<(&str, Answer)> {
    let (head, lines) = text.split_once('\n')?;
    let mut words = head.split(' ');
    let (verb, id) = (words.next()?, words.next()?);
    let answer = match verb {
        "FOUND" => {
            let bindings = lines.lines().map(binding).collect::<Option<_>>()?;
            Answer::Found(Record { version: words.next()?.parse().ok()?, bindings })
        }
        "UNKNOWN" => Answer::Unknown,
        "STORED" => Answer::Stored,
        "CHANGED" => Answer::Changed,
        _ => return None,
    };
    Some((id, answer))
}

/// A binding as a line: a phone of a farm has no way but its contact, as what its flow is another server cannot know.
fn line(binding: &Binding) -> String {
    let Plain { contact, q, expires_at, updated_at, parameters, call_id, cseq, .. } = Plain::from(binding);
    let [parameters, call_id] = [parameters, call_id].map(|text| String::from_utf8_lossy(&text).into_owned());
    let (expires, updated) = (expires_at.as_nanos(), updated_at.as_nanos());
    format!("{} {q} {expires} {updated} {call_id} {cseq} {parameters}\n", String::from_utf8_lossy(contact.as_bytes()))
}

fn binding(line: &str) -> Option<Binding> {
    let mut words = line.splitn(7, ' ');
    let mut word = || words.next();
    Some(Binding::from(Plain {
        contact: word()?.parse().ok()?,
        q: word()?.parse().ok()?,
        expires_at: Instant::from_nanos(word()?.parse().ok()?),
        updated_at: Instant::from_nanos(word()?.parse().ok()?),
        call_id: word()?.as_bytes().into(),
        cseq: word()?.parse().ok()?,
        parameters: word()?.as_bytes().into(),
        way: None,
    }))
}

/// A location store in a world. It keeps its records when it crashes.
#[derive(Clone, Debug, Default)]
pub struct StoreActor {
    records: BTreeMap<String, Stored>,
    out: VecDeque<Transmit>,
}

#[derive(Clone, Debug)]
struct Stored {
    version: u64,
    lines: String,
    /// The question that has stored it. A copy of that question is answered alike.
    by: String,
}

impl StoreActor {
    /// Its only listener, for UDP.
    pub const HERE: ListenerId = ListenerId::from_parts(0, 1);

    fn answer(&mut self, text: &str) -> Option<String> {
        let (head, lines) = text.split_once('\n')?;
        let mut words = head.split(' ');
        let (verb, id, name) = (words.next()?, words.next()?, words.next()?);
        let stored = self.records.get(name);
        Some(match verb {
            "FETCH" => match stored {
                Some(Stored { version, lines, .. }) => format!("FOUND {id} {version}\n{lines}"),
                None => format!("UNKNOWN {id}\n"),
            },
            "STORE" if stored.is_some_and(|stored| stored.by == id) => format!("STORED {id}\n"),
            "STORE" => {
                let version: u64 = words.next()?.parse().ok()?;
                if stored.map_or(0, |stored| stored.version) != version {
                    return Some(format!("CHANGED {id}\n"));
                }
                let stored = Stored { version: version + 1, lines: lines.to_owned(), by: id.to_owned() };
                self.records.insert(name.to_owned(), stored);
                format!("STORED {id}\n")
            }
            _ => return None,
        })
    }
}

/// A datagram of text.
pub(super) fn datagram(listener: ListenerId, remote: SocketAddr, text: &str) -> Transmit {
    Transmit { flow: Flow::datagram(listener, remote), ttl: None, bytes: SharedBytes::from(text.as_bytes()) }
}

impl Node for StoreActor {
    type Event = Note;

    fn handle(&mut self, _: Instant, input: Input<'_>) {
        if let Input::Datagram { remote, bytes, .. } = input
            && let Some(answer) = std::str::from_utf8(bytes).ok().and_then(|text| self.answer(text))
        {
            self.out.push_back(datagram(Self::HERE, remote, &answer));
        }
    }

    fn poll(&mut self) -> Option<Output<Note>> {
        self.out.pop_front().map(Output::Send)
    }

    fn deadline(&self) -> Option<Instant> {
        None
    }

    fn is_idle(&self) -> bool {
        self.out.is_empty()
    }

    fn reserve(&mut self) -> ConnectionId {
        unreachable!("nobody connects to it")
    }
}

impl Actor for StoreActor {
    fn restarted(&self, _: Instant, _: u32) -> Option<Box<dyn Actor>> {
        Some(Box::new(Self { records: self.records.clone(), out: VecDeque::new() }))
    }

    fn is_stateless(&self) -> bool {
        true
    }

    fn speaks_sip(&self) -> bool {
        false
    }

    fn clone_box(&self) -> Box<dyn Actor> {
        Box::new(self.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_is_stored_in_the_place_of_the_version_that_was_fetched_alone() {
        let mut store = StoreActor::default();
        let mut says = |text: &str| store.answer(text).unwrap();
        assert_eq!(says("FETCH s1.0.1 bob@biloxi.com\n"), "UNKNOWN s1.0.1\n");
        assert_eq!(says("STORE s1.0.2 bob@biloxi.com 0\none\n"), "STORED s1.0.2\n");
        // Another server has fetched before.
        assert_eq!(says("STORE s2.0.1 bob@biloxi.com 0\ntwo\n"), "CHANGED s2.0.1\n");
        assert_eq!(says("STORE s1.0.2 bob@biloxi.com 0\none\n"), "STORED s1.0.2\n", "a copy");
        assert_eq!(says("FETCH s2.0.2 bob@biloxi.com\n"), "FOUND s2.0.2 1\none\n");
        assert_eq!(store.answer("BYE s1.0.1 bob@biloxi.com\n"), None);
    }

    #[test]
    fn a_binding_is_read_as_it_is_written() {
        let plain = Plain {
            contact: "sip:bob@192.0.2.4".parse().unwrap(),
            q: 500,
            expires_at: Instant::from_nanos(7_200_000_000_001),
            updated_at: Instant::from_millis(3),
            parameters: b";+sip.instance=\"<urn:uuid:1>\";description=\"a b\"".as_slice().into(),
            call_id: b"843817637684230@998sdasdh09".as_slice().into(),
            cseq: 1826,
            way: None,
        };
        let record = Record { version: 4, bindings: vec![Binding::from(plain.clone())] };
        let asked = question("s1.0.1", "bob@biloxi.com", &Step::Store(record));
        let found = asked.replacen("STORE s1.0.1 bob@biloxi.com 4", "FOUND s1.0.1 4", 1);
        let Some(("s1.0.1", Answer::Found(read))) = answer(&found) else { panic!("{found}") };
        assert_eq!(read.version, 4);
        let read = Plain::from(&read.bindings[0]);
        assert_eq!(format!("{read:?}"), format!("{plain:?}"));
        assert!(answer("FOUND s1.0.1 4\nsip:bob@192.0.2.4 1\n").is_none());
    }
}
