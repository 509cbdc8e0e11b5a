//! A phone on UDP, TCP, TLS and WebSocket, without sound.
//!
//! ```text
//! cargo run --release -p sansip-driver --example phone -- --aor sip:bob@biloxi.com --registrar udp:127.0.0.1:5060 --answer
//! cargo run --release -p sansip-driver --example phone -- --aor sip:alice@biloxi.com --registrar udp:127.0.0.1:5060 \
//!     --call sip:bob@biloxi.com --hang-up-after 5s
//! ```
//!
//! It registers, makes or takes one call, and ends with it: 0 if it went as asked. On standard input `h` holds, `r` resumes, `t URI` asks
//! the other end to call somebody else, `q` hangs up. SIGINT or SIGTERM: it hangs up, takes back its registration, and ends.

mod shared;

use clap::{ArgGroup, Parser};
use sansip::message::StatusCode;
use sansip::message::header::NameAddrBuf;
use sansip::user_agent::{Core, Event, Outgoing, Register, UserAgent};
use sansip::{CallId, Duration, Instant};
use shared::{Account, GOODBYE, Outcome, Place, Program, Sessions, Transfer, Usual};
use shared::{listen_or_near, obey, seconds, tell};

/// A phone on UDP, TCP, TLS and WebSocket, without sound.
#[derive(Parser)]
#[command(group = ArgGroup::new("what").required(true).args(["call", "answer"]))]
struct Options {
    #[command(flatten)]
    account: Account,
    /// Where to bind; the next free port if that one is taken
    #[arg(long, value_name = Place::VALUE, default_value = "udp:127.0.0.1:5060")]
    listen: Place,
    /// Call somebody
    #[arg(long, value_name = "URI")]
    call: Option<NameAddrBuf>,
    /// Wait for a call and answer it
    #[arg(long)]
    answer: bool,
    /// Hang up so long after the call was answered, such as 5s
    #[arg(long, value_name = "SECONDS", value_parser = seconds)]
    hang_up_after: Option<Duration>,
    #[command(flatten)]
    usual: Usual,
}

fn main() {
    shared::run(phone);
}

fn phone(options: &Options) -> Outcome<bool> {
    let mut agent = options.account.user_agent(options.usual.config()?, &["REFER", "NOTIFY"])?;
    let mut running = options.usual.begin(&[options.listen], "phone")?;
    let sessions = Sessions::at(listen_or_near(&mut running, &mut agent, options.listen)?.address.ip());
    let (calls, transfer, hang_up) = (Vec::new(), Transfer::default(), None);
    let (has_begun, is_over, went_well) = (false, false, false);
    let mut phone = Phone { options, sessions, calls, transfer, hang_up, has_begun, is_over, went_well };
    match options.account.registrar {
        Some(_) => drop(agent.register(running.driver.now(), Register::of(&options.account.aor))?),
        None => phone.begin(&mut agent, running.driver.now())?,
    }
    running.run(&mut agent, &mut phone).map(|_| phone.went_well)
}

struct Phone<'a> {
    options: &'a Options,
    sessions: Sessions,
    calls: Vec<CallId>,
    transfer: Transfer,
    hang_up: Option<Instant>,
    /// It has called, if it was told to, or has ended.
    has_begun: bool,
    is_over: bool,
    went_well: bool,
}

impl Phone<'_> {
    fn begin(&mut self, agent: &mut UserAgent, now: Instant) -> Outcome<()> {
        self.has_begun = true;
        let Some(target) = &self.options.call else { return Ok(()) };
        self.calls.push(agent.call(now, Outgoing::to(target).body(self.sessions.next("sendrecv")))?);
        Ok(())
    }
}

impl Program<Core> for Phone<'_> {
    fn told(&mut self, agent: &mut UserAgent, now: Instant, event: Event) -> Outcome<()> {
        tell(now, &event);
        let was_calling = !self.calls.is_empty();
        match event {
            Event::Registered { .. } if !self.has_begun => self.begin(agent, now)?,
            Event::RegistrationFailed { .. } => self.stops(agent, now),
            Event::Incoming { call, .. } if self.options.answer && self.calls.is_empty() => {
                self.calls.push(call);
                agent.ring(now, call)?;
                agent.answer(now, call, self.sessions.next("sendrecv"))?;
            }
            Event::Incoming { call, .. } => agent.reject(now, call, StatusCode::BUSY_HERE)?,
            Event::Answered { call, .. } | Event::Confirmed { call, .. } => {
                self.transfer.outcome(agent, now, call, StatusCode::OK);
                self.hang_up = self.options.hang_up_after.map(|time| now + time);
            }
            Event::Offered { call, dialog, request } => {
                agent.accept_offer(now, (call, dialog), self.sessions.answer(request.body()))?;
            }
            Event::Referred { served, request, .. } => {
                let session = self.sessions.next("sendrecv");
                self.calls.push(self.transfer.accept(agent, now, (served, &request), session)?);
            }
            Event::Notified { status: Some(status), .. } if status.is_success() => {
                self.calls.first().map_or(Ok(()), |call| agent.hang_up(now, *call))?;
            }
            Event::Ended { call, .. } => {
                self.went_well = true;
                self.calls.retain(|other| *other != call);
            }
            Event::Failed { call, cause } => {
                self.transfer.outcome(agent, now, call, cause.counts_as());
                self.calls.retain(|other| *other != call);
            }
            Event::ShutDown => self.is_over = true,
            _ => {}
        }
        if was_calling && self.calls.is_empty() {
            self.stops(agent, now);
        }
        Ok(())
    }

    fn typed(&mut self, agent: &mut UserAgent, now: Instant, line: &str) {
        match (line, self.calls.last().copied()) {
            ("q", _) => self.stops(agent, now),
            (line, call) => obey(agent, now, line, call, (&self.options.account.aor, &mut self.sessions)),
        }
    }

    fn stops(&mut self, agent: &mut UserAgent, now: Instant) {
        (self.has_begun, self.hang_up) = (true, None);
        agent.shut_down(now);
    }

    fn until(&self) -> Option<Instant> {
        self.hang_up
    }

    fn turned(&mut self, agent: &mut UserAgent, now: Instant) -> Outcome<Option<Duration>> {
        if self.hang_up.is_some_and(|at| at <= now) {
            self.stops(agent, now);
        }
        Ok(self.is_over.then_some(GOODBYE))
    }
}
