//! The best response (RFC 3261 §16.7 steps 6 and 7).

use alloc::boxed::Box;

use super::Refusal;
use crate::message::{Framing, HeaderId, HeaderName, Response, StatusCode, unfolded};

/// A final response that may be the best one.
#[derive(Clone, Debug)]
pub(super) enum Candidate {
    /// From downstream, our Via still on top.
    Received(Box<Response>),
    /// What a failure counts as (§16.7 step 6, §16.8, §16.9).
    Own(Refusal),
}

impl Candidate {
    pub(super) fn own(status: StatusCode) -> Self {
        Self::Own(Refusal::Status(status))
    }

    pub(super) fn status(&self) -> StatusCode {
        match self {
            Self::Received(response) => response.status(),
            Self::Own(refusal) => refusal.status(),
        }
    }

    /// The order of preference, the best lowest (§16.7 step 6): 6xx, then the lowest class, and within 4xx what helps to ask
    /// again. A 503 says nothing about other targets; a time-out says least of all.
    fn rank(&self) -> (u8, u8) {
        let status = self.status();
        let class = if status.class() == 6 { 0 } else { status.class() };
        let within = match (self, status.get()) {
            // A target that was not even tried says nothing about the others.
            (Self::Own(Refusal::Scheme { .. }), _) => 4,
            (_, 401 | 407) => 0,
            (_, 415 | 420 | 484) => 1,
            (_, 408 | 487 | 503) => 3,
            _ => 2,
        };
        (class, within)
    }
}

/// The best of the candidates, with the challenges of all if it is one; 408 if there is none.
pub(super) fn best(candidates: &[Candidate]) -> Candidate {
    match candidates.iter().min_by_key(|candidate| candidate.rank()).cloned() {
        None => Candidate::own(StatusCode::REQUEST_TIMEOUT),
        Some(Candidate::Received(response)) if is_challenge(response.status()) => {
            Candidate::Received(Box::new(with_challenges(candidates, &response)))
        }
        Some(best) => best,
    }
}

/// A 401 or 407 with the challenges of all the others (§16.7 step 7), as they came but for their folds.
fn with_challenges(candidates: &[Candidate], chosen: &Response) -> Response {
    let passed_on = |response: &Response| response.octets_without_top_via(Framing::Datagram);
    let said = passed_on(chosen);
    let mut edit = chosen.edit();
    for candidate in candidates {
        let Candidate::Received(other) = candidate else { continue };
        if !is_challenge(other.status()) || passed_on(other) == said {
            continue;
        }
        for field in other.headers().iter() {
            // A malformed challenge is as if absent.
            if let HeaderName::Known(id @ (HeaderId::WwwAuthenticate | HeaderId::ProxyAuthenticate)) = field.name
                && let Ok(challenge) = unfolded(field.value)
            {
                edit = edit.append(id, challenge);
            }
        }
    }
    match edit.finish() {
        Ok(response) => response,
        // Together they are too long: those of the chosen one do.
        Err(_) => chosen.clone(),
    }
}

/// Whether a response of this status asks for credentials.
const fn is_challenge(status: StatusCode) -> bool {
    matches!(status, StatusCode::UNAUTHORIZED | StatusCode::PROXY_AUTHENTICATION_REQUIRED)
}
