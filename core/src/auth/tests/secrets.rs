//! No password, hash or proof stands in a `Debug`.

use super::{PASSWORD, challenged, gate, invite, keyring, lines, logged_in, look_up, parameter, random, seconds};
use crate::auth::{Asker, Ha1, HashFunction, Login, Outcome, Reading, Secret, Unknown};
use crate::message::HeaderId;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

#[test]
fn nothing_secret_is_shown() {
    let mut gate = gate(Asker::Server, |_| ());
    let mut keyring = keyring(&["atlanta.com"]);
    let sent = logged_in(&gate, &mut keyring, &invite(1), seconds(0));
    let Reading::Claimed(claim) = gate.read(&sent, seconds(0)) else { panic!("no claim") };
    let ha1 = look_up(&claim).unwrap();
    let hash: String = ha1.digits().as_str().into();
    let proof = parameter(&lines(&sent, HeaderId::Authorization)[0], "response").unwrap();
    let reading = format!("{:?}", gate.read(&sent, seconds(0)));
    let pass = gate.verify(claim.clone(), Some(&ha1), seconds(0)).unwrap();
    let info = gate.info(&pass, b"", seconds(0), &mut random(1));
    let response = challenged(&invite(1), 401, &["realm=\"atlanta.com\", nonce=\"n\""]);
    let outcome = keyring.answer((), &invite(1), &response, Unknown::Ask, &mut random(1));
    assert!(matches!(outcome, Outcome::Again(_)));
    let hashes = Secret::hashes([ha1.clone()]);
    let mut shown: Vec<String> = Vec::new();
    shown.extend([format!("{gate:?}"), format!("{keyring:?}"), format!("{claim:?}"), reading, format!("{pass:?}")]);
    shown.extend([format!("{info:?}"), format!("{outcome:?}"), format!("{ha1:?}"), format!("{hashes:?}")]);
    shown.push(format!("{:?}", Login::new("alice", Secret::password(PASSWORD))));
    for text in shown {
        for secret in [PASSWORD, &hash, &proof, "0123456789abcdef", "48, 49, 50"] {
            assert!(!text.contains(secret), "{secret} in {text}");
        }
    }
}

#[test]
fn a_hash_is_read_just_if_it_is_one_of_its_function() {
    let digits = "4c00389f118405a62dc666c595d7e0d8";
    let ha1 = Ha1::parse(HashFunction::Md5, &digits.to_uppercase()).unwrap();
    assert!(ha1.is_same(&Ha1::of(HashFunction::Md5, "alice", "atlanta.com", "secret")));
    assert!(!ha1.is_same(&Ha1::of(HashFunction::Md5, "alice", "atlanta.com", "Secret")));
    assert!(Ha1::parse(HashFunction::Sha256, digits).is_none());
    assert!(Ha1::parse(HashFunction::Md5, &digits.replace('4', "g")).is_none());
    assert!(Ha1::parse(HashFunction::Md5, &"0".repeat(70)).is_none());
}
