//! sansip: the borrowed view, and the owned message.

use crate::{CONTACT, Peer, Six, TAG, VIA};
use sansip::message::header::{Contact, MaxForwards};
use sansip::message::{HeaderId, Headers, Limits, Message, MessageView, Response, SharedBytes, StatusCode};

/// The view that borrows.
pub enum SansipView {}

/// The message that is kept.
pub enum Sansip {}

fn six(headers: Headers<'_>) -> Option<Six> {
    let Some(Ok(Contact::Address(contact))) = headers.get::<Contact<'_>>() else { return None };
    Some(Six {
        branch: headers.top_via()?.branch()?.len(),
        from_tag: headers.from()?.tag()?.len(),
        to_tag: headers.to()?.tag().map_or(0, str::len),
        call_id: headers.call_id()?.len(),
        cseq: headers.cseq()?.number,
        contact: contact.uri.port().unwrap_or(0),
    })
}

impl Peer for SansipView {
    const NAME: &'static str = "sansip, borrowed";
    type Message<'a> = MessageView<'a>;
    type Written = SharedBytes;

    fn parse(bytes: &[u8]) -> Option<MessageView<'_>> {
        MessageView::parse(bytes, &Limits::default()).ok()
    }

    fn six(message: &MessageView<'_>) -> Option<Six> {
        six(message.headers())
    }

    fn forward(_: &mut MessageView<'_>) -> Option<SharedBytes> {
        None
    }

    fn ok(_: &MessageView<'_>) -> Option<SharedBytes> {
        None
    }
}

impl Peer for Sansip {
    const NAME: &'static str = "sansip, owned";
    type Message<'a> = Message;
    type Written = SharedBytes;

    fn parse(bytes: &[u8]) -> Option<Message> {
        Message::parse(bytes, &Limits::default()).ok()
    }

    fn six(message: &Message) -> Option<Six> {
        six(message.headers())
    }

    fn forward(message: &mut Message) -> Option<SharedBytes> {
        let Message::Request(request) = message else { return None };
        let hops = request.headers().get::<MaxForwards>()?.ok()?.0;
        let mut digits = [0; 3];
        let forwarded = request
            .edit()
            .push_first(HeaderId::Via, VIA)
            .replace(HeaderId::MaxForwards, decimal(hops.checked_sub(1)?, &mut digits))
            .finish()
            .ok()?;
        Some(forwarded.as_bytes().clone())
    }

    fn ok(message: &Message) -> Option<SharedBytes> {
        let Message::Request(request) = message else { return None };
        let response = Response::to(request, StatusCode::OK)
            .copy(request, HeaderId::RecordRoute)
            .to_tag(TAG)
            .header(HeaderId::Contact, CONTACT)
            .finish()
            .ok()?;
        Some(response.as_bytes().clone())
    }
}

/// The message that is kept, written as a hop does it: octets alone, without a look at where things stand in them.
pub enum SansipHop {}

impl Peer for SansipHop {
    const NAME: &'static str = "sansip, as a hop";
    type Message<'a> = Message;
    type Written = SharedBytes;

    fn parse(bytes: &[u8]) -> Option<Message> {
        Sansip::parse(bytes)
    }

    fn six(message: &Message) -> Option<Six> {
        Sansip::six(message)
    }

    fn forward(message: &mut Message) -> Option<SharedBytes> {
        let Message::Request(request) = message else { return None };
        let hops = request.headers().get::<MaxForwards>()?.ok()?.0;
        let mut digits = [0; 3];
        let edit = request.edit().push_first(HeaderId::Via, VIA);
        edit.replace(HeaderId::MaxForwards, decimal(hops.checked_sub(1)?, &mut digits)).octets().ok()
    }

    fn ok(message: &Message) -> Option<SharedBytes> {
        let Message::Request(request) = message else { return None };
        let response = Response::to(request, StatusCode::OK).copy(request, HeaderId::RecordRoute).to_tag(TAG);
        response.header(HeaderId::Contact, CONTACT).octets().ok()
    }
}

/// The digits of a small number.
fn decimal(number: u8, digits: &mut [u8; 3]) -> &[u8] {
    *digits = [b'0' + number / 100, b'0' + number / 10 % 10, b'0' + number % 10];
    let zeros = digits.iter().take(2).take_while(|digit| **digit == b'0').count();
    &digits[zeros..]
}
