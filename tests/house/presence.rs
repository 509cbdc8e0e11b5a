//! Whether a header is there is asked where that alone has a meaning, and nowhere else: an empty line is there, too, and says nothing.

use std::collections::BTreeSet;

use crate::source::sources;

/// Each question of this kind, by file and header, and what the answer means.
const PRESENCE: [(&str, &str, &str); 11] = [
    ("core/src/dialog/dialog.rs", "Contact", "a peer of RFC 2543 has none"),
    ("core/src/message/edit/hop.rs", "ContentLength", "a stream needs one"),
    (
        "core/src/registrar/register.rs",
        "Contact",
        "a REGISTER without one asks for the bindings; an empty line is refused before",
    ),
    (
        "core/src/server/mod.rs",
        "Route",
        "who the request is for; an empty line is refused before, by the proxy's preprocessing",
    ),
    ("core/src/user_agent/client/again.rs", "AuthenticationInfo", "there may be a proof to look at"),
    ("core/src/user_agent/client/again.rs", "Route", "it is our own request"),
    (
        "core/src/user_agent/server/admission.rs",
        "Accept",
        "without one SDP is taken; an empty one takes nothing (§20.1)",
    ),
    ("core/src/user_agent/session/refresh.rs", "Allow", "an empty one allows nothing (§20.5)"),
    ("core/src/user_agent/session_timer.rs", "MinSe", "the peer knows of session timers"),
    ("core/src/user_agent/session_timer.rs", "SessionExpires", "the peer knows of session timers"),
    ("core/src/user_agent/subscription/referral.rs", "Expires", "the application has given one"),
];

#[test]
fn presence_is_asked_for_where_it_has_a_meaning() {
    let mut asked = BTreeSet::new();
    for source in sources("core/src") {
        let tokens = source.tokens();
        for at in 0..tokens.len().saturating_sub(4) {
            let words: Vec<&str> = tokens[at..at + 5].iter().map(String::as_str).collect();
            if let ["contains", "(", "HeaderId", "::", header] = words[..] {
                asked.insert((source.path.clone(), header.to_owned()));
            }
        }
    }
    let known: BTreeSet<(String, String)> =
        PRESENCE.iter().map(|(path, header, _)| ((*path).to_owned(), (*header).to_owned())).collect();
    assert_eq!(asked, known);
}
