//! Values that were received and are written again: folds, quoted-pairs and control octets in them.

use super::*;

/// The pieces of a quoted string, and how each reads when it is written again; `None` where the value is malformed.
const PIECES: [(&str, Option<&str>); 9] = [
    ("plain", Some("plain")),
    ("a\r\n b", Some("a b")),
    ("a \t\r\n\t  b", Some("a b")),
    ("\\\"", Some("\\\"")),
    ("\\\0", Some("\\\0")),
    ("\u{e9}", Some("\u{e9}")),
    ("\0", None),
    ("\u{1}", None),
    ("\u{7f}", None),
];

/// All strings of up to three pieces.
fn generated() -> Vec<(String, Option<String>)> {
    let mut all = Vec::new();
    for (one, one_again) in PIECES {
        for (two, two_again) in PIECES {
            for (three, three_again) in PIECES {
                let again = one_again.zip(two_again).zip(three_again);
                all.push((
                    format!("{one}-{two}-{three}"),
                    again.map(|((one, two), three)| format!("{one}-{two}-{three}")),
                ));
            }
        }
    }
    all
}

fn register(bench: &mut Bench, number: usize, contact: &str) -> Vec<Sent> {
    let text = format!(
        "REGISTER sip:registrar.biloxi.com SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.4;branch=z9hG4bK{number}\r\n\
         Max-Forwards: 70\r\nTo: Bob <sip:bob@biloxi.com>\r\nFrom: Bob <sip:bob@biloxi.com>;tag=456248\r\n\
         Call-ID: 843817637684230\r\nCSeq: {number} REGISTER\r\n{contact}Content-Length: 0\r\n\r\n"
    );
    bench.receive_bytes(BOB, text.as_bytes())
}

#[test]
fn a_register_is_answered_whatever_stands_in_a_parameter_of_its_contact() {
    let mut bench = Bench::new();
    let mut number = 0;
    for (value, again) in generated() {
        number += 2;
        let sent = register(&mut bench, number, &format!("Contact: <sip:bob@192.0.2.4>;expires=60;x=\"{value}\"\r\n"));
        assert_eq!(sent.len(), 1, "{value:?}");
        let status = if again.is_some() { StatusCode::OK } else { StatusCode::BAD_REQUEST };
        assert_eq!(sent[0].response().status(), status, "{value:?}");
        // The user is served as before: the bindings can be listed.
        let listed = register(&mut bench, number + 1, "");
        assert_eq!(listed[0].response().status(), StatusCode::OK, "{value:?}");
        if let Some(again) = again {
            let contact = format!("<sip:bob@192.0.2.4>;x=\"{again}\";expires=60");
            assert_eq!(listed[0].values(HeaderId::Contact), [contact], "{value:?}");
        }
    }
    bench.comes_to_rest();
    assert_eq!(bench.server.endpoint().census().server_transactions, 0);
}

#[test]
fn a_challenge_of_a_losing_branch_goes_on_unfolded_or_not_at_all() {
    for (value, again) in generated() {
        let mut bench = Bench::new();
        bench.register(2);
        let sent = bench.receive(ALICE, &invite());
        let calls: Vec<Sent> = sent.into_iter().filter(|sent| matches!(sent.message, Message::Request(_))).collect();
        bench.answer_with(&calls[0], 407, &[(HeaderId::ProxyAuthenticate, r#"Digest realm="a", nonce="1""#)]);
        let losing = Response::to(calls[1].request(), StatusCode::PROXY_AUTHENTICATION_REQUIRED)
            .to_tag("losing")
            .header(HeaderId::ProxyAuthenticate, r#"Digest realm="b", nonce="VALUE""#)
            .finish()
            .unwrap();
        let losing = String::from_utf8(losing.as_bytes().to_vec()).unwrap().replace("VALUE", &value);
        let sent = bench.receive_bytes(&calls[1].to, losing.as_bytes());
        let mut challenges = Vec::from([String::from(r#"Digest realm="a", nonce="1""#)]);
        challenges.extend(again.map(|again| format!("Digest realm=\"b\", nonce=\"{again}\"")));
        let best = sent.iter().find(|sent| matches!(sent.message, Message::Response(_)));
        let best = best.unwrap_or_else(|| panic!("no answer to Alice: {value:?}"));
        assert_eq!(best.values(HeaderId::ProxyAuthenticate), challenges, "{value:?}");
        bench.comes_to_rest();
    }
}
