//! RFC 3261 §24: the registration and the call, value by value.

use sansip_sim::topology::{Scenario, Topology};

use crate::messages::{REGISTRATION, SESSION_SETUP};
use crate::{drawn, fields, numbered, run};

#[test]
fn the_fourteen_messages_equal_those_of_the_rfc() {
    let world = run(&Scenario::rfc3261(Topology::Trapezoid));
    let sent = numbered(&world);
    for (number, expected) in SESSION_SETUP {
        let (start, mut fields_sent) = fields(&sent[number].bytes);
        let (expected_start, expected) = fields(expected.as_bytes());
        // RFC 5393 §5.3.3 is newer than the example.
        if number == "F3" || number == "F5" {
            assert_eq!(fields_sent.remove("max-breadth"), Some(vec!["60".to_owned()]), "{number}");
        }
        assert_eq!((start, fields_sent), (expected_start, expected), "{number}");
    }
    assert_eq!(sent.len(), REGISTRATION.len() + SESSION_SETUP.len(), "{}", drawn(&world));
}

#[test]
fn the_registration_is_that_of_the_rfc() {
    let world = run(&Scenario::rfc3261(Topology::Trapezoid));
    let sent = numbered(&world);
    for (number, expected) in REGISTRATION {
        assert_eq!(fields(&sent[number].bytes), fields(expected.as_bytes()), "{number}");
    }
}

#[test]
fn bodies_have_the_length_that_is_said_and_cross_the_proxies_untouched() {
    let world = run(&Scenario::rfc3261(Topology::Trapezoid));
    let sent = numbered(&world);
    let body = |number: &str| {
        let bytes = &sent[number].bytes;
        let end = bytes.windows(4).position(|four| four == b"\r\n\r\n").expect("an end of headers");
        bytes[end + 4..].to_vec()
    };
    assert_eq!(body("F1").len(), 142);
    assert_eq!(body("F9").len(), 131);
    assert!(body("F1").starts_with(b"v=0\r\no=alice") && body("F9").starts_with(b"v=0\r\no=bob"));
    assert_eq!((body("F3"), body("F5")), (body("F1"), body("F1")));
    assert_eq!((body("F10"), body("F11")), (body("F9"), body("F9")));
}

#[test]
fn each_message_goes_where_the_rfc_sends_it() {
    let world = run(&Scenario::rfc3261(Topology::Trapezoid));
    let sent = numbered(&world);
    let ways = SESSION_SETUP.map(|(number, _)| {
        let sent = &sent[number];
        let name = |node| world.trace().name(node);
        format!("{number} {}>{}", name(sent.from), sent.to.map_or("nobody", name))
    });
    let expected = [
        "F1 alice>atlanta",
        "F2 atlanta>alice",
        "F3 atlanta>biloxi",
        "F4 biloxi>atlanta",
        "F5 biloxi>bob",
        "F6 bob>biloxi",
        "F7 biloxi>atlanta",
        "F8 atlanta>alice",
        "F9 bob>biloxi",
        "F10 biloxi>atlanta",
        "F11 atlanta>alice",
        "F12 alice>bob",
        "F13 bob>alice",
        "F14 alice>bob",
    ];
    assert_eq!(ways, expected);
}

#[test]
fn the_call_as_a_ladder() {
    insta::assert_snapshot!(drawn(&run(&Scenario::rfc3261(Topology::Trapezoid))));
}

#[test]
fn the_call_through_one_proxy_as_a_ladder() {
    insta::assert_snapshot!(drawn(&run(&Scenario::rfc3261(Topology::OneProxy))));
}

#[test]
fn the_call_without_a_proxy_as_a_ladder() {
    insta::assert_snapshot!(drawn(&run(&Scenario::rfc3261(Topology::Direct))));
}
