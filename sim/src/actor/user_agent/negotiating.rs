//! How the user of a phone and the other end come to a session: early, by offers in responses, and by changes.

use sansip::message::{HeaderId, Response, StatusCode};
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
