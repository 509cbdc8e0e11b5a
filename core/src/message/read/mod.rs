//! Bytes to messages.
//!
//! `section` and `start_line` read line by line, `layout` collects where things stand, `parse` gives messages, and `salvage` what can be
//! answered of bytes that are none. `frame` cuts a stream into messages; `length` is the one reading of Content-Length.

mod defect;
mod frame;
mod layout;
mod length;
mod lines;
mod parse;
mod salvage;
mod section;
mod section_end;
mod start_line;

pub(super) use defect::Defect;
pub use frame::{Frame, FrameError, FrameErrorKind, Framer};
pub(super) use layout::{Layout, PartLayout};
pub(super) use parse::behind_line_ends;
pub use parse::{Message, MessageView};
pub(super) use section::Section;
pub(super) use start_line::{StartLine, read as start_line};
