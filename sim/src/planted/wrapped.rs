//! Mistakes that show in what a node sends and hears, made between the node and the world.

use super::faulty::{Hooks, Notebook};
use super::on::on;
use super::text::{branch, field, number, numbered, popped_via, pushed, to_tag, with, with_start, without};

/// Sends messages of this kind again after so many milliseconds.
macro_rules! again {
    ($kind:pat, $millis:literal) => {
        Hooks::sending(on!($kind, |notes, text| {
            notes.send_later($millis, text.clone());
            vec![text]
        }))
    };
}

pub(super) const WITHHOLDS_ACK: Hooks = Hooks::sending(on!("ACK", |_, _| vec![]));
pub(super) const WITHHOLDS_BYE: Hooks = Hooks::sending(on!("BYE", |_, _| vec![]));
pub(super) const WITHHOLDS_BYE_ANSWER: Hooks = Hooks::sending(on!("200 BYE" | "481 BYE", |_, _| vec![]));
pub(super) const OVERLOOKS_BYE: Hooks = Hooks::hearing(on!("BYE", |_, _| vec![]));
pub(super) const OVERLOOKS_CANCEL: Hooks = Hooks::hearing(on!("CANCEL", |_, _| vec![]));
pub(super) const OVERLOOKS_2XX: Hooks = Hooks::hearing(on!("200 INVITE", |_, _| vec![]));

/// Only the 2xx of the branch that has brought the first one counts.
pub(super) const SECOND_2XX_OVERLOOKED: Hooks = Hooks::hearing(on!("200 INVITE", |notes, text| {
    let first = notes.texts.entry("answered").or_insert_with(|| to_tag(&text).to_owned());
    if first == to_tag(&text) { vec![text] } else { vec![] }
}));

pub(super) const LOSER_NOT_CANCELLED: Hooks = Hooks::sending(on!("CANCEL", |_, _| vec![]));

/// Only the first copy goes.
pub(super) const SAYS_2XX_ONCE: Hooks =
    Hooks::sending(on!("200 INVITE", |notes, text| if notes.first() { vec![text] } else { vec![] }));
pub(super) const ACKNOWLEDGES_ONCE: Hooks =
    Hooks::sending(on!("ACK", |notes, text| if notes.first() { vec![text] } else { vec![] }));

pub(super) const RESENDS_INVITE_AFTER_100: Hooks = again!("INVITE", 300);
pub(super) const RESENDS_BYE_EARLY: Hooks = again!("BYE", 5);
pub(super) const RESENDS_ACK: Hooks = again!("ACK", 100);
pub(super) const RESENDS_180: Hooks = again!("180 INVITE", 1);
pub(super) const RESENDS_2XX_AFTER_ACK: Hooks = again!("200 INVITE", 600);
pub(super) const SENDS_FIVE_FOR_ONE: Hooks =
    Hooks::sending(on!("100 INVITE" | "180 INVITE" | "200 BYE", |_, text| vec![text; 5]));

/// Remembers what an INVITE looked like.
fn remember(notes: &mut Notebook, kind: &str, text: &str) {
    if kind == "INVITE" {
        notes.texts.insert("branch", branch(text).to_owned());
        notes.texts.insert("INVITE", text.to_owned());
    }
}

fn is_ack_of_rejection(notes: &Notebook, kind: &str, text: &str) -> bool {
    kind == "ACK" && notes.texts.get("branch").is_some_and(|invite| invite == branch(text))
}

pub(super) const ACK_HAS_OWN_CSEQ: Hooks = Hooks::sending(|notes, kind, text| {
    remember(notes, kind, &text);
    vec![if is_ack_of_rejection(notes, kind, &text) { numbered(&text, number(&text) + 1) } else { text }]
});

pub(super) const ACK_HAS_OWN_BRANCH: Hooks = Hooks::sending(|notes, kind, text| {
    remember(notes, kind, &text);
    vec![if is_ack_of_rejection(notes, kind, &text) { text.replacen(branch(&text), "z9hG4bKown", 1) } else { text }]
});

pub(super) const ACK_FOR_2XX_COUNTS: Hooks = Hooks::sending(|notes, kind, text| {
    remember(notes, kind, &text);
    let own = kind == "ACK" && !is_ack_of_rejection(notes, kind, &text);
    vec![if own { numbered(&text, number(&text) + 1) } else { text }]
});

pub(super) const ACK_FOR_2XX_HAS_BRANCH: Hooks = Hooks::sending(|notes, kind, text| {
    remember(notes, kind, &text);
    match notes.texts.get("branch") {
        Some(invite) if kind == "ACK" => vec![text.replacen(branch(&text), invite, 1)],
        _ => vec![text],
    }
});

pub(super) const ACK_SAYS_INVITE: Hooks =
    Hooks::sending(on!("ACK", |_, text| vec![with(&text, "CSeq", |cseq| cseq.replace("ACK", "INVITE"))]));

/// The branch of the INVITE in the BYE; its response is made to fit.
pub(super) const BRANCH_IS_REUSED: Hooks = Hooks {
    sending: |notes, kind, text| {
        remember(notes, kind, &text);
        match notes.texts.get("branch").cloned() {
            Some(invite) if kind == "BYE" => {
                let own = branch(&text).to_owned();
                notes.texts.insert("own", own.clone());
                vec![text.replacen(&own, &invite, 1)]
            }
            _ => vec![text],
        }
    },
    hearing: |notes, kind, text| match (notes.texts.get("branch"), notes.texts.get("own")) {
        (Some(invite), Some(own)) if kind.ends_with(" BYE") => vec![text.replacen(invite.as_str(), own, 1)],
        _ => vec![text],
    },
    ..Hooks::NONE
};

pub(super) const NO_COOKIE: Hooks = Hooks {
    sending: on!("BYE", |_, text| vec![text.replacen(";branch=z9hG4bK", ";branch=", 1)]),
    hearing: on!("200 BYE" | "481 BYE", |_, text| vec![text.replacen(";branch=", ";branch=z9hG4bK", 1)]),
    ..Hooks::NONE
};

/// Its own Via is on top of what goes upstream.
pub(super) const VIA_NOT_POPPED: Hooks = Hooks {
    hearing: |notes, kind, text| {
        if kind.contains(' ') {
            notes.texts.insert("via", field(&text, "Via").to_owned());
        }
        vec![text]
    },
    sending: |notes, kind, text| match notes.texts.get("via") {
        Some(via) if kind == "180 INVITE" || kind == "200 INVITE" => vec![pushed(&text, "Via", via)],
        _ => vec![text],
    },
    ..Hooks::NONE
};

/// Responses have the topmost Via alone.
pub(super) const VIAS_LOST: Hooks = Hooks::sending(|_, kind, text| {
    let via = field(&text, "Via").split(',').next().unwrap_or_default().to_owned();
    vec![if kind.contains(' ') { pushed(&without(&text, "Via"), "Via", &via) } else { text }]
});

/// `received` is not set, or is lost on the way back.
pub(super) const RECEIVED_LOST: Hooks = Hooks::sending(|_, _, text| {
    let Some((before, after)) = text.split_once(";received=") else { return vec![text] };
    let end = after.find([';', ',', '\r']).unwrap_or(after.len());
    vec![format!("{before}{}", &after[end..])]
});

pub(super) const BYE_HAS_INVITES_CSEQ: Hooks =
    Hooks::sending(on!("BYE", |_, text| vec![numbered(&text, number(&text) - 1)]));

pub(super) const CSEQ_LEAPS: Hooks = Hooks::sending(on!("BYE", |_, text| vec![numbered(&text, number(&text) + 7)]));

pub(super) const TAG_CHANGES: Hooks =
    Hooks::sending(on!("180 INVITE", |_, text| vec![text.replacen(to_tag(&text), "early", 1)]));

pub(super) const TAG_MISSING: Hooks = Hooks::sending(on!("180 INVITE" | "486 INVITE", |_, text| {
    vec![with(&text, "To", |to| to.split(";tag=").next().unwrap_or_default().to_owned())]
}));

pub(super) const FROM_ALTERED: Hooks =
    Hooks::sending(on!("200 INVITE" | "200 BYE", |_, text| vec![with(&text, "From", |from| from
        .replace("Alice ", "")
        .replace("Bob ", ""))]));

/// A 200 with the header fields of what came.
fn answer(text: &str) -> String {
    with_start(text, |_| "SIP/2.0 200 OK".to_owned())
}

pub(super) const ANSWERS_ACKS: Hooks = Hooks::hearing(on!("ACK", |notes, text| {
    notes.send_later(0, answer(&text));
    vec![text]
}));

pub(super) const ANSWERS_RESPONSES: Hooks = Hooks::hearing(|notes, kind, text| {
    if kind.starts_with("200 ") {
        notes.send_later(0, answer(&text));
    }
    vec![text]
});

pub(super) const MAX_FORWARDS_KEPT: Hooks = Hooks::sending(on!("INVITE" | "BYE" | "ACK", |_, text| {
    vec![with(&text, "Max-Forwards", |hops| {
        hops.parse::<u32>().map_or_else(|_| hops.to_owned(), |hops| (hops + 1).to_string())
    })]
}));

pub(super) const LENGTH_WRONG: Hooks = Hooks::sending(on!("INVITE" | "200 INVITE", |_, text| {
    vec![with(&text, "Content-Length", |length| {
        length.parse::<usize>().map_or_else(|_| length.to_owned(), |length| (length - 2).to_string())
    })]
}));

/// An address in the body is replaced by one as long.
pub(super) const BODY_ALTERED: Hooks = Hooks::sending(on!("INVITE" | "200 INVITE", |_, text| vec![
    text.replace("c=IN IP4 192.0.2.", "c=IN IP4 192.0.9.")
]));

pub(super) const HEADER_DROPPED: Hooks =
    Hooks::sending(on!("INVITE" | "200 INVITE", |_, text| vec![without(&text, "Content-Type")]));

pub(super) const CONTACT_REWRITTEN: Hooks = Hooks::sending(on!("INVITE" | "180 INVITE" | "200 INVITE", |_, text| {
    vec![with(&text, "Contact", |_| "<sip:192.0.2.3>".to_owned())]
}));

pub(super) const RECORD_ROUTE_DROPPED: Hooks =
    Hooks::sending(on!("200 INVITE" | "180 INVITE", |_, text| vec![without(&text, "Record-Route")]));

/// The BYE goes to the address-of-record.
pub(super) const CONTACT_IGNORED: Hooks = Hooks::sending(on!("BYE", |_, text| {
    vec![with_start(&text, |_| "BYE sip:somebody@biloxi.com SIP/2.0".to_owned())]
}));

pub(super) const ROUTE_IGNORED: Hooks = Hooks::sending(on!("BYE" | "ACK", |_, text| vec![without(&text, "Route")]));

/// Its own Route goes on.
pub(super) const OWN_ROUTE_KEPT: Hooks = Hooks {
    hearing: on!("BYE", |notes, text| {
        notes.texts.insert("route", field(&text, "Route").to_owned());
        vec![text]
    }),
    sending: on!("BYE", |notes, text| match notes.texts.get("route") {
        Some(route) if !route.is_empty() => vec![pushed(&without(&text, "Route"), "Route", route)],
        _ => vec![text],
    }),
    ..Hooks::NONE
};

pub(super) const TRYING_FORWARDED: Hooks = Hooks::hearing(on!("100 INVITE", |notes, text| {
    notes.send_where("INVITE", popped_via(&text));
    vec![text]
}));

/// Bob is overloaded; that is no mistake of his.
pub(super) const OVERLOADED: Hooks = Hooks {
    sending: on!("486 INVITE", |_, text| vec![with_start(&text, |_| "SIP/2.0 503 Service Unavailable".to_owned())]),
    ..Hooks::NONE
};

pub(super) const OVERLOAD_FORWARDED: Hooks = Hooks {
    sending: on!("500 INVITE", |_, text| vec![with_start(&text, |_| "SIP/2.0 503 Service Unavailable".to_owned())]),
    ..Hooks::NONE
};

pub(super) const CANCEL_IS_UNLIKE: Hooks =
    Hooks::sending(on!("CANCEL", |_, text| { vec![with(&text, "To", |to| format!("{to};tag=early"))] }));

/// Asks something when the call is over.
pub(super) const ASKS_AFTER_BYE: Hooks = Hooks {
    sending: on!("BYE", |notes, text| {
        notes.texts.insert("BYE", text.clone());
        vec![text]
    }),
    hearing: |notes, kind, text| {
        if kind == "200 BYE"
            && notes.first()
            && let Some(bye) = notes.texts.get("BYE")
        {
            let info = with_start(bye, |start| start.replace("BYE", "INFO"));
            let info = with(&info, "CSeq", |_| format!("{} INFO", number(bye) + 1));
            let info = info.replacen(branch(bye), "z9hG4bKafter", 1);
            notes.send_later(10, info);
        }
        // The answer to what the node did not ask.
        if kind.ends_with(" INFO") { vec![] } else { vec![text] }
    },
    ..Hooks::NONE
};

/// A copy of an old request in the dialog: a provocation, made with a number below that of the INVITE.
pub(super) const ASKS_WITH_OLD_NUMBER: Hooks = Hooks {
    sending: on!("ACK", |notes, text| {
        if notes.first() {
            let old = number(&text);
            let ask = |number: u32, branch_now: &str| {
                let options = with_start(&text, |start| start.replace("ACK", "OPTIONS"));
                let options = with(&options, "CSeq", |_| format!("{number} OPTIONS"));
                options.replacen(branch(&text), branch_now, 1)
            };
            notes.send_later(100, ask(old + 5, "z9hG4bKfirst"));
            notes.send_later(900, ask(old + 2, "z9hG4bKlate"));
        }
        vec![text]
    }),
    hearing: |_, kind, text| if kind.ends_with(" OPTIONS") { vec![] } else { vec![text] },
    ..Hooks::NONE
};

/// Alice behind a NAT that she does not know of: her Vias name an address that nobody can reach. No mistake of hers.
pub(super) const BEHIND_NAT: Hooks = Hooks {
    sending: |_, _, text| vec![text.replace("SIP/2.0/UDP pc33.atlanta.com;", "SIP/2.0/UDP 10.0.0.1;")],
    hearing: |_, _, text| vec![text.replace("SIP/2.0/UDP 10.0.0.1;", "SIP/2.0/UDP pc33.atlanta.com;")],
    ..Hooks::NONE
};

/// As above, with `rport`: another port stands in her Vias than she sends from.
pub(super) const BEHIND_NAT_WITH_RPORT: Hooks = Hooks {
    sending: |_, kind, text| {
        let own = kind != "200 BYE" && kind != "481 BYE";
        vec![if own {
            text.replace("SIP/2.0/UDP pc33.atlanta.com;", "SIP/2.0/UDP pc33.atlanta.com:5099;rport;")
        } else {
            text
        }]
    },
    hearing: |_, _, text| {
        let text = text.replace("pc33.atlanta.com:5099;rport=5060;", "pc33.atlanta.com;");
        vec![text.replace("pc33.atlanta.com:5099;rport;", "pc33.atlanta.com;")]
    },
    ..Hooks::NONE
};
