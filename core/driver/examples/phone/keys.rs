//! Keys that the user types.

use sansip::Instant;
use sansip::message::UriBuf;
use sansip::user_agent::{Refer, UserAgent};

use crate::phone::Phone;
use crate::shared::{Outcome, Program};

impl Phone<'_> {
    /// Does what a line asks for.
    pub(crate) fn obey(&mut self, agent: &mut UserAgent, now: Instant, line: &str) -> Outcome<()> {
        match (line, self.calls.last().copied()) {
            ("q", _) => self.stops(agent, now),
            ("h", Some(call)) => drop(agent.modify(now, call, self.sessions.next("sendonly"))?),
            ("r", Some(call)) => drop(agent.modify(now, call, self.sessions.next("sendrecv"))?),
            (line, Some(call)) if line.starts_with("t ") => {
                let target: UriBuf = line[2..].trim().parse()?;
                agent.refer(now, call, Refer::to(&target).referred_by(&self.options.aor))?;
            }
            _ => return Err(format!("{line}: h, r, t URI or q in a call, else q").into()),
        }
        Ok(())
    }
}
