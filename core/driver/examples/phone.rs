//! A phone on UDP, TCP, TLS and WebSocket, without sound.
//!
//! ```text
//! cargo run --release -p sansip-driver --example phone -- --aor sip:bob@biloxi.com --registrar udp:127.0.0.1:5060 --answer
//! cargo run --release -p sansip-driver --example phone -- --aor sip:alice@biloxi.com --registrar udp:127.0.0.1:5060 \
//!     --call sip:bob@biloxi.com --hang-up-after 5
//! ```
//!
//! It registers, makes or takes one call, and ends with it: 0 if it went as asked. On standard input `h` holds, `r` resumes, `t URI` asks
//! the other end to call somebody else, `q` hangs up. SIGINT or SIGTERM: it hangs up, takes back its registration, and ends.

mod shared;

use std::hash::{BuildHasher, RandomState};
use std::sync::mpsc::Receiver;

use clap::{ArgGroup, Parser};
use sansip::auth::{Login, Scope, Secret};
use sansip::message::header::NameAddrBuf;
use sansip::message::header::Protocol;
use sansip::message::{HostPortBuf, StatusCode, UriBuf};
use sansip::user_agent::{Body, Event, Outgoing, Profile, Refer, Register, UserAgent};
use sansip::{CallId, Config, Duration, Instant, ReferralId};
use sansip_driver::Turn;
use shared::{Certificates, Debug, Hop, Place, Records, Said, Sockets, end, fail, hear, parse, say, warn};

/// How long the phone stays after its last word, to answer what is sent again.
const GOODBYE: Duration = Duration::from_secs(1);

/// A phone on UDP, TCP, TLS and WebSocket, without sound.
#[derive(Parser)]
#[command(group = ArgGroup::new("what").required(true).args(["call", "answer"]))]
struct Options {
    /// Name and address of the user, such as sip:bob@biloxi.com
    #[arg(long)]
    aor: NameAddrBuf,
    /// The registrar, through which calls go, too. An address proves by TLS the domain of the user
    #[arg(long, value_name = Hop::VALUE)]
    registrar: Option<Hop>,
    /// The password of the user at the registrar
    #[arg(long, requires = "registrar")]
    password: Option<String>,
    /// Where to bind; the next free port if that one is taken
    #[arg(long, value_name = Place::VALUE, default_value = "udp:127.0.0.1:5060")]
    listen: Place,
    /// Call somebody
    #[arg(long, value_name = "URI")]
    call: Option<NameAddrBuf>,
    /// Wait for a call and answer it
    #[arg(long)]
    answer: bool,
    /// Hang up so many seconds after the call was answered
    #[arg(long, value_name = "SECONDS")]
    hang_up_after: Option<u64>,
    #[command(flatten)]
    certificates: Certificates,
    #[command(flatten)]
    records: Records,
    #[command(flatten)]
    debug: Debug,
}

fn main() {
    match Phone::new(parse()).and_then(|(mut phone, mut driver, heard)| phone.run(&mut driver, &heard)) {
        Ok(went_well) => end(i32::from(!went_well)),
        Err(problem) => fail(problem),
    }
}

type Outcome<T> = Result<T, Box<dyn std::error::Error>>;

struct Phone {
    options: Options,
    agent: UserAgent,
    at: Place,
    calls: Vec<CallId>,
    /// The call that a peer has asked for, and by what that peer is told of it.
    referral: Option<(CallId, ReferralId)>,
    hang_up: Option<Instant>,
    /// The registrar has our contact.
    is_bound: bool,
    is_ending: bool,
    /// Counts our session descriptions.
    version: u32,
    went_well: bool,
}

impl Phone {
    fn new(options: Options) -> Outcome<(Self, Sockets, Receiver<Said>)> {
        let mut profile = Profile::new(options.aor.clone());
        let domain = options.aor.uri().host().map(|host| host.to_buf());
        profile.outbound = options.registrar.clone().map(|hop| hop.of_domain(domain));
        profile.methods = vec!["REFER".into(), "NOTIFY".into()];
        let config = Config { drops: options.debug.debug, ..Config::new(sansip_driver::seed()?) };
        let mut agent = UserAgent::user_agent(config, profile);
        if let Some(password) = &options.password {
            let user = options.aor.uri().user().unwrap_or_default().to_owned();
            agent.login(Scope::Any, Login::new(&user, Secret::password(password)))?;
        }
        let mut driver = Sockets::new(&[options.listen], &options.certificates)?;
        options.records.begin(&mut driver, "phone")?;
        let heard = hear(driver.waker());
        let is_hidden = match options.listen.protocol {
            Protocol::Udp | Protocol::Tcp => false,
            Protocol::Tls => !options.certificates.has_own(),
            _ => true,
        };
        // Nobody can open a connection to it: it is reached along its own (RFC 7118 §5.5).
        let name = is_hidden.then(hidden_name).transpose()?;
        let at = driver.listen(&mut agent, options.listen, name.as_ref(), true)?;
        let phone = Self {
            options,
            agent,
            at,
            calls: Vec::new(),
            referral: None,
            hang_up: None,
            is_bound: false,
            is_ending: false,
            version: 0,
            went_well: false,
        };
        Ok((phone, driver, heard))
    }

    fn run(&mut self, driver: &mut Sockets, heard: &Receiver<Said>) -> Outcome<bool> {
        let mut is_stopping = false;
        match self.options.registrar {
            Some(_) => drop(self.agent.register(driver.now(), Register::of(&self.options.aor))?),
            None => self.begin(driver.now())?,
        }
        loop {
            let turn = driver.next(&mut self.agent, self.hang_up)?;
            let now = driver.now();
            match turn {
                Turn::Event(event) => self.hear(now, event)?,
                Turn::Time => self.end(now),
                Turn::Woken => {
                    for said in heard.try_iter() {
                        if matches!(said, Said::Reload) {
                            driver.reload(&self.options.certificates);
                            continue;
                        }
                        // A command that does not fit now, or is none, is said to be so.
                        self.obey(now, &said).unwrap_or_else(|problem| say(format_args!("{now} {problem}")));
                    }
                }
                Turn::Trouble(trouble) => warn(trouble),
                Turn::Stopped { .. } => return Ok(self.went_well),
                _ => {}
            }
            // The node would stay 64·T1, for a peer whose 200 comes again because our ACK was lost.
            if self.is_ending && !is_stopping && self.calls.is_empty() && !self.is_bound {
                driver.stop(GOODBYE);
                is_stopping = true;
            }
        }
    }

    fn begin(&mut self, now: Instant) -> Outcome<()> {
        if let Some(target) = self.options.call.take() {
            let call = Outgoing::to(&target).body(self.session("sendrecv"));
            self.calls.push(self.agent.call(now, call)?);
        }
        Ok(())
    }

    fn end(&mut self, now: Instant) {
        self.hang_up = None;
        if !std::mem::replace(&mut self.is_ending, true) {
            self.agent.shut_down(now);
        }
    }

    fn hear(&mut self, now: Instant, event: Event) -> Outcome<()> {
        match event {
            Event::Registered { .. } if self.is_ending => {
                say(format_args!("{now} not registered any more"));
                self.is_bound = false;
            }
            Event::Registered { .. } if !self.is_bound => {
                say(format_args!("{now} registered"));
                self.is_bound = true;
                self.begin(now)?;
            }
            Event::RegistrationFailed { cause, .. } => {
                say(format_args!("{now} not registered: {}", cause.counts_as()));
                self.is_bound = false;
                self.end(now);
            }
            Event::Incoming { call, .. } if self.options.answer && self.calls.is_empty() => {
                say(format_args!("{now} {call} comes in"));
                self.calls.push(call);
                self.agent.ring(now, call)?;
                let session = self.session("sendrecv");
                self.agent.answer(now, call, session)?;
            }
            Event::Incoming { call, .. } => self.agent.reject(now, call, StatusCode::BUSY_HERE)?,
            Event::Progress { response, .. } => say(format_args!("{now} {}", response.status())),
            Event::Answered { call, .. } | Event::Confirmed { call, .. } => {
                say(format_args!("{now} {call} is established"));
                self.refer_outcome(now, call, StatusCode::OK);
                self.hang_up = self.options.hang_up_after.map(|seconds| now + Duration::from_secs(seconds));
            }
            Event::Offered { call, dialog, request } => {
                let offer = String::from_utf8_lossy(request.body()).into_owned();
                let mirrored = [("a=sendonly", "recvonly"), ("a=recvonly", "sendonly"), ("a=inactive", "inactive")];
                let direction = mirrored.into_iter().find(|(offered, _)| offer.contains(offered));
                let session = self.session(direction.map_or("sendrecv", |(_, answer)| answer));
                self.agent.accept_offer(now, (call, dialog), session)?;
                say(format_args!("{now} {call} was changed by the other end"));
            }
            Event::Modified { call, .. } => say(format_args!("{now} {call} is changed")),
            Event::Referred { served, request, .. } => {
                let call = Outgoing::referred(&request)?.body(self.session("sendrecv"));
                let referral = self.agent.accept_refer(now, served)?;
                let call = self.agent.call(now, call)?;
                self.calls.push(call);
                self.referral = referral.map(|referral| (call, referral));
            }
            Event::Notified { status: Some(status), .. } => {
                say(format_args!("{now} the transfer: {status}"));
                if status.is_success()
                    && let Some(call) = self.calls.first()
                {
                    self.agent.hang_up(now, *call)?;
                }
            }
            Event::Dropped { why, flow, bytes } => Debug::dropped(now, why, flow, &bytes),
            Event::Ended { call, .. } => {
                say(format_args!("{now} {call} is over"));
                self.went_well = true;
                self.is_over(now, call);
            }
            Event::Failed { call, cause } => {
                say(format_args!("{now} {call} came to nothing: {}", cause.counts_as()));
                self.refer_outcome(now, call, cause.counts_as());
                self.is_over(now, call);
            }
            _ => {}
        }
        Ok(())
    }

    /// Tells who has asked for that call what became of it.
    fn refer_outcome(&mut self, now: Instant, call: CallId, status: StatusCode) {
        if let Some((_, referral)) = self.referral.take_if(|(referred, _)| *referred == call) {
            // The asker may have stopped listening.
            let _ = self.agent.notify_refer(now, referral, status);
        }
    }

    fn is_over(&mut self, now: Instant, call: CallId) {
        self.calls.retain(|other| *other != call);
        if self.calls.is_empty() {
            self.end(now);
        }
    }

    fn obey(&mut self, now: Instant, said: &Said) -> Outcome<()> {
        let line = match said {
            Said::Line(line) => line.as_str(),
            _ => "q",
        };
        let call = self.calls.last().copied();
        match (line, call) {
            ("q", _) => self.end(now),
            ("h", Some(call)) => {
                let session = self.session("sendonly");
                self.agent.modify(now, call, session)?;
            }
            ("r", Some(call)) => {
                let session = self.session("sendrecv");
                self.agent.modify(now, call, session)?;
            }
            (line, Some(call)) if line.starts_with("t ") => {
                let target: UriBuf = line[2..].trim().parse()?;
                self.agent.refer(now, call, Refer::to(&target).referred_by(&self.options.aor))?;
            }
            _ => return Err(format!("{line}: h, r, t URI or q in a call, else q").into()),
        }
        Ok(())
    }

    /// A session description (RFC 4566) for sound that nobody sends.
    fn session(&mut self, direction: &str) -> Body {
        self.version += 1;
        let (ip, version) = (self.at.address.ip(), self.version);
        let family = if ip.is_ipv4() { "IP4" } else { "IP6" };
        Body::sdp(format!(
            "v=0\r\no=- 1 {version} IN {family} {ip}\r\ns=-\r\nc=IN {family} {ip}\r\nt=0 0\r\n\
             m=audio 9 RTP/AVP 0\r\na={direction}\r\n"
        ))
    }
}

/// A name that nobody else has and that leads nowhere (RFC 7118 §5).
fn hidden_name() -> Outcome<HostPortBuf> {
    Ok(format!("{:x}.invalid", RandomState::new().hash_one(())).parse()?)
}
