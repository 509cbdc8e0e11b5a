//! A back-to-back user agent: it takes every call, makes another one to the same address along `--to`, and joins the two.
//!
//! ```text
//! cargo run --release -p sansip-driver --example b2bua -- --listen udp:127.0.0.1:5080 --to udp:127.0.0.1:5060
//! ```
//!
//! Its transaction user is `bridge.rs`, which knows no socket. SIGINT or SIGTERM: it hangs up all calls and ends.

mod bridge;
#[path = "../shared/mod.rs"]
mod shared;

use bridge::{Bridge, Told};
use clap::Parser;
use sansip::user_agent::Profile;
use sansip::{Duration, Instant, Stack};
use shared::{GOODBYE, Hop, Outcome, Place, Program, Usual, say};

/// A back-to-back user agent: it takes every call and makes another one.
#[derive(Parser)]
struct Options {
    /// Where to bind; may be given several times
    #[arg(long, value_name = Place::VALUE, required = true)]
    listen: Vec<Place>,
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
    let bridge = Bridge::new(profile, Some(options.to.clone().into()), sansip_driver::seed()?);
    let mut node = Stack::new(options.usual.config()?, bridge);
    let mut running = options.usual.begin(&options.listen, "b2bua")?;
    for place in &options.listen {
        running.driver.listen(&mut node, *place, None, false)?;
    }
    // Its calls are hung up; that the last transactions live on is no failure.
    running.run(&mut node, &mut Telling { is_ending: false })?;
    Ok(true)
}

/// Tells of the calls until the end.
struct Telling {
    is_ending: bool,
}

impl Program<Bridge> for Telling {
    fn told(&mut self, _: &mut Stack<Bridge>, now: Instant, told: Told) -> Outcome<()> {
        match told {
            Told::Begun(to) => say(format_args!("{now} calls {to}")),
            Told::Answered => say(format_args!("{now} a call is answered")),
            Told::Over(Some(status)) => say(format_args!("{now} a call came to nothing: {status}")),
            Told::Over(None) => say(format_args!("{now} a call is over")),
        }
        Ok(())
    }

    fn stops(&mut self, node: &mut Stack<Bridge>, now: Instant) {
        node.command(now, Bridge::shut_down);
        self.is_ending = true;
    }

    fn turned(&mut self, _: &mut Stack<Bridge>, _: Instant) -> Outcome<Option<Duration>> {
        Ok(self.is_ending.then_some(GOODBYE))
    }
}
