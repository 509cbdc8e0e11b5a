//! Well-formed messages with all the freedom that the grammar gives: odd spacing, folds, compact names, quoted strings,
//! lists over commas and fields. What was meant is kept beside, so that a reader can be held to it.

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;

/// A message, and what it says.
#[derive(Clone, Debug)]
pub(crate) struct Generated {
    pub(crate) bytes: Vec<u8>,
    pub(crate) method: Option<String>,
    pub(crate) from_tag: String,
    pub(crate) call_id: String,
    pub(crate) cseq: u32,
    pub(crate) cseq_method: String,
    /// The branches of the Vias, in order.
    pub(crate) branches: Vec<String>,
    /// The URIs of Route, in order.
    pub(crate) routes: Vec<String>,
    pub(crate) body: Vec<u8>,
}

pub(crate) fn token() -> impl Strategy<Value = String> + Clone {
    "[a-zA-Z0-9.!%*_+`'~-]{1,12}"
}

/// White space that may be none.
fn space() -> impl Strategy<Value = String> + Clone {
    select(vec!["", "", "", " ", "\t", "  ", " \r\n ", "\r\n\t"]).prop_map(str::to_owned)
}

fn blank() -> impl Strategy<Value = String> + Clone {
    select(vec![" ", " ", "\t ", "\r\n  "]).prop_map(str::to_owned)
}

pub(crate) fn quoted() -> impl Strategy<Value = String> + Clone {
    let part = prop_oneof![
        "[a-zA-Z0-9 ,;:<>@=?&()]{0,6}",
        select(vec!["\\\"", "\\\\", "é", "\\x", "日本"]).prop_map(str::to_owned)
    ];
    vec(part, 0..5).prop_map(|parts| format!("\"{}\"", parts.concat()))
}

pub(crate) fn host() -> impl Strategy<Value = String> + Clone {
    prop_oneof![
        "[a-z]([a-z0-9-]{0,5}[a-z0-9])?(\\.[a-zA-Z][a-z0-9]{0,4}){0,3}\\.?",
        any::<[u8; 4]>().prop_map(|[a, b, c, d]| format!("{a}.{b}.{c}.{d}")),
        any::<[u16; 8]>().prop_map(|parts| format!("[{}]", std::net::Ipv6Addr::from(parts))),
    ]
}

fn host_port() -> impl Strategy<Value = String> + Clone {
    (host(), option::of(any::<u16>())).prop_map(|(host, port)| match port {
        Some(port) => format!("{host}:{port}"),
        None => host,
    })
}

pub(crate) fn uri() -> impl Strategy<Value = String> + Clone {
    let user = "([a-zA-Z0-9&=+$,;?/_.!~*'()-]|%[0-9A-Fa-f]{2}){1,10}";
    let password = option::of("([a-zA-Z0-9&=+$,_.!-]|%[0-9a-f]{2}){0,5}");
    let part = "([a-zA-Z0-9_.!~\\[\\]/:&+$-]|%[0-9A-F]{2}){1,6}";
    let parameter = (part, option::of(part)).prop_map(|(name, value)| match value {
        Some(value) => format!(";{name}={value}"),
        None => format!(";{name}"),
    });
    let header = "[a-zA-Z]{1,6}=([a-z0-9?/:$+!]|%[0-9A-F]{2}){0,6}";
    let sip = (
        select(vec!["sip", "sips", "SIP"]),
        option::of((user, password)),
        host_port(),
        vec(parameter, 0..4),
        vec(header, 0..3),
    )
        .prop_map(|(scheme, user, host, parameters, headers)| {
            let user = match user {
                Some((user, Some(password))) => format!("{user}:{password}@"),
                Some((user, None)) => format!("{user}@"),
                None => String::new(),
            };
            let headers = if headers.is_empty() { String::new() } else { format!("?{}", headers.join("&")) };
            format!("{scheme}:{user}{host}{}{headers}", parameters.concat())
        });
    prop_oneof![6 => sip, 1 => "tel:\\+[0-9-]{0,9}[0-9](;ext=[0-9]{1,3})?", 1 => "x[a-z0-9+.-]{0,5}:[a-z0-9:/@.]{1,12}"]
        .prop_filter("a scheme of its own", |uri| uri.contains(':'))
}

/// A SIP URI that may stand as a Request-URI.
fn request_uri() -> impl Strategy<Value = String> + Clone {
    uri().prop_filter("sip, without headers", |uri| {
        uri.to_ascii_lowercase().starts_with("sip") && sansip::message::Uri::parse(uri.as_bytes()).is_ok_and(is_plain)
    })
}

fn is_plain(uri: sansip::message::Uri<'_>) -> bool {
    uri.is_sip() && uri.headers().is_none()
}

/// Parameters of a header, of names that mean nothing.
pub(crate) fn parameters() -> impl Strategy<Value = String> + Clone {
    let value = prop_oneof![token(), quoted(), host()];
    let one = (space(), space(), "x-[a-z0-9]{1,5}", option::of((space(), space(), value))).prop_map(
        |(before, after, name, value)| match value {
            Some((left, right, value)) => format!("{before};{after}{name}{left}={right}{value}"),
            None => format!("{before};{after}{name}"),
        },
    );
    vec(one, 0..3).prop_map(|all| all.concat())
}

/// `name-addr` around this URI.
fn name_addr(uri: impl Strategy<Value = String> + Clone) -> impl Strategy<Value = (String, String)> + Clone {
    let words = vec(token(), 1..3).prop_map(|words| words.join(" "));
    let display = option::of(prop_oneof![quoted(), words]);
    (display, space(), uri).prop_map(|(display, gap, uri)| match display {
        // A token before the bracket needs no space, but reads better with one.
        Some(display) => (format!("{display}{gap} <{uri}>"), uri),
        None => (format!("<{uri}>"), uri),
    })
}

/// A value of each typed header that the checks know, among others.
pub(crate) fn value() -> impl Strategy<Value = String> + Clone {
    let address = (name_addr(uri()), parameters()).prop_map(|((address, _), parameters)| address + &parameters);
    prop_oneof![
        4 => address,
        1 => (uri(), parameters()).prop_map(|(uri, parameters)| uri + &parameters),
        2 => via("z9hG4bKx".to_owned()),
        1 => (any::<u32>(), blank(), token()).prop_map(|(number, gap, method)| format!("{number}{gap}{method}")),
        1 => (token(), space(), space(), token(), parameters()).prop_map(|(a, x, y, b, p)| format!("{a}{x}/{y}{b}{p}")),
        1 => any::<u32>().prop_map(|number| number.to_string()),
        1 => (any::<u16>(), space(), parameters()).prop_map(|(number, gap, p)| format!("{number}{gap}(so \\) (it) is){p}")),
        1 => token(),
        1 => (token(), host()).prop_map(|(word, host)| format!("{word}@{host}")),
    ]
}

fn via(branch: String) -> impl Strategy<Value = String> + Clone {
    let gaps = [space(), space(), space(), space(), space(), space()];
    let transport = select(vec!["UDP", "TCP", "tls", "SCTP", "WSS", "x-other"]);
    (gaps, transport, blank(), host_port(), parameters(), parameters(), select(vec!["", ";rport", ";RPORT=5"]))
        .prop_map(move |([a, b, c, d, e, f], transport, gap, host, before, after, rport)| {
            format!("SIP{a}/{b}2.0{c}/{d}{transport}{gap}{host}{before}{e};{f}branch={branch}{rport}{after}")
        })
}

fn name(names: &'static [&'static str]) -> impl Strategy<Value = String> + Clone {
    (select(names), any::<u32>(), select(vec!["", "", " ", "\t "])).prop_map(|(name, cases, gap)| {
        let letter = |(at, letter): (usize, char)| {
            if cases >> (at % 32) & 1 == 1 { letter.to_ascii_uppercase() } else { letter.to_ascii_lowercase() }
        };
        name.chars().enumerate().map(letter).collect::<String>() + gap
    })
}

/// One field from its name and value.
fn field(
    names: &'static [&'static str],
    value: impl Strategy<Value = String> + Clone,
) -> impl Strategy<Value = String> + Clone {
    (name(names), space(), value, space())
        .prop_map(|(name, before, value, after)| format!("{name}:{before}{value}{after}\r\n"))
}

/// These values as fields of a list: each in a field of its own, or behind a comma.
fn list(names: &'static [&'static str], values: Vec<String>) -> impl Strategy<Value = Vec<String>> + Clone {
    let one = move |value: String| {
        (name(names), any::<bool>(), space(), space())
            .prop_map(move |(name, joined, a, b)| (name, joined, a, b, value.clone()))
    };
    values.into_iter().map(one).collect::<Vec<_>>().prop_map(|all| {
        let mut fields: Vec<String> = Vec::new();
        for (name, joined, a, b, value) in all {
            match fields.last_mut() {
                Some(last) if joined => *last += &format!("{a},{b}{value}"),
                _ => fields.push(format!("{name}:{b}{value}")),
            }
        }
        fields.into_iter().map(|field| field + "\r\n").collect()
    })
}

fn odd_fields() -> impl Strategy<Value = Vec<String>> + Clone {
    let text =
        prop_oneof!["[ -~]{0,20}", Just(String::new()), select(vec!["é ü", ";;,,", "\"", "<"]).prop_map(str::to_owned)];
    let odd = prop_oneof![
        field(&["X-Odd", "Subject", "s", "User-Agent", "Organization"], text),
        field(&["Contact", "m", "Record-Route"], name_addr(uri()).prop_map(|(address, _)| address)),
        field(&["Supported", "k", "Require"], vec(token(), 1..4).prop_map(|tags| tags.join(" , "))),
        field(&["Expires", "Retry-After"], any::<u32>().prop_map(|number| number.to_string())),
    ];
    vec(odd, 0..5)
}

fn start() -> impl Strategy<Value = (String, Option<String>, String)> + Clone {
    let method = prop_oneof![select(vec!["INVITE", "BYE", "OPTIONS", "invite"]).prop_map(str::to_owned), "[A-Z-]{1,8}"];
    let reason = "[a-zA-Z0-9 ]{0,12}";
    prop_oneof![
        (method.clone(), request_uri()).prop_map(|(method, uri)| (
            format!("{method} {uri} SIP/2.0\r\n"),
            Some(method.clone()),
            method
        )),
        (100_u16..700, reason, method).prop_map(|(status, reason, method)| (
            format!("SIP/2.0 {status} {reason}\r\n"),
            None,
            method
        )),
    ]
}

/// A message that is valid, whatever its looks. Its Content-Length is right.
pub(crate) fn message() -> impl Strategy<Value = Generated> + Clone {
    let route = || name_addr(request_uri());
    let branches = vec("z9hG4bK[a-z0-9]{1,8}", 1..4);
    let words = (token(), "[a-zA-Z0-9.<>()/-]{1,10}(@[a-z.]{1,8})?", any::<u32>());
    let body = vec(any::<u8>(), 0..40);
    (start(), branches, vec(route(), 0..4), words, body).prop_flat_map(|(start, branches, routes, words, body)| {
        let vias: Vec<_> = branches.iter().map(|branch| via(branch.clone())).collect();
        let vias = vias.prop_flat_map(|vias| list(&["Via", "v"], vias));
        let (route_values, routes): (Vec<_>, Vec<_>) = routes.into_iter().unzip();
        let route_fields = list(&["Route"], route_values);
        let (tag, call_id, cseq) = words;
        let (line, method, cseq_method) = start;
        let from = {
            let tag = tag.clone();
            field(
                &["From", "f"],
                (name_addr(uri()), parameters(), space())
                    .prop_map(move |((address, _), p, s)| format!("{address}{p}{s};{s}TAG={s}{tag}")),
            )
        };
        let to = field(&["To", "t"], (name_addr(uri()), parameters()).prop_map(|((address, _), p)| address + &p));
        let id = field(&["Call-ID", "i"], Just(call_id.clone()));
        let number = field(
            &["CSeq"],
            blank().prop_map({
                let method = cseq_method.clone();
                move |gap| format!("{cseq}{gap}{method}")
            }),
        );
        let length = field(&["Content-Length", "l"], Just(body.len().to_string()));
        let single = (from, to, id, number, length).prop_map(|(a, b, c, d, e)| vec![a, b, c, d, e]);
        (vias, route_fields, single, odd_fields(), any::<prop::sample::Index>()).prop_map(
            move |(vias, route_fields, single, odd, at)| {
                let mut fields = single;
                fields.extend(odd);
                // Any place will do for any header; only those of one list keep their order.
                let turn = at.index(fields.len());
                fields.rotate_left(turn);
                for (from, group) in [(turn, vias), (turn / 2, route_fields)] {
                    fields.splice(from..from, group);
                }
                Generated {
                    bytes: [line.as_bytes(), fields.concat().as_bytes(), b"\r\n", &body].concat(),
                    method: method.clone(),
                    from_tag: tag.clone(),
                    call_id: call_id.clone(),
                    cseq,
                    cseq_method: cseq_method.clone(),
                    branches: branches.clone(),
                    routes: routes.clone(),
                    body: body.clone(),
                }
            },
        )
    })
}
