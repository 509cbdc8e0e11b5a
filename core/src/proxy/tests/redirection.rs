//! Recursion on 3xx responses (RFC 3261 §16.7 step 4).

use super::*;

const TWO: &str = "<sip:carol@192.0.2.7>;q=0.2, <sip:dave@192.0.2.8>";

/// A call that was redirected with these contacts, by a core that asks about them; what went out.
fn redirected(contacts: &str) -> (Bench, Vec<String>) {
    let mut bench = Bench::with(|settings| settings.recursion = true);
    bench.call(&[bob()]);
    let invite = bench.requests.remove(0);
    let sent = bench.answer(&invite, 302, &[(HeaderId::Contact, contacts)]);
    (bench, sent)
}

fn follow(bench: &mut Bench, targets: &[Vec<Target>]) -> Result<(), CommandError> {
    let redirection = bench.redirections[0].clone();
    bench.proxy.command(bench.now, |owner, cx| owner.0.follow(cx, &redirection, targets))
}

fn uris(bench: &Bench) -> Vec<String> {
    bench.requests.iter().map(|request| String::from_utf8(request.uri_bytes().into()).unwrap()).collect()
}

#[test]
fn nobody_is_asked_unless_the_owner_wants_it() {
    let mut bench = Bench::new();
    bench.call(&[bob()]);
    let invite = bench.requests.remove(0);
    assert_eq!(bench.answer(&invite, 302, &[(HeaderId::Contact, TWO)]), ["ACK", "302 INVITE"]);
    assert!(bench.redirections.is_empty());
}

#[test]
fn contacts_that_the_owner_has_targets_for_are_tried_and_leave_the_response() {
    let (mut bench, sent) = redirected(TWO);
    assert_eq!(sent, ["ACK"]);
    let contacts: Vec<_> = bench.redirections[0].contacts.iter().map(|it| (it.uri.to_string(), it.q)).collect();
    assert_eq!(contacts, [("sip:carol@192.0.2.7".into(), 200), ("sip:dave@192.0.2.8".into(), 1_000)]);
    assert_eq!(follow(&mut bench, &[Vec::new(), [phone(8)].into()]), Ok(()));
    assert_eq!(bench.drain(), ["INVITE"]);
    assert_eq!(uris(&bench), ["sip:bob@192.0.2.8"]);
    assert_eq!(follow(&mut bench, &[]), Err(CommandError::Gone));
    let invite = bench.requests.remove(0);
    assert_eq!(bench.answer(&invite, 486, &[]), ["ACK", "302 INVITE"]);
    let left = bench.responses[0].headers().raw(HeaderId::Contact).unwrap();
    assert_eq!(left, b"<sip:carol@192.0.2.7>;q=0.2");
    bench.comes_to_rest();
}

#[test]
fn a_3xx_all_of_whose_contacts_are_tried_is_no_response_to_choose() {
    let (mut bench, _) = redirected(TWO);
    follow(&mut bench, &[[phone(7)].into(), [phone(8)].into()]).unwrap();
    assert_eq!(bench.drain(), ["INVITE", "INVITE"]);
    let calls = bench.requests.clone();
    assert_eq!(bench.answer(&calls[0], 486, &[]), ["ACK"]);
    assert_eq!(bench.answer(&calls[1], 404, &[]), ["ACK", "486 INVITE"]);
    bench.comes_to_rest();
}

#[test]
fn no_target_is_tried_twice() {
    let (mut bench, _) = redirected("<sip:bob@192.0.2.4>");
    follow(&mut bench, &[[bob()].into()]).unwrap();
    assert_eq!(bench.drain(), ["302 INVITE"]);
    assert_eq!(bench.responses[0].headers().raw(HeaderId::Contact), Some(&b"<sip:bob@192.0.2.4>"[..]));
}

/// RFC 5630 §5.3.
#[test]
fn a_sip_request_is_never_redirected_to_sips() {
    let (bench, sent) = redirected("<sips:carol@192.0.2.7>, <tel:+1>, *");
    assert_eq!(sent, ["ACK", "302 INVITE"]);
    assert!(bench.redirections.is_empty());
}

/// RFC 3261 §16.7 step 4; RFC 5630 §5.3.
#[test]
fn a_sips_request_is_never_redirected_to_sip() {
    let mut bench = Bench::with(|settings| settings.recursion = true);
    let tls = bench.proxy.listen(Listener::tls("192.0.2.3:5061".parse().unwrap()));
    bench.receive_request("INVITE", "sips:bob@biloxi.com", "");
    bench.forward(&[Target::new("sips:bob@192.0.2.4".parse().unwrap())]).unwrap();
    let mut opened = None;
    while let Some(output) = bench.proxy.poll() {
        if let Output::Open { listener, connection, .. } = output {
            assert_eq!(listener, tls);
            opened = Some(connection);
        }
    }
    let connection = opened.unwrap();
    let change = crate::Change::Opened { identities: &[] };
    bench.proxy.handle(bench.now, Input::Connection { connection, change });
    assert_eq!(bench.drain(), ["INVITE"]);
    let contacts = "<sip:carol@192.0.2.7>, <sips:dave@192.0.2.8>";
    let response = Response::to(&bench.requests[0], StatusCode::MOVED_TEMPORARILY);
    let response = response.to_tag("b").header(HeaderId::Contact, contacts).finish().unwrap();
    bench.proxy.handle(bench.now, Input::Stream { connection, bytes: response.as_bytes() });
    assert_eq!(bench.drain(), ["ACK"]);
    let asked: Vec<_> = bench.redirections[0].contacts.iter().map(|contact| contact.uri.to_string()).collect();
    assert_eq!(asked, ["sips:dave@192.0.2.8"]);
    follow(&mut bench, &[Vec::new()]).unwrap();
    assert_eq!(bench.drain(), ["302 INVITE"]);
    // What was not followed is the caller's to judge.
    assert_eq!(bench.responses[0].headers().raw(HeaderId::Contact), Some(contacts.as_bytes()));
}

#[test]
fn a_redirection_that_nobody_answers_follows_nothing() {
    let (mut bench, _) = redirected(TWO);
    assert!(!bench.wait(Duration::from_millis(9_999)).contains(&"302 INVITE".to_string()));
    assert_eq!(bench.wait(Duration::from_millis(1)), ["302 INVITE"]);
    assert_eq!(follow(&mut bench, &[[phone(8)].into()]), Err(CommandError::Gone));
    bench.comes_to_rest();
}

#[test]
fn after_a_cancel_nothing_is_followed() {
    let (mut bench, _) = redirected(TWO);
    assert_eq!(bench.receive("CANCEL"), ["200 CANCEL"]);
    follow(&mut bench, &[[phone(7)].into()]).unwrap();
    assert_eq!(bench.drain(), ["302 INVITE"]);
    bench.comes_to_rest();
}

/// RFC 3841 §9.1.
#[test]
fn the_caller_may_want_no_recursion() {
    let mut bench = Bench::with(|settings| settings.recursion = true);
    bench.receive_request("INVITE", "sip:bob@biloxi.com", "Request-Disposition: no-recurse\r\n");
    bench.forward(&[bob()]).unwrap();
    bench.drain();
    let invite = bench.requests.remove(0);
    assert_eq!(bench.answer(&invite, 302, &[(HeaderId::Contact, TWO)]), ["ACK", "302 INVITE"]);
}

#[test]
fn contacts_count_to_the_limit_of_targets() {
    let mut bench = Bench::with(|settings| (settings.recursion, settings.limits.targets) = (true, 2));
    bench.call(&[bob()]);
    let invite = bench.requests.remove(0);
    bench.answer(&invite, 302, &[(HeaderId::Contact, TWO)]);
    follow(&mut bench, &[[phone(7)].into(), [phone(8)].into()]).unwrap();
    assert_eq!(
        uris({
            bench.drain();
            &bench
        }),
        ["sip:bob@192.0.2.7"]
    );
    let invite = bench.requests.remove(0);
    assert_eq!(bench.answer(&invite, 486, &[]), ["ACK", "302 INVITE"]);
    assert_eq!(bench.responses[0].headers().raw(HeaderId::Contact), Some(&b"<sip:dave@192.0.2.8>"[..]));
}
