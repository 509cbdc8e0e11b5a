//! Copies with changes. Lines that are not touched go out byte for byte.
//!
//! `patch` is the engine; the public [`Edit`], the values popped from lists (`pops`) and what each hop does (`hop`) are calls of it.

mod hop;
mod patch;
mod pops;

use super::bytes::SharedBytes;
use super::error::BuildError;
use super::layout::{Layout, StartLine};
use super::method::Method;
use super::name::{HeaderId, HeaderName};
use super::request::Request;
use super::response::Response;
use super::text::{self, decimal};
use super::write::{Hop, Recipe, is_request_uri, is_writable, writable_name};
use core::fmt;
use core::marker::PhantomData;
use core::net::IpAddr;
use patch::Patches;
use pops::Pops;
use smallvec::SmallVec;

/// A copy of a message with changes. What is not changed goes out byte for byte: order, case and folding included. `M` is
/// [`Request`] or [`Response`].
///
/// Each change is one of the *original*: a value pushed is not seen by a later `pop_first`. Repeated pops take further
/// values, repeated pushes stack, and of several changes of one value the first counts. Content-Length is never taken from
/// the caller: giving any value for it writes the right one.
#[derive(Clone)]
pub struct Edit<'a, M> {
    bytes: &'a [u8],
    layout: Layout<'a>,
    patches: Patches,
    pops: Pops,
    /// The headers that were replaced: the first replacement counts.
    replaced: SmallVec<[HeaderId; 4]>,
    /// Whether Content-Length is written anew.
    length: bool,
    error: Option<BuildError>,
    kind: PhantomData<M>,
}

impl<'a, M> Edit<'a, M> {
    fn new(bytes: &'a [u8], layout: Layout<'a>) -> Self {
        Self {
            bytes,
            layout,
            patches: Patches::new(),
            pops: Pops::default(),
            replaced: SmallVec::new(),
            length: false,
            error: None,
            kind: PhantomData,
        }
    }

    /// Puts a new field before the first of that name; if there is none, Via first of all, others after the Vias.
    #[must_use]
    pub fn push_first(mut self, id: HeaderId, value: impl AsRef<[u8]>) -> Self {
        if id == HeaderId::ContentLength {
            return self.content_length();
        }
        let inserted = self.patches.insert_before(self.layout.top_of(id), id.into(), &[value.as_ref()]);
        self.check(inserted);
        self
    }

    /// Takes the first value of a list, leaving the rest of its field. [`finish`](Edit::finish) fails if there is none.
    #[must_use]
    pub fn pop_first(mut self, id: HeaderId) -> Self {
        self.pops.add(id, 1, 0);
        self
    }

    /// Takes the last value of a list, leaving the rest of its field. [`finish`](Edit::finish) fails if there is none.
    #[must_use]
    pub fn pop_last(mut self, id: HeaderId) -> Self {
        self.pops.add(id, 0, 1);
        self
    }

    /// All fields of that name by one, in the place of the first and under its name as written; or appended.
    #[must_use]
    pub fn replace(mut self, id: HeaderId, value: impl AsRef<[u8]>) -> Self {
        if id == HeaderId::ContentLength {
            return self.content_length();
        }
        self.replace_field(id, value.as_ref());
        self
    }

    /// Adds a field after all others.
    #[must_use]
    pub fn append<'n>(mut self, name: impl Into<HeaderName<'n>>, value: impl AsRef<[u8]>) -> Self {
        match writable_name(name.into()) {
            Ok(HeaderName::Known(HeaderId::ContentLength)) => return self.content_length(),
            Ok(name) => self.append_field(name, value.as_ref()),
            Err(error) => self.fail(error),
        }
        self
    }

    /// Takes out all fields of that name. Content-Length stays.
    #[must_use]
    pub fn remove<'n>(mut self, name: impl Into<HeaderName<'n>>) -> Self {
        let name = match name.into() {
            HeaderName::Other(text) => text.into(),
            known @ HeaderName::Known(_) => known,
        };
        if name == HeaderName::Known(HeaderId::ContentLength) {
            return self;
        }
        for field in self.layout.headers(self.bytes).iter().filter(|field| field.name == name) {
            let from = text::offset_in(self.bytes, field.line);
            self.patches.cut(from, from + field.line.len());
        }
        self
    }

    /// Fills in the topmost Via: `received` added or replaced, `rport` filled in where it stands (RFC 3261 §18.2.1, RFC 3581
    /// §4). [`finish`](Edit::finish) fails if that Via is absent or malformed.
    #[must_use]
    pub fn stamp_via(mut self, received: Option<IpAddr>, rport: Option<u16>) -> Self {
        let Some(via) = self.layout.headers(self.bytes).top_via() else {
            self.fail(BuildError::NoSuchValue);
            return self;
        };
        self.patches.stamp(self.bytes, &via, received, rport);
        self
    }

    /// Another body, with its Content-Type (none if empty) and Content-Length.
    #[must_use]
    pub fn body(mut self, content_type: &str, body: &[u8]) -> Self {
        self.length = true;
        self.patches.body(&self.layout, body);
        if content_type.is_empty() {
            return self.remove(HeaderId::ContentType);
        }
        self.replace(HeaderId::ContentType, content_type)
    }

    /// Writes Content-Length, where there may be none (a stream needs it, RFC 3261 §18.3).
    #[must_use]
    pub fn content_length(mut self) -> Self {
        self.length = true;
        self
    }

    /// Keeps the first error.
    fn fail(&mut self, error: BuildError) {
        self.error.get_or_insert(error);
    }

    fn check(&mut self, result: Result<(), BuildError>) {
        if let Err(error) = result {
            self.fail(error);
        }
    }

    fn append_field(&mut self, name: HeaderName<'_>, value: &[u8]) {
        let inserted = self.patches.insert_after(self.layout.fields_end.into(), name, &[value]);
        self.check(inserted);
    }

    fn replace_field(&mut self, id: HeaderId, value: &[u8]) {
        if !is_writable(value) {
            self.fail(BuildError::Control);
        }
        if self.replaced.contains(&id) {
            return;
        }
        self.replaced.push(id);
        let mut fields = self.layout.fields_of(id);
        let Some(first) = fields.next() else {
            self.append_field(id.into(), value);
            return;
        };
        self.patches.replace(first.start.into(), first.end.into(), &[text::trim(value)]);
        for other in fields {
            self.patches.cut(other.line.into(), self.layout.line_end(&other));
        }
    }

    /// All patches, those of values popped and of Content-Length included.
    fn settled(mut self) -> Result<Patches, BuildError> {
        self.pops.apply(self.bytes, &self.layout, &mut self.patches)?;
        if self.length {
            let length = self.patches.body_len(&self.layout);
            self.replace_field(HeaderId::ContentLength, decimal(length).as_bytes());
        }
        self.error.map_or(Ok(self.patches), Err)
    }

    /// The octets of the changed copy: one allocation, and no spans. A hop needs no more of what it sends.
    ///
    /// # Errors
    /// As `finish`.
    pub fn octets(self) -> Result<SharedBytes, BuildError> {
        let (bytes, layout) = (self.bytes, self.layout);
        self.settled()?.octets(bytes, &layout)
    }

    /// The changed copy, its spans behind it.
    fn apply(self) -> Result<SharedBytes, BuildError> {
        let (bytes, layout) = (self.bytes, self.layout);
        self.settled()?.apply(bytes, &layout)
    }
}

impl Request {
    /// Begins a copy with changes.
    pub fn edit(&self) -> Edit<'_, Self> {
        Edit::new(&self.bytes, self.layout())
    }
}

impl Response {
    /// Begins a copy with changes.
    pub fn edit(&self) -> Edit<'_, Self> {
        Edit::new(&self.bytes, self.layout())
    }
}

impl Edit<'_, Request> {
    /// Another Request-URI.
    #[must_use]
    pub fn uri(mut self, uri: impl AsRef<[u8]>) -> Self {
        let uri = uri.as_ref();
        if !is_request_uri(uri) {
            self.fail(BuildError::Uri);
        }
        if let StartLine::Request { uri: from, uri_end, .. } = self.layout.start {
            self.patches.replace(from.into(), uri_end.into(), &[uri]);
        }
        self
    }

    /// The changed copy.
    ///
    /// # Errors
    /// A value cannot be written, what was to be changed is not there, or the headers become too long.
    pub fn finish(self) -> Result<Request, BuildError> {
        self.apply().map(Request::new)
    }
}

impl Recipe for Edit<'_, Request> {
    fn method(&self) -> Method<'_> {
        // An edit of a request is made only of one; the other arm is never taken.
        self.layout.method(self.bytes).unwrap_or(Method::Other(""))
    }

    fn octets_for(&self, hop: Hop<'_>) -> Result<SharedBytes, BuildError> {
        let mut patches = self.clone().settled()?;
        if !self.length {
            patches.frame(&self.layout, hop.framing)?;
        }
        patches.put_hop(&self.layout, hop)?;
        patches.octets(self.bytes, &self.layout)
    }

    fn request(&self) -> Result<Request, BuildError> {
        self.clone().finish()
    }
}

impl Edit<'_, Response> {
    /// The changed copy.
    ///
    /// # Errors
    /// A value cannot be written, what was to be changed is not there, or the headers become too long.
    pub fn finish(self) -> Result<Response, BuildError> {
        match self.layout.start {
            StartLine::Response { status, .. } => Ok(Response::new(self.apply()?, status)),
            StartLine::Request { .. } => Err(BuildError::NoSuchValue),
        }
    }
}

/// The first line of the original; values may be secrets.
impl<M> fmt::Debug for Edit<'_, M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Edit({})", self.layout.start_line(self.bytes).escape_ascii())
    }
}

#[cfg(test)]
mod tests;
