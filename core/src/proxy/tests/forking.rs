//! Forking in order, targets that are added, and the limit on a branch (RFC 3261 §16.5 to §16.8).

use super::*;
use crate::proxy::{Forking, Limits};

/// The Request-URIs of the INVITEs that were sent last.
fn called(bench: &Bench) -> Vec<String> {
    let invites = bench.requests.iter().filter(|request| request.method() == Method::Invite);
    invites.map(|invite| String::from_utf8(invite.uri_bytes().into()).unwrap()).collect()
}

fn in_order(order: Forking) -> Bench {
    Bench::with(|settings| settings.forking = order)
}

fn reason(request: &Request) -> Option<&[u8]> {
    request.headers().raw(HeaderId::Reason)
}

fn invites(bench: &Bench) -> Vec<Request> {
    bench.requests.clone()
}

#[test]
fn one_after_the_other_the_most_preferred_first_until_one_accepts() {
    let mut bench = in_order(Forking::Sequential);
    bench.call(&[phone(4).with_q(100), phone(5), phone(6).with_q(500)]);
    assert_eq!(called(&bench), ["sip:bob@192.0.2.5"]);
    let invite = invites(&bench).remove(0);
    assert_eq!(bench.answer(&invite, 180, &[]), ["180 INVITE"]);
    assert_eq!(bench.answer(&invite, 486, &[]), ["ACK", "INVITE"]);
    assert_eq!(called(&bench), ["sip:bob@192.0.2.6"]);
    let invite = invites(&bench).remove(1);
    assert_eq!(bench.answer(&invite, 200, &[]), ["200 INVITE"]);
    bench.comes_to_rest();
}

#[test]
fn the_next_group_is_tried_when_the_last_one_has_failed() {
    let mut bench = in_order(Forking::Groups);
    bench.call(&[phone(4).with_q(700), phone(5).with_q(700), phone(6).with_q(100)]);
    assert_eq!(called(&bench), ["sip:bob@192.0.2.4", "sip:bob@192.0.2.5"]);
    let calls = invites(&bench);
    assert_eq!(bench.answer(&calls[0], 486, &[]), ["ACK"]);
    assert_eq!(bench.answer(&calls[1], 404, &[]), ["ACK", "INVITE"]);
    assert_eq!(called(&bench), ["sip:bob@192.0.2.6"]);
    let last = invites(&bench).remove(1);
    // The best of all groups.
    assert_eq!(bench.answer(&last, 500, &[]), ["ACK", "486 INVITE"]);
    bench.comes_to_rest();
}

#[test]
fn a_time_out_and_a_failure_to_send_lead_to_the_next_target() {
    let mut bench = in_order(Forking::Sequential);
    let nowhere = Target::new("sip:bob@192.0.2.9;transport=tcp".parse().unwrap());
    bench.call(&[nowhere, phone(4), phone(5)]);
    assert_eq!(called(&bench), ["sip:bob@192.0.2.4"], "there is no listener for TCP");
    let sent = bench.wait(Duration::from_millis(31_999));
    assert!(sent.iter().all(|sent| sent == "INVITE") && !called(&bench).contains(&"sip:bob@192.0.2.5".to_string()));
    bench.wait(Duration::from_millis(1));
    assert_eq!(called(&bench), ["sip:bob@192.0.2.5"]);
    let last = invites(&bench).remove(0);
    assert_eq!(bench.answer(&last, 603, &[]), ["ACK", "603 INVITE"]);
    bench.comes_to_rest();
}

/// §16.7 step 5: no new branch after a 6xx.
#[test]
fn after_a_6xx_no_other_target_is_tried() {
    let mut bench = in_order(Forking::Sequential);
    bench.call(&[phone(4), phone(5)]);
    let invite = invites(&bench).remove(0);
    assert_eq!(bench.answer(&invite, 600, &[]), ["ACK", "600 INVITE"]);
    bench.comes_to_rest();
}

#[test]
fn after_a_cancel_no_other_target_is_tried() {
    let mut bench = in_order(Forking::Sequential);
    bench.call(&[phone(4), phone(5)]);
    let invite = invites(&bench).remove(0);
    bench.answer(&invite, 180, &[]);
    assert_eq!(bench.receive("CANCEL"), ["200 CANCEL", "CANCEL"]);
    assert_eq!(bench.answer(&invite, 487, &[]), ["ACK", "487 INVITE"]);
    bench.comes_to_rest();
}

/// RFC 3326 §2.
#[test]
fn only_a_2xx_says_that_the_call_was_completed_elsewhere() {
    for (status, expected) in [(200, Some(&b"SIP ;cause=200 ;text=\"Call completed elsewhere\""[..])), (600, None)] {
        let mut bench = Bench::new();
        bench.call(&[phone(4), phone(5)]);
        let calls = invites(&bench);
        bench.answer(&calls[1], 180, &[]);
        assert_eq!(bench.answer(&calls[0], status, &[]).last().unwrap(), "CANCEL");
        assert_eq!(reason(bench.requests.last().unwrap()), expected);
        bench.answer(&calls[1], 487, &[]);
        bench.comes_to_rest();
    }
}

/// RFC 3841 §7.1: the directives are for the domain that the Request-URI names.
#[test]
fn a_caller_decides_nothing_where_the_request_uri_is_of_another_domain() {
    for (domain, branches) in [("biloxi.com", 1), ("chicago.com", 2)] {
        let mut bench = Bench::new();
        let words = "Request-Disposition: no-fork, no-cancel\r\n";
        bench.receive_request("INVITE", &format!("sip:bob@{domain}"), words);
        bench.forward(&[phone(4), phone(5)]).unwrap();
        bench.drain();
        assert_eq!(called(&bench).len(), branches, "{domain}");
    }
}

/// RFC 3841 §9.1.
#[test]
fn the_caller_may_want_no_fork_another_order_or_no_cancel() {
    let ask = |bench: &mut Bench, words: &str| {
        bench.receive_request("INVITE", "sip:bob@biloxi.com", &format!("Request-Disposition: {words}\r\n"));
        bench.forward(&[phone(4).with_q(1), phone(5)]).unwrap();
        bench.drain();
    };
    let mut bench = Bench::new();
    ask(&mut bench, "no-fork");
    assert_eq!(called(&bench), ["sip:bob@192.0.2.5"]);
    let invite = invites(&bench).remove(0);
    assert_eq!(bench.answer(&invite, 486, &[]), ["ACK", "486 INVITE"]);

    let mut bench = Bench::new();
    ask(&mut bench, "sequential");
    assert_eq!(called(&bench), ["sip:bob@192.0.2.5"]);

    let mut bench = Bench::with(|settings| settings.caller_decides = false);
    ask(&mut bench, "sequential");
    assert_eq!(called(&bench).len(), 2);

    let mut bench = Bench::new();
    ask(&mut bench, "no-cancel");
    let calls = invites(&bench);
    bench.answer(&calls[1], 180, &[]);
    assert_eq!(bench.answer(&calls[0], 200, &[]), ["200 INVITE"]);
    // It is the caller who ends the other one; a second 2xx goes on.
    assert_eq!(bench.answer(&calls[1], 200, &[]), ["200 INVITE"]);
}

#[test]
fn targets_are_added_while_the_request_is_open_and_none_twice() {
    let mut bench = Bench::with(|settings| settings.spare_breadth = 10);
    bench.receive("INVITE");
    assert_eq!(bench.add(&[phone(5)]), Err(CommandError::WrongState));
    bench.forward(&[phone(4)]).unwrap();
    bench.drain();
    let first = bench.requests.remove(0);
    assert_eq!(bench.add(&[phone(4), phone(5)]), Ok(1));
    assert_eq!(bench.drain(), ["INVITE"]);
    let second = bench.requests.remove(0);
    assert_eq!(bench.answer(&first, 486, &[]), ["ACK"]);
    assert_eq!(bench.answer(&second, 404, &[]), ["ACK", "486 INVITE"]);
    assert_eq!(bench.add(&[phone(6)]), Err(CommandError::Gone));
    bench.comes_to_rest();
}

#[test]
fn a_target_that_is_added_waits_where_all_breadth_is_held() {
    let mut bench = Bench::new();
    bench.call(&[phone(4)]);
    let first = bench.requests.remove(0);
    assert_eq!(bench.add(&[phone(5)]), Ok(1));
    assert_eq!(bench.drain(), [""; 0]);
    assert_eq!(bench.answer(&first, 486, &[]), ["ACK", "INVITE"]);
}

#[test]
fn above_the_limit_of_targets_the_least_preferred_are_left_out() {
    let mut bench = Bench::with(|settings| settings.limits.targets = 2);
    assert_eq!(Limits::default().targets, 60);
    bench.call(&[phone(4), phone(5), phone(6)]);
    assert_eq!(called(&bench), ["sip:bob@192.0.2.4", "sip:bob@192.0.2.5"]);
    assert_eq!(bench.add(&[phone(7)]), Ok(0));
}

/// §16.7 step 6: a phone that is switched off holds the 486 of another back for 32 s, if nobody sets a limit.
#[test]
fn a_branch_that_holds_others_back_counts_as_408_after_the_limit() {
    let mut bench = Bench::new();
    bench.call(&[phone(4), phone(5)]);
    let calls = invites(&bench);
    bench.answer(&calls[0], 486, &[]);
    assert!(!bench.wait(Duration::from_millis(31_999)).contains(&"486 INVITE".to_string()), "off by default");

    let mut bench = Bench::with(|settings| settings.branch_limit = Some(Duration::from_secs(4)));
    bench.call(&[phone(4), phone(5), phone(6)]);
    let calls = invites(&bench);
    bench.answer(&calls[2], 180, &[]);
    bench.answer(&calls[0], 486, &[]);
    assert!(!bench.wait(Duration::from_millis(3_999)).contains(&"486 INVITE".to_string()));
    let sent = bench.wait(Duration::from_millis(1));
    assert_eq!(sent, ["CANCEL", "486 INVITE"], "the one that rang is cancelled");
    assert_eq!(bench.answer(&calls[2], 487, &[]), ["ACK"]);
    bench.comes_to_rest();
}

/// §16.7 step 5: while no final response was sent, every 2xx is.
#[test]
fn a_2xx_of_a_branch_that_counted_as_408_is_forwarded() {
    let mut bench = Bench::with(|settings| {
        (settings.forking, settings.branch_limit) = (Forking::Groups, Some(Duration::from_secs(4)));
    });
    bench.call(&[phone(4), phone(5), phone(6).with_q(100)]);
    let calls = invites(&bench);
    bench.answer(&calls[0], 486, &[]);
    bench.wait(Duration::from_secs(4));
    assert_eq!(called(&bench).last().unwrap(), "sip:bob@192.0.2.6", "the next group");
    let last = bench.requests.last().unwrap().clone();
    bench.answer(&last, 180, &[]);
    assert_eq!(bench.answer(&calls[1], 200, &[]), ["200 INVITE", "CANCEL"]);
    bench.answer(&last, 487, &[]);
    bench.comes_to_rest();
}

/// RFC 3261 §16.7 step 5, RFC 6026 §8.3.
#[test]
fn a_2xx_that_comes_after_the_final_response_of_the_limit_is_forwarded_while_the_transaction_lives() {
    let limited = || {
        let mut bench = Bench::with(|settings| settings.branch_limit = Some(Duration::from_secs(4)));
        bench.call(&[phone(4), phone(5)]);
        let calls = invites(&bench);
        bench.answer(&calls[0], 486, &[]);
        assert!(bench.wait(Duration::from_secs(4)).contains(&"486 INVITE".to_string()));
        (bench, calls)
    };
    let (mut bench, calls) = limited();
    // Each copy goes on, and the caller is told the 486 again until the ACK comes (§17.2.1).
    for _ in 0..2 {
        assert_eq!(bench.answer(&calls[1], 200, &[]), ["200 INVITE"]);
        assert_eq!(bench.responses[0].headers().count(HeaderId::Via), 1, "our Via is taken off");
    }
    assert_eq!(bench.wait(Duration::from_millis(500)), ["486 INVITE"]);
    bench.receive("ACK");
    assert_eq!(bench.answer(&calls[1], 200, &[]), ["200 INVITE"], "the transaction is confirmed");
    let id = bench.questions[0].id;
    assert_eq!(bench.proxy.user().0.final_status(id), Some(StatusCode::BUSY_HERE));
    bench.comes_to_rest();

    let (mut bench, calls) = limited();
    bench.receive("ACK");
    bench.wait(Duration::from_secs(5));
    assert_eq!(bench.answer(&calls[1], 200, &[]), [""; 0], "the transaction is gone");
    bench.comes_to_rest();
}

#[test]
fn the_limit_on_branches_begins_with_the_first_final_response_and_goes_with_the_last() {
    let mut bench = Bench::with(|settings| settings.branch_limit = Some(Duration::from_secs(4)));
    bench.call(&[phone(4), phone(5)]);
    let calls = invites(&bench);
    bench.answer(&calls[0], 180, &[]);
    bench.answer(&calls[1], 180, &[]);
    assert_eq!(bench.wait(Duration::from_secs(60)), [""; 0], "nothing is held back");
    bench.answer(&calls[0], 486, &[]);
    assert_eq!(bench.answer(&calls[1], 486, &[]), ["ACK", "486 INVITE"]);
    let sent = bench.wait(Duration::from_secs(5));
    assert!(sent.iter().all(|sent| sent == "486 INVITE"), "{sent:?}");
}

/// §16.7 step 6.
#[test]
fn a_branch_that_begins_later_has_the_whole_limit() {
    let limit = |settings: &mut Settings| settings.branch_limit = Some(Duration::from_secs(4));
    let mut bench = Bench::with(|settings| {
        limit(settings);
        settings.forking = Forking::Sequential;
    });
    bench.call(&[phone(4), phone(5), phone(6)]);
    let first = invites(&bench).remove(0);
    assert_eq!(bench.answer(&first, 486, &[]), ["ACK", "INVITE"]);
    let second = invites(&bench).remove(1);
    assert_eq!(bench.answer(&second, 180, &[]), ["180 INVITE"]);
    assert_eq!(bench.wait(Duration::from_secs(3)), [""; 0]);
    assert_eq!(bench.answer(&second, 404, &[]), ["ACK", "INVITE"]);
    let third = invites(&bench).remove(1);
    assert_eq!(bench.answer(&third, 180, &[]), ["180 INVITE"]);
    assert_eq!(bench.wait(Duration::from_millis(3_999)), [""; 0]);
    assert_eq!(bench.wait(Duration::from_millis(1)), ["CANCEL", "486 INVITE"]);
    assert_eq!(reason(&bench.requests[0]), None);
    assert_eq!(bench.answer(&third, 487, &[]), ["ACK"]);
    bench.comes_to_rest();

    // Side by side, each ends at its own time.
    let mut bench = Bench::with(|settings| {
        limit(settings);
        settings.spare_breadth = 10;
    });
    bench.call(&[phone(4), phone(5)]);
    let calls = invites(&bench);
    bench.answer(&calls[1], 180, &[]);
    bench.answer(&calls[0], 486, &[]);
    bench.wait(Duration::from_secs(3));
    assert_eq!(bench.add(&[phone(6)]), Ok(1));
    assert_eq!(bench.drain(), ["INVITE"]);
    let added = invites(&bench).remove(0);
    assert_eq!(bench.answer(&added, 180, &[]), ["180 INVITE"]);
    assert_eq!(bench.wait(Duration::from_millis(1_000)), ["CANCEL"]);
    let cancel = bench.requests.remove(0);
    assert_eq!(cancel.uri_bytes(), b"sip:bob@192.0.2.5");
    assert_eq!(bench.answer(&cancel, 200, &[]), [""; 0]);
    assert_eq!(bench.answer(&calls[1], 487, &[]), ["ACK"]);
    assert_eq!(bench.wait(Duration::from_millis(2_999)), [""; 0]);
    assert_eq!(bench.wait(Duration::from_millis(1)), ["CANCEL", "486 INVITE"]);
    assert_eq!(bench.answer(&added, 487, &[]), ["ACK"]);
    bench.comes_to_rest();
}

/// RFC 3326 §2: nobody has completed the call, and the phone has nothing to be told.
#[test]
fn the_cancel_of_timer_c_has_no_reason() {
    let mut bench = Bench::new();
    bench.call(&[phone(4)]);
    let invite = invites(&bench).remove(0);
    bench.answer(&invite, 180, &[]);
    let sent = bench.wait(Duration::from_secs(200));
    assert_eq!(sent[0], "CANCEL");
    assert_eq!(reason(&bench.requests[0]), None);
    bench.answer(&invite, 487, &[]);
    bench.comes_to_rest();
}
