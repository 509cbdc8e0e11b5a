//! ezk. Its types package has the parts of a reader, which are put together here as its documentation does.

use crate::{CONTACT, Peer, Six, TAG, VIA};
use bytes::Bytes;
use ezk_sip_types::header::typed::{CSeq, CallID, Contact, FromTo, MaxForwards, Via};
use ezk_sip_types::msg::{Line, MessageLine, PullParser, StatusLine};
use ezk_sip_types::parse::Parse;
use ezk_sip_types::print::AppendCtx;
use ezk_sip_types::{Headers, Name, StatusCode};

/// ezk-sip-types 0.6.
pub enum Ezk {}

/// The result of its reader.
pub struct EzkMessage {
    line: MessageLine,
    headers: Headers,
    body: Bytes,
}

impl Peer for Ezk {
    const NAME: &'static str = "ezk-sip-types";
    type Message<'a> = EzkMessage;
    type Written = Vec<u8>;

    fn parse(bytes: &[u8]) -> Option<EzkMessage> {
        let bytes = Bytes::copy_from_slice(bytes);
        let mut lines = PullParser::new(&bytes, 0);
        let first = std::str::from_utf8(lines.next()?.ok()?).ok()?;
        let (_, line) = MessageLine::parse(&bytes)(first).ok()?;
        let mut headers = Headers::new();
        for next in &mut lines {
            let (_, field) = Line::parse(&bytes, std::str::from_utf8(next.ok()?).ok()?).ok()?;
            headers.insert(field.name, field.value);
        }
        let body = bytes.slice(lines.head_end()..);
        Some(EzkMessage { line, headers, body })
    }

    fn six(message: &EzkMessage) -> Option<Six> {
        let headers = &message.headers;
        let to: FromTo = headers.get(Name::TO).ok()?;
        let from: FromTo = headers.get(Name::FROM).ok()?;
        let contact: Contact = headers.get_named().ok()?;
        Some(Six {
            branch: headers.get_named::<Via>().ok()?.params.get_val("branch")?.len(),
            from_tag: from.tag?.len(),
            to_tag: to.tag.map_or(0, |tag| tag.len()),
            call_id: headers.get_named::<CallID>().ok()?.0.len(),
            cseq: headers.get_named::<CSeq>().ok()?.cseq,
            contact: contact.uri.uri.host_port.port.unwrap_or(0),
        })
    }

    fn forward(message: &mut EzkMessage) -> Option<Vec<u8>> {
        let hops: MaxForwards = message.headers.get_named().ok()?;
        let mut headers = Headers::new();
        headers.insert(Name::VIA, VIA.to_string());
        for (name, value) in message.headers.iter() {
            if *name == Name::MAX_FORWARDS {
                headers.insert(name.clone(), (hops.0 - 1).to_string());
            } else {
                headers.insert(name.clone(), value.clone());
            }
        }
        Some(written(&message.line, &headers, &message.body))
    }

    fn ok(message: &EzkMessage) -> Option<Vec<u8>> {
        message.line.request_method()?;
        let mut headers = Headers::new();
        for name in [Name::VIA, Name::RECORD_ROUTE, Name::FROM, Name::TO, Name::CALL_ID, Name::CSEQ] {
            for value in message.headers.get_raw(&name) {
                if name == Name::TO {
                    headers.insert(Name::TO, format!("{value};tag={TAG}"));
                } else {
                    headers.insert(name.clone(), value.clone());
                }
            }
        }
        headers.insert(Name::CONTACT, CONTACT.to_string());
        headers.insert(Name::CONTENT_LENGTH, "0".to_string());
        let line = MessageLine::Response(StatusLine { code: StatusCode::OK, reason: Some("OK".into()) });
        Some(written(&line, &headers, &Bytes::new()))
    }
}

fn written(line: &MessageLine, headers: &Headers, body: &Bytes) -> Vec<u8> {
    let mut out = format!("{}\r\n{}\r\n", line.default_print_ctx(), headers).into_bytes();
    out.extend_from_slice(body);
    out
}
