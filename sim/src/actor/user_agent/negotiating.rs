//! How the user of a phone and the other end come to a session: early, by offers in responses, and by changes.

use sansip::message::{HeaderId, Request, Response, StatusCode};
use sansip::user_agent::Body;
use sansip::{CallId, CommandError};

use super::super::behaviour::{Consent, Reaction};
use super::{AGAIN_AFTER, ATTEMPTS, Task, UserAgentActor};

impl UserAgentActor {
    /// Says that the phone rings, by a reliable response if that is wanted and the caller takes it.
    pub(super) fn ring(&mut self, call: CallId) -> Result<(), CommandError> {
        if !self.behaviour.rings_reliably {
            return self.agent.ring(self.now, call);
        }
        let body = match &self.behaviour.incoming.then {
            Some((_, Reaction::Answer(body))) => body.clone(),
            _ => None,
        };
        let status = if body.is_some() { StatusCode::SESSION_PROGRESS } else { StatusCode::RINGING };
        match self.agent.progress_reliably(self.now, call, status, body.clone()) {
            // The caller takes none, or has to be told the offer, which there is not.
            Err(CommandError::Invalid("100rel" | "body")) => self.agent.ring(self.now, call),
            done => {
                done?;
                if let (Some(line), Some(body)) = (self.line(call), body) {
                    line.is_described = true;
                    line.answer(body.bytes);
                }
                Ok(())
            }
        }
    }

    /// A provisional response came: one that is reliable may have the answer, or an offer, which the user answers.
    pub(super) fn progressed(&mut self, call: CallId, response: &Response) {
        let is_reliable = response.headers().contains(HeaderId::RSeq);
        let Some(body) = Body::of_response(response).filter(|_| is_reliable) else { return };
        let tag = response.to_header().and_then(|to| to.tag()).unwrap_or_default();
        if let Some(after) = self.line(call).and_then(|line| line.was_progressed(tag, body)) {
            self.plan(self.now + after, Task::AnswerOffer(call));
        }
    }

    /// A PRACK came, and with it the answer to the offer of its response, if that had one. A 2xx that waited for it is out.
    pub(super) fn acknowledged(&mut self, call: CallId, prack: &Request) {
        let Some(line) = self.line(call) else { return };
        if let Some(body) = Body::of_request(prack) {
            line.was_confirmed(body);
        }
        line.is_acknowledged = true;
        if std::mem::take(&mut line.answer_waits) {
            self.establish(call);
        }
    }

    /// Asks for hold or for its end. While the stack says that it is not the time, it is tried again, a few times.
    pub(super) fn change(&mut self, call: CallId, hold: bool, attempt: u8) -> Result<(), CommandError> {
        let Some(offer) = self.line(call).and_then(|line| line.offer(hold)) else { return Ok(()) };
        match self.agent.modify(self.now, call, offer.clone()) {
            Err(CommandError::WrongState) if attempt < ATTEMPTS => {
                self.plan(self.now + AGAIN_AFTER, Task::Change(call, hold, attempt + 1));
                Ok(())
            }
            done => {
                done?;
                if let Some(line) = self.line(call) {
                    line.offered(offer.bytes, hold);
                }
                Ok(())
            }
        }
    }

    pub(super) fn decide(&mut self, call: CallId) -> Result<(), CommandError> {
        let consent = self.behaviour.change.map(|(_, consent)| consent);
        match (consent, self.line(call).and_then(|line| line.reply())) {
            (Some(Consent::Accept), Some(answer)) => {
                self.agent.accept_offer(self.now, call, answer.clone())?;
                if let Some(line) = self.line(call) {
                    line.answer(answer.bytes);
                }
                Ok(())
            }
            (Some(Consent::Refuse), Some(_)) => {
                self.agent.refuse_offer(self.now, call, StatusCode::NOT_ACCEPTABLE_HERE)?;
                if let Some(line) = self.line(call) {
                    line.lapse();
                }
                Ok(())
            }
            _ => Ok(()),
        }
    }

    pub(super) fn answer_offer(&mut self, call: CallId) -> Result<(), CommandError> {
        let Some(answer) = self.line(call).and_then(|line| line.reply()) else { return Ok(()) };
        self.agent.answer_offer(self.now, call, answer.clone())?;
        if let Some(line) = self.line(call) {
            line.answer(answer.bytes);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use crate::check;
    use crate::render::ladder;
    use crate::run::{Case, run};

    /// The ladder of a call in which no check finds anything.
    fn calls(options: &str) -> String {
        let case: Case = format!("sansip-sim call --topology direct --reliable{options}").parse().unwrap();
        let world = run(&case).world;
        assert_eq!(check::breaches(&check::standard(), &world), [], "{options}");
        ladder(world.trace())
    }

    /// The first line with that text.
    fn place(ladder: &str, text: &str) -> usize {
        ladder.lines().position(|line| line.contains(text)).unwrap_or_else(|| panic!("no {text}:\n{ladder}"))
    }

    #[test]
    fn the_phone_rings_reliably_and_has_the_call_when_the_prack_came() {
        for options in
            ["", " --late-offer 1s", " --late-offer 5s", " --plan 'alice>bob PRACK#1:+4s'", " --challenge bob"]
        {
            let ladder = calls(options);
            let order = ["183", "PRACK", "has the call"].map(|text| place(&ladder, text));
            assert!(order.is_sorted(), "{options}:\n{ladder}");
        }
    }

    #[test]
    fn who_will_not_answer_rings_without_a_description() {
        let ladder = calls(" --reply reject:2s");
        assert!(place(&ladder, "180") < place(&ladder, "PRACK"), "{ladder}");
        // The first reliable response would need an offer.
        let ladder = calls(" --reply reject:2s --late-offer 1s");
        assert!(!ladder.contains("PRACK") && ladder.contains("180"), "{ladder}");
    }

    /// Bob has ended his hold, Alice not: her refresh is the next offer, and his answer to that is of another session.
    #[test]
    fn the_answer_to_a_refresh_is_the_session_from_then_on() {
        let line = "sansip-sim call --topology one-proxy --record-route --hang-up nobody --hold alice:1ms,bob:2900ms --late-offer 2500ms \
            --session-expires 100s --min-se 176s --refresh-by-invite --challenge alice,bob,proxy --reply answer:7s --delay 40ms \
            --plan 'alice>biloxi ACK#4:drop, alice>biloxi ACK#5:drop, alice>biloxi ACK#6:drop, alice>biloxi ACK#8:drop, \
            alice>biloxi INVITE#5:drop, biloxi>alice 407/INVITE#1:+500ms, biloxi>alice 407/INVITE#3:drop, \
            biloxi>bob INVITE#2:drop, bob>biloxi 422/INVITE#1:drop, bob>biloxi 491/INVITE#1:+200ms, \
            biloxi|*@17295ms..23402ms:cut' --seed 1";
        assert_eq!(run(&line.parse().unwrap()).verdict, Default::default());
    }

    #[test]
    fn a_call_whose_prack_never_comes_is_not_there() {
        let ladder = calls(" --plan 'bob>alice 183/INVITE:drop'");
        assert!(ladder.contains("504") && !ladder.contains("has the call"), "{ladder}");
    }
}
