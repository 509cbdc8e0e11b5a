//! How requests of peers are answered (RFC 3261 §8.2.6).

use alloc::boxed::Box;

use super::Served;
use super::admission::takes_description;
use crate::dialog::DialogKey;
use crate::error::CommandError;
use crate::message::{Content, HeaderId, Lines, Phrase, ResponseParts, SharedBytes, StatusCode};
use crate::stack::bare_500;
use crate::user_agent::agent::Cx;
use crate::user_agent::compose::{Body, Reply, Sort, Standing};
use crate::user_agent::floor::Floor;
use crate::user_agent::profile::ACCEPT;

impl Floor {
    /// Answers with what we can do (§11.2).
    pub(in crate::user_agent) fn respond_options(&mut self, cx: &mut Cx<'_>, served: &Served) {
        let supported = self.profile.extensions();
        let mut lines = self.response_lines();
        lines
            .header(HeaderId::Allow, &*self.profile.allow())
            .header(HeaderId::Accept, ACCEPT)
            .header(HeaderId::AcceptEncoding, "identity")
            .header(HeaderId::AcceptLanguage, "en")
            .header(HeaderId::Supported, alloc::format!("{supported}"));
        let description = self.profile.description.clone().filter(|_| takes_description(&served.request));
        let content = match &description {
            Some(text) => Content { content_type: ACCEPT, octets: text.as_bytes() },
            None => Content::default(),
        };
        let parts = ResponseParts::new(&served.request, StatusCode::OK, &lines);
        self.respond_parts(cx, served, ResponseParts { content, ..parts });
    }

    /// The fields that each of our responses adds to what it copies.
    pub(in crate::user_agent) fn response_lines(&self) -> Lines {
        let mut lines = Lines::new();
        self.profile.add_software(&mut lines, HeaderId::Server);
        lines
    }

    /// Writes a response to a request that is being served: `parts`, and our tag in To if there is none (§8.2.6.2).
    pub(in crate::user_agent) fn write_response(
        &mut self,
        cx: &mut Cx<'_>,
        served: &Served,
        parts: ResponseParts<'_>,
    ) -> Result<SharedBytes, CommandError> {
        let mut parts = parts;
        let stood = self.stood(served, &parts);
        if let Some((lines, body)) = stood.as_deref() {
            (parts.lines, parts.content) = (lines, parts.content.or(body.as_ref()));
        }
        let proved = self.proved(cx, served, &parts);
        if let Some(lines) = &proved {
            parts.lines = lines;
        }
        self.tagged(cx, served, |to_tag| ResponseParts { to_tag, ..parts }.octets())
            .map_err(|_| CommandError::Invalid("body"))
    }

    /// Writes the final response that the application gives to a request and that makes no dialog.
    ///
    /// # Errors
    /// `HeaderOwned`, `Invalid`: what cannot be carried.
    pub(in crate::user_agent) fn final_response(
        &mut self,
        cx: &mut Cx<'_>,
        served: &Served,
        reply: &Reply,
    ) -> Result<SharedBytes, CommandError> {
        let Reply { status, extra } = reply;
        extra.check()?;
        let mut lines = self.response_lines();
        extra.add_to(&mut lines);
        let parts = ResponseParts::new(&served.request, *status, &lines);
        self.write_response(cx, served, ResponseParts { content: extra.content(), ..parts })
    }

    /// The fields of a response with those that stand in it, and the body that stands in it. `None`: nothing stands in any message.
    #[inline]
    fn stood(&self, served: &Served, parts: &ResponseParts<'_>) -> Option<Box<(Lines, Option<Body>)>> {
        self.standing.as_ref().map(|standing| self.completed(standing, served, parts))
    }

    #[cold]
    fn completed(&self, standing: &Standing, served: &Served, parts: &ResponseParts<'_>) -> Box<(Lines, Option<Body>)> {
        let request = &served.request;
        let call = self.serving.call(served.id).or_else(|| {
            let name = DialogKey::of_request(request)?;
            self.call_of(self.dialogs.find(name)?)
        });
        let mut lines = parts.lines.clone();
        let body = standing.complete(call, Sort::Response(request.method(), parts.status), &mut lines);
        Box::new((lines, body.cloned()))
    }

    /// Writes with our tag in To if there is none (§8.2.6.2).
    fn tagged<R>(&mut self, cx: &mut Cx<'_>, served: &Served, write: impl FnOnce(Option<&str>) -> R) -> R {
        if served.request.to_tag().is_some() {
            return write(None);
        }
        if let Some(tag) = self.serving.local_tag(served.id, cx.random()) {
            return write(Some(tag));
        }
        let tag = cx.random().tag();
        write(Some(&tag))
    }

    /// Answers a request that is done with; `add` says what the status needs besides.
    pub(in crate::user_agent) fn respond_final(
        &mut self,
        cx: &mut Cx<'_>,
        served: &Served,
        status: StatusCode,
        add: impl FnOnce(&mut Lines),
    ) {
        let mut lines = self.response_lines();
        add(&mut lines);
        self.respond_parts(cx, served, ResponseParts::new(&served.request, status, &lines));
    }

    /// Answers 400, with the reason.
    pub(in crate::user_agent) fn reject(&mut self, cx: &mut Cx<'_>, served: &Served, reason: Phrase) {
        let lines = self.response_lines();
        let parts = ResponseParts::new(&served.request, StatusCode::BAD_REQUEST, &lines);
        self.respond_parts(cx, served, ResponseParts { reason: Some(reason.as_ref()), ..parts });
    }

    /// Answers a request that is done with; where the response cannot be written, with a 500 that has nothing but what every
    /// response copies.
    pub(in crate::user_agent) fn respond_parts(&mut self, cx: &mut Cx<'_>, served: &Served, parts: ResponseParts<'_>) {
        let mut parts = parts;
        let stood = self.stood(served, &parts);
        if let Some((lines, body)) = stood.as_deref() {
            (parts.lines, parts.content) = (lines, parts.content.or(body.as_ref()));
        }
        let proved = self.proved(cx, served, &parts);
        if let Some(lines) = &proved {
            parts.lines = lines;
        }
        let written = self.tagged(cx, served, |to_tag| match (ResponseParts { to_tag, ..parts }).octets() {
            Ok(octets) => Ok((parts.status, octets)),
            Err(_) => bare_500(&served.request, to_tag).map(|octets| (StatusCode::SERVER_INTERNAL_ERROR, octets)),
        });
        // The endpoint takes no request to which not even that can be said.
        let Ok((status, octets)) = written else { return };
        // The transaction may have ended by itself; then nobody waits.
        let _ = cx.respond_octets(served.server, status, octets);
    }
}
