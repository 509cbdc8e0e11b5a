//! Shows what connections buy.

use super::*;
use crate::Change;

pub(super) fn half_open() -> Row {
    let mut meter = Meter::new();
    for port in 0..2_000 {
        meter.accept(&format!("203.0.113.7:{}", 10_000 + port));
    }
    let connections = meter.server.endpoint().census().connections;
    assert_eq!((connections, meter.closed.len()), (1_000, 1_000));
    let until = meter.rest();
    assert_eq!((meter.closed.len(), meter.sent.len()), (2_000, 0));
    let held = format!("{connections} connections");
    Row {
        sends: "2,000 TCP connections, and nothing along them",
        gets: "nothing".into(),
        others: others(0),
        held,
        until,
    }
}

pub(super) fn slow() -> Row {
    let mut meter = Meter::new();
    let connection = meter.accept("203.0.113.7:10000");
    let text = stranger("INVITE", "sip:bob@biloxi.com", "slow");
    let mut sent = 0;
    for octet in text.bytes() {
        meter.input(Input::Stream { connection, bytes: &[octet] });
        sent += 1;
        meter.run_for(Duration::from_secs(1));
        if !meter.closed.is_empty() {
            break;
        }
    }
    assert_eq!((meter.alive(), meter.sent.len(), meter.opened), (0, 0, 0));
    let held = format!("1 connection, {sent} octets");
    let until = meter.now.since(Instant::from_millis(40_000)).as_secs();
    Row { sends: "A request over TCP, an octet a second", gets: "nothing".into(), others: others(0), held, until }
}

/// RFC 3261 §18.2.2: the response goes by a connection of our own then, to the address that the request came from.
pub(super) fn torn() -> Row {
    let mut meter = Meter::new();
    let connection = meter.accept("203.0.113.7:10000");
    let text =
        stranger("INVITE", "sip:bob@biloxi.com", "torn").replace("SIP/2.0/UDP", "SIP/2.0/TCP").replace('\n', "\r\n");
    meter.input(Input::Stream { connection, bytes: text.as_bytes() });
    meter.input(Input::Connection { connection, change: Change::Closed });
    let held = meter.held();
    meter.forget();
    let until = meter.rest();
    assert_eq!((meter.opened, meter.to_others(STRANGER)), (1, 6));
    let sends = "INVITE for a user whose phone says nothing, over a TCP connection that is closed then";
    let gets = "1 attempt to open a connection to him".into();
    Row { sends, gets, others: others(7), held, until }
}
