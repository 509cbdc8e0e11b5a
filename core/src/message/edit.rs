//! Copies with changes: a splice. Lines that are not touched go out byte for byte, in runs.

use super::build::{decimal, is_request_uri, is_writable, writable_name};
use super::bytes::SharedBytes;
use super::error::BuildError;
use super::header::{Header, Via};
use super::layout::{FieldSpan, Layout, StartLine, part};
use super::name::{HeaderId, HeaderName};
use super::parameters::Parameter;
use super::request::Request;
use super::response::Response;
use super::scan::{self, Values};
use super::splice::Splices;
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
    pops: SmallVec<[Pop; 2]>,
    /// What was replaced: the first counts.
    replaced: SmallVec<[HeaderId; 4]>,
    /// Whether Content-Length is written anew.
    length: bool,
    error: Option<BuildError>,
    kind: PhantomData<M>,
}

/// How many values go from the front and the back of a list.
#[derive(Clone, Copy)]
struct Pop {
    id: HeaderId,
    front: usize,
    back: usize,
}

impl<'a, M> Edit<'a, M> {
    pub(super) fn new(bytes: &'a [u8], layout: &'a Layout) -> Self {
        Self {
            bytes,
            layout,
            splices: Splices::new(),
            pops: SmallVec::new(),
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
        let at = match self.fields(id).next() {
            Some(field) => field.line.into(),
            None if id == HeaderId::Via => self.layout.first_field.into(),
            None => self.fields(HeaderId::Via).last().map_or(self.layout.first_field.into(), |via| self.line_end(via)),
        };
        let inserted = self.splices.insert_before(at, id.into(), value.as_ref());
        self.check(inserted);
        self
    }

    /// Takes the first value of a list, leaving the rest of its field. [`finish`](Edit::finish) fails if there is none.
    #[must_use]
    pub fn pop_first(mut self, id: HeaderId) -> Self {
        self.pop(id, 1, 0);
        self
    }

    /// Takes the last value of a list, leaving the rest of its field. [`finish`](Edit::finish) fails if there is none.
    #[must_use]
    pub fn pop_last(mut self, id: HeaderId) -> Self {
        self.pop(id, 0, 1);
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
        let top = self.layout.headers(self.bytes).values(HeaderId::Via, Via::LIST).next();
        let Some((value, via)) = top.and_then(|value| Some((value, Via::parse(value).ok()?))) else {
            self.fail(BuildError::NoSuchValue);
            return self;
        };
        if let (Some(port), Some(parameter)) = (rport, via.parameters.get("rport")) {
            self.set_parameter(parameter, format_args!("{port}"));
        }
        match (received, via.parameters.get("received")) {
            (Some(ip), Some(parameter)) => self.set_parameter(parameter, format_args!("{ip}")),
            (Some(ip), None) => {
                let at = scan::offset_in(self.bytes, value) + value.len();
                self.splices.replace(at, at, |out| out.put_text(format_args!(";received={ip}")));
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

    fn fields(&self, id: HeaderId) -> impl Iterator<Item = &'a FieldSpan> + use<'a, M> {
        self.layout.fields.iter().filter(move |field| field.id == Some(id))
    }

    /// Where the field's line ends: where the next one begins.
    fn line_end(&self, field: &FieldSpan) -> usize {
        let fields = &self.layout.fields;
        let next = fields.get(fields.partition_point(|other| other.line <= field.line));
        next.map_or(self.layout.fields_end, |next| next.line).into()
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
        let mut fields = self.fields(id);
        let Some(first) = fields.next() else {
            self.append_field(id.into(), value);
            return;
        };
        self.splices.replace(first.start.into(), first.end.into(), |out| out.put(scan::trim(value)));
        for other in fields {
            self.splices.cut(other.line.into(), self.line_end(other));
        }
    }

    /// Puts a value in place of that of a parameter of the original.
    fn set_parameter(&mut self, parameter: Parameter<'a>, text: fmt::Arguments<'_>) {
        match parameter.value {
            Some(value) => {
                let from = scan::offset_in(self.bytes, value);
                self.splices.replace(from, from + value.len(), |out| out.put_text(text));
            }
            None => {
                let name = parameter.name.as_bytes();
                let at = scan::offset_in(self.bytes, name) + name.len();
                self.splices.replace(at, at, |out| out.put_text(format_args!("={text}")));
            }
        }
    }

    fn pop(&mut self, id: HeaderId, front: usize, back: usize) {
        match self.pops.iter_mut().find(|pop| pop.id == id) {
            Some(pop) => (pop.front, pop.back) = (pop.front + front, pop.back + back),
            None => self.pops.push(Pop { id, front, back }),
        }
    }

    /// Turns the pops of one header into splices.
    fn take_values(&mut self, pop: Pop) -> Result<(), BuildError> {
        let values = |field: &FieldSpan| Values::new(part(self.bytes, field.start, field.end));
        let count: usize = self.fields(pop.id).map(|field| values(field).count()).sum();
        let kept = pop.front..count.checked_sub(pop.back).ok_or(BuildError::NoSuchValue)?;
        if kept.start > kept.end {
            return Err(BuildError::NoSuchValue);
        }
        let mut index = 0;
        for field in self.fields(pop.id) {
            let values = Values::new(part(self.bytes, field.start, field.end));
            let (mut first, mut last) = (None, None);
            let before = index;
            for value in values {
                if kept.contains(&index) {
                    let start = scan::offset_in(self.bytes, value);
                    first.get_or_insert(start);
                    last = Some(start + value.len());
                }
                index += 1;
            }
            match (first, last) {
                (Some(first), Some(last)) => {
                    if kept.start > before {
                        self.splices.cut(field.start.into(), first);
                    }
                    if kept.end < index {
                        self.splices.cut(last, field.end.into());
                    }
                }
                // A field that had no value to begin with stays.
                _ if index == before => {}
                _ => self.splices.cut(field.line.into(), self.line_end(field)),
            }
        }
        Ok(())
    }

    /// The changed copy and its spans.
    fn apply(mut self) -> Result<(SharedBytes, Layout), BuildError> {
        for pop in core::mem::take(&mut self.pops) {
            self.take_values(pop)?;
        }
        if self.length {
            let length = self.splices.body_len(self.layout);
            self.replace_field(HeaderId::ContentLength, decimal(length).as_ref());
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
mod tests {
    use crate::message::{BuildError, HeaderId, Limits, Message, Request};
    use alloc::string::{String, ToString};
    use alloc::vec::Vec;

    const INVITE: &str = "INVITE sip:bob@biloxi.com SIP/2.0\r\n\
        Via: SIP/2.0/UDP pc33.atlanta.com;branch=z9hG4bK776asdhds;rport ,SIP/2.0/TCP b.com;branch=z9hG4bK2\r\n\
        v:SIP/2.0/UDP c.com\r\n\
        mAX-fORWARDS :  70\r\n\
        Route: <sip:p1.com;lr>, \"a,b\" <sip:p2.com;lr>\r\n\
        Route: <sip:p3.com;lr>\r\n\
        To: Bob\r\n\t<sip:bob@biloxi.com>\r\n\
        From: Alice <sip:alice@atlanta.com>;tag=1928301774\r\n\
        Call-ID: a84b4c76e66710@pc33.atlanta.com\r\n\
        CSeq: 314159 INVITE\r\n\
        X-Odd:;;,,\r\n\
        Content-Type: text/plain\r\n\
        l: 5\r\n\
        \r\n\
        hello";

    fn request(text: &str) -> Request {
        match Message::parse(text.as_bytes(), &Limits::default()) {
            Ok(Message::Request(request)) => request,
            other => panic!("{text}: {other:?}"),
        }
    }

    fn text(request: &Request) -> String {
        String::from_utf8(request.as_bytes().to_vec()).unwrap()
    }

    /// What stands in `after` is the original with each of these replaced.
    fn assert_only_changed(after: &Request, changes: &[(&str, &str)]) {
        let mut expected = INVITE.to_string();
        for (from, to) in changes {
            assert_eq!(expected.matches(from).count(), 1, "{from}");
            expected = expected.replace(from, to);
        }
        assert_eq!(text(after), expected);
        assert_spans(after);
    }

    /// The spans that were moved are those that a reader of the octets finds.
    fn assert_spans(after: &Request) {
        let again = request(&text(after));
        let fields = |request: &Request| -> Vec<_> {
            let headers = request.headers();
            headers.iter().map(|field| (field.name.to_string(), field.value.to_vec(), field.line.to_vec())).collect()
        };
        assert_eq!(fields(after), fields(&again));
        assert_eq!(
            (after.method(), after.uri_bytes(), after.body()),
            (again.method(), again.uri_bytes(), again.body())
        );
        assert_eq!(alloc::format!("{after:?}"), alloc::format!("{again:?}"));
        assert_eq!(again.edit().append("X-Z", "z").finish(), after.edit().append("X-Z", "z").finish());
    }

    #[test]
    fn no_change_is_a_copy() {
        assert_eq!(request(INVITE).edit().finish().unwrap(), request(INVITE));
    }

    #[test]
    fn forwarding_touches_only_its_own_lines() {
        let forwarded = request(INVITE)
            .edit()
            .uri("sip:bob@192.0.2.4")
            .stamp_via(Some([192, 0, 2, 1].into()), Some(5062))
            .push_first(HeaderId::Via, "SIP/2.0/UDP p1.com;branch=z9hG4bKnew")
            .replace(HeaderId::MaxForwards, "69")
            .pop_first(HeaderId::Route)
            .push_first(HeaderId::RecordRoute, "<sip:p1.com;lr>")
            .finish()
            .unwrap();
        assert_only_changed(
            &forwarded,
            &[
                ("INVITE sip:bob@biloxi.com ", "INVITE sip:bob@192.0.2.4 "),
                ("Via: SIP/2.0/UDP pc33", "Via: SIP/2.0/UDP p1.com;branch=z9hG4bKnew\r\nVia: SIP/2.0/UDP pc33"),
                (";rport ,", ";rport=5062;received=192.0.2.1 ,"),
                ("mAX-fORWARDS :  70", "Record-Route: <sip:p1.com;lr>\r\nmAX-fORWARDS :  69"),
                ("Route: <sip:p1.com;lr>, \"a", "Route: \"a"),
            ],
        );
    }

    #[test]
    fn pops_take_values_over_commas_and_fields() {
        let popped = |front: usize, back: usize| {
            let original = request(INVITE);
            let edit = (0..front).fold(original.edit(), |edit, _| edit.pop_first(HeaderId::Route));
            (0..back).fold(edit, |edit, _| edit.pop_last(HeaderId::Route)).finish()
        };
        let line = "Route: <sip:p1.com;lr>, \"a,b\" <sip:p2.com;lr>\r\n";
        assert_only_changed(&popped(2, 0).unwrap(), &[(line, "")]);
        assert_only_changed(&popped(0, 1).unwrap(), &[("Route: <sip:p3.com;lr>\r\n", "")]);
        assert_only_changed(
            &popped(0, 2).unwrap(),
            &[("Route: <sip:p3.com;lr>\r\n", ""), (", \"a,b\" <sip:p2.com;lr>", "")],
        );
        assert_only_changed(&popped(1, 1).unwrap(), &[("Route: <sip:p3.com;lr>\r\n", ""), ("<sip:p1.com;lr>, ", "")]);
        assert_only_changed(&popped(3, 0).unwrap(), &[(line, ""), ("Route: <sip:p3.com;lr>\r\n", "")]);
        assert_eq!(popped(3, 1).unwrap_err(), BuildError::NoSuchValue);
        assert_eq!(popped(4, 0).unwrap_err(), BuildError::NoSuchValue);
    }

    #[test]
    fn the_own_via_is_popped_from_a_shared_line() {
        let popped = request(INVITE).edit().pop_first(HeaderId::Via).finish().unwrap();
        assert_only_changed(&popped, &[("SIP/2.0/UDP pc33.atlanta.com;branch=z9hG4bK776asdhds;rport ,", "")]);
    }

    #[test]
    fn a_via_is_popped_and_another_pushed_at_once() {
        let moved = request(INVITE)
            .edit()
            .pop_first(HeaderId::Via)
            .push_first(HeaderId::Via, "SIP/2.0/TLS x.com;branch=z9hG4bKx")
            .finish()
            .unwrap();
        let first = "Via: SIP/2.0/UDP pc33.atlanta.com;branch=z9hG4bK776asdhds;rport ,";
        assert_only_changed(&moved, &[(first, "Via: SIP/2.0/TLS x.com;branch=z9hG4bKx\r\nVia: ")]);
    }

    #[test]
    fn repeated_pushes_stack() {
        let pushed = request(INVITE)
            .edit()
            .push_first(HeaderId::RecordRoute, "<sip:inner>")
            .push_first(HeaderId::RecordRoute, "<sip:outer>")
            .finish()
            .unwrap();
        let both = "Record-Route: <sip:outer>\r\nRecord-Route: <sip:inner>\r\nmAX";
        assert_only_changed(&pushed, &[("mAX", both)]);
    }

    #[test]
    fn received_and_rport_are_replaced_where_they_stand() {
        let before = INVITE.replace(";rport ,", ";rport=1;received=192.0.2.9;x ,");
        let after = request(&before).edit().stamp_via(Some("2001:db8::1".parse().unwrap()), Some(2)).finish().unwrap();
        assert_eq!(text(&after), INVITE.replace(";rport ,", ";rport=2;received=2001:db8::1;x ,"));
        let plain = INVITE.replace(";rport ,", " ,");
        let after = request(&plain).edit().stamp_via(None, Some(2)).finish().unwrap();
        assert_eq!(text(&after), plain, "no rport was asked for");
    }

    #[test]
    fn replacing_leaves_one_field() {
        let one = request(INVITE).edit().replace(HeaderId::Route, "<sip:x;lr>").finish().unwrap();
        assert_only_changed(
            &one,
            &[("<sip:p1.com;lr>, \"a,b\" <sip:p2.com;lr>", "<sip:x;lr>"), ("Route: <sip:p3.com;lr>\r\n", "")],
        );
        let new = request(INVITE).edit().replace(HeaderId::MaxBreadth, "60").finish().unwrap();
        assert_only_changed(&new, &[("l: 5\r\n", "l: 5\r\nMax-Breadth: 60\r\n")]);
    }

    #[test]
    fn fields_are_removed_and_appended_by_name() {
        let after = request(INVITE).edit().remove("ROUTE").append("X-New", "1").append("X-New", "2").finish().unwrap();
        assert_only_changed(
            &after,
            &[
                ("Route: <sip:p1.com;lr>, \"a,b\" <sip:p2.com;lr>\r\nRoute: <sip:p3.com;lr>\r\n", ""),
                ("l: 5\r\n", "l: 5\r\nX-New: 1\r\nX-New: 2\r\n"),
            ],
        );
        let after = request(INVITE).edit().remove("x-ODD").finish().unwrap();
        assert_eq!(text(&after), INVITE.replace("X-Odd:;;,,\r\n", ""));
    }

    #[test]
    fn another_body_has_its_own_type_and_length() {
        let after = request(INVITE).edit().body("application/sdp", b"v=0\r\n\0").finish().unwrap();
        assert_only_changed(&after, &[("text/plain", "application/sdp"), ("l: 5", "l: 6"), ("hello", "v=0\r\n\0")]);
        let after = request(INVITE).edit().body("", b"").append(HeaderId::ContentLength, "77").finish().unwrap();
        assert_only_changed(&after, &[("Content-Type: text/plain\r\n", ""), ("l: 5", "l: 0"), ("hello", "")]);
    }

    #[test]
    fn a_length_is_added_where_there_was_none() {
        let before = INVITE.replace("l: 5\r\n", "");
        let after = request(&before).edit().content_length().finish().unwrap();
        assert_eq!(text(&after), INVITE.replace("l: 5", "Content-Length: 5"));
    }

    #[test]
    fn nothing_is_injected() {
        let original = request(INVITE);
        for bad in ["a\r\nEvil: 1", "a\n", "\r", "\0"] {
            let edit = || original.edit();
            assert_eq!(edit().append("X", bad).finish(), Err(BuildError::Control));
            assert_eq!(edit().replace(HeaderId::Route, bad).finish(), Err(BuildError::Control));
            assert_eq!(edit().push_first(HeaderId::Via, bad).finish(), Err(BuildError::Control));
            assert_eq!(edit().body(bad, b"").finish(), Err(BuildError::Control));
            assert_eq!(edit().uri(bad).finish(), Err(BuildError::Uri));
        }
        assert_eq!(original.edit().append("X: y", "1").finish(), Err(BuildError::HeaderName));
        assert_eq!(original.edit().append("", "1").finish(), Err(BuildError::HeaderName));
        assert_eq!(original.edit().uri("sip:a b").finish(), Err(BuildError::Uri));
        assert_eq!(original.edit().uri("").finish(), Err(BuildError::Uri));
    }

    #[test]
    fn a_copy_of_an_unterminated_message_is_terminated() {
        let cut = "OPTIONS sip:a.com SIP/2.0\r\nVia: SIP/2.0/UDP b.com\r\nSubject: x";
        let after = request(cut).edit().append("X-New", "1").finish().unwrap();
        assert_eq!(text(&after), alloc::format!("{cut}\r\nX-New: 1\r\n\r\n"));
        let after = request(cut).edit().body("", b"hello").finish().unwrap();
        assert_eq!(text(&after), alloc::format!("{cut}\r\nContent-Length: 5\r\n\r\nhello"));
    }

    #[test]
    fn no_header_slips_behind_the_end_when_an_unterminated_last_field_goes() {
        let cut = "OPTIONS sip:a.com SIP/2.0\r\nVia: SIP/2.0/UDP b.com\r\nRoute: <sip:x;lr>";
        let kept = "OPTIONS sip:a.com SIP/2.0\r\nVia: SIP/2.0/UDP b.com\r\n";
        let after = request(cut).edit().remove(HeaderId::Route).append("X-New", "1").finish().unwrap();
        assert_eq!(text(&after), alloc::format!("{kept}X-New: 1\r\n\r\n"));
        let original = request(cut);
        let pushed = original.edit().pop_first(HeaderId::Route).push_first(HeaderId::Route, "<sip:y;lr>");
        assert_eq!(text(&pushed.finish().unwrap()), alloc::format!("{kept}Route: <sip:y;lr>\r\n\r\n"));
    }

    #[test]
    fn a_value_stays_in_its_line_when_the_line_has_no_end() {
        let cut = request("OPTIONS sip:a.com SIP/2.0\r\nSubject:");
        let after = cut.edit().replace(HeaderId::Subject, "Evil: 1").finish().unwrap();
        assert_eq!(text(&after), "OPTIONS sip:a.com SIP/2.0\r\nSubject:Evil: 1\r\n\r\n");
    }

    #[test]
    fn an_empty_value_that_is_left_first_has_no_white_space_around_it() {
        let listed = request("OPTIONS sip:a.com SIP/2.0\r\nRoute: <sip:x> , , <sip:y>\r\n\r\n");
        let after = listed.edit().pop_first(HeaderId::Route).finish().unwrap();
        assert_eq!(text(&after), "OPTIONS sip:a.com SIP/2.0\r\nRoute:  , <sip:y>\r\n\r\n");
        assert_eq!(after.headers().raw(HeaderId::Route), Some(&b", <sip:y>"[..]));
    }

    #[test]
    fn of_two_replacements_the_first_counts() {
        let empty = request("OPTIONS sip:a.com SIP/2.0\r\nSubject:\r\n\r\n");
        let edit = empty.edit().replace(HeaderId::Subject, "1").replace(HeaderId::Subject, "2");
        let after = edit.replace(HeaderId::Server, "1").replace(HeaderId::Server, "2").finish().unwrap();
        assert_eq!(text(&after), "OPTIONS sip:a.com SIP/2.0\r\nSubject:1\r\nServer: 1\r\n\r\n");
    }

    #[test]
    fn headers_do_not_grow_beyond_the_bound() {
        let long = "x".repeat(65_500);
        assert_eq!(request(INVITE).edit().append("X", &long).finish(), Err(BuildError::TooLong));
    }
}
