//! The flows of RFC 3665 §2 and §3, and the parts of their user agents.

use sansip::message::StatusCode;

use super::Deed::*;
use super::Step::*;
use super::{Oddity, Part, Who};

/// How many messages the user agents send in all.
pub(crate) const MESSAGES: usize = 74;

const ALICE: Who = Who {
    name: "Alice",
    identity: "Alice <sip:alice@atlanta.example.com>",
    host: "client.atlanta.example.com",
    address: [192, 0, 2, 101],
};

const BOB: Who = Who {
    name: "Bob",
    identity: "Bob <sip:bob@biloxi.example.com>",
    host: "client.biloxi.example.com",
    address: [192, 0, 2, 201],
};

/// Bob at his registrar.
const SECURE_BOB: Who = Who { identity: "Bob <sips:bob@biloxi.example.com>", ..BOB };

/// Bob in Chicago (§3.6).
const BOB_AWAY: Who = Who { host: "client.chicago.example.com", address: [192, 0, 2, 100], ..BOB };

const FROM_TAG: &str = "a retry keeps the tag of From (RFC 3261 §8.1.3.5)";
const REMOTE_TARGET: &str = "the Request-URI is the remote target with all its parameters (RFC 3261 §12.2.1.1)";
const CANCEL_TO: &str = "a response to a request without a tag in To gets one (RFC 3261 §8.2.6.2)";

const ACK_ROUTE: &str = "the ACK of a rejection has the Route of its INVITE (RFC 3261 §17.1.1.3)";
const ACK_CREDENTIALS: &str = "the ACK has the credentials of its INVITE (RFC 3261 §22.1)";
const LATER_CREDENTIALS: &str = "a request in the dialog proves what its INVITE had to prove (RFC 3261 §22.1)";
const RECEIVED: &str = "the proxy writes `received` into the Via that it got (RFC 3261 §18.2.1), as the answer F15 has";
const MAX_FORWARDS: &str = "Max-Forwards stands in requests alone (RFC 3261 §8.1.1.6)";

pub(crate) const PARTS: &[Part] = &[
    Part {
        flow: "2.1_successful-new-registration",
        who: &SECURE_BOB,
        tcp: &[],
        steps: &[Do(Register), Say("F01"), Hear("F02"), Say("F03"), Hear("F04")],
        oddities: &[Oddity { file: "F03", printed: "tag=ja743ks76zlflH", meant: "tag=a73kszlfl", why: FROM_TAG }],
    },
    Part {
        flow: "2.2_update-of-contact-list",
        who: &SECURE_BOB,
        tcp: &[],
        steps: &[Do(Learn("F01")), Do(Bind("mailto:bob@biloxi.example.com")), Say("F01"), Hear("F02")],
        oddities: &[Oddity {
            file: "F01",
            printed: "mailto:bob@biloxi.example.com\r\n",
            meant: "<mailto:bob@biloxi.example.com>\r\n",
            why: "both forms mean the same (RFC 3261 §20)",
        }],
    },
    Part {
        flow: "2.3_request-for-current-contact-list",
        who: &SECURE_BOB,
        tcp: &[],
        steps: &[Do(Learn("F01")), Do(Query), Say("F01"), Hear("F02")],
        oddities: &[],
    },
    Part {
        flow: "2.4_cancellation-of-registration",
        who: &SECURE_BOB,
        tcp: &[],
        steps: &[Do(Learn("F01")), Do(UnregisterAll), Say("F01"), Hear("F02")],
        oddities: &[],
    },
    Part {
        flow: "2.5_unsuccessful-registration",
        who: &SECURE_BOB,
        tcp: &[],
        steps: &[Do(Register), Say("F01"), Hear("F02"), Say("F03"), Hear("F04")],
        oddities: &[
            Oddity {
                file: "F01",
                printed: "\r\n ;received=192.0.2.201\r\n",
                meant: "\r\nMax-Forwards: 70\r\n",
                why: "the server writes `received`, and each request has Max-Forwards (RFC 3261 §8.1.1, §18.2.1)",
            },
            Oddity { file: "F03", printed: "tag=JueHGuidj28dfga", meant: "tag=a73kszlfl", why: FROM_TAG },
        ],
    },
    Part {
        flow: "3.1_successful-session-establishment",
        who: &ALICE,
        tcp: &["example.com"],
        steps: &[Do(Call("F01")), Say("F01"), Hear("F02"), Hear("F03"), Say("F04"), Hear("F05"), Say("F06")],
        oddities: &[Oddity {
            file: "F04",
            printed: "client.biloxi.example.com SIP/2.0",
            meant: "client.biloxi.example.com;transport=tcp SIP/2.0",
            why: REMOTE_TARGET,
        }],
    },
    Part {
        flow: "3.1_successful-session-establishment",
        who: &BOB,
        tcp: &["example.com"],
        steps: &[
            Hear("F01"),
            Do(Ring),
            Say("F02"),
            Do(Answer("F03")),
            Say("F03"),
            Hear("F04"),
            Do(HangUp),
            Say("F05"),
            Hear("F06"),
        ],
        oddities: &[Oddity {
            file: "F05",
            printed: "client.atlanta.example.com SIP/2.0",
            meant: "client.atlanta.example.com;transport=tcp SIP/2.0",
            why: REMOTE_TARGET,
        }],
    },
    Part {
        flow: "3.2_session-establishment-through-two-proxies",
        who: &ALICE,
        tcp: &["example.com"],
        steps: &[
            Do(Call("F01")),
            Say("F01"),
            Hear("F02"),
            Say("F03"),
            Say("F04"),
            Hear("F06"),
            Hear("F11"),
            Hear("F14"),
            Say("F15"),
            Hear("F20"),
            Say("F21"),
        ],
        oddities: &[
            Oddity {
                file: "F15",
                printed: "Content-Length: 0",
                meant: "Content-Length: 0\r\nProxy-Authorization: Digest username=\"alice\", realm=\"atlanta.example.com\", opaque=\"\", uri=\"sip:bob@biloxi.example.com\"",
                why: ACK_CREDENTIALS,
            },
            Oddity {
                file: "F03",
                printed: "Max-Forwards: 70",
                meant: "Max-Forwards: 70\r\nRoute: <sip:ss1.atlanta.example.com;lr>",
                why: ACK_ROUTE,
            },
            Oddity {
                file: "F15",
                printed: "client.biloxi.example.com SIP/2.0",
                meant: "client.biloxi.example.com;transport=tcp SIP/2.0",
                why: REMOTE_TARGET,
            },
        ],
    },
    Part {
        flow: "3.2_session-establishment-through-two-proxies",
        who: &BOB,
        tcp: &["example.com"],
        steps: &[
            Hear("F07"),
            Do(Ring),
            Say("F09"),
            Do(Answer("F12")),
            Say("F12"),
            Hear("F17"),
            Do(HangUp),
            Say("F18"),
            Hear("F23"),
        ],
        oddities: &[Oddity {
            file: "F18",
            printed: "client.atlanta.example.com SIP/2.0",
            meant: "client.atlanta.example.com;transport=tcp SIP/2.0",
            why: REMOTE_TARGET,
        }],
    },
    Part {
        flow: "3.3_session-with-multiple-proxy-authentication",
        who: &ALICE,
        tcp: &[],
        steps: &[
            Do(Call("F01")),
            Say("F01"),
            Hear("F02"),
            Say("F03"),
            Say("F04"),
            Hear("F05"),
            Hear("F09"),
            Say("F10"),
            Say("F11"),
            Hear("F12"),
            Hear("F18"),
            Say("F19"),
        ],
        oddities: &[
            Oddity {
                file: "F11",
                printed: "Max-Forwards: 70",
                meant: "Max-Forwards: 70\r\nRoute: <sip:ss1.atlanta.example.com;lr>",
                why: "a retry goes the way of the first request, as F04 does",
            },
            Oddity {
                file: "F10",
                printed: "Max-Forwards: 70",
                meant: "Max-Forwards: 70\r\nRoute: <sip:ss1.atlanta.example.com;lr>",
                why: ACK_ROUTE,
            },
            Oddity {
                file: "F03",
                printed: "Max-Forwards: 70",
                meant: "Max-Forwards: 70\r\nRoute: <sip:ss1.atlanta.example.com;lr>",
                why: ACK_ROUTE,
            },
        ],
    },
    Part {
        flow: "3.3_session-with-multiple-proxy-authentication",
        who: &BOB,
        tcp: &[],
        steps: &[Hear("F15"), Do(Answer("F16")), Say("F16"), Hear("F21")],
        oddities: &[],
    },
    Part {
        flow: "3.4_successful-session-with-proxy-failure",
        who: &ALICE,
        tcp: &[],
        steps: &[
            Do(Call("F01")),
            Say("F01"),
            Do(Lapse),
            Do(Call("F08")),
            Say("F08"),
            Hear("F09"),
            Say("F10"),
            Say("F11"),
            Hear("F13"),
            Hear("F15"),
            Hear("F17"),
            Say("F18"),
            Hear("F21"),
            Say("F22"),
        ],
        oddities: &[Oddity {
            file: "F18",
            printed: "Content-Length: 0",
            meant: "Content-Length: 0\r\nProxy-Authorization: Digest username=\"alice\", realm=\"biloxi.example.com\", opaque=\"\", uri=\"sip:bob@biloxi.example.com\"",
            why: ACK_CREDENTIALS,
        }],
    },
    Part {
        flow: "3.4_successful-session-with-proxy-failure",
        who: &BOB,
        tcp: &[],
        steps: &[
            Hear("F12"),
            Do(Ring),
            Say("F14"),
            Do(Answer("F16")),
            Say("F16"),
            Hear("F19"),
            Do(HangUp),
            Say("F20"),
            Hear("F23"),
        ],
        oddities: &[],
    },
    Part {
        flow: "3.5_session-through-a-sip-alg",
        who: &ALICE,
        tcp: &[],
        steps: &[
            Do(Learn("F01")),
            Do(Call("F01")),
            Say("F01"),
            Hear("F03"),
            Hear("F08"),
            Hear("F11"),
            Say("F12"),
            Do(HangUp),
            Say("F14"),
            Hear("F17"),
        ],
        oddities: &[
            Oddity {
                file: "F12",
                printed: "Content-Length: 0",
                meant: "Content-Length: 0\r\nProxy-Authorization: Digest username=\"alice\", realm=\"biloxi.example.com\", opaque=\"\", uri=\"sip:bob@biloxi.example.com\"",
                why: ACK_CREDENTIALS,
            },
            Oddity {
                file: "F14",
                printed: "Content-Length: 0",
                meant: "Content-Length: 0\r\nProxy-Authorization: Digest username=\"alice\", realm=\"biloxi.example.com\", opaque=\"\", uri=\"sip:bob@client.biloxi.example.com\"",
                why: LATER_CREDENTIALS,
            },
        ],
    },
    Part {
        flow: "3.5_session-through-a-sip-alg",
        who: &BOB,
        tcp: &[],
        steps: &[
            Hear("F04"),
            Do(Ring),
            Say("F06"),
            Do(Answer("F09")),
            Say("F09"),
            Hear("F13"),
            Hear("F15"),
            Say("F16"),
        ],
        oddities: &[],
    },
    Part {
        flow: "3.6_session-via-redirect-and-proxy-servers-with-sdp-",
        who: &ALICE,
        tcp: &["chicago.example.com"],
        steps: &[
            Do(Call("F01")),
            Say("F01"),
            Hear("F02"),
            Say("F03"),
            Say("F04"),
            Hear("F06"),
            Hear("F08"),
            Hear("F10"),
            Do(AnswerOffer("F11")),
            Say("F11"),
            Hear("F14"),
            Say("F15"),
        ],
        oddities: &[
            Oddity {
                file: "F14",
                printed: "branch=z9hG4bK721e.1\r\n ;received=192.0.2.100",
                meant: "branch=z9hG4bK721e.1",
                why: RECEIVED,
            },
            Oddity {
                file: "F14",
                printed: "branch=z9hG4bKfgaw2",
                meant: "branch=z9hG4bKfgaw2\r\n ;received=192.0.2.100",
                why: RECEIVED,
            },
            Oddity {
                file: "F04",
                printed: "chicago.example.com SIP/2.0",
                meant: "chicago.example.com;transport=tcp SIP/2.0",
                why: REMOTE_TARGET,
            },
            Oddity {
                file: "F11",
                printed: "client.chicago.example.com SIP/2.0",
                meant: "client.chicago.example.com;transport=tcp SIP/2.0",
                why: REMOTE_TARGET,
            },
        ],
    },
    Part {
        flow: "3.6_session-via-redirect-and-proxy-servers-with-sdp-",
        who: &BOB_AWAY,
        tcp: &["chicago.example.com"],
        steps: &[
            Hear("F05"),
            Do(Ring),
            Say("F07"),
            Do(Answer("F09")),
            Say("F09"),
            Hear("F12"),
            Do(HangUp),
            Say("F13"),
            Hear("F16"),
        ],
        oddities: &[Oddity {
            file: "F13",
            printed: "client.atlanta.example.com SIP/2.0",
            meant: "client.atlanta.example.com;transport=tcp SIP/2.0",
            why: REMOTE_TARGET,
        }],
    },
    Part {
        flow: "3.7_session-with-re-invite-ip-address-change",
        who: &ALICE,
        tcp: &[],
        steps: &[
            Do(Call("F01")),
            Say("F01"),
            Hear("F03"),
            Hear("F05"),
            Hear("F07"),
            Say("F08"),
            Hear("F09"),
            Do(AcceptOffer("F10")),
            Say("F10"),
            Hear("F11"),
            Do(HangUp),
            Say("F12"),
            Hear("F13"),
        ],
        oddities: &[Oddity { file: "F10", printed: "Max-Forwards: 70\r\n", meant: "", why: MAX_FORWARDS }],
    },
    Part {
        flow: "3.7_session-with-re-invite-ip-address-change",
        who: &BOB,
        tcp: &[],
        steps: &[
            Hear("F02"),
            Do(Ring),
            Say("F04"),
            Do(Answer("F06")),
            Say("F06"),
            Hear("F08"),
            Do(Move("client.chicago.example.com")),
            Do(Change("F09")),
            Say("F09"),
            Hear("F10"),
            Say("F11"),
            Hear("F12"),
            Say("F13"),
        ],
        oddities: &[Oddity { file: "F13", printed: "Max-Forwards: 70\r\n", meant: "", why: MAX_FORWARDS }],
    },
    Part {
        flow: "3.8_unsuccessful-no-answer",
        who: &ALICE,
        tcp: &[],
        steps: &[
            Do(Learn("F01")),
            Do(Call("F01")),
            Say("F01"),
            Hear("F03"),
            Hear("F08"),
            Do(HangUp),
            Say("F09"),
            Hear("F10"),
            Hear("F19"),
            Say("F20"),
        ],
        oddities: &[Oddity {
            file: "F20",
            printed: "Max-Forwards: 70",
            meant: "Max-Forwards: 70\r\nRoute: <sip:ss1.atlanta.example.com;lr>",
            why: ACK_ROUTE,
        }],
    },
    Part {
        flow: "3.8_unsuccessful-no-answer",
        who: &BOB,
        tcp: &[],
        steps: &[Hear("F04"), Do(Ring), Say("F06"), Hear("F13"), Say("F14"), Say("F15"), Hear("F16")],
        oddities: &[Oddity {
            file: "F14",
            printed: "To: Bob <sip:bob@biloxi.example.com>",
            meant: "To: Bob <sip:bob@biloxi.example.com>;tag=314159",
            why: CANCEL_TO,
        }],
    },
    Part {
        flow: "3.9_unsuccessful-busy",
        who: &ALICE,
        tcp: &["example.com"],
        steps: &[
            Do(Learn("F01")),
            Do(Call("F01")),
            Say("F01"),
            Hear("F03"),
            HearOf(StatusCode::BUSY_HERE, "F11"),
            Say("F11"),
        ],
        oddities: &[Oddity {
            file: "F11",
            printed: "Max-Forwards: 70",
            meant: "Max-Forwards: 70\r\nRoute: <sip:ss1.atlanta.example.com;lr>",
            why: ACK_ROUTE,
        }],
    },
    Part {
        flow: "3.10_unsuccessful-no-response-from-user-agent",
        who: &ALICE,
        tcp: &[],
        steps: &[Do(Learn("F01")), Do(Call("F01")), Say("F01"), Hear("F03"), Hear("F14"), Say("F15")],
        oddities: &[Oddity {
            file: "F15",
            printed: "Max-Forwards: 70",
            meant: "Max-Forwards: 70\r\nRoute: <sip:ss1.atlanta.example.com;lr>",
            why: ACK_ROUTE,
        }],
    },
    Part {
        flow: "3.11_unsuccessful-temporarily-unavailable",
        who: &ALICE,
        tcp: &[],
        steps: &[Do(Learn("F01")), Do(Call("F01")), Say("F01"), Hear("F03"), Hear("F08"), Hear("F13"), Say("F14")],
        oddities: &[Oddity {
            file: "F14",
            printed: "Max-Forwards: 70",
            meant: "Max-Forwards: 70\r\nRoute: <sip:ss1.atlanta.example.com;lr>",
            why: ACK_ROUTE,
        }],
    },
    Part {
        flow: "3.11_unsuccessful-temporarily-unavailable",
        who: &BOB,
        tcp: &[],
        steps: &[
            Hear("F04"),
            Do(Ring),
            Say("F06"),
            Do(Reject(StatusCode::TEMPORARILY_UNAVAILABLE)),
            Say("F09"),
            Hear("F10"),
        ],
        oddities: &[],
    },
];
