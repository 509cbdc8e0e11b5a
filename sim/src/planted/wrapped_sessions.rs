//! Mistakes of credentials and of sessions, made between the node and the world.

use super::faulty::Hooks;
use super::on::on;
use super::text::{branch, field, number, numbered, pushed, to_tag, with, with_description, with_start, without};

/// The count that the INVITE had stands in the BYE.
pub(super) const COUNT_IS_STALE: Hooks =
    Hooks::sending(on!("BYE", |_, text| vec![with(&text, "Authorization", |value| counted(value, 1))]));

/// Credentials with another nonce count.
fn counted(value: &str, count: u32) -> String {
    match value.split_once("nc=") {
        Some((before, after)) => format!("{before}nc={count:08x}{}", after.get(8..).unwrap_or_default()),
        None => value.to_owned(),
    }
}

pub(super) const ACK_HAS_NO_CREDENTIALS: Hooks =
    Hooks::sending(on!("ACK", |_, text| vec![without(&text, "Authorization")]));

pub(super) const SAYS_PASSWORD: Hooks = Hooks::sending(on!("INVITE", |_, text| {
    let has_credentials = !field(&text, "Authorization").is_empty();
    vec![if has_credentials { pushed(&text, "X-Debug", "password=rabbit-hole") } else { text }]
}));

pub(super) const CANCEL_IS_CHALLENGED: Hooks = Hooks::hearing(on!("CANCEL", |notes, text| {
    let challenge = with_start(&text, |_| "SIP/2.0 401 Unauthorized".to_owned());
    let challenge = pushed(&challenge, "WWW-Authenticate", "Digest realm=\"bob.biloxi.com\", nonce=\"1\"");
    notes.send_later(0, with(&challenge, "To", |to| format!("{to};tag=gate")));
    vec![]
}));

/// The BYE that follows a challenge has the nonce of the one before.
pub(super) const NONCE_IS_STALE: Hooks = Hooks::sending(on!("BYE", |notes, text| {
    let own = field(&text, "Authorization").to_owned();
    match notes.texts.get("branch") {
        Some(first) if first != branch(&text) => {
            let old = notes.texts.get("credentials").cloned().unwrap_or_default();
            notes.count += 1;
            let count = 9 + u32::try_from(notes.count).unwrap_or_default();
            vec![with(&text, "Authorization", |_| counted(&old, count))]
        }
        _ => {
            notes.texts.insert("branch", branch(&text).to_owned());
            notes.texts.insert("credentials", own);
            vec![text]
        }
    }
}));

/// No BYE follows one that was refused.
pub(super) const GIVES_OVERTAKEN_BYE_UP: Hooks = Hooks {
    hearing: on!("500 BYE", |notes, text| {
        notes.count += 1;
        vec![text]
    }),
    sending: on!("BYE", |notes, text| if notes.count == 0 { vec![text] } else { vec![] }),
    ..Hooks::NONE
};

/// Somebody has overheard the INVITE and sends it again as a call of his own: a provocation.
pub(super) const REPLAYS: Hooks = Hooks {
    sending: on!("INVITE", |notes, text| {
        if !field(&text, "Authorization").is_empty() && to_tag(&text).is_empty() && notes.first() {
            let replay = with(&text, "Call-ID", |_| "replayed".to_owned());
            notes.send_later(50, replay.replacen(branch(&text), "z9hG4bKreplayed", 1));
        }
        vec![text]
    }),
    hearing: |_, _, text| if field(&text, "Call-ID") == "replayed" { vec![] } else { vec![text] },
    ..Hooks::NONE
};

/// A re-INVITE is out, and an UPDATE with another offer follows.
pub(super) const OFFERS_DURING_OFFER: Hooks = Hooks {
    sending: on!("INVITE", |notes, text| {
        if !to_tag(&text).is_empty() && notes.first() {
            let update = with_start(&text, |start| start.replace("INVITE", "UPDATE"));
            let update = numbered(&with(&update, "CSeq", |cseq| cseq.replace("INVITE", "UPDATE")), number(&text) + 1);
            notes.send_later(5, update.replacen(branch(&text), "z9hG4bKupdate", 1));
        }
        vec![text]
    }),
    hearing: |_, kind, text| if kind.ends_with(" UPDATE") { vec![] } else { vec![text] },
    ..Hooks::NONE
};

pub(super) const ACK_HAS_NO_ANSWER: Hooks = Hooks::sending(on!("ACK", |_, text| vec![with_description(&text, None)]));

pub(super) const SUCCESS_HAS_NO_ANSWER: Hooks =
    Hooks::sending(on!("200 INVITE", |_, text| vec![with_description(&text, None)]));

/// The 2xx to an INVITE in the dialog becomes a 488; the user has another session all the same.
pub(super) const CHANGES_THOUGH_REFUSED: Hooks = Hooks {
    hearing: |notes, kind, text| {
        if kind == "INVITE" && !to_tag(&text).is_empty() {
            notes.texts.insert("change", branch(&text).to_owned());
        }
        vec![text]
    },
    sending: |notes, kind, text| {
        let is_of_change = notes.texts.get("change").is_some_and(|change| change == branch(&text));
        vec![if kind == "200 INVITE" && is_of_change {
            with_description(&with_start(&text, |_| "SIP/2.0 488 Not Acceptable Here".to_owned()), None)
        } else {
            text
        }]
    },
    ..Hooks::NONE
};

/// An offer that meets one of its own is accepted.
pub(super) const GLARE_IS_ACCEPTED: Hooks = Hooks::sending(|notes, kind, text| {
    notes.count += usize::from(kind == "INVITE");
    if kind != "491 INVITE" || notes.count == 0 {
        return vec![text];
    }
    let answer =
        "v=0\r\no=bob 1 1 IN IP4 192.0.2.4\r\ns=-\r\nc=IN IP4 192.0.2.4\r\nt=0 0\r\nm=audio 3456 RTP/AVP 0\r\n";
    let accepted = with_start(&text, |_| "SIP/2.0 200 OK".to_owned());
    vec![with_description(&pushed(&accepted, "Contact", "<sip:bob@192.0.2.4>"), Some(answer))]
});

/// The RAck of a PRACK names the response that is still to come.
pub(super) const PRACK_HAS_WRONG_RSEQ: Hooks =
    Hooks::sending(on!("PRACK", |_, text| vec![with(&text, "RAck", next_acknowledged)]));

fn next_acknowledged(rack: &str) -> String {
    let (number, rest) = rack.split_once(' ').unwrap_or((rack, ""));
    format!("{} {rest}", number.parse::<u32>().map_or(1, |number| number + 1))
}

/// As soon as the reliable 183 is out, a 200 follows, whether the PRACK comes or not.
pub(super) const ANSWERS_BEFORE_PRACK: Hooks = Hooks::sending(on!("183 INVITE", |notes, text| {
    if !field(&text, "RSeq").is_empty() && notes.first() {
        let ok = with_start(&text, |_| "SIP/2.0 200 OK".to_owned());
        let ok = without(&without(&ok, "RSeq"), "Require");
        notes.send_later(1, with_description(&ok, None));
    }
    vec![text]
}));

/// A PRACK for a response that was never sent is as good as another.
pub(super) const ANY_PRACK_IS_ACCEPTED: Hooks = Hooks::hearing(on!("PRACK", |notes, text| {
    let ok = with_start(&text, |_| "SIP/2.0 200 OK".to_owned());
    notes.send_later(0, without(&without(&without(&ok, "RAck"), "Max-Forwards"), "Route"));
    vec![]
}));

/// A 2xx to an INVITE or an UPDATE says nothing of what it requires.
pub(super) const REQUIRES_NOTHING: Hooks =
    Hooks::sending(on!("200 INVITE" | "200 UPDATE", |_, text| vec![without(&text, "Require")]));

pub(super) const REPLACES_IS_IGNORED: Hooks = Hooks::hearing(on!("INVITE", |_, text| vec![without(&text, "Replaces")]));

/// Once a BYE came, a call that is to take the place of another is a call like others.
pub(super) const REPLACES_AFTER_BYE: Hooks = Hooks::hearing(|notes, kind, text| {
    notes.count += usize::from(kind == "BYE");
    vec![if kind == "INVITE" && notes.count > 0 { without(&text, "Replaces") } else { text }]
});

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_is_put_in_and_taken_out() {
        let text = "ACK sip:b SIP/2.0\r\nContent-Type: application/sdp\r\nCSeq: 1 ACK\r\nContent-Length: 3\r\n\r\nv=0";
        let bare = with_description(text, None);
        assert_eq!(bare, "ACK sip:b SIP/2.0\r\nCSeq: 1 ACK\r\nContent-Length: 0\r\n\r\n");
        let again = with_description(&bare, Some("v=0"));
        assert!(again.ends_with("\r\nContent-Type: application/sdp\r\nContent-Length: 3\r\n\r\nv=0"), "{again}");
        assert_eq!(counted("Digest nc=00000002, qop=auth", 1), "Digest nc=00000001, qop=auth");
    }
}
