//! The state of one dialog (RFC 3261 §12).

use super::name::{DialogKey, DialogName};
use super::route_set::{Path, RouteSet, request_target};
use super::sequence::Sequence;
use crate::message::header::{CSeq, NameAddr, NameAddrBuf, NameAddrText};
use crate::message::{
    HeaderId, Lines, Method, Phrase, Rejection, Request, RequestBuilder, Response, TagParam, Uri, UriBuf,
};

/// How far a dialog has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DialogState {
    /// A provisional response has made it.
    Early,
    /// A 2xx has made or confirmed it.
    Confirmed,
}

/// One dialog, as one end sees it.
#[derive(Clone, Debug)]
pub struct Dialog {
    /// The name of the dialog.
    pub name: DialogName,
    /// How far it has come.
    pub state: DialogState,
    /// The local and remote sequence numbers.
    pub sequence: Sequence,
    /// The local URI, with display name and our tag: From of our requests.
    pub local: NameAddrBuf,
    /// The remote URI, with display name and the peer's tag: To of our requests.
    pub remote: NameAddrBuf,
    /// Where the peer wants requests to arrive.
    pub remote_target: UriBuf,
    /// The proxies on the way.
    pub route_set: RouteSet,
}

/// Max-Forwards of our requests (§8.1.1.6).
const MAX_FORWARDS: &[u8] = b"70";

/// The dialog that a response to an INVITE of a peer would make, but for our tag.
#[derive(Clone, Debug)]
pub(crate) struct Prospect {
    number: u32,
    remote: NameAddrBuf,
    remote_target: UriBuf,
    route_set: RouteSet,
}

impl Prospect {
    /// Reads what the dialog needs (§12.1.1). The INVITE must be one that can be [processed](Request::validate).
    ///
    /// # Errors
    /// The request lacks what a dialog needs: the answer it is owed.
    pub(crate) fn of(request: &Request) -> Result<Self, Rejection> {
        Dialog::can_be_written(request)?;
        let (Wanted { from, number, target }, route_set) = Dialog::wanted(request)?;
        Ok(Self { number, remote: from.to_buf(), remote_target: request_target(target), route_set })
    }

    /// The dialog that the response with the tag `local_tag` to that INVITE makes.
    pub(crate) fn dialog(self, request: &Request, local_tag: &str, state: DialogState) -> Option<Dialog> {
        let headers = request.headers();
        let (call_id, from, to) = (headers.call_id()?, headers.text_of_from()?, headers.text_of_to()?);
        let Self { number, remote, remote_target, route_set } = self;
        Some(Dialog {
            name: DialogKey { call_id, local_tag: TagParam::of(local_tag), remote_tag: from.tag() }.to_name(),
            state,
            sequence: Sequence { local: None, remote: Some(number) },
            local: to.with_tag(local_tag),
            remote,
            remote_target,
            route_set,
        })
    }
}

/// The parts that a dialog is made of.
struct Wanted<'a> {
    from: NameAddrText<'a>,
    number: u32,
    target: Uri<'a>,
}

impl Dialog {
    /// The dialog that our response with the tag `local_tag` to an INVITE makes (§12.1.1). The INVITE must be one that can be
    /// [processed](Request::validate).
    ///
    /// # Errors
    /// The request lacks what a dialog needs: the answer it is owed.
    pub fn of_request(request: &Request, local_tag: &str, state: DialogState) -> Result<Self, Rejection> {
        let prospect = Prospect::of(request)?;
        prospect.dialog(request, local_tag, state).ok_or(Rejection::bad(Phrase::BAD_CALL_IDENTIFIER))
    }

    /// Whether a response to this INVITE can make a dialog: as [`of_request`](Self::of_request).
    ///
    /// # Errors
    /// As [`of_request`](Self::of_request).
    pub fn can_be_made_of(request: &Request) -> Result<(), Rejection> {
        Self::can_be_written(request)?;
        Self::wanted(request).map(drop)
    }

    /// Whether From and To can be written again, as each request of ours in the dialog does.
    fn can_be_written(request: &Request) -> Result<(), Rejection> {
        let headers = request.headers();
        let check = |address: Option<NameAddrText<'_>>, reason| match address {
            Some(address) if address.is_rewritable(headers.user_part()) => Ok(()),
            _ => Err(Rejection::bad(reason)),
        };
        check(headers.text_of_from(), Phrase::BAD_SENDER)?;
        check(headers.text_of_to(), Phrase::BAD_RECIPIENT)
    }

    fn wanted(request: &Request) -> Result<(Wanted<'_>, RouteSet), Rejection> {
        let bad = Rejection::bad;
        let headers = request.headers();
        let from = headers.text_of_from().ok_or(bad(Phrase::BAD_SENDER))?;
        headers.text_of_to().ok_or(bad(Phrase::BAD_RECIPIENT))?;
        headers.call_id().ok_or(bad(Phrase::BAD_CALL_IDENTIFIER))?;
        let CSeq { number, .. } = headers.cseq().ok_or(bad(Phrase::BAD_SEQUENCE_NUMBER))?;
        // To a peer of RFC 2543, which has no From tag, Contact is optional (RFC 2543 §6.13): its From says where it is.
        let old = from.tag().is_none() && !headers.contains(HeaderId::Contact);
        let target = if old { headers.from() } else { headers.contact() };
        let target = target.filter(|target| target.uri.is_sip()).ok_or(bad(Phrase::BAD_REMOTE_TARGET))?;
        let route_set = RouteSet::of_request(headers).ok_or(bad(Phrase::BAD_RECORDED_PROXIES))?;
        Ok((Wanted { from, number, target: target.uri }, route_set))
    }

    /// The dialog that a 101-199 or 2xx response to our INVITE makes (§12.1.2). Only the remote tag, the remote target and the
    /// route set are the peer's to say. Without a usable Contact, the Request-URI stands for the remote target (RFC 2543).
    /// Both must be such as can be [processed](Response::validate); `None` if they lack what a dialog needs.
    pub fn of_response(invite: &Request, response: &Response) -> Option<Self> {
        Self::named(DialogKey::of_response(invite, response)?, invite, response)
    }

    /// As [`of_response`](Self::of_response), where the name of the dialog has been read.
    pub(crate) fn named(key: DialogKey<'_>, invite: &Request, response: &Response) -> Option<Self> {
        let (from, to) = (invite.headers().text_of_from()?, invite.headers().text_of_to()?);
        Some(Self {
            name: key.to_name(),
            state: if response.status().is_success() { DialogState::Confirmed } else { DialogState::Early },
            sequence: Sequence { local: Some(invite.cseq()?.number), remote: None },
            local: from.to_buf(),
            remote: match key.remote_tag {
                Some(tag) => to.with_tag(tag.as_str()),
                None => to.to_buf(),
            },
            remote_target: match target_of(response) {
                Some(target) => target,
                None => invite.uri().ok()?.to_buf(),
            },
            route_set: RouteSet::of_response(response.headers()),
        })
    }

    /// A 2xx confirms an early dialog of ours: the route set is made anew from it (§13.2.2.4, erratum 4084), and its Contact
    /// is the remote target (§12.2.1.2).
    pub fn confirm(&mut self, response: &Response) {
        self.state = DialogState::Confirmed;
        self.route_set = RouteSet::of_response(response.headers());
        if let Some(target) = target_of(response) {
            self.remote_target = target;
        }
    }

    /// A target refresh request of the peer that we accept, or a 2xx to one of ours, says where the peer wants requests to arrive from
    /// now on: its Contact (§12.2.1.2, §12.2.2). The route set stays.
    pub fn refresh(&mut self, contact: Option<NameAddr<'_>>) {
        if let Some(target) = contact.filter(|contact| contact.uri.is_sip()) {
            self.remote_target = request_target(target.uri);
        }
    }

    /// How requests in this dialog are addressed; `None` if they cannot be.
    pub fn path(&self) -> Option<Path> {
        self.route_set.path(&self.remote_target)
    }

    /// Begins a request in this dialog (§12.2.1.1) that goes along `path`.
    pub fn request(&self, method: Method<'_>, number: u32, path: &Path) -> RequestBuilder {
        let builder = Request::builder_to(method, &path.request_uri).header(HeaderId::MaxForwards, MAX_FORWARDS);
        let builder = path.route.iter().fold(builder, |builder, route| builder.header(HeaderId::Route, route));
        let builder = self.names().into_iter().fold(builder, |builder, (id, value)| builder.header(id, value));
        builder.typed(&CSeq { number, method })
    }

    /// Adds the fields of a request in this dialog that goes along `path`, to be written at once: as [`request`](Self::request) has them.
    pub(crate) fn add_to(&self, lines: &mut Lines, method: Method<'_>, number: u32, path: &Path) {
        lines.made(HeaderId::MaxForwards, &[MAX_FORWARDS]);
        if let Some(route) = &path.route {
            lines.header(HeaderId::Route, route);
        }
        for (id, value) in self.names() {
            lines.header(id, value);
        }
        lines.cseq(number, method);
    }

    /// The fields that all requests in this dialog have alike: From, To and Call-ID.
    fn names(&self) -> [(HeaderId, &[u8]); 3] {
        [
            (HeaderId::From, self.local.as_bytes()),
            (HeaderId::To, self.remote.as_bytes()),
            (HeaderId::CallId, self.name.as_key().call_id.as_bytes()),
        ]
    }
}

fn target_of(response: &Response) -> Option<UriBuf> {
    response.contact().filter(|contact| contact.uri.is_sip()).map(|contact| request_target(contact.uri))
}

#[cfg(test)]
mod tests {
    use super::{Dialog, DialogState};
    use crate::message::{HeaderId, Limits, Message, Method, Request, StatusCode};
    use alloc::string::ToString;

    fn invite(from: &[u8]) -> Request {
        let text = [
            &b"INVITE sip:bob@biloxi.com SIP/2.0\r\nVia: SIP/2.0/UDP a.com;branch=z9hG4bKa\r\nFrom: "[..],
            from,
            b"\r\nTo: <sip:bob@biloxi.com>\r\nCall-ID: x\r\nCSeq: 1 INVITE\r\nContact: <sip:alice@a.com>\r\n\r\n",
        ];
        match Message::parse(&text.concat(), &Limits::default()) {
            Ok(Message::Request(request)) => request,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_from_that_can_be_written_again_makes_a_dialog_whose_bye_can_be_built() {
        for (from, written) in [
            (&b"\"A\r\n B\" <sip:alice@a.com>;tag=1"[..], &b"\"A B\" <sip:alice@a.com>;tag=1"[..]),
            (b"\"A \\\0\" <sip:alice@a.com>;tag=1", b"\"A \\\0\" <sip:alice@a.com>;tag=1"),
            (b"<sip:alice@a.com>;x=\"\\\x7f\";tag=1", b"<sip:alice@a.com>;x=\"\\\x7f\";tag=1"),
        ] {
            let dialog = Dialog::of_request(&invite(from), "2", DialogState::Confirmed).unwrap();
            let bye = dialog.request(Method::Bye, 1, &dialog.path().unwrap()).finish().unwrap();
            let to = bye.headers().raw(HeaderId::To).unwrap();
            assert_eq!(to.escape_ascii().to_string(), written.escape_ascii().to_string());
        }
    }

    #[test]
    fn the_first_of_several_contacts_is_the_remote_target() {
        let text = "INVITE sip:bob@biloxi.com SIP/2.0\r\nVia: SIP/2.0/UDP a.com;branch=z9hG4bKa\r\n\
            From: <sip:alice@a.com>;tag=1\r\nTo: <sip:bob@biloxi.com>\r\nCall-ID: x\r\nCSeq: 2147483648 INVITE\r\n\
            Contact: <sip:first@a.com>, <sip:second@a.com>\r\nContact: <sip:third@a.com>\r\n\r\n";
        let Ok(Message::Request(invite)) = Message::parse(text.as_bytes(), &Limits::default()) else {
            panic!("{text}")
        };
        let dialog = Dialog::of_request(&invite, "2", DialogState::Confirmed).unwrap();
        assert_eq!(dialog.remote_target.to_string(), "sip:first@a.com");
        assert_eq!(dialog.sequence.remote, Some(1 << 31));
    }

    #[test]
    fn a_from_that_cannot_be_written_again_is_owed_a_400() {
        let long = [&[b'"'][..], &[b'x'; 9_000], b"\" <sip:alice@a.com>;tag=1"].concat();
        for from in [&b"\"A\0\" <sip:alice@a.com>;tag=1"[..], b"<sip:alice@a.com>;tag=1;x=\"\x1b\"", &long] {
            let rejection = Dialog::can_be_made_of(&invite(from)).unwrap_err();
            assert_eq!(rejection.status, StatusCode::BAD_REQUEST);
        }
    }
}
