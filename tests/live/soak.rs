//! A steady rate of calls for minutes, under loss.

use std::thread::sleep;
use std::time::Duration;

use crate::crowds::route_to_bob;
use crate::examples::Server;
use crate::processes::free_port;
use crate::scenarios::call;
use crate::sipp::{Calls, pair, sipp_is_here};

/// Calls that fail through the server, and not without it, may be this many in a thousand.
const FAILURES: u32 = 1;

/// Ten seconds after the first calls have left the server: timers I and J keep their transactions for 32 s, so that there are ever more
/// of them until then.
const SETTLED: Duration = Duration::from_secs(42);

#[test]
#[ignore = "it takes three minutes: cargo test -p sansip-tests --test live soak -- --ignored"]
fn two_minutes_of_calls_under_loss_leave_nothing_behind() {
    if !sipp_is_here() {
        return;
    }
    let calls = Calls { number: 2_400, rate: 20, loss: 5, talk: Duration::from_millis(500), ..Calls::default() };
    let (with, without) = (free_port(), free_port());
    let mut server = Server::uncaptured(&["--record-route", "--route", &route_to_bob("udp", with)]);
    let port = server.port;
    let (early, through, direct) = std::thread::scope(|scope| {
        let through = scope.spawn(|| pair(port, with, &calls, &call()));
        let direct = scope.spawn(|| pair(without, without, &calls, &call()));
        sleep(SETTLED);
        let early = server.process.memory();
        (early, through.join().unwrap(), direct.join().unwrap())
    });
    assert!(server.is_idle_within(Duration::from_secs(70)), "{}", server.status());
    let late = server.process.memory();
    println!("{early} kB when settled, {late} kB at the end; through the server {through:?}, without it {direct:?}");
    for (through, direct) in [(through.0, direct.0), (through.1, direct.1)] {
        let failed = |successful| calls.number - successful;
        let most = failed(direct.successful) + calls.number * FAILURES / 1000;
        assert!(failed(through.successful) <= most, "through the server {through:?}, without it {direct:?}");
    }
    assert!(late <= early + early / 20, "{early} kB when settled, {late} kB at the end");
}
