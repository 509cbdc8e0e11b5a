//! A phone without an operating system: one loop that sleeps until an interrupt, fixed buffers for packets, ticks of a hardware timer.
//!
//! ```text
//! cargo run -p sansip --example bare
//! ```
//!
//! `Board` stands in for the hardware, and for the peer that calls. All else would run on the device as it is: the stack wants an
//! allocator and nothing else.

use sansip::user_agent::{Event, Profile, UserAgent};
use sansip::{Config, Input, Instant, Listener, ListenerId, Node, Output, Seed};
use std::net::SocketAddr;

/// Octets of a packet that the network chip holds.
const FRAME: usize = 1_500;

/// A millisecond timer that wakes the processor at its alarm, and a network chip that wakes it with a packet.
struct Board {
    ticks: u64,
    alarm: Option<u64>,
    /// The peer's packets, each with its tick.
    peer: Vec<(u64, String)>,
    sent: Vec<String>,
}

impl Board {
    /// Sleeps until an interrupt: a packet, of which `frame` is given the octets, or the alarm. `None`: nothing will ever come.
    fn wait_for_interrupt(&mut self, frame: &mut [u8; FRAME]) -> Option<usize> {
        let packet = self.peer.first().map(|(at, _)| *at);
        let next = [packet, self.alarm].into_iter().flatten().min()?;
        self.ticks = self.ticks.max(next);
        if packet != Some(next) {
            return Some(0);
        }
        let (_, text) = self.peer.remove(0);
        // The ACK goes into the dialog, whose tag came with the 200.
        let tag =
            self.sent.iter().rev().find_map(|sent| sent.split_once("To: <sip:bob@192.0.2.4>;tag=")?.1.lines().next());
        let text = text.replace("{tag}", tag.unwrap_or_default());
        let length = text.len().min(FRAME);
        frame[..length].copy_from_slice(&text.as_bytes()[..length]);
        Some(length)
    }

    fn now(&self) -> Instant {
        Instant::from_millis(self.ticks)
    }

    fn transmit(&mut self, bytes: &[u8]) {
        let text = String::from_utf8_lossy(bytes).into_owned();
        println!("{} > {}", self.now(), text.lines().next().unwrap_or_default());
        self.sent.push(text);
    }
}

/// The device: its loop has no other state than the node and one frame.
fn run(board: &mut Board, phone: &mut UserAgent, listener: ListenerId, peer: SocketAddr) -> Vec<String> {
    let (mut frame, mut led) = ([0; FRAME], Vec::new());
    loop {
        while let Some(output) = phone.poll() {
            match output {
                Output::Send(transmit) => board.transmit(&transmit.bytes),
                Output::Event(Event::Incoming { call, .. }) => {
                    led.push("ringing".into());
                    // Whoever picks up at once is a machine.
                    phone.answer(board.now(), call, None).expect("the call is undecided");
                }
                Output::Event(Event::Confirmed { .. }) => led.push("talking".into()),
                Output::Event(Event::Ended { .. }) => led.push("dark".into()),
                _ => {}
            }
        }
        // The alarm is whole ticks, and never early.
        board.alarm = phone.deadline().map(|deadline| deadline.as_nanos().div_ceil(1_000_000));
        match board.wait_for_interrupt(&mut frame) {
            Some(0) => phone.handle(board.now(), Input::Tick),
            Some(length) => {
                phone.handle(board.now(), Input::Datagram { listener, remote: peer, bytes: &frame[..length] })
            }
            None => return led,
        }
    }
}

fn call() -> (Board, Vec<String>) {
    let request = |method: &str, branch: u8, more: &str| {
        format!(
            "{method} sip:bob@192.0.2.4 SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK{branch}\r\nMax-Forwards: 70\r\n\
             From: <sip:alice@192.0.2.1>;tag=1\r\nTo: <sip:bob@192.0.2.4>{more}\r\nCall-ID: 1\r\n\
             CSeq: {} {method}\r\nContact: <sip:alice@192.0.2.1>\r\n\r\n",
            if method == "BYE" { 2 } else { 1 }
        )
    };
    let peer = vec![
        (1_000, request("INVITE", 1, "")),
        // The first 200 is lost: it comes again by the alarm.
        (1_700, request("ACK", 2, ";tag={tag}")),
        (5_000, request("BYE", 3, ";tag={tag}")),
    ];
    let mut board = Board { ticks: 0, alarm: None, peer, sent: Vec::new() };
    // A device takes its seed from a generator in hardware.
    let config = Config::new(Seed::from_u64(1));
    let mut phone = UserAgent::user_agent(config, Profile::new("<sip:bob@192.0.2.4>".parse().expect("an identity")));
    let listener = phone.listen(Listener::udp(SocketAddr::from(([192, 0, 2, 4], 5060))));
    let led = run(&mut board, &mut phone, listener, SocketAddr::from(([192, 0, 2, 1], 5060)));
    (board, led)
}

fn main() {
    let (board, led) = call();
    println!("{} {}", board.now(), led.join(", "));
}

#[test]
fn a_call_on_a_board() {
    let (board, led) = call();
    assert_eq!(led, ["ringing", "talking", "dark"]);
    let lines: Vec<&str> = board.sent.iter().filter_map(|sent| sent.lines().next()).collect();
    // The 200 to the INVITE again after T1 (RFC 3261 §13.3.1.4), then that to the BYE.
    assert_eq!(lines, ["SIP/2.0 200 OK"; 3]);
}
