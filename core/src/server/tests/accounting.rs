//! What accounting is told.

use super::*;
use crate::server::{CallEnd, CallEvent};

fn bench(limit: usize) -> Bench {
    let mut bench = Bench::with(|settings| {
        settings.accounting = true;
        settings.accounted_calls = limit;
        settings.proxy.record_route = true;
    });
    bench.register(1);
    bench
}

/// What was told since the last time.
fn told(bench: &mut Bench) -> Vec<String> {
    let told = bench.events.drain(..).filter_map(|event| match event {
        Event::Call(CallEvent::Begun { call, caller, callee, call_id, is_known }) => {
            Some(format!("{call} begun {caller} {callee} {call_id} {is_known}"))
        }
        Event::Call(CallEvent::Answered { call }) => Some(format!("{call} answered")),
        Event::Call(CallEvent::Ended { call, why: CallEnd::Refused(status) }) => {
            Some(format!("{call} refused {}", status.get()))
        }
        Event::Call(CallEvent::Ended { call, why }) => Some(format!("{call} {why:?}")),
        _ => None,
    });
    told.collect()
}

fn numbered(number: u32) -> String {
    invite().replace("nashds8", &format!("n{number}")).replace("a84b4c76e66710", &format!("c{number}"))
}

#[test]
fn a_call_begins_is_answered_and_ends_by_the_bye_of_either_side() {
    let mut bench = bench(10);
    for (number, (from, to)) in (1..).zip([("1928301774", "t1920245060"), ("t1920245060", "1928301774")]) {
        let sent = bench.receive(ALICE, &numbered(number));
        let begun = format!("{number} begun sip:alice@atlanta.com sip:bob@biloxi.com c{number} false");
        assert_eq!(told(&mut bench), [begun]);
        bench.answer(&sent[1], 180);
        assert!(told(&mut bench).is_empty());
        let answered = bench.answer(&sent[1], 200);
        assert_eq!(told(&mut bench), [format!("{number} answered")]);
        assert_eq!(answered[0].response().to_header().unwrap().tag(), Some("t1920245060"));
        bench.answer(&sent[1], 200);
        let route = sent[1].values(HeaderId::RecordRoute).remove(0);
        let bye = numbered(number + 100)
            .replace("INVITE", "BYE")
            .replace(&format!("c{}", number + 100), &format!("c{number}"))
            .replace("tag=1928301774", &format!("tag={from}"))
            .replace("To: Bob <sip:bob@biloxi.com>", &format!("Route: {route}\nTo: Bob <sip:bob@biloxi.com>;tag={to}"));
        bench.receive(ALICE, &bye);
        assert_eq!(told(&mut bench), [format!("{number} HungUp")]);
        bench.receive(ALICE, &bye.replace("branch=z9hG4bKn", "branch=z9hG4bKm"));
        assert!(told(&mut bench).is_empty(), "only once");
    }
}

#[test]
fn a_call_that_is_refused_cancelled_or_leads_nowhere_ends_with_its_status() {
    let mut bench = bench(10);
    let sent = bench.receive(ALICE, &numbered(1));
    told(&mut bench);
    bench.answer(&sent[1], 486);
    assert_eq!(told(&mut bench), ["1 refused 486"]);
    let sent = bench.receive(ALICE, &numbered(2));
    bench.answer(&sent[1], 180);
    bench.receive(ALICE, &numbered(2).replace("INVITE", "CANCEL"));
    told(&mut bench);
    bench.answer(&sent[1], 487);
    assert_eq!(told(&mut bench), ["2 refused 487"]);
    bench.receive(ALICE, &numbered(3).replace("sip:bob@biloxi.com", "sip:carol@biloxi.com"));
    assert_eq!(told(&mut bench)[1..], ["3 refused 404"]);
    bench.receive(ALICE, &numbered(4));
    bench.wait(Duration::from_secs(40));
    assert_eq!(told(&mut bench)[1..], ["4 refused 408"]);
    // What begins no call is none.
    bench.receive(ALICE, &numbered(5).replace("INVITE", "OPTIONS"));
    assert!(told(&mut bench).is_empty());
}

#[test]
fn of_too_many_answered_calls_the_oldest_is_forgotten() {
    let mut bench = bench(1);
    for number in 1..3 {
        let sent = bench.receive(ALICE, &numbered(number));
        bench.answer(&sent[1], 200);
    }
    assert_eq!(told(&mut bench).last().unwrap(), "1 Forgotten");
    assert_eq!(bench.server.user().calls_held(), [0, 1]);
    let mut bench = self::bench(0);
    let sent = bench.receive(ALICE, &numbered(1));
    bench.answer(&sent[1], 200);
    assert_eq!(bench.server.user().calls_held(), [0, 0]);
}
