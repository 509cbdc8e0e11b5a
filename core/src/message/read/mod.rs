//! Bytes to messages.
//!
//! `section` and `start_line` read line by line, `collect` notes where things stand (a `Layout`), `parse` gives messages, and `salvage` what can be
//! answered of bytes that are none. `frame` cuts a stream into messages; `length` is the one reading of Content-Length.

mod collect;
mod frame;
mod length;
mod lines;
mod parse;
mod salvage;
mod section;
mod section_end;
mod start_line;

pub(super) use collect::{PartLayout, Spans};
pub use frame::{Frame, FrameError, FrameErrorKind, Framer};
pub(super) use parse::behind_line_ends;
pub use parse::{Message, MessageView};
pub(super) use section::Section;
pub(super) use start_line::read as start_line;
