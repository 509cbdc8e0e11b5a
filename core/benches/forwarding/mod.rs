//! A server of one domain that forwards INVITEs of a user to a phone of another, for the benchmark that times it.

use std::net::SocketAddr;

use sansip::auth::{Fields, Keyring, Limits, Login, Outcome, Scope, Secret, Unknown};
use sansip::message::{Message, Request, StatusCode};
use sansip::server::{Settings, User};
use sansip::{Config, Input, Instant, Listener, ListenerId, Node, Output, Random, Script, Seed, Server};

/// A server. Its clock stands still, so that nothing is sent again.
pub(crate) struct Bench {
    server: Server,
    listener: ListenerId,
    /// The credentials of the caller, if they are asked for.
    keyring: Option<Keyring>,
}

impl Bench {
    /// A server that asks for credentials, or not. The callee has registered.
    pub(crate) fn new(asks: bool) -> Self {
        let domain = "biloxi.com".parse().expect("a host");
        let mut settings = Settings { domains: vec![domain], ..Settings::default() };
        if asks {
            let user = |name: &str| User {
                name: name.into(),
                domain: "biloxi.com".parse().expect("a host"),
                secret: Secret::password(name),
            };
            settings.users = vec![user("alice"), user("bob")];
            // The callee of the benchmark registers without credentials.
            settings.trusted = vec!["192.0.2.4".parse().expect("a peer")];
        }
        let mut server = Server::server(Config::new(Seed::from_u64(1)), settings);
        let listener = server.listen(Listener::udp(SocketAddr::from(([192, 0, 2, 3], 5060))));
        let mut bench = Self { server, listener, keyring: None };
        bench.receive([192, 0, 2, 4], REGISTER.as_bytes());
        assert_eq!(bench.server.bindings("bob@biloxi.com").len(), 1);
        if asks {
            let mut keyring = Keyring::new(Limits::default());
            let login = Login::new("alice", Secret::password("alice"));
            keyring.insert((), Scope::realm("biloxi.com"), login).expect("a realm");
            bench.keyring = Some(keyring);
        }
        bench
    }

    /// The INVITE of another call, with credentials where they are asked for.
    pub(crate) fn invite(&mut self, number: usize) -> Vec<u8> {
        let bare = invite(number, &Fields::default());
        let Some(mut keyring) = self.keyring.take() else { return bare };
        // Each call is challenged, as a proxy's challenge is good for one call (RFC 3261 §22.3).
        let sent = self.receive([192, 0, 2, 1], &bare);
        let Some(Message::Response(challenge)) = sent.first() else { panic!("a challenge") };
        assert_eq!(challenge.status(), StatusCode::PROXY_AUTHENTICATION_REQUIRED);
        let mut random = Random::new(Seed::from_u64(number as u64), Script::default());
        let answer = keyring.answer((), &parse(&bare), challenge, Unknown::Ask, &mut random);
        let Outcome::Again(fields) = answer else { panic!("{answer:?}") };
        self.keyring = Some(keyring);
        invite(number, &fields)
    }

    /// Takes an INVITE, from its octets to those that go to the callee.
    pub(crate) fn forward(&mut self, invite: &[u8]) {
        let remote = SocketAddr::from(([192, 0, 2, 1], 5060));
        self.server.handle(Instant::ZERO, Input::Datagram { listener: self.listener, remote, bytes: invite });
        let mut is_forwarded = false;
        while let Some(output) = self.server.poll() {
            is_forwarded |= matches!(output, Output::Send(sent) if sent.bytes.starts_with(b"INVITE "));
        }
        assert!(is_forwarded);
    }

    fn receive(&mut self, from: [u8; 4], bytes: &[u8]) -> Vec<Message> {
        let remote = SocketAddr::from((from, 5060));
        self.server.handle(Instant::ZERO, Input::Datagram { listener: self.listener, remote, bytes });
        let mut sent = Vec::new();
        while let Some(output) = self.server.poll() {
            if let Output::Send(transmit) = output {
                sent.push(Message::parse(&transmit.bytes, &Default::default()).expect("a message"));
            }
        }
        sent
    }
}

fn parse(text: &[u8]) -> Request {
    match Message::parse(text, &Default::default()) {
        Ok(Message::Request(request)) => request,
        _ => panic!("a request"),
    }
}

const REGISTER: &str = "REGISTER sip:biloxi.com SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.4;branch=z9hG4bKr\r\nMax-Forwards: 70\r\n\
    To: <sip:bob@biloxi.com>\r\nFrom: <sip:bob@biloxi.com>;tag=1\r\nCall-ID: r\r\nCSeq: 1 REGISTER\r\n\
    Contact: <sip:bob@192.0.2.4>\r\nContent-Length: 0\r\n\r\n";

/// An INVITE as RFC 3261 §24.2 has it, with its session description.
fn invite(number: usize, fields: &Fields) -> Vec<u8> {
    let body = "v=0\r\no=alice 2890844526 2890844526 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\n\
        m=audio 49172 RTP/AVP 0\r\na=rtpmap:0 PCMU/8000\r\n";
    let credentials: String = fields
        .iter()
        .map(|(name, value)| format!("{}: {}\r\n", name.as_str(), String::from_utf8_lossy(value)))
        .collect();
    format!(
        "INVITE sip:bob@biloxi.com SIP/2.0\r\n\
         Via: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK{number}x74bf9\r\n\
         Max-Forwards: 70\r\n\
         From: Alice <sip:alice@biloxi.com>;tag=9fxced76sl{number}\r\n\
         To: Bob <sip:bob@biloxi.com>\r\n\
         Call-ID: {number}x3848276298220188511@192.0.2.1\r\n\
         CSeq: 1 INVITE\r\n\
         Contact: <sip:alice@192.0.2.1>\r\n\
         {credentials}Content-Type: application/sdp\r\n\
         Content-Length: {}\r\n\r\n{body}",
        body.len()
    )
    .into_bytes()
}
