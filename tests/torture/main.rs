//! The messages that the RFCs print: what the parser and `validate` make of them (RFC 4475, 5118, 3665, 3261).
//!
//! The messages stand in a folder of their own with an `index.tsv`: `SANSIP_TORTURE`, else `../shared/torture` beside the
//! workspace. Without it these tests say so and pass.

use sansip::message::header::{Allow, CSeq, CallId, Contact, ContentType, Expires, From, RecordRoute, Route, To, Via};
use sansip::message::{BuildError, HeaderId, Limits, Message, MessageView, Rejection, Response, StatusCode};
use std::path::{Path, PathBuf};
use std::{env, fs};

/// One line of the index, and the octets.
struct Sample {
    file: String,
    expected: String,
    layer: String,
    reaction: String,
    bytes: Vec<u8>,
}

impl Sample {
    fn is(&self, file: &str) -> bool {
        self.file.ends_with(file)
    }

    fn read(&self) -> Result<Message, String> {
        Message::parse(&self.bytes, &Limits::default()).map_err(|error| error.to_string())
    }

    /// Parse and validate: the status owed, or none if there is no message to answer.
    fn verdict(&self) -> Result<Message, Option<Rejection>> {
        let message = self.read().map_err(|_| None)?;
        match &message {
            Message::Request(request) => request.validate(),
            Message::Response(response) => response.validate(),
        }
        .map_err(Some)?;
        Ok(message)
    }
}

fn folder() -> PathBuf {
    let beside = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/torture");
    env::var_os("SANSIP_TORTURE").map_or_else(beside, PathBuf::from)
}

/// Every message of the index; none if there is no index.
fn samples() -> Vec<Sample> {
    let folder = folder();
    let Ok(index) = fs::read_to_string(folder.join("index.tsv")) else {
        println!("torture: no index.tsv in {}; nothing was tested", folder.display());
        return Vec::new();
    };
    let sample = |line: &str| {
        let mut columns = line.split('\t').map(str::to_owned);
        let file = columns.next().unwrap_or_default();
        let _section = columns.next();
        let mut next = || columns.next().unwrap_or_default();
        let (expected, layer, reaction) = (next(), next(), next());
        let bytes = fs::read(folder.join(&file)).unwrap_or_else(|error| panic!("{file}: {error}"));
        Sample { file, expected, layer, reaction, bytes }
    };
    index.lines().skip(1).map(sample).collect()
}

/// The Content-Length that RFC 5118 prints is larger than the body: over UDP a 400 (RFC 3261 §18.3).
const TOO_SHORT: [&str; 1] = ["wire/ipv6-in-sdp.sip"];

#[test]
fn well_formed_messages_are_accepted() {
    for sample in samples().iter().filter(|sample| sample.expected == "valid") {
        let verdict = sample.verdict();
        if TOO_SHORT.iter().any(|file| sample.is(file)) {
            let rejection = verdict.err().flatten();
            assert_eq!(rejection.map(|it| it.reason), Some("Body shorter than Content-Length"), "{}", sample.file);
        } else {
            assert!(verdict.is_ok(), "{}: {:?} {:?}", sample.file, verdict, sample.read());
        }
    }
}

#[test]
fn messages_without_their_body_lack_only_that() {
    for sample in samples().iter().filter(|sample| sample.expected == "valid-headers-only") {
        let rejection = sample.verdict().err().flatten();
        assert_eq!(rejection.map(|it| it.reason), Some("Body shorter than Content-Length"), "{}", sample.file);
        let Ok(Message::Request(_) | Message::Response(_)) = sample.read() else { panic!("{}", sample.file) };
    }
}

#[test]
fn malformed_messages_are_refused_as_the_rfc_says() {
    /// What is malformed there is left to the elements that read it (RFC 3261 §16.3: not a reason to refuse): Date, the
    /// registrar's Contact, and credentials.
    const OTHERS: [&str; 3] = ["baddate.dat", "regbadct.dat", "2.1_successful-new-registration/F03_REGISTER.sip"];
    for sample in samples().iter().filter(|sample| sample.expected == "invalid") {
        let verdict = sample.verdict();
        if OTHERS.iter().any(|file| sample.is(file)) {
            assert!(verdict.is_ok(), "{}: {:?}", sample.file, verdict);
            continue;
        }
        let is_response = sample.bytes.starts_with(b"SIP/");
        match verdict {
            Ok(_) => panic!("{} was accepted", sample.file),
            Err(Some(rejection)) if !is_response => {
                let status = rejection.status.to_string();
                assert!(sample.reaction.contains(&status), "{}: {rejection} and not {}", sample.file, sample.reaction);
            }
            Err(Some(_)) => {}
            // No message at all, so no answer: only where a header line has no colon, or a response has no status.
            Err(None) => assert!(is_response || sample.is("F04_INVITE.sip"), "{}: {:?}", sample.file, sample.read()),
        }
    }
}

#[test]
fn what_the_registrar_refuses_is_found_malformed() {
    for sample in samples().iter().filter(|sample| sample.is("regbadct.dat")) {
        let message = sample.read().unwrap();
        assert!(matches!(message.headers().get::<Contact<'_>>(), Some(Err(_))));
    }
}

#[test]
fn trouble_above_the_parser_is_not_its_own() {
    let troubled = |sample: &&Sample| sample.expected == "valid-but-application-level-problem";
    for sample in samples().iter().filter(troubled) {
        match sample.verdict() {
            Ok(_) => {}
            Err(Some(rejection)) => {
                assert_eq!(rejection.status, StatusCode::UNSUPPORTED_URI_SCHEME, "{}: {rejection}", sample.file);
                assert!(sample.reaction.contains("416"), "{}", sample.file);
            }
            Err(None) => panic!("{}: {:?} ({})", sample.file, sample.read(), sample.layer),
        }
    }
}

#[test]
fn what_is_read_is_kept_octet_for_octet() {
    for sample in samples() {
        let Ok(message) = sample.read() else { continue };
        let kept = message.as_bytes();
        assert!(sample.bytes.starts_with(kept), "{}", sample.file);
        // Only what lies beyond Content-Length is cut.
        if kept.len() < sample.bytes.len() {
            let length = message.headers().raw(HeaderId::ContentLength).map(<[u8]>::to_vec);
            assert_eq!(length, Some(message.body().len().to_string().into_bytes()), "{}", sample.file);
        }
        let lines: usize = message.headers().iter().map(|field| field.line.len()).sum();
        assert!(lines + message.body().len() < kept.len(), "{}", sample.file);
    }
}

#[test]
fn every_header_can_be_asked_for() {
    for sample in samples() {
        let Ok(view) = MessageView::parse(&sample.bytes, &Limits::default()) else { continue };
        let headers = view.headers();
        assert!(headers.iter().all(|field| headers.contains(field.name)), "{}", sample.file);
        let _ = (headers.get::<To<'_>>(), headers.get::<From<'_>>(), headers.get::<CSeq<'_>>());
        let _ = (headers.get::<CallId<'_>>(), headers.get::<ContentType<'_>>(), headers.get::<Expires>());
        let _ = headers.all::<Via<'_>>().count() + headers.all::<Contact<'_>>().count();
        let _ = headers.all::<Route<'_>>().count() + headers.all::<RecordRoute<'_>>().count();
        assert!(headers.all::<Allow<'_>>().all(|allow| allow.is_ok()), "{}", sample.file);
    }
}

#[test]
fn every_request_can_be_answered_and_forwarded() {
    for sample in samples() {
        let Ok(Message::Request(request)) = sample.read() else { continue };
        let answer = Response::to(&request, StatusCode::BAD_REQUEST).to_tag("1").finish();
        let vias = |headers: sansip::message::Headers<'_>| headers.count(HeaderId::Via);
        assert_eq!(answer.map(|answer| vias(answer.headers())), Ok(vias(request.headers())), "{}", sample.file);
        if request.validate().is_ok() {
            assert_eq!(request.edit().finish().as_ref(), Ok(&request), "{}", sample.file);
            let forwarded = request.edit().push_first(HeaderId::Via, "SIP/2.0/UDP x.com;branch=z9hG4bKx").finish();
            let back = forwarded.and_then(|forwarded| forwarded.edit().pop_first(HeaderId::Via).finish());
            assert_eq!(back.as_ref(), Ok::<_, &BuildError>(&request), "{}", sample.file);
        }
    }
}

#[test]
fn no_cut_of_a_message_does_harm() {
    for sample in samples().iter().filter(|sample| sample.file.starts_with("rfc4475")) {
        for end in 0..sample.bytes.len() {
            let Ok(message) = Message::parse(&sample.bytes[..end], &Limits::default()) else { continue };
            if let Message::Request(request) = &message {
                let _ = request.validate();
                let _ = Response::to(request, StatusCode::BAD_REQUEST).to_tag("1").finish();
            }
        }
    }
}

/// The sample of this name, if there is an index.
fn sample(file: &str) -> Option<Message> {
    let sample = samples().into_iter().find(|sample| sample.is(file))?;
    Some(sample.read().unwrap_or_else(|error| panic!("{file}: {error}")))
}

#[test]
fn odd_white_space_hides_nothing() {
    let Some(message) = sample("rfc4475/wsinv.dat") else { return };
    let headers = message.headers();
    assert_eq!(headers.to().and_then(|to| to.tag()), Some("1918181833n"));
    assert_eq!(headers.from().and_then(|from| from.tag()), Some("98asjd8"));
    assert_eq!(headers.from().and_then(|from| from.display_name), Some(&br#""J Rosenberg \\\"""#[..]));
    assert_eq!(headers.raw(HeaderId::MaxForwards), Some(&b"0068"[..]));
    assert_eq!(headers.cseq().map(|cseq| cseq.number), Some(9));
    let branches: Vec<_> = headers.all::<Via<'_>>().map(|via| via.unwrap().branch().unwrap_or_default()).collect();
    assert_eq!(branches, ["390skdjuw", "z9hG4bK9ikj8", "z9hG4bK30239"]);
    let contact = headers.get::<Contact<'_>>().unwrap().unwrap();
    assert_eq!(contact.q(), Some(330));
    assert!(contact.address().unwrap().parameters.has("secondparam"));
    let route = headers.get::<Route<'_>>().unwrap().unwrap();
    assert!(route.uri.is_loose_router() && route.uri.parameters().has("unknown-no-value"));
    assert_eq!(message.body().len(), 150);
}

#[test]
fn an_escape_is_none_outside_a_uri() {
    let Some(Message::Request(request)) = sample("rfc4475/esc02.dat") else { return };
    assert_eq!(request.method().as_str(), "RE%47IST%45R");
    assert_eq!(request.headers().all::<Contact<'_>>().count(), 2);
    assert_eq!(request.from().unwrap().display_name, Some(&br#""%Z%45""#[..]));
}

#[test]
fn long_messages_are_read_to_the_end() {
    let Some(message) = sample("rfc4475/longreq.dat") else { return };
    assert_eq!(message.headers().all::<Via<'_>>().filter(Result::is_ok).count(), 34);
    let transports = sample("rfc4475/transports.dat").unwrap();
    assert_eq!(transports.headers().all::<Via<'_>>().filter(Result::is_ok).count(), 5);
}

#[test]
fn ipv6_addresses_and_ports_are_told_apart() {
    let Some(Message::Request(ambiguous)) = sample("wire/port-ambiguous.sip") else { return };
    let host_port = ambiguous.uri().unwrap().host_port().unwrap();
    assert_eq!((host_port.host.ip(), host_port.port), (Some("2001:db8::10:5070".parse().unwrap()), None));
    let Some(Message::Request(clear)) = sample("wire/port-unambiguous.sip") else { panic!() };
    let host_port = clear.uri().unwrap().host_port().unwrap();
    assert_eq!((host_port.host.ip(), host_port.port), (Some("2001:db8::10".parse().unwrap()), Some(5070)));
    for file in ["wire/via-received-param-with-delim.sip", "wire/via-received-param-no-delim.sip"] {
        let message = sample(file).unwrap();
        assert_eq!(message.headers().top_via().unwrap().received(), Some("2001:db8::9:255".parse().unwrap()));
    }
}

#[test]
fn reason_phrases_may_be_empty_or_in_any_language() {
    let Some(Message::Response(none)) = sample("rfc4475/noreason.dat") else { return };
    assert_eq!((none.status(), none.reason()), (StatusCode::TRYING, &b""[..]));
    let Some(Message::Response(other)) = sample("rfc4475/unreason.dat") else { panic!() };
    assert_eq!(other.reason(), "= 2**3 * 5**2 но сто девяносто девять - простое".as_bytes());
}

#[test]
fn a_datagram_ends_where_its_message_does() {
    let Some(message) = sample("rfc4475/dblreq.dat") else { return };
    assert!(matches!(&message, Message::Request(request) if request.method().as_str() == "REGISTER"));
    assert!(message.as_bytes().ends_with(b"\r\n\r\n") && message.body().is_empty());
    let binary = sample("rfc4475/mpart01.dat").unwrap();
    assert!(binary.body().contains(&0));
}
