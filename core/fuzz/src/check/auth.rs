//! Digest: what peers write is answered, judged or ignored; what is answered can be written; nobody passes without the secret.

use sansip::auth::{Asker, Fields, Gate, Ha1, Keyring, Limits, Login, Outcome, Scope, Secret, Settings, Unknown};
use sansip::message::header::{Authorization, Credentials, ProxyAuthorization};
use sansip::message::{BuildError, HeaderId, Message, Method, Request, Response, Uri};
use sansip::{Instant, Random, Script, Seed};

/// A message with challenges or credentials.
pub(crate) fn of_message(message: &Message) {
    match message {
        Message::Request(request) => judged(request),
        Message::Response(response) => answered(response),
    }
}

/// The realms that the credentials of a request name.
fn realms(request: &Request, asker: Asker) -> Vec<String> {
    let headers = request.headers();
    let all: Vec<Credentials<'_>> = match asker {
        Asker::Server => headers.all::<Authorization<'_>>().flatten().map(|value| value.0).collect(),
        Asker::Proxy => headers.all::<ProxyAuthorization<'_>>().flatten().map(|value| value.0).collect(),
    };
    let realm = |credentials| match credentials {
        Credentials::Digest(digest) => String::from_utf8(digest.realm.to_text().into_owned()).ok(),
        Credentials::Other { .. } => None,
    };
    all.into_iter().filter_map(realm).collect()
}

/// No credentials that were not made here pass a gate of their own realm.
fn judged(request: &Request) {
    let mut random = Random::new(Seed::from_u64(1), Script::default());
    let is_exempt = matches!(request.method(), Method::Ack | Method::Cancel);
    for asker in [Asker::Server, Asker::Proxy] {
        for realm in realms(request, asker) {
            let Ok(mut gate) = Gate::new(asker, Settings::new(&realm), [1; 16]) else { continue };
            let look_up = |claim: &sansip::auth::Claim| Some(Ha1::of(claim.algorithm().function, "", &realm, ""));
            match gate.check(request, Instant::ZERO, look_up) {
                Ok(pass) => assert!(is_exempt && pass.is_none()),
                Err(refusal) => {
                    let (status, fields) = gate.refuse(refusal, Instant::ZERO, &mut random);
                    assert_eq!(fields.is_empty(), status.get() == 400);
                }
            }
            assert_eq!(gate.uses(), 0);
        }
    }
    is_written(&Fields::of(request), request);
    is_written(&Keyring::new(Limits::default()).authorize((), request), request);
}

/// Whatever a server or a proxy asks for, the answer is a request.
fn answered(response: &Response) {
    let mut random = Random::new(Seed::from_u64(1), Script::default());
    let mut keyring = Keyring::new(Limits::default());
    keyring.insert((), Scope::Any, Login::new("alice", Secret::password("s3cret"))).expect("a login");
    let uri = Uri::parse(b"sip:bob@biloxi.com").expect("a URI");
    let sent = Request::builder(Method::Invite, uri)
        .header(HeaderId::From, "<sip:alice@atlanta.com>;tag=1")
        .header(HeaderId::To, "<sip:bob@biloxi.com>")
        .header(HeaderId::CallId, "1")
        .header(HeaderId::CSeq, "1 INVITE");
    let mut sent = sent.finish().expect("a request");
    // The second time only a stale nonce has another answer.
    for _ in 0..2 {
        let Outcome::Again(fields) = keyring.answer((), &sent, response, Unknown::Ask, &mut random) else { break };
        assert!((1..=Limits::default().realms).contains(&fields.iter().count()));
        let Some(again) = is_written(&fields, &sent) else { break };
        let count = |asker| realms(&again, asker).len();
        assert_eq!(count(Asker::Server) + count(Asker::Proxy), fields.iter().count());
        sent = again;
    }
    let _ = keyring.hear((), &sent, response);
}

/// Credentials can be written into a request, if there is room for them.
fn is_written(fields: &Fields, request: &Request) -> Option<Request> {
    match fields.edit(request.edit()).finish() {
        Ok(request) => Some(request),
        Err(error) => {
            assert_eq!(error, BuildError::TooLong, "{request:?}");
            None
        }
    }
}
