//! Mistakes of core that sweeps, explorations and properties of the simulator found, each with the least that shows it
//! (docs/simulation.md lists them).

use sansip::server::{Server, Settings};
use sansip::{Config, Input, Instant, Listener, Node as _, Output, Seed};
use sansip_sim::World;
use sansip_sim::run::{Case, run};

use crate::drawn;
use crate::faults::{end, times};

/// Replays a line that a search has printed; all checks hold now.
fn replayed(line: &str) -> World {
    let case: Case = line.parse().expect("a case");
    let done = run(&case);
    assert!(done.verdict.holds(), "{:#?}\n{}", done.verdict, drawn(&done.world));
    done.world
}

/// The ACK for a rejection comes when a straggling copy of the INVITE has made a call on the same branch: Bob took it for the ACK of his
/// 200, and hung up on a caller who had none.
#[test]
fn a_late_ack_for_a_rejection_is_not_taken_for_that_of_a_2xx() {
    let world = replayed(
        "sansip-sim call --topology one-proxy --cancel-after 10ms --plan 'biloxi>bob#2:+10s, bob>biloxi#4:+20s' --seed 1",
    );
    assert_eq!(times(&world, "biloxi", "ACK"), [0, 19_500]);
    assert_eq!(end(&world, "bob"), "no ACK came");
}

/// Both hang up, and Bob's resolver is slow: Alice's BYE comes before the way of his is known. He sent it all the same, in a dialog
/// that was over.
#[test]
fn a_bye_whose_way_is_still_looked_up_is_taken_back_when_that_of_the_peer_comes() {
    let line = "sansip-sim call --topology direct --hang-up alice,bob --plan 'bob@6s..40s:dns(+2s)' --seed 1";
    let world = replayed(line);
    assert_eq!((times(&world, "alice", "BYE"), times(&world, "bob", "BYE")), (vec![0], vec![]));
    assert_eq!((end(&world, "alice").as_str(), end(&world, "bob").as_str()), ("hung up", "hung up"));
}

/// Both hang up, and Alice asks for credentials: her BYE has ended the call when her 401 to Bob's comes. He sent his once more, in a
/// dialog that was over.
#[test]
fn a_bye_that_is_challenged_when_that_of_the_peer_has_come_is_not_sent_again() {
    let world = replayed("sansip-sim call --topology direct --hang-up nobody --challenge alice --seed 1");
    assert_eq!((times(&world, "alice", "BYE"), times(&world, "bob", "BYE")), (vec![0], vec![0]));
    assert_eq!((end(&world, "alice").as_str(), end(&world, "bob").as_str()), ("hung up", "hung up"));
}

/// Timer J is zero on a stream (RFC 3261 §17.2.2): whether a copy of a request is a new one must not depend on whether it came in the same
/// read as the first.
#[test]
fn a_timer_of_zero_fires_between_two_messages_of_one_read() {
    let here = ([192, 0, 2, 3], 5060).into();
    let copy = "REGISTER sip:biloxi.com SIP/2.0\r\nVia: SIP/2.0/TCP 192.0.2.4;branch=z9hG4bKa\r\nMax-Forwards: 70\r\n\
         From: <sip:bob@biloxi.com>;tag=1\r\nTo: <sip:bob@biloxi.com>\r\nCall-ID: c\r\nCSeq: 1 REGISTER\r\n\
         Contact: <sip:bob@192.0.2.4>\r\nContent-Length: 0\r\n\r\n";
    let both = [copy, copy].concat();
    let answers = |reads: &[&str]| -> Vec<String> {
        let settings = Settings { domains: vec!["biloxi.com".parse().expect("a host")], ..Settings::default() };
        let mut server = Server::server(Config::new(Seed::from_u64(1)), settings);
        let listener = server.listen(Listener::tcp(here));
        let connection = server.reserve();
        let remote = ([192, 0, 2, 4], 49_152).into();
        server.handle(Instant::ZERO, Input::Accepted { listener, connection, remote });
        for read in reads {
            server.handle(Instant::ZERO, Input::Stream { connection, bytes: read.as_bytes() });
        }
        let sent = std::iter::from_fn(|| server.poll()).filter_map(|output| match output {
            Output::Send(transmit) => Some(String::from_utf8_lossy(&transmit.bytes).into_owned()),
            _ => None,
        });
        sent.collect()
    };
    assert_eq!(answers(&[&both]), answers(&[copy, copy]));
    let statuses: Vec<String> = answers(&[&both]).iter().map(|answer| answer[8..11].to_owned()).collect();
    // The second is new, and its number is not above that of the first (§10.3 step 7).
    assert_eq!(statuses, ["200", "500"]);
}

/// A server whose nonces are all stale is given up at the limit of retries. The BYE that came then had the nonce that was refused last, not
/// the one that came with the refusal.
#[test]
fn the_nonce_of_the_last_refusal_is_used_by_what_is_sent_next() {
    let world = replayed("sansip-sim call --topology direct --hold bob:1ms --challenge alice --nonce-age 1ms --seed 1");
    assert_eq!(times(&world, "bob", "INVITE").len(), 9);
}

/// The PRACK that answers the offer of a reliable 183 crosses the CANCEL: the check took its description for another offer.
#[test]
fn an_answer_that_comes_after_the_refusal_is_no_offer() {
    replayed("sansip-sim call --topology nat --late-offer 10s --reliable --delay 1ms --seed 1");
}

/// A PRACK with the answer is challenged and comes again: the check took its description for another offer.
#[test]
fn an_answer_that_is_challenged_is_given_again() {
    replayed("sansip-sim call --topology direct --late-offer 1ms --reliable --challenge bob --nonce-age 20ms --seed 1");
}

/// Both hang up while Alice's REFER is out, and the 401 to the REFER comes when she has answered Bob's BYE: she sent the REFER once more, in a
/// dialog that was over.
#[test]
fn a_refer_that_is_challenged_when_both_have_hung_up_is_not_sent_again() {
    let world = replayed(
        "sansip-sim call --topology trapezoid --record-route --hang-up alice:200ms,bob:1ms --transfer 1ms \
         --challenge alice,bob --nonce-age 1s --delay 130ms --plan 'atlanta>alice#5:drop, atlanta>alice#7:drop' --seed 1",
    );
    assert_eq!(times(&world, "alice", "REFER"), [0, 500, 1_500]);
}
