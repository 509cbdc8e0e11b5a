//! Idle: nothing is left over.

use super::{Reading, Report, Rule};

/// At the end of a run nobody has a call and every node is idle: no transaction, dialog, delivery or open question is left
/// (RFC 3261 §17: every state machine has a timer that ends it).
pub const IDLE: Rule = Rule::new("idle", "RFC 3261 §17.1, §17.2; RFC 6026 §7").of_runs(check_run).in_the_end();

fn check_run(run: &Reading<'_>, report: &mut Report<'_>) {
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

#[cfg(test)]
mod tests {
    use super::super::story::Still;
    use super::*;
    use crate::actor::{Call, CallState};

    #[test]
    fn nobody_has_a_call_and_everybody_is_idle() {
        Still::default().shows(IDLE, "");
        Still { idle: false, ..Still::default() }.shows(IDLE, "judged is not idle");
        let calls = vec![Call { call_id: "c".into(), state: CallState::Ending }];
        Still { calls, ..Still::default() }.shows(IDLE, "judged still has the call c (Ending)");
    }
}
