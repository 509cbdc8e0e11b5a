//! Settings as plain data: what is written is read again, and what cannot be is refused in one sentence.

use super::*;
use crate::auth::{Ha1, HashFunction, Secret};
use crate::registrar::Store;
use crate::server::{Alias, Gateway, Peer, Route, Steps, User};
use crate::{Limits, NextHop};

fn user(name: &str, secret: Secret) -> User {
    User { name: name.into(), domain: "biloxi.com".parse().unwrap(), secret }
}

fn hop(uri: &str) -> NextHop {
    NextHop::of_uri(crate::message::Uri::parse(uri.as_bytes()).unwrap()).unwrap()
}

/// Settings of which each part says something.
fn full() -> Settings {
    let mut settings = Settings {
        domains: ["biloxi.com".parse().unwrap(), "[2001:db8::1]".parse().unwrap()].into(),
        aliases: [Alias { name: "biloxi.example".parse().unwrap(), domain: "biloxi.com".parse().unwrap() }].into(),
        users: [
            user("bob", Secret::password("open\"sesame")),
            user("alice", Secret::hashes([Ha1::of(HashFunction::Md5, "alice", "biloxi.com", "x")])),
        ]
        .into(),
        trusted: ["192.0.2.16/28", "proxy.biloxi.com"].map(|peer| peer.parse::<Peer>().unwrap()).into(),
        routes: ["sip:192.0.2.9:5070;transport=tcp", "sips:gw.biloxi.com", "sip:gw;maddr=239.1.1.1;ttl=2"]
            .map(|uri| Route { key: "bob@chicago.com".parse().unwrap(), next_hop: hop(uri) })
            .into(),
        gateways: [Gateway { next_hop: hop("sips:gw.biloxi.com;transport=tcp"), interval: Duration::from_secs(30) }]
            .into(),
        spread: true,
        accounting: true,
        steps: Steps { routing: true, ..Steps::default() },
        ..Settings::default()
    };
    settings.proxy.branch_limit = Some(Duration::from_millis(2_500));
    settings.proxy.forking = crate::proxy::Forking::Groups;
    settings.registrar.store = Store::Owner;
    settings
}

#[test]
fn settings_that_are_written_are_read_again() {
    for settings in [Settings::default(), full()] {
        let written = serde_json::to_string(&settings).unwrap();
        let read: Settings = serde_json::from_str(&written).unwrap();
        assert_eq!(format!("{read:?}"), format!("{settings:?}"));
        assert_eq!(serde_json::to_string(&read).unwrap(), written);
    }
    let written = serde_json::to_value(full()).unwrap();
    assert_eq!(written["proxy"]["branch_limit"], "2500ms");
    assert_eq!(written["proxy"]["token_age"], "7d");
    assert_eq!(written["users"][0]["secret"]["password"], "open\"sesame");
    assert_eq!(written["users"][1]["secret"]["MD5"].as_str().unwrap().len(), 32);
    assert_eq!(written["routes"][1]["next_hop"], "sips:gw.biloxi.com");
    // Nothing of it stands in a log.
    assert!(!format!("{:?}", full()).contains("sesame"));
    assert_eq!(serde_json::from_str::<Settings>("{}").unwrap().questions, 100_000);
}

#[test]
fn listeners_timers_and_limits_are_plain_data_too() {
    let mut listener = Listener::tls("192.0.2.3:5061".parse().unwrap());
    let read = |text: &str| serde_json::from_str::<Listener>(text);
    assert_eq!(read(r#"{"protocol":"TLS","local":"192.0.2.3:5061"}"#).unwrap(), listener);
    listener = listener.with_sent_by("biloxi.com:5062".parse().unwrap()).with_mtu(1_400);
    assert_eq!(read(&serde_json::to_string(&listener).unwrap()).unwrap(), listener);
    assert!(read(r#"{"protocol":"IPX","local":"192.0.2.3:5061"}"#).is_err());
    let limits: Limits = serde_json::from_str(r#"{"message":{"headers":64},"deliveries":5}"#).unwrap();
    let mut expected = Limits::default();
    (expected.message.headers, expected.deliveries) = (64, 5);
    assert_eq!(limits, expected);
    let timers: crate::transaction::Timers = serde_json::from_str(r#"{"t1":"250ms"}"#).unwrap();
    assert_eq!((timers.t1, timers.t2), (Duration::from_millis(250), Duration::from_secs(4)));
    let along = NextHop::from(crate::Flow::datagram(ListenerId::from_parts(0, 1), BOB.parse().unwrap()));
    assert!(serde_json::to_string(&along).unwrap_err().to_string().contains("cannot be written"));
}

#[test]
fn wrong_values_are_refused_in_one_sentence() {
    let user = |secret: &str| format!(r#"{{"users":[{{"name":"bob","domain":"biloxi.com","secret":{secret}}}]}}"#);
    for (text, told) in [
        (r#"{"domain":["biloxi.com"]}"#.into(), "unknown field `domain`"),
        (r#"{"registrar":{"minexpires":1}}"#.into(), "unknown field `minexpires`"),
        (r#"{"domains":["a b"]}"#.into(), r#"string "a b", expected a host"#),
        (r#"{"aliases":[{"name":"a"}]}"#.into(), "missing field `domain`"),
        (r#"{"trusted":["192.0.2.0/40"]}"#.into(), "expected an address, address/bits, or a name"),
        (r#"{"routes":[{"key":"@","next_hop":"sip:a"}]}"#.into(), "expected user@host, a host, host:port or *"),
        (r#"{"routes":[{"key":"*","next_hop":"tel:+1"}]}"#.into(), "expected a SIP URI of the next hop"),
        (r#"{"digest":{"nonce_age":300}}"#.into(), "expected a time, such as 500ms"),
        (r#"{"digest":{"algorithms":["MD6"]}}"#.into(), "expected an algorithm of Digest"),
        (r#"{"proxy":{"forking":"random"}}"#.into(), "unknown variant `random`"),
        (r#"{"accounted_calls":-1}"#.into(), "invalid value: integer `-1`, expected usize"),
        (user("{}"), "a secret is a password or hashes, and neither is there"),
        (user(r#"{"password":123456}"#), "a secret is no text"),
        (user(r#"{"MD5":"123456"}"#), "a hash has not the digits of its hash function"),
        (user(r#"{"password":"123456","MD5":"4c00389f118405a62dc666c595d7e0d8"}"#), "and not both"),
    ] {
        let text: String = text;
        let error = serde_json::from_str::<Settings>(&text).unwrap_err().to_string();
        assert!(error.contains(told) && !error.contains("123456") && !error.contains('\n'), "{text}: {error}");
    }
}
