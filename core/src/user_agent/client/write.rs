//! How requests of ours outside of dialogs begin (RFC 3261 §8.1.1).

use super::super::floor::Floor;
use crate::message::header::NameAddrBuf;
use crate::message::{HeaderId, Lines, Method};

/// What every request outside of dialogs has.
pub(in crate::user_agent) struct Outside<'a> {
    pub(in crate::user_agent) method: Method<'a>,
    pub(in crate::user_agent) to: &'a NameAddrBuf,
    /// From, with our tag.
    pub(in crate::user_agent) from: &'a NameAddrBuf,
    pub(in crate::user_agent) call_id: &'a str,
    /// The CSeq number.
    pub(in crate::user_agent) number: u32,
}

impl Floor {
    /// The fields of a request outside of dialogs, to which its owner adds Contact and what the method needs besides.
    pub(in crate::user_agent) fn outside_lines(&self, outside: &Outside<'_>) -> Lines {
        let mut lines = Lines::new();
        lines
            .number(HeaderId::MaxForwards, 70)
            .header(HeaderId::To, outside.to.without_parameters())
            .header(HeaderId::From, outside.from)
            .header(HeaderId::CallId, outside.call_id)
            .cseq(outside.number, outside.method);
        lines
    }
}
