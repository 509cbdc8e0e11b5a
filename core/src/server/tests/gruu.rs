//! Globally routable user agent URIs (RFC 5627).

use super::*;

const ONE: &str = "+sip.instance=\"<urn:uuid:f81d4fae-7dec-11d0-a765-00a0c91e6bf6>\"";
const OTHER: &str = "+sip.instance=\"<urn:uuid:00000000-0000-1000-8000-AABBCCDDEEFF>\"";

/// Bob registers one contact with these parameters; the Contacts of the response.
fn bind(bench: &mut Bench, call_id: &str, cseq: u32, contact: &str) -> (u16, Vec<String>) {
    let text = format!(
        "REGISTER sip:biloxi.com SIP/2.0
        Via: SIP/2.0/UDP 192.0.2.4;branch=z9hG4bKg{call_id}{cseq}
        Max-Forwards: 70
        To: <sip:bob@biloxi.com>
        From: <sip:bob@biloxi.com>;tag=1
        Call-ID: {call_id}
        CSeq: {cseq} REGISTER
        Supported: gruu
        Contact: {contact}
        Content-Length: 0"
    );
    let sent = bench.receive(BOB, &text);
    (sent[0].response().status().get(), sent[0].values(HeaderId::Contact))
}

/// The value of a parameter of a Contact.
fn gruu(contact: &str, name: &str) -> String {
    let (_, rest) = contact.split_once(&format!(";{name}=\"")).expect("the parameter");
    rest.split_once('"').expect("its end").0.into()
}

/// What comes of a call to `uri`.
fn call(bench: &mut Bench, uri: &str) -> Vec<String> {
    let number = bench.server.endpoint().stats().received;
    let sent = bench.receive(ALICE, &request("INVITE", uri, "").replace("nashds8", &format!("g{number}")));
    summaries(&sent).split_off(1)
}

/// The public one of RFC 5627 §3.1.1 and App. A.1.
#[test]
fn each_instance_has_a_public_one_and_one_that_is_new_each_time() {
    let mut bench = Bench::new();
    let (_, first) =
        bind(&mut bench, "1", 1, &format!("<sip:bob@192.0.2.4>;{ONE};pub-gruu=\"sip:x@y\";temp-gruu=\"sip:z\""));
    let public = gruu(&first[0], "pub-gruu");
    assert_eq!(public, "sip:bob@biloxi.com;gr=urn:uuid:f81d4fae-7dec-11d0-a765-00a0c91e6bf6");
    assert_eq!(first[0].matches("-gruu=").count(), 2);
    let (_, second) = bind(&mut bench, "1", 2, &format!("<sip:bob@192.0.2.4>;{ONE}"));
    let temporary = [&first, &second].map(|contacts| gruu(&contacts[0], "temp-gruu"));
    assert_ne!(temporary[0], temporary[1]);
    for temporary in &temporary {
        assert!(temporary.starts_with("sip:tgruu.") && temporary.ends_with("@biloxi.com;gr"), "{temporary}");
        assert!(!temporary.contains("bob"));
    }
    bind(&mut bench, "2", 1, &format!("<sip:bob@192.0.2.5>;{OTHER}"));
    // All of them lead to this instance and to no other; the address-of-record leads to both.
    for uri in [&public, &temporary[0], &temporary[1]] {
        assert_eq!(call(&mut bench, uri), ["INVITE 192.0.2.4:5060"], "{uri}");
    }
    assert_eq!(call(&mut bench, "sip:bob@biloxi.com").len(), 2);
    assert_eq!(call(&mut bench, &public.to_ascii_uppercase().replace("SIP:BOB", "sip:bob")).len(), 1);
}

/// App. A.2: all that were given since the Call-ID changed are good, and none is remembered.
#[test]
fn however_many_temporary_ones_there_are_all_are_good_and_cost_no_memory() {
    let mut bench = Bench::new();
    let mut given = Vec::new();
    let mut held = Vec::new();
    for number in 1..=100 {
        let (_, contacts) = bind(&mut bench, "1", number, &format!("<sip:bob@192.0.2.4>;{ONE}"));
        given.push(gruu(&contacts[0], "temp-gruu"));
        bench.wait(Duration::from_secs(33));
        held.push((bench.server.user().census(), bench.server.user().capacity()));
    }
    assert!(held.iter().all(|one| *one == held[0]), "{:?}", held.last());
    given.sort_unstable();
    given.dedup();
    assert_eq!(given.len(), 100);
    for temporary in [&given[0], &given[50], &given[99]] {
        assert_eq!(call(&mut bench, temporary), ["INVITE 192.0.2.4:5060"]);
    }
    bind(&mut bench, "2", 1, &format!("<sip:bob@192.0.2.4>;{ONE}"));
    for temporary in [&given[0], &given[50], &given[99]] {
        assert_eq!(call(&mut bench, temporary), ["404 192.0.2.1:5060"]);
    }
}

#[test]
fn a_changed_call_id_ends_the_temporary_ones_and_not_the_public_one() {
    let mut bench = Bench::new();
    let (_, before) = bind(&mut bench, "1", 1, &format!("<sip:bob@192.0.2.4>;{ONE}"));
    // The phone was restarted, and has another port: its old binding is still there.
    let (_, after) = bind(&mut bench, "2", 1, &format!("<sip:bob@192.0.2.4:5070>;{ONE}"));
    assert_eq!(after.len(), 2);
    assert_eq!(call(&mut bench, &gruu(&before[0], "temp-gruu")), ["404 192.0.2.1:5060"]);
    assert_eq!(call(&mut bench, &gruu(&after[1], "temp-gruu")), ["INVITE 192.0.2.4:5070"]);
    // §6.1: of several contacts of an instance the one that was refreshed last.
    bench.wait(Duration::from_secs(1));
    bind(&mut bench, "1", 2, &format!("<sip:bob@192.0.2.4>;{ONE}"));
    assert_eq!(call(&mut bench, &gruu(&after[1], "pub-gruu")), ["INVITE 192.0.2.4:5060"]);
}

#[test]
fn when_the_last_contact_is_gone_the_public_one_is_480_and_temporary_ones_are_404() {
    let mut bench = Bench::new();
    let (_, contacts) = bind(&mut bench, "1", 1, &format!("<sip:bob@192.0.2.4>;{ONE}"));
    let (public, temporary) = (gruu(&contacts[0], "pub-gruu"), gruu(&contacts[0], "temp-gruu"));
    bind(&mut bench, "1", 2, &format!("<sip:bob@192.0.2.4>;{ONE};expires=0"));
    assert_eq!(call(&mut bench, &public), ["480 192.0.2.1:5060"]);
    assert_eq!(call(&mut bench, &temporary), ["404 192.0.2.1:5060"]);
}

#[test]
fn one_that_was_not_made_here_is_404() {
    let mut bench = Bench::new();
    let (_, contacts) = bind(&mut bench, "1", 1, &format!("<sip:bob@192.0.2.4>;{ONE}"));
    let temporary = gruu(&contacts[0], "temp-gruu");
    for place in [10, 30, 60, 80] {
        let mut forged = temporary.clone().into_bytes();
        forged[place] = if forged[place] == b'0' { b'1' } else { b'0' };
        assert_eq!(call(&mut bench, core::str::from_utf8(&forged).unwrap()), ["404 192.0.2.1:5060"], "{place}");
    }
    let cut = temporary.replacen("tgruu.", "tgruu.00", 1);
    for uri in [
        &*cut,
        "sip:tgruu.@biloxi.com;gr",
        "sip:tgruu.0g@biloxi.com;gr",
        "sip:bob@biloxi.com;gr",
        "sip:carol@biloxi.com;gr=urn:x",
    ] {
        assert_eq!(call(&mut bench, uri), ["404 192.0.2.1:5060"], "{uri}");
    }
    // An instance that the user does not have now.
    assert_eq!(call(&mut bench, "sip:bob@biloxi.com;gr=urn:x"), ["480 192.0.2.1:5060"]);
}

#[test]
fn only_those_who_know_of_them_get_any() {
    let mut bench = Bench::new();
    let (_, without_instance) = bind(&mut bench, "1", 1, "<sip:bob@192.0.2.4>");
    assert_eq!(without_instance, ["<sip:bob@192.0.2.4>;expires=3600"]);
    bench.bind(&format!("<sip:bob@192.0.2.5>;{ONE}"));
    let sent = bench.receive(
        BOB,
        &request("REGISTER", "sip:biloxi.com", "")
            .replace("alice@atlanta", "bob@biloxi")
            .replace("Contact", "X-Contact"),
    );
    assert!(sent[0].values(HeaderId::Contact).iter().all(|contact| !contact.contains("gruu")), "{sent:?}");
}

/// §5.1: calls would go round in a circle.
#[test]
fn an_instance_cannot_be_bound_to_the_user_itself() {
    let mut bench = Bench::new();
    let contacts = ["<sip:bob@biloxi.com>", "<sip:bob@biloxi.com;gr=urn:x>", "<tel:+1-201-555-0123>"];
    for (contact, cseq) in contacts.into_iter().zip(1..) {
        assert_eq!(bind(&mut bench, "1", cseq, &format!("{contact};{ONE}")).0, 403, "{contact}");
    }
    assert!(bench.server.bindings("bob@biloxi.com").is_empty());
}
