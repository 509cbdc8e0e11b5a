//! Every response that an event tells of has come in: none stands for a timer or a lost transport (RFC 3261 §8.1.3.1).

use std::collections::BTreeSet;

use sansip::Input;
use sansip::message::Response;
use sansip::user_agent::{Cause, Event, ReferralEnd, SubscriptionEnd};

/// The responses that came in, by their octets.
#[derive(Clone, Debug, Default)]
pub(super) struct Heard(BTreeSet<Box<[u8]>>);

impl Heard {
    pub(super) fn note(&mut self, input: &Input<'_>) {
        if let Input::Datagram { bytes, .. } = input
            && bytes.starts_with(b"SIP/2.0 ")
        {
            self.0.insert((*bytes).into());
        }
    }

    /// Panics if an event tells of a response that nobody sent.
    pub(super) fn check(&self, event: &Event) {
        if let Some(response) = told(event) {
            assert!(self.0.contains(&response.as_bytes()[..]), "nobody sent the response of {event:?}");
        }
    }
}

/// The response that an event tells of.
fn told(event: &Event) -> Option<&Response> {
    match event {
        Event::Progress { response, .. }
        | Event::Answered { response, .. }
        | Event::Modified { response, .. }
        | Event::ModifyProgress { response, .. }
        | Event::Wanted { response, .. }
        | Event::Replied { response, .. }
        | Event::WrongProof { response }
        | Event::Registered { response, .. }
        | Event::Bindings { response, .. }
        | Event::Subscribed { response, .. } => Some(response),
        Event::ModifyFailed { cause, .. }
        | Event::MoveUntold { cause, .. }
        | Event::OfferLapsed { cause, .. }
        | Event::Failed { cause, .. }
        | Event::Unanswered { cause, .. }
        | Event::RegistrationFailed { cause, .. }
        | Event::SubscriptionEnded { cause: SubscriptionEnd::Failed(cause), .. }
        | Event::ReferralEnded { cause: ReferralEnd::Failed(cause), .. } => match cause {
            Cause::Refused(response) => Some(response),
            _ => None,
        },
        _ => None,
    }
}
