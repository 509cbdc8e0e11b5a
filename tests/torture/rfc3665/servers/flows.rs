//! The flows of RFC 3665 §2 and §3, and the parts of their servers.

use super::Step::*;
use super::{Oddity, Part};

/// How many messages the servers send in all.
pub(crate) const MESSAGES: usize = 91;

const ATLANTA: Part = Part {
    flow: "",
    host: "ss1.atlanta.example.com",
    domain: "atlanta.example.com",
    users: &[],
    bound: &[],
    redirects: false,
    stays: true,
    tcp: &[],
    steps: &[],
    oddities: &[],
};

const BILOXI: Part = Part {
    host: "ss2.biloxi.example.com",
    domain: "biloxi.example.com",
    bound: &["sip:bob@client.biloxi.example.com"],
    ..ATLANTA
};

const CANCELLED: &str = "CANCEL has the Request-URI of its INVITE (RFC 3261 §9.1)";
const NO_ANSWER: &str = "who does not answer at all counts as 408 (RFC 3261 §16.8)";
const OTHER_VIA: &str = "the ACK of a rejection has the Via of its INVITE (RFC 3261 §17.1.1.3)";
const RECEIVED: &str = "the address is that of Bob's client, as in the request";
const CONTACT: &str = "an ACK has no Contact, and the one printed is not that of its sender";
const LENGTH: &str = "the other responses have a Content-Length";
const CANCEL_TO: &str = "a response to a request without a tag in To gets one (RFC 3261 §8.2.6.2)";
const FOLD: &str = "a folded line begins with white space (RFC 3261 §7.3.1)";
const PREFERENCE: &str = "a contact that was registered has its preference and its time";
const INTERVAL: &str = "the registrar gives its own interval where none was asked for";
const TRANSPORT: &str =
    "the route says over what the server is reached (RFC 3261 §16.6 step 4), which NAPTR would say here";
const REALM: &str = "the realm is the domain of the user (RFC 3261 §22.1), and Bob's is biloxi.example.com";
const REASON: &str = "RFC 3261 §21.4.8 calls 407 so";

pub(crate) const PARTS: &[Part] = &[
    Part {
        flow: "2.1_successful-new-registration",
        users: &["bob"],
        bound: &[],
        steps: &[Hear("F01"), Say("F02"), Hear("F03"), Say("F04")],
        oddities: &[
            Oddity {
                file: "F02",
                printed: "realm=\"atlanta.example.com\"",
                meant: "realm=\"biloxi.example.com\"",
                why: REALM,
            },
            Oddity {
                file: "F03",
                printed: "realm=\"atlanta.example.com\"",
                meant: "realm=\"biloxi.example.com\"",
                why: REALM,
            },
        ],
        ..BILOXI
    },
    Part {
        flow: "2.2_update-of-contact-list",
        users: &["bob"],
        bound: &["sips:bob@client.biloxi.example.com"],
        steps: &[Hear("F01"), Say("F02")],
        oddities: &[
            Oddity { file: "F02", printed: "expires=4294967295", meant: "expires=3600", why: INTERVAL },
            Oddity {
                file: "F01",
                printed: "realm=\"atlanta.example.com\"",
                meant: "realm=\"biloxi.example.com\"",
                why: REALM,
            },
        ],
        ..BILOXI
    },
    Part {
        flow: "2.3_request-for-current-contact-list",
        users: &["bob"],
        bound: &["sips:bob@client.biloxi.example.com", "mailto:bob@biloxi.example.com"],
        steps: &[Hear("F01"), Say("F02")],
        oddities: &[
            Oddity { file: "F02", printed: "expires=4294967295", meant: "expires=3600", why: INTERVAL },
            Oddity {
                file: "F01",
                printed: "realm=\"atlanta.example.com\"",
                meant: "realm=\"biloxi.example.com\"",
                why: REALM,
            },
        ],
        ..BILOXI
    },
    Part {
        flow: "2.4_cancellation-of-registration",
        users: &["bob"],
        bound: &["sips:bob@client.biloxi.example.com"],
        steps: &[Hear("F01"), Say("F02")],
        oddities: &[Oddity {
            file: "F01",
            printed: "realm=\"atlanta.example.com\"",
            meant: "realm=\"biloxi.example.com\"",
            why: REALM,
        }],
        ..BILOXI
    },
    Part {
        flow: "2.5_unsuccessful-registration",
        users: &["bob"],
        bound: &[],
        steps: &[Hear("F01"), Say("F02"), Forged("F03"), Say("F04")],
        oddities: &[
            Oddity {
                file: "F02",
                printed: "realm=\"atlanta.example.com\"",
                meant: "realm=\"biloxi.example.com\"",
                why: REALM,
            },
            Oddity {
                file: "F03",
                printed: "realm=\"atlanta.example.com\"",
                meant: "realm=\"biloxi.example.com\"",
                why: REALM,
            },
            Oddity {
                file: "F04",
                printed: "realm=\"atlanta.example.com\"",
                meant: "realm=\"biloxi.example.com\"",
                why: REALM,
            },
        ],
        ..BILOXI
    },
    Part {
        flow: "3.2_session-establishment-through-two-proxies",
        users: &["alice"],
        tcp: &["example.com"],
        steps: &[
            Hear("F01"),
            Say("F02"),
            Hear("F03"),
            Hear("F04"),
            Say("F05"),
            Say("F06"),
            Hear("F08"),
            Hear("F10"),
            Say("F11"),
            Hear("F13"),
            Say("F14"),
            Hear("F15"),
            Say("F16"),
            Hear("F19"),
            Say("F20"),
            Hear("F21"),
            Say("F22"),
        ],
        oddities: &[
            Oddity {
                file: "F05",
                printed: "<sip:ss1.atlanta.example.com;lr>",
                meant: "<sip:ss1.atlanta.example.com;transport=tcp;lr>",
                why: TRANSPORT,
            },
            Oddity {
                file: "F22",
                printed: "client.biloxi.example.com:5060;branch=z9hG4bKnashds7\r\n ;received=192.0.2.101",
                meant: "client.biloxi.example.com:5060;branch=z9hG4bKnashds7\r\n ;received=192.0.2.201",
                why: RECEIVED,
            },
            Oddity {
                file: "F02",
                printed: "407 Proxy Authorization Required",
                meant: "407 Proxy Authentication Required",
                why: REASON,
            },
        ],
        ..ATLANTA
    },
    Part {
        flow: "3.2_session-establishment-through-two-proxies",
        tcp: &["example.com"],
        steps: &[
            Hear("F05"),
            Say("F07"),
            Say("F08"),
            Hear("F09"),
            Say("F10"),
            Hear("F12"),
            Say("F13"),
            Hear("F16"),
            Say("F17"),
            Hear("F18"),
            Say("F19"),
            Hear("F22"),
            Say("F23"),
        ],
        oddities: &[
            Oddity {
                file: "F07",
                printed: "<sip:ss2.biloxi.example.com;lr>",
                meant: "<sip:ss2.biloxi.example.com;transport=tcp;lr>",
                why: TRANSPORT,
            },
            Oddity {
                file: "F22",
                printed: "client.biloxi.example.com:5060;branch=z9hG4bKnashds7\r\n ;received=192.0.2.101",
                meant: "client.biloxi.example.com:5060;branch=z9hG4bKnashds7\r\n ;received=192.0.2.201",
                why: RECEIVED,
            },
        ],
        ..BILOXI
    },
    Part {
        flow: "3.3_session-with-multiple-proxy-authentication",
        users: &["alice"],
        steps: &[
            Hear("F01"),
            Say("F02"),
            Hear("F03"),
            Hear("F04"),
            Say("F05"),
            Say("F06"),
            Hear("F07"),
            Say("F08"),
            Say("F09"),
            Hear("F10"),
            Hear("F11"),
            Say("F12"),
            Say("F13"),
            Hear("F14"),
            Hear("F17"),
            Say("F18"),
            Hear("F19"),
            Say("F20"),
        ],
        oddities: &[
            Oddity {
                file: "F08",
                printed: "client.atlanta.example.com:5060;branch=z9hG4bK74b21",
                meant: "ss1.atlanta.example.com:5060;branch=z9hG4bK230f2.1",
                why: OTHER_VIA,
            },
            Oddity {
                file: "F20",
                printed: "Contact: <sip:bob@client.biloxi.example.com>\r\n",
                meant: "",
                why: CONTACT,
            },
            Oddity {
                file: "F02",
                printed: "407 Proxy Authorization Required",
                meant: "407 Proxy Authentication Required",
                why: REASON,
            },
        ],
        ..ATLANTA
    },
    Part {
        flow: "3.3_session-with-multiple-proxy-authentication",
        steps: &[Hear("F13"), Say("F14"), Say("F15"), Hear("F16"), Say("F17"), Hear("F20"), Say("F21")],
        ..BILOXI
    },
    Part {
        flow: "3.4_successful-session-with-proxy-failure",
        steps: &[
            Hear("F11"),
            Say("F12"),
            Say("F13"),
            Hear("F14"),
            Say("F15"),
            Hear("F16"),
            Say("F17"),
            Hear("F18"),
            Say("F19"),
            Hear("F20"),
            Say("F21"),
            Hear("F22"),
            Say("F23"),
        ],
        ..BILOXI
    },
    Part {
        flow: "3.6_session-via-redirect-and-proxy-servers-with-sdp-",
        bound: &["sip:bob@chicago.example.com;transport=tcp"],
        redirects: true,
        steps: &[Hear("F01"), Say("F02"), Hear("F03")],
        oddities: &[Oddity {
            file: "F02",
            printed: "transport=tcp>",
            meant: "transport=tcp>;q=1;expires=3600",
            why: PREFERENCE,
        }],
        ..BILOXI
    },
    Part {
        flow: "3.6_session-via-redirect-and-proxy-servers-with-sdp-",
        host: "ss3.chicago.example.com",
        domain: "chicago.example.com",
        bound: &["sip:bob@client.chicago.example.com"],
        tcp: &["chicago.example.com", "client.atlanta.example.com"],
        steps: &[
            Hear("F04"),
            Say("F05"),
            Say("F06"),
            Hear("F07"),
            Say("F08"),
            Hear("F09"),
            Say("F10"),
            Hear("F11"),
            Say("F12"),
            Hear("F13"),
            Say("F14"),
            Hear("F15"),
            Say("F16"),
        ],
        oddities: &[
            Oddity {
                file: "F05",
                printed: "<sip:ss3.chicago.example.com;lr>",
                meant: "<sip:ss3.chicago.example.com;transport=tcp;lr>",
                why: TRANSPORT,
            },
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
        ],
        ..ATLANTA
    },
    Part {
        flow: "3.7_session-with-re-invite-ip-address-change",
        stays: false,
        steps: &[Hear("F01"), Say("F02"), Say("F03"), Hear("F04"), Say("F05"), Hear("F06"), Say("F07")],
        ..BILOXI
    },
    Part {
        flow: "3.8_unsuccessful-no-answer",
        steps: &[
            Hear("F01"),
            Say("F02"),
            Say("F03"),
            Hear("F05"),
            Hear("F07"),
            Say("F08"),
            Hear("F09"),
            Say("F10"),
            Say("F11"),
            Hear("F12"),
            Hear("F17"),
            Say("F18"),
            Say("F19"),
            Hear("F20"),
        ],
        oddities: &[
            Oddity {
                file: "F10",
                printed: "To: Bob <sip:bob@biloxi.example.com>\r\n",
                meant: "To: Bob <sip:bob@biloxi.example.com>;tag=left-out\r\n",
                why: CANCEL_TO,
            },
            Oddity {
                file: "F19",
                printed: "CSeq: 1 INVITE\r\n",
                meant: "CSeq: 1 INVITE\r\nContent-Length: 0\r\n",
                why: LENGTH,
            },
            Oddity {
                file: "F18",
                printed: "ss2.biloxi.example.com:5060;branch=z9hG4bK721e4.1",
                meant: "ss1.atlanta.example.com:5060;branch=z9hG4bK2d4790.1",
                why: OTHER_VIA,
            },
            Oddity {
                file: "F11",
                printed: "CANCEL sip:alice@atlanta.example.com",
                meant: "CANCEL sip:bob@biloxi.example.com",
                why: CANCELLED,
            },
        ],
        ..ATLANTA
    },
    Part {
        flow: "3.8_unsuccessful-no-answer",
        steps: &[
            Hear("F02"),
            Say("F04"),
            Say("F05"),
            Hear("F06"),
            Say("F07"),
            Hear("F11"),
            Say("F12"),
            Say("F13"),
            Hear("F14"),
            Hear("F15"),
            Say("F16"),
            Say("F17"),
            Hear("F18"),
        ],
        oddities: &[
            Oddity {
                file: "F12",
                printed: "To: Bob <sip:bob@biloxi.example.com>\r\n",
                meant: "To: Bob <sip:bob@biloxi.example.com>;tag=left-out\r\n",
                why: CANCEL_TO,
            },
            Oddity {
                file: "F18",
                printed: "ss2.biloxi.example.com:5060;branch=z9hG4bK721e4.1",
                meant: "ss1.atlanta.example.com:5060;branch=z9hG4bK2d4790.1",
                why: OTHER_VIA,
            },
            Oddity {
                file: "F11",
                printed: "CANCEL sip:alice@atlanta.example.com",
                meant: "CANCEL sip:bob@biloxi.example.com",
                why: CANCELLED,
            },
        ],
        ..BILOXI
    },
    Part {
        flow: "3.9_unsuccessful-busy",
        tcp: &["example.com"],
        steps: &[
            Hear("F01"),
            Say("F02"),
            Say("F03"),
            Hear("F05"),
            HearOf("486 Busy Here"),
            Say("F09"),
            Also("SIP/2.0 486 Busy Here"),
            Hear("F11"),
        ],
        oddities: &[Oddity {
            file: "F02",
            printed: "<sip:ss1.atlanta.example.com;lr>",
            meant: "<sip:ss1.atlanta.example.com;transport=tcp;lr>",
            why: TRANSPORT,
        }],
        ..ATLANTA
    },
    Part {
        flow: "3.9_unsuccessful-busy",
        tcp: &["example.com"],
        steps: &[
            Hear("F02"),
            Say("F04"),
            Say("F05"),
            HearOf("486 Busy Here"),
            Say("F07"),
            Also("SIP/2.0 486 Busy Here"),
            Hear("F09"),
        ],
        oddities: &[Oddity {
            file: "F04",
            printed: "<sip:ss2.biloxi.example.com;lr>",
            meant: "<sip:ss2.biloxi.example.com;transport=tcp;lr>",
            why: TRANSPORT,
        }],
        ..BILOXI
    },
    Part {
        flow: "3.10_unsuccessful-no-response-from-user-agent",
        steps: &[Hear("F01"), Say("F02"), Say("F03"), Hear("F05"), Hear("F12"), Say("F13"), Say("F14"), Hear("F15")],
        ..ATLANTA
    },
    Part {
        flow: "3.10_unsuccessful-no-response-from-user-agent",
        steps: &[Hear("F02"), Say("F04"), Say("F05"), Lapse, Say("F12"), Hear("F13")],
        oddities: &[
            Oddity { file: "F04", printed: "\r\n<sip:ss1", meant: "\r\n <sip:ss1", why: FOLD },
            Oddity { file: "F12", printed: "480 No Response", meant: "408 Request Timeout", why: NO_ANSWER },
        ],
        ..BILOXI
    },
    Part {
        flow: "3.11_unsuccessful-temporarily-unavailable",
        steps: &[
            Hear("F01"),
            Say("F02"),
            Say("F03"),
            Hear("F05"),
            Hear("F07"),
            Say("F08"),
            Hear("F11"),
            Say("F12"),
            Say("F13"),
            Hear("F14"),
        ],
        ..ATLANTA
    },
    Part {
        flow: "3.11_unsuccessful-temporarily-unavailable",
        steps: &[
            Hear("F02"),
            Say("F04"),
            Say("F05"),
            Hear("F06"),
            Say("F07"),
            Hear("F09"),
            Say("F10"),
            Say("F11"),
            Hear("F12"),
        ],
        ..BILOXI
    },
];
