//! Copies with changes: a splice. Lines that are not touched go out byte for byte, in runs.

use super::bytes::SharedBytes;
use super::error::BuildError;
use super::layout::Layout;
use super::name::{HeaderId, HeaderName};
use super::parameters::Parameter;
use super::pops::Pops;
use super::request::Request;
use super::response::Response;
use super::scan;
use super::splice::Splices;
use super::start_line::StartLine;
use super::writable::{address, decimal, is_request_uri, is_writable, writable_name};
use core::fmt;
use core::marker::PhantomData;
use core::net::IpAddr;
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
    layout: &'a Layout,
    splices: Splices,
    pops: Pops,
    /// What was replaced: the first counts.
    replaced: SmallVec<[HeaderId; 4]>,
    /// Whether Content-Length is written anew.
    length: bool,
    error: Option<BuildError>,
    kind: PhantomData<M>,
}

impl<'a, M> Edit<'a, M> {
    pub(super) fn new(bytes: &'a [u8], layout: &'a Layout) -> Self {
        Self {
            bytes,
            layout,
            splices: Splices::new(),
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
        let at = match self.layout.fields_of(id).next() {
            Some(field) => field.line.into(),
            None if id == HeaderId::Via => self.layout.first_field.into(),
            None => self
                .layout
                .fields_of(HeaderId::Via)
                .last()
                .map_or(self.layout.first_field.into(), |via| self.layout.line_end(via)),
        };
        let inserted = self.splices.insert_before(at, id.into(), value.as_ref());
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
            let from = scan::offset_in(self.bytes, field.line);
            self.splices.cut(from, from + field.line.len());
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
        if let (Some(port), Some(parameter)) = (rport, via.parameters.get("rport")) {
            self.set_parameter(parameter, decimal(port.into()).as_bytes());
        }
        match (received, via.parameters.get("received")) {
            (Some(ip), Some(parameter)) => self.set_parameter(parameter, address(ip).as_bytes()),
            (Some(ip), None) => {
                let parameters = via.parameters.as_bytes();
                let at = scan::offset_in(self.bytes, parameters) + parameters.len();
                self.splices.replace(at, at, |out| {
                    out.put(b";received=");
                    out.put(address(ip).as_bytes());
                });
            }
            (None, _) => {}
        }
        self
    }

    /// Another body, with its Content-Type (none if empty) and Content-Length.
    #[must_use]
    pub fn body(mut self, content_type: &str, body: &[u8]) -> Self {
        self.length = true;
        self.splices.body(self.layout, body);
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
        let inserted = self.splices.insert_after(self.layout.fields_end.into(), name, value);
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
        self.splices.replace(first.start.into(), first.end.into(), |out| out.put(scan::trim(value)));
        for other in fields {
            self.splices.cut(other.line.into(), self.layout.line_end(other));
        }
    }

    /// Puts a value in place of that of a parameter of the original.
    fn set_parameter(&mut self, parameter: Parameter<'_>, text: &[u8]) {
        match parameter.value {
            Some(value) => {
                let from = scan::offset_in(self.bytes, value);
                self.splices.replace(from, from + value.len(), |out| out.put(text));
            }
            None => {
                let name = parameter.name.as_bytes();
                let at = scan::offset_in(self.bytes, name) + name.len();
                self.splices.replace(at, at, |out| {
                    out.put(b"=");
                    out.put(text);
                });
            }
        }
    }

    /// The changed copy and its spans.
    fn apply(mut self) -> Result<(SharedBytes, Layout), BuildError> {
        self.pops.apply(self.bytes, self.layout, &mut self.splices)?;
        if self.length {
            let length = self.splices.body_len(self.layout);
            self.replace_field(HeaderId::ContentLength, decimal(length).as_bytes());
        }
        match self.error {
            Some(error) => Err(error),
            None => self.splices.apply(self.bytes, self.layout),
        }
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
            self.splices.replace(from.into(), uri_end.into(), |out| out.put(uri));
        }
        self
    }

    /// The changed copy.
    ///
    /// # Errors
    /// A value cannot be written, what was to be changed is not there, or the headers become too long.
    pub fn finish(self) -> Result<Request, BuildError> {
        let (bytes, layout) = self.apply()?;
        Ok(Request::new(bytes, layout))
    }
}

impl Edit<'_, Response> {
    /// The changed copy.
    ///
    /// # Errors
    /// A value cannot be written, what was to be changed is not there, or the headers become too long.
    pub fn finish(self) -> Result<Response, BuildError> {
        let (bytes, layout) = self.apply()?;
        match layout.start {
            StartLine::Response { status, .. } => Ok(Response::new(bytes, layout, status)),
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
