//! The loop of an example: what its node tells, what the user types, and signals.

use std::fmt::Debug;
use std::io;
use std::sync::mpsc::Receiver;

use sansip::{Config, Duration, Instant, Node, Stack, TransactionUser};
use sansip_driver::Turn;

use super::{Certificates, Place, Records, Said, Sockets, end, fail, hear, say, warn};

/// The outcome of what may fail in many ways.
pub(crate) type Outcome<T> = Result<T, Box<dyn std::error::Error>>;

/// The whole of an example: does what the command line asks for, and ends with 0 if that went well, with 1 if it did not or could not be
/// begun, which is said in one sentence.
pub(crate) fn run<O: clap::Parser>(program: impl FnOnce(&O) -> Outcome<bool>) -> ! {
    match program(&parse()) {
        Ok(went_well) => end(i32::from(!went_well)),
        Err(problem) => fail(problem),
    }
}

/// The options of the command line. Wrong ones are one sentence, and the end.
fn parse<O: clap::Parser>() -> O {
    O::try_parse().unwrap_or_else(|error| {
        if !error.use_stderr() {
            error.exit();
        }
        let text = error.to_string();
        let sentence: Vec<&str> = text.lines().map(str::trim).take_while(|line| !line.is_empty()).collect();
        warn(sentence.join(" "));
        end(2)
    })
}

/// The options that every example has.
#[derive(clap::Args)]
pub(crate) struct Usual {
    #[command(flatten)]
    pub(crate) certificates: Certificates,
    #[command(flatten)]
    records: Records,
    /// Tell on standard error what of peers is dropped, and why
    #[arg(long)]
    debug: bool,
}

impl Usual {
    /// Makes the configuration that a node begins with.
    pub(crate) fn config(&self) -> io::Result<Config> {
        let mut config = Config { drops: self.debug, ..Config::new(sansip_driver::seed()?) };
        sansip_driver::fit_descriptors(&mut config.limits.transport);
        Ok(config)
    }

    /// Begins the program of that name, which will listen there.
    pub(crate) fn begin(&self, places: &[Place], name: &'static str) -> io::Result<Running<'_>> {
        let mut driver = Sockets::new(places, &self.certificates)?;
        self.records.begin(&mut driver, name)?;
        let heard = hear(driver.waker());
        Ok(Running { driver, heard, certificates: &self.certificates, end: None })
    }
}

/// The part of an example beside its node.
pub(crate) trait Program<U: TransactionUser> {
    /// The node tells something.
    fn told(&mut self, node: &mut Stack<U>, now: Instant, event: U::Event) -> Outcome<()>;

    /// The user has typed a line other than `status`.
    fn typed(&mut self, _node: &mut Stack<U>, _now: Instant, _line: &str) {}

    /// SIGINT or SIGTERM.
    fn stops(&mut self, node: &mut Stack<U>, now: Instant);

    /// When [`turned`](Self::turned) is to be called although nothing happens.
    fn until(&self) -> Option<Instant> {
        None
    }

    /// Called after all that happens. How long the node may take to end, once it should; that is never prolonged.
    fn turned(&mut self, _node: &mut Stack<U>, _now: Instant) -> Outcome<Option<Duration>> {
        Ok(None)
    }
}

/// A program with its sockets open.
pub(crate) struct Running<'a> {
    pub(crate) driver: Sockets,
    heard: Receiver<Said>,
    pub(crate) certificates: &'a Certificates,
    /// When the node has to have ended.
    end: Option<Instant>,
}

impl Running<'_> {
    /// Runs until the node has ended, or the time for that is over; whether it had ended.
    pub(crate) fn run<U: TransactionUser>(
        mut self,
        node: &mut Stack<U>,
        program: &mut impl Program<U>,
    ) -> Outcome<bool> {
        loop {
            let turn = self.driver.next(node, program.until())?;
            let now = self.driver.now();
            match turn {
                Turn::Event(event) => program.told(node, now, event)?,
                Turn::Woken => {
                    for said in self.heard.try_iter() {
                        match said {
                            Said::Line(line) if line == "status" => say_status(node, now),
                            Said::Line(line) => program.typed(node, now, &line),
                            Said::Reload => self.driver.reload(self.certificates),
                            Said::Stop => program.stops(node, now),
                        }
                    }
                }
                Turn::Trouble(trouble) => warn(trouble),
                Turn::Stopped { clean } => return Ok(clean),
                _ => {}
            }
            if let Some(within) = program.turned(node, now)?
                && self.end.is_none_or(|end| now + within < end)
            {
                self.end = Some(now + within);
                self.driver.stop(within);
            }
        }
    }
}

/// Says in one line whether the node is idle, what is alive, and what has happened, as far as that is not 0.
fn say_status<U: TransactionUser>(node: &Stack<U>, now: Instant) {
    let (idle, endpoint) = (node.is_idle(), node.endpoint());
    let (alive, happened) = (counts(&endpoint.census()), counts(&endpoint.stats()));
    say(format_args!("{now} status idle={idle}{alive};{happened}"));
}

/// The fields of a struct of numbers, those that are not 0: ` connections=3 timers=7`.
fn counts(of: &impl Debug) -> String {
    let text = format!("{of:?}");
    let fields = text.split(['{', '}', ',']).filter_map(|field| field.trim().split_once(": "));
    fields.filter(|(_, value)| *value != "0").map(|(name, value)| format!(" {name}={value}")).collect()
}
