//! The client half against the server half, over generated users, realms, algorithms and qualities.

use super::{fields, in_call, lines, parameter, random, seconds, text};
use crate::auth::{Algorithm, Asker, Gate, Ha1, Keyring, Limits, Login, Refusal, Scope, Secret, ServerProof, Settings};
use crate::auth::{Unknown, UserName, hashed_user};
use crate::message::{HeaderId, Request, Response, StatusCode};
use crate::random::Random;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

const ALGORITHMS: [Algorithm; 6] = [
    Algorithm::MD5,
    Algorithm::MD5.session(),
    Algorithm::SHA_256,
    Algorithm::SHA_256.session(),
    Algorithm::SHA_512_256,
    Algorithm::SHA_512_256.session(),
];

/// A text with what may give trouble: quotes, backslashes, commas, equal signs, white space, more than ASCII.
fn odd_text(random: &mut Random, colon: bool) -> String {
    const ODD: [char; 16] =
        ['"', '\\', ',', '=', ' ', '\t', '\u{e4}', '\u{1f600}', '\u{7f}', '\u{1}', '%', '\'', '@', ';', '<', ':'];
    let length = random.below(12);
    (0..length)
        .map(|_| match random.below(2) {
            0 => ODD[random.below(if colon { 16 } else { 15 }) as usize],
            _ => char::from(b'a' + random.below(26) as u8),
        })
        .collect()
}

/// One user at one gate.
struct Case {
    user: String,
    password: String,
    asker: Asker,
    qop: &'static str,
    gate: Gate,
    keyring: Keyring,
}

impl Case {
    fn new(random: &mut Random) -> Self {
        let (user, password, realm) = (odd_text(random, false), odd_text(random, true), odd_text(random, true));
        let asker = [Asker::Server, Asker::Proxy][random.below(2) as usize];
        let mut settings = Settings::new(&realm);
        let first = random.below(6) as usize;
        settings.algorithms =
            ALGORITHMS.iter().cycle().skip(first).take(1 + random.below(6) as usize).copied().collect();
        settings.offers_integrity = random.below(2) == 0;
        settings.hashes_users = random.below(2) == 0;
        settings.opaque = (random.below(2) == 0).then(|| odd_text(random, true));
        let qop = match random.below(3) {
            0 if settings.offers_integrity => "auth-int",
            1 if settings.algorithms.iter().all(|algorithm| !algorithm.is_session) => "",
            _ => "auth",
        };
        let mut keyring = Keyring::new(Limits::default());
        let secret = match random.below(2) {
            0 => Secret::password(&password),
            _ => Secret::hashes(
                ALGORITHMS
                    .into_iter()
                    .step_by(2)
                    .map(|algorithm| Ha1::of(algorithm.function, &user, &realm, &password)),
            ),
        };
        let scope = if random.below(2) == 0 { Scope::realm(&realm) } else { Scope::host("biloxi.com").unwrap() };
        keyring.insert((), scope, Login::new(&user, secret)).unwrap();
        let gate = Gate::new(asker, settings, random.hash_key()).unwrap();
        Self { user, password, asker, qop, gate, keyring }
    }

    fn check(&mut self, request: &Request) -> Result<Option<crate::auth::Pass>, Refusal> {
        let (user, password) = (&self.user, &self.password);
        self.gate.check(request, seconds(2), |claim| {
            let function = claim.algorithm().function;
            let is_user = match claim.user() {
                UserName::Clear(name) => **name == **user,
                UserName::Hashed(digits) => *digits == hashed_user(function, user, claim.realm()),
            };
            is_user.then(|| Ha1::of(function, user, claim.realm(), password))
        })
    }

    /// The challenge as the client sees it: with this quality only.
    fn challenge(&self, request: &Request, random: &mut Random) -> Response {
        let (status, fields) = self.gate.refuse(Refusal::Absent, seconds(1), random);
        let response = fields.add_to_response(Response::to(request, status)).finish().unwrap();
        let id = self.asker.challenge();
        let offered = if self.qop.is_empty() { String::new() } else { format!(" qop=\"{}\",", self.qop) };
        let values = response.headers().iter().filter(|field| field.name == id.into()).map(|field| {
            text(field.value).replace(" qop=\"auth,auth-int\",", &offered).replace(" qop=\"auth\",", &offered)
        });
        let values: Vec<String> = values.collect();
        values.into_iter().fold(response.edit().remove(id), |edit, value| edit.append(id, value)).finish().unwrap()
    }
}

fn generated(random: &mut Random, number: u64) -> Request {
    let method = ["INVITE", "REGISTER", "MESSAGE", "X-odd"][random.below(4) as usize];
    let uri = ["sip:bob@biloxi.com", "sip:biloxi.com;transport=tcp", "sips:b%20b@biloxi.com:5061?a=b"]
        [random.below(3) as usize];
    let body = odd_text(random, true);
    in_call(&format!("call{number}"), method, uri, 1, "", &body)
}

#[test]
fn what_the_client_answers_the_server_lets_through() {
    let mut random = random(42);
    for number in 0..1_500 {
        let mut case = Case::new(&mut random);
        let first = generated(&mut random, number);
        assert_eq!(case.check(&first).unwrap_err(), Refusal::Absent);
        let response = case.challenge(&first, &mut random);
        let outcome = case.keyring.answer((), &first, &response, Unknown::Ask, &mut random);
        let sent = super::again(&first, &fields(outcome));
        let pass = case.check(&sent).unwrap_or_else(|refusal| panic!("{refusal:?} {}", text(sent.as_bytes()))).unwrap();
        assert_eq!(pass.realm(), case.gate.realm());
        // The server proves itself, if there is a quality of protection.
        let info = case.gate.info(&pass, b"body", seconds(2), &mut random);
        let ok =
            info.add_to_response(Response::to(&sent, StatusCode::OK)).body("text/plain", b"body").finish().unwrap();
        let is_proved = case.asker == Asker::Server && !case.qop.is_empty();
        let expected = if is_proved { ServerProof::Good } else { ServerProof::Absent };
        assert_eq!(case.keyring.hear((), &sent, &ok), expected);
        // The next request of the call needs no challenge, but where a nonce is good for one.
        let next = in_call(&format!("call{number}"), "INFO", "sip:bob@biloxi.com", 9, "", "x");
        let next = case.keyring.authorize((), &next).edit(next.edit()).finish().unwrap();
        let verdict = case.check(&next).map(drop);
        assert_eq!(verdict, if case.qop.is_empty() { Err(Refusal::Replayed) } else { Ok(()) });
        // With another password nothing of it passes.
        case.password.push('x');
        assert_eq!(case.check(&sent).unwrap_err(), Refusal::Wrong);
    }
}

/// The value with one octet of a parameter's text changed to another letter or digit.
fn changed(value: &str, name: &str, random: &mut Random) -> String {
    let old = parameter(value, name).unwrap();
    let places: Vec<usize> =
        old.bytes().enumerate().filter(|(_, octet)| octet.is_ascii_alphanumeric()).map(|(at, _)| at).collect();
    let at = places[random.below(places.len() as u64) as usize];
    let mut new = old.clone().into_bytes();
    new[at] = if new[at] == b'7' { b'8' } else { b'7' };
    value.replacen(&format!("{name}=\"{old}\""), &format!("{name}=\"{}\"", text(&new)), 1)
}

#[test]
fn one_octet_changed_is_never_let_through() {
    let mut random = random(43);
    let mut verdicts = [0; 3];
    for number in 0..1_500 {
        let mut case = Case::new(&mut random);
        let first = generated(&mut random, number);
        let response = case.challenge(&first, &mut random);
        let outcome = case.keyring.answer((), &first, &response, Unknown::Ask, &mut random);
        let sent = super::again(&first, &fields(outcome));
        let id = case.asker.credentials();
        let line = lines(&sent, id).remove(0);
        let edit = sent.edit();
        let other_method;
        let forged = match random.below(5) {
            0 => edit.replace(id, changed(&line, "response", &mut random)),
            1 => edit.replace(id, changed(&line, "nonce", &mut random)),
            // The Request-URI goes with it, so that it is the digest that finds it.
            2 => {
                let line = line.replacen("uri=\"sip", "uri=\"SIP", 1);
                edit.replace(id, line)
            }
            3 if case.qop == "auth-int" => edit.body("text/plain", b"another body"),
            _ => {
                let text = text(sent.as_bytes());
                let method = sent.method().as_str();
                let text = text.replacen(method, "OPTIONS", 1).replacen(&format!("2 {method}"), "2 OPTIONS", 1);
                let parsed = crate::message::Message::parse(text.as_bytes(), &crate::message::Limits::default());
                let Ok(crate::message::Message::Request(request)) = parsed else { panic!("no request") };
                other_method = request;
                other_method.edit().append(HeaderId::Subject, "x")
            }
        };
        let forged = forged.finish().unwrap();
        match case.check(&forged).map(drop) {
            Err(Refusal::Wrong) => verdicts[0] += 1,
            Err(Refusal::Stale) => verdicts[1] += 1,
            other => panic!("{other:?}: {}", text(forged.as_bytes())),
        }
        assert_eq!(case.gate.uses(), 0);
    }
    assert!(verdicts[0] > 500 && verdicts[1] > 200, "{verdicts:?}");
}
