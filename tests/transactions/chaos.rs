//! Whatever peers, users and the clock do in whatever order: everything ends, and nothing is left.

use crate::bench::{Bench, address, answer, host, ours, request, their_via, theirs};
use sansip::{DeliveryId, NextHop, ServerTransactionId, Tag};

/// xorshift64*.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 33) as usize % sides
    }

    fn pick<T: Copy>(&mut self, things: &[T]) -> T {
        things[self.roll(things.len())]
    }
}

const METHODS: [&str; 5] = ["INVITE", "ACK", "BYE", "CANCEL", "OPTIONS"];
const STATUSES: [u16; 8] = [100, 180, 200, 302, 408, 487, 503, 600];
const ADDRESSES: [&str; 3] = ["192.0.2.9", "192.0.2.8", "2001:db8::9"];

struct Chaos {
    bench: Bench,
    dice: Dice,
    servers: Vec<ServerTransactionId>,
    deliveries: Vec<DeliveryId>,
    acks: Vec<DeliveryId>,
}

impl Chaos {
    fn step(&mut self) {
        match self.dice.roll(12) {
            0 | 1 => self.their_request(),
            2 | 3 => self.their_answer(),
            4 => self.our_request(),
            5 => self.our_ack(),
            6 | 7 => self.our_response(),
            8 => {
                if let Some(&delivery) = self.deliveries.get(self.dice.roll(self.deliveries.len().max(1))) {
                    let _ = self.bench.endpoint.cancel(self.bench.now, delivery);
                }
            }
            9 => {
                let remote = format!("{}:5060", self.dice.pick(&ADDRESSES[..2]));
                self.bench.unreachable(&remote);
            }
            10 if !self.bench.questions.is_empty() => {
                let count = self.dice.roll(4);
                let answers: Vec<&str> = (0..count).map(|_| self.dice.pick(&ADDRESSES)).collect();
                self.bench.resolve(&answers);
            }
            _ => {
                let wait = self.dice.pick(&[1, 100, 500, 3_000, 20_000]);
                let to = self.bench.now.as_millis() + wait;
                if self.dice.roll(2) == 0 { self.bench.run_to(to) } else { self.bench.jump_to(to) }
            }
        }
        self.bench.collect();
    }

    /// Often one that was there before; sometimes broken.
    fn their_request(&mut self) {
        let method = self.dice.pick(&METHODS);
        let via = match self.dice.roll(4) {
            0 => "SIP/2.0/UDP 192.0.2.9".to_string(),
            1 => "SIP/2.0/UDP host.example.com;rport;branch=z9hG4bKb".to_string(),
            _ => their_via(self.dice.pick(&["z9hG4bKa", "z9hG4bKb", "z9hG4bKc", "1"])),
        };
        let text = theirs(method, &via);
        let text = if self.dice.roll(5) == 0 { self.broken(text) } else { text };
        let before = self.bench.arrivals.len();
        self.bench.receive(&text);
        if self.bench.arrivals.len() > before && self.dice.roll(8) != 0 {
            self.servers.push(self.bench.accept());
        }
    }

    fn their_answer(&mut self) {
        let requests: Vec<_> =
            self.bench.sent.iter().filter(|sent| !sent.text.starts_with("SIP/2.0")).cloned().collect();
        if let Some(sent) = requests.get(self.dice.roll(requests.len().max(1))) {
            let text = answer(sent, self.dice.pick(&STATUSES));
            let text = if self.dice.roll(5) == 0 { self.broken(text) } else { text };
            self.bench.receive(&text);
        }
    }

    fn broken(&mut self, mut text: String) -> String {
        let at = self.dice.roll(text.len());
        match self.dice.roll(3) {
            0 => text.truncate(at),
            1 => text.replace_range(at..=at, self.dice.pick(&["\n", ";", "\0", ",", "", "<"])),
            _ => text.insert_str(at, self.dice.pick(&["\n\n", ";branch=z9hG4bKa", "\u{fc}", ":0"])),
        }
        text
    }

    fn next_hop(&mut self) -> NextHop {
        match self.dice.roll(4) {
            0 | 1 => NextHop::from(address("192.0.2.9:5060")),
            2 => host("biloxi.com"),
            _ => host("[2001:db8::9]"),
        }
    }

    fn our_request(&mut self) {
        let method = self.dice.pick(&["INVITE", "BYE", "OPTIONS"]);
        let next_hop = self.next_hop();
        self.deliveries.push(self.bench.request_to(&ours(method), next_hop));
    }

    fn our_ack(&mut self) {
        let (now, next_hop) = (self.bench.now, self.next_hop());
        match self.dice.roll(3) {
            0 => {
                let ack = self.bench.endpoint.acknowledge(now, request(&ours("ACK")), next_hop, Tag::NONE);
                self.acks.push(ack.expect("within limits"));
            }
            1 => {
                let ack = request(&theirs("ACK", &their_via("z9hG4bKa")));
                self.bench.endpoint.relay(now, ack, next_hop, "").expect("within limits");
            }
            _ => {
                if let Some(&ack) = self.acks.get(self.dice.roll(self.acks.len().max(1))) {
                    let _ = self.bench.endpoint.repeat(now, ack);
                }
            }
        }
    }

    fn our_response(&mut self) {
        if let Some(&server) = self.servers.get(self.dice.roll(self.servers.len().max(1))) {
            let response = self.bench.response(self.dice.pick(&STATUSES));
            let _ = self.bench.endpoint.respond(self.bench.now, server, response);
        }
    }

    /// The user ends what is its own to end, and time does the rest.
    fn calm(&mut self) {
        for &server in &self.servers {
            let response = self.bench.response(500);
            let _ = self.bench.endpoint.respond(self.bench.now, server, response);
        }
        for &delivery in &self.deliveries {
            let _ = self.bench.endpoint.cancel(self.bench.now, delivery);
        }
        for &ack in &self.acks {
            self.bench.endpoint.release(ack);
        }
        self.bench.collect();
        // A request may have as many addresses to try as the limit says.
        self.bench.run_to(self.bench.now.as_millis() + 10 * 64_000);
    }
}

#[test]
fn in_the_end_nothing_is_left() {
    for seed in 1..=400 {
        let mut chaos = Chaos {
            bench: Bench::new(),
            dice: Dice(0x9E37_79B9_7F4A_7C15_u64.wrapping_mul(seed)),
            servers: Vec::new(),
            deliveries: Vec::new(),
            acks: Vec::new(),
        };
        for _ in 0..120 {
            chaos.step();
        }
        chaos.calm();
        chaos.bench.assert_over();
        for delivery in &chaos.deliveries {
            assert!(chaos.bench.ended.contains(delivery), "seed {seed}: {delivery}");
        }
        // Nor in the indexes.
        let debug = format!("{:?}", chaos.bench.endpoint);
        assert_eq!(debug.matches("KeyedIndex(0 entries)").count(), 2, "seed {seed}: {debug}");
        assert_eq!(debug.matches("Senders(0 entries)").count(), 2, "seed {seed}: {debug}");
    }
}
