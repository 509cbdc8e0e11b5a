//! Offer and answer: which session description is what, in which message of a dialog (RFC 3264, RFC 6337).

mod meaning;
#[cfg(test)]
mod model_test;
#[cfg(test)]
mod table_test;

use super::end::End;
pub use meaning::{Carrier, Meaning, Misplaced};

/// Where the offer/answer of a dialog stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum OfferAnswerState {
    /// No exchange and no INVITE is in progress.
    Stable,
    /// This end's offer in an UPDATE is unanswered.
    UpdateOffered(End),
    /// This end's offer in a PRACK is unanswered, and the INVITE has its final response already.
    PrackOffered(End),
    /// An INVITE of this end is in progress.
    Invite(End, InvitePhase),
}

/// Where the offer/answer of an INVITE stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum InvitePhase {
    /// The INVITE had no offer: the first reliable response has to have the offer.
    Empty,
    /// The INVITE's offer is unanswered.
    Offered,
    /// The INVITE's offer is unanswered, but a preview of the answer is known.
    Previewed,
    /// A reliable provisional response has the offer: its PRACK has to have the answer.
    ReliableOffered,
    /// A reliable provisional response has the answer: its PRACK is due, and may have another offer.
    ReliableAnswered,
    /// The exchange is complete with the PRACK, whose 2xx is due.
    Acknowledged,
    /// An exchange within the INVITE is complete.
    Settled,
    /// After that, this end's offer in an UPDATE is unanswered.
    UpdateOffered(End),
    /// After that, the offer in a PRACK is unanswered.
    PrackOffered,
    /// The 2xx has the offer: the ACK has to have the answer.
    SuccessOffered,
}

use InvitePhase as Phase;
use OfferAnswerState as State;

impl Phase {
    /// Whether an exchange within the INVITE is complete.
    const fn is_executed(self) -> bool {
        use Phase::{Acknowledged, PrackOffered, ReliableAnswered, Settled, UpdateOffered};
        matches!(self, ReliableAnswered | Acknowledged | Settled | UpdateOffered(_) | PrackOffered)
    }

    /// Whether the answer of the INVITE's own exchange is still to come.
    const fn is_offered(self) -> bool {
        matches!(self, Self::Offered | Self::Previewed)
    }
}

/// The offer/answer of one dialog, as one end sees the dialog: what each message means, and what may not be sent.
/// Session descriptions themselves are opaque here.
///
/// An INVITE that makes several dialogs has an exchange in each: the caller clones this for each of them (RFC 3261
/// §13.2.1).
///
/// ```
/// use sansip::dialog::{Carrier, Meaning, OfferAnswer};
///
/// let mut caller = OfferAnswer::default();
/// assert_eq!(caller.sent(Carrier::Invite, false), Ok(Meaning::Nothing));
/// assert_eq!(caller.received(Carrier::InviteSuccess, true), Ok(Meaning::Offer));
/// assert!(!caller.may_send(Carrier::Invite, true));
/// assert_eq!(caller.sent(Carrier::Ack, true), Ok(Meaning::Answer));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OfferAnswer {
    state: State,
    /// Whether an UPDATE without an offer is in progress, of us and of the peer.
    plain_updates: [bool; 2],
}

impl Default for OfferAnswer {
    fn default() -> Self {
        Self { state: State::Stable, plain_updates: [false; 2] }
    }
}

impl OfferAnswer {
    /// Where the offer/answer stands.
    pub const fn state(&self) -> OfferAnswerState {
        self.state
    }

    /// Whether the INVITE in progress has completed an exchange: if it is a re-INVITE of the peer, it is answered with
    /// a 2xx and not with an error (RFC 6141 §3.3).
    pub const fn is_executed(&self) -> bool {
        matches!(self.state, State::Invite(_, phase) if phase.is_executed())
    }

    /// Whether we may send such a message, with or without a session description.
    pub fn may_send(&self, carrier: Carrier, has_description: bool) -> bool {
        let mut copy = *self;
        copy.sent(carrier, has_description).is_ok()
    }

    /// Takes a message that we are about to send.
    ///
    /// # Errors
    /// The message does not fit, and must not be sent.
    pub fn sent(&mut self, carrier: Carrier, has_description: bool) -> Result<Meaning, Misplaced> {
        self.on(End::Ours, carrier, has_description)
    }

    /// Takes a message of the peer.
    ///
    /// # Errors
    /// The message does not fit.
    pub fn received(&mut self, carrier: Carrier, has_description: bool) -> Result<Meaning, Misplaced> {
        self.on(End::Theirs, carrier, has_description)
    }

    fn on(&mut self, from: End, carrier: Carrier, has_description: bool) -> Result<Meaning, Misplaced> {
        match carrier {
            Carrier::Invite => self.invite(from, has_description),
            Carrier::Provisional => self.provisional(from, has_description),
            Carrier::Reliable => self.reliable(from, has_description),
            Carrier::InviteSuccess => self.invite_success(from, has_description),
            Carrier::InviteFailure => Ok(self.invite_failure(from)),
            Carrier::Ack => self.ack(from, has_description),
            Carrier::Prack => self.prack(from, has_description),
            Carrier::PrackSuccess => self.prack_success(from, has_description),
            Carrier::PrackFailure => Ok(self.prack_failure(from)),
            Carrier::Update => self.update(from, has_description),
            Carrier::UpdateSuccess => self.update_success(from, has_description),
            Carrier::UpdateFailure => Ok(self.update_failure(from)),
        }
    }

    /// The phase of the INVITE of this end, if an INVITE is in progress.
    fn phase_of(&self, client: End) -> Option<Phase> {
        match self.state {
            State::Invite(by, phase) if by == client => Some(phase),
            _ => None,
        }
    }

    fn go(&mut self, state: State, meaning: Meaning) -> Result<Meaning, Misplaced> {
        self.state = state;
        Ok(meaning)
    }

    /// The description that is due in this message is missing. A message of ours that is wrong is not sent, so that
    /// nothing changes.
    fn missing(&mut self, from: End, next: State) -> Result<Meaning, Misplaced> {
        if from == End::Theirs {
            self.state = next;
        }
        Err(Misplaced::Missing)
    }

    fn invite(&mut self, from: End, has_description: bool) -> Result<Meaning, Misplaced> {
        match self.state {
            // UAC-II, UAC-UI; UAS-IcI, UAS-IsI, UAS-UcI, UAS-UsI.
            State::UpdateOffered(by) | State::PrackOffered(by) | State::Invite(by, _) => Err(Misplaced::Pending(by)),
            State::Stable if has_description => self.go(State::Invite(from, Phase::Offered), Meaning::Offer),
            State::Stable => self.go(State::Invite(from, Phase::Empty), Meaning::Nothing),
        }
    }

    fn provisional(&mut self, from: End, has_description: bool) -> Result<Meaning, Misplaced> {
        let client = from.other();
        match self.phase_of(client) {
            Some(Phase::Offered) if has_description => {
                self.go(State::Invite(client, Phase::Previewed), Meaning::Preview)
            }
            // Before the exchange has begun a description is neither offer nor answer: an offer has to be reliable.
            None | Some(Phase::Empty) => undue(from, has_description),
            Some(_) => Ok(repeated(has_description)),
        }
    }

    fn reliable(&mut self, from: End, has_description: bool) -> Result<Meaning, Misplaced> {
        let client = from.other();
        match self.phase_of(client) {
            None => undue(from, has_description),
            Some(Phase::Empty) if has_description => {
                self.go(State::Invite(client, Phase::ReliableOffered), Meaning::Offer)
            }
            // The first reliable response has to have the offer (RFC 3262 §5). The 2xx may still bring the offer.
            Some(Phase::Empty) => Err(Misplaced::Missing),
            Some(phase) if phase.is_offered() && has_description => {
                self.go(State::Invite(client, Phase::ReliableAnswered), answer_after(phase))
            }
            Some(_) => Ok(repeated(has_description)),
        }
    }

    fn invite_success(&mut self, from: End, has_description: bool) -> Result<Meaning, Misplaced> {
        let client = from.other();
        match self.phase_of(client) {
            None => undue(from, has_description),
            Some(Phase::Empty) if has_description => {
                self.go(State::Invite(client, Phase::SuccessOffered), Meaning::Offer)
            }
            Some(phase) if phase.is_offered() && has_description => self.go(State::Stable, answer_after(phase)),
            // The first description counts as the answer, and some peers say no more (RFC 3261 §13.2.1). We do.
            Some(Phase::Previewed) if from == End::Theirs => self.go(State::Stable, Meaning::PreviewedAnswer),
            Some(Phase::Empty | Phase::Offered | Phase::Previewed) => self.missing(from, State::Stable),
            Some(Phase::ReliableOffered) => {
                if from == End::Theirs {
                    self.state = State::Stable;
                }
                Err(Misplaced::Unacknowledged)
            }
            Some(Phase::ReliableAnswered) if from == End::Ours => Err(Misplaced::Unacknowledged),
            // The 2xx is retransmitted.
            Some(Phase::SuccessOffered) => Ok(repeated(has_description)),
            Some(Phase::UpdateOffered(by)) => self.go(State::UpdateOffered(by), repeated(has_description)),
            Some(Phase::PrackOffered) => self.go(State::PrackOffered(client), repeated(has_description)),
            Some(Phase::ReliableAnswered | Phase::Acknowledged | Phase::Settled) => {
                self.go(State::Stable, repeated(has_description))
            }
        }
    }

    /// A description in a failure says what could be, and is neither offer nor answer (RFC 6337 §2.4).
    fn invite_failure(&mut self, from: End) -> Meaning {
        let client = from.other();
        let (next, meaning) = match self.phase_of(client) {
            // After the 2xx there is no failure.
            None | Some(Phase::SuccessOffered) => return Meaning::Nothing,
            Some(Phase::Empty) => (State::Stable, Meaning::Nothing),
            Some(Phase::Offered | Phase::Previewed | Phase::ReliableOffered) => (State::Stable, Meaning::Refused),
            Some(Phase::UpdateOffered(by)) => (State::UpdateOffered(by), Meaning::Synchronize),
            Some(Phase::PrackOffered) => (State::PrackOffered(client), Meaning::Synchronize),
            Some(Phase::ReliableAnswered | Phase::Acknowledged | Phase::Settled) => {
                (State::Stable, Meaning::Synchronize)
            }
        };
        self.state = next;
        meaning
    }

    fn ack(&mut self, from: End, has_description: bool) -> Result<Meaning, Misplaced> {
        match self.phase_of(from) {
            Some(Phase::SuccessOffered) if has_description => self.go(State::Stable, Meaning::Answer),
            // An ACK cannot be held back: the exchange is over without an answer.
            Some(Phase::SuccessOffered) => {
                self.state = State::Stable;
                Err(Misplaced::Missing)
            }
            _ => undue(from, has_description),
        }
    }

    fn prack(&mut self, from: End, has_description: bool) -> Result<Meaning, Misplaced> {
        match self.phase_of(from) {
            Some(Phase::ReliableOffered) if has_description => {
                self.go(State::Invite(from, Phase::Acknowledged), Meaning::Answer)
            }
            Some(Phase::ReliableOffered) => Err(Misplaced::Missing),
            Some(Phase::ReliableAnswered) if has_description => {
                self.go(State::Invite(from, Phase::PrackOffered), Meaning::Offer)
            }
            Some(Phase::ReliableAnswered) => self.go(State::Invite(from, Phase::Acknowledged), Meaning::Nothing),
            _ if !has_description => Ok(Meaning::Nothing),
            // We offer only where the response had the answer (RFC 6337 §2.2); a peer may do so in a later PRACK too.
            Some(Phase::Settled) if from == End::Theirs => {
                self.go(State::Invite(from, Phase::PrackOffered), Meaning::Offer)
            }
            Some(Phase::Offered | Phase::Previewed | Phase::Acknowledged | Phase::PrackOffered) => {
                Err(Misplaced::Pending(from))
            }
            Some(Phase::UpdateOffered(by)) => Err(Misplaced::Pending(by)),
            _ => undue(from, has_description),
        }
    }

    fn prack_success(&mut self, from: End, has_description: bool) -> Result<Meaning, Misplaced> {
        let client = from.other();
        match (self.state, self.phase_of(client)) {
            (_, Some(Phase::PrackOffered)) => {
                self.answered(from, has_description, State::Invite(client, Phase::Settled))
            }
            (State::PrackOffered(by), _) if by == client => self.answered(from, has_description, State::Stable),
            (_, Some(Phase::Acknowledged)) => {
                if !has_description || from == End::Theirs {
                    self.state = State::Invite(client, Phase::Settled);
                }
                unasked(has_description)
            }
            _ => unasked(has_description),
        }
    }

    fn prack_failure(&mut self, from: End) -> Meaning {
        let client = from.other();
        let (next, meaning) = match (self.state, self.phase_of(client)) {
            // The PRACK may be sent again without an offer (RFC 6337 §2.3).
            (_, Some(Phase::PrackOffered)) => (State::Invite(client, Phase::ReliableAnswered), Meaning::Refused),
            (State::PrackOffered(by), _) if by == client => (State::Stable, Meaning::Refused),
            (_, Some(Phase::Acknowledged)) => (State::Invite(client, Phase::Settled), Meaning::Nothing),
            _ => return Meaning::Nothing,
        };
        self.state = next;
        meaning
    }

    fn update(&mut self, from: End, has_description: bool) -> Result<Meaning, Misplaced> {
        // UAC-UU, UAS-UsU: one UPDATE of an end at a time, whether it has an offer or not (RFC 3311 §5.2).
        if self.plain(from) || self.update_offered() == Some(from) {
            return Err(Misplaced::Pending(from));
        }
        if !has_description {
            *self.plain_mut(from) = true;
            return Ok(Meaning::Nothing);
        }
        match self.state {
            State::Stable => self.go(State::UpdateOffered(from), Meaning::Offer),
            State::Invite(by, Phase::Settled) => self.go(State::Invite(by, Phase::UpdateOffered(from)), Meaning::Offer),
            // UAS-UcU.
            State::UpdateOffered(by) | State::Invite(_, Phase::UpdateOffered(by)) => Err(Misplaced::Pending(by)),
            // UAC-IU, UAS-IcU, UAS-IsU.
            State::PrackOffered(by) | State::Invite(by, _) => Err(Misplaced::Pending(by)),
        }
    }

    fn update_success(&mut self, from: End, has_description: bool) -> Result<Meaning, Misplaced> {
        if self.update_offered() == Some(from.other()) {
            return self.answered(from, has_description, self.without_update());
        }
        if !has_description || from == End::Theirs {
            *self.plain_mut(from.other()) = false;
        }
        unasked(has_description)
    }

    fn update_failure(&mut self, from: End) -> Meaning {
        if self.update_offered() == Some(from.other()) {
            self.state = self.without_update();
            return Meaning::Refused;
        }
        *self.plain_mut(from.other()) = false;
        Meaning::Nothing
    }

    /// A 2xx that has to have the answer.
    fn answered(&mut self, from: End, has_description: bool, next: State) -> Result<Meaning, Misplaced> {
        if has_description { self.go(next, Meaning::Answer) } else { self.missing(from, next) }
    }

    /// The end whose UPDATE with an offer is in progress.
    const fn update_offered(&self) -> Option<End> {
        match self.state {
            State::UpdateOffered(by) | State::Invite(_, Phase::UpdateOffered(by)) => Some(by),
            _ => None,
        }
    }

    /// The state when the UPDATE with an offer is over.
    const fn without_update(&self) -> State {
        match self.state {
            State::Invite(by, _) => State::Invite(by, Phase::Settled),
            _ => State::Stable,
        }
    }

    const fn plain(&self, end: End) -> bool {
        let [ours, theirs] = self.plain_updates;
        match end {
            End::Ours => ours,
            End::Theirs => theirs,
        }
    }

    const fn plain_mut(&mut self, end: End) -> &mut bool {
        let [ours, theirs] = &mut self.plain_updates;
        match end {
            End::Ours => ours,
            End::Theirs => theirs,
        }
    }
}

/// The answer to an INVITE's offer.
fn answer_after(phase: Phase) -> Meaning {
    if phase == Phase::Previewed { Meaning::PreviewedAnswer } else { Meaning::Answer }
}

const fn repeated(has_description: bool) -> Meaning {
    if has_description { Meaning::Repeated } else { Meaning::Nothing }
}

/// No description is due in this message of an INVITE. One that is received is ignored: a 2xx and its ACK may come
/// again.
fn undue(from: End, has_description: bool) -> Result<Meaning, Misplaced> {
    if from == End::Ours { unasked(has_description) } else { Ok(repeated(has_description)) }
}

/// No description is due in this message.
const fn unasked(has_description: bool) -> Result<Meaning, Misplaced> {
    if has_description { Err(Misplaced::Unexpected) } else { Ok(Meaning::Nothing) }
}
