//! Traces made by hand: what is just allowed, and one thing more.

use super::*;
use crate::check::story::{Story, in_dialog, message, request, response, with};

/// The steps of timer E and of 2xx, in milliseconds.
const ELEVEN: [u64; 11] = [0, 500, 1_500, 3_500, 7_500, 11_500, 15_500, 19_500, 23_500, 27_500, 31_500];

trait Judged {
    fn is_fine(&self);
    fn is_wrong(&self, why: &str);
}

impl Judged for Story {
    fn is_fine(&self) {
        assert_eq!(self.breaches(SCHEDULE), [""; 0]);
    }

    fn is_wrong(&self, why: &str) {
        let breaches = self.breaches(SCHEDULE);
        assert!(breaches.len() == 1 && breaches[0].contains(why), "{breaches:?}");
    }
}

fn seconds(steps: &[Duration]) -> Vec<f64> {
    steps.iter().map(Duration::as_secs_f64).collect()
}

#[test]
fn the_steps_are_those_of_timers_a_and_e() {
    let timers = Timers::default();
    assert_eq!(seconds(&steps(&timers, Duration::MAX)), [0.0, 0.5, 1.5, 3.5, 7.5, 15.5, 31.5]);
    assert_eq!(seconds(&steps(&timers, timers.t2)), ELEVEN.map(|millis| millis as f64 / 1e3));
}

#[test]
fn an_invite_goes_seven_times_and_never_early() {
    let invite = request("INVITE", &["1"]);
    let all = [7, 507, 1_507, 3_507, 7_507, 15_507, 31_507];
    Story::new().sends_at(&all, &invite).is_fine();
    Story::new().sends_at(&[0, 499], &invite).is_wrong("copy 2 is allowed from 0.500 on");
    Story::new().sends_at(&all, &invite).sends(70_000, &invite).is_wrong("it is copy 8");
    Story::new()
        .sends(0, &invite)
        .receives(9, &response(100, "INVITE", &["1"]))
        .sends(500, &invite)
        .is_wrong("after a response");
}

#[test]
fn another_request_goes_eleven_times_until_its_final_response() {
    let bye = request("BYE", &["1"]);
    Story::new().sends_at(&ELEVEN, &bye).is_fine();
    Story::new().sends_at(&ELEVEN, &bye).sends(35_500, &bye).is_wrong("it is copy 12");
    Story::new().sends(0, &bye).receives(9, &response(100, "BYE", &["1"])).sends(500, &bye).is_fine();
    Story::new()
        .sends(0, &bye)
        .receives(9, &response(481, "BYE", &["1"]))
        .sends(500, &bye)
        .is_wrong("after a final response");
}

#[test]
fn a_branch_is_for_one_message_and_a_copy_is_not_forwarded_anew() {
    let (bye, info) = (request("BYE", &["1"]), request("INFO", &["1"]));
    Story::new().sends(0, &bye).sends(0, &info).is_fine();
    let other = bye.replace("sip:b@b", "sip:c@c");
    Story::new().sends(0, &bye).sends(500, &other).is_wrong("used for another message");
    let (one, two) = (request("INVITE", &["p1", "1"]), request("INVITE", &["p2", "1"]));
    Story::new().sends(0, &one).sends(500, &two).is_wrong("as if it were a new request");
}

#[test]
fn a_2xx_to_invite_has_eleven_steps_and_stops_at_the_ack() {
    let (invite, ok) = (request("INVITE", &["1"]), response(200, "INVITE", &["1"]));
    Story::new().receives(0, &invite).sends_at(&ELEVEN, &ok).is_fine();
    Story::new()
        .receives(0, &invite)
        .sends_at(&ELEVEN, &ok)
        .sends(35_500, &ok)
        .is_wrong("it is copy 12, and 11 are allowed");
    Story::new()
        .receives(0, &invite)
        .sends(0, &ok)
        .receives(9, &invite)
        .sends(9, &ok)
        .is_wrong("it is copy 2, and 1 are");
    let ack = message("ACK sip:b@b SIP/2.0", &["2"], ";tag=b", "ACK");
    Story::new().receives(0, &invite).sends(0, &ok).receives(9, &ack).sends(500, &ok).is_wrong("after the ACK");
}

#[test]
fn a_proxy_forwards_a_2xx_as_often_as_it_comes() {
    let (above, below) = (response(200, "INVITE", &["p", "1"]), response(200, "INVITE", &["1"]));
    let story = Story::new().receives(0, &request("INVITE", &["1"])).sends(0, &request("INVITE", &["p", "1"]));
    let story = story.receives(9, &above).sends(9, &below).receives(10, &above).sends(10, &below);
    story.is_fine();
    story.sends(11, &below).is_wrong("forwarded 3 of 2");
}

#[test]
fn a_rejection_goes_by_timer_g_and_once_for_each_copy_until_the_ack() {
    let (invite, busy) = (request("INVITE", &["1"]), response(486, "INVITE", &["1"]));
    let story =
        Story::new().receives(0, &invite).sends(0, &busy).receives(9, &invite).sends(9, &busy).sends(500, &busy);
    story.is_fine();
    let acked = story.receives(510, &in_dialog("ACK", &["1"]));
    acked.is_fine();
    acked.sends(1_500, &busy).is_wrong("after the ACK");
    // The ACK of another rejection ends nothing.
    let other = Story::new().receives(0, &invite).sends(0, &busy).receives(9, &request("ACK", &["1"]));
    other.sends(500, &busy).is_fine();
    Story::new().receives(0, &invite).sends(0, &busy).sends(499, &busy).is_wrong("it is copy 2, and 1 are allowed");
    let declined = response(603, "INVITE", &["1"]);
    Story::new().receives(0, &invite).sends(0, &busy).sends(1, &declined).is_wrong("another final response");
}

#[test]
fn other_responses_go_once_and_once_for_each_further_copy() {
    for (method, status) in [("BYE", 200), ("OPTIONS", 404), ("INVITE", 100)] {
        let (asked, answer) = (request(method, &["1"]), response(status, method, &["1"]));
        let story = Story::new().receives(0, &asked).sends(0, &answer).receives(500, &asked).sends(500, &answer);
        story.is_fine();
        story.sends(501, &answer).is_wrong("it is copy 3, and 2 are allowed");
    }
    let (invite, ringing) = (request("INVITE", &["1"]), response(180, "INVITE", &["1"]));
    Story::new().receives(0, &invite).sends(0, &ringing).sends(1, &ringing).sends(60_000, &ringing).is_fine();
    // Nobody has told a proxy to say it again.
    let passed = Story::new().receives(0, &invite).sends(0, &request("INVITE", &["p", "1"]));
    let passed = passed.receives(9, &response(180, "INVITE", &["p", "1"])).sends(9, &ringing);
    passed.is_fine();
    passed.sends(10, &ringing).is_wrong("it is copy 2, and 1 are allowed");
}

#[test]
fn a_reliable_response_goes_by_timer_a_until_its_prack() {
    let (invite, ringing) = (request("INVITE", &["1"]), with("RSeq: 7", &response(180, "INVITE", &["1"])));
    let story = || Story::new().receives(0, &invite).sends_at(&[0, 500, 1_500, 3_500], &ringing);
    story().is_fine();
    story().sends(7_499, &ringing).is_wrong("it is copy 5, and 4 are allowed");
    let prack = with("RAck: 7 1 INVITE", &message("PRACK sip:b@b SIP/2.0", &["2"], ";tag=b", "PRACK"));
    let answered = |number: &str, status| {
        let prack = prack.replace("7 1", &format!("{number} 1"));
        story().receives(7_400, &prack).sends(7_400, &response(status, "PRACK", &["2"]))
    };
    answered("7", 200).sends(7_500, &ringing).is_wrong("it is copy 5, and 4 are allowed");
    answered("7", 200).receives(7_450, &invite).sends(7_450, &ringing).is_fine();
    answered("8", 200).sends(7_500, &ringing).is_fine();
    answered("7", 401).sends(7_500, &ringing).is_fine();
}

#[test]
fn each_final_response_has_one_ack() {
    let (invite, busy, ack) = (request("INVITE", &["1"]), response(486, "INVITE", &["1"]), request("ACK", &["1"]));
    let story = Story::new().sends(0, &invite).receives(9, &busy).sends(9, &ack).receives(10, &busy).sends(10, &ack);
    story.is_fine();
    story.sends(11, &ack).is_wrong("it is the 3. one, and 2 final responses came");
    let ok = response(200, "INVITE", &["1"]);
    let ack = message("ACK sip:b@b SIP/2.0", &["2"], ";tag=b", "ACK");
    let story = Story::new().sends(0, &invite).receives(9, &ok).sends(9, &ack);
    story.is_fine();
    story.sends(500, &ack).is_wrong("it is the 2. one, and 1 2xx came");
    let forwarded = request("ACK", &["p", "2"]);
    let story = Story::new().receives(0, &request("ACK", &["2"])).sends(0, &forwarded);
    story.is_fine();
    story.sends(500, &forwarded).is_wrong("it is the 2. one, and 1 ACKs came");
}

#[test]
fn what_loses_nothing_gets_one_copy_but_of_a_2xx() {
    let tcp = |message: &str| message.replace("/UDP", "/TCP");
    for method in ["INVITE", "BYE"] {
        let request = tcp(&request(method, &["1"]));
        Story::new().sends(0, &request).is_fine();
        Story::new().sends_at(&[0, 500], &request).is_wrong("loses nothing");
    }
    let invite = tcp(&request("INVITE", &["1"]));
    let (busy, ok) = (tcp(&response(486, "INVITE", &["1"])), tcp(&response(200, "INVITE", &["1"])));
    Story::new().receives(0, &invite).sends_at(&[0, 500], &busy).is_wrong("it is copy 2, and 1 are allowed");
    Story::new().receives(0, &invite).sends_at(&ELEVEN, &ok).is_fine();
}

#[test]
fn each_copy_of_a_request_may_be_challenged_anew_and_nothing_else_answered_so() {
    let (invite, first) = (request("INVITE", &["1"]), response(407, "INVITE", &["1"]));
    let another = with("Subject: another nonce", &first);
    let copy = || Story::new().receives(0, &invite).sends(0, &first).receives(500, &invite);
    copy().sends(500, &another).is_fine();
    Story::new()
        .receives(0, &invite)
        .sends(0, &first)
        .sends(0, &another)
        .is_wrong("another final response was sent before");
    copy()
        .sends(500, &another)
        .sends(500, &with("Subject: a third", &first))
        .is_wrong("another final response was sent before");
    let busy = |text: &str| text.replace("407", "486");
    let twice = Story::new().receives(0, &invite).sends(0, &busy(&first)).receives(500, &invite);
    twice.sends(500, &busy(&another)).is_wrong("another final response was sent before");
}

#[test]
fn a_node_without_transactions_sends_what_came_and_no_more() {
    let (came, sent) = (request("INVITE", &["1"]), request("INVITE", &["p", "1"]));
    let story = || Story::stateless().receives(0, &came).sends(0, &sent);
    story().is_fine();
    story().receives(9, &came).sends(9, &sent).is_fine();
    story().sends(9, &sent).is_wrong("for nothing that came");
}
