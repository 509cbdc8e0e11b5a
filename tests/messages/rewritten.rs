//! Values that are received and written again: folds, quoted-pairs and control octets at every place.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use sansip::dialog::{Dialog, DialogState};
use sansip::message::header::{Contact, Header, NameAddr, Reason, RecordRoute, Warning, WwwAuthenticate};
use sansip::message::{HeaderId, Limits, Message, Method, Request, RequestBuilder, StatusCode, Uri};

/// A part of a value as it is received, and as it is to be written again; `None` if no value may have it.
#[derive(Clone, Debug)]
struct Received {
    text: Vec<u8>,
    written: Option<Vec<u8>>,
}

impl Received {
    fn same(text: &[u8]) -> Self {
        Self { text: text.to_vec(), written: Some(text.to_vec()) }
    }

    /// All parts, one behind the other, between two texts.
    fn between(before: &str, parts: Vec<Self>, after: &str) -> Self {
        let ends = [Self::same(before.as_bytes()), Self::same(after.as_bytes())];
        let [first, last] = ends;
        let all: Vec<_> = [first].into_iter().chain(parts).chain([last]).collect();
        Self {
            text: all.iter().flat_map(|part| part.text.clone()).collect(),
            written: all
                .iter()
                .map(|part| part.written.clone())
                .collect::<Option<Vec<_>>>()
                .map(|parts| parts.concat()),
        }
    }
}

/// A quoted string of text, folds, quoted-pairs and now and then a control octet that may not stand there (RFC 3261 §25.1).
fn quoted() -> impl Strategy<Value = Received> + Clone {
    let fold = select(vec!["\r\n ", "\r\n\t", " \r\n  ", "\t\r\n \t"]);
    // Between visible octets, so that two folds are not one.
    let fold =
        fold.prop_map(|fold| Received { text: format!("a{fold}b").into_bytes(), written: Some(b"a b".to_vec()) });
    let pair = (0_u8..0x80).prop_filter("no line end", |octet| !matches!(octet, b'\r' | b'\n'));
    let pair = pair.prop_map(|octet| Received::same(&[b'\\', octet, b'.']));
    let text = "[a-zA-Z0-9,;:<>@=()é]{1,5}".prop_map(|text| Received::same(text.as_bytes()));
    let control = (0_u8..0x20).prop_filter("no tab", |octet| *octet != b'\t');
    let control =
        prop_oneof![control, Just(0x7f)].prop_map(|octet| Received { text: vec![octet, b'.'], written: None });
    let part = prop_oneof![10 => text, 4 => fold, 4 => pair, 1 => control];
    vec(part, 0..6).prop_map(|parts| Received::between("\"", parts, "\""))
}

/// `before`, a quoted string, `after`.
fn with_quoted(before: &'static str, after: &'static str) -> impl Strategy<Value = Received> {
    quoted().prop_map(move |quoted| Received::between(before, vec![quoted], after))
}

fn builder() -> RequestBuilder {
    Request::builder(Method::Message, Uri::parse(b"sip:bob@biloxi.com").expect("a URI"))
}

/// A law of every typed value: one that may be written again is read, and written unfolded; any other is refused.
fn assert_rewritten<'a, H: Header<'a>>(received: &'a Received) -> Result<(), TestCaseError> {
    let read = H::parse(&received.text);
    prop_assert_eq!(read.is_ok(), received.written.is_some(), "{}", received.text.escape_ascii());
    if let (Ok(value), Some(written)) = (read, &received.written) {
        let request = builder().typed(&value).finish().expect("what was read can be written");
        let again = request.headers().raw(H::ID).expect("the value");
        prop_assert_eq!(again.escape_ascii().to_string(), written.escape_ascii().to_string());
    }
    Ok(())
}

proptest! {
    #[test]
    fn a_contact_is_written_again_unfolded_or_is_malformed(
        name in with_quoted("", " <sip:bob@192.0.2.4>;x=1"),
        parameter in with_quoted("<sip:bob@192.0.2.4>;x=", ";q=0.5"),
    ) {
        assert_rewritten::<Contact<'_>>(&name)?;
        assert_rewritten::<Contact<'_>>(&parameter)?;
    }

    #[test]
    fn a_record_route_and_a_reason_are_written_again_unfolded_or_are_malformed(
        route in with_quoted("<sip:p1.example.com;lr>;x=", ""),
        reason in with_quoted("SIP;cause=200;text=", ""),
    ) {
        assert_rewritten::<RecordRoute<'_>>(&route)?;
        assert_rewritten::<Reason<'_>>(&reason)?;
    }

    /// The challenge of a branch that lost, which a proxy adds to that of the best (§16.7 step 7).
    #[test]
    fn a_challenge_is_written_again_unfolded_or_is_malformed(value in with_quoted("Digest realm=", ", nonce=\"n\"")) {
        let read = WwwAuthenticate::parse(&value.text);
        prop_assert_eq!(read.is_ok(), value.written.is_some(), "{}", value.text.escape_ascii());
        if let Ok(challenge) = read {
            prop_assert!(builder().typed(&challenge).finish().is_ok());
        }
    }

    #[test]
    fn a_warning_that_is_read_can_be_written(value in with_quoted("399 example.com ", "")) {
        let read = Warning::parse(&value.text);
        prop_assert_eq!(read.is_ok(), value.written.is_some(), "{}", value.text.escape_ascii());
        if let Ok(warning) = read {
            prop_assert!(builder().typed(&warning).finish().is_ok());
        }
    }

    /// An INVITE whose From can be written again makes a dialog whose BYE is built; any other is owed a 400.
    #[test]
    fn a_from_is_that_of_a_bye_or_of_a_400(from in with_quoted("", " <sip:alice@atlanta.com>;tag=a/b")) {
        let text = [
            &b"INVITE sip:bob@biloxi.com SIP/2.0\r\nVia: SIP/2.0/UDP a.com;branch=z9hG4bKa\r\nFrom: "[..],
            &from.text,
            b"\r\nTo: <sip:bob@biloxi.com>\r\nCall-ID: x\r\nCSeq: 1 INVITE\r\nContact: <sip:alice@a.com>\r\n\r\n",
        ];
        // A bare CR or LF is another matter: it ends the line, or is an error.
        prop_assume!(!has_bare_line_end(&from.text));
        let message = Message::parse(&text.concat(), &Limits::default()).expect("lines");
        let Message::Request(invite) = message else { panic!("a request") };
        prop_assert_eq!(invite.validate().is_ok(), from.written.is_some());
        let dialog = match Dialog::of_request(&invite, "ours", DialogState::Confirmed) {
            Ok(dialog) => dialog,
            Err(rejection) => {
                prop_assert_eq!((rejection.status, from.written), (StatusCode::BAD_REQUEST, None));
                return Ok(());
            }
        };
        let bye = dialog.request(Method::Bye, 1, &dialog.path().expect("a way")).finish().expect("a BYE");
        let to = bye.headers().raw(HeaderId::To).expect("To").escape_ascii().to_string();
        prop_assert_eq!(Some(to), from.written.map(|written| written.escape_ascii().to_string()));
        prop_assert_eq!(NameAddr::parse(bye.headers().raw(HeaderId::To).expect("To")).expect("an address").tag(), Some("a/b"));
    }
}

fn has_bare_line_end(text: &[u8]) -> bool {
    let folds = text.windows(3).filter(|three| matches!(three, [b'\r', b'\n', b' ' | b'\t'])).count();
    text.iter().filter(|octet| matches!(octet, b'\r' | b'\n')).count() != 2 * folds
}
