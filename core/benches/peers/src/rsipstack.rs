//! rsipstack.

use crate::{CONTACT, Peer, Six, TAG, VIA};
use rsipstack::sip::headers::{Header, Headers, ToTypedHeader};
use rsipstack::sip::message::{HasHeaders, HeadersExt};
use rsipstack::sip::typed::{Contact, From, To, Via};
use rsipstack::sip::{Response, SipMessage, StatusCode, Version};

/// rsipstack 0.7.
pub enum Rsipstack {}

impl Peer for Rsipstack {
    const NAME: &'static str = "rsipstack";
    type Message<'a> = SipMessage;
    type Written = Vec<u8>;

    fn parse(bytes: &[u8]) -> Option<SipMessage> {
        SipMessage::try_from(bytes).ok()
    }

    fn six(message: &SipMessage) -> Option<Six> {
        let to = To::parse(message.to_header().ok()?.value()).ok()?;
        Some(Six {
            branch: Via::parse(message.top_via_header().ok()?.value()).ok()?.branch()?.value().len(),
            from_tag: From::parse(message.from_header().ok()?.value()).ok()?.tag()?.value().len(),
            to_tag: to.tag().map_or(0, |tag| tag.value().len()),
            call_id: message.call_id_header().ok()?.value().len(),
            cseq: message.cseq_header().ok()?.typed().ok()?.seq,
            contact: Contact::parse(message.contact_header().ok()?.value())
                .ok()?
                .uri
                .host_with_port
                .port
                .map_or(0, |port| port.0),
        })
    }

    fn forward(message: &mut SipMessage) -> Option<Vec<u8>> {
        let SipMessage::Request(request) = message else { return None };
        let hops: u32 = request.max_forwards_header().ok()?.value().parse().ok()?;
        request.max_forwards_header_mut().ok()?.replace((hops - 1).to_string());
        request.headers_mut().push_front(Header::Via(VIA.into()));
        Some(request.to_bytes())
    }

    fn ok(message: &SipMessage) -> Option<Vec<u8>> {
        let SipMessage::Request(request) = message else { return None };
        let mut headers = Headers::default();
        for header in request.headers().iter() {
            match header {
                Header::Via(_) | Header::From(_) | Header::CallId(_) | Header::CSeq(_) | Header::RecordRoute(_) => {
                    headers.push(header.clone());
                }
                Header::To(to) => headers.push(To::parse(to.value()).ok()?.with_tag(TAG.into()).into()),
                _ => {}
            }
        }
        headers.push(Header::Contact(CONTACT.into()));
        headers.push(Header::ContentLength("0".into()));
        let status_code = StatusCode::OK;
        let response = Response { status_code, version: Version::V2, headers, body: Vec::new(), ..Response::default() };
        Some(response.to_bytes())
    }
}
