//! rsip.

use crate::{CONTACT, Peer, Six, TAG, VIA};
use rsip::headers::UntypedHeader;
use rsip::param::Tag;
use rsip::prelude::{HasHeaders, HeadersExt, ToTypedHeader};
use rsip::{Header, Headers, Response, SipMessage, StatusCode, Version};

/// rsip 0.4.
pub enum Rsip {}

impl Peer for Rsip {
    const NAME: &'static str = "rsip";
    type Message<'a> = SipMessage;
    type Written = Vec<u8>;

    fn parse(bytes: &[u8]) -> Option<SipMessage> {
        SipMessage::try_from(bytes).ok()
    }

    fn six(message: &SipMessage) -> Option<Six> {
        let to = message.to_header().ok()?.typed().ok()?;
        Some(Six {
            branch: message.via_header().ok()?.typed().ok()?.branch()?.value().len(),
            from_tag: message.from_header().ok()?.typed().ok()?.tag()?.value().len(),
            to_tag: to.tag().map_or(0, |tag| tag.value().len()),
            call_id: message.call_id_header().ok()?.value().len(),
            cseq: message.cseq_header().ok()?.typed().ok()?.seq,
            contact: message.contact_header().ok()?.typed().ok()?.uri.port().map_or(0, |port| *port.value()),
        })
    }

    fn forward(message: &mut SipMessage) -> Option<Vec<u8>> {
        let SipMessage::Request(request) = message else { return None };
        let hops = request.max_forwards_header().ok()?.num().ok()?;
        request.max_forwards_header_mut().ok()?.replace((hops - 1).to_string());
        let mut headers = vec![Header::Via(VIA.into())];
        headers.extend(std::mem::take(&mut request.headers));
        request.headers = headers.into();
        Some(request.to_string().into_bytes())
    }

    fn ok(message: &SipMessage) -> Option<Vec<u8>> {
        let SipMessage::Request(request) = message else { return None };
        let mut headers = Headers::default();
        for header in request.headers().iter() {
            match header {
                Header::Via(_) | Header::From(_) | Header::CallId(_) | Header::CSeq(_) | Header::RecordRoute(_) => {
                    headers.push(header.clone());
                }
                Header::To(to) => headers.push(to.typed().ok()?.with_tag(Tag::new(TAG)).into()),
                _ => {}
            }
        }
        headers.push(Header::Contact(CONTACT.into()));
        headers.push(Header::ContentLength("0".into()));
        let response = Response { status_code: StatusCode::OK, version: Version::V2, headers, body: Vec::new() };
        Some(response.to_string().into_bytes())
    }
}
