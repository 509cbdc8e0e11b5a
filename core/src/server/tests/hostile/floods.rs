//! Shows what many messages buy, and one that makes many of itself.

use super::*;
use crate::proxy::Forking;

/// RFC 5393 §3: sixteen users, each of whose contacts are all of them.
pub(super) fn loops() -> Row {
    let mut most = Vec::new();
    for users in [2_usize, 4, 6, 16] {
        for forking in [Forking::Parallel, Forking::Sequential, Forking::Groups] {
            let mut meter = Meter::with(
                |_| {},
                |settings| {
                    settings.users.clear();
                    settings.proxy.forking = forking;
                },
            );
            let names: Vec<String> = (0..users).map(|user| format!("u{user}")).collect();
            let contacts: Vec<String> = names.iter().map(|name| format!("sip:{name}@biloxi.com")).collect();
            let contacts: Vec<&str> = contacts.iter().map(String::as_str).collect();
            for name in &names {
                meter.register(name, &contacts);
            }
            let octets = meter.datagram(STRANGER, &stranger("OPTIONS", "sip:u0@biloxi.com", "l"));
            let held = meter.held();
            let until = meter.rest();
            let own = meter.to(OUR_ADDRESS).0;
            // A request and a response for each branch, and for those of first passes.
            let bound = 2 * (crate::proxy::Limits::default().branches + users);
            assert!(own <= bound && meter.to_others(STRANGER) == 0, "{users} {forking:?}: {own}");
            let gets = gets(meter.to(STRANGER), octets);
            let others = format!("{own} messages from the server to itself");
            let sends = "OPTIONS for one of sixteen users whose contacts are all sixteen";
            most.push((own, Row { sends, gets, others, held, until }));
        }
    }
    most.into_iter().max_by_key(|(own, _)| *own).unwrap().1
}

/// Whoever may register.
pub(super) fn contacts() -> Row {
    let mut meter = Meter::new();
    let contacts: Vec<String> = (0..1_000).map(|number| format!("<sip:b@192.0.2.9:{}>", 6_000 + number)).collect();
    let text = stranger("REGISTER", "sip:biloxi.com", "k").replace("sip:m@chicago.com", "sip:bob@biloxi.com");
    let text = text.replace("To: <sip:biloxi.com>", "To: <sip:bob@biloxi.com>");
    let text = text.replace("<sip:m@203.0.113.7>", &contacts.join(", "));
    let octets = meter.datagram(BOB, &text);
    let held = meter.held();
    let until = meter.rest();
    assert_eq!((&meter.statuses, meter.server.bindings("bob@biloxi.com").len()), (&BTreeMap::from([(403, 1)]), 1));
    let gets = gets(meter.to(BOB), octets);
    Row { sends: "REGISTER with a thousand contacts, with credentials", gets, others: others(0), held, until }
}

pub(super) fn registrations() -> Row {
    let set = |settings: &mut Settings| {
        settings.users.clear();
        settings.registrar.limits.addresses_of_record = 100;
    };
    let mut meter = Meter::with(|_| {}, set);
    let mut octets = 0;
    for user in 0..1_000 {
        let text = stranger("REGISTER", "sip:biloxi.com", &format!("f{user}"));
        let text = text.replace("sip:m@chicago.com", &format!("sip:f{user}@biloxi.com"));
        octets +=
            meter.datagram(STRANGER, &text.replace("To: <sip:biloxi.com>", &format!("To: <sip:f{user}@biloxi.com>")));
    }
    // Bob's is the hundredth.
    assert_eq!(meter.statuses, BTreeMap::from([(200, 99), (503, 901)]));
    let known = meter.server.user().census().addresses_of_record;
    assert_eq!((known, meter.overloads), (100, 1));
    let until = meter.rest();
    let sends = "1,000 REGISTERs for as many users of a domain that asks nobody for credentials, with room for 100";
    let gets = gets(meter.to(STRANGER), octets);
    let held = format!("{known} bindings, and 1,000 transactions");
    Row { sends, gets, others: others(0), held, until }
}

pub(super) fn nonces() -> Row {
    let mut meter = Meter::new();
    let mut octets = 0;
    for number in 0..10_000 {
        let text = stranger("REGISTER", "sip:biloxi.com", &format!("f{number}"));
        let text = text.replace("sip:m@chicago.com", "sip:bob@biloxi.com");
        octets += meter.datagram(STRANGER, &text.replace("To: <sip:biloxi.com>", "To: <sip:bob@biloxi.com>"));
    }
    assert_eq!((&meter.statuses, meter.alive()), (&BTreeMap::from([(401, 10_000)]), 0));
    assert_eq!(meter.server.user().guards.uses(), 0);
    let gets = gets(meter.to(STRANGER), octets);
    let (held, until) = (meter.held(), meter.rest());
    Row { sends: "10,000 REGISTERs for as many nonces", gets, others: others(0), held, until }
}

/// Above the limits everybody is refused statelessly, but calls in progress go on.
pub(super) fn overload() -> Row {
    let mut meter = Meter::with(|limits| limits.transaction.server_transactions = 100, |_| {});
    meter.datagram(ALICE, &stranger("INVITE", "sip:bob@biloxi.com", "call").replace("203.0.113.7", "192.0.2.1"));
    let invite = meter.last.take().expect("the call is on its way");
    let mut octets = 0;
    for number in 0..10_000 {
        octets += meter.datagram(STRANGER, &stranger("OPTIONS", "sip:biloxi.com", &format!("f{number}")));
    }
    let refused = BTreeMap::from([(100, 1), (200, 99), (503, 9_901)]);
    assert_eq!((&meter.statuses, meter.overloads), (&refused, 1));
    let held = meter.held();
    let (messages, length) = meter.to(STRANGER);
    let answer = Response::to(&invite, StatusCode::OK).to_tag("b").header(HeaderId::Contact, "<sip:bob@192.0.2.4>");
    meter.input(Input::Datagram {
        listener: meter.udp,
        remote: BOB.parse().unwrap(),
        bytes: answer.finish().unwrap().as_bytes(),
    });
    assert_eq!(meter.statuses[&200], 100, "the answer reaches alice");
    // A To tag that anybody can write makes no call in progress.
    let bye = stranger("BYE", "sip:bob@biloxi.com", "bye");
    meter.datagram(STRANGER, &bye.replace("To: <sip:bob@biloxi.com>", "To: <sip:bob@biloxi.com>;tag=b"));
    assert_eq!(meter.statuses[&503], 9_902, "a stranger's BYE is refused");
    let until = meter.rest();
    let sends = "10,000 OPTIONS in a moment, with room for 100 transactions";
    Row { sends, gets: gets((messages, length), octets), others: others(0), held, until }
}
