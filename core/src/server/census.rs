//! How much is alive, and how much there is room for.

use super::Core;

/// How many there are: of what is alive, or of what there is room for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Census {
    /// The proxy's response contexts.
    pub response_contexts: usize,
    /// Addresses-of-record that the registrar knows: holdings, with one timer for all.
    pub addresses_of_record: usize,
    /// Questions to the application without an answer.
    pub questions: usize,
}

impl Core {
    /// Counts what is alive.
    pub fn census(&self) -> Census {
        Census {
            response_contexts: self.proxy.response_contexts(),
            addresses_of_record: self.registrar.location().len(),
            questions: self.questions.len(),
        }
    }

    /// How many there is room for without another allocation.
    pub fn capacity(&self) -> Census {
        Census {
            response_contexts: self.proxy.capacity(),
            addresses_of_record: self.registrar.location().capacity(),
            questions: self.questions.capacity(),
        }
    }
}
