//! One request by two ways (RFC 3261 §8.2.2.2), and responses with Vias beyond ours (§8.1.3.3).

use crate::bench::{Bench, Told, answer, ours, their_via, theirs};
use crate::node;
use sansip::{Config, Seed};

fn config() -> Config {
    let mut config = Config::new(Seed::from_u64(1));
    config.rport = false;
    config
}

fn statuses(sent: &[crate::bench::Sent]) -> Vec<&str> {
    sent.iter().filter(|sent| sent.text.starts_with("SIP/2.0")).map(|sent| &sent.start_line()[8..11]).collect()
}

#[test]
fn a_user_agent_refuses_a_request_that_it_has_by_another_way() {
    let mut bench = node::user_agent(config());
    let options = theirs("OPTIONS", &their_via("z9hG4bKone"));
    bench.receive(&options);
    bench.receive(&options.replace("z9hG4bKone", "z9hG4bKtwo"));
    assert_eq!(statuses(&bench.sent), ["200", "482"]);
    // From tag, Call-ID and CSeq make it the same; another of any is another request.
    for (place, (old, new)) in
        [("tag=a6c85cf", "tag=b"), ("a84b4c76e66710", "b"), ("314159", "314160"), ("314159 OPTIONS", "314159 OPTIONS ")]
            .into_iter()
            .enumerate()
    {
        bench.receive(&options.replace("z9hG4bKone", &format!("z9hG4bK-{place}")).replace(old, new));
    }
    assert_eq!(statuses(&bench.sent)[2..], ["200", "200", "200", "482"]);
    // A To tag names a dialog: there is none, but that is another matter.
    let to = ("To: Alice <sip:alice@atlanta.com>", "To: Alice <sip:alice@atlanta.com>;tag=x");
    bench.receive(&options.replace("z9hG4bKone", "z9hG4bKthree").replace(to.0, to.1));
    assert_eq!(statuses(&bench.sent)[6..], ["481"]);
    // Once it is over it may come again.
    bench.run_to(32_000);
    bench.receive(&options.replace("z9hG4bKone", "z9hG4bKfour"));
    assert_eq!(statuses(&bench.sent)[7..], ["200"]);
}

/// §16.3 step 4: a proxy forwards both. The second is no loop: it has not been here.
#[test]
fn a_proxy_refuses_no_merged_request() {
    let mut bench = node::server(config());
    let invite = theirs("INVITE", &their_via("z9hG4bKone")).replace("sip:alice@192.0.2.1 ", "sip:bob@192.0.2.77 ");
    bench.receive(&invite);
    bench.receive(&invite.replace("z9hG4bKone", "z9hG4bKtwo"));
    assert_eq!(bench.times("INVITE").len(), 2);
    assert_eq!(statuses(&bench.sent), ["100", "100"]);
}

/// The response as it comes, with a second Via below ours.
fn with_two_vias(response: &str) -> String {
    response.replacen("From:", "Via: SIP/2.0/UDP 192.0.2.99;branch=z9hG4bKbelow\nFrom:", 1)
}

/// Which of them is misrouted only a core can tell: a proxy's have the Via of the one before it.
#[test]
fn the_endpoint_hands_up_responses_with_several_vias_whole() {
    let mut bench = Bench::new();
    bench.request(&ours("OPTIONS"));
    let response = with_two_vias(&answer(bench.last(), 200));
    bench.receive(&response);
    assert_eq!(bench.whats(), [Told::Response(200)]);
    let text = String::from_utf8(bench.responses[0].as_bytes().to_vec()).unwrap();
    assert_eq!(text.replace("\r\n", "\n"), response);
    // Only the topmost counts.
    let mut bench = Bench::new();
    bench.request(&ours("OPTIONS"));
    let response = answer(bench.last(), 200);
    let via = format!("Via: {}\n", bench.last().header("Via"));
    bench.receive(&response.replace(&via, &format!("Via: SIP/2.0/UDP 192.0.2.99;branch=z9hG4bKtop\n{via}")));
    assert_eq!((bench.told.len(), bench.endpoint.stats().foreign), (0, 1));
}

#[test]
fn a_user_agent_discards_responses_with_several_vias() {
    let mut bench = node::user_agent(config());
    let call = bench.node.call(bench.now, &"<sip:bob@192.0.2.9>".parse().unwrap()).unwrap();
    bench.drain();
    let invite = bench.last().clone();
    bench.receive(&with_two_vias(&answer(&invite, 180)));
    assert!(bench.events.is_empty());
    bench.receive(&answer(&invite, 180));
    assert_eq!(bench.events.len(), 1);
    assert_eq!(bench.node.calls().next().map(|info| info.call), Some(call));
}
