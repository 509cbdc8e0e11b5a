//! A subscriber and the notifiers of RFC 3265, which RFC 6665 has replaced: where their words differ, and what is asked of both.

use super::lone::Lone;
use super::subscribing::{active, carol, notify, one, presence, state, subscribe};
use crate::time::Duration;
use crate::user_agent::{Event, Reason, Subscribe, SubscriptionEnd};

/// RFC 3265 §3.1.1: 202 where the notifier has not decided yet (RFC 6665 §8.3.1 takes it for a 200). The subscription pends, lasts as long as the 202 has
/// said, and is refreshed and ended as any other; each 2xx may be a 202.
#[test]
fn a_202_is_a_200_at_each_step() {
    let mut bob = Lone::new();
    let (id, sent) = subscribe(&mut bob, presence().expires(600));
    bob.receive(&sent.respond("202 Accepted", "c", "Expires: 300\r\nContact: <sip:c@192.0.2.9>\r\n"));
    assert_eq!(bob.ask(&state(&sent, "c", 1, "pending")).label(), "200 NOTIFY");
    assert_eq!(bob.told(), ["subscribed 202", "notified"]);
    bob.run(Duration::from_secs(270));
    let refresh = one(&mut bob);
    bob.receive(&refresh.respond("202 Accepted", "", "Expires: 300\r\nContact: <sip:c@192.0.2.9>\r\n"));
    bob.receive(&state(&sent, "c", 2, "active"));
    bob.take();
    bob.command(|agent, now| agent.unsubscribe(now, id)).unwrap();
    let end = one(&mut bob);
    bob.receive(&end.respond("202 Accepted", "", "Expires: 0\r\n"));
    bob.receive(&state(&sent, "c", 3, "terminated;reason=timeout"));
    assert_eq!(bob.told().last().unwrap(), "terminated Timeout");
    bob.finish();
}

/// RFC 3265 §3.1.4.1 and §3.3.4: the 2xx makes the dialog, and the NOTIFY comes in it. RFC 6665 §4.4.1: the NOTIFY makes it. So the 2xx alone makes
/// nothing; the NOTIFY that follows, in the dialog that such a notifier takes for made, makes the same one here.
#[test]
fn a_2xx_alone_makes_no_dialog_and_the_notify_in_the_peers_dialog_makes_it() {
    let mut bob = Lone::new();
    let (id, sent) = subscribe(&mut bob, presence());
    bob.receive(&sent.respond("200 OK", "c", "Expires: 600\r\nContact: <sip:c@192.0.2.9>\r\n"));
    assert_eq!(bob.agent.user().census().dialogs, 0);
    // Nothing can be asked in a dialog that is not there.
    assert!(bob.command(|agent, now| agent.refresh_subscription(now, id)).is_err());
    assert_eq!(bob.ask(&state(&sent, "c", 1, "active")).label(), "200 NOTIFY");
    assert_eq!(bob.agent.user().census().dialogs, 1);
    // The notifier numbers on, and the refresh goes in its dialog.
    bob.command(|agent, now| agent.refresh_subscription(now, id)).unwrap();
    assert_eq!(one(&mut bob).tag_of("to"), "c");
    assert_eq!(bob.ask(&state(&sent, "c", 2, "active")).label(), "200 NOTIFY");
}

/// RFC 6665 §4.2.2: the notifiers of RFC 3265 need not say how long it lasts. What the 2xx has said counts on, and before a 2xx what was asked for.
#[test]
fn a_notify_that_does_not_say_how_long_leaves_the_time_of_the_2xx() {
    for response in [true, false] {
        let mut bob = Lone::new();
        let (_, sent) = subscribe(&mut bob, presence().expires(600));
        if response {
            bob.receive(&sent.respond("200 OK", "c", "Expires: 300\r\nContact: <sip:c@192.0.2.9>\r\n"));
        }
        bob.receive(&state(&sent, "c", 1, "active"));
        bob.run(Duration::from_secs(if response { 200 } else { 300 }));
        bob.take();
        bob.receive(&state(&sent, "c", 2, "active"));
        bob.run(Duration::from_secs(if response { 70 } else { 240 }));
        assert_eq!(one(&mut bob).label(), "SUBSCRIBE", "{response}");
    }
}

/// RFC 3265 §3.2.4 and RFC 6665 §4.1.3 alike: a NOTIFY must say how the subscription stands. One that does not is malformed; the subscription goes on.
#[test]
fn a_notify_without_subscription_state_is_malformed_and_changes_nothing() {
    let mut bob = Lone::new();
    let (id, sent) = active(&mut bob);
    let told = bob.events.len();
    let response = bob.ask(&notify(&sent, "c", 2, "Event: presence\r\n"));
    assert_eq!(response.start.split(' ').nth(1), Some("400"));
    assert_eq!(bob.events.len(), told);
    assert!(bob.agent.subscriptions().any(|alive| alive == id));
    // The first one makes no dialog.
    let mut bob = Lone::new();
    let (_, sent) = subscribe(&mut bob, presence());
    let response = bob.ask(&notify(&sent, "c", 1, "Event: presence\r\n"));
    assert_eq!(response.start.split(' ').nth(1), Some("400"));
    assert_eq!(bob.agent.user().census().dialogs, 0);
}

/// RFC 3265 §7.2.1: a NOTIFY has the id of its SUBSCRIBE, and has none where that has none. One that leaves the id out is for another subscription: 481.
#[test]
fn a_notify_that_leaves_the_id_out_is_for_another_subscription() {
    let mut bob = Lone::new();
    let (_, sent) = subscribe(&mut bob, Subscribe::to(&carol(), "presence;id=7"));
    bob.receive(&sent.respond("200 OK", "c", "Expires: 600\r\nContact: <sip:c@192.0.2.9>\r\n"));
    assert_eq!(bob.ask(&state(&sent, "c", 1, "active")).label(), "481 NOTIFY");
    let with_id = "Event: presence;id=7\r\nSubscription-State: active\r\n";
    assert_eq!(bob.ask(&notify(&sent, "c", 2, with_id)).label(), "200 NOTIFY");
    let other = "Event: presence;id=8\r\nSubscription-State: active\r\n";
    assert_eq!(bob.ask(&notify(&sent, "c", 3, other)).label(), "481 NOTIFY");
}

/// RFC 3265 §3.2.4: a reason that this end does not know, or none, is an end after which one may subscribe again at any time.
#[test]
fn an_end_without_a_reason_is_an_end() {
    for stands in ["terminated", "terminated;reason=maintenance"] {
        let mut bob = Lone::new();
        let (_, sent) = active(&mut bob);
        bob.receive(&state(&sent, "c", 2, stands));
        let Some(Event::SubscriptionEnded {
            cause: SubscriptionEnd::Terminated { reason: told, .. }, again: None, ..
        }) = bob.events.last()
        else {
            panic!("{:?}", bob.told())
        };
        assert_eq!(*told, Reason::Unknown);
        assert_eq!(bob.agent.user().census().dialogs, 0);
    }
}
