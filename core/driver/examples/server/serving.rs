//! A node at work, and its end.

use std::fmt::Debug;

use sansip::{Duration, Instant, Node, Stack, TransactionUser};

use crate::shared::{Outcome, Program, Running, say};

/// How long what is in progress may take to end.
const DRAIN: Duration = Duration::from_secs(32);

/// How long the server stays when nothing is in progress, to answer what is sent again and to forward an ACK.
const GOODBYE: Duration = Duration::from_secs(1);

/// How often it looks whether anything is in progress.
const LOOK: Duration = Duration::from_millis(100);

/// A node that serves until it is told to stop.
pub(crate) struct Serving<E> {
    tell: fn(Instant, E),
    /// When it looks next whether it can end.
    look: Option<Instant>,
    is_clean: bool,
}

impl<E> Serving<E> {
    pub(crate) fn new(tell: fn(Instant, E)) -> Self {
        Self { tell, look: None, is_clean: false }
    }

    pub(crate) fn run<U: TransactionUser<Event = E>>(
        mut self,
        running: Running<'_>,
        node: &mut Stack<U>,
    ) -> Outcome<bool> {
        Ok(running.run(node, &mut self)? || self.is_clean)
    }
}

impl<U: TransactionUser> Program<U> for Serving<U::Event> {
    fn told(&mut self, _: &mut Stack<U>, now: Instant, event: U::Event) -> Outcome<()> {
        (self.tell)(now, event);
        Ok(())
    }

    fn typed(&mut self, node: &mut Stack<U>, now: Instant, line: &str) {
        if line == "status" {
            let (idle, endpoint) = (node.is_idle(), node.endpoint());
            let (alive, happened) = (counts(&endpoint.census()), counts(&endpoint.stats()));
            say(format_args!("{now} status idle={idle}{alive};{happened}"));
        }
    }

    fn stops(&mut self, node: &mut Stack<U>, now: Instant) {
        node.drain();
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

/// The fields of a struct of numbers, those that are not 0: ` connections=3 timers=7`.
fn counts(of: &impl Debug) -> String {
    let text = format!("{of:?}");
    let fields = text.split(['{', '}', ',']).filter_map(|field| field.trim().split_once(": "));
    fields.filter(|(_, value)| *value != "0").map(|(name, value)| format!(" {name}={value}")).collect()
}
