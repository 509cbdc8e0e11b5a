//! Census: nothing is alive that nobody needs.

use super::{Check, Kind, Reading, Report};

/// At the end of a run nothing is alive in any node: no transaction, delivery, question, call, dialog, response context, nor a
/// timer of one. Holdings (registrations, addresses-of-record) stay, with a timer each at most.
#[derive(Clone, Copy, Debug)]
pub struct NothingLeft;

impl Check for NothingLeft {
    fn name(&self) -> &'static str {
        "census"
    }

    fn source(&self) -> &'static str {
        "RFC 3261 §12.3, §16.7 step 9, §17.1, §17.2"
    }

    fn kind(&self) -> Kind {
        Kind::Liveness
    }

    fn check(&self, run: &Reading<'_>, report: &mut Report<'_>) {
        for (node, name, actor) in run.actors() {
            for (what, number) in actor.census().left_over() {
                report.breach(node, run.now(), format!("{name} has {number} {what} left"));
            }
        }
    }
}
