//! The messages of RFC 3665's proxies, registrars and redirect servers, written by ours: `flows.rs` has the flows, `stage.rs` plays one of
//! them with one server and takes the messages of everybody else from the RFC.
//!
//! The branches, tags and nonces of a server are keyed and cannot be scripted: each is taken for the printed one where the server writes
//! it first, and put into the messages that come back. The same holds for the token in a Record-Route of ours.

mod flows;
mod stage;

use super::Oddity;
use super::texts::printed;
use crate::samples::folder;
use stage::Stage;

/// A server in a flow.
pub(crate) struct Part {
    /// The folder of the flow.
    pub(crate) flow: &'static str,
    /// The name of the server's host.
    pub(crate) host: &'static str,
    /// The domain of the server, which is the realm of its users, too.
    pub(crate) domain: &'static str,
    /// The users of the domain. Without users nobody is asked for credentials, and what leads elsewhere is relayed.
    pub(crate) users: &'static [&'static str],
    /// The contacts of Bob that were registered before.
    pub(crate) bound: &'static [&'static str],
    /// Whether it redirects and does not forward.
    pub(crate) redirects: bool,
    /// Whether it stays on the path of dialogs.
    pub(crate) stays: bool,
    /// The ends of the names of domains whose servers want TCP.
    pub(crate) tcp: &'static [&'static str],
    pub(crate) steps: &'static [Step],
    /// Where the RFC's messages are not what they should be.
    pub(crate) oddities: &'static [Oddity],
}

/// A step of a server's part.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Step {
    /// This message arrives.
    Hear(&'static str),
    /// This message arrives with the credentials that are printed, which are wrong.
    Forged(&'static str),
    /// The server sends this message. What it sends at one moment may be named in any order.
    Say(&'static str),
    /// The server sends a message that the RFC leaves out, with this start line.
    Also(&'static str),
    /// A response arrives that the RFC leaves out: to the request that the server sent last, with this status and reason.
    HearOf(&'static str),
    /// Nothing arrives until nobody waits any more. What is sent in that time is compared next, but for repetitions.
    Lapse,
}

#[test]
fn servers_write_the_messages_of_rfc_3665() {
    let Some(folder) = folder() else { return };
    let mut said = 0;
    for part in flows::PARTS {
        let mut stage = Stage::new(&folder.join("rfc3665").join(part.flow), part);
        for step in part.steps {
            stage.play(*step);
        }
        stage.end();
        said += part.steps.iter().filter(|step| matches!(step, Step::Say(_))).count();
    }
    assert_eq!(said, flows::MESSAGES, "messages compared");
}

#[test]
fn every_oddity_of_the_servers_is_where_it_is_said_to_be() {
    let Some(folder) = folder() else { return };
    for part in flows::PARTS {
        for oddity in part.oddities {
            let text = printed(&folder.join("rfc3665").join(part.flow), oddity.file);
            assert!(text.contains(oddity.printed), "{} {}: {}", part.flow, oddity.file, oddity.printed);
            assert!(!oddity.why.is_empty());
        }
    }
}
