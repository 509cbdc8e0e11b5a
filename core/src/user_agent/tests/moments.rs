//! Each command, and each request of the peer, at each moment of a call: a table. What comes at the wrong moment from the application is a
//! `CommandError`, and from the peer has the response that the RFCs give.

use alloc::string::{String, ToString};
use alloc::vec::Vec;

use super::lone::{CONTACT, Lone, described, invite, request};
use crate::CallId;
use crate::error::CommandError;
use crate::message::{Method, StatusCode, UriBuf};
use crate::user_agent::{Body, Extra, Outgoing};

/// The moments, in the order of the columns.
const MOMENTS: [&str; 11] = [
    "calling",
    "ringing there",
    "answer owed",
    "offered",
    "ringing here",
    "accepted",
    "established",
    "changing",
    "asked to change",
    "ending",
    "over",
];

fn sdp() -> Body {
    Body::sdp("v=0\r\n")
}

/// Bob at that moment of a call with Carol.
fn at(moment: &str) -> (Lone, CallId) {
    let mut bob = Lone::with(|_, profile| profile.methods = ["INFO", "REFER"].map(Into::into).into());
    if ["calling", "ringing there", "answer owed"].contains(&moment) {
        let carol = "Carol <sip:carol@192.0.2.9>".parse().unwrap();
        let offer = (moment != "answer owed").then(sdp);
        let call = bob.command(|agent, now| agent.call(now, Outgoing::to(&carol).body(offer))).unwrap();
        let invite = bob.take().remove(0);
        match moment {
            "ringing there" => bob.receive(&invite.respond("180 Ringing", "carol-tag", CONTACT)),
            "answer owed" => bob.receive(&described(&invite.respond("200 OK", "carol-tag", CONTACT))),
            _ => {}
        }
        bob.take();
        return (bob, call);
    }
    bob.receive(&described(&invite("i", 1)));
    let call = bob.incoming();
    let later = |than: &str| MOMENTS.iter().position(|it| *it == moment) >= MOMENTS.iter().position(|it| *it == than);
    if moment == "ringing here" {
        bob.command(|agent, now| agent.ring(now, call)).unwrap();
    }
    if later("accepted") {
        bob.command(|agent, now| agent.answer(now, call, sdp())).unwrap();
    }
    if later("established") {
        bob.receive(&request("ACK", "a", 1, "bob-tag", ""));
    }
    match moment {
        "changing" => bob.command(|agent, now| agent.modify(now, call, sdp())).unwrap(),
        "asked to change" => bob.receive(&described(&request("INVITE", "r", 2, "bob-tag", CONTACT))),
        "ending" | "over" => bob.command(|agent, now| agent.hang_up(now, call)).unwrap(),
        _ => {}
    }
    if moment == "over" {
        let bye = bob.take().pop().unwrap();
        bob.receive(&bye.respond("200 OK", "", ""));
    }
    bob.take();
    (bob, call)
}

type Command = fn(&mut Lone, CallId) -> Result<(), CommandError>;

const COMMANDS: [(&str, Command); 15] = [
    ("ring", |bob, call| bob.command(|agent, now| agent.ring(now, call))),
    ("progress", |bob, call| bob.command(|agent, now| agent.progress(now, call, StatusCode::SESSION_PROGRESS, sdp()))),
    ("answer", |bob, call| bob.command(|agent, now| agent.answer(now, call, sdp()))),
    ("reject", |bob, call| bob.command(|agent, now| agent.reject(now, call, StatusCode::BUSY_HERE))),
    ("cancel", |bob, call| bob.command(|agent, now| agent.cancel(now, call))),
    ("hang_up", |bob, call| bob.command(|agent, now| agent.hang_up(now, call))),
    ("answer_offer", |bob, call| bob.command(|agent, now| agent.answer_offer(now, call, sdp()))),
    ("modify", |bob, call| bob.command(|agent, now| agent.modify(now, call, sdp()))),
    ("cancel_change", |bob, call| bob.command(|agent, now| agent.cancel_change(now, call))),
    ("update", |bob, call| bob.command(|agent, now| agent.update(now, call, sdp()))),
    ("accept_offer", |bob, call| bob.command(|agent, now| agent.accept_offer(now, call, sdp()))),
    ("refuse_offer", |bob, call| {
        bob.command(|agent, now| agent.refuse_offer(now, call, StatusCode::NOT_ACCEPTABLE_HERE))
    }),
    ("ask_in", |bob, call| bob.command(|agent, now| agent.ask_in(now, call, Method::Info, None)).map(drop)),
    ("refer", |bob, call| {
        let dave: UriBuf = "sip:dave@192.0.2.5".parse().unwrap();
        bob.command(|agent, now| agent.refer(now, call, &dave)).map(drop)
    }),
    ("farewell", |bob, call| bob.command(|agent, now| agent.farewell(now, call, Extra::new()))),
];

/// By the letters of the columns: `.` the command is carried out, `W` [`CommandError::WrongState`], `G` [`CommandError::Gone`].
const OUTCOMES: [(&str, &str); 15] = [
    ("ring", "WWW..WWWWWG"),
    ("progress", "WWW..WWWWWG"),
    ("answer", "WWW..WWWWWG"),
    ("reject", "WWW..WWWWWG"),
    ("cancel", "..WWWWWWWWG"),
    ("hang_up", ".........WG"),
    ("answer_offer", "WW.WWWWWWWG"),
    // One INVITE at a time, and none before the ACK (RFC 3261 §14.1).
    ("modify", "WWWWWW.WWWG"),
    ("cancel_change", "WWWWWWW.WWG"),
    // The offer of the INVITE is not answered reliably before the ACK (RFC 3311 §5.1).
    ("update", "WWWWWW.WWWG"),
    ("accept_offer", "WWWWWWWW.WG"),
    ("refuse_offer", "WWWWWWWW.WG"),
    ("ask_in", "WWWWWW...WG"),
    ("refer", "WWWWWW...WG"),
    ("farewell", "..........G"),
];

#[test]
fn each_command_at_each_moment() {
    for ((name, command), (row, outcomes)) in COMMANDS.into_iter().zip(OUTCOMES) {
        assert_eq!(name, row);
        for (moment, outcome) in MOMENTS.into_iter().zip(outcomes.chars()) {
            let (mut bob, call) = at(moment);
            let expected = match outcome {
                '.' => Ok(()),
                'W' => Err(CommandError::WrongState),
                _ => Err(CommandError::Gone),
            };
            assert_eq!(command(&mut bob, call), expected, "{name}, {moment}");
            if expected.is_err() {
                assert!(bob.take().is_empty(), "{name}, {moment}: nothing is sent");
            }
        }
    }
}

/// A request of Carol's, and for each moment from "offered" on what is sent, and what Bob is told.
type Row = (&'static str, &'static str, bool, [(&'static str, &'static str); 8]);

const NOTHING: (&str, &str) = ("", "");
const REFER: &str = "Refer-To: <sip:dave@192.0.2.5>\r\nContact: <sip:carol@192.0.2.9>\r\n";

const REQUESTS: [Row; 8] = [
    // §14.2: a second INVITE before the response to the first is 500, one that meets ours 491, as is one before the ACK (RFC 5407 §3.1.4).
    (
        "INVITE",
        CONTACT,
        true,
        [("481", ""), ("500", ""), ("491", ""), ("", "offered"), ("491", ""), ("500", ""), ("481", ""), ("481", "")],
    ),
    // RFC 3311 §5.2: 500 while an offer of the peer's waits for its answer, 491 while one of ours does.
    (
        "UPDATE",
        CONTACT,
        true,
        [
            ("481", ""),
            ("500", ""),
            ("", "offered"),
            ("", "offered"),
            ("491", ""),
            ("500", ""),
            ("481", ""),
            ("481", ""),
        ],
    ),
    (
        "UPDATE",
        CONTACT,
        false,
        [("481", ""), ("200", ""), ("200", ""), ("200", ""), ("200", ""), ("200", ""), ("481", ""), ("481", "")],
    ),
    // §15.1.2: the requests that wait for a response get a 487.
    (
        "BYE",
        "",
        false,
        [
            ("481", ""),
            ("200 487", "failed 487 (none)"),
            ("200", "ended Remote"),
            ("200", "ended Remote"),
            ("200", "ended Remote"),
            ("200 487", "ended Remote"),
            ("200", ""),
            ("481", ""),
        ],
    ),
    (
        "INFO",
        "",
        false,
        [
            ("481", ""),
            ("", "asked INFO"),
            ("", "asked INFO"),
            ("", "asked INFO"),
            ("", "asked INFO"),
            ("", "asked INFO"),
            ("481", ""),
            ("481", ""),
        ],
    ),
    (
        "REFER",
        REFER,
        false,
        [
            ("481", ""),
            ("", "referred"),
            ("", "referred"),
            ("", "referred"),
            ("", "referred"),
            ("", "referred"),
            ("481", ""),
            ("481", ""),
        ],
    ),
    // §9.2: a CANCEL is answered, and does nothing once there is a final response.
    (
        "CANCEL",
        "",
        false,
        [
            ("200 487", "failed 487 (none)"),
            ("200 487", "failed 487 (none)"),
            ("200", ""),
            ("200", ""),
            ("200", ""),
            ("200", ""),
            ("200", ""),
            ("200", ""),
        ],
    ),
    ("ACK", "", false, [NOTHING, NOTHING, ("", "confirmed"), NOTHING, NOTHING, NOTHING, NOTHING, NOTHING]),
];

#[test]
fn each_request_at_each_moment() {
    for (method, extra, has_offer, outcomes) in REQUESTS {
        for (moment, (responses, told)) in MOMENTS.into_iter().skip(3).zip(outcomes) {
            let (mut bob, _) = at(moment);
            let (branch, number, tag) = match method {
                "CANCEL" => ("i", 1, ""),
                "ACK" => ("x", 1, "bob-tag"),
                _ => ("x", 9, "bob-tag"),
            };
            let text = request(method, branch, number, tag, extra);
            let text = if has_offer { described(&text) } else { text };
            let before = bob.events.len();
            let sent = bob.exchange(&text);
            let statuses: Vec<String> = sent.iter().map(|sent| sent.label()[..3].to_string()).collect();
            let new: Vec<String> = bob.told().split_off(before);
            assert_eq!((statuses.join(" ").as_str(), new.join(" ").as_str()), (responses, told), "{method}, {moment}");
        }
    }
}
