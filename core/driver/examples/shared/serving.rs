//! A node that serves until it is told to stop.

use sansip::{Duration, Instant, Stack, TransactionUser};

use super::{Outcome, Program, Running, say};

/// How long what is in progress may take to end.
const DRAIN: Duration = Duration::from_secs(32);

/// How long a node stays when nothing is in progress, to answer what is sent again and to forward an ACK: by itself it would stay 64·T1, for
/// a peer whose 200 comes again because our ACK was lost.
pub(crate) const GOODBYE: Duration = Duration::from_secs(1);

/// How often it looks whether anything is in progress.
const LOOK: Duration = Duration::from_millis(100);

/// A program that tells what its node tells. SIGINT or SIGTERM: the node begins nothing new, the program says what it waits for, and
/// ends a second after the last request has its response, or after 32 s.
pub(crate) struct Serving<U: TransactionUser> {
    tell: fn(Instant, U::Event),
    /// Has the node begin nothing new.
    close: fn(&mut Stack<U>, Instant),
    /// When it looks next whether it can end.
    look: Option<Instant>,
    is_clean: bool,
}

impl<U: TransactionUser> Serving<U> {
    pub(crate) fn new(tell: fn(Instant, U::Event), close: fn(&mut Stack<U>, Instant)) -> Self {
        Self { tell, close, look: None, is_clean: false }
    }

    /// Runs; whether all had a response in the end.
    pub(crate) fn run(mut self, running: Running<'_>, node: &mut Stack<U>) -> Outcome<bool> {
        Ok(running.run(node, &mut self)? || self.is_clean)
    }
}

impl<U: TransactionUser> Program<U> for Serving<U> {
    fn told(&mut self, _: &mut Stack<U>, now: Instant, event: U::Event) -> Outcome<()> {
        (self.tell)(now, event);
        Ok(())
    }

    fn stops(&mut self, node: &mut Stack<U>, now: Instant) {
        (self.close)(node, now);
        let waits_for = node.endpoint().in_progress();
        say(format_args!("{now} stopping: transactions in progress: {waits_for}"));
        self.look = Some(now);
    }

    fn until(&self) -> Option<Instant> {
        self.look
    }

    fn turned(&mut self, node: &mut Stack<U>, now: Instant) -> Outcome<Option<Duration>> {
        let Some(look) = self.look else { return Ok(None) };
        if look > now {
            return Ok(None);
        }
        self.look = Some(now + LOOK);
        self.is_clean = node.endpoint().in_progress() == 0;
        Ok(Some(if self.is_clean { GOODBYE } else { DRAIN }))
    }
}
