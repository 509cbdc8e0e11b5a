//! Each command, and each request of the peer, at each moment of a call: a table. What comes at the wrong moment from the application is a
//! `CommandError`, and from the peer has the response that the RFCs give.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use super::lone::{CONTACT, Lone, described, request};
use super::text::Text;
use crate::CallId;
use crate::error::CommandError;
use crate::extension::{Extension, Extensions};
use crate::message::{Method, StatusCode, UriBuf};
use crate::user_agent::{Body, Extra, Messages, Outgoing};

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

const SUPPORTED: &str = "Contact: <sip:carol@192.0.2.9>\r\nSupported: 100rel\r\n";

/// Bob at that moment of a call with Carol; and the last request of his own, if he has sent one.
fn at(moment: &str) -> (Lone, CallId, Option<Text>) {
    let mut bob = Lone::with(|_, profile| {
        profile.methods = ["INFO", "REFER"].map(Into::into).into();
        profile.extensions = Extensions::of(&[Extension::Reliable, Extension::Replaces]);
    });
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
        return (bob, call, Some(invite));
    }
    bob.receive(&described(&request("INVITE", "i", 1, "", SUPPORTED)));
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
    let ours = bob.take().pop().filter(|sent| !sent.start.starts_with("SIP/2.0 "));
    if moment == "over" {
        bob.receive(&ours.as_ref().unwrap().respond("200 OK", "", ""));
    }
    bob.take();
    (bob, call, ours)
}

type Command = fn(&mut Lone, CallId) -> Result<(), CommandError>;

const COMMANDS: [(&str, Command); 18] = [
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
    ("progress_reliably", |bob, call| {
        bob.command(|agent, now| agent.progress_reliably(now, call, StatusCode::SESSION_PROGRESS, sdp()))
    }),
    ("standing_in", |bob, call| {
        let extra = Extra::new().header("Subject", "Lunch");
        bob.command(|agent, now| agent.standing_in(now, call, Messages::responses(), extra))
    }),
    ("replacing", |bob, call| bob.command(|agent, _| agent.replacing(call)).map(drop)),
];

/// By the letters of the columns: `.` the command is carried out, `W` [`CommandError::WrongState`], `G` [`CommandError::Gone`].
const OUTCOMES: [(&str, &str); 18] = [
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
    ("progress_reliably", "WWW..WWWWWG"),
    ("standing_in", "..........G"),
    // An early dialog is replaced only where it was begun, which is at the peer's (RFC 3891 §3).
    ("replacing", "WW.W.....WG"),
];

#[test]
fn each_command_at_each_moment() {
    for ((name, command), (row, outcomes)) in COMMANDS.into_iter().zip(OUTCOMES) {
        assert_eq!(name, row);
        for (moment, outcome) in MOMENTS.into_iter().zip(outcomes.chars()) {
            let (mut bob, call, _) = at(moment);
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

/// A request of Carol's, and for each moment what is sent, and what Bob is told.
type Row = (&'static str, &'static str, bool, [(&'static str, &'static str); 11]);

const NOTHING: (&str, &str) = ("", "");
const REFER: &str = "Refer-To: <sip:dave@192.0.2.5>\r\nContact: <sip:carol@192.0.2.9>\r\n";

const RACK: &str = "RAck: 1 1 INVITE\r\n";
const EVENT: &str = "Event: presence\r\nSubscription-State: active\r\nContact: <sip:carol@192.0.2.9>\r\n";

const REQUESTS: [Row; 12] = [
    // §14.2: a second INVITE before the response to the first is 500, one that meets ours 491, as is one before the ACK (RFC 5407 §3.1.4).
    (
        "INVITE",
        CONTACT,
        true,
        [
            ("481", ""),
            ("491", ""),
            ("491", ""),
            ("481", ""),
            ("500", ""),
            ("491", ""),
            ("", "offered"),
            ("491", ""),
            ("500", ""),
            ("481", ""),
            ("481", ""),
        ],
    ),
    // RFC 3311 §5.2: 500 while an offer in a request of the peer's waits for its answer, 491 while one of ours does. The offer of a 2xx is in no request
    // of the peer's: our INVITE is in progress until its ACK.
    (
        "UPDATE",
        CONTACT,
        true,
        [
            ("481", ""),
            ("491", ""),
            ("491", ""),
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
        [
            ("481", ""),
            ("200", ""),
            ("200", ""),
            ("481", ""),
            ("200", ""),
            ("200", ""),
            ("200", ""),
            ("200", ""),
            ("200", ""),
            ("481", ""),
            ("481", ""),
        ],
    ),
    // §15.1.2: the requests that wait for a response get a 487. A call of ours that the peer has left is cancelled (§13.3.1.4), and a 2xx always acknowledged (§13.2.2.4).
    (
        "BYE",
        "",
        false,
        [
            ("481", ""),
            ("200 CAN", "failed 487 (none)"),
            ("200 ACK", "ended Remote"),
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
    // §9.2: a CANCEL is answered, and does nothing once there is a final response; 481 where there is no INVITE.
    (
        "CANCEL",
        "",
        false,
        [
            ("481", ""),
            ("481", ""),
            ("481", ""),
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
    (
        "ACK",
        "",
        false,
        [NOTHING, NOTHING, NOTHING, NOTHING, NOTHING, ("", "confirmed"), NOTHING, NOTHING, NOTHING, NOTHING, NOTHING],
    ),
    // RFC 3262 §3: a PRACK that matches no response is 481.
    (
        "PRACK",
        RACK,
        false,
        [
            ("481", ""),
            ("481", ""),
            ("481", ""),
            ("481", ""),
            ("481", ""),
            ("481", ""),
            ("481", ""),
            ("481", ""),
            ("481", ""),
            ("481", ""),
            ("481", ""),
        ],
    ),
    // §11.2: an OPTIONS changes nothing.
    (
        "OPTIONS",
        "",
        false,
        [
            ("481", ""),
            ("200", ""),
            ("200", ""),
            ("481", ""),
            ("200", ""),
            ("200", ""),
            ("200", ""),
            ("200", ""),
            ("200", ""),
            ("481", ""),
            ("481", ""),
        ],
    ),
    // RFC 6665 §4.1.3: no subscription of Bob's is meant.
    (
        "NOTIFY",
        EVENT,
        false,
        [
            ("481", ""),
            ("481", ""),
            ("481", ""),
            ("481", ""),
            ("481", ""),
            ("481", ""),
            ("481", ""),
            ("481", ""),
            ("481", ""),
            ("481", ""),
            ("481", ""),
        ],
    ),
    // RFC 6665 §4.2.1: Bob notifies of REFERs alone, whatever the dialog.
    (
        "SUBSCRIBE",
        EVENT,
        false,
        [
            ("489", ""),
            ("489", ""),
            ("489", ""),
            ("489", ""),
            ("489", ""),
            ("489", ""),
            ("489", ""),
            ("489", ""),
            ("489", ""),
            ("489", ""),
            ("489", ""),
        ],
    ),
];

#[test]
fn each_request_at_each_moment() {
    let mut wrong = Vec::new();
    for (method, extra, has_offer, outcomes) in REQUESTS {
        for (moment, (responses, told)) in MOMENTS.into_iter().zip(outcomes) {
            let (mut bob, _, ours) = at(moment);
            let (branch, number, tag) = match method {
                "CANCEL" => ("i", 1, ""),
                "ACK" => ("x", 1, "bob-tag"),
                _ => ("x", 9, "bob-tag"),
            };
            let text = request(method, branch, number, tag, extra);
            let text = if has_offer { described(&text) } else { text };
            // The dialogs of Bob's own calls have his Call-ID.
            let text = match ours {
                Some(ours) => text.replace("1j9FpLxk3uxtm8tn@chicago.com", ours.header("call-id")),
                None => text,
            };
            let before = bob.events.len();
            let sent = bob.exchange(&text);
            let statuses: Vec<String> = sent.iter().map(|sent| sent.label()[..3].to_string()).collect();
            let new: Vec<String> = bob.told().split_off(before);
            let found = (statuses.join(" "), new.join(" "));
            if (found.0.as_str(), found.1.as_str()) != (responses, told) {
                wrong.push(format!("{method}, {moment}: {found:?}, not {:?}", (responses, told)));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// A response to Bob's last request, with the tag of the dialog or another one, and for each moment what is sent, and what Bob is told.
type Late = (&'static str, &'static str, [(&'static str, &'static str); 4]);

/// The moments of the columns of [`RESPONSES`]: what is out is the INVITE, which has its 2xx; a re-INVITE; a BYE; and a BYE that has its 2xx.
const LATE: [&str; 4] = ["answer owed", "changing", "ending", "over"];

const RESPONSES: [Late; 6] = [
    // §17.1.1.2: nothing but a 2xx is of interest after a 2xx.
    ("180 Ringing", "carol-tag", [NOTHING, ("", "modify progress 180"), NOTHING, NOTHING]),
    // §13.2.2.4: a 2xx that comes again has the ACK again; here the ACK waits for the answer of the application.
    ("200 OK", "carol-tag", [NOTHING, ("ACK", "modified 200"), ("", "ended Local"), NOTHING]),
    // §13.2.2.4: another fork, of which nobody wants anything. In a dialog it is the transaction that says what a response is to (§17.1.3).
    ("200 OK", "other-tag", [("ACK BYE", ""), ("ACK", "modified 200"), ("", "ended Local"), NOTHING]),
    ("302 Moved Temporarily", "carol-tag", [NOTHING, ("ACK", "modify failed 302"), ("", "ended Local"), NOTHING]),
    ("401 Unauthorized", "carol-tag", [NOTHING, ("ACK", "modify failed 401"), ("", "ended Local"), NOTHING]),
    ("486 Busy Here", "carol-tag", [NOTHING, ("ACK", "modify failed 486"), ("", "ended Local"), NOTHING]),
];

#[test]
fn each_response_at_each_moment() {
    let mut wrong = Vec::new();
    for (status, tag, outcomes) in RESPONSES {
        for (moment, (requests, told)) in LATE.into_iter().zip(outcomes) {
            let (mut bob, _, ours) = at(moment);
            let ours = ours.expect("a request of Bob's");
            let text = ours.respond(status, tag, CONTACT).replace("tag=carol-tag", &format!("tag={tag}"));
            let text = if status.starts_with('2') && ours.method() == "INVITE" { described(&text) } else { text };
            let before = bob.events.len();
            let sent = bob.exchange(&text);
            let methods: Vec<&str> = sent.iter().map(Text::method).collect();
            let new: Vec<String> = bob.told().split_off(before);
            let found = (methods.join(" "), new.join(" "));
            if (found.0.as_str(), found.1.as_str()) != (requests, told) {
                wrong.push(format!("{status} {tag}, {moment}: {found:?}, not {:?}", (requests, told)));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
