//! A phone that answers every call, with the standard library alone: the code in the README.
//!
//! ```text
//! cargo run --release -p sansip-driver --example minimal
//! ```
#![expect(clippy::disallowed_methods, reason = "an event loop is where time comes from")]

use sansip::user_agent::{Body, Event, Profile, UserAgent};
use sansip::{Config, Duration, Input, Instant, Listener, Node, Output, Seed};
use std::io::Read;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let socket = std::net::UdpSocket::bind("127.0.0.1:5060")?;
    let mut secret = [0; 32];
    std::fs::File::open("/dev/urandom")?.read_exact(&mut secret)?;
    let mut phone =
        UserAgent::user_agent(Config::new(Seed::new(secret)), Profile::new("Bob <sip:bob@127.0.0.1>".parse()?));
    let listener = phone.listen(Listener::udp(socket.local_addr()?));
    let (zero, mut now, mut buffer) = (std::time::Instant::now(), Instant::ZERO, [0; 65_535]);
    loop {
        while let Some(output) = phone.poll() {
            match output {
                Output::Send(transmit) => drop(socket.send_to(&transmit.bytes, transmit.flow.remote)),
                // With the offer as the answer: whoever calls hears itself.
                Output::Event(Event::Incoming { call, request, .. }) => {
                    phone.answer(now, call, Body::of_request(&request))?;
                }
                other => println!("{now} {other:?}"), // `Output::Resolve` wants an `Input::Resolved`
            }
        }
        socket.set_read_timeout(phone.deadline().map(|deadline| (deadline - now).max(Duration::from_millis(1))))?;
        let received = socket.recv_from(&mut buffer);
        now = Instant::ZERO + zero.elapsed();
        match received {
            Ok((n, remote)) => phone.handle(now, Input::Datagram { listener, remote, bytes: &buffer[..n] }),
            Err(_) => phone.handle(now, Input::Tick),
        }
    }
}
