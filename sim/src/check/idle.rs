//! Idle: nothing is left over.

use super::{Check, Kind, Reading, Report};

/// At the end of a run nobody has a call and every node is idle: no transaction, dialog, delivery or open question is left
/// (RFC 3261 §17: every state machine has a timer that ends it).
#[derive(Clone, Copy, Debug)]
pub struct Idle;

impl Check for Idle {
    fn name(&self) -> &'static str {
        "idle"
    }

    fn source(&self) -> &'static str {
        "RFC 3261 §17.1, §17.2; RFC 6026 §7"
    }

    fn kind(&self) -> Kind {
        Kind::Liveness
    }

    fn check(&self, run: &Reading<'_>, report: &mut Report<'_>) {
        for (node, name, actor) in run.actors() {
            for call in actor.calls() {
                let what = format!("{name} still has the call {} ({:?})", call.call_id, call.state);
                report.breach(node, run.now(), what);
            }
            if !actor.is_idle() {
                report.breach(node, run.now(), format!("{name} is not idle"));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::story::Still;
    use super::*;
    use crate::actor::{Call, CallState};

    #[test]
    fn nobody_has_a_call_and_everybody_is_idle() {
        Still::default().shows(Idle, "");
        Still { idle: false, ..Still::default() }.shows(Idle, "judged is not idle");
        let calls = vec![Call { call_id: "c".into(), state: CallState::Ending }];
        Still { calls, ..Still::default() }.shows(Idle, "judged still has the call c (Ending)");
    }
}
