//! A back-to-back user agent: it takes every call, makes another one to the same address along `--to`, and joins the two.
//!
//! ```text
//! cargo run --release -p sansip-driver --example b2bua -- --listen udp:127.0.0.1:5080 --to udp:127.0.0.1:5060
//! ```
//!
//! Its transaction user is `shared/bridge.rs`, which knows no socket. A line `status` on standard input is answered with one line. SIGINT
//! or SIGTERM: it hangs up all calls, says what it waits for, and ends a second after the last request has its response, or after 32 s.

#[path = "shared/bridge.rs"]
mod bridge;
mod shared;

use bridge::{Bridge, Told};
use clap::Parser;
use sansip::user_agent::Profile;
use sansip::{Instant, Stack};
use shared::{Hop, Listening, Outcome, Serving, Usual, dropped, say};

/// A back-to-back user agent: it takes every call and makes another one.
#[derive(Parser)]
struct Options {
    #[command(flatten)]
    listening: Listening,
    /// Where the other calls go
    #[arg(long, value_name = Hop::VALUE)]
    to: Hop,
    #[command(flatten)]
    usual: Usual,
}

fn main() {
    shared::run(serve);
}

fn serve(options: &Options) -> Outcome<bool> {
    let profile = Profile::new("<sip:b2bua@anonymous.invalid>".parse()?);
    let bridge = Bridge::new(profile, options.to.clone().into(), sansip_driver::seed()?);
    let mut node = Stack::new(options.usual.config()?, bridge);
    let mut running = options.usual.begin(&options.listening.listen, "b2bua")?;
    options.listening.open(&mut running, &mut node)?;
    Serving::new(tell, |node, now| node.command(now, Bridge::shut_down)).run(running, &mut node)
}

fn tell(now: Instant, told: Told) {
    match told {
        Told::Begun(to) => say(format_args!("{now} calls {to}")),
        Told::Answered => say(format_args!("{now} a call is answered")),
        Told::Over(Some(status)) => say(format_args!("{now} a call came to nothing: {status}")),
        Told::Over(None) => say(format_args!("{now} a call is over")),
        Told::Dropped(why, flow, bytes) => dropped(now, why, flow, &bytes),
    }
}
