//! Streams: cut into messages the same way however the octets come, and where the parser sees the end.

use super::SMALL;
use sansip::message::header::ContentLength;
use sansip::message::{Frame, FrameError, FrameErrorKind, Framer, HeaderId, Limits, MessageView, ParseErrorKind};

/// A script of the sizes of the pieces, then the stream. An odd script makes the limits small.
pub(crate) fn stream(data: &[u8]) {
    let (script, stream) = super::script(data);
    let limits = if script.len() % 2 == 1 { SMALL } else { Limits::default() };
    in_pieces(stream, script, &limits);
    in_pieces(stream, &[0], &limits);
}

/// The messages that a stream gave.
#[derive(Debug, PartialEq, Eq)]
struct Read {
    frames: Vec<Owned>,
    error: Option<FrameError>,
    unfinished: usize,
    begun: Vec<u8>,
}

#[derive(Debug, PartialEq, Eq)]
enum Owned {
    Message(Vec<u8>),
    Ping,
    Pong,
}

/// Reads the stream in pieces of these sizes (less one), over and over, and at once: nothing differs.
pub(crate) fn in_pieces(stream: &[u8], sizes: &[u8], limits: &Limits) {
    let mut pieces = Vec::new();
    let mut rest = stream;
    for &size in sizes.iter().cycle() {
        if rest.is_empty() {
            break;
        }
        let (piece, tail) = rest.split_at(rest.len().min(usize::from(size) + 1));
        pieces.push(piece);
        rest = tail;
    }
    if sizes.is_empty() {
        pieces.push(stream);
    }
    let whole = read(&[stream], limits);
    assert_eq!(read(&pieces, limits), whole);
    is_what_the_parser_sees(stream, &whole, limits);
}

fn read(pieces: &[&[u8]], limits: &Limits) -> Read {
    let mut framer = Framer::new(*limits);
    let (mut frames, mut error) = (Vec::new(), None);
    for piece in pieces {
        let mut input = *piece;
        while let Some(frame) = framer.read(&mut input) {
            assert!(error.is_none(), "nothing comes after an error");
            match frame {
                Ok(Frame::Message(bytes)) => frames.push(Owned::Message(bytes.to_vec())),
                Ok(Frame::Ping) => frames.push(Owned::Ping),
                Ok(Frame::Pong) => frames.push(Owned::Pong),
                Err(new) => error = Some(new),
            }
            assert!(framer.clone().unfinished() <= limits.header_section + limits.body);
        }
        assert!(input.is_empty());
    }
    Read { frames, error, unfinished: framer.unfinished(), begun: framer.begun().to_vec() }
}

/// The frames stand in the stream one behind the other, and each ends where the parser ends it that is given all the rest.
fn is_what_the_parser_sees(stream: &[u8], read: &Read, limits: &Limits) {
    let mut rest = stream;
    for frame in &read.frames {
        let Owned::Message(frame) = frame else { continue };
        rest = without_line_ends(rest);
        assert!(rest.starts_with(frame));
        if let Ok(view) = MessageView::parse(rest, limits) {
            assert_eq!(view.as_bytes(), frame, "the parser sees another end");
        }
        match (MessageView::parse(frame, limits), MessageView::parse(rest, limits)) {
            (Ok(view), Ok(_)) => assert_eq!(view.as_bytes(), frame),
            (Err(error), Err(_)) => {
                assert_ne!(error.kind(), ParseErrorKind::LineEnd, "the framer took half a line end")
            }
            // The octets that follow the frame cannot matter.
            (alone, followed) => panic!("{alone:?}, but before other octets {followed:?}"),
        }
        rest = &rest[frame.len()..];
    }
    rest = without_line_ends(rest);
    let view = MessageView::parse(rest, limits);
    let Some(error) = read.error else {
        assert_eq!(read.unfinished, rest.len());
        // The parser takes what is there of a message that is not whole, but not as a valid one with its body.
        return;
    };
    assert!(rest.starts_with(&read.begun));
    assert_eq!(read.unfinished, 0);
    let lengths = |view: &MessageView<'_>| view.headers().all::<ContentLength>().collect::<Vec<_>>();
    match (error.kind(), view) {
        (FrameErrorKind::NoContentLength, Ok(view)) => assert!(!view.headers().contains(HeaderId::ContentLength)),
        (FrameErrorKind::ContentLength, Ok(view)) => {
            let lengths = lengths(&view);
            assert!(lengths.iter().any(|length| length.is_err() || *length != lengths[0]), "{lengths:?}");
        }
        (FrameErrorKind::BodyTooLong, Ok(view)) => {
            assert!(lengths(&view).iter().all(|length| length.is_ok_and(|length| length.0 as usize > limits.body)));
        }
        (FrameErrorKind::HeaderSectionTooLong, Ok(view)) => {
            // At the bound to the octet, and without the empty line: nothing that may follow could mend it.
            assert_eq!((view.as_bytes().len(), view.body()), (limits.header_section.min(65_535), &b""[..]));
        }
        (FrameErrorKind::HeaderSectionTooLong, Err(_)) => {}
        (FrameErrorKind::BodyTooLong, Err(error)) if error.kind() == ParseErrorKind::BodyTooLong => {}
        (_, Err(error)) => assert_ne!(error.kind(), ParseErrorKind::HeaderSectionTooLong),
        (kind, Ok(_)) => panic!("{kind:?}: what does it mean to the parser?"),
    }
}

fn without_line_ends(mut stream: &[u8]) -> &[u8] {
    while let [b'\r' | b'\n', rest @ ..] = stream {
        stream = rest;
    }
    stream
}

/// A datagram that says its length is one frame with just its octets, and nothing else is one.
pub(crate) fn agrees(datagram: &[u8]) {
    in_pieces(datagram, &[30, 0, 2], &Limits::default());
    for limits in [Limits::default(), SMALL] {
        let Ok(view) = MessageView::parse(datagram, &limits) else { continue };
        let lengths: Vec<_> = view.headers().all::<ContentLength>().collect();
        let [Ok(length), ..] = lengths[..] else { continue };
        let whole = length.0 as usize == view.body().len() && lengths.iter().all(|other| *other == Ok(length));
        if whole && ends_its_headers(&view) {
            let mut framer = Framer::new(limits);
            let mut input = view.as_bytes();
            let frame = framer.read(&mut input);
            assert_eq!(frame, Some(Ok(Frame::Message(view.as_bytes()))));
        }
    }
}

fn ends_its_headers(view: &MessageView<'_>) -> bool {
    !super::lines::Lines::of(view.as_bytes()).empty.is_empty()
}
