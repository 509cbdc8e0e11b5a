//! Calls at a steady rate, or somebody who takes them.
//!
//! ```text
//! cargo run --release -p sansip-driver --example load -- --answer --listen udp:127.0.0.1:5070
//! cargo run --release -p sansip-driver --example load -- --call sip:bob@127.0.0.1:5070 --rate 200 --calls 2000 --listen udp:127.0.0.1:5071
//! ```
//!
//! Each second it says how many calls there are, and at the end how many there were. It ends with 0 if none failed, with 1 if one did.

mod shared;

use clap::{ArgGroup, Parser};
use sansip::message::header::NameAddrBuf;
use sansip::user_agent::{Body, Event, Outgoing, Profile, UserAgent};
use sansip::{CallId, Config, Duration, Instant};
use sansip_driver::Turn;
use shared::{Certificates, Hop, Place, Records, Said, Sockets, end, fail, hear, parse, say, warn};
use std::collections::VecDeque;

/// How long calls in progress may take to end once the user has said so.
const GOODBYE: Duration = Duration::from_secs(2);

const SECOND: Duration = Duration::from_secs(1);

/// A description of sound that nobody sends.
const SESSION: &str =
    "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 9 RTP/AVP 0\r\n";

/// Calls at a steady rate, or somebody who takes them.
#[derive(Parser)]
#[command(group = ArgGroup::new("what").required(true).args(["call", "answer"]))]
struct Options {
    /// Where to bind
    #[arg(long, value_name = Place::VALUE)]
    listen: Place,
    /// Call that address
    #[arg(long, value_name = "URI")]
    call: Option<NameAddrBuf>,
    /// Answer whoever calls
    #[arg(long)]
    answer: bool,
    /// The proxy through which calls go
    #[arg(long, value_name = Hop::VALUE)]
    through: Option<Hop>,
    /// Calls in each second
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    rate: u32,
    /// Calls in all
    #[arg(long, default_value_t = 100)]
    calls: u64,
    /// Seconds from the answer to the end
    #[arg(long, default_value_t = 1)]
    talk: u64,
    #[command(flatten)]
    certificates: Certificates,
    #[command(flatten)]
    records: Records,
}

fn main() {
    match run(parse()) {
        Ok(clean) => end(i32::from(!clean)),
        Err(problem) => fail(problem),
    }
}

/// The calls so far.
#[derive(Default)]
struct Counts {
    begun: u64,
    ended: u64,
    failed: u64,
}

fn run(options: Options) -> Result<bool, Box<dyn std::error::Error>> {
    let mut profile = Profile::new("<sip:load@anonymous.invalid>".parse()?);
    profile.any_user = true;
    profile.outbound = options.through.clone().map(Into::into);
    let mut agent = UserAgent::user_agent(Config::new(sansip_driver::seed()?), profile);
    let mut driver = Sockets::new(&[options.listen], &options.certificates)?;
    options.records.begin(&mut driver, "load")?;
    let heard = hear(driver.waker());
    driver.listen(&mut agent, options.listen, None, true)?;
    let (mut counts, mut talking) = (Counts::default(), VecDeque::<(Instant, CallId)>::new());
    let (begin, mut is_ending) = (driver.now(), false);
    let mut report = begin + SECOND;
    loop {
        let is_calling = options.call.is_some() && !is_ending && counts.begun < options.calls;
        let due = begin + SECOND * u32::try_from(counts.begun)? / options.rate;
        let hang_up = talking.front().map(|(end, _)| *end);
        let until = [is_calling.then_some(due), hang_up, Some(report)].into_iter().flatten().min();
        let turn = driver.next(&mut agent, until)?;
        let now = driver.now();
        match turn {
            Turn::Event(Event::Incoming { call, .. }) if options.answer => {
                counts.begun += 1;
                agent.answer(now, call, Body::sdp(SESSION))?;
            }
            Turn::Event(Event::Answered { call, .. }) => {
                talking.push_back((now + Duration::from_secs(options.talk), call));
            }
            Turn::Event(Event::Ended { .. }) => counts.ended += 1,
            Turn::Event(Event::Failed { .. }) => counts.failed += 1,
            Turn::Woken if heard.try_iter().any(|said| matches!(said, Said::Stop)) => {
                is_ending = true;
                agent.shut_down(now);
                driver.stop(GOODBYE);
            }
            Turn::Stopped { .. } => return Ok(counts.failed == 0),
            Turn::Trouble(trouble) => warn(trouble),
            _ => {}
        }
        while let Some((end, call)) = talking.front().copied()
            && end <= now
        {
            talking.pop_front();
            // The other end may have been quicker.
            let _ = agent.hang_up(now, call);
        }
        if let Some(target) = options.call.as_ref().filter(|_| is_calling && due <= now) {
            counts.begun += 1;
            agent.call(now, Outgoing::to(target).body(Body::sdp(SESSION)))?;
        }
        let alive = counts.begun - counts.ended - counts.failed;
        let is_over = alive == 0 && (is_ending || options.call.is_some() && counts.begun == options.calls);
        if now >= report || is_over {
            report = now + SECOND;
            let Counts { begun, ended, failed } = counts;
            say(format_args!("{now} {begun} calls: {alive} alive, {ended} ended, {failed} failed"));
        }
        if is_over {
            return Ok(counts.failed == 0);
        }
    }
}
