//! Credentials of every wrong form.

use super::{gate, invite, keyring, lines, logged_in, look_up, parameter, seconds};
use crate::auth::{Algorithm, Asker, Refusal, Settings};
use crate::message::HeaderId;
use alloc::format;

#[test]
fn each_parameter_must_be_there_and_be_good() {
    let both = |settings: &mut Settings| settings.algorithms = [Algorithm::MD5, Algorithm::MD5.session()].into();
    let mut gate = gate(Asker::Server, both);
    let sent = logged_in(&gate, &mut keyring(&["atlanta.com"]), &invite(1), seconds(0));
    let line = lines(&sent, HeaderId::Authorization)[0].clone();
    let mut verdict = |line: &str| {
        let changed = sent.edit().replace(HeaderId::Authorization, line).finish().unwrap();
        gate.check(&changed, seconds(0), look_up).map(drop)
    };
    assert_eq!(verdict(&line), Ok(()));
    let cnonce = format!(", cnonce=\"{}\"", parameter(&line, "cnonce").unwrap());
    let nonce = format!("nonce=\"{}\", ", parameter(&line, "nonce").unwrap());
    let response = format!("response=\"{}\", ", parameter(&line, "response").unwrap());
    for (part, other, expected) in [
        ("username=\"alice\", ", "", Refusal::Malformed),
        ("username=\"alice\"", "username=alice", Refusal::Malformed),
        ("username=\"alice\"", "username=\"alice\", username=\"alice\"", Refusal::Malformed),
        ("username=\"alice\"", "username=\"alice\", username*=UTF-8''alice", Refusal::Malformed),
        ("username=\"alice\"", "username=\"bob\"", Refusal::Wrong),
        (nonce.as_str(), "", Refusal::Malformed),
        (nonce.as_str(), "nonce=\"n\", ", Refusal::Stale),
        ("uri=\"sip:bob@biloxi.com\", ", "", Refusal::Malformed),
        ("uri=\"sip:bob@biloxi.com\"", "uri=sip", Refusal::Malformed),
        ("uri=\"sip:bob@biloxi.com\"", "uri=\"nonsense\"", Refusal::Malformed),
        ("uri=\"sip:bob@biloxi.com\"", "uri=\"sip:carol@biloxi.com\"", Refusal::Malformed),
        (response.as_str(), "", Refusal::Malformed),
        (response.as_str(), "response=0, ", Refusal::Malformed),
        (response.as_str(), "response=\"0\", ", Refusal::Wrong),
        (response.as_str(), "response=\"\", ", Refusal::Absent),
        ("algorithm=MD5", "algorithm=MD6", Refusal::Wrong),
        ("algorithm=MD5", "algorithm=SHA-256", Refusal::Wrong),
        ("algorithm=MD5", "algorithm=\"M D 5\"", Refusal::Malformed),
        ("algorithm=MD5", "algorithm=MD5-sess", Refusal::Wrong),
        (cnonce.as_str(), "", Refusal::Malformed),
        (cnonce.as_str(), ", cnonce=a", Refusal::Malformed),
        (", nc=00000001", "", Refusal::Malformed),
        (", nc=00000001", ", nc=1", Refusal::Malformed),
        (", nc=00000001", ", nc=00000000", Refusal::Malformed),
        (", nc=00000001", ", nc=0000000g", Refusal::Malformed),
        (", nc=00000001", ", nc=00000002", Refusal::Wrong),
        (", qop=auth", "", Refusal::Wrong),
        (", qop=auth", ", qop=auth-int", Refusal::Malformed),
        (", qop=auth", ", qop=conf", Refusal::Malformed),
        ("realm=\"atlanta.com\", ", "", Refusal::Absent),
        ("realm=\"atlanta.com\"", "realm=atlanta.com", Refusal::Absent),
        ("realm=\"atlanta.com\"", "realm=\"ATLANTA.com\"", Refusal::Absent),
        ("Digest ", "Basic ", Refusal::Absent),
        ("Digest ", "Digest, ", Refusal::Absent),
        ("qop=auth", "qop=auth,", Refusal::Absent),
    ] {
        assert!(line.contains(part), "{part} is not in {line}");
        assert_eq!(verdict(&line.replace(part, other)), Err(expected), "{part:?} as {other:?}");
    }
    // A session needs a client nonce, which is none without a quality of protection.
    let session = line.replace("algorithm=MD5", "algorithm=MD5-sess").replace(", qop=auth", "");
    assert_eq!(verdict(&session), Err(Refusal::Malformed));
    // Forms that many write otherwise are taken.
    for (part, other) in [
        ("qop=auth", "qop=\"auth\""),
        ("algorithm=MD5", "algorithm=\"md5\""),
        ("nc=00000001", "nc=\"00000001\""),
        ("Digest ", "digest  "),
        ("username=\"alice\"", "username=\"\\alice\""),
        ("realm=\"atlanta.com\"", "realm=\"atlanta\\.com\""),
    ] {
        assert_eq!(verdict(&line.replace(part, other)), Ok(()), "{other}");
    }
}

#[test]
fn an_octet_anywhere_is_no_reason_to_panic() {
    let mut gate = gate(Asker::Server, |_| ());
    let sent = logged_in(&gate, &mut keyring(&["atlanta.com"]), &invite(1), seconds(0));
    let line = lines(&sent, HeaderId::Authorization)[0].clone();
    for at in 0..line.len() {
        for octet in *b"\"\\=, \t\x01\xff'%*0" {
            let mut changed = line.clone().into_bytes();
            changed[at] = octet;
            let Ok(request) = sent.edit().replace(HeaderId::Authorization, &changed).finish() else { continue };
            let _ = gate.check(&request, seconds(0), look_up);
        }
    }
}
