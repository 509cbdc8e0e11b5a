//! Shows what a world asks a user agent about itself.

use sansip::Instant;

use super::UserAgentActor;
use crate::actor::{Actor, Call, CallState, Census, dialogs, states_of, transaction_of};
use crate::trace::State;
use crate::world::Bound;

impl Actor for UserAgentActor {
    fn calls(&self) -> Vec<Call> {
        let state = |state| match state {
            sansip::user_agent::CallState::Calling
            | sansip::user_agent::CallState::Ringing
            | sansip::user_agent::CallState::Incoming => CallState::Trying,
            sansip::user_agent::CallState::Ending => CallState::Ending,
            _ => CallState::Established,
        };
        self.agent.calls().map(|info| Call { call_id: info.call_id.to_owned(), state: state(info.state) }).collect()
    }

    fn restarted(&self, now: Instant, life: u32) -> Option<Box<dyn Actor>> {
        let recipe = self.recipe.clone()?;
        let mut behaviour = self.behaviour.clone();
        if let Some(register) = &mut behaviour.register {
            register.at = register.at.max(now);
        }
        behaviour.calls.retain(|call| call.at > now);
        Some(Box::new(Self { now, recipe: Some(recipe.clone()), ..Self::new(recipe.build(life), behaviour) }))
    }

    fn census(&self) -> Census {
        let (endpoint, user_agent) = (self.agent.endpoint().census(), self.agent.user().census());
        Census { endpoint, user_agent, ..Census::default() }
    }

    fn states(&self) -> Vec<State> {
        states_of(&self.agent).into_iter().chain(dialogs(self.agent.user().dialogs())).collect()
    }

    fn transaction_of(&self, request: &[u8], is_sent: bool) -> Option<String> {
        transaction_of(self.agent.endpoint(), request, is_sent)
    }

    fn listeners(&self) -> Option<Vec<Bound>> {
        Some(self.agent.endpoint().listeners().map(Bound::from).collect())
    }

    fn capacity(&self) -> Census {
        let (endpoint, user_agent) = (self.agent.endpoint().capacity(), self.agent.user().capacity());
        Census { endpoint, user_agent, ..Census::default() }
    }

    fn clone_box(&self) -> Box<dyn Actor> {
        Box::new(self.clone())
    }
}
