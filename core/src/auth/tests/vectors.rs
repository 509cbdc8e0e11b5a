//! The computation against the examples of the RFCs and against another implementation.

use super::{fields, lines, request, response, seconds, text};
use crate::auth::digest::{Digested, Key, Protection};
use crate::auth::{Algorithm, Asker, Gate, Ha1, Keyring, Limits, Login, Scope, Secret, Settings, Unknown};
use crate::auth::{HashFunction, Qop, Reading, Refusal, UserName, hashed_user};
use crate::message::HeaderId;
use crate::random::{Random, Script, Seed};
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

const NONCE_7616: &[u8] = b"7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v";
const CNONCE_7616: &[u8] = b"f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ";

fn response_of(algorithm: Algorithm, ha1: &Ha1, nonce: &[u8], uri: &[u8], cnonce: &[u8]) -> alloc::string::String {
    let protection = Some(Protection { qop: Qop::Auth, count: 1, cnonce });
    let digested = Digested { algorithm, nonce, uri, protection };
    let key = Key::new(algorithm, ha1, nonce, cnonce);
    digested.response(&key, "GET", || digested.body(b"")).as_str().into()
}

/// RFC 7616 §3.9.1, with the password of erratum 4495.
#[test]
fn md5_and_sha_256() {
    for (algorithm, expected) in [
        (Algorithm::MD5, "8ca523f5e9506fed4657c9700eebdbec"),
        (Algorithm::SHA_256, "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1"),
    ] {
        let ha1 = Ha1::of(algorithm.function, "Mufasa", "http-auth@example.org", "Circle of Life");
        assert_eq!(response_of(algorithm, &ha1, NONCE_7616, b"/dir/index.html", CNONCE_7616), expected);
    }
}

/// RFC 7616 §3.9.2, with the values of erratum 4897.
#[test]
fn sha_512_256_and_a_hashed_user() {
    const USER: &str = "J\u{e4}s\u{f8}n Doe";
    let algorithm = Algorithm::SHA_512_256;
    let ha1 = Ha1::of(algorithm.function, USER, "api@example.org", "Secret, or not?");
    assert_eq!(
        response_of(
            algorithm,
            &ha1,
            b"5TsQWLVdgBdmrQ0XsxbDODV+57QdFR34I9HAbC/RVvkK",
            b"/doe.json",
            b"NTg6RKcb9boFIAS3KrFK9BGeh+iDa/sm6jUMp2wds69v"
        ),
        "3798d4131c277846293534c3edc11bd8a5e4cdcbff78b05db9d95eeb1cec68a5"
    );
    assert_eq!(
        &*hashed_user(algorithm.function, USER, "api@example.org"),
        "793263caabb707a56211940d90411ea4a575adeccb7e360aeb624ed06ece9b0b"
    );
}

/// RFC 2617 §3.5.
#[test]
fn the_first_example_of_all() {
    let ha1 = Ha1::of(HashFunction::Md5, "Mufasa", "testrealm@host.com", "Circle Of Life");
    assert_eq!(
        response_of(Algorithm::MD5, &ha1, b"dcd98b7102dd2f0e8b11d0f600bfb0c093", b"/dir/index.html", b"0a4f113b"),
        "6629fae49393a05397450978507c4ef1"
    );
}

/// Computed with Python's `hashlib` (`md5`, `sha256`, `sha512_256`) by the formulas of RFC 7616 §3.4.1 to §3.4.3 and §3.5:
/// response and rspauth of alice at atlanta.com with the password s3cret.
#[test]
fn another_implementation_computes_the_same() {
    #[rustfmt::skip]
    const CASES: [(Algorithm, Option<Qop>, &str, &str); 15] = [
        (Algorithm::MD5, None, "54913bd0d5bc9f9ee2461e88734d1ea9", "c141083b166379db0c36794e0bf0988b"),
        (Algorithm::MD5, Some(Qop::Auth), "68b321a32ee8e2d7363c1787464c974a", "e7f8b215056c6c3ca54ec9b4e08fe586"),
        (Algorithm::MD5, Some(Qop::AuthInt), "d0832fe1212bc5aa7e46fa155758ad17", "d17f406b2e509781a25d94140e583ebe"),
        (Algorithm::MD5.session(), Some(Qop::Auth), "d5a1bb1b00918ea64b4214ba696b5f8c", "e4b0daa8ebf9dce4fdc4c75d75cf998f"),
        (Algorithm::MD5.session(), Some(Qop::AuthInt), "380e2264c1975a0a48a6ec8df301137d", "f16ff1387fd3245aff41a72544292826"),
        (Algorithm::SHA_256, None, "114034088c2086a312a4d3e59965ed62af1a7c4d2b6072716e6c07dbf34d9d66", "16d101c66d8c0ab049f8efa501abc111124b3c8c6f8051c126bdfc4a3067f28e"),
        (Algorithm::SHA_256, Some(Qop::Auth), "91f1cf0fc3758e0f949168abebfadfca663b21819a95087b83321f07222b3614", "0ad096a0bede9a91394455180fedd357dc9c2c0da8472a0d9082da4b60028de5"),
        (Algorithm::SHA_256, Some(Qop::AuthInt), "fbf87c9b493153ef2fc3bd2d0f6b92d1547523a6ef9ae91961ef4cc4a045e209", "d101b9699caafc1e2f702603e0e06ea0ba0888ea02e631995871e460d0a4bfb1"),
        (Algorithm::SHA_256.session(), Some(Qop::Auth), "5fb265f1e348ddd2437bc8b96288be1b0808d00077f4ea76f5034fe9294addc3", "8e6731914035e6f4218b5451fe4e98d44f6d2cc34cbb793c2ee38895291ddea3"),
        (Algorithm::SHA_256.session(), Some(Qop::AuthInt), "cf99b3fa5b4e7cb2c866c14d741b1d433897493eb256c9ac96b8edc33202c33e", "ff363877b1e934ccd73c165ba829adad33dce8782b497ff3430d0d9c8e601497"),
        (Algorithm::SHA_512_256, None, "60d99488ebb96cc5609c643ae5b7bce0d93ba5ed5406dcfe314c17ab619506ad", "5340f4e93e4f649f0dd3b414b6ec244092ea776c02a746ef365bee37f0b395db"),
        (Algorithm::SHA_512_256, Some(Qop::Auth), "5f7dd3f9d26e8551eff000669ff56a93a051613d0d23c32050012dee97fe93d1", "0f735b81e4c361b437f94c44bbe1ab8f1bd82d5dcff997ee4ec8631aece5f6cb"),
        (Algorithm::SHA_512_256, Some(Qop::AuthInt), "1360bfe7e6a41a3112a55f48e2beaa8ef84d5e45fdc8834ff269c3ff5b36672a", "4913466ee61b0356a1f69cee534e4727c13123598d7176176e1653bc24ae667f"),
        (Algorithm::SHA_512_256.session(), Some(Qop::Auth), "1734b7273e296c2f0f586d55333c37472e558ae665a762d0fb5bc567256e5f4a", "2d72071c40181f0cf40dabd07b71a18dff8330be15b2f9aacabdb101e2e19dab"),
        (Algorithm::SHA_512_256.session(), Some(Qop::AuthInt), "503290dc6196fbf75e7fa1966f1a8816b39ce14ef7dfb48535b75380e497ed71", "daa7b21f75b683586208d04a71beeac66a9240c3d1c823e61395e3f28706040f"),
    ];
    let (nonce, cnonce) = (b"84a4cc6f3082121f32b42a2187831a9e", b"0a4f113b");
    for (algorithm, qop, expected, of_server) in CASES {
        let ha1 = Ha1::of(algorithm.function, "alice", "atlanta.com", "s3cret");
        let protection = qop.map(|qop| Protection { qop, count: 0x1f, cnonce });
        let digested = Digested { algorithm, nonce, uri: b"sip:bob@biloxi.com", protection };
        let key = Key::new(algorithm, &ha1, nonce, cnonce);
        let body = b"v=0\r\n";
        assert_eq!(digested.response(&key, "INVITE", || digested.body(body)).as_str(), expected, "{algorithm} {qop:?}");
        assert_eq!(digested.rspauth(&key, body).as_str(), of_server, "{algorithm} {qop:?}");
    }
}

/// RFC 3261 §22.4 and RFC 8760 §2.6, of an empty body.
#[test]
fn no_body_is_an_empty_one() {
    for (function, expected) in [
        (HashFunction::Md5, "d41d8cd98f00b204e9800998ecf8427e"),
        (HashFunction::Sha256, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
    ] {
        assert_eq!(function.of(&[b""]).as_str(), expected);
    }
}

/// RFC 7616 §3.9.1 and §3.9.2, and RFC 2617 §3.5, by messages: the client writes each parameter that the RFC prints, as the RFC prints it, and no
/// other. The order is of no matter (RFC 7616 §3.4), and each RFC prints another one. User hash and response with SHA-512-256 are those of errata
/// 4495 and 4897.
#[test]
fn whole_header_fields_of_the_rfc() {
    let answer = |user: &str, password: &str, cnonce: &[u8], uri: &str, challenges: &str| {
        let script = Script { client_nonces: [text(cnonce)].into(), ..Script::default() };
        let mut random = Random::new(Seed::from_u64(1), script);
        let mut keyring = Keyring::new(Limits::default());
        keyring.insert((), Scope::Any, Login::new(user, Secret::password(password))).unwrap();
        let get = request("GET", uri, 1, "", "");
        let response = response(&get, 401, challenges);
        let fields = fields(keyring.answer((), &get, &response, Unknown::Ask, &mut random));
        lines(&super::again(&get, &fields), HeaderId::Authorization)
    };
    let (nonce, opaque) = (text(NONCE_7616), "FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS");
    let challenge = |algorithm: &str| {
        format!(
            "WWW-Authenticate: Digest\r\n realm=\"http-auth@example.org\",\r\n qop=\"auth, auth-int\",\r\n \
             algorithm={algorithm},\r\n nonce=\"{nonce}\",\r\n opaque=\"{opaque}\"\r\n"
        )
    };
    let both = challenge("SHA-256") + &challenge("MD5");
    for (challenges, printed) in [
        (both, include_str!("printed/rfc7616-sha-256.txt")),
        (challenge("MD5"), include_str!("printed/rfc7616-md5.txt")),
    ] {
        let written = answer("Mufasa", "Circle of Life", CNONCE_7616, "/dir/index.html", &challenges);
        assert_parameters(&written, printed);
    }
    // RFC 2617 §3.5, where no algorithm is named.
    let challenge = "WWW-Authenticate: Digest\r\n realm=\"testrealm@host.com\",\r\n qop=\"auth,auth-int\",\r\n \
                     nonce=\"dcd98b7102dd2f0e8b11d0f600bfb0c093\",\r\n opaque=\"5ccc069c403ebaf9f0171e9517f40e41\"\r\n";
    let written = answer("Mufasa", "Circle Of Life", b"0a4f113b", "/dir/index.html", challenge);
    assert_parameters(&written, include_str!("printed/rfc2617.txt"));
    let written = answer(
        "J\u{e4}s\u{f8}n Doe",
        "Secret, or not?",
        b"NTg6RKcb9boFIAS3KrFK9BGeh+iDa/sm6jUMp2wds69v",
        "/doe.json",
        "WWW-Authenticate: Digest\r\n realm=\"api@example.org\",\r\n qop=\"auth\",\r\n algorithm=SHA-512-256,\r\n \
         nonce=\"5TsQWLVdgBdmrQ0XsxbDODV+57QdFR34I9HAbC/RVvkK\",\r\n \
         opaque=\"HRPCssKJSGjCrkzDg8OhwpzCiGPChXYjwrI2QmXDnsOS\",\r\n charset=UTF-8,\r\n userhash=true\r\n",
    );
    let printed = include_str!("printed/rfc7616-sha-512-256.txt")
        .replace(
            "488869477bf257147b804c45308cd62ac4e25eb717b12b298c79e62dcea254ec",
            "793263caabb707a56211940d90411ea4a575adeccb7e360aeb624ed06ece9b0b",
        )
        .replace(
            "ae66e67d6b427bd3f120414a82e4acff38e8ecd9101d6c861229025f607a79dd",
            "3798d4131c277846293534c3edc11bd8a5e4cdcbff78b05db9d95eeb1cec68a5",
        );
    assert_parameters(&written, &printed);
}

/// The field has these parameters and no other, in any order.
#[track_caller]
fn assert_parameters(written: &[String], printed: &str) {
    let parameters = |value: &str| {
        let value = value.trim().strip_prefix("Digest ").expect("Digest").replace('\n', " ");
        let mut parameters: Vec<String> = value.split(',').map(|parameter| parameter.trim().to_string()).collect();
        parameters.sort();
        parameters
    };
    let [written] = written else { panic!("{written:?}") };
    assert_eq!(parameters(written), parameters(printed));
}

/// The last example of RFC 7616 §3.9.2: the user name in the notation of RFC 5987.
#[test]
fn an_extended_user_name_is_read() {
    let settings = Settings { algorithms: [Algorithm::SHA_512_256].into(), ..Settings::new("api@example.org") };
    let gate = Gate::new(Asker::Server, settings, [0; 16]).unwrap();
    let (_, challenge) = gate.refuse(Refusal::Absent, seconds(0), &mut super::random(1));
    let nonce = super::parameter(&text(challenge.iter().next().unwrap().1), "nonce").unwrap();
    let read = |username: &str, userhash: &str| {
        let line = format!(
            "Authorization: Digest username*={username}, realm=\"api@example.org\", uri=\"/doe.json\", \
             algorithm=SHA-512-256, nonce=\"{nonce}\", nc=00000001, cnonce=\"NTg6\", qop=auth, \
             response=\"ae66\", userhash={userhash}\r\n"
        );
        gate.read(&request("GET", "/doe.json", 1, &line, ""), seconds(1))
    };
    let Reading::Claimed(claim) = read("UTF-8''J%C3%A4s%C3%B8n%20Doe", "false") else { panic!("no claim") };
    assert_eq!(claim.user(), &UserName::Clear("J\u{e4}s\u{f8}n Doe".into()));
    for (bad, userhash) in [
        ("UTF-8''J%C3%A4", "true"),
        ("ISO-8859-1''a", "false"),
        ("UTF-8'a", "false"),
        ("UTF-8''a%C3", "false"),
        ("UTF-8''a%C", "false"),
        ("UTF-8''a%0D%0Ab", "false"),
        ("abc", "false"),
    ] {
        assert!(matches!(read(bad, userhash), Reading::Refused(Refusal::Malformed)), "{bad}");
    }
}
