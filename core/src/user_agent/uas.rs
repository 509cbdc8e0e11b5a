//! Serving: what every request goes through, in the order of RFC 3261 §8.2, and how it is answered.

use super::core::{Core, Cx, Work};
use super::inspect;
use super::profile::{ACCEPT, ALLOW};
use super::requests::RequestId;
use crate::dialog::DialogKey;
use crate::endpoint::Arrival;
use crate::error::CommandError;
use crate::flow::ListenerId;
use crate::message::{HeaderId, Lines, Method, Request, ResponseParts, SharedBytes, StatusCode};
use crate::stack::bare_500;
use crate::tag::Tag;
use crate::transaction::ServerTransactionId;
use crate::user_agent::CallId;

/// A request that is being served.
#[derive(Clone, Debug)]
pub(super) struct Served {
    pub(super) request: Request,
    pub(super) server: ServerTransactionId,
    pub(super) listener: ListenerId,
    /// Of a request outside of dialogs.
    pub(super) id: Option<RequestId>,
}

impl Core {
    /// A request that matches no transaction: it gets one, and goes through §8.2.
    pub(super) fn request(&mut self, cx: &mut Cx<'_>, arrival: Arrival) {
        let (request, listener, cancels) = (arrival.request.clone(), arrival.flow.listener, arrival.cancels);
        // A registration that is sent to a group is for registrars alone (§10.2.6).
        let to_group = cx.listener(listener).is_some_and(|listener| listener.local.ip().is_multicast());
        if to_group && request.method() == Method::Register {
            return;
        }
        let outside = request.to_tag().is_none();
        // A CANCEL shares From tag, Call-ID and CSeq number with what it cancels, on purpose.
        let merging = outside && request.method() != Method::Cancel;
        let id = if merging { self.requests.begin(&request) } else { None };
        let tag = id.map_or(Tag::NONE, |id| Work::Request(id).into());
        let server = cx.accept(arrival, tag);
        let served = Served { request, server, listener, id };
        if served.request.method() == Method::Cancel {
            return self.cancelled(cx, &served, cancels.map(|(_, tag)| tag));
        }
        if let Some(status) = inspect::method(served.request.method()) {
            return self.respond_final(cx, &served, status, |lines| {
                lines.header(HeaderId::Allow, ALLOW);
            });
        }
        if !inspect::scheme(&served.request) {
            return self.respond_final(cx, &served, StatusCode::UNSUPPORTED_URI_SCHEME, |_| {});
        }
        if merging && id.is_none() {
            return self.respond_final(cx, &served, StatusCode::LOOP_DETECTED, |_| {});
        }
        if let Some(unsupported) = inspect::required(&served.request) {
            return self.respond_final(cx, &served, StatusCode::BAD_EXTENSION, |lines| {
                lines.header(HeaderId::Unsupported, unsupported);
            });
        }
        if let Some(header) = inspect::content(&served.request) {
            let value = if header == HeaderId::Accept { ACCEPT } else { "identity" };
            return self.respond_final(cx, &served, StatusCode::UNSUPPORTED_MEDIA_TYPE, |lines| {
                lines.header(header, value);
            });
        }
        if !inspect::acceptable(&served.request) {
            return self.respond_final(cx, &served, StatusCode::NOT_ACCEPTABLE, |lines| {
                lines.header(HeaderId::Warning, "399 sansip \"There is no answer but in application/sdp\"");
            });
        }
        if outside { self.serve_outside(cx, served) } else { self.serve_in_dialog(cx, &served) }
    }

    fn serve_outside(&mut self, cx: &mut Cx<'_>, served: Served) {
        match served.request.method() {
            Method::Invite => self.invited(cx, served),
            Method::Options => {
                // The status is that of an INVITE (§11.2).
                if self.calls.len() >= self.profile.limits.calls {
                    return self.respond_final(cx, &served, StatusCode::BUSY_HERE, |_| {});
                }
                self.options(cx, &served);
            }
            // A BYE without To tag ends nothing (§15.1.2).
            _ => self.respond_final(cx, &served, StatusCode::CALL_DOES_NOT_EXIST, |_| {}),
        }
    }

    /// A request with a To tag (§12.2.2).
    fn serve_in_dialog(&mut self, cx: &mut Cx<'_>, served: &Served) {
        let Some((call, leg)) = DialogKey::of_request(&served.request).and_then(|key| self.find(key)) else {
            return self.respond_final(cx, served, StatusCode::CALL_DOES_NOT_EXIST, |_| {});
        };
        // A second INVITE before our answer to the first is no question of order, and is told when to come again (§14.2).
        if served.request.method() == Method::Invite
            && let Some(status) = self.pending_invite(call, leg)
        {
            let wait = (status == StatusCode::SERVER_INTERNAL_ERROR).then(|| cx.random().below(11));
            return self.respond_final(cx, served, status, |lines| {
                if let Some(seconds) = wait {
                    lines.header(HeaderId::RetryAfter, alloc::format!("{seconds}"));
                }
            });
        }
        if !self.in_order(call, leg, &served.request) {
            return self.respond_final(cx, served, StatusCode::SERVER_INTERNAL_ERROR, |_| {});
        }
        match served.request.method() {
            Method::Bye => self.bye_received(cx, served, call, leg),
            Method::Options => self.options(cx, served),
            // A change of the session is not wanted: it goes on as it is (§14.2).
            _ => self.respond_final(cx, served, StatusCode::NOT_ACCEPTABLE_HERE, |lines| {
                lines.header(HeaderId::Warning, "399 sansip \"The session cannot be changed\"");
            }),
        }
    }

    fn in_order(&mut self, call: CallId, leg: usize, request: &Request) -> bool {
        let Some(leg) = self.calls.get_mut(call).and_then(|call| call.legs.get_mut(leg)) else { return false };
        request.cseq().is_some_and(|cseq| leg.dialog.sequence.accept(cseq.number))
    }

    /// What we can do (§11.2).
    fn options(&mut self, cx: &mut Cx<'_>, served: &Served) {
        self.respond_final(cx, served, StatusCode::OK, |lines| {
            lines
                .header(HeaderId::Allow, ALLOW)
                .header(HeaderId::Accept, ACCEPT)
                .header(HeaderId::AcceptEncoding, "identity")
                .header(HeaderId::AcceptLanguage, "en")
                .header(HeaderId::Supported, "");
        });
    }

    /// The fields that each of our responses adds to what it copies.
    pub(super) fn response_lines(&self) -> Lines {
        let mut lines = Lines::new();
        self.profile.add_software(&mut lines, HeaderId::Server);
        lines
    }

    /// Writes a response to a request that is being served: `parts`, and our tag in To if there is none (§8.2.6.2).
    pub(super) fn write_response(
        &mut self,
        cx: &mut Cx<'_>,
        served: &Served,
        parts: ResponseParts<'_>,
    ) -> Result<SharedBytes, CommandError> {
        self.tagged(cx, served, |to_tag| ResponseParts { to_tag, ..parts }.octets())
            .map_err(|_| CommandError::Invalid("body"))
    }

    /// Writes with our tag in To if there is none (§8.2.6.2).
    fn tagged<R>(&mut self, cx: &mut Cx<'_>, served: &Served, write: impl FnOnce(Option<&str>) -> R) -> R {
        if served.request.to_tag().is_some() {
            return write(None);
        }
        if let Some(tag) = served.id.and_then(|id| self.requests.local_tag(id, cx.random())) {
            return write(Some(tag));
        }
        let tag = cx.random().tag();
        write(Some(&tag))
    }

    /// Answers a request that is done with; `add` says what the status needs besides.
    pub(super) fn respond_final(
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

    /// Answers a request that is done with; where the response cannot be written, with a 500 that has nothing but what every
    /// response copies.
    pub(super) fn respond_parts(&mut self, cx: &mut Cx<'_>, served: &Served, parts: ResponseParts<'_>) {
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
