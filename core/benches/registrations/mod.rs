//! A server of one domain and the phones of its users, for the benchmarks that time registrations and count their octets.

use std::net::SocketAddr;

use sansip::server::Settings;
use sansip::{Config, Duration, Input, Instant, Listener, ListenerId, Node, Output, Seed, Server};

/// From one REGISTER to the next on the server's clock: some 800 of their transactions are alive at once.
const STEP: Duration = Duration::from_millis(40);

/// A server, and its clock.
pub(crate) struct Bench {
    server: Server,
    listener: ListenerId,
    now: Instant,
}

impl Bench {
    pub(crate) fn new() -> Self {
        let domain = "biloxi.com".parse().expect("a host");
        let settings = Settings { domains: vec![domain], ..Settings::default() };
        let mut server = Server::server(Config::new(Seed::from_u64(1)), settings);
        let listener = server.listen(Listener::udp(SocketAddr::from(([192, 0, 2, 3], 5060))));
        Self { server, listener, now: Instant::ZERO }
    }

    /// Takes a REGISTER, from its octets to those of its 200.
    pub(crate) fn register(&mut self, register: &[u8]) {
        self.now += STEP;
        let remote = SocketAddr::from(([192, 0, 2, 4], 5060));
        self.server.handle(self.now, Input::Datagram { listener: self.listener, remote, bytes: register });
        let mut is_registered = false;
        while let Some(output) = self.server.poll() {
            is_registered |= matches!(output, Output::Send(sent) if sent.bytes.starts_with(b"SIP/2.0 200"));
        }
        assert!(is_registered);
    }

    /// All transactions end.
    pub(crate) fn settle(&mut self) {
        self.now += Duration::from_secs(60);
        self.server.handle(self.now, Input::Tick);
    }
}

/// The REGISTER of a user for one of the user's phones.
pub(crate) fn register(user: usize, phone: usize, cseq: usize) -> Vec<u8> {
    format!(
        "REGISTER sip:biloxi.com SIP/2.0\r\n\
         Via: SIP/2.0/UDP 192.0.2.4:5060;branch=z9hG4bK{user}x{phone}x{cseq}\r\n\
         Max-Forwards: 70\r\n\
         To: \"User {user}\" <sip:user{user}@biloxi.com>\r\n\
         From: \"User {user}\" <sip:user{user}@biloxi.com>;tag=456248{user}\r\n\
         Call-ID: 843817637684230{user}x{phone}@998sdasdh09\r\n\
         CSeq: {cseq} REGISTER\r\n\
         Contact: <sip:user{user}@192.0.2.4:{};transport=udp>;q=0.7\r\n\
         Expires: 86400\r\n\
         Content-Length: 0\r\n\r\n",
        5060 + phone
    )
    .into_bytes()
}

#[allow(dead_code, reason = "of the two benchmarks one counts octets")]
/// Octets of the text that a binding of [`register`] holds: address-of-record, contact with its parameters, Call-ID.
pub(crate) fn text(user: usize, phone: usize) -> usize {
    let port = 5060 + phone;
    let parts = [
        format!("user{user}@biloxi.com"),
        format!("sip:user{user}@192.0.2.4:{port};transport=udp;q=0.7"),
        format!("843817637684230{user}x{phone}@998sdasdh09"),
    ];
    parts.iter().map(String::len).sum()
}
