//! sipx. A message is views of the buffer that it came in, which is copied here as a reader of a socket would have to.

use crate::{CONTACT, Peer, Six, TAG, VIA};
use bytes::Bytes;
use sipx_sip::headers::{Contact, From, MaxForwards, To};
use sipx_sip::{CSeq, CallId, Header, HeaderName, Limits, Message, ResponseBuilder, StatusCode, Via, parse_datagram};

/// sipx-sip 1.0.
pub enum Sipx {}

impl Peer for Sipx {
    const NAME: &'static str = "sipx-sip";
    type Message<'a> = Message;
    type Written = Vec<u8>;

    fn parse(bytes: &[u8]) -> Option<Message> {
        parse_datagram(Bytes::copy_from_slice(bytes), &Limits::datagram()).ok()
    }

    fn six(message: &Message) -> Option<Six> {
        let headers = message.headers();
        let to = headers.typed::<To>()?.ok()?;
        Some(Six {
            branch: headers.typed::<Via>()?.ok()?.branch()?.len(),
            from_tag: headers.typed::<From>()?.ok()?.tag()?.len(),
            to_tag: to.tag().map_or(0, <[u8]>::len),
            call_id: headers.typed::<CallId>()?.ok()?.0.len(),
            cseq: headers.typed::<CSeq>()?.ok()?.sequence,
            contact: headers.typed::<Contact>()?.ok()?.uri.port().unwrap_or(0),
        })
    }

    fn forward(message: &mut Message) -> Option<Vec<u8>> {
        let hops = message.headers().typed::<MaxForwards>()?.ok()?.0;
        let headers = message.headers_mut();
        headers.push_front(Header::build(HeaderName::Via, VIA).ok()?);
        headers.remove_all(&HeaderName::MaxForwards);
        headers.push(Header::build(HeaderName::MaxForwards, (hops - 1).to_string()).ok()?);
        let mut out = Vec::new();
        message.write_to(&mut out);
        Some(out)
    }

    fn ok(message: &Message) -> Option<Vec<u8>> {
        let request = message.as_request()?;
        let to = [&request.headers.value(&HeaderName::To)?[..], b";tag=", TAG.as_bytes()].concat();
        let mut builder = ResponseBuilder::to_request(request, StatusCode::new(200)?, "OK").ok()?;
        for route in request.headers.get_all(&HeaderName::RecordRoute) {
            builder = builder.header(HeaderName::RecordRoute, route.value().into_owned()).ok()?;
        }
        builder = builder.set_header(&HeaderName::To, to).ok()?.header(HeaderName::Contact, CONTACT).ok()?;
        let mut out = Vec::new();
        builder.build().write_to(&mut out);
        Some(out)
    }
}
