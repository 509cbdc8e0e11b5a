//! A phone that answers every call, with the standard library alone: the code in the README.
//!
//! ```text
//! cargo run --release -p sansip-driver --example minimal
//! ```

use sansip::user_agent::{Body, Event, Profile, UserAgent};
use sansip::{Clock, Config, Duration, Input, Listener, Node, Output, Seed};
use std::io::Read;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let (clock, socket) = (Clock::new(), std::net::UdpSocket::bind("127.0.0.1:5060")?);
    let (mut secret, mut buffer) = ([0; 32], [0; 65_535]);
    std::fs::File::open("/dev/urandom")?.read_exact(&mut secret)?;
    let bob = Profile::new("Bob <sip:bob@127.0.0.1>".parse()?);
    let mut phone = UserAgent::user_agent(Config::new(Seed::new(secret)), bob);
    let listener = phone.listen(Listener::udp(socket.local_addr()?));
    loop {
        while let Some(output) = phone.poll() {
            match output {
                Output::Send(transmit) => drop(socket.send_to(&transmit.bytes, transmit.flow.remote)),
                // With the offer as the answer: whoever calls hears itself.
                Output::Event(Event::Incoming { call, request, .. }) => {
                    phone.answer(clock.now(), call, Body::of_request(&request))?;
                }
                other => println!("{other:?}"), // `Output::Resolve` wants an `Input::Resolved`
            }
        }
        let wait = phone.deadline().map(|deadline| (deadline - clock.now()).max(Duration::from_millis(1)));
        socket.set_read_timeout(wait)?;
        let input = match socket.recv_from(&mut buffer) {
            Ok((n, remote)) => Input::Datagram { listener, remote, bytes: &buffer[..n] },
            Err(_) => Input::Tick,
        };
        phone.handle(clock.now(), input);
    }
}
