//! Files that keep what crosses the sockets.

use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use clap::Args;
use sansip::Instant;
use sansip::message::header::Protocol;
use sansip_driver::{Direction, Seen};
use sansip_sim::capture::{Capture, Carrier};
use sansip_sim::render::sent;

use super::{Sockets, named, warn};

/// The files.
#[derive(Args)]
pub(crate) struct Records {
    /// Write each message to FILE: JSON, one event a line, as `sansip-sim call --format json` does
    #[arg(long, value_name = "FILE")]
    trace: Option<PathBuf>,
    /// Write each message to FILE for Wireshark (pcapng), as it is before TLS
    #[arg(long, value_name = "FILE")]
    pcap: Option<PathBuf>,
}

impl Records {
    /// Begins them. Each message is one write, so that nothing is missing at the end, however that comes.
    #[expect(clippy::disallowed_methods, reason = "Wireshark shows the date")]
    pub(crate) fn begin(&self, sockets: &mut Sockets, name: &'static str) -> io::Result<()> {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let zero = now.saturating_sub(sockets.now() - Instant::ZERO);
        let trace = Record::new(&self.trace, |file| Ok(Trace { file, written: 0, name }))?;
        let pcap = Record::new(&self.pcap, |file| Capture::new(file, zero))?;
        if let (None, None) = (&trace, &pcap) {
            return Ok(());
        }
        let (mut trace, mut pcap) = (trace, pcap);
        sockets.observe(move |seen| {
            Record::write(&mut trace, |trace| trace.write(seen));
            Record::write(&mut pcap, |capture| {
                let carrier = if seen.protocol == Protocol::Udp { Carrier::Datagram } else { Carrier::Stream };
                let (from, to) = ends(seen, seen.local, seen.remote);
                capture.packet(seen.now, carrier, from, to, seen.bytes, "")
            });
        });
        Ok(())
    }
}

/// From which to which it went, of ours and theirs.
fn ends<T>(seen: &Seen<'_>, ours: T, theirs: T) -> (T, T) {
    match seen.direction {
        Direction::Out => (ours, theirs),
        Direction::In => (theirs, ours),
    }
}

/// A file that is written as long as that succeeds.
struct Record<W> {
    path: PathBuf,
    writer: W,
}

impl<W> Record<W> {
    fn new(path: &Option<PathBuf>, begin: impl FnOnce(File) -> io::Result<W>) -> io::Result<Option<Self>> {
        let Some(path) = path else { return Ok(None) };
        let writer = File::create(path).and_then(begin).map_err(|error| about(path, error))?;
        Ok(Some(Self { path: path.clone(), writer }))
    }

    /// Writes on; at the first failure that is said, and it ends.
    fn write(record: &mut Option<Self>, write: impl FnOnce(&mut W) -> io::Result<()>) {
        if let Some(Self { path, writer }) = record
            && let Err(error) = write(writer)
        {
            warn(format_args!("{}; nothing more is written there", about(path, error)));
            *record = None;
        }
    }
}

fn about(path: &Path, error: io::Error) -> io::Error {
    named(path.display(), error)
}

/// The events of a trace.
struct Trace {
    file: File,
    written: usize,
    name: &'static str,
}

impl Trace {
    fn write(&mut self, seen: &Seen<'_>) -> io::Result<()> {
        let nodes = ends(seen, Some(self.name), None);
        let addresses = ends(seen, seen.local, seen.remote);
        let event = sent(self.written, seen.now, nodes, addresses, seen.bytes);
        self.written += 1;
        self.file.write_all(format!("{event}\n").as_bytes())
    }
}
