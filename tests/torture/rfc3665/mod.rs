//! The user agents' messages of RFC 3665 §2 and §3, written by ours: `flows.rs` has the flows, `stage.rs` plays one of them with one
//! user agent and takes the messages of everybody else from the RFC, `compare.rs` says what of two messages must be the same. `servers/` does
//! the same with the messages of proxies, registrars and redirect servers.
//!
//! Branches, tags, Call-IDs and CSeq numbers are scripted from the messages that the user agent has to write, so that the other messages
//! arrive as they are printed.

mod compare;
mod flows;
mod servers;
mod stage;
mod texts;

use std::path::Path;

use sansip::message::StatusCode;

use crate::samples::folder;
use stage::Stage;

/// A user agent in a flow.
pub(crate) struct Part {
    /// The folder of the flow.
    pub(crate) flow: &'static str,
    pub(crate) who: &'static Who,
    /// The ends of the names of domains whose servers want TCP.
    pub(crate) tcp: &'static [&'static str],
    pub(crate) steps: &'static [Step],
    /// Where the RFC's messages are not what they should be.
    pub(crate) oddities: &'static [Oddity],
}

/// Who a user agent is.
#[derive(Debug)]
pub(crate) struct Who {
    pub(crate) name: &'static str,
    pub(crate) identity: &'static str,
    /// The host of its Via, and where that is.
    pub(crate) host: &'static str,
    pub(crate) address: [u8; 4],
}

/// A step of a user agent's part.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Step {
    /// The application's command.
    Do(Deed),
    /// The user agent sends this message.
    Say(&'static str),
    /// This message arrives.
    Hear(&'static str),
    /// A response arrives that the RFC leaves out: to the request that was sent last, of this status, with the To of the file.
    HearOf(StatusCode, &'static str),
}

/// A command; a file is that of the message which carries out the command: address, routes and body are taken from there.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Deed {
    /// Learns the challenge that the credentials of the file answer, from a request before.
    Learn(&'static str),
    Call(&'static str),
    Ring,
    Answer(&'static str),
    AnswerOffer(&'static str),
    AcceptOffer(&'static str),
    Reject(StatusCode),
    HangUp,
    /// The host is at the address of this name now.
    Move(&'static str),
    /// Offers the body of the file by a re-INVITE.
    Change(&'static str),
    Register,
    Bind(&'static str),
    Query,
    UnregisterAll,
    /// Waits until nobody answers any more; what is sent again by then does not count.
    Lapse,
}

/// A place where a message of the RFC differs from what it should be.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Oddity {
    /// The file.
    pub(crate) file: &'static str,
    /// What stands there.
    pub(crate) printed: &'static str,
    /// What is expected in its place.
    pub(crate) meant: &'static str,
    /// Why.
    pub(crate) why: &'static str,
}

#[test]
fn user_agents_write_the_messages_of_rfc_3665() {
    let Some(folder) = folder() else { return };
    let folder = folder.join("rfc3665");
    let mut said = 0;
    for part in flows::PARTS {
        said += play(&folder, part);
    }
    assert_eq!(said, flows::MESSAGES, "messages compared");
}

/// Plays one part and counts what it has said.
fn play(folder: &Path, part: &Part) -> usize {
    let mut stage = Stage::new(&folder.join(part.flow), part);
    for step in part.steps {
        match *step {
            Step::Do(deed) => stage.act(deed),
            Step::Say(file) => stage.say(file),
            Step::Hear(file) => stage.hear(file),
            Step::HearOf(status, file) => stage.hear_of(status, file),
        }
    }
    stage.end();
    part.steps.iter().filter(|step| matches!(step, Step::Say(_))).count()
}

/// A message of the RFC that differs from what is meant is still the message that is meant: every oddity is met, and has its reason.
#[test]
fn every_oddity_is_where_it_is_said_to_be() {
    let Some(folder) = folder() else { return };
    for part in flows::PARTS {
        for oddity in part.oddities {
            let text = texts::printed(&folder.join("rfc3665").join(part.flow), oddity.file);
            assert!(text.contains(oddity.printed), "{} {}: {}", part.flow, oddity.file, oddity.printed);
            assert!(!oddity.why.is_empty());
        }
    }
}
