use crate::message::{BuildError, HeaderId, Limits, Message, Request};
use alloc::string::{String, ToString};
use alloc::vec::Vec;

const INVITE: &str = "INVITE sip:bob@biloxi.com SIP/2.0\r\n\
    Via: SIP/2.0/UDP pc33.atlanta.com;branch=z9hG4bK776asdhds;rport ,SIP/2.0/TCP b.com;branch=z9hG4bK2\r\n\
    v:SIP/2.0/UDP c.com\r\n\
    mAX-fORWARDS :  70\r\n\
    Route: <sip:p1.com;lr>, \"a,b\" <sip:p2.com;lr>\r\n\
    Route: <sip:p3.com;lr>\r\n\
    To: Bob\r\n\t<sip:bob@biloxi.com>\r\n\
    From: Alice <sip:alice@atlanta.com>;tag=1928301774\r\n\
    Call-ID: a84b4c76e66710@pc33.atlanta.com\r\n\
    CSeq: 314159 INVITE\r\n\
    X-Odd:;;,,\r\n\
    Content-Type: text/plain\r\n\
    l: 5\r\n\
    \r\n\
    hello";

fn request(text: &str) -> Request {
    match Message::parse(text.as_bytes(), &Limits::default()) {
        Ok(Message::Request(request)) => request,
        other => panic!("{text}: {other:?}"),
    }
}

fn text(request: &Request) -> String {
    String::from_utf8(request.as_bytes().to_vec()).unwrap()
}

/// Checks that `after` is the original with each of these replaced.
fn assert_only_changed(after: &Request, changes: &[(&str, &str)]) {
    let mut expected = INVITE.to_string();
    for (from, to) in changes {
        assert_eq!(expected.matches(from).count(), 1, "{from}");
        expected = expected.replace(from, to);
    }
    assert_eq!(text(after), expected);
    assert_spans(after);
}

/// The spans that were moved are those that a reader of the octets finds.
fn assert_spans(after: &Request) {
    let again = request(&text(after));
    let fields = |request: &Request| -> Vec<_> {
        let headers = request.headers();
        headers.iter().map(|field| (field.name.to_string(), field.value.to_vec(), field.line.to_vec())).collect()
    };
    assert_eq!(fields(after), fields(&again));
    assert!(
        after.layout().marks.is_none() || after.layout().marks == again.layout().marks,
        "{:?}",
        after.layout().marks
    );
    assert_eq!((after.method(), after.uri_bytes(), after.body()), (again.method(), again.uri_bytes(), again.body()));
    assert_eq!(alloc::format!("{after:?}"), alloc::format!("{again:?}"));
    assert_eq!(again.edit().append("X-Z", "z").finish(), after.edit().append("X-Z", "z").finish());
}

#[test]
fn no_change_is_a_copy() {
    assert_eq!(request(INVITE).edit().finish().unwrap(), request(INVITE));
}

#[test]
fn forwarding_touches_only_its_own_lines() {
    let forwarded = request(INVITE)
        .edit()
        .uri("sip:bob@192.0.2.4")
        .stamp_via(Some([192, 0, 2, 1].into()), Some(5062))
        .push_first(HeaderId::Via, "SIP/2.0/UDP p1.com;branch=z9hG4bKnew")
        .replace(HeaderId::MaxForwards, "69")
        .pop_first(HeaderId::Route)
        .push_first(HeaderId::RecordRoute, "<sip:p1.com;lr>")
        .finish()
        .unwrap();
    assert_only_changed(
        &forwarded,
        &[
            ("INVITE sip:bob@biloxi.com ", "INVITE sip:bob@192.0.2.4 "),
            ("Via: SIP/2.0/UDP pc33", "Via: SIP/2.0/UDP p1.com;branch=z9hG4bKnew\r\nVia: SIP/2.0/UDP pc33"),
            (";rport ,", ";rport=5062;received=192.0.2.1 ,"),
            ("mAX-fORWARDS :  70", "Record-Route: <sip:p1.com;lr>\r\nmAX-fORWARDS :  69"),
            ("Route: <sip:p1.com;lr>, \"a", "Route: \"a"),
        ],
    );
}

#[test]
fn pops_take_values_over_commas_and_fields() {
    let popped = |front: usize, back: usize| {
        let original = request(INVITE);
        let edit = (0..front).fold(original.edit(), |edit, _| edit.pop_first(HeaderId::Route));
        (0..back).fold(edit, |edit, _| edit.pop_last(HeaderId::Route)).finish()
    };
    let line = "Route: <sip:p1.com;lr>, \"a,b\" <sip:p2.com;lr>\r\n";
    assert_only_changed(&popped(2, 0).unwrap(), &[(line, "")]);
    assert_only_changed(&popped(0, 1).unwrap(), &[("Route: <sip:p3.com;lr>\r\n", "")]);
    assert_only_changed(
        &popped(0, 2).unwrap(),
        &[("Route: <sip:p3.com;lr>\r\n", ""), (", \"a,b\" <sip:p2.com;lr>", "")],
    );
    assert_only_changed(&popped(1, 1).unwrap(), &[("Route: <sip:p3.com;lr>\r\n", ""), ("<sip:p1.com;lr>, ", "")]);
    assert_only_changed(&popped(3, 0).unwrap(), &[(line, ""), ("Route: <sip:p3.com;lr>\r\n", "")]);
    assert_eq!(popped(3, 1).unwrap_err(), BuildError::NoSuchValue);
    assert_eq!(popped(4, 0).unwrap_err(), BuildError::NoSuchValue);
}

#[test]
fn the_own_via_is_popped_from_a_shared_line() {
    let popped = request(INVITE).edit().pop_first(HeaderId::Via).finish().unwrap();
    assert_only_changed(&popped, &[("SIP/2.0/UDP pc33.atlanta.com;branch=z9hG4bK776asdhds;rport ,", "")]);
}

#[test]
fn a_via_is_popped_and_another_pushed_at_once() {
    let moved = request(INVITE)
        .edit()
        .pop_first(HeaderId::Via)
        .push_first(HeaderId::Via, "SIP/2.0/TLS x.com;branch=z9hG4bKx")
        .finish()
        .unwrap();
    let first = "Via: SIP/2.0/UDP pc33.atlanta.com;branch=z9hG4bK776asdhds;rport ,";
    assert_only_changed(&moved, &[(first, "Via: SIP/2.0/TLS x.com;branch=z9hG4bKx\r\nVia: ")]);
}

#[test]
fn repeated_pushes_stack() {
    let pushed = request(INVITE)
        .edit()
        .push_first(HeaderId::RecordRoute, "<sip:inner>")
        .push_first(HeaderId::RecordRoute, "<sip:outer>")
        .finish()
        .unwrap();
    let both = "Record-Route: <sip:outer>\r\nRecord-Route: <sip:inner>\r\nmAX";
    assert_only_changed(&pushed, &[("mAX", both)]);
}

#[test]
fn received_and_rport_are_replaced_where_they_stand() {
    let before = INVITE.replace(";rport ,", ";rport=1;received=192.0.2.9;x ,");
    let after = request(&before).edit().stamp_via(Some("2001:db8::1".parse().unwrap()), Some(2)).finish().unwrap();
    assert_eq!(text(&after), INVITE.replace(";rport ,", ";rport=2;received=2001:db8::1;x ,"));
    let plain = INVITE.replace(";rport ,", " ,");
    let after = request(&plain).edit().stamp_via(None, Some(2)).finish().unwrap();
    assert_eq!(text(&after), plain, "no rport was asked for");
}

#[test]
fn replacing_leaves_one_field() {
    let one = request(INVITE).edit().replace(HeaderId::Route, "<sip:x;lr>").finish().unwrap();
    assert_only_changed(
        &one,
        &[("<sip:p1.com;lr>, \"a,b\" <sip:p2.com;lr>", "<sip:x;lr>"), ("Route: <sip:p3.com;lr>\r\n", "")],
    );
    let new = request(INVITE).edit().replace(HeaderId::MaxBreadth, "60").finish().unwrap();
    assert_only_changed(&new, &[("l: 5\r\n", "l: 5\r\nMax-Breadth: 60\r\n")]);
}

#[test]
fn fields_are_removed_and_appended_by_name() {
    let after = request(INVITE).edit().remove("ROUTE").append("X-New", "1").append("X-New", "2").finish().unwrap();
    assert_only_changed(
        &after,
        &[
            ("Route: <sip:p1.com;lr>, \"a,b\" <sip:p2.com;lr>\r\nRoute: <sip:p3.com;lr>\r\n", ""),
            ("l: 5\r\n", "l: 5\r\nX-New: 1\r\nX-New: 2\r\n"),
        ],
    );
    let after = request(INVITE).edit().remove("x-ODD").finish().unwrap();
    assert_eq!(text(&after), INVITE.replace("X-Odd:;;,,\r\n", ""));
}

#[test]
fn another_body_has_its_own_type_and_length() {
    let after = request(INVITE).edit().body("application/sdp", b"v=0\r\n\0").finish().unwrap();
    assert_only_changed(&after, &[("text/plain", "application/sdp"), ("l: 5", "l: 6"), ("hello", "v=0\r\n\0")]);
    let after = request(INVITE).edit().body("", b"").append(HeaderId::ContentLength, "77").finish().unwrap();
    assert_only_changed(&after, &[("Content-Type: text/plain\r\n", ""), ("l: 5", "l: 0"), ("hello", "")]);
}

#[test]
fn a_length_is_added_where_there_was_none() {
    let before = INVITE.replace("l: 5\r\n", "");
    let after = request(&before).edit().content_length().finish().unwrap();
    assert_eq!(text(&after), INVITE.replace("l: 5", "Content-Length: 5"));
}

#[test]
fn nothing_is_injected() {
    let original = request(INVITE);
    for bad in ["a\r\nEvil: 1", "a\n", "\r", "\0"] {
        let edit = || original.edit();
        assert_eq!(edit().append("X", bad).finish(), Err(BuildError::Control));
        assert_eq!(edit().replace(HeaderId::Route, bad).finish(), Err(BuildError::Control));
        assert_eq!(edit().push_first(HeaderId::Via, bad).finish(), Err(BuildError::Control));
        assert_eq!(edit().body(bad, b"").finish(), Err(BuildError::Control));
        assert_eq!(edit().uri(bad).finish(), Err(BuildError::Uri));
    }
    assert_eq!(original.edit().append("X: y", "1").finish(), Err(BuildError::HeaderName));
    assert_eq!(original.edit().append("", "1").finish(), Err(BuildError::HeaderName));
    assert_eq!(original.edit().uri("sip:a b").finish(), Err(BuildError::Uri));
    assert_eq!(original.edit().uri("").finish(), Err(BuildError::Uri));
}

#[test]
fn a_copy_of_an_unterminated_message_is_terminated() {
    let cut = "OPTIONS sip:a.com SIP/2.0\r\nVia: SIP/2.0/UDP b.com\r\nSubject: x";
    let after = request(cut).edit().append("X-New", "1").finish().unwrap();
    assert_eq!(text(&after), alloc::format!("{cut}\r\nX-New: 1\r\n\r\n"));
    let after = request(cut).edit().body("", b"hello").finish().unwrap();
    assert_eq!(text(&after), alloc::format!("{cut}\r\nContent-Length: 5\r\n\r\nhello"));
}

#[test]
fn no_header_slips_behind_the_end_when_an_unterminated_last_field_goes() {
    let cut = "OPTIONS sip:a.com SIP/2.0\r\nVia: SIP/2.0/UDP b.com\r\nRoute: <sip:x;lr>";
    let kept = "OPTIONS sip:a.com SIP/2.0\r\nVia: SIP/2.0/UDP b.com\r\n";
    let after = request(cut).edit().remove(HeaderId::Route).append("X-New", "1").finish().unwrap();
    assert_eq!(text(&after), alloc::format!("{kept}X-New: 1\r\n\r\n"));
    let original = request(cut);
    let pushed = original.edit().pop_first(HeaderId::Route).push_first(HeaderId::Route, "<sip:y;lr>");
    assert_eq!(text(&pushed.finish().unwrap()), alloc::format!("{kept}Route: <sip:y;lr>\r\n\r\n"));
}

#[test]
fn a_value_stays_in_its_line_when_the_line_has_no_end() {
    let cut = request("OPTIONS sip:a.com SIP/2.0\r\nSubject:");
    let after = cut.edit().replace(HeaderId::Subject, "Evil: 1").finish().unwrap();
    assert_eq!(text(&after), "OPTIONS sip:a.com SIP/2.0\r\nSubject:Evil: 1\r\n\r\n");
}

#[test]
fn an_empty_value_that_is_left_first_has_no_white_space_around_it() {
    let listed = request("OPTIONS sip:a.com SIP/2.0\r\nRoute: <sip:x> , , <sip:y>\r\n\r\n");
    let after = listed.edit().pop_first(HeaderId::Route).finish().unwrap();
    assert_eq!(text(&after), "OPTIONS sip:a.com SIP/2.0\r\nRoute:  , <sip:y>\r\n\r\n");
    assert_eq!(after.headers().raw(HeaderId::Route), Some(&b", <sip:y>"[..]));
}

#[test]
fn of_two_replacements_the_first_counts() {
    let empty = request("OPTIONS sip:a.com SIP/2.0\r\nSubject:\r\n\r\n");
    let edit = empty.edit().replace(HeaderId::Subject, "1").replace(HeaderId::Subject, "2");
    let after = edit.replace(HeaderId::Server, "1").replace(HeaderId::Server, "2").finish().unwrap();
    assert_eq!(text(&after), "OPTIONS sip:a.com SIP/2.0\r\nSubject:1\r\nServer: 1\r\n\r\n");
}

#[test]
fn headers_do_not_grow_beyond_the_bound() {
    let long = "x".repeat(65_500);
    assert_eq!(request(INVITE).edit().append("X", &long).finish(), Err(BuildError::TooLong));
}

#[test]
fn marks_move_with_what_they_mark_and_go_with_what_is_touched() {
    let usual = INVITE.replace("Bob\r\n\t<", "Bob <");
    let before = request(&usual);
    assert!(before.layout().marks.is_some());
    let kept = |after: Result<Request, BuildError>| {
        let after = after.unwrap();
        assert_spans(&after);
        after.layout().marks.is_some()
    };
    let edit = || before.edit();
    assert!(kept(edit().uri("sip:x").pop_first(HeaderId::Route).push_first(HeaderId::Via, "v").finish()));
    assert!(kept(edit().stamp_via(Some([192, 0, 2, 1].into()), Some(1)).body("", b"").finish()));
    assert!(kept(edit().push_first(HeaderId::Subject, "x").remove(HeaderId::MaxForwards).finish()));
    for id in [HeaderId::To, HeaderId::From, HeaderId::CallId, HeaderId::CSeq] {
        assert!(!kept(edit().replace(id, "<sip:x>").finish()), "{id}");
        assert!(!kept(edit().remove(id).finish()), "{id}");
        assert!(!kept(edit().push_first(id, "x").finish()), "{id}");
        assert!(!kept(edit().append(id, "x").finish()), "{id}");
    }
}

#[test]
fn octets_are_those_of_the_finished_copy() {
    let before = request(INVITE);
    let edit = before.edit().push_first(HeaderId::Via, "SIP/2.0/UDP d.com").replace(HeaderId::MaxForwards, "69");
    let finished = edit.clone().finish().unwrap();
    let octets = edit.clone().octets().unwrap();
    assert_eq!(&octets, finished.as_bytes());
    assert!(octets.tail().is_empty() && !finished.as_bytes().tail().is_empty());
    assert_eq!(edit.replace(HeaderId::To, "a\nb").octets(), Err(BuildError::Control));
}
