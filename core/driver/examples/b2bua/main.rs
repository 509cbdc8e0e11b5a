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
use sansip::{Config, Duration, Stack};
use sansip_driver::Turn;
use shared::{Certificates, Hop, Place, Records, Said, Sockets, end, fail, hear, parse, say, warn};

/// How long what is in progress may take to end.
const GOODBYE: Duration = Duration::from_secs(2);

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
    certificates: Certificates,
    #[command(flatten)]
    records: Records,
}

fn main() {
    if let Err(problem) = serve(&parse()) {
        fail(problem);
    }
}

fn serve(options: &Options) -> Result<(), Box<dyn std::error::Error>> {
    let seed = sansip_driver::seed()?;
    let profile = Profile::new("<sip:b2bua@anonymous.invalid>".parse()?);
    let bridge = Bridge::new(profile, Some(options.to.clone().into()), seed);
    let mut node = Stack::new(Config::new(seed), bridge);
    let mut driver = Sockets::new(&options.listen, &options.certificates)?;
    options.records.begin(&mut driver, "b2bua")?;
    let heard = hear(driver.waker());
    for place in &options.listen {
        driver.listen(&mut node, *place, None, false)?;
    }
    loop {
        let turn = driver.next(&mut node, None)?;
        let now = driver.now();
        match turn {
            Turn::Event(Told::Begun(to)) => say(format_args!("{now} calls {to}")),
            Turn::Event(Told::Answered) => say(format_args!("{now} a call is answered")),
            Turn::Event(Told::Over(Some(status))) => say(format_args!("{now} a call came to nothing: {status}")),
            Turn::Event(Told::Over(None)) => say(format_args!("{now} a call is over")),
            Turn::Woken => {
                for said in heard.try_iter() {
                    match said {
                        Said::Line(_) => {}
                        Said::Reload => driver.reload(&options.certificates),
                        Said::Stop => {
                            node.command(now, Bridge::shut_down);
                            driver.stop(GOODBYE);
                        }
                    }
                }
            }
            Turn::Stopped { .. } => end(0),
            Turn::Trouble(trouble) => warn(trouble),
            _ => {}
        }
    }
}
