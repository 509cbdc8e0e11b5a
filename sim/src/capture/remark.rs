//! Shows what a trace has besides messages.

use super::reader::Place;
use crate::trace::{Note, State};

/// Something that a trace has besides messages.
#[derive(Clone, Debug)]
pub struct Remark {
    /// The line where it stands.
    pub place: Place,
    /// When, in nanoseconds since the start of the trace.
    pub time: u64,
    /// The node that it is about.
    pub node: String,
    /// The remark itself.
    pub said: Said,
}

/// Says what a trace says of a node.
#[derive(Clone, Debug)]
pub enum Said {
    /// The node has something to say, or something happened to it.
    Note(Note),
    /// Something stands in it from now on, stands otherwise, or stands there no more.
    State(State),
}

impl Remark {
    /// The Call-ID of the call that it is about, if it is about one.
    pub fn call_id(&self) -> Option<&str> {
        match &self.said {
            Said::Note(note) => note.call_id(),
            Said::State(state) => state.call_id(),
        }
    }
}
