//! Bytes that nobody meant to send.

use super::*;

/// A generator of its own: the server's is part of what is tested.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % bound as u64) as usize
    }
}

const SPLICES: [&str; 14] = [
    "\r\n",
    "\r\nRoute: <sip:server10.biloxi.com;lr>",
    "\r\nRoute: <sip:192.0.2.3;lr>, <sip:chicago.com>",
    "\r\nRoute: <",
    "\r\nContact: *",
    "\r\nContact: <sip:bob@192.0.2.4>;expires=0",
    "\r\nExpires: 0",
    "\r\nMax-Breadth: 0",
    "\r\nMax-Forwards: 0",
    ";maddr=192.0.2.3",
    ";lr",
    "%00",
    "sips:",
    "@",
];

#[test]
fn mangled_datagrams_harm_nobody_and_leave_nothing_behind() {
    let mut dice = Dice(0x9E37_79B9_7F4A_7C15);
    let mut bench = Bench::with(|settings| settings.proxy.record_route = true);
    bench.register(2);
    let register = request("REGISTER", "sip:biloxi.com", "Expires: 60\n");
    let plain = [
        invite(),
        register,
        request("CANCEL", "sip:bob@biloxi.com", ""),
        request("OPTIONS", "sip:biloxi.com", ""),
        in_dialog("BYE", "sip:bob@192.0.2.4", "Route: <sip:server10.biloxi.com;lr>\n"),
        in_dialog("ACK", "sip:bob@192.0.2.4", "Route: <sip:server10.biloxi.com;lr>\n"),
    ];
    let crlf = |text: &String| (text.lines().map(str::trim).collect::<Vec<_>>().join("\r\n") + "\r\n\r\n").into_bytes();
    let mut pool: Vec<Vec<u8>> = plain.iter().map(crlf).collect();
    for round in 0..4_000 {
        // A new request of the plain ones, or something that was on the wire before.
        let mut bytes = if dice.roll(2) == 0 {
            crlf(&plain[dice.roll(plain.len())].replace("nashds8", &format!("n{round}")))
        } else {
            pool[dice.roll(pool.len())].clone()
        };
        for _ in 0..dice.roll(3) {
            let at = dice.roll(bytes.len() + 1);
            match dice.roll(4) {
                0 if at < bytes.len() => bytes[at] = dice.roll(256) as u8,
                1 => drop(bytes.splice(at..at, SPLICES[dice.roll(SPLICES.len())].bytes())),
                2 => bytes.truncate(at),
                _ if at < bytes.len() => drop(bytes.remove(at)),
                _ => {}
            }
        }
        let from = if dice.roll(2) == 0 { ALICE } else { BOB };
        let sent = bench.receive_bytes(from, &bytes);
        // Each message sent comes back to the server: as it is, or answered.
        if let Some(sent) = sent.last().filter(|_| pool.len() < 1_000) {
            pool.push(sent.message.as_bytes().to_vec());
            if let Message::Request(request) = &sent.message {
                let status = StatusCode::new([100, 180, 200, 302, 401, 486, 503, 603][dice.roll(8)]).unwrap();
                if let Ok(response) = Response::to(request, status).to_tag("b0b").finish() {
                    pool.push(response.as_bytes().to_vec());
                }
            }
        }
        if round % 16 == 0 {
            bench.wait(Duration::from_millis(dice.roll(3_000) as u64));
        }
    }
    bench.comes_to_rest();
    // Most of it got through to the cores.
    assert!(bench.server.endpoint().stats().sent > 1_000);
    bench.comes_to_rest();
}
