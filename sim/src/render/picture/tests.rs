use sansip::message::SharedBytes;

use super::*;
use crate::check::{Evidence, Property};
use crate::run::{Case, run, run_watched};
use crate::trace::{NodeId, Recording};

/// A trace of a few nodes, written by hand.
pub(crate) struct Written(pub(crate) Trace);

impl Written {
    pub(crate) fn new(names: &[&str]) -> Self {
        let mut trace = Trace::new(Recording::Everything);
        for name in names {
            trace.add_node(name);
        }
        Self(trace)
    }

    /// A message is sent; the index of its entry.
    pub(crate) fn sent(&mut self, at: u64, from: usize, to: Option<usize>, fate: &str, bytes: &[u8]) -> usize {
        let address = |node: usize| ([192, 0, 2, node as u8 + 1], 5060).into();
        let effect: Option<Effect> = (!fate.is_empty()).then(|| fate.parse().unwrap());
        let fine = crate::fault::Fate::FINE;
        let sent = Transmission {
            from: NodeId(from),
            to: to.map(NodeId),
            source: address(from),
            destination: address(to.unwrap_or(99)),
            ordinal: 1,
            stream: None,
            fate: effect.map_or(fine, |effect| fine.with(effect).unwrap()),
            stopped: to.is_none().then_some(Stopped::Nobody),
            changed: None,
            bytes: SharedBytes::from(bytes),
        };
        self.0.push(Instant::from_millis(at), What::Sent(sent))
    }

    pub(crate) fn arrives(&mut self, at: u64, node: usize, sent: usize) {
        self.0.push(Instant::from_millis(at), What::Arrived { node: NodeId(node), sent });
    }

    pub(crate) fn noted(&mut self, at: u64, node: usize, words: &str) {
        self.0.push(Instant::from_millis(at), What::Noted { node: NodeId(node), note: Note::Said(words.to_owned()) });
    }
}

/// A request as short as one can be.
pub(crate) fn request(method: &str, branch: &str) -> Vec<u8> {
    format!(
        "{method} sip:bob@b.example SIP/2.0\r\nVia: SIP/2.0/UDP a.example;branch=z9hG4bK{branch}\r\nFrom: <sip:a@a.example>;tag=1\r\n\
         To: <sip:bob@b.example>;tag=2\r\nCall-ID: one\r\nCSeq: 2 {method}\r\nMax-Forwards: 70\r\nContent-Length: 0\r\n\r\n"
    )
    .into_bytes()
}

fn rows(picture: &Picture<'_>) -> Vec<String> {
    let row = |row: &Row<'_>| match &row.shown {
        Shown::Message(message) => format!("{} {} {:?}", row.time, message.label, message.overtaken),
        Shown::Arrival(Arrival { of, node, is_again, .. }) => format!("{} row {of} at {node} {is_again}", row.time),
        Shown::Note { node, note } => format!("{} {node}: {note}", row.time),
        Shown::Breach(breach) => format!("{} {}", row.time, breach.check),
    };
    picture.rows.iter().map(row).collect()
}

#[test]
fn messages_that_cross_and_those_that_are_overtaken_arrive_in_rows_of_their_own() {
    let mut trace = Written::new(&["alice", "bob"]);
    let bye = trace.sent(0, 0, Some(1), "", &request("BYE", "1"));
    let other = trace.sent(5, 1, Some(0), "", &request("BYE", "2"));
    trace.arrives(10, 1, bye);
    trace.arrives(15, 0, other);
    let late = trace.sent(20, 0, Some(1), "+50ms", &request("INFO", "3"));
    let early = trace.sent(25, 0, Some(1), "dup(+90ms)", &request("INFO", "4"));
    trace.arrives(35, 1, early);
    trace.arrives(70, 1, late);
    trace.arrives(125, 1, early);
    let picture = Picture::of(&trace.0, []);
    let expected = [
        "0.000 F1 BYE Some(2)",
        "0.005 F2 BYE None",
        "0.010 row 0 at 1 false",
        "0.020 F3 INFO Some(5)",
        "0.025 F4 INFO None",
        "0.070 row 3 at 1 false",
        "0.125 row 4 at 1 true",
    ];
    assert_eq!(rows(&picture), expected);
    assert_eq!(picture.message(4).unwrap().arrived, [35, 125].map(Instant::from_millis));
}

#[test]
fn a_breach_stands_behind_what_happened_until_then_and_a_window_is_around_it() {
    let mut trace = Written::new(&["alice"]);
    for at in 0..100 {
        trace.noted(at * 10, 0, "here");
    }
    let (check, property, evidence, node) = ("form", Property::Safety, Evidence::Seen, NodeId(0));
    let breach = |at| crate::check::Breach {
        check,
        property,
        evidence,
        node,
        time: Instant::from_millis(at),
        what: String::new(),
    };
    let breaches = [breach(2_000), breach(505)];
    let picture = Picture::of(&trace.0, &breaches);
    assert_eq!((picture.broken(), picture.rows.len()), (Some(51), 102));
    assert_eq!(rows(&picture)[51], "0.505 form");
    assert_eq!(rows(&picture)[101], "2.000 form");
    assert_eq!(picture.window(20), 36..56);
    assert_eq!(picture.window(1_000), 0..102);
    assert_eq!(Picture::of(&trace.0, []).window(20), 0..20);
}

#[test]
fn what_a_proxy_passes_on_is_known_by_the_vias_below_its_own() {
    let done = run(&Case::default());
    let picture = Picture::of(done.world.trace(), []);
    let number = |row: usize| picture.message(row).unwrap().label.number.clone();
    let passed: Vec<String> = picture
        .messages()
        .filter_map(|(_, _, message)| Some(format!("{} of {}", message.label.number, number(message.passed_on?))))
        .collect();
    // RFC 3261 §24.2: F3 and F5 carry F1 on; F7, F8, F10 and F11 what Bob answers.
    assert_eq!(passed, ["F3 of F1", "F5 of F3", "F7 of F6", "F8 of F7", "F10 of F9", "F11 of F10"]);
}

/// Says what lasts at a node, each with its states and when they begin.
fn lasting(picture: &Picture<'_>, name: &str) -> Vec<String> {
    let node = picture.names.iter().position(|known| *known == name).unwrap();
    let states = |span: &Span| {
        let pieces = span.pieces.iter().map(|piece| format!("{} {}", piece.state, piece.from));
        pieces.collect::<Vec<_>>().join("; ")
    };
    let name = |span: &Span| if span.kind == Kind::Dialog { String::new() } else { span.name.clone() };
    let own = picture.spans.iter().filter(|span| span.node == node);
    own.map(|span| format!("{} {}: {}", span.kind.name(), name(span), states(span))).collect()
}

#[test]
fn what_lasts_is_what_nodes_say_if_the_trace_has_that() {
    let case = Case { plan: "biloxi>bob INVITE#1:drop".parse().unwrap(), ..Case::default() };
    let done = run_watched(&case);
    let picture = Picture::of(done.world.trace(), []);
    assert!(picture.is_stated && !Picture::of(run(&case).world.trace(), []).is_stated);
    let found = lasting(&picture, "biloxi");
    for expected in [
        // RFC 3261 §17.1.1.2: timer A is doubled, and a response ends it and timer B; RFC 6026 §7.2: timer M is 64*T1.
        "client transaction INVITE: Calling 1.022; Proceeding 1.642; Accepted 3.542",
        "timer A: 500 ms, fired 1.022; 1000 ms, stopped 1.522",
        "timer B: 32 s, stopped 1.022",
        "timer M: 32 s, fired 3.542",
        "timer C: 181 s, stopped 1.022; 181 s, stopped 1.642",
        "binding sip:bob@192.0.2.4: bound 0.011",
    ] {
        assert!(found.iter().any(|line| line == expected), "{expected}: {found:#?}");
    }
    let alice = lasting(&picture, "alice");
    assert!(alice.contains(&"dialog : early 1.662; confirmed 3.562".to_owned()), "{alice:#?}");
    let ended = picture.spans.iter().find(|span| span.node == 0 && span.kind == Kind::Dialog).unwrap();
    assert_eq!(ended.pieces.last().unwrap().until.as_millis(), 8_583, "the BYE ends it");
}

#[test]
fn transactions_timers_and_dialogs_are_those_of_the_figures() {
    let case = Case { plan: "biloxi>bob INVITE#1:drop".parse().unwrap(), ..Case::default() };
    let done = run(&case);
    let picture = Picture::of(done.world.trace(), []);
    let at = |name: &str| lasting(&picture, name);
    // RFC 3261 figures 5 and 7 with RFC 6026 §7 and §8: the ACK for a 2xx is no part of the transaction.
    assert_eq!(
        at("biloxi"),
        [
            "client transaction INVITE: Calling 1.022; Proceeding 1.642; Accepted 3.542",
            "server transaction REGISTER: Trying 0.011; Completed 0.011",
            "server transaction INVITE: Proceeding 1.022; Accepted 3.542",
            "timer A: 500 ms 1.022",
        ]
    );
    assert_eq!(
        at("alice"),
        [
            "dialog : early 1.662; confirmed 3.562; ended 8.583",
            "client transaction INVITE: Calling 1.001; Proceeding 1.021; Accepted 3.562",
            "server transaction BYE: Trying 8.583; Completed 8.583",
        ]
    );
}
