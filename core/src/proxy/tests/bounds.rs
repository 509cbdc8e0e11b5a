//! How much one request may cost: its time, its passes, its hops, and the octets of its branches.

use super::*;
use crate::proxy::Forking;

fn options(sent: &[String]) -> usize {
    sent.iter().filter(|sent| *sent == "OPTIONS").count()
}

/// RFC 4320 §4.2: the sender gives up 64·T1 after it has begun.
#[test]
fn a_request_other_than_invite_ends_with_its_senders_patience_and_without_a_response() {
    let mut bench = Bench::with(|settings| settings.forking = Forking::Sequential);
    bench.receive("OPTIONS");
    bench.wait(Duration::from_secs(9));
    bench.forward(&[phone(4), phone(5)]).unwrap();
    let sent = bench.drain();
    assert_eq!(options(&sent), 1);
    // At 9.5, 10.5, 12.5, 16.5, 20.5, 24.5 and 28.5 s, and no more at 32.5 s.
    let sent = bench.wait(Duration::from_millis(23_000));
    assert_eq!((options(&sent), bench.responses.len()), (7, 0), "{sent:?}");
    assert_eq!(bench.proxy.endpoint().census().client_transactions, 0);
    // Whatever comes of the request now is a retransmission.
    assert_eq!(bench.receive("OPTIONS"), [""; 0]);
    assert_eq!(bench.questions.len(), 1);
    assert_eq!(options(&bench.wait(Duration::from_secs(60))), 0, "no other target is tried");
    bench.comes_to_rest();
}

/// RFC 4320 §4.2: an element that cannot respond before the transaction expires sends no final response at all.
#[test]
fn what_other_branches_said_is_not_told_when_the_sender_has_given_up() {
    for status in [404, 486, 503, 603] {
        let mut bench = Bench::new();
        bench.receive("OPTIONS");
        bench.forward(&[phone(4), phone(5)]).unwrap();
        bench.drain();
        let first = bench.requests[0].clone();
        bench.answer(&first, status, &[]);
        let sent = bench.wait(Duration::from_secs(600));
        let is_said = |sent: &String| !["OPTIONS", "100 OPTIONS"].contains(&sent.as_str());
        assert!(!sent.iter().any(is_said), "{status}: {sent:?}");
        bench.comes_to_rest();
    }
    // An INVITE has no such deadline.
    let mut bench = Bench::new();
    bench.call(&[phone(4), phone(5)]);
    let first = bench.requests[0].clone();
    bench.answer(&first, 404, &[]);
    assert!(bench.wait(Duration::from_secs(33)).contains(&"404 INVITE".into()));
}

/// RFC 4321 §1.3: the attempts after the first would each take as long.
#[test]
fn a_name_with_many_silent_addresses_costs_no_more_than_one() {
    let mut bench = Bench::new();
    bench.receive("OPTIONS");
    bench.forward(&[Target::new("sip:bob@eight.example.com".parse().unwrap())]).unwrap();
    let mut sent = bench.drain();
    sent.extend(bench.wait(Duration::from_secs(300)));
    assert_eq!(options(&sent), 11);
    bench.comes_to_rest();
}

/// The branches are those that the core has written for other passes: with our name and a branch of somebody else a Via is none of ours.
#[test]
fn a_spiral_passes_so_often_and_no_more() {
    let branch = |number: usize| {
        let mut bench = Bench::new();
        bench.receive_request("INVITE", &format!("sip:bob{number}@biloxi.com"), "");
        bench.forward(&[bob()]).unwrap();
        bench.drain();
        let via = bench.requests[0].top_via().unwrap();
        via.branch().unwrap().to_string()
    };
    let pass = |vias: usize, change: fn(String) -> String| {
        let ours = (0..vias).map(|number| format!("Via: SIP/2.0/UDP 192.0.2.3;branch={}\r\n", change(branch(number))));
        let mut bench = Bench::new();
        let sent = bench.receive_request("INVITE", "sip:bob@biloxi.com", &ours.collect::<String>());
        (sent, bench.questions.len())
    };
    let passes = (Vec::from(["100 INVITE".to_string()]), 1);
    assert_eq!(pass(7, |branch| branch), passes);
    assert_eq!(pass(8, |branch| branch), (Vec::from(["482 INVITE".to_string()]), 0));
    assert_eq!(pass(8, |branch| branch.replace('.', "x")), passes);
    let other = |branch: String| match branch.strip_suffix('0') {
        Some(front) => format!("{front}1"),
        None => format!("{}0", &branch[..branch.len() - 1]),
    };
    assert_eq!(pass(8, other), passes);
}

/// Over forks that follow one another, and over passes: the last targets are left out, and the best response goes on.
#[test]
fn the_branches_of_one_request_have_a_sum_whatever_follows_what() {
    let phones = [phone(4), phone(5), phone(6), phone(7)];
    let mut bench = Bench::with(|settings| {
        settings.forking = Forking::Sequential;
        settings.limits.branches = 2;
    });
    let mut tried = 0;
    let mut sent = bench.call(&phones);
    while sent.contains(&"INVITE".into()) {
        tried += 1;
        let invite = bench.requests.iter().find(|request| request.method() == Method::Invite).unwrap().clone();
        sent = bench.answer(&invite, 486, &[]);
    }
    // The first is not counted.
    assert_eq!((tried, sent.last()), (3, Some(&"486 INVITE".to_string())), "{sent:?}");
    assert_eq!(bench.proxy.user().0.costs.len(), 1);
    bench.comes_to_rest();
    assert_eq!(bench.proxy.user().0.costs.len(), 0);
    // All at once.
    let mut bench = Bench::with(|settings| settings.limits.branches = 2);
    let sent = bench.call(&phones);
    assert_eq!(sent.iter().filter(|sent| *sent == "INVITE").count(), 3);
    // Without any branch, as for a spiral, it is too wide.
    let mut bench = Bench::with(|settings| settings.limits.branches = 0);
    bench.receive("INVITE");
    bench.forward(&[bob()]).unwrap();
    bench.drain();
    let own = bench.requests[0].top_via().unwrap();
    let own = format!("Via: SIP/2.0/UDP 192.0.2.3;branch={}\r\n", own.branch().unwrap());
    let again = Bench::text("INVITE", "sip:bob@192.0.2.9", &own).replace("nashds8", "nashds9");
    bench.questions.clear();
    bench.receive_text(&again);
    bench.forward(&[bob()]).unwrap();
    assert_eq!(bench.drain(), ["440 INVITE"]);
    bench.comes_to_rest();
}

#[test]
fn more_hops_than_seventy_are_cut_to_that() {
    for (came, goes) in [(70, "69"), (71, "69"), (255, "69"), (5, "4")] {
        let mut bench = Bench::new();
        let text =
            Bench::text("INVITE", "sip:bob@biloxi.com", "").replace("Forwards: 70", &format!("Forwards: {came}"));
        bench.receive_text(&text);
        bench.forward(&[bob()]).unwrap();
        bench.drain();
        let hops: Vec<_> = bench.requests[0].headers().values(HeaderId::MaxForwards, false).collect();
        assert_eq!(hops, [goes.as_bytes()]);
    }
}

#[test]
fn a_branch_that_could_exceed_the_octets_of_its_request_is_not_opened() {
    let opened = |octets: usize| {
        let mut bench = Bench::with(|settings| settings.limits.context_octets = octets);
        let sent = bench.call(&[phone(4), phone(5), phone(6)]);
        assert_eq!(bench.answer(&bench.requests[0].clone(), 486, &[])[0], "ACK");
        sent.iter().filter(|sent| *sent == "INVITE").count()
    };
    let branch = Bench::text("INVITE", "sip:bob@biloxi.com", "").len() * 7;
    assert_eq!((opened(3 * branch), opened(3 * branch - 1), opened(0)), (3, 2, 1));
}
