//! Captures of anybody: whatever a file holds, it is read without panic and within bounds.

use std::sync::LazyLock;

use proptest::prelude::*;
use sansip::Duration;
use sansip_sim::capture::{Call, Calls, Counts, Limits, Message, Reader, Remark, capture, trace};
use sansip_sim::render::{Figures, events, ladder};
use sansip_sim::run::{Case, run_watched};

static SEEDS: LazyLock<[Vec<u8>; 3]> = LazyLock::new(seeds);

/// A call as pcapng, as pcap with Ethernet, and as a trace.
fn seeds() -> [Vec<u8>; 3] {
    let case: Case = "sansip-sim call --topology mixed --record-route --seed 1".parse().expect("a case");
    let run = run_watched(&case);
    let traced = run.world.trace();
    let mut pcapng = Vec::new();
    capture(traced, Duration::ZERO, &mut pcapng).expect("memory");
    let mut pcap = vec![0xd4, 0xc3, 0xb2, 0xa1, 2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 4, 0, 1, 0, 0, 0];
    for (number, packet) in packets(&pcapng).into_iter().enumerate() {
        let frame = [&[0; 12][..], &[8, 0], packet].concat();
        let length = u32::try_from(frame.len()).expect("a packet");
        for word in [u32::try_from(number).expect("few"), 0, length, length] {
            pcap.extend(word.to_le_bytes());
        }
        pcap.extend(frame);
    }
    let figures = Figures::of(traced, run.world.now());
    let json: String = events(traced, &figures, None, None).iter().map(|event| format!("{event}\n")).collect();
    [pcapng, pcap, json.into_bytes()]
}

/// The packets in the blocks of a pcapng file, behind section and interface.
fn packets(file: &[u8]) -> Vec<&[u8]> {
    let word = |at: usize| u32::from_le_bytes(file[at..at + 4].try_into().expect("four")) as usize;
    let (mut at, mut all) = (60, Vec::new());
    while at < file.len() {
        all.push(&file[at + 28..at + 28 + word(at + 20)]);
        at += word(at + 4);
    }
    all
}

/// A change of a file, at some part of its length.
#[derive(Clone, Debug)]
enum Change {
    Octet(prop::sample::Index, u8),
    Cut(prop::sample::Index),
    Gone(prop::sample::Index, usize),
    Again(prop::sample::Index, usize),
}

fn change() -> impl Strategy<Value = Change> {
    let place = any::<prop::sample::Index>;
    prop_oneof![
        8 => (place(), any::<u8>()).prop_map(|(at, octet)| Change::Octet(at, octet)),
        1 => place().prop_map(Change::Cut),
        2 => (place(), 1..400_usize).prop_map(|(at, length)| Change::Gone(at, length)),
        2 => (place(), 1..4_000_usize).prop_map(|(at, length)| Change::Again(at, length)),
    ]
}

fn changed(mut file: Vec<u8>, changes: &[Change]) -> Vec<u8> {
    for change in changes {
        if file.is_empty() {
            break;
        }
        match change {
            Change::Octet(at, octet) => {
                let at = at.index(file.len());
                file[at] = *octet;
            }
            Change::Cut(at) => file.truncate(at.index(file.len())),
            Change::Gone(at, length) => {
                let at = at.index(file.len());
                file.drain(at..(at + length).min(file.len()));
            }
            Change::Again(at, length) => {
                let at = at.index(file.len());
                let piece = file[at..(at + length).min(file.len())].to_vec();
                file.splice(at..at, piece);
            }
        }
    }
    file
}

/// Few of everything, so that bounds are met.
const FEW: Limits = Limits {
    block: 4_096,
    interfaces: 2,
    datagrams: 2,
    streams: 2,
    waiting: 1_000,
    held: 4_000,
    hidden: 2,
    remarks: 2_000,
    calls: 2,
    messages: 20,
    octets: 20_000,
};

fn read(limits: Limits, file: &[u8]) -> (Vec<Message>, Vec<Remark>, Counts, Option<String>) {
    let (mut reader, mut all) = (Reader::new(limits), Vec::new());
    let result = reader.read(&mut { file }, &mut |message| all.push(message));
    reader.finish(&mut |message| all.push(message));
    (all, reader.take_remarks(), reader.counts(), result.err().map(|trouble| trouble.to_string()))
}

proptest! {
    #[test]
    fn whatever_a_file_holds_it_is_read_within_bounds(
        seed in 0..3_usize,
        changes in prop::collection::vec(change(), 0..12),
        is_few in any::<bool>(),
    ) {
        let file = changed(SEEDS[seed].clone(), &changes);
        let limits = if is_few { FEW } else { Limits::default() };
        let (messages, remarks, counts, trouble) = read(limits, &file);
        prop_assert!(messages.iter().map(|message| message.bytes.len()).sum::<usize>() <= 4 * file.len());
        prop_assert!(trouble.as_ref().is_none_or(|trouble| !trouble.contains('\n')));
        let again = read(limits, &file);
        prop_assert_eq!((counts, trouble), (again.2, again.3));
        prop_assert_eq!((messages.len(), remarks.len()), (again.0.len(), again.1.len()));
        prop_assert!(remarks.len() <= limits.remarks / 60, "a line has at least so many octets");
        let mut calls = Calls::new(limits);
        let mut kept: Vec<Call> = Vec::new();
        messages.into_iter().for_each(|message| calls.add(message, &mut |call| kept.push(call)));
        kept.extend(calls.take_rest());
        prop_assert!(kept.iter().all(|call| call.messages.len() <= limits.messages));
        for call in kept {
            let (trace, places) = trace(&call.messages, &remarks, &[], 0);
            prop_assert_eq!(places.len(), trace.entries().len());
            prop_assert!(!ladder(&trace).is_empty());
        }
    }
}
