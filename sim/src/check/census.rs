//! Census: nothing is alive that nobody needs.

use super::{Reading, Report, Rule};

/// At the end of a run nothing is alive in any node: no transaction, delivery, question, call, dialog, subscription, response context, nor a
/// timer of one. Holdings (registrations, addresses-of-record) stay, with a timer each at most.
pub const CENSUS: Rule =
    Rule::new("census", "RFC 3261 §12.3, §16.7 step 9, §17.1, §17.2").of_runs(check_run).in_the_end();

fn check_run(run: &Reading<'_>, report: &mut Report<'_>) {
    for (node, name, actor) in run.actors() {
        for (what, number) in actor.census().left_over() {
            report.breach(node, run.now(), format!("{name} has {number} {what} left"));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::story::Still;
    use super::*;
    use crate::actor::Census;

    fn shows(change: impl FnOnce(&mut Census), why: &str) {
        let mut still = Still::default();
        change(&mut still.census);
        still.shows(CENSUS, why);
    }

    #[test]
    fn holdings_stay_and_nothing_else() {
        shows(|_| {}, "");
        shows(|census| census.user_agent.dialogs = 1, "judged has 1 dialogs left");
        shows(|census| census.endpoint.queries = 2, "judged has 2 queries left");
        shows(|census| census.user_agent.subscriptions = 1, "judged has 1 subscriptions left");
        shows(|census| census.server.response_contexts = 1, "judged has 1 response contexts left");
        shows(|census| census.user_agent.registrations = 1, "");
        shows(|census| census.server.addresses_of_record = 1, "");
        shows(|census| census.endpoint.connections = 1, "");
    }

    #[test]
    fn each_holding_may_have_a_timer() {
        shows(|census| census.endpoint.timers = 1, "judged has 1 timers left");
        shows(|census| (census.server.addresses_of_record, census.endpoint.timers) = (1, 1), "");
        shows(
            |census| (census.server.addresses_of_record, census.endpoint.timers) = (1, 3),
            "judged has 2 timers left",
        );
    }
}
