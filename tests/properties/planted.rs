//! The checks can fail: mistakes put between a node and the world, each found by the check that it is for.

use std::collections::VecDeque;

use sansip::{ConnectionId, Duration, Flow, Input, Instant, Node, Output, Transmit};
use sansip_sim::actor::{Actor, Call};
use sansip_sim::check::{breaches, standard};
use sansip_sim::packet::Packet;
use sansip_sim::render::ladder;
use sansip_sim::topology::{Scenario, Topology};
use sansip_sim::trace::Note;

/// A mistake of a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mistake {
    /// Sends messages of this kind again after so many milliseconds.
    Resends(&'static str, u64),
    /// Does not send messages of this kind.
    Withholds(&'static str),
    /// Does not see messages of this kind.
    Overlooks(&'static str),
    /// Answers an ACK with a 200.
    AnswersAcks,
    /// Is busy for ever.
    IsNeverIdle,
    /// Says that it has a call for ever.
    KeepsTheCall,
}

/// A node with a mistake.
#[derive(Clone, Debug)]
struct Mistaken {
    node: Box<dyn Actor>,
    mistake: Mistake,
    again: VecDeque<(Instant, Transmit)>,
    out: VecDeque<Transmit>,
    now: Instant,
}

/// `INVITE`, `ACK`, `200 INVITE`, …
fn kind(bytes: &[u8]) -> String {
    let Some(packet) = Packet::read(bytes) else { return String::new() };
    match packet.status() {
        Some(status) => format!("{status} {}", packet.method),
        None => packet.method.to_owned(),
    }
}

impl Node for Mistaken {
    type Event = Note;

    fn handle(&mut self, now: Instant, input: Input<'_>) {
        self.now = now;
        while self.again.front().is_some_and(|(time, _)| *time <= now) {
            self.out.extend(self.again.pop_front().map(|(_, transmit)| transmit));
        }
        if let Input::Datagram { bytes, remote, listener } = input {
            let kind = kind(bytes);
            if self.mistake == Mistake::AnswersAcks && kind == "ACK" {
                let text = String::from_utf8_lossy(bytes);
                let (_, headers) = text.split_once("\r\n").unwrap_or_default();
                let response = format!("SIP/2.0 200 OK\r\n{headers}");
                let bytes = response.into_bytes().into();
                self.out.push_back(Transmit { flow: Flow::datagram(listener, remote), ttl: None, bytes });
            }
            if matches!(self.mistake, Mistake::Overlooks(overlooked) if overlooked == kind) {
                return self.node.handle(now, Input::Tick);
            }
        }
        self.node.handle(now, input);
    }

    fn poll(&mut self) -> Option<Output<Note>> {
        loop {
            if let Some(transmit) = self.out.pop_front() {
                return Some(Output::Send(transmit));
            }
            match self.node.poll()? {
                Output::Send(transmit) => {
                    let kind = kind(&transmit.bytes);
                    match self.mistake {
                        Mistake::Withholds(withheld) if withheld == kind => continue,
                        Mistake::Resends(resent, after) if resent == kind => {
                            self.again.push_back((self.now + Duration::from_millis(after), transmit.clone()));
                        }
                        _ => {}
                    }
                    return Some(Output::Send(transmit));
                }
                Output::Event(Note::CallEnded { .. }) if self.mistake == Mistake::KeepsTheCall => {}
                output => return Some(output),
            }
        }
    }

    fn deadline(&self) -> Option<Instant> {
        [self.again.front().map(|(time, _)| *time), self.node.deadline()].into_iter().flatten().min()
    }

    fn is_idle(&self) -> bool {
        self.mistake != Mistake::IsNeverIdle && self.again.is_empty() && self.node.is_idle()
    }

    fn reserve(&mut self) -> ConnectionId {
        self.node.reserve()
    }
}

impl Actor for Mistaken {
    fn calls(&self) -> Vec<Call> {
        self.node.calls()
    }

    fn clone_box(&self) -> Box<dyn Actor> {
        Box::new(self.clone())
    }
}

/// Runs the call of RFC 3261 with a mistake at a node and returns what was broken.
fn broken(mut scenario: Scenario, at: &str, mistake: Mistake) -> (Vec<String>, String) {
    scenario.calm_from = Instant::from_millis(60_000);
    let mut world = scenario.world_with(&mut |name, node| {
        if name != at {
            return node;
        }
        let (again, out) = (VecDeque::new(), VecDeque::new());
        Box::new(Mistaken { node, mistake, again, out, now: Instant::ZERO })
    });
    world.run_until_quiet(scenario.end());
    (breaches(&standard(), &world).iter().map(ToString::to_string).collect(), ladder(world.trace()))
}

/// The mistake, whose it is, the check that finds it, and what it says.
const MISTAKES: [(Mistake, &str, &str, &str); 17] = [
    (Mistake::Resends("INVITE", 100), "alice", "schedule", "resent after a response"),
    (Mistake::Resends("INVITE", 5), "atlanta", "schedule", "copy 2 is allowed from"),
    (Mistake::Resends("BYE", 5), "bob", "schedule", "copy 2 is allowed from"),
    (Mistake::Resends("BYE", 100), "bob", "schedule", "resent after a final response"),
    (Mistake::Resends("ACK", 100), "alice", "schedule", "it is the 2. one, and 1 2xx came"),
    (Mistake::Resends("100 INVITE", 1), "atlanta", "schedule", "it is copy 2, and 1 are allowed"),
    (Mistake::Resends("180 INVITE", 1), "bob", "schedule", "it is copy 2, and 1 are allowed"),
    (Mistake::Resends("200 INVITE", 600), "bob", "schedule", "resent after the ACK"),
    (Mistake::Resends("200 INVITE", 1), "bob", "schedule", "it is copy 2, and 1 are allowed"),
    (Mistake::Resends("200 INVITE", 1), "biloxi", "schedule", "forwarded 2 of 1"),
    (Mistake::Resends("200 BYE", 1), "alice", "schedule", "it is copy 2, and 1 are allowed"),
    (Mistake::AnswersAcks, "bob", "responses", "it answers an ACK"),
    (Mistake::Overlooks("BYE"), "alice", "agreement", "has the call although a BYE came"),
    (Mistake::Withholds("ACK"), "alice", "acknowledged", "sent no ACK for 200 to INVITE"),
    (Mistake::Withholds("BYE"), "bob", "agreement", "gave the call up, and no BYE came or went"),
    (Mistake::KeepsTheCall, "alice", "agreement", "has the call although a BYE came"),
    (Mistake::IsNeverIdle, "biloxi", "idle", "biloxi is not idle"),
];

#[test]
fn every_planted_mistake_is_found_by_its_check() {
    for (mistake, node, check, says) in MISTAKES {
        let (broken, drawn) = broken(Scenario::rfc3261(Topology::Trapezoid), node, mistake);
        let found = broken.iter().any(|breach| breach.starts_with(check) && breach.contains(says));
        assert!(found, "{mistake:?} of {node} was not found by {check}: {broken:#?}\n{drawn}");
    }
}

#[test]
fn an_overlooked_2xx_is_found() {
    let (broken, drawn) = broken(Scenario::rfc3261(Topology::Trapezoid), "alice", Mistake::Overlooks("200 INVITE"));
    assert!(
        broken.iter().any(|breach| breach.contains("does not have the call although a 2xx came")),
        "{broken:#?}\n{drawn}"
    );
}

#[test]
fn an_overlooked_cancel_is_found() {
    let mut scenario = Scenario::rfc3261(Topology::Trapezoid);
    scenario.alice.calls[0].cancel_after = Some(Duration::from_secs(1));
    let (broken, drawn) = broken(scenario, "bob", Mistake::Overlooks("CANCEL"));
    let says = "has the call although a CANCEL came before it was answered";
    assert!(broken.iter().any(|breach| breach.contains(says)), "{broken:#?}\n{drawn}");
}

#[test]
fn a_wrapper_without_effect_is_no_mistake() {
    let (broken, drawn) = broken(Scenario::rfc3261(Topology::Trapezoid), "bob", Mistake::Withholds("MESSAGE"));
    assert!(broken.is_empty(), "{broken:#?}\n{drawn}");
}
