//! Messages: bytes to requests and responses and back (RFC 3261 §7, §19, §20, §25). Knows no protocol state.
//!
//! A [`Request`] or [`Response`] is one shared buffer and a table of spans: header names are resolved to a [`HeaderId`]
//! once, values are typed on demand, and what is not touched goes out byte for byte. Reading order: [`Message`] and
//! [`parse`](Message::parse), [`Headers`], the typed [`header`]s, [`Uri`], then [`Edit`], [`RequestBuilder`] and
//! [`ResponseBuilder`] for writing.
//!
//! Three verdicts in three places: *parse* (can it be represented?), *validate* (which status is the peer owed?) and
//! *role* (what now? — that one belongs to the cores).

mod accessors;
mod buffer;
mod bytes;
mod check;
mod compare;
mod edit;
mod error;
pub mod header;
mod header_id;
mod headers;
mod host;
mod layout;
mod leniency;
mod limits;
mod marks;
mod method;
mod multipart;
mod name;
mod parameters;
mod peek;
mod phrase;
mod quoted;
mod read;
mod request;
mod response;
mod sipfrag;
mod span;
mod status;
mod tag_param;
mod tel;
mod text;
mod uri;
mod usual;
mod validate;
mod write;

pub(crate) use buffer::Buffer;
pub use bytes::SharedBytes;
pub use compare::AddressOfRecord;
pub(crate) use compare::{unescaped, user_key};
pub use edit::Edit;
pub use error::{BuildError, ParseError, ParseErrorKind};
pub use header_id::HeaderId;
pub use headers::{Field, Headers};
pub use host::{Host, HostBuf, HostPort, HostPortBuf};
pub use leniency::Leniency;
pub use limits::Limits;
pub use method::Method;
pub use multipart::{Multipart, Part};
pub use name::HeaderName;
pub use parameters::{Parameter, Parameters};
pub use peek::{Direction, Peek, peek};
pub use phrase::Phrase;
pub use quoted::{Comment, Quoted};
pub use read::{Frame, FrameError, FrameErrorKind, Framer, Message, MessageView};
pub use request::Request;
pub use response::Response;
pub use sipfrag::StatusLine;
pub use status::StatusCode;
pub use tag_param::TagParam;
pub use tel::Telephone;
pub(crate) use text::{decimal, unfolded};
pub use uri::{Scheme, Uri, UriBuf, UserPart};
pub use validate::{Essentials, Rejection};
pub(crate) use write::{Content, Framing, Hop, Lines, Recipe, RequestParts, ResponseParts};
pub use write::{RequestBuilder, ResponseBuilder};
