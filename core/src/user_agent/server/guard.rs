//! Who may ask: the gate in front of a user agent (RFC 3261 §8.2, §22.2).

use super::Served;
use crate::auth::{Asker, Gate, Refusal, Settings, Users};
use crate::error::CommandError;
use crate::message::ResponseParts;
use crate::user_agent::agent::Cx;
use crate::user_agent::floor::Floor;

/// A gate, and the users that it lets through.
#[derive(Clone, Debug)]
pub(in crate::user_agent) struct Guard {
    gate: Gate,
    users: Users,
}

impl Floor {
    /// Asks everybody for credentials from now on, or nobody.
    ///
    /// # Errors
    /// As [`Gate::new`].
    pub(in crate::user_agent) fn set_guard(
        &mut self,
        cx: &mut Cx<'_>,
        settings: Option<(Settings, Users)>,
    ) -> Result<(), CommandError> {
        self.guard = match settings {
            None => None,
            Some((settings, users)) => {
                let gate = Gate::new(Asker::Server, settings, cx.random().hash_key())?;
                Some(alloc::boxed::Box::new(Guard { gate, users }))
            }
        };
        Ok(())
    }

    /// Whether a request may go on; else it is answered. ACK and CANCEL are never challenged (§22.1).
    pub(super) fn lets_through(&mut self, cx: &mut Cx<'_>, served: &Served) -> bool {
        let Some(guard) = &mut self.guard else { return true };
        let Guard { gate, users } = &mut **guard;
        let refusal = match gate.check(&served.request, cx.now(), |claim| users.look_up(claim)) {
            Ok(_) => return true,
            Err(refusal) => refusal,
        };
        self.challenge(cx, served, refusal);
        false
    }

    fn challenge(&mut self, cx: &mut Cx<'_>, served: &Served, refusal: Refusal) {
        let Some(guard) = &self.guard else { return };
        let (status, fields) = guard.gate.refuse(refusal, cx.now(), cx.random());
        let mut lines = self.response_lines();
        for (id, value) in fields.iter() {
            lines.header(id, value);
        }
        self.respond_parts(cx, served, ResponseParts::new(&served.request, status, &lines));
    }
}
