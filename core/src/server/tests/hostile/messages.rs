//! Shows what one datagram buys.

use super::*;

pub(super) fn junk() -> Row {
    let (row, mut meter) = one("What is no request; a response; an ACK for nothing", "\n\njunk\n\n");
    meter.datagram(STRANGER, &stranger("ACK", "sip:bob@192.0.2.77", "a"));
    let response = "SIP/2.0 200 OK\nVia: SIP/2.0/UDP 192.0.2.3;branch=z9hG4bKx\nVia: SIP/2.0/UDP 192.0.2.9;branch=z9hG4bKy\n\
                    To: <sip:a@b>;tag=1\nFrom: <sip:a@b>;tag=2\nCall-ID: 1\nCSeq: 1 OPTIONS\nContent-Length: 0\n\n";
    meter.datagram(STRANGER, response);
    assert_eq!((meter.sent.len(), meter.alive()), (0, 0));
    row
}

pub(super) fn malformed() -> Row {
    let text = stranger("OPTIONS", "sip:biloxi.com", "m").replace("CSeq: 1 OPTIONS", "CSeq: x");
    let (row, meter) = one("A request that cannot be read", &text);
    assert_eq!((meter.to(STRANGER).0, row.until), (1, 0));
    row
}

pub(super) fn options() -> Row {
    let (row, meter) = one("OPTIONS to the server", &stranger("OPTIONS", "sip:biloxi.com", "o"));
    assert_eq!(meter.to(STRANGER).0, 1);
    row
}

pub(super) fn vias() -> Row {
    let text = stranger("OPTIONS", "sip:biloxi.com", "w");
    let text = text.replace("Max-Forwards", &("v: SIP/2.0/UDP a\n".repeat(1_000) + "Max-Forwards"));
    let (row, meter) = one("OPTIONS with a thousand Vias", &text);
    assert_eq!((meter.to(STRANGER).0, meter.to_others(STRANGER)), (0, 0));
    row
}

/// RFC 3261 §18.2.2 would send the response there: a listener that names no network for it does not.
pub(super) fn maddr() -> Row {
    let text = stranger("OPTIONS", "sip:biloxi.com", "v").replace("203.0.113.7;", "203.0.113.7;maddr=198.51.100.9;");
    let (row, meter) = one("OPTIONS with a `maddr` in its Via", &text);
    assert_eq!((meter.to("198.51.100.9:5060").0, meter.to(STRANGER).0), (0, 1));
    row
}

/// RFC 3261 §26.3.2.4: a challenge is sent once, and nothing stays.
pub(super) fn register() -> Row {
    let text = stranger("REGISTER", "sip:biloxi.com", "r").replace("sip:m@chicago.com", "sip:bob@biloxi.com");
    let text = text.replace("To: <sip:biloxi.com>", "To: <sip:bob@biloxi.com>");
    let (row, meter) = one("REGISTER without credentials", &text);
    assert_eq!((meter.statuses, row.until), (BTreeMap::from([(401, 1)]), 0));
    row
}

pub(super) fn invite_to_be_relayed() -> Row {
    let (row, meter) = one("INVITE for another domain", &stranger("INVITE", "sip:carol@192.0.2.77", "c"));
    assert_eq!((meter.sent.len(), meter.statuses, row.until), (1, BTreeMap::from([(403, 1)]), 0));
    row
}

pub(super) fn route() -> Row {
    let text = stranger("INVITE", "sip:bob@biloxi.com", "t");
    let routes = "Route: <sip:192.0.2.3;lr>, <sip:192.0.2.77;lr>, <sip:192.0.2.78;lr>\nMax-Forwards";
    let (row, meter) = one("INVITE with a Route to elsewhere", &text.replace("Max-Forwards", routes));
    assert_eq!((meter.sent.len(), meter.statuses, row.until), (1, BTreeMap::from([(403, 1)]), 0));
    row
}

/// A response that is sent again until an ACK comes would serve to flood somebody (RFC 3261 §17.2.1): it is said once, statelessly.
pub(super) fn invite_for_nobody() -> Row {
    let text = stranger("INVITE", "sip:nobody@biloxi.com", "n");
    let (row, meter) = one("INVITE for a user who is not there, and no ACK", &text);
    assert_eq!((meter.statuses, row.until), (BTreeMap::from([(404, 1)]), 0));
    row
}

/// How many octets all answers may have to a request of so many.
fn most(asked: usize) -> usize {
    asked + Settings::default().answer_octets
}

/// A call of nobody who is known: it gets copies of the 408 until they would exceed the limit.
pub(super) fn invite_for_a_silent_phone() -> Row {
    let text = stranger("INVITE", "sip:bob@biloxi.com", "s");
    let (row, meter) = one("INVITE for a user whose phone says nothing, and no ACK", &text);
    assert_eq!((&meter.statuses, meter.to(BOB).0), (&BTreeMap::from([(100, 1), (408, 6)]), 7));
    assert!(meter.to(STRANGER).1 <= most(text.replace('\n', "\r\n").len()), "{:?}", meter.sent);
    row
}

/// As many octets as sixteen long contacts of bob have, for a question of a stranger.
fn contacts_of(sends: &'static str, text: &str, change: impl FnOnce(&mut Settings), status: u16) -> Row {
    let mut meter = Meter::with(|_| {}, change);
    let contacts: Vec<String> = (0..15).map(|at| format!("sip:{}{at}@192.0.2.4", "x".repeat(900))).collect();
    let contacts: Vec<&str> = contacts.iter().map(String::as_str).chain(["sip:bob@192.0.2.4"]).collect();
    meter.bind("bob", &contacts, 2);
    let octets = meter.datagram(STRANGER, text);
    let held = meter.held();
    let until = meter.rest();
    assert_eq!((&meter.statuses, meter.to_others(STRANGER)), (&BTreeMap::from([(status, 1)]), 0));
    assert!(meter.to(STRANGER).1 <= most(octets), "{:?} for {octets}", meter.sent);
    Row { sends, gets: gets(meter.to(STRANGER), octets), others: others(0), held, until }
}

/// RFC 3261 §10.3 step 8 would list all.
pub(super) fn query() -> Row {
    let text = stranger("REGISTER", "sip:biloxi.com", "q").replace("Contact: <sip:m@203.0.113.7>\n", "");
    let text = text.replace("sip:m@chicago.com", "sip:bob@biloxi.com");
    let text = text.replace("To: <sip:biloxi.com>", "To: <sip:bob@biloxi.com>");
    let sends = "REGISTER that asks for the sixteen long contacts of a user, where nobody is asked for credentials";
    contacts_of(sends, &text, |settings| settings.users.clear(), 200)
}

/// A redirect server has many contacts to tell.
pub(super) fn redirected() -> Row {
    let text = stranger("INVITE", "sip:bob@biloxi.com", "d");
    let sends = "INVITE for a user with sixteen long contacts at a redirect server, and no ACK";
    contacts_of(sends, &text, |settings| settings.redirect = true, 302)
}
