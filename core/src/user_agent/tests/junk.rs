//! Damaged messages: whatever comes, the limits hold and everything ends.

use alloc::string::String;
use alloc::vec::Vec;

use super::lone::{CONTACT, Lone, invite, request};
use crate::Duration;

struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % sides as u64) as usize
    }
}

/// Words that mean something somewhere.
const WORDS: [&str; 12] =
    [";tag=bob-tag", ";lr", "*", "<>", "sip:", "\r\n ", ",", "4294967295", "BYE", ";tag=", "Require: x\r\n", "Via"];

fn damage(text: &str, dice: &mut Dice) -> String {
    let mut bytes: Vec<u8> = text.into();
    for _ in 0..=dice.roll(3) {
        let at = dice.roll(bytes.len());
        match dice.roll(3) {
            0 => bytes[at] = b' ' + dice.roll(90) as u8,
            1 => drop(bytes.drain(at..(at + dice.roll(8)).min(bytes.len()))),
            _ => drop(bytes.splice(at..at, WORDS[dice.roll(WORDS.len())].bytes())),
        }
    }
    String::from_utf8(bytes).unwrap()
}

#[test]
fn damaged_messages_leave_nothing_behind() {
    for seed in 1..=300_u64 {
        let mut dice = Dice(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15));
        let mut bob = Lone::new();
        let (_, ours) = bob.call();
        let texts = [
            invite("i", 10),
            request("CANCEL", "i", 10, "", ""),
            request("ACK", "a", 10, "bob-tag", ""),
            request("OPTIONS", "o", 11, "bob-tag", "Require: x\r\n"),
            request("INVITE", "r", 12, "bob-tag", CONTACT),
            request("BYE", "b", 13, "bob-tag", ""),
            ours.respond("180 Ringing", "one", CONTACT),
            ours.respond("200 OK", "two", "Contact: <sip:c@192.0.2.9>\r\nRecord-Route: <sip:192.0.2.9;lr>\r\n"),
            ours.respond("486 Busy Here", "two", ""),
        ];
        for _ in 0..30 {
            let text = &texts[dice.roll(texts.len())];
            let text = if dice.roll(3) == 0 { text.clone() } else { damage(text, &mut dice) };
            bob.receive(&text);
            let calls: Vec<_> = bob.agent.calls().map(|info| info.call).collect();
            for call in calls {
                match dice.roll(6) {
                    0 => drop(bob.command(|agent, now| agent.ring(now, call))),
                    1 => drop(bob.command(|agent, now| agent.answer(now, call, None))),
                    2 => drop(bob.command(|agent, now| agent.hang_up(now, call))),
                    _ => {}
                }
            }
            bob.run(Duration::from_millis(dice.roll(900) as u64));
        }
        let calls: Vec<_> = bob.agent.calls().map(|info| info.call).collect();
        for call in calls {
            let _ = bob.command(|agent, now| agent.hang_up(now, call));
        }
        bob.finish();
    }
}
