//! Properties over generated messages, over their ruins, and over octets of any kind.

use crate::check;
use crate::generated::{Generated, message, quoted, uri, value};
use proptest::collection::vec;
use proptest::prelude::*;
use sansip::message::header::{Route, Via};
use sansip::message::{Frame, Framer, Limits, Message, MessageView};
use std::path::{Path, PathBuf};
use std::{env, fs};

fn read(bytes: &[u8]) -> Message {
    Message::parse(bytes, &Limits::default()).unwrap_or_else(|error| panic!("{error}: {}", bytes.escape_ascii()))
}

/// A script of at most 31 octets before a message, as the checks of edits and streams take it.
fn scripted(script: &[u8], message: &[u8]) -> Vec<u8> {
    let count = u8::try_from(script.len()).expect("a short script");
    [&[count], script, message].concat()
}

/// Some octets of a message replaced, cut or put in.
fn ruined() -> impl Strategy<Value = Vec<u8>> {
    let change = (
        any::<prop::sample::Index>(),
        0_usize..4,
        vec(prop_oneof![any::<u8>(), Just(b','), Just(b'"'), Just(b'\r')], 0..4),
    );
    (message(), vec(change, 1..4)).prop_map(|(message, changes)| {
        let mut bytes = message.bytes;
        for (at, cut, new) in changes {
            let at = at.index(bytes.len() + 1);
            let end = bytes.len().min(at + cut);
            bytes.splice(at..end, new);
        }
        bytes
    })
}

proptest! {
    #[test]
    fn what_is_read_and_written_is_the_same_to_the_octet(message in message()) {
        check::message::datagram(&message.bytes);
        let written = read(&message.bytes).as_bytes().to_vec();
        prop_assert_eq!(&written, &message.bytes);
        let ends = [b"\r\n\r\n", &message.bytes[..], b"what follows"].concat();
        let ended = read(&ends).as_bytes().to_vec();
        prop_assert_eq!(&ended, &message.bytes);
    }

    #[test]
    fn what_was_meant_is_read_however_it_is_spaced_folded_or_listed(message in message()) {
        let Generated { bytes, method, from_tag, call_id, cseq, cseq_method, branches, routes, body } = message;
        let view = MessageView::parse(&bytes, &Limits::default()).unwrap();
        let headers = view.headers();
        prop_assert_eq!(view.method().map(|method| method.as_str().to_owned()), method);
        prop_assert_eq!(headers.from().and_then(|from| from.tag().map(str::to_owned)), Some(from_tag));
        prop_assert_eq!(headers.call_id(), Some(call_id.as_str()));
        let read_cseq = headers.cseq().unwrap();
        prop_assert_eq!((read_cseq.number, read_cseq.method.as_str()), (cseq, cseq_method.as_str()));
        let read_branches: Vec<_> = headers.all::<Via<'_>>().map(|via| via.unwrap().branch().map(str::to_owned)).collect();
        prop_assert_eq!(read_branches, branches.into_iter().map(Some).collect::<Vec<_>>());
        let read_routes: Vec<_> = headers.all::<Route<'_>>().map(|route| route.unwrap().uri.to_string()).collect();
        prop_assert_eq!(read_routes, routes);
        prop_assert_eq!(view.body(), &body[..]);
        let verdict = match read(&bytes) {
            Message::Request(request) => request.validate(),
            Message::Response(response) => response.validate(),
        };
        prop_assert_eq!(verdict, Ok(()));
    }

    #[test]
    fn an_edit_touches_what_it_names_and_nothing_else(message in message(), script in vec(any::<u8>(), 0..12)) {
        check::edit::edit(&scripted(&script, &message.bytes));
    }

    #[test]
    fn an_edit_of_a_ruin_touches_nothing_else(message in ruined(), script in vec(any::<u8>(), 0..6)) {
        check::edit::edit(&scripted(&script, &message));
    }

    #[test]
    fn a_stream_gives_its_messages_however_it_is_cut(
        messages in vec((message(), 0_usize..4), 1..4),
        sizes in vec(any::<u8>(), 0..16),
    ) {
        let mut stream = Vec::new();
        for (message, ends) in &messages {
            stream.extend(b"\r\n".repeat(*ends));
            stream.extend_from_slice(&message.bytes);
        }
        check::stream::in_pieces(&stream, &sizes, &Limits::default());
        let mut framer = Framer::new(Limits::default());
        let mut input = &stream[..];
        let mut found = Vec::new();
        while let Some(frame) = framer.read(&mut input) {
            if let Frame::Message(bytes) = frame.unwrap() {
                found.push(bytes.to_vec());
            }
        }
        let sent: Vec<_> = messages.into_iter().map(|(message, _)| message.bytes).collect();
        prop_assert_eq!(found, sent);
    }

    #[test]
    fn a_broken_stream_breaks_at_the_same_octet_however_it_is_cut(
        messages in vec(ruined(), 1..4),
        sizes in vec(any::<u8>(), 0..16),
    ) {
        check::stream::stream(&scripted(&sizes, &messages.concat()));
    }

    #[test]
    fn typed_values_survive_being_written(which in any::<u8>(), value in value()) {
        check::header::header(&[&[which], value.as_bytes()].concat());
    }

    #[test]
    fn uris_are_kept_and_compared_either_way_round(a in uri(), b in uri(), same in any::<bool>()) {
        let b = if same { a.to_ascii_uppercase() } else { b };
        check::uri::uri(format!("{a}\n{b}").as_bytes());
    }

    #[test]
    fn builders_write_what_they_are_told_or_nothing(
        parts in vec(prop_oneof![quoted().prop_map(String::into_bytes), "[ -~\r\n]{0,8}".prop_map(String::into_bytes), vec(0_u8..0xFF, 0..8)], 0..10),
        good in any::<bool>(),
    ) {
        let mut parts = parts;
        if good {
            parts.splice(0..0, ["INVITE", "sip:a@b.example", "v=0\r\n", "Fine", "Subject"].map(|part| part.as_bytes().to_vec()));
        }
        check::build::build(&parts.join(&0xFF));
    }

    #[test]
    fn ruins_never_panic(message in ruined()) {
        check::message::datagram(&message);
    }

    #[test]
    fn octets_of_any_kind_never_panic(octets in vec(any::<u8>(), 0..300)) {
        for check in CHECKS {
            check(&octets);
        }
    }

    #[test]
    fn text_of_the_grammar_in_any_order_never_panics(text in "([a-zA-Z:;,<>\"\\\\@?=/ .()%*0-9\\[\\]]|\r\n|SIP/2\\.0|sip:){0,80}") {
        for check in CHECKS {
            check(text.as_bytes());
        }
    }
}

const CHECKS: [fn(&[u8]); 6] = [
    check::message::datagram,
    check::uri::uri,
    check::header::header,
    check::stream::stream,
    check::edit::edit,
    check::build::build,
];

/// Every file below a folder.
fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut waiting = vec![folder.to_owned()];
    while let Some(path) = waiting.pop() {
        match fs::read_dir(&path) {
            Ok(entries) => waiting.extend(entries.flatten().map(|entry| entry.path())),
            Err(_) => found.push(path),
        }
    }
    found
}

#[test]
fn the_seeds_and_the_messages_of_the_rfcs_keep_every_rule() {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let torture = env::var_os("SANSIP_TORTURE").map_or_else(|| here.join("../../shared/torture"), PathBuf::from);
    let seeds = files(&here.join("../core/fuzz/seeds"));
    assert!(seeds.len() > 50, "{} seeds", seeds.len());
    for path in seeds.into_iter().chain(files(&torture)) {
        let Ok(data) = fs::read(&path) else { continue };
        println!("{}", path.display());
        for check in CHECKS {
            check(&data);
            check(data.get(1..).unwrap_or_default());
            check(&scripted(&[3, 0, 200], &data));
        }
    }
}
