//! Max-Breadth and Max-Forwards as RFC 5393 §5.2 prints them.

use sansip::proxy::Forking;

use super::{Bench, Sent, udp};

/// The proxy at 192.0.2.`number` of a user with so many contacts.
fn proxy(number: u8, contacts: u8, forking: Forking) -> Bench {
    let listener = udp(&format!("192.0.2.{number}:5060"));
    let mut bench = Bench::new("example.com", vec![listener], |settings| settings.proxy.forking = forking);
    let contacts: Vec<String> = (0..contacts).map(|at| format!("<sip:bob@192.0.2.{}>", 201 + at)).collect();
    let register = format!(
        "REGISTER sip:example.com SIP/2.0
         From: <sip:bob@example.com>;tag=1
         To: <sip:bob@example.com>
         Call-ID: bind
         CSeq: 1 REGISTER
         Contact: {}",
        contacts.join(", ")
    );
    assert_eq!(bench.hear(0, "192.0.2.201", &register)[0].start(), "SIP/2.0 200 OK");
    bench
}

fn invite(breadth: u32, hops: u32) -> String {
    format!(
        "INVITE sip:bob@example.com SIP/2.0
         Max-Breadth: {breadth}
         Max-Forwards: {hops}
         From: <sip:alice@a.example>;tag=1
         To: <sip:bob@example.com>
         Call-ID: 5393
         CSeq: 1 INVITE
         Contact: <sip:alice@192.0.2.200>"
    )
}

fn invites(sent: Vec<Sent>) -> Vec<Sent> {
    sent.into_iter().filter(|sent| sent.start().starts_with("INVITE")).collect()
}

/// Max-Breadth and Max-Forwards.
fn limits(sent: &[Sent]) -> Vec<[&str; 2]> {
    sent.iter().map(|sent| ["Max-Breadth", "Max-Forwards"].map(|name| sent.values(name)[0])).collect()
}

/// The next proxy is the one that this INVITE goes to.
fn next(bench: &mut Bench, from: u8, invite: &Sent) -> Vec<Sent> {
    let (_, rest) = invite.text.split_once("\r\n").expect("a start line");
    let text = format!("INVITE sip:bob@example.com SIP/2.0\r\n{rest}");
    invites(bench.take(0, &format!("192.0.2.{from}:5060"), &text))
}

#[test]
fn the_breadths_of_rfc_5393_are_divided_and_passed_on() {
    // Parallel Forking.
    let mut a = proxy(1, 2, Forking::Parallel);
    let sent = invites(a.hear(0, "192.0.2.200", &invite(60, 70)));
    assert_eq!(limits(&sent), [["30", "69"], ["30", "69"]]);

    // Sequential Forking.
    let mut a = proxy(1, 2, Forking::Sequential);
    let sent = invites(a.hear(0, "192.0.2.200", &invite(60, 70)));
    assert_eq!(limits(&sent), [["60", "69"]]);
    let sent = invites(a.answer(&sent[0], "486 Busy Here", ""));
    assert_eq!(limits(&sent), [["60", "69"]]);

    // No Forking.
    let (mut a, mut b) = (proxy(1, 1, Forking::Parallel), proxy(2, 1, Forking::Parallel));
    let sent = invites(a.hear(0, "192.0.2.200", &invite(60, 70)));
    assert_eq!(limits(&sent), [["60", "69"]]);
    assert_eq!(limits(&next(&mut b, 1, &sent[0])), [["60", "68"]]);
}

/// Max-Breadth and Max-Forwards Working Together: each row of the tree.
#[test]
fn the_tree_of_rfc_5393_has_the_breadths_and_the_hops_that_are_printed() {
    let mut row = invites(proxy(1, 2, Forking::Parallel).hear(0, "192.0.2.200", &invite(4, 5)));
    assert_eq!(limits(&row), [["2", "4"]; 2]);
    for (number, contacts, printed) in [(2, 2, [["1", "3"]; 4]), (3, 1, [["1", "2"]; 4]), (4, 1, [["1", "1"]; 4])] {
        let of = |invite: &Sent| next(&mut proxy(number, contacts, Forking::Parallel), number - 1, invite);
        row = row.iter().flat_map(of).collect();
        assert_eq!(limits(&row), printed);
    }
}
