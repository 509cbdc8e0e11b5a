//! The machine of one session: what happens to the use of a dialog that an INVITE has set up (RFC 3261 §12 to §15).
//!
//! A table: phase and input give the next phase and what is done, and every pair is tested. `docs/sessions.md` has its graph.

use super::super::event::EndCause;

/// How far a session has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::user_agent) enum Phase {
    /// A provisional response has made its dialog.
    Early,
    /// The peer's 2xx has an offer, and its ACK waits for the application's answer (§13.2.2.4).
    AnswerOwed,
    /// Our 2xx is out, and its ACK has not come (§13.3.1.4).
    Accepted,
    /// The 2xx is acknowledged.
    Established,
    /// The user has hung up before the ACK of our 2xx came, which a BYE must wait for (§15).
    Leaving,
    /// Our BYE is out.
    Ending,
    /// The session is over. Its dialog may be kept to acknowledge repeated 2xx.
    Over,
}

/// An input of a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::user_agent) enum Input {
    /// The first 2xx to our INVITE came, and its ACK is out: this session is the call (§13.2.2.4).
    Taken,
    /// A 2xx to our INVITE came, and its ACK is out, but nobody wants this session: another one is the call, or the user has
    /// cancelled.
    Unwanted,
    /// A 2xx with an offer came, and its ACK waits for the answer. If the 2xx is the first to our INVITE, this session is the call.
    Owed,
    /// The ACK with the answer goes out.
    Answer,
    /// The application has not answered the offer in time.
    Unanswered,
    /// Our 2xx goes out, to the INVITE (§13.3.1.4) or to a re-INVITE (§14.2).
    Accept,
    /// The ACK of our 2xx came.
    Acknowledged,
    /// No ACK of our 2xx came in 64·T1 (§13.3.1.4).
    Unacknowledged,
    /// The user hangs up (§15).
    HangUp,
    /// The peer's BYE came (§15.1.2).
    Bye,
    /// Our BYE has its end, or there is no way for a BYE (§15.1.1).
    ByeDone,
    /// A response to a request of ours ends the session: the peer does not know it any more (RFC 5057 §5.1).
    Lost,
    /// A request of ours has timed out (§12.2.1.2, RFC 5057 §5.2).
    TimedOut,
    /// The session timer has run out: the session was not refreshed (RFC 4028 §10).
    Expired,
    /// The transaction of our INVITE is over: no 2xx comes any more (§13.2.2.4).
    InviteOver,
}

/// An action on the way from one phase to the next. Actions are done in their order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::user_agent) enum Action {
    /// Stops repeating our 2xx.
    StopRepeating,
    /// Sends the ACK that has waited for an answer, with the refusal that the application has given beforehand, if there is one.
    SendRefusal,
    /// Sends a BYE.
    SendBye,
    /// Ends the INVITE that has no answer yet: cancels ours, unless another early dialog may still be answered, or refuses the peer's.
    EndInvite,
    /// Tells the application that the ACK came.
    TellConfirmed,
    /// Tells the application that the call is over, if this session is the call.
    TellEnded(EndCause),
}

/// The next phase, and what is done.
pub(in crate::user_agent) type Step = (Phase, &'static [Action]);

impl Phase {
    /// Whether the dialog has a session, or may get one, that neither end has given up.
    pub(in crate::user_agent) const fn is_alive(self) -> bool {
        matches!(self, Self::Early | Self::AnswerOwed | Self::Accepted | Self::Established)
    }

    /// The next phase and what is done; `None` where the input does nothing.
    pub(in crate::user_agent) const fn on(self, input: Input) -> Option<Step> {
        use Action::{EndInvite, SendBye, SendRefusal, StopRepeating, TellConfirmed, TellEnded};
        use EndCause::{Expired, Local, Lost, Remote, Unacknowledged, Unanswered};
        Some(match (self, input) {
            (Self::Early, Input::Taken) => (Self::Established, &[]),
            (Self::Early, Input::Unwanted) => (Self::Ending, &[SendBye]),
            (Self::Early | Self::Established, Input::Owed) => (Self::AnswerOwed, &[]),
            (Self::Early | Self::Established, Input::Accept) => (Self::Accepted, &[]),
            (Self::Early, Input::Bye | Input::InviteOver) => (Self::Over, &[]),
            (Self::Early, Input::Lost | Input::TimedOut) => (Self::Early, &[EndInvite]),

            (Self::AnswerOwed, Input::Answer) => (Self::Established, &[]),
            (Self::AnswerOwed, Input::Unanswered) => (Self::Ending, &[SendRefusal, SendBye, TellEnded(Unanswered)]),
            (Self::AnswerOwed, Input::HangUp) => (Self::Ending, &[SendRefusal, SendBye]),
            (Self::AnswerOwed, Input::Bye) => (Self::Over, &[SendRefusal, TellEnded(Remote)]),
            (Self::AnswerOwed, Input::Lost) => (Self::Over, &[SendRefusal, TellEnded(Lost)]),
            (Self::AnswerOwed, Input::TimedOut) => (Self::Ending, &[SendRefusal, SendBye, TellEnded(Lost)]),

            (Self::Accepted, Input::Acknowledged) => (Self::Established, &[StopRepeating, TellConfirmed]),
            (Self::Accepted, Input::HangUp) => (Self::Leaving, &[]),
            (Self::Leaving, Input::Acknowledged) => (Self::Ending, &[StopRepeating, SendBye]),
            (Self::Accepted | Self::Leaving, Input::Unacknowledged) => {
                (Self::Ending, &[SendBye, TellEnded(Unacknowledged)])
            }
            (Self::Accepted, Input::Lost) => (Self::Over, &[StopRepeating, TellEnded(Lost)]),
            // The BYE waits for the ACK, or for the end of the 2xx (§15).
            (Self::Accepted, Input::TimedOut) => (Self::Leaving, &[TellEnded(Lost)]),
            (Self::Accepted | Self::Leaving, Input::Bye) => (Self::Over, &[StopRepeating, TellEnded(Remote)]),

            // The offer was in a reliable provisional response to a re-INVITE.
            (Self::Established, Input::Unanswered) => (Self::Ending, &[SendBye, TellEnded(Unanswered)]),
            (Self::Established, Input::HangUp) => (Self::Ending, &[SendBye]),
            (Self::Established, Input::Bye) => (Self::Over, &[TellEnded(Remote)]),
            (Self::Established, Input::Lost) => (Self::Over, &[TellEnded(Lost)]),
            (Self::Established, Input::TimedOut) => (Self::Ending, &[SendBye, TellEnded(Lost)]),
            (Self::Established, Input::Expired) => (Self::Ending, &[SendBye, TellEnded(Expired)]),

            (Self::Ending, Input::ByeDone) => (Self::Over, &[TellEnded(Local)]),
            _ => return None,
        })
    }
}

#[cfg(test)]
mod tests {
    extern crate std;

    use super::*;
    use alloc::format;
    use alloc::string::String;
    use core::fmt::Write;

    const PHASES: [Phase; 7] = [
        Phase::Early,
        Phase::AnswerOwed,
        Phase::Accepted,
        Phase::Established,
        Phase::Leaving,
        Phase::Ending,
        Phase::Over,
    ];

    const INPUTS: [(Input, &str); 15] = [
        (Input::Taken, "2xx received: it is the call"),
        (Input::Unwanted, "2xx received: nobody wants it"),
        (Input::Owed, "2xx received: it has an offer"),
        (Input::Answer, "ACK sent with the answer"),
        (Input::Unanswered, "no answer in time"),
        (Input::Accept, "2xx sent"),
        (Input::Acknowledged, "ACK received"),
        (Input::Unacknowledged, "no ACK in 64·T1"),
        (Input::HangUp, "hung up"),
        (Input::Bye, "BYE received"),
        (Input::ByeDone, "our BYE is done"),
        (Input::Lost, "response received: the peer has no session"),
        (Input::TimedOut, "no response received"),
        (Input::Expired, "not refreshed in time"),
        (Input::InviteOver, "our INVITE is over"),
    ];

    /// Every pair that does something, by hand from §12 to §15.
    const TABLE: &[(Phase, Input, Phase, &[Action])] = &[
        (Phase::Early, Input::Taken, Phase::Established, &[]),
        (Phase::Early, Input::Unwanted, Phase::Ending, &[Action::SendBye]),
        (Phase::Early, Input::Owed, Phase::AnswerOwed, &[]),
        (Phase::Early, Input::Accept, Phase::Accepted, &[]),
        (Phase::Early, Input::Bye, Phase::Over, &[]),
        (Phase::Early, Input::InviteOver, Phase::Over, &[]),
        (Phase::Early, Input::Lost, Phase::Early, &[Action::EndInvite]),
        (Phase::Early, Input::TimedOut, Phase::Early, &[Action::EndInvite]),
        (Phase::AnswerOwed, Input::Answer, Phase::Established, &[]),
        (
            Phase::AnswerOwed,
            Input::Unanswered,
            Phase::Ending,
            &[Action::SendRefusal, Action::SendBye, Action::TellEnded(EndCause::Unanswered)],
        ),
        (Phase::AnswerOwed, Input::HangUp, Phase::Ending, &[Action::SendRefusal, Action::SendBye]),
        (Phase::AnswerOwed, Input::Bye, Phase::Over, &[Action::SendRefusal, Action::TellEnded(EndCause::Remote)]),
        (Phase::AnswerOwed, Input::Lost, Phase::Over, &[Action::SendRefusal, Action::TellEnded(EndCause::Lost)]),
        (
            Phase::AnswerOwed,
            Input::TimedOut,
            Phase::Ending,
            &[Action::SendRefusal, Action::SendBye, Action::TellEnded(EndCause::Lost)],
        ),
        (Phase::Accepted, Input::Acknowledged, Phase::Established, &[Action::StopRepeating, Action::TellConfirmed]),
        (
            Phase::Accepted,
            Input::Unacknowledged,
            Phase::Ending,
            &[Action::SendBye, Action::TellEnded(EndCause::Unacknowledged)],
        ),
        (Phase::Accepted, Input::HangUp, Phase::Leaving, &[]),
        (Phase::Accepted, Input::Bye, Phase::Over, &[Action::StopRepeating, Action::TellEnded(EndCause::Remote)]),
        (Phase::Accepted, Input::Lost, Phase::Over, &[Action::StopRepeating, Action::TellEnded(EndCause::Lost)]),
        (Phase::Accepted, Input::TimedOut, Phase::Leaving, &[Action::TellEnded(EndCause::Lost)]),
        (
            Phase::Established,
            Input::Unanswered,
            Phase::Ending,
            &[Action::SendBye, Action::TellEnded(EndCause::Unanswered)],
        ),
        (Phase::Established, Input::HangUp, Phase::Ending, &[Action::SendBye]),
        (Phase::Established, Input::Bye, Phase::Over, &[Action::TellEnded(EndCause::Remote)]),
        (Phase::Established, Input::Owed, Phase::AnswerOwed, &[]),
        (Phase::Established, Input::Accept, Phase::Accepted, &[]),
        (Phase::Established, Input::Lost, Phase::Over, &[Action::TellEnded(EndCause::Lost)]),
        (Phase::Established, Input::TimedOut, Phase::Ending, &[Action::SendBye, Action::TellEnded(EndCause::Lost)]),
        (Phase::Established, Input::Expired, Phase::Ending, &[Action::SendBye, Action::TellEnded(EndCause::Expired)]),
        (Phase::Leaving, Input::Acknowledged, Phase::Ending, &[Action::StopRepeating, Action::SendBye]),
        (
            Phase::Leaving,
            Input::Unacknowledged,
            Phase::Ending,
            &[Action::SendBye, Action::TellEnded(EndCause::Unacknowledged)],
        ),
        (Phase::Leaving, Input::Bye, Phase::Over, &[Action::StopRepeating, Action::TellEnded(EndCause::Remote)]),
        (Phase::Ending, Input::ByeDone, Phase::Over, &[Action::TellEnded(EndCause::Local)]),
    ];

    #[test]
    fn every_input_in_every_phase() {
        for (phase, (input, _)) in PHASES.iter().flat_map(|phase| INPUTS.map(|input| (*phase, input))) {
            let row = TABLE.iter().find(|row| row.0 == phase && row.1 == input);
            assert_eq!(phase.on(input), row.map(|row| (row.2, row.3)), "{phase:?}, {input:?}");
        }
        for (place, row) in TABLE.iter().enumerate() {
            assert!(TABLE[..place].iter().all(|other| (other.0, other.1) != (row.0, row.1)), "twice: {row:?}");
        }
    }

    /// The graph and the table of `docs/sessions.md`.
    fn document() -> String {
        let name = |input: Input| INPUTS.iter().find(|(one, _)| *one == input).map_or("", |(_, name)| name);
        let mut text = String::from(
            "# Sessions\n\nThe machine of a session (`core/src/user_agent/session/machine.rs`), written down by its own test: \
             what happens to the use of a dialog that an INVITE has set up (RFC 3261 §12 to §15). A pair that is not in the table \
             does nothing.\n\n```mermaid\nstateDiagram-v2\n",
        );
        for (phase, input, next, _) in TABLE {
            writeln!(text, "    {phase:?} --> {next:?}: {}", name(*input)).unwrap();
        }
        text.push_str("```\n\n| phase | input | next phase | what is done |\n|---|---|---|---|\n");
        for (phase, input, next, actions) in TABLE {
            let actions = actions.iter().map(|action| format!("{action:?}")).collect::<alloc::vec::Vec<_>>().join(", ");
            writeln!(text, "| {phase:?} | {} | {next:?} | {actions} |", name(*input)).unwrap();
        }
        text
    }

    #[test]
    fn the_document_has_this_graph_and_table() {
        let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/sessions.md");
        if std::env::var_os("UPDATE_DOCS").is_some() {
            std::fs::write(&path, document()).unwrap();
        }
        let written = std::fs::read_to_string(&path).unwrap_or_default();
        assert!(written == document(), "docs/sessions.md is not what the table says: run with UPDATE_DOCS=1");
    }
}
