// The answers of one revision about a message, by what they are about. Included once for each revision, which is `sansip` here.

use std::fmt::Debug;
use std::net::SocketAddr;

use sansip::message::header::*;
use sansip::message::{Framer, HeaderId, Headers, Limits, Message, MessageView, Request, Response, StatusCode};
use sansip::{Config, Endpoint, Input, Instant, Listener, Output, Seed};

pub(crate) fn told(data: &[u8]) -> Vec<(&'static str, String)> {
    let mut told = Vec::new();
    let limits = Limits::default();
    let salvaged = Request::salvage(data, &limits).map(|request| request.as_bytes().to_vec());
    told.push(("salvage", text(salvaged)));
    told.push(("stream", frames(data, &limits)));
    told.push(("endpoint", endpoint(data)));
    match MessageView::parse(data, &limits) {
        Err(error) => told.push(("verdict", format!("unreadable: {error:?}"))),
        Ok(view) => {
            told.push(("verdict", format!("{:?}", view.validate().map_err(|rejection| rejection.to_string()))));
            headers(view.headers(), &mut told);
            told.push(("body", text(view.body())));
        }
    }
    if let Ok(message) = Message::parse(data, &limits) {
        written(&message, &mut told);
    }
    told
}

fn text(what: impl Debug) -> String {
    format!("{what:?}")
}

fn frames(data: &[u8], limits: &Limits) -> String {
    let mut framer = Framer::new(*limits);
    let (mut input, mut frames) = (data, Vec::new());
    while let Some(frame) = framer.read(&mut input) {
        let is_error = frame.is_err();
        frames.push(format!("{frame:?}"));
        if is_error {
            break;
        }
    }
    format!("{} unfinished {}", frames.join(" "), framer.unfinished())
}

fn headers(headers: Headers<'_>, told: &mut Vec<(&'static str, String)>) {
    let lines: Vec<_> = headers.iter().map(|field| (field.name.to_string(), field.value, field.line)).collect();
    told.push(("lines", text(lines)));
    macro_rules! each {
        ($($header:ident $(<$life:lifetime>)?),* $(,)?) => {
            $(
                let values: Vec<_> = headers.all::<$header>().collect();
                if !values.is_empty() {
                    told.push((stringify!($header), text((values, headers.get::<$header>()))));
                }
            )*
        };
    }
    sansip::typed_headers!(each);
}

/// The copies that are made of a message: forwarded and answered.
fn written(message: &Message, told: &mut Vec<(&'static str, String)>) {
    const VIA: &str = "SIP/2.0/UDP proxy.example.com;branch=z9hG4bK721e4.1";
    match message {
        Message::Request(request) => {
            let edit = request.edit().push_first(HeaderId::Via, VIA).replace(HeaderId::MaxForwards, "69");
            told.push(("forwarded", text(edit.finish().map(|request| request.as_bytes().to_vec()))));
            let answer = Response::to(request, StatusCode::OK).copy(request, HeaderId::RecordRoute).to_tag("314159");
            told.push(("answered", text(answer.finish().map(|response| response.as_bytes().to_vec()))));
            told.push(("uri", text(request.uri())));
        }
        Message::Response(response) => {
            let edit = response.edit().pop_first(HeaderId::Via);
            told.push(("forwarded", text(edit.finish().map(|response| response.as_bytes().to_vec()))));
        }
    }
}

/// The acts of an endpoint when the message is all that it ever hears.
fn endpoint(data: &[u8]) -> String {
    let mut endpoint = Endpoint::new(Config::new(Seed::from_u64(1)));
    let listener = endpoint.listen(Listener::udp(SocketAddr::from(([192, 0, 2, 1], 5060))));
    let remote = SocketAddr::from(([192, 0, 2, 9], 5070));
    let _ = endpoint.handle(Instant::from_millis(1), Input::Datagram { listener, remote, bytes: data });
    let mut told = String::new();
    while let Some(output) = endpoint.poll() {
        told += &match output {
            Output::Send(transmit) => format!("sends {:?} to {} ", transmit.bytes.escape_ascii().to_string(), transmit.flow.remote),
            other => format!("{other:?} "),
        };
    }
    while let Some(indication) = endpoint.indication() {
        // Its name, not how it looks inside.
        let name = format!("{indication:?}");
        told += name.split(|sign: char| !sign.is_alphanumeric()).next().unwrap_or_default();
        told.push(' ');
    }
    told
}
