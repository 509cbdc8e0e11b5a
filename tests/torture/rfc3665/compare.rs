//! What of two messages must be the same.

use std::collections::BTreeMap;

/// Start line, the values of each header field by its name in lower case, and the body.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Shown {
    start: String,
    fields: BTreeMap<String, Vec<String>>,
    body: String,
}

/// Fields that are lists: one with commas is the same as several (RFC 3261 §7.3.1). Here they have no other commas.
const LISTS: [&str; 4] = ["via", "route", "record-route", "contact"];

/// The parameters of credentials that are compared: the others come from the nonce, and the RFC's are made up.
const COMPARED: [&str; 4] = ["username", "realm", "opaque", "uri"];

/// The parameters of a challenge that are compared: a nonce is the server's own, and `opaque` and `stale` are a server's choice.
const ASKED: [&str; 2] = ["realm", "qop"];

/// Takes a message apart. The order of fields with different names does not count, nor do folds.
pub(crate) fn shown(text: &str) -> Shown {
    let (head, body) = text.split_once("\r\n\r\n").expect("an end of headers");
    let head = head.replace("\r\n ", " ");
    let mut lines = head.split("\r\n");
    let start = lines.next().expect("a start line").to_owned();
    let mut fields: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for line in lines {
        let (name, value) = line.split_once(':').unwrap_or_else(|| panic!("no field: {line}"));
        let name = name.trim().to_ascii_lowercase();
        let values = if LISTS.contains(&&*name) { value.split(',').collect() } else { vec![value] };
        let values = values.into_iter().map(|value| meant(&name, value.trim()));
        fields.entry(name.clone()).or_default().extend(values);
    }
    Shown { start, fields, body: body.to_owned() }
}

fn meant(name: &str, value: &str) -> String {
    match name {
        "authorization" | "proxy-authorization" => {
            // No `opaque` is the same as an empty one.
            let none = |parameter| parameter == "opaque" && !value.contains("opaque=");
            let text = |parameter| if none(parameter) { "" } else { quoted(value, parameter) };
            COMPARED.map(|parameter| format!("{parameter}={}", text(parameter))).join(",")
        }
        "www-authenticate" | "proxy-authenticate" => {
            ASKED.map(|parameter| format!("{parameter}={}", quoted(value, parameter))).join(",")
        }
        // The white space before a parameter is that of a fold.
        "via" => value.replace(" ;", ";"),
        // The RFC's Record-Routes leave out the default port, which the Via of the same message has.
        "record-route" => value.replace(":5060", "").replace(":5061", ""),
        _ => value.to_owned(),
    }
}

/// The value of a quoted parameter; the RFC leaves a comma out in one place.
pub(crate) fn quoted<'a>(value: &'a str, name: &str) -> &'a str {
    let (_, rest) = value.split_once(&format!("{name}=\"")).unwrap_or_else(|| panic!("no {name} in {value}"));
    rest.split('"').next().unwrap_or_default()
}

#[test]
fn messages_differ_by_a_field_a_value_and_the_body() {
    let text = "BYE sip:a@b SIP/2.0\r\nRoute: <sip:x>,\r\n <sip:y>\r\nCSeq: 1 BYE\r\n\r\nv";
    let same = "BYE sip:a@b SIP/2.0\r\nCSeq: 1 BYE\r\nROUTE: <sip:x>\r\nRoute: <sip:y>\r\n\r\nv";
    assert_eq!(shown(text), shown(same));
    for (from, to) in
        [("BYE sip", "BYE sips"), ("<sip:x>", "<sip:z>"), ("CSeq: 1 BYE\r\n", ""), ("\r\n\r\nv", "\r\n\r\nw")]
    {
        assert_ne!(shown(text), shown(&text.replace(from, to)), "{from}");
    }
}
