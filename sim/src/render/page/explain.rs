//! A word on each part of a message.

/// Says what a start line says: `INVITE` or `180`.
pub(super) fn start(kind: &str) -> &'static str {
    match kind {
        "INVITE" => "asks for a session, or changes one (RFC 3261 §13, §14)",
        "ACK" => "confirms the final response to an INVITE (§13.2.2.4, §17.1.1.3)",
        "BYE" => "ends the session (§15)",
        "CANCEL" => "takes back an INVITE that is not answered yet (§9)",
        "REGISTER" => "binds an address-of-record to a contact (§10)",
        "OPTIONS" => "asks what the other can do (§11)",
        "PRACK" => "acknowledges a reliable provisional response (RFC 3262)",
        "UPDATE" => "changes the session without an INVITE (RFC 3311)",
        "REFER" => "asks the other to send a request elsewhere (RFC 3515)",
        "SUBSCRIBE" => "asks to be told of changes (RFC 6665)",
        "NOTIFY" => "tells of a change (RFC 6665)",
        "INFO" => "carries something of the application (RFC 6086)",
        "MESSAGE" => "carries a message to a person (RFC 3428)",
        "PUBLISH" => "tells the state of somebody (RFC 3903)",
        "100" => "the next hop has it and goes on; stops copies (§21.1.1)",
        "401" | "407" => "asks for credentials (§22)",
        "487" => "the request was taken back (§21.4.25)",
        "491" => "another change is on its way; later again (§14.1)",
        _ => match kind.as_bytes() {
            [b'1', _, _] => "provisional: it goes on (§21.1)",
            [b'2', _, _] => "success (§21.2)",
            [b'3', _, _] => "try elsewhere (§21.3)",
            [b'4', _, _] => "refused, as it is or here (§21.4)",
            [b'5', _, _] => "this server failed (§21.5)",
            [b'6', _, _] => "refused everywhere (§21.6)",
            _ => "",
        },
    }
}

/// Says what each header is for, by its name and its compact form.
pub const EXPLAINED: &[(&str, &str, &str)] = &[
    ("Accept", "", "the bodies that are understood"),
    ("Accept-Contact", "a", "which phones are preferred"),
    ("Accept-Encoding", "", "the codings that are understood"),
    ("Accept-Language", "", "the languages that are understood"),
    ("Alert-Info", "", "how it shall ring"),
    ("Allow", "", "the methods that are understood"),
    ("Allow-Events", "u", "what can be subscribed to"),
    ("Authentication-Info", "", "the server's side of the proof"),
    ("Authorization", "", "credentials for the one who is asked"),
    ("CSeq", "", "number and method of the request"),
    ("Call-ID", "i", "the call that it belongs to"),
    ("Call-Info", "", "more about the caller"),
    ("Contact", "m", "where to reach the sender from now on"),
    ("Content-Disposition", "", "what the body is for"),
    ("Content-Encoding", "e", "how the body is coded"),
    ("Content-Language", "", "the language of the body"),
    ("Content-Length", "l", "octets of the body"),
    ("Content-Type", "c", "what the body is"),
    ("Date", "", "when it was sent"),
    ("Error-Info", "", "more about the refusal"),
    ("Event", "o", "what is subscribed to"),
    ("Expires", "", "how long it is good for, in seconds"),
    ("Flow-Timer", "", "how often the flow is kept alive"),
    ("From", "f", "who asks; its tag names that end of the dialog"),
    ("History-Info", "", "where the request has been sent before"),
    ("Identity", "", "a signature on who asks"),
    ("In-Reply-To", "", "the calls that it answers"),
    ("MIME-Version", "", "the version of the form of bodies"),
    ("Max-Breadth", "", "how many branches it may have"),
    ("Max-Forwards", "", "how many hops are left"),
    ("Min-Expires", "", "the shortest time that is taken"),
    ("Min-SE", "", "the shortest session timer that is taken"),
    ("Organization", "", "the organization of the sender"),
    ("P-Asserted-Identity", "", "who asks, as a trusted server says"),
    ("P-Preferred-Identity", "", "who the caller wants to be"),
    ("Path", "", "proxies on the way to the phone"),
    ("Priority", "", "how urgent it is"),
    ("Privacy", "", "what shall be hidden"),
    ("Proxy-Authenticate", "", "the proxy's challenge"),
    ("Proxy-Authorization", "", "credentials for a proxy"),
    ("Proxy-Require", "", "what each proxy must understand"),
    ("RAck", "", "the provisional response that it acknowledges"),
    ("RSeq", "", "the number of a reliable provisional response"),
    ("Reason", "", "why"),
    ("Record-Route", "", "a proxy that stays on the path of the dialog"),
    ("Refer-To", "r", "where the other shall send a request"),
    ("Referred-By", "b", "who asked for the transfer"),
    ("Reject-Contact", "j", "which phones are not wanted"),
    ("Replaces", "", "the call whose place it takes"),
    ("Reply-To", "", "where to call back"),
    ("Request-Disposition", "d", "how proxies shall treat it"),
    ("Require", "", "what the other must understand"),
    ("Retry-After", "", "when to ask again, in seconds"),
    ("Route", "", "the proxies that it goes through next"),
    ("Server", "", "the software that answers"),
    ("Service-Route", "", "proxies for the requests of the phone"),
    ("Session-Expires", "x", "by when the session is refreshed, and by whom"),
    ("Subject", "s", "what it is about"),
    ("Subscription-State", "", "how long the subscription goes on"),
    ("Supported", "k", "the extensions that are understood"),
    ("Timestamp", "", "when it was sent, to measure the way"),
    ("To", "t", "who is asked; its tag names that end of the dialog"),
    ("Unsupported", "", "the extensions that are not understood"),
    ("User-Agent", "", "the software that asks"),
    ("Via", "v", "a hop of the way back; its branch names the transaction"),
    ("WWW-Authenticate", "", "the challenge of the one who is asked"),
    ("Warning", "", "what was not right"),
];

/// Says what a header is for, in a few words, whatever form its name has.
pub fn explain(name: &str) -> &'static str {
    let is = |known: &str| !known.is_empty() && known.eq_ignore_ascii_case(name);
    let known = EXPLAINED.iter().find(|(long, short, _)| is(long) || is(short));
    known.map_or("no header of the RFCs read here", |(_, _, words)| words)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_known_in_each_form_and_explained_in_a_few_words() {
        assert_eq!(explain("v"), explain("VIA"));
        assert_eq!(explain("x"), explain("Session-Expires"));
        assert_ne!(explain("Via"), explain("X-Other"));
        for (name, _, words) in EXPLAINED {
            assert!(!words.is_empty() && words.len() <= 60, "{name}");
        }
    }

    #[test]
    fn each_header_of_the_table_in_docs_is_explained() {
        let page = include_str!("../../../../docs/headers.md");
        let table = page.split("| header | file |").nth(1).expect("the table");
        let names: Vec<&str> =
            table.lines().skip(2).filter_map(|line| line.strip_prefix("| ")?.split(" |").next()).collect();
        assert!(names.len() > 50, "{names:?}");
        let unknown: Vec<&&str> =
            names.iter().filter(|name| name.split(", ").any(|name| explain(name) == explain("X-Other"))).collect();
        assert!(unknown.is_empty(), "{unknown:?}");
    }
}
