//! New messages, written from left to right: nothing that was written is touched again.
//!
//! [`Lines`] are the header fields that the writer adds, [`Content`] is the body. [`RequestParts`] and [`ResponseParts`] put a start
//! line before them, and a response what it copies from its request; both are written into one allocation, with or without
//! spans. The public builders own what they are given and end in the same writers.

mod lines;
mod parts;
mod placing;
mod recipe;
mod request;
mod response;
mod writable;

pub(crate) use lines::{Content, Lines};
pub(crate) use recipe::{Framing, Hop, Recipe};
pub use request::RequestBuilder;
pub(crate) use request::RequestParts;
pub use response::ResponseBuilder;
pub(crate) use response::ResponseParts;
pub(super) use writable::{is_request_uri, is_writable, writable_name};

#[cfg(test)]
mod tests;
