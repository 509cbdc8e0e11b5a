//! Captures and traces that commands read.

use std::ffi::OsStr;
use std::fs::File;
use std::hash::{BuildHasher, RandomState};
use std::io::{self, BufWriter};
use std::path::{Path, PathBuf};

use clap::Args;
use clap::builder::{OsStringValueParser, TypedValueParser};
use sansip::{Duration, Instant};

use super::line::{output_file, value};
use super::{Out, Stop};
use crate::capture::{
    Anonymous, Call, Calls, Capture, Carrier, Counts, Limits, Message, Names, Reader, Remark, Trouble, Unseen,
};
use crate::shrink::WholeFile;

/// The files, and how they are read.
#[derive(Debug, Args)]
pub(super) struct Captured {
    /// pcap or pcapng, one after the other as tcpdump rotates them, or a trace (JSON); - is standard input
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// These addresses are one node with this name, as in 192.0.2.3,10.0.0.3=sbc; one without a port has it at every port
    #[arg(long = "name", value_name = "ADDRESSES=NAME", value_parser = value::<Names>)]
    pub(super) names: Vec<Names>,
    /// So many calls are kept at once, the newest; 10000 if not given
    #[arg(long, value_name = "N", default_value = "10000", hide_default_value = true, value_parser = value::<MaxCalls>)]
    max_calls: MaxCalls,
    /// Writes the messages to OUT (pcapng) with users, numbers, hosts and credentials replaced, each by the same everywhere
    #[arg(long, value_name = "OUT", value_parser = OsStringValueParser::new().try_map(output_file))]
    anonymous: Option<PathBuf>,
}

bounded!(
    /// How many calls are kept at once.
    MaxCalls, (1..=1_000_000), "calls are a whole number from 1 to 1000000, as in 10000"
);

/// All that there was in the files beside calls.
pub(super) struct Summary {
    pub(super) counts: Counts,
    pub(super) calls: Calls,
    /// What traces had besides messages.
    pub(super) remarks: Vec<Remark>,
    /// When the first message was captured.
    pub(super) zero: u64,
    /// Whether a file could not be read, or not to its end.
    pub(super) has_trouble: bool,
}

impl Captured {
    /// The name of a file.
    pub(super) fn file(&self, number: usize) -> String {
        self.files.get(number).map_or_else(String::new, |file| file.display().to_string())
    }

    pub(super) fn is_one(&self) -> bool {
        self.files.len() == 1
    }

    pub(super) fn limits(&self) -> Limits {
        Limits { calls: self.max_calls.0, ..Limits::default() }
    }

    /// Reads all files, and gives each call that is over. A file that cannot be read is said; the others are read all the same.
    pub(super) fn read(
        &self,
        out: &mut Out<'_>,
        each: &mut dyn FnMut(&mut Out<'_>, Call, &SoFar<'_>) -> io::Result<()>,
    ) -> Result<Summary, Stop> {
        let mut reader = Reader::new(self.limits());
        let unseen = reader.unseen();
        let anonymous = self.anonymous.as_deref().map(Replacing::new).transpose().map_err(Stop::Usage)?;
        let calls = Calls::new(self.limits());
        let mut taken = Taken { calls, anonymous, zero: None, end: 0, result: Ok(()) };
        let mut has_trouble = false;
        for path in &self.files {
            let mut take =
                |message| taken.take(message, &mut |call, times| each(out, call, &SoFar::new(times, &unseen)));
            let read = if path.as_os_str() == OsStr::new("-") {
                reader.read(&mut io::stdin().lock(), &mut take)
            } else {
                File::open(path).map_err(Trouble::Input).and_then(|mut file| reader.read(&mut file, &mut take))
            };
            if let Err(trouble) = read {
                has_trouble = true;
                writeln!(out.stderr, "sansip-sim: {}: {trouble}", path.display())?;
            }
        }
        reader.finish(&mut |message| {
            taken.take(message, &mut |call, times| each(out, call, &SoFar::new(times, &unseen)))
        });
        let Taken { mut calls, anonymous, zero, end, result } = taken;
        result?;
        if let (Some(path), Some(anonymous)) = (&self.anonymous, anonymous) {
            anonymous.end().map_err(|error| Stop::Usage(format!("--anonymous `{}`: {error}", path.display())))?;
        }
        let zero = zero.unwrap_or_default();
        for call in calls.take_rest() {
            each(out, call, &SoFar::new((zero, end), &unseen))?;
        }
        Ok(Summary { counts: reader.counts(), remarks: reader.take_remarks(), calls, zero, has_trouble })
    }
}

/// What the files have said so far beside a call.
pub(super) struct SoFar<'a> {
    /// When the first message was captured, from which times are counted.
    pub(super) zero: u64,
    /// When the last one was.
    pub(super) end: u64,
    /// The addresses whose messages could not all be read.
    pub(super) unseen: &'a Unseen,
}

impl<'a> SoFar<'a> {
    const fn new((zero, end): (u64, u64), unseen: &'a Unseen) -> Self {
        Self { zero, end, unseen }
    }
}

/// The messages that were taken so far.
struct Taken {
    calls: Calls,
    anonymous: Option<Replacing>,
    /// When the first message was captured.
    zero: Option<u64>,
    /// When the last one was.
    end: u64,
    result: io::Result<()>,
}

impl Taken {
    /// Takes a message, and gives each call that is over by now.
    fn take(&mut self, message: Message, each: &mut dyn FnMut(Call, (u64, u64)) -> io::Result<()>) {
        if let Some(anonymous) = &mut self.anonymous {
            anonymous.take(&message);
        }
        let zero = *self.zero.get_or_insert(message.time);
        self.end = self.end.max(message.arrived.unwrap_or_default()).max(message.time);
        let (end, result) = (self.end, &mut self.result);
        self.calls.add(message, &mut |call| {
            if result.is_ok() {
                *result = each(call, (zero, end));
            }
        });
    }
}

/// The capture that is written with everything replaced that tells who it is from.
struct Replacing {
    capture: Capture<BufWriter<WholeFile>>,
    anonymous: Anonymous,
    /// Why it could not be written.
    failed: Option<io::Error>,
}

impl Replacing {
    fn new(path: &Path) -> Result<Self, String> {
        // A key that nobody knows, so that nothing can be turned back.
        let anonymous = Anonymous::new(RandomState::new().hash_one(()));
        let capture = WholeFile::create(path).and_then(|file| Capture::new(BufWriter::new(file), Duration::ZERO));
        let capture = capture.map_err(|error| format!("--anonymous `{}`: {error}", path.display()))?;
        Ok(Self { capture, anonymous, failed: None })
    }

    fn take(&mut self, message: &Message) {
        let shown = self.anonymous.message(message);
        let carrier = if shown.stream.is_some() { Carrier::Stream } else { Carrier::Datagram };
        let time = Instant::from_nanos(shown.time);
        let written = self.capture.packet(time, carrier, shown.source, shown.destination, &shown.bytes, "");
        self.failed = self.failed.take().or(written.err());
    }

    fn end(mut self) -> io::Result<()> {
        self.failed.take().map_or(Ok(()), Err)?;
        self.capture.into_inner().into_inner().map_err(|error| error.into_error())?.finish()
    }
}

impl Summary {
    /// Says what was read, and what was passed over and why, in a line each.
    pub(super) fn lines(&self) -> Vec<String> {
        let Counts { packets, messages, links, cut, gaps, unfinished, unframed, tls, fragments, let_go, remarks } =
            self.counts;
        let Calls { repeated, translated, unread, .. } = self.calls;
        let mut lines = vec![format!("{packets} packets, {messages} messages")];
        let (link_number, link) = links;
        for (number, what) in [
            (repeated, "packets were captured more than once".to_owned()),
            (translated, "messages were captured on both sides of a NAT".to_owned()),
            (unread, "messages lack what every message has, or cannot be read".to_owned()),
            (link_number, format!("packets are of a type of link that is not read (LINKTYPE {link})")),
            (cut, "messages were cut by the snap length (tcpdump -s 0 captures them whole)".to_owned()),
            (fragments, "datagrams lack fragments".to_owned()),
            (gaps, "times octets of a stream were not captured".to_owned()),
            (unfinished, "messages on streams have no end".to_owned()),
            (unframed, "messages on streams do not say where they end".to_owned()),
            (tls, "directions of connections are TLS, whose plaintext is not there".to_owned()),
            (remarks, "events of a trace that are no messages were not kept, as there were too many".to_owned()),
            (let_go, "directions of connections were let go, as there were too many".to_owned()),
            (
                self.calls.let_go,
                "calls were let go, as there were too many or too much of one (--max-calls)".to_owned(),
            ),
        ] {
            if number > 0 {
                lines.push(format!("{number} {what}"));
            }
        }
        lines
    }
}
