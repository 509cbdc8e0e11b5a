//! The loop of an example: what its node tells, what the user types, and signals.

use std::io;
use std::sync::mpsc::Receiver;

use sansip::{Config, Duration, Instant, Stack, TransactionUser};
use sansip_driver::Turn;

use super::{Certificates, Debug, Place, Records, Said, Sockets, end, fail, hear, parse, warn};

/// The outcome of what may fail in many ways.
pub(crate) type Outcome<T> = Result<T, Box<dyn std::error::Error>>;

/// How long calls in progress may take to end once the user has said so.
pub(crate) const GOODBYE: Duration = Duration::from_secs(2);

/// The whole of an example: does what the command line asks for, and ends with 0 if that went well, with 1 if it did not or could not be
/// begun, which is said in one sentence.
pub(crate) fn run<O: clap::Parser>(program: impl FnOnce(&O) -> Outcome<bool>) -> ! {
    match program(&parse()) {
        Ok(went_well) => end(i32::from(!went_well)),
        Err(problem) => fail(problem),
    }
}

/// The options that every example has.
#[derive(clap::Args)]
pub(crate) struct Usual {
    #[command(flatten)]
    pub(crate) certificates: Certificates,
    #[command(flatten)]
    records: Records,
    #[command(flatten)]
    debug: Debug,
}

impl Usual {
    /// Makes the configuration that a node begins with.
    pub(crate) fn config(&self) -> io::Result<Config> {
        let mut config = Config { drops: self.debug.debug, ..Config::new(sansip_driver::seed()?) };
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

    /// The user has typed a line.
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
    certificates: &'a Certificates,
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
