//! A keyring's answers to the challenges of RFC 3665 have the parameters of the printed credentials.
//!
//! The values that come from a nonce are not compared: where the RFC prints them they are made up, and the credentials leave out the
//! `qop` that their challenge offers (RFC 3261 §22.4 wants it sent).

use std::fs;
use std::path::Path;

use sansip::auth::{Keyring, Limits, Login, Outcome, Scope, Secret, Unknown};
use sansip::message::header::{Credentials, Header, ProxyAuthorization};
use sansip::message::{self, HeaderId, Message, Request, Response};
use sansip::{Random, Script, Seed};

use crate::samples::folder;

/// A flow of the RFC, and the files in it: a request, the response to it, and the request that the RFC sends then.
type Step = [&'static str; 3];

const FLOWS: [(&str, &str, &[Step]); 4] = [
    ("2.1_successful-new-registration", "bob", &[["F01_REGISTER", "F02_401", "F03_REGISTER"]]),
    ("2.5_unsuccessful-registration", "bob", &[["F01_REGISTER", "F02_401", "F03_REGISTER"]]),
    ("3.2_session-establishment-through-two-proxies", "alice", &[["F01_INVITE", "F02_407", "F04_INVITE"]]),
    (
        "3.3_session-with-multiple-proxy-authentication",
        "alice",
        &[["F01_INVITE", "F02_407", "F04_INVITE"], ["F04_INVITE", "F09_407", "F11_INVITE"]],
    ),
];

fn read(flow: &Path, file: &str) -> Message {
    let bytes = fs::read(flow.join(format!("{file}.sip"))).expect("a file");
    Message::parse(&bytes, &message::Limits::default()).expect("a message")
}

fn request(flow: &Path, file: &str) -> Request {
    let Message::Request(request) = read(flow, file) else { panic!("{file} is no request") };
    request
}

fn response(flow: &Path, file: &str) -> Response {
    let Message::Response(response) = read(flow, file) else { panic!("{file} is no response") };
    response
}

/// The text of the parameters that do not come from a nonce, for each field. The RFC leaves a comma out between two of them, so that
/// its credentials cannot be read as they should.
fn shown(request: &Request) -> Vec<[String; 4]> {
    let fields = request.headers().iter().filter(|field| {
        [HeaderId::Authorization, HeaderId::ProxyAuthorization].iter().any(|id| field.name == (*id).into())
    });
    let text = |value: &[u8], name: &str| {
        let value = String::from_utf8_lossy(value).into_owned();
        let (_, rest) = value.split_once(&format!("{name}=\"")).unwrap_or_else(|| panic!("no {name} in {value}"));
        rest.split('"').next().unwrap_or_default().to_owned()
    };
    fields.map(|field| ["username", "realm", "opaque", "uri"].map(|name| text(field.value, name))).collect()
}

#[test]
fn the_flows_of_rfc_3665_are_answered() {
    let Some(folder) = folder() else { return };
    for (flow, user, steps) in FLOWS {
        let folder = folder.join("rfc3665").join(flow);
        let mut random = Random::new(Seed::from_u64(1), Script::default());
        let mut keyring = Keyring::new(Limits::default());
        let login = Login::new(user, Secret::password("zanzibar"));
        keyring.insert((), Scope::Any, login).expect("a login");
        // The request that we have sent, once the first challenge is answered.
        let mut own = None;
        for [first, challenge, then] in steps {
            let sent = own.unwrap_or_else(|| request(&folder, first));
            let challenge = response(&folder, challenge);
            let outcome = keyring.answer((), &sent, &challenge, Unknown::Ask, &mut random);
            let Outcome::Again(fields) = outcome else { panic!("{flow}: {outcome:?}") };
            let again = fields.edit(sent.edit()).finish().expect("a request");
            assert_eq!(shown(&again), shown(&request(&folder, then)), "{flow}");
            for (_, value) in fields.iter() {
                let Ok(ProxyAuthorization(Credentials::Digest(digest))) = ProxyAuthorization::parse(value) else {
                    panic!("{flow}: no credentials");
                };
                assert_eq!((digest.qop, digest.algorithm), (Some("auth"), Some("MD5")), "{flow}");
            }
            own = Some(again);
        }
    }
}

/// RFC 3665 §2.5: the password is wrong, and nothing more is sent.
#[test]
fn a_second_challenge_without_stale_is_the_end() {
    let Some(folder) = folder() else { return };
    let flow = folder.join("rfc3665").join("2.5_unsuccessful-registration");
    let mut random = Random::new(Seed::from_u64(1), Script::default());
    let mut keyring = Keyring::new(Limits::default());
    keyring.insert((), Scope::Any, Login::new("bob", Secret::password("wrong"))).expect("a login");
    let first = request(&flow, "F01_REGISTER");
    let outcome = keyring.answer((), &first, &response(&flow, "F02_401"), Unknown::Ask, &mut random);
    let Outcome::Again(fields) = outcome else { panic!("{outcome:?}") };
    let again = fields.edit(first.edit()).finish().expect("a request");
    let outcome = keyring.answer((), &again, &response(&flow, "F04_401"), Unknown::Ask, &mut random);
    assert!(matches!(outcome, Outcome::Rejected(_)), "{outcome:?}");
}
