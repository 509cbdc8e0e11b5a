use std::net::{IpAddr, SocketAddr};
use std::process::Command;

use sansip::{Duration, Instant};

use super::*;
use crate::check::Evidence;
use crate::planted;
use crate::render::{Figures, events, ladder};
use crate::run::{Case, run};
use crate::sweep::{Scope, draw};

const OPTIONS: &str = "OPTIONS sip:b@b SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK1\r\nMax-Forwards: 70\r\n\
    From: <sip:a@a>;tag=a\r\nTo: <sip:b@b>\r\nCall-ID: c\r\nCSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n";

/// A packet from its IP header on, as the writer makes it.
fn ip(carrier: Carrier, from: &str, to: &str, bytes: &[u8]) -> Vec<u8> {
    let mut capture = Capture::new(Vec::new(), Duration::ZERO).unwrap();
    let [from, to] = [from, to].map(|address| address.parse().unwrap());
    capture.packet(Instant::ZERO, carrier, from, to, bytes, "").unwrap();
    let file = capture.into_inner();
    // Behind the section, the interface, and the head of the packet; the length of the packet stands at 80.
    let length = u32::from_le_bytes(file[80..84].try_into().unwrap()) as usize;
    file[88..88 + length].to_vec()
}

fn udp() -> Vec<u8> {
    ip(Carrier::Datagram, "192.0.2.1:5060", "192.0.2.2:5060", OPTIONS.as_bytes())
}

/// A pcap file with packets of that type of link, each with its time in microseconds.
fn pcap(link: u32, packets: &[(u32, &[u8])]) -> Vec<u8> {
    let mut file = vec![0xd4, 0xc3, 0xb2, 0xa1, 2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 4, 0];
    file.extend(link.to_le_bytes());
    for (time, packet) in packets {
        let length = packet.len() as u32;
        for word in [time / 1_000_000, time % 1_000_000, length, length] {
            file.extend(word.to_le_bytes());
        }
        file.extend(*packet);
    }
    file
}

fn read_by(limits: Limits, files: &[&[u8]]) -> (Vec<Message>, Counts, Vec<String>) {
    let (mut reader, mut all, mut troubles) = (Reader::new(limits), Vec::new(), Vec::new());
    for mut file in files.iter().copied() {
        if let Err(trouble) = reader.read(&mut file, &mut |message| all.push(message)) {
            troubles.push(trouble.to_string());
        }
    }
    reader.finish(&mut |message| all.push(message));
    (all, reader.counts(), troubles)
}

fn read(file: &[u8]) -> (Vec<Message>, Counts, Vec<String>) {
    read_by(Limits::default(), &[file])
}

#[test]
fn each_type_of_link_is_read() {
    let v4 = udp();
    let v6 = ip(Carrier::Datagram, "[2001:db8::1]:5060", "[2001:db8::2]:5060", OPTIONS.as_bytes());
    let mac = [0; 12];
    // The head of each, and the type of link (https://www.tcpdump.org/linktypes.html).
    let heads: [(u32, &[u8], &[u8]); 12] = [
        (0, &[2, 0, 0, 0], &v4),
        (0, &[0, 0, 0, 30], &v6),
        (108, &[0, 0, 0, 2], &v4),
        (1, &[&mac[..], &[8, 0]].concat(), &v4),
        (1, &[&mac[..], &[0x86, 0xdd]].concat(), &v6),
        (1, &[&mac[..], &[0x81, 0, 0, 7, 8, 0]].concat(), &v4),
        (1, &[&mac[..], &[0x88, 0xa8, 0, 7, 0x81, 0, 0, 7, 0x86, 0xdd]].concat(), &v6),
        (101, &[], &v6),
        (228, &[], &v4),
        (229, &[], &v6),
        (113, &[&[0; 14][..], &[8, 0]].concat(), &v4),
        (276, &[&[0x86, 0xdd][..], &[0; 18]].concat(), &v6),
    ];
    for (link, head, packet) in heads {
        let (messages, counts, troubles) = read(&pcap(link, &[(1_500_000, &[head, packet].concat())]));
        let [message] = &messages[..] else { panic!("{link}: {counts:?} {troubles:?}") };
        assert_eq!((&*message.bytes, message.time), (OPTIONS.as_bytes(), 1_500_000_000), "{link}");
        assert_eq!((message.source.port(), message.place), (5060, Place { file: 0, frame: 1 }));
    }
    assert_eq!(read(&pcap(105, &[(0, &v4)])).1.links, (1, 105));
}

#[test]
fn pcap_is_read_in_either_order_of_octets_and_to_the_nanosecond() {
    let packet = udp();
    let mut file = vec![0xa1, 0xb2, 0x3c, 0x4d, 0, 2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 4, 0, 0, 0, 0, 0, 101];
    for word in [3, 999_999_999, packet.len() as u32, packet.len() as u32] {
        file.extend(word.to_be_bytes());
    }
    file.extend(&packet);
    assert_eq!(read(&file).0[0].time, 3_999_999_999);
}

#[test]
fn fragments_of_both_versions_are_put_together() {
    let whole = udp();
    // The payload of IP begins behind 20 octets; fragments are counted in eights (RFC 791 §3.1).
    let piece = |from: usize, to: usize, more: bool| {
        let mut header = whole[..20].to_vec();
        header[2..4].copy_from_slice(&u16::try_from(20 + to - from).unwrap().to_be_bytes());
        header[4..6].copy_from_slice(&[0, 7]);
        header[6..8].copy_from_slice(&(u16::try_from(from / 8).unwrap() | if more { 0x2000 } else { 0 }).to_be_bytes());
        [header, whole[20 + from..20 + to].to_vec()].concat()
    };
    let end = whole.len() - 20;
    let (one, two, three) = (piece(0, 64, true), piece(64, 128, true), piece(128, end, false));
    let (messages, counts, _) = read(&pcap(101, &[(0, &three), (1, &one), (2, &two)]));
    assert_eq!((&*messages[0].bytes, messages[0].place.frame, counts.fragments), (OPTIONS.as_bytes(), 3, 0));
    assert_eq!(read(&pcap(101, &[(0, &three), (1, &one)])).1.fragments, 1);

    let whole = ip(Carrier::Datagram, "[2001:db8::1]:5060", "[2001:db8::2]:5060", OPTIONS.as_bytes());
    let piece = |from: usize, to: usize, more: u8| {
        let mut header = whole[..40].to_vec();
        header[4..6].copy_from_slice(&u16::try_from(8 + to - from).unwrap().to_be_bytes());
        // A fragment header, and UDP behind it (RFC 8200 §4.5).
        header[6] = 44;
        let offset = u16::try_from(from).unwrap().to_be_bytes();
        [&header[..], &[17, 0, offset[0], offset[1] | more, 0, 0, 0, 9], &whole[40 + from..40 + to]].concat()
    };
    let (one, two) = (piece(0, 64, 1), piece(64, whole.len() - 40, 0));
    assert_eq!(&*read(&pcap(101, &[(0, &two), (1, &one)])).0[0].bytes, OPTIONS.as_bytes());
}

#[test]
fn a_stream_goes_on_in_the_next_file_and_a_gap_is_said() {
    let text = OPTIONS.repeat(3);
    let mut capture = Capture::new(Vec::new(), Duration::ZERO).unwrap();
    let [from, to] = [40_000, 5060].map(|port| SocketAddr::from(([192, 0, 2, 1], port)));
    let mut packets = Vec::new();
    for piece in text.as_bytes().chunks(100) {
        let before = packets.len();
        capture.packet(Instant::ZERO, Carrier::Stream, from, to, piece, "").unwrap();
        packets.push(piece.len() + before);
    }
    let file = capture.into_inner();
    // Section and interface are 60 octets, a packet of 140 octets is 172.
    let (head, blocks) = file.split_at(60);
    let blocks: Vec<&[u8]> = blocks.chunks(172).collect();
    let of = |blocks: &[&[u8]]| [head, &blocks.concat()].concat();
    let (messages, counts, troubles) = read_by(Limits::default(), &[&of(&blocks[..3]), &of(&blocks[3..])]);
    assert_eq!((messages.len(), counts.gaps, troubles.len()), (3, 0, 0));
    assert_eq!((messages[1].place, messages[0].stream), (Place { file: 1, frame: 1 }, Some(1)));
    let (messages, counts, _) = read(&of(&[&blocks[..1], &blocks[2..]].concat()));
    // The first two have octets in the piece that is missing.
    assert_eq!((messages.len(), counts.gaps), (1, 1));
}

#[test]
fn what_no_file_should_be_is_said_in_a_sentence_and_what_could_be_read_is_given() {
    let whole = pcap(101, &[(0, &udp()), (1, &udp())]);
    let run = run(&Case::default());
    let mut ng = Vec::new();
    capture(run.world.trace(), Duration::ZERO, &mut ng).unwrap();
    let json = "{\"event\":\"trace\",\"version\":1}\n";
    let mut old = whole.clone();
    old[4] = 1;
    let mut new = ng.clone();
    new[12] = 2;
    let mut damaged = ng.clone();
    damaged[56] ^= 4;
    let cases: [(&[u8], &str, usize); 15] = [
        (b"", "the file is empty", 0),
        (b"\x1f\x8b\x08", "compressed by gzip", 0),
        (b"\x28\xb5\x2f\xfd", "compressed by zstd", 0),
        (b"\xfd7zXZ\0", "compressed by xz", 0),
        (b"BZh9", "compressed by bzip2", 0),
        (b"\x04\x22\x4d\x18", "compressed by lz4", 0),
        (b"INVITE sip:b SIP/2.0\r\n\r\n", "no capture; pcap, pcapng or a trace", 0),
        (&whole[..20], "cut off", 0),
        (&whole[..whole.len() - 9], "cut off", 1),
        (&ng[..ng.len() - 9], "cut off", 15),
        (&old, "version 1.4", 0),
        (&new, "version 2.0", 0),
        (&damaged, "damaged", 0),
        (
            b"{\"event\":\"trace\",\"version\":3}\n",
            "version 3.0; pcap 2.4, pcapng 1 and traces of versions 1 and 2 are read",
            0,
        ),
        (&[json.as_bytes(), b"{\"event\":"].concat(), "cut off", 0),
    ];
    for (file, why, messages) in cases {
        let (read, _, troubles) = read(file);
        assert_eq!((read.len(), troubles.len()), (messages, 1), "{why}: {troubles:?}");
        assert!(troubles[0].contains(why) && !troubles[0].contains('\n'), "{why}: {troubles:?}");
    }
    for (file, why) in [
        ("{\"a\": 1}\n", "no capture"),
        ("{\"event\": 1x}\n", "damaged"),
        ("{\"event\":\"sent\"}\n", "damaged"),
        ("{\"event\":\"timer\"}\n", "damaged"),
    ] {
        assert!(read(file.as_bytes()).2[0].contains(why), "{why}");
    }
}

#[test]
fn a_message_that_the_snap_length_cuts_is_counted_and_not_read() {
    let packet = udp();
    let mut file = pcap(101, &[(0, &packet[..100])]);
    file[36..40].copy_from_slice(&u32::try_from(packet.len()).unwrap().to_le_bytes());
    let (messages, counts, _) = read(&file);
    assert_eq!((messages.len(), counts.cut), (0, 1));
    // The header of IP says so, too, where the file does not.
    assert_eq!(read(&pcap(101, &[(0, &packet[..100])])).1.cut, 1);
}

#[test]
fn addresses_whose_messages_cannot_be_read_are_remembered() {
    let of = |carrier, bytes: &[u8]| ip(carrier, "192.0.2.1:40000", "192.0.2.2:5061", bytes);
    let covered = |packet: &[u8]| {
        let mut reader = Reader::new(Limits::default());
        let unseen = reader.unseen();
        reader.read(&mut &pcap(101, &[(0, packet)])[..], &mut |_| {}).unwrap();
        reader.finish(&mut |_| {});
        [1, 2, 3].map(|host| unseen.covers(IpAddr::from([192, 0, 2, host])))
    };
    let hello = [&[22, 3, 1, 0, 100, 1, 0, 0, 96, 3, 3][..], &[7; 94]].concat();
    assert_eq!(covered(&of(Carrier::Stream, &hello)), [true, true, false]);
    let cut_off = of(Carrier::Datagram, OPTIONS.as_bytes());
    assert_eq!(covered(&cut_off[..100]), [true, true, false]);
    assert_eq!(covered(&of(Carrier::Stream, &OPTIONS.as_bytes()[..60])), [true, true, false], "no end");
    assert_eq!(covered(&cut_off), [false; 3]);
    assert_eq!(covered(&of(Carrier::Stream, OPTIONS.as_bytes())), [false; 3]);
}

#[test]
fn what_registers_along_a_connection_is_one_node_with_its_listener_in_every_call() {
    let (phone, listener, server) = ("192.0.2.1:40000", "192.0.2.1:5070", "192.0.2.2:5060");
    let of = |from: &str, to: &str, method: &str, call: &str, via: &str| {
        let text = OPTIONS.replace("OPTIONS", method).replace("Call-ID: c", &format!("Call-ID: {call}"));
        ip(Carrier::Stream, from, to, text.replace("UDP 192.0.2.1", &format!("TCP {via}")).as_bytes())
    };
    let packets = [
        of(phone, server, "REGISTER", "r", listener),
        of(server, phone, "OPTIONS", "c", server),
        of("192.0.2.2:40001", listener, "INFO", "c", server),
    ];
    let packets: Vec<(u32, &[u8])> = packets.iter().map(|packet| (0, &packet[..])).collect();
    let nodes = |limits: Limits| {
        let mut calls = Calls::new(limits);
        read(&pcap(101, &packets)).0.into_iter().for_each(|message| calls.add(message, &mut |_| {}));
        let call = calls.take_rest().find(|call| call.call_id == "c").unwrap();
        let (trace, _) = trace(&call.messages, &[], &[], 0);
        trace.nodes().map(|(_, name)| name.to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(nodes(Limits::default()), [server, listener]);
    // With no room none is remembered.
    assert_eq!(nodes(Limits { hidden: 0, ..Limits::default() }), [server, phone, listener]);
}

#[test]
fn what_is_no_sip_is_passed_over() {
    let of = |bytes: &[u8]| ip(Carrier::Datagram, "192.0.2.1:5060", "192.0.2.2:5060", bytes);
    let stun = [&[0, 1, 0, 0, 0x21, 0x12, 0xa4, 0x42][..], &[0; 12]].concat();
    let others = [of(b"\r\n\r\n"), of(&stun), of(&[0x80, 0, 0, 1]), of(b""), of(b"hello")];
    let packets: Vec<(u32, &[u8])> = others.iter().map(|packet| (0, &packet[..])).collect();
    let (messages, counts, troubles) = read(&pcap(101, &packets));
    assert_eq!((messages.len(), counts.packets, troubles.len()), (0, 5, 0));
}

#[test]
fn a_file_reads_no_further_than_its_limits() {
    let file = pcap(101, &[(0, &[0; 5_000]), (0, &udp())]);
    let few = |limits: Limits, file: &[u8]| read_by(limits, &[file]).2.concat();
    // At least one piece is read before it is known to be too little.
    let long = pcap(101, &[(0, &vec![0; 200_000])]);
    assert!(few(Limits { block: 100_000, ..Limits::default() }, &long).contains("more than 100000 octets"));
    assert_eq!(few(Limits { block: 100_000, ..Limits::default() }, &file), "");
    let run = run(&Case::default());
    let mut ng = Vec::new();
    capture(run.world.trace(), Duration::ZERO, &mut ng).unwrap();
    let again = [&ng[..60], &ng[28..]].concat();
    assert!(few(Limits { interfaces: 1, ..Limits::default() }, &again).contains("more than 1 interfaces"));
    assert_eq!(few(Limits { interfaces: 2, ..Limits::default() }, &again), "");
    let line = format!("{{\"event\":\"{}", "x".repeat(200_000));
    assert!(few(Limits { block: 100_000, ..Limits::default() }, line.as_bytes()).contains("more than 100000 octets"));
}

#[test]
fn no_more_is_kept_of_what_nodes_say_than_the_limit_allows() {
    let line = "{\"event\":\"noted\",\"time\":\"1.000\",\"node\":\"a\",\"note\":\"hello\",\"call_id\":null}\n";
    let mut reader = Reader::new(Limits { remarks: 2 * (line.len() - 1), ..Limits::default() });
    reader.read(&mut line.repeat(3).as_bytes(), &mut |_| {}).unwrap();
    assert_eq!((reader.counts().remarks, reader.take_remarks().len()), (1, 2));
    reader.read(&mut line.as_bytes(), &mut |_| {}).unwrap();
    assert_eq!((reader.counts().remarks, reader.take_remarks().len()), (1, 1), "what was taken is let go");
}

/// The calls of a file: how many messages each has.
fn calls(limits: Limits, file: &[u8]) -> (Vec<usize>, Calls) {
    let mut calls = Calls::new(limits);
    let mut sizes = Vec::new();
    for message in read(file).0 {
        calls.add(message, &mut |call| sizes.push(call.messages.len()));
    }
    sizes.extend(calls.take_rest().map(|call| call.messages.len()));
    (sizes, calls)
}

#[test]
fn a_packet_that_was_captured_twice_is_one_and_so_is_a_message_on_both_sides_of_a_nat() {
    let of = |from: &str, to: &str, identification: u8| {
        let mut packet = ip(Carrier::Datagram, from, to, OPTIONS.as_bytes());
        packet[5] = identification;
        packet
    };
    let (phone, nat, server) = ("10.0.0.5:5060", "192.0.2.9:40000", "192.0.2.1:5060");
    let (inside, outside) = (of(phone, server, 7), of(nat, server, 7));
    let all = Limits::default();
    // The same again, on another interface.
    let (sizes, found) = calls(all, &pcap(101, &[(0, &inside), (100_000, &inside)]));
    assert_eq!((sizes, found.repeated), (vec![1], 1));
    // A copy of T1 later is another packet, and so is one with another identification.
    assert_eq!(calls(all, &pcap(101, &[(0, &inside), (1_500_000, &inside)])).0, [2]);
    assert_eq!(calls(all, &pcap(101, &[(0, &inside), (100_000, &of(phone, server, 8))])).0, [2]);
    // Without identification the time tells.
    let bare = of(phone, server, 0);
    assert_eq!(calls(all, &pcap(101, &[(0, &bare), (5_000, &bare)])).0, [1]);
    assert_eq!(calls(all, &pcap(101, &[(0, &bare), (5_001, &bare)])).0, [2]);
    let (sizes, found) = calls(
        all,
        &pcap(101, &[(0, &inside), (100, &outside), (500_000, &of(phone, server, 8)), (500_100, &of(nat, server, 8))]),
    );
    assert_eq!((sizes, found.translated), (vec![2], 2));
    // Another destination and another source is no NAT.
    assert_eq!(calls(all, &pcap(101, &[(0, &inside), (100, &of(nat, "192.0.2.2:5060", 7))])).0, [2]);

    let mut messages = Vec::new();
    let mut grouped = Calls::new(all);
    for message in read(&pcap(101, &[(0, &inside), (100, &outside), (2_000_000, &of(server, nat, 1))])).0 {
        grouped.add(message, &mut |_| {});
    }
    grouped.take_rest().for_each(|call| messages.extend(call.messages));
    let (trace, _) = trace(&messages, &[], &[], 0);
    let names: Vec<&str> = trace.nodes().map(|(_, name)| name).collect();
    assert_eq!(names, [phone, server], "the NAT is none");
    let (_, _, sent) = trace.transmissions().next().unwrap();
    assert_eq!(sent.source, nat.parse().unwrap(), "as the server sees it");
}

#[test]
fn above_a_limit_the_oldest_call_is_let_go_and_counted() {
    let of = |call: u32| {
        let text = OPTIONS.replace("Call-ID: c", &format!("Call-ID: c{call}"));
        ip(Carrier::Datagram, "192.0.2.1:5060", "192.0.2.2:5060", text.as_bytes())
    };
    let packets: Vec<_> = [1, 2, 3, 2].map(of).to_vec();
    let packets: Vec<(u32, &[u8])> =
        packets.iter().enumerate().map(|(at, it)| (at as u32 * 600_000, &it[..])).collect();
    let file = pcap(101, &packets);
    let all = Limits::default();
    assert_eq!(calls(all, &file).0, [1, 2, 1]);
    let (sizes, found) = calls(Limits { calls: 2, ..all }, &file);
    assert_eq!((sizes, found.let_go), (vec![2, 1], 1));
    let (sizes, found) = calls(Limits { messages: 1, ..all }, &file);
    assert_eq!((sizes, found.let_go), (vec![1, 1], 1));
    let (sizes, found) = calls(Limits { octets: 2 * (OPTIONS.len() + 1 + size_of::<Message>()), ..all }, &file);
    assert_eq!((sizes, found.let_go), (vec![1], 2));
}

#[test]
fn a_call_that_is_over_is_not_kept() {
    let of = |call: u32| {
        let text = OPTIONS.replace("Call-ID: c", &format!("Call-ID: c{call}"));
        ip(Carrier::Datagram, "192.0.2.1:5060", "192.0.2.2:5060", text.as_bytes())
    };
    let packets: Vec<_> = (0..3_000).map(of).collect();
    let packets: Vec<(u32, &[u8])> =
        packets.iter().enumerate().map(|(at, it)| (at as u32 * 100_000, &it[..])).collect();
    let mut calls = Calls::new(Limits::default());
    let mut over = 0;
    for message in read(&pcap(101, &packets)).0 {
        calls.add(message, &mut |_| over += 1);
    }
    // Those of the last 45 seconds, and of the time in which nobody looked.
    assert!(over > 1_500 && calls.take_rest().count() == 3_000 - over && calls.let_go == 0, "{over}");
}

#[test]
fn a_run_is_the_same_from_a_capture_and_from_its_events() {
    for line in [
        "--topology trapezoid --plan alice>atlanta#1:drop,bob>biloxi#2:+700ms",
        "--topology mixed --record-route",
        "--topology dual --record-route",
        "--topology direct --cancel-after 1s",
    ] {
        let case: Case = format!("sansip-sim call {line} --seed 3").parse().unwrap();
        let run = run(&case);
        let original = run.world.trace();
        let mut file = Vec::new();
        capture(original, Duration::ZERO, &mut file).unwrap();
        let (messages, counts, troubles) = read(&file);
        assert_eq!((troubles.len(), counts.gaps, counts.unframed), (0, 0, 0), "{line}");
        let sent: Vec<&[u8]> = original.transmissions().map(|(.., sent)| &*sent.bytes).collect();
        assert_eq!(messages.iter().map(|message| &*message.bytes).collect::<Vec<_>>(), sent, "{line}");

        let figures = Figures::of(original, run.world.now());
        let text: String = events(original, &figures, None, None).iter().map(|event| format!("{event}\n")).collect();
        let mut calls = Calls::new(Limits::default());
        let (read, _, troubles) = read_by(Limits::default(), &[text.as_bytes()]);
        assert!(troubles.is_empty(), "{troubles:?}");
        read.into_iter().for_each(|message| calls.add(message, &mut |_| {}));
        let mut messages: Vec<Message> = calls.take_rest().flat_map(|call| call.messages).collect();
        messages.sort_by_key(|message| message.time);
        let (again, places) = trace(&messages, &[], &[], 0);
        assert_eq!(places.len(), again.entries().len());
        // Nodes stand in the order of their first words.
        let arrows = |text: &str| text.lines().filter(|line| line.contains(" F")).count();
        assert_eq!(arrows(&ladder(&again)), arrows(&ladder(original)), "{line}");
        for ((_, time, one), (_, at, other)) in again.transmissions().zip(original.transmissions()) {
            assert_eq!((time, again.name(one.from), one.fate), (at, original.name(other.from), other.fate), "{line}");
        }
        let arrivals = |of: &crate::trace::Trace| {
            of.entries().iter().filter(|entry| matches!(entry.what, crate::trace::What::Arrived { .. })).count()
        };
        assert_eq!(arrivals(&again), arrivals(original), "{line}");
    }
}

/// Asks tshark about a capture with this filter; `None` where there is none.
fn tshark(file: &std::path::Path, filter: &str) -> Option<String> {
    let mut tshark = Command::new("tshark");
    let done = tshark.arg("-n").arg("-r").arg(file).args(["-Y", filter]).output().ok()?;
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    Some(String::from_utf8_lossy(&done.stdout).into_owned())
}

#[test]
fn wireshark_reads_each_message_and_finds_none_malformed() {
    let path = std::env::temp_dir().join(format!("sansip-sim-tshark-{}.pcapng", std::process::id()));
    for line in
        ["--topology trapezoid --plan alice>atlanta#1:drop", "--topology mixed --record-route", "--topology dual"]
    {
        let run = run(&format!("sansip-sim call {line} --seed 1").parse().unwrap());
        let mut file = Vec::new();
        capture(run.world.trace(), Duration::from_secs(1_700_000_000), &mut file).unwrap();
        std::fs::write(&path, &file).unwrap();
        let (Some(wrong), Some(sip), lost) = (
            tshark(&path, "_ws.malformed or _ws.expert.severity >= \"Warning\" or not sip"),
            tshark(&path, "sip"),
            tshark(&path, "frame.comment == \"drop\""),
        ) else {
            eprintln!("skipped: there is no tshark");
            break;
        };
        assert_eq!(wrong, "", "{line}");
        assert_eq!(sip.lines().count(), run.world.trace().transmissions().count(), "{line}");
        assert_eq!(lost.unwrap_or_default().lines().count(), usize::from(line.contains("drop")), "{line}");
    }
    drop(std::fs::remove_file(&path));
}

/// Judges a run, as a capture of everything has it.
fn found(run: &crate::run::Run) -> Vec<Finding> {
    let mut file = Vec::new();
    capture(run.world.trace(), Duration::ZERO, &mut file).unwrap();
    let mut calls = Calls::new(Limits::default());
    let mut all = Vec::new();
    let end = run.world.now().as_nanos();
    for message in read(&file).0 {
        calls.add(message, &mut |call| all.extend(judge(&call.messages, &[], 0, end)));
    }
    calls.take_rest().for_each(|call| all.extend(judge(&call.messages, &[], 0, end)));
    all
}

#[test]
fn an_element_that_does_not_know_rport_breaks_no_rule() {
    let asked = OPTIONS.replace("192.0.2.1;", "127.0.0.1:5070;rport;");
    let answer = |via: &str| {
        let answer = asked.replace("OPTIONS sip:b@b SIP/2.0", "SIP/2.0 200 OK").replace("Max-Forwards: 70\r\n", "");
        answer.replace("<sip:b@b>", "<sip:b@b>;tag=b").replace("127.0.0.1:5070;rport;", via)
    };
    for (via, evidence) in [
        ("127.0.0.1:5070;rport=5070;received=127.0.0.1;", None),
        ("127.0.0.1:5070;rport;", Some(Evidence::Remark)),
        ("127.0.0.1:5070;rport;received=127.0.0.1;", Some(Evidence::Remark)),
        ("127.0.0.1:5070;rport=5071;received=127.0.0.1;", Some(Evidence::Missing)),
        ("127.0.0.1:5070;rport=5070;", Some(Evidence::Missing)),
        ("127.0.0.1:5070;rport;received=127.0.0.2;", Some(Evidence::Missing)),
    ] {
        let request = ip(Carrier::Datagram, "127.0.0.1:5070", "127.0.0.1:5060", asked.as_bytes());
        let response = ip(Carrier::Datagram, "127.0.0.1:5060", "127.0.0.1:5070", answer(via).as_bytes());
        let (messages, _, _) = read(&pcap(101, &[(0, &request), (100, &response)]));
        let found = judge(&messages, &[], 0, 1_000_000);
        let found: Vec<_> = found.iter().map(|finding| (finding.check, finding.evidence)).collect();
        assert_eq!(found, evidence.map(|evidence| ("via", evidence)).as_slice(), "{via}");
    }
}

#[test]
fn a_400_that_lacks_what_its_request_lacked_breaks_no_rule() {
    let of = |start: &str| {
        let text = format!("{start}\r\nVia: SIP/2.0/UDP 127.0.0.1;branch=z9hG4bKy\r\nContent-Length: 0\r\n\r\n");
        let packet = ip(Carrier::Datagram, "127.0.0.1:5060", "127.0.0.1:5070", text.as_bytes());
        let (messages, _, _) = read(&pcap(101, &[(0, &packet)]));
        unreadable(&messages[0], &[], 0).map(|finding| finding.evidence)
    };
    assert_eq!(of("SIP/2.0 400 Missing recipient"), Some(Evidence::Remark));
    assert_eq!(of("SIP/2.0 404 Not Found"), Some(Evidence::Seen));
    assert_eq!(of("OPTIONS sip:b@b SIP/2.0"), Some(Evidence::Seen));
}

#[test]
fn a_run_without_mistakes_is_clean_whatever_is_lost() {
    for number in 0..60 {
        let case = draw(&Scope::default(), 7, number);
        let run = run(&case);
        let seen: Vec<_> = found(&run).into_iter().filter(|finding| finding.evidence == Evidence::Seen).collect();
        assert!(seen.is_empty(), "{case}: {seen:#?}");
    }
}

#[test]
fn a_capture_that_begins_or_ends_in_the_midst_or_lacks_messages_shows_no_mistake() {
    for number in 0..20 {
        let case = draw(&Scope::default(), 8, number);
        let run = run(&case);
        let mut file = Vec::new();
        capture(run.world.trace(), Duration::ZERO, &mut file).unwrap();
        let messages = read(&file).0;
        for lacking in 0..messages.len().min(40) {
            let part: Vec<Message> = match lacking % 3 {
                0 => messages[lacking..].to_vec(),
                1 => messages[..messages.len() - lacking].to_vec(),
                _ => {
                    messages.iter().enumerate().filter(|(at, _)| at % 40 != lacking).map(|(_, it)| it.clone()).collect()
                }
            };
            let mut calls = Calls::new(Limits::default());
            part.into_iter().for_each(|message| calls.add(message, &mut |_| {}));
            let found = calls.take_rest().flat_map(|call| judge(&call.messages, &[], 0, u64::MAX / 2));
            let seen: Vec<_> = found.filter(|finding| finding.evidence == Evidence::Seen).collect();
            assert!(seen.is_empty(), "{case}, {lacking}: {seen:#?}");
        }
    }
}

#[test]
fn planted_mistakes_are_found_where_the_table_says_that_they_can_be() {
    let (mut seen, mut missing) = (Vec::new(), Vec::new());
    for mistake in planted::TABLE.iter().filter(|it| matches!(it.how, planted::How::Wrapped(..))) {
        let Some(row) = TABLE.iter().find(|row| row.check == mistake.check && row.missing.len() + row.seen.len() > 0)
        else {
            continue;
        };
        let (_, case) = planted::find(mistake, 1_000).unwrap();
        let all = found(&planted::run(mistake, &case));
        let shows = |evidence| all.iter().any(|it| it.check == mistake.check && it.evidence == evidence);
        if shows(Evidence::Seen) {
            assert!(!row.seen.is_empty(), "{}", mistake.name);
            seen.push(mistake.name);
        } else if shows(Evidence::Missing) {
            assert!(!row.missing.is_empty(), "{}", mistake.name);
            missing.push(mistake.name);
        }
    }
    const SEEN: [&str; 22] = [
        "ack-own-cseq",
        "ack-own-branch",
        "ack-2xx-branch",
        "ack-cseq-method",
        "cancel-unlike",
        "via-not-popped",
        "vias-lost",
        "branch-reused",
        "no-cookie",
        "cseq-not-incremented",
        "answers-ack",
        "tag-missing",
        "from-altered",
        "route-ignored",
        "contact-ignored",
        "max-forwards-kept",
        "body-altered",
        "header-dropped",
        "contact-rewritten",
        "length-wrong",
        "hops-overlooked",
        "branch-shared",
    ];
    const MISSING: [&str; 27] = [
        "resends-after-100",
        "resends-early",
        "resends-180",
        "ack-2xx-cseq",
        "ack-missing",
        "ack-once",
        "ack-timer",
        "2xx-after-ack",
        "cancel-overlooked",
        "received-not-set",
        "cseq-leaps",
        "answers-response",
        "tag-changes",
        "bye-not-answered",
        "100-forwarded",
        "asks-after-bye",
        "loser-not-cancelled",
        "second-2xx-ignored",
        "record-route-dropped",
        "ack-kept",
        "tag-replaced",
        "breadth-not-shared",
        "first-challenge-alone",
        "worst-response",
        "6xx-not-preferred",
        "6xx-not-decisive",
        "one-branch-cancelled",
    ];
    assert_eq!(seen, SEEN);
    assert_eq!(missing, MISSING);
}

#[test]
fn the_table_of_the_docs_is_that_of_the_checks() {
    let names: Vec<&str> = TABLE.iter().map(|row| row.check).collect();
    let standard = crate::check::standard();
    assert_eq!(names, standard.iter().map(|check| check.name()).collect::<Vec<_>>());
    let page = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/captures.md")).unwrap();
    let dash = |text: &'static str| if text.is_empty() { "—" } else { text };
    for row in TABLE {
        let line = format!("| {} | {} | {} | {} |\n", row.check, dash(row.seen), dash(row.missing), row.right);
        assert!(page.contains(&line), "{line}");
    }
}
