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
use sansip::user_agent::{Core, Event, Outgoing, Profile, UserAgent};
use sansip::{CallId, Duration, Instant};
use shared::{Hop, Outcome, Place, Program, Sessions, Usual, dropped, listen_or_near, say, seconds};
use std::collections::VecDeque;

const SECOND: Duration = Duration::from_secs(1);

/// How long calls may take to end once the user has said so.
const GOODBYE: Duration = Duration::from_secs(2);

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
    /// The time from the answer to the end
    #[arg(long, value_name = "SECONDS", default_value = "1s", value_parser = seconds)]
    talk: Duration,
    #[command(flatten)]
    usual: Usual,
}

fn main() {
    shared::run(load);
}

fn load(options: &Options) -> Outcome<bool> {
    let mut profile = Profile::new("<sip:load@anonymous.invalid>".parse()?);
    profile.any_user = true;
    profile.outbound = options.through.clone().map(Into::into);
    let mut agent = UserAgent::user_agent(options.usual.config()?, profile);
    let mut running = options.usual.begin(&[options.listen], "load")?;
    let at = listen_or_near(&mut running, &mut agent, options.listen)?;
    let begin = running.driver.now();
    let (sessions, talking, report) = (Sessions::at(at.address.ip()), VecDeque::new(), begin + SECOND);
    let mut load = Load { options, sessions, talking, begin, report, is_ending: false, begun: 0, ended: 0, failed: 0 };
    running.run(&mut agent, &mut load)?;
    Ok(load.failed == 0)
}

struct Load<'a> {
    options: &'a Options,
    sessions: Sessions,
    /// Calls, each with the time at which it is hung up.
    talking: VecDeque<(Instant, CallId)>,
    begin: Instant,
    /// When the next line is said.
    report: Instant,
    is_ending: bool,
    begun: u64,
    ended: u64,
    failed: u64,
}

impl Load<'_> {
    /// When the next call begins.
    fn due(&self) -> Option<Instant> {
        let is_calling = self.options.call.is_some() && !self.is_ending && self.begun < self.options.calls;
        let begun = u32::try_from(self.begun).unwrap_or(u32::MAX);
        is_calling.then(|| self.begin + SECOND * begun / self.options.rate)
    }
}

impl Program<Core> for Load<'_> {
    fn told(&mut self, agent: &mut UserAgent, now: Instant, event: Event) -> Outcome<()> {
        match event {
            Event::Incoming { call, .. } if self.options.answer => {
                self.begun += 1;
                agent.answer(now, call, self.sessions.next("sendrecv"))?;
            }
            Event::Answered { call, .. } => {
                self.talking.push_back((now + self.options.talk, call));
            }
            Event::Ended { .. } => self.ended += 1,
            Event::Failed { .. } => self.failed += 1,
            Event::Dropped { why, flow, bytes } => dropped(now, why, flow, &bytes),
            _ => {}
        }
        Ok(())
    }

    fn stops(&mut self, agent: &mut UserAgent, now: Instant) {
        self.is_ending = true;
        agent.shut_down(now);
    }

    fn until(&self) -> Option<Instant> {
        let hang_up = self.talking.front().map(|(end, _)| *end);
        [self.due(), hang_up, Some(self.report)].into_iter().flatten().min()
    }

    fn turned(&mut self, agent: &mut UserAgent, now: Instant) -> Outcome<Option<Duration>> {
        while let Some((end, call)) = self.talking.front().copied()
            && end <= now
        {
            self.talking.pop_front();
            // The other end may have been quicker.
            let _ = agent.hang_up(now, call);
        }
        if let Some(target) = self.options.call.as_ref().filter(|_| self.due().is_some_and(|due| due <= now)) {
            self.begun += 1;
            agent.call(now, Outgoing::to(target).body(self.sessions.next("sendrecv")))?;
        }
        let Self { begun, ended, failed, .. } = *self;
        let alive = begun - ended - failed;
        let is_over = alive == 0 && (self.is_ending || self.options.call.is_some() && begun == self.options.calls);
        if now >= self.report || is_over {
            self.report = now + SECOND;
            say(format_args!("{now} {begun} calls: {alive} alive, {ended} ended, {failed} failed"));
        }
        Ok(if is_over { Some(Duration::ZERO) } else { self.is_ending.then_some(GOODBYE) })
    }
}
