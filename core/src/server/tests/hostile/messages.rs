//! What one datagram buys.

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

/// RFC 3261 §18.2.2 sends the response there.
pub(super) fn maddr() -> Row {
    let text = stranger("OPTIONS", "sip:biloxi.com", "v").replace("203.0.113.7;", "203.0.113.7;maddr=198.51.100.9;");
    let (mut row, meter) = one("OPTIONS with a `maddr` in its Via", &text);
    assert_eq!((meter.to("198.51.100.9:5060").0, meter.to(STRANGER).0), (1, 0));
    row.others = "1 message to the `maddr`".into();
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

/// RFC 3261 §17.2.1: ten copies for want of an ACK.
pub(super) fn invite_for_nobody() -> Row {
    let text = stranger("INVITE", "sip:nobody@biloxi.com", "n");
    let (row, meter) = one("INVITE for a user who is not there, and no ACK", &text);
    assert_eq!(meter.statuses, BTreeMap::from([(100, 1), (404, 11)]));
    row
}

pub(super) fn invite_for_a_silent_phone() -> Row {
    let text = stranger("INVITE", "sip:bob@biloxi.com", "s");
    let (row, meter) = one("INVITE for a user whose phone says nothing, and no ACK", &text);
    assert_eq!((&meter.statuses, meter.to(BOB).0), (&BTreeMap::from([(100, 1), (408, 11)]), 7));
    row
}
