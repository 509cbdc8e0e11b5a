//! Mistakes of registrars and of proxies with more than one branch, made between the node and the world, and what provokes them.

use super::faulty::{Hooks, Notebook};
use super::on::on;
use super::text::{
    branch, field, number, numbered, popped, popped_via, pushed, to_tag, with, with_description, with_start, without,
};

/// The branch of what is sent besides.
const BESIDES: &str = "z9hG4bKbesides";

/// Sends another message besides the first of a kind, made of that one; its answers are not heard.
macro_rules! besides {
    ($kind:pat, $make:expr) => {
        Hooks {
            sending: on!($kind, |notes, text| {
                if notes.first() {
                    let make: fn(&str) -> String = $make;
                    notes.send_later(50, make(&text).replacen(branch(&text), BESIDES, 1));
                }
                vec![text]
            }),
            hearing: |_, _, text| if branch(&text) == BESIDES { vec![] } else { vec![text] },
            ..Hooks::NONE
        }
    };
}

/// A REGISTER for another time.
fn for_seconds(text: &str, seconds: u32, number: u32) -> String {
    numbered(&with(text, "Expires", |_| seconds.to_string()), number)
}

/// A REGISTER that was made before the one that came takes the contact away.
pub(super) const OLD_REGISTER: Hooks = besides!("REGISTER", |text| for_seconds(text, 0, number(text) - 1));

pub(super) const STAR_FOR_AN_HOUR: Hooks =
    besides!("REGISTER", |text| { for_seconds(&with(text, "Contact", |_| "*".to_owned()), 3_600, number(text) + 1) });

pub(super) const BRIEF_REGISTER: Hooks = besides!("REGISTER", |text| for_seconds(text, 30, number(text) + 1));

pub(super) const UNREGISTERS: Hooks = besides!("REGISTER", |text| for_seconds(text, 0, number(text) + 1));

/// Bob is reached by a Path, which leads to himself.
pub(super) const HAS_PATH: Hooks = Hooks::sending(on!("REGISTER", |_, text| {
    vec![pushed(&pushed(&text, "Path", "<sip:192.0.2.4;lr>"), "Supported", "path")]
}));

pub(super) const BINDS_TO_ITSELF: Hooks = Hooks {
    sending: on!("REGISTER", |notes, text| {
        notes.texts.insert("contact", field(&text, "Contact").to_owned());
        vec![with(&text, "Contact", |_| "<sip:bob@biloxi.com>".to_owned())]
    }),
    hearing: on!("200 REGISTER", |notes, text| {
        let own = notes.texts.get("contact").cloned().unwrap_or_default();
        vec![with(&text, "Contact", |contact| contact.replace("<sip:bob@biloxi.com>", &own))]
    }),
    ..Hooks::NONE
};

/// The contact of a phone is an address inside some network that is not the phone's.
pub(super) const BINDS_INSIDE: Hooks = Hooks {
    sending: on!("REGISTER", |notes, text| {
        notes.texts.insert("contact", field(&text, "Contact").to_owned());
        vec![with(&text, "Contact", |_| "<sip:bob@10.0.0.9>".to_owned())]
    }),
    hearing: on!("200 REGISTER", |notes, text| {
        let own = notes.texts.get("contact").cloned().unwrap_or_default();
        vec![with(&text, "Contact", |contact| contact.replace("<sip:bob@10.0.0.9>", &own))]
    }),
    ..Hooks::NONE
};

/// An old REGISTER is taken as if it had the next number.
pub(super) const OLDER_REGISTER_OBEYED: Hooks = Hooks {
    hearing: on!("REGISTER", |notes, text| {
        let latest: u32 = notes.texts.get("latest").and_then(|latest| latest.parse().ok()).unwrap_or_default();
        if number(&text) < latest {
            notes.texts.insert("branch", branch(&text).to_owned());
            notes.texts.insert("number", number(&text).to_string());
            return vec![numbered(&text, latest + 1)];
        }
        notes.texts.insert("latest", number(&text).to_string());
        vec![text]
    }),
    sending: on!("200 REGISTER", |notes, text| {
        let own = notes.texts.get("number").and_then(|own| own.parse().ok());
        let is_it = notes.texts.get("branch").is_some_and(|it| it == branch(&text));
        vec![own.filter(|_| is_it).map_or_else(|| text.clone(), |own| numbered(&text, own))]
    }),
    ..Hooks::NONE
};

pub(super) const STAR_IS_TAKEN: Hooks = Hooks::hearing(on!("REGISTER", |_, text| {
    let is_star = field(&text, "Contact") == "*";
    vec![if is_star { with(&text, "Expires", |_| "0".to_owned()) } else { text }]
}));

pub(super) const LEAST_NOT_SAID: Hooks =
    Hooks::sending(on!("423 REGISTER", |_, text| vec![without(&text, "Min-Expires")]));

/// The contact is kept for ten times as long as is said.
pub(super) const BINDS_FOR_LONGER: Hooks = Hooks {
    hearing: on!("REGISTER", |_, text| vec![with(&text, "Expires", |seconds| format!("{seconds}0"))]),
    sending: on!("200 REGISTER", |_, text| vec![text.replace(";expires=72000", ";expires=7200")]),
    ..Hooks::NONE
};

/// Yes is said, and nothing is done.
pub(super) const REMOVAL_OVERLOOKED: Hooks = Hooks::hearing(on!("REGISTER", |notes, text| {
    if field(&text, "Expires") != "0" {
        return vec![text];
    }
    let ok = with_start(&text, |_| "SIP/2.0 200 OK".to_owned());
    let ok = without(&without(&without(&ok, "Contact"), "Expires"), "Max-Forwards");
    notes.send_later(0, with(&ok, "To", |to| format!("{to};tag=registrar")));
    vec![]
}));

pub(super) const SAYS_LONGER: Hooks =
    Hooks::sending(on!("200 REGISTER", |_, text| vec![text.replace(";expires=7200", ";expires=9000")]));

/// Whoever registered before is not in it.
pub(super) const OTHERS_NOT_LISTED: Hooks = Hooks::sending(on!("200 REGISTER", |_, text| {
    let several = text.matches("\r\nContact:").count() > 1;
    vec![if several { popped(&text, "Contact") } else { text }]
}));

pub(super) const PATH_IGNORED: Hooks = Hooks::sending(on!("INVITE", |_, text| vec![without(&text, "Route")]));

/// The first of two phones gets no INVITE.
pub(super) const FIRST_LEFT_OUT: Hooks = Hooks::sending(on!("INVITE", |_, text| {
    if text.starts_with("INVITE sip:bob@192.0.2.101 ") { vec![] } else { vec![text] }
}));

/// An OPTIONS for Bob's bare address, made of another request.
fn asks(text: &str, call_id: &str) -> String {
    let asks = with_start(text, |_| "OPTIONS sip:bob@192.0.2.4 SIP/2.0".to_owned());
    let asks = with(&with(&asks, "CSeq", |_| "1 OPTIONS".to_owned()), "Call-ID", |_| call_id.to_owned());
    with_description(&asks, None)
}

pub(super) const ASKS_BARE_ADDRESS: Hooks = besides!("INVITE", |text| asks(text, "stranger"));

/// A request for Bob himself, along a Route of Alice's making.
pub(super) const ASKS_ALONG_ROUTE: Hooks = besides!("INVITE", |text| {
    let asks = asks(text, "stranger").replacen("sip:bob@192.0.2.4", "sip:bob@biloxi.com", 1);
    pushed(&without(&asks, "Route"), "Route", "<sip:192.0.2.4;lr>")
});

pub(super) const STEALS_TOKEN: Hooks = besides!("ACK", |text| asks(text, "stolen"));

/// Along the first Route alone, which has the flow in it.
pub(super) const STEALS_FLOW: Hooks = besides!("ACK", |text| {
    let first = field(text, "Route").split(',').next().unwrap_or_default().to_owned();
    pushed(&without(&asks(text, "stolen"), "Route"), "Route", &first)
});

/// As long as a token of ours, and as old as the call.
const FORGED: &str = "<sip:server10.biloxi.com;lr;token=0000000200000000a000000000000000000000000>";

pub(super) const FORGES_TOKEN: Hooks =
    besides!("ACK", |text| pushed(&without(&asks(text, "forged"), "Route"), "Route", FORGED));

/// Somebody else of the domain is to be called.
pub(super) const REDIRECTS: Hooks = Hooks::sending(on!("486 INVITE", |_, text| {
    let moved = with_start(&text, |_| "SIP/2.0 302 Moved Temporarily".to_owned());
    vec![pushed(&without(&moved, "Contact"), "Contact", "<sip:carol@biloxi.com>")]
}));

/// Passes on whatever comes for an address, and the answer.
pub(super) const STRANGER_RELAYED: Hooks = Hooks::hearing(|notes, kind, text| match kind {
    "OPTIONS" if text.starts_with("OPTIONS sip:bob@192.0.2.4 ") => {
        let relayed = pushed(&text, "Via", "SIP/2.0/UDP server10.biloxi.com;branch=z9hG4bKrelayed");
        notes.send_where("REGISTER", with(&relayed, "Max-Forwards", |_| "69".to_owned()));
        vec![]
    }
    _ if kind.ends_with(" OPTIONS") && branch(&text) == "z9hG4bKrelayed" => {
        notes.send_where("OPTIONS", popped_via(&text));
        vec![]
    }
    _ => vec![text],
});

/// The Route that is left when its own is taken off is taken off too.
pub(super) const NEXT_ROUTE_TAKEN: Hooks = Hooks::sending(on!("BYE", |_, text| vec![without(&text, "Route")]));

pub(super) const NO_HOPS_LEFT: Hooks =
    Hooks::sending(on!("INVITE", |_, text| vec![with(&text, "Max-Forwards", |_| "0".to_owned())]));

pub(super) const HOPS_OVERLOOKED: Hooks = Hooks::hearing(on!("INVITE", |_, text| {
    vec![with(&text, "Max-Forwards", |hops| if hops == "0" { "1" } else { hops }.to_owned())]
}));

pub(super) const ACK_KEPT: Hooks = Hooks::sending(on!("ACK", |_, _| vec![]));

pub(super) const TAG_REPLACED: Hooks =
    Hooks::sending(on!("180 INVITE", |_, text| vec![text.replacen(to_tag(&text), "proxy", 1)]));

/// A server with no room refuses calls in progress as it refuses strangers.
pub(super) const CALL_REFUSED: Hooks = Hooks::hearing(on!("BYE", |notes, text| {
    let refusal = with_start(&text, |_| "SIP/2.0 503 Service Unavailable".to_owned());
    let refusal = without(&without(&refusal, "Route"), "Max-Forwards");
    notes.send_later(0, pushed(&refusal, "Retry-After", "32"));
    vec![]
}));

/// The branch parameter of the first.
pub(super) const BRANCH_SHARED: Hooks = Hooks::sending(on!("INVITE", |notes, text| {
    let first = notes.texts.entry("branch").or_insert_with(|| branch(&text).to_owned());
    vec![text.replacen(branch(&text), first, 1)]
}));

pub(super) const BREADTH_NOT_SHARED: Hooks =
    Hooks::sending(on!("INVITE", |_, text| vec![with(&text, "Max-Breadth", |_| "60".to_owned())]));

pub(super) const FIRST_CHALLENGE_ALONE: Hooks = Hooks::sending(on!("401 INVITE", |_, text| {
    let first = field(&text, "WWW-Authenticate").to_owned();
    vec![pushed(&without(&text, "WWW-Authenticate"), "WWW-Authenticate", &first)]
}));

/// Remembers a response of a branch as it would go on.
fn remember(notes: &mut Notebook, text: &str) {
    notes.texts.insert("other", popped_via(text));
}

/// The other response goes on, if there is one.
fn other(notes: &Notebook, text: String) -> Vec<String> {
    vec![notes.texts.get("other").cloned().unwrap_or(text)]
}

pub(super) const WORST_RESPONSE: Hooks = Hooks {
    hearing: on!("500 INVITE", |notes, text| {
        remember(notes, &text);
        vec![text]
    }),
    sending: on!("486 INVITE", |notes, text| other(notes, text)),
    ..Hooks::NONE
};

pub(super) const DECLINE_NOT_PREFERRED: Hooks = Hooks {
    hearing: on!("486 INVITE" | "487 INVITE", |notes, text| {
        remember(notes, &text);
        vec![text]
    }),
    sending: on!("603 INVITE", |notes, text| other(notes, text)),
    ..Hooks::NONE
};

/// The phone of that number says something else than 486.
macro_rules! phone_says {
    ($address:literal, $line:literal) => {
        Hooks {
            hearing: on!("INVITE", |notes, text| {
                let own = text.starts_with(concat!("INVITE sip:bob@", $address, " "));
                notes.count = usize::from(own);
                vec![text]
            }),
            sending: on!("486 INVITE", |notes, text| {
                vec![if notes.count > 0 { with_start(&text, |_| $line.to_owned()) } else { text }]
            }),
            ..Hooks::NONE
        }
    };
}

pub(super) const FIRST_DECLINES: Hooks = phone_says!("192.0.2.101", "SIP/2.0 603 Decline");
pub(super) const SECOND_FAILS: Hooks = phone_says!("192.0.2.102", "SIP/2.0 500 Server Internal Error");

pub(super) const ONE_BRANCH_CANCELLED: Hooks = Hooks::sending(on!("CANCEL", |notes, text| {
    let first = notes.texts.entry("branch").or_insert_with(|| branch(&text).to_owned());
    if first == branch(&text) { vec![text] } else { vec![] }
}));

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_sent_besides_is_another_request() {
        let invite = "INVITE sip:b SIP/2.0\r\nVia: SIP/2.0/UDP a;branch=1\r\nCall-ID: c\r\nCSeq: 7 INVITE\r\n\
                      Content-Type: application/sdp\r\nContent-Length: 3\r\n\r\nv=0";
        let asked = asks(invite, "d");
        assert!(asked.starts_with("OPTIONS sip:bob@192.0.2.4 SIP/2.0\r\n"), "{asked}");
        assert_eq!((field(&asked, "Call-ID"), number(&asked), field(&asked, "Content-Length")), ("d", 1, "0"));
        let register = "REGISTER sip:b SIP/2.0\r\nCSeq: 7 REGISTER\r\nExpires: 9\r\n\r\n";
        let brief = for_seconds(register, 0, 6);
        assert_eq!((field(&brief, "Expires"), number(&brief)), ("0", 6));
    }
}
