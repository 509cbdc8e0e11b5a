//! A From that was received is the To of our requests: folds, quoted-pairs and control octets in it.

use alloc::format;
use alloc::vec::Vec;

use super::lone::{Lone, invite, request};
use super::text::Text;
use crate::message::Limits;

/// Display names, and whether they can be written again.
const NAMES: [(&str, bool); 8] = [
    ("Carol", true),
    ("a\r\n b", true),
    ("\\\"", true),
    ("\\\\", true),
    ("\\\0", true),
    ("\0", false),
    ("\u{1}", false),
    ("\u{7f}", false),
];

/// A way of which nobody knows how to go it.
const NO_WAY: &str = "Contact: <sip:carol@192.0.2.9;transport=pigeon>\r\n";

#[test]
fn a_call_to_a_peer_that_no_request_reaches_fails_when_it_is_answered() {
    let mut bob = Lone::new();
    let (_, invite) = bob.call();
    assert_eq!(bob.exchange(&invite.respond("200 OK", "carol-tag", NO_WAY)), []);
    assert_eq!(bob.told(), ["failed 503 (none)"]);
    bob.finish();
}

#[test]
fn a_call_from_a_peer_that_no_request_reaches_can_be_hung_up() {
    let mut bob = Lone::new();
    bob.receive(&request("INVITE", "1", 1, "", NO_WAY));
    let call = bob.incoming();
    bob.command(|agent, now| agent.answer(now, call, None)).unwrap();
    bob.receive(&request("ACK", "2", 1, "bob-tag", ""));
    assert_eq!(bob.command(|agent, now| agent.hang_up(now, call)), Ok(()));
    assert_eq!(bob.told(), ["incoming", "confirmed", "ended Local"]);
    bob.finish();
}

/// RFC 3261 §8.2: a From longer than what is written again cannot make a dialog; the longest that is can be hung up.
#[test]
fn a_from_has_a_bound_above_which_no_dialog_is_made_of_it() {
    const REST: usize = "\"\" <sip:carol@chicago.com>;tag=carol-tag".len();
    for (longer, answer) in [(0, "180"), (1, "400")] {
        let name = "x".repeat(Limits::REWRITTEN_VALUE - REST + longer);
        let mut bob = Lone::new();
        let sent = bob.exchange(&invite("1", 1).replace("From: Carol", &format!("From: \"{name}\"")));
        if answer == "400" {
            assert_eq!(&sent[0].start[..11], "SIP/2.0 400", "{}", sent[0].start);
        } else {
            let call = bob.incoming();
            bob.command(|agent, now| agent.ring(now, call)).unwrap();
            assert_eq!(bob.take().last().map(Text::label).as_deref(), Some("180 INVITE"));
        }
    }
}

#[test]
fn a_call_whose_from_can_be_written_again_can_be_hung_up_and_any_other_is_refused() {
    for (one, one_is_well) in NAMES {
        for (two, two_is_well) in NAMES {
            let from = format!("\"{one} {two}\"");
            let named = |text: &str| text.replace("From: Carol", &format!("From: {from}"));
            let mut bob = Lone::new();
            let sent = bob.exchange(&named(&invite("1", 1)));
            if !(one_is_well && two_is_well) {
                let starts: Vec<&str> = sent.iter().map(|sent| &sent.start[..12]).collect();
                assert_eq!(starts, ["SIP/2.0 400 "], "{from:?}");
                bob.finish();
                continue;
            }
            let call = bob.incoming();
            bob.command(|agent, now| agent.answer(now, call, None)).unwrap();
            bob.receive(&named(&request("ACK", "2", 1, "bob-tag", "")));
            bob.take();
            bob.command(|agent, now| agent.hang_up(now, call)).unwrap();
            let bye = bob.take().remove(0);
            let to = format!("{} <sip:carol@chicago.com>;tag=carol-tag", from.replace("\r\n ", " "));
            assert_eq!((bye.label().as_str(), bye.header("to")), ("BYE", to.as_str()), "{from:?}");
            bob.receive(&bye.respond("200 OK", "", ""));
            assert_eq!(bob.told(), ["incoming", "confirmed", "ended Local"], "{from:?}");
            bob.finish();
        }
    }
}
