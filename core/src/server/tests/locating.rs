//! Bindings in a store of the application's own, which answers late, out of order, twice, or not at all.

use super::*;
use crate::registrar::{Answer, Binding, Plain, Record, Step, Store};
use crate::server::{self, QuestionId};
use crate::{CommandError, Limit, Random, Script};
use alloc::collections::BTreeMap;

/// biloxi.com, whose bindings are in a store.
fn bench() -> Bench {
    bench_with(|_| {})
}

fn bench_with(change: impl FnOnce(&mut Settings)) -> Bench {
    Bench::with(|settings| {
        settings.registrar.store = Store::Owner;
        change(settings);
    })
}

/// A question to the store.
#[derive(Clone, Debug)]
struct Lookup {
    id: QuestionId,
    address_of_record: String,
    step: Step,
}

/// A store that compares and sets. It writes bindings down as plain data.
#[derive(Clone, Default)]
struct Shelf(BTreeMap<String, (u64, Vec<Plain>)>);

impl Shelf {
    fn answer(&mut self, lookup: &Lookup) -> Answer {
        let record = self.0.get(&lookup.address_of_record).cloned();
        match &lookup.step {
            Step::Fetch => match record {
                None => Answer::Unknown,
                Some((version, plain)) => {
                    Answer::Found(Record { version, bindings: plain.into_iter().map(Binding::from).collect() })
                }
            },
            Step::Store(Record { version, bindings }) => {
                let now = record.map_or(0, |(version, _)| version);
                if now != *version {
                    return Answer::Changed;
                }
                let plain = bindings.iter().map(Plain::from).collect();
                self.0.insert(lookup.address_of_record.to_string(), (now + 1, plain));
                Answer::Stored
            }
        }
    }

    fn contacts(&self, name: &str) -> Vec<String> {
        let record = self.0.get(name).map(|(_, plain)| plain.as_slice()).unwrap_or_default();
        record.iter().map(|plain| plain.contact.to_string()).collect()
    }
}

impl Bench {
    /// The questions that were asked since this was called last.
    fn lookups(&mut self) -> Vec<Lookup> {
        let lookup = |question: server::Question| match question.step {
            server::Step::Bindings { address_of_record, step } => {
                Lookup { id: question.id, address_of_record: address_of_record.into(), step }
            }
            step => panic!("{step:?}"),
        };
        self.questions().into_iter().map(lookup).collect()
    }

    /// The one question that was asked.
    fn lookup(&mut self) -> Lookup {
        let mut lookups = self.lookups();
        assert_eq!(lookups.len(), 1, "{lookups:?}");
        lookups.remove(0)
    }

    fn tell(&mut self, lookup: &Lookup, answer: Answer) -> Result<(), CommandError> {
        self.server.answer(self.now, lookup.id, server::Answer::Bindings(answer))
    }

    /// A question is answered; what goes out for it.
    fn located(&mut self, lookup: &Lookup, answer: Answer) -> Vec<Sent> {
        self.tell(lookup, answer).unwrap();
        self.drain()
    }

    /// The store answers all that it is asked, at once; what goes out for it.
    fn serve(&mut self, shelf: &mut Shelf) -> Vec<Sent> {
        let mut sent = self.drain();
        loop {
            let lookups = self.lookups();
            if lookups.is_empty() {
                return sent;
            }
            for lookup in lookups {
                let answer = shelf.answer(&lookup);
                sent.append(&mut self.located(&lookup, answer));
            }
        }
    }
}

/// A REGISTER of this phone of bob's.
fn register(phone: &str, cseq: u32, contact: &str) -> String {
    format!(
        "REGISTER sip:biloxi.com SIP/2.0
        Via: SIP/2.0/UDP {phone};branch=z9hG4bK{phone}-{cseq}
        Max-Forwards: 70
        To: <sip:bob@biloxi.com>
        From: <sip:bob@biloxi.com>;tag=1
        Call-ID: {phone}
        CSeq: {cseq} REGISTER
        Contact: {contact}
        Content-Length: 0"
    )
}

/// A shelf on which bob has these contacts.
fn shelf(contacts: &str) -> Shelf {
    let (mut bench, mut shelf) = (bench(), Shelf::default());
    bench.bind(contacts);
    bench.serve(&mut shelf);
    assert!(!shelf.contacts("bob@biloxi.com").is_empty());
    shelf
}

#[test]
fn a_registration_fetches_and_stores_and_a_call_fetches() {
    let (mut bench, mut shelf) = (bench(), Shelf::default());
    assert!(bench.receive(BOB, &register("192.0.2.4", 1, "<sip:bob@192.0.2.4>;expires=60")).is_empty());
    assert_eq!(bench.server.user().census().questions, 1);
    let sent = bench.serve(&mut shelf);
    assert_eq!(summaries(&sent), ["200 192.0.2.4:5060"]);
    assert_eq!(sent[0].values(HeaderId::Contact), ["<sip:bob@192.0.2.4>;expires=60"]);
    assert!(matches!(&*bench.events, [Event::Binding(crate::registrar::Change::Bound { .. })]));
    assert!(bench.server.bindings("bob@biloxi.com").is_empty(), "nothing is in memory");
    // The same request again is answered, and nobody is asked.
    let again = bench.receive(BOB, &register("192.0.2.4", 1, "<sip:bob@192.0.2.4>;expires=60"));
    assert_eq!((summaries(&again), bench.lookups().len()), (Vec::from(["200 192.0.2.4:5060".into()]), 0));
    let trying = bench.receive(ALICE, &invite());
    assert_eq!(summaries(&trying), ["100 192.0.2.1:5060"]);
    // The INVITE again is answered, and nobody is asked anew.
    assert_eq!(summaries(&bench.receive(ALICE, &invite())), ["100 192.0.2.1:5060"]);
    let sent = bench.serve(&mut shelf);
    assert_eq!(summaries(&sent), ["INVITE 192.0.2.4:5060"]);
    bench.answer(&sent[0], 486);
    // A binding whose time is over is passed over, and the user is known.
    bench.wait(Duration::from_secs(61));
    bench.receive(ALICE, &invite().replace("nashds8", "late"));
    assert_eq!(summaries(&bench.serve(&mut shelf)), ["480 192.0.2.1:5060"]);
    bench.receive(ALICE, &request("INVITE", "sip:nobody@biloxi.com", "").replace("nashds8", "nobody"));
    assert_eq!(summaries(&bench.serve(&mut shelf)), ["404 192.0.2.1:5060"]);
    bench.comes_to_rest();
}

#[test]
fn a_list_of_bindings_stores_nothing_and_neither_does_what_is_refused() {
    let (mut bench, mut shelf) = (bench(), shelf("<sip:bob@192.0.2.4>"));
    let list = register("192.0.2.9", 1, "x").replace("Contact: x\n", "");
    bench.receive(BOB, &list);
    let fetch = bench.lookup();
    assert!(matches!(fetch.step, Step::Fetch));
    let answer = shelf.answer(&fetch);
    let sent = bench.located(&fetch, answer);
    assert_eq!((summaries(&sent)[0].as_str(), sent[0].values(HeaderId::Contact).len()), ("200 192.0.2.4:5060", 1));
    // Told from what the request says, the store is not even asked.
    let bad = register("192.0.2.9", 2, "*");
    assert_eq!(summaries(&bench.receive(BOB, &bad)), ["400 192.0.2.4:5060"]);
    let brief = register("192.0.2.9", 3, "<sip:bob@192.0.2.9>;expires=1");
    assert_eq!(summaries(&bench.receive(BOB, &brief)), ["423 192.0.2.4:5060"]);
    // `bind` registered with Call-ID 1 and CSeq 1: the same again changes nothing.
    let older = register("192.0.2.9", 1, "<sip:bob@192.0.2.4>").replace("Call-ID: 192.0.2.9", "Call-ID: 1");
    bench.receive(BOB, &older.replace("-1\n", "-old\n"));
    let fetch = bench.lookup();
    let answer = shelf.answer(&fetch);
    assert_eq!(summaries(&bench.located(&fetch, answer)), ["500 192.0.2.4:5060"]);
    // Nothing there, nothing to remove.
    bench.receive(BOB, &register("192.0.2.9", 4, "<sip:bob@192.0.2.77>;expires=0"));
    let sent = bench.serve(&mut shelf);
    assert_eq!(sent[0].values(HeaderId::Contact).len(), 1);
    bench.comes_to_rest();
}

/// Two phones may register at once: neither takes the binding of the other away.
#[test]
fn of_two_registrations_that_race_both_count() {
    let (mut bench, mut shelf) = (bench(), Shelf::default());
    bench.receive(BOB, &register("192.0.2.4", 1, "<sip:bob@192.0.2.4>"));
    let fetch = bench.lookup();
    bench.receive("192.0.2.5:5060", &register("192.0.2.5", 1, "<sip:bob@192.0.2.5>"));
    let other_fetch = bench.lookup();
    let (nothing, also_nothing) = (shelf.answer(&fetch), shelf.answer(&other_fetch));
    assert!(bench.located(&fetch, nothing).is_empty());
    let store = bench.lookup();
    assert!(bench.located(&other_fetch, also_nothing).is_empty());
    let other_store = bench.lookup();
    // The second is the faster one.
    let stored = shelf.answer(&other_store);
    assert_eq!(summaries(&bench.located(&other_store, stored)), ["200 192.0.2.5:5060"]);
    let changed = shelf.answer(&store);
    assert!(matches!(changed, Answer::Changed));
    assert!(bench.located(&store, changed).is_empty());
    let sent = bench.serve(&mut shelf);
    assert_eq!((summaries(&sent)[0].as_str(), sent[0].values(HeaderId::Contact).len()), ("200 192.0.2.4:5060", 2));
    assert_eq!(shelf.contacts("bob@biloxi.com"), ["sip:bob@192.0.2.5", "sip:bob@192.0.2.4"]);
    bench.comes_to_rest();
}

/// Two requests of one phone may race: the older one changes nothing once the newer is stored (§10.3 step 7).
#[test]
fn an_older_request_that_is_stored_too_late_is_refused() {
    let (mut bench, mut shelf) = (bench(), Shelf::default());
    bench.receive(BOB, &register("192.0.2.4", 1, "<sip:bob@192.0.2.4>;q=0.1"));
    let fetch = bench.lookup();
    let nothing = shelf.answer(&fetch);
    bench.located(&fetch, nothing);
    let store = bench.lookup();
    bench.receive(BOB, &register("192.0.2.4", 2, "<sip:bob@192.0.2.4>;q=0.2"));
    assert_eq!(summaries(&bench.serve(&mut shelf)), ["200 192.0.2.4:5060"]);
    let changed = shelf.answer(&store);
    bench.located(&store, changed);
    assert_eq!(summaries(&bench.serve(&mut shelf)), ["500 192.0.2.4:5060"]);
    assert_eq!(shelf.0["bob@biloxi.com"].1[0].q, 200);
    bench.comes_to_rest();
}

#[test]
fn answers_in_another_order_are_each_for_their_own_question() {
    let (mut bench, mut shelf) = (bench(), shelf("<sip:bob@192.0.2.4>"));
    bench.receive(ALICE, &invite());
    let bob = bench.lookup();
    bench.receive("192.0.2.1:5061", &invite().replace("bob@", "carol@").replace("nashds8", "c"));
    let carol = bench.lookup();
    let (for_bob, for_carol) = (shelf.answer(&bob), shelf.answer(&carol));
    assert_eq!(summaries(&bench.located(&carol, for_carol)), ["404 192.0.2.1:5060"]);
    assert_eq!(summaries(&bench.located(&bob, for_bob)), ["INVITE 192.0.2.4:5060"]);
    bench.comes_to_rest();
}

#[test]
fn a_second_answer_is_gone_and_one_to_another_question_is_none() {
    let (mut bench, mut shelf) = (bench(), Shelf::default());
    bench.receive(BOB, &register("192.0.2.4", 1, "<sip:bob@192.0.2.4>"));
    let fetch = bench.lookup();
    for wrong in [Answer::Stored, Answer::Changed] {
        assert_eq!(bench.tell(&fetch, wrong), Err(CommandError::WrongState));
    }
    bench.located(&fetch, Answer::Unknown);
    assert_eq!(bench.tell(&fetch, Answer::Unknown), Err(CommandError::Gone));
    let store = bench.lookup();
    for wrong in [Answer::Unknown, Answer::Found(Record::default())] {
        assert_eq!(bench.tell(&store, wrong), Err(CommandError::WrongState));
    }
    let stored = shelf.answer(&store);
    assert_eq!(summaries(&bench.located(&store, stored)), ["200 192.0.2.4:5060"]);
    assert_eq!(bench.tell(&store, Answer::Stored), Err(CommandError::Gone));
    bench.receive(ALICE, &invite());
    let fetch = bench.lookup();
    let found = shelf.answer(&fetch);
    assert_eq!(bench.located(&fetch, found.clone()).len(), 1);
    assert_eq!(bench.tell(&fetch, found), Err(CommandError::Gone));
    assert!(bench.drain().is_empty());
    bench.comes_to_rest();
}

#[test]
fn without_an_answer_everyone_gets_a_500_well_before_giving_up() {
    let mut bench = bench();
    bench.receive(BOB, &register("192.0.2.4", 1, "<sip:bob@192.0.2.4>"));
    bench.receive(ALICE, &invite());
    let lookups = bench.lookups();
    bench.receive("192.0.2.7:5060", &register("192.0.2.7", 1, "<sip:bob@192.0.2.7>"));
    let fetch = bench.lookup();
    bench.located(&fetch, Answer::Unknown);
    let store = bench.lookup();
    let sent = bench.wait(Duration::from_millis(9_999));
    // RFC 4320 §4.1: a 100 to a request other than INVITE, late.
    assert_eq!(summaries(&sent), ["100 192.0.2.4:5060", "100 192.0.2.7:5060"]);
    let mut sent = summaries(&bench.wait(Duration::from_millis(1)));
    sent.sort_unstable();
    assert_eq!(sent, ["500 192.0.2.1:5060", "500 192.0.2.4:5060", "500 192.0.2.7:5060"]);
    for lookup in &lookups {
        assert_eq!(bench.tell(lookup, Answer::Unknown), Err(CommandError::Gone));
    }
    assert_eq!(bench.tell(&store, Answer::Stored), Err(CommandError::Gone));
    assert_eq!(bench.server.user().census().questions, 0);
    bench.comes_to_rest();
}

#[test]
fn a_store_that_fails_is_a_500_at_once() {
    let mut bench = bench();
    bench.receive(BOB, &register("192.0.2.4", 1, "<sip:bob@192.0.2.4>"));
    let fetch = bench.lookup();
    assert_eq!(summaries(&bench.located(&fetch, Answer::Failed)), ["500 192.0.2.4:5060"]);
    bench.receive(BOB, &register("192.0.2.4", 2, "<sip:bob@192.0.2.4>"));
    let fetch = bench.lookup();
    bench.located(&fetch, Answer::Unknown);
    let store = bench.lookup();
    assert_eq!(summaries(&bench.located(&store, Answer::Failed)), ["500 192.0.2.4:5060"]);
    bench.receive(ALICE, &invite());
    let fetch = bench.lookup();
    assert_eq!(summaries(&bench.located(&fetch, Answer::Failed)), ["500 192.0.2.1:5060"]);
    assert!(!bench.events.iter().any(|event| matches!(event, Event::Binding(_))), "{:?}", bench.events);
    bench.comes_to_rest();
}

/// RFC 3261 §16.10, §8.3.
#[test]
fn a_cancel_ends_a_question() {
    for redirect in [false, true] {
        let mut bench = bench_with(|settings| settings.redirect = redirect);
        bench.receive(ALICE, &invite());
        let fetch = bench.lookup();
        let cancel = invite().replace("INVITE", "CANCEL").replace("Contact: <sip:alice@pc33.atlanta.com>\n", "");
        let sent = bench.receive(ALICE, &cancel);
        assert_eq!(summaries(&sent), ["200 192.0.2.1:5060", "487 192.0.2.1:5060"]);
        assert_eq!(bench.tell(&fetch, Answer::Unknown), Err(CommandError::Gone));
        assert!(bench.drain().is_empty());
        bench.comes_to_rest();
    }
    // A CANCEL ends nothing but INVITEs (§9.2).
    let (mut bench, mut shelf) = (bench_with(|settings| settings.redirect = true), shelf("<sip:bob@192.0.2.4>"));
    let message = request("MESSAGE", "sip:bob@biloxi.com", "");
    bench.receive(ALICE, &message);
    assert_eq!(summaries(&bench.receive(ALICE, &message.replace("MESSAGE", "CANCEL"))), ["200 192.0.2.1:5060"]);
    assert_eq!(summaries(&bench.serve(&mut shelf)), ["302 192.0.2.1:5060"]);
    // Nobody is asked for one that is for nothing.
    let stray = invite().replace("INVITE", "CANCEL").replace("nashds8", "stray");
    assert_eq!(
        (summaries(&bench.receive(ALICE, &stray)), bench.lookups().len()),
        (Vec::from(["481 192.0.2.1:5060".into()]), 0)
    );
    bench.comes_to_rest();
}

#[test]
fn a_redirect_server_asks_too() {
    let (mut bench, mut shelf) = (bench_with(|settings| settings.redirect = true), shelf("<sip:bob@192.0.2.4>;q=0.5"));
    bench.receive(ALICE, &invite());
    let sent = bench.serve(&mut shelf);
    assert_eq!(summaries(&sent), ["302 192.0.2.1:5060"]);
    assert!(sent[0].values(HeaderId::Contact)[0].starts_with("<sip:bob@192.0.2.4>;q=0.5;expires="));
    assert!(matches!(&*bench.events, [Event::Redirected { .. }]));
    bench.receive(ALICE, &invite().replace("bob@", "carol@").replace("nashds8", "2"));
    assert_eq!(summaries(&bench.serve(&mut shelf)), ["404 192.0.2.1:5060"]);
    // Without an answer, as the proxy.
    bench.receive(ALICE, &invite().replace("nashds8", "3"));
    assert_eq!(bench.lookups().len(), 1);
    assert!(summaries(&bench.wait(Duration::from_secs(10))).contains(&"500 192.0.2.1:5060".into()));
    bench.comes_to_rest();
}

/// RFC 3261 §16.7 step 4: the contacts of a 3xx are users of ours.
#[test]
fn contacts_of_a_3xx_are_asked_for_one_after_the_other() {
    let mut shelf = shelf("<sip:bob@192.0.2.4>");
    let mut bench = bench_with(|settings| settings.proxy.recursion = true);
    for (user, host) in [("carol", "192.0.2.5"), ("dave", "192.0.2.6")] {
        let text =
            register(host, 1, &format!("<sip:{user}@{host}>")).replace("sip:bob@biloxi", &format!("sip:{user}@biloxi"));
        bench.receive(&format!("{host}:5060"), &text);
        bench.serve(&mut shelf);
    }
    bench.receive(ALICE, &invite());
    let sent = bench.serve(&mut shelf);
    let contacts = [(HeaderId::Contact, "<sip:carol@biloxi.com>, <sip:dave@biloxi.com>, <sip:nobody@biloxi.com>")];
    assert_eq!(summaries(&bench.answer_with(&sent[0], 302, &contacts)), ["ACK 192.0.2.4:5060"]);
    let names = |lookups: &[Lookup]| lookups.iter().map(|it| it.address_of_record.to_string()).collect::<Vec<_>>();
    for name in ["carol@biloxi.com", "dave@biloxi.com"] {
        let lookup = bench.lookup();
        assert_eq!(names(core::slice::from_ref(&lookup)), [name]);
        let found = shelf.answer(&lookup);
        assert!(bench.located(&lookup, found).is_empty());
    }
    let sent = bench.serve(&mut shelf);
    assert_eq!(summaries(&sent), ["INVITE 192.0.2.5:5060", "INVITE 192.0.2.6:5060"]);
    // Without an answer the redirection itself goes on.
    bench.answer(&sent[0], 486);
    bench.answer(&sent[1], 486);
    bench.receive(ALICE, &invite().replace("nashds8", "2"));
    let sent = bench.serve(&mut shelf);
    bench.answer_with(&sent[0], 302, &contacts);
    assert_eq!(bench.lookups().len(), 1);
    let sent = bench.wait(Duration::from_secs(10));
    assert!(summaries(&sent).contains(&"302 192.0.2.1:5060".into()), "{:?}", summaries(&sent));
    bench.comes_to_rest();
}

#[test]
fn an_ack_waits_for_its_way_and_is_dropped_without_an_answer() {
    let (mut bench, mut shelf) = (bench(), shelf("<sip:bob@192.0.2.4>"));
    let ack = in_dialog("ACK", "sip:bob@biloxi.com", "");
    assert!(bench.receive(ALICE, &ack).is_empty());
    assert_eq!(summaries(&bench.serve(&mut shelf)), ["ACK 192.0.2.4:5060"]);
    assert!(bench.receive(ALICE, &ack.replace("nashds8", "2")).is_empty());
    let unusable = bench.server.endpoint().stats().unusable;
    assert!(bench.wait(Duration::from_secs(11)).is_empty());
    assert_eq!(bench.server.endpoint().stats().unusable, unusable + 1);
    bench.comes_to_rest();
}

#[test]
fn questions_and_registrations_that_wait_have_limits() {
    let mut full = bench_with(|settings| settings.questions = 1);
    full.receive(ALICE, &invite());
    let second = full.receive(ALICE, &invite().replace("nashds8", "2"));
    assert_eq!(summaries(&second), ["100 192.0.2.1:5060", "503 192.0.2.1:5060"]);
    let register_too = full.receive(BOB, &register("192.0.2.4", 1, "<sip:bob@192.0.2.4>"));
    assert_eq!(summaries(&register_too), ["500 192.0.2.4:5060"]);
    assert!(full.events.iter().any(|event| matches!(event, Event::Overload { limit: Limit::QUESTIONS, .. })));
    full.comes_to_rest();
    let mut full = bench_with(|settings| settings.registrar.limits.waiting_registers = 1);
    full.receive(BOB, &register("192.0.2.4", 1, "<sip:bob@192.0.2.4>"));
    let second = full.receive(BOB, &register("192.0.2.4", 2, "<sip:bob@192.0.2.4>"));
    assert_eq!(summaries(&second), ["503 192.0.2.4:5060"]);
    assert_eq!(second[0].values(HeaderId::RetryAfter), ["600"]);
    assert!(full.events.iter().any(|event| matches!(event, Event::Overload { limit: Limit::WAITING_REGISTERS, .. })));
    full.comes_to_rest();
}

/// Six phones register and deregister at once, over a store that answers whenever it likes, some questions twice and some never. Each request has
/// one final response, each 200 says what the store had at that moment, and of what was acknowledged nothing is lost.
#[test]
fn whatever_the_store_does_nothing_acknowledged_is_lost() {
    for seed in 0..300 {
        let mut random = Random::new(Seed::from_u64(seed), Script::default());
        let mut draw = |below: u64| random.next_u64() % below;
        let (mut bench, mut shelf) = (bench(), Shelf::default());
        let mut open: Vec<(Lookup, Option<Answer>)> = Vec::new();
        let mut finals: BTreeMap<(String, String), Vec<u16>> = BTreeMap::new();
        let mut acknowledged: BTreeMap<String, (u32, bool)> = BTreeMap::new();
        let mut sequence = [0_u32; 6];
        let mut asked = 0;
        let mut ended = 0;
        while ended < 400 {
            ended += 1;
            let mut sent = Vec::new();
            match draw(5) {
                0 if ended < 200 => {
                    let phone = draw(6) as usize;
                    sequence[phone] += 1;
                    let host = format!("192.0.2.{}", 10 + phone);
                    let expires = if draw(3) == 0 { 0 } else { 3_600 };
                    let contact = format!("<sip:bob@{host}>;expires={expires}");
                    let text = register(&host, sequence[phone], &contact);
                    sent.append(&mut bench.receive(&format!("{host}:5060"), &text));
                    asked += 1;
                }
                // The store does its work, and its answer is on its way.
                1 | 2 if !open.is_empty() => {
                    let place = draw(open.len() as u64) as usize;
                    if open[place].1.is_none() {
                        let answer = shelf.answer(&open[place].0);
                        open[place].1 = Some(answer);
                    }
                }
                3 if !open.is_empty() => {
                    let place = draw(open.len() as u64) as usize;
                    if let (lookup, Some(answer)) = &open[place] {
                        // Some answers come twice, and some are lost.
                        match draw(8) {
                            0 => drop(open.remove(place)),
                            1 => {
                                let _ = bench.tell(lookup, answer.clone());
                                sent.append(&mut bench.drain());
                            }
                            _ => {
                                let _ = bench.tell(lookup, answer.clone());
                                sent.append(&mut bench.drain());
                                open.remove(place);
                            }
                        }
                    }
                }
                _ => {
                    let time = Duration::from_millis(draw(700));
                    sent.append(&mut bench.wait(time));
                }
            }
            if ended == 400 {
                sent.append(&mut bench.wait(Duration::from_secs(30)));
            }
            open.extend(bench.lookups().into_iter().map(|lookup| (lookup, None)));
            for sent in sent {
                let (status, cseq) = (sent.response().status().get(), sent.values(HeaderId::CSeq).remove(0));
                if status == 100 {
                    continue;
                }
                finals.entry((sent.to.clone(), cseq.clone())).or_default().push(status);
                let host = sent.to.trim_end_matches(":5060").to_string();
                let number: u32 = cseq.split(' ').next().unwrap().parse().unwrap();
                if status == 200 {
                    let contacts = sent.values(HeaderId::Contact);
                    let has = contacts.iter().any(|contact| contact.contains(&format!("bob@{host}>")));
                    acknowledged.insert(host, (number, has));
                } else {
                    assert_eq!(status, 500, "seed {seed}");
                }
            }
        }
        assert_eq!(finals.len(), asked, "seed {seed}: each has an answer");
        assert!(finals.values().all(|statuses| statuses.len() == 1), "seed {seed}: {finals:?}");
        // A binding that a phone was told of last holds. (Nobody remembers the CSeq of a binding that was removed.)
        let record = shelf.0.get("bob@biloxi.com").map(|(_, plain)| plain.as_slice()).unwrap_or_default();
        for (host, (number, _)) in acknowledged.iter().filter(|(_, (_, has))| *has) {
            let plain = record.iter().find(|plain| &*plain.call_id == host.as_bytes());
            let is_last = *number == sequence[host.rsplit('.').next().unwrap().parse::<usize>().unwrap() - 10];
            assert!(!is_last || plain.is_some(), "seed {seed}: {host} was told that it is bound");
            assert!(
                plain.is_none_or(|plain| plain.cseq >= *number),
                "seed {seed}: {host} is bound by an older request"
            );
        }
        bench.comes_to_rest();
    }
}
